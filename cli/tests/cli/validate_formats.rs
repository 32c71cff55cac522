//! `validate --format` and `--output`: what is passed on to people and spreadsheets.

use std::fs;
use std::path::Path;

use crate::{einvoice, fixture, folder};

const AS_OF: [&str; 2] = ["--as-of", "2026-11-22"];

/// The page without what every page has alike: the style sheet and its hash.
fn without_style(page: &str) -> String {
    let (before, rest) = page.split_once("<style>").unwrap();
    let (_, after) = rest.split_once("</style>").unwrap();
    let (start, rest) = before.split_once("sha256-").unwrap();
    let (_, end) = rest.split_once('\'').unwrap();
    let version = format!("einvoice {}", env!("CARGO_PKG_VERSION"));
    format!("{start}sha256-[hash]'{end}<style>[style]</style>{after}").replace(&version, "einvoice [version]")
}

#[test]
fn csv_has_a_line_for_each_finding_and_one_for_a_document_without() {
    let directory = folder();
    fixture(directory.path(), "three.jsonl");
    let arguments = [&["validate", "three.jsonl", "--format", "csv"], &AS_OF[..]].concat();
    let answer = einvoice(directory.path(), &arguments);
    insta::assert_snapshot!(answer.shown(directory.path()).replace("\r\n", "<CRLF>\n").replace('\u{feff}', "<BOM>"));
}

#[test]
fn html_is_one_page_with_counts_rules_and_documents() {
    let directory = folder();
    fixture(directory.path(), "three.jsonl");
    let arguments = [&["validate", "three.jsonl", "missing.json", "--format", "html"], &AS_OF[..]].concat();
    let answer = einvoice(directory.path(), &arguments);
    assert_eq!(answer.code, 2, "{}", answer.err);
    insta::assert_snapshot!(without_style(&answer.out));
    assert!(answer.err.ends_with("3 documents: 2 valid, 1 invalid, 1 file not read\n"), "{}", answer.err);
}

#[test]
fn json_is_the_same_under_both_names() {
    let directory = folder();
    fixture(directory.path(), "three.jsonl");
    let short = einvoice(directory.path(), &["validate", "three.jsonl", "missing.json", "--json"]);
    let long = einvoice(directory.path(), &["validate", "three.jsonl", "missing.json", "--format", "json"]);
    assert_eq!((short.code, &short.out, &short.err), (long.code, &long.out, &long.err));
    let both = einvoice(directory.path(), &["validate", "three.jsonl", "--json", "--format", "csv"]);
    assert_eq!(both.code, 2);
    assert!(both.err.contains("--json is short for --format json"), "{}", both.err);
}

#[test]
fn every_form_can_go_to_a_file_and_says_so_on_standard_error() {
    let directory = folder();
    fixture(directory.path(), "three.jsonl");
    for format in ["text", "json", "html", "csv"] {
        let to_file = ["validate", "three.jsonl", "--format", format, "--output", "report"];
        let answer = einvoice(directory.path(), &to_file);
        assert_eq!((answer.code, answer.out.as_str()), (1, ""), "{}", answer.err);
        assert_eq!(answer.err, "3 documents: 2 valid, 1 invalid; see report\n");
        let direct = einvoice(directory.path(), &to_file[..4]);
        assert_eq!(fs::read_to_string(directory.path().join("report")).unwrap(), direct.out);
    }
}

#[test]
fn the_invoices_are_never_written_over_by_their_report() {
    let directory = folder();
    fixture(directory.path(), "three.jsonl");
    let before = fs::read(directory.path().join("three.jsonl")).unwrap();
    let answer = einvoice(directory.path(), &["validate", "three.jsonl", "--output", "./three.jsonl"]);
    assert_eq!(answer.code, 2);
    assert!(answer.err.contains("is also a file to check"), "{}", answer.err);
    assert_eq!(fs::read(directory.path().join("three.jsonl")).unwrap(), before);
}

#[test]
fn a_file_that_cannot_be_read_has_its_line_in_a_csv() {
    let directory = folder();
    let answer = einvoice(directory.path(), &["validate", "missing.json", "--format", "csv"]);
    assert_eq!(answer.code, 2);
    let line = answer.out.lines().nth(1).unwrap();
    assert!(line.starts_with("missing.json,,,unreadable,,,error,,,,cannot read missing.json"), "{line}");
}

#[test]
fn origins_are_not_asked_of_forms_that_do_not_show_them() {
    let directory = folder();
    fixture(directory.path(), "three.jsonl");
    let answer = einvoice(directory.path(), &["validate", "three.jsonl", "--provenance", "--format", "html"]);
    assert_eq!(answer.code, 2);
    assert!(answer.err.contains("--provenance is shown by"), "{}", answer.err);
}

#[test]
fn a_day_book_becomes_a_page_with_the_places_in_its_vouchers() {
    let directory = folder();
    let day_book = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/quickstart/daybook.xml");
    fs::copy(day_book, directory.path().join("daybook.xml")).unwrap();
    let arguments = [&["validate", "daybook.xml", "--plugin", "tally", "--format", "html"], &AS_OF[..]].concat();
    let page = einvoice(directory.path(), &arguments).out;
    assert!(page.contains("not to be registered</dt><dd class=\"\">2</dd>"), "{page}");
    assert!(page.contains("<dt>in</dt><dd>V/PARTYGSTIN</dd>"), "{page}");
}
