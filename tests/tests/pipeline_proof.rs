//! The guards of the exactly-once path, each where nothing but itself stands between a document and a
//! second registration, a false one, or a lost one. Elsewhere the portal's own duplicate check would
//! hide that a guard is gone.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use einvoice_core::clock::Clock as _;
use einvoice_core::irn::{Irn, IrnRule};
use einvoice_core::ledger::{AttemptOutcome, ClaimRequest, NewIntent, Work, WorkerId};
use einvoice_core::operation::{Operation, OperationKind, Registration};
use einvoice_core::pipeline::{Observer, Silent, StopSignal};
use einvoice_core::state::DocumentState::{self, Conflict, Invalid, Ready, Registered, Sent, Unknown};
use einvoice_core::verify::Proof;
use einvoice_sandbox::{Fault, PortalOperation};
use einvoice_testkit::documents::{Recipe, gstin};
use serde_json::json;
use support::World;
use support::meddled::Meddled;
use support::tampered::{Tampered, Tampering};
use support::watched::{Seen, Watched};
use tokio::sync::Barrier;

fn documents(numbers: std::ops::RangeInclusive<u32>) -> Vec<String> {
    numbers.map(|number| Recipe::numbered(number).json()).collect()
}

fn refusal(code: &str) -> Fault {
    Fault::Error { code: code.into(), message: String::new() }
}

/// The sites named in the questions that were seen.
fn sites_asked(seen: &Mutex<Vec<Seen>>) -> Vec<Option<String>> {
    let seen = seen.lock().unwrap();
    let sites = seen.iter().filter_map(|seen| match &seen.operation {
        Operation::GetIrnByDocument { site, .. } => Some(site.clone()),
        _ => None,
    });
    sites.collect()
}

#[tokio::test]
async fn the_intent_is_in_the_ledger_when_the_request_leaves() {
    let mut world = World::new(documents(1..=1)).await;
    let seen = Watched::around(&world).takes_over(&mut world);
    world.run().await;
    let seen = seen.lock().unwrap().clone();
    assert_eq!(seen.len(), 1);
    assert_eq!((seen[0].operation.kind(), seen[0].states.as_slice()), (OperationKind::GenerateIrn, [Sent].as_slice()));
}

#[tokio::test]
async fn whoever_lost_the_lease_sends_nothing() {
    let mut world = World::new(documents(1..=1)).await;
    let honest = Meddled { lost_leases: 1.into(), ..Meddled::around(&world) }.takes_over(&mut world);
    world.run().await;
    assert_eq!(world.calls(PortalOperation::GenerateIrn), 0);
    world.ledger = honest;
    world.advance(Duration::from_secs(world.settings.lease_seconds));
    assert_eq!(world.run().await.registered, 1);
}

#[derive(Debug, Default)]
struct Heard(Mutex<Vec<(String, DocumentState)>>);

impl Observer for Heard {
    fn read(&self, _records: usize) {}
    fn queued(&self, _documents: usize) {}
    fn settled(&self, label: &str, state: DocumentState) {
        self.0.lock().unwrap().push((label.to_owned(), state));
    }
    fn delivered(&self, _target: &str, _receipts: usize) {}
}

#[tokio::test]
async fn an_outcome_that_could_not_be_stored_is_told_to_nobody() {
    let mut world = World::new(documents(1..=1)).await;
    world.ledger = {
        let honest = Meddled { lost_records: 1.into(), ..Meddled::around(&world) }.takes_over(&mut world);
        let heard = Arc::new(Heard::default());
        let observer = Arc::clone(&heard);
        world.pipeline().await.run_once(observer, StopSignal::new()).await.unwrap_err();
        assert!(heard.0.lock().unwrap().is_empty(), "{heard:?}");
        honest
    };
    assert!(world.target.receipts().is_empty() && world.source.acknowledged().is_empty());
    world.restart().await;
    world.advance(Duration::from_mins(10));
    let heard = Arc::new(Heard::default());
    let observer = Arc::clone(&heard);
    world.pipeline().await.run_once(observer, StopSignal::new()).await.unwrap();
    let heard: Vec<DocumentState> = heard.0.lock().unwrap().iter().map(|(_, state)| *state).collect();
    assert_eq!(heard, [Registered]);
}

#[tokio::test]
async fn a_stop_ends_the_call_under_way_and_starts_no_other() {
    let mut world = World::new(documents(1..=3)).await;
    world.settings.concurrency = 1;
    let stop = StopSignal::new();
    Watched { stop: Some(stop.clone()), ..Watched::around(&world) }.takes_over(&mut world);
    let report = world.pipeline().await.run_once(Arc::new(Silent), stop).await.unwrap();
    assert!(report.stopped);
    assert_eq!(world.states().await, [Registered, Ready, Ready]);
    assert_eq!(world.calls(PortalOperation::GenerateIrn), 1);
}

#[tokio::test]
async fn the_question_goes_to_the_site_that_was_sent_to_wherever_the_route_leads_today() {
    let mut world = World::new(documents(1..=1)).await;
    let site = world.routes[0].transport.capability().site.clone();
    world.fault(PortalOperation::GenerateIrn, Fault::DropReplyAfterCommit);
    world.faults(PortalOperation::GetIrnByDocument, Fault::Html { status: 503 }, 100);
    world.run().await;
    assert_eq!(world.states().await, [Unknown]);
    world.sandbox.clear_faults();
    world.advance(Duration::from_hours(2));
    let seen = Watched::around(&world).at_site("elsewhere").takes_over(&mut world);
    world.run().await;
    assert_eq!(sites_asked(&seen), [Some(site)]);
}

#[tokio::test]
async fn a_document_that_may_have_reached_one_site_is_not_sent_to_another() {
    let mut world = World::new(documents(1..=1)).await;
    // Lost, "not there", then turned away at the door: ready, and bound to its route and site.
    world.fault(PortalOperation::GenerateIrn, Fault::DropBeforeProcessing);
    world.fault(PortalOperation::GenerateIrn, refusal("1010"));
    world.run().await;
    assert_eq!(world.states().await, [Ready]);
    world.advance(Duration::from_mins(20));
    let seen = Watched::around(&world).at_site("elsewhere").takes_over(&mut world);
    let report = world.run().await;
    assert!(seen.lock().unwrap().is_empty(), "{seen:?}");
    assert!(report.configuration.iter().any(|note| note.message.contains("leads to site elsewhere")), "{report:?}");
    assert_eq!(world.states().await, [Ready]);
}

#[tokio::test]
async fn the_question_is_asked_with_the_login_that_sent() {
    let mut world = World::new(documents(1..=1)).await;
    world.faults(PortalOperation::Auth, refusal("1019"), 100);
    world.run().await;
    world.sandbox.clear_faults();
    let sender = gstin(33, 5);
    let worker = WorkerId("before".into());
    let request = ClaimRequest {
        worker: worker.clone(),
        work: Work::Send,
        limit: 1,
        lease: Duration::from_mins(5),
        skip_suppliers: BTreeSet::new(),
    };
    let claimed = world.ledger.claim(request).await.unwrap().remove(0);
    let (route, site) = (world.routes[0].name.clone(), world.routes[0].transport.capability().site.clone());
    let payload_hash = claimed.payload_hash;
    let intent = NewIntent { document: claimed.id, worker, route, site, gstin: sender, payload_hash };
    let intent = world.ledger.intend(intent).await.unwrap();
    let (errors, info) = (Vec::new(), Vec::new());
    let outcome = AttemptOutcome::Unknown { reason: "lost".into(), ask_at: world.clock.now(), errors, info };
    world.ledger.record(intent.attempt, outcome).await.unwrap();
    let seen = Watched::around(&world).takes_over(&mut world);
    world.advance(Duration::from_mins(20));
    world.run().await;
    assert_eq!(seen.lock().unwrap()[0].gstin, sender, "a \"not there\" counts only for who sent");
}

#[tokio::test]
async fn only_a_clear_not_there_lets_a_document_be_sent_again() {
    // "Not here", no permission, out of order, a code of no list.
    for code in ["2148", "2143", "5001", "77777"] {
        let world = World::new(documents(1..=1)).await;
        world.fault(PortalOperation::GenerateIrn, Fault::DropBeforeProcessing);
        world.faults(PortalOperation::GetIrnByDocument, refusal(code), 1_000);
        for _ in 0..3 {
            world.run().await;
            world.advance(Duration::from_hours(1));
        }
        assert_eq!(world.states().await, [Unknown], "{code}");
        assert_eq!(world.calls(PortalOperation::GenerateIrn), 1, "{code}");
    }
}

#[tokio::test]
async fn a_named_duplicate_is_neither_registered_nor_sent_again_before_its_signed_copy_was_read() {
    let own = Irn::compute(&Recipe::numbered(1).invoice().document_key().unwrap(), IrnRule::UpperCase);
    let info = json!({"InfCd": "DUPIRN", "Desc": {
        "AckNo": 112_610_000_000_001_u64, "AckDt": "2026-11-20 11:00:00", "Irn": own.to_string()}});
    for code in ["2154", "2148", "5001"] {
        let world = World::new(documents(1..=1)).await;
        let fault = Fault::ErrorWithInfo { code: "2150".into(), message: String::new(), info: vec![info.clone()] };
        world.fault(PortalOperation::GenerateIrn, fault);
        world.faults(PortalOperation::GetIrn, refusal(code), 1_000);
        world.run().await;
        assert!(world.calls(PortalOperation::GetIrn) > 0, "{code}");
        assert_eq!(world.states().await, [Unknown], "{code}");
        assert_eq!(world.calls(PortalOperation::GenerateIrn), 1, "{code}");
        assert!(world.target.receipts().is_empty(), "{code}");
    }
}

#[tokio::test]
async fn a_reply_with_other_content_than_was_sent_is_a_conflict_and_never_registered() {
    let mut world = World::new(documents(1..=1)).await;
    let other = Recipe { items: 5, ..Recipe::numbered(1) }.json();
    Watched { instead: Some(other.into_bytes()).into(), ..Watched::around(&world) }.takes_over(&mut world);
    world.run().await;
    let status = world.statuses().await.remove(0);
    assert_eq!(status.state, Conflict);
    assert!(status.differences.iter().any(|difference| difference.path.starts_with("ItemList")), "{status:?}");
}

#[tokio::test]
async fn a_genuine_reply_about_another_document_is_not_adopted() {
    let mut world = World::new(documents(1..=1)).await;
    let other = Recipe::numbered(2).json();
    Watched { instead: Some(other.into_bytes()).into(), ..Watched::around(&world) }.takes_over(&mut world);
    world.run().await;
    let status = world.statuses().await.remove(0);
    assert_eq!(status.state, Registered, "sent again once the portal said that it is not there");
    assert_eq!(status.registration.unwrap().irn, status.irn.unwrap());
    assert!(world.books().iter().all(|line| line.registrations == 1));
    assert_eq!(world.books().len(), 2);
}

fn without_signed_parts(registration: &mut Registration) {
    (registration.signed_invoice, registration.signed_qr) = (None, None);
}

#[tokio::test]
async fn a_reply_without_its_signed_parts_is_asked_about() {
    let mut world = World::new(documents(1..=1)).await;
    Tampered::takes_over(&mut world, OperationKind::GenerateIrn, Tampering::Change(without_signed_parts));
    world.run().await;
    let status = world.statuses().await.remove(0);
    assert!(matches!(status.proof, Some(Proof::Verified { .. })), "{status:?}");
    assert_eq!(world.calls(PortalOperation::GetIrnByDocument), 1);
}

#[tokio::test]
async fn a_short_pause_does_not_end_a_long_one() {
    let mut world = World::new(documents(1..=2)).await;
    world.fault(PortalOperation::GenerateIrn, refusal("658"));
    world.fault(PortalOperation::GenerateIrn, refusal("118"));
    Watched { together: Some(Barrier::new(2)), ..Watched::around(&world) }.takes_over(&mut world);
    // One pipeline for all runs, as in a service: pauses live in it.
    let pipeline = world.pipeline().await;
    for (minutes, calls) in [(0, 2), (6, 2), (10, 4)] {
        world.advance(Duration::from_mins(minutes));
        pipeline.run_once(Arc::new(Silent), StopSignal::new()).await.unwrap();
        assert_eq!(world.calls(PortalOperation::GenerateIrn), calls);
    }
    assert_eq!(world.states().await, [Registered, Registered]);
}

#[tokio::test]
async fn a_document_that_the_day_makes_right_is_registered_without_an_edit() {
    let tomorrow = Recipe::numbered(1).json().replace("05/11/2026", "21/11/2026");
    let world = World::new([tomorrow]).await;
    world.run().await;
    assert_eq!(world.states().await, [Invalid]);
    world.run().await;
    assert_eq!(world.states().await, [Invalid]);
    world.advance(Duration::from_hours(24));
    let report = world.run().await;
    assert_eq!((report.revised, report.registered), (1, 1), "{report:?}");
}
