//! The kept inputs of the fuzz targets, replayed without a fuzzer.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::path::Path;

use einvoice_spreadsheet::testing;
use einvoice_testkit::fuzzing;

/// Runs a target over its kept inputs and counts them.
fn replay(target: &str, run: fn(&[u8])) -> usize {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let mut inputs: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    inputs.sort();
    for input in &inputs {
        run(&std::fs::read(input).unwrap());
    }
    inputs.len()
}

#[test]
fn the_kept_documents_hold_what_the_target_promises() {
    assert!(replay("document", fuzzing::document) > 10);
}

#[test]
fn the_kept_faults_hold_what_the_target_promises() {
    assert!(replay("rulebook", fuzzing::rulebook) > 10);
}

#[test]
fn the_kept_sheets_hold_what_the_targets_promise() {
    fn any(bytes: &[u8]) {
        let _documents = testing::documents(bytes);
    }
    fn xlsx(bytes: &[u8]) {
        any(&testing::xlsx_of(bytes).unwrap());
    }
    fn ods(bytes: &[u8]) {
        any(&testing::ods_of(bytes).unwrap());
    }
    assert!(replay("spreadsheet_text", any) > 4);
    assert!(replay("spreadsheet_markup", any) > 3);
    assert!(replay("spreadsheet_xls", any) > 2);
    assert!(replay("spreadsheet_xlsx", xlsx) > 3);
    assert!(replay("spreadsheet_ods", ods) > 2);
}
