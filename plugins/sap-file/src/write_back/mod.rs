//! The write-back role: results in files that ABAP reads.
//!
//! What was delivered is kept beside the results (`state/INV1_R.state`), one file for each request; every result file is
//! made of that alone, so the same receipts give the same bytes, and a file that was lost is made again.

pub(crate) mod config;
mod row;
mod shown;
mod state;
mod status;

use std::collections::BTreeMap;
use std::future::{Ready, ready};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use einvoice_core::clock::SharedClock;
use einvoice_core::date::PortalTime;
use einvoice_core::receipt::Receipt;
use einvoice_core::registry::{BuildContext, BuildError};
use einvoice_core::source::SourceRef;
use einvoice_core::write_back::{Delivery, WriteBack, WriteBackCapability, WriteBackError, WriteBackWay};
use einvoice_file_drop::{number_of, response_stem};

use self::config::{ResultForm, WriteBackConfig};
use self::state::Part;

/// Receipts taken at once: each batch rewrites the files that it touches.
const BATCH_MAX: usize = 2_500;
/// Most documents of one result file that may be configured.
const DOCUMENTS_MAX: u32 = 10_000;
/// Shortest and longest piece of a signed text.
const CHUNK: std::ops::RangeInclusive<usize> = 40..=4_000;

/// How results reach the books; there is no other way.
pub(crate) const WAY: WriteBackWay = WriteBackWay {
    settings: "",
    note: "result files beside the request, which a program in SAP reads into its tables",
};

/// Results in files that ABAP reads.
#[derive(Debug)]
pub struct SapFileWriteBack {
    capability: WriteBackCapability,
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    directory: PathBuf,
    config: WriteBackConfig,
    clock: SharedClock,
    /// Two deliveries at once would write one file from the same old content.
    writing: Mutex<()>,
}

impl SapFileWriteBack {
    /// A target in the folder and by the clock of a context.
    ///
    /// # Errors
    /// [`BuildError`] when a setting makes no sense.
    pub fn new(context: &BuildContext, config: WriteBackConfig) -> Result<Self, BuildError> {
        let wrong = |key: &str, reason: String| Err(BuildError::new(format!("{}, key `{key}`", context.name), reason));
        if config.response_suffix.is_empty() || config.response_suffix == config.request_suffix {
            return wrong("response_suffix", "must not be empty nor the suffix of requests".to_owned());
        }
        if config.response_suffix.contains(['/', '\\']) {
            return wrong("response_suffix", "is a part of a name, not a path".to_owned());
        }
        if config.results.is_empty() {
            return wrong("results", "names no file to write".to_owned());
        }
        if config.documents_max == 0 || config.documents_max > DOCUMENTS_MAX {
            return wrong("documents_max", format!("found {}: write 1 to {DOCUMENTS_MAX}", config.documents_max));
        }
        if let Some(chunk) = config.chunk.filter(|chunk| !CHUNK.contains(chunk)) {
            return wrong("chunk", format!("found {chunk}: write {} to {}", CHUNK.start(), CHUNK.end()));
        }
        if !matches!(config.separator, ',' | ';' | '|' | '\t') {
            return wrong("separator", format!("found `{}`: write one of , ; | or a tab", config.separator));
        }
        let capability = WriteBackCapability::new(false, true, BATCH_MAX, shown::FIELDS.to_vec(), WAY.note);
        let inner = Inner {
            directory: context.directory.clone(),
            config,
            clock: Arc::clone(&context.clock),
            writing: Mutex::default(),
        };
        Ok(Self { capability, inner: Arc::new(inner) })
    }
}

#[async_trait]
impl WriteBack for SapFileWriteBack {
    fn capability(&self) -> &WriteBackCapability {
        &self.capability
    }

    async fn deliver(&self, receipts: &[Receipt]) -> Result<Vec<Delivery>, WriteBackError> {
        let (inner, receipts) = (Arc::clone(&self.inner), receipts.to_vec());
        on_thread(move || inner.deliver(&receipts)).await
    }

    async fn read_back(
        &self,
        references: &[SourceRef],
    ) -> Result<Vec<Option<BTreeMap<String, String>>>, WriteBackError> {
        let (inner, references) = (Arc::clone(&self.inner), references.to_vec());
        on_thread(move || inner.read_back(&references)).await?
    }
}

impl Inner {
    /// The base of the names of a request's results, and the folder they go to.
    fn place(&self, reference: &SourceRef) -> (PathBuf, String) {
        let request = self.directory.join(&reference.location);
        let document = number_of(&reference.position).unwrap_or(1);
        let part = document.saturating_sub(1) / u64::from(self.config.documents_max) + 1;
        let stem = response_stem(&request, &self.config.request_suffix, &self.config.response_suffix, part);
        let folder = match &self.config.folder {
            Some(folder) => self.directory.join(folder),
            None => request.parent().unwrap_or(Path::new("")).to_owned(),
        };
        (folder, stem)
    }

    fn part(&self, folder: PathBuf, stem: String) -> Part<'_> {
        Part { folder, stem, config: &self.config }
    }

    fn deliver(&self, receipts: &[Receipt]) -> Vec<Delivery> {
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut parts: BTreeMap<(PathBuf, String), Vec<usize>> = BTreeMap::new();
        for (index, receipt) in receipts.iter().enumerate() {
            parts.entry(self.place(&receipt.reference)).or_default().push(index);
        }
        let now = PortalTime::at(self.clock.now());
        let mut deliveries = vec![Delivery::Done; receipts.len()];
        for ((folder, stem), indexes) in parts {
            let chosen: Vec<&Receipt> = indexes.iter().filter_map(|index| receipts.get(*index)).collect();
            let part = self.part(folder, stem);
            if let Err(error) = part.deliver(&chosen, now) {
                let reason = format!("{}: {error}; it is tried again on the next run", part.shown());
                for index in indexes {
                    if let Some(delivery) = deliveries.get_mut(index) {
                        *delivery = Delivery::Failed { reason: reason.clone() };
                    }
                }
            }
        }
        deliveries
    }

    fn read_back(&self, references: &[SourceRef]) -> Result<Vec<Option<BTreeMap<String, String>>>, WriteBackError> {
        let mut states = BTreeMap::new();
        references
            .iter()
            .map(|reference| {
                let (folder, stem) = self.place(reference);
                let state = match states.entry((folder.clone(), stem.clone())) {
                    std::collections::btree_map::Entry::Occupied(known) => known.into_mut(),
                    std::collections::btree_map::Entry::Vacant(slot) => {
                        let part = self.part(folder, stem);
                        let state = part.state().map_err(|error| {
                            WriteBackError::new(part.shown(), format!("it cannot be read: {error}")).because(error)
                        })?;
                        slot.insert(state.unwrap_or_default())
                    }
                };
                Ok(state.find(reference).map(shown::fields))
            })
            .collect()
    }
}

async fn on_thread<R: Send + 'static>(work: impl FnOnce() -> R + Send + 'static) -> Result<R, WriteBackError> {
    tokio::task::spawn_blocking(work).await.map_err(|error| {
        WriteBackError::new("result files", "the writer stopped by a fault of its own; please report this")
            .because(error)
    })
}

/// The name of a result file.
fn file_name(stem: &str, suffix: &str, form: ResultForm) -> String {
    let (infix, extension) = match form {
        ResultForm::Response => ("", "json"),
        ResultForm::Invrefnum => ("_INVREFNUM", "json"),
        ResultForm::InvrefnumCsv => ("_INVREFNUM", "csv"),
        ResultForm::Portal => ("_PORTAL", "json"),
        ResultForm::Status => ("_STATUS", "xml"),
    };
    // The suffix stays last, so that no result is ever taken for a request.
    match stem.rfind(suffix) {
        Some(at) => {
            format!("{}{infix}{}.{extension}", stem.get(..at).unwrap_or_default(), stem.get(at..).unwrap_or_default())
        }
        None => format!("{stem}{infix}.{extension}"),
    }
}

/// Makes the target of a configuration.
#[expect(clippy::needless_pass_by_value, reason = "the registry hands both over")]
pub(crate) fn build(context: BuildContext, config: WriteBackConfig) -> Ready<Result<Arc<dyn WriteBack>, BuildError>> {
    ready(SapFileWriteBack::new(&context, config).map(|target| -> Arc<dyn WriteBack> { Arc::new(target) }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_result_file_has_the_name_of_a_response() {
        for form in [
            ResultForm::Response,
            ResultForm::Invrefnum,
            ResultForm::InvrefnumCsv,
            ResultForm::Portal,
            ResultForm::Status,
        ] {
            for stem in ["INV1_R", "INV1_R_2", "A_R_B_R"] {
                let name = file_name(stem, "_R", form);
                assert!(einvoice_file_drop::is_response(Path::new(&name), "_R"), "{name}");
            }
        }
        assert_eq!(file_name("INV1_R_2", "_R", ResultForm::InvrefnumCsv), "INV1_INVREFNUM_R_2.csv");
    }
}
