//! A credential store that cannot be opened, or is gone: work is kept, the code says whether time mends it (3) or
//! somebody must (2), and the message says who. Every story ends with a good run that registers each document once.

use std::fs;

use einvoice_core::identifier::Gstin;
use einvoice_testkit::documents::Recipe;
use serde_json::json;

use crate::assert_registered_once;
use crate::process::{Emulator, Installation};

fn installed(emulator: &Emulator) -> Installation {
    let installation = Installation::direct(emulator);
    let supplier = Gstin::parse(&emulator.suppliers()[0]).unwrap();
    let documents: Vec<String> = (1..=3).map(|number| Recipe::numbered(number).by(supplier).json()).collect();
    installation.write("in/invoices.jsonl", &documents.join("\n"));
    installation
}

/// A port that nothing listens on: taken, then given back.
fn silent_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn private(installation: &Installation, name: &str, text: &str) {
    installation.write(name, text);
    #[cfg(unix)]
    fs::set_permissions(installation.path(name), std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
}

/// A run with this store keeps the work and says so; one with the right store mends it.
fn kept(table: &str, prepare: impl FnOnce(&Installation), code: i32, parts: &[&str]) {
    let emulator = Emulator::start();
    let installation = installed(&emulator).over_store(table);
    prepare(&installation);
    let answer = installation.run();
    assert_eq!(answer.code, code, "{}", answer.text);
    for part in parts {
        assert!(answer.text.contains(part), "`{part}` is missing in\n{}", answer.text);
    }
    assert_eq!(installation.states().get("ready"), Some(&3), "{}", answer.text);
    assert_eq!(emulator.calls("auth") + emulator.calls("generate_irn"), 0, "{}", answer.text);
    let mended = installation.over_environment(table).with_right_credentials(&emulator);
    let answer = mended.run();
    assert_eq!(answer.code, 0, "{}", answer.text);
    assert_registered_once(&emulator, &mended, 3);
}

#[test]
fn a_vault_that_is_down_is_three() {
    let address = format!("http://127.0.0.1:{}", silent_port());
    let table =
        format!("[credentials]\nplugin = \"credentials-vault\"\naddress = \"{address}\"\ntoken_file = \"token\"\n");
    let told = format!("Vault at {address} cannot be reached");
    kept(
        &table,
        |installation| private(installation, "token", "hvs.token"),
        3,
        &[&told, "kept; the next run sends it"],
    );
}

#[test]
fn a_database_that_is_down_is_three() {
    let port = silent_port();
    let table = format!(
        "[credentials]\nplugin = \"credentials-database\"\nurl = \"postgres://einvoice@127.0.0.1:{port}/books\"\n\
         master_key_file = \"key\"\nanswer_seconds = 1\n"
    );
    let key = "AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA=";
    let parts = ["credential tables of books on 127.0.0.1 cannot be reached", "kept; the next run sends it"];
    kept(&table, |installation| private(installation, "key", key), 3, &parts);
}

#[test]
fn a_vault_without_a_token_is_two_and_says_where_one_would_be() {
    let table = "[credentials]\nplugin = \"credentials-vault\"\naddress = \"http://127.0.0.1:9\"\n\
                 token_env = \"EINVOICE_TEST_NO_TOKEN\"\n";
    kept(table, |_| {}, 2, &["set the variable EINVOICE_TEST_NO_TOKEN", "kept; the next run sends it"]);
}

#[test]
fn a_file_that_is_not_there_is_two_and_names_the_command_that_makes_it() {
    let table = "[credentials]\nplugin = \"credentials-file\"\npath = \"gone.json\"\n";
    kept(table, |_| {}, 2, &["gone.json, which does not exist yet", "einvoice credentials add", "kept; the next run"]);
}

/// An installation whose credentials lie in an encrypted file.
fn with_a_file(emulator: &Emulator) -> Installation {
    let table = "[credentials]\nplugin = \"credentials-file\"\npath = \"credentials.json\"\n\
                 passphrase_file = \"passphrase\"\nwork_factor = 14\n";
    let installation = installed(emulator).over_store(table);
    private(&installation, "passphrase", "correct horse battery");
    let gstin = emulator.suppliers()[0].clone();
    let users = emulator.connection()["users"].as_array().unwrap();
    let user = users.iter().find(|user| user["gstin"] == gstin.as_str()).unwrap();
    for (kind, name, secret) in [("client", "client_id", "client_secret"), ("user", "username", "password")] {
        let mut command = installation.command(&["credentials", "add", kind, "--gstin", &gstin, "--route", "emulator"]);
        let (name, secret) = (user[name].as_str().unwrap(), user[secret].as_str().unwrap());
        let output = command.args(["--name", name]).env("EINVOICE_SECRET", secret).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    installation
}

#[test]
fn a_file_that_is_deleted_while_a_run_works_does_not_stop_it() {
    let emulator = Emulator::start();
    let installation = with_a_file(&emulator);
    emulator.fault("generate_irn", &json!({"kind": "delay", "ms": 1_500}), 1);
    let run = installation.start_with(&["run.concurrency=1"]);
    emulator.wait_for_calls("generate_irn", 1);
    fs::remove_file(installation.path("credentials.json")).unwrap();
    let output = run.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    assert_registered_once(&emulator, &installation, 3);
}

#[test]
fn a_second_process_uses_the_token_of_the_first() {
    let emulator = Emulator::start();
    let installation = with_a_file(&emulator);
    assert_eq!(installation.run().code, 0);
    let supplier = Gstin::parse(&emulator.suppliers()[0]).unwrap();
    installation.write("in/more.jsonl", &Recipe::numbered(4).by(supplier).json());
    let answer = installation.run();
    assert_eq!(answer.code, 0, "{}", answer.text);
    assert_registered_once(&emulator, &installation, 4);
    assert_eq!(emulator.calls("auth"), 1, "the second process logged in once more");
}
