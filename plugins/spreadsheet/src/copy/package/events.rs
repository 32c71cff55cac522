//! The XML of a sheet event by event, and what rows and cells say in their tags.

use std::io::{self, BufRead, Read};

use quick_xml::Reader;
use quick_xml::events::attributes::Attribute;
use quick_xml::events::{BytesStart, Event};

use super::super::CopyError;
use super::cells;
use super::xml::{broken, local};
use crate::book::{COLUMNS_MAX, ROWS_MAX};

/// Most bytes of a tag, a text or a comment, each of which is held whole. A text of a cell has 32,767 characters.
const EVENT_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Events of a part.
pub(super) struct Input<R> {
    reader: Reader<Bounded<R>>,
    buffer: Vec<u8>,
}

/// Hands out so many bytes and no more, until it may go on.
struct Bounded<R> {
    inner: R,
    left: usize,
}

impl<R: BufRead> Read for Bounded<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.fill_buf()?.read(into)?;
        self.consume(count);
        Ok(count)
    }
}

impl<R: BufRead> BufRead for Bounded<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.left == 0 {
            let reason = format!("a tag, text or comment of the sheet has more than {EVENT_BYTES_MAX} bytes");
            return Err(io::Error::new(io::ErrorKind::InvalidData, reason));
        }
        let bytes = self.inner.fill_buf()?;
        Ok(bytes.get(..self.left.min(bytes.len())).unwrap_or_default())
    }

    fn consume(&mut self, count: usize) {
        self.left = self.left.saturating_sub(count);
        self.inner.consume(count);
    }
}

impl<R: BufRead> Input<R> {
    pub(super) fn new(reader: R) -> Self {
        Self { reader: Reader::from_reader(Bounded { inner: reader, left: EVENT_BYTES_MAX }), buffer: Vec::new() }
    }

    pub(super) fn event(&mut self) -> Result<Event<'_>, CopyError> {
        self.buffer.clear();
        self.reader.get_mut().left = EVENT_BYTES_MAX;
        match self.reader.read_event_into(&mut self.buffer) {
            Ok(Event::Eof) => Err(broken("the sheet breaks off")),
            Ok(Event::DocType(_)) => Err(broken("the sheet declares a document type, which no workbook may")),
            Ok(event) => Ok(event),
            Err(quick_xml::Error::Io(error)) => Err(io::Error::new(error.kind(), error.to_string()).into()),
            Err(error) => Err(broken(error)),
        }
    }

    /// Passes over all that is within an element that has begun; says whether a formula was there.
    pub(super) fn skip(&mut self) -> Result<bool, CopyError> {
        let (mut depth, mut formula) = (1, false);
        while depth > 0 {
            match self.event()? {
                Event::Start(start) => {
                    formula |= local(start.name().as_ref()) == "f";
                    depth += 1;
                }
                Event::Empty(start) => formula |= local(start.name().as_ref()) == "f",
                Event::End(_) => depth -= 1,
                _ => {}
            }
        }
        Ok(formula)
    }
}

fn is_true(text: &str) -> bool {
    matches!(text, "1" | "true")
}

/// The value of an attribute as it stands.
pub(super) fn attribute(start: &BytesStart<'_>, name: &str) -> Result<Option<String>, CopyError> {
    for attribute in start.attributes().with_checks(false) {
        let attribute = attribute.map_err(broken)?;
        if attribute.key.as_ref() == name {
            return Ok(Some(attribute.value.into_owned()));
        }
    }
    Ok(None)
}

/// The look of a cell or row.
pub(super) fn style(start: &BytesStart<'_>) -> Result<Option<u32>, CopyError> {
    Ok(attribute(start, "s")?.and_then(|text| text.parse().ok()))
}

/// With an attribute that was left out because it could be counted: counting ends where something is put in.
pub(super) fn numbered(start: &BytesStart<'_>, name: &str, value: &str) -> Result<BytesStart<'static>, CopyError> {
    let mut start = start.to_owned();
    if attribute(&start, name)?.is_none() {
        start.push_attribute((name, value));
    }
    Ok(start)
}

/// With another value of an attribute.
pub(super) fn with(start: &BytesStart<'_>, name: &str, value: &str) -> Result<BytesStart<'static>, CopyError> {
    let mut start = without(start.to_owned(), name)?;
    start.push_attribute((name, value));
    Ok(start)
}

pub(super) fn without(start: BytesStart<'static>, name: &str) -> Result<BytesStart<'static>, CopyError> {
    if attribute(&start, name)?.is_none() {
        return Ok(start);
    }
    let full = start.name().as_ref().to_owned();
    let mut kept = BytesStart::new(full);
    for attribute in start.attributes().with_checks(false) {
        let attribute = attribute.map_err(broken)?;
        if attribute.key.as_ref() != name {
            // Its value is escaped as it stands, but for the marks that are no end of it between apostrophes.
            let value = attribute.value.replace('"', "&quot;").into();
            kept.push_attribute(Attribute { value, ..attribute });
        }
    }
    Ok(kept)
}

/// The number of a row behind the last one; the next where it does not say.
pub(super) fn row_of(start: &BytesStart<'_>, last: u32) -> Result<u32, CopyError> {
    let number = match attribute(start, "r")? {
        Some(text) => text.parse().map_err(|_| broken("a row has no number"))?,
        None => last.saturating_add(1),
    };
    if number > ROWS_MAX {
        return Err(broken(format!("a row is numbered {number}, and a sheet has {ROWS_MAX}")));
    }
    if number <= last {
        return Err(broken("its rows are not in their order"));
    }
    Ok(number)
}

/// Whether a row without cells is the last one over again, as a library that writes workbooks has it.
pub(super) fn repeats(start: &BytesStart<'_>, last: u32) -> Result<bool, CopyError> {
    Ok(attribute(start, "r")?.is_some_and(|text| text.parse() == Ok(last)))
}

/// The column of a cell of a row, from the next one on; that one where it does not say.
pub(super) fn column_of(start: &BytesStart<'_>, row: u32, next: u32) -> Result<u32, CopyError> {
    let column = match attribute(start, "r")? {
        Some(name) => {
            let cell = cells::parse(&name).filter(|cell| cell.row == row);
            cell.ok_or_else(|| broken(format!("a cell of row {row} is called {name}")))?.column
        }
        None => next,
    };
    if column < next || column >= COLUMNS_MAX {
        return Err(broken(format!("the cells of row {row} are not in their order")));
    }
    Ok(column)
}

/// The look of the cells that a row does not have, where it says one.
pub(super) fn row_style(start: &BytesStart<'_>) -> Result<Option<u32>, CopyError> {
    if attribute(start, "customFormat")?.is_some_and(|text| is_true(&text)) { style(start) } else { Ok(None) }
}
