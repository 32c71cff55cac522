//! Finding vouchers and masters in the stream of a whole export.
//!
//! Objects are found by where they stand, not by name alone: answers hold counters that are named
//! like objects (`CMPINFO/VOUCHER`), and a voucher type holds fields named like masters. One object
//! at a time is in memory.

use std::io::Read;
use std::ops::ControlFlow;

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::DEPTH_MAX;
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
#[derive(Debug, Clone, Copy)]
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
}

/// What a whole file held.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Summary {
    /// Elements at all.
    pub(crate) elements: bool,
    /// The root is one that Tally or programs talking to it write.
    pub(crate) known_root: bool,
}

/// Why reading stopped before the end of a file. What was found before it stands.
#[derive(Debug)]
pub(crate) struct Fault {
    /// What is wrong.
    pub(crate) reason: String,
    /// Name of the rule it breaks.
    pub(crate) rule: &'static str,
    /// Where.
    pub(crate) place: Place,
    /// What had been read of the voucher in which it happened, and its number.
    pub(crate) unfinished: Option<(String, u64)>,
}

const MASTERS: [&str; 9] =
    ["LEDGER", "GROUP", "STOCKITEM", "STOCKGROUP", "UNIT", "VOUCHERTYPE", "TAXUNIT", "COMPANY", "CURRENCY"];
const PARENTS: [&str; 8] =
    ["TALLYMESSAGE", "COLLECTION", "DATA", "REQUESTDATA", "IMPORTDATA", "EXPORTDATA", "BODY", "ENVELOPE"];
const ROOTS: [&str; 7] = ["ENVELOPE", "VOUCHER", "TALLYMESSAGE", "RESPONSE", "ERRORMSG", "COLLECTION", "TALLYREQUEST"];

/// Reads a whole stream and hands over what is wanted, in order.
///
/// # Errors
/// [`Fault`] where the stream stops being readable.
pub(crate) fn split<R: Read>(
    input: R,
    wanted: Wanted,
    limits: Limits,
    found: &mut dyn FnMut(Found<'_>) -> ControlFlow<()>,
) -> Result<Summary, Fault> {
    let clean = CleanReader::open(input, limits.text_bytes_max).map_err(|error| Fault {
        reason: error.to_string(),
        rule: "tally.unreadable",
        place: Place { line: 1, byte: 0 },
        unfinished: None,
    })?;
    let mut reader = Reader::from_reader(clean);
    let mut splitter =
        Splitter { wanted, limits, path: Vec::new(), object: None, number: 0, summary: Summary::default() };
    let mut buffer = Vec::new();
    loop {
        let start = reader.buffer_position();
        let event = reader.read_event_into(&mut buffer);
        let step = match event {
            Ok(Event::Eof) => splitter.finish().map(|()| Step::Done),
            Ok(event) => splitter.event(event),
            Err(error) => Err(refusal(&error)),
        };
        let step = match step {
            Ok(Step::Deliver) => splitter.deliver(found),
            Ok(Step::Opened) => {
                let place = reader.get_mut().place(start);
                splitter.opened_at(place);
                Step::Go
            }
            Ok(Step::Text(text)) => splitter.text(&text, reader.get_mut().place(start), found),
            Ok(step) => step,
            Err((rule, reason)) => {
                let at = start.max(reader.error_position());
                return Err(splitter.fault(rule, reason, reader.get_mut().place(at)));
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

type Refusal = (&'static str, String);

struct Object {
    text: String,
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
}

impl Splitter {
    fn event(&mut self, event: Event<'_>) -> Result<Step, Refusal> {
        match event {
            Event::Start(start) => self.start(&start, false),
            Event::Empty(start) => self.start(&start, true),
            Event::End(end) => Ok(self.end(end.name().as_ref())),
            Event::Text(text) => Ok(self.part(&text, "", "")),
            Event::CData(text) => Ok(self.part(&text, "<![CDATA[", "]]>")),
            Event::GeneralRef(name) => Ok(self.part(&name, "&", ";")),
            Event::DocType(_) => Err((
                "tally.document_type",
                "the file declares a document type; Tally never writes one, and entities are not expanded".to_owned(),
            )),
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::Eof => Ok(Step::Go),
        }
    }

    fn start(&mut self, start: &BytesStart<'_>, empty: bool) -> Result<Step, Refusal> {
        if let Some(object) = self.object.as_mut() {
            if object.depth >= DEPTH_MAX {
                return Err(too_deep());
            }
            if empty {
                // Empty fields say nothing, but attributes of an empty element may.
                if !start.attributes_raw().trim().is_empty() {
                    object.push(&["<", start, "/>"], self.limits.object_bytes_max);
                }
            } else {
                object.depth += 1;
                object.push(&["<", start, ">"], self.limits.object_bytes_max);
            }
            return Ok(Step::Go);
        }
        let name = start.name();
        let name = name.as_ref();
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
            let mut object = Object { text: String::new(), depth: 1, place, oversize: false, wanted };
            object.push(&["<", start, ">"], self.limits.object_bytes_max);
            self.object = Some(object);
            return Ok(Step::Opened);
        }
        self.path.push(name.to_owned());
        Ok(Step::Go)
    }

    fn stands_for_objects(&self) -> bool {
        self.path.last().is_none_or(|parent| PARENTS.contains(&parent.as_str()))
    }

    fn end(&mut self, name: &str) -> Step {
        let Some(object) = self.object.as_mut() else {
            self.path.pop();
            return Step::Go;
        };
        object.depth -= 1;
        object.close(name, self.limits.object_bytes_max);
        if object.depth == 0 { Step::Deliver } else { Step::Go }
    }

    fn part(&mut self, text: &str, before: &str, after: &str) -> Step {
        match self.object.as_mut() {
            Some(object) => {
                if before.is_empty() && text.trim().is_empty() {
                    return Step::Go;
                }
                object.push(&[before, text, after], self.limits.object_bytes_max);
                Step::Go
            }
            None if text.trim().is_empty() => Step::Go,
            None => Step::Text(text.trim().to_owned()),
        }
    }

    fn text(&mut self, text: &str, place: Place, found: &mut dyn FnMut(Found<'_>) -> ControlFlow<()>) -> Step {
        let flow = match self.path.last().map(String::as_str) {
            Some("SVCURRENTCOMPANY") => found(Found::Company(text)),
            Some("ERRORMSG" | "LINEERROR") if self.wanted == Wanted::Vouchers => {
                found(Found::ErrorText { text, place })
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

    fn deliver(&mut self, found: &mut dyn FnMut(Found<'_>) -> ControlFlow<()>) -> Step {
        let Some(object) = self.object.take() else { return Step::Go };
        if !object.wanted {
            return Step::Go;
        }
        let (place, number) = (object.place, self.number);
        let flow = if object.oversize {
            found(Found::Oversize { place, number })
        } else {
            found(Found::Object { text: &object.text, place, number })
        };
        if flow.is_break() { Step::Done } else { Step::Go }
    }

    fn finish(&mut self) -> Result<(), Refusal> {
        if self.object.is_some() || !self.path.is_empty() {
            return Err((
                "tally.truncated",
                "the file ends in the middle; it was not exported or copied to its end".to_owned(),
            ));
        }
        Ok(())
    }

    fn fault(&mut self, rule: &'static str, reason: String, place: Place) -> Fault {
        let number = self.number;
        let unfinished = self.object.take().filter(|object| object.wanted).map(|object| (object.text, number));
        Fault { reason, rule, place, unfinished }
    }
}

impl Object {
    fn push(&mut self, parts: &[&str], limit: usize) {
        if !self.wanted || self.oversize {
            return;
        }
        if self.text.len() + parts.iter().map(|part| part.len()).sum::<usize>() > limit {
            self.oversize = true;
            self.text = String::new();
            return;
        }
        self.text.extend(parts.iter().copied());
    }

    /// Closes an element; one that held nothing and has no attributes is taken out again: real
    /// vouchers are nine tenths empty lists.
    fn close(&mut self, name: &str, limit: usize) {
        if self.depth > 0
            && let Some(before) = self.text.strip_suffix('>').and_then(|text| text.strip_suffix(name))
            && let Some(before) = before.strip_suffix('<')
        {
            self.text.truncate(before.len());
            return;
        }
        self.push(&["</", name, ">"], limit);
    }
}

fn too_deep() -> Refusal {
    ("tally.too_deep", format!("elements are nested deeper than {DEPTH_MAX}; Tally exports stay far below"))
}

fn refusal(error: &quick_xml::Error) -> Refusal {
    if let quick_xml::Error::Io(io) = error {
        let too_long = io.get_ref().is_some_and(<dyn std::error::Error + Send + Sync>::is::<TextTooLong>);
        let rule = if too_long { "tally.text_too_long" } else { "tally.unreadable" };
        return (rule, io.to_string());
    }
    if let quick_xml::Error::Syntax(_) = error {
        // All of these say that the end of the file came first.
        return (
            "tally.truncated",
            format!("the file ends in the middle, or what begins here is never closed: {error}"),
        );
    }
    ("tally.malformed_xml", format!("the text is no well-formed XML here: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits { text_bytes_max: 1 << 20, object_bytes_max: 1 << 20 };

    fn run(text: &str, wanted: Wanted) -> (Vec<String>, Result<Summary, Fault>) {
        let mut seen = Vec::new();
        let result = split(text.as_bytes(), wanted, LIMITS, &mut |found| {
            seen.push(match found {
                Found::Object { text, place, number } => format!("{number}@{}:{} {text}", place.line, place.byte),
                Found::Oversize { number, .. } => format!("{number} oversize"),
                Found::Company(name) => format!("company {name}"),
                Found::ErrorText { text, .. } => format!("error {text}"),
            });
            ControlFlow::Continue(())
        });
        (seen, result)
    }

    #[test]
    fn counters_named_like_objects_are_not_vouchers() {
        let text = "<ENVELOPE><BODY><DESC><CMPINFO><VOUCHER>0</VOUCHER></CMPINFO></DESC>\n<DATA><COLLECTION><VOUCHER><DATE>1</DATE><X.LIST> </X.LIST></VOUCHER></COLLECTION></DATA></BODY></ENVELOPE>";
        let (seen, result) = run(text, Wanted::Vouchers);
        assert_eq!(seen, ["1@2:87 <VOUCHER><DATE>1</DATE></VOUCHER>"]);
        assert!(result.unwrap().known_root);
    }

    #[test]
    fn vouchers_before_a_fault_are_delivered_and_the_fault_has_its_place() {
        let text = "<ENVELOPE>\n<VOUCHER><A>1</A></VOUCHER>\n<VOUCHER><VOUCHERNUMBER>7</VOUCHERNUMBER><B>\n</VOUCHER></ENVELOPE>";
        let (seen, result) = run(text, Wanted::Vouchers);
        let fault = result.unwrap_err();
        assert_eq!(seen.len(), 1);
        assert_eq!((fault.rule, fault.place.line), ("tally.malformed_xml", 4));
        assert!(fault.unfinished.unwrap().0.contains("<VOUCHERNUMBER>7<"));
    }

    #[test]
    fn a_truncated_file_and_a_document_type_are_faults() {
        assert_eq!(run("<ENVELOPE><VOUCHER><A>1", Wanted::Vouchers).1.unwrap_err().rule, "tally.truncated");
        let bomb = "<!DOCTYPE x [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;\">]><ENVELOPE>&b;</ENVELOPE>";
        assert_eq!(run(bomb, Wanted::Vouchers).1.unwrap_err().rule, "tally.document_type");
    }

    #[test]
    fn nesting_has_a_limit_inside_and_outside_of_vouchers() {
        let deep = "<A>".repeat(100);
        assert_eq!(run(&deep, Wanted::Masters).1.unwrap_err().rule, "tally.too_deep");
        assert_eq!(run(&format!("<VOUCHER>{deep}"), Wanted::Vouchers).1.unwrap_err().rule, "tally.too_deep");
    }

    #[test]
    fn an_oversize_voucher_is_passed_over_and_the_next_one_read() {
        let big = "<A>x</A>".repeat(200_000);
        let text = format!("<ENVELOPE><VOUCHER>{big}</VOUCHER><VOUCHER><B>1</B></VOUCHER></ENVELOPE>");
        let (seen, result) = run(&text, Wanted::Vouchers);
        assert_eq!(seen.first().unwrap(), "1 oversize");
        assert_eq!(seen.len(), 2);
        assert!(result.is_ok());
    }
}
