//! A run of a live source: what changed since the last one, then the days that were not read yet.
//!
//! Two ways lead to a voucher. Days that were never read come as whole day books, one day a request,
//! each followed by a checkpoint, so that a run cut short goes on at the day it reached. Vouchers of
//! days that were read come by their number of change: Tally counts every change in one row, so what
//! is above the number of the last run has changed since. The number is asked for before anything is
//! read; what changes during a run lies above it and comes again in the next.
//!
//! A voucher dated ahead is read when its day comes, and so is not reported as one of the future.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::{self, Read};
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, PoisonError};

use einvoice_core::finding::Finding;
use einvoice_core::source::{Cursor, RecordSender, SourceError, SourceItem, SourceProblem, SourceRecord, SourceRef};
use einvoice_core::spelling;
use jiff::ToSpan as _;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use tokio::runtime::Handle;

use super::books::{Books, Head, Marks, OpenCompany, StoredVoucher, whole_number};
use super::error::LinkError;
use super::link::Export;
use super::request::{self, Request};
use super::settings::ReadSettings;
use crate::config::ChangedMode;
use crate::lexical;
use crate::masters::Masters;
use crate::reading::{explain, identity_of, text_of};
use crate::xml::{Element, Fault, Found, Wanted, split};

/// Changed vouchers of one day up to which each is asked for by itself: about 20 ms each, against
/// the seconds for which a day book holds Tally's screen.
const OBJECTS_A_DAY_MAX: usize = 50;
/// Days with unreadable vouchers that are remembered and read again; further ones are not.
const FAULTY_DAYS_MAX: usize = 62;

/// How far a source got.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Progress {
    /// Fingerprint of the settings that decide about mapping.
    pub(crate) settings: String,
    /// The company's GUID.
    company: Option<String>,
    /// Number of the last change of a master that was seen.
    masters: Option<u64>,
    /// Number of the last change of a voucher up to which everything was read.
    vouchers: Option<u64>,
    /// Day up to which every day was read.
    through: Option<Date>,
    /// Days before that with vouchers that could not be read.
    #[serde(default)]
    faulty: BTreeSet<Date>,
}

impl Progress {
    /// Nothing read yet under these settings.
    pub(crate) fn new(settings: String) -> Self {
        Self { settings, ..Self::default() }
    }
}

/// Masters that were read, with the company and the number of change they stand for.
pub(crate) type MastersCache = Arc<Mutex<Option<(Option<String>, u64, Arc<Masters>)>>>;

/// One run.
#[derive(Debug)]
pub(crate) struct Run {
    /// The books.
    pub(crate) books: Books,
    /// The company as it was found open.
    pub(crate) company: OpenCompany,
    /// The numbers of the last changes, asked for before anything else.
    pub(crate) marks: Marks,
    /// Today in India.
    pub(crate) today: Date,
    /// What to read.
    pub(crate) settings: ReadSettings,
    /// How far the last run got.
    pub(crate) known: Progress,
    /// The masters of the last run of this process.
    pub(crate) cache: MastersCache,
}

/// Why a run ends before its end.
enum End {
    /// Nobody listens any more.
    Stopped,
    /// Tally gave no answer that can be used.
    Link(LinkError),
    /// An answer was unreadable in a way that concerns all of it.
    Answer { what: String, reason: String },
}

impl From<LinkError> for End {
    fn from(error: LinkError) -> Self {
        if matches!(error, LinkError::Stopped) { Self::Stopped } else { Self::Link(error) }
    }
}

impl Run {
    /// Reads; a blocking function for a thread of its own.
    pub(crate) fn read(self, handle: &Handle, sender: &RecordSender) {
        let location = self.location();
        let error = match self.steps(handle, sender) {
            Ok(()) | Err(End::Stopped) => return,
            Err(End::Link(error)) => {
                // The sentence is whole: pipelines show the error, not its cause.
                let reason = format!("{error}; what was read before stands, and the next run goes on there");
                SourceError::new(location, reason).because(error)
            }
            Err(End::Answer { what, reason }) => SourceError::new(location, format!("{what}: {reason}")),
        };
        // Nobody listening at the very end changes nothing.
        _ = sender.send(Err(error));
    }

    fn location(&self) -> String {
        format!("{} at {}", self.company.name, self.books.link().origin())
    }

    fn steps(self, handle: &Handle, sender: &RecordSender) -> Result<(), End> {
        let mut progress = self.known.clone();
        let restored = progress.vouchers.zip(self.marks.vouchers).is_some_and(|(known, now)| now < known);
        if progress.company != self.company.guid || restored {
            if progress.company.is_some() {
                tracing::warn!(company = %self.company.name, "these are other books than the last run's, or restored ones: all days are read again");
            }
            progress =
                Progress { settings: progress.settings, company: self.company.guid.clone(), ..Progress::default() };
        }
        let mended = progress.masters.is_some() && progress.masters != self.marks.masters;
        let changed = self.marks.vouchers.is_none() || progress.vouchers != self.marks.vouchers;
        let up_to_date = progress.through.is_some_and(|through| through >= self.today);
        if up_to_date && !changed && !mended && progress.faulty.is_empty() {
            return checkpoint(sender, &progress);
        }
        let mut reader =
            Reader { run: &self, handle, sender, masters: Arc::new(self.masters(handle, sender)?), highest: 0 };
        if let Some(through) = progress.through {
            let mut days = std::mem::take(&mut progress.faulty);
            if mended {
                // What a corrected master changes is not a change of the voucher.
                let back = i64::from(self.settings.reread_days);
                let mut day = self.today.checked_sub(back.days()).unwrap_or(Date::MIN).max(self.settings.from);
                while self.settings.reread_days > 0 && day <= through {
                    days.insert(day);
                    day = next(day)?;
                }
            }
            if changed {
                reader.changed(progress.vouchers.unwrap_or(0), through, &mut days)?;
            }
            for day in days {
                reader.day(day, &mut progress.faulty)?;
            }
        }
        let seen = reader.highest.max(progress.vouchers.unwrap_or(0));
        if progress.through.is_some() || progress.vouchers.is_none() {
            // Before the first reading is whole its mark stays: what changed since is above it.
            progress.vouchers = self.marks.vouchers.or(progress.through.map(|_| seen));
        }
        progress.masters = self.marks.masters;
        let mut day = match progress.through {
            Some(through) => {
                checkpoint(sender, &progress)?;
                next(through)?
            }
            None => self.settings.from,
        };
        while day <= self.today {
            reader.day(day, &mut progress.faulty)?;
            progress.through = Some(day);
            checkpoint(sender, &progress)?;
            day = next(day)?;
        }
        if self.marks.vouchers.is_none() {
            // A release that tells no marks: the highest number that was read stands for them.
            progress.vouchers = Some(reader.highest.max(seen));
        }
        checkpoint(sender, &progress)
    }

    /// The masters, from the last run of this process where none changed since.
    fn masters(&self, handle: &Handle, sender: &RecordSender) -> Result<Masters, End> {
        let mut cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh =
            cache.as_ref().filter(|(guid, mark, _)| *guid == self.company.guid && self.marks.masters == Some(*mark));
        if let Some((_, _, masters)) = fresh {
            return Ok(Masters::before(Arc::clone(masters)));
        }
        let masters = Arc::new(self.read_masters(handle, sender)?);
        *cache = self.marks.masters.map(|mark| (self.company.guid.clone(), mark, Arc::clone(&masters)));
        Ok(Masters::before(masters))
    }

    fn read_masters(&self, handle: &Handle, sender: &RecordSender) -> Result<Masters, End> {
        let company = self.books.link().company();
        let mut masters = Masters::default();
        masters.current_company = Some(self.company.name.clone());
        for kind in request::ACCOUNT_TYPES {
            self.add_masters(handle, sender, &request::masters(company, kind), &mut masters)?;
        }
        // Older releases know neither; what they leave out the configuration states, or a finding names.
        for request in [request::company_details(company), request::tax_units(company)] {
            match self.add_masters(handle, sender, &request, &mut masters) {
                Err(End::Answer { what, reason }) => {
                    tracing::warn!(%what, %reason, "Tally does not tell; the configuration must");
                }
                other => other?,
            }
        }
        Ok(masters)
    }

    fn add_masters(
        &self,
        handle: &Handle,
        sender: &RecordSender,
        request: &Request,
        masters: &mut Masters,
    ) -> Result<(), End> {
        let mut refusals = Vec::new();
        self.split(handle, sender, request, Wanted::Masters, &mut |found| {
            match found {
                Found::Object { text, .. } => {
                    if let Ok(element) = Element::parse(text) {
                        // A list of companies holds every open one.
                        let name = element.attribute("NAME").or_else(|| element.get("NAME")).unwrap_or_default();
                        if element.name() != "COMPANY" || spelling::same(name, &self.company.name) {
                            masters.add(&element);
                        }
                    }
                }
                Found::ErrorText { text, .. } => refusals.push(text.to_owned()),
                Found::Fault(fault) => {
                    tracing::warn!(what = %request.what, reason = %fault.reason, "a master could not be read");
                }
                Found::Oversize { .. } | Found::Company(_) => {}
            }
            ControlFlow::Continue(())
        })?;
        if refusals.is_empty() {
            return Ok(());
        }
        Err(End::Answer { what: request.what.clone(), reason: refusals.join("; ") })
    }

    /// Runs the splitter over an answer while it comes.
    fn split(
        &self,
        handle: &Handle,
        sender: &RecordSender,
        request: &Request,
        wanted: Wanted,
        found: &mut dyn FnMut(Found<'_>) -> ControlFlow<()>,
    ) -> Result<(), End> {
        let export = wait(handle, sender, self.books.link().export(request))?;
        let failure = RefCell::new(None);
        let mut body = Body { export, handle, sender, failure: &failure };
        let result = split(&mut body, wanted, self.settings.limits, found);
        // Whatever the splitter made of it, a broken connection is told as one.
        if let Some(error) = failure.take() {
            return Err(error.into());
        }
        let what = request.what.clone();
        match result {
            Ok(summary) if !summary.known_root => {
                Err(End::Answer { what, reason: "what came back is no answer of Tally's; check `url`".to_owned() })
            }
            Ok(_) => Ok(()),
            Err(fault) => Err(End::Answer { what, reason: format!("{}; it will be asked again", fault.reason) }),
        }
    }
}

/// Waits for Tally, but not after the last listener has gone.
fn wait<T>(
    handle: &Handle,
    sender: &RecordSender,
    answer: impl Future<Output = Result<T, LinkError>>,
) -> Result<T, LinkError> {
    handle.block_on(async {
        tokio::select! {
            answer = answer => answer,
            () = sender.closed() => Err(LinkError::Stopped),
        }
    })
}

/// The day after.
fn next(day: Date) -> Result<Date, End> {
    day.tomorrow().map_err(|error| End::Answer { what: "the calendar".to_owned(), reason: error.to_string() })
}

fn checkpoint(sender: &RecordSender, progress: &Progress) -> Result<(), End> {
    let Ok(text) = serde_json::to_string(progress) else { return Ok(()) };
    if sender.send(Ok(SourceItem::Checkpoint(Cursor::new(text)))) { Ok(()) } else { Err(End::Stopped) }
}

/// An answer as the splitter reads it.
struct Body<'r> {
    export: Export,
    handle: &'r Handle,
    sender: &'r RecordSender,
    failure: &'r RefCell<Option<LinkError>>,
}

impl Read for Body<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        wait(self.handle, self.sender, self.export.read(into)).map_err(|error| {
            let text = format!("{}: {error}", self.export.what());
            *self.failure.borrow_mut() = Some(error);
            io::Error::other(text)
        })
    }
}

/// Sends what is read.
struct Reader<'r> {
    run: &'r Run,
    handle: &'r Handle,
    sender: &'r RecordSender,
    masters: Arc<Masters>,
    /// Highest number of change among the vouchers that were read.
    highest: u64,
}

impl Reader<'_> {
    /// Vouchers changed after a number, of days up to `through`: each by itself, or by its day, which
    /// is then added to `days`.
    fn changed(&mut self, after: u64, through: Date, days: &mut BTreeSet<Date>) -> Result<(), End> {
        let request = request::changed_since(self.run.books.link().company(), after, self.run.settings.from, through);
        let mut by_day: BTreeMap<Date, Vec<u64>> = BTreeMap::new();
        let mut refusals = Vec::new();
        let (from, mut highest) = (self.run.settings.from, 0);
        let by_object = self.run.settings.changed == ChangedMode::Object;
        self.run.split(self.handle, self.sender, &request, Wanted::Vouchers, &mut |found| {
            match found {
                Found::Object { text, .. } => {
                    if let Some(head) = Head::read(text)
                        && !head.deleted
                        && head.alter_id.is_none_or(|number| number > after)
                        && (from..=through).contains(&head.day)
                    {
                        highest = highest.max(head.alter_id.unwrap_or(0));
                        let of_day = by_day.entry(head.day).or_default();
                        match head.master_id {
                            // One more than the most is enough to tell that the day is read as a whole.
                            Some(id) if by_object && of_day.len() <= OBJECTS_A_DAY_MAX => of_day.push(id),
                            Some(_) => {}
                            None => _ = days.insert(head.day),
                        }
                        if !by_object {
                            days.insert(head.day);
                        }
                    }
                }
                Found::ErrorText { text, .. } => refusals.push(text.to_owned()),
                Found::Fault(fault) => refusals.push(fault.reason),
                Found::Oversize { .. } | Found::Company(_) => {}
            }
            ControlFlow::Continue(())
        })?;
        if !refusals.is_empty() {
            return Err(End::Answer { what: request.what, reason: refusals.join("; ") });
        }
        self.highest = self.highest.max(highest);
        for (day, ids) in by_day {
            if ids.len() > OBJECTS_A_DAY_MAX {
                days.insert(day);
            }
            if days.contains(&day) {
                continue;
            }
            for id in ids {
                let found = wait(self.handle, self.sender, self.run.books.voucher(id, self.run.settings.limits));
                match found {
                    Ok(Some(StoredVoucher(text))) => {
                        let record = self.record(&text, id);
                        self.send(SourceItem::Record(record))?;
                    }
                    // Deleted between the list and the question.
                    Ok(None) => {}
                    // It is there and cannot be read by itself: its day tells which one and why.
                    Err(LinkError::Broken { .. }) => _ = days.insert(day),
                    Err(error) => return Err(error.into()),
                }
            }
        }
        Ok(())
    }

    /// The day book of a day.
    fn day(&mut self, day: Date, faulty: &mut BTreeSet<Date>) -> Result<(), End> {
        let request = request::day_book(self.run.books.link().company(), day);
        let mut refusals = Vec::new();
        let mut end = Ok(());
        let mut whole = true;
        let mut sent = 0_u64;
        // Identities of vouchers that state none, so that two never share one.
        let mut nameless: HashMap<String, u32> = HashMap::new();
        let run = self.run;
        run.split(self.handle, self.sender, &request, Wanted::Vouchers, &mut |found| {
            let item = match found {
                Found::Object { text, number, .. } => {
                    // Where a release does not honour the day asked for, each voucher comes on its own day.
                    if text_of(text, "DATE").as_deref().and_then(lexical::date).is_some_and(|found| found.date() != day)
                    {
                        return ControlFlow::Continue(());
                    }
                    sent += 1;
                    let mut record = self.record(text, number);
                    if !identity_of(text).1 {
                        let times = nameless.entry(record.reference.record_id.clone()).or_default();
                        *times += 1;
                        if *times > 1 {
                            record.reference.record_id = format!("{}#{times}", record.reference.record_id);
                        }
                    }
                    SourceItem::Record(record)
                }
                Found::Oversize { number, .. } => {
                    whole = false;
                    let message = format!("voucher {number} is larger than `voucher_bytes_max` and was passed over");
                    let fix = "Raise `voucher_bytes_max` in the configuration of the source, if the voucher is meant to be so large.";
                    self.problem(day, None, Finding::error("tally.voucher_too_large", "", message).with_fix(fix))
                }
                Found::Fault(fault) => {
                    whole = false;
                    self.fault(day, fault, sent > 0)
                }
                Found::ErrorText { text, .. } => {
                    refusals.push(text.to_owned());
                    return ControlFlow::Continue(());
                }
                Found::Company(_) => return ControlFlow::Continue(()),
            };
            end = self.send(item);
            if end.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        })?;
        end?;
        if !refusals.is_empty() {
            return Err(End::Answer { what: request.what, reason: refusals.join("; ") });
        }
        if !whole && faulty.len() < FAULTY_DAYS_MAX {
            faulty.insert(day);
        }
        Ok(())
    }

    /// A record of a voucher. Its place is its Master ID, the same by whichever way it came.
    fn record(&mut self, text: &str, number: u64) -> SourceRecord {
        let numeric = |name: &str| text_of(text, name).as_deref().and_then(whole_number);
        self.highest = self.highest.max(numeric("ALTERID").unwrap_or(0));
        let position = numeric("MASTERID").map_or_else(|| format!("voucher {number}"), |id| format!("Master ID {id}"));
        let (record_id, _) = identity_of(text);
        let masters: Arc<dyn std::any::Any + Send + Sync> = Arc::<Masters>::clone(&self.masters);
        let reference = SourceRef { location: self.run.location(), position, record_id };
        SourceRecord { reference, content: text.to_owned(), context: Some(masters) }
    }

    fn fault(&self, day: Date, fault: Fault, any_before: bool) -> SourceItem {
        let (label, finding) = explain(fault, any_before);
        let fix = "Open the voucher in Tally, correct what stands there and accept it again; the day is read again in the next run.";
        self.problem(day, label, finding.with_fix(fix))
    }

    fn problem(&self, day: Date, label: Option<String>, finding: Finding) -> SourceItem {
        let location = self.run.location();
        let place = format!("day book of {day}");
        let name = label.as_deref().unwrap_or("a voucher").to_owned();
        let reference = SourceRef {
            record_id: format!("{location}, {place}, {name}, {}", finding.rule),
            position: place.clone(),
            location,
        };
        let finding = finding.with_place(format!("{reference}"));
        SourceItem::Problem(SourceProblem { reference, label: label.unwrap_or(place), findings: vec![finding] })
    }

    fn send(&self, item: SourceItem) -> Result<(), End> {
        if self.sender.send(Ok(item)) { Ok(()) } else { Err(End::Stopped) }
    }
}
