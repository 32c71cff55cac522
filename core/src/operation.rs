//! The portal's operations and their replies, typed; one variant each.
//!
//! Layers (retry, budget, breaker, trace, timeout) wrap [`Operation`] without knowing which one it
//! is; a transport refuses what its capability does not list, before any network call.

mod reply;

use std::fmt;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::date::DocumentDate;
use crate::environment::Product;
use crate::ewb::request::{
    AddVehicle, ChangeVehicle, Closure, Consolidation, EwbByIrn, EwbList, Extension, MultiVehicle, PartB, Regeneration,
};
use crate::ewb::{CancelReason, EwbNumber, TripSheetNumber};
use crate::identifier::{DocumentNumber, Gstin};
use crate::irn::Irn;
use crate::key::DocumentType;

pub use reply::*;

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
