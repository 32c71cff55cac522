//! Mapping of Tally vouchers: the day book of the quickstart.

use std::path::Path;

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use einvoice_core::source::{InvoiceSource, Mapped, SourceItem, SourceRecord};
use einvoice_tally::TallySource;
use futures_util::StreamExt;
use serde_json::json;

fn day_book() -> TallySource {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/quickstart");
    TallySource::new(folder, serde_json::from_value(json!({"path": "daybook.xml", "settle_ms": 0})).unwrap()).unwrap()
}

async fn records(source: &TallySource) -> Vec<SourceRecord> {
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

/// One voucher that becomes a document.
#[divan::bench]
fn map_a_voucher(bencher: Bencher<'_, '_>) {
    let source = day_book();
    let records = runtime().block_on(records(&source));
    let record = records.iter().find(|record| matches!(source.map(record), Mapped::Document(_))).unwrap();
    bencher.bench(|| source.map(black_box(record)));
}

/// The whole file: decoding, splitting and mapping every voucher.
#[divan::bench]
fn read_and_map_a_day_book(bencher: Bencher<'_, '_>) {
    let (source, runtime) = (day_book(), runtime());
    let vouchers = runtime.block_on(records(&source)).len();
    bencher.counter(ItemsCount::new(vouchers)).bench(|| {
        let records = runtime.block_on(records(&source));
        records.iter().map(|record| source.map(record)).collect::<Vec<_>>()
    });
}
