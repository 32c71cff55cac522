//! What a job believes of a reply, under which claim it sends, and what it makes of what it reads: one story for
//! each way in which a step could be taken for done, or sent, when it should not be.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::sync::Arc;
use std::time::Duration;

use einvoice_core::clock::Clock as _;
use einvoice_core::date::PortalTime;
use einvoice_core::environment::RouteName;
use einvoice_core::ewb::request::{Consolidation, PartB};
use einvoice_core::ewb::{Birth, CancelReason, EwbNumber, PartBReason, Standing, TripSheetNumber};
use einvoice_core::identifier::Gstin;
use einvoice_core::job::{Bill, Effect, Job, JobClaim, JobId, JobState, NewJob, StepIntent, Task};
use einvoice_core::ledger::WorkerId;
use einvoice_core::operation::{
    EwbChanged, EwbDetails, EwbVehicle, IrnCancelled, MadeEwb, Operation, OperationKind, Reply, TripSheet,
};
use einvoice_core::pipeline::{Silent, StopSignal};
use einvoice_core::plan::{self, PlanSwitches};
use einvoice_core::state::{DocumentState, EwbState};
use einvoice_testkit::documents::{Recipe, gstin};
use support::World;
use support::life::{bill, by_irn, by_road, carry_out, job, maker, now, plan_bill, plan_cancel, recipient, status};
use support::scripted::Scripted;
use support::written::{Answer, Written};

const NUMBER: &str = "391000000077";
const OTHER: &str = "391000000078";
const LORRY: &str = "KA09ZZ0001";

fn number(text: &str) -> EwbNumber {
    EwbNumber::parse(text).unwrap()
}

fn time(text: &str) -> PortalTime {
    PortalTime::parse(text).unwrap()
}

async fn registered() -> (World, Arc<Written>) {
    let mut world = World::new([Recipe::numbered(1).json()]).await;
    let portal = Written::takes_over(&mut world);
    world.run().await;
    (world, portal)
}

fn standing(text: &str, by: Gstin) -> Standing {
    let mut standing = Standing::new(number(text), Birth::Direct, by, EwbState::Active);
    standing.made_at = Some(time("2026-11-20 11:00:00"));
    standing.valid_till = Some(time("2026-11-21 23:59:00"));
    standing
}

/// A bill that the ledger knows.
async fn known(world: &World, standing: Standing) -> Bill {
    let route = Some(RouteName::new("emulator"));
    let bill = Bill { standing, document: None, route, site: None, changed_at: support::noon() };
    world.ledger.learn_bill(bill.clone()).await.unwrap();
    bill
}

fn vehicle(text: &str, sheet: Option<&str>, at: &str) -> EwbVehicle {
    EwbVehicle {
        vehicle: Some(text.into()),
        mode: Some("1".into()),
        entered_at: Some(time(at)),
        trip_sheet: sheet.map(str::to_owned),
        ..EwbVehicle::default()
    }
}

fn read(text: &str, vehicles: Vec<EwbVehicle>, valid_till: Option<&str>) -> Answer {
    Answer::Reply(Reply::EwbDetails(Box::new(EwbDetails {
        number: number(text),
        made_at: Some(time("2026-11-20 11:00:00")),
        valid_till: valid_till.map(time),
        status: "ACT".into(),
        generated_by: Some(maker()),
        is_rejected: false,
        extended: 0,
        distance_km: Some(120),
        transporter: None,
        vehicles,
        content: "{}".into(),
    })))
}

fn changed(about: &str) -> Answer {
    let number = Some(number(about));
    Answer::Reply(Reply::EwbChanged(Box::new(EwbChanged { number, ..EwbChanged::default() })))
}

async fn consolidated(world: &World) -> NewJob {
    let bills = [known(world, standing(NUMBER, maker())).await, known(world, standing(OTHER, maker())).await];
    let numbers = vec![number(NUMBER), number(OTHER)];
    let carriage = by_road(LORRY);
    let request = Consolidation { bills: numbers, carriage, from_place: "Bengaluru".into(), from_state: 29 };
    plan::consolidate(&bills, request, maker(), world.clock.now()).unwrap()
}

async fn planned(world: &World, job: NewJob) -> JobId {
    world.ledger.plan(job).await.unwrap()
}

fn part_b(vehicle: &str) -> Task {
    Task::UpdatePartB {
        request: Box::new(PartB {
            number: number(NUMBER),
            carriage: by_road(vehicle),
            from_place: "Hubballi".into(),
            from_state: 29,
            reason: PartBReason::Breakdown,
            remark: "engine".into(),
        }),
    }
}

async fn plan_part_b(world: &World, vehicle: &str) -> JobId {
    let bill = known(world, standing(NUMBER, maker())).await;
    let job = plan::on_bill(&bill, part_b(vehicle), maker(), now(world), PlanSwitches::default()).unwrap();
    planned(world, job).await
}

#[tokio::test]
async fn a_reply_without_the_number_of_its_trip_sheet_is_asked_about_and_the_bills_travel_as_it_says() {
    let (world, portal) = registered().await;
    let id = planned(&world, consolidated(&world).await).await;
    let sheet = "3910000001";
    portal.expect(OperationKind::ConsolidateEwb, changed(NUMBER));
    let entry = vehicle(LORRY, Some(sheet), "2026-11-20 12:00:00");
    portal.expect(OperationKind::GetEwb, read(NUMBER, vec![entry], Some("2026-11-21 23:59:00")));
    portal.expect(
        OperationKind::GetTripSheet,
        Answer::Reply(Reply::TripSheet(Box::new(TripSheet {
            number: TripSheetNumber::parse(sheet).unwrap(),
            vehicle: Some(LORRY.into()),
            bills: vec![number(NUMBER), number(OTHER)],
            content: "{}".into(),
        }))),
    );
    let job = carry_out(&world, id).await;
    assert_eq!((job.state, portal.is_played()), (JobState::Done, true), "{}", job.message);
    assert!(job.effects.iter().any(|effect| matches!(effect, Effect::TripSheet { .. })), "{:?}", job.effects);
    for one in [NUMBER, OTHER] {
        let standing = bill(&world, number(one)).await.standing;
        assert_eq!(standing.trip_sheet.as_deref(), Some(sheet), "{one}");
        assert_eq!(standing.movement.unwrap().vehicle.as_deref(), Some(LORRY), "{one}");
    }
}

#[tokio::test]
async fn bills_are_not_consolidated_once_the_validity_of_one_is_over() {
    let (world, portal) = registered().await;
    let id = planned(&world, consolidated(&world).await).await;
    world.advance(Duration::from_hours(40));
    let job = carry_out(&world, id).await;
    assert_eq!((job.state, job.errors[0].code.as_str()), (JobState::Refused, "818"), "{}", job.message);
    assert!(portal.calls().is_empty());
}

#[tokio::test]
async fn a_reply_of_another_kind_is_no_success() {
    let (mut world, portal) = registered().await;
    world.settings.settle_patience_seconds = 0;
    let id = plan_part_b(&world, LORRY).await;
    let made = MadeEwb {
        number: number(NUMBER),
        made_at: None,
        valid_till: None,
        status: None,
        generated_by: None,
        alert: None,
        info: Vec::new(),
    };
    portal.expect(OperationKind::UpdatePartB, Answer::Reply(Reply::EwayBill(Box::new(made))));
    assert_eq!(carry_out(&world, id).await.state, JobState::Unknown);
    let standing = bill(&world, number(NUMBER)).await.standing;
    assert_eq!((standing.state, standing.movement), (EwbState::Active, None));
}

#[tokio::test]
async fn a_reply_about_another_bill_is_no_success_though_ours_is_not_in_the_ledger() {
    let (mut world, portal) = registered().await;
    world.settings.settle_patience_seconds = 0;
    let task = Task::CancelEwb { number: number(NUMBER), reason: CancelReason::Duplicate, remark: "twice".into() };
    let job = NewJob {
        steps: task.steps(false),
        task,
        document: None,
        gstin: maker(),
        route: None,
        site: None,
        not_before: None,
        deadline: None,
    };
    let id = planned(&world, job).await;
    portal.expect(OperationKind::CancelEwb, changed(OTHER));
    assert_eq!(carry_out(&world, id).await.state, JobState::Unknown);
}

#[tokio::test]
async fn the_same_vehicle_entered_before_is_not_taken_for_the_new_part_b() {
    let (world, portal) = registered().await;
    let id = plan_part_b(&world, LORRY).await;
    let mut before = standing(NUMBER, maker());
    before.movement = Some(einvoice_core::ewb::Movement {
        mode: Some(einvoice_core::ewb::TransMode::Road),
        vehicle: Some(LORRY.into()),
        vehicle_type: None,
        document: None,
        document_date: None,
        entered_at: Some(time("2026-11-20 11:00:00")),
    });
    known(&world, before).await;
    let till = Some("2026-11-21 23:59:00");
    portal.expect(OperationKind::UpdatePartB, Answer::Lost);
    portal.expect(OperationKind::GetEwb, read(NUMBER, vec![vehicle(LORRY, None, "2026-11-20 11:00:00")], till));
    portal.expect(OperationKind::UpdatePartB, Answer::Lost);
    portal.expect(OperationKind::GetEwb, read(NUMBER, vec![vehicle(LORRY, None, "2026-11-20 12:05:00")], till));
    let job = carry_out(&world, id).await;
    assert_eq!((job.state, portal.is_played()), (JobState::Done, true), "{}", job.message);
}

#[tokio::test]
async fn an_expired_bill_of_the_irn_is_not_taken_for_the_one_asked_for() {
    let (world, portal) = registered().await;
    let request = by_irn(&world).await;
    let id = planned(&world, plan_bill(&world, request).await.unwrap()).await;
    portal.expect(OperationKind::GenerateEwbByIrn, Answer::Refused("4002"));
    let earlier = MadeEwb {
        number: number(NUMBER),
        made_at: Some(time("2026-11-10 10:00:00")),
        valid_till: Some(time("2026-11-11 23:59:00")),
        status: Some("ACT".into()),
        generated_by: Some(maker()),
        alert: None,
        info: Vec::new(),
    };
    portal.expect(OperationKind::GetEwbByIrn, Answer::Reply(Reply::EwayBill(Box::new(earlier))));
    let job = carry_out(&world, id).await;
    assert_eq!((job.state, job.errors[0].code.as_str()), (JobState::Refused, "4002"), "{}", job.message);
    assert!(job.message.contains(NUMBER) && job.message.contains("validity is over"), "{}", job.message);
    assert_eq!(bill(&world, number(NUMBER)).await.standing.state, EwbState::Expired);
    assert_eq!(status(&world).await.ewb_state, EwbState::Expired);
}

#[tokio::test]
async fn a_bill_with_an_end_of_its_validity_is_not_back_in_part_a_when_a_read_leaves_that_out() {
    let (world, portal) = registered().await;
    let id = plan_part_b(&world, LORRY).await;
    portal.expect(OperationKind::UpdatePartB, Answer::Lost);
    portal.expect(OperationKind::GetEwb, read(NUMBER, vec![vehicle(LORRY, None, "2026-11-20 12:05:00")], None));
    assert_eq!(carry_out(&world, id).await.state, JobState::Done);
    let standing = bill(&world, number(NUMBER)).await.standing;
    assert_eq!((standing.state, standing.valid_till), (EwbState::Active, Some(time("2026-11-21 23:59:00"))));
}

#[tokio::test]
async fn a_rejection_after_the_validity_and_within_three_days_says_so() {
    for (hours, code) in [(40, "345"), (73, "346")] {
        let (world, portal) = registered().await;
        let bill = known(&world, standing(NUMBER, recipient())).await;
        let task = Task::RejectEwb { number: number(NUMBER) };
        let switches = PlanSwitches::default();
        let job = plan::on_bill(&bill, task.clone(), maker(), now(&world), switches).unwrap();
        let id = planned(&world, job).await;
        world.advance(Duration::from_hours(hours));
        let late = plan::on_bill(&bill, task, maker(), now(&world), switches).unwrap_err();
        assert_eq!(late.code.as_deref(), Some(code), "{hours}");
        let job = carry_out(&world, id).await;
        assert_eq!((job.state, job.errors[0].code.as_str()), (JobState::Refused, code), "{hours}");
        assert!(portal.calls().is_empty());
    }
}

#[tokio::test]
async fn a_step_on_another_way_leaves_the_bill_where_it_was_made() {
    let (world, portal) = registered().await;
    let mut made_elsewhere = known(&world, standing(NUMBER, maker())).await;
    made_elsewhere.route = Some(RouteName::new("where-it-was-made"));
    made_elsewhere.site = Some("NIC2".into());
    world.ledger.learn_bill(made_elsewhere.clone()).await.unwrap();
    let mut job = plan::on_bill(&made_elsewhere, part_b(LORRY), maker(), now(&world), PlanSwitches::default()).unwrap();
    job.route = None;
    let id = planned(&world, job).await;
    portal.expect(OperationKind::UpdatePartB, changed(NUMBER));
    assert_eq!(carry_out(&world, id).await.state, JobState::Done);
    let bill = bill(&world, number(NUMBER)).await;
    assert_eq!((bill.route, bill.site), (made_elsewhere.route, made_elsewhere.site));
}

#[tokio::test]
async fn a_crash_on_the_way_past_a_bill_that_is_not_there_holds_up_nothing() {
    let (world, portal) = registered().await;
    let mut job = plan_cancel(&world).await.unwrap();
    job.steps = vec![OperationKind::CancelEwb, OperationKind::CancelIrn];
    let id = planned(&world, job).await;
    let lost = WorkerId("lost".into());
    let claim = JobClaim { worker: lost.clone(), only: vec![id], limit: 1, lease: Duration::from_secs(1) };
    world.ledger.claim_jobs(claim).await.unwrap();
    let intent = StepIntent {
        position: 0,
        route: RouteName::new("emulator"),
        site: "NIC1".into(),
        at: now(&world),
        before: None,
    };
    world.ledger.begin_step(&lost, id, intent).await.unwrap();
    world.advance(Duration::from_mins(5));
    let irn = status(&world).await.irn.unwrap();
    let cancelled = IrnCancelled { irn, cancelled_at: None };
    portal.expect(OperationKind::CancelIrn, Answer::Reply(Reply::IrnCancelled(cancelled)));
    world.run().await;
    let job = support::life::job(&world, id).await;
    assert_eq!((job.state, portal.is_played()), (JobState::Done, true), "{}", job.message);
    assert_eq!(status(&world).await.state, DocumentState::Cancelled);
}

/// Registered documents and the cancellation of each, planned.
async fn cancellations(count: u32) -> (World, Vec<JobId>) {
    let world = World::new((1..=count).map(|number| Recipe::numbered(number).json())).await;
    world.run().await;
    let mut ids = Vec::new();
    for status in world.statuses().await {
        let job = plan::cancel_irn(&status, None, CancelReason::Duplicate, "twice", now(&world)).unwrap();
        ids.push(planned(&world, job).await);
    }
    (world, ids)
}

async fn all(world: &World, ids: &[JobId]) -> Vec<Job> {
    let mut jobs = Vec::new();
    for id in ids {
        jobs.push(job(world, *id).await);
    }
    jobs
}

#[tokio::test]
async fn a_run_that_is_stopped_in_its_jobs_says_so_and_keeps_the_rest() {
    let (mut world, ids) = cancellations(3).await;
    world.settings.concurrency = 1;
    let stop = StopSignal::new();
    let from_within = stop.clone();
    Scripted::around(&world, move |operation| {
        if matches!(operation, Operation::CancelIrn { .. }) {
            from_within.stop();
        }
        None
    })
    .takes_over(&mut world);
    let report = world.pipeline().await.run_once(Arc::new(Silent), stop).await.unwrap();
    assert!(report.stopped, "{report:?}");
    let states: Vec<JobState> = all(&world, &ids).await.iter().map(|job| job.state).collect();
    assert_eq!(states, [JobState::Done, JobState::Planned, JobState::Planned]);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_step_is_sent_under_a_lease_that_ends_before_its_answer() {
    let (mut world, ids) = cancellations(6).await;
    world.settings.concurrency_per_gstin = Some(1);
    let longest = world.routes[0].transport.capability().call_time_max;
    world.settings.lease_seconds = longest.as_secs() * 4;
    let (clock, ledger) = (world.clock.clone(), Arc::clone(&world.ledger));
    Scripted::around(&world, move |operation| {
        if matches!(operation, Operation::CancelIrn { .. }) {
            // Each call takes nearly all the time it may, and another machine looks for lost work meanwhile.
            clock.advance(longest.mul_f32(0.9));
            let claim = JobClaim {
                worker: WorkerId(format!("rival at {}", clock.now())),
                only: Vec::new(),
                limit: 9,
                lease: Duration::from_mins(5),
            };
            let found = tokio::task::block_in_place(|| {
                tokio::runtime::Handle::current().block_on(ledger.claim_jobs(claim)).unwrap()
            });
            assert!(found.is_empty(), "taken for lost while it is on its way: {found:?}");
        }
        None
    })
    .takes_over(&mut world);
    let report = world.run().await;
    assert!(report.failures.is_empty(), "{report:?}");
    assert!(all(&world, &ids).await.iter().all(|job| job.state == JobState::Done));
    assert!(world.states().await.iter().all(|state| *state == DocumentState::Cancelled));
    assert_eq!(gstin(29, 1), maker());
}
