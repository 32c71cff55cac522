//! `claim_jobs` and `release_jobs`: who carries out which job, and what becomes of one that nobody finished.

use std::collections::BTreeSet;
use std::time::Duration;

use async_trait::async_trait;
use einvoice_core::clock::later;
use einvoice_core::job::{Job, JobClaim, JobId, JobState};
use einvoice_core::ledger::WorkerId;
use jiff::Timestamp;
use sqlx::SqliteConnection;

use crate::codec;
use crate::desk::Desk;
use crate::fault::Fault;
use crate::group::{Answers, Change, Group, Lane};
use crate::job::{JOB, StoredJob, job_of_row};
use crate::standing::Standings;

/// Free jobs, oldest first; those that are named do not wait until they are due, nor for a person.
const FREE: &str = "SELECT id FROM job INDEXED BY job_by_state WHERE state IN ('planned', 'unknown') \
     AND lease_until <= ?1 AND coalesce(not_before, ?1) <= ?1 \
     AND iif(?2 = '[]', due_at <= ?1 AND hand_over IS NULL, id IN (SELECT value FROM json_each(?2))) ORDER BY id LIMIT ?3";

const LEASE: &str = "UPDATE job SET lease_owner = ?2, lease_until = ?3 WHERE id IN (SELECT value FROM json_each(?1))";

const RELEASE: &str = "UPDATE job SET lease_owner = NULL, lease_until = 0 \
     WHERE lease_owner = ?2 AND id IN (SELECT value FROM json_each(?1)) AND state IN ('planned', 'unknown')";

#[async_trait]
impl Change for JobClaim {
    type Answer = Vec<Job>;

    fn lane(group: &mut Group) -> &mut Lane<Self> {
        &mut group.job_claims
    }

    async fn apply(desk: &mut Desk, calls: &[Self]) -> Result<Answers<Self>, Fault> {
        let now = desk.now();
        let wait = desk.settle_wait;
        presume_unknown(&mut desk.connection, now, wait, true).await?;
        let mut answers = Vec::with_capacity(calls.len());
        for call in calls {
            answers.push(Ok(hand_out(&mut desk.connection, call, now).await?));
        }
        Ok(answers)
    }
}

async fn hand_out(connection: &mut SqliteConnection, wish: &JobClaim, now: Timestamp) -> Result<Vec<Job>, Fault> {
    let ids: Vec<i64> = sqlx::query_scalar(FREE)
        .bind(codec::micros(now))
        .bind(codec::to_json(&wish.only)?)
        .bind(i64::try_from(wish.limit).unwrap_or(i64::MAX))
        .fetch_all(&mut *connection)
        .await?;
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let ids = codec::to_json(&ids)?;
    let until = later(now, wish.lease).map_or(i64::MAX, codec::micros_up);
    sqlx::query(LEASE).bind(&ids).bind(&wish.worker.0).bind(until).execute(&mut *connection).await?;
    let sql = sqlx::AssertSqlSafe(format!("{JOB} WHERE j.id IN (SELECT value FROM json_each(?1)) ORDER BY j.id"));
    let rows = sqlx::query(sql).bind(ids).fetch_all(connection).await?;
    rows.iter().map(job_of_row).collect()
}

/// Gives jobs back that were claimed and not begun.
pub(crate) async fn release(connection: &mut SqliteConnection, worker: &WorkerId, jobs: &[JobId]) -> Result<(), Fault> {
    sqlx::query(RELEASE).bind(codec::to_json(&jobs)?).bind(&worker.0).execute(connection).await?;
    Ok(())
}

/// What happens to jobs when a file is opened: no earlier process lives, so every lease is void, and a step that
/// may have been sent has an outcome nobody knows.
pub(crate) async fn take_over(
    connection: &mut SqliteConnection,
    now: Timestamp,
    settle_wait: Duration,
) -> Result<usize, Fault> {
    sqlx::query("BEGIN IMMEDIATE").execute(&mut *connection).await?;
    // A job that is over is in nobody's hands.
    sqlx::query(
        "UPDATE job INDEXED BY job_by_state SET lease_owner = NULL, lease_until = 0 \
         WHERE state IN ('planned', 'sent', 'unknown') AND lease_owner IS NOT NULL",
    )
    .execute(&mut *connection)
    .await?;
    let found = presume_unknown(&mut *connection, now, settle_wait, false).await;
    let end = if found.is_ok() { "COMMIT" } else { "ROLLBACK" };
    sqlx::query(end).execute(connection).await?;
    found
}

/// `Sent` jobs that nobody works on any more become `Unknown`. The portal is asked only after the settling wait,
/// counted from the intent, as for documents.
async fn presume_unknown(
    connection: &mut SqliteConnection,
    now: Timestamp,
    settle_wait: Duration,
    lease_was_over: bool,
) -> Result<usize, Fault> {
    let message = if lease_was_over {
        "the worker's lease ended without an outcome"
    } else {
        "the program ended without an outcome"
    };
    let sql = sqlx::AssertSqlSafe(format!("{JOB} WHERE j.state = 'sent' AND j.lease_until <= ?1 ORDER BY j.id"));
    let rows = sqlx::query(sql).bind(codec::micros(now)).fetch_all(&mut *connection).await?;
    if rows.is_empty() {
        return Ok(0);
    }
    let mut lost = rows.iter().map(StoredJob::of_row).collect::<Result<Vec<_>, _>>()?;
    let ids: BTreeSet<i64> = lost.iter().filter_map(|one| one.job.document).map(|id| id.0).collect();
    let mut standings = Standings::load(&mut *connection, &ids).await?;
    for one in &mut lost {
        one.become_state(JobState::Unknown)?;
        one.release();
        one.job.asked = 0;
        one.job.errors.clear();
        one.job.due_at = later(one.intent_at.unwrap_or(now), settle_wait).unwrap_or(now);
        message.clone_into(&mut one.job.message);
        if let Some(id) = one.job.document {
            let mut document = standings.of(id.0)?;
            one.tell(&mut document, now, message, None)?;
            standings.keep(document);
        }
        one.store(&mut *connection, now).await?;
    }
    standings.write(connection).await?;
    Ok(lost.len())
}
