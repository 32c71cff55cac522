//! The kept inputs of the fuzz targets, replayed without a fuzzer.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::path::Path;

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
