//! One API user for both government systems, where the portals allow it.
//!
//! The two systems have API users of their own. A note of NIC (18 July 2024) says that a token of one is good at all
//! four sites; other sources say that even the users are separate. Nobody we know has tried it, so each route says what
//! is the case for it, and nothing is shared unless it does.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    ApiUser, ClientPair, ClientScope, CredentialCapability, CredentialEntry, CredentialError, CredentialScope,
    CredentialStore, CredentialSummary, EntryFacts, ListedAddresses, LoginNote, UserScope,
};
use crate::environment::{Product, RouteName};
use crate::session::SavedSession;

/// `[[route]] e_way_bill_login`: with whose credentials the e-way bill system is logged in to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum EWayBillLogin {
    /// With an API user of its own. The default.
    #[default]
    Own,
    /// With the API user of the e-invoice system, where it has none of its own; the two still log in each for itself.
    /// The session of such a login lives as long as the process.
    SameUser,
    /// With the API user and the token of the e-invoice system: one login serves both.
    SameToken,
}

/// A store that answers for the e-way bill system with what it holds for the e-invoice system, on the routes that say
/// so. An API user of its own always comes first.
#[derive(Debug)]
pub struct SharedUsers {
    inner: Arc<dyn CredentialStore>,
    routes: BTreeMap<RouteName, EWayBillLogin>,
    /// Sessions of the e-way bill system by a user that the store does not know there.
    borrowed: Mutex<BTreeMap<UserScope, SavedSession>>,
}

impl SharedUsers {
    /// Wraps a store; routes that are not named keep [`EWayBillLogin::Own`].
    #[must_use]
    pub fn new(inner: Arc<dyn CredentialStore>, routes: BTreeMap<RouteName, EWayBillLogin>) -> Self {
        Self { inner, routes, borrowed: Mutex::default() }
    }

    fn mode(&self, scope: &UserScope) -> EWayBillLogin {
        let is_bill = scope.product == Product::EWayBill;
        self.routes.get(&scope.route).copied().filter(|_| is_bill).unwrap_or_default()
    }

    fn borrowed<R>(&self, with: impl FnOnce(&mut BTreeMap<UserScope, SavedSession>) -> R) -> R {
        // Nothing between lock and unlock can leave the map half changed.
        with(&mut self.borrowed.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whose session it is: the e-invoice system's where the token is shared and there is no user of its own.
    async fn session_scope(&self, scope: &UserScope) -> Result<UserScope, CredentialError> {
        if self.mode(scope) != EWayBillLogin::SameToken {
            return Ok(scope.clone());
        }
        match self.inner.api_user(scope).await {
            Ok(_) => Ok(scope.clone()),
            Err(CredentialError::Missing { .. }) => Ok(e_invoice(scope)),
            Err(error) => Err(error),
        }
    }
}

fn e_invoice(scope: &UserScope) -> UserScope {
    UserScope { product: Product::EInvoice, ..scope.clone() }
}

#[async_trait]
impl CredentialStore for SharedUsers {
    fn capability(&self) -> CredentialCapability {
        self.inner.capability()
    }

    async fn client(&self, scope: &ClientScope) -> Result<ClientPair, CredentialError> {
        self.inner.client(scope).await
    }

    async fn api_user(&self, scope: &UserScope) -> Result<ApiUser, CredentialError> {
        match self.inner.api_user(scope).await {
            Err(CredentialError::Missing { .. }) if self.mode(scope) != EWayBillLogin::Own => {
                self.inner.api_user(&e_invoice(scope)).await
            }
            found => found,
        }
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
        let found = self.inner.session(&self.session_scope(scope).await?).await?;
        Ok(found.or_else(|| self.borrowed(|sessions| sessions.get(scope).cloned())))
    }

    async fn save_session(&self, scope: &UserScope, session: &SavedSession) -> Result<(), CredentialError> {
        match self.inner.save_session(&self.session_scope(scope).await?, session).await {
            Err(CredentialError::Missing { .. }) if self.mode(scope) == EWayBillLogin::SameUser => {
                self.borrowed(|sessions| sessions.insert(scope.clone(), session.clone()));
                Ok(())
            }
            saved => saved,
        }
    }

    async fn login_product(&self, scope: &UserScope) -> Result<Product, CredentialError> {
        // Where users are separate, a user logs in to its own system alone.
        Ok(self.session_scope(scope).await?.product)
    }

    async fn facts(&self, scope: &CredentialScope) -> Result<EntryFacts, CredentialError> {
        match (self.inner.facts(scope).await, scope) {
            (Err(CredentialError::Missing { .. }), CredentialScope::User(user))
                if self.mode(user) != EWayBillLogin::Own =>
            {
                self.inner.facts(&CredentialScope::User(e_invoice(user))).await
            }
            (found, _) => found,
        }
    }

    async fn note(&self, scope: &CredentialScope, note: &LoginNote) -> Result<(), CredentialError> {
        match (self.inner.note(scope, note).await, scope) {
            (Err(CredentialError::Missing { .. }), CredentialScope::User(user))
                if self.mode(user) != EWayBillLogin::Own =>
            {
                self.inner.note(&CredentialScope::User(e_invoice(user)), note).await
            }
            (noted, _) => noted,
        }
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
