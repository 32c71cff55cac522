//! What is known of each API that is tested.

use einvoice_core::environment::Product;
use einvoice_core::operation::OperationKind;

use crate::arguments::Api;

impl Api {
    /// Every API, in the order in which they are tested: what makes IRNs comes before what needs them.
    pub(super) const ALL: [Self; 14] = [
        Self::Auth,
        Self::Gstin,
        Self::SyncGstin,
        Self::Generate,
        Self::GetIrn,
        Self::GetByDocument,
        Self::GenerateEwb,
        Self::GetEwb,
        Self::Cancel,
        Self::Rejected,
        Self::EwbGenerate,
        Self::EwbPartB,
        Self::EwbRead,
        Self::EwbCancel,
    ];

    /// The APIs of one system.
    pub(super) fn of(product: Product) -> Vec<Self> {
        Self::ALL.into_iter().filter(|api| api.product() == product).collect()
    }

    /// Whose API it is.
    pub(super) fn product(self) -> Product {
        self.kind().map_or(Product::EInvoice, OperationKind::product)
    }

    /// Its name for people, and of its sheet: at most 31 characters, which is what a workbook takes.
    pub(super) const fn title(self) -> &'static str {
        match self {
            Self::Auth => "Authentication",
            Self::Gstin => "GSTIN details",
            Self::SyncGstin => "Sync GSTIN from common portal",
            Self::Generate => "Generate IRN",
            Self::GetIrn => "Get IRN by IRN",
            Self::GetByDocument => "Get IRN by document",
            Self::GenerateEwb => "Generate e-way bill by IRN",
            Self::GetEwb => "Get e-way bill by IRN",
            Self::Cancel => "Cancel IRN",
            Self::Rejected => "Rejected IRNs",
            Self::EwbGenerate => "E-way bill GENEWAYBILL",
            Self::EwbPartB => "E-way bill VEHEWB",
            Self::EwbRead => "E-way bill GetEwayBill",
            Self::EwbCancel => "E-way bill CANEWB",
        }
    }

    /// What the ids of its cases begin with.
    pub(super) const fn prefix(self) -> &'static str {
        match self {
            Self::Auth => "AUTH",
            Self::Gstin => "GSTIN",
            Self::SyncGstin => "SYNC",
            Self::Generate => "IRN",
            Self::GetIrn => "READ",
            Self::GetByDocument => "DOC",
            Self::GenerateEwb => "EWB",
            Self::GetEwb => "EWBREAD",
            Self::Cancel => "CANCEL",
            Self::Rejected => "REJECTED",
            Self::EwbGenerate => "BILL",
            Self::EwbPartB => "VEHICLE",
            Self::EwbRead => "BILLREAD",
            Self::EwbCancel => "BILLCANCEL",
        }
    }

    /// The operation behind it; nothing for the login.
    pub(super) const fn kind(self) -> Option<OperationKind> {
        match self {
            Self::Auth => None,
            Self::Gstin => Some(OperationKind::GstinDetails),
            Self::SyncGstin => Some(OperationKind::SyncGstin),
            Self::Generate => Some(OperationKind::GenerateIrn),
            Self::GetIrn => Some(OperationKind::GetIrn),
            Self::GetByDocument => Some(OperationKind::GetIrnByDocument),
            Self::GenerateEwb => Some(OperationKind::GenerateEwbByIrn),
            Self::GetEwb => Some(OperationKind::GetEwbByIrn),
            Self::Cancel => Some(OperationKind::CancelIrn),
            Self::Rejected => Some(OperationKind::RejectedIrns),
            Self::EwbGenerate => Some(OperationKind::GenerateEwb),
            Self::EwbPartB => Some(OperationKind::UpdatePartB),
            Self::EwbRead => Some(OperationKind::GetEwb),
            Self::EwbCancel => Some(OperationKind::CancelEwb),
        }
    }

    /// Its name on the command line.
    pub(super) fn word(self) -> String {
        use clap::ValueEnum;
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }
}
