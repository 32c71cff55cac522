//! What can be asked for, and the calls it takes.

use serde::{Deserialize, Serialize};

use crate::ewb::request::{
    AddVehicle, ChangeVehicle, Closure, Consolidation, EwbByIrn, Extension, MultiVehicle, PartB, Regeneration,
};
use crate::ewb::{CancelReason, EwbNumber};
use crate::irn::Irn;
use crate::operation::OperationKind;

/// What somebody asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "task")]
#[non_exhaustive]
pub enum Task {
    /// Cancel a registration, with its active e-way bill first where it has one.
    CancelIrn {
        /// Which.
        irn: Irn,
        /// Why.
        reason: CancelReason,
        /// Remark, 1 to 100 characters; the first 50 go with the e-way bill.
        remark: String,
    },
    /// Make the e-way bill of a registered document.
    GenerateEwbByIrn {
        /// What is moved, and how.
        request: Box<EwbByIrn>,
    },
    /// Make an e-way bill without an IRN.
    GenerateEwb {
        /// The request as canonical JSON in the system's own members.
        payload: String,
        /// `INV`, `BIL`, `BOE`, `CHL` or `OTH`.
        doc_type: String,
        /// Number of the document.
        doc_no: String,
    },
    /// Cancel an e-way bill.
    CancelEwb {
        /// The bill.
        number: EwbNumber,
        /// Why.
        reason: CancelReason,
        /// Remark, at most 50 characters.
        remark: String,
    },
    /// Reject a bill as the other party.
    RejectEwb {
        /// The bill.
        number: EwbNumber,
    },
    /// Change Part B.
    UpdatePartB {
        /// The new Part B.
        request: Box<PartB>,
    },
    /// Give a bill to another transporter.
    UpdateTransporter {
        /// The bill.
        number: EwbNumber,
        /// GSTIN or TRANSIN of the transporter.
        transporter: String,
    },
    /// Extend the validity, in the sixteen hours around its end.
    ExtendValidity {
        /// How, and why.
        request: Box<Extension>,
    },
    /// Put several bills on one vehicle.
    Consolidate {
        /// Which bills, and how they travel.
        request: Box<Consolidation>,
    },
    /// Make a trip sheet anew.
    RegenerateTripSheet {
        /// Which, and how it travels on.
        request: Box<Regeneration>,
    },
    /// Start moving the goods of one bill by several vehicles.
    StartMultiVehicle {
        /// Which bill, from where to where.
        request: Box<MultiVehicle>,
    },
    /// Add a vehicle to a group.
    AddVehicle {
        /// Which group, which vehicle.
        request: Box<AddVehicle>,
    },
    /// Change a vehicle of a group.
    ChangeVehicle {
        /// From which vehicle to which.
        request: Box<ChangeVehicle>,
    },
    /// Declare a bill closed.
    CloseEwb {
        /// Which, since when.
        request: Box<Closure>,
    },
}

impl Task {
    /// The calls it takes, in their order; `ewb_is_active` says whether the document has an active bill.
    #[must_use]
    pub fn steps(&self, ewb_is_active: bool) -> Vec<OperationKind> {
        match self {
            // The portal refuses to cancel an IRN with an active e-way bill (2230).
            Self::CancelIrn { .. } if ewb_is_active => vec![OperationKind::CancelEwb, OperationKind::CancelIrn],
            Self::CancelIrn { .. } => vec![OperationKind::CancelIrn],
            Self::GenerateEwbByIrn { .. } => vec![OperationKind::GenerateEwbByIrn],
            Self::GenerateEwb { .. } => vec![OperationKind::GenerateEwb],
            Self::CancelEwb { .. } => vec![OperationKind::CancelEwb],
            Self::RejectEwb { .. } => vec![OperationKind::RejectEwb],
            Self::UpdatePartB { .. } => vec![OperationKind::UpdatePartB],
            Self::UpdateTransporter { .. } => vec![OperationKind::UpdateTransporter],
            Self::ExtendValidity { .. } => vec![OperationKind::ExtendValidity],
            Self::Consolidate { .. } => vec![OperationKind::ConsolidateEwb],
            Self::RegenerateTripSheet { .. } => vec![OperationKind::RegenerateTripSheet],
            Self::StartMultiVehicle { .. } => vec![OperationKind::StartMultiVehicle],
            Self::AddVehicle { .. } => vec![OperationKind::AddVehicle],
            Self::ChangeVehicle { .. } => vec![OperationKind::ChangeVehicle],
            Self::CloseEwb { .. } => vec![OperationKind::CloseEwb],
        }
    }

    /// What is to be done, in words.
    #[must_use]
    pub const fn words(&self) -> &'static str {
        match self {
            Self::CancelIrn { .. } => "cancel the IRN",
            Self::GenerateEwbByIrn { .. } => "make an e-way bill of the IRN",
            Self::GenerateEwb { .. } => "make an e-way bill without IRN",
            Self::CancelEwb { .. } => "cancel the e-way bill",
            Self::RejectEwb { .. } => "reject the e-way bill",
            Self::UpdatePartB { .. } => "change Part B",
            Self::UpdateTransporter { .. } => "change the transporter",
            Self::ExtendValidity { .. } => "extend the validity",
            Self::Consolidate { .. } => "consolidate e-way bills",
            Self::RegenerateTripSheet { .. } => "make the trip sheet anew",
            Self::StartMultiVehicle { .. } => "start moving by several vehicles",
            Self::AddVehicle { .. } => "add a vehicle",
            Self::ChangeVehicle { .. } => "change a vehicle",
            Self::CloseEwb { .. } => "close the e-way bill",
        }
    }

    /// The bill it is about, where it is about one that exists.
    #[must_use]
    pub fn bill(&self) -> Option<EwbNumber> {
        match self {
            Self::CancelEwb { number, .. } | Self::RejectEwb { number } | Self::UpdateTransporter { number, .. } => {
                Some(*number)
            }
            Self::UpdatePartB { request } => Some(request.number),
            Self::ExtendValidity { request } => Some(request.number),
            Self::StartMultiVehicle { request } => Some(request.number),
            Self::AddVehicle { request } => Some(request.number),
            Self::ChangeVehicle { request } => Some(request.number),
            Self::CloseEwb { request } => Some(request.number),
            Self::CancelIrn { .. }
            | Self::GenerateEwbByIrn { .. }
            | Self::GenerateEwb { .. }
            | Self::Consolidate { .. }
            | Self::RegenerateTripSheet { .. } => None,
        }
    }
}
