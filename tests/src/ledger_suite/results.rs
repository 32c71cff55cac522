//! Promises about results: receipts, deliveries, queries and the audit trail.

use einvoice_core::ledger::{AttemptOutcome, DocumentId, LedgerError, Query};
use einvoice_core::receipt::Receipt;
use einvoice_core::state::DocumentState;

use super::LedgerHarness;
use super::fixture::{Bench, Draft, proof, refused, registered, registration};

async fn owed(bench: &Bench, target: &str) -> Vec<Receipt> {
    bench.ledger.pending_write_back(target, &[], 100).await.unwrap()
}

async fn deliver(bench: &Bench, target: &str, receipts: &[Receipt]) {
    let done: Vec<(i64, u32)> = receipts.iter().map(|receipt| (receipt.reference_id, receipt.revision)).collect();
    bench.ledger.delivered(target, &done).await.unwrap();
}

/// Each target gets the latest revision once, in full, whenever it asks for the first time.
pub async fn every_result_is_owed_to_every_target(harness: &dyn LedgerHarness) {
    let bench = Bench::open(harness).await;
    let id = bench.ready(1).await;
    assert!(owed(&bench, "tally").await.is_empty(), "ready is no result");
    let intent = bench.send("w").await;
    bench.ledger.record(intent.attempt, registered(&Draft::new(1).key())).await.unwrap();
    assert!(!bench.status(id).await.delivered);
    let receipts = owed(&bench, "tally").await;
    let receipt = receipts.first().unwrap();
    assert_eq!((receipts.len(), receipt.revision, receipt.state), (1, 1, DocumentState::Registered));
    assert_eq!(receipt.registration, Some(*registration(&Draft::new(1).key())));
    assert_eq!(receipt.proof, Some(proof()));
    assert_eq!(receipt.attributes.get("row").map(String::as_str), Some("record-1"));
    assert_eq!((receipt.source.as_str(), &receipt.reference), ("books", &Draft::new(1).ready().reference));
    assert_eq!(owed(&bench, "tally").await, receipts, "asking changes nothing");
    let behind = bench.ledger.pending_write_back_after("tally", &[], 1, 100).await.unwrap();
    assert!(behind.is_empty(), "the only one is passed over");
    deliver(&bench, "tally", &receipts).await;
    deliver(&bench, "tally", &receipts).await;
    assert!(owed(&bench, "tally").await.is_empty());
    assert!(bench.status(id).await.delivered);
    let bench = bench.reopen(harness).await;
    assert!(owed(&bench, "tally").await.is_empty());
    assert_eq!(owed(&bench, "archive").await, receipts, "another target has nothing yet");
    let elsewhere = bench.ledger.pending_write_back("erp", &["other".to_owned()], 100).await.unwrap();
    assert!(elsewhere.is_empty(), "it asked for another source only");
}

/// Receipts say which ledger counts their revisions: the same one for all of them, and after reopening.
pub async fn receipts_name_the_ledger_that_made_them(harness: &dyn LedgerHarness) {
    let bench = Bench::open(harness).await;
    bench.receive("books", Draft::new(1).invalid()).await;
    bench.receive("books", Draft::new(2).invalid()).await;
    let named = |receipts: Vec<Receipt>| receipts.into_iter().map(|receipt| receipt.ledger).collect::<Vec<_>>();
    let first = named(owed(&bench, "tally").await);
    let ledger = first.first().unwrap().clone().unwrap();
    assert!(!ledger.0.is_empty() && first == [Some(ledger.clone()), Some(ledger)]);
    let bench = bench.reopen(harness).await;
    assert_eq!(named(owed(&bench, "archive").await), first);
}

/// Invalid, corrected, refused, corrected, registered: one revision each.
pub async fn a_return_to_ready_replaces_an_earlier_result(harness: &dyn LedgerHarness) {
    let bench = Bench::open(harness).await;
    bench.receive("books", Draft::new(1).invalid()).await;
    let invalid = owed(&bench, "tally").await;
    assert_eq!(
        invalid.iter().map(|receipt| (receipt.revision, receipt.state)).collect::<Vec<_>>(),
        [(1, DocumentState::Invalid)]
    );
    deliver(&bench, "tally", &invalid).await;
    bench.receive("books", Draft::new(1).content(1).invalid()).await;
    assert_eq!(owed(&bench, "tally").await.first().unwrap().revision, 2, "the findings changed");
    bench.receive("books", Draft::new(1).content(2).ready()).await;
    let ready = owed(&bench, "tally").await;
    assert_eq!(
        ready.iter().map(|receipt| (receipt.revision, receipt.state)).collect::<Vec<_>>(),
        [(3, DocumentState::Ready)]
    );
    deliver(&bench, "tally", &ready).await;
    let intent = bench.send("w").await;
    bench.ledger.record(intent.attempt, refused("2172", false)).await.unwrap();
    let refused = owed(&bench, "tally").await;
    let receipt = refused.first().unwrap();
    assert_eq!((receipt.revision, receipt.state), (4, DocumentState::Refused));
    assert!(receipt.findings.iter().any(|finding| finding.code.as_deref() == Some("2172")), "{receipt:?}");
    deliver(&bench, "tally", &ready).await;
    assert_eq!(owed(&bench, "tally").await, refused, "an older revision does not count for a newer one");
}

/// A record that turns up later is answered as well.
pub async fn a_second_record_gets_the_result_too(harness: &dyn LedgerHarness) {
    let bench = Bench::open(harness).await;
    let id = bench.ready(1).await;
    let intent = bench.send("w").await;
    bench.ledger.record(intent.attempt, registered(&Draft::new(1).key())).await.unwrap();
    deliver(&bench, "tally", &owed(&bench, "tally").await).await;
    bench.receive("books", Draft::new(1).record("twin").ready()).await;
    let receipts = owed(&bench, "tally").await;
    assert_eq!(receipts.iter().map(|receipt| receipt.reference.record_id.as_str()).collect::<Vec<_>>(), ["twin"]);
    assert!(!bench.status(id).await.delivered);
    deliver(&bench, "tally", &receipts).await;
    assert!(bench.status(id).await.delivered);
}

/// Every filter on its own and together; pages follow each other.
pub async fn a_query_filters_and_pages(harness: &dyn LedgerHarness) {
    let bench = Bench::open(harness).await;
    for number in 1..=5 {
        bench.ready(number).await;
    }
    bench.receive("other", Draft::new(6).invalid()).await;
    let numbers = async |query: Query| -> Vec<String> {
        let found = bench.ledger.query(query).await.unwrap();
        found.iter().filter_map(|status| status.key.as_ref()).map(|key| key.number.to_string()).collect()
    };
    assert_eq!(numbers(Query::default()).await.len(), 6);
    let by_key = Query { key: Some(Draft::new(3).number("a/3").key()), ..Query::default() };
    assert_eq!(numbers(by_key).await, ["A/3"]);
    let by_text = Query { text: Some("inv a/4".to_owned()), ..Query::default() };
    assert_eq!(numbers(by_text).await, ["A/4"]);
    let wild = Query { text: Some("%".to_owned()), ..Query::default() };
    assert!(numbers(wild).await.is_empty(), "text is text");
    let by_state = Query { states: vec![DocumentState::Invalid, DocumentState::Sent], ..Query::default() };
    assert_eq!(numbers(by_state).await, ["A/6"]);
    let by_source = Query { source: Some("books".to_owned()), limit: 2, ..Query::default() };
    let page = bench.ledger.query(by_source.clone()).await.unwrap();
    assert_eq!(page.len(), 2);
    let next = Query { after: page.last().map(|status| status.id), limit: 10, ..by_source };
    assert_eq!(numbers(next).await, ["A/3", "A/4", "A/5"]);
}

/// Nothing that happened is missing, and a document that is none is an error.
pub async fn the_audit_trail_tells_the_whole_life(harness: &dyn LedgerHarness) {
    let bench = Bench::open(harness).await;
    let id = bench.ready(1).await;
    let first = bench.send("w").await;
    let not_sent = AttemptOutcome::NotSent { reason: "the route is closed".to_owned() };
    bench.ledger.record(first.attempt, not_sent).await.unwrap();
    let second = bench.send("w").await;
    bench.wait(5);
    bench.ledger.record(second.attempt, registered(&Draft::new(1).key())).await.unwrap();
    let bench = bench.reopen(harness).await;
    let trail = bench.ledger.audit(id).await.unwrap();
    let moves: Vec<_> = trail.iter().map(|entry| (entry.from, entry.to)).collect();
    let (ready, sent, done) = (DocumentState::Ready, DocumentState::Sent, DocumentState::Registered);
    assert_eq!(
        moves,
        [(None, ready), (Some(ready), sent), (Some(sent), ready), (Some(ready), sent), (Some(sent), done)]
    );
    let last = trail.last().unwrap();
    assert_eq!(last.at, bench.clock_now());
    assert!(last.details.contains("head.invoice.signature"), "the reply is kept word for word");
    assert!(trail.iter().any(|entry| entry.details.contains("the route is closed")));
    let nobody = bench.ledger.audit(DocumentId(99)).await;
    assert!(matches!(nobody, Err(LedgerError::NoDocument { document: DocumentId(99) })), "{nobody:?}");
}
