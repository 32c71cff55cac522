//! From an answer to what became of a step: pure decisions, and the only place that makes them.
//!
//! The rule is that of registrations: `Done` and `Refused` need proof, what was certainly not looked at may be
//! sent again, and everything else is `Unknown` and asked about.

use std::time::Duration;

use super::super::Shared;
use super::super::outcome::{AUTH_PAUSE, said_of_the_call};
use super::bills;
use crate::clock::later;
use crate::credential::CredentialError;
use crate::date::PortalTime;
use crate::ewb::Standing;
use crate::job::{Cancellation, Effect, Job, StepOutcome, Task};
use crate::operation::{EwbChanged, IrnCancelled, OperationKind, Reply};
use crate::portal_code::{ErrorClass, PortalError};
use crate::state::EwbState;
use crate::transport::TransportError;
use crate::usage::RATE_LIMIT_PAUSE;

/// Codes after which the thing asked for may exist already, by an earlier call whose answer was lost: 9999 the IRN
/// is cancelled, 312 (4057) the bill is cancelled or not ours, 604, 813, 4002 and 4026 the bill was made. The
/// portal is asked which.
const MAYBE_DONE: [&str; 7] = ["9999", "312", "4057", "604", "813", "4002", "4026"];

/// "A like request is being processed".
pub(super) const CONCURRENT: &str = "813";

/// "The e-way bill is already closed": what closing asks for is so, and no read could show it.
const ALREADY_CLOSED: &str = "829";

/// Codes that tell in passing that a bill was closed (newer list of the e-way bill system).
const CLOSED_CODES: std::ops::RangeInclusive<u32> = 843..=851;

/// A reply that says yes.
pub(super) fn done(
    shared: &Shared,
    job: &Job,
    kind: OperationKind,
    before: Option<&Standing>,
    reply: Reply,
) -> StepOutcome {
    let now = PortalTime::at(shared.now());
    let (effects, message) = match (reply, &job.task) {
        (Reply::IrnCancelled(IrnCancelled { irn, cancelled_at }), Task::CancelIrn { irn: ours, reason, remark }) => {
            if irn != *ours {
                return unknown(shared, format!("the reply names IRN {irn}, not the one to cancel"), Vec::new(), job);
            }
            (vec![cancelled(cancelled_at.or(Some(now)), *reason, remark)], "the IRN was cancelled".to_owned())
        }
        (Reply::EwayBill(made), task @ (Task::GenerateEwbByIrn { .. } | Task::GenerateEwb { .. })) => {
            let standing = bills::made(task, job.gstin, &made, now);
            let message = format!("e-way bill {} was made", standing.number);
            (vec![Effect::Ewb { standing: Box::new(standing) }], message)
        }
        (Reply::EwbChanged(changed), Task::Consolidate { .. } | Task::RegenerateTripSheet { .. }) => {
            // Without its number the trip sheet is on no paper: reading the bills tells it.
            let Some(number) = changed.trip_sheet else {
                return unknown(shared, format!("the reply to {kind} names no trip sheet"), Vec::new(), job);
            };
            let (bills, message) = match &job.task {
                Task::RegenerateTripSheet { request } => {
                    (changed.bills.clone(), format!("trip sheet {number} takes the place of {}", request.trip_sheet))
                }
                Task::Consolidate { request } => (request.bills.clone(), format!("trip sheet {number} was made")),
                _ => (Vec::new(), format!("trip sheet {number} was made")),
            };
            (vec![Effect::TripSheet { number, bills }], message)
        }
        (Reply::EwbChanged(changed), task)
            if !matches!(
                kind,
                OperationKind::GenerateEwb | OperationKind::GenerateEwbByIrn | OperationKind::CancelIrn
            ) =>
        {
            let about = before.map(|before| before.number).or(task.bill());
            if changed.number.is_some_and(|number| about.is_some_and(|about| number != about)) {
                let message = "the reply names another e-way bill than was asked about".to_owned();
                return unknown(shared, message, Vec::new(), job);
            }
            match before {
                Some(before) => {
                    let standing = bills::changed(task, kind, before, &changed);
                    let message = format!("e-way bill {}: {kind} done", standing.number);
                    (vec![Effect::Ewb { standing: Box::new(standing) }], message)
                }
                None => (Vec::new(), format!("{kind} done")),
            }
        }
        (other, _) => {
            return unknown(shared, format!("{kind} was answered with {}", other.words()), Vec::new(), job);
        }
    };
    StepOutcome::Done { effects, message }
}

/// A cancelled registration as an effect.
pub(super) fn cancelled(at: Option<PortalTime>, reason: crate::ewb::CancelReason, remark: &str) -> Effect {
    Effect::IrnCancelled { cancellation: Cancellation { at, reason: Some(reason), remark: Some(remark.to_owned()) } }
}

/// A call that failed.
pub(super) fn failed(
    shared: &Shared,
    job: &Job,
    kind: OperationKind,
    before: Option<&Standing>,
    error: &TransportError,
) -> StepOutcome {
    let not_done = |pause: Duration| StepOutcome::NotDone {
        message: error.to_string(),
        due_at: later(shared.now(), pause).unwrap_or_else(|| shared.now()),
    };
    let breaker = Duration::from_secs(shared.settings.breaker_pause_seconds);
    let errors = match error {
        TransportError::HeldBack { .. } => return not_done(RATE_LIMIT_PAUSE),
        // Nothing left, or a login inside the call ended badly: the call itself was turned away at the door before.
        TransportError::NotSent { .. }
        | TransportError::Credential(CredentialError::Unreachable { .. })
        | TransportError::NoAnswer { changes_books: false, .. }
        | TransportError::BadAnswer { changes_books: false, .. } => return not_done(breaker),
        TransportError::Unsupported { .. } | TransportError::Credential(_) => return not_done(AUTH_PAUSE),
        TransportError::NoAnswer { .. } | TransportError::BadAnswer { .. } => {
            return unknown(shared, error.to_string(), Vec::new(), job);
        }
        TransportError::Refused { operation, .. } if *operation != Some(kind) => return not_done(AUTH_PAUSE),
        TransportError::Refused { errors, .. } => errors,
    };
    if let (Task::CloseEwb { .. }, Some(before)) = (&job.task, before)
        && errors.iter().any(|error| error.code == ALREADY_CLOSED)
    {
        let standing = bills::changed(&job.task, kind, before, &EwbChanged::default());
        let effects = vec![Effect::Ewb { standing: Box::new(standing) }];
        return StepOutcome::Done { effects, message: "the e-way bill was closed before".to_owned() };
    }
    if errors.iter().any(|error| MAYBE_DONE.contains(&error.code.as_str())) {
        // Somebody may have done it, and there is nothing to wait for but a like request still under way.
        let is_concurrent = errors.iter().any(|error| error.code == CONCURRENT);
        let mut outcome = unknown(shared, error.to_string(), errors.clone(), job);
        if let (StepOutcome::Unknown { due_at, .. }, false) = (&mut outcome, is_concurrent) {
            *due_at = shared.now();
        }
        return outcome;
    }
    if error.is_unproven() {
        return unknown(shared, error.to_string(), said_of_the_call(error), job);
    }
    match error.class().unwrap_or(ErrorClass::Unknown) {
        ErrorClass::RateLimit => not_done(RATE_LIMIT_PAUSE),
        ErrorClass::TokenExpired | ErrorClass::Auth | ErrorClass::ClientConfig | ErrorClass::PayloadOrCrypto => {
            not_done(AUTH_PAUSE)
        }
        ErrorClass::Transient | ErrorClass::UpstreamTransient | ErrorClass::Unknown | ErrorClass::Duplicate => {
            unknown(shared, error.to_string(), errors.clone(), job)
        }
        _ => {
            StepOutcome::Refused { errors: errors.clone(), message: error.to_string(), effects: learnt(errors, before) }
        }
    }
}

/// What a refusal tells of the bill in passing.
pub(super) fn learnt(errors: &[PortalError], before: Option<&Standing>) -> Vec<Effect> {
    let Some(before) = before else { return Vec::new() };
    let closed =
        errors.iter().filter_map(|error| error.code.parse::<u32>().ok()).any(|code| CLOSED_CODES.contains(&code));
    if !closed || before.state == EwbState::Closed {
        return Vec::new();
    }
    let mut standing = before.clone();
    standing.state = EwbState::Closed;
    vec![Effect::Ewb { standing: Box::new(standing) }]
}

/// An outcome that nobody knows, to be asked about after the settling wait, later and later each time.
pub(super) fn unknown(shared: &Shared, message: String, errors: Vec<PortalError>, job: &Job) -> StepOutcome {
    const PAUSE_MAX: Duration = Duration::from_hours(1);
    let wait = Duration::from_secs(shared.settings.settle_wait_seconds.max(1));
    let pause = wait.saturating_mul(2_u32.saturating_pow(job.asked.min(16))).min(PAUSE_MAX);
    let now = shared.now();
    StepOutcome::Unknown { message, due_at: later(now, pause).unwrap_or(now), errors, hand_over: None }
}
