//! A credential store whose secrets a test can spoil.

use async_trait::async_trait;
use einvoice_core::credential::{
    ApiUser, ClientPair, ClientScope, CredentialCapability, CredentialEntry, CredentialError, CredentialScope,
    CredentialStore, CredentialSummary, UserScope,
};
use einvoice_core::environment::Product;
use einvoice_core::secret::Secret;
use einvoice_core::session::SavedSession;
use einvoice_sandbox::{Sandbox, SandboxCredentials};

/// A store whose secrets a test can spoil. Everything else is the emulator's own.
#[derive(Debug)]
pub(crate) struct Store {
    pub(crate) inner: SandboxCredentials,
    pub(crate) password: Option<&'static str>,
    pub(crate) client_secret: Option<&'static str>,
}

impl Store {
    pub(crate) fn of(sandbox: &Sandbox) -> Self {
        Self { inner: SandboxCredentials::new(sandbox.clone(), Vec::new()), password: None, client_secret: None }
    }
}

#[async_trait]
impl CredentialStore for Store {
    fn capability(&self) -> CredentialCapability {
        self.inner.capability()
    }

    async fn client(&self, scope: &ClientScope) -> Result<ClientPair, CredentialError> {
        let mut pair = self.inner.client(scope).await?;
        if let Some(secret) = self.client_secret {
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
        self.inner.session(scope).await
    }

    async fn save_session(&self, scope: &UserScope, session: &SavedSession) -> Result<(), CredentialError> {
        self.inner.save_session(scope, session).await
    }
}
