//! The emulator's own accounts as a credential store, so that a first run needs no secret at all.
//!
//! Everything here is worthless: client pairs and users are made by the emulator and accepted by
//! nobody else.

use std::collections::HashMap;
use std::future::{Ready, ready};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use einvoice_core::credential::{
    ApiUser, ClientHolder, ClientPair, ClientScope, CredentialCapability, CredentialEntry, CredentialError,
    CredentialScope, CredentialStore, CredentialSummary, UserScope, name_hint,
};
use einvoice_core::environment::{Environment, Product, RouteName};
use einvoice_core::identifier::{Gstin, Pan};
use einvoice_core::registry::{BuildContext, BuildError};
use einvoice_core::secret::Secret;
use einvoice_core::session::SavedSession;

use crate::config::SandboxCredentialsConfig;
use crate::error::SandboxError;
use crate::sandbox::Sandbox;

/// Name of the store in messages.
const STORE: &str = "the sandbox's own accounts";

/// Hands out the accounts of an emulator.
#[derive(Debug)]
pub struct SandboxCredentials {
    sandbox: Sandbox,
    /// GSTINs that have a user; empty for all.
    gstins: Vec<String>,
    sessions: Mutex<HashMap<UserScope, SavedSession>>,
}

impl SandboxCredentials {
    /// The accounts of a portal: of the listed GSTINs, or of any when the list is empty.
    #[must_use]
    pub fn new(sandbox: Sandbox, gstins: Vec<String>) -> Self {
        Self { sandbox, gstins, sessions: Mutex::default() }
    }

    fn missing(scope: CredentialScope) -> CredentialError {
        CredentialError::Missing {
            scope: Box::new(scope),
            store: format!("{STORE} (they serve environment \"sandbox\" only)"),
        }
    }

    fn failed(error: SandboxError) -> CredentialError {
        CredentialError::Io { store: STORE.into(), reason: error.to_string(), source: Some(error.into()) }
    }

    fn read_only() -> CredentialError {
        CredentialError::ReadOnly {
            store: STORE.into(),
            hint: "the emulator makes its accounts itself; use another credential store for real ones".into(),
        }
    }

    /// Whether the store serves this GSTIN.
    fn serves(&self, gstin: &str) -> bool {
        self.gstins.is_empty() || self.gstins.iter().any(|listed| listed == gstin)
    }

    /// Whether the store serves a GSTIN of this PAN.
    fn serves_pan(&self, pan: &str) -> bool {
        self.gstins.is_empty() || self.listed_of(pan).is_some()
    }

    /// The first listed GSTIN of a PAN.
    fn listed_of(&self, pan: &str) -> Option<&str> {
        self.gstins.iter().map(String::as_str).find(|gstin| crate::registry::pan_of(gstin) == Some(pan))
    }
}

#[async_trait]
impl CredentialStore for SandboxCredentials {
    fn capability(&self) -> CredentialCapability {
        CredentialCapability::new(false, false, false)
    }

    async fn client(&self, scope: &ClientScope) -> Result<ClientPair, CredentialError> {
        let missing = || Self::missing(CredentialScope::Client(scope.clone()));
        let (ClientHolder::Pan(pan), Environment::Sandbox) = (&scope.holder, scope.environment) else {
            return Err(missing());
        };
        let listed = self.listed_of(pan.as_str()).map(str::to_owned);
        // Any GSTIN of the PAN brings the pair into being; which one does not matter.
        let gstin = listed.or_else(|| self.gstins.is_empty().then(|| format!("29{pan}1Z0"))).ok_or_else(missing)?;
        let known = self.sandbox.clients().into_iter().find(|client| client.pan == pan.as_str());
        let client = match known {
            Some(client) => client,
            None => self.sandbox.provision(&gstin).await.map_err(Self::failed)?.0,
        };
        Ok(ClientPair { client_id: Secret::new(client.client_id), client_secret: Secret::new(client.client_secret) })
    }

    async fn api_user(&self, scope: &UserScope) -> Result<ApiUser, CredentialError> {
        let gstin = scope.gstin.to_string();
        let served = scope.environment == Environment::Sandbox && self.serves(&gstin);
        if !served {
            return Err(Self::missing(CredentialScope::User(scope.clone())));
        }
        let (_, mut user) = self.sandbox.provision(&gstin).await.map_err(Self::failed)?;
        if scope.product == Product::EWayBill {
            let users = self.sandbox.ewb_users();
            let own = users.into_iter().find(|user| user.gstin == gstin);
            user = own.ok_or_else(|| Self::missing(CredentialScope::User(scope.clone())))?;
        }
        Ok(ApiUser { user_name: Secret::new(user.username), password: Secret::new(user.password) })
    }

    async fn put(&self, _entry: CredentialEntry) -> Result<(), CredentialError> {
        Err(Self::read_only())
    }

    async fn list(&self) -> Result<Vec<CredentialSummary>, CredentialError> {
        let environment = Environment::Sandbox;
        let mut summaries = Vec::new();
        for client in self.sandbox.clients().into_iter().filter(|client| self.serves_pan(&client.pan)) {
            let Ok(pan) = client.pan.parse::<Pan>() else { continue };
            let scope = CredentialScope::Client(ClientScope { environment, holder: ClientHolder::Pan(pan) });
            summaries.push(CredentialSummary {
                scope,
                name_hint: name_hint(&client.client_id),
                session_expires_at: None,
            });
        }
        let sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        for user in self.sandbox.users().into_iter().filter(|user| self.serves(&user.gstin)) {
            let Ok(gstin) = user.gstin.parse::<Gstin>() else { continue };
            let live = sessions.iter().filter(|(scope, _)| scope.gstin == gstin);
            let session_expires_at = live.map(|(_, session)| session.expires_at).max();
            let scope = UserScope { gstin, product: Product::EInvoice, environment, route: RouteName::new("sandbox") };
            let scope = CredentialScope::User(scope);
            summaries.push(CredentialSummary { scope, name_hint: name_hint(&user.username), session_expires_at });
        }
        Ok(summaries)
    }

    async fn remove(&self, _scope: &CredentialScope) -> Result<(), CredentialError> {
        Err(Self::read_only())
    }

    async fn session(&self, scope: &UserScope) -> Result<Option<SavedSession>, CredentialError> {
        Ok(self.sessions.lock().unwrap_or_else(PoisonError::into_inner).get(scope).cloned())
    }

    async fn save_session(&self, scope: &UserScope, session: &SavedSession) -> Result<(), CredentialError> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner).insert(scope.clone(), session.clone());
        Ok(())
    }
}

/// Ready at once: opening the emulator reads a few small files.
#[expect(clippy::needless_pass_by_value, reason = "the registry hands both over")]
pub(crate) fn build(
    context: BuildContext,
    config: SandboxCredentialsConfig,
) -> Ready<Result<Arc<dyn CredentialStore>, BuildError>> {
    ready(build_now(&context, &config))
}

fn build_now(
    context: &BuildContext,
    config: &SandboxCredentialsConfig,
) -> Result<Arc<dyn CredentialStore>, BuildError> {
    if let Some(wrong) = config.gstins.iter().find(|gstin| gstin.parse::<Gstin>().is_err()) {
        return Err(BuildError::new(
            format!("{}, key `gstins`", context.name),
            format!("{wrong} is no GSTIN of 15 characters"),
        ));
    }
    let directory = config.data.as_ref().map(|data| context.path(data));
    let sandbox = Sandbox::shared(directory.as_deref(), None, context.clock.clone(), context.entropy.clone());
    let sandbox = sandbox.map_err(|error| BuildError::new(&context.name, error.to_string()).because(error))?;
    Ok(Arc::new(SandboxCredentials::new(sandbox, config.gstins.clone())))
}

einvoice_core::register_credential_store! {
    name: "sandbox",
    summary: "The emulator's own worthless accounts, made on demand",
    config: SandboxCredentialsConfig,
    example: include_str!("../examples/credentials.toml"),
    build: build,
}
