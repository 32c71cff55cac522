//! The kept inputs of the fuzz targets, replayed without a fuzzer.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

#[path = "../fuzz/src/lib.rs"]
#[expect(
    unreachable_pub,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a crate of its own, of whose functions a failure is a panic"
)]
mod targets;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use targets::{TARGETS, run};

/// Fewest inputs that a target keeps.
const INPUTS_MIN: usize = 3;
/// Most bytes that all targets keep together.
const BYTES_MAX: u64 = 1_000_000;

fn fuzz() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz")
}

/// The kept inputs of a target, in the order of their names.
fn kept(target: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(fuzz().join("corpus").join(target)).unwrap();
    let mut inputs: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    inputs.sort();
    inputs
}

#[test]
fn every_kept_input_holds_what_its_target_promises() {
    for (target, _) in TARGETS {
        let inputs = kept(target);
        assert!(inputs.len() >= INPUTS_MIN, "{target} keeps {} inputs", inputs.len());
        for input in inputs {
            let bytes = fs::read(&input).unwrap();
            // Which input it was stands before the panic.
            let broken = std::panic::catch_unwind(|| run(target, &bytes)).is_err();
            assert!(!broken, "{} breaks a promise of {target}", input.display());
        }
    }
}

#[test]
fn targets_programs_and_kept_inputs_are_the_same_list() {
    let listed: BTreeSet<String> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    let names = |folder: &str| -> BTreeSet<String> {
        let entries = fs::read_dir(fuzz().join(folder)).unwrap().map(|entry| entry.unwrap().path());
        entries.map(|path| path.file_stem().unwrap().to_string_lossy().into_owned()).collect()
    };
    assert_eq!(names("fuzz_targets"), listed);
    assert_eq!(names("corpus"), listed);
    let manifest = fs::read_to_string(fuzz().join("Cargo.toml")).unwrap();
    let readme = fs::read_to_string(fuzz().join("README.md")).unwrap();
    for name in listed {
        assert!(manifest.contains(&format!("path = \"fuzz_targets/{name}.rs\"")), "{name} is not built");
        assert!(readme.contains(&format!("| `{name}` |")), "the README does not say what {name} is");
    }
}

#[test]
fn kept_inputs_stay_small() {
    let inputs = TARGETS.iter().flat_map(|(target, _)| kept(target));
    let bytes: u64 = inputs.map(|input| fs::metadata(input).unwrap().len()).sum();
    assert!(bytes < BYTES_MAX, "{bytes} bytes");
}

/// Targets whose inputs are texts, in which most damage leaves something to read.
const TEXTS: [&str; 13] = [
    "ewb_reply",
    "gobl",
    "irp_reply",
    "json_file",
    "json_mapped",
    "sap_csv",
    "sap_flat",
    "sap_json",
    "sap_xml",
    "tally_answer",
    "tally_export",
    "token",
    "ubl",
];
/// Ways in which each kept input is damaged.
const DAMAGES: usize = 20;

/// Every kept text, damaged in ways drawn from one seed.
#[test]
fn damaged_texts_never_stop_a_reader() {
    // A small generator of its own: the same damage on every machine.
    let mut seed = 0x2545_f491_4f6c_dd1d_u64;
    let mut draw = |below: usize| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        usize::try_from(seed >> 33).unwrap() % below.max(1)
    };
    for target in TEXTS {
        for input in kept(target) {
            let whole = fs::read(input).unwrap();
            for _ in 0..DAMAGES {
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
                run(target, &bytes);
            }
        }
    }
}
