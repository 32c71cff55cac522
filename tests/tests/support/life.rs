//! What happens to a registered document and its e-way bills, with the emulator as both government systems.

use std::sync::Arc;

use einvoice_core::clock::Clock;
use einvoice_core::date::DocumentDate;
use einvoice_core::ewb::request::{Carriage, EwbByIrn};
use einvoice_core::ewb::{CancelReason, EwbNumber, TransMode};
use einvoice_core::identifier::Gstin;
use einvoice_core::job::{Bill, BillQuery, Effect, Job, JobId, JobQuery, JobState, NewJob};
use einvoice_core::ledger::DocumentStatus;
use einvoice_core::operation::{Operation, Reply};
use einvoice_core::pipeline::{Silent, StopSignal};
use einvoice_core::plan::{self, PlanRefused};
use einvoice_core::state::DocumentState;
use einvoice_core::transport::TransportError;
use einvoice_sandbox::{BillLine, BookLine, Fault, PortalSettings};
use einvoice_testkit::documents::{Recipe, gstin};

use super::World;

/// The vehicle that a bill starts with.
pub const VEHICLE: &str = "KA01AB1234";

/// What can become of a call that changes the books, all of which must end in exactly one change.
pub fn mishaps() -> [Option<Fault>; 6] {
    [
        None,
        Some(Fault::DropReplyAfterCommit),
        Some(Fault::DropBeforeProcessing),
        Some(Fault::HtmlAfterCommit { status: 502 }),
        Some(Fault::TruncatedBody),
        Some(Fault::Delay { ms: 120_000 }),
    ]
}

pub fn maker() -> Gstin {
    gstin(29, 1)
}

/// The recipient of every test invoice.
pub fn recipient() -> Gstin {
    gstin(27, 77)
}

pub fn transporter() -> Gstin {
    gstin(29, 9)
}

pub fn day(text: &str) -> DocumentDate {
    DocumentDate::parse(text).unwrap()
}

pub fn now(world: &World) -> jiff::Timestamp {
    world.clock.now()
}

/// One registered document.
pub async fn registered() -> World {
    registered_with(PortalSettings::default()).await
}

pub async fn registered_with(settings: PortalSettings) -> World {
    let world = World::with_settings([Recipe::numbered(1).json()], settings).await;
    world.run().await;
    assert_eq!(world.states().await, [DocumentState::Registered]);
    world
}

/// One registered document with a bill of 120 km made from its IRN.
pub async fn with_bill() -> (World, EwbNumber) {
    with_bill_and(PortalSettings::default()).await
}

pub async fn with_bill_and(settings: PortalSettings) -> (World, EwbNumber) {
    let world = registered_with(settings).await;
    let number = bill_of_the_irn(&world).await;
    (world, number)
}

/// Makes the bill of the only document.
pub async fn bill_of_the_irn(world: &World) -> EwbNumber {
    let job = done(world, plan_bill(world, by_irn(world).await).await.unwrap()).await;
    number_of(&job)
}

pub async fn status(world: &World) -> DocumentStatus {
    world.statuses().await.remove(0)
}

pub fn by_road(vehicle: &str) -> Carriage {
    Carriage { mode: Some(TransMode::Road), vehicle: Some(vehicle.into()), ..Carriage::default() }
}

pub async fn by_irn(world: &World) -> EwbByIrn {
    EwbByIrn {
        irn: status(world).await.irn.unwrap(),
        distance_km: 120,
        transporter: None,
        transporter_name: None,
        carriage: by_road(VEHICLE),
        ship_to: None,
        dispatch_from: None,
    }
}

pub async fn plan_bill(world: &World, request: EwbByIrn) -> Result<NewJob, PlanRefused> {
    let status = status(world).await;
    let bill = bills(world).await.pop();
    plan::ewb_by_irn(&status, Some(day("05/11/2026")), bill.as_ref(), request, now(world))
}

pub async fn plan_cancel(world: &World) -> Result<NewJob, PlanRefused> {
    let status = status(world).await;
    let bill = bills(world).await.pop();
    plan::cancel_irn(&status, bill.as_ref(), CancelReason::OrderCancelled, "order withdrawn", now(world))
}

/// The bills in the ledger.
pub async fn bills(world: &World) -> Vec<Bill> {
    world.ledger.bills(BillQuery::default()).await.unwrap()
}

pub async fn bill(world: &World, number: EwbNumber) -> Bill {
    world.ledger.bills(BillQuery { number: Some(number), ..BillQuery::default() }).await.unwrap().remove(0)
}

pub async fn job(world: &World, id: JobId) -> Job {
    world.ledger.jobs(JobQuery { ids: vec![id], ..JobQuery::default() }).await.unwrap().remove(0)
}

/// Plans a job, carries it out and tells what became of it.
pub async fn outcome(world: &World, planned: NewJob) -> Job {
    let id = world.ledger.plan(planned).await.unwrap();
    carry_out(world, id).await
}

pub async fn carry_out(world: &World, id: JobId) -> Job {
    world.pipeline().await.carry_out(&[id], Arc::new(Silent), StopSignal::new()).await.unwrap();
    job(world, id).await
}

/// The same for a job that must succeed.
pub async fn done(world: &World, planned: NewJob) -> Job {
    let job = outcome(world, planned).await;
    assert_eq!(job.state, JobState::Done, "{}: {:?}", job.message, job.errors);
    job
}

/// The codes with which a job that must be refused was refused.
pub async fn codes(world: &World, planned: NewJob) -> Vec<String> {
    let job = outcome(world, planned).await;
    assert_eq!(job.state, JobState::Refused, "{}", job.message);
    job.errors.into_iter().map(|error| error.code).collect()
}

/// The bill that a job made or changed.
pub fn number_of(job: &Job) -> EwbNumber {
    let bill = job.effects.iter().find_map(|effect| match effect {
        Effect::Ewb { standing } => Some(standing.number),
        _ => None,
    });
    bill.unwrap()
}

pub async fn ask(world: &World, who: Gstin, operation: Operation) -> Result<Reply, TransportError> {
    world.pipeline().await.ask(who, &operation, None).await.map(|asked| asked.reply)
}

/// The code with which a question was refused.
pub async fn refusal(world: &World, who: Gstin, operation: Operation) -> String {
    let error = ask(world, who, operation).await.unwrap_err();
    error.portal_errors().first().unwrap().code.clone()
}

/// The only bill in the emulator's books.
pub fn the_bill(world: &World) -> BillLine {
    let lines = world.sandbox.e_way_bills();
    assert_eq!(lines.len(), 1, "{lines:?}");
    lines.into_iter().next().unwrap()
}

/// The only registration in the emulator's books.
pub fn the_invoice(world: &World) -> BookLine {
    let mut lines = world.books();
    let line = lines.pop().unwrap();
    assert!(lines.is_empty() && line.registrations == 1, "{lines:?} {line:?}");
    line
}
