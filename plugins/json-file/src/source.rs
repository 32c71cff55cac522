//! The source: files to records, one after the other, with the memory of one document.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use einvoice_core::clock::SharedClock;
use einvoice_core::document::{Invoice, ReadInvoice};
use einvoice_core::finding::Finding;
use einvoice_core::registry::{BuildContext, BuildError};
use einvoice_core::source::{
    Acknowledgement, Cursor, InvoiceSource, Mapped, MappedDocument, Provenance, RecordSender, RecordStream,
    SourceCapability, SourceError, SourceItem, SourceProblem, SourceRecord, SourceRef, stream_from_blocking,
};
use futures_util::{StreamExt, stream};

use crate::config::{Encoding, RecordId, SourceConfig};
use crate::decode::Utf8Reader;
use crate::element::{self, Parsed};
use crate::files::{Found, Lister};
use crate::name;
use crate::settled::{self, Fates, POSITION, Settlements};
use crate::split::{Fault, Piece, Splitter};

/// So many entries of a file that are no documents are reported one by one, the others by their
/// number: nobody reads more, and what fills a file with faults is most often one cause.
const PROBLEMS_MAX: u64 = 100;
/// Longest settling time: ten minutes, the range of the setting.
const SETTLE_MS_MAX: u64 = 600_000;

/// Reads INV-01 JSON files from a folder.
#[derive(Debug)]
pub struct JsonFileSource {
    lister: Arc<Lister>,
    clock: SharedClock,
    settlements: Arc<Mutex<Settlements>>,
}

impl JsonFileSource {
    /// A source in the folder and by the clock of a context.
    #[must_use]
    pub fn new(context: &BuildContext, config: SourceConfig) -> Self {
        Self {
            lister: Arc::new(Lister::new(context.directory.clone(), config)),
            clock: Arc::clone(&context.clock),
            settlements: Arc::default(),
        }
    }

    fn stream(reader: FileReader, files: Vec<Found>, changed: Changed) -> RecordStream {
        stream_from_blocking(move |sender| reader.read_all(files, changed, sender))
    }
}

/// What to do with a file that changed since it was listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Changed {
    Read,
    Leave,
}

#[async_trait]
impl InvoiceSource for JsonFileSource {
    fn capability(&self) -> SourceCapability {
        SourceCapability::new(false, self.lister.config().move_files)
    }

    async fn fetch(&self, _: Option<&Cursor>) -> Result<RecordStream, SourceError> {
        let lister = Arc::clone(&self.lister);
        let files = on_thread(move || lister.list()).await??;
        let now = self.clock.now();
        let (settled, fresh): (Vec<_>, Vec<_>) = files.into_iter().partition(|file| self.lister.settled(file, now));
        let reader = FileReader {
            lister: Arc::clone(&self.lister),
            settlements: Arc::clone(&self.settlements),
            seen: Arc::default(),
        };
        let first = Self::stream(reader.clone(), settled, Changed::Read);
        if fresh.is_empty() {
            return Ok(first);
        }
        // A run that comes right after a program wrote its files should not miss them.
        let clock = Arc::clone(&self.clock);
        let second = stream::once(async move {
            clock.sleep(reader.lister.settle_time()).await;
            Self::stream(reader, fresh, Changed::Leave)
        });
        Ok(Box::pin(first.chain(second.flatten())))
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
        if !self.lister.config().move_files {
            return Ok(());
        }
        let finished = {
            let mut settlements = self.settlements.lock().unwrap_or_else(PoisonError::into_inner);
            settlements.hear(settled);
            settlements.finished()
        };
        let (lister, settlements) = (Arc::clone(&self.lister), Arc::clone(&self.settlements));
        on_thread(move || {
            // One file that cannot be moved does not keep the others here.
            let mut result = Ok(());
            for file in &finished {
                match settled::move_away(&lister, file) {
                    Ok(()) => settlements.lock().unwrap_or_else(PoisonError::into_inner).forget(&file.file.shown),
                    Err(error) => result = result.and(Err(error)),
                }
            }
            result
        })
        .await?
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

/// What stays when a file is read again: the key in capitals, or the place where there is no key or the
/// place is what counts.
fn record_id(by: RecordId, invoice: &Invoice, file: &Found, number: u64) -> String {
    let key = match by {
        RecordId::Document => invoice.document_key(),
        RecordId::Position => None,
    };
    match key {
        Some(key) => format!("{}/{}/{}/{}", key.supplier, key.year, key.doc_type, key.number.to_upper()),
        None => place_id(file, number),
    }
}

fn place_id(file: &Found, number: u64) -> String {
    format!("{}#{number}", file.shown)
}

/// How often each record id was met in one reading of the folder, by the hash of it: a folder may
/// hold a million documents.
#[derive(Debug, Default)]
struct Seen(HashMap<u64, u32>);

impl Seen {
    /// Tells a further document under one key apart by a number: it must never be taken for a
    /// correction of the first, which is what the same id says.
    fn tell_apart(&mut self, record_id: &mut String) {
        let mut hasher = DefaultHasher::new();
        record_id.hash(&mut hasher);
        let times = self.0.entry(hasher.finish()).or_insert(0);
        *times = times.saturating_add(1);
        if *times > 1 {
            *record_id = format!("{record_id}#{times}");
        }
    }
}

/// Reads files on a thread of its own.
#[derive(Debug, Clone)]
struct FileReader {
    lister: Arc<Lister>,
    settlements: Arc<Mutex<Settlements>>,
    seen: Arc<Mutex<Seen>>,
}

impl FileReader {
    /// Reads one file after the other. A file that cannot be read is reported after the others.
    fn read_all(&self, files: Vec<Found>, changed: Changed, sender: &RecordSender) {
        let mut trouble = None;
        for file in files {
            let Some(now) = self.lister.look(file.path.clone()) else { continue };
            if changed == Changed::Leave && now != file {
                tracing::debug!(file = %file.shown, "file is still being written and is left for the next run");
                continue;
            }
            match self.read(&now, sender) {
                Ok(Some(fates)) => self.read_to_end(now, fates),
                Ok(None) => return,
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => {
                    let reason =
                        format!("it cannot be read: {error}; check its permissions and that no program holds it");
                    trouble.get_or_insert_with(|| SourceError::new(file.shown.clone(), reason).because(error));
                }
            }
        }
        if let Some(error) = trouble {
            let _listened: bool = sender.send(Err(error));
        }
    }

    /// Remembers a file for moving, unless it was written to while it was read.
    fn read_to_end(&self, file: Found, fates: Fates) {
        if self.lister.config().move_files && self.lister.look(file.path.clone()).as_ref() == Some(&file) {
            self.settlements.lock().unwrap_or_else(PoisonError::into_inner).read(file, fates);
        }
    }

    /// Sends everything in a file and gives a place for the fate of each; nothing when nobody listens.
    fn read(&self, file: &Found, sender: &RecordSender) -> io::Result<Option<Fates>> {
        let config = self.lister.config();
        let reader = Utf8Reader::new(File::open(&file.path)?, config.encoding)?;
        // Nobody asks what became of the documents of a file that stays where it is.
        let mut fates = if config.move_files { Fates::kept() } else { Fates::counted() };
        let (mut problems, mut silent) = (0, 0_u64);
        for piece in Splitter::new(reader, name::is_lines(&file.path)) {
            let piece = piece?;
            let ends_the_reading = ends_the_reading(&piece);
            let mut item = item(piece, file, config.record_id);
            // Places differ by themselves.
            if let SourceItem::Record(record) = &mut item
                && config.record_id == RecordId::Document
            {
                let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
                seen.tell_apart(&mut record.reference.record_id);
            }
            if matches!(item, SourceItem::Problem(_)) && !ends_the_reading {
                problems += 1;
                if problems > PROBLEMS_MAX {
                    silent += 1;
                    fates.push_settled();
                    continue;
                }
            }
            fates.push();
            if !sender.send(Ok(item)) {
                return Ok(None);
            }
        }
        if silent > 0 {
            fates.push();
            if !sender.send(Ok(summary(silent, file, fates.count()))) {
                return Ok(None);
            }
        }
        Ok(Some(fates))
    }
}

/// Whether what follows in the file is not read any more, which is always worth a report.
fn ends_the_reading(piece: &Piece) -> bool {
    matches!(piece.content, Err(fault) if !matches!(fault, Fault::TooLarge | Fault::TooDeep))
}

/// One problem for all the entries that were not reported one by one. The place of its fate comes
/// after those of the entries.
fn summary(silent: u64, file: &Found, number: usize) -> SourceItem {
    let message = format!(
        "{silent} more entries are no documents, beside the {PROBLEMS_MAX} reported; the documents among them were read"
    );
    let finding = Finding::error("json.structure", "", message)
        .with_code("2140")
        .with_fix("Correct what is reported first: the other entries most often have the same fault.")
        .with_place(format!("{}, up to its end", file.shown));
    SourceItem::Problem(SourceProblem {
        reference: SourceRef {
            location: file.shown.clone(),
            position: format!("entry {number}, the end of the file"),
            // Without a number: it stays the same problem when the file grows.
            record_id: format!("{}#rest", file.shown),
        },
        label: format!("the rest of {}", file.shown),
        findings: vec![finding],
    })
}

/// A piece as a record, or as a problem with its place.
fn item(piece: Piece, file: &Found, by: RecordId) -> SourceItem {
    let Piece { number, line, column, content } = piece;
    let position = format!("{POSITION}{number}, line {line}, column {column}");
    let bytes = match content {
        Ok(bytes) => bytes,
        Err(fault) => {
            let (message, fix) = fault.explain();
            let finding = Finding::error("json.structure", "", message)
                .with_code("2140")
                .with_fix(fix)
                .with_place(format!("line {line}, column {column}"));
            return problem(finding, file, number, position);
        }
    };
    match element::text(bytes).and_then(|text| element::parse(&text, line, column)) {
        Ok((content, parsed)) => {
            let record_id = record_id(by, &parsed.read.invoice, file, number);
            let reference = SourceRef { location: file.shown.clone(), position, record_id };
            SourceItem::Record(SourceRecord { reference, content, context: Some(Arc::new(Kept::new(parsed))) })
        }
        Err(finding) => problem(*finding, file, number, position),
    }
}

fn problem(finding: Finding, file: &Found, number: u64, position: String) -> SourceItem {
    let place = match &finding.place {
        Some(place) => format!("{}, document {number}, {place}", file.shown),
        None => format!("{}, {position}", file.shown),
    };
    SourceItem::Problem(SourceProblem {
        reference: SourceRef { location: file.shown.clone(), position, record_id: place_id(file, number) },
        label: format!("document {number} of {}", file.shown),
        findings: vec![finding.with_place(place)],
    })
}

async fn on_thread<R: Send + 'static>(work: impl FnOnce() -> R + Send + 'static) -> Result<R, SourceError> {
    tokio::task::spawn_blocking(work).await.map_err(|error| {
        SourceError::new("source", "its worker stopped by a fault of its own; please report this").because(error)
    })
}

/// How many documents and how many problems bytes hold.
pub(crate) fn count_pieces(bytes: &[u8], lines: bool) -> (usize, usize) {
    let file = Found { path: "x.json".into(), shown: "x.json".to_owned(), size: 0, modified: None };
    let Ok(reader) = Utf8Reader::new(bytes, Encoding::Auto) else { return (0, 0) };
    Splitter::new(reader, lines).map_while(Result::ok).fold((0, 0), |(documents, problems), piece| {
        match item(piece, &file, RecordId::Position) {
            SourceItem::Record(_) => (documents + 1, problems),
            _ => (documents, problems + 1),
        }
    })
}

/// Makes the source of a configuration.
#[expect(clippy::unused_async, reason = "the registry awaits every build")]
pub(crate) async fn build(context: BuildContext, config: SourceConfig) -> Result<Arc<dyn InvoiceSource>, BuildError> {
    let wrong = |key: &str, reason: String| BuildError::new(format!("{}, key `{key}`", context.name), reason);
    if config.path.is_empty() {
        return Err(wrong("path", "is empty: name a folder, a file or a pattern".to_owned()));
    }
    if config.path.contains(['*', '?', '['])
        && let Err(error) = glob::Pattern::new(&config.path)
    {
        return Err(wrong("path", format!("found `{}`, which is no pattern: {error}", config.path)));
    }
    if config.settle_ms > SETTLE_MS_MAX {
        return Err(wrong("settle_ms", format!("found {}: write 0 to {SETTLE_MS_MAX}", config.settle_ms)));
    }
    if config.response_suffix.is_empty() {
        return Err(wrong("response_suffix", "is empty: response files would be read as input".to_owned()));
    }
    if config.trigger_suffix.as_ref().is_some_and(|suffix| suffix.is_empty() || suffix.contains(['/', '\\'])) {
        return Err(wrong("trigger_suffix", "write an ending such as `.done`, or leave it out".to_owned()));
    }
    Ok(Arc::new(JsonFileSource::new(&context, config)))
}
