//! A credential store made of a place that keeps bytes by name: a vault, a table, a keyring.
//!
//! A plugin writes a [`Shelf`], four methods that move bytes; [`ShelfStore`] does the rest, the same everywhere:
//! what an entry is, what a rotation may do, whose a session is, what a list shows.

use std::fmt;

use async_trait::async_trait;
use zeroize::Zeroizing;

use super::record::{EntryRecord, StateRecord, scope_name};
use super::{
    ApiUser, ClientPair, ClientScope, CredentialCapability, CredentialEntry, CredentialError, CredentialScope,
    CredentialStore, CredentialSummary, EntryFacts, ListedAddresses, LoginNote, UserScope,
};
use crate::clock::SharedClock;
use crate::session::SavedSession;

/// How often a change starts again because another program changed the same entry meanwhile.
const TRIES: usize = 16;

/// The two parts that an entry is kept in, with rights of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "what people enter and what logins leave behind; there is no third")]
pub enum Part {
    /// What people enter: changed by `einvoice credentials` only.
    Entry,
    /// Sessions and use: changed by every worker that logs in.
    State,
}

/// What a shelf holds under a name.
#[derive(Clone)]
pub struct Shelved {
    /// The bytes as they were put.
    pub bytes: Zeroizing<Vec<u8>>,
    /// A number that changes with every change of the bytes.
    pub version: u64,
}

impl fmt::Debug for Shelved {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Shelved").field("version", &self.version).finish_non_exhaustive()
    }
}

/// A place that keeps bytes by name. What is put is secret; the place encrypts it or keeps it behind a door.
///
/// # Cancellation
/// A dropped `write` or `delete` has happened as a whole or not at all.
#[async_trait]
pub trait Shelf: fmt::Debug + Send + Sync {
    /// What it is called in errors: `Vault at https://vault.example.in:8200`.
    fn shown(&self) -> String;

    /// Whether what is kept is encrypted where it lies.
    fn encrypted_at_rest(&self) -> bool;

    /// What is kept under a name ([`scope_name`]).
    ///
    /// # Errors
    /// When the place cannot be read.
    async fn read(&self, part: Part, name: &str) -> Result<Option<Shelved>, CredentialError>;

    /// Keeps bytes under a name, if nobody changed them since `seen`, or made them where `seen` is nothing. False when
    /// somebody did; then nothing is changed.
    ///
    /// # Errors
    /// When the place cannot be written.
    async fn write(&self, part: Part, name: &str, bytes: &[u8], seen: Option<u64>) -> Result<bool, CredentialError>;

    /// Removes what is kept under a name; false when there was nothing.
    ///
    /// # Errors
    /// When the place cannot be written.
    async fn delete(&self, part: Part, name: &str) -> Result<bool, CredentialError>;

    /// All names of a part, in any order.
    ///
    /// # Errors
    /// When the place cannot be read.
    async fn names(&self, part: Part) -> Result<Vec<String>, CredentialError>;
}

/// The credential store over a [`Shelf`].
#[derive(Debug)]
pub struct ShelfStore<S> {
    shelf: S,
    clock: SharedClock,
}

impl<S: Shelf> ShelfStore<S> {
    /// A store over a shelf.
    pub const fn new(shelf: S, clock: SharedClock) -> Self {
        Self { shelf, clock }
    }

    fn damaged(&self, scope: &CredentialScope, reason: &str) -> CredentialError {
        CredentialError::Damaged { store: self.shelf.shown(), reason: format!("the {scope}: {reason}") }
    }

    fn missing(&self, scope: &CredentialScope) -> CredentialError {
        let store = format!("{}; add it with `{}`", self.shelf.shown(), super::add_command(scope));
        CredentialError::Missing { scope: Box::new(scope.clone()), store }
    }

    async fn entry(&self, scope: &CredentialScope) -> Result<Option<(EntryRecord, u64)>, CredentialError> {
        let Some(found) = self.shelf.read(Part::Entry, &scope_name(scope)).await? else { return Ok(None) };
        let record = EntryRecord::read(&found.bytes).map_err(|reason| self.damaged(scope, &reason))?;
        self.is_of(scope, record.scope())?;
        Ok(Some((record, found.version)))
    }

    async fn state(&self, scope: &CredentialScope) -> Result<Option<(StateRecord, u64)>, CredentialError> {
        let Some(found) = self.shelf.read(Part::State, &scope_name(scope)).await? else { return Ok(None) };
        let record = StateRecord::read(&found.bytes).map_err(|reason| self.damaged(scope, &reason))?;
        self.is_of(scope, record.scope())?;
        Ok(Some((record, found.version)))
    }

    /// Somebody who may write to the shelf could put one taxpayer's record under another's name.
    fn is_of(&self, wanted: &CredentialScope, found: &CredentialScope) -> Result<(), CredentialError> {
        if wanted == found {
            return Ok(());
        }
        Err(self.damaged(wanted, "what is kept under its name is of another scope; remove and add it"))
    }

    async fn known(&self, scope: &CredentialScope) -> Result<(EntryRecord, u64), CredentialError> {
        self.entry(scope).await?.ok_or_else(|| self.missing(scope))
    }

    /// Changes an entry that is there. `change` says whether anything is to be written.
    async fn change(
        &self,
        scope: &CredentialScope,
        change: impl Fn(&mut EntryRecord) -> Result<bool, CredentialError> + Send + Sync,
    ) -> Result<(), CredentialError> {
        for _ in 0..TRIES {
            let (mut record, version) = self.known(scope).await?;
            if !change(&mut record)? || self.write(scope, Part::Entry, record.write(), Some(version)).await? {
                return Ok(());
            }
        }
        Err(self.busy(scope))
    }

    /// Changes what logins left behind; `change` is told the entry, if there is one.
    async fn change_state(
        &self,
        scope: &CredentialScope,
        change: impl Fn(Option<&EntryRecord>, &mut StateRecord) -> Result<bool, CredentialError> + Send + Sync,
    ) -> Result<(), CredentialError> {
        for _ in 0..TRIES {
            let entry = self.entry(scope).await?.map(|(entry, _)| entry);
            let (mut record, version) = match self.state(scope).await? {
                Some((record, version)) => (record, Some(version)),
                None => (StateRecord::new(scope.clone()), None),
            };
            if !change(entry.as_ref(), &mut record)? || self.write(scope, Part::State, record.write(), version).await? {
                return Ok(());
            }
        }
        Err(self.busy(scope))
    }

    async fn write(
        &self,
        scope: &CredentialScope,
        part: Part,
        bytes: Result<Zeroizing<Vec<u8>>, String>,
        seen: Option<u64>,
    ) -> Result<bool, CredentialError> {
        let bytes = bytes.map_err(|reason| self.damaged(scope, &reason))?;
        self.shelf.write(part, &scope_name(scope), &bytes, seen).await
    }

    fn busy(&self, scope: &CredentialScope) -> CredentialError {
        let reason = format!("the {scope} was changed by others all the time, {TRIES} times in a row; try again");
        CredentialError::Io { store: self.shelf.shown(), reason, source: None }
    }
}

#[async_trait]
impl<S: Shelf> CredentialStore for ShelfStore<S> {
    fn capability(&self) -> CredentialCapability {
        CredentialCapability::new(true, self.shelf.encrypted_at_rest(), true).with_facts()
    }

    async fn client(&self, scope: &ClientScope) -> Result<ClientPair, CredentialError> {
        let scope = CredentialScope::Client(scope.clone());
        self.known(&scope).await?.0.client().ok_or_else(|| self.missing(&scope))
    }

    async fn api_user(&self, scope: &UserScope) -> Result<ApiUser, CredentialError> {
        let scope = CredentialScope::User(scope.clone());
        self.known(&scope).await?.0.user().ok_or_else(|| self.missing(&scope))
    }

    async fn put(&self, entry: CredentialEntry) -> Result<(), CredentialError> {
        entry.refuse_empty(&self.shelf.shown())?;
        let scope = entry.scope();
        for _ in 0..TRIES {
            let now = self.clock.now();
            let (record, version) = match self.entry(&scope).await? {
                Some((mut record, version)) => {
                    record.put(&entry, now);
                    (record, Some(version))
                }
                None => (EntryRecord::new(&entry, Some(now)), None),
            };
            if self.write(&scope, Part::Entry, record.write(), version).await? {
                return Ok(());
            }
        }
        Err(self.busy(&scope))
    }

    async fn list(&self) -> Result<Vec<CredentialSummary>, CredentialError> {
        let mut list = Vec::new();
        for name in self.shelf.names(Part::Entry).await? {
            // Removed between the two looks.
            let Some(found) = self.shelf.read(Part::Entry, &name).await? else { continue };
            let damaged = |reason| CredentialError::Damaged {
                store: self.shelf.shown(),
                reason: format!("what is kept as {name}: {reason}"),
            };
            let record = EntryRecord::read(&found.bytes).map_err(damaged)?;
            let state = self.state(record.scope()).await?;
            list.push(record.summary(state.as_ref().map(|(state, _)| state)));
        }
        list.sort_by(|left, right| left.scope.cmp(&right.scope));
        Ok(list)
    }

    async fn remove(&self, scope: &CredentialScope) -> Result<(), CredentialError> {
        let name = scope_name(scope);
        // First, so that a session never outlives its user.
        self.shelf.delete(Part::State, &name).await?;
        if self.shelf.delete(Part::Entry, &name).await? { Ok(()) } else { Err(self.missing(scope)) }
    }

    async fn session(&self, scope: &UserScope) -> Result<Option<SavedSession>, CredentialError> {
        let scope = CredentialScope::User(scope.clone());
        let Some((state, _)) = self.state(&scope).await? else { return Ok(None) };
        Ok(match self.entry(&scope).await? {
            Some((entry, _)) => entry.session(&state),
            None => state.session_at_provider(),
        })
    }

    async fn save_session(&self, scope: &UserScope, session: &SavedSession) -> Result<(), CredentialError> {
        let scope = CredentialScope::User(scope.clone());
        self.change_state(&scope, |entry, state| {
            state.save_session(entry, session);
            Ok(true)
        })
        .await
    }

    async fn facts(&self, scope: &CredentialScope) -> Result<EntryFacts, CredentialError> {
        let (entry, _) = self.known(scope).await?;
        let state = self.state(scope).await?;
        Ok(entry.facts(state.as_ref().map(|(state, _)| state)))
    }

    async fn note(&self, scope: &CredentialScope, note: &LoginNote) -> Result<(), CredentialError> {
        self.change_state(
            scope,
            |entry, state| {
                if entry.is_none() { Err(self.missing(scope)) } else { Ok(state.note(note)) }
            },
        )
        .await
    }

    async fn set_addresses(&self, scope: &ClientScope, addresses: &ListedAddresses) -> Result<(), CredentialError> {
        let set = |record: &mut EntryRecord| {
            record.set_addresses(addresses.clone());
            Ok(true)
        };
        self.change(&CredentialScope::Client(scope.clone()), set).await
    }

    async fn put_pending(&self, entry: CredentialEntry) -> Result<(), CredentialError> {
        entry.refuse_empty(&self.shelf.shown())?;
        let put = |record: &mut EntryRecord| {
            record.put_pending(&entry, self.clock.now());
            Ok(true)
        };
        self.change(&entry.scope(), put).await
    }

    async fn pending(&self, scope: &CredentialScope) -> Result<Option<CredentialEntry>, CredentialError> {
        Ok(self.known(scope).await?.0.pending())
    }

    async fn promote(&self, tested: &CredentialEntry) -> Result<(), CredentialError> {
        let scope = tested.scope();
        let promote = |record: &mut EntryRecord| {
            if record.promote(tested, self.clock.now()) {
                return Ok(true);
            }
            Err(CredentialError::rotated_meanwhile(self.shelf.shown(), &scope))
        };
        self.change(&scope, promote).await
    }

    async fn drop_pending(&self, scope: &CredentialScope) -> Result<(), CredentialError> {
        let forget = |record: &mut EntryRecord| {
            let waits = record.pending().is_some();
            record.drop_pending();
            Ok(waits)
        };
        self.change(scope, forget).await
    }
}
