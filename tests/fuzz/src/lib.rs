//! What must hold for any bytes, target by target.
//!
//! A fuzz target is one line onto a function of this crate; the test `fuzz_corpus` runs the same functions over the kept
//! inputs, without a fuzzer.

mod core_texts;
mod files;
mod portal;
mod provider;

use einvoice_core::finding::Finding;

/// A target: what it is called, and what must hold.
pub type Target = (&'static str, fn(&[u8]));

/// Every target there is.
pub const TARGETS: &[Target] = &[
    ("database_record", core_texts::database_record),
    ("document", einvoice_testkit::fuzzing::document),
    ("ewb_reply", portal::ewb_reply),
    ("ewb_request", core_texts::ewb_request),
    ("formula", core_texts::formula),
    ("gobl", files::gobl),
    ("gsp_profile", provider::gsp_profile),
    ("gsp_recording", provider::gsp_recording),
    ("gsp_reply", provider::gsp_reply),
    ("irp_reply", portal::irp_reply),
    ("json_answers", files::json_answers),
    ("json_file", files::json_file),
    ("json_mapped", files::json_mapped),
    ("key_file", portal::key_file),
    ("mapping_rules", core_texts::mapping_rules),
    ("qr_image", portal::qr_image),
    ("rulebook", einvoice_testkit::fuzzing::rulebook),
    ("sap_csv", files::sap_csv),
    ("sap_definitions", files::sap_definitions),
    ("sap_flat", files::sap_flat),
    ("sap_json", files::sap_json),
    ("sap_xml", files::sap_xml),
    ("spreadsheet_copy", files::spreadsheet_copy),
    ("spreadsheet_copy_part", files::spreadsheet_copy_part),
    ("spreadsheet_markup", files::spreadsheet),
    ("spreadsheet_ods", files::spreadsheet_ods),
    ("spreadsheet_text", files::spreadsheet),
    ("spreadsheet_xls", files::spreadsheet),
    ("spreadsheet_xlsx", files::spreadsheet_xlsx),
    ("tally_answer", files::tally_answer),
    ("tally_export", files::tally_export),
    ("token", portal::token),
    ("ubl", files::ubl),
    ("values", core_texts::values),
];

/// Runs a target by its name.
///
/// # Panics
/// When there is none of this name, or a promise of the target is broken.
pub fn run(name: &str, bytes: &[u8]) {
    let (_, target) = TARGETS.iter().find(|(known, _)| *known == name).expect("a target is listed in TARGETS");
    target(bytes);
}

/// A finding says what, and what to do.
fn says(finding: &Finding) {
    assert!(!finding.message.is_empty() && finding.fix.is_some(), "{finding:?}");
}
