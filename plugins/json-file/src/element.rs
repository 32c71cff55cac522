//! From the bytes of one element to a document or a problem: decoding, unwrapping, reading.

use std::fmt::Display;
use std::ops::Range;

use einvoice_core::document::{Field, Invoice, JsonError, ReadInvoice};
use einvoice_core::finding::Finding;

/// Member of the wrapper that file-drop interfaces put around a document.
const WRAPPER: &str = "transaction";
/// Characters of an unknown wrapper's name that are shown.
const NAME_CHARS: usize = 40;

/// The text of an element.
pub(crate) fn text(bytes: Vec<u8>) -> Result<String, Box<Finding>> {
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let line = error.as_bytes().iter().take(at).filter(|byte| **byte == b'\n').count();
        Box::new(
            Finding::error(
                "json.encoding",
                "",
                format!("the document is not text in UTF-8, {line} lines below its start"),
            )
            .with_code("2140")
            .with_expected("UTF-8 or UTF-16")
            .with_fix("Export the file in UTF-8, or set `encoding = \"windows-1252\"` if it is written in that."),
        )
    })
}

/// Where the document stands in an element: inside its wrapper, or all of it.
fn document(element: &str) -> Range<usize> {
    wrapped(element)
        .filter(|range| element.get(range.clone()).is_some_and(|inner| inner.starts_with('{')))
        .unwrap_or(0..element.len())
}

/// Reads the document of an element that begins at this line and column of the file, and gives its text without wrapper.
pub(crate) fn parse(element: &str, line: u64, column: u64) -> Result<(String, ReadInvoice), Box<Finding>> {
    let range = document(element);
    let inner = element.get(range.clone()).unwrap_or_default();
    match Invoice::from_json(inner) {
        Ok(read) => match foreign(inner) {
            Some(name) => Err(Box::new(unknown_wrapper(name))),
            None => Ok((inner.to_owned(), read)),
        },
        Err(error) => {
            let before = element.get(..range.start).unwrap_or_default();
            Err(Box::new(placed(error, before, line, column).to_finding()))
        }
    }
}

/// A fault with its place in the file, from its place in the document and the text before that.
fn placed(mut error: JsonError, before: &str, line: u64, column: u64) -> JsonError {
    let start = |count: u64| usize::try_from(count).unwrap_or(usize::MAX).saturating_sub(1);
    let lines_before = before.matches('\n').count();
    if error.line == 1 {
        let same_line = before.rsplit('\n').next().unwrap_or_default().chars().count();
        let shift = if lines_before == 0 { start(column).saturating_add(same_line) } else { same_line };
        error.column = error.column.saturating_add(shift);
    }
    error.line = error.line.saturating_add(lines_before).saturating_add(start(line));
    error
}

/// A value as the source has it, for people and for the response file.
pub(crate) fn shown<T: Display>(field: &Field<T>) -> Option<String> {
    field.as_ref().map(ToString::to_string).or_else(|| field.malformed().map(str::to_owned))
}

/// Where the value of the wrapper's member stands. A text whose first member is one of INV-01 is no
/// wrapper, which spares the walk through it.
fn wrapped(text: &str) -> Option<Range<usize>> {
    let is_wrapper = |name: &str| name.eq_ignore_ascii_case(WRAPPER);
    let (name, value) = Members::of(text).find(|(name, _)| is_wrapper(name) || known(name))?;
    is_wrapper(name).then_some(value)
}

/// The first name in an object that has members and none of INV-01 among them.
fn foreign(text: &str) -> Option<&str> {
    let mut names = Members::of(text).map(|(name, _)| name);
    let first = names.next().filter(|name| !known(name))?;
    (!names.any(known)).then_some(first)
}

fn unknown_wrapper(name: &str) -> Finding {
    let mut shown: String = name.chars().take(NAME_CHARS).collect();
    if shown.len() < name.len() {
        shown.push_str("...");
    }
    Finding::error(
        "json.structure",
        "",
        "this wrapper is not known; expected an INV-01 document, a list of them, or {\"transaction\": ...}",
    )
    .with_code("2140")
    .with_found(format!("an object whose first member is \"{shown}\""))
    .with_fix("Let the program that writes the file write the documents without this wrapper, one list of them.")
}

fn known(name: &str) -> bool {
    Invoice::members().any(|member| member.name.eq_ignore_ascii_case(name))
}

/// The members of an object with the places of their values, as far as it is well formed.
struct Members<'a> {
    text: &'a str,
    /// Where the next name begins; nothing after the last member.
    next: Option<usize>,
}

impl<'a> Members<'a> {
    fn of(text: &'a str) -> Self {
        let open = blanks(text.as_bytes(), 0);
        Self { text, next: (text.as_bytes().get(open) == Some(&b'{')).then_some(open + 1) }
    }
}

impl<'a> Iterator for Members<'a> {
    type Item = (&'a str, Range<usize>);

    fn next(&mut self) -> Option<Self::Item> {
        let (text, bytes) = (self.text, self.text.as_bytes());
        let name = blanks(bytes, self.next.take()?);
        let name_end = string_end(bytes, name)?;
        let colon = blanks(bytes, name_end);
        if bytes.get(colon) != Some(&b':') {
            return None;
        }
        let value = blanks(bytes, colon + 1);
        let value_end = value_end(bytes, value);
        self.next = (bytes.get(value_end) == Some(&b',')).then_some(value_end + 1);
        let trimmed = text.get(value..value_end)?.trim_end();
        Some((text.get(name + 1..name_end - 1)?, value..value + trimmed.len()))
    }
}

fn blanks(bytes: &[u8], from: usize) -> usize {
    let rest = bytes.get(from..).unwrap_or_default();
    from + rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n')).count()
}

/// The place after the string that begins here.
fn string_end(bytes: &[u8], from: usize) -> Option<usize> {
    if bytes.get(from) != Some(&b'"') {
        return None;
    }
    let mut escaped = false;
    for (offset, byte) in bytes.get(from + 1..)?.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return Some(from + offset + 2),
            _ => {}
        }
    }
    None
}

/// The place of the comma or bracket after the value that begins here.
fn value_end(bytes: &[u8], from: usize) -> usize {
    let (mut at, mut depth) = (from, 0_usize);
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => {
                at = string_end(bytes, at).unwrap_or(bytes.len());
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' | b',' if depth == 0 => return at,
            b'}' | b']' => depth -= 1,
            _ => {}
        }
        at += 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn unwrapped(element: &str) -> &str {
        &element[document(element)]
    }

    #[test]
    fn a_wrapper_is_taken_off_in_any_case_and_among_other_members() {
        assert_eq!(unwrapped(r#"{"transaction":{"Version":"1.1"}}"#), r#"{"Version":"1.1"}"#);
        assert_eq!(unwrapped(r#"{ "a\"}" : [1,{"x":"]"}] , "TRANSACTION" : {"b":{}} , "c":1}"#), r#"{"b":{}}"#);
        for plain in [
            r#"{"Version":"1.1","transaction":{"x":1}}"#,
            r#"{"transaction":null}"#,
            r#"{"transaction":"text"}"#,
            "{}",
            "[]",
            "12",
            "{",
            "{\"transaction\"",
        ] {
            assert_eq!(unwrapped(plain), plain);
        }
    }

    #[test]
    fn the_place_of_a_syntax_fault_is_that_in_the_file() {
        let place = |element: &str| parse(element, 10, 5).unwrap_err().place.unwrap();
        assert_eq!(place("{\"a\": }"), "line 10, column 11");
        assert_eq!(place("{\n\"a\": }"), "line 11, column 6");
        assert_eq!(place("{\"transaction\":{\"a\": }}"), "line 10, column 26");
        assert_eq!(place("{\"transaction\":\n {\"a\": }}"), "line 11, column 8");
    }

    #[test]
    fn an_unknown_wrapper_is_one_finding_and_an_unknown_member_beside_a_known_one_is_none() {
        for wrapper in [
            r#"{"transactions":[{"Version":"1.1"}]}"#,
            r#"{"count":2, "Invoices" : {"Version":"1.1"}}"#,
            r#"{"transaction":{"inv":{"Version":"1.1"}}}"#,
        ] {
            let finding = parse(wrapper, 1, 1).unwrap_err();
            assert!(finding.message.contains("this wrapper is not known"), "{finding}");
            assert!(finding.fix.is_some());
        }
        for document in [r#"{"Extra":1,"version":"1.1"}"#, r#"{"ItemList":[],"Extra":1}"#, "{}"] {
            assert!(parse(document, 1, 1).is_ok(), "{document}");
        }
        let long = parse(&format!("{{\"{}\":1}}", "x".repeat(1000)), 1, 1).unwrap_err();
        assert!(long.to_string().len() < 400, "{long}");
    }

    #[test]
    fn what_is_no_text_says_so() {
        let finding = text(b"{\"a\":\"\xe9\"}".to_vec()).unwrap_err();
        assert_eq!(finding.rule, "json.encoding");
    }

    #[test]
    fn forty_digits_are_a_finding_and_no_failure() {
        let digits = "1".repeat(40);
        let (_, read) = parse(&format!("{{\"ValDtls\":{{\"TotInvVal\":{digits}}}}}"), 1, 1).unwrap();
        assert_eq!(read.invoice.val_dtls.tot_inv_val.malformed(), Some(digits.as_str()));
    }

    proptest! {
        #[test]
        fn any_text_is_unwrapped_and_parsed_without_panic(text in r#"[\[\]{},:"\\a0 \né]{0,40}|\PC{0,40}"#) {
            let inner = unwrapped(&text);
            prop_assert!(text.contains(inner));
            prop_assert!(parse(&text, 1, 1).is_ok() || parse(&text, 1, 1).is_err());
        }
    }
}
