//! Finds where documents begin and end in a file of any size, with the memory of one document.
//!
//! It follows brackets and strings only; whether a document is good JSON is judged when it is read.
//! A fault of one document leaves the others alone. A fault of the file's own structure ends the
//! reading, since nobody can tell any more where documents begin.

use std::fmt;
use std::io::{self, Read};

use einvoice_core::document::{MAX_BYTES, MAX_DEPTH};

/// Levels that a wrapper may add around a document.
const WRAPPER_LEVELS: usize = 1;
/// Bytes read at once.
const CHUNK: usize = 64 * 1024;

/// What a file holds, one after the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// Counts from 1.
    pub number: u64,
    /// Line of its first character, counting from 1.
    pub line: u64,
    /// Column of its first character, counting from 1.
    pub column: u64,
    /// Its bytes, or what is wrong.
    pub content: Result<Vec<u8>, Fault>,
}

/// What can be wrong with the structure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// No character at all, or blanks only.
    Empty,
    /// It begins like no JSON of documents.
    NotJson,
    /// The file ends inside this document.
    Truncated,
    /// The file ends before the list does.
    Unclosed,
    /// A document has more bytes than the portal takes.
    TooLarge,
    /// A document is nested too deeply.
    TooDeep,
    /// A bracket closes another one than the last that was opened.
    Mismatch,
    /// A comma is missing, or stands where a document should.
    Comma,
    /// Something follows the list.
    TrailingText,
}

impl Fault {
    /// Whether nothing behind it can be read any more.
    #[must_use]
    pub const fn ends_the_reading(self) -> bool {
        !matches!(self, Self::TooLarge | Self::TooDeep)
    }

    /// What is wrong, and what to do, for a person.
    #[must_use]
    pub const fn explain(self) -> (&'static str, &'static str) {
        let again = "Export the file again, and let it be complete before it is put here.";
        match self {
            Self::Empty => ("the file is empty", again),
            Self::NotJson => (
                "the file does not begin with { or [",
                "Put JSON with documents here; XML needs a name that ends in .xml, or `format` that says what it is.",
            ),
            Self::Truncated => ("the file ends inside this document; the documents before it were read", again),
            Self::Unclosed => ("the file ends before its list is closed; the documents before were read", again),
            Self::TooLarge => (
                "the document is larger than the 2 MB that the portal takes",
                "Leave out attachments, or split the document.",
            ),
            Self::TooDeep => ("the document is nested too deeply", "Give a plain document; INV-01 needs four levels."),
            Self::Mismatch => (
                "a bracket closes that was not opened; from here on the file cannot be read",
                "Correct the program that wrote the file; the documents before this place were read.",
            ),
            Self::Comma => (
                "documents are not separated by one comma each; from here on the file cannot be read",
                "Correct the program that wrote the file; the documents before this place were read.",
            ),
            Self::TrailingText => (
                "text follows the end of the list and was not read",
                "Put one list, or one document a line, into a file.",
            ),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Start,
    /// Inside the list; true when a document may follow without a comma.
    List {
        first: bool,
    },
    AfterList,
    /// Documents one after the other.
    Sequence,
    /// One document a line.
    Lines,
    End,
}

/// An iterator over the pieces of a file.
pub struct Splitter<R> {
    input: Input<R>,
    state: State,
    lines: bool,
    bytes_max: usize,
    number: u64,
}

impl<R: Read> Splitter<R> {
    /// Splits UTF-8. With `lines`, each line is a document of its own, whatever it holds.
    pub fn new(reader: R, lines: bool) -> Self {
        Self { input: Input::new(reader), state: State::Start, lines, bytes_max: MAX_BYTES, number: 0 }
    }

    /// With another limit to the bytes of a document, which is otherwise that of the portal.
    #[must_use]
    pub fn with_bytes_max(self, bytes_max: usize) -> Self {
        Self { bytes_max, ..self }
    }

    fn step(&mut self) -> io::Result<Option<Piece>> {
        loop {
            let next = self.input.skip_blanks()?;
            match (self.state, next) {
                (State::Start, None) => return Ok(Some(self.fault(Fault::Empty))),
                (State::Start, Some(b'[')) => {
                    self.input.bump();
                    self.state = State::List { first: true };
                }
                (State::Start, Some(_)) if self.lines => self.state = State::Lines,
                (State::Start, Some(b'{')) => self.state = State::Sequence,
                (State::Start, Some(_)) => return Ok(Some(self.fault(Fault::NotJson))),
                (State::List { .. }, None) => return Ok(Some(self.fault(Fault::Unclosed))),
                (State::List { .. }, Some(b']')) => {
                    self.input.bump();
                    self.state = State::AfterList;
                }
                (State::List { first: false }, Some(b',')) => {
                    self.input.bump();
                    match self.input.skip_blanks()? {
                        None => return Ok(Some(self.fault(Fault::Unclosed))),
                        Some(b',' | b']') => return Ok(Some(self.fault(Fault::Comma))),
                        Some(_) => return self.element().map(Some),
                    }
                }
                (State::List { first: true }, Some(b',')) | (State::List { first: false }, Some(_)) => {
                    return Ok(Some(self.fault(Fault::Comma)));
                }
                (State::List { first: true }, Some(_)) | (State::Sequence, Some(b'{')) => {
                    return self.element().map(Some);
                }
                (State::Lines, Some(_)) => return self.line().map(Some),
                (State::AfterList | State::Sequence, Some(_)) => return Ok(Some(self.fault(Fault::TrailingText))),
                (State::AfterList | State::Sequence | State::Lines, None) | (State::End, _) => return Ok(None),
            }
        }
    }

    /// A fault of the file's structure, at the present place.
    fn fault(&mut self, fault: Fault) -> Piece {
        self.state = State::End;
        self.number += 1;
        let (line, column) = (self.input.line, self.input.column);
        Piece { number: self.number, line, column, content: Err(fault) }
    }

    fn element(&mut self) -> io::Result<Piece> {
        if let State::List { first } = &mut self.state {
            *first = false;
        }
        self.number += 1;
        let (number, line, column) = (self.number, self.input.line, self.input.column);
        let content = Element { bytes_max: self.bytes_max, ..Element::default() }.read(&mut self.input)?;
        if matches!(content, Err(Fault::Truncated | Fault::Mismatch)) {
            self.state = State::End;
        }
        Ok(Piece { number, line, column, content })
    }

    fn line(&mut self) -> io::Result<Piece> {
        self.number += 1;
        let (number, line, column) = (self.number, self.input.line, self.input.column);
        let (mut buffer, bytes_max) = (Buffer::default(), self.bytes_max);
        while self.input.peek()?.is_some_and(|byte| byte != b'\n') {
            self.input.take_until(|byte| byte == b'\n', &mut buffer, bytes_max);
        }
        Ok(Piece { number, line, column, content: buffer.finish() })
    }
}

impl<R> fmt::Debug for Splitter<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Without the bytes at hand, which are those of documents.
        f.debug_struct("Splitter").field("state", &self.state).field("number", &self.number).finish_non_exhaustive()
    }
}

impl<R: Read> Iterator for Splitter<R> {
    type Item = io::Result<Piece>;

    fn next(&mut self) -> Option<Self::Item> {
        let step = self.step();
        if step.is_err() {
            self.state = State::End;
        }
        step.transpose()
    }
}

/// One element on its way: the brackets that are open and the bytes so far.
#[derive(Default)]
struct Element {
    buffer: Buffer,
    bytes_max: usize,
    depth: usize,
    /// Kinds of the open brackets, the innermost in the lowest bit: 1 for a list.
    kinds: u128,
    too_deep: bool,
    in_string: bool,
    escaped: bool,
}

impl Element {
    fn read<R: Read>(mut self, input: &mut Input<R>) -> io::Result<Result<Vec<u8>, Fault>> {
        loop {
            let Some(byte) = input.peek()? else { return Ok(Err(Fault::Truncated)) };
            if self.take_plain(input) {
                continue;
            }
            if self.in_string {
                self.string_byte(byte);
            } else {
                match byte {
                    b'"' => self.in_string = true,
                    b'{' | b'[' => self.open(byte == b'['),
                    b'}' | b']' => {
                        if self.depth == 0 && !self.buffer.is_empty() {
                            return Ok(self.buffer.finish());
                        }
                        if !self.close(byte == b']') {
                            return Ok(Err(Fault::Mismatch));
                        }
                    }
                    b',' | b' ' | b'\t' | b'\r' | b'\n' if self.depth == 0 => return Ok(self.buffer.finish()),
                    _ => {}
                }
            }
            self.buffer.push(byte, self.bytes_max);
            input.bump();
            if self.depth == 0 && !self.in_string && matches!(byte, b'}' | b']' | b'"') {
                return Ok(if self.too_deep { Err(Fault::TooDeep) } else { self.buffer.finish() });
            }
        }
    }

    /// Takes the bytes that mean nothing here in one go; true if there were any.
    fn take_plain<R: Read>(&mut self, input: &mut Input<R>) -> bool {
        let (buffer, bytes_max) = (&mut self.buffer, self.bytes_max);
        let taken = match (self.in_string, self.escaped, self.depth) {
            (true, false, _) => input.take_until(|byte| matches!(byte, b'"' | b'\\' | b'\n'), buffer, bytes_max),
            (false, _, 1..) => {
                input.take_until(|byte| matches!(byte, b'"' | b'{' | b'}' | b'[' | b']' | b'\n'), buffer, bytes_max)
            }
            _ => 0,
        };
        taken > 0
    }

    fn string_byte(&mut self, byte: u8) {
        if self.escaped {
            self.escaped = false;
        } else if byte == b'\\' {
            self.escaped = true;
        } else if byte == b'"' {
            self.in_string = false;
        }
    }

    fn open(&mut self, list: bool) {
        self.depth += 1;
        // Deeper than this the kinds are not followed any more; the element is refused anyway.
        if self.depth > MAX_DEPTH + WRAPPER_LEVELS {
            self.too_deep = true;
        } else {
            self.kinds = self.kinds << 1 | u128::from(list);
        }
    }

    /// False when the bracket does not close the last one that was opened.
    fn close(&mut self, list: bool) -> bool {
        if self.depth == 0 {
            return false;
        }
        if self.depth <= MAX_DEPTH + WRAPPER_LEVELS {
            if (self.kinds & 1 == 1) != list {
                return false;
            }
            self.kinds >>= 1;
        }
        self.depth -= 1;
        true
    }
}

/// The bytes of an element, up to the limit.
#[derive(Default)]
struct Buffer {
    bytes: Vec<u8>,
    too_large: bool,
}

impl Buffer {
    fn push(&mut self, byte: u8, bytes_max: usize) {
        if self.bytes.len() < bytes_max {
            self.bytes.push(byte);
        } else {
            self.too_large = true;
        }
    }

    fn extend(&mut self, bytes: &[u8], bytes_max: usize) {
        let room = bytes_max.saturating_sub(self.bytes.len());
        self.bytes.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
        self.too_large |= bytes.len() > room;
    }

    fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    fn finish(self) -> Result<Vec<u8>, Fault> {
        if self.too_large { Err(Fault::TooLarge) } else { Ok(self.bytes) }
    }
}

/// Bytes with their place.
struct Input<R> {
    reader: R,
    chunk: Vec<u8>,
    at: usize,
    line: u64,
    column: u64,
}

impl<R: Read> Input<R> {
    fn new(reader: R) -> Self {
        Self { reader, chunk: Vec::new(), at: 0, line: 1, column: 1 }
    }

    fn peek(&mut self) -> io::Result<Option<u8>> {
        if let Some(byte) = self.chunk.get(self.at) {
            return Ok(Some(*byte));
        }
        self.chunk.resize(CHUNK, 0);
        self.at = 0;
        let count = loop {
            match self.reader.read(&mut self.chunk) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => break result,
            }
        };
        self.chunk.truncate(*count.as_ref().unwrap_or(&0));
        count?;
        Ok(self.chunk.first().copied())
    }

    /// Steps over the byte that was seen.
    fn bump(&mut self) {
        let Some(byte) = self.chunk.get(self.at) else { return };
        self.at += 1;
        if *byte == b'\n' {
            self.line += 1;
            self.column = 1;
        } else if *byte & 0xc0 != 0x80 {
            // Columns count characters: the later bytes of one do not.
            self.column += 1;
        }
    }

    /// Moves what is at hand before the next byte that `stops` into the buffer and says how much it
    /// was. A line feed must stop.
    fn take_until(&mut self, stops: impl Fn(u8) -> bool, buffer: &mut Buffer, bytes_max: usize) -> usize {
        let rest = self.chunk.get(self.at..).unwrap_or_default();
        let end = rest.iter().position(|byte| stops(*byte)).unwrap_or(rest.len());
        let plain = rest.get(..end).unwrap_or_default();
        buffer.extend(plain, bytes_max);
        let characters = plain.iter().filter(|byte| **byte & 0xc0 != 0x80).count();
        self.column = self.column.saturating_add(u64::try_from(characters).unwrap_or(u64::MAX));
        self.at += plain.len();
        plain.len()
    }

    fn skip_blanks(&mut self) -> io::Result<Option<u8>> {
        while let Some(byte) = self.peek()? {
            if !matches!(byte, b' ' | b'\t' | b'\r' | b'\n') {
                return Ok(Some(byte));
            }
            self.bump();
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests;
