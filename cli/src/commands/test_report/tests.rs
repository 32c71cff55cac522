//! The list of cases holds what it promises, and the guide shows it.

use super::*;
use crate::arguments::Api;

#[test]
fn every_api_has_fifty_cases_of_either_kind_and_no_case_waits_for_a_later_one_of_its_kind() {
    let all = cases::all();
    let by_id: BTreeMap<&str, &Case> = all.iter().map(|case| (case.id.as_str(), case)).collect();
    assert_eq!(by_id.len(), all.len(), "two cases have one id");
    for api in Api::ALL {
        let count = |yes: bool| all.iter().filter(|case| case.api == api && case.should_succeed() == yes).count();
        assert!(count(true) >= report::WANTED && count(false) >= report::WANTED, "{api:?}");
    }
    let order = in_order(&all, &by_id, &Api::ALL);
    assert_eq!(order.len(), all.len());
    let mut done = BTreeSet::new();
    for case in order {
        for before in case.before() {
            assert!(done.contains(before), "{} comes before {before}, which it needs", case.id);
            assert!(by_id[before].should_succeed(), "{} needs {before}, which should fail", case.id);
        }
        done.insert(case.id.as_str());
    }
}

#[test]
fn a_chosen_api_brings_the_cases_that_it_needs_and_no_others() {
    let all = cases::all();
    let by_id: BTreeMap<&str, &Case> = all.iter().map(|case| (case.id.as_str(), case)).collect();
    let only = |api: Api| in_order(&all, &by_id, &[api]);
    assert!(only(Api::Gstin).iter().all(|case| case.api == Api::Gstin));
    let cancel = only(Api::Cancel);
    assert!(cancel.iter().any(|case| case.api == Api::Generate));
    assert!(
        cancel.iter().all(|case| matches!(case.api, Api::Generate | Api::Cancel)
            && (case.api == Api::Cancel || case.should_succeed()))
    );
}

#[test]
fn the_guide_lists_every_case() {
    const MARK: &str = "<!-- The tables below are made of the list of cases. -->\n";
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../core/src/guide/test-report.md");
    let shown = std::fs::read_to_string(&path).unwrap().replace("\r\n", "\n");
    let (text, tables) = shown.split_once(MARK).unwrap();
    let right = listing::markdown(&cases::all());
    if std::env::var_os("EINVOICE_UPDATE_GUIDE").is_some() {
        std::fs::write(&path, format!("{text}{MARK}{right}")).unwrap();
        return;
    }
    assert!(tables == right, "the chapter is behind the list: run this test once with EINVOICE_UPDATE_GUIDE=1");
}
