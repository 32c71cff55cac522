//! The envelope of the e-way bill system: `status`, `data`, `rek`, `hmac`, `error`, `alert`, `info` (NIC, e-way
//! bill API 1.03). Tolerant in form and strict in meaning, like [`crate::envelope`], whose errors it shares.

use einvoice_core::environment::Product;
use einvoice_core::operation::InfoDetail;
use einvoice_core::portal_code::{PortalError, explain};
use serde_json::value::RawValue;

use crate::envelope::{self, Data, EnvelopeError};
use crate::info;
use crate::members::{Members, elements, text_of};

/// What the system said, taken out of its envelope.
#[derive(Debug)]
#[expect(clippy::exhaustive_enums, reason = "yes or no; anything else is no envelope")]
pub enum Answer<'a> {
    /// Yes: `status` 1.
    Accepted(Accepted<'a>),
    /// No: `status` 0.
    Refused {
        /// The codes, verbatim, with our words where the system sent none. Never empty.
        errors: Vec<PortalError>,
        /// What the system said beside them.
        info: Vec<InfoDetail>,
    },
}

/// A yes. A login has its content here in the clear, everything else in `data`.
#[derive(Debug)]
pub struct Accepted<'a> {
    members: Members<'a>,
}

impl<'a> Accepted<'a> {
    /// The members beside `status`.
    #[must_use]
    pub const fn members(&self) -> &Members<'a> {
        &self.members
    }

    /// The content.
    ///
    /// # Errors
    /// [`EnvelopeError::NoData`] when there is none.
    pub fn data(&self) -> Result<Data<'a>, EnvelopeError> {
        self.members.get("data").and_then(envelope::data).ok_or(EnvelopeError::NoData)
    }

    /// The sibling `alert`: a distance, a difference to the system's own tables.
    #[must_use]
    pub fn alert(&self) -> Option<String> {
        self.members.text("alert")
    }

    /// What was said beside the result.
    #[must_use]
    pub fn info(&self) -> Vec<InfoDetail> {
        self.members.get("info").map(info::details).unwrap_or_default()
    }
}

/// Takes a reply out of its envelope.
///
/// # Errors
/// [`EnvelopeError`] for everything that is not a clear yes or no.
pub fn read(body: &[u8]) -> Result<Answer<'_>, EnvelopeError> {
    let text = envelope::json_text(body)?;
    let members = Members::read(text, &["status", "data", "rek", "hmac", "error"]).map_err(EnvelopeError::Damaged)?;
    let errors = members.any(&["error", "errors", "ErrorDetails"]).map(errors).unwrap_or_default();
    match envelope::status(members.get("status")) {
        Ok(true) if !errors.is_empty() => Err(EnvelopeError::Contradiction { errors }),
        Ok(true) => Ok(Answer::Accepted(Accepted { members })),
        Ok(false) if errors.is_empty() => Err(EnvelopeError::NoReason),
        Ok(false) => Ok(Answer::Refused { errors, info: members.get("info").map(info::details).unwrap_or_default() }),
        Err(found) => Err(EnvelopeError::Status { found }),
    }
}

/// Reads `error`: base64 or JSON of `{"errorCodes":"212,"}`, the object itself, its codes as text, number or
/// array, or a bare list of codes. The system sends no texts, so a code without one gets ours.
fn errors(value: &RawValue) -> Vec<PortalError> {
    let mut errors = Vec::new();
    for error in info::errors(value) {
        // A list of nothing but commas names no error.
        if error.code.is_empty() && error.message.trim().is_empty() {
            continue;
        }
        if error.code.is_empty() {
            bare(&error.message, &mut errors);
        } else {
            errors.push(error);
        }
    }
    for error in &mut errors {
        if error.message.trim().is_empty()
            && let Some(explanation) = explain(Product::EWayBill, &error.code)
        {
            explanation.meaning.clone_into(&mut error.message);
        }
    }
    errors
}

/// Codes in what could not be taken apart; else the text itself, for a person.
fn bare(text: &str, errors: &mut Vec<PortalError>) {
    let codes = codes_of_object(text).or_else(|| Some(text.split(',').map(str::to_owned).collect()));
    let codes: Vec<String> = codes.into_iter().flatten().map(|code| code.trim().to_owned()).collect();
    let codes: Vec<&String> = codes.iter().filter(|code| !code.is_empty()).collect();
    let is_code = |code: &&String| code.len() <= 6 && code.bytes().all(|byte| byte.is_ascii_digit());
    if !codes.is_empty() && codes.iter().all(is_code) {
        errors.extend(codes.into_iter().map(|code| PortalError::new(code, "")));
    } else {
        errors.push(PortalError::new("", text));
    }
}

/// The codes of an object that has them in an array.
fn codes_of_object(text: &str) -> Option<Vec<String>> {
    let members = Members::read(text, &[]).ok()?;
    let codes = members.any(&["errorCodes", "errorCode"])?;
    Some(elements(codes.get())?.into_iter().filter_map(text_of).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::sample;
    use proptest::prelude::*;

    fn codes(body: &str) -> Vec<String> {
        match read(body.as_bytes()) {
            Ok(Answer::Refused { errors, .. }) => errors.into_iter().map(|error| error.code).collect(),
            other => panic!("{body}: {other:?}"),
        }
    }

    #[test]
    fn the_codes_are_read_from_every_form_seen() {
        for (error, expected) in [
            // {"errorCodes":"212,"} and {"errorCodes":"108"} in base64.
            (r#""eyJlcnJvckNvZGVzIjoiMjEyLCJ9""#, &["212"][..]),
            (r#""eyJlcnJvckNvZGVzIjoiMTA4In0=""#, &["108"]),
            (r#"{"errorCodes":240}"#, &["240"]),
            (r#"{"errorCodes":" 212 , 213 ,, 214,"}"#, &["212", "213", "214"]),
            (r#"{"ERRORCODES":"212,"}"#, &["212"]),
            (r#"{"errorcodes":["212",213]}"#, &["212", "213"]),
            (r#""{\"errorCodes\":\"238\"}""#, &["238"]),
            (r#"[{"errorCodes":"238"}]"#, &["238"]),
            (r#""238, 240,""#, &["238", "240"]),
            ("238", &["238"]),
        ] {
            for status in ["0", "\"0\"", "false"] {
                for (one, other) in [("status", "error"), ("Status", "Error"), ("STATUS", "ERROR")] {
                    let body = format!(r#"{{"{one}":{status},"{other}":{error},"info":""}}"#);
                    assert_eq!(codes(&body), expected, "{body}");
                }
            }
        }
    }

    #[test]
    fn a_code_without_a_text_gets_ours_and_a_text_is_kept() {
        let read_one = |body: &str| match read(body.as_bytes()) {
            Ok(Answer::Refused { mut errors, .. }) => errors.remove(0),
            other => panic!("{other:?}"),
        };
        let error = read_one(r#"{"status":"0","error":{"errorCodes":"312,"}}"#);
        assert_eq!(error.message, explain(Product::EWayBill, "312").unwrap().meaning);
        let error = read_one(r#"{"status":"0","error":{"errorCodes":"312","message":"theirs"}}"#);
        assert_eq!(error.message, "theirs");
        let error = read_one(r#"{"status":"0","error":{"errorCodes":"999999"}}"#);
        assert_eq!((error.code.as_str(), error.message.as_str()), ("999999", ""));
    }

    #[test]
    fn the_envelopes_recorded_by_others_are_read() {
        let Some(text) = sample("ewb/nic-envelope-error.json") else { return };
        let file: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(codes(&file["as_seen_from_the_live_service"].to_string()), ["212"]);
        assert_eq!(codes(&file["as_printed_in_the_docs"].to_string()), ["240"]);
        let Some(text) = sample("ewb/nic-auth-v1.03.json") else { return };
        let file: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(codes(&file["response_error"].to_string()), ["108"]);
        assert!(matches!(read(file["response_ok"].to_string().as_bytes()), Ok(Answer::Accepted(_))));
    }

    #[test]
    fn a_yes_keeps_alert_and_info_beside_its_data() {
        let body = br#"{"status":1,"data":"x","alert":"distance differs","info":"note","error":""}"#;
        let Ok(Answer::Accepted(yes)) = read(body) else { panic!("no yes") };
        assert!(matches!(yes.data(), Ok(Data::Text(text)) if text == "x"));
        assert_eq!((yes.alert().as_deref(), yes.info().len()), (Some("distance differs"), 1));
    }

    #[test]
    fn what_is_neither_yes_nor_no_is_an_error() {
        let problem = |body: &str| read(body.as_bytes()).unwrap_err();
        assert!(matches!(
            problem(r#"{"status":"1","data":"x","error":{"errorCodes":"212"}}"#),
            EnvelopeError::Contradiction { .. }
        ));
        assert_eq!(problem(r#"{"status":"0","error":""}"#), EnvelopeError::NoReason);
        assert_eq!(problem(r#"{"status":"0","error":{"errorCodes":","}}"#), EnvelopeError::NoReason);
        assert!(matches!(problem(r#"{"data":"x"}"#), EnvelopeError::Status { .. }));
        assert!(matches!(problem(r#"{"status":"0","Status":"1"}"#), EnvelopeError::Damaged(_)));
        assert!(matches!(problem("<html>"), EnvelopeError::Foreign { .. }));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused_without_a_panic(
            bytes in proptest::collection::vec(any::<u8>(), 0..300), error in "[ -~]{0,40}"
        ) {
            let _either = read(&bytes);
            let _either = read(format!(r#"{{"status":"0","error":{error}}}"#).as_bytes());
            let _either = read(format!(r#"{{"status":"0","error":{error:?}}}"#).as_bytes());
        }
    }
}
