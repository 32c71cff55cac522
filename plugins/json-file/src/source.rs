//! The source: files to records, one after the other, with the memory of one document.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use einvoice_core::document::{Invoice, ReadInvoice};
use einvoice_core::finding::Finding;
use einvoice_core::registry::{BuildContext, BuildError};
use einvoice_core::source::{
    Acknowledgement, Cursor, InvoiceSource, Mapped, MappedDocument, Provenance, RecordStream, SourceCapability,
    SourceError, SourceRecord,
};
use einvoice_file_drop::{Encoding, Entries, FileDrop, FolderSettings, Format, Found, Lister, Utf8Reader};

use crate::config::{RecordId, SourceConfig};
use crate::element::{self, Parsed};
use crate::name;
use crate::split::{Fault, Piece, Splitter};

/// Reads INV-01 JSON files from a folder.
#[derive(Debug)]
pub struct JsonFileSource {
    files: FileDrop<Documents>,
}

/// INV-01 documents in a file.
#[derive(Debug)]
struct Documents {
    encoding: Encoding,
    record_id: RecordId,
}

impl JsonFileSource {
    /// A source in the folder and by the clock of a context.
    #[must_use]
    pub fn new(context: &BuildContext, config: SourceConfig) -> Self {
        let format = Documents { encoding: config.encoding, record_id: config.record_id };
        let lister = Lister::new(context.directory.clone(), folder(config));
        Self { files: FileDrop::new(lister, format, Arc::clone(&context.clock)) }
    }
}

/// The settings that all sources of files have.
fn folder(config: SourceConfig) -> FolderSettings {
    FolderSettings {
        path: config.path,
        extensions: &["json", "jsonl", "ndjson"],
        done_folder: config.done_folder,
        needs_person_folder: config.needs_person_folder,
        move_files: config.move_files,
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
        let parsed = record.context.as_ref().and_then(|context| context.downcast_ref::<Kept>());
        let read = match parsed.and_then(Kept::take) {
            Some(read) => read,
            None => match element::parse(&record.content, 1, 1) {
                Ok((_, parsed)) => parsed.read,
                Err(finding) => {
                    let findings = vec![finding.with_place(record.reference.to_string())];
                    return Mapped::Unmappable { label: record.reference.to_string(), findings };
                }
            },
        };
        let placed = |finding: Finding| match finding.place {
            Some(_) => finding,
            None => finding.with_place(record.reference.to_string()),
        };
        Mapped::Document(Box::new(MappedDocument {
            findings: read.findings.into_iter().map(placed).collect(),
            attributes: attributes(&read.invoice),
            // Each value stands in the file under its own path.
            provenance: Provenance::new(),
            invoice: read.invoice,
        }))
    }

    async fn acknowledge(&self, settled: &[Acknowledgement]) -> Result<(), SourceError> {
        self.files.acknowledge(settled).await
    }
}

/// The document of a record, read while its key was looked for. It is given away when the record is
/// mapped, as a copy of its many texts costs; who maps a record once more has it read again.
struct Kept(Mutex<Option<ReadInvoice>>);

impl Kept {
    fn new(parsed: Parsed) -> Self {
        Self(Mutex::new(Some(parsed.read)))
    }

    fn take(&self) -> Option<ReadInvoice> {
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
        let ends_the_reading = ends_the_reading(&piece);
        match document(piece, self.record_id, file) {
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

/// Whether what follows in the file is not read any more, which is always worth a report.
fn ends_the_reading(piece: &Piece) -> bool {
    matches!(piece.content, Err(fault) if !matches!(fault, Fault::TooLarge | Fault::TooDeep))
}

/// A piece of a file that is a document.
struct Document {
    /// What stays when the file is read again; nothing where the place is what counts.
    id: Option<String>,
    content: String,
    kept: Kept,
}

/// Reads a piece as a document, or says what is wrong with it and where.
fn document(piece: Piece, by: RecordId, file: &Found) -> Result<Document, Box<Finding>> {
    let Piece { number, line, column, content } = piece;
    let placed = |finding: Finding| {
        let place = finding.place.clone().unwrap_or_else(|| format!("line {line}, column {column}"));
        Box::new(finding.with_place(format!("{}, document {number}, {place}", file.shown)))
    };
    let bytes = content.map_err(|fault| {
        let (message, fix) = fault.explain();
        placed(Finding::error("json.structure", "", message).with_code("2140").with_fix(fix))
    })?;
    let read = element::text(bytes).and_then(|text| element::parse(&text, line, column));
    let (content, parsed) = read.map_err(|finding| placed(*finding))?;
    Ok(Document { id: record_id(by, &parsed.read.invoice), content, kept: Kept::new(parsed) })
}

/// How many documents and how many problems bytes hold.
pub(crate) fn count_pieces(bytes: &[u8], lines: bool) -> (usize, usize) {
    let file = Found { path: "x.json".into(), shown: "x.json".to_owned(), size: 0, modified: None };
    let Ok(reader) = Utf8Reader::new(bytes, Encoding::Auto) else { return (0, 0) };
    Splitter::new(reader, lines).map_while(Result::ok).fold((0, 0), |(documents, problems), piece| {
        match document(piece, RecordId::Position, &file) {
            Ok(_) => (documents + 1, problems),
            Err(_) => (documents, problems + 1),
        }
    })
}

/// Makes the source of a configuration.
#[expect(clippy::unused_async, reason = "the registry awaits every build")]
pub(crate) async fn build(context: BuildContext, config: SourceConfig) -> Result<Arc<dyn InvoiceSource>, BuildError> {
    let wrong = |key: &str, reason: String| BuildError::new(format!("{}, key `{key}`", context.name), reason);
    folder(config.clone()).check().map_err(|(key, reason)| wrong(key, reason))?;
    if config.response_suffix.is_empty() {
        return Err(wrong("response_suffix", "is empty: response files would be read as input".to_owned()));
    }
    Ok(Arc::new(JsonFileSource::new(&context, config)))
}
