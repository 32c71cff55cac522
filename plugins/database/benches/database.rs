//! Reading and mapping rows, by the staging tables of a `SQLite` file.
//!
//! `cargo bench -p einvoice-database` measures; what was found is in the guide of `einvoice-core`, under measurements.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a benchmark that cannot be set up should stop"
)]

#[path = "../tests/database/books.rs"]
mod books;
#[path = "../tests/database/place.rs"]
#[expect(dead_code, reason = "tests use all of it")]
mod place;

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use einvoice_core::source::{InvoiceSource, SourceItem, SourceRecord};
use einvoice_database::{DatabaseSource, Dialect};
use futures_util::StreamExt as _;
use serde_json::json;

use place::{Place, SQLITE};

/// Nothing is measured over ODBC.
fn is_installed(_: &str) -> bool {
    false
}

/// Six-item documents in the tables.
const DOCUMENTS: u32 = 500;

fn tables() -> (Place, DatabaseSource) {
    let place = Place::staged(SQLITE).unwrap();
    let rows = books::numbered(Dialect::Sqlite, DOCUMENTS);
    place.run(&format!("BEGIN; {rows} COMMIT;"));
    let source = place.source_with(json!({}));
    (place, source)
}

async fn records(source: &DatabaseSource) -> Vec<SourceRecord> {
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

/// One document of six items, rows to INV-01.
#[divan::bench]
fn map_a_document(bencher: Bencher<'_, '_>) {
    let (_place, source) = tables();
    let records = runtime().block_on(records(&source));
    bencher.bench(|| source.map(black_box(&records[0])));
}

/// All of them: asking the database, grouping rows, and mapping.
#[divan::bench]
fn read_and_map_the_tables(bencher: Bencher<'_, '_>) {
    let ((_place, source), runtime) = (tables(), runtime());
    bencher.counter(ItemsCount::new(DOCUMENTS)).bench(|| {
        let records = runtime.block_on(records(&source));
        records.iter().map(|record| source.map(record)).collect::<Vec<_>>()
    });
}

fn main() {
    divan::main();
}
