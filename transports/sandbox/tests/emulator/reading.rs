//! Section 4: reads, cancellation, taxpayers.

use einvoice_sandbox::{PortalSettings, TaxpayerEntry};
use jiff::SignedDuration;
use serde_json::Value;

use crate::raw::{BUYER, RawClient, SELLER, SISTER, call, codes, invoice, portal};

const NOBODY: &str = "0000000000000000000000000000000000000000000000000000000000000000";

#[tokio::test]
async fn a_registration_reads_back_the_same_by_irn_and_by_document() {
    let sandbox = portal(PortalSettings::default());
    let client = RawClient::logged_in(&sandbox, SELLER).await;
    let made = client.opened(&call(&sandbox, &client.generate(&invoice("A/1"))).await);
    let by_irn = client.opened(&call(&sandbox, &client.by_irn(made["Irn"].as_str().unwrap())).await);
    let by_document = client.opened(&call(&sandbox, &client.by_document("a/1", "05/11/2026")).await);
    assert_eq!((&by_irn, &by_document), (&made, &made));
}

#[tokio::test]
async fn what_is_not_there_has_different_codes_by_irn_and_by_document() {
    let sandbox = portal(PortalSettings::default());
    let client = RawClient::logged_in(&sandbox, SELLER).await;
    assert_eq!(codes(&call(&sandbox, &client.by_irn(NOBODY)).await), ["2148"]);
    assert_eq!(codes(&call(&sandbox, &client.by_irn("abc")).await), ["2145"]);
    assert_eq!(codes(&call(&sandbox, &client.by_document("A/1", "05/11/2026")).await), ["2154"]);
    assert_eq!(
        codes(&call(&sandbox, &client.get("/eicore/v1.03/Invoice/irnbydocdetails?doctype=INV")).await),
        ["2142"]
    );
}

#[tokio::test]
async fn a_not_found_is_scoped_to_the_gstin_of_the_login() {
    let sandbox = portal(PortalSettings::default());
    let client = RawClient::logged_in(&sandbox, SELLER).await;
    let made = client.opened(&call(&sandbox, &client.generate(&invoice("A/1"))).await);
    let sister = RawClient::logged_in(&sandbox, SISTER).await;
    assert_eq!(codes(&call(&sandbox, &sister.by_document("A/1", "05/11/2026")).await), ["2154"]);
    let irn = made["Irn"].as_str().unwrap();
    assert_eq!(codes(&call(&sandbox, &sister.by_irn(irn)).await), ["2148"]);
    assert_eq!(codes(&call(&sandbox, &sister.cancel(irn, "1")).await), ["2143"]);
}

#[tokio::test]
async fn after_two_days_the_signed_parts_are_out_of_reach_and_a_duplicate_still_names_the_irn() {
    let sandbox = portal(PortalSettings::default());
    let client = RawClient::logged_in(&sandbox, SELLER).await;
    let made = client.opened(&call(&sandbox, &client.generate(&invoice("A/1"))).await);
    sandbox.advance(SignedDuration::from_hours(49));
    let client = RawClient::logged_in(&sandbox, SELLER).await;
    let late = call(&sandbox, &client.by_irn(made["Irn"].as_str().unwrap())).await;
    assert_eq!(codes(&late), ["2283"]);
    assert!(late["ErrorDetails"][0]["ErrorMessage"].as_str().unwrap().ends_with("more than 2 days prior"));
    assert_eq!(codes(&call(&sandbox, &client.by_document("A/1", "05/11/2026")).await), ["2283"]);
    let again = call(&sandbox, &client.generate(&invoice("A/1"))).await;
    assert_eq!(again["InfoDtls"][0]["Desc"]["Irn"], made["Irn"]);
}

#[tokio::test]
async fn the_other_site_knows_nothing_of_a_registration_here() {
    let sandbox = portal(PortalSettings::default());
    let client = RawClient::logged_in(&sandbox, SELLER).await;
    client.opened(&call(&sandbox, &client.generate(&invoice("A/1"))).await);
    let asked = |site: &str| {
        let mut request = client.by_document("A/1", "05/11/2026");
        request.headers.push(("irp".into(), site.into()));
        request
    };
    assert_eq!(call(&sandbox, &asked("NIC1")).await["Status"], 1);
    assert_eq!(codes(&call(&sandbox, &asked("NIC2")).await), ["2148"]);
    assert_eq!(codes(&call(&sandbox, &asked("NIC9")).await), ["3098"]);
}

#[tokio::test]
async fn a_cancellation_shows_on_reading_and_cannot_be_repeated() {
    let sandbox = portal(PortalSettings::default());
    let client = RawClient::logged_in(&sandbox, SELLER).await;
    let made = client.opened(&call(&sandbox, &client.generate(&invoice("A/1"))).await);
    let irn = made["Irn"].as_str().unwrap();
    assert_eq!(codes(&call(&sandbox, &client.cancel(irn, "9")).await), ["5002"]);
    let cancelled = client.opened(&call(&sandbox, &client.cancel(irn, "1")).await);
    assert_eq!((&cancelled["Irn"], cancelled["CancelDate"].as_str().unwrap()), (&made["Irn"], "2026-11-05 12:00:00"));
    assert_eq!(codes(&call(&sandbox, &client.cancel(irn, "1")).await), ["9999"]);
    assert_eq!(client.opened(&call(&sandbox, &client.by_irn(irn)).await)["Status"], "CNL");
}

#[tokio::test]
async fn a_cancellation_after_a_day_is_too_late() {
    let sandbox = portal(PortalSettings::default());
    let client = RawClient::logged_in(&sandbox, SELLER).await;
    let made = client.opened(&call(&sandbox, &client.generate(&invoice("A/1"))).await);
    sandbox.advance(SignedDuration::from_hours(25));
    let client = RawClient::logged_in(&sandbox, SELLER).await;
    assert_eq!(codes(&call(&sandbox, &client.cancel(made["Irn"].as_str().unwrap(), "1")).await), ["2270"]);
}

#[tokio::test]
async fn taxpayers_are_known_unless_listed_otherwise() {
    let entry = TaxpayerEntry { gstin: BUYER.into(), status: "UNKNOWN".into(), ..TaxpayerEntry::default() };
    let settings = PortalSettings { taxpayers: vec![entry], ..PortalSettings::default() };
    let sandbox = portal(settings);
    let client = RawClient::logged_in(&sandbox, SELLER).await;
    for page in ["gstin", "syncgstin"] {
        let ask = |gstin: &str| client.get(&format!("/eivital/v1.04/Master/{page}/{gstin}"));
        let details = client.opened(&call(&sandbox, &ask(SISTER)).await);
        assert_eq!((&details["Status"], &details["StateCode"]), (&Value::from("ACT"), &Value::from(27)));
        assert_eq!(codes(&call(&sandbox, &ask(BUYER)).await), ["3001"]);
        assert_eq!(codes(&call(&sandbox, &ask("nonsense")).await), ["3001"]);
    }
}

#[tokio::test]
async fn the_heartbeat_is_plain_text_and_needs_no_login() {
    let sandbox = portal(PortalSettings::default());
    let mut request = RawClient::new(&sandbox, SELLER).get("/eivital/v1.04/heartbeat/ping");
    request.headers.clear();
    let reply = sandbox.exchange(&request).await.unwrap();
    assert_eq!(String::from_utf8(reply.body).unwrap(), "e-Invoice Vital:-05-11-2026 12:00:00");
}

#[tokio::test]
async fn a_page_that_does_not_exist_is_a_web_page_with_404() {
    let sandbox = portal(PortalSettings::default());
    let reply = sandbox.exchange(&RawClient::new(&sandbox, SELLER).get("/eicore/v1.03/invoice")).await.unwrap();
    assert_eq!((reply.status, reply.content_type), (404, "text/html; charset=utf-8"));
}
