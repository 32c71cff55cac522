//! Work on what is registered already: cancelling, e-way bills, everything that takes several steps or a time
//! of its own, so that it survives a crash.
//!
//! A [`Task`] is what somebody asked for. Planned in a [`JobBook`] it becomes a [`Job`]: a list of steps, each
//! one call that changes a portal's books, and the position among them. Each step is intended durably before a
//! byte leaves, exactly as a registration is; an unclear outcome is `Unknown` and settled by asking; what was
//! done is never done again after a crash. The [`pipeline`](crate::pipeline) carries jobs out.

mod book;
mod decision;
mod outcome;
mod task;
#[cfg(test)]
mod tests;

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::environment::RouteName;
use crate::ewb::Standing;
use crate::identifier::Gstin;
use crate::ledger::DocumentId;
use crate::operation::OperationKind;
use crate::portal_code::PortalError;

pub use book::{BillQuery, JobBook, JobClaim, JobQuery};
pub use decision::JobDecision;
pub use outcome::{Cancellation, Effect, StepOutcome};
pub use task::Task;

/// Number of a job in a ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct JobId(pub i64);

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
