//! `IDoc`s in XML: an element for each segment, inside its parent's, and one for each field that is not blank.
//!
//! Roots are called as the type, its extension or whatever a broker made of it, with or without a namespace; only the
//! element `IDOC` counts. Text outside fields is ignored, as real files have stray characters there.

mod tree;

use std::io::{self, BufRead, BufReader, Read};

use einvoice_core::xml::leaf_of_bytes;
use quick_xml::Reader;
use quick_xml::errors::Error;
use quick_xml::events::{BytesRef, Event};

use self::tree::Tree;
use super::definitions::{Definitions, Kinds};
use super::{Found, fault};

/// The element around one `IDoc`.
const IDOC: &str = "IDOC";
/// Deepest nesting of elements; the deepest segment type of INVOIC has level 4.
const DEPTH_MAX: usize = 32;
/// Most bytes of one tag, text or comment, which is held in memory whole: a comment that is never closed has no end.
const PIECE_MAX: usize = 4 * 1024 * 1024;
/// What places are counted in.
const UNIT: &str = "line";

/// Reads a file of XML and hands over the `IDoc`s it holds until `take` says to stop.
pub(crate) fn read(
    input: impl Read,
    file: &str,
    definitions: &Definitions,
    take: &mut dyn FnMut(Found) -> bool,
) -> io::Result<()> {
    read_by(input, file, definitions, true, take)
}

/// See [`read`]; fields are taken at once, or not.
fn read_by(
    input: impl Read,
    file: &str,
    definitions: &Definitions,
    takes_fields: bool,
    take: &mut dyn FnMut(Found) -> bool,
) -> io::Result<()> {
    let lines = Lines { inner: BufReader::with_capacity(64 * 1024, input), line: 1, taken: 0 };
    let mut reader = Reader::from_reader(lines);
    let (mut buffer, mut depth, mut found) = (Vec::new(), 0_usize, 0_usize);
    let mut kinds = Kinds::new(definitions);
    let mut tree: Option<Tree> = None;
    // Whether what lies ahead stands behind a tag.
    let mut behind_tag = false;
    loop {
        buffer.clear();
        reader.get_mut().taken = 0;
        if let Some(tree) = tree.as_mut().filter(|_| takes_fields && behind_tag && depth < DEPTH_MAX) {
            take_fields(reader.get_mut(), tree);
        }
        let event = reader.read_event_into(&mut buffer);
        let at = reader.get_ref().line;
        let event = match event {
            Ok(event) => event,
            Err(Error::Io(error)) if error.kind() != io::ErrorKind::InvalidData => {
                return Err(io::Error::new(error.kind(), error.to_string()));
            }
            Err(error) => return end(file, at, tree.as_ref(), &error.to_string(), take),
        };
        behind_tag = matches!(event, Event::Start(_) | Event::Empty(_) | Event::End(_));
        match event {
            Event::Start(start) => {
                depth += 1;
                match &mut tree {
                    None if start.local_name().as_ref() == IDOC => tree = Some(Tree::new(at)),
                    None => {}
                    Some(tree) => tree.start(&start, at),
                }
                if depth > DEPTH_MAX {
                    return end(file, at, tree.as_ref(), &format!("elements are nested deeper than {DEPTH_MAX}"), take);
                }
            }
            Event::Empty(start) => {
                if let Some(tree) = &mut tree {
                    tree.start(&start, at);
                    tree.end();
                }
            }
            Event::End(_) => {
                depth = depth.saturating_sub(1);
                if let Some(open) = &mut tree
                    && !open.end()
                    && let Some(done) = tree.take()
                {
                    found += 1;
                    if !take(done.finish(file, &mut kinds)) {
                        return Ok(());
                    }
                }
            }
            Event::Text(text) => tree.iter_mut().for_each(|tree| tree.text(&text)),
            Event::CData(text) => tree.iter_mut().for_each(|tree| tree.text(&text)),
            Event::GeneralRef(reference) => tree.iter_mut().for_each(|tree| tree.text(&resolved(&reference))),
            // What it could define is read from other files and grows without limit.
            Event::DocType(_) => {
                return end(file, at, tree.as_ref(), "a document type stands here, which is not read", take);
            }
            Event::Eof if depth > 0 => {
                return end(file, at, tree.as_ref(), "the file ends before its last element does", take);
            }
            Event::Eof => break,
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
        }
    }
    if found == 0 {
        let message = "no element IDOC stands in the file";
        let finding = fault(
            "idoc.xml",
            message,
            format!("{file}, line 1"),
            "Send IDocs in XML, as the XML port of SAP writes them.",
        );
        take(Found { line: 1, unit: UNIT, number: String::new(), content: Err(vec![finding]), is_end: true });
    }
    Ok(())
}

/// Reports what ends the reading.
#[expect(clippy::unnecessary_wraps, reason = "it is what the reading returns")]
fn end(file: &str, at: u64, tree: Option<&Tree>, what: &str, take: &mut dyn FnMut(Found) -> bool) -> io::Result<()> {
    let inside = tree.map_or_else(String::new, |tree| format!(" in {}", tree.path()));
    let message = format!("the XML breaks{inside}: {what}; the IDocs before it were read, and nothing behind it");
    let fix = "Send the file again; if a program between SAP and here changes it, have that corrected.";
    let finding = fault("idoc.xml", message, format!("{file}, line {at}"), fix);
    let number = tree.map(Tree::number).unwrap_or_default();
    // Nothing comes after it, whether somebody listens or not.
    take(Found { line: at, unit: UNIT, number, content: Err(vec![finding]), is_end: true });
    Ok(())
}

/// Takes the fields that lie ahead as far as nothing about them is out of the ordinary, which are nearly all of a file, and
/// the blanks between them and a tag.
fn take_fields<R: BufRead>(lines: &mut Lines<R>, tree: &mut Tree) {
    // What cannot be read is met again by whoever reads on.
    let Ok(mut ahead) = lines.fill_buf() else { return };
    let all = ahead.len();
    while let Some(field) = leaf_of_bytes(ahead).filter(|field| tree.leaf(field)) {
        ahead = ahead.get(field.length..).unwrap_or_default();
    }
    if ahead.trim_ascii_start().first() == Some(&b'<') {
        ahead = ahead.trim_ascii_start();
    }
    let used = all - ahead.len();
    lines.consume(used);
    lines.taken = 0;
}

fn resolved(reference: &BytesRef<'_>) -> String {
    if let Ok(Some(character)) = reference.resolve_char_ref() {
        return character.to_string();
    }
    match &**reference {
        "amp" => "&".to_owned(),
        "lt" => "<".to_owned(),
        "gt" => ">".to_owned(),
        "quot" => "\"".to_owned(),
        "apos" => "'".to_owned(),
        other => format!("&{other};"),
    }
}

/// Counts lines as they are used up, and ends where one piece is too large.
struct Lines<R> {
    inner: R,
    line: u64,
    /// Bytes used up since a piece began.
    taken: usize,
}

impl<R: BufRead> Read for Lines<R> {
    fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(target)?;
        let lines = memchr::memchr_iter(b'\n', target.get(..read).unwrap_or_default()).count();
        self.line += u64::try_from(lines).unwrap_or_default();
        Ok(read)
    }
}

impl<R: BufRead> BufRead for Lines<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.taken > PIECE_MAX {
            let what = format!("a tag, text or comment has more than {PIECE_MAX} bytes");
            return Err(io::Error::new(io::ErrorKind::InvalidData, what));
        }
        self.inner.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        if let Ok(buffer) = self.inner.fill_buf() {
            let lines = memchr::memchr_iter(b'\n', buffer.get(..amount).unwrap_or_default()).count();
            self.line += u64::try_from(lines).unwrap_or_default();
        }
        self.taken = self.taken.saturating_add(amount);
        self.inner.consume(amount);
    }
}

#[cfg(test)]
mod tests;
