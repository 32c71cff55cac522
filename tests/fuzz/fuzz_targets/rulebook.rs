//! Valid documents with any faults in them: judged the same by both ways, and each fault found.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| einvoice_testkit::fuzzing::rulebook(bytes));
