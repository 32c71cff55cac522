//! What a batch adds to the file and changes in it, collected and written by one statement for each
//! table.

use std::collections::{BTreeMap, HashSet};

use einvoice_core::state::DocumentState;
use jiff::Timestamp;
use serde::Serialize;
use sqlx::SqliteConnection;

use crate::codec;
use crate::fault::Fault;
use crate::receive::Incoming;
use crate::rows::Rows;
use crate::shelf::{Known, Record};

/// Rows to be written. Within one writing every document is changed once and no key changes hands.
#[derive(Debug, Default)]
pub(crate) struct Intake {
    documents: Rows,
    revisions: Rows,
    references: Rows,
    ended: Rows,
    revised: Rows,
    /// By number: the last place of each record counts.
    moved: BTreeMap<i64, Record>,
    revised_ids: HashSet<i64>,
    /// Keys that documents give up in this writing.
    freed: HashSet<String>,
}

const INSERT_DOCUMENTS: &str = "WITH given (v) AS MATERIALIZED (SELECT value FROM json_each($1)) \
     INSERT INTO document (id, source, label, document_key, key_upper, supplier, irn, search, state, revision, \
     content_hash, findings, receipt_revision, receipt_state, received_at, changed_at, event, event_details) \
     SELECT v ->> 'id', v ->> 'source', v ->> 'label', v ->> 'key', v ->> 'key_upper', v ->> 'supplier', \
     v ->> 'irn', v ->> 'search', v ->> 'state', 1, substr($2, v ->> 'hash', 32), v ->> 'findings', \
     v ->> 'receipt_revision', v ->> 'receipt_state', v ->> 'at', v ->> 'at', v ->> 'event', v ->> 'details' \
     FROM given";

/// A refused document keeps the key and IRN of its attempt until a revision passes the check. The
/// lease ends: whoever holds the document has the old content in hand.
const REVISE_DOCUMENTS: &str = "WITH given (v) AS MATERIALIZED (SELECT value FROM json_each($1)) \
     UPDATE document SET label = v ->> 'label', \
     document_key = iif(v ->> 'state' = 'refused', document_key, v ->> 'key'), \
     key_upper = iif(v ->> 'state' = 'refused', key_upper, v ->> 'key_upper'), \
     supplier = iif(v ->> 'state' = 'refused', supplier, v ->> 'supplier'), \
     irn = iif(v ->> 'state' = 'refused', irn, v ->> 'irn'), \
     search = iif(v ->> 'state' = 'refused', search, v ->> 'search'), \
     state = v ->> 'state', revision = v ->> 'revision', content_hash = substr($2, v ->> 'hash', 32), \
     findings = v ->> 'findings', portal_findings = '[]', receipt_revision = v ->> 'receipt_revision', \
     receipt_state = v ->> 'receipt_state', changed_at = v ->> 'at', events = events + 1, \
     event = v ->> 'event', event_details = v ->> 'details', event_reply = NULL, \
     lease_owner = NULL, lease_until = 0 FROM given WHERE document.id = v ->> 'id'";

#[derive(Serialize)]
struct DocumentRow<'a> {
    id: i64,
    source: &'a str,
    label: &'a str,
    key: Option<&'a str>,
    key_upper: Option<&'a str>,
    supplier: Option<&'a str>,
    irn: Option<&'a str>,
    search: &'a str,
    state: &'static str,
    revision: i64,
    hash: usize,
    findings: &'a str,
    receipt_revision: i64,
    receipt_state: Option<&'static str>,
    at: i64,
    event: &'static str,
    details: String,
}

const INSERT_REVISIONS: &str = "WITH given (v) AS MATERIALIZED (SELECT value FROM json_each($1)) \
     INSERT INTO revision (document_id, number, content_hash, ready, payload_hash, findings, at, payload) \
     SELECT v ->> 'document', v ->> 'number', substr($2, v ->> 'hash', 32), v ->> 'ready', \
     substr($2, v ->> 'payload_hash', 32), v ->> 'findings', v ->> 'at', \
     substr($2, v ->> 'payload', v ->> 'bytes') FROM given";

#[derive(Serialize)]
struct RevisionRow<'a> {
    document: i64,
    number: i64,
    hash: usize,
    ready: i64,
    payload_hash: Option<usize>,
    findings: &'a str,
    at: i64,
    payload: Option<usize>,
    bytes: usize,
}

const INSERT_REFERENCES: &str = "WITH given (v) AS MATERIALIZED (SELECT value FROM json_each($1)) \
     INSERT INTO reference (id, document_id, source, record_id, arrival, location, position, content_hash, attributes) \
     SELECT v ->> 'id', v ->> 'document', v ->> 'source', v ->> 'record', v ->> 'arrival', v ->> 'location', \
     v ->> 'position', substr($2, v ->> 'hash', 32), v ->> 'attributes' FROM given";

/// Before the revision makes its receipt, which they do not get any more.
const END_OTHERS: &str = "WITH given (v) AS MATERIALIZED (SELECT value FROM json_each($1)) \
     UPDATE reference SET ended = 1 FROM given WHERE reference.document_id = v ->> 0 \
     AND reference.source = v ->> 1 AND reference.arrival NOT IN ('', v ->> 2)";

const MOVE_RECORDS: &str = "WITH given (v) AS MATERIALIZED (SELECT value FROM json_each($1)) \
     UPDATE reference SET location = v ->> 'location', position = v ->> 'position', ended = v ->> 'ended', \
     content_hash = substr($2, v ->> 'hash', 32), attributes = v ->> 'attributes' \
     FROM given WHERE reference.id = v ->> 'id'";

#[derive(Serialize)]
struct ReferenceRow<'a> {
    id: i64,
    document: i64,
    source: &'a str,
    record: &'a str,
    arrival: &'a str,
    ended: i64,
    location: &'a str,
    position: &'a str,
    hash: usize,
    attributes: &'a str,
}

impl Intake {
    /// Whether what is collected must be in the file before this can be decided and collected too.
    pub(crate) fn must_come_before(&self, incoming: &Incoming<'_>, document: Option<i64>) -> bool {
        self.revisions.is_large()
            || document.is_some_and(|document| self.revised_ids.contains(&document))
            || incoming.key_upper.as_ref().is_some_and(|key| self.freed.contains(key))
    }

    pub(crate) fn add_document(&mut self, incoming: &Incoming<'_>, known: &Known, now: Timestamp) -> Result<(), Fault> {
        push_document(&mut self.documents, incoming, known, now, "received")
    }

    /// `revised` takes the place of `known`, for the reason that `event` gives.
    pub(crate) fn revise(
        &mut self,
        incoming: &Incoming<'_>,
        known: &Known,
        revised: &Known,
        now: Timestamp,
        event: &'static str,
    ) -> Result<(), Fault> {
        push_document(&mut self.revised, incoming, revised, now, event)?;
        self.revised_ids.insert(known.id);
        if known.key_upper != revised.key_upper {
            self.freed.extend(known.key_upper.clone());
        }
        Ok(())
    }

    pub(crate) fn add_revision(&mut self, incoming: &Incoming<'_>, known: &Known, now: Timestamp) -> Result<(), Fault> {
        let rows = &mut self.revisions;
        let row = RevisionRow {
            document: known.id,
            number: known.revision,
            hash: rows.put(&incoming.document.content_hash),
            ready: i64::from(incoming.state == DocumentState::Ready),
            payload_hash: incoming.payload_hash.as_ref().map(|hash| rows.put(hash.as_ref())),
            findings: &incoming.findings,
            at: codec::micros(now),
            payload: incoming.payload.map(|payload| rows.put(payload)),
            bytes: incoming.payload.map_or(0, <[u8]>::len),
        };
        rows.push(&row)
    }

    pub(crate) fn add_reference(&mut self, incoming: &Incoming<'_>, record: &Record) -> Result<(), Fault> {
        push_record(&mut self.references, incoming.source, &incoming.reference().record_id, record)
    }

    /// The arrivals of a document beside this one have had their last answer.
    pub(crate) fn end_others(&mut self, incoming: &Incoming<'_>, document: i64) -> Result<(), Fault> {
        self.ended.push(&(document, incoming.source, incoming.arrival()))
    }

    /// The record lies elsewhere, says something else, or has other attributes.
    pub(crate) fn move_record(&mut self, record: Record) {
        self.moved.insert(record.id, record);
    }

    /// Writes what is collected: records before the revisions that end some of them.
    pub(crate) async fn write(&mut self, connection: &mut SqliteConnection) -> Result<(), Fault> {
        let mut moved = Rows::default();
        for record in std::mem::take(&mut self.moved).values() {
            push_record(&mut moved, "", "", record)?;
        }
        self.documents.execute(connection, INSERT_DOCUMENTS).await?;
        self.revisions.execute(connection, INSERT_REVISIONS).await?;
        self.references.execute(connection, INSERT_REFERENCES).await?;
        moved.execute(connection, MOVE_RECORDS).await?;
        self.ended.execute(connection, END_OTHERS).await?;
        self.revised.execute(connection, REVISE_DOCUMENTS).await?;
        self.revised_ids.clear();
        self.freed.clear();
        Ok(())
    }
}

fn push_document(
    rows: &mut Rows,
    incoming: &Incoming<'_>,
    known: &Known,
    now: Timestamp,
    event: &'static str,
) -> Result<(), Fault> {
    let hash = rows.put(&known.content_hash);
    rows.push(&DocumentRow {
        id: known.id,
        source: incoming.source,
        label: &incoming.document.label,
        key: incoming.key.as_deref(),
        key_upper: incoming.key_upper.as_deref(),
        supplier: incoming.document.key.as_ref().map(|key| key.supplier.as_str()),
        irn: incoming.irn.as_deref(),
        search: &incoming.search,
        state: known.state.as_str(),
        revision: known.revision,
        hash,
        findings: &known.findings,
        receipt_revision: known.receipt_revision,
        receipt_state: known.receipt_state.map(DocumentState::as_str),
        at: codec::micros(now),
        event,
        details: incoming.event_details()?,
    })
}

fn push_record(rows: &mut Rows, source: &str, id: &str, record: &Record) -> Result<(), Fault> {
    let hash = rows.put(&record.content_hash);
    rows.push(&ReferenceRow {
        id: record.id,
        document: record.document,
        source,
        record: id,
        arrival: &record.arrival,
        ended: i64::from(record.ended),
        location: &record.location,
        position: &record.position,
        hash,
        attributes: &record.attributes,
    })
}
