//! Work on registered documents: steps, crashes between them, lost answers, windows, and what is never done twice.
//! The ledger is the real one; what the portals say beyond registrations is written in each test.
//!
//! One file on purpose: every test plays the same short script with the same few helpers.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::sync::Arc;
use std::time::Duration;

use einvoice_core::date::PortalTime;
use einvoice_core::environment::RouteName;
use einvoice_core::ewb::request::{Carriage, EwbByIrn, Extension, PartB};
use einvoice_core::ewb::{
    Birth, CancelReason, ConsignmentStatus, EwbNumber, ExtensionReason, PartBReason, Standing, TransMode,
};
use einvoice_core::irn::Irn;
use einvoice_core::job::{Bill, BillQuery, Cancellation, Effect, Job, JobId, JobQuery, JobState, NewJob, Task};
use einvoice_core::ledger::{DocumentStatus, LedgerError};
use einvoice_core::operation::{
    EwbChanged, EwbDetails, EwbVehicle, IrnCancelled, MadeEwb, Operation, OperationKind, Registration,
    RegistrationStatus, Reply,
};
use einvoice_core::pipeline::{JobsReport, Silent, StopSignal};
use einvoice_core::plan::{self, PlanSwitches};
use einvoice_core::state::{DocumentState, EwbState};
use einvoice_testkit::documents::{Recipe, gstin};
use support::World;
use support::written::{Answer, Written};

const NUMBER: &str = "391000000077";

fn number() -> EwbNumber {
    EwbNumber::parse(NUMBER).unwrap()
}

fn time(text: &str) -> PortalTime {
    PortalTime::parse(text).unwrap()
}

/// A registered document, and a portal that says beyond that what a test writes.
async fn registered() -> (World, Arc<Written>) {
    let mut world = World::new([Recipe::numbered(1).json()]).await;
    let scripted = Written::takes_over(&mut world);
    world.run().await;
    assert_eq!(world.states().await, [DocumentState::Registered]);
    (world, scripted)
}

/// The same with an active bill.
async fn registered_with_bill() -> (World, Arc<Written>) {
    let (world, scripted) = registered().await;
    let status = status(&world).await;
    world.ledger.learn_bill(bill(&status, EwbState::Active)).await.unwrap();
    (world, scripted)
}

async fn status(world: &World) -> DocumentStatus {
    world.statuses().await.remove(0)
}

fn bill(status: &DocumentStatus, state: EwbState) -> Bill {
    let mut standing = Standing::new(number(), Birth::Irn, gstin(29, 1), state);
    standing.made_at = Some(time("2026-11-20 12:00:00"));
    standing.valid_till = (state != EwbState::PartA).then(|| time("2026-11-21 23:59:00"));
    Bill {
        standing,
        document: Some(status.id),
        route: status.route.clone(),
        site: status.site.clone(),
        changed_at: support::noon(),
    }
}

async fn known_bill(world: &World) -> Standing {
    let query = BillQuery { number: Some(number()), ..BillQuery::default() };
    world.ledger.bills(query).await.unwrap().remove(0).standing
}

async fn plan_cancel(world: &World) -> JobId {
    let status = status(world).await;
    let query = BillQuery { document: Some(status.id), ..BillQuery::default() };
    let bills = world.ledger.bills(query).await.unwrap();
    let now = einvoice_core::clock::Clock::now(&world.clock);
    let job = plan::cancel_irn(&status, bills.first(), CancelReason::OrderCancelled, "order withdrawn", now).unwrap();
    world.ledger.plan(job).await.unwrap()
}

async fn carry_out(world: &World, job: JobId) -> JobsReport {
    world.pipeline().await.carry_out(&[job], Arc::new(Silent), StopSignal::new()).await.unwrap()
}

async fn job(world: &World, id: JobId) -> Job {
    world.ledger.jobs(JobQuery { ids: vec![id], ..JobQuery::default() }).await.unwrap().remove(0)
}

fn ewb_changed() -> Answer {
    Answer::Reply(Reply::EwbChanged(Box::new(EwbChanged {
        number: Some(number()),
        at: Some(time("2026-11-20 13:00:00")),
        ..EwbChanged::default()
    })))
}

async fn irn_cancelled(world: &World) -> Answer {
    let irn = status(world).await.irn.unwrap();
    Answer::Reply(Reply::IrnCancelled(IrnCancelled { irn, cancelled_at: Some(time("2026-11-20 13:01:00")) }))
}

async fn read_irn(world: &World, state: RegistrationStatus) -> Answer {
    let registration = status(world).await.registration.unwrap();
    Answer::Reply(Reply::Registration(Box::new(Registration { status: state, ..registration })))
}

fn details(status: &str) -> EwbDetails {
    EwbDetails {
        number: number(),
        made_at: Some(time("2026-11-20 12:00:00")),
        valid_till: Some(time("2026-11-21 23:59:00")),
        status: status.into(),
        generated_by: Some(gstin(29, 1)),
        is_rejected: false,
        extended: 0,
        distance_km: Some(120),
        transporter: None,
        vehicles: Vec::new(),
        content: "{}".into(),
    }
}

fn read_bill(status: &str) -> Answer {
    Answer::Reply(Reply::EwbDetails(Box::new(details(status))))
}

#[tokio::test]
async fn an_irn_is_cancelled_after_its_bill_and_the_books_hear_of_both() {
    let (world, portal) = registered_with_bill().await;
    portal.expect(OperationKind::CancelEwb, ewb_changed());
    portal.expect(OperationKind::CancelIrn, irn_cancelled(&world).await);
    let id = plan_cancel(&world).await;
    let report = carry_out(&world, id).await;
    assert_eq!(report.jobs[0].state, JobState::Done, "{report:?}");
    let status = status(&world).await;
    assert_eq!((status.state, status.ewb_state), (DocumentState::Cancelled, EwbState::Cancelled));
    let cancellation = status.cancellation.unwrap();
    assert_eq!(cancellation.reason, Some(CancelReason::OrderCancelled));
    assert_eq!(cancellation.at, Some(time("2026-11-20 13:01:00")));
    let receipts = world.target.receipts();
    let last = receipts.last().unwrap();
    assert_eq!(last.state, DocumentState::Cancelled);
    assert_eq!(last.ewb.as_ref().map(|ewb| ewb.state), Some(EwbState::Cancelled));
    assert_eq!(last.cancellation.as_ref().and_then(|one| one.remark.as_deref()), Some("order withdrawn"));
    // The two systems number the reason differently; the calls carry the word.
    assert!(matches!(
        portal.calls().as_slice(),
        [Operation::CancelEwb { reason: CancelReason::OrderCancelled, .. }, Operation::CancelIrn { .. }]
    ));
}

#[tokio::test]
async fn a_job_goes_on_after_the_step_that_was_done_whatever_happened_in_between() {
    let (mut world, portal) = registered_with_bill().await;
    let id = plan_cancel(&world).await;
    portal.expect(OperationKind::CancelEwb, ewb_changed());
    // The second step does not get out, and the program ends.
    portal.expect(OperationKind::CancelIrn, Answer::NotSent);
    world.settings.settle_patience_seconds = 0;
    carry_out(&world, id).await;
    assert_eq!((job(&world, id).await.position, job(&world, id).await.state), (1, JobState::Planned));
    assert_eq!(status(&world).await.state, DocumentState::Registered, "nothing was sent, so the IRN stands");
    world.restart().await;
    world.advance(Duration::from_mins(1));
    portal.expect(OperationKind::CancelIrn, irn_cancelled(&world).await);
    world.run().await;
    assert_eq!(job(&world, id).await.state, JobState::Done);
    assert_eq!(status(&world).await.state, DocumentState::Cancelled);
    assert_eq!(
        portal.kinds(),
        [OperationKind::CancelEwb, OperationKind::CancelIrn, OperationKind::CancelIrn],
        "the bill is cancelled once"
    );
}

#[tokio::test]
async fn a_lost_answer_is_settled_by_reading_and_what_was_done_is_not_done_again() {
    let (world, portal) = registered_with_bill().await;
    let id = plan_cancel(&world).await;
    portal.expect(OperationKind::CancelEwb, Answer::Lost);
    portal.expect(OperationKind::GetEwb, read_bill("CNL"));
    portal.expect(OperationKind::CancelIrn, Answer::Lost);
    portal.expect(OperationKind::GetIrn, read_irn(&world, RegistrationStatus::Cancelled).await);
    carry_out(&world, id).await;
    assert!(portal.is_played());
    assert_eq!(job(&world, id).await.state, JobState::Done);
    let status = status(&world).await;
    assert_eq!((status.state, status.ewb_state), (DocumentState::Cancelled, EwbState::Cancelled));
}

#[tokio::test]
async fn an_unclear_cancellation_stays_cancelling_until_a_read_says_that_the_irn_stands() {
    let (mut world, portal) = registered().await;
    world.settings.settle_patience_seconds = 0;
    let id = plan_cancel(&world).await;
    portal.expect(OperationKind::CancelIrn, Answer::Lost);
    carry_out(&world, id).await;
    assert_eq!(status(&world).await.state, DocumentState::Cancelling);
    assert_eq!(job(&world, id).await.state, JobState::Unknown);
    world.advance(Duration::from_mins(1));
    portal.expect(OperationKind::GetIrn, read_irn(&world, RegistrationStatus::Active).await);
    portal.expect(OperationKind::CancelIrn, irn_cancelled(&world).await);
    carry_out(&world, id).await;
    assert_eq!(status(&world).await.state, DocumentState::Cancelled);
    assert_eq!(portal.kinds(), [OperationKind::CancelIrn, OperationKind::GetIrn, OperationKind::CancelIrn]);
}

#[tokio::test]
async fn not_active_is_asked_about_and_adopted_when_the_irn_is_cancelled() {
    let (world, portal) = registered().await;
    let id = plan_cancel(&world).await;
    portal.expect(OperationKind::CancelIrn, Answer::Refused("9999"));
    portal.expect(OperationKind::GetIrn, read_irn(&world, RegistrationStatus::Cancelled).await);
    carry_out(&world, id).await;
    assert_eq!(job(&world, id).await.state, JobState::Done);
    assert_eq!(status(&world).await.state, DocumentState::Cancelled);
}

#[tokio::test]
async fn a_refused_cancellation_leaves_the_registration_standing_with_the_portals_code() {
    let (world, portal) = registered().await;
    let id = plan_cancel(&world).await;
    portal.expect(OperationKind::CancelIrn, Answer::Refused("2143"));
    let report = carry_out(&world, id).await;
    assert!(report.has_refusals());
    assert_eq!(job(&world, id).await.errors[0].code, "2143");
    assert_eq!(status(&world).await.state, DocumentState::Registered);
}

#[tokio::test]
async fn a_bill_in_the_way_that_nobody_knew_of_is_known_afterwards() {
    let (world, portal) = registered().await;
    let id = plan_cancel(&world).await;
    portal.expect(OperationKind::CancelIrn, Answer::Refused("2230"));
    portal.expect(OperationKind::GetEwbByIrn, made());
    carry_out(&world, id).await;
    let job_now = job(&world, id).await;
    assert_eq!((job_now.state, portal.is_played()), (JobState::Refused, true), "{job_now:?}");
    assert_eq!(known_bill(&world).await.state, EwbState::Active);
    let again = plan_cancel(&world).await;
    assert_eq!(job(&world, again).await.steps, [OperationKind::CancelEwb, OperationKind::CancelIrn]);
}

#[tokio::test]
async fn a_bill_that_cannot_be_cancelled_keeps_its_irn_from_being_cancelled() {
    let (world, portal) = registered_with_bill().await;
    let id = plan_cancel(&world).await;
    portal.expect(OperationKind::CancelEwb, Answer::Refused("312"));
    portal.expect(OperationKind::GetEwb, read_bill("ACT"));
    carry_out(&world, id).await;
    let job = job(&world, id).await;
    assert_eq!((job.state, job.position, job.errors[0].code.as_str()), (JobState::Refused, 0, "312"));
    assert_eq!(status(&world).await.state, DocumentState::Registered);
}

#[tokio::test]
async fn a_step_whose_deadline_passed_while_it_waited_is_not_sent() {
    let (mut world, portal) = registered().await;
    world.settings.settle_patience_seconds = 0;
    let id = plan_cancel(&world).await;
    portal.expect(OperationKind::CancelIrn, Answer::NotSent);
    carry_out(&world, id).await;
    world.advance(Duration::from_hours(24));
    let report = carry_out(&world, id).await;
    assert_eq!((report.jobs[0].state, report.jobs[0].errors[0].code.as_str()), (JobState::Refused, "2270"));
    assert_eq!(portal.kinds(), [OperationKind::CancelIrn]);
}

fn made() -> Answer {
    Answer::Reply(Reply::EwayBill(Box::new(MadeEwb {
        number: number(),
        made_at: Some(time("2026-11-20 12:30:00")),
        valid_till: Some(time("2026-11-21 23:59:00")),
        status: Some("ACT".into()),
        generated_by: None,
        alert: None,
        info: Vec::new(),
    })))
}

async fn plan_bill(world: &World) -> JobId {
    let status = status(world).await;
    let request = EwbByIrn {
        irn: status.irn.unwrap(),
        distance_km: 120,
        transporter: None,
        transporter_name: None,
        carriage: Carriage { mode: Some(TransMode::Road), vehicle: Some("KA01AB1234".into()), ..Carriage::default() },
        ship_to: None,
        dispatch_from: None,
    };
    let job = plan::ewb_by_irn(&status, None, None, request, support::noon()).unwrap();
    world.ledger.plan(job).await.unwrap()
}

#[tokio::test]
async fn a_bill_made_for_an_irn_whose_answer_was_lost_is_found_and_adopted() {
    for answer in [Answer::Lost, Answer::Refused("4002"), Answer::Refused("4026"), Answer::Refused("5001")] {
        let (world, portal) = registered().await;
        let id = plan_bill(&world).await;
        portal.expect(OperationKind::GenerateEwbByIrn, answer);
        portal.expect(OperationKind::GetEwbByIrn, made());
        carry_out(&world, id).await;
        assert_eq!(job(&world, id).await.state, JobState::Done);
        let status = status(&world).await;
        assert_eq!((status.state, status.ewb_state), (DocumentState::Registered, EwbState::Active));
        assert_eq!(status.ewb.unwrap().movement.unwrap().vehicle.as_deref(), Some("KA01AB1234"));
        assert_eq!(portal.kinds(), [OperationKind::GenerateEwbByIrn, OperationKind::GetEwbByIrn]);
    }
}

#[tokio::test]
async fn a_bill_that_is_not_there_is_made_once_more() {
    let (world, portal) = registered().await;
    let id = plan_bill(&world).await;
    portal.expect(OperationKind::GenerateEwbByIrn, Answer::Lost);
    portal.expect(OperationKind::GetEwbByIrn, Answer::Refused("4005"));
    portal.expect(OperationKind::GenerateEwbByIrn, made());
    carry_out(&world, id).await;
    assert!(portal.is_played());
    assert_eq!(job(&world, id).await.state, JobState::Done);
}

fn on_the_bill(world_bill: &Bill, task: Task) -> NewJob {
    plan::on_bill(world_bill, task, gstin(29, 1), support::noon(), PlanSwitches::default()).unwrap()
}

fn extension() -> Task {
    Task::ExtendValidity {
        request: Box::new(Extension {
            number: number(),
            carriage: Carriage {
                mode: Some(TransMode::Road),
                vehicle: Some("KA01AB1234".into()),
                ..Carriage::default()
            },
            from_place: "Hubballi".into(),
            from_state: 29,
            from_pin: 580_020,
            remaining_km: 60,
            reason: ExtensionReason::NaturalCalamity,
            remark: "floods".into(),
            status: ConsignmentStatus::InMovement,
            transit: None,
            address: Vec::new(),
        }),
    }
}

#[tokio::test]
async fn an_extension_waits_for_its_window_and_is_sent_by_the_run_that_comes_then() {
    let (world, portal) = registered_with_bill().await;
    let status = status(&world).await;
    let id = world.ledger.plan(on_the_bill(&bill(&status, EwbState::Active), extension())).await.unwrap();
    world.run().await;
    assert_eq!(portal.kinds(), [], "its time has not come");
    // 21/11/2026 23:59 less eight hours, from noon of the 20th.
    world.advance(Duration::from_hours(28));
    portal.expect(
        OperationKind::ExtendValidity,
        Answer::Reply(Reply::EwbChanged(Box::new(EwbChanged {
            number: Some(number()),
            valid_till: Some(time("2026-11-22 23:59:00")),
            ..EwbChanged::default()
        }))),
    );
    world.run().await;
    assert_eq!(job(&world, id).await.state, JobState::Done);
    let standing = known_bill(&world).await;
    assert_eq!((standing.valid_till, standing.extended), (Some(time("2026-11-22 23:59:00")), 1));
}

#[tokio::test]
async fn an_extension_whose_answer_was_lost_shows_in_the_end_of_the_validity() {
    let (world, portal) = registered_with_bill().await;
    let status = status(&world).await;
    let id = world.ledger.plan(on_the_bill(&bill(&status, EwbState::Active), extension())).await.unwrap();
    world.advance(Duration::from_hours(28));
    portal.expect(OperationKind::ExtendValidity, Answer::Lost);
    let mut extended = details("ACT");
    extended.valid_till = Some(time("2026-11-22 23:59:00"));
    extended.extended = 1;
    portal.expect(OperationKind::GetEwb, Answer::Reply(Reply::EwbDetails(Box::new(extended))));
    carry_out(&world, id).await;
    assert_eq!(job(&world, id).await.state, JobState::Done);
    assert_eq!(known_bill(&world).await.extended, 1);
}

fn part_b(vehicle: &str) -> Task {
    Task::UpdatePartB {
        request: Box::new(PartB {
            number: number(),
            carriage: Carriage { mode: Some(TransMode::Road), vehicle: Some(vehicle.into()), ..Carriage::default() },
            from_place: "Hubballi".into(),
            from_state: 29,
            reason: PartBReason::Breakdown,
            remark: "axle".into(),
        }),
    }
}

#[tokio::test]
async fn a_new_vehicle_whose_answer_was_lost_is_the_newest_one_or_is_entered_again() {
    for (vehicle, calls) in [("KA05CD5678", 2), ("KA01AB1234", 3)] {
        let (world, portal) = registered_with_bill().await;
        let status = status(&world).await;
        let task = part_b("KA05CD5678");
        let id = world.ledger.plan(on_the_bill(&bill(&status, EwbState::Active), task)).await.unwrap();
        portal.expect(OperationKind::UpdatePartB, Answer::Lost);
        let mut shown = details("ACT");
        shown.vehicles = vec![EwbVehicle { vehicle: Some(vehicle.into()), ..EwbVehicle::default() }];
        portal.expect(OperationKind::GetEwb, Answer::Reply(Reply::EwbDetails(Box::new(shown))));
        portal.expect(OperationKind::UpdatePartB, ewb_changed());
        carry_out(&world, id).await;
        assert_eq!(job(&world, id).await.state, JobState::Done, "{vehicle}");
        assert_eq!(portal.kinds().len(), calls, "{vehicle}");
        let movement = known_bill(&world).await.movement.unwrap();
        assert_eq!(movement.vehicle.as_deref(), Some("KA05CD5678"));
    }
}

#[tokio::test]
async fn a_refusal_that_tells_of_a_closure_is_remembered() {
    let (world, portal) = registered_with_bill().await;
    let status = status(&world).await;
    let task = part_b("KA05CD5678");
    let id = world.ledger.plan(on_the_bill(&bill(&status, EwbState::Active), task)).await.unwrap();
    portal.expect(OperationKind::UpdatePartB, Answer::Refused("851"));
    carry_out(&world, id).await;
    assert_eq!(job(&world, id).await.state, JobState::Refused);
    assert_eq!(known_bill(&world).await.state, EwbState::Closed);
}

const CHALLAN: &str = r#"{"supplyType":"O","subSupplyType":"4","docType":"CHL","docNo":"JW/7","docDate":"20/11/2026",
    "fromGstin":"29AAAAA0000A1Z5","toGstin":"29AAAAA0000A1Z5","totInvValue":1200}"#;

fn challan() -> NewJob {
    plan::generate_ewb(CHALLAN.into(), "CHL".into(), "JW/7".into(), gstin(29, 1))
}

#[tokio::test]
async fn a_bill_without_an_irn_that_exists_already_is_adopted_only_when_it_is_the_same() {
    for (content, state) in [
        (CHALLAN.to_owned(), JobState::Done),
        (CHALLAN.replace("1200", "\"1200.00\""), JobState::Done),
        (CHALLAN.replace("1200", "1300"), JobState::Refused),
    ] {
        let (world, portal) = registered().await;
        let id = world.ledger.plan(challan()).await.unwrap();
        portal.expect(OperationKind::GenerateEwb, Answer::Refused("604"));
        portal.expect(OperationKind::GetEwbByDocument, made());
        let mut theirs = details("ACT");
        theirs.content.clone_from(&content);
        portal.expect(OperationKind::GetEwb, Answer::Reply(Reply::EwbDetails(Box::new(theirs))));
        carry_out(&world, id).await;
        let job = job(&world, id).await;
        assert_eq!(job.state, state, "{content}: {}", job.message);
        assert_eq!(known_bill(&world).await.state, EwbState::Active, "what is there is known either way");
        if state == JobState::Refused {
            assert!(job.message.contains("totInvValue is 1300 there and 1200 here"), "{}", job.message);
            assert_eq!(job.errors[0].code, "604");
        } else {
            assert!(matches!(job.effects.as_slice(), [Effect::Ewb { .. }]));
        }
    }
}

#[tokio::test]
async fn a_job_whose_document_was_cancelled_elsewhere_ends_and_nothing_is_sent() {
    for with_bill in [false, true] {
        let (world, portal) = if with_bill { registered_with_bill().await } else { registered().await };
        let id = plan_cancel(&world).await;
        let elsewhere = Cancellation { at: None, reason: None, remark: None };
        world.ledger.learn_cancellation(status(&world).await.id, elsewhere).await.unwrap();
        world.run().await;
        let job = job(&world, id).await;
        assert_eq!(job.state, JobState::Refused, "{job:?}");
        assert!(job.message.contains("cancelled"), "{}", job.message);
        assert_eq!(status(&world).await.state, DocumentState::Cancelled);
        assert_eq!(portal.kinds(), []);
    }
}

#[tokio::test]
async fn a_run_does_not_wait_for_what_is_planned_for_later() {
    let (world, portal) = registered_with_bill().await;
    let status = status(&world).await;
    let before = einvoice_core::clock::Clock::now(&world.clock);
    let mut later = on_the_bill(&bill(&status, EwbState::Active), part_b("KA05CD5678"));
    later.not_before = einvoice_core::clock::later(before, Duration::from_secs(10));
    let id = world.ledger.plan(later).await.unwrap();
    carry_out(&world, id).await;
    assert_eq!((job(&world, id).await.state, portal.kinds()), (JobState::Planned, Vec::new()));
    assert_eq!(einvoice_core::clock::Clock::now(&world.clock), before, "its time is no pause to sit out");
}

#[tokio::test]
async fn jobs_without_a_way_there_do_not_keep_others_from_their_turn() {
    let (mut world, portal) = registered_with_bill().await;
    world.settings.concurrency = 1;
    let mut nowhere = challan();
    nowhere.route = Some(RouteName::new("gone"));
    let first = world.ledger.plan(nowhere).await.unwrap();
    let status = status(&world).await;
    let task = part_b("KA05CD5678");
    let second = world.ledger.plan(on_the_bill(&bill(&status, EwbState::Active), task)).await.unwrap();
    portal.expect(OperationKind::UpdatePartB, ewb_changed());
    let report = world.run().await;
    assert_eq!(job(&world, second).await.state, JobState::Done);
    assert_eq!(job(&world, first).await.state, JobState::Planned);
    assert!(!report.configuration.is_empty());
    // It was given back at the end of the run: with its route it goes at once.
    let mut back = world.routes.first().unwrap().clone();
    back.name = RouteName::new("gone");
    world.routes.push(back);
    portal.expect(OperationKind::GenerateEwb, made());
    world.run().await;
    assert_eq!(job(&world, first).await.state, JobState::Done);
}

#[tokio::test]
async fn a_step_that_does_not_show_yet_is_not_sent_again_before_the_settling_wait() {
    let (mut world, portal) = registered().await;
    world.settings.settle_patience_seconds = 0;
    let id = plan_cancel(&world).await;
    portal.expect(OperationKind::CancelIrn, Answer::Lost);
    carry_out(&world, id).await;
    // Somebody asks for it by name five seconds later, while the call may still be under way.
    world.advance(Duration::from_secs(5));
    portal.expect(OperationKind::GetIrn, read_irn(&world, RegistrationStatus::Active).await);
    carry_out(&world, id).await;
    assert_eq!(job(&world, id).await.state, JobState::Unknown);
    assert_eq!(status(&world).await.state, DocumentState::Cancelling);
    world.advance(Duration::from_secs(25));
    portal.expect(OperationKind::GetIrn, read_irn(&world, RegistrationStatus::Active).await);
    portal.expect(OperationKind::CancelIrn, irn_cancelled(&world).await);
    carry_out(&world, id).await;
    assert_eq!(job(&world, id).await.state, JobState::Done, "thirty seconds after the intent it counts");
}

#[tokio::test]
async fn what_never_left_does_not_count_as_sent() {
    let (mut world, portal) = registered().await;
    world.settings.settle_patience_seconds = 0;
    let id = plan_bill(&world).await;
    for _ in 0..6 {
        portal.expect(OperationKind::GenerateEwbByIrn, Answer::NotSent);
        carry_out(&world, id).await;
        world.advance(Duration::from_mins(16));
    }
    portal.expect(OperationKind::GenerateEwbByIrn, Answer::Lost);
    carry_out(&world, id).await;
    assert_eq!(job(&world, id).await.sendings, 1);
    world.advance(Duration::from_mins(1));
    portal.expect(OperationKind::GetEwbByIrn, Answer::Refused("4005"));
    portal.expect(OperationKind::GenerateEwbByIrn, made());
    carry_out(&world, id).await;
    assert_eq!(job(&world, id).await.state, JobState::Done);
}

#[tokio::test]
async fn a_step_that_is_lost_every_time_and_never_done_is_left_to_a_person() {
    let (mut world, portal) = registered().await;
    world.settings.settle_patience_seconds = 3_600;
    let id = plan_bill(&world).await;
    for _ in 0..5 {
        portal.expect(OperationKind::GenerateEwbByIrn, Answer::Lost);
        portal.expect(OperationKind::GetEwbByIrn, Answer::Refused("4005"));
    }
    carry_out(&world, id).await;
    let job = job(&world, id).await;
    assert_eq!((job.state, job.sendings, portal.is_played()), (JobState::Refused, 5, true), "{job:?}");
}

#[tokio::test]
async fn a_cancelled_bill_of_the_same_paper_is_no_clash() {
    let (world, portal) = registered().await;
    let id = world.ledger.plan(challan()).await.unwrap();
    portal.expect(OperationKind::GenerateEwb, Answer::Lost);
    portal.expect(OperationKind::GetEwbByDocument, made());
    let mut theirs = details("CNL");
    theirs.content = CHALLAN.replace("1200", "1300");
    portal.expect(OperationKind::GetEwb, Answer::Reply(Reply::EwbDetails(Box::new(theirs))));
    portal.expect(OperationKind::GenerateEwb, made());
    carry_out(&world, id).await;
    let job = job(&world, id).await;
    assert_eq!((job.state, portal.is_played()), (JobState::Done, true), "{job:?}");
}

#[tokio::test]
async fn once_its_bill_is_cancelled_an_irn_has_its_own_time() {
    let (mut world, portal) = registered().await;
    world.settings.settle_patience_seconds = 0;
    let status_now = status(&world).await;
    let mut older = bill(&status_now, EwbState::Active);
    older.standing.made_at = Some(time("2026-11-19 12:30:00"));
    world.ledger.learn_bill(older).await.unwrap();
    let id = plan_cancel(&world).await;
    portal.expect(OperationKind::CancelEwb, ewb_changed());
    portal.expect(OperationKind::CancelIrn, Answer::NotSent);
    carry_out(&world, id).await;
    // The bill's 24 hours are over, those of the IRN are not.
    world.advance(Duration::from_hours(1));
    portal.expect(OperationKind::CancelIrn, irn_cancelled(&world).await);
    carry_out(&world, id).await;
    let job_now = job(&world, id).await;
    assert_eq!(job_now.state, JobState::Done, "{job_now:?}");
}

#[tokio::test]
async fn after_its_own_time_an_irn_is_not_cancelled_even_without_its_bill() {
    let (mut world, portal) = registered_with_bill().await;
    world.settings.settle_patience_seconds = 0;
    let id = plan_cancel(&world).await;
    portal.expect(OperationKind::CancelEwb, ewb_changed());
    portal.expect(OperationKind::CancelIrn, Answer::NotSent);
    carry_out(&world, id).await;
    world.advance(Duration::from_hours(24));
    carry_out(&world, id).await;
    let job = job(&world, id).await;
    assert_eq!((job.state, job.position, job.errors[0].code.as_str()), (JobState::Refused, 1, "2270"));
    assert_eq!(status(&world).await.state, DocumentState::Registered);
}

#[tokio::test]
async fn a_bill_whose_validity_ended_eight_hours_ago_is_expired() {
    let (world, portal) = registered_with_bill().await;
    // 21/11/2026 23:59 and eight hours, from noon of the 20th; until then it can still be extended.
    world.advance(Duration::from_mins(43 * 60 + 58));
    world.run().await;
    assert_eq!(known_bill(&world).await.state, EwbState::Active);
    world.advance(Duration::from_mins(2));
    world.run().await;
    assert_eq!(known_bill(&world).await.state, EwbState::Expired);
    assert_eq!(status(&world).await.ewb_state, EwbState::Expired);
    assert_eq!(world.target.receipts().last().unwrap().ewb.as_ref().map(|ewb| ewb.state), Some(EwbState::Expired));
    assert_eq!(portal.kinds(), [], "the time is known; nobody is asked");
}

#[tokio::test]
async fn a_bill_that_a_step_may_be_changing_does_not_expire_meanwhile() {
    let (mut world, portal) = registered_with_bill().await;
    world.settings.settle_patience_seconds = 0;
    let status = status(&world).await;
    let id = world.ledger.plan(on_the_bill(&bill(&status, EwbState::Active), extension())).await.unwrap();
    world.advance(Duration::from_mins(43 * 60 + 58));
    portal.expect(OperationKind::ExtendValidity, Answer::Lost);
    world.run().await;
    world.advance(Duration::from_mins(2));
    portal.expect(OperationKind::GetEwb, Answer::Lost);
    world.run().await;
    assert_eq!((known_bill(&world).await.state, portal.is_played()), (EwbState::Active, true));
    let mut extended = details("ACT");
    extended.valid_till = Some(time("2026-11-23 23:59:00"));
    extended.extended = 1;
    world.advance(Duration::from_hours(1));
    portal.expect(OperationKind::GetEwb, Answer::Reply(Reply::EwbDetails(Box::new(extended))));
    world.run().await;
    assert_eq!((job(&world, id).await.state, known_bill(&world).await.state), (JobState::Done, EwbState::Active));
}

#[tokio::test]
async fn a_stopped_run_sends_nothing_and_says_so() {
    let (world, portal) = registered().await;
    let id = plan_cancel(&world).await;
    let stop = StopSignal::new();
    stop.stop();
    let report = world.pipeline().await.carry_out(&[id], Arc::new(Silent), stop).await.unwrap();
    assert_eq!((report.jobs[0].state, portal.kinds()), (JobState::Planned, Vec::new()));
}

#[tokio::test]
async fn a_run_without_sources_carries_jobs_out() {
    let (world, portal) = registered().await;
    let id = plan_cancel(&world).await;
    portal.expect(OperationKind::CancelIrn, irn_cancelled(&world).await);
    world.pipeline().await.run_sources(&[], Arc::new(Silent), StopSignal::new()).await.unwrap();
    assert_eq!(job(&world, id).await.state, JobState::Done);
}

#[tokio::test]
async fn a_reply_about_another_irn_or_bill_settles_nothing() {
    let (mut world, portal) = registered().await;
    world.settings.settle_patience_seconds = 0;
    let other = Irn::from_bytes([9; 32]);
    let id = plan_cancel(&world).await;
    let reply = Reply::IrnCancelled(IrnCancelled { irn: other, cancelled_at: None });
    portal.expect(OperationKind::CancelIrn, Answer::Reply(reply));
    carry_out(&world, id).await;
    assert_eq!(job(&world, id).await.state, JobState::Unknown);
    let registration = status(&world).await.registration.unwrap();
    let reply = Registration { irn: other, status: RegistrationStatus::Cancelled, ..registration };
    portal.expect(OperationKind::GetIrn, Answer::Reply(Reply::Registration(Box::new(reply))));
    carry_out(&world, id).await;
    assert_eq!(job(&world, id).await.state, JobState::Unknown);
    assert_eq!(status(&world).await.state, DocumentState::Cancelling);

    let (mut world, portal) = registered_with_bill().await;
    world.settings.settle_patience_seconds = 0;
    let status = status(&world).await;
    let task = part_b("KA05CD5678");
    let id = world.ledger.plan(on_the_bill(&bill(&status, EwbState::Active), task)).await.unwrap();
    let changed = EwbChanged { number: EwbNumber::parse("391000000078").ok(), ..EwbChanged::default() };
    portal.expect(OperationKind::UpdatePartB, Answer::Reply(Reply::EwbChanged(Box::new(changed))));
    carry_out(&world, id).await;
    assert_eq!(job(&world, id).await.state, JobState::Unknown);
}

#[tokio::test]
async fn what_the_portal_stumbled_over_and_did_not_do_is_sent_again() {
    let (world, portal) = registered().await;
    let id = plan_bill(&world).await;
    portal.expect(OperationKind::GenerateEwbByIrn, Answer::Refused("5001"));
    portal.expect(OperationKind::GetEwbByIrn, Answer::Refused("4005"));
    portal.expect(OperationKind::GenerateEwbByIrn, made());
    carry_out(&world, id).await;
    assert_eq!((job(&world, id).await.state, portal.is_played()), (JobState::Done, true));
}

#[tokio::test]
async fn an_extension_that_does_not_show_is_sent_again() {
    let (world, portal) = registered_with_bill().await;
    let status = status(&world).await;
    let id = world.ledger.plan(on_the_bill(&bill(&status, EwbState::Active), extension())).await.unwrap();
    world.advance(Duration::from_hours(28));
    portal.expect(OperationKind::ExtendValidity, Answer::Lost);
    portal.expect(OperationKind::GetEwb, read_bill("ACT"));
    portal.expect(OperationKind::ExtendValidity, ewb_changed());
    carry_out(&world, id).await;
    assert_eq!((job(&world, id).await.state, portal.is_played()), (JobState::Done, true));
}

#[tokio::test]
async fn a_bill_that_ended_before_its_turn_is_not_cancelled_on_the_way() {
    let (world, portal) = registered_with_bill().await;
    let id = plan_cancel(&world).await;
    world.ledger.learn_bill(bill(&status(&world).await, EwbState::Cancelled)).await.unwrap();
    portal.expect(OperationKind::CancelIrn, irn_cancelled(&world).await);
    carry_out(&world, id).await;
    assert_eq!(job(&world, id).await.state, JobState::Done);
    assert_eq!(portal.kinds(), [OperationKind::CancelIrn]);
}

#[tokio::test]
async fn a_like_request_under_way_is_waited_for() {
    let (mut world, portal) = registered().await;
    world.settings.settle_patience_seconds = 0;
    let id = plan_bill(&world).await;
    portal.expect(OperationKind::GenerateEwbByIrn, Answer::Refused("813"));
    carry_out(&world, id).await;
    assert_eq!(job(&world, id).await.state, JobState::Unknown);
    world.advance(Duration::from_secs(5));
    portal.expect(OperationKind::GetEwbByIrn, Answer::Refused("4005"));
    carry_out(&world, id).await;
    assert_eq!(job(&world, id).await.state, JobState::Unknown, "it may still come");
    world.advance(Duration::from_mins(1));
    portal.expect(OperationKind::GetEwbByIrn, made());
    carry_out(&world, id).await;
    assert_eq!(job(&world, id).await.state, JobState::Done);
}

#[tokio::test]
async fn a_refusal_is_remembered_over_a_question_that_was_lost() {
    let (mut world, portal) = registered().await;
    world.settings.settle_patience_seconds = 3_600;
    let id = plan_cancel(&world).await;
    portal.expect(OperationKind::CancelIrn, Answer::Refused("9999"));
    portal.expect(OperationKind::GetIrn, Answer::Refused("5001"));
    portal.expect(OperationKind::GetIrn, read_irn(&world, RegistrationStatus::Active).await);
    carry_out(&world, id).await;
    let job = job(&world, id).await;
    assert_eq!((job.state, job.errors[0].code.as_str()), (JobState::Refused, "9999"), "{job:?}");
    assert_eq!(status(&world).await.state, DocumentState::Registered);
}

#[tokio::test]
async fn a_step_is_sent_again_by_the_route_it_went_by() {
    let (mut world, portal) = registered().await;
    world.settings.settle_patience_seconds = 0;
    let id = world.ledger.plan(challan()).await.unwrap();
    portal.expect(OperationKind::GenerateEwb, Answer::NotSent);
    carry_out(&world, id).await;
    let mut first = world.routes.first().unwrap().clone();
    first.name = RouteName::new("another");
    world.routes.insert(0, first);
    world.advance(Duration::from_mins(16));
    portal.expect(OperationKind::GenerateEwb, Answer::Lost);
    carry_out(&world, id).await;
    assert_eq!(job(&world, id).await.last.unwrap().route, RouteName::new("emulator"));
}

#[tokio::test]
async fn a_paper_and_a_bill_on_the_way_to_its_irn_have_one_open_job() {
    let (world, _) = registered_with_bill().await;
    let first = world.ledger.plan(challan()).await.unwrap();
    let again = world.ledger.plan(challan()).await;
    assert!(matches!(again, Err(LedgerError::JobUnderWay { job, .. }) if job == first), "{again:?}");
    let cancel = plan_cancel(&world).await;
    let status = status(&world).await;
    let bill = world.ledger.plan(on_the_bill(&bill(&status, EwbState::Active), part_b("KA05CD5678"))).await;
    assert!(matches!(bill, Err(LedgerError::JobUnderWay { job, .. }) if job == cancel), "{bill:?}");
}
