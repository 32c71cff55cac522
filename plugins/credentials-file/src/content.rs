//! What is inside the encrypted part: entries and what logins left behind, as JSON with a version.
//!
//! Unknown members are refused and not skipped: a writer that does not know them would lose them when it writes the
//! file back. Everything secret is wiped when it is dropped.

use einvoice_core::credential::record::{EntryRecord, StateRecord};
use einvoice_core::credential::{
    CredentialEntry, CredentialScope, CredentialSummary, EntryFacts, ListedAddresses, LoginNote,
};
use einvoice_core::session::SavedSession;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::first_layout;

/// The version of this layout. Version 1, which kept no ages and no use, is still read.
pub(crate) const VERSION: u32 = 2;
/// Room reserved before writing, so that growing does not leave copies of secrets behind in memory.
const ROOM: usize = 64 * 1024;

/// Everything in the file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Content {
    version: u32,
    entries: Vec<EntryRecord>,
    states: Vec<StateRecord>,
}

/// Only the version, to refuse a newer layout before anything else in it is looked at.
#[derive(Deserialize)]
struct Versioned {
    version: u32,
}

impl Default for Content {
    fn default() -> Self {
        Self { version: VERSION, entries: Vec::new(), states: Vec::new() }
    }
}

impl Content {
    /// Reads the decrypted text. The error says what is wrong and holds no secret.
    pub(crate) fn read(json: &[u8]) -> Result<Self, String> {
        let wrong = |error: serde_json::Error| place(&error);
        match serde_json::from_slice::<Versioned>(json).map_err(wrong)?.version {
            VERSION => serde_json::from_slice(json).map_err(wrong),
            1 => Ok(first_layout::read(json).map_err(wrong)?.taken_over()),
            found => Err(format!(
                "its content has version {found} and this program knows versions up to {VERSION}; use the program that \
                 wrote it"
            )),
        }
    }

    /// Writes the text to encrypt.
    pub(crate) fn write(&self) -> Result<Zeroizing<Vec<u8>>, String> {
        let mut json = Zeroizing::new(Vec::with_capacity(ROOM));
        serde_json::to_writer(&mut *json, self).map_err(|error| place(&error))?;
        Ok(json)
    }

    pub(crate) fn entry(&self, scope: &CredentialScope) -> Option<&EntryRecord> {
        self.entries.iter().find(|record| record.scope() == scope)
    }

    pub(crate) fn entry_mut(&mut self, scope: &CredentialScope) -> Option<&mut EntryRecord> {
        self.entries.iter_mut().find(|record| record.scope() == scope)
    }

    fn state(&self, scope: &CredentialScope) -> Option<&StateRecord> {
        self.states.iter().find(|record| record.scope() == scope)
    }

    /// What logins left behind for a scope; made when there is nothing yet.
    fn state_mut(&mut self, scope: &CredentialScope) -> Option<&mut StateRecord> {
        if self.state(scope).is_none() {
            self.states.push(StateRecord::new(scope.clone()));
            self.states.sort_by(|left, right| left.scope().cmp(right.scope()));
        }
        self.states.iter_mut().find(|record| record.scope() == scope)
    }

    pub(crate) fn session(&self, scope: &CredentialScope) -> Option<SavedSession> {
        let state = self.state(scope)?;
        self.entry(scope).map_or_else(|| state.session_at_provider(), |entry| entry.session(state))
    }

    pub(crate) fn facts(&self, scope: &CredentialScope) -> Option<EntryFacts> {
        Some(self.entry(scope)?.facts(self.state(scope)))
    }

    /// Adds an entry or replaces the one of its scope.
    pub(crate) fn put(&mut self, entry: &CredentialEntry, now: Timestamp) {
        let scope = entry.scope();
        if let Some(record) = self.entry_mut(&scope) {
            record.put(entry, now);
            return;
        }
        self.add(EntryRecord::new(entry, Some(now)));
    }

    pub(crate) fn add(&mut self, record: EntryRecord) {
        self.entries.push(record);
        self.entries.sort_by(|left, right| left.scope().cmp(right.scope()));
    }

    /// Removes an entry; false when there is none.
    pub(crate) fn remove(&mut self, scope: &CredentialScope) -> bool {
        let before = self.entries.len();
        self.entries.retain(|record| record.scope() != scope);
        self.states.retain(|record| record.scope() != scope);
        self.entries.len() < before
    }

    /// Keeps the session of a user, here or at a provider.
    pub(crate) fn save_session(&mut self, scope: &CredentialScope, session: &SavedSession) -> bool {
        let entry = self.entry(scope).cloned();
        let Some(state) = self.state_mut(scope) else { return false };
        state.save_session(entry.as_ref(), session);
        true
    }

    /// Keeps what became of a login; `None` when there is no such entry, and false when it says nothing new.
    pub(crate) fn note(&mut self, scope: &CredentialScope, note: &LoginNote) -> Option<bool> {
        self.entry(scope)?;
        Some(self.state_mut(scope)?.note(note))
    }

    /// Keeps listed addresses; false when there is no such entry.
    pub(crate) fn set_addresses(&mut self, scope: &CredentialScope, addresses: &ListedAddresses) -> bool {
        self.entry_mut(scope).map(|record| record.set_addresses(addresses.clone())).is_some()
    }

    /// One line for each entry, sorted by scope.
    pub(crate) fn list(&self) -> Vec<CredentialSummary> {
        self.entries.iter().map(|record| record.summary(self.state(record.scope()))).collect()
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
        let newer = br#"{"version":3,"vaults":[{"password":"hunter2"}]}"#;
        let error = Content::read(newer).err().unwrap();
        assert!(error.contains("version 3") && !error.contains("hunter2"), "{error}");
    }

    #[test]
    fn members_that_would_be_lost_on_writing_are_refused_without_showing_them() {
        for version in
            [r#""version":1,"clients":[],"users":[],"sessions":[]"#, r#""version":2,"entries":[],"states":[]"#]
        {
            let foreign = format!(r#"{{{version},"hunter2":1}}"#);
            let error = Content::read(foreign.as_bytes()).err().unwrap();
            assert!(error.contains("line 1") && !error.contains("hunter2"), "{error}");
        }
        assert!(Content::read(b"").is_err() && Content::read(b"[]").is_err());
    }

    #[test]
    fn what_is_written_is_read_back() {
        let content = Content::default();
        let json = content.write().unwrap();
        assert!(Content::read(&json).unwrap().list().is_empty());
    }

    #[test]
    fn a_file_of_the_first_layout_is_read_and_written_in_the_present_one() {
        let user = r#"{"gstin":"29AAKCS4321Q1ZP","product":"e_invoice","environment":"sandbox","route":"nic"}"#;
        let client = r#"{"environment":"sandbox","holder":{"pan":"AAKCS4321Q"}}"#;
        let first = format!(
            r#"{{"version":1,"clients":[{{"scope":{client},"client_id":"c","client_secret":"s"}}],
            "users":[{{"scope":{user},"user_name":"u","password":"p"}}],
            "sessions":[{{"scope":{user},"token":"t","sek":[1],"app_key":[2],"expires_at":"2026-11-05T12:00:00Z"}}]}}"#
        );
        let read = Content::read(first.as_bytes()).unwrap();
        let again = Content::read(&read.write().unwrap()).unwrap();
        let scope: CredentialScope = serde_json::from_str(&format!(r#"{{"user":{user}}}"#)).unwrap();
        assert_eq!(again.entry(&scope).unwrap().user().unwrap().password.expose(), "p");
        assert_eq!(again.session(&scope).unwrap().token.expose(), "t");
        assert_eq!(again.facts(&scope).unwrap().created_at, None);
        let scope: CredentialScope = serde_json::from_str(&format!(r#"{{"client":{client}}}"#)).unwrap();
        assert_eq!(again.entry(&scope).unwrap().client().unwrap().client_secret.expose(), "s");
    }
}
