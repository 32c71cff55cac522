//! The test report over a network: through providers, interrupted and killed, and what only a person can name.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::browser::Browser;
use crate::process::{Answer, Emulator, Installation, PROGRAM};

/// Taxpayers that nobody is; the emulator knows everybody whose state exists.
const BUYER: &str = "27AABCM5678K1ZY";
const SEZ_BUYER: &str = "33AABCS5678K1ZZ";

/// An emulator and an installation, and what a run has left.
struct Run {
    emulator: Emulator,
    installation: Installation,
}

impl Run {
    fn direct() -> Self {
        let emulator = Emulator::start();
        let installation = Installation::direct(&emulator);
        Self { emulator, installation }
    }

    fn through(provider: &str) -> Self {
        let emulator = Emulator::start_with_providers(&[provider]);
        let installation = Installation::through_providers(&emulator);
        Self { emulator, installation }
    }

    fn arguments(&self, more: &[&str]) -> Vec<String> {
        let supplier = self.emulator.suppliers()[0].clone();
        let fixed = ["onboard", "test-report", "--gstin", &supplier, "--buyer", BUYER, "--sez-buyer", SEZ_BUYER];
        let pace: &[&str] = if more.contains(&"--pace") { &[] } else { &["--pace", "0"] };
        let all = [&fixed[..], &["--login-pace", "0"], pace, more].concat();
        all.into_iter().map(str::to_owned).collect()
    }

    fn call(&self, more: &[&str]) -> Answer {
        let arguments = self.arguments(more);
        self.installation.call(&arguments.iter().map(String::as_str).collect::<Vec<_>>())
    }

    /// What each case was sent as, in order, and what came of it.
    fn state(&self) -> (Vec<String>, BTreeMap<String, Value>) {
        let text = fs::read_to_string(self.installation.path("onboard/test-report.jsonl")).unwrap_or_default();
        let (mut sent, mut done) = (Vec::new(), BTreeMap::new());
        // A run that was killed may have left half a line.
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        for line in whole.lines().skip(1).map(|line| serde_json::from_str::<Value>(line).unwrap()) {
            if let Some(case) = line["sending"]["case"].as_str() {
                sent.push(case.to_owned());
                continue;
            }
            if let Some(case) = line["again"].as_str() {
                done.remove(case);
                continue;
            }
            let case = line["done"]["case"].as_str().unwrap().to_owned();
            assert!(done.insert(case, line["done"].clone()).is_none(), "a case has two results: {line}");
        }
        (sent, done)
    }

    fn page(&self) -> String {
        fs::read_to_string(self.installation.path("onboard/test-report.html")).unwrap()
    }

    /// Everything that was written and said is free of secrets.
    fn shows_no_secret(&self, said: &str) {
        let state = fs::read_to_string(self.installation.path("onboard/test-report.jsonl")).unwrap();
        for secret in self.emulator.secrets() {
            for text in [said, &state, &self.page()] {
                assert!(!text.contains(&secret), "{secret} is shown");
            }
        }
    }
}

/// The objects of an answer with `--json`, the last one apart.
fn objects(answer: &Answer) -> (Vec<Value>, Value) {
    let lines = answer.text.lines().filter(|line| line.starts_with('{'));
    let mut objects: Vec<Value> = lines.map(|line| serde_json::from_str(line).unwrap()).collect();
    let end = objects.pop().unwrap_or_else(|| panic!("nothing was said for programs: {}", answer.text));
    (objects, end)
}

fn count(api: &Value, name: &str) -> u64 {
    api["counts"][name].as_u64().unwrap()
}

/// Documents that stand in the portal's books more or less than once.
fn not_once(emulator: &Emulator) -> Vec<Value> {
    emulator.books().into_iter().filter(|document| document["registrations"] != 1).collect()
}

#[test]
fn a_provider_that_passes_the_protocol_on_gets_all_but_what_it_knows_its_caller_by() {
    let run = Run::through("alankit");
    let answer = run.call(&["--json", "--only", "auth", "--only", "get-by-document", "--only", "cancel"]);
    assert_eq!(answer.code, 0, "what is left out is no failure: {}", answer.text);
    let (apis, end) = objects(&answer);
    assert_eq!((&end["different"], &end["not_run"]), (&json!(0), &json!(0)), "{}", answer.text);
    for header in ["client_id", "client_secret", "Gstin"] {
        let reason = format!("left out, since the provider reads or writes the header {header} itself: ");
        assert!(answer.text.contains(&reason), "{}", answer.text);
    }
    let (sent, done) = run.state();
    let with_codes = |prefix: &str, code: &str| {
        done.iter().any(|(case, evidence)| case.starts_with(prefix) && evidence["codes"] == json!([code]))
    };
    // Bodies without the envelope, a wrong token, another site, credentials of nobody: the portal itself says no.
    for (prefix, code) in [("AUTH-N", "5003"), ("AUTH-N", "1017"), ("CANCEL-N", "1005"), ("DOC-N", "3098")] {
        assert!(with_codes(prefix, code), "{prefix} {code}");
    }
    for api in apis.iter().filter(|api| api["api"] != "generate") {
        assert!(count(api, "succeeded") >= 50 && count(api, "left_out") >= 7, "{api}");
    }
    assert_eq!(sent.len(), done.len(), "no case is sent twice");
    let page = run.page();
    assert!(page.contains(" cases are left out, since the provider between") && !page.contains("INCOMPLETE: "));
    assert!(page.contains("A REHEARSAL"), "an emulator on this machine is no NIC");
    run.shows_no_secret(&answer.text);
}

#[test]
fn a_provider_that_seals_gets_documents_and_questions() {
    let run = Run::through("adaequare");
    let apis = ["auth", "gstin", "get-by-document", "cancel", "generate"];
    let only: Vec<&str> = apis.iter().flat_map(|api| ["--only", api]).collect();
    let answer = run.call(&[&["--json"][..], &only].concat());
    assert_eq!(answer.code, 0, "what is left out is no failure: {}", answer.text);
    let (apis, end) = objects(&answer);
    assert_eq!((&end["different"], &end["not_run"]), (&json!(0), &json!(0)), "{}", answer.text);
    for reason in [
        "since the provider makes the portal's login itself: AUTH-N001 to ",
        "since the provider makes the portal's envelope itself: ",
        "since the provider asks for every parameter before the portal is asked: ",
    ] {
        assert!(answer.text.contains(reason), "{reason}: {}", answer.text);
    }
    for api in &apis {
        let (yes, no) = (count(api, "succeeded"), count(api, "failed_as_expected"));
        match api["api"].as_str().unwrap() {
            "auth" => assert_eq!((yes, no), (0, 0)),
            "generate" => assert!(yes >= 50 && no >= 50, "{api}"),
            _ => assert!(yes >= 50 && no >= 20, "{api}"),
        }
    }
    run.shows_no_secret(&answer.text);
}

#[test]
fn a_provider_with_shapes_of_its_own_is_refused_before_anything_is_sent() {
    let run = Run::through("iris");
    let answer = run.call(&[]);
    assert_eq!(answer.code, 3, "{}", answer.text);
    assert!(answer.text.contains("sends only what a right program sends"), "{}", answer.text);
    assert!(!run.installation.path("onboard").exists());
    assert_eq!(run.emulator.calls("auth"), 0);
}

#[test]
fn an_interrupt_keeps_the_evidence_and_the_call_under_way_and_the_next_run_sends_the_rest() {
    let run = Run::direct();
    // Long enough for the interrupt to arrive while a call waits for its answer.
    run.emulator.fault("generate_irn", &json!({"kind": "delay", "ms": 3_000}), 1);
    let arguments = run.arguments(&["--only", "gstin", "--only", "cancel"]);
    let mut person = run.installation.at_terminal(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
    run.emulator.wait_for_calls("generate_irn", 1);
    person.control(b'C');
    let (code, text) = person.end();
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("interrupted; the same command goes on where this one stopped"), "{text}");
    let (sent, before) = run.state();
    assert_eq!(sent.len(), before.len(), "the call under way has its answer");
    let documents: Vec<&String> = before.keys().filter(|case| case.starts_with("IRN-")).collect();
    assert_eq!(documents.len(), 1, "nothing else was begun: {documents:?}");
    assert!(before.len() > 100 && before[documents[0]]["as_expected"] == true, "{}", before.len());
    let page = run.page();
    assert!(page.contains("INCOMPLETE: ") && page.contains("the run has not come to it yet"), "it does not say so");

    let answer = run.call(&["--only", "gstin", "--only", "cancel"]);
    assert_eq!(answer.code, 0, "{}", answer.text);
    assert!(answer.text.contains(&format!("{} of ", before.len())), "{}", answer.text);
    assert!(!run.page().contains("INCOMPLETE: "));
    let (sent, after) = run.state();
    assert!(before.iter().all(|(case, evidence)| after.get(case) == Some(evidence)), "evidence has changed");
    assert_eq!(sent.len(), sent.iter().collect::<BTreeSet<_>>().len(), "no case is sent twice");
    assert_eq!(not_once(&run.emulator), Vec::<Value>::new());
}

#[test]
fn an_interrupt_during_the_wait_between_two_calls_ends_at_once() {
    let run = Run::direct();
    // A minute between two calls: only the interrupt can end this run soon.
    let arguments = run.arguments(&["--only", "gstin", "--pace", "1"]);
    let mut person = run.installation.at_terminal(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
    // The progress line names the case that waits for its turn.
    person.expect("GSTIN-Y002");
    person.control(b'C');
    let (code, text) = person.end();
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("interrupted; the same command goes on where this one stopped"), "{text}");
    let (sent, done) = run.state();
    assert_eq!((sent.as_slice(), done.len()), (&["GSTIN-Y001".to_owned()][..], 1), "the case that waited is not sent");
    assert_eq!(run.emulator.calls("gstin_details"), 1);
    assert!(run.page().contains("INCOMPLETE: "));
}

#[test]
fn a_killed_run_asks_again_only_for_the_answer_that_it_lost() {
    let run = Run::direct();
    // No answer for an hour: the kill comes while the portal has the document and nobody here knows it.
    run.emulator.fault("generate_irn", &json!({"kind": "delay", "ms": 3_600_000}), 1);
    let arguments = run.arguments(&["--only", "gstin", "--only", "cancel"]);
    let mut command = run.installation.command(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    run.emulator.wait_for_calls("generate_irn", 1);
    child.kill().unwrap();
    child.wait().unwrap();
    let (sent, before) = run.state();
    let lost: Vec<&String> = sent.iter().filter(|case| !before.contains_key(*case)).collect();
    assert!(lost.len() == 1 && lost[0].starts_with("IRN-Y"), "{lost:?}");

    let answer = run.call(&["--only", "gstin", "--only", "cancel"]);
    assert_eq!(answer.code, 0, "{}", answer.text);
    let (again, after) = run.state();
    for case in after.keys() {
        let times = again.iter().filter(|sent| *sent == case).count();
        assert_eq!(times, if case == lost[0] { 2 } else { 1 }, "{case}");
    }
    let evidence = &after[lost[0]];
    assert_eq!(evidence["as_expected"], true, "{evidence}");
    assert!(evidence["note"].as_str().unwrap().contains("carried out the first time"), "{evidence}");
    assert!(before.iter().all(|(case, evidence)| after.get(case) == Some(evidence)), "evidence has changed");
    assert_eq!(not_once(&run.emulator), Vec::<Value>::new());
}

#[test]
fn an_old_irn_and_a_taxpayer_that_has_ended_bring_the_codes_that_need_them() {
    let run = Run::direct();
    let apis = ["--only", "cancel", "--only", "get-irn", "--only", "generate"];
    assert_eq!(run.call(&apis).code, 0);
    let (_, first) = run.state();
    let cancelled: String = first
        .iter()
        .filter(|(case, _)| case.starts_with("CANCEL-Y"))
        .map(|(_, it)| it["request"].to_string())
        .collect();
    let mut irns = first.iter().filter(|(case, _)| case.starts_with("IRN-Y")).filter_map(|(_, it)| it["irn"].as_str());
    let old = irns.find(|irn| !cancelled.contains(irn)).unwrap();
    let ended = "24AABCE9876P1ZU";
    run.emulator.advance_clock(4 * 24 * 3_600);
    run.emulator.end_registration(ended);

    let answer = run.call(&[&apis[..], &["--old-irn", old, "--inactive-buyer", ended]].concat());
    assert_eq!(answer.code, 0, "{}", answer.text);
    let (_, after) = run.state();
    let codes: BTreeSet<&str> = after
        .iter()
        .filter(|(case, _)| !first.contains_key(*case))
        .flat_map(|(_, evidence)| evidence["codes"].as_array().unwrap().iter().map(|code| code.as_str().unwrap()))
        .collect();
    assert_eq!(codes.into_iter().collect::<Vec<_>>(), ["2270", "2283", "3029"]);
    assert_eq!(after.len(), first.len() + 3);
}

#[test]
fn a_case_that_is_never_answered_is_recorded_and_the_run_goes_on() {
    let run = Run::direct();
    run.emulator.fault("get_irn", &json!({"kind": "html", "status": 502}), 3);
    let answer = run.call(&["--json", "--only", "get-irn"]);
    assert_eq!(answer.code, 1, "{}", answer.text);
    let (_, end) = objects(&answer);
    assert_eq!((&end["different"], &end["not_run"], &end["stopped"]), (&json!(1), &json!(0), &Value::Null), "{end}");
    let (sent, done) = run.state();
    let odd = &done["READ-Y001"];
    assert_eq!((&odd["as_expected"], sent.iter().filter(|case| *case == "READ-Y001").count()), (&json!(false), 3));
    assert!(odd["message"].as_str().unwrap().contains("502"), "what came is told: {odd}");
    assert!(odd["note"].as_str().unwrap().contains("answered another call"), "{odd}");

    let again = run.call(&["--only", "get-irn", "--again", "different"]);
    assert_eq!(again.code, 0, "{}", again.text);
    let (after, _) = run.state();
    assert_eq!(after.len(), sent.len() + 1, "nothing else is sent again");
}

#[test]
fn a_portal_that_is_down_stops_the_run_which_then_goes_on() {
    let run = Run::direct();
    let down = json!({"kind": "html", "status": 502});
    run.emulator.fault("get_irn", &down, 3);
    run.emulator.fault("get_irn_by_document", &down, 20);
    let answer = run.call(&["--only", "get-irn"]);
    assert_eq!(answer.code, 3, "{}", answer.text);
    let told = answer.text.split_whitespace().collect::<Vec<_>>().join(" ");
    for part in ["stopped: case READ-Y001 brought no answer 3 times", "the same command goes on where this one stopped"]
    {
        assert!(told.contains(part), "{part}: {}", answer.text);
    }
    assert!(!run.state().1.contains_key("READ-Y001"), "it says nothing about the case");
    run.emulator.clear_faults();
    let answer = run.call(&["--only", "get-irn"]);
    assert_eq!(answer.code, 0, "{}", answer.text);
}

#[test]
fn a_bill_whose_answer_was_lost_is_made_under_another_number() {
    let mut run = Run::direct();
    run.installation = run.installation.with_bills(&run.emulator);
    run.emulator.fault("generate_ewb", &json!({"kind": "html_after_commit", "status": 502}), 1);
    let answer = run.call(&["--only", "ewb-read"]);
    assert_eq!(answer.code, 0, "{}", answer.text);
    let (sent, done) = run.state();
    // The lost one, the question whether it was carried out, and the one in its place.
    assert_eq!(sent.iter().filter(|case| *case == "BILL-Y001").count(), 3);
    let kept = &done["BILL-Y001"]["kept"];
    assert!(kept["number"].as_str().unwrap().ends_with("/BY001R1"), "{kept}");
}

#[test]
fn what_one_portal_answered_is_not_mixed_with_what_another_does() {
    let run = Run::direct();
    assert_eq!(run.call(&["--only", "rejected"]).code, 0);
    let before = fs::read_to_string(run.installation.path("onboard/test-report.jsonl")).unwrap();
    assert!(run.page().contains("A REHEARSAL"), "an emulator over HTTP is marked, too");
    let elsewhere = run.call(&["--only", "gstin", "--set", "route.emulator.base_url=http://127.0.0.1:9"]);
    let told = elsewhere.text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(elsewhere.code, 2, "{}", elsewhere.text);
    for part in ["at http://127.0.0.1:9, an emulator", &format!("at http://{}", run.emulator.address()), "--restart"] {
        assert!(told.contains(part), "{part}: {}", elsewhere.text);
    }
    assert_eq!(fs::read_to_string(run.installation.path("onboard/test-report.jsonl")).unwrap(), before);
}

#[test]
fn the_portal_takes_the_report_for_its_listing_once_it_is_whole() {
    let emulator = Emulator::start_with(&["--empty"]);
    let mut settings = emulator.control("GET", "/sandbox/settings", "");
    settings["registration"]["scrutiny"] = json!("automatic");
    emulator.control("PUT", "/sandbox/settings", &settings.to_string());
    let browser = Browser::sign_up(&emulator, "AABCE1234F");
    // The report is made with the emulator in the program, before any account is there.
    let folder = tempfile::tempdir().unwrap();
    let config = "[credentials]\nplugin = \"sandbox\"\ndata = \"trial\"\n\n[[route]]\nname = \"trial\"\n\
                  plugin = \"sandbox\"\nenvironment = \"sandbox\"\ndata = \"trial\"\n";
    fs::write(folder.path().join("einvoice.toml"), config).unwrap();
    let report = |more: &[&str]| {
        let mut command = Command::new(PROGRAM);
        command.current_dir(folder.path()).args(["onboard", "test-report", "--gstin", "29AABCE1234F1Z1"]).args(more);
        let ended = command.output().unwrap();
        assert_eq!(ended.status.code(), Some(0), "{}", String::from_utf8_lossy(&ended.stderr));
    };
    let upload = |address: &str, form: &str| {
        let name = format!("test-report.{form}");
        let content = fs::read(folder.path().join("onboard").join(&name)).unwrap();
        let (status, listing) = browser.apply_with(&[address], &name, &content);
        assert!((200..300).contains(&status), "{status}: {listing}");
        listing
    };
    report(&["--only", "gstin"]);
    for form in ["html", "xlsx"] {
        let returned = upload("117.200.1.10", form);
        assert_eq!(returned["state"], "returned", "{form}: {returned}");
        let reason = returned["reason"].as_str().unwrap();
        assert!(reason.contains("no case of AUTH, SYNC, IRN") && !reason.contains("GSTIN"), "{form}: {reason}");
    }
    report(&["--restart"]);
    for (address, form) in [("117.200.1.10", "html"), ("117.200.1.11", "xlsx")] {
        let accepted = upload(address, form);
        assert_eq!(accepted["state"], "accepted", "{form}: {accepted}");
    }
}
