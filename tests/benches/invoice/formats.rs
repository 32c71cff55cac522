//! Every text format from its file to typed documents, by the sources as a configuration builds them.
//!
//! The reader has a thread of its own, so that the time of a whole file is that of the slower of the two; the program
//! `formats` among the examples measures the CPU time of both.

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use einvoice_core::source::{InvoiceSource, Mapped, SourceItem, SourceRecord};
use futures_util::StreamExt;

#[path = "../../examples/formats/files.rs"]
mod files;

/// Invoices in the files, and items of each.
const INVOICES: u32 = 500;
const ITEMS: u32 = 6;

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

async fn records(source: &dyn InvoiceSource) -> Vec<SourceRecord> {
    let items: Vec<_> = source.fetch(None).await.unwrap().collect().await;
    let record = |item| match item {
        Ok(SourceItem::Record(record)) => Some(record),
        _ => None,
    };
    items.into_iter().filter_map(record).collect()
}

/// Whole files.
#[divan::bench(args = files::FORMATS, sample_count = 30)]
fn read_and_map(bencher: Bencher<'_, '_>, format: &str) {
    let (folder, runtime) = (tempfile::tempdir().unwrap(), runtime());
    let source = files::open(format, folder.path(), INVOICES, ITEMS).unwrap();
    bencher.counter(ItemsCount::new(INVOICES)).bench(|| {
        let records = runtime.block_on(records(&*source));
        records.iter().filter(|record| matches!(source.map(record), Mapped::Document(_))).count()
    });
}

/// One record from its text, as one is mapped whose document was not kept from the reading.
#[divan::bench(args = files::FORMATS)]
fn map_one(bencher: Bencher<'_, '_>, format: &str) {
    let folder = tempfile::tempdir().unwrap();
    let source = files::open(format, folder.path(), 1, ITEMS).unwrap();
    let record = runtime().block_on(records(&*source)).swap_remove(0);
    // What was kept is given away once.
    assert!(matches!(source.map(&record), Mapped::Document(_)));
    bencher.bench(|| source.map(black_box(&record)));
}
