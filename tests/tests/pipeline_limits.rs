//! The pipeline where things meet badly: routes that are gone, revisions that come in while a
//! document is being sent, leases that run out, answers that contradict each other. Each test is a
//! way in which a run once could end early, not end at all, or say something untrue.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests fail as tests do")]

mod support;

use std::sync::Arc;
use std::time::Duration;

use einvoice_core::irn::{Irn, IrnRule};
use einvoice_core::pipeline::{RunReport, Silent, StopSignal};
use einvoice_core::state::DocumentState::{Ready, Refused, Registered, Unknown};
use einvoice_core::verify::Proof;
use einvoice_sandbox::{Fault, PortalOperation};
use einvoice_testkit::documents::{Recipe, gstin};
use serde_json::json;
use support::World;
use support::meddled::Meddled;

fn documents(numbers: std::ops::RangeInclusive<u32>) -> Vec<String> {
    numbers.map(|number| Recipe::numbered(number).json()).collect()
}

fn refusal(code: &str) -> Fault {
    Fault::Error { code: code.into(), message: String::new() }
}

/// One run, which must come to an end by itself.
async fn run(world: &World) -> RunReport {
    tokio::time::timeout(Duration::from_mins(1), world.run()).await.expect("the run ends")
}

fn assert_registered_once(world: &World, count: usize) {
    let books = world.books();
    assert_eq!(books.len(), count, "{books:?}");
    assert!(books.iter().all(|line| line.registrations == 1), "{books:?}");
}

fn own_irn(number: u32) -> String {
    Irn::compute(&Recipe::numbered(number).invoice().document_key().unwrap(), IrnRule::UpperCase).to_string()
}

/// Leaves a document whose reply was lost and about which the portal did not answer.
async fn unknown_world() -> World {
    let world = World::new(documents(1..=1)).await;
    world.fault(PortalOperation::GenerateIrn, Fault::DropReplyAfterCommit);
    world.faults(PortalOperation::GetIrnByDocument, Fault::Html { status: 503 }, 100);
    run(&world).await;
    assert_eq!(world.states().await, [Unknown]);
    world.sandbox.clear_faults();
    world.advance(Duration::from_hours(2));
    world
}

#[tokio::test]
async fn a_run_ends_when_the_route_of_an_unknown_document_is_gone_and_says_so() {
    let mut world = unknown_world().await;
    let named = world.routes.clone();
    world.routes[0].name = einvoice_core::environment::RouteName::new("another");
    let report = run(&world).await;
    assert_eq!(world.states().await, [Unknown]);
    assert!(report.configuration.iter().any(|note| note.about == "emulator"), "{report:?}");
    world.routes = named;
    run(&world).await;
    assert_eq!(world.states().await, [Registered]);
    assert_registered_once(&world, 1);
}

#[tokio::test]
async fn a_run_ends_when_the_login_that_a_question_needs_is_refused() {
    let world = unknown_world().await;
    world.advance(Duration::from_hours(1));
    world.faults(PortalOperation::Auth, refusal("1019"), 100);
    let report = run(&world).await;
    assert_eq!(world.states().await, [Unknown]);
    assert!(!report.configuration.is_empty(), "{report:?}");
}

#[tokio::test]
async fn a_document_bound_to_a_route_that_is_gone_does_not_hold_up_its_suppliers_others() {
    let mut world = World::new(documents(1..=1)).await;
    // Lost before the portal saw it, then "not there", then turned away at the door: ready again, and
    // bound to its route, as the first request may still arrive.
    world.fault(PortalOperation::GenerateIrn, Fault::DropBeforeProcessing);
    world.fault(PortalOperation::GenerateIrn, refusal("1010"));
    run(&world).await;
    assert_eq!(world.states().await, [Ready]);
    world.advance(Duration::from_mins(20));
    world.routes[0].name = einvoice_core::environment::RouteName::new("another");
    world.settings.concurrency = 2;
    for (index, document) in documents(2..=8).into_iter().enumerate() {
        world.source.put(&format!("more-{index}"), document);
    }
    let report = run(&world).await;
    assert_eq!(report.registered, 7, "{report:?}");
    assert!(report.configuration.iter().any(|note| note.about == "emulator"), "{report:?}");
    let states = world.states().await;
    assert_eq!(states[0], Ready);
    assert_registered_once(&world, 7);
}

#[tokio::test]
async fn one_stumble_at_the_door_does_not_end_a_suppliers_run() {
    let world = World::new(documents(1..=3)).await;
    world.fault(PortalOperation::Auth, Fault::Html { status: 502 });
    let report = run(&world).await;
    assert_eq!(report.registered, 3, "{report:?}");
}

#[tokio::test]
async fn a_limit_on_some_suppliers_is_no_trouble_of_the_route() {
    let suppliers = (1..=4).map(|seed| Recipe::numbered(1).by(gstin(29, seed)).json());
    let mut world = World::new(suppliers).await;
    world.settings.concurrency = 1;
    world.faults(PortalOperation::GenerateIrn, refusal("118"), 3);
    let report = run(&world).await;
    assert_eq!(report.registered, 1, "{report:?}");
    assert_eq!(report.open["ready"], 3);
    world.advance(Duration::from_mins(6));
    assert_eq!(run(&world).await.registered, 3);
}

#[tokio::test]
async fn a_code_of_no_list_counts_as_a_refusal_once_the_portal_says_that_nothing_is_there() {
    let world = World::new(documents(1..=1)).await;
    world.faults(PortalOperation::GenerateIrn, refusal("77777"), 100);
    for _ in 0..3 {
        run(&world).await;
        world.advance(Duration::from_mins(10));
    }
    assert_eq!(world.states().await, [Refused]);
    assert_eq!(world.calls(PortalOperation::GenerateIrn), 1, "a faulty document is not sent twice");
    assert_eq!(world.calls(PortalOperation::GetIrnByDocument), 1);
    let status = world.statuses().await.remove(0);
    assert!(status.findings.iter().any(|finding| finding.code.as_deref() == Some("77777")), "{status:?}");
}

#[tokio::test]
async fn a_document_over_which_the_portal_always_stumbles_is_left_to_a_person_after_a_few_times() {
    let world = World::new(documents(1..=1)).await;
    world.faults(PortalOperation::GenerateIrn, refusal("5001"), 100);
    for _ in 0..10 {
        run(&world).await;
        world.advance(Duration::from_mins(10));
    }
    assert_eq!(world.states().await, [Refused]);
    assert_eq!(world.calls(PortalOperation::GenerateIrn), 5);
}

#[tokio::test]
async fn a_duplicate_without_a_name_may_be_a_request_under_way_and_is_waited_for() {
    let world = World::new(documents(1..=1)).await;
    world.fault(PortalOperation::GenerateIrn, refusal("2150"));
    let before = einvoice_core::clock::Clock::now(&world.clock);
    run(&world).await;
    assert_eq!(world.states().await, [Registered]);
    assert_eq!(world.calls(PortalOperation::GenerateIrn), 2);
    let waited = einvoice_core::clock::Clock::now(&world.clock).duration_since(before);
    assert!(waited.as_secs() >= 30, "{waited:?}");
    assert_registered_once(&world, 1);
}

#[tokio::test]
async fn a_duplicate_that_names_a_foreign_irn_is_looked_up_by_document() {
    let mut world = World::new(documents(1..=1)).await;
    let info = json!({"InfCd": "DUPIRN", "Desc": {
        "AckNo": 112_610_000_000_001_u64, "AckDt": "2026-11-20 11:00:00", "Irn": "7".repeat(64)}});
    let fault = Fault::ErrorWithInfo { code: "2150".into(), message: String::new(), info: vec![info] };
    world.fault(PortalOperation::GenerateIrn, fault);
    world.settings.settle_patience_seconds = 0;
    run(&world).await;
    assert_eq!(world.calls(PortalOperation::GetIrnByDocument), 1);
    // A portal that contradicts itself proves nothing, not even that it has nothing.
    assert_eq!(world.states().await, [Unknown]);
    assert_eq!(world.calls(PortalOperation::GenerateIrn), 1);
}

#[tokio::test]
async fn a_document_that_another_portal_registered_is_registered_without_a_signed_copy() {
    for (ack_date, state) in [("2026-11-20 11:00:00", Registered), ("-", Unknown)] {
        let world = World::new(documents(1..=1)).await;
        let info = json!({"InfCd": "DUPIRNGLP", "RegIrp": "IRP3", "Desc": {
            "AckNo": 132_610_000_000_001_u64, "AckDt": ack_date, "Irn": own_irn(1)}});
        let fault = Fault::ErrorWithInfo { code: "2295".into(), message: String::new(), info: vec![info] };
        world.fault(PortalOperation::GenerateIrn, fault);
        run(&world).await;
        let status = world.statuses().await.remove(0);
        assert_eq!(status.state, state, "{status:?}");
        assert_eq!(world.calls(PortalOperation::GenerateIrn), 1, "it is not sent again");
        if state == Registered {
            let Some(Proof::SignedPartsMissing { reason }) = &status.proof else { panic!("{status:?}") };
            assert!(reason.contains("IRP3"), "{reason}");
            assert_eq!(status.registration.unwrap().ack_no, "132610000000001");
        }
    }
}

#[tokio::test]
async fn leases_that_run_out_while_documents_wait_for_their_turn_cost_nothing_but_a_second_claim() {
    let mut world = World::new(documents(1..=4)).await;
    world.settings.concurrency_per_gstin = Some(1);
    world.faults(PortalOperation::GenerateIrn, Fault::Delay { ms: 400_000 }, 2);
    run(&world).await;
    run(&world).await;
    let states = world.states().await;
    assert!(states.iter().all(|state| *state == Registered), "{states:?}");
    assert_registered_once(&world, 4);
}

#[tokio::test]
async fn a_revision_that_comes_in_between_claim_and_intent_is_what_is_sent() {
    let mut world = World::new(documents(1..=1)).await;
    world.faults(PortalOperation::Auth, Fault::Html { status: 502 }, 3);
    run(&world).await;
    assert_eq!(world.states().await, [Ready]);
    world.sandbox.clear_faults();
    world.advance(Duration::from_mins(20));
    let corrected = Recipe { items: 2, ..Recipe::numbered(1) };
    world.source.put("record-0", corrected.json());
    Meddled { claim_waits: true, ..Meddled::around(&world) }.takes_over(&mut world);
    let report = run(&world).await;
    assert_eq!((report.revised, report.registered), (1, 1), "{report:?}");
    assert_eq!(world.calls(PortalOperation::GenerateIrn), 1);
    let status = world.statuses().await.remove(0);
    let registration = status.registration.unwrap();
    let claims = registration.signed_qr.unwrap();
    let einvoice_core::verify::TokenVerdict::Genuine(content) = world.verifier.verify(&claims) else {
        panic!("not genuine")
    };
    assert!(content.data.contains("\"ItemCnt\":2"), "{}", content.data);
}

#[tokio::test]
async fn when_the_ledger_fails_the_calls_under_way_are_still_recorded_and_the_rest_is_settled_later() {
    let mut world = World::new(documents(1..=12)).await;
    let honest = Meddled { lost_records: 2.into(), ..Meddled::around(&world) }.takes_over(&mut world);
    let failure = world.pipeline().await.run_once(Arc::new(Silent), StopSignal::new()).await;
    assert!(failure.is_err());
    world.ledger = honest;
    let calls = usize::try_from(world.calls(PortalOperation::GenerateIrn)).unwrap();
    let states = world.states().await;
    let registered = states.iter().filter(|state| **state == Registered).count();
    assert_eq!(registered, calls - 2, "every answer but the two that could not be written: {states:?}");
    world.restart().await;
    world.advance(Duration::from_mins(10));
    run(&world).await;
    assert!(world.states().await.iter().all(|state| *state == Registered));
    assert_registered_once(&world, 12);
}
