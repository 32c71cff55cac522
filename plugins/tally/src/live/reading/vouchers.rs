//! The vouchers of a run: those that changed, and whole days.

use std::any::Any;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::ControlFlow;
use std::sync::Arc;

use einvoice_core::date::DocumentDate;
use einvoice_core::finding::Finding;
use einvoice_core::rulebook::{self, CheckOptions};
use einvoice_core::source::{Mapped, RecordSender, SourceItem, SourceProblem, SourceRecord, SourceRef};
use jiff::civil::Date;
use tokio::runtime::Handle;

use super::super::books::{Head, StoredVoucher, whole_number};
use super::super::request;
use super::stream::wait;
use super::{End, Run};
use crate::config::ChangedMode;
use crate::latest::change_of;
use crate::lexical;
use crate::mapping::{self, Beside};
use crate::masters::Masters;
use crate::reading::{explain, identity_of, text_of};
use crate::xml::{Fault, Found, Wanted};

/// Changed vouchers of one day up to which each is asked for by itself: about 20 ms each, against
/// the seconds for which a day book holds Tally's screen.
const OBJECTS_A_DAY_MAX: usize = 50;
/// Days with unreadable vouchers that are remembered and read again; further ones are not.
const FAULTY_DAYS_MAX: usize = 62;

/// Sends what is read.
pub(super) struct Reader<'r> {
    run: &'r Run,
    handle: &'r Handle,
    sender: &'r RecordSender,
    beside: Arc<Beside>,
    /// Vouchers that Tally does not hand out by themselves, each with the reason; their days are to show them.
    not_alone: BTreeMap<Date, BTreeMap<u64, String>>,
    /// Highest number of change among the vouchers that were read.
    pub(super) highest: u64,
    /// Days of vouchers that cannot be sent as they are.
    pub(super) unready: BTreeSet<Date>,
}

/// What changed.
#[derive(Debug, Default)]
struct Changes {
    /// Master IDs by day.
    by_day: BTreeMap<Date, Vec<u64>>,
    /// Those without a day that can be read: the Master ID, and what a person may call it.
    undated: Vec<(Option<u64>, Option<String>)>,
}

impl<'r> Reader<'r> {
    /// A reader of a run that has read nothing yet.
    pub(super) fn new(run: &'r Run, handle: &'r Handle, sender: &'r RecordSender, masters: Masters) -> Self {
        let beside = Arc::new(Beside { masters, read_on: Some(run.today) });
        Self { run, handle, sender, beside, not_alone: BTreeMap::new(), highest: 0, unready: BTreeSet::new() }
    }

    /// Vouchers changed after a number, of days up to `through`: each by itself, or by its day, which
    /// is then added to `days`.
    pub(super) fn changed(&mut self, after: u64, through: Date, days: &mut BTreeSet<Date>) -> Result<(), End> {
        let Changes { by_day, undated } = self.changes(after, through, days)?;
        for (day, ids) in by_day {
            if ids.len() > OBJECTS_A_DAY_MAX {
                days.insert(day);
            }
            if days.contains(&day) {
                continue;
            }
            for id in ids {
                if let Some(reason) = self.alone(id)? {
                    // It is there and does not come by itself: its day tells which one, and why.
                    days.insert(day);
                    self.not_alone.entry(day).or_default().insert(id, reason);
                }
            }
        }
        for (id, label) in undated {
            let reason = match id {
                Some(id) => self.alone(id)?,
                None => Some("the list of changes does not tell its Master ID".to_owned()),
            };
            if let Some(reason) = reason {
                let message = format!(
                    "the voucher was changed and has no date that can be read, and cannot be read by itself: {reason}"
                );
                let finding = Finding::error("tally.voucher_not_given", "DocDtls.Dt", message).with_fix(
                    "Open the voucher in Tally, correct its date and accept it again; the next run reads it.",
                );
                self.send(self.problem(place_of(id), label, finding))?;
            }
        }
        Ok(())
    }

    /// What changed after a number. Days that are to be read whole are added to `days`.
    fn changes(&mut self, after: u64, through: Date, days: &mut BTreeSet<Date>) -> Result<Changes, End> {
        let request = request::changed_since(self.run.books.link().company(), after, self.run.settings.from, through);
        let mut changes = Changes::default();
        let mut faults = Vec::new();
        let (from, mut highest) = (self.run.settings.from, 0);
        let by_object = self.run.settings.changed == ChangedMode::Object;
        self.run.split(self.handle, self.sender, &request, Wanted::Vouchers, &mut |found| {
            match found {
                Found::Object { text, .. } => {
                    let head = Head::read(text);
                    let is_old = |head: &Head| head.deleted || head.alter_id.is_some_and(|number| number <= after);
                    if head.as_ref().is_some_and(is_old) {
                        return ControlFlow::Continue(());
                    }
                    let master_id = head.as_ref().and_then(|head| head.master_id);
                    let change = head.as_ref().and_then(|head| head.alter_id).unwrap_or(0);
                    match head.and_then(|head| head.day) {
                        Some(day) if (from..=through).contains(&day) => {
                            highest = highest.max(change);
                            let of_day = changes.by_day.entry(day).or_default();
                            match master_id {
                                // One more than the most is enough to tell that the day is read as a whole.
                                Some(id) if by_object && of_day.len() <= OBJECTS_A_DAY_MAX => of_day.push(id),
                                Some(_) if by_object => {}
                                _ => _ = days.insert(day),
                            }
                        }
                        Some(_) => {}
                        None => {
                            highest = highest.max(change);
                            changes.undated.push((master_id, name_of(text)));
                        }
                    }
                }
                Found::Fault(fault) => faults.push(fault.reason),
                Found::Oversize { .. } | Found::Company(_) | Found::ErrorText { .. } => {}
            }
            ControlFlow::Continue(())
        })?;
        if !faults.is_empty() {
            return Err(End::Answer { what: request.what, reason: faults.join("; ") });
        }
        self.highest = self.highest.max(highest);
        Ok(changes)
    }

    /// One voucher by its Master ID. Gives the reason where Tally has it and does not hand it out.
    fn alone(&mut self, id: u64) -> Result<Option<String>, End> {
        match wait(self.handle, self.sender, self.run.books.voucher(id, self.run.settings.limits)) {
            Ok(Some(StoredVoucher(text))) => {
                let record = self.record(&text, id);
                self.send(SourceItem::Record(record))?;
                Ok(None)
            }
            // Deleted between the list and the question.
            Ok(None) => Ok(None),
            Err(error) if error.is_of_one() => Ok(Some(error.to_string())),
            Err(error) => Err(error.into()),
        }
    }

    /// The day book of a day.
    pub(super) fn day(&mut self, day: Date, faulty: &mut BTreeSet<Date>) -> Result<(), End> {
        let request = request::day_book(self.run.books.link().company(), day);
        let mut end = Ok(());
        let mut whole = true;
        let mut sent = 0_u64;
        let mut not_given = self.not_alone.remove(&day).unwrap_or_default();
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
                    if !not_given.is_empty()
                        && let Some(id) = number_in(text, "MASTERID")
                    {
                        not_given.remove(&id);
                    }
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
                    let finding = Finding::error("tally.voucher_too_large", "", message).with_fix(fix);
                    self.problem(day_book_of(day), None, finding)
                }
                Found::Fault(fault) => {
                    whole = false;
                    self.fault(day, fault, sent > 0)
                }
                Found::Company(_) | Found::ErrorText { .. } => return ControlFlow::Continue(()),
            };
            end = self.send(item);
            if end.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        })?;
        end?;
        // In a day that could not be read whole it may be what could not be read.
        for (id, reason) in not_given.into_iter().filter(|_| whole) {
            let message = format!(
                "the voucher was changed, and Tally hands it out neither by itself ({reason}) nor with the day book of {day}"
            );
            let finding = Finding::error("tally.voucher_not_given", "", message).with_fix(
                "Open the voucher in Tally and accept it again: the next run asks for it again. If Tally shows it to you and not \
                 here, look at the rights of the user who is logged in there.",
            );
            self.send(self.problem(place_of(Some(id)), None, finding))?;
        }
        if !whole && faulty.len() < FAULTY_DAYS_MAX {
            faulty.insert(day);
        }
        Ok(())
    }

    /// A record of a voucher. Its place is its Master ID, the same by whichever way it came.
    fn record(&mut self, text: &str, number: u64) -> SourceRecord {
        self.highest = self.highest.max(change_of(text).unwrap_or(0));
        let position = number_in(text, "MASTERID").map_or_else(|| format!("voucher {number}"), |id| place_of(Some(id)));
        let (record_id, _) = identity_of(text);
        let beside: Arc<dyn Any + Send + Sync> = Arc::<Beside>::clone(&self.beside);
        let reference = SourceRef { location: self.run.location(), position, record_id };
        if let Some(day) = text_of(text, "DATE").as_deref().and_then(lexical::date).map(DocumentDate::date)
            && !self.unready.contains(&day)
            && !self.is_ready(text, &reference)
        {
            self.unready.insert(day);
        }
        SourceRecord { reference, content: text.to_owned(), context: Some(beside) }
    }

    /// Whether a voucher can be sent as it is, or need not be.
    fn is_ready(&self, text: &str, reference: &SourceRef) -> bool {
        match mapping::map(text, &reference.to_string(), &self.beside, &self.run.mapping) {
            Mapped::Document(document) => {
                let options = CheckOptions::on(self.run.today);
                rulebook::check(document.invoice, document.findings, &options).is_ok()
            }
            Mapped::Unmappable { .. } => false,
            Mapped::Skipped(_) => true,
        }
    }

    fn fault(&self, day: Date, fault: Fault, any_before: bool) -> SourceItem {
        let (label, finding) = explain(fault, any_before);
        let fix = "Open the voucher in Tally, correct what stands there and accept it again; the day is read again in the next run.";
        self.problem(day_book_of(day), label, finding.with_fix(fix))
    }

    fn problem(&self, place: String, label: Option<String>, finding: Finding) -> SourceItem {
        let location = self.run.location();
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

/// The place of a voucher of a Master ID.
fn place_of(id: Option<u64>) -> String {
    id.map_or_else(|| "the list of changes".to_owned(), |id| format!("Master ID {id}"))
}

fn day_book_of(day: Date) -> String {
    format!("day book of {day}")
}

/// What a person may call a voucher of a list.
fn name_of(text: &str) -> Option<String> {
    let number = text_of(text, "VOUCHERNUMBER")?;
    let kind = text_of(text, "VOUCHERTYPENAME").unwrap_or_else(|| "voucher".to_owned());
    Some(format!("{kind} {number}"))
}

fn number_in(text: &str, name: &str) -> Option<u64> {
    text_of(text, name).as_deref().and_then(whole_number)
}
