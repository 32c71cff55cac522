//! From workbooks to the portal and back into copies of them, killed at any moment in between.
//!
//! Aim: what the copies show in the end is what the portal holds, once, beside the rows it belongs to, whatever form the
//! workbooks have. Method: the emulator and the program as processes of their own; the program is killed again and again,
//! and once at the very moment when all is registered and nothing written. Bounded: a fixed number of kills and documents,
//! loopback only.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use calamine::{Reader, Xlsx, open_workbook};
use einvoice_core::document::Invoice;
use einvoice_core::identifier::Gstin;
use einvoice_spreadsheet::testing;
use einvoice_testkit::documents::Recipe;

use crate::assert_registered_once;
use crate::process::{Emulator, Installation, Moments};

/// Documents of each supplier in each workbook.
const DOCUMENTS: u32 = 4;
/// Runs that are killed.
const KILLS: u32 = 10;

/// A workbook that comes, and the copy that answers it.
#[derive(Debug, Clone, Copy)]
struct Book {
    name: &'static str,
    copy: &'static str,
    content: fn(Vec<Invoice>) -> Vec<u8>,
}

const XLSX: Book =
    Book { name: "sales.xlsx", copy: "sales_result.xlsx", content: |invoices| testing::workbook(invoices).unwrap() };
const CSV: Book =
    Book { name: "rows.csv", copy: "rows_result.csv", content: |invoices| testing::csv(invoices).unwrap() };
const ODS: Book = Book { name: "open.ods", copy: "open_result.xlsx", content: open_document };
/// What many programs export under the name of a workbook.
const HTML: Book = Book { name: "page.xls", copy: "page_result.xlsx", content: page };

/// The lines of a text file.
fn lines(text: &[u8]) -> Vec<Vec<String>> {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text);
    reader.records().map(|line| line.unwrap().iter().map(str::to_owned).collect()).collect()
}

/// Documents with their headings as a table, each row and each cell between two texts.
fn table(invoices: Vec<Invoice>, [row, end_of_row]: [&str; 2], [cell, end_of_cell]: [&str; 2]) -> String {
    let mut table = String::new();
    for line in lines(&testing::csv(invoices).unwrap()) {
        table.push_str(row);
        for value in line {
            let value = value.replace('&', "&amp;").replace('<', "&lt;");
            // Writing into a text cannot fail.
            _ = write!(table, "{cell}{value}{end_of_cell}");
        }
        table.push_str(end_of_row);
    }
    table
}

fn open_document(invoices: Vec<Invoice>) -> Vec<u8> {
    let rows = table(
        invoices,
        ["<table:table-row>", "</table:table-row>"],
        ["<table:table-cell office:value-type=\"string\"><text:p>", "</text:p></table:table-cell>"],
    );
    let spaces = ["office", "table", "text"]
        .map(|space| format!(" xmlns:{space}=\"urn:oasis:names:tc:opendocument:xmlns:{space}:1.0\""))
        .concat();
    let content = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><office:document-content{spaces}><office:body><office:spreadsheet>\
         <table:table table:name=\"Invoices\">{rows}</table:table></office:spreadsheet></office:body>\
         </office:document-content>"
    );
    testing::ods_of(content.as_bytes()).unwrap()
}

fn page(invoices: Vec<Invoice>) -> Vec<u8> {
    let rows = table(invoices, ["<tr>", "</tr>\n"], ["<td>", "</td>"]);
    format!("<html><meta charset=\"utf-8\"><table>{rows}</table></html>").into_bytes()
}

/// An inbox with these workbooks, in each documents of every supplier; gives the number of all.
fn installed(emulator: &Emulator, books: &[Book]) -> (Installation, usize) {
    let installation = Installation::direct(emulator).over_workbooks();
    let suppliers = emulator.suppliers();
    let mut count = 0;
    for (book, first) in books.iter().zip((1..).step_by(100)) {
        let of = |supplier: &String| {
            let supplier = Gstin::parse(supplier).unwrap();
            (first..first + DOCUMENTS).map(move |number| Recipe::numbered(number).by(supplier).invoice())
        };
        let invoices: Vec<Invoice> = suppliers.iter().flat_map(of).collect();
        count += invoices.len();
        fs::write(installation.path("inbox").join(book.name), (book.content)(invoices)).unwrap();
    }
    (installation, count)
}

/// IRN by key, as the portal holds it.
fn registered(emulator: &Emulator) -> BTreeMap<String, String> {
    let text = |line: &serde_json::Value, name: &str| line[name].as_str().unwrap().to_owned();
    emulator.books().iter().map(|line| (text(line, "key"), text(line, "irn"))).collect()
}

/// The rows of the first sheet of a copy, all of one width.
fn rows(copy: &Path) -> Vec<Vec<String>> {
    if copy.extension().is_some_and(|ending| ending == "csv") {
        let mut rows = lines(&fs::read(copy).unwrap());
        let width = rows[0].len();
        for row in &mut rows {
            row.resize(width, String::new());
        }
        return rows;
    }
    let mut book: Xlsx<_> = open_workbook(copy).unwrap();
    let range = book.worksheet_range_at(0).unwrap().unwrap();
    range.rows().map(|row| row.iter().map(ToString::to_string).collect()).collect()
}

/// IRN by key, as copies show it.
fn shown(results: &Path, books: &[Book]) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    for book in books {
        for (key, irn) in shown_in(&results.join(book.copy)) {
            assert_eq!(all.insert(key.clone(), irn), None, "{key} stands in one copy");
        }
    }
    all
}

/// IRN by key, as one copy shows it: each at the first row of its document, and nowhere else.
fn shown_in(copy: &Path) -> BTreeMap<String, String> {
    let rows = rows(copy);
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
fn killed_at_any_moment_the_copies_show_in_the_end_what_the_portal_holds() {
    let mut moments = Moments::from_environment();
    let emulator = Emulator::start();
    let books = [XLSX, CSV, ODS, HTML];
    let (installation, count) = installed(&emulator, &books);
    installation.kill_runs(&emulator, &mut moments, KILLS);
    installation.finish(0);
    assert_registered_once(&emulator, &installation, count);
    let results = installation.path("inbox/results");
    assert_eq!(shown(&results, &books), registered(&emulator));
    let sorted = |of: fn(&Book) -> &'static str| {
        let mut names = books.each_ref().map(of);
        names.sort_unstable();
        names
    };
    let copies = sorted(|book| book.copy);
    assert_eq!(names(&results), copies);
    assert_eq!(names(&installation.path("inbox/done")), sorted(|book| book.name));
    assert_eq!(names(&installation.path("inbox")), ["done", "results"]);
    assert!(installation.status().iter().all(|line| line["delivered"] == true));

    // One more run writes nothing, and the copies dropped in again send nothing.
    let stand = || copies.map(|copy| fs::read(results.join(copy)).unwrap());
    let before = stand();
    let calls = emulator.calls("generate_irn");
    assert_eq!(installation.run().code, 0);
    assert_eq!(stand(), before);
    for copy in copies {
        fs::copy(results.join(copy), installation.path("inbox").join(copy)).unwrap();
    }
    let answer = installation.run();
    assert_eq!(answer.code, 0, "{}", answer.text);
    assert_eq!(emulator.calls("generate_irn"), calls);
    assert_registered_once(&emulator, &installation, count);
    assert_eq!(shown(&results, &books), registered(&emulator));
}

#[test]
fn killed_before_its_copy_is_written_the_next_run_writes_it_and_sends_nothing_again() {
    for book in [XLSX, CSV] {
        let emulator = Emulator::start();
        let (installation, count) = installed(&emulator, &[book]);
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
        // The last answer may have been under way when the program ended.
        installation.finish(0);
        assert_registered_once(&emulator, &installation, count);
        assert_eq!(emulator.calls("generate_irn"), u64::try_from(count).unwrap());
        assert_eq!(shown(&results, &[book]), registered(&emulator));
    }
}

#[test]
fn results_that_have_no_place_are_owed_and_told_of_once() {
    let emulator = Emulator::start();
    let (installation, count) = installed(&emulator, &[XLSX]);
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
    assert_eq!(shown(&installation.path("inbox/results"), &[XLSX]), registered(&emulator));
}
