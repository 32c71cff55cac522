//! One voucher or master of Tally's JSON as the XML it stands for.

use std::fmt::Write as _;

use quick_xml::escape::escape;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::xml::DEPTH_MAX;

/// What an object says of itself before it is read as a whole.
#[derive(Debug, Deserialize)]
struct Head {
    metadata: Kind,
}

#[derive(Debug, Deserialize)]
struct Kind {
    #[serde(rename = "type")]
    kind: String,
}

/// The tag of an object: `STOCKITEM` for `Stock Item`; `None` where it names no type.
///
/// # Errors
/// Where it is no well-formed JSON.
pub(super) fn tag(json: &str) -> Result<Option<String>, serde_json::Error> {
    match serde_json::from_str::<Head>(json) {
        Ok(head) => Ok(name(&head.metadata.kind)),
        Err(error) if error.is_data() => Ok(None),
        Err(error) => Err(error),
    }
}

/// An object as XML under its tag.
///
/// # Errors
/// Why it cannot be rewritten, in words.
pub(super) fn to_xml(json: &str, tag: &str) -> Result<String, String> {
    let fields: Map<String, Value> = serde_json::from_str(json).map_err(|error| error.to_string())?;
    let mut out = format!("<{tag}");
    let metadata = fields.get("metadata").and_then(Value::as_object).into_iter().flatten();
    for (key, value) in metadata.filter(|(key, _)| *key != "type") {
        if let (Some(key), Some(text)) = (name(key), text(value)) {
            _ = write!(out, " {key}=\"{}\"", escape(text.as_str()));
        }
    }
    out.push('>');
    write_fields(&mut out, &fields, 1)?;
    _ = write!(out, "</{tag}>");
    Ok(out)
}

/// The fields of an object, single values before lists as in Tally's XML: the first `DATE` of a
/// voucher is its own.
fn write_fields(out: &mut String, fields: &Map<String, Value>, depth: usize) -> Result<(), String> {
    if depth >= DEPTH_MAX {
        return Err(format!("lists nested deeper than {DEPTH_MAX}"));
    }
    let fields =
        || fields.iter().filter(|(key, _)| *key != "metadata").filter_map(|(key, value)| Some((name(key)?, value)));
    for (tag, value) in fields() {
        if let Some(text) = text(value).filter(|text| !text.is_empty()) {
            _ = write!(out, "<{tag}>{}</{tag}>", escape(text.as_str()));
        }
    }
    for (tag, value) in fields().filter(|(_, value)| text(value).is_none()) {
        match value {
            Value::Array(entries) => write_list(out, &tag, entries, depth)?,
            Value::Object(inner) => write_entry(out, &tag, inner, depth)?,
            _ => {}
        }
    }
    Ok(())
}

/// A list: of objects, each an element of its own, or of texts, all in one.
fn write_list(out: &mut String, tag: &str, entries: &[Value], depth: usize) -> Result<(), String> {
    let texts: Vec<String> = entries.iter().filter_map(text).collect();
    if !texts.is_empty() {
        _ = write!(out, "<{tag}.LIST TYPE=\"String\">");
        for line in texts {
            _ = write!(out, "<{tag}>{}</{tag}>", escape(line.as_str()));
        }
        _ = write!(out, "</{tag}.LIST>");
    }
    // A list of texts begins with an object that says so and holds nothing else.
    let says_type = |entry: &Map<String, Value>| entry.get("metadata") == Some(&Value::Bool(true));
    for entry in entries.iter().filter(|entry| text(entry).is_none()).filter_map(Value::as_object) {
        if !says_type(entry) {
            write_entry(out, tag, entry, depth)?;
        }
    }
    Ok(())
}

fn write_entry(out: &mut String, tag: &str, entry: &Map<String, Value>, depth: usize) -> Result<(), String> {
    _ = write!(out, "<{tag}.LIST>");
    write_fields(out, entry, depth + 1)?;
    _ = write!(out, "</{tag}.LIST>");
    Ok(())
}

/// A single value as Tally's XML has it; `None` for lists and objects. Answers about single objects
/// and collections wrap values: `{"type": "Amount", "value": "-70.80"}`.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::Null => Some(String::new()),
        Value::Bool(flag) => Some(if *flag { "Yes" } else { "No" }.to_owned()),
        Value::Number(number) => Some(number.to_string()),
        // U+0004 marks reserved words; XML has no control characters.
        Value::String(text) => {
            Some(text.chars().filter(|found| !found.is_control() || matches!(found, '\t' | '\n' | '\r')).collect())
        }
        Value::Object(typed) if typed.contains_key("type") && typed.contains_key("value") && typed.len() == 2 => {
            typed.get("value").and_then(text)
        }
        Value::Object(_) | Value::Array(_) => None,
    }
}

/// A key as a tag: upper case, without blanks and without the ending of lists; `None` for what can be
/// no tag.
fn name(key: &str) -> Option<String> {
    let upper = key.replace(' ', "").to_ascii_uppercase();
    let name = upper.strip_suffix(".LIST").unwrap_or(&upper);
    let fits = |found: char| found.is_ascii_alphanumeric() || matches!(found, '_' | ':' | '.' | '-');
    let begins = name.starts_with(|found: char| found.is_ascii_alphabetic() || found == '_');
    (begins && name.chars().all(fits)).then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::xml::Element;

    const VOUCHER: &str = r#"{
        "metadata": { "type": "Voucher", "remoteid": "g-1", "vchtype": "Sales & more" },
        "allinventoryentries": [
            { "stockitemname": "Valve", "amount": "100.00", "batchallocations": [{ "date": "20260101", "batchname": "B1" }] },
            { "stockitemname": "Nut", "amount": { "type": "Amount", "value": "5.00" } }
        ],
        "address": [{ "metadata": true, "type": "String" }, "12, High Street", "Pune"],
        "Opening Balance": "3", "ledgerentries.list": [{ "isdeemedpositive": true }],
        "gstregistrationtype": "\u0004 Not Applicable", "isinvoice": false, "masterid": 4002, "date": "20261105",
        "x<y": "no tag", "nothing": null
    }"#;

    #[test]
    fn an_object_becomes_the_xml_it_stands_for() {
        let kind = tag(VOUCHER).unwrap().unwrap();
        let xml = to_xml(VOUCHER, &kind).unwrap();
        let voucher = Element::parse(&xml).unwrap();
        assert_eq!((voucher.name(), voucher.attribute("VCHTYPE")), ("VOUCHER", Some("Sales & more")));
        assert_eq!((voucher.get("DATE"), voucher.get("MASTERID")), (Some("20261105"), Some("4002")));
        assert_eq!((voucher.get("ISINVOICE"), voucher.get("OPENINGBALANCE")), (Some("No"), Some("3")));
        assert_eq!(voucher.get("GSTREGISTRATIONTYPE"), None, "a reserved word");
        assert_eq!(voucher.lines("ADDRESS.LIST"), ["12, High Street", "Pune"]);
        let items: Vec<_> = voucher.all("ALLINVENTORYENTRIES.LIST").collect();
        assert_eq!(items.iter().map(|item| item.get("AMOUNT").unwrap()).collect::<Vec<_>>(), ["100.00", "5.00"]);
        assert_eq!(items.first().unwrap().child("BATCHALLOCATIONS.LIST").unwrap().get("BATCHNAME"), Some("B1"));
        assert!(voucher.child("LEDGERENTRIES.LIST").unwrap().is_yes("ISDEEMEDPOSITIVE"));
        // Whoever looks for the first date finds the voucher's.
        assert_eq!(crate::reading::text_of(&xml, "DATE").as_deref(), Some("20261105"));
    }

    #[test]
    fn types_are_tags_and_what_has_none_is_told_apart_from_what_is_broken() {
        assert_eq!(tag(r#"{"metadata":{"type":"Stock Item"}}"#).unwrap().as_deref(), Some("STOCKITEM"));
        assert_eq!(tag(r#"{"voucher":{}}"#).unwrap(), None);
        assert!(tag(r#"{"metadata":{"type":"Voucher"},"#).is_err());
    }

    proptest! {
        #[test]
        fn whatever_the_fields_the_xml_is_well_formed(key in ".{0,12}", value in ".{0,40}") {
            let json = serde_json::json!({ "metadata": { "type": "Voucher", key.clone(): value.clone() }, key: [value] });
            let xml = to_xml(&json.to_string(), "VOUCHER").unwrap();
            prop_assert!(Element::parse(&xml).is_ok(), "{xml}");
        }
    }
}
