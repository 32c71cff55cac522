//! What `doctor` says of the parts of a configuration that need no network.

use std::path::Path;

use crate::once::config;
use crate::{einvoice, folder};

/// A running Tally as one more target. Nothing listens there.
fn with_tally(directory: &Path) {
    config(directory);
    std::fs::create_dir_all(directory.join("inbox")).unwrap();
    let file = directory.join("einvoice.toml");
    let target = r#"
        [[write_back]]
        name = "books"
        plugin = "tally"
        url = "http://127.0.0.1:9"
        company = "Deccan Valves"
    "#;
    std::fs::write(&file, std::fs::read_to_string(&file).unwrap() + target).unwrap();
}

#[test]
fn the_doctor_says_of_each_write_back_how_results_reach_the_books() {
    let directory = folder();
    with_tally(directory.path());
    let set = |key: &str, value: &str| ["--set".to_owned(), format!("write_back.books.{key}={value}")];
    let fields = ["--set", "write_back.books.user_fields.irn=EinvIrn"].map(str::to_owned);
    let chosen: [(&str, Vec<String>); 4] = [
        ("url", Vec::new()),
        ("url, fallback = \"narration\"", set("fallback", "narration").to_vec()),
        ("url, fallback = \"user_fields\"", [set("fallback", "user_fields"), fields].concat()),
        ("url, fallback = \"file\"", [set("fallback", "file"), set("fallback_folder", "results")].concat()),
    ];
    let roles = einvoice(directory.path(), &["plugins", "tally", "--json"]).objects();
    let target = roles.into_iter().find(|role| role["table"] == "write_back").unwrap();
    let doctor = |more: &[String], arguments: &[&str]| {
        let more = more.iter().map(String::as_str);
        let all: Vec<&str> = ["doctor", "--offline"].into_iter().chain(arguments.iter().copied()).chain(more).collect();
        einvoice(directory.path(), &all)
    };
    for (settings, more) in chosen {
        let way = target["ways"].as_array().unwrap().iter().find(|way| way["settings"] == settings).unwrap();
        let lines = doctor(&more, &["--json"]).objects();
        let told: Vec<_> = lines.iter().filter(|line| line["check"] == "write-back").collect();
        let [results, books] = told.as_slice() else { panic!("one line for each target: {told:?}") };
        assert_eq!((&results["outcome"], &books["outcome"]), (&"ok".into(), &"ok".into()));
        assert_eq!(results["write_back"]["name"], "results");
        let books = &books["write_back"];
        assert_eq!((&books["name"], &books["plugin"]), (&"books".into(), &"tally".into()));
        assert_eq!(books["note"], way["note"], "{settings}");
        assert_eq!(books["reads_back"], true);
        assert!(books["stores"].as_array().unwrap().contains(&"ack_no".into()));
        let text = doctor(&more, &[]).out;
        let line = text.lines().find(|line| line.contains("write-back: books (tally): ")).unwrap();
        assert!(line.contains(way["note"].as_str().unwrap()), "{line}");
    }
}

#[test]
fn a_write_back_that_cannot_be_made_fails_and_the_others_are_told() {
    let directory = folder();
    with_tally(directory.path());
    let wrong = ["doctor", "--offline", "--json", "--set", "write_back.books.fallback=user_fields"];
    let answer = einvoice(directory.path(), &wrong);
    assert_eq!(answer.code, 2);
    let lines = answer.objects();
    let told: Vec<_> = lines.iter().filter(|line| line["check"] == "write-back").collect();
    assert_eq!((told.len(), &told[0]["outcome"], &told[1]["outcome"]), (2, &"ok".into(), &"fail".into()));
    assert!(told[1]["found"].as_str().unwrap().contains("`user_fields`") && told[1].get("write_back").is_none());
    let sources = lines.iter().find(|line| line["check"] == "sources").unwrap();
    assert_eq!(sources["outcome"], "ok", "they have no fault: {sources}");
}
