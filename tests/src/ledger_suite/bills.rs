//! Promises about e-way bills, and about what people, lists and reads say of a document.

use einvoice_core::date::PortalTime;
use einvoice_core::ewb::Birth;
use einvoice_core::irn::Irn;
use einvoice_core::job::{Bill, BillQuery, Cancellation, Effect, JobState, StepOutcome};
use einvoice_core::ledger::{AttemptOutcome, Decision, DocumentId, HandOver, LedgerError, Query, Settlement, Work};
use einvoice_core::operation::{EwayBill, Registration};
use einvoice_core::state::{DocumentState, EwbState};

use super::LedgerHarness;
use super::fixture::{Bench, Draft, LEASE, proof, registered, registration, worker};
use super::jobs::{
    begin, bill, cancel_irn, claim, done, end, irn_cancelled, number, owed, registered_document, the_job,
};

const NUMBER: &str = "391009149369";

/// A document registered together with its e-way bill.
async fn registered_with_bill(bench: &Bench) -> DocumentId {
    let id = bench.ready(1).await;
    let intent = bench.send("sender").await;
    let ewb = EwayBill {
        number: NUMBER.to_owned(),
        date: PortalTime::parse("2026-11-05 12:00:30").ok(),
        valid_till: PortalTime::parse("2026-11-06 23:59:00").ok(),
    };
    let whole = Registration { ewb: Some(ewb), site: Some("NIC2".to_owned()), ..*registration(&Draft::new(1).key()) };
    let outcome = AttemptOutcome::Registered { registration: Box::new(whole), proof: proof() };
    bench.ledger.record(intent.attempt, outcome).await.unwrap();
    id
}

fn read(standing: einvoice_core::ewb::Standing, document: Option<DocumentId>, bench: &Bench) -> Bill {
    Bill { standing, document, route: None, site: None, changed_at: bench.clock_now() }
}

/// It is known by its number, its document's number and its document.
pub async fn a_bill_made_with_the_irn_is_kept(harness: &dyn LedgerHarness) {
    let bench = Bench::open(harness).await;
    let id = registered_with_bill(&bench).await;
    let bench = bench.reopen(harness).await;
    let bills = bench.ledger.bills(BillQuery::default()).await.unwrap();
    let found = bills.first().unwrap();
    let standing = &found.standing;
    assert_eq!((standing.number, standing.state, standing.birth), (number(NUMBER), EwbState::Active, Birth::Irn));
    assert_eq!((found.document, found.site.as_deref()), (Some(id), Some("NIC2")));
    assert_eq!(standing.generated_by, Draft::new(1).key().supplier);
    for query in [
        BillQuery { number: Some(number(NUMBER)), ..BillQuery::default() },
        BillQuery { document: Some(id), open_only: true, ..BillQuery::default() },
        BillQuery { doc_no: Some("a/1".to_owned()), ..BillQuery::default() },
    ] {
        assert_eq!(bench.ledger.bills(query).await.unwrap(), bills);
    }
    let after = BillQuery { after: Some(number(NUMBER)), ..BillQuery::default() };
    assert!(bench.ledger.bills(after).await.unwrap().is_empty());
    let status = bench.status(id).await;
    assert_eq!((status.ewb_state, status.ewb.as_ref()), (EwbState::Active, Some(standing)));
    assert_eq!(status.site.as_deref(), Some("NIC2"), "the site that issued it, not the one it was sent to");
    let by_number = Query { text: Some("149369".to_owned()), ..Query::default() };
    assert_eq!(bench.ledger.query(by_number).await.unwrap(), [status]);
    assert_eq!(owed(&bench).await.first().unwrap().ewb.as_ref(), Some(standing));
}

/// Bill first, then IRN: each step with its own intent, and what was done is not done again.
pub async fn a_bill_is_cancelled_on_the_way_to_its_irn(harness: &dyn LedgerHarness) {
    let bench = Bench::open(harness).await;
    let document = registered_with_bill(&bench).await;
    owed(&bench).await;
    let id = bench.ledger.plan(cancel_irn(document, true)).await.unwrap();
    claim(&bench, "w").await;
    begin(&bench, "w", id).await.unwrap();
    assert_eq!(bench.status(document).await.state, DocumentState::Registered, "only its bill is being cancelled");
    let gone = bill(NUMBER, EwbState::Cancelled);
    end(&bench, "w", id, done(vec![Effect::Ewb { standing: Box::new(gone.clone()) }])).await.unwrap();
    let status = bench.status(document).await;
    assert_eq!((status.ewb_state, status.ewb.as_ref()), (EwbState::Cancelled, Some(&gone)));
    let receipts = owed(&bench).await;
    let shown: Vec<_> = receipts.iter().map(|one| (one.revision, one.state, one.ewb.as_ref())).collect();
    assert_eq!(shown, [(2, DocumentState::Registered, Some(&gone))]);
    let bench = bench.reopen(harness).await;
    let job = claim(&bench, "w").await.remove(0);
    assert_eq!((job.state, job.position, job.last, job.sendings), (JobState::Planned, 1, None, 0));
    begin(&bench, "w", id).await.unwrap();
    end(&bench, "w", id, done(vec![irn_cancelled()])).await.unwrap();
    assert_eq!(the_job(&bench, id).await.state, JobState::Done);
    let receipts = owed(&bench).await;
    let shown: Vec<_> = receipts.iter().map(|one| (one.revision, one.state, one.ewb_state)).collect();
    assert_eq!(shown, [(3, DocumentState::Cancelled, EwbState::Cancelled)]);
}

/// What a read tells of a bill changes bill, document and books; told twice it changes nothing.
pub async fn a_bill_is_learnt_from_a_read(harness: &dyn LedgerHarness) {
    let bench = Bench::open(harness).await;
    let document = registered_document(&bench, 1).await;
    owed(&bench).await;
    let found = bill(NUMBER, EwbState::Active);
    bench.ledger.learn_bill(read(found.clone(), Some(document), &bench)).await.unwrap();
    assert_eq!(bench.status(document).await.ewb, Some(found.clone()));
    assert_eq!(owed(&bench).await.len(), 1);
    let trail = bench.ledger.audit(document).await.unwrap();
    bench.wait(1);
    bench.ledger.learn_bill(read(found, None, &bench)).await.unwrap();
    assert_eq!(bench.ledger.audit(document).await.unwrap(), trail);
    bench.ledger.learn_bill(read(bill(NUMBER, EwbState::Expired), None, &bench)).await.unwrap();
    let status = bench.status(document).await;
    assert_eq!((status.ewb_state, status.state), (EwbState::Expired, DocumentState::Registered));
    let open = BillQuery { open_only: true, ..BillQuery::default() };
    assert!(bench.ledger.bills(open).await.unwrap().is_empty());
    bench.ledger.learn_bill(read(bill("391009149370", EwbState::Active), None, &bench)).await.unwrap();
    assert_eq!(bench.ledger.bills(BillQuery::default()).await.unwrap().len(), 2, "a bill needs no document");
}

/// A bill is of one document for ever, and whatever brings it up again leaves it there.
pub async fn a_bill_stays_with_its_document(harness: &dyn LedgerHarness) {
    let bench = Bench::open(harness).await;
    let (first, second) = (registered_with_bill(&bench).await, bench.ready(2).await);
    bench.ledger.learn_bill(read(bill(NUMBER, EwbState::Cancelled), Some(second), &bench)).await.unwrap();
    assert_eq!(bench.status(first).await.ewb_state, EwbState::Cancelled);
    assert_eq!(bench.status(second).await.ewb, None);
    let intent = bench.send("sender").await;
    let ewb = Some(EwayBill { number: NUMBER.to_owned(), date: None, valid_till: None });
    let registration = Box::new(Registration { ewb, ..*registration(&Draft::new(2).key()) });
    let outcome = AttemptOutcome::Registered { registration, proof: proof() };
    bench.ledger.record(intent.attempt, outcome).await.unwrap();
    let status = bench.status(second).await;
    assert_eq!((status.state, status.ewb), (DocumentState::Registered, None));
    let bills = bench.ledger.bills(BillQuery::default()).await.unwrap();
    let shown: Vec<_> = bills.iter().map(|bill| (bill.document, bill.standing.state)).collect();
    assert_eq!(shown, [(Some(first), EwbState::Cancelled)]);
}

/// A list told of the bill before the registration did: neither wipes out what the other knows.
pub async fn a_registration_takes_nothing_from_a_bill(harness: &dyn LedgerHarness) {
    let bench = Bench::open(harness).await;
    let (bare, named) = (bench.ready(1).await, bench.ready(2).await);
    let over = bill("391009149370", EwbState::Cancelled);
    bench.ledger.learn_bill(read(bill(NUMBER, EwbState::Active), Some(bare), &bench)).await.unwrap();
    bench.ledger.learn_bill(read(over, Some(named), &bench)).await.unwrap();
    let intent = bench.send("sender").await;
    bench.ledger.record(intent.attempt, registered(&Draft::new(1).key())).await.unwrap();
    let status = bench.status(bare).await;
    assert_eq!((status.state, status.ewb_state), (DocumentState::Registered, EwbState::Active));
    let intent = bench.send("sender").await;
    let valid_till = PortalTime::parse("2026-11-06 23:59:00").ok();
    let ewb = Some(EwayBill { number: "391009149370".to_owned(), date: None, valid_till });
    let registration = Box::new(Registration { ewb, ..*registration(&Draft::new(2).key()) });
    let outcome = AttemptOutcome::Registered { registration, proof: proof() };
    bench.ledger.record(intent.attempt, outcome).await.unwrap();
    let status = bench.status(named).await;
    assert_eq!((status.state, status.ewb_state), (DocumentState::Registered, EwbState::Cancelled));
    let standing = status.ewb.unwrap();
    assert_eq!((standing.state, standing.valid_till), (EwbState::Cancelled, valid_till));
}

/// Where a bill was made is not in the books: learning it makes no receipt.
pub async fn the_books_get_no_receipt_for_what_they_do_not_show(harness: &dyn LedgerHarness) {
    let bench = Bench::open(harness).await;
    let document = registered_document(&bench, 1).await;
    bench.ledger.learn_bill(read(bill(NUMBER, EwbState::Active), Some(document), &bench)).await.unwrap();
    owed(&bench).await;
    let placed = read(bill(NUMBER, EwbState::Active), None, &bench);
    bench.ledger.learn_bill(Bill { site: Some("NIC2".to_owned()), ..placed }).await.unwrap();
    let bills = bench.ledger.bills(BillQuery::default()).await.unwrap();
    assert_eq!(bills.first().and_then(|bill| bill.site.as_deref()), Some("NIC2"));
    assert!(owed(&bench).await.is_empty());
}

/// A document shows the bill its goods travel with: one that is over takes no other's place, one that is open does.
pub async fn a_bill_that_is_over_hides_no_other(harness: &dyn LedgerHarness) {
    let bench = Bench::open(harness).await;
    let document = registered_with_bill(&bench).await;
    let other = "391009149370";
    bench.ledger.learn_bill(read(bill(other, EwbState::Cancelled), Some(document), &bench)).await.unwrap();
    let status = bench.status(document).await;
    assert_eq!((status.ewb_state, status.ewb.map(|bill| bill.number)), (EwbState::Active, Some(number(NUMBER))));
    bench.ledger.learn_bill(read(bill(other, EwbState::PartA), Some(document), &bench)).await.unwrap();
    let status = bench.status(document).await;
    assert_eq!((status.ewb_state, status.ewb.map(|bill| bill.number)), (EwbState::PartA, Some(number(other))));
}

/// A target that is slow to say what it has is owed what became of the document meanwhile; one that says it has what
/// was never made is refused.
pub async fn a_late_delivery_leaves_the_newer_result_owed(harness: &dyn LedgerHarness) {
    let bench = Bench::open(harness).await;
    let document = registered_document(&bench, 1).await;
    let first = bench.ledger.pending_write_back("tally", &[], 9).await.unwrap().remove(0);
    let told = Cancellation { at: None, reason: None, remark: None };
    bench.ledger.learn_cancellation(document, told).await.unwrap();
    bench.ledger.delivered("tally", &[(first.reference_id, first.revision)]).await.unwrap();
    assert!(bench.ledger.delivered("tally", &[(first.reference_id, first.revision + 2)]).await.is_err());
    let receipts = owed(&bench).await;
    let shown: Vec<_> = receipts.iter().map(|one| (one.revision, one.state)).collect();
    assert_eq!(shown, [(first.revision + 1, DocumentState::Cancelled)]);
}

/// The books keep still while a cancellation is under way, and hear afterwards what was learnt meanwhile.
pub async fn what_was_learnt_during_a_cancellation_reaches_the_books(harness: &dyn LedgerHarness) {
    let bench = Bench::open(harness).await;
    let document = registered_with_bill(&bench).await;
    owed(&bench).await;
    let id = bench.ledger.plan(cancel_irn(document, false)).await.unwrap();
    claim(&bench, "w").await;
    begin(&bench, "w", id).await.unwrap();
    let standing = bench.status(document).await.ewb.unwrap();
    let expired = einvoice_core::ewb::Standing { state: EwbState::Expired, ..standing };
    bench.ledger.learn_bill(read(expired, None, &bench)).await.unwrap();
    assert!(owed(&bench).await.is_empty());
    let not_done = StepOutcome::NotDone { message: "it stands".to_owned(), due_at: bench.clock_now() };
    end(&bench, "w", id, not_done).await.unwrap();
    let receipts = owed(&bench).await;
    let shown: Vec<_> = receipts.iter().map(|one| (one.state, one.ewb_state)).collect();
    assert_eq!(shown, [(DocumentState::Registered, EwbState::Expired)]);
}

/// Somebody cancelled the registration elsewhere.
pub async fn a_cancellation_is_learnt_from_a_read(harness: &dyn LedgerHarness) {
    let bench = Bench::open(harness).await;
    let document = registered_document(&bench, 1).await;
    owed(&bench).await;
    let told = Cancellation { at: PortalTime::parse("2026-11-05 13:00:00").ok(), reason: None, remark: None };
    bench.ledger.learn_cancellation(document, told.clone()).await.unwrap();
    bench.ledger.learn_cancellation(document, told.clone()).await.unwrap();
    let status = bench.status(document).await;
    assert_eq!((status.state, status.cancellation.as_ref()), (DocumentState::Cancelled, Some(&told)));
    let receipts = owed(&bench).await;
    assert_eq!(receipts.iter().map(|one| &one.cancellation).collect::<Vec<_>>(), [&Some(told.clone())]);
    let path: Vec<_> = bench.ledger.audit(document).await.unwrap().iter().map(|entry| entry.to).skip(3).collect();
    assert_eq!(path, [DocumentState::Cancelling, DocumentState::Cancelled]);
    let other = bench.ready(2).await;
    let refused = bench.ledger.learn_cancellation(other, told).await;
    assert!(matches!(refused, Err(LedgerError::IllegalMove { from: DocumentState::Ready, .. })), "{refused:?}");
}

/// A cancelled registration has no active bill; how the bill ended is to be read.
pub async fn a_cancellation_that_was_learnt_leaves_no_active_bill(harness: &dyn LedgerHarness) {
    let bench = Bench::open(harness).await;
    let document = registered_with_bill(&bench).await;
    owed(&bench).await;
    let told = Cancellation { at: None, reason: None, remark: None };
    bench.ledger.learn_cancellation(document, told.clone()).await.unwrap();
    let status = bench.status(document).await;
    assert_eq!((status.state, status.ewb_state), (DocumentState::Cancelled, EwbState::Unknown));
    let bills = bench.ledger.bills(BillQuery { document: Some(document), ..BillQuery::default() }).await.unwrap();
    assert_eq!(bills.first().map(|bill| bill.standing.state), Some(EwbState::Unknown));
    let receipts = owed(&bench).await;
    let shown: Vec<_> = receipts.iter().map(|one| (one.state, one.ewb_state)).collect();
    assert_eq!(shown, [(DocumentState::Cancelled, EwbState::Unknown)]);
    // A bill that is over stays as it ended.
    let document = registered_document(&bench, 2).await;
    let over = bill("391009149370", EwbState::Cancelled);
    bench.ledger.learn_bill(read(over, Some(document), &bench)).await.unwrap();
    bench.ledger.learn_cancellation(document, told).await.unwrap();
    assert_eq!(bench.status(document).await.ewb_state, EwbState::Cancelled);
}

/// A document whose outcome is not known, settled in this way.
pub(super) async fn settled(bench: &Bench, harness: &dyn LedgerHarness, settlement: Settlement) -> DocumentId {
    let id = bench.ready(1).await;
    bench.send("sender").await;
    bench.wait(LEASE.as_secs().max(harness.settle_wait().as_secs()) + 1);
    bench.claim("w", Work::Settle, 1).await;
    bench.ledger.settle(&worker("w"), id, settlement).await.unwrap();
    id
}

fn conflict() -> Settlement {
    let differences =
        serde_json::from_value(serde_json::json!([{ "path": "ValDtls.TotInvVal", "ours": "1", "theirs": "2" }]));
    Settlement::Conflict { registration: registration(&Draft::new(1).key()), differences: differences.unwrap() }
}

/// A person adopts what the portal holds; the trail says who meant what.
pub async fn a_conflict_is_adopted_by_a_person(harness: &dyn LedgerHarness) {
    let bench = Bench::open(harness).await;
    let id = settled(&bench, harness, conflict()).await;
    let reason = "the clerk typed it at the portal".to_owned();
    bench.ledger.decide(id, Decision::Adopt { reason: reason.clone() }).await.unwrap();
    let status = bench.status(id).await;
    assert_eq!((status.state, status.differences.len()), (DocumentState::Registered, 0));
    assert_eq!(status.registration, Some(*registration(&Draft::new(1).key())));
    let trail = bench.ledger.audit(id).await.unwrap();
    let path: Vec<_> = trail.iter().map(|entry| entry.to).skip(3).collect();
    assert_eq!(path, [DocumentState::Conflict, DocumentState::Unknown, DocumentState::Registered]);
    assert!(trail.iter().any(|entry| entry.event.contains(&reason) && entry.details.contains("differences")));
    assert_eq!(owed(&bench).await.first().unwrap().state, DocumentState::Registered);
    let twice = bench.ledger.decide(id, Decision::Adopt { reason }).await;
    assert!(matches!(twice, Err(LedgerError::IllegalMove { from: DocumentState::Registered, .. })), "{twice:?}");
}

/// A person has the portal asked at once, or knows that it has nothing.
pub async fn a_person_has_the_portal_asked_again_or_knows_better(harness: &dyn LedgerHarness) {
    let bench = Bench::open(harness).await;
    let id = settled(&bench, harness, conflict()).await;
    let reason = || "looked at the portal".to_owned();
    let early = bench.ledger.decide(id, Decision::NotThere { reason: reason() }).await;
    assert!(matches!(early, Err(LedgerError::IllegalMove { from: DocumentState::Conflict, .. })), "{early:?}");
    bench.ledger.decide(id, Decision::AskAgain { reason: reason() }).await.unwrap();
    let status = bench.status(id).await;
    assert_eq!(
        (status.state, status.registration, status.ask_at),
        (DocumentState::Unknown, None, Some(bench.clock_now()))
    );
    assert_eq!(bench.claim("w", Work::Settle, 1).await.len(), 1, "it is due at once");
    let early = bench.ledger.decide(id, Decision::NotThere { reason: reason() }).await;
    assert!(matches!(early, Err(LedgerError::IllegalMove { from: DocumentState::Unknown, .. })), "{early:?}");
    let open = HandOver::Whether { remedy: "look it up".to_owned() };
    let settlement = Settlement::StillUnknown {
        reason: "so late that it proves nothing".to_owned(),
        ask_at: bench.clock_now(),
        hand_over: Some(open),
    };
    bench.ledger.settle(&worker("w"), id, settlement).await.unwrap();
    bench.ledger.decide(id, Decision::NotThere { reason: reason() }).await.unwrap();
    assert_eq!(bench.status(id).await.state, DocumentState::Ready);
    assert!(bench.claim("w", Work::Send, 1).await.remove(0).pinned, "a resend goes where it went before");
}

/// Only registered ones, and each once.
pub async fn a_rejected_registration_is_marked(harness: &dyn LedgerHarness) {
    let bench = Bench::open(harness).await;
    let document = registered_document(&bench, 1).await;
    let [first, last] = [registered_document(&bench, 4).await, registered_document(&bench, 5).await];
    bench.ready(2).await;
    owed(&bench).await;
    let irns = [1, 2, 3].map(|number| registration(&Draft::new(number).key()).irn);
    assert_eq!(bench.ledger.reject_by_registry(&irns).await.unwrap(), [document]);
    assert_eq!(bench.status(document).await.state, DocumentState::RejectedByRegistry);
    assert_eq!(owed(&bench).await.first().unwrap().state, DocumentState::RejectedByRegistry);
    assert!(bench.ledger.reject_by_registry(&irns).await.unwrap().is_empty());
    // However long the list is, and wherever ours stand on it.
    let others = (0..45_000_u32).map(|number| {
        let mut bytes = [0; 32];
        bytes.iter_mut().zip(number.to_be_bytes()).for_each(|(to, from)| *to = from);
        Irn::from_bytes(bytes)
    });
    let mut long: Vec<Irn> = others.collect();
    long.insert(0, registration(&Draft::new(5).key()).irn);
    long.push(registration(&Draft::new(4).key()).irn);
    assert_eq!(bench.ledger.reject_by_registry(&long).await.unwrap(), [first, last]);
}
