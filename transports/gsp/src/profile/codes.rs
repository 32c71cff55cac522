//! What a provider's codes, words and HTTP statuses ask of us.

use einvoice_core::portal_code::ErrorClass;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What one of the provider's codes, or words of its text, asks of us. All conditions that are given must hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct CodeRule {
    /// The code; a `*` at its end stands for any rest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Words that stand in the text, compared without regard to case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// What it asks of us.
    pub is: Meaning,
}

impl CodeRule {
    /// Whether it is about this error.
    #[must_use]
    pub fn fits(&self, code: &str, text: &str) -> bool {
        let by_code = self.code.as_deref().is_none_or(|wanted| match wanted.strip_suffix('*') {
            Some(start) => code.get(..start.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(start)),
            None => wanted.eq_ignore_ascii_case(code),
        });
        let by_text = self.text.as_deref().is_none_or(|wanted| text.to_lowercase().contains(&wanted.to_lowercase()));
        by_code && by_text && (self.code.is_some() || self.text.is_some())
    }
}

/// What an HTTP status means where the body says nothing that a profile understands. Of a call that writes it proves nothing:
/// the portal is asked before anything is sent again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(clippy::exhaustive_structs, reason = "both are needed and nothing else")]
pub struct HttpRule {
    /// The status.
    #[schemars(range(min = 100, max = 599))]
    pub status: u16,
    /// What it asks of us. `body` lets the body of such an answer count although its status is that of a failure.
    pub is: Meaning,
}

/// What a provider's word asks of us.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Meaning {
    /// The provider's token is not accepted: log in there anew, once.
    ReauthProvider,
    /// The taxpayer's token is not accepted: log in anew, once.
    ReauthTaxpayer,
    /// The taxpayer's API user is missing or wrong: the taxpayer mends it.
    TaxpayerCredentials,
    /// Something on the way is down: later again. Whether a write was done is not known.
    RetryLater,
    /// The provider gave up waiting: whether it was done is not known.
    UnknownOutcome,
    /// Too many calls: slower.
    RateLimit,
    /// Credits or calls of the account are used up.
    Quota,
    /// The address that calls is not registered with the provider.
    IpNotAllowed,
    /// The account, a header or a setting is wrong.
    Config,
    /// The provider does not carry this operation.
    Unsupported,
    /// What was sealed cannot be opened: keys or envelope are wrong.
    Sealing,
    /// It is registered already.
    Duplicate,
    /// There is no such thing. Only a word that says just this may mean so: a document that is wrongly taken for
    /// unregistered is sent twice.
    NotFound,
    /// The document or wish is not acceptable.
    Reject,
    /// For an HTTP status: the body decides.
    Body,
}

impl Meaning {
    /// Every meaning.
    pub const ALL: [Self; 15] = [
        Self::ReauthProvider,
        Self::ReauthTaxpayer,
        Self::TaxpayerCredentials,
        Self::RetryLater,
        Self::UnknownOutcome,
        Self::RateLimit,
        Self::Quota,
        Self::IpNotAllowed,
        Self::Config,
        Self::Unsupported,
        Self::Sealing,
        Self::Duplicate,
        Self::NotFound,
        Self::Reject,
        Self::Body,
    ];

    /// The class that decides what happens next.
    #[must_use]
    pub const fn class(self) -> ErrorClass {
        match self {
            Self::ReauthProvider | Self::ReauthTaxpayer => ErrorClass::TokenExpired,
            Self::TaxpayerCredentials => ErrorClass::Auth,
            Self::RetryLater => ErrorClass::UpstreamTransient,
            Self::UnknownOutcome | Self::Body => ErrorClass::Transient,
            Self::RateLimit => ErrorClass::RateLimit,
            Self::Quota | Self::IpNotAllowed | Self::Config => ErrorClass::ClientConfig,
            // Of this call alone: everything else goes on.
            Self::Unsupported => ErrorClass::Permission,
            Self::Sealing => ErrorClass::PayloadOrCrypto,
            Self::Duplicate => ErrorClass::Duplicate,
            Self::NotFound => ErrorClass::NotFound,
            Self::Reject => ErrorClass::Validation,
        }
    }

    /// What to do, in a sentence; nothing where it happens by itself.
    #[must_use]
    pub const fn advice(self) -> Option<&'static str> {
        Some(match self {
            Self::TaxpayerCredentials => {
                "compare the taxpayer's API user with the portal's, and enter it where this provider keeps it"
            }
            Self::Quota => "the account at the provider has used up its credits: buy more there",
            Self::IpNotAllowed => "have the provider register the public address that this machine calls from",
            Self::Config => {
                "compare client id, secret, settings and environment of the route with the provider's console"
            }
            Self::Unsupported => "this provider does not carry the operation: use a route that does",
            Self::Sealing => "compare the login key of the route with the portal's",
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use einvoice_core::operation::OperationKind;
    use einvoice_core::portal_code::PortalError;
    use einvoice_core::transport::{Reach, Retry, TransportError};

    use super::*;

    fn rule(code: Option<&str>, text: Option<&str>) -> CodeRule {
        CodeRule { code: code.map(str::to_owned), text: text.map(str::to_owned), is: Meaning::Quota }
    }

    #[test]
    fn a_rule_fits_by_code_by_words_or_by_both() {
        assert!(rule(Some("GSP019"), None).fits("gsp019", ""));
        assert!(rule(Some("GSP01*"), None).fits("GSP012", ""));
        assert!(!rule(Some("GSP01*"), None).fits("GSP", ""));
        assert!(rule(None, Some("gspgstdown")).fits("", "Error GSPGSTDOWN at"));
        assert!(!rule(Some("500"), Some("header")).fits("500", "other"));
        assert!(!rule(None, None).fits("1", "x"));
    }

    #[test]
    fn an_operation_that_is_not_carried_closes_no_account() {
        let error = TransportError::Refused {
            operation: Some(OperationKind::ConsolidateEwb),
            errors: vec![PortalError::of_provider("404", "not carried", Meaning::Unsupported.class())],
            info: Vec::new(),
        };
        assert_eq!((error.reach(), error.retry()), (Reach::Call, Retry::Never));
    }

    #[test]
    fn every_meaning_has_a_name_that_is_read_back() {
        for meaning in Meaning::ALL {
            let name = serde_json::to_value(meaning).unwrap();
            assert_eq!(serde_json::from_value::<Meaning>(name).unwrap(), meaning);
        }
    }
}
