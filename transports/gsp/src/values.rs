//! The values of variables: what a login and an operation bring to a template.

use std::borrow::Cow;
use std::collections::BTreeMap;

use einvoice_core::credential::Access;
use einvoice_core::ewb::request::EwbList;
use einvoice_core::operation::{Operation, OperationKind};

use crate::profile::{Known, Variable};

/// Whether an operation has a value for a variable, at least in some of its forms.
pub(crate) const fn has(kind: OperationKind, known: Known) -> bool {
    match known {
        Known::Irn => matches!(
            kind,
            OperationKind::CancelIrn
                | OperationKind::GetIrn
                | OperationKind::GenerateEwbByIrn
                | OperationKind::GetEwbByIrn
        ),
        Known::DocumentDate => matches!(kind, OperationKind::GetIrnByDocument),
        Known::DocumentType | Known::DocumentNumber => {
            matches!(kind, OperationKind::GetIrnByDocument | OperationKind::GetEwbByDocument)
        }
        Known::Date => matches!(kind, OperationKind::RejectedIrns | OperationKind::ListEwbs),
        Known::AskedGstin => {
            matches!(kind, OperationKind::GstinDetails | OperationKind::SyncGstin | OperationKind::EwbGstinDetails)
        }
        Known::EwbNumber => matches!(
            kind,
            OperationKind::UpdatePartB
                | OperationKind::UpdateTransporter
                | OperationKind::ExtendValidity
                | OperationKind::CancelEwb
                | OperationKind::RejectEwb
                | OperationKind::StartMultiVehicle
                | OperationKind::AddVehicle
                | OperationKind::ChangeVehicle
                | OperationKind::CloseEwb
                | OperationKind::GetEwb
        ),
        Known::TripSheet => matches!(kind, OperationKind::GetTripSheet | OperationKind::RegenerateTripSheet),
        Known::Transporter => {
            matches!(kind, OperationKind::TransporterDetails | OperationKind::UpdateTransporter)
        }
        Known::Hsn => matches!(kind, OperationKind::HsnDetails),
        Known::State | Known::Generator => matches!(kind, OperationKind::ListEwbs),
        _ => false,
    }
}

/// The value that an operation has for a variable.
fn of_operation(operation: &Operation, known: Known) -> Option<String> {
    Some(match (known, operation) {
        (
            Known::Irn,
            Operation::CancelIrn { irn, .. } | Operation::GetIrn { irn, .. } | Operation::GetEwbByIrn { irn, .. },
        ) => irn.to_string(),
        (Known::Irn, Operation::GenerateEwbByIrn { request, .. }) => request.irn.to_string(),
        (Known::DocumentType, Operation::GetIrnByDocument { doc_type, .. }) => doc_type.to_string(),
        (Known::DocumentType, Operation::GetEwbByDocument { doc_type, .. }) => doc_type.clone(),
        (Known::DocumentNumber, Operation::GetIrnByDocument { number, .. }) => number.as_str().to_owned(),
        (Known::DocumentNumber, Operation::GetEwbByDocument { number, .. }) => number.clone(),
        (Known::DocumentDate, Operation::GetIrnByDocument { date, .. })
        | (Known::Date, Operation::RejectedIrns { date, .. } | Operation::ListEwbs { date, .. }) => date.to_string(),
        (
            Known::AskedGstin,
            Operation::GstinDetails { gstin } | Operation::SyncGstin { gstin } | Operation::EwbGstinDetails { gstin },
        ) => gstin.to_string(),
        (Known::EwbNumber, operation) => ewb_number(operation)?,
        (Known::TripSheet, Operation::GetTripSheet { number }) => number.to_string(),
        (Known::TripSheet, Operation::RegenerateTripSheet { request }) => request.trip_sheet.to_string(),
        (Known::Transporter, Operation::TransporterDetails { id }) => id.clone(),
        (Known::Transporter, Operation::UpdateTransporter { transporter, .. }) => transporter.clone(),
        (Known::Hsn, Operation::HsnDetails { code }) => code.clone(),
        (
            Known::State,
            Operation::ListEwbs {
                list: EwbList::ForTransporterInState { state } | EwbList::AssignedInState { state },
                ..
            },
        ) => state.to_string(),
        (Known::Generator, Operation::ListEwbs { list: EwbList::ForTransporterOf { generator }, .. }) => {
            generator.to_string()
        }
        _ => return None,
    })
}

fn ewb_number(operation: &Operation) -> Option<String> {
    let number = match operation {
        Operation::UpdatePartB { request } => request.number,
        Operation::ExtendValidity { request } => request.number,
        Operation::StartMultiVehicle { request } => request.number,
        Operation::AddVehicle { request } => request.number,
        Operation::ChangeVehicle { request } => request.number,
        Operation::CloseEwb { request } => request.number,
        Operation::UpdateTransporter { number, .. }
        | Operation::CancelEwb { number, .. }
        | Operation::RejectEwb { number }
        | Operation::GetEwb { number } => *number,
        _ => return None,
    };
    Some(number.to_string())
}

/// The site that an operation asks for, where it is another than the route's own.
pub(crate) fn site_of(operation: &Operation) -> Option<&str> {
    match operation {
        Operation::CancelIrn { site, .. }
        | Operation::GetIrn { site, .. }
        | Operation::GetIrnByDocument { site, .. }
        | Operation::RejectedIrns { site, .. }
        | Operation::GenerateEwbByIrn { site, .. }
        | Operation::GetEwbByIrn { site, .. } => site.as_deref(),
        _ => None,
    }
}

/// What a call is about.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Asked<'v> {
    Operation(&'v Operation),
    /// A call as it is, by the values that it has for templates.
    Raw(&'v BTreeMap<Known, String>),
}

/// The tokens that a call has at hand.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Tokens<'v> {
    pub(crate) provider: Option<&'v str>,
    pub(crate) taxpayer: Option<&'v str>,
    pub(crate) sek: Option<&'v str>,
    /// The token that a login replaces: nothing goes out with it, and no message may show it.
    pub(crate) previous: Option<&'v str>,
}

/// All values of one request.
#[derive(Clone, Copy)]
pub(crate) struct Values<'v> {
    pub(crate) settings: &'v BTreeMap<String, String>,
    /// Client pair and API user; the login to the provider uses the client pair alone.
    pub(crate) access: &'v Access,
    pub(crate) tokens: Tokens<'v>,
    pub(crate) request_id: &'v str,
    pub(crate) site: &'v str,
    pub(crate) force: bool,
    pub(crate) asked: Option<Asked<'v>>,
    pub(crate) action: Option<&'v str>,
}

impl<'v> Values<'v> {
    /// The value of a variable; nothing where it has none here.
    pub(crate) fn get(&self, variable: &Variable) -> Option<Cow<'v, str>> {
        let known = match variable {
            Variable::Setting(name) => return self.settings.get(name).map(|value| value.as_str().into()),
            Variable::Known(known) => *known,
        };
        let text = match known {
            Known::ClientId => self.access.client().client_id.expose().as_str(),
            Known::ClientSecret => self.access.client().client_secret.expose().as_str(),
            Known::UserName => self.access.user().user_name.expose().as_str(),
            Known::Password => self.access.user().password.expose().as_str(),
            Known::ProviderToken => self.tokens.provider?,
            Known::TaxpayerToken => self.tokens.taxpayer?,
            Known::Sek => self.tokens.sek?,
            Known::RequestId => self.request_id,
            Known::Site => self.site,
            Known::Force if self.force => "true",
            Known::Force => "false",
            Known::Action => self.action?,
            Known::Gstin => return Some(self.access.gstin().to_string().into()),
            _ => {
                return match self.asked? {
                    Asked::Operation(operation) => of_operation(operation, known).map(Cow::Owned),
                    Asked::Raw(values) => values.get(&known).map(|value| value.as_str().into()),
                };
            }
        };
        Some(Cow::Borrowed(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use einvoice_core::ewb::{CancelReason, EwbNumber};
    use einvoice_core::irn::Irn;

    #[test]
    fn every_value_of_an_operation_is_among_those_its_kind_has() {
        let irn = Irn::parse(&"ab".repeat(32)).unwrap();
        let number = EwbNumber::parse("391009149369").unwrap();
        let operations = [
            Operation::CancelIrn { irn, reason: CancelReason::Duplicate, remark: "x".into(), site: None },
            Operation::GetIrn { irn, site: None },
            Operation::CancelEwb { number, reason: CancelReason::Duplicate, remark: "x".into() },
            Operation::UpdateTransporter { number, transporter: "29AAAAA0000A1Z5".into() },
            Operation::GetEwbByDocument { doc_type: "INV".into(), number: "A/1".into() },
            Operation::HsnDetails { code: "8481".into() },
            Operation::EwbErrorList,
        ];
        for operation in &operations {
            for (known, name, _) in Known::ALL {
                let value = of_operation(operation, *known);
                assert_eq!(value.is_some(), has(operation.kind(), *known), "{name} of {}", operation.kind());
            }
        }
        assert_eq!(of_operation(&operations[3], Known::EwbNumber).as_deref(), Some("391009149369"));
    }
}
