//! `onboard test-report` against the emulator inside the program: all cases, and a run that is killed.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use calamine::{Data, Reader, Xlsx, open_workbook};
use serde_json::Value;

use crate::{Answer, command, einvoice, folder};

const GSTIN: &str = "29AABCE1234F1Z1";

fn config(directory: &Path, environment: &str) {
    let text = format!(
        "[credentials]\nplugin = \"sandbox\"\ndata = \"sandbox\"\n\n[[route]]\nname = \"emulator\"\n\
         plugin = \"sandbox\"\nenvironment = \"{environment}\"\ndata = \"sandbox\"\n"
    );
    std::fs::write(directory.join("einvoice.toml"), text).unwrap();
}

fn report(directory: &Path, more: &[&str]) -> Answer {
    let arguments = [&["onboard", "test-report", "--gstin", GSTIN, "--json"], more].concat();
    einvoice(directory, &arguments)
}

/// The lines of the state by case: what was sent, and what came of it.
fn state(directory: &Path) -> (Vec<String>, BTreeMap<String, Value>) {
    let text = std::fs::read_to_string(directory.join("onboard/test-report.jsonl")).unwrap();
    // A run that was killed may have left half a line.
    let whole = &text[..=text.rfind('\n').unwrap()];
    let (mut sent, mut done) = (Vec::new(), BTreeMap::new());
    for line in whole.lines().skip(1) {
        let line: Value = serde_json::from_str(line).unwrap();
        if let Some(case) = line["sending"]["case"].as_str() {
            sent.push(case.to_owned());
        } else {
            let case = line["done"]["case"].as_str().unwrap().to_owned();
            assert!(done.insert(case, line["done"].clone()).is_none(), "a case has two results: {line}");
        }
    }
    (sent, done)
}

/// Every secret that the emulator gave out, from its journal.
fn secrets(directory: &Path) -> Vec<String> {
    fn collect(value: &Value, secrets: &mut Vec<String>) {
        match value {
            Value::Object(members) => {
                for (name, value) in members {
                    let secret =
                        ["client_id", "client_secret", "username", "password", "token"].contains(&name.as_str());
                    match value.as_str() {
                        Some(text) if secret => secrets.push(text.to_owned()),
                        _ => collect(value, secrets),
                    }
                }
            }
            Value::Array(entries) => entries.iter().for_each(|entry| collect(entry, secrets)),
            _ => {}
        }
    }
    let journal = std::fs::read_to_string(directory.join("sandbox/journal.jsonl")).unwrap();
    let mut secrets = Vec::new();
    journal.lines().for_each(|line| collect(&serde_json::from_str(line).unwrap(), &mut secrets));
    secrets
}

/// A sheet as rows of text.
fn sheet(book: &mut Xlsx<std::io::BufReader<std::fs::File>>, name: &str) -> Vec<Vec<String>> {
    let range = book.worksheet_range(name).unwrap();
    range.rows().map(|row| row.iter().map(Data::to_string).collect()).collect()
}

#[test]
fn the_emulator_answers_every_case_as_expected_and_the_evidence_shows_it() {
    let directory = folder();
    let at = directory.path();
    config(at, "sandbox");
    let answer = report(at, &[]);
    assert_eq!(answer.code, 0, "{}{}", answer.out, answer.err);
    let objects = answer.objects();
    let (end, apis) = objects.split_last().unwrap();
    assert_eq!(apis.len(), 10);
    for api in apis {
        let count = |name: &str| api["counts"][name].as_u64().unwrap();
        assert!(count("succeeded") >= 55 && count("failed_as_expected") >= 50, "{api}");
        assert_eq!((count("different"), count("not_run"), &api["enough"]), (0, 0, &Value::Bool(true)), "{api}");
        assert!(count("distinct_codes") >= if api["api"] == "generate" { 65 } else { 8 }, "{api}");
    }
    assert_eq!((&end["stopped"], &end["different"]), (&Value::Null, &Value::from(0)), "{end}");

    let mut book: Xlsx<_> = open_workbook(at.join("onboard/test-report.xlsx")).unwrap();
    let names = book.sheet_names();
    assert_eq!((names.len(), names[0].as_str(), names[4].as_str()), (11, "Summary", "Generate IRN"));
    let summary = sheet(&mut book, "Summary");
    let generate = summary.iter().find(|row| row[0] == "Generate IRN").unwrap();
    let counted = |name: &str| apis.iter().find(|api| api["api"] == "generate").unwrap()["counts"][name].to_string();
    assert_eq!(
        generate[1..],
        [
            counted("succeeded"),
            counted("failed_as_expected"),
            counted("distinct_codes"),
            "0".into(),
            "0".into(),
            "0".into(),
            "yes".into()
        ]
    );
    let (_, done) = state(at);
    let rows = sheet(&mut book, "Generate IRN");
    let of_generate = done.keys().filter(|case| case.starts_with("IRN-")).count();
    assert_eq!(rows.len(), of_generate + 1);
    let row = rows.iter().find(|row| row[0] == "IRN-Y001").unwrap();
    assert_eq!(
        (row[4].as_str(), row[5].as_str(), &Value::from(row[7].as_str())),
        ("success", "as expected", &done["IRN-Y001"]["irn"])
    );

    let html = std::fs::read_to_string(at.join("onboard/test-report.html")).unwrap();
    assert!(html.contains("IRN-Y001") && html.contains(&row[7]), "the page lacks a case");
    let mark = format!("IRN={}/{}", counted("succeeded"), counted("failed_as_expected"));
    let coverage = html.split("<meta name=\"einvoice-coverage\" content=\"").nth(1).unwrap().split('"').next().unwrap();
    assert!(coverage.split(',').count() == 10 && coverage.split(',').any(|part| part == mark), "{coverage}");
    assert!(html.contains("A REHEARSAL"), "evidence of the emulator says so");
    let secrets = secrets(at);
    assert!(secrets.len() >= 5, "the journal names the account");
    let jsonl = std::fs::read_to_string(at.join("onboard/test-report.jsonl")).unwrap();
    let cells: String = names.iter().flat_map(|name| sheet(&mut book, name)).flatten().collect();
    for secret in secrets {
        for (what, text) in [
            ("page", &html),
            ("state", &jsonl),
            ("workbook", &cells),
            ("output", &answer.out),
            ("remarks", &answer.err),
        ] {
            assert!(!text.contains(&secret), "the {what} shows a secret");
        }
    }
}

#[test]
fn the_e_way_bill_system_answers_every_case_of_its_own_as_expected() {
    let directory = folder();
    let at = directory.path();
    config(at, "sandbox");
    let answer = report(at, &["--e-way-bill"]);
    assert_eq!(answer.code, 0, "{}{}", answer.out, answer.err);
    let objects = answer.objects();
    let (_, apis) = objects.split_last().unwrap();
    assert_eq!(apis.len(), 4);
    // A later call with other APIs keeps what is there.
    let later = report(at, &["--only", "rejected"]);
    assert_eq!(later.code, 0, "{}{}", later.out, later.err);
    assert_eq!(later.objects().len(), 6);
    let mut book: Xlsx<_> = open_workbook(at.join("onboard/test-report.xlsx")).unwrap();
    assert!(sheet(&mut book, "E-way bill CANEWB").len() > 100);
    for api in apis {
        let count = |name: &str| api["counts"][name].as_u64().unwrap();
        assert!(count("succeeded") >= 50 && count("failed_as_expected") >= 50, "{api}");
        assert_eq!((count("different"), count("not_run")), (0, 0), "{api}");
    }
}

#[test]
fn help_of_the_test_report_lists_its_arguments() {
    let directory = folder();
    let answer = einvoice(directory.path(), &["onboard", "test-report", "-h"]);
    insta::assert_snapshot!("help_of_test_report", answer.shown(directory.path()));
}

#[test]
fn a_run_that_is_killed_goes_on_and_registers_nothing_twice() {
    let directory = folder();
    let at = directory.path();
    config(at, "sandbox");
    let file = at.join("onboard/test-report.jsonl");
    let mut running = command(at, &["onboard", "test-report", "--gstin", GSTIN, "--only", "cancel"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let begun = Instant::now();
    while std::fs::read_to_string(&file).map_or(0, |text| text.lines().count()) < 40 {
        assert!(begun.elapsed() < Duration::from_mins(2), "the run does not get ahead");
        assert!(running.try_wait().unwrap().is_none(), "the run was over before it could be killed");
        std::thread::sleep(Duration::from_millis(5));
    }
    running.kill().unwrap();
    running.wait().unwrap();
    let (_, before) = state(at);
    assert!(before.len() >= 15, "{}", before.len());

    let answer = report(at, &["--only", "cancel"]);
    assert_eq!(answer.code, 0, "{}{}", answer.out, answer.err);
    assert!(answer.err.contains("going on with run"), "{}", answer.err);
    let (sent, after) = state(at);
    for (case, evidence) in &before {
        assert_eq!(after.get(case), Some(evidence), "what was done is done again");
        assert_eq!(sent.iter().filter(|sent| *sent == case).count(), 1, "{case} was sent again");
    }
    let cancelled = after.keys().filter(|case| case.starts_with("CANCEL-Y")).count();
    assert!(cancelled >= 50, "{cancelled}");
    // Each document stands once in the portal's books.
    let journal = std::fs::read_to_string(at.join("sandbox/journal.jsonl")).unwrap();
    let irns: Vec<&str> = after.values().filter_map(|evidence| evidence["kept"]["object"].as_str()).collect();
    assert!(irns.len() >= cancelled);
    for irn in irns {
        let registered = journal.lines().filter(|line| line.contains("\"registered\"") && line.contains(irn)).count();
        assert_eq!(registered, 1, "{irn}");
    }
}

#[test]
fn what_was_carried_out_before_a_crash_counts_once_it_is_sent_again() {
    let directory = folder();
    let at = directory.path();
    config(at, "sandbox");
    assert_eq!(report(at, &["--only", "cancel"]).code, 0);
    // As if the crash had come between the portal's answer and the line that remembers it.
    let file = at.join("onboard/test-report.jsonl");
    let text = std::fs::read_to_string(&file).unwrap();
    let (_, first) = state(at);
    let registered = first.keys().find(|case| case.starts_with("IRN-Y")).unwrap().as_str();
    let lost = [registered, "CANCEL-Y007"];
    let is_lost = |line: &str| {
        let line: Value = serde_json::from_str(line).unwrap();
        lost.iter().any(|case| line["done"]["case"] == **case)
    };
    let kept: String = text.split_inclusive('\n').filter(|line| !is_lost(line)).collect();
    std::fs::write(&file, kept).unwrap();
    let (_, before) = state(at);
    assert!(lost.iter().all(|case| !before.contains_key(*case)));
    let answer = report(at, &["--only", "cancel"]);
    assert_eq!(answer.code, 0, "{}{}", answer.out, answer.err);
    let (_, after) = state(at);
    for (case, code) in [(registered, "2150"), ("CANCEL-Y007", "9999")] {
        let evidence = &after[case];
        assert_eq!(
            (&evidence["codes"][0], &evidence["as_expected"]),
            (&Value::from(code), &Value::Bool(true)),
            "{evidence}"
        );
        assert!(evidence["note"].as_str().unwrap().contains("interrupted"), "{evidence}");
    }
    assert_eq!(after[registered]["irn"], first[registered]["irn"]);
}

#[test]
fn neither_production_nor_another_run_s_file_nor_a_stranger_is_touched() {
    let directory = folder();
    let at = directory.path();
    config(at, "production");
    let answer = report(at, &[]);
    assert_eq!(answer.code, 2);
    assert!(answer.err.contains("production"), "{}", answer.err);
    assert!(!at.join("onboard").exists(), "nothing is written for a refused run");

    config(at, "sandbox");
    let asked = einvoice(at, &["onboard", "test-report", "--only", "rejected"]);
    assert_eq!((asked.code, asked.err.contains("--gstin")), (2, true), "{}", asked.err);
    assert_eq!(report(at, &["--only", "rejected"]).code, 0);
    let other = einvoice(at, &["onboard", "test-report", "--gstin", "27AABCE1234F1Z5", "--only", "rejected"]);
    assert_eq!((other.code, other.err.contains(GSTIN)), (2, true), "{}", other.err);
    let anew = report(at, &["--only", "rejected", "--restart"]);
    assert_eq!(anew.code, 0, "{}", anew.err);
    let files = std::fs::read_dir(at.join("onboard")).unwrap();
    let old = files.filter(|file| file.as_ref().unwrap().file_name().to_string_lossy().contains("before")).count();
    assert_eq!(old, 1, "what the earlier run left is kept");
}

#[test]
fn a_buyer_to_whom_nothing_can_go_is_refused_before_anything_is_written() {
    let directory = folder();
    let at = directory.path();
    config(at, "sandbox");
    for (flag, gstin, said) in [
        ("--buyer", GSTIN, "is the taxpayer whose account is used"),
        ("--sez-buyer", GSTIN, "is the taxpayer whose account is used"),
        ("--inactive-buyer", GSTIN, "is the taxpayer whose account is used"),
        ("--buyer", "29AABCM5678K1ZU", "is of the supplier's own state 29"),
    ] {
        let answer = report(at, &["--only", "cancel", flag, gstin]);
        let told = answer.err.replace('\n', " ");
        assert_eq!((answer.code, told.contains(flag), told.contains(said)), (2, true, true), "{}", answer.err);
        assert!(!at.join("onboard").exists(), "nothing is written for a refused run");
    }
    // Without a document no state matters.
    let answer = report(at, &["--only", "rejected", "--buyer", "29AABCM5678K1ZU"]);
    assert_eq!(answer.code, 0, "{}", answer.err);
}

#[test]
fn the_cases_are_listed_without_a_configuration() {
    let directory = folder();
    let answer = einvoice(directory.path(), &["onboard", "test-report", "--list", "--json"]);
    assert_eq!(answer.code, 0, "{}", answer.err);
    let objects = answer.objects();
    assert!(objects.len() >= 1_000);
    let yes = objects.iter().filter(|case| case["api"] == "generate" && case["succeeds"] == true).count();
    assert!(yes >= 50);
    let shown = einvoice(directory.path(), &["onboard", "test-report", "--list", "--only", "get-ewb"]);
    assert!(
        shown.out.starts_with("Get e-way bill by IRN (--only get-ewb): 55 cases that should succeed"),
        "{}",
        shown.out
    );
}
