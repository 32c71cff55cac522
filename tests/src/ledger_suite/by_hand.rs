//! Promises about what people read at a portal that tells this program no more.

use einvoice_core::date::PortalTime;
use einvoice_core::environment::RouteName;
use einvoice_core::irn::{Irn, IrnRule};
use einvoice_core::job::{
    Bill, BillQuery, Cancellation, Effect, Job, JobClaim, JobDecision, JobId, JobQuery, JobState, NewJob, StepIntent,
    StepOutcome,
};
use einvoice_core::ledger::{Decision, DocumentId, HandOver, LedgerError, ReadByHand, Settlement, Work};
use einvoice_core::operation::{EwayBill, RegistrationStatus};
use einvoice_core::state::{DocumentState, EwbState};
use einvoice_core::verify::Proof;

use super::LedgerHarness;
use super::bills::settled;
use super::fixture::{Bench, Draft, LEASE, errors, worker};
use super::jobs::{
    bill, cancel_ewb, cancel_irn, claim, done, irn_cancelled, number, owed, registered_document, the_job,
};

const BILL: &str = "391009149369";

fn why() -> String {
    "looked at the portal".to_owned()
}

fn whether() -> HandOver {
    HandOver::Whether { remedy: "look it up".to_owned() }
}

/// Registered under an IRN of the portal's own: that of an old registration, say.
fn certain() -> HandOver {
    HandOver::Acknowledgement { irn: Irn::from_bytes([9; 32]), remedy: "read it".to_owned() }
}

fn still(bench: &Bench, hand_over: Option<HandOver>) -> Settlement {
    Settlement::StillUnknown { reason: "it proves nothing".to_owned(), ask_at: bench.clock_now(), hand_over }
}

/// An unknown document that was handed over in this way.
async fn open(bench: &Bench, harness: &dyn LedgerHarness, hand_over: Option<HandOver>) -> DocumentId {
    let settlement = still(bench, hand_over);
    settled(bench, harness, settlement).await
}

/// The portal is asked once more, and this is what it says.
async fn asked(bench: &Bench, id: DocumentId, settlement: Settlement) -> Result<(), LedgerError> {
    bench.wait(LEASE.as_secs() + 1);
    assert_eq!(bench.claim("asker", Work::Settle, 1).await.len(), 1);
    bench.ledger.settle(&worker("asker"), id, settlement).await
}

fn read() -> ReadByHand {
    ReadByHand::new("112610000000077", PortalTime::parse("2026-11-05 12:00:00").unwrap()).unwrap()
}

async fn enter(bench: &Bench, id: DocumentId, read: ReadByHand) -> Result<(), LedgerError> {
    bench.ledger.decide(id, Decision::Registered { read: Box::new(read), reason: why() }).await
}

async fn say_not_there(bench: &Bench, id: DocumentId) -> Result<(), LedgerError> {
    bench.ledger.decide(id, Decision::NotThere { reason: why() }).await
}

#[track_caller]
fn assert_illegal<T: std::fmt::Debug>(result: &Result<T, LedgerError>, from: DocumentState) {
    assert!(matches!(result, Err(LedgerError::IllegalMove { from: found, .. }) if *found == from), "{result:?}");
}

/// As long as asking helps, nobody's word replaces the portal's; what was handed over survives a crash and
/// another question.
pub async fn a_person_is_believed_once_the_portal_tells_no_more(harness: &dyn LedgerHarness) {
    let bench = Bench::open(harness).await;
    let id = open(&bench, harness, None).await;
    assert_illegal(&say_not_there(&bench, id).await, DocumentState::Unknown);
    assert_illegal(&enter(&bench, id, read()).await, DocumentState::Unknown);
    asked(&bench, id, still(&bench, Some(whether()))).await.unwrap();
    let bench = bench.reopen(harness).await;
    bench.ledger.decide(id, Decision::AskAgain { reason: why() }).await.unwrap();
    assert_eq!(bench.status(id).await.hand_over, Some(whether()));
    let claimed = bench.claim("w", Work::Settle, 1).await.remove(0);
    assert_eq!(claimed.hand_over, Some(whether()), "whoever asks again knows it");
    say_not_there(&bench, id).await.unwrap();
    let status = bench.status(id).await;
    assert_eq!((status.state, status.hand_over), (DocumentState::Ready, None));
}

/// Neither a person nor a later "not there" makes it ready again.
pub async fn what_is_registered_for_certain_is_never_sent_again(harness: &dyn LedgerHarness) {
    let bench = Bench::open(harness).await;
    let id = open(&bench, harness, Some(certain())).await;
    assert_illegal(&say_not_there(&bench, id).await, DocumentState::Unknown);
    // The next question brought nothing, or said less: what was certain stays so.
    for later in [None, Some(whether())] {
        asked(&bench, id, still(&bench, later)).await.unwrap();
        assert_eq!(bench.status(id).await.hand_over, Some(certain()));
    }
    let not_there = asked(&bench, id, Settlement::NotThere { errors: errors("2154") }).await;
    assert_illegal(&not_there, DocumentState::Unknown);
    assert_illegal(&say_not_there(&bench, id).await, DocumentState::Unknown);
    assert!(bench.claim("w", Work::Send, 1).await.is_empty());
    enter(&bench, id, read()).await.unwrap();
}

/// What a person read is the registration, the books get it, and everybody sees that it is not proven.
pub async fn an_acknowledgement_is_entered_by_a_person(harness: &dyn LedgerHarness) {
    let bench = Bench::open(harness).await;
    let id = open(&bench, harness, Some(whether())).await;
    owed(&bench).await;
    let ewb = EwayBill {
        number: BILL.to_owned(),
        date: PortalTime::parse("2026-11-05 12:00:30").ok(),
        valid_till: PortalTime::parse("2026-11-06 23:59:00").ok(),
    };
    enter(&bench, id, read().with_ewb(ewb)).await.unwrap();
    let bench = bench.reopen(harness).await;
    let status = bench.status(id).await;
    assert_eq!((status.state, status.hand_over, status.ask_at), (DocumentState::Registered, None, None));
    let found = status.registration.unwrap();
    let irn = Irn::compute(&Draft::new(1).key(), IrnRule::UpperCase);
    assert_eq!((found.ack_no.as_str(), found.irn, found.status), ("112610000000077", irn, RegistrationStatus::Active));
    assert_eq!((found.signed_invoice, found.signed_qr), (None, None));
    let Some(Proof::SignedPartsMissing { reason }) = status.proof else { panic!("{:?}", status.proof) };
    assert!(reason.contains("a person") && reason.contains(&why()), "{reason}");
    assert_eq!((status.ewb_state, status.ewb.unwrap().number), (EwbState::Active, number(BILL)));
    let receipts = owed(&bench).await;
    assert_eq!(receipts.iter().map(|one| one.state).collect::<Vec<_>>(), [DocumentState::Registered]);
    let shown = receipts.first().and_then(|one| one.registration.as_ref());
    assert_eq!(shown.map(|one| one.ack_no.as_str()), Some("112610000000077"));
    let trail = bench.ledger.audit(id).await.unwrap();
    let last = trail.last().unwrap();
    assert!(last.event.contains(&why()) && last.details.contains("112610000000077"), "{last:?}");
    assert_illegal(&enter(&bench, id, read()).await, DocumentState::Registered);
    bench.ledger.plan(cancel_irn(id, true)).await.unwrap();
}

/// The IRN is the one that the portal stated.
pub async fn an_acknowledgement_belongs_to_the_irn_that_was_stated(harness: &dyn LedgerHarness) {
    let bench = Bench::open(harness).await;
    let id = open(&bench, harness, Some(certain())).await;
    enter(&bench, id, read()).await.unwrap();
    assert_eq!(bench.status(id).await.registration.map(|one| one.irn), Some(Irn::from_bytes([9; 32])));
}

/// A day that has not come is a slip of the pen, and what is registered already needs no word.
pub async fn an_acknowledgement_lies_in_the_past_and_its_document_is_open(harness: &dyn LedgerHarness) {
    let bench = Bench::open(harness).await;
    let id = open(&bench, harness, Some(whether())).await;
    let to_come = ReadByHand::new("112610000000077", PortalTime::parse("2027-11-05 12:00:00").unwrap()).unwrap();
    assert_illegal(&enter(&bench, id, to_come).await, DocumentState::Unknown);
    let other = bench.ready(2).await;
    assert_illegal(&enter(&bench, other, read()).await, DocumentState::Ready);
    assert_eq!(bench.status(id).await.state, DocumentState::Unknown);
}

/// Registered, and taken back since.
pub async fn a_registration_found_cancelled_is_entered_as_such(harness: &dyn LedgerHarness) {
    let bench = Bench::open(harness).await;
    let id = open(&bench, harness, Some(certain())).await;
    owed(&bench).await;
    let told = Cancellation { at: PortalTime::parse("2026-11-05 12:00:10").ok(), reason: None, remark: None };
    enter(&bench, id, read().cancelled(told.clone())).await.unwrap();
    let status = bench.status(id).await;
    assert_eq!((status.state, status.cancellation.as_ref()), (DocumentState::Cancelled, Some(&told)));
    assert_eq!(status.registration.map(|one| one.status), Some(RegistrationStatus::Cancelled));
    assert_eq!(owed(&bench).await.first().and_then(|one| one.cancellation.clone()), Some(told));
}

fn nobody_knows(bench: &Bench, hand_over: Option<&str>) -> StepOutcome {
    StepOutcome::Unknown {
        message: "no answer".to_owned(),
        due_at: bench.clock_now(),
        errors: errors("2283"),
        hand_over: hand_over.map(str::to_owned),
    }
}

/// A job whose present step has an outcome nobody knows, handed over or not.
async fn unknown_job(bench: &Bench, planned: NewJob, hand_over: Option<&str>) -> JobId {
    let before = planned.task.bill().map(|number| Box::new(bill(&number.to_string(), EwbState::Active)));
    let id = bench.ledger.plan(planned).await.unwrap();
    assert!(claim(bench, "w").await.iter().any(|job| job.id == id));
    let intent = StepIntent {
        position: the_job(bench, id).await.position,
        route: RouteName::new("nic"),
        site: "NIC1".to_owned(),
        at: bench.clock_now(),
        before,
    };
    bench.ledger.begin_step(&worker("w"), id, intent).await.unwrap();
    bench.ledger.end_step(&worker("w"), id, nobody_knows(bench, hand_over)).await.unwrap();
    id
}

async fn decide(bench: &Bench, id: JobId, decision: JobDecision) -> Result<(), LedgerError> {
    bench.ledger.decide_job(id, decision).await
}

fn saw(effects: Vec<Effect>) -> JobDecision {
    JobDecision::Done { effects, reason: why() }
}

fn not_done() -> JobDecision {
    JobDecision::NotDone { reason: why() }
}

fn dropped() -> JobDecision {
    JobDecision::Dropped { reason: why() }
}

#[track_caller]
fn assert_illegal_job(result: &Result<(), LedgerError>, from: JobState) {
    assert!(matches!(result, Err(LedgerError::IllegalJobMove { from: found, .. }) if *found == from), "{result:?}");
}

/// The document is cancelled as if the portal had said so, and the subject is free.
pub async fn a_step_that_a_person_saw_done_has_its_consequences(harness: &dyn LedgerHarness) {
    let bench = Bench::open(harness).await;
    let document = registered_document(&bench, 1).await;
    owed(&bench).await;
    let id = unknown_job(&bench, cancel_irn(document, false), Some("look up the IRN")).await;
    let bench = bench.reopen(harness).await;
    let job = the_job(&bench, id).await;
    assert_eq!((job.state, job.hand_over.as_deref()), (JobState::Unknown, Some("look up the IRN")));
    assert!(claim(&bench, "w").await.is_empty(), "what waits for a person is not asked about by itself");
    decide(&bench, id, saw(vec![irn_cancelled()])).await.unwrap();
    let job = the_job(&bench, id).await;
    assert_eq!((job.state, job.position, job.hand_over.as_deref()), (JobState::Done, 1, None));
    assert!(job.message.contains("a person") && job.message.contains(&why()), "{}", job.message);
    assert_eq!(bench.status(document).await.state, DocumentState::Cancelled);
    assert_eq!(owed(&bench).await.first().map(|one| one.state), Some(DocumentState::Cancelled));
    assert!(bench.ledger.audit(document).await.unwrap().last().unwrap().event.contains(&why()));
    assert_illegal_job(&decide(&bench, id, not_done()).await, JobState::Done);
}

/// It goes back to where it was, and the next run sends it.
pub async fn a_step_that_a_person_saw_not_done_may_be_sent_again(harness: &dyn LedgerHarness) {
    let bench = Bench::open(harness).await;
    let document = registered_document(&bench, 1).await;
    let id = unknown_job(&bench, cancel_irn(document, false), Some("look up the IRN")).await;
    assert_eq!(bench.status(document).await.state, DocumentState::Cancelling);
    decide(&bench, id, not_done()).await.unwrap();
    assert_eq!(bench.status(document).await.state, DocumentState::Registered);
    let job = claim(&bench, "w").await.remove(0);
    assert_eq!((job.id, job.state, job.position, job.errors), (id, JobState::Planned, 0, Vec::new()));
    bench.ledger.release_jobs(&worker("w"), &[id]).await.unwrap();
    bench.ledger.withdraw(id, "no longer wanted").await.unwrap();
}

/// Not while it is planned, not while the portal can be asked; and by name it can be asked about all the same,
/// with an answer that counts.
pub async fn a_job_is_decided_only_once_it_was_handed_over(harness: &dyn LedgerHarness) {
    let bench = Bench::open(harness).await;
    let planned = bench.ledger.plan(cancel_ewb("391009149370")).await.unwrap();
    for decision in [saw(Vec::new()), not_done(), dropped()] {
        assert_illegal_job(&decide(&bench, planned, decision).await, JobState::Planned);
    }
    let id = unknown_job(&bench, cancel_ewb(BILL), None).await;
    for decision in [saw(Vec::new()), not_done(), dropped()] {
        assert_illegal_job(&decide(&bench, id, decision).await, JobState::Unknown);
    }
    let nobody = decide(&bench, JobId(99), not_done()).await;
    assert!(matches!(nobody, Err(LedgerError::NoJob { job: JobId(99) })), "{nobody:?}");
    bench.wait(LEASE.as_secs() + 1);
    let ask = |name: &str| JobClaim { worker: worker(name), only: vec![id], limit: 9, lease: LEASE };
    bench.ledger.claim_jobs(ask("asker")).await.unwrap();
    bench.ledger.end_step(&worker("asker"), id, nobody_knows(&bench, Some("look"))).await.unwrap();
    let held = bench.ledger.claim_jobs(ask("asker")).await.unwrap();
    assert_eq!(held.iter().map(|job: &Job| job.id).collect::<Vec<_>>(), [id]);
    bench.ledger.end_step(&worker("asker"), id, done(Vec::new())).await.unwrap();
    assert_eq!(the_job(&bench, id).await.state, JobState::Done);
}

/// Nothing is sent again, its subject is free, and where the bill stands only a read tells.
pub async fn a_job_that_nobody_can_tell_of_is_dropped_and_its_bill_is_to_be_read(harness: &dyn LedgerHarness) {
    let bench = Bench::open(harness).await;
    let standing = bill(BILL, EwbState::Active);
    let known = Bill { standing, document: None, route: None, site: None, changed_at: bench.clock_now() };
    bench.ledger.learn_bill(known).await.unwrap();
    let id = unknown_job(&bench, cancel_ewb(BILL), Some("look")).await;
    decide(&bench, id, dropped()).await.unwrap();
    let bench = bench.reopen(harness).await;
    let job = the_job(&bench, id).await;
    assert_eq!((job.state, job.hand_over.as_deref()), (JobState::Withdrawn, None));
    assert!(job.message.contains(&why()), "{}", job.message);
    let query = BillQuery { number: Some(number(BILL)), ..BillQuery::default() };
    let bills = bench.ledger.bills(query).await.unwrap();
    assert_eq!(bills.first().map(|bill| bill.standing.state), Some(EwbState::Unknown));
    bench.wait(3600);
    assert!(claim(&bench, "w").await.is_empty());
    bench.ledger.plan(cancel_ewb(BILL)).await.unwrap();
    let states = vec![JobState::Withdrawn];
    assert_eq!(bench.ledger.jobs(JobQuery { states, ..JobQuery::default() }).await.unwrap().len(), 1);
}

/// The document would stand nowhere; the bill before it may be dropped.
pub async fn a_cancellation_of_an_irn_is_never_dropped(harness: &dyn LedgerHarness) {
    let bench = Bench::open(harness).await;
    let document = registered_document(&bench, 1).await;
    let id = unknown_job(&bench, cancel_irn(document, false), Some("look")).await;
    assert_illegal_job(&decide(&bench, id, dropped()).await, JobState::Unknown);
    assert_eq!(bench.status(document).await.state, DocumentState::Cancelling);
    let other = registered_document(&bench, 2).await;
    let id = unknown_job(&bench, cancel_irn(other, true), Some("look")).await;
    decide(&bench, id, dropped()).await.unwrap();
    assert_eq!(bench.status(other).await.state, DocumentState::Registered);
}
