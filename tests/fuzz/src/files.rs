//! Files that accounting programs write.

use std::sync::Once;

use einvoice_sap_file::fuzzing::Counts;
use einvoice_spreadsheet::testing;
use einvoice_tally::fuzzing as tally;

use super::says;

/// Read or refused with what and what to do; no more documents than records.
fn sap(counts: std::io::Result<Counts>) {
    let counts = counts.expect("memory can be read");
    assert!(counts.documents <= counts.records);
    counts.findings.iter().for_each(says);
}

pub fn sap_flat(bytes: &[u8]) {
    sap(einvoice_sap_file::fuzzing::flat(bytes));
}

pub fn sap_xml(bytes: &[u8]) {
    sap(einvoice_sap_file::fuzzing::xml(bytes));
}

pub fn sap_csv(bytes: &[u8]) {
    sap(einvoice_sap_file::fuzzing::rows(bytes));
}

pub fn sap_json(bytes: &[u8]) {
    sap(einvoice_sap_file::fuzzing::documents(bytes));
}

pub fn sap_definitions(bytes: &[u8]) {
    let _is_one = einvoice_sap_file::fuzzing::definitions(bytes);
}

/// Lets a fuzzer go on where a reader of workbooks panics and the source says so of the file.
fn contained() {
    // A damaged workbook makes its reader panic, which the source turns into a finding; a fuzzer ends at every panic that
    // its hook is told of.
    static CONTAINED: Once = Once::new();
    CONTAINED.call_once(|| {
        let told = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            let of_reader = panic.location().is_some_and(|location| location.file().contains("calamine"));
            if !of_reader {
                told(panic);
            }
        }));
    });
}

/// Any bytes as a file of sheets: read or refused, and every document mapped the same twice.
pub fn spreadsheet(bytes: &[u8]) {
    contained();
    let _documents = testing::documents(bytes);
}

/// Any bytes as a workbook: results are written into a copy of it that opens again, or nothing is.
pub fn spreadsheet_copy(bytes: &[u8]) {
    contained();
    let _became = testing::copies::copied(bytes);
}

/// Any bytes in the place of one part of a workbook, or of a copy made before.
pub fn spreadsheet_copy_part(bytes: &[u8]) {
    contained();
    let _became = testing::copies::copied_with(bytes);
}

/// Any bytes as the sheet of a workbook.
pub fn spreadsheet_xlsx(bytes: &[u8]) {
    spreadsheet(&testing::xlsx_of(bytes).expect("a workbook is made"));
}

/// Any bytes as the content of an `OpenDocument` workbook.
pub fn spreadsheet_ods(bytes: &[u8]) {
    spreadsheet(&testing::ods_of(bytes).expect("a workbook is made"));
}

/// Any bytes as an export: masters, vouchers, and every voucher mapped.
pub fn tally_export(bytes: &[u8]) {
    let counts = tally::export(bytes);
    assert!(counts.mapped <= counts.vouchers);
    counts.findings.iter().for_each(says);
}

/// Any bytes as what a running Tally answers: its elements are written and read again as the same.
pub fn tally_answer(bytes: &[u8]) {
    tally::answer(bytes);
}

fn json(counts: &einvoice_json_file::fuzzing::Counts, bytes: &[u8]) {
    assert!(counts.documents + counts.findings.len() <= bytes.len() + 1, "more documents than bytes");
    counts.findings.iter().for_each(says);
}

/// Any bytes as a file of documents, whatever they are, and as one a line.
pub fn json_file(bytes: &[u8]) {
    json(&einvoice_json_file::fuzzing::file(bytes, false), bytes);
    json(&einvoice_json_file::fuzzing::file(bytes, true), bytes);
}

pub fn json_mapped(bytes: &[u8]) {
    json(&einvoice_json_file::fuzzing::mapped(bytes), bytes);
}

pub fn gobl(bytes: &[u8]) {
    json(&einvoice_json_file::fuzzing::gobl(bytes), bytes);
}

pub fn ubl(bytes: &[u8]) {
    json(&einvoice_json_file::fuzzing::ubl(bytes), bytes);
}

/// Any bytes as a response file of our own: its answers, or nothing that is ours.
pub fn json_answers(bytes: &[u8]) {
    let _answers = einvoice_json_file::fuzzing::answers(bytes);
}
