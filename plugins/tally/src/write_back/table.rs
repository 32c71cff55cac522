//! The list for people: every receipt of a part with its findings, as CSV.

use einvoice_core::date::PortalTime;
use einvoice_core::receipt::Receipt;
use einvoice_file_drop::Picture;

use super::alteration;
use crate::config::QrFormat;

const COLUMNS: [&str; 25] = [
    "company",
    "voucher_type",
    "voucher_date",
    "voucher_number",
    "document",
    "state",
    "irn",
    "ack_no",
    "ack_date",
    "ewb_no",
    "ewb_date",
    "ewb_valid_till",
    "ewb_state",
    "ewb_vehicle",
    "cancelled_at",
    "cancel_reason",
    "cancel_remark",
    "qr_file",
    "in_import_file",
    "findings",
    "location",
    "position",
    "record_id",
    "master_id",
    "revision",
];

/// The CSV of receipts in order, with a header line.
pub(crate) fn rows(receipts: Vec<&Receipt>, format: QrFormat) -> Result<Vec<u8>, csv::Error> {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    writer.write_record(COLUMNS)?;
    for receipt in receipts {
        writer.write_record(row(receipt, format).iter().map(|cell| safe(cell)))?;
    }
    writer.into_inner().map_err(|error| csv::Error::from(error.into_error()))
}

fn row(receipt: &Receipt, format: QrFormat) -> [String; 25] {
    let attribute = |name: &str| receipt.attributes.get(name).cloned().unwrap_or_default();
    let registration = receipt.registration.as_ref();
    let bill = receipt.bill();
    let bill = bill.as_ref();
    let cancellation = receipt.cancellation.as_ref();
    let time = |time: Option<PortalTime>| time.map(|time| time.to_string()).unwrap_or_default();
    let findings: Vec<String> = receipt
        .findings
        .iter()
        .map(|finding| {
            let fix = finding.fix.as_ref().map(|fix| format!(" -> {fix}")).unwrap_or_default();
            format!("{}: {finding}{fix}", finding.severity)
        })
        .collect();
    [
        attribute("company"),
        attribute("voucher_type"),
        attribute("voucher_date"),
        attribute("number"),
        receipt.key.as_ref().map_or_else(|| receipt.label.clone(), ToString::to_string),
        receipt.state.to_string(),
        // The computed IRN of a document that is not registered would be taken for a registration.
        registration.map(|found| found.irn.to_string()).unwrap_or_default(),
        registration.map(|found| found.ack_no.clone()).unwrap_or_default(),
        time(registration.map(|found| found.ack_date)),
        bill.map(|bill| bill.number.clone()).unwrap_or_default(),
        time(bill.and_then(|bill| bill.made_at)),
        time(bill.and_then(|bill| bill.valid_till)),
        bill.map_or(receipt.ewb_state, |bill| bill.state).to_string(),
        bill.and_then(|bill| bill.vehicle.clone()).unwrap_or_default(),
        time(cancellation.and_then(|found| found.at)),
        cancellation.and_then(|found| found.reason).map(|reason| reason.to_string()).unwrap_or_default(),
        cancellation.and_then(|found| found.remark.clone()).unwrap_or_default(),
        Picture::name_of(receipt, format).unwrap_or_default(),
        if alteration::is_imported(receipt) { "yes" } else { "no" }.to_owned(),
        findings.join(" | "),
        receipt.reference.location.clone(),
        receipt.reference.position.clone(),
        receipt.reference.record_id.clone(),
        attribute("master_id"),
        receipt.revision.to_string(),
    ]
}

/// Text that no spreadsheet takes for a formula.
fn safe(cell: &str) -> String {
    let dangerous = cell.starts_with(['=', '+', '-', '@', '\t', '\r']);
    if dangerous { format!("'{cell}") } else { cell.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_becomes_a_formula() {
        for cell in ["=1+1", "+1", "-1", "@x", "\t=1"] {
            assert_eq!(safe(cell), format!("'{cell}"));
        }
        assert_eq!(safe("A-1"), "A-1");
    }
}
