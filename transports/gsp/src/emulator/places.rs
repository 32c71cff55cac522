//! Where a provider's operations are, and where the portal has the same.

use einvoice_core::environment::Product;
use einvoice_core::operation::OperationKind;
use einvoice_protocol::endpoints::{Endpoints, percent_encode};
use einvoice_protocol::ewb::settings::EwbEndpoints;
use einvoice_protocol::members::Members;

use super::taken::{Came, Values, decoded, known};
use crate::profile::{Known, OperationProfile, ProductProfile};

/// Whether method, path and fixed parameters are those of an operation.
pub(super) fn fits(how: &OperationProfile, came: &Came<'_>) -> bool {
    how.http.method().as_str() == came.method
        && how.http.path().take(came.path, decoded).is_some()
        && how.query.iter().all(|(name, template)| {
            !template.is_fixed() || came.parameter(name).is_some_and(|value| value == template.to_string())
        })
        && how.add.iter().chain(&how.members).all(|(name, template)| {
            // What is added for an operation tells it from others at the same place.
            let found = || outermost_text(came, name);
            !template.is_fixed() || found().is_none_or(|value| value == template.to_string())
        })
}

pub(super) fn outermost_text(came: &Came<'_>, name: &str) -> Option<String> {
    Members::read(came.text(), &[]).ok()?.text(name)
}

/// Whether the action that a request names is that of an operation.
pub(super) fn action_fits(kind: OperationKind, how: &OperationProfile, came: &Came<'_>) -> bool {
    let in_path = how.http.path().take(came.path, decoded);
    let action = in_path.as_ref().and_then(|values| known(values, Known::Action).map(str::to_owned)).or_else(|| {
        how.query.iter().find(|(_, template)| template.uses(Known::Action)).and_then(|(name, template)| {
            let values = template.take(came.parameter(name)?, |value| Some(value.to_owned()))?;
            known(&values, Known::Action).map(str::to_owned)
        })
    });
    match action {
        None => true,
        Some(action) if kind == OperationKind::ListEwbs => list_action(&action).is_some(),
        Some(action) => action_of(kind).is_some_and(|own| own.eq_ignore_ascii_case(&action)),
    }
}

/// The lists of the e-way bill system by its names.
pub(super) fn list_action(action: &str) -> Option<&'static str> {
    const LISTS: [&str; 7] = [
        "GetEwayBillsByDate",
        "GetEwayBillsForTransporter",
        "GetEwayBillsForTransporterByGstin",
        "GetEwayBillsForTransporterByState",
        "GetEwayBillReportByTransporterassignedDate",
        "GetEwayBillsofOtherParty",
        "GetEwayBillsRejectedByOthers",
    ];
    LISTS.into_iter().find(|known| known.eq_ignore_ascii_case(action))
}

/// The e-way bill system's name for an operation; nothing for the lists, which have several, and for the other system.
pub(super) const fn action_of(kind: OperationKind) -> Option<&'static str> {
    Some(match kind {
        OperationKind::GenerateEwb => "GENEWAYBILL",
        OperationKind::UpdatePartB => "VEHEWB",
        OperationKind::UpdateTransporter => "UPDATETRANSPORTER",
        OperationKind::ExtendValidity => "EXTENDVALIDITY",
        OperationKind::ConsolidateEwb => "GENCEWB",
        OperationKind::RegenerateTripSheet => "REGENTRIPSHEET",
        OperationKind::CancelEwb => "CANEWB",
        OperationKind::RejectEwb => "REJEWB",
        OperationKind::StartMultiVehicle => "MULTIVEHMOVINT",
        OperationKind::AddVehicle => "MULTIVEHADD",
        OperationKind::ChangeVehicle => "MULTIVEHUPD",
        OperationKind::CloseEwb => "CLSEWB",
        OperationKind::GetEwb => "GetEwayBill",
        OperationKind::GetEwbByDocument => "GetEwayBillGeneratedByConsigner",
        OperationKind::GetTripSheet => "GetTripSheet",
        OperationKind::EwbGstinDetails => "GetGSTINDetails",
        OperationKind::TransporterDetails => "GetTransporterDetails",
        OperationKind::HsnDetails => "GetHsnDetailsByHsnCode",
        OperationKind::EwbErrorList => "GetErrorList",
        _ => return None,
    })
}

/// The portal's own path and query of an operation.
pub(super) fn target_of(
    kind: OperationKind,
    how: &OperationProfile,
    came: &Came<'_>,
    values: &Values,
) -> Option<String> {
    let value = |variable| known(values, variable);
    let irp = Endpoints::default();
    let below = |path: &str, variable| Some(format!("{path}/{}", value(variable)?));
    Some(match kind {
        OperationKind::GenerateIrn => irp.generate_irn,
        OperationKind::CancelIrn => irp.cancel_irn,
        OperationKind::GenerateEwbByIrn => irp.generate_ewb_by_irn,
        OperationKind::GetIrn => below(&irp.get_irn, Known::Irn)?,
        OperationKind::GetEwbByIrn => below(&irp.get_ewb_by_irn, Known::Irn)?,
        OperationKind::GstinDetails => below(&irp.gstin_details, Known::AskedGstin)?,
        OperationKind::SyncGstin => below(&irp.sync_gstin, Known::AskedGstin)?,
        OperationKind::RejectedIrns => {
            format!("{}?date={}", irp.rejected_irns, percent_encode(value(Known::Date)?))
        }
        OperationKind::GetIrnByDocument => format!(
            "{}?doctype={}&docnum={}&docdate={}",
            irp.get_irn_by_document,
            percent_encode(value(Known::DocumentType)?),
            percent_encode(value(Known::DocumentNumber)?),
            percent_encode(value(Known::DocumentDate)?),
        ),
        _ if kind.changes_books() => "/v1.03/ewayapi".to_owned(),
        _ => {
            let name = match action_of(kind) {
                Some(name) => name,
                None => list_action(value(Known::Action)?)?,
            };
            let from = match kind {
                OperationKind::EwbGstinDetails
                | OperationKind::TransporterDetails
                | OperationKind::HsnDetails
                | OperationKind::EwbErrorList => "Master",
                _ => "ewayapi",
            };
            let parameters = portals_parameters(kind, how, came, values)?;
            let query: Vec<String> =
                parameters.iter().map(|(name, value)| format!("{name}={}", percent_encode(value))).collect();
            let mark = if query.is_empty() { "" } else { "?" };
            format!("/v1.03/{from}/{name}{mark}{}", query.join("&"))
        }
    })
}

/// Parameters of a read of the e-way bill system, as the portal names them.
pub(super) fn portals_parameters(
    kind: OperationKind,
    how: &OperationProfile,
    came: &Came<'_>,
    values: &Values,
) -> Option<Vec<(String, String)>> {
    let value = |variable| known(values, variable).map(str::to_owned);
    if how.portal_parameters {
        let is_own = |name: &str| how.query.contains_key(name);
        return Some(came.query.iter().filter(|(name, _)| !is_own(name)).cloned().collect());
    }
    let named: Vec<(&str, Option<String>)> = match kind {
        OperationKind::GetEwb => vec![("ewbNo", value(Known::EwbNumber))],
        OperationKind::GetEwbByDocument => {
            vec![("docType", value(Known::DocumentType)), ("docNo", value(Known::DocumentNumber))]
        }
        OperationKind::GetTripSheet => vec![("tripSheetNo", value(Known::TripSheet))],
        OperationKind::EwbGstinDetails => vec![("GSTIN", value(Known::AskedGstin))],
        OperationKind::TransporterDetails => vec![("trn_no", value(Known::Transporter))],
        OperationKind::HsnDetails => vec![("hsncode", value(Known::Hsn))],
        OperationKind::ListEwbs => vec![("date", value(Known::Date))],
        _ => Vec::new(),
    };
    named.into_iter().map(|(name, value)| Some((name.to_owned(), value?))).collect()
}

/// Whether a request is the portal's own login.
pub(super) fn is_login(product: Product, part: &ProductProfile, came: &Came<'_>) -> bool {
    let path = match product {
        Product::EInvoice => part.endpoints.clone().unwrap_or_default().login,
        _ => part.ewb_endpoints.clone().unwrap_or_default().auth,
    };
    came.method == "POST" && came.path == path
}

/// The portal's own address for one of a provider that passes its protocol on.
pub(super) fn portals_target(product: Product, part: &ProductProfile, came: &Came<'_>) -> Option<String> {
    let query = came.query.iter().map(|(name, value)| format!("{name}={}", percent_encode(value))).collect::<Vec<_>>();
    let query = if query.is_empty() { String::new() } else { format!("?{}", query.join("&")) };
    if product == Product::EInvoice {
        let (theirs, own) = (part.endpoints.clone().unwrap_or_default(), Endpoints::default());
        // The longest path first, as one begins with another.
        let mut pairs: Vec<(String, String)> = theirs
            .paths()
            .iter()
            .zip(own.paths())
            .map(|((_, theirs), (_, own))| ((*theirs).clone(), own.clone()))
            .collect();
        pairs.sort_by_key(|(theirs, _)| std::cmp::Reverse(theirs.len()));
        return pairs.iter().find_map(|(theirs, own)| {
            let rest = came.path.strip_prefix(theirs.as_str())?;
            (rest.is_empty() || rest.starts_with('/')).then(|| format!("{own}{rest}{query}"))
        });
    }
    let (theirs, own) = (part.ewb_endpoints.clone().unwrap_or_default(), EwbEndpoints::default());
    theirs.paths().iter().zip(own.paths()).find_map(|((_, theirs), (_, own))| {
        let rest = came.path.strip_prefix(theirs.as_str())?;
        (rest.is_empty() || rest.starts_with('/')).then(|| format!("/ewb{own}{rest}{query}"))
    })
}
