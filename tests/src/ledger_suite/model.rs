//! The contract told a second time, with maps and lists and no database.
//!
//! The model knows the moves by its own words, not by the table of `core`, so that the two can
//! disagree.

use std::collections::BTreeMap;

use einvoice_core::ledger::{AttemptId, DocumentId};
use einvoice_core::state::DocumentState as State;

use super::fixture::{Bench, LEASE};
use super::history::{Call, TARGETS, place, seconds};

/// The contract, told with maps and lists.
#[derive(Debug, Default)]
pub(super) struct Model {
    pub(super) now: i64,
    wait: i64,
    documents: Vec<Document>,
    records: BTreeMap<u8, Record>,
    /// How many places records came to.
    places: usize,
    attempts: Vec<Attempt>,
    receipts: usize,
    /// (target, number of a place) to the revision it has.
    delivered: BTreeMap<(&'static str, usize), u32>,
}

type Content = (u8, u8, bool);

#[derive(Debug, Clone)]
struct Record {
    document: usize,
    content: Content,
    places: Vec<Place>,
}

/// Where a record came to, by one arrival.
#[derive(Debug, Clone)]
struct Place {
    order: usize,
    arrival: u8,
    /// The arrival that says where it lies: a record of no arrival moves.
    lies: u8,
    owed: Owed,
}

/// What a place gets.
#[derive(Debug, Clone)]
enum Owed {
    /// Every result of its document.
    All,
    /// No more than this, as a revision came by another arrival.
    UpTo(Option<(Shown, u32)>),
}

#[derive(Debug)]
struct Document {
    key: u8,
    content: Content,
    state: State,
    lease: Option<(usize, i64)>,
    last: Option<usize>,
    ask_at: i64,
    asked: u32,
    /// What the portal's part of the findings is.
    portal: &'static str,
    receipt: Option<Shown>,
    revision: u32,
    /// State and findings as of the last call, to see a change.
    was: (State, &'static str, Option<u8>),
}

#[derive(Debug, Clone)]
struct Shown {
    order: usize,
    state: State,
    findings: usize,
}

#[derive(Debug)]
struct Attempt {
    document: usize,
    number: u32,
    at: i64,
    id: i64,
    outcome: Option<u8>,
    ask_at: Option<i64>,
}

impl Document {
    fn findings(&self) -> usize {
        usize::from(self.complaint().is_some()) + usize::from(!self.portal.is_empty())
    }

    /// What the check has to say: it names the content, whatever number it is under.
    fn complaint(&self) -> Option<u8> {
        let (_, content, ready) = self.content;
        (!ready).then_some(content)
    }
}

impl Model {
    /// An empty ledger that waits so many seconds before it asks about a lost outcome.
    pub(super) fn new(wait: i64) -> Self {
        Self { wait, ..Self::default() }
    }

    pub(super) fn attempt_id(&self, attempt: usize) -> i64 {
        // The newest attempts are the interesting ones.
        let from_end = self.attempts.len().checked_sub(attempt + 1);
        from_end.and_then(|index| self.attempts.get(index)).map_or(999, |attempt| attempt.id)
    }

    /// When the portal was to be asked by the outcome told before, so that it can be told again.
    pub(super) fn told_at(&self, attempt: i64) -> Option<i64> {
        self.attempts.iter().find(|one| one.id == attempt).and_then(|one| one.ask_at)
    }

    fn first_record(&self, document: usize) -> u8 {
        let of = self.records.iter().filter(|(_, record)| record.document == document);
        let order = |record: &Record| record.places.iter().map(|place| place.order).min();
        of.min_by_key(|(_, record)| order(record)).map(|(name, _)| *name).unwrap()
    }

    /// The record says this now, and lies where it came.
    fn put_record(&mut self, record: u8, document: usize, content: Content, arrival: u8) {
        let known = self.records.entry(record).or_insert(Record { document, content, places: Vec::new() });
        known.content = content;
        let at = known.places.iter().position(|place| place.arrival == arrival);
        let at = at.or_else(|| if arrival == 0 { known.places.len().checked_sub(1) } else { None });
        if let Some(place) = at.and_then(|at| known.places.get_mut(at)) {
            (place.lies, place.owed) = (arrival, Owed::All);
            return;
        }
        known.places.push(Place { order: self.places, arrival, lies: arrival, owed: Owed::All });
        self.places += 1;
    }

    /// A revision came by this arrival: the others have what they are owed now, and no more.
    fn end_others(&mut self, document: usize, arrival: u8) {
        let one = self.documents.get(document).unwrap();
        let last = one.receipt.clone().map(|receipt| (receipt, one.revision));
        for record in self.records.values_mut().filter(|record| record.document == document) {
            for place in &mut record.places {
                if ![0, arrival].contains(&place.arrival) && arrival != 0 && matches!(place.owed, Owed::All) {
                    place.owed = Owed::UpTo(last.clone());
                }
            }
        }
    }

    pub(super) fn perform(&mut self, call: Call) -> String {
        match call {
            Call::Receive { record, number, content, ready, arrival } => {
                self.receive(record, (number, content, ready), arrival)
            }
            Call::Claim { worker, settle, limit } => self.claim(worker, settle, limit),
            Call::Release { worker, document } => {
                if let Some(document) = self.document(document)
                    && document.lease.is_some_and(|(holder, _)| holder == worker)
                {
                    document.lease = None;
                }
                "()".to_owned()
            }
            Call::Intend { worker, document } => self.intend(worker, document),
            Call::Record { attempt, outcome } => self.record(attempt, outcome),
            Call::Settle { worker, document, settlement } => self.settle(worker, document, settlement),
            Call::Wait { seconds } => {
                self.now += i64::try_from(seconds).unwrap();
                String::new()
            }
            Call::Deliver { target } => {
                let target = TARGETS.get(target).copied().unwrap();
                if let Some(first) = self.waiting(target).first() {
                    self.delivered.insert((target, first.place), first.revision);
                }
                "()".to_owned()
            }
            Call::Reopen => String::new(),
        }
    }

    fn document(&mut self, document: i64) -> Option<&mut Document> {
        self.documents.get_mut(usize::try_from(document).unwrap())
    }

    fn receive(&mut self, record: u8, content: Content, arrival: u8) -> String {
        let holder = self.documents.iter().position(|one| one.key == content.0);
        let clash = |model: &Self, document: usize| {
            let state = model.documents.get(document).unwrap().state;
            format!("clash {} {state} r{}", document + 1, model.first_record(document))
        };
        if let Some((document, known)) = self.records.get(&record).map(|known| (known.document, known.content)) {
            let one = self.documents.get_mut(document).unwrap();
            let says = |content: Content| (content.0, content.1);
            let passes_at_last = one.state == State::Invalid && content.2 && says(one.content) == says(content);
            if (says(known) == says(content) || says(one.content) == says(content)) && !passes_at_last {
                let answer = format!("unchanged {} {}", document + 1, one.state);
                self.put_record(record, document, content, arrival);
                return answer;
            }
            if !matches!(one.state, State::Invalid | State::Refused | State::Ready) {
                return clash(self, document);
            }
            if let Some(other) = holder.filter(|other| *other != document) {
                return clash(self, other);
            }
            self.end_others(document, arrival);
            let one = self.documents.get_mut(document).unwrap();
            one.state = match (one.state, content.2) {
                (_, true) => State::Ready,
                (State::Refused, false) => State::Refused,
                (_, false) => State::Invalid,
            };
            if one.state != State::Refused {
                one.key = content.0;
            }
            one.content = content;
            one.portal = "";
            one.lease = None;
            let answer = format!("revised {} {}", document + 1, one.state);
            self.put_record(record, document, content, arrival);
            self.show(document);
            return answer;
        }
        if let Some(document) = holder {
            let one = self.documents.get(document).unwrap();
            if (one.content.0, one.content.1) != (content.0, content.1) {
                return clash(self, document);
            }
            let answer = format!("duplicate {} {} r{}", document + 1, one.state, self.first_record(document));
            self.put_record(record, document, content, arrival);
            return answer;
        }
        let state = if content.2 { State::Ready } else { State::Invalid };
        let document = self.documents.len();
        self.documents.push(Document {
            key: content.0,
            content,
            state,
            lease: None,
            last: None,
            ask_at: 0,
            asked: 0,
            portal: "",
            receipt: None,
            revision: 0,
            was: (State::Received, "", None),
        });
        self.put_record(record, document, content, arrival);
        self.show(document);
        format!("new {} {state}", document + 1)
    }

    /// Makes a receipt where the books should show a change.
    fn show(&mut self, document: usize) {
        let one = self.documents.get_mut(document).unwrap();
        let now = (one.state, one.portal, one.complaint());
        let last = one.receipt.as_ref().map(|receipt| receipt.state);
        let result = matches!(
            one.state,
            State::Invalid | State::Refused | State::Burnt | State::Conflict | State::Registered | State::Cancelled
        );
        let due = if result {
            last != Some(one.state) || now != one.was
        } else {
            one.state == State::Ready && last.is_some_and(|last| last != State::Ready)
        };
        one.was = now;
        if due {
            one.revision += 1;
            one.receipt = Some(Shown { order: self.receipts, state: one.state, findings: one.findings() });
            self.receipts += 1;
        }
    }

    fn claim(&mut self, worker: usize, settle: bool, limit: usize) -> String {
        let (now, wait) = (self.now, self.wait);
        let free = |one: &Document| one.lease.is_none_or(|(_, until)| until <= now);
        for one in &mut self.documents {
            if one.state == State::Sent && free(one) {
                let attempt = one.last.and_then(|last| self.attempts.get(last)).unwrap();
                (one.state, one.ask_at, one.asked, one.lease) = (State::Unknown, attempt.at + wait, 0, None);
                one.portal = "lost";
            }
        }
        let mut wanted: Vec<usize> = (0..self.documents.len()).collect();
        wanted.retain(|index| {
            let one = self.documents.get(*index).unwrap();
            let kind =
                if settle { one.state == State::Unknown && one.ask_at <= now } else { one.state == State::Ready };
            kind && free(one)
        });
        if settle {
            wanted.sort_by_key(|index| self.documents.get(*index).unwrap().ask_at);
        }
        let mut answers = Vec::new();
        for index in wanted.into_iter().take(limit) {
            let one = self.documents.get_mut(index).unwrap();
            one.lease = Some((worker, now + seconds(LEASE)));
            let attempt = one.last.and_then(|last| self.attempts.get(last)).map(|attempt| attempt.number);
            let asked = if one.state == State::Unknown { one.asked } else { 0 };
            answers.push(format!("{} {} asked {asked} attempt {attempt:?}", index + 1, one.state));
        }
        answers.join(", ")
    }

    fn intend(&mut self, worker: usize, document: i64) -> String {
        let now = self.now;
        let next = self.attempts.len();
        let Some(one) = self.document(document) else { return "no document".to_owned() };
        if one.state != State::Ready {
            return format!("illegal {} {} sent", document + 1, one.state);
        }
        if one.lease.is_none_or(|(holder, until)| holder != worker || until <= now) {
            return format!("not claimed {}", document + 1);
        }
        (one.state, one.last) = (State::Sent, Some(next));
        let index = usize::try_from(document).unwrap();
        let number = self.attempts.iter().filter(|attempt| attempt.document == index).count();
        let number = u32::try_from(number + 1).unwrap();
        self.attempts.push(Attempt { document: index, number, at: now, id: 0, outcome: None, ask_at: None });
        format!("{:?}", format!("attempt {number}"))
    }

    fn record(&mut self, attempt: usize, outcome: u8) -> String {
        let now = self.now;
        let Some(index) = self.attempts.len().checked_sub(attempt + 1) else { return "no intent".to_owned() };
        let told = self.attempts.get_mut(index).unwrap();
        let document = told.document;
        let one = self.documents.get_mut(document).unwrap();
        let target = match outcome {
            0 => State::Ready,
            1 => State::Registered,
            2 => State::Refused,
            3 => State::Burnt,
            _ => State::Unknown,
        };
        let illegal = format!("illegal {} {} {target}", document + 1, one.state);
        if let Some(before) = told.outcome {
            return if before == outcome { "()".to_owned() } else { illegal };
        }
        if one.last != Some(index) {
            return illegal;
        }
        let open = matches!(one.state, State::Sent | State::Unknown);
        if !open && target != State::Unknown && target != one.state {
            return illegal;
        }
        told.outcome = Some(outcome);
        if outcome == 4 {
            told.ask_at = Some(now + 10);
        }
        if open {
            let asked = if one.state == State::Unknown { one.asked } else { 0 };
            (one.state, one.lease, one.ask_at, one.asked) = (target, None, now + 10, asked);
            one.portal = match outcome {
                2 => "2172",
                3 => "2278",
                4 => "unknown",
                _ => "",
            };
            self.show(document);
        }
        "()".to_owned()
    }

    fn settle(&mut self, worker: usize, document: i64, settlement: u8) -> String {
        let now = self.now;
        let Some(one) = self.document(document) else { return "no document".to_owned() };
        let (target, portal) = match settlement {
            0 => (State::Registered, ""),
            1 => (State::Cancelled, ""),
            2 => (State::Refused, "2172"),
            3 => (State::Burnt, "2278"),
            4 => (State::Conflict, ""),
            5 => (State::Ready, ""),
            _ => (State::Unknown, "still"),
        };
        if one.state != State::Unknown {
            return format!("illegal {} {} {target}", document + 1, one.state);
        }
        if one.lease.is_none_or(|(holder, until)| holder != worker || until <= now) {
            return format!("not claimed {}", document + 1);
        }
        (one.state, one.portal, one.lease, one.ask_at) = (target, portal, None, now + 10);
        one.asked = if target == State::Unknown { one.asked + 1 } else { 0 };
        self.show(usize::try_from(document).unwrap());
        "()".to_owned()
    }

    /// Learns the number of a new attempt, and whether a reopening ended leases and outcomes.
    pub(super) async fn catch_up(&mut self, bench: &Bench, attempt: Option<AttemptId>) {
        if let (Some(attempt), Some(last)) = (attempt, self.attempts.last_mut()) {
            last.id = attempt.0;
        }
        // Whether lost outcomes show at opening or at the next claim is the ledger's choice.
        for (index, one) in self.documents.iter_mut().enumerate() {
            let over = one.lease.is_none_or(|(_, until)| until <= self.now);
            if one.state == State::Sent && over {
                let id = DocumentId(i64::try_from(index + 1).unwrap());
                if bench.status(id).await.state == State::Unknown {
                    let attempt = one.last.and_then(|last| self.attempts.get(last)).unwrap();
                    (one.state, one.ask_at, one.asked, one.lease) = (State::Unknown, attempt.at + self.wait, 0, None);
                    one.portal = "lost";
                }
            }
        }
    }

    pub(super) fn shown(&self) -> Vec<String> {
        let waiting = TARGETS.map(|target| (target, self.waiting(target)));
        let line = |(index, one): (usize, &Document)| {
            let records = self.records.values().filter(|record| record.document == index);
            let places: Vec<usize> = records.flat_map(|record| &record.places).map(|place| place.order).collect();
            let has = |target| places.iter().any(|place| self.delivered.contains_key(&(target, *place)));
            let told: Vec<&str> = TARGETS.into_iter().filter(|target| has(*target)).collect();
            let waits = |target: &&str| {
                waiting.iter().any(|(name, owed)| name == target && owed.iter().any(|one| one.document == index))
            };
            let delivered = !told.is_empty() && !told.iter().any(waits);
            format!("{} {} {delivered} {}", index + 1, one.state, one.findings())
        };
        self.documents.iter().enumerate().map(line).collect()
    }

    /// What a target has not got, oldest first.
    fn waiting(&self, target: &'static str) -> Vec<Waiting> {
        let mut waiting = Vec::new();
        for (name, record) in &self.records {
            let one = self.documents.get(record.document).unwrap();
            let present = one.receipt.clone().map(|receipt| (receipt, one.revision));
            for known in &record.places {
                let has = self.delivered.get(&(target, known.order)).copied().unwrap_or(0);
                let last = match &known.owed {
                    Owed::All => &present,
                    Owed::UpTo(last) => last,
                };
                if let Some((receipt, revision)) = last
                    && has < *revision
                {
                    let Shown { order, state, findings } = receipt;
                    waiting.push(Waiting {
                        order: (*order, known.order),
                        document: record.document,
                        place: known.order,
                        revision: *revision,
                        line: format!("r{name} in {} {revision} {state} {findings}", place(known.lies)),
                    });
                }
            }
        }
        waiting.sort_unstable_by_key(|one| one.order);
        waiting
    }

    pub(super) fn owed(&self, target: &'static str) -> Vec<String> {
        self.waiting(target).into_iter().map(|one| one.line).collect()
    }
}

/// A result that a target has not got.
#[derive(Debug)]
struct Waiting {
    /// Age of the receipt, then of the place.
    order: (usize, usize),
    document: usize,
    place: usize,
    revision: u32,
    line: String,
}
