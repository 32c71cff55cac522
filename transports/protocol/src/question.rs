//! An operation in the portals' own words, before anybody addresses or seals it, and its opened answer: for providers
//! that take the content in the clear and do the sealing themselves.

use std::borrow::Cow;

use einvoice_core::environment::Product;
use einvoice_core::operation::{Operation, OperationKind, Reply};
use einvoice_core::portal_code::PortalError;

pub use crate::ewb::replies::Beside;
pub use crate::reply::ReplyError;

use crate::ewb::settings::ClosureNames;
use crate::{ewb, reply, requests};

/// The code for "no bills": an empty list, and no refusal.
const NO_BILLS: &str = "418";

/// What an operation asks.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Question<'a> {
    /// The e-way bill system's name for it (`GENEWAYBILL`, `GetEwayBill`); the IRP has none.
    pub action: Option<Cow<'a, str>>,
    /// The JSON of a write; reads have none.
    pub json: Option<Cow<'a, [u8]>>,
    /// Parameters of a read of the e-way bill system, by the portal's names and in its order.
    pub parameters: Vec<(&'static str, String)>,
}

/// An operation in the portals' own words.
#[must_use]
pub fn question<'a>(operation: &'a Operation, closure_names: &'a ClosureNames) -> Question<'a> {
    if let Some((action, json)) = ewb::requests::write(closure_names, operation) {
        return Question { action: Some(action.into()), json: Some(json), parameters: Vec::new() };
    }
    if let Some((_, name, parameters)) = ewb::requests::read(operation) {
        return Question { action: Some(name.into()), json: None, parameters };
    }
    Question { action: None, json: requests::json(operation), parameters: Vec::new() }
}

/// A call as it is in the portals' own words: its document, or the bill that it asks for. Nothing where the e-way bill
/// system is not asked for this as it is.
#[must_use]
pub fn raw_question(kind: OperationKind, document: Option<&[u8]>, bill: Option<String>) -> Option<Question<'_>> {
    let action = match kind.product() {
        Product::EInvoice => None,
        _ => Some(Cow::Borrowed(ewb::requests::raw_action(kind)?)),
    };
    let parameters = bill.map(|number| ("ewbNo", number)).into_iter().collect();
    Some(Question { action, json: document.map(Cow::Borrowed), parameters })
}

/// The opened answer to an operation, as core's type.
///
/// # Errors
/// When it lacks what the operation should bring, or is about something else than was asked.
pub fn answer(operation: &Operation, json: &str, beside: Beside) -> Result<Reply, ReplyError> {
    match operation.kind().product() {
        Product::EInvoice => reply::typed(operation, json, beside.info),
        _ => ewb::replies::typed(operation, json, beside),
    }
}

/// Whether a refusal only says that a list of bills is empty: the e-way bill system refuses with a code then.
#[must_use]
pub fn is_empty_list(operation: &Operation, errors: &[PortalError]) -> bool {
    operation.kind() == OperationKind::ListEwbs && !errors.is_empty() && errors.iter().all(is_no_bills)
}

fn is_no_bills(error: &PortalError) -> bool {
    error.of_provider.is_none() && error.code == NO_BILLS
}

#[cfg(test)]
mod tests {
    use super::*;
    use einvoice_core::ewb::{CancelReason, EwbNumber};
    use einvoice_core::irn::Irn;

    #[test]
    fn a_write_has_its_json_and_a_read_its_parameters_in_both_systems() {
        let names = ClosureNames::default();
        let irn = Irn::parse(&"ab".repeat(32)).unwrap();
        let cancel = Operation::CancelIrn { irn, reason: CancelReason::Duplicate, remark: "twice".into(), site: None };
        let asked = question(&cancel, &names);
        assert_eq!((asked.action.as_deref(), asked.parameters.len()), (None, 0));
        assert!(String::from_utf8_lossy(&asked.json.unwrap()).starts_with("{\"Irn\":\"abab"));
        let number = EwbNumber::parse("391009149369").unwrap();
        let get = Operation::GetEwb { number };
        let asked = question(&get, &names);
        assert_eq!(asked.action.as_deref(), Some("GetEwayBill"));
        assert_eq!((asked.json, asked.parameters), (None, vec![("ewbNo", "391009149369".to_owned())]));
        let reject = Operation::RejectEwb { number };
        let asked = question(&reject, &names);
        assert_eq!(asked.action.as_deref(), Some("REJEWB"));
        assert_eq!(asked.json.as_deref(), Some(&b"{\"ewbNo\":391009149369}"[..]));
        assert_eq!(question(&Operation::GetIrn { irn, site: None }, &names).json, None);
    }
}
