//! The contracts of source and write-back, kept by workbooks.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fmt::Write as _;
use std::future::{Ready, ready};
use std::path::Path;
use std::sync::Arc;

use calamine::{Reader, open_workbook_auto};
use einvoice_core::clock::ManualClock;
use einvoice_core::entropy::SystemEntropy;
use einvoice_core::registry::{BuildContext, read_settings};
use einvoice_core::write_back::WriteBack;
use einvoice_spreadsheet::{SourceConfig, SpreadsheetSource, SpreadsheetWriteBack, WriteBackConfig};
use einvoice_testkit::source_suite::SourceFixture;
use einvoice_testkit::write_back_suite::{Shown, WriteBackFixture, files_below};

fn context(folder: &Path) -> BuildContext {
    let noon = "2026-11-05T06:30:00Z".parse().unwrap();
    BuildContext::new("test", folder, Arc::new(ManualClock::new(noon)), SystemEntropy::shared())
}

/// A list of three documents, one of which stands beside an item without a number.
fn documents_and_an_item_without_a_number() -> Ready<SourceFixture> {
    let folder = tempfile::tempdir().unwrap();
    let rows = "Document Type,Document Number,Document Date,Buyer GSTIN,HSN Code,Taxable value\n\
                INV,A/1,05/11/2026,27AAACI1234E1Z6,8481,100\n\
                INV,A/2,05/11/2026,27AAACI1234E1Z6,8481,100\n\
                INV,A/3,05/11/2026,27AAACI1234E1Z6,8481,100\n\
                ,,,,8482,50\n";
    std::fs::write(folder.path().join("sales.csv"), rows).unwrap();
    let context = context(folder.path());
    let settings = serde_json::json!({ "path": "*.csv", "settle_ms": 0 });
    let source = SpreadsheetSource::new(&context, &read_settings(&context, settings).unwrap()).unwrap();
    ready(SourceFixture::new(Arc::new(source), 2, 2).keeping(folder))
}

/// What a person sees in the copies, and the bytes of everything.
fn shown(folder: &Path) -> Shown {
    let mut shown = files_below(folder);
    for name in shown
        .keys()
        .filter(|name| Path::new(name).extension().is_some_and(|ending| ending == "xlsx"))
        .cloned()
        .collect::<Vec<_>>()
    {
        let mut book = open_workbook_auto(folder.join(&name)).unwrap();
        let mut text = String::new();
        for sheet in book.sheet_names() {
            for (row, column, value) in book.worksheet_range(&sheet).unwrap().used_cells() {
                writeln!(text, "{sheet} {row} {column} {value}").unwrap();
            }
        }
        shown.insert(format!("{name} as shown"), text.into_bytes());
    }
    shown
}

fn an_empty_folder() -> Ready<WriteBackFixture> {
    a_folder_for("sales.xlsx")
}

fn an_empty_folder_for_text_files() -> Ready<WriteBackFixture> {
    a_folder_for("sales.csv")
}

fn a_folder_for(name: &str) -> Ready<WriteBackFixture> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_owned();
    let reopened = path.clone();
    let open = |path: &Path| -> Arc<dyn WriteBack> {
        Arc::new(SpreadsheetWriteBack::new(&context(path), WriteBackConfig::default()))
    };
    let request = path.join(name);
    let fixture = WriteBackFixture::new(open(&path), move || shown(&path))
        .reopened_by(move || open(&reopened))
        .at(&request.to_string_lossy())
        .keeping(folder);
    ready(fixture)
}

einvoice_testkit::source_conformance!(documents_and_an_item_without_a_number);

mod workbooks {
    use super::*;
    einvoice_testkit::write_back_conformance!(an_empty_folder);
}

mod text_files {
    use super::*;
    einvoice_testkit::write_back_conformance!(an_empty_folder_for_text_files);
}

/// Settings in examples and README are those of the configuration types.
#[test]
fn the_examples_are_configurations_that_load() {
    let readme = include_str!("../README.md");
    let blocks = readme.split("```toml").skip(1).filter_map(|rest| rest.split("```").next());
    let examples = [include_str!("../examples/source.toml"), include_str!("../examples/write_back.toml")];
    let mut loaded = 0;
    for text in blocks.chain(examples) {
        let table: toml::Table = text.parse().unwrap();
        for (role, parts) in &table {
            for part in parts.as_array().unwrap() {
                let mut part = part.as_table().unwrap().clone();
                assert_eq!(part.remove("plugin").unwrap().as_str(), Some("spreadsheet"));
                part.remove("name");
                if role == "source" {
                    let config: SourceConfig = part.try_into().unwrap();
                    SpreadsheetSource::new(&context(Path::new(".")), &config).unwrap();
                } else {
                    let _config: WriteBackConfig = part.try_into().unwrap();
                }
                loaded += 1;
            }
        }
    }
    assert!(loaded >= 4, "{loaded}");
}
