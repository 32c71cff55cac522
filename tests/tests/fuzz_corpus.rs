//! The kept inputs of the fuzz targets, replayed without a fuzzer.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests fail as tests do")]

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
    let mut broken = Vec::new();
    for (target, _) in TARGETS {
        let inputs = kept(target);
        assert!(inputs.len() >= INPUTS_MIN, "{target} keeps {} inputs", inputs.len());
        for input in inputs {
            let bytes = fs::read(&input).unwrap();
            if std::panic::catch_unwind(|| run(target, &bytes)).is_err() {
                broken.push(input);
            }
        }
    }
    assert!(broken.is_empty(), "these break a promise of their targets: {broken:#?}");
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
const TEXTS: [&str; 16] = [
    "ewb_reply",
    "gobl",
    "gsp_profile",
    "gsp_recording",
    "gsp_reply",
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
/// Names the targets, with blanks between them, whose inputs are damaged, in place of the texts.
const TARGETS_ASKED: &str = "EINVOICE_FUZZ_TARGETS";
/// Says in how many ways each input is damaged.
const DAMAGES_ASKED: &str = "EINVOICE_FUZZ_DAMAGES";
/// Begins another row of damages than that of every day.
const SEED_ASKED: &str = "EINVOICE_FUZZ_SEED";

/// A small generator of its own: the same damage on every machine.
struct Drawn(u64);

impl Drawn {
    fn below(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap() % below.max(1)
    }

    /// Some bytes of an input, most often few.
    fn piece<'b>(&mut self, bytes: &'b [u8]) -> &'b [u8] {
        let from = self.below(bytes.len());
        let most = [4, 40, 400][self.below(3)];
        &bytes[from..(from + self.below(most)).min(bytes.len())]
    }

    /// Damages an input, with pieces of another one of its kind among what is put in.
    fn damage(&mut self, bytes: &mut Vec<u8>, other: &[u8]) {
        for _ in 0..=self.below(4) {
            let at = self.below(bytes.len()).min(bytes.len());
            match self.below(6) {
                0 => bytes.truncate(at),
                1 => drop(bytes.drain(at..(at + self.below(40)).min(bytes.len()))),
                2 => bytes.insert(at, u8::try_from(self.below(256)).unwrap()),
                3 => drop(bytes.splice(at..at, self.piece(other).to_vec())),
                4 => {
                    let end = (at + self.below(40)).min(bytes.len());
                    drop(bytes.splice(at..end, self.piece(other).to_vec()));
                }
                _ => {
                    if let Some(byte) = bytes.get_mut(at) {
                        *byte = b"\n\r\"<>;,\xff 0-"[self.below(11)];
                    }
                }
            }
        }
    }
}

/// Every kept text, damaged in ways drawn from one seed. Asked by its variables it damages other inputs, in more ways.
#[test]
fn damaged_texts_never_stop_a_reader() {
    let asked = |name: &str| std::env::var(name).ok();
    let number = |name: &str| asked(name).map(|text| text.parse::<u64>().unwrap());
    let targets = asked(TARGETS_ASKED).unwrap_or_else(|| TEXTS.join(" "));
    let damages = number(DAMAGES_ASKED).map_or(DAMAGES, |count| usize::try_from(count).unwrap());
    let mut drawn = Drawn(number(SEED_ASKED).unwrap_or_default() ^ 0x2545_f491_4f6c_dd1d);
    let folder = tempfile::tempdir().unwrap();
    for target in targets.split_whitespace() {
        let inputs: Vec<Vec<u8>> = kept(target).iter().map(|input| fs::read(input).unwrap()).collect();
        for input in &inputs {
            for _ in 0..damages {
                let mut bytes = input.clone();
                let other = &inputs[drawn.below(inputs.len())];
                drawn.damage(&mut bytes, other);
                if std::panic::catch_unwind(|| run(target, &bytes)).is_err() {
                    let place = folder.keep().join("broken");
                    fs::write(&place, &bytes).unwrap();
                    panic!("{} breaks a promise of {target}", place.display());
                }
            }
        }
    }
}
