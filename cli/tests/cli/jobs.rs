//! What commands that change something tell of it: plans, jobs, the last line of `--json`.

use crate::once::{config, registered_run};
use crate::{Answer, einvoice, folder};

const FIRST: &str = "29AABCE1234F1Z1/2026-27/INV/CLI/1";
const CANCEL: [&str; 5] = ["cancel", "--reason", "duplicate", "--remark", "twice"];

fn summary(answer: &Answer) -> serde_json::Value {
    let last = answer.objects().pop().unwrap_or_else(|| panic!("nothing on standard output: {}", answer.err));
    assert_eq!(last["summary"]["exit_code"].as_i64(), Some(i64::from(answer.code)), "{last}");
    last["summary"].clone()
}

#[test]
fn the_last_line_for_programs_is_a_summary_whatever_was_done() {
    let directory = folder();
    registered_run(directory.path());
    let cancel = |more: &[&str]| einvoice(directory.path(), &[&CANCEL[..], more, &["--json"]].concat());
    assert_eq!(summary(&cancel(&["--query", "text=nothing", "--yes"]))["planned"], 0);
    assert_eq!(summary(&cancel(&[FIRST, "--plan-only"]))["planned"], 0, "a plan makes no job");
    assert_eq!(summary(&cancel(&["CLI/99", "--yes"]))["refused"], 1);
    assert_eq!(summary(&cancel(&[FIRST, "--yes"]))["planned"], 1);
    assert_eq!(summary(&einvoice(directory.path(), &["retry", "--json"]))["planned"], 0);
    assert_eq!(summary(&einvoice(directory.path(), &["retry", "CLI/99", "--json"]))["refused"], 1);
}

#[test]
fn a_job_that_is_over_cannot_be_withdrawn_and_nobody_is_asked() {
    let directory = folder();
    registered_run(directory.path());
    einvoice(directory.path(), &[&CANCEL[..], &[FIRST, "--yes"]].concat());
    let answer = einvoice(directory.path(), &["jobs", "withdraw", "1"]);
    assert_eq!(answer.code, 1, "{}{}", answer.out, answer.err);
    assert!(answer.out.starts_with("job 1 is done and cannot be withdrawn\nto do: "), "{}", answer.out);
    let object = einvoice(directory.path(), &["jobs", "withdraw", "1", "--yes", "--json"]).objects().remove(0);
    assert_eq!((object["job"].as_i64(), object["refused"]["message"].is_string()), (Some(1), true), "{object}");
}

#[test]
fn a_plan_and_its_job_name_the_same_bill_and_have_no_column_that_says_nothing() {
    let directory = folder();
    registered_run(directory.path());
    let generate = ["ewb", "generate", FIRST, "--vehicle", "KA01AB1234", "--distance", "120"];
    let made = einvoice(directory.path(), &generate);
    assert_eq!(made.code, 0, "{}{}", made.out, made.err);
    assert!(!made.out.contains("NOT BEFORE") && !made.out.contains("LEFT"), "{}", made.out);
    let part_b = ["--from-place", "Mysuru", "--from-state", "29", "--reason", "breakdown", "--vehicle", "KA01AB9999"];
    let answer = einvoice(directory.path(), &[&["ewb", "part-b", "391000000001"][..], &part_b].concat());
    assert_eq!(answer.out.matches("\ne-way bill 391000000001  ").count(), 1, "{}", answer.out);
    assert!(answer.out.contains("\n2    e-way bill 391000000001  done "), "{}", answer.out);
    let json = einvoice(directory.path(), &[&["ewb", "part-b", "391000000001", "--json"][..], &part_b].concat());
    let objects = json.objects();
    assert_eq!((&objects[0]["document"], &objects[1]["document"]), (&FIRST.into(), &FIRST.into()), "{}", json.out);
    let story = einvoice(directory.path(), &["jobs", "2"]);
    assert!(story.out.starts_with("job 2: update Part B\n") && !story.out.contains("sent "), "{}", story.out);
}

#[test]
fn a_refused_job_on_record_is_not_told_anew_with_each_list() {
    let directory = folder();
    registered_run(directory.path());
    let sheet = ["ewb", "trip-sheet", "1000000001", "--gstin", "29AABCE1234F1Z1", "--vehicle", "KA01AB7777"];
    let from = ["--from-place", "Hosur", "--from-state", "33", "--reason", "breakdown"];
    let answer = einvoice(directory.path(), &[&sheet[..], &from].concat());
    assert_eq!(answer.code, 1, "{}{}", answer.out, answer.err);
    assert!(answer.out.contains("job 1 (trip sheet 1000000001) is refused"), "{}", answer.out);
    let list = einvoice(directory.path(), &["jobs"]);
    assert!(list.out.ends_with("1 job; `einvoice jobs ID` says what to do about a refused one\n"), "{}", list.out);
    assert!(!list.out.contains("to do:"), "{}", list.out);
}

#[test]
fn an_empty_ledger_says_what_fills_it() {
    let directory = folder();
    config(directory.path());
    for (arguments, said) in [
        (&["status"][..], "no documents yet; `einvoice run`"),
        (&["status", "--state", "rejected by registry"], "no such documents; `einvoice status` lists all"),
        (&["jobs"], "no jobs yet; `einvoice cancel`"),
        (&["jobs", "--state", "done"], "no such jobs; `einvoice jobs` lists all"),
    ] {
        let answer = einvoice(directory.path(), arguments);
        assert_eq!(answer.code, 0, "{arguments:?}: {}", answer.err);
        assert!(answer.out.contains(said), "{arguments:?}: {}", answer.out);
    }
}

#[test]
fn retry_says_what_waits_and_for_when() {
    let directory = folder();
    registered_run(directory.path());
    einvoice(directory.path(), &["ewb", "generate", FIRST, "--vehicle", "KA01AB1234", "--distance", "900"]);
    let extend =
        ["ewb", "extend", "391000000001", "--from-place", "Hosur", "--from-state", "33", "--from-pin", "635109"];
    let answer = einvoice(directory.path(), &[&extend[..], &["--distance", "300", "--reason", "accident"]].concat());
    assert!(answer.out.contains("1 job planned for later"), "{}{}", answer.out, answer.err);
    let retry = einvoice(directory.path(), &["retry"]);
    assert!(retry.out.contains("no job is due; 1 job open, the next for 20"), "{}", retry.out);
}
