//! The store: reads the file at every call, so what another process put is seen at once.
//!
//! A write takes the lock, reads again, changes and replaces. The passphrase is asked for before the
//! lock is taken, so nobody waits for a person.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, Once, PoisonError};

use age::x25519;
use async_trait::async_trait;
use einvoice_core::credential::{
    ApiUser, ClientHolder, ClientPair, ClientScope, CredentialCapability, CredentialEntry, CredentialError,
    CredentialScope, CredentialStore, CredentialSummary, UserScope,
};
use einvoice_core::environment::Product;
use einvoice_core::registry::{BuildContext, BuildError};
use einvoice_core::session::SavedSession;

use crate::config::FileConfig;
use crate::content::Content;
use crate::envelope::{self, Envelope, OpenError, WORK_FACTOR_MAX};
use crate::guard;
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
    /// counts when the file is made.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>, unlock: Unlock, work_factor: u8) -> Self {
        Self { inner: Arc::new(Inner::new(path.into(), unlock, work_factor)) }
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

impl Inner {
    const fn new(path: PathBuf, unlock: Unlock, work_factor: u8) -> Self {
        Self { path, unlock, work_factor, opened: Mutex::new(None), warning: Once::new() }
    }

    /// Says once that others may read the file. That is no refusal, since it is encrypted; but whoever
    /// has a copy can try passphrases for as long as they like.
    fn warn_if_exposed(&self) {
        if let Ok(Some(reason)) = guard::exposed(&self.path) {
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
        let bytes = guard::read(&self.path).map_err(|error| self.io("it could not be read", error))?;
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

    /// Changes the content under the lock and replaces the file.
    fn change(&self, change: impl Fn(&mut Content) -> Result<(), CredentialError>) -> Result<(), CredentialError> {
        for _ in 0..TRIES {
            let opened = self.open(self.envelope()?.as_ref())?;
            let _lock = guard::lock(&self.path).map_err(|error| self.io("it could not be locked", error))?;
            let mut content = match self.envelope()? {
                None => Content::default(),
                Some(envelope) if envelope.key == opened.locked => self.decrypt(&envelope, &opened)?,
                // Somebody made or replaced the file between our look at it and the lock.
                Some(_) => continue,
            };
            change(&mut content)?;
            return self.write(&content, &opened);
        }
        Err(self.locked("its key changes all the time; end the other programs that write it".to_owned()))
    }

    fn write(&self, content: &Content, opened: &Opened) -> Result<(), CredentialError> {
        let plain = content.write().map_err(|reason| self.damaged(reason))?;
        let data = envelope::lock_data(&plain, &opened.identity).map_err(|reason| self.damaged(reason))?;
        let envelope = Envelope { key: opened.locked.clone(), data };
        let bytes = envelope.write().map_err(|reason| self.damaged(reason))?;
        guard::replace(&self.path, &bytes).map_err(|error| self.io("it could not be written", error))
    }

    fn refuse_empty(&self, entry: &CredentialEntry) -> Result<(), CredentialError> {
        let halves = match entry {
            CredentialEntry::Client(_, pair) => {
                [("client id", &pair.client_id), ("client secret", &pair.client_secret)]
            }
            CredentialEntry::User(_, user) => [("user name", &user.user_name), ("password", &user.password)],
        };
        match halves.iter().find(|(_, value)| value.expose().trim().is_empty()) {
            None => Ok(()),
            Some((what, _)) => Err(CredentialError::Io {
                store: self.name(),
                reason: format!("the {what} of the {} is empty; give it", entry.scope()),
                source: None,
            }),
        }
    }
}

/// The command line that adds an entry; the route of a client pair only names its environment.
fn add_command(scope: &CredentialScope) -> String {
    let product = |product: Option<Product>| match product {
        Some(Product::EWayBill) => " --product e-way-bill",
        Some(Product::EInvoice) => " --product e-invoice",
        _ => "",
    };
    let add = "einvoice credentials add";
    match scope {
        CredentialScope::User(UserScope { gstin, product: of, route, .. }) => {
            // The e-invoice system is what the command takes when nothing is said.
            let of = Some(*of).filter(|of| *of != Product::EInvoice);
            format!("{add} user --gstin {gstin} --route {route}{}", product(of))
        }
        CredentialScope::Client(ClientScope { holder: ClientHolder::Pan(pan), .. }) => {
            format!("{add} client --pan {pan} --route ROUTE")
        }
        CredentialScope::Client(ClientScope { holder: ClientHolder::Provider { account, product: of }, .. }) => {
            format!("{add} client --account {account} --route ROUTE{}", product(*of))
        }
        CredentialScope::Client(_) => format!("{add} client --route ROUTE"),
    }
}

#[async_trait]
impl CredentialStore for FileStore {
    fn capability(&self) -> CredentialCapability {
        CredentialCapability::new(true, true, true)
    }

    async fn client(&self, scope: &ClientScope) -> Result<ClientPair, CredentialError> {
        let scope = scope.clone();
        self.on_thread(move |inner| {
            let pair = inner.content()?.and_then(|content| content.client(&scope));
            pair.ok_or_else(|| inner.missing(CredentialScope::Client(scope)))
        })
        .await
    }

    async fn api_user(&self, scope: &UserScope) -> Result<ApiUser, CredentialError> {
        let scope = scope.clone();
        self.on_thread(move |inner| {
            let user = inner.content()?.and_then(|content| content.user(&scope));
            user.ok_or_else(|| inner.missing(CredentialScope::User(scope)))
        })
        .await
    }

    async fn put(&self, entry: CredentialEntry) -> Result<(), CredentialError> {
        self.on_thread(move |inner| {
            inner.refuse_empty(&entry)?;
            inner.change(|content| {
                content.put(&entry);
                Ok(())
            })
        })
        .await
    }

    async fn list(&self) -> Result<Vec<CredentialSummary>, CredentialError> {
        self.on_thread(|inner| Ok(inner.content()?.map(|content| content.list()).unwrap_or_default())).await
    }

    async fn remove(&self, scope: &CredentialScope) -> Result<(), CredentialError> {
        let scope = scope.clone();
        self.on_thread(move |inner| {
            // Looking first keeps a fruitless removal from making a file.
            if inner.envelope()?.is_none() {
                return Err(inner.missing(scope));
            }
            inner.change(|content| if content.remove(&scope) { Ok(()) } else { Err(inner.missing(scope.clone())) })
        })
        .await
    }

    async fn session(&self, scope: &UserScope) -> Result<Option<SavedSession>, CredentialError> {
        let scope = scope.clone();
        self.on_thread(move |inner| Ok(inner.content()?.and_then(|content| content.session(&scope)))).await
    }

    async fn save_session(&self, scope: &UserScope, session: &SavedSession) -> Result<(), CredentialError> {
        let (scope, session) = (scope.clone(), session.clone());
        self.on_thread(move |inner| {
            let missing = || inner.missing(CredentialScope::User(scope.clone()));
            if inner.envelope()?.is_none() {
                return Err(missing());
            }
            inner.change(|content| if content.save_session(&scope, &session) { Ok(()) } else { Err(missing()) })
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
    Ok(Arc::new(FileStore::new(context.path(&config.path), unlock, config.work_factor)))
}

#[cfg(all(test, unix))]
mod tests {
    use std::fs;
    use std::io::Write;
    use std::os::unix::fs::PermissionsExt;
    use std::sync::MutexGuard;

    use einvoice_core::secret::Secret;

    use super::*;

    #[test]
    fn a_missing_entry_is_told_with_the_whole_command_that_adds_it() {
        let scope = |json: &str| serde_json::from_str::<CredentialScope>(json).unwrap();
        let user =
            r#"{"user":{"gstin":"29AABCE1234F1Z1","product":"e_way_bill","environment":"sandbox","route":"nic"}}"#;
        assert_eq!(
            add_command(&scope(user)),
            "einvoice credentials add user --gstin 29AABCE1234F1Z1 --route nic --product e-way-bill"
        );
        let user = user.replace("e_way_bill", "e_invoice");
        assert_eq!(add_command(&scope(&user)), "einvoice credentials add user --gstin 29AABCE1234F1Z1 --route nic");
        let client = r#"{"client":{"environment":"sandbox","holder":{"pan":"AABCE1234F"}}}"#;
        assert_eq!(add_command(&scope(client)), "einvoice credentials add client --pan AABCE1234F --route ROUTE");
    }

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
        let inner = || Inner::new(path.clone(), Unlock::passphrase(Secret::from("correct horse battery")), 2);
        inner().change(|_| Ok(())).unwrap();
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
