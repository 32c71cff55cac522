//! Bad input is normal input: no bytes make the portal panic, and none of them register anything.

use std::cell::RefCell;
use std::sync::Arc;

use einvoice_core::entropy::SeededEntropy;
use einvoice_sandbox::{Portal, PortalRequest, PortalSettings};
use proptest::prelude::*;
use serde_json::json;

use crate::raw::{RawClient, SELLER, call, invoice, noon, portal};

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
