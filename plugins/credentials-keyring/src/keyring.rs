//! A keyring as a place of named entries, each small and of plain text.

use std::fmt;
use std::sync::Arc;

use keyring_core::{CredentialStore, Entry, Error};
use zeroize::Zeroizing;

use crate::fault::Fault;
use crate::platform;

/// The entries of one service in a keyring. Every call may wait, for a person even.
#[derive(Clone)]
pub(crate) struct Keyring {
    store: Arc<CredentialStore>,
    service: Arc<str>,
}

impl fmt::Debug for Keyring {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Keyring").field("service", &self.service).finish_non_exhaustive()
    }
}

impl Keyring {
    pub(crate) const fn new(store: Arc<CredentialStore>, service: Arc<str>) -> Self {
        Self { store, service }
    }

    /// What an entry holds; nothing when there is none.
    pub(crate) fn get(&self, entry: &str) -> Result<Option<Zeroizing<Vec<u8>>>, Fault> {
        match self.entry(entry).and_then(|found| found.get_secret()) {
            Ok(bytes) => Ok(Some(Zeroizing::new(bytes))),
            Err(Error::NoEntry) => Ok(None),
            Err(error) => Err(Fault::of(error, entry)),
        }
    }

    /// Makes an entry or replaces what it holds, at once and as a whole.
    pub(crate) fn set(&self, entry: &str, text: &[u8]) -> Result<(), Fault> {
        self.entry(entry).and_then(|found| found.set_secret(text)).map_err(|error| Fault::of(error, entry))
    }

    /// Removes an entry; false when there is none.
    pub(crate) fn delete(&self, entry: &str) -> Result<bool, Fault> {
        match self.entry(entry).and_then(|found| found.delete_credential()) {
            Ok(()) => Ok(true),
            Err(Error::NoEntry) => Ok(false),
            Err(error) => Err(Fault::of(error, entry)),
        }
    }

    fn entry(&self, name: &str) -> Result<Entry, Error> {
        self.store.build(&self.service, name, Some(&platform::modifiers()))
    }
}
