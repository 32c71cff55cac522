//! Requests and replies as they cross the wire, whatever carries them, and the portal's envelopes.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use einvoice_protocol::endpoints::percent_decoded;

use crate::node::quoted;
use crate::settings::ErrorDetailsForm;

/// One HTTP request to the portal.
#[derive(Clone)]
pub struct PortalRequest {
    /// Method, upper case.
    pub method: String,
    /// Path and query.
    pub target: String,
    /// Headers in any case and order; a header sent twice stands here twice.
    pub headers: Vec<(String, String)>,
    /// Body.
    pub body: Vec<u8>,
}

impl std::fmt::Debug for PortalRequest {
    /// Shows no header and no body: both carry credentials.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("PortalRequest")
            .field("method", &self.method)
            .field("target", &self.target)
            .field("body_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

impl PortalRequest {
    /// The value of a header, its name in any case and with `_` and `-` taken as equal. A header
    /// sent twice is merged as `A, A`, which is what gateways do with it.
    pub(crate) fn header(&self, name: &str) -> Option<String> {
        let plain = |text: &str| text.to_ascii_lowercase().replace('_', "-");
        let wanted = plain(name);
        let values: Vec<_> =
            self.headers.iter().filter(|(given, _)| plain(given) == wanted).map(|(_, value)| value.trim()).collect();
        let merged = values.join(", ");
        (!merged.is_empty()).then_some(merged)
    }

    /// The path without the query.
    pub(crate) fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    /// A query parameter, decoded; its name in any case.
    pub(crate) fn query(&self, name: &str) -> Option<String> {
        let (_, query) = self.target.split_once('?')?;
        let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        let mut same = pairs.filter(|(given, _)| given.eq_ignore_ascii_case(name));
        same.next().and_then(|(_, value)| percent_decoded(value))
    }
}

/// One reply of the portal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PortalReply {
    /// HTTP status; 200 for refusals too.
    pub status: u16,
    /// Content type.
    pub content_type: &'static str,
    /// Body.
    pub body: Vec<u8>,
    /// How it gets to the client.
    pub delivery: Delivery,
}

/// How a reply gets to the client; anything but `Normal` is a scripted fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "carriers must handle every way")]
pub enum Delivery {
    /// At once and whole.
    Normal,
    /// Whole, after a wait.
    Delayed(Duration),
    /// The request did not get here at all: no connection could be made.
    Refused,
    /// Not at all: the connection closes without an answer.
    Dropped,
    /// The first half only, then the connection closes.
    Truncated,
}

impl PortalReply {
    pub(crate) fn text(status: u16, content_type: &'static str, body: impl Into<Vec<u8>>) -> Self {
        Self { status, content_type, body: body.into(), delivery: Delivery::Normal }
    }

    pub(crate) fn json(body: String) -> Self {
        Self::text(200, "application/json; charset=utf-8", body)
    }

    /// A page of a gateway or web server in front of the portal.
    pub(crate) fn html(status: u16) -> Self {
        let title = match status {
            403 => "403 - Forbidden: access is denied.",
            404 => "404 - File or directory not found.",
            _ => "The service is unavailable.",
        };
        Self::text(
            status,
            "text/html; charset=utf-8",
            format!("<!DOCTYPE html><html><head><title>{title}</title></head><body><h2>{title}</h2></body></html>"),
        )
    }
}

/// One error of a refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CodeText {
    pub(crate) code: String,
    pub(crate) message: String,
}

impl CodeText {
    /// A code in the portal's words.
    pub(crate) fn of(code: &str) -> Self {
        Self { code: code.to_owned(), message: crate::texts::text(code).to_owned() }
    }
}

/// A refusal: errors, and what is said beside them (`InfoDtls` entries as JSON).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Refusal {
    pub(crate) errors: Vec<CodeText>,
    pub(crate) info: Vec<String>,
}

impl Refusal {
    /// A refusal with one error in the portal's words.
    pub(crate) fn of(code: &str) -> Self {
        Self::with(code, crate::texts::text(code))
    }

    pub(crate) fn with(code: &str, message: impl Into<String>) -> Self {
        Self { errors: vec![CodeText { code: code.into(), message: message.into() }], info: Vec::new() }
    }

    /// The envelope around it.
    pub(crate) fn reply(&self, form: ErrorDetailsForm) -> PortalReply {
        let errors = errors_json(&self.errors);
        let errors = match form {
            ErrorDetailsForm::Array => errors,
            ErrorDetailsForm::Base64 => quoted(&STANDARD.encode(errors)),
        };
        let info = info_json(&self.info);
        PortalReply::json(format!(r#"{{"Status":0,"Data":null,"ErrorDetails":{errors},"InfoDtls":{info}}}"#))
    }
}

/// `ErrorDetails` as a JSON array.
pub(crate) fn errors_json(errors: &[CodeText]) -> String {
    let entries = errors
        .iter()
        .map(|error| format!(r#"{{"ErrorCode":{},"ErrorMessage":{}}}"#, quoted(&error.code), quoted(&error.message)));
    format!("[{}]", entries.collect::<Vec<_>>().join(","))
}

fn info_json(info: &[String]) -> String {
    if info.is_empty() { "null".to_owned() } else { format!("[{}]", info.join(",")) }
}

/// The envelope around a success; `data` is JSON already (an object at login, a string elsewhere).
pub(crate) fn success(data: &str, info: &[String]) -> PortalReply {
    PortalReply::json(format!(r#"{{"Status":1,"Data":{data},"ErrorDetails":null,"InfoDtls":{}}}"#, info_json(info)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(headers: &[(&str, &str)], target: &str) -> PortalRequest {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        PortalRequest { method: "GET".into(), target: target.into(), headers, body: Vec::new() }
    }

    #[test]
    fn both_spellings_of_a_header_are_read_and_a_double_is_merged() {
        let request = request(&[("Client-Id", "a"), ("GSTIN", "x"), ("Gstin", "x")], "/");
        assert_eq!(request.header("client_id").as_deref(), Some("a"));
        assert_eq!(request.header("gstin").as_deref(), Some("x, x"));
        assert_eq!(request.header("user_name"), None);
    }

    #[test]
    fn query_values_are_decoded() {
        let request = request(&[], "/x?doctype=INV&docNum=A%2F1&docdate=05%2f11%2F2026");
        assert_eq!(request.query("docnum").as_deref(), Some("A/1"));
        assert_eq!(request.query("DOCDATE").as_deref(), Some("05/11/2026"));
    }
}
