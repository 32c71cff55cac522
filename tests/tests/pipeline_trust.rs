//! The pipeline between parties that cannot all be trusted: a portal whose replies say too much, books
//! that refuse some results for ever, a disk that fails between two writes, sources that name their
//! records alike. Nothing is believed, lost or starved by it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::time::Duration;

use einvoice_core::clock::{Clock, later};
use einvoice_core::ledger::{AttemptOutcome, ClaimRequest, NewIntent, Work, WorkerId};
use einvoice_core::operation::{OperationKind, Registration, RegistrationStatus};
use einvoice_core::pipeline::{PipelineError, Silent, SourcePart, StopSignal};
use einvoice_core::state::DocumentState::{Cancelled, Invalid, Ready, Registered, Unknown};
use einvoice_sandbox::{Fault, PortalOperation};
use einvoice_testkit::documents::{Recipe, gstin};
use einvoice_testkit::memory::ListSource;
use support::meddled::Meddled;
use support::tampered::{Tampered, Tampering};
use support::{SOURCE, World};

fn documents(numbers: std::ops::RangeInclusive<u32>) -> Vec<String> {
    numbers.map(|number| Recipe::numbered(number).json()).collect()
}

fn refusal(code: &str) -> Fault {
    Fault::Error { code: code.into(), message: String::new() }
}

async fn failed_run(world: &World) -> PipelineError {
    world.pipeline().await.run_once(std::sync::Arc::new(Silent), StopSignal::new()).await.unwrap_err()
}

async fn count(world: &World, state: einvoice_core::state::DocumentState) -> usize {
    world.states().await.into_iter().filter(|found| *found == state).count()
}

#[tokio::test]
async fn results_that_the_books_always_refuse_do_not_keep_the_others_back() {
    let mut world = World::new(documents(1..=7)).await;
    world.target = world.target.in_batches_of(2);
    world.target.refuse(["record-0", "record-1", "record-4"].map(str::to_owned));
    let report = world.run().await;
    assert_eq!((report.registered, report.delivered["target"]), (7, 4), "{report:?}");
    assert_eq!(report.failures.len(), 3, "{report:?}");
    world.target.refuse([]);
    assert_eq!(world.run().await.delivered["target"], 3);
}

#[tokio::test]
async fn a_question_that_is_due_soon_is_waited_for_behind_a_thousand_that_are_not() {
    let world = World::new(documents(1..=1_001)).await;
    world.faults(PortalOperation::Auth, refusal("1019"), 100);
    assert_eq!(world.run().await.open["ready"], 1_001);
    world.sandbox.clear_faults();
    let worker = WorkerId("before".into());
    let request = ClaimRequest {
        worker: worker.clone(),
        work: Work::Send,
        limit: 2_000,
        lease: Duration::from_mins(5),
        skip_suppliers: std::collections::BTreeSet::new(),
    };
    let mut claimed = world.ledger.claim(request).await.unwrap();
    claimed.sort_by_key(|claimed| claimed.id);
    let last = claimed.last().unwrap().id;
    let now = world.clock.now();
    let lose = claimed.iter().map(|claimed| {
        let ledger = std::sync::Arc::clone(&world.ledger);
        let intent = NewIntent {
            document: claimed.id,
            worker: worker.clone(),
            route: world.routes[0].name.clone(),
            site: world.routes[0].transport.capability().site.clone(),
            gstin: claimed.key.supplier,
            payload_hash: claimed.payload_hash,
        };
        let wait = if claimed.id == last { Duration::from_secs(20) } else { Duration::from_hours(10) };
        async move {
            let intent = ledger.intend(intent).await.unwrap();
            let ask_at = later(now, wait).unwrap();
            let (errors, info) = (Vec::new(), Vec::new());
            let outcome = AttemptOutcome::Unknown { reason: "lost".into(), ask_at, errors, info };
            ledger.record(intent.attempt, outcome).await.unwrap();
        }
    });
    futures_util::future::join_all(lose).await;
    world.advance(Duration::from_secs(1));
    let report = world.run().await;
    assert_eq!((report.registered, report.open["unknown"]), (1, 1_000), "{:?}", report.open);
}

#[tokio::test]
async fn a_cursor_is_not_moved_before_every_document_behind_it_is_kept() {
    let clash = Recipe { items: 3, ..Recipe::numbered(1) }.json();
    let mut world = World::new([Recipe::numbered(1).json(), clash]).await;
    world.source = world.source.with_checkpoint();
    // The disk is full once the first batch is stored, before the document that was turned away is.
    let honest = Meddled { batches: 1.into(), ..Meddled::around(&world) }.takes_over(&mut world);
    failed_run(&world).await;
    assert_eq!(honest.cursor(SOURCE).await.unwrap(), None);
    world.ledger = honest;
    world.run().await;
    assert_eq!(world.states().await, [Registered, Invalid]);
    assert!(world.ledger.cursor(SOURCE).await.unwrap().is_some());
}

#[tokio::test]
async fn records_of_two_sources_that_bear_one_name_are_two_records() {
    let mut world = World::new(documents(1..=1)).await;
    let other = ListSource::of([Recipe { items: 3, ..Recipe::numbered(1) }.json()]);
    world.further_sources = vec![SourcePart { name: "branch".into(), source: std::sync::Arc::new(other) }];
    let report = world.run().await;
    assert_eq!(report.clashes.len(), 1, "{report:?}");
    assert!(report.clashes[0].message.contains("the first one read keeps the number"), "{:?}", report.clashes);
    assert_eq!(world.states().await, [Registered, Invalid], "the one turned away is kept for a person");
}

fn call_it_cancelled(registration: &mut Registration) {
    registration.status = RegistrationStatus::Cancelled;
}

fn call_it_something(registration: &mut Registration) {
    registration.status = RegistrationStatus::Other("XYZ".into());
}

#[tokio::test]
async fn a_reply_that_does_not_call_the_registration_active_is_asked_about() {
    for change in [call_it_cancelled, call_it_something] {
        let mut world = World::new(documents(1..=1)).await;
        Tampered::takes_over(&mut world, OperationKind::GenerateIrn, Tampering::Change(change));
        world.run().await;
        assert_eq!(world.calls(PortalOperation::GetIrnByDocument), 1);
        assert_eq!(world.states().await, [Registered], "what the portal says when asked counts");
    }
}

#[tokio::test]
async fn a_status_that_nobody_knows_settles_nothing_and_a_cancelled_one_is_cancelled() {
    let changes: [fn(&mut Registration); 2] = [call_it_something, call_it_cancelled];
    for (change, state) in changes.into_iter().zip([Unknown, Cancelled]) {
        let mut world = World::new(documents(1..=1)).await;
        world.fault(PortalOperation::GenerateIrn, Fault::DropReplyAfterCommit);
        Tampered::takes_over(&mut world, OperationKind::GetIrnByDocument, Tampering::Change(change));
        world.run().await;
        assert_eq!(world.states().await, [state]);
    }
}

/// What the portal says beside its own signature, every time it is asked, must not keep a document open.
#[tokio::test]
async fn a_misstated_acknowledgement_gives_way_to_the_signed_one() {
    let change = |registration: &mut Registration| {
        registration.ack_no = "1".repeat(15);
        registration.ack_date = einvoice_core::date::PortalTime::parse("2026-11-01 09:00:00").unwrap();
    };
    for operation in [OperationKind::GenerateIrn, OperationKind::GetIrnByDocument] {
        let mut world = World::new(documents(1..=1)).await;
        if operation == OperationKind::GetIrnByDocument {
            world.fault(PortalOperation::GenerateIrn, Fault::DropReplyAfterCommit);
        }
        Tampered::takes_over(&mut world, operation, Tampering::Change(change));
        world.run().await;
        let status = world.statuses().await.remove(0);
        assert_eq!(status.state, Registered, "{operation}");
        let registration = status.registration.unwrap();
        assert_eq!(Some(&registration.ack_no), world.books()[0].ack_no.as_ref(), "{operation}");
        assert!(registration.ack_date.to_string().starts_with("2026-11-20"), "{}", registration.ack_date);
        assert_eq!(world.target.receipts()[0].registration.as_ref().unwrap().ack_no, registration.ack_no);
        assert_eq!(world.calls(PortalOperation::GenerateIrn), 1);
    }
}

#[tokio::test]
async fn attempts_that_were_turned_away_at_the_door_are_no_stumbles_of_the_portal() {
    let world = World::new(documents(1..=1)).await;
    world.faults(PortalOperation::GenerateIrn, refusal("118"), 5);
    for _ in 0..5 {
        world.run().await;
        world.advance(Duration::from_mins(20));
    }
    assert_eq!(world.states().await, [Ready]);
    world.fault(PortalOperation::GenerateIrn, refusal("5001"));
    world.run().await;
    assert_eq!(world.states().await, [Registered], "one stumble is not the fifth");
}

#[tokio::test]
async fn a_document_that_never_got_out_by_one_route_goes_by_the_next_in_the_same_run() {
    let mut world = World::new(documents(1..=1)).await;
    let honest = Tampered::takes_over(&mut world, OperationKind::GenerateIrn, Tampering::NotSent);
    world.routes.push(support::route("second", honest));
    let report = world.run().await;
    assert_eq!(report.registered, 1, "{report:?}");
    assert_eq!(world.statuses().await[0].route.as_ref().unwrap().as_str(), "second");
}

#[tokio::test]
async fn a_lease_too_short_for_a_call_is_refused_before_anything_is_done() {
    let mut world = World::new(documents(1..=1)).await;
    let longest = world.routes[0].transport.capability().call_time_max;
    world.settings.lease_seconds = longest.as_secs() * 4 - 1;
    let error = failed_run(&world).await.to_string();
    let (lease, needed) = (world.settings.lease_seconds.to_string(), (longest.as_secs() * 4).to_string());
    for named in ["run.lease_seconds", &lease, &needed, "emulator"] {
        assert!(error.contains(named), "{named}: {error}");
    }
    assert!(world.states().await.is_empty());
    world.settings.lease_seconds += 1;
    assert_eq!(world.run().await.registered, 1);
}

#[tokio::test]
async fn nothing_is_sent_under_a_claim_that_may_end_before_the_answer_comes() {
    let mut world = World::new(documents(1..=4)).await;
    world.settings.concurrency_per_gstin = Some(1);
    // Answers come so late that less of the lease is left for the last one than a call may take.
    world.faults(PortalOperation::GenerateIrn, Fault::Delay { ms: 59_000 }, 3);
    let meddled = Meddled::around(&world);
    let handed_out = std::sync::Arc::clone(&meddled.handed_out);
    meddled.takes_over(&mut world);
    let report = world.run().await;
    assert_eq!(report.registered, 4, "{report:?}");
    assert_eq!(handed_out.lock().unwrap().len(), 5, "the last one was given back and claimed anew");
}

#[tokio::test]
async fn a_wrong_client_pair_costs_one_login_for_all_suppliers_of_its_pan() {
    let suppliers = [7, 29, 33].map(|state| Recipe::numbered(1).by(gstin(state, 1)).json());
    let world = World::new(suppliers).await;
    world.faults(PortalOperation::Auth, refusal("1010"), 100);
    let report = world.run().await;
    assert_eq!(world.calls(PortalOperation::Auth), 1, "the account is protected");
    assert_eq!(report.configuration.len(), 1, "told once: {report:?}");
    assert!(report.configuration[0].message.contains("client id and secret"), "{report:?}");
    assert!(report.unreachable.is_empty(), "{report:?}");
    assert_eq!(count(&world, Ready).await, 3);
    world.sandbox.clear_faults();
    world.advance(Duration::from_mins(16));
    assert_eq!(world.run().await.registered, 3);
}

#[tokio::test]
async fn a_sealing_that_the_portal_cannot_open_stops_the_route_and_no_document() {
    let suppliers = (1..=6).map(|seed| Recipe::numbered(1).by(gstin(29, seed)).json());
    let mut world = World::new(suppliers).await;
    world.settings.concurrency = 1;
    world.faults(PortalOperation::GenerateIrn, refusal("5003"), 100);
    let report = world.run().await;
    assert_eq!(world.calls(PortalOperation::GenerateIrn), 1);
    assert!(report.configuration.iter().any(|note| note.message.contains("whole route")), "{report:?}");
    assert_eq!(count(&world, Ready).await, 6);
}
