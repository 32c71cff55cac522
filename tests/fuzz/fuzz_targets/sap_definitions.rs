//! Any bytes as a file of segment definitions: read or refused.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _is_one = einvoice_sap_file::fuzzing::definitions(bytes);
});
