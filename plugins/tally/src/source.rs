//! The source role: exported files or a running Tally to records, records to documents.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use einvoice_core::clock::SharedClock;
use einvoice_core::date::ist_date;
use einvoice_core::finding::Finding;
use einvoice_core::registry::{BuildContext, BuildError};
use einvoice_core::source::{
    Acknowledgement, Cursor, InvoiceSource, Mapped, RecordSender, RecordStream, SourceCapability, SourceError,
    SourceItem, SourceRecord, stream_from_blocking,
};
use serde::{Deserialize, Serialize};

use crate::config::TallySourceConfig;
use crate::live::{self, Books, Link, LinkError, LinkSettings, MastersCache, ReadSettings, only_with};
use crate::mapping::{self, Settings};
use crate::masters::Masters;
use crate::reading::{self, FileEnd};
use crate::xml::Fault;

/// Vouchers from files exported by Tally, or from a running Tally.
#[derive(Debug)]
pub struct TallySource {
    origin: Origin,
    settings: Settings,
    nothing: Masters,
}

/// Where the vouchers are.
#[derive(Debug)]
enum Origin {
    /// Files below this folder.
    Files(PathBuf),
    /// A running Tally.
    Live(Box<Live>),
}

#[derive(Debug)]
struct Live {
    books: Books,
    read: ReadSettings,
    clock: SharedClock,
    cache: MastersCache,
    /// Fingerprint of the settings that decide about mapping.
    fingerprint: String,
}

/// What has been read: the fingerprint of everything that decides about mapping, and a stamp for
/// each whole file.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Progress {
    settings: String,
    files: BTreeMap<String, String>,
}

impl TallySource {
    /// A source that reads below `directory`.
    ///
    /// # Errors
    /// [`BuildError`] when a pattern or a limit in the configuration makes no sense.
    pub fn new(directory: impl Into<PathBuf>, config: TallySourceConfig) -> Result<Self, BuildError> {
        let directory = directory.into();
        if config.url.is_some() {
            return Err(refused("url", "asks for a running Tally, which is no source over files".to_owned()));
        }
        if config.path.trim().is_empty() {
            let reason = "names no files; write a pattern such as `inbox/*.xml`, or `url` to read from a running Tally";
            return Err(refused("path", reason.to_owned()));
        }
        only_with(
            "url",
            &[
                ("company", config.company.is_some()),
                ("from", config.from.is_some()),
                ("envelope", config.envelope.is_some()),
                ("changed", config.changed.is_some()),
                ("reread_days", config.reread_days.is_some()),
                ("charset", config.charset.is_some()),
                ("connect_timeout_ms", config.connect_timeout_ms.is_some()),
                ("read_timeout_ms", config.read_timeout_ms.is_some()),
                ("export_timeout_ms", config.export_timeout_ms.is_some()),
                ("probe_timeout_ms", config.probe_timeout_ms.is_some()),
            ],
        )?;
        reading::files(&directory, std::slice::from_ref(&config.path)).map_err(|reason| refused("path", reason))?;
        reading::files(&directory, &config.masters).map_err(|reason| refused("masters", reason))?;
        check_size(&config)?;
        let settings = Settings::new(config).map_err(|error| refused("mapping", error.to_string()))?;
        Ok(Self { origin: Origin::Files(directory), settings, nothing: Masters::default() })
    }

    /// A source that reads from a running Tally.
    ///
    /// # Errors
    /// [`BuildError`] when a setting makes no sense.
    pub fn live(config: TallySourceConfig, clock: SharedClock) -> Result<Self, BuildError> {
        if !config.path.is_empty() {
            return Err(refused("path", "stands beside `url`; a source reads files or a running Tally".to_owned()));
        }
        only_with("path", &[("masters", !config.masters.is_empty())])?;
        check_size(&config)?;
        let (link, read) = LinkSettings::of_source(&config)?;
        // How Tally is reached decides nothing about a document.
        let deciding = TallySourceConfig {
            url: None,
            charset: None,
            envelope: None,
            changed: None,
            reread_days: None,
            connect_timeout_ms: None,
            read_timeout_ms: None,
            export_timeout_ms: None,
            probe_timeout_ms: None,
            ..config.clone()
        };
        let text = serde_json::to_string(&deciding)
            .map_err(|error| BuildError::new("tally", "the settings could not be compared").because(error))?;
        let live = Live {
            books: Books::new(Arc::new(Link::new(link)?)),
            read,
            clock,
            cache: MastersCache::default(),
            fingerprint: reading::fingerprint(&BTreeMap::from([("settings".to_owned(), text)])),
        };
        let origin = Origin::Live(Box::new(live));
        let settings = Settings::new(config).map_err(|error| refused("mapping", error.to_string()))?;
        Ok(Self { origin, settings, nothing: Masters::default() })
    }

    fn progress(&self, directory: &Path, masters: &[PathBuf]) -> Result<Progress, SourceError> {
        let config = serde_json::to_string(&self.settings.config).map_err(|error| {
            SourceError::new("tally", "the configuration could not be compared with the last run's").because(error)
        })?;
        let stamps =
            masters.iter().map(|path| (reading::shown(directory, path), reading::stamp(path).unwrap_or_default()));
        let parts = stamps.chain([("settings".to_owned(), config)]).collect();
        Ok(Progress { settings: reading::fingerprint(&parts), files: BTreeMap::new() })
    }

    fn fetch_files(&self, directory: &Path, cursor: Option<&Cursor>) -> Result<RecordStream, SourceError> {
        let config = &self.settings.config;
        let refused = |reason: String| SourceError::new(config.path.clone(), reason);
        let files = reading::files(directory, std::slice::from_ref(&config.path)).map_err(refused)?;
        if files.is_empty() {
            if let Some(folder) = reading::missing_folder(directory, &config.path) {
                return Err(refused(format!(
                    "the folder {} does not exist; make it, or correct `path` of the source",
                    folder.display()
                )));
            }
            tracing::warn!(path = %config.path, folder = %directory.display(), "no file matches `path` of the source");
        }
        let masters = reading::files(directory, &config.masters).map_err(refused)?;
        if masters.is_empty() && !config.masters.is_empty() {
            tracing::warn!(masters = ?config.masters, folder = %directory.display(), "no file matches `masters` of the source");
        }
        let fresh = self.progress(directory, &masters)?;
        // A cursor that cannot be read is one of another version: everything is read again, which the
        // ledger recognises.
        let known: Progress = cursor.and_then(|cursor| serde_json::from_str(cursor.as_str()).ok()).unwrap_or_default();
        let known = if known.settings == fresh.settings { known } else { fresh };
        let run = Run {
            directory: directory.to_owned(),
            limits: reading::limits(config.voucher_bytes_max),
            files,
            masters,
            known,
        };
        Ok(stream_from_blocking(move |sender| run.read(sender)))
    }
}

impl Live {
    /// Asks what changed, and streams it.
    async fn fetch(&self, cursor: Option<&Cursor>) -> Result<RecordStream, SourceError> {
        let unreachable = |error: LinkError| {
            let location = format!("{} at {}", self.books.link().company(), self.books.link().origin());
            SourceError::new(location, error.to_string()).because(error)
        };
        let company = self.books.company().await.map_err(unreachable)?;
        let marks = self.books.marks().await.map_err(unreachable)?;
        let fresh = live::Progress::new(self.fingerprint.clone());
        let known: Option<live::Progress> = cursor.and_then(|cursor| serde_json::from_str(cursor.as_str()).ok());
        let run = live::Run {
            books: self.books.clone(),
            form: self.read.form(&company),
            company,
            marks,
            today: ist_date(self.clock.now()),
            settings: self.read,
            known: known.filter(|known| known.settings == self.fingerprint).unwrap_or(fresh),
            cache: Arc::clone(&self.cache),
        };
        let handle = tokio::runtime::Handle::current();
        Ok(stream_from_blocking(move |sender| run.read(&handle, sender)))
    }
}

fn refused(key: &str, reason: String) -> BuildError {
    BuildError::new(format!("tally, key `{key}`"), reason)
}

fn check_size(config: &TallySourceConfig) -> Result<(), BuildError> {
    if config.voucher_bytes_max < 1024 {
        let reason = format!("{} is below 1024 bytes: no voucher is so small", config.voucher_bytes_max);
        return Err(refused("voucher_bytes_max", reason));
    }
    Ok(())
}

#[async_trait]
impl InvoiceSource for TallySource {
    fn capability(&self) -> SourceCapability {
        SourceCapability::new(true, false)
    }

    async fn fetch(&self, cursor: Option<&Cursor>) -> Result<RecordStream, SourceError> {
        match &self.origin {
            Origin::Files(directory) => self.fetch_files(directory, cursor),
            Origin::Live(live) => live.fetch(cursor).await,
        }
    }

    fn map(&self, record: &SourceRecord) -> Mapped {
        let masters =
            record.context.as_deref().and_then(|context| context.downcast_ref::<Masters>()).unwrap_or(&self.nothing);
        mapping::map(&record.content, &record.reference.to_string(), masters, &self.settings)
    }

    async fn acknowledge(&self, _settled: &[Acknowledgement]) -> Result<(), SourceError> {
        // Exports stay where they are: they belong to the user, and the cursor passes over them.
        Ok(())
    }
}

/// Most places of one file of masters that are reported; the rest goes the same way.
const MASTERS_PROBLEMS_MAX: usize = 20;

/// One run over all files.
struct Run {
    directory: PathBuf,
    limits: crate::xml::Limits,
    files: Vec<PathBuf>,
    masters: Vec<PathBuf>,
    known: Progress,
}

impl Run {
    fn read(self, sender: &RecordSender) {
        let mut shared = Masters::default();
        let mut all_whole = true;
        for path in &self.masters {
            let mut problems = Vec::new();
            let result = open(path).map_err(|error| (1, error.to_string())).and_then(|input| {
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
            for (line, reason) in problems {
                all_whole = false;
                if !sender.send(Ok(self.masters_problem(path, line, &reason))) {
                    return;
                }
            }
        }
        let shared = Arc::new(shared);
        let mut progress = Progress { settings: self.known.settings.clone(), files: BTreeMap::new() };
        for path in &self.files {
            let location = reading::shown(&self.directory, path);
            let stamp = reading::stamp(path);
            if let Some(stamp) = stamp.as_ref().filter(|stamp| self.known.files.get(&location) == Some(stamp)) {
                progress.files.insert(location, stamp.clone());
                continue;
            }
            match reading::read_vouchers(&|| open(path), &location, self.limits, &shared, sender) {
                FileEnd::Stopped => return,
                FileEnd::Faulty => {}
                // A file that changed while it was read is read again.
                FileEnd::Whole => {
                    if let Some(stamp) = stamp.filter(|stamp| reading::stamp(path).as_ref() == Some(stamp)) {
                        progress.files.insert(location, stamp);
                    }
                }
            }
        }
        if all_whole && let Ok(text) = serde_json::to_string(&progress) {
            // Nobody listening at the very end changes nothing.
            _ = sender.send(Ok(SourceItem::Checkpoint(Cursor::new(text))));
        }
    }

    fn masters_problem(&self, path: &Path, line: u64, reason: &str) -> SourceItem {
        let location = reading::shown(&self.directory, path);
        let finding =
            Finding::error("tally.masters_unreadable", "", format!("some masters could not be read: {reason}"))
                .with_place(format!("{location}, line {line}"))
                .with_fix("Export the masters again; vouchers that need the missing ones say so.");
        let reference = einvoice_core::source::SourceRef {
            record_id: format!("{location}, line {line}"),
            position: format!("line {line}"),
            location: location.clone(),
        };
        SourceItem::Problem(einvoice_core::source::SourceProblem {
            reference,
            label: location,
            findings: vec![finding],
        })
    }
}

fn open(path: &Path) -> io::Result<File> {
    File::open(path)
}

/// Makes the source for the registry.
pub(crate) async fn build(
    context: BuildContext,
    config: TallySourceConfig,
) -> Result<Arc<dyn InvoiceSource>, BuildError> {
    let make = move || match config.url {
        Some(_) => TallySource::live(config, context.clock),
        None => TallySource::new(context.directory, config),
    };
    let source = tokio::task::spawn_blocking(make)
        .await
        .map_err(|error| BuildError::new("tally", "the source could not be made").because(error))??;
    Ok(Arc::new(source))
}
