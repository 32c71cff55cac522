//! One API user and one token for both government systems, where the portal takes them and the route says so.

use std::fs;

use serde_json::{Value, json};

use crate::desk::{Desk, answered};
use crate::process::Emulator;

/// The emulator with what its two systems take of each other's.
fn sharing(emulator: &Emulator, what: &str) {
    let mut settings = emulator.control("GET", "/sandbox/settings", "");
    settings["registration"]["shared_with_ewb"] = json!(what);
    emulator.control("PUT", "/sandbox/settings", &settings.to_string());
}

#[test]
fn the_token_of_the_e_invoice_system_serves_the_e_way_bill_system_where_both_sides_say_so() {
    let emulator = Emulator::start();
    sharing(&emulator, "tokens");
    let desk = Desk::new(&emulator);
    let variables = answered(&desk, &emulator);
    let (code, text) = desk.call_with(&["onboard", "--answers", "answers.toml"], &variables);
    assert_eq!(code, 0, "{text}");

    let ewb = &emulator.connection()["ewb"];
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    fs::write(desk.path().join("keys/ewb.pem"), text(&ewb["auth_public_key"])).unwrap();
    let config = desk.path().join("einvoice.toml");
    let shared = format!(
        "e_way_bill_login = \"same_token\"\newb = {{ base_url = \"{}\", auth_public_key_file = \"keys/ewb.pem\" }}\nbase_url = ",
        text(&ewb["base_url"])
    );
    let written = fs::read_to_string(&config).unwrap().replacen("base_url = ", &shared, 1);
    fs::write(&config, written).unwrap();
    let gstin = text(&emulator.connection()["users"][0]["gstin"]);
    let ask = || desk.call(&["lookup", "gstin", &gstin, "--from-ewb", "--gstin", &gstin]);

    // The login of the interview is enough.
    let (code, shown) = ask();
    assert_eq!(code, 0, "{shown}");
    assert_eq!((emulator.calls("auth"), emulator.calls("ewb_auth")), (1, 0));

    // Its end is seen in the e-way bill system first: the user logs in where it is at home.
    emulator.control("POST", "/sandbox/clock", &json!({"advance_seconds": 2 * 3600}).to_string());
    let (code, shown) = ask();
    assert_eq!(code, 0, "{shown}");
    assert_eq!((emulator.calls("auth"), emulator.calls("ewb_auth")), (2, 0));

    // A portal that does not take it says so, and nobody logs in over and over.
    sharing(&emulator, "nothing");
    let (code, shown) = ask();
    assert_ne!(code, 0, "{shown}");
    assert!(shown.contains("238"), "{shown}");
    assert!(emulator.calls("auth") <= 3 && emulator.calls("ewb_auth") == 0, "{shown}");
}
