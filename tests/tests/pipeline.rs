//! The pipeline over the real ledger and the emulator: what it promises when all goes well and when
//! it does not. The emulator's books are the oracle; they share no code with the pipeline.

mod support;

use std::sync::Arc;
use std::time::Duration;

use einvoice_core::pipeline::{Silent, StopSignal};
use einvoice_core::source::Disposition;
use einvoice_core::state::DocumentState::{Burnt, Conflict, Invalid, Ready, Refused, Registered, Unknown};
use einvoice_core::verify::Proof;
use einvoice_protocol::key_set::KeySet;
use einvoice_sandbox::{Fault, PortalOperation, Sandbox, SandboxCredentials};
use einvoice_testkit::documents::{Recipe, gstin};
use support::World;

fn documents(count: u32) -> Vec<String> {
    (1..=count).map(|number| Recipe::numbered(number).json()).collect()
}

fn assert_registered_once(world: &World, count: usize) {
    let books = world.books();
    assert_eq!(books.len(), count, "{books:?}");
    assert!(books.iter().all(|line| line.registrations == 1), "{books:?}");
}

#[tokio::test]
async fn right_documents_are_registered_verified_and_delivered_and_a_second_run_sends_nothing() {
    let world = World::new(documents(20)).await;
    let report = world.run().await;
    assert_eq!((report.new, report.registered), (20, 20), "{report:?}");
    assert!(!report.needs_person() && !report.unknown_remains());
    for status in world.statuses().await {
        assert_eq!(status.state, Registered);
        assert!(status.delivered);
        assert!(matches!(status.proof, Some(Proof::Verified { .. })), "{:?}", status.proof);
        assert_eq!(status.registration.unwrap().irn, status.irn.unwrap());
    }
    assert_eq!(world.target.receipts().len(), 20);
    assert!(world.source.acknowledged().iter().all(|ack| ack.disposition == Disposition::Done));
    assert_eq!(world.calls(PortalOperation::Auth), 1, "one token serves all");

    let again = world.run().await;
    assert_eq!((again.unchanged, again.registered, again.new), (20, 0, 0), "{again:?}");
    assert_eq!(world.calls(PortalOperation::GenerateIrn), 20);
    assert_eq!(world.target.receipts().len(), 20);
    assert_registered_once(&world, 20);
}

#[tokio::test]
async fn a_document_that_breaks_a_rule_is_kept_with_its_findings_and_never_sent() {
    let wrong = Recipe::numbered(2).json().replace("\"HsnCd\":\"520811\"", "\"HsnCd\":\"52\"");
    let world = World::new([Recipe::numbered(1).json(), wrong]).await;
    let report = world.run().await;
    assert_eq!((report.registered, report.invalid), (1, 1), "{report:?}");
    assert!(report.needs_person());
    let statuses = world.statuses().await;
    let invalid = statuses.iter().find(|status| status.state == Invalid).unwrap();
    assert!(invalid.findings.iter().any(|finding| finding.path == "ItemList[0].HsnCd"), "{:?}", invalid.findings);
    assert_eq!(world.calls(PortalOperation::GenerateIrn), 1);
    // The books hear of it too.
    assert!(world.target.receipts().iter().any(|receipt| receipt.state == Invalid && !receipt.findings.is_empty()));

    // Corrected at the source, it goes through under the same number.
    world.source.put("record-1", Recipe::numbered(2).json());
    let report = world.run().await;
    assert_eq!((report.revised, report.registered, report.unchanged), (1, 1, 1), "{report:?}");
    assert_registered_once(&world, 2);
}

#[tokio::test]
async fn a_reply_lost_after_the_portal_registered_is_settled_by_asking_and_not_sent_again() {
    let world = World::new(documents(1)).await;
    world.fault(PortalOperation::GenerateIrn, Fault::DropReplyAfterCommit);
    let report = world.run().await;
    assert_eq!(world.states().await, [Registered], "{report:?}");
    assert_eq!(world.calls(PortalOperation::GenerateIrn), 1);
    assert_eq!(world.calls(PortalOperation::GetIrnByDocument), 1);
    assert!(!report.unknown_remains());
    assert_registered_once(&world, 1);
}

#[tokio::test]
async fn a_request_lost_before_the_portal_saw_it_is_asked_about_and_then_sent_again() {
    let world = World::new(documents(1)).await;
    world.fault(PortalOperation::GenerateIrn, Fault::DropBeforeProcessing);
    world.run().await;
    assert_eq!(world.states().await, [Registered]);
    assert_eq!(world.calls(PortalOperation::GetIrnByDocument), 1);
    assert_registered_once(&world, 1);
}

#[tokio::test]
async fn whatever_stands_in_for_a_reply_the_document_ends_registered_once() {
    let faults = [
        Fault::Html { status: 502 },
        Fault::Html { status: 200 },
        Fault::HtmlAfterCommit { status: 504 },
        Fault::TruncatedBody,
        Fault::Error { code: "5001".into(), message: String::new() },
        Fault::ErrorAfterCommit { code: "5001".into(), message: String::new() },
        Fault::ErrorAfterCommit { code: "77777".into(), message: "never seen".into() },
        Fault::ErrorAfterCommit { code: "2150".into(), message: String::new() },
    ];
    for fault in faults {
        let world = World::new(documents(1)).await;
        world.fault(PortalOperation::GenerateIrn, fault.clone());
        world.run().await;
        assert_eq!(world.states().await, [Registered], "{fault:?}");
        assert_registered_once(&world, 1);
    }
}

#[tokio::test]
async fn an_outcome_stays_unknown_while_the_portal_does_not_answer_the_question() {
    let world = World::new(documents(1)).await;
    world.fault(PortalOperation::GenerateIrn, Fault::DropReplyAfterCommit);
    world.faults(PortalOperation::GetIrnByDocument, Fault::Html { status: 503 }, 100);
    let report = world.run().await;
    assert_eq!(world.states().await, [Unknown]);
    assert!(report.unknown_remains());
    assert_eq!(world.calls(PortalOperation::GenerateIrn), 1, "nothing is sent again before it is settled");

    world.sandbox.clear_faults();
    world.advance(Duration::from_hours(2));
    world.run().await;
    assert_eq!(world.states().await, [Registered]);
    assert_registered_once(&world, 1);
}

#[tokio::test]
async fn not_there_proves_nothing_after_the_retrieval_window() {
    let world = World::new(documents(1)).await;
    world.fault(PortalOperation::GenerateIrn, Fault::DropBeforeProcessing);
    world.faults(PortalOperation::GetIrnByDocument, Fault::Html { status: 503 }, 100);
    world.run().await;
    world.sandbox.clear_faults();
    world.advance(Duration::from_hours(49));
    let report = world.run().await;
    assert_eq!(world.states().await, [Unknown]);
    assert!(report.unknown_remains());
    assert_eq!(world.calls(PortalOperation::GenerateIrn), 1);
    // Asking goes on, and only once a day: every question is an error in the portal's books.
    let asked = world.calls(PortalOperation::GetIrnByDocument);
    for _ in 0..12 {
        world.advance(Duration::from_hours(2));
        world.run().await;
    }
    assert_eq!(world.calls(PortalOperation::GetIrnByDocument), asked + 1);
}

#[tokio::test]
async fn a_portal_that_holds_another_document_under_the_key_makes_a_conflict_for_a_person() {
    let first = World::new(documents(1)).await;
    first.run().await;
    // Somebody else's ledger, the same portal, the same number with another price.
    let mut second = World::new([Recipe { items: 5, ..Recipe::numbered(1) }.json()]).await;
    second.sandbox = first.sandbox.clone();
    second.routes = first.routes.clone();
    second.verifier = Arc::clone(&first.verifier);
    second.credentials = Arc::clone(&first.credentials);
    let report = second.run().await;
    let statuses = second.statuses().await;
    assert_eq!(statuses[0].state, Conflict, "{report:?}");
    assert!(statuses[0].differences.iter().any(|difference| difference.path.starts_with("ValDtls")));
    assert!(report.needs_person());
}

#[tokio::test]
async fn a_document_registered_before_by_somebody_else_with_the_same_content_is_adopted() {
    let first = World::new(documents(1)).await;
    first.run().await;
    let mut second = World::new(documents(1)).await;
    second.sandbox = first.sandbox.clone();
    second.routes = first.routes.clone();
    second.verifier = Arc::clone(&first.verifier);
    second.credentials = Arc::clone(&first.credentials);
    second.run().await;
    assert_eq!(second.states().await, [Registered]);
    assert_registered_once(&second, 1);
}

#[tokio::test]
async fn a_refusal_is_kept_with_the_portals_words_and_a_burnt_number_is_marked() {
    let refuse = |code: &str| Fault::Error { code: code.into(), message: "the portal's words".into() };
    let world = World::new(documents(1)).await;
    world.fault(PortalOperation::GenerateIrn, refuse("2172"));
    let report = world.run().await;
    let statuses = world.statuses().await;
    assert_eq!(statuses[0].state, Refused, "{report:?}");
    let finding = statuses[0].findings.iter().find(|finding| finding.code.as_deref() == Some("2172")).unwrap();
    assert!(finding.message.contains("the portal's words"), "{finding:?}");
    assert!(report.needs_person());
    // Not sent twice: a faulty document endangers the account.
    world.run().await;
    assert_eq!(world.calls(PortalOperation::GenerateIrn), 1);

    let world = World::new(documents(1)).await;
    world.fault(PortalOperation::GenerateIrn, refuse("2278"));
    world.run().await;
    assert_eq!(world.states().await, [Burnt]);
}

#[tokio::test]
async fn a_reply_signed_by_a_forger_is_not_believed() {
    let mut world = World::new(documents(1)).await;
    let mut keys = KeySet::new();
    // The real key's name on another key: every genuine token looks forged.
    keys.add_pem(&world.sandbox.auth_public_key_pem(), Some(&world.sandbox.signing_kid())).unwrap();
    let honest = std::mem::replace(&mut world.verifier, Arc::new(keys));
    let report = world.run().await;
    assert_eq!(world.states().await, [Unknown], "{report:?}");
    assert!(world.target.receipts().is_empty(), "nothing unverified is told to the books");

    world.verifier = honest;
    world.advance(Duration::from_hours(2));
    world.run().await;
    assert_eq!(world.states().await, [Registered]);
    assert_registered_once(&world, 1);
}

#[tokio::test]
async fn without_the_signing_key_a_document_is_registered_and_says_which_key_is_missing() {
    let mut world = World::new(documents(1)).await;
    world.verifier = Arc::new(KeySet::new());
    world.run().await;
    let statuses = world.statuses().await;
    let kid = world.sandbox.signing_kid();
    assert_eq!(statuses[0].proof, Some(Proof::KeyUnknown { kid }));
}

#[tokio::test]
async fn two_records_with_one_key_and_different_content_are_told_and_only_the_first_is_sent() {
    let other = Recipe { items: 3, ..Recipe::numbered(1) }.json();
    let world = World::new([Recipe::numbered(1).json(), other]).await;
    let report = world.run().await;
    assert_eq!(report.clashes.len(), 1, "{report:?}");
    assert!(report.needs_person());
    assert_eq!(world.states().await, [Registered, Invalid]);
    assert_registered_once(&world, 1);
    // The second reading says the same and sends nothing.
    world.run().await;
    assert_eq!(world.calls(PortalOperation::GenerateIrn), 1);
}

#[tokio::test]
async fn the_same_document_by_two_records_is_registered_once_and_answered_twice() {
    let world = World::new([Recipe::numbered(1).json(), Recipe::numbered(1).json()]).await;
    let report = world.run().await;
    assert_eq!((report.new, report.duplicates), (1, 1), "{report:?}");
    assert_registered_once(&world, 1);
    assert_eq!(world.target.receipts().len(), 2);
}

#[tokio::test]
async fn a_record_changed_after_its_document_was_registered_is_told_on_every_run_and_never_sent() {
    let world = World::new(documents(1)).await;
    world.run().await;
    world.source.put("record-0", Recipe { items: 2, ..Recipe::numbered(1) }.json());
    for _ in 0..2 {
        let report = world.run().await;
        assert_eq!(report.clashes.len(), 1);
        assert!(report.clashes[0].message.contains("cannot be amended"), "{:?}", report.clashes[0]);
    }
    assert_eq!(world.calls(PortalOperation::GenerateIrn), 1);
}

#[tokio::test]
async fn a_registered_record_that_is_no_document_any_more_is_told_with_what_its_source_says_of_it() {
    let world = World::new(documents(1)).await;
    world.run().await;
    world.source.put("record-0", "{".to_owned());
    let report = world.run().await;
    assert_eq!(report.clashes.len(), 1, "{report:?}");
    let message = &report.clashes[0].message;
    assert!(message.starts_with("record-0 had been sent (it is registered), and then: "), "{message}");
    assert!(!message.contains("cannot be amended"), "{message}");
    assert!(report.needs_person());
}

#[tokio::test]
async fn results_that_could_not_be_delivered_are_delivered_by_the_next_run() {
    let world = World::new(documents(3)).await;
    world.target.fail(true);
    let report = world.run().await;
    assert_eq!(report.registered, 3);
    assert!(report.needs_person() && !report.failures.is_empty());
    assert!(world.statuses().await.iter().all(|status| !status.delivered));
    world.target.fail(false);
    let report = world.run().await;
    assert_eq!(report.delivered.get("target"), Some(&3));
    assert_eq!(world.calls(PortalOperation::GenerateIrn), 3);
}

#[tokio::test]
async fn what_a_target_keeps_until_it_has_all_is_owed_until_it_is_shown() {
    let mut world = World::new(documents(7)).await;
    world.target = world.target.clone().in_batches_of(2).keeping();
    world.target.fail(true);
    let report = world.run().await;
    assert_eq!(report.registered, 7);
    assert_eq!(report.failures.len(), 1, "one reason is told of once: {report:?}");
    assert_eq!(report.failures[0].about, "write-back target, 7 results");
    assert!(world.statuses().await.iter().all(|status| !status.delivered));
    world.target.fail(false);
    let report = world.run().await;
    assert_eq!(report.delivered.get("target"), Some(&7));
    let mut shown: Vec<i64> = world.target.receipts().iter().map(|receipt| receipt.reference_id).collect();
    shown.dedup();
    assert_eq!(shown.len(), 7, "each batch was another one");
    assert!(world.statuses().await.iter().all(|status| status.delivered));
    assert!(world.run().await.delivered.get("target").is_none_or(|count| *count == 0));
}

#[tokio::test]
async fn a_wrong_password_stops_the_supplier_after_one_login_and_keeps_the_work() {
    let world = World::new(documents(10)).await;
    world.faults(PortalOperation::Auth, Fault::Error { code: "3002".into(), message: "Invalid login".into() }, 100);
    let report = world.run().await;
    assert!(!report.configuration.is_empty(), "{report:?}");
    assert_eq!(world.calls(PortalOperation::Auth), 1, "the account is protected");
    assert!(world.states().await.iter().all(|state| *state == Ready));
    world.sandbox.clear_faults();
    world.advance(Duration::from_mins(16));
    let report = world.run().await;
    assert_eq!(report.registered, 10);
}

#[tokio::test]
async fn one_suppliers_trouble_does_not_stop_another() {
    let other = gstin(33, 5);
    let mut list = documents(3);
    list.extend((1..=3).map(|number| Recipe::numbered(number).by(other).json()));
    let mut world = World::new(list).await;
    // Only the second supplier has credentials.
    world.credentials = Arc::new(SandboxCredentials::new(world.sandbox.clone(), vec![other.to_string()]));
    let report = world.run().await;
    assert_eq!(report.registered, 3, "{report:?}");
    assert!(!report.configuration.is_empty());
    let states = world.states().await;
    assert_eq!(states.iter().filter(|state| **state == Ready).count(), 3);
}

#[tokio::test]
async fn a_portal_that_is_down_costs_nothing_but_time() {
    let world = World::new(documents(5)).await;
    world.faults(PortalOperation::Auth, Fault::Html { status: 502 }, 100);
    let report = world.run().await;
    assert!(!report.unreachable.is_empty(), "{report:?}");
    assert!(world.states().await.iter().all(|state| *state == Ready));
    assert!(world.calls(PortalOperation::Auth) <= 5);
}

#[tokio::test]
async fn the_next_route_carries_the_document_when_nothing_was_sent_by_the_first() {
    let mut world = World::new(documents(4)).await;
    let dead = Sandbox::in_memory(
        einvoice_sandbox::PortalSettings::default(),
        Arc::new(world.clock.clone()),
        support::entropy(),
    )
    .unwrap();
    let mut fault = einvoice_sandbox::ScriptedFault::once(PortalOperation::Auth, Fault::Html { status: 502 });
    fault.times = 1_000;
    dead.push_fault(fault);
    let first = support::route("dead", Arc::new(dead.transport(support::entropy()).unwrap()));
    world.routes.insert(0, first);
    let report = world.run().await;
    assert_eq!(report.registered, 4, "{report:?}");
    assert!(world.statuses().await.iter().all(|status| status.route.as_ref().unwrap().as_str() == "emulator"));
}

#[tokio::test]
async fn a_token_the_portal_no_longer_accepts_is_replaced_once_and_the_call_repeated() {
    let world = World::new(documents(2)).await;
    world.run().await;
    // Over an hour later the sandbox's token is over.
    world.advance(Duration::from_mins(61));
    world.source.put("record-9", Recipe::numbered(9).json());
    let report = world.run().await;
    assert_eq!(report.registered, 1, "{report:?}");
    assert_eq!(world.calls(PortalOperation::Auth), 2);
}

#[tokio::test]
async fn a_stopped_run_keeps_the_rest_and_the_next_one_goes_on() {
    let world = World::new(documents(50)).await;
    let stop = StopSignal::new();
    stop.stop();
    let report = world.pipeline().await.run_once(Arc::new(Silent), stop).await.unwrap();
    assert!(report.stopped);
    let report = world.run().await;
    assert_eq!(report.registered + report.open.get("ready").copied().unwrap_or_default(), 50, "{report:?}");
    assert_registered_once(&world, 50);
}

#[tokio::test]
async fn a_run_cut_off_between_sending_and_recording_is_settled_by_the_next_process() {
    let mut world = World::new(documents(8)).await;
    // The portal registers and answers late; the run is dropped meanwhile, as when a process dies.
    world.faults(PortalOperation::GenerateIrn, Fault::DropReplyAfterCommit, 3);
    {
        let pipeline = world.pipeline().await;
        let run = pipeline.run_once(Arc::new(Silent), StopSignal::new());
        let _cut_off = tokio::time::timeout(Duration::from_millis(15), run).await;
    }
    world.restart().await;
    world.advance(Duration::from_mins(10));
    world.run().await;
    let states = world.states().await;
    assert!(states.iter().all(|state| *state == Registered), "{states:?}");
    assert_registered_once(&world, 8);
}
