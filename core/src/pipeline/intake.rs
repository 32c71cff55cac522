//! Reads sources, maps and checks their records, and takes them into the ledger in batches.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::fmt::Display;
use std::hash::BuildHasher;
use std::sync::atomic::{AtomicBool, Ordering};

use aws_lc_rs::digest;
use bytes::Bytes;
use futures_util::StreamExt;
use tokio::sync::Notify;

use super::report::{Clash, LISTED_MAX, Tally};
use super::{PipelineError, Shared, SourcePart, StopSignal};
use crate::document::Invoice;
use crate::events;
use crate::finding::Finding;
use crate::irn::IrnRule;
use crate::key::DocumentKey;
use crate::ledger::{DocumentId, NewDocument, Query, ReceiveBatch, Reception, Verdict};
use crate::rulebook::{self, CheckOptions};
use crate::source::{
    self, Arrival, Cursor, Disposition, Mapped, MappedDocument, SourceError, SourceItem, SourceProblem, SourceRecord,
    SourceRef,
};
use crate::state::DocumentState;

/// The rule of a finding about a key that other content holds.
const KEY_RULE: &str = "ledger.key_in_use";

/// Tells the dispatcher how reading goes on.
#[derive(Debug, Default)]
pub(super) struct Reading {
    done: AtomicBool,
    progress: Notify,
}

impl Reading {
    /// Of no source at all.
    pub(super) fn finished() -> Self {
        let reading = Self::default();
        reading.finish();
        reading
    }

    pub(super) fn is_done(&self) -> bool {
        self.done.load(Ordering::Acquire)
    }

    /// Returns when a batch was taken in or reading ended.
    pub(super) async fn progress(&self) {
        self.progress.notified().await;
    }

    fn batch_received(&self) {
        self.progress.notify_one();
    }

    fn finish(&self) {
        self.done.store(true, Ordering::Release);
        self.progress.notify_one();
    }
}

/// What a source is to be told about its records, once their documents are settled.
#[derive(Debug)]
pub(super) struct ToAcknowledge {
    pub(super) source: SourcePart,
    pub(super) records: Vec<Told>,
}

/// One record to be told about, in few bytes: a first reading of a million documents keeps their
/// numbers only, and the ledger knows where each came from.
#[derive(Debug)]
pub(super) enum Told {
    /// The record that brought this document.
    First(DocumentId),
    /// Any other record.
    Record(Box<(SourceRef, Fate)>),
}

/// What is known about a record.
#[derive(Debug, Clone, Copy)]
pub(super) enum Fate {
    /// It is this document: its state decides.
    Document(DocumentId),
    /// It is decided already.
    Decided(Disposition),
}

/// Reads the named sources one after the other.
pub(super) async fn read_sources(
    shared: &Shared,
    names: &[String],
    tally: &Tally,
    reading: &Reading,
    stop: &StopSignal,
) -> Result<Vec<ToAcknowledge>, PipelineError> {
    let mut to_acknowledge = Vec::new();
    let mut result = Ok(());
    for part in shared.sources.iter().filter(|part| names.contains(&part.name)) {
        let mut intake = Intake::new(shared, tally, reading, part);
        match intake.read(stop).await {
            Ok(()) => {}
            Err(Trouble::Source(error)) => {
                events::source_failed(&part.name, &error.to_string());
                tally.failure(format!("source {}", part.name), error.to_string());
            }
            Err(Trouble::Pipeline(error)) => {
                result = Err(error);
                break;
            }
        }
        if part.source.capability().acknowledges {
            to_acknowledge.push(ToAcknowledge { source: part.clone(), records: intake.records });
        }
    }
    reading.finish();
    result.map(|()| to_acknowledge)
}

enum Trouble {
    Source(SourceError),
    Pipeline(PipelineError),
}

impl<E: Into<PipelineError>> From<E> for Trouble {
    fn from(error: E) -> Self {
        Self::Pipeline(error.into())
    }
}

/// The reading of one source.
struct Intake<'a> {
    shared: &'a Shared,
    tally: &'a Tally,
    reading: &'a Reading,
    part: &'a SourcePart,
    options: CheckOptions,
    /// How what is being read came here.
    arrival: Option<Arrival>,
    batch: Vec<NewDocument>,
    /// Hash of a record id to hash of its content: catches one id with two contents in one reading,
    /// at 16 bytes a record.
    seen: HashMap<u64, u64>,
    hasher: RandomState,
    records: Vec<Told>,
    remembers: bool,
}

impl<'a> Intake<'a> {
    fn new(shared: &'a Shared, tally: &'a Tally, reading: &'a Reading, part: &'a SourcePart) -> Self {
        Self {
            shared,
            tally,
            reading,
            part,
            options: shared.check_options(),
            arrival: None,
            batch: Vec::new(),
            seen: HashMap::new(),
            hasher: RandomState::new(),
            records: Vec::new(),
            remembers: part.source.capability().acknowledges,
        }
    }

    async fn read(&mut self, stop: &StopSignal) -> Result<(), Trouble> {
        let cursor = self.shared.ledger.cursor(&self.part.name).await?;
        let mut items = self.part.source.fetch(cursor.as_ref()).await.map_err(Trouble::Source)?;
        loop {
            let item = tokio::select! {
                item = items.next() => item,
                () = stop.stopped() => {
                    self.tally.note(|report| report.stopped = true);
                    None
                }
            };
            let Some(item) = item else { break };
            let checkpoint = match item {
                Ok(item) => self.take(item),
                Err(error) => {
                    // What was read before the fault still counts.
                    self.flush(None).await?;
                    return Err(Trouble::Source(error));
                }
            };
            if checkpoint.is_some() || self.batch.len() >= self.shared.settings.receive_batch {
                self.flush(checkpoint).await?;
            }
        }
        self.flush(None).await
    }

    /// Takes one item; a checkpoint comes back to be stored with the batch before it.
    fn take(&mut self, item: SourceItem) -> Option<Cursor> {
        match item {
            SourceItem::Record(record) => self.record(&record),
            SourceItem::Problem(problem) => self.problem(problem),
            SourceItem::Arrival(arrival) => self.arrival = Some(arrival),
            SourceItem::Checkpoint(cursor) => return Some(cursor),
        }
        None
    }

    fn record(&mut self, record: &SourceRecord) {
        self.tally.note(|report| report.read += 1);
        self.tally.observer.read(1);
        match self.part.source.map(record) {
            Mapped::Document(document) => {
                let document = judged(*document, &record.reference, &self.options);
                self.add(document);
            }
            Mapped::Unmappable { label, findings } => {
                let hash = hash(record.content.as_bytes());
                self.add(unreadable(record.reference.clone(), label, findings, hash));
            }
            Mapped::Skipped(skip) => {
                self.tally.skip(skip);
                self.remember(&record.reference, Fate::Decided(Disposition::Done));
            }
        }
    }

    fn problem(&mut self, problem: SourceProblem) {
        self.tally.note(|report| report.read += 1);
        self.tally.observer.read(1);
        let text: Vec<&str> = problem.findings.iter().map(|finding| finding.message.as_str()).collect();
        let hash = hash(text.join("\n").as_bytes());
        self.add(unreadable(problem.reference, problem.label, problem.findings, hash));
    }

    fn add(&mut self, mut document: NewDocument) {
        document.arrival.clone_from(&self.arrival);
        let id = self.hasher.hash_one(&document.reference.record_id);
        let content = self.hasher.hash_one(document.content_hash);
        if *self.seen.entry(id).or_insert(content) != content {
            // The same id with other content in one reading: neither may overwrite the other.
            let place = match &document.arrival {
                Some(arrival) => arrival.as_str(),
                None => &document.reference.position,
            };
            document.reference.record_id = format!("{} at {place}", document.reference.record_id);
        }
        self.batch.push(document);
    }

    fn remember(&mut self, reference: &SourceRef, fate: Fate) {
        if self.remembers {
            self.records.push(Told::Record(Box::new((reference.clone(), fate))));
        }
    }

    async fn flush(&mut self, cursor: Option<Cursor>) -> Result<(), Trouble> {
        if self.batch.is_empty() && cursor.is_none() {
            return Ok(());
        }
        let documents = std::mem::take(&mut self.batch);
        let mut turned_away = Vec::new();
        if !documents.is_empty() {
            // The cursor comes last: what is before it must be kept, what was turned away included.
            let batch = ReceiveBatch { source: self.part.name.clone(), cursor: None, documents: documents.clone() };
            let receptions = self.shared.ledger.receive(batch).await?;
            for (document, reception) in documents.into_iter().zip(receptions) {
                turned_away.extend(self.received(document, reception).await?);
            }
        }
        self.keep_turned_away(turned_away, cursor).await?;
        self.reading.batch_received();
        Ok(())
    }

    /// Counts a reception; a document that was turned away comes back in the form in which it can be
    /// kept for a person.
    async fn received(
        &mut self,
        document: NewDocument,
        reception: Reception,
    ) -> Result<Option<NewDocument>, PipelineError> {
        let (id, state, how) = match reception {
            Reception::New { id, state } => (id, state, "new"),
            Reception::Unchanged { id, state } => (id, state, "unchanged"),
            Reception::Revised { id, state } => (id, state, "revised"),
            Reception::Duplicate { id, state, .. } => (id, state, "duplicate"),
            Reception::Clash { id, state, first, key } => {
                let same_record = self.is_own_record(&document, id, &first).await?;
                return Ok(self.clash(document, state, first, key, same_record));
            }
        };
        self.tally.note(|report| match how {
            "new" => report.new += 1,
            "unchanged" => report.unchanged += 1,
            "revised" => report.revised += 1,
            _ => report.duplicates += 1,
        });
        if state == DocumentState::Invalid {
            self.tally.note(|report| report.invalid += 1);
            self.tally.settled(&document.label, state);
        }
        if state == DocumentState::Ready {
            self.tally.observer.queued(1);
        }
        self.tally.listed(id, &document.label, how);
        if how == "new" && self.remembers {
            self.records.push(Told::First(id));
        } else {
            self.remember(&document.reference, Fate::Document(id));
        }
        Ok(None)
    }

    /// Whether the document that holds the key came by this very record. Names of records are unique
    /// within a source only.
    async fn is_own_record(
        &self,
        document: &NewDocument,
        holder: DocumentId,
        first: &SourceRef,
    ) -> Result<bool, PipelineError> {
        if document.reference.record_id != first.record_id {
            return Ok(false);
        }
        let query = Query { after: Some(DocumentId(holder.0.saturating_sub(1))), limit: 1, ..Query::default() };
        let found = self.shared.ledger.query(query).await?;
        Ok(found.iter().any(|status| status.id == holder && status.source == self.part.name))
    }

    fn clash(
        &mut self,
        mut document: NewDocument,
        state: DocumentState,
        first: SourceRef,
        key: Option<DocumentKey>,
        same_record: bool,
    ) -> Option<NewDocument> {
        let is_elsewhere = document.reference.location != first.location;
        let message = clash_message(&document, state, &first, same_record);
        events::key_clash(&document.label, &message);
        self.remember(&document.reference, Fate::Decided(Disposition::NeedsPerson));
        let clash = Clash {
            label: document.label.clone(),
            place: document.reference.to_string(),
            key,
            first,
            state,
            message: message.clone(),
        };
        self.tally.note(|report| {
            if report.clashes.len() < LISTED_MAX {
                report.clashes.push(clash);
            }
        });
        if same_record {
            // The ledger keeps the document as it was sent; this revision has no place beside it, unless somebody
            // waits for an answer where it came.
            let arrival = document.arrival.as_ref().filter(|_| is_elsewhere)?;
            document.reference.record_id = format!("{} at {}", document.reference.record_id, arrival.as_str());
        }
        let finding = key_taken(message).with_place(document.reference.to_string());
        let payload = match document.verdict {
            Verdict::Ready { payload, .. } => Some(payload),
            Verdict::Invalid { payload } => payload,
        };
        let mut findings = document.findings;
        findings.push(finding);
        Some(NewDocument { key: None, verdict: Verdict::Invalid { payload }, findings, ..document })
    }

    /// Keeps what was turned away for a person, and with it the cursor.
    async fn keep_turned_away(&mut self, documents: Vec<NewDocument>, cursor: Option<Cursor>) -> Result<(), Trouble> {
        if documents.is_empty() && cursor.is_none() {
            return Ok(());
        }
        let batch = ReceiveBatch { source: self.part.name.clone(), cursor, documents: documents.clone() };
        let receptions = self.shared.ledger.receive(batch).await?;
        for (document, reception) in documents.into_iter().zip(receptions) {
            if !matches!(reception, Reception::Clash { .. }) {
                self.received(document, reception).await?;
            }
        }
        Ok(())
    }
}

fn clash_message(document: &NewDocument, state: DocumentState, first: &SourceRef, same_record: bool) -> String {
    if same_record {
        let first =
            if document.reference.location == first.location { String::new() } else { format!(", from {first}") };
        // What is no document any more says itself what became of it, and what to do.
        if let (Verdict::Invalid { payload: None }, Some(finding)) = (&document.verdict, document.findings.first()) {
            let fix = finding.fix.as_ref().map(|fix| format!("; {fix}")).unwrap_or_default();
            return format!(
                "{} had been sent (it is {state}{first}), and then: {}{fix}",
                document.label, finding.message
            );
        }
        format!(
            "{} was changed after it had been sent (it is {state}{first}): a registered document cannot be amended; \
             cancel it and issue a new number, or undo the change",
            document.label
        )
    } else {
        taken_by_another(&document.label, first)
    }
}

/// What is said of a document whose key is held by one of other content, which was read before it from this place.
#[must_use]
pub fn key_held_by(label: &str, first: &dyn Display) -> Finding {
    key_taken(taken_by_another(label, first))
}

fn taken_by_another(label: &str, first: &dyn Display) -> String {
    format!(
        "{label} has the same supplier, year, type and number as the document from {first}, but other content; \
         the first one read keeps the number"
    )
}

fn key_taken(message: String) -> Finding {
    Finding::error(KEY_RULE, "DocDtls.No", message)
        .with_fix("Give one of the two a number of its own, or delete the one that is wrong.")
}

/// Judges a mapped document by the rules of the day.
fn judged(document: MappedDocument, reference: &SourceRef, options: &CheckOptions) -> NewDocument {
    let MappedDocument { invoice, findings, provenance, attributes } = document;
    let label = invoice.label();
    let (key, verdict, mut findings, hash) = match rulebook::check(invoice, findings, options) {
        Ok(checked) => {
            let payload = Bytes::copy_from_slice(checked.payload());
            let irn = checked.irn(IrnRule::on(options.as_of));
            let hash = hash(&payload);
            (Some(checked.key().clone()), Verdict::Ready { payload, irn }, checked.findings().to_vec(), hash)
        }
        Err(rejected) => {
            let payload = Bytes::from(Invoice::to_json(&rejected.invoice));
            let hash = hash(&payload);
            let key = rejected.invoice.document_key();
            (key, Verdict::Invalid { payload: Some(payload) }, rejected.findings, hash)
        }
    };
    source::place(&mut findings, reference, &provenance);
    NewDocument {
        reference: reference.clone(),
        arrival: None,
        attributes,
        label,
        key,
        content_hash: hash,
        verdict,
        findings,
    }
}

fn unreadable(reference: SourceRef, label: String, findings: Vec<Finding>, hash: [u8; 32]) -> NewDocument {
    NewDocument {
        reference,
        arrival: None,
        attributes: std::collections::BTreeMap::new(),
        label,
        key: None,
        content_hash: hash,
        verdict: Verdict::Invalid { payload: None },
        findings,
    }
}

fn hash(bytes: &[u8]) -> [u8; 32] {
    let digest = digest::digest(&digest::SHA256, bytes);
    // SHA-256 gives 32 bytes; the fallback cannot be reached.
    <[u8; 32]>::try_from(digest.as_ref()).unwrap_or_default()
}
