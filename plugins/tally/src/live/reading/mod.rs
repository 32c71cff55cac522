//! A run of a live source: what changed since the last one, then the days that were not read yet.
//!
//! Two ways lead to a voucher. Days that were never read come as whole day books, one day a request,
//! each followed by a checkpoint, so that a run cut short goes on at the day it reached. Vouchers of
//! days that were read come by their number of change: Tally counts every change in one row, so what
//! is above the number of the last run has changed since. The number is asked for before anything is
//! read; what changes during a run lies above it and comes again in the next.
//!
//! A voucher dated ahead is read when its day comes, and so is not reported as one of the future.
//!
//! This file is the order of the steps; `masters` and `vouchers` read, `stream` takes an answer apart
//! while it comes.

mod masters;
mod stream;
mod vouchers;

use std::collections::BTreeSet;
use std::sync::Arc;

use einvoice_core::source::{Cursor, RecordSender, SourceError, SourceItem};
use jiff::ToSpan as _;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use tokio::runtime::Handle;

use self::vouchers::Reader;
use super::books::{Books, Marks, OpenCompany};
use super::error::LinkError;
use super::settings::{Form, ReadSettings};
use crate::mapping;

pub(crate) use self::masters::MastersCache;

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
    /// Days with vouchers that cannot be sent as they are, and may be once a master is mended.
    #[serde(default)]
    unready: BTreeSet<Date>,
}

impl Progress {
    /// Nothing read yet under these settings.
    pub(crate) fn new(settings: String) -> Self {
        Self { settings, ..Self::default() }
    }
}

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
    /// How day books and lists of masters are asked for.
    pub(crate) form: Form,
    /// How far the last run got.
    pub(crate) known: Progress,
    /// The settings that decide about mapping.
    pub(crate) mapping: Arc<mapping::Settings>,
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
        let mut reader = Reader::new(&self, handle, sender, self.masters(handle, sender)?);
        if let Some(through) = progress.through {
            let mut days = std::mem::take(&mut progress.faulty);
            if mended && self.settings.reread_days > 0 {
                // What a corrected master changes is not a change of the voucher.
                days.append(&mut progress.unready);
                let back = i64::from(self.settings.reread_days);
                let mut day = self.today.checked_sub(back.days()).unwrap_or(Date::MIN).max(self.settings.from);
                while day <= through {
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
            progress.unready.append(&mut reader.unready);
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
            progress.unready.append(&mut reader.unready);
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
}

/// The day after.
fn next(day: Date) -> Result<Date, End> {
    day.tomorrow().map_err(|error| End::Answer { what: "the calendar".to_owned(), reason: error.to_string() })
}

fn checkpoint(sender: &RecordSender, progress: &Progress) -> Result<(), End> {
    let Ok(text) = serde_json::to_string(progress) else { return Ok(()) };
    if sender.send(Ok(SourceItem::Checkpoint(Cursor::new(text)))) { Ok(()) } else { Err(End::Stopped) }
}
