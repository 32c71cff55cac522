//! The guide's table of codes: complete, and true of the rules.

use std::collections::{BTreeMap, BTreeSet};

use super::super::*;

const GUIDE: &str = include_str!("../../guide/rules.md");

/// What the guide says about a code.
struct Row {
    /// Rules named in it.
    rules: Vec<&'static str>,
    text: &'static str,
}

fn guide() -> BTreeMap<&'static str, Row> {
    let mut rows = BTreeMap::new();
    for line in GUIDE.lines() {
        let cells: Vec<_> = line.split('|').map(str::trim).collect();
        if let [_, code, text, _] = cells[..]
            && code.bytes().all(|byte| byte.is_ascii_digit())
            && !code.is_empty()
        {
            let rules = text.split('`').skip(1).step_by(2).collect();
            assert!(rows.insert(code, Row { rules, text }).is_none(), "{code} stands twice");
        }
    }
    rows
}

#[test]
fn every_code_of_the_guide_has_a_rule_or_a_reason() {
    for (code, row) in guide() {
        if row.rules.is_empty() {
            assert!(row.text.starts_with("not offline: ") && row.text.len() > 30, "{code}: {}", row.text);
        }
        for id in &row.rules {
            let rule = rule_by_id(id).unwrap_or_else(|| panic!("{code}: there is no rule {id}"));
            let other = row.text.contains("under") || row.text.contains("a warning:") || row.text.contains("and `");
            assert!(rule.code == Some(code) || other, "{code}: {id} carries {:?}", rule.code);
        }
    }
}

#[test]
fn every_rule_with_a_code_stands_beside_it_in_the_guide() {
    let guide = guide();
    for rule in rules() {
        if let Some(code) = rule.code {
            let row = guide.get(code).unwrap_or_else(|| panic!("the guide lacks {code} ({})", rule.id));
            assert!(row.rules.contains(&rule.id), "the guide lacks {} beside {code}", rule.id);
        }
    }
}

#[test]
fn the_guide_has_every_code_of_the_classes_validation_and_business() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/spec/irp-error-codes.csv");
    let Ok(list) = std::fs::read_to_string(&path) else {
        eprintln!("skipped: no list of the portal's codes beside the workspace");
        return;
    };
    let guide = guide();
    let wanted = list.lines().filter(|line| line.ends_with(",validation") || line.ends_with(",business"));
    let codes: BTreeSet<_> = wanted.filter_map(|line| line.split(',').next()).collect();
    assert!(codes.len() > 100, "{}", codes.len());
    let missing: Vec<_> = codes.into_iter().filter(|code| !guide.contains_key(code)).collect();
    assert_eq!(missing, Vec::<&str>::new());
}
