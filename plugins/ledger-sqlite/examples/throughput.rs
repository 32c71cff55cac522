//! Measures durable documents a second: 64 callers that receive, claim, intend and record at once.
//!
//! `cargo run --release -p einvoice-ledger-sqlite --example throughput -- [documents] [folder]`
#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a measuring program for people")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use einvoice_core::clock::SystemClock;
use einvoice_core::date::PortalTime;
use einvoice_core::environment::RouteName;
use einvoice_core::irn::{Irn, IrnRule};
use einvoice_core::key::DocumentKey;
use einvoice_core::ledger::{
    AttemptOutcome, ClaimRequest, Ledger, NewDocument, NewIntent, ReceiveBatch, Verdict, Work, WorkerId,
};
use einvoice_core::operation::{Registration, RegistrationStatus};
use einvoice_core::source::SourceRef;
use einvoice_core::verify::Proof;
use einvoice_ledger_sqlite::{LedgerConfig, SqliteLedger};

const CALLERS: u32 = 64;

fn document(number: u32) -> NewDocument {
    let key: DocumentKey = format!("27AAPFU0939F1ZV/2026-27/INV/A{number}").parse().unwrap();
    let irn = Irn::compute(&key, IrnRule::UpperCase);
    let mut content_hash = [0; 32];
    content_hash.iter_mut().zip(number.to_be_bytes()).for_each(|(to, from)| *to = from);
    NewDocument {
        reference: SourceRef { location: "bench".into(), position: String::new(), record_id: number.to_string() },
        arrival: None,
        attributes: BTreeMap::new(),
        label: format!("INV A{number}"),
        key: Some(key),
        content_hash,
        verdict: Verdict::Ready { payload: vec![b'x'; 4000].into(), irn },
        findings: Vec::new(),
    }
}

fn registered(key: &DocumentKey) -> AttemptOutcome {
    AttemptOutcome::Registered {
        registration: Box::new(Registration {
            ack_no: "112610000000001".to_owned(),
            ack_date: PortalTime::parse("2026-11-05 12:00:30").unwrap(),
            irn: Irn::compute(key, IrnRule::UpperCase),
            status: RegistrationStatus::Active,
            signed_invoice: Some("s".repeat(6000)),
            signed_qr: Some("q".repeat(900)),
            ewb: None,
            remarks: None,
            info: Vec::new(),
            site: None,
        }),
        proof: Proof::Verified { kid: "AB12".to_owned() },
    }
}

/// One caller: a document at a time, from receiving to its registration.
async fn work(ledger: Arc<SqliteLedger>, caller: u32, documents: u32) {
    let worker = WorkerId(format!("w{caller}"));
    for number in 0..documents {
        let new = document(caller * 100_000 + number + 1);
        ledger.receive(ReceiveBatch { source: "s".into(), cursor: None, documents: vec![new] }).await.unwrap();
        let request = ClaimRequest {
            worker: worker.clone(),
            work: Work::Send,
            limit: 1,
            lease: Duration::from_mins(1),
            skip_suppliers: BTreeSet::new(),
        };
        for claimed in ledger.claim(request).await.unwrap() {
            let intent = NewIntent {
                document: claimed.id,
                worker: worker.clone(),
                route: RouteName::new("nic"),
                site: "NIC1".to_owned(),
                gstin: claimed.key.supplier,
                payload_hash: claimed.payload_hash,
            };
            let intent = ledger.intend(intent).await.unwrap();
            ledger.record(intent.attempt, registered(&claimed.key)).await.unwrap();
        }
    }
}

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let documents: u32 = arguments.next().map_or(20_000, |text| text.parse().unwrap());
    let folder = arguments.next().map_or_else(std::env::temp_dir, PathBuf::from);
    let path = folder.join(format!("einvoice-throughput-{}.db", std::process::id()));
    let config = LedgerConfig { path: path.clone(), ..LedgerConfig::default() };
    let ledger = Arc::new(SqliteLedger::open(&config, SystemClock::shared()).await.unwrap());
    let start = Instant::now();
    let mut callers = tokio::task::JoinSet::new();
    for caller in 0..CALLERS {
        callers.spawn(work(ledger.clone(), caller, documents / CALLERS));
    }
    callers.join_all().await;
    let elapsed = start.elapsed();
    let done = documents / CALLERS * CALLERS;
    println!("{done} documents in {elapsed:.2?}: {:.0} a second", f64::from(done) / elapsed.as_secs_f64());
    drop(ledger);
    for suffix in ["", "-wal", "-shm", ".lock"] {
        let mut name = path.clone().into_os_string();
        name.push(suffix);
        let _removed = std::fs::remove_file(name);
    }
}
