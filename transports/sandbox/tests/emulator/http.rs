//! The same portal over real HTTP, from `connection.json` to a registration read back.

use std::sync::Arc;
use std::time::Duration;

use einvoice_core::clock::ManualClock;
use einvoice_core::entropy::SeededEntropy;
use einvoice_sandbox::{CONNECTION_FILE, Connection, PortalRequest, RunningServer, ServeOptions, serve};
use serde_json::{Value, json};

use crate::raw::{RawClient, SELLER, codes, invoice, noon, verified};

struct Remote {
    server: RunningServer,
    wire: Wire,
    _directory: tempfile::TempDir,
}

/// Carries requests to an address.
#[derive(Clone)]
pub(crate) struct Wire {
    http: reqwest::Client,
    base_url: String,
}

async fn remote() -> Remote {
    let directory = tempfile::tempdir().unwrap();
    let options = ServeOptions::new("127.0.0.1:0".parse().unwrap(), directory.path());
    let server = serve(options, Arc::new(ManualClock::new(noon())), Arc::new(SeededEntropy::new(7))).await.unwrap();
    let text = std::fs::read_to_string(directory.path().join(CONNECTION_FILE)).unwrap();
    let connection: Connection = serde_json::from_str(&text).unwrap();
    assert_eq!(connection.base_url, server.base_url());
    Remote { wire: Wire::new(connection.base_url), server, _directory: directory }
}

impl Wire {
    pub(crate) fn new(base_url: String) -> Self {
        let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(20)).build().unwrap();
        Self { http, base_url }
    }

    pub(crate) async fn try_send(&self, request: &PortalRequest) -> Result<(u16, Vec<u8>), reqwest::Error> {
        let method = request.method.parse().unwrap();
        let mut builder = self.http.request(method, format!("{}{}", self.base_url, request.target));
        for (name, value) in &request.headers {
            builder = builder.header(name, value);
        }
        let response = builder.body(request.body.clone()).send().await?;
        Ok((response.status().as_u16(), response.bytes().await?.to_vec()))
    }

    pub(crate) async fn send(&self, request: &PortalRequest) -> Value {
        let (status, body) = self.try_send(request).await.unwrap();
        assert_eq!(status, 200);
        serde_json::from_slice(&body).unwrap()
    }
}

impl Remote {
    async fn try_send(&self, request: &PortalRequest) -> Result<(u16, Vec<u8>), reqwest::Error> {
        self.wire.try_send(request).await
    }

    async fn send(&self, request: &PortalRequest) -> Value {
        self.wire.send(request).await
    }

    async fn control(&self, method: &str, path: &str, body: &Value) -> Value {
        let request = self.wire.http.request(method.parse().unwrap(), format!("{}/sandbox/{path}", self.wire.base_url));
        let response = request.body(body.to_string()).send().await.unwrap();
        assert_eq!(response.status(), 200, "{method} {path}");
        serde_json::from_slice(&response.bytes().await.unwrap()).unwrap()
    }

    async fn client(&self) -> RawClient {
        let mut client = RawClient::new(self.server.sandbox(), SELLER);
        client.take_login(&self.send(&client.login(false)).await);
        client
    }
}

#[tokio::test]
async fn a_foreign_client_logs_in_registers_and_reads_back() {
    let remote = remote().await;
    let client = remote.client().await;
    let made = client.opened(&remote.send(&client.generate(&invoice("A/1"))).await);
    verified(made["SignedInvoice"].as_str().unwrap(), &remote.server.sandbox().signing_public_key_pem());
    let read = client.opened(&remote.send(&client.by_document("A/1", "05/11/2026")).await);
    assert_eq!(read, made);
    let books = remote.control("GET", "invoices", &Value::Null).await;
    assert_eq!((&books[0]["irn"], &books[0]["registrations"]), (&made["Irn"], &json!(1)));
    assert_eq!(remote.control("GET", "calls", &Value::Null).await["auth"], 1);
}

#[tokio::test]
async fn a_lost_reply_closes_the_connection_without_an_answer() {
    let remote = remote().await;
    let client = remote.client().await;
    let fault = json!({"operation": "generate_irn", "fault": {"kind": "drop_reply_after_commit"}});
    remote.control("POST", "faults", &fault).await;
    let error = remote.try_send(&client.generate(&invoice("A/1"))).await.unwrap_err();
    assert!(!error.is_connect() && !error.is_timeout(), "{error:?}");
    assert_eq!(codes(&remote.send(&client.generate(&invoice("A/1"))).await), ["2150"]);
}

#[tokio::test]
async fn a_cut_body_is_noticed_by_the_client() {
    let remote = remote().await;
    let client = remote.client().await;
    remote.control("POST", "faults", &json!({"fault": {"kind": "truncated_body"}})).await;
    assert!(remote.try_send(&client.generate(&invoice("A/1"))).await.is_err());
    assert_eq!(remote.control("GET", "faults", &Value::Null).await, json!([]));
}

#[tokio::test]
async fn a_gateway_page_keeps_its_status() {
    let remote = remote().await;
    let client = remote.client().await;
    remote.control("POST", "faults", &json!({"fault": {"kind": "html", "status": 502}})).await;
    let (status, body) = remote.try_send(&client.generate(&invoice("A/1"))).await.unwrap();
    assert_eq!((status, body.starts_with(b"<!DOCTYPE html>")), (502, true));
}

#[tokio::test]
async fn the_clock_and_the_accounts_are_under_control() {
    let remote = remote().await;
    let state = remote.control("POST", "clock", &json!({"advance_seconds": 3600})).await;
    assert_eq!(state["ist"], "2026-11-05 13:00:00");
    let state = remote.control("POST", "clock", &json!({"set": "2026-12-01T00:00:00Z"})).await;
    assert_eq!(state["ist"], "2026-12-01 05:30:00");
    let user = remote.control("POST", "users", &json!({"gstin": "24AAACB5678K1ZG"})).await;
    assert_eq!(user["username"], "API_24AAACB5678K1ZG");
    let mut settings = remote.control("GET", "settings", &Value::Null).await;
    settings["unknown_irn"] = json!("no_data");
    assert_eq!(remote.control("PUT", "settings", &settings).await["unknown_irn"], "no_data");
}

#[tokio::test]
async fn a_body_beyond_the_limit_is_refused() {
    let remote = remote().await;
    let client = remote.client().await;
    let request = client.post("/eicore/v1.03/Invoice", &json!({"Data": "x".repeat(5 * 1024 * 1024)}));
    // The server may close before all is sent; either way nothing is carried out.
    if let Ok((status, _)) = remote.try_send(&request).await {
        assert_eq!(status, 413);
    }
    assert_eq!(remote.control("GET", "invoices", &Value::Null).await, json!([]));
    remote.server.stop().await;
}

#[tokio::test]
async fn an_officer_and_the_other_site_are_under_control() {
    let remote = remote().await;
    let client = remote.client().await;
    let mut document = invoice("A/1");
    document["EwbDtls"] = json!({"TransId": SELLER, "Distance": 10});
    let made = client.opened(&remote.send(&client.generate(&document)).await);
    let number = made["EwbNo"].to_string();
    let bills = remote.control("POST", "e-way-bills", &json!({"verified": {"ewb_no": number}})).await;
    assert_eq!((&bills[0]["verified"], &bills[0]["site"]), (&json!(true), &json!("NIC1")));
    let moved = json!({"site": {"ewb_no": number, "site": "NIC2"}});
    assert_eq!(remote.control("POST", "e-way-bills", &moved).await[0]["site"], "NIC2");
    let sandbox = remote.server.sandbox();
    let unknown = sandbox.verify_bill("1").await.unwrap_err().to_string();
    assert!(unknown.contains("ewb_no is 1, expected the number of an e-way bill in the books"), "{unknown}");
    let nowhere = sandbox.move_bill_to_site(&number, "NIC3").await.unwrap_err().to_string();
    assert!(nowhere.contains("site is NIC3, expected NIC1 or NIC2"), "{nowhere}");
}
