//! Calls about single jobs, bills and documents: few beside the documents that are sent, so each is carried out
//! by itself, within the transaction and the flush that a group shares.

use async_trait::async_trait;
use einvoice_core::environment::Environment;
use einvoice_core::job::{Bill, Cancellation, JobDecision, JobId, StepIntent, StepOutcome};
use einvoice_core::ledger::{Decision, DocumentId, WorkerId};

use crate::bill::Bills;
use crate::desk::Desk;
use crate::fault::Fault;
use crate::group::{Answers, Change, Group, Lane};
use crate::standing::Standings;
use crate::{belonging, by_hand, decide, step, turn};

/// A call that is answered with nothing but that it is done.
#[derive(Debug)]
pub(crate) enum Errand {
    Bind { environment: Environment },
    ReleaseJobs { worker: WorkerId, jobs: Vec<JobId> },
    BeginStep { worker: WorkerId, job: JobId, intent: StepIntent },
    EndStep { worker: WorkerId, job: JobId, outcome: StepOutcome },
    Withdraw { job: JobId, reason: String },
    LearnBill { bill: Box<Bill> },
    LearnCancellation { document: DocumentId, cancellation: Cancellation },
    Decide { document: DocumentId, decision: Decision },
    DecideJob { job: JobId, decision: JobDecision },
}

#[async_trait]
impl Change for Errand {
    type Answer = ();

    fn lane(group: &mut Group) -> &mut Lane<Self> {
        &mut group.errands
    }

    async fn apply(desk: &mut Desk, calls: &[Self]) -> Result<Answers<Self>, Fault> {
        let mut answers = Vec::with_capacity(calls.len());
        for call in calls {
            desk.mark().await?;
            let answer = call.carry_out(desk).await;
            answers.push(desk.keep_or_undo(answer).await?);
        }
        Ok(answers)
    }
}

impl Errand {
    async fn carry_out(&self, desk: &mut Desk) -> Result<(), Fault> {
        match self {
            Self::Bind { environment } => belonging::bind(desk, *environment).await,
            Self::ReleaseJobs { worker, jobs } => turn::release(&mut desk.connection, worker, jobs).await,
            Self::BeginStep { worker, job, intent } => step::begin(desk, worker, *job, intent).await,
            Self::EndStep { worker, job, outcome } => step::end(desk, worker, *job, outcome).await,
            Self::Withdraw { job, reason } => step::withdraw(desk, *job, reason).await,
            Self::LearnBill { bill } => learn_bill(desk, bill).await,
            Self::LearnCancellation { document, cancellation } => {
                decide::learn_cancellation(desk, *document, cancellation).await
            }
            Self::Decide { document, decision } => decide::decide(desk, *document, decision).await,
            Self::DecideJob { job, decision } => by_hand::decide_job(desk, *job, decision).await,
        }
    }
}

async fn learn_bill(desk: &mut Desk, bill: &Bill) -> Result<(), Fault> {
    let mut bills = Bills::new(desk.now());
    bills.put(&mut desk.connection, bill.clone()).await?;
    let mut standings = Standings::load(&mut desk.connection, &bills.documents()).await?;
    bills.show(&mut standings, None)?;
    bills.write(&mut desk.connection).await?;
    standings.write(&mut desk.connection).await
}
