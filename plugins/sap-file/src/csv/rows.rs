//! Rows of a file to documents. A row that cannot be trusted spoils its document, and where nobody can tell which one that
//! is, the documents on both sides of it: an invoice with an item less must never be registered.

use std::cell::Cell;
use std::collections::{BTreeMap, HashSet};
use std::hash::{BuildHasher, RandomState};
use std::io::{self, Read};
use std::rc::Rc;

use einvoice_core::finding::Finding;
use einvoice_core::mapping::TableRecord;
use einvoice_core::spelling;

use crate::config::CsvConfig;

/// Most rows of one document: ten times what the portal takes.
const ROWS_MAX: usize = 10_000;
/// Longest row.
const ROW_BYTES_MAX: usize = 1024 * 1024;
/// Separators that are looked for.
const SEPARATORS: [u8; 4] = [b',', b';', b'|', b'\t'];
/// Columns that tell documents apart, where the configuration names none; all that are there.
const GROUP_BY: [&str; 10] =
    ["DocDtls.Typ", "DocDtls.No", "SellerDtls.Gstin", "SELLER_GSTIN", "BUKRS", "ODN", "XBLNR", "VBELN", "DOC_NO", "No"];

/// One document of a file.
#[derive(Debug)]
pub(crate) struct Document {
    /// The line of its first row.
    pub(crate) line: u64,
    /// The record, or what is wrong with its rows.
    pub(crate) content: Result<String, Vec<Finding>>,
    /// Nothing behind it can be read.
    pub(crate) is_end: bool,
}

/// Reads a file, which `open` opens twice, and hands over its documents until `take` says to stop.
pub(crate) fn read<R: Read>(
    open: impl Fn() -> io::Result<R>,
    file: &str,
    config: &CsvConfig,
    known: &HashSet<String>,
    take: &mut dyn FnMut(Document) -> bool,
) -> io::Result<()> {
    let separator = match config.separator.and_then(|found| u8::try_from(found).ok()) {
        Some(separator) => separator,
        None => separator_of(open()?)?,
    };
    let mut table = match Table::open(open()?, separator, config)? {
        Ok(table) => table,
        Err(finding) => {
            end(1, finding.with_place(format!("{file}, line 1")), take);
            return Ok(());
        }
    };
    if let Err(finding) = table.check(known, separator) {
        end(1, finding.with_place(format!("{file}, line 1")), take);
        return Ok(());
    }
    let torn = match Table::open(open()?, separator, config)? {
        Ok(table) => table.torn()?,
        Err(_) => HashSet::new(),
    };
    let mut grouping = Grouping { file, table: &table.layout.clone(), torn, open: None, suspect: false };
    loop {
        match table.row()? {
            None => {
                grouping.finish(take);
                return Ok(());
            }
            Some(Err(broken)) => {
                let place = format!("{file}, line {}", broken.line);
                if broken.ends {
                    grouping.spoil(&broken, place.clone());
                    grouping.finish(take);
                    end(broken.line, broken.finding.with_place(place), take);
                    return Ok(());
                }
                if !grouping.broken(*broken, place, take) {
                    return Ok(());
                }
            }
            Some(Ok(row)) => {
                if !grouping.row(row, take) {
                    return Ok(());
                }
            }
        }
    }
}

fn boxed(finding: Finding) -> Box<Finding> {
    Box::new(finding)
}

fn end(line: u64, finding: Finding, take: &mut dyn FnMut(Document) -> bool) {
    take(Document { line, content: Err(vec![finding]), is_end: true });
}

/// The separator that the first line has most of, outside quotes.
fn separator_of(mut input: impl Read) -> io::Result<u8> {
    let mut start = Vec::new();
    input.by_ref().take(64 * 1024).read_to_end(&mut start)?;
    let mut quoted = false;
    let mut counts = [0_u32; SEPARATORS.len()];
    for byte in start {
        match byte {
            b'"' => quoted = !quoted,
            b'\n' if !quoted => break,
            _ if quoted => {}
            _ => {
                let at = SEPARATORS.iter().position(|separator| *separator == byte);
                if let Some(count) = at.and_then(|at| counts.get_mut(at)) {
                    *count += 1;
                }
            }
        }
    }
    let most = counts.iter().copied().max().unwrap_or_default();
    let at = counts.iter().position(|count| *count == most && most > 0);
    Ok(at.and_then(|at| SEPARATORS.get(at)).copied().unwrap_or(b','))
}

/// Columns by their names, as the file has them and folded.
type Columns = Vec<(String, String)>;

/// How the columns of a file are called.
#[derive(Debug, Clone)]
struct Layout {
    columns: Columns,
    /// Columns of rows of a kind, where those differ.
    by_kind: Option<(Columns, Columns)>,
    /// The column that says what a row is.
    kind: Option<usize>,
    /// Columns that are the same for all rows of a document.
    group: Vec<usize>,
}

/// What a row is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Head,
    Item,
    Both,
}

#[derive(Debug)]
struct Row {
    line: u64,
    kind: Kind,
    key: Vec<String>,
    values: BTreeMap<String, String>,
}

/// A row that cannot be used.
#[derive(Debug)]
struct Broken {
    line: u64,
    finding: Finding,
    /// The document it belongs to, where that can be read.
    key: Option<Vec<String>>,
    /// Nothing behind it can be read.
    ends: bool,
}

struct Table<R> {
    reader: csv::Reader<Limited<R>>,
    left: Rc<Cell<usize>>,
    layout: Layout,
    record: csv::ByteRecord,
}

/// Lets a row have so many bytes: a quote that is never closed would take in the whole file. Ends lines by LF alone, as
/// lines are counted wrongly otherwise.
#[derive(Debug)]
struct Limited<R> {
    inner: R,
    left: Rc<Cell<usize>>,
    /// A CR was the last byte, and what follows is not known yet.
    held: bool,
}

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
        if self.left.get() == 0 {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "a row is longer than 1 MB"));
        }
        loop {
            let mut bytes = Vec::with_capacity(target.len());
            bytes.extend(self.held.then_some(b'\r'));
            let wanted = u64::try_from(target.len() - bytes.len()).unwrap_or(u64::MAX);
            let is_end = self.inner.by_ref().take(wanted).read_to_end(&mut bytes)? == 0;
            self.held = !is_end && bytes.last() == Some(&b'\r');
            if self.held {
                bytes.pop();
            }
            let mut written = 0;
            for (at, byte) in bytes.iter().enumerate() {
                let is_line_end = *byte == b'\r' && bytes.get(at + 1) == Some(&b'\n');
                if let (false, Some(slot)) = (is_line_end, target.get_mut(written)) {
                    *slot = *byte;
                    written += 1;
                }
            }
            self.left.set(self.left.get().saturating_sub(written));
            if written > 0 || is_end {
                return Ok(written);
            }
        }
    }
}

fn names<'n>(columns: impl Iterator<Item = &'n str>) -> Columns {
    columns.map(|name| (name.trim().to_owned(), spelling::fold(name))).collect()
}

impl<R: Read> Table<R> {
    fn open(input: R, separator: u8, config: &CsvConfig) -> io::Result<Result<Self, Finding>> {
        let left = Rc::new(Cell::new(ROW_BYTES_MAX));
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(separator)
            .flexible(true)
            .has_headers(false)
            .buffer_capacity(64 * 1024)
            .from_reader(Limited { inner: input, left: Rc::clone(&left), held: false });
        let (mut columns, mut by_kind) = (names(config.columns.iter().map(String::as_str)), None);
        if !config.head_columns.is_empty() {
            let of = |list: &[String]| names(list.iter().map(String::as_str));
            by_kind = Some((of(&config.head_columns), of(&config.item_columns)));
        } else if columns.is_empty() {
            let mut first = csv::ByteRecord::new();
            match reader.read_byte_record(&mut first) {
                Ok(_) => {}
                Err(error) => return not_read(&error),
            }
            let text: Vec<String> = first.iter().map(|cell| String::from_utf8_lossy(cell).into_owned()).collect();
            columns = names(text.iter().map(String::as_str));
        }
        let at = |name: &str| columns.iter().position(|(_, folded)| *folded == spelling::fold(name));
        let kind = match (&config.kind_column, &by_kind) {
            (_, Some(_)) => Some(0),
            (None, None) => None,
            (Some(name), None) => {
                let found = at(name);
                if found.is_none() {
                    let message = format!("there is no column {name}, which says what a row is");
                    return Ok(Err(Finding::error("csv.structure", "", message)
                        .with_fix("Correct `csv.kind_column`, or the heading line.")));
                }
                found
            }
        };
        let wanted: Vec<String> = if config.group_by.is_empty() {
            GROUP_BY.iter().map(|name| (*name).to_owned()).collect()
        } else {
            config.group_by.clone()
        };
        let mut group = Vec::new();
        for name in &wanted {
            match at(name) {
                Some(at) if !group.contains(&at) => group.push(at),
                None if !config.group_by.is_empty() => {
                    let message = format!("there is no column {name}, which tells documents apart");
                    return Ok(Err(Finding::error("csv.structure", "", message)
                        .with_fix("Correct `csv.group_by`, or the heading line.")));
                }
                _ => {}
            }
        }
        Ok(Ok(Self { reader, left, layout: Layout { columns, by_kind, kind, group }, record: csv::ByteRecord::new() }))
    }

    /// Whether the columns are such as can make a document.
    fn check(&self, known: &HashSet<String>, separator: u8) -> Result<(), Box<Finding>> {
        let layout = &self.layout;
        if layout.by_kind.is_some() {
            return Ok(());
        }
        let found: Vec<&str> = layout.columns.iter().map(|(name, _)| name.as_str()).collect();
        let is_known = layout.columns.iter().any(|(_, folded)| known.contains(folded));
        let separator = char::from(separator);
        if layout.columns.len() < 2 || !is_known {
            let shown: String = found.join(" ").chars().take(120).collect();
            return Err(boxed(
                Finding::error("csv.structure", "", "the first line names no column that is known")
                    .with_found(if shown.is_empty() {
                        "an empty line".to_owned()
                    } else {
                        format!("{shown} (separated by `{separator}`)")
                    })
                    .with_expected(
                        "names of members such as DocDtls.No, or those of `csv.mapping`, separated by one character",
                    )
                    .with_fix("Write a heading line, name the columns in `csv.columns`, or set `csv.separator`."),
            ));
        }
        if layout.group.is_empty() && layout.kind.is_none() {
            return Err(boxed(
                Finding::error("csv.structure", "", "no column tells one document from another")
                    .with_found(found.join(", ").chars().take(400).collect::<String>())
                    .with_expected("a column such as DocDtls.No")
                    .with_fix("Add it, or name it in `csv.group_by`."),
            ));
        }
        Ok(())
    }

    /// The next row; nothing at the end.
    fn row(&mut self) -> io::Result<Option<Result<Row, Box<Broken>>>> {
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
            let is_blank = self.record.iter().all(|cell| cell.iter().all(u8::is_ascii_whitespace));
            if !is_blank {
                // Blank lines before a row are counted to it; its own line is told by where it ends.
                let begin = self.record.position().map_or(1, csv::Position::line);
                let inside = self.record.iter().map(|cell| memchr::memchr_iter(b'\n', cell).count()).sum::<usize>() + 1;
                let end = self.reader.position().line();
                let line = begin.max(end.saturating_sub(u64::try_from(inside).unwrap_or_default()));
                return Ok(Some(self.layout.row(&self.record, line)));
            }
        }
    }

    /// Documents whose rows stand at two places.
    fn torn(mut self) -> io::Result<HashSet<u64>> {
        let hasher = hasher();
        let (mut seen, mut torn, mut last) = (HashSet::new(), HashSet::new(), None);
        if self.layout.kind.is_some() {
            return Ok(torn);
        }
        while let Some(row) = self.row()? {
            let key = match row {
                Ok(row) => row.key,
                Err(broken) if broken.ends => break,
                Err(broken) => match broken.key {
                    Some(key) => key,
                    None => continue,
                },
            };
            let hash = hasher.hash_one(&key);
            if last != Some(hash) && !seen.insert(hash) {
                torn.insert(hash);
            }
            last = Some(hash);
        }
        Ok(torn)
    }
}

/// One for both readings of a file.
fn hasher() -> RandomState {
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

impl Layout {
    fn row(&self, record: &csv::ByteRecord, line: u64) -> Result<Row, Box<Broken>> {
        let cell =
            |at: usize| record.get(at).and_then(|cell| std::str::from_utf8(cell).ok()).unwrap_or_default().trim();
        let kind = match self.kind.map(cell) {
            None => Some(Kind::Both),
            Some(word) if word.eq_ignore_ascii_case("H") => Some(Kind::Head),
            Some(word) if word.eq_ignore_ascii_case("I") => Some(Kind::Item),
            Some(_) => None,
        };
        let columns = match (&self.by_kind, kind) {
            (Some((head, _)), Some(Kind::Head)) => head,
            (Some((_, item)), _) => item,
            (None, _) => &self.columns,
        };
        let key: Vec<String> = self.group.iter().map(|at| cell(*at).to_owned()).collect();
        let has_key = record.len() == columns.len() && !key.is_empty() && key.iter().any(|part| !part.is_empty());
        let broken =
            |finding: Finding| Err(Box::new(Broken { line, finding, key: has_key.then(|| key.clone()), ends: false }));
        let fix = "Put values with separators or line breaks into quotes, and double the quotes inside.";
        if let (Some(at), None) = (self.kind, kind) {
            let finding = Finding::error("csv.row", "", "nothing says what this row is").with_found(cell(at));
            return broken(finding.with_expected("H for a head, I for an item").with_fix(fix));
        }
        if record.len() != columns.len() {
            let message = format!("the row has {} values for {} columns", record.len(), columns.len());
            return broken(Finding::error("csv.row", "", message).with_found(cell(0)).with_fix(fix));
        }
        if let Some(at) = record.iter().position(|cell| std::str::from_utf8(cell).is_err()) {
            let name = columns.get(at).map_or("", |(name, _)| name);
            let message = format!("column {name} is not text in UTF-8");
            let fix =
                "Write the file in UTF-8, or set `encoding = \"windows-1252\"` if it is in that or in ISO 8859-1.";
            return broken(Finding::error("csv.encoding", "", message).with_fix(fix));
        }
        if kind == Some(Kind::Both) && !has_key {
            return broken(
                Finding::error("csv.row", "", "the row does not say which document it belongs to")
                    .with_fix("Fill the columns that tell documents apart in every row."),
            );
        }
        let values = columns.iter().enumerate().map(|(at, (_, folded))| (folded.clone(), cell(at).to_owned()));
        let values = values.filter(|(name, value)| !name.is_empty() && !value.is_empty()).collect();
        Ok(Row { line, kind: kind.unwrap_or(Kind::Both), key, values })
    }

    fn headings(&self) -> BTreeMap<String, String> {
        let kinds = self.by_kind.iter().flat_map(|(head, item)| head.iter().chain(item));
        self.columns
            .iter()
            .chain(kinds)
            .filter(|(name, folded)| name != folded)
            .map(|(name, folded)| (folded.clone(), name.clone()))
            .collect()
    }
}

struct Open {
    line: u64,
    key: Vec<String>,
    record: TableRecord,
    faults: Vec<Finding>,
}

/// Puts rows of one document together.
struct Grouping<'f> {
    file: &'f str,
    table: &'f Layout,
    torn: HashSet<u64>,
    open: Option<Open>,
    /// A row before could not be read and may belong to the next document.
    suspect: bool,
}

impl Grouping<'_> {
    fn row(&mut self, row: Row, take: &mut dyn FnMut(Document) -> bool) -> bool {
        let begins = match row.kind {
            Kind::Head => true,
            Kind::Item => self.open.is_none(),
            Kind::Both => self.open.as_ref().is_none_or(|open| open.key != row.key),
        };
        let mut listened = true;
        if begins {
            listened = self.finish(take);
            self.begin(row.line, row.key.clone());
            if row.kind == Kind::Item
                && let Some(open) = &mut self.open
            {
                let finding = Finding::error("csv.row", "", "an item stands before the head of its document");
                open.faults.push(
                    finding
                        .with_fix("Write a row of kind H before its rows of kind I.")
                        .with_place(format!("{}, line {}", self.file, row.line)),
                );
            }
        }
        self.suspect = false;
        let Some(open) = &mut self.open else { return listened };
        if matches!(row.kind, Kind::Head | Kind::Both) && open.record.head.is_empty() {
            open.record.head = row.values.clone();
            open.record.head_at = format!("line {}", row.line);
        }
        if matches!(row.kind, Kind::Item | Kind::Both) {
            if open.record.lines.len() < ROWS_MAX {
                open.record.lines.push(row.values);
                open.record.lines_at.push(format!("line {}", row.line));
            } else if open.faults.is_empty() {
                let message = format!("the document has more than {ROWS_MAX} rows");
                open.faults.push(
                    Finding::error("csv.structure", "", message)
                        .with_fix("Split it; an invoice has at most 1,000 items."),
                );
            }
        }
        listened
    }

    fn begin(&mut self, line: u64, key: Vec<String>) {
        let mut record = TableRecord::default();
        record.headings = self.table.headings();
        let mut open = Open { line, key, record, faults: Vec::new() };
        let place = format!("{}, line {line}", self.file);
        if self.suspect {
            let message = "a row before this document cannot be read and may belong to it";
            open.faults.push(
                Finding::error("csv.row", "", message)
                    .with_place(&*place)
                    .with_fix("Correct that row; the document is read again with it."),
            );
        }
        if self.torn.contains(&hasher().hash_one(&open.key)) {
            let message = format!("the rows of document {} stand at several places of the file", open.key.join(" "));
            open.faults.push(
                Finding::error("csv.interleaved", "", message).with_place(place).with_fix("Sort the file by document."),
            );
        }
        self.open = Some(open);
    }

    /// A row that cannot be used.
    fn broken(&mut self, broken: Broken, place: String, take: &mut dyn FnMut(Document) -> bool) -> bool {
        let is_own = self.open.as_ref().is_some_and(|open| broken.key.as_ref() == Some(&open.key));
        let mut listened = true;
        if let (Some(key), false) = (&broken.key, is_own) {
            listened = self.finish(take);
            self.begin(broken.line, key.clone());
        }
        self.suspect = broken.key.is_none();
        if self.open.is_none() {
            return take(Document {
                line: broken.line,
                content: Err(vec![broken.finding.with_place(place)]),
                is_end: false,
            });
        }
        self.spoil(&broken, place);
        listened
    }

    fn spoil(&mut self, broken: &Broken, place: String) {
        if let Some(open) = &mut self.open
            && open.faults.len() < crate::idoc::FAULTS_MAX
        {
            open.faults.push(broken.finding.clone().with_place(place));
        }
    }

    fn finish(&mut self, take: &mut dyn FnMut(Document) -> bool) -> bool {
        let Some(open) = self.open.take() else { return true };
        let content = if open.faults.is_empty() { Ok(open.record.to_content()) } else { Err(open.faults) };
        take(Document { line: open.line, content, is_end: false })
    }
}

#[cfg(test)]
mod tests;
