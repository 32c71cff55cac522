//! What people enter: the secret in use, and the one that waits.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::form::{self, VERSION};
use super::state::{SessionOwner, StateRecord};
use crate::credential::{
    ApiUser, ClientPair, CredentialEntry, CredentialScope, CredentialSummary, EntryFacts, ListedAddresses, name_hint,
};
use crate::secret::Secret;
use crate::session::SavedSession;

/// A name and its secret: client id and client secret, or user name and password.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
#[serde(deny_unknown_fields)]
struct Login {
    name: String,
    secret: String,
}

impl Login {
    fn of(entry: &CredentialEntry) -> Self {
        let (name, secret) = match entry {
            CredentialEntry::Client(_, pair) => (&pair.client_id, &pair.client_secret),
            CredentialEntry::User(_, user) => (&user.user_name, &user.password),
        };
        Self { name: name.expose().clone(), secret: secret.expose().clone() }
    }

    fn entry(&self, scope: &CredentialScope) -> CredentialEntry {
        let (name, secret) = (Secret::from(self.name.as_str()), Secret::from(self.secret.as_str()));
        match scope.clone() {
            CredentialScope::Client(scope) => {
                CredentialEntry::Client(scope, ClientPair { client_id: name, client_secret: secret })
            }
            CredentialScope::User(scope) => CredentialEntry::User(scope, ApiUser { user_name: name, password: secret }),
        }
    }
}

/// What was entered for a scope: the secret in use, the one that waits to take its place, ages, listed addresses.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EntryRecord {
    version: u32,
    scope: CredentialScope,
    login: Login,
    #[serde(skip_serializing_if = "Option::is_none")]
    pending: Option<Login>,
    pending_since: Option<Timestamp>,
    created_at: Option<Timestamp>,
    rotated_at: Option<Timestamp>,
    #[serde(default)]
    listed_addresses: ListedAddresses,
    /// How often another name or secret was taken into use without a login that proved it. A session belongs to the
    /// number it was kept under: of a later secret it proves nothing.
    #[serde(default, skip_serializing_if = "is_none_yet")]
    unproven_puts: u32,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
pub(super) const fn is_none_yet(puts: &u32) -> bool {
    *puts == 0
}

impl std::fmt::Debug for EntryRecord {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("EntryRecord").field("scope", &self.scope).finish_non_exhaustive()
    }
}

impl EntryRecord {
    /// A new entry. `created_at` is absent for one that was taken over from a store that did not keep it.
    #[must_use]
    pub fn new(entry: &CredentialEntry, created_at: Option<Timestamp>) -> Self {
        Self {
            version: VERSION,
            scope: entry.scope(),
            login: Login::of(entry),
            pending: None,
            pending_since: None,
            created_at,
            rotated_at: None,
            listed_addresses: ListedAddresses::default(),
            unproven_puts: 0,
        }
    }

    /// What a session that is kept now belongs to.
    pub(super) fn owner(&self) -> SessionOwner {
        SessionOwner { user_name: self.login.name.clone(), unproven_puts: self.unproven_puts }
    }

    /// What it is for.
    #[must_use]
    pub const fn scope(&self) -> &CredentialScope {
        &self.scope
    }

    /// The entry in use.
    #[must_use]
    pub fn entry(&self) -> CredentialEntry {
        self.login.entry(&self.scope)
    }

    /// The client pair in use; none for an API user.
    #[must_use]
    pub fn client(&self) -> Option<ClientPair> {
        match self.entry() {
            CredentialEntry::Client(_, pair) => Some(pair),
            CredentialEntry::User(..) => None,
        }
    }

    /// The API user in use; none for a client pair.
    #[must_use]
    pub fn user(&self) -> Option<ApiUser> {
        match self.entry() {
            CredentialEntry::User(_, user) => Some(user),
            CredentialEntry::Client(..) => None,
        }
    }

    /// The entry that waits for a login to prove it.
    #[must_use]
    pub fn pending(&self) -> Option<CredentialEntry> {
        self.pending.as_ref().map(|login| login.entry(&self.scope))
    }

    /// Takes another name and secret into use at once, and ends the session of the old one. What was waiting is
    /// forgotten: this is newer.
    pub fn put(&mut self, entry: &CredentialEntry, now: Timestamp) {
        let login = Login::of(entry);
        if login != self.login {
            self.rotated_at = Some(now);
            self.login = login;
            self.unproven_puts = self.unproven_puts.wrapping_add(1);
        }
        self.drop_pending();
    }

    /// Keeps another name and secret beside those in use.
    pub fn put_pending(&mut self, entry: &CredentialEntry, now: Timestamp) {
        (self.pending, self.pending_since) = (Some(Login::of(entry)), Some(now));
    }

    /// Takes what waits into use, if it is what was tested. False when something else waits, or nothing.
    pub fn promote(&mut self, tested: &CredentialEntry, now: Timestamp) -> bool {
        let tested = Login::of(tested);
        if self.pending.as_ref() != Some(&tested) {
            // A promotion that was done and not heard of is asked for once more.
            return self.pending.is_none() && self.login == tested;
        }
        (self.login, self.rotated_at) = (tested, Some(now));
        self.drop_pending();
        true
    }

    /// Forgets what waits.
    pub fn drop_pending(&mut self) {
        (self.pending, self.pending_since) = (None, None);
    }

    /// Keeps the addresses that the portal lists for a client pair.
    pub fn set_addresses(&mut self, addresses: ListedAddresses) {
        self.listed_addresses = addresses;
    }

    /// What is known about it, with what logins left behind.
    #[must_use]
    pub fn facts(&self, state: Option<&StateRecord>) -> EntryFacts {
        EntryFacts {
            created_at: self.created_at,
            rotated_at: self.rotated_at,
            pending_since: self.pending_since,
            last_success: state.and_then(StateRecord::last_success),
            last_failure: state.and_then(StateRecord::last_failure).cloned(),
            listed_addresses: self.listed_addresses.clone(),
        }
    }

    /// Its line in a list.
    #[must_use]
    pub fn summary(&self, state: Option<&StateRecord>) -> CredentialSummary {
        let live = state.filter(|state| state.is_of(&self.owner())).and_then(|state| self.session(state));
        let session_expires_at = live.map(|session| session.expires_at);
        CredentialSummary { scope: self.scope.clone(), name_hint: name_hint(&self.login.name), session_expires_at }
    }

    /// The session of the user in use: a token belongs to the user name that got it, and lives on with a new password
    /// that has logged in itself. One that was put without a login ends it: what is handed out then is over, and serves
    /// only to open the key of the next login.
    #[must_use]
    pub fn session(&self, state: &StateRecord) -> Option<SavedSession> {
        let owner = self.owner();
        let kept = state.session_of(&owner.user_name)?;
        if state.is_of(&owner) {
            return Some(kept);
        }
        let ended = self.rotated_at.unwrap_or(Timestamp::UNIX_EPOCH);
        Some(SavedSession { expires_at: kept.expires_at.min(ended), provider: None, ..kept })
    }

    /// Writes it as JSON.
    ///
    /// # Errors
    /// In words without secrets; only when memory runs out.
    pub fn write(&self) -> Result<Zeroizing<Vec<u8>>, String> {
        form::write(self)
    }

    /// Reads what [`EntryRecord::write`] wrote.
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
    use crate::credential::UserScope;
    use crate::environment::{Environment, Product, RouteName};
    use crate::identifier::Gstin;

    fn entry(name: &str, secret: &str) -> CredentialEntry {
        let user = ApiUser { user_name: Secret::from(name), password: Secret::from(secret) };
        CredentialEntry::User(
            UserScope {
                gstin: Gstin::parse("29AAKCS4321Q1ZP").unwrap(),
                product: Product::EInvoice,
                environment: Environment::Sandbox,
                route: RouteName::new("nic"),
            },
            user,
        )
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn session() -> SavedSession {
        SavedSession {
            token: Secret::from("t"),
            sek: Secret::new(vec![1; 32]),
            app_key: Secret::new(vec![2; 32]),
            expires_at: at(9),
            provider: None,
        }
    }

    #[test]
    fn what_waits_takes_the_place_of_the_old_only_when_it_is_what_was_tested() {
        let mut record = EntryRecord::new(&entry("u", "old"), Some(at(1)));
        record.put_pending(&entry("u", "new"), at(2));
        assert_eq!(record.user().unwrap().password, Secret::from("old"));
        assert!(!record.promote(&entry("u", "other"), at(3)), "something else was tested");
        assert!(record.promote(&entry("u", "new"), at(3)));
        assert_eq!(record.user().unwrap().password, Secret::from("new"));
        assert!(record.pending().is_none());
        assert!(record.promote(&entry("u", "new"), at(4)), "asked for once more");
        let facts = record.facts(None);
        assert_eq!((facts.created_at, facts.rotated_at, facts.pending_since), (Some(at(1)), Some(at(3)), None));
    }

    #[test]
    fn a_session_goes_with_the_user_name_and_outlives_a_proven_password_only() {
        let mut record = EntryRecord::new(&entry("u", "old"), None);
        let mut state = StateRecord::new(record.scope().clone());
        state.save_session(Some(&record), &session());
        record.put(&entry("u", "old"), at(1));
        assert!(record.session(&state) == Some(session()), "the same once more is nothing new");
        record.put_pending(&entry("u", "newer"), at(2));
        assert!(record.promote(&entry("u", "newer"), at(3)));
        assert!(record.session(&state) == Some(session()), "it has logged in");
        record.put(&entry("u", "typed"), at(4));
        let ended = record.session(&state).unwrap();
        assert_eq!((ended.expires_at, ended.app_key), (at(4), session().app_key));
        assert_eq!(record.summary(Some(&state)).session_expires_at, None);
        state.save_session(Some(&record), &session());
        assert!(record.session(&state) == Some(session()));
        record.put(&entry("another", "typed"), at(5));
        assert!(record.session(&state).is_none());
    }

    #[test]
    fn a_session_without_an_entry_is_of_a_user_at_the_provider_and_of_no_entry_later() {
        let record = EntryRecord::new(&entry("u", "p"), None);
        let mut state = StateRecord::new(record.scope().clone());
        state.save_session(None, &session());
        let read = StateRecord::read(&state.write().unwrap()).unwrap();
        assert!(read.session_at_provider() == Some(session()));
        assert!(record.session(&read).is_none());
        state.save_session(Some(&record), &session());
        assert!(state.session_at_provider().is_none());
    }

    #[test]
    fn what_is_written_is_read_back_and_a_newer_version_is_refused_unseen() {
        let mut record = EntryRecord::new(&entry("u", "hunter2"), Some(at(1)));
        record.put_pending(&entry("u", "hunter3"), at(2));
        let read = EntryRecord::read(&record.write().unwrap()).unwrap();
        assert_eq!(read.pending().unwrap().scope(), *record.scope());
        assert_eq!(read.facts(None), record.facts(None));
        let text = String::from_utf8(record.write().unwrap().to_vec()).unwrap();
        let newer = EntryRecord::read(text.replace("\"version\":1", "\"version\":7").as_bytes()).unwrap_err();
        let foreign = EntryRecord::read(text.replace("created_at", "hunter9").as_bytes()).unwrap_err();
        assert!(newer.contains("version 7") && foreign.contains("column"), "{newer}; {foreign}");
        assert!(!newer.contains("hunter") && !foreign.contains("hunter"));
        assert!(!format!("{record:?}").contains("hunter"));
    }
}
