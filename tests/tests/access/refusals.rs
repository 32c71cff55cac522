//! What was refused is not sent again by itself, whichever process comes: the store, or the book, tells them all.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use einvoice_core::clock::Clock;
use einvoice_core::credential::{
    ClientHolder, ClientScope, CredentialError, CredentialScope, CredentialStore, LoginNote, UserScope,
};
use einvoice_core::environment::{Environment, RouteName};
use einvoice_core::transport::{Transport, TransportError};
use einvoice_core::usage::{Metered, RefusalsOfBook, Spent, UsageBook, UsageEntry, UsageError, logins_that_count};
use einvoice_sandbox::PortalOperation;

use super::store::Store;
use super::support::entropy;
use super::{EINVOICE, Portal, ask, gateway, refusal, taxpayer};

fn user() -> CredentialScope {
    CredentialScope::User(UserScope {
        gstin: taxpayer(),
        product: EINVOICE,
        environment: Environment::Sandbox,
        route: RouteName::new("emulator"),
    })
}

fn client() -> CredentialScope {
    let holder = ClientHolder::Pan(taxpayer().pan().unwrap());
    CredentialScope::Client(ClientScope { environment: Environment::Sandbox, holder })
}

/// A portal whose store keeps facts and holds these.
fn portal(password: Option<&'static str>, client_secret: Option<&'static str>) -> Portal {
    let mut portal = Portal::new();
    let facts = Some(Mutex::new(HashMap::new()));
    portal.store = Arc::new(Store { password, client_secret, facts, ..Store::of(&portal.sandbox) });
    portal
}

/// The same facts with a store whose secrets are right.
fn put_right(portal: &mut Portal) {
    let facts = portal.store.facts.as_ref().map(|facts| Mutex::new(facts.lock().unwrap().clone()));
    portal.store = Arc::new(Store { facts, ..Store::of(&portal.sandbox) });
}

/// A run every twenty minutes, each in a process of its own.
async fn runs(portal: &Portal, times: u32) {
    for _ in 0..times {
        let error = ask(&portal.gateway()).await.unwrap_err();
        portal.advance_minutes(20);
        assert!(!error.is_unreachable(), "{error}");
    }
}

fn still_refused(error: TransportError) -> CredentialScope {
    let told = error.to_string();
    let TransportError::Credential(CredentialError::StillRefused { scope, .. }) = error else { panic!("{told}") };
    assert!(told.contains("einvoice credentials test") && told.contains(" IST"), "{told}");
    *scope
}

#[tokio::test]
async fn a_refused_password_is_sent_once_by_all_processes_until_it_is_proven() {
    let mut portal = portal(Some("wrong"), None);
    runs(&portal, 10).await;
    assert_eq!(portal.logins(), 1);
    // A process that goes on for long asks no more often.
    let long = portal.gateway();
    for _ in 0..4 {
        assert_eq!(still_refused(ask(&long).await.unwrap_err()), user());
        portal.advance_minutes(20);
    }
    assert_eq!(portal.logins(), 1);
    // Right by now, and nobody can know that here.
    put_right(&mut portal);
    runs(&portal, 2).await;
    assert_eq!(portal.logins(), 1);
    portal.store.note(&user(), &LoginNote::Accepted(portal.clock.now())).await.unwrap();
    ask(&portal.gateway()).await.unwrap();
    assert_eq!(portal.logins(), 2);
}

#[tokio::test]
async fn a_person_who_says_so_sends_it_once_more() {
    let mut portal = portal(Some("wrong"), None);
    runs(&portal, 2).await;
    put_right(&mut portal);
    ask(&portal.gateway().for_a_person()).await.unwrap();
    ask(&portal.gateway()).await.unwrap();
    assert_eq!(portal.logins(), 2, "its login proves the entry, and its session serves the others");
}

#[tokio::test]
async fn a_refused_client_pair_is_sent_once_by_all_processes_for_all_its_taxpayers() {
    let portal = portal(None, Some("wrong"));
    runs(&portal, 10).await;
    assert_eq!(portal.logins(), 1);
    assert_eq!(still_refused(ask(&portal.gateway()).await.unwrap_err()), client());
}

#[tokio::test]
async fn what_says_nothing_of_the_entry_is_not_remembered() {
    let portal = portal(None, None);
    portal.fault(PortalOperation::Auth, refusal("1005"), 1);
    ask(&portal.gateway()).await.unwrap_err();
    ask(&portal.gateway()).await.unwrap();
    assert_eq!(portal.logins(), 2);
}

/// A book that outlives its processes.
#[derive(Debug, Default)]
struct Book(Mutex<Vec<UsageEntry>>);

#[async_trait]
impl UsageBook for Book {
    async fn spend_login(
        &self,
        login: &UsageEntry,
        window: Duration,
        most: Option<usize>,
    ) -> Result<Spent, UsageError> {
        let mut entries = self.0.lock().unwrap();
        let counted = logins_that_count(&entries, login, window);
        if let Some(first) = counted.first().filter(|_| most.is_some_and(|most| counted.len() >= most)) {
            return Ok(Spent::UsedUp { until: first.checked_add(window).unwrap() });
        }
        entries.push(login.clone());
        Ok(Spent::Counted)
    }

    async fn note(&self, entry: UsageEntry) -> Result<(), UsageError> {
        self.0.lock().unwrap().push(entry);
        Ok(())
    }

    async fn since(&self, moment: jiff::Timestamp) -> Result<Vec<UsageEntry>, UsageError> {
        Ok(self.0.lock().unwrap().iter().filter(|entry| entry.at >= moment).cloned().collect())
    }
}

/// A process with a book, and a store that keeps no facts.
fn process(portal: &Portal, book: &Arc<Book>) -> einvoice_core::access::Gateway {
    let clock = Arc::new(portal.clock.clone());
    let route = RouteName::new("emulator");
    let inner: Arc<dyn Transport> = Arc::new(portal.sandbox.transport(entropy()).unwrap());
    let book: Arc<dyn UsageBook> = book.clone();
    let metered = Metered::new(inner, Arc::clone(&book), clock.clone(), route.clone(), Environment::Sandbox, true);
    let accounts = BTreeMap::from([(route, None)]);
    let store = Arc::new(RefusalsOfBook::new(portal.store.clone(), book, clock, accounts));
    gateway(Arc::new(metered), store, &portal.clock)
}

#[tokio::test]
async fn where_a_store_keeps_no_facts_the_book_remembers_for_a_day() {
    for (password, secret, scope) in [(Some("wrong"), None, user()), (None, Some("wrong"), client())] {
        let mut portal = Portal::new();
        portal.store = Arc::new(Store { password, client_secret: secret, ..Store::of(&portal.sandbox) });
        let book = Arc::new(Book::default());
        for _ in 0..5 {
            ask(&process(&portal, &book)).await.unwrap_err();
            portal.advance_minutes(20);
        }
        assert_eq!(portal.logins(), 1, "{scope}");
        assert_eq!(still_refused(ask(&process(&portal, &book)).await.unwrap_err()), scope);
        portal.store = Arc::new(Store::of(&portal.sandbox));
        portal.advance_minutes(24 * 60);
        ask(&process(&portal, &book)).await.unwrap();
    }
    // A person's login that was accepted is written down for the others.
    let mut portal = Portal::new();
    portal.store = Arc::new(Store { password: Some("wrong"), ..Store::of(&portal.sandbox) });
    let book = Arc::new(Book::default());
    ask(&process(&portal, &book)).await.unwrap_err();
    portal.store = Arc::new(Store::of(&portal.sandbox));
    portal.advance_minutes(1);
    ask(&process(&portal, &book).for_a_person()).await.unwrap();
    portal.advance_minutes(1);
    ask(&process(&portal, &book)).await.unwrap();
}

#[tokio::test]
async fn two_systems_that_end_each_others_tokens_are_named_over_processes_too() {
    let portal = Portal::new();
    let book = Arc::new(Book::default());
    let mut told = String::new();
    for _ in 0..6 {
        // Another system has logged in since: the token of the run before is refused.
        portal.fault(PortalOperation::GstinDetails, refusal("1005"), 1);
        if let Err(error) = ask(&process(&portal, &book)).await {
            told = error.to_string();
        }
        portal.advance_minutes(5);
        portal.sandbox.clear_faults();
    }
    assert!(told.contains("another system logs in with the same API user"), "{told}");
    assert!(portal.logins() <= 3, "{} logins", portal.logins());
}
