//! What every credential store promises: the definition of done for a
//! [`CredentialStore`].
//!
//! A plugin writes a [`CredentialHarness`] and one line,
//! `einvoice_testkit::credential_conformance!(Harness::new());`, and gets one named test for each
//! promise. A store that cannot be changed is held to the same promises of reading; those of writing are
//! printed as not applicable. What a store cannot hold at all, its harness denies
//! ([`CredentialHarness::holds`]), and the store is held to saying so.
#![expect(
    clippy::panic,
    clippy::missing_panics_doc,
    clippy::missing_errors_doc,
    reason = "a suite reports a broken promise by panicking, and one that is not applicable by an error"
)]

mod rotation;

use std::future::Future;
use std::sync::Arc;

use async_trait::async_trait;
use einvoice_core::credential::{
    ApiUser, ClientHolder, ClientPair, ClientScope, CredentialEntry, CredentialError, CredentialScope, CredentialStore,
    UserScope,
};
use einvoice_core::environment::{Environment, Product, RouteName};
use einvoice_core::identifier::Gstin;
use einvoice_core::secret::Secret;
use einvoice_core::session::{ProviderToken, SavedSession};
use jiff::Timestamp;

pub use rotation::*;

use crate::promise::{NotApplicable, Shown, tell};

/// How the suite gets hold of stores and fills them.
#[async_trait]
pub trait CredentialHarness: Send + Sync {
    /// Opens the store once more, as a further worker would. All stores of one harness keep the same
    /// entries.
    async fn open(&self) -> Arc<dyn CredentialStore>;

    /// Makes the store hold an entry, the way its administrator does: by `put`, or from outside
    /// where the store is read-only.
    async fn provide(&self, entry: CredentialEntry);

    /// Whether the store can have an entry for this scope at all. Others are never provided, and the
    /// store answers that there is none. All can be had unless a harness says otherwise.
    fn holds(&self, _scope: &CredentialScope) -> bool {
        true
    }

    /// Whether the store keeps users of one GSTIN apart by route. It does unless a harness says
    /// otherwise.
    fn tells_routes_apart(&self) -> bool {
        true
    }
}

/// Gives one named test for each promise of a credential store.
///
/// The expression makes a fresh, empty harness and is evaluated once for each test.
#[macro_export]
macro_rules! credential_conformance {
    ($harness:expr) => { $crate::credential_conformance! { $harness, fill_in: [] } };
    ($harness:expr, fill_in: $to_fill_in:tt) => {
        $crate::mark_promises! { credential_promise, credential_suite, $to_fill_in }
        $crate::credential_conformance! { @tests $harness;
            an_absent_entry_is_an_error_that_names_its_scope
            what_was_provided_is_found
            an_empty_secret_is_as_good_as_none
            nothing_secret_shows_in_debug
            a_rotated_secret_is_seen_by_a_store_that_is_open
            a_list_holds_no_secret_and_keeps_its_order
            two_scopes_do_not_mix
            a_saved_session_is_found_again
            an_expired_session_is_handed_out_for_the_caller_to_judge
            a_session_belongs_to_one_user
            a_session_of_a_user_at_the_provider_is_kept
            a_secret_that_is_put_ends_the_session_of_the_old_one
            removing_a_user_removes_its_session
            removing_what_is_absent_is_an_error
            a_read_only_store_says_so
            a_new_secret_waits_beside_the_old_until_it_is_promoted
            only_what_was_tested_is_promoted
            a_rotation_given_up_leaves_the_old_in_use
            a_rotation_needs_something_to_rotate
            age_and_use_are_kept_and_hold_no_secret
            listed_addresses_are_kept_with_the_client_pair
            workers_that_log_in_at_the_same_time_leave_one_whole_session
            writers_at_the_same_time_lose_nothing
        }
    };
    (@tests $harness:expr; $($name:ident)+) => {$(credential_promise! { $name
        #[test]
        fn $name() {
            $crate::credential_suite::run(stringify!($name), async {
                let harness = $harness;
                $crate::credential_suite::$name(&harness).await
            });
        }
    })+};
}

const CLIENT_SECRET: &str = "client-secret-Zq7Tw2";
const PASSWORD: &str = "pass-word-Kx93Lm";
const NAMES: [&str; 2] = ["clientid-ABCDEFGH", "username-IJKLMNOP"];

/// Runs a promise on a runtime of its own, and prints it as a sentence with what became of it.
pub fn run(name: &str, promise: impl Future<Output = Shown>) {
    match tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build() {
        Ok(runtime) => tell(name, runtime.block_on(promise)),
        Err(error) => panic!("no runtime for the test: {error}"),
    }
}

fn need<T, E: std::fmt::Display>(result: Result<T, E>, what: &str) -> T {
    result.unwrap_or_else(|error| panic!("{what}: {error}"))
}

/// An invented GSTIN of a PAN, with its check character.
fn gstin(state: &str, pan: &str) -> Gstin {
    let stem = format!("{state}{pan}1Z");
    let check = stem.as_bytes().try_into().ok().and_then(Gstin::check_character).unwrap_or('0');
    need(Gstin::parse(&format!("{stem}{check}")), "an invented GSTIN")
}

fn ours() -> Gstin {
    gstin("29", "AAKCS4321Q")
}

fn user_scope(product: Product, environment: Environment, route: &str) -> UserScope {
    UserScope { gstin: ours(), product, environment, route: RouteName::new(route) }
}

fn plain_user() -> UserScope {
    user_scope(Product::EInvoice, Environment::Sandbox, "nic")
}

fn pan_client(environment: Environment) -> ClientScope {
    let Some(pan) = ours().pan() else { panic!("the invented GSTIN has no PAN") };
    ClientScope { environment, holder: ClientHolder::Pan(pan) }
}

fn provider_client(account: &str, product: Option<Product>) -> ClientScope {
    ClientScope {
        environment: Environment::Sandbox,
        holder: ClientHolder::Provider { account: account.to_owned(), product },
    }
}

fn pair(mark: &str) -> ClientPair {
    let [client_id, _] = NAMES;
    ClientPair {
        client_id: Secret::new(format!("{client_id}{mark}")),
        client_secret: Secret::new(format!("{CLIENT_SECRET}{mark}")),
    }
}

fn user(mark: &str) -> ApiUser {
    let [_, user_name] = NAMES;
    ApiUser { user_name: Secret::new(format!("{user_name}{mark}")), password: Secret::new(format!("{PASSWORD}{mark}")) }
}

fn session(mark: u8) -> SavedSession {
    SavedSession {
        token: Secret::new(format!("token-Vb55Rt-{mark}")),
        sek: Secret::new(vec![mark; 32]),
        app_key: Secret::new(vec![mark.wrapping_add(1); 32]),
        expires_at: Timestamp::UNIX_EPOCH,
        // Every other session has one, so that stores keep both kinds.
        provider: (mark % 2 == 1).then(|| {
            ProviderToken::new(Secret::new(format!("account-Jd77Pf-{mark}")), Timestamp::UNIX_EPOCH, &pair(""))
        }),
    }
}

fn needs_writing(store: &dyn CredentialStore) -> Shown {
    if store.capability().writable { Ok(()) } else { Err(NotApplicable::because("the store cannot be written")) }
}

fn assert_missing<T: std::fmt::Debug>(result: Result<T, CredentialError>, wanted: &CredentialScope) {
    match result {
        Err(CredentialError::Missing { scope, store }) => {
            assert_eq!(*scope, *wanted, "the error names another scope");
            assert!(!store.is_empty(), "the error does not say where it looked");
        }
        other => panic!("expected that there is no {wanted}, got {other:?}"),
    }
}

/// Promise: see the name.
pub async fn an_absent_entry_is_an_error_that_names_its_scope(harness: &dyn CredentialHarness) -> Shown {
    let store = harness.open().await;
    let client = pan_client(Environment::Sandbox);
    assert_missing(store.client(&client).await, &CredentialScope::Client(client));
    assert_missing(store.api_user(&plain_user()).await, &CredentialScope::User(plain_user()));
    assert!(need(store.list().await, "list of an empty store").is_empty());
    assert_eq!(need(store.session(&plain_user()).await, "session of nobody"), None);
    Ok(())
}

/// Promise: see the name. What a store cannot hold is said to be missing.
pub async fn what_was_provided_is_found(harness: &dyn CredentialHarness) -> Shown {
    for environment in [Environment::Production, Environment::Sandbox] {
        let client = pan_client(environment);
        let holds_client = harness.holds(&CredentialScope::Client(client.clone()));
        if holds_client {
            harness.provide(CredentialEntry::Client(client.clone(), pair("1"))).await;
        }
        let scope = user_scope(Product::EInvoice, environment, "nic");
        let holds_user = harness.holds(&CredentialScope::User(scope.clone()));
        if holds_user {
            harness.provide(CredentialEntry::User(scope.clone(), user("1"))).await;
        }
        let store = harness.open().await;
        let (found_client, found_user) = (store.client(&client).await, store.api_user(&scope).await);
        if holds_client {
            assert!(need(found_client, "the client pair") == pair("1"), "another client pair");
        } else {
            assert_missing(found_client, &CredentialScope::Client(client));
        }
        if holds_user {
            assert!(need(found_user, "the API user") == user("1"), "another API user");
        } else {
            assert_missing(found_user, &CredentialScope::User(scope));
        }
    }
    Ok(())
}

/// Promise: see the name. A store may refuse it when it is put, or not find it afterwards.
pub async fn an_empty_secret_is_as_good_as_none(harness: &dyn CredentialHarness) -> Shown {
    let empty = ApiUser { user_name: Secret::from("someone"), password: Secret::from("") };
    let entry = CredentialEntry::User(plain_user(), empty);
    let store = harness.open().await;
    if !store.capability().writable {
        harness.provide(entry).await;
    } else if let Err(error) = store.put(entry).await {
        assert!(!error.to_string().is_empty());
    }
    let found = store.api_user(&plain_user()).await;
    assert!(matches!(found, Err(CredentialError::Missing { .. })), "an empty password was handed out");
    Ok(())
}

/// Promise: see the name.
pub async fn nothing_secret_shows_in_debug(harness: &dyn CredentialHarness) -> Shown {
    let client = pan_client(Environment::Sandbox);
    harness.provide(CredentialEntry::Client(client.clone(), pair(""))).await;
    harness.provide(CredentialEntry::User(plain_user(), user(""))).await;
    let store = harness.open().await;
    need(store.save_session(&plain_user(), &session(3)).await, "saving a session");
    let shown = format!(
        "{store:?} {:?} {:?} {:?} {:?} {:?}",
        store.client(&client).await,
        store.api_user(&plain_user()).await,
        store.session(&plain_user()).await,
        store.list().await,
        store.api_user(&user_scope(Product::EWayBill, Environment::Production, "gsp")).await,
    );
    for secret in [CLIENT_SECRET, PASSWORD, "token-Vb55Rt", "account-Jd77Pf", "3, 3, 3"].into_iter().chain(NAMES) {
        assert!(!shown.contains(secret), "{secret} shows in {shown}");
    }
    Ok(())
}

/// Promise: see the name.
pub async fn a_rotated_secret_is_seen_by_a_store_that_is_open(harness: &dyn CredentialHarness) -> Shown {
    harness.provide(CredentialEntry::User(plain_user(), user("-old"))).await;
    let store = harness.open().await;
    assert!(need(store.api_user(&plain_user()).await, "the first secret") == user("-old"));
    let entries = need(store.list().await, "list").len();
    harness.provide(CredentialEntry::User(plain_user(), user("-new"))).await;
    assert!(need(store.api_user(&plain_user()).await, "the second secret") == user("-new"), "the old secret stayed");
    assert_eq!(need(store.list().await, "list").len(), entries, "a rotation made a second entry");
    Ok(())
}

/// Promise: see the name.
pub async fn a_list_holds_no_secret_and_keeps_its_order(harness: &dyn CredentialHarness) -> Shown {
    for route in ["zeta", "alpha", "nic"] {
        let scope = user_scope(Product::EInvoice, Environment::Sandbox, route);
        harness.provide(CredentialEntry::User(scope, user(""))).await;
    }
    harness.provide(CredentialEntry::Client(pan_client(Environment::Sandbox), pair(""))).await;
    let store = harness.open().await;
    let list = need(store.list().await, "list");
    assert_eq!(list.len(), if harness.tells_routes_apart() { 4 } else { 2 }, "{list:?}");
    assert_eq!(list, need(harness.open().await.list().await, "list once more"));
    let mut sorted = list.clone();
    sorted.sort_by(|left, right| left.scope.cmp(&right.scope));
    assert_eq!(list, sorted, "the list is not sorted by scope");
    let shown = need(serde_json::to_string(&list), "the list as JSON");
    for secret in [CLIENT_SECRET, PASSWORD].into_iter().chain(NAMES) {
        assert!(!shown.contains(secret), "{secret} shows in {shown}");
    }
    Ok(())
}

/// Promise: see the name. Environment, product, route, GSTIN and holder each keep entries apart.
pub async fn two_scopes_do_not_mix(harness: &dyn CredentialHarness) -> Shown {
    let (sandbox, production) = (Environment::Sandbox, Environment::Production);
    harness.provide(CredentialEntry::User(plain_user(), user(""))).await;
    harness.provide(CredentialEntry::Client(pan_client(sandbox), pair("-pan"))).await;
    let split = provider_client("acme", Some(Product::EInvoice));
    let holds_split = harness.holds(&CredentialScope::Client(split.clone()));
    if holds_split {
        harness.provide(CredentialEntry::Client(split.clone(), pair("-acme"))).await;
    }
    let store = harness.open().await;
    let mut other_gstin = plain_user();
    other_gstin.gstin = gstin("27", "AAKCS4321Q");
    let mut others = vec![
        user_scope(Product::EWayBill, sandbox, "nic"),
        user_scope(Product::EInvoice, production, "nic"),
        other_gstin,
    ];
    others.extend(harness.tells_routes_apart().then(|| user_scope(Product::EInvoice, sandbox, "gsp")));
    for scope in others {
        assert_missing(store.api_user(&scope).await, &CredentialScope::User(scope));
    }
    let Some(pan) = ours().pan() else { panic!("the invented GSTIN has no PAN") };
    for scope in [
        pan_client(production),
        provider_client("other", Some(Product::EInvoice)),
        provider_client("acme", Some(Product::EWayBill)),
        provider_client(pan.as_str(), None),
    ] {
        assert_missing(store.client(&scope).await, &CredentialScope::Client(scope));
    }
    let found = store.client(&split).await;
    if holds_split {
        assert!(need(found, "the provider's pair") == pair("-acme"));
    } else {
        assert_missing(found, &CredentialScope::Client(split));
    }
    assert!(need(store.client(&pan_client(sandbox)).await, "the PAN's pair") == pair("-pan"));
    Ok(())
}

/// Promise: see the name; by another worker too, where the store keeps sessions.
pub async fn a_saved_session_is_found_again(harness: &dyn CredentialHarness) -> Shown {
    harness.provide(CredentialEntry::User(plain_user(), user(""))).await;
    let store = harness.open().await;
    need(store.save_session(&plain_user(), &session(1)).await, "saving a session");
    assert!(need(store.session(&plain_user()).await, "the session") == Some(session(1)));
    need(store.save_session(&plain_user(), &session(2)).await, "saving a second session");
    assert!(need(store.session(&plain_user()).await, "the session") == Some(session(2)), "the first session stayed");
    if store.capability().keeps_sessions {
        let other = harness.open().await;
        assert!(need(other.session(&plain_user()).await, "the session") == Some(session(2)), "not shared");
    }
    let list = need(store.list().await, "list");
    assert!(list.iter().any(|line| line.session_expires_at == Some(Timestamp::UNIX_EPOCH)), "{list:?}");
    Ok(())
}

/// Promise: see the name.
pub async fn an_expired_session_is_handed_out_for_the_caller_to_judge(harness: &dyn CredentialHarness) -> Shown {
    harness.provide(CredentialEntry::User(plain_user(), user(""))).await;
    let store = harness.open().await;
    let mut expired = session(9);
    expired.expires_at = Timestamp::MIN;
    need(store.save_session(&plain_user(), &expired).await, "saving an expired session");
    assert!(need(store.session(&plain_user()).await, "the expired session") == Some(expired));
    Ok(())
}

/// Promise: see the name.
pub async fn a_session_belongs_to_one_user(harness: &dyn CredentialHarness) -> Shown {
    let gsp = user_scope(Product::EInvoice, Environment::Sandbox, "gsp");
    harness.provide(CredentialEntry::User(plain_user(), user("1"))).await;
    harness.provide(CredentialEntry::User(gsp.clone(), user("2"))).await;
    let store = harness.open().await;
    need(store.save_session(&plain_user(), &session(1)).await, "saving a session");
    assert!(need(store.session(&gsp).await, "the other user's session").is_none(), "the session went to another user");
    Ok(())
}

/// Promise: see the name; there is no entry of such a user.
pub async fn a_session_of_a_user_at_the_provider_is_kept(harness: &dyn CredentialHarness) -> Shown {
    // A store that lives in a file begins with the account's client pair.
    let account = provider_client("acme", None);
    if harness.holds(&CredentialScope::Client(account.clone())) {
        harness.provide(CredentialEntry::Client(account, pair(""))).await;
    }
    let store = harness.open().await;
    need(store.save_session(&plain_user(), &session(1)).await, "saving a session without an entry");
    assert!(need(store.session(&plain_user()).await, "the session") == Some(session(1)));
    assert_missing(store.api_user(&plain_user()).await, &CredentialScope::User(plain_user()));
    if store.capability().keeps_sessions {
        let other = harness.open().await;
        assert!(need(other.session(&plain_user()).await, "the session") == Some(session(1)), "not shared");
        harness.provide(CredentialEntry::User(plain_user(), user(""))).await;
        let found = need(harness.open().await.session(&plain_user()).await, "the session");
        assert!(found.is_none(), "it went to a user who was entered later");
    }
    Ok(())
}

/// Promise: see the name. Only that one's key is still handed out, for the next login to open what the portal wrapped.
pub async fn a_secret_that_is_put_ends_the_session_of_the_old_one(harness: &dyn CredentialHarness) -> Shown {
    let store = harness.open().await;
    needs_writing(store.as_ref())?;
    let put = |password: &str| {
        let user = ApiUser { password: Secret::from(password), ..user("") };
        store.put(CredentialEntry::User(plain_user(), user))
    };
    let mut live = session(1);
    live.expires_at = Timestamp::MAX;
    need(put("old").await, "a user");
    need(store.save_session(&plain_user(), &live).await, "saving a session");
    need(put("old").await, "the same user once more");
    assert!(need(store.session(&plain_user()).await, "the session") == Some(live.clone()), "it was nothing new");
    need(put("typed anew").await, "another password");
    let found = need(store.session(&plain_user()).await, "the session");
    let is_over = found.as_ref().is_none_or(|found| found.expires_at < live.expires_at && found.provider.is_none());
    assert!(is_over, "the old session passes for one of the new password");
    Ok(())
}

/// Promise: see the name.
pub async fn removing_a_user_removes_its_session(harness: &dyn CredentialHarness) -> Shown {
    let store = harness.open().await;
    needs_writing(store.as_ref())?;
    harness.provide(CredentialEntry::User(plain_user(), user(""))).await;
    need(store.save_session(&plain_user(), &session(1)).await, "saving a session");
    need(store.remove(&CredentialScope::User(plain_user())).await, "removing the user");
    assert_missing(store.api_user(&plain_user()).await, &CredentialScope::User(plain_user()));
    harness.provide(CredentialEntry::User(plain_user(), user("-again"))).await;
    assert!(need(store.session(&plain_user()).await, "the session").is_none(), "the old user's session is back");
    Ok(())
}

/// Promise: see the name.
pub async fn removing_what_is_absent_is_an_error(harness: &dyn CredentialHarness) -> Shown {
    let store = harness.open().await;
    needs_writing(store.as_ref())?;
    let scope = CredentialScope::Client(pan_client(Environment::Sandbox));
    assert_missing(store.remove(&scope).await, &scope);
    Ok(())
}

/// Promise: see the name.
pub async fn a_read_only_store_says_so(harness: &dyn CredentialHarness) -> Shown {
    let store = harness.open().await;
    let put = store.put(CredentialEntry::User(plain_user(), user(""))).await;
    if store.capability().writable {
        need(put, "a writable store takes an entry");
        return Ok(());
    }
    for result in [put, store.remove(&CredentialScope::User(plain_user())).await] {
        match result {
            Err(CredentialError::ReadOnly { hint, .. }) => assert!(!hint.is_empty(), "no hint what to do instead"),
            other => panic!("expected that the store is read-only, got {other:?}"),
        }
    }
    Ok(())
}

/// Promise: see the name.
pub async fn writers_at_the_same_time_lose_nothing(harness: &dyn CredentialHarness) -> Shown {
    needs_writing(harness.open().await.as_ref())?;
    let mut writers = Vec::new();
    for number in 0..8 {
        let store = harness.open().await;
        let scope = user_scope(Product::EInvoice, Environment::Sandbox, &format!("route-{number}"));
        writers.push(tokio::spawn(async move { store.put(CredentialEntry::User(scope, user(""))).await }));
    }
    for writer in writers {
        need(need(writer.await, "a writer"), "one of several writers");
    }
    assert_eq!(need(harness.open().await.list().await, "list").len(), 8);
    Ok(())
}
