//! What the file holds of the records and keys that a batch brings: read at once, before it is decided
//! what becomes of each.

use std::collections::{BTreeSet, HashMap};

use einvoice_core::key::DocumentKey;
use einvoice_core::ledger::{DocumentId, Reception};
use einvoice_core::source::SourceRef;
use einvoice_core::state::DocumentState;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, SqliteConnection};

use crate::codec;
use crate::fault::Fault;
use crate::receive::Incoming;

/// The records, documents and keys that a batch may meet, kept up with what it changes.
#[derive(Debug, Default)]
pub(crate) struct Shelf {
    /// By source, then by record id: one for each arrival, the first one first.
    records: HashMap<String, HashMap<String, Vec<Record>>>,
    documents: HashMap<i64, Known>,
    /// By key in upper case.
    keys: HashMap<String, i64>,
}

/// A record seen before, as it came by one arrival.
#[derive(Debug, Clone)]
pub(crate) struct Record {
    pub(crate) id: i64,
    pub(crate) document: i64,
    /// Empty where none was told.
    pub(crate) arrival: String,
    /// Whether a revision came by another arrival since.
    pub(crate) ended: bool,
    /// What the record said last, whichever way it came.
    pub(crate) content_hash: Vec<u8>,
    pub(crate) location: String,
    pub(crate) position: String,
    pub(crate) attributes: String,
}

/// A document that a record or a key leads to.
#[derive(Debug, Clone)]
pub(crate) struct Known {
    pub(crate) id: i64,
    pub(crate) state: DocumentState,
    pub(crate) content_hash: Vec<u8>,
    pub(crate) key: Option<DocumentKey>,
    pub(crate) key_upper: Option<String>,
    pub(crate) revision: i64,
    pub(crate) findings: String,
    pub(crate) portal_findings: String,
    pub(crate) receipt_revision: i64,
    pub(crate) receipt_state: Option<DocumentState>,
    /// Number of its first record.
    pub(crate) first_id: i64,
    pub(crate) first: SourceRef,
}

/// The records of the list `$1` of (source, record id).
const RECORDS: &str = "WITH wanted (v) AS MATERIALIZED (SELECT value FROM json_each($1)) \
     SELECT r.id, r.document_id, r.source, r.record_id, r.arrival, r.ended, r.content_hash, r.location, \
     r.position, r.attributes \
     FROM wanted CROSS JOIN reference r ON r.source = v ->> 0 AND r.record_id = v ->> 1";

/// The documents with a number of the list `$1` or a key of the list `$2`.
const DOCUMENTS: &str = "WITH wanted (id) AS MATERIALIZED ( \
       SELECT value FROM json_each($1) \
       UNION SELECT k.id FROM json_each($2) j CROSS JOIN document k ON k.key_upper = j.value \
     ) \
     SELECT d.id, d.state, d.content_hash, d.document_key, d.key_upper, d.revision, d.findings, d.portal_findings, \
     d.receipt_revision, d.receipt_state, f.id AS first_id, f.location, f.position, f.record_id \
     FROM wanted CROSS JOIN document d ON d.id = wanted.id \
     CROSS JOIN reference f ON f.id = (SELECT min(x.id) FROM reference x WHERE x.document_id = d.id)";

impl Shelf {
    /// Reads what these documents may meet.
    pub(crate) async fn load(connection: &mut SqliteConnection, incoming: &[&Incoming<'_>]) -> Result<Self, Fault> {
        let mut shelf = Self::default();
        let wanted: BTreeSet<(&str, &str)> =
            incoming.iter().map(|one| (one.source, one.reference().record_id.as_str())).collect();
        let rows = sqlx::query(RECORDS).bind(codec::to_json(&wanted)?).fetch_all(&mut *connection).await?;
        for row in &rows {
            let of_source = shelf.records.entry(row.try_get("source")?).or_default();
            of_source.entry(row.try_get("record_id")?).or_default().push(Record::of_row(row)?);
        }
        for records in shelf.records.values_mut().flat_map(HashMap::values_mut) {
            records.sort_unstable_by_key(|record| record.id);
        }
        let ids: BTreeSet<i64> =
            shelf.records.values().flat_map(HashMap::values).flatten().map(|record| record.document).collect();
        shelf.load_documents(&mut *connection, &ids, &BTreeSet::new()).await?;
        let keys = incoming.iter().filter(|one| shelf.may_meet_another(one)).filter_map(|one| one.key_upper.as_deref());
        let keys = keys.collect();
        shelf.load_documents(connection, &BTreeSet::new(), &keys).await?;
        Ok(shelf)
    }

    async fn load_documents(
        &mut self,
        connection: &mut SqliteConnection,
        ids: &BTreeSet<i64>,
        keys: &BTreeSet<&str>,
    ) -> Result<(), Fault> {
        if ids.is_empty() && keys.is_empty() {
            return Ok(());
        }
        let (ids, keys) = (codec::to_json(ids)?, codec::to_json(keys)?);
        for row in &sqlx::query(DOCUMENTS).bind(ids).bind(keys).fetch_all(connection).await? {
            self.put(Known::of_row(row)?);
        }
        Ok(())
    }

    /// Whether a document beside its own may have its key. A record that says what it said before leads
    /// to its own document and to no other, unless that one is judged anew: it is invalid, or may become
    /// so in this batch.
    fn may_meet_another(&self, incoming: &Incoming<'_>) -> bool {
        let Some(record) = self.records(incoming).last() else { return true };
        record.content_hash != incoming.document.content_hash
            || self
                .documents
                .get(&record.document)
                .is_some_and(|known| matches!(known.state, DocumentState::Invalid | DocumentState::Ready))
    }

    /// The record as it came before, by each arrival.
    pub(crate) fn records(&self, incoming: &Incoming<'_>) -> &[Record] {
        let of_source = self.records.get(incoming.source);
        of_source.and_then(|records| records.get(&incoming.reference().record_id)).map_or(&[], Vec::as_slice)
    }

    /// A revision came by this arrival: the others of its source have had their last answer.
    pub(crate) fn end_others(&mut self, incoming: &Incoming<'_>, document: i64) {
        let Some(of_source) = self.records.get_mut(incoming.source) else { return };
        for record in of_source.values_mut().flatten().filter(|record| record.document == document) {
            record.ended |= !record.arrival.is_empty() && record.arrival != incoming.arrival();
        }
    }

    pub(crate) fn document(&self, id: i64) -> Result<&Known, Fault> {
        self.documents
            .get(&id)
            .ok_or_else(|| Fault::Unreadable(format!("document {id} or its first record is missing")))
    }

    /// The document that has this one's key.
    pub(crate) fn holder(&self, incoming: &Incoming<'_>) -> Option<&Known> {
        let id = self.keys.get(incoming.key_upper.as_ref()?)?;
        self.documents.get(id)
    }

    /// Adds a document, or replaces what is known of it.
    pub(crate) fn put(&mut self, known: Known) {
        if let Some(former) = self.documents.get(&known.id).and_then(|former| former.key_upper.as_ref())
            && known.key_upper.as_ref() != Some(former)
        {
            self.keys.remove(former);
        }
        if let Some(key) = &known.key_upper {
            self.keys.insert(key.clone(), known.id);
        }
        self.documents.insert(known.id, known);
    }

    /// Adds a record, or replaces what is known of it.
    pub(crate) fn put_record(&mut self, incoming: &Incoming<'_>, record: Record) {
        if let Some(known) = self.documents.get_mut(&record.document)
            && known.first_id == record.id
        {
            known.first.clone_from(incoming.reference());
        }
        let of_source = self.records.entry(incoming.source.to_owned()).or_default();
        let records = of_source.entry(incoming.reference().record_id.clone()).or_default();
        for other in records.iter_mut() {
            other.content_hash.clone_from(&record.content_hash);
        }
        match records.iter_mut().find(|known| known.id == record.id) {
            Some(known) => *known = record,
            None => records.push(record),
        }
    }
}

impl Record {
    fn of_row(row: &SqliteRow) -> Result<Self, Fault> {
        Ok(Self {
            id: row.try_get("id")?,
            document: row.try_get("document_id")?,
            arrival: row.try_get("arrival")?,
            ended: row.try_get("ended")?,
            content_hash: row.try_get("content_hash")?,
            location: row.try_get("location")?,
            position: row.try_get("position")?,
            attributes: row.try_get("attributes")?,
        })
    }
}

impl Known {
    fn of_row(row: &SqliteRow) -> Result<Self, Fault> {
        let key: Option<String> = row.try_get("document_key")?;
        let receipt_state: Option<String> = row.try_get("receipt_state")?;
        Ok(Self {
            id: row.try_get("id")?,
            state: codec::state(row.try_get("state")?)?,
            content_hash: row.try_get("content_hash")?,
            key: codec::key(key.as_deref())?,
            key_upper: row.try_get("key_upper")?,
            revision: row.try_get("revision")?,
            findings: row.try_get("findings")?,
            portal_findings: row.try_get("portal_findings")?,
            receipt_revision: row.try_get("receipt_revision")?,
            receipt_state: receipt_state.as_deref().map(codec::state).transpose()?,
            first_id: row.try_get("first_id")?,
            first: codec::source_ref(row)?,
        })
    }

    pub(crate) fn clash(&self) -> Reception {
        let (id, key) = (DocumentId(self.id), self.key.clone());
        Reception::Clash { id, state: self.state, first: self.first.clone(), key }
    }

    pub(crate) fn unchanged(&self) -> Reception {
        Reception::Unchanged { id: DocumentId(self.id), state: self.state }
    }
}
