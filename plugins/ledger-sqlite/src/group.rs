//! Calls that share a transaction, kind by kind.

use std::fmt;

use async_trait::async_trait;
use einvoice_core::job::{JobClaim, NewJob};
use einvoice_core::ledger::{ClaimRequest, LedgerError, NewIntent, ReceiveBatch};
use tokio::sync::oneshot;

use crate::claim::Release;
use crate::decide::Rejected;
use crate::delivery::{Delivered, Subscribe};
use crate::desk::Desk;
use crate::errand::Errand;
use crate::fault::Fault;
use crate::outcome::{Record, Settle};

/// A call that changes the ledger.
#[async_trait]
pub(crate) trait Change: Send + Sync + Sized + 'static {
    /// What the caller gets.
    type Answer: Send;

    /// Where calls of this kind wait in a group.
    fn lane(group: &mut Group) -> &mut Lane<Self>;

    /// Makes these changes as if one after the other, and gives one answer for each. A refused one has
    /// changed nothing. An error outside the answers undoes the whole transaction.
    async fn apply(desk: &mut Desk, calls: &[Self]) -> Result<Answers<Self>, Fault>;
}

/// One answer for each call, in their order.
pub(crate) type Answers<C> = Vec<Result<<C as Change>::Answer, Fault>>;

/// Calls of one kind, with those who wait for their answers.
pub(crate) struct Lane<C: Change> {
    calls: Vec<C>,
    waiting: Vec<oneshot::Sender<Result<C::Answer, LedgerError>>>,
    answers: Answers<C>,
}

impl<C: Change> Default for Lane<C> {
    fn default() -> Self {
        Self { calls: Vec::new(), waiting: Vec::new(), answers: Vec::new() }
    }
}

impl<C: Change> Lane<C> {
    /// Adds a call, unless nobody waits for it any more.
    pub(crate) fn add(&mut self, call: C, answer: oneshot::Sender<Result<C::Answer, LedgerError>>) {
        if !answer.is_closed() {
            self.calls.push(call);
            self.waiting.push(answer);
        }
    }
}

/// Calls that share a transaction.
///
/// All of them wait at the same moment, so any order is as good as another: what was received is
/// there to be claimed, what was recorded is there to be delivered.
#[derive(Default)]
pub(crate) struct Group {
    pub(crate) receptions: Lane<ReceiveBatch>,
    pub(crate) records: Lane<Record>,
    pub(crate) settlements: Lane<Settle>,
    pub(crate) releases: Lane<Release>,
    pub(crate) claims: Lane<ClaimRequest>,
    pub(crate) intents: Lane<NewIntent>,
    pub(crate) subscriptions: Lane<Subscribe>,
    pub(crate) deliveries: Lane<Delivered>,
    pub(crate) errands: Lane<Errand>,
    pub(crate) plans: Lane<NewJob>,
    pub(crate) job_claims: Lane<JobClaim>,
    pub(crate) rejections: Lane<Rejected>,
}

impl fmt::Debug for Group {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Group").finish_non_exhaustive()
    }
}

impl Group {
    /// Intents come before claims: whoever holds a document whose lease is about to end, and waits at
    /// the same moment as another who wants it, keeps it.
    fn lanes(&mut self) -> [&mut dyn AnyLane; 12] {
        [
            &mut self.receptions,
            &mut self.records,
            &mut self.settlements,
            &mut self.releases,
            &mut self.intents,
            &mut self.claims,
            &mut self.errands,
            &mut self.rejections,
            &mut self.plans,
            &mut self.job_claims,
            &mut self.subscriptions,
            &mut self.deliveries,
        ]
    }

    /// Carries out all calls; nobody is told yet.
    pub(crate) async fn run(&mut self, desk: &mut Desk) -> Result<(), Fault> {
        for lane in self.lanes() {
            lane.run(desk).await?;
        }
        Ok(())
    }

    /// Carries out each call in a transaction of its own and tells its caller.
    pub(crate) async fn run_each_alone(&mut self, desk: &mut Desk) {
        for lane in self.lanes() {
            lane.run_each_alone(desk).await;
        }
    }

    /// Tells the callers, once the transaction is committed.
    pub(crate) fn answer(mut self, ledger: &str) {
        for lane in self.lanes() {
            lane.answer(ledger);
        }
    }

    /// Tells every caller that nothing was stored.
    pub(crate) fn fail(mut self, error: &dyn Fn() -> LedgerError) {
        for lane in self.lanes() {
            lane.fail(error);
        }
    }
}

/// A [`Lane`], whatever its kind.
#[async_trait]
trait AnyLane: Send {
    async fn run(&mut self, desk: &mut Desk) -> Result<(), Fault>;
    async fn run_each_alone(&mut self, desk: &mut Desk);
    fn answer(&mut self, ledger: &str);
    fn fail(&mut self, error: &dyn Fn() -> LedgerError);
}

#[async_trait]
impl<C: Change> AnyLane for Lane<C> {
    async fn run(&mut self, desk: &mut Desk) -> Result<(), Fault> {
        if !self.calls.is_empty() {
            self.answers = C::apply(desk, &self.calls).await?;
        }
        Ok(())
    }

    async fn run_each_alone(&mut self, desk: &mut Desk) {
        for (call, waiting) in self.calls.drain(..).zip(self.waiting.drain(..)) {
            let answer = alone(desk, call).await;
            if answer.is_err() {
                desk.undo().await;
            }
            // A caller that went away does not want to know.
            let _heard = waiting.send(answer.map_err(|fault| fault.into_error(&desk.ledger)));
        }
    }

    fn answer(&mut self, ledger: &str) {
        for (answer, waiting) in self.answers.drain(..).zip(self.waiting.drain(..)) {
            let _heard = waiting.send(answer.map_err(|fault| fault.into_error(ledger)));
        }
    }

    fn fail(&mut self, error: &dyn Fn() -> LedgerError) {
        for waiting in self.waiting.drain(..) {
            let _heard = waiting.send(Err(error()));
        }
    }
}

async fn alone<C: Change>(desk: &mut Desk, call: C) -> Result<C::Answer, Fault> {
    desk.begin().await?;
    let answer = C::apply(desk, std::slice::from_ref(&call)).await?.pop();
    let answer = answer.ok_or_else(|| Fault::Misuse("a call got no answer; please report this".to_owned()))??;
    desk.commit().await?;
    Ok(answer)
}
