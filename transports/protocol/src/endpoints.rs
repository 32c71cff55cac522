//! Where each operation lives below the base of an IRP, and how its address is written.

use einvoice_core::operation::OperationKind;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Paths below the base address.
///
/// The defaults are those of the NIC sites. Private IRPs keep them, as far as their documents are
/// public; the portal compares them with regard to case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Endpoints {
    /// Login. Default `/eivital/v1.04/auth` (version 1.04 since June 2021).
    pub login: String,
    /// Generate IRN. Default `/eicore/v1.03/Invoice`.
    pub generate_irn: String,
    /// Cancel IRN. Default `/eicore/v1.03/Invoice/Cancel`.
    pub cancel_irn: String,
    /// Get IRN, the IRN appended as a path segment. Default `/eicore/v1.03/Invoice/irn`.
    pub get_irn: String,
    /// Get IRN by document, type, number and date in the query.
    /// Default `/eicore/v1.03/Invoice/irnbydocdetails`.
    pub get_irn_by_document: String,
    /// IRNs that the registry rejected, the day in the query. Default `/eicore/v1.03/Invoice/rejectedirns`.
    pub rejected_irns: String,
    /// E-way bill of an IRN, to make. Default `/eiewb/v1.03/ewaybill`.
    pub generate_ewb_by_irn: String,
    /// E-way bill of an IRN, to read, the IRN appended as a path segment. Default `/eiewb/v1.03/ewaybill/irn`.
    pub get_ewb_by_irn: String,
    /// GSTIN details, the GSTIN appended as a path segment. Default `/eivital/v1.04/Master/gstin`.
    pub gstin_details: String,
    /// GSTIN details fetched anew from the common portal, the GSTIN appended as a path segment.
    /// Default `/eivital/v1.04/Master/syncgstin`.
    pub sync_gstin: String,
    /// Heartbeat; any answer with HTTP status 200 means that the site is up.
    /// Default `/eivital/v1.04/heartbeat/ping`.
    pub heartbeat: String,
}

impl Default for Endpoints {
    fn default() -> Self {
        Self {
            login: "/eivital/v1.04/auth".to_owned(),
            generate_irn: "/eicore/v1.03/Invoice".to_owned(),
            cancel_irn: "/eicore/v1.03/Invoice/Cancel".to_owned(),
            get_irn: "/eicore/v1.03/Invoice/irn".to_owned(),
            get_irn_by_document: "/eicore/v1.03/Invoice/irnbydocdetails".to_owned(),
            rejected_irns: "/eicore/v1.03/Invoice/rejectedirns".to_owned(),
            generate_ewb_by_irn: "/eiewb/v1.03/ewaybill".to_owned(),
            get_ewb_by_irn: "/eiewb/v1.03/ewaybill/irn".to_owned(),
            gstin_details: "/eivital/v1.04/Master/gstin".to_owned(),
            sync_gstin: "/eivital/v1.04/Master/syncgstin".to_owned(),
            heartbeat: "/eivital/v1.04/heartbeat/ping".to_owned(),
        }
    }
}

impl Endpoints {
    /// The operations these endpoints serve.
    pub const OPERATIONS: [OperationKind; 9] = [
        OperationKind::GenerateIrn,
        OperationKind::CancelIrn,
        OperationKind::GetIrn,
        OperationKind::GetIrnByDocument,
        OperationKind::RejectedIrns,
        OperationKind::GenerateEwbByIrn,
        OperationKind::GetEwbByIrn,
        OperationKind::GstinDetails,
        OperationKind::SyncGstin,
    ];

    /// The path of an operation; nothing for those of the e-way bill system.
    #[must_use]
    pub fn of(&self, kind: OperationKind) -> Option<&str> {
        Some(match kind {
            OperationKind::GenerateIrn => &self.generate_irn,
            OperationKind::CancelIrn => &self.cancel_irn,
            OperationKind::GetIrn => &self.get_irn,
            OperationKind::GetIrnByDocument => &self.get_irn_by_document,
            OperationKind::RejectedIrns => &self.rejected_irns,
            OperationKind::GenerateEwbByIrn => &self.generate_ewb_by_irn,
            OperationKind::GetEwbByIrn => &self.get_ewb_by_irn,
            OperationKind::GstinDetails => &self.gstin_details,
            OperationKind::SyncGstin => &self.sync_gstin,
            _ => return None,
        })
    }

    /// Every path with its name, those of calls that append something to it included.
    #[must_use]
    pub const fn paths(&self) -> [(&'static str, &String); 11] {
        [
            ("login", &self.login),
            ("generate_irn", &self.generate_irn),
            ("cancel_irn", &self.cancel_irn),
            ("get_irn", &self.get_irn),
            ("get_irn_by_document", &self.get_irn_by_document),
            ("rejected_irns", &self.rejected_irns),
            ("generate_ewb_by_irn", &self.generate_ewb_by_irn),
            ("get_ewb_by_irn", &self.get_ewb_by_irn),
            ("gstin_details", &self.gstin_details),
            ("sync_gstin", &self.sync_gstin),
            ("heartbeat", &self.heartbeat),
        ]
    }
}

/// Why a text cannot be appended to a base address as a path; nothing where it can.
///
/// Without the slash at its beginning a path would become the end of the host's name, and credentials would go to
/// whoever holds that name.
#[must_use]
pub fn path_problem(path: &str) -> Option<&'static str> {
    if !path.starts_with('/') {
        return Some("it does not begin with a slash; write it like /v1.03/auth");
    }
    if path.contains(['?', '#', '\\']) || path.chars().any(|letter| letter.is_whitespace() || letter.is_control()) {
        return Some("it holds a blank, a backslash, `?` or `#`; write the path alone");
    }
    if path.split('/').any(|segment| matches!(segment, "." | "..")) {
        return Some("it leads up with `.` or `..`; write the path as the portal has it");
    }
    None
}

/// A path with something below it: the slash between them stands once, whether the path has one or not, as the
/// pages of the e-way bill system write it.
pub(crate) fn below(path: &str, rest: &str) -> String {
    format!("{}/{rest}", path.trim_end_matches('/'))
}

/// Percent-encodes everything but the unreserved characters of RFC 3986, so that a value with `/`,
/// `&` or a blank stays one path segment or one query value.
#[must_use]
pub fn percent_encode(value: &str) -> String {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    let mut encoded = String::with_capacity(value.len() + 8);
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            encoded.push(char::from(byte));
        } else {
            encoded.push('%');
            for nibble in [byte >> 4, byte & 0x0F] {
                encoded.extend(HEX.get(usize::from(nibble)).copied().map(char::from));
            }
        }
    }
    encoded
}

/// Decodes `%2F` and the like; nothing for text that is not UTF-8 afterwards.
#[must_use]
pub fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let digits = [rest.next()?, rest.next()?];
                u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?
            }
            b'+' => b' ',
            other => other,
        });
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slashes_of_numbers_and_dates_are_encoded_and_come_back() {
        assert_eq!(percent_encode("AB/12-3"), "AB%2F12-3");
        assert_eq!(percent_encode("05/11/2026"), "05%2F11%2F2026");
        assert_eq!(percent_encode("a&b c"), "a%26b%20c");
        assert_eq!(percent_decoded("a%26b%20c+%2f").as_deref(), Some("a&b c /"));
        assert_eq!(percent_decoded("%zz"), None);
    }

    #[test]
    fn only_what_begins_with_a_slash_can_be_appended_to_a_host() {
        for (name, path) in Endpoints::default().paths() {
            assert_eq!(path_problem(path), None, "{name}");
        }
        for wrong in
            ["", "v1.03/auth", ".evil.example/auth", "@evil.example/", "/a b", "/a?b=1", "/a#b", "/a/../b", "/a\\b"]
        {
            assert!(path_problem(wrong).is_some(), "{wrong:?}");
        }
        assert_eq!((below("/a", "b"), below("/a/", "b")), ("/a/b".to_owned(), "/a/b".to_owned()));
    }

    #[test]
    fn a_partly_written_table_keeps_the_other_defaults() {
        let endpoints: Endpoints = serde_json::from_str(r#"{"login":"/x/auth"}"#).unwrap();
        assert_eq!(endpoints.login, "/x/auth");
        assert_eq!(endpoints.generate_irn, "/eicore/v1.03/Invoice");
        assert!(serde_json::from_str::<Endpoints>(r#"{"logni":"/x"}"#).is_err());
    }
}
