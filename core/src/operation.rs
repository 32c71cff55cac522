//! The portal's operations and their replies, typed; one variant each.
//!
//! Layers (retry, budget, breaker, trace, timeout) wrap [`Operation`] without knowing which one it
//! is; a transport refuses what its capability does not list, before any network call.

use std::fmt;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::date::{DocumentDate, PortalTime};
use crate::identifier::{DocumentNumber, Gstin};
use crate::irn::Irn;
use crate::key::DocumentType;
use crate::portal_code::PortalError;

/// One call to the portal, with everything it needs.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Operation {
    /// Register a document (Generate IRN). Changes the portal's books.
    GenerateIrn {
        /// The INV-01 document as canonical JSON, not yet sealed.
        payload: Bytes,
    },
    /// Read a registration by its IRN.
    GetIrn {
        /// The IRN asked for.
        irn: Irn,
        /// The site that issued it, when that is another one than the route's own.
        site: Option<String>,
    },
    /// Read a registration by document type, number and date.
    GetIrnByDocument {
        /// Type of the document.
        doc_type: DocumentType,
        /// Number of the document.
        number: DocumentNumber,
        /// Date of the document.
        date: DocumentDate,
        /// The site that issued it, when that is another one than the route's own.
        site: Option<String>,
    },
    /// Read a taxpayer's details.
    GstinDetails {
        /// The GSTIN asked for.
        gstin: Gstin,
    },
}

/// The kind of an [`Operation`], for capability lists, budgets and traces.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum OperationKind {
    /// See [`Operation::GenerateIrn`].
    GenerateIrn,
    /// See [`Operation::GetIrn`].
    GetIrn,
    /// See [`Operation::GetIrnByDocument`].
    GetIrnByDocument,
    /// See [`Operation::GstinDetails`].
    GstinDetails,
}

impl OperationKind {
    /// Whether the call may change the portal's books: after such a call an unclear answer is an
    /// unknown outcome, never a failure.
    #[must_use]
    pub const fn changes_books(self) -> bool {
        matches!(self, Self::GenerateIrn)
    }
}

impl fmt::Display for OperationKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::GenerateIrn => "generate IRN",
            Self::GetIrn => "get IRN",
            Self::GetIrnByDocument => "get IRN by document",
            Self::GstinDetails => "GSTIN details",
        })
    }
}

impl Operation {
    /// The kind of this operation.
    #[must_use]
    pub const fn kind(&self) -> OperationKind {
        match self {
            Self::GenerateIrn { .. } => OperationKind::GenerateIrn,
            Self::GetIrn { .. } => OperationKind::GetIrn,
            Self::GetIrnByDocument { .. } => OperationKind::GetIrnByDocument,
            Self::GstinDetails { .. } => OperationKind::GstinDetails,
        }
    }
}

/// What a successful call brought back. A refusal is a
/// [`TransportError::Refused`](crate::transport::TransportError), never a reply.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reply {
    /// The answer to [`Operation::GenerateIrn`], [`Operation::GetIrn`] and
    /// [`Operation::GetIrnByDocument`].
    Registration(Box<Registration>),
    /// The answer to [`Operation::GstinDetails`].
    Taxpayer(Box<Taxpayer>),
}

/// A registration as the portal states it; nothing in it is believed before it has been verified.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Registration {
    /// Acknowledgement number: 15 digits, kept as text since some providers send text.
    pub ack_no: String,
    /// Acknowledgement time (IST). The outer reply rounds it to the minute, the copy inside the
    /// signed invoice keeps seconds, so the two are never compared for equality.
    pub ack_date: PortalTime,
    /// The IRN the portal assigned.
    pub irn: Irn,
    /// Status word of the portal: `ACT`, or `CNL` once cancelled.
    pub status: RegistrationStatus,
    /// Signed copy of the document, a compact JWT. Absent when the portal no longer hands it out.
    pub signed_invoice: Option<String>,
    /// Signed QR text, a compact JWT: exactly what the printed QR code must hold.
    pub signed_qr: Option<String>,
    /// The e-way bill, when one was made with the IRN.
    pub ewb: Option<EwayBill>,
    /// The portal's remarks, verbatim.
    pub remarks: Option<String>,
    /// Everything the portal said beside the result, known or not, verbatim.
    pub info: Vec<InfoDetail>,
}

/// Whether a registration stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RegistrationStatus {
    /// `ACT`: it stands.
    Active,
    /// `CNL`: it was cancelled.
    Cancelled,
    /// A word we do not know, verbatim.
    Other(String),
}

/// An e-way bill number and its dates.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EwayBill {
    /// Twelve digits, kept as text.
    pub number: String,
    /// When it was made (IST).
    pub date: Option<PortalTime>,
    /// End of its validity (IST); absent while Part B is missing.
    pub valid_till: Option<PortalTime>,
}

/// One entry of `InfoDtls`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InfoDetail {
    /// `InfCd`, verbatim; empty when the portal sent bare text.
    pub code: String,
    /// `Desc` as JSON text, or the bare text, verbatim.
    pub description: String,
    /// The earlier registration named by `DUPIRN` and `DUPIRNGLP`.
    pub duplicate: Option<DuplicateInfo>,
    /// The errors named by `EWBERR`.
    pub errors: Vec<PortalError>,
}

/// The registration that a duplicate refusal points at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DuplicateInfo {
    /// IRN of the earlier registration.
    pub irn: Irn,
    /// Its acknowledgement number.
    pub ack_no: Option<String>,
    /// Its acknowledgement time, where the portal gave one (`-` occurs).
    pub ack_date: Option<PortalTime>,
    /// The other portal that registered it (`RegIrp` of `DUPIRNGLP`).
    pub registered_by: Option<String>,
}

/// A taxpayer's entry in the portal's master.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Taxpayer {
    /// The GSTIN.
    pub gstin: String,
    /// Legal name.
    pub legal_name: Option<String>,
    /// Trade name.
    pub trade_name: Option<String>,
    /// Address as the portal's parts, in their order, empty ones left out.
    pub address: Vec<String>,
    /// State code as text.
    pub state_code: Option<String>,
    /// PIN code as text; absent when the portal says 0.
    pub pin: Option<String>,
    /// Taxpayer type: `REG`, `SEZ`, `COM`, `TCS` and others, verbatim.
    pub taxpayer_type: Option<String>,
    /// Status: `ACT`, `CNL`, `INA`, `PRO` and others, verbatim.
    pub status: Option<String>,
    /// Block status: `U` unblocked, `B` blocked, verbatim.
    pub block_status: Option<String>,
    /// Registration date, verbatim (`yyyy-MM-dd`).
    pub registered_on: Option<String>,
    /// De-registration date, verbatim.
    pub deregistered_on: Option<String>,
}
