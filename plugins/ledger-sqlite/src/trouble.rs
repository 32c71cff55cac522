//! What happens when the disk is full or the file may not be written: said in words, nothing lost, and
//! all goes on once the trouble is over.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use einvoice_core::clock::ManualClock;
use einvoice_core::irn::{Irn, IrnRule};
use einvoice_core::key::DocumentKey;
use einvoice_core::ledger::{Ledger, LedgerError, NewDocument, Query, ReceiveBatch, Reception, Verdict};
use einvoice_core::source::SourceRef;
use sqlx::Connection as _;

use crate::{IntegrityCheck, LedgerConfig, SqliteLedger};

/// Pages of 4 KiB: enough for the empty tables and some documents.
const PAGES: &str = "200";

fn config(folder: &Path) -> LedgerConfig {
    LedgerConfig { path: folder.join("ledger.db"), integrity_check: IntegrityCheck::Full, ..LedgerConfig::default() }
}

fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::new("2026-11-05T06:30:00Z".parse().unwrap()))
}

fn document(number: usize) -> NewDocument {
    let key: DocumentKey = format!("27AAPFU0939F1ZV/2026-27/INV/A{number}").parse().unwrap();
    let irn = Irn::compute(&key, IrnRule::UpperCase);
    NewDocument {
        reference: SourceRef { location: "f".into(), position: String::new(), record_id: number.to_string() },
        arrival: None,
        attributes: BTreeMap::new(),
        label: number.to_string(),
        key: Some(key),
        content_hash: [u8::try_from(number).unwrap(); 32],
        verdict: Verdict::Ready { payload: vec![b'x'; 20_000].into(), irn },
        findings: Vec::new(),
    }
}

async fn receive(ledger: &SqliteLedger, number: usize) -> Result<Vec<Reception>, LedgerError> {
    let documents = vec![document(number)];
    ledger.receive(ReceiveBatch { source: "s".to_owned(), cursor: None, documents }).await
}

async fn labels(ledger: &SqliteLedger) -> Vec<String> {
    ledger.query(Query::default()).await.unwrap().into_iter().map(|one| one.label).collect()
}

/// Aim: a full disk costs nothing that was answered with `Ok`, and refuses the rest in words.
/// Method: SQLite is allowed so many pages and runs out of them as it runs out of disk.
#[tokio::test]
async fn a_full_disk_loses_nothing_and_is_said_in_words() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(folder.path());
    let ledger =
        SqliteLedger::open_with(&config, clock(), |options| options.pragma("max_page_count", PAGES)).await.unwrap();
    let mut kept = Vec::new();
    let error = loop {
        match receive(&ledger, kept.len()).await {
            Ok(_) => kept.push(kept.len().to_string()),
            Err(error) => break error,
        }
    };
    assert!(!kept.is_empty(), "{error}");
    assert!(matches!(error, LedgerError::Storage { .. }), "{error:?}");
    let text = error.to_string();
    assert!(text.contains("ledger.db") && text.contains("nothing was stored"), "{text}");
    assert!(text.contains("the disk is full: make room and run again"), "{text}");
    assert_eq!(labels(&ledger).await, kept);
    assert!(receive(&ledger, kept.len()).await.is_err(), "it is still full");
    drop(ledger);
    // Room was made.
    let ledger = SqliteLedger::open(&config, clock()).await.unwrap();
    assert_eq!(labels(&ledger).await, kept);
    let next = kept.len();
    let taken = receive(&ledger, next).await.unwrap();
    assert!(matches!(taken.first(), Some(Reception::New { .. })), "{taken:?}");
    assert_eq!(labels(&ledger).await.len(), next + 1);
}

#[tokio::test]
async fn a_file_that_may_not_be_written_is_refused_in_words() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(folder.path());
    let ledger = SqliteLedger::open(&config, clock()).await.unwrap();
    receive(&ledger, 1).await.unwrap();
    drop(ledger);
    let read_only = |options: sqlx::sqlite::SqliteConnectOptions| options.create_if_missing(false).read_only(true);
    let error = SqliteLedger::open_with(&config, clock(), read_only).await.unwrap_err();
    assert!(matches!(error, LedgerError::Storage { .. }), "{error:?}");
    let text = error.to_string();
    assert!(text.contains("ledger.db") && text.contains("give the program write permission to both"), "{text}");
    let ledger = SqliteLedger::open(&config, clock()).await.unwrap();
    assert_eq!(labels(&ledger).await, ["1"]);
}

/// Aim: a program that sits on the file, such as a viewer in the middle of a change, is named as the cause, nothing
/// is lost, and all goes on once it lets go.
#[tokio::test]
async fn a_file_that_another_program_holds_is_said_in_words() {
    let folder = tempfile::tempdir().unwrap();
    let config = LedgerConfig { busy_timeout_ms: 20, ..config(folder.path()) };
    let ledger = SqliteLedger::open(&config, clock()).await.unwrap();
    receive(&ledger, 1).await.unwrap();
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&config.path);
    let mut viewer = sqlx::SqliteConnection::connect_with(&options).await.unwrap();
    sqlx::query("BEGIN IMMEDIATE").execute(&mut viewer).await.unwrap();
    let error = receive(&ledger, 2).await.unwrap_err();
    assert!(matches!(error, LedgerError::Storage { .. }), "{error:?}");
    let text = error.to_string();
    assert!(text.contains("ledger.db") && text.contains("nothing was stored"), "{text}");
    assert!(text.contains("another program holds the file: close it, or raise `busy_timeout_ms`"), "{text}");
    assert_eq!(labels(&ledger).await, ["1"], "reading goes on meanwhile");
    sqlx::query("ROLLBACK").execute(&mut viewer).await.unwrap();
    receive(&ledger, 2).await.unwrap();
    assert_eq!(labels(&ledger).await, ["1", "2"]);
}

/// Aim: pages that a disk lost are found by the check at start, and read by nobody as truth.
#[tokio::test]
async fn a_file_with_broken_pages_is_said_in_words() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(folder.path());
    let ledger = SqliteLedger::open(&config, clock()).await.unwrap();
    for number in 0..20 {
        receive(&ledger, number).await.unwrap();
    }
    drop(ledger);
    let mut bytes = std::fs::read(&config.path).unwrap();
    let (page, middle) = (4096, bytes.len() / 2);
    bytes.iter_mut().skip(page).take(middle).for_each(|byte| *byte = 0xFF);
    std::fs::write(&config.path, bytes).unwrap();
    for integrity_check in [IntegrityCheck::Full, IntegrityCheck::Quick, IntegrityCheck::Off] {
        let config = LedgerConfig { integrity_check, ..config.clone() };
        let error = SqliteLedger::open(&config, clock()).await.unwrap_err();
        assert!(matches!(error, LedgerError::Damaged { .. }), "{integrity_check:?}: {error:?}");
        let text = error.to_string();
        assert!(text.contains("ledger.db") && text.contains("restore the file from a backup"), "{text}");
    }
}
