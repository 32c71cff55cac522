//! What is inside the encrypted part: entries and sessions, as JSON with a version.
//!
//! Unknown members are refused and not skipped: a writer that does not know them would lose them when
//! it writes the file back. Everything secret is wiped when it is dropped.

use einvoice_core::credential::{
    ApiUser, ClientPair, ClientScope, CredentialEntry, CredentialScope, CredentialSummary, UserScope, name_hint,
};
use einvoice_core::secret::Secret;
use einvoice_core::session::SavedSession;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// The version of this layout.
pub(crate) const VERSION: u32 = 1;
/// Room reserved before writing, so that growing does not leave copies of secrets behind in memory.
const ROOM: usize = 64 * 1024;

/// Everything in the file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Content {
    version: u32,
    clients: Vec<StoredClient>,
    users: Vec<StoredUser>,
    sessions: Vec<StoredSession>,
}

#[derive(Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
#[serde(deny_unknown_fields)]
struct StoredClient {
    #[zeroize(skip)]
    scope: ClientScope,
    client_id: String,
    client_secret: String,
}

#[derive(Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
#[serde(deny_unknown_fields)]
struct StoredUser {
    #[zeroize(skip)]
    scope: UserScope,
    user_name: String,
    password: String,
}

#[derive(Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
#[serde(deny_unknown_fields)]
struct StoredSession {
    #[zeroize(skip)]
    scope: UserScope,
    token: String,
    sek: Vec<u8>,
    app_key: Vec<u8>,
    #[zeroize(skip)]
    expires_at: Timestamp,
}

/// Only the version, to refuse a newer layout before anything else in it is looked at.
#[derive(Deserialize)]
struct Versioned {
    version: u32,
}

impl Default for Content {
    fn default() -> Self {
        Self { version: VERSION, clients: Vec::new(), users: Vec::new(), sessions: Vec::new() }
    }
}

impl Content {
    /// Reads the decrypted text. The error says what is wrong and holds no secret.
    pub(crate) fn read(json: &[u8]) -> Result<Self, String> {
        let found = serde_json::from_slice::<Versioned>(json).map_err(|error| place(&error))?.version;
        if found != VERSION {
            return Err(format!(
                "its content has version {found} and this program knows version {VERSION}; use the program that wrote it"
            ));
        }
        serde_json::from_slice(json).map_err(|error| place(&error))
    }

    /// Writes the text to encrypt.
    pub(crate) fn write(&self) -> Result<Zeroizing<Vec<u8>>, String> {
        let mut json = Zeroizing::new(Vec::with_capacity(ROOM));
        serde_json::to_writer(&mut *json, self).map_err(|error| place(&error))?;
        Ok(json)
    }

    pub(crate) fn client(&self, scope: &ClientScope) -> Option<ClientPair> {
        let stored = self.clients.iter().find(|stored| stored.scope == *scope)?;
        Some(ClientPair {
            client_id: Secret::from(stored.client_id.as_str()),
            client_secret: Secret::from(stored.client_secret.as_str()),
        })
    }

    pub(crate) fn user(&self, scope: &UserScope) -> Option<ApiUser> {
        let stored = self.users.iter().find(|stored| stored.scope == *scope)?;
        Some(ApiUser {
            user_name: Secret::from(stored.user_name.as_str()),
            password: Secret::from(stored.password.as_str()),
        })
    }

    pub(crate) fn session(&self, scope: &UserScope) -> Option<SavedSession> {
        let stored = self.sessions.iter().find(|stored| stored.scope == *scope)?;
        Some(SavedSession {
            token: Secret::from(stored.token.as_str()),
            sek: Secret::new(stored.sek.clone()),
            app_key: Secret::new(stored.app_key.clone()),
            expires_at: stored.expires_at,
        })
    }

    /// Adds an entry or replaces the one of its scope.
    pub(crate) fn put(&mut self, entry: &CredentialEntry) {
        match entry {
            CredentialEntry::Client(scope, pair) => {
                self.clients.retain(|stored| stored.scope != *scope);
                self.clients.push(StoredClient {
                    scope: scope.clone(),
                    client_id: pair.client_id.expose().clone(),
                    client_secret: pair.client_secret.expose().clone(),
                });
                self.clients.sort_by(|left, right| left.scope.cmp(&right.scope));
            }
            CredentialEntry::User(scope, user) => {
                // A token belongs to the user name that got it; with a new password it lives on.
                if self.users.iter().any(|it| it.scope == *scope && it.user_name != *user.user_name.expose()) {
                    self.sessions.retain(|session| session.scope != *scope);
                }
                self.users.retain(|stored| stored.scope != *scope);
                self.users.push(StoredUser {
                    scope: scope.clone(),
                    user_name: user.user_name.expose().clone(),
                    password: user.password.expose().clone(),
                });
                self.users.sort_by(|left, right| left.scope.cmp(&right.scope));
            }
        }
    }

    /// Removes an entry; false when there is none.
    pub(crate) fn remove(&mut self, scope: &CredentialScope) -> bool {
        let before = self.clients.len() + self.users.len();
        match scope {
            CredentialScope::Client(scope) => self.clients.retain(|stored| stored.scope != *scope),
            CredentialScope::User(scope) => {
                self.users.retain(|stored| stored.scope != *scope);
                self.sessions.retain(|stored| stored.scope != *scope);
            }
        }
        self.clients.len() + self.users.len() < before
    }

    /// Keeps the session of a user; false when there is no such user.
    pub(crate) fn save_session(&mut self, scope: &UserScope, session: &SavedSession) -> bool {
        if !self.users.iter().any(|stored| stored.scope == *scope) {
            return false;
        }
        self.sessions.retain(|stored| stored.scope != *scope);
        self.sessions.push(StoredSession {
            scope: scope.clone(),
            token: session.token.expose().clone(),
            sek: session.sek.expose().clone(),
            app_key: session.app_key.expose().clone(),
            expires_at: session.expires_at,
        });
        self.sessions.sort_by(|left, right| left.scope.cmp(&right.scope));
        true
    }

    /// One line for each entry, sorted by scope.
    pub(crate) fn list(&self) -> Vec<CredentialSummary> {
        let clients = self.clients.iter().map(|stored| CredentialSummary {
            scope: CredentialScope::Client(stored.scope.clone()),
            name_hint: name_hint(&stored.client_id),
            session_expires_at: None,
        });
        let users = self.users.iter().map(|stored| CredentialSummary {
            scope: CredentialScope::User(stored.scope.clone()),
            name_hint: name_hint(&stored.user_name),
            session_expires_at: self.session(&stored.scope).map(|session| session.expires_at),
        });
        let mut list: Vec<_> = clients.chain(users).collect();
        list.sort_by(|left, right| left.scope.cmp(&right.scope));
        list
    }
}

/// Where JSON is wrong, and never what stands there: the text is secret.
fn place(error: &serde_json::Error) -> String {
    format!("its content is not as expected at line {}, column {}", error.line(), error.column())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_newer_version_is_refused_by_name_whatever_else_it_holds() {
        let newer = br#"{"version":2,"vaults":[{"password":"hunter2"}]}"#;
        let error = Content::read(newer).err().unwrap();
        assert!(error.contains("version 2") && !error.contains("hunter2"), "{error}");
    }

    #[test]
    fn members_that_would_be_lost_on_writing_are_refused_without_showing_them() {
        let foreign = br#"{"version":1,"clients":[],"users":[],"sessions":[],"hunter2":1}"#;
        let error = Content::read(foreign).err().unwrap();
        assert!(error.contains("line 1") && !error.contains("hunter2"), "{error}");
        assert!(Content::read(b"").is_err() && Content::read(b"[]").is_err());
    }

    #[test]
    fn what_is_written_is_read_back() {
        let content = Content::default();
        let json = content.write().unwrap();
        assert!(Content::read(&json).unwrap().list().is_empty());
    }
}
