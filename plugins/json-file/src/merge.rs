//! Joins answers into a response file: the old file is read piece by piece and written anew.
//!
//! The new file is written beside the old one, forced to disk and renamed, so a reader sees the old
//! content or the new, never a part.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, BufWriter, Read, Write};
use std::path::Path;

use einvoice_core::document::MAX_BYTES;
use einvoice_core::receipt::Edition;
use einvoice_file_drop::json::{Fault, Splitter};
use einvoice_file_drop::{beside, finish};
use serde::Deserialize;
use serde_json::Value;

use crate::response::Reference;

/// Largest answer: the signed copy of the largest document in base64, and room.
const ANSWER_BYTES_MAX: usize = 8 * MAX_BYTES;

/// Answers that wait to be written, in the order of the file: by number of the document and record.
pub(crate) type Answers = BTreeMap<(u64, String), Waiting>;

/// An answer that waits to be written.
#[derive(Debug)]
pub(crate) struct Waiting {
    /// Which result of the document it is.
    pub(crate) edition: Edition,
    /// The file whose number alone names the document, as in files of our own source: whatever other
    /// record of that file stood at the number was edited away. Requests of several names may share
    /// a response (`a.json` and `a.xml`), and each keeps its answers.
    pub(crate) alone: Option<String>,
    /// The answer.
    pub(crate) line: Vec<u8>,
}

/// The part of an answer in a file that merging looks at.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Stored {
    pub(crate) reference: Reference,
    /// A number or a text, as it was asked for.
    #[serde(default)]
    ack_no: Value,
}

impl Stored {
    /// Which result of its document it is.
    fn edition(&self) -> Edition {
        let ack_no = match &self.ack_no {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        };
        Edition { ledger: self.reference.ledger.clone(), revision: self.reference.revision, ack_no }
    }
}

/// How a response file is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layout {
    /// A list.
    List,
    /// One answer a line.
    Lines,
}

/// Merges answers into the file. An answer that is there already, or a later one of its document,
/// changes nothing; a file that would not change is not touched.
pub(crate) fn merge(path: &Path, layout: Layout, mut answers: Answers) -> io::Result<()> {
    drop_outdated(path, &mut answers)?;
    if answers.is_empty() {
        return Ok(());
    }
    let mut out = Output { out: BufWriter::new(beside(path)?), layout, written: 0 };
    write_merged(path, answers, &mut out)?;
    finish(out.finish()?, path)
}

/// Hands every answer of a file to `take`, with its text.
pub(crate) fn each(path: &Path, take: impl FnMut(Stored, &[u8]) -> io::Result<()>) -> io::Result<()> {
    match File::open(path) {
        Ok(file) => answers(file, take),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

/// Hands every answer of an open file to `take`.
pub(crate) fn answers(file: impl Read, mut take: impl FnMut(Stored, &[u8]) -> io::Result<()>) -> io::Result<()> {
    for piece in Splitter::new(file, false).with_bytes_max(ANSWER_BYTES_MAX) {
        let bytes = match piece?.content {
            Ok(bytes) => bytes,
            Err(Fault::Empty) => continue,
            Err(_) => return Err(foreign()),
        };
        let stored: Stored = serde_json::from_slice(&bytes).map_err(|_| foreign())?;
        take(stored, &bytes)?;
    }
    Ok(())
}

fn foreign() -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        "a file of this name is there that was not written here, or was edited; move it away",
    )
}

/// Removes the answers that the file has already.
fn drop_outdated(path: &Path, answers: &mut Answers) -> io::Result<()> {
    each(path, |stored, _| {
        let edition = stored.edition();
        let key = (stored.reference.document, stored.reference.record);
        if answers.get(&key).is_some_and(|waiting| edition.covers(&waiting.edition)) {
            answers.remove(&key);
        }
        Ok(())
    })
}

/// Writes old and new answers in the order of documents; a new one replaces the old one.
fn write_merged<W: Write>(path: &Path, mut answers: Answers, out: &mut Output<W>) -> io::Result<()> {
    let alone = answers.iter().filter_map(|((document, _), waiting)| Some((*document, waiting.alone.clone()?)));
    let numbers: BTreeSet<(u64, String)> = alone.collect();
    each(path, |Stored { reference, .. }, bytes| {
        let place = (reference.document, reference.file);
        let key = (reference.document, reference.record);
        let mut later = answers.split_off(&key);
        let replaced = later.remove(&key);
        for waiting in std::mem::replace(&mut answers, later).values() {
            out.write(&waiting.line)?;
        }
        match replaced {
            Some(waiting) => out.write(&waiting.line),
            None if numbers.contains(&place) => Ok(()),
            None => out.write(bytes),
        }
    })?;
    answers.values().try_for_each(|waiting| out.write(&waiting.line))
}

struct Output<W: Write> {
    out: BufWriter<W>,
    layout: Layout,
    written: u64,
}

impl<W: Write> Output<W> {
    fn write(&mut self, answer: &[u8]) -> io::Result<()> {
        match (self.layout, self.written) {
            (Layout::Lines, _) => {}
            (Layout::List, 0) => self.out.write_all(b"[\n")?,
            (Layout::List, _) => self.out.write_all(b",\n")?,
        }
        self.written += 1;
        self.out.write_all(answer)?;
        if self.layout == Layout::Lines { self.out.write_all(b"\n") } else { Ok(()) }
    }

    fn finish(mut self) -> io::Result<W> {
        if self.layout == Layout::List {
            self.out.write_all(if self.written == 0 { b"[]\n" } else { b"\n]\n" })?;
        }
        self.out.into_inner().map_err(io::IntoInnerError::into_error)
    }
}
