//! The vouchers of a run: those that changed, and whole days.

use std::any::Any;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::ControlFlow;
use std::sync::Arc;

use einvoice_core::finding::Finding;
use einvoice_core::source::{RecordSender, SourceItem, SourceProblem, SourceRecord, SourceRef};
use jiff::civil::Date;
use tokio::runtime::Handle;

use super::super::books::{Head, StoredVoucher, whole_number};
use super::super::error::LinkError;
use super::super::request;
use super::stream::wait;
use super::{End, Run};
use crate::config::ChangedMode;
use crate::lexical;
use crate::mapping::Beside;
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
    /// Highest number of change among the vouchers that were read.
    pub(super) highest: u64,
}

impl<'r> Reader<'r> {
    /// A reader of a run that has read nothing yet.
    pub(super) fn new(run: &'r Run, handle: &'r Handle, sender: &'r RecordSender, masters: Masters) -> Self {
        let beside = Arc::new(Beside { masters, read_on: Some(run.today) });
        Self { run, handle, sender, beside, highest: 0 }
    }

    /// Vouchers changed after a number, of days up to `through`: each by itself, or by its day, which
    /// is then added to `days`.
    pub(super) fn changed(&mut self, after: u64, through: Date, days: &mut BTreeSet<Date>) -> Result<(), End> {
        let request = request::changed_since(self.run.books.link().company(), after, self.run.settings.from, through);
        let mut by_day: BTreeMap<Date, Vec<u64>> = BTreeMap::new();
        let mut faults = Vec::new();
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
                Found::Fault(fault) => faults.push(fault.reason),
                Found::Oversize { .. } | Found::Company(_) | Found::ErrorText { .. } => {}
            }
            ControlFlow::Continue(())
        })?;
        if !faults.is_empty() {
            return Err(End::Answer { what: request.what, reason: faults.join("; ") });
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
    pub(super) fn day(&mut self, day: Date, faulty: &mut BTreeSet<Date>) -> Result<(), End> {
        let request = request::day_book(self.run.books.link().company(), day);
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
                Found::Company(_) | Found::ErrorText { .. } => return ControlFlow::Continue(()),
            };
            end = self.send(item);
            if end.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        })?;
        end?;
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
        let beside: Arc<dyn Any + Send + Sync> = Arc::<Beside>::clone(&self.beside);
        let reference = SourceRef { location: self.run.location(), position, record_id };
        SourceRecord { reference, content: text.to_owned(), context: Some(beside) }
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
