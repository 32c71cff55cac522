//! The memory that reading takes, counted by the allocator.
//!
//! [`InvoiceSource::fetch`] promises that memory does not grow with the input. What a process holds tells little of that:
//! its allocator keeps a reserve, and only some systems say the peak. Counted are the bytes in use, on every system. An
//! allocator is chosen for a whole program, so this is for a test binary of its own, whose tests count one at a time:
//!
//! ```standalone_crate
//! use einvoice_core::source::InvoiceSource;
//! use einvoice_testkit::reading_memory::{Counting, CountingAllocator};
//!
//! #[global_allocator]
//! static ALLOCATOR: CountingAllocator = CountingAllocator;
//!
//! # fn bills(count: usize) -> Box<dyn InvoiceSource> { unimplemented!() }
//! // As a test: a file with few bills, and one with eight times as many.
//! async fn many_bills_take_no_more_memory_than_few() {
//!     let counting = Counting::alone().await;
//!     let few = counting.read(&*bills(250)).await;
//!     let many = counting.read(&*bills(2_000)).await;
//!     assert_eq!((few.documents, many.documents), (250, 2_000));
//!     assert!(many.peak_bytes < few.peak_bytes + 500_000, "{few:?}, then {many:?}");
//! }
//! # fn main() { let _ = many_bills_take_no_more_memory_than_few; }
//! ```
//!
//! The long input must be so long that its records together are many times what is allowed: else the test cannot fail.

#![expect(
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "a reading that cannot be counted is a failed test"
)]

use std::hint::black_box;

use einvoice_core::source::{InvoiceSource, Mapped, SourceItem};
use futures_util::StreamExt;
pub use peak_alloc::PeakAlloc as CountingAllocator;
use tokio::sync::{Mutex, MutexGuard};

static ONE_AT_A_TIME: Mutex<()> = Mutex::const_new(());

/// The right to count. There is one in a program: what other tests take would be counted too.
#[derive(Debug)]
pub struct Counting {
    _alone: MutexGuard<'static, ()>,
}

/// What a reading brought, and what it took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "figures, to be compared")]
pub struct CountedReading {
    /// Records that were mapped to documents.
    pub documents: usize,
    /// Everything else: records that are no documents, and parts that could not be read.
    pub others: usize,
    /// The text of all records.
    pub content_bytes: usize,
    /// Most bytes that were in use at a time, beyond those in use before.
    pub peak_bytes: usize,
}

impl Counting {
    /// Waits until no other test of this program counts.
    ///
    /// A program that does not count, as [`CountingAllocator`] is not its allocator, panics here.
    pub async fn alone() -> Self {
        let alone = ONE_AT_A_TIME.lock().await;
        let before = CountingAllocator.current_usage();
        // Far more than the other threads of a test program may free in the meantime.
        let held = black_box(vec![0_u8; 64 * 1024 * 1024]);
        let counted = CountingAllocator.current_usage() >= before + held.len() / 2;
        assert!(counted, "nothing is counted: make `CountingAllocator` the `#[global_allocator]` of this test binary");
        Self { _alone: alone }
    }

    /// Reads everything of a source and maps each record as it comes, as a run does, and keeps nothing of it.
    pub async fn read(&self, source: &dyn InvoiceSource) -> CountedReading {
        CountingAllocator.reset_peak_usage();
        let before = CountingAllocator.current_usage();
        let (mut documents, mut others, mut content_bytes) = (0, 0, 0);
        let mut stream = source.fetch(None).await.expect("the input can be read");
        while let Some(item) = stream.next().await {
            match item.expect("no error ends the stream") {
                SourceItem::Record(record) => {
                    content_bytes += record.content.len();
                    match black_box(source.map(&record)) {
                        Mapped::Document(_) => documents += 1,
                        Mapped::Unmappable { .. } | Mapped::Skipped(_) => others += 1,
                    }
                }
                SourceItem::Problem(_) => others += 1,
                _ => {}
            }
        }
        let peak_bytes = CountingAllocator.peak_usage().saturating_sub(before);
        CountedReading { documents, others, content_bytes, peak_bytes }
    }
}
