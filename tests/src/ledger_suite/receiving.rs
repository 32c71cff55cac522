//! Promises about taking documents in.

use einvoice_core::finding::Finding;
use einvoice_core::irn::Irn;
use einvoice_core::ledger::{DocumentId, LedgerError, NewDocument, Query, ReceiveBatch, Reception, Work};
use einvoice_core::source::Cursor;
use einvoice_core::state::DocumentState;

use super::LedgerHarness;
use super::fixture::{Bench, Draft, intent_for, refused, registered};

/// A record that says what it said before changes nothing.
pub async fn the_same_record_twice_is_unchanged(harness: &dyn LedgerHarness) {
    let bench = Bench::open(harness).await;
    let id = bench.ready(1).await;
    let again = bench.receive("books", Draft::new(1).ready()).await;
    assert_eq!(again, Reception::Unchanged { id, state: DocumentState::Ready });
    let bench = bench.reopen(harness).await;
    let again = bench.receive("books", Draft::new(1).ready()).await;
    assert_eq!(again, Reception::Unchanged { id, state: DocumentState::Ready });
    assert_eq!(bench.ledger.query(Query::default()).await.unwrap().len(), 1);
}

/// Numbers compare in capitals; the first record is named; one document remains.
pub async fn two_records_of_one_document_share_it(harness: &dyn LedgerHarness) {
    let bench = Bench::open(harness).await;
    let id = bench.ready(1).await;
    let first = Draft::new(1).ready().reference;
    let twin = Draft::new(1).record("twin").number("a/1").ready();
    let duplicate = Reception::Duplicate { id, state: DocumentState::Ready, first };
    assert_eq!(bench.receive("books", twin.clone()).await, duplicate);
    let unchanged = Reception::Unchanged { id, state: DocumentState::Ready };
    assert_eq!(bench.receive("books", twin.clone()).await, unchanged, "it is a reference by then");
    assert_eq!(bench.receive("other books", twin).await, duplicate, "record ids are those of one source");
    assert_eq!(bench.ledger.query(Query::default()).await.unwrap().len(), 1);
}

/// A document that comes again, unchanged, by another arrival is answered there: with what is known already, or with
/// everybody else once there is a result. It is sent once.
pub async fn a_record_that_arrives_again_is_answered_again(harness: &dyn LedgerHarness) {
    let bench = Bench::open(harness).await;
    let brought = |arrival: &str| Draft::new(1).arrival(arrival).ready();
    let Reception::New { id, .. } = bench.receive("books", brought("first")).await else { panic!("not new") };
    let intent = bench.send("w").await;
    // Somebody grows impatient before there is a result.
    let on_its_way = Reception::Unchanged { id, state: DocumentState::Sent };
    assert_eq!(bench.receive("books", brought("second")).await, on_its_way);
    bench.ledger.record(intent.attempt, registered(&Draft::new(1).key())).await.unwrap();
    assert_eq!(owed(&bench).await, [("first".to_owned(), 1), ("second".to_owned(), 1)]);
    deliver(&bench).await;
    // The same arrival read again is no news; one more is, and a crash before the delivery loses nothing of it.
    let registered = Reception::Unchanged { id, state: DocumentState::Registered };
    for arrival in ["first", "second"] {
        assert_eq!(bench.receive("books", brought(arrival)).await, registered);
    }
    assert_eq!(owed(&bench).await, []);
    assert!(bench.status(id).await.delivered);
    assert_eq!(bench.receive("books", brought("third")).await, registered);
    assert!(!bench.status(id).await.delivered);
    let bench = bench.reopen(harness).await;
    assert_eq!(bench.receive("books", brought("third")).await, registered);
    assert_eq!(owed(&bench).await, [("third".to_owned(), 1)]);
    deliver(&bench).await;
    let bench = bench.reopen(harness).await;
    assert_eq!(owed(&bench).await, []);
    // Later results go to all of them, and nothing is sent for any.
    assert!(bench.claim("w", Work::Send, 9).await.is_empty());
    let irns: Vec<Irn> = bench.status(id).await.irn.into_iter().collect();
    bench.ledger.reject_by_registry(&irns).await.unwrap();
    let places = ["first", "second", "third"].map(|place| (place.to_owned(), 2));
    assert_eq!(owed(&bench).await, places);
    assert_eq!(bench.ledger.query(Query::default()).await.unwrap().len(), 1);
}

/// What is corrected by another arrival leaves the earlier one with the answer it had, which it still gets.
pub async fn a_corrected_arrival_has_its_last_answer(harness: &dyn LedgerHarness) {
    let bench = Bench::open(harness).await;
    let wrong = |arrival: &str| Draft::new(1).arrival(arrival).invalid();
    let right = |arrival: &str| Draft::new(1).arrival(arrival).content(1).ready();
    let Reception::New { id, .. } = bench.receive("books", wrong("first")).await else { panic!("not new") };
    assert_eq!(owed(&bench).await, [("first".to_owned(), 1)]);
    let revised = Reception::Revised { id, state: DocumentState::Ready };
    assert_eq!(bench.receive("books", right("second")).await, revised);
    assert_eq!(owed(&bench).await, [("first".to_owned(), 1), ("second".to_owned(), 2)]);
    let bench = bench.reopen(harness).await;
    deliver(&bench).await;
    let intent = bench.send("w").await;
    bench.ledger.record(intent.attempt, registered(&Draft::new(1).key())).await.unwrap();
    assert_eq!(owed(&bench).await, [("second".to_owned(), 3)]);
    // What was wrong comes once more: it is not what was registered.
    let clash = bench.receive("books", wrong("third")).await;
    assert!(matches!(clash, Reception::Clash { id: held, .. } if held == id), "{clash:?}");
    assert_eq!(owed(&bench).await, [("second".to_owned(), 3)]);
    // And what is right may come to the first place as well.
    let unchanged = Reception::Unchanged { id, state: DocumentState::Registered };
    assert_eq!(bench.receive("books", right("first")).await, unchanged);
    assert_eq!(owed(&bench).await, [("first".to_owned(), 3), ("second".to_owned(), 3)]);
}

/// Location and revision of what a target has not got.
async fn owed(bench: &Bench) -> Vec<(String, u32)> {
    let receipts = bench.ledger.pending_write_back("target", &[], 9).await.unwrap();
    receipts.into_iter().map(|receipt| (receipt.reference.location, receipt.revision)).collect()
}

async fn deliver(bench: &Bench) {
    let receipts = bench.ledger.pending_write_back("target", &[], 9).await.unwrap();
    let done: Vec<(i64, u32)> = receipts.iter().map(|receipt| (receipt.reference_id, receipt.revision)).collect();
    bench.ledger.delivered("target", &done).await.unwrap();
}

/// Other content under a key that is taken is not stored.
pub async fn another_document_under_the_same_key_is_a_clash(harness: &dyn LedgerHarness) {
    let bench = Bench::open(harness).await;
    let id = bench.ready(1).await;
    let other = Draft::new(1).record("other").content(7).ready();
    for _ in 0..2 {
        match bench.receive("books", other.clone()).await {
            Reception::Clash { id: held, state: DocumentState::Ready, first, key } => {
                assert_eq!(held, id);
                assert_eq!(first.record_id, "record-1");
                assert_eq!(key, Some(Draft::new(1).key()));
            }
            reception => panic!("not a clash: {reception:?}"),
        }
    }
    let claimed = bench.claim("w", Work::Send, 10).await;
    assert_eq!(claimed.len(), 1);
    assert!(claimed.iter().all(|claimed| claimed.payload.ends_with(b"\"Content\":0}")));
}

/// Edits are taken in while nothing was sent, and clash afterwards.
pub async fn an_edited_record_is_a_revision_until_it_was_sent(harness: &dyn LedgerHarness) {
    let bench = Bench::open(harness).await;
    let id = bench.ready(1).await;
    let invalid = bench.receive("books", Draft::new(1).content(1).invalid()).await;
    assert_eq!(invalid, Reception::Revised { id, state: DocumentState::Invalid });
    assert_eq!(bench.status(id).await.findings.len(), 1);
    let ready = bench.receive("books", Draft::new(1).content(2).number("B/9").ready()).await;
    assert_eq!(ready, Reception::Revised { id, state: DocumentState::Ready });
    let status = bench.status(id).await;
    assert_eq!((status.key, status.findings.len()), (Some(Draft::new(1).number("B/9").key()), 0));
    let claimed = bench.claim("w", Work::Send, 1).await.remove(0);
    assert!(claimed.payload.ends_with(b"\"Content\":2}"));
    let intent = bench.ledger.intend(intent_for(&claimed, "w")).await.unwrap();
    let clash = |reception: &Reception| matches!(reception, Reception::Clash { id: held, .. } if *held == id);
    let edited = Draft::new(1).content(3).ready();
    assert!(clash(&bench.receive("books", edited.clone()).await), "it may have been sent");
    bench.ledger.record(intent.attempt, registered(&claimed.key)).await.unwrap();
    assert!(clash(&bench.receive("books", edited).await), "it is registered");
}

/// The document as it is sent can be read back; a revision that may not be sent has none.
pub async fn what_is_sent_can_be_read_back(harness: &dyn LedgerHarness) {
    let bench = Bench::open(harness).await;
    let id = bench.ready(1).await;
    let sent = bench.ledger.payload(id).await.unwrap().unwrap();
    assert!(sent.ends_with(b"\"Content\":0}"), "{sent:?}");
    bench.receive("books", Draft::new(1).content(1).invalid()).await;
    assert_eq!(bench.ledger.payload(id).await.unwrap(), None);
    let nobody = bench.ledger.payload(DocumentId(id.0 + 1)).await;
    assert!(matches!(nobody, Err(LedgerError::NoDocument { .. })), "{nobody:?}");
}

/// A refusal is answered by a revision that passes the check, under the same number.
pub async fn a_refused_document_waits_for_a_revision_that_passes(harness: &dyn LedgerHarness) {
    let bench = Bench::open(harness).await;
    let id = bench.ready(1).await;
    let intent = bench.send("w").await;
    bench.ledger.record(intent.attempt, refused("2172", false)).await.unwrap();
    let still = bench.receive("books", Draft::new(1).content(1).invalid()).await;
    assert_eq!(still, Reception::Revised { id, state: DocumentState::Refused });
    let ready = bench.receive("books", Draft::new(1).content(2).ready()).await;
    assert_eq!(ready, Reception::Revised { id, state: DocumentState::Ready });
    let second = bench.send("w").await;
    assert_eq!((second.document, second.number), (id, 2));
}

/// Rules, masters and the day change while a document waits, and it passes without an edit.
pub async fn an_invalid_document_read_again_is_judged_anew(harness: &dyn LedgerHarness) {
    let bench = Bench::open(harness).await;
    let Reception::New { id, .. } = bench.receive("books", Draft::new(1).invalid()).await else { panic!("not new") };
    let twin = Draft::new(1).record("twin").invalid();
    assert!(matches!(bench.receive("books", twin.clone()).await, Reception::Duplicate { .. }));
    let owed = async || bench.ledger.pending_write_back("tally", &[], 9).await.unwrap();
    let before = (bench.status(id).await, owed().await);
    // The same verdict for the same reasons is no news, wherever it lies.
    let unchanged = Reception::Unchanged { id, state: DocumentState::Invalid };
    let placed = |mut document: NewDocument, place: &str| {
        document.findings.iter_mut().for_each(|finding| finding.place = Some(place.to_owned()));
        document
    };
    assert_eq!(bench.receive("books", placed(Draft::new(1).invalid(), "line 7")).await, unchanged);
    assert_eq!(bench.receive("books", placed(twin.clone(), "line 8")).await, unchanged);
    assert_eq!((bench.status(id).await, owed().await), before);
    // Another reason is, once, and the second record does not take it back.
    let mut other = Draft::new(1).invalid();
    other.findings.push(Finding::error("totals.ass_val", "ValDtls.AssVal", "the sum is wrong"));
    let revised = Reception::Revised { id, state: DocumentState::Invalid };
    assert_eq!(bench.receive("books", other.clone()).await, revised);
    assert_eq!(bench.receive("books", other).await, unchanged);
    assert_eq!(bench.receive("books", twin).await, unchanged);
    assert_eq!(bench.status(id).await.findings.len(), 2);
    assert!(owed().await.iter().all(|receipt| receipt.findings.len() == 2), "the books hear of it");
    // It passes, by whichever record it comes, and stays so.
    let ready = Reception::Revised { id, state: DocumentState::Ready };
    assert_eq!(bench.receive("books", Draft::new(1).record("twin").ready()).await, ready);
    let unchanged = Reception::Unchanged { id, state: DocumentState::Ready };
    assert_eq!(bench.receive("books", Draft::new(1).invalid()).await, unchanged);
    assert_eq!(bench.status(id).await.findings.len(), 0);
    assert!(bench.claim("w", Work::Send, 1).await.remove(0).payload.ends_with(b"\"Content\":0}"));
}

/// A document that was turned away from a key and is kept without it waits until the key is free.
pub async fn a_document_judged_anew_takes_no_key_that_is_held(harness: &dyn LedgerHarness) {
    let bench = Bench::open(harness).await;
    let holder = bench.ready(1).await;
    let turned_away = Draft::new(1).record("other").content(7);
    let mut kept = NewDocument { key: None, ..turned_away.invalid() };
    kept.findings.push(Finding::error("ledger.key_in_use", "DocDtls.No", "the number is taken"));
    assert!(matches!(bench.receive("books", kept).await, Reception::New { .. }));
    for document in [turned_away.ready(), turned_away.invalid(), turned_away.ready()] {
        let clash = bench.receive("books", document).await;
        assert!(matches!(clash, Reception::Clash { id, .. } if id == holder), "{clash:?}");
    }
    bench.receive("books", Draft::new(1).number("B/9").content(1).ready()).await;
    let free = bench.receive("books", turned_away.ready()).await;
    assert!(matches!(free, Reception::Revised { id, state: DocumentState::Ready } if id != holder), "{free:?}");
}

/// The cursor is that of the last batch of its source, and none is stored for a refused batch.
pub async fn a_cursor_is_stored_with_its_batch(harness: &dyn LedgerHarness) {
    let bench = Bench::open(harness).await;
    assert_eq!(bench.ledger.cursor("books").await.unwrap(), None);
    for (source, text) in [("books", "1"), ("books", "2"), ("other", "9")] {
        let batch = ReceiveBatch {
            source: source.to_owned(),
            cursor: Some(Cursor::new(text)),
            documents: vec![Draft::new(1).record(text).ready()],
        };
        bench.ledger.receive(batch).await.unwrap();
    }
    let bench = bench.reopen(harness).await;
    assert_eq!(bench.ledger.cursor("books").await.unwrap(), Some(Cursor::new("2")));
    assert_eq!(bench.ledger.cursor("other").await.unwrap(), Some(Cursor::new("9")));
    let mut keyless = Draft::new(7).ready();
    keyless.key = None;
    let batch = ReceiveBatch {
        source: "books".to_owned(),
        cursor: Some(Cursor::new("3")),
        documents: vec![Draft::new(5).ready(), keyless],
    };
    let refused: Result<_, LedgerError> = bench.ledger.receive(batch).await;
    assert!(refused.is_err(), "a document that is ready has a key");
    assert_eq!(bench.ledger.cursor("books").await.unwrap(), Some(Cursor::new("2")));
    assert_eq!(bench.ledger.query(Query::default()).await.unwrap().len(), 1, "nothing of the batch is stored");
}
