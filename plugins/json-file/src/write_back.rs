//! The write-back: receipts of a file become its response file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use einvoice_core::receipt::{Edition, Receipt};
use einvoice_core::registry::{BuildContext, BuildError};
use einvoice_core::source::SourceRef;
use einvoice_core::write_back::{Delivery, WriteBack, WriteBackCapability, WriteBackError, WriteBackWay};
use einvoice_file_drop::{Picture, QrFormat, number_of};
use tokio::sync::Mutex;

use crate::config::WriteBackConfig;
use crate::merge::{self, Answers, Layout, Stored, Waiting};
use crate::name;
use crate::response::{self, Reference};

/// Receipts taken at once: each batch rewrites the response files that it touches, and is held in memory with its signed
/// copies (some 22 MB for 1,000 of real size).
const BATCH_MAX: usize = 2_500;

/// How results reach the books; there is no other way.
pub(crate) const WAY: WriteBackWay =
    WriteBackWay { settings: "", note: "a response file beside the request, which the accounting program reads" };

/// Writes response files.
#[derive(Debug)]
pub struct JsonFileWriteBack {
    namer: Arc<Namer>,
    numbers_as_text: bool,
    qr: QrFormat,
    capability: WriteBackCapability,
    /// Two deliveries at once would write one file from the same old content.
    writing: Mutex<()>,
}

/// Where responses go.
#[derive(Debug)]
struct Namer {
    directory: PathBuf,
    config: WriteBackConfig,
}

impl Namer {
    fn path(&self, location: &str, document: u64) -> PathBuf {
        let request = self.directory.join(location);
        let part = document.saturating_sub(1) / self.config.documents_max.max(1) + 1;
        let name = name::response(&request, &self.config.request_suffix, &self.config.response_suffix, part);
        match &self.config.folder {
            Some(folder) => self.directory.join(folder).join(name),
            None => request.parent().unwrap_or(Path::new("")).join(name),
        }
    }
}

impl JsonFileWriteBack {
    /// A target in the folder of a context.
    #[must_use]
    pub fn new(context: &BuildContext, config: WriteBackConfig) -> Self {
        Self {
            numbers_as_text: config.numbers_as_text,
            qr: config.qr,
            namer: Arc::new(Namer { directory: context.directory.clone(), config }),
            capability: WriteBackCapability::new(
                false,
                true,
                BATCH_MAX,
                vec![
                    "irn",
                    "ack_no",
                    "ack_date",
                    "signed_invoice",
                    "signed_qr",
                    "status",
                    "ewb_no",
                    "ewb_date",
                    "ewb_valid_till",
                    "ewb_state",
                    "ewb_vehicle",
                    "cancelled_at",
                    "cancel_reason",
                    "cancel_remark",
                    "qr_file",
                    "findings",
                ],
                WAY.note,
            ),
            writing: Mutex::default(),
        }
    }
}

#[async_trait]
impl WriteBack for JsonFileWriteBack {
    fn capability(&self) -> &WriteBackCapability {
        &self.capability
    }

    async fn deliver(&self, receipts: &[Receipt]) -> Result<Vec<Delivery>, WriteBackError> {
        let mut files: BTreeMap<PathBuf, Answers> = BTreeMap::new();
        let mut paths = Vec::with_capacity(receipts.len());
        let mut pictures = Vec::new();
        for receipt in receipts {
            let Reference { file, document, record, .. } = Reference::of(receipt);
            let edition = Edition::of(receipt);
            let picture = Picture::of(receipt, self.qr).map_err(|error| {
                WriteBackError::new(receipt.label.clone(), "the QR code cannot be drawn").because(error)
            })?;
            let qr_file = picture.as_ref().map(|picture| picture.name.clone());
            let line = response::line(receipt, self.numbers_as_text, qr_file).map_err(|error| {
                WriteBackError::new(receipt.label.clone(), "cannot be written as JSON").because(error)
            })?;
            let path = self.namer.path(&receipt.reference.location, document);
            pictures.extend(picture.map(|picture| (path.clone(), picture)));
            let answers = files.entry(path.clone()).or_default();
            let alone = receipt.reference.position.starts_with("document ").then_some(file);
            if alone.is_some() {
                // Receipts come oldest first, so another record at this place is the older one.
                let here = (document, String::new())..(document.saturating_add(1), String::new());
                answers.extract_if(here, |(_, name), waiting| *name != record && waiting.alone == alone).for_each(drop);
            }
            if answers.get(&(document, record.clone())).is_none_or(|waiting| !waiting.edition.covers(&edition)) {
                answers.insert((document, record), Waiting { edition, alone, line });
            }
            paths.push(path);
        }
        let _alone = self.writing.lock().await;
        let written = on_thread(move || write_all(files, &pictures)).await?;
        Ok(paths
            .iter()
            .map(|path| match written.get(path) {
                Some(Some(reason)) => Delivery::Failed { reason: format!("{}: {reason}", path.display()) },
                _ => Delivery::Done,
            })
            .collect())
    }

    async fn read_back(
        &self,
        references: &[SourceRef],
    ) -> Result<Vec<Option<BTreeMap<String, String>>>, WriteBackError> {
        let mut wanted: BTreeMap<PathBuf, Vec<(usize, u64, String)>> = BTreeMap::new();
        for (index, reference) in references.iter().enumerate() {
            let document = number_of(&reference.position).unwrap_or(1);
            let path = self.namer.path(&reference.location, document);
            wanted.entry(path).or_default().push((index, document, reference.record_id.clone()));
        }
        let mut found = vec![None; references.len()];
        on_thread(move || {
            for (path, wanted) in wanted {
                merge::each(&path, |Stored { reference: stored, .. }, bytes| {
                    for (index, document, record) in &wanted {
                        if (*document, record) == (stored.document, &stored.record)
                            && let Some(slot) = found.get_mut(*index)
                        {
                            *slot = Some(fields(bytes));
                        }
                    }
                    Ok(())
                })
                .map_err(|error| WriteBackError::new(path.display().to_string(), error.to_string()).because(error))?;
            }
            Ok(found)
        })
        .await?
    }
}

/// Writes each file, its pictures first, and says for each why it failed, if it did.
fn write_all(files: BTreeMap<PathBuf, Answers>, pictures: &[(PathBuf, Picture)]) -> BTreeMap<PathBuf, Option<String>> {
    files
        .into_iter()
        .map(|(path, answers)| {
            let layout = if name::is_lines(&path) { Layout::Lines } else { Layout::List };
            // What an answer names is there before the answer is.
            let drawn = pictures.iter().filter(|(response, _)| *response == path);
            let written = drawn
                .map(|(response, picture)| picture.put(response))
                .collect::<Result<Vec<()>, _>>()
                .and_then(|_| merge::merge(&path, layout, answers));
            let reason = written
                .err()
                .map(|error| format!("the response could not be written: {error}; it is tried again on the next run"));
            (path, reason)
        })
        .collect()
}

/// What a stored answer shows, by the names of the capability.
pub(crate) fn fields(answer: &[u8]) -> BTreeMap<String, String> {
    let Ok(answer) = serde_json::from_slice::<serde_json::Map<String, serde_json::Value>>(answer) else {
        return BTreeMap::new();
    };
    [
        ("irn", "Irn"),
        ("ack_no", "AckNo"),
        ("ack_date", "AckDt"),
        ("signed_invoice", "SignedInvoice"),
        ("signed_qr", "SignedQRCode"),
        ("status", "Status"),
        ("ewb_no", "EwbNo"),
        ("ewb_date", "EwbDt"),
        ("ewb_valid_till", "EwbValidTill"),
        ("ewb_state", "EwbStatus"),
        ("ewb_vehicle", "VehNo"),
        ("cancelled_at", "CancelDate"),
        ("cancel_reason", "CnlRsn"),
        ("cancel_remark", "CnlRem"),
        ("qr_file", "QrFile"),
        ("findings", "errors"),
    ]
    .into_iter()
    .filter_map(|(field, member)| match answer.get(member)? {
        serde_json::Value::Null => None,
        serde_json::Value::String(text) => Some((field.to_owned(), text.clone())),
        other => Some((field.to_owned(), other.to_string())),
    })
    .collect()
}

async fn on_thread<R: Send + 'static>(work: impl FnOnce() -> R + Send + 'static) -> Result<R, WriteBackError> {
    tokio::task::spawn_blocking(work).await.map_err(|error| {
        WriteBackError::new("response files", "the worker stopped by a fault of its own; please report this")
            .because(error)
    })
}

/// Makes the target of a configuration.
#[expect(clippy::unused_async, reason = "the registry awaits every build")]
pub(crate) async fn build(context: BuildContext, config: WriteBackConfig) -> Result<Arc<dyn WriteBack>, BuildError> {
    let wrong = |key: &str, reason: String| BuildError::new(format!("{}, key `{key}`", context.name), reason);
    if config.response_suffix.is_empty() || config.response_suffix == config.request_suffix {
        let reason = "it must not be empty nor the same as `request_suffix`: a response would replace its request";
        return Err(wrong("response_suffix", reason.to_owned()));
    }
    if !(1..=1_000_000).contains(&config.documents_max) {
        return Err(wrong("documents_max", format!("found {}: write 1 to 1000000", config.documents_max)));
    }
    Ok(Arc::new(JsonFileWriteBack::new(&context, config)))
}
