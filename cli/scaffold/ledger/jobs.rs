//! The other half of a ledger: jobs (cancellations, e-way bills) and the standing of every e-way bill.

use async_trait::async_trait;
use einvoice_core::job::{
    Bill, BillQuery, Cancellation, Job, JobBook, JobClaim, JobDecision, JobId, JobQuery, NewJob, StepIntent,
    StepOutcome,
};
use einvoice_core::ledger::{DocumentId, LedgerError, WorkerId};

use crate::@type@Ledger;

#[async_trait]
impl JobBook for @type@Ledger {
    async fn plan(&self, _: NewJob) -> Result<JobId, LedgerError> {
        self.to_fill_in("plan")
    }

    async fn claim_jobs(&self, _: JobClaim) -> Result<Vec<Job>, LedgerError> {
        self.to_fill_in("claim_jobs")
    }

    async fn release_jobs(&self, _: &WorkerId, _: &[JobId]) -> Result<(), LedgerError> {
        self.to_fill_in("release_jobs")
    }

    async fn begin_step(&self, _: &WorkerId, _: JobId, _: StepIntent) -> Result<(), LedgerError> {
        self.to_fill_in("begin_step")
    }

    async fn end_step(&self, _: &WorkerId, _: JobId, _: StepOutcome) -> Result<(), LedgerError> {
        self.to_fill_in("end_step")
    }

    async fn decide_job(&self, _: JobId, _: JobDecision) -> Result<(), LedgerError> {
        self.to_fill_in("decide_job")
    }

    async fn withdraw(&self, _: JobId, _: &str) -> Result<(), LedgerError> {
        self.to_fill_in("withdraw")
    }

    async fn jobs(&self, _: JobQuery) -> Result<Vec<Job>, LedgerError> {
        self.to_fill_in("jobs")
    }

    async fn bills(&self, _: BillQuery) -> Result<Vec<Bill>, LedgerError> {
        self.to_fill_in("bills")
    }

    async fn learn_bill(&self, _: Bill) -> Result<(), LedgerError> {
        self.to_fill_in("learn_bill")
    }

    async fn learn_cancellation(&self, _: DocumentId, _: Cancellation) -> Result<(), LedgerError> {
        self.to_fill_in("learn_cancellation")
    }
}
