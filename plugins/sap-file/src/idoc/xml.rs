//! `IDoc`s in XML: an element for each segment, inside its parent's, and one for each field that is not blank.
//!
//! Roots are called as the type, its extension or whatever a broker made of it, with or without a namespace; only the
//! element `IDOC` counts. Text outside fields is ignored, as real files have stray characters there.

use std::io::{self, BufRead, BufReader, Read};
use std::ops::Range;

use einvoice_core::xml::{Leaf, leaf_of_bytes};
use quick_xml::Reader;
use quick_xml::errors::Error;
use quick_xml::events::{BytesRef, BytesStart, Event};

use super::content::{Writer, push_field};
use super::definitions::{Definitions, Kinds};
use super::{CONTROL_RECORD, Found, SEGMENTS_MAX, TEXT_MAX, fault};

/// The element around one `IDoc`.
const IDOC: &str = "IDOC";
/// Deepest nesting of elements; the deepest segment type of INVOIC has level 4.
const DEPTH_MAX: usize = 32;
/// Longest text of a field: the data of a segment.
const FIELD_MAX: usize = 4_000;
/// Most bytes of one tag, text or comment, which is held in memory whole: a comment that is never closed has no end.
const PIECE_MAX: usize = 4 * 1024 * 1024;
/// What places are counted in.
const UNIT: &str = "line";
/// End of the names of elements that some brokers put around a segment and those below it.
const GROUP: &[u8] = b"GRP";

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

/// One `IDoc` while it is read.
#[derive(Debug)]
struct Tree {
    line: u64,
    segments: Vec<Segment>,
    /// The fields of all segments, as the text of the `IDoc` has them.
    written: Vec<u8>,
    /// Where the fields stand there in the order of the file, and the segment they belong to.
    runs: Vec<(usize, Range<usize>)>,
    /// The number of the `IDoc`, once it was read.
    number: Option<String>,
    open: Vec<Element>,
    too_large: bool,
    size: usize,
}

#[derive(Debug)]
struct Segment {
    /// Its parent's place among the segments, if it has one.
    parent: Option<usize>,
    name: String,
    line: u64,
}

/// An element that is open.
#[derive(Debug)]
struct Element {
    name: String,
    line: u64,
    text: String,
    /// The segment it is, once something shows that it is one.
    segment: Option<usize>,
    is_group: bool,
}

impl Tree {
    fn new(line: u64) -> Self {
        Self {
            line,
            segments: Vec::new(),
            written: Vec::new(),
            runs: Vec::new(),
            number: None,
            open: Vec::new(),
            too_large: false,
            size: 0,
        }
    }

    /// Takes an element that has a text and nothing else; false where it is no field.
    fn leaf(&mut self, leaf: &Leaf<'_, [u8]>) -> bool {
        let name = leaf.local_name();
        if is_group(name) || leaf.text.len() > FIELD_MAX {
            return false;
        }
        self.open_parent();
        self.grow(leaf.text.len());
        self.field(name, leaf.text);
        true
    }

    /// A field of the innermost segment.
    fn field(&mut self, name: &[u8], value: &[u8]) {
        let Some(segment) = self.open.last().and_then(|parent| parent.segment) else { return };
        if segment == 0 && self.number.is_none() && name == b"DOCNUM" {
            self.number = Some(String::from_utf8_lossy(value).trim().to_owned());
        }
        let begin = self.written.len();
        push_field(&mut self.written, name, value);
        let end = self.written.len();
        match self.runs.last_mut().filter(|(of, _)| *of == segment) {
            Some((_, run)) => run.end = end,
            None => self.runs.push((segment, begin..end)),
        }
    }

    fn grow(&mut self, bytes: usize) {
        self.size = self.size.saturating_add(bytes);
        self.too_large |= self.size > TEXT_MAX;
    }

    fn start(&mut self, start: &BytesStart<'_>, line: u64) {
        let name = start.local_name().as_ref().to_owned();
        self.open_parent();
        let is_segment = match start.attributes_raw().trim() {
            "" => false,
            // As SAP writes it.
            "SEGMENT=\"1\"" => true,
            // Looking for names that stand twice takes the square of their number.
            _ => {
                let mut attributes = start.attributes();
                attributes.with_checks(false).flatten().any(|found| found.key.local_name().as_ref() == "SEGMENT")
            }
        };
        let is_group = !is_segment && is_group(name.as_bytes());
        self.open.push(Element { name, line, text: String::new(), segment: None, is_group });
        if is_segment {
            self.open_parent();
        }
    }

    /// Makes a segment of the innermost element: it has the attribute of one, or an element inside.
    fn open_parent(&mut self) {
        let parent = self.open.iter().rev().skip(1).find_map(|element| element.segment);
        let Some(element) = self.open.last_mut() else { return };
        if element.segment.is_some() || element.is_group {
            return;
        }
        if u32::try_from(self.segments.len()).is_ok_and(|count| count > SEGMENTS_MAX) {
            self.too_large = true;
            return;
        }
        element.segment = Some(self.segments.len());
        let segment = Segment { parent, name: element.name.clone(), line: element.line };
        // The first segment in a group is the parent of the others.
        let number = self.segments.len();
        self.segments.push(segment);
        let above = self.open.len().checked_sub(2).and_then(|at| self.open.get_mut(at));
        if let Some(group) = above.filter(|above| above.is_group && above.segment.is_none()) {
            group.segment = Some(number);
        }
    }

    fn text(&mut self, text: &str) {
        self.grow(text.len());
        let Some(element) = self.open.last_mut() else { return };
        if element.segment.is_none() && element.text.len() + text.len() <= FIELD_MAX {
            element.text.push_str(text);
        } else if element.segment.is_none() {
            self.too_large = true;
        }
    }

    /// Closes the innermost element; false when that is the `IDoc` itself.
    fn end(&mut self) -> bool {
        let Some(element) = self.open.pop() else { return false };
        if element.segment.is_none() && !element.is_group {
            self.field(element.name.as_bytes(), element.text.as_bytes());
        }
        true
    }

    /// The elements that are open, for a message.
    fn path(&self) -> String {
        let names: Vec<&str> = self.open.iter().map(|element| element.name.as_str()).collect();
        let open = if names.is_empty() { IDOC.to_owned() } else { format!("{IDOC}/{}", names.join("/")) };
        match self.number() {
            number if number.is_empty() => open,
            number => format!("IDoc {number}, {open}"),
        }
    }

    fn number(&self) -> String {
        let control = self.segments.first().filter(|first| first.name == CONTROL_RECORD);
        control.and(self.number.clone()).unwrap_or_default()
    }

    fn finish(mut self, file: &str, kinds: &mut Kinds<'_>) -> Found {
        let number = self.number();
        let place = format!("{file}, IDoc {number} that begins at line {}", self.line);
        let mut faults = Vec::new();
        if self.too_large {
            let message = format!(
                "the IDoc has more than {SEGMENTS_MAX} segments, more than {TEXT_MAX} bytes, or a field of more than {FIELD_MAX}"
            );
            faults.push(fault(
                "idoc.too_large",
                message,
                &place,
                "Split the billing document; an invoice has at most 1,000 items.",
            ));
        }
        if self.segments.first().is_none_or(|first| first.name != CONTROL_RECORD) {
            let first = self.segments.first().map_or("nothing", |first| first.name.as_str());
            let message = format!("the IDoc begins with {first} instead of its control record {CONTROL_RECORD}");
            faults.push(fault("idoc.control_record", message, &place, "Send the IDoc with its control record."));
        } else if self.segments.len() == 1 {
            faults.push(fault(
                "idoc.truncated",
                "a control record without any segment",
                &place,
                "Send the IDoc again.",
            ));
        }
        if !faults.is_empty() {
            return Found { line: self.line, unit: UNIT, number, content: Err(faults), is_end: false };
        }
        // Fields may stand behind the segments below their own.
        self.runs.sort_by_key(|(segment, _)| *segment);
        let (mut writer, mut runs) = (Writer::default(), self.runs.into_iter().peekable());
        for (number, segment) in self.segments.iter().enumerate() {
            // The control record is number 0, and parent of nothing.
            let parent = segment.parent.and_then(|parent| u32::try_from(parent).ok()).unwrap_or_default();
            writer.segment(parent, &kinds.of(&segment.name).name, segment.line.saturating_sub(self.line));
            while let Some((_, run)) = runs.next_if(|(of, _)| *of == number) {
                writer.fields(self.written.get(run).unwrap_or_default());
            }
        }
        Found { line: self.line, unit: UNIT, number, content: Ok(writer.finish()), is_end: false }
    }
}

/// Whether a name is that of an element around a segment and those below it.
fn is_group(name: &[u8]) -> bool {
    name.len() > GROUP.len() && name.ends_with(GROUP)
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
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Pieces of `IDoc`s, of which some are fields that can be taken at once and some nearly are.
    const PIECES: [&str; 17] = [
        "<E1EDK01 SEGMENT=\"1\">",
        "</E1EDK01>",
        "<E1EDP01>",
        "</E1EDP01>",
        "<XGRP>",
        "</XGRP>",
        "<A>1</A>",
        "<p:A> 2\t</p:A>",
        "<A></A>",
        "<A/>",
        "<AGRP>3</AGRP>",
        "<A x=\"1\">4</A>",
        "<A>&amp;</A>",
        "<A>5<!-- --></A>",
        "\n ",
        "x",
        "<A><![CDATA[ 6 ]]></A>",
    ];

    proptest! {
        #[test]
        fn any_idoc_is_read_alike_at_once_and_event_by_event(pieces in prop::collection::vec(prop::sample::select(&PIECES[..]), 0..16)) {
            let text = format!("<r>{}</r>", idoc(1, &pieces.concat()));
            let read = |takes_fields: bool| {
                let mut found = Vec::new();
                read_by(text.as_bytes(), "f.xml", &Definitions::default(), takes_fields, &mut |one| {
                    found.push((one.line, one.number, one.content.map_err(|faults| format!("{faults:?}")), one.is_end));
                    true
                })
                .unwrap();
                found
            };
            prop_assert_eq!(read(true), read(false));
        }
    }

    fn all(text: &str) -> Vec<Found> {
        let mut found = Vec::new();
        read(text.as_bytes(), "f.xml", &Definitions::default(), &mut |one| {
            found.push(one);
            true
        })
        .unwrap();
        found
    }

    fn idoc(number: u32, inside: &str) -> String {
        format!(
            "<IDOC BEGIN=\"1\"><EDI_DC40 SEGMENT=\"1\"><MANDT>100</MANDT><DOCNUM>{number:016}</DOCNUM></EDI_DC40>{inside}</IDOC>"
        )
    }

    #[test]
    fn segments_and_fields_are_read_whatever_the_root_the_prefixes_and_the_stray_text() {
        let inside = "è<E1EDK01 SEGMENT=\"1\"><CURCY>INR</CURCY><EMPTY/></E1EDK01>\n<E1EDP01><POSEX>10</POSEX>\
            <E1EDP19><KTEXT>A &amp; B &lt; &#67;</KTEXT></E1EDP19></E1EDP01>";
        let plain = format!("<?xml version=\"1.0\" encoding=\"UTF-16\"?>\n<ZINV>\n{}</ZINV>", idoc(1, inside));
        let found = all(&plain);
        let text = found[0].content.as_ref().unwrap();
        assert_eq!(
            text,
            "0 EDI_DC40 0\tMANDT=100\tDOCNUM=0000000000000001\n0 E1EDK01 0\tCURCY=INR\n0 E1EDP01 1\tPOSEX=10\n2 E1EDP19 1\tKTEXT=A & B < C"
        );
        assert_eq!((found.len(), found[0].line, found[0].number.as_str()), (1, 3, "0000000000000001"));
        let prefixed = plain.replace("<E1", "<n:E1").replace("</E1", "</n:E1").replace("ZINV", "n:Other");
        assert_eq!(all(&prefixed)[0].content.as_ref().unwrap(), text);
    }

    #[test]
    fn groups_and_names_of_versions_lead_to_the_same_segments() {
        let inside = "<E2EDK01005GRP><E2EDK01005><CURCY>INR</CURCY></E2EDK01005></E2EDK01005GRP><E2EDP01010GRP><E2EDP01010>\
            <POSEX>10</POSEX></E2EDP01010><E2EDP26><QUALF>003</QUALF></E2EDP26></E2EDP01010GRP>";
        let found = all(&format!("<a>{}</a>", idoc(1, inside)));
        let text = found[0].content.as_ref().unwrap();
        assert!(text.ends_with("\n0 E1EDK01 0\tCURCY=INR\n0 E1EDP01 0\tPOSEX=10\n2 E1EDP26 0\tQUALF=003"), "{text}");
    }

    #[test]
    fn several_idocs_are_read_and_those_before_a_break_are_kept() {
        let inside = "<E1EDK01><CURCY>INR</CURCY></E1EDK01>";
        let whole = format!("<a>{}\n{}</a>", idoc(1, inside), idoc(2, inside));
        assert_eq!(all(&whole).len(), 2);
        let broken = whole.replacen("</IDOC></a>", "</a>", 1);
        let found = all(&broken);
        assert!(found[0].content.is_ok() && found[1].is_end);
        let said = found[1].content.as_ref().unwrap_err()[0].to_string();
        assert!(said.contains("IDoc 0000000000000002, IDOC") && said.contains("line 2"), "{said}");
        let cut = &whole[..whole.len() - 30];
        assert!(all(cut)[1].is_end);
        for (other, wanted) in
            [("<a/>", "no element IDOC"), ("<!DOCTYPE a><a/>", "document type"), ("", "no element IDOC")]
        {
            let found = all(other);
            assert!(found[0].content.as_ref().unwrap_err()[0].message.contains(wanted), "{other}");
        }
    }

    /// Neither a comment without an end nor a tag of very many attributes takes memory or time without limit.
    #[test]
    fn a_piece_without_end_and_a_tag_of_many_attributes_are_bounded() {
        let segments = "<E1EDK01><CURCY>INR</CURCY></E1EDK01>";
        let endless = format!("<a>{}<!-- {}", idoc(1, segments), "-".repeat(3 * PIECE_MAX));
        let found = all(&endless);
        assert!(found[0].content.is_ok() && found[1].is_end);
        let said = found[1].content.as_ref().unwrap_err()[0].to_string();
        assert!(said.contains("more than 4194304 bytes"), "{said}");
        let attributes: Vec<String> = (0..200_000).map(|at| format!("a{at}=''")).collect();
        let wide = idoc(1, &segments.replace("<CURCY>", &format!("<CURCY {}>", attributes.join(" "))));
        assert!(all(&wide)[0].content.is_ok());
    }

    #[test]
    fn an_idoc_without_control_record_or_segments_is_refused_and_the_next_is_read() {
        let text = format!(
            "<a><IDOC><E1EDK01><CURCY>INR</CURCY></E1EDK01></IDOC>{}{}</a>",
            idoc(2, ""),
            idoc(3, "<E1EDK01><CURCY>INR</CURCY></E1EDK01>")
        );
        let rules: Vec<String> = all(&text)
            .iter()
            .map(|found| found.content.as_ref().map_or_else(|faults| faults[0].rule.to_string(), |_| "ok".into()))
            .collect();
        assert_eq!(rules, ["idoc.control_record", "idoc.truncated", "ok"]);
    }
}
