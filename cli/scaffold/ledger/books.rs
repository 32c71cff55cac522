//! What the ledger knows of documents, and how it takes them in.
//!
//! Everything is in memory here. Replace it by tables of @name@: a field of [`Document`] is a column, [`Books`] behind its
//! lock is a transaction, and what is looked through here is an index there. The rules stay.

use std::collections::BTreeMap;

use einvoice_core::document::Difference;
use einvoice_core::entropy::SystemEntropy;
use einvoice_core::environment::Environment;
use einvoice_core::finding::Finding;
use einvoice_core::irn::Irn;
use einvoice_core::job::Cancellation;
use einvoice_core::key::DocumentKey;
use einvoice_core::ledger::{
    AttemptId, AttemptOutcome, AuditEntry, DocumentId, HandOver, Intent, LedgerError, LedgerId, NewDocument,
    ReceiveBatch, Reception, Verdict, WorkerId,
};
use einvoice_core::operation::{InfoDetail, Registration};
use einvoice_core::portal_code::PortalError;
use einvoice_core::source::{Cursor, SourceRef};
use einvoice_core::state::DocumentState as State;
use einvoice_core::verify::Proof;
use jiff::Timestamp;

/// Everything that is known. Ledgers over the same books see the same.
#[derive(Debug, Default)]
pub struct Books {
    identity: Option<LedgerId>,
    pub(crate) documents: BTreeMap<i64, Document>,
    /// Records by their number, which is their order of arrival.
    pub(crate) records: BTreeMap<i64, Record>,
    pub(crate) attempts: BTreeMap<i64, Attempt>,
    /// (target, record) to the revision that the target has.
    pub(crate) delivered: BTreeMap<(String, i64), u32>,
    /// The environment that the ledger belongs to, once it was bound.
    pub(crate) environment: Option<Environment>,
    pub(crate) cursors: BTreeMap<String, Cursor>,
    /// Receipts made so far, to tell which is older.
    receipts: u64,
}

/// A record of a source, and the document it brought.
#[derive(Debug)]
pub(crate) struct Record {
    pub(crate) source: String,
    pub(crate) document: i64,
    pub(crate) reference: SourceRef,
    pub(crate) attributes: BTreeMap<String, String>,
    content_hash: [u8; 32],
}

/// An intent, and what became of it.
#[derive(Debug)]
pub(crate) struct Attempt {
    pub(crate) intent: Intent,
    pub(crate) outcome: Option<AttemptOutcome>,
    /// It was refused, by its own answer or by a later one: it is on its way no more.
    pub(crate) is_over: bool,
}

/// A document.
#[derive(Debug)]
pub(crate) struct Document {
    pub(crate) id: i64,
    pub(crate) label: String,
    pub(crate) key: Option<DocumentKey>,
    pub(crate) irn: Option<Irn>,
    pub(crate) verdict: Verdict,
    content_hash: [u8; 32],
    pub(crate) state: State,
    /// What the check found, and what the portal said.
    pub(crate) findings: [Vec<Finding>; 2],
    pub(crate) differences: Vec<Difference>,
    pub(crate) lease: Option<(WorkerId, Timestamp)>,
    pub(crate) last_attempt: Option<AttemptId>,
    /// What the portal said without clearing the outcome.
    pub(crate) open: (Vec<PortalError>, Vec<InfoDetail>),
    pub(crate) ask_at: Option<Timestamp>,
    pub(crate) asked: u32,
    pub(crate) hand_over: Option<HandOver>,
    pub(crate) registration: Option<Registration>,
    pub(crate) proof: Option<Proof>,
    pub(crate) cancellation: Option<Cancellation>,
    pub(crate) receipt: Option<Shown>,
    pub(crate) received_at: Timestamp,
    pub(crate) changed_at: Timestamp,
    pub(crate) audit: Vec<AuditEntry>,
}

/// What the books of the user are to show: a revision of the result.
#[derive(Debug, Clone)]
pub(crate) struct Shown {
    pub(crate) order: u64,
    pub(crate) revision: u32,
    pub(crate) state: State,
    pub(crate) key: Option<DocumentKey>,
    pub(crate) irn: Option<Irn>,
    pub(crate) registration: Option<Registration>,
    pub(crate) proof: Option<Proof>,
    pub(crate) cancellation: Option<Cancellation>,
    pub(crate) findings: Vec<Finding>,
}

impl Document {
    /// Moves on, if the table of legal moves allows it.
    pub(crate) fn become_state(&mut self, to: State) -> Result<(), LedgerError> {
        if !self.state.allows(to) {
            return Err(self.illegal(to));
        }
        self.state = to;
        Ok(())
    }

    pub(crate) const fn illegal(&self, to: State) -> LedgerError {
        LedgerError::IllegalMove { document: DocumentId(self.id), from: self.state, to }
    }

    /// Whether a worker holds it.
    pub(crate) fn is_with(&self, worker: &WorkerId, now: Timestamp) -> bool {
        self.lease.as_ref().is_some_and(|(holder, until)| holder == worker && *until > now)
    }

    pub(crate) fn is_free(&self, now: Timestamp) -> bool {
        self.lease.as_ref().is_none_or(|(_, until)| *until <= now)
    }

    /// Forgets what was open while the outcome was not known.
    pub(crate) fn close_question(&mut self) {
        self.open = (Vec::new(), Vec::new());
        (self.ask_at, self.asked, self.hand_over) = (None, 0, None);
        self.findings = [std::mem::take(&mut self.findings).into_iter().next().unwrap_or_default(), Vec::new()];
        self.differences.clear();
    }

    /// Notes in the audit trail what happened.
    pub(crate) fn tell(&mut self, from: Option<State>, event: &str, details: String, now: Timestamp) {
        self.changed_at = now;
        self.audit.push(AuditEntry { at: now, from, to: self.state, event: event.to_owned(), details });
    }
}

impl Books {
    /// Who counts the revisions of receipts: made once, and kept as long as the books.
    pub(crate) fn identity(&mut self) -> Option<LedgerId> {
        if self.identity.is_none() {
            self.identity = LedgerId::random(&SystemEntropy::default()).ok();
        }
        self.identity.clone()
    }

    pub(crate) fn document(&mut self, id: DocumentId) -> Result<&mut Document, LedgerError> {
        self.documents.get_mut(&id.0).ok_or(LedgerError::NoDocument { document: id })
    }

    /// Takes in a batch, wholly or not at all.
    pub(crate) fn receive(&mut self, batch: ReceiveBatch, now: Timestamp) -> Result<Vec<Reception>, LedgerError> {
        let keyless = |document: &&NewDocument| document.key.is_none() && matches!(document.verdict, Verdict::Ready { .. });
        if let Some(wrong) = batch.documents.iter().find(keyless) {
            return Err(LedgerError::Storage {
                ledger: "@name@".to_owned(),
                reason: format!("{} is said to be ready, yet has no key; a fault of the program", wrong.label),
                source: None,
            });
        }
        let documents = batch.documents.into_iter();
        let receptions = documents.map(|document| self.take_in(&batch.source, document, now)).collect();
        if let Some(cursor) = batch.cursor {
            self.cursors.insert(batch.source, cursor);
        }
        Ok(receptions)
    }

    fn take_in(&mut self, source: &str, incoming: NewDocument, now: Timestamp) -> Reception {
        let is_it = |record: &Record| record.source == source && record.reference.record_id == incoming.reference.record_id;
        if let Some(number) = self.records.iter().find(|(_, record)| is_it(record)).map(|(number, _)| *number) {
            return self.take_in_again(number, incoming, now);
        }
        let holder = self.holder(&incoming).and_then(|id| self.documents.get(&id));
        let reception = match holder {
            Some(known) if known.content_hash != incoming.content_hash => return self.clash(known),
            Some(known) => {
                Reception::Duplicate { id: DocumentId(known.id), state: known.state, first: self.first(known.id) }
            }
            None => self.take_in_new(&incoming, now),
        };
        let (Reception::Duplicate { id, .. } | Reception::New { id, .. }) = &reception else { return reception };
        let record = Record {
            source: source.to_owned(),
            document: id.0,
            reference: incoming.reference,
            attributes: incoming.attributes,
            content_hash: incoming.content_hash,
        };
        self.records.insert(next(&self.records), record);
        reception
    }

    fn take_in_new(&mut self, incoming: &NewDocument, now: Timestamp) -> Reception {
        let id = next(&self.documents);
        let (state, irn) = judged(&incoming.verdict);
        let mut document = Document {
            id,
            label: incoming.label.clone(),
            key: incoming.key.clone(),
            irn,
            verdict: incoming.verdict.clone(),
            content_hash: incoming.content_hash,
            state,
            findings: [incoming.findings.clone(), Vec::new()],
            differences: Vec::new(),
            lease: None,
            last_attempt: None,
            open: (Vec::new(), Vec::new()),
            ask_at: None,
            asked: 0,
            hand_over: None,
            registration: None,
            proof: None,
            cancellation: None,
            receipt: None,
            received_at: now,
            changed_at: now,
            audit: Vec::new(),
        };
        document.tell(None, "received", "{}".to_owned(), now);
        self.documents.insert(id, document);
        self.show(id);
        Reception::New { id: DocumentId(id), state }
    }

    /// A record that came before: the same, judged otherwise, or edited.
    fn take_in_again(&mut self, number: i64, incoming: NewDocument, now: Timestamp) -> Reception {
        let holder = self.holder(&incoming);
        let Some(record) = self.records.get(&number) else { return self.take_in_new(&incoming, now) };
        let Some(known) = self.documents.get(&record.document) else { return self.take_in_new(&incoming, now) };
        let is_edited = record.content_hash != incoming.content_hash;
        // Another record of the same document may have brought an edit first.
        let brings_news = known.content_hash != incoming.content_hash;
        let is_first = self.records.iter().find(|(_, record)| record.document == known.id).is_some_and(|(first, _)| *first == number);
        let stays = if brings_news { !is_edited } else { !is_judged_otherwise(known, &incoming, is_first) };
        if !stays && !matches!(known.state, State::Invalid | State::Refused | State::Ready) {
            return self.clash(known);
        }
        if let Some(other) = holder.filter(|other| !stays && *other != known.id).and_then(|other| self.documents.get(&other)) {
            return self.clash(other);
        }
        let id = known.id;
        if let Some(record) = self.records.get_mut(&number) {
            record.reference = incoming.reference.clone();
            record.attributes.clone_from(&incoming.attributes);
            record.content_hash = incoming.content_hash;
        }
        let state = match self.documents.get_mut(&id) {
            Some(document) if stays => return Reception::Unchanged { id: DocumentId(id), state: document.state },
            Some(document) => revise(document, incoming, now),
            None => State::Received,
        };
        self.show(id);
        Reception::Revised { id: DocumentId(id), state }
    }

    /// The document that holds the key of another.
    fn holder(&self, incoming: &NewDocument) -> Option<i64> {
        let key = incoming.key.as_ref()?;
        self.documents.values().find(|document| document.key.as_ref() == Some(key)).map(|document| document.id)
    }

    fn clash(&self, held: &Document) -> Reception {
        Reception::Clash { id: DocumentId(held.id), state: held.state, first: self.first(held.id), key: held.key.clone() }
    }

    /// The record that brought a document first.
    pub(crate) fn first(&self, document: i64) -> SourceRef {
        let first = self.records.values().find(|record| record.document == document);
        let nowhere = SourceRef { location: String::new(), position: String::new(), record_id: String::new() };
        first.map_or(nowhere, |record| record.reference.clone())
    }

    /// Makes a receipt where the books of the user should show a change: a result that they do not show, or `Ready` where
    /// they show one that does not count any more.
    pub(crate) fn show(&mut self, id: i64) {
        let Some(document) = self.documents.get_mut(&id) else { return };
        let findings = document.findings.concat();
        let last = document.receipt.as_ref();
        let is_due = match document.state {
            State::Ready => last.is_some_and(|last| last.state != State::Ready),
            State::Received | State::Sent | State::Unknown | State::Cancelling => false,
            state => last.is_none_or(|last| last.state != state || last.findings != findings),
        };
        if !is_due {
            return;
        }
        self.receipts += 1;
        document.receipt = Some(Shown {
            order: self.receipts,
            revision: last.map_or(1, |last| last.revision + 1),
            state: document.state,
            key: document.key.clone(),
            irn: document.irn,
            registration: document.registration.clone(),
            proof: document.proof.clone(),
            cancellation: document.cancellation.clone(),
            findings,
        });
    }
}

/// The number after the last one.
pub(crate) fn next<T>(numbered: &BTreeMap<i64, T>) -> i64 {
    numbered.last_key_value().map_or(1, |(last, _)| last + 1)
}

fn judged(verdict: &Verdict) -> (State, Option<Irn>) {
    match verdict {
        Verdict::Ready { irn, .. } => (State::Ready, Some(*irn)),
        Verdict::Invalid { .. } => (State::Invalid, None),
    }
}

/// Whether an invalid document is judged in another way than before, as rules and masters change. Where findings lie does
/// not count, and only the first record says whether they are others: two records shall not revise each other for ever.
fn is_judged_otherwise(known: &Document, incoming: &NewDocument, is_first: bool) -> bool {
    if known.state != State::Invalid {
        return false;
    }
    if matches!(incoming.verdict, Verdict::Ready { .. }) {
        return true;
    }
    let without_place = |finding: &Finding| Finding { place: None, ..finding.clone() };
    let before = known.findings.first().into_iter().flatten().map(without_place);
    is_first && !before.eq(incoming.findings.iter().map(without_place))
}

/// Replaces what a document says. A refused one waits on until a revision passes the check, and keeps its key until then.
fn revise(document: &mut Document, incoming: NewDocument, now: Timestamp) -> State {
    let from = document.state;
    let (state, irn) = judged(&incoming.verdict);
    if from != State::Refused || state == State::Ready {
        document.state = state;
        document.key = incoming.key;
        document.irn = irn;
    }
    document.verdict = incoming.verdict;
    document.content_hash = incoming.content_hash;
    document.findings = [incoming.findings, Vec::new()];
    document.label = incoming.label;
    document.lease = None;
    document.tell(Some(from), "a corrected revision was received", "{}".to_owned(), now);
    document.state
}
