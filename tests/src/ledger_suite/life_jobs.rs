//! What the model of [`life_model`](super::life_model) knows of jobs.

use std::collections::BTreeSet;

use einvoice_core::job::JobState;
use einvoice_core::state::{DocumentState as State, EwbState};

use super::life_history::{Ending, Step, Wish};
use super::life_model::{About, News, Outcome, Said, Work, World, well};

fn over(state: JobState) -> bool {
    state == JobState::Done || state == JobState::Refused || state == JobState::Withdrawn
}

impl World {
    pub(super) fn plan(&mut self, wish: Wish, after: i64) -> Outcome {
        let mut subjects = BTreeSet::new();
        let mut first = None;
        let mut paper = None;
        match wish {
            Wish::CancelIrn { paper: one, bill_first } => {
                paper = Some(one);
                subjects.insert(format!("document {one}"));
                first = self.paper(one).bill.filter(|_| bill_first);
                subjects.extend(first.map(|number| format!("bill {number}")));
            }
            Wish::BillByIrn { paper: one } => {
                paper = Some(one);
                subjects.insert(format!("document {one}"));
            }
            Wish::BillOnPaper { number } => {
                subjects.insert(format!("paper {number}"));
            }
            Wish::CancelBill { bill } | Wish::HandOver { bill } => {
                paper = self.bills.get(&bill).and_then(|bill| bill.paper);
                subjects.insert(format!("bill {bill}"));
            }
            Wish::Consolidate { bills: (one, other) } => {
                subjects.extend([format!("bill {one}"), format!("bill {other}")]);
            }
        }
        let other = self.jobs.iter().position(|job| !over(job.state) && !job.subjects.is_disjoint(&subjects));
        if let Some(other) = other {
            return Err(format!("job {} is under way", other + 1));
        }
        if let Wish::CancelIrn { paper, .. } | Wish::BillByIrn { paper } = wish {
            self.must_be(paper, State::Registered)?;
        }
        self.jobs.push(Work {
            wish,
            paper,
            steps: wish.steps(),
            position: 0,
            state: JobState::Planned,
            first,
            subjects,
            not_before: self.now + after,
            due: self.now + after,
            lease: None,
            sender: None,
            sent_at: 0,
            sent_position: None,
            sendings: 0,
            asked: 0,
            errors: 0,
            effects: 0,
            changed: BTreeSet::new(),
            told: None,
        });
        self.note(paper);
        Ok(format!("job {}", self.jobs.len()))
    }

    /// A line in the trail of the document that a job is about.
    pub(super) fn note(&mut self, paper: Option<usize>) {
        if let Some(paper) = paper {
            let one = self.paper_mut(paper);
            one.path.push(one.state);
        }
    }

    pub(super) fn claim(&mut self, worker: usize, limit: usize, only: Option<usize>) -> String {
        let (now, wait, until) = (self.now, self.wait, self.now + self.lease);
        let mut lost = Vec::new();
        for job in &mut self.jobs {
            if job.state == JobState::Sent && job.lease.is_none_or(|(_, until)| until <= now) {
                (job.state, job.lease, job.asked, job.errors) = (JobState::Unknown, None, 0, 0);
                job.due = job.sent_at + wait;
                lost.push(job.paper);
            }
        }
        for paper in lost {
            self.note(paper);
        }
        let free = self.jobs.iter_mut().enumerate().filter(|(index, job)| {
            let due = only.map_or(job.due <= now, |only| only == *index);
            let open = matches!(job.state, JobState::Planned | JobState::Unknown);
            open && due && job.not_before <= now && job.lease.is_none_or(|(_, until)| until <= now)
        });
        let handed_out = free.take(limit).map(|(index, job)| {
            job.lease = Some((worker, until));
            (index + 1).to_string()
        });
        handed_out.collect::<Vec<_>>().join(" ")
    }

    pub(super) fn begin(&mut self, worker: usize, index: usize, astray: bool) -> Outcome {
        let now = self.now;
        let job = self.job(index)?.clone();
        if job.state != JobState::Planned {
            return Err(format!("job is {}", job.state));
        }
        if job.lease.is_none_or(|(holder, until)| holder != worker || until <= now) {
            return Err("not claimed".to_owned());
        }
        if astray {
            return Err("fault".to_owned());
        }
        if let (Wish::CancelIrn { .. }, Some(paper)) = (job.wish, job.paper) {
            self.must_be(paper, State::Registered)?;
            if job.steps.get(job.position) == Some(&Step::CancelIrn) {
                self.paper_mut(paper).state = State::Cancelling;
            }
        }
        self.note(job.paper);
        let job = self.jobs.get_mut(index).unwrap();
        (job.state, job.sender, job.sent_at, job.sent_position) =
            (JobState::Sent, Some(worker), now, Some(job.position));
        job.sendings += 1;
        Ok(well())
    }

    /// What a worker has to say when a step ends so.
    pub(super) fn said(&self, index: usize, ending: Ending) -> Said {
        let due = match ending {
            Ending::NotDone { after } | Ending::Unknown { after, .. } => self.now + after,
            Ending::Done { .. } | Ending::Refused { .. } => 0,
        };
        let news = self.jobs.get(index).map(|job| self.news(index, job, ending)).unwrap_or_default();
        let ending = match ending {
            Ending::Done { .. } => Ending::Done { news: !news.is_empty() },
            Ending::Refused { .. } => Ending::Refused { news: !news.is_empty() },
            open => open,
        };
        Said { ending, due, news }
    }

    fn news(&self, index: usize, job: &Work, ending: Ending) -> Vec<News> {
        let about = |number: u64| self.bills.get(&number).map(|bill| bill.about.clone()).unwrap_or_default();
        let bill = |number: u64, state: EwbState| News::Bill(number, About { state, ..about(number) });
        let made = 10 + u64::try_from(index).unwrap();
        match (ending, job.steps.get(job.position), job.wish) {
            (Ending::Done { news: true }, Some(Step::CancelIrn), _) => vec![News::IrnCancelled],
            (Ending::Done { news: true }, Some(Step::MakeBill), _) => vec![bill(made, EwbState::Active)],
            (Ending::Done { news: true }, Some(Step::CancelBill), wish) => {
                let number = if let Wish::CancelBill { bill } = wish { Some(bill) } else { job.first };
                number.map(|number| bill(number, EwbState::Cancelled)).into_iter().collect()
            }
            (Ending::Done { news: true }, Some(Step::HandOver), Wish::HandOver { bill: number }) => {
                let state = self.bills.get(&number).map_or(EwbState::Active, |bill| bill.about.state);
                vec![News::Bill(number, About { state, handed_over: true, ..about(number) })]
            }
            (Ending::Done { news: true }, Some(Step::Consolidate), Wish::Consolidate { bills: (one, other) }) => {
                vec![News::TripSheet(made, vec![one, other])]
            }
            (
                Ending::Refused { news: true },
                _,
                Wish::CancelBill { bill: number } | Wish::HandOver { bill: number },
            ) => {
                vec![bill(number, EwbState::Closed)]
            }
            _ => Vec::new(),
        }
    }

    pub(super) fn end(&mut self, worker: usize, index: usize, said: &Said) -> Outcome {
        let now = self.now;
        let before = self.job(index)?.clone();
        let holds = before.lease.is_some_and(|(holder, until)| holder == worker && until > now);
        if !holds && before.told == Some((worker, said.clone())) {
            return Ok(well());
        }
        if over(before.state) {
            return Err(format!("job is {}", before.state));
        }
        let free = before.lease.is_none_or(|(_, until)| until <= now);
        let begun = before.state != JobState::Planned;
        if !(holds || free && begun && before.sender == Some(worker)) {
            return Err("not claimed".to_owned());
        }
        if !begun && matches!(said.ending, Ending::Done { .. } | Ending::Unknown { .. }) {
            return Err(format!("job is {}", before.state));
        }
        let step = before.steps.get(before.position).copied();
        let job = self.jobs.get_mut(index).unwrap();
        (job.lease, job.told) = (None, Some((worker, said.clone())));
        job.effects += said.news.len();
        job.changed.extend(said.news.iter().filter_map(|news| match news {
            News::Bill(number, _) => Some(*number),
            News::IrnCancelled | News::TripSheet(..) => None,
        }));
        match said.ending {
            Ending::Done { .. } => {
                job.position += 1;
                let last = job.position == job.steps.len();
                job.state = if last { JobState::Done } else { JobState::Planned };
                (job.sendings, job.asked, job.due, job.errors) = (0, 0, now, 0);
            }
            Ending::Refused { .. } => (job.state, job.errors) = (JobState::Refused, 1),
            Ending::NotDone { .. } => {
                // What was sent and then proven not done was sent; what never left was not.
                if before.state == JobState::Sent {
                    job.sendings -= 1;
                }
                (job.state, job.asked, job.due, job.errors) = (JobState::Planned, 0, said.due, 0);
            }
            Ending::Unknown { errors, .. } => {
                let again = before.state == JobState::Unknown;
                job.asked = if again { job.asked + 1 } else { 0 };
                if errors || !again {
                    job.errors = usize::from(errors);
                }
                (job.state, job.due) = (JobState::Unknown, said.due);
            }
        }
        self.conclude(&before, step, said);
        Ok(well())
    }

    /// What the end of a step means for bills and documents.
    fn conclude(&mut self, job: &Work, step: Option<Step>, said: &Said) {
        let face = job.paper.map(|paper| self.face(paper));
        let placed = job.sent_position == Some(job.position);
        for news in &said.news {
            match news {
                News::Bill(number, about) => self.keep(*number, about.clone(), job.paper, placed, job.paper),
                News::TripSheet(sheet, bills) => {
                    // What one call makes for several documents comes in the order of the documents.
                    let mut bills = bills.clone();
                    bills.sort_by_key(|number| self.bills.get(number).and_then(|bill| bill.paper));
                    for number in &bills {
                        if let Some(bill) = self.bills.get(number).cloned() {
                            let about = About { trip_sheet: Some(*sheet), ..bill.about };
                            self.keep(*number, about, None, false, job.paper);
                        }
                    }
                }
                News::IrnCancelled => {}
            }
        }
        if let (Some(paper), Some(face)) = (job.paper, face) {
            let done = matches!(said.ending, Ending::Done { .. }) && step == Some(Step::CancelIrn);
            let not_done = matches!(said.ending, Ending::Refused { .. } | Ending::NotDone { .. });
            let one = self.paper_mut(paper);
            if done {
                (one.state, one.cancelled) = (State::Cancelled, Some("asked for"));
            } else if not_done && step == Some(Step::CancelIrn) && one.state == State::Cancelling {
                one.state = State::Registered;
            }
            self.note(Some(paper));
            self.show(paper, &face);
        }
    }

    pub(super) fn withdraw(&mut self, index: usize) -> Outcome {
        let job = self.job(index)?;
        match job.state {
            JobState::Planned => {}
            JobState::Sent | JobState::Unknown => return Err(format!("job {} is under way", index + 1)),
            state => return Err(format!("job is {state}")),
        }
        let paper = job.paper;
        let job = self.jobs.get_mut(index).unwrap();
        (job.state, job.lease) = (JobState::Withdrawn, None);
        self.note(paper);
        Ok(well())
    }
}
