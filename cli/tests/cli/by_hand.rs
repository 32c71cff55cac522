//! `resolve` where asking tells no more: what it says to look up, and how it takes the answer.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use einvoice_core::clock::{Clock as _, SystemClock};
use einvoice_core::environment::RouteName;
use einvoice_core::irn::{Irn, IrnRule};
use einvoice_core::job::{JobClaim, JobId, NewJob, StepIntent, StepOutcome, Task};
use einvoice_core::key::DocumentKey;
use einvoice_core::ledger::{
    AttemptOutcome, ClaimRequest, HandOver, Ledger, LedgerError, NewDocument, NewIntent, Query, ReceiveBatch,
    Settlement, Verdict, Work, WorkerId,
};
use einvoice_core::source::SourceRef;
use einvoice_ledger_sqlite::{LedgerConfig, SqliteLedger};

use crate::once::registered_run;
use crate::{Answer, einvoice, folder};

const FIRST: &str = "29AABCE1234F1Z1/2026-27/INV/CLI/1";
const OPEN: &str = "29AABCE1234F1Z1/2026-27/INV/CLI/9";
const LEASE: Duration = Duration::from_mins(1);

fn worker() -> WorkerId {
    WorkerId("a run of long ago".to_owned())
}

/// Works on the ledger of a folder as a run did once, and lets go of it.
fn with_ledger<T>(directory: &Path, work: impl AsyncFnOnce(Arc<dyn Ledger>) -> T) -> T {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let config = LedgerConfig { path: directory.join("einvoice.db"), ..LedgerConfig::default() };
    let answer = runtime.block_on(async {
        let ledger: Arc<dyn Ledger> = Arc::new(SqliteLedger::open(&config, Arc::new(SystemClock)).await.unwrap());
        let answer = work(Arc::clone(&ledger)).await;
        drop(ledger);
        // The writer ends on its own time; the lock tells when.
        while let Err(LedgerError::InUse { .. }) = SqliteLedger::open(&config, Arc::new(SystemClock)).await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        answer
    });
    drop(runtime);
    answer
}

/// A cancellation of the first document that nobody knows the outcome of, handed over or not.
fn lost_cancellation(directory: &Path, hand_over: Option<&str>) -> String {
    let JobId(id) = with_ledger(directory, async |ledger: Arc<dyn Ledger>| {
        let query = Query { text: Some("CLI/1".to_owned()), ..Query::default() };
        let status = ledger.query(query).await.unwrap().remove(0);
        let reason = einvoice_core::ewb::CancelReason::Duplicate;
        let task = Task::CancelIrn { irn: status.irn.unwrap(), reason, remark: "entered twice".to_owned() };
        let planned = NewJob {
            steps: task.steps(false),
            task,
            document: Some(status.id),
            gstin: status.key.unwrap().supplier,
            route: None,
            site: None,
            not_before: None,
            deadline: None,
        };
        let id = ledger.plan(planned).await.unwrap();
        let claim = JobClaim { worker: worker(), only: vec![id], limit: 1, lease: LEASE };
        ledger.claim_jobs(claim).await.unwrap();
        let now = SystemClock.now();
        let intent = StepIntent {
            position: 0,
            route: RouteName::new("emulator"),
            site: "NIC1".to_owned(),
            at: now,
            before: None,
        };
        ledger.begin_step(&worker(), id, intent).await.unwrap();
        let outcome = StepOutcome::Unknown {
            message: "no answer".to_owned(),
            due_at: now,
            errors: Vec::new(),
            hand_over: hand_over.map(str::to_owned),
        };
        ledger.end_step(&worker(), id, outcome).await.unwrap();
        id
    });
    id.to_string()
}

/// A document that is registered for certain, with an acknowledgement that nobody knows.
fn without_acknowledgement(directory: &Path) {
    let text = std::fs::read_to_string(directory.join("inbox/needs-person/three.jsonl")).unwrap();
    let payload = text.lines().next().unwrap().replace("CLI/1", "CLI/9");
    with_ledger(directory, async |ledger: Arc<dyn Ledger>| {
        let key: DocumentKey = OPEN.parse().unwrap();
        let irn = Irn::compute(&key, IrnRule::UpperCase);
        let document = NewDocument {
            reference: SourceRef { location: "l".into(), position: "p".into(), record_id: "r".into() },
            arrival: None,
            attributes: BTreeMap::new(),
            label: "INV CLI/9".into(),
            key: Some(key.clone()),
            content_hash: [9; 32],
            verdict: Verdict::Ready { payload: payload.into(), irn },
            findings: Vec::new(),
        };
        let batch = ReceiveBatch { source: "billing".into(), cursor: None, documents: vec![document] };
        ledger.receive(batch).await.unwrap();
        let wish =
            |work| ClaimRequest { worker: worker(), work, limit: 1, lease: LEASE, skip_suppliers: BTreeSet::new() };
        let claimed = ledger.claim(wish(Work::Send)).await.unwrap().remove(0);
        let intent = NewIntent {
            document: claimed.id,
            worker: worker(),
            route: RouteName::new("emulator"),
            site: "NIC1".into(),
            gstin: key.supplier,
            payload_hash: claimed.payload_hash,
        };
        let intent = ledger.intend(intent).await.unwrap();
        let ask_at = SystemClock.now();
        let lost = AttemptOutcome::Unknown { reason: "lost".into(), ask_at, errors: Vec::new(), info: Vec::new() };
        ledger.record(intent.attempt, lost).await.unwrap();
        assert_eq!(ledger.claim(wish(Work::Settle)).await.unwrap().len(), 1);
        let hand_over = Some(HandOver::Acknowledgement { irn, remedy: "Read it at the GST portal.".into() });
        let ask_at = ask_at.checked_add(jiff::SignedDuration::from_hours(24)).unwrap();
        let open = Settlement::StillUnknown { reason: "long ago".into(), ask_at, hand_over };
        ledger.settle(&worker(), claimed.id, open).await.unwrap();
    });
}

fn state(directory: &Path, key: &str) -> String {
    let answer = einvoice(directory, &["status", key, "--json"]);
    answer.objects()[0]["state"].as_str().unwrap().to_owned()
}

fn with<'a>(objects: &'a [serde_json::Value], member: &str) -> &'a serde_json::Value {
    &objects.iter().find(|object| object.get(member).is_some()).unwrap_or_else(|| panic!("{objects:?}"))[member]
}

#[track_caller]
fn assert_code(answer: &Answer, code: i32) {
    assert_eq!(answer.code, code, "{}{}", answer.out, answer.err);
}

#[test]
fn a_job_is_shown_with_what_to_look_up_and_takes_the_answer_once() {
    let directory = folder();
    registered_run(directory.path());
    let id = lost_cancellation(directory.path(), Some("Look the IRN up at the e-invoice portal."));
    let done = ["resolve", "--job", &id, "--done", "--at", "2026-11-05 14:26", "--reason", "seen there"];
    let unasked = einvoice(directory.path(), &done);
    assert_code(&unasked, 2);
    assert!(unasked.out.contains("Look the IRN up"), "{}", unasked.out);
    assert!(
        unasked.err.contains("Nothing proves it but your word") && unasked.err.contains("--yes"),
        "{}",
        unasked.err
    );
    assert_eq!(state(directory.path(), FIRST), "cancelling");

    let answer = einvoice(directory.path(), &[&done[..], &["--yes", "--json"]].concat());
    assert_code(&answer, 0);
    let objects = answer.objects();
    assert_eq!(objects[0]["state"], "done", "{objects:?}");
    assert!(objects[0]["message"].as_str().unwrap().contains("seen there"), "{objects:?}");
    assert_eq!(state(directory.path(), FIRST), "cancelled");
    let results = std::fs::read_dir(directory.path().join("inbox")).unwrap().count();
    assert!(results > 0);

    let again = einvoice(directory.path(), &[&done[..], &["--yes", "--json"]].concat());
    assert_code(&again, 1);
    let refusal = again.objects()[0]["refused"]["message"].as_str().unwrap().to_owned();
    assert!(refusal.contains("is done: nothing about it is unknown"), "{refusal}");
}

#[test]
fn a_job_that_was_not_done_goes_back_to_the_plan() {
    let directory = folder();
    registered_run(directory.path());
    let id = lost_cancellation(directory.path(), Some("Look the IRN up."));
    let dropped = einvoice(directory.path(), &["resolve", "--job", &id, "--drop", "--reason", "r", "--yes", "--json"]);
    assert_code(&dropped, 1);
    assert!(dropped.objects()[0]["refused"]["message"].as_str().unwrap().contains("is not dropped"), "{}", dropped.out);
    let not_done = einvoice(directory.path(), &["resolve", "--job", &id, "--not-done", "--reason", "r", "--yes"]);
    assert_code(&not_done, 0);
    assert!(not_done.out.contains(&format!("`einvoice jobs withdraw {id}`")), "{}", not_done.out);
    assert_eq!(state(directory.path(), FIRST), "registered");
}

#[test]
fn a_job_that_the_portal_can_still_tell_of_is_asked_about_and_no_word_is_taken() {
    let directory = folder();
    registered_run(directory.path());
    let id = lost_cancellation(directory.path(), None);
    let early =
        einvoice(directory.path(), &["resolve", "--job", &id, "--not-done", "--reason", "r", "--yes", "--json"]);
    assert_code(&early, 1);
    let refusal = early.objects()[0]["refused"]["message"].as_str().unwrap().to_owned();
    assert!(refusal.contains("the portal can still be asked"), "{refusal}");
    let missing = einvoice(directory.path(), &["resolve", "--job", "99"]);
    assert_code(&missing, 2);
    assert!(missing.err.contains("there is no job 99"), "{}", missing.err);
}

#[test]
fn an_acknowledgement_is_entered_and_the_document_is_never_sent_again() {
    let directory = folder();
    registered_run(directory.path());
    without_acknowledgement(directory.path());
    let asked = einvoice(directory.path(), &["resolve", OPEN, "--json"]);
    assert_code(&asked, 4);
    let objects = asked.objects();
    let hand_over = with(&objects, "hand_over");
    assert_eq!((&hand_over["document"], &hand_over["registered"]), (&OPEN.into(), &true.into()), "{objects:?}");
    assert!(hand_over["remedy"].as_str().unwrap().contains("GST portal"), "{hand_over}");

    let not_there = einvoice(directory.path(), &["resolve", OPEN, "--not-there", "--reason", "r", "--yes", "--json"]);
    assert_code(&not_there, 4);
    assert!(not_there.out.contains("registered for certain"), "{}", not_there.out);
    assert_eq!(state(directory.path(), OPEN), "unknown");

    let enter = ["resolve", OPEN, "--registered", "--ack-no", "112610000000099", "--ack-date", "05/11/2026 14:26"];
    let enter = [&enter[..], &["--reason", "read at the GST portal", "--yes"]].concat();
    assert_code(&einvoice(directory.path(), &enter), 0);
    let status = einvoice(directory.path(), &["status", OPEN, "--json"]).objects().remove(0);
    assert_eq!((&status["state"], &status["ack_no"]), (&"registered".into(), &"112610000000099".into()), "{status}");
    assert_eq!(status["ack_date"], "2026-11-05 14:26:00");
}
