//! The changing part of a document, read and written as one, and the rule when a receipt is made.

use einvoice_core::ledger::{DocumentId, LedgerError};
use einvoice_core::state::{DocumentState, EwbState};
use jiff::Timestamp;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, SqliteConnection};

use crate::codec;
use crate::fault::Fault;

/// Where a document stands: what a move may change.
#[derive(Debug, Clone)]
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
    pub(crate) lease_owner: Option<String>,
    pub(crate) lease_until: i64,
    receipt_revision: i64,
    receipt_state: Option<DocumentState>,
    /// What the books show at present, to tell whether a receipt is due.
    shown: Shown,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Shown {
    state: DocumentState,
    ewb_state: EwbState,
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

/// Empty JSON list: no findings, no differences.
pub(crate) const NOTHING: &str = "[]";

const LOAD: &str = "SELECT id, state, ewb_state, portal_findings, differences, last_attempt, registration_reply, \
     open_reply, ask_at, asked, lease_owner, lease_until, receipt_revision, receipt_state \
     FROM document WHERE id = ?1";

const LOAD_OF_ATTEMPT: &str = "SELECT id, state, ewb_state, portal_findings, differences, last_attempt, \
     registration_reply, open_reply, ask_at, asked, lease_owner, lease_until, receipt_revision, receipt_state \
     FROM document WHERE id = (SELECT document_id FROM attempt WHERE id = ?1)";

const STORE: &str = "UPDATE document SET state = ?2, ewb_state = ?3, portal_findings = ?4, differences = ?5, \
     last_attempt = ?6, registration_reply = ?7, open_reply = ?8, ask_at = ?9, asked = ?10, lease_owner = ?11, \
     lease_until = ?12, receipt_revision = ?13, receipt_state = ?14, changed_at = ?15, events = events + 1, \
     event = ?16, event_details = ?17, event_reply = ?18 WHERE id = ?1";

impl Standing {
    /// Reads where a document stands.
    pub(crate) async fn load(connection: &mut SqliteConnection, id: i64) -> Result<Self, Fault> {
        let Some(row) = sqlx::query(LOAD).bind(id).fetch_optional(connection).await? else {
            return Err(LedgerError::NoDocument { document: DocumentId(id) }.into());
        };
        Self::of_row(&row)
    }

    /// Reads where the document of an attempt stands; nothing when there is no such attempt.
    pub(crate) async fn load_of_attempt(
        connection: &mut SqliteConnection,
        attempt: i64,
    ) -> Result<Option<Self>, Fault> {
        let row = sqlx::query(LOAD_OF_ATTEMPT).bind(attempt).fetch_optional(connection).await?;
        row.as_ref().map(Self::of_row).transpose()
    }

    fn of_row(row: &SqliteRow) -> Result<Self, Fault> {
        let state = codec::state(row.try_get("state")?)?;
        let ewb_state = codec::ewb_state(row.try_get("ewb_state")?)?;
        let portal_findings: String = row.try_get("portal_findings")?;
        let differences: String = row.try_get("differences")?;
        let receipt_state: Option<String> = row.try_get("receipt_state")?;
        Ok(Self {
            id: row.try_get("id")?,
            state,
            ewb_state,
            last_attempt: row.try_get("last_attempt")?,
            registration_reply: row.try_get("registration_reply")?,
            open_reply: row.try_get("open_reply")?,
            ask_at: row.try_get("ask_at")?,
            asked: row.try_get("asked")?,
            lease_owner: row.try_get("lease_owner")?,
            lease_until: row.try_get("lease_until")?,
            receipt_revision: row.try_get("receipt_revision")?,
            receipt_state: receipt_state.as_deref().map(codec::state).transpose()?,
            shown: Shown {
                state,
                ewb_state,
                portal_findings: portal_findings.clone(),
                differences: differences.clone(),
            },
            portal_findings,
            differences,
        })
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

    /// Forgets what was open while the outcome was not known.
    pub(crate) fn close_question(&mut self) {
        self.open_reply = None;
        self.ask_at = None;
        self.asked = 0;
        NOTHING.clone_into(&mut self.portal_findings);
        NOTHING.clone_into(&mut self.differences);
    }

    /// Writes the change with its line in the audit trail, and a receipt where the books should show
    /// it.
    pub(crate) async fn store(
        &mut self,
        connection: &mut SqliteConnection,
        now: Timestamp,
        event: Event<'_>,
    ) -> Result<(), Fault> {
        let now_shown = Shown {
            state: self.state,
            ewb_state: self.ewb_state,
            portal_findings: self.portal_findings.clone(),
            differences: self.differences.clone(),
        };
        if receipt_due(self.state, now_shown != self.shown, self.receipt_state) {
            self.receipt_revision += 1;
            self.receipt_state = Some(self.state);
        }
        self.write(connection, now, event).await?;
        self.shown = now_shown;
        Ok(())
    }

    /// Writes a change that another one follows at once: no receipt.
    pub(crate) async fn store_passing(
        &mut self,
        connection: &mut SqliteConnection,
        now: Timestamp,
        event: Event<'_>,
    ) -> Result<(), Fault> {
        self.write(connection, now, event).await
    }

    async fn write(&self, connection: &mut SqliteConnection, now: Timestamp, event: Event<'_>) -> Result<(), Fault> {
        sqlx::query(STORE)
            .bind(self.id)
            .bind(self.state.as_str())
            .bind(self.ewb_state.as_str())
            .bind(&self.portal_findings)
            .bind(&self.differences)
            .bind(self.last_attempt)
            .bind(self.registration_reply)
            .bind(self.open_reply)
            .bind(self.ask_at)
            .bind(self.asked)
            .bind(&self.lease_owner)
            .bind(self.lease_until)
            .bind(self.receipt_revision)
            .bind(self.receipt_state.map(DocumentState::as_str))
            .bind(codec::micros(now))
            .bind(event.text)
            .bind(event.details)
            .bind(event.reply)
            .execute(connection)
            .await?;
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
