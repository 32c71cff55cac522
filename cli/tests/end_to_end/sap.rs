//! From files that SAP writes to the portal and back into files that SAP reads, killed at any moment in between.
//!
//! Aim: each file is answered once and whole, with what the portal holds, whatever is killed when; a document that comes
//! again is answered again and not sent again; programs that share a folder share its files. Method: emulator and program
//! are processes of their own, the program is killed again and again. Bounded: a fixed number of kills, loopback only.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

use einvoice_testkit::documents::gstin;
use einvoice_testkit::idocs::{Framing, IdocRecipe};
use serde_json::Value;

use crate::process::{Emulator, Installation, Moments};

/// Files, and `IDoc`s in each.
const FILES: u32 = 12;
const IDOCS: u32 = 5;
/// Runs that are killed.
const KILLS: u32 = 10;

fn emulator() -> Emulator {
    Emulator::start_for(&[gstin(29, 1).as_str()])
}

/// The `IDoc`s of one file.
fn idocs(file: u32) -> String {
    (1..=IDOCS).map(|number| IdocRecipe::numbered(file * 100 + number).flat(Framing::Cut)).collect()
}

/// Puts the files of a day into the inbox.
fn fill(inbox: &Path) {
    fs::create_dir_all(inbox).unwrap();
    for file in 1..=FILES {
        fs::write(inbox.join(format!("out{file:02}.idoc")), idocs(file)).unwrap();
    }
}

/// IRN by invoice number, as an answer file tells it: each once, in all forms.
fn answered(answers: &Path, file: &str) -> BTreeMap<String, String> {
    let read = |name: String| fs::read_to_string(answers.join(name)).unwrap();
    let response: Vec<Value> = serde_json::from_str(&read(format!("{file}_R.json"))).unwrap();
    let irns: BTreeMap<String, String> = response
        .iter()
        .map(|one| {
            assert_eq!(one["document_status"], "IRN_GENERATED", "{one}");
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            (text(&one["custom_fields"]["ODN"]), text(&one["govt_response"]["Irn"]))
        })
        .collect();
    assert_eq!(irns.len(), response.len(), "{file} has an answer twice");
    let rows = read(format!("{file}_INVREFNUM_R.csv"));
    assert_eq!(rows.lines().count(), response.len() + 1, "{rows}");
    assert!(irns.values().all(|irn| rows.matches(irn.as_str()).count() == 1), "{rows}");
    let statuses = read(format!("{file}_STATUS_R.xml"));
    assert_eq!(statuses.matches("<STATUS>16</STATUS>").count(), response.len(), "{statuses}");
    irns
}

/// What lies in a folder, folders aside.
fn files(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().map(Result::unwrap);
    let files = entries.filter(|entry| entry.path().is_file());
    let mut names: Vec<String> = files.map(|entry| entry.file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn killed_at_any_moment_every_file_of_sap_is_answered_once_and_again_when_it_comes_again() {
    let mut moments = Moments::from_environment();
    let emulator = emulator();
    let installation = Installation::direct(&emulator);
    let (inbox, answers) = (installation.path("in"), installation.path("out"));
    let installation = installation.over_sap(&emulator, Path::new("in"), Path::new("out"));
    fill(&inbox);
    installation.kill_runs(&emulator, &mut moments, KILLS);
    installation.finish(0);
    let portal = emulator.registered();
    assert_eq!(portal.len(), usize::try_from(FILES * IDOCS).unwrap());
    let names = || (1..=FILES).map(|file| format!("out{file:02}"));
    let told: BTreeMap<String, String> = names().flat_map(|name| answered(&answers, &name)).collect();
    assert_eq!(told, portal);
    let done: Vec<String> = names().map(|name| format!("{name}.idoc")).collect();
    assert_eq!(files(&inbox.join("done")), done);
    let left = fs::read_dir(inbox.join("work")).unwrap().count();
    assert_eq!((files(&inbox).len(), left), (0, 1), "the numbers of IDocs alone stay in the working folder");

    // Unchanged, in later files, under another name and under the same; the answer to the latter was taken away.
    let sent = emulator.calls("generate_irn");
    fs::write(inbox.join("late.idoc"), idocs(2)).unwrap();
    fs::write(inbox.join("out03.idoc"), idocs(3)).unwrap();
    fs::remove_file(answers.join("out03_R.json")).unwrap();
    for _ in 0..4 {
        installation.run_and_kill(moments.next_within(Duration::from_millis(400)));
    }
    installation.finish(0);
    assert_eq!(answered(&answers, "late"), answered(&answers, "out02"));
    assert!(answered(&answers, "out03").iter().all(|(number, irn)| portal.get(number) == Some(irn)));
    assert_eq!(emulator.registered(), portal);
    assert_eq!(emulator.calls("generate_irn"), sent, "nothing was sent for them");

    // Another run writes nothing.
    let shown = || files(&answers).into_iter().map(|name| fs::read(answers.join(name)).unwrap()).collect::<Vec<_>>();
    let before = shown();
    installation.finish(0);
    assert_eq!(shown(), before);
}

#[test]
fn two_programs_on_one_folder_share_its_files() {
    let emulator = emulator();
    let shared = tempfile::tempdir().unwrap();
    let (inbox, answers) = (shared.path().join("in"), shared.path().join("out"));
    fill(&inbox);
    // Each has a ledger of its own, so that nothing but the folder keeps them apart.
    let programs = [(); 2].map(|()| Installation::direct(&emulator).over_sap(&emulator, &inbox, &answers));
    let mut runs = programs.each_ref().map(|program| program.start_with(&[]));
    for run in &mut runs {
        assert!(run.wait().unwrap().success());
    }
    let portal = emulator.registered();
    assert_eq!(portal.len(), usize::try_from(FILES * IDOCS).unwrap());
    let told: BTreeMap<String, String> =
        (1..=FILES).flat_map(|file| answered(&answers, &format!("out{file:02}"))).collect();
    assert_eq!(told, portal);
    let has = |program: &Installation| program.status().len();
    let [first, second] = programs.each_ref().map(has);
    println!("{first} and {second} documents");
    assert_eq!(first + second, portal.len(), "no document is in both ledgers");
    assert_eq!(emulator.calls("generate_irn"), u64::from(FILES * IDOCS), "none was sent twice");
}
