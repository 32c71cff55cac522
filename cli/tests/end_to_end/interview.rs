//! An interview that does not go straight on: back to an earlier question, one answer changed later, stopped in the
//! middle of an answer, of a secret, of a login.

use std::fs;

use serde_json::{Value, json};

use crate::desk::{Desk, LISTED, answered};
use crate::process::Emulator;
use crate::terminal::Terminal;

/// An account of the emulator, as a person types it.
struct Account {
    gstin: String,
    base_url: String,
    client_id: String,
    client_secret: String,
    user: String,
    password: String,
}

impl Account {
    fn of(emulator: &Emulator) -> Self {
        let connection = emulator.connection();
        let user = &connection["users"][0];
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        Self {
            gstin: text(&user["gstin"]),
            base_url: text(&connection["base_url"]),
            client_id: text(&user["client_id"]),
            client_secret: text(&user["client_secret"]),
            user: text(&user["username"]),
            password: text(&user["password"]),
        }
    }

    fn pan(&self) -> &str {
        &self.gstin[2..12]
    }

    /// Answers everything up to the address of the portal, in the sandbox or in production.
    fn begin(&self, person: &mut Terminal, environment: &str) {
        person.answer("PAN: ", self.pan());
        person.answer("GSTINs: ", &self.gstin);
        person.answer("Way: ", "direct");
        person.answer("Environment: ", environment);
        person.answer("Address of the portal: ", &self.base_url);
    }

    /// Answers everything up to the client pair.
    fn up_to_the_pair(&self, person: &mut Terminal) {
        self.begin(person, "sandbox");
        person.answer("Key file for logins: ", "keys/login.pem");
        person.answer("e-way bill system by itself [no]: ", "");
        person.answer("Name of this route [nic]: ", "");
        person.answer("Files of signing keys [none]: ", "keys/signing.pem");
        person.answer("Credential store [credentials-file]: ", "");
        person.answer("Source [json-file]: ", "");
        person.answer("Client id (Ctrl-D: not here yet): ", &self.client_id);
    }

    fn secrets(&self) -> [&str; 2] {
        [&self.client_secret, &self.password]
    }
}

/// The answers that are kept: a whole JSON object.
fn kept(desk: &Desk) -> Value {
    serde_json::from_slice(&fs::read(desk.path().join("einvoice.onboarding.json")).unwrap()).unwrap()
}

#[test]
fn back_leads_to_any_earlier_question_and_an_empty_line_keeps_its_answer() {
    let emulator = Emulator::start();
    let (desk, account) = (Desk::new(&emulator), Account::of(&emulator));
    let mut person = desk.onboard();
    person.expect("Type `back` in place of an answer to go to the question before");
    person.expect("Leave with Ctrl-C");
    person.answer("PAN: ", "back");
    person.expect("This is the first question");
    person.answer("PAN: ", account.pan());
    person.answer("GSTINs: ", "BACK");
    person.answer(&format!("PAN [{}]: ", account.pan()), "");
    person.answer("GSTINs: ", &account.gstin);
    person.answer("Way: ", "gsp");
    person.answer("Environment: ", "back");
    // Another way: what was asked for the one before is not asked any more.
    person.answer("Way [gsp]: ", "direct");
    person.answer("Environment: ", "sandbox");
    person.answer("Address of the portal: ", "http://127.0.0.1:9");
    person.answer("Key file for logins: ", "back");
    person.answer("Address of the portal [http://127.0.0.1:9]: ", &account.base_url);
    person.answer("Key file for logins: ", "keys/login.pem");
    // Three questions back, each answer kept: the interview goes on where it was.
    person.answer("e-way bill system by itself [no]: ", "back");
    person.answer("Key file for logins [keys/login.pem]: ", "back");
    person.answer(&format!("Address of the portal [{}]: ", account.base_url), "back");
    person.answer("Environment [sandbox]: ", "");
    person.answer("e-way bill system by itself [no]: ", "yes");
    person.answer("Address of the e-way bill system: ", "back");
    person.answer("e-way bill system by itself [yes]: ", "no");
    person.answer("Name of this route [nic]: ", "first");
    person.answer("Files of signing keys [none]: ", "back");
    person.answer("Name of this route [first]: ", "nic");
    person.answer("Files of signing keys [none]: ", "keys/signing.pem");
    person.answer("Credential store [credentials-file]: ", "");
    person.answer("Source [json-file]: ", "back");
    person.answer("Credential store [credentials-file]: ", "");
    person.answer("Source [json-file]: ", "");
    person.expect("Wrote einvoice.toml");
    // At what is typed without being shown, too.
    person.answer("Client id (Ctrl-D: not here yet): ", "mistyped");
    person.answer_hidden("Client secret (not shown; empty: not here yet): ", "back");
    person.answer("Client id (Ctrl-D: not here yet): ", &account.client_id);
    person.answer_hidden("Client secret (not shown; empty: not here yet): ", &account.client_secret);
    person.answer("user name (Ctrl-D: not there yet): ", "back");
    person.answer("Keep it [no]: ", "yes");
    person.answer("user name (Ctrl-D: not there yet): ", &account.user);
    person.answer_hidden("password (not shown): ", "back");
    person.answer("user name (Ctrl-D: not there yet): ", &account.user);
    person.answer_hidden("password (not shown): ", &account.password);
    person.expect("Everything is in place.");
    let (code, text) = person.end();
    assert_eq!(code, Some(0), "{text}");
    desk.keeps(&account.secrets(), &text);
    let config = fs::read_to_string(desk.path().join("einvoice.toml")).unwrap();
    assert!(config.contains("name = \"nic\"") && !config.contains("first"), "{config}");
}

#[test]
fn one_answer_is_changed_later_and_only_what_hangs_on_it_is_asked_again() {
    let emulator = Emulator::start();
    let (desk, account) = (Desk::new(&emulator), Account::of(&emulator));
    let variables = answered(&desk, &emulator);
    let (code, text) = desk.call_with(&["onboard", "--answers", "answers.toml"], &variables);
    assert_eq!(code, 0, "{text}");
    assert_eq!(emulator.calls("auth"), 1);

    // A word that is no question names those there are; what the configuration has is changed there.
    let (code, text) = desk.call_with(&["onboard", "--change", "adress", "--answers", "answers.toml"], &variables);
    assert_eq!(code, 2, "{text}");
    assert!(text.contains("`adress` is none of the questions") && text.contains("base_url"), "{text}");
    let (code, text) = desk.call_with(&["onboard", "--change", "store", "--answers", "answers.toml"], &variables);
    assert_eq!(code, 2, "{text}");
    assert!(text.contains("the store stands in einvoice.toml"), "{text}");

    // The same answer changes nothing.
    let before = kept(&desk);
    let mut person = desk.onboard_with(&["--change", "base_url"]);
    person.answer(&format!("Address of the portal [{}]: ", account.base_url), "");
    let (code, text) = person.end();
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("Everything is in place.") && !text.contains("Key file"), "{text}");
    assert_eq!(kept(&desk), before);
    assert_eq!(emulator.calls("auth"), 1);

    // Another address is another portal: its key is asked for, and the login proven there; the rest stays.
    let config = desk.path().join("einvoice.toml");
    let own = fs::read_to_string(&config).unwrap().replace("base_url = ", "site = \"NIC2\"\nbase_url = ");
    fs::write(&config, own).unwrap();
    let other = account.base_url.replace("127.0.0.1", "localhost");
    let mut person = desk.onboard_with(&["--change", "BASE_URL"]);
    person.answer("Address of the portal [", &other);
    person.answer("Key file for logins: ", "keys/login.pem");
    person.answer("Replace that route [yes]: ", "");
    person.answer("Keep it [yes]: ", "");
    person.answer("Keep it [yes]: ", "");
    person.expect("logged in");
    person.expect("Everything is in place.");
    let (code, text) = person.end();
    assert_eq!(code, Some(0), "{text}");
    for question in ["PAN: ", "GSTINs: ", "Way: ", "Environment: ", "Name of this route", "signing keys", "Client id ("]
    {
        assert!(!text.contains(question), "{question} was asked:\n{text}");
    }
    let config = fs::read_to_string(&config).unwrap();
    assert!(config.contains(&other) && !config.contains(&account.base_url), "{config}");
    assert!(config.contains("site = \"NIC2\""), "what a person added stays: {config}");
}

#[test]
fn every_address_that_cannot_be_listed_is_told_in_a_sentence_and_asked_for_again() {
    let emulator = Emulator::start();
    let (desk, account) = (Desk::new(&emulator), Account::of(&emulator));
    let mut person = desk.onboard();
    account.begin(&mut person, "production");
    person.answer("Key file for logins: ", "keys/login.pem");
    person.answer("e-way bill system by itself [no]: ", "");
    person.answer("Name of this route [nic]: ", "");
    for (typed, told) in [
        (
            "117.200.1.10 117.200.1.11 117.200.1.12 117.200.1.13 117.200.1.14",
            "5 addresses: the portal lists at most 4 for a client; let calls leave through fewer",
        ),
        ("10.1.2.3", "10.1.2.3 is private: it exists behind a router only, so the portal never sees it"),
        ("100.64.0.1", "100.64.0.1 is shared by the customers of a provider (carrier NAT)"),
        ("203.0.113.9", "203.0.113.9 is set aside for documentation"),
        ("117.200.1.300", "`117.200.1.300` is no IPv4 address: write four numbers from 0 to 255"),
        ("gateway.example", "`gateway.example` is no IPv4 address"),
        ("117.200.1.0/24", "`117.200.1.0/24` is a range: the portal lists single addresses"),
        ("2001:4860:4860::8888", "2001:4860:4860::8888 is an IPv6 address and the portal lists IPv4 only"),
        ("117.200.1.10, 117.200.1.10", "117.200.1.10 stands twice in the list: write it once"),
    ] {
        person.answer("Public addresses: ", typed);
        person.expect(told);
    }
    // All that is wrong in one line is told at once.
    person.answer("Public addresses: ", "10.1.2.3 ::1 117.200.1.10 x");
    person.expect("10.1.2.3 is private");
    person.expect("::1 is an IPv6 address");
    person.expect("`x` is no IPv4 address");
    person.answer("Public addresses: ", LISTED);
    person.answer("It is [open]: ", "accepted");
    person.expect("Files of signing keys [none]: ");
    person.control(b'c');
    assert_eq!(person.end().0, Some(130));
    assert_eq!(kept(&desk)["addresses"], json!([LISTED]));

    // Other addresses are listed by another application.
    let mut person = desk.onboard_with(&["--change", "addresses"]);
    person.answer(&format!("Public addresses [{LISTED}]: "), "117.200.1.11");
    person.answer("It is [open]: ", "applied");
    assert_eq!(person.end().0, Some(1));
    assert_eq!(desk.state_of("application"), "portal");
}

#[test]
fn stopped_in_the_middle_of_an_answer_it_goes_on_at_that_very_question() {
    let emulator = Emulator::start();
    let (desk, account) = (Desk::new(&emulator), Account::of(&emulator));
    let mut person = desk.onboard();
    account.begin(&mut person, "sandbox");
    person.expect("Key file for logins: ");
    person.type_in("keys/lo");
    person.control(b'c');
    let (code, text) = person.end();
    assert_eq!(code, Some(130), "{text}");
    assert_eq!(kept(&desk)["portal"], json!({"base_url": account.base_url, "login_key_file": null}));

    // The same by signals that nobody can see coming, and by one that nobody can hear.
    for signal in ["TERM", "HUP", "KILL"] {
        let before = kept(&desk);
        let mut person = desk.onboard();
        person.expect("Key file for logins: ");
        person.type_in("keys/lo");
        person.signal(signal);
        person.end();
        assert_eq!(kept(&desk), before, "{signal}");
    }
    let mut person = desk.onboard();
    person.answer("Key file for logins: ", "keys/login.pem");
    person.expect("by itself [no]: ");
    person.control(b'c');
    let (_, text) = person.end();
    for question in ["PAN: ", "GSTINs: ", "Way: ", "Environment: ", "Address of the portal"] {
        assert!(!text.contains(question), "{question} was asked again:\n{text}");
    }
}

#[test]
fn stopped_in_the_middle_of_a_secret_the_terminal_shows_again_and_nothing_of_it_is_written() {
    let emulator = Emulator::start();
    let (desk, account) = (Desk::new(&emulator), Account::of(&emulator));
    let mut person = desk.onboard();
    account.up_to_the_pair(&mut person);
    // A secret by halves is no secret to the portal, and one to us.
    let half = account.client_secret.get(..account.client_secret.len() / 2).unwrap();
    assert!(half.len() >= 8, "too short to be told from chance");
    person.expect("Client secret (not shown; empty: not here yet): ");
    person.wait_until_hidden();
    person.type_in(half);
    person.control(b'c');
    assert!(person.shows_again(), "the terminal was left silent");
    let (code, text) = person.end();
    assert_eq!(code, Some(130), "{text}");
    desk.keeps(&[half], &text);
    let before = kept(&desk);

    for signal in ["TERM", "HUP", "KILL"] {
        let mut person = desk.onboard();
        person.answer("Client id (Ctrl-D: not here yet): ", &account.client_id);
        person.expect("Client secret (not shown; empty: not here yet): ");
        person.wait_until_hidden();
        person.type_in(half);
        person.signal(signal);
        // Nobody is left to give the terminal back after the last of them.
        assert!(signal == "KILL" || person.shows_again(), "{signal} left the terminal silent");
        let (_, text) = person.end();
        desk.keeps(&[half], &text);
        assert_eq!(kept(&desk), before, "{signal}");
    }

    // The pair in place: an API user's password, left in its middle.
    let mut person = desk.onboard();
    person.answer("Client id (Ctrl-D: not here yet): ", &account.client_id);
    person.answer_hidden("Client secret (not shown; empty: not here yet): ", &account.client_secret);
    person.answer("user name (Ctrl-D: not there yet): ", &account.user);
    person.expect("password (not shown): ");
    person.wait_until_hidden();
    person.type_in(&account.password);
    person.control(b'c');
    assert!(person.shows_again());
    let (code, text) = person.end();
    assert_eq!(code, Some(130), "{text}");
    desk.keeps(&account.secrets(), &text);

    let mut person = desk.onboard();
    person.answer("user name (Ctrl-D: not there yet): ", &account.user);
    person.answer_hidden("password (not shown): ", &account.password);
    person.expect("Everything is in place.");
    let (code, text) = person.end();
    assert_eq!(code, Some(0), "{text}");
    assert!(!text.contains("Client id (Ctrl-D"), "the pair is in the store:\n{text}");
    desk.keeps(&account.secrets(), &text);
}

#[test]
fn stopped_in_the_middle_of_a_login_nothing_is_asked_again_and_the_login_is_made_anew() {
    let emulator = Emulator::start();
    let (desk, account) = (Desk::new(&emulator), Account::of(&emulator));
    // No answer for an hour: only a signal ends these.
    emulator.fault("auth", &json!({"kind": "delay", "ms": 3_600_000}), 4);
    let mut person = desk.onboard();
    account.up_to_the_pair(&mut person);
    person.answer_hidden("Client secret (not shown; empty: not here yet): ", &account.client_secret);
    person.answer("user name (Ctrl-D: not there yet): ", &account.user);
    person.answer_hidden("password (not shown): ", &account.password);
    emulator.wait_for_calls("auth", 1);
    person.control(b'c');
    let (code, text) = person.end();
    assert_eq!(code, Some(130), "{text}");
    let before = kept(&desk);
    assert_eq!(before["done"]["logins"], json!([]));

    for (count, signal) in (2..).zip(["TERM", "HUP", "KILL"]) {
        let person = desk.onboard();
        emulator.wait_for_calls("auth", count);
        person.signal(signal);
        let (_, text) = person.end();
        desk.keeps(&account.secrets(), &text);
        assert_eq!(kept(&desk), before, "{signal}");
    }

    let mut person = desk.onboard();
    person.expect("logged in");
    person.expect("Everything is in place.");
    let (code, text) = person.end();
    assert_eq!(code, Some(0), "{text}");
    assert_eq!(emulator.calls("auth"), 5);
    desk.keeps(&account.secrets(), &text);
}
