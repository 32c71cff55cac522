//! Refused logins for a store that keeps no facts: the book of usage tells them, for a day.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};

use super::{Usage, UsageBook, UsageEntry};
use crate::clock::SharedClock;
use crate::credential::{
    ApiUser, ClientHolder, ClientPair, ClientScope, CredentialCapability, CredentialEntry, CredentialError,
    CredentialScope, CredentialStore, CredentialSummary, EntryFacts, ListedAddresses, LoginFailure, LoginNote,
    PAIR_IS_WRONG, UserScope,
};
use crate::environment::{Product, RouteName};
use crate::events;
use crate::portal_code::{BY_STATUS, ErrorClass};
use crate::session::SavedSession;

/// How long the book remembers a refusal. When a secret was replaced in such a store nobody can tell.
const REMEMBERED: SignedDuration = SignedDuration::from_hours(24);

/// A store with the refusals of a book beside its entries, where it keeps none itself.
#[derive(Debug)]
pub struct RefusalsOfBook {
    inner: Arc<dyn CredentialStore>,
    book: Arc<dyn UsageBook>,
    clock: SharedClock,
    /// The account at a provider by whose client pair each route goes; none where it is the taxpayer's own.
    accounts: BTreeMap<RouteName, Option<String>>,
}

impl RefusalsOfBook {
    /// Wraps a store.
    #[must_use]
    pub fn new(
        inner: Arc<dyn CredentialStore>,
        book: Arc<dyn UsageBook>,
        clock: SharedClock,
        accounts: BTreeMap<RouteName, Option<String>>,
    ) -> Self {
        Self { inner, book, clock, accounts }
    }

    /// What the book holds of the logins with an entry: the last refusal because of it with the user who was to be logged in,
    /// and the last one accepted after one.
    async fn logins(&self, scope: &CredentialScope) -> (Option<(LoginFailure, UserScope)>, Option<Timestamp>) {
        let from = self.clock.now().checked_sub(REMEMBERED).unwrap_or(Timestamp::MIN);
        let entries = match self.book.since(from).await {
            Ok(entries) => entries,
            Err(error) => {
                events::usage_not_kept(&error.to_string());
                return (None, None);
            }
        };
        let is_of = |user: &UserScope| match scope {
            CredentialScope::User(scope) => user == scope,
            CredentialScope::Client(scope) => scope.environment == user.environment && self.is_of(&scope.holder, user),
        };
        let is_client = matches!(scope, CredentialScope::Client(_));
        let (mut failure, mut accepted) = (None, None);
        for UsageEntry { at, what, user, .. } in entries.iter().filter(|entry| is_of(&entry.user)) {
            match what {
                Usage::Refused { operation: None, codes, class } if refused_pair(codes, *class) == Some(is_client) => {
                    failure = Some((LoginFailure::new(*at, codes.first().map(String::as_str)), user.clone()));
                }
                Usage::Accepted => accepted = Some(*at),
                _ => {}
            }
        }
        (failure, accepted)
    }

    fn is_of(&self, holder: &ClientHolder, user: &UserScope) -> bool {
        match (holder, self.accounts.get(&user.route)) {
            (ClientHolder::Pan(pan), Some(None)) => user.gstin.pan() == Some(*pan),
            (ClientHolder::Provider { account, product }, Some(Some(own))) => {
                account == own && product.is_none_or(|product| product == user.product)
            }
            _ => false,
        }
    }
}

/// Whether a refused login was refused because of the client pair (`true`) or of the API user; nothing for any other reason.
fn refused_pair(codes: &[String], class: ErrorClass) -> Option<bool> {
    let names = |known: &[&str]| codes.iter().any(|code| known.contains(&code.as_str()));
    // An HTTP status alone says nothing for certain.
    if codes.iter().any(|code| code.starts_with(BY_STATUS)) {
        return None;
    }
    match class {
        // What was sealed could not be opened: that is the route's.
        ErrorClass::Auth if names(&["1013", "1016", "1020"]) => None,
        ErrorClass::Auth => Some(names(&PAIR_IS_WRONG)),
        ErrorClass::ClientConfig => Some(!names(&["111"])),
        _ => None,
    }
}

#[async_trait]
impl CredentialStore for RefusalsOfBook {
    fn capability(&self) -> CredentialCapability {
        self.inner.capability()
    }

    async fn client(&self, scope: &ClientScope) -> Result<ClientPair, CredentialError> {
        self.inner.client(scope).await
    }

    async fn api_user(&self, scope: &UserScope) -> Result<ApiUser, CredentialError> {
        self.inner.api_user(scope).await
    }

    async fn put(&self, entry: CredentialEntry) -> Result<(), CredentialError> {
        self.inner.put(entry).await
    }

    async fn list(&self) -> Result<Vec<CredentialSummary>, CredentialError> {
        self.inner.list().await
    }

    async fn remove(&self, scope: &CredentialScope) -> Result<(), CredentialError> {
        self.inner.remove(scope).await
    }

    async fn session(&self, scope: &UserScope) -> Result<Option<SavedSession>, CredentialError> {
        self.inner.session(scope).await
    }

    async fn save_session(&self, scope: &UserScope, session: &SavedSession) -> Result<(), CredentialError> {
        self.inner.save_session(scope, session).await
    }

    async fn login_product(&self, scope: &UserScope) -> Result<Product, CredentialError> {
        self.inner.login_product(scope).await
    }

    async fn facts(&self, scope: &CredentialScope) -> Result<EntryFacts, CredentialError> {
        let facts = self.inner.facts(scope).await?;
        if self.inner.capability().keeps_facts {
            return Ok(facts);
        }
        let (failure, last_success) = self.logins(scope).await;
        Ok(EntryFacts { last_success, last_failure: failure.map(|(failure, _)| failure), ..facts })
    }

    async fn note(&self, scope: &CredentialScope, note: &LoginNote) -> Result<(), CredentialError> {
        // A refusal stands in the book already, as whoever counts the logins has written it down.
        // Of a client pair it is written down with the user at whose login the pair was refused.
        if let (LoginNote::Accepted(at), false) = (note, self.inner.capability().keeps_facts)
            && let (Some((refused, user)), accepted) = self.logins(scope).await
            && accepted.is_none_or(|accepted| accepted <= refused.at)
            && let Err(error) = self.book.note(UsageEntry::new(*at, user, Usage::Accepted)).await
        {
            events::usage_not_kept(&error.to_string());
        }
        self.inner.note(scope, note).await
    }

    async fn set_addresses(&self, scope: &ClientScope, addresses: &ListedAddresses) -> Result<(), CredentialError> {
        self.inner.set_addresses(scope, addresses).await
    }

    async fn put_pending(&self, entry: CredentialEntry) -> Result<(), CredentialError> {
        self.inner.put_pending(entry).await
    }

    async fn pending(&self, scope: &CredentialScope) -> Result<Option<CredentialEntry>, CredentialError> {
        self.inner.pending(scope).await
    }

    async fn promote(&self, tested: &CredentialEntry) -> Result<(), CredentialError> {
        self.inner.promote(tested).await
    }

    async fn drop_pending(&self, scope: &CredentialScope) -> Result<(), CredentialError> {
        self.inner.drop_pending(scope).await
    }
}
