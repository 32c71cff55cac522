//! What the books should show: a numbered revision of a document's result.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::finding::Finding;
use crate::irn::Irn;
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
    /// Findings of the check and errors of the portal.
    pub findings: Vec<Finding>,
}
