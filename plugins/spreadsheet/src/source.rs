//! The source: workbooks and text files of a folder.

use std::sync::Arc;

use async_trait::async_trait;
use einvoice_core::finding::Finding;
use einvoice_core::mapping::{Mapping, MappingConfig, Names};
use einvoice_core::registry::{BuildContext, BuildError};
use einvoice_core::source::{
    Acknowledgement, Cursor, InvoiceSource, Mapped, RecordStream, SourceCapability, SourceError, SourceRecord,
};
use einvoice_file_drop::{FileDrop, Lister};

use crate::book::TextSettings;
use crate::builtin;
use crate::config::SourceConfig;
use crate::fields::Fields;
use crate::reading::{Reading, Sheets};
use crate::record::{Kept, Mapper};

/// Reads invoices from workbooks and text files.
#[derive(Debug)]
pub struct SpreadsheetSource {
    files: FileDrop<Sheets>,
    mapper: Arc<Mapper>,
}

impl SpreadsheetSource {
    /// A source in the folder and by the clock of a context.
    ///
    /// # Errors
    /// When a setting makes no sense; the error names its key.
    pub fn new(context: &BuildContext, config: &SourceConfig) -> Result<Self, BuildError> {
        let wrong = |key: &str, reason: String| BuildError::new(format!("{}, key `{key}`", context.name), reason);
        let folder = config.folder();
        folder.check().map_err(|(key, reason)| wrong(key, reason))?;
        let delimiter = delimiter(config.delimiter).map_err(|reason| wrong("delimiter", reason))?;
        if config.heading_row == Some(0) {
            return Err(wrong("heading_row", "found 0: rows are counted from 1".to_owned()));
        }
        let builtin = builtin::mapping();
        let mapping_error = |error: einvoice_core::mapping::MappingError| wrong("mapping", error.to_string());
        let mapping = Mapping::new(&builtin, &config.mapping, Names::Folded).map_err(mapping_error)?;
        let fields = Fields::of(&builtin, &config.mapping).map_err(mapping_error)?;
        if fields.number.is_empty() {
            let reason = "no column says which number a document has: map `DocDtls.No` to a heading";
            return Err(wrong("mapping", reason.to_owned()));
        }
        let mapper = Arc::new(Mapper { mapping, fields });
        let reading = Reading {
            text: TextSettings { encoding: config.encoding, delimiter },
            sheet: config.sheet.clone(),
            heading_row: config.heading_row,
            carry_down: config.carry_down,
            record_id: config.record_id,
        };
        let sheets = Sheets::new(reading, Arc::clone(&mapper));
        let lister = Lister::new(context.directory.clone(), folder);
        Ok(Self { files: FileDrop::new(lister, sheets, Arc::clone(&context.clock)), mapper })
    }
}

/// The mapping of the portal's headings alone.
pub(crate) fn mapper() -> Option<Mapper> {
    let (builtin, own) = (builtin::mapping(), MappingConfig::default());
    let mapping = Mapping::new(&builtin, &own, Names::Folded).ok()?;
    Some(Mapper { mapping, fields: Fields::of(&builtin, &own).ok()? })
}

/// The mark between values as a byte.
fn delimiter(given: Option<char>) -> Result<Option<u8>, String> {
    let Some(given) = given else { return Ok(None) };
    u8::try_from(given)
        .ok()
        .filter(|byte| matches!(byte, b',' | b';' | b'|' | b'\t'))
        .map(Some)
        .ok_or_else(|| format!("found `{given}`: write one of , ; | or \\t"))
}

#[async_trait]
impl InvoiceSource for SpreadsheetSource {
    fn capability(&self) -> SourceCapability {
        SourceCapability::new(false, self.files.moves_files())
    }

    async fn fetch(&self, _: Option<&Cursor>) -> Result<RecordStream, SourceError> {
        self.files.fetch().await
    }

    fn map(&self, record: &SourceRecord) -> Mapped {
        let kept = record.context.as_ref().and_then(|context| context.downcast_ref::<Kept>());
        let placed = |finding: Finding| {
            let place = match &finding.place {
                Some(place) => format!("{}, {place}", record.reference),
                None => return finding,
            };
            finding.with_place(place)
        };
        match self.mapper.document(&record.content, kept) {
            Ok(Mapped::Document(mut mapped)) => {
                mapped.findings = mapped.findings.into_iter().map(placed).collect();
                Mapped::Document(mapped)
            }
            Ok(other) => other,
            Err(error) => Mapped::Unmappable {
                label: record.reference.to_string(),
                findings: vec![
                    Finding::error("spreadsheet.record", "", format!("the record is no record of a table: {error}"))
                        .with_fix("Read the file again; if this comes back, please report it.")
                        .with_place(record.reference.to_string()),
                ],
            },
        }
    }

    async fn acknowledge(&self, settled: &[Acknowledgement]) -> Result<(), SourceError> {
        self.files.acknowledge(settled).await
    }
}

/// Makes the source of a configuration.
#[expect(clippy::unused_async, reason = "the registry awaits every build")]
pub(crate) async fn build(context: BuildContext, config: SourceConfig) -> Result<Arc<dyn InvoiceSource>, BuildError> {
    Ok(Arc::new(SpreadsheetSource::new(&context, &config)?))
}
