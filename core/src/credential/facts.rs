//! What is known about an entry beside its secrets: age, use, listed addresses.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{CredentialScope, ListedAddresses};

/// Longest portal code that is kept with a failure; real ones have at most seven characters.
const CODE_CHARACTERS_MAX: usize = 24;

/// How long a client pair is left alone after a refusal that may be of something else than the pair: an address that is not
/// listed, credits that are gone. That ends without anybody changing the entry.
const CLIENT_PAUSE: SignedDuration = SignedDuration::from_hours(1);

/// Codes by which the portals say that a client pair is wrong: no time mends it.
pub(crate) const PAIR_IS_WRONG: [&str; 7] = ["1010", "1011", "1012", "103", "104", "110", "237"];

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

impl EntryFacts {
    /// The refusal that nothing has changed since: neither name nor secret, nor a login that worked.
    #[must_use]
    pub fn standing_refusal(&self) -> Option<&LoginFailure> {
        let failure = self.last_failure.as_ref()?;
        let since = [self.created_at, self.rotated_at, self.last_success].into_iter().flatten().max();
        since.is_none_or(|since| since <= failure.at).then_some(failure)
    }

    /// The refusal for which an entry must not be sent again by itself, as a repeat endangers the account: that of an API
    /// user or of a wrong client pair until something has changed, any other of a client pair for an hour.
    #[must_use]
    pub fn holds_back(&self, scope: &CredentialScope, now: Timestamp) -> Option<&LoginFailure> {
        // One from a time to come is of a clock that was wrong: nothing that is done now could come after it.
        let failure = self.standing_refusal().filter(|failure| failure.at <= now)?;
        let is_lasting = match scope {
            CredentialScope::User(_) => true,
            CredentialScope::Client(_) => {
                failure.code.as_deref().is_some_and(|code| PAIR_IS_WRONG.contains(&code))
                    || now.duration_since(failure.at) < CLIENT_PAUSE
            }
        };
        is_lasting.then_some(failure)
    }
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

    /// The code in a sentence, with a blank before it; nothing where the answer had none.
    #[must_use]
    pub fn with_code(&self) -> String {
        let code = self.code.as_deref().filter(|code| !code.is_empty());
        code.map(|code| format!(" with code {code}")).unwrap_or_default()
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credential::{ClientHolder, ClientScope, UserScope};
    use crate::environment::{Environment, Product, RouteName};
    use crate::identifier::Gstin;

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(1_790_000_000 + minute * 60).unwrap()
    }

    fn refused(code: &str) -> EntryFacts {
        EntryFacts {
            created_at: Some(at(0)),
            last_success: Some(at(5)),
            last_failure: Some(LoginFailure::new(at(10), Some(code))),
            ..EntryFacts::default()
        }
    }

    #[test]
    fn a_refusal_stands_until_the_entry_is_put_rotated_or_proven() {
        let stands = |facts: &EntryFacts| facts.standing_refusal().is_some();
        let facts = refused("1019");
        assert!(stands(&facts));
        assert!(!stands(&EntryFacts { created_at: Some(at(11)), ..facts.clone() }), "put anew");
        assert!(!stands(&EntryFacts { rotated_at: Some(at(11)), ..facts.clone() }), "rotated");
        assert!(!stands(&EntryFacts { last_success: Some(at(11)), ..facts.clone() }), "proven");
        assert!(stands(&EntryFacts { pending_since: Some(at(11)), ..facts }), "what waits is not in use yet");
        assert!(!stands(&EntryFacts { created_at: Some(at(0)), ..EntryFacts::default() }));
    }

    #[test]
    fn a_user_and_a_wrong_pair_are_held_back_for_good_and_anything_else_of_a_pair_for_an_hour() {
        let (gstin, environment) = (Gstin::parse("29AAAAA0000A1Z5").unwrap(), Environment::Production);
        let route = RouteName::new("nic");
        let user = CredentialScope::User(UserScope { gstin, product: Product::EInvoice, environment, route });
        let holder = ClientHolder::Pan(gstin.pan().unwrap());
        let client = CredentialScope::Client(ClientScope { environment, holder });
        let is_held = |code, scope, minute| refused(code).holds_back(scope, at(minute)).is_some();
        let year = 60 * 24 * 365;
        assert!(is_held("1019", &user, year) && is_held("", &user, year));
        assert!(is_held("1010", &client, year) && is_held("110", &client, year));
        assert!(is_held("QUOTA", &client, 69) && !is_held("QUOTA", &client, 70));
        assert!(!is_held("1019", &user, 9) && !is_held("QUOTA", &client, 9), "the clock was set back");
    }
}
