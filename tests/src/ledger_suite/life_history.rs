//! Random histories of jobs, e-way bills and decisions, two workers and crashes among them.
//!
//! Each call goes to a ledger and to the model; then what they answer, show and owe must be the same.

use einvoice_core::state::EwbState;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::fixture::{Bench, LEASE};
use super::life_desk::{Clerk, owed, shown};
use super::life_model::World;
use super::{LedgerHarness, run};

/// Histories tried, episodes in each at most, and documents they are about.
const HISTORIES: u32 = 40;
const EPISODES: usize = 40;
const PAPERS: usize = 3;

/// A call with small arguments, so that histories run into each other. Documents and jobs are counted from 0, the
/// jobs of a history as it is drawn from the newest back.
#[derive(Debug, Clone, Copy)]
pub(super) enum Call {
    /// Sends the oldest document that is ready.
    Send {
        answer: Answer,
    },
    /// Asks about the document that fell due first.
    Settle {
        answer: Answer,
    },
    Adopt {
        paper: usize,
    },
    AskAgain {
        paper: usize,
    },
    NotThere {
        paper: usize,
    },
    /// A person read the registration at the portal, with the bill it names.
    ReadByHand {
        paper: usize,
        bill: Option<EwbState>,
    },
    Plan {
        wish: Wish,
        after: i64,
    },
    Claim {
        worker: usize,
        limit: usize,
        only: Option<usize>,
    },
    Release {
        worker: usize,
        job: usize,
    },
    /// `astray`: the intent is for another step than the present one.
    Begin {
        worker: usize,
        job: usize,
        astray: bool,
    },
    End {
        worker: usize,
        job: usize,
        ending: Ending,
    },
    /// Says again what was said last of the job.
    EndAgain {
        worker: usize,
        job: usize,
    },
    Withdraw {
        job: usize,
    },
    LearnBill {
        bill: u64,
        state: EwbState,
        paper: Option<usize>,
    },
    LearnCancellation {
        paper: usize,
    },
    Reject {
        paper: usize,
    },
    Wait {
        seconds: u64,
    },
    Deliver,
    /// The program ends between two calls and is started again.
    Crash,
}

impl Call {
    /// The same of a job that is there, as far as there are jobs; now and then of one that is not.
    fn aimed(self, jobs: usize) -> Self {
        let aim = |job: usize| if job < jobs { jobs - 1 - job } else { (job % (jobs + 1)).max(usize::from(jobs > 0)) };
        match self {
            Self::Claim { worker, limit, only } => Self::Claim { worker, limit, only: only.map(aim) },
            Self::Release { worker, job } => Self::Release { worker, job: aim(job) },
            Self::Begin { worker, job, astray } => Self::Begin { worker, job: aim(job), astray },
            Self::End { worker, job, ending } => Self::End { worker, job: aim(job), ending },
            Self::EndAgain { worker, job } => Self::EndAgain { worker, job: aim(job) },
            Self::Withdraw { job } => Self::Withdraw { job: aim(job) },
            other => other,
        }
    }
}

/// What a portal answers when a document is sent or asked about, with how the bill stands that it names.
#[derive(Debug, Clone, Copy)]
pub(super) enum Answer {
    Registered(Option<EwbState>),
    Refused,
    Cancelled(Option<EwbState>),
    Conflict(Option<EwbState>),
    NotThere,
    Nothing,
    /// Nothing, and asking again will not tell more: a person has to look.
    HandedOver,
}

/// What somebody wants done.
#[derive(Debug, Clone, Copy)]
pub(super) enum Wish {
    CancelIrn { paper: usize, bill_first: bool },
    BillByIrn { paper: usize },
    BillOnPaper { number: u8 },
    CancelBill { bill: u64 },
    HandOver { bill: u64 },
    Consolidate { bills: (u64, u64) },
}

/// One call to a portal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    CancelBill,
    CancelIrn,
    MakeBill,
    HandOver,
    Consolidate,
}

impl Wish {
    pub(super) fn steps(self) -> Vec<Step> {
        match self {
            Self::CancelIrn { bill_first: true, .. } => vec![Step::CancelBill, Step::CancelIrn],
            Self::CancelIrn { bill_first: false, .. } => vec![Step::CancelIrn],
            Self::BillByIrn { .. } | Self::BillOnPaper { .. } => vec![Step::MakeBill],
            Self::CancelBill { .. } => vec![Step::CancelBill],
            Self::HandOver { .. } => vec![Step::HandOver],
            Self::Consolidate { .. } => vec![Step::Consolidate],
        }
    }
}

/// How a step ends; `news` says whether the portal told what it changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    Done { news: bool },
    Refused { news: bool },
    NotDone { after: i64 },
    Unknown { after: i64, errors: bool },
}

fn bill_state() -> impl Strategy<Value = Option<EwbState>> {
    prop_oneof![3 => Just(None), 2 => Just(Some(EwbState::Active)), 1 => Just(Some(EwbState::PartA))]
}

fn first_answer() -> impl Strategy<Value = Answer> {
    prop_oneof![
        8 => bill_state().prop_map(Answer::Registered),
        4 => Just(Answer::Nothing),
        1 => Just(Answer::Refused),
        1 => Just(Answer::NotThere),
    ]
}

fn later_answer() -> impl Strategy<Value = Answer> {
    prop_oneof![
        3 => bill_state().prop_map(Answer::Registered),
        1 => bill_state().prop_map(Answer::Cancelled),
        3 => bill_state().prop_map(Answer::Conflict),
        1 => Just(Answer::Refused),
        2 => Just(Answer::NotThere),
        2 => Just(Answer::Nothing),
        3 => Just(Answer::HandedOver),
    ]
}

fn wish() -> impl Strategy<Value = Wish> {
    let bill = 0..6_u64;
    prop_oneof![
        5 => (0..PAPERS, any::<bool>()).prop_map(|(paper, bill_first)| Wish::CancelIrn { paper, bill_first }),
        2 => (0..PAPERS).prop_map(|paper| Wish::BillByIrn { paper }),
        1 => (0..2_u8).prop_map(|number| Wish::BillOnPaper { number }),
        2 => bill.clone().prop_map(|bill| Wish::CancelBill { bill }),
        1 => bill.clone().prop_map(|bill| Wish::HandOver { bill }),
        1 => (bill.clone(), bill).prop_map(|bills| Wish::Consolidate { bills }),
    ]
}

fn ending() -> impl Strategy<Value = Ending> {
    prop_oneof![
        4 => any::<bool>().prop_map(|news| Ending::Done { news }),
        2 => any::<bool>().prop_map(|news| Ending::Refused { news }),
        2 => (0..20_i64).prop_map(|after| Ending::NotDone { after }),
        3 => (0..20_i64, any::<bool>()).prop_map(|(after, errors)| Ending::Unknown { after, errors }),
    ]
}

/// Mostly the newest job.
fn job() -> impl Strategy<Value = usize> {
    prop_oneof![6 => Just(0_usize), 3 => Just(1), 1 => Just(2), 1 => Just(3), 1 => Just(4)]
}

fn call() -> impl Strategy<Value = Call> {
    let (worker, job, paper) = (0..2_usize, job().boxed(), 0..PAPERS);
    let state = prop_oneof![
        3 => Just(EwbState::Active),
        1 => Just(EwbState::PartA),
        1 => Just(EwbState::Unknown),
        1 => Just(EwbState::Cancelled),
        1 => Just(EwbState::Expired),
    ];
    let learnt = (0..6_u64, state, proptest::option::of(paper.clone()));
    let only = proptest::option::weighted(0.3, job.clone());
    prop_oneof![
        6 => first_answer().prop_map(|answer| Call::Send { answer }),
        8 => later_answer().prop_map(|answer| Call::Settle { answer }),
        1 => paper.clone().prop_map(|paper| Call::Adopt { paper }),
        1 => paper.clone().prop_map(|paper| Call::AskAgain { paper }),
        2 => paper.clone().prop_map(|paper| Call::NotThere { paper }),
        2 => (paper.clone(), bill_state()).prop_map(|(paper, bill)| Call::ReadByHand { paper, bill }),
        8 => (wish(), prop_oneof![3 => Just(0_i64), 1 => 1..30_i64])
            .prop_map(|(wish, after)| Call::Plan { wish, after }),
        10 => (worker.clone(), 1..4_usize, only).prop_map(|(worker, limit, only)| Call::Claim { worker, limit, only }),
        1 => (worker.clone(), job.clone()).prop_map(|(worker, job)| Call::Release { worker, job }),
        12 => (worker.clone(), job.clone(), proptest::bool::weighted(0.05))
            .prop_map(|(worker, job, astray)| Call::Begin { worker, job, astray }),
        12 => (worker.clone(), job.clone(), ending()).prop_map(|(worker, job, ending)| Call::End { worker, job, ending }),
        2 => (worker, job.clone()).prop_map(|(worker, job)| Call::EndAgain { worker, job }),
        1 => job.prop_map(|job| Call::Withdraw { job }),
        3 => learnt.prop_map(|(bill, state, paper)| Call::LearnBill { bill, state, paper }),
        1 => paper.clone().prop_map(|paper| Call::LearnCancellation { paper }),
        1 => paper.prop_map(|paper| Call::Reject { paper }),
        4 => (1..40_u64).prop_map(|seconds| Call::Wait { seconds }),
        2 => Just(Call::Deliver),
        2 => Just(Call::Crash),
    ]
}

/// One call, or what a worker does with a job in one go, with or without a blow between two of its calls.
fn episode() -> impl Strategy<Value = Vec<Call>> {
    let blow = prop_oneof![
        4 => Just(None),
        1 => Just(Some(Call::Crash)),
        1 => (0..4_u64, 0..PAPERS).prop_map(|(bill, paper)| {
            Some(Call::LearnBill { bill, state: EwbState::Expired, paper: Some(paper) })
        }),
        1 => (30..90_u64).prop_map(|seconds| Some(Call::Wait { seconds })),
    ];
    let planned = proptest::option::weighted(0.6, wish());
    let turn = (planned, 0..2_usize, job(), ending(), blow, 0..4_usize);
    let turn = turn.prop_map(|(wish, worker, job, ending, blow, place)| {
        let mut calls = vec![
            Call::Claim { worker, limit: 1, only: Some(job) },
            Call::Begin { worker, job, astray: false },
            Call::End { worker, job, ending },
        ];
        if let Some(blow) = blow {
            calls.insert(place.min(calls.len()), blow);
        }
        wish.map(|wish| Call::Plan { wish, after: 0 }).into_iter().chain(calls).collect()
    });
    prop_oneof![2 => call().prop_map(|call| vec![call]), 1 => turn]
}

/// No history of jobs, bills and decisions makes a ledger and the model disagree, whichever worker died where.
pub fn random_lives_agree_with_the_model<H: LedgerHarness>(harness: impl Fn() -> H) {
    let config = Config { cases: HISTORIES, failure_persistence: None, ..Config::default() };
    let opening = proptest::collection::vec(first_answer(), 1..=PAPERS);
    let histories = (opening, proptest::collection::vec(episode(), 1..EPISODES));
    let result = TestRunner::new(config).run(&histories, |(opening, calls)| {
        let sent = opening.into_iter().map(|answer| Call::Send { answer });
        run(play(&harness(), &sent.chain(calls.concat()).collect::<Vec<_>>()));
        Ok(())
    });
    if let Err(failure) = result {
        panic!("{failure}");
    }
}

async fn play(harness: &dyn LedgerHarness, calls: &[Call]) {
    let mut bench = Bench::open(harness).await;
    for number in 1..=PAPERS {
        bench.ready(u32::try_from(number).unwrap()).await;
    }
    let seconds = super::history::seconds;
    let mut world = World::new(PAPERS);
    (world.wait, world.lease) = (seconds(harness.settle_wait()), seconds(LEASE));
    world.alone = !bench.ledger.capability().shared_between_processes;
    let mut clerk = Clerk::new(bench.clock_now());
    for (step, call) in calls.iter().enumerate() {
        let call = &call.aimed(world.jobs.len());
        if matches!(call, Call::Crash) {
            // Where others may use the ledger meanwhile, a lease ends by its time alone.
            if !world.alone {
                bench.wait(LEASE.as_secs());
            }
            bench = bench.reopen(harness).await;
        }
        let found = clerk.perform(&bench, &world, call).await;
        let expected = world.perform(call);
        let context = || format!("call {step}, {call:?}");
        assert_eq!(found, expected, "answer to {}", context());
        assert_eq!(shown(&bench, &clerk).await, world.shown(), "shown after {}", context());
        assert_eq!(owed(&bench).await, world.owed(), "owed after {}", context());
    }
}
