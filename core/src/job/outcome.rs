//! What became of a step, and what it changed.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::date::PortalTime;
use crate::ewb::{CancelReason, EwbNumber, Standing, TripSheetNumber};
use crate::portal_code::PortalError;

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
        number: TripSheetNumber,
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
        /// [`JobDecision`](super::JobDecision), and is handed out only by name.
        #[serde(default)]
        hand_over: Option<String>,
    },
}
