//! What logins leave behind: the session, and when the portal last accepted or refused.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::entry::{EntryRecord, is_none_yet};
use super::form::{self, VERSION};
use crate::credential::{CredentialScope, LoginFailure, LoginNote};
use crate::secret::Secret;
use crate::session::{ProviderToken, SavedSession};

/// An accepted login is not noted again within so many seconds: it would say nothing new and cost a write.
const NOTE_SECONDS: i64 = 60;

/// What logins left behind for a scope: the session, and when the portal last accepted or refused.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StateRecord {
    version: u32,
    scope: CredentialScope,
    session: Option<KeptSession>,
    last_success: Option<Timestamp>,
    last_failure: Option<LoginFailure>,
}

impl std::fmt::Debug for StateRecord {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("StateRecord").field("scope", &self.scope).finish_non_exhaustive()
    }
}

#[derive(Clone, Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
#[serde(deny_unknown_fields)]
struct KeptSession {
    user_name: String,
    token: String,
    sek: Vec<u8>,
    app_key: Vec<u8>,
    #[zeroize(skip)]
    expires_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    provider: Option<KeptToken>,
    /// See [`SessionOwner::unproven_puts`].
    #[zeroize(skip)]
    #[serde(default, skip_serializing_if = "is_none_yet")]
    unproven_puts: u32,
}

impl KeptSession {
    fn saved(&self) -> SavedSession {
        let provider = self.provider.as_ref().map(|kept| ProviderToken {
            token: Secret::from(kept.token.as_str()),
            expires_at: kept.expires_at,
            client_mark: kept.client_mark.clone(),
        });
        SavedSession {
            token: Secret::from(self.token.as_str()),
            sek: Secret::new(self.sek.clone()),
            app_key: Secret::new(self.app_key.clone()),
            expires_at: self.expires_at,
            provider,
        }
    }
}

/// Whose a session is. Without an entry there is no name: the user is entered at a provider.
#[derive(Debug, Default)]
pub(super) struct SessionOwner {
    pub(super) user_name: String,
    /// How often the entry had taken a secret into use that no login had proved.
    pub(super) unproven_puts: u32,
}

#[derive(Clone, Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
#[serde(deny_unknown_fields)]
struct KeptToken {
    token: String,
    #[zeroize(skip)]
    expires_at: Timestamp,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    client_mark: String,
}

impl StateRecord {
    /// Nothing is known yet.
    #[must_use]
    pub const fn new(scope: CredentialScope) -> Self {
        Self { version: VERSION, scope, session: None, last_success: None, last_failure: None }
    }

    /// What it is for.
    #[must_use]
    pub const fn scope(&self) -> &CredentialScope {
        &self.scope
    }

    /// Keeps the session of the user in use; without an entry that of a user who is entered at a provider.
    pub fn save_session(&mut self, entry: Option<&EntryRecord>, session: &SavedSession) {
        let owner = entry.map(EntryRecord::owner).unwrap_or_default();
        let provider = session.provider.as_ref().map(|provider| KeptToken {
            token: provider.token.expose().clone(),
            expires_at: provider.expires_at,
            client_mark: provider.client_mark.clone(),
        });
        self.session = Some(KeptSession {
            user_name: owner.user_name,
            token: session.token.expose().clone(),
            sek: session.sek.expose().clone(),
            app_key: session.app_key.expose().clone(),
            expires_at: session.expires_at,
            provider,
            unproven_puts: owner.unproven_puts,
        });
    }

    /// The session of a scope without an entry: its API user is entered at a provider and has no name here.
    #[must_use]
    pub fn session_at_provider(&self) -> Option<SavedSession> {
        self.session_of("")
    }

    /// The session that a user name got.
    pub(super) fn session_of(&self, user_name: &str) -> Option<SavedSession> {
        self.session.as_ref().filter(|kept| kept.user_name == user_name).map(KeptSession::saved)
    }

    /// Whether the session that is kept was made with the secret in use, or with one that a login has replaced.
    pub(super) fn is_of(&self, owner: &SessionOwner) -> bool {
        self.session.as_ref().is_some_and(|kept| kept.unproven_puts == owner.unproven_puts)
    }

    pub(super) const fn last_success(&self) -> Option<Timestamp> {
        self.last_success
    }

    pub(super) const fn last_failure(&self) -> Option<&LoginFailure> {
        self.last_failure.as_ref()
    }

    /// Keeps what became of a login. False when that says nothing new, so that nothing need be written.
    pub fn note(&mut self, note: &LoginNote) -> bool {
        match note {
            LoginNote::Accepted(at) => {
                let last_failure = self.last_failure.as_ref().map(|failure| failure.at);
                let is_known = self.last_success.is_some_and(|last| {
                    at.duration_since(last).as_secs() < NOTE_SECONDS && last_failure.is_none_or(|failed| failed < last)
                });
                if !is_known {
                    self.last_success = Some(*at);
                }
                !is_known
            }
            LoginNote::Refused(failure) => {
                self.last_failure = Some(failure.clone());
                true
            }
        }
    }

    /// Writes it as JSON.
    ///
    /// # Errors
    /// In words without secrets; only when memory runs out.
    pub fn write(&self) -> Result<Zeroizing<Vec<u8>>, String> {
        form::write(self)
    }

    /// Reads what [`StateRecord::write`] wrote.
    ///
    /// # Errors
    /// What is wrong, without showing any of the content.
    pub fn read(json: &[u8]) -> Result<Self, String> {
        form::read(json)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credential::{ClientHolder, ClientScope};
    use crate::environment::Environment;
    use crate::identifier::Pan;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn a_login_is_noted_once_a_minute_and_after_every_failure() {
        let mut state = StateRecord::new(CredentialScope::Client(ClientScope {
            environment: Environment::Sandbox,
            holder: ClientHolder::Pan(Pan::parse("AAKCS4321Q").unwrap()),
        }));
        assert!(state.note(&LoginNote::Accepted(at(100))));
        assert!(!state.note(&LoginNote::Accepted(at(159))));
        assert!(state.note(&LoginNote::Refused(LoginFailure::new(at(160), Some("1019")))));
        assert!(state.note(&LoginNote::Accepted(at(161))));
        assert!(state.note(&LoginNote::Accepted(at(221))));
    }
}
