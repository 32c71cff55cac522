//! What comes after a registration, against the emulator inside the program: cancelling, looking up, e-way bills,
//! jobs, and what `status` tells of the time left.

use std::path::Path;

use serde_json::Value;

use crate::once::{another, registered_run};
use crate::{Answer, einvoice, folder};

const FIRST: &str = "29AABCE1234F1Z1/2026-27/INV/CLI/1";
const INVALID: &str = "29AABCE1234F1Z1/2026-27/INV/CLI/2";
const THIRD: &str = "29AABCE1234F1Z1/2026-27/INV/CLI/3";

/// The status of one document.
fn status(directory: &Path, key: &str) -> Value {
    let answer = einvoice(directory, &["status", key, "--json"]);
    answer.objects().into_iter().next().unwrap_or_else(|| panic!("{}{}", answer.out, answer.err))
}

fn cancel(directory: &Path, arguments: &[&str]) -> Answer {
    let all = [&["cancel", "--reason", "duplicate", "--remark", "entered twice"][..], arguments].concat();
    einvoice(directory, &all)
}

/// The objects that have this member.
fn with(answer: &Answer, member: &str) -> Vec<Value> {
    answer.objects().into_iter().filter(|object| object.get(member).is_some()).collect()
}

#[test]
fn status_tells_until_when_a_registration_can_be_cancelled() {
    let directory = folder();
    registered_run(directory.path());
    let first = status(directory.path(), FIRST);
    assert!(first["cancel_until"].as_str().is_some_and(|until| until.starts_with("20")), "{first}");
    assert_eq!((&first["report_until"], &first["ewb"]), (&Value::Null, &Value::Null));
    assert_eq!(first["jobs"], serde_json::json!([]));
    let list = einvoice(directory.path(), &["status"]);
    let told = ["cancel 23 h", "cancel 24 h"].iter().any(|left| list.out.contains(left));
    assert!(told, "the acknowledgement is rounded to the minute, upwards too: {}", list.out);
}

#[test]
fn status_tells_the_last_day_to_report_where_the_turnover_sets_one() {
    let directory = folder();
    registered_run(directory.path());
    assert_eq!(status(directory.path(), INVALID)["report_until"], Value::Null, "4 crore set no limit");
    let set = ["status", INVALID, "--json", "--set", "rules.turnover_crore=12"];
    let objects = einvoice(directory.path(), &set).objects();
    assert!(objects[0]["report_until"].is_string(), "{}", objects[0]);
}

#[test]
fn nothing_is_cancelled_without_a_yes_and_the_plan_is_shown() {
    let directory = folder();
    registered_run(directory.path());
    let answer = cancel(directory.path(), &[FIRST]);
    assert_eq!(answer.code, 2, "{}{}", answer.out, answer.err);
    assert!(answer.out.contains("cancel IRN"), "{}", answer.out);
    assert!(answer.err.contains("pass --yes"), "{}", answer.err);
    assert_eq!(status(directory.path(), FIRST)["state"], "registered");
    let plan = cancel(directory.path(), &[FIRST, "--plan-only", "--json"]);
    assert_eq!(plan.code, 0, "{}{}", plan.out, plan.err);
    let objects = plan.objects();
    assert_eq!((objects[0]["plan"].as_str(), objects[0]["document"].as_str()), (Some("cancel_irn"), Some(FIRST)));
    assert!(objects[0]["deadline"].is_string());
    assert_eq!(status(directory.path(), FIRST)["state"], "registered");
}

#[test]
fn a_cancelled_registration_is_cancelled_once_and_its_story_tells_it() {
    let directory = folder();
    registered_run(directory.path());
    let answer = cancel(directory.path(), &[FIRST, "--yes", "--json"]);
    assert_eq!(answer.code, 0, "{}{}", answer.out, answer.err);
    let jobs = with(&answer, "job");
    assert_eq!((jobs.len(), jobs[0]["state"].as_str(), jobs[0]["document"].as_str()), (1, Some("done"), Some(FIRST)));
    assert_eq!(with(&answer, "summary")[0]["summary"]["exit_code"], 0);
    let first = status(directory.path(), FIRST);
    assert_eq!((&first["state"], &first["cancellation"]["reason"]), (&"cancelled".into(), &"duplicate".into()));
    let text = einvoice(directory.path(), &["status", FIRST]);
    assert!(text.out.contains(", duplicate: entered twice"), "{}", text.out);

    let again = cancel(directory.path(), &[FIRST, "--yes", "--json"]);
    assert_eq!(again.code, 1, "{}{}", again.out, again.err);
    assert_eq!(again.objects()[0]["refused"]["code"], "9999");
    let jobs = einvoice(directory.path(), &["jobs", "--json"]).objects();
    assert_eq!(jobs.len(), 1, "the second wish was never a job: {jobs:?}");
}

#[test]
fn a_file_cancels_line_by_line_and_a_wrong_line_does_not_hold_up_the_others() {
    let directory = folder();
    registered_run(directory.path());
    let lines = format!("key,reason,remark\n{FIRST},order-cancelled,not wanted\n{INVALID},duplicate,x\n{THIRD},2,x\n");
    std::fs::write(directory.path().join("cancel.csv"), lines).unwrap();
    let answer = einvoice(directory.path(), &["cancel", "--file", "cancel.csv", "--yes", "--json"]);
    assert_eq!(answer.code, 1, "{}{}", answer.out, answer.err);
    let plans = with(&answer, "plan");
    assert_eq!(plans.len(), 3);
    assert!(plans[1]["refused"]["message"].as_str().unwrap().contains("is invalid"), "{}", plans[1]);
    assert!(plans[2]["about"].as_str().unwrap().ends_with("(cancel.csv, line 4)"), "{}", plans[2]);
    assert!(plans[2]["refused"]["message"].as_str().unwrap().contains("3 the other way round"), "{}", plans[2]);
    assert_eq!(status(directory.path(), FIRST)["state"], "cancelled");
    assert_eq!(status(directory.path(), THIRD)["state"], "registered");
}

#[test]
fn a_query_cancels_what_is_registered_and_nothing_else() {
    let directory = folder();
    registered_run(directory.path());
    let answer = cancel(directory.path(), &["--query", "source=billing", "--yes", "--json"]);
    assert_eq!(answer.code, 0, "{}{}", answer.out, answer.err);
    assert_eq!((with(&answer, "plan").len(), with(&answer, "job").len()), (2, 2));
    assert_eq!(status(directory.path(), INVALID)["state"], "invalid");
}

#[test]
fn a_registration_is_looked_up_proven_and_compared_with_the_ledger() {
    let directory = folder();
    registered_run(directory.path());
    let irn = status(directory.path(), FIRST)["irn"].as_str().unwrap().to_owned();
    let answer = einvoice(directory.path(), &["lookup", "irn", &irn, "--json"]);
    assert_eq!(answer.code, 0, "{}{}", answer.out, answer.err);
    let found = answer.objects().remove(0);
    assert_eq!((found["lookup"].as_str(), found["registration"]["status"].as_str()), (Some("irn"), Some("active")));
    assert_eq!(found["signatures"].as_array().unwrap().len(), 2);
    assert!(found["signatures"].as_array().unwrap().iter().all(|signature| signature["verdict"] == "genuine"));
    assert_eq!((found["ledger"]["document"].as_str(), found["ledger"]["agrees"].as_bool()), (Some(FIRST), Some(true)));
    let text = einvoice(directory.path(), &["lookup", "irn", &irn]);
    assert!(text.out.contains("agrees") && text.out.contains("genuine"), "{}", text.out);
}

#[test]
fn what_the_portal_does_not_have_is_told_with_its_code_and_what_to_do() {
    let directory = folder();
    registered_run(directory.path());
    let login = ["--gstin", "29AABCE1234F1Z1"];
    let irn = "0".repeat(64);
    let answer = einvoice(directory.path(), &[&["lookup", "irn", &irn, "--json"][..], &login].concat());
    assert_eq!(answer.code, 1, "{}{}", answer.out, answer.err);
    let refused = &answer.objects()[0]["refused"];
    assert!(refused["code"].is_string() && refused["fix"].is_string() && refused["owner"].is_string(), "{refused}");
}

/// Has the emulator's books say something that went past our ledger.
fn behind_our_back(directory: &Path, event: &Value) {
    use std::io::Write as _;
    let path = directory.join("sandbox/journal.jsonl");
    let mut journal = std::fs::OpenOptions::new().append(true).open(path).unwrap();
    writeln!(journal, "{event}").unwrap();
}

/// The latest bill in the emulator's books.
fn bill_in_the_books(directory: &Path) -> Value {
    let journal = std::fs::read_to_string(directory.join("sandbox/journal.jsonl")).unwrap();
    let mut events = journal.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    events.rfind(|event| event["event"] == "bill").unwrap()
}

const AT: &str = "2026-01-05T06:30:00Z";

#[test]
fn a_cancellation_by_somebody_else_is_learnt_from_a_lookup_and_told_once() {
    let directory = folder();
    registered_run(directory.path());
    let irn = status(directory.path(), FIRST)["irn"].as_str().unwrap().to_owned();
    behind_our_back(directory.path(), &serde_json::json!({"event": "cancelled", "irn": irn, "at": AT}));
    let lookup = ["lookup", "irn", &irn, "--json"];
    let first = einvoice(directory.path(), &lookup);
    assert_eq!(first.code, 1, "{}{}", first.out, first.err);
    let learnt = &first.objects()[0]["learnt"];
    assert_eq!((learnt["document"].as_str(), learnt["state"].as_str()), (Some(FIRST), Some("cancelled")), "{learnt}");
    let now = status(directory.path(), FIRST);
    assert_eq!(now["state"], "cancelled");
    let again = einvoice(directory.path(), &lookup);
    assert_eq!((again.code, &again.objects()[0]["learnt"]), (0, &Value::Null), "{}", again.out);

    let third = status(directory.path(), THIRD)["irn"].as_str().unwrap().to_owned();
    behind_our_back(directory.path(), &serde_json::json!({"event": "cancelled", "irn": third, "at": AT}));
    let fixture: Value = std::fs::read_to_string(directory.path().join("inbox/needs-person/three.jsonl"))
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .find(|document| document["DocDtls"]["No"] == "CLI/3")
        .unwrap();
    let date = fixture["DocDtls"]["Dt"].as_str().unwrap();
    let text = einvoice(directory.path(), &["lookup", "document", "INV", "CLI/3", date]);
    assert!(text.out.contains("learnt: cancelled at the portal and not by us"), "{}{}", text.out, text.err);
    assert_eq!(status(directory.path(), THIRD)["state"], "cancelled");
}

#[test]
fn registrations_of_ours_on_the_list_of_rejected_ones_are_learnt_and_named() {
    let directory = folder();
    registered_run(directory.path());
    let registered = status(directory.path(), FIRST);
    let irn = registered["irn"].as_str().unwrap();
    let day = &registered["ack_date"].as_str().unwrap()[..10];
    let at = format!("{day}T06:30:00Z");
    behind_our_back(directory.path(), &serde_json::json!({"event": "rejected", "irn": irn, "at": at}));
    let lookup = ["lookup", "rejected", day, "--gstin", "29AABCE1234F1Z1"];
    let answer = einvoice(directory.path(), &[&lookup[..], &["--json"]].concat());
    assert_eq!(answer.code, 1, "{}{}", answer.out, answer.err);
    let row = &answer.objects()[0]["irns"][0];
    assert_eq!((row["document"].as_str(), row["learnt"].as_bool()), (Some(FIRST), Some(true)), "{row}");
    assert_eq!(row["state"], status(directory.path(), FIRST)["state"]);
    let again = einvoice(directory.path(), &lookup);
    assert_eq!(again.code, 0, "{}{}", again.out, again.err);
    assert!(again.out.contains(FIRST) && !again.out.contains("learnt"), "{}", again.out);
}

#[test]
fn what_became_of_a_bill_elsewhere_is_learnt_from_a_read() {
    let directory = folder();
    registered_run(directory.path());
    let generate = ["ewb", "generate", FIRST, "--vehicle", "KA01AB1234", "--distance", "120", "--json"];
    let number = with(&einvoice(directory.path(), &generate), "job")[0]["ewb"].as_str().unwrap().to_owned();
    let mut bill = bill_in_the_books(directory.path());
    bill["part_b"][0]["vehicle"] = "KA09ZZ9999".into();
    behind_our_back(directory.path(), &bill);
    let lookup = ["lookup", "ewb", &number, "--json"];
    let found = einvoice(directory.path(), &lookup).objects().remove(0);
    assert_eq!(found["learnt"]["ewb"].as_str(), Some(number.as_str()), "{found}");
    let show = einvoice(directory.path(), &["ewb", "show", &number, "--json"]).objects().remove(0);
    assert_eq!(show["bill"]["standing"]["movement"]["vehicle"], "KA09ZZ9999", "{show}");
    let again = einvoice(directory.path(), &lookup);
    assert_eq!((again.code, &again.objects()[0]["learnt"]), (0, &Value::Null), "{}", again.out);

    bill["cancelled_at"] = bill["made_at"].clone();
    behind_our_back(directory.path(), &bill);
    let text = einvoice(directory.path(), &["ewb", "show", &number, "--portal"]);
    assert!(text.code == 1 && text.out.contains("learnt: the ledger has it as cancelled"), "{}{}", text.out, text.err);
    assert_eq!(status(directory.path(), FIRST)["ewb_state"], "cancelled");
}

#[test]
fn a_bill_that_the_ledger_does_not_know_is_learnt_with_its_document() {
    let directory = folder();
    registered_run(directory.path());
    // A second ledger over the same portal makes the bill.
    for ending in ["", "-wal"] {
        let from = directory.path().join(format!("einvoice.db{ending}"));
        // The log is there until it was worked into the file.
        if from.exists() {
            std::fs::copy(from, directory.path().join(format!("other.db{ending}"))).unwrap();
        }
    }
    let generate = ["ewb", "generate", FIRST, "--vehicle", "KA01AB1234", "--distance", "120", "--json"];
    let other = ["--set", "ledger.path=other.db"];
    let made = einvoice(directory.path(), &[&generate[..], &other].concat());
    assert_eq!(made.code, 0, "{}{}", made.out, made.err);
    let number = with(&made, "job")[0]["ewb"].as_str().unwrap().to_owned();
    assert_eq!(status(directory.path(), FIRST)["ewb"], Value::Null);
    let lookup = ["lookup", "ewb", &number, "--gstin", "29AABCE1234F1Z1", "--json"];
    let found = einvoice(directory.path(), &lookup).objects().remove(0);
    assert_eq!(found["learnt"]["document"].as_str(), Some(FIRST), "{found}");
    assert_eq!(status(directory.path(), FIRST)["ewb"]["number"].as_str(), Some(number.as_str()));
}

#[test]
fn a_bill_is_closed_once_the_hold_is_over_and_not_before() {
    let directory = folder();
    registered_run(directory.path());
    let generate = ["ewb", "generate", FIRST, "--vehicle", "KA01AB1234", "--distance", "120", "--json"];
    let number = with(&einvoice(directory.path(), &generate), "job")[0]["ewb"].as_str().unwrap().to_owned();
    let close = ["ewb", "close", &number, "--remark", "delivered", "--yes", "--json"];
    let refused = einvoice(directory.path(), &close);
    let message = refused.objects()[0]["refused"]["message"].to_string();
    assert!(refused.code == 1 && message.contains("on hold"), "{}{}", refused.out, refused.err);
    let on = [
        "--set",
        "rules.ship_to_gstin={ from = \"2026-08-01\" }",
        "--set",
        "route.emulator.portal.ship_to_gstin_from=\"2026-08-01\"",
    ];
    let closed = einvoice(directory.path(), &[&close[..], &on].concat());
    assert_eq!(closed.code, 0, "{}{}", closed.out, closed.err);
    assert_eq!(status(directory.path(), FIRST)["ewb_state"], "closed");
}

#[test]
fn a_taxpayer_is_looked_up() {
    let directory = folder();
    registered_run(directory.path());
    let answer =
        einvoice(directory.path(), &["lookup", "gstin", "29AABCE1234F1Z1", "--gstin", "29AABCE1234F1Z1", "--json"]);
    assert!(answer.code <= 1, "{}{}", answer.out, answer.err);
    assert_eq!(answer.objects()[0]["taxpayer"]["gstin"], "29AABCE1234F1Z1");
}

#[test]
fn a_registered_document_gets_an_e_way_bill_and_is_cancelled_after_it() {
    let directory = folder();
    registered_run(directory.path());
    let generate = ["ewb", "generate", FIRST, "--vehicle", "KA01AB1234", "--distance", "120", "--json"];
    let answer = einvoice(directory.path(), &generate);
    assert_eq!(answer.code, 0, "{}{}", answer.out, answer.err);
    let number = with(&answer, "job")[0]["ewb"].as_str().unwrap().to_owned();
    let first = status(directory.path(), FIRST);
    assert_eq!(
        (first["ewb"]["number"].as_str(), first["ewb"]["state"].as_str()),
        (Some(number.as_str()), Some("active"))
    );
    assert!(first["ewb"]["valid_till"].is_string());

    let twice = einvoice(directory.path(), &generate);
    assert_eq!((twice.code, twice.objects()[0]["refused"]["code"].as_str()), (1, Some("4002")));
    let list = einvoice(directory.path(), &["ewb", "list", "--open", "--json"]).objects();
    assert_eq!((list.len(), list[0]["ewb"].as_str()), (1, Some(number.as_str())));
    let of_document = einvoice(directory.path(), &["ewb", "list", "--document", "CLI/1", "--json"]).objects();
    assert_eq!((of_document.len(), of_document[0]["ewb"].as_str()), (1, Some(number.as_str())));

    let cancelled = cancel(directory.path(), &[FIRST, "--yes", "--json"]);
    assert_eq!(cancelled.code, 0, "{}{}", cancelled.out, cancelled.err);
    assert_eq!(with(&cancelled, "plan")[0]["steps"], serde_json::json!(["cancel_ewb", "cancel_irn"]));
    let first = status(directory.path(), FIRST);
    assert_eq!((first["state"].as_str(), first["ewb_state"].as_str()), (Some("cancelled"), Some("cancelled")));
}

#[test]
fn a_bill_that_failed_beside_its_registration_is_retried_alone_and_what_is_missing_is_told() {
    let directory = folder();
    registered_run(directory.path());
    // By road the kind of vehicle is needed (4022); that costs the bill and not the IRN.
    let ewb = r#""EwbDtls":{"TransMode":"1","Distance":120,"VehNo":"KA01AB1234"}"#;
    another(directory.path(), |text| text.replacen('{', &format!("{{{ewb},"), 1));
    let run = einvoice(directory.path(), &["run", "--once"]);
    let nine = "29AABCE1234F1Z1/2026-27/INV/CLI/9";
    let before = status(directory.path(), nine);
    assert_eq!(
        (before["state"].as_str(), before["ewb_state"].as_str()),
        (Some("registered"), Some("failed")),
        "{}",
        run.out
    );

    let retry = einvoice(directory.path(), &["retry", nine, "--json"]);
    assert_eq!(retry.code, 1, "{}{}", retry.out, retry.err);
    let refused = &retry.objects()[0]["refused"];
    assert_eq!(refused["code"], "4022", "{refused}");
    assert!(refused["fix"].as_str().is_some_and(|fix| fix.contains("einvoice ewb generate")), "{refused}");
    assert_eq!(with(&retry, "job").len(), 0, "nothing was sent");

    let generate = ["ewb", "generate", nine, "--vehicle", "KA01AB1234", "--distance", "120", "--json"];
    let answer = einvoice(directory.path(), &generate);
    assert_eq!(answer.code, 0, "{}{}", answer.out, answer.err);
    assert_eq!(status(directory.path(), nine)["ewb_state"], "active");
}

#[test]
fn an_extension_asked_for_early_is_planned_for_its_window_and_can_be_withdrawn() {
    let directory = folder();
    registered_run(directory.path());
    let generate = ["ewb", "generate", FIRST, "--vehicle", "KA01AB1234", "--distance", "900", "--json"];
    let number = with(&einvoice(directory.path(), &generate), "job")[0]["ewb"].as_str().unwrap().to_owned();
    let extend = [
        "ewb",
        "extend",
        &number,
        "--from-place",
        "Hosur",
        "--from-state",
        "33",
        "--from-pin",
        "635109",
        "--distance",
        "300",
        "--reason",
        "accident",
        "--remark",
        "tyre",
        "--json",
    ];
    let answer = einvoice(directory.path(), &extend);
    assert_eq!(answer.code, 0, "{}{}", answer.out, answer.err);
    let job = &with(&answer, "job")[0];
    assert_eq!(job["state"], "planned");
    assert!(job["not_before"].is_string() && job["deadline"].is_string(), "{job}");
    assert_eq!(status(directory.path(), FIRST)["jobs"][0]["job"], job["job"]);

    let id = job["job"].to_string();
    let asked = einvoice(directory.path(), &["jobs", "withdraw", &id]);
    assert_eq!(asked.code, 2, "{}{}", asked.out, asked.err);
    let withdrawn = einvoice(directory.path(), &["jobs", "withdraw", &id, "--yes", "--json"]);
    assert_eq!(withdrawn.code, 0, "{}{}", withdrawn.out, withdrawn.err);
    let one = einvoice(directory.path(), &["jobs", &id, "--json"]).objects();
    assert_eq!(one[0]["state"], "withdrawn");
}

#[test]
fn with_nothing_open_resolve_and_retry_say_so() {
    let directory = folder();
    registered_run(directory.path());
    for (name, said) in [("resolve", "nothing is unknown"), ("retry", "no e-way bill has failed")] {
        let answer = einvoice(directory.path(), &[name]);
        assert_eq!((answer.code, answer.err.as_str()), (0, ""), "{name}: {}", answer.out);
        assert!(answer.out.contains(said), "{name}: {}", answer.out);
    }
}

#[test]
fn a_decision_that_leaves_nothing_to_decide_is_refused() {
    let directory = folder();
    registered_run(directory.path());
    let adopt = ["resolve", FIRST, "--adopt", "--reason", "same", "--yes", "--json"];
    let answer = einvoice(directory.path(), &adopt);
    assert_eq!(answer.code, 1, "{}{}", answer.out, answer.err);
    assert!(answer.objects()[0]["refused"]["message"].as_str().unwrap().contains("is registered"));
}

#[test]
fn a_document_that_is_not_there_and_a_job_that_is_not_there_are_told() {
    let directory = folder();
    registered_run(directory.path());
    let answer = cancel(directory.path(), &["CLI/99", "--yes"]);
    assert_eq!(answer.code, 1, "{}{}", answer.out, answer.err);
    assert!(answer.out.contains("there is no document `CLI/99`"), "{}", answer.out);
    let answer = einvoice(directory.path(), &["jobs", "99"]);
    assert_eq!(answer.code, 2);
    assert!(answer.err.contains("there is no job 99"), "{}", answer.err);
}

#[test]
fn a_number_is_no_reason_and_is_told_before_anything_is_opened() {
    let directory = folder();
    let answer = einvoice(directory.path(), &["cancel", "A/1", "--reason", "2", "--remark", "x"]);
    assert_eq!(answer.code, 2);
    assert!(answer.err.contains("2 is a data entry mistake for the e-invoice system"), "{}", answer.err);
}
