//! What nobody but a person can tell any more: steps and registrations whose outcome is lost and whose time at the
//! portal is over, handed over, decided, and never sent again on a guess.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::time::Duration;

use einvoice_core::date::PortalTime;
use einvoice_core::ewb::request::PartB;
use einvoice_core::ewb::{EwbNumber, PartBReason};
use einvoice_core::job::{Job, JobDecision, JobId, JobState, NewJob, Task};
use einvoice_core::ledger::{Decision, HandOver, LedgerError, ReadByHand};
use einvoice_core::operation::{Operation, OperationKind};
use einvoice_core::pipeline::{Seen, SeenError};
use einvoice_core::plan::{self, PlanSwitches};
use einvoice_core::state::{DocumentState, EwbState};
use einvoice_core::verify::Proof;
use einvoice_sandbox::{Fault, PortalOperation};
use support::World;
use support::life::*;

/// Past the days for which the portal hands out what it registered.
const WINDOW: Duration = Duration::from_hours(49);
const WEEK: Duration = Duration::from_hours(7 * 24);

fn time(text: &str) -> PortalTime {
    PortalTime::parse(text).unwrap()
}

fn silent(world: &World, operation: PortalOperation) {
    world.faults(operation, Fault::Html { status: 503 }, 1_000);
}

fn why() -> String {
    "seen at the portal".to_owned()
}

/// Sends a job whose answer is lost, and cannot be asked about on that day.
async fn lost(world: &World, planned: NewJob, step: PortalOperation, fault: Fault, read: PortalOperation) -> JobId {
    world.fault(step, fault);
    silent(world, read);
    let job = outcome(world, planned).await;
    assert_eq!((job.state, &job.hand_over), (JobState::Unknown, &None), "{}", job.message);
    world.sandbox.clear_faults();
    job.id
}

/// A cancellation of the only document whose answer was lost, long ago.
async fn lost_cancellation(fault: Fault) -> (World, JobId) {
    let world = registered().await;
    let planned = plan_cancel(&world).await.unwrap();
    let id = lost(&world, planned, PortalOperation::CancelIrn, fault, PortalOperation::GetIrn).await;
    world.advance(WINDOW);
    world.run().await;
    (world, id)
}

async fn seen(world: &World, job: &Job, seen: Seen) -> Result<JobDecision, SeenError> {
    let effects = world.pipeline().await.effects_of(job, &seen).await?;
    Ok(JobDecision::Done { effects, reason: why() })
}

async fn handed_over(world: &World, id: JobId) -> Job {
    let job = job(world, id).await;
    assert_eq!(job.state, JobState::Unknown, "{}", job.message);
    assert!(job.hand_over.is_some(), "{}", job.message);
    job
}

#[tokio::test]
async fn a_lost_cancellation_is_given_to_a_person_when_the_portal_tells_no_more() {
    let (world, id) = lost_cancellation(Fault::DropReplyAfterCommit).await;
    let handed = handed_over(&world, id).await;
    let (text, irn) = (handed.hand_over.clone().unwrap(), status(&world).await.irn.unwrap().to_string());
    let command = format!("`einvoice resolve --job {} --done --at TIME`", id.0);
    for part in [&maker().to_string(), &irn, "20/11/2026", "GST portal's e-invoice download", &command, "`--not-done`"]
    {
        assert!(text.contains(part), "`{part}` is missing: {text}");
    }
    assert!(!text.contains("--drop"), "{text}");
    assert_eq!(status(&world).await.state, DocumentState::Cancelling);

    let asked = world.calls(PortalOperation::GetIrn);
    for _ in 0..3 {
        world.advance(WEEK);
        world.run().await;
    }
    assert_eq!(world.calls(PortalOperation::GetIrn), asked, "nobody asks for ever");

    let decision = seen(&world, &handed, Seen { at: Some(time("2026-11-20 12:05:00")), ..Seen::default() }).await;
    world.ledger.decide_job(id, decision.unwrap()).await.unwrap();
    world.run().await;
    assert_eq!(job(&world, id).await.state, JobState::Done);
    let status = status(&world).await;
    assert_eq!(status.state, DocumentState::Cancelled);
    assert_eq!(status.cancellation.unwrap().at, Some(time("2026-11-20 12:05:00")));
    assert_eq!(world.target.receipts().last().unwrap().state, DocumentState::Cancelled);
    assert_eq!(world.calls(PortalOperation::CancelIrn), 1);
}

#[tokio::test]
async fn a_cancellation_that_a_person_saw_undone_is_not_sent_after_its_time() {
    let (world, id) = lost_cancellation(Fault::DropBeforeProcessing).await;
    handed_over(&world, id).await;
    world.ledger.decide_job(id, JobDecision::NotDone { reason: why() }).await.unwrap();
    assert_eq!(status(&world).await.state, DocumentState::Registered);
    world.run().await;
    let job = job(&world, id).await;
    assert_eq!((job.state, job.errors[0].code.as_str()), (JobState::Refused, "2270"));
    assert_eq!(world.calls(PortalOperation::CancelIrn), 1);
    assert_eq!(the_invoice(&world).status.as_deref(), Some("ACT"));
}

#[tokio::test]
async fn a_cancellation_is_never_dropped_and_a_restart_forgets_nothing() {
    let (mut world, id) = lost_cancellation(Fault::DropReplyAfterCommit).await;
    world.restart().await;
    handed_over(&world, id).await;
    let dropped = world.ledger.decide_job(id, JobDecision::Dropped { reason: why() }).await;
    assert!(matches!(dropped, Err(LedgerError::IllegalJobMove { .. })), "{dropped:?}");
    assert_eq!(status(&world).await.state, DocumentState::Cancelling);
}

#[tokio::test]
async fn as_long_as_the_portal_tells_it_is_asked_and_no_person() {
    let world = registered().await;
    let planned = plan_cancel(&world).await.unwrap();
    let fault = Fault::DropReplyAfterCommit;
    let id = lost(&world, planned, PortalOperation::CancelIrn, fault, PortalOperation::GetIrn).await;
    for decision in [JobDecision::NotDone { reason: why() }, JobDecision::Dropped { reason: why() }] {
        let early = world.ledger.decide_job(id, decision).await;
        assert!(matches!(early, Err(LedgerError::IllegalJobMove { .. })), "{early:?}");
    }
    world.advance(Duration::from_hours(2));
    world.run().await;
    assert_eq!((job(&world, id).await.state, world.states().await), (JobState::Done, vec![DocumentState::Cancelled]));
}

#[tokio::test]
async fn a_portal_that_is_silent_when_the_window_closes_is_asked_on_for_a_week() {
    let world = registered().await;
    let planned = plan_bill(&world, by_irn(&world).await).await.unwrap();
    let (step, read) = (PortalOperation::GenerateEwbByIrn, PortalOperation::GetEwb);
    let fault = Fault::DropReplyAfterCommit;
    let id = lost(&world, planned, step, fault, read).await;
    silent(&world, read);
    world.advance(WINDOW);
    world.run().await;
    assert_eq!(job(&world, id).await.hand_over, None, "silence proves nothing about the window");
    world.advance(WEEK);
    world.run().await;
    let handed = handed_over(&world, id).await;

    let made = the_bill(&world);
    let number = EwbNumber::parse(&made.ewb_no).unwrap();
    let till = time(&made.valid_till.unwrap());
    for little in [Seen::default(), Seen { number: Some(number), ..Seen::default() }] {
        let refused = seen(&world, &handed, little).await.unwrap_err();
        assert!(matches!(refused, SeenError::TooLittle { step: OperationKind::GenerateEwbByIrn, .. }), "{refused}");
    }
    let all =
        Seen { number: Some(number), at: Some(time("2026-11-20 12:05:00")), valid_till: Some(till), ..Seen::default() };
    world.ledger.decide_job(id, seen(&world, &handed, all).await.unwrap()).await.unwrap();
    let standing = bill(&world, number).await.standing;
    assert_eq!((standing.state, standing.valid_till), (EwbState::Active, Some(till)));
    assert_eq!(standing.made_at, Some(time("2026-11-20 12:05:00")));
    assert_eq!(status(&world).await.ewb.unwrap().number, number);
    assert_eq!(world.calls(step), 1);
}

#[tokio::test]
async fn what_waits_for_a_person_can_be_asked_about_by_name_and_the_answer_counts() {
    let world = registered().await;
    let planned = plan_bill(&world, by_irn(&world).await).await.unwrap();
    let (step, read) = (PortalOperation::GenerateEwbByIrn, PortalOperation::GetEwb);
    let id = lost(&world, planned, step, Fault::DropReplyAfterCommit, read).await;
    silent(&world, read);
    world.advance(WEEK);
    world.run().await;
    handed_over(&world, id).await;
    let job = carry_out(&world, id).await;
    assert!(job.hand_over.is_some(), "silence takes nothing back");
    world.sandbox.clear_faults();
    assert_eq!(carry_out(&world, id).await.state, JobState::Done);
}

#[tokio::test]
async fn a_bill_that_is_not_found_after_days_is_not_made_a_second_time() {
    let world = World::new([]).await;
    let content = serde_json::json!({
        "supplyType": "O", "subSupplyType": "4", "docType": "CHL", "docNo": "JW/1", "docDate": "20/11/2026",
        "fromGstin": maker().to_string(), "fromTrdName": "Malgudi Textiles", "fromAddr1": "14 Market Road",
        "fromPlace": "Bengaluru", "fromPincode": 560_001, "fromStateCode": 29, "actFromStateCode": 29,
        "toGstin": recipient().to_string(), "toTrdName": "Kabuliwala Traders", "toAddr1": "7 Station Street",
        "toPlace": "Mumbai", "toPincode": 400_001, "toStateCode": 27, "actToStateCode": 27, "transactionType": 1,
        "totalValue": 1000, "igstValue": 180, "cgstValue": 0, "sgstValue": 0, "totInvValue": 1180,
        "transDistance": "250", "transMode": "1", "vehicleNo": VEHICLE, "vehicleType": "R",
        "itemList": [{"productName": "Yarn", "hsnCode": 5205, "quantity": 10, "qtyUnit": "KGS", "taxableAmount": 1000,
            "igstRate": 18, "cgstRate": 0, "sgstRate": 0}]
    });
    let planned = plan::generate_ewb(content.to_string(), "CHL".into(), "JW/1".into(), maker());
    let read = PortalOperation::ReadEwbByDocument;
    let fault = Fault::DropBeforeProcessing;
    let id = lost(&world, planned, PortalOperation::GenerateEwb, fault, read).await;
    // Only active bills are found by their document, so that by now "none" proves nothing.
    world.advance(Duration::from_hours(72));
    world.run().await;
    handed_over(&world, id).await;
    assert_eq!(world.calls(PortalOperation::GenerateEwb), 1);
    world.ledger.decide_job(id, JobDecision::NotDone { reason: why() }).await.unwrap();
    world.run().await;
    assert_eq!(job(&world, id).await.state, JobState::Done);
    assert_eq!(world.sandbox.e_way_bills().len(), 1);
}

#[tokio::test]
async fn a_step_on_a_bill_that_nobody_will_tell_of_is_dropped_and_the_bill_is_read_anew() {
    let (world, number) = with_bill().await;
    let request = PartB {
        number,
        carriage: by_road("KA01AB9999"),
        from_place: "Bengaluru".into(),
        from_state: 29,
        reason: PartBReason::Breakdown,
        remark: "engine".into(),
    };
    let task = Task::UpdatePartB { request: Box::new(request) };
    let switches = PlanSwitches::default();
    let planned = plan::on_bill(&bill(&world, number).await, task, maker(), now(&world), switches).unwrap();
    let (step, read) = (PortalOperation::UpdatePartB, PortalOperation::ReadEwb);
    let id = lost(&world, planned, step, Fault::DropReplyAfterCommit, read).await;
    silent(&world, read);
    world.advance(WEEK);
    world.run().await;
    let handed = handed_over(&world, id).await;
    assert!(handed.hand_over.unwrap().contains("`--drop`"));
    world.ledger.decide_job(id, JobDecision::Dropped { reason: why() }).await.unwrap();
    assert_eq!(job(&world, id).await.state, JobState::Withdrawn);
    assert_eq!(bill(&world, number).await.standing.state, EwbState::Unknown);
    assert_eq!(status(&world).await.ewb_state, EwbState::Unknown);
    assert_eq!(world.calls(step), 1);
}

#[tokio::test]
async fn a_job_whose_route_is_gone_is_given_to_a_person_after_a_week() {
    let mut world = registered().await;
    let planned = plan_cancel(&world).await.unwrap();
    let fault = Fault::DropReplyAfterCommit;
    let id = lost(&world, planned, PortalOperation::CancelIrn, fault, PortalOperation::GetIrn).await;
    world.routes[0].name = einvoice_core::environment::RouteName::new("another");
    world.advance(WINDOW);
    let report = world.run().await;
    assert!(report.configuration.iter().any(|note| note.message.contains("bring it back")), "{report:?}");
    assert_eq!(job(&world, id).await.hand_over, None, "somebody may bring it back");
    world.advance(WEEK);
    world.run().await;
    handed_over(&world, id).await;
}

#[tokio::test]
async fn a_registration_whose_acknowledgement_is_unknown_is_entered_by_a_person() {
    let world = World::new([einvoice_testkit::documents::Recipe::numbered(1).json()]).await;
    world.fault(PortalOperation::GenerateIrn, Fault::DropReplyAfterCommit);
    silent(&world, PortalOperation::GetIrnByDocument);
    world.run().await;
    let id = status(&world).await.id;
    let read = || ReadByHand::new("112610000000099", time("2026-11-20 12:01:00")).unwrap();
    let enter = || Decision::Registered { read: Box::new(read()), reason: why() };
    let early = world.ledger.decide(id, enter()).await;
    assert!(matches!(early, Err(LedgerError::IllegalMove { .. })), "{early:?}");
    world.sandbox.clear_faults();
    world.advance(WINDOW);
    world.run().await;
    let open = status(&world).await;
    let Some(HandOver::Acknowledgement { irn, remedy }) = &open.hand_over else { panic!("{open:?}") };
    assert_eq!(Some(*irn), open.irn);
    assert!(remedy.contains("--registered --ack-no NUMBER --ack-date TIME"), "{remedy}");
    let wrong = world.ledger.decide(id, Decision::NotThere { reason: why() }).await;
    assert!(matches!(wrong, Err(LedgerError::IllegalMove { .. })), "it is there: {wrong:?}");

    // The portal says later that it has nothing: what it said before stands.
    let no = Fault::Error { code: "2154".into(), message: String::new() };
    world.faults(PortalOperation::GetIrnByDocument, no, 100);
    world.advance(Duration::from_hours(25));
    world.run().await;
    assert!(status(&world).await.hand_over.unwrap().is_registered());

    world.ledger.decide(id, enter()).await.unwrap();
    world.run().await;
    let now = status(&world).await;
    assert_eq!((now.state, now.hand_over), (DocumentState::Registered, None));
    assert_eq!(now.registration.unwrap().ack_no, "112610000000099");
    assert!(matches!(now.proof, Some(Proof::SignedPartsMissing { .. })));
    assert_eq!(world.target.receipts().last().unwrap().state, DocumentState::Registered);
    assert_eq!(world.calls(PortalOperation::GenerateIrn), 1);
    let asked = ask(&world, maker(), Operation::GetIrn { irn: now.irn.unwrap(), site: None }).await;
    assert!(asked.is_err(), "the portal tells no more");
}
