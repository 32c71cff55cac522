//! Reads `ErrorDetails` and `InfoDtls` in all the forms they have been seen in. Neither reader
//! fails: what cannot be taken apart is kept as text, for a person.

use base64::Engine as _;
use einvoice_core::irn::Irn;
use einvoice_core::operation::{DuplicateInfo, InfoDetail};
use einvoice_core::portal_code::PortalError;
use serde_json::value::RawValue;

use crate::encoding::BASE64;
use crate::members::{Members, elements, text_of};

/// Layers of text within text that are opened: base64 or a JSON string, once each, and one to spare.
const LAYERS_MAX: usize = 3;

/// Reads `ErrorDetails`: null, empty text, an array, base64 of an array (documented for the core
/// pages), JSON as text, one object, or bare text.
#[must_use]
pub fn errors(value: &RawValue) -> Vec<PortalError> {
    let mut errors = Vec::new();
    entries(value.get(), LAYERS_MAX, &mut |entry| match entry {
        Entry::Object(json) => error_of_object(json, &mut errors),
        Entry::Bare(text) => errors.push(PortalError::new("", text)),
    });
    errors
}

/// Reads `InfoDtls`: null, empty text, bare text, an object, an array of objects, or one of these
/// inside a text. Codes nobody knows are kept.
#[must_use]
pub fn details(value: &RawValue) -> Vec<InfoDetail> {
    let mut details = Vec::new();
    entries(value.get(), LAYERS_MAX, &mut |entry| {
        details.push(match entry {
            Entry::Object(json) => detail_of_object(json),
            Entry::Bare(text) => bare(text),
        });
    });
    details
}

/// One thing that was said, in whatever wrapping.
enum Entry<'a> {
    /// A JSON object.
    Object(&'a str),
    /// What cannot be taken apart.
    Bare(&'a str),
}

/// Hands over every entry of a JSON text: of null and of empty text none, of an array its elements', of
/// JSON inside a text that JSON's.
fn entries(json: &str, layers: usize, each: &mut dyn FnMut(Entry<'_>)) {
    let json = json.trim();
    match json.bytes().next() {
        Some(b'[') => match elements(json) {
            Some(elements) if layers > 0 => {
                for element in elements {
                    entries(element.get(), layers - 1, each);
                }
            }
            _ => each(Entry::Bare(json)),
        },
        Some(b'{') => each(Entry::Object(json)),
        Some(b'"') => {
            let Ok(text) = serde_json::from_str::<String>(json) else { return };
            let text = text.trim();
            match json_within(text) {
                _ if text.is_empty() => {}
                Some(json) if layers > 0 => entries(&json, layers - 1, each),
                _ => each(Entry::Bare(text)),
            }
        }
        Some(b'n') | None => {}
        // A bare number or truth value is no form anybody documents; shown rather than dropped.
        Some(_) => each(Entry::Bare(json)),
    }
}

fn error_of_object(json: &str, errors: &mut Vec<PortalError>) {
    let Ok(members) = Members::read(json, &[]) else {
        errors.push(PortalError::new("", json));
        return;
    };
    let text = |names: &[&str]| members.any(names).and_then(text_of).unwrap_or_default();
    let codes = text(&["ErrorCode", "errorCodes", "error_code", "error_cd"]);
    let message = text(&["ErrorMessage", "error_message", "message", "error_msg"]);
    if codes.is_empty() && message.is_empty() {
        if !members.is_empty() {
            errors.push(PortalError::new("", json));
        }
        return;
    }
    // The e-way bill system writes several codes into one member, each followed by a comma.
    let mut parts = codes.split(',').map(str::trim).filter(|code| !code.is_empty()).peekable();
    if parts.peek().is_none() {
        errors.push(PortalError::new("", message));
        return;
    }
    errors.extend(parts.map(|code| PortalError::new(code, message.clone())));
}

/// JSON that stands inside a text, plain or as base64.
fn json_within(text: &str) -> Option<String> {
    let looks_like_json = |text: &str| text.starts_with(['{', '[']);
    if looks_like_json(text) {
        return serde_json::from_str::<&RawValue>(text).is_ok().then(|| text.to_owned());
    }
    let decoded = String::from_utf8(BASE64.decode(text).ok()?).ok()?;
    let decoded = decoded.trim();
    (looks_like_json(decoded) && serde_json::from_str::<&RawValue>(decoded).is_ok()).then(|| decoded.to_owned())
}

fn bare(text: &str) -> InfoDetail {
    InfoDetail { code: String::new(), description: text.to_owned(), duplicate: None, errors: Vec::new() }
}

fn detail_of_object(json: &str) -> InfoDetail {
    let Ok(members) = Members::read(json, &[]) else { return bare(json) };
    let code = members.any(&["InfCd", "InfoCd", "inf_cd"]).and_then(text_of).unwrap_or_default();
    let Some(desc) = members.any(&["Desc", "Description"]) else {
        // Without the member we know, the whole object is what a person must see.
        return InfoDetail { code, description: json.to_owned(), duplicate: None, errors: Vec::new() };
    };
    let description = match desc.get().bytes().next() {
        Some(b'{' | b'[') => desc.get().to_owned(),
        _ => text_of(desc).unwrap_or_default(),
    };
    let duplicate = code
        .to_ascii_uppercase()
        .starts_with("DUPIRN")
        .then(|| duplicate(&description, members.text("RegIrp")))
        .flatten();
    let errors = if code.eq_ignore_ascii_case("EWBERR") { errors(desc) } else { Vec::new() };
    InfoDetail { code, description, duplicate, errors }
}

/// The earlier registration in a `DUPIRN` or `DUPIRNGLP` entry. `RegIrp` stands beside `InfCd` (one
/// public code base reads it there); inside `Desc` it is taken as well.
fn duplicate(description: &str, registered_by: Option<String>) -> Option<DuplicateInfo> {
    let inner = json_within(description)?;
    let members = Members::read(&inner, &[]).ok()?;
    Some(DuplicateInfo {
        irn: Irn::parse(&members.text("Irn")?).ok()?,
        ack_no: members.digits("AckNo"),
        ack_date: members.moment("AckDt"),
        registered_by: registered_by.or_else(|| members.text("RegIrp")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(json: &str) -> Box<RawValue> {
        serde_json::from_str(json).unwrap()
    }

    fn codes(json: &str) -> Vec<String> {
        errors(&raw(json)).into_iter().map(|error| error.code).collect()
    }

    #[test]
    fn every_form_of_error_details_gives_the_same_errors() {
        let array = r#"[{"ErrorCode":"2150","ErrorMessage":"Duplicate IRN"}]"#;
        let forms = [
            array.to_owned(),
            r#"[{"errorCode":2150,"errorMessage":"Duplicate IRN"}]"#.to_owned(),
            r#"{"ErrorCode":"2150","ErrorMessage":"Duplicate IRN"}"#.to_owned(),
            serde_json::to_string(array).unwrap(),
            format!("\"{}\"", BASE64.encode(array)),
        ];
        for form in forms {
            assert_eq!(errors(&raw(&form)), [PortalError::new("2150", "Duplicate IRN")], "{form}");
        }
    }

    #[test]
    fn nothing_said_is_no_error() {
        for form in ["null", r#""""#, "[]", "{}", r#""  ""#, "[null]"] {
            assert_eq!(errors(&raw(form)), [], "{form}");
        }
    }

    #[test]
    fn what_cannot_be_taken_apart_is_kept_as_text() {
        assert_eq!(errors(&raw(r#""portal is busy""#)), [PortalError::new("", "portal is busy")]);
        assert_eq!(errors(&raw("42")), [PortalError::new("", "42")]);
        assert_eq!(errors(&raw(r#"{"odd":1}"#)), [PortalError::new("", r#"{"odd":1}"#)]);
    }

    #[test]
    fn several_codes_in_one_member_become_several_errors() {
        assert_eq!(codes(r#"{"errorCodes":"240,312,"}"#), ["240", "312"]);
    }

    #[test]
    fn a_duplicate_entry_names_the_earlier_registration() {
        let irn = "706daeccda0ef6f818da78f3a2a05a1288731057373002289b46c3229289a2e7";
        let json = format!(
            r#"[{{"InfCd":"DUPIRN","Desc":{{"AckNo":232210036743849,"AckDt":"2023-10-02 16:26:00","Irn":"{irn}"}}}}]"#
        );
        let found = details(&raw(&json)).remove(0).duplicate.unwrap();
        assert_eq!(found.irn.to_string(), irn);
        assert_eq!(found.ack_no.as_deref(), Some("232210036743849"));
        assert_eq!(found.ack_date.unwrap().to_string(), "2023-10-02 16:26:00");
        assert_eq!(found.registered_by, None);
    }

    #[test]
    fn a_duplicate_at_another_portal_names_that_portal_and_may_lack_the_date() {
        let irn = "706daeccda0ef6f818da78f3a2a05a1288731057373002289b46c3229289a2e7";
        let json =
            format!(r#"[{{"InfCd":"DUPIRNGLP","RegIrp":"IRP3","Desc":{{"AckNo":"1","AckDt":"-","Irn":"{irn}"}}}}]"#);
        let found = details(&raw(&json)).remove(0).duplicate.unwrap();
        assert_eq!((found.ack_date, found.registered_by.as_deref()), (None, Some("IRP3")));
    }

    #[test]
    fn errors_of_the_e_way_bill_are_listed_beside_the_text() {
        let json = r#"[{"InfCd":"EWBERR","Desc":[{"ErrorCode":"4019","ErrorMessage":"Provide Transporter ID"}]}]"#;
        let found = details(&raw(json)).remove(0);
        assert_eq!(found.errors, [PortalError::new("4019", "Provide Transporter ID")]);
        assert!(found.description.starts_with('['));
    }

    #[test]
    fn an_unknown_code_and_bare_text_are_kept() {
        let found = details(&raw(r#"[{"InfCd":"NEWCODE","Desc":"something"},"plain words"]"#));
        assert_eq!((found[0].code.as_str(), found[0].description.as_str()), ("NEWCODE", "something"));
        assert_eq!((found[1].code.as_str(), found[1].description.as_str()), ("", "plain words"));
        for form in ["null", r#""""#, "[]"] {
            assert_eq!(details(&raw(form)), [], "{form}");
        }
    }
}
