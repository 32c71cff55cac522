//! The write-back: receipts become results in a copy of their workbook.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use einvoice_core::receipt::Receipt;
use einvoice_core::registry::{BuildContext, BuildError};
use einvoice_core::source::SourceRef;
use einvoice_core::write_back::{Delivery, Finished, WriteBack, WriteBackCapability, WriteBackError, WriteBackWay};
use einvoice_file_drop::{FolderSettings, Found, Lister, response_stem};
use tokio::sync::Mutex;

use crate::book::Line;
use crate::config::{CopyFormat, WriteBackConfig};
use crate::copy::{self, Answer, Base, CopyError, CopySettings, TEXT_ENDINGS};
use crate::reading::look;

/// Receipts taken at once.
const BATCH_MAX: usize = 2_500;
/// Answers that wait for the copies to be written, some 2.5 kB each. A copy is written once for so many documents, and not
/// once for each batch: its length would count as often as there are batches.
const WAITING_MAX: usize = 20_000;
/// End of the base name of copies.
const RESULT_SUFFIX: &str = "_result";
/// Folder of copies beside the workbooks.
const FOLDER: &str = "results";
/// Where settled workbooks lie beside their old place.
const SETTLED: [&str; 2] = ["done", "needs-person"];
/// Endings of copies as workbooks, without macros and with them.
const WORKBOOK: &str = "xlsx";
/// See [`WORKBOOK`].
const MACROS: &str = "xlsm";
/// Most copies of one name: `sales_result.xlsx` to `sales_result_999.xlsx`.
const NAMES_MAX: u64 = 999;
/// Most pictures that a configuration may ask for in one workbook.
const PICTURES_MAX: u32 = 10_000;

/// How results reach the books; there is no other way.
pub(crate) const WAY: WriteBackWay = WriteBackWay {
    settings: "",
    note: "a copy of the workbook with results, to be corrected in place and dropped in again",
};

/// Writes copies of workbooks with results.
#[derive(Debug)]
pub struct SpreadsheetWriteBack {
    places: Arc<Places>,
    settings: CopySettings,
    capability: WriteBackCapability,
    /// Two deliveries at once would write one copy from the same old content; other processes are kept out by a lock.
    waiting: Mutex<Waiting>,
}

/// Answers that are not written yet, and what became of those that are.
#[derive(Debug, Default)]
struct Waiting {
    /// By the place of their workbook, each with its number among all.
    files: BTreeMap<String, Vec<(usize, Answer)>>,
    count: usize,
    all: Vec<Finished>,
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
                WAY.note,
            ),
            waiting: Mutex::default(),
        }
    }
}

impl SpreadsheetWriteBack {
    /// Writes the copies of all files that answers wait for.
    async fn write(&self, waiting: &mut Waiting) -> Result<(), WriteBackError> {
        let (places, settings) = (Arc::clone(&self.places), self.settings);
        waiting.count = 0;
        let files = std::mem::take(&mut waiting.files);
        let shown: Vec<usize> = files.values().flatten().map(|(number, _)| *number).collect();
        let failures = on_thread(move || {
            files.into_iter().flat_map(|(location, answers)| places.deliver(&location, answers, settings)).collect()
        });
        let failures: Vec<(Vec<usize>, String)> = failures.await?;
        let mut tell = |number: usize, delivery: Delivery| {
            if let Some(one) = waiting.all.get_mut(number) {
                one.delivery = delivery;
            }
        };
        for number in shown {
            tell(number, Delivery::Done);
        }
        for (numbers, reason) in failures {
            for number in numbers {
                tell(number, Delivery::Failed { reason: reason.clone() });
            }
        }
        Ok(())
    }
}

#[async_trait]
impl WriteBack for SpreadsheetWriteBack {
    fn capability(&self) -> &WriteBackCapability {
        &self.capability
    }

    async fn deliver(&self, receipts: &[Receipt]) -> Result<Vec<Delivery>, WriteBackError> {
        let mut waiting = self.waiting.lock().await;
        for receipt in receipts {
            let one =
                Finished { reference_id: receipt.reference_id, revision: receipt.revision, delivery: Delivery::Kept };
            let number = waiting.all.len();
            waiting.all.push(one);
            let place = receipt.reference.location.clone();
            waiting.files.entry(place).or_default().push((number, Answer::of(receipt)));
            waiting.count += 1;
        }
        if waiting.count >= WAITING_MAX {
            self.write(&mut waiting).await?;
        }
        Ok(vec![Delivery::Kept; receipts.len()])
    }

    async fn finish(&self) -> Result<Vec<Finished>, WriteBackError> {
        let mut waiting = self.waiting.lock().await;
        self.write(&mut waiting).await?;
        Ok(std::mem::take(&mut *waiting).all)
    }

    async fn read_back(
        &self,
        references: &[SourceRef],
    ) -> Result<Vec<Option<BTreeMap<String, String>>>, WriteBackError> {
        let (places, references) = (Arc::clone(&self.places), references.to_vec());
        // Nothing is drawn, so no code is held.
        let settings = CopySettings { qr_pictures_max: 0 };
        on_thread(move || references.iter().map(|reference| places.read_back(reference, settings)).collect()).await?
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
                if latest.get(&record).is_none_or(|other| !other.state.edition().covers(&answer.state.edition())) {
                    latest.insert(record, answer);
                }
            }
            let folder = self.folder(location);
            let mut target = self.named(location, 1).into_iter().next().unwrap_or_default();
            let written = copy::alone(&folder, || self.write(location, &file, latest, settings, &mut target));
            if let Err(error) = written {
                failures.push((indexes, reason(&target, &error)));
            }
        }
        failures
    }

    /// Writes a copy; `target` becomes its path as soon as it is known.
    fn write(
        &self,
        location: &str,
        file: &str,
        answers: BTreeMap<String, Answer>,
        settings: CopySettings,
        target: &mut PathBuf,
    ) -> Result<(), CopyError> {
        let (path, present) = self.target(location, file, settings)?;
        target.clone_from(&path);
        let mut base = match present {
            Some(base) => base,
            None => self.request(location, file, &answers, settings),
        };
        copy::learn(&mut base, &answers)?;
        if !base.is_target() && !copy::is_text(&path) {
            // Excel opens a workbook with macros under no other ending, and one without them not under this.
            *target = path.with_extension(if base.has_macros() { MACROS } else { WORKBOOK });
        }
        copy::write(target, &mut base, answers, settings)
    }

    fn folder(&self, location: &str) -> PathBuf {
        match &self.config.folder {
            Some(folder) => self.directory.join(folder),
            None => self.directory.join(location).parent().unwrap_or(Path::new("")).join(FOLDER),
        }
    }

    /// The copy that answers this file: the one that does already, or the first free name. A copy of another file that
    /// had the same name stays as it is.
    fn target(&self, location: &str, file: &str, settings: CopySettings) -> Result<(PathBuf, Option<Base>), CopyError> {
        for number in 1..=NAMES_MAX {
            let paths = self.named(location, number);
            if paths.iter().all(|path| !path.exists()) {
                return Ok((paths.into_iter().next().unwrap_or_default(), None));
            }
            for path in paths {
                // A file that cannot be read as one of ours is somebody else's, and never written over.
                let opened = copy::open(&path).and_then(|book| Base::of(book, &path, true, settings));
                let Ok(base) = opened else { continue };
                if base.answers(file) {
                    return Ok((path, Some(base)));
                }
            }
        }
        Err(CopyError::Base(format!("the folder holds {NAMES_MAX} copies of this name; clear it")))
    }

    /// What a copy may be called: one name for a text file, for a workbook one without macros and one with them.
    fn named(&self, location: &str, number: u64) -> Vec<PathBuf> {
        let request = Path::new(location);
        let stem = response_stem(request, RESULT_SUFFIX, RESULT_SUFFIX, number);
        let ending = request.extension().and_then(|ending| ending.to_str()).unwrap_or_default().to_ascii_lowercase();
        let is_text = TEXT_ENDINGS.contains(&ending.as_str()) && self.config.format == CopyFormat::Auto;
        let endings = if is_text { vec![ending.as_str()] } else { vec![WORKBOOK, MACROS] };
        let folder = self.folder(location);
        endings.into_iter().map(|ending| folder.join(format!("{stem}.{ending}"))).collect()
    }

    /// The workbook that was read, wherever it lies now; a list of results where it is gone or cannot be read.
    fn request(&self, location: &str, file: &str, answers: &BTreeMap<String, Answer>, settings: CopySettings) -> Base {
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
        let base = |path: &Path| copy::open(path).and_then(|book| Base::of(book, path, false, settings)).ok();
        found.and_then(|found| base(&found.path)).unwrap_or_else(Base::list)
    }

    fn read_back(
        &self,
        reference: &SourceRef,
        settings: CopySettings,
    ) -> Result<Option<BTreeMap<String, String>>, WriteBackError> {
        let cannot = |path: &Path, error: CopyError| WriteBackError::new(path.display().to_string(), error.to_string());
        for number in 1..=NAMES_MAX {
            let paths = self.named(&reference.location, number);
            let Some(path) = paths.into_iter().find(|path| path.exists()) else { return Ok(None) };
            let Ok(mut base) = copy::open(&path).and_then(|book| Base::of(book, &path, true, settings)) else {
                continue;
            };
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

/// Why a copy could not be written, with what to do.
fn reason(target: &Path, error: &CopyError) -> String {
    let advice = match error {
        CopyError::Io(error) if error.kind() == ErrorKind::StorageFull => "make room on that disk",
        CopyError::Io(error) if error.kind() == ErrorKind::PermissionDenied => {
            "close the file where it is open, and let this user write into its folder"
        }
        CopyError::Io(_) => "close the file where it is open, and see that its folder can be written",
        CopyError::Base(_) | CopyError::Xlsx(_) => {
            "move the copy away, if there is one: the next one is made of the workbook itself"
        }
    };
    format!(
        "{}: the copy with results could not be written: {error}; {advice}; the results are kept and written by the next run",
        target.display()
    )
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
