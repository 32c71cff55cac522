//! What goes wrong between us and the portal, and around us: what is said, which code is given, and that
//! the work is kept. Every story ends with a good run that registers each document once.

use std::fs;

use einvoice_core::identifier::Gstin;
use einvoice_testkit::documents::Recipe;
use serde_json::json;

use crate::assert_registered_once;
use crate::process::{Answer, Emulator, Installation};

const DOCUMENTS: u32 = 3;

/// An emulator, and an installation with a few right documents of one supplier.
fn installed() -> (Emulator, Installation) {
    let emulator = Emulator::start();
    let installation = Installation::direct(&emulator);
    let supplier = Gstin::parse(&emulator.suppliers()[0]).unwrap();
    let documents: Vec<String> = (1..=DOCUMENTS).map(|number| Recipe::numbered(number).by(supplier).json()).collect();
    installation.write("in/invoices.jsonl", &documents.join("\n"));
    (emulator, installation)
}

/// The answer has this code and says all of this.
fn assert_said(answer: &Answer, code: i32, parts: &[&str]) {
    assert_eq!(answer.code, code, "{}", answer.text);
    for part in parts {
        assert!(answer.text.contains(part), "`{part}` is missing in\n{}", answer.text);
    }
    assert!(!answer.text.contains("-wrong"), "a credential was shown:\n{}", answer.text);
}

/// Everything was received, nothing was sent, and the person is told that it is kept.
fn assert_kept(answer: &Answer, emulator: &Emulator, installation: &Installation) {
    assert!(answer.text.contains("ready 3: kept; the next run sends it"), "{}", answer.text);
    assert_eq!(installation.states().get("ready"), Some(&3));
    assert_eq!(emulator.calls("generate_irn"), 0);
}

/// What was refused is left alone, though its variable was corrected, until a person proves it; then a good run settles all.
fn assert_mended_once_proven(emulator: &Emulator, installation: &Installation) {
    let logins = emulator.calls("auth");
    let held = installation.run();
    assert_said(&held, 2, &["nothing is known to have changed since", "einvoice credentials test"]);
    assert_eq!(emulator.calls("auth"), logins, "nobody logs in with what was refused");
    let proven = installation.call(&["credentials", "test", "--gstin", &emulator.suppliers()[0]]);
    assert_eq!(proven.code, 0, "{}", proven.text);
    assert_mended(emulator, installation);
}

/// A good run settles all of it.
fn assert_mended(emulator: &Emulator, installation: &Installation) {
    let answer = installation.run();
    assert_eq!(answer.code, 0, "{}", answer.text);
    assert_registered_once(emulator, installation, 3);
}

#[test]
fn a_wrong_login_key_is_configuration_and_says_which_key_to_compare() {
    let (emulator, installation) = installed();
    // The likeliest mistake: the portal's signing key in place of its login key.
    let answer = installation.run_with(&["route.emulator.auth_public_key_file=signing.pem"]);
    let parts = ["on route emulator", "1020 Decryption failed", "compare the configured login key", "signing key"];
    assert_said(&answer, 2, &parts);
    assert_kept(&answer, &emulator, &installation);
    assert_mended(&emulator, &installation);
}

#[test]
fn a_wrong_password_is_configuration_and_says_what_to_compare() {
    let (emulator, installation) = installed();
    let installation = installation.with_wrong("EINVOICE_PASSWORD__");
    let answer = installation.run();
    let about = format!("configuration {} on route emulator", emulator.suppliers()[0]);
    assert_said(&answer, 2, &[&about, "1019 Incorrect Password", "compare the password of the API user"]);
    assert_kept(&answer, &emulator, &installation);
    assert_eq!(emulator.calls("auth"), 1, "a wrong password is tried once");
    assert_mended_once_proven(&emulator, &installation.with_right_credentials(&emulator));
}

#[test]
fn a_wrong_client_secret_is_configuration_and_says_what_to_compare() {
    let (emulator, installation) = installed();
    let installation = installation.with_wrong("EINVOICE_CLIENT_SECRET__");
    let answer = installation.run();
    assert_said(&answer, 2, &["1010 Invalid Client-ID/Client-Secret", "compare client id and secret"]);
    assert_kept(&answer, &emulator, &installation);
    assert_mended_once_proven(&emulator, &installation.with_right_credentials(&emulator));
}

#[test]
fn a_missing_password_names_the_variable_that_would_hold_it() {
    let (emulator, installation) = installed();
    let gstin = emulator.suppliers()[0].clone();
    let installation = installation.without(&format!("EINVOICE_PASSWORD__{gstin}"));
    let answer = installation.run();
    assert_said(&answer, 2, &[&gstin, "EINVOICE_PASSWORD__"]);
    assert_kept(&answer, &emulator, &installation);
    assert_mended(&emulator, &installation.with_right_credentials(&emulator));
}

#[test]
fn a_token_that_expires_during_a_run_costs_one_login() {
    let (emulator, installation) = installed();
    emulator.fault("generate_irn", &json!({"kind": "delay", "ms": 1_500}), 1);
    let run = installation.start_with(&["run.concurrency=1"]);
    emulator.wait_for_calls("generate_irn", 1);
    // The portal's day goes on while the first call waits; the token ends after an hour.
    emulator.advance_clock(3_660);
    let output = run.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    assert_registered_once(&emulator, &installation, 3);
    assert_eq!(emulator.calls("auth"), 2);
}

#[test]
fn a_portal_that_is_down_is_three_and_says_where_nobody_listens() {
    let (emulator, installation) = installed();
    // A port that nothing listens on: taken, then given back.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let answer = installation.run_with(&[&format!("route.emulator.base_url=http://127.0.0.1:{port}")]);
    let address = format!("nothing was sent to http://127.0.0.1:{port}");
    assert_said(&answer, 3, &["not reached emulator", &address, "check base_url, proxy"]);
    assert_kept(&answer, &emulator, &installation);
    assert_mended(&emulator, &installation);
}

#[test]
fn a_gateway_that_answers_a_login_with_a_page_is_three_and_the_page_is_quoted() {
    let (emulator, installation) = installed();
    emulator.fault("auth", &json!({"kind": "html", "status": 502}), 100);
    let answer = installation.run();
    assert_said(&answer, 3, &["not reached emulator", "HTTP status 502", "instead of JSON it says"]);
    assert_kept(&answer, &emulator, &installation);
    emulator.clear_faults();
    assert_mended(&emulator, &installation);
}

#[test]
fn a_page_in_place_of_a_registration_is_unknown_and_settled_by_asking() {
    let (emulator, installation) = installed();
    for operation in ["generate_irn", "get_irn_by_document"] {
        // The portal had done its work; its gateway answered something else.
        emulator.fault(operation, &json!({"kind": "html_after_commit", "status": 200}), 100);
    }
    let answer = installation.run_with(&["run.settle_patience_seconds=1"]);
    let parts = ["is unknown", "instead of JSON it says", "the portal is asked before anything is sent again"];
    assert_said(&answer, 4, &parts);
    assert_eq!(installation.states().get("unknown"), Some(&3));
    emulator.clear_faults();
    assert_mended(&emulator, &installation);
    assert_eq!(emulator.calls("generate_irn"), 3, "what the portal had was not sent again");
}

#[test]
fn half_an_answer_is_unknown_and_settled_by_asking() {
    let (emulator, installation) = installed();
    for operation in ["generate_irn", "get_irn_by_document"] {
        emulator.fault(operation, &json!({"kind": "truncated_body"}), 100);
    }
    let answer = installation.run_with(&["run.settle_patience_seconds=1"]);
    assert_said(&answer, 4, &["is unknown", "unknown 3: the next run asks the portal"]);
    emulator.clear_faults();
    assert_mended(&emulator, &installation);
}

#[test]
fn a_missing_source_folder_is_two_and_told_with_what_to_do() {
    let (emulator, installation) = installed();
    fs::rename(installation.path("in"), installation.path("moved")).unwrap();
    let answer = installation.run();
    assert_said(&answer, 2, &["failed source drop", "there is no such folder: create it, or correct the key `path`"]);
    fs::rename(installation.path("moved"), installation.path("in")).unwrap();
    assert_mended(&emulator, &installation);
}

#[test]
fn a_plugin_that_is_not_there_is_two_and_the_ledger_is_not_touched() {
    let (emulator, installation) = installed();
    let answer = installation.run_with(&["source.drop.plugin=tali"]);
    assert_said(&answer, 2, &["[source]", "there is no invoice source `tali`; did you mean `tally`?"]);
    assert!(!installation.path("einvoice.db").exists());
    assert_mended(&emulator, &installation);
}

#[test]
fn a_ledger_that_is_no_database_is_two_and_left_as_it_is() {
    let (emulator, installation) = installed();
    let text = "Dear reader, this was never a database.\n".repeat(200);
    installation.write("letter.db", &text);
    let answer = installation.run_with(&["ledger.path=letter.db"]);
    assert_said(&answer, 2, &["letter.db", "not a database"]);
    assert_eq!(fs::read_to_string(installation.path("letter.db")).unwrap(), text);
    assert_mended(&emulator, &installation);
}

/// Rights that even the superuser is bound by do not exist for files, so these tests are for others.
#[cfg(unix)]
mod rights {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;
    use std::path::Path;

    use super::{assert_mended, assert_said, installed};
    use crate::assert_registered_once;

    fn allow(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    /// Whether this process may write anywhere, as the superuser may.
    fn may_write_anywhere(folder: &Path) -> bool {
        let probe = folder.join("probe");
        fs::write(&probe, "").unwrap();
        allow(&probe, 0o400);
        let may = fs::OpenOptions::new().append(true).open(&probe).is_ok();
        fs::remove_file(probe).unwrap();
        if may {
            println!("skipped: this user may write everywhere, so nothing can be made read-only");
        }
        may
    }

    #[test]
    fn a_ledger_that_may_not_be_written_is_two_and_nothing_is_sent() {
        let (emulator, installation) = installed();
        let ledger = installation.path("einvoice.db");
        if may_write_anywhere(&installation.path("")) {
            return;
        }
        let answer = installation.run_with(&["route.emulator.base_url=http://127.0.0.1:9"]);
        assert_eq!(answer.code, 3, "{}", answer.text);
        allow(&ledger, 0o400);
        let answer = installation.run();
        assert_said(&answer, 2, &["einvoice.db", "read"]);
        assert_eq!(emulator.calls("auth"), 0);
        allow(&ledger, 0o600);
        assert_mended(&emulator, &installation);
    }

    #[test]
    fn results_that_cannot_be_written_are_kept_and_written_by_a_later_run() {
        let (emulator, installation) = installed();
        if may_write_anywhere(&installation.path("")) {
            return;
        }
        allow(&installation.path("in"), 0o500);
        let answer = installation.run();
        assert_said(&answer, 1, &["failed write-back answers"]);
        assert_registered_once(&emulator, &installation, 3);
        allow(&installation.path("in"), 0o700);
        assert_mended(&emulator, &installation);
        assert!(installation.path("in/invoices_R.jsonl").exists());
    }
}

/// A file in the place of a folder cannot be written into by anybody, the superuser included.
#[test]
fn results_without_a_place_are_kept_and_written_by_a_later_run() {
    let (emulator, installation) = installed();
    installation.write("blocked", "a file, not a folder");
    let answer = installation.run_with(&["write_back.answers.folder=blocked"]);
    assert_said(&answer, 1, &["failed write-back answers", "blocked"]);
    assert_registered_once(&emulator, &installation, 3);
    assert!(installation.status().iter().all(|line| line["delivered"] == false));
    fs::remove_file(installation.path("blocked")).unwrap();
    let answer = installation.run_with(&["write_back.answers.folder=blocked"]);
    assert_eq!(answer.code, 0, "{}", answer.text);
    assert!(installation.status().iter().all(|line| line["delivered"] == true));
    assert!(installation.path("blocked/invoices_R.jsonl").exists());
    assert_eq!(emulator.calls("generate_irn"), 3, "nothing was sent again for it");
}
