//! `begin_step`, `end_step` and `withdraw`: from the durable intent to make a call to what became of it.

use std::collections::BTreeSet;

use einvoice_core::ewb::Standing as BillStanding;
use einvoice_core::job::{Bill, Cancellation, Effect, Job, JobId, JobState, StepIntent, StepOutcome, Task};
use einvoice_core::ledger::WorkerId;
use einvoice_core::operation::OperationKind;
use einvoice_core::state::DocumentState;
use jiff::Timestamp;

use crate::bill::Bills;
use crate::codec;
use crate::desk::Desk;
use crate::fault::Fault;
use crate::job::StoredJob;
use crate::standing::{Event, Standing, Standings};

const INSERT_INTENT: &str = "INSERT INTO step_intent (job_id, position, worker, route, site, before, at) \
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";

pub(crate) async fn begin(desk: &mut Desk, worker: &WorkerId, id: JobId, intent: &StepIntent) -> Result<(), Fault> {
    let now = desk.now();
    let connection = &mut desk.connection;
    let mut stored = StoredJob::load(&mut *connection, id).await?;
    if !stored.job.state.may_become().contains(&JobState::Sent) {
        return Err(stored.illegal(JobState::Sent));
    }
    if !stored.is_with(worker, codec::micros(now)) {
        return Err(stored.not_claimed(worker));
    }
    if intent.position != stored.job.position {
        return Err(Fault::Misuse(format!(
            "job {} is at step {}, and the intent is for step {}; a fault of the program, please report it",
            id.0, stored.job.position, intent.position
        )));
    }
    let mut standings = Standings::load(&mut *connection, &document_of(&stored.job)).await?;
    if let Some(document) = stored.job.document {
        let mut document = standings.of(document.0)?;
        if stored.job.step() == Some(OperationKind::CancelIrn) {
            document.become_state(DocumentState::Cancelling)?;
        } else if matches!(stored.job.task, Task::CancelIrn { .. }) && document.state != DocumentState::Registered {
            // A bill is not cancelled on the way to an IRN that cannot be.
            return Err(document.illegal(DocumentState::Cancelling));
        }
        let details = Some(codec::to_json(intent)?);
        stored.tell(&mut document, now, "the intent to make its next call was stored", details)?;
        standings.keep(document);
    }
    let done = sqlx::query(INSERT_INTENT)
        .bind(id.0)
        .bind(intent.position)
        .bind(&worker.0)
        .bind(intent.route.as_str().to_owned())
        .bind(&intent.site)
        .bind(intent.before.as_ref().map(codec::to_json).transpose()?)
        .bind(codec::micros(intent.at))
        .execute(&mut *connection)
        .await?;
    stored.last_intent = Some(done.last_insert_rowid());
    stored.become_state(JobState::Sent)?;
    stored.job.sendings = stored.job.sendings.saturating_add(1);
    "the intent to make its next call was stored".clone_into(&mut stored.job.message);
    stored.store(&mut *connection, now).await?;
    standings.write(connection).await
}

pub(crate) async fn end(desk: &mut Desk, worker: &WorkerId, id: JobId, outcome: &StepOutcome) -> Result<(), Fault> {
    let now = desk.now();
    let connection = &mut desk.connection;
    let mut stored = StoredJob::load(&mut *connection, id).await?;
    let is_with = stored.is_with(worker, codec::micros(now));
    let body = codec::to_json(outcome)?;
    let told_before = stored.outcome.as_ref() == Some(&body) && stored.outcome_worker.as_ref() == Some(&worker.0);
    if told_before && !is_with {
        return Ok(());
    }
    if stored.job.state.is_over() {
        return Err(stored.illegal(target(&stored.job, outcome)));
    }
    if !is_with && !stored.is_awaited_from(worker, codec::micros(now)) {
        return Err(stored.not_claimed(worker));
    }
    stored.outcome = Some(body.clone());
    stored.outcome_worker = Some(worker.0.clone());
    settle_step(desk, stored, outcome, body).await
}

/// What an outcome changes: the job, its bills, its document.
pub(crate) async fn settle_step(
    desk: &mut Desk,
    mut stored: StoredJob,
    outcome: &StepOutcome,
    details: String,
) -> Result<(), Fault> {
    let now = desk.now();
    let before = stored.job.clone();
    stored.take(outcome, now)?;
    stored.release();
    let mut bills = Bills::new(now);
    for effect in effects(outcome) {
        put_effect(desk, &mut bills, &before, effect).await?;
    }
    let connection = &mut desk.connection;
    let mut ids = document_of(&before);
    ids.extend(bills.documents());
    let mut standings = Standings::load(&mut *connection, &ids).await?;
    bills.show(&mut standings, before.document.map(|document| document.0))?;
    if let Some(document) = before.document {
        let mut document = standings.of(document.0)?;
        conclude(&mut document, &before, outcome, now)?;
        stored.tell(&mut document, now, &stored.job.message, Some(details))?;
        standings.keep(document);
    }
    bills.write(&mut *connection).await?;
    standings.write(&mut *connection).await?;
    stored.store(connection, now).await
}

pub(crate) async fn withdraw(desk: &mut Desk, id: JobId, reason: &str) -> Result<(), Fault> {
    let now = desk.now();
    let connection = &mut desk.connection;
    let mut stored = StoredJob::load(&mut *connection, id).await?;
    if matches!(stored.job.state, JobState::Sent | JobState::Unknown) {
        return Err(stored.under_way());
    }
    stored.become_state(JobState::Withdrawn)?;
    stored.release();
    stored.job.message = format!("withdrawn: {reason}");
    let mut standings = Standings::load(&mut *connection, &document_of(&stored.job)).await?;
    if let Some(document) = stored.job.document {
        let mut document = standings.of(document.0)?;
        stored.tell(&mut document, now, &stored.job.message, None)?;
        standings.keep(document);
    }
    stored.store(&mut *connection, now).await?;
    standings.write(connection).await
}

pub(crate) fn document_of(job: &Job) -> BTreeSet<i64> {
    job.document.iter().map(|document| document.0).collect()
}

impl StoredJob {
    /// Moves the job as the outcome says.
    fn take(&mut self, outcome: &StepOutcome, now: Timestamp) -> Result<(), Fault> {
        let target = target(&self.job, outcome);
        let before = self.job.state;
        // Putting off what was not begun is no move, and a step that was not sent cannot have been done.
        let put_off = before == JobState::Planned && matches!(outcome, StepOutcome::NotDone { .. });
        if !put_off {
            self.become_state(target)?;
        }
        let job = &mut self.job;
        job.effects.extend(effects(outcome).iter().cloned());
        job.hand_over = None;
        match outcome {
            StepOutcome::Done { message, .. } => {
                job.position = job.position.saturating_add(1);
                (job.last, job.sendings, job.asked, job.due_at) = (None, 0, 0, now);
                job.errors.clear();
                job.message.clone_from(message);
            }
            StepOutcome::Refused { errors, message, .. } => {
                job.errors.clone_from(errors);
                job.message.clone_from(message);
            }
            StepOutcome::NotDone { message, due_at } => {
                (job.asked, job.due_at) = (0, *due_at);
                // Nothing left, or it was turned away at the door: only what may have been done counts as sent.
                if before == JobState::Sent {
                    job.sendings = job.sendings.saturating_sub(1);
                }
                job.errors.clear();
                job.message.clone_from(message);
            }
            StepOutcome::Unknown { message, due_at, errors, hand_over } => {
                job.hand_over.clone_from(hand_over);
                let asked_again = before == JobState::Unknown;
                job.asked = if asked_again { job.asked.saturating_add(1) } else { 0 };
                job.due_at = *due_at;
                // What left it open is needed when asking again.
                if !asked_again || !errors.is_empty() {
                    job.errors.clone_from(errors);
                }
                job.message.clone_from(message);
            }
        }
        Ok(())
    }
}

/// The state of a job after this outcome.
fn target(job: &Job, outcome: &StepOutcome) -> JobState {
    match outcome {
        StepOutcome::Done { .. } => {
            let after = usize::try_from(job.position).unwrap_or(usize::MAX).saturating_add(1);
            if after >= job.steps.len() { JobState::Done } else { JobState::Planned }
        }
        StepOutcome::Refused { .. } => JobState::Refused,
        StepOutcome::NotDone { .. } => JobState::Planned,
        StepOutcome::Unknown { .. } => JobState::Unknown,
    }
}

fn effects(outcome: &StepOutcome) -> &[Effect] {
    match outcome {
        StepOutcome::Done { effects, .. } | StepOutcome::Refused { effects, .. } => effects,
        StepOutcome::NotDone { .. } | StepOutcome::Unknown { .. } => &[],
    }
}

/// Brings the bills up to date with an effect.
async fn put_effect(desk: &mut Desk, bills: &mut Bills, job: &Job, effect: &Effect) -> Result<(), Fault> {
    let now = desk.now();
    let connection = &mut desk.connection;
    match effect {
        Effect::IrnCancelled { .. } => Ok(()),
        Effect::Ewb { standing } => {
            let mut bill = bill_of(job, standing, now);
            if let Some(known) = bills.of(&mut *connection, standing.number).await? {
                // Where it was made stays, whichever way a later step took.
                bill.route = known.route.or(bill.route);
                bill.site = known.site.or(bill.site);
            }
            bills.put(connection, bill).await
        }
        Effect::TripSheet { number, bills: on_it } => {
            for bill in on_it {
                if let Some(mut bill) = bills.of(&mut *connection, *bill).await? {
                    bill.standing.trip_sheet = Some(number.to_string());
                    bills.put(&mut *connection, bill).await?;
                }
            }
            Ok(())
        }
    }
}

pub(crate) fn bill_of(job: &Job, standing: &BillStanding, now: Timestamp) -> Bill {
    Bill {
        standing: standing.clone(),
        document: job.document,
        route: job.last.as_ref().map(|intent| intent.route.clone()),
        site: job.last.as_ref().map(|intent| intent.site.clone()),
        changed_at: now,
    }
}

/// What the outcome of a cancellation means for the document.
fn conclude(document: &mut Standing, job: &Job, outcome: &StepOutcome, now: Timestamp) -> Result<(), Fault> {
    let told = effects(outcome).iter().find_map(|effect| match effect {
        Effect::IrnCancelled { cancellation } => Some(cancellation.clone()),
        Effect::Ewb { .. } | Effect::TripSheet { .. } => None,
    });
    let cancels = job.step() == Some(OperationKind::CancelIrn);
    let done = cancels && matches!(outcome, StepOutcome::Done { .. });
    if let Some(cancellation) = told.or_else(|| done.then(|| asked_for(job))) {
        return cancel(document, &cancellation, now);
    }
    let came_to_nothing = matches!(outcome, StepOutcome::Refused { .. } | StepOutcome::NotDone { .. });
    if cancels && came_to_nothing && job.state != JobState::Planned {
        document.become_state(DocumentState::Registered)?;
    }
    Ok(())
}

/// The cancellation as it was asked for, where the portal told nothing of it.
fn asked_for(job: &Job) -> Cancellation {
    match &job.task {
        Task::CancelIrn { reason, remark, .. } => {
            Cancellation { at: None, reason: Some(*reason), remark: Some(remark.clone()) }
        }
        _ => Cancellation { at: None, reason: None, remark: None },
    }
}

/// `Cancelled`, through `Cancelling`; the caller stores it.
pub(crate) fn cancel(document: &mut Standing, cancellation: &Cancellation, now: Timestamp) -> Result<(), Fault> {
    if document.state == DocumentState::Registered {
        document.become_state(DocumentState::Cancelling)?;
        document.store_passing(now, Event { text: "found cancelled", details: None, reply: None })?;
    }
    document.become_state(DocumentState::Cancelled)?;
    document.cancellation = Some(codec::to_json(cancellation)?);
    Ok(())
}
