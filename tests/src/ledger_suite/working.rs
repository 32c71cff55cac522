//! Promises about work: leases, intents and outcomes.

use std::collections::BTreeSet;
use std::time::Duration;

use einvoice_core::clock::later;
use einvoice_core::environment::Environment;
use einvoice_core::ledger::{
    AttemptId, AttemptOutcome, ClaimRequest, DocumentId, Intent, LedgerError, Reception, Settlement, Work,
};
use einvoice_core::state::DocumentState;
use futures_util::future::join_all;

use super::LedgerHarness;
use super::fixture::{Bench, Draft, LEASE, errors, intent_for, proof, refused, registered, registration, wish, worker};
use crate::documents::gstin;

/// What the sandbox registered is never taken for a registration in production, nor the other way round.
pub async fn a_ledger_belongs_to_one_environment_for_good(harness: &dyn LedgerHarness) {
    let bench = Bench::open(harness).await;
    assert_eq!(bench.ledger.environment().await.unwrap(), None);
    bench.ledger.bind(Environment::Sandbox).await.unwrap();
    bench.ledger.bind(Environment::Sandbox).await.unwrap();
    let bench = bench.reopen(harness).await;
    let refused = bench.ledger.bind(Environment::Production).await;
    let holds = Environment::Sandbox;
    assert!(
        matches!(refused, Err(LedgerError::OtherEnvironment { holds: found, .. }) if found == holds),
        "{refused:?}"
    );
    assert_eq!(bench.ledger.environment().await.unwrap(), Some(holds));
}

/// Whoever comes after a crash finds the intent, and asks before sending.
pub async fn an_intent_survives_reopening(harness: &dyn LedgerHarness) {
    let bench = Bench::open(harness).await;
    let id = bench.ready(1).await;
    let intent = bench.send("w").await;
    let bench = bench.reopen(harness).await;
    bench.wait(LEASE.as_secs().max(harness.settle_wait().as_secs()) + 1);
    assert!(bench.claim("next", Work::Send, 9).await.is_empty(), "it may have been sent");
    let claimed = bench.claim("next", Work::Settle, 9).await;
    assert_eq!(claimed.len(), 1);
    for claimed in claimed {
        assert_eq!((claimed.id, claimed.state, claimed.pinned), (id, DocumentState::Unknown, true));
        assert_eq!(claimed.last_attempt, Some(intent.clone()));
        assert_eq!(claimed.payload_hash, intent.payload_hash);
    }
}

/// The registration is kept whole.
pub async fn a_registration_survives_reopening(harness: &dyn LedgerHarness) {
    let bench = Bench::open(harness).await;
    let id = bench.ready(1).await;
    let intent = bench.send("w").await;
    bench.ledger.record(intent.attempt, registered(&Draft::new(1).key())).await.unwrap();
    let bench = bench.reopen(harness).await;
    let status = bench.status(id).await;
    assert_eq!(status.state, DocumentState::Registered);
    assert_eq!(status.registration, Some(*registration(&Draft::new(1).key())));
    assert_eq!(status.proof, Some(proof()));
    assert_eq!((status.route, status.site), (Some(intent.route), Some(intent.site)));
}

/// Who holds the old content cannot send it once the record was edited.
pub async fn an_edit_takes_the_document_out_of_its_workers_hands(harness: &dyn LedgerHarness) {
    let bench = Bench::open(harness).await;
    let id = bench.ready(1).await;
    let claimed = bench.claim("w", Work::Send, 1).await.remove(0);
    bench.receive("books", Draft::new(1).content(1).ready()).await;
    let refused = bench.ledger.intend(intent_for(&claimed, "w")).await;
    assert!(matches!(refused, Err(LedgerError::NotClaimed { document, .. }) if document == id), "{refused:?}");
}

/// There is no outcome of what was never intended.
pub async fn an_outcome_without_an_intent_is_refused(harness: &dyn LedgerHarness) {
    let bench = Bench::open(harness).await;
    bench.ready(1).await;
    bench.claim("w", Work::Send, 1).await;
    let refused = bench.ledger.record(AttemptId(77), registered(&Draft::new(1).key())).await;
    assert!(matches!(refused, Err(LedgerError::NoIntent { attempt: AttemptId(77) })), "{refused:?}");
}

/// What is on record as sent is what the document says, byte for byte.
pub async fn an_intent_is_for_the_current_payload_only(harness: &dyn LedgerHarness) {
    let bench = Bench::open(harness).await;
    let id = bench.ready(1).await;
    let before = bench.claim("w", Work::Send, 1).await.remove(0);
    bench.receive("books", Draft::new(1).content(1).ready()).await;
    let claimed = bench.claim("w", Work::Send, 1).await.remove(0);
    assert_ne!(before.payload_hash, claimed.payload_hash);
    let refused = bench.ledger.intend(intent_for(&before, "w")).await;
    assert!(matches!(refused, Err(LedgerError::OtherPayload { document }) if document == id), "{refused:?}");
    assert_eq!(bench.status(id).await.state, DocumentState::Ready);
    assert_eq!(bench.ledger.intend(intent_for(&claimed, "w")).await.unwrap().number, 1);
}

/// Calls that arrive at the same moment may share a transaction; each gets its own answer.
pub async fn a_refused_call_leaves_those_beside_it_alone(harness: &dyn LedgerHarness) {
    let bench = Bench::open(harness).await;
    for number in 1..=6 {
        bench.ready(number).await;
    }
    let claimed = bench.claim("w", Work::Send, 6).await;
    let names = ["w", "thief", "w", "w", "thief", "w"];
    let intents = claimed.iter().zip(names).map(|(claimed, name)| bench.ledger.intend(intent_for(claimed, name)));
    let answers = join_all(intents).await;
    let sent: Vec<&Intent> = answers.iter().flatten().collect();
    let sent_documents: Vec<DocumentId> = sent.iter().map(|intent| intent.document).collect();
    let of = |index: usize| claimed.get(index).map(|claimed| claimed.id).unwrap();
    assert_eq!(sent_documents, [of(0), of(2), of(3), of(5)]);
    // An attempt that never was, and one outcome told two times in two ways, beside good ones.
    let key = Draft::new(1).key();
    let mut outcomes = vec![(AttemptId(99), registered(&key))];
    for (intent, burnt) in sent.iter().zip([true, false, true, false]) {
        outcomes.push((intent.attempt, refused("2278", burnt)));
        outcomes.push((intent.attempt, registered(&key)));
    }
    let told = outcomes.into_iter().map(|(attempt, outcome)| bench.ledger.record(attempt, outcome));
    let told: Vec<bool> = join_all(told).await.iter().map(Result::is_ok).collect();
    assert_eq!(told, [false, true, false, true, false, true, false, true, false]);
    for (intent, state) in sent.iter().zip([DocumentState::Burnt, DocumentState::Refused].into_iter().cycle()) {
        assert_eq!(bench.status(intent.document).await.state, state);
        let told = bench.ledger.audit(intent.document).await.unwrap();
        let path: Vec<DocumentState> = told.iter().skip(1).map(|entry| entry.to).collect();
        assert_eq!(path.get(..2), Some([DocumentState::Sent, DocumentState::Refused].as_slice()));
    }
}

/// Only who holds a ready document can intend to send it.
pub async fn an_intent_needs_a_ready_document_in_hand(harness: &dyn LedgerHarness) {
    let bench = Bench::open(harness).await;
    let id = bench.ready(1).await;
    let claimed = bench.claim("w", Work::Send, 1).await.remove(0);
    let refused = bench.ledger.intend(intent_for(&claimed, "thief")).await;
    assert!(matches!(refused, Err(LedgerError::NotClaimed { .. })), "{refused:?}");
    bench.ledger.intend(intent_for(&claimed, "w")).await.unwrap();
    match bench.ledger.intend(intent_for(&claimed, "w")).await {
        Err(LedgerError::IllegalMove { document, from: DocumentState::Sent, to: DocumentState::Sent }) => {
            assert_eq!(document, id);
        }
        other => panic!("intended twice: {other:?}"),
    }
    let mut nowhere = intent_for(&claimed, "w");
    nowhere.document = DocumentId(4711);
    let refused = bench.ledger.intend(nowhere).await;
    assert!(matches!(refused, Err(LedgerError::NoDocument { .. })), "{refused:?}");
}

/// An attempt has one outcome.
pub async fn the_same_outcome_twice_changes_nothing(harness: &dyn LedgerHarness) {
    let bench = Bench::open(harness).await;
    let id = bench.ready(1).await;
    let intent = bench.send("w").await;
    let outcome = registered(&Draft::new(1).key());
    bench.ledger.record(intent.attempt, outcome.clone()).await.unwrap();
    let before = bench.ledger.audit(id).await.unwrap();
    bench.ledger.record(intent.attempt, outcome).await.unwrap();
    assert_eq!(bench.ledger.audit(id).await.unwrap(), before);
    let other = bench.ledger.record(intent.attempt, refused("2172", false)).await;
    assert!(matches!(other, Err(LedgerError::IllegalMove { from: DocumentState::Registered, .. })), "{other:?}");
}

/// Many workers at once get disjoint documents, and all of them together.
pub async fn racing_workers_never_hold_one_document(harness: &dyn LedgerHarness) {
    let bench = Bench::open(harness).await;
    for number in 1..=40 {
        bench.ready(number).await;
    }
    let mut workers = tokio::task::JoinSet::new();
    for name in 0..8 {
        let ledger = bench.ledger.clone();
        workers.spawn(async move {
            let mut held = Vec::new();
            loop {
                let claimed = ledger.claim(wish(&format!("w{name}"), Work::Send, 3)).await.unwrap();
                if claimed.is_empty() {
                    return held;
                }
                held.extend(claimed.iter().map(|claimed| claimed.id));
            }
        });
    }
    let mut all = workers.join_all().await.concat();
    all.sort_unstable();
    let total = all.len();
    all.dedup();
    assert_eq!((all.len(), total), (40, 40));
}

/// A worker that died is no obstacle.
pub async fn an_expired_lease_frees_a_document(harness: &dyn LedgerHarness) {
    let bench = Bench::open(harness).await;
    let id = bench.ready(1).await;
    let claimed = bench.claim("dead", Work::Send, 1).await.remove(0);
    assert!(bench.claim("heir", Work::Send, 1).await.is_empty());
    bench.wait(LEASE.as_secs());
    let late = bench.ledger.intend(intent_for(&claimed, "dead")).await;
    assert!(matches!(late, Err(LedgerError::NotClaimed { .. })), "{late:?}");
    assert_eq!(bench.claim("heir", Work::Send, 1).await.remove(0).id, id);
}

/// Giving back is at once and only one's own.
pub async fn a_released_document_is_free_at_once(harness: &dyn LedgerHarness) {
    let bench = Bench::open(harness).await;
    let id = bench.ready(1).await;
    bench.claim("w", Work::Send, 1).await;
    bench.ledger.release(&worker("stranger"), &[id]).await.unwrap();
    assert!(bench.claim("next", Work::Send, 1).await.is_empty());
    bench.ledger.release(&worker("w"), &[id]).await.unwrap();
    assert_eq!(bench.claim("next", Work::Send, 1).await.len(), 1);
}

/// Work of a supplier whose login is stopped stays where it is; the rest goes on, oldest first.
pub async fn a_stopped_supplier_is_passed_over(harness: &dyn LedgerHarness) {
    let bench = Bench::open(harness).await;
    for number in 1..=9 {
        let supplier = gstin(27, number % 3);
        bench.receive("books", Draft::new(number).supplier(supplier).ready()).await;
    }
    let stopped = gstin(27, 1);
    let request = ClaimRequest { skip_suppliers: BTreeSet::from([stopped]), ..wish("w", Work::Send, 4) };
    let claimed = bench.ledger.claim(request).await.unwrap();
    let numbers: Vec<String> = claimed.iter().map(|claimed| claimed.key.number.to_string()).collect();
    assert_eq!(numbers, ["A/2", "A/3", "A/5", "A/6"]);
    assert_eq!(bench.claim("w", Work::Send, 9).await.len(), 5);
}

/// Neither sooner nor by sending again; what left it open is at hand.
pub async fn an_unknown_outcome_is_asked_about_when_its_time_has_come(harness: &dyn LedgerHarness) {
    let bench = Bench::open(harness).await;
    let id = bench.ready(1).await;
    let intent = bench.send("w").await;
    let ask_at = later(intent.at, Duration::from_secs(10)).unwrap();
    let outcome =
        AttemptOutcome::Unknown { reason: "no answer".to_owned(), ask_at, errors: errors("2150"), info: Vec::new() };
    bench.ledger.record(intent.attempt, outcome).await.unwrap();
    assert_eq!(bench.status(id).await.ask_at, Some(ask_at));
    bench.wait(9);
    assert!(bench.claim("w", Work::Settle, 1).await.is_empty());
    assert!(bench.claim("w", Work::Send, 1).await.is_empty());
    bench.wait(1);
    let first = bench.claim("w", Work::Settle, 1).await.remove(0);
    assert_eq!((first.asked, first.open_errors), (0, errors("2150")));
    let again = later(intent.at, Duration::from_secs(100)).unwrap();
    let still = Settlement::StillUnknown { reason: "no answer again".to_owned(), ask_at: again, hand_over: None };
    let refused = bench.ledger.settle(&worker("stranger"), id, still.clone()).await;
    assert!(matches!(refused, Err(LedgerError::NotClaimed { .. })), "{refused:?}");
    bench.ledger.settle(&worker("w"), id, still).await.unwrap();
    assert!(bench.claim("w", Work::Settle, 1).await.is_empty());
    bench.wait(90);
    let second = bench.claim("w", Work::Settle, 1).await.remove(0);
    assert_eq!((second.asked, second.open_errors), (1, errors("2150")));
    let settled = Settlement::Registered { registration: registration(&second.key), proof: proof() };
    bench.ledger.settle(&worker("w"), id, settled.clone()).await.unwrap();
    let status = bench.status(id).await;
    assert_eq!((status.state, status.ask_at, status.findings.len()), (DocumentState::Registered, None, 0));
    let twice = bench.ledger.settle(&worker("w"), id, settled).await;
    assert!(matches!(twice, Err(LedgerError::IllegalMove { from: DocumentState::Registered, .. })), "{twice:?}");
}

/// It may be sent again, and only by the way it went before.
pub async fn a_clear_not_there_makes_a_document_ready_and_keeps_its_route(harness: &dyn LedgerHarness) {
    let bench = Bench::open(harness).await;
    let id = bench.ready(1).await;
    let nothing = bench.send("w").await;
    let not_sent = AttemptOutcome::NotSent { reason: "no route".to_owned() };
    bench.ledger.record(nothing.attempt, not_sent).await.unwrap();
    let free = bench.claim("w", Work::Send, 1).await.remove(0);
    assert!(!free.pinned, "nothing was sent");
    let intent = bench.ledger.intend(intent_for(&free, "w")).await.unwrap();
    bench.wait(LEASE.as_secs().max(harness.settle_wait().as_secs()) + 1);
    assert_eq!(bench.claim("w", Work::Settle, 1).await.len(), 1);
    bench.ledger.settle(&worker("w"), id, Settlement::NotThere { errors: errors("2154") }).await.unwrap();
    let claimed = bench.claim("w", Work::Send, 1).await.remove(0);
    assert_eq!((claimed.pinned, claimed.last_attempt), (true, Some(intent)));
}

/// A worker slower than its lease still brings the truth.
pub async fn a_late_outcome_fills_in_what_was_unknown(harness: &dyn LedgerHarness) {
    let bench = Bench::open(harness).await;
    let id = bench.ready(1).await;
    let intent = bench.send("slow").await;
    bench.wait(LEASE.as_secs() + 1);
    bench.claim("other", Work::Send, 1).await;
    assert_eq!(bench.status(id).await.state, DocumentState::Unknown);
    bench.ledger.record(intent.attempt, registered(&Draft::new(1).key())).await.unwrap();
    assert_eq!(bench.status(id).await.state, DocumentState::Registered);
    bench.wait(1000);
    assert!(bench.claim("other", Work::Settle, 1).await.is_empty());
}

/// What became of an attempt says nothing about the one that followed it.
pub async fn an_answer_to_an_earlier_attempt_is_refused(harness: &dyn LedgerHarness) {
    let bench = Bench::open(harness).await;
    let id = bench.ready(1).await;
    let first = bench.send("slow").await;
    bench.wait(LEASE.as_secs().max(harness.settle_wait().as_secs()) + 1);
    bench.claim("w", Work::Settle, 1).await;
    bench.ledger.settle(&worker("w"), id, Settlement::NotThere { errors: errors("2154") }).await.unwrap();
    bench.send("w").await;
    let late = bench.ledger.record(first.attempt, refused("2172", false)).await;
    assert!(matches!(late, Err(LedgerError::IllegalMove { from: DocumentState::Sent, .. })), "{late:?}");
    assert_eq!(bench.status(id).await.state, DocumentState::Sent);
}

/// After 2278 nothing brings the number back.
pub async fn a_used_up_number_stays_burnt(harness: &dyn LedgerHarness) {
    let bench = Bench::open(harness).await;
    let id = bench.ready(1).await;
    let intent = bench.send("w").await;
    bench.ledger.record(intent.attempt, refused("2278", true)).await.unwrap();
    assert_eq!(bench.status(id).await.state, DocumentState::Burnt);
    let edited = bench.receive("books", Draft::new(1).content(1).ready()).await;
    assert!(matches!(edited, Reception::Clash { state: DocumentState::Burnt, .. }), "{edited:?}");
    let path: Vec<DocumentState> = bench.ledger.audit(id).await.unwrap().iter().map(|entry| entry.to).collect();
    let wanted = [DocumentState::Ready, DocumentState::Sent, DocumentState::Refused, DocumentState::Burnt];
    assert_eq!(path, wanted);
}
