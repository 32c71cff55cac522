//! No statement walks through a table that grows with what was ever done.
//!
//! Aim: a ledger of a million documents is as quick as one of ten. Method: SQLite is asked for its plan
//! (`EXPLAIN QUERY PLAN`) of every statement that the promises of the suite make the ledger say, so that a new
//! statement is looked at without being listed here.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use einvoice_core::clock::SharedClock;
use einvoice_core::ewb::EwbNumber;
use einvoice_core::job::{BillQuery, JobId, JobQuery, JobState};
use einvoice_core::ledger::{DocumentId, Ledger};
use einvoice_testkit::ledger_suite::{self as suite, LedgerHarness, run};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, Row as _, SqliteConnection};
use tracing::field::{Field, Visit};
use tracing::{Event, Metadata, Subscriber, span};

use crate::{LedgerConfig, SqliteLedger};

/// Statements that sqlx told of.
#[derive(Debug, Clone, Default)]
struct Listener {
    heard: Arc<Mutex<BTreeSet<String>>>,
}

/// The statement of one event: in `db.statement` where the summary cuts it.
#[derive(Debug, Default)]
struct Statement {
    summary: String,
    whole: String,
}

impl Visit for Statement {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "summary" => value.clone_into(&mut self.summary),
            "db.statement" => value.clone_into(&mut self.whole),
            _ => {}
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn std::fmt::Debug) {}
}

impl Subscriber for Listener {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "sqlx::query"
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut statement = Statement::default();
        event.record(&mut statement);
        let sql = if statement.whole.is_empty() { statement.summary } else { statement.whole };
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).insert(sql.trim().to_owned());
    }

    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}

struct Folder {
    folder: tempfile::TempDir,
}

impl Folder {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn config(&self) -> LedgerConfig {
        LedgerConfig { path: self.folder.path().join("ledger.db"), ..LedgerConfig::default() }
    }
}

#[async_trait]
impl LedgerHarness for Folder {
    async fn open(&self, clock: SharedClock) -> Arc<dyn Ledger> {
        let talk = |options: SqliteConnectOptions| {
            let level = || "debug".parse().unwrap();
            options.log_statements(level()).log_slow_statements(level(), Duration::from_hours(1))
        };
        Arc::new(SqliteLedger::open_with(&self.config(), clock, talk).await.unwrap())
    }

    fn settle_wait(&self) -> Duration {
        Duration::from_secs(self.config().settle_wait_seconds.into())
    }
}

/// What a plan may go through from end to end: lists that the call itself brought, and what was made of them.
const LISTS: [&str; 9] = ["given", "wanted", "step", "supplier", "j", "w", "e", "k", "json_each"];

/// Statements that may walk, by a part of their text, and why.
const MAY_WALK: [(&str, &str); 8] = [
    ("WHERE d.id > ? ORDER BY d.id LIMIT ?", "a page of all documents is read from where the last one ended"),
    ("WHERE j.id > ? ORDER BY j.id LIMIT ?", "so is a page of all jobs"),
    ("AND d.source = ? ORDER BY d.id", "a page of one source is read past the documents of others"),
    (
        "LIMIT ?3 OFFSET ?4) o",
        "what is owed is taken from the index up to the limit, and only that much is walked through",
    ),
    ("FROM sqlite_schema", "the tables of the file are few"),
    ("FROM subscription", "targets and sources are few"),
    ("instr(d.search", "a person searches for a part of a text, and no index finds that"),
    ("instr(w.number", "a person searches for a part of a number, and no index finds that"),
];

/// What the plan of a statement walks through.
async fn walks(connection: &mut SqliteConnection, sql: &str) -> Vec<String> {
    let explain = sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}"));
    let rows = sqlx::query(explain).fetch_all(connection).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
    let lines = rows.iter().map(|row| row.try_get::<String, _>("detail").unwrap());
    let is_walk = |line: &String| {
        // Every row number is greater than the least: a walk by another name.
        if line.contains("USING INTEGER PRIMARY KEY (rowid>?)") {
            return true;
        }
        let walked = line.strip_prefix("SCAN ").and_then(|rest| rest.split(' ').next());
        walked.is_some_and(|name| !line.contains("CONSTANT ROW") && !LISTS.contains(&name) && !name.starts_with('('))
    };
    lines.filter(is_walk).collect()
}

/// Questions that no promise puts.
async fn ask(folder: &Folder) {
    let ledger = folder.open(Arc::new(einvoice_core::clock::SystemClock)).await;
    let states = vec![JobState::Sent, JobState::Unknown];
    let bill = EwbNumber::parse("391009149369").ok();
    for query in [
        JobQuery { bill, states: states.clone(), limit: 1, ..JobQuery::default() },
        JobQuery { document: Some(DocumentId(1)), states, ..JobQuery::default() },
        JobQuery { ids: vec![JobId(1)], ..JobQuery::default() },
    ] {
        ledger.jobs(query).await.unwrap();
    }
    let after = EwbNumber::parse("391009149369").ok();
    ledger.bills(BillQuery { after, open_only: true, ..BillQuery::default() }).await.unwrap();
}

#[test]
fn no_statement_walks_through_what_grows() {
    let listener = Listener::default();
    let heard = Arc::clone(&listener.heard);
    // The statements are told of on SQLite's own threads.
    tracing::subscriber::set_global_default(listener).unwrap();
    run(async {
        suite::an_edited_record_is_a_revision_until_it_was_sent(&Folder::new()).await;
        suite::a_cursor_is_stored_with_its_batch(&Folder::new()).await;
        suite::what_is_sent_can_be_read_back(&Folder::new()).await;
        suite::a_released_document_is_free_at_once(&Folder::new()).await;
        suite::a_stopped_supplier_is_passed_over(&Folder::new()).await;
        suite::a_clear_not_there_makes_a_document_ready_and_keeps_its_route(&Folder::new()).await;
        suite::a_second_record_gets_the_result_too(&Folder::new()).await;
        suite::a_query_filters_and_pages(&Folder::new()).await;
        suite::the_audit_trail_tells_the_whole_life(&Folder::new()).await;
        suite::a_subject_has_one_open_job(&Folder::new()).await;
        suite::a_cancellation_reaches_the_document_and_the_books(&Folder::new()).await;
        suite::a_step_in_flight_is_unknown_after_a_crash(&Folder::new()).await;
        suite::an_expired_lease_frees_a_job(&Folder::new()).await;
        suite::a_bill_made_with_the_irn_is_kept(&Folder::new()).await;
        suite::a_bill_is_learnt_from_a_read(&Folder::new()).await;
        suite::a_cancellation_that_was_learnt_leaves_no_active_bill(&Folder::new()).await;
        suite::a_conflict_is_adopted_by_a_person(&Folder::new()).await;
        suite::a_rejected_registration_is_marked(&Folder::new()).await;
        ask(&Folder::new()).await;
        let folder = Folder::new();
        drop(folder.open(Arc::new(einvoice_core::clock::SystemClock)).await);
        // SQLite writes a look for orphans into the plan of whatever inserts several rows, and skips it as long as no
        // reference is broken.
        let options = SqliteConnectOptions::new().filename(folder.config().path).foreign_keys(false);
        let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
        let heard = heard.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let kinds = ["SELECT", "WITH", "INSERT", "UPDATE", "DELETE"];
        let statements: Vec<&String> =
            heard.iter().filter(|sql| kinds.iter().any(|kind| sql.starts_with(kind))).collect();
        assert!(statements.len() > 60, "the ledger said {} statements only", statements.len());
        let mut faults = Vec::new();
        for sql in statements {
            let walks = walks(&mut connection, sql).await;
            if !walks.is_empty() && !MAY_WALK.iter().any(|(part, _)| sql.contains(part)) {
                faults.push(format!("{}\n    {sql}", walks.join("; ")));
            }
        }
        assert!(faults.is_empty(), "statements that walk:\n{}", faults.join("\n"));
    });
}
