//! Documents in GOBL and UBL, from their files to the portal and back beside them, killed at any moment in between.
//!
//! Aim: each document is registered once, and whoever wrote its file finds the answer beside it, whatever form the file
//! has. Method: one file a document, of either form; the program is killed again and again. Bounded: a fixed number of
//! kills and documents, loopback only.

use std::collections::BTreeMap;
use std::fs;

use serde_json::Value;

use crate::assert_registered_once;
use crate::process::{Emulator, Installation, Moments};

const GOBL: &str = include_str!("../../../plugins/json-file/tests/json_file/samples/gobl.json");
const UBL: &str = include_str!("../../../plugins/json-file/tests/json_file/samples/ubl.xml");
/// Documents of each form for each supplier.
const DOCUMENTS: u32 = 6;
/// Runs that are killed.
const KILLS: u32 = 10;

/// The sample by another supplier under another number.
fn sample(sample: &str, supplier: &str, number: &str) -> String {
    let pin = match &supplier[..2] {
        "33" => "600001",
        "07" => "110001",
        _ => "560058",
    };
    sample
        .replace("29AAKCV7711B1Z9", supplier)
        .replace("560058", pin)
        .replace("\"0107\"", &format!("\"{number}\""))
        .replace("KV/108", number)
}

#[test]
fn killed_at_any_moment_gobl_and_ubl_are_registered_once_and_answered_beside_their_files() {
    let mut moments = Moments::from_environment();
    let emulator = Emulator::start();
    let installation = Installation::direct(&emulator);
    let config = fs::read_to_string(installation.path("einvoice.toml")).unwrap();
    installation.write("einvoice.toml", &config.replace("path = \"in/*.jsonl\"", "path = \"in\""));
    // By name of the response, the number of the document that it answers.
    let mut wanted = BTreeMap::new();
    for supplier in emulator.suppliers() {
        for number in 1..=DOCUMENTS {
            let name = format!("{}-{number}", &supplier[..2]);
            installation.write(&format!("in/gobl-{name}.json"), &sample(GOBL, &supplier, &format!("G{number}")));
            installation.write(&format!("in/ubl-{name}_P.xml"), &sample(UBL, &supplier, &format!("U/{number}")));
            wanted.insert(format!("gobl-{name}_R.json"), format!("KV-G{number}"));
            wanted.insert(format!("ubl-{name}_R.json"), format!("U/{number}"));
        }
    }

    installation.kill_runs(&emulator, &mut moments, KILLS);
    installation.finish(0);
    assert_registered_once(&emulator, &installation, wanted.len());

    let irns: BTreeMap<String, String> = emulator
        .books()
        .iter()
        .map(|line| (line["key"].as_str().unwrap().to_owned(), line["irn"].as_str().unwrap().to_owned()))
        .collect();
    for (name, number) in wanted {
        let text = fs::read_to_string(installation.path("in").join(&name)).unwrap();
        let answers: Vec<Value> = serde_json::from_str(&text).unwrap();
        let [answer] = answers.as_slice() else { panic!("{name}: {text}") };
        assert_eq!(
            (answer["DocNo"].as_str(), answer["document_status"].as_str()),
            (Some(&*number), Some("IRN_GENERATED"))
        );
        let irn = answer["Irn"].as_str().unwrap();
        assert!(irns.iter().any(|(key, known)| known == irn && key.ends_with(&number.to_uppercase())), "{name}: {irn}");
        assert!(answer["SignedQRCode"].as_str().is_some_and(|text| text.split('.').count() == 3), "{name}");
    }
}
