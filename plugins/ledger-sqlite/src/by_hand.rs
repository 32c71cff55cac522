//! What a person read at a portal that tells this program no more: a registration, and what became of a step.

use std::collections::BTreeSet;
use std::time::Duration;

use einvoice_core::clock::later;
use einvoice_core::job::{JobDecision, JobId, JobState, StepOutcome};
use einvoice_core::ledger::{AttemptId, DocumentId, HandOver, ReadByHand, Settlement};
use einvoice_core::operation::{OperationKind, Registration, RegistrationStatus};
use einvoice_core::state::{DocumentState, EwbState};
use einvoice_core::verify::Proof;
use sqlx::Row as _;

use crate::bill::{Bills, Births, is_open};
use crate::codec;
use crate::desk::Desk;
use crate::fault::Fault;
use crate::job::StoredJob;
use crate::outcome::Replies;
use crate::standing::{Event, Standings};
use crate::step::{bill_of, document_of, settle_step};

/// The portal rounds the time of an acknowledgement to the minute, upwards too.
const ROUNDED_BY: Duration = Duration::from_mins(1);

const IRN: &str = "SELECT irn FROM document WHERE id = ?1";

/// `Unknown` becomes `Registered`, or `Cancelled`, with what a person read.
pub(crate) async fn registered(
    desk: &mut Desk,
    id: DocumentId,
    read: &ReadByHand,
    reason: &str,
    details: String,
) -> Result<(), Fault> {
    let now = desk.now();
    let mut standings = Standings::load(&mut desk.connection, &BTreeSet::from([id.0])).await?;
    let mut document = standings.of(id.0)?;
    let state = if read.cancellation.is_some() { DocumentState::Cancelled } else { DocumentState::Registered };
    let is_to_come = read.ack_date.to_timestamp().is_none_or(|at| later(now, ROUNDED_BY).is_some_and(|now| at > now));
    let (Some(open), DocumentState::Unknown, false) = (document.hand_over()?, document.state, is_to_come) else {
        return Err(document.illegal(state));
    };
    let irn = match open {
        HandOver::Acknowledgement { irn, .. } => Some(irn),
        HandOver::Whether { .. } => {
            let row = sqlx::query(IRN).bind(id.0).fetch_one(&mut desk.connection).await?;
            codec::irn(row.try_get("irn")?)?
        }
    };
    let irn = irn.ok_or_else(|| Fault::Unreadable(format!("document {} has no IRN", id.0)))?;
    let status = if read.cancellation.is_some() { RegistrationStatus::Cancelled } else { RegistrationStatus::Active };
    let registration = Box::new(Registration {
        ack_no: read.ack_no.clone(),
        ack_date: read.ack_date,
        irn,
        status,
        signed_invoice: None,
        signed_qr: None,
        ewb: read.ewb.clone(),
        remarks: None,
        info: Vec::new(),
        site: None,
    });
    let mut births = Births::load(&mut desk.connection, std::iter::once(&*registration), now).await?;
    document.release();
    document.close_question();
    document.become_state(state)?;
    births.add(&mut document, &registration);
    document.cancellation = read.cancellation.as_ref().map(codec::to_json).transpose()?;
    let settlement = if read.cancellation.is_some() {
        Settlement::Cancelled { registration }
    } else {
        let reason = format!("its acknowledgement was read at the portal and entered by a person: {reason}");
        Settlement::Registered { registration, proof: Proof::SignedPartsMissing { reason } }
    };
    let mut replies = Replies::new(desk.numbers().await?.reply, now);
    document.registration_reply = Some(replies.next());
    replies.add(id.0, document.last_attempt.map(AttemptId), "settlement", &codec::to_json(&settlement)?)?;
    let text = format!("{state}, as a person read at the portal: {reason}");
    document.store(now, Event { text: &text, details: Some(details), reply: None })?;
    standings.keep(document);
    replies.write(desk).await?;
    births.write(&mut desk.connection).await?;
    standings.write(&mut desk.connection).await
}

/// What became of a step, as a person saw or decided.
pub(crate) async fn decide_job(desk: &mut Desk, id: JobId, decision: &JobDecision) -> Result<(), Fault> {
    let now = desk.now();
    let mut stored = StoredJob::load(&mut desk.connection, id).await?;
    let is_open = stored.job.state == JobState::Unknown && stored.job.hand_over.is_some();
    let details = codec::to_json(decision)?;
    let outcome = match decision {
        JobDecision::Done { effects, reason } => StepOutcome::Done {
            effects: effects.clone(),
            message: format!("a person saw at the portal that it was done: {reason}"),
        },
        JobDecision::NotDone { reason } => StepOutcome::NotDone {
            message: format!("a person saw at the portal that it was not done: {reason}"),
            due_at: now,
        },
        JobDecision::Dropped { reason } => return drop_job(desk, stored, is_open, reason, details).await,
    };
    if !is_open {
        let last = usize::try_from(stored.job.position).unwrap_or(usize::MAX).saturating_add(1);
        let is_done = matches!(decision, JobDecision::Done { .. }) && last >= stored.job.steps.len();
        return Err(stored.illegal(if is_done { JobState::Done } else { JobState::Planned }));
    }
    stored.told(&details);
    settle_step(desk, stored, &outcome, details).await
}

/// Ends a job whose outcome nobody will find out. What it was about is to be read.
async fn drop_job(
    desk: &mut Desk,
    mut stored: StoredJob,
    is_open: bool,
    reason: &str,
    details: String,
) -> Result<(), Fault> {
    if !is_open || stored.job.step() == Some(OperationKind::CancelIrn) {
        return Err(stored.illegal(JobState::Withdrawn));
    }
    let now = desk.now();
    stored.become_state(JobState::Withdrawn)?;
    stored.release();
    stored.told(&details);
    stored.job.hand_over = None;
    stored.job.message = format!("given up by a person, its outcome unknown: {reason}");
    let connection = &mut desk.connection;
    let mut bills = Bills::new(now);
    if let Some(before) = stored.job.last.as_ref().and_then(|last| last.before.as_deref()) {
        let known = bills.of(&mut *connection, before.number).await?;
        let mut bill = known.unwrap_or_else(|| bill_of(&stored.job, before, now));
        if self::is_open(bill.standing.state) {
            bill.standing.state = EwbState::Unknown;
            bills.put(&mut *connection, bill).await?;
        }
    }
    let mut ids = document_of(&stored.job);
    ids.extend(bills.documents());
    let mut standings = Standings::load(&mut *connection, &ids).await?;
    bills.show(&mut standings, stored.job.document.map(|document| document.0))?;
    if let Some(document) = stored.job.document {
        let mut document = standings.of(document.0)?;
        stored.tell(&mut document, now, &stored.job.message, Some(details))?;
        standings.keep(document);
    }
    bills.write(&mut *connection).await?;
    standings.write(&mut *connection).await?;
    stored.store(connection, now).await
}
