//! `receive`: what a source brings becomes documents, revisions, references, or a clash.

use async_trait::async_trait;
use aws_lc_rs::digest;
use einvoice_core::key::DocumentKey;
use einvoice_core::ledger::{DocumentId, NewDocument, ReceiveBatch, Reception, Verdict};
use einvoice_core::source::SourceRef;
use einvoice_core::state::DocumentState;
use jiff::Timestamp;
use sqlx::{Row as _, SqliteConnection};

use crate::codec;
use crate::fault::Fault;
use crate::standing::{NOTHING, is_shown, receipt_due};
use crate::writer::{Change, Desk};

#[async_trait]
impl Change for ReceiveBatch {
    type Answer = Vec<Reception>;

    async fn apply(&self, desk: &mut Desk) -> Result<Vec<Reception>, Fault> {
        let now = desk.now();
        let mut receptions = Vec::with_capacity(self.documents.len());
        for document in &self.documents {
            let incoming = Incoming::new(&self.source, document, now)?;
            receptions.push(incoming.take_in(&mut desk.connection).await?);
        }
        if let Some(cursor) = &self.cursor {
            sqlx::query(
                "INSERT INTO cursor (source, cursor, at) VALUES (?1, ?2, ?3) \
                 ON CONFLICT (source) DO UPDATE SET cursor = excluded.cursor, at = excluded.at",
            )
            .bind(&self.source)
            .bind(cursor.as_str())
            .bind(codec::micros(now))
            .execute(&mut desk.connection)
            .await?;
        }
        Ok(receptions)
    }
}

/// A received document with its columns.
struct Incoming<'a> {
    source: &'a str,
    document: &'a NewDocument,
    now: Timestamp,
    state: DocumentState,
    key_upper: Option<String>,
    irn: Option<String>,
    payload: Option<&'a [u8]>,
    payload_hash: Option<Vec<u8>>,
    search: String,
    findings: String,
    attributes: String,
}

/// The document that a record or a key leads to.
struct Known {
    id: i64,
    state: DocumentState,
    content_hash: Vec<u8>,
    key: Option<DocumentKey>,
    revision: i64,
    findings: String,
    portal_findings: String,
    receipt_revision: i64,
    receipt_state: Option<DocumentState>,
}

/// A record seen before.
struct Record {
    id: i64,
    document: i64,
    content_hash: Vec<u8>,
    unmoved: bool,
}

impl<'a> Incoming<'a> {
    fn new(source: &'a str, document: &'a NewDocument, now: Timestamp) -> Result<Self, Fault> {
        let (state, payload, irn) = match &document.verdict {
            Verdict::Ready { payload, irn } => (DocumentState::Ready, Some(payload.as_ref()), Some(irn)),
            Verdict::Invalid { payload } => (DocumentState::Invalid, payload.as_deref(), None),
        };
        if state == DocumentState::Ready && document.key.is_none() {
            return Err(Fault::Misuse(format!(
                "{} from {} is said to be ready, yet has no document key; a fault of the program, please report it",
                document.label, document.reference
            )));
        }
        let key = document.key.as_ref();
        Ok(Self {
            source,
            document,
            now,
            state,
            key_upper: key.map(codec::upper),
            irn: irn.map(ToString::to_string),
            payload,
            payload_hash: payload.map(|payload| digest::digest(&digest::SHA256, payload).as_ref().to_vec()),
            search: codec::search_text(key, &document.label, irn),
            findings: codec::to_json(&document.findings)?,
            attributes: codec::to_json(&document.attributes)?,
        })
    }

    async fn take_in(&self, connection: &mut SqliteConnection) -> Result<Reception, Fault> {
        if let Some(record) = self.record(connection).await? {
            return self.take_in_again(connection, &record).await;
        }
        if let Some(known) = self.holder_of_key(connection).await? {
            let first = first_reference(connection, known.id).await?;
            if known.content_hash != self.document.content_hash {
                return Ok(known.clash(first));
            }
            self.insert_reference(connection, known.id).await?;
            return Ok(Reception::Duplicate { id: DocumentId(known.id), state: known.state, first });
        }
        let id = self.insert_document(connection).await?;
        Ok(Reception::New { id: DocumentId(id), state: self.state })
    }

    /// A record that came before: the same, or edited.
    async fn take_in_again(&self, connection: &mut SqliteConnection, record: &Record) -> Result<Reception, Fault> {
        let known = load(connection, record.document).await?;
        let unchanged = Reception::Unchanged { id: DocumentId(known.id), state: known.state };
        if record.content_hash == self.document.content_hash {
            if !record.unmoved {
                self.update_reference(connection, record.id).await?;
            }
            return Ok(unchanged);
        }
        if known.content_hash == self.document.content_hash {
            // Another record of the same document brought this content first.
            self.update_reference(connection, record.id).await?;
            return Ok(unchanged);
        }
        if !matches!(known.state, DocumentState::Invalid | DocumentState::Refused | DocumentState::Ready) {
            let first = first_reference(connection, known.id).await?;
            return Ok(known.clash(first));
        }
        if let Some(other) = self.holder_of_key(connection).await?
            && other.id != known.id
        {
            let first = first_reference(connection, other.id).await?;
            return Ok(other.clash(first));
        }
        let state = self.revise(connection, &known).await?;
        self.update_reference(connection, record.id).await?;
        Ok(Reception::Revised { id: DocumentId(known.id), state })
    }

    async fn record(&self, connection: &mut SqliteConnection) -> Result<Option<Record>, Fault> {
        let reference = &self.document.reference;
        let row = sqlx::query(
            "SELECT id, document_id, content_hash, \
             location = ?3 AND position = ?4 AND attributes = ?5 AS unmoved \
             FROM reference WHERE source = ?1 AND record_id = ?2",
        )
        .bind(self.source)
        .bind(&reference.record_id)
        .bind(&reference.location)
        .bind(&reference.position)
        .bind(&self.attributes)
        .fetch_optional(connection)
        .await?;
        row.map(|row| {
            Ok(Record {
                id: row.try_get("id")?,
                document: row.try_get("document_id")?,
                content_hash: row.try_get("content_hash")?,
                unmoved: row.try_get("unmoved")?,
            })
        })
        .transpose()
    }

    async fn holder_of_key(&self, connection: &mut SqliteConnection) -> Result<Option<Known>, Fault> {
        let Some(key) = &self.key_upper else { return Ok(None) };
        let id: Option<i64> = sqlx::query_scalar("SELECT id FROM document WHERE key_upper = ?1")
            .bind(key)
            .fetch_optional(&mut *connection)
            .await?;
        match id {
            Some(id) => load(connection, id).await.map(Some),
            None => Ok(None),
        }
    }

    /// Document, first revision and first reference at once, since every statement for itself costs
    /// a change of threads. Written with `$1` and not `?1`: SQLite counts the numbers that a statement
    /// leaves out as parameters too, and `sqlx` would bind them by their order.
    async fn insert_document(&self, connection: &mut SqliteConnection) -> Result<i64, Fault> {
        let shown = is_shown(self.state);
        let reference = &self.document.reference;
        let id = sqlx::query_scalar(
            "INSERT INTO document (source, label, document_key, key_upper, supplier, irn, search, state, revision, \
             content_hash, findings, receipt_revision, receipt_state, received_at, changed_at, event, event_details) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 1, $9, $10, $11, $12, $13, $13, 'received', $14); \
             INSERT INTO revision (document_id, number, content_hash, ready, payload, payload_hash, findings, at) \
             VALUES (last_insert_rowid(), 1, $9, $8 = 'ready', $15, $16, $10, $13); \
             INSERT INTO reference (document_id, source, record_id, location, position, content_hash, attributes) \
             SELECT document_id, $1, $17, $18, $19, $9, $20 FROM revision WHERE id = last_insert_rowid() \
             RETURNING document_id",
        )
        .bind(self.source)
        .bind(&self.document.label)
        .bind(self.document.key.as_ref().map(ToString::to_string))
        .bind(&self.key_upper)
        .bind(self.document.key.as_ref().map(|key| key.supplier.to_string()))
        .bind(&self.irn)
        .bind(&self.search)
        .bind(self.state.as_str())
        .bind(self.document.content_hash.as_slice())
        .bind(&self.findings)
        .bind(i64::from(shown))
        .bind(shown.then_some(self.state.as_str()))
        .bind(codec::micros(self.now))
        .bind(self.event_details()?)
        .bind(self.payload)
        .bind(&self.payload_hash)
        .bind(&reference.record_id)
        .bind(&reference.location)
        .bind(&reference.position)
        .bind(&self.attributes)
        .fetch_one(connection)
        .await?;
        Ok(id)
    }

    /// Replaces what a document says. A refused one waits on until a revision passes the check.
    async fn revise(&self, connection: &mut SqliteConnection, known: &Known) -> Result<DocumentState, Fault> {
        let state = if known.state == DocumentState::Refused && self.state == DocumentState::Invalid {
            DocumentState::Refused
        } else {
            self.state
        };
        let changed = state != known.state || self.findings != known.findings || known.portal_findings != NOTHING;
        let shown = receipt_due(state, changed, known.receipt_state);
        let receipt_state = if shown { Some(state) } else { known.receipt_state };
        // A refused document keeps the key and IRN of its attempt until a revision passes the check.
        // The lease ends: whoever holds the document has the old content in hand.
        sqlx::query(
            "UPDATE document SET label = ?2, document_key = iif(?8 = 'refused', document_key, ?3), \
             key_upper = iif(?8 = 'refused', key_upper, ?4), supplier = iif(?8 = 'refused', supplier, ?5), \
             irn = iif(?8 = 'refused', irn, ?6), search = iif(?8 = 'refused', search, ?7), \
             state = ?8, revision = revision + 1, content_hash = ?9, findings = ?10, portal_findings = '[]', \
             receipt_revision = ?11, receipt_state = ?12, changed_at = ?13, events = events + 1, event = ?14, \
             event_details = ?15, event_reply = NULL, lease_owner = NULL, lease_until = 0 WHERE id = ?1",
        )
        .bind(known.id)
        .bind(&self.document.label)
        .bind(self.document.key.as_ref().map(ToString::to_string))
        .bind(&self.key_upper)
        .bind(self.document.key.as_ref().map(|key| key.supplier.to_string()))
        .bind(&self.irn)
        .bind(&self.search)
        .bind(state.as_str())
        .bind(self.document.content_hash.as_slice())
        .bind(&self.findings)
        .bind(known.receipt_revision + i64::from(shown))
        .bind(receipt_state.map(DocumentState::as_str))
        .bind(codec::micros(self.now))
        .bind("a corrected revision was received")
        .bind(self.event_details()?)
        .execute(&mut *connection)
        .await?;
        self.insert_revision(connection, known.id, known.revision + 1).await?;
        Ok(state)
    }

    async fn insert_revision(&self, connection: &mut SqliteConnection, id: i64, number: i64) -> Result<(), Fault> {
        sqlx::query(
            "INSERT INTO revision (document_id, number, content_hash, ready, payload, payload_hash, findings, at) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )
        .bind(id)
        .bind(number)
        .bind(self.document.content_hash.as_slice())
        .bind(self.state == DocumentState::Ready)
        .bind(self.payload)
        .bind(&self.payload_hash)
        .bind(&self.findings)
        .bind(codec::micros(self.now))
        .execute(connection)
        .await?;
        Ok(())
    }

    async fn insert_reference(&self, connection: &mut SqliteConnection, id: i64) -> Result<(), Fault> {
        let reference = &self.document.reference;
        sqlx::query(
            "INSERT INTO reference (document_id, source, record_id, location, position, content_hash, attributes) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )
        .bind(id)
        .bind(self.source)
        .bind(&reference.record_id)
        .bind(&reference.location)
        .bind(&reference.position)
        .bind(self.document.content_hash.as_slice())
        .bind(&self.attributes)
        .execute(connection)
        .await?;
        Ok(())
    }

    async fn update_reference(&self, connection: &mut SqliteConnection, id: i64) -> Result<(), Fault> {
        let reference = &self.document.reference;
        sqlx::query(
            "UPDATE reference SET location = ?2, position = ?3, content_hash = ?4, attributes = ?5 WHERE id = ?1",
        )
        .bind(id)
        .bind(&reference.location)
        .bind(&reference.position)
        .bind(self.document.content_hash.as_slice())
        .bind(&self.attributes)
        .execute(connection)
        .await?;
        Ok(())
    }

    fn event_details(&self) -> Result<String, Fault> {
        codec::to_json(&serde_json::json!({
            "source": self.source,
            "reference": self.document.reference,
            "findings": self.document.findings.len(),
        }))
    }
}

impl Known {
    fn clash(self, first: SourceRef) -> Reception {
        Reception::Clash { id: DocumentId(self.id), state: self.state, first, key: self.key }
    }
}

async fn load(connection: &mut SqliteConnection, id: i64) -> Result<Known, Fault> {
    let row = sqlx::query(
        "SELECT state, content_hash, document_key, revision, findings, portal_findings, receipt_revision, \
         receipt_state FROM document WHERE id = ?1",
    )
    .bind(id)
    .fetch_one(connection)
    .await?;
    let key: Option<String> = row.try_get("document_key")?;
    let receipt_state: Option<String> = row.try_get("receipt_state")?;
    Ok(Known {
        id,
        state: codec::state(row.try_get("state")?)?,
        content_hash: row.try_get("content_hash")?,
        key: codec::key(key.as_deref())?,
        revision: row.try_get("revision")?,
        findings: row.try_get("findings")?,
        portal_findings: row.try_get("portal_findings")?,
        receipt_revision: row.try_get("receipt_revision")?,
        receipt_state: receipt_state.as_deref().map(codec::state).transpose()?,
    })
}

async fn first_reference(connection: &mut SqliteConnection, document: i64) -> Result<SourceRef, Fault> {
    let row =
        sqlx::query("SELECT location, position, record_id FROM reference WHERE document_id = ?1 ORDER BY id LIMIT 1")
            .bind(document)
            .fetch_one(connection)
            .await?;
    codec::source_ref(&row)
}
