//! Settles a step whose outcome nobody knows: by asking, and by nothing else.
//!
//! Each kind of step has a question whose answer shows whether it was done. "Not done" counts only as a clear
//! answer of the site that was called; then the step is refused for good if the portal had refused it, and may be
//! taken again if nothing was said.

use std::time::Duration;

use jiff::Timestamp;

use super::super::report::Tally;
use super::super::routes::Route;
use super::super::send::heed;
use super::super::{PipelineError, Shared};
use super::hand_over::{Said, asked_of_a_person, is_past_the_window};
use super::step::other_site;
use super::{Ended, bills, conclude, record};
use crate::clock::later;
use crate::date::PortalTime;
use crate::document::Difference;
use crate::ewb::document::EwbRequest;
use crate::ewb::request::Carriage;
use crate::ewb::{EwbNumber, Standing, TripSheetNumber};
use crate::job::{BillQuery, Effect, Job, StepOutcome, Task};
use crate::ledger::WorkerId;
use crate::operation::{
    EwbDetails, EwbVehicle, MadeEwb, Operation, OperationKind, Registration, RegistrationStatus, Reply,
};
use crate::pipeline::outcome::{consequence_of, proves_absence, says};
use crate::portal_code::{ErrorClass, PortalError, deciding_class};
use crate::state::EwbState;
use crate::transport::TransportError;

/// Sendings after which a step that the portal stumbles over every time, and does not do, is left to a person.
const SENDINGS_MAX: u32 = 5;

/// The portals' times are rounded to the minute.
const ROUNDED_BY: Duration = Duration::from_mins(1);

/// "Requested IRN data is not available": perhaps at the other site.
const NOT_HERE: [&str; 2] = ["2148", "4003"];

/// What asking brought.
enum Found {
    /// The step was done.
    Done { effects: Vec<Effect>, message: String },
    /// It was not.
    NotDone { message: String, effects: Vec<Effect> },
    /// Something else stands in its place: a person decides.
    Clash { message: String, effects: Vec<Effect> },
    /// Nobody can tell yet.
    Unclear { message: String, said: Said },
}

impl Found {
    /// With what the ledger knows of the bills it names.
    async fn joined(mut self, shared: &Shared) -> Result<Self, PipelineError> {
        let (Self::Done { effects, .. } | Self::NotDone { effects, .. } | Self::Clash { effects, .. }) = &mut self
        else {
            return Ok(self);
        };
        for effect in effects {
            let Effect::Ewb { standing } = effect else { continue };
            let query = BillQuery { number: Some(standing.number), ..BillQuery::default() };
            let known = bills::latest(shared.ledger.bills(query).await?);
            **standing = bills::expired(bills::joined((**standing).clone(), known), shared.now());
        }
        Ok(self)
    }
}

pub(super) async fn settle(
    shared: &Shared,
    tally: &Tally,
    worker: &WorkerId,
    job: &Job,
) -> Result<Ended, PipelineError> {
    let (Some(kind), Some(last)) = (job.step(), &job.last) else {
        let message = "no call is on record, so nobody can be asked".to_owned();
        return record(shared, tally, worker, job, unclear_yet(shared, job, message, Said::WindowOver)).await;
    };
    let Some(route) = shared.routes.by_name(&last.route) else {
        let message = format!("job {} went by this route, which is no longer configured; bring it back", job.id.0);
        tally.configuration(last.route.as_str(), message.clone());
        if asked_of_a_person(shared, job, Said::Nothing).is_some() && job.hand_over.is_none() {
            return record(shared, tally, worker, job, unclear_yet(shared, job, message, Said::Nothing)).await;
        }
        return Ok(Ended::Untouched);
    };
    if route.is_closed() || route.is_closed_for(job.gstin) {
        return Ok(Ended::Untouched);
    }
    let Some(_permit) = route.permit(job.gstin).await else { return Ok(Ended::Untouched) };
    if route.is_closed() || route.is_closed_for(job.gstin) {
        return Ok(Ended::Untouched);
    }
    let known = known_bill(shared, job).await?;
    let question = Question { shared, job, kind, route, known };
    let found = match question.put().await {
        Ok(found) => found,
        Err(error) => {
            route.learn(Some(&error));
            heed(tally, route, job.gstin, &error, consequence_of(&error));
            Found::Unclear { message: error.to_string(), said: Said::by(&error) }
        }
    };
    let mut found = found.joined(shared).await?;
    if let Found::Done { effects, .. } = &mut found {
        bills::moved(shared, &job.task, effects).await?;
    }
    record(shared, tally, worker, job, judged(shared, job, found)).await
}

/// What the answer means for the job.
fn judged(shared: &Shared, job: &Job, found: Found) -> StepOutcome {
    match found {
        Found::Done { effects, message } => StepOutcome::Done { effects, message },
        Found::Clash { message, effects } => StepOutcome::Refused { errors: job.errors.clone(), message, effects },
        Found::Unclear { message, said } => unclear_yet(shared, job, message, said),
        Found::NotDone { message, effects } => {
            let stumbled = |class| matches!(class, ErrorClass::Transient | ErrorClass::UpstreamTransient);
            let is_refused = !job.errors.is_empty() && !stumbled(deciding_class(&job.errors));
            // Without an answer that ended it the call may still be under way, and show later.
            let is_open = |error: &PortalError| error.code == conclude::CONCURRENT || error.by_status;
            let is_ended = is_refused && !job.errors.iter().any(is_open);
            if let Some(due_at) = settled_at(shared, job).filter(|settled| !is_ended && shared.now() < *settled) {
                let message = format!("{message}, and so soon after it was sent that this proves nothing");
                return StepOutcome::Unknown { message, due_at, errors: job.errors.clone(), hand_over: None };
            }
            if is_refused || job.sendings >= SENDINGS_MAX {
                let errors: Vec<PortalError> = job.errors.clone();
                let said = errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
                let message = if said.is_empty() { message } else { format!("{said} ({message})") };
                return StepOutcome::Refused { errors, message, effects };
            }
            StepOutcome::NotDone { message, due_at: shared.now() }
        }
    }
}

/// An answer that clears nothing: the portal is asked again, or a person once it tells no more.
fn unclear_yet(shared: &Shared, job: &Job, message: String, said: Said) -> StepOutcome {
    let mut outcome = conclude::unknown(shared, message, job.errors.clone(), job);
    if let StepOutcome::Unknown { message, hand_over, .. } = &mut outcome {
        *hand_over = asked_of_a_person(shared, job, said);
        if hand_over.is_some() {
            *message = format!(
                "{message}; asking tells no more, and a person is to look: `einvoice resolve --job {}` says where",
                job.id.0
            );
        }
    }
    outcome
}

/// When the settling wait of the latest sending is over.
fn settled_at(shared: &Shared, job: &Job) -> Option<Timestamp> {
    let wait = Duration::from_secs(shared.settings.settle_wait_seconds);
    later(job.last.as_ref()?.at, wait)
}

async fn known_bill(shared: &Shared, job: &Job) -> Result<Option<Standing>, PipelineError> {
    if let Some(before) = job.last.as_ref().and_then(|last| last.before.as_deref()) {
        return Ok(Some(before.clone()));
    }
    let Some(number) = job.task.bill() else { return Ok(None) };
    let query = BillQuery { number: Some(number), ..BillQuery::default() };
    Ok(bills::latest(shared.ledger.bills(query).await?))
}

/// A question about one step.
struct Question<'a> {
    shared: &'a Shared,
    job: &'a Job,
    kind: OperationKind,
    route: &'a Route,
    known: Option<Standing>,
}

impl Question<'_> {
    async fn call(&self, operation: Operation) -> Result<Reply, TransportError> {
        let reply = self.route.gateway.call(self.job.gstin, &operation).await;
        if reply.is_ok() {
            self.route.learn(None);
        }
        reply
    }

    fn not_this(&self, reply: &Reply) -> TransportError {
        TransportError::BadAnswer {
            endpoint: self.route.name().to_string(),
            http_status: None,
            reason: format!("the question about {} was answered with {}", self.kind, reply.words()),
            changes_books: false,
        }
    }

    /// Whether the answer proves that there is no such bill, by the rule of registrations.
    fn is_not_found(&self, error: &TransportError) -> bool {
        let is_portals = |code: &str| ErrorClass::of(code) == ErrorClass::NotFound && !NOT_HERE.contains(&code);
        proves_absence(error, self.route.mode(), is_portals)
    }

    async fn put(&self) -> Result<Found, TransportError> {
        match (&self.job.task, self.kind) {
            (Task::CancelIrn { irn, .. }, OperationKind::CancelIrn) => self.cancelled_irn(*irn).await,
            // There was no bill to cancel on the way, so that nothing was sent and nobody can be asked about it.
            (Task::CancelIrn { .. }, OperationKind::CancelEwb) if self.known.is_none() => {
                Ok(Found::Done { effects: Vec::new(), message: "there is no active e-way bill to cancel".to_owned() })
            }
            (Task::GenerateEwbByIrn { request }, _) => self.made_by_irn(request.irn).await,
            (Task::GenerateEwb { payload, doc_type, doc_no }, _) => {
                self.made_for_document(payload, doc_type, doc_no).await
            }
            (Task::Consolidate { request }, _) => {
                let Some(first) = request.bills.first() else { return Ok(unclear("no e-way bill is named")) };
                self.trip_sheet(*first, None, &request.carriage, &request.bills).await
            }
            (Task::RegenerateTripSheet { request }, _) => self.regenerated(request.trip_sheet, &request.carriage).await,
            // No read shows a closure; asking for it once more does no harm and tells (829).
            (Task::CloseEwb { .. }, _) => {
                Ok(Found::NotDone { message: "closing is asked for once more".to_owned(), effects: Vec::new() })
            }
            _ => self.changed().await,
        }
    }

    async fn registration(&self, irn: crate::irn::Irn) -> Result<Box<Registration>, TransportError> {
        let ask = |site| self.call(Operation::GetIrn { irn, site });
        let named = other_site(self.job, self.route);
        let first = ask(named.clone()).await;
        let reply = match first {
            // "Not here" may mean another site: name the one that was called.
            Err(error) if named.is_none() && has_code(&error, &NOT_HERE) => {
                ask(self.job.last.as_ref().map(|last| last.site.clone())).await?
            }
            other => other?,
        };
        match reply {
            Reply::Registration(registration) => Ok(registration),
            other => Err(self.not_this(&other)),
        }
    }

    async fn cancelled_irn(&self, irn: crate::irn::Irn) -> Result<Found, TransportError> {
        let registration = self.registration(irn).await?;
        if registration.irn != irn {
            return Ok(unclear("the portal answered with another IRN"));
        }
        let Task::CancelIrn { reason, remark, .. } = &self.job.task else { return Ok(unclear("no cancellation")) };
        Ok(match &registration.status {
            RegistrationStatus::Cancelled => Found::Done {
                effects: vec![conclude::cancelled(None, *reason, remark)],
                message: "asked; the IRN is cancelled".to_owned(),
            },
            RegistrationStatus::Active => {
                Found::NotDone { message: "asked; the IRN stands".to_owned(), effects: Vec::new() }
            }
            RegistrationStatus::Other(word) => unclear(&format!("the portal calls the IRN `{word}`")),
        })
    }

    async fn made_by_irn(&self, irn: crate::irn::Irn) -> Result<Found, TransportError> {
        let ask = |site| self.call(Operation::GetEwbByIrn { irn, site });
        let named = other_site(self.job, self.route);
        let mut reply = ask(named.clone()).await;
        if named.is_none() && reply.as_ref().is_err_and(|error| has_code(error, &NOT_HERE)) {
            // "Not here" may mean another site: name the one that was called.
            reply = ask(self.job.last.as_ref().map(|last| last.site.clone())).await;
        }
        let reply = match reply {
            Err(error) if self.is_not_found(&error) => return Ok(nothing_made()),
            other => other?,
        };
        match reply {
            Reply::EwayBill(made) => Ok(self.adopt(&made)),
            other => Err(self.not_this(&other)),
        }
    }

    /// A bill that stands is the one asked for: an IRN has one at most. One that expired and was made before this
    /// job was planned is another one, in whose place the portal makes none.
    fn adopt(&self, made: &MadeEwb) -> Found {
        let standing = bills::made(&self.job.task, self.job.gstin, made, PortalTime::at(self.shared.now()));
        let number = standing.number;
        if standing.state == EwbState::Cancelled {
            return Found::NotDone { message: format!("asked; e-way bill {number} is cancelled"), effects: Vec::new() };
        }
        let now = self.shared.now();
        let is_earlier = made
            .made_at
            .and_then(PortalTime::to_timestamp)
            .is_some_and(|at| later(at, ROUNDED_BY).is_some_and(|at| at < self.job.planned_at));
        let has_expired = standing.clone().at(now).state == EwbState::Expired;
        let effects = vec![Effect::Ewb { standing: Box::new(standing) }];
        if is_earlier && has_expired {
            let message = format!(
                "e-way bill {number} was made before, and its validity is over: the portal makes no other one for this \
                 IRN. Extend it where its time allows; else make a bill without the IRN"
            );
            return Found::Clash { message, effects };
        }
        Found::Done { effects, message: format!("asked; e-way bill {number} was made") }
    }

    async fn made_for_document(&self, payload: &str, doc_type: &str, doc_no: &str) -> Result<Found, TransportError> {
        let question = Operation::GetEwbByDocument { doc_type: doc_type.to_owned(), number: doc_no.to_owned() };
        let made = match self.call(question).await {
            // Only active bills are found by their document.
            Err(error) if self.is_not_found(&error) && is_past_the_window(self.shared, self.job) => {
                return Ok(unclear(
                    "the portal has no active e-way bill for the document, so late that this proves nothing",
                ));
            }
            Err(error) if self.is_not_found(&error) => return Ok(nothing_made()),
            Err(error) => return Err(error),
            Ok(Reply::EwayBill(made)) => made,
            Ok(other) => return Err(self.not_this(&other)),
        };
        let details = self.details(made.number).await?;
        let standing = Standing::of_details(&details, None, self.job.gstin);
        // It stands in nobody's way any more, whatever it says.
        if standing.state == EwbState::Cancelled {
            let message = format!("asked; e-way bill {} of this document is cancelled", made.number);
            return Ok(Found::NotDone { message, effects: vec![Effect::Ewb { standing: Box::new(standing) }] });
        }
        let Some(differences) = differences(payload, &details.content) else {
            return Ok(unclear("the e-way bill at the portal cannot be compared with what was to be sent"));
        };
        if differences.is_empty() {
            return Ok(self.adopt(&made));
        }
        let shown: Vec<String> = differences.iter().take(5).map(shown).collect();
        Ok(Found::Clash {
            message: format!(
                "e-way bill {} exists for {doc_type} {doc_no} and differs from what was to be sent: {}",
                made.number,
                shown.join("; ")
            ),
            effects: vec![Effect::Ewb { standing: Box::new(standing) }],
        })
    }

    async fn details(&self, number: EwbNumber) -> Result<Box<EwbDetails>, TransportError> {
        match self.call(Operation::GetEwb { number }).await? {
            Reply::EwbDetails(details) => Ok(details),
            other => Err(self.not_this(&other)),
        }
    }

    /// A step on one bill: the bill shows it.
    async fn changed(&self) -> Result<Found, TransportError> {
        let number = self.job.task.bill().or_else(|| self.known.as_ref().map(|known| known.number));
        let Some(number) = number else { return Ok(unclear("no e-way bill is named")) };
        let details = self.details(number).await?;
        let known = self.known.as_ref();
        let mut standing = Standing::of_details(&details, known, self.job.gstin);
        let done = match (&self.job.task, self.kind) {
            (_, OperationKind::CancelEwb) => standing.state == EwbState::Cancelled,
            (Task::RejectEwb { .. }, _) => details.is_rejected,
            (Task::UpdatePartB { request }, _) => {
                details.vehicles.first().is_some_and(|newest| self.is_new(newest, &request.carriage))
            }
            (Task::UpdateTransporter { transporter, .. }, _) => {
                details.transporter.as_deref().is_some_and(|found| found.eq_ignore_ascii_case(transporter))
            }
            (Task::ExtendValidity { .. }, _) => {
                let later = known
                    .and_then(|known| known.valid_till)
                    .is_some_and(|before| details.valid_till.is_some_and(|till| till > before));
                later || known.is_some_and(|known| details.extended > known.extended)
            }
            (Task::StartMultiVehicle { .. }, _) => {
                let is_shown = known.is_none_or(|known| known.group.is_none())
                    && details.vehicles.iter().any(|one| one.group.is_some());
                if !is_shown {
                    return Ok(not_to_be_seen(number, standing));
                }
                true
            }
            (Task::AddVehicle { request }, _) => is_in_group(&details, &request.group, &request.carriage),
            (Task::ChangeVehicle { request }, _) => is_in_group(&details, &request.group, &request.new),
            _ => return Ok(unclear("no question shows whether this step was done")),
        };
        if self.kind == OperationKind::CancelEwb && done {
            standing.cancelled_at = standing.cancelled_at.or(Some(PortalTime::at(self.shared.now())));
        }
        let effects = vec![Effect::Ewb { standing: Box::new(standing) }];
        let kind = self.kind;
        Ok(if done {
            Found::Done { effects, message: format!("asked; e-way bill {number}: {kind} is done") }
        } else {
            Found::NotDone { effects, message: format!("asked; e-way bill {number} does not show it ({kind})") }
        })
    }

    /// Whether an entry is this carriage, and not one from before the step: a vehicle may be entered twice.
    fn is_new(&self, newest: &EwbVehicle, carriage: &Carriage) -> bool {
        let before = self.known.as_ref().and_then(|known| known.movement.as_ref());
        let same_as_before = before.is_some_and(|before| before.vehicle == carriage.vehicle);
        let entered = newest.entered_at.and_then(PortalTime::to_timestamp).and_then(|at| later(at, ROUNDED_BY));
        let sent = self.job.last.as_ref().map(|last| last.at);
        bills::is_carriage(newest, carriage) && (!same_as_before || entered >= sent)
    }

    async fn trip_sheet(
        &self,
        bill: EwbNumber,
        old: Option<TripSheetNumber>,
        carriage: &Carriage,
        on_it: &[EwbNumber],
    ) -> Result<Found, TransportError> {
        let details = self.details(bill).await?;
        let newest = details.vehicles.iter().find(|entry| entry.trip_sheet.is_some());
        let sheet = newest
            .filter(|entry| bills::is_carriage(entry, carriage))
            .and_then(|entry| entry.trip_sheet.as_deref().and_then(|number| TripSheetNumber::parse(number).ok()));
        let sheet = match sheet.filter(|sheet| Some(*sheet) != old) {
            // An earlier one, for other bills in the same vehicle, is not the one that was asked for.
            Some(number) if old.is_none() && !self.is_for(number, on_it).await? => None,
            other => other,
        };
        Ok(match sheet {
            Some(number) => Found::Done {
                effects: vec![Effect::TripSheet { number, bills: on_it.to_vec() }],
                message: format!("asked; trip sheet {number} was made"),
            },
            None => Found::NotDone {
                message: format!("asked; e-way bill {bill} is on no new trip sheet"),
                effects: Vec::new(),
            },
        })
    }

    async fn is_for(&self, number: TripSheetNumber, wanted: &[EwbNumber]) -> Result<bool, TransportError> {
        match self.call(Operation::GetTripSheet { number }).await? {
            Reply::TripSheet(sheet) => {
                Ok(sheet.bills.len() == wanted.len() && wanted.iter().all(|bill| sheet.bills.contains(bill)))
            }
            other => Err(self.not_this(&other)),
        }
    }

    async fn regenerated(&self, old: TripSheetNumber, carriage: &Carriage) -> Result<Found, TransportError> {
        let sheet = match self.call(Operation::GetTripSheet { number: old }).await? {
            Reply::TripSheet(sheet) => sheet,
            other => return Err(self.not_this(&other)),
        };
        let Some(first) = sheet.bills.first() else { return Ok(unclear("the trip sheet names no e-way bill")) };
        self.trip_sheet(*first, Some(old), carriage, &sheet.bills).await
    }
}

/// A movement by several vehicles is seen at its first vehicle only, and a second one would stand beside it.
fn not_to_be_seen(number: EwbNumber, standing: Standing) -> Found {
    Found::Clash {
        message: format!(
            "the answer was lost, and e-way bill {number} does not show a movement by several vehicles before its first \
             vehicle; it is not started a second time: add a vehicle to the group it should have, and start it again \
             if the portal says that there is no such group (411)"
        ),
        effects: vec![Effect::Ewb { standing: Box::new(standing) }],
    }
}

fn is_in_group(details: &EwbDetails, group: &str, carriage: &Carriage) -> bool {
    details.vehicles.iter().any(|entry| entry.group.as_deref() == Some(group) && bills::is_carriage(entry, carriage))
}

fn unclear(message: &str) -> Found {
    Found::Unclear { message: message.to_owned(), said: Said::Something }
}

fn nothing_made() -> Found {
    Found::NotDone { message: "asked; there is no e-way bill".to_owned(), effects: Vec::new() }
}

fn has_code(error: &TransportError, codes: &[&str]) -> bool {
    codes.iter().any(|code| says(error.portal_errors(), code))
}

fn shown(difference: &Difference) -> String {
    let text = |value: &Option<String>| value.clone().unwrap_or_else(|| "nothing".to_owned());
    format!("{} is {} there and {} here", difference.path, text(&difference.theirs), text(&difference.ours))
}

/// Field by field, what the bill at the portal says otherwise than the request; nothing when either cannot be read.
fn differences(payload: &str, content: &str) -> Option<Vec<Difference>> {
    let ours = EwbRequest::from_json(payload).ok()?.request;
    let theirs = EwbRequest::from_json(content).ok()?.request;
    Some(ours.differences(&theirs))
}
