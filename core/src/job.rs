//! Work on what is registered already: cancelling, e-way bills, everything that takes several steps or a time
//! of its own, so that it survives a crash.
//!
//! A [`Task`] is what somebody asked for. Planned in a [`JobBook`] it becomes a [`Job`]: a list of steps, each
//! one call that changes a portal's books, and the position among them. Each step is intended durably before a
//! byte leaves, exactly as a registration is; an unclear outcome is `Unknown` and settled by asking; what was
//! done is never done again after a crash. The [`pipeline`](crate::pipeline) carries jobs out.

mod decision;

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::date::PortalTime;
use crate::environment::RouteName;
use crate::ewb::request::{
    AddVehicle, ChangeVehicle, Closure, Consolidation, EwbByIrn, Extension, MultiVehicle, PartB, Regeneration,
};
use crate::ewb::{CancelReason, EwbNumber, Standing};
use crate::identifier::Gstin;
use crate::irn::Irn;
use crate::ledger::{DocumentId, LedgerError, WorkerId};
use crate::operation::OperationKind;
use crate::portal_code::PortalError;

pub use decision::JobDecision;

/// Number of a job in a ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct JobId(pub i64);

/// What somebody asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "task")]
#[non_exhaustive]
pub enum Task {
    /// Cancel a registration, with its active e-way bill first where it has one.
    CancelIrn {
        /// Which.
        irn: Irn,
        /// Why.
        reason: CancelReason,
        /// Remark, 1 to 100 characters; the first 50 go with the e-way bill.
        remark: String,
    },
    /// Make the e-way bill of a registered document.
    GenerateEwbByIrn {
        /// What is moved, and how.
        request: Box<EwbByIrn>,
    },
    /// Make an e-way bill without an IRN.
    GenerateEwb {
        /// The request as canonical JSON in the system's own members.
        payload: String,
        /// `INV`, `BIL`, `BOE`, `CHL` or `OTH`.
        doc_type: String,
        /// Number of the document.
        doc_no: String,
    },
    /// Cancel an e-way bill.
    CancelEwb {
        /// The bill.
        number: EwbNumber,
        /// Why.
        reason: CancelReason,
        /// Remark, at most 50 characters.
        remark: String,
    },
    /// Reject a bill as the other party.
    RejectEwb {
        /// The bill.
        number: EwbNumber,
    },
    /// Change Part B.
    UpdatePartB {
        /// The new Part B.
        request: Box<PartB>,
    },
    /// Give a bill to another transporter.
    UpdateTransporter {
        /// The bill.
        number: EwbNumber,
        /// GSTIN or TRANSIN of the transporter.
        transporter: String,
    },
    /// Extend the validity, in the sixteen hours around its end.
    ExtendValidity {
        /// How, and why.
        request: Box<Extension>,
    },
    /// Put several bills on one vehicle.
    Consolidate {
        /// Which bills, and how they travel.
        request: Box<Consolidation>,
    },
    /// Make a trip sheet anew.
    RegenerateTripSheet {
        /// Which, and how it travels on.
        request: Box<Regeneration>,
    },
    /// Start moving the goods of one bill by several vehicles.
    StartMultiVehicle {
        /// Which bill, from where to where.
        request: Box<MultiVehicle>,
    },
    /// Add a vehicle to a group.
    AddVehicle {
        /// Which group, which vehicle.
        request: Box<AddVehicle>,
    },
    /// Change a vehicle of a group.
    ChangeVehicle {
        /// From which vehicle to which.
        request: Box<ChangeVehicle>,
    },
    /// Declare a bill closed.
    CloseEwb {
        /// Which, since when.
        request: Box<Closure>,
    },
}

impl Task {
    /// The calls it takes, in their order; `ewb_is_active` says whether the document has an active bill.
    #[must_use]
    pub fn steps(&self, ewb_is_active: bool) -> Vec<OperationKind> {
        match self {
            // The portal refuses to cancel an IRN with an active e-way bill (2230).
            Self::CancelIrn { .. } if ewb_is_active => vec![OperationKind::CancelEwb, OperationKind::CancelIrn],
            Self::CancelIrn { .. } => vec![OperationKind::CancelIrn],
            Self::GenerateEwbByIrn { .. } => vec![OperationKind::GenerateEwbByIrn],
            Self::GenerateEwb { .. } => vec![OperationKind::GenerateEwb],
            Self::CancelEwb { .. } => vec![OperationKind::CancelEwb],
            Self::RejectEwb { .. } => vec![OperationKind::RejectEwb],
            Self::UpdatePartB { .. } => vec![OperationKind::UpdatePartB],
            Self::UpdateTransporter { .. } => vec![OperationKind::UpdateTransporter],
            Self::ExtendValidity { .. } => vec![OperationKind::ExtendValidity],
            Self::Consolidate { .. } => vec![OperationKind::ConsolidateEwb],
            Self::RegenerateTripSheet { .. } => vec![OperationKind::RegenerateTripSheet],
            Self::StartMultiVehicle { .. } => vec![OperationKind::StartMultiVehicle],
            Self::AddVehicle { .. } => vec![OperationKind::AddVehicle],
            Self::ChangeVehicle { .. } => vec![OperationKind::ChangeVehicle],
            Self::CloseEwb { .. } => vec![OperationKind::CloseEwb],
        }
    }

    /// What is to be done, in words.
    #[must_use]
    pub const fn words(&self) -> &'static str {
        match self {
            Self::CancelIrn { .. } => "cancel the IRN",
            Self::GenerateEwbByIrn { .. } => "make an e-way bill of the IRN",
            Self::GenerateEwb { .. } => "make an e-way bill without IRN",
            Self::CancelEwb { .. } => "cancel the e-way bill",
            Self::RejectEwb { .. } => "reject the e-way bill",
            Self::UpdatePartB { .. } => "change Part B",
            Self::UpdateTransporter { .. } => "change the transporter",
            Self::ExtendValidity { .. } => "extend the validity",
            Self::Consolidate { .. } => "consolidate e-way bills",
            Self::RegenerateTripSheet { .. } => "make the trip sheet anew",
            Self::StartMultiVehicle { .. } => "start moving by several vehicles",
            Self::AddVehicle { .. } => "add a vehicle",
            Self::ChangeVehicle { .. } => "change a vehicle",
            Self::CloseEwb { .. } => "close the e-way bill",
        }
    }

    /// The bill it is about, where it is about one that exists.
    #[must_use]
    pub fn bill(&self) -> Option<EwbNumber> {
        match self {
            Self::CancelEwb { number, .. } | Self::RejectEwb { number } | Self::UpdateTransporter { number, .. } => {
                Some(*number)
            }
            Self::UpdatePartB { request } => Some(request.number),
            Self::ExtendValidity { request } => Some(request.number),
            Self::StartMultiVehicle { request } => Some(request.number),
            Self::AddVehicle { request } => Some(request.number),
            Self::ChangeVehicle { request } => Some(request.number),
            Self::CloseEwb { request } => Some(request.number),
            Self::CancelIrn { .. }
            | Self::GenerateEwbByIrn { .. }
            | Self::GenerateEwb { .. }
            | Self::Consolidate { .. }
            | Self::RegenerateTripSheet { .. } => None,
        }
    }
}

/// Where a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "complete by design: a new state is a decision of its own")]
pub enum JobState {
    /// Its next step may be sent.
    Planned,
    /// The intent for its next step is durable: it may have been sent.
    Sent,
    /// Nobody knows whether the step was done: the portal must be asked.
    Unknown,
    /// Every step was done.
    Done,
    /// The portal, or the time, refused a step; the steps before it stand.
    Refused,
    /// Taken back before its next step was sent, or given up by a person when nobody could tell what became of it.
    Withdrawn,
}

impl JobState {
    /// Every state.
    pub const ALL: [Self; 6] = [Self::Planned, Self::Sent, Self::Unknown, Self::Done, Self::Refused, Self::Withdrawn];

    /// The name in ledgers, in JSON and on screens.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Sent => "sent",
            Self::Unknown => "unknown",
            Self::Done => "done",
            Self::Refused => "refused",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// The state of a name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == name)
    }

    /// The states that may follow this one. `Sent` goes back to `Planned` for the next step, or when nothing
    /// was sent; `Unknown` does when asking proved that the step was not done, and becomes `Withdrawn` by a person
    /// only.
    #[must_use]
    pub const fn may_become(self) -> &'static [Self] {
        match self {
            Self::Planned => &[Self::Sent, Self::Refused, Self::Withdrawn],
            Self::Sent => &[Self::Planned, Self::Done, Self::Refused, Self::Unknown],
            Self::Unknown => &[Self::Planned, Self::Done, Self::Refused, Self::Unknown, Self::Withdrawn],
            Self::Done | Self::Refused | Self::Withdrawn => &[],
        }
    }

    /// Whether nothing more will happen to it.
    #[must_use]
    pub const fn is_over(self) -> bool {
        self.may_become().is_empty()
    }
}

impl fmt::Display for JobState {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

/// A task to be planned.
#[derive(Debug, Clone)]
pub struct NewJob {
    /// What is to be done.
    pub task: Task,
    /// The calls it takes; see [`Task::steps`].
    pub steps: Vec<OperationKind>,
    /// The document it is about, if it is in the ledger.
    pub document: Option<DocumentId>,
    /// With whose login.
    pub gstin: Gstin,
    /// The route it must take, because the registration or the bill lives there; any when absent.
    pub route: Option<RouteName>,
    /// The site that issued what it is about.
    pub site: Option<String>,
    /// Not to be sent before this moment.
    pub not_before: Option<Timestamp>,
    /// Not to be sent from this moment on: the portal would refuse it.
    pub deadline: Option<Timestamp>,
}

/// A job as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    /// Its number.
    pub id: JobId,
    /// What is to be done.
    pub task: Task,
    /// The calls it takes.
    pub steps: Vec<OperationKind>,
    /// How many of them were done.
    pub position: u32,
    /// Where it stands.
    pub state: JobState,
    /// The document it is about.
    pub document: Option<DocumentId>,
    /// With whose login.
    pub gstin: Gstin,
    /// The route it must take.
    pub route: Option<RouteName>,
    /// The site that issued what it is about.
    pub site: Option<String>,
    /// Not to be sent before this moment.
    pub not_before: Option<Timestamp>,
    /// Not to be sent from this moment on.
    pub deadline: Option<Timestamp>,
    /// The latest intent for the present step.
    pub last: Option<StepIntent>,
    /// How often the present step was sent.
    pub sendings: u32,
    /// How often the portal was asked about it since it became unknown.
    pub asked: u32,
    /// When to ask, or to try, next.
    pub due_at: Timestamp,
    /// What happened last, in a sentence.
    pub message: String,
    /// The portal's errors, when it refused or left the outcome open.
    pub errors: Vec<PortalError>,
    /// What was done so far, step by step.
    pub effects: Vec<Effect>,
    /// What a person is asked to look up, where asking the portal tells no more.
    pub hand_over: Option<String>,
    /// When it was planned.
    pub planned_at: Timestamp,
    /// When it last changed.
    pub changed_at: Timestamp,
}

impl Job {
    /// The call that comes next; nothing once all were made.
    #[must_use]
    pub fn step(&self) -> Option<OperationKind> {
        self.steps.get(usize::try_from(self.position).ok()?).copied()
    }
}

/// The durable intent to make the call of a step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepIntent {
    /// Which step.
    pub position: u32,
    /// By which route.
    pub route: RouteName,
    /// To which site.
    pub site: String,
    /// When it was stored.
    pub at: Timestamp,
    /// What the bill looked like before, to tell by reading whether the step was done.
    pub before: Option<Box<Standing>>,
}

/// What a step changed, for the ledger to remember and the books to show.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "effect")]
#[expect(clippy::exhaustive_enums, reason = "a step changes a registration, bills, or a trip sheet")]
pub enum Effect {
    /// The registration was cancelled.
    IrnCancelled {
        /// The cancellation.
        cancellation: Cancellation,
    },
    /// A bill stands so from then on.
    Ewb {
        /// Where it stands.
        standing: Box<Standing>,
    },
    /// A trip sheet was made, for these bills.
    TripSheet {
        /// Its number.
        number: crate::ewb::TripSheetNumber,
        /// The bills on it.
        bills: Vec<EwbNumber>,
    },
}

/// The cancellation of a registration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cancellation {
    /// When (IST); absent where nobody told.
    pub at: Option<PortalTime>,
    /// Why; absent where somebody else cancelled it.
    pub reason: Option<CancelReason>,
    /// The remark given.
    pub remark: Option<String>,
}

/// What became of a step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "outcome")]
#[expect(clippy::exhaustive_enums, reason = "an outcome is one of these and nothing else")]
pub enum StepOutcome {
    /// It was done: the next step's turn, or the end.
    Done {
        /// What it changed.
        effects: Vec<Effect>,
        /// What happened, in a sentence.
        message: String,
    },
    /// The portal, or the time, refused it; the job is over.
    Refused {
        /// The portal's errors, or the one it would give.
        errors: Vec<PortalError>,
        /// Why, in a sentence.
        message: String,
        /// What was learnt on the way, such as that a bill is closed or expired.
        effects: Vec<Effect>,
    },
    /// It was certainly not done: nothing left, or asking proved it. It may be sent again.
    NotDone {
        /// Why.
        message: String,
        /// When to try again, at the earliest.
        due_at: Timestamp,
    },
    /// Nobody knows.
    Unknown {
        /// What happened.
        message: String,
        /// When to ask, at the earliest.
        due_at: Timestamp,
        /// The portal's errors, when it answered without clearing the outcome.
        errors: Vec<PortalError>,
        /// What a person is asked to look up, where asking tells no more: the job then waits for a
        /// [`JobDecision`], and is handed out only by name.
        #[serde(default)]
        hand_over: Option<String>,
    },
}

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

/// A bill in the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bill {
    /// Where it stands.
    pub standing: Standing,
    /// The document it belongs to, if that is in the ledger.
    pub document: Option<DocumentId>,
    /// The route it was made by.
    pub route: Option<RouteName>,
    /// The site it was made at.
    pub site: Option<String>,
    /// When it last changed here.
    pub changed_at: Timestamp,
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
    /// bill found at the portal. `document` joins it to one in the ledger.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_that_may_have_been_done_is_never_planned_without_asking_or_an_answer() {
        assert!(!JobState::Unknown.may_become().contains(&JobState::Sent));
        assert!(JobState::Unknown.may_become().contains(&JobState::Planned));
        assert!(!JobState::Planned.may_become().contains(&JobState::Done));
    }

    #[test]
    fn an_irn_with_an_active_bill_is_cancelled_after_the_bill() {
        let task =
            Task::CancelIrn { irn: Irn::from_bytes([7; 32]), reason: CancelReason::Duplicate, remark: "twice".into() };
        assert_eq!(task.steps(true), [OperationKind::CancelEwb, OperationKind::CancelIrn]);
        assert_eq!(task.steps(false), [OperationKind::CancelIrn]);
    }

    #[test]
    fn every_state_has_a_name_that_leads_back_to_it() {
        for state in JobState::ALL {
            assert_eq!(JobState::from_name(state.as_str()), Some(state));
        }
    }
}
