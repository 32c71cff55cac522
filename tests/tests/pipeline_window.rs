//! Registrations that the portal's API no longer hands out, or never did: adopted from what is on record, or given
//! to a person who is told which signed copy, whose, of which day, and where.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::time::Duration;

use einvoice_core::irn::{Irn, IrnRule};
use einvoice_core::operation::{Operation, OperationKind};
use einvoice_core::state::DocumentState::{Registered, Unknown};
use einvoice_core::verify::Proof;
use einvoice_sandbox::{Fault, PortalOperation};
use einvoice_testkit::documents::Recipe;
use support::World;
use support::scripted::{Scripted, duplicate_of, lost, refused, refused_naming};

const SUPPLIER: &str = "29";

async fn one() -> World {
    World::new([Recipe::numbered(1).json()]).await
}

fn own_irn() -> Irn {
    Irn::compute(&Recipe::numbered(1).invoice().document_key().unwrap(), IrnRule::UpperCase)
}

/// Answers a registration with a duplicate refusal, and every question with this code.
fn duplicate(world: &World, code: &'static str, date: Option<&'static str>, by: Option<&'static str>) -> Scripted {
    Scripted::around(world, move |operation| match operation {
        Operation::GenerateIrn { .. } => {
            let refusal = if by.is_some() { "2295" } else { "2150" };
            Some(refused_naming(operation, refusal, "duplicate", duplicate_of(own_irn(), date, by)))
        }
        Operation::GetIrn { .. } | Operation::GetIrnByDocument { .. } => Some(refused(operation, code, "no")),
        _ => None,
    })
}

/// Reason and remedy of what is told about a document that stays open.
async fn told(world: &World) -> (String, String) {
    let finding = world.statuses().await.remove(0).findings.remove(0);
    (finding.message, finding.fix.unwrap_or_default())
}

#[track_caller]
fn assert_names(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "`{part}` is missing: {text}");
    }
}

#[tokio::test]
async fn a_named_duplicate_past_the_window_is_adopted_and_the_signed_copy_to_fetch_is_named() {
    let mut world = one().await;
    duplicate(&world, "2283", Some("2026-11-10 09:30:00"), None).takes_over(&mut world);
    world.run().await;
    let status = world.statuses().await.remove(0);
    assert_eq!(status.state, Registered);
    let registration = status.registration.unwrap();
    assert_eq!((registration.ack_no.as_str(), registration.site.as_deref()), ("112610000000001", Some("NIC1")));
    assert_eq!(registration.irn, own_irn());
    let Some(Proof::SignedPartsMissing { reason }) = status.proof else { panic!("{:?}", status.proof) };
    let irn = own_irn().to_string();
    let day = "registered on 10/11/2026 (kept six months, until 10/05/2027)";
    assert_names(&reason, &["GST portal", "e-invoice download", SUPPLIER, &irn, day, "compare it with the books"]);
}

#[tokio::test]
async fn a_lost_reply_past_the_window_is_adopted_where_the_answer_itself_states_the_registration() {
    let mut world = one().await;
    let seen = Scripted::around(&world, |operation| match operation {
        Operation::GenerateIrn { .. } => Some(lost()),
        Operation::GetIrnByDocument { .. } => {
            let info = duplicate_of(own_irn(), Some("2026-11-10 09:30:00"), None);
            Some(refused_naming(operation, "2283", "generated more than 2 days prior", info))
        }
        _ => None,
    })
    .takes_over(&mut world);
    world.run().await;
    assert_eq!(world.states().await, [Registered]);
    assert_eq!(seen.lock().unwrap().len(), 2);
}

#[tokio::test]
async fn a_registration_of_another_portal_is_adopted_with_the_portal_to_fetch_it_from() {
    for code in ["2154", "2148"] {
        let mut world = one().await;
        duplicate(&world, code, Some("2026-11-10 09:30:00"), Some("Clear")).takes_over(&mut world);
        world.run().await;
        let status = world.statuses().await.remove(0);
        assert_eq!(status.state, Registered, "{code}");
        assert_eq!(status.registration.unwrap().site, None, "no header names that portal");
        let Some(Proof::SignedPartsMissing { reason }) = status.proof else { panic!("{:?}", status.proof) };
        assert_names(&reason, &["registered by Clear", "fetch it there", "10/11/2026", &own_irn().to_string()]);
    }
}

#[tokio::test]
async fn another_portals_registration_without_a_date_goes_to_a_person_and_is_never_sent_again() {
    let mut world = one().await;
    let seen = duplicate(&world, "2154", None, Some("Clear")).takes_over(&mut world);
    for _ in 0..3 {
        world.run().await;
        world.advance(Duration::from_hours(25));
    }
    let status = world.statuses().await.remove(0);
    assert_eq!(status.state, Unknown);
    let (reason, remedy) = told(&world).await;
    assert_names(&reason, &["registered by Clear", &own_irn().to_string(), "112610000000001, whose date is not told"]);
    let day = "registered on 20/11/2026 or before";
    assert_names(&remedy, &["Fetch the signed copy from Clear", "GST portal", &own_irn().to_string(), day, "by hand"]);
    let sent = seen.lock().unwrap().iter().filter(|seen| seen.kind() == OperationKind::GenerateIrn).count();
    assert_eq!(sent, 1);
}

#[tokio::test]
async fn another_portals_registration_that_was_not_named_is_never_sent_again() {
    let mut world = one().await;
    let seen = Scripted::around(&world, |operation| match operation {
        Operation::GenerateIrn { .. } => Some(refused(operation, "2295", "registered by other IRP")),
        _ => None,
    })
    .takes_over(&mut world);
    world.run().await;
    world.advance(Duration::from_hours(25));
    world.run().await;
    assert_eq!(world.states().await, [Unknown]);
    let sent = seen.lock().unwrap().iter().filter(|seen| seen.kind() == OperationKind::GenerateIrn).count();
    assert_eq!(sent, 1);
    assert_names(&told(&world).await.1, &[&own_irn().to_string(), "by hand", "Nothing is sent again"]);
}

#[tokio::test]
async fn a_lost_reply_asked_about_past_the_window_goes_to_a_person_as_registered() {
    let world = one().await;
    world.fault(PortalOperation::GenerateIrn, Fault::DropReplyAfterCommit);
    world.faults(PortalOperation::GetIrnByDocument, Fault::Html { status: 503 }, 100);
    world.run().await;
    world.sandbox.clear_faults();
    world.advance(Duration::from_hours(49));
    world.run().await;
    assert_eq!(world.states().await, [Unknown]);
    assert_eq!(world.calls(PortalOperation::GenerateIrn), 1);
    let (reason, remedy) = told(&world).await;
    assert_names(&reason, &["it is registered", "long ago"]);
    let day = "registered on 20/11/2026 or before (kept six months, until 20/05/2027)";
    assert_names(&remedy, &["Sign in to the GST portal as 29", &own_irn().to_string(), day, "Nothing is sent again"]);
}

#[tokio::test]
async fn a_not_there_past_the_window_goes_to_a_person_who_looks_and_says_what_there_is() {
    for code in ["2154", "2148"] {
        let world = one().await;
        world.fault(PortalOperation::GenerateIrn, Fault::DropBeforeProcessing);
        world.faults(PortalOperation::GetIrnByDocument, Fault::Html { status: 503 }, 100);
        world.run().await;
        world.sandbox.clear_faults();
        let no = Fault::Error { code: code.into(), message: String::new() };
        world.faults(PortalOperation::GetIrnByDocument, no, 100);
        world.advance(Duration::from_hours(49));
        world.run().await;
        assert_eq!(world.states().await, [Unknown], "{code}");
        let key = world.statuses().await[0].key.clone().unwrap().to_string();
        let resolve = format!("`einvoice resolve {key} --not-there");
        let remedy = told(&world).await.1;
        assert_names(&remedy, &["GST portal", &own_irn().to_string(), "sent on 20/11/2026", &resolve, "sent again"]);
    }
}
