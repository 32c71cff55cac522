//! Any bytes as a document: read or refused, judged, written and read again.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| einvoice_testkit::fuzzing::document(bytes));
