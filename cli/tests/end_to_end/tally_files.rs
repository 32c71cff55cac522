//! From files that Tally exported to the portal and back into the file that Tally imports, killed at any moment in between.
//!
//! Aim: each voucher is registered once, whatever form its export has, and the file to import answers each once and whole,
//! with what the portal holds; vouchers that are exported once more send nothing again. Method: a person at a stand-in for
//! Tally exports its books and imports the results, the emulator and the program are processes of their own, the program is
//! killed again and again. Bounded: a fixed number of vouchers and kills, loopback only.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::time::Duration;

use einvoice_testkit::tally_stand_in::{TallyStandIn, as_json};
use einvoice_testkit::write_back_suite::files_below;
use serde_json::Value;

use crate::process::{Emulator, Installation, Moments, is_begun};
use crate::tally::{GSTIN, shown, tally};

/// Runs that are killed.
const KILLS: u32 = 10;
/// Vouchers of the books that are copied, one inside the state and one to another, and how often each.
const COPIED: [u64; 2] = [4_201, 4_202];
const COPIES: u64 = 20;
/// Vouchers of the books that are none for the portal, and those that are wrong on purpose.
const PASSED_OVER: [&str; 2] = ["DV/26-27/0422", "DV/26-27/0423"];
const WRONG: [&str; 2] = ["DV/26-27/0425", "DV/26-27/0426"];

/// The forms in which a person may export.
#[derive(Debug, Clone, Copy)]
enum Form {
    Utf8,
    Utf16,
    /// That of release 7.
    Json,
}

impl Form {
    fn bytes(self, export: &str) -> Vec<u8> {
        match self {
            Self::Utf8 => export.as_bytes().to_vec(),
            Self::Utf16 => format!("\u{feff}{export}").encode_utf16().flat_map(u16::to_le_bytes).collect(),
            Self::Json => as_json(export).into_bytes(),
        }
    }
}

/// Tally with the quickstart's books and copies of some vouchers.
fn books() -> TallyStandIn {
    let tally = tally();
    for id in COPIED {
        tally.copy(id, COPIES);
    }
    tally
}

/// The numbers of the vouchers that the portal gets.
fn wanted(tally: &TallyStandIn) -> BTreeSet<String> {
    let numbers = tally.master_ids().into_iter().map(|id| tally.field(id, "VOUCHERNUMBER").unwrap().to_uppercase());
    numbers.filter(|number| !PASSED_OVER.iter().chain(&WRONG).any(|other| other == number)).collect()
}

/// What the portal holds of each document: IRN, number and day of the acknowledgement, as Tally writes them.
fn held(emulator: &Emulator) -> BTreeMap<String, [String; 3]> {
    let line = |line: &Value| {
        let text = |name: &str| line[name].as_str().unwrap().to_owned();
        let day: String = text("ack_date").chars().take(10).filter(char::is_ascii_digit).collect();
        (text("irn"), [text("irn"), text("ack_no"), day])
    };
    let by_irn: BTreeMap<String, [String; 3]> = emulator.books().iter().map(line).collect();
    emulator.registered().into_iter().map(|(number, irn)| (number, by_irn[&irn].clone())).collect()
}

/// The same as the vouchers of Tally show it; each has its QR text too.
fn stored(tally: &TallyStandIn) -> BTreeMap<String, [String; 3]> {
    let of = |id: u64| {
        let field = |name: &str| tally.field(id, name).unwrap_or_default();
        let values = ["IRN", "IRNACKNO", "IRNACKDATE"].map(field);
        (!values[0].is_empty()).then(|| {
            assert_eq!(field("IRNQRCODE").split('.').count(), 3, "{}", field("VOUCHERNUMBER"));
            (field("VOUCHERNUMBER").to_uppercase(), values)
        })
    };
    tally.master_ids().into_iter().filter_map(of).collect()
}

/// The files of the results, those aside that a killed run had begun; of these there is one a kill at most.
fn results(installation: &Installation, killed: usize) -> BTreeMap<String, Vec<u8>> {
    let mut files = files_below(&installation.path("results"));
    let count = files.len();
    files.retain(|name, _| !is_begun(name));
    assert!(count - files.len() <= killed, "{:?}", files.keys());
    files
}

/// The list for people: the states by voucher, each once.
fn listed(results: &BTreeMap<String, Vec<u8>>) -> BTreeMap<String, String> {
    let mut reader = csv::Reader::from_reader(results["results-0001.csv"].as_slice());
    let mut states = BTreeMap::new();
    for row in reader.deserialize::<BTreeMap<String, String>>() {
        let row = row.unwrap();
        let known = states.insert(row["voucher_number"].to_uppercase(), row["state"].clone());
        assert_eq!(known, None, "{row:?}");
    }
    states
}

#[test]
fn killed_at_any_moment_the_file_to_import_answers_every_exported_voucher_once() {
    let mut moments = Moments::from_environment();
    let tally = books();
    let ids = tally.master_ids();
    assert_eq!(shown(&tally), BTreeMap::new(), "nothing is registered yet");
    let emulator = Emulator::start_for(&[GSTIN]);
    let installation = Installation::direct(&emulator).over_tally_files(&emulator);
    let exports = installation.path("exports");
    let export = |name: &str, form: Form, ids: &[u64]| {
        fs::write(exports.join(name), form.bytes(&tally.export(ids))).unwrap();
    };
    let parts: Vec<&[u64]> = ids.chunks(ids.len().div_ceil(4)).collect();
    for (part, (name, form)) in parts.iter().zip([
        ("day-1.xml", Form::Utf8),
        ("day-2.json", Form::Json),
        ("day-3.xml", Form::Utf16),
        ("day-4.json", Form::Json),
    ]) {
        export(name, form, part);
    }
    let exported = files_below(&exports);
    assert_eq!(exported.len(), 4);

    let mut killed = installation.kill_runs(&emulator, &mut moments, KILLS);
    // The vouchers that are wrong on purpose wait for a person.
    installation.finish(1);
    let portal = held(&emulator);
    assert_eq!(portal.keys().cloned().collect::<BTreeSet<_>>(), wanted(&tally));
    assert!(installation.status().iter().all(|line| line["delivered"] == true));
    let written = results(&installation, killed);
    let names: Vec<&str> = written.keys().map(String::as_str).collect();
    assert_eq!(names, ["results-0001.csv", "results-0001.xml", "state/results-0001.json"]);
    let states = listed(&written);
    assert_eq!(states.values().filter(|state| *state == "registered").count(), portal.len());
    assert_eq!(states.len(), portal.len() + WRONG.len(), "{states:?}");
    assert_eq!(files_below(&exports), exported, "exports stay as they are");

    // Exported once more, in every form and under other names, before anything was imported.
    let sent = emulator.calls("generate_irn");
    for (name, form) in [("again.json", Form::Json), ("again.xml", Form::Utf8), ("again-16.xml", Form::Utf16)] {
        export(name, form, &ids);
        killed += usize::from(installation.run_and_kill(moments.next_within(Duration::from_millis(400))));
    }
    installation.finish(1);
    assert_eq!((emulator.calls("generate_irn"), held(&emulator)), (sent, portal.clone()), "nothing was sent again");
    let import = &written["results-0001.xml"];
    assert_eq!(results(&installation, killed)["results-0001.xml"], *import);

    // Imported, and once more by mistake.
    for _ in 0..2 {
        let told = tally.import(std::str::from_utf8(import).unwrap());
        let altered = format!("<CREATED>0</CREATED><ALTERED>{}</ALTERED>", portal.len());
        assert!(told.contains(&altered) && told.contains("<ERRORS>0</ERRORS>"), "{told}");
        assert_eq!(stored(&tally), portal);
        assert_eq!(tally.master_ids(), ids, "no voucher was made");
    }

    // The vouchers have changed by that, and show an IRN wherever they are exported.
    let states = installation.states();
    for (name, form) in [("after.xml", Form::Utf8), ("after.json", Form::Json)] {
        export(name, form, &ids);
        killed += usize::from(installation.run_and_kill(moments.next_within(Duration::from_millis(400))));
    }
    installation.finish(1);
    assert_eq!((emulator.calls("generate_irn"), held(&emulator)), (sent, portal.clone()), "nothing was sent again");
    assert_eq!(installation.states(), states);
    let last = results(&installation, killed);
    assert_eq!(last["results-0001.xml"], *import);

    // Another run writes nothing.
    installation.finish(1);
    assert_eq!(results(&installation, killed), last);
}
