//! What is known about an entry beside its secrets: age, use, listed addresses.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::ListedAddresses;

/// Longest portal code that is kept with a failure; real ones have at most seven characters.
const CODE_CHARACTERS_MAX: usize = 24;

/// What a store knows about an entry. Holds nothing secret; a store that keeps no such facts gives the default.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct EntryFacts {
    /// When the entry was first put.
    pub created_at: Option<Timestamp>,
    /// When its secret was last replaced, by a rotation or by putting another one.
    pub rotated_at: Option<Timestamp>,
    /// Since when a new secret waits for a login to prove it.
    pub pending_since: Option<Timestamp>,
    /// The last login with it that the portal accepted.
    pub last_success: Option<Timestamp>,
    /// The last login that was refused because of it.
    pub last_failure: Option<LoginFailure>,
    /// Addresses that the portal lists for a client pair, as far as they were told to us.
    pub listed_addresses: ListedAddresses,
}

/// A login that was refused. The portal's text is not kept: a provider's may repeat what was sent to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoginFailure {
    /// When.
    pub at: Timestamp,
    /// The portal's code, which `einvoice explain` puts into words; none where the answer had none.
    pub code: Option<String>,
}

impl LoginFailure {
    /// A failure with the portal's code; what is longer than any code is cut.
    #[must_use]
    pub fn new(at: Timestamp, code: Option<&str>) -> Self {
        let visible =
            |code: &str| code.chars().filter(|letter| !letter.is_control()).take(CODE_CHARACTERS_MAX).collect();
        Self { at, code: code.map(visible) }
    }
}

/// What became of a login, to be kept with the entries it used.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a login is accepted or refused; everything else says nothing of an entry")]
pub enum LoginNote {
    /// The portal gave out a session.
    Accepted(Timestamp),
    /// The portal refused.
    Refused(LoginFailure),
}
