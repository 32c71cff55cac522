//! `jobs` and `bills`: what people and the pipeline read of them.

use einvoice_core::job::{Bill, BillQuery, Job, JobQuery, JobState};
use sqlx::{QueryBuilder, Sqlite, SqlitePool};

use crate::fault::Fault;
use crate::{bill, codec, job};

/// What a limit of 0 means.
const DEFAULT_LIMIT: usize = 1000;

/// Jobs that may have made the bill whose number follows, found without walking through all of them.
const MADE_FOR_A_DOCUMENT: &str =
    "SELECT x.id FROM eway_bill b CROSS JOIN job x ON x.document_id = b.document_id WHERE b.number = ";
const MADE_FOR_A_PAPER: &str = "SELECT x.id FROM eway_bill b \
     CROSS JOIN job_subject s ON s.subject = 'paper:' || (b.standing ->> '$.generated_by') || '/' \
       || (b.standing ->> '$.document.doc_type') || '/' || b.doc_no \
     CROSS JOIN job x ON x.id = s.job_id WHERE b.number = ";

/// Whether it did.
const MADE: &str =
    " AND EXISTS (SELECT 1 FROM json_each(x.effects) e WHERE e.value ->> '$.standing.number' = b.number)";

/// Jobs in the order of their numbers.
pub(crate) async fn jobs(readers: &SqlitePool, query: &JobQuery) -> Result<Vec<Job>, Fault> {
    let mut sql = QueryBuilder::<Sqlite>::new(job::JOB);
    sql.push(" WHERE j.id > ").push_bind(query.after.map_or(i64::MIN, |after| after.0));
    if !query.ids.is_empty() {
        sql.push(" AND j.id IN (SELECT value FROM json_each(").push_bind(codec::to_json(&query.ids)?).push("))");
    }
    if let Some(document) = query.document {
        sql.push(" AND j.document_id = ").push_bind(document.0);
    }
    if let Some(number) = query.bill {
        // What it was planned for, and what it made: for a document or for a paper of its own.
        sql.push(" AND j.id IN (SELECT s.job_id FROM job_subject s WHERE s.subject = ")
            .push_bind(format!("bill:{number}"));
        for maker in [MADE_FOR_A_DOCUMENT, MADE_FOR_A_PAPER] {
            sql.push(" UNION ").push(maker).push_bind(number.to_string()).push(MADE);
        }
        sql.push(")");
    }
    if !query.states.is_empty() {
        let states: Vec<&str> = query.states.iter().copied().map(JobState::as_str).collect();
        sql.push(" AND j.state IN (SELECT value FROM json_each(").push_bind(codec::to_json(&states)?).push("))");
    }
    sql.push(" ORDER BY j.id LIMIT ").push_bind(limit(query.limit));
    sql.build().fetch_all(readers).await?.iter().map(job::job_of_row).collect()
}

/// Bills in the order of their numbers.
pub(crate) async fn bills(readers: &SqlitePool, query: &BillQuery) -> Result<Vec<Bill>, Fault> {
    let mut sql = QueryBuilder::<Sqlite>::new(bill::BILL);
    // Numbers have one length, so their texts are in their order.
    let after = query.after.map(|after| after.to_string()).unwrap_or_default();
    sql.push(" WHERE b.number > ").push_bind(after);
    if let Some(number) = query.number {
        sql.push(" AND b.number = ").push_bind(number.to_string());
    }
    if let Some(document) = query.document {
        sql.push(" AND b.document_id = ").push_bind(document.0);
    }
    if let Some(doc_no) = &query.doc_no {
        sql.push(" AND b.doc_no = ").push_bind(doc_no.to_uppercase());
    }
    if query.open_only {
        sql.push(" AND b.state IN ('active', 'part_a', 'unknown')");
    }
    sql.push(" ORDER BY b.number LIMIT ").push_bind(limit(query.limit));
    sql.build().fetch_all(readers).await?.iter().map(bill::of_row).collect()
}

fn limit(wanted: usize) -> i64 {
    i64::try_from(if wanted == 0 { DEFAULT_LIMIT } else { wanted }).unwrap_or(i64::MAX)
}
