//! A person at the web pages of the emulated portal, by its JSON calls, and the official who decides.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::process::Emulator;

/// A taxpayer with a session at the portal's pages.
pub(crate) struct Browser<'e> {
    emulator: &'e Emulator,
    token: String,
    pan: String,
}

/// A password that the portal's rules take.
pub(crate) const PASSWORD: &str = "Blue-Lake7";

impl<'e> Browser<'e> {
    /// Signs up with the one-time password that comes to the registered mobile.
    pub(crate) fn sign_up(emulator: &'e Emulator, pan: &str) -> Self {
        let begun = ok(call(emulator, "POST", "/portal/api/sign-up", None, &json!({"identity": pan})));
        let otp = message(emulator, pan, "otp")["otp"].clone();
        let body = json!({
            "request": begun["request"], "otp": otp, "username": format!("p{}", pan.to_lowercase()), "password": PASSWORD,
        });
        let known = ok(call(emulator, "POST", "/portal/api/sign-up/verify", None, &body));
        Self { emulator, token: known["session"].as_str().unwrap().to_owned(), pan: pan.to_owned() }
    }

    fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        call(self.emulator, "POST", path, Some(&self.token), body)
    }

    /// Applies for the listing of addresses, with a test report; what the portal answers.
    pub(crate) fn apply(&self, addresses: &[&str]) -> (u16, Value) {
        // The real form is not public, so any file is taken.
        self.apply_with(addresses, "report.html", b"<html>tests</html>")
    }

    /// The same with this file for a test report.
    pub(crate) fn apply_with(&self, addresses: &[&str], name: &str, content: &[u8]) -> (u16, Value) {
        let report = json!({"name": name, "content": STANDARD.encode(content)});
        self.post("/portal/api/ip-listing", &json!({"addresses": addresses, "report": report}))
    }

    /// Makes an API user for a GSTIN: direct, or through a GSP.
    pub(crate) fn make_user(&self, gstin: &str, name: &str, password: &str, gsp: Option<&str>) {
        let mut body = json!({
            "gstin": gstin, "product": "e_invoice", "environment": "production", "username": name, "password": password,
            "mode": if gsp.is_some() { "gsp" } else { "direct" },
        });
        if let Some(gsp) = gsp {
            body["gsp"] = json!(gsp);
        }
        ok(self.post("/portal/api/users", &body));
    }

    /// The client pair as it came by SMS.
    pub(crate) fn client_pair(&self) -> (String, String) {
        let sms = message(self.emulator, &self.pan, "client");
        let text = |name: &str| sms[name].as_str().unwrap().to_owned();
        (text("client_id"), text("client_secret"))
    }
}

/// The official decides: accepts, or returns with a reason.
pub(crate) fn decide(emulator: &Emulator, listing: &Value, returned_because: Option<&str>) {
    let id = &listing["id"];
    let body = match returned_because {
        Some(reason) => json!({"return": {"id": id, "reason": reason}}),
        None => json!({"accept": {"id": id}}),
    };
    ok(call(emulator, "POST", "/sandbox/listings", None, &body));
}

/// The last message of a kind to a taxpayer.
fn message(emulator: &Emulator, pan: &str, kind: &str) -> Value {
    let path = format!("/portal/api/outbox?to={pan}&kind={kind}");
    let messages = ok(call(emulator, "GET", &path, None, &Value::Null));
    messages.as_array().unwrap().last().unwrap_or_else(|| panic!("no message `{kind}` to {pan}")).clone()
}

fn ok((status, answer): (u16, Value)) -> Value {
    assert!((200..300).contains(&status), "{status}: {answer}");
    answer
}

fn call(emulator: &Emulator, method: &str, path: &str, token: Option<&str>, body: &Value) -> (u16, Value) {
    let mut stream = TcpStream::connect(emulator.address()).unwrap();
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let session = token.map(|token| format!("Authorization: Bearer {token}\r\n")).unwrap_or_default();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Type: application/json\r\n{session}\
         Content-Length: {}\r\n\r\n{body}",
        emulator.address(),
        body.len()
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let (start, end) = (body.find(['[', '{']), body.rfind([']', '}']));
    let json = start.zip(end).map_or(Value::Null, |(start, end)| serde_json::from_str(&body[start..=end]).unwrap());
    (status, json)
}
