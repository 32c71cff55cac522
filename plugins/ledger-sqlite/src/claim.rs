//! `claim` and `release`: who works on what, and what becomes of work that nobody finished.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use async_trait::async_trait;
use einvoice_core::clock::later;
use einvoice_core::environment::RouteName;
use einvoice_core::identifier::Gstin;
use einvoice_core::ledger::{AttemptId, ClaimRequest, Claimed, DocumentId, Intent, LedgerError, Work, WorkerId};
use jiff::Timestamp;
use serde::Serialize;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, SqliteConnection};

use crate::codec::{self, ReplyParts};
use crate::desk::Desk;
use crate::fault::Fault;
use crate::group::{Answers, Change, Group, Lane};
use crate::rows::Rows;

/// What every claim needs to know of a document, for the ids in the JSON list `?1`.
///
/// `pinned`: there is an attempt of which nobody has said that nothing was sent, or that the portal
/// refused it. A later "not there" does not lift it: such a request may still be on its way.
const CLAIMED: &str = "SELECT d.id, d.document_key, d.state, d.irn, d.asked, d.hand_over, v.payload, v.payload_hash, \
     a.id AS attempt, a.number, a.route, a.site, a.gstin, a.payload_hash AS attempt_hash, a.at, \
     p.kind AS reply_kind, p.body AS reply_body, \
     EXISTS ( \
       SELECT 1 FROM attempt x WHERE x.document_id = d.id AND NOT EXISTS ( \
         SELECT 1 FROM reply y WHERE y.attempt_id = x.id AND y.kind = 'outcome' \
           AND y.body ->> '$.outcome' IN ('not_sent', 'refused') \
         UNION ALL \
         SELECT 1 FROM reply y WHERE y.attempt_id = x.id AND y.kind = 'settlement' \
           AND y.body ->> '$.settlement' = 'refused' \
       ) \
     ) AS pinned \
     FROM json_each(?1) j CROSS JOIN document d ON d.id = j.value \
     CROSS JOIN revision v ON v.document_id = d.id AND v.number = d.revision \
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

const LEASE: &str = "WITH given (v) AS MATERIALIZED (SELECT value FROM json_each($1)) \
     UPDATE document SET lease_owner = v ->> 'worker', lease_until = v ->> 'until' \
     FROM given WHERE document.id = v ->> 'id'";

#[derive(Serialize)]
struct Lease<'a> {
    id: i64,
    worker: &'a WorkerId,
    until: i64,
}

#[async_trait]
impl Change for ClaimRequest {
    type Answer = Vec<Claimed>;

    fn lane(group: &mut Group) -> &mut Lane<Self> {
        &mut group.claims
    }

    /// Work to send comes in the order of arrival, work to settle in the order it fell due. Wishes
    /// for the same work are served from one list.
    async fn apply(desk: &mut Desk, calls: &[Self]) -> Result<Answers<Self>, Fault> {
        let now = desk.now();
        let wait = desk.settle_wait;
        presume_unknown(&mut desk.connection, now, wait, true).await?;
        let mut handed_out = vec![Vec::new(); calls.len()];
        let mut served = BTreeSet::new();
        for (first, wish) in calls.iter().enumerate() {
            if served.contains(&first) {
                continue;
            }
            let alike = |other: &Self| other.work == wish.work && other.skip_suppliers == wish.skip_suppliers;
            let wishes: Vec<(usize, &Self)> =
                calls.iter().enumerate().skip(first).filter(|(_, other)| alike(other)).collect();
            served.extend(wishes.iter().map(|(index, _)| *index));
            let total = wishes.iter().fold(0_usize, |sum, (_, one)| sum.saturating_add(one.limit));
            let mut free = oldest(&mut desk.connection, wish, total, now).await?.into_iter();
            let mut leases = Rows::default();
            for (index, one) in wishes {
                let until = later(now, one.lease).map_or(i64::MAX, codec::micros_up);
                let ids: Vec<i64> = free.by_ref().take(one.limit).collect();
                for id in ids.iter().copied() {
                    leases.push(&Lease { id, worker: &one.worker, until })?;
                }
                if let Some(place) = handed_out.get_mut(index) {
                    *place = ids;
                }
            }
            leases.execute(&mut desk.connection, LEASE).await?;
        }
        read_claimed(&mut desk.connection, &handed_out).await
    }
}

/// The documents that may be handed out for this work.
async fn oldest(
    connection: &mut SqliteConnection,
    wish: &ClaimRequest,
    limit: usize,
    now: Timestamp,
) -> Result<Vec<i64>, Fault> {
    if limit == 0 {
        return Ok(Vec::new());
    }
    let skip: Vec<&str> = wish.skip_suppliers.iter().map(Gstin::as_str).collect();
    let sql = match wish.work {
        Work::Send if skip.is_empty() => OLDEST_READY,
        Work::Send => OLDEST_READY_SKIPPING,
        Work::Settle => DUE_UNKNOWN,
        other => return Err(Fault::Misuse(format!("this ledger does not know work of the kind {other:?}"))),
    };
    let ids = sqlx::query_scalar(sql)
        .bind(codec::micros(now))
        .bind(i64::try_from(limit).unwrap_or(i64::MAX))
        .bind(codec::to_json(&skip)?)
        .fetch_all(connection)
        .await?;
    Ok(ids)
}

/// What was handed out, wish by wish.
async fn read_claimed(
    connection: &mut SqliteConnection,
    handed_out: &[Vec<i64>],
) -> Result<Answers<ClaimRequest>, Fault> {
    let ids: Vec<i64> = handed_out.concat();
    let mut found = HashMap::with_capacity(ids.len());
    if !ids.is_empty() {
        let rows = sqlx::query(CLAIMED).bind(codec::to_json(&ids)?).fetch_all(connection).await?;
        for row in &rows {
            let one = claimed(row)?;
            found.insert(one.id.0, one);
        }
    }
    let mut take = |id: &i64| {
        found.remove(id).ok_or_else(|| Fault::Unreadable(format!("document {id} has no revision to be sent")))
    };
    handed_out.iter().map(|ids| Ok(ids.iter().map(&mut take).collect())).collect()
}

/// Documents given back untouched.
#[derive(Debug)]
pub(crate) struct Release {
    pub(crate) worker: WorkerId,
    pub(crate) documents: Vec<DocumentId>,
}

const RELEASE: &str = "WITH given (v) AS MATERIALIZED (SELECT value FROM json_each($1)) \
     UPDATE document SET lease_owner = NULL, lease_until = 0 \
     FROM given WHERE document.id = v ->> 'id' AND lease_owner = v ->> 'worker'";

#[async_trait]
impl Change for Release {
    type Answer = ();

    fn lane(group: &mut Group) -> &mut Lane<Self> {
        &mut group.releases
    }

    async fn apply(desk: &mut Desk, calls: &[Self]) -> Result<Answers<Self>, Fault> {
        let mut ended = Rows::default();
        for call in calls {
            for id in call.documents.iter().map(|id| id.0) {
                ended.push(&Lease { id, worker: &call.worker, until: 0 })?;
            }
        }
        ended.execute(&mut desk.connection, RELEASE).await?;
        Ok(calls.iter().map(|_| Ok(())).collect())
    }
}

/// What happens when a file is opened: no earlier process lives, so every lease is void and every
/// document that may have been sent has an outcome nobody knows.
pub(crate) async fn take_over(
    connection: &mut SqliteConnection,
    now: Timestamp,
    settle_wait: Duration,
) -> Result<u64, Fault> {
    // In any other state a document is in nobody's hands.
    sqlx::query(
        "UPDATE document INDEXED BY document_by_state SET lease_owner = NULL, lease_until = 0 \
         WHERE state IN ('ready', 'sent', 'unknown') AND lease_owner IS NOT NULL",
    )
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
        "UPDATE document INDEXED BY document_by_state SET state = 'unknown', asked = 0, open_reply = NULL, \
         ask_at = (SELECT a.at FROM attempt a WHERE a.id = document.last_attempt) + ?2, portal_findings = ?3, \
         lease_owner = NULL, lease_until = 0, changed_at = ?1, events = events + 1, event = ?4, \
         event_details = NULL, event_reply = NULL WHERE state = 'sent' AND lease_until <= ?1",
    )
    .bind(codec::micros(now))
    .bind(wait)
    .bind(codec::to_json(&codec::unknown_findings(reason, None, &[]))?)
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
        hand_over: codec::maybe("what a person is asked", row.try_get("hand_over")?)?,
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
