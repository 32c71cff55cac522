//! The ledger itself: opens the file and hands each call to the writer or to a reader.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use einvoice_core::clock::SharedClock;
use einvoice_core::environment::Environment;
use einvoice_core::irn::Irn;
use einvoice_core::job::{
    Bill, BillQuery, Cancellation, Job, JobBook, JobClaim, JobDecision, JobId, JobQuery, NewJob, StepIntent,
    StepOutcome,
};
use einvoice_core::ledger::{
    AttemptId, AttemptOutcome, AuditEntry, ClaimRequest, Claimed, Decision, DocumentId, DocumentStatus, Intent, Ledger,
    LedgerCapability, LedgerError, NewIntent, Query, ReceiveBatch, Reception, Settlement, WorkerId,
};
use einvoice_core::receipt::Receipt;
use einvoice_core::registry::{BuildContext, BuildError};
use einvoice_core::source::Cursor;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Connection as _, SqliteConnection, SqlitePool};

use crate::claim::{Release, take_over};
use crate::config::LedgerConfig;
use crate::decide::Rejected;
use crate::delivery::{self, Delivered, Subscribe};
use crate::desk::Desk;
use crate::errand::Errand;
use crate::fault::{Fault, sql_error};
use crate::lock::ProcessLock;
use crate::outcome::{Record, Settle};
use crate::writer::Writer;
use crate::{belonging, job_view, schema, turn, view};

/// Rejected IRNs looked for in one transaction: a list of any length takes 2 MB, and walks through the registered
/// documents seldom.
const REJECTED_AT_ONCE: usize = 20_000;

/// The ledger in one SQLite file.
///
/// Dropping it waits until every call that was handed in is committed, closes the file and releases
/// the lock on it.
#[derive(Debug)]
pub struct SqliteLedger {
    name: String,
    writer: Writer,
    readers: SqlitePool,
    /// Which (target, source) pairs the database fills outboxes for.
    subscribed: Mutex<BTreeSet<(String, String)>>,
}

/// Builds the ledger that `[ledger] plugin = "ledger-sqlite"` asks for.
pub(crate) async fn build(context: BuildContext, config: LedgerConfig) -> Result<Arc<dyn Ledger>, BuildError> {
    let config = LedgerConfig { path: context.path(&config.path), ..config };
    let clock = context.clock.clone();
    let opened = if context.only_looks {
        SqliteLedger::look(&config, clock).await
    } else {
        SqliteLedger::open(&config, clock).await
    };
    match opened {
        Ok(ledger) => Ok(Arc::new(ledger)),
        Err(error) => Err(BuildError::new(format!("ledger `{}`", context.name), error.to_string()).because(error)),
    }
}

impl SqliteLedger {
    /// Opens the file, or makes it.
    ///
    /// No earlier process lives, so every lease is void, and `Sent` documents without an outcome
    /// become `Unknown`.
    ///
    /// # Errors
    /// [`LedgerError::InUse`] while another process has it open; [`LedgerError::Storage`] when it
    /// cannot be opened, is no ledger, or was made by a newer program; [`LedgerError::Damaged`].
    pub async fn open(config: &LedgerConfig, clock: SharedClock) -> Result<Self, LedgerError> {
        Self::open_with(config, clock, |options| options).await
    }

    /// Opens the file with other options of SQLite than its own: tests make it run into limits.
    pub(crate) async fn open_with(
        config: &LedgerConfig,
        clock: SharedClock,
        adjust: impl FnOnce(SqliteConnectOptions) -> SqliteConnectOptions + Send,
    ) -> Result<Self, LedgerError> {
        let name = config.path.display().to_string();
        if let Some(reason) = config.fault() {
            return Err(LedgerError::Storage { ledger: name, reason, source: None });
        }
        let path = real_path(&config.path);
        let lock = ProcessLock::take(&path)?;
        let options = adjust(options(&path, config).create_if_missing(true));
        let mut connection = SqliteConnection::connect_with(&writing(&options))
            .await
            .map_err(|error| sql_error(&name, "opening", error))?;
        schema::bring_up_to_date(&mut connection, &name).await?;
        schema::check_integrity(&mut connection, &name, config.integrity_check).await?;
        let settle_wait = Duration::from_secs(config.settle_wait_seconds.into());
        let orphans =
            take_over(&mut connection, clock.now(), settle_wait).await.map_err(|fault| fault.into_error(&name))?;
        if orphans > 0 {
            tracing::warn!(documents = orphans, "documents were in flight when the program ended; the portal is asked");
        }
        let lost = turn::take_over(&mut connection, clock.now(), settle_wait)
            .await
            .map_err(|fault| fault.into_error(&name))?;
        if lost > 0 {
            tracing::warn!(jobs = lost, "jobs were in flight when the program ended; the portal is asked");
        }
        let subscribed: Vec<(String, String)> = sqlx::query_as("SELECT target, source FROM subscription")
            .fetch_all(&mut connection)
            .await
            .map_err(|error| sql_error(&name, "reading", error))?;
        let reading = options.create_if_missing(false).pragma("query_only", "ON");
        Self::start(connection, reading, subscribed.into_iter().collect(), config, clock, lock)
    }

    /// The ledger over a file that is open.
    pub(crate) fn start(
        connection: SqliteConnection,
        reading: SqliteConnectOptions,
        subscribed: BTreeSet<(String, String)>,
        config: &LedgerConfig,
        clock: SharedClock,
        lock: ProcessLock,
    ) -> Result<Self, LedgerError> {
        let name = config.path.display().to_string();
        let settle_wait = Duration::from_secs(config.settle_wait_seconds.into());
        let readers = SqlitePoolOptions::new().max_connections(config.readers).connect_lazy_with(reading);
        let desk = Desk::new(connection, clock, settle_wait, name.clone(), lock);
        let group_limit = usize::try_from(config.group_limit).unwrap_or(usize::MAX);
        let writer = Writer::start(desk, group_limit)?;
        Ok(Self { name, writer, readers, subscribed: Mutex::new(subscribed) })
    }

    fn read<T>(&self, result: Result<T, Fault>) -> Result<T, LedgerError> {
        result.map_err(|fault| fault.into_error(&self.name))
    }

    /// Has the database fill an outbox for each of these sources, from now on.
    async fn subscribe(&self, target: &str, sources: &[String]) -> Result<(), LedgerError> {
        let all = [String::new()];
        let wanted = if sources.is_empty() { &all } else { sources };
        let missing: Vec<String> = {
            let known = self.subscribed.lock().unwrap_or_else(PoisonError::into_inner);
            let has = |source: &str| known.contains(&(target.to_owned(), source.to_owned()));
            if has("") {
                return Ok(());
            }
            wanted.iter().filter(|source| !has(source)).cloned().collect()
        };
        if missing.is_empty() {
            return Ok(());
        }
        self.writer.submit(Subscribe { target: target.to_owned(), sources: missing.clone() }).await?;
        let mut known = self.subscribed.lock().unwrap_or_else(PoisonError::into_inner);
        known.extend(missing.into_iter().map(|source| (target.to_owned(), source)));
        Ok(())
    }
}

/// The file's own path, so that two links to one file take one lock.
pub(crate) fn real_path(path: &Path) -> PathBuf {
    std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}

/// WAL lets readers go on while the writer commits; `synchronous = FULL` flushes at each commit, on
/// which the promise "durable when `Ok`" rests (<https://www.sqlite.org/pragma.html#pragma_synchronous>).
fn options(path: &Path, config: &LedgerConfig) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(Duration::from_millis(config.busy_timeout_ms.into()))
        // A checkpoint for every 16 MiB of log instead of 4: fewer flushes in a long run.
        .pragma("wal_autocheckpoint", "4000")
        .pragma("journal_size_limit", "67108864")
        .pragma("recursive_triggers", "ON")
        .pragma("trusted_schema", "OFF")
        .statement_cache_capacity(64)
        .disable_statement_logging()
}

/// The writer's own: room for the pages of a group, so that none goes to the log before the commit, and
/// no files for what statements may have to undo.
fn writing(options: &SqliteConnectOptions) -> SqliteConnectOptions {
    options.clone().pragma("cache_size", "-8192").pragma("temp_store", "MEMORY")
}

#[async_trait]
impl Ledger for SqliteLedger {
    fn capability(&self) -> LedgerCapability {
        LedgerCapability::new(false)
    }

    async fn bind(&self, environment: Environment) -> Result<(), LedgerError> {
        self.writer.submit(Errand::Bind { environment }).await
    }

    async fn environment(&self) -> Result<Option<Environment>, LedgerError> {
        self.read(belonging::held_by_any_format(&self.readers).await)
    }

    async fn receive(&self, batch: ReceiveBatch) -> Result<Vec<Reception>, LedgerError> {
        self.writer.submit(batch).await
    }

    async fn cursor(&self, source: &str) -> Result<Option<Cursor>, LedgerError> {
        self.read(view::cursor(&self.readers, source).await)
    }

    async fn claim(&self, request: ClaimRequest) -> Result<Vec<Claimed>, LedgerError> {
        self.writer.submit(request).await
    }

    async fn release(&self, worker: &WorkerId, documents: &[DocumentId]) -> Result<(), LedgerError> {
        if documents.is_empty() {
            return Ok(());
        }
        self.writer.submit(Release { worker: worker.clone(), documents: documents.to_vec() }).await
    }

    async fn intend(&self, intent: NewIntent) -> Result<Intent, LedgerError> {
        self.writer.submit(intent).await
    }

    async fn record(&self, attempt: AttemptId, outcome: AttemptOutcome) -> Result<(), LedgerError> {
        self.writer.submit(Record { attempt, outcome }).await
    }

    async fn settle(&self, worker: &WorkerId, document: DocumentId, settlement: Settlement) -> Result<(), LedgerError> {
        self.writer.submit(Settle { worker: worker.clone(), document, settlement }).await
    }

    async fn decide(&self, document: DocumentId, decision: Decision) -> Result<(), LedgerError> {
        self.writer.submit(Errand::Decide { document, decision }).await
    }

    async fn reject_by_registry(&self, irns: &[Irn]) -> Result<Vec<DocumentId>, LedgerError> {
        let mut marked = Vec::new();
        // A list of any length takes the memory of a part of it, and no other call waits for all of it.
        for part in irns.chunks(REJECTED_AT_ONCE) {
            marked.extend(self.writer.submit(Rejected { irns: part.to_vec() }).await?);
        }
        marked.sort_unstable();
        Ok(marked)
    }

    async fn pending_write_back(
        &self,
        target: &str,
        sources: &[String],
        limit: usize,
    ) -> Result<Vec<Receipt>, LedgerError> {
        self.pending_write_back_after(target, sources, 0, limit).await
    }

    async fn pending_write_back_after(
        &self,
        target: &str,
        sources: &[String],
        skip: usize,
        limit: usize,
    ) -> Result<Vec<Receipt>, LedgerError> {
        self.subscribe(target, sources).await?;
        self.read(delivery::pending(&self.readers, target, sources, skip, limit).await)
    }

    async fn delivered(&self, target: &str, receipts: &[(i64, u32)]) -> Result<(), LedgerError> {
        if receipts.is_empty() {
            return Ok(());
        }
        self.writer.submit(Delivered { target: target.to_owned(), receipts: receipts.to_vec() }).await
    }

    async fn query(&self, query: Query) -> Result<Vec<DocumentStatus>, LedgerError> {
        self.read(view::query(&self.readers, &query).await)
    }

    async fn payload(&self, document: DocumentId) -> Result<Option<Bytes>, LedgerError> {
        self.read(view::payload(&self.readers, document).await)
    }

    async fn audit(&self, document: DocumentId) -> Result<Vec<AuditEntry>, LedgerError> {
        self.read(view::audit(&self.readers, document).await)
    }
}

#[async_trait]
impl JobBook for SqliteLedger {
    async fn plan(&self, job: NewJob) -> Result<JobId, LedgerError> {
        self.writer.submit(job).await
    }

    async fn claim_jobs(&self, claim: JobClaim) -> Result<Vec<Job>, LedgerError> {
        self.writer.submit(claim).await
    }

    async fn release_jobs(&self, worker: &WorkerId, jobs: &[JobId]) -> Result<(), LedgerError> {
        if jobs.is_empty() {
            return Ok(());
        }
        self.writer.submit(Errand::ReleaseJobs { worker: worker.clone(), jobs: jobs.to_vec() }).await
    }

    async fn begin_step(&self, worker: &WorkerId, job: JobId, intent: StepIntent) -> Result<(), LedgerError> {
        self.writer.submit(Errand::BeginStep { worker: worker.clone(), job, intent }).await
    }

    async fn end_step(&self, worker: &WorkerId, job: JobId, outcome: StepOutcome) -> Result<(), LedgerError> {
        self.writer.submit(Errand::EndStep { worker: worker.clone(), job, outcome }).await
    }

    async fn decide_job(&self, job: JobId, decision: JobDecision) -> Result<(), LedgerError> {
        self.writer.submit(Errand::DecideJob { job, decision }).await
    }

    async fn withdraw(&self, job: JobId, reason: &str) -> Result<(), LedgerError> {
        self.writer.submit(Errand::Withdraw { job, reason: reason.to_owned() }).await
    }

    async fn jobs(&self, query: JobQuery) -> Result<Vec<Job>, LedgerError> {
        self.read(job_view::jobs(&self.readers, &query).await)
    }

    async fn bills(&self, query: BillQuery) -> Result<Vec<Bill>, LedgerError> {
        self.read(job_view::bills(&self.readers, &query).await)
    }

    async fn learn_bill(&self, bill: Bill) -> Result<(), LedgerError> {
        self.writer.submit(Errand::LearnBill { bill: Box::new(bill) }).await
    }

    async fn learn_cancellation(&self, document: DocumentId, cancellation: Cancellation) -> Result<(), LedgerError> {
        self.writer.submit(Errand::LearnCancellation { document, cancellation }).await
    }
}
