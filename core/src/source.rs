//! The contract of a place where invoices come from, and what it hands over.

use std::any::Any;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Poll, ready};

use async_trait::async_trait;
use futures_core::Stream;
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;

pub use crate::provenance::{Place, Provenance};

use crate::BoxError;
use crate::document::Invoice;
use crate::finding::Finding;

/// Reads records from an accounting system and maps them to INV-01 documents.
#[async_trait]
pub trait InvoiceSource: fmt::Debug + Send + Sync {
    /// What this source can do.
    fn capability(&self) -> SourceCapability;

    /// Reads records, from `cursor` on where the source detects changes.
    ///
    /// The same cursor over the same data gives the same records in the same order. A bad record is
    /// a [`SourceItem::Problem`] and does not stop the rest. Memory does not grow with the input.
    ///
    /// # Errors
    /// [`SourceError`] when nothing can be read at all; an error inside the stream ends it.
    ///
    /// # Cancellation
    /// Dropping the future or the stream ends reading; nothing is changed at the source.
    async fn fetch(&self, cursor: Option<&Cursor>) -> Result<RecordStream, SourceError>;

    /// Maps one record: a document, or all reasons why it cannot be one, or why it need not be.
    /// A plain function: no input, no output, no time.
    fn map(&self, record: &SourceRecord) -> Mapped;

    /// Tells the source what became of records, once that is durable in the ledger: it may move a
    /// file to its "done" folder. Repeating an acknowledgement changes nothing.
    ///
    /// # Errors
    /// [`SourceError`] when it could not be done; it will be told again.
    async fn acknowledge(&self, settled: &[Acknowledgement]) -> Result<(), SourceError>;

    /// Returns when the source has heard that there is something to read, so that nobody has to wait for its schedule.
    /// A source that hears of nothing never returns, as this body does not: its schedule is what it is read by.
    ///
    /// What is heard while a reading goes on is told by the next call. A source that has lost its ear returns at most
    /// once for that, and then no more until it was read.
    ///
    /// # Cancellation
    /// Dropping the future loses nothing: what was heard meanwhile is told by the next call.
    async fn changed(&self) {
        std::future::pending::<()>().await;
    }
}

/// The stream of a [`InvoiceSource::fetch`].
pub type RecordStream = Pin<Box<dyn Stream<Item = Result<SourceItem, SourceError>> + Send>>;

/// What a source can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct SourceCapability {
    /// Cursors are made, so unchanged input is not read again.
    pub detects_changes: bool,
    /// `acknowledge` has an effect at the source.
    pub acknowledges: bool,
}

impl SourceCapability {
    /// Describes a source.
    #[must_use]
    pub const fn new(detects_changes: bool, acknowledges: bool) -> Self {
        Self { detects_changes, acknowledges }
    }
}

/// A place in a source up to which everything has been received. Opaque to everybody else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Cursor(String);

impl Cursor {
    /// Wraps the source's own text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The source's own text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// One thing read from a source.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum SourceItem {
    /// A record to map.
    Record(SourceRecord),
    /// A part of the input that is no readable record; the rest goes on.
    Problem(SourceProblem),
    /// Everything before this point may be skipped next time, once it has been received.
    Checkpoint(Cursor),
    /// What follows came by this arrival, up to the next one. For sources where somebody waits for an answer to each:
    /// a document that comes again, unchanged, in another file is answered there too.
    Arrival(Arrival),
}

/// How records came to us, where each coming is answered: a file as it was put into a folder. The same arrival read
/// again has the same text; opaque to everybody but the source.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Arrival(String);

impl Arrival {
    /// Wraps the source's own text, which is not empty.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The source's own text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// One record with its stable reference.
#[derive(Clone)]
pub struct SourceRecord {
    /// Where it stands, and which it is.
    pub reference: SourceRef,
    /// The record itself, decoded to text.
    pub content: String,
    /// What mapping needs beside the record, for instance the masters of the same export. Shared by
    /// all records of one file; the source that made it is the only one that looks inside.
    pub context: Option<Arc<dyn Any + Send + Sync>>,
}

impl SourceRecord {
    /// A record that somebody wrote down, as a case of a mapping does: nothing stands beside it.
    pub fn of_text(location: impl Into<String>, content: impl Into<String>) -> Self {
        let location = location.into();
        let reference = SourceRef { record_id: location.clone(), location, position: String::new() };
        Self { reference, content: content.into(), context: None }
    }
}

impl fmt::Debug for SourceRecord {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The content is somebody's invoice: its length says enough in a log.
        formatter
            .debug_struct("SourceRecord")
            .field("reference", &self.reference)
            .field("content_bytes", &self.content.len())
            .field("has_context", &self.context.is_some())
            .finish()
    }
}

/// Where a record stands and which it is.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SourceRef {
    /// File, table or company: where it was read. Shown to people.
    pub location: String,
    /// Position inside, for a person: "line 120", "row 7", "voucher 3, byte 10234".
    pub position: String,
    /// Identity that survives re-reading and editing: a voucher GUID, a table key, or the document's
    /// own key where the source has nothing better. Unique within a source, or within each arrival where those are told.
    pub record_id: String,
}

impl fmt::Display for SourceRef {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.position.is_empty() {
            formatter.write_str(&self.location)
        } else {
            write!(formatter, "{}, {}", self.location, self.position)
        }
    }
}

/// A part of the input that could not be read as a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceProblem {
    /// Where it stands. `record_id` identifies the place (file and position).
    pub reference: SourceRef,
    /// What a person may call it: a voucher number, a file name.
    pub label: String,
    /// What is wrong, with what to do.
    pub findings: Vec<Finding>,
}

/// What mapping made of a record.
#[derive(Debug, Clone)]
#[expect(clippy::exhaustive_enums, reason = "a record is a document, no document, or not to be sent")]
pub enum Mapped {
    /// A document, complete or not; its findings say what is missing.
    Document(Box<MappedDocument>),
    /// No document can be made of it at all.
    Unmappable {
        /// What a person may call it.
        label: String,
        /// All reasons.
        findings: Vec<Finding>,
    },
    /// It is not to be registered, which is no error: counted with its reason.
    Skipped(Skip),
}

/// A mapped document with the story of its making.
#[derive(Debug, Clone)]
pub struct MappedDocument {
    /// The INV-01 document.
    pub invoice: Invoice,
    /// What mapping has to say; an error here keeps the document from being sent.
    pub findings: Vec<Finding>,
    /// Where each value came from.
    pub provenance: Provenance,
    /// What write-back will need to find the record again: for Tally the Master ID, voucher type and
    /// date. Kept in the ledger and handed back with every receipt.
    pub attributes: BTreeMap<String, String>,
}

/// Gives findings their place in the source: that of the record, and where the mapping knows it the field in it that
/// the value came from, as in `daybook.xml, voucher 3, I/GSTHSNNAME`. A place that is there stays.
pub fn place(findings: &mut [Finding], reference: &SourceRef, provenance: &Provenance) {
    for finding in findings.iter_mut().filter(|finding| finding.place.is_none()) {
        finding.place = Some(match provenance.of(&finding.path) {
            Some(field) => format!("{reference}, {field}"),
            None => reference.to_string(),
        });
    }
}

/// Why a record is not to be registered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Skip {
    /// What a person may call the record: voucher type and number.
    pub label: String,
    /// Stable identifier of the reason, for counting: `b2c`, `cancelled`, `already_registered`.
    pub reason: String,
    /// The reason in a sentence.
    pub message: String,
}

/// What became of a record, told to its source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acknowledgement {
    /// Which record.
    pub reference: SourceRef,
    /// What became of it.
    pub disposition: Disposition,
}

/// What became of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[expect(clippy::exhaustive_enums, reason = "a record is done, needs a person, or is neither yet")]
pub enum Disposition {
    /// Registered, cancelled, or skipped for a reason that is no error.
    Done,
    /// Not settled yet: the next run goes on with it.
    Pending,
    /// Somebody has to correct or decide something.
    NeedsPerson,
}

/// Why a source could not be read or told.
#[derive(Debug, thiserror::Error)]
#[error("{location}: {reason}")]
pub struct SourceError {
    /// File, table or company.
    pub location: String,
    /// What is wrong and what to do.
    pub reason: String,
    /// The underlying error.
    #[source]
    pub source: Option<BoxError>,
}

impl SourceError {
    /// Makes an error about a place.
    pub fn new(location: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { location: location.into(), reason: reason.into(), source: None }
    }

    /// Adds the underlying error.
    #[must_use]
    pub fn because(mut self, source: impl Into<BoxError>) -> Self {
        self.source = Some(source.into());
        self
    }
}

/// What a reader hands over at once.
type Group = Vec<Result<SourceItem, SourceError>>;

/// Hands items from a blocking reader to a [`RecordStream`].
#[derive(Debug)]
pub struct RecordSender {
    sender: mpsc::Sender<Group>,
    group: RefCell<Group>,
}

impl RecordSender {
    /// Sends one item; waits while the reader is far ahead. `false` once nobody listens any more,
    /// when the reader should stop.
    ///
    /// Records are handed over in groups: waking the other thread for each costs more than judging it.
    /// Anything else that is news goes on at once with what is before it, and the end of the reader sends the rest.
    #[must_use]
    pub fn send(&self, item: Result<SourceItem, SourceError>) -> bool {
        let may_wait = matches!(item, Ok(SourceItem::Record(_) | SourceItem::Arrival(_)));
        let mut group = self.group.borrow_mut();
        group.push(item);
        if may_wait && group.len() < GROUP {
            return !self.sender.is_closed();
        }
        let full = std::mem::replace(&mut *group, Vec::with_capacity(GROUP));
        self.sender.blocking_send(full).is_ok()
    }

    /// Returns once nobody listens any more: for a reader that waits for something else, such as a
    /// server's answer, and must not wait in vain.
    ///
    /// # Cancellation
    /// Dropping the future changes nothing.
    pub async fn closed(&self) {
        self.sender.closed().await;
    }
}

impl Drop for RecordSender {
    fn drop(&mut self) {
        let rest = std::mem::take(self.group.get_mut());
        // A reader that panics loses nothing by this: its error follows.
        if !rest.is_empty() {
            let _closed = self.sender.blocking_send(rest);
        }
    }
}

/// Items handed over at once.
const GROUP: usize = 16;

/// Groups under way; with the one being filled and the one being emptied a reader is at most 64 items
/// ahead of its consumer.
const GROUPS_AHEAD: usize = 2;

/// Runs a blocking reader (files, archives) on a thread of its own and streams what it sends.
///
/// The reader is at most 64 items ahead, so memory stays flat. Must be called inside a Tokio
/// runtime. Dropping the stream makes the reader's next `send` return `false`.
pub fn stream_from_blocking<F>(read: F) -> RecordStream
where
    F: FnOnce(&RecordSender) + Send + 'static,
{
    let (sender, mut receiver) = mpsc::channel(GROUPS_AHEAD);
    let crashed = sender.clone();
    let reader = tokio::task::spawn_blocking(move || {
        read(&RecordSender { sender, group: RefCell::new(Vec::with_capacity(GROUP)) });
    });
    // A reader that panics must not look like the end of the input.
    tokio::spawn(async move {
        if reader.await.is_err() {
            let error = SourceError::new("source", "the reader stopped by a fault of its own; please report this");
            let _closed = crashed.send(vec![Err(error)]).await;
        }
    });
    let mut group = Group::new().into_iter();
    Box::pin(futures_util::stream::poll_fn(move |context| {
        loop {
            if let Some(item) = group.next() {
                return Poll::Ready(Some(item));
            }
            match ready!(receiver.poll_recv(context)) {
                Some(next) => group = next.into_iter(),
                None => return Poll::Ready(None),
            }
        }
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_reader_that_waits_for_something_else_learns_that_nobody_listens_any_more() {
        let (told, heard) = tokio::sync::oneshot::channel();
        let runtime = tokio::runtime::Handle::current();
        let stream = stream_from_blocking(move |sender| {
            runtime.block_on(sender.closed());
            told.send(()).unwrap();
        });
        drop(stream);
        heard.await.unwrap();
    }
}
