//! The store keeps the promises of `CredentialStore` against a stand-in for Vault, and against the real server when
//! `EINVOICE_TEST_VAULT` gives its address and `EINVOICE_TEST_VAULT_TOKEN` a token.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a helper of a test fails the test")]

mod stand_in;

use std::fs;
use std::path::Path;
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
use einvoice_credentials_vault as _;
use einvoice_testkit::credential_suite::CredentialHarness;
use serde_json::json;

use stand_in::{ROLE, ROOT, StandIn};

einvoice_testkit::credential_conformance!(Harness::start().await);

/// A stand-in and the files that its clients come with.
struct Harness {
    vault: StandIn,
    folder: tempfile::TempDir,
}

fn private(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
    #[cfg(unix)]
    fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
}

async fn built(folder: &Path, settings: serde_json::Value) -> Result<Arc<dyn CredentialStore>, String> {
    let registry = Registry::linked(Vec::new()).unwrap();
    let context = BuildContext::new("credentials", folder, SystemClock::shared(), SystemEntropy::shared());
    registry.credential_store("credentials-vault", context, settings).await.map_err(|error| error.to_string())
}

impl Harness {
    async fn start() -> Self {
        let (vault, folder) = (StandIn::start().await, tempfile::tempdir().unwrap());
        private(&folder.path().join("token"), ROOT);
        private(&folder.path().join("secret-id"), ROLE.1);
        Self { vault, folder }
    }

    async fn with(&self, mut settings: serde_json::Value) -> Arc<dyn CredentialStore> {
        settings.as_object_mut().unwrap().entry("address").or_insert(self.vault.address.clone().into());
        built(self.folder.path(), settings).await.unwrap()
    }

    async fn by_role(&self) -> Arc<dyn CredentialStore> {
        self.with(json!({"role_id": ROLE.0, "secret_id_file": "secret-id"})).await
    }
}

#[async_trait]
impl CredentialHarness for Harness {
    async fn open(&self) -> Arc<dyn CredentialStore> {
        self.with(json!({"token_file": "token"})).await
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

fn entry(password: &str) -> CredentialEntry {
    CredentialEntry::User(scope(), ApiUser { user_name: Secret::from("someone"), password: Secret::from(password) })
}

fn session(token: &str) -> SavedSession {
    SavedSession {
        token: Secret::from(token),
        sek: Secret::new(vec![1; 32]),
        app_key: Secret::new(vec![2; 32]),
        expires_at: "2026-11-05T12:00:00Z".parse().unwrap(),
        provider: None,
    }
}

#[tokio::test]
async fn approle_logs_in_once_and_again_when_its_token_is_over() {
    let harness = Harness::start().await;
    let store = harness.by_role().await;
    store.put(entry("p")).await.unwrap();
    store.api_user(&scope()).await.unwrap();
    assert_eq!(harness.vault.books().logins, 1);
    harness.vault.books().tokens.clear();
    store.api_user(&scope()).await.unwrap();
    assert_eq!(harness.vault.books().logins, 2);
    let wrong = harness.with(json!({"role_id": "nobody", "secret_id_file": "secret-id"})).await;
    let error = wrong.api_user(&scope()).await.unwrap_err();
    assert!(error.to_string().contains("knows no such role id and secret id"), "{error}");
    assert!(matches!(error, CredentialError::Locked { .. }) && !error.to_string().contains(ROLE.1));
}

#[tokio::test]
async fn a_token_file_that_was_renewed_is_read_again() {
    let harness = Harness::start().await;
    let store = harness.open().await;
    store.put(entry("p")).await.unwrap();
    harness.vault.books().tokens = ["hvs.second".to_owned()].into();
    let error = store.api_user(&scope()).await.unwrap_err();
    assert!(error.to_string().contains("was not allowed"), "{error}");
    private(&harness.folder.path().join("token"), "hvs.second\n");
    store.api_user(&scope()).await.unwrap();
}

#[tokio::test]
async fn a_token_that_no_header_takes_is_told_and_not_shown() {
    let harness = Harness::start().await;
    for token in ["hvs.caf\u{e9}", "hvs.a\u{7f}b", "hvs.a\tb"] {
        private(&harness.folder.path().join("token"), token);
        let error = harness.open().await.api_user(&scope()).await.unwrap_err();
        assert!(matches!(error, CredentialError::Locked { .. }), "{error:?}");
        assert!(error.to_string().contains("no visible ASCII") && !error.to_string().contains("hvs"), "{error}");
    }
}

#[tokio::test]
async fn a_sealed_vault_is_a_matter_of_time_and_says_who_unseals_it() {
    let harness = Harness::start().await;
    harness.vault.books().sealed = true;
    let error = harness.open().await.api_user(&scope()).await.unwrap_err();
    assert!(matches!(error, CredentialError::Unreachable { .. }), "{error:?}");
    assert!(error.to_string().contains("sealed: whoever runs it has to unseal it"), "{error}");
}

#[tokio::test]
async fn a_vault_that_is_gone_is_a_matter_of_time_and_says_where_nobody_listens() {
    let harness = Harness::start().await;
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let address = format!("http://127.0.0.1:{port}");
    let store = harness.with(json!({"token_file": "token", "address": address})).await;
    let error = store.api_user(&scope()).await.unwrap_err();
    assert!(matches!(error, CredentialError::Unreachable { .. }), "{error:?}");
    assert!(error.to_string().contains(&address), "{error}");
    assert!(!error.to_string().contains(ROOT), "{error}");
}

#[tokio::test]
async fn a_mount_that_is_missing_and_a_right_that_is_lacking_are_told_apart() {
    let harness = Harness::start().await;
    let store = harness.with(json!({"token_file": "token", "mount": "kv"})).await;
    let error = store.api_user(&scope()).await.unwrap_err().to_string();
    assert!(
        error.contains("nothing is mounted at kv/") && error.contains("vault secrets enable -path=kv kv-v2"),
        "{error}"
    );
    harness.vault.books().read_only = Some("einvoice/entry".to_owned());
    let error = harness.open().await.put(entry("p")).await.unwrap_err().to_string();
    assert!(
        error.contains("writing a secret was not allowed (permission denied)")
            && error.contains("secret/data/einvoice/*"),
        "{error}"
    );
}

#[tokio::test]
async fn a_worker_that_may_write_only_what_logins_leave_behind_can_work() {
    let harness = Harness::start().await;
    harness.provide(entry("p")).await;
    harness.vault.books().read_only = Some("einvoice/entry".to_owned());
    let worker = harness.by_role().await;
    worker.save_session(&scope(), &session("t")).await.unwrap();
    assert!(worker.session(&scope()).await.unwrap() == Some(session("t")));
    assert!(worker.put(entry("other")).await.is_err());
}

#[tokio::test]
async fn an_entry_that_was_deleted_by_hand_can_be_added_again() {
    let harness = Harness::start().await;
    harness.provide(entry("p")).await;
    for versions in harness.vault.books().secrets.values_mut() {
        versions.push(None);
    }
    let store = harness.open().await;
    assert!(matches!(store.api_user(&scope()).await, Err(CredentialError::Missing { .. })));
    store.put(entry("again")).await.unwrap();
    assert_eq!(store.api_user(&scope()).await.unwrap().password, Secret::from("again"));
}

#[tokio::test]
async fn a_record_that_was_moved_under_another_name_is_not_believed() {
    let harness = Harness::start().await;
    harness.provide(entry("p")).await;
    let other = UserScope { gstin: Gstin::parse("27AAKCS4321Q1ZT").unwrap(), ..scope() };
    let moved = harness.vault.books().secrets.iter().next().map(|(name, value)| (name.clone(), value.clone())).unwrap();
    let name = moved.0.replace(scope().gstin.as_str(), other.gstin.as_str());
    harness.vault.books().secrets.insert(name, moved.1);
    let error = harness.open().await.api_user(&other).await.unwrap_err();
    assert!(matches!(error, CredentialError::Damaged { .. }) && error.to_string().contains("another scope"), "{error}");
}

#[tokio::test]
async fn the_namespace_goes_with_every_call() {
    let harness = Harness::start().await;
    let store = harness.with(json!({"token_file": "token", "namespace": "finance"})).await;
    store.put(entry("p")).await.unwrap();
    assert!(harness.vault.books().namespaces.contains("finance"));
}

#[tokio::test]
async fn settings_that_cannot_be_are_told_with_their_key() {
    let folder = tempfile::tempdir().unwrap();
    for (settings, told) in [
        (json!({"address": "http://vault.example.in"}), "key `address`"),
        (json!({"address": "https://v.example.in", "answer_seconds": 0}), "key `answer_seconds`"),
        (json!({"address": "https://v.example.in", "path": "a?b"}), "key `path`"),
        (json!({"address": "https://v.example.in", "ca_file": "nowhere.pem"}), "key `ca_file`"),
        (json!({"address": "https://v.example.in", "role_id": "r", "token_file": "t"}), "key `role_id`"),
        (json!({"address": "https://v.example.in", "namespace": "fin\nance"}), "key `namespace`"),
        (json!({}), "address"),
    ] {
        let error = built(folder.path(), settings).await.unwrap_err();
        assert!(error.contains(told), "{error}");
    }
}

#[test]
fn the_example_is_a_configuration() {
    let text = include_str!("../../examples/credentials.toml");
    let table: toml::Table = toml::from_str(text).unwrap();
    let mut settings = table["credentials"].clone();
    settings.as_table_mut().unwrap().remove("plugin");
    let settings = serde_json::to_value(settings).unwrap();
    let context = BuildContext::new("credentials", ".", SystemClock::shared(), SystemEntropy::shared());
    read_settings::<einvoice_credentials_vault::VaultConfig>(&context, settings).unwrap();
}

/// The same moves with the real server. It is skipped where there is none.
#[tokio::test]
async fn the_real_server_answers_as_the_stand_in() {
    let address = std::env::var("EINVOICE_TEST_VAULT").ok();
    let Some(address) = address else {
        println!("skipped: EINVOICE_TEST_VAULT gives no address of a Vault");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let settings = json!({"address": address, "token_env": "EINVOICE_TEST_VAULT_TOKEN", "path": "einvoice-test"});
    let store = built(folder.path(), settings).await.unwrap();
    let of = CredentialScope::User(scope());
    let _left_over = store.remove(&of).await;
    store.put(entry("old")).await.unwrap();
    store.put_pending(entry("new")).await.unwrap();
    store.promote(&entry("new")).await.unwrap();
    store.save_session(&scope(), &session("t")).await.unwrap();
    assert!(store.session(&scope()).await.unwrap() == Some(session("t")));
    assert_eq!(store.list().await.unwrap().len(), 1);
    assert_eq!(store.api_user(&scope()).await.unwrap().password, Secret::from("new"));
    store.remove(&of).await.unwrap();
    assert!(store.list().await.unwrap().is_empty());
}
