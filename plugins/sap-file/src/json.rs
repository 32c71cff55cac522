//! INV-01 documents in JSON, in the wrapper of a file drop (`{"transaction": {...}}`) or without.

use std::collections::BTreeMap;
use std::io::{self, Read};

use einvoice_core::document::{Invoice, JsonError, ReadInvoice};
use einvoice_core::finding::Finding;
use einvoice_core::source::{Mapped, MappedDocument, Provenance};
use serde_json::value::RawValue;

/// Member of the wrapper that holds the document.
const WRAPPER: &str = "transaction";
/// Largest document: more than the portal takes.
const BYTES_MAX: usize = 4 * 1024 * 1024;
/// Bytes read at once.
const CHUNK: usize = 64 * 1024;

/// An element of a file: an object of a list, or one of several after one another.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Element {
    pub(crate) line: u64,
    pub(crate) text: Result<Vec<u8>, Fault>,
}

/// Why an element cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Something stands here that is no object.
    NoObject,
    /// It is larger than any document.
    TooLarge,
    /// The file ends inside.
    Truncated,
}

/// Splits a file into its elements, with the memory of one of them.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "what a reader of characters knows")]
pub(crate) struct Elements<R> {
    inner: R,
    chunk: Vec<u8>,
    at: usize,
    line: u64,
    element: Vec<u8>,
    begins: u64,
    depth: usize,
    in_string: bool,
    escaped: bool,
    too_large: bool,
    /// Inside something that is no object.
    junk: bool,
    ended: bool,
    failed: bool,
}

impl<R: Read> Elements<R> {
    pub(crate) fn new(inner: R) -> Self {
        Self {
            inner,
            chunk: Vec::new(),
            at: 0,
            line: 1,
            element: Vec::new(),
            begins: 1,
            depth: 0,
            in_string: false,
            escaped: false,
            too_large: false,
            junk: false,
            ended: false,
            failed: false,
        }
    }

    fn refill(&mut self) -> io::Result<bool> {
        self.chunk.clear();
        self.at = 0;
        let limit = u64::try_from(CHUNK).unwrap_or(u64::MAX);
        Ok(self.inner.by_ref().take(limit).read_to_end(&mut self.chunk)? > 0)
    }

    /// Takes one byte in; an element where one ends.
    fn byte(&mut self, byte: u8) -> Option<Element> {
        if byte == b'\n' {
            self.line += 1;
        }
        if self.depth == 0 && !self.in_string {
            return self.between(byte);
        }
        if self.element.len() < BYTES_MAX {
            self.element.push(byte);
        } else {
            self.too_large = true;
        }
        if self.in_string {
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' => self.escaped = true,
                b'"' => self.in_string = false,
                _ => {}
            }
            // A text that stands for itself ended.
            return (!self.in_string && self.depth == 0).then(|| self.finish());
        }
        match byte {
            b'"' => self.in_string = true,
            b'{' | b'[' => self.depth += 1,
            b'}' | b']' => self.depth -= 1,
            _ => {}
        }
        (self.depth == 0).then(|| self.finish())
    }

    /// A byte outside of every element.
    fn between(&mut self, byte: u8) -> Option<Element> {
        match byte {
            b'{' => {
                let junk = self.junk.then(|| self.finish());
                self.begin(byte);
                self.depth = 1;
                junk
            }
            b'"' if !self.junk => {
                self.begin(byte);
                self.junk = true;
                self.in_string = true;
                None
            }
            b' ' | b'\t' | b'\r' | b'\n' | b',' | b'[' | b']' => self.junk.then(|| self.finish()),
            _ if self.junk => None,
            _ => {
                self.begin(byte);
                self.junk = true;
                None
            }
        }
    }

    fn begin(&mut self, byte: u8) {
        self.begins = self.line;
        self.element.push(byte);
    }

    fn finish(&mut self) -> Element {
        let bytes = std::mem::take(&mut self.element);
        let text = match (self.junk, self.too_large) {
            (true, _) => Err(Fault::NoObject),
            (false, true) => Err(Fault::TooLarge),
            (false, false) => Ok(bytes),
        };
        (self.junk, self.too_large) = (false, false);
        Element { line: self.begins, text }
    }
}

impl<R: Read> Iterator for Elements<R> {
    type Item = io::Result<Element>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            while let Some(byte) = self.chunk.get(self.at).copied() {
                self.at += 1;
                if let Some(element) = self.byte(byte) {
                    return Some(Ok(element));
                }
            }
            if self.ended || self.failed {
                return None;
            }
            match self.refill() {
                Ok(true) => {}
                Ok(false) => {
                    self.ended = true;
                    if self.depth > 0 || self.in_string {
                        return Some(Ok(Element { line: self.begins, text: Err(Fault::Truncated) }));
                    }
                    if self.junk {
                        return Some(Ok(self.finish()));
                    }
                }
                Err(error) => {
                    self.failed = true;
                    return Some(Err(error));
                }
            }
        }
    }
}

/// What is wrong with an element that is none.
pub(crate) fn fault(found: Fault, place: String) -> Finding {
    let (message, fix) = match found {
        Fault::NoObject => {
            ("an INV-01 document is expected here, or {\"transaction\": ...}", "Write one object for each document.")
        }
        Fault::TooLarge => {
            ("the document is larger than 4 MB, which the portal does not take", "Split the billing document.")
        }
        Fault::Truncated => {
            ("the file ends before this document does", "Write the file again; move it here only once it is complete.")
        }
    };
    Finding::error("json.structure", "", message).with_code("2140").with_place(place).with_fix(fix)
}

/// Maps the text of one element that begins at a line of its file.
pub(crate) fn map(text: &str, line: u64) -> Result<Box<MappedDocument>, Box<Finding>> {
    let at = |error: &JsonError| {
        let mut error = *error;
        error.line = error.line.saturating_add(usize::try_from(line).unwrap_or(usize::MAX).saturating_sub(1));
        Box::new(error.to_finding())
    };
    let wrapped = wrapped(text);
    let read = match &wrapped {
        Some((inner, _)) => Invoice::from_raw(inner).map_err(|error| at(&error))?,
        None => plain(text).map_err(|error| at(&error))?,
    };
    if wrapped.is_none() && is_foreign(text) {
        return Err(Box::new(
            Finding::error("json.structure", "", "no member of INV-01 stands in this object")
                .with_code("2140")
                .with_expected("an INV-01 document, or {\"transaction\": {...}}")
                .with_place(format!("line {line}"))
                .with_fix("Write the document itself, or wrap it as `transaction`."),
        ));
    }
    let own = wrapped.map(|(_, own)| own).unwrap_or_default();
    let attributes = own.into_iter().chain(crate::attributes::of_document(&read.invoice)).collect();
    // Each value stands in the file under its own path.
    Ok(Box::new(MappedDocument {
        invoice: read.invoice,
        findings: read.findings,
        provenance: Provenance::new(),
        attributes,
    }))
}

/// As [`map`], for the mapping of a record.
pub(crate) fn mapped(text: &str, line: u64, label: String) -> Mapped {
    match map(text, line) {
        Ok(document) => Mapped::Document(document),
        Err(finding) => Mapped::Unmappable { label, findings: vec![*finding] },
    }
}

fn plain(text: &str) -> Result<ReadInvoice, JsonError> {
    Invoice::from_json(text)
}

fn members(text: &str) -> BTreeMap<String, &RawValue> {
    serde_json::from_str(text).unwrap_or_default()
}

/// The document inside a wrapper, and what stands beside it: keys of SAP that go back with the result.
fn wrapped(text: &str) -> Option<(Box<RawValue>, BTreeMap<String, String>)> {
    // Most documents have no wrapper, and none is read twice for it.
    let is_named = |at: usize| {
        let name = text.get(at..at + WRAPPER.len()).unwrap_or_default();
        name.eq_ignore_ascii_case(WRAPPER)
    };
    if !memchr::memchr_iter(b'"', text.as_bytes()).any(|quote| is_named(quote + 1)) {
        return None;
    }
    let members = members(text);
    let is_known = |name: &str| Invoice::members().any(|member| member.name.eq_ignore_ascii_case(name));
    if members.keys().any(|name| is_known(name)) {
        return None;
    }
    let (_, inner) = members.iter().find(|(name, _)| name.eq_ignore_ascii_case(WRAPPER))?;
    inner.get().starts_with('{').then_some(())?;
    let own = members.iter().filter_map(|(name, value)| {
        let text = match serde_json::from_str(value.get()).ok()? {
            serde_json::Value::String(text) => text,
            serde_json::Value::Number(number) => number.to_string(),
            _ => return None,
        };
        Some((name.to_uppercase(), text)).filter(|(_, text)| !text.is_empty())
    });
    Some(((*inner).to_owned(), own.collect()))
}

fn is_foreign(text: &str) -> bool {
    let members = members(text);
    let is_known = |name: &String| Invoice::members().any(|member| member.name.eq_ignore_ascii_case(name));
    !members.is_empty() && !members.keys().any(is_known)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn elements(text: &str) -> Vec<(u64, Result<String, Fault>)> {
        Elements::new(text.as_bytes())
            .map(|element| element.unwrap())
            .map(|element| (element.line, element.text.map(|text| String::from_utf8(text).unwrap())))
            .collect()
    }

    #[test]
    fn objects_are_found_in_lists_in_lines_and_after_one_another() {
        let one = r#"{"a":"}]\"{","b":[{}]}"#;
        for text in [format!("[{one},\n{one}]"), format!("{one}\n{one}\n"), format!(" [\n{one}, {one}] ")] {
            let found = elements(&text);
            assert!(found.len() == 2 && found.iter().all(|(_, text)| text.as_deref() == Ok(one)), "{found:?}");
        }
        assert_eq!(elements(&format!("[\n\n{one}]"))[0].0, 3);
    }

    #[test]
    fn what_is_no_object_is_a_fault_and_the_rest_is_read() {
        let found = elements("[17, {\"a\":1}, \"x, y\", {\"b\"");
        let kinds: Vec<_> = found.into_iter().map(|(_, text)| text.map(|_| ())).collect();
        assert_eq!(kinds, [Err(Fault::NoObject), Ok(()), Err(Fault::NoObject), Err(Fault::Truncated)]);
        assert_eq!(elements(&format!("{{\"a\":\"{}\"}}{{}}", "x".repeat(BYTES_MAX)))[0].1, Err(Fault::TooLarge));
        assert_eq!(elements("nothing of this").len(), 3);
        assert_eq!(elements("[]"), []);
    }

    #[test]
    fn keys_beside_the_document_come_back_with_its_result() {
        let text = r#"{"BUKRS":"1000","gjahr":2026,"custom_fields":null,"transaction":{"Version":"1.1","DocDtls":{"Typ":"INV","No":"A/1","Dt":"05/11/2026"}}}"#;
        let mapped = map(text, 1).unwrap();
        assert_eq!(mapped.invoice.label(), "INV A/1 of 05/11/2026");
        let of = |key: &str| mapped.attributes.get(key).map(String::as_str);
        assert_eq!(
            (of("BUKRS"), of("GJAHR"), of("ODN"), of("CUSTOM_FIELDS")),
            (Some("1000"), Some("2026"), Some("A/1"), None)
        );
        assert!(map(r#"{"Version":"1.1"}"#, 1).is_ok());
        assert!(map(r#"{"invoices":{"Version":"1.1"}}"#, 7).unwrap_err().place.unwrap().contains("line 7"));
        assert!(map("{\n,}", 7).unwrap_err().place.unwrap().contains("line 8"));
    }
}
