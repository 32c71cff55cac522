//! Finding vouchers and masters in the stream of a whole export.
//!
//! Objects are found by where they stand, not by name alone: answers hold counters that are named
//! like objects (`CMPINFO/VOUCHER`), and a voucher type holds fields named like masters. One object
//! at a time is in memory. One that is no well-formed XML is reported, and reading goes on at the
//! next one.

use std::borrow::Cow;
use std::io::{BufRead, Read};
use std::ops::ControlFlow;

use einvoice_core::xml::leaf_of_bytes;
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::DEPTH_MAX;
use super::seek::{Sought, pass_voucher, seek};
use crate::text::{CleanReader, Place, TextTooLong};

/// Limits of what is read into memory.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Most bytes of one text.
    pub(crate) text_bytes_max: usize,
    /// Most bytes of one voucher or master.
    pub(crate) object_bytes_max: usize,
}

/// Which objects to bring.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// Masters, in the first pass.
    Masters,
    /// Vouchers, in the second.
    Vouchers,
}

/// One thing found.
#[derive(Debug)]
pub(crate) enum Found<'a> {
    /// A voucher or master as clean XML.
    Object {
        /// Its text.
        text: &'a str,
        /// Where it begins in the file.
        place: Place,
        /// Its number among the wanted objects of the file, counted from 1.
        number: u64,
    },
    /// A voucher or master larger than the limit; it was passed over.
    Oversize {
        /// Where it begins.
        place: Place,
        /// Its number among the wanted objects.
        number: u64,
    },
    /// The company named by the request.
    Company(&'a str),
    /// An error text that Tally answered with.
    ErrorText {
        /// What it says.
        text: &'a str,
        /// Where it stands.
        place: Place,
    },
    /// A place that is no well-formed XML, or an object nested too deep; it was passed over.
    Fault(Fault),
}

/// What a whole file held.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Summary {
    /// Elements at all.
    pub(crate) elements: bool,
    /// The root is one that Tally or programs talking to it write.
    pub(crate) known_root: bool,
}

/// What is wrong at one place of a file. What was found before it stands.
#[derive(Debug)]
pub(crate) struct Fault {
    /// What is wrong.
    pub(crate) reason: String,
    /// Name of the rule it breaks.
    pub(crate) rule: &'static str,
    /// Where.
    pub(crate) place: Place,
    /// The voucher or master in which it happened.
    pub(crate) inside: Option<Box<Inside>>,
    /// Where reading went on; `None` when nothing after it was read.
    pub(crate) resumed: Option<Place>,
}

/// The voucher or master in which a fault happened.
#[derive(Debug)]
pub(crate) struct Inside {
    /// Its tag.
    pub(crate) tag: String,
    /// Where it begins.
    pub(crate) begins: Place,
    /// What had been read of it and its number, where it is of the wanted ones.
    pub(crate) unfinished: Option<(String, u64)>,
}

/// What an answer of status 0 says where it says nothing else.
pub(crate) const FAILED: &str = "Tally says that the request failed (status 0), and not why";
pub(crate) const MASTERS: [&str; 9] =
    ["LEDGER", "GROUP", "STOCKITEM", "STOCKGROUP", "UNIT", "VOUCHERTYPE", "TAXUNIT", "COMPANY", "CURRENCY"];
const PARENTS: [&str; 8] =
    ["TALLYMESSAGE", "COLLECTION", "DATA", "REQUESTDATA", "IMPORTDATA", "EXPORTDATA", "BODY", "ENVELOPE"];
const ROOTS: [&str; 7] = ["ENVELOPE", "VOUCHER", "TALLYMESSAGE", "RESPONSE", "ERRORMSG", "COLLECTION", "TALLYREQUEST"];

/// Reads a whole stream and hands over what is wanted, in order.
///
/// # Errors
/// [`Fault`] where the stream stops being readable: it cannot be read, it ends in the middle, or it
/// declares a document type.
pub(crate) fn split<R: Read>(
    input: R,
    wanted: Wanted,
    limits: Limits,
    found: &mut dyn FnMut(Found<'_>) -> ControlFlow<()>,
) -> Result<Summary, Fault> {
    let clean = CleanReader::open(input, limits.text_bytes_max)
        .map_err(|error| Fault::at(Place { line: 1, byte: 0 }, "tally.unreadable", error.to_string()))?;
    let mut reader = Reader::from_reader(clean);
    let mut splitter = Splitter::new(wanted, limits);
    let mut buffer = Vec::new();
    // Clean text before what this reader was given.
    let mut base = 0;
    // Whether what lies ahead stands behind a tag.
    let mut behind_tag = false;
    loop {
        let clean = reader.get_mut();
        clean.begin_piece();
        if behind_tag {
            let before = clean.offset();
            splitter.take_fields(clean);
            base += clean.offset() - before;
        }
        let start = base + reader.buffer_position();
        let event = reader.read_event_into(&mut buffer);
        behind_tag = matches!(event, Ok(Event::Start(_) | Event::Empty(_) | Event::End(_)));
        let step = match event {
            Ok(Event::Eof) => splitter.finish().map(|()| splitter.refused(found)),
            Ok(event) => splitter.event(event),
            Err(error) => Err(refusal(&error)),
        };
        let step = match step {
            Ok(Step::Deliver) => splitter.deliver(found),
            Ok(Step::Opened) => {
                let place = reader.get_mut().place(start);
                splitter.opened_at(place);
                if splitter.passes_over() {
                    let clean = reader.get_mut();
                    let before = clean.offset();
                    // What cannot be read is met again by whoever reads on.
                    _ = pass_voucher(clean);
                    base += clean.offset() - before;
                }
                Step::Go
            }
            Ok(Step::Text(text)) => splitter.text(&text, reader.get_mut().place(start), found),
            Ok(step) => step,
            Err(refusal) => {
                let at = start.max(base + reader.error_position());
                let mut clean = reader.into_inner();
                let step = splitter.pass_over(refusal, clean.place(at), &mut clean, found)?;
                base = clean.offset();
                reader = Reader::from_reader(clean);
                // The ends of what was open before the fault are still to come.
                reader.config_mut().allow_unmatched_ends = true;
                step
            }
        };
        if matches!(step, Step::Done) {
            return Ok(splitter.summary);
        }
        buffer.clear();
    }
}

enum Step {
    Go,
    Opened,
    Deliver,
    Text(String),
    Done,
}

/// Why something is not read on.
struct Refusal {
    rule: &'static str,
    reason: String,
    /// Nothing after it can be read or may be.
    ends: bool,
    /// The start tag that shows it, to be read again.
    again: Option<String>,
}

impl Refusal {
    fn passing(rule: &'static str, reason: impl Into<String>) -> Self {
        Self { rule, reason: reason.into(), ends: false, again: None }
    }

    fn ending(rule: &'static str, reason: impl Into<String>) -> Self {
        Self { ends: true, ..Self::passing(rule, reason) }
    }
}

struct Object {
    tag: String,
    /// Made of texts alone.
    text: Vec<u8>,
    depth: usize,
    place: Place,
    oversize: bool,
    wanted: bool,
}

struct Splitter {
    wanted: Wanted,
    limits: Limits,
    path: Vec<String>,
    object: Option<Object>,
    number: u64,
    summary: Summary,
    /// Where the header says that the request failed.
    failed: Option<Place>,
    /// An error text was handed over.
    refusal_told: bool,
}

impl Splitter {
    fn new(wanted: Wanted, limits: Limits) -> Self {
        let (path, summary) = (Vec::new(), Summary::default());
        Self { wanted, limits, path, object: None, number: 0, summary, failed: None, refusal_told: false }
    }

    fn event(&mut self, event: Event<'_>) -> Result<Step, Refusal> {
        match event {
            Event::Start(start) => self.start(&start, false),
            Event::Empty(start) => self.start(&start, true),
            Event::End(end) => Ok(self.end(end.name().as_ref())),
            Event::Text(text) => Ok(self.part(&text, "", "")),
            Event::CData(text) => Ok(self.part(&text, "<![CDATA[", "]]>")),
            Event::GeneralRef(name) => Ok(self.part(&name, "&", ";")),
            Event::DocType(_) => Err(declaration()),
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::Eof => Ok(Step::Go),
        }
    }

    fn start(&mut self, start: &BytesStart<'_>, empty: bool) -> Result<Step, Refusal> {
        let name = start.name();
        let name = name.as_ref();
        if let Some(object) = self.object.as_mut() {
            if object.never_closed_before(name, start, empty) {
                let reason = format!("the {} is never closed: another one begins inside it", object.tag);
                let again = Some(format!("<{}>", &**start));
                return Err(Refusal { again, ..Refusal::passing("tally.malformed_xml", reason) });
            }
            if object.depth >= DEPTH_MAX {
                return Err(too_deep());
            }
            if empty {
                // Empty fields say nothing, but attributes of an empty element may.
                if !start.attributes_raw().trim().is_empty() {
                    object.push::<&str>(&["<", start, "/>"], self.limits.object_bytes_max);
                }
            } else {
                object.depth += 1;
                object.push::<&str>(&["<", start, ">"], self.limits.object_bytes_max);
            }
            return Ok(Step::Go);
        }
        if !self.summary.elements {
            self.summary.elements = true;
            self.summary.known_root = ROOTS.contains(&name) || MASTERS.contains(&name);
        }
        if self.path.len() >= DEPTH_MAX {
            return Err(too_deep());
        }
        if empty {
            return Ok(Step::Go);
        }
        let is_voucher = name == "VOUCHER";
        if (is_voucher || MASTERS.contains(&name)) && self.stands_for_objects() {
            let wanted = (self.wanted == Wanted::Vouchers) == is_voucher;
            self.number += u64::from(wanted);
            let place = Place { line: 1, byte: 0 };
            let mut object =
                Object { tag: name.to_owned(), text: Vec::new(), depth: 1, place, oversize: false, wanted };
            object.push::<&str>(&["<", start, ">"], self.limits.object_bytes_max);
            self.object = Some(object);
            return Ok(Step::Opened);
        }
        self.path.push(name.to_owned());
        Ok(Step::Go)
    }

    /// Takes the fields of an object that lie ahead as far as nothing about them is out of the ordinary, which are most of
    /// a file.
    fn take_fields<R: Read>(&mut self, clean: &mut CleanReader<R>) {
        let Some(object) = self.object.as_mut().filter(|object| object.depth < DEPTH_MAX) else { return };
        // What cannot be read is met again by whoever reads on.
        let Ok(mut ahead) = clean.fill_buf() else { return };
        let all = ahead.len();
        // A message shows that the object was cut off.
        while let Some(field) = leaf_of_bytes(ahead).filter(|field| field.name != b"TALLYMESSAGE") {
            if !field.text.iter().all(u8::is_ascii_whitespace) {
                object.push(&[field.whole], self.limits.object_bytes_max);
            }
            ahead = ahead.get(field.length..).unwrap_or_default();
        }
        if ahead.trim_ascii_start().first() == Some(&b'<') {
            ahead = ahead.trim_ascii_start();
        }
        let used = all - ahead.len();
        clean.consume(used);
        clean.begin_piece();
    }

    fn stands_for_objects(&self) -> bool {
        self.path.last().is_none_or(|parent| PARENTS.contains(&parent.as_str()))
    }

    fn end(&mut self, name: &str) -> Step {
        let Some(object) = self.object.as_mut() else {
            // Well-formed text closes the last one; after a fault it may be one further out, or one
            // that was passed over.
            if let Some(at) = self.path.iter().rposition(|open| open == name) {
                self.path.truncate(at);
            }
            return Step::Go;
        };
        object.depth -= 1;
        object.close(name, self.limits.object_bytes_max);
        if object.depth == 0 { Step::Deliver } else { Step::Go }
    }

    fn part(&mut self, text: &str, before: &str, after: &str) -> Step {
        match self.object.as_mut() {
            Some(object) => {
                if before.is_empty() && text.bytes().all(|byte| byte.is_ascii_whitespace()) {
                    return Step::Go;
                }
                object.push::<&str>(&[before, text, after], self.limits.object_bytes_max);
                Step::Go
            }
            None if text.trim().is_empty() => Step::Go,
            None => Step::Text(text.trim().to_owned()),
        }
    }

    fn text(&mut self, text: &str, place: Place, found: &mut dyn FnMut(Found<'_>) -> ControlFlow<()>) -> Step {
        let flow = match self.path.last().map(String::as_str) {
            Some("SVCURRENTCOMPANY") => found(Found::Company(text)),
            Some("ERRORMSG" | "LINEERROR" | "RESPONSE") => {
                self.refusal_told = true;
                found(Found::ErrorText { text, place })
            }
            Some("STATUS") if text == "0" && self.path.iter().rev().nth(1).is_some_and(|parent| parent == "HEADER") => {
                self.failed = Some(place);
                ControlFlow::Continue(())
            }
            _ => ControlFlow::Continue(()),
        };
        if flow.is_break() { Step::Done } else { Step::Go }
    }

    fn opened_at(&mut self, place: Place) {
        if let Some(object) = self.object.as_mut() {
            object.place = place;
        }
    }

    /// Whether the open object is a voucher that nobody asked for: most of a file, in the first pass.
    fn passes_over(&self) -> bool {
        self.object.as_ref().is_some_and(|object| !object.wanted && object.tag == "VOUCHER")
    }

    fn deliver(&mut self, found: &mut dyn FnMut(Found<'_>) -> ControlFlow<()>) -> Step {
        let Some(object) = self.object.take() else { return Step::Go };
        if !object.wanted {
            return Step::Go;
        }
        let (place, number) = (object.place, self.number);
        let flow = if object.oversize {
            found(Found::Oversize { place, number })
        } else {
            found(Found::Object { text: &object.text(), place, number })
        };
        if flow.is_break() { Step::Done } else { Step::Go }
    }

    fn finish(&mut self) -> Result<(), Refusal> {
        if self.object.is_some() || !self.path.is_empty() {
            return Err(Refusal::ending(
                "tally.truncated",
                "the file ends in the middle; it was not exported or copied to its end",
            ));
        }
        Ok(())
    }

    /// The end of an answer that failed without saying why: it must not pass for one that holds nothing.
    fn refused(&self, found: &mut dyn FnMut(Found<'_>) -> ControlFlow<()>) -> Step {
        if let Some(place) = self.failed.filter(|_| !self.refusal_told) {
            _ = found(Found::ErrorText { text: FAILED, place });
        }
        Step::Done
    }

    /// Reports a fault and goes to the next object, where there is one.
    fn pass_over<R: Read>(
        &mut self,
        refusal: Refusal,
        place: Place,
        clean: &mut CleanReader<R>,
        found: &mut dyn FnMut(Found<'_>) -> ControlFlow<()>,
    ) -> Result<Step, Fault> {
        let mut fault = Fault::at(place, refusal.rule, refusal.reason);
        let number = self.number;
        fault.inside = self.object.take().map(|object| {
            let unfinished = object.wanted.then(|| (object.text().into_owned(), number));
            Box::new(Inside { tag: object.tag, begins: object.place, unfinished })
        });
        if refusal.ends {
            return Err(fault);
        }
        if let Some(tag) = refusal.again {
            clean.unread(tag.as_bytes());
        }
        let sought = seek(clean);
        let here = clean.place(clean.offset());
        if matches!(sought, Ok(Sought::Message | Sought::Object)) {
            fault.resumed = Some(here);
            if fault.rule == "tally.truncated" {
                fault.rule = "tally.malformed_xml";
            }
        }
        let flow = found(Found::Fault(fault));
        match sought {
            Ok(Sought::End) => return Ok(Step::Done),
            Ok(Sought::Declaration) => {
                let refusal = declaration();
                return Err(Fault::at(here, refusal.rule, refusal.reason));
            }
            Ok(Sought::Message | Sought::Object) => {}
            Err(error) => return Err(Fault::at(here, "tally.unreadable", error.to_string())),
        }
        // Objects stand in containers only, and a message in none of its kind.
        let within = |open: &String| PARENTS.contains(&open.as_str()) && *open != "TALLYMESSAGE";
        let kept = self.path.iter().take_while(|open| within(open)).count();
        self.path.truncate(kept);
        Ok(if flow.is_break() { Step::Done } else { Step::Go })
    }
}

impl Fault {
    /// A fault at a place, outside of any object.
    pub(crate) fn at(place: Place, rule: &'static str, reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), rule, place, inside: None, resumed: None }
    }
}

impl Object {
    /// Whether a start tag shows that this object was cut off: no object holds a message, and no
    /// voucher a voucher.
    fn never_closed_before(&self, name: &str, start: &BytesStart<'_>, empty: bool) -> bool {
        let voucher = || self.tag == "VOUCHER" && name == "VOUCHER" && !start.attributes_raw().trim().is_empty();
        !empty && (name == "TALLYMESSAGE" || voucher())
    }

    fn push<T: AsRef<[u8]>>(&mut self, parts: &[T], limit: usize) {
        if !self.wanted || self.oversize {
            return;
        }
        if self.text.len() + parts.iter().map(|part| part.as_ref().len()).sum::<usize>() > limit {
            self.oversize = true;
            self.text = Vec::new();
            return;
        }
        for part in parts {
            self.text.extend_from_slice(part.as_ref());
        }
    }

    fn text(&self) -> Cow<'_, str> {
        std::str::from_utf8(&self.text).map_or_else(|_| String::from_utf8_lossy(&self.text), Cow::Borrowed)
    }

    /// Closes an element; one that held nothing and has no attributes is taken out again: real
    /// vouchers are nine tenths empty lists.
    fn close(&mut self, name: &str, limit: usize) {
        if self.depth > 0
            && let Some(before) = self.text.strip_suffix(b">").and_then(|text| text.strip_suffix(name.as_bytes()))
            && let Some(before) = before.strip_suffix(b"<")
        {
            let before = before.len();
            self.text.truncate(before);
            return;
        }
        self.push::<&str>(&["</", name, ">"], limit);
    }
}

fn too_deep() -> Refusal {
    let reason = format!("elements are nested deeper than {DEPTH_MAX}; Tally exports stay far below");
    Refusal::passing("tally.too_deep", reason)
}

fn declaration() -> Refusal {
    Refusal::ending(
        "tally.document_type",
        "the file declares a document type; Tally never writes one, and entities are not expanded",
    )
}

fn refusal(error: &quick_xml::Error) -> Refusal {
    if let quick_xml::Error::Io(io) = error {
        let too_long = io.get_ref().is_some_and(<dyn std::error::Error + Send + Sync>::is::<TextTooLong>);
        return if too_long {
            Refusal::passing("tally.text_too_long", io.to_string())
        } else {
            Refusal::ending("tally.unreadable", io.to_string())
        };
    }
    if let quick_xml::Error::Syntax(_) = error {
        // Nearly all of these say that the end of the file came first.
        let reason = format!("the file ends in the middle, or what begins here is never closed: {error}");
        return Refusal::passing("tally.truncated", reason);
    }
    Refusal::passing("tally.malformed_xml", format!("the text is no well-formed XML here: {error}"))
}

#[cfg(test)]
mod tests;
