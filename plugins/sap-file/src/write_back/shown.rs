//! A receipt as members of JSON: the answer of a file drop, and the portal's own form.

use std::collections::BTreeMap;

use einvoice_core::ewb::CancelReason;
use einvoice_core::finding::Finding;
use einvoice_core::operation::RegistrationStatus;
use einvoice_core::receipt::Receipt;
use einvoice_core::state::{DocumentState, EwbState};
use serde_json::{Map, Value, json};

use super::config::{NumberForm, WriteBackConfig};
use super::state::Answer;

/// What is stored, by the names of the contract.
pub(crate) const FIELDS: [&str; 16] = [
    "irn",
    "ack_no",
    "ack_date",
    "signed_invoice",
    "signed_qr",
    "status",
    "ewb_no",
    "ewb_date",
    "ewb_valid_till",
    "ewb_state",
    "ewb_vehicle",
    "cancelled_at",
    "cancel_reason",
    "cancel_remark",
    "qr_file",
    "findings",
];

/// Whether a registration stands, as SAP and the portal say it.
pub(crate) fn status(receipt: &Receipt) -> Option<&str> {
    let registration = receipt.registration.as_ref()?;
    Some(match (receipt.state, &registration.status) {
        (DocumentState::Cancelled, _) | (_, RegistrationStatus::Cancelled) => "CNL",
        (_, RegistrationStatus::Other(word)) => word,
        _ => "ACT",
    })
}

/// Where the bill stands; nothing where none was asked for.
pub(crate) fn bill_state(receipt: &Receipt) -> Option<&'static str> {
    let state = receipt.bill().map_or(receipt.ewb_state, |bill| bill.state);
    (state != EwbState::None).then(|| state.as_str())
}

/// `IRN_GENERATED` and `IRN_CANCELLED` as file drops say, the state's own name otherwise.
fn document_status(state: DocumentState) -> String {
    match state {
        DocumentState::Registered => "IRN_GENERATED".to_owned(),
        DocumentState::Cancelled => "IRN_CANCELLED".to_owned(),
        other => other.as_str().to_uppercase(),
    }
}

/// Puts a number of many digits in as the configuration wants it.
fn number(into: &mut Map<String, Value>, name: &str, digits: &str, form: NumberForm) {
    let as_number = digits.parse::<u64>().map_or_else(|_| json!(digits), |number| json!(number));
    let value = if form == NumberForm::Text { json!(digits) } else { as_number };
    into.insert(name.to_owned(), value);
    if form == NumberForm::Both {
        into.insert(format!("{name}_TEXT"), json!(digits));
    }
}

/// What the portal answered, in its own words; nothing for a document without a registration.
fn government(receipt: &Receipt, config: &WriteBackConfig) -> Option<Map<String, Value>> {
    // An IRN that was only computed is no registration; whoever reads the file must not print it.
    let registration = receipt.registration.as_ref()?;
    let mut answer = Map::new();
    answer.insert("Success".to_owned(), json!("Y"));
    number(&mut answer, "AckNo", &registration.ack_no, config.numbers);
    answer.insert("AckDt".to_owned(), json!(registration.ack_date.to_string()));
    answer.insert("Irn".to_owned(), json!(registration.irn.to_string()));
    answer.insert("SignedInvoice".to_owned(), json!(registration.signed_invoice));
    answer.insert("SignedQRCode".to_owned(), json!(registration.signed_qr));
    answer.insert("Status".to_owned(), json!(status(receipt)));
    let bill = receipt.bill();
    match &bill {
        Some(bill) => number(&mut answer, "EwbNo", &bill.number, config.numbers),
        None => drop(answer.insert("EwbNo".to_owned(), Value::Null)),
    }
    let bill = bill.as_ref();
    answer.insert("EwbDt".to_owned(), json!(bill.and_then(|bill| bill.made_at).map(|at| at.to_string())));
    answer.insert("EwbValidTill".to_owned(), json!(bill.and_then(|bill| bill.valid_till).map(|at| at.to_string())));
    let cancelled = receipt.cancellation.as_ref().and_then(|found| found.at).map(|at| at.to_string());
    answer.insert("CancelDate".to_owned(), json!(cancelled));
    for (name, text) in [("SignedInvoice", &registration.signed_invoice), ("SignedQRCode", &registration.signed_qr)] {
        if let (Some(chunk), Some(text)) = (config.chunk, text) {
            answer.extend(pieces(name, text, chunk).map(|(name, piece)| (name, json!(piece))));
        }
    }
    Some(answer)
}

/// A long text in numbered pieces. Signed texts are ASCII, so characters are bytes.
pub(crate) fn pieces<'t>(name: &str, text: &'t str, chunk: usize) -> impl Iterator<Item = (String, &'t str)> {
    let name = name.to_owned();
    (0..text.len().div_ceil(chunk)).filter_map(move |index| {
        let piece = text.get(index * chunk..text.len().min((index + 1) * chunk))?;
        Some((format!("{name}_{:02}", index + 1), piece))
    })
}

fn remark(finding: &Finding) -> Value {
    json!({
        "error_code": finding.code.as_deref().unwrap_or(&finding.rule),
        "error_message": finding.message,
        "path": finding.path,
        "found": finding.found,
        "expected": finding.expected,
        "fix": finding.fix,
        "place": finding.place,
    })
}

/// The answer of a file drop.
pub(crate) fn response(
    answer: &Answer,
    config: &WriteBackConfig,
    qr_file: Option<&str>,
) -> serde_json::Result<Vec<u8>> {
    let receipt = &answer.receipt;
    let remarks = |wanted: fn(&Finding) -> bool| -> Option<Vec<Value>> {
        let found: Vec<Value> = receipt.findings.iter().filter(|finding| wanted(finding)).map(remark).collect();
        (!found.is_empty()).then_some(found)
    };
    let bill = receipt.bill();
    let cancellation = receipt.cancellation.as_ref();
    serde_json::to_vec(&json!({
        "document_status": document_status(receipt.state),
        "document": receipt.label,
        "errors": remarks(Finding::is_error),
        "warnings": remarks(|finding| !finding.is_error()),
        "custom_fields": receipt.attributes,
        "gstin": receipt.key.as_ref().map(|key| key.supplier.to_string()),
        "govt_response": government(receipt, config),
        "ewb_status": bill_state(receipt),
        "ewb_vehicle": bill.and_then(|bill| bill.vehicle),
        "cancel_reason": cancellation.and_then(|found| found.reason).map(CancelReason::irn_code),
        "cancel_remark": cancellation.and_then(|found| found.remark.as_deref()),
        "qr_file": qr_file,
        "reference": {
            "file": receipt.reference.location,
            "position": receipt.reference.position,
            "record": receipt.reference.record_id,
            "revision": receipt.revision,
        },
    }))
}

/// A registration in the portal's own form.
pub(crate) fn portal(receipt: &Receipt, config: &WriteBackConfig) -> serde_json::Result<Vec<u8>> {
    let mut answer = government(receipt, config).unwrap_or_default();
    answer.remove("Success");
    serde_json::to_vec(&answer)
}

/// What is stored of a record, by the names of the contract.
pub(crate) fn fields(answer: &Answer) -> BTreeMap<String, String> {
    let receipt = &answer.receipt;
    let registration = receipt.registration.as_ref();
    let (bill, cancellation) = (receipt.bill(), receipt.cancellation.as_ref());
    let bill = bill.as_ref();
    let findings: Vec<String> = receipt.findings.iter().map(ToString::to_string).collect();
    let values = [
        registration.map(|found| found.irn.to_string()),
        registration.map(|found| found.ack_no.clone()),
        registration.map(|found| found.ack_date.to_string()),
        registration.and_then(|found| found.signed_invoice.clone()),
        registration.and_then(|found| found.signed_qr.clone()),
        status(receipt).map(str::to_owned),
        bill.map(|bill| bill.number.clone()),
        bill.and_then(|bill| bill.made_at).map(|at| at.to_string()),
        bill.and_then(|bill| bill.valid_till).map(|at| at.to_string()),
        bill_state(receipt).map(str::to_owned),
        bill.and_then(|bill| bill.vehicle.clone()),
        cancellation.and_then(|found| found.at).map(|at| at.to_string()),
        cancellation.and_then(|found| found.reason).map(|reason| reason.to_string()),
        cancellation.and_then(|found| found.remark.clone()),
        None,
        (!findings.is_empty()).then(|| findings.join("; ")),
    ];
    FIELDS.iter().zip(values).filter_map(|(name, value)| Some(((*name).to_owned(), value?))).collect()
}
