//! The conformance suite of [`InvoiceSource`].
//!
//! A source crate gives one fixture and gets every promise as a named test:
//!
//! ```ignore
//! einvoice_testkit::source_conformance!(|| async {
//!     let folder = tempfile::tempdir().unwrap();
//!     // ... write two good records and one bad one into it ...
//!     SourceFixture::new(source, 2, 1).keeping(folder)
//! });
//! ```

#![expect(clippy::expect_used, clippy::missing_panics_doc, reason = "a suite reports a broken promise by panicking")]

use std::any::Any;
use std::collections::BTreeSet;
use std::sync::Arc;

use einvoice_core::source::{
    Acknowledgement, Cursor, Disposition, InvoiceSource, Mapped, SourceItem, SourceProblem, SourceRecord,
};
use futures_util::StreamExt;

use crate::promise::{NotApplicable, Shown};

/// A source over known input: some good records, and some parts that are no readable record.
#[derive(Debug)]
pub struct SourceFixture {
    source: Arc<dyn InvoiceSource>,
    records: usize,
    problems: usize,
    kept: Vec<Box<dyn Any + Send>>,
}

impl SourceFixture {
    /// A fixture whose input holds this many readable records and this many unreadable parts. At
    /// least one of the records must be a document once mapped.
    #[must_use]
    pub fn new(source: Arc<dyn InvoiceSource>, records: usize, problems: usize) -> Self {
        Self { source, records, problems, kept: Vec::new() }
    }

    /// Keeps something alive as long as the fixture: a temporary folder, a server.
    #[must_use]
    pub fn keeping(mut self, kept: impl Any + Send) -> Self {
        self.kept.push(Box::new(kept));
        self
    }
}

/// What one reading gave.
#[derive(Debug, Default)]
struct Reading {
    records: Vec<SourceRecord>,
    problems: Vec<SourceProblem>,
    cursor: Option<Cursor>,
}

async fn read(source: &dyn InvoiceSource, cursor: Option<&Cursor>) -> Reading {
    let mut stream = source.fetch(cursor).await.expect("the input can be read");
    let mut reading = Reading::default();
    while let Some(item) = stream.next().await {
        match item.expect("no error ends the stream") {
            SourceItem::Record(record) => reading.records.push(record),
            SourceItem::Problem(problem) => reading.problems.push(problem),
            SourceItem::Checkpoint(cursor) => reading.cursor = Some(cursor),
            _ => {}
        }
    }
    reading
}

/// A bad part of the input is reported with its place, and everything else is read.
pub async fn a_bad_record_is_reported_with_its_place_and_the_rest_is_read(fixture: SourceFixture) {
    let reading = read(&*fixture.source, None).await;
    assert_eq!(reading.records.len(), fixture.records, "readable records");
    assert_eq!(reading.problems.len(), fixture.problems, "unreadable parts");
    for problem in &reading.problems {
        assert!(!problem.reference.location.is_empty(), "a problem names where it is");
        assert!(!problem.label.is_empty() && !problem.findings.is_empty(), "a problem says what is wrong");
        assert!(problem.findings.iter().any(einvoice_core::finding::Finding::is_error), "a problem is an error");
    }
}

/// Reading twice gives the same records in the same order.
pub async fn the_same_cursor_gives_the_same_records_in_the_same_order(fixture: SourceFixture) {
    let (first, second) = (read(&*fixture.source, None).await, read(&*fixture.source, None).await);
    let seen = |reading: &Reading| -> Vec<_> {
        reading.records.iter().map(|record| (record.reference.clone(), record.content.clone())).collect()
    };
    assert_eq!(seen(&first), seen(&second));
    assert_eq!(first.problems, second.problems);
    assert_eq!(first.cursor, second.cursor);
}

/// Every record has a place for people and an identity of its own.
pub async fn every_record_has_a_place_and_an_identity_of_its_own(fixture: SourceFixture) {
    let reading = read(&*fixture.source, None).await;
    let mut ids = BTreeSet::new();
    for record in &reading.records {
        assert!(!record.reference.location.is_empty() && !record.reference.record_id.is_empty());
        assert!(ids.insert(record.reference.record_id.clone()), "{} occurs twice", record.reference.record_id);
    }
}

/// Mapping depends on nothing but the record.
pub async fn mapping_a_record_twice_gives_the_same_document(fixture: SourceFixture) {
    let reading = read(&*fixture.source, None).await;
    let mut documents = 0;
    for record in &reading.records {
        let first = fixture.source.map(record);
        assert_eq!(format!("{first:?}"), format!("{:?}", fixture.source.map(record)));
        match first {
            Mapped::Document(_) => documents += 1,
            Mapped::Unmappable { label, findings } => assert!(!label.is_empty() && !findings.is_empty()),
            Mapped::Skipped(skip) => {
                assert!(!skip.label.is_empty() && !skip.reason.is_empty() && !skip.message.is_empty());
            }
        }
    }
    assert!(documents > 0, "the fixture holds at least one document");
}

/// Whatever a record's content has become, mapping answers with findings.
pub async fn mapping_a_damaged_record_never_panics(fixture: SourceFixture) {
    let reading = read(&*fixture.source, None).await;
    for record in &reading.records {
        for damage in ["", "\u{0}", "<", "{", "{}", "<a/>", "[[[[", "\u{FEFF}"] {
            let _mapped =
                fixture.source.map(&SourceRecord { content: damage.to_owned(), context: None, ..record.clone() });
        }
        let cuts: Vec<usize> =
            record.content.char_indices().map(|(at, _)| at).step_by(record.content.len() / 40 + 1).collect();
        for cut in cuts {
            let content = record.content.get(..cut).unwrap_or_default().to_owned();
            let _mapped = fixture.source.map(&SourceRecord { content, ..record.clone() });
        }
    }
}

/// What has been received up to a checkpoint is not read again.
///
/// # Errors
/// [`NotApplicable`] for a source that detects no changes.
pub async fn what_lies_before_a_checkpoint_is_not_read_again(fixture: SourceFixture) -> Shown {
    let first = read(&*fixture.source, None).await;
    if !fixture.source.capability().detects_changes {
        assert_eq!(first.cursor, None, "a source that detects no changes makes no checkpoint");
        return Err(NotApplicable::because("the source detects no changes"));
    }
    let cursor = first.cursor.expect("a source that detects changes ends with a checkpoint");
    let again = read(&*fixture.source, Some(&cursor)).await;
    assert!(again.records.len() < first.records.len() || first.records.is_empty(), "unchanged input was read again");
    // A cursor nobody understands must not lose documents.
    let unknown = read(&*fixture.source, Some(&Cursor::new("\u{0}not a cursor"))).await;
    assert_eq!(unknown.records.len(), first.records.len());
    Ok(())
}

/// Leaving the stream early leaves the source whole.
pub async fn dropping_the_stream_changes_nothing_at_the_source(fixture: SourceFixture) {
    let mut stream = fixture.source.fetch(None).await.expect("the input can be read");
    let _first = stream.next().await;
    drop(stream);
    assert_eq!(read(&*fixture.source, None).await.records.len(), fixture.records);
}

/// An acknowledgement may be repeated.
pub async fn acknowledging_twice_is_the_same_as_once(fixture: SourceFixture) {
    let reading = read(&*fixture.source, None).await;
    let settled: Vec<Acknowledgement> = reading
        .records
        .iter()
        .map(|record| Acknowledgement { reference: record.reference.clone(), disposition: Disposition::Done })
        .collect();
    fixture.source.acknowledge(&[]).await.expect("an empty acknowledgement is fine");
    fixture.source.acknowledge(&settled).await.expect("acknowledged");
    fixture.source.acknowledge(&settled).await.expect("acknowledged again");
}

/// Logs show no invoice.
pub async fn debug_output_shows_no_content(fixture: SourceFixture) {
    let reading = read(&*fixture.source, None).await;
    for record in &reading.records {
        let shown = format!("{:?} {record:?}", fixture.source);
        let start: String = record.content.chars().take(200).collect();
        assert!(start.len() < 40 || !shown.contains(&start));
    }
}

/// Runs the suite against a source: one named test for each promise. Takes a closure that gives a
/// future of a [`SourceFixture`], or of an `Option` that is empty where a test needs a server that is not there; it then
/// passes, and the fixture says so. The crate needs `tokio` for its tests. Promises that are still to be kept are named
/// as `fill_in: [a_bad_record_is_reported_with_its_place_and_the_rest_is_read]`, or `fill_in: all`, and left out until then.
#[macro_export]
macro_rules! source_conformance {
    ($fixture:expr) => { $crate::source_conformance! { $fixture, fill_in: [] } };
    ($fixture:expr, fill_in: $to_fill_in:tt) => {
        $crate::source_conformance! { @tests $fixture; $to_fill_in;
            a_bad_record_is_reported_with_its_place_and_the_rest_is_read,
            the_same_cursor_gives_the_same_records_in_the_same_order,
            every_record_has_a_place_and_an_identity_of_its_own,
            mapping_a_record_twice_gives_the_same_document,
            mapping_a_damaged_record_never_panics,
            what_lies_before_a_checkpoint_is_not_read_again,
            dropping_the_stream_changes_nothing_at_the_source,
            acknowledging_twice_is_the_same_as_once,
            debug_output_shows_no_content,
        }
    };
    (@tests $fixture:expr; $to_fill_in:tt; $($name:ident,)+) => {
        mod source_conformance {
            use super::*;
            $crate::mark_promises! { source_promise, source_suite, $to_fill_in }
            $(source_promise! { $name
                #[tokio::test]
                async fn $name() {
                    let fixture: Option<$crate::source_suite::SourceFixture> = ($fixture)().await.into();
                    if let Some(fixture) = fixture {
                        let shown = $crate::source_suite::$name(fixture).await;
                        $crate::promise::told(stringify!($name), shown);
                    }
                }
            })+
        }
    };
}
