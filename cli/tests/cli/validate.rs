//! `validate`: offline checks.

use std::path::Path;

use crate::{einvoice, fixture, folder};

#[test]
fn findings_stand_under_each_document_with_what_to_do() {
    let directory = folder();
    fixture(directory.path(), "three.jsonl");
    let answer = einvoice(directory.path(), &["validate", "three.jsonl", "--as-of", "2026-11-22"]);
    insta::assert_snapshot!(answer.shown(directory.path()));
}

#[test]
fn json_has_one_object_a_document_and_people_read_standard_error() {
    let directory = folder();
    fixture(directory.path(), "three.jsonl");
    let answer = einvoice(directory.path(), &["validate", "three.jsonl", "--as-of", "2026-11-22", "--json"]);
    insta::assert_snapshot!(answer.shown(directory.path()));
    for object in answer.objects() {
        let names: Vec<&String> = object.as_object().unwrap().keys().collect();
        assert_eq!(names.len(), 5);
        for finding in object["findings"].as_array().unwrap() {
            for name in ["rule", "code", "severity", "path", "found", "expected", "message", "fix"] {
                assert!(finding.get(name).is_some(), "{name} is missing in {finding}");
            }
            assert!(finding["rule"].is_string());
        }
    }
}

#[test]
fn the_check_digit_can_be_left_out() {
    let directory = folder();
    fixture(directory.path(), "three.jsonl");
    let rules = |arguments: &[&str]| einvoice(directory.path(), arguments).out.contains("gstin.check_digit");
    assert!(rules(&["validate", "three.jsonl", "--json"]));
    assert!(!rules(&["validate", "three.jsonl", "--json", "--no-gstin-check-digit"]));
}

#[test]
fn repairs_are_made_where_the_configuration_asks_for_them_and_each_is_told() {
    let directory = folder();
    fixture(directory.path(), "three.jsonl");
    let text = std::fs::read_to_string(directory.path().join("three.jsonl")).unwrap();
    let mut document: serde_json::Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
    document["SellerDtls"]["Addr1"] = "Long Road ".repeat(12).trim_end().into();
    document["BuyerDtls"]["Stcd"] = format!("0{}", document["BuyerDtls"]["Stcd"].as_str().unwrap()).into();
    document["ItemList"][0]["PrdDesc"] = "Pipe 2\" \\ \"hard\",\r\n drawn".into();
    std::fs::write(directory.path().join("one.json"), document.to_string()).unwrap();
    let check = |repair: &str| {
        std::fs::write(directory.path().join("einvoice.toml"), format!("[check]\nrepair = [{repair}]\n")).unwrap();
        einvoice(directory.path(), &["validate", "one.json", "--as-of", "2026-11-22", "--config", "einvoice.toml"])
    };
    assert_eq!(check("").code, 1);
    let repaired = check(r#""text_cut", "characters", "state_zeros""#);
    assert_eq!(repaired.code, 0, "{}", repaired.out);
    insta::assert_snapshot!(repaired.shown(directory.path()));
    let unknown = check(r#""text_cuts""#);
    assert_eq!(unknown.code, 2);
    assert!(unknown.err.contains("did you mean `text_cut`?"), "{}", unknown.err);
}

#[test]
fn only_valid_documents_give_zero() {
    let directory = folder();
    fixture(directory.path(), "three.jsonl");
    let text = std::fs::read_to_string(directory.path().join("three.jsonl")).unwrap();
    // Any name will do, endings that a folder source would leave alone included.
    std::fs::write(directory.path().join("one [1]_R.json"), text.lines().next().unwrap()).unwrap();
    let answer = einvoice(directory.path(), &["validate", "one [1]_R.json"]);
    assert_eq!((answer.code, answer.err.as_str()), (0, ""));
    assert!(answer.out.ends_with("1 document: 1 valid, 0 invalid\n"), "{}", answer.out);
    assert!(directory.path().join("one [1]_R.json").exists(), "checking a file must not move it");
}

#[test]
fn a_broken_document_does_not_keep_the_others_from_being_checked() {
    let directory = folder();
    fixture(directory.path(), "three.jsonl");
    let text = std::fs::read_to_string(directory.path().join("three.jsonl")).unwrap();
    let mut lines: Vec<&str> = text.lines().collect();
    lines.insert(1, r#"{"Version": "1.1", "#);
    std::fs::write(directory.path().join("broken.jsonl"), lines.join("\n")).unwrap();
    let answer = einvoice(directory.path(), &["validate", "broken.jsonl", "--json"]);
    assert_eq!(answer.code, 1);
    let verdicts: Vec<String> = answer.objects().iter().map(|line| line["verdict"].to_string()).collect();
    assert_eq!(verdicts.iter().filter(|verdict| *verdict == "\"valid\"").count(), 2, "{}", answer.out);
}

#[test]
fn a_missing_file_is_told_and_the_others_are_checked() {
    let directory = folder();
    fixture(directory.path(), "three.jsonl");
    let answer = einvoice(directory.path(), &["validate", "missing.json", "three.jsonl"]);
    assert_eq!(answer.code, 2);
    assert!(answer.err.contains("missing.json"), "{}", answer.err);
    assert!(answer.out.contains("3 documents: 2 valid, 1 invalid, 1 file not read"), "{}", answer.out);
}

#[test]
fn a_folder_in_place_of_a_file_is_told() {
    let directory = folder();
    let answer = einvoice(directory.path(), &["validate", "."]);
    assert_eq!(answer.code, 2);
    assert!(answer.err.contains("is a folder"), "{}", answer.err);
}

#[test]
fn a_file_of_another_format_is_told_with_the_plugins_there_are() {
    let directory = folder();
    std::fs::write(directory.path().join("day.xml"), "<ENVELOPE/>").unwrap();
    let answer = einvoice(directory.path(), &["validate", "day.xml"]);
    assert_eq!(answer.code, 1);
    assert!(answer.err.contains("day.xml was read as INV-01 JSON"), "{}", answer.err);
    assert!(answer.err.contains("--plugin: ") && answer.err.contains("tally"), "{}", answer.err);
    let with = einvoice(directory.path(), &["validate", "day.xml", "--plugin", "tally"]);
    assert!(!with.err.contains("--plugin"), "{}", with.err);
}

#[test]
fn results_come_in_the_order_of_the_input() {
    let directory = folder();
    fixture(directory.path(), "three.jsonl");
    let text = std::fs::read_to_string(directory.path().join("three.jsonl")).unwrap();
    let first = text.lines().next().unwrap();
    let many: Vec<String> = (0..2_000).map(|number| first.replace("CLI/1", &format!("N/{number}"))).collect();
    std::fs::write(directory.path().join("many.jsonl"), many.join("\n")).unwrap();
    let answer = einvoice(directory.path(), &["validate", "many.jsonl", "--json"]);
    assert_eq!(answer.code, 0);
    let objects = answer.objects();
    assert_eq!(objects.len(), 2_000);
    for (number, object) in objects.iter().enumerate() {
        assert!(object["document"].as_str().unwrap().ends_with(&format!("/N/{number}")), "{object}");
    }
}

#[test]
fn provenance_shows_the_origin_of_each_value_when_asked_for() {
    let directory = folder();
    let quickstart = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/quickstart");
    std::fs::copy(quickstart.join("daybook.xml"), directory.path().join("daybook.xml")).unwrap();
    let validate =
        |more: &[&str]| einvoice(directory.path(), &[&["validate", "daybook.xml", "--plugin", "tally"], more].concat());
    let with = validate(&["--provenance", "--json"]).objects();
    let valid: Vec<_> = with.iter().filter(|line| line["verdict"] == "valid").collect();
    assert!(!valid.is_empty());
    for line in valid {
        let origins = line["provenance"].as_object().unwrap();
        assert!(origins["DocDtls.No"].as_str().unwrap().contains("VOUCHERNUMBER"), "{origins:?}");
    }
    assert!(validate(&["--json"]).objects().iter().all(|line| line.get("provenance").is_none()));
    let text = validate(&["--provenance"]).out;
    let number = text.lines().find(|line| line.trim_start().starts_with("DocDtls.No ")).unwrap();
    assert!(number.contains("  from ") && number.contains("VOUCHERNUMBER"), "{number}");
    assert!(!validate(&[]).out.contains("VOUCHERNUMBER"));
}

#[test]
fn a_plugin_that_takes_values_as_they_stand_has_no_origins_and_says_so() {
    let directory = folder();
    fixture(directory.path(), "three.jsonl");
    let answer = einvoice(directory.path(), &["validate", "three.jsonl", "--json", "--provenance"]);
    assert!(answer.objects().iter().all(|line| line["provenance"].as_object().unwrap().is_empty()));
    assert!(answer.err.contains("plugin json-file takes values as they stand"), "{}", answer.err);
}

#[test]
fn rules_are_those_of_the_day_and_of_the_configuration() {
    let directory = folder();
    fixture(directory.path(), "three.jsonl");
    let text = std::fs::read_to_string(directory.path().join("three.jsonl")).unwrap();
    // A large supplier needs codes of six digits, too.
    let mut document: serde_json::Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
    document["ItemList"][0]["HsnCd"] = "850440".into();
    std::fs::write(directory.path().join("one.json"), document.to_string()).unwrap();
    let check = |day: &str, rules: &str| {
        std::fs::write(directory.path().join("einvoice.toml"), rules).unwrap();
        einvoice(directory.path(), &["validate", "one.json", "--as-of", day, "--config", "einvoice.toml"])
    };
    let large = "[rules]\nturnover_crore = 25\n";
    assert_eq!(check("2026-12-04", large).code, 0, "29 days after the document");
    let late = check("2026-12-06", large);
    assert_eq!(late.code, 1);
    assert!(late.out.contains("2305") && late.out.contains("document.age"), "{}", late.out);
    let softened = format!(
        "{large}[[rules.severity]]\nrule = \"document.age\"\nseverity = \"warning\"\nreason = \"granted by the officer\"\n"
    );
    let softened = check("2026-12-06", &softened);
    assert_eq!(softened.code, 0, "{}", softened.out);
    assert!(softened.err.contains("granted by the officer"), "the reason is logged: {}", softened.err);
    let wrong =
        check("2026-12-06", "[[rules.severity]]\nrule = \"document.ag\"\nseverity = \"warning\"\nreason = \"x\"\n");
    assert_eq!(wrong.code, 2);
    assert!(wrong.err.contains("did you mean `document.age`?"), "{}", wrong.err);
}

#[test]
fn a_file_without_documents_is_told() {
    let directory = folder();
    std::fs::write(directory.path().join("list.json"), "[]").unwrap();
    let answer = einvoice(directory.path(), &["validate", "list.json"]);
    assert_eq!(answer.code, 0);
    assert!(answer.err.contains("nothing to check was found"), "{}", answer.err);
}

#[test]
fn a_report_in_a_folder_that_is_not_there_names_the_folder() {
    let directory = folder();
    fixture(directory.path(), "three.jsonl");
    let answer = einvoice(directory.path(), &["validate", "three.jsonl", "--output", "reports/today.csv"]);
    assert_eq!(answer.code, 2);
    assert!(answer.err.contains("there is no folder reports: make it"), "{}", answer.err);
}
