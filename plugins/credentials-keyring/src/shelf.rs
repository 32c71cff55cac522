//! A keyring as a shelf: changes compare what they saw under a lock, as a keyring itself compares nothing.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use einvoice_core::credential::shelf::{Part, Shelf, ShelfStore, Shelved};
use einvoice_core::credential::{CredentialError, CredentialStore};
use einvoice_core::entropy::SharedEntropy;
use einvoice_core::registry::{BuildContext, BuildError};
use einvoice_secret_file::guard;
use zeroize::Zeroizing;

use crate::config::KeyringConfig;
use crate::fault::Fault;
use crate::keyring::Keyring;
use crate::worker::{Open, Worker};
use crate::{index, pieces, platform};

/// Longest name of an entry: Windows takes 513 characters, with what is added here.
const NAME_BYTES_MAX: usize = 400;
/// Longest service, of which the lock's file is named.
const SERVICE_BYTES_MAX: usize = 64;

/// Credentials in the keyring of a user.
#[derive(Debug)]
pub struct KeyringShelf {
    worker: Worker,
    service: String,
    lock_file: PathBuf,
    entropy: SharedEntropy,
}

impl KeyringShelf {
    /// A shelf in the keyring of this system, as configured. Nothing is opened before it is needed.
    ///
    /// # Errors
    /// Which key is wrong and what to write.
    pub fn new(context: &BuildContext, config: &KeyringConfig) -> Result<Self, BuildError> {
        let service: Arc<str> = config.service.as_str().into();
        let open = move || {
            let store = platform::open().map_err(|error| Fault::of_opening(&error))?;
            Ok(Keyring::new(store, Arc::clone(&service)))
        };
        Self::opened_by(context, config, Box::new(open))
    }

    /// A shelf in another keyring that [`keyring_core`] knows.
    ///
    /// # Errors
    /// Which key is wrong and what to write.
    pub fn over(
        keyring: Arc<keyring_core::CredentialStore>,
        context: &BuildContext,
        config: &KeyringConfig,
    ) -> Result<Self, BuildError> {
        let keyring = Keyring::new(keyring, config.service.as_str().into());
        Self::opened_by(context, config, Box::new(move || Ok(keyring.clone())))
    }

    fn opened_by(context: &BuildContext, config: &KeyringConfig, open: Open) -> Result<Self, BuildError> {
        let wrong = |key: &str, reason: &str| BuildError::new(format!("{}, key `{key}`", context.name), reason);
        let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
        if !(1..=SERVICE_BYTES_MAX).contains(&config.service.len()) || !config.service.chars().all(plain) {
            let reason =
                format!("found `{}`: write 1 to {SERVICE_BYTES_MAX} letters, digits, `-`, `_` and `.`", config.service);
            return Err(wrong("service", &reason));
        }
        if !(1..=600).contains(&config.answer_seconds) {
            return Err(wrong("answer_seconds", &format!("found {}: write 1 to 600", config.answer_seconds)));
        }
        let lock_file = match &config.lock_file {
            Some(file) if file.is_empty() => {
                return Err(wrong("lock_file", "is empty: name a file that you may write"));
            }
            Some(file) => context.path(file),
            None => std::env::home_dir()
                .ok_or_else(|| wrong("lock_file", "is needed, as this user has no home folder: name a file"))?
                .join(".einvoice")
                .join(format!("keyring-{}", config.service)),
        };
        let worker = Worker::start(open, Duration::from_secs(config.answer_seconds)).map_err(|error| {
            BuildError::new(context.name.clone(), format!("the system gave no thread for the keyring: {error}"))
        })?;
        Ok(Self { worker, service: config.service.clone(), lock_file, entropy: Arc::clone(&context.entropy) })
    }

    async fn ask<T: Send + 'static>(
        &self,
        work: impl Fn(&Keyring) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, CredentialError> {
        self.worker.ask(work).await.map_err(|fault| fault.told(self.shown()))
    }

    /// As [`KeyringShelf::ask`], with every other writer of this user kept out.
    async fn ask_alone<T: Send + 'static>(
        &self,
        record: String,
        work: impl Fn(&Keyring, &str) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, CredentialError> {
        let lock_file = self.lock_file.clone();
        self.ask(move |keyring| {
            // A person who has to unlock the keyring is asked here, where nobody waits for the lock.
            keyring.get(&record)?;
            let _lock = guard::lock(&lock_file).map_err(|error| Fault::NoLock { file: lock_file.clone(), error })?;
            work(keyring, &record)
        })
        .await
    }

    fn generation(&self) -> Result<u64, CredentialError> {
        let mut bytes = [0; 8];
        let failed = |error: einvoice_core::entropy::EntropyError| Fault::Failed(error.to_string()).told(self.shown());
        self.entropy.fill(&mut bytes).map_err(failed)?;
        Ok(u64::from_le_bytes(bytes))
    }

    fn fits(&self, name: &str) -> Result<(), CredentialError> {
        if name.len() <= NAME_BYTES_MAX {
            return Ok(());
        }
        let reason = format!("{name} has more than {NAME_BYTES_MAX} characters: give the route a shorter name");
        Err(Fault::Told(reason).told(self.shown()))
    }
}

const fn folder(part: Part) -> &'static str {
    match part {
        Part::Entry => "entry",
        Part::State => "state",
    }
}

/// The name under which a record stands in the keyring.
fn record(part: Part, name: &str) -> String {
    format!("{}/{name}", folder(part))
}

#[async_trait]
impl Shelf for KeyringShelf {
    fn shown(&self) -> String {
        format!("the keyring (service {})", self.service)
    }

    fn encrypted_at_rest(&self) -> bool {
        true
    }

    async fn read(&self, part: Part, name: &str) -> Result<Option<Shelved>, CredentialError> {
        let record = record(part, name);
        let found = self.ask(move |keyring| pieces::read(keyring, &record)).await?;
        Ok(found.map(|found| Shelved { bytes: found.bytes, version: found.generation }))
    }

    async fn write(&self, part: Part, name: &str, bytes: &[u8], seen: Option<u64>) -> Result<bool, CredentialError> {
        self.fits(name)?;
        let (list_generation, generation) = (self.generation()?, self.generation()?);
        let (part, record, name) = (folder(part), record(part, name), name.to_owned());
        let bytes = Zeroizing::new(bytes.to_vec());
        self.ask_alone(record, move |keyring, record| {
            let found = pieces::generation(keyring, record)?;
            if found == Some(generation) {
                // Written before the connection broke.
                return Ok(true);
            }
            if found != seen {
                return Ok(false);
            }
            index::learn(keyring, part, &name, list_generation)?;
            pieces::write(keyring, record, &bytes, generation)?;
            Ok(true)
        })
        .await
    }

    async fn delete(&self, part: Part, name: &str) -> Result<bool, CredentialError> {
        let generation = self.generation()?;
        let (part, record, name) = (folder(part), record(part, name), name.to_owned());
        self.ask_alone(record, move |keyring, record| {
            let was_there = pieces::delete(keyring, record)?;
            index::forget(keyring, part, &name, generation)?;
            Ok(was_there)
        })
        .await
    }

    async fn names(&self, part: Part) -> Result<Vec<String>, CredentialError> {
        self.ask(move |keyring| index::names(keyring, folder(part))).await
    }
}

/// Makes the store of a configuration.
#[expect(clippy::unused_async, reason = "the registry awaits every build")]
pub(crate) async fn build(
    context: BuildContext,
    config: KeyringConfig,
) -> Result<Arc<dyn CredentialStore>, BuildError> {
    let shelf = KeyringShelf::new(&context, &config)?;
    Ok(Arc::new(ShelfStore::new(shelf, context.clock)))
}
