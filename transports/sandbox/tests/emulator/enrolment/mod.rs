//! What happens before the first call: sign-up, IP listing, client pairs, API users, and what they lead to.

mod enforced;
mod forms;
mod histories;
mod pages;
mod road;

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use einvoice_core::clock::ManualClock;
use einvoice_core::entropy::SeededEntropy;
use einvoice_sandbox::{PortalSettings, RegistrationSettings, RunningServer, ServeOptions, serve};
use serde_json::{Value, json};

use crate::raw::{EwbClient, RawClient, noon};

/// A taxpayer that the emulator knows nothing of at first.
pub(crate) const PAN: &str = "AAACB5678K";
pub(crate) const GSTIN: &str = "24AAACB5678K1ZG";
pub(crate) const OTHER_GSTIN: &str = "27AAACB5678K1ZA";
/// The public address that the loopback stands for.
pub(crate) const ADDRESS: &str = "117.200.1.10";
pub(crate) const PASSWORD: &str = "Rehearse#42";

/// A test report as a page, without a word on what it covers.
pub(crate) const REPORT: &[u8] = b"<!DOCTYPE html><html><body>50 and 50</body></html>";

/// An emulator over HTTP that begins from nothing.
pub(crate) struct Office {
    pub(crate) server: RunningServer,
    pub(crate) http: reqwest::Client,
    _directory: tempfile::TempDir,
}

/// An emulator with these settings of its registration side.
pub(crate) async fn office(registration: RegistrationSettings) -> Office {
    let directory = tempfile::tempdir().unwrap();
    let mut options = ServeOptions::new("127.0.0.1:0".parse().unwrap(), directory.path());
    options.empty = true;
    options.settings = PortalSettings { registration, ..PortalSettings::default() };
    let server = serve(options, Arc::new(ManualClock::new(noon())), Arc::new(SeededEntropy::new(7))).await.unwrap();
    let http = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    Office { server, http, _directory: directory }
}

/// An answer of the JSON face.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Value,
}

impl Answer {
    /// The body of a success.
    pub(crate) fn ok(self) -> Value {
        assert_eq!(self.status, 200, "{}", self.body);
        self.body
    }

    /// The codes of a refusal; `-` where the portal has none.
    pub(crate) fn codes(&self) -> Vec<String> {
        assert_ne!(self.status, 200, "{}", self.body);
        let errors = self.body["errors"].as_array().unwrap();
        errors.iter().map(|error| error["code"].as_str().unwrap_or("-").to_owned()).collect()
    }

    /// The fields and messages of a refusal.
    pub(crate) fn messages(&self) -> Vec<(String, String)> {
        let errors = self.body["errors"].as_array().unwrap();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        errors.iter().map(|error| (text(&error["field"]), text(&error["message"]))).collect()
    }
}

impl Office {
    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.server.base_url())
    }

    /// A call of the JSON face, or of a control.
    pub(crate) async fn call(&self, session: Option<&str>, method: &str, path: &str, body: &Value) -> Answer {
        let mut request = self.http.request(method.parse().unwrap(), self.url(path));
        if let Some(session) = session {
            request = request.bearer_auth(session);
        }
        if !body.is_null() {
            request = request.body(body.to_string());
        }
        let response = request.send().await.unwrap();
        let status = response.status().as_u16();
        let bytes = response.bytes().await.unwrap();
        Answer { status, body: serde_json::from_slice(&bytes).unwrap_or(Value::Null) }
    }

    pub(crate) async fn post(&self, session: &str, path: &str, body: &Value) -> Answer {
        self.call(Some(session), "POST", &format!("/portal/api/{path}"), body).await
    }

    pub(crate) async fn get(&self, session: &str, path: &str) -> Value {
        self.call(Some(session), "GET", &format!("/portal/api/{path}"), &Value::Null).await.ok()
    }

    /// The latest message of a kind.
    pub(crate) async fn latest(&self, kind: &str) -> Value {
        let path = format!("/portal/api/outbox?kind={kind}");
        let messages = self.call(None, "GET", &path, &Value::Null).await.ok();
        messages.as_array().unwrap().last().cloned().unwrap_or_else(|| panic!("no message of kind {kind}"))
    }

    /// Signs a PAN up; the session.
    pub(crate) async fn sign_up(&self, identity: &str, username: &str) -> String {
        let asked = self.call(None, "POST", "/portal/api/sign-up", &json!({ "identity": identity })).await.ok();
        let otp = self.latest("otp").await["otp"].clone();
        let answer = json!({"request": asked["request"], "otp": otp, "username": username, "password": PASSWORD});
        let opened = self.call(None, "POST", "/portal/api/sign-up/verify", &answer).await.ok();
        opened["session"].as_str().unwrap().to_owned()
    }

    /// Applies for listing; the answer as it comes.
    pub(crate) async fn apply(&self, session: &str, addresses: &[&str]) -> Answer {
        let report = json!({"name": "report.html", "content": STANDARD.encode(REPORT)});
        self.post(session, "ip-listing", &json!({ "addresses": addresses, "report": report })).await
    }

    /// The officer accepts the request.
    pub(crate) async fn accept(&self, id: &str) -> Answer {
        self.call(None, "POST", "/sandbox/listings", &json!({"accept": {"id": id}})).await
    }

    /// Signs up and gets a client pair for an address; the session.
    pub(crate) async fn enrolled(&self, address: &str) -> String {
        let session = self.sign_up(PAN, "office").await;
        let listing = self.apply(&session, &[address]).await.ok();
        if listing["state"] == "under_scrutiny" {
            self.accept(listing["id"].as_str().unwrap()).await.ok();
        }
        session
    }

    /// Makes an API user, direct and for production unless a member says otherwise.
    pub(crate) async fn user(&self, session: &str, username: &str, more: &Value) -> Answer {
        let mut body = json!({"gstin": GSTIN, "product": "e_invoice", "mode": "direct", "username": username, "password": PASSWORD});
        for (name, value) in more.as_object().unwrap() {
            body[name] = value.clone();
        }
        self.post(session, "users", &body).await
    }

    /// A client with the pair of the latest message of a kind.
    pub(crate) async fn client(&self, kind: &str, username: &str) -> RawClient {
        let message = self.latest(kind).await;
        let connection = self.server.sandbox().connection(&self.server.base_url());
        RawClient {
            gstin: GSTIN.to_owned(),
            client_id: message["client_id"].as_str().unwrap().to_owned(),
            client_secret: message["client_secret"].as_str().unwrap().to_owned(),
            user_name: username.to_owned(),
            password: PASSWORD.to_owned(),
            auth_pem: connection.auth_public_key,
            app_key: [11; 32],
            token: String::new(),
            sek: Vec::new(),
        }
    }

    /// The same for the e-way bill system.
    pub(crate) async fn ewb_client(&self, kind: &str, username: &str) -> EwbClient {
        let inner = self.client(kind, username).await;
        let connection = self.server.sandbox().connection(&self.server.base_url());
        EwbClient { inner: RawClient { auth_pem: connection.ewb.auth_public_key, ..inner } }
    }
}
