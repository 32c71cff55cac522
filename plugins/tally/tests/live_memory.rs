//! A day book that comes over HTTP is read while it comes.
//!
//! Aim: memory does not grow with the answer. Method: a stand-in that makes the day book while it
//! sends it, in this process; the most memory the process ever had is compared after a small day and
//! after one of twenty times its size. A test binary of its own, since the figure is the process's.

use std::sync::Arc;

use einvoice_core::clock::ManualClock;
use einvoice_core::source::{InvoiceSource, SourceItem};
use einvoice_tally::TallySource;
use einvoice_tally::config::TallySourceConfig;
use einvoice_testkit::tally_stand_in::TallyStandIn;
use futures_util::StreamExt;

const COMPANY: &str = "Deccan Valves Private Limited (26-27)";
/// Copies of the two vouchers of the day: about 1.5 MB of text, and 30 MB (60 MB in UTF-16).
const COPIES: [u64; 2] = [100, 2_000];
/// What a longer answer may cost: buffers that grow to their size, no more.
const GROWTH_BYTES_MAX: u64 = 12_000_000;

/// Most memory this process ever had, where the system tells.
fn memory_peak() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kilobytes| kilobytes * 1024)
}

#[tokio::test]
async fn a_long_day_takes_no_more_memory_than_a_short_one() {
    let day_book = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/quickstart/daybook.xml");
    let tally = TallyStandIn::start(COMPANY, &std::fs::read_to_string(day_book).unwrap());
    tally.be_release(7);
    let mut peaks = Vec::new();
    for (envelope, copies) in [("xml", COPIES[0]), ("json", COPIES[0]), ("xml", COPIES[1]), ("json", COPIES[1])] {
        tally.repeat_day("20261117", copies);
        let config: TallySourceConfig = serde_json::from_value(serde_json::json!({
            "url": tally.url(), "company": COMPANY, "from": "2026-11-17", "envelope": envelope,
        }))
        .unwrap();
        let clock = ManualClock::jumping("2026-11-17T06:30:00Z".parse().unwrap());
        let source = TallySource::live(config, Arc::new(clock)).unwrap();
        let mut stream = source.fetch(None).await.unwrap();
        let (mut records, mut bytes) = (0, 0);
        while let Some(item) = stream.next().await {
            if let SourceItem::Record(record) = item.unwrap() {
                records += 1;
                bytes += record.content.len();
            }
        }
        assert_eq!(records, 2 * copies, "{envelope}");
        assert!(bytes > usize::try_from(copies).unwrap() * 4_000, "{envelope}: {bytes}");
        peaks.push(memory_peak());
    }
    assert!(tally.answered_in_json() > 0);
    let (Some(Some(short)), Some(Some(long))) = (peaks.get(1), peaks.last()) else {
        eprintln!("skipped: this system does not tell the memory of a process");
        return;
    };
    assert!(long - short < GROWTH_BYTES_MAX, "{short} bytes, then {long}");
}
