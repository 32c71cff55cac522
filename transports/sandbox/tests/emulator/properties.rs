//! Bad input is normal input: no bytes make the portal panic, and none of them register anything.

use std::cell::RefCell;
use std::sync::Arc;

use einvoice_core::entropy::SeededEntropy;
use einvoice_sandbox::{Portal, PortalRequest, PortalSettings};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::bills::{bill, cancel, extension, made, vehicle};
use crate::raw::{EwbClient, RawClient, SELLER, call, invoice, noon, portal};

fn target() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("/eivital/v1.04/auth".to_owned()),
        Just("/eicore/v1.03/Invoice".to_owned()),
        Just("/eicore/v1.03/Invoice/Cancel".to_owned()),
        "/eicore/v1.03/Invoice/irn/[0-9a-fA-F%]{0,70}",
        "/eicore/v1.03/Invoice/irnbydocdetails\\?doctype=INV&docnum=.{0,20}&docdate=[0-9/%F]{0,12}",
        "/eivital/v1.04/Master/gstin/.{0,20}",
        "/.{0,60}",
    ]
}

#[test]
fn no_request_makes_the_portal_panic() {
    let emulator = Portal::with_new_keys(PortalSettings::default(), Arc::new(SeededEntropy::new(1))).unwrap();
    // The runner takes a closure that may not change what it captures.
    let emulator = RefCell::new(emulator);
    let names = ["client_id", "client-secret", "Gstin", "user_name", "AuthToken", "irp", "x"];
    let header = (prop::sample::select(names.to_vec()), ".{0,30}");
    let input =
        (target(), prop::bool::ANY, prop::collection::vec(header, 0..6), prop::collection::vec(any::<u8>(), 0..200));
    let mut runner = proptest::test_runner::TestRunner::default();
    let outcome = runner.run(&input, |(target, post, headers, body)| {
        let headers = headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        let method = if post { "POST" } else { "GET" }.to_owned();
        let _reply = emulator.borrow_mut().handle(&PortalRequest { method, target, headers, body }, noon());
        Ok(())
    });
    outcome.unwrap();
    assert!(emulator.borrow().book_lines().is_empty());
}

/// Random damage to a sealed document, behind a valid login: either it is still the document (and is
/// registered once), or it is refused.
#[test]
fn no_damaged_document_makes_the_portal_panic() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let sandbox = portal(PortalSettings::default());
    let client = runtime.block_on(RawClient::logged_in(&sandbox, SELLER));
    let text = invoice("A/1").to_string();
    let damage = prop::collection::vec((0..text.len(), any::<u8>()), 1..4);
    let mut runner = proptest::test_runner::TestRunner::default();
    let outcome = runner.run(&damage, |changes| {
        let mut bytes = text.clone().into_bytes();
        for (position, byte) in changes {
            bytes[position] = byte;
        }
        let sealed = crate::raw::seal(&client.sek, &bytes);
        let reply = runtime.block_on(call(&sandbox, &client.post("/eicore/v1.03/Invoice", &json!({ "Data": sealed }))));
        prop_assert!(reply["Status"] == 0 || reply["Status"] == 1);
        Ok(())
    });
    outcome.unwrap();
    assert!(sandbox.invoices().iter().all(|line| line.registrations <= 1));
}

/// A value that a member should not have, or might.
fn odd_value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        Just(json!([])),
        Just(json!({"ewbNo": -1})),
        any::<i64>().prop_map(|number| json!(number)),
        any::<f64>().prop_map(|number| json!(number)),
        "\\PC{0,20}".prop_map(|text| json!(text)),
        "-?[0-9]{1,16}(\\.[0-9]{1,9})?(e-?[0-9]{1,2})?".prop_map(|text| json!(text)),
        prop::sample::select(vec!["URP", "99", "999999", "é9ABC", "31/02/2026", "O", "I", "5", "29AABCE1234F1Z1"])
            .prop_map(|text| json!(text)),
    ]
}

/// Members of correct requests replaced, every switch of the settings on: each is carried out or refused.
#[test]
fn no_value_of_a_member_makes_the_e_way_bill_system_panic() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let sandbox = portal(PortalSettings {
        ship_to_gstin_from: Some("2026-08-01".into()),
        ewb_distance_tolerance_percent: Some(1000),
        pins_without_distance: vec![400_001],
        ewb_totals_from_items: true,
        ewb_rail_documents_checked: true,
        ..PortalSettings::default()
    });
    let client = runtime.block_on(EwbClient::logged_in(&sandbox, SELLER));
    let number = runtime.block_on(made(&sandbox, &client, &bill("E/1")));
    let requests = [
        ("GENEWAYBILL", bill("E/2")),
        ("VEHEWB", vehicle(number)),
        ("EXTENDVALIDITY", extension(number)),
        ("CANEWB", cancel(number + 1)),
        ("MULTIVEHMOVINT", crate::codes::start(number)),
        ("CLSEWB", json!({"ewbNo": number, "closureDate": "05/11/2026", "closureRemarks": "delivered"})),
    ];
    let change = (any::<prop::sample::Index>(), odd_value());
    let input = (prop::sample::select(requests.to_vec()), prop::collection::vec(change, 1..4), 1..300_usize);
    let mut runner = proptest::test_runner::TestRunner::default();
    let outcome = runner.run(&input, |((action, mut plain), changes, copies)| {
        for (position, value) in changes {
            let members = plain.as_object_mut().unwrap();
            let name = position.get(&members.keys().cloned().collect::<Vec<_>>()).clone();
            if name == "itemList" {
                let items = plain["itemList"][0].as_object().unwrap().keys().cloned().collect::<Vec<_>>();
                plain["itemList"][0][position.get(&items)] = value;
                plain["itemList"] = Value::Array(vec![plain["itemList"][0].clone(); copies]);
            } else {
                members.insert(name, value);
            }
        }
        let answer = runtime.block_on(client.act(&sandbox, action, &plain));
        prop_assert!(answer.is_ok() || answer.is_err_and(|codes| !codes.is_empty()));
        Ok(())
    });
    outcome.unwrap();
}

/// The largest rates on the largest values, in as many items as a request may have.
#[tokio::test]
async fn totals_beyond_all_bounds_are_refused_and_do_not_overflow() {
    let sandbox = portal(PortalSettings { ewb_totals_from_items: true, ..PortalSettings::default() });
    let client = EwbClient::logged_in(&sandbox, SELLER).await;
    let mut plain = bill("E/1");
    for member in ["taxableAmount", "igstRate", "cessRate"] {
        plain["itemList"][0][member] = json!(999_999_999_999_999_u64);
    }
    plain["itemList"] = Value::Array(vec![plain["itemList"][0].clone(); 250]);
    assert_eq!(client.act(&sandbox, "GENEWAYBILL", &plain).await.unwrap_err(), ["620"]);
}
