//! Exported files as they come: still being written, once more in an older state, and with what cannot be read.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use einvoice_core::clock::{Clock as _, ManualClock};
use einvoice_core::source::InvoiceSource as _;
use einvoice_tally::TallySource;
use jiff::Timestamp;
use serde_json::json;

use crate::bad_input::{envelope, voucher};
use crate::common::{Read, collect, config, folder_with, outcome, read, source};
use crate::live::clock;

/// A voucher in the state of a change.
fn changed(number: &str, guid: &str, change: u64, amount: &str) -> String {
    voucher(number)
        .replace("<DATE>", &format!("<GUID>{guid}</GUID><ALTERID> {change}</ALTERID><DATE>"))
        .replace("<AMOUNT>1000.00", &format!("<AMOUNT>{amount}"))
}

fn put(folder: &Path, name: &str, vouchers: &[String]) {
    std::fs::write(folder.join(name), envelope(&vouchers.concat())).unwrap();
}

fn by_clock(folder: &Path, settings: serde_json::Value, clock: &ManualClock) -> Arc<TallySource> {
    Arc::new(TallySource::new(folder, config(settings)).unwrap().with_clock(Arc::new(clock.clone())))
}

fn written(file: &Path) -> Timestamp {
    std::fs::metadata(file).unwrap().modified().unwrap().try_into().unwrap()
}

/// Reads while a file is written to: after the files were listed, before they have settled.
async fn read_while(source: &Arc<TallySource>, clock: &ManualClock, write: impl FnOnce()) -> Read {
    let stream = source.fetch(None).await.unwrap();
    let reading = tokio::spawn(collect(stream));
    tokio::task::yield_now().await;
    write();
    while !reading.is_finished() {
        clock.advance(Duration::from_secs(2));
        tokio::task::yield_now().await;
    }
    reading.await.unwrap()
}

#[tokio::test]
async fn an_export_that_grows_is_left_for_the_next_run_and_read_once_it_has_settled() {
    let whole = envelope(&[voucher("1"), voucher("2")].concat());
    let half = whole.get(..whole.len() * 2 / 3).unwrap();
    let folder = folder_with("a.xml", half.get(..half.len() / 2).unwrap().as_bytes());
    let file = folder.path().join("a.xml");
    // Half a second after the last write the run waits; meanwhile Tally writes on.
    let clock = ManualClock::new(written(&file) + Duration::from_millis(500));
    let source = by_clock(folder.path(), json!({ "path": "*.xml", "settle_ms": 2000 }), &clock);
    let first = read_while(&source, &clock, || std::fs::write(&file, half).unwrap()).await;
    assert_eq!((first.records.len(), first.problems.len()), (0, 0), "a file that grows was read");
    std::fs::write(&file, &whole).unwrap();
    clock.advance(Duration::from_hours(1));
    let second = read(&*source, first.cursor.as_ref()).await;
    assert_eq!((second.records.len(), second.problems.len()), (2, 0));
    assert!(read(&*source, second.cursor.as_ref()).await.records.is_empty());
}

#[tokio::test]
async fn an_export_that_was_just_written_is_read_after_the_settling_time() {
    let folder = folder_with("a.xml", envelope(&voucher("1")).as_bytes());
    let begun = written(&folder.path().join("a.xml"));
    let clock = ManualClock::jumping(begun);
    let source = by_clock(folder.path(), json!({ "path": "*.xml" }), &clock);
    assert_eq!(read(&*source, None).await.records.len(), 1);
    assert_eq!(clock.now().duration_since(begun).as_millis(), 1_000, "the default");
}

#[tokio::test]
async fn no_voucher_is_read_while_its_masters_are_being_written() {
    let kind = "<TALLYMESSAGE><VOUCHERTYPE NAME=\"Tax Bill\" RESERVEDNAME=\"Sales\"></VOUCHERTYPE></TALLYMESSAGE>";
    let bill = voucher("1").replace("<VOUCHERTYPENAME>Sales<", "<VOUCHERTYPENAME>Tax Bill<");
    let folder = folder_with("a.xml", envelope(&bill).as_bytes());
    let masters = folder.path().join("masters.all");
    std::fs::write(&masters, "<ENVELOPE><BODY>").unwrap();
    let clock = ManualClock::new(written(&masters) + Duration::from_millis(500));
    let source = by_clock(folder.path(), json!({ "path": "a.xml", "masters": ["*.all"], "settle_ms": 2000 }), &clock);
    let first = read_while(&source, &clock, || std::fs::write(&masters, envelope(kind)).unwrap()).await;
    assert!(first.records.is_empty() && first.problems.is_empty() && first.cursor.is_none(), "{first:?}");
    clock.advance(Duration::from_hours(1));
    let second = read(&*source, None).await;
    let mapped = outcome(&source.map(second.records.first().unwrap()));
    assert!(mapped.starts_with("document INV 1"), "{mapped}");
}

#[test]
fn a_settling_time_that_makes_no_sense_is_refused_by_its_key() {
    let text = TallySource::new(".", config(json!({ "path": "*.xml", "settle_ms": 600_001 }))).unwrap_err().to_string();
    assert!(text.contains("`settle_ms`") && text.contains("600000"), "{text}");
    let live = json!({ "url": "http://localhost:9000", "company": "x", "from": "2026-04-01", "settle_ms": 0 });
    let text = TallySource::live(config(live), Arc::new(clock(22))).unwrap_err().to_string();
    assert!(text.contains("`settle_ms`") && text.contains("`path`"), "{text}");
}

/// The problems of a file, as the ledger knows them from one run to the next.
fn names(read: &Read) -> Vec<&str> {
    read.problems.iter().map(|problem| problem.reference.record_id.as_str()).collect()
}

#[tokio::test]
async fn a_problem_keeps_its_name_when_its_file_is_exported_again() {
    let broken = voucher("2").replace("<RATE>", "<RAT>");
    let cut = |vouchers: &[String]| {
        let whole = envelope(&vouchers.concat());
        whole.get(..whole.len() - 100).unwrap().to_owned()
    };
    let folder = folder_with("a.xml", cut(&[broken.clone(), voucher("3")]).as_bytes());
    let source = source(folder.path(), json!({ "path": "*.xml" }));
    let first = read(&*source, None).await;
    assert_eq!(names(&first), ["a.xml, Sales 2", "a.xml"]);
    // More of the file is there now, and the same is wrong with it at other places.
    std::fs::write(folder.path().join("a.xml"), cut(&[voucher("1"), broken, voucher("3"), voucher("4")])).unwrap();
    let second = read(&*source, first.cursor.as_ref()).await;
    assert_eq!(names(&second), names(&first));
    assert_ne!(second.problems, first.problems);
}

/// What becomes of the vouchers of a reading, by their files.
fn outcomes(source: &TallySource, read: &Read) -> Vec<String> {
    let told = |record| {
        let outcome = outcome(&source.map(record));
        format!("{}: {}", record.reference.location, outcome.split(" tally.").next().unwrap())
    };
    read.records.iter().map(told).collect()
}

#[tokio::test]
async fn of_a_voucher_in_two_exports_the_state_that_changed_last_counts_whatever_they_are_called() {
    for (old, new) in [("a.xml", "b.xml"), ("b.xml", "a.xml")] {
        let folder = tempfile::tempdir().unwrap();
        put(folder.path(), old, &[changed("1", "g-1", 10, "1000.00"), changed("2", "g-2", 11, "1000.00")]);
        put(folder.path(), new, &[changed("1", "g-1", 12, "2000.00")]);
        let source = source(folder.path(), json!({ "path": "*.xml" }));
        let first = read(&*source, None).await;
        let mut told = outcomes(&source, &first);
        told.sort();
        let mut wanted = [
            format!("{old}: skipped Sales 1: older_state"),
            format!("{old}: document INV 2 of 05/11/2026"),
            format!("{new}: document INV 1 of 05/11/2026"),
        ];
        wanted.sort();
        assert_eq!(told, wanted);
        assert!(first.records.iter().all(|record| ["g-1", "g-2"].contains(&record.reference.record_id.as_str())));
        assert!(read(&*source, first.cursor.as_ref()).await.records.is_empty());
    }
}

#[tokio::test]
async fn an_old_export_that_comes_later_is_passed_over_and_so_it_is_when_all_are_read_again() {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "new.xml", &[changed("1", "g-1", 12, "2000.00")]);
    let source = source(folder.path(), json!({ "path": "*.xml" }));
    let first = read(&*source, None).await;
    assert_eq!(outcomes(&source, &first), ["new.xml: document INV 1 of 05/11/2026"]);
    // Of the voucher that is in no later export the only state counts.
    put(folder.path(), "old.xml", &[changed("1", "g-1", 10, "1000.00"), changed("2", "g-2", 11, "1000.00")]);
    let old = ["old.xml: skipped Sales 1: older_state", "old.xml: document INV 2 of 05/11/2026"];
    let second = read(&*source, first.cursor.as_ref()).await;
    assert_eq!(outcomes(&source, &second), old);
    let again = read(&*source, None).await;
    assert_eq!(outcomes(&source, &again), [&["new.xml: document INV 1 of 05/11/2026"], old.as_slice()].concat());
    // A voucher that changed once more comes with its file, and alone.
    put(folder.path(), "newest.xml", &[changed("1", "g-1", 13, "3000.00")]);
    let third = read(&*source, second.cursor.as_ref()).await;
    assert_eq!(outcomes(&source, &third), ["newest.xml: document INV 1 of 05/11/2026"]);
}

#[tokio::test]
async fn a_cancelled_voucher_whose_irn_stands_needs_a_person_as_long_as_the_portal_cancels_it() {
    let irn = "a".repeat(64);
    let state = |more: &str| {
        format!("<ISCANCELLED>Yes</ISCANCELLED><IRN>{irn}</IRN><IRNACKDATE>20261122</IRNACKDATE>{more}<DATE>")
    };
    let cancelled = voucher("1").replace("<DATE>", &state(""));
    let both = voucher("2").replace("<DATE>", &state("<IRNCANCELLED>Yes</IRNCANCELLED>"));
    let folder = folder_with("a.xml", envelope(&[cancelled, both].concat()).as_bytes());
    for (day, wanted) in [
        (22, "unmappable Sales 1: tally.cancelled_after_registration"),
        (23, "unmappable Sales 1: tally.cancelled_after_registration"),
        (24, "skipped Sales 1: cancelled_after_registration"),
    ] {
        let source = by_clock(folder.path(), json!({ "path": "*.xml" }), &clock(day));
        let read = read(&*source, None).await;
        let told: Vec<String> = read.records.iter().map(|record| outcome(&source.map(record))).collect();
        assert_eq!(told, [wanted, "skipped Sales 2: cancelled"], "{day} November");
        if let einvoice_core::source::Mapped::Unmappable { findings, .. } = source.map(read.records.first().unwrap()) {
            let finding = findings.first().unwrap();
            let text = format!("{finding} {}", finding.fix.as_deref().unwrap());
            assert!(text.contains("2026-11-23 at the latest") && text.contains("einvoice cancel 1 "), "{text}");
        }
    }
}
