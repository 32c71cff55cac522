//! Reading and mapping of sheets: a document of six rows, and whole files.

use std::path::Path;
use std::sync::Arc;

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use einvoice_core::clock::SystemClock;
use einvoice_core::entropy::SystemEntropy;
use einvoice_core::registry::BuildContext;
use einvoice_core::source::{InvoiceSource, SourceItem, SourceRecord};
use einvoice_spreadsheet::{SpreadsheetSource, testing};
use einvoice_testkit::documents::Recipe;
use futures_util::StreamExt;
use serde_json::json;

/// Documents in a file.
const DOCUMENTS: u32 = 500;

fn source(file: &Path) -> SpreadsheetSource {
    let context = BuildContext::new("bench", "", Arc::new(SystemClock), SystemEntropy::shared());
    let settings = json!({"path": file, "settle_ms": 0, "move_files": false});
    SpreadsheetSource::new(&context, &serde_json::from_value(settings).unwrap()).unwrap()
}

async fn records(source: &SpreadsheetSource) -> Vec<SourceRecord> {
    let items: Vec<_> = source.fetch(None).await.unwrap().collect().await;
    let record = |item| match item {
        Ok(SourceItem::Record(record)) => Some(record),
        _ => None,
    };
    items.into_iter().filter_map(record).collect()
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

fn file(ending: &str) -> (tempfile::TempDir, SpreadsheetSource) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(format!("sales.{ending}"));
    let invoices = (1..=DOCUMENTS).map(|number| Recipe::numbered(number).invoice());
    let content = if ending == "xlsx" { testing::workbook(invoices) } else { testing::csv(invoices) };
    std::fs::write(&path, content.unwrap()).unwrap();
    let source = source(&path);
    (folder, source)
}

/// The record of one document of six rows, mapped from its text.
#[divan::bench]
fn map_a_record_of_six_rows(bencher: Bencher<'_, '_>) {
    let (_folder, source) = file("csv");
    let mut record = runtime().block_on(records(&source)).swap_remove(0);
    record.context = None;
    bencher.bench(|| source.map(black_box(&record)));
}

/// A whole file: both passes, grouping, mapping.
#[divan::bench(args = ["csv", "xlsx"])]
fn read_and_map_six_rows_a_document(bencher: Bencher<'_, '_>, ending: &str) {
    let ((_folder, source), runtime) = (file(ending), runtime());
    bencher.counter(ItemsCount::new(DOCUMENTS)).bench(|| {
        let records = runtime.block_on(records(&source));
        records.iter().map(|record| source.map(record)).collect::<Vec<_>>()
    });
}
