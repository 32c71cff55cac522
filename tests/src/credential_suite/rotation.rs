//! What a store promises of rotations, and of what it keeps beside an entry.

use einvoice_core::credential::{
    ApiUser, CredentialEntry, CredentialError, CredentialScope, CredentialStore, EntryFacts, ListedAddresses,
    LoginFailure, LoginNote,
};
use einvoice_core::environment::Environment;
use jiff::Timestamp;

use super::{
    CLIENT_SECRET, CredentialHarness, NAMES, PASSWORD, assert_missing, need, pair, pan_client, plain_user, session,
    user,
};
use crate::promise::{NotApplicable, Shown};

/// The same user with a mark in the name and another in the password.
fn user_named(name: &str, password: &str) -> ApiUser {
    ApiUser { user_name: user(name).user_name, password: user(password).password }
}

fn is_same(found: Option<&CredentialEntry>, wanted: &CredentialEntry) -> bool {
    match (found, wanted) {
        (Some(CredentialEntry::Client(a, left)), CredentialEntry::Client(b, right)) => a == b && left == right,
        (Some(CredentialEntry::User(a, left)), CredentialEntry::User(b, right)) => a == b && left == right,
        _ => false,
    }
}

fn needs_facts(store: &dyn CredentialStore) -> Shown {
    if store.capability().keeps_facts {
        Ok(())
    } else {
        Err(NotApplicable::because("the store keeps nothing beside an entry, so it cannot rotate one"))
    }
}

/// Promise: see the name; for both kinds of entry, and for every store that is open.
pub async fn a_new_secret_waits_beside_the_old_until_it_is_promoted(harness: &dyn CredentialHarness) -> Shown {
    let store = harness.open().await;
    needs_facts(store.as_ref())?;
    let client = pan_client(Environment::Sandbox);
    harness.provide(CredentialEntry::Client(client.clone(), pair("-old"))).await;
    let new_pair = CredentialEntry::Client(client.clone(), pair("-new"));
    let new_user = CredentialEntry::User(plain_user(), user_named("", "-new"));
    let old_user = user_named("", "-old");
    harness.provide(CredentialEntry::User(plain_user(), old_user.clone())).await;
    need(store.save_session(&plain_user(), &session(1)).await, "saving a session");
    for entry in [&new_pair, &new_user] {
        need(store.put_pending(entry.clone()).await, "a secret that waits");
    }
    let other = harness.open().await;
    assert!(need(other.client(&client).await, "the pair") == pair("-old"), "a secret that waits was handed out");
    assert!(need(other.api_user(&plain_user()).await, "the user") == old_user, "a secret that waits was handed out");
    for entry in [&new_pair, &new_user] {
        let facts = need(other.facts(&entry.scope()).await, "facts");
        assert!(facts.pending_since.is_some(), "nobody sees that something waits: {facts:?}");
        assert!(
            is_same(need(other.pending(&entry.scope()).await, "what waits").as_ref(), entry),
            "something else waits"
        );
        need(other.promote(entry).await, "promotion");
        need(other.promote(entry).await, "the same promotion once more");
        assert!(need(store.pending(&entry.scope()).await, "what waits").is_none(), "it still waits");
        let facts = need(store.facts(&entry.scope()).await, "facts");
        assert!(facts.pending_since.is_none() && facts.rotated_at.is_some(), "{facts:?}");
    }
    assert!(need(store.client(&client).await, "the pair") == pair("-new"), "the old secret is still in use");
    assert!(need(store.api_user(&plain_user()).await, "the user") == user_named("", "-new"), "the old is still in use");
    let kept = need(store.session(&plain_user()).await, "the session");
    assert!(kept == Some(session(1)), "a token lives on with a new password");
    Ok(())
}

/// Promise: see the name. Two people may rotate one entry at the same time.
pub async fn only_what_was_tested_is_promoted(harness: &dyn CredentialHarness) -> Shown {
    let store = harness.open().await;
    needs_facts(store.as_ref())?;
    harness.provide(CredentialEntry::User(plain_user(), user("-old"))).await;
    let [first, second] = ["-first", "-second"].map(|mark| CredentialEntry::User(plain_user(), user(mark)));
    need(store.put_pending(first.clone()).await, "the first");
    need(store.put_pending(second.clone()).await, "the second");
    assert!(store.promote(&first).await.is_err(), "a secret that waits no longer was promoted");
    assert!(need(store.api_user(&plain_user()).await, "the user") == user("-old"), "the old one was replaced");
    assert!(is_same(need(store.pending(&second.scope()).await, "what waits").as_ref(), &second), "the second is lost");
    need(store.promote(&second).await, "the second");
    Ok(())
}

/// Promise: see the name.
pub async fn a_rotation_given_up_leaves_the_old_in_use(harness: &dyn CredentialHarness) -> Shown {
    let store = harness.open().await;
    needs_facts(store.as_ref())?;
    harness.provide(CredentialEntry::User(plain_user(), user("-old"))).await;
    let entry = CredentialEntry::User(plain_user(), user("-new"));
    need(store.put_pending(entry.clone()).await, "a secret that waits");
    need(store.drop_pending(&entry.scope()).await, "giving up");
    need(store.drop_pending(&entry.scope()).await, "giving up once more");
    assert!(need(store.pending(&entry.scope()).await, "what waits").is_none());
    assert!(store.promote(&entry).await.is_err(), "what was given up was promoted");
    assert!(need(store.api_user(&plain_user()).await, "the user") == user("-old"));
    Ok(())
}

/// Promise: see the name.
pub async fn a_rotation_needs_something_to_rotate(harness: &dyn CredentialHarness) -> Shown {
    let store = harness.open().await;
    needs_facts(store.as_ref())?;
    let entry = CredentialEntry::User(plain_user(), user(""));
    assert_missing(store.put_pending(entry.clone()).await, &entry.scope());
    assert_missing(store.promote(&entry).await, &entry.scope());
    assert_missing(store.pending(&entry.scope()).await.map(|_| ()), &entry.scope());
    assert_missing(store.facts(&entry.scope()).await, &entry.scope());
    Ok(())
}

/// Promise: see the name.
pub async fn age_and_use_are_kept_and_hold_no_secret(harness: &dyn CredentialHarness) -> Shown {
    let store = harness.open().await;
    let scope = CredentialScope::User(plain_user());
    harness.provide(CredentialEntry::User(plain_user(), user("-old"))).await;
    let failed = LoginFailure::new(Timestamp::UNIX_EPOCH, Some("1019"));
    let notes = [LoginNote::Accepted(Timestamp::UNIX_EPOCH), LoginNote::Refused(failed.clone())];
    for note in &notes {
        need(store.note(&scope, note).await, "a note");
    }
    let facts = need(harness.open().await.facts(&scope).await, "facts");
    if !store.capability().keeps_facts {
        assert_eq!(facts, EntryFacts::default(), "facts of a store that keeps none");
        return Ok(());
    }
    assert!(facts.created_at.is_some() && facts.rotated_at.is_none(), "{facts:?}");
    assert_eq!((facts.last_success, &facts.last_failure), (Some(Timestamp::UNIX_EPOCH), &Some(failed)));
    harness.provide(CredentialEntry::User(plain_user(), user("-new"))).await;
    let again = need(store.facts(&scope).await, "facts");
    assert!(again.rotated_at.is_some() && again.created_at == facts.created_at, "{again:?}");
    let shown = format!("{again:?}{}", need(serde_json::to_string(&again), "the facts as JSON"));
    for secret in [CLIENT_SECRET, PASSWORD].into_iter().chain(NAMES) {
        assert!(!shown.contains(secret), "{secret} shows in {shown}");
    }
    Ok(())
}

/// Promise: see the name; they outlive a rotation.
pub async fn listed_addresses_are_kept_with_the_client_pair(harness: &dyn CredentialHarness) -> Shown {
    let store = harness.open().await;
    let scope = pan_client(Environment::Production);
    let addresses = ListedAddresses::parse(["8.8.8.8", "8.8.4.4"]);
    let addresses = addresses.unwrap_or_else(|errors| panic!("two public addresses: {errors:?}"));
    if !store.capability().keeps_facts {
        let refused = store.set_addresses(&scope, &addresses).await;
        assert!(matches!(refused, Err(CredentialError::ReadOnly { .. })), "dropped without a word: {refused:?}");
        return Ok(());
    }
    let of = CredentialScope::Client(scope.clone());
    assert_missing(store.set_addresses(&scope, &addresses).await, &of);
    harness.provide(CredentialEntry::Client(scope.clone(), pair("-old"))).await;
    need(store.set_addresses(&scope, &addresses).await, "listing addresses");
    harness.provide(CredentialEntry::Client(scope, pair("-new"))).await;
    assert_eq!(need(harness.open().await.facts(&of).await, "facts").listed_addresses, addresses);
    Ok(())
}

/// Promise: see the name.
pub async fn workers_that_log_in_at_the_same_time_leave_one_whole_session(harness: &dyn CredentialHarness) -> Shown {
    harness.provide(CredentialEntry::User(plain_user(), user(""))).await;
    let mut workers = Vec::new();
    for mark in 1..=4 {
        let store = harness.open().await;
        workers.push(tokio::spawn(async move { store.save_session(&plain_user(), &session(mark)).await }));
    }
    for worker in workers {
        need(need(worker.await, "a worker"), "one of several workers");
    }
    let store = harness.open().await;
    if !store.capability().keeps_sessions {
        return Err(NotApplicable::because("sessions live in one process"));
    }
    let found = need(store.session(&plain_user()).await, "the session");
    assert!((1..=4).any(|mark| found == Some(session(mark))), "a mixture of sessions, or none");
    Ok(())
}
