//! `pending_write_back` and `delivered`: which target has which revision of a result.

use async_trait::async_trait;
use einvoice_core::finding::Finding;
use einvoice_core::ledger::LedgerId;
use einvoice_core::receipt::Receipt;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, SqliteConnection, SqlitePool};

use crate::codec::{self, ReplyParts};
use crate::desk::Desk;
use crate::fault::Fault;
use crate::group::{Answers, Change, Group, Lane};
use crate::rows::Rows;

/// A target that asks for the receipts of sources for the first time. From then on the database puts
/// their receipts into its outbox, so that asking never looks at what was delivered long ago.
#[derive(Debug)]
pub(crate) struct Subscribe {
    pub(crate) target: String,
    /// `""` stands for all.
    pub(crate) sources: Vec<String>,
}

const SUBSCRIBE: &str = "WITH given (v) AS MATERIALIZED (SELECT value FROM json_each($1)) \
     INSERT INTO subscription (target, source) SELECT v ->> 0, v ->> 1 FROM given WHERE true ON CONFLICT DO NOTHING";

#[async_trait]
impl Change for Subscribe {
    type Answer = ();

    fn lane(group: &mut Group) -> &mut Lane<Self> {
        &mut group.subscriptions
    }

    async fn apply(desk: &mut Desk, calls: &[Self]) -> Result<Answers<Self>, Fault> {
        let mut rows = Rows::default();
        for call in calls {
            for source in &call.sources {
                rows.push(&(&call.target, source))?;
            }
        }
        rows.execute(&mut desk.connection, SUBSCRIBE).await?;
        Ok(calls.iter().map(|_| Ok(())).collect())
    }
}

/// Revisions that a target has.
#[derive(Debug)]
pub(crate) struct Delivered {
    pub(crate) target: String,
    pub(crate) receipts: Vec<(i64, u32)>,
}

/// The first of the receipts `$1`, as (record, revision), that was never made.
const NEVER_MADE: &str = "SELECT j.value ->> 0, j.value ->> 1 FROM json_each($1) j WHERE NOT EXISTS ( \
       SELECT 1 FROM reference r JOIN document d ON d.id = r.document_id \
       WHERE r.id = j.value ->> 0 AND j.value ->> 1 BETWEEN 1 AND d.receipt_revision \
     ) LIMIT 1";

/// Whoever has receipts of a source wants those to come as well.
const SUBSCRIBE_TO_SOURCES: &str = "INSERT INTO subscription (target, source) SELECT DISTINCT $2, r.source \
     FROM json_each($1) j CROSS JOIN reference r ON r.id = j.value ->> 0 \
     WHERE NOT EXISTS (SELECT 1 FROM subscription s WHERE s.target = $2 AND s.source IN ('', r.source))";

const DELIVER: &str = "INSERT INTO delivery (reference_id, target, revision, at) \
     SELECT j.value ->> 0, $2, j.value ->> 1, $3 FROM json_each($1) j WHERE true ON CONFLICT DO NOTHING";

#[async_trait]
impl Change for Delivered {
    type Answer = ();

    fn lane(group: &mut Group) -> &mut Lane<Self> {
        &mut group.deliveries
    }

    /// Each call is many receipts already.
    async fn apply(desk: &mut Desk, calls: &[Self]) -> Result<Answers<Self>, Fault> {
        let now = codec::micros(desk.now());
        let mut answers = Vec::with_capacity(calls.len());
        for call in calls {
            answers.push(call.store(&mut desk.connection, now).await?);
        }
        Ok(answers)
    }
}

impl Delivered {
    async fn store(&self, connection: &mut SqliteConnection, now: i64) -> Result<Result<(), Fault>, Fault> {
        let receipts = codec::to_json(&self.receipts)?;
        let never_made: Option<(i64, i64)> =
            sqlx::query_as(NEVER_MADE).bind(&receipts).fetch_optional(&mut *connection).await?;
        if let Some((reference, revision)) = never_made {
            return Ok(Err(Fault::Misuse(format!(
                "{} cannot have revision {revision} of record {reference}: there is no such receipt; \
                 a fault of the program, please report it",
                self.target
            ))));
        }
        sqlx::query(SUBSCRIBE_TO_SOURCES).bind(&receipts).bind(&self.target).execute(&mut *connection).await?;
        sqlx::query(DELIVER).bind(&receipts).bind(&self.target).bind(now).execute(connection).await?;
        Ok(Ok(()))
    }
}

/// What `target` has not got yet, oldest first, without the first ones: those are passed over in the outbox alone.
pub(crate) async fn pending(
    readers: &SqlitePool,
    target: &str,
    sources: &[String],
    skip: usize,
    limit: usize,
) -> Result<Vec<Receipt>, Fault> {
    let rows = sqlx::query(
        "SELECT (SELECT id FROM identity) AS ledger, r.id AS reference_id, r.source, r.location, r.position, r.record_id, r.attributes, c.revision, \
         c.label, c.document_key, c.irn, c.state, c.ewb_state, c.ewb, c.cancellation, c.findings, c.portal_findings, \
         p.kind AS reply_kind, p.body AS reply_body \
         FROM (SELECT reference_id, receipt_id FROM outbox \
         WHERE target = ?1 AND (?2 = '[]' OR source IN (SELECT value FROM json_each(?2))) \
         ORDER BY receipt_id, reference_id LIMIT ?3 OFFSET ?4) o \
         CROSS JOIN reference r ON r.id = o.reference_id CROSS JOIN receipt c ON c.id = o.receipt_id \
         LEFT JOIN reply p ON p.id = c.registration_reply ORDER BY o.receipt_id, o.reference_id",
    )
    .bind(target)
    .bind(codec::to_json(&sources)?)
    .bind(i64::try_from(limit).unwrap_or(i64::MAX))
    .bind(i64::try_from(skip).unwrap_or(i64::MAX))
    .fetch_all(readers)
    .await?;
    rows.iter().map(receipt).collect()
}

fn receipt(row: &SqliteRow) -> Result<Receipt, Fault> {
    let key: Option<String> = row.try_get("document_key")?;
    let irn: Option<String> = row.try_get("irn")?;
    let reply = ReplyParts::of_row(row)?;
    Ok(Receipt {
        ledger: Some(LedgerId(row.try_get("ledger")?)),
        reference_id: row.try_get("reference_id")?,
        revision: codec::unsigned(row.try_get("revision")?)?,
        source: row.try_get("source")?,
        reference: codec::source_ref(row)?,
        attributes: codec::from_json("attributes of a record", row.try_get("attributes")?)?,
        label: row.try_get("label")?,
        key: codec::key(key.as_deref())?,
        irn: codec::irn(irn.as_deref())?,
        state: codec::state(row.try_get("state")?)?,
        ewb_state: codec::ewb_state(row.try_get("ewb_state")?)?,
        registration: reply.registration,
        proof: reply.proof,
        ewb: codec::maybe("an e-way bill", row.try_get("ewb")?)?,
        cancellation: codec::maybe("a cancellation", row.try_get("cancellation")?)?,
        findings: all_findings(row)?,
    })
}

/// Findings of the check and what the portal said, as one list.
pub(crate) fn all_findings(row: &SqliteRow) -> Result<Vec<Finding>, Fault> {
    let mut findings: Vec<Finding> = codec::list_from_json("findings", row.try_get("findings")?)?;
    let portal: Vec<Finding> = codec::list_from_json("findings of the portal", row.try_get("portal_findings")?)?;
    findings.extend(portal);
    Ok(findings)
}
