//! Records of a flat file: cut out of its characters by whatever framing the file has.
//!
//! | framing | told by |
//! | --- | --- |
//! | each record on a line, ended by LF or CRLF, trailing blanks kept or cut | a line end within the first 526 characters |
//! | no separators at all: 524 characters of control record, 1,063 of each data record | anything else |
//!
//! Lengths are in characters. Programs that fill up UTF-8 by bytes are told by what follows: where 1,063 characters do not
//! lead to another record and 1,063 bytes do, the record was filled up by bytes.

use std::io::{self, Read};

use schemars::JsonSchema;
use serde::Deserialize;

use super::cut::{Cut, head_of};

/// Characters of a control record.
pub(crate) const CONTROL_WIDTH: usize = 524;
/// Characters of a data record, of which 63 are its head.
pub(crate) const DATA_WIDTH: usize = 1_063;
/// Characters before the data of a data record.
pub(crate) const HEAD_WIDTH: usize = 63;
/// Most bytes of a record: four for each character, and the line end.
const RECORD_BYTES_MAX: usize = DATA_WIDTH * 4 + 2;
/// Bytes read at once: as many as stay in the cache of a processor between reading them and cutting them up.
const CHUNK: usize = 256 * 1024;
/// How a control record begins in release 4.0 and later.
const CONTROL: &[u8] = b"EDI_DC40";

/// By what a field's place in a record is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Padding {
    /// By characters, unless the length of a record shows that its writer counted bytes.
    #[default]
    Auto,
    /// By characters.
    Characters,
    /// By bytes of UTF-8.
    Bytes,
}

/// What a record is by its first characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Control,
    Data,
    /// A status record, which stands in status files only.
    Status,
    /// A control record of a release before 4.0.
    OldControl,
}

/// Why a record cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Bytes that are no text in the encoding of the file.
    NotText,
    /// So many characters, and how many there can be.
    TooLong(usize, usize),
    /// The file ends after so many characters of so many.
    Truncated(usize, usize),
    /// What follows is no record, so that nobody can tell where records begin.
    Unframed,
}

/// One record.
#[derive(Debug)]
pub(crate) struct Record<'r> {
    /// The line, or the record where there are no lines; from 1.
    pub(crate) number: u64,
    pub(crate) kind: Kind,
    pub(crate) text: Result<Cut<'r>, Fault>,
}

/// Which texts of records are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// All of each.
    Whole,
    /// Of a data record its head, whatever follows it; all of any other.
    Heads,
}

/// Whether a file is flat by its first bytes.
pub(crate) fn is_flat(start: &[u8]) -> bool {
    start.starts_with(b"EDI_D") || is_data(start)
}

/// Whether bytes begin as a data record does.
fn is_data(start: &[u8]) -> bool {
    start.get(..HEAD_WIDTH).and_then(|head| std::str::from_utf8(head).ok()).and_then(head_of).is_some()
}

/// Reads the records of a file.
#[derive(Debug)]
pub(crate) struct Records<R> {
    inner: R,
    /// What was read lies from `start` to `filled`.
    buffer: Vec<u8>,
    start: usize,
    filled: usize,
    ended: bool,
    /// Whether the buffer still holds what the file begins with.
    holds_the_beginning: bool,
    in_lines: bool,
    padding: Padding,
    wanted: Wanted,
    /// The line, or the record where there are no lines.
    number: u64,
}

impl<R: Read> Records<R> {
    /// Looks at the first record and decides how they are framed.
    pub(crate) fn new(inner: R, padding: Padding, wanted: Wanted) -> io::Result<Self> {
        let mut records = Self {
            inner,
            buffer: vec![0; CHUNK],
            start: 0,
            filled: 0,
            ended: false,
            holds_the_beginning: true,
            in_lines: false,
            padding,
            wanted,
            number: 0,
        };
        records.begin()?;
        Ok(records)
    }

    /// Reads the file once more from its beginning: what is held, where that is all of it, else what `open` gives.
    pub(crate) fn again(mut self, open: impl FnOnce() -> io::Result<R>, wanted: Wanted) -> io::Result<Self> {
        if !(self.ended && self.holds_the_beginning) {
            (self.inner, self.filled, self.ended, self.holds_the_beginning) = (open()?, 0, false, true);
        }
        (self.start, self.number, self.wanted) = (0, 0, wanted);
        self.begin()?;
        Ok(self)
    }

    fn begin(&mut self) -> io::Result<()> {
        self.fill(RECORD_BYTES_MAX)?;
        let ahead = self.ahead();
        let line = memchr::memchr(b'\n', ahead).map(|end| characters(ahead.get(..end).unwrap_or_default()));
        // A file that begins with a data record is damaged; its lines still tell how it was written.
        let first = if ahead.starts_with(b"EDI_D") { CONTROL_WIDTH } else { DATA_WIDTH };
        self.in_lines = line.is_some_and(|width| width <= first + 1);
        Ok(())
    }

    /// What the numbers of records count.
    pub(crate) const fn unit(&self) -> &'static str {
        if self.in_lines { "line" } else { "record" }
    }

    /// The next record; nothing at the end of the file.
    pub(crate) fn next(&mut self) -> io::Result<Option<Record<'_>>> {
        if self.in_lines { self.line() } else { self.contiguous() }
    }

    fn ahead(&self) -> &[u8] {
        self.buffer.get(self.start..self.filled).unwrap_or_default()
    }

    /// Reads until so many bytes lie ahead, at most a chunk, or the file ends.
    fn fill(&mut self, wanted: usize) -> io::Result<()> {
        if self.ended || self.filled - self.start >= wanted {
            return Ok(());
        }
        if self.start + wanted > self.buffer.len() {
            self.holds_the_beginning &= self.start == 0;
            self.buffer.copy_within(self.start..self.filled, 0);
            self.filled -= self.start;
            self.start = 0;
        }
        while !self.ended && self.filled - self.start < wanted {
            match self.inner.read(self.buffer.get_mut(self.filled..).unwrap_or_default()) {
                Ok(read) => {
                    self.filled += read;
                    self.ended = read == 0;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn line(&mut self) -> io::Result<Option<Record<'_>>> {
        loop {
            self.fill(RECORD_BYTES_MAX)?;
            let ahead = self.ahead();
            if ahead.is_empty() {
                return Ok(None);
            }
            let within = ahead.get(..RECORD_BYTES_MAX).unwrap_or(ahead);
            let (mut end, mut used) = match memchr::memchr(b'\n', within) {
                Some(end) => (end, end + 1),
                None => (within.len(), within.len()),
            };
            self.number += 1;
            let too_long = used == end && end == RECORD_BYTES_MAX;
            let begin = self.start;
            if too_long {
                let kind = kind_of(self.buffer.get(begin..).unwrap_or_default());
                let width = self.skip_line()?;
                return Ok(Some(Record { number: self.number, kind, text: Err(Fault::TooLong(width, limit(kind))) }));
            }
            self.start += used;
            used = begin;
            // Transfers of texts leave the end of the line, and the end mark of old systems.
            while end > 0 && self.buffer.get(used + end - 1).is_some_and(|byte| matches!(byte, b'\r' | 0x1a)) {
                end -= 1;
            }
            let bytes = used..used + end;
            if self.buffer.get(bytes.clone()).unwrap_or_default().iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            let bytes = self.buffer.get(bytes).unwrap_or_default();
            let kind = kind_of(bytes);
            let text = match self.cut(kind, bytes, self.padding) {
                Err(fault) => Err(fault),
                Ok(cut) => {
                    // Blanks are counted only where something is too long.
                    let blank = |cut: &Cut<'_>| bytes.len() - cut.text.trim_end().len();
                    match limit(kind) {
                        limit if cut.width > limit && cut.width.saturating_sub(blank(&cut)) > limit => {
                            Err(Fault::TooLong(cut.width, limit))
                        }
                        _ => Ok(cut),
                    }
                }
            };
            return Ok(Some(Record { number: self.number, kind, text }));
        }
    }

    /// Passes over a line that is longer than any record, and counts it.
    fn skip_line(&mut self) -> io::Result<usize> {
        let mut width = 0;
        loop {
            self.fill(1)?;
            let ahead = self.ahead();
            let end = memchr::memchr(b'\n', ahead);
            let line = ahead.get(..end.unwrap_or(ahead.len())).unwrap_or_default();
            width += characters(line);
            let used = line.len() + usize::from(end.is_some());
            let is_over = end.is_some() || used == 0;
            self.start += used;
            if is_over {
                return Ok(width);
            }
        }
    }

    fn contiguous(&mut self) -> io::Result<Option<Record<'_>>> {
        // What follows is looked at as well: it tells whether the length is right.
        self.fill(RECORD_BYTES_MAX + HEAD_WIDTH)?;
        if self.ended && self.ahead().iter().all(|byte| byte.is_ascii_whitespace() || *byte == 0x1a) {
            return Ok(None);
        }
        self.number += 1;
        let ahead = self.ahead();
        let kind = kind_of(ahead);
        let width = limit(kind);
        let fits = |length: usize| {
            let rest = ahead.get(length..).unwrap_or_default();
            rest.iter().all(u8::is_ascii_whitespace) || is_flat(rest)
        };
        let by_characters = length_of(ahead, width);
        let by_bytes = Some(width).filter(|width| *width <= ahead.len());
        let length = match self.padding {
            Padding::Characters => by_characters,
            Padding::Bytes => by_bytes,
            Padding::Auto => {
                by_characters.filter(|length| fits(*length)).or_else(|| by_bytes.filter(|length| fits(*length)))
            }
        };
        let fault = match length {
            Some(_) if kind == Kind::OldControl || kind == Kind::Status => Fault::Unframed,
            Some(length) => {
                let begin = self.start;
                self.start += length;
                let bytes = self.buffer.get(begin..self.start).unwrap_or_default();
                let padding = if Some(length) == by_characters { Padding::Characters } else { Padding::Bytes };
                return Ok(Some(Record { number: self.number, kind, text: self.cut(kind, bytes, padding) }));
            }
            None if by_characters.is_none() && self.ended => Fault::Truncated(characters(ahead), width),
            None => Fault::Unframed,
        };
        self.seek_control()?;
        Ok(Some(Record { number: self.number, kind, text: Err(fault) }))
    }

    /// What is wanted of a record as text: of a data record perhaps the head alone.
    fn cut<'b>(&self, kind: Kind, bytes: &'b [u8], padding: Padding) -> Result<Cut<'b>, Fault> {
        let head = bytes.get(..HEAD_WIDTH).filter(|_| kind == Kind::Data && self.wanted == Wanted::Heads);
        let head = head.and_then(|head| Cut::new(head, padding).ok());
        head.map_or_else(|| Cut::new(bytes, padding).map_err(|_| Fault::NotText), Ok)
    }

    /// Goes on to the next control record behind a record that could not be framed, or to the end.
    fn seek_control(&mut self) -> io::Result<()> {
        self.start += 1;
        loop {
            let ahead = self.ahead();
            if let Some(at) = memchr::memmem::find(ahead, CONTROL) {
                self.start += at;
                return Ok(());
            }
            let passed = ahead.len().saturating_sub(CONTROL.len() - 1);
            self.start += passed;
            if self.ended {
                self.start = self.filled;
                return Ok(());
            }
            self.fill(CHUNK)?;
        }
    }
}

fn kind_of(bytes: &[u8]) -> Kind {
    match bytes {
        [b'E', b'D', b'I', b'_', b'D', b'C', b'4', b'0', ..] => Kind::Control,
        [b'E', b'D', b'I', b'_', b'D', b'C', ..] => Kind::OldControl,
        [b'E', b'D', b'I', b'_', b'D', b'S', ..] => Kind::Status,
        _ => Kind::Data,
    }
}

const fn limit(kind: Kind) -> usize {
    match kind {
        Kind::Control | Kind::OldControl => CONTROL_WIDTH,
        Kind::Data | Kind::Status => DATA_WIDTH,
    }
}

/// How many characters UTF-8 has; a byte that is no text counts as one.
fn characters(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| **byte & 0xc0 != 0x80).count()
}

/// How many bytes so many characters take.
fn length_of(bytes: &[u8], width: usize) -> Option<usize> {
    let first = bytes.get(..width)?;
    if first.is_ascii() {
        return Some(width);
    }
    let mut seen = 0;
    for (at, byte) in bytes.iter().enumerate() {
        if byte & 0xc0 != 0x80 {
            if seen == width {
                return Some(at);
            }
            seen += 1;
        }
    }
    (seen == width).then_some(bytes.len())
}

#[cfg(test)]
mod tests;
