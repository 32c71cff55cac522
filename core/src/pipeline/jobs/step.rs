//! Takes the next step of a planned job: route, session, intent, call, outcome.

use std::sync::Arc;

use jiff::Timestamp;

use super::super::routes::Route;
use super::super::send::heed;
use super::super::{CALLS_AFTER_INTENT, PipelineError, Shared, report::Tally};
use super::{Ended, bills, conclude, record};
use crate::clock::later;
use crate::date::PortalTime;
use crate::ewb::window::{Window, WindowShut};
use crate::ewb::{EwbNumber, Standing, TripSheetNumber};
use crate::job::{BillQuery, Effect, Job, StepIntent, StepOutcome, Task};
use crate::ledger::{DocumentId, LedgerError, Query, WorkerId};
use crate::operation::{Operation, OperationKind, Reply};
use crate::pipeline::outcome::{Consequence, consequence_of};
use crate::plan;
use crate::portal_code::PortalError;
use bytes::Bytes;

/// In whose hands a job is, and for how long.
#[derive(Debug, Clone, Copy)]
pub(super) struct Claim<'a> {
    pub(super) worker: &'a WorkerId,
    /// When the lease ends, or earlier.
    pub(super) lease_until: Timestamp,
}

impl Claim<'_> {
    /// Whether the lease covers one more call, however long it takes: what is sent under a lease that ends before
    /// the answer comes is taken for lost, and asked about while the call still runs.
    fn outlasts_a_call(&self, shared: &Shared, route: &Route) -> bool {
        let through = later(shared.now(), route.call_time_max().saturating_mul(CALLS_AFTER_INTENT));
        through.is_some_and(|through| through <= self.lease_until)
    }
}

pub(super) async fn take(shared: &Shared, tally: &Tally, claim: &Claim<'_>, job: &Job) -> Result<Ended, PipelineError> {
    let worker = claim.worker;
    let Some(kind) = job.step() else {
        return Err(PipelineError::Fault(format!("job {} has no step left and is not done", job.id.0)));
    };
    let before = standing_before(shared, job, kind).await?;
    if let Some(refused) = too_late(shared, job, kind, before.as_ref(), deadline(shared, job, kind).await?) {
        return record(shared, tally, worker, job, refused).await;
    }
    for route in candidates(shared, tally, job, kind) {
        if route.is_closed() || route.is_closed_for(job.gstin) {
            continue;
        }
        let Some(_permit) = route.permit(job.gstin).await else { continue };
        if route.is_closed() || route.is_closed_for(job.gstin) {
            continue;
        }
        match route.gateway.ready(job.gstin, kind.product()).await {
            // What waited long for its turn, or for a login, may not be through when its lease ends.
            Ok(()) if !claim.outlasts_a_call(shared, &route) => return Ok(Ended::Stale),
            Ok(()) => return take_by(shared, tally, worker, job, kind, before, &route).await,
            Err(error) => {
                route.learn(Some(&error));
                heed(tally, &route, job.gstin, &error, consequence_of(&error));
            }
        }
    }
    Ok(Ended::Untouched)
}

async fn take_by(
    shared: &Shared,
    tally: &Tally,
    worker: &WorkerId,
    job: &Job,
    kind: OperationKind,
    before: Option<Standing>,
    route: &Route,
) -> Result<Ended, PipelineError> {
    let intent = StepIntent {
        position: job.position,
        route: route.name().clone(),
        site: job.site.clone().unwrap_or_else(|| route.site().to_owned()),
        at: shared.now(),
        before: before.clone().map(Box::new),
    };
    match shared.ledger.begin_step(worker, job.id, intent.clone()).await {
        Ok(()) => {}
        // The lease ran out: whoever claims the job next sees it.
        Err(LedgerError::JobNotClaimed { .. } | LedgerError::IllegalJobMove { .. }) => return Ok(Ended::Recorded),
        // Handed out again it would meet the same: what was cancelled or rejected does not come back.
        Err(LedgerError::IllegalMove { from, .. }) => {
            let message = format!("not sent ({kind}): the document is {from} by now, no longer registered");
            let outcome = StepOutcome::Refused { errors: Vec::new(), message, effects: Vec::new() };
            return record(shared, tally, worker, job, outcome).await;
        }
        Err(error) => return Err(error.into()),
    }
    // A bill that is no longer open needs no cancelling on the way to the IRN.
    if let (OperationKind::CancelEwb, Task::CancelIrn { .. }) = (kind, &job.task)
        && before.as_ref().is_none_or(|standing| !plan::is_open(standing.state))
    {
        let message = "there is no active e-way bill to cancel".to_owned();
        return record(shared, tally, worker, job, StepOutcome::Done { effects: Vec::new(), message }).await;
    }
    let Some(operation) = operation(job, kind, before.as_ref(), other_site(job, route)) else {
        return Err(PipelineError::Fault(format!("job {} cannot be put as a call for {kind}", job.id.0)));
    };
    let reply = route.gateway.call(job.gstin, &operation).await;
    route.learn(reply.as_ref().err());
    let outcome = match reply {
        Ok(reply) => {
            let mut outcome = conclude::done(shared, job, kind, before.as_ref(), reply);
            if let StepOutcome::Done { effects, .. } = &mut outcome {
                with_the_bills_on_it(shared, job, effects).await?;
            }
            outcome
        }
        Err(error) => {
            let consequence = consequence_of(&error);
            if consequence != Consequence::None {
                heed(tally, route, job.gstin, &error, consequence);
            }
            let outcome = conclude::failed(shared, job, kind, before.as_ref(), &error);
            with_the_bill_in_the_way(shared, job, route, outcome).await
        }
    };
    record(shared, tally, worker, job, outcome).await
}

/// A trip sheet made anew has the bills of the old one, where the reply does not name them; and every bill on a
/// trip sheet travels as that says.
async fn with_the_bills_on_it(shared: &Shared, job: &Job, effects: &mut Vec<Effect>) -> Result<(), PipelineError> {
    if let Task::RegenerateTripSheet { request } = &job.task {
        let on_it = bills_on(shared, request.trip_sheet).await?;
        for effect in effects.iter_mut() {
            if let Effect::TripSheet { bills, .. } = effect
                && bills.is_empty()
            {
                bills.clone_from(&on_it);
            }
        }
    }
    Ok(bills::moved(shared, &job.task, effects).await?)
}

/// The bills that the ledger knows to be on a trip sheet.
pub(super) async fn bills_on(shared: &Shared, sheet: TripSheetNumber) -> Result<Vec<EwbNumber>, LedgerError> {
    let sheet = sheet.to_string();
    let (mut on_it, mut after) = (Vec::new(), None);
    loop {
        let page = shared.ledger.bills(BillQuery { after, ..BillQuery::default() }).await?;
        let Some(last) = page.last() else { return Ok(on_it) };
        after = Some(last.standing.number);
        let moved = page.iter().filter(|bill| bill.standing.trip_sheet.as_deref() == Some(sheet.as_str()));
        on_it.extend(moved.map(|bill| bill.standing.number));
    }
}

/// "This IRN cannot be cancelled because an e-way bill has been generated".
const BILL_IN_THE_WAY: &str = "2230";

/// A cancellation refused for an e-way bill that nobody here knew of learns that bill, so that the next one cancels
/// it first.
async fn with_the_bill_in_the_way(shared: &Shared, job: &Job, route: &Route, outcome: StepOutcome) -> StepOutcome {
    let (StepOutcome::Refused { errors, message, mut effects }, Task::CancelIrn { irn, .. }) =
        (outcome.clone(), &job.task)
    else {
        return outcome;
    };
    if !errors.iter().any(|error| error.code == BILL_IN_THE_WAY) {
        return outcome;
    }
    let question = Operation::GetEwbByIrn { irn: *irn, site: other_site(job, route) };
    let Ok(Reply::EwayBill(made)) = route.gateway.call(job.gstin, &question).await else { return outcome };
    let standing = bills::made(&job.task, job.gstin, &made, PortalTime::at(shared.now()));
    let (number, state) = (standing.number, standing.state);
    let query = BillQuery { number: Some(number), ..BillQuery::default() };
    let known = shared.ledger.bills(query).await.ok().and_then(bills::latest);
    let which = known.as_ref().map_or_else(
        || format!("its e-way bill {number} was made elsewhere and is known now"),
        |known| format!("its e-way bill {number}, {} here, stands in the way there", known.state),
    );
    // Whatever it was taken for here: as long as it stands in the way, it is one to cancel.
    let standing = Standing { state, ..bills::joined(standing, known) };
    let message = format!("{message}; {which}: ask for the cancellation again, and the bill is cancelled first");
    effects.push(Effect::Ewb { standing: Box::new(standing) });
    StepOutcome::Refused { errors, message, effects }
}

/// When the portal would begin to refuse the step. The deadline of a cancellation is the earlier one of the bill's
/// and the IRN's; once the bill is cancelled, the IRN has its own time. Bills are consolidated while all are valid.
async fn deadline(shared: &Shared, job: &Job, kind: OperationKind) -> Result<Option<Timestamp>, PipelineError> {
    if let Task::Consolidate { request } = &job.task {
        let mut closes = job.deadline;
        for number in &request.bills {
            let query = BillQuery { number: Some(*number), ..BillQuery::default() };
            let end = bills::latest(shared.ledger.bills(query).await?).and_then(|bill| bill.valid_till);
            let end = Window::ewb_valid(end).closes;
            closes = closes.map_or(end, |closes| Some(end.map_or(closes, |end| closes.min(end))));
        }
        return Ok(closes);
    }
    let (OperationKind::CancelIrn, Some(document), true) = (kind, job.document, job.position > 0) else {
        return Ok(job.deadline);
    };
    let query = Query { after: Some(DocumentId(document.0.saturating_sub(1))), limit: 1, ..Query::default() };
    let found = shared.ledger.query(query).await?.into_iter().find(|status| status.id == document);
    let registration = found.and_then(|status| status.registration);
    Ok(registration.map_or(job.deadline, |registration| Window::irn_cancel(registration.ack_date).closes))
}

/// What the portal would refuse for its time is refused here.
fn too_late(
    shared: &Shared,
    job: &Job,
    kind: OperationKind,
    before: Option<&Standing>,
    closes: Option<Timestamp>,
) -> Option<StepOutcome> {
    let window = Window { opens: job.not_before, closes };
    let code = match kind {
        OperationKind::CancelIrn => "2270",
        OperationKind::CancelEwb => "315",
        OperationKind::RejectEwb => Window::ewb_reject_code(before.and_then(|before| before.made_at), shared.now()),
        OperationKind::UpdatePartB
        | OperationKind::StartMultiVehicle
        | OperationKind::AddVehicle
        | OperationKind::ChangeVehicle => "311",
        OperationKind::ConsolidateEwb => "818",
        OperationKind::UpdateTransporter => "281",
        OperationKind::ExtendValidity => "382",
        _ => "",
    };
    let shut: WindowShut = window.check(shared.now(), &format!("this step ({kind}) could be taken"), code).err()?;
    let errors = if code.is_empty() { Vec::new() } else { vec![PortalError::new(code, shut.to_string())] };
    Some(StepOutcome::Refused { errors, message: shut.to_string(), effects: Vec::<Effect>::new() })
}

/// The routes that may carry the step. What an earlier step or sending went by is kept to; so is the route by
/// which the registration or the bill was made.
fn candidates(shared: &Shared, tally: &Tally, job: &Job, kind: OperationKind) -> Vec<Arc<Route>> {
    let carries = |route: &Arc<Route>| route.gateway.transport().capability().operations.contains(&kind);
    let pinned = job.last.as_ref().map(|last| &last.route).or(job.route.as_ref());
    let Some(name) = pinned else {
        let able: Vec<_> = shared.routes.in_order().iter().filter(|route| carries(route)).cloned().collect();
        if able.is_empty() {
            tally.configuration(
                format!("job {}", job.id.0),
                format!("no configured route carries it ({kind}); add the e-way bill system to a route"),
            );
        }
        return able;
    };
    match shared.routes.by_name(name) {
        Some(route) if carries(route) => vec![Arc::clone(route)],
        // A bill of an IRN is read and cancelled in the e-way bill system, which another route may reach.
        Some(_) if job.last.is_none() || job.position > 0 => {
            let able: Vec<_> = shared.routes.in_order().iter().filter(|route| carries(route)).cloned().collect();
            if able.is_empty() {
                tally.configuration(
                    name.as_str(),
                    format!("route `{name}` does not carry {kind}, nor does another one; job {} waits", job.id.0),
                );
            }
            able
        }
        found => {
            let why = if found.is_some() { "does not carry it any more" } else { "is no longer configured" };
            tally.configuration(
                name.as_str(),
                format!("job {} went by this route, which {why}; bring it back", job.id.0),
            );
            Vec::new()
        }
    }
}

/// The site to name in the call, where that is another one than the route's own.
pub(super) fn other_site(job: &Job, route: &Route) -> Option<String> {
    job.site.clone().filter(|site| site != route.site())
}

/// The bill as the ledger knows it, to tell later whether the step was done.
async fn standing_before(shared: &Shared, job: &Job, kind: OperationKind) -> Result<Option<Standing>, PipelineError> {
    let query = match (job.task.bill(), job.document, kind) {
        (Some(number), _, _) => BillQuery { number: Some(number), ..BillQuery::default() },
        (None, Some(document), OperationKind::CancelEwb) => {
            BillQuery { document: Some(document), ..BillQuery::default() }
        }
        _ => return Ok(None),
    };
    let found = shared.ledger.bills(query).await?;
    Ok(bills::latest(found))
}

/// The call of a step.
pub(super) fn operation(
    job: &Job,
    kind: OperationKind,
    bill: Option<&Standing>,
    site: Option<String>,
) -> Option<Operation> {
    Some(match &job.task {
        Task::CancelIrn { irn, reason, remark } => match kind {
            OperationKind::CancelEwb => Operation::CancelEwb {
                number: bill?.number,
                reason: *reason,
                remark: remark.chars().take(plan::EWB_REMARK_MAX).collect(),
            },
            _ => Operation::CancelIrn { irn: *irn, reason: *reason, remark: remark.clone(), site },
        },
        Task::GenerateEwbByIrn { request } => Operation::GenerateEwbByIrn { request: request.clone(), site },
        Task::GenerateEwb { payload, .. } => Operation::GenerateEwb { payload: Bytes::from(payload.clone()) },
        Task::CancelEwb { number, reason, remark } => {
            Operation::CancelEwb { number: *number, reason: *reason, remark: remark.clone() }
        }
        Task::RejectEwb { number } => Operation::RejectEwb { number: *number },
        Task::UpdatePartB { request } => Operation::UpdatePartB { request: request.clone() },
        Task::UpdateTransporter { number, transporter } => {
            Operation::UpdateTransporter { number: *number, transporter: transporter.clone() }
        }
        Task::ExtendValidity { request } => Operation::ExtendValidity { request: request.clone() },
        Task::Consolidate { request } => Operation::ConsolidateEwb { request: request.clone() },
        Task::RegenerateTripSheet { request } => Operation::RegenerateTripSheet { request: request.clone() },
        Task::StartMultiVehicle { request } => Operation::StartMultiVehicle { request: request.clone() },
        Task::AddVehicle { request } => Operation::AddVehicle { request: request.clone() },
        Task::ChangeVehicle { request } => Operation::ChangeVehicle { request: request.clone() },
        Task::CloseEwb { request } => Operation::CloseEwb { request: request.clone() },
    })
}
