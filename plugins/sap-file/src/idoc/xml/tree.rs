//! One `IDoc` while its elements are read: which of them are segments, and which are fields of those.

use std::ops::Range;

use einvoice_core::xml::Leaf;
use quick_xml::events::BytesStart;

use super::super::content::{Writer, push_field};
use super::super::definitions::Kinds;
use super::super::{CONTROL_RECORD, Found, SEGMENTS_MAX, TEXT_MAX, fault};
use super::{IDOC, UNIT};

/// Longest text of a field: the data of a segment.
const FIELD_MAX: usize = 4_000;
/// End of the names of elements that some brokers put around a segment and those below it.
const GROUP: &[u8] = b"GRP";

/// One `IDoc` while it is read.
#[derive(Debug)]
pub(super) struct Tree {
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
    pub(super) fn new(line: u64) -> Self {
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
    pub(super) fn leaf(&mut self, leaf: &Leaf<'_, [u8]>) -> bool {
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

    pub(super) fn start(&mut self, start: &BytesStart<'_>, line: u64) {
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

    pub(super) fn text(&mut self, text: &str) {
        self.grow(text.len());
        let Some(element) = self.open.last_mut() else { return };
        if element.segment.is_none() && element.text.len() + text.len() <= FIELD_MAX {
            element.text.push_str(text);
        } else if element.segment.is_none() {
            self.too_large = true;
        }
    }

    /// Closes the innermost element; false when that is the `IDoc` itself.
    pub(super) fn end(&mut self) -> bool {
        let Some(element) = self.open.pop() else { return false };
        if element.segment.is_none() && !element.is_group {
            self.field(element.name.as_bytes(), element.text.as_bytes());
        }
        true
    }

    /// The elements that are open, for a message.
    pub(super) fn path(&self) -> String {
        let names: Vec<&str> = self.open.iter().map(|element| element.name.as_str()).collect();
        let open = if names.is_empty() { IDOC.to_owned() } else { format!("{IDOC}/{}", names.join("/")) };
        match self.number() {
            number if number.is_empty() => open,
            number => format!("IDoc {number}, {open}"),
        }
    }

    pub(super) fn number(&self) -> String {
        let control = self.segments.first().filter(|first| first.name == CONTROL_RECORD);
        control.and(self.number.clone()).unwrap_or_default()
    }

    pub(super) fn finish(mut self, file: &str, kinds: &mut Kinds<'_>) -> Found {
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
