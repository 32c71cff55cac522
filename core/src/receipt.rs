//! What the books should show: a numbered revision of a document's result.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::date::PortalTime;
use crate::ewb::Standing;
use crate::finding::Finding;
use crate::irn::Irn;
use crate::job::Cancellation;
use crate::key::DocumentKey;
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
