//! One entry in the form in which stores keep it, with the moves it can make.
//!
//! An entry has two parts, so that a store can give workers the right to write the one and only to read the other:
//! [`EntryRecord`] holds what a person enters, [`StateRecord`] what logins leave behind. Both are written as JSON
//! with a version; unknown members are refused and not skipped, since a writer that does not know them would lose
//! them. Everything secret is wiped when it is dropped.

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::{
    ApiUser, ClientPair, CredentialEntry, CredentialScope, CredentialSummary, EntryFacts, ListedAddresses,
    LoginFailure, LoginNote, UserScope, name_hint,
};
use crate::secret::Secret;
use crate::session::{ProviderToken, SavedSession};

/// The version of both layouts.
const VERSION: u32 = 1;
/// Room reserved before writing, so that growing does not leave copies of secrets behind in memory.
const ROOM: usize = 4 * 1024;
/// An accepted login is not noted again within so many seconds: it would say nothing new and cost a write.
const NOTE_SECONDS: i64 = 60;

/// Only the version, to refuse a newer layout before anything else is looked at.
#[derive(Deserialize)]
struct Versioned {
    version: u32,
}

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
const fn is_none_yet(puts: &u32) -> bool {
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
            last_success: state.and_then(|state| state.last_success),
            last_failure: state.and_then(|state| state.last_failure.clone()),
            listed_addresses: self.listed_addresses.clone(),
        }
    }

    /// Its line in a list.
    #[must_use]
    pub fn summary(&self, state: Option<&StateRecord>) -> CredentialSummary {
        let live = state.filter(|state| self.is_own_session(state)).and_then(|state| self.session(state));
        let session_expires_at = live.map(|session| session.expires_at);
        CredentialSummary { scope: self.scope.clone(), name_hint: name_hint(&self.login.name), session_expires_at }
    }

    /// The session of the user in use: a token belongs to the user name that got it, and lives on with a new password
    /// that has logged in itself. One that was put without a login ends it: what is handed out then is over, and serves
    /// only to open the key of the next login.
    #[must_use]
    pub fn session(&self, state: &StateRecord) -> Option<SavedSession> {
        let kept = state.session.as_ref().filter(|kept| kept.user_name == self.login.name)?.saved();
        if self.is_own_session(state) {
            return Some(kept);
        }
        let ended = self.rotated_at.unwrap_or(Timestamp::UNIX_EPOCH);
        Some(SavedSession { expires_at: kept.expires_at.min(ended), provider: None, ..kept })
    }

    /// Whether the session that is kept was made with the secret in use, or with one that a login has replaced.
    fn is_own_session(&self, state: &StateRecord) -> bool {
        state.session.as_ref().is_some_and(|kept| kept.unproven_puts == self.unproven_puts)
    }

    /// Writes it as JSON.
    ///
    /// # Errors
    /// In words without secrets; only when memory runs out.
    pub fn write(&self) -> Result<Zeroizing<Vec<u8>>, String> {
        write(self)
    }

    /// Reads what [`EntryRecord::write`] wrote.
    ///
    /// # Errors
    /// What is wrong, without showing any of the content.
    pub fn read(json: &[u8]) -> Result<Self, String> {
        read(json)
    }
}

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
    /// Of the entry, when it was kept.
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

    /// The session of a scope without an entry: its API user is entered at a provider and has no name here.
    #[must_use]
    pub fn session_at_provider(&self) -> Option<SavedSession> {
        self.session.as_ref().filter(|kept| kept.user_name.is_empty()).map(KeptSession::saved)
    }

    /// Keeps the session of the user in use; without an entry that of a user who is entered at a provider.
    pub fn save_session(&mut self, entry: Option<&EntryRecord>, session: &SavedSession) {
        let provider = session.provider.as_ref().map(|provider| KeptToken {
            token: provider.token.expose().clone(),
            expires_at: provider.expires_at,
            client_mark: provider.client_mark.clone(),
        });
        self.session = Some(KeptSession {
            user_name: entry.map(|entry| entry.login.name.clone()).unwrap_or_default(),
            token: session.token.expose().clone(),
            sek: session.sek.expose().clone(),
            app_key: session.app_key.expose().clone(),
            expires_at: session.expires_at,
            provider,
            unproven_puts: entry.map(|entry| entry.unproven_puts).unwrap_or_default(),
        });
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
        write(self)
    }

    /// Reads what [`StateRecord::write`] wrote.
    ///
    /// # Errors
    /// What is wrong, without showing any of the content.
    pub fn read(json: &[u8]) -> Result<Self, String> {
        read(json)
    }
}

fn write(record: &impl Serialize) -> Result<Zeroizing<Vec<u8>>, String> {
    let mut json = Zeroizing::new(Vec::with_capacity(ROOM));
    serde_json::to_writer(&mut *json, record).map_err(|error| place(&error))?;
    Ok(json)
}

fn read<T: DeserializeOwned>(json: &[u8]) -> Result<T, String> {
    let found = serde_json::from_slice::<Versioned>(json).map_err(|error| place(&error))?.version;
    if found != VERSION {
        return Err(format!(
            "an entry has version {found} and this program knows version {VERSION}; use the program that wrote it"
        ));
    }
    serde_json::from_slice(json).map_err(|error| place(&error))
}

/// Where JSON is wrong, and never what stands there: the text is secret.
fn place(error: &serde_json::Error) -> String {
    format!("an entry is not as expected at line {}, column {}", error.line(), error.column())
}

/// A name for a scope in letters, digits, `-`, `_`, `.` and `~` only: a key in a table, the last part of a path.
///
/// Two scopes never have one name: the parts are joined by `.`, and in a part every byte but letters, digits, `-` and
/// `_` is written as `~` and two hexadecimal digits.
#[must_use]
pub fn scope_name(scope: &CredentialScope) -> String {
    let parts = match scope {
        CredentialScope::Client(client) => {
            let (kind, holder, product) = match &client.holder {
                super::ClientHolder::Pan(pan) => ("pan", pan.to_string(), None),
                super::ClientHolder::Provider { account, product } => ("provider", account.clone(), *product),
            };
            let mut parts = vec!["client".to_owned(), client.environment.to_string(), kind.to_owned(), holder];
            parts.extend(product.map(|product| product.to_string()));
            parts
        }
        CredentialScope::User(UserScope { gstin, product, environment, route }) => {
            vec!["user".to_owned(), environment.to_string(), product.to_string(), gstin.to_string(), route.to_string()]
        }
    };
    parts.iter().map(|part| plain(part)).collect::<Vec<_>>().join(".")
}

fn plain(part: &str) -> String {
    let mut out = String::with_capacity(part.len());
    for byte in part.bytes() {
        if byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_' {
            out.push(char::from(byte));
        } else {
            out.push('~');
            out.extend([byte >> 4, byte & 0xf].map(|half| char::from_digit(half.into(), 16).unwrap_or_default()));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credential::{ClientHolder, ClientScope};
    use crate::environment::{Environment, Product, RouteName};
    use crate::identifier::Gstin;

    fn scope(route: &str) -> UserScope {
        UserScope {
            gstin: Gstin::parse("29AAKCS4321Q1ZP").unwrap(),
            product: Product::EInvoice,
            environment: Environment::Sandbox,
            route: RouteName::new(route),
        }
    }

    fn entry(name: &str, secret: &str) -> CredentialEntry {
        let user = ApiUser { user_name: Secret::from(name), password: Secret::from(secret) };
        CredentialEntry::User(scope("nic"), user)
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
    fn a_login_is_noted_once_a_minute_and_after_every_failure() {
        let mut state = StateRecord::new(CredentialScope::User(scope("nic")));
        assert!(state.note(&LoginNote::Accepted(at(100))));
        assert!(!state.note(&LoginNote::Accepted(at(159))));
        assert!(state.note(&LoginNote::Refused(LoginFailure::new(at(160), Some("1019")))));
        assert!(state.note(&LoginNote::Accepted(at(161))));
        assert!(state.note(&LoginNote::Accepted(at(221))));
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

    #[test]
    fn two_scopes_never_have_one_name() {
        let user = |route: &str| scope_name(&CredentialScope::User(scope(route)));
        assert_eq!(user("nic-1"), "user.sandbox.e_invoice.29AAKCS4321Q1ZP.nic-1");
        assert_eq!(user("a.b/c é"), "user.sandbox.e_invoice.29AAKCS4321Q1ZP.a~2eb~2fc~20~c3~a9");
        let client = |account: &str, product| {
            let holder = ClientHolder::Provider { account: account.to_owned(), product };
            scope_name(&CredentialScope::Client(ClientScope { environment: Environment::Production, holder }))
        };
        assert_ne!(client("acme", Some(Product::EInvoice)), client("acme.e_invoice", None));
    }
}
