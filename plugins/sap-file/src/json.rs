//! INV-01 documents in JSON, in the wrapper of a file drop (`{"transaction": {...}}`) or without.

use std::collections::BTreeMap;
use std::io::Read;

use einvoice_core::document::{Invoice, JsonError, ReadInvoice};
use einvoice_core::finding::Finding;
use einvoice_core::source::{Mapped, MappedDocument, Provenance};
use einvoice_file_drop::json::{Fault, Splitter};
use serde_json::value::RawValue;

/// Member of the wrapper that holds the document.
const WRAPPER: &str = "transaction";
/// Largest element: a document as large as the portal takes, in a wrapper with much beside it.
const BYTES_MAX: usize = 4 * 1024 * 1024;

/// The elements of a file.
pub(crate) fn elements<R: Read>(inner: R) -> Splitter<R> {
    Splitter::new(inner, false).with_bytes_max(BYTES_MAX)
}

/// The text of an element, which must be an object.
pub(crate) fn text(content: Result<Vec<u8>, Fault>) -> Result<String, Box<Finding>> {
    let wrong = |rule, message, fix: &'static str| {
        Err(Box::new(Finding::error(rule, "", message).with_code("2140").with_fix(fix)))
    };
    match content.map(String::from_utf8) {
        Ok(Ok(text)) if text.starts_with('{') => Ok(text),
        Ok(Ok(_)) => wrong(
            "json.structure",
            "an INV-01 document is expected here, or {\"transaction\": ...}",
            "Write one object for each document.",
        ),
        Ok(Err(_)) => wrong(
            "json.encoding",
            "the document is not text in UTF-8",
            "Write the file in UTF-8, or set `encoding = \"windows-1252\"` if it is in that or in ISO 8859-1.",
        ),
        Err(fault) => {
            let (message, fix) = fault.explain();
            wrong("json.structure", message, fix)
        }
    }
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
    // What the file says itself goes back as it came.
    let attributes = crate::attributes::of_document(&read.invoice).chain(own).collect();
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

    /// The line of each element, and its text or the message of what is wrong with it.
    fn found(text: &str) -> Vec<(u64, Result<String, String>)> {
        elements(text.as_bytes())
            .map(|piece| piece.unwrap())
            .map(|piece| (piece.line, super::text(piece.content).map_err(|finding| finding.message)))
            .collect()
    }

    #[test]
    fn objects_are_found_in_lists_in_lines_and_after_one_another() {
        let one = r#"{"a":"}]\"{","b":[{}]}"#;
        for text in [format!("[{one},\n{one}]"), format!("{one}\n{one}\n"), format!(" [\n{one}, {one}] ")] {
            let found = found(&text);
            assert!(found.len() == 2 && found.iter().all(|(_, text)| text.as_deref() == Ok(one)), "{found:?}");
        }
        assert_eq!(found(&format!("[\n\n{one}]"))[0].0, 3);
        assert_eq!(found("[]"), []);
    }

    #[test]
    fn what_is_no_object_is_a_fault_and_the_rest_is_read() {
        let parts = |text: &str| -> Vec<Result<(), bool>> {
            let no_object = |message: String| message.contains("an INV-01 document is expected");
            found(text).into_iter().map(|(_, text)| text.map(drop).map_err(no_object)).collect()
        };
        assert_eq!(
            parts("[17, {\"a\":1}, \"x, y\", [{}], {\"b\""),
            [Err(true), Ok(()), Err(true), Err(true), Err(false)]
        );
        assert_eq!(parts("nothing of this"), [Err(false)]);
        let large = format!("[{{\"a\":\"{}\"}},{{}}]", "x".repeat(BYTES_MAX));
        assert_eq!(parts(&large), [Err(false), Ok(())]);
    }

    #[test]
    fn a_list_that_ends_between_two_documents_is_not_taken_for_whole() {
        for (text, whole) in [("[{},{}]", true), ("[{},{}", false), ("[{},{},", false), ("{}\n{}", true)] {
            let found = found(text);
            assert_eq!(found.iter().filter(|(_, text)| text.is_ok()).count(), 2, "{text}");
            let last = found.last().unwrap().1.as_ref();
            let said = last.err().is_some_and(|message| message.contains("ends before its list is closed"));
            assert_eq!(said, !whole, "{text}: {found:?}");
        }
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
        let own =
            r#"{"ODN":"0090000001","gjahr":2027,"transaction":{"DocDtls":{"Typ":"INV","No":"A/1","Dt":"05/11/2026"}}}"#;
        let mapped = map(own, 1).unwrap();
        let of = |key: &str| mapped.attributes.get(key).map(String::as_str);
        assert_eq!((of("ODN"), of("GJAHR"), of("DOC_TYP")), (Some("0090000001"), Some("2027"), Some("INV")));
        assert!(map(r#"{"Version":"1.1"}"#, 1).is_ok());
        assert!(map(r#"{"invoices":{"Version":"1.1"}}"#, 7).unwrap_err().place.unwrap().contains("line 7"));
        assert!(map("{\n,}", 7).unwrap_err().place.unwrap().contains("line 8"));
    }
}
