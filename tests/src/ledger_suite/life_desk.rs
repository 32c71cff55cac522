//! The calls of a history of jobs, bills and decisions, made on a real ledger, and what it shows then.

use std::collections::BTreeMap;

use einvoice_core::date::PortalTime;
use einvoice_core::environment::RouteName;
use einvoice_core::ewb::request::{Carriage, Consolidation, EwbByIrn};
use einvoice_core::ewb::{Birth, CancelReason, EwbDocument, EwbNumber, Standing, TripSheetNumber};
use einvoice_core::irn::Irn;
use einvoice_core::job::{
    Bill, BillQuery, Cancellation, Effect, Job, JobClaim, JobId, JobQuery, NewJob, StepIntent, StepOutcome, Task,
};
use einvoice_core::ledger::{
    AttemptOutcome, AuditEntry, Decision, DocumentId, HandOver, LedgerError, Query, ReadByHand, Settlement, Work,
};
use einvoice_core::operation::{EwayBill, Registration};
use einvoice_core::state::EwbState;
use jiff::{SignedDuration, Timestamp};

use super::fixture::{Bench, Draft, LEASE, errors, proof, refused, registration, worker};
use super::life_history::{Answer, Call, Ending, Wish};
use super::life_model::{News, Said, World, about};
use crate::documents::gstin;

const WORKERS: [&str; 2] = ["ann", "bob"];
const TARGET: &str = "tally";

/// Bills are counted from here.
const FIRST_BILL: u64 = 391_009_149_300;

/// Who makes the calls.
pub(super) struct Clerk {
    start: Timestamp,
    /// What was last taken from whom, job by job.
    told: BTreeMap<usize, StepOutcome>,
}

fn number(bill: u64) -> EwbNumber {
    EwbNumber::parse(&(FIRST_BILL + bill).to_string()).unwrap()
}

fn bill_of(number: EwbNumber) -> u64 {
    number.to_string().parse::<u64>().unwrap() - FIRST_BILL
}

/// Ledgers count from 1.
fn document(paper: usize) -> DocumentId {
    DocumentId(i64::try_from(paper + 1).unwrap())
}

fn job_id(job: usize) -> JobId {
    JobId(i64::try_from(job + 1).unwrap())
}

fn irn(paper: usize) -> Irn {
    registration(&Draft::new(u32::try_from(paper + 1).unwrap()).key()).irn
}

fn named(index: usize) -> &'static str {
    WORKERS.get(index).unwrap()
}

impl Clerk {
    pub(super) fn new(start: Timestamp) -> Self {
        Self { start, told: BTreeMap::new() }
    }

    fn moment(&self, seconds: i64) -> Timestamp {
        self.start.checked_add(SignedDuration::from_secs(seconds)).unwrap()
    }

    /// What the ledger answers, in words.
    pub(super) async fn perform(&mut self, bench: &Bench, world: &World, call: &Call) -> String {
        let ledger = &bench.ledger;
        let reason = || "looked at the portal".to_owned();
        match *call {
            Call::Send { answer } => send(bench, answer, self.moment(world.now)).await,
            Call::Settle { answer } => settle(bench, answer, self.moment(world.now + 10)).await,
            Call::Adopt { paper } => said(ledger.decide(document(paper), Decision::Adopt { reason: reason() }).await),
            Call::AskAgain { paper } => {
                said(ledger.decide(document(paper), Decision::AskAgain { reason: reason() }).await)
            }
            Call::NotThere { paper } => {
                said(ledger.decide(document(paper), Decision::NotThere { reason: reason() }).await)
            }
            Call::ReadByHand { paper, bill } => {
                let registration = registration_of(document(paper), bill);
                let read = ReadByHand::new(&registration.ack_no, registration.ack_date).unwrap();
                let read = Box::new(match registration.ewb {
                    Some(ewb) => read.with_ewb(ewb),
                    None => read,
                });
                said(ledger.decide(document(paper), Decision::Registered { read, reason: reason() }).await)
            }
            Call::Plan { wish, after } => {
                let not_before = (after > 0).then(|| self.moment(world.now + after));
                let planned = ledger.plan(NewJob { not_before, ..new_job(world, wish) }).await;
                match planned {
                    Ok(id) => format!("job {}", id.0),
                    refused => said(refused),
                }
            }
            Call::Claim { worker: name, limit, only } => {
                let only = only.map(job_id).into_iter().collect();
                claim(bench, JobClaim { worker: worker(named(name)), only, limit, lease: LEASE }).await
            }
            Call::Release { worker: name, job } => {
                said(ledger.release_jobs(&worker(named(name)), &[job_id(job)]).await)
            }
            Call::Begin { worker: name, job, astray } => {
                let position = jobs(bench).await.get(job).map_or(0, |job| job.position);
                let intent = StepIntent {
                    position: position + u32::from(astray),
                    route: RouteName::new("nic"),
                    site: "NIC1".to_owned(),
                    at: bench.clock_now(),
                    before: None,
                };
                said(ledger.begin_step(&worker(named(name)), job_id(job), intent).await)
            }
            Call::End { worker: name, job, ending } => {
                let outcome = self.outcome(bench, world, job, &world.said(job, ending)).await;
                let ended = ledger.end_step(&worker(named(name)), job_id(job), outcome.clone()).await;
                if ended.is_ok() {
                    self.told.insert(job, outcome);
                }
                said(ended)
            }
            Call::EndAgain { worker: name, job } => match self.told.get(&job) {
                Some(outcome) => said(ledger.end_step(&worker(named(name)), job_id(job), outcome.clone()).await),
                None => String::new(),
            },
            Call::Withdraw { job } => said(ledger.withdraw(job_id(job), "a mistake").await),
            Call::LearnBill { bill, state, paper } => {
                let standing = Standing { state, ..standing(bench, bill).await };
                let bill = Bill {
                    standing,
                    document: paper.map(document),
                    route: None,
                    site: None,
                    changed_at: bench.clock_now(),
                };
                said(ledger.learn_bill(bill).await)
            }
            Call::LearnCancellation { paper } => {
                let cancellation = Cancellation { at: None, reason: None, remark: None };
                said(ledger.learn_cancellation(document(paper), cancellation).await)
            }
            Call::Reject { paper } => {
                let rejected = ledger.reject_by_registry(&[irn(paper)]).await.unwrap();
                format!("{:?}", rejected.iter().map(|id| id.0).collect::<Vec<_>>())
            }
            Call::Wait { seconds } => {
                bench.wait(seconds);
                String::new()
            }
            Call::Deliver => {
                let receipts = ledger.pending_write_back(TARGET, &[], 100).await.unwrap();
                let got: Vec<(i64, u32)> = receipts.iter().map(|one| (one.reference_id, one.revision)).collect();
                ledger.delivered(TARGET, &got).await.unwrap();
                String::new()
            }
            Call::Crash => {
                // Whether lost steps show at opening or at the next claim is the ledger's choice.
                let wish = JobClaim { worker: worker(named(0)), only: Vec::new(), limit: 0, lease: LEASE };
                claim(bench, wish).await
            }
        }
    }

    async fn outcome(&self, bench: &Bench, world: &World, job: usize, said: &Said) -> StepOutcome {
        let mut effects = Vec::new();
        for news in &said.news {
            effects.push(match news {
                News::Bill(bill, wanted) => {
                    let mut standing = standing(bench, *bill).await;
                    standing.state = wanted.state;
                    if let Some(Wish::BillOnPaper { number }) = world.jobs.get(job).map(|job| job.wish) {
                        standing.document =
                            Some(EwbDocument { doc_type: "CHL".to_owned(), number: format!("C/{number}"), date: None });
                    }
                    standing.transporter = wanted.handed_over.then(|| "29AAACT0000T1Z5".to_owned());
                    Effect::Ewb { standing: Box::new(standing) }
                }
                News::IrnCancelled => Effect::IrnCancelled { cancellation: asked_for() },
                News::TripSheet(sheet, bills) => {
                    Effect::TripSheet { number: trip_sheet(*sheet), bills: bills.iter().copied().map(number).collect() }
                }
            });
        }
        let (message, due_at) = ("said".to_owned(), self.moment(said.due));
        match said.ending {
            Ending::Done { .. } => StepOutcome::Done { effects, message },
            Ending::Refused { .. } => StepOutcome::Refused { errors: errors("2270"), message, effects },
            Ending::NotDone { .. } => StepOutcome::NotDone { message, due_at },
            Ending::Unknown { errors: some, .. } => StepOutcome::Unknown {
                message,
                due_at,
                errors: if some { errors("5002") } else { Vec::new() },
                hand_over: None,
            },
        }
    }
}

fn asked_for() -> Cancellation {
    Cancellation { at: None, reason: Some(CancelReason::Duplicate), remark: Some("entered twice".to_owned()) }
}

fn trip_sheet(sheet: u64) -> TripSheetNumber {
    TripSheetNumber::parse(&format!("{sheet:010}")).unwrap()
}

/// The bill as the ledger knows it, or as it is found for the first time.
async fn standing(bench: &Bench, bill: u64) -> Standing {
    let query = BillQuery { number: Some(number(bill)), ..BillQuery::default() };
    let known = bench.ledger.bills(query).await.unwrap().pop();
    let new = || Standing::new(number(bill), Birth::Direct, gstin(27, 1), EwbState::Active);
    known.map_or_else(new, |known| known.standing)
}

fn new_job(world: &World, wish: Wish) -> NewJob {
    let (reason, remark) = (CancelReason::Duplicate, "entered twice".to_owned());
    let of_bill = |bill: u64| world.bills.get(&bill).and_then(|bill| bill.paper).map(document);
    let (task, about) = match wish {
        Wish::CancelIrn { paper, .. } => (Task::CancelIrn { irn: irn(paper), reason, remark }, Some(document(paper))),
        Wish::BillByIrn { paper } => {
            let request = EwbByIrn {
                irn: irn(paper),
                distance_km: 0,
                transporter: None,
                transporter_name: None,
                carriage: Carriage::default(),
                ship_to: None,
                dispatch_from: None,
            };
            (Task::GenerateEwbByIrn { request: Box::new(request) }, Some(document(paper)))
        }
        Wish::BillOnPaper { number } => {
            let doc_no = format!("C/{number}");
            (Task::GenerateEwb { payload: "{}".to_owned(), doc_type: "CHL".to_owned(), doc_no }, None)
        }
        Wish::CancelBill { bill } => (Task::CancelEwb { number: number(bill), reason, remark }, of_bill(bill)),
        Wish::HandOver { bill } => {
            let transporter = "29AAACT0000T1Z5".to_owned();
            (Task::UpdateTransporter { number: number(bill), transporter }, of_bill(bill))
        }
        Wish::Consolidate { bills: (one, other) } => {
            let request = Consolidation {
                bills: vec![number(one), number(other)],
                carriage: Carriage::default(),
                from_place: "Bengaluru".to_owned(),
                from_state: 29,
            };
            (Task::Consolidate { request: Box::new(request) }, None)
        }
    };
    let bill_first = matches!(wish, Wish::CancelIrn { bill_first: true, .. });
    NewJob {
        steps: task.steps(bill_first),
        task,
        document: about,
        gstin: gstin(27, 1),
        route: None,
        site: Some("NIC1".to_owned()),
        not_before: None,
        deadline: None,
    }
}

fn registration_of(id: DocumentId, state: Option<EwbState>) -> Box<Registration> {
    let paper = usize::try_from(id.0 - 1).unwrap();
    let ewb = state.map(|state| EwayBill {
        number: number(u64::try_from(paper).unwrap()).to_string(),
        date: PortalTime::parse("2026-11-05 12:00:30").ok(),
        valid_till: PortalTime::parse("2026-11-06 23:59:00").ok().filter(|_| state == EwbState::Active),
    });
    let key = Draft::new(u32::try_from(paper + 1).unwrap()).key();
    Box::new(Registration { ewb, ..*registration(&key) })
}

async fn send(bench: &Bench, answer: Answer, ask_at: Timestamp) -> String {
    let claimed = bench.claim("sender", Work::Send, 1).await;
    let Some(claimed) = claimed.first() else { return "nothing to do".to_owned() };
    let intent = bench.ledger.intend(super::fixture::intent_for(claimed, "sender")).await.unwrap();
    let outcome = match answer {
        Answer::Registered(bill) => {
            AttemptOutcome::Registered { registration: registration_of(claimed.id, bill), proof: proof() }
        }
        Answer::Refused => refused("2172", false),
        Answer::NotThere => AttemptOutcome::NotSent { reason: "closed".to_owned() },
        _ => AttemptOutcome::Unknown { reason: "no answer".to_owned(), ask_at, errors: Vec::new(), info: Vec::new() },
    };
    match bench.ledger.record(intent.attempt, outcome).await {
        Ok(()) => claimed.id.0.to_string(),
        refused => said(refused),
    }
}

async fn settle(bench: &Bench, answer: Answer, ask_at: Timestamp) -> String {
    let claimed = bench.claim("sender", Work::Settle, 1).await;
    let Some(claimed) = claimed.first() else { return "nothing to do".to_owned() };
    let settlement = match answer {
        Answer::Registered(bill) => {
            Settlement::Registered { registration: registration_of(claimed.id, bill), proof: proof() }
        }
        Answer::Cancelled(bill) => Settlement::Cancelled { registration: registration_of(claimed.id, bill) },
        Answer::Conflict(bill) => {
            Settlement::Conflict { registration: registration_of(claimed.id, bill), differences: Vec::new() }
        }
        Answer::Refused => Settlement::Refused { errors: errors("2172"), burnt: false },
        Answer::NotThere => Settlement::NotThere { errors: errors("2154") },
        Answer::Nothing => Settlement::StillUnknown { reason: "no answer".to_owned(), ask_at, hand_over: None },
        Answer::HandedOver => {
            let hand_over = Some(HandOver::Whether { remedy: "look it up".to_owned() });
            Settlement::StillUnknown { reason: "no answer".to_owned(), ask_at, hand_over }
        }
    };
    match bench.ledger.settle(&worker("sender"), claimed.id, settlement).await {
        Ok(()) => claimed.id.0.to_string(),
        refused => said(refused),
    }
}

/// The numbers of the jobs that were handed out, each as it is seen by everybody.
async fn claim(bench: &Bench, wish: JobClaim) -> String {
    let claimed = bench.ledger.claim_jobs(wish).await.unwrap();
    let all = jobs(bench).await;
    let ids = claimed.iter().map(|job| {
        assert!(all.contains(job), "{job:?} was handed out and is not in the book");
        job.id.0.to_string()
    });
    ids.collect::<Vec<_>>().join(" ")
}

async fn jobs(bench: &Bench) -> Vec<Job> {
    bench.ledger.jobs(JobQuery::default()).await.unwrap()
}

fn said<T: std::fmt::Debug>(result: Result<T, LedgerError>) -> String {
    match result {
        Ok(answer) => format!("{answer:?}"),
        Err(LedgerError::IllegalMove { from, .. }) => format!("document is {from}"),
        Err(LedgerError::IllegalJobMove { from, .. }) => format!("job is {from}"),
        Err(LedgerError::JobUnderWay { job, .. }) => format!("job {} is under way", job.0),
        Err(LedgerError::JobNotClaimed { .. }) => "not claimed".to_owned(),
        Err(LedgerError::NoJob { .. }) => "no job".to_owned(),
        Err(LedgerError::Storage { source: None, .. }) => "fault".to_owned(),
        Err(other) => format!("unexpected: {other}"),
    }
}

fn cancelled(cancellation: Option<&Cancellation>) -> Option<&'static str> {
    cancellation.map(|one| if *one == asked_for() { "asked for" } else { "elsewhere" })
}

fn ewb(standing: Option<&Standing>, state: EwbState) -> String {
    match standing {
        // The document's own word and the bill's must be one.
        Some(standing) if standing.state == state => format!("{} {state}", bill_of(standing.number)),
        Some(standing) => format!("{} {} but {state}", bill_of(standing.number), standing.state),
        None => state.to_string(),
    }
}

/// Documents, jobs and bills as the ledger shows them.
pub(super) async fn shown(bench: &Bench, clerk: &Clerk) -> Vec<String> {
    let mut lines = Vec::new();
    for one in bench.ledger.query(Query::default()).await.unwrap() {
        let trail: Vec<AuditEntry> = bench.ledger.audit(one.id).await.unwrap();
        let path: Vec<&str> = trail.iter().map(|entry| entry.to.as_str()).collect();
        let bill = ewb(one.ewb.as_ref(), one.ewb_state);
        let cancelled = cancelled(one.cancellation.as_ref());
        lines.push(format!("document {} {} {bill} {cancelled:?} {}", one.id.0, one.state, path.join(">")));
    }
    for job in jobs(bench).await {
        lines.push(format!(
            "job {} {} step {} of {} sent {} asked {} due {} intent {} errors {} effects {}",
            job.id.0,
            job.state,
            job.position,
            job.steps.len(),
            job.sendings,
            job.asked,
            job.due_at.duration_since(clerk.start).as_secs(),
            job.last.is_some(),
            job.errors.len(),
            job.effects.len()
        ));
    }
    for bill in bench.ledger.bills(BillQuery::default()).await.unwrap() {
        let standing = &bill.standing;
        let sheet = standing.trip_sheet.as_ref().map(|sheet| sheet.parse().unwrap());
        let about = about(
            standing.state,
            standing.transporter.is_some(),
            sheet,
            standing.made_at.is_some() && standing.document.is_some(),
            standing.valid_till.is_some(),
        );
        let query = JobQuery { bill: Some(standing.number), ..JobQuery::default() };
        let jobs: Vec<i64> = bench.ledger.jobs(query).await.unwrap().iter().map(|job| job.id.0).collect();
        lines.push(format!(
            "bill {} {about:?} {:?} {} jobs {jobs:?}",
            bill_of(standing.number),
            bill.document.map(|id| id.0),
            bill.route.is_some() && bill.site.is_some()
        ));
    }
    lines
}

/// What the books have not got, oldest first.
pub(super) async fn owed(bench: &Bench) -> Vec<String> {
    let receipts = bench.ledger.pending_write_back(TARGET, &[], 100).await.unwrap();
    let line = |one: &einvoice_core::receipt::Receipt| {
        let paper = one.reference.record_id.trim_start_matches("record-");
        let bill = ewb(one.ewb.as_ref(), one.ewb_state);
        format!("{paper} {} {} {bill} {:?}", one.revision, one.state, cancelled(one.cancellation.as_ref()))
    };
    receipts.iter().map(line).collect()
}
