//! The source: files to records, one after the other, with the memory of one document.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use einvoice_core::document::{Invoice, MAX_BYTES, ReadInvoice};
use einvoice_core::finding::Finding;
use einvoice_core::mapping::MappingError;
use einvoice_core::registry::{BuildContext, BuildError};
use einvoice_core::source::{
    Acknowledgement, Cursor, InvoiceSource, Mapped, MappedDocument, Provenance, RecordStream, Skip, SourceCapability,
    SourceError, SourceRecord, place,
};
use einvoice_file_drop::json::{Fault, Piece, Splitter};
use einvoice_file_drop::{Encoding, Entries, FileDrop, FolderSettings, Format, Found, Lister, Utf8Reader, read_whole};

use crate::config::{DocumentFormat, RecordId, SourceConfig};
use crate::element;
use crate::formats::{Formats, NotMapped};
use crate::name;

/// Reads documents from files in a folder.
#[derive(Debug)]
pub struct JsonFileSource {
    files: FileDrop<Documents>,
    formats: Arc<Formats>,
}

/// Documents in a file.
#[derive(Debug)]
struct Documents {
    encoding: Encoding,
    record_id: RecordId,
    formats: Arc<Formats>,
}

impl JsonFileSource {
    /// A source in the folder and by the clock of a context.
    ///
    /// # Errors
    /// When a rule of the mapping cannot be used.
    pub fn new(context: &BuildContext, config: SourceConfig) -> Result<Self, MappingError> {
        let formats = Arc::new(Formats::new(config.format, &config.lines, &config.mapping)?);
        let format =
            Documents { encoding: config.encoding, record_id: config.record_id, formats: Arc::clone(&formats) };
        let lister = Lister::new(context.directory.clone(), folder(config));
        Ok(Self { files: FileDrop::new(lister, format, Arc::clone(&context.clock)), formats })
    }
}

/// The settings that all sources of files have.
fn folder(config: SourceConfig) -> FolderSettings {
    FolderSettings {
        path: config.path,
        extensions: &["json", "jsonl", "ndjson", "xml"],
        done_folder: config.done_folder,
        needs_person_folder: config.needs_person_folder,
        move_files: config.move_files,
        claim_files: config.work_folder.is_some(),
        work_folder: config.work_folder,
        answer_arrivals: true,
        settle_ms: config.settle_ms,
        trigger_suffix: config.trigger_suffix,
        ignore_suffixes: config.ignore_suffixes,
        response_suffix: config.response_suffix,
    }
}

#[async_trait]
impl InvoiceSource for JsonFileSource {
    fn capability(&self) -> SourceCapability {
        SourceCapability::new(false, self.files.moves_files())
    }

    async fn fetch(&self, _: Option<&Cursor>) -> Result<RecordStream, SourceError> {
        self.files.fetch().await
    }

    fn map(&self, record: &SourceRecord) -> Mapped {
        let kept = record.context.as_ref().and_then(|context| context.downcast_ref::<Kept>());
        match map(&record.content, kept.and_then(Kept::take), &self.formats) {
            Ok(mut mapped) => {
                mapped.attributes = attributes(&mapped.invoice);
                place(&mut mapped.findings, &record.reference, &mapped.provenance);
                Mapped::Document(Box::new(mapped))
            }
            Err(NotMapped::Skipped(skip)) => Mapped::Skipped(Skip { label: record.reference.to_string(), ..skip }),
            Err(NotMapped::Wrong(finding)) => {
                let findings = vec![finding.with_place(record.reference.to_string())];
                Mapped::Unmappable { label: record.reference.to_string(), findings }
            }
        }
    }

    async fn acknowledge(&self, settled: &[Acknowledgement]) -> Result<(), SourceError> {
        self.files.acknowledge(settled).await
    }
}

/// A document as far as it was read.
pub(crate) enum Read {
    Inv01(Box<ReadInvoice>),
    Mapped(Box<MappedDocument>),
    Skipped(Skip),
}

/// Reads a document that begins at this line and column of its file. An INV-01 document is taken out of its wrapper.
fn read(text: &str, formats: &Formats, line: u64, column: u64) -> Result<(String, Read), Box<Finding>> {
    let format = formats.of(text);
    if format == DocumentFormat::Inv01 {
        let (content, read) = element::parse(text, line, column)?;
        return Ok((content, Read::Inv01(Box::new(read))));
    }
    match formats.map(text, format) {
        Ok(mapped) => Ok((text.to_owned(), Read::Mapped(Box::new(mapped)))),
        Err(NotMapped::Skipped(skip)) => Ok((text.to_owned(), Read::Skipped(skip))),
        Err(NotMapped::Wrong(finding)) => Err(finding),
    }
}

/// Maps the text of a record, of which `kept` is what was read of it before.
pub(crate) fn map(text: &str, kept: Option<Read>, formats: &Formats) -> Result<MappedDocument, NotMapped> {
    let read = match kept {
        Some(read) => read,
        None => read(text, formats, 1, 1).map_err(NotMapped::Wrong)?.1,
    };
    match read {
        Read::Inv01(read) => inv01(*read, text, formats),
        Read::Mapped(mapped) => Ok(*mapped),
        Read::Skipped(skip) => Err(NotMapped::Skipped(skip)),
    }
}

/// An INV-01 document with the rules of the configuration over it.
fn inv01(read: ReadInvoice, text: &str, formats: &Formats) -> Result<MappedDocument, NotMapped> {
    let mut mapped = MappedDocument {
        invoice: read.invoice,
        findings: read.findings,
        // Each value stands in the file under its own path.
        provenance: Provenance::new(),
        attributes: BTreeMap::new(),
    };
    formats.overlay(text, &mut mapped)?;
    Ok(mapped)
}

/// The document of a record, read while its key was looked for. It is given away when the record is
/// mapped, as a copy of its many texts costs; who maps a record once more has it read again.
pub(crate) struct Kept(Mutex<Option<Read>>);

impl Kept {
    fn new(read: Read) -> Self {
        Self(Mutex::new(Some(read)))
    }

    pub(crate) fn take(&self) -> Option<Read> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// What the response file says about a document beside its result.
fn attributes(invoice: &Invoice) -> BTreeMap<String, String> {
    let doc = &invoice.doc_dtls;
    [("doc_typ", element::shown(&doc.typ)), ("doc_no", element::shown(&doc.no)), ("doc_dt", element::shown(&doc.dt))]
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?)))
        .collect()
}

/// What stays when a file is read again: the key in capitals; nothing where there is no key, or the place is what counts.
fn record_id(by: RecordId, invoice: &Invoice) -> Option<String> {
    let key = match by {
        RecordId::Document => invoice.document_key()?,
        RecordId::Position => return None,
    };
    Some(format!("{}/{}/{}/{}", key.supplier, key.year, key.doc_type, key.number.to_upper()))
}

impl Format for Documents {
    fn read(&self, file: &Found, entries: &mut Entries<'_>) -> io::Result<()> {
        if self.formats.is_xml(&file.path) {
            let piece = whole(file, self.encoding)?;
            self.hand_over(piece, file, entries);
            return Ok(());
        }
        let reader = Utf8Reader::new(File::open(&file.path)?, self.encoding)?;
        for piece in Splitter::new(reader, name::is_lines(&file.path)) {
            if !self.hand_over(piece?, file, entries) {
                break;
            }
        }
        Ok(())
    }
}

impl Documents {
    fn hand_over(&self, piece: Piece, file: &Found, entries: &mut Entries<'_>) -> bool {
        let place = format!("line {}, column {}", piece.line, piece.column);
        let label = format!("document {} of {}", piece.number, file.shown);
        // That the rest of a file is not read is always worth a report.
        let ends_the_reading = piece.content.as_ref().is_err_and(|fault| fault.ends_the_reading());
        match document(piece, self.record_id, file, &self.formats) {
            Ok(Document { id: Some(id), content, kept }) => entries.record(&place, id, content, Some(Arc::new(kept))),
            Ok(Document { id: None, content, kept }) => {
                let id = format!("{}#{}", file.shown, entries.next_number());
                entries.positioned(&place, id, content, Some(Arc::new(kept)))
            }
            Err(finding) if ends_the_reading => entries.fault(&place, label, vec![*finding]),
            Err(finding) => entries.problem(&place, label, vec![*finding]),
        }
    }
}

/// An XML file, which holds one document.
fn whole(file: &Found, encoding: Encoding) -> io::Result<Piece> {
    let bytes = read_whole(&file.path, file.size, encoding, MAX_BYTES)?;
    let content = if bytes.len() > MAX_BYTES { Err(Fault::TooLarge) } else { Ok(bytes) };
    Ok(Piece { number: 1, line: 1, column: 1, content })
}

/// A piece of a file that is a document.
pub(crate) struct Document {
    /// What stays when the file is read again; nothing where the place is what counts.
    id: Option<String>,
    pub(crate) content: String,
    pub(crate) kept: Kept,
}

/// Reads a piece as a document, or says what is wrong with it and where.
pub(crate) fn document(piece: Piece, by: RecordId, file: &Found, formats: &Formats) -> Result<Document, Box<Finding>> {
    let Piece { number, line, column, content } = piece;
    let placed = |finding: Finding| {
        let place = finding.place.clone().unwrap_or_else(|| format!("line {line}, column {column}"));
        Box::new(finding.with_place(format!("{}, document {number}, {place}", file.shown)))
    };
    let bytes = content.map_err(|fault| {
        let (message, fix) = fault.explain();
        placed(Finding::error("json.structure", "", message).with_code("2140").with_fix(fix))
    })?;
    let found = element::text(bytes).and_then(|text| read(&text, formats, line, column));
    let (content, read) = found.map_err(|finding| placed(*finding))?;
    let id = match &read {
        Read::Inv01(read) => record_id(by, &read.invoice),
        Read::Mapped(mapped) => record_id(by, &mapped.invoice),
        Read::Skipped(_) => None,
    };
    Ok(Document { id, content, kept: Kept::new(read) })
}

/// Makes the source of a configuration.
#[expect(clippy::unused_async, reason = "the registry awaits every build")]
pub(crate) async fn build(context: BuildContext, config: SourceConfig) -> Result<Arc<dyn InvoiceSource>, BuildError> {
    let wrong = |key: &str, reason: String| BuildError::new(format!("{}, key `{key}`", context.name), reason);
    folder(config.clone()).check().map_err(|(key, reason)| wrong(key, reason))?;
    if config.response_suffix.is_empty() {
        return Err(wrong("response_suffix", "is empty: response files would be read as input".to_owned()));
    }
    let source = JsonFileSource::new(&context, config).map_err(|error| wrong("mapping", error.to_string()))?;
    Ok(Arc::new(source))
}
