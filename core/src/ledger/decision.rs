//! What a person is asked where asking the portal tells no more, and what a person decided.

use serde::{Deserialize, Serialize};

use crate::date::PortalTime;
use crate::irn::Irn;
use crate::job::Cancellation;
use crate::operation::EwayBill;

/// Longest acknowledgement number that is taken; the portal's have 15 digits, others a few more.
const ACK_NO_DIGITS_MAX: usize = 20;

/// Why an unknown document waits for a person: asking alone will not clear it any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "open")]
#[expect(clippy::exhaustive_enums, reason = "it is registered for certain, or it is not known to be")]
pub enum HandOver {
    /// It may or may not be registered: a person looks it up.
    Whether {
        /// Where to look, and what to do with what is found.
        remedy: String,
    },
    /// It is registered for certain, and its acknowledgement is not known: a person reads it. It is never sent
    /// again.
    Acknowledgement {
        /// The IRN it is registered under.
        irn: Irn,
        /// Where to read it, and what to do with it.
        remedy: String,
    },
}

impl HandOver {
    /// Where to look, and what to do with what is found.
    #[must_use]
    pub fn remedy(&self) -> &str {
        match self {
            Self::Whether { remedy } | Self::Acknowledgement { remedy, .. } => remedy,
        }
    }

    /// Whether the document is registered for certain.
    #[must_use]
    pub const fn is_registered(&self) -> bool {
        matches!(self, Self::Acknowledgement { .. })
    }

    /// What stands after another answer that left the outcome open: what was certain once stays so.
    #[must_use]
    pub fn kept(earlier: Option<Self>, told: Option<Self>) -> Option<Self> {
        match (earlier, told) {
            (Some(certain @ Self::Acknowledgement { .. }), None | Some(Self::Whether { .. })) => Some(certain),
            (earlier, told) => told.or(earlier),
        }
    }
}

/// What a person decided about a document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "decision")]
#[non_exhaustive]
pub enum Decision {
    /// The portal's registration is that of this document, differences and all: `Conflict` becomes
    /// `Registered`, through `Unknown`.
    Adopt {
        /// Why, for the audit trail.
        reason: String,
    },
    /// Ask the portal again: `Conflict` becomes `Unknown`, and an `Unknown` document is due at once.
    AskAgain {
        /// Why, for the audit trail.
        reason: String,
    },
    /// The portal has nothing of this document, as a person saw there: `Unknown` becomes `Ready`. Only once
    /// it was handed over ([`HandOver`]), and not where it is registered for certain.
    NotThere {
        /// Why, for the audit trail.
        reason: String,
    },
    /// The portal has registered this document, as a person read there: `Unknown` becomes `Registered`, or
    /// `Cancelled`. Only once it was handed over ([`HandOver`]): as long as asking helps, the portal is asked.
    Registered {
        /// What was read.
        read: Box<ReadByHand>,
        /// Why, for the audit trail.
        reason: String,
    },
}

/// A registration as a person read it at a portal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ReadByHand {
    /// Its acknowledgement number.
    pub ack_no: String,
    /// Its acknowledgement date (IST).
    pub ack_date: PortalTime,
    /// Its e-way bill, if it has one.
    pub ewb: Option<EwayBill>,
    /// Its cancellation, if it was cancelled.
    pub cancellation: Option<Cancellation>,
}

impl ReadByHand {
    /// What was read, if an acknowledgement number can look so.
    ///
    /// # Errors
    /// [`NotAnAcknowledgement`] for anything but 1 to 20 digits.
    pub fn new(ack_no: &str, ack_date: PortalTime) -> Result<Self, NotAnAcknowledgement> {
        let ack_no = ack_no.trim();
        let is_number =
            (1..=ACK_NO_DIGITS_MAX).contains(&ack_no.len()) && ack_no.bytes().all(|byte| byte.is_ascii_digit());
        if !is_number {
            return Err(NotAnAcknowledgement { found: ack_no.to_owned() });
        }
        Ok(Self { ack_no: ack_no.to_owned(), ack_date, ewb: None, cancellation: None })
    }

    /// The same with its e-way bill.
    #[must_use]
    pub fn with_ewb(mut self, ewb: EwayBill) -> Self {
        self.ewb = Some(ewb);
        self
    }

    /// The same, cancelled.
    #[must_use]
    pub fn cancelled(mut self, cancellation: Cancellation) -> Self {
        self.cancellation = Some(cancellation);
        self
    }
}

/// A text that is no acknowledgement number.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{found}` is no acknowledgement number: 1 to {ACK_NO_DIGITS_MAX} digits are expected")]
#[non_exhaustive]
pub struct NotAnAcknowledgement {
    /// What was given.
    pub found: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_registered_for_certain_stays_so_whatever_is_answered_later() {
        let certain = || HandOver::Acknowledgement { irn: Irn::from_bytes([7; 32]), remedy: "read it".into() };
        let open = || HandOver::Whether { remedy: "look".into() };
        assert_eq!(HandOver::kept(Some(certain()), Some(open())), Some(certain()));
        assert_eq!(HandOver::kept(Some(certain()), None), Some(certain()));
        assert_eq!(HandOver::kept(Some(open()), Some(certain())), Some(certain()));
        assert_eq!(HandOver::kept(Some(open()), None), Some(open()));
        assert_eq!(HandOver::kept(None, None), None);
    }

    #[test]
    fn an_acknowledgement_number_has_digits_only() {
        let date = PortalTime::parse("2026-11-05 12:00:00").unwrap();
        assert_eq!(ReadByHand::new(" 112610000000001 ", date).unwrap().ack_no, "112610000000001");
        for wrong in ["", "11261000000000A", "123456789012345678901"] {
            assert_eq!(ReadByHand::new(wrong, date).unwrap_err().found, wrong);
        }
    }
}
