//! A ledger that lets a test come in between its calls, and fails when told to.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use einvoice_core::environment::Environment;
use einvoice_core::irn::Irn;
use einvoice_core::job::{
    Bill, BillQuery, Cancellation, Job, JobBook, JobClaim, JobDecision, JobId, JobQuery, NewJob, StepIntent,
    StepOutcome,
};
use einvoice_core::ledger::{
    AttemptId, AttemptOutcome, AuditEntry, ClaimRequest, Claimed, Decision, DocumentId, DocumentStatus, Intent, Ledger,
    LedgerCapability, LedgerError, NewIntent, Query, ReceiveBatch, Reception, Settlement, Work, WorkerId,
};
use einvoice_core::receipt::Receipt;
use einvoice_core::source::Cursor;
use tokio::sync::Notify;

use super::World;

/// A ledger that lets a test come in between its calls.
#[derive(Debug)]
pub struct Meddled {
    pub inner: Arc<dyn Ledger>,
    /// The first claim that brings documents to send is answered only after something was received.
    pub claim_waits: bool,
    pub received: Notify,
    /// So many outcomes cannot be recorded.
    pub lost_records: AtomicU32,
    /// So many intents come after the lease was lost.
    pub lost_leases: AtomicU32,
    /// What was handed out to be sent.
    pub handed_out: Arc<Mutex<Vec<DocumentId>>>,
    /// So many batches are received before every further one is lost.
    pub batches: AtomicU32,
}

impl Meddled {
    /// Around the ledger of a world, meddling with nothing yet.
    pub fn around(world: &World) -> Self {
        Self {
            inner: Arc::clone(&world.ledger),
            claim_waits: false,
            received: Notify::new(),
            lost_records: AtomicU32::new(0),
            lost_leases: AtomicU32::new(0),
            handed_out: Arc::default(),
            batches: AtomicU32::new(u32::MAX),
        }
    }

    /// Stands in for the ledger of a world from here on; the real one comes back.
    pub fn takes_over(self, world: &mut World) -> Arc<dyn Ledger> {
        std::mem::replace(&mut world.ledger, Arc::new(self))
    }
}

fn disk_full<T>() -> Result<T, LedgerError> {
    Err(LedgerError::Storage { ledger: "meddled".to_owned(), reason: "the disk is full".to_owned(), source: None })
}

/// Takes one from what is left; `false` when nothing is.
fn spend(left: &AtomicU32) -> bool {
    left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok()
}

#[async_trait]
impl Ledger for Meddled {
    fn capability(&self) -> LedgerCapability {
        self.inner.capability()
    }

    async fn bind(&self, environment: Environment) -> Result<(), LedgerError> {
        self.inner.bind(environment).await
    }

    async fn environment(&self) -> Result<Option<Environment>, LedgerError> {
        self.inner.environment().await
    }

    async fn receive(&self, batch: ReceiveBatch) -> Result<Vec<Reception>, LedgerError> {
        if !spend(&self.batches) {
            return disk_full();
        }
        let receptions = self.inner.receive(batch).await;
        self.received.notify_one();
        receptions
    }

    async fn cursor(&self, source: &str) -> Result<Option<Cursor>, LedgerError> {
        self.inner.cursor(source).await
    }

    async fn claim(&self, request: ClaimRequest) -> Result<Vec<Claimed>, LedgerError> {
        let work = request.work;
        let claimed = self.inner.claim(request).await?;
        if work == Work::Send {
            self.handed_out.lock().unwrap().extend(claimed.iter().map(|claimed| claimed.id));
        }
        if self.claim_waits && work == Work::Send && claimed.iter().any(|claimed| claimed.last_attempt.is_none()) {
            // A second permit lets later claims pass.
            self.received.notified().await;
            self.received.notify_one();
        }
        Ok(claimed)
    }

    async fn release(&self, worker: &WorkerId, documents: &[DocumentId]) -> Result<(), LedgerError> {
        self.inner.release(worker, documents).await
    }

    async fn intend(&self, intent: NewIntent) -> Result<Intent, LedgerError> {
        if spend(&self.lost_leases) {
            return Err(LedgerError::NotClaimed { document: intent.document, worker: intent.worker });
        }
        self.inner.intend(intent).await
    }

    async fn record(&self, attempt: AttemptId, outcome: AttemptOutcome) -> Result<(), LedgerError> {
        if spend(&self.lost_records) {
            return disk_full();
        }
        self.inner.record(attempt, outcome).await
    }

    async fn settle(&self, worker: &WorkerId, document: DocumentId, settlement: Settlement) -> Result<(), LedgerError> {
        self.inner.settle(worker, document, settlement).await
    }

    async fn decide(&self, document: DocumentId, decision: Decision) -> Result<(), LedgerError> {
        self.inner.decide(document, decision).await
    }

    async fn reject_by_registry(&self, irns: &[Irn]) -> Result<Vec<DocumentId>, LedgerError> {
        self.inner.reject_by_registry(irns).await
    }

    async fn pending_write_back(
        &self,
        target: &str,
        sources: &[String],
        limit: usize,
    ) -> Result<Vec<Receipt>, LedgerError> {
        self.inner.pending_write_back(target, sources, limit).await
    }

    async fn delivered(&self, target: &str, receipts: &[(i64, u32)]) -> Result<(), LedgerError> {
        self.inner.delivered(target, receipts).await
    }

    async fn query(&self, query: Query) -> Result<Vec<DocumentStatus>, LedgerError> {
        self.inner.query(query).await
    }

    async fn payload(&self, document: DocumentId) -> Result<Option<Bytes>, LedgerError> {
        self.inner.payload(document).await
    }

    async fn audit(&self, document: DocumentId) -> Result<Vec<AuditEntry>, LedgerError> {
        self.inner.audit(document).await
    }
}

#[async_trait]
impl JobBook for Meddled {
    async fn plan(&self, job: NewJob) -> Result<JobId, LedgerError> {
        self.inner.plan(job).await
    }

    async fn claim_jobs(&self, claim: JobClaim) -> Result<Vec<Job>, LedgerError> {
        self.inner.claim_jobs(claim).await
    }

    async fn release_jobs(&self, worker: &WorkerId, jobs: &[JobId]) -> Result<(), LedgerError> {
        self.inner.release_jobs(worker, jobs).await
    }

    async fn begin_step(&self, worker: &WorkerId, job: JobId, intent: StepIntent) -> Result<(), LedgerError> {
        self.inner.begin_step(worker, job, intent).await
    }

    async fn end_step(&self, worker: &WorkerId, job: JobId, outcome: StepOutcome) -> Result<(), LedgerError> {
        self.inner.end_step(worker, job, outcome).await
    }

    async fn decide_job(&self, job: JobId, decision: JobDecision) -> Result<(), LedgerError> {
        self.inner.decide_job(job, decision).await
    }

    async fn withdraw(&self, job: JobId, reason: &str) -> Result<(), LedgerError> {
        self.inner.withdraw(job, reason).await
    }

    async fn jobs(&self, query: JobQuery) -> Result<Vec<Job>, LedgerError> {
        self.inner.jobs(query).await
    }

    async fn bills(&self, query: BillQuery) -> Result<Vec<Bill>, LedgerError> {
        self.inner.bills(query).await
    }

    async fn learn_bill(&self, bill: Bill) -> Result<(), LedgerError> {
        self.inner.learn_bill(bill).await
    }

    async fn learn_cancellation(&self, document: DocumentId, cancellation: Cancellation) -> Result<(), LedgerError> {
        self.inner.learn_cancellation(document, cancellation).await
    }
}
