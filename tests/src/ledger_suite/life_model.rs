//! Jobs, e-way bills and decisions told a second time, with lists and no database.
//!
//! What may follow what is said here in words of its own, not by the tables of `core`, so that the two can
//! disagree. A call that is refused leaves everything as it was.

use std::collections::{BTreeMap, BTreeSet};

use einvoice_core::job::JobState;
use einvoice_core::state::{DocumentState as State, EwbState};

use super::life_history::{Answer, Call, Ending, Step, Wish};

/// Everything that a ledger should know.
#[derive(Debug, Clone, Default)]
pub(super) struct World {
    pub(super) now: i64,
    /// Seconds from an intent until a lost outcome is asked about.
    pub(super) wait: i64,
    /// Seconds of a lease.
    pub(super) lease: i64,
    /// Whether a program that opens the ledger is alone with it.
    pub(super) alone: bool,
    pub(super) papers: Vec<Paper>,
    pub(super) jobs: Vec<Work>,
    pub(super) bills: BTreeMap<u64, Bill>,
    receipts: usize,
}

/// A document.
#[derive(Debug, Clone)]
pub(super) struct Paper {
    pub(super) state: State,
    pub(super) bill: Option<u64>,
    pub(super) cancelled: Option<&'static str>,
    pub(super) ask_at: i64,
    /// Whether a person was asked, as no portal tells what became of it.
    pub(super) handed: bool,
    /// Of a conflict: how the bill stands that the portal's registration names.
    pub(super) held: Option<EwbState>,
    /// Every state its trail names.
    pub(super) path: Vec<State>,
    /// What changed while a cancellation was under way and the books do not show yet.
    pub(super) unshown: bool,
    pub(super) receipt: Option<Receipt>,
    pub(super) revision: u32,
    pub(super) delivered: u32,
}

#[derive(Debug, Clone)]
pub(super) struct Receipt {
    pub(super) order: usize,
    pub(super) state: State,
    pub(super) text: String,
}

/// An e-way bill.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Bill {
    pub(super) about: About,
    pub(super) paper: Option<usize>,
    /// Whether it is known where it was made.
    pub(super) placed: bool,
}

/// What the books may show of a bill.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct About {
    pub(super) state: EwbState,
    pub(super) handed_over: bool,
    pub(super) trip_sheet: Option<u64>,
    /// Whether a registration told of it, and whether that told until when it is valid.
    pub(super) told: bool,
    pub(super) valid: bool,
}

/// A job.
#[derive(Debug, Clone)]
pub(super) struct Work {
    pub(super) wish: Wish,
    pub(super) paper: Option<usize>,
    pub(super) steps: Vec<Step>,
    pub(super) position: usize,
    pub(super) state: JobState,
    /// The bill that goes first.
    pub(super) first: Option<u64>,
    pub(super) subjects: BTreeSet<String>,
    pub(super) not_before: i64,
    pub(super) due: i64,
    pub(super) lease: Option<(usize, i64)>,
    pub(super) sender: Option<usize>,
    pub(super) sent_at: i64,
    pub(super) sent_position: Option<usize>,
    pub(super) sendings: u32,
    pub(super) asked: u32,
    pub(super) errors: usize,
    pub(super) effects: usize,
    /// Bills that its steps changed.
    pub(super) changed: BTreeSet<u64>,
    pub(super) told: Option<(usize, Said)>,
}

impl Work {
    /// Whether it was planned for this bill, or changed it.
    fn concerns(&self, bill: u64) -> bool {
        self.subjects.contains(&format!("bill {bill}")) || self.changed.contains(&bill)
    }
}

/// What a worker says of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) ending: Ending,
    pub(super) due: i64,
    pub(super) news: Vec<News>,
}

/// What a step changed at the portal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum News {
    Bill(u64, About),
    IrnCancelled,
    TripSheet(u64, Vec<u64>),
}

fn is_open(state: EwbState) -> bool {
    state == EwbState::Active || state == EwbState::PartA || state == EwbState::Unknown
}

/// What a call is answered, or why it is refused.
pub(super) type Outcome = Result<String, String>;

/// The answer of a call that says nothing but that it is done.
pub(super) fn well() -> String {
    "()".to_owned()
}

impl World {
    /// So many documents that may be sent.
    pub(super) fn new(papers: usize) -> Self {
        let paper = Paper {
            state: State::Ready,
            bill: None,
            cancelled: None,
            ask_at: 0,
            handed: false,
            held: None,
            path: vec![State::Ready],
            unshown: false,
            receipt: None,
            revision: 0,
            delivered: 0,
        };
        Self { papers: vec![paper; papers], ..Self::default() }
    }

    pub(super) fn perform(&mut self, call: &Call) -> String {
        let before = self.clone();
        self.carry_out(call).unwrap_or_else(|refused| {
            *self = before;
            refused
        })
    }

    fn carry_out(&mut self, call: &Call) -> Outcome {
        match *call {
            Call::Send { answer } => Ok(self.send(answer)),
            Call::Settle { answer } => Ok(self.settle(answer)),
            Call::Adopt { paper } => self.adopt(paper),
            Call::AskAgain { paper } => self.ask_again(paper),
            Call::NotThere { paper } => self.not_there(paper),
            Call::ReadByHand { paper, bill } => self.read_by_hand(paper, bill),
            Call::Plan { wish, after } => self.plan(wish, after),
            Call::Claim { worker, limit, only } => Ok(self.claim(worker, limit, only)),
            Call::Release { worker, job } => {
                if let Some(job) = self.jobs.get_mut(job)
                    && job.lease.is_some_and(|(holder, _)| holder == worker)
                    && matches!(job.state, JobState::Planned | JobState::Unknown)
                {
                    job.lease = None;
                }
                Ok(well())
            }
            Call::Begin { worker, job, astray } => self.begin(worker, job, astray),
            Call::End { worker, job, ending } => {
                let said = self.said(job, ending);
                self.end(worker, job, &said)
            }
            Call::EndAgain { worker, job } => match self.jobs.get(job).and_then(|job| job.told.clone()) {
                Some((_, said)) => self.end(worker, job, &said),
                None => Ok(String::new()),
            },
            Call::Withdraw { job } => self.withdraw(job),
            Call::LearnBill { bill, state, paper } => {
                self.learn_bill(bill, state, paper);
                Ok(well())
            }
            Call::LearnCancellation { paper } => self.learn_cancellation(paper),
            Call::Reject { paper } => {
                if self.paper(paper).state != State::Registered {
                    return Ok("[]".to_owned());
                }
                self.moves(paper, &[State::RejectedByRegistry], |_| {});
                Ok(format!("[{}]", paper + 1))
            }
            Call::Wait { seconds } => {
                self.now += i64::try_from(seconds).unwrap();
                Ok(String::new())
            }
            Call::Deliver => {
                self.papers.iter_mut().for_each(|paper| paper.delivered = paper.revision);
                Ok(String::new())
            }
            Call::Crash => {
                if self.alone {
                    self.jobs.iter_mut().for_each(|job| job.lease = None);
                } else {
                    self.now += self.lease;
                }
                self.claim(0, 0, None);
                Ok(String::new())
            }
        }
    }

    pub(super) fn paper(&self, paper: usize) -> &Paper {
        self.papers.get(paper).unwrap()
    }

    pub(super) fn paper_mut(&mut self, paper: usize) -> &mut Paper {
        self.papers.get_mut(paper).unwrap()
    }

    pub(super) fn job(&self, job: usize) -> Result<&Work, String> {
        self.jobs.get(job).ok_or_else(|| "no job".to_owned())
    }

    // What the books show of a document. A cancellation under way is nobody's business yet.
    pub(super) fn face(&self, paper: usize) -> String {
        let one = self.paper(paper);
        let state = if one.state == State::Cancelling { State::Registered } else { one.state };
        let bill = one.bill.and_then(|number| self.bills.get(&number)).map(|bill| &bill.about);
        format!("{state} {:?} {bill:?} {:?}", one.bill, one.cancelled)
    }

    /// A document goes through these states by one call, which `change` completes; the books are told where they
    /// should show it.
    fn moves(&mut self, paper: usize, through: &[State], change: impl FnOnce(&mut Self)) {
        let before = self.face(paper);
        let one = self.paper_mut(paper);
        one.path.extend(through);
        one.state = through.last().copied().unwrap();
        change(self);
        self.show(paper, &before);
    }

    pub(super) fn show(&mut self, paper: usize, before: &str) {
        let changed = self.face(paper) != before;
        let order = self.receipts;
        let ewb = self.ewb(paper);
        let one = self.paper_mut(paper);
        let due = match one.state {
            State::Cancelling => {
                one.unshown |= changed;
                false
            }
            State::Registered | State::Refused | State::Conflict | State::Cancelled | State::RejectedByRegistry => {
                changed || std::mem::take(&mut one.unshown)
            }
            State::Ready => one.receipt.as_ref().is_some_and(|last| last.state != State::Ready),
            _ => false,
        };
        if due {
            one.revision += 1;
            let text = format!("{} {} {} {ewb} {:?}", paper + 1, one.revision, one.state, one.cancelled);
            one.receipt = Some(Receipt { order, state: one.state, text });
            self.receipts += 1;
        }
    }

    fn ewb(&self, paper: usize) -> String {
        match self.paper(paper).bill {
            Some(number) => format!("{number} {}", self.bills.get(&number).unwrap().about.state),
            None => "none".to_owned(),
        }
    }

    fn send(&mut self, answer: Answer) -> String {
        let Some(paper) = self.papers.iter().position(|one| one.state == State::Ready) else {
            return "nothing to do".to_owned();
        };
        self.moves(paper, &[State::Sent], |_| {});
        self.hear(paper, answer);
        format!("{}", paper + 1)
    }

    fn settle(&mut self, answer: Answer) -> String {
        let due = |one: &Paper| one.state == State::Unknown && one.ask_at <= self.now;
        let first = (0..self.papers.len()).filter(|paper| due(self.paper(*paper)));
        let Some(paper) = first.min_by_key(|paper| (self.paper(*paper).ask_at, *paper)) else {
            return "nothing to do".to_owned();
        };
        self.hear(paper, answer);
        format!("{}", paper + 1)
    }

    /// The answer to a sending or to a question.
    fn hear(&mut self, paper: usize, answer: Answer) {
        let now = self.now;
        let (state, bill) = match answer {
            Answer::Registered(bill) => (State::Registered, bill),
            Answer::Refused => (State::Refused, None),
            Answer::Cancelled(bill) => (State::Cancelled, bill),
            Answer::Conflict(bill) => {
                self.moves(paper, &[State::Conflict], |world| {
                    world.paper_mut(paper).held = bill;
                    world.paper_mut(paper).handed = false;
                });
                return;
            }
            Answer::NotThere => (State::Ready, None),
            Answer::Nothing | Answer::HandedOver => (State::Unknown, None),
        };
        // What a person was asked once stays asked as long as nobody knows.
        let asked = self.paper(paper).handed || matches!(answer, Answer::HandedOver);
        self.paper_mut(paper).handed = state == State::Unknown && asked;
        self.moves(paper, &[state], |world| {
            let first = world.paper(paper).path.iter().rev().nth(1) == Some(&State::Sent);
            world.paper_mut(paper).ask_at = if first { now } else { now + 10 };
            if state == State::Cancelled {
                world.paper_mut(paper).cancelled = Some("elsewhere");
            }
            world.born(paper, bill);
        });
    }

    /// A registration names a bill. One that is over stays over, and one that belongs to another document stays
    /// with it.
    fn born(&mut self, paper: usize, state: Option<EwbState>) {
        let (Some(state), number) = (state, u64::try_from(paper).unwrap()) else { return };
        let known = self.bills.contains_key(&number);
        let bill = self.bills.entry(number).or_default();
        if bill.paper.is_some_and(|other| other != paper) {
            return;
        }
        (bill.paper, bill.placed, bill.about.told) = (Some(paper), true, true);
        let valid = state == EwbState::Active;
        bill.about.valid |= valid;
        if !known || (valid && is_open(bill.about.state)) {
            bill.about.state = state;
        }
        let state = bill.about.state;
        self.shows_bill(paper, number, state);
    }

    fn adopt(&mut self, paper: usize) -> Outcome {
        self.must_be(paper, State::Conflict)?;
        let held = self.paper(paper).held;
        self.moves(paper, &[State::Unknown, State::Registered], |world| world.born(paper, held));
        Ok(well())
    }

    fn ask_again(&mut self, paper: usize) -> Outcome {
        let now = self.now;
        if self.paper(paper).state != State::Conflict {
            self.must_be(paper, State::Unknown)?;
        }
        self.moves(paper, &[State::Unknown], |world| world.paper_mut(paper).ask_at = now);
        Ok(well())
    }

    fn not_there(&mut self, paper: usize) -> Outcome {
        self.must_wait_for_a_person(paper)?;
        self.moves(paper, &[State::Ready], |world| world.paper_mut(paper).handed = false);
        Ok(well())
    }

    fn read_by_hand(&mut self, paper: usize, bill: Option<EwbState>) -> Outcome {
        self.must_wait_for_a_person(paper)?;
        self.moves(paper, &[State::Registered], |world| {
            world.paper_mut(paper).handed = false;
            world.born(paper, bill);
        });
        Ok(well())
    }

    /// As long as asking helps the portal's word counts, and no person's.
    fn must_wait_for_a_person(&self, paper: usize) -> Result<(), String> {
        self.must_be(paper, State::Unknown)?;
        if self.paper(paper).handed { Ok(()) } else { Err(format!("document is {}", State::Unknown)) }
    }

    pub(super) fn must_be(&self, paper: usize, state: State) -> Result<(), String> {
        let found = self.paper(paper).state;
        if found == state { Ok(()) } else { Err(format!("document is {found}")) }
    }

    /// What is known of a bill from now on. Its document shows it unless it shows another and this one is over;
    /// its trail gets a line where something is new, unless it is the document that gets one anyway.
    pub(super) fn keep(&mut self, number: u64, about: About, paper: Option<usize>, placed: bool, quiet: Option<usize>) {
        let known = self.bills.get(&number).cloned();
        let before = known.clone().unwrap_or_default();
        let bill = Bill { about, paper: before.paper.or(paper), placed: before.placed || placed };
        if known.as_ref() == Some(&bill) {
            return;
        }
        let face = bill.paper.map(|paper| self.face(paper));
        self.bills.insert(number, bill.clone());
        if let (Some(paper), Some(face)) = (bill.paper, face) {
            self.shows_bill(paper, number, bill.about.state);
            if quiet != Some(paper) {
                self.note(Some(paper));
                self.show(paper, &face);
            }
        }
    }

    fn shows_bill(&mut self, paper: usize, number: u64, state: EwbState) {
        let shown = self.paper(paper).bill;
        if shown.is_none_or(|shown| shown == number) || is_open(state) {
            self.paper_mut(paper).bill = Some(number);
        }
    }

    fn learn_bill(&mut self, number: u64, state: EwbState, paper: Option<usize>) {
        let about = self.bills.get(&number).map(|bill| bill.about.clone()).unwrap_or_default();
        self.keep(number, About { state, ..about }, paper, false, None);
    }

    fn learn_cancellation(&mut self, paper: usize) -> Outcome {
        if self.paper(paper).state == State::Cancelled {
            return Ok(well());
        }
        self.must_be(paper, State::Registered)?;
        self.moves(paper, &[State::Cancelling, State::Cancelled], |world| {
            let bill = world.paper(paper).bill.and_then(|number| world.bills.get_mut(&number));
            if let Some(bill) = bill.filter(|bill| is_open(bill.about.state)) {
                bill.about.state = EwbState::Unknown;
            }
            world.paper_mut(paper).cancelled = Some("elsewhere");
        });
        Ok(well())
    }

    /// Documents, jobs and bills as they should be seen.
    pub(super) fn shown(&self) -> Vec<String> {
        let papers = self.papers.iter().enumerate().map(|(index, one)| {
            let path: Vec<&str> = one.path.iter().map(|state| state.as_str()).collect();
            format!("document {} {} {} {:?} {}", index + 1, one.state, self.ewb(index), one.cancelled, path.join(">"))
        });
        let jobs = self.jobs.iter().enumerate().map(|(index, job)| {
            let last = job.sent_position == Some(job.position);
            format!(
                "job {} {} step {} of {} sent {} asked {} due {} intent {last} errors {} effects {}",
                index + 1,
                job.state,
                job.position,
                job.steps.len(),
                job.sendings,
                job.asked,
                job.due,
                job.errors,
                job.effects
            )
        });
        let bills = self.bills.iter().map(|(number, bill)| {
            let Bill { about, paper, placed } = bill;
            let jobs: Vec<usize> =
                (1..).zip(&self.jobs).filter(|(_, job)| job.concerns(*number)).map(|(id, _)| id).collect();
            format!("bill {number} {about:?} {:?} {placed} jobs {jobs:?}", paper.map(|paper| paper + 1))
        });
        papers.chain(jobs).chain(bills).collect()
    }

    /// What the books have not got, oldest first.
    pub(super) fn owed(&self) -> Vec<String> {
        let waiting = self.papers.iter().filter(|one| one.delivered < one.revision);
        let mut waiting: Vec<&Receipt> = waiting.filter_map(|one| one.receipt.as_ref()).collect();
        waiting.sort_unstable_by_key(|receipt| receipt.order);
        waiting.into_iter().map(|receipt| receipt.text.clone()).collect()
    }
}

/// What a ledger's own bill says, in the words of the model.
pub(super) fn about(state: EwbState, handed_over: bool, trip_sheet: Option<u64>, told: bool, valid: bool) -> About {
    About { state, handed_over, trip_sheet, told, valid }
}
