//! The rows of a file, one after the other.

use std::cell::Cell;
use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};
use std::io::{self, Read};
use std::rc::Rc;

use einvoice_core::finding::Finding;

use super::input::{Limited, ROW_BYTES_MAX};
use super::layout::{Broken, Layout, Row};
use crate::config::CsvConfig;

/// A file that is read row by row.
pub(super) struct Table<R> {
    reader: csv::Reader<Limited<R>>,
    left: Rc<Cell<usize>>,
    pub(super) layout: Layout,
    record: csv::ByteRecord,
}

impl<R: Read> Table<R> {
    /// Reads as far as the first row.
    pub(super) fn open(input: R, separator: u8, config: &CsvConfig) -> io::Result<Result<Self, Finding>> {
        let left = Rc::new(Cell::new(ROW_BYTES_MAX));
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(separator)
            .flexible(true)
            .has_headers(false)
            .buffer_capacity(64 * 1024)
            .from_reader(Limited::new(input, Rc::clone(&left), separator));
        let layout = Layout::new(config, || {
            let mut first = csv::ByteRecord::new();
            reader.read_byte_record(&mut first)?;
            Ok(first.iter().map(|cell| String::from_utf8_lossy(cell).into_owned()).collect())
        });
        match layout {
            Err(error) => not_read(&error),
            Ok(layout) => {
                // What the marks of the headings are like says nothing of the first row.
                let end = reader.position().byte();
                reader.get_mut().quotes.had_stray(end);
                Ok(layout.map(|layout| Self { reader, left, layout, record: csv::ByteRecord::new() }))
            }
        }
    }

    /// The next row; nothing at the end.
    pub(super) fn row(&mut self) -> io::Result<Option<Result<Row, Box<Broken>>>> {
        loop {
            self.left.set(ROW_BYTES_MAX);
            match self.reader.read_byte_record(&mut self.record) {
                Ok(true) => {}
                Ok(false) => return Ok(None),
                Err(error) => {
                    let line = error.position().map_or_else(|| self.reader.position().line(), csv::Position::line);
                    return match error.into_kind() {
                        csv::ErrorKind::Io(error) if error.kind() != io::ErrorKind::InvalidData => Err(error),
                        _ => {
                            let finding = Finding::error(
                                "csv.structure",
                                "",
                                "a row is longer than 1 MB: a quote is most probably not closed",
                            )
                            .with_fix("Double the quotes inside values, and close each value with one.");
                            Ok(Some(Err(Box::new(Broken { line, finding, key: None, ends: true }))))
                        }
                    };
                }
            }
            let quotes = self.quotes();
            let is_blank = self.record.iter().all(|cell| cell.iter().all(u8::is_ascii_whitespace));
            if !is_blank {
                // Blank lines before a row are counted to it; its own line is told by where it ends.
                let begin = self.record.position().map_or(1, csv::Position::line);
                let inside = self.record.iter().map(|cell| memchr::memchr_iter(b'\n', cell).count()).sum::<usize>() + 1;
                let end = self.reader.position().line();
                let line = begin.max(end.saturating_sub(u64::try_from(inside).unwrap_or_default()));
                return Ok(Some(match quotes {
                    Ok(()) => self.layout.row(&self.record, line),
                    Err(message) => Err(Box::new(torn_row(line, &message))),
                }));
            }
        }
    }

    /// Whether the quotation marks of the row are such as belong to it. One that is not closed is ended by the next, which
    /// begins a value of a later row: the columns come out right, with the values of two rows in them.
    fn quotes(&mut self) -> Result<(), String> {
        let end = self.reader.position().byte();
        let quotes = &mut self.reader.get_mut().quotes;
        let breaks: usize = self.record.iter().map(|cell| memchr::memchr_iter(b'\n', cell).count()).sum();
        let (had_stray, is_open) = (quotes.had_stray(end), quotes.is_open_at(end));
        if is_open {
            return Err("the rest of the file was taken as one row: a quotation mark is not closed".to_owned());
        }
        if had_stray && breaks > 0 {
            let lines = breaks + 1;
            return Err(format!("{lines} lines were taken as one row: a quotation mark is not closed, or not doubled"));
        }
        Ok(())
    }

    /// Documents that stand apart from rows which are theirs too, or may be.
    pub(super) fn torn(mut self) -> io::Result<HashMap<u64, Torn>> {
        let mut places = Places::default();
        if self.layout.kind.is_some() {
            return Ok(places.torn);
        }
        let mut last: Option<Vec<String>> = None;
        while let Some(row) = self.row()? {
            let key = match row {
                Ok(row) => row.key,
                Err(broken) if broken.ends => break,
                Err(broken) => match broken.key {
                    Some(key) => key,
                    None => continue,
                },
            };
            if last.as_ref().is_none_or(|above| !self.layout.goes_on(above, &key)) {
                places.document(&self.layout, &key);
                last = Some(key);
            }
        }
        Ok(places.torn)
    }
}

/// Why a document cannot be told from another, or not be known as whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Torn {
    /// Its rows stand at several places.
    Apart,
    /// Rows of its number leave out what tells documents of one number apart, or its own do.
    Unclear,
}

/// The documents that were met, by hashes: a file may have a million.
#[derive(Debug, Default)]
struct Places {
    seen: HashSet<u64>,
    /// Those of one number, each with what it leaves blank. Most numbers have one.
    first: HashMap<u64, (u64, u64)>,
    further: HashMap<u64, Further>,
    torn: HashMap<u64, Torn>,
}

/// The documents of a number after its first one.
#[derive(Debug, Default)]
struct Further {
    /// Those that may turn out to be unclear.
    documents: Vec<u64>,
    is_unclear: bool,
}

impl Places {
    fn document(&mut self, layout: &Layout, key: &[String]) {
        let hasher = hasher();
        let own = hasher.hash_one(key);
        if !self.seen.insert(own) {
            self.torn.entry(own).or_insert(Torn::Apart);
            return;
        }
        let blanks = hasher.hash_one(key.iter().map(String::is_empty).collect::<Vec<bool>>());
        for number in layout.numbers(key) {
            let number = hasher.hash_one(number);
            let Some(first) = self.first.get(&number).copied() else {
                self.first.insert(number, (own, blanks));
                continue;
            };
            let further = self.further.entry(number).or_default();
            further.documents.push(own);
            if further.is_unclear || first.1 != blanks {
                // From here on every document of the number is unclear, so that each is marked once.
                further.is_unclear = true;
                for unclear in further.documents.drain(..).chain([first.0]) {
                    self.torn.entry(unclear).or_insert(Torn::Unclear);
                }
            }
        }
    }
}

/// A row whose values are those of several. Which documents they belong to, nobody can tell.
fn torn_row(line: u64, message: &str) -> Broken {
    let finding = Finding::error("csv.row", "", message).with_fix(
        "Close the quotation mark of that row, or double it where it belongs to the text: \"GI PIPE 2\"\"\".",
    );
    Broken { line, finding, key: None, ends: false }
}

/// One for both readings of a file.
pub(super) fn hasher() -> RandomState {
    thread_local!(static STATE: RandomState = RandomState::new());
    STATE.with(Clone::clone)
}

fn not_read<T>(error: &csv::Error) -> io::Result<Result<T, Finding>> {
    if let csv::ErrorKind::Io(error) = error.kind()
        && error.kind() != io::ErrorKind::InvalidData
    {
        return Err(io::Error::new(error.kind(), error.to_string()));
    }
    Ok(Err(Finding::error("csv.structure", "", "the first line is longer than 1 MB")
        .with_fix("Check that this is a CSV file.")))
}
