//! A credential store whose secrets a test can spoil.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use einvoice_core::credential::{
    ApiUser, ClientHolder, ClientPair, ClientScope, CredentialCapability, CredentialEntry, CredentialError,
    CredentialScope, CredentialStore, CredentialSummary, EntryFacts, LoginNote, UserScope,
};
use einvoice_core::environment::Product;
use einvoice_core::identifier::Pan;
use einvoice_core::secret::Secret;
use einvoice_core::session::SavedSession;
use einvoice_sandbox::{Sandbox, SandboxCredentials};

/// A store whose secrets a test can spoil. Everything else is the emulator's own.
#[derive(Debug)]
pub(crate) struct Store {
    pub(crate) inner: SandboxCredentials,
    pub(crate) password: Option<&'static str>,
    pub(crate) client_secret: Option<&'static str>,
    /// Whose client secret is spoilt; everybody's when absent.
    pub(crate) only_pan: Option<Pan>,
    pub(crate) sessions_fail: AtomicBool,
    /// What is known beside the entries; nothing is kept when absent.
    pub(crate) facts: Option<Mutex<HashMap<CredentialScope, EntryFacts>>>,
}

impl Store {
    pub(crate) fn of(sandbox: &Sandbox) -> Self {
        Self {
            inner: SandboxCredentials::new(sandbox.clone(), Vec::new()),
            password: None,
            client_secret: None,
            only_pan: None,
            sessions_fail: AtomicBool::new(false),
            facts: None,
        }
    }

    /// Saved sessions cannot be read for a while.
    pub(crate) fn fail_sessions(&self, failing: bool) {
        self.sessions_fail.store(failing, Ordering::SeqCst);
    }
}

#[async_trait]
impl CredentialStore for Store {
    fn capability(&self) -> CredentialCapability {
        self.inner.capability()
    }

    async fn client(&self, scope: &ClientScope) -> Result<ClientPair, CredentialError> {
        let mut pair = self.inner.client(scope).await?;
        let is_meant = self.only_pan.is_none_or(|pan| scope.holder == ClientHolder::Pan(pan));
        if let Some(secret) = self.client_secret.filter(|_| is_meant) {
            pair.client_secret = Secret::from(secret);
        }
        Ok(pair)
    }

    async fn api_user(&self, scope: &UserScope) -> Result<ApiUser, CredentialError> {
        let e_invoice = UserScope { product: Product::EInvoice, ..scope.clone() };
        let mut user = self.inner.api_user(&e_invoice).await?;
        if let Some(password) = self.password {
            user.password = Secret::from(password);
        }
        Ok(user)
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
        if self.sessions_fail.load(Ordering::SeqCst) {
            let (store, reason) = ("spoilt store".to_owned(), "it cannot be read".to_owned());
            return Err(CredentialError::Io { store, reason, source: None });
        }
        self.inner.session(scope).await
    }

    async fn save_session(&self, scope: &UserScope, session: &SavedSession) -> Result<(), CredentialError> {
        self.inner.save_session(scope, session).await
    }

    async fn facts(&self, scope: &CredentialScope) -> Result<EntryFacts, CredentialError> {
        let kept = self.facts.as_ref().and_then(|facts| facts.lock().unwrap().get(scope).cloned());
        Ok(kept.unwrap_or_default())
    }

    async fn note(&self, scope: &CredentialScope, note: &LoginNote) -> Result<(), CredentialError> {
        if let Some(facts) = &self.facts {
            let mut facts = facts.lock().unwrap();
            let known = facts.entry(scope.clone()).or_default();
            match note {
                LoginNote::Accepted(at) => known.last_success = Some(*at),
                LoginNote::Refused(failure) => known.last_failure = Some(failure.clone()),
            }
        }
        Ok(())
    }
}
