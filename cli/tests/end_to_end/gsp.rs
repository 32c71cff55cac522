//! Through providers: two processes, a route copied out of `connection.json`, and the providers' own faults.

use std::fs;

use einvoice_core::identifier::Gstin;
use einvoice_testkit::documents::Recipe;
use serde_json::json;

use crate::process::{Emulator, Installation};

/// An emulator with these providers before it, and an installation that goes through all of them in this order.
fn installed(providers: &[&str], documents: u32) -> (Emulator, Installation) {
    let emulator = Emulator::start_with_providers(providers);
    let installation = Installation::through_providers(&emulator);
    let supplier = Gstin::parse(&emulator.suppliers()[0]).unwrap();
    let documents: Vec<String> = (1..=documents).map(|number| Recipe::numbered(number).by(supplier).json()).collect();
    installation.write("in/invoices.jsonl", &documents.join("\n"));
    (emulator, installation)
}

#[test]
fn a_route_copied_from_connection_json_registers_through_each_kind_of_provider() {
    // Calls that carry everything, a login with a pair for each system, the portal's own protocol, a stored user.
    for provider in ["adaequare", "mastergst", "taxpro-pass-through", "iris"] {
        let (emulator, installation) = installed(&[provider], 2);
        let answer = installation.run();
        assert_eq!(answer.code, 0, "{provider}: {}", answer.text);
        assert_eq!(installation.states().get("registered"), Some(&2), "{provider}");
        assert!(installation.status().iter().all(|line| line["route"] == provider), "{provider}");
        assert_eq!(emulator.books().len(), 2);
    }
}

#[test]
fn a_provider_whose_credits_are_gone_is_told_and_the_next_way_carries_on() {
    let (emulator, installation) = installed(&["taxpro", "adaequare"], 2);
    emulator.provider_fault("taxpro", &json!({"says": "quota"}), 50);
    let answer = installation.run();
    assert!(answer.text.contains("used up its credits: buy more there"), "{}", answer.text);
    assert_eq!(installation.states().get("registered"), Some(&2), "{}", answer.text);
    assert!(installation.status().iter().all(|line| line["route"] == "adaequare"), "{:?}", installation.status());
    for secret in emulator.secrets() {
        assert!(!answer.text.contains(&secret), "{secret} is shown:\n{}", answer.text);
    }
}

#[test]
fn what_is_left_of_an_account_is_asked_where_the_profile_says_how() {
    let (_emulator, installation) = installed(&["taxpro", "adaequare"], 1);
    let answer = installation.call(&["gsp", "balance", "--route", "taxpro"]);
    assert_eq!((answer.code, answer.text.as_str()), (0, "4711 calls left on route taxpro\n"));
    let answer = installation.call(&["gsp", "balance", "--route", "adaequare"]);
    assert_eq!(answer.code, 2);
    assert!(answer.text.contains("`limits.balance`"), "{}", answer.text);
}

#[test]
fn a_recording_in_which_no_login_worked_is_no_success() {
    let (emulator, installation) = installed(&["adaequare"], 1);
    let supplier = emulator.suppliers()[0].clone();
    let arguments = ["gsp", "record", "--route", "adaequare", "--gstin", &supplier, "--output", "session.jsonl"];
    let answer = installation.with_wrong("EINVOICE_CLIENT_SECRET__PROVIDER").call(&arguments);
    assert_eq!(answer.code, 2, "{}", answer.text);
    assert!(answer.text.contains("session.jsonl"), "what the provider answered is kept: {}", answer.text);
}

#[test]
fn a_recording_of_a_session_holds_no_secret_and_is_understood_again() {
    let (emulator, installation) = installed(&["adaequare"], 1);
    installation.write("bill.json", &Recipe::numbered(7).by(Gstin::parse(&emulator.suppliers()[0]).unwrap()).json());
    let supplier = emulator.suppliers()[0].clone();
    let arguments = ["gsp", "record", "--route", "adaequare", "--gstin", &supplier, "--output", "session.jsonl"];
    let answer = installation.call(&[&arguments[..], &["--register", "bill.json"]].concat());
    assert_eq!(answer.code, 0, "{}", answer.text);
    let text = fs::read_to_string(installation.path("session.jsonl")).unwrap();
    assert!(text.lines().count() > 5, "{text}");
    for secret in emulator.secrets().iter().chain([&supplier]) {
        assert!(!text.contains(secret.as_str()), "{secret} stands in\n{text}");
        assert!(secret == &supplier || !answer.text.contains(secret.as_str()), "{secret} is shown:\n{}", answer.text);
    }
    assert_eq!(installation.call(&arguments).code, 2, "a recording is never written over");
    let answer = installation.call(&["gsp", "replay", "session.jsonl"]);
    assert_eq!(answer.code, 0, "{}", answer.text);
    assert!(answer.text.contains("0 understood otherwise by profile adaequare"), "{}", answer.text);
    // Another provider's profile understands little of it.
    let answer = installation.call(&["gsp", "replay", "session.jsonl", "--profile", "mastergst"]);
    assert_eq!(answer.code, 1, "{}", answer.text);
    assert!(answer.text.contains("look at"), "{}", answer.text);
}
