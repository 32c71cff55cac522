//! The envelope around every reply: `Status`, `Data`, `ErrorDetails`, `InfoDtls`.
//!
//! Reading is tolerant in form and strict in meaning: the same statement is understood in every
//! spelling seen, but a reply that contradicts itself, or says neither yes nor no, is an
//! [`EnvelopeError`]; after a write the caller then asks instead of guessing.

use einvoice_core::operation::InfoDetail;
use einvoice_core::portal_code::PortalError;
use serde_json::value::RawValue;

use crate::info;
use crate::members::{Members, MembersError, text_of};

/// Characters of a foreign answer shown to a person at most.
const EXCERPT_CHARS: usize = 120;

/// What the portal said, taken out of its envelope.
#[derive(Debug)]
#[expect(clippy::exhaustive_enums, reason = "yes or no; anything else is no envelope")]
pub enum Envelope<'a> {
    /// Yes: `Status` 1, and `Data` is there.
    Accepted {
        /// The content, still sealed or not.
        data: Data<'a>,
        /// What the portal said beside it.
        info: Vec<InfoDetail>,
    },
    /// No: `Status` 0.
    Refused {
        /// The errors, verbatim. Never empty.
        errors: Vec<PortalError>,
        /// What the portal said beside them.
        info: Vec<InfoDetail>,
    },
}

/// The `Data` member.
#[derive(Debug)]
#[expect(clippy::exhaustive_enums, reason = "JSON has no third form that could carry content")]
pub enum Data<'a> {
    /// Text: base64 of something sealed.
    Text(String),
    /// JSON in the clear, as the login answers.
    Json(&'a str),
}

/// Why a body is no clear answer of the portal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EnvelopeError {
    /// Empty.
    #[error("the body is empty")]
    Empty,
    /// Not UTF-8.
    #[error("the body is no text")]
    NotText,
    /// A page or a message of something in between.
    #[error("instead of JSON it says: {excerpt}")]
    Foreign {
        /// The beginning, cut and with long words masked.
        excerpt: String,
    },
    /// Broken or odd JSON.
    #[error("its envelope is damaged: {0}")]
    Damaged(MembersError),
    /// No `Status`, or one that is neither yes nor no.
    #[error("its Status is {found}, expected 0 or 1")]
    Status {
        /// What stands there.
        found: String,
    },
    /// Yes without content.
    #[error("it says Status 1 and has no Data")]
    NoData,
    /// Yes with errors: one of the two is wrong.
    #[error("it says Status 1 and lists errors: {}", codes(.errors))]
    Contradiction {
        /// The errors, verbatim.
        errors: Vec<PortalError>,
    },
    /// No without a reason.
    #[error("it says Status 0 and names no error")]
    NoReason,
}

fn codes(errors: &[PortalError]) -> String {
    errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

/// Takes a reply out of its envelope.
///
/// # Errors
/// [`EnvelopeError`] for everything that is not a clear yes or no.
pub fn read(body: &[u8]) -> Result<Envelope<'_>, EnvelopeError> {
    let text = json_text(body)?;
    let members =
        Members::read(text, &["Status", "Data", "ErrorDetails", "InfoDtls"]).map_err(EnvelopeError::Damaged)?;
    let errors = members.any(&["ErrorDetails", "error"]).map(info::errors).unwrap_or_default();
    // Older documents call it Alert in one sample.
    let info = members.any(&["InfoDtls", "Alert"]).map(info::details).unwrap_or_default();
    match status(members.get("Status")) {
        Ok(true) if !errors.is_empty() => Err(EnvelopeError::Contradiction { errors }),
        Ok(true) => {
            let data = members.get("Data").and_then(data).ok_or(EnvelopeError::NoData)?;
            Ok(Envelope::Accepted { data, info })
        }
        Ok(false) if errors.is_empty() => Err(EnvelopeError::NoReason),
        Ok(false) => Ok(Envelope::Refused { errors, info }),
        Err(found) => Err(EnvelopeError::Status { found }),
    }
}

/// The JSON object of a body, as text.
pub(crate) fn json_text(body: &[u8]) -> Result<&str, EnvelopeError> {
    let text = std::str::from_utf8(body).map_err(|_| EnvelopeError::NotText)?;
    // A byte order mark before JSON occurs with .NET servers.
    let text = text.trim_start_matches('\u{feff}').trim();
    if text.is_empty() {
        return Err(EnvelopeError::Empty);
    }
    if !text.starts_with('{') {
        return Err(EnvelopeError::Foreign { excerpt: excerpt(text) });
    }
    Ok(text)
}

/// `Status` is documented as text and seen as a number; some providers make it a truth value.
pub(crate) fn status(value: Option<&RawValue>) -> Result<bool, String> {
    let Some(text) = value.and_then(text_of) else { return Err("missing".to_owned()) };
    match text.trim().to_ascii_lowercase().as_str() {
        "1" | "true" => Ok(true),
        "0" | "false" => Ok(false),
        _ => Err(excerpt(&text)),
    }
}

pub(crate) fn data(value: &RawValue) -> Option<Data<'_>> {
    let json = value.get();
    match json.bytes().next()? {
        b'{' | b'[' => Some(Data::Json(json)),
        b'"' => text_of(value).map(Data::Text),
        _ => None,
    }
}

/// The beginning of a foreign answer for a person: a page's title, or its text without markup, cut,
/// and with every long word masked, as it might be a token or a key.
#[must_use]
pub fn excerpt(text: &str) -> String {
    const WORD_CHARS: usize = 24;
    // Far more than is shown, and bounded however large the page.
    let head: String = text.chars().take(4000).collect();
    let lower = head.to_ascii_lowercase();
    let title = lower
        .find("<title>")
        .and_then(|from| head.get(from + "<title>".len()..))
        .and_then(|rest| rest.split('<').next());
    let plain = match title {
        Some(title) if !title.trim().is_empty() => title.to_owned(),
        _ => without_markup(&head),
    };
    let words = plain.split_whitespace().map(|word| if word.chars().count() > WORD_CHARS { "..." } else { word });
    let shown: String = words
        .collect::<Vec<_>>()
        .join(" ")
        .chars()
        .filter(|character| !character.is_control())
        .take(EXCERPT_CHARS)
        .collect();
    if shown.is_empty() { "(nothing readable)".to_owned() } else { shown }
}

fn without_markup(text: &str) -> String {
    let mut inside = false;
    let mut plain = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '<' => inside = true,
            '>' if inside => {
                inside = false;
                plain.push(' ');
            }
            _ if inside => {}
            _ => plain.push(character),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn yes_is_understood_as_number_text_and_truth_value_in_any_case() {
        for body in [
            r#"{"Status":1,"Data":"x","ErrorDetails":null,"InfoDtls":null}"#,
            r#"{"Status":"1","Data":"x","ErrorDetails":"","InfoDtls":""}"#,
            r#"{"status":true,"data":"x","errorDetails":[],"infoDtls":[]}"#,
            "\u{feff} {\"STATUS\":1,\"DATA\":\"x\"}",
        ] {
            let Ok(Envelope::Accepted { data: Data::Text(data), info }) = read(body.as_bytes()) else {
                panic!("{body}")
            };
            assert_eq!((data.as_str(), info.len()), ("x", 0), "{body}");
        }
    }

    #[test]
    fn no_is_understood_with_its_errors_and_details() {
        let body = br#"{"Status":"0","Data":null,"ErrorDetails":[{"ErrorCode":"2150","ErrorMessage":"Duplicate IRN"}],"InfoDtls":[{"InfCd":"ADDNLNFO","Desc":"x"}]}"#;
        let Ok(Envelope::Refused { errors, info }) = read(body) else { panic!("no refusal") };
        assert_eq!(errors, [PortalError::new("2150", "Duplicate IRN")]);
        assert_eq!(info[0].code, "ADDNLNFO");
    }

    #[test]
    fn a_reply_that_contradicts_itself_or_says_nothing_is_neither_yes_nor_no() {
        use EnvelopeError as E;
        let problem = |body: &str| read(body.as_bytes()).unwrap_err();
        assert!(matches!(
            problem(r#"{"Status":1,"Data":"x","ErrorDetails":[{"ErrorCode":"2172","ErrorMessage":"m"}]}"#),
            E::Contradiction { .. }
        ));
        assert_eq!(problem(r#"{"Status":1,"Data":null}"#), E::NoData);
        assert_eq!(problem(r#"{"Status":1,"Data":""}"#), E::NoData);
        assert_eq!(problem(r#"{"Status":0,"ErrorDetails":null}"#), E::NoReason);
        assert_eq!(problem(r#"{"Data":"x"}"#), E::Status { found: "missing".into() });
        assert_eq!(problem(r#"{"Status":2,"Data":"x"}"#), E::Status { found: "2".into() });
        assert!(matches!(problem(r#"{"Status":0,"status":1,"Data":"x"}"#), E::Damaged(_)));
        assert!(matches!(problem(r#"{"Status":1,"Data":"x""#), E::Damaged(_)));
        assert_eq!(problem("  "), E::Empty);
        assert_eq!(read(&[0xFF, 0xFE]).unwrap_err(), E::NotText);
    }

    #[test]
    fn a_page_of_a_gateway_is_shown_by_its_title_and_without_anything_long() {
        let page = "<html><head><title>502 Bad Gateway</title></head><body>x</body></html>";
        assert_eq!(read(page.as_bytes()).unwrap_err().to_string(), "instead of JSON it says: 502 Bad Gateway");
        let token = "eyJhbGciOiJSUzI1NiIsImtpZCI6IjE1MTNCODIx";
        let shown = excerpt(&format!("<p>token {token} refused</p>"));
        assert_eq!(shown, "token ... refused");
        assert!(excerpt(&"word ".repeat(1000)).chars().count() <= EXCERPT_CHARS);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _either = read(&bytes);
        }

        #[test]
        fn any_members_are_read_or_refused_without_a_panic(
            status in "[ -~]{0,6}", data in "[ -~]{0,12}", errors in "[ -~]{0,30}", info in "[ -~]{0,30}"
        ) {
            let body = format!(r#"{{"Status":{status},"Data":{data},"ErrorDetails":{errors},"InfoDtls":{info}}}"#);
            let _either = read(body.as_bytes());
            let quoted = format!(r#"{{"Status":"0","Data":{data:?},"ErrorDetails":{errors:?},"InfoDtls":{info:?}}}"#);
            let _either = read(quoted.as_bytes());
        }
    }
}
