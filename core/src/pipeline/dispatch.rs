//! Hands documents from the ledger to tasks, and waits for what may still settle.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::task::{JoinError, JoinSet};

use super::intake::Reading;
use super::report::Tally;
use super::send::{Sent, send};
use super::settle::settle;
use super::{PipelineError, Shared, StopSignal};
use crate::clock::later;
use crate::identifier::Gstin;
use crate::ledger::{ClaimRequest, Claimed, Query, Work};
use crate::state::DocumentState;

/// Sends and settles until nothing is left that can be done in this run.
pub(super) async fn dispatch(
    shared: Arc<Shared>,
    tally: Arc<Tally>,
    reading: &Reading,
    stop: &StopSignal,
) -> Result<(), PipelineError> {
    let mut desk = Desk { shared, tally, tasks: JoinSet::new(), halted: Arc::default(), patience_until: None };
    let result = desk.work(reading, stop).await;
    // Calls under way are finished whatever happened: their outcomes must reach the ledger.
    while let Some(ended) = desk.tasks.join_next().await {
        joined(ended)?;
    }
    result
}

/// Suppliers for which no route works in this run.
type Halted = Arc<Mutex<BTreeSet<Gstin>>>;

struct Desk {
    shared: Arc<Shared>,
    tally: Arc<Tally>,
    tasks: JoinSet<Result<(), PipelineError>>,
    halted: Halted,
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
                    if let Some(ended) = ended { joined(ended)?; }
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
        let to_settle = self.claim(Work::Settle, room).await?;
        let mut started = to_settle.len();
        for claimed in to_settle {
            let (shared, tally) = (Arc::clone(&self.shared), Arc::clone(&self.tally));
            self.tasks.spawn(async move { settle(&shared, &tally, claimed).await });
        }
        if started < room && !self.shared.routes.all_closed() {
            let to_send = self.claim(Work::Send, room - started).await?;
            started += to_send.len();
            for claimed in to_send {
                let (shared, tally) = (Arc::clone(&self.shared), Arc::clone(&self.tally));
                let halted = Arc::clone(&self.halted);
                self.tasks.spawn(async move {
                    let supplier = claimed.key.supplier;
                    if send(&shared, &tally, claimed).await? == Sent::NoRoute {
                        halted.lock().unwrap_or_else(PoisonError::into_inner).insert(supplier);
                    }
                    Ok(())
                });
            }
        }
        Ok(started)
    }

    async fn claim(&self, work: Work, limit: usize) -> Result<Vec<Claimed>, PipelineError> {
        let skip_suppliers = match work {
            Work::Send => self.halted.lock().unwrap_or_else(PoisonError::into_inner).clone(),
            Work::Settle => BTreeSet::new(),
        };
        let request = ClaimRequest {
            worker: self.shared.worker.clone(),
            work,
            limit,
            lease: Duration::from_secs(self.shared.settings.lease_seconds),
            skip_suppliers,
        };
        Ok(self.shared.ledger.claim(request).await?)
    }

    /// Waits for the next time at which an unknown outcome may be asked about. `false` when there is
    /// none within this run's patience.
    async fn wait_for_settlement(&mut self, stop: &StopSignal) -> Result<bool, PipelineError> {
        let now = self.shared.now();
        let patience = Duration::from_secs(self.shared.settings.settle_patience_seconds);
        let until = *self.patience_until.get_or_insert_with(|| later(now, patience).unwrap_or(now));
        let query = Query { states: vec![DocumentState::Unknown], limit: 1_000, ..Query::default() };
        let unknown = self.shared.ledger.query(query).await?;
        let Some(next) = unknown.iter().filter_map(|status| status.ask_at).min() else { return Ok(false) };
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
        // What could not be sent before may go through after the wait.
        self.halted.lock().unwrap_or_else(PoisonError::into_inner).clear();
        Ok(true)
    }
}

fn joined(ended: Result<Result<(), PipelineError>, JoinError>) -> Result<(), PipelineError> {
    ended.map_err(|error| PipelineError::Fault(error.to_string()))?
}
