//! What a person decided about a step whose outcome nobody else can tell.

use serde::{Deserialize, Serialize};

use super::Effect;

/// What a person decided about a job that was handed over to them ([`Job::hand_over`](super::Job)).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "decision")]
#[expect(clippy::exhaustive_enums, reason = "the portal did it, did not, or nobody will find out")]
pub enum JobDecision {
    /// The portal did the step, as a person saw there: the next step's turn, or the end.
    Done {
        /// What it changed.
        effects: Vec<Effect>,
        /// Why, for the audit trail.
        reason: String,
    },
    /// The portal did not do the step, as a person saw there: it may be sent again, while it is in time.
    NotDone {
        /// Why, for the audit trail.
        reason: String,
    },
    /// Nobody will find out: the job ends, nothing is sent again, and a bill it was about stands as `Unknown`
    /// until it is read. Not for the cancellation of an IRN: its document would stand nowhere.
    Dropped {
        /// Why, for the audit trail.
        reason: String,
    },
}
