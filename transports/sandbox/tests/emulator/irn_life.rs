//! What happens to an IRN after registration, both systems on one set of books.

use einvoice_sandbox::{Fault, PortalOperation, PortalSettings, Sandbox, ScriptedFault, TaxpayerEntry};
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::raw::{BUYER, EwbClient, RawClient, SELLER, SISTER, call, codes, invoice, noon, portal, seal, verified};

async fn ready(settings: PortalSettings) -> (Sandbox, RawClient, String) {
    let sandbox = portal(settings);
    let client = RawClient::logged_in(&sandbox, SELLER).await;
    let made = client.opened(&call(&sandbox, &client.generate(&invoice("A/1"))).await);
    let irn = made["Irn"].as_str().unwrap().to_owned();
    (sandbox, client, irn)
}

async fn ewb(sandbox: &Sandbox, client: &RawClient, plain: Value) -> Value {
    let data = seal(&client.sek, plain.to_string().as_bytes());
    call(sandbox, &client.post("/eiewb/v1.03/ewaybill", &json!({ "Data": data }))).await
}

fn by_road(irn: &str) -> Value {
    json!({"Irn": irn, "Distance": 250, "TransMode": "1", "VehNo": "KA01AB1234", "VehType": "R"})
}

#[tokio::test]
async fn a_bill_for_an_irn_stands_in_both_systems_and_keeps_the_irn_until_it_is_cancelled() {
    let (sandbox, client, irn) = ready(PortalSettings::default()).await;
    let read = |irn: &str| client.get(&format!("/eiewb/v1.03/ewaybill/irn/{irn}"));
    assert_eq!(codes(&call(&sandbox, &read(&irn)).await), ["4005"]);
    assert_eq!(codes(&ewb(&sandbox, &client, json!({"Irn": irn, "Distance": 1})).await), ["4019"]);
    let made = client.opened(&ewb(&sandbox, &client, by_road(&irn)).await);
    assert_eq!(made["EwbValidTill"], "2026-11-07 23:59:00");
    assert_eq!(codes(&ewb(&sandbox, &client, by_road(&irn)).await), ["4002"]);
    assert_eq!(client.opened(&call(&sandbox, &client.by_irn(&irn)).await)["EwbNo"], made["EwbNo"]);
    assert_eq!(codes(&call(&sandbox, &client.cancel(&irn, "1")).await), ["2230"]);

    let plain = json!({"ewbNo": made["EwbNo"], "cancelRsnCode": 3, "cancelRmrk": "mistake"});
    let data = seal(&client.sek, plain.to_string().as_bytes());
    let at_irp = client.post("/ewaybillapi/v1.03/ewayapi", &json!({"action": "CANEWB", "data": data}));
    assert_eq!(sandbox.exchange(&at_irp).await.unwrap().status, 404);
    let carrier = EwbClient::logged_in(&sandbox, SELLER).await;
    let page = format!("ewayapi/GetEwayBill?ewbNo={}", made["EwbNo"]);
    assert_eq!(carrier.read(&sandbox, &page).await.unwrap()["docNo"], "A/1");
    carrier.act(&sandbox, "CANEWB", &plain).await.unwrap();
    assert_eq!(client.opened(&call(&sandbox, &read(&irn)).await)["Status"], "CNL");
    assert_eq!(sandbox.invoices()[0].ewb_status.as_deref(), Some("CNL"));
    client.opened(&call(&sandbox, &client.cancel(&irn, "1")).await);
    assert_eq!(codes(&ewb(&sandbox, &client, by_road(&irn)).await), ["4000"]);
    assert_eq!(codes(&call(&sandbox, &client.generate(&invoice("A/1"))).await), ["2278"]);
}

#[tokio::test]
async fn nics_sandbox_cancels_a_bill_beside_the_registration_pages() {
    let (sandbox, client, irn) = ready(PortalSettings { ewb_cancel_at_irp: true, ..PortalSettings::default() }).await;
    let made = client.opened(&ewb(&sandbox, &client, by_road(&irn)).await);
    let plain = json!({"ewbNo": made["EwbNo"], "cancelRsnCode": 3, "cancelRmrk": "mistake"});
    let data = seal(&client.sek, plain.to_string().as_bytes());
    let request = client.post("/ewaybillapi/v1.03/ewayapi", &json!({"action": "CANEWB", "data": data}));
    assert_eq!(call(&sandbox, &request).await["status"], "1");
    assert_eq!(sandbox.e_way_bills()[0].state, "cancelled");
}

#[tokio::test]
async fn the_cancellation_window_ends_a_second_after_a_day() {
    let (sandbox, _, irn) = ready(PortalSettings::default()).await;
    sandbox.advance(SignedDuration::from_hours(24) + SignedDuration::from_secs(1));
    let client = RawClient::logged_in(&sandbox, SELLER).await;
    assert_eq!(codes(&call(&sandbox, &client.cancel(&irn, "1")).await), ["2270"]);
}

#[tokio::test]
async fn a_registration_of_the_other_site_is_found_with_the_header_only() {
    let (sandbox, client, irn) = ready(PortalSettings::default()).await;
    sandbox.move_to_site(&irn, "NIC2").await.unwrap();
    for request in [client.by_irn(&irn), client.by_document("A/1", "05/11/2026"), client.cancel(&irn, "1")] {
        assert_eq!(codes(&call(&sandbox, &request).await), ["2148"]);
    }
    assert_eq!(codes(&ewb(&sandbox, &client, by_road(&irn)).await), ["2148"]);
    for mut request in [client.by_irn(&irn), client.by_document("A/1", "05/11/2026"), client.cancel(&irn, "1")] {
        request.headers.push(("irp".into(), "NIC2".into()));
        client.opened(&call(&sandbox, &request).await);
    }
}

#[tokio::test]
async fn registry_controls_reject_sync_and_name_another_portal() {
    let stale = TaxpayerEntry { gstin: BUYER.into(), stale_status: "CNL".into(), ..TaxpayerEntry::default() };
    let sandbox = portal(PortalSettings { taxpayers: vec![stale], ..PortalSettings::default() });
    let client = RawClient::logged_in(&sandbox, SELLER).await;
    assert_eq!(codes(&call(&sandbox, &client.generate(&invoice("A/1"))).await), ["3029"]);
    let synced = client.get(&format!("/eivital/v1.04/Master/syncgstin/{BUYER}"));
    assert_eq!(client.opened(&call(&sandbox, &synced).await)["Status"], "ACT");
    let made = client.opened(&call(&sandbox, &client.generate(&invoice("A/1"))).await);
    sandbox.reject_irn(made["Irn"].as_str().unwrap()).await.unwrap();
    let rejected = |day: &str| client.get(&format!("/eicore/v1.03/Invoice/rejectedirns?date={day}%2F11%2F2026"));
    assert_eq!(client.opened(&call(&sandbox, &rejected("05")).await), json!([made["Irn"]]));
    assert_eq!(client.opened(&call(&sandbox, &rejected("06")).await), json!([]));
    sandbox.register_elsewhere(SELLER, "INV", "A/2", "05/11/2026", "IRP5").await.unwrap();
    let reply = call(&sandbox, &client.generate(&invoice("A/2"))).await;
    assert_eq!((codes(&reply), &reply["InfoDtls"][0]["RegIrp"]), (vec!["2295".to_owned()], &json!("IRP5")));
    let sister = RawClient::logged_in(&sandbox, SISTER).await;
    assert_eq!(codes(&call(&sandbox, &sister.cancel(made["Irn"].as_str().unwrap(), "1")).await), ["2143"]);
}

#[tokio::test]
async fn signed_parts_can_be_genuine_and_of_another_document_or_amount() {
    let (sandbox, client, irn) = ready(PortalSettings::default()).await;
    let pem = sandbox.signing_public_key_pem();
    for (fault, same, total) in [(Fault::AnotherDocument, false, 1185.9), (Fault::OtherAmount, true, 1186.9)] {
        sandbox.push_fault(ScriptedFault::once(PortalOperation::GetIrn, fault));
        let read = client.opened(&call(&sandbox, &client.by_irn(&irn)).await);
        let (_, payload) = verified(read["SignedQRCode"].as_str().unwrap(), &pem);
        let qr: Value = serde_json::from_str(payload["data"].as_str().unwrap()).unwrap();
        assert_eq!((qr["Irn"] == read["Irn"], &qr["TotInvVal"]), (same, &json!(total)));
        assert_eq!(read["Irn"], irn);
    }
}

#[tokio::test]
async fn both_systems_survive_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let open = |seed| {
        let clock = std::sync::Arc::new(einvoice_core::clock::ManualClock::new(noon()));
        let entropy = std::sync::Arc::new(einvoice_core::entropy::SeededEntropy::new(seed));
        Sandbox::open(directory.path(), PortalSettings::default(), clock, entropy).unwrap()
    };
    let sandbox = open(1);
    let client = RawClient::logged_in(&sandbox, SELLER).await;
    let mut document = invoice("A/1");
    document["EwbDtls"] = json!({"TransId": SELLER, "Distance": 10});
    client.opened(&call(&sandbox, &client.generate(&document)).await);
    let carrier = EwbClient::logged_in(&sandbox, SELLER).await;
    let bills = sandbox.e_way_bills();
    assert_eq!((bills.len(), bills[0].state.as_str()), (1, "part_a"));
    drop(sandbox);
    let sandbox = open(2);
    assert_eq!(sandbox.e_way_bills(), bills);
    let plain = json!({"ewbNo": bills[0].ewb_no, "cancelRsnCode": 3, "cancelRmrk": "mistake"});
    carrier.act(&sandbox, "CANEWB", &plain).await.unwrap();
    drop(sandbox);
    assert_eq!(open(3).invoices()[0].ewb_status.as_deref(), Some("CNL"));
}
