//! The store that the core makes of a shelf keeps the promises of `CredentialStore`, and an API user is shared between the
//! two systems only where a route says so.
#![expect(clippy::unwrap_used, reason = "a helper of a test fails the test")]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use einvoice_core::clock::SystemClock;
use einvoice_core::credential::shelf::{Part, Shelf, ShelfStore, Shelved};
use einvoice_core::credential::{
    ApiUser, CredentialEntry, CredentialError, CredentialScope, CredentialStore, EWayBillLogin, LoginNote, SharedUsers,
    UserScope,
};
use einvoice_core::environment::{Environment, Product, RouteName};
use einvoice_core::identifier::Gstin;
use einvoice_core::secret::Secret;
use einvoice_core::session::SavedSession;
use einvoice_testkit::credential_suite::CredentialHarness;
use jiff::Timestamp;
use zeroize::Zeroizing;

einvoice_testkit::credential_conformance!(Memory::default());

/// A shelf in memory; clones share what they hold.
#[derive(Debug, Clone, Default)]
struct Memory(Arc<Mutex<BTreeMap<(bool, String), Shelved>>>);

const fn is_entry(part: Part) -> bool {
    matches!(part, Part::Entry)
}

#[async_trait]
impl Shelf for Memory {
    fn shown(&self) -> String {
        "memory".to_owned()
    }

    fn encrypted_at_rest(&self) -> bool {
        false
    }

    async fn read(&self, part: Part, name: &str) -> Result<Option<Shelved>, CredentialError> {
        Ok(self.0.lock().unwrap().get(&(is_entry(part), name.to_owned())).cloned())
    }

    async fn write(&self, part: Part, name: &str, bytes: &[u8], seen: Option<u64>) -> Result<bool, CredentialError> {
        let mut held = self.0.lock().unwrap();
        let key = (is_entry(part), name.to_owned());
        if held.get(&key).map(|shelved| shelved.version) != seen {
            return Ok(false);
        }
        let version = seen.unwrap_or_default() + 1;
        held.insert(key, Shelved { bytes: Zeroizing::new(bytes.to_vec()), version });
        Ok(true)
    }

    async fn delete(&self, part: Part, name: &str) -> Result<bool, CredentialError> {
        Ok(self.0.lock().unwrap().remove(&(is_entry(part), name.to_owned())).is_some())
    }

    async fn names(&self, part: Part) -> Result<Vec<String>, CredentialError> {
        let held = self.0.lock().unwrap();
        Ok(held.keys().filter(|(entry, _)| *entry == is_entry(part)).map(|(_, name)| name.clone()).collect())
    }
}

#[async_trait]
impl CredentialHarness for Memory {
    async fn open(&self) -> Arc<dyn CredentialStore> {
        Arc::new(ShelfStore::new(self.clone(), SystemClock::shared()))
    }

    async fn provide(&self, entry: CredentialEntry) {
        self.open().await.put(entry).await.unwrap();
    }
}

fn scope(product: Product) -> UserScope {
    UserScope {
        gstin: Gstin::parse("29AAKCS4321Q1ZP").unwrap(),
        product,
        environment: Environment::Sandbox,
        route: RouteName::new("nic"),
    }
}

fn entry(product: Product, name: &str) -> CredentialEntry {
    CredentialEntry::User(scope(product), ApiUser { user_name: Secret::from(name), password: Secret::from("p") })
}

fn session(token: &str) -> SavedSession {
    SavedSession {
        token: Secret::from(token),
        sek: Secret::new(vec![1; 32]),
        app_key: Secret::new(vec![2; 32]),
        expires_at: Timestamp::UNIX_EPOCH,
        provider: None,
    }
}

/// A store with an API user of the e-invoice system only, by a route of this kind.
async fn shared(login: EWayBillLogin) -> (Arc<dyn CredentialStore>, SharedUsers) {
    let inner = Memory::default().open().await;
    inner.put(entry(Product::EInvoice, "both")).await.unwrap();
    let routes = [(RouteName::new("nic"), login)].into();
    (Arc::clone(&inner), SharedUsers::new(inner, routes))
}

#[tokio::test]
async fn nothing_is_shared_unless_the_route_says_so() {
    let (_, store) = shared(EWayBillLogin::Own).await;
    let missing = store.api_user(&scope(Product::EWayBill)).await;
    assert!(matches!(missing, Err(CredentialError::Missing { .. })), "{missing:?}");
    let (inner, _) = shared(EWayBillLogin::Own).await;
    let other = SharedUsers::new(inner, [(RouteName::new("gsp"), EWayBillLogin::SameToken)].into());
    assert!(other.api_user(&scope(Product::EWayBill)).await.is_err(), "another route's switch was taken");
}

#[tokio::test]
async fn a_shared_user_logs_in_to_each_system_for_itself() {
    let (_, store) = shared(EWayBillLogin::SameUser).await;
    assert_eq!(store.api_user(&scope(Product::EWayBill)).await.unwrap().user_name, Secret::from("both"));
    store.save_session(&scope(Product::EInvoice), &session("irp")).await.unwrap();
    assert!(store.session(&scope(Product::EWayBill)).await.unwrap().is_none(), "the token was shared, too");
    store.save_session(&scope(Product::EWayBill), &session("ewb")).await.unwrap();
    assert!(store.session(&scope(Product::EWayBill)).await.unwrap() == Some(session("ewb")));
    assert!(store.session(&scope(Product::EInvoice)).await.unwrap() == Some(session("irp")));
}

#[tokio::test]
async fn a_shared_token_is_one_whichever_system_logged_in() {
    let (_, store) = shared(EWayBillLogin::SameToken).await;
    store.save_session(&scope(Product::EWayBill), &session("one")).await.unwrap();
    assert!(store.session(&scope(Product::EInvoice)).await.unwrap() == Some(session("one")));
    let note = LoginNote::Accepted(Timestamp::UNIX_EPOCH);
    store.note(&CredentialScope::User(scope(Product::EWayBill)), &note).await.unwrap();
    let facts = store.facts(&CredentialScope::User(scope(Product::EInvoice))).await.unwrap();
    assert_eq!(facts.last_success, Some(Timestamp::UNIX_EPOCH));
}

#[tokio::test]
async fn a_user_of_its_own_comes_first() {
    let (inner, store) = shared(EWayBillLogin::SameToken).await;
    inner.put(entry(Product::EWayBill, "bills")).await.unwrap();
    assert_eq!(store.api_user(&scope(Product::EWayBill)).await.unwrap().user_name, Secret::from("bills"));
    store.save_session(&scope(Product::EInvoice), &session("irp")).await.unwrap();
    assert!(store.session(&scope(Product::EWayBill)).await.unwrap().is_none());
}
