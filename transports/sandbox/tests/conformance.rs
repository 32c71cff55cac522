//! The emulator's accounts keep those promises of `CredentialStore` that concern them.
//!
//! The emulator makes its secrets itself, so the promises about given secrets (found again, rotated, empty,
//! kept apart by scope, listed alone) cannot be asked of it. The tests below the suite cover what they
//! stand for: an account stays the same, none is handed out beyond the emulator, and none shows.
#![expect(clippy::unwrap_used, reason = "a helper of a test fails the test")]

use std::sync::Arc;

use async_trait::async_trait;
use einvoice_core::clock::ManualClock;
use einvoice_core::credential::{
    ClientHolder, ClientScope, CredentialEntry, CredentialError, CredentialScope, CredentialStore, UserScope,
};
use einvoice_core::entropy::SeededEntropy;
use einvoice_core::environment::{Environment, Product, RouteName};
use einvoice_core::identifier::Gstin;
use einvoice_sandbox::{PortalSettings, Sandbox, SandboxCredentials};
use einvoice_testkit::credential_suite::CredentialHarness;

einvoice_testkit::credential_conformance!(
    Harness::new();
    only
        nothing_secret_shows_in_debug
        a_saved_session_is_found_again
        an_expired_session_is_handed_out_for_the_caller_to_judge
        a_session_belongs_to_one_user
        a_read_only_store_says_so
);

struct Harness(Sandbox);

impl Harness {
    fn new() -> Self {
        let clock = Arc::new(ManualClock::new("2026-11-05T06:30:00Z".parse().unwrap()));
        Self(Sandbox::in_memory(PortalSettings::default(), clock, Arc::new(SeededEntropy::new(5))).unwrap())
    }

    fn store(&self, gstins: &[&str]) -> SandboxCredentials {
        SandboxCredentials::new(self.0.clone(), gstins.iter().copied().map(str::to_owned).collect())
    }
}

#[async_trait]
impl CredentialHarness for Harness {
    async fn open(&self) -> Arc<dyn CredentialStore> {
        Arc::new(self.store(&[]))
    }

    /// The emulator makes the account; its secrets are its own.
    async fn provide(&self, entry: CredentialEntry) {
        if let CredentialScope::User(scope) = entry.scope() {
            self.0.provision(&scope.gstin.to_string()).await.unwrap();
        }
    }
}

fn gstin() -> Gstin {
    Gstin::parse("29AAKCS4321Q1ZP").unwrap()
}

fn user(product: Product, environment: Environment) -> UserScope {
    UserScope { gstin: gstin(), product, environment, route: RouteName::new("sandbox") }
}

fn client(environment: Environment) -> ClientScope {
    ClientScope { environment, holder: ClientHolder::Pan(gstin().pan().unwrap()) }
}

#[tokio::test]
async fn an_account_is_made_on_demand_and_stays_the_same() {
    let harness = Harness::new();
    let (one, other) = (harness.open().await, harness.open().await);
    let scope = user(Product::EInvoice, Environment::Sandbox);
    let first = one.api_user(&scope).await.unwrap();
    assert!(first == other.api_user(&scope).await.unwrap(), "another user");
    let pair = one.client(&client(Environment::Sandbox)).await.unwrap();
    assert!(pair == other.client(&client(Environment::Sandbox)).await.unwrap(), "another client pair");
    let listed = one.list().await.unwrap();
    assert_eq!(listed, other.list().await.unwrap());
    let shown = format!("{one:?} {first:?} {pair:?} {listed:?}");
    for secret in [&first.password, &first.user_name, &pair.client_id, &pair.client_secret] {
        assert!(!shown.contains(secret.expose().as_str()), "an account shows in {shown}");
    }
}

#[tokio::test]
async fn no_account_is_handed_out_beyond_the_emulator_or_its_list() {
    let harness = Harness::new();
    let everybody = harness.open().await;
    for scope in [user(Product::EWayBill, Environment::Sandbox), user(Product::EInvoice, Environment::Production)] {
        let error = everybody.api_user(&scope).await.unwrap_err();
        assert!(
            matches!(error, CredentialError::Missing { scope: named, .. } if *named == CredentialScope::User(scope))
        );
    }
    let production = client(Environment::Production);
    assert!(matches!(everybody.client(&production).await, Err(CredentialError::Missing { .. })));
    let provider = ClientHolder::Provider { account: "acme".to_owned(), product: None };
    let provider = ClientScope { environment: Environment::Sandbox, holder: provider };
    assert!(matches!(everybody.client(&provider).await, Err(CredentialError::Missing { .. })));
    let others = harness.store(&["27AAPFU0939F1ZV"]);
    let ours = user(Product::EInvoice, Environment::Sandbox);
    assert!(matches!(others.api_user(&ours).await, Err(CredentialError::Missing { .. })));
    assert!(matches!(others.client(&client(Environment::Sandbox)).await, Err(CredentialError::Missing { .. })));
}
