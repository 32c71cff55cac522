//! The store: reads the file at every call, so what another process put is seen at once.
//!
//! A write takes the lock, reads again, changes and replaces. The passphrase is asked for before the
//! lock is taken, so nobody waits for a person.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, Once, PoisonError};

use age::x25519;
use async_trait::async_trait;
use einvoice_core::clock::SharedClock;
use einvoice_core::credential::record::EntryRecord;
use einvoice_core::credential::{
    ApiUser, ClientPair, ClientScope, CredentialCapability, CredentialEntry, CredentialError, CredentialScope,
    CredentialStore, CredentialSummary, EntryFacts, ListedAddresses, LoginNote, UserScope, add_command,
};
use einvoice_core::registry::{BuildContext, BuildError};
use einvoice_core::session::SavedSession;
use einvoice_secret_file::guard;
use jiff::Timestamp;

use crate::config::FileConfig;
use crate::content::Content;
use crate::envelope::{self, Envelope, OpenError, WORK_FACTOR_MAX};
use crate::unlock::Unlock;

/// Least work factor that a configuration may ask for.
const WORK_FACTOR_MIN: u8 = 14;
/// How often a write starts again because somebody gave the file another key meanwhile.
const TRIES: usize = 3;

/// Credentials and sessions in one encrypted file.
#[derive(Debug)]
pub struct FileStore {
    inner: Arc<Inner>,
}

struct Inner {
    path: PathBuf,
    unlock: Unlock,
    work_factor: u8,
    opened: Mutex<Option<Opened>>,
    warning: Once,
    clock: SharedClock,
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Inner").field("path", &self.path).field("unlock", &self.unlock).finish_non_exhaustive()
    }
}

/// The file's own key, together with its locked form, by which a later file is recognised.
#[derive(Clone)]
struct Opened {
    locked: Vec<u8>,
    identity: x25519::Identity,
}

impl FileStore {
    /// A store over `path`. Nothing is read, asked for or made before it is needed. `work_factor`
    /// counts when the file is made, and `clock` says when entries were made and changed.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>, unlock: Unlock, work_factor: u8, clock: SharedClock) -> Self {
        Self { inner: Arc::new(Inner::new(path.into(), unlock, work_factor, clock)) }
    }

    /// Runs file work on a thread that may wait.
    async fn on_thread<R: Send + 'static>(
        &self,
        work: impl FnOnce(&Inner) -> Result<R, CredentialError> + Send + 'static,
    ) -> Result<R, CredentialError> {
        let inner = Arc::clone(&self.inner);
        let name = inner.name();
        tokio::task::spawn_blocking(move || work(&inner)).await.unwrap_or_else(|error| {
            Err(CredentialError::Io {
                store: name,
                reason: "its worker stopped by a fault of its own; please report this".to_owned(),
                source: Some(error.into()),
            })
        })
    }
}

impl FileStore {
    /// Reads something of an entry that is there.
    async fn known<R: Send + 'static>(
        &self,
        scope: &CredentialScope,
        read: impl Fn(&Content, &CredentialScope) -> Option<R> + Send + 'static,
    ) -> Result<R, CredentialError> {
        let scope = scope.clone();
        self.on_thread(move |inner| {
            let found = inner.content()?.and_then(|content| read(&content, &scope));
            found.ok_or_else(|| inner.missing(scope))
        })
        .await
    }

    /// Changes something of an entry that is there; `None` says that it is not.
    async fn change_known(
        &self,
        scope: &CredentialScope,
        change: impl Fn(&mut Content, &CredentialScope, Timestamp) -> Option<bool> + Send + 'static,
    ) -> Result<(), CredentialError> {
        let scope = scope.clone();
        self.on_thread(move |inner| inner.change_known(&scope, |content| change(content, &scope, inner.clock.now())))
            .await
    }
}

impl Inner {
    const fn new(path: PathBuf, unlock: Unlock, work_factor: u8, clock: SharedClock) -> Self {
        Self { path, unlock, work_factor, opened: Mutex::new(None), warning: Once::new(), clock }
    }

    /// Says once that others may read the file. That is no refusal, since it is encrypted; but whoever
    /// has a copy can try passphrases for as long as they like.
    fn warn_if_exposed(&self) {
        if let Ok(Some(reason)) = einvoice_secret_file::exposed(&self.path) {
            self.warning.call_once(|| tracing::warn!("the credentials file is encrypted, but {reason}"));
        }
    }

    fn name(&self) -> String {
        format!("credentials file {}", self.path.display())
    }

    fn io(&self, tried: &str, error: std::io::Error) -> CredentialError {
        CredentialError::Io { store: self.name(), reason: format!("{tried}: {error}"), source: Some(error.into()) }
    }

    fn damaged(&self, reason: String) -> CredentialError {
        CredentialError::Damaged { store: self.name(), reason }
    }

    fn locked(&self, reason: String) -> CredentialError {
        CredentialError::Locked { store: self.name(), reason }
    }

    fn missing(&self, scope: CredentialScope) -> CredentialError {
        let absent = if self.path.exists() { "" } else { ", which does not exist yet" };
        let command = add_command(&scope);
        CredentialError::Missing {
            scope: Box::new(scope),
            store: format!("{}{absent}; add it with `{command}`", self.name()),
        }
    }

    fn open_error(&self, error: OpenError) -> CredentialError {
        match error {
            OpenError::Locked(reason) => self.locked(reason),
            OpenError::Damaged(reason) => self.damaged(reason),
        }
    }

    fn envelope(&self) -> Result<Option<Envelope>, CredentialError> {
        let bytes = einvoice_secret_file::read(&self.path).map_err(|error| self.io("it could not be read", error))?;
        if bytes.is_some() {
            self.warn_if_exposed();
        }
        bytes.map(|bytes| Envelope::read(&bytes).map_err(|reason| self.damaged(reason))).transpose()
    }

    /// The key of a file, or a new one where there is no file. Asks for the passphrase when this is
    /// the first time; callers at the same time wait for the one answer.
    fn open(&self, envelope: Option<&Envelope>) -> Result<Opened, CredentialError> {
        let mut cached = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        if let (Some(opened), Some(envelope)) = (cached.as_ref(), envelope)
            && opened.locked == envelope.key
        {
            return Ok(opened.clone());
        }
        let key = self.unlock.key(envelope.is_none()).map_err(|reason| self.locked(reason))?;
        let opened = if let Some(envelope) = envelope {
            let identity = envelope::open_key(&envelope.key, &key).map_err(|error| self.open_error(error))?;
            Opened { locked: envelope.key.clone(), identity }
        } else {
            let (identity, locked) =
                envelope::new_key(&key, self.work_factor).map_err(|reason| self.damaged(reason))?;
            Opened { locked, identity }
        };
        *cached = Some(opened.clone());
        Ok(opened)
    }

    fn decrypt(&self, envelope: &Envelope, opened: &Opened) -> Result<Content, CredentialError> {
        let plain = envelope::open_data(&envelope.data, &opened.identity).map_err(|error| self.open_error(error))?;
        Content::read(&plain).map_err(|reason| self.damaged(reason))
    }

    /// What the file holds at this moment; nothing when there is no file.
    fn content(&self) -> Result<Option<Content>, CredentialError> {
        let Some(envelope) = self.envelope()? else { return Ok(None) };
        let opened = self.open(Some(&envelope))?;
        self.decrypt(&envelope, &opened).map(Some)
    }

    /// Changes the content under the lock and replaces the file, unless `change` says that there is nothing to write.
    fn change(&self, change: impl Fn(&mut Content) -> Result<bool, CredentialError>) -> Result<(), CredentialError> {
        for _ in 0..TRIES {
            let opened = self.open(self.envelope()?.as_ref())?;
            let _lock = guard::lock(&self.path).map_err(|error| self.io("it could not be locked", error))?;
            let mut content = match self.envelope()? {
                None => Content::default(),
                Some(envelope) if envelope.key == opened.locked => self.decrypt(&envelope, &opened)?,
                // Somebody made or replaced the file between our look at it and the lock.
                Some(_) => continue,
            };
            if !change(&mut content)? {
                return Ok(());
            }
            return self.write(&content, &opened);
        }
        Err(self.locked("its key changes all the time; end the other programs that write it".to_owned()))
    }

    /// As [`Inner::change`], for what needs an entry: a fruitless change makes no file.
    fn change_known(
        &self,
        scope: &CredentialScope,
        change: impl Fn(&mut Content) -> Option<bool>,
    ) -> Result<(), CredentialError> {
        if self.envelope()?.is_none() {
            return Err(self.missing(scope.clone()));
        }
        self.change(|content| change(content).ok_or_else(|| self.missing(scope.clone())))
    }

    fn write(&self, content: &Content, opened: &Opened) -> Result<(), CredentialError> {
        let plain = content.write().map_err(|reason| self.damaged(reason))?;
        let data = envelope::lock_data(&plain, &opened.identity).map_err(|reason| self.damaged(reason))?;
        let envelope = Envelope { key: opened.locked.clone(), data };
        let bytes = envelope.write().map_err(|reason| self.damaged(reason))?;
        guard::replace(&self.path, &bytes).map_err(|error| self.io("it could not be written", error))
    }
}

#[async_trait]
impl CredentialStore for FileStore {
    fn capability(&self) -> CredentialCapability {
        CredentialCapability::new(true, true, true).with_facts()
    }

    async fn client(&self, scope: &ClientScope) -> Result<ClientPair, CredentialError> {
        self.known(&CredentialScope::Client(scope.clone()), |content, scope| content.entry(scope)?.client()).await
    }

    async fn api_user(&self, scope: &UserScope) -> Result<ApiUser, CredentialError> {
        self.known(&CredentialScope::User(scope.clone()), |content, scope| content.entry(scope)?.user()).await
    }

    async fn put(&self, entry: CredentialEntry) -> Result<(), CredentialError> {
        self.on_thread(move |inner| {
            entry.refuse_empty(&inner.name())?;
            inner.change(|content| {
                content.put(&entry, inner.clock.now());
                Ok(true)
            })
        })
        .await
    }

    async fn list(&self) -> Result<Vec<CredentialSummary>, CredentialError> {
        self.on_thread(|inner| Ok(inner.content()?.map(|content| content.list()).unwrap_or_default())).await
    }

    async fn remove(&self, scope: &CredentialScope) -> Result<(), CredentialError> {
        self.change_known(scope, |content, scope, _| content.remove(scope).then_some(true)).await
    }

    async fn session(&self, scope: &UserScope) -> Result<Option<SavedSession>, CredentialError> {
        let scope = CredentialScope::User(scope.clone());
        self.on_thread(move |inner| Ok(inner.content()?.and_then(|content| content.session(&scope)))).await
    }

    async fn save_session(&self, scope: &UserScope, session: &SavedSession) -> Result<(), CredentialError> {
        let session = session.clone();
        let scope = CredentialScope::User(scope.clone());
        self.change_known(&scope, move |content, scope, _| content.save_session(scope, &session).then_some(true)).await
    }

    async fn facts(&self, scope: &CredentialScope) -> Result<EntryFacts, CredentialError> {
        self.known(scope, Content::facts).await
    }

    async fn note(&self, scope: &CredentialScope, note: &LoginNote) -> Result<(), CredentialError> {
        let note = note.clone();
        self.change_known(scope, move |content, scope, _| content.note(scope, &note)).await
    }

    async fn set_addresses(&self, scope: &ClientScope, addresses: &ListedAddresses) -> Result<(), CredentialError> {
        let addresses = addresses.clone();
        let scope = CredentialScope::Client(scope.clone());
        self.change_known(&scope, move |content, scope, _| content.set_addresses(scope, &addresses).then_some(true))
            .await
    }

    async fn put_pending(&self, entry: CredentialEntry) -> Result<(), CredentialError> {
        entry.refuse_empty(&self.inner.name())?;
        let scope = entry.scope();
        self.change_known(&scope, move |content, scope, now| {
            content.entry_mut(scope)?.put_pending(&entry, now);
            Some(true)
        })
        .await
    }

    async fn pending(&self, scope: &CredentialScope) -> Result<Option<CredentialEntry>, CredentialError> {
        self.known(scope, |content, scope| content.entry(scope).map(EntryRecord::pending)).await
    }

    async fn promote(&self, tested: &CredentialEntry) -> Result<(), CredentialError> {
        let tested = tested.clone();
        self.on_thread(move |inner| {
            let scope = tested.scope();
            inner.change(|content| {
                let record = content.entry_mut(&scope).ok_or_else(|| inner.missing(scope.clone()))?;
                if record.promote(&tested, inner.clock.now()) {
                    return Ok(true);
                }
                Err(CredentialError::rotated_meanwhile(inner.name(), &scope))
            })
        })
        .await
    }

    async fn drop_pending(&self, scope: &CredentialScope) -> Result<(), CredentialError> {
        self.change_known(scope, |content, scope, _| {
            let record = content.entry_mut(scope)?;
            let waits = record.pending().is_some();
            record.drop_pending();
            Some(waits)
        })
        .await
    }
}

/// Makes the store of a configuration.
#[expect(clippy::unused_async, reason = "the registry awaits every build")]
pub(crate) async fn build(context: BuildContext, config: FileConfig) -> Result<Arc<dyn CredentialStore>, BuildError> {
    let wrong = |key: &str, reason: String| BuildError::new(format!("{}, key `{key}`", context.name), reason);
    if !(WORK_FACTOR_MIN..=WORK_FACTOR_MAX).contains(&config.work_factor) {
        let range = format!("found {}: write {WORK_FACTOR_MIN} to {WORK_FACTOR_MAX}", config.work_factor);
        return Err(wrong("work_factor", range));
    }
    if config.path.is_empty() {
        return Err(wrong("path", "is empty: name the credentials file".to_owned()));
    }
    if config.identity_file.is_some() && config.passphrase_file.is_some() {
        return Err(wrong(
            "identity_file",
            "one of `identity_file` and `passphrase_file` is enough; remove one".to_owned(),
        ));
    }
    let unlock = Unlock::configured(&config, &context);
    let path = context.path(&config.path);
    Ok(Arc::new(FileStore::new(path, unlock, config.work_factor, context.clock)))
}

#[cfg(all(test, unix))]
mod tests {
    use std::fs;
    use std::io::Write;
    use std::os::unix::fs::PermissionsExt;
    use std::sync::MutexGuard;

    use einvoice_core::clock::SystemClock;
    use einvoice_core::secret::Secret;

    use super::*;

    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);

    struct Line<'a>(MutexGuard<'a, Vec<u8>>);

    impl Write for Line<'_> {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    impl<'a> tracing_subscriber::fmt::MakeWriter<'a> for Log {
        type Writer = Line<'a>;

        fn make_writer(&'a self) -> Line<'a> {
            Line(self.0.lock().unwrap_or_else(PoisonError::into_inner))
        }
    }

    #[test]
    fn a_file_that_others_may_read_is_warned_of_once_and_used() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("credentials.json");
        let inner = || {
            Inner::new(
                path.clone(),
                Unlock::passphrase(Secret::from("correct horse battery")),
                2,
                SystemClock::shared(),
            )
        };
        inner().change(|_| Ok(true)).unwrap();
        let log = Log::default();
        let subscriber = tracing_subscriber::fmt().with_writer(log.clone()).with_ansi(false).finish();
        tracing::subscriber::with_default(subscriber, || {
            inner().content().unwrap().unwrap();
            assert!(log.0.lock().unwrap().is_empty(), "a private file was warned of");
            fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
            let store = inner();
            store.content().unwrap().unwrap();
            store.content().unwrap().unwrap();
        });
        let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
        assert_eq!(text.matches("WARN").count(), 1, "{text}");
        assert!(text.contains("mode 644") && text.contains("chmod 600"), "{text}");
    }
}
