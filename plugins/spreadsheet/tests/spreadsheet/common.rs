//! A folder with a source and a target, and ways to look at copies.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use calamine::{Reader, open_workbook_auto};
use einvoice_core::clock::ManualClock;
use einvoice_core::entropy::SystemEntropy;
use einvoice_core::registry::{BuildContext, read_settings};
use einvoice_core::source::{InvoiceSource, Mapped, MappedDocument, SourceItem, SourceProblem, SourceRecord};
use einvoice_spreadsheet::SpreadsheetSource;
use futures_util::StreamExt;
use rust_xlsxwriter::{Workbook, Worksheet};
use serde_json::{Value, json};

pub(crate) fn context(folder: &Path) -> BuildContext {
    let noon = "2026-11-05T06:30:00Z".parse().unwrap();
    BuildContext::new("test", folder, Arc::new(ManualClock::new(noon)), SystemEntropy::shared())
}

pub(crate) fn source(folder: &Path, mut settings: Value) -> SpreadsheetSource {
    settings["settle_ms"] = json!(0);
    let context = context(folder);
    SpreadsheetSource::new(&context, &read_settings(&context, settings).unwrap()).unwrap()
}

/// Everything a reading gives.
#[derive(Debug, Default)]
pub(crate) struct Read {
    pub(crate) records: Vec<SourceRecord>,
    pub(crate) problems: Vec<SourceProblem>,
}

pub(crate) async fn read(source: &SpreadsheetSource) -> Read {
    let mut read = Read::default();
    let mut stream = source.fetch(None).await.unwrap();
    while let Some(item) = stream.next().await {
        match item.unwrap() {
            SourceItem::Record(record) => read.records.push(record),
            SourceItem::Problem(problem) => read.problems.push(problem),
            _ => {}
        }
    }
    read
}

impl Read {
    /// Problems as people read them.
    pub(crate) fn said(&self) -> Vec<String> {
        let said = |problem: &SourceProblem| {
            let finding = &problem.findings[0];
            format!("{}: {}", finding.place.as_deref().unwrap_or_default(), finding.message)
        };
        self.problems.iter().map(said).collect()
    }
}

pub(crate) fn document(source: &SpreadsheetSource, record: &SourceRecord) -> MappedDocument {
    match source.map(record) {
        Mapped::Document(mapped) => *mapped,
        other => panic!("{other:?}"),
    }
}

/// Reads one file of a new folder.
pub(crate) async fn read_file(name: &str, content: impl AsRef<[u8]>, mut settings: Value) -> (SpreadsheetSource, Read) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join(name), content).unwrap();
    settings["path"] = json!(".");
    let source = source(folder.path(), settings);
    let read = read(&source).await;
    (source, read)
}

/// A workbook of texts; `=` begins a number.
pub(crate) fn sheet(rows: &[&[&str]]) -> Vec<u8> {
    let mut workbook = Workbook::new();
    fill(workbook.add_worksheet(), rows);
    workbook.save_to_buffer().unwrap()
}

pub(crate) fn fill(sheet: &mut Worksheet, rows: &[&[&str]]) {
    for (cells, row) in rows.iter().zip(0..) {
        for (text, column) in cells.iter().zip(0..).filter(|(text, _)| !text.is_empty()) {
            match text.strip_prefix('=') {
                Some(number) => sheet.write_number(row, column, number.parse::<f64>().unwrap()).unwrap(),
                None => sheet.write_string(row, column, *text).unwrap(),
            };
        }
    }
}

/// What a workbook shows: sheet and cell to value.
pub(crate) fn shown(path: &Path) -> BTreeMap<String, String> {
    let mut book = open_workbook_auto(path).unwrap();
    let mut shown = BTreeMap::new();
    for name in book.sheet_names() {
        let range = book.worksheet_range(&name).unwrap();
        let (first_row, first_column) = range.start().unwrap_or_default();
        for (row, column, value) in range.used_cells() {
            let column = letters(u32::try_from(column).unwrap() + first_column);
            shown.insert(format!("{name}!{column}{}", u32::try_from(row).unwrap() + first_row + 1), value.to_string());
        }
    }
    shown
}

pub(crate) fn letters(column: u32) -> String {
    let letter = |number: u32| char::from(b'A' + u8::try_from(number % 26).unwrap());
    if column < 26 { letter(column).to_string() } else { format!("{}{}", letter(column / 26 - 1), letter(column)) }
}

/// One part of a workbook's archive.
pub(crate) fn part(path: &Path, name: &str) -> String {
    let mut archive = zip::ZipArchive::new(std::fs::File::open(path).unwrap()).unwrap();
    let mut text = String::new();
    let mut part = archive.by_name(name).unwrap_or_else(|error| panic!("{name}: {error}"));
    part.read_to_string(&mut text).unwrap();
    text
}

/// Everything below a folder that has an ending.
pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .map(|entries| entries.map(|entry| entry.unwrap().path()).filter(|path| path.extension().is_some()).collect())
        .unwrap_or_default();
    files.retain(|path| path.file_name().is_some_and(|name| name != ".einvoice.lock"));
    files.sort();
    files
}
