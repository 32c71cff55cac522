//! Proof that credentials are right, before anything depends on them.
//!
//! A login proves what it reaches: at the portal client pair and API user, at some providers the client pair alone, at
//! others nothing, since every call carries all. Where it proves too little, a read follows of something that cannot
//! exist: whoever answers that it is not there has accepted the caller.

use jiff::Timestamp;

use crate::credential::CredentialScope;
use crate::date::{DocumentDate, ist_date};
use crate::environment::Product;
use crate::ewb::EwbNumber;
use crate::identifier::DocumentNumber;
use crate::irn::Irn;
use crate::key::DocumentType;
use crate::operation::{Operation, Reply};
use crate::portal_code::ErrorClass;
use crate::transport::{LoginReach, TransportCapability, TransportError};

/// Number of a document that nobody makes.
const NO_DOCUMENT: &str = "NO-SUCH-DOCUMENT";
/// Number of an e-way bill that the portal has not given out: the numbers count up from a first digit by state.
const NO_BILL: &str = "999999999999";

/// Whether a login that goes this far proves an entry.
#[must_use]
pub const fn is_by_login(reach: LoginReach, scope: &CredentialScope) -> bool {
    match scope {
        CredentialScope::Client(_) => !matches!(reach, LoginReach::Nobody),
        CredentialScope::User(_) => matches!(reach, LoginReach::Taxpayer),
    }
}

/// The read that proves what a login does not; nothing where the route carries none. It asks for no GSTIN's details: those
/// are in many a provider's own books, which answer for any user.
#[must_use]
pub fn read(capability: &TransportCapability, product: Product, now: Timestamp) -> Option<Operation> {
    let number = DocumentNumber::parse(NO_DOCUMENT).ok()?;
    let reads = match product {
        Product::EInvoice => {
            let day = ist_date(now);
            let date = DocumentDate::from_ymd(day.year(), day.month(), day.day())?;
            let doc_type = DocumentType::Invoice;
            vec![
                Operation::GetIrnByDocument { doc_type, number, date, site: None },
                Operation::GetIrn { irn: Irn::from_bytes([0; 32]), site: None },
            ]
        }
        _ => vec![
            Operation::GetEwb { number: EwbNumber::parse(NO_BILL).ok()? },
            Operation::GetEwbByDocument { doc_type: "INV".into(), number: NO_DOCUMENT.into() },
        ],
    };
    reads.into_iter().find(|read| capability.operations.contains(&read.kind()))
}

/// What the answer to [`read`] says: an answer, and a refusal that only somebody gets who was let in, prove the
/// credentials.
///
/// # Errors
/// Everything else, as it came: a refusal of the credentials, or no word about them.
pub fn of_read(answer: Result<Reply, TransportError>) -> Result<(), TransportError> {
    match answer {
        Ok(_) => Ok(()),
        // An HTTP status alone may come from somebody who let nobody in.
        Err(error) if error.portal_errors().iter().any(|error| error.by_status) => Err(error),
        Err(error) if matches!(error.class(), Some(ErrorClass::NotFound | ErrorClass::Validation)) => Ok(()),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environment::Environment;
    use crate::operation::OperationKind;
    use crate::portal_code::PortalError;
    use crate::transport::TransportMode;

    fn asked(product: Product, operations: &[OperationKind]) -> Option<OperationKind> {
        let operations = operations.iter().copied();
        let capability = TransportCapability::new(TransportMode::Gsp, Environment::Sandbox, "NIC1", operations);
        read(&capability, product, Timestamp::UNIX_EPOCH).map(|read| read.kind())
    }

    #[test]
    fn what_is_read_is_what_the_route_carries() {
        use OperationKind::{GenerateEwb, GenerateIrn, GetEwb, GetEwbByDocument, GetIrn, GetIrnByDocument};
        assert_eq!(asked(Product::EInvoice, &[GenerateIrn, GetIrn, GetIrnByDocument]), Some(GetIrnByDocument));
        assert_eq!(asked(Product::EInvoice, &[GenerateIrn, GetIrn, GetEwb]), Some(GetIrn));
        assert_eq!(asked(Product::EInvoice, &[GenerateIrn, GetEwb]), None);
        assert_eq!(asked(Product::EWayBill, &[GetEwb, GetEwbByDocument]), Some(GetEwb));
        assert_eq!(asked(Product::EWayBill, &[GetEwbByDocument, GetIrn]), Some(GetEwbByDocument));
        assert_eq!(asked(Product::EWayBill, &[GenerateEwb]), None);
    }

    #[test]
    fn only_an_answer_and_a_refusal_from_inside_prove_anything() {
        let of = |code: &str| {
            let errors = vec![PortalError::new(code, "")];
            of_read(Err(TransportError::Refused { operation: Some(OperationKind::GetIrn), errors, info: Vec::new() }))
        };
        for code in ["2154", "2148", "2172"] {
            assert!(of(code).is_ok(), "{code}");
        }
        for code in ["1005", "1019", "1010", "118", "5001", "7777"] {
            assert!(of(code).is_err(), "{code}");
        }
        let lost =
            TransportError::NoAnswer { endpoint: "e".into(), reason: "r".into(), changes_books: false, source: None };
        assert!(of_read(Err(lost)).is_err());
        assert!(of_read(Err(TransportError::HeldBack { reason: "r".into() })).is_err());
        assert!(of_read(Ok(Reply::EwbList(Vec::new()))).is_ok());
    }
}
