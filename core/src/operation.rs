//! The portal's operations and their replies, typed; one variant each.
//!
//! Layers (retry, budget, breaker, trace, timeout) wrap [`Operation`] without knowing which one it
//! is; a transport refuses what its capability does not list, before any network call.

use std::fmt;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::date::{DocumentDate, PortalTime};
use crate::environment::Product;
use crate::ewb::request::{
    AddVehicle, ChangeVehicle, Closure, Consolidation, EwbByIrn, EwbList, Extension, MultiVehicle, PartB, Regeneration,
};
use crate::ewb::{CancelReason, EwbNumber, TripSheetNumber};
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
    /// Cancel a registration, whole, within 24 hours and with no e-way bill active. Changes the portal's books.
    CancelIrn {
        /// The IRN to cancel.
        irn: Irn,
        /// Why.
        reason: CancelReason,
        /// Remark, 1 to 100 characters.
        remark: String,
        /// The site that issued it, when that is another one than the route's own (`irp` header).
        site: Option<String>,
    },
    /// Read a registration by its IRN.
    GetIrn {
        /// The IRN asked for.
        irn: Irn,
        /// The site that issued it, when that is another one than the route's own (`irp` header).
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
        /// The site that issued it, when that is another one than the route's own (`irp` header).
        site: Option<String>,
    },
    /// List the IRNs of a day that the invoice registry rejected, because another portal had registered the document before.
    RejectedIrns {
        /// The day.
        date: DocumentDate,
        /// The site that issued it, when that is another one than the route's own (`irp` header).
        site: Option<String>,
    },
    /// Make the e-way bill of a registered document. Changes the portal's books.
    GenerateEwbByIrn {
        /// What is moved, and how.
        request: Box<EwbByIrn>,
        /// The site that issued it, when that is another one than the route's own (`irp` header).
        site: Option<String>,
    },
    /// Read the e-way bill of a registration.
    GetEwbByIrn {
        /// The IRN asked for.
        irn: Irn,
        /// The site that issued it, when that is another one than the route's own (`irp` header).
        site: Option<String>,
    },
    /// Read a taxpayer's details from the e-invoice portal's copy of the taxpayer master.
    GstinDetails {
        /// The GSTIN asked for.
        gstin: Gstin,
    },
    /// Have the e-invoice portal fetch a taxpayer's details anew from the GST common portal; helps against 3028 and 3029.
    SyncGstin {
        /// The GSTIN to fetch.
        gstin: Gstin,
    },
    /// `GENEWAYBILL`: make an e-way bill without an IRN. Changes the portal's books.
    GenerateEwb {
        /// The request as canonical JSON in the system's own members, not yet sealed.
        payload: Bytes,
    },
    /// `VEHEWB`: change vehicle or transport document.
    UpdatePartB {
        /// The new Part B.
        request: Box<PartB>,
    },
    /// `UPDATETRANSPORTER`: give a bill to another transporter.
    UpdateTransporter {
        /// The bill.
        number: EwbNumber,
        /// GSTIN or TRANSIN of the transporter.
        transporter: String,
    },
    /// `EXTENDVALIDITY`: extend the validity of a bill.
    ExtendValidity {
        /// How, and why.
        request: Box<Extension>,
    },
    /// `GENCEWB`: put several bills on one vehicle.
    ConsolidateEwb {
        /// Which bills, and how they travel.
        request: Box<Consolidation>,
    },
    /// `REGENTRIPSHEET`: make a trip sheet anew for another vehicle.
    RegenerateTripSheet {
        /// Which trip sheet, and how it travels on.
        request: Box<Regeneration>,
    },
    /// `CANEWB`: cancel a bill, by its maker within 24 hours.
    CancelEwb {
        /// The bill.
        number: EwbNumber,
        /// Why.
        reason: CancelReason,
        /// Remark, at most 50 characters.
        remark: String,
    },
    /// `REJEWB`: reject a bill as the other party, within 72 hours.
    RejectEwb {
        /// The bill.
        number: EwbNumber,
    },
    /// `MULTIVEHMOVINT`: start moving the goods of one bill by several vehicles.
    StartMultiVehicle {
        /// Which bill, from where to where.
        request: Box<MultiVehicle>,
    },
    /// `MULTIVEHADD`: add a vehicle to a group.
    AddVehicle {
        /// Which group, which vehicle.
        request: Box<AddVehicle>,
    },
    /// `MULTIVEHUPD`: change a vehicle of a group.
    ChangeVehicle {
        /// Which group, from which vehicle to which.
        request: Box<ChangeVehicle>,
    },
    /// `CLSEWB`: declare a bill closed. On hold since 29 July 2026.
    CloseEwb {
        /// Which bill, since when.
        request: Box<Closure>,
    },
    /// `GetEwayBill`: read a bill; for its supplier, recipient or transporter.
    GetEwb {
        /// The bill.
        number: EwbNumber,
    },
    /// `GetEwayBillGeneratedByConsigner`: read the active bill that the caller made for a document; the question to ask after a lost reply.
    GetEwbByDocument {
        /// `INV`, `BIL`, `BOE`, `CHL` or `OTH`.
        doc_type: String,
        /// Number of the document.
        number: String,
    },
    /// Read one of the system's lists of bills for a day.
    ListEwbs {
        /// Which list.
        list: EwbList,
        /// Which day.
        date: DocumentDate,
    },
    /// `GetTripSheet`: read a consolidated e-way bill.
    GetTripSheet {
        /// The trip sheet.
        number: TripSheetNumber,
    },
    /// `GetGSTINDetails`: read a taxpayer's details from the e-way bill system.
    EwbGstinDetails {
        /// The GSTIN asked for.
        gstin: Gstin,
    },
    /// `GetTransporterDetails`: read the details of a transporter.
    TransporterDetails {
        /// GSTIN or TRANSIN of the transporter.
        id: String,
    },
    /// `GetHsnDetailsByHsnCode`: read the description of an HSN code.
    HsnDetails {
        /// The code.
        code: String,
    },
    /// `GetErrorList`: read the system's list of codes and texts.
    EwbErrorList,
}

/// The kind of an [`Operation`], for capability lists, budgets and traces.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum OperationKind {
    /// See [`Operation::GenerateIrn`].
    GenerateIrn,
    /// See [`Operation::CancelIrn`].
    CancelIrn,
    /// See [`Operation::GetIrn`].
    GetIrn,
    /// See [`Operation::GetIrnByDocument`].
    GetIrnByDocument,
    /// See [`Operation::RejectedIrns`].
    RejectedIrns,
    /// See [`Operation::GenerateEwbByIrn`].
    GenerateEwbByIrn,
    /// See [`Operation::GetEwbByIrn`].
    GetEwbByIrn,
    /// See [`Operation::GstinDetails`].
    GstinDetails,
    /// See [`Operation::SyncGstin`].
    SyncGstin,
    /// See [`Operation::GenerateEwb`].
    GenerateEwb,
    /// See [`Operation::UpdatePartB`].
    UpdatePartB,
    /// See [`Operation::UpdateTransporter`].
    UpdateTransporter,
    /// See [`Operation::ExtendValidity`].
    ExtendValidity,
    /// See [`Operation::ConsolidateEwb`].
    ConsolidateEwb,
    /// See [`Operation::RegenerateTripSheet`].
    RegenerateTripSheet,
    /// See [`Operation::CancelEwb`].
    CancelEwb,
    /// See [`Operation::RejectEwb`].
    RejectEwb,
    /// See [`Operation::StartMultiVehicle`].
    StartMultiVehicle,
    /// See [`Operation::AddVehicle`].
    AddVehicle,
    /// See [`Operation::ChangeVehicle`].
    ChangeVehicle,
    /// See [`Operation::CloseEwb`].
    CloseEwb,
    /// See [`Operation::GetEwb`].
    GetEwb,
    /// See [`Operation::GetEwbByDocument`].
    GetEwbByDocument,
    /// See [`Operation::ListEwbs`].
    ListEwbs,
    /// See [`Operation::GetTripSheet`].
    GetTripSheet,
    /// See [`Operation::EwbGstinDetails`].
    EwbGstinDetails,
    /// See [`Operation::TransporterDetails`].
    TransporterDetails,
    /// See [`Operation::HsnDetails`].
    HsnDetails,
    /// See [`Operation::EwbErrorList`].
    EwbErrorList,
}

impl OperationKind {
    /// Every kind, those of the e-invoice system first.
    pub const ALL: &[Self] = &[
        Self::GenerateIrn,
        Self::CancelIrn,
        Self::GetIrn,
        Self::GetIrnByDocument,
        Self::RejectedIrns,
        Self::GenerateEwbByIrn,
        Self::GetEwbByIrn,
        Self::GstinDetails,
        Self::SyncGstin,
        Self::GenerateEwb,
        Self::UpdatePartB,
        Self::UpdateTransporter,
        Self::ExtendValidity,
        Self::ConsolidateEwb,
        Self::RegenerateTripSheet,
        Self::CancelEwb,
        Self::RejectEwb,
        Self::StartMultiVehicle,
        Self::AddVehicle,
        Self::ChangeVehicle,
        Self::CloseEwb,
        Self::GetEwb,
        Self::GetEwbByDocument,
        Self::ListEwbs,
        Self::GetTripSheet,
        Self::EwbGstinDetails,
        Self::TransporterDetails,
        Self::HsnDetails,
        Self::EwbErrorList,
    ];

    /// Which of the two government systems carries it.
    #[must_use]
    pub const fn product(self) -> Product {
        match self {
            Self::GenerateIrn
            | Self::CancelIrn
            | Self::GetIrn
            | Self::GetIrnByDocument
            | Self::RejectedIrns
            | Self::GenerateEwbByIrn
            | Self::GetEwbByIrn
            | Self::GstinDetails
            | Self::SyncGstin => Product::EInvoice,
            _ => Product::EWayBill,
        }
    }

    /// Whether the call may change the portal's books: after such a call an unclear answer is an
    /// unknown outcome, never a failure.
    #[must_use]
    pub const fn changes_books(self) -> bool {
        matches!(
            self,
            Self::GenerateIrn
                | Self::CancelIrn
                | Self::GenerateEwbByIrn
                | Self::GenerateEwb
                | Self::UpdatePartB
                | Self::UpdateTransporter
                | Self::ExtendValidity
                | Self::ConsolidateEwb
                | Self::RegenerateTripSheet
                | Self::CancelEwb
                | Self::RejectEwb
                | Self::StartMultiVehicle
                | Self::AddVehicle
                | Self::ChangeVehicle
                | Self::CloseEwb
        )
    }

    /// The operation in words, as in `generate IRN`.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::GenerateIrn => "generate IRN",
            Self::CancelIrn => "cancel IRN",
            Self::GetIrn => "get IRN",
            Self::GetIrnByDocument => "get IRN by document",
            Self::RejectedIrns => "rejected IRNs",
            Self::GenerateEwbByIrn => "generate e-way bill by IRN",
            Self::GetEwbByIrn => "get e-way bill by IRN",
            Self::GstinDetails => "GSTIN details",
            Self::SyncGstin => "sync GSTIN",
            Self::GenerateEwb => "generate e-way bill",
            Self::UpdatePartB => "update Part B",
            Self::UpdateTransporter => "update transporter",
            Self::ExtendValidity => "extend validity",
            Self::ConsolidateEwb => "consolidate e-way bills",
            Self::RegenerateTripSheet => "regenerate trip sheet",
            Self::CancelEwb => "cancel e-way bill",
            Self::RejectEwb => "reject e-way bill",
            Self::StartMultiVehicle => "start multi-vehicle movement",
            Self::AddVehicle => "add vehicle",
            Self::ChangeVehicle => "change vehicle",
            Self::CloseEwb => "close e-way bill",
            Self::GetEwb => "get e-way bill",
            Self::GetEwbByDocument => "get e-way bill by document",
            Self::ListEwbs => "list e-way bills",
            Self::GetTripSheet => "get trip sheet",
            Self::EwbGstinDetails => "GSTIN details (e-way bill)",
            Self::TransporterDetails => "transporter details",
            Self::HsnDetails => "HSN details",
            Self::EwbErrorList => "list of error codes",
        }
    }
}

impl fmt::Display for OperationKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.words())
    }
}

impl Operation {
    /// The kind of this operation.
    #[must_use]
    pub const fn kind(&self) -> OperationKind {
        match self {
            Self::GenerateIrn { .. } => OperationKind::GenerateIrn,
            Self::CancelIrn { .. } => OperationKind::CancelIrn,
            Self::GetIrn { .. } => OperationKind::GetIrn,
            Self::GetIrnByDocument { .. } => OperationKind::GetIrnByDocument,
            Self::RejectedIrns { .. } => OperationKind::RejectedIrns,
            Self::GenerateEwbByIrn { .. } => OperationKind::GenerateEwbByIrn,
            Self::GetEwbByIrn { .. } => OperationKind::GetEwbByIrn,
            Self::GstinDetails { .. } => OperationKind::GstinDetails,
            Self::SyncGstin { .. } => OperationKind::SyncGstin,
            Self::GenerateEwb { .. } => OperationKind::GenerateEwb,
            Self::UpdatePartB { .. } => OperationKind::UpdatePartB,
            Self::UpdateTransporter { .. } => OperationKind::UpdateTransporter,
            Self::ExtendValidity { .. } => OperationKind::ExtendValidity,
            Self::ConsolidateEwb { .. } => OperationKind::ConsolidateEwb,
            Self::RegenerateTripSheet { .. } => OperationKind::RegenerateTripSheet,
            Self::CancelEwb { .. } => OperationKind::CancelEwb,
            Self::RejectEwb { .. } => OperationKind::RejectEwb,
            Self::StartMultiVehicle { .. } => OperationKind::StartMultiVehicle,
            Self::AddVehicle { .. } => OperationKind::AddVehicle,
            Self::ChangeVehicle { .. } => OperationKind::ChangeVehicle,
            Self::CloseEwb { .. } => OperationKind::CloseEwb,
            Self::GetEwb { .. } => OperationKind::GetEwb,
            Self::GetEwbByDocument { .. } => OperationKind::GetEwbByDocument,
            Self::ListEwbs { .. } => OperationKind::ListEwbs,
            Self::GetTripSheet { .. } => OperationKind::GetTripSheet,
            Self::EwbGstinDetails { .. } => OperationKind::EwbGstinDetails,
            Self::TransporterDetails { .. } => OperationKind::TransporterDetails,
            Self::HsnDetails { .. } => OperationKind::HsnDetails,
            Self::EwbErrorList => OperationKind::EwbErrorList,
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
    /// The answer to [`Operation::CancelIrn`].
    IrnCancelled(IrnCancelled),
    /// The answer to [`Operation::RejectedIrns`].
    RejectedIrns(Vec<Irn>),
    /// The answer to [`Operation::GstinDetails`], [`Operation::SyncGstin`] and
    /// [`Operation::EwbGstinDetails`].
    Taxpayer(Box<Taxpayer>),
    /// The answer to [`Operation::GenerateEwbByIrn`], [`Operation::GetEwbByIrn`],
    /// [`Operation::GenerateEwb`] and [`Operation::GetEwbByDocument`].
    EwayBill(Box<MadeEwb>),
    /// The answer to [`Operation::GetEwb`].
    EwbDetails(Box<EwbDetails>),
    /// The answer to every other operation that changes a bill.
    EwbChanged(Box<EwbChanged>),
    /// The answer to [`Operation::ListEwbs`]; empty when there are none (418).
    EwbList(Vec<EwbRow>),
    /// The answer to [`Operation::GetTripSheet`]: its members in the system's own form.
    TripSheet(Box<TripSheet>),
    /// The answer to [`Operation::TransporterDetails`].
    Transporter(Box<Transporter>),
    /// The answer to [`Operation::HsnDetails`]: code and description.
    Hsn {
        /// The code.
        code: String,
        /// What it stands for, verbatim.
        description: String,
    },
    /// The answer to [`Operation::EwbErrorList`].
    ErrorList(Vec<PortalError>),
}

impl Reply {
    /// What came back, in words, for an error about a reply of the wrong kind.
    #[must_use]
    pub const fn words(&self) -> &'static str {
        match self {
            Self::Registration(_) => "a registration",
            Self::IrnCancelled(_) => "the cancellation of an IRN",
            Self::RejectedIrns(_) => "a list of rejected IRNs",
            Self::Taxpayer(_) => "a taxpayer",
            Self::EwayBill(_) => "an e-way bill",
            Self::EwbDetails(_) => "the details of an e-way bill",
            Self::EwbChanged(_) => "a change of an e-way bill",
            Self::EwbList(_) => "a list of e-way bills",
            Self::TripSheet(_) => "a trip sheet",
            Self::Transporter(_) => "a transporter",
            Self::Hsn { .. } => "an HSN code",
            Self::ErrorList(_) => "a list of error codes",
        }
    }
}

/// A cancelled registration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IrnCancelled {
    /// The IRN.
    pub irn: Irn,
    /// When it was cancelled (IST); absent where the reply did not say it readably.
    pub cancelled_at: Option<PortalTime>,
}

/// A bill just made, or found for an IRN or a document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MadeEwb {
    /// Its number.
    pub number: EwbNumber,
    /// When it was made (IST).
    pub made_at: Option<PortalTime>,
    /// End of its validity (IST); absent while Part B is missing.
    pub valid_till: Option<PortalTime>,
    /// `ACT` or `CNL`, where the reply says it.
    pub status: Option<String>,
    /// Who made it, where the reply says it.
    pub generated_by: Option<Gstin>,
    /// What the portal said beside it (`alert`, `Remarks`), verbatim.
    pub alert: Option<String>,
    /// Everything else that was said beside the result.
    pub info: Vec<InfoDetail>,
}

impl MadeEwb {
    /// The distance the portal computed (`EWBPPD`, or the text of remarks and alert), in kilometres.
    #[must_use]
    pub fn computed_km(&self) -> Option<u16> {
        let texts = self.info.iter().map(|info| info.description.as_str());
        texts.chain(self.alert.as_deref()).find_map(kilometres)
    }
}

/// The whole number before `KM` in a text such as `Pin-Pin calc distance: 2467KM`.
#[must_use]
pub fn kilometres(text: &str) -> Option<u16> {
    let upper = text.to_ascii_uppercase();
    let before = upper.split_once("KM")?.0.trim_end();
    let digits = before.rfind(|letter: char| !letter.is_ascii_digit()).map_or(0, |at| at + 1);
    before.get(digits..)?.parse().ok()
}

/// A bill as the e-way bill system holds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EwbDetails {
    /// Number.
    pub number: EwbNumber,
    /// When it was made (IST).
    pub made_at: Option<PortalTime>,
    /// End of its validity (IST).
    pub valid_till: Option<PortalTime>,
    /// `ACT`, `CNL`, verbatim.
    pub status: String,
    /// Who made it.
    pub generated_by: Option<Gstin>,
    /// Whether the other party rejected it (`rejectStatus` `Y`).
    pub is_rejected: bool,
    /// How often it was extended.
    pub extended: u32,
    /// Distance in kilometres.
    pub distance_km: Option<u16>,
    /// Transporter.
    pub transporter: Option<String>,
    /// Every Part B it had, newest first.
    pub vehicles: Vec<EwbVehicle>,
    /// The whole reply as JSON, to compare with what was sent.
    pub content: String,
}

/// One entry of `VehiclListDetails`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[expect(clippy::exhaustive_structs, reason = "an entry is written by naming what it holds")]
pub struct EwbVehicle {
    /// Vehicle number.
    pub vehicle: Option<String>,
    /// Mode of transport, the portal's code.
    pub mode: Option<String>,
    /// Number of the transport document.
    pub document: Option<String>,
    /// From which place it went.
    pub from_place: Option<String>,
    /// When it was entered (IST).
    pub entered_at: Option<PortalTime>,
    /// Number of the multi-vehicle group; absent for `0`.
    pub group: Option<String>,
    /// Trip sheet; absent for `0`.
    pub trip_sheet: Option<String>,
}

/// What an action on a bill brought: each member only where the action's reply has it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[expect(clippy::exhaustive_structs, reason = "a reply is written by naming what it holds")]
pub struct EwbChanged {
    /// The bill.
    pub number: Option<EwbNumber>,
    /// When it was done (IST).
    pub at: Option<PortalTime>,
    /// End of the validity after it.
    pub valid_till: Option<PortalTime>,
    /// The transporter it was given to.
    pub transporter: Option<String>,
    /// The group it made or belongs to.
    pub group: Option<String>,
    /// The trip sheet it made.
    pub trip_sheet: Option<TripSheetNumber>,
    /// What the portal said beside it, verbatim.
    pub alert: Option<String>,
}

/// One row of a list of bills.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EwbRow {
    /// Number.
    pub number: EwbNumber,
    /// When it was made (IST).
    pub made_at: Option<PortalTime>,
    /// `ACT`, `CNL`, verbatim.
    pub status: Option<String>,
    /// Who made it.
    pub generated_by: Option<String>,
    /// Number of its document.
    pub doc_no: Option<String>,
    /// Date of its document, verbatim.
    pub doc_date: Option<String>,
    /// Where it goes.
    pub place: Option<String>,
    /// End of the validity (IST).
    pub valid_till: Option<PortalTime>,
    /// Whether the other party rejected it.
    pub is_rejected: bool,
}

/// A consolidated e-way bill.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TripSheet {
    /// Its number.
    pub number: TripSheetNumber,
    /// Vehicle.
    pub vehicle: Option<String>,
    /// The bills on it.
    pub bills: Vec<EwbNumber>,
    /// The whole reply as JSON.
    pub content: String,
}

/// A transporter as the e-way bill system knows it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[expect(clippy::exhaustive_structs, reason = "a reply is written by naming what it holds")]
pub struct Transporter {
    /// GSTIN or TRANSIN.
    pub id: String,
    /// Legal name.
    pub legal_name: Option<String>,
    /// Trade name.
    pub trade_name: Option<String>,
    /// Address, empty parts left out.
    pub address: Vec<String>,
    /// State code.
    pub state_code: Option<String>,
    /// PIN code.
    pub pin: Option<String>,
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
    /// The site that issued it, as far as known: everything later about this IRN goes there. No reply says
    /// it; whoever asked notes whom he asked.
    #[serde(default)]
    pub site: Option<String>,
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
