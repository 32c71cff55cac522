//! Envelopes, dates and lenient fields of the e-way bill system.

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::civil::DateTime;

use crate::cipher_box;
use crate::node::{Node, quoted};
use crate::settings::{EwbDateForm, PortalSettings};
use crate::wire::PortalReply;

/// A refusal: the codes; this system sends no texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Codes(pub(crate) Vec<String>);

impl Codes {
    pub(crate) fn of(code: &str) -> Self {
        Self(vec![code.to_owned()])
    }

    /// The envelope around them.
    pub(crate) fn reply(&self, settings: &PortalSettings) -> PortalReply {
        let comma = if settings.ewb_error_trailing_comma { "," } else { "" };
        let inner = format!(r#"{{"errorCodes":"{}{comma}"}}"#, self.0.join(","));
        let error = if settings.ewb_error_as_object { inner } else { quoted(&STANDARD.encode(inner)) };
        PortalReply::json(format!(r#"{{"status":"0","error":{error},"info":""}}"#))
    }
}

/// The JSON of an answer, or the codes of a refusal.
pub(crate) type Answered = Result<String, Codes>;

/// Refuses with a code when `condition` holds.
pub(crate) fn refuse_if(condition: bool, code: &str) -> Result<(), Codes> {
    if condition { Err(Codes::of(code)) } else { Ok(()) }
}

/// The envelope of an answer to a POST.
pub(crate) fn posted(sek: &[u8; 32], json: &str) -> PortalReply {
    PortalReply::json(format!(r#"{{"status":"1","data":{}}}"#, quoted(&cipher_box::seal(sek, json.as_bytes()))))
}

/// The envelope of an answer to a GET, under a key of its own.
pub(crate) fn read(sek: &[u8; 32], rek: &[u8; 32], json: &str) -> PortalReply {
    let key = hmac::Key::new(hmac::HMAC_SHA256, rek);
    let tag = hmac::sign(&key, STANDARD.encode(json).as_bytes());
    PortalReply::json(format!(
        r#"{{"status":"1","data":{},"rek":{},"hmac":{}}}"#,
        quoted(&cipher_box::seal(rek, json.as_bytes())),
        quoted(&cipher_box::seal(sek, rek)),
        quoted(&STANDARD.encode(tag.as_ref())),
    ))
}

/// A moment as replies write it, in the form the settings ask for.
pub(crate) fn moment(at: DateTime, form: EwbDateForm) -> String {
    let plain = at.strftime("%d/%m/%Y %I:%M:%S %p").to_string();
    match form {
        EwbDateForm::Plain => plain,
        EwbDateForm::TrailingBlank => format!("{plain} "),
        EwbDateForm::MissingBlank => plain.replacen(' ', "", 1),
        EwbDateForm::Dotted => plain.replacen(':', ".", 1),
        EwbDateForm::TwentyFourHours => {
            let half = if at.hour() < 12 { "AM" } else { "PM" };
            format!("{} {half}", at.strftime("%d/%m/%Y %H:%M:%S"))
        }
    }
}

/// A member as text: numbers and texts are taken alike, names in any case, empty as absent.
pub(crate) fn field(node: &Node, name: &str) -> Option<String> {
    let Node::Object(members) = node else { return None };
    let value = members.iter().find(|(member, _)| member.eq_ignore_ascii_case(name)).map(|(_, value)| value)?;
    let text = match value {
        Node::Text(text) => text.trim(),
        Node::Number(number) => number.strip_suffix(".0").unwrap_or(number),
        _ => return None,
    };
    (!text.is_empty()).then(|| text.to_owned())
}

/// A member as text, empty when absent.
pub(crate) fn text(node: &Node, name: &str) -> String {
    field(node, name).unwrap_or_default()
}

/// The number of a bill or trip sheet.
pub(crate) fn number(node: &Node, name: &str) -> Option<u64> {
    field(node, name)?.parse().ok()
}

/// Whether a text may be a vehicle number.
pub(crate) fn is_vehicle(text: &str) -> bool {
    (7..=15).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
        && text.bytes().any(|byte| byte.is_ascii_alphabetic())
        && text.bytes().any(|byte| byte.is_ascii_digit())
}

/// Whether a text is the code of a state, or of abroad.
pub(crate) fn is_state(text: &str) -> bool {
    text.parse::<u32>().is_ok_and(|code| matches!(code, 1..=38 | 97 | 99))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_come_in_every_form_that_was_seen() {
        let at = "2018-12-13T23:59:00".parse().unwrap();
        let forms = [
            (EwbDateForm::Plain, "13/12/2018 11:59:00 PM"),
            (EwbDateForm::TrailingBlank, "13/12/2018 11:59:00 PM "),
            (EwbDateForm::MissingBlank, "13/12/201811:59:00 PM"),
            (EwbDateForm::Dotted, "13/12/2018 11.59:00 PM"),
            (EwbDateForm::TwentyFourHours, "13/12/2018 23:59:00 PM"),
        ];
        for (form, expected) in forms {
            assert_eq!(moment(at, form), expected);
        }
    }
}
