//! Finding vouchers and masters in a stream of Tally's JSON.
//!
//! Objects stand in the list `tallymessage`. Their ends are found by counting brackets, so one object
//! at a time is in memory, a broken one is reported by itself, and reading goes on after it. What
//! stands around the list is small and read as a whole at the end: it tells a refusal from an answer
//! that holds nothing.

use std::io::Read;
use std::ops::ControlFlow;

use serde_json::Value;

use super::object;
use crate::text::{Decoded, Encoding, Place};
use crate::xml::{DEPTH_MAX, FAILED, Fault, Found, Inside, Limits, MASTERS, Summary, Wanted};

/// The list that holds the objects.
const LIST: &str = "tallymessage";
/// Longest key that is looked at.
const KEY_BYTES_MAX: usize = 64;

/// Reads a whole stream and hands over what is wanted, in order.
///
/// # Errors
/// [`Fault`] where the stream cannot be read on: it breaks off, or ends in the middle.
pub(crate) fn split<R: Read>(
    input: R,
    wanted: Wanted,
    limits: Limits,
    found: &mut dyn FnMut(Found<'_>) -> ControlFlow<()>,
) -> Result<Summary, Fault> {
    let unreadable = |place, error: std::io::Error| Fault::at(place, "tally.unreadable", error.to_string());
    let (mut decoded, mark) = Decoded::open(input).map_err(|error| unreadable(Place { line: 1, byte: 0 }, error))?;
    let mut scanner = Scanner::new(wanted, limits, u64::try_from(mark).unwrap_or(0));
    let mut chunk = String::new();
    loop {
        let last = decoded.next_chunk(&mut chunk).map_err(|error| unreadable(scanner.place, error))?;
        if scanner.take(&chunk, decoded.encoding(), found)?.is_break() {
            return Ok(Summary { elements: true, known_root: true });
        }
        if last {
            return scanner.finish(found);
        }
    }
}

/// An object while it is read.
struct Open {
    text: String,
    place: Place,
    oversize: bool,
}

struct Scanner {
    wanted: Wanted,
    limits: Limits,
    /// Where the next byte stands in the file.
    place: Place,
    depth: usize,
    in_string: bool,
    escaped: bool,
    /// The string that stood last in the outermost object.
    key: Vec<u8>,
    /// Depth at which objects begin, inside of the list.
    list: Option<usize>,
    /// What stands around the objects.
    outer: String,
    open: Option<Open>,
    number: u64,
}

impl Scanner {
    const fn new(wanted: Wanted, limits: Limits, mark: u64) -> Self {
        Self {
            wanted,
            limits,
            place: Place { line: 1, byte: mark },
            depth: 0,
            in_string: false,
            escaped: false,
            key: Vec::new(),
            list: None,
            outer: String::new(),
            open: None,
            number: 0,
        }
    }

    /// Takes one piece of the text.
    fn take(
        &mut self,
        chunk: &str,
        encoding: Encoding,
        found: &mut dyn FnMut(Found<'_>) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>, Fault> {
        // What was not kept yet begins here.
        let mut from = 0;
        for (at, byte) in chunk.bytes().enumerate() {
            let here = self.place;
            self.pass(byte, encoding);
            if self.in_string {
                self.string(byte);
                continue;
            }
            match byte {
                b'"' => {
                    self.in_string = true;
                    self.key.clear();
                }
                b'{' | b'[' => {
                    if self.list.is_none() && self.depth == 1 && self.key.eq_ignore_ascii_case(LIST.as_bytes()) {
                        // A list of objects, or the one object itself.
                        let (end, depth) = if byte == b'[' { (at + 1, 2) } else { (at, 1) };
                        self.keep(chunk.get(from..end).unwrap_or_default())?;
                        self.list = Some(depth);
                        from = end;
                    }
                    if self.open.is_none() && byte == b'{' && self.list == Some(self.depth) {
                        from = at;
                        self.open = Some(Open { text: String::new(), place: here, oversize: false });
                    }
                    self.depth += 1;
                    if self.depth > DEPTH_MAX {
                        let reason = format!("lists are nested deeper than {DEPTH_MAX}; Tally exports stay far below");
                        return Err(self.fault_at(here, "tally.too_deep", reason));
                    }
                }
                b'}' | b']' => {
                    self.depth = self.depth.saturating_sub(1);
                    if self.open.is_some() && self.list == Some(self.depth) {
                        self.keep(chunk.get(from..=at).unwrap_or_default())?;
                        from = at + 1;
                        if self.deliver(found).is_break() {
                            return Ok(ControlFlow::Break(()));
                        }
                        if self.depth == 1 {
                            self.list = None;
                            self.outer.push_str("null");
                        }
                    } else if self.list.is_some() && self.depth == 1 {
                        self.list = None;
                        from = at;
                    }
                }
                _ => {}
            }
        }
        self.keep(chunk.get(from..).unwrap_or_default())?;
        Ok(ControlFlow::Continue(()))
    }

    fn pass(&mut self, byte: u8, encoding: Encoding) {
        self.place.byte += raw_width(byte, encoding);
        self.place.line += u64::from(byte == b'\n');
    }

    fn string(&mut self, byte: u8) {
        if self.escaped {
            self.escaped = false;
        } else if byte == b'\\' {
            self.escaped = true;
        } else if byte == b'"' {
            self.in_string = false;
            return;
        }
        if self.depth == 1 && self.key.len() < KEY_BYTES_MAX {
            self.key.push(byte);
        }
    }

    /// Keeps a run of text where it belongs: in the open object, or around the objects.
    fn keep(&mut self, run: &str) -> Result<(), Fault> {
        if let Some(open) = self.open.as_mut() {
            open.oversize |= open.text.len() + run.len() > self.limits.object_bytes_max;
            if open.oversize {
                open.text = String::new();
            } else {
                open.text.push_str(run);
            }
            return Ok(());
        }
        // Between the objects of the list stand commas.
        if self.list.is_some() {
            return Ok(());
        }
        self.outer.push_str(run);
        if self.outer.len() > self.limits.text_bytes_max {
            let reason = format!("more than {} bytes stand outside of the list `{LIST}`", self.limits.text_bytes_max);
            return Err(self.fault_at(self.place, "tally.text_too_long", reason));
        }
        Ok(())
    }

    fn deliver(&mut self, found: &mut dyn FnMut(Found<'_>) -> ControlFlow<()>) -> ControlFlow<()> {
        let Some(open) = self.open.take() else { return ControlFlow::Continue(()) };
        let place = open.place;
        if open.oversize {
            // Its type is not known any more: whoever wants vouchers is told.
            return if self.wanted == Wanted::Vouchers {
                self.number += 1;
                found(Found::Oversize { place, number: self.number })
            } else {
                ControlFlow::Continue(())
            };
        }
        let tag = match object::tag(&open.text) {
            Ok(Some(tag)) => tag,
            Ok(None) => return ControlFlow::Continue(()),
            Err(error) => return found(Found::Fault(self.broken(&open, &error.to_string()))),
        };
        let is_wanted = match self.wanted {
            Wanted::Vouchers => tag == "VOUCHER",
            Wanted::Masters => MASTERS.contains(&tag.as_str()),
        };
        if !is_wanted {
            return ControlFlow::Continue(());
        }
        self.number += 1;
        match object::to_xml(&open.text, &tag) {
            Ok(xml) => found(Found::Object { text: &xml, place, number: self.number }),
            Err(reason) => found(Found::Fault(self.broken(&open, &reason))),
        }
    }

    fn broken(&self, open: &Open, reason: &str) -> Fault {
        let mut fault =
            Fault::at(open.place, "tally.malformed_json", format!("an object is no well-formed JSON: {reason}"));
        fault.resumed = Some(self.place);
        fault
    }

    fn fault_at(&mut self, place: Place, rule: &'static str, reason: String) -> Fault {
        let mut fault = Fault::at(place, rule, reason);
        fault.inside = self.open.take().map(|open| {
            let tag = object::tag(&open.text).ok().flatten().unwrap_or_else(|| "VOUCHER".to_owned());
            Box::new(Inside { tag, begins: open.place, unfinished: None })
        });
        fault
    }

    /// The end of the stream: whether all of it came, and whether Tally refused.
    fn finish(mut self, found: &mut dyn FnMut(Found<'_>) -> ControlFlow<()>) -> Result<Summary, Fault> {
        let elements = !self.outer.trim().is_empty();
        if self.depth > 0 || self.in_string || self.open.is_some() {
            let reason = "the file ends in the middle; it was not exported or copied to its end".to_owned();
            return Err(self.fault_at(self.place, "tally.truncated", reason));
        }
        let outer: Value = match serde_json::from_str(&self.outer) {
            Ok(outer) => outer,
            Err(_) if !elements => return Ok(Summary { elements, known_root: false }),
            Err(error) => {
                let reason = format!("what stands around the list `{LIST}` is no well-formed JSON: {error}");
                return Err(Fault::at(self.place, "tally.malformed_json", reason));
            }
        };
        let member = |name: &str| {
            let members = outer.as_object().into_iter().flatten();
            members.into_iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
        };
        let status = member("status");
        if status.is_some_and(|status| *status == "0" || *status == 0) {
            let mut texts = Vec::new();
            reasons(&outer, false, &mut texts);
            let text = if texts.is_empty() { FAILED.to_owned() } else { texts.join("; ") };
            _ = found(Found::ErrorText { text: &text, place: Place { line: 1, byte: 0 } });
        }
        Ok(Summary { elements, known_root: status.is_some() || member(LIST).is_some() })
    }
}

/// The texts of members that are named as errors; how JSON calls them is documented nowhere.
fn reasons<'v>(value: &'v Value, named: bool, texts: &mut Vec<&'v str>) {
    match value {
        Value::String(text) if named && !text.trim().is_empty() => texts.push(text.trim()),
        Value::Array(entries) => entries.iter().for_each(|entry| reasons(entry, named, texts)),
        Value::Object(members) => {
            for (key, value) in members {
                let key = key.to_ascii_lowercase();
                reasons(value, named || key.contains("error") || key == "desc" || key == "response", texts);
            }
        }
        _ => {}
    }
}

/// What a byte of the text takes in the file.
const fn raw_width(byte: u8, encoding: Encoding) -> u64 {
    let begins = byte & 0xC0 != 0x80;
    match encoding {
        Encoding::Utf8 => 1,
        Encoding::Windows1252 if begins => 1,
        // A character beyond the first plane takes four bytes of UTF-8, and two units of UTF-16.
        Encoding::Utf16Le | Encoding::Utf16Be if byte >= 0xF0 => 4,
        Encoding::Utf16Le | Encoding::Utf16Be if begins => 2,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits { text_bytes_max: 1 << 20, object_bytes_max: 1000 };
    const DAY: &str = "{ \"status\": \"1\", \"tallymessage\": [\n\
        {\"metadata\":{\"type\":\"Ledger\",\"name\":\"A\"},\"parent\":\"Sales [x]\"},\n\
        {\"metadata\":{\"type\":\"Voucher\"},\"narration\":\"a \\\"quoted} brace\"},\n\
        {\"metadata\":{\"type\":\"Voucher\"},\"guid\":\"2\"} ], \"cmp_info\": { \"voucher\": 2 } }\n";

    fn run(bytes: &[u8], wanted: Wanted) -> (Vec<String>, Result<Summary, Fault>) {
        let mut seen = Vec::new();
        let result = split(bytes, wanted, LIMITS, &mut |found| {
            seen.push(match found {
                Found::Object { text, place, number } => format!("{number}@{}:{} {text}", place.line, place.byte),
                Found::Oversize { number, .. } => format!("{number} oversize"),
                Found::Company(name) => format!("company {name}"),
                Found::ErrorText { text, .. } => format!("error {text}"),
                Found::Fault(fault) => format!("{} at {}", fault.rule, fault.place.line),
            });
            ControlFlow::Continue(())
        });
        (seen, result)
    }

    #[test]
    fn objects_are_found_by_type_with_their_places_in_the_file() {
        let (seen, result) = run(DAY.as_bytes(), Wanted::Vouchers);
        let second = DAY.rfind("{\"metadata\"").unwrap();
        assert_eq!(
            seen,
            [
                "1@3:99 <VOUCHER><NARRATION>a &quot;quoted} brace</NARRATION></VOUCHER>".to_owned(),
                format!("2@4:{second} <VOUCHER><GUID>2</GUID></VOUCHER>"),
            ]
        );
        assert!(result.unwrap().known_root);
        let (seen, _) = run(DAY.as_bytes(), Wanted::Masters);
        assert_eq!(seen, ["1@2:35 <LEDGER NAME=\"A\"><PARENT>Sales [x]</PARENT></LEDGER>"]);
        let wide: Vec<u8> = format!("\u{FEFF}{DAY}").encode_utf16().flat_map(u16::to_le_bytes).collect();
        let (seen, _) = run(&wide, Wanted::Vouchers);
        assert!(seen.last().unwrap().starts_with(&format!("2@4:{} ", 2 + 2 * second)), "{seen:?}");
    }

    #[test]
    fn one_object_alone_may_stand_in_the_place_of_the_list() {
        let text = "{\"tallymessage\": {\"metadata\":{\"type\":\"Voucher\"},\"guid\":\"1\"}, \"status\": \"1\"}";
        let (seen, result) = run(text.as_bytes(), Wanted::Vouchers);
        assert_eq!(seen, ["1@1:17 <VOUCHER><GUID>1</GUID></VOUCHER>"]);
        assert!(result.unwrap().known_root);
    }

    #[test]
    fn a_broken_object_and_one_too_large_cost_themselves_alone() {
        let good = "{\"metadata\":{\"type\":\"Voucher\"},\"guid\":\"1\"}";
        let large = good.replace("\"1\"", &format!("\"{}\"", "x".repeat(2000)));
        let text = format!("{{\"tallymessage\":[{{\"metadata\":{{\"type\" \"Voucher\"}}}},\n{large},{good}]}}");
        let (seen, result) = run(text.as_bytes(), Wanted::Vouchers);
        let [first, second, third] = seen.as_slice() else { panic!("{seen:?}") };
        assert_eq!((first.as_str(), second.as_str()), ("tally.malformed_json at 1", "1 oversize"));
        assert!(third.starts_with("2@2:") && result.is_ok(), "{third}");
    }

    #[test]
    fn a_refusal_is_no_answer_that_holds_nothing_and_a_cut_one_is_no_whole_one() {
        let (seen, _) =
            run(b"{\"status\":\"0\",\"data\":{\"line_error\":\"Could not find Company\"}}", Wanted::Vouchers);
        assert_eq!(seen, ["error Could not find Company"]);
        let (seen, _) = run(b"{\"status\":0}", Wanted::Masters);
        assert_eq!(seen, [format!("error {FAILED}")]);
        for end in [DAY.len() - 3, DAY.len() - 40, 120, 20] {
            let cut = DAY.get(..end).unwrap();
            assert_eq!(run(cut.as_bytes(), Wanted::Vouchers).1.unwrap_err().rule, "tally.truncated", "{cut}");
        }
        assert!(!run(b"{\"a\":1}", Wanted::Vouchers).1.unwrap().known_root);
        let deep = "[".repeat(100);
        assert_eq!(run(deep.as_bytes(), Wanted::Vouchers).1.unwrap_err().rule, "tally.too_deep");
    }
}
