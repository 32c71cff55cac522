#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| einvoice_fuzz::run("spreadsheet_copy_part", bytes));
