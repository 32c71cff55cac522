//! What the file itself guards: illegal changes by other programs, second processes, foreign and newer
//! files, and a copy taken at the moment of a crash.
#![expect(clippy::unwrap_used, reason = "the helpers of a test fail as the test does")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use einvoice_core::clock::{Clock as _, ManualClock, later};
use einvoice_core::environment::RouteName;
use einvoice_core::ewb::{Birth, CancelReason, EwbNumber, Standing};
use einvoice_core::irn::{Irn, IrnRule};
use einvoice_core::job::{Bill, JobBook as _, JobClaim, JobState, NewJob, StepIntent, Task};
use einvoice_core::key::DocumentKey;
use einvoice_core::ledger::{
    AttemptOutcome, ClaimRequest, DocumentId, Intent, Ledger, LedgerError, NewDocument, NewIntent, Query, ReceiveBatch,
    Verdict, Work, WorkerId,
};
use einvoice_core::source::SourceRef;
use einvoice_core::state::{DocumentState, EwbState};
use einvoice_ledger_sqlite::{IntegrityCheck, LedgerConfig, SqliteLedger};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{Connection as _, SqliteConnection};

fn clock() -> ManualClock {
    ManualClock::new("2026-11-05T06:30:00Z".parse().unwrap())
}

fn config(folder: &Path) -> LedgerConfig {
    LedgerConfig { path: folder.join("ledger.db"), ..LedgerConfig::default() }
}

async fn open(config: &LedgerConfig) -> SqliteLedger {
    SqliteLedger::open(config, Arc::new(clock())).await.unwrap()
}

async fn raw(config: &LedgerConfig) -> SqliteConnection {
    SqliteConnection::connect_with(&SqliteConnectOptions::new().filename(&config.path)).await.unwrap()
}

fn document(number: u32) -> NewDocument {
    let key: DocumentKey =
        format!("{}/2026-27/INV/A{number}", einvoice_testkit::documents::gstin(27, 1)).parse().unwrap();
    let irn = Irn::compute(&key, IrnRule::UpperCase);
    let mut content_hash = [0; 32];
    content_hash.iter_mut().zip(number.to_be_bytes()).for_each(|(to, from)| *to = from);
    NewDocument {
        reference: SourceRef { location: "f".into(), position: String::new(), record_id: number.to_string() },
        arrival: None,
        attributes: BTreeMap::new(),
        label: number.to_string(),
        key: Some(key),
        content_hash,
        verdict: Verdict::Ready { payload: b"{}".as_slice().into(), irn },
        findings: Vec::new(),
    }
}

async fn receive(ledger: &dyn Ledger, numbers: std::ops::Range<u32>) {
    let documents = numbers.map(document).collect();
    ledger.receive(ReceiveBatch { source: "s".to_owned(), cursor: None, documents }).await.unwrap();
}

async fn send(ledger: &dyn Ledger) -> Intent {
    let intent = claim(ledger).await;
    ledger.intend(intent).await.unwrap()
}

/// Takes the oldest document in hand: the intent to send it.
async fn claim(ledger: &dyn Ledger) -> NewIntent {
    let worker = WorkerId("w".to_owned());
    let request = ClaimRequest {
        worker: worker.clone(),
        work: Work::Send,
        limit: 1,
        lease: Duration::from_mins(10),
        skip_suppliers: BTreeSet::new(),
    };
    let claimed = ledger.claim(request).await.unwrap().remove(0);
    NewIntent {
        document: claimed.id,
        worker,
        route: RouteName::new("nic"),
        site: "NIC1".to_owned(),
        gstin: claimed.key.supplier,
        payload_hash: claimed.payload_hash,
    }
}

/// Aim: the file guards itself against programs that know nothing of the contract.
/// Method: each statement breaks one rule only, so that no other guard speaks in its place.
#[tokio::test]
async fn the_file_refuses_what_the_contract_forbids() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(folder.path());
    let ledger = open(&config).await;
    receive(&ledger, 1..4).await;
    let done = send(&ledger).await;
    let burnt = AttemptOutcome::Refused { errors: Vec::new(), info: Vec::new(), burnt: true };
    ledger.record(done.attempt, burnt).await.unwrap();
    let receipt = ledger.pending_write_back("books", &[], 1).await.unwrap().remove(0);
    ledger.delivered("books", &[(receipt.reference_id, receipt.revision)]).await.unwrap();
    send(&ledger).await;
    drop(ledger);
    let options = SqliteConnectOptions::new().filename(&config.path).foreign_keys(false);
    let mut other = SqliteConnection::connect_with(&options).await.unwrap();
    for (sql, words) in [
        ("UPDATE document SET state = 'received' WHERE state = 'ready'", "illegal move"),
        ("UPDATE document SET state = 'ready' WHERE state = 'burnt'", "illegal move"),
        ("UPDATE document SET state = 'sent', last_attempt = 1 WHERE state = 'ready'", "only with a new intent"),
        ("UPDATE document SET irn = 'x' WHERE state = 'sent'", "what was sent cannot be replaced"),
        ("UPDATE document SET content_hash = x'00' WHERE state = 'sent'", "what was sent cannot be replaced"),
        ("DELETE FROM document", "documents are kept"),
        ("UPDATE attempt SET site = 'NIC2'", "attempts are immutable"),
        ("DELETE FROM attempt", "attempts are immutable"),
        ("UPDATE reply SET at = 0", "replies are immutable"),
        ("DELETE FROM reply", "replies are immutable"),
        ("UPDATE receipt SET label = ''", "receipts are immutable"),
        ("DELETE FROM receipt", "receipts are immutable"),
        ("UPDATE delivery SET at = 0", "deliveries are immutable"),
        ("DELETE FROM delivery", "deliveries are immutable"),
        ("UPDATE audit SET event = 'nothing happened'", "audit trail is immutable"),
        ("DELETE FROM audit", "audit trail is immutable"),
        ("INSERT INTO identity (id) VALUES ('another')", "a ledger has one identity"),
        ("UPDATE identity SET id = 'another'", "the identity of a ledger is fixed"),
        ("DELETE FROM identity", "the identity of a ledger is fixed"),
        ("UPDATE revision SET payload = x'00'", "revisions are immutable"),
        ("DELETE FROM revision", "revisions are immutable"),
        (
            "INSERT INTO document (source, label, key_upper, irn, search, state, revision, content_hash, findings, \
             last_attempt, received_at, changed_at, event) \
             VALUES ('', '', 'K', 'I', '', 'sent', 1, x'', '[]', 1, 0, 0, '')",
            "starts as received, invalid or ready",
        ),
    ] {
        let refused = sqlx::query(sql).execute(&mut other).await.unwrap_err().to_string();
        assert!(refused.contains(words), "{sql}: {refused}");
    }
    // A legal change by another program leaves its mark all the same.
    let legal = "UPDATE document SET state = 'invalid' WHERE state = 'ready'";
    sqlx::query(legal).execute(&mut other).await.unwrap();
    let ledger = open(&config).await;
    let trail = ledger.audit(DocumentId(3)).await.unwrap();
    assert_eq!(trail.last().unwrap().event, "changed by another program");
}

/// Aim: jobs and bills are guarded as documents are.
/// Method: each statement breaks one rule only. Job 1 is over, job 2 is sent, job 3 is planned.
#[tokio::test]
async fn the_file_refuses_what_no_job_may_do() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(folder.path());
    let ledger = open(&config).await;
    let worker = WorkerId("w".to_owned());
    let mut jobs = Vec::new();
    for number in ["391009149369", "391009149370", "391009149371"] {
        jobs.push(ledger.plan(cancel_ewb(number)).await.unwrap());
    }
    ledger.withdraw(jobs[0], "a mistake").await.unwrap();
    let wish = JobClaim { worker: worker.clone(), only: vec![jobs[1]], limit: 1, lease: Duration::from_mins(1) };
    ledger.claim_jobs(wish).await.unwrap();
    let intent = StepIntent {
        position: 0,
        route: RouteName::new("nic"),
        site: "NIC1".to_owned(),
        at: clock().now(),
        before: None,
    };
    ledger.begin_step(&worker, jobs[1], intent).await.unwrap();
    let number = EwbNumber::parse("391009149369").unwrap();
    let standing = Standing::new(number, Birth::Direct, einvoice_testkit::documents::gstin(27, 1), EwbState::Active);
    let bill = Bill { standing, document: None, route: None, site: None, changed_at: clock().now() };
    ledger.learn_bill(bill).await.unwrap();
    drop(ledger);
    let mut other = raw(&config).await;
    for (sql, words) in [
        ("UPDATE job SET message = 'x' WHERE id = 1", "stays as it is"),
        ("UPDATE job SET state = 'withdrawn' WHERE id = 2", "illegal move of a job"),
        ("UPDATE job SET state = 'sent', last_intent = 1 WHERE id = 3", "only with a new intent"),
        ("UPDATE job SET position = 1 WHERE id = 3", "by the step that was sent"),
        ("UPDATE job SET state = 'done' WHERE id = 2", "CHECK constraint failed"),
        ("UPDATE job SET gstin = 'x' WHERE id = 3", "was planned to do is fixed"),
        ("UPDATE job SET deadline = 0 WHERE id = 3", "was planned to do is fixed"),
        ("DELETE FROM job", "jobs are kept"),
        ("UPDATE job_subject SET is_open = 0 WHERE job_id = 3", "free once the job is over"),
        ("UPDATE job_subject SET is_open = 1 WHERE job_id = 1", "free once the job is over"),
        ("DELETE FROM job_subject", "subjects of jobs are kept"),
        ("INSERT INTO job_subject (job_id, subject) VALUES (2, 'bill:391009149371')", "UNIQUE constraint failed"),
        ("UPDATE step_intent SET site = 'NIC2'", "intents are immutable"),
        ("DELETE FROM step_intent", "intents are immutable"),
        ("UPDATE job_event SET message = 'nothing'", "audit trail is immutable"),
        ("DELETE FROM job_event", "audit trail is immutable"),
        ("DELETE FROM eway_bill", "e-way bills are kept"),
        ("UPDATE eway_bill SET state = 'closed'", "CHECK constraint failed"),
        (
            "INSERT INTO job (task, steps, state, last_intent, gstin, due_at, message, planned_at, changed_at) \
             VALUES ('{}', '[1]', 'sent', 1, '', 0, '', 0, 0)",
            "starts as planned",
        ),
    ] {
        let refused = sqlx::query(sql).execute(&mut other).await.unwrap_err().to_string();
        assert!(refused.contains(words), "{sql}: {refused}");
    }
    let events: i64 = sqlx::query_scalar("SELECT count(*) FROM job_event").fetch_one(&mut other).await.unwrap();
    assert_eq!(events, 5, "three were planned, one was withdrawn, one begun");
}

#[tokio::test]
async fn the_file_refuses_what_no_person_may_decide() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(folder.path());
    let ledger = open(&config).await;
    receive(&ledger, 1..2).await;
    send(&ledger).await;
    let worker = WorkerId("w".to_owned());
    let job = ledger.plan(cancel_ewb("391009149369")).await.unwrap();
    let wish = JobClaim { worker: worker.clone(), only: Vec::new(), limit: 1, lease: Duration::from_mins(1) };
    ledger.claim_jobs(wish).await.unwrap();
    let intent = StepIntent {
        position: 0,
        route: RouteName::new("nic"),
        site: "NIC1".to_owned(),
        at: clock().now(),
        before: None,
    };
    ledger.begin_step(&worker, job, intent).await.unwrap();
    drop(ledger);
    let mut other = raw(&config).await;
    for sql in [
        "UPDATE document SET state = 'unknown', ask_at = 0, hand_over = '{\"open\":\"acknowledgement\"}'",
        "UPDATE job SET state = 'unknown'",
    ] {
        sqlx::query(sql).execute(&mut other).await.unwrap();
    }
    for (sql, words) in [
        ("UPDATE document SET state = 'ready', ask_at = NULL", "registered for certain is not sent again"),
        ("UPDATE document SET hand_over = 'ask them'", "CHECK constraint failed"),
        ("UPDATE job SET state = 'withdrawn'", "the portal can tell is not given up"),
    ] {
        let refused = sqlx::query(sql).execute(&mut other).await.unwrap_err().to_string();
        assert!(refused.contains(words), "{sql}: {refused}");
    }
    sqlx::query("UPDATE job SET hand_over = 'look'").execute(&mut other).await.unwrap();
    sqlx::query("UPDATE job SET state = 'withdrawn', lease_owner = NULL").execute(&mut other).await.unwrap();
}

#[tokio::test]
async fn the_moves_of_jobs_in_the_file_are_those_of_the_contract() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(folder.path());
    drop(open(&config).await);
    let sql = "SELECT from_state, to_state FROM legal_job_move";
    let mut found: Vec<(String, String)> = sqlx::query_as(sql).fetch_all(&mut raw(&config).await).await.unwrap();
    found.sort_unstable();
    let mut wanted: Vec<(String, String)> = JobState::ALL
        .into_iter()
        .flat_map(|from| from.may_become().iter().map(move |to| (from.to_string(), to.to_string())))
        .collect();
    wanted.sort_unstable();
    assert_eq!(found, wanted);
}

fn cancel_ewb(number: &str) -> NewJob {
    let number = EwbNumber::parse(number).unwrap();
    let task = Task::CancelEwb { number, reason: CancelReason::Duplicate, remark: "entered twice".to_owned() };
    NewJob {
        steps: task.steps(false),
        task,
        document: None,
        gstin: einvoice_testkit::documents::gstin(27, 1),
        route: None,
        site: None,
        not_before: None,
        deadline: None,
    }
}

#[tokio::test]
async fn the_moves_of_the_file_are_those_of_the_contract() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(folder.path());
    drop(open(&config).await);
    let mut found: Vec<(String, String)> =
        sqlx::query_as("SELECT from_state, to_state FROM legal_move").fetch_all(&mut raw(&config).await).await.unwrap();
    found.sort_unstable();
    let mut wanted: Vec<(String, String)> = DocumentState::ALL
        .into_iter()
        .flat_map(|from| from.may_become().iter().map(move |to| (from.to_string(), to.to_string())))
        .collect();
    wanted.sort_unstable();
    assert_eq!(found, wanted);
}

#[tokio::test]
async fn a_second_opening_is_refused_with_the_holder() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(folder.path());
    let first = open(&config).await;
    let second = SqliteLedger::open(&config, Arc::new(clock())).await.unwrap_err();
    assert!(matches!(second, LedgerError::InUse { .. }), "{second}");
    if cfg!(unix) {
        assert!(second.to_string().contains(&format!("(process {})", std::process::id())), "{second}");
    }
    drop(first);
    open(&config).await;
}

#[tokio::test]
async fn foreign_newer_and_damaged_files_are_refused_in_words() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(folder.path());
    drop(open(&config).await);
    sqlx::raw_sql("PRAGMA user_version = 99").execute(&mut raw(&config).await).await.unwrap();
    let newer = SqliteLedger::open(&config, Arc::new(clock())).await.unwrap_err().to_string();
    assert!(newer.contains("format 99"), "{newer}");
    sqlx::raw_sql("PRAGMA user_version = 0; PRAGMA application_id = 7").execute(&mut raw(&config).await).await.unwrap();
    let foreign = SqliteLedger::open(&config, Arc::new(clock())).await.unwrap_err().to_string();
    assert!(foreign.contains("another program"), "{foreign}");
    let text = LedgerConfig { path: folder.path().join("text.db"), ..config.clone() };
    std::fs::write(&text.path, "this is a letter to the tax office, not a database".repeat(50)).unwrap();
    let damaged = SqliteLedger::open(&text, Arc::new(clock())).await.unwrap_err();
    assert!(matches!(damaged, LedgerError::Damaged { .. }), "{damaged}");
    let nowhere = LedgerConfig { path: folder.path().join("no/such/folder.db"), ..config.clone() };
    let missing = SqliteLedger::open(&nowhere, Arc::new(clock())).await.unwrap_err().to_string();
    assert!(missing.contains("folder exists"), "{missing}");
    let wrong = LedgerConfig { readers: 0, ..config };
    let wrong = SqliteLedger::open(&wrong, Arc::new(clock())).await.unwrap_err().to_string();
    assert!(wrong.contains("`readers` is 0"), "{wrong}");
}

/// Aim: what was answered with `Ok` is in the file, with no help from closing it.
/// Method: copy database and log while the ledger is open, as a dead machine leaves them, and open the
/// copy after each step.
#[tokio::test]
async fn a_crash_after_an_answer_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(folder.path());
    let ledger = open(&config).await;
    for round in 0..5 {
        receive(&ledger, round * 10..round * 10 + 10).await;
        let intent = send(&ledger).await;
        let grave = tempfile::tempdir().unwrap();
        for name in ["ledger.db", "ledger.db-wal"] {
            std::fs::copy(folder.path().join(name), grave.path().join(name)).unwrap();
        }
        let copy = LedgerConfig {
            path: grave.path().join("ledger.db"),
            integrity_check: IntegrityCheck::Full,
            ..config.clone()
        };
        let survivor = open(&copy).await;
        let all = survivor.query(Query::default()).await.unwrap();
        assert_eq!(all.len(), usize::try_from(round + 1).unwrap() * 10);
        let sent = all.iter().find(|one| one.id == intent.document).unwrap();
        assert_eq!(sent.state, DocumentState::Unknown, "it may have been sent");
        assert_eq!(sent.ask_at, later(clock().now(), Duration::from_secs(30)));
        assert!(all.iter().all(|one| one.state != DocumentState::Sent));
    }
}

/// Aim: a page that a failing disk spoilt is noticed, said in words, and left as it is.
/// Method: overwrite the first page of a table, and put it back as a backup would.
#[tokio::test]
async fn a_spoilt_page_is_refused_and_the_restored_file_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(folder.path());
    let ledger = open(&config).await;
    receive(&ledger, 1..20).await;
    drop(ledger);
    let mut other = raw(&config).await;
    let page: i64 = sqlx::query_scalar("SELECT rootpage FROM sqlite_schema WHERE name = 'document'")
        .fetch_one(&mut other)
        .await
        .unwrap();
    let size: i64 = sqlx::query_scalar("PRAGMA page_size").fetch_one(&mut other).await.unwrap();
    other.close().await.unwrap();
    let sound = std::fs::read(&config.path).unwrap();
    let (page, size) = (usize::try_from(page).unwrap(), usize::try_from(size).unwrap());
    let mut spoilt = sound.clone();
    spoilt[(page - 1) * size..page * size].fill(0xa5);
    std::fs::write(&config.path, &spoilt).unwrap();
    let error = SqliteLedger::open(&config, Arc::new(clock())).await.unwrap_err();
    assert!(matches!(error, LedgerError::Damaged { .. }), "{error}");
    let text = error.to_string();
    assert!(text.contains("ledger.db is damaged") && text.contains("restore the file from a backup"), "{text}");
    std::fs::write(&config.path, &sound).unwrap();
    assert_eq!(open(&config).await.query(Query::default()).await.unwrap().len(), 19);
}

/// Aim: what cannot be foreseen fails alone.
/// Method: two calls at once, one of them about a document whose row makes no sense; they wait together
/// while the writer is busy with a batch.
#[tokio::test]
async fn a_document_that_cannot_be_read_does_not_hold_up_the_one_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(folder.path());
    let ledger = open(&config).await;
    receive(&ledger, 1..3).await;
    let (first, second) = (claim(&ledger).await, claim(&ledger).await);
    let spoil = "UPDATE document SET ewb_state = 'nonsense' WHERE id = 1";
    sqlx::query(spoil).execute(&mut raw(&config).await).await.unwrap();
    let ((), first, second) = tokio::join!(receive(&ledger, 10..400), ledger.intend(first), ledger.intend(second));
    let error = first.unwrap_err();
    assert!(matches!(error, LedgerError::Damaged { .. }), "{error}");
    let document = second.unwrap().document;
    let trail = ledger.audit(document).await.unwrap();
    assert_eq!(trail.last().unwrap().to, DocumentState::Sent);
    assert_eq!(ledger.audit(DocumentId(1)).await.unwrap().last().unwrap().to, DocumentState::Ready);
}

/// The settings of the README and the example are settings.
#[test]
fn the_example_is_linked_and_its_settings_are_read() {
    let registry = einvoice_core::registry::Registry::linked(Vec::new()).unwrap();
    let plugin = registry.ledgers.find("ledger-sqlite", &[]).unwrap();
    assert!(plugin.example.contains("plugin = \"ledger-sqlite\""));
    let keys = plugin.example.lines().filter_map(|line| line.split_once(" = ")).map(|(key, _)| key);
    let schema = (plugin.schema)().to_value();
    for key in keys.filter(|key| *key != "plugin") {
        assert!(schema["properties"].get(key).is_some(), "{key}");
    }
}
