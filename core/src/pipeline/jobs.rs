//! Carries jobs out: cancellations, e-way bills, everything on what is registered already.
//!
//! One step is one call, and goes the way a registration goes: route, session, durable intent, call, outcome
//! (`step`). What is unclear is settled by asking, and by nothing else (`ask`); what a reply says of a bill is
//! put together in `bills`. A job that was done in part goes on where it stopped, in whatever run comes next.

mod ask;
mod bills;
mod conclude;
mod expiry;
mod hand_over;
mod seen;
mod step;

pub use seen::{Seen, SeenError};

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::task::JoinSet;

use super::report::{Note, Tally};
use super::{PipelineError, Shared, StopSignal};
use crate::clock::later;
use crate::events;
use crate::job::{Job, JobClaim, JobId, JobQuery, JobState, StepOutcome};
use crate::ledger::{LedgerError, WorkerId};

/// Jobs read from the ledger at once while looking for the next one that is due.
const JOBS_PAGE: usize = 1_000;

/// What carrying jobs out came to.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct JobsReport {
    /// The jobs that were asked for, or met, as they stand afterwards, in the order of their numbers.
    pub jobs: Vec<Job>,
    /// Routes that did not answer.
    pub unreachable: Vec<Note>,
    /// Configuration and credentials that somebody has to mend.
    pub configuration: Vec<Note>,
    /// Targets that failed, and answers that came too late.
    pub failures: Vec<Note>,
}

impl JobsReport {
    /// Whether a job waits for an answer of a portal.
    #[must_use]
    pub fn unknown_remains(&self) -> bool {
        self.jobs.iter().any(|job| matches!(job.state, JobState::Unknown | JobState::Sent))
    }

    /// Whether a job was refused.
    #[must_use]
    pub fn has_refusals(&self) -> bool {
        self.jobs.iter().any(|job| job.state == JobState::Refused)
    }
}

/// What a task's work on a job came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ended {
    /// The ledger has an outcome, or somebody else has the job.
    Recorded,
    /// Nothing was sent and nothing changed: no way there at present.
    Untouched,
    /// The claim is too old to send under it: another one is needed.
    Stale,
}

/// Carries out the jobs that are due, all of them or only these, until nothing is left that can be done in this
/// run. Answers the numbers of the jobs it met.
pub(super) async fn carry_out(
    shared: &Arc<Shared>,
    tally: &Arc<Tally>,
    only: &[JobId],
    stop: &StopSignal,
) -> Result<BTreeSet<JobId>, PipelineError> {
    if only.is_empty() && !stop.is_stopped() {
        expiry::notice(shared).await?;
    }
    let mut parked = Vec::new();
    let result = work(shared, tally, only, stop, &mut parked).await;
    // What was held back for want of a way is free for the next run.
    for (worker, id) in parked {
        shared.ledger.release_jobs(&worker, &[id]).await?;
    }
    result
}

/// Jobs out of reach in this run, held so that they are not handed out in the place of others.
type Parked = Vec<(WorkerId, JobId)>;

async fn work(
    shared: &Arc<Shared>,
    tally: &Arc<Tally>,
    only: &[JobId],
    stop: &StopSignal,
    parked: &mut Parked,
) -> Result<BTreeSet<JobId>, PipelineError> {
    let mut met: BTreeSet<JobId> = only.iter().copied().collect();
    let mut out_of_reach = BTreeSet::new();
    let patience = Duration::from_secs(shared.settings.settle_patience_seconds);
    let mut until: Option<Timestamp> = None;
    // Jobs that are named are taken at once the first time, whatever pause they are in; then as they fall due.
    let mut named = only.to_vec();
    loop {
        if stop.is_stopped() {
            tally.note(|report| report.stopped = true);
            break;
        }
        if only.is_empty() || !named.is_empty() {
            let is_busy = round(shared, tally, &named, &mut met, &mut out_of_reach, parked).await?;
            named = if only.is_empty() { Vec::new() } else { due(shared, &met, &out_of_reach).await? };
            if is_busy {
                continue;
            }
        }
        let now = shared.now();
        let latest = later(now, patience).unwrap_or(now);
        // A clock that was set back must not make the run wait for the hour it lost.
        let end = until.map_or(latest, |until| until.min(latest));
        until = Some(end);
        let Some(next) = next_due(shared, &met, &out_of_reach).await? else { break };
        if next > end || now >= end {
            break;
        }
        let pause = next.duration_since(now).max(SignedDuration::from_secs(1));
        let pause = Duration::try_from(pause).unwrap_or(Duration::from_secs(1));
        tokio::select! { () = shared.clock.sleep(pause) => {}, () = stop.stopped() => {} }
        if !only.is_empty() {
            named = due(shared, &met, &out_of_reach).await?;
        }
    }
    Ok(met)
}

/// Those of the jobs whose time has come.
async fn due(
    shared: &Shared,
    met: &BTreeSet<JobId>,
    out_of_reach: &BTreeSet<JobId>,
) -> Result<Vec<JobId>, PipelineError> {
    let now = shared.now();
    let open = open_jobs(shared, met).await?;
    let is_due = |job: &&Job| {
        !waits_for_a_person(job)
            && job.due_at <= now
            && job.not_before.is_none_or(|start| start <= now)
            && !out_of_reach.contains(&job.id)
    };
    Ok(open.iter().filter(is_due).map(|job| job.id).collect())
}

/// Claims what is due and works on it; `false` when nothing came of it.
async fn round(
    shared: &Arc<Shared>,
    tally: &Arc<Tally>,
    only: &[JobId],
    met: &mut BTreeSet<JobId>,
    out_of_reach: &mut BTreeSet<JobId>,
    parked: &mut Parked,
) -> Result<bool, PipelineError> {
    let worker = shared.next_worker();
    let claim = JobClaim {
        worker: worker.clone(),
        only: only.to_vec(),
        limit: shared.settings.concurrency,
        lease: Duration::from_secs(shared.settings.lease_seconds),
    };
    // Asked before claiming, so that it is never later than the end of the lease.
    let lease_until = later(shared.now(), claim.lease).unwrap_or(Timestamp::MAX);
    let claimed = shared.ledger.claim_jobs(claim).await?;
    let is_busy = !claimed.is_empty();
    // What could not be reached in this run is not tried over and over, when its lease ended meanwhile.
    let (idle, claimed): (Vec<_>, Vec<_>) = claimed.into_iter().partition(|job| out_of_reach.contains(&job.id));
    parked.extend(idle.iter().map(|job| (worker.clone(), job.id)));
    let mut tasks = JoinSet::new();
    for job in claimed {
        met.insert(job.id);
        let (shared, tally, worker) = (Arc::clone(shared), Arc::clone(tally), worker.clone());
        tasks.spawn(async move {
            let id = job.id;
            (id, work_on(&shared, &tally, &worker, job, lease_until).await)
        });
    }
    let mut result = Ok(());
    // Calls under way are finished whatever happened: their outcomes must reach the ledger.
    while let Some(ended) = tasks.join_next().await {
        match ended {
            Ok((_, Ok(Ended::Recorded))) => {}
            Ok((id, Ok(Ended::Untouched))) => {
                out_of_reach.insert(id);
                parked.push((worker.clone(), id));
            }
            Ok((id, Ok(Ended::Stale))) => {
                let released = shared.ledger.release_jobs(&worker, &[id]).await;
                result = result.and(released.map_err(PipelineError::from));
            }
            Ok((_, Err(error))) => result = result.and(Err(error)),
            Err(error) => result = result.and(Err(PipelineError::Fault(error.to_string()))),
        }
    }
    result.map(|()| is_busy)
}

async fn work_on(
    shared: &Shared,
    tally: &Tally,
    worker: &WorkerId,
    job: Job,
    lease_until: Timestamp,
) -> Result<Ended, PipelineError> {
    match job.state {
        JobState::Planned => step::take(shared, tally, &step::Claim { worker, lease_until }, &job).await,
        JobState::Unknown => ask::settle(shared, tally, worker, &job).await,
        // Nothing else is handed out.
        _ => Ok(Ended::Untouched),
    }
}

/// Stores what became of a step. A lease that ran out meanwhile means that somebody else has settled it.
async fn record(
    shared: &Shared,
    tally: &Tally,
    worker: &WorkerId,
    job: &Job,
    outcome: StepOutcome,
) -> Result<Ended, PipelineError> {
    let state = match &outcome {
        StepOutcome::Done { .. } => JobState::Done,
        StepOutcome::Refused { .. } => JobState::Refused,
        StepOutcome::NotDone { .. } => JobState::Planned,
        StepOutcome::Unknown { .. } => JobState::Unknown,
    };
    match shared.ledger.end_step(worker, job.id, outcome).await {
        Ok(()) => {
            events::job_step(job.id.0, job.step(), state);
            Ok(Ended::Recorded)
        }
        Err(error @ (LedgerError::JobNotClaimed { .. } | LedgerError::IllegalJobMove { .. })) => {
            tally.failure(format!("job {}", job.id.0), format!("an answer came after it had been settled: {error}"));
            Ok(Ended::Recorded)
        }
        Err(error) => Err(error.into()),
    }
}

/// When the next of these jobs may be worked on again; those whose time lies ahead by plan do not count.
async fn next_due(
    shared: &Shared,
    met: &BTreeSet<JobId>,
    out_of_reach: &BTreeSet<JobId>,
) -> Result<Option<Timestamp>, PipelineError> {
    let open = open_jobs(shared, met).await?;
    let waiting = open.iter().filter(|job| !out_of_reach.contains(&job.id) && !waits_for_a_person(job));
    let now = shared.now();
    Ok(waiting.filter(|job| job.not_before.is_none_or(|start| start <= now)).map(|job| job.due_at).min())
}

/// Asking about it again brings nothing by itself.
const fn waits_for_a_person(job: &Job) -> bool {
    job.hand_over.is_some()
}

async fn open_jobs(shared: &Shared, ids: &BTreeSet<JobId>) -> Result<Vec<Job>, PipelineError> {
    let states = vec![JobState::Planned, JobState::Sent, JobState::Unknown];
    jobs_of(shared, ids, states).await
}

/// These jobs as they stand, in the order of their numbers.
pub(super) async fn jobs_of(
    shared: &Shared,
    ids: &BTreeSet<JobId>,
    states: Vec<JobState>,
) -> Result<Vec<Job>, PipelineError> {
    let ids: Vec<JobId> = ids.iter().copied().collect();
    let mut jobs = Vec::with_capacity(ids.len());
    for ids in ids.chunks(JOBS_PAGE) {
        let query = JobQuery { ids: ids.to_vec(), states: states.clone(), limit: JOBS_PAGE, ..JobQuery::default() };
        jobs.extend(shared.ledger.jobs(query).await?);
    }
    Ok(jobs)
}
