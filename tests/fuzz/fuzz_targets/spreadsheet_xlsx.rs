//! Any bytes as the sheet of a workbook: read or refused, and every document mapped the same twice.
#![no_main]

use einvoice_spreadsheet::testing::{documents, xlsx_of};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(workbook) = xlsx_of(bytes) {
        let _documents = documents(&workbook);
    }
});
