//! Access to the portal: logins, tokens and their protection, the same for every transport.
//!
//! A [`Gateway`] is a [`Transport`] together with the credentials for it. It reuses a token for its
//! whole life, renews it only in the last ten minutes, logs in again once when the portal says the
//! token is no longer accepted, and lets only one login run at a time for a GSTIN and product. Logins
//! are a budget: the portals watch and block accounts that log in too often.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::Mutex as AsyncMutex;

use crate::clock::{SharedClock, later};
use crate::credential::{Access, ClientHolder, ClientScope, CredentialStore, UserScope};
use crate::environment::{Environment, Product, RouteName};
use crate::events;
use crate::identifier::Gstin;
use crate::operation::{Operation, Reply};
use crate::portal_code::ErrorClass;
use crate::secret::Secret;
use crate::session::{SavedSession, Session, TokenPhase};
use crate::transport::{LoginRequest, Transport, TransportError};

/// Most logins for one user in [`LOGIN_WINDOW`]. One GSP quotes NIC with five in fifteen minutes for
/// e-way bill users; no figure is published for the IRP, so the same is kept there.
pub const LOGINS_MAX: usize = 5;

/// The time over which logins are counted.
pub const LOGIN_WINDOW: SignedDuration = SignedDuration::from_mins(15);

/// How long a GSTIN is left alone after its login was refused: repeating a refused login endangers
/// the account.
pub const REFUSAL_PAUSE: Duration = Duration::from_mins(15);

/// A transport with its credentials.
#[derive(Debug)]
pub struct Gateway {
    route: RouteName,
    environment: Environment,
    client_account: Option<String>,
    transport: Arc<dyn Transport>,
    credentials: Arc<dyn CredentialStore>,
    clock: SharedClock,
    slots: Mutex<Slots>,
}

type Slots = HashMap<(Gstin, Product), Arc<AsyncMutex<Slot>>>;

/// What is known about one user. The lock around it is the login lock.
#[derive(Debug, Default)]
struct Slot {
    session: Option<Session>,
    previous: Option<SavedSession>,
    store_was_read: bool,
    logins: VecDeque<Timestamp>,
    stopped: Option<Stop>,
}

impl Slot {
    fn check_stop(&mut self, now: Timestamp) -> Result<(), TransportError> {
        match &self.stopped {
            Some(stop) if now < stop.until => Err(TransportError::HeldBack { reason: stop.reason.clone() }),
            _ => {
                self.stopped = None;
                Ok(())
            }
        }
    }
}

#[derive(Debug)]
struct Stop {
    until: Timestamp,
    reason: String,
}

impl Gateway {
    /// Joins a transport and the store that holds its credentials.
    #[must_use]
    pub fn new(
        route: RouteName,
        environment: Environment,
        client_account: Option<String>,
        transport: Arc<dyn Transport>,
        credentials: Arc<dyn CredentialStore>,
        clock: SharedClock,
    ) -> Self {
        let slots = Mutex::default();
        Self { route, environment, client_account, transport, credentials, clock, slots }
    }

    /// Name of the route.
    #[must_use]
    pub const fn route(&self) -> &RouteName {
        &self.route
    }

    /// The transport itself.
    #[must_use]
    pub fn transport(&self) -> &dyn Transport {
        self.transport.as_ref()
    }

    /// Makes sure that there is a usable session, logging in if needed, so that a login can no
    /// longer fail between an intent and its call.
    ///
    /// # Errors
    /// Any [`TransportError`] of a login; [`TransportError::HeldBack`] when the account is protected
    /// from another one.
    pub async fn ready(&self, gstin: Gstin, product: Product) -> Result<(), TransportError> {
        self.session(gstin, product).await.map(drop)
    }

    /// Carries one operation for a GSTIN, logging in if needed, and once more if the token is no
    /// longer accepted.
    ///
    /// # Errors
    /// Any [`TransportError`] of the login or the call.
    ///
    /// # Cancellation
    /// As [`Transport::call`].
    pub async fn call(&self, gstin: Gstin, product: Product, operation: &Operation) -> Result<Reply, TransportError> {
        if !self.transport.capability().operations.contains(&operation.kind()) {
            return Err(TransportError::Unsupported { operation: operation.kind() });
        }
        let session = self.session(gstin, product).await?;
        let refused = match self.transport.call(&session, operation).await {
            Err(error) if error.class() == Some(ErrorClass::TokenExpired) => error,
            result => return result,
        };
        let renewed = self.log_in_again(gstin, product, session.token()).await?;
        if renewed.token() == session.token() {
            self.stop(gstin, product, &refused).await;
            return Err(refused);
        }
        let result = self.transport.call(&renewed, operation).await;
        if let Err(error) = &result
            && error.class() == Some(ErrorClass::TokenExpired)
        {
            self.stop(gstin, product, error).await;
        }
        result
    }

    async fn session(&self, gstin: Gstin, product: Product) -> Result<Session, TransportError> {
        let slot = self.slot(gstin, product);
        let mut slot = slot.lock().await;
        let now = self.clock.now();
        slot.check_stop(now)?;
        let scope = self.user_scope(gstin, product);
        if slot.session.is_none() && !slot.store_was_read {
            slot.store_was_read = true;
            if let Some(saved) = self.credentials.session(&scope).await? {
                if saved.phase(now) == TokenPhase::Expired {
                    slot.previous = Some(saved);
                } else {
                    let access = self.access(&scope).await?;
                    slot.session = Some(Session::new(access, saved));
                }
            }
        }
        let phase = slot.session.as_ref().map(|session| session.saved().phase(now));
        match (phase, slot.session.clone()) {
            (Some(TokenPhase::Fresh), Some(session)) => Ok(session),
            (Some(TokenPhase::Renewable), Some(session)) => {
                // The old token is still good: a refused or failed renewal must not stop the work.
                Ok(self.log_in(&mut slot, &scope, true).await.unwrap_or(session))
            }
            _ => self.log_in(&mut slot, &scope, false).await,
        }
    }

    async fn log_in_again(
        &self,
        gstin: Gstin,
        product: Product,
        refused: &Secret<String>,
    ) -> Result<Session, TransportError> {
        let slot = self.slot(gstin, product);
        let mut slot = slot.lock().await;
        // Whoever held the lock before may have logged in already.
        if let Some(session) = &slot.session
            && session.token() != refused
        {
            return Ok(session.clone());
        }
        slot.session = None;
        let now = self.clock.now();
        slot.check_stop(now)?;
        self.log_in(&mut slot, &self.user_scope(gstin, product), false).await
    }

    async fn log_in(&self, slot: &mut Slot, scope: &UserScope, force_refresh: bool) -> Result<Session, TransportError> {
        let now = self.clock.now();
        self.spend_login(slot, now)?;
        let access = self.access(scope).await?;
        let previous = slot.session.as_ref().map(|session| session.saved().clone()).or_else(|| slot.previous.clone());
        let request =
            LoginRequest { access: &access, product: scope.product, force_refresh, previous: previous.as_ref() };
        match self.transport.login(request).await {
            Ok(session) => {
                events::logged_in(scope.gstin, scope.product, &self.route, force_refresh);
                if let Err(error) = self.credentials.save_session(scope, session.saved()).await {
                    events::session_not_saved(scope.gstin, &error.to_string());
                }
                slot.previous = Some(session.saved().clone());
                slot.session = Some(session.clone());
                Ok(session)
            }
            Err(error) => {
                if !error.is_unreachable() {
                    self.stop_slot(slot, scope.gstin, &error);
                }
                Err(error)
            }
        }
    }

    fn spend_login(&self, slot: &mut Slot, now: Timestamp) -> Result<(), TransportError> {
        while slot.logins.front().is_some_and(|at| now.duration_since(*at) >= LOGIN_WINDOW) {
            slot.logins.pop_front();
        }
        if slot.logins.len() >= LOGINS_MAX {
            return Err(TransportError::HeldBack {
                reason: format!(
                    "{LOGINS_MAX} logins within {} minutes on route {}; the next one waits to protect the account",
                    LOGIN_WINDOW.as_mins(),
                    self.route
                ),
            });
        }
        slot.logins.push_back(now);
        Ok(())
    }

    async fn stop(&self, gstin: Gstin, product: Product, error: &TransportError) {
        let slot = self.slot(gstin, product);
        let mut slot = slot.lock().await;
        self.stop_slot(&mut slot, gstin, error);
    }

    fn stop_slot(&self, slot: &mut Slot, gstin: Gstin, error: &TransportError) {
        events::supplier_stopped(gstin, &self.route, error);
        slot.session = None;
        if let Some(until) = later(self.clock.now(), REFUSAL_PAUSE) {
            let reason = format!("the last login for this GSTIN on route {} failed: {error}", self.route);
            slot.stopped = Some(Stop { until, reason });
        }
    }

    async fn access(&self, scope: &UserScope) -> Result<Access, TransportError> {
        let holder = match &self.client_account {
            Some(account) => ClientHolder::Provider { account: account.clone(), product: None },
            None => ClientHolder::Pan(scope.gstin.pan().ok_or_else(|| TransportError::HeldBack {
                reason: format!("{} holds no PAN, so it has no client pair of its own", scope.gstin),
            })?),
        };
        let client = self.credentials.client(&ClientScope { environment: self.environment, holder }).await?;
        let user = self.credentials.api_user(scope).await?;
        Ok(Access::new(scope.gstin, client, user))
    }

    fn user_scope(&self, gstin: Gstin, product: Product) -> UserScope {
        UserScope { gstin, product, environment: self.environment, route: self.route.clone() }
    }

    fn slot(&self, gstin: Gstin, product: Product) -> Arc<AsyncMutex<Slot>> {
        // A poisoned lock only means that another task panicked between two map operations.
        let mut slots = self.slots.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        Arc::clone(slots.entry((gstin, product)).or_default())
    }
}
