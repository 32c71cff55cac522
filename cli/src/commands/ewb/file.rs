//! A file with bills without an IRN: one JSON object, an array, or one object a line.

use std::path::Path;

use einvoice_core::date::ist_date;
use einvoice_core::ewb::document::{Direction, EwbRequest, ReadEwbRequest};
use einvoice_core::finding::Finding;
use einvoice_core::identifier::Gstin;
use einvoice_core::job::BillQuery;
use einvoice_core::plan::{self, is_open};
use einvoice_core::transport::Owner;
use serde_json::json;
use serde_json::value::RawValue;

use super::super::desk::Desk;
use super::super::desk::refusal::Refusal;
use super::super::desk::wish::Wish;
use super::super::validate::findings_text;
use crate::arguments::Acting;
use crate::error::CliError;
use crate::output::{Output, printable};

const TASK: &str = "generate_ewb";

/// Largest file that is read.
const FILE_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// The bills of a file, each planned or refused, with its findings told.
pub(super) async fn wishes(
    desk: &Desk,
    file: &Path,
    acting: &Acting,
    output: &mut Output,
) -> Result<Vec<Wish>, CliError> {
    let shown = file.display().to_string();
    let mut wishes = Vec::new();
    for (index, text) in read(file)?.iter().enumerate() {
        let place = format!("{shown}, bill {}", index + 1);
        match EwbRequest::from_json(text.get()) {
            Ok(read) => wishes.push(wish(desk, read, &place, acting, output).await?),
            Err(error) => {
                let message = format!("{place} cannot be read: {error}");
                let fix = "Correct the file; the other bills do not wait for it.";
                wishes.push(Wish::refused(place, TASK, Refusal::new(message, fix)));
            }
        }
    }
    Ok(wishes)
}

async fn wish(
    desk: &Desk,
    read: ReadEwbRequest,
    place: &str,
    acting: &Acting,
    output: &mut Output,
) -> Result<Wish, CliError> {
    let request = read.request;
    let user = user(&request);
    let may: Vec<Gstin> = user.into_iter().collect();
    let gstin = desk.actor(acting.gstin, &may).await?;
    let mut findings = read.findings;
    findings.extend(request.check_with(gstin, &desk.check.clone().at(ist_date(desk.now()))));
    told(&request, place, &findings, output)?;
    let about = format!("{} ({place})", request.label());
    if let Some(refusal) = Refusal::findings(&findings) {
        return Ok(Wish::refused(about, TASK, refusal));
    }
    let (Some(doc_type), Some(doc_no)) = (request.doc_type(), request.doc_no()) else {
        let message = "the bill has no readable type or number of its document";
        return Ok(Wish::refused(about, TASK, Refusal::new(message, "Fill in docType and docNo.")));
    };
    if let Some(refusal) = made_already(desk, doc_type, doc_no, gstin).await? {
        return Ok(Wish::refused(about, TASK, refusal));
    }
    let job = plan::generate_ewb(request.to_json(), doc_type.to_owned(), doc_no.to_owned(), gstin);
    Ok(Wish { about, document: None, ewb: None, task: TASK, planned: Ok(job) })
}

/// Who makes the bill, by the request itself: the supplier of what goes out, the recipient of what comes in.
fn user(request: &EwbRequest) -> Option<Gstin> {
    let party = match request.supply_type.get()? {
        Direction::Outward => request.from_gstin.get(),
        Direction::Inward => request.to_gstin.get(),
    };
    party.and_then(einvoice_core::document::PartyGstin::gstin)
}

/// The system makes one bill for a document; the ledger may know it.
async fn made_already(desk: &Desk, doc_type: &str, doc_no: &str, gstin: Gstin) -> Result<Option<Refusal>, CliError> {
    let query = BillQuery { doc_no: Some(doc_no.to_owned()), open_only: true, ..BillQuery::default() };
    let bills = desk.ledger.bills(query).await?;
    let known = bills.iter().map(|bill| &bill.standing).find(|bill| {
        let same = bill.document.as_ref().is_some_and(|document| document.doc_type == doc_type);
        same && bill.generated_by == gstin && is_open(bill.state)
    });
    Ok(known.map(|bill| Refusal {
        message: format!("{doc_type} {doc_no} has the e-way bill {} already", bill.number),
        code: Some("604".to_owned()),
        fix: "Leave it as it is, or cancel that bill first if it is wrong.".to_owned(),
        owner: Owner::Us,
    }))
}

fn told(request: &EwbRequest, place: &str, findings: &[Finding], output: &mut Output) -> Result<(), CliError> {
    if findings.is_empty() {
        return Ok(());
    }
    if output.is_json() {
        let verdict = if Refusal::findings(findings).is_some() { "invalid" } else { "valid" };
        let line = json!({"file": place, "document": request.label(), "verdict": verdict, "findings": findings});
        return output.object(&line);
    }
    output.line(printable(&format!("{} ({place})", request.label())))?;
    findings_text(findings, place, output)?;
    output.line("")
}

fn read(file: &Path) -> Result<Vec<Box<RawValue>>, CliError> {
    let failed = |error| CliError::File { path: file.to_path_buf(), action: "read", error };
    if std::fs::metadata(file).map_err(failed)?.len() > FILE_BYTES_MAX {
        return Err(CliError::Usage(format!("{} is larger than {FILE_BYTES_MAX} bytes", file.display())));
    }
    let bytes = std::fs::read(file).map_err(failed)?;
    let wrong = |what: String| CliError::Usage(format!("{}: {what}", file.display()));
    let text = String::from_utf8(bytes)
        .map_err(|error| wrong(format!("it is not UTF-8 text (byte {})", error.utf8_error().valid_up_to())))?;
    split(&text).map_err(|error| wrong(format!("it is no JSON: {error}")))
}

/// The objects of a text, each with its own characters, as no number may pass through a float.
fn split(text: &str) -> Result<Vec<Box<RawValue>>, serde_json::Error> {
    let text = text.trim_start_matches('\u{feff}').trim();
    if text.starts_with('[') {
        return serde_json::from_str(text);
    }
    serde_json::Deserializer::from_str(text).into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_holds_one_object_an_array_or_one_object_a_line() {
        let count = |text: &str| split(text).map(|found| found.len()).ok();
        assert_eq!(count(r#"{"a":1}"#), Some(1));
        assert_eq!(count("\u{feff}[{\"a\":1}, {\"a\":2}]"), Some(2));
        assert_eq!(count("{\"a\":1}\n{\"a\":2}\n\n"), Some(2));
        assert_eq!(count("{\"a\":1"), None);
        assert_eq!(split(r#"{"n":0.10}"#).unwrap()[0].get(), r#"{"n":0.10}"#);
    }

    #[test]
    fn the_supplier_makes_the_bill_of_what_goes_out_and_the_recipient_that_of_what_comes_in() {
        let of = |direction: &str| {
            let text =
                format!(r#"{{"supplyType":"{direction}","fromGstin":"29AABCE1234F1Z1","toGstin":"27AAPFU0939F1ZV"}}"#);
            user(&EwbRequest::from_json(&text).unwrap().request).unwrap().to_string()
        };
        assert_eq!([of("O"), of("I")], ["29AABCE1234F1Z1", "27AAPFU0939F1ZV"]);
    }

    #[test]
    fn what_breaks_a_rule_is_refused_with_the_first_error_and_their_number() {
        let request = EwbRequest::from_json(r#"{"supplyType":"O"}"#).unwrap().request;
        let day = jiff::civil::date(2026, 11, 5);
        let findings = request.check(Gstin::parse("29AABCE1234F1Z1").unwrap(), day);
        let refusal = Refusal::findings(&findings).unwrap();
        assert!(refusal.message.contains(" more"), "{refusal:?}");
        assert!(Refusal::findings(&[]).is_none());
    }
}
