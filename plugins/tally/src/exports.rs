//! A run over exported files: which of them are complete, which are to be read, and how far it got.
//!
//! `reading` takes one file apart, `latest` says which state of a voucher counts.

use std::collections::BTreeMap;
use std::fs::File;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;

use einvoice_core::clock::SharedClock;
use einvoice_core::date::ist_date;
use einvoice_core::finding::Finding;
use einvoice_core::source::{
    Cursor, RecordSender, RecordStream, SourceError, SourceItem, SourceProblem, SourceRef, stream_from_blocking,
};
use einvoice_file_drop::{FolderSettings, Found, Lister};
use futures_util::{StreamExt as _, stream};
use serde::{Deserialize, Serialize};

use crate::config::TallySourceConfig;
use crate::latest::Latest;
use crate::masters::Masters;
use crate::reading::{self, FileEnd};
use crate::xml::{Fault, Limits};

/// Most places of one file of masters that are reported; the rest goes the same way.
const MASTERS_PROBLEMS_MAX: usize = 20;
/// How long a file stands still before it is taken for complete, as for other sources of files.
const SETTLE_MS: u64 = 1_000;

/// Exported files below a folder.
#[derive(Debug, Clone)]
pub(crate) struct Exports {
    directory: PathBuf,
    /// Looks at files, and tells which of them have settled.
    lister: Arc<Lister>,
    pub(crate) clock: SharedClock,
}

/// What has been read: the fingerprint of everything that decides about mapping, and each whole file.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Progress {
    settings: String,
    files: BTreeMap<String, Export>,
}

/// A file that was read whole.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Export {
    /// Size and time: what tells whether it was read in this state already.
    stamp: String,
    /// The highest number of change in it.
    latest: Option<u64>,
}

impl Exports {
    /// The files of a configuration below a folder.
    ///
    /// # Errors
    /// The key that makes no sense, and why.
    pub(crate) fn new(
        directory: PathBuf,
        config: &TallySourceConfig,
        clock: SharedClock,
    ) -> Result<Self, (&'static str, String)> {
        let settle_ms = config.settle_ms.unwrap_or(SETTLE_MS);
        let settings = FolderSettings { path: config.path.clone(), settle_ms, ..FolderSettings::default() };
        settings.check()?;
        reading::files(&directory, std::slice::from_ref(&config.path)).map_err(|reason| ("path", reason))?;
        reading::files(&directory, &config.masters).map_err(|reason| ("masters", reason))?;
        let lister = Arc::new(Lister::new(directory.clone(), settings));
        Ok(Self { directory, lister, clock })
    }

    /// Streams what was not read before. For files that were just written it waits once, as long as settling takes.
    ///
    /// # Errors
    /// When the files cannot be listed.
    pub(crate) fn fetch(
        &self,
        config: &TallySourceConfig,
        cursor: Option<&Cursor>,
    ) -> Result<RecordStream, SourceError> {
        let run = self.run(config, cursor)?;
        let now = self.clock.now();
        let concerned = run.to_read().chain(&run.masters);
        let settling: Vec<Found> = concerned.filter(|file| !self.lister.settled(file, now)).cloned().collect();
        if settling.is_empty() {
            return Ok(stream_from_blocking(move |sender| run.read(sender)));
        }
        let waited = async move {
            run.exports.clock.sleep(run.exports.lister.settle_time()).await;
            stream_from_blocking(move |sender| {
                if let Some(run) = run.without_growing(&settling) {
                    run.read(sender);
                }
            })
        };
        Ok(Box::pin(stream::once(waited).flatten()))
    }

    fn run(&self, config: &TallySourceConfig, cursor: Option<&Cursor>) -> Result<Run, SourceError> {
        let refused = |reason: String| SourceError::new(config.path.clone(), reason);
        let (path, folder) = (config.path.as_str(), self.directory.display());
        let files = self.found(std::slice::from_ref(&config.path)).map_err(refused)?;
        if files.is_empty() {
            if let Some(folder) = reading::missing_folder(&self.directory, path) {
                return Err(refused(format!(
                    "the folder {} does not exist; make it, or correct `path` of the source",
                    folder.display()
                )));
            }
            tracing::warn!(path, %folder, "no file matches `path` of the source");
        }
        let masters = self.found(&config.masters).map_err(refused)?;
        if masters.is_empty() && !config.masters.is_empty() {
            tracing::warn!(masters = ?config.masters, %folder, "no file matches `masters` of the source");
        }
        let settings = self.fingerprint(config, &masters)?;
        // A cursor that cannot be read is one of another version: everything is read again, which the
        // ledger recognises.
        let known: Option<Progress> = cursor.and_then(|cursor| serde_json::from_str(cursor.as_str()).ok());
        let known = known.filter(|known| known.settings == settings);
        let known = known.unwrap_or_else(|| Progress { settings, files: BTreeMap::new() });
        let limits = reading::limits(config.voucher_bytes_max);
        Ok(Run { exports: self.clone(), limits, files, masters, known })
    }

    fn found(&self, patterns: &[String]) -> Result<Vec<Found>, String> {
        let paths = reading::files(&self.directory, patterns)?;
        Ok(paths.into_iter().filter_map(|path| self.lister.look(path)).collect())
    }

    /// A fingerprint of everything that decides about mapping.
    fn fingerprint(&self, config: &TallySourceConfig, masters: &[Found]) -> Result<String, SourceError> {
        let deciding = TallySourceConfig { settle_ms: None, ..config.clone() };
        let config = serde_json::to_string(&deciding).map_err(|error| {
            SourceError::new("tally", "the configuration could not be compared with the last run's").because(error)
        })?;
        let stamps = masters.iter().map(|file| (self.shown(file), stamp(file).unwrap_or_default()));
        Ok(reading::fingerprint(&stamps.chain([("settings".to_owned(), config)]).collect()))
    }

    fn shown(&self, file: &Found) -> String {
        reading::shown(&self.directory, &file.path)
    }
}

/// Size and time of a file, where the file system tells both.
fn stamp(file: &Found) -> Option<String> {
    Some(format!("{}-{}", file.size, file.modified?.as_nanosecond()))
}

/// One run over all files.
struct Run {
    exports: Exports,
    limits: Limits,
    files: Vec<Found>,
    masters: Vec<Found>,
    known: Progress,
}

impl Run {
    /// What is known of a file that was read in this state.
    fn known(&self, file: &Found) -> Option<&Export> {
        let known = self.known.files.get(&self.exports.shown(file))?;
        stamp(file).is_some_and(|stamp| stamp == known.stamp).then_some(known)
    }

    fn to_read(&self) -> impl Iterator<Item = &Found> {
        self.files.iter().filter(|file| self.known(file).is_none())
    }

    /// The run without files that were written to while it waited; nothing where masters were: without them vouchers
    /// would be read as what they are not.
    fn without_growing(mut self, settling: &[Found]) -> Option<Self> {
        let lister = Arc::clone(&self.exports.lister);
        let grows = |file: &Found| settling.contains(file) && lister.look(file.path.clone()).as_ref() != Some(file);
        if let Some(file) = self.masters.iter().find(|file| grows(file)) {
            tracing::info!(file = %file.shown, "masters are still being written; the next run reads");
            return None;
        }
        self.files.retain(|file| {
            let grows = grows(file);
            if grows {
                tracing::debug!(file = %file.shown, "file is still being written and is left for the next run");
            }
            !grows
        });
        Some(self)
    }

    /// A fresh look at a file whose turn has come; nothing where it was written to meanwhile and has not settled.
    fn complete(&self, file: &Found) -> Option<Found> {
        let Exports { lister, clock, .. } = &self.exports;
        lister.look(file.path.clone()).filter(|now| now == file || lister.settled(now, clock.now()))
    }

    fn read(self, sender: &RecordSender) {
        let Some((shared, all_whole)) = self.read_masters(sender) else { return };
        let (latest, read_on) = (self.latest(), ist_date(self.exports.clock.now()));
        let mut progress = Progress { settings: self.known.settings.clone(), files: BTreeMap::new() };
        for file in &self.files {
            let location = self.exports.shown(file);
            if let Some(known) = self.known(file) {
                progress.files.insert(location, known.clone());
                continue;
            }
            let Some(now) = self.complete(file) else { continue };
            let open = || File::open(&now.path);
            match reading::read_vouchers(&open, &location, self.limits, &shared, read_on, &latest, sender) {
                FileEnd::Stopped => return,
                FileEnd::Faulty => {}
                // A file that changed while it was read is read again.
                FileEnd::Whole { latest } => {
                    let is_same = self.exports.lister.look(now.path.clone()).as_ref() == Some(&now);
                    if let Some(stamp) = stamp(&now).filter(|_| is_same) {
                        progress.files.insert(location, Export { stamp, latest });
                    }
                }
            }
        }
        if all_whole && let Ok(text) = serde_json::to_string(&progress) {
            // Nobody listening at the very end changes nothing.
            _ = sender.send(Ok(SourceItem::Checkpoint(Cursor::new(text))));
        }
    }

    /// The masters of all vouchers, and whether all of them could be read; nothing once nobody listens.
    fn read_masters(&self, sender: &RecordSender) -> Option<(Arc<Masters>, bool)> {
        let mut shared = Masters::default();
        let mut all_whole = true;
        for file in &self.masters {
            let mut problems = Vec::new();
            let result = File::open(&file.path).map_err(|error| (1, error.to_string())).and_then(|input| {
                let mut faulty = |fault: Fault| {
                    if problems.len() < MASTERS_PROBLEMS_MAX {
                        problems.push((fault.place.line, fault.reason));
                    }
                    ControlFlow::Continue(())
                };
                reading::read_masters(input, self.limits, &mut shared, &mut faulty)
                    .map_err(|fault| (fault.place.line, fault.reason))
            });
            problems.extend(result.err());
            for (index, (line, reason)) in problems.iter().enumerate() {
                all_whole = false;
                if !sender.send(Ok(masters_problem(&self.exports.shown(file), index, *line, reason))) {
                    return None;
                }
            }
        }
        Some((Arc::new(shared), all_whole))
    }

    /// The latest state of each voucher, where there is more than one export to hold it. What was read before is looked
    /// through where it may hold a later one: an old export may come again.
    fn latest(&self) -> Latest {
        let mut latest = Latest::default();
        let read_before = self.files.iter().filter_map(|file| Some((file, self.known(file)?.latest?)));
        let read_before: Vec<_> = read_before.collect();
        if self.to_read().count() + read_before.len() < 2 {
            return latest;
        }
        let mut look_through = |file: &Found| {
            // What cannot be read is told by whoever reads it for its vouchers.
            File::open(&file.path).ok().and_then(|input| latest.look_through(input, self.limits))
        };
        let Some(lowest) = self.to_read().filter_map(&mut look_through).min() else { return latest };
        for (file, _) in read_before.into_iter().filter(|(_, highest)| *highest > lowest) {
            look_through(file);
        }
        latest
    }
}

fn masters_problem(location: &str, index: usize, line: u64, reason: &str) -> SourceItem {
    let finding = Finding::error("tally.masters_unreadable", "", format!("some masters could not be read: {reason}"))
        .with_place(format!("{location}, line {line}"))
        .with_fix("Export the masters again; vouchers that need the missing ones say so.");
    // By the name of the file, so that it is revised when the file is another.
    let record_id = if index == 0 { location.to_owned() } else { format!("{location}#{}", index + 1) };
    let reference = SourceRef { record_id, position: format!("line {line}"), location: location.to_owned() };
    SourceItem::Problem(SourceProblem { reference, label: location.to_owned(), findings: vec![finding] })
}
