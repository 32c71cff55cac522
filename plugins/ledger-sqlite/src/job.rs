//! Jobs as the file keeps them.

use einvoice_core::environment::RouteName;
use einvoice_core::identifier::Gstin;
use einvoice_core::job::{Job, JobId, JobState, StepIntent};
use einvoice_core::ledger::{DocumentId, LedgerError, WorkerId};
use jiff::Timestamp;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, SqliteConnection};

use crate::codec;
use crate::fault::Fault;
use crate::standing::{Event, Standing};

/// Columns of a job; the job itself is `j`, its latest intent `i`.
pub(crate) const JOB: &str = "SELECT j.*, i.position AS intent_position, i.worker AS intent_worker, \
     i.route AS intent_route, i.site AS intent_site, i.before AS intent_before, i.at AS intent_at \
     FROM job j LEFT JOIN step_intent i ON i.id = j.last_intent ";

const STORE: &str = "UPDATE job SET position = ?2, state = ?3, due_at = ?4, last_intent = ?5, sendings = ?6, \
     asked = ?7, lease_owner = ?8, lease_until = ?9, message = ?10, errors = ?11, effects = ?12, outcome = ?13, \
     outcome_worker = ?14, hand_over = ?15, changed_at = ?16, events = events + 1 WHERE id = ?1";

/// A job with what only the ledger knows of it.
#[derive(Debug)]
pub(crate) struct StoredJob {
    pub(crate) job: Job,
    pub(crate) last_intent: Option<i64>,
    /// Who sent it last.
    pub(crate) sender: Option<String>,
    pub(crate) intent_at: Option<Timestamp>,
    pub(crate) outcome: Option<String>,
    pub(crate) outcome_worker: Option<String>,
    lease_owner: Option<String>,
    lease_until: i64,
}

impl StoredJob {
    pub(crate) async fn load(connection: &mut SqliteConnection, id: JobId) -> Result<Self, Fault> {
        let sql = sqlx::AssertSqlSafe(format!("{JOB} WHERE j.id = ?1"));
        let row = sqlx::query(sql).bind(id.0).fetch_optional(connection).await?;
        Self::of_row(&row.ok_or(LedgerError::NoJob { job: id })?)
    }

    /// A row that [`JOB`] gave.
    pub(crate) fn of_row(row: &SqliteRow) -> Result<Self, Fault> {
        Ok(Self {
            job: job_of_row(row)?,
            last_intent: row.try_get("last_intent")?,
            sender: row.try_get("intent_worker")?,
            intent_at: row.try_get::<Option<i64>, _>("intent_at")?.map(codec::moment).transpose()?,
            outcome: row.try_get("outcome")?,
            outcome_worker: row.try_get("outcome_worker")?,
            lease_owner: row.try_get("lease_owner")?,
            lease_until: row.try_get("lease_until")?,
        })
    }

    /// Writes what changed, with a line in the job's own trail.
    pub(crate) async fn store(&mut self, connection: &mut SqliteConnection, now: Timestamp) -> Result<(), Fault> {
        let job = &mut self.job;
        job.changed_at = now;
        sqlx::query(STORE)
            .bind(job.id.0)
            .bind(job.position)
            .bind(job.state.as_str())
            .bind(codec::micros_up(job.due_at))
            .bind(self.last_intent)
            .bind(job.sendings)
            .bind(job.asked)
            .bind(self.lease_owner.as_deref())
            .bind(self.lease_until)
            .bind(&job.message)
            .bind(codec::list_to_json(&job.errors)?)
            .bind(codec::list_to_json(&job.effects)?)
            .bind(self.outcome.as_deref())
            .bind(self.outcome_worker.as_deref())
            .bind(job.hand_over.as_deref())
            .bind(codec::micros(now))
            .execute(connection)
            .await?;
        Ok(())
    }

    /// Moves to `next`, if that is legal.
    pub(crate) fn become_state(&mut self, next: JobState) -> Result<(), Fault> {
        if !self.job.state.may_become().contains(&next) {
            return Err(self.illegal(next));
        }
        self.job.state = next;
        Ok(())
    }

    /// The error for a move that is not in the table.
    pub(crate) fn illegal(&self, to: JobState) -> Fault {
        LedgerError::IllegalJobMove { job: self.job.id, from: self.job.state, to }.into()
    }

    pub(crate) fn not_claimed(&self, worker: &WorkerId) -> Fault {
        LedgerError::JobNotClaimed { job: self.job.id, worker: worker.clone() }.into()
    }

    /// Whether `worker` holds the job at `now`.
    pub(crate) fn is_with(&self, worker: &WorkerId, now: i64) -> bool {
        self.lease_owner.as_deref() == Some(worker.0.as_str()) && self.lease_until > now
    }

    /// Whether `worker` sent the step last and nobody else took the job since: what it brings late is the truth
    /// all the same.
    pub(crate) fn is_awaited_from(&self, worker: &WorkerId, now: i64) -> bool {
        let free = self.lease_owner.is_none() || self.lease_until <= now;
        let open = matches!(self.job.state, JobState::Sent | JobState::Unknown);
        free && open && self.sender.as_deref() == Some(worker.0.as_str())
    }

    /// Keeps what a person decided beside what workers told.
    pub(crate) fn told(&mut self, decision: &str) {
        self.outcome = Some(decision.to_owned());
        self.outcome_worker = None;
    }

    /// Ends the lease.
    pub(crate) fn release(&mut self) {
        self.lease_owner = None;
        self.lease_until = 0;
    }

    /// The error for those who must wait until it is over.
    pub(crate) fn under_way(&self) -> Fault {
        let what = format!("to {}, {}", self.job.task.words(), self.job.state);
        LedgerError::JobUnderWay { job: self.job.id, what }.into()
    }

    /// Writes a line about the job into the trail of its document.
    pub(crate) fn tell(
        &self,
        document: &mut Standing,
        now: Timestamp,
        what: &str,
        details: Option<String>,
    ) -> Result<(), Fault> {
        let text = self.line(what);
        document.store(now, Event { text: &text, details, reply: None })
    }

    pub(crate) fn line(&self, what: &str) -> String {
        format!("job {} ({}): {what}", self.job.id.0, self.job.task.words())
    }
}

/// A row that [`JOB`] gave.
pub(crate) fn job_of_row(row: &SqliteRow) -> Result<Job, Fault> {
    let gstin: String = row.try_get("gstin")?;
    let state: String = row.try_get("state")?;
    let moment = |column: &str| -> Result<Option<Timestamp>, Fault> {
        row.try_get::<Option<i64>, _>(column)?.map(codec::moment).transpose()
    };
    let position = codec::unsigned(row.try_get("position")?)?;
    Ok(Job {
        id: JobId(row.try_get("id")?),
        task: codec::from_json("a task", row.try_get("task")?)?,
        steps: codec::from_json("the steps of a job", row.try_get("steps")?)?,
        position,
        state: JobState::from_name(&state)
            .ok_or_else(|| Fault::Unreadable(format!("there is no job state `{state}`")))?,
        document: row.try_get::<Option<i64>, _>("document_id")?.map(DocumentId),
        gstin: Gstin::parse(&gstin).map_err(|error| Fault::Unreadable(format!("GSTIN of a job: {error}")))?,
        route: row.try_get::<Option<String>, _>("route")?.map(RouteName::new),
        site: row.try_get("site")?,
        not_before: moment("not_before")?,
        deadline: moment("deadline")?,
        last: intent(row)?.filter(|intent| intent.position == position),
        sendings: codec::unsigned(row.try_get("sendings")?)?,
        asked: codec::unsigned(row.try_get("asked")?)?,
        due_at: codec::moment(row.try_get("due_at")?)?,
        message: row.try_get("message")?,
        errors: codec::list_from_json("errors of a job", row.try_get("errors")?)?,
        effects: codec::list_from_json("effects of a job", row.try_get("effects")?)?,
        hand_over: row.try_get("hand_over")?,
        planned_at: codec::moment(row.try_get("planned_at")?)?,
        changed_at: codec::moment(row.try_get("changed_at")?)?,
    })
}

fn intent(row: &SqliteRow) -> Result<Option<StepIntent>, Fault> {
    let Some(position) = row.try_get::<Option<i64>, _>("intent_position")? else { return Ok(None) };
    let before: Option<String> = row.try_get("intent_before")?;
    Ok(Some(StepIntent {
        position: codec::unsigned(position)?,
        route: RouteName::new(row.try_get::<String, _>("intent_route")?),
        site: row.try_get("intent_site")?,
        at: codec::moment(row.try_get("intent_at")?)?,
        before: before.map(|text| codec::from_json("a bill before a step", &text)).transpose()?,
    }))
}
