//! The changing part of documents, read and written as one, and the rule when a receipt is made.

use std::collections::{BTreeSet, HashMap};

use einvoice_core::ledger::{DocumentId, HandOver, LedgerError};
use einvoice_core::state::{DocumentState, EwbState};
use jiff::Timestamp;
use serde::Serialize;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, SqliteConnection};

use crate::codec;
use crate::fault::Fault;
use crate::rows::Rows;

/// Where a document stands: what a move may change.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Standing {
    pub(crate) id: i64,
    pub(crate) state: DocumentState,
    pub(crate) ewb_state: EwbState,
    pub(crate) portal_findings: String,
    pub(crate) differences: String,
    pub(crate) last_attempt: Option<i64>,
    pub(crate) registration_reply: Option<i64>,
    pub(crate) open_reply: Option<i64>,
    pub(crate) ask_at: Option<i64>,
    pub(crate) asked: i64,
    /// What a person is asked, as JSON.
    pub(crate) hand_over: Option<String>,
    /// Number of the present e-way bill; its row must be in the file before this is.
    pub(crate) ewb_number: Option<String>,
    /// The cancellation as JSON.
    pub(crate) cancellation: Option<String>,
    lease_owner: Option<String>,
    lease_until: i64,
    receipt_revision: i64,
    receipt_state: Option<DocumentState>,
    /// What the books show at present, to tell whether a receipt is due.
    #[serde(skip)]
    shown: Option<Shown>,
    /// Whether what is known of its bill changed in a way that its state does not show.
    #[serde(skip)]
    pub(crate) bill_changed: bool,
    /// Changes that are not in the file yet.
    #[serde(skip)]
    steps: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Shown {
    state: DocumentState,
    ewb_state: EwbState,
    ewb_number: Option<String>,
    cancellation: Option<String>,
    portal_findings: String,
    differences: String,
}

/// A line of the audit trail to write with a change.
#[derive(Debug)]
pub(crate) struct Event<'a> {
    pub(crate) text: &'a str,
    pub(crate) details: Option<String>,
    pub(crate) reply: Option<i64>,
}

/// One change of a document, as [`STORE`] reads it.
#[derive(Serialize)]
struct Step<'a> {
    to: &'a Standing,
    at: i64,
    event: &'a str,
    details: Option<String>,
    reply: Option<i64>,
}

/// Empty JSON list: no findings, no differences.
pub(crate) const NOTHING: &str = "[]";

const LOAD: &str = "WITH wanted (id) AS MATERIALIZED (SELECT value FROM json_each($1)) \
     SELECT d.id, d.state, d.ewb_state, d.portal_findings, d.differences, d.last_attempt, d.registration_reply, \
     d.open_reply, d.ask_at, d.asked, d.hand_over, d.ewb_number, d.cancellation, d.lease_owner, d.lease_until, \
     d.receipt_revision, d.receipt_state \
     FROM wanted CROSS JOIN document d ON d.id = wanted.id";

const STORE: &str = "WITH step (v) AS MATERIALIZED (SELECT value FROM json_each($1)) \
     UPDATE document SET state = v ->> '$.to.state', ewb_state = v ->> '$.to.ewb_state', \
     portal_findings = v ->> '$.to.portal_findings', differences = v ->> '$.to.differences', \
     last_attempt = v ->> '$.to.last_attempt', registration_reply = v ->> '$.to.registration_reply', \
     open_reply = v ->> '$.to.open_reply', ask_at = v ->> '$.to.ask_at', asked = v ->> '$.to.asked', \
     hand_over = v ->> '$.to.hand_over', ewb_number = v ->> '$.to.ewb_number', cancellation = v ->> '$.to.cancellation', \
     lease_owner = v ->> '$.to.lease_owner', lease_until = v ->> '$.to.lease_until', \
     receipt_revision = v ->> '$.to.receipt_revision', receipt_state = v ->> '$.to.receipt_state', \
     changed_at = v ->> 'at', events = events + 1, event = v ->> 'event', event_details = v ->> 'details', \
     event_reply = v ->> 'reply' FROM step WHERE document.id = v ->> '$.to.id'";

/// Documents that a group of calls moves, each call after the other, and the file at the end.
#[derive(Debug)]
pub(crate) struct Standings {
    by_id: HashMap<i64, Standing>,
    /// The first change of each document, the second, ...: a statement changes a row once.
    waves: Vec<Rows>,
    waves_of: HashMap<i64, usize>,
}

impl Standings {
    /// Reads where these documents stand.
    pub(crate) async fn load(connection: &mut SqliteConnection, ids: &BTreeSet<i64>) -> Result<Self, Fault> {
        let rows = sqlx::query(LOAD).bind(codec::to_json(ids)?).fetch_all(connection).await?;
        let standings = rows.iter().map(Standing::of_row);
        let by_id = standings.map(|one| one.map(|one| (one.id, one))).collect::<Result<_, _>>()?;
        Ok(Self { by_id, waves: Vec::new(), waves_of: HashMap::new() })
    }

    /// A copy to be moved; it counts only when it is kept.
    pub(crate) fn of(&self, id: i64) -> Result<Standing, Fault> {
        let found = self.by_id.get(&id).cloned();
        found.ok_or_else(|| LedgerError::NoDocument { document: DocumentId(id) }.into())
    }

    /// Makes the changes of a copy those of the document.
    pub(crate) fn keep(&mut self, mut standing: Standing) {
        for step in standing.steps.drain(..) {
            let wave = self.waves_of.entry(standing.id).or_default();
            while self.waves.len() <= *wave {
                self.waves.push(Rows::default());
            }
            if let Some(rows) = self.waves.get_mut(*wave) {
                rows.push_json(&step);
            }
            *wave += 1;
        }
        self.by_id.insert(standing.id, standing);
    }

    /// Writes the changes that were kept.
    pub(crate) async fn write(self, connection: &mut SqliteConnection) -> Result<(), Fault> {
        for mut wave in self.waves {
            wave.execute(connection, STORE).await?;
        }
        Ok(())
    }
}

impl Standing {
    fn of_row(row: &SqliteRow) -> Result<Self, Fault> {
        let receipt_state: Option<String> = row.try_get("receipt_state")?;
        let mut standing = Self {
            id: row.try_get("id")?,
            state: codec::state(row.try_get("state")?)?,
            ewb_state: codec::ewb_state(row.try_get("ewb_state")?)?,
            portal_findings: row.try_get("portal_findings")?,
            differences: row.try_get("differences")?,
            last_attempt: row.try_get("last_attempt")?,
            registration_reply: row.try_get("registration_reply")?,
            open_reply: row.try_get("open_reply")?,
            ask_at: row.try_get("ask_at")?,
            asked: row.try_get("asked")?,
            hand_over: row.try_get("hand_over")?,
            ewb_number: row.try_get("ewb_number")?,
            cancellation: row.try_get("cancellation")?,
            lease_owner: row.try_get("lease_owner")?,
            lease_until: row.try_get("lease_until")?,
            receipt_revision: row.try_get("receipt_revision")?,
            receipt_state: receipt_state.as_deref().map(codec::state).transpose()?,
            shown: None,
            bill_changed: false,
            steps: Vec::new(),
        };
        standing.shown = Some(standing.shown_now());
        Ok(standing)
    }

    /// Moves to `next`, if that is legal.
    pub(crate) fn become_state(&mut self, next: DocumentState) -> Result<(), Fault> {
        if self.state.allows(next) {
            self.state = next;
            return Ok(());
        }
        Err(self.illegal(next))
    }

    /// The error for a move that is not in the table.
    pub(crate) fn illegal(&self, to: DocumentState) -> Fault {
        LedgerError::IllegalMove { document: DocumentId(self.id), from: self.state, to }.into()
    }

    /// Whether `worker` holds the document at `now`.
    pub(crate) fn is_with(&self, worker: &str, now: i64) -> bool {
        self.lease_owner.as_deref() == Some(worker) && self.lease_until > now
    }

    /// Ends the lease.
    pub(crate) fn release(&mut self) {
        self.lease_owner = None;
        self.lease_until = 0;
    }

    /// What a person is asked about it.
    pub(crate) fn hand_over(&self) -> Result<Option<HandOver>, Fault> {
        codec::maybe("what a person is asked", self.hand_over.as_deref())
    }

    /// Forgets what was open while the outcome was not known.
    pub(crate) fn close_question(&mut self) {
        self.open_reply = None;
        self.ask_at = None;
        self.asked = 0;
        self.hand_over = None;
        NOTHING.clone_into(&mut self.portal_findings);
        NOTHING.clone_into(&mut self.differences);
    }

    /// Notes the change with its line in the audit trail, and a receipt where the books should show
    /// it.
    pub(crate) fn store(&mut self, now: Timestamp, event: Event<'_>) -> Result<(), Fault> {
        let now_shown = self.shown_now();
        let changed = std::mem::take(&mut self.bill_changed) || self.shown.as_ref() != Some(&now_shown);
        if self.state == DocumentState::Cancelling {
            // Shown once the cancellation is settled, whichever way.
            if changed {
                self.receipt_state = None;
            }
        } else if receipt_due(self.state, changed, self.receipt_state) {
            self.receipt_revision += 1;
            self.receipt_state = Some(self.state);
        }
        self.store_passing(now, event)?;
        self.shown = Some(now_shown);
        Ok(())
    }

    /// A cancellation under way leaves what the books show, and one that comes to nothing needs no receipt.
    fn shown_now(&self) -> Shown {
        let cancelling = self.state == DocumentState::Cancelling;
        Shown {
            state: if cancelling { DocumentState::Registered } else { self.state },
            ewb_state: self.ewb_state,
            ewb_number: self.ewb_number.clone(),
            cancellation: self.cancellation.clone(),
            portal_findings: self.portal_findings.clone(),
            differences: self.differences.clone(),
        }
    }

    /// Notes a change that another one follows at once: no receipt.
    pub(crate) fn store_passing(&mut self, now: Timestamp, event: Event<'_>) -> Result<(), Fault> {
        let Event { text, details, reply } = event;
        let step = codec::to_json(&Step { to: self, at: codec::micros(now), event: text, details, reply })?;
        self.steps.push(step);
        Ok(())
    }
}

/// Whether the books should show a document in this state.
pub(crate) const fn is_shown(state: DocumentState) -> bool {
    matches!(
        state,
        DocumentState::Invalid
            | DocumentState::Refused
            | DocumentState::Burnt
            | DocumentState::Conflict
            | DocumentState::Registered
            | DocumentState::Cancelled
            | DocumentState::RejectedByRegistry
    )
}

/// Whether a change makes a receipt: the state is one the books show and something of it changed, or
/// the books still show a result that a return to `Ready` made obsolete.
pub(crate) fn receipt_due(state: DocumentState, changed: bool, last: Option<DocumentState>) -> bool {
    if is_shown(state) {
        // Sent and Unknown lie between two results, so the last receipt counts, not the last state.
        return changed || last != Some(state);
    }
    state == DocumentState::Ready && last.is_some_and(|last| last != DocumentState::Ready)
}
