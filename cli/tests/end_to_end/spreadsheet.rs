//! From a workbook to the portal and back into a copy of it, killed at any moment in between.
//!
//! Aim: what the copy shows in the end is what the portal holds, once, beside the rows it belongs to. Method: the emulator
//! and the program as processes of their own; the program is killed again and again, and once at the very moment when all
//! is registered and nothing written. Bounded: a fixed number of kills and documents, loopback only.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use calamine::{Reader, Xlsx, open_workbook};
use einvoice_core::identifier::Gstin;
use einvoice_spreadsheet::testing;
use einvoice_testkit::documents::Recipe;

use crate::assert_registered_once;
use crate::process::{Emulator, Installation, Moments};

/// Documents of each supplier.
const DOCUMENTS: u32 = 15;
/// Runs that are killed.
const KILLS: u32 = 10;

/// A workbook of documents of every supplier; gives their number.
fn installed(emulator: &Emulator) -> (Installation, usize) {
    let installation = Installation::direct(emulator).over_workbooks();
    let documents: Vec<_> = emulator
        .suppliers()
        .iter()
        .flat_map(|supplier| {
            let supplier = Gstin::parse(supplier).unwrap();
            (1..=DOCUMENTS).map(move |number| Recipe::numbered(number).by(supplier).invoice())
        })
        .collect();
    let count = documents.len();
    fs::write(installation.path("inbox/sales.xlsx"), testing::workbook(documents).unwrap()).unwrap();
    (installation, count)
}

/// IRN by key, as the portal holds it.
fn registered(emulator: &Emulator) -> BTreeMap<String, String> {
    let text = |line: &serde_json::Value, name: &str| line[name].as_str().unwrap().to_owned();
    emulator.books().iter().map(|line| (text(line, "key"), text(line, "irn"))).collect()
}

/// IRN by key, as the copy shows it: each at the first row of its document, and nowhere else.
fn shown(copy: &Path) -> BTreeMap<String, String> {
    let mut book: Xlsx<_> = open_workbook(copy).unwrap();
    let range = book.worksheet_range("Invoices").unwrap();
    let rows: Vec<Vec<String>> = range.rows().map(|row| row.iter().map(ToString::to_string).collect()).collect();
    let column = |name: &str| {
        let found: Vec<usize> = (0..rows[0].len()).filter(|at| rows[0][*at] == name).collect();
        assert_eq!(found.len(), 1, "{name} stands in one column");
        found[0]
    };
    let (gstin, number, irn, state) =
        (column("Seller GSTIN"), column("Document Number *"), column("IRN"), column("Status"));
    let mut shown = BTreeMap::new();
    let mut last = String::new();
    for row in &rows[1..] {
        let key = format!("{}/2026-27/INV/{}", row[gstin], row[number]);
        assert_eq!(key != last, !row[irn].is_empty(), "{key}: the IRN stands in the first row of its document");
        if key != last {
            assert_eq!(row[state], "IRN_GENERATED", "{key}");
            assert_eq!(shown.insert(key.clone(), row[irn].clone()), None, "{key} stands there once");
        }
        last = key;
    }
    shown
}

/// Names of the files in a folder, but for the lock of the program.
fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = entries.filter(|name| !name.starts_with(".einvoice")).collect();
    names.sort();
    names
}

#[test]
fn killed_at_any_moment_the_copy_shows_in_the_end_what_the_portal_holds() {
    let mut moments = Moments::from_environment();
    let emulator = Emulator::start();
    let (installation, count) = installed(&emulator);
    installation.kill_runs(&emulator, &mut moments, KILLS);
    installation.finish(0);
    assert_registered_once(&emulator, &installation, count);
    let copy = installation.path("inbox/results/sales_result.xlsx");
    assert_eq!(shown(&copy), registered(&emulator));
    assert_eq!(names(&installation.path("inbox/results")), ["sales_result.xlsx"]);
    assert_eq!(names(&installation.path("inbox/done")), ["sales.xlsx"]);
    assert!(installation.status().iter().all(|line| line["delivered"] == true));

    // One more run writes nothing, and the copy dropped in again sends nothing.
    let stands = fs::read(&copy).unwrap();
    let calls = emulator.calls("generate_irn");
    assert_eq!(installation.run().code, 0);
    assert_eq!(fs::read(&copy).unwrap(), stands);
    fs::copy(&copy, installation.path("inbox/sales_result.xlsx")).unwrap();
    let answer = installation.run();
    assert_eq!(answer.code, 0, "{}", answer.text);
    assert_eq!(emulator.calls("generate_irn"), calls);
    assert_registered_once(&emulator, &installation, count);
}

#[test]
fn killed_before_its_copy_is_written_the_next_run_writes_it_and_sends_nothing_again() {
    let emulator = Emulator::start();
    let (installation, count) = installed(&emulator);
    // Another worker writes into the folder all the while: the program waits for it with everything registered.
    let results = installation.path("inbox/results");
    fs::create_dir(&results).unwrap();
    let other = fs::File::create(results.join(".einvoice.lock")).unwrap();
    other.lock().unwrap();
    let mut run = installation.start_with(&[]);
    emulator.wait_for_calls("generate_irn", u64::try_from(count).unwrap());
    run.kill().unwrap();
    run.wait().unwrap();
    other.unlock().unwrap();
    assert_eq!(names(&results), [""; 0]);
    installation.finish(0);
    assert_registered_once(&emulator, &installation, count);
    assert_eq!(emulator.calls("generate_irn"), u64::try_from(count).unwrap());
    assert_eq!(shown(&results.join("sales_result.xlsx")), registered(&emulator));
}

#[test]
fn results_that_have_no_place_are_owed_and_told_of_once() {
    let emulator = Emulator::start();
    let (installation, count) = installed(&emulator);
    installation.write("inbox/results", "a file, not a folder");
    let answer = installation.run();
    assert_eq!(answer.code, 1, "{}", answer.text);
    let told = format!("write-back results, {count} results");
    assert_eq!(answer.text.matches(&told).count(), 1, "{}", answer.text);
    assert!(
        answer.text.contains("sales_result.xlsx") && answer.text.contains("written by the next run"),
        "{}",
        answer.text
    );
    assert!(installation.status().iter().all(|line| line["delivered"] == false));
    fs::remove_file(installation.path("inbox/results")).unwrap();
    assert_eq!(installation.run().code, 0);
    assert_eq!(shown(&installation.path("inbox/results/sales_result.xlsx")), registered(&emulator));
}
