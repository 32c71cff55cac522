//! The examples of the chapters on mapping and on adapters are used as a reader would use them.

use crate::{einvoice, folder};

const MAPPING: &str = include_str!("../../../core/src/guide/mapping.md");

/// The blocks of a chapter in a language.
fn blocks(language: &str) -> Vec<&'static str> {
    let start = format!("```{language}\n");
    MAPPING.split(start.as_str()).skip(1).map(|rest| rest.split("```").next().unwrap()).collect()
}

#[test]
fn the_chapter_on_mapping_shows_rules_and_cases_that_hold() {
    let directory = folder();
    let at = directory.path();
    let [configuration, cases] = blocks("toml").try_into().unwrap();
    let [bill] = blocks("json").try_into().unwrap();
    std::fs::write(at.join("einvoice.toml"), format!("{configuration}\n[rules]\nturnover_crore = 4\n")).unwrap();
    for folder in ["cases", "shop"] {
        std::fs::create_dir(at.join(folder)).unwrap();
    }
    std::fs::write(at.join("cases/shop.toml"), cases).unwrap();
    std::fs::write(at.join("cases/bill.json"), bill).unwrap();
    std::fs::write(at.join("shop/bill.json"), bill).unwrap();
    let tested = einvoice(at, &["test"]);
    assert_eq!(tested.code, 0, "{}{}", tested.out, tested.err);
    assert!(tested.out.ends_with("3 cases: 3 passed, 0 failed\n"), "{}", tested.out);
    // Every line that the chapter shows of a dry run is one of it, whatever the widths of its columns.
    let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    let run = einvoice(at, &["run", "--dry-run", "--source", "shop"]);
    assert_eq!(run.code, 0, "{}{}", run.out, run.err);
    let shown: Vec<String> = run.out.lines().map(words).collect();
    for line in blocks("text")[0].lines().map(words) {
        assert!(shown.contains(&line), "{line}\n{}", run.out);
    }
}
