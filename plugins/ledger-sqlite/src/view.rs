//! `cursor`, `query` and `audit`: what people and sources read.

use bytes::Bytes;
use einvoice_core::environment::RouteName;
use einvoice_core::ledger::{AuditEntry, DocumentId, DocumentStatus, LedgerError, Query};
use einvoice_core::source::Cursor;
use einvoice_core::state::DocumentState;
use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Row as _, Sqlite, SqlitePool};

use crate::codec::{self, ReplyParts};
use crate::delivery::all_findings;
use crate::fault::Fault;

/// What [`Query::limit`] 0 means.
const DEFAULT_LIMIT: usize = 1000;

/// `delivered`: somebody has a result, and nobody who has one waits for a newer one.
const STATUS: &str = "SELECT d.id, d.label, d.document_key, d.irn, d.state, d.ewb_state, d.source, d.findings, \
     d.portal_findings, d.differences, d.ask_at, d.hand_over, d.received_at, d.changed_at, r.location, r.position, r.record_id, \
     a.route, a.site, b.standing AS ewb, d.cancellation, p.kind AS reply_kind, p.body AS reply_body, \
     EXISTS (SELECT 1 FROM reference x JOIN delivery v ON v.reference_id = x.id WHERE x.document_id = d.id) \
     AND NOT EXISTS ( \
       SELECT 1 FROM reference x JOIN delivery v ON v.reference_id = x.id \
       JOIN reference y ON y.document_id = d.id \
       JOIN outbox o ON o.target = v.target AND o.reference_id = y.id \
       WHERE x.document_id = d.id \
     ) AS delivered \
     FROM document d \
     JOIN reference r ON r.id = (SELECT min(f.id) FROM reference f WHERE f.document_id = d.id) \
     LEFT JOIN attempt a ON a.id = d.last_attempt \
     LEFT JOIN eway_bill b ON b.number = d.ewb_number \
     LEFT JOIN reply p ON p.id = d.registration_reply WHERE d.id > ";

/// The cursor stored with the last batch of a source.
pub(crate) async fn cursor(readers: &SqlitePool, source: &str) -> Result<Option<Cursor>, Fault> {
    let cursor: Option<String> =
        sqlx::query_scalar("SELECT cursor FROM cursor WHERE source = ?1").bind(source).fetch_optional(readers).await?;
    Ok(cursor.map(Cursor::new))
}

/// Documents in the order of their ids.
pub(crate) async fn query(readers: &SqlitePool, query: &Query) -> Result<Vec<DocumentStatus>, Fault> {
    let mut sql = QueryBuilder::<Sqlite>::new(STATUS);
    sql.push_bind(query.after.map_or(i64::MIN, |after| after.0));
    if let Some(key) = &query.key {
        sql.push(" AND d.key_upper = ").push_bind(codec::upper(key));
    }
    if let Some(source) = &query.source {
        sql.push(" AND d.source = ").push_bind(source);
    }
    if !query.states.is_empty() {
        sql.push(" AND d.state IN (");
        let mut states = sql.separated(", ");
        for state in query.states.iter().copied().map(DocumentState::as_str) {
            states.push_bind(state);
        }
        sql.push(")");
    }
    if let Some(text) = &query.text {
        sql.push(" AND (instr(d.search, ").push_bind(text.to_lowercase()).push(") > 0");
        // Bills have their own table: what changes late is in no document's search text.
        if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
            sql.push(" OR d.id IN (SELECT w.document_id FROM eway_bill w WHERE instr(w.number, ");
            sql.push_bind(text.clone()).push(") > 0)");
        }
        sql.push(")");
    }
    let limit = if query.limit == 0 { DEFAULT_LIMIT } else { query.limit };
    sql.push(" ORDER BY d.id LIMIT ").push_bind(i64::try_from(limit).unwrap_or(i64::MAX));
    let rows = sql.build().fetch_all(readers).await?;
    rows.iter().map(status).collect()
}

fn status(row: &SqliteRow) -> Result<DocumentStatus, Fault> {
    let key: Option<String> = row.try_get("document_key")?;
    let irn: Option<String> = row.try_get("irn")?;
    let route: Option<String> = row.try_get("route")?;
    let reply = ReplyParts::of_row(row)?;
    let issued_by = reply.registration.as_ref().and_then(|registration| registration.site.clone());
    let site = issued_by.or(row.try_get("site")?);
    Ok(DocumentStatus {
        id: DocumentId(row.try_get("id")?),
        label: row.try_get("label")?,
        key: codec::key(key.as_deref())?,
        irn: codec::irn(irn.as_deref())?,
        state: codec::state(row.try_get("state")?)?,
        ewb_state: codec::ewb_state(row.try_get("ewb_state")?)?,
        delivered: row.try_get("delivered")?,
        source: row.try_get("source")?,
        reference: codec::source_ref(row)?,
        route: route.map(RouteName::new),
        site,
        registration: reply.registration,
        proof: reply.proof,
        ewb: codec::maybe("an e-way bill", row.try_get("ewb")?)?,
        cancellation: codec::maybe("a cancellation", row.try_get("cancellation")?)?,
        differences: codec::list_from_json("differences", row.try_get("differences")?)?,
        findings: all_findings(row)?,
        ask_at: row.try_get::<Option<i64>, _>("ask_at")?.map(codec::moment).transpose()?,
        hand_over: codec::maybe("what a person is asked", row.try_get("hand_over")?)?,
        received_at: codec::moment(row.try_get("received_at")?)?,
        changed_at: codec::moment(row.try_get("changed_at")?)?,
    })
}

/// The document of its present revision, where that may be sent.
pub(crate) async fn payload(readers: &SqlitePool, document: DocumentId) -> Result<Option<Bytes>, Fault> {
    let row: Option<(bool, Option<Vec<u8>>)> = sqlx::query_as(
        "SELECT v.ready, v.payload FROM document d \
         JOIN revision v ON v.document_id = d.id AND v.number = d.revision WHERE d.id = ?1",
    )
    .bind(document.0)
    .fetch_optional(readers)
    .await?;
    let (ready, payload) = row.ok_or(LedgerError::NoDocument { document })?;
    Ok(payload.filter(|_| ready).map(Bytes::from))
}

/// Everything that ever happened to a document, oldest first.
pub(crate) async fn audit(readers: &SqlitePool, document: DocumentId) -> Result<Vec<AuditEntry>, Fault> {
    let rows = sqlx::query(
        "SELECT a.at, a.from_state, a.to_state, a.event, coalesce(p.body, a.details, '{}') AS details \
         FROM audit a LEFT JOIN reply p ON p.id = a.reply_id WHERE a.document_id = ?1 ORDER BY a.number",
    )
    .bind(document.0)
    .fetch_all(readers)
    .await?;
    if rows.is_empty() {
        return Err(LedgerError::NoDocument { document }.into());
    }
    rows.iter().map(entry).collect()
}

fn entry(row: &SqliteRow) -> Result<AuditEntry, Fault> {
    let from: Option<String> = row.try_get("from_state")?;
    Ok(AuditEntry {
        at: codec::moment(row.try_get("at")?)?,
        from: from.as_deref().map(codec::state).transpose()?,
        to: codec::state(row.try_get("to_state")?)?,
        event: row.try_get("event")?,
        details: row.try_get("details")?,
    })
}
