//! Text files: values with a mark between them, in quotes where they hold the mark or a line break.

use std::borrow::Cow;
use std::fs::File;
use std::io::{Chain, Read};
use std::path::{Path, PathBuf};

use csv::{ByteRecord, ReaderBuilder};
use einvoice_file_drop::{Encoding, Quotes, Utf8Reader};

use super::{BookError, COLUMNS_MAX, Line, Take, TextSettings, is_wanted};
use crate::cell::{Cell, Row};

/// Marks that are tried, in their order where nothing tells them apart.
const MARKS: [u8; 4] = [b',', b';', b'\t', b'|'];
/// How much is looked at to find the mark.
const LOOK_BYTES: u64 = 64 * 1024;
/// Rows among which the mark is looked for: the heading is one of the first ten.
const LOOK_ROWS: usize = 10;
/// Rows whose number of values is compared with that of the headings.
const COMPARED_ROWS: usize = 50;
/// Most bytes of one row: more than 100 columns full of text.
const ROW_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Most line breaks in one row: an address has three or four.
const BREAKS_MAX: u64 = 100;

/// A text file with its mark.
#[derive(Debug)]
pub(crate) struct TextFile {
    path: PathBuf,
    encoding: Encoding,
    delimiter: u8,
}

impl TextFile {
    /// Looks at the beginning for the mark between values.
    pub(crate) fn open(path: &Path, settings: TextSettings) -> Result<Self, BookError> {
        let delimiter = if let Some(given) = settings.delimiter {
            given
        } else {
            let mut head = Vec::new();
            Utf8Reader::new(File::open(path)?, settings.encoding)?.take(LOOK_BYTES).read_to_end(&mut head)?;
            if head.contains(&0) {
                return Err(BookError::content(
                    "the file is neither a workbook nor a text file",
                    "Export it as .xlsx or .csv.",
                ));
            }
            mark(&head)
        };
        Ok(Self { path: path.to_owned(), encoding: settings.encoding, delimiter })
    }

    /// The mark between values.
    pub(crate) const fn delimiter(&self) -> u8 {
        self.delimiter
    }

    pub(crate) fn rows(&self, only: Option<&[u32]>, take: Take<'_>) -> Result<(), BookError> {
        each_row(Utf8Reader::new(File::open(&self.path)?, self.encoding)?, self.delimiter, only, take)
    }
}

/// The mark that stands between headings: the one by which one of the first rows has most words. Amounts have digits, and
/// what lies between two commas of an address in a row of tabs has tabs in it; where that tells nothing, the mark by which
/// most rows have as many values as that one.
fn mark(head: &[u8]) -> u8 {
    let mut best = ((0, 0), b',');
    for mark in MARKS {
        let mut reader = ReaderBuilder::new().has_headers(false).flexible(true).delimiter(mark).from_reader(head);
        let rows: Vec<ByteRecord> = reader.byte_records().map_while(Result::ok).take(COMPARED_ROWS).collect();
        let heading = rows.iter().take(LOOK_ROWS).map(|row| (words(row, mark), row.len())).max().unwrap_or_default();
        let alike = rows.iter().filter(|row| row.len() == heading.1).count();
        let found = if heading.1 > 1 { (heading.0, alike) } else { (0, 0) };
        if found > best.0 {
            best = (found, mark);
        }
    }
    best.1
}

/// How many values of a row read like headings: they have letters. A row in whose values other marks stand is one of those
/// marks, most surely where the first or the last value has one.
fn words(row: &ByteRecord, mark: u8) -> usize {
    let is_split = |value: &[u8]| value.iter().any(|byte| matches!(byte, b';' | b'\t' | b'|') && *byte != mark);
    let is_letter = |byte: &u8| byte.is_ascii_alphabetic() || !byte.is_ascii();
    if row.iter().next().is_some_and(is_split) || row.iter().next_back().is_some_and(is_split) {
        return 0;
    }
    let split = row.iter().filter(|value| is_split(value)).count();
    let words = row.iter().filter(|value| !is_split(value) && value.iter().any(is_letter)).count();
    words.saturating_sub(2 * split)
}

fn each_row(reader: impl Read, delimiter: u8, only: Option<&[u32]>, take: Take<'_>) -> Result<(), BookError> {
    let lines = LineFeeds { inner: reader, after_return: false, given: 0, quotes: Quotes::new(delimiter) }.chain(END);
    let mut reader = ReaderBuilder::new().has_headers(false).flexible(true).delimiter(delimiter).from_reader(lines);
    let mut record = ByteRecord::new();
    let mut widest = 0;
    loop {
        let more = reader.read_byte_record(&mut record).map_err(|error| match error.into_kind() {
            csv::ErrorKind::Io(error) => BookError::Io(error),
            other => BookError::content(format!("the file cannot be read: {other:?}"), "Export it again."),
        })?;
        if !more {
            return Ok(());
        }
        // Every row ends with one line feed, so the reader stands at the line after it. Where the record says it begins
        // would be where the one before it ended, blank lines included.
        let breaks = lines_in(record.as_slice());
        let unclosed = ends_in_quotes(&reader, &record);
        let after = reader.position().line();
        let line = u32::try_from(after.saturating_sub(breaks + u64::from(!unclosed))).unwrap_or(u32::MAX);
        if record.as_slice().len() > ROW_BYTES_MAX || breaks > BREAKS_MAX {
            return Err(BookError::content(
                format!(
                    "the row that begins at line {line} goes on for {breaks} lines: a quotation mark is not closed"
                ),
                "Close the quotation mark of that row, or double it where it belongs to the text (5\"\" pipe).",
            ));
        }
        let end = reader.position().byte();
        let stray = reader.get_mut().get_mut().0.quotes.had_stray(end);
        // A quotation mark that is not closed takes the rows after it in. It ends at the next mark, which began or ended
        // nothing; the columns may come out right all the same. Where it looks like an end, the values of whole rows are in it.
        let is_torn = stray && (breaks > 0 || widest > 0 && record.len() != widest);
        let holds_rows = || {
            breaks > 0
                && record.len() < widest
                && values_in(&record, delimiter) >= (breaks + 1).saturating_mul(count(widest))
        };
        if unclosed || is_torn || holds_rows() {
            let message = if unclosed {
                "the rest of the file was taken as one row: a quotation mark is not closed".to_owned()
            } else if breaks > 0 {
                format!(
                    "{} lines were taken as one row with {} of {widest} values: a quotation mark is not closed",
                    breaks + 1,
                    record.len()
                )
            } else {
                let values = record.len();
                format!("the row has {values} of {widest} values: a quotation mark is not closed, or not doubled")
            };
            let fix = "Close the quotation mark of that row, or double it where it belongs to the text; the rows after it \
                       are read once that is done.";
            if take(Line::Fault { number: line, readable: None, message, fix }).is_break() {
                return Ok(());
            }
            continue;
        }
        widest = widest.max(record.len());
        if take(row(&record, line, only)).is_break() {
            return Ok(());
        }
    }
}

/// What is added to the end, so that a row that ends in open quotes shows it.
const END: &[u8] = b"\n\n";

/// Whether a row goes on to the end of the file because of a quotation mark that is not closed: then it has taken in all
/// that was added there. One that ends before leaves at least one line feed over.
fn ends_in_quotes<R: Read>(reader: &csv::Reader<Chain<LineFeeds<R>, &[u8]>>, record: &ByteRecord) -> bool {
    let (lines, end) = reader.get_ref().get_ref();
    let all = lines.given + count(END.len());
    end.is_empty()
        && reader.position().byte() == all
        && record.iter().next_back().is_some_and(|value| value.ends_with(END))
}

/// The values of a row where every line in it is taken for a row of its own.
fn values_in(record: &ByteRecord, delimiter: u8) -> u64 {
    let inside = record.as_slice().iter().filter(|byte| [delimiter, b'\n'].contains(byte)).count();
    count(record.len()).saturating_add(count(inside))
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

fn lines_in(value: &[u8]) -> u64 {
    count(value.split(|byte| *byte == b'\n').count() - 1)
}

/// Ends every line with one line feed, whatever system wrote it.
struct LineFeeds<R> {
    inner: R,
    after_return: bool,
    /// Bytes handed out so far.
    given: u64,
    quotes: Quotes,
}

impl<R> LineFeeds<R> {
    fn give(&mut self, bytes: &[u8], length: usize) -> usize {
        self.given += count(length);
        self.quotes.look(bytes.get(..length).unwrap_or_default());
        length
    }
}

impl<R: Read> Read for LineFeeds<R> {
    fn read(&mut self, target: &mut [u8]) -> std::io::Result<usize> {
        loop {
            let count = self.inner.read(target)?;
            if !self.after_return && count > 0 && !target.get(..count).unwrap_or_default().contains(&b'\r') {
                return Ok(self.give(target, count));
            }
            let mut kept = 0;
            for at in 0..count {
                let Some(byte) = target.get(at).copied() else { break };
                let doubled = byte == b'\n' && self.after_return;
                self.after_return = byte == b'\r';
                if !doubled && let Some(slot) = target.get_mut(kept) {
                    *slot = if byte == b'\r' { b'\n' } else { byte };
                    kept += 1;
                }
            }
            // Nothing kept of something read is no end.
            if kept > 0 || count == 0 {
                return Ok(self.give(target, kept));
            }
        }
    }
}

/// A record as a row; one that is no text is a fault of its own, with what could be read.
fn row(record: &ByteRecord, number: u32, only: Option<&[u32]>) -> Line {
    let mut cells = Vec::with_capacity(record.len());
    let mut wrong = None;
    for (column, value) in (0..COLUMNS_MAX).zip(record) {
        // Most columns of the portal's sheet are empty in most rows.
        if value.is_empty() {
            continue;
        }
        let text = std::str::from_utf8(value).map_or_else(
            |_| {
                wrong.get_or_insert(column);
                String::from_utf8_lossy(value)
            },
            Cow::Borrowed,
        );
        if is_wanted(only, column) && !text.trim().is_empty() {
            cells.push((column, Cell::Text(text.into_owned())));
        }
    }
    let row = Row { number, cells };
    match wrong {
        None => Line::Row(row),
        Some(column) => Line::Fault {
            number,
            readable: Some(row),
            message: format!("the value in column {} is not in the encoding of the file", crate::cell::letters(column)),
            fix: "Save the file as UTF-8, or set `encoding = \"windows-1252\"` for this source.",
        },
    }
}

/// Bytes of a page as text: by its mark or what is configured, else as it declares itself.
pub(crate) fn decoded(
    bytes: &[u8],
    encoding: Encoding,
    declared: Option<&'static encoding_rs::Encoding>,
) -> Result<String, BookError> {
    if encoding == Encoding::Auto
        && let Some(declared) = declared
        && encoding_rs::Encoding::for_bom(bytes).is_none()
    {
        return Ok(declared.decode_without_bom_handling(bytes).0.into_owned());
    }
    let mut text = Vec::with_capacity(bytes.len());
    Utf8Reader::new(bytes, encoding)?.read_to_end(&mut text)?;
    // A page shows what can be read; a sign that stands for a lost one is an error in every member it reaches.
    Ok(String::from_utf8(text).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()))
}

#[cfg(test)]
mod tests {
    use std::ops::ControlFlow;

    use proptest::prelude::*;

    use super::*;

    fn shown(bytes: &[u8], delimiter: u8) -> Vec<String> {
        let mut lines = Vec::new();
        each_row(Utf8Reader::new(bytes, Encoding::Auto).unwrap(), delimiter, None, &mut |line| {
            lines.push(match line {
                Line::Row(row) => {
                    let cells: Vec<_> = row.cells.iter().map(|(at, cell)| format!("{at}={}", cell.text())).collect();
                    format!("{}: {}", row.number, cells.join("|"))
                }
                Line::Fault { number, message, .. } => format!("{number}! {message}"),
            });
            ControlFlow::Continue(())
        })
        .unwrap();
        lines
    }

    #[test]
    fn rows_have_the_line_they_begin_at_whatever_stands_before_them() {
        let bytes = b"\xef\xbb\xbfA,B\r\n\r\n\r\n\"1\nx\",\"say \"\"no\"\"\"\n,2\n";
        assert_eq!(shown(bytes, b','), ["1: 0=A|1=B", "4: 0=1\nx|1=say \"no\"", "6: 1=2"]);
    }

    #[test]
    fn the_mark_is_the_one_between_headings() {
        assert_eq!(mark(b"Title, with comma\nA;B;C\n1,5;2;3\n"), b';');
        assert_eq!(mark(b"A\tB\tC\n\"1,2,3,4\"\t2\t3\n"), b'\t');
        assert_eq!(mark(b"A,B\n"), b',');
        assert_eq!(mark(b""), b',');
        // Amounts and addresses have more commas than there are columns.
        assert_eq!(mark(b"No\tBuyer\tValue\nA/1\tAcme, Pune, India, Asia\t1,23,45,678.00\n"), b'\t');
        assert_eq!(mark(b"No|Qty, Nos|Rate, INR|To\n1|2|3|a, b\n1|2|3|c, d\n"), b'|');
        // As many words either way: what counts is how alike the rows are.
        assert_eq!(mark(b"a, b;c\n1;2\n3;4\n"), b';');
        assert_eq!(mark("क्रमांक;मूल्य\n1,00;2,00\n".as_bytes()), b';');
    }

    #[test]
    fn a_quotation_mark_that_is_not_closed_is_said_and_not_taken_for_a_value() {
        for (bytes, said) in [
            ("A,B,C\n1,\"pipe,3\n2,y,3\n", "the rest of the file was taken as one row"),
            ("A,B,C\n1,2,\"pipe", "the rest of the file was taken as one row"),
            ("A,B,C\n1,\"pipe,3\n2,y,\"3\n", "2 lines were taken as one row with 2 of 3 values"),
        ] {
            let expected = format!("2! {said}: a quotation mark is not closed");
            assert_eq!(shown(bytes.as_bytes(), b','), ["1: 0=A|1=B|2=C", &expected], "{bytes}");
        }
        assert_eq!(shown(b"A,B\n1,\"x\n\"", b','), ["1: 0=A|1=B", "2: 0=1|1=x\n"]);
    }

    #[test]
    fn a_mark_that_takes_whole_rows_in_is_said_though_another_seems_to_close_it() {
        let found = shown(b"A,B,C\n\"1,2,3\n2,y,5\"\n4,5,6\n", b',');
        let said = "2! 2 lines were taken as one row with 1 of 3 values: a quotation mark is not closed";
        assert_eq!(found, ["1: 0=A|1=B|2=C", said, "4: 0=4|1=5|2=6"]);
    }

    #[test]
    fn a_short_row_may_have_a_value_of_several_lines() {
        let row = "1,\"Plot 14, Peenya\nsays \"\"yes\"\", Bengaluru\",x\n2,y,z,5,6\n";
        let expected = ["2: 0=1|1=Plot 14, Peenya\nsays \"yes\", Bengaluru|2=x", "4: 0=2|1=y|2=z|3=5|4=6"];
        assert_eq!(shown(format!("A,B,C,D,E\n{row}").as_bytes(), b',')[1..], expected);
    }

    #[test]
    fn a_row_that_is_no_text_does_not_hold_the_others_up() {
        let shown = shown(b"A,B\n1,caf\xe9\n2,x\n", b',');
        assert_eq!(shown[1], "2! the value in column B is not in the encoding of the file");
        assert_eq!(shown[2], "3: 0=2|1=x");
    }

    proptest! {
        #[test]
        fn every_row_written_by_a_program_is_read_again(rows in proptest::collection::vec(proptest::collection::vec("[a-z ,;\"\n]{1,8}x", 3), 1..6)) {
            let mut writer = csv::Writer::from_writer(Vec::new());
            for row in &rows {
                writer.write_record(row).unwrap();
            }
            let bytes = writer.into_inner().unwrap();
            let expected: Vec<String> = rows
                .iter()
                .map(|row| row.iter().enumerate().map(|(at, value)| format!("{at}={value}")).collect::<Vec<_>>().join("|"))
                .collect();
            let shown = shown(&bytes, b',');
            let found: Vec<&str> = shown.iter().filter_map(|line| line.split_once(": ")).map(|(_, row)| row).collect();
            prop_assert_eq!(found, expected);
        }
    }
}
