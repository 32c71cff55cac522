//! Any bytes as a flat file of IDocs: read or refused, mapped, and every refusal says what and what to do.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let counts = einvoice_sap_file::fuzzing::flat(bytes).expect("memory can be read");
    for finding in &counts.findings {
        assert!(!finding.message.is_empty() && finding.fix.is_some(), "{finding:?}");
    }
});
