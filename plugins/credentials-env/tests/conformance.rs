//! The store keeps the promises of `CredentialStore`, and its messages name the variables.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a helper of a test fails the test")]

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use einvoice_core::clock::SystemClock;
use einvoice_core::credential::{
    ClientHolder, ClientScope, CredentialEntry, CredentialError, CredentialScope, CredentialStore, UserScope,
};
use einvoice_core::entropy::SystemEntropy;
use einvoice_core::environment::{Environment, Product, RouteName};
use einvoice_core::identifier::Gstin;
use einvoice_core::registry::{BuildContext, Registry};
use einvoice_credentials_env::{EnvConfig, EnvStore, Variables};
use einvoice_testkit::credential_suite::CredentialHarness;

einvoice_testkit::credential_conformance!(Harness::default());

#[derive(Debug, Clone, Default)]
struct Map(Arc<Mutex<BTreeMap<String, String>>>);

impl Map {
    fn set(&self, name: impl Into<String>, value: &str) {
        self.0.lock().unwrap().insert(name.into(), value.to_owned());
    }
}

impl Variables for Map {
    fn get(&self, name: &str) -> Option<OsString> {
        self.0.lock().unwrap().get(name).map(OsString::from)
    }

    fn names(&self) -> Vec<String> {
        self.0.lock().unwrap().keys().cloned().collect()
    }
}

#[derive(Debug, Default)]
struct Harness(Map);

impl Harness {
    fn set_pair(&self, kind: (&str, &str), tail: &str, values: (&str, &str)) {
        self.0.set(format!("EINVOICE_{}__{tail}", kind.0), values.0);
        self.0.set(format!("EINVOICE_{}__{tail}", kind.1), values.1);
    }
}

#[async_trait]
impl CredentialHarness for Harness {
    async fn open(&self) -> Arc<dyn CredentialStore> {
        Arc::new(EnvStore::new(EnvConfig::default(), Arc::new(self.0.clone())))
    }

    async fn provide(&self, entry: CredentialEntry) {
        let capitals = |text: &dyn std::fmt::Display| text.to_string().to_uppercase().replace('-', "_");
        match entry {
            CredentialEntry::User(scope, user) => {
                let UserScope { gstin, product, environment, route } = &scope;
                let tail = format!("{gstin}__{}__{}__{}", capitals(product), capitals(environment), capitals(route));
                self.set_pair(("USER", "PASSWORD"), &tail, (user.user_name.expose(), user.password.expose()));
            }
            CredentialEntry::Client(ClientScope { environment, holder }, pair) => {
                let holder = match holder {
                    ClientHolder::Pan(pan) => pan.to_string(),
                    ClientHolder::Provider { account, product: None } => format!("PROVIDER_{}", capitals(&account)),
                    ClientHolder::Provider { account, product: Some(product) } => {
                        format!("PROVIDER_{}__{}", capitals(&account), capitals(&product))
                    }
                    other => panic!("unknown holder {other:?}"),
                };
                let tail = format!("{holder}__{}", capitals(&environment));
                let values = (pair.client_id.expose().as_str(), pair.client_secret.expose().as_str());
                self.set_pair(("CLIENT_ID", "CLIENT_SECRET"), &tail, values);
            }
        }
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

#[tokio::test]
async fn an_absent_user_names_the_exact_variables_to_set() {
    let store = Harness::default().open().await;
    let message = store.api_user(&scope()).await.unwrap_err().to_string();
    assert!(message.contains("EINVOICE_USER__29AAKCS4321Q1ZP__E_INVOICE__SANDBOX__NIC"), "{message}");
    assert!(message.contains("EINVOICE_PASSWORD__29AAKCS4321Q1ZP__SANDBOX"), "{message}");
}

#[tokio::test]
async fn half_an_entry_is_an_error_and_is_never_completed_from_a_general_one() {
    let harness = Harness::default();
    harness.set_pair(("USER", "PASSWORD"), "29AAKCS4321Q1ZP__SANDBOX", ("general", "general-password"));
    harness.0.set("EINVOICE_USER__29AAKCS4321Q1ZP__E_INVOICE__SANDBOX", "specific");
    let store = harness.open().await;
    let error = store.api_user(&scope()).await.unwrap_err();
    assert!(matches!(error, CredentialError::Missing { .. }));
    let message = error.to_string();
    assert!(message.contains("EINVOICE_PASSWORD__29AAKCS4321Q1ZP__E_INVOICE__SANDBOX is missing"), "{message}");
}

#[tokio::test]
async fn a_general_entry_serves_every_route_and_lists_as_such() {
    let harness = Harness::default();
    harness.set_pair(("USER", "PASSWORD"), "29AAKCS4321Q1ZP__E_INVOICE__SANDBOX", ("someone", "password"));
    let store = harness.open().await;
    assert_eq!(store.api_user(&scope()).await.unwrap().user_name.expose(), "someone");
    let list = store.list().await.unwrap();
    let [line] = list.as_slice() else { panic!("{list:?}") };
    assert_eq!(line.name_hint, "so****");
    assert!(matches!(&line.scope, CredentialScope::User(scope) if scope.route.as_str() == "*"));
}

#[tokio::test]
async fn the_example_builds_a_store() {
    let registry = Registry::linked(Vec::new()).unwrap();
    let plugin = registry.credential_stores.find("credentials-env", &[]).unwrap();
    let mut settings = example_settings(plugin.example);
    assert_eq!(settings.remove("plugin").unwrap(), "credentials-env");
    let context = BuildContext::new("credentials", ".", SystemClock::shared(), SystemEntropy::shared());
    let store = (plugin.build)(context.clone(), settings.into()).await.unwrap();
    assert!(!store.capability().writable);
    let error = (plugin.build)(context, serde_json::json!({ "prefix": "e-invoice" })).await.unwrap_err();
    assert!(error.to_string().contains("key `prefix`"), "{error}");
}

fn example_settings(example: &str) -> serde_json::Map<String, serde_json::Value> {
    let tables: BTreeMap<String, serde_json::Map<String, serde_json::Value>> = toml::from_str(example).unwrap();
    tables.into_values().next().unwrap()
}
