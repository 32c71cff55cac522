//! The durable memory of jobs and e-way bills, and how to ask it.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;

use super::{Bill, Cancellation, Job, JobDecision, JobId, JobState, NewJob, StepIntent, StepOutcome};
use crate::ewb::EwbNumber;
use crate::ledger::{DocumentId, LedgerError, WorkerId};

/// A wish for jobs to carry out.
#[derive(Debug, Clone)]
pub struct JobClaim {
    /// Who asks.
    pub worker: WorkerId,
    /// Only these; all that are due when empty, but for those that wait for a person. Jobs named here are handed
    /// out before they are due, but not before their `not_before`.
    pub only: Vec<JobId>,
    /// Most to hand out.
    pub limit: usize,
    /// For how long.
    pub lease: Duration,
}

/// A wish to see jobs.
#[derive(Debug, Clone, Default)]
#[expect(clippy::exhaustive_structs, reason = "a wish is written by naming what it asks for")]
pub struct JobQuery {
    /// Only these.
    pub ids: Vec<JobId>,
    /// Only those about this document.
    pub document: Option<DocumentId>,
    /// Only those about this bill.
    pub bill: Option<EwbNumber>,
    /// Only those in these states; all when empty.
    pub states: Vec<JobState>,
    /// Only those after this number.
    pub after: Option<JobId>,
    /// At most so many; 0 means 1,000.
    pub limit: usize,
}

/// A wish to see bills.
#[derive(Debug, Clone, Default)]
#[expect(clippy::exhaustive_structs, reason = "a wish is written by naming what it asks for")]
pub struct BillQuery {
    /// Only this one.
    pub number: Option<EwbNumber>,
    /// Only those of this document, the latest last.
    pub document: Option<DocumentId>,
    /// Only those made for this document number, in any case.
    pub doc_no: Option<String>,
    /// Only those that can still change: active, part A, unknown.
    pub open_only: bool,
    /// Only those after this number, in the order of numbers.
    pub after: Option<EwbNumber>,
    /// At most so many; 0 means 1,000.
    pub limit: usize,
}

/// The durable memory of jobs and e-way bills, a part of every [`Ledger`](crate::ledger::Ledger).
///
/// What it says of durability and cancellation is what the ledger says. A change of a document or a bill that a
/// step brings is stored with the step's outcome, wholly or not at all.
#[async_trait]
pub trait JobBook: fmt::Debug + Send + Sync {
    /// Plans a task and gives its number.
    ///
    /// One subject has one open job at a time: a second one that would change the same document's
    /// registration, or the same bill, is refused.
    ///
    /// # Errors
    /// [`LedgerError::JobUnderWay`] when there is an open job for the same subject;
    /// [`LedgerError::IllegalMove`] when the document's state forbids it: a cancellation needs `Registered`, a
    /// bill by IRN needs `Registered`.
    async fn plan(&self, job: NewJob) -> Result<JobId, LedgerError>;

    /// Hands jobs that are due to a worker, oldest first. `Sent` jobs whose lease is over become `Unknown` here.
    ///
    /// # Errors
    /// [`LedgerError`] when the ledger cannot be written.
    async fn claim_jobs(&self, claim: JobClaim) -> Result<Vec<Job>, LedgerError>;

    /// Gives claimed jobs back untouched.
    ///
    /// # Errors
    /// [`LedgerError`] when the ledger cannot be written; the lease then ends by itself.
    async fn release_jobs(&self, worker: &WorkerId, jobs: &[JobId]) -> Result<(), LedgerError>;

    /// Stores the intent to make the call of the present step: `Planned` becomes `Sent`, and a document whose
    /// IRN is to be cancelled becomes `Cancelling`.
    ///
    /// # Errors
    /// [`LedgerError::JobNotClaimed`] when another worker holds it; [`LedgerError::IllegalJobMove`],
    /// [`LedgerError::IllegalMove`] where its state or the document's forbids it.
    async fn begin_step(&self, worker: &WorkerId, job: JobId, intent: StepIntent) -> Result<(), LedgerError>;

    /// Records what became of the present step, or what asking brought, and releases the job. A document whose
    /// cancellation was refused or not done becomes `Registered` again, a cancelled one `Cancelled`; bills are
    /// brought up to date, and receipts made where the books should show it. Recording the same outcome again
    /// changes nothing. `NotDone` for a `Planned` job puts it off; what the worker that sent the step brings
    /// after its lease counts as long as nobody else took the job.
    ///
    /// # Errors
    /// [`LedgerError::JobNotClaimed`] when another worker holds it; [`LedgerError::IllegalJobMove`].
    async fn end_step(&self, worker: &WorkerId, job: JobId, outcome: StepOutcome) -> Result<(), LedgerError>;

    /// Stores a person's decision on a job that was handed over, and releases it. A step that was done or not has
    /// the consequences it has in [`end_step`](JobBook::end_step).
    ///
    /// # Errors
    /// [`LedgerError::IllegalJobMove`] unless the job is `Unknown` and was handed over, and for
    /// [`JobDecision::Dropped`] where the cancellation of an IRN is what nobody knows; [`LedgerError::NoJob`].
    async fn decide_job(&self, job: JobId, decision: JobDecision) -> Result<(), LedgerError>;

    /// Takes a planned job back. Steps already done stand.
    ///
    /// # Errors
    /// [`LedgerError::JobUnderWay`] when its step may have been sent; [`LedgerError::NoJob`].
    async fn withdraw(&self, job: JobId, reason: &str) -> Result<(), LedgerError>;

    /// Jobs, in the order of their numbers.
    ///
    /// # Errors
    /// [`LedgerError`] when the ledger cannot be read.
    async fn jobs(&self, query: JobQuery) -> Result<Vec<Job>, LedgerError>;

    /// Bills, in the order of their numbers.
    ///
    /// # Errors
    /// [`LedgerError`] when the ledger cannot be read.
    async fn bills(&self, query: BillQuery) -> Result<Vec<Bill>, LedgerError>;

    /// Keeps what was read of a bill outside of any job: an expiry, a closure or rejection by somebody else, a
    /// bill found at the portal. `document` joins it to one in the ledger, with which it then stays.
    ///
    /// # Errors
    /// [`LedgerError`] when the ledger cannot be written.
    async fn learn_bill(&self, bill: Bill) -> Result<(), LedgerError>;

    /// Keeps what was read of a registration outside of any job: somebody cancelled it elsewhere. `Registered`
    /// becomes `Cancelled`, through `Cancelling`; a `Cancelled` document stays as it is. A job that was planned
    /// for it meets [`LedgerError::IllegalMove`] at its next step and is to be ended as refused.
    ///
    /// # Errors
    /// [`LedgerError::IllegalMove`] in any other state: a cancellation under way is settled by its job.
    async fn learn_cancellation(&self, document: DocumentId, cancellation: Cancellation) -> Result<(), LedgerError>;
}
