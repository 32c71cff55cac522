//! `credentials test`: puts credentials to the proof, by a login where that reaches whoever knows them, and by one read
//! where it does not. The same proves a new secret in a rotation.

use std::sync::Arc;

use einvoice_core::config::RouteTable;
use einvoice_core::credential::{
    Access, ApiUser, ClientHolder, ClientScope, CredentialEntry, CredentialScope, CredentialStore, LoginFailure,
    LoginNote, UserScope,
};
use einvoice_core::date::PortalTime;
use einvoice_core::environment::Product;
use einvoice_core::identifier::Gstin;
use einvoice_core::pipeline::RoutePart;
use einvoice_core::portal_code::ErrorClass;
use einvoice_core::proof;
use einvoice_core::session::{SavedSession, Session};
use einvoice_core::transport::{LoginReach, LoginRequest, Reach, TransportError};
use jiff::Timestamp;
use serde_json::json;

use crate::arguments::CredentialTest;
use crate::assemble::Assembly;
use crate::commands::explain::system_in_words;
use crate::commands::proof::no_read;
use crate::error::CliError;
use crate::output::Output;

/// Logs in once, and keeps the session so that the next run need not.
pub(super) async fn run(arguments: &CredentialTest, assembly: &Assembly, output: &mut Output) -> Result<(), CliError> {
    let gstin = super::gstin(&arguments.gstin)?;
    let table = super::route(arguments.route.as_deref(), assembly)?;
    let product = super::product(arguments.product);
    let login = Login::new(gstin, product, table, assembly).await?;
    let now = assembly.clock().now();
    let result = login.prove(None, now).await;
    login.note(&result, now).await;
    let proven = result?;
    login.keep(&proven.session, output).await;
    let until = PortalTime::at(proven.session.expires_at()).to_string();
    if output.is_json() {
        return output.object(&json!({
            "gstin": gstin.to_string(),
            "route": table.part.name,
            "environment": table.environment,
            "product": product,
            "logged_in": true,
            "proven_by": proven.by.word(),
            "session_until": until,
        }));
    }
    if proven.by == By::Read {
        return output.line(format!(
            "accepted for {gstin} by the {} by route {}: a login there proves too little, so that one document was asked for \
             that cannot exist",
            system_in_words(product),
            table.part.name
        ));
    }
    output.line(format!(
        "logged in for {gstin} to the {} by route {}; the session lasts until {until} IST",
        system_in_words(product),
        table.part.name
    ))
}

/// What proved credentials.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    /// A login.
    Login,
    /// A read, as a login reaches nobody who knows them.
    Read,
}

impl By {
    const fn word(self) -> &'static str {
        match self {
            Self::Login => "login",
            Self::Read => "read",
        }
    }
}

/// A session whose credentials are proven.
#[derive(Debug)]
pub(super) struct Proven {
    pub(super) session: Session,
    pub(super) by: By,
}

/// One taxpayer's login by one route.
pub(super) struct Login {
    store: Arc<dyn CredentialStore>,
    part: RoutePart,
    user: UserScope,
    client: ClientScope,
}

impl Login {
    pub(super) async fn new(
        gstin: Gstin,
        product: Product,
        table: &RouteTable,
        assembly: &Assembly,
    ) -> Result<Self, CliError> {
        let store = assembly.credentials().await?;
        let part = assembly.route(table).await?;
        let environment = table.environment;
        let user = UserScope { gstin, product, environment, route: table.route_name() };
        let of_product = part.transport.capability().client_pair_per_product.then_some(product);
        let holder = match &table.client_account {
            None => ClientHolder::Pan(super::pan_of(&gstin)?),
            Some(account) => ClientHolder::Provider { account: account.clone(), product: of_product },
        };
        Ok(Self { store, part, user, client: ClientScope { environment, holder } })
    }

    /// Whose client pair it uses.
    pub(super) const fn client(&self) -> &ClientScope {
        &self.client
    }

    /// Proves what the store holds in use, but for one entry that is tried in its place and is what matters then.
    pub(super) async fn prove(
        &self,
        tried: Option<&CredentialEntry>,
        now: Timestamp,
    ) -> Result<Proven, TransportError> {
        let session = self.log_in(tried).await?;
        let (capability, product) = (self.part.transport.capability(), self.user.product);
        let reach = capability.login_reach(product);
        let is_enough = match tried {
            Some(entry) => proof::is_by_login(reach, &entry.scope()),
            None => reach == LoginReach::Taxpayer,
        };
        if is_enough {
            return Ok(Proven { session, by: By::Login });
        }
        let read = proof::read(capability, product, now).ok_or_else(|| no_read(product))?;
        proof::of_read(self.part.transport.call(&session, &read).await)?;
        Ok(Proven { session, by: By::Read })
    }

    async fn log_in(&self, tried: Option<&CredentialEntry>) -> Result<Session, TransportError> {
        let client = match tried {
            Some(CredentialEntry::Client(_, pair)) => pair.clone(),
            _ => self.store.client(&self.client).await?,
        };
        let user = match tried {
            Some(CredentialEntry::User(_, user)) => user.clone(),
            _ if self.part.transport.capability().users_at_provider.contains(&self.user.product) => {
                ApiUser::at_provider()
            }
            _ => self.store.api_user(&self.user).await?,
        };
        // Without the account's token: it would serve whatever the client pair is, and nothing would be asked.
        let previous = self.store.session(&self.user).await?.map(|kept| SavedSession { provider: None, ..kept });
        let access = Access::new(self.user.gstin, client, user);
        let request = LoginRequest {
            access: &access,
            product: self.user.product,
            force_refresh: false,
            previous: previous.as_ref(),
        };
        self.part.transport.login(request).await
    }

    /// Keeps the session. The login has worked; that it could not be kept costs one login more.
    pub(super) async fn keep(&self, session: &Session, output: &mut Output) {
        if let Err(error) = self.store.save_session(&self.user, session.saved()).await {
            output.remark(format!("warning: the session was not kept: {error}"));
        }
    }

    /// Keeps what became of the login beside the entries it used; one that was refused, with what was refused.
    pub(super) async fn note(&self, result: &Result<Proven, TransportError>, now: Timestamp) {
        let user = CredentialScope::User(self.user.clone());
        let client = CredentialScope::Client(self.client.clone());
        let (note, scopes) = match result {
            Ok(_) => (LoginNote::Accepted(now), vec![user, client]),
            // A token that is over says nothing of what was entered, and an HTTP status nothing for certain.
            Err(error @ TransportError::Refused { errors, .. })
                if !error.is_unreachable()
                    && error.class() != Some(ErrorClass::TokenExpired)
                    && !errors.iter().any(|error| error.by_status) =>
            {
                let code = errors.first().map(|error| error.code.as_str());
                let scopes = match error.reach() {
                    Reach::Gstin => vec![user],
                    Reach::Client => vec![client],
                    Reach::Call | Reach::Route => Vec::new(),
                };
                (LoginNote::Refused(LoginFailure::new(now, code)), scopes)
            }
            Err(_) => return,
        };
        for scope in scopes {
            // A fact that is not kept changes nothing about the login.
            let _kept = self.store.note(&scope, &note).await;
        }
    }
}
