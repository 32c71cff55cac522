//! The kinds of operations, and what is true of each kind: its system, whether it changes books, its words.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[cfg(doc)]
use super::Operation;
use crate::environment::Product;

/// The kind of an [`Operation`], for capability lists, budgets and traces.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
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
