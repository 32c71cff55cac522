//! What counts as a proof of credentials through providers whose login asks nobody who knows them, and what is sent no more.

use std::fs;

use serde_json::Value;

use crate::process::{Answer, Emulator, Installation};

/// An installation through one provider whose right credentials lie in an encrypted file.
struct Desk {
    emulator: Emulator,
    installation: Installation,
    provider: &'static str,
    user: Value,
}

impl Desk {
    fn new(provider: &'static str) -> Self {
        let desk = Self::empty(provider);
        let told = desk.told();
        let answer = desk.client(&["add", "client"], &told["client_id"], &told["client_secret"]);
        assert_eq!(answer.code, 0, "{}", answer.text);
        let added = desk.secret(&["add", "user", "--name", desk.text("username")], desk.text("password"));
        assert_eq!(added.code, 0, "{}", added.text);
        desk
    }

    fn empty(provider: &'static str) -> Self {
        let emulator = Emulator::start_with_providers(&[provider]);
        let table = "[credentials]\nplugin = \"credentials-file\"\npath = \"credentials.json\"\n\
                     passphrase_file = \"passphrase\"\nwork_factor = 14\n";
        let installation = Installation::through_providers(&emulator).over_store(table);
        installation.write("passphrase", "correct horse battery");
        #[cfg(unix)]
        fs::set_permissions(installation.path("passphrase"), std::os::unix::fs::PermissionsExt::from_mode(0o600))
            .unwrap();
        let gstin = emulator.suppliers()[0].clone();
        let users = emulator.connection()["users"].as_array().unwrap();
        let user = users.iter().find(|user| user["gstin"] == gstin.as_str()).unwrap().clone();
        Self { emulator, installation, provider, user }
    }

    fn text(&self, name: &str) -> &str {
        self.user[name].as_str().unwrap()
    }

    fn told(&self) -> Value {
        self.emulator.connection()["gsp"][0].clone()
    }

    fn secret(&self, words: &[&str], secret: &str) -> Answer {
        let all = [&["credentials"], words, &["--gstin", self.text("gstin"), "--route", self.provider]].concat();
        let output = self.installation.command(&all).env("EINVOICE_SECRET", secret).output().unwrap();
        let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(!text.contains(secret), "the secret was shown:\n{text}");
        Answer { code: output.status.code().unwrap(), text }
    }

    fn client(&self, words: &[&str], id: &Value, secret: &Value) -> Answer {
        let account = format!("gsp-{}", self.provider);
        let id = id.as_str().unwrap();
        self.secret(&[words, &["--account", &account, "--name", id]].concat(), secret.as_str().unwrap())
    }

    fn test(&self) -> Answer {
        let arguments = ["credentials", "test", "--gstin", self.text("gstin"), "--set", "quota.protect=always"];
        self.installation.call(&arguments)
    }
}

fn is_forgotten(answer: &Answer) {
    assert_ne!(answer.code, 0, "{}", answer.text);
    assert!(answer.text.contains("was refused and is forgotten; the old one stays in use"), "{}", answer.text);
}

#[test]
fn a_mistyped_password_is_not_taken_into_use_where_no_login_carries_it() {
    for provider in ["adaequare", "vayana"] {
        let desk = Desk::new(provider);
        is_forgotten(&desk.secret(&["rotate", "user"], "a-mistyped-password"));
        let answer = desk.secret(&["rotate", "user"], desk.text("password"));
        assert_eq!(answer.code, 0, "{}", answer.text);
        assert!(answer.text.contains("accepted with a read and is in use"), "{}", answer.text);
        let answer = desk.test();
        assert_eq!(answer.code, 0, "{}", answer.text);
        assert!(answer.text.contains("accepted for"), "{}", answer.text);
    }
}

#[test]
fn a_mistyped_client_secret_is_not_taken_into_use_where_nobody_is_logged_in_to() {
    for provider in ["gstzen", "cleartax", "cleartax-government"] {
        let desk = Desk::new(provider);
        let told = desk.told();
        is_forgotten(&desk.client(&["rotate", "client"], &told["client_id"], &Value::from("a-mistyped-secret")));
        assert_eq!(desk.test().code, 0);
    }
}

#[test]
fn a_kept_token_of_the_account_does_not_stand_in_for_a_new_client_pair() {
    let desk = Desk::new("iris");
    assert_eq!(desk.test().code, 0);
    let told = desk.told();
    is_forgotten(&desk.client(&["rotate", "client"], &told["client_id"], &Value::from("a-mistyped-secret")));
    let answer = desk.client(&["rotate", "client"], &told["client_id"], &told["client_secret"]);
    assert_eq!(answer.code, 0, "{}", answer.text);
}

#[test]
fn processes_that_log_in_to_nobody_or_share_the_accounts_token_are_not_held_back() {
    // The budget is five logins: the second provider's token has to be taken from the store.
    for provider in ["gstzen", "iris"] {
        let desk = Desk::new(provider);
        let irn = "ab".repeat(32);
        let ask = [
            "lookup",
            "irn",
            &irn,
            "--gstin",
            desk.text("gstin"),
            "--route",
            provider,
            "--set",
            "quota.protect=always",
        ];
        for _ in 0..7 {
            let answer = desk.installation.call(&ask);
            assert_eq!(answer.code, 1, "{provider}: {}", answer.text);
            assert!(!answer.text.contains("held back") && !answer.text.contains("credentials add"), "{}", answer.text);
        }
    }
}

#[test]
fn a_pair_for_each_system_is_stored_where_a_login_finds_it() {
    let desk = Desk::empty("mastergst");
    let told = desk.told();
    let answer = desk.client(&["add", "client"], &told["client_id"], &told["client_secret"]);
    assert_eq!(answer.code, 2, "{}", answer.text);
    assert!(answer.text.contains("pass --product"), "{}", answer.text);
    let words = ["add", "client", "--product", "e-invoice"];
    assert_eq!(desk.client(&words, &told["client_id"], &told["client_secret"]).code, 0);
    let addresses = ["credentials", "addresses", "--account", "gsp-mastergst", "--route", "mastergst", "49.206.1.7"];
    assert_eq!(desk.installation.call(&addresses).code, 2);
    let answer = desk.installation.call(&[&addresses[..], &["--product", "e-invoice"]].concat());
    assert_eq!(answer.code, 0, "{}", answer.text);
}
