//! The store keeps the promises of `CredentialStore`, and the file is guarded.
#![expect(clippy::unwrap_used, reason = "a helper of a test fails the test")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use einvoice_core::clock::SystemClock;
use einvoice_core::credential::{
    ApiUser, CredentialEntry, CredentialError, CredentialScope, CredentialStore, UserScope,
};
use einvoice_core::entropy::SystemEntropy;
use einvoice_core::environment::{Environment, Product, RouteName};
use einvoice_core::identifier::Gstin;
use einvoice_core::registry::{BuildContext, Registry, read_settings};
use einvoice_core::secret::Secret;
use einvoice_core::session::SavedSession;
use einvoice_credentials_file::{FileConfig, FileStore, Unlock};
use einvoice_testkit::credential_suite::CredentialHarness;
use serde_json::json;

einvoice_testkit::credential_conformance!(Harness::new());

/// Little work, since tests open many files and protect nothing.
const WORK_FACTOR: u8 = 2;

struct Harness(tempfile::TempDir);

impl Harness {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("credentials.json")
    }

    fn store(&self, passphrase: &str) -> FileStore {
        FileStore::new(self.path(), Unlock::passphrase(Secret::from(passphrase)), WORK_FACTOR, SystemClock::shared())
    }
}

#[async_trait]
impl CredentialHarness for Harness {
    async fn open(&self) -> Arc<dyn CredentialStore> {
        Arc::new(self.store("correct horse battery"))
    }

    async fn provide(&self, entry: CredentialEntry) {
        self.open().await.put(entry).await.unwrap();
    }
}

fn scope() -> UserScope {
    UserScope {
        gstin: Gstin::parse("29AAKCS4321Q1ZP").unwrap(),
        product: Product::EInvoice,
        environment: Environment::Sandbox,
        route: RouteName::new("nic"),
    }
}

fn entry() -> CredentialEntry {
    let user = ApiUser { user_name: Secret::from("someone"), password: Secret::from("pass-word-77") };
    CredentialEntry::User(scope(), user)
}

async fn built(folder: &Path, settings: serde_json::Value) -> Arc<dyn CredentialStore> {
    let registry = Registry::linked(Vec::new()).unwrap();
    let context = BuildContext::new("credentials", folder, SystemClock::shared(), SystemEntropy::shared());
    registry.credential_store("credentials-file", context, settings).await.unwrap()
}

#[tokio::test]
async fn the_file_shows_neither_names_nor_secrets() {
    let harness = Harness::new();
    harness.provide(entry()).await;
    let text = fs::read_to_string(harness.path()).unwrap();
    for hidden in ["someone", "pass-word", "29AAKCS4321Q1ZP", "nic"] {
        assert!(!text.contains(hidden), "{hidden} stands in the file");
    }
}

#[tokio::test]
async fn a_wrong_passphrase_is_locked_and_leaves_the_file_as_it_is() {
    let harness = Harness::new();
    harness.provide(entry()).await;
    let before = fs::read(harness.path()).unwrap();
    let store = harness.store("another passphrase");
    for error in [store.api_user(&scope()).await.unwrap_err(), store.put(entry()).await.unwrap_err()] {
        assert!(matches!(error, CredentialError::Locked { .. }), "{error}");
        assert!(error.to_string().contains("passphrase is wrong"), "{error}");
    }
    assert_eq!(fs::read(harness.path()).unwrap(), before);
}

#[tokio::test]
async fn a_damaged_or_newer_file_is_refused_and_left_as_it_is() {
    let harness = Harness::new();
    harness.provide(entry()).await;
    let good = fs::read_to_string(harness.path()).unwrap();
    let half = good.get(..good.len() / 2).unwrap().to_owned();
    for bad in [half, good.replace("\"version\": 1", "\"version\": 9"), "{}".to_owned(), String::new()] {
        fs::write(harness.path(), &bad).unwrap();
        let store = harness.open().await;
        let error = store.put(entry()).await.unwrap_err();
        assert!(matches!(error, CredentialError::Damaged { .. }), "{error}");
        assert_eq!(fs::read_to_string(harness.path()).unwrap(), bad);
    }
}

#[tokio::test]
async fn a_short_new_passphrase_makes_no_file() {
    let harness = Harness::new();
    let error = harness.store("short").put(entry()).await.unwrap_err();
    assert!(error.to_string().contains("at least 8"), "{error}");
    assert!(!harness.path().exists());
}

#[tokio::test]
async fn looking_and_removing_make_no_file() {
    let harness = Harness::new();
    let store = harness.open().await;
    let error = store.api_user(&scope()).await.unwrap_err().to_string();
    assert!(error.contains("does not exist yet"), "{error}");
    store.remove(&CredentialScope::User(scope())).await.unwrap_err();
    assert_eq!(fs::read_dir(harness.0.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn a_file_that_was_replaced_by_one_with_another_key_is_opened_anew() {
    let harness = Harness::new();
    harness.provide(entry()).await;
    let store = harness.open().await;
    store.api_user(&scope()).await.unwrap();
    fs::remove_file(harness.path()).unwrap();
    harness.provide(entry()).await;
    store.api_user(&scope()).await.unwrap();
    store.put(entry()).await.unwrap();
}

#[tokio::test]
async fn a_session_goes_with_the_user_name_and_makes_no_file() {
    let harness = Harness::new();
    let store = harness.open().await;
    let session = SavedSession {
        token: Secret::from("t"),
        sek: Secret::new(vec![1; 32]),
        app_key: Secret::new(vec![2; 32]),
        expires_at: jiff::Timestamp::UNIX_EPOCH,
        provider: None,
    };
    store.save_session(&scope(), &session).await.unwrap_err();
    store.put(entry()).await.unwrap();
    store.save_session(&scope(), &session).await.unwrap();
    store.put(entry()).await.unwrap();
    assert!(store.session(&scope()).await.unwrap().is_some());
    let other = ApiUser { user_name: Secret::from("other"), password: Secret::from("p") };
    store.put(CredentialEntry::User(scope(), other)).await.unwrap();
    assert!(store.session(&scope()).await.unwrap().is_none());
}

#[tokio::test]
async fn a_passphrase_file_opens_the_store() {
    let folder = tempfile::tempdir().unwrap();
    write_private(&folder.path().join("passphrase.txt"), "a long passphrase\r\nsecond line\n");
    let context = BuildContext::new("credentials", folder.path(), SystemClock::shared(), SystemEntropy::shared());
    let config: FileConfig = read_settings(&context, json!({ "passphrase_file": "passphrase.txt" })).unwrap();
    let path = context.path(&config.path);
    let store = || FileStore::new(&path, Unlock::configured(&config, &context), WORK_FACTOR, SystemClock::shared());
    store().put(entry()).await.unwrap();
    let user = store().api_user(&scope()).await.unwrap();
    assert_eq!(user.user_name.expose(), "someone");
}

#[tokio::test]
async fn an_identity_file_opens_the_store_and_what_is_none_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("identity.txt");
    let settings = json!({ "identity_file": "identity.txt" });
    write_private(&path, "# made for a test\nnot an identity\n");
    let error = built(folder.path(), settings.clone()).await.put(entry()).await.unwrap_err().to_string();
    assert!(error.contains("age-keygen") && !error.contains("not an identity"), "{error}");
    let identity = age::x25519::Identity::generate().to_string();
    write_private(&path, &format!("# made for a test\n{}\n", age::secrecy::ExposeSecret::expose_secret(&identity)));
    built(folder.path(), settings.clone()).await.put(entry()).await.unwrap();
    built(folder.path(), settings).await.api_user(&scope()).await.unwrap();
}

#[tokio::test]
async fn without_a_passphrase_the_error_says_how_to_give_one() {
    let folder = tempfile::tempdir().unwrap();
    let settings = json!({ "prompt": false, "passphrase_env": "EINVOICE_TEST_VARIABLE_THAT_NOBODY_SETS" });
    let error = built(folder.path(), settings).await.put(entry()).await.unwrap_err();
    assert!(matches!(error, CredentialError::Locked { .. }));
    assert!(error.to_string().contains("set EINVOICE_TEST_VARIABLE_THAT_NOBODY_SETS"), "{error}");
}

#[cfg(unix)]
#[tokio::test]
async fn a_secret_file_that_others_may_read_is_refused_with_the_command_to_run() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    for (key, name) in [("passphrase_file", "passphrase.txt"), ("identity_file", "identity.txt")] {
        let path = folder.path().join(name);
        fs::write(&path, "a long passphrase\n").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let error = built(folder.path(), json!({ key: name })).await.put(entry()).await.unwrap_err().to_string();
        assert!(error.contains("chmod 600") && error.contains("mode 640"), "{error}");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn the_file_is_made_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let harness = Harness::new();
    harness.provide(entry()).await;
    harness.provide(entry()).await;
    assert_eq!(fs::metadata(harness.path()).unwrap().permissions().mode() & 0o777, 0o600);
    let names: Vec<_> = fs::read_dir(harness.0.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names.len(), 2, "only the file and its lock remain: {names:?}");
}

/// A file that lies elsewhere stays there: a link is followed, never replaced, and both names lead to
/// one lock.
#[cfg(unix)]
#[tokio::test]
async fn a_link_to_the_file_is_followed_when_it_is_written_and_locked() {
    let harness = Harness::new();
    harness.provide(entry()).await;
    let link = harness.0.path().join("linked").join("here.json");
    fs::create_dir(link.parent().unwrap()).unwrap();
    std::os::unix::fs::symlink("../credentials.json", &link).unwrap();
    let store = FileStore::new(
        &link,
        Unlock::passphrase(Secret::from("correct horse battery")),
        WORK_FACTOR,
        SystemClock::shared(),
    );
    let user = ApiUser { user_name: Secret::from("another"), password: Secret::from("p") };
    store.put(CredentialEntry::User(scope(), user)).await.unwrap();
    assert!(fs::symlink_metadata(&link).unwrap().file_type().is_symlink());
    assert_eq!(harness.open().await.api_user(&scope()).await.unwrap().user_name.expose(), "another");
    assert_eq!(fs::read_dir(link.parent().unwrap()).unwrap().count(), 1, "no second lock beside the link");
}

#[cfg(unix)]
#[tokio::test]
async fn nobody_else_can_hold_the_lock() {
    use std::os::unix::fs::PermissionsExt;
    let harness = Harness::new();
    harness.provide(entry()).await;
    let lock = harness.0.path().join("credentials.json.lock");
    assert_eq!(fs::metadata(lock).unwrap().permissions().mode() & 0o777, 0o600);
}

#[tokio::test]
async fn the_example_builds_a_store_and_wrong_settings_name_their_key() {
    let registry = Registry::linked(Vec::new()).unwrap();
    let plugin = registry.credential_stores.find("credentials-file", &[]).unwrap();
    let mut tables: BTreeMap<String, serde_json::Map<String, serde_json::Value>> =
        toml::from_str(plugin.example).unwrap();
    let mut settings = tables.remove("credentials").unwrap();
    assert_eq!(settings.remove("plugin").unwrap(), "credentials-file");
    let context = BuildContext::new("credentials", ".", SystemClock::shared(), SystemEntropy::shared());
    let store = (plugin.build)(context.clone(), settings.into()).await.unwrap();
    assert!(store.capability().encrypted_at_rest);
    for (settings, key) in [
        (json!({ "work_factor": 30 }), "work_factor"),
        (json!({ "path": "" }), "path"),
        (json!({ "passphrase": "hunter2" }), "passphrase"),
    ] {
        let error = (plugin.build)(context.clone(), settings).await.unwrap_err().to_string();
        assert!(error.contains(key) && !error.contains("hunter2"), "{error}");
    }
}

fn write_private(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
    }
}
