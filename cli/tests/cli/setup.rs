//! `init`, `config check`, `credentials`, `sandbox serve`.

use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;

use crate::once::{config, registered_run};
use crate::{answer, command, einvoice, folder};

/// An age identity made of the bytes 1 to 32: worthless, and opening a file with it takes no time.
const IDENTITY: &str = "AGE-SECRET-KEY-1QYPQXPQ9QCRSSZG2PVXQ6RS0ZQG3YYC5Z5TPWXQERGD3C8G7RUSQGPQYEE";

#[cfg(unix)]
fn private(file: &std::path::Path) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o600)).unwrap();
}

#[cfg(not(unix))]
fn private(_file: &std::path::Path) {}

#[test]
fn init_writes_a_file_that_works_and_never_overwrites_by_chance() {
    let directory = folder();
    assert_eq!(einvoice(directory.path(), &["init"]).code, 0);
    let check = einvoice(directory.path(), &["config", "check"]);
    assert_eq!(check.code, 0, "{}", check.err);
    let again = einvoice(directory.path(), &["init"]);
    assert_eq!(again.code, 2);
    assert!(again.err.contains("pass --yes to replace it"), "{}", again.err);
    assert_eq!(einvoice(directory.path(), &["init", "--yes", "--source", "tally"]).code, 0);
    let text = std::fs::read_to_string(directory.path().join("einvoice.toml")).unwrap();
    assert!(text.contains("plugin = \"tally\""), "{text}");
}

#[test]
fn a_run_right_after_init_finds_its_inbox_and_is_well() {
    for source in ["json-file", "tally"] {
        let directory = folder();
        let init = einvoice(directory.path(), &["init", "--source", source]);
        assert!(init.out.contains("made the folder inbox"), "{}", init.out);
        let run = einvoice(directory.path(), &["run", "--once"]);
        assert_eq!(run.code, 0, "{source}: {}{}", run.out, run.err);
        assert!(run.out.contains("nothing new"), "{}", run.out);
    }
}

#[test]
fn checking_a_configuration_warns_of_a_folder_that_is_not_there() {
    let directory = folder();
    config(directory.path());
    let check = einvoice(directory.path(), &["config", "check", "--json"]);
    assert_eq!(check.code, 0, "{}", check.err);
    let warning = check.objects()[0]["warnings"][0].as_str().unwrap().to_owned();
    assert!(warning.contains("[[source]] billing: there is no folder") && warning.contains("inbox"), "{warning}");
    assert!(check.err.contains(&warning), "{}", check.err);
    std::fs::create_dir(directory.path().join("inbox")).unwrap();
    let check = einvoice(directory.path(), &["config", "check"]);
    assert_eq!((check.code, check.err.as_str()), (0, ""));
}

/// Puts the credentials of a configuration into an encrypted file.
fn in_a_file(directory: &std::path::Path) {
    let text = std::fs::read_to_string(directory.join("einvoice.toml")).unwrap();
    let store = "[credentials]\n        plugin = \"credentials-file\"\n        path = \"secrets.age\"\n        identity_file = \"identity.txt\"\n";
    let text = text.replacen("[credentials]\n        plugin = \"sandbox\"\n        data = \"sandbox\"\n", store, 1);
    std::fs::write(directory.join("einvoice.toml"), text).unwrap();
    std::fs::write(directory.join("identity.txt"), IDENTITY).unwrap();
    private(&directory.join("identity.txt"));
}

/// Moments of today, as `2026-11-05 14:26`, with their digits masked.
fn without_moments(text: &str) -> String {
    const FORM: &str = "0000-00-00 00:00";
    let is_moment = |part: &str| {
        part.len() == FORM.len()
            && part
                .chars()
                .zip(FORM.chars())
                .all(|(found, form)| found == form || (form == '0' && found.is_ascii_digit()))
    };
    let mut out = text.to_owned();
    let starts: Vec<usize> = out.char_indices().map(|(at, _)| at).collect();
    for at in starts {
        if out.get(at..at + FORM.len()).is_some_and(is_moment) {
            out.replace_range(at..at + FORM.len(), FORM);
        }
    }
    out
}

#[test]
fn credentials_are_added_from_standard_input_listed_without_secrets_and_removed() {
    let directory = folder();
    config(directory.path());
    in_a_file(directory.path());
    let call = |arguments: &[&str], input: &str| {
        let mut command = command(directory.path(), arguments);
        command.stdin(Stdio::piped());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        answer(child.wait_with_output().unwrap())
    };
    let scope = ["--gstin", "29AABCE1234F1Z1", "--route", "emulator"];
    let added = call(&[&["credentials", "add", "user", "--name", "API_mills"], &scope[..]].concat(), "s3cret-pass\n");
    assert_eq!(added.code, 0, "{}", added.err);
    let client = call(&[&["credentials", "add", "client"], &scope[..]].concat(), "CLIENT01\nclient-s3cret\n");
    assert_eq!(client.code, 0, "{}", client.err);
    let listed = call(&["credentials", "list"], "");
    insta::assert_snapshot!(without_moments(&listed.shown(directory.path())));
    for shown in [&added, &client, &listed] {
        assert!(!format!("{}{}", shown.out, shown.err).contains("s3cret"));
    }
    let unsure = call(&[&["credentials", "remove", "user"], &scope[..]].concat(), "");
    assert!(unsure.err.contains("pass --yes"), "{}", unsure.err);
    let removed = call(&[&["credentials", "remove", "user", "--yes"], &scope[..]].concat(), "");
    assert_eq!(removed.code, 0, "{}", removed.err);
    let gone = call(&[&["credentials", "remove", "user", "--yes"], &scope[..]].concat(), "");
    assert_eq!(gone.code, 2, "{}", gone.err);
}

#[test]
fn listed_addresses_are_checked_kept_and_shown() {
    let directory = folder();
    config(directory.path());
    in_a_file(directory.path());
    let pair = ["--gstin", "29AABCE1234F1Z1", "--route", "emulator"];
    let add = [&["credentials", "add", "client", "--name", "CLIENT01"][..], &pair].concat();
    let added = command(directory.path(), &add).env("EINVOICE_SECRET", "client-s3cret").output().unwrap();
    assert!(added.status.success());
    let addresses =
        |more: &[&str]| einvoice(directory.path(), &[&["credentials", "addresses"][..], more, &pair].concat());
    let wrong = addresses(&["10.0.0.1", "8.8.8.0/24"]);
    assert_eq!(wrong.code, 2);
    assert!(wrong.err.contains("10.0.0.1 is private") && wrong.err.contains("8.8.8.0/24` is a range"), "{}", wrong.err);
    let five = addresses(&["8.8.8.1", "8.8.8.2", "8.8.8.3", "8.8.8.4", "8.8.8.5"]);
    assert!(five.err.contains("5 addresses: the portal lists at most 4"), "{}", five.err);
    assert_eq!(addresses(&["8.8.8.1", "8.8.8.2"]).code, 0);
    assert!(addresses(&[]).out.contains("calls come from 8.8.8.1, 8.8.8.2"), "{}", addresses(&[]).out);
    let listed = einvoice(directory.path(), &["credentials", "list", "--json"]);
    assert_eq!(listed.objects()[0]["listed_addresses"], serde_json::json!(["8.8.8.1", "8.8.8.2"]));
    assert!(addresses(&["--none"]).out.contains("no listed address"));
}

#[test]
fn a_password_that_does_not_fit_into_a_login_is_refused_when_it_is_entered() {
    let directory = folder();
    config(directory.path());
    in_a_file(directory.path());
    let add =
        ["credentials", "add", "user", "--gstin", "29AABCE1234F1Z1", "--route", "emulator", "--name", "API_mills"];
    let output = command(directory.path(), &add).env("EINVOICE_SECRET", "s3cret".repeat(10)).output().unwrap();
    let refused = answer(output);
    assert_eq!(refused.code, 2);
    assert!(
        refused.err.contains("69 bytes together and at most 66") && !refused.err.contains("s3cret"),
        "{}",
        refused.err
    );
}

#[test]
fn a_store_that_keeps_one_secret_says_that_it_cannot_rotate() {
    let directory = folder();
    config(directory.path());
    let rotate = ["credentials", "rotate", "user", "--gstin", "29AABCE1234F1Z1", "--route", "emulator"];
    let refused = einvoice(directory.path(), &rotate);
    assert_eq!(refused.code, 2);
    assert!(refused.err.contains("cannot wait beside the old"), "{}", refused.err);
}

#[test]
fn testing_credentials_logs_in() {
    let directory = folder();
    registered_run(directory.path());
    let ewb = ["credentials", "test", "--gstin", "29AABCE1234F1Z1", "--product", "e-way-bill"];
    let told = einvoice(directory.path(), &ewb);
    assert!(told.out.starts_with("logged in for 29AABCE1234F1Z1 to the e-way bill system by route"), "{}", told.err);
    let test = einvoice(directory.path(), &["credentials", "test", "--gstin", "29AABCE1234F1Z1", "--json"]);
    assert_eq!(test.code, 0, "{}", test.err);
    assert_eq!(test.objects()[0]["logged_in"], true);
    let wrong =
        einvoice(directory.path(), &["credentials", "test", "--gstin", "29AABCE1234F1Z1", "--route", "emulater"]);
    assert_eq!(wrong.code, 2);
    assert!(wrong.err.contains("did you mean `emulator`?"), "{}", wrong.err);
}

#[test]
fn a_store_that_cannot_be_written_says_so() {
    let directory = folder();
    config(directory.path());
    let answer = einvoice(
        directory.path(),
        &["credentials", "add", "user", "--gstin", "29AABCE1234F1Z1", "--route", "emulator", "--name", "x"],
    );
    assert_eq!(answer.code, 2);
    assert!(answer.err.contains("read-only"), "{}", answer.err);
}

#[cfg(unix)]
#[test]
fn the_emulator_prints_its_address_writes_connection_json_and_stops_when_interrupted() {
    const OWN: &str = "27AABCE1234F1Z5";
    let directory = folder();
    let mut serve = command(
        directory.path(),
        &["sandbox", "serve", "--listen", "127.0.0.1:0", "--data", "portal", "--json", "--gstin", OWN],
    );
    let mut child = serve.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let told: serde_json::Value = serde_json::from_str(&line).unwrap();
    let text = std::fs::read_to_string(directory.path().join("portal/connection.json")).unwrap();
    let connection: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(connection["base_url"], told["base_url"]);
    assert!(text.contains(OWN), "{text}");
    assert!(!told["address"].as_str().unwrap().ends_with(":0"), "{told}");
    std::net::TcpStream::connect(told["address"].as_str().unwrap()).unwrap();
    let interrupted = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(interrupted.success());
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn an_emulator_that_cannot_start_says_why() {
    let directory = folder();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let answer = einvoice(directory.path(), &["sandbox", "serve", "--listen", &address, "--data", "portal"]);
    assert_eq!(answer.code, 2);
    let (_, cause) = answer.err.split_once(&format!("cannot listen on {address}: ")).unwrap();
    assert!(!cause.trim().is_empty(), "the system's words are missing in {}", answer.err);
    let answer = einvoice(directory.path(), &["sandbox", "serve", "--data", "other", "--gstin", "29BAD"]);
    assert_eq!(answer.code, 2);
    assert!(answer.err.contains("29BAD"), "{}", answer.err);
}
