//! Wrong input is normal input: what the program says, and which code it gives.

use crate::{command, einvoice, fixture, folder};

fn configured(text: &str, arguments: &[&str]) -> (tempfile::TempDir, crate::Answer) {
    let directory = folder();
    std::fs::write(directory.path().join("einvoice.toml"), text).unwrap();
    let answer = einvoice(directory.path(), arguments);
    (directory, answer)
}

const SOURCE: &str = "[[source]]\nplugin = \"json-file\"\npath = \"inbox\"\n";
const ROUTE: &str = "[[route]]\nplugin = \"sandbox\"\nenvironment = \"sandbox\"\n";

#[test]
fn no_arguments_show_the_help_and_are_two() {
    let directory = folder();
    let answer = einvoice(directory.path(), &[]);
    assert_eq!(answer.code, 2);
    assert!(answer.err.contains("Usage: einvoice"), "{}", answer.err);
}

#[test]
fn an_unknown_command_is_told_with_the_nearest() {
    let directory = folder();
    insta::assert_snapshot!(einvoice(directory.path(), &["valdate", "x"]).shown(directory.path()));
}

#[test]
fn a_missing_configuration_says_how_to_make_one() {
    let directory = folder();
    insta::assert_snapshot!(einvoice(directory.path(), &["run", "--once"]).shown(directory.path()));
    insta::assert_snapshot!(
        "a_missing_configuration_as_json",
        einvoice(directory.path(), &["status", "--json", "--config", "other.toml"]).shown(directory.path())
    );
}

#[test]
fn bad_toml_names_file_line_and_column() {
    let (directory, answer) = configured("[ledger]\npath = \"a.db\n", &["status"]);
    insta::assert_snapshot!(answer.shown(directory.path()));
}

#[test]
fn an_unknown_table_is_told_with_the_nearest() {
    let (directory, answer) = configured("[[sorce]]\nplugin = \"tally\"\n", &["run"]);
    insta::assert_snapshot!(answer.shown(directory.path()));
}

#[test]
fn an_unknown_key_of_a_plugin_is_told_with_the_nearest() {
    let (_directory, answer) = configured(&format!("{SOURCE}setle_ms = 3\n{ROUTE}"), &["config", "check"]);
    assert_eq!(answer.code, 2);
    for part in ["einvoice.toml", "setle_ms", "did you mean `settle_ms`?"] {
        assert!(answer.err.contains(part), "{part} is missing in {}", answer.err);
    }
}

#[test]
fn a_key_of_the_wrong_type_is_named() {
    let (_directory, answer) = configured(&format!("{SOURCE}settle_ms = \"soon\"\n{ROUTE}"), &["config", "check"]);
    assert_eq!(answer.code, 2);
    for part in ["einvoice.toml", "settle_ms"] {
        assert!(answer.err.contains(part), "{part} is missing in {}", answer.err);
    }
}

#[test]
fn an_unknown_plugin_is_told_with_the_nearest_and_all_there_are() {
    let (directory, answer) = configured(&format!("[[source]]\nplugin = \"jsn-file\"\n{ROUTE}"), &["run", "--once"]);
    insta::assert_snapshot!(answer.shown(directory.path()));
    let answer = einvoice(directory.path(), &["plugins", "sanbox"]);
    assert_eq!(answer.code, 2);
    assert!(answer.err.contains("did you mean `sandbox`?"), "{}", answer.err);
}

#[test]
fn a_configuration_without_source_or_route_is_told() {
    let (directory, answer) = configured(ROUTE, &["run", "--once"]);
    insta::assert_snapshot!(answer.shown(directory.path()));
}

#[test]
fn a_key_pattern_that_matches_nothing_is_told() {
    let text = format!("{SOURCE}{ROUTE}[verify]\nkeys = [\"keys/*.pem\"]\n");
    let (_directory, answer) = configured(&text, &["config", "check"]);
    assert_eq!(answer.code, 2);
    assert!(answer.err.contains("`keys/*.pem` matches no file"), "{}", answer.err);
}

#[cfg(unix)]
#[test]
fn an_unreadable_file_is_told() {
    let directory = folder();
    // A folder in place of a file cannot be read by anybody, whatever rights the tests run with.
    std::fs::create_dir(directory.path().join("einvoice.toml")).unwrap();
    insta::assert_snapshot!(einvoice(directory.path(), &["status"]).shown(directory.path()));
}

#[test]
fn a_configuration_that_is_no_text_is_told() {
    let directory = folder();
    std::fs::write(directory.path().join("einvoice.toml"), [0xff, 0xfe, 0x5b, 0x00]).unwrap();
    let answer = einvoice(directory.path(), &["status"]);
    assert_eq!(answer.code, 2);
    assert!(answer.err.contains("not UTF-8"), "{}", answer.err);
}

#[test]
fn a_wrong_state_is_told_with_the_nearest() {
    let (_directory, answer) = configured("", &["status", "--state", "registred"]);
    assert_eq!(answer.code, 2);
    assert!(answer.err.contains("did you mean `registered`?"), "{}", answer.err);
}

#[test]
fn a_document_that_is_not_there_is_told() {
    let (_directory, answer) = configured("", &["status", "NOSUCH/1"]);
    assert_eq!(answer.code, 2);
    assert!(answer.err.contains("there is no document `NOSUCH/1`"), "{}", answer.err);
}

#[test]
fn a_wrong_variable_is_named_without_its_value() {
    let directory = folder();
    std::fs::write(directory.path().join("einvoice.toml"), "").unwrap();
    let output = command(directory.path(), &["status"]).env("EINVOICE__ROUTE__NIC__BASE_URL", "hidden-value").output();
    let answer = crate::answer(output.unwrap());
    assert_eq!(answer.code, 2);
    assert!(answer.err.contains("EINVOICE__ROUTE__NIC__BASE_URL: there is no route `nic`"), "{}", answer.err);
    assert!(!answer.err.contains("hidden-value"));
}

#[test]
fn a_reader_that_goes_away_does_not_make_the_program_fail() {
    let directory = folder();
    fixture(directory.path(), "three.jsonl");
    let text = std::fs::read_to_string(directory.path().join("three.jsonl")).unwrap();
    std::fs::write(directory.path().join("many.jsonl"), text.repeat(2_000)).unwrap();
    let mut command = command(directory.path(), &["validate", "many.jsonl", "--json"]);
    let mut child = command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let answer = crate::answer(child.wait_with_output().unwrap());
    assert!(answer.code == 0 || answer.code == 1, "{} {}", answer.code, answer.err);
    assert!(!answer.err.contains("fault"), "{}", answer.err);
}

#[test]
fn a_wrong_command_line_is_an_object_too_where_a_program_reads() {
    let directory = folder();
    for (arguments, said) in [
        (&["status", "--bogus", "--json"][..], "unexpected argument '--bogus' found"),
        (&["cancel", "--json"], "--reason <REASON>"),
        (&["ewb", "show", "--json"], "not provided: <NUMBER>"),
    ] {
        let answer = einvoice(directory.path(), arguments);
        let error = &answer.objects()[0]["error"];
        assert_eq!((answer.code, error["exit_code"].as_i64()), (2, Some(2)), "{arguments:?}");
        let message = error["message"].as_str().unwrap();
        assert!(message.contains(said) && !message.contains("Usage") && !message.contains('\n'), "{message}");
        assert!(answer.err.contains("Usage:"), "people read it whole: {}", answer.err);
    }
    let text = einvoice(directory.path(), &["status", "--bogus"]);
    assert_eq!((text.code, text.out.as_str()), (2, ""));
}
