//! Reading exported files: which files, in which order, in two passes.
//!
//! The first pass collects masters, wherever in the file they stand; the second hands over the
//! vouchers. Memory holds the masters and one voucher. Nothing here knows about files being
//! delivered over HTTP one day: [`read_vouchers`] takes any opener of a stream.

use std::any::Any;
use std::collections::{BTreeMap, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, Read};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use einvoice_core::finding::Finding;
use einvoice_core::source::{RecordSender, SourceItem, SourceProblem, SourceRecord, SourceRef};
use jiff::civil::Date;

use crate::latest::{Latest, change_of};
use crate::mapping::Beside;
use crate::masters::Masters;
use crate::objects::split;
use crate::xml::{Element, Fault, Found, Limits, Summary, Wanted};
use einvoice_core::spelling;

/// Longest single text in an export; the signed QR text is about 1 KB.
const TEXT_BYTES_MAX: usize = 1024 * 1024;

/// Limits for reading, from the configuration.
pub(crate) const fn limits(object_bytes_max: usize) -> Limits {
    Limits { text_bytes_max: TEXT_BYTES_MAX, object_bytes_max }
}

/// The files that patterns name, sorted, each once.
pub(crate) fn files(directory: &Path, patterns: &[String]) -> Result<Vec<PathBuf>, String> {
    let mut found = Vec::new();
    for pattern in patterns {
        // The folder is a path and not a pattern, even where its name holds brackets.
        let folder = glob::Pattern::escape(&directory.to_string_lossy());
        let whole = if Path::new(pattern).is_absolute() { pattern.clone() } else { format!("{folder}/{pattern}") };
        let matches = glob::glob(&whole).map_err(|error| format!("`{pattern}` is no pattern for files: {error}"))?;
        for entry in matches {
            let path = entry.map_err(|error| format!("{}: {}", error.path().display(), error.error()))?;
            if path.is_file() {
                found.push(path);
            }
        }
    }
    found.sort();
    found.dedup();
    Ok(found)
}

/// The folder that a pattern stands in, where it is named without wildcards and is not there.
pub(crate) fn missing_folder(directory: &Path, pattern: &str) -> Option<PathBuf> {
    let mut parts: Vec<_> = Path::new(pattern).components().collect();
    parts.pop();
    let plain = |part: &std::path::Component<'_>| !part.as_os_str().to_string_lossy().contains(['*', '?', '[']);
    let folder: PathBuf = parts.into_iter().take_while(plain).collect();
    let folder = directory.join(folder);
    (!folder.is_dir()).then_some(folder)
}

/// How a path is shown: from the configuration's folder where it is below it, with forward slashes.
pub(crate) fn shown(directory: &Path, path: &Path) -> String {
    path.strip_prefix(directory).unwrap_or(path).to_string_lossy().replace('\\', "/")
}

/// Adds the masters of a stream. A fault is for the pass over the vouchers to report, except where
/// there is none: `faulty` is told of it.
pub(crate) fn read_masters<R: Read>(
    input: R,
    limits: Limits,
    masters: &mut Masters,
    faulty: &mut dyn FnMut(Fault) -> ControlFlow<()>,
) -> Result<Summary, Fault> {
    split(input, Wanted::Masters, limits, &mut |found| {
        match found {
            Found::Object { text, .. } => {
                // An unreadable master is missed by whoever needs it, with its name.
                if let Ok(element) = Element::parse(text) {
                    masters.add(&element);
                }
            }
            Found::Company(name) => masters.current_company = Some(name.to_owned()),
            Found::Fault(fault) => return faulty(fault),
            Found::ErrorText { text, place } => {
                let reason = format!("the file is an error that Tally answered with, not an export: {text}");
                return faulty(Fault::at(place, "tally.error_answer", reason));
            }
            Found::Oversize { .. } => {}
        }
        ControlFlow::Continue(())
    })
}

/// What became of reading one file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FileEnd {
    /// All of it was read.
    Whole {
        /// The highest number of change in it.
        latest: Option<u64>,
    },
    /// Something of it could not be read, and was reported.
    Faulty,
    /// Nobody listens any more.
    Stopped,
}

/// Sends the vouchers and problems of one file.
pub(crate) fn read_vouchers<R: Read>(
    open: &dyn Fn() -> io::Result<R>,
    location: &str,
    limits: Limits,
    shared: &Arc<Masters>,
    read_on: Date,
    latest: &Latest,
    sender: &RecordSender,
) -> FileEnd {
    let mut masters = Masters::before(Arc::clone(shared));
    let first = match open() {
        Ok(input) => read_masters(input, limits, &mut masters, &mut |_| ControlFlow::Continue(())),
        Err(error) => return unreadable(location, &error, sender),
    };
    let input = match open() {
        Ok(input) => input,
        Err(error) => return unreadable(location, &error, sender),
    };
    let mut reading = Reading {
        location,
        beside: Arc::new(Beside { masters, read_on: Some(read_on) }),
        latest,
        sender,
        seen: HashMap::new(),
        problems: HashMap::new(),
        vouchers: 0,
        end: FileEnd::Whole { latest: None },
    };
    let second = split(input, Wanted::Vouchers, limits, &mut |found| reading.take(found));
    if reading.end == FileEnd::Stopped {
        return FileEnd::Stopped;
    }
    match second {
        Err(fault) => _ = reading.fault(fault),
        Ok(summary) => {
            // The file was another one, or could not be read, in the first pass only. What ends the
            // first pass after a fault is a consequence of it.
            if let Err(fault) = first {
                if matches!(reading.end, FileEnd::Whole { .. }) {
                    _ = reading.fault(fault);
                }
            } else if !summary.elements {
                let what = if is_empty(open) { "the file is empty" } else { "the file holds neither XML nor JSON" };
                _ = reading.problem(
                    "1, byte 0",
                    Finding::error("tally.not_xml", "", what).with_fix("Export from Tally in XML format."),
                );
            } else if !summary.known_root {
                _ = reading.problem(
                    "1, byte 0",
                    Finding::error("tally.not_an_export", "", "the file is nothing that Tally writes")
                        .with_fix("Export from Tally in XML format, or leave the file out of `path`."),
                );
            }
        }
    }
    reading.end
}

fn is_empty<R: Read>(open: &dyn Fn() -> io::Result<R>) -> bool {
    open().and_then(|mut input| input.read(&mut [0])).is_ok_and(|read| read == 0)
}

fn unreadable(location: &str, error: &io::Error, sender: &RecordSender) -> FileEnd {
    let finding =
        Finding::error("tally.unreadable", "", format!("the file could not be read: {error}")).with_place(location);
    let reference =
        SourceRef { location: location.to_owned(), position: String::new(), record_id: location.to_owned() };
    let problem = SourceProblem { reference, label: location.to_owned(), findings: vec![finding] };
    if sender.send(Ok(SourceItem::Problem(problem))) { FileEnd::Faulty } else { FileEnd::Stopped }
}

struct Reading<'r> {
    location: &'r str,
    beside: Arc<Beside>,
    latest: &'r Latest,
    sender: &'r RecordSender,
    /// How often each identity was met in this file, by the hash of it.
    seen: HashMap<u64, Seen>,
    /// How many problems have each name.
    problems: HashMap<String, u32>,
    /// Vouchers sent so far.
    vouchers: u64,
    end: FileEnd,
}

/// What is remembered of an identity: not its text, since a file may hold a million.
struct Seen {
    times: u32,
    /// Hash of the first voucher.
    content: u64,
}

impl Reading<'_> {
    fn take(&mut self, found: Found<'_>) -> ControlFlow<()> {
        match found {
            Found::Object { text, place, number } => {
                let older = self.latest.after(text);
                // What is passed over takes no identity from its later state.
                let record_id = if older.is_some() { identity_of(text).0 } else { self.identity(text) };
                let reference = SourceRef {
                    location: self.location.to_owned(),
                    position: format!("voucher {number}, line {}, byte {}", place.line, place.byte),
                    record_id,
                };
                let beside: Arc<dyn Any + Send + Sync> = match older {
                    Some(older) => Arc::new(older),
                    None => Arc::<Beside>::clone(&self.beside),
                };
                self.vouchers += 1;
                if let FileEnd::Whole { latest } = &mut self.end {
                    *latest = change_of(text).max(*latest);
                }
                let content = text.to_owned();
                self.send(SourceItem::Record(SourceRecord { reference, content, context: Some(beside) }))
            }
            Found::Oversize { place, number } => {
                let finding = Finding::error("tally.voucher_too_large", "", format!("voucher {number} is larger than `voucher_bytes_max` and was passed over"))
                    .with_fix("Raise `voucher_bytes_max` in the configuration of the source, if the voucher is meant to be so large.");
                self.problem(&format!("{}, byte {}", place.line, place.byte), finding)
            }
            Found::ErrorText { text, place } => {
                let finding = Finding::error(
                    "tally.error_answer",
                    "",
                    "the file is an error that Tally answered with, not an export",
                )
                .with_found(text)
                .with_fix("Repeat the export; the text says what Tally missed.");
                self.problem(&format!("{}, byte {}", place.line, place.byte), finding)
            }
            Found::Fault(fault) => self.fault(fault),
            Found::Company(_) => ControlFlow::Continue(()),
        }
    }

    /// Another voucher under an identity that the file used already is told apart by a number: it must
    /// never be taken for a correction of the first.
    fn identity(&mut self, text: &str) -> String {
        let (identity, is_stated) = identity_of(text);
        let content = hash(text);
        let seen = self.seen.entry(hash(&identity)).or_insert(Seen { times: 0, content });
        // One GUID twice with one content is one voucher that the file repeats.
        if is_stated && seen.times > 0 && seen.content == content {
            return identity;
        }
        seen.times += 1;
        if seen.times == 1 { identity } else { format!("{identity}#{}", seen.times) }
    }

    fn fault(&mut self, fault: Fault) -> ControlFlow<()> {
        let position = format!("{}, byte {}", fault.place.line, fault.place.byte);
        let ends_the_file = fault.resumed.is_none();
        let (label, finding) = explain(fault, self.vouchers > 0);
        let name = label.as_ref().filter(|_| !ends_the_file).map(|label| format!("{}, {label}", self.location));
        self.labelled(&position, name, label, finding)
    }

    fn problem(&mut self, position: &str, finding: Finding) -> ControlFlow<()> {
        self.labelled(position, None, None, finding)
    }

    /// A problem is called like its voucher, else like its file, and not by its place: in a file that was exported again
    /// or has grown, the same problem stands elsewhere.
    fn labelled(
        &mut self,
        position: &str,
        name: Option<String>,
        label: Option<String>,
        finding: Finding,
    ) -> ControlFlow<()> {
        let mut record_id = name.unwrap_or_else(|| self.location.to_owned());
        let times = self.problems.entry(record_id.clone()).or_default();
        *times += 1;
        if *times > 1 {
            record_id = format!("{record_id}#{times}");
        }
        let reference =
            SourceRef { location: self.location.to_owned(), record_id, position: format!("line {position}") };
        self.end = FileEnd::Faulty;
        let finding = finding.with_place(reference.to_string());
        let label = label.unwrap_or_else(|| self.location.to_owned());
        self.send(SourceItem::Problem(SourceProblem { reference, label, findings: vec![finding] }))
    }

    fn send(&mut self, item: SourceItem) -> ControlFlow<()> {
        if self.sender.send(Ok(item)) {
            return ControlFlow::Continue(());
        }
        self.end = FileEnd::Stopped;
        ControlFlow::Break(())
    }
}

/// A fault in words: what a person may call the voucher it happened in, and the finding.
pub(crate) fn explain(fault: Fault, any_before: bool) -> (Option<String>, Finding) {
    let mut label = None;
    let mut message = fault.reason;
    if let Some(inside) = fault.inside {
        let what = match inside.unfinished {
            Some((text, number)) => {
                let kind = text_of(&text, "VOUCHERTYPENAME").unwrap_or_else(|| "voucher".to_owned());
                label = text_of(&text, "VOUCHERNUMBER").map(|found| format!("{kind} {found}"));
                label.clone().unwrap_or_else(|| format!("voucher {number}"))
            }
            None if inside.tag == "VOUCHER" => "a voucher".to_owned(),
            None => format!("a {} master", inside.tag),
        };
        message = format!("{message}; it happens inside {what}, which begins in line {}", inside.begins.line);
    }
    let fix = if let Some(place) = fault.resumed {
        message = format!("{message}; reading went on at line {}, byte {}", place.line, place.byte);
        "Export again from Tally, or correct the file at this place. What stands before and after it was read."
    } else {
        message = format!("{message}; nothing after it in this file was read");
        if any_before {
            "Export again from Tally. Vouchers before this place were read."
        } else {
            "Export again from Tally."
        }
    };
    (label, Finding::error(fault.rule, "", message).with_fix(fix))
}

/// What identifies a voucher: its GUID; else what identifies it to people, which survives a move to
/// another file. Also whether it states an identity of its own.
pub(crate) fn identity_of(text: &str) -> (String, bool) {
    let head = text.get(..text.find('>').unwrap_or(0)).unwrap_or_default();
    if let Some(stated) = text_of(text, "GUID").or_else(|| attribute_of(head, "REMOTEID")) {
        return (stated, true);
    }
    let kind = text_of(text, "VOUCHERTYPENAME").unwrap_or_default();
    let number = text_of(text, "VOUCHERNUMBER").unwrap_or_default();
    let date = text_of(text, "DATE").unwrap_or_default();
    (format!("{}/{number}/{date}", spelling::fold(&kind)), false)
}

/// A hash of a text, the same as long as the program runs.
pub(crate) fn hash(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

/// The text of the first element of a name. The voucher's own fields stand before its lists, and
/// this is asked about names that lists do not repeat before them.
pub(crate) fn text_of(xml: &str, name: &str) -> Option<String> {
    let open = format!("<{name}");
    // Fields of a collection carry a type: `<GUID TYPE="String">`.
    let tag = |at: &usize| xml.as_bytes().get(at + open.len()).is_some_and(|next| matches!(next, b'>' | b' '));
    let start = memchr::memmem::find_iter(xml.as_bytes(), open.as_bytes()).find(tag)? + open.len();
    let rest = xml.get(start..)?;
    let rest = rest.get(rest.find('>')? + 1..)?;
    let text = rest.get(..rest.find('<')?)?.trim();
    let text = quick_xml::escape::unescape(text).map_or_else(|_| text.to_owned(), std::borrow::Cow::into_owned);
    (!text.is_empty()).then_some(text)
}

fn attribute_of(head: &str, name: &str) -> Option<String> {
    let rest = head.split_once(&format!(" {name}=\""))?.1;
    let value = rest.get(..rest.find('"')?)?.trim();
    (!value.is_empty()).then(|| value.to_owned())
}

/// A stable number for a text, to notice that settings changed (FNV-1a, 64 bits).
pub(crate) fn fingerprint(parts: &BTreeMap<String, String>) -> String {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    for (name, value) in parts {
        for byte in name.bytes().chain([0]).chain(value.bytes()).chain([0]) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
    format!("{hash:016x}")
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use einvoice_core::source::stream_from_blocking;
    use einvoice_testkit::usage::Usage;
    use futures_util::StreamExt;

    use super::*;

    const VOUCHERS: u64 = 1_100;
    const NARRATION_BYTES: usize = 100_000;
    /// The 64 vouchers that a stream may be ahead, one more on either side, and chunks of the reader.
    const AHEAD_BYTES_MAX: u64 = 66 * 101_000 + 256 * 1024;
    const MEMORY_KIB_MAX: u64 = 90_000;

    /// A day book that is made while it is read, and counts what was taken of it.
    struct DayBook {
        piece: Vec<u8>,
        given: usize,
        next: u64,
        taken: Arc<AtomicU64>,
    }

    impl DayBook {
        fn new(taken: &Arc<AtomicU64>) -> Self {
            taken.store(0, Ordering::Relaxed);
            let piece = b"<ENVELOPE><BODY><IMPORTDATA><REQUESTDATA>\n".to_vec();
            Self { piece, given: 0, next: 1, taken: Arc::clone(taken) }
        }
    }

    impl Read for DayBook {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            if self.given == self.piece.len() {
                self.given = 0;
                self.piece = match self.next {
                    number @ 1..=VOUCHERS => format!(
                        "<TALLYMESSAGE><VOUCHER><VOUCHERNUMBER>{number}</VOUCHERNUMBER><NARRATION>{}</NARRATION></VOUCHER></TALLYMESSAGE>\n",
                        "n".repeat(NARRATION_BYTES)
                    )
                    .into_bytes(),
                    number if number == VOUCHERS + 1 => b"</REQUESTDATA></IMPORTDATA></BODY></ENVELOPE>".to_vec(),
                    _ => Vec::new(),
                };
                self.next += 1;
            }
            let read = self.piece.get(self.given..).unwrap_or_default().read(into)?;
            self.given += read;
            self.taken.fetch_add(u64::try_from(read).unwrap(), Ordering::Relaxed);
            Ok(read)
        }
    }

    /// Aim: nothing of a file is kept that was handed over. Method: a file larger than all memory that
    /// is allowed is made on the way; its reader is watched from both ends.
    #[tokio::test]
    async fn a_day_book_of_more_than_100_mb_is_read_with_the_memory_of_one_voucher() {
        let taken = Arc::new(AtomicU64::new(0));
        let (watched, made) = (Arc::clone(&taken), Arc::new(AtomicU64::new(0)));
        let total = Arc::clone(&made);
        let mut stream = stream_from_blocking(move |sender| {
            let open = || Ok(DayBook::new(&watched));
            let end =
                read_vouchers(&open, "a.xml", limits(1 << 20), &Arc::default(), Date::MIN, &Latest::default(), sender);
            assert_eq!(end, FileEnd::Whole { latest: None });
            total.store(watched.load(Ordering::Relaxed), Ordering::Relaxed);
        });
        let mut vouchers = 0;
        while let Some(item) = stream.next().await {
            let SourceItem::Record(record) = item.unwrap() else { panic!("a problem") };
            vouchers += 1;
            assert!(record.reference.position.starts_with(&format!("voucher {vouchers}, line {}, ", vouchers + 1)));
            let byte: u64 = record.reference.position.rsplit(' ').next().unwrap().parse().unwrap();
            drop(record);
            assert!(taken.load(Ordering::Relaxed) <= byte + AHEAD_BYTES_MAX);
        }
        assert_eq!(vouchers, VOUCHERS);
        assert!(made.load(Ordering::Relaxed) > 100_000_000);
        match Usage::now() {
            Some(usage) => assert!(usage.peak_kib < MEMORY_KIB_MAX, "{usage:?}"),
            None => eprintln!("skipped: this system does not tell the memory of a process"),
        }
    }
}
