//! A keyring in memory with what is awkward in the real ones: entries of 2,560 bytes, text only, names found in any case.
//! It can be told to die after a number of changes.

use std::any::Any;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard};

use keyring_core::api::{CredentialApi, CredentialStoreApi};
use keyring_core::{Credential, Entry, Error, Result};

#[derive(Debug, Clone, Default)]
pub(crate) struct SmallKeyring(Arc<Mutex<Books>>);

#[derive(Debug, Default)]
struct Books {
    /// By the name in lower case: the name as it was written, and what the entry holds.
    entries: BTreeMap<String, (String, Vec<u8>)>,
    /// Changes until it dies; it lives for ever where there is none.
    changes_left: Option<usize>,
}

impl SmallKeyring {
    /// From here on it takes so many changes, and then neither changes nor reads: as for a process that is killed.
    pub(crate) fn die_after(&self, changes: usize) {
        self.books().changes_left = Some(changes);
    }

    /// The next process finds what the killed one left behind; whether it was killed at all.
    pub(crate) fn revive(&self) -> bool {
        self.books().changes_left.take() == Some(0)
    }

    pub(crate) fn names(&self) -> Vec<String> {
        self.books().entries.values().map(|(name, _)| name.clone()).collect()
    }

    pub(crate) fn texts(&self) -> Vec<String> {
        self.books().entries.values().map(|(_, text)| String::from_utf8(text.clone()).unwrap()).collect()
    }

    pub(crate) fn longest(&self) -> usize {
        self.books().entries.values().map(|(_, text)| text.len()).max().unwrap_or_default()
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        self.books().entries.insert(name.to_lowercase(), (name.to_owned(), text.as_bytes().to_vec()));
    }

    pub(crate) fn remove(&self, name: &str) {
        self.books().entries.remove(&name.to_lowercase()).unwrap();
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        self.0.lock().unwrap()
    }
}

impl Books {
    fn alive(&self) -> Result<()> {
        if self.changes_left == Some(0) {
            return Err(Error::NoStorageAccess("killed".into()));
        }
        Ok(())
    }

    fn count(&mut self) -> Result<()> {
        self.alive()?;
        self.changes_left = self.changes_left.map(|left| left - 1);
        Ok(())
    }
}

impl CredentialStoreApi for SmallKeyring {
    fn vendor(&self) -> String {
        "a keyring of a test".to_owned()
    }

    fn id(&self) -> String {
        "the only one".to_owned()
    }

    fn build(&self, service: &str, user: &str, _: Option<&HashMap<&str, &str>>) -> Result<Entry> {
        assert_eq!(service, "einvoice");
        Ok(Entry::new_with_credential(Arc::new(SmallEntry { keyring: self.clone(), name: user.to_owned() })))
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

struct SmallEntry {
    keyring: SmallKeyring,
    name: String,
}

impl SmallEntry {
    fn key(&self) -> String {
        self.name.to_lowercase()
    }
}

impl CredentialApi for SmallEntry {
    fn set_secret(&self, secret: &[u8]) -> Result<()> {
        if secret.len() > 2_560 {
            return Err(Error::TooLong("secret".to_owned(), 2_560));
        }
        if std::str::from_utf8(secret).is_err() {
            return Err(Error::BadEncoding(Vec::new()));
        }
        let mut books = self.keyring.books();
        books.count()?;
        books.entries.entry(self.key()).or_insert_with(|| (self.name.clone(), Vec::new())).1 = secret.to_vec();
        Ok(())
    }

    fn get_secret(&self) -> Result<Vec<u8>> {
        let books = self.keyring.books();
        books.alive()?;
        books.entries.get(&self.key()).map(|(_, text)| text.clone()).ok_or(Error::NoEntry)
    }

    fn delete_credential(&self) -> Result<()> {
        let mut books = self.keyring.books();
        if !books.entries.contains_key(&self.key()) {
            return Err(Error::NoEntry);
        }
        books.count()?;
        books.entries.remove(&self.key());
        Ok(())
    }

    fn get_credential(&self) -> Result<Option<Arc<Credential>>> {
        Ok(None)
    }

    fn get_specifiers(&self) -> Option<(String, String)> {
        Some(("einvoice".to_owned(), self.name.clone()))
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
