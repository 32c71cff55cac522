//! The sandbox and production are kept apart: what one of them registered is not registered in the other.

use std::path::Path;

use crate::once::{another, config, registered_run};
use crate::{einvoice, folder};

/// A way to production behind the emulator. Nothing listens there, and its key is anybody's.
fn with_production(directory: &Path) {
    let file = directory.join("einvoice.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let route = r#"
        [[route]]
        name = "nic"
        plugin = "direct"
        environment = "production"
        base_url = "https://127.0.0.1:9"
        auth_public_key_file = "sandbox/auth-public.pem"
    "#;
    std::fs::write(file, text + route).unwrap();
}

#[test]
fn a_run_over_both_environments_is_refused_until_one_is_named() {
    let directory = folder();
    registered_run(directory.path());
    with_production(directory.path());
    another(directory.path(), |text| text);
    let refused = einvoice(directory.path(), &["run", "--once"]);
    assert_eq!(refused.code, 2, "{}", refused.err);
    let expected = "run.environment: route `emulator` leads to the sandbox, route `nic` to production";
    assert!(refused.err.contains(expected), "{}", refused.err);
    assert_eq!(einvoice(directory.path(), &["status", "--json", "CLI/9"]).code, 2, "it was not even read");
    let named = einvoice(directory.path(), &["run", "--once", "--environment", "sandbox"]);
    assert_eq!(named.code, 1, "{}", named.err);
    let status = einvoice(directory.path(), &["status", "--json", "CLI/9"]).objects();
    assert_eq!(status[0]["state"], "registered");
}

#[test]
fn a_ledger_of_the_sandbox_is_none_for_production() {
    let directory = folder();
    registered_run(directory.path());
    with_production(directory.path());
    let file = directory.path().join("einvoice.toml");
    let real = "plugin = \"credentials-env\"\n";
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replacen("plugin = \"sandbox\"\n        data = \"sandbox\"\n", real, 1)).unwrap();
    for arguments in [&["run", "--once"][..], &["retry"], &["resolve"]] {
        let refused = einvoice(directory.path(), &[arguments, &["--environment", "production"]].concat());
        assert_eq!(refused.code, 2, "{}", refused.err);
        assert!(refused.err.contains("einvoice.db belongs to environment sandbox"), "{}", refused.err);
        assert!(refused.err.contains("give production a ledger of its own ([ledger] path)"), "{}", refused.err);
    }
    let other = &["run", "--once", "--environment", "production", "--set", "ledger.path=production.db"];
    assert_ne!(einvoice(directory.path(), other).code, 2, "a ledger of its own will do");
}

#[test]
fn the_doctor_fails_where_environments_are_mixed_or_the_ledger_is_of_the_other() {
    let directory = folder();
    registered_run(directory.path());
    with_production(directory.path());
    let line = |arguments: &[&str], check: &str| {
        let answer = einvoice(directory.path(), &[&["doctor", "--offline", "--json"], arguments].concat());
        let found = answer.objects().into_iter().find(|line| line["check"] == check && line["outcome"] != "ok");
        found.map(|line| (line["outcome"].as_str().unwrap().to_owned(), line["found"].as_str().unwrap().to_owned()))
    };
    let (outcome, found) = line(&[], "environment").unwrap();
    assert_eq!(outcome, "fail");
    assert!(found.contains("route `emulator` leads to the sandbox"), "{found}");
    assert_eq!(line(&["--environment", "sandbox"], "environment"), None);
    assert_eq!(line(&["--environment", "sandbox"], "ledger"), None);
    let (outcome, found) = line(&["--environment", "production"], "ledger").unwrap();
    assert_eq!(outcome, "fail");
    assert!(found.contains("belongs to environment sandbox"), "{found}");
}

#[test]
fn the_doctor_leaves_the_ledger_as_it_is_and_says_where_there_is_none() {
    let directory = folder();
    config(directory.path());
    let ledger = |arguments: &[&str]| {
        let answer = einvoice(directory.path(), &[&["doctor", "--offline", "--json"], arguments].concat());
        let line = answer.objects().into_iter().find(|line| line["check"] == "ledger").unwrap();
        (line["outcome"].as_str().unwrap().to_owned(), line["found"].as_str().unwrap().to_owned())
    };
    let (outcome, found) = ledger(&[]);
    assert_eq!(outcome, "warn", "{found}");
    assert!(found.contains("einvoice.db does not exist yet"), "{found}");
    let made: Vec<String> =
        names(directory.path()).into_iter().filter(|name| name.starts_with("einvoice.db")).collect();
    assert!(made.is_empty(), "{made:?}");
    let (outcome, found) = ledger(&["--set", "ledger.path=nowhere/einvoice.db"]);
    assert_eq!(outcome, "fail");
    assert!(found.contains("its folder") && found.contains("is not there"), "{found}");
    registered_run(directory.path());
    let before = (names(directory.path()), std::fs::read(directory.path().join("einvoice.db")).unwrap());
    assert_eq!(ledger(&[]).0, "ok");
    assert_eq!((names(directory.path()), std::fs::read(directory.path().join("einvoice.db")).unwrap()), before);
}

fn names(directory: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(directory).unwrap();
    let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn the_accounts_that_the_emulator_makes_up_go_to_no_portal() {
    let directory = folder();
    registered_run(directory.path());
    let file = directory.path().join("einvoice.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let route = r#"
        [[route]]
        name = "nic"
        plugin = "direct"
        environment = "sandbox"
        base_url = "https://127.0.0.1:9"
        auth_public_key_file = "sandbox/auth-public.pem"
    "#;
    std::fs::write(file, text + route).unwrap();
    let login = ["credentials", "test", "--gstin", "29AABCE1234F1Z1", "--route"];
    let refused = einvoice(directory.path(), &[&login[..], &["nic"]].concat());
    assert_eq!(refused.code, 2, "{}", refused.err);
    assert!(refused.err.contains("which no portal knows"), "{}", refused.err);
    assert!(refused.err.contains("`einvoice onboard` puts one in its place"), "{}", refused.err);
    assert_eq!(einvoice(directory.path(), &[&login[..], &["emulator"]].concat()).code, 0);
}

#[test]
fn the_budget_of_a_client_is_that_of_all_its_users_whichever_is_looked_at() {
    let directory = folder();
    config(directory.path());
    let now = einvoice_core::clock::SystemClock::shared().now();
    let refused = |gstin: &str| {
        serde_json::json!({
            "at": now, "user": {"gstin": gstin, "product": "e_invoice", "environment": "sandbox", "route": "nic"},
            "what": {"refused": {"operation": null, "codes": ["1005"], "class": "token_expired"}},
        })
        .to_string()
    };
    let lines = ["29AABCE1234F1Z1", "27AABCE1234F1Z5", "27AABCE1234F1Z5"].map(refused).join("\n");
    std::fs::write(directory.path().join("einvoice-usage.jsonl"), lines + "\n").unwrap();
    let quota = einvoice(directory.path(), &["quota", "--json", "--gstin", "29AABCE1234F1Z1"]).objects();
    assert_eq!(quota.len(), 2, "one user, and its client: {quota:?}");
    assert_eq!(quota[0]["refused"]["last_day"], 1);
    assert_eq!((&quota[1]["users"], &quota[1]["refused"]["last_day"]), (&2.into(), &3.into()), "{quota:?}");
}
