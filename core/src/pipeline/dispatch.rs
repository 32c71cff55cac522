//! Hands documents from the ledger to tasks, and waits for what may still settle.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::task::{JoinError, JoinSet};

use super::intake::Reading;
use super::report::Tally;
use super::send::{Run, send};
use super::settle::settle;
use super::sync::Synced;
use super::{PipelineError, Shared, StopSignal};
use crate::clock::later;
use crate::identifier::Gstin;
use crate::ledger::{ClaimRequest, Claimed, DocumentId, Query, Work, WorkerId};
use crate::state::DocumentState;

/// Documents read from the ledger at once while looking for the next question.
const QUESTIONS_PAGE: usize = 1_000;

/// What a task's work on a document came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    /// It is in the ledger's hands: an outcome was recorded, or another worker has the document.
    Done,
    /// Nothing was sent, by a trouble that may pass.
    TryAgain,
    /// No route can carry anything for this supplier at present.
    NoRoute,
    /// The one route that may carry or settle this document is out of reach; others of the supplier
    /// may go on.
    Later,
    /// The claim is too old to send under it: another one is needed.
    Stale,
}

/// What a dispatch may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    /// Send what is ready, and settle what is unknown.
    All,
    /// Settle only.
    Settle,
}

/// Sends and settles until nothing is left that can be done in this run.
pub(super) async fn dispatch(
    shared: Arc<Shared>,
    tally: Arc<Tally>,
    scope: Scope,
    reading: &Reading,
    stop: &StopSignal,
) -> Result<(), PipelineError> {
    let mut desk = Desk {
        shared,
        tally,
        scope,
        tasks: JoinSet::new(),
        synced: Arc::default(),
        halted: BTreeSet::new(),
        tries: HashMap::new(),
        parked: Vec::new(),
        patience_until: None,
    };
    let mut result = desk.work(reading, stop).await;
    // Calls under way are finished whatever happened: their outcomes must reach the ledger.
    while let Some(ended) = desk.tasks.join_next().await {
        let ended = desk.ended(ended).await;
        result = result.and(ended);
    }
    let released = desk.release_parked().await;
    result.and(released)
}

/// A document in the hands of a task. Every claim has a worker name of its own, so that a task whose
/// lease ended meanwhile is not taken for the one that holds the document by a later claim.
#[derive(Debug, Clone)]
pub(super) struct Job {
    pub(super) worker: WorkerId,
    document: DocumentId,
    supplier: Gstin,
    /// When the lease ends, or earlier.
    pub(super) lease_until: Timestamp,
}

struct Desk {
    shared: Arc<Shared>,
    tally: Arc<Tally>,
    scope: Scope,
    tasks: JoinSet<(Job, Result<Ended, PipelineError>)>,
    /// Taxpayers that the portal fetched anew in this run.
    synced: Arc<Synced>,
    /// Suppliers for which no route works in this run.
    halted: BTreeSet<Gstin>,
    tries: HashMap<DocumentId, u32>,
    /// Documents kept from being handed out at once again, as nothing can be done for them now.
    parked: Vec<Job>,
    patience_until: Option<Timestamp>,
}

impl Desk {
    async fn work(&mut self, reading: &Reading, stop: &StopSignal) -> Result<(), PipelineError> {
        loop {
            if stop.is_stopped() {
                self.tally.note(|report| report.stopped = true);
                return Ok(());
            }
            // Asked before claiming: what is received after this is seen by the next round.
            let reading_was_done = reading.is_done();
            let claimed = self.fill().await?;
            if claimed == 0 && self.tasks.is_empty() {
                if !reading_was_done {
                    tokio::select! { () = reading.progress() => {}, () = stop.stopped() => {} }
                    continue;
                }
                if !self.wait_for_settlement(stop).await? {
                    return Ok(());
                }
                continue;
            }
            tokio::select! {
                ended = self.tasks.join_next(), if !self.tasks.is_empty() => {
                    if let Some(ended) = ended { self.ended(ended).await?; }
                }
                () = reading.progress(), if !reading_was_done => {}
                () = stop.stopped() => {}
            }
        }
    }

    /// Claims as many documents as there is room for and starts a task for each. Room is filled by
    /// halves, so that one claim serves many documents.
    async fn fill(&mut self) -> Result<usize, PipelineError> {
        let room = self.shared.settings.concurrency.saturating_sub(self.tasks.len());
        if room == 0 || room < self.shared.settings.concurrency.div_ceil(2) {
            return Ok(0);
        }
        let mut started = self.claim_and_start(Work::Settle, room).await?;
        if self.scope == Scope::All && started < room && !self.shared.routes.all_closed() {
            started += self.claim_and_start(Work::Send, room - started).await?;
        }
        Ok(started)
    }

    async fn claim_and_start(&mut self, work: Work, room: usize) -> Result<usize, PipelineError> {
        let lease = Duration::from_secs(self.shared.settings.lease_seconds);
        // Taken before the claim, so that the lease ends no earlier.
        let now = self.shared.now();
        let lease_until = later(now, lease).unwrap_or(now);
        let (worker, claimed) = self.claim(work, room, lease).await?;
        let started = claimed.len();
        for claimed in claimed {
            self.start(&worker, claimed, work, lease_until);
        }
        Ok(started)
    }

    fn start(&mut self, worker: &WorkerId, claimed: Claimed, work: Work, lease_until: Timestamp) {
        let job = Job { worker: worker.clone(), document: claimed.id, supplier: claimed.key.supplier, lease_until };
        let (shared, tally, synced) = (Arc::clone(&self.shared), Arc::clone(&self.tally), Arc::clone(&self.synced));
        self.tasks.spawn(async move {
            let result = match work {
                Work::Settle => settle(&shared, &tally, &job.worker, claimed).await,
                Work::Send => send(&Run { shared: &shared, tally: &tally, synced: &synced }, &job, claimed).await,
            };
            (job, result)
        });
    }

    /// Draws the consequences of a finished task.
    async fn ended(
        &mut self,
        ended: Result<(Job, Result<Ended, PipelineError>), JoinError>,
    ) -> Result<(), PipelineError> {
        let (job, result) = ended.map_err(|error| PipelineError::Fault(error.to_string()))?;
        match result? {
            Ended::Done => return Ok(()),
            Ended::Later => {
                self.parked.push(job);
                return Ok(());
            }
            Ended::NoRoute => {
                self.halted.insert(job.supplier);
            }
            Ended::TryAgain => {
                let tries = self.tries.entry(job.document).or_default();
                *tries += 1;
                if *tries >= self.shared.tries_max() {
                    self.halted.insert(job.supplier);
                }
            }
            Ended::Stale => {}
        }
        // Only now, so that no claim in between hands it out to be tried once more in vain.
        Ok(self.shared.ledger.release(&job.worker, &[job.document]).await?)
    }

    async fn claim(
        &self,
        work: Work,
        limit: usize,
        lease: Duration,
    ) -> Result<(WorkerId, Vec<Claimed>), PipelineError> {
        let skip_suppliers = match work {
            Work::Send => self.halted.clone(),
            Work::Settle => BTreeSet::new(),
        };
        let worker = self.shared.next_worker();
        let request = ClaimRequest { worker: worker.clone(), work, limit, lease, skip_suppliers };
        Ok((worker, self.shared.ledger.claim(request).await?))
    }

    /// Gives back what nothing could be done for.
    async fn release_parked(&mut self) -> Result<(), PipelineError> {
        for job in std::mem::take(&mut self.parked) {
            self.shared.ledger.release(&job.worker, &[job.document]).await?;
        }
        Ok(())
    }

    /// Waits for the next time at which an unknown outcome may be asked about. `false` when there is
    /// none within this run's patience.
    async fn wait_for_settlement(&mut self, stop: &StopSignal) -> Result<bool, PipelineError> {
        let now = self.shared.now();
        let patience = Duration::from_secs(self.shared.settings.settle_patience_seconds);
        let latest = later(now, patience).unwrap_or(now);
        // A clock that was set back must not make the run wait for the hour it lost.
        let until = self.patience_until.map_or(latest, |until| until.min(latest));
        self.patience_until = Some(until);
        let Some(next) = self.next_question(now).await? else { return Ok(false) };
        // Routes that are being left alone answer no question before they open again.
        let next = self.shared.routes.open_again_at().map_or(next, |opening| next.max(opening));
        if next > until || now >= until {
            return Ok(false);
        }
        // A document that is due and yet was not handed out is out of reach in this run (its route is
        // gone, or closed for its supplier): look again a little later, until patience ends.
        let pause = next.duration_since(now).max(SignedDuration::from_secs(1));
        let pause = Duration::try_from(pause).unwrap_or(Duration::from_secs(1));
        tokio::select! { () = self.shared.clock.sleep(pause) => {}, () = stop.stopped() => {} }
        // What could not be sent or asked before may go through after the wait.
        self.halted.clear();
        self.tries.clear();
        self.release_parked().await?;
        Ok(true)
    }

    /// When the next unknown outcome may be asked about; the first that is due ends the search.
    async fn next_question(&self, now: Timestamp) -> Result<Option<Timestamp>, PipelineError> {
        let mut next: Option<Timestamp> = None;
        let mut after = None;
        loop {
            let states = vec![DocumentState::Unknown];
            let query = Query { states, after, limit: QUESTIONS_PAGE, ..Query::default() };
            let page = self.shared.ledger.query(query).await?;
            next = page.iter().filter_map(|status| status.ask_at).chain(next).min();
            match page.last() {
                Some(last) if next.is_none_or(|next| next > now) => after = Some(last.id),
                _ => return Ok(next),
            }
        }
    }
}
