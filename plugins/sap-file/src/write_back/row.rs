//! A receipt as a row of table `J_1IG_INVREFNUM`, with the e-way bill and what is wrong beside it.

use std::io;

use einvoice_core::date::PortalTime;
use einvoice_core::finding::Finding;
use einvoice_core::receipt::Receipt;
use einvoice_core::state::DocumentState;
use serde_json::{Map, Value, json};

use super::config::{NumberForm, WriteBackConfig};
use super::shown;
use super::state::Answer;

/// Version of a row: a document is registered once.
const VERSION: &str = "001";

/// Who made a row or a status, by its own words.
pub(super) const USER: &str = "EINVOICE";

/// The columns of a row. Dates are those of SAP, `YYYYMMDD`, and times `HHMMSS`; `ACK_DATE` and those of the bill are as
/// the portal says them.
const COLUMNS: [&str; 28] = [
    "BUKRS",
    "DOCNO",
    "DOC_YEAR",
    "DOC_TYPE",
    "ODN",
    "IRN",
    "VERSION",
    "BUPLA",
    "ODN_DATE",
    "ACK_NO",
    "ACK_DATE",
    "ACK_DAY",
    "ACK_TIME",
    "IRN_STATUS",
    "CANCEL_DATE",
    "ERNAM",
    "ERDAT",
    "ERZET",
    "SIGNED_INV",
    "SIGNED_QRCODE",
    "EBILLNO",
    "EGEN_DAT",
    "VDTODATE",
    "EWB_STATUS",
    "ERROR_CODE",
    "MESSAGE",
    "MANDT",
    "DOCNUM",
];

/// A row in the order of its columns.
fn row(answer: &Answer) -> [String; COLUMNS.len()] {
    let receipt = &answer.receipt;
    let key = |name: &str| receipt.attributes.get(name).cloned().unwrap_or_default();
    let registration = receipt.registration.as_ref();
    let text = |value: Option<String>| value.unwrap_or_default();
    let (day, hour) = match registration {
        Some(found) => (date(found.ack_date), time(found.ack_date)),
        None => (String::new(), String::new()),
    };
    let bill = receipt.bill();
    let bill = bill.as_ref();
    let errors: Vec<&Finding> = receipt.findings.iter().filter(|finding| finding.is_error()).collect();
    let first = errors.first();
    [
        key("BUKRS"),
        key("DOCNO"),
        key("GJAHR"),
        key("FKART"),
        key("ODN"),
        text(registration.map(|found| found.irn.to_string())),
        text(registration.map(|_| VERSION.to_owned())),
        key("BUPLA"),
        odn_date(&key("ODN_DATE")),
        text(registration.map(|found| found.ack_no.clone())),
        text(registration.map(|found| found.ack_date.to_string())),
        day,
        hour,
        irn_status(receipt).to_owned(),
        text(receipt.cancellation.as_ref().and_then(|found| found.at).map(date)),
        USER.to_owned(),
        date(answer.at),
        time(answer.at),
        text(registration.and_then(|found| found.signed_invoice.clone())),
        text(registration.and_then(|found| found.signed_qr.clone())),
        text(bill.map(|bill| bill.number.clone())),
        text(bill.and_then(|bill| bill.made_at).map(|at| at.to_string())),
        text(bill.and_then(|bill| bill.valid_till).map(|at| at.to_string())),
        text(shown::bill_state(receipt).map(str::to_owned)),
        text(first.map(|found| found.code.as_deref().unwrap_or(&found.rule).to_owned())),
        errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "),
        key("MANDT"),
        receipt.attributes.get("DOCNUM").cloned().unwrap_or_else(|| damaged_idoc(receipt)),
    ]
}

/// `ACT` and `CNL` as readers of the table know them; `PND` while nothing is settled, `ERR` where somebody must act.
pub(crate) fn irn_status(receipt: &Receipt) -> &str {
    match (receipt.state, shown::status(receipt)) {
        (_, Some(status)) => status,
        (DocumentState::Invalid | DocumentState::Refused | DocumentState::Conflict | DocumentState::Burnt, None) => {
            "ERR"
        }
        (_, None) => "PND",
    }
}

fn date(at: PortalTime) -> String {
    at.to_string().chars().take(10).filter(char::is_ascii_digit).collect()
}

fn time(at: PortalTime) -> String {
    at.to_string().chars().skip(10).filter(char::is_ascii_digit).collect()
}

/// `05/11/2026` as SAP writes it.
fn odn_date(text: &str) -> String {
    let parts: Vec<&str> = text.split('/').collect();
    match parts.as_slice() {
        [day, month, year] => format!("{year}{month}{day}"),
        _ => text.to_owned(),
    }
}

/// The number of an `IDoc` that could not be read further than its control record.
fn damaged_idoc(receipt: &Receipt) -> String {
    let number = receipt.label.strip_prefix("IDoc ").unwrap_or_default();
    if number.bytes().all(|byte| byte.is_ascii_digit()) { number.to_owned() } else { String::new() }
}

/// The row as an object.
pub(crate) fn json(answer: &Answer, config: &WriteBackConfig) -> serde_json::Result<Vec<u8>> {
    let mut object = Map::new();
    for (name, value) in COLUMNS.into_iter().zip(row(answer)) {
        let is_number = matches!(name, "ACK_NO" | "EBILLNO");
        if let (Some(chunk), "SIGNED_INV" | "SIGNED_QRCODE") = (config.chunk, name) {
            object.extend(shown::pieces(name, &value, chunk).map(|(name, piece)| (name, json!(piece))));
        }
        match value.parse::<u64>().ok().filter(|_| is_number) {
            Some(number) if config.numbers != NumberForm::Text => {
                if config.numbers == NumberForm::Both {
                    object.insert(format!("{name}_TEXT"), json!(value));
                }
                object.insert(name.to_owned(), json!(number));
            }
            _ => drop(object.insert(name.to_owned(), Value::String(value))),
        }
    }
    serde_json::to_vec(&object)
}

/// Rows of all answers, with a heading line. Pieces have as many columns as the longest text needs.
pub(crate) fn csv(answers: &[Answer], config: &WriteBackConfig) -> io::Result<Vec<u8>> {
    let rows: Vec<[String; COLUMNS.len()]> = answers.iter().map(row).collect();
    let place = |column: &str| COLUMNS.iter().position(|name| *name == column).unwrap_or_default();
    let of = |row: &'_ [String; COLUMNS.len()], at: usize| row.get(at).cloned().unwrap_or_default();
    let chunk = config.chunk.unwrap_or(usize::MAX);
    // How many pieces each long text has at most.
    let pieces: Vec<(&str, usize, usize)> = ["SIGNED_INV", "SIGNED_QRCODE"]
        .into_iter()
        .filter(|_| config.chunk.is_some())
        .map(|column| {
            let at = place(column);
            let longest = rows.iter().map(|row| of(row, at).len()).max().unwrap_or_default();
            (column, at, longest.div_ceil(chunk))
        })
        .collect();
    let separator = u8::try_from(config.separator).unwrap_or(b';');
    let mut writer =
        csv::WriterBuilder::new().delimiter(separator).terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    let numbered =
        pieces.iter().flat_map(|(column, _, count)| (1..=*count).map(move |index| format!("{column}_{index:02}")));
    writer.write_record(COLUMNS.iter().map(|name| (*name).to_owned()).chain(numbered))?;
    for row in &rows {
        let mut cells = row.to_vec();
        for (_, at, count) in &pieces {
            let text = of(row, *at);
            let piece = |index: usize| {
                let (start, end) = (text.len().min(index * chunk), text.len().min((index + 1) * chunk));
                text.get(start..end).unwrap_or_default().to_owned()
            };
            cells.extend((0..*count).map(piece));
        }
        writer.write_record(cells)?;
    }
    writer.into_inner().map_err(|error| io::Error::other(error.to_string()))
}
