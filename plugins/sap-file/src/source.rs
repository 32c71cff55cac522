//! The source: a folder that SAP writes files into.

use std::future::{Ready, ready};
use std::sync::Arc;

use async_trait::async_trait;
use einvoice_core::registry::{BuildContext, BuildError};
use einvoice_core::source::{
    Acknowledgement, Cursor, InvoiceSource, Mapped, RecordStream, SourceCapability, SourceError, SourceRecord,
};
use einvoice_file_drop::{FileDrop, FolderSettings, Lister, on_thread};

use crate::config::SourceConfig;
use crate::format::{Files, Kept, Reading};
use crate::idoc::{self, Definitions};

/// Endings of files that are read from a folder.
const EXTENSIONS: &[&str] = &["idoc", "xml", "json", "csv", "txt", "dat"];

/// Reads invoices from files that SAP writes.
#[derive(Debug)]
pub struct SapFileSource {
    files: FileDrop<Files>,
    reading: Arc<Reading>,
}

impl SapFileSource {
    /// A source in the folder and by the clock of a context.
    ///
    /// # Errors
    /// [`BuildError`] when a setting makes no sense, or a definition file cannot be read.
    pub fn new(context: &BuildContext, config: SourceConfig) -> Result<Self, BuildError> {
        let wrong = |key: &str, reason: String| BuildError::new(format!("{}, key `{key}`", context.name), reason);
        let mut definitions = Definitions::default();
        for file in &config.definitions {
            idoc::read_definitions(&context.path(file), &mut definitions)
                .map_err(|error| wrong("definitions", format!("{file}: {error}")))?;
        }
        let reading = Arc::new(Reading::new(&config, definitions).map_err(|(key, reason)| wrong(key, reason))?);
        let folder = folder(config);
        folder.check().map_err(|(key, reason)| wrong(key, reason))?;
        let lister = Lister::new(context.directory.clone(), folder);
        Ok(Self { files: FileDrop::new(lister, Files(Arc::clone(&reading)), Arc::clone(&context.clock)), reading })
    }
}

/// The settings that all sources of files have.
fn folder(config: SourceConfig) -> FolderSettings {
    FolderSettings {
        path: config.path,
        extensions: EXTENSIONS,
        done_folder: config.done_folder,
        needs_person_folder: config.needs_person_folder,
        move_files: config.move_files,
        claim_files: true,
        work_folder: config.work_folder,
        answer_arrivals: true,
        settle_ms: config.settle_ms,
        trigger_suffix: config.trigger_suffix,
        ignore_suffixes: config.ignore_suffixes,
        response_suffix: config.response_suffix,
    }
}

#[async_trait]
impl InvoiceSource for SapFileSource {
    fn capability(&self) -> SourceCapability {
        SourceCapability::new(false, self.files.moves_files())
    }

    async fn fetch(&self, _: Option<&Cursor>) -> Result<RecordStream, SourceError> {
        self.files.fetch().await
    }

    fn map(&self, record: &SourceRecord) -> Mapped {
        Kept::of(record).unwrap_or_else(|| self.reading.map(&record.content, &record.reference))
    }

    async fn acknowledge(&self, settled: &[Acknowledgement]) -> Result<(), SourceError> {
        let (reading, news) = (Arc::clone(&self.reading), settled.to_vec());
        // First, as a file that was moved is read no more.
        on_thread(move || reading.numbers.acknowledge(&news)).await??;
        self.files.acknowledge(settled).await
    }
}

/// Makes the source of a configuration.
#[expect(clippy::needless_pass_by_value, reason = "the registry hands both over")]
pub(crate) fn build(context: BuildContext, config: SourceConfig) -> Ready<Result<Arc<dyn InvoiceSource>, BuildError>> {
    ready(SapFileSource::new(&context, config).map(|source| -> Arc<dyn InvoiceSource> { Arc::new(source) }))
}
