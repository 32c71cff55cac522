//! Durable documents a second with many callers at once: what one flush to disk is shared by.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use divan::Bencher;
use divan::counter::ItemsCount;
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
use tempfile::TempDir;

const CALLERS: u32 = 64;
/// Documents of a caller in one sample; few, as each sample waits for the disk.
const DOCUMENTS: u32 = 8;

/// Receive, claim, intend and record, each durable before the next.
#[divan::bench(sample_count = 10, sample_size = 1)]
fn from_receiving_to_the_outcome(bencher: Bencher<'_, '_>) {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    bencher.counter(ItemsCount::new(CALLERS * DOCUMENTS)).with_inputs(|| Desk::new(&runtime)).bench_values(|desk| {
        runtime.block_on(async {
            let mut callers = tokio::task::JoinSet::new();
            for caller in 0..CALLERS {
                callers.spawn(work(Arc::clone(&desk.ledger), caller));
            }
            callers.join_all().await;
        });
        desk
    });
}

/// A ledger in a folder of its own.
struct Desk {
    ledger: Arc<SqliteLedger>,
    _folder: TempDir,
}

impl Desk {
    fn new(runtime: &tokio::runtime::Runtime) -> Self {
        let folder = TempDir::new().unwrap();
        let config = LedgerConfig { path: folder.path().join("einvoice.db"), ..LedgerConfig::default() };
        let ledger = runtime.block_on(SqliteLedger::open(&config, SystemClock::shared())).unwrap();
        Self { ledger: Arc::new(ledger), _folder: folder }
    }
}

/// One caller: a document at a time, from receiving to its registration.
async fn work(ledger: Arc<SqliteLedger>, caller: u32) {
    let worker = WorkerId(format!("worker {caller}"));
    for number in 0..DOCUMENTS {
        let documents = vec![document(caller * DOCUMENTS + number + 1)];
        ledger.receive(ReceiveBatch { source: "books".into(), cursor: None, documents }).await.unwrap();
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

/// A document of the size that six items have.
fn document(number: u32) -> NewDocument {
    let key: DocumentKey = format!("27AAPFU0939F1ZV/2026-27/INV/A{number}").parse().unwrap();
    let irn = Irn::compute(&key, IrnRule::UpperCase);
    let mut content_hash = [0; 32];
    content_hash.iter_mut().zip(number.to_be_bytes()).for_each(|(to, from)| *to = from);
    NewDocument {
        reference: SourceRef { location: "books".into(), position: String::new(), record_id: number.to_string() },
        arrival: None,
        attributes: BTreeMap::new(),
        label: format!("INV A{number}"),
        key: Some(key),
        content_hash,
        verdict: Verdict::Ready { payload: vec![b'x'; 2_500].into(), irn },
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
            signed_invoice: Some("s".repeat(6_000)),
            signed_qr: Some("q".repeat(900)),
            ewb: None,
            remarks: None,
            info: Vec::new(),
            site: None,
        }),
        proof: Proof::Verified { kid: "AB12".to_owned() },
    }
}
