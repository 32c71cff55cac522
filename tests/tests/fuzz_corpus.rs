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

/// A whole target, as a fuzzer runs it.
type Run = fn(&[u8]);
/// A reader of SAP's files.
type Read = fn(&[u8]) -> std::io::Result<einvoice_sap_file::fuzzing::Counts>;

/// Reads inputs by one of the readers of SAP's files: nothing panics, and whatever is refused says what and what to do.
fn sap(read: Read, bytes: &[u8]) {
    let counts = read(bytes).unwrap();
    assert!(counts.documents <= counts.records);
    for finding in &counts.findings {
        assert!(!finding.message.is_empty() && finding.fix.is_some(), "{finding:?}");
    }
}

#[test]
fn the_kept_files_of_sap_hold_what_the_targets_promise() {
    use einvoice_sap_file::fuzzing;
    let definitions = |bytes: &[u8]| {
        let _is_one = fuzzing::definitions(bytes);
    };
    let targets: [(&str, Run); 5] = [
        ("sap_flat", |bytes| sap(fuzzing::flat, bytes)),
        ("sap_xml", |bytes| sap(fuzzing::xml, bytes)),
        ("sap_csv", |bytes| sap(fuzzing::rows, bytes)),
        ("sap_json", |bytes| sap(fuzzing::documents, bytes)),
        ("sap_definitions", definitions),
    ];
    for (target, run) in targets {
        assert!(replay(target, run) > 4, "{target}");
    }
}

/// Every kept input, damaged in a thousand ways drawn from one seed.
#[test]
fn damaged_files_of_sap_never_stop_a_reader() {
    use einvoice_sap_file::fuzzing;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus");
    // A small generator of its own: the same damage on every machine.
    let mut seed = 0x2545_f491_4f6c_dd1d_u64;
    let mut draw = |below: usize| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        usize::try_from(seed >> 33).unwrap() % below.max(1)
    };
    let targets: [(&str, Read); 4] = [
        ("sap_flat", fuzzing::flat),
        ("sap_xml", fuzzing::xml),
        ("sap_csv", fuzzing::rows),
        ("sap_json", fuzzing::documents),
    ];
    for (target, read) in targets {
        for input in std::fs::read_dir(folder.join(target)).unwrap() {
            let whole = std::fs::read(input.unwrap().path()).unwrap();
            for _ in 0..40 {
                let mut bytes = whole.clone();
                for _ in 0..=draw(4) {
                    let at = draw(bytes.len());
                    match draw(4) {
                        0 => bytes.truncate(at),
                        1 => drop(bytes.drain(at..(at + draw(40)).min(bytes.len()))),
                        2 => bytes.insert(at.min(bytes.len()), u8::try_from(draw(256)).unwrap()),
                        _ => {
                            if let Some(byte) = bytes.get_mut(at) {
                                *byte = b"\n\r\"<>;,\xff 0-"[draw(11)];
                            }
                        }
                    }
                }
                sap(read, &bytes);
            }
        }
    }
}
