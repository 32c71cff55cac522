//! From files that SAP writes to the portal and back into files that SAP reads, killed at any moment in between.
//!
//! Aim: each file of each form is answered once and whole, with what the portal holds, whatever is killed when; a damaged
//! file between them is answered with its reason, put aside, and stops none; a document that comes again is answered again
//! and not sent again; programs that share a folder share its files. Method: emulator and program are processes of their
//! own, the program is killed again and again. Bounded: a fixed number of kills, loopback only.

use std::collections::BTreeMap;
use std::fs;
use std::ops::RangeInclusive;
use std::path::Path;
use std::time::Duration;

use einvoice_testkit::documents::{Recipe, gstin};
use einvoice_testkit::idocs::{Framing, IdocRecipe};
use serde_json::Value;

use crate::process::{Emulator, Installation, Moments, is_begun};

/// Files, and documents in each.
const FILES: u32 = 10;
const DOCUMENTS: u32 = 5;
/// Runs that are killed.
const KILLS: u32 = 10;
/// Of the file that is damaged, in the middle of the others, and the numbers of its documents: the first is whole.
const DAMAGED: &str = "out05-damaged";
const DAMAGED_NUMBERS: [u32; 2] = [9_001, 9_002];

/// A form in which SAP writes invoices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// Flat `IDoc`s.
    Flat,
    /// `IDoc`s in XML.
    Xml,
    /// The JSON of a file drop.
    Json,
    /// The rows of a file drop.
    Csv,
}

impl Form {
    const fn is_idoc(self) -> bool {
        matches!(self, Self::Flat | Self::Xml)
    }

    /// The name of a request that is answered as `stem`: those of a file drop bear the mark of one.
    fn request(self, stem: &str) -> String {
        match self {
            Self::Flat => format!("{stem}.idoc"),
            Self::Xml => format!("{stem}.xml"),
            Self::Json => format!("{stem}_P.json"),
            Self::Csv => format!("{stem}_P.csv"),
        }
    }

    /// The number of a document as the portal knows it.
    fn number(self, number: u32) -> String {
        match self {
            Self::Flat | Self::Xml => format!("S/{number}"),
            Self::Json => format!("T/{number}"),
            Self::Csv => format!("C/{number}"),
        }
    }

    /// Documents in one file.
    fn file(self, numbers: RangeInclusive<u32>) -> String {
        match self {
            Self::Flat => numbers.map(|number| IdocRecipe::numbered(number).flat(Framing::Cut)).collect(),
            Self::Xml => {
                let idocs: String = numbers.map(|number| IdocRecipe::numbered(number).xml()).collect();
                format!("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<INVOIC02>{idocs}</INVOIC02>\n")
            }
            Self::Json => format!("[{}]\n", numbers.map(wrapped).collect::<Vec<_>>().join(",\n")),
            Self::Csv => format!("{HEAD}\n{}", numbers.map(rows).collect::<String>()),
        }
    }

    /// Two documents in one file, the second of them damaged, and what is said of that.
    fn damaged(self) -> (String, &'static str) {
        let [first, second] = DAMAGED_NUMBERS;
        let file = self.file(first..=second);
        let cut = |end: &str| file[..file.rfind(end).unwrap()].to_owned();
        match self {
            Self::Flat => (
                file.replacen(
                    &format!("{:016}000003000000", 180_000 + second),
                    &format!("{:016}000009000000", 180_000 + second),
                    1,
                ),
                "has number 9",
            ),
            Self::Xml => (cut("<E1EDS01"), "ends"),
            Self::Json => (cut("\"ValDtls\""), "ends"),
            Self::Csv => (cut(";84818030"), "values"),
        }
    }
}

/// A document in JSON, with the keys of SAP beside it.
fn wrapped(number: u32) -> String {
    let document = Recipe { items: 2, ..Recipe::numbered(number) }.json();
    format!("{{\"BUKRS\":\"1000\",\"DOCNO\":\"{:010}\",\"transaction\":{document}}}", 90_000_000 + number)
}

const HEAD: &str = "DocDtls.Typ;DocDtls.No;FKDAT;SELLER_GSTIN;SELLER_NAME;SELLER_ADDR1;SELLER_CITY;SELLER_PIN;STCD3;NAME1;\
                    STRAS;ORT01;PSTLZ;BUKRS;VBELN;ARKTX;STEUC;FKIMG;VRKME;NETWR;GstRt";

/// A document of two items in rows.
fn rows(number: u32) -> String {
    let (seller, buyer, account) = (gstin(29, 1), gstin(27, 2), 90_000_000 + number);
    let row = |item: u32| {
        format!(
            "F2;C/{number};05.11.2026;{seller};Invented Valves Private Limited;Plot 12;Bengaluru;560058;{buyer};Invented \
             Traders;7 Station Road;Pune;411001;1000;{account:010};Valve {item};84818030;2.000;PCE;{item}00.00;18.00\n"
        )
    };
    row(1) + &row(2)
}

fn emulator() -> Emulator {
    Emulator::start_for(&[gstin(29, 1).as_str()])
}

/// The numbers of the documents of a file.
fn numbers(file: u32) -> RangeInclusive<u32> {
    file * 100 + 1..=file * 100 + DOCUMENTS
}

fn stem(file: u32) -> String {
    format!("out{file:02}")
}

/// Puts the files of a day into the inbox.
fn fill(inbox: &Path, form: Form) {
    fs::create_dir_all(inbox).unwrap();
    for file in 1..=FILES {
        fs::write(inbox.join(form.request(&stem(file))), form.file(numbers(file))).unwrap();
    }
}

/// What the answer to a file tells.
#[derive(Debug, Default, PartialEq, Eq)]
struct Answered {
    /// IRN by invoice number.
    irns: BTreeMap<String, String>,
    /// What is wrong with the other documents, and where that stands.
    reasons: Vec<(String, String)>,
}

/// The answer to a file: each document once, in all forms of results.
fn answered(answers: &Path, form: Form, stem: &str) -> Answered {
    let read = |name: String| fs::read_to_string(answers.join(name)).unwrap();
    let response: Vec<Value> = serde_json::from_str(&read(format!("{stem}_R.json"))).unwrap();
    let mut answered = Answered::default();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    for one in &response {
        if one["document_status"] == "IRN_GENERATED" {
            let irn = text(&one["govt_response"]["Irn"]);
            let known = answered.irns.insert(text(&one["custom_fields"]["ODN"]), irn);
            assert_eq!(known, None, "{stem} has an answer twice");
            assert_eq!(one["errors"], Value::Null, "{one}");
        } else {
            assert_eq!(one["govt_response"], Value::Null, "{one}");
            let error = &one["errors"][0];
            answered.reasons.push((text(&error["error_message"]), text(&error["place"])));
        }
    }
    let rows = read(format!("{stem}_INVREFNUM_R.csv"));
    assert_eq!(rows.lines().count(), response.len() + 1, "{rows}");
    assert!(answered.irns.values().all(|irn| rows.matches(irn.as_str()).count() == 1), "{rows}");
    assert_eq!(rows.matches(";ERR;").count(), answered.reasons.len(), "{rows}");
    let statuses = read(format!("{stem}_STATUS_R.xml"));
    let taken = if form.is_idoc() { answered.irns.len() } else { 0 };
    assert_eq!(statuses.matches("<STATUS>16</STATUS>").count(), taken, "{statuses}");
    answered
}

/// What lies in a folder, folders aside.
fn files(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().map(Result::unwrap);
    let files = entries.filter(|entry| entry.path().is_file());
    let mut names: Vec<String> = files.map(|entry| entry.file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// Runs are killed over files of a form until all is answered, and over some of them that come again.
fn killed_in_between(form: Form) {
    let mut moments = Moments::from_environment();
    let emulator = emulator();
    let installation = Installation::direct(&emulator);
    let (inbox, answers) = (installation.path("in"), installation.path("out"));
    let installation = installation.over_sap(&emulator, Path::new("in"), Path::new("out"));
    fill(&inbox, form);
    let (damaged, fault) = form.damaged();
    fs::write(inbox.join(form.request(DAMAGED)), damaged).unwrap();
    let killed = installation.kill_runs(&emulator, &mut moments, KILLS);
    // The damaged document waits for a person.
    installation.finish(1);

    let portal = emulator.registered();
    let sent: Vec<u32> = (1..=FILES).flat_map(numbers).chain([DAMAGED_NUMBERS[0]]).collect();
    let mut wanted: Vec<String> = sent.iter().map(|number| form.number(*number)).collect();
    wanted.sort();
    assert_eq!(portal.keys().cloned().collect::<Vec<_>>(), wanted);
    let stems = || (1..=FILES).map(stem);
    let mut told = BTreeMap::new();
    for stem in stems() {
        let answer = answered(&answers, form, &stem);
        assert_eq!(answer.reasons, [], "{stem}");
        told.extend(answer.irns);
    }
    let answer = answered(&answers, form, DAMAGED);
    let [(reason, place)] = answer.reasons.as_slice() else { panic!("{answer:?}") };
    assert!(reason.contains(fault) && place.contains(&form.request(DAMAGED)), "{place}: {reason}");
    told.extend(answer.irns);
    assert_eq!(told, portal);

    let done: Vec<String> = stems().map(|stem| form.request(&stem)).collect();
    assert_eq!(files(&inbox.join("done")), done);
    assert_eq!(files(&inbox.join("needs-person")), [form.request(DAMAGED)]);
    let kept: &[&str] = if form.is_idoc() { &["idocs.txt"] } else { &[] };
    let left = fs::read_dir(inbox.join("work")).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert_eq!(left.collect::<Vec<_>>(), kept, "the numbers of IDocs alone stay in the working folder");
    assert_eq!(files(&inbox), [""; 0]);
    let results = |stem: String| ["_INVREFNUM_R.csv", "_R.json", "_STATUS_R.xml"].map(|end| format!("{stem}{end}"));
    let mut wanted: Vec<String> = stems().chain([DAMAGED.to_owned()]).flat_map(results).collect();
    wanted.sort();
    let (begun, written): (Vec<_>, Vec<_>) = files(&answers).into_iter().partition(|name| is_begun(name));
    assert_eq!(written, wanted);
    assert!(begun.len() <= killed, "a kill leaves one begun file at most: {begun:?}");

    // Unchanged, in later files, under another name and under the same; the answer to the latter was taken away.
    let sent = emulator.calls("generate_irn");
    fs::write(inbox.join(form.request("late")), form.file(numbers(2))).unwrap();
    fs::write(inbox.join(form.request("out03")), form.file(numbers(3))).unwrap();
    fs::remove_file(answers.join("out03_R.json")).unwrap();
    for _ in 0..4 {
        installation.run_and_kill(moments.next_within(Duration::from_millis(400)));
    }
    installation.finish(1);
    assert_eq!(answered(&answers, form, "late"), answered(&answers, form, "out02"));
    let again = answered(&answers, form, "out03").irns;
    assert!(
        again.len() == usize::try_from(DOCUMENTS).unwrap()
            && again.iter().all(|(number, irn)| portal.get(number) == Some(irn))
    );
    assert_eq!(emulator.registered(), portal);
    assert_eq!(emulator.calls("generate_irn"), sent, "nothing was sent for them");
    assert_eq!((files(&inbox), files(&inbox.join("done")).len()), (Vec::new(), done.len() + 2));

    // Another run writes nothing.
    let shown = || files(&answers).into_iter().map(|name| fs::read(answers.join(name)).unwrap()).collect::<Vec<_>>();
    let before = shown();
    installation.finish(1);
    assert_eq!(shown(), before);
}

#[test]
fn killed_at_any_moment_every_flat_idoc_file_is_answered_once_and_again_when_it_comes_again() {
    killed_in_between(Form::Flat);
}

#[test]
fn killed_at_any_moment_every_xml_idoc_file_is_answered_once_and_again_when_it_comes_again() {
    killed_in_between(Form::Xml);
}

#[test]
fn killed_at_any_moment_every_json_request_is_answered_once_and_again_when_it_comes_again() {
    killed_in_between(Form::Json);
}

#[test]
fn killed_at_any_moment_every_csv_request_is_answered_once_and_again_when_it_comes_again() {
    killed_in_between(Form::Csv);
}

#[test]
fn two_programs_on_one_folder_share_its_files() {
    let emulator = emulator();
    let shared = tempfile::tempdir().unwrap();
    let (inbox, answers) = (shared.path().join("in"), shared.path().join("out"));
    fill(&inbox, Form::Flat);
    // Each has a ledger of its own, so that nothing but the folder keeps them apart.
    let programs = [(); 2].map(|()| Installation::direct(&emulator).over_sap(&emulator, &inbox, &answers));
    let mut runs = programs.each_ref().map(|program| program.start_with(&[]));
    for run in &mut runs {
        assert!(run.wait().unwrap().success());
    }
    let portal = emulator.registered();
    assert_eq!(portal.len(), usize::try_from(FILES * DOCUMENTS).unwrap());
    let told: BTreeMap<String, String> =
        (1..=FILES).flat_map(|file| answered(&answers, Form::Flat, &stem(file)).irns).collect();
    assert_eq!(told, portal);
    let has = |program: &Installation| program.status().len();
    let [first, second] = programs.each_ref().map(has);
    println!("{first} and {second} documents");
    assert_eq!(first + second, portal.len(), "no document is in both ledgers");
    assert_eq!(emulator.calls("generate_irn"), u64::from(FILES * DOCUMENTS), "none was sent twice");
}
