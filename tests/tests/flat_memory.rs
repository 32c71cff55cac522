//! Reading takes the same memory however long its input is.
//!
//! Aim: nothing is kept of what was handed over. Method: a short and a long input of each kind are read and mapped as a
//! run does it, by the sources as a configuration builds them, and the bytes in use at the peak are compared. The text of
//! the records that the long input has more is many times what is allowed, so that a source that kept them would fail. A
//! test binary of its own, since an allocator is that of a whole program. Tables are read so in the tests of `database`.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests: a failure here is a failed test")]

#[path = "../examples/formats/files.rs"]
mod files;

use std::sync::Arc;

use einvoice_core::clock::ManualClock;
use einvoice_tally::TallySource;
use einvoice_tally::config::TallySourceConfig;
use einvoice_testkit::reading_memory::{CountedReading, Counting, CountingAllocator};
use einvoice_testkit::tally_stand_in::TallyStandIn;

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

/// How many times longer the long input is.
const LONGER: u32 = 8;
/// What a longer input may take: the reader may be further ahead of the mapper at times (64 records at most), and of each
/// record a hash or a fate is remembered.
const GROWTH_BYTES_MAX: usize = 500_000;

fn assert_flat(short: CountedReading, long: CountedReading) {
    let more = long.content_bytes - short.content_bytes;
    assert!(more > 4 * GROWTH_BYTES_MAX, "too little to tell whether it is kept: {more} bytes of records");
    assert!(long.peak_bytes < short.peak_bytes + GROWTH_BYTES_MAX, "{short:?}, then {long:?}");
}

/// Files with so many invoices, of three items each, and with eight times as many.
async fn files_take_the_same(format: &str, invoices: u32) {
    let counting = Counting::alone().await;
    let mut readings = Vec::new();
    for invoices in [invoices, LONGER * invoices] {
        let folder = tempfile::tempdir().unwrap();
        let source = files::open(format, folder.path(), invoices, 3).unwrap();
        let reading = counting.read(&*source).await;
        assert_eq!(reading.documents + reading.others, usize::try_from(invoices).unwrap(), "{format}");
        assert!(reading.documents > reading.others, "{format}: {reading:?}");
        readings.push(reading);
    }
    assert_flat(readings[0], readings[1]);
}

#[tokio::test]
async fn a_long_flat_idoc_file_takes_no_more_memory_than_a_short_one() {
    files_take_the_same("idoc-flat", 200).await;
}

#[tokio::test]
async fn a_long_day_book_takes_no_more_memory_than_a_short_one() {
    files_take_the_same("tally", 200).await;
}

#[tokio::test]
async fn a_long_workbook_takes_no_more_memory_than_a_short_one() {
    files_take_the_same("xlsx", 200).await;
}

#[tokio::test]
async fn a_long_csv_file_takes_no_more_memory_than_a_short_one() {
    files_take_the_same("csv", 200).await;
}

#[tokio::test]
async fn a_long_file_of_json_lines_takes_no_more_memory_than_a_short_one() {
    files_take_the_same("inv01-json", 400).await;
}

/// The stand-in makes the day book while it sends it, in this process, and is counted with its reader.
#[tokio::test]
async fn a_long_day_of_a_running_tally_takes_no_more_memory_than_a_short_one() {
    const COMPANY: &str = "Deccan Valves Private Limited (26-27)";
    let counting = Counting::alone().await;
    let day_book = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/quickstart/daybook.xml");
    let tally = TallyStandIn::start(COMPANY, &std::fs::read_to_string(day_book).unwrap());
    tally.be_release(7);
    for envelope in ["xml", "json"] {
        let mut readings = Vec::new();
        // Two vouchers are of the day.
        for copies in [100, 100 * u64::from(LONGER)] {
            tally.repeat_day("20261117", copies);
            let config: TallySourceConfig = serde_json::from_value(serde_json::json!({
                "url": tally.url(), "company": COMPANY, "from": "2026-11-17", "envelope": envelope,
            }))
            .unwrap();
            let clock = ManualClock::jumping("2026-11-17T06:30:00Z".parse().unwrap());
            let source = TallySource::live(config, Arc::new(clock)).unwrap();
            let reading = counting.read(&source).await;
            assert_eq!(reading.documents + reading.others, usize::try_from(2 * copies).unwrap(), "{envelope}");
            readings.push(reading);
        }
        assert_flat(readings[0], readings[1]);
    }
    assert!(tally.answered_in_json() > 0);
}
