//! Promises about jobs: planned once, sent with an intent, never sent twice without an answer.

use std::time::Duration;

use einvoice_core::clock::later;
use einvoice_core::environment::RouteName;
use einvoice_core::ewb::{Birth, CancelReason, EwbNumber, Standing};
use einvoice_core::job::{
    Cancellation, Effect, Job, JobClaim, JobId, JobQuery, JobState, NewJob, StepIntent, StepOutcome, Task,
};
use einvoice_core::ledger::{DocumentId, LedgerError};
use einvoice_core::receipt::Receipt;
use einvoice_core::state::{DocumentState, EwbState};

use super::LedgerHarness;
use super::fixture::{Bench, Draft, LEASE, errors, registered, worker};
use crate::documents::gstin;

pub(super) fn number(text: &str) -> EwbNumber {
    EwbNumber::parse(text).unwrap()
}

pub(super) fn bill(text: &str, state: EwbState) -> Standing {
    Standing::new(number(text), Birth::Irn, gstin(27, 1), state)
}

/// A registered document.
pub(super) async fn registered_document(bench: &Bench, number: u32) -> DocumentId {
    let id = bench.ready(number).await;
    let intent = bench.send("sender").await;
    bench.ledger.record(intent.attempt, registered(&Draft::new(number).key())).await.unwrap();
    id
}

pub(super) fn cancel_irn(document: DocumentId, ewb_is_active: bool) -> NewJob {
    let irn = einvoice_core::irn::Irn::from_bytes([7; 32]);
    let task = Task::CancelIrn { irn, reason: CancelReason::Duplicate, remark: "entered twice".to_owned() };
    new_job(task, Some(document), ewb_is_active)
}

pub(super) fn cancel_ewb(text: &str) -> NewJob {
    let remark = "entered twice".to_owned();
    new_job(Task::CancelEwb { number: number(text), reason: CancelReason::Duplicate, remark }, None, false)
}

fn new_job(task: Task, document: Option<DocumentId>, ewb_is_active: bool) -> NewJob {
    NewJob {
        steps: task.steps(ewb_is_active),
        task,
        document,
        gstin: gstin(27, 1),
        route: None,
        site: Some("NIC1".to_owned()),
        not_before: None,
        deadline: None,
    }
}

pub(super) async fn claim(bench: &Bench, name: &str) -> Vec<Job> {
    let wish = JobClaim { worker: worker(name), only: Vec::new(), limit: 9, lease: LEASE };
    bench.ledger.claim_jobs(wish).await.unwrap()
}

pub(super) async fn begin(bench: &Bench, name: &str, job: JobId) -> Result<StepIntent, LedgerError> {
    let intent = StepIntent {
        position: the_job(bench, job).await.position,
        route: RouteName::new("nic"),
        site: "NIC1".to_owned(),
        at: bench.clock_now(),
        before: None,
    };
    bench.ledger.begin_step(&worker(name), job, intent.clone()).await.map(|()| intent)
}

pub(super) async fn end(bench: &Bench, name: &str, job: JobId, outcome: StepOutcome) -> Result<(), LedgerError> {
    bench.ledger.end_step(&worker(name), job, outcome).await
}

pub(super) async fn the_job(bench: &Bench, id: JobId) -> Job {
    bench.ledger.jobs(JobQuery { ids: vec![id], ..JobQuery::default() }).await.unwrap().remove(0)
}

pub(super) fn done(effects: Vec<Effect>) -> StepOutcome {
    StepOutcome::Done { effects, message: "done".to_owned() }
}

fn said_no() -> StepOutcome {
    StepOutcome::Refused { errors: errors("2270"), message: "too late".to_owned(), effects: Vec::new() }
}

pub(super) fn irn_cancelled() -> Effect {
    let reason = Some(CancelReason::Duplicate);
    Effect::IrnCancelled { cancellation: Cancellation { at: None, reason, remark: Some("entered twice".to_owned()) } }
}

pub(super) async fn owed(bench: &Bench) -> Vec<Receipt> {
    let receipts = bench.ledger.pending_write_back("tally", &[], 100).await.unwrap();
    let got: Vec<(i64, u32)> = receipts.iter().map(|one| (one.reference_id, one.revision)).collect();
    bench.ledger.delivered("tally", &got).await.unwrap();
    receipts
}

/// What was asked for is there after a crash, word for word.
pub async fn a_planned_job_survives_reopening(harness: &dyn LedgerHarness) {
    let bench = Bench::open(harness).await;
    let document = registered_document(&bench, 1).await;
    let hour = |hours: u64| later(bench.clock_now(), Duration::from_secs(hours * 3600));
    let wanted = NewJob { not_before: hour(1), deadline: hour(24), ..cancel_irn(document, true) };
    let id = bench.ledger.plan(wanted.clone()).await.unwrap();
    assert!(claim(&bench, "w").await.is_empty(), "not before its time");
    let bench = bench.reopen(harness).await;
    let job = the_job(&bench, id).await;
    assert_eq!((job.task.clone(), job.steps.clone(), job.document), (wanted.task, wanted.steps, wanted.document));
    assert_eq!((job.not_before, job.deadline, job.site.clone()), (wanted.not_before, wanted.deadline, wanted.site));
    assert_eq!((job.state, job.position, job.due_at), (JobState::Planned, 0, wanted.not_before.unwrap()));
    let named = JobClaim { worker: worker("w"), only: vec![id], limit: 1, lease: LEASE };
    assert!(bench.ledger.claim_jobs(named.clone()).await.unwrap().is_empty(), "nor when it is named");
    bench.wait(3600);
    assert_eq!(bench.ledger.claim_jobs(named).await.unwrap(), [job]);
}

/// A second job for the same document or bill waits until the first is over.
pub async fn a_subject_has_one_open_job(harness: &dyn LedgerHarness) {
    let bench = Bench::open(harness).await;
    let document = registered_document(&bench, 1).await;
    let first = bench.ledger.plan(cancel_irn(document, false)).await.unwrap();
    let second = bench.ledger.plan(cancel_irn(document, false)).await;
    assert!(matches!(second, Err(LedgerError::JobUnderWay { job, .. }) if job == first), "{second:?}");
    let other = bench.ledger.plan(cancel_ewb("391009149369")).await.unwrap();
    let twice = bench.ledger.plan(cancel_ewb("391009149369")).await;
    assert!(matches!(twice, Err(LedgerError::JobUnderWay { job, .. }) if job == other), "{twice:?}");
    bench.ledger.withdraw(first, "a mistake").await.unwrap();
    assert_eq!(the_job(&bench, first).await.state, JobState::Withdrawn);
    bench.ledger.plan(cancel_irn(document, false)).await.unwrap();
    let about = JobQuery { bill: Some(number("391009149369")), ..JobQuery::default() };
    assert_eq!(bench.ledger.jobs(about).await.unwrap().into_iter().map(|job| job.id).collect::<Vec<_>>(), [other]);
    let nobody = bench.ledger.withdraw(JobId(99), "").await;
    assert!(matches!(nobody, Err(LedgerError::NoJob { job: JobId(99) })), "{nobody:?}");
}

/// Nothing is cancelled that is not registered.
pub async fn a_cancellation_needs_a_registered_document(harness: &dyn LedgerHarness) {
    let bench = Bench::open(harness).await;
    let document = bench.ready(1).await;
    match bench.ledger.plan(cancel_irn(document, false)).await {
        Err(LedgerError::IllegalMove { from: DocumentState::Ready, .. }) => {}
        other => panic!("planned: {other:?}"),
    }
    assert!(bench.ledger.jobs(JobQuery::default()).await.unwrap().is_empty());
}

/// The document is cancelled with the step, the books are told, and the trail says who did what.
pub async fn a_cancellation_reaches_the_document_and_the_books(harness: &dyn LedgerHarness) {
    let bench = Bench::open(harness).await;
    let document = registered_document(&bench, 1).await;
    owed(&bench).await;
    let id = bench.ledger.plan(cancel_irn(document, false)).await.unwrap();
    let twice = begin(&bench, "w", id).await;
    assert!(matches!(twice, Err(LedgerError::JobNotClaimed { .. })), "{twice:?}");
    assert_eq!(claim(&bench, "w").await.len(), 1);
    assert!(claim(&bench, "other").await.is_empty(), "a job is with one worker");
    let other_step = StepIntent {
        position: 1,
        route: RouteName::new("nic"),
        site: "NIC1".to_owned(),
        at: bench.clock_now(),
        before: None,
    };
    assert!(bench.ledger.begin_step(&worker("w"), id, other_step).await.is_err(), "another step than the present");
    assert_eq!(bench.status(document).await.state, DocumentState::Registered);
    let intent = begin(&bench, "w", id).await.unwrap();
    assert_eq!(bench.status(document).await.state, DocumentState::Cancelling);
    let job = the_job(&bench, id).await;
    assert_eq!((job.state, job.last, job.sendings), (JobState::Sent, Some(intent), 1));
    let late = bench.ledger.withdraw(id, "too late").await;
    assert!(matches!(late, Err(LedgerError::JobUnderWay { .. })), "{late:?}");
    end(&bench, "w", id, done(vec![irn_cancelled()])).await.unwrap();
    let status = bench.status(document).await;
    let Effect::IrnCancelled { cancellation } = irn_cancelled() else { panic!("another effect") };
    assert_eq!((status.state, status.cancellation), (DocumentState::Cancelled, Some(cancellation.clone())));
    let job = the_job(&bench, id).await;
    assert_eq!((job.state, job.position, job.effects), (JobState::Done, 1, vec![irn_cancelled()]));
    let receipts = owed(&bench).await;
    let shown: Vec<_> = receipts.iter().map(|one| (one.revision, one.state, one.cancellation.clone())).collect();
    assert_eq!(shown, [(2, DocumentState::Cancelled, Some(cancellation))]);
    let trail = bench.ledger.audit(document).await.unwrap();
    end(&bench, "w", id, done(vec![irn_cancelled()])).await.unwrap();
    assert_eq!(bench.ledger.audit(document).await.unwrap(), trail, "the same outcome twice changes nothing");
    assert_eq!(trail.iter().filter(|entry| entry.event.contains("(cancel the IRN)")).count(), 3, "{trail:?}");
    let other = end(&bench, "w", id, said_no()).await;
    assert!(matches!(other, Err(LedgerError::IllegalJobMove { from: JobState::Done, .. })), "{other:?}");
}

/// The registration stands as before, and the books need no word of it.
pub async fn a_refused_cancellation_puts_the_document_back(harness: &dyn LedgerHarness) {
    let bench = Bench::open(harness).await;
    let document = registered_document(&bench, 1).await;
    owed(&bench).await;
    let id = bench.ledger.plan(cancel_irn(document, false)).await.unwrap();
    claim(&bench, "w").await;
    begin(&bench, "w", id).await.unwrap();
    end(&bench, "w", id, said_no()).await.unwrap();
    assert_eq!(bench.status(document).await.state, DocumentState::Registered);
    let job = the_job(&bench, id).await;
    assert_eq!((job.state, job.errors, job.message.as_str()), (JobState::Refused, errors("2270"), "too late"));
    assert!(owed(&bench).await.is_empty());
    bench.ledger.plan(cancel_irn(document, false)).await.unwrap();
}

/// A crash between intent and outcome: the portal is asked, after the settling wait, and nothing is sent again
/// before it answered.
pub async fn a_step_in_flight_is_unknown_after_a_crash(harness: &dyn LedgerHarness) {
    let bench = Bench::open(harness).await;
    let document = registered_document(&bench, 1).await;
    let id = bench.ledger.plan(cancel_irn(document, false)).await.unwrap();
    claim(&bench, "w").await;
    let intent = begin(&bench, "w", id).await.unwrap();
    let bench = bench.reopen(harness).await;
    bench.wait(LEASE.as_secs().max(harness.settle_wait().as_secs()) + 1);
    let job = claim(&bench, "heir").await.remove(0);
    assert_eq!((job.id, job.state, job.last, job.asked), (id, JobState::Unknown, Some(intent), 0));
    assert_eq!(bench.status(document).await.state, DocumentState::Cancelling);
    let again = begin(&bench, "heir", id).await;
    assert!(matches!(again, Err(LedgerError::IllegalJobMove { from: JobState::Unknown, .. })), "{again:?}");
    let due_at = later(bench.clock_now(), Duration::from_secs(30)).unwrap();
    let open =
        StepOutcome::Unknown { message: "no answer".to_owned(), due_at, errors: errors("5002"), hand_over: None };
    end(&bench, "heir", id, open).await.unwrap();
    assert!(claim(&bench, "heir").await.is_empty(), "it is asked again when its time has come");
    bench.wait(30);
    let job = claim(&bench, "heir").await.remove(0);
    assert_eq!((job.asked, job.errors), (1, errors("5002")));
    let not_done = StepOutcome::NotDone { message: "it stands".to_owned(), due_at: bench.clock_now() };
    end(&bench, "heir", id, not_done).await.unwrap();
    assert_eq!(bench.status(document).await.state, DocumentState::Registered);
    let job = claim(&bench, "heir").await.remove(0);
    assert_eq!((job.state, job.position, job.sendings), (JobState::Planned, 0, 1));
    begin(&bench, "heir", id).await.unwrap();
    end(&bench, "heir", id, done(vec![irn_cancelled()])).await.unwrap();
    assert_eq!(bench.status(document).await.state, DocumentState::Cancelled);
}

/// A worker that died loses its job to another, and brings no outcome once another took it.
pub async fn an_expired_lease_frees_a_job(harness: &dyn LedgerHarness) {
    let bench = Bench::open(harness).await;
    let id = bench.ledger.plan(cancel_ewb("391009149369")).await.unwrap();
    claim(&bench, "dead").await;
    bench.wait(LEASE.as_secs());
    let late = begin(&bench, "dead", id).await;
    assert!(matches!(late, Err(LedgerError::JobNotClaimed { .. })), "{late:?}");
    assert_eq!(claim(&bench, "heir").await.len(), 1);
    bench.ledger.release_jobs(&worker("dead"), &[id]).await.unwrap();
    assert!(claim(&bench, "third").await.is_empty(), "only its holder gives a job back");
    begin(&bench, "heir", id).await.unwrap();
    bench.wait(LEASE.as_secs().max(harness.settle_wait().as_secs()) + 1);
    let job = claim(&bench, "third").await.remove(0);
    assert_eq!(job.state, JobState::Unknown);
    let late = end(&bench, "heir", id, done(Vec::new())).await;
    assert!(matches!(late, Err(LedgerError::JobNotClaimed { .. })), "{late:?}");
    bench.ledger.release_jobs(&worker("third"), &[id]).await.unwrap();
    end(&bench, "heir", id, done(Vec::new())).await.unwrap();
    assert_eq!(the_job(&bench, id).await.state, JobState::Done, "nobody else asked: the sender knows");
}

/// Many workers at once get disjoint jobs, and all of them together.
pub async fn racing_workers_never_hold_one_job(harness: &dyn LedgerHarness) {
    let bench = Bench::open(harness).await;
    for bill in 0..20 {
        bench.ledger.plan(cancel_ewb(&format!("{}", 391_009_149_300_u64 + bill))).await.unwrap();
    }
    let mut workers = tokio::task::JoinSet::new();
    for name in 0..4 {
        let ledger = bench.ledger.clone();
        workers.spawn(async move {
            let mut held = Vec::new();
            loop {
                let wish = JobClaim { worker: worker(&format!("w{name}")), only: Vec::new(), limit: 3, lease: LEASE };
                let jobs = ledger.claim_jobs(wish).await.unwrap();
                if jobs.is_empty() {
                    return held;
                }
                held.extend(jobs.into_iter().map(|job| job.id));
            }
        });
    }
    let mut all = workers.join_all().await.concat();
    all.sort_unstable();
    let total = all.len();
    all.dedup();
    assert_eq!((all.len(), total), (20, 20));
}
