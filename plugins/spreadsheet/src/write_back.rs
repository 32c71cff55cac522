//! The write-back: receipts become results in a copy of their workbook.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use einvoice_core::receipt::Receipt;
use einvoice_core::registry::{BuildContext, BuildError};
use einvoice_core::source::SourceRef;
use einvoice_core::write_back::{Delivery, WriteBack, WriteBackCapability, WriteBackError};
use einvoice_file_drop::{FolderSettings, Found, Lister, response_stem};
use tokio::sync::Mutex;

use crate::book::Line;
use crate::config::{CopyFormat, WriteBackConfig};
use crate::copy::{self, Answer, Base, CopyError, CopySettings};
use crate::reading::look;

/// Receipts taken at once: each batch writes the copies that it touches anew.
const BATCH_MAX: usize = 2_500;
/// End of the base name of copies.
const RESULT_SUFFIX: &str = "_result";
/// Folder of copies beside the workbooks.
const FOLDER: &str = "results";
/// Where settled workbooks lie beside their old place.
const SETTLED: [&str; 2] = ["done", "needs-person"];
/// Endings of text files.
const TEXT_ENDINGS: [&str; 3] = ["csv", "tsv", "txt"];
/// Most copies of one name: `sales_result.xlsx` to `sales_result_999.xlsx`.
const NAMES_MAX: u64 = 999;
/// Most pictures that a configuration may ask for in one workbook.
const PICTURES_MAX: u32 = 10_000;

/// Writes copies of workbooks with results.
#[derive(Debug)]
pub struct SpreadsheetWriteBack {
    places: Arc<Places>,
    settings: CopySettings,
    capability: WriteBackCapability,
    /// Two deliveries at once would write one copy from the same old content; other processes are kept out by a lock.
    writing: Mutex<()>,
}

/// Where workbooks and copies lie.
#[derive(Debug)]
struct Places {
    directory: PathBuf,
    config: WriteBackConfig,
    lister: Lister,
}

impl SpreadsheetWriteBack {
    /// A target in the folder of a context.
    #[must_use]
    pub fn new(context: &BuildContext, config: WriteBackConfig) -> Self {
        Self {
            settings: CopySettings { qr_pictures_max: config.qr_pictures_max },
            places: Arc::new(Places {
                directory: context.directory.clone(),
                lister: Lister::new(context.directory.clone(), FolderSettings::default()),
                config,
            }),
            capability: WriteBackCapability::new(
                false,
                true,
                BATCH_MAX,
                vec![
                    "status",
                    "irn",
                    "ack_no",
                    "ack_date",
                    "signed_qr",
                    "ewb_no",
                    "ewb_date",
                    "ewb_valid_till",
                    "ewb_state",
                    "cancelled_at",
                    "findings",
                ],
                "a copy of the workbook with results, to be corrected in place and dropped in again",
            ),
            writing: Mutex::default(),
        }
    }
}

#[async_trait]
impl WriteBack for SpreadsheetWriteBack {
    fn capability(&self) -> &WriteBackCapability {
        &self.capability
    }

    async fn deliver(&self, receipts: &[Receipt]) -> Result<Vec<Delivery>, WriteBackError> {
        let mut files: BTreeMap<String, Vec<(usize, Answer)>> = BTreeMap::new();
        for (index, receipt) in receipts.iter().enumerate() {
            files.entry(receipt.reference.location.clone()).or_default().push((index, Answer::of(receipt)));
        }
        let mut deliveries = vec![Delivery::Done; receipts.len()];
        let _alone = self.writing.lock().await;
        let (places, settings) = (Arc::clone(&self.places), self.settings);
        let failures = on_thread(move || {
            let mut failures = Vec::new();
            for (location, answers) in files {
                for (indexes, reason) in places.deliver(&location, answers, settings) {
                    failures.extend(indexes.into_iter().map(|index| (index, reason.clone())));
                }
            }
            failures
        })
        .await?;
        for (index, reason) in failures {
            if let Some(delivery) = deliveries.get_mut(index) {
                *delivery = Delivery::Failed { reason };
            }
        }
        Ok(deliveries)
    }

    async fn read_back(
        &self,
        references: &[SourceRef],
    ) -> Result<Vec<Option<BTreeMap<String, String>>>, WriteBackError> {
        let (places, references) = (Arc::clone(&self.places), references.to_vec());
        on_thread(move || references.iter().map(|reference| places.read_back(reference)).collect()).await?
    }
}

impl Places {
    /// Writes the answers to the workbooks of one name; gives those that failed, with the reason.
    fn deliver(
        &self,
        location: &str,
        answers: Vec<(usize, Answer)>,
        settings: CopySettings,
    ) -> Vec<(Vec<usize>, String)> {
        // What was no document says nothing about its file: it belongs to the one that others were read from.
        let known = answers.iter().map(|(_, answer)| answer.state.file.clone()).find(|file| !file.is_empty());
        let mut by_file: BTreeMap<String, Vec<(usize, Answer)>> = BTreeMap::new();
        for (index, mut answer) in answers {
            if answer.state.file.is_empty() {
                answer.state.file = known.clone().unwrap_or_default();
            }
            by_file.entry(answer.state.file.clone()).or_default().push((index, answer));
        }
        let mut failures = Vec::new();
        for (file, answers) in by_file {
            let indexes: Vec<usize> = answers.iter().map(|(index, _)| *index).collect();
            let mut latest: BTreeMap<String, Answer> = BTreeMap::new();
            for (_, answer) in answers {
                let record = answer.state.record.clone();
                if latest.get(&record).is_none_or(|other| other.state.revision <= answer.state.revision) {
                    latest.insert(record, answer);
                }
            }
            let folder = self.folder(location);
            let written = copy::alone(&folder, || self.write(location, &file, latest, settings));
            if let Err(error) = written {
                let reason = format!(
                    "{}: the copy with results could not be written: {error}; close it where it is open and see that the \
                     folder can be written and the disk has room; it is tried again on the next run",
                    folder.display()
                );
                failures.push((indexes, reason));
            }
        }
        failures
    }

    fn write(
        &self,
        location: &str,
        file: &str,
        answers: BTreeMap<String, Answer>,
        settings: CopySettings,
    ) -> Result<(), CopyError> {
        let (target, present) = self.target(location, file)?;
        let mut base = match present {
            Some(base) => base,
            None => self.request(location, file, &answers),
        };
        base.learn(answers.values().filter_map(|answer| answer.place.as_ref()))?;
        if !base.has_headings() {
            base = Base::list();
        }
        copy::write(&target, &mut base, answers, settings)
    }

    fn folder(&self, location: &str) -> PathBuf {
        match &self.config.folder {
            Some(folder) => self.directory.join(folder),
            None => self.directory.join(location).parent().unwrap_or(Path::new("")).join(FOLDER),
        }
    }

    /// The copy that answers this file: the one that does already, or the first free name. A copy of another file that
    /// had the same name stays as it is.
    fn target(&self, location: &str, file: &str) -> Result<(PathBuf, Option<Base>), CopyError> {
        for number in 1..=NAMES_MAX {
            let path = self.named(location, number);
            if !path.exists() {
                return Ok((path, None));
            }
            // A file that cannot be read as one of ours is somebody else's, and never written over.
            let Ok(base) = copy::open(&path).and_then(|book| Base::of(book, true)) else { continue };
            if base.answers(file) {
                return Ok((path, Some(base)));
            }
        }
        Err(CopyError::Base(format!("the folder holds {NAMES_MAX} copies of this name; clear it")))
    }

    fn named(&self, location: &str, number: u64) -> PathBuf {
        let request = Path::new(location);
        let stem = response_stem(request, RESULT_SUFFIX, RESULT_SUFFIX, number);
        let ending = request.extension().and_then(|ending| ending.to_str()).unwrap_or_default().to_ascii_lowercase();
        let is_text = TEXT_ENDINGS.contains(&ending.as_str()) && self.config.format == CopyFormat::Auto;
        self.folder(location).join(format!("{stem}.{}", if is_text { ending.as_str() } else { "xlsx" }))
    }

    /// The workbook that was read, wherever it lies now; a list of results where it is gone or cannot be read.
    fn request(&self, location: &str, file: &str, answers: &BTreeMap<String, Answer>) -> Base {
        if answers.values().all(|answer| answer.place.is_none()) {
            return Base::list();
        }
        let place = self.directory.join(location);
        let beside = place.parent().unwrap_or(Path::new(""));
        let name = place.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default().to_owned();
        let folders = SETTLED.iter().map(|folder| beside.join(folder));
        let folders = folders.chain(self.config.settled_folders.iter().map(|folder| self.directory.join(folder)));
        let moved = folders.filter_map(|folder| fs::read_dir(folder).ok()).flatten().filter_map(Result::ok);
        let moved = moved.map(|entry| entry.path()).filter(|path| {
            path.extension() == place.extension()
                && path.file_stem().and_then(|stem| stem.to_str()).is_some_and(|stem| stem.starts_with(&name))
        });
        let fits = |found: &Found| file.is_empty() || look(found) == file;
        let found = std::iter::once(place.clone()).chain(moved).filter_map(|path| self.lister.look(path)).find(fits);
        let base = found.and_then(|found| copy::open(&found.path).and_then(|book| Base::of(book, false)).ok());
        base.unwrap_or_else(Base::list)
    }

    fn read_back(&self, reference: &SourceRef) -> Result<Option<BTreeMap<String, String>>, WriteBackError> {
        let cannot = |path: &Path, error: CopyError| WriteBackError::new(path.display().to_string(), error.to_string());
        for number in 1..=NAMES_MAX {
            let path = self.named(&reference.location, number);
            if !path.exists() {
                return Ok(None);
            }
            let Ok(mut base) = copy::open(&path).and_then(|book| Base::of(book, true)) else { continue };
            let Some((name, wanted)) = base.find(&reference.record_id).map(|(sheet, row, _)| (sheet.name.clone(), row))
            else {
                continue;
            };
            let mut found = None;
            base.rows(&name, &mut |line| match line {
                Line::Row(row) if row.number == wanted => {
                    found = Some(row);
                    std::ops::ControlFlow::Break(())
                }
                _ => std::ops::ControlFlow::Continue(()),
            })
            .map_err(|error| cannot(&path, error))?;
            let sheet = base.sheets().find(|sheet| sheet.name == name);
            return Ok(found.zip(sheet).map(|(row, sheet)| fields(sheet.shown(&row))));
        }
        Ok(None)
    }
}

/// What a row shows, by the names of the capability.
fn fields(shown: impl Iterator<Item = (&'static str, String)>) -> BTreeMap<String, String> {
    shown
        .filter_map(|(heading, value)| {
            let field = match heading {
                "Status" => "status",
                "IRN" => "irn",
                "AckNo" => "ack_no",
                "AckDate" => "ack_date",
                "SignedQRCode" => "signed_qr",
                "EwbNo" => "ewb_no",
                "EwbDate" => "ewb_date",
                "EwbValidTill" => "ewb_valid_till",
                "EwbStatus" => "ewb_state",
                "CancelDate" => "cancelled_at",
                "ErrorMessage" => "findings",
                _ => return None,
            };
            Some((field.to_owned(), value))
        })
        .collect()
}

async fn on_thread<R: Send + 'static>(work: impl FnOnce() -> R + Send + 'static) -> Result<R, WriteBackError> {
    tokio::task::spawn_blocking(work).await.map_err(|error| {
        WriteBackError::new("copies with results", "the worker stopped by a fault of its own; please report this")
            .because(error)
    })
}

/// Makes the target of a configuration.
#[expect(clippy::unused_async, reason = "the registry awaits every build")]
pub(crate) async fn build(context: BuildContext, config: WriteBackConfig) -> Result<Arc<dyn WriteBack>, BuildError> {
    if config.qr_pictures_max > PICTURES_MAX {
        let part = format!("{}, key `qr_pictures_max`", context.name);
        return Err(BuildError::new(part, format!("found {}: write 0 to {PICTURES_MAX}", config.qr_pictures_max)));
    }
    Ok(Arc::new(SpreadsheetWriteBack::new(&context, config)))
}
