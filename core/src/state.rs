//! The life of a document and the only moves it may make.
//!
//! The ledger enforces these moves on every write, in its own code and in the database. A move that
//! is not in [`DocumentState::may_become`] is a fault of ours and is refused, never repaired.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where a document stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "complete by design: a new state is a decision of its own")]
pub enum DocumentState {
    /// Read from its source, not judged yet.
    Received,
    /// Breaks a rule; waits for a corrected revision.
    Invalid,
    /// Passed every rule; may be sent.
    Ready,
    /// An intent is durable: it may have been sent.
    Sent,
    /// The portal registered it.
    Registered,
    /// The portal refused it; waits for a corrected revision.
    Refused,
    /// Nobody knows: the portal must be asked before anything is sent again.
    Unknown,
    /// The portal holds a different document under our key; a person decides.
    Conflict,
    /// The number belongs to a cancelled registration: only a new number helps (portal code 2278).
    Burnt,
    /// A cancellation is under way or unclear.
    Cancelling,
    /// The registration was cancelled.
    Cancelled,
    /// On the portal's list of rejected registrations (another portal's one stands).
    RejectedByRegistry,
}

impl DocumentState {
    /// Every state, in the order of a document's life.
    pub const ALL: [Self; 12] = [
        Self::Received,
        Self::Invalid,
        Self::Ready,
        Self::Sent,
        Self::Registered,
        Self::Refused,
        Self::Unknown,
        Self::Conflict,
        Self::Burnt,
        Self::Cancelling,
        Self::Cancelled,
        Self::RejectedByRegistry,
    ];

    /// The name in ledgers, in JSON and on screens.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::Invalid => "invalid",
            Self::Ready => "ready",
            Self::Sent => "sent",
            Self::Registered => "registered",
            Self::Refused => "refused",
            Self::Unknown => "unknown",
            Self::Conflict => "conflict",
            Self::Burnt => "burnt",
            Self::Cancelling => "cancelling",
            Self::Cancelled => "cancelled",
            Self::RejectedByRegistry => "rejected_by_registry",
        }
    }

    /// The state of a name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == name)
    }

    /// The states that may follow this one.
    ///
    /// Two moves serve the time before anything reached the portal: `Sent` goes back to `Ready` when
    /// the transport proves that nothing left, and `Ready` becomes `Invalid` when the source was
    /// edited before sending and the new revision breaks a rule.
    #[must_use]
    pub const fn may_become(self) -> &'static [Self] {
        match self {
            Self::Received => &[Self::Invalid, Self::Ready],
            Self::Invalid => &[Self::Ready],
            Self::Ready => &[Self::Sent, Self::Invalid],
            Self::Sent => &[Self::Registered, Self::Refused, Self::Unknown, Self::Ready],
            Self::Unknown => &[Self::Registered, Self::Refused, Self::Cancelled, Self::Conflict, Self::Ready],
            Self::Refused => &[Self::Ready, Self::Burnt],
            Self::Registered => &[Self::Cancelling, Self::RejectedByRegistry],
            Self::Cancelling => &[Self::Cancelled, Self::Registered],
            // A person's decision on a conflict is an operation of its own and goes through asking.
            Self::Conflict => &[Self::Unknown],
            Self::Burnt | Self::Cancelled | Self::RejectedByRegistry => &[],
        }
    }

    /// Whether the move to `next` is legal.
    #[must_use]
    pub fn allows(self, next: Self) -> bool {
        self.may_become().contains(&next)
    }

    /// Whether somebody has to correct or decide something.
    #[must_use]
    pub const fn needs_person(self) -> bool {
        matches!(self, Self::Invalid | Self::Refused | Self::Conflict | Self::Burnt | Self::RejectedByRegistry)
    }

    /// Whether the portal may hold this document, so that nothing may be sent under its key.
    #[must_use]
    pub const fn may_be_registered(self) -> bool {
        matches!(
            self,
            Self::Sent
                | Self::Unknown
                | Self::Registered
                | Self::Conflict
                | Self::Cancelling
                | Self::Cancelled
                | Self::Burnt
                | Self::RejectedByRegistry
        )
    }
}

impl fmt::Display for DocumentState {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// Where the e-way bill of a document stands, beside the document's own state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "complete by design: a new state is a decision of its own")]
pub enum EwbState {
    /// None was asked for.
    #[default]
    None,
    /// A number without vehicle or transport document: no validity yet.
    PartA,
    /// Valid.
    Active,
    /// It was asked for with the IRN and failed; the IRN stands.
    Failed,
    /// Nobody knows.
    Unknown,
    /// Cancelled.
    Cancelled,
    /// Rejected by the other party.
    RejectedByParty,
    /// Its validity is over.
    Expired,
    /// Closed.
    Closed,
}

impl EwbState {
    /// The name in ledgers, in JSON and on screens.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::PartA => "part_a",
            Self::Active => "active",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
            Self::Cancelled => "cancelled",
            Self::RejectedByParty => "rejected_by_party",
            Self::Expired => "expired",
            Self::Closed => "closed",
        }
    }
}

impl fmt::Display for EwbState {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_outcome_never_becomes_sent_without_going_through_ready() {
        assert!(!DocumentState::Unknown.allows(DocumentState::Sent));
        assert!(DocumentState::Unknown.allows(DocumentState::Ready));
    }

    #[test]
    fn a_registered_document_never_becomes_ready_again() {
        let mut reachable = vec![DocumentState::Registered];
        let mut at = 0;
        while let Some(state) = reachable.get(at).copied() {
            for next in state.may_become() {
                if !reachable.contains(next) {
                    reachable.push(*next);
                }
            }
            at += 1;
        }
        assert!(!reachable.contains(&DocumentState::Ready), "{reachable:?}");
        assert!(!reachable.contains(&DocumentState::Sent), "{reachable:?}");
    }

    #[test]
    fn every_state_has_a_name_that_leads_back_to_it() {
        for state in DocumentState::ALL {
            assert_eq!(DocumentState::from_name(state.as_str()), Some(state));
        }
    }
}
