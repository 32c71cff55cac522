//! What the portal's error codes mean for the next step, and for people.
//!
//! The table `core/data/portal-codes.csv` carries one class for each published code of the e-invoice
//! and the e-way bill system. Texts stay the portal's own: a reply's code and message are kept
//! verbatim in [`PortalError`], and the class only decides what happens next. Beside the class the
//! table says in our words what a code means, where it usually comes from and what to do:
//! [`explain`] reads that, for people only.

mod explanation;

use std::collections::HashMap;
use std::fmt;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

pub use explanation::{Certainty, Explanation, explain, explanations};

/// How the code begins that stands for a bare HTTP status.
pub(crate) const BY_STATUS: &str = "HTTP ";

/// The table: one line for each code, and its title.
const TABLE: &str = include_str!("../data/portal-codes.csv");

/// What a portal code asks of us.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ErrorClass {
    /// The token is no longer accepted: drop it, log in once, repeat once.
    TokenExpired,
    /// Credentials, a header or the registration at the portal is wrong: stop this GSTIN.
    Auth,
    /// Client pair, provider or site header is wrong: stop the route.
    ClientConfig,
    /// Our own envelope or encryption is wrong: stop the route, the document is innocent.
    PayloadOrCrypto,
    /// Too many calls: close the gate for this GSTIN for a while.
    RateLimit,
    /// The portal stumbled: the outcome may be unknown.
    Transient,
    /// A system behind the portal stumbled: the outcome may be unknown.
    UpstreamTransient,
    /// It exists already: look it up and compare.
    Duplicate,
    /// A read found nothing.
    NotFound,
    /// The document breaks a rule: correct it before it is sent again.
    Validation,
    /// A business rule forbids the step.
    Business,
    /// This user may not do this.
    Permission,
    /// The record is in a state that forbids the step.
    StateConflict,
    /// The time allowed for the step is over, or has not begun.
    TimeWindow,
    /// The taxpayer is blocked or inactive.
    TaxpayerBlocked,
    /// Another site or system issued the record: ask there.
    WrongSystem,
    /// Only the e-way bill part failed; the IRN stands.
    Ewb,
    /// Concerns a special register (gold); shown as text.
    Gold,
    /// Meant for tax officers; should never be seen here.
    OfficerOnly,
    /// The code is in no published list; treated as a refusal after the portal has been asked.
    Unknown,
}

impl ErrorClass {
    /// Every class, in the order of the documentation.
    pub const ALL: [Self; 20] = [
        Self::TokenExpired,
        Self::Auth,
        Self::ClientConfig,
        Self::PayloadOrCrypto,
        Self::RateLimit,
        Self::Transient,
        Self::UpstreamTransient,
        Self::Duplicate,
        Self::NotFound,
        Self::Validation,
        Self::Business,
        Self::Permission,
        Self::StateConflict,
        Self::TimeWindow,
        Self::TaxpayerBlocked,
        Self::WrongSystem,
        Self::Ewb,
        Self::Gold,
        Self::OfficerOnly,
        Self::Unknown,
    ];

    /// The class of a portal code; [`ErrorClass::Unknown`] for a code that no list has.
    #[must_use]
    pub fn of(code: &str) -> Self {
        CLASSES.get(code).copied().unwrap_or(Self::Unknown)
    }

    /// The class of this name, as [`ErrorClass::name`] gives it.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.name() == name)
    }

    /// The name, as in `token_expired`: the same in the table, in JSON and on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::TokenExpired => "token_expired",
            Self::Auth => "auth",
            Self::ClientConfig => "client_config",
            Self::PayloadOrCrypto => "payload_or_crypto",
            Self::RateLimit => "rate_limit",
            Self::Transient => "transient",
            Self::UpstreamTransient => "upstream_transient",
            Self::Duplicate => "duplicate",
            Self::NotFound => "not_found",
            Self::Validation => "validation",
            Self::Business => "business",
            Self::Permission => "permission",
            Self::StateConflict => "state_conflict",
            Self::TimeWindow => "time_window",
            Self::TaxpayerBlocked => "taxpayer_blocked",
            Self::WrongSystem => "wrong_system",
            Self::Ewb => "ewb",
            Self::Gold => "gold",
            Self::OfficerOnly => "officer_only",
            Self::Unknown => "unknown",
        }
    }

    /// How careful one must be with this class: of several codes in one reply the most careful
    /// decides. What is not proven refused comes before what is, and "stop" before "retry".
    #[must_use]
    pub const fn caution(self) -> u8 {
        match self {
            Self::Transient | Self::UpstreamTransient => 100,
            Self::Duplicate => 95,
            Self::Unknown => 90,
            Self::PayloadOrCrypto => 80,
            Self::ClientConfig => 75,
            Self::Auth => 70,
            Self::TaxpayerBlocked | Self::Permission => 65,
            Self::RateLimit => 60,
            Self::TokenExpired => 55,
            Self::StateConflict | Self::TimeWindow | Self::WrongSystem | Self::Business => 50,
            Self::Validation => 40,
            Self::NotFound => 30,
            Self::Gold | Self::OfficerOnly => 20,
            Self::Ewb => 10,
        }
    }
}

static CLASSES: LazyLock<HashMap<&'static str, ErrorClass>> = LazyLock::new(|| {
    // A number means the same in every reply, whichever of the two systems it comes through, so that
    // the code alone finds the class.
    TABLE
        .lines()
        .skip(1)
        .filter_map(|line| {
            let mut fields = line.split(',').skip(1);
            Some((fields.next()?, ErrorClass::from_name(fields.next()?)?))
        })
        .collect()
});

/// One error as the portal wrote it, or the GSP or provider in between.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PortalError {
    /// The code, verbatim but for the blanks and commas around it.
    pub code: String,
    /// The text, verbatim.
    pub message: String,
    /// Set where a GSP or provider speaks for itself: what its code asks of us, by its profile. Its codes are its own,
    /// and may be spelt like one of the portal's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of_provider: Option<ErrorClass>,
    /// Set where only the HTTP status of the answer says so, and no word in it that is known. A gateway in front may write
    /// such an answer after what stands behind it has passed the call on: of a call that writes it proves nothing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub by_status: bool,
}

impl PortalError {
    /// Keeps a code and its text. Codes arrive with blanks and commas around them at times
    /// (e-way bill system); those are no part of the code.
    pub fn new(code: impl AsRef<str>, message: impl Into<String>) -> Self {
        let around = |character: char| character == ',' || character.is_whitespace();
        let code = code.as_ref().trim_matches(around).to_owned();
        Self { code, message: message.into(), of_provider: None, by_status: false }
    }

    /// An error that a GSP or provider wrote of its own, and what it asks of us.
    pub fn of_provider(code: impl AsRef<str>, message: impl Into<String>, class: ErrorClass) -> Self {
        Self { of_provider: Some(class), ..Self::new(code, message) }
    }

    /// A refusal of which only the HTTP status tells, and what that asks of us.
    pub fn by_status(status: u16, message: impl Into<String>, class: ErrorClass) -> Self {
        Self { by_status: true, ..Self::of_provider(format!("{BY_STATUS}{status}"), message, class) }
    }

    /// What this code asks of us.
    #[must_use]
    pub fn class(&self) -> ErrorClass {
        self.of_provider.unwrap_or_else(|| ErrorClass::of(&self.code))
    }
}

impl fmt::Display for ErrorClass {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

impl fmt::Display for PortalError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.code, self.message)
    }
}

/// The class that decides for a whole list of errors: the most careful one.
#[must_use]
pub fn deciding_class(errors: &[PortalError]) -> ErrorClass {
    errors.iter().map(PortalError::class).max_by_key(|class| class.caution()).unwrap_or(ErrorClass::Unknown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_table_has_a_class_that_exists() {
        assert_eq!(TABLE.lines().skip(1).count(), CLASSES.len());
    }

    #[test]
    fn a_class_has_one_name_in_the_table_in_json_and_on_the_command_line() {
        for class in ErrorClass::ALL {
            assert_eq!(ErrorClass::from_name(class.name()), Some(class));
            assert_eq!(serde_json::to_value(class).unwrap(), class.name());
        }
    }

    #[test]
    fn a_trailing_comma_is_no_part_of_a_code() {
        for code in [" 240, ", "240,,", "240, ,", "240"] {
            assert_eq!(PortalError::new(code, "x").code, "240", "{code}");
        }
    }

    #[test]
    fn a_code_of_a_provider_is_not_taken_for_the_portals() {
        let error = PortalError::of_provider("2150", "credit exhausted", ErrorClass::ClientConfig);
        assert_eq!(
            (error.class(), PortalError::new("2150", "").class()),
            (ErrorClass::ClientConfig, ErrorClass::Duplicate)
        );
        let kept = serde_json::to_string(&error).unwrap();
        assert_eq!(serde_json::from_str::<PortalError>(&kept).unwrap(), error);
        let old = r#"{"code":"2150","message":"dup"}"#;
        assert_eq!(serde_json::to_string(&serde_json::from_str::<PortalError>(old).unwrap()).unwrap(), old);
    }

    #[test]
    fn an_unclear_code_beside_a_validation_code_decides() {
        let errors = [PortalError::new("2150", "dup"), PortalError::new("2172", "igst")];
        assert_eq!(deciding_class(&errors), ErrorClass::Duplicate);
        assert_eq!(deciding_class(&[]), ErrorClass::Unknown);
    }

    #[test]
    fn well_known_codes_have_their_class() {
        assert_eq!(ErrorClass::of("1005"), ErrorClass::TokenExpired);
        assert_eq!(ErrorClass::of("2150"), ErrorClass::Duplicate);
        assert_eq!(ErrorClass::of("2172"), ErrorClass::Validation);
        assert_eq!(ErrorClass::of("2154"), ErrorClass::NotFound);
        assert_eq!(ErrorClass::of("no such code"), ErrorClass::Unknown);
    }
}
