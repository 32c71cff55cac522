//! The portal's operations and their replies, typed; one variant each.
//!
//! Layers (retry, budget, breaker, trace, timeout) wrap [`Operation`] without knowing which one it
//! is; a transport refuses what its capability does not list, before any network call.

mod kind;
mod reply;

use bytes::Bytes;

use crate::date::DocumentDate;
use crate::ewb::request::{
    AddVehicle, ChangeVehicle, Closure, Consolidation, EwbByIrn, EwbList, Extension, MultiVehicle, PartB, Regeneration,
};
use crate::ewb::{CancelReason, EwbNumber, TripSheetNumber};
use crate::identifier::{DocumentNumber, Gstin};
use crate::irn::Irn;
use crate::key::DocumentType;

pub use kind::OperationKind;
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
