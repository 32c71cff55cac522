//! `claim` and `release`: who works on what, and what becomes of work that nobody finished.

use std::time::Duration;

use async_trait::async_trait;
use einvoice_core::clock::later;
use einvoice_core::environment::RouteName;
use einvoice_core::identifier::Gstin;
use einvoice_core::ledger::{AttemptId, ClaimRequest, Claimed, DocumentId, Intent, LedgerError, Work, WorkerId};
use jiff::Timestamp;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, SqliteConnection};

use crate::codec::{self, ReplyParts};
use crate::fault::Fault;
use crate::writer::{Change, Desk};

/// What every claim needs to know of a document, for the ids in the JSON list `?1`.
///
/// `pinned`: there is an attempt of which nobody has said that nothing was sent, or that the portal
/// refused it. A later "not there" does not lift it: such a request may still be on its way.
const CLAIMED: &str = "SELECT d.id, d.document_key, d.state, d.irn, d.asked, v.payload, v.payload_hash, \
     a.id AS attempt, a.number, a.route, a.site, a.gstin, a.payload_hash AS attempt_hash, a.at, \
     p.kind AS reply_kind, p.body AS reply_body, \
     EXISTS ( \
       SELECT 1 FROM attempt x WHERE x.document_id = d.id AND NOT EXISTS ( \
         SELECT 1 FROM reply y WHERE y.attempt_id = x.id AND ( \
           y.body ->> '$.outcome' IN ('not_sent', 'refused') OR y.body ->> '$.settlement' = 'refused') \
       ) \
     ) AS pinned \
     FROM json_each(?1) j JOIN document d ON d.id = j.value \
     JOIN revision v ON v.document_id = d.id AND v.number = d.revision \
     LEFT JOIN attempt a ON a.id = d.last_attempt \
     LEFT JOIN reply p ON p.id = d.open_reply \
     ORDER BY j.key";

const OLDEST_READY: &str = "SELECT id FROM document WHERE state = 'ready' AND lease_until <= ?1 ORDER BY id LIMIT ?2";

/// The planner knows no statistics of a file that is being filled, so the indexes are named from here
/// on: a claim never walks through a queue.
///
/// Walks from supplier to supplier, so that a long queue of a stopped supplier costs nothing.
const OLDEST_READY_SKIPPING: &str = "WITH RECURSIVE supplier (gstin) AS ( \
       SELECT min(supplier) FROM document INDEXED BY document_ready_by_supplier WHERE state = 'ready' \
       UNION ALL \
       SELECT (SELECT min(x.supplier) FROM document x INDEXED BY document_ready_by_supplier \
         WHERE x.state = 'ready' AND x.supplier > supplier.gstin) \
       FROM supplier WHERE supplier.gstin IS NOT NULL \
     ) \
     SELECT d.id FROM supplier JOIN document d ON d.id IN ( \
       SELECT x.id FROM document x INDEXED BY document_ready_by_supplier \
       WHERE x.state = 'ready' AND x.supplier = supplier.gstin AND x.lease_until <= ?1 ORDER BY x.id LIMIT ?2 \
     ) \
     WHERE supplier.gstin IS NOT NULL AND supplier.gstin NOT IN (SELECT value FROM json_each(?3)) \
     ORDER BY d.id LIMIT ?2";

const DUE_UNKNOWN: &str = "SELECT id FROM document INDEXED BY document_unknown_by_time \
     WHERE state = 'unknown' AND ask_at <= ?1 AND lease_until <= ?1 \
     AND supplier NOT IN (SELECT value FROM json_each(?3)) ORDER BY ask_at, id LIMIT ?2";

#[async_trait]
impl Change for ClaimRequest {
    type Answer = Vec<Claimed>;

    /// Work to send comes in the order of arrival, work to settle in the order it fell due.
    async fn apply(&self, desk: &mut Desk) -> Result<Vec<Claimed>, Fault> {
        let now = desk.now();
        let wait = desk.settle_wait;
        presume_unknown(&mut desk.connection, now, wait, true).await?;
        let limit = i64::try_from(self.limit).unwrap_or(i64::MAX);
        if limit == 0 {
            return Ok(Vec::new());
        }
        let skip: Vec<&str> = self.skip_suppliers.iter().map(Gstin::as_str).collect();
        let sql = match self.work {
            Work::Send if skip.is_empty() => OLDEST_READY,
            Work::Send => OLDEST_READY_SKIPPING,
            Work::Settle => DUE_UNKNOWN,
            other => return Err(Fault::Misuse(format!("this ledger does not know work of the kind {other:?}"))),
        };
        let ids: Vec<i64> = sqlx::query_scalar(sql)
            .bind(codec::micros(now))
            .bind(limit)
            .bind(codec::to_json(&skip)?)
            .fetch_all(&mut desk.connection)
            .await?;
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let list = codec::to_json(&ids)?;
        sqlx::query(
            "UPDATE document SET lease_owner = ?2, lease_until = ?3 WHERE id IN (SELECT value FROM json_each(?1))",
        )
        .bind(&list)
        .bind(&self.worker.0)
        .bind(later(now, self.lease).map_or(i64::MAX, codec::micros_up))
        .execute(&mut desk.connection)
        .await?;
        let rows = sqlx::query(CLAIMED).bind(&list).fetch_all(&mut desk.connection).await?;
        rows.iter().map(claimed).collect()
    }
}

/// Documents given back untouched.
#[derive(Debug)]
pub(crate) struct Release {
    pub(crate) worker: WorkerId,
    pub(crate) documents: Vec<DocumentId>,
}

#[async_trait]
impl Change for Release {
    type Answer = ();

    async fn apply(&self, desk: &mut Desk) -> Result<(), Fault> {
        let ids: Vec<i64> = self.documents.iter().map(|id| id.0).collect();
        sqlx::query(
            "UPDATE document SET lease_owner = NULL, lease_until = 0 \
             WHERE id IN (SELECT value FROM json_each(?1)) AND lease_owner = ?2",
        )
        .bind(codec::to_json(&ids)?)
        .bind(&self.worker.0)
        .execute(&mut desk.connection)
        .await?;
        Ok(())
    }
}

/// What happens when a file is opened: no earlier process lives, so every lease is void and every
/// document that may have been sent has an outcome nobody knows.
pub(crate) async fn take_over(
    connection: &mut SqliteConnection,
    now: Timestamp,
    settle_wait: Duration,
) -> Result<u64, Fault> {
    sqlx::query("UPDATE document SET lease_owner = NULL, lease_until = 0 WHERE lease_owner IS NOT NULL")
        .execute(&mut *connection)
        .await?;
    presume_unknown(connection, now, settle_wait, false).await
}

/// `Sent` documents that nobody works on any more become `Unknown`.
///
/// They are asked about only after the settling wait, counted from the intent: the portal may still
/// be working on the request, and a "not there" before that proves nothing.
async fn presume_unknown(
    connection: &mut SqliteConnection,
    now: Timestamp,
    settle_wait: Duration,
    lease_was_over: bool,
) -> Result<u64, Fault> {
    let (event, reason) = if lease_was_over {
        ("the worker's lease ended without an outcome", "the worker that sent it did not say what became of it")
    } else {
        ("the program ended without an outcome", "the program ended before the outcome was stored")
    };
    let wait = i64::try_from(settle_wait.as_micros()).unwrap_or(i64::MAX);
    let result = sqlx::query(
        "UPDATE document INDEXED BY document_sent_by_lease SET state = 'unknown', asked = 0, open_reply = NULL, \
         ask_at = (SELECT a.at FROM attempt a WHERE a.id = document.last_attempt) + ?2, portal_findings = ?3, \
         lease_owner = NULL, lease_until = 0, changed_at = ?1, events = events + 1, event = ?4, \
         event_details = NULL, event_reply = NULL WHERE state = 'sent' AND lease_until <= ?1",
    )
    .bind(codec::micros(now))
    .bind(wait)
    .bind(codec::to_json(&codec::unknown_findings(reason, &[]))?)
    .bind(event)
    .execute(connection)
    .await?;
    Ok(result.rows_affected())
}

fn claimed(row: &SqliteRow) -> Result<Claimed, Fault> {
    let id: i64 = row.try_get("id")?;
    let missing = |what: &str| Fault::Unreadable(format!("document {id} has no {what}"));
    let key: Option<String> = row.try_get("document_key")?;
    let irn: Option<String> = row.try_get("irn")?;
    let payload: Option<Vec<u8>> = row.try_get("payload")?;
    let payload_hash: Option<Vec<u8>> = row.try_get("payload_hash")?;
    let open = ReplyParts::of_row(row)?;
    Ok(Claimed {
        id: DocumentId(id),
        key: codec::key(key.as_deref())?.ok_or_else(|| missing("key"))?,
        state: codec::state(row.try_get("state")?)?,
        payload: payload.ok_or_else(|| missing("payload"))?.into(),
        payload_hash: codec::hash(&payload_hash.ok_or_else(|| missing("payload hash"))?)?,
        irn: codec::irn(irn.as_deref())?.ok_or_else(|| missing("IRN"))?,
        last_attempt: intent(row)?,
        pinned: row.try_get("pinned")?,
        asked: codec::unsigned(row.try_get("asked")?)?,
        open_errors: open.errors,
        open_info: open.info,
    })
}

/// The last attempt of a row that was joined with `attempt`.
fn intent(row: &SqliteRow) -> Result<Option<Intent>, Fault> {
    let Some(attempt) = row.try_get::<Option<i64>, _>("attempt")? else { return Ok(None) };
    let gstin: String = row.try_get("gstin")?;
    let hash: Vec<u8> = row.try_get("attempt_hash")?;
    Ok(Some(Intent {
        attempt: AttemptId(attempt),
        document: DocumentId(row.try_get("id")?),
        number: codec::unsigned(row.try_get("number")?)?,
        route: RouteName::new(row.try_get::<String, _>("route")?),
        site: row.try_get("site")?,
        gstin: Gstin::parse(&gstin).map_err(|error| Fault::Unreadable(format!("GSTIN of an attempt: {error}")))?,
        payload_hash: codec::hash(&hash)?,
        at: codec::moment(row.try_get("at")?)?,
    }))
}

/// The error for a document that is not with `worker`.
pub(crate) fn not_claimed(document: i64, worker: &WorkerId) -> Fault {
    LedgerError::NotClaimed { document: DocumentId(document), worker: worker.clone() }.into()
}
