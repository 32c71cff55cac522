//! `credentials rotate` against a portal: the old secret is in use until the new one has logged in, whatever happens.

use std::fs;

use einvoice_core::identifier::Gstin;
use einvoice_testkit::documents::Recipe;
use serde_json::{Value, json};

use crate::process::{Answer, Emulator, Installation};

/// An installation whose credentials lie in an encrypted file, and the arguments that name its taxpayer.
struct Desk {
    emulator: Emulator,
    installation: Installation,
    user: Value,
}

impl Desk {
    fn new() -> Self {
        let emulator = Emulator::start();
        let table = "[credentials]\nplugin = \"credentials-file\"\npath = \"credentials.json\"\n\
                     passphrase_file = \"passphrase\"\nwork_factor = 14\n";
        let installation = Installation::direct(&emulator).over_store(table);
        installation.write("passphrase", "correct horse battery");
        #[cfg(unix)]
        fs::set_permissions(installation.path("passphrase"), std::os::unix::fs::PermissionsExt::from_mode(0o600))
            .unwrap();
        let gstin = emulator.suppliers()[0].clone();
        let users = emulator.connection()["users"].as_array().unwrap();
        let user = users.iter().find(|user| user["gstin"] == gstin.as_str()).unwrap().clone();
        let desk = Self { emulator, installation, user };
        for (kind, name, secret) in [("client", "client_id", "client_secret"), ("user", "username", "password")] {
            let answer = desk.secret(&["add", kind, "--name", desk.text(name)], desk.text(secret));
            assert_eq!(answer.code, 0, "{}", answer.text);
        }
        desk
    }

    fn text(&self, name: &str) -> &str {
        self.user[name].as_str().unwrap()
    }

    /// A command about the taxpayer's entries, with a secret in the environment.
    fn secret(&self, words: &[&str], secret: &str) -> Answer {
        let all = [&["credentials"], words, &["--gstin", self.text("gstin"), "--route", "emulator"]].concat();
        let output = self.installation.command(&all).env("EINVOICE_SECRET", secret).output().unwrap();
        let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(!text.contains(secret) || secret.is_empty(), "the secret was shown:\n{text}");
        Answer { code: output.status.code().unwrap(), text }
    }

    /// What `credentials list` tells of the client pair or the API user.
    fn facts(&self, kind: &str) -> Value {
        let lines = self.installation.objects(&["credentials", "list", "--json"]);
        lines.into_iter().find(|line| line["scope"].get(kind).is_some()).unwrap()
    }

    /// A login with what is in use.
    fn logs_in(&self) -> bool {
        self.installation.call(&["credentials", "test", "--gstin", self.text("gstin")]).code == 0
    }
}

#[test]
fn a_secret_that_logs_in_is_in_use_afterwards() {
    let desk = Desk::new();
    for (kind, secret) in [("user", "password"), ("client", "client_secret")] {
        // In use is a wrong one; the one that rotates in is right.
        let name = if kind == "user" { "username" } else { "client_id" };
        let answer = desk.secret(&["add", kind, "--name", desk.text(name)], "an-outdated-secret");
        assert_eq!(answer.code, 0, "{}", answer.text);
        assert!(!desk.logs_in(), "an outdated {secret} was accepted");
        let answer = desk.secret(&["rotate", kind], desk.text(secret));
        assert_eq!(answer.code, 0, "{}", answer.text);
        assert!(answer.text.contains("the new secret has logged in and is in use"), "{}", answer.text);
        let facts = desk.facts(kind);
        assert!(facts["rotated_at"].is_string() && facts["pending_since"].is_null(), "{facts}");
        assert!(facts["last_success"].is_string(), "{facts}");
        assert!(desk.logs_in());
    }
    assert_eq!(desk.facts("user")["mode"], "direct");
    assert_eq!(desk.facts("user")["last_failure"]["code"], "1019");
}

#[test]
fn a_refused_secret_is_forgotten_and_the_old_one_stays() {
    let desk = Desk::new();
    for (kind, code) in [("user", "1019"), ("client", "1010")] {
        let answer = desk.secret(&["rotate", kind], "a-wrong-new-secret");
        assert_eq!(answer.code, 2, "{}", answer.text);
        assert!(answer.text.contains("was refused and is forgotten; the old one stays in use"), "{}", answer.text);
        assert!(answer.text.contains(code), "{}", answer.text);
        assert!(desk.facts(kind)["pending_since"].is_null());
        assert!(desk.logs_in(), "the old {kind} is no longer in use");
        let answer = desk.secret(&["rotate", kind, "--resume"], "");
        assert_eq!(answer.code, 2, "{}", answer.text);
        assert!(answer.text.contains("no new secret waits"), "{}", answer.text);
    }
}

#[test]
fn a_refusal_of_the_client_pair_says_nothing_of_a_new_password() {
    let desk = Desk::new();
    let answer = desk.secret(&["add", "client", "--name", desk.text("client_id")], "an-outdated-secret");
    assert_eq!(answer.code, 0, "{}", answer.text);
    let answer = desk.secret(&["rotate", "user"], desk.text("password"));
    assert_eq!(answer.code, 2, "{}", answer.text);
    assert!(answer.text.contains("1010") && answer.text.contains("the new one waits"), "{}", answer.text);
    let answer = desk.secret(&["rotate", "client"], desk.text("client_secret"));
    assert_eq!(answer.code, 0, "{}", answer.text);
    let answer = desk.secret(&["rotate", "user", "--resume"], "");
    assert_eq!(answer.code, 0, "{}", answer.text);
}

#[test]
fn a_secret_that_could_not_be_tried_waits_and_is_tried_again() {
    let desk = Desk::new();
    desk.emulator.fault("auth", &json!({"kind": "html", "status": 502}), 1);
    let answer = desk.secret(&["rotate", "user"], desk.text("password"));
    assert_eq!(answer.code, 3, "{}", answer.text);
    assert!(answer.text.contains("the old one stays in use and the new one waits"), "{}", answer.text);
    assert!(desk.facts("user")["pending_since"].is_string());
    assert!(desk.logs_in());
    let answer = desk.secret(&["rotate", "user", "--resume"], "");
    assert_eq!(answer.code, 0, "{}", answer.text);
    assert!(desk.facts("user")["pending_since"].is_null());
}

#[test]
fn a_rotation_that_was_killed_leaves_a_store_that_works() {
    let desk = Desk::new();
    desk.emulator.fault("auth", &json!({"kind": "delay", "ms": 60_000}), 1);
    let words = ["credentials", "rotate", "user", "--gstin", desk.text("gstin"), "--route", "emulator"];
    let before = desk.emulator.calls("auth");
    let mut rotation = desk.installation.command(&words).env("EINVOICE_SECRET", "a-wrong-new-secret").spawn().unwrap();
    desk.emulator.wait_for_calls("auth", before + 1);
    rotation.kill().unwrap();
    rotation.wait().unwrap();
    assert!(desk.facts("user")["pending_since"].is_string(), "what was kept before the login is lost");
    assert!(desk.logs_in(), "the old password is no longer in use");
    let answer = desk.secret(&["rotate", "user", "--forget"], "");
    assert_eq!(answer.code, 0, "{}", answer.text);
    assert!(desk.facts("user")["pending_since"].is_null() && desk.logs_in());
}

#[test]
fn a_run_leaves_behind_when_it_was_refused_and_when_it_logged_in() {
    let desk = Desk::new();
    let supplier = Gstin::parse(desk.text("gstin")).unwrap();
    desk.installation.write("in/invoices.jsonl", &Recipe::numbered(1).by(supplier).json());
    let answer = desk.secret(&["add", "user", "--name", desk.text("username")], "an-outdated-secret");
    assert_eq!(answer.code, 0, "{}", answer.text);
    assert_eq!(desk.installation.run().code, 2);
    assert_eq!(desk.facts("user")["last_failure"]["code"], "1019");
    assert!(desk.facts("client")["last_failure"].is_null(), "the client pair was not what was refused");
    let answer = desk.secret(&["add", "user", "--name", desk.text("username")], desk.text("password"));
    assert_eq!(answer.code, 0, "{}", answer.text);
    assert_eq!(desk.installation.run().code, 0);
    assert!(desk.facts("user")["last_success"].is_string() && desk.facts("client")["last_success"].is_string());
}
