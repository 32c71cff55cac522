//! Random histories of calls, played against a ledger and against a model in memory.
//!
//! Each call goes to both; then what they answer, show and owe must be the same.

use std::collections::BTreeMap;
use std::time::Duration;

use einvoice_core::ledger::{
    AttemptId, AttemptOutcome, DocumentId, LedgerError, NewDocument, NewIntent, Query, ReceiveBatch, Reception,
    Settlement, Work,
};
use jiff::Timestamp;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::fixture::{Bench, Draft, LEASE, errors, proof, refused, registered, registration, worker};
use super::model::Model;
use super::{LedgerHarness, run};

/// Histories tried, and calls in each at most.
const HISTORIES: u32 = 40;
const CALLS: usize = 60;

const WORKERS: [&str; 2] = ["ann", "bob"];
pub(super) const TARGETS: [&str; 2] = ["tally", "archive"];

/// A call with small arguments, so that histories run into each other.
#[derive(Debug, Clone, Copy)]
pub(super) enum Call {
    /// By no arrival where that is 0.
    Receive {
        record: u8,
        number: u8,
        content: u8,
        ready: bool,
        arrival: u8,
    },
    Claim {
        worker: usize,
        settle: bool,
        limit: usize,
    },
    Release {
        worker: usize,
        document: i64,
    },
    Intend {
        worker: usize,
        document: i64,
    },
    Record {
        attempt: usize,
        outcome: u8,
    },
    Settle {
        worker: usize,
        document: i64,
        settlement: u8,
    },
    Wait {
        seconds: u64,
    },
    Deliver {
        target: usize,
    },
    Reopen,
}

fn call() -> impl Strategy<Value = Call> {
    let document = 0..5_i64;
    prop_oneof![
        6 => (0..4_u8, 0..3_u8, 0..2_u8, any::<bool>(), 0..3_u8).prop_map(
            |(record, number, content, ready, arrival)| Call::Receive { record, number, content, ready, arrival }
        ),
        6 => (0..2_usize, any::<bool>(), 1..3_usize)
            .prop_map(|(worker, settle, limit)| Call::Claim { worker, settle, limit }),
        1 => (0..2_usize, document.clone()).prop_map(|(worker, document)| Call::Release { worker, document }),
        6 => (0..2_usize, document.clone()).prop_map(|(worker, document)| Call::Intend { worker, document }),
        5 => (0..4_usize, 0..5_u8).prop_map(|(attempt, outcome)| Call::Record { attempt, outcome }),
        4 => (0..2_usize, document, 0..7_u8)
            .prop_map(|(worker, document, settlement)| Call::Settle { worker, document, settlement }),
        3 => (1..40_u64).prop_map(|seconds| Call::Wait { seconds }),
        2 => (0..2_usize).prop_map(|target| Call::Deliver { target }),
        1 => Just(Call::Reopen),
    ]
}

/// The last promise: no history makes a ledger and the model disagree.
pub fn random_histories_agree_with_the_model<H: LedgerHarness>(harness: impl Fn() -> H) {
    let config = Config { cases: HISTORIES, failure_persistence: None, ..Config::default() };
    let histories = proptest::collection::vec(call(), 1..CALLS);
    let result = TestRunner::new(config).run(&histories, |calls| {
        run(play(&harness(), &calls));
        Ok(())
    });
    if let Err(failure) = result {
        panic!("{failure}");
    }
}

/// However documents are cut into batches, the ledger makes the same of them.
pub fn a_batch_is_taken_in_like_one_document_after_the_other<H: LedgerHarness>(harness: impl Fn() -> H) {
    let config = Config { cases: HISTORIES, failure_persistence: None, ..Config::default() };
    let document = (0..5_u8, 0..3_u8, 0..2_u8, any::<bool>(), 0..3_u8);
    let documents = document
        .prop_map(|(record, number, content, ready, arrival)| received(record, number, content, ready, arrival));
    let batches = proptest::collection::vec(proptest::collection::vec(documents, 1..12), 1..4);
    let result = TestRunner::new(config).run(&batches, |batches| {
        run(compare(&harness(), &harness(), &batches));
        Ok(())
    });
    if let Err(failure) = result {
        panic!("{failure}");
    }
}

async fn compare(whole: &dyn LedgerHarness, single: &dyn LedgerHarness, batches: &[Vec<NewDocument>]) {
    let (whole, single) = (Bench::open(whole).await, Bench::open(single).await);
    for documents in batches {
        let batch = ReceiveBatch { source: "books".to_owned(), cursor: None, documents: documents.clone() };
        let together = whole.ledger.receive(batch).await.unwrap();
        let mut each = Vec::new();
        for document in documents {
            each.push(single.receive("books", document.clone()).await);
        }
        assert_eq!(together, each);
        assert_eq!(
            whole.ledger.query(Query::default()).await.unwrap(),
            single.ledger.query(Query::default()).await.unwrap()
        );
        for target in TARGETS {
            // What one batch makes is equally old.
            let (mut together, mut each) = (owed(&whole, target).await, owed(&single, target).await);
            together.sort_unstable();
            each.sort_unstable();
            assert_eq!(together, each, "{target}");
        }
    }
}

async fn play(harness: &dyn LedgerHarness, calls: &[Call]) {
    let mut bench = Bench::open(harness).await;
    let mut model = Model::new(seconds(harness.settle_wait()));
    let mut hashes = BTreeMap::new();
    for (step, call) in calls.iter().enumerate() {
        if matches!(call, Call::Reopen) {
            // A lease that ran out is over in every kind of ledger, shared or not.
            bench.wait(LEASE.as_secs());
            model.now += seconds(LEASE);
            bench = bench.reopen(harness).await;
        }
        let mut attempt = None;
        let found = perform(&bench, &model, *call, &mut attempt, &mut hashes).await;
        let expected = model.perform(*call);
        assert_eq!(found, expected, "call {step}, {call:?}");
        model.catch_up(&bench, attempt).await;
        assert_eq!(shown(&bench).await, model.shown(), "after call {step}, {call:?}");
        for target in TARGETS {
            assert_eq!(owed(&bench, target).await, model.owed(target), "{target} after call {step}, {call:?}");
        }
    }
}

pub(super) fn seconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_secs()).unwrap()
}

fn draft(record: u8, number: u8, content: u8) -> Draft {
    Draft::new(u32::from(number) + 1).record(&format!("r{record}")).content(content)
}

fn received(record: u8, number: u8, content: u8, ready: bool, arrival: u8) -> NewDocument {
    let mut draft = draft(record, number, content);
    if arrival > 0 {
        draft = draft.arrival(&place(arrival));
    }
    if ready { draft.ready() } else { draft.invalid() }
}

/// Where what comes by an arrival lies.
pub(super) fn place(arrival: u8) -> String {
    if arrival == 0 { "day-book".to_owned() } else { format!("file-{arrival}") }
}

fn soon(bench: &Bench) -> Timestamp {
    einvoice_core::clock::later(bench.clock_now(), Duration::from_secs(10)).unwrap()
}

/// The ledger's number of a document of the model: ledgers count from 1.
fn id(document: i64) -> DocumentId {
    DocumentId(document + 1)
}

/// What the ledger answers, in words. `hashes` are those of the payloads handed out last.
async fn perform(
    bench: &Bench,
    model: &Model,
    call: Call,
    attempt: &mut Option<AttemptId>,
    hashes: &mut BTreeMap<DocumentId, [u8; 32]>,
) -> String {
    match call {
        Call::Receive { record, number, content, ready, arrival } => {
            match bench.receive("books", received(record, number, content, ready, arrival)).await {
                Reception::New { id, state } => format!("new {} {state}", id.0),
                Reception::Unchanged { id, state } => format!("unchanged {} {state}", id.0),
                Reception::Revised { id, state } => format!("revised {} {state}", id.0),
                Reception::Duplicate { id, state, first } => format!("duplicate {} {state} {}", id.0, first.record_id),
                Reception::Clash { id, state, first, .. } => format!("clash {} {state} {}", id.0, first.record_id),
            }
        }
        Call::Claim { worker, settle, limit } => {
            let work = if settle { Work::Settle } else { Work::Send };
            let claimed = bench.claim(WORKERS.get(worker).unwrap(), work, limit).await;
            hashes.extend(claimed.iter().map(|claimed| (claimed.id, claimed.payload_hash)));
            let claimed: Vec<String> = claimed
                .iter()
                .map(|claimed| {
                    let attempt = claimed.last_attempt.as_ref().map(|intent| intent.number);
                    format!("{} {} asked {} attempt {attempt:?}", claimed.id.0, claimed.state, claimed.asked)
                })
                .collect();
            claimed.join(", ")
        }
        Call::Release { worker: name, document } => {
            let worker = worker(WORKERS.get(name).unwrap());
            said(bench.ledger.release(&worker, &[id(document)]).await)
        }
        Call::Intend { worker: name, document } => {
            let name = WORKERS.get(name).unwrap();
            let key = Draft::new(1).key();
            let intent = NewIntent {
                document: id(document),
                worker: worker(name),
                route: einvoice_core::environment::RouteName::new("nic"),
                site: "NIC1".to_owned(),
                gstin: key.supplier,
                payload_hash: hashes.get(&id(document)).copied().unwrap_or_default(),
            };
            let stored = bench.ledger.intend(intent).await;
            *attempt = stored.as_ref().ok().map(|intent| intent.attempt);
            said(stored.map(|intent| format!("attempt {}", intent.number)))
        }
        Call::Record { attempt, outcome } => {
            let attempt = model.attempt_id(attempt);
            said(bench.ledger.record(AttemptId(attempt), outcome_of(bench, model, attempt, outcome)).await)
        }
        Call::Settle { worker: name, document, settlement } => {
            let worker = worker(WORKERS.get(name).unwrap());
            let settlement = settlement_of(bench, settlement);
            said(bench.ledger.settle(&worker, id(document), settlement).await)
        }
        Call::Wait { seconds } => {
            bench.wait(seconds);
            String::new()
        }
        Call::Deliver { target } => {
            let target = TARGETS.get(target).unwrap();
            let first = bench.ledger.pending_write_back(target, &[], 1).await.unwrap();
            let done: Vec<(i64, u32)> = first.iter().map(|one| (one.reference_id, one.revision)).collect();
            said(bench.ledger.delivered(target, &done).await)
        }
        Call::Reopen => String::new(),
    }
}

fn said<T: std::fmt::Debug>(result: Result<T, LedgerError>) -> String {
    match result {
        Ok(answer) => format!("{answer:?}"),
        Err(LedgerError::IllegalMove { document, from, to }) => format!("illegal {} {from} {to}", document.0),
        Err(LedgerError::NoIntent { .. }) => "no intent".to_owned(),
        Err(LedgerError::NotClaimed { document, .. }) => format!("not claimed {}", document.0),
        Err(LedgerError::NoDocument { .. }) => "no document".to_owned(),
        Err(other) => format!("unexpected: {other}"),
    }
}

fn outcome_of(bench: &Bench, model: &Model, attempt: i64, outcome: u8) -> AttemptOutcome {
    let key = Draft::new(1).key();
    match outcome {
        0 => AttemptOutcome::NotSent { reason: "closed".to_owned() },
        1 => registered(&key),
        2 => refused("2172", false),
        3 => refused("2278", true),
        _ => AttemptOutcome::Unknown {
            reason: "no answer".to_owned(),
            ask_at: model.told_at(attempt).map_or_else(|| soon(bench), |at| moment(bench, model, at)),
            errors: Vec::new(),
            info: Vec::new(),
        },
    }
}

/// A second of the model as a moment of the bench.
fn moment(bench: &Bench, model: &Model, at: i64) -> Timestamp {
    bench.clock_now().checked_add(jiff::SignedDuration::from_secs(at - model.now)).unwrap()
}

fn settlement_of(bench: &Bench, settlement: u8) -> Settlement {
    let key = Draft::new(1).key();
    match settlement {
        0 => Settlement::Registered { registration: registration(&key), proof: proof() },
        1 => Settlement::Cancelled { registration: registration(&key) },
        2 => Settlement::Refused { errors: errors("2172"), burnt: false },
        3 => Settlement::Refused { errors: errors("2278"), burnt: true },
        4 => Settlement::Conflict { registration: registration(&key), differences: Vec::new() },
        5 => Settlement::NotThere { errors: errors("2154") },
        _ => Settlement::StillUnknown { reason: "no answer again".to_owned(), ask_at: soon(bench), hand_over: None },
    }
}

async fn shown(bench: &Bench) -> Vec<String> {
    let all = bench.ledger.query(Query::default()).await.unwrap();
    all.iter().map(|one| format!("{} {} {} {}", one.id.0, one.state, one.delivered, one.findings.len())).collect()
}

async fn owed(bench: &Bench, target: &str) -> Vec<String> {
    let receipts = bench.ledger.pending_write_back(target, &[], 100).await.unwrap();
    receipts
        .iter()
        .map(|one| {
            let (record, location) = (&one.reference.record_id, &one.reference.location);
            format!("{record} in {location} {} {} {}", one.revision, one.state, one.findings.len())
        })
        .collect()
}
