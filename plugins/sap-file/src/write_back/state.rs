//! What one request was answered with, and the files made of it.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use einvoice_core::date::PortalTime;
use einvoice_core::receipt::{Edition, Receipt};
use einvoice_core::source::SourceRef;
use einvoice_file_drop::{Picture, QrFormat, number_of, put};
use serde::{Deserialize, Serialize};

use super::config::{ResultForm, WriteBackConfig};
use super::{file_name, row, shown, status};

/// Version of the state file's form.
const VERSION: u32 = 1;
/// How positions of our own source begin: there the number alone names a document.
const POSITION: &str = "document ";

/// Everything a request was answered with.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct State {
    version: u32,
    answers: Vec<Answer>,
}

/// The last receipt of a record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Answer {
    pub(crate) receipt: Receipt,
    /// When it was written here first.
    pub(crate) at: PortalTime,
}

impl State {
    /// The answer to a record.
    pub(crate) fn find(&self, reference: &SourceRef) -> Option<&Answer> {
        self.answers.iter().find(|answer| {
            let own = &answer.receipt.reference;
            own.record_id == reference.record_id
                && own.position == reference.position
                && own.location == reference.location
        })
    }

    /// Takes receipts in, oldest first; says whether that changed anything. What the known answer covers is delivered
    /// already.
    fn merge(&mut self, receipts: &[&Receipt], now: PortalTime) -> bool {
        // The request is a part of it: `INV1.idoc` and `INV1.json`, or files of two folders, are answered in one file.
        let key = |receipt: &Receipt| {
            let SourceRef { location, position, record_id, .. } = &receipt.reference;
            (location.clone(), number_of(position).unwrap_or(1), record_id.clone())
        };
        let mut by_key: BTreeMap<(String, u64, String), Answer> =
            std::mem::take(&mut self.answers).into_iter().map(|answer| (key(&answer.receipt), answer)).collect();
        let mut changed = false;
        for receipt in receipts {
            let key = key(receipt);
            let edition = Edition::of(receipt);
            if by_key.get(&key).is_some_and(|known| Edition::of(&known.receipt).covers(&edition)) {
                continue;
            }
            if receipt.reference.position.starts_with(POSITION) {
                // Whatever other record stood at this place was edited away, or belongs to an earlier file of the name;
                // a later change of such a one takes nothing from the file that came after.
                by_key.retain(|(request, number, record), known| {
                    let is_later =
                        known.receipt.shares_ledger_with(receipt) && known.receipt.reference_id > receipt.reference_id;
                    (request, number) != (&key.0, &key.1) || *record == key.2 || is_later
                });
            }
            by_key.insert(key, Answer { receipt: (*receipt).clone(), at: now });
            changed = true;
        }
        self.version = VERSION;
        self.answers = by_key.into_values().collect();
        changed
    }
}

/// One part of a request's results.
#[derive(Debug)]
pub(crate) struct Part<'c> {
    pub(crate) folder: PathBuf,
    pub(crate) stem: String,
    pub(crate) config: &'c WriteBackConfig,
}

impl Part<'_> {
    /// How it is called in messages.
    pub(crate) fn shown(&self) -> String {
        self.folder.join(&self.stem).display().to_string()
    }

    fn path(&self, form: ResultForm) -> PathBuf {
        self.folder.join(file_name(&self.stem, &self.config.response_suffix, form))
    }

    fn state_path(&self) -> PathBuf {
        self.folder.join("state").join(format!("{}.state", self.stem))
    }

    /// What the request was answered with; nothing where it was not.
    pub(crate) fn state(&self) -> io::Result<Option<State>> {
        let text = match fs::read(self.state_path()) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let wrong = |what: &str| {
            let message = format!("{} {what}; move it and the results beside it away", self.state_path().display());
            io::Error::new(io::ErrorKind::InvalidData, message)
        };
        let state: State = serde_json::from_slice(&text).map_err(|_| wrong("is damaged"))?;
        if state.version == VERSION {
            Ok(Some(state))
        } else {
            Err(wrong("was written by another version of this program"))
        }
    }

    /// Merges receipts and writes the files. What is kept comes first: files are made of it, and made again where they
    /// are not as they should be.
    pub(crate) fn deliver(&self, receipts: &[&Receipt], now: PortalTime) -> io::Result<()> {
        let known = self.state()?;
        let is_known = known.is_some();
        let mut state = known.unwrap_or_default();
        let changed = state.merge(receipts, now);
        if !is_known
            && let Some(path) = self.config.results.iter().map(|form| self.path(*form)).find(|path| path.exists())
        {
            let message = format!("{} is there and was not written here; move it away", path.display());
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, message));
        }
        for receipt in receipts {
            if let Some(picture) = Picture::of(receipt, self.config.qr).map_err(io::Error::other)? {
                picture.put(&self.path(ResultForm::Response))?;
            }
        }
        if changed {
            let text = serde_json::to_vec(&state).map_err(io::Error::other)?;
            put(&self.state_path(), &text)?;
        }
        for form in &self.config.results {
            self.write(*form, &state.answers)?;
        }
        Ok(())
    }

    fn write(&self, form: ResultForm, answers: &[Answer]) -> io::Result<()> {
        let config = self.config;
        let picture = |receipt: &Receipt| qr_file(receipt, config.qr);
        let content = match form {
            ResultForm::Response => {
                list(answers.iter().map(|answer| shown::response(answer, config, picture(&answer.receipt).as_deref())))?
            }
            ResultForm::Portal => {
                let registered = answers.iter().filter(|answer| answer.receipt.registration.is_some());
                list(registered.map(|answer| shown::portal(&answer.receipt, config)))?
            }
            ResultForm::Invrefnum => list(answers.iter().map(|answer| row::json(answer, config)))?,
            ResultForm::InvrefnumCsv => row::csv(answers, config)?,
            ResultForm::Status => status::idocs(answers).into_bytes(),
        };
        let path = self.path(form);
        if is_same(&path, &content) { Ok(()) } else { put(&path, &content) }
    }
}

fn is_same(path: &Path, content: &[u8]) -> bool {
    fs::read(path).is_ok_and(|present| present == content)
}

/// The name of the picture of a receipt, as `Picture` gives it.
fn qr_file(receipt: &Receipt, format: QrFormat) -> Option<String> {
    if format == QrFormat::None {
        return None;
    }
    Picture::of(receipt, format).ok().flatten().map(|picture| picture.name)
}

/// A list with one answer a line.
fn list(answers: impl Iterator<Item = serde_json::Result<Vec<u8>>>) -> io::Result<Vec<u8>> {
    let mut text = b"[".to_vec();
    for (index, answer) in answers.enumerate() {
        text.extend_from_slice(if index == 0 { b"\n" } else { b",\n" });
        text.extend(answer.map_err(io::Error::other)?);
    }
    text.extend_from_slice(b"\n]\n");
    Ok(text)
}
