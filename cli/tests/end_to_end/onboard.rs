//! From nothing to the first IRN, as a person does it: `einvoice onboard` at a terminal, the portal's pages in a browser.
//!
//! The emulator knows no account, no client, no listed address and no user when it begins. Everything that the terminal
//! is told was read in the browser before, or in the SMS.

use std::fs;

use einvoice_testkit::documents::gstin;
use serde_json::Value;

use crate::browser::{Browser, PASSWORD, decide};
use crate::desk::{Desk, LISTED, answered};
use crate::process::{Emulator, Installation};

#[test]
fn direct_from_nothing_over_a_fifth_address_and_a_returned_report_to_the_first_irn() {
    let emulator = Emulator::start_with(&["--empty"]);
    let base_url = emulator.connection()["base_url"].as_str().unwrap().to_owned();
    let supplier = gstin(29, 41);
    let pan = supplier.pan().unwrap().to_string();
    let desk = Desk::new(&emulator);
    let browser = Browser::sign_up(&emulator, &pan);

    // Wrong entries are told at once, with what to do, and asked for again.
    let mut person = desk.onboard();
    person.answer("PAN: ", "not a pan");
    person.expect("five letters");
    person.answer("PAN: ", &pan.to_lowercase());
    person.answer("GSTINs: ", gstin(29, 42).as_str());
    person.expect("does not hold the PAN");
    person.answer("GSTINs: ", supplier.as_str());
    person.answer("Way: ", "direct");
    person.answer("Environment: ", "production");
    person.answer("Address of the portal: ", "http://portal.example");
    person.expect("in the clear");
    person.answer("Address of the portal: ", &base_url);
    person.expect("Key file for logins");
    // Ctrl-C at any question keeps what was answered.
    person.control(b'c');
    assert_eq!(person.end().0, Some(130));

    let mut person = desk.onboard();
    person.expect("Going on with the answers");
    person.answer("Key file for logins: ", "keys/none.pem");
    person.expect("cannot be read");
    person.answer("Key file for logins: ", "keys/login.pem");
    person.expect("RSA public key of 2048 bits");
    person.answer("e-way bill system by itself [no]: ", "");
    person.answer("Name of this route [nic]: ", "");
    person.answer("Public addresses: ", "10.1.2.3");
    person.expect("private");
    person.answer("Public addresses: ", "117.200.1.10 117.200.1.11 117.200.1.12 117.200.1.13 117.200.1.14");
    person.expect("at most 4");
    person.answer("Public addresses: ", LISTED);
    person.answer("It is [open]: ", "");
    let (code, text) = person.end();
    assert_eq!(code, Some(1), "{text}");
    assert_eq!((desk.state_of("tests"), desk.state_of("client")), ("you".to_owned(), "later".to_owned()));

    // The portal refuses five addresses as well, and takes the application with one.
    let five: Vec<String> = (10..15).map(|last| format!("117.200.1.{last}")).collect();
    let (status, refusal) = browser.apply(&five.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(status, 400, "{refusal}");
    let (status, listing) = browser.apply(&[LISTED]);
    assert!(status < 300, "{listing}");
    let mut person = desk.onboard();
    person.answer("It is [open]: ", "applied");
    assert_eq!(person.end().0, Some(1));
    assert_eq!(desk.state_of("application"), "portal");

    // It comes back, is mended and sent again.
    decide(&emulator, &listing, Some("cancel: 12 failing cases, 50 are wanted"));
    let mut person = desk.onboard();
    person.answer("It is [open]: ", "returned");
    person.answer("The reason: ", "cancel: 12 failing cases, 50 are wanted");
    let (code, text) = person.end();
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("test-report"), "{text}");
    let (status, listing) = browser.apply(&[LISTED]);
    assert!(status < 300, "{listing}");
    decide(&emulator, &listing, None);

    // The pair comes by SMS; the API user is made on the portal.
    let (client_id, client_secret) = browser.client_pair();
    browser.make_user(supplier.as_str(), "lake_api", PASSWORD, None);
    let mut person = desk.onboard();
    person.expect("It was returned: cancel: 12 failing cases");
    person.answer("It is [open]: ", "accepted");
    person.answer("Files of signing keys [none]: ", "keys/login.pem");
    person.expect("is the key for logins");
    person.answer("Files of signing keys [none]: ", "keys/signing.pem");
    person.answer("Credential store [credentials-file]: ", "");
    person.answer("Source [json-file]: ", "");
    person.expect("Wrote einvoice.toml");
    person.answer("Client id (Ctrl-D: not here yet): ", &client_id);
    person.answer_hidden("Client secret (not shown; empty: not here yet): ", &client_secret);
    person.answer("user name (Ctrl-D: not there yet): ", "lake_api");
    person.answer_hidden("password (not shown): ", &"x".repeat(70));
    person.expect("at most 66 fit");
    person.answer("user name (Ctrl-D: not there yet): ", "lake_api");
    person.answer_hidden("password (not shown): ", PASSWORD);
    person.expect("logged in");
    person.expect("Everything is in place.");
    let (code, text) = person.end();
    assert_eq!(code, Some(0), "{text}");
    assert!(text.lines().all(|line| line.trim_end_matches('\r').chars().count() <= 80), "{text}");
    desk.keeps(&[&client_secret, PASSWORD], &text);

    desk.register_one(&emulator, supplier);
    // The page that tells the address is the emulator's own here.
    let probe = format!("doctor.address_probe={base_url}/portal/my-address");
    let (code, text) = desk.call(&["doctor", "--set", &probe]);
    assert_eq!(code, 0, "{text}");
    assert!(text.contains(&format!("ok    public address: {LISTED}, which is listed")), "{text}");
}

#[test]
fn through_a_gsp_from_nothing_to_the_first_irn() {
    let emulator = Emulator::start_with(&["--empty", "--gsp", "adaequare"]);
    let provider = emulator.connection()["gsp"][0].clone();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let supplier = gstin(29, 43);
    let pan = supplier.pan().unwrap().to_string();
    let desk = Desk::new(&emulator);
    let browser = Browser::sign_up(&emulator, &pan);
    browser.make_user(supplier.as_str(), "lake_gsp", PASSWORD, Some("adaequare"));

    let mut person = desk.onboard();
    person.answer("PAN: ", &pan);
    person.answer("GSTINs: ", supplier.as_str());
    person.answer("Way: ", "2");
    person.answer("Environment: ", "production");
    person.answer("Provider: ", "adaeqare");
    person.expect("adaequare");
    person.answer("Provider: ", "adaequare");
    person.answer("Account [our-adaequare]: ", "");
    for (name, value) in provider["settings"].as_object().unwrap() {
        person.answer(&format!("{name}: "), &text(value));
    }
    person.answer("Use other addresses than those [no]: ", "yes");
    person.answer("Address of the provider: ", &text(&provider["hosts"]["common"]));
    person.answer("Its address for e-invoices", &text(&provider["hosts"]["irp"]));
    person.answer("Its address for e-way bills", &text(&provider["hosts"]["ewb"]));
    person.answer("e-way bill system by itself [no]: ", "");
    person.answer("Name of this route [adaequare]: ", "");
    person.expect(": ");
    person.control(b'd');
    let (code, shown) = person.end();
    assert_eq!(code, Some(1), "{shown}");

    let mut person = desk.onboard();
    if shown.contains("Public addresses: ") {
        person.answer("Public addresses: ", "none");
    }
    person.answer("Files of signing keys [none]: ", "keys/*.pem");
    person.expect("Credential store");
    person.say("");
    person.answer("Source [json-file]: ", "");
    person.answer("Client id (Ctrl-D: not here yet): ", &text(&provider["client_id"]));
    person.answer_hidden("Client secret (not shown; empty: not here yet): ", &text(&provider["client_secret"]));
    person.answer("user name (Ctrl-D: not there yet): ", "lake_gsp");
    person.answer_hidden("password (not shown): ", PASSWORD);
    person.expect("Everything is in place.");
    let (code, shown) = person.end();
    assert_eq!(code, Some(0), "{shown}");
    desk.keeps(&[&text(&provider["client_secret"]), PASSWORD], &shown);
    desk.register_one(&emulator, supplier);
}

#[test]
fn answers_from_a_file_lead_to_a_login_and_the_doctor_finds_nothing_wrong() {
    let emulator = Emulator::start();
    let desk = Desk::new(&emulator);
    let variables = answered(&desk, &emulator);
    let call = |arguments: &[&str]| desk.call_with(arguments, &variables);

    let (code, text) = call(&["onboard", "--answers", "answers.toml"]);
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("logged in") && text.contains("Everything is in place."), "{text}");
    assert_eq!(emulator.calls("auth"), 1);

    // A second time there is nothing to ask and nothing to do; the session is kept for the doctor, too.
    let (code, text) = call(&["onboard", "--answers", "answers.toml", "--json"]);
    assert_eq!(code, 0, "{text}");
    let (code, text) = call(&["doctor", "--json"]);
    assert_eq!(code, 0, "{text}");
    let lines: Vec<Value> = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let outcome = |check: &str| {
        let line = lines.iter().find(|line| line["check"] == check);
        line.unwrap_or_else(|| panic!("no check `{check}` in {text}"))["outcome"].as_str().unwrap().to_owned()
    };
    for check in [
        "configuration",
        "credential store",
        "budgets",
        "signing keys",
        "login key",
        "DNS",
        "connection",
        "clock",
        "heartbeat",
        "login, e-invoice",
        "read, e-invoice",
    ] {
        assert_eq!(outcome(check), "ok", "{check}");
    }
    assert_eq!(outcome("ledger"), "warn", "there is none before the first run");
    assert_eq!(outcome("public address"), "not_tried");
    assert_eq!(emulator.calls("auth"), 1, "neither logged in again");

    // Without the network only what is here is looked at.
    let (code, text) = call(&["doctor", "--offline"]);
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("way to the portal: --offline") && !text.contains("DNS"), "{text}");
}

#[test]
fn a_password_that_was_refused_is_sent_again_by_no_file_of_answers() {
    let emulator = Emulator::start();
    let desk = Desk::new(&emulator);
    let variables = answered(&desk, &emulator);
    let password = fs::read_to_string(desk.path().join("keys/password.txt")).unwrap();
    let onboard = |password: &str| {
        fs::write(desk.path().join("keys/password.txt"), password).unwrap();
        desk.call_with(&["onboard", "--answers", "answers.toml"], &variables)
    };
    let (code, text) = onboard("a-mistyped-password");
    assert_eq!(code, 2, "{text}");
    assert!(text.contains("1019") && text.contains("the login failed"), "{text}");
    let logins = emulator.calls("auth");
    for _ in 0..2 {
        let (code, text) = onboard("a-mistyped-password");
        assert_eq!(code, 2, "{text}");
        assert!(text.contains("was refused on") && text.contains("code 1019"), "{text}");
        assert_eq!(emulator.calls("auth"), logins, "it was sent again");
    }
    let (code, text) = onboard(&password);
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("Everything is in place."), "{text}");
}

#[test]
fn an_answer_that_proves_nothing_is_no_login() {
    let emulator = Emulator::start();
    let desk = Desk::new(&emulator);
    let variables = answered(&desk, &emulator);
    let call = || desk.call_with(&["onboard", "--answers", "answers.toml"], &variables);
    for fault in
        [serde_json::json!({"kind": "html", "status": 503}), serde_json::json!({"kind": "error", "code": "7777"})]
    {
        emulator.fault("get_irn_by_document", &fault, 1);
        let (code, text) = call();
        assert_ne!(code, 0, "{fault}: {text}");
        assert!(text.contains("the login failed"), "{fault}: {text}");
    }
    let (code, text) = call();
    assert_eq!(code, 0, "{text}");
}

#[test]
fn the_doctor_says_what_to_do_about_what_is_wrong_and_tries_nothing_behind_it() {
    let emulator = Emulator::start();
    let desk = Desk::new(&emulator);
    let variables = answered(&desk, &emulator);
    let call = |arguments: &[&str]| desk.call_with(arguments, &variables);
    assert_eq!(call(&["onboard", "--answers", "answers.toml"]).0, 0);

    // Nobody listens there.
    let (code, text) = call(&["doctor", "--set", "route.nic.base_url=http://127.0.0.1:9"]);
    assert_eq!(code, 3, "{text}");
    assert!(text.contains("fail  connection: 127.0.0.1:9") && text.contains("--    login"), "{text}");
    assert!(text.contains("whose move: yours"), "{text}");

    // The signing key in the place of the login key.
    let (_, text) = call(&["doctor", "--offline", "--set", "route.nic.auth_public_key_file=keys/signing.pem"]);
    assert!(text.contains("warn  login key: keys/signing.pem is a signing key, too"), "{text}");

    // A heartbeat where there is none, as its path is only likely, keeps nobody from looking at the login.
    let (code, text) = call(&["doctor", "--set", "route.nic.endpoints.heartbeat=/nowhere"]);
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("warn  heartbeat") && text.contains("ok    login, e-invoice"), "{text}");

    // The configuration itself.
    let (code, text) = call(&["doctor", "--set", "route.nic.base_ulr=x"]);
    assert_eq!(code, 2, "{text}");
    assert!(text.contains("fail  route") && text.contains("base_ulr"), "{text}");
}

#[test]
fn the_login_budget_holds_over_processes_and_quota_shows_it() {
    let emulator = Emulator::start();
    let installation = Installation::direct(&emulator);
    let supplier = emulator.suppliers().remove(0);
    // Credentials from the environment keep no session, so each process logs in.
    let ask = |protect: &str| {
        installation.call(&[
            "lookup",
            "gstin",
            &supplier,
            "--gstin",
            &supplier,
            "--set",
            &format!("quota.protect={protect}"),
        ])
    };
    for _ in 0..5 {
        let answer = ask("always");
        assert_eq!(answer.code, 0, "{}", answer.text);
    }
    let answer = ask("always");
    assert_eq!(answer.code, 3, "{}", answer.text);
    assert!(
        answer.text.contains("5 logins") && answer.text.contains("other processes and other routes"),
        "{}",
        answer.text
    );
    assert_eq!(emulator.calls("auth"), 5, "the sixth was not sent");

    let quota = installation.objects(&["quota", "--json"]);
    let user = &quota[0];
    assert_eq!((user["logins"]["used"].as_u64(), user["logins"]["left"].as_u64()), (Some(5), Some(0)), "{user}");
    assert_eq!(user["user"]["gstin"], supplier.as_str());
    let shown = installation.call(&["quota"]);
    assert_eq!(shown.code, 1, "{}", shown.text);
    assert!(shown.text.contains("5 of 5") && shown.text.contains("no login is left until"), "{}", shown.text);

    // At an emulator logins are counted and not held back, unless that is asked for.
    assert_eq!(ask("auto").code, 0);
    assert_eq!(emulator.calls("auth"), 6);
}

#[test]
fn a_gate_that_one_process_saw_closed_is_closed_for_the_next() {
    let emulator = Emulator::start();
    let installation = Installation::direct(&emulator);
    let supplier = emulator.suppliers().remove(0);
    let ask =
        || installation.call(&["lookup", "gstin", &supplier, "--gstin", &supplier, "--set", "quota.protect=always"]);
    emulator.fault("gstin_details", &serde_json::json!({"kind": "error", "code": "118"}), 1);
    let refused = ask();
    assert_ne!(refused.code, 0, "{}", refused.text);
    let calls = emulator.calls("auth");
    let held = ask();
    assert_eq!(held.code, 3, "{}", held.text);
    assert!(held.text.contains("too many calls (118)"), "{}", held.text);
    assert_eq!(emulator.calls("auth"), calls, "nothing was sent");
    let shown = installation.call(&["quota"]);
    assert!(shown.text.contains("118 ×1") && shown.text.contains("refuses everything"), "{}", shown.text);
}
