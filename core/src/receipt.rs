//! What the books should show: a numbered revision of a document's result.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::date::PortalTime;
use crate::ewb::Standing;
use crate::finding::Finding;
use crate::irn::Irn;
use crate::job::Cancellation;
use crate::key::DocumentKey;
use crate::ledger::LedgerId;
use crate::operation::Registration;
use crate::source::SourceRef;
use crate::state::{DocumentState, EwbState};
use crate::verify::Proof;

/// A result for one record of one source.
///
/// Every change that the books should show makes a new revision: registered, refused, found invalid,
/// cancelled. A document that arrived by two records has one receipt for each.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// The ledger that made it, whose revisions count. Absent in receipts that were kept before ledgers had identities.
    #[serde(default)]
    pub ledger: Option<LedgerId>,
    /// Identity of the record that this receipt answers, within the ledger.
    pub reference_id: i64,
    /// Number of this revision; grows with every change of the document.
    pub revision: u32,
    /// Name of the configured source.
    pub source: String,
    /// The record to write to.
    pub reference: SourceRef,
    /// What the source asked to be handed back.
    pub attributes: BTreeMap<String, String>,
    /// What a person may call the document.
    pub label: String,
    /// The document's key; absent when it could not be read.
    pub key: Option<DocumentKey>,
    /// The IRN, as computed here and confirmed by the portal once registered.
    pub irn: Option<Irn>,
    /// Where the document stands.
    pub state: DocumentState,
    /// Where its e-way bill stands.
    pub ewb_state: EwbState,
    /// The registration, once there is one.
    pub registration: Option<Registration>,
    /// How far the registration is proven.
    pub proof: Option<Proof>,
    /// The e-way bill as it stands, which may be another than the one in the registration.
    #[serde(default)]
    pub ewb: Option<Standing>,
    /// The cancellation, once there is one.
    #[serde(default)]
    pub cancellation: Option<Cancellation>,
    /// Findings of the check and errors of the portal.
    pub findings: Vec<Finding>,
}

/// Which result of a record something is: what a target keeps of each to know which of two is the later one.
///
/// Revisions are counted by a ledger. One that was begun anew, after a trial or a loss, counts from 1 again, so its
/// numbers say nothing about what another ledger brought.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "what results are told apart by, complete by definition")]
pub struct Edition {
    /// The ledger; absent where a target has kept none.
    pub ledger: Option<LedgerId>,
    /// [`Receipt::revision`].
    pub revision: u32,
    /// The acknowledgement number of the registration that is shown, if one is.
    pub ack_no: Option<String>,
}

impl Edition {
    /// That of a receipt.
    #[must_use]
    pub fn of(receipt: &Receipt) -> Self {
        Self {
            ledger: receipt.ledger.clone(),
            revision: receipt.revision,
            ack_no: receipt.registration.as_ref().map(|registration| registration.ack_no.clone()),
        }
    }

    /// Whether a target that shows this has `other` already: there is nothing to deliver then.
    ///
    /// Of one ledger the same or a later revision has it, of two ledgers neither has the other's. Where a ledger is not
    /// known, the registration speaks for it: a portal acknowledges a document once, so another acknowledgement, or one
    /// where there was none, is the result of another ledger.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        let is_one_ledger = match (&self.ledger, &other.ledger) {
            (Some(own), Some(other)) => own == other,
            _ => self.ack_no == other.ack_no,
        };
        is_one_ledger && self.revision >= other.revision
    }
}

/// The e-way bill of a receipt, as the books should show it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ShownBill {
    /// Its number.
    pub number: String,
    /// When it was made (IST).
    pub made_at: Option<PortalTime>,
    /// End of its validity (IST).
    pub valid_till: Option<PortalTime>,
    /// Where it stands.
    pub state: EwbState,
    /// The latest vehicle.
    pub vehicle: Option<String>,
    /// When it was cancelled (IST).
    pub cancelled_at: Option<PortalTime>,
}

impl Receipt {
    /// Whether another receipt may be of the same ledger, so that their numbers can be compared.
    #[must_use]
    pub fn shares_ledger_with(&self, other: &Self) -> bool {
        self.ledger.is_none() || other.ledger.is_none() || self.ledger == other.ledger
    }

    /// The bill to show: as it stands, or as the registration brought it where nothing more is known of it.
    ///
    /// A bill can be made, changed and cancelled after the registration, and the reply to the registration never
    /// learns of that. Receipts that were kept before standings were have the registration's bill alone.
    #[must_use]
    pub fn bill(&self) -> Option<ShownBill> {
        if let Some(standing) = &self.ewb {
            return Some(ShownBill {
                number: standing.number.to_string(),
                made_at: standing.made_at,
                valid_till: standing.valid_till,
                state: standing.state,
                vehicle: standing.movement.as_ref().and_then(|movement| movement.vehicle.clone()),
                cancelled_at: standing.cancelled_at,
            });
        }
        let bill = self.registration.as_ref()?.ewb.as_ref()?;
        Some(ShownBill {
            number: bill.number.clone(),
            made_at: bill.date,
            valid_till: bill.valid_till,
            state: self.ewb_state,
            vehicle: None,
            cancelled_at: None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edition(ledger: Option<&str>, revision: u32, ack_no: Option<&str>) -> Edition {
        Edition { ledger: ledger.map(|text| LedgerId(text.to_owned())), revision, ack_no: ack_no.map(str::to_owned) }
    }

    #[test]
    fn of_one_ledger_the_same_or_a_later_revision_has_a_result() {
        let shown = edition(Some("a"), 2, Some("1"));
        assert!(shown.covers(&edition(Some("a"), 1, None)));
        assert!(shown.covers(&edition(Some("a"), 2, Some("1"))));
        assert!(!shown.covers(&edition(Some("a"), 3, Some("1"))));
    }

    #[test]
    fn no_revision_has_the_result_of_another_ledger() {
        let shown = edition(Some("trial"), 9, Some("1"));
        assert!(!shown.covers(&edition(Some("books"), 1, Some("2"))));
        assert!(!shown.covers(&edition(Some("books"), 1, Some("1"))));
        assert!(!shown.covers(&edition(Some("books"), 1, None)));
    }

    #[test]
    fn where_no_ledger_is_known_the_acknowledgement_tells() {
        let shown = edition(None, 2, Some("1"));
        assert!(shown.covers(&edition(Some("books"), 2, Some("1"))), "delivered by an earlier version");
        assert!(!shown.covers(&edition(Some("books"), 3, Some("1"))), "the next revision");
        assert!(!shown.covers(&edition(Some("books"), 1, Some("2"))), "registered elsewhere");
        assert!(!shown.covers(&edition(Some("books"), 1, None)), "not registered here");
        assert!(edition(None, 1, None).covers(&edition(Some("books"), 1, None)));
    }
}
