//! Sandbox and production are kept apart from the first question on, and the emulator's invented accounts go nowhere else.

use std::fs;

use einvoice_testkit::documents::gstin;
use serde_json::Value;

use crate::desk::{Desk, VARIABLES};
use crate::process::Emulator;
use crate::terminal::Terminal;

/// A taxpayer of the emulator's own, with answers about it in a file for each environment.
fn with_answers() -> (Emulator, Desk, Vec<(&'static str, String)>) {
    let supplier = gstin(29, 44);
    let emulator = Emulator::start_for(&[supplier.as_str()]);
    let desk = Desk::new(&emulator);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let users = emulator.connection()["users"].as_array().unwrap().clone();
    let user = users.iter().find(|user| user["gstin"] == supplier.as_str()).unwrap();
    for environment in ["sandbox", "production"] {
        let answers = format!(
            r#"
pan = "{}"
gstins = ["{supplier}"]
way = "direct"
environment = "{environment}"
base_url = "{}"
login_key_file = "keys/login.pem"
signing_keys = ["keys/signing.pem"]
addresses = ["117.200.1.10"]
application = "accepted"
[client]
id = "{}"
secret = {{ env = "TEST_CLIENT_SECRET" }}
[[user]]
gstin = "{supplier}"
name = "{}"
password = {{ env = "TEST_PASSWORD" }}
"#,
            supplier.pan().unwrap(),
            text(&emulator.connection()["base_url"]),
            text(&user["client_id"]),
            text(&user["username"]),
        );
        fs::write(desk.path().join(format!("{environment}.toml")), answers).unwrap();
    }
    let secrets =
        vec![("TEST_CLIENT_SECRET", text(&user["client_secret"])), ("TEST_PASSWORD", text(&user["password"]))];
    (emulator, desk, secrets)
}

#[test]
fn a_configuration_made_for_the_emulator_makes_room_for_a_real_portal() {
    let (emulator, desk, secrets) = with_answers();
    assert_eq!(desk.call(&["init"]).0, 0);
    let before = fs::read_to_string(desk.path().join("einvoice.toml")).unwrap();
    assert_eq!(before.matches("plugin = \"sandbox\"").count(), 2);
    let (code, text) = desk.call_with(&["onboard", "--answers", "sandbox.toml"], &secrets);
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("logged in"), "{text}");
    assert_eq!(emulator.calls("auth"), 1, "with the real credentials, and once");
    let after = fs::read_to_string(desk.path().join("einvoice.toml")).unwrap();
    assert!(!after.contains("\"sandbox\"\ndata") && !after.contains("sandbox/signing-public.pem"), "{after}");
    assert!(after.contains("plugin = \"credentials-file\"") && after.contains("keys/signing.pem"), "{after}");
    assert!(after.contains("# Where invoices come from."), "what a person reads there stays: {after}");
    let (code, text) = desk.call(&["config", "check"]);
    assert_eq!(code, 0, "{text}");
}

#[test]
fn production_beside_the_sandbox_gets_a_configuration_and_a_ledger_of_its_own() {
    let (_emulator, desk, secrets) = with_answers();
    let supplier = gstin(29, 44);
    let (code, text) = desk.call_with(&["onboard", "--answers", "sandbox.toml"], &secrets);
    assert_eq!(code, 0, "{text}");
    let before = fs::read_to_string(desk.path().join("einvoice.toml")).unwrap();

    // A file of answers is told where to go.
    let (code, text) = desk.call_with(&["onboard", "--restart", "--answers", "production.toml"], &secrets);
    assert_eq!(code, 2, "{text}");
    assert!(text.contains("--config einvoice-production.toml"), "{text}");

    // A person is asked.
    let mut person = Terminal::start(desk.path(), &["onboard", "--restart"], &VARIABLES);
    person.answer("PAN: ", &supplier.pan().unwrap().to_string());
    person.answer("GSTINs: ", supplier.as_str());
    person.answer("Way: ", "direct");
    person.answer("Environment: ", "production");
    person.answer("Configuration for production [einvoice-production.toml]: ", "einvoice.toml");
    person.expect("leads to sandbox, too");
    person.answer("Configuration for production [einvoice-production.toml]: ", "");
    person.expect("einvoice-production.onboarding.json");
    person.expect("Address of the portal: ");
    person.control(b'd');
    let (code, shown) = person.end();
    assert_eq!(code, Some(1), "{shown}");

    let config = ["--config", "einvoice-production.toml"];
    let (code, text) = desk.call_with(&[&["onboard", "--answers", "production.toml"][..], &config].concat(), &secrets);
    assert_eq!(code, 0, "{text}");
    let own = fs::read_to_string(desk.path().join("einvoice-production.toml")).unwrap();
    assert!(own.contains("path = \"einvoice-production.db\"") && !own.contains("\"sandbox\""), "{own}");
    assert_eq!(fs::read_to_string(desk.path().join("einvoice.toml")).unwrap(), before, "the other one stays as it was");
    let (code, text) = desk.call(&[&["doctor", "--offline"][..], &config].concat());
    assert_eq!(code, 0, "{text}");
}
