//! The store: client pairs, API users and sessions.
//!
//! As it stands it keeps them in memory, and forgets them when the program ends. Replace [`Entries`] by what asks @name@;
//! what is said about scopes, absence and secrets stays.

use std::collections::BTreeMap;
use std::fmt;
use std::future::{Ready, ready};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use einvoice_core::credential::{
    ApiUser, ClientPair, ClientScope, CredentialCapability, CredentialEntry, CredentialError, CredentialScope,
    CredentialStore, CredentialSummary, UserScope, name_hint,
};
use einvoice_core::registry::{BuildContext, BuildError};
use einvoice_core::session::SavedSession;
use schemars::JsonSchema;
use serde::Deserialize;

/// Settings of the credential store `@name@`. They say where secrets are, and hold none.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct @type@Config {
    /// Where entries are kept. Required.
    pub place: String,
}

/// Keeps credentials in @name@.
pub struct @type@Store {
    place: String,
    entries: Mutex<Entries>,
}

/// What the store holds.
#[derive(Default)]
struct Entries {
    clients: BTreeMap<ClientScope, ClientPair>,
    users: BTreeMap<UserScope, ApiUser>,
    sessions: BTreeMap<UserScope, SavedSession>,
}

impl fmt::Debug for @type@Store {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Nothing of the entries: not even how many there are.
        formatter.debug_struct("@type@Store").field("place", &self.place).finish_non_exhaustive()
    }
}

pub(crate) fn build(_: BuildContext, config: @type@Config) -> Ready<Result<Arc<dyn CredentialStore>, BuildError>> {
    ready(Ok(Arc::new(@type@Store::new(config))))
}

impl @type@Store {
    /// A store at a place.
    #[must_use]
    pub fn new(config: @type@Config) -> Self {
        Self { place: config.place, entries: Mutex::default() }
    }

    fn entries<R>(&self, with: impl FnOnce(&mut Entries) -> R) -> R {
        // Nothing between lock and unlock can leave an entry half changed.
        with(&mut self.entries.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn missing(&self, scope: CredentialScope) -> CredentialError {
        CredentialError::Missing { scope: Box::new(scope), store: format!("@name@ at {}", self.place) }
    }
}

#[async_trait]
impl CredentialStore for @type@Store {
    fn capability(&self) -> CredentialCapability {
        CredentialCapability::new(true, false, true)
    }

    async fn client(&self, scope: &ClientScope) -> Result<ClientPair, CredentialError> {
        let found = self.entries(|entries| entries.clients.get(scope).cloned());
        found.ok_or_else(|| self.missing(CredentialScope::Client(scope.clone())))
    }

    async fn api_user(&self, scope: &UserScope) -> Result<ApiUser, CredentialError> {
        let found = self.entries(|entries| entries.users.get(scope).cloned());
        found.ok_or_else(|| self.missing(CredentialScope::User(scope.clone())))
    }

    async fn put(&self, entry: CredentialEntry) -> Result<(), CredentialError> {
        let (name, secret) = match &entry {
            CredentialEntry::Client(_, pair) => (&pair.client_id, &pair.client_secret),
            CredentialEntry::User(_, user) => (&user.user_name, &user.password),
        };
        if name.expose().trim().is_empty() || secret.expose().trim().is_empty() {
            // An empty secret is as good as none.
            let reason = format!("the {} is empty; nothing was kept", entry.scope());
            return Err(CredentialError::Io { store: "@name@".to_owned(), reason, source: None });
        }
        self.entries(|entries| match entry {
            CredentialEntry::Client(scope, pair) => {
                entries.clients.insert(scope, pair);
            }
            CredentialEntry::User(scope, user) => {
                let before = entries.users.insert(scope.clone(), user.clone());
                // A session proves the name and the secret that it was made with, and no others.
                if before.as_ref() != Some(&user) {
                    entries.sessions.remove(&scope);
                }
            }
        });
        Ok(())
    }

    async fn list(&self) -> Result<Vec<CredentialSummary>, CredentialError> {
        Ok(self.entries(|entries| {
            let clients = entries.clients.iter().map(|(scope, pair)| CredentialSummary {
                scope: CredentialScope::Client(scope.clone()),
                name_hint: name_hint(pair.client_id.expose()),
                session_expires_at: None,
            });
            let users = entries.users.iter().map(|(scope, user)| CredentialSummary {
                scope: CredentialScope::User(scope.clone()),
                name_hint: name_hint(user.user_name.expose()),
                session_expires_at: entries.sessions.get(scope).map(|session| session.expires_at),
            });
            let mut list: Vec<CredentialSummary> = clients.chain(users).collect();
            list.sort_by(|left, right| left.scope.cmp(&right.scope));
            list
        }))
    }

    async fn remove(&self, scope: &CredentialScope) -> Result<(), CredentialError> {
        let was_there = self.entries(|entries| match scope {
            CredentialScope::Client(scope) => entries.clients.remove(scope).is_some(),
            CredentialScope::User(scope) => {
                entries.sessions.remove(scope);
                entries.users.remove(scope).is_some()
            }
        });
        if was_there { Ok(()) } else { Err(self.missing(scope.clone())) }
    }

    async fn session(&self, scope: &UserScope) -> Result<Option<SavedSession>, CredentialError> {
        Ok(self.entries(|entries| entries.sessions.get(scope).cloned()))
    }

    async fn save_session(&self, scope: &UserScope, session: &SavedSession) -> Result<(), CredentialError> {
        self.entries(|entries| entries.sessions.insert(scope.clone(), session.clone()));
        Ok(())
    }
}
