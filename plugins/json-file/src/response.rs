//! One answer: the portal's bulk response form, with what file-drop interfaces add.

use einvoice_core::ewb::CancelReason;
use einvoice_core::finding::{Finding, Severity};
use einvoice_core::ledger::LedgerId;
use einvoice_core::operation::RegistrationStatus;
use einvoice_core::receipt::Receipt;
use einvoice_core::state::{DocumentState, EwbState};
use einvoice_file_drop::number_of;
use serde::{Deserialize, Serialize, Serializer};

/// What stands in the response file for one document. The order of members is the order in the file.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Answer<'a> {
    doc_typ: Option<&'a str>,
    doc_no: Option<&'a str>,
    doc_dt: Option<&'a str>,
    #[serde(rename = "document_status")]
    document_status: String,
    ack_no: Option<Number<'a>>,
    ack_dt: Option<String>,
    irn: Option<String>,
    signed_invoice: Option<&'a str>,
    #[serde(rename = "SignedQRCode")]
    signed_qr_code: Option<&'a str>,
    status: Option<&'a str>,
    ewb_no: Option<Number<'a>>,
    ewb_dt: Option<String>,
    ewb_valid_till: Option<String>,
    ewb_status: Option<&'a str>,
    veh_no: Option<String>,
    cancel_date: Option<String>,
    cnl_rsn: Option<&'a str>,
    cnl_rem: Option<&'a str>,
    /// Only where pictures are asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    qr_file: Option<String>,
    #[serde(rename = "errors")]
    errors: Vec<Remark<'a>>,
    #[serde(rename = "warnings")]
    warnings: Vec<Remark<'a>>,
    reference: Reference,
}

/// Which document and which revision the answer is for; by it answers are merged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Reference {
    /// The ledger that counts the revisions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) ledger: Option<LedgerId>,
    /// The request file.
    pub(crate) file: String,
    /// Number of the document in it.
    pub(crate) document: u64,
    /// The record.
    pub(crate) record: String,
    /// Revision of the result.
    pub(crate) revision: u32,
}

/// A number of the portal: as a number, or as text where numbers cannot hold it.
#[derive(Debug)]
struct Number<'a> {
    digits: &'a str,
    as_text: bool,
}

impl Serialize for Number<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.digits.parse::<u64>() {
            // What the number would not show again, a leading zero for one, stays text.
            Ok(number) if !self.as_text && number.to_string() == self.digits => serializer.serialize_u64(number),
            _ => serializer.serialize_str(self.digits),
        }
    }
}

/// One finding or portal error. `code` is the portal's number, or the name of our rule.
#[derive(Debug, Serialize)]
struct Remark<'a> {
    code: &'a str,
    message: &'a str,
    path: &'a str,
    found: Option<&'a str>,
    expected: Option<&'a str>,
    fix: Option<&'a str>,
    rule: &'a str,
    severity: Severity,
}

impl<'a> Remark<'a> {
    fn of(finding: &'a Finding) -> Self {
        Self {
            code: finding.code.as_deref().unwrap_or(&finding.rule),
            message: &finding.message,
            path: &finding.path,
            found: finding.found.as_deref(),
            expected: finding.expected.as_deref(),
            fix: finding.fix.as_deref(),
            rule: &finding.rule,
            severity: finding.severity,
        }
    }
}

impl Reference {
    pub(crate) fn of(receipt: &Receipt) -> Self {
        Self {
            ledger: receipt.ledger.clone(),
            file: receipt.reference.location.clone(),
            document: number_of(&receipt.reference.position).unwrap_or(1),
            record: receipt.reference.record_id.clone(),
            revision: receipt.revision,
        }
    }
}

/// The answer to a receipt as one line of JSON.
pub(crate) fn line(receipt: &Receipt, numbers_as_text: bool, qr_file: Option<String>) -> serde_json::Result<Vec<u8>> {
    let attribute = |name: &str| receipt.attributes.get(name).map(String::as_str);
    let number = |digits| Number { digits, as_text: numbers_as_text };
    let registration = receipt.registration.as_ref();
    let bill = receipt.bill();
    let bill = bill.as_ref();
    let cancellation = receipt.cancellation.as_ref();
    let remarks = |wanted: fn(&Finding) -> bool| -> Vec<Remark<'_>> {
        receipt.findings.iter().filter(|finding| wanted(finding)).map(Remark::of).collect()
    };
    // An IRN that was only computed is no registration; whoever reads the file must not print it.
    let irn = registration.map(|registration| registration.irn.to_string());
    serde_json::to_vec(&Answer {
        doc_typ: attribute("doc_typ"),
        doc_no: attribute("doc_no"),
        doc_dt: attribute("doc_dt"),
        document_status: document_status(receipt.state),
        ack_no: registration.map(|registration| number(&registration.ack_no)),
        ack_dt: registration.map(|registration| registration.ack_date.to_string()),
        irn,
        signed_invoice: registration.and_then(|registration| registration.signed_invoice.as_deref()),
        signed_qr_code: registration.and_then(|registration| registration.signed_qr.as_deref()),
        status: registration.map(|registration| status(receipt.state, &registration.status)),
        ewb_no: bill.map(|bill| number(&bill.number)),
        ewb_dt: bill.and_then(|bill| bill.made_at).map(|at| at.to_string()),
        ewb_valid_till: bill.and_then(|bill| bill.valid_till).map(|at| at.to_string()),
        ewb_status: ewb_status(receipt),
        veh_no: bill.and_then(|bill| bill.vehicle.clone()),
        cancel_date: cancellation.and_then(|found| found.at).map(|at| at.to_string()),
        cnl_rsn: cancellation.and_then(|found| found.reason).map(CancelReason::irn_code),
        cnl_rem: cancellation.and_then(|found| found.remark.as_deref()),
        qr_file,
        errors: remarks(Finding::is_error),
        warnings: remarks(|finding| !finding.is_error()),
        reference: Reference::of(receipt),
    })
}

/// Where the bill stands, in our word; nothing where none was asked for.
fn ewb_status(receipt: &Receipt) -> Option<&'static str> {
    let state = receipt.bill().map_or(receipt.ewb_state, |bill| bill.state);
    (state != EwbState::None).then(|| state.as_str())
}

/// `IRN_GENERATED` and `IRN_CANCELLED` as file-drop interfaces say, the state's own name otherwise.
fn document_status(state: DocumentState) -> String {
    match state {
        DocumentState::Registered => "IRN_GENERATED".to_owned(),
        DocumentState::Cancelled => "IRN_CANCELLED".to_owned(),
        other => other.as_str().to_uppercase(),
    }
}

fn status(state: DocumentState, status: &RegistrationStatus) -> &str {
    match (state, status) {
        (DocumentState::Cancelled, _) | (_, RegistrationStatus::Cancelled) => "CNL",
        (_, RegistrationStatus::Other(word)) => word,
        _ => "ACT",
    }
}
