//! `plan`: a task becomes a job, unless one is under way for the same subject.

use std::collections::BTreeSet;

use async_trait::async_trait;
use einvoice_core::job::{JobId, NewJob, Task};
use einvoice_core::operation::OperationKind;
use einvoice_core::state::DocumentState;
use jiff::Timestamp;
use sqlx::SqliteConnection;

use crate::codec;
use crate::desk::Desk;
use crate::fault::Fault;
use crate::group::{Answers, Change, Group, Lane};
use crate::job::{JOB, StoredJob};
use crate::standing::{Event, Standing, Standings};

const INSERT_JOB: &str = "INSERT INTO job (task, steps, document_id, gstin, route, site, not_before, deadline, due_at, \
     message, planned_at, changed_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?11)";

const INSERT_SUBJECTS: &str = "INSERT INTO job_subject (job_id, subject) SELECT ?1, j.value FROM json_each(?2) j";

#[async_trait]
impl Change for NewJob {
    type Answer = JobId;

    fn lane(group: &mut Group) -> &mut Lane<Self> {
        &mut group.plans
    }

    /// Tasks are few: each is planned by itself.
    async fn apply(desk: &mut Desk, calls: &[Self]) -> Result<Answers<Self>, Fault> {
        let mut answers = Vec::with_capacity(calls.len());
        for call in calls {
            desk.mark().await?;
            let answer = plan(desk, call).await;
            answers.push(desk.keep_or_undo(answer).await?);
        }
        Ok(answers)
    }
}

async fn plan(desk: &mut Desk, job: &NewJob) -> Result<JobId, Fault> {
    let now = desk.now();
    let connection = &mut desk.connection;
    let words = job.task.words();
    if job.steps.is_empty() {
        return Err(Fault::Misuse(format!("a job to {words} was planned without a step; a fault of the program")));
    }
    let ids: BTreeSet<i64> = job.document.iter().map(|document| document.0).collect();
    let mut standings = Standings::load(&mut *connection, &ids).await?;
    let document = job.document.map(|document| standings.of(document.0)).transpose()?;
    let subjects = codec::to_json(&subjects(job, document.as_ref()))?;
    if let Some(other) = under_way(&mut *connection, &subjects).await? {
        return Err(other.under_way());
    }
    check_document(job, document.as_ref())?;
    let due_at = job.not_before.map_or(now, |start| start.max(now));
    let id = insert(&mut *connection, job, due_at, now).await?;
    sqlx::query(INSERT_SUBJECTS).bind(id.0).bind(subjects).execute(&mut *connection).await?;
    if let Some(mut document) = document {
        let text = format!("job {} ({words}): planned", id.0);
        let details = Some(codec::to_json(&job.task)?);
        document.store(now, Event { text: &text, details, reply: None })?;
        standings.keep(document);
    }
    standings.write(connection).await?;
    Ok(id)
}

async fn insert(
    connection: &mut SqliteConnection,
    job: &NewJob,
    due_at: Timestamp,
    now: Timestamp,
) -> Result<JobId, Fault> {
    let done = sqlx::query(INSERT_JOB)
        .bind(codec::to_json(&job.task)?)
        .bind(codec::to_json(&job.steps)?)
        .bind(job.document.map(|document| document.0))
        .bind(job.gstin.as_str())
        .bind(job.route.as_ref().map(|route| route.as_str().to_owned()))
        .bind(job.site.as_deref())
        .bind(job.not_before.map(codec::micros_up))
        .bind(job.deadline.map(codec::micros))
        .bind(codec::micros_up(due_at))
        .bind("planned")
        .bind(codec::micros(now))
        .execute(connection)
        .await?;
    Ok(JobId(done.last_insert_rowid()))
}

/// The open job that changes one of these subjects, if there is one.
async fn under_way(connection: &mut SqliteConnection, subjects: &str) -> Result<Option<StoredJob>, Fault> {
    let sql = sqlx::AssertSqlSafe(format!(
        "{JOB} WHERE j.id = (SELECT min(s.job_id) FROM json_each(?1) w CROSS JOIN job_subject s \
         ON s.subject = w.value AND s.is_open = 1)"
    ));
    let row = sqlx::query(sql).bind(subjects).fetch_optional(connection).await?;
    row.as_ref().map(StoredJob::of_row).transpose()
}

fn check_document(job: &NewJob, document: Option<&Standing>) -> Result<(), Fault> {
    match (&job.task, document) {
        (Task::CancelIrn { .. }, None) => {
            Err(Fault::Misuse("a cancellation was planned without its document; a fault of the program".to_owned()))
        }
        (Task::CancelIrn { .. }, Some(document)) if document.state != DocumentState::Registered => {
            Err(document.illegal(DocumentState::Cancelling))
        }
        (Task::GenerateEwbByIrn { .. }, Some(document)) if document.state != DocumentState::Registered => {
            Err(document.illegal(DocumentState::Registered))
        }
        _ => Ok(()),
    }
}

/// What the job changes. One subject has one open job.
fn subjects(job: &NewJob, document: Option<&Standing>) -> BTreeSet<String> {
    let bill = |number: &dyn std::fmt::Display| format!("bill:{number}");
    let mut subjects: BTreeSet<String> = job.task.bill().iter().map(|number| bill(number)).collect();
    match &job.task {
        Task::CancelIrn { .. } | Task::GenerateEwbByIrn { .. } => {
            subjects.extend(job.document.map(|document| format!("document:{}", document.0)));
            // The bill that is cancelled on the way.
            if job.steps.contains(&OperationKind::CancelEwb)
                && let Some(number) = document.and_then(|document| document.ewb_number.as_ref())
            {
                subjects.insert(bill(number));
            }
        }
        Task::Consolidate { request } => subjects.extend(request.bills.iter().map(|number| bill(number))),
        Task::RegenerateTripSheet { request } => {
            subjects.insert(format!("trip_sheet:{}", request.trip_sheet));
        }
        Task::GenerateEwb { doc_type, doc_no, .. } => {
            subjects.insert(format!("paper:{}/{doc_type}/{}", job.gstin, doc_no.to_uppercase()));
        }
        _ => {}
    }
    if let Task::GenerateEwbByIrn { request } = &job.task {
        subjects.insert(format!("irn:{}", request.irn));
    }
    subjects
}
