//! The XML of a sheet event by event, and what rows and cells say in their tags.

use std::io::BufRead;

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::super::CopyError;
use super::cells;
use super::xml::{broken, local};

/// Events of a part.
pub(super) struct Input<R> {
    reader: Reader<R>,
    buffer: Vec<u8>,
}

impl<R: BufRead> Input<R> {
    pub(super) fn new(reader: R) -> Self {
        Self { reader: Reader::from_reader(reader), buffer: Vec::new() }
    }

    pub(super) fn event(&mut self) -> Result<Event<'_>, CopyError> {
        self.buffer.clear();
        match self.reader.read_event_into(&mut self.buffer) {
            Ok(Event::Eof) => Err(broken("the sheet breaks off")),
            Ok(event) => Ok(event),
            Err(quick_xml::Error::Io(error)) => {
                Err(CopyError::Io(std::io::Error::new(error.kind(), error.to_string())))
            }
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
            // Its value is escaped as it stands.
            kept.push_attribute(attribute);
        }
    }
    Ok(kept)
}

/// The number of a row; that of the one after the last where it does not say.
pub(super) fn row_of(start: &BytesStart<'_>, next: u32) -> Result<u32, CopyError> {
    match attribute(start, "r")? {
        Some(text) => text.parse().map_err(|_| broken("a row has no number")),
        None => Ok(next),
    }
}

/// The column of a cell likewise.
pub(super) fn column_of(start: &BytesStart<'_>, next: u32) -> Result<u32, CopyError> {
    match attribute(start, "r")? {
        Some(name) => Ok(cells::parse(&name).ok_or_else(|| broken(format!("a cell is called {name}")))?.column),
        None => Ok(next),
    }
}

/// The look of the cells that a row does not have, where it says one.
pub(super) fn row_style(start: &BytesStart<'_>) -> Result<Option<u32>, CopyError> {
    if attribute(start, "customFormat")?.is_some_and(|text| is_true(&text)) { style(start) } else { Ok(None) }
}
