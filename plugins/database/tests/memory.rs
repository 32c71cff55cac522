//! Reading a long table takes the same memory as a short one.
//!
//! Aim: nothing is kept of rows that were handed over. Method: few and many documents in the staging tables are read and
//! mapped as a run does it, and the bytes in use at the peak are compared. A test binary of its own, since an allocator is
//! that of a whole program. What `SQLite` takes inside is not counted; its cache has a fixed size.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests: a failure here is a failed test"
)]

#[path = "database/books.rs"]
mod books;
#[path = "database/place.rs"]
#[expect(dead_code, reason = "other tests use all of it")]
mod place;

use einvoice_testkit::reading_memory::{Counting, CountingAllocator};
use serde_json::json;

use place::{Engine, MYSQL, POSTGRES, Place, SQLITE};

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

/// Documents at a time: many pages in the short table, too.
const PAGE: u32 = 50;
/// Documents with two items each, the first time for what is made once, and sixteen times as many.
const DOCUMENTS: [u32; 3] = [250, 250, 4_000];
/// What more rows may take: pages that are larger at times, and some that a driver's thread has read ahead while another
/// program held up ours.
const GROWTH_BYTES_MAX: usize = 1_500_000;

/// Nothing is counted over ODBC.
fn is_installed(_: &str) -> bool {
    false
}

async fn a_long_table_takes_the_same(engine: Engine) {
    let counting = Counting::alone().await;
    let mut readings = Vec::new();
    for documents in DOCUMENTS {
        let Some(place) = Place::staged(engine) else { return };
        place.run(&format!("BEGIN; {} COMMIT;", books::numbered(engine.dialect, documents)));
        let source = place.source_with(json!({"page_rows": PAGE}));
        let reading = counting.read(&source).await;
        assert_eq!((reading.documents, reading.others), (usize::try_from(documents).unwrap(), 0));
        readings.push(reading);
    }
    let (short, long) = (readings[1], readings[2]);
    let more = long.content_bytes - short.content_bytes;
    assert!(more > 4 * GROWTH_BYTES_MAX, "too little to tell whether it is kept: {more} bytes of records");
    assert!(long.peak_bytes < short.peak_bytes + GROWTH_BYTES_MAX, "{short:?}, then {long:?}");
}

#[tokio::test]
async fn a_long_table_of_sqlite_takes_no_more_memory_than_a_short_one() {
    a_long_table_takes_the_same(SQLITE).await;
}

#[tokio::test]
async fn a_long_table_of_postgresql_takes_no_more_memory_than_a_short_one() {
    a_long_table_takes_the_same(POSTGRES).await;
}

#[tokio::test]
async fn a_long_table_of_mariadb_takes_no_more_memory_than_a_short_one() {
    a_long_table_takes_the_same(MYSQL).await;
}
