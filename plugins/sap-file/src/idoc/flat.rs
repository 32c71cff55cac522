//! Flat files: records to `IDoc`s, and what is damaged is refused whole.
//!
//! A file is read twice, a small one from memory the second time. The first reading looks at heads only and finds the
//! `IDoc`s whose records stand among those of another one: by then such an `IDoc` may have been handed over without its
//! last records, and a part of an invoice must never be registered.

use std::collections::HashMap;
use std::io::{self, Read};

use einvoice_core::finding::Finding;

use super::content::Writer;
use super::cut::{Cut, Head};
use super::definitions::{CONTROL, Definitions, Kinds, SegmentKind};
use super::records::{CONTROL_WIDTH, DATA_WIDTH, Fault, HEAD_WIDTH, Kind, Padding, Record, Records, Wanted};
use super::{CONTROL_RECORD, FAULTS_MAX, Found, SEGMENTS_MAX, TEXT_MAX, fault};

/// Field that holds the data of a segment without a layout.
pub(crate) const RAW: &str = "SDATA";
/// The last segment of every invoice.
const SUMMARY: &str = "E1EDS01";
/// Least characters of a control record: up to the sender, without which it says nothing of use.
const CONTROL_LEAST: usize = 172;

/// How flat files are read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FlatSettings {
    pub(crate) padding: Padding,
    /// Segment numbers may leave some out.
    pub(crate) allow_gaps: bool,
    /// An invoice must have its summary segments.
    pub(crate) needs_summary: bool,
}

/// Reads a flat file, which `open` opens once or twice, and hands over what it holds until `take` says to stop.
pub(crate) fn read<R: Read>(
    open: impl Fn() -> io::Result<R>,
    file: &str,
    definitions: &Definitions,
    settings: FlatSettings,
    take: &mut dyn FnMut(Found) -> bool,
) -> io::Result<()> {
    let mut records = Records::new(open()?, settings.padding, Wanted::Heads)?;
    let torn = torn(&mut records)?;
    let mut records = records.again(open, Wanted::Whole)?;
    let (unit, kinds) = (records.unit(), Kinds::new(definitions));
    let mut reading = Reading { file, unit, kinds, settings, torn, open: None, orphan: false, widths: Widths::None };
    while let Some(Record { number, kind, text }) = records.next()? {
        if !reading.record(number, kind, text, take) {
            return Ok(());
        }
    }
    reading.end(take);
    Ok(())
}

/// How wide the data records were so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Widths {
    None,
    /// All of them had all their characters.
    Full,
    /// All but the last one.
    FullButLast,
    /// Trailing blanks are cut.
    Cut,
}

/// Numbers of `IDoc`s that stand in the part of another one, with the first record of theirs that does.
type Torn = HashMap<(String, String), u64>;

fn torn<R: Read>(records: &mut Records<R>) -> io::Result<Torn> {
    let mut torn = Torn::new();
    // Client and number as the control record has them, one behind the other, which is how its data records have them too;
    // and where the number begins.
    let (mut owner, mut number_at) = (String::new(), None);
    loop {
        let Some(Record { number, kind, text }) = records.next()? else { return Ok(torn) };
        let Ok(text) = text else { continue };
        match kind {
            Kind::Control => {
                let client = text.slice(10, 3);
                number_at = Some(client.len());
                owner.clear();
                owner.extend([client, text.slice(13, 16)]);
            }
            Kind::Data if number_at.is_some() && text.is_plainly_of(&owner) => {}
            Kind::Data => {
                let own = number_at.and_then(|at| owner.split_at_checked(at));
                let (Some((client, document)), Some(head)) = (own, text.head()) else { continue };
                let (client, document) = (client.trim(), document.trim());
                if (client, document) != (head.client, head.document) {
                    torn.entry((head.client.to_owned(), head.document.to_owned())).or_insert(number);
                    torn.entry((client.to_owned(), document.to_owned())).or_insert(number);
                }
            }
            Kind::OldControl | Kind::Status => number_at = None,
        }
    }
}

/// The `IDoc` whose records are being read.
#[derive(Debug)]
struct Open {
    writer: Writer,
    line: u64,
    client: String,
    document: String,
    is_invoice: bool,
    has_summary: bool,
    /// Numbers of the segments in their order.
    numbers: Vec<u32>,
    last: String,
    faults: Vec<Finding>,
    more_faults: usize,
}

struct Reading<'f> {
    file: &'f str,
    /// What places are counted in.
    unit: &'static str,
    kinds: Kinds<'f>,
    settings: FlatSettings,
    torn: Torn,
    open: Option<Open>,
    /// Records without a control record are reported once, not one by one.
    orphan: bool,
    widths: Widths,
}

impl Reading<'_> {
    fn place(&self, at: u64) -> String {
        format!("{}, {} {at}", self.file, self.unit)
    }

    /// Takes a record in; false when nobody listens any more.
    fn record(
        &mut self,
        at: u64,
        kind: Kind,
        text: Result<Cut<'_>, Fault>,
        take: &mut dyn FnMut(Found) -> bool,
    ) -> bool {
        match (kind, text) {
            (Kind::Control, Ok(text)) => {
                let listened = self.finish(take);
                self.orphan = false;
                self.begin(at, &text);
                listened
            }
            (Kind::Data, Ok(text)) => self.data(at, &text, take),
            (Kind::Data, Err(found)) => self.damaged(at, found, take),
            (kind, found) => {
                let listened = self.finish(take);
                self.orphan = true;
                listened && self.refuse(at, &self.no_control(at, kind, found.err()), take)
            }
        }
    }

    fn begin(&mut self, at: u64, text: &Cut<'_>) {
        let mut writer = Writer::default();
        writer.segment(0, CONTROL_RECORD, 0);
        for field in CONTROL.iter() {
            writer.field(&field.name, &text.field(field, 0));
        }
        let is_invoice = text.slice(39, 30).contains("INVOIC") || text.slice(99, 30).trim() == "INVOIC";
        let mut open = Open {
            writer,
            line: at,
            client: text.slice(10, 3).trim().to_owned(),
            document: text.slice(13, 16).trim().to_owned(),
            is_invoice,
            has_summary: false,
            numbers: Vec::new(),
            last: CONTROL_RECORD.to_owned(),
            faults: Vec::new(),
            more_faults: 0,
        };
        let place = || self.place(at);
        let width = text.slice(0, CONTROL_WIDTH).trim_end().chars().count();
        if width < CONTROL_LEAST {
            let message = format!(
                "the control record has {width} characters; it has {CONTROL_WIDTH}, of which only trailing blanks may be cut"
            );
            open.fault(fault(
                "idoc.control_record",
                message,
                place(),
                "Send the file again; check the transfer for cut lines.",
            ));
        }
        let first = (!self.torn.is_empty()).then(|| self.torn.get(&(open.client.clone(), open.document.clone())));
        if let Some(first) = first.flatten() {
            let message = format!(
                "the records of IDoc {} stand among those of another IDoc, first at record {first}: none of the two is whole",
                open.document
            );
            let fix = "Let SAP write the file again; two jobs may have written to it at the same time.";
            open.fault(fault("idoc.interleaved", message, place(), fix));
        }
        self.open = Some(open);
    }

    fn data(&mut self, at: u64, text: &Cut<'_>, take: &mut dyn FnMut(Found) -> bool) -> bool {
        self.widths = match (self.widths, text.width >= DATA_WIDTH) {
            (Widths::None | Widths::Full, true) => Widths::Full,
            (Widths::Full, false) => Widths::FullButLast,
            (Widths::None | Widths::Cut | Widths::FullButLast, _) => Widths::Cut,
        };
        let Some(open) = &mut self.open else {
            if self.orphan {
                return true;
            }
            self.orphan = true;
            let segment = text.head().map_or_else(String::new, |head| format!("segment {}: ", head.segment));
            let message =
                format!("{segment}no control record EDI_DC40 stands before this record, so nothing says what it is");
            let place = self.place(at);
            let finding =
                fault("idoc.control_record", message, place, "Send the file again, from its first record on.");
            return self.refuse(at, &finding, take);
        };
        let Some(head) = text.head() else {
            let message = format!(
                "after {} stands no data record: its head must have a segment name, an IDoc number of 16 digits and segment numbers of 6 digits",
                open.last
            );
            let fix = "Send the file again in binary mode; if it was edited, restore it.";
            let place = format!("{}, {} {at}", self.file, self.unit);
            open.fault(fault("idoc.record", message, place, fix).with_found(text.slice(0, HEAD_WIDTH).trim()));
            return true;
        };
        if (head.client, head.document) != (open.client.as_str(), open.document.as_str()) {
            // Said once, by the first reading, for the whole IDoc.
            return true;
        }
        let place = || format!("{}, {} {at}", self.file, self.unit);
        open.segment(&head, text, at, &self.kinds.of(head.segment), self.settings, &place);
        true
    }

    fn damaged(&mut self, at: u64, found: Fault, take: &mut dyn FnMut(Found) -> bool) -> bool {
        let place = self.place(at);
        let last = self.open.as_ref().map_or(CONTROL_RECORD, |open| open.last.as_str());
        let finding = record_fault(found, last, place);
        match &mut self.open {
            Some(open) => {
                open.fault(finding);
                true
            }
            None if self.orphan => true,
            None => {
                self.orphan = true;
                self.refuse(at, &finding, take)
            }
        }
    }

    fn no_control(&self, at: u64, kind: Kind, found: Option<Fault>) -> Finding {
        let place = self.place(at);
        match (kind, found) {
            (Kind::OldControl, _) => fault(
                "idoc.release",
                "the control record is of a release before 4.0 (EDI_DC without 40), whose records have other lengths",
                place,
                "Set the port in SAP (WE21) to the version of record types 4.x.",
            ),
            (Kind::Status, _) => fault(
                "idoc.control_record",
                "status records stand in status files only",
                place,
                "Let this source read the folder of outbound IDocs only.",
            ),
            (_, found) => record_fault(found.unwrap_or(Fault::Unframed), CONTROL_RECORD, place),
        }
    }

    fn refuse(&self, at: u64, finding: &Finding, take: &mut dyn FnMut(Found) -> bool) -> bool {
        take(Found {
            line: at,
            unit: self.unit,
            number: String::new(),
            content: Err(vec![finding.clone()]),
            is_end: false,
        })
    }

    /// Hands over the `IDoc` that was open.
    fn finish(&mut self, take: &mut dyn FnMut(Found) -> bool) -> bool {
        let Some(mut open) = self.open.take() else { return true };
        let place = |open: &Open| open.place(self.file, self.unit);
        if open.writer.segments() == 0 && open.faults.is_empty() {
            let fix = "Send the file again; check the transfer for a cut file.";
            open.fault(fault("idoc.truncated", "a control record without any segment", place(&open), fix));
        } else if open.is_invoice && !open.has_summary && self.settings.needs_summary {
            let message = format!(
                "the IDoc ends after {}, before the totals (segment {SUMMARY}) that end every invoice",
                open.last
            );
            let fix = "Send the file again; if your invoices carry no totals, set `require_summary = false`.";
            open.fault(fault("idoc.truncated", message, place(&open), fix));
        }
        if open.more_faults > 0 {
            let message = format!("{} more records of this IDoc are damaged", open.more_faults);
            let place = place(&open);
            open.faults.push(fault("idoc.record", message, place, "Correct what is reported first."));
        }
        let content = if open.faults.is_empty() { Ok(open.writer.finish()) } else { Err(open.faults) };
        take(Found { line: open.line, unit: self.unit, number: open.document, content, is_end: false })
    }

    fn end(&mut self, take: &mut dyn FnMut(Found) -> bool) {
        if self.widths == Widths::FullButLast
            && let Some(open) = &mut self.open
        {
            let message = format!(
                "the last record, {}, is shorter than {DATA_WIDTH} characters, which all others have: the file was cut",
                open.last
            );
            let place = open.place(self.file, self.unit);
            open.fault(fault("idoc.truncated", message, place, "Send the file again; the transfer was cut off."));
        }
        // Nothing comes after the last one, whether somebody listens or not.
        _ = self.finish(take);
    }
}

fn record_fault(found: Fault, last: &str, place: String) -> Finding {
    match found {
        Fault::NotText => fault(
            "idoc.encoding",
            format!("the record after {last} is not text in UTF-8"),
            place,
            "Let SAP write UTF-8 (code page 4110), or set `encoding = \"windows-1252\"` if the file is in that or in ISO 8859-1.",
        ),
        Fault::TooLong(found, limit) => fault(
            "idoc.record_length",
            format!("the record after {last} has {found} characters; it can have {limit}"),
            place,
            "Send the file again in binary mode; a transfer in text mode joins or lengthens records.",
        ),
        Fault::Truncated(found, limit) => fault(
            "idoc.truncated",
            format!("the file ends after {found} of the {limit} characters of the record after {last}"),
            place,
            "Send the file again; the transfer was cut off.",
        ),
        Fault::Unframed => fault(
            "idoc.record_length",
            format!(
                "the record after {last} does not have the length of a record, so that nobody can tell where the next begins; the IDocs from the next control record on were read"
            ),
            place,
            "Send the file again in binary mode.",
        ),
    }
}

impl Open {
    fn place(&self, file: &str, unit: &str) -> String {
        format!("{file}, IDoc {} that begins at {unit} {}", self.document, self.line)
    }

    fn fault(&mut self, finding: Finding) {
        if self.faults.len() < FAULTS_MAX {
            self.faults.push(finding);
        } else {
            self.more_faults += 1;
        }
    }

    fn segment(
        &mut self,
        head: &Head<'_>,
        text: &Cut<'_>,
        at: u64,
        kind: &SegmentKind<'_>,
        settings: FlatSettings,
        place: &dyn Fn() -> String,
    ) {
        let expected = self.numbers.last().copied().unwrap_or_default().saturating_add(1);
        let in_order = if settings.allow_gaps { head.number >= expected } else { head.number == expected };
        let fix = "Send the file again; if a filter in SAP leaves segments out, set `allow_segment_gaps = true`.";
        if !in_order {
            let message = format!(
                "segment {} has number {} after {}, where {expected} is due: records are missing or in the wrong order",
                head.segment, head.number, self.last
            );
            self.fault(fault("idoc.segment_order", message, place(), fix));
        }
        let parent = match head.parent {
            0 => Some(0),
            parent => self.numbers.binary_search(&parent).ok().and_then(|index| u32::try_from(index + 1).ok()),
        };
        if parent.is_none() {
            let message =
                format!("segment {} belongs to segment number {}, which is not there", head.segment, head.parent);
            self.fault(fault("idoc.segment_order", message, place(), fix));
        }
        // Kept in order, as the parent is searched for by number.
        if head.number >= expected {
            self.numbers.push(head.number);
        }
        self.last.clear();
        self.last.push_str(head.segment);
        self.has_summary |= &*kind.name == SUMMARY;
        if self.writer.segments() >= SEGMENTS_MAX || self.writer.len() > TEXT_MAX {
            if self.faults.is_empty() {
                let message = format!("the IDoc has more than {SEGMENTS_MAX} segments or {TEXT_MAX} bytes");
                self.fault(fault(
                    "idoc.too_large",
                    message,
                    place(),
                    "Split the billing document; an invoice has at most 1,000 items.",
                ));
            }
            return;
        }
        if !self.faults.is_empty() {
            // Refused as a whole: only further faults are of interest.
            return;
        }
        self.writer.segment(parent.unwrap_or_default(), &kind.name, at.saturating_sub(self.line));
        match kind.layout {
            Some(layout) => {
                let is_plain = text.is_plain();
                // From one place to the other all is blank.
                let (mut from, mut to) = (0, 0);
                for field in layout {
                    let begin = HEAD_WIDTH + field.offset;
                    if text.is_over(begin) {
                        continue;
                    }
                    if !(from..=to).contains(&begin) {
                        (from, to) = (begin, text.filled_from(begin));
                    }
                    if to < begin + field.length {
                        let value = text.field(field, HEAD_WIDTH);
                        if is_plain {
                            self.writer.plain_field(&field.name, &value);
                        } else {
                            self.writer.field(&field.name, &value);
                        }
                    }
                }
            }
            None => self.writer.field(RAW, &text.slice(HEAD_WIDTH, DATA_WIDTH)),
        }
    }
}

#[cfg(test)]
mod tests;
