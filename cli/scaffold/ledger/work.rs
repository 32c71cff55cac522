//! Work on documents: leases, intents, and what became of them.

use std::time::Duration;

use einvoice_core::clock::later;
use einvoice_core::finding::{Finding, Severity};
use einvoice_core::job::Cancellation;
use einvoice_core::ledger::{
    AttemptId, AttemptOutcome, ClaimRequest, Claimed, DocumentId, HandOver, Intent, LedgerError, NewIntent, Settlement,
    Verdict, Work, WorkerId,
};
use einvoice_core::portal_code::PortalError;
use einvoice_core::state::DocumentState as State;
use jiff::Timestamp;
use serde::Serialize;

use crate::books::{Attempt, Books, Document, next};

impl Books {
    /// Hands out the oldest documents that nobody holds. What was sent by a worker whose lease is over is unknown.
    pub(crate) fn claim(&mut self, wish: &ClaimRequest, now: Timestamp, settle_wait: Duration) -> Vec<Claimed> {
        self.presume_unknown(now, settle_wait);
        let is_wanted = |document: &&Document| {
            let is_due = match wish.work {
                Work::Send => document.state == State::Ready,
                _ => document.state == State::Unknown && document.ask_at.is_none_or(|ask_at| ask_at <= now),
            };
            let is_stopped = document.key.as_ref().is_some_and(|key| wish.skip_suppliers.contains(&key.supplier));
            is_due && !is_stopped && document.is_free(now)
        };
        let mut wanted: Vec<(Option<Timestamp>, i64)> =
            self.documents.values().filter(is_wanted).map(|document| (document.ask_at, document.id)).collect();
        // What is to be asked about comes in the order in which it fell due.
        wanted.sort_unstable();
        let until = later(now, wish.lease).unwrap_or(Timestamp::MAX);
        let mut claimed = Vec::new();
        for (_, id) in wanted.into_iter().take(wish.limit) {
            if let Some(document) = self.documents.get_mut(&id) {
                document.lease = Some((wish.worker.clone(), until));
            }
            claimed.extend(self.claimed(id));
        }
        claimed
    }

    fn presume_unknown(&mut self, now: Timestamp, settle_wait: Duration) {
        let lost = |document: &&mut Document| document.state == State::Sent && document.is_free(now);
        for document in self.documents.values_mut().filter(lost) {
            let sent_at = document.last_attempt.and_then(|attempt| self.attempts.get(&attempt.0)).map(|sent| sent.intent.at);
            document.close_question();
            document.state = State::Unknown;
            // The portal may still be working on it: a "not there" before that proves nothing.
            document.ask_at = sent_at.and_then(|at| later(at, settle_wait));
            document.findings = with_portal(document, unknown("the worker that sent it did not say what became of it", &[]));
            document.lease = None;
            document.tell(Some(State::Sent), "the worker's lease ended without an outcome", "{}".to_owned(), now);
        }
    }

    fn claimed(&self, id: i64) -> Option<Claimed> {
        let document = self.documents.get(&id)?;
        let Verdict::Ready { payload, irn } = &document.verdict else { return None };
        let of_document = |attempt: &&Attempt| attempt.intent.document.0 == id;
        Some(Claimed {
            id: DocumentId(id),
            key: document.key.clone()?,
            state: document.state,
            payload: payload.clone(),
            payload_hash: hash(payload),
            irn: *irn,
            last_attempt: document.last_attempt.and_then(|attempt| self.attempts.get(&attempt.0)).map(|sent| sent.intent.clone()),
            pinned: self.attempts.values().filter(of_document).any(|attempt| !attempt.is_over),
            asked: document.asked,
            open_errors: document.open.0.clone(),
            open_info: document.open.1.clone(),
            hand_over: document.hand_over.clone(),
        })
    }

    pub(crate) fn release(&mut self, worker: &WorkerId, documents: &[DocumentId]) {
        for id in documents {
            if let Some(document) = self.documents.get_mut(&id.0)
                && document.lease.as_ref().is_some_and(|(holder, _)| holder == worker)
            {
                document.lease = None;
            }
        }
    }

    /// Stores the intent; from here on the document may have been sent.
    pub(crate) fn intend(&mut self, wish: NewIntent, now: Timestamp) -> Result<Intent, LedgerError> {
        let attempt = AttemptId(next(&self.attempts));
        let earlier = self.attempts.values().filter(|attempt| attempt.intent.document == wish.document).count();
        let document = self.document(wish.document)?;
        if document.state != State::Ready {
            return Err(document.illegal(State::Sent));
        }
        if !document.is_with(&wish.worker, now) {
            return Err(LedgerError::NotClaimed { document: wish.document, worker: wish.worker });
        }
        let is_current =
            matches!(&document.verdict, Verdict::Ready { payload, .. } if hash(payload) == wish.payload_hash);
        if !is_current {
            return Err(LedgerError::OtherPayload { document: wish.document });
        }
        document.become_state(State::Sent)?;
        document.last_attempt = Some(attempt);
        let intent = Intent {
            attempt,
            document: wish.document,
            number: u32::try_from(earlier + 1).unwrap_or(u32::MAX),
            route: wish.route,
            site: wish.site,
            gstin: wish.gstin,
            payload_hash: wish.payload_hash,
            at: now,
        };
        document.tell(Some(State::Ready), "the intent to send was stored", json(&intent), now);
        self.attempts.insert(attempt.0, Attempt { intent: intent.clone(), outcome: None, is_over: false });
        Ok(intent)
    }

    /// Records what became of an attempt. It may come late; it counts where it says something new of the last attempt.
    pub(crate) fn record(&mut self, id: AttemptId, outcome: AttemptOutcome, now: Timestamp) -> Result<(), LedgerError> {
        let attempt = self.attempts.get_mut(&id.0).ok_or(LedgerError::NoIntent { attempt: id })?;
        let number = attempt.intent.document;
        let document = self.documents.get_mut(&number.0).ok_or(LedgerError::NoDocument { document: number })?;
        let to = state_of(&outcome);
        if let Some(before) = &attempt.outcome {
            return if *before == outcome { Ok(()) } else { Err(document.illegal(to)) };
        }
        let is_open = matches!(document.state, State::Sent | State::Unknown);
        let says_nothing_new = to == document.state || to == State::Unknown;
        if document.last_attempt != Some(id) || !(is_open || says_nothing_new) {
            return Err(document.illegal(to));
        }
        attempt.is_over = matches!(outcome, AttemptOutcome::NotSent { .. } | AttemptOutcome::Refused { .. });
        attempt.outcome = Some(outcome.clone());
        if is_open {
            fill_in(document, outcome, now)?;
            self.show(number.0);
        }
        Ok(())
    }

    /// Records what asking the portal brought.
    pub(crate) fn settle(
        &mut self,
        worker: &WorkerId,
        id: DocumentId,
        settlement: Settlement,
        now: Timestamp,
    ) -> Result<(), LedgerError> {
        let document = self.document(id)?;
        let details = json(&settlement);
        let to = settled_state(&settlement);
        if document.state != State::Unknown {
            return Err(document.illegal(to));
        }
        if !document.is_with(worker, now) {
            return Err(LedgerError::NotClaimed { document: id, worker: worker.clone() });
        }
        let is_certain = document.hand_over.as_ref().is_some_and(HandOver::is_registered);
        if matches!(settlement, Settlement::NotThere { .. }) && is_certain {
            return Err(document.illegal(State::Ready));
        }
        document.lease = None;
        let last = document.last_attempt;
        close(document, settlement, &details, now)?;
        if matches!(to, State::Refused | State::Burnt)
            && let Some(attempt) = last.and_then(|last| self.attempts.get_mut(&last.0))
        {
            attempt.is_over = true;
        }
        self.show(id.0);
        Ok(())
    }
}

fn fill_in(document: &mut Document, outcome: AttemptOutcome, now: Timestamp) -> Result<(), LedgerError> {
    let details = json(&outcome);
    let (from, asked, hand_over) = (document.state, document.asked, document.hand_over.take());
    document.lease = None;
    document.close_question();
    let event = match outcome {
        AttemptOutcome::NotSent { .. } => {
            document.become_state(State::Ready)?;
            "nothing was sent"
        }
        AttemptOutcome::Registered { registration, proof } => {
            document.become_state(State::Registered)?;
            (document.registration, document.proof) = (Some(*registration), Some(proof));
            "registered"
        }
        AttemptOutcome::Refused { errors, burnt, .. } => return refuse(document, &errors, burnt, details, now),
        AttemptOutcome::Unknown { reason, ask_at, errors, info } => {
            document.state = State::Unknown;
            (document.asked, document.hand_over, document.ask_at) = (asked, hand_over, Some(ask_at));
            document.findings = with_portal(document, unknown(&reason, &errors));
            document.open = (errors, info);
            "the outcome is not known"
        }
    };
    document.tell(Some(from), event, details, now);
    Ok(())
}

fn close(document: &mut Document, settlement: Settlement, details: &str, now: Timestamp) -> Result<(), LedgerError> {
    let from = document.state;
    let to = settled_state(&settlement);
    if let Settlement::StillUnknown { reason, ask_at, hand_over } = settlement {
        document.hand_over = HandOver::kept(document.hand_over.take(), hand_over);
        document.asked += 1;
        document.ask_at = Some(ask_at);
        document.findings = with_portal(document, unknown(&reason, &[]));
        document.tell(Some(from), "asked; the outcome is still not known", details.to_owned(), now);
        return Ok(());
    }
    document.close_question();
    if let Settlement::Refused { errors, burnt } = settlement {
        return refuse(document, &errors, burnt, details.to_owned(), now);
    }
    document.become_state(to)?;
    let event = match settlement {
        Settlement::Registered { registration, proof } => {
            (document.registration, document.proof) = (Some(*registration), Some(proof));
            "asked; it is registered"
        }
        Settlement::Cancelled { registration } => {
            document.registration = Some(*registration);
            document.cancellation = Some(Cancellation { at: None, reason: None, remark: None });
            "asked; it was registered and has been cancelled"
        }
        Settlement::Conflict { registration, differences } => {
            document.registration = Some(*registration);
            document.differences = differences;
            "asked; the portal holds a different document under this key"
        }
        Settlement::Refused { .. } | Settlement::NotThere { .. } | Settlement::StillUnknown { .. } => {
            "asked; the portal does not have it"
        }
    };
    document.tell(Some(from), event, details.to_owned(), now);
    Ok(())
}

/// `Refused`, and `Burnt` after it where the number is used up.
fn refuse(
    document: &mut Document,
    errors: &[PortalError],
    burnt: bool,
    details: String,
    now: Timestamp,
) -> Result<(), LedgerError> {
    let from = document.state;
    document.become_state(State::Refused)?;
    document.findings = with_portal(document, refusals(errors, Severity::Error));
    document.tell(Some(from), "refused", details, now);
    if burnt {
        document.become_state(State::Burnt)?;
        let event = "the number is used up; only a new number helps";
        document.tell(Some(State::Refused), event, "{}".to_owned(), now);
    }
    Ok(())
}

/// What the check found stays; what the portal said is replaced.
fn with_portal(document: &mut Document, said: Vec<Finding>) -> [Vec<Finding>; 2] {
    [std::mem::take(&mut document.findings).into_iter().next().unwrap_or_default(), said]
}

fn refusals(errors: &[PortalError], severity: Severity) -> Vec<Finding> {
    let finding = |error: &PortalError| {
        let found = Finding::new(severity, "portal.refused", "", error.message.clone());
        if error.code.is_empty() { found } else { found.with_code(error.code.clone()) }
    };
    errors.iter().map(finding).collect()
}

fn unknown(reason: &str, errors: &[PortalError]) -> Vec<Finding> {
    let finding = Finding::new(Severity::Warning, "portal.unknown", "", reason.to_owned())
        .with_fix("Nothing to do: the portal is asked before anything is sent again.");
    std::iter::once(finding).chain(refusals(errors, Severity::Warning)).collect()
}

const fn state_of(outcome: &AttemptOutcome) -> State {
    match outcome {
        AttemptOutcome::NotSent { .. } => State::Ready,
        AttemptOutcome::Registered { .. } => State::Registered,
        AttemptOutcome::Refused { burnt: false, .. } => State::Refused,
        AttemptOutcome::Refused { burnt: true, .. } => State::Burnt,
        AttemptOutcome::Unknown { .. } => State::Unknown,
    }
}

const fn settled_state(settlement: &Settlement) -> State {
    match settlement {
        Settlement::Registered { .. } => State::Registered,
        Settlement::Cancelled { .. } => State::Cancelled,
        Settlement::Refused { burnt: false, .. } => State::Refused,
        Settlement::Refused { burnt: true, .. } => State::Burnt,
        Settlement::Conflict { .. } => State::Conflict,
        Settlement::NotThere { .. } => State::Ready,
        Settlement::StillUnknown { .. } => State::Unknown,
    }
}

/// Everything known about an event, for the audit trail.
fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

fn hash(payload: &[u8]) -> [u8; 32] {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, payload);
    // SHA-256 gives 32 bytes; the fallback cannot be reached.
    <[u8; 32]>::try_from(digest.as_ref()).unwrap_or_default()
}
