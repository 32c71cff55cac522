//! The store keeps the promises of `CredentialStore` over a keyring as small as that of Windows, and over the real one of
//! this machine where `EINVOICE_TEST_KEYRING` is set.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a helper of a test fails the test, and says what it skips"
)]

mod crashes;
mod small;
#[cfg(target_os = "linux")]
mod system;

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use einvoice_core::clock::SystemClock;
use einvoice_core::credential::shelf::ShelfStore;
use einvoice_core::credential::{ApiUser, CredentialEntry, CredentialScope, CredentialStore, UserScope};
use einvoice_core::entropy::SystemEntropy;
use einvoice_core::environment::{Environment, Product, RouteName};
use einvoice_core::identifier::Gstin;
use einvoice_core::registry::{BuildContext, Registry, read_settings};
use einvoice_core::secret::Secret;
use einvoice_core::session::{ProviderToken, SavedSession};
use einvoice_credentials_keyring::{KeyringConfig, KeyringShelf};
use einvoice_testkit::credential_suite::CredentialHarness;
use serde_json::json;

use small::SmallKeyring;

einvoice_testkit::credential_conformance!(Harness::new());

/// A keyring in memory, and a folder for the lock.
struct Harness {
    keyring: SmallKeyring,
    folder: tempfile::TempDir,
}

impl Harness {
    fn new() -> Self {
        Self { keyring: SmallKeyring::default(), folder: tempfile::tempdir().unwrap() }
    }

    fn store(&self) -> Arc<dyn CredentialStore> {
        let context = context(self.folder.path());
        let config: KeyringConfig = read_settings(&context, json!({"lock_file": "writers"})).unwrap();
        let entries = KeyringShelf::over(Arc::new(self.keyring.clone()), &context, &config).unwrap();
        Arc::new(ShelfStore::new(entries, context.clock))
    }
}

#[async_trait]
impl CredentialHarness for Harness {
    async fn open(&self) -> Arc<dyn CredentialStore> {
        self.store()
    }

    async fn provide(&self, entry: CredentialEntry) {
        self.store().put(entry).await.unwrap();
    }
}

fn context(folder: &Path) -> BuildContext {
    BuildContext::new("credentials", folder, SystemClock::shared(), SystemEntropy::shared())
}

async fn built(folder: &Path, settings: serde_json::Value) -> Result<Arc<dyn CredentialStore>, String> {
    let registry = Registry::linked(Vec::new()).unwrap();
    let built = registry.credential_store("credentials-keyring", context(folder), settings).await;
    built.map_err(|error| error.to_string())
}

fn scope(route: &str) -> UserScope {
    UserScope {
        gstin: Gstin::parse("29AAKCS4321Q1ZP").unwrap(),
        product: Product::EInvoice,
        environment: Environment::Sandbox,
        route: RouteName::new(route),
    }
}

fn ours() -> UserScope {
    scope("nic")
}

fn of(scope: UserScope) -> CredentialScope {
    CredentialScope::User(scope)
}

fn entry(scope: UserScope, password: &str) -> CredentialEntry {
    CredentialEntry::User(scope, ApiUser { user_name: Secret::from("someone"), password: Secret::from(password) })
}

/// A session with a provider's token of this many characters: real ones have up to some thousands.
fn session(mark: char, characters: usize) -> SavedSession {
    SavedSession {
        token: Secret::new(format!("token-{mark}")),
        sek: Secret::new(vec![1; 32]),
        app_key: Secret::new(vec![2; 32]),
        expires_at: "2026-11-05T12:00:00Z".parse().unwrap(),
        provider: Some(ProviderToken {
            token: Secret::new(mark.to_string().repeat(characters)),
            expires_at: "2026-11-05T12:00:00Z".parse().unwrap(),
            client_mark: "0".repeat(64),
        }),
    }
}

#[tokio::test]
async fn a_record_that_is_longer_than_an_entry_lies_over_several_and_leaves_none_behind() {
    let harness = Harness::new();
    let store = harness.store();
    store.put(entry(ours(), "p")).await.unwrap();
    for (mark, characters) in [('l', 9_000), ('m', 4_000), ('n', 20_000)] {
        store.save_session(&ours(), &session(mark, characters)).await.unwrap();
        assert!(store.session(&ours()).await.unwrap() == Some(session(mark, characters)), "{mark}");
        let pieces = harness.keyring.names().iter().filter(|name| name.contains("/a/") || name.contains("/b/")).count();
        assert!((characters / 1_500..=characters / 1_500 + 1).contains(&pieces), "{:?}", harness.keyring.names());
    }
    assert!(harness.keyring.longest() <= 2_560);
    store.remove(&of(ours())).await.unwrap();
    assert!(harness.keyring.names().is_empty(), "{:?}", harness.keyring.names());
}

#[tokio::test]
async fn an_entry_shows_no_secret_in_its_name_and_is_text() {
    let harness = Harness::new();
    harness.store().put(entry(ours(), "pass-word-77")).await.unwrap();
    assert_eq!(harness.keyring.names(), ["entry/index", "entry/user.sandbox.e_invoice.29AAKCS4321Q1ZP.nic"]);
    assert!(harness.keyring.texts().iter().all(|text| text.is_ascii()));
}

#[tokio::test]
async fn names_that_differ_in_case_only_are_told_apart_or_refused() {
    let harness = Harness::new();
    let store = harness.store();
    store.put(entry(scope("NIC"), "first")).await.unwrap();
    assert!(store.api_user(&scope("nic")).await.is_err());
    let error = store.put(entry(scope("nic"), "second")).await.unwrap_err().to_string();
    assert!(error.contains("upper and lower case") && error.contains("another name"), "{error}");
    store.remove(&of(scope("nic"))).await.unwrap_err();
    assert_eq!(store.api_user(&scope("NIC")).await.unwrap().password, Secret::from("first"));
    assert_eq!(store.list().await.unwrap().len(), 1);
}

#[tokio::test]
async fn what_was_changed_by_hand_is_told_and_can_be_removed_and_added_again() {
    let name = "entry/user.sandbox.e_invoice.29AAKCS4321Q1ZP.nic";
    for (text, told) in [
        ("hunter2", "was not written by this program"),
        ("einvoice 9 a b c d\nAAAA", "layout 9"),
        ("einvoice 1 00000000000000aa a 1 entry/user.sandbox.e_invoice.29AAKCS4321Q1ZP.nic\nAAAA", "a piece of"),
    ] {
        let harness = Harness::new();
        let store = harness.store();
        store.put(entry(ours(), "p")).await.unwrap();
        harness.keyring.write(name, text);
        let error = store.api_user(&ours()).await.unwrap_err().to_string();
        assert!(error.contains(told) && error.contains("is damaged") && !error.contains("hunter2"), "{error}");
        store.remove(&of(ours())).await.unwrap();
        store.put(entry(ours(), "again")).await.unwrap();
        assert_eq!(store.api_user(&ours()).await.unwrap().password, Secret::from("again"));
    }
}

#[tokio::test]
async fn a_list_of_names_that_was_damaged_is_told_and_once_removed_fills_up_again() {
    let harness = Harness::new();
    let store = harness.store();
    store.put(entry(ours(), "p")).await.unwrap();
    harness.keyring.write("entry/index", "hunter2");
    let error = store.list().await.unwrap_err().to_string();
    assert!(error.contains("entry/index, was changed by hand") && !error.contains("hunter2"), "{error}");
    harness.keyring.remove("entry/index");
    assert!(store.list().await.unwrap().is_empty());
    store.put(entry(ours(), "q")).await.unwrap();
    assert_eq!(store.list().await.unwrap().len(), 1);
}

#[tokio::test]
async fn settings_that_cannot_be_are_told_with_their_key() {
    let folder = tempfile::tempdir().unwrap();
    for (settings, told) in [
        (json!({"service": ""}), "key `service`"),
        (json!({"service": "a/b"}), "key `service`"),
        (json!({"lock_file": ""}), "key `lock_file`"),
        (json!({"answer_seconds": 0}), "key `answer_seconds`"),
        (json!({"password": "hunter2"}), "password"),
    ] {
        let error = built(folder.path(), settings).await.unwrap_err();
        assert!(error.contains(told) && !error.contains("hunter2"), "{error}");
    }
}

#[tokio::test]
async fn a_lock_that_cannot_be_made_is_told_with_its_file() {
    let harness = Harness::new();
    std::fs::create_dir(harness.folder.path().join("writers.lock")).unwrap();
    let error = harness.store().put(entry(ours(), "p")).await.unwrap_err().to_string();
    assert!(error.contains("writers.lock") && error.contains("`lock_file`"), "{error}");
    assert!(harness.keyring.names().is_empty());
}

#[test]
fn the_example_is_a_configuration() {
    let table: toml::Table = toml::from_str(include_str!("../../examples/credentials.toml")).unwrap();
    let mut settings = table["credentials"].clone();
    settings.as_table_mut().unwrap().remove("plugin");
    let settings = serde_json::to_value(settings).unwrap();
    read_settings::<KeyringConfig>(&context(Path::new(".")), settings).unwrap();
}
