//! `masters`: codes searched and shown, with the changes of the configuration.

use std::path::Path;

use crate::{Answer, einvoice, folder};

const DAY: [&str; 2] = ["--as-of", "2026-11-22"];

fn masters(directory: &Path, arguments: &[&str]) -> Answer {
    einvoice(directory, &[&["masters"], arguments, &DAY[..]].concat())
}

fn with_overrides(text: &str) -> tempfile::TempDir {
    let directory = folder();
    std::fs::write(directory.path().join("einvoice.toml"), "[check]\nmasters = \"masters.toml\"\n").unwrap();
    std::fs::write(directory.path().join("masters.toml"), text).unwrap();
    directory
}

#[test]
fn one_code_of_each_master_is_shown() {
    let directory = folder();
    let shown: Vec<String> = [
        ["hsn", "8471"],
        ["hsn", "521211"],
        ["hsn", "11111111"],
        ["pin", "560001"],
        ["pin", "160999"],
        ["pin", "999999"],
        ["state", "29"],
        ["state", "96"],
        ["uqc", "kgs"],
        ["port", "INMAA1"],
        ["country", "IN"],
        ["currency", "USD"],
        ["rate", "18"],
        ["rate", "12%"],
        ["rate", "0.5"],
    ]
    .iter()
    .map(|code| masters(directory.path(), &[&["show"], &code[..]].concat()).shown(directory.path()))
    .collect();
    insta::assert_snapshot!(shown.join("\n"));
}

#[test]
fn one_code_of_each_master_is_shown_as_json() {
    let directory = folder();
    let shown: String = [["hsn", "8471"], ["pin", "560001"], ["state", "29"], ["uqc", "KGS"], ["rate", "0.5"]]
        .iter()
        .map(|code| masters(directory.path(), &[&["show", "--json"], &code[..]].concat()).out)
        .collect();
    insta::assert_snapshot!(shown);
}

#[test]
fn a_search_shows_codes_of_all_masters() {
    let directory = folder();
    insta::assert_snapshot!(masters(directory.path(), &["search", "gold"]).shown(directory.path()));
    insta::assert_snapshot!(
        "a_search_by_digits",
        masters(directory.path(), &["search", "8471", "--limit", "6"]).shown(directory.path())
    );
    insta::assert_snapshot!(
        "a_search_as_json",
        masters(directory.path(), &["search", "karnataka", "--json"]).shown(directory.path())
    );
}

#[test]
fn words_need_no_quotes_and_nothing_found_is_said() {
    let directory = folder();
    let answer = masters(directory.path(), &["search", "wholesale", "trade", "--json"]);
    assert_eq!(answer.objects()[0]["code"], "9961");
    let answer = masters(directory.path(), &["search", "no such thing"]);
    assert_eq!((answer.code, answer.out.as_str()), (0, ""));
    assert!(answer.err.contains("nothing fits `no such thing`"), "{}", answer.err);
}

#[test]
fn a_text_that_is_no_code_is_two_and_a_code_that_is_not_listed_is_one() {
    let directory = folder();
    let answer = masters(directory.path(), &["show", "hsn", "84"]);
    assert_eq!(answer.code, 2);
    assert!(answer.err.contains("`84` is no hsn code: expected 4, 6 or 8 digits"), "{}", answer.err);
    let answer = masters(directory.path(), &["show", "uqc", "KILO", "--json"]);
    assert_eq!((answer.code, answer.objects()[0]["verdict"].as_str()), (1, Some("unlisted")));
    let answer = masters(directory.path(), &["show", "unit", "KGS"]);
    assert_eq!(answer.code, 2);
    assert!(answer.err.contains("uqc"), "{}", answer.err);
}

#[test]
fn a_code_that_is_not_listed_has_listed_ones_named_beside_it() {
    let directory = folder();
    for (kind, code, near) in [
        ("uqc", "KGM", vec!["KGS"]),
        ("country", "ZZ", vec!["ZA", "ZM", "ZW"]),
        ("hsn", "84719999", vec!["847190", "84719000"]),
        ("rate", "17", vec!["18", "12", "7.5"]),
        ("currency", "QAX", vec!["QAR"]),
        ("currency", "QQQ", vec![]),
    ] {
        let answer = masters(directory.path(), &["show", kind, code, "--json"]);
        let shown = answer.objects()[0]["near"].clone();
        let shown: Vec<&str> = shown.as_array().into_iter().flatten().filter_map(|code| code.as_str()).collect();
        assert_eq!(shown, near, "{kind} {code}");
    }
    let answer = masters(directory.path(), &["show", "uqc", "KGM"]);
    assert!(answer.err.contains("near: KGS;"), "{}", answer.err);
    let answer = masters(directory.path(), &["show", "pin", "999999"]);
    assert!(answer.err.contains("need not be added"), "{}", answer.err);
}

#[test]
fn whatever_the_override_file_decides_is_shown_as_its_own() {
    let directory = with_overrides(
        "[[add]]\nkind = \"pin\"\ncode = \"560999\"\nstates = [\"29\"]\nuntil = 2027-01-31\nreason = \"new office\"\n\
         [[add]]\nkind = \"hsn\"\ncode = \"84719999\"\nname = \"Quantum computers\"\nreason = \"new\"\n\
         [[add]]\nkind = \"uqc\"\ncode = \"VIA\"\nreason = \"new\"\n\
         [[remove]]\nkind = \"uqc\"\ncode = \"TBS\"\nreason = \"gone\"\n\
         [[remove]]\nkind = \"pin\"\ncode = \"560001\"\nreason = \"gone\"\n",
    );
    let show = |kind, code| masters(directory.path(), &["show", kind, code, "--json"]).objects().remove(0);
    for (kind, code) in [("pin", "560999"), ("hsn", "84719999"), ("uqc", "VIA"), ("uqc", "TBS"), ("pin", "560001")] {
        assert_eq!(show(kind, code)["override"], true, "{kind} {code}");
    }
    assert_eq!(show("pin", "560999")["remark"], "new office");
    assert_eq!(show("pin", "560999")["until"], "2027-01-31");
    assert_eq!(show("hsn", "84719999")["name"], "Quantum computers");
    assert!(show("uqc", "VIA").get("name").is_none());
    assert_eq!(show("uqc", "KGS")["override"], false);
}

#[test]
fn the_override_file_of_the_configuration_is_honoured() {
    let directory = with_overrides(
        "[[add]]\nkind = \"hsn\"\ncode = \"84719999\"\nfrom = 2026-11-01\nreason = \"added by the portal\"\n\
         [[remove]]\nkind = \"uqc\"\ncode = \"TBS\"\nfrom = 2026-11-22\nreason = \"withdrawn by the portal\"\n",
    );
    let show = |arguments: &[&str]| masters(directory.path(), &[&["show"], arguments].concat());
    insta::assert_snapshot!(show(&["hsn", "84719999"]).shown(directory.path()));
    insta::assert_snapshot!("a_withdrawn_code", show(&["uqc", "TBS"]).shown(directory.path()));
    let before = einvoice(directory.path(), &["masters", "show", "uqc", "TBS", "--as-of", "2026-11-21"]);
    assert_eq!(before.code, 0);
    let found = masters(directory.path(), &["search", "84719999", "--json"]).objects();
    assert_eq!((found.len(), found[0]["override"].as_bool()), (1, Some(true)));
}

#[test]
fn a_wrong_override_file_is_told_with_file_and_line() {
    for (text, part) in [
        ("[[add]]\nkind = \"uqc\"\ncod = \"VIA\"\n", "masters.toml:3: unknown field `cod`"),
        ("\n[[remove]]\nkind = \"uqc\"\ncode = \"VIA\"\nreason = \"x\"\n", "masters.toml:2: remove uqc VIA: it is not"),
        ("[[add]]\nkind = \"hsn\"\ncode = \"123\"\nreason = \"x\"\n", "`123` is no hsn code"),
    ] {
        let directory = with_overrides(text);
        let answer = masters(directory.path(), &["show", "uqc", "KGS"]);
        assert_eq!(answer.code, 2, "{}", answer.err);
        assert!(answer.err.contains(part), "{part} is missing in {}", answer.err);
    }
    let directory = with_overrides("");
    std::fs::remove_file(directory.path().join("masters.toml")).unwrap();
    let answer = masters(directory.path(), &["show", "uqc", "KGS"]);
    assert_eq!(answer.code, 2);
    assert!(answer.err.contains("masters.toml"), "{}", answer.err);
}

#[test]
fn whoever_looks_for_the_wrong_thing_is_shown_the_way() {
    let directory = folder();
    let told = |arguments: &[&str]| einvoice(directory.path(), arguments).err;
    for (arguments, hint) in [
        (&["masters", "show", "state", "Karnataka"][..], "masters search Karnataka --kind state"),
        (&["masters", "show", "uqc", "KGSS"], "near: KGS;"),
        (&["masters", "show", "country", "IND"], "masters search IND --kind country"),
        (&["masters", "search", "Karnataka", "--kind", "pin"], "leave --kind out"),
        (&["masters", "search", " "], "write what to look for"),
        (&["masters", "search", "zzzz"], "write less of it"),
    ] {
        assert!(told(arguments).contains(hint), "{arguments:?}: {}", told(arguments));
    }
    assert!(!told(&["masters", "show", "uqc", "QQQ"]).contains("near:"), "nothing is near");
}
