//! `run --once` and `status` against the emulator inside the program.

use std::path::Path;

use crate::{Answer, answer, command, einvoice, fixture, folder};

/// A configuration with everything in the folder, and the fixture in the inbox.
pub(crate) fn config(directory: &Path) {
    let text = r#"
        [ledger]
        plugin = "ledger-sqlite"
        path = "einvoice.db"

        [credentials]
        plugin = "sandbox"
        data = "sandbox"

        [[route]]
        name = "emulator"
        plugin = "sandbox"
        environment = "sandbox"
        data = "sandbox"

        [[source]]
        name = "billing"
        plugin = "json-file"
        path = "inbox"
        settle_ms = 0

        [[write_back]]
        name = "results"
        plugin = "json-file"

        [verify]
        keys = ["sandbox/signing-public.pem"]

        # The fixtures grow old, and these tests are run on any day.
        [rules]
        turnover_crore = 4
    "#;
    std::fs::write(directory.join("einvoice.toml"), text).unwrap();
}

pub(crate) fn registered_run(directory: &Path) -> Answer {
    config(directory);
    std::fs::create_dir_all(directory.join("inbox")).unwrap();
    fixture(directory, "three.jsonl");
    std::fs::rename(directory.join("three.jsonl"), directory.join("inbox/three.jsonl")).unwrap();
    einvoice(directory, &["run", "--once"])
}

/// One more right document in the inbox, after a run, with a change.
pub(crate) fn another(directory: &Path, change: impl Fn(String) -> String) {
    let text = std::fs::read_to_string(directory.join("inbox/needs-person/three.jsonl")).unwrap();
    let first = text.lines().next().unwrap().replace("CLI/1", "CLI/9");
    std::fs::write(directory.join("inbox/nine.json"), change(first)).unwrap();
}

/// Hides what differs from run to run: times and the acknowledgement numbers, whose order depends on
/// which of two calls was first.
fn steady(text: &str) -> String {
    let words = text.split_inclusive([' ', '\n']).map(|word| {
        let bare = word.trim_end();
        let is_date =
            bare.len() >= 10 && bare.get(4..5) == Some("-") && bare.get(..4).is_some_and(|year| year.starts_with("20"));
        let is_time = bare.len() == 8 && bare.get(2..3) == Some(":");
        let is_number = bare.len() == 15 && bare.bytes().all(|byte| byte.is_ascii_digit());
        if is_date || is_time || is_number {
            word.replace(|character: char| character.is_ascii_digit(), "9")
        } else {
            word.to_owned()
        }
    });
    // The acknowledgement is rounded to the minute, upwards too.
    words.collect::<String>().replace("cancel 24 h", "cancel 23 h")
}

#[test]
fn a_run_registers_what_is_right_and_says_what_is_not() {
    let directory = folder();
    let answer = registered_run(directory.path());
    insta::assert_snapshot!(steady(&answer.shown(directory.path())));
}

#[test]
fn status_lists_documents_and_tells_the_story_of_one() {
    let directory = folder();
    registered_run(directory.path());
    let list = einvoice(directory.path(), &["status"]);
    insta::assert_snapshot!("status_list", steady(&list.shown(directory.path())));
    let one = einvoice(directory.path(), &["status", "29AABCE1234F1Z1/2026-27/INV/CLI/2"]);
    insta::assert_snapshot!("status_of_one", steady(&one.shown(directory.path())));
}

#[test]
fn status_as_json_has_the_names_of_the_contract() {
    let directory = folder();
    registered_run(directory.path());
    let answer = einvoice(directory.path(), &["status", "--json"]);
    let names = [
        "ack_date",
        "ack_no",
        "cancel_until",
        "delivered",
        "document",
        "ewb",
        "ewb_state",
        "findings",
        "irn",
        "jobs",
        "report_until",
        "route",
        "source",
        "state",
    ];
    for object in answer.objects() {
        let mut found: Vec<&str> = object.as_object().unwrap().keys().map(String::as_str).collect();
        found.sort_unstable();
        assert_eq!(found, names);
    }
    let state = |state: &str| einvoice(directory.path(), &["status", "--json", "--state", state]).objects().len();
    assert_eq!((state("registered"), state("invalid"), state("unknown")), (2, 1, 0));
}

#[test]
fn a_second_run_sends_nothing_again() {
    let directory = folder();
    registered_run(directory.path());
    let answer = einvoice(directory.path(), &["run", "--once", "--json"]);
    let objects = answer.objects();
    let summary = &objects.last().unwrap()["summary"];
    assert_eq!((summary["read"].as_u64(), summary["registered"].as_u64()), (Some(0), Some(0)));
    assert_eq!(answer.code, 1, "one document still needs a person");
}

#[test]
fn a_run_as_json_has_a_line_a_document_and_a_summary_last() {
    let directory = folder();
    registered_run(directory.path());
    another(directory.path(), |text| text);
    let objects = einvoice(directory.path(), &["run", "--once", "--json"]).objects();
    assert_eq!(objects.len(), 2);
    assert_eq!((objects[0]["state"].as_str(), objects[0]["source"].as_str()), (Some("registered"), Some("billing")));
    assert_eq!(objects[1]["summary"]["registered"], 1);
}

#[test]
fn a_portal_that_cannot_be_reached_is_three_and_the_work_is_kept() {
    let directory = folder();
    registered_run(directory.path());
    let key = std::fs::read_to_string(directory.path().join("sandbox/auth-public.pem")).unwrap();
    std::fs::write(directory.path().join("auth.pem"), key).unwrap();
    // A port that nothing listens on: taken, then given back.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let text = std::fs::read_to_string(directory.path().join("einvoice.toml")).unwrap();
    let route = format!(
        "plugin = \"direct\"\nenvironment = \"sandbox\"\nbase_url = \"http://127.0.0.1:{port}\"\nauth_public_key_file = \"auth.pem\"\n"
    );
    let text = text.replacen(
        "plugin = \"sandbox\"\n        environment = \"sandbox\"\n        data = \"sandbox\"\n",
        &route,
        1,
    );
    let real = "plugin = \"credentials-env\"\n";
    let text = text.replacen("plugin = \"sandbox\"\n        data = \"sandbox\"\n", real, 1);
    std::fs::write(directory.path().join("direct.toml"), text).unwrap();
    another(directory.path(), |text| text);
    let mut run = command(directory.path(), &["run", "--once", "--json", "--config", "direct.toml"]);
    for name in [
        "CLIENT_ID__SANDBOX",
        "CLIENT_SECRET__SANDBOX",
        "USER__29AABCE1234F1Z1__SANDBOX",
        "PASSWORD__29AABCE1234F1Z1__SANDBOX",
    ] {
        run.env(format!("EINVOICE_{name}"), "invented");
    }
    let answer = answer(run.output().unwrap());
    assert_eq!(answer.code, 3, "{}{}", answer.out, answer.err);
    let objects = answer.objects();
    assert_eq!(objects[0]["state"], "ready");
}

#[test]
fn a_missing_inbox_is_two_and_told_once() {
    let directory = folder();
    config(directory.path());
    let answer = einvoice(directory.path(), &["run", "--once"]);
    assert_eq!(answer.code, 2, "{}{}", answer.out, answer.err);
    assert_eq!(answer.out.matches("there is no such folder or file").count(), 1, "{}", answer.out);
    assert_eq!(answer.err, "", "the report has told it");
    let answer = einvoice(directory.path(), &["run", "--once", "-v"]);
    assert!(answer.err.contains("source failed"), "{}", answer.err);
}

#[test]
fn results_may_stay_in_the_ledger() {
    let directory = folder();
    registered_run(directory.path());
    let text = std::fs::read_to_string(directory.path().join("einvoice.toml")).unwrap();
    let text = text.replacen("[[write_back]]\n        name = \"results\"\n        plugin = \"json-file\"\n", "", 1);
    assert!(!text.contains("write_back"));
    std::fs::write(directory.path().join("einvoice.toml"), text).unwrap();
    another(directory.path(), |text| text);
    let objects = einvoice(directory.path(), &["run", "--once", "--json"]).objects();
    assert_eq!(
        (objects[0]["state"].as_str(), objects[1]["summary"]["registered"].as_u64()),
        (Some("registered"), Some(1))
    );
}

#[test]
fn the_example_with_json_lines_runs_as_it_stands_and_can_be_run_again() {
    let directory = folder();
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/json-drop");
    std::fs::create_dir(directory.path().join("inbox")).unwrap();
    for name in ["einvoice.toml", "inbox/invoices.jsonl"] {
        std::fs::copy(example.join(name), directory.path().join(name)).unwrap();
    }
    // The copy is younger than the time after which a file counts as written to its end.
    let run = ["run", "--once", "--json", "--set", "source.drop.settle_ms=0"];
    let answer = einvoice(directory.path(), &run);
    assert_eq!((answer.code, answer.err.as_str()), (0, ""), "{}", answer.out);
    assert_eq!(answer.objects().last().unwrap()["summary"]["registered"], 2);
    let answers = std::fs::read_to_string(directory.path().join("out/results/invoices_R.jsonl")).unwrap();
    assert_eq!(answers.matches("IRN_GENERATED").count(), 2, "{answers}");
    let again = einvoice(directory.path(), &run);
    assert_eq!((again.code, again.objects().last().unwrap()["summary"]["registered"].as_u64()), (0, Some(0)));
}

#[cfg(unix)]
#[test]
fn without_once_a_scheduled_source_is_repeated_until_the_program_is_interrupted() {
    use std::io::{BufRead, BufReader};
    let directory = folder();
    registered_run(directory.path());
    let text = std::fs::read_to_string(directory.path().join("einvoice.toml")).unwrap();
    let text = text.replacen("settle_ms = 0", "settle_ms = 0\nschedule = \"every 1 second\"", 1);
    std::fs::write(directory.path().join("einvoice.toml"), text).unwrap();
    let mut command = command(directory.path(), &["run", "--json"]);
    let mut child = command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().unwrap();
    let mut rounds = BufReader::new(child.stdout.take().unwrap()).lines();
    for _ in 0..2 {
        assert!(rounds.next().unwrap().unwrap().contains("\"summary\""));
    }
    let interrupted = std::process::Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    assert!(interrupted.success());
    assert_eq!(child.wait().unwrap().code(), Some(1), "the invalid document of the first run still needs a person");
}

#[test]
fn what_is_sent_and_compared_with_the_signed_copy_is_the_repaired_document() {
    let directory = folder();
    config(directory.path());
    let mut text = std::fs::read_to_string(directory.path().join("einvoice.toml")).unwrap();
    text.push_str("\n[check]\nrepair = [\"text_cut\", \"characters\", \"letter_case\"]\n");
    std::fs::write(directory.path().join("einvoice.toml"), text).unwrap();
    fixture(directory.path(), "three.jsonl");
    let three = std::fs::read_to_string(directory.path().join("three.jsonl")).unwrap();
    let long = "Mill Road ".repeat(12);
    let first = three.lines().next().unwrap().replace("1 Mill Road", &long).replace("KGS", "kgs");
    let first = first.replace("Example Traders", "Example \\\"Traders\\\"").replace("29AABCE", "29aabce");
    std::fs::create_dir_all(directory.path().join("inbox")).unwrap();
    std::fs::write(directory.path().join("inbox/one.json"), first).unwrap();

    let run = einvoice(directory.path(), &["run", "--once"]);
    assert_eq!(run.code, 0, "{}{}", run.out, run.err);
    let status = einvoice(directory.path(), &["status", "--json"]).objects();
    assert_eq!(status.len(), 1);
    assert_eq!(status[0]["state"], "registered", "a difference from the signed copy would be a conflict: {status:?}");
    let findings = status[0]["findings"].to_string();
    for rule in ["repair.text_cut", "repair.characters", "repair.letter_case"] {
        assert!(findings.contains(rule), "{findings}");
    }
}
