//! A source of files: from a folder to a stream of records, and from news of them to moved files.

use std::any::Any;
use std::collections::HashMap;
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use einvoice_core::clock::SharedClock;
use einvoice_core::finding::Finding;
use einvoice_core::source::{
    Acknowledgement, Arrival, RecordSender, RecordStream, SourceError, SourceItem, SourceProblem, SourceRecord,
    SourceRef, stream_from_blocking,
};
use futures_util::{StreamExt, stream};

use crate::files::{Found, Lister};
use crate::settled::{self, Fates, POSITION, Settlements};

/// So many entries of a file that are no documents are reported one by one, the others by their
/// number: nobody reads more, and what fills a file with faults is most often one cause.
const PROBLEMS_MAX: u64 = 100;

/// How a file of one kind is read.
pub trait Format: fmt::Debug + Send + Sync + 'static {
    /// Reads a file to its end and hands over its records and faults in their order. Reading stops when
    /// [`Entries`] says that nobody listens any more.
    ///
    /// # Errors
    /// When the file cannot be read. What is wrong inside it is a problem, not an error.
    fn read(&self, file: &Found, entries: &mut Entries<'_>) -> io::Result<()>;
}

/// Takes the entries of one file.
#[derive(Debug)]
pub struct Entries<'s> {
    file: &'s Found,
    work: Option<&'s Path>,
    sender: &'s RecordSender,
    seen: &'s Mutex<Seen>,
    fates: Fates,
    problems: u64,
    silent: u64,
    deaf: bool,
}

impl Entries<'_> {
    /// The working folder that all workers share, for what a source remembers from one run to the next; nothing where
    /// files are read as they lie.
    #[must_use]
    pub const fn work_folder(&self) -> Option<&Path> {
        self.work
    }

    /// The number of the entry that comes next, from 1.
    #[must_use]
    pub fn next_number(&self) -> usize {
        self.fates.count() + 1
    }

    /// Hands over a record. `place` is where it stands in the file, for a person: `line 10, column 2`. A second record
    /// under one id in one reading of the folder (of the file, where each file is answered) is told apart by a number: it
    /// must never be taken for a correction of the first, which is what the same id says.
    ///
    /// False once nobody listens any more, when the reader should stop.
    pub fn record(
        &mut self,
        place: &str,
        mut record_id: String,
        content: String,
        kept: Option<Arc<dyn Any + Send + Sync>>,
    ) -> bool {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).tell_apart(&mut record_id);
        self.positioned(place, record_id, content, kept)
    }

    /// As [`record`](Self::record), for ids that are places and differ by themselves: they are not remembered, which
    /// takes no memory however many there are.
    pub fn positioned(
        &mut self,
        place: &str,
        record_id: String,
        content: String,
        kept: Option<Arc<dyn Any + Send + Sync>>,
    ) -> bool {
        let reference = self.reference(place, record_id);
        self.send(SourceItem::Record(SourceRecord { reference, content, context: kept }))
    }

    /// Hands over an entry that is no document, with what is wrong. The first hundred of a file are reported one by one.
    ///
    /// False once nobody listens any more.
    pub fn problem(&mut self, place: &str, label: String, findings: Vec<Finding>) -> bool {
        self.problems += 1;
        if self.problems > PROBLEMS_MAX {
            self.silent += 1;
            self.fates.push_settled();
            return !self.deaf;
        }
        self.fault(place, label, findings)
    }

    /// Hands over what ends the reading of the file, which is always reported.
    ///
    /// False once nobody listens any more.
    pub fn fault(&mut self, place: &str, label: String, findings: Vec<Finding>) -> bool {
        let record_id = format!("{}#{}", self.file.shown, self.next_number());
        let reference = self.reference(place, record_id);
        self.send(SourceItem::Problem(SourceProblem { reference, label, findings }))
    }

    fn reference(&self, place: &str, record_id: String) -> SourceRef {
        let number = self.next_number();
        let position =
            if place.is_empty() { format!("{POSITION}{number}") } else { format!("{POSITION}{number}, {place}") };
        SourceRef { location: self.file.shown.clone(), position, record_id }
    }

    fn send(&mut self, item: SourceItem) -> bool {
        self.fates.push();
        self.deaf |= !self.sender.send(Ok(item));
        !self.deaf
    }

    /// One problem for all the entries that were not reported one by one; its fate comes after those of the entries.
    fn end(mut self) -> Option<Fates> {
        if self.silent > 0 {
            let message = format!(
                "{} more entries are no documents, beside the {PROBLEMS_MAX} reported; the documents among them were read",
                self.silent
            );
            let finding = Finding::error("file.structure", "", message)
                .with_code("2140")
                .with_fix("Correct what is reported first: the other entries most often have the same fault.")
                .with_place(format!("{}, up to its end", self.file.shown));
            let reference = SourceRef {
                location: self.file.shown.clone(),
                position: format!("entry {}, the end of the file", self.next_number()),
                // Without a number: it stays the same problem when the file grows.
                record_id: format!("{}#rest", self.file.shown),
            };
            let label = format!("the rest of {}", self.file.shown);
            self.send(SourceItem::Problem(SourceProblem { reference, label, findings: vec![finding] }));
        }
        (!self.deaf).then_some(self.fates)
    }
}

/// How often each record id was met in one reading of the folder, by the hash of it: a folder may
/// hold a million documents.
#[derive(Debug, Default)]
struct Seen(HashMap<u64, u32>);

impl Seen {
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

/// What to do with a file that changed since it was listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Changed {
    /// It is read where it is settled again.
    Read,
    Leave,
}

/// The files of a folder as a source: what [`InvoiceSource`](einvoice_core::source::InvoiceSource) asks for beside
/// mapping.
#[derive(Debug)]
pub struct FileDrop<F> {
    reader: FileReader<F>,
}

impl<F: Format> FileDrop<F> {
    /// A source of the files that `lister` finds, read as `format`.
    #[must_use]
    pub fn new(lister: Lister, format: F, clock: SharedClock) -> Self {
        let reader = FileReader {
            lister: Arc::new(lister),
            format: Arc::new(format),
            settlements: Arc::default(),
            seen: Arc::default(),
            clock,
        };
        Self { reader }
    }

    /// Whether settled files are moved.
    #[must_use]
    pub fn moves_files(&self) -> bool {
        self.reader.lister.settings().move_files
    }

    /// The records of all files that are complete; for those that were just written it waits once, as long as settling
    /// takes.
    ///
    /// # Errors
    /// When the folder cannot be listed. A file that cannot be read is an error at the end of the stream.
    ///
    /// # Cancellation
    /// As [`InvoiceSource::fetch`](einvoice_core::source::InvoiceSource::fetch).
    pub async fn fetch(&self) -> Result<RecordStream, SourceError> {
        let lister = Arc::clone(&self.reader.lister);
        let files = on_thread(move || lister.list()).await??;
        let now = self.reader.clock.now();
        let (settled, fresh): (Vec<_>, Vec<_>) =
            files.into_iter().partition(|file| self.reader.lister.settled(file, now));
        let reader = FileReader { seen: Arc::default(), ..self.reader.clone() };
        let first = reader.clone().stream(settled, Changed::Read);
        if fresh.is_empty() {
            return Ok(first);
        }
        // A run that comes right after a program wrote its files should not miss them.
        let second = stream::once(async move {
            reader.clock.sleep(reader.lister.settle_time()).await;
            reader.stream(fresh, Changed::Leave)
        });
        Ok(Box::pin(first.chain(second.flatten())))
    }

    /// Takes news of records in and moves the files all of whose records are settled.
    ///
    /// # Errors
    /// When a file could not be moved; the others were.
    pub async fn acknowledge(&self, news: &[Acknowledgement]) -> Result<(), SourceError> {
        if !self.moves_files() {
            return Ok(());
        }
        let finished = {
            let mut settlements = self.reader.settlements.lock().unwrap_or_else(PoisonError::into_inner);
            settlements.hear(news);
            settlements.finished()
        };
        let (lister, settlements) = (Arc::clone(&self.reader.lister), Arc::clone(&self.reader.settlements));
        let now = self.reader.clock.now();
        on_thread(move || {
            // One file that cannot be moved does not keep the others here.
            let mut result = Ok(());
            for file in &finished {
                match settled::move_away(&lister, file, now) {
                    Ok(()) => settlements.lock().unwrap_or_else(PoisonError::into_inner).forget(&file.file.shown),
                    Err(error) => result = result.and(Err(error)),
                }
            }
            result
        })
        .await?
    }
}

/// Reads files on a thread of its own.
#[derive(Debug)]
struct FileReader<F> {
    lister: Arc<Lister>,
    format: Arc<F>,
    settlements: Arc<Mutex<Settlements>>,
    seen: Arc<Mutex<Seen>>,
    clock: SharedClock,
}

impl<F> Clone for FileReader<F> {
    fn clone(&self) -> Self {
        Self {
            lister: Arc::clone(&self.lister),
            format: Arc::clone(&self.format),
            settlements: Arc::clone(&self.settlements),
            seen: Arc::clone(&self.seen),
            clock: Arc::clone(&self.clock),
        }
    }
}

impl<F: Format> FileReader<F> {
    fn stream(self, files: Vec<Found>, changed: Changed) -> RecordStream {
        stream_from_blocking(move |sender| self.read_all(files, changed, sender))
    }

    /// Reads one file after the other. A file that cannot be read is reported after the others.
    fn read_all(&self, files: Vec<Found>, changed: Changed, sender: &RecordSender) {
        let mut trouble = None;
        for file in files {
            let Some(now) = self.lister.look(file.path.clone()) else { continue };
            let is_growing = || changed == Changed::Leave || !self.lister.settled(&now, self.clock.now());
            if now != file && is_growing() {
                tracing::debug!(file = %file.shown, "file is still being written and is left for the next run");
                continue;
            }
            let now = match self.lister.claim(now) {
                Ok(Some(claimed)) => claimed,
                Ok(None) => continue,
                Err(error) => {
                    trouble.get_or_insert(error);
                    continue;
                }
            };
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

    /// Sends everything in a file and gives a place for the fate of each; nothing when nobody listens.
    fn read(&self, file: &Found, sender: &RecordSender) -> io::Result<Option<Fates>> {
        let settings = self.lister.settings();
        if settings.answer_arrivals && !sender.send(Ok(SourceItem::Arrival(arrival(file, settings.move_files)))) {
            return Ok(None);
        }
        // Nobody asks what became of the documents of a file that stays where it is.
        let fates = if settings.move_files { Fates::kept() } else { Fates::counted() };
        let work = self.lister.work_folder();
        // Where each file is answered, one record in two files is one record that arrived twice.
        let of_file = Mutex::default();
        let seen = if settings.answer_arrivals { &of_file } else { &*self.seen };
        let mut entries = Entries { file, work, sender, seen, fates, problems: 0, silent: 0, deaf: false };
        self.format.read(file, &mut entries)?;
        Ok(entries.end())
    }

    /// Remembers a file for moving, unless it was written to while it was read.
    fn read_to_end(&self, file: Found, fates: Fates) {
        if self.lister.settings().move_files && self.lister.look(file.path.clone()).as_ref() == Some(&file) {
            self.settlements.lock().unwrap_or_else(PoisonError::into_inner).read(file, fates);
        }
    }
}

/// A file that stays where it lies comes once, however often it is written. One that is moved once it is settled comes each
/// time it is written: under another name, or under the same one later.
fn arrival(file: &Found, is_moved: bool) -> Arrival {
    match file.modified.filter(|_| is_moved) {
        Some(modified) => Arrival::new(format!("{}, written {modified}", file.shown)),
        None => Arrival::new(&file.shown),
    }
}

/// Does blocking work on a thread for such.
///
/// # Errors
/// When the work stopped by a fault of its own.
pub async fn on_thread<R: Send + 'static>(work: impl FnOnce() -> R + Send + 'static) -> Result<R, SourceError> {
    tokio::task::spawn_blocking(work).await.map_err(|error| {
        SourceError::new("source", "its worker stopped by a fault of its own; please report this").because(error)
    })
}
