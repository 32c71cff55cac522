//! Section 3: registering a document, once.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use einvoice_sandbox::{Fault, PortalOperation, PortalSettings, Sandbox, ScriptedFault, TaxpayerEntry};
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::raw::{BUYER, RawClient, SELLER, SISTER, call, codes, invoice, portal};

async fn ready() -> (Sandbox, RawClient) {
    let sandbox = portal(PortalSettings::default());
    let client = RawClient::logged_in(&sandbox, SELLER).await;
    (sandbox, client)
}

/// Codes of the refusal of a changed invoice.
async fn refused(change: impl FnOnce(&mut Value)) -> Vec<String> {
    let (sandbox, client) = ready().await;
    let mut document = invoice("A/1");
    change(&mut document);
    codes(&call(&sandbox, &client.generate(&document)).await)
}

#[tokio::test]
async fn a_correct_invoice_is_registered_with_a_fifteen_digit_acknowledgement() {
    let (sandbox, client) = ready().await;
    let reply = call(&sandbox, &client.generate(&invoice("A/1"))).await;
    assert_eq!(reply["InfoDtls"], Value::Null);
    let data = client.opened(&reply);
    assert_eq!(data["AckNo"].as_u64().unwrap().to_string().len(), 15);
    assert_eq!(
        (&data["AckDt"], &data["Status"], &data["EwbNo"]),
        (&json!("2026-11-05 12:00:00"), &json!("ACT"), &Value::Null)
    );
    let line = &sandbox.invoices()[0];
    assert_eq!((line.key.as_str(), line.registrations, line.attempts), ("29AABCE1234F1Z1/2026-27/INV/A/1", 1, 1));
    assert_eq!(line.irn.as_deref(), data["Irn"].as_str());
}

#[tokio::test]
async fn the_same_number_again_is_a_duplicate_that_names_the_first_in_any_case() {
    let (sandbox, client) = ready().await;
    let first = client.opened(&call(&sandbox, &client.generate(&invoice("A/b1"))).await);
    let again = call(&sandbox, &client.generate(&invoice("a/B1"))).await;
    assert_eq!(codes(&again), ["2150"]);
    assert_eq!(again["Data"], Value::Null);
    let info = &again["InfoDtls"][0];
    assert_eq!((&info["InfCd"], &info["Desc"]["Irn"]), (&json!("DUPIRN"), &first["Irn"]));
    assert_eq!(info["Desc"]["AckNo"], first["AckNo"]);
    assert_eq!((sandbox.invoices()[0].registrations, sandbox.invoices()[0].attempts), (1, 2));
}

#[tokio::test]
async fn a_cancelled_number_cannot_be_used_again() {
    let (sandbox, client) = ready().await;
    let first = client.opened(&call(&sandbox, &client.generate(&invoice("A/1"))).await);
    client.opened(&call(&sandbox, &client.cancel(first["Irn"].as_str().unwrap(), "2")).await);
    assert_eq!(codes(&call(&sandbox, &client.generate(&invoice("A/1"))).await), ["2278"]);
}

#[tokio::test]
async fn base64_inside_the_encryption_is_read_as_well() {
    let (sandbox, client) = ready().await;
    let twice = STANDARD.encode(invoice("A/1").to_string());
    assert_eq!(call(&sandbox, &client.generate_text(&twice)).await["Status"], 1);
}

#[tokio::test]
async fn member_names_are_read_in_any_case() {
    let (sandbox, client) = ready().await;
    let text = invoice("A/1").to_string().replace("\"Gstin\"", "\"GSTIN\"").replace("\"Pos\"", "\"POS\"");
    let data = client.opened(&call(&sandbox, &client.generate_text(&text)).await);
    assert!(data["Irn"].is_string());
}

#[tokio::test]
async fn a_schema_violation_is_5002_and_names_every_field() {
    let (sandbox, client) = ready().await;
    let mut document = invoice("A/1");
    document["BuyerDtls"]["LglNm"] = json!("x");
    document["ItemList"][0]["HsnCd"] = json!("12345");
    document["ItemList"][0]["UnitPrice"] = json!(1.2345);
    document["ValDtls"].as_object_mut().unwrap().remove("TotInvVal");
    let reply = call(&sandbox, &client.generate(&document)).await;
    assert_eq!(codes(&reply), ["5002"]);
    let text = reply["ErrorDetails"][0]["ErrorMessage"].as_str().unwrap();
    for field in ["BuyerDtls.LglNm", "ItemList[0].HsnCd", "ItemList[0].UnitPrice", "ValDtls.TotInvVal"] {
        assert!(text.contains(field), "{field} in {text}");
    }
}

#[tokio::test]
async fn a_member_given_twice_in_different_case_is_refused() {
    let (sandbox, client) = ready().await;
    let text = invoice("A/1").to_string().replace("\"Version\"", "\"version\":\"1.1\",\"Version\"");
    let reply = call(&sandbox, &client.generate_text(&text)).await;
    assert!(reply["ErrorDetails"][0]["ErrorMessage"].as_str().unwrap().contains("Version is given twice"), "{reply}");
}

#[tokio::test]
async fn totals_that_do_not_foot_are_refused_each_with_its_code() {
    assert_eq!(refused(|document| document["ValDtls"]["TotInvVal"] = json!(1300)).await, ["2189"]);
    assert_eq!(refused(|document| document["ValDtls"]["AssVal"] = json!(1)).await, ["2182"]);
    let several = refused(|document| {
        document["ItemList"][0]["IgstAmt"] = json!(500);
        document["ItemList"][0]["AssAmt"] = json!(900);
    });
    let several = several.await;
    for code in ["2193", "2194", "2235", "2182", "2185"] {
        assert!(several.contains(&code.to_owned()), "{code} in {several:?}");
    }
}

#[tokio::test]
async fn a_total_within_the_portals_tolerance_is_accepted() {
    let (sandbox, client) = ready().await;
    let mut document = invoice("A/1");
    document["ValDtls"]["TotInvVal"] = json!(1187.00);
    assert_eq!(call(&sandbox, &client.generate(&document)).await["Status"], 1);
}

#[tokio::test]
async fn the_wrong_kind_of_tax_is_refused_through_the_rulebook() {
    let refused = refused(|document| {
        document["BuyerDtls"]["Pos"] = json!("29");
    });
    let refused = refused.await;
    assert!(refused.contains(&"2172".to_owned()), "{refused:?}");
}

#[tokio::test]
async fn a_document_of_another_taxpayer_is_refused() {
    let (sandbox, _) = ready().await;
    let sister = RawClient::logged_in(&sandbox, SISTER).await;
    assert_eq!(codes(&call(&sandbox, &sister.generate(&invoice("A/1"))).await), ["2143"]);
}

#[tokio::test]
async fn a_document_from_tomorrow_is_refused() {
    assert!(refused(|document| document["DocDtls"]["Dt"] = json!("06/11/2026")).await.contains(&"2163".to_owned()));
    assert_eq!(refused(|document| document["DocDtls"]["Dt"] = json!("31/02/2026")).await, ["2144"]);
}

#[tokio::test]
async fn a_thousand_and_one_items_are_too_many() {
    let too_many = refused(|document| {
        let item = document["ItemList"][0].clone();
        document["ItemList"] = Value::Array(vec![item; 1001]);
    });
    assert_eq!(too_many.await, ["2173"]);
}

#[tokio::test]
async fn a_buyer_the_registry_does_not_know_or_that_has_ended_is_refused() {
    for (status, code) in [("UNKNOWN", "3028"), ("CNL", "3029")] {
        let entry = TaxpayerEntry { gstin: BUYER.into(), status: status.into(), ..TaxpayerEntry::default() };
        let settings = PortalSettings { taxpayers: vec![entry], ..PortalSettings::default() };
        let sandbox = portal(settings);
        let client = RawClient::logged_in(&sandbox, SELLER).await;
        assert_eq!(codes(&call(&sandbox, &client.generate(&invoice("A/1"))).await), [code]);
    }
}

#[tokio::test]
async fn an_e_way_bill_is_made_with_the_irn_and_a_failed_one_does_not_refuse_it() {
    let (sandbox, client) = ready().await;
    let mut document = invoice("A/1");
    document["EwbDtls"] = json!({"TransMode": "1", "Distance": 0, "VehNo": "KA01AB1234", "VehType": "R"});
    let reply = call(&sandbox, &client.generate(&document)).await;
    let data = client.opened(&reply);
    assert_eq!(data["EwbNo"].as_u64().unwrap().to_string().len(), 12);
    assert_eq!(data["EwbValidTill"], "2026-11-11 23:59:00");
    assert_eq!(reply["InfoDtls"], json!([{"InfCd": "EWBPPD", "Desc": "Pin-Pin calc distance: 1066KM"}]));
    let irn = data["Irn"].as_str().unwrap();
    assert_eq!(codes(&call(&sandbox, &client.cancel(irn, "1")).await), ["2230"]);

    let mut document = invoice("A/2");
    document["EwbDtls"] = json!({"TransMode": "1", "Distance": 10});
    let reply = call(&sandbox, &client.generate(&document)).await;
    assert_eq!(client.opened(&reply)["EwbNo"], Value::Null);
    assert_eq!(reply["InfoDtls"][0]["InfCd"], "EWBERR");
    assert_eq!(reply["InfoDtls"][0]["Desc"][0]["ErrorCode"], "4011");
}

#[tokio::test]
async fn a_lost_reply_leaves_the_document_registered_and_a_lost_request_does_not() {
    let (sandbox, client) = ready().await;
    sandbox.push_fault(ScriptedFault::once(PortalOperation::GenerateIrn, Fault::DropReplyAfterCommit));
    let reply = sandbox.exchange(&client.generate(&invoice("A/1"))).await.unwrap();
    assert_eq!(reply.delivery, einvoice_sandbox::Delivery::Dropped);
    assert_eq!(call(&sandbox, &client.by_document("A/1", "05/11/2026")).await["Status"], 1);

    sandbox.push_fault(ScriptedFault::once(PortalOperation::GenerateIrn, Fault::DropBeforeProcessing));
    sandbox.exchange(&client.generate(&invoice("A/2"))).await.unwrap();
    assert_eq!(codes(&call(&sandbox, &client.by_document("A/2", "05/11/2026")).await), ["2154"]);
    assert_eq!(sandbox.calls()[&PortalOperation::GenerateIrn], 2);
}

#[tokio::test]
async fn a_registration_at_another_portal_can_be_scripted() {
    let (sandbox, client) = ready().await;
    let info = json!({"InfCd": "DUPIRNGLP", "RegIrp": "IRP5", "Desc": {"AckNo": 1, "AckDt": "-", "Irn": "ab"}});
    let fault = json!({"fault": {"kind": "error_with_info", "code": "2295", "info": [info]}});
    sandbox.push_fault(serde_json::from_value(fault).unwrap());
    let reply = call(&sandbox, &client.generate(&invoice("A/1"))).await;
    assert_eq!((codes(&reply), &reply["InfoDtls"][0]["RegIrp"]), (vec!["2295".to_owned()], &json!("IRP5")));
}

#[tokio::test]
async fn before_june_2025_numbers_that_differ_in_case_are_two_documents() {
    let sandbox = portal(PortalSettings::default());
    sandbox.set_time("2025-05-20T06:30:00Z".parse().unwrap());
    let client = RawClient::logged_in(&sandbox, SELLER).await;
    let dated = |number| {
        let mut document = invoice(number);
        document["DocDtls"]["Dt"] = json!("20/05/2025");
        document
    };
    for number in ["A/b1", "a/B1"] {
        assert_eq!(call(&sandbox, &client.generate(&dated(number))).await["Status"], 1);
    }
    sandbox.advance(SignedDuration::from_hours(24 * 20));
    let client = RawClient::logged_in(&sandbox, SELLER).await;
    assert_eq!(codes(&call(&sandbox, &client.generate(&dated("A/b1"))).await), ["2150"]);
}
