//! Any bytes as a file of sheets: read or refused, and every document mapped the same twice.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _documents = einvoice_spreadsheet::testing::documents(bytes);
});
