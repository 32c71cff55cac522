//! What a run did: counted while it runs, told to an observer, summed up at its end.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;

use super::Shared;
use crate::key::DocumentKey;
use crate::ledger::{DocumentId, LedgerError, Query};
use crate::source::{Skip, SourceRef};
use crate::state::DocumentState;

/// Most documents, skips and notes that a report lists one by one; all are counted.
pub(super) const LISTED_MAX: usize = 1_000;

/// Follows a run. Called from many tasks at once; must return quickly.
pub trait Observer: fmt::Debug + Send + Sync {
    /// So many more records were read.
    fn read(&self, records: usize);

    /// A document may be sent: work to come.
    fn queued(&self, documents: usize);

    /// A document reached the end of this run's work on it.
    fn settled(&self, label: &str, state: DocumentState);

    /// So many results were delivered to a target.
    fn delivered(&self, target: &str, receipts: usize);
}

/// Follows nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Observer for Silent {
    fn read(&self, _records: usize) {}
    fn queued(&self, _documents: usize) {}
    fn settled(&self, _label: &str, _state: DocumentState) {}
    fn delivered(&self, _target: &str, _receipts: usize) {}
}

/// What a run did.
#[derive(Debug, Clone, Default, Serialize)]
#[non_exhaustive]
pub struct RunReport {
    /// Records read from all sources.
    pub read: u64,
    /// Documents never seen before.
    pub new: u64,
    /// Documents seen before and not changed.
    pub unchanged: u64,
    /// Corrected revisions taken in.
    pub revised: u64,
    /// Records that brought a document which another record had brought before.
    pub duplicates: u64,
    /// Documents registered by this run, by sending or by finding them registered.
    pub registered: u64,
    /// Documents that the portal refused in this run.
    pub refused: u64,
    /// Documents that this run found to break a rule.
    pub invalid: u64,
    /// Documents whose outcome became unknown in this run and was not settled in it.
    pub became_unknown: u64,
    /// Results delivered, by target.
    pub delivered: BTreeMap<String, u64>,
    /// Records not to be registered, by reason.
    pub skipped: BTreeMap<String, u64>,
    /// Documents in the ledger by state, when the run ended: only states that ask for something.
    pub open: BTreeMap<String, u64>,
    /// The documents this run met, in order; at most 1,000.
    pub documents: Vec<Listed>,
    /// The records this run skipped; at most 1,000.
    pub skips: Vec<Listed>,
    /// Documents turned away because their key is taken; at most 1,000.
    pub clashes: Vec<Clash>,
    /// Configuration and credentials that somebody has to mend.
    pub configuration: Vec<Note>,
    /// Routes that did not answer.
    pub unreachable: Vec<Note>,
    /// Sources and targets that failed.
    pub failures: Vec<Note>,
    /// The run was asked to stop before it was through.
    pub stopped: bool,
}

/// A document or a skipped record, as a report lists it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Listed {
    /// Its number in the ledger; absent for a skipped record.
    pub id: Option<DocumentId>,
    /// What a person calls it.
    pub label: String,
    /// What happened on reading: `new`, `unchanged`, `revised`, `duplicate`, `resumed`, or the
    /// reason of a skip.
    pub how: String,
    /// A sentence, where there is one.
    pub message: Option<String>,
}

/// A document turned away because its key is taken by other content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Clash {
    /// What a person calls it.
    pub label: String,
    /// Where it stands.
    pub place: String,
    /// The key.
    pub key: Option<DocumentKey>,
    /// Where the document that holds the key came from.
    pub first: SourceRef,
    /// The state of that document.
    pub state: DocumentState,
    /// What is wrong and what to do.
    pub message: String,
}

/// A trouble that concerns more than one document.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Note {
    /// Route, source, target or GSTIN.
    pub about: String,
    /// What is wrong and what to do.
    pub message: String,
}

/// A report in the making.
#[derive(Debug)]
pub(super) struct Tally {
    pub(super) observer: Arc<dyn Observer>,
    report: Mutex<RunReport>,
}

impl Tally {
    pub(super) fn new(observer: Arc<dyn Observer>) -> Self {
        Self { observer, report: Mutex::default() }
    }

    /// Changes the report.
    pub(super) fn note<T>(&self, change: impl FnOnce(&mut RunReport) -> T) -> T {
        change(&mut self.report.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn skip(&self, skip: Skip) {
        self.note(|report| {
            *report.skipped.entry(skip.reason.clone()).or_default() += 1;
            if report.skips.len() < LISTED_MAX {
                report.skips.push(Listed {
                    id: None,
                    label: skip.label,
                    how: skip.reason,
                    message: Some(skip.message),
                });
            }
        });
    }

    pub(super) fn listed(&self, id: DocumentId, label: &str, how: &str) {
        self.note(|report| {
            if report.documents.len() < LISTED_MAX && !report.documents.iter().any(|listed| listed.id == Some(id)) {
                report.documents.push(Listed {
                    id: Some(id),
                    label: label.to_owned(),
                    how: how.to_owned(),
                    message: None,
                });
            }
        });
    }

    pub(super) fn configuration(&self, about: impl Into<String>, message: impl Into<String>) {
        let note = Note { about: about.into(), message: message.into() };
        self.note(|report| add(&mut report.configuration, note));
    }

    pub(super) fn unreachable(&self, about: impl Into<String>, message: impl Into<String>) {
        let note = Note { about: about.into(), message: message.into() };
        self.note(|report| add(&mut report.unreachable, note));
    }

    pub(super) fn failure(&self, about: impl Into<String>, message: impl Into<String>) {
        let note = Note { about: about.into(), message: message.into() };
        self.note(|report| add(&mut report.failures, note));
    }

    /// A document reached the end of this run's work on it.
    pub(super) fn settled(&self, label: &str, state: DocumentState) {
        self.note(|report| match state {
            DocumentState::Registered => report.registered += 1,
            DocumentState::Refused | DocumentState::Burnt => report.refused += 1,
            DocumentState::Unknown => report.became_unknown += 1,
            _ => {}
        });
        self.observer.settled(label, state);
    }

    /// Sums up, with what the ledger holds open.
    pub(super) async fn finish(&self, shared: &Shared) -> Result<RunReport, LedgerError> {
        let mut report = self.note(|report| report.clone());
        for state in OPEN_STATES {
            let count = count(shared, state).await?;
            if count > 0 {
                report.open.insert(state.as_str().to_owned(), count);
            }
        }
        Ok(report)
    }
}

/// States in which a document asks for something: work of ours or a person's decision.
const OPEN_STATES: [DocumentState; 8] = [
    DocumentState::Invalid,
    DocumentState::Ready,
    DocumentState::Sent,
    DocumentState::Unknown,
    DocumentState::Refused,
    DocumentState::Conflict,
    DocumentState::Burnt,
    DocumentState::Cancelling,
];

async fn count(shared: &Shared, state: DocumentState) -> Result<u64, LedgerError> {
    let (mut total, mut after) = (0, None);
    loop {
        let query = Query { states: vec![state], after, limit: 1_000, ..Query::default() };
        let page = shared.ledger.query(query).await?;
        total += u64::try_from(page.len()).unwrap_or(u64::MAX);
        match page.last() {
            Some(last) if page.len() == 1_000 => after = Some(last.id),
            _ => return Ok(total),
        }
    }
}

/// Adds a note once, up to the limit.
fn add(notes: &mut Vec<Note>, note: Note) {
    if notes.len() < LISTED_MAX && !notes.contains(&note) {
        notes.push(note);
    }
}

impl RunReport {
    /// Whether a document waits for a person.
    #[must_use]
    pub fn needs_person(&self) -> bool {
        const STATES: [DocumentState; 4] =
            [DocumentState::Invalid, DocumentState::Refused, DocumentState::Conflict, DocumentState::Burnt];
        !self.clashes.is_empty()
            || !self.failures.is_empty()
            || STATES.iter().any(|state| self.open.contains_key(state.as_str()))
    }

    /// Whether outcomes are still unknown.
    #[must_use]
    pub fn unknown_remains(&self) -> bool {
        [DocumentState::Unknown, DocumentState::Sent, DocumentState::Cancelling]
            .iter()
            .any(|state| self.open.contains_key(state.as_str()))
    }
}
