//! The list of cases holds what it promises, and the guide shows it; and runs that take longer than a day.

use std::collections::HashMap;
use std::sync::Arc;

use einvoice_core::clock::{Clock as _, ManualClock};
use jiff::SignedDuration;

use super::state::Evidence;
use super::*;
use crate::arguments::Api;

#[test]
fn every_api_has_fifty_cases_of_either_kind_and_no_case_waits_for_a_later_one_of_its_kind() {
    let all = cases::all();
    let by_id: BTreeMap<&str, &Case> = all.iter().map(|case| (case.id.as_str(), case)).collect();
    assert_eq!(by_id.len(), all.len(), "two cases have one id");
    for api in Api::ALL {
        let count = |yes: bool| all.iter().filter(|case| case.api == api && case.should_succeed() == yes).count();
        assert!(count(true) >= report::WANTED + 5 && count(false) >= report::WANTED, "{api:?}");
    }
    let order = in_order(&all, &by_id, &Api::ALL);
    assert_eq!(order.len(), all.len());
    let mut done = BTreeSet::new();
    for case in order {
        for before in case.before() {
            assert!(done.contains(before), "{} comes before {before}, which it needs", case.id);
            assert!(by_id[before].should_succeed(), "{} needs {before}, which should fail", case.id);
        }
        done.insert(case.id.as_str());
    }
}

#[test]
fn a_chosen_api_brings_the_cases_that_it_needs_and_no_others() {
    let all = cases::all();
    let by_id: BTreeMap<&str, &Case> = all.iter().map(|case| (case.id.as_str(), case)).collect();
    let only = |api: Api| in_order(&all, &by_id, &[api]);
    assert!(only(Api::Gstin).iter().all(|case| case.api == Api::Gstin));
    let cancel = only(Api::Cancel);
    assert!(cancel.iter().any(|case| case.api == Api::Generate));
    assert!(
        cancel.iter().all(|case| matches!(case.api, Api::Generate | Api::Cancel)
            && (case.api == Api::Cancel || case.should_succeed()))
    );
}

#[test]
fn the_guide_lists_every_case() {
    const MARK: &str = "<!-- The tables below are made of the list of cases. -->\n";
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../core/src/guide/test-report.md");
    let shown = std::fs::read_to_string(&path).unwrap().replace("\r\n", "\n");
    let (text, tables) = shown.split_once(MARK).unwrap();
    let right = listing::markdown(&cases::all());
    if std::env::var_os("EINVOICE_UPDATE_GUIDE").is_some() {
        std::fs::write(&path, format!("{text}{MARK}{right}")).unwrap();
        return;
    }
    assert!(tables == right, "the chapter is behind the list: run this test once with EINVOICE_UPDATE_GUIDE=1");
}

/// An installation that speaks to the emulator in this program, and a clock that both go by.
struct Scene {
    folder: tempfile::TempDir,
    clock: ManualClock,
}

impl Scene {
    /// In India it is this time.
    fn at(time: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = "[credentials]\nplugin = \"sandbox\"\ndata = \"sandbox\"\n\n[[route]]\nname = \"emulator\"\n\
                      plugin = \"sandbox\"\nenvironment = \"sandbox\"\ndata = \"sandbox\"\n";
        std::fs::write(folder.path().join("einvoice.toml"), config).unwrap();
        Self { folder, clock: ManualClock::jumping(PortalTime::parse(time).unwrap().to_timestamp().unwrap()) }
    }

    fn state(&self) -> PathBuf {
        self.folder.path().join("onboard/test-report.jsonl")
    }

    /// Runs the cases of some APIs; the exit code, and what came of each case.
    fn run(&self, apis: &[Api], pace: u32, again: &[&str]) -> (u8, BTreeMap<String, Evidence>) {
        let arguments = TestReport {
            only: apis.to_vec(),
            e_way_bill: false,
            list: false,
            route: None,
            gstin: Some(Gstin::parse("29AABCE1234F1Z1").unwrap()),
            buyer: None,
            sez_buyer: None,
            inactive_buyer: None,
            old_irn: None,
            pace: Some(pace),
            login_pace: Some(0),
            output: None,
            restart: false,
            again: again.iter().map(|word| (*word).to_owned()).collect(),
        };
        let config = Some(self.folder.path().join("einvoice.toml"));
        let common = Common { json: true, config, set: vec![], environment: None, verbose: 0 };
        let assembly =
            Assembly::new(settings::load(&common).unwrap()).unwrap().with_clock(Arc::new(self.clock.clone()));
        let all = cases::all();
        let by_id: BTreeMap<&str, &Case> = all.iter().map(|case| (case.id.as_str(), case)).collect();
        let order = in_order(&all, &by_id, apis);
        let mut output = Output::into_writer(Box::new(std::io::sink()), true);
        let code = block_on(async {
            let rehearsal = Rehearsal::open(&arguments, apis, &order, &assembly).await?;
            rehearsal.run(&all, &order, &mut output).await
        });
        (code.unwrap(), State::resume(&self.state()).unwrap().unwrap().done)
    }
}

/// Cases that came out otherwise, or were not sent.
fn amiss(done: &BTreeMap<String, Evidence>) -> Vec<&Evidence> {
    done.values().filter(|evidence| !evidence.as_expected).collect()
}

#[test]
fn a_run_over_midnight_makes_each_case_for_the_day_on_which_it_is_sent() {
    // At a call a minute midnight comes among the documents that are to be refused.
    let scene = Scene::at("2026-11-05 19:30:00");
    let (code, done) = scene.run(&[Api::Generate, Api::GetByDocument, Api::GenerateEwb, Api::Cancel], 1, &[]);
    assert_eq!(amiss(&done), Vec::<&Evidence>::new());
    assert_eq!(code, exit_code::ALL_WELL);
    let days: HashMap<&str, usize> = done.values().fold(HashMap::new(), |mut days, evidence| {
        *days.entry(&evidence.at[..10]).or_default() += 1;
        days
    });
    assert!(days.len() == 2 && days.values().all(|cases| *cases > 100), "{days:?}");
    let refused = |at: &str| done.values().any(|it| it.case.starts_with("IRN-N") && it.at.starts_with(at));
    assert!(refused("2026-11-05") && refused("2026-11-06"), "midnight came elsewhere");
}

#[test]
fn documents_that_are_too_old_to_be_cancelled_are_made_anew_and_what_was_done_stays() {
    let scene = Scene::at("2026-11-05 12:00:00");
    let (code, first) = scene.run(&[Api::GetIrn, Api::EwbRead], 0, &[]);
    assert_eq!((code, amiss(&first)), (exit_code::ALL_WELL, vec![]));
    scene.clock.set(scene.clock.now() + SignedDuration::from_hours(30));
    let (code, done) = scene.run(&[Api::Cancel, Api::EwbPartB, Api::EwbCancel], 0, &[]);
    assert_eq!((code, amiss(&done)), (exit_code::ALL_WELL, vec![]));
    let state = State::resume(&scene.state()).unwrap().unwrap();
    let anew = |prefix: &str| state.turns.keys().filter(|case| case.starts_with(prefix)).count();
    assert!(anew("IRN-Y") >= 20 && anew("BILL-Y") >= 50, "{:?}", state.turns);
    let numbers: BTreeSet<&str> = state.kept.values().map(|kept| kept.number.as_str()).collect();
    assert_eq!(numbers.len(), state.kept.len(), "two documents have one number");
    // The evidence of other cases about the first documents is what it was.
    for (case, evidence) in first.iter().filter(|(case, _)| case.starts_with("READ-") || case.starts_with("BILLREAD-"))
    {
        assert_eq!(done.get(case), Some(evidence));
    }
}

#[test]
fn what_came_out_otherwise_is_sent_again_under_another_number_and_nothing_else_is() {
    let scene = Scene::at("2026-11-05 12:00:00");
    let (_, first) = scene.run(&[Api::Generate], 0, &[]);
    let changed = ["IRN-Y003", "IRN-N001"];
    let mut state = State::resume(&scene.state()).unwrap().unwrap();
    for case in changed {
        state.done(Evidence { as_expected: false, message: "odd".to_owned(), ..first[case].clone() }).unwrap();
    }
    drop(state);
    assert_eq!(
        scene.run(&[Api::Generate], 0, &[]).0,
        exit_code::NEEDS_PERSON,
        "the outcome stays until it is asked again"
    );
    let (code, done) = scene.run(&[Api::Generate], 0, &["irn-y003"]);
    assert_eq!(code, exit_code::NEEDS_PERSON);
    assert_eq!(amiss(&done).iter().map(|evidence| evidence.case.as_str()).collect::<Vec<_>>(), ["IRN-N001"]);
    let (code, done) = scene.run(&[Api::Generate], 0, &["different"]);
    assert_eq!((code, amiss(&done)), (exit_code::ALL_WELL, vec![]));
    let number = |done: &BTreeMap<String, Evidence>| done["IRN-Y003"].kept.as_ref().unwrap().number.clone();
    assert_eq!(number(&done), format!("{}R1", number(&first)));
    assert!(first.iter().all(|(case, evidence)| changed.contains(&case.as_str()) || done.get(case) == Some(evidence)));
}

#[test]
fn only_what_came_out_otherwise_is_asked_again() {
    let scene = Scene::at("2026-11-05 12:00:00");
    let _first = scene.run(&[Api::Gstin], 0, &[]);
    let all = cases::all();
    let order: Vec<&Case> = all.iter().filter(|case| matches!(case.api, Api::Gstin | Api::Rejected)).collect();
    let mut state = State::resume(&scene.state()).unwrap().unwrap();
    let mut refused = |word: &str| ask_again(&[word.to_owned()], &order, &mut state).unwrap_err().message();
    assert!(refused("GSTIN-Y001").contains("came out as expected"));
    assert!(refused("REJECTED-Y001").contains("was not sent yet"));
    assert!(refused("IRN-Y001").contains("there is no such case among those that are asked for"));
    assert!(state.turns.is_empty(), "{:?}", state.turns);
}
