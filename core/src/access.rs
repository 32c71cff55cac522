//! Access to the portal: logins, tokens and their protection, the same for every transport.
//!
//! A [`Gateway`] is a [`Transport`] together with the credentials for it. It reuses a token for its
//! whole life, renews it only in the last ten minutes, logs in again once when the portal says the
//! token is no longer accepted, and lets only one login run at a time for a GSTIN and product. Logins
//! are a budget: the portals watch and block accounts that log in too often.
//!
//! A refusal stops whom it concerns: the one GSTIN, all that share the client pair, or the route.

mod door;
mod provider;
mod raw;

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::Mutex as AsyncMutex;

use crate::clock::{SharedClock, later};
use crate::credential::{
    Access, ApiUser, ClientHolder, ClientScope, CredentialError, CredentialScope, CredentialStore, LoginFailure,
    LoginNote, UserScope,
};
use crate::environment::{Environment, Product, RouteName};
use crate::events;
use crate::identifier::Gstin;
use crate::operation::{Operation, Reply};
use crate::portal_code::ErrorClass;
use crate::proof;
use crate::session::{SavedSession, Session, TokenPhase};
use crate::transport::{LoginReach, LoginRequest, Reach, Transport, TransportError};
use door::{Door, Stop, is_ahead};

/// Most logins for one user in [`LOGIN_WINDOW`]. One GSP quotes NIC with five in fifteen minutes for
/// e-way bill users; no figure is published for the IRP, so the same is kept there.
pub const LOGINS_MAX: usize = 5;

/// The time over which logins are counted.
pub const LOGIN_WINDOW: SignedDuration = SignedDuration::from_mins(15);

/// How long a GSTIN, a client pair or a route is left alone after it was refused: repeating what was
/// refused endangers the account.
pub const REFUSAL_PAUSE: Duration = Duration::from_mins(15);

/// How long a renewal that failed, or brought the old token once more, is left alone; that token
/// serves meanwhile. Two or three tries fit into the last ten minutes of a token, and [`LOGINS_MAX`]
/// leaves some for the time after it.
pub const RENEWAL_PAUSE: Duration = Duration::from_mins(4);

/// Within [`LOGIN_WINDOW`], how many tokens may end before their time. Each login of one system ends the token of another
/// one with the same user, so two of them would use up the logins of both, and the account is watched for that.
pub const EARLY_ENDS_MAX: usize = 3;

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
    route_door: Door,
    client_doors: Mutex<HashMap<ClientHolder, Arc<Door>>>,
    /// Sends what was refused before, as a person said so.
    sends_refused: bool,
}

type Slots = HashMap<(Gstin, Product), Arc<AsyncMutex<Slot>>>;

/// What is known about one user. The lock around it is the login lock.
#[derive(Debug, Default)]
struct Slot {
    /// The session in use.
    session: Option<Session>,
    /// The session last known, dead or alive: its AppKey may be needed to open a later SEK.
    previous: Option<SavedSession>,
    logins: VecDeque<Timestamp>,
    /// When tokens were refused that had a good part of their life before them.
    early_ends: VecDeque<Timestamp>,
    /// No login before this moment.
    stopped: Option<Stop>,
    /// No renewal before this moment.
    renewal_paused_until: Option<Timestamp>,
    /// The portal gave out this token a moment ago although it looks old here, because the clocks of
    /// the two differ; it is used until this moment without asking again.
    confirmed_until: Option<Timestamp>,
}

impl Slot {
    fn check_stop(&mut self, now: Timestamp) -> Result<(), TransportError> {
        match &self.stopped {
            Some(stop) if stop.lasts(now) => Err(TransportError::HeldBack { reason: stop.reason.clone() }),
            _ => {
                self.stopped = None;
                Ok(())
            }
        }
    }

    fn renewal_is_paused(&self, now: Timestamp) -> bool {
        self.renewal_paused_until.is_some_and(|until| is_ahead(until, now, RENEWAL_PAUSE))
    }

    /// Counts a login, if the budget has one left.
    fn spend_login(&mut self, now: Timestamp, route: &RouteName) -> Result<(), TransportError> {
        // A login that lies ahead was counted before the clock was set back; it is as good as new.
        self.logins.iter_mut().for_each(|at| *at = (*at).min(now));
        while self.logins.front().is_some_and(|at| now.duration_since(*at) >= LOGIN_WINDOW) {
            self.logins.pop_front();
        }
        if self.logins.len() >= LOGINS_MAX {
            let minutes = LOGIN_WINDOW.as_mins();
            return Err(TransportError::HeldBack {
                reason: format!(
                    "{LOGINS_MAX} logins within {minutes} minutes on route {route}; the next one waits to protect \
                     the account"
                ),
            });
        }
        self.logins.push_back(now);
        Ok(())
    }

    /// Notes that a token was refused before its time; `true` when that happens so often that somebody else must be
    /// ending them.
    fn ends_early_again(&mut self, now: Timestamp) -> bool {
        self.early_ends.iter_mut().for_each(|at| *at = (*at).min(now));
        self.early_ends.retain(|at| now.duration_since(*at) < LOGIN_WINDOW);
        self.early_ends.push_back(now);
        self.early_ends.len() >= EARLY_ENDS_MAX
    }

    fn use_session(&mut self, session: Session) {
        self.previous = Some(session.saved().clone());
        self.session = Some(session);
        self.renewal_paused_until = None;
        self.confirmed_until = None;
    }

    fn is_confirmed(&self, now: Timestamp) -> bool {
        self.confirmed_until.is_some_and(|until| is_ahead(until, now, RENEWAL_PAUSE))
    }
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
        let (slots, route_door, client_doors) = Default::default();
        let sends_refused = false;
        Self {
            route,
            environment,
            client_account,
            transport,
            credentials,
            clock,
            slots,
            route_door,
            client_doors,
            sends_refused,
        }
    }

    /// Sends what was refused before once more, as the person does who has put it right elsewhere and says so. Nothing else
    /// may: a repeat of what is still wrong endangers the account.
    #[must_use]
    pub fn for_a_person(self) -> Self {
        Self { sends_refused: true, ..self }
    }

    /// Name of the route.
    #[must_use]
    pub const fn route(&self) -> &RouteName {
        &self.route
    }

    /// Which environment is behind it.
    #[must_use]
    pub const fn environment(&self) -> Environment {
        self.environment
    }

    /// The transport itself.
    #[must_use]
    pub fn transport(&self) -> &dyn Transport {
        self.transport.as_ref()
    }

    /// Until when the whole route is left alone because something that all its calls share was
    /// refused: the key that logins are encrypted with, or how calls are sealed.
    #[must_use]
    pub fn closed_until(&self) -> Option<Timestamp> {
        self.route_door.stop(self.clock.now()).map(|stop| stop.until)
    }

    /// Whether a GSTIN is left alone because the route is, or because its client pair for the e-invoice system was
    /// refused. Where the e-way bill system has a pair of its own, a call there finds out by itself.
    #[must_use]
    pub fn is_closed_for(&self, gstin: Gstin) -> bool {
        self.check_doors(gstin, Product::EInvoice).is_err()
    }

    /// Makes sure that there is a usable session, logging in if needed, so that a login can no
    /// longer fail between an intent and its call.
    ///
    /// # Errors
    /// Any [`TransportError`] of a login; [`TransportError::HeldBack`] when the account is protected
    /// from another one.
    pub async fn ready(&self, gstin: Gstin, product: Product) -> Result<(), TransportError> {
        self.check_doors(gstin, product)?;
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
    pub async fn call(&self, gstin: Gstin, operation: &Operation) -> Result<Reply, TransportError> {
        if !self.transport.capability().operations.contains(&operation.kind()) {
            return Err(TransportError::Unsupported { operation: operation.kind() });
        }
        let product = operation.kind().product();
        self.check_doors(gstin, product)?;
        let result = self.call_with_a_session(gstin, product, operation).await;
        if let Err(error) = &result {
            self.close_doors(gstin, product, error);
            if error.reach() == Reach::Client {
                // The pair may have been rotated since this session was made: the next one is made with what the store
                // holds by then.
                self.slot(gstin, product).lock().await.session = None;
            }
        }
        result
    }

    async fn call_with_a_session(
        &self,
        gstin: Gstin,
        product: Product,
        operation: &Operation,
    ) -> Result<Reply, TransportError> {
        let session = self.session(gstin, product).await?;
        let session = self.with_kept_provider_token(gstin, product, session).await;
        let result = self.transport.call(&session, operation).await;
        self.keep_provider_token(gstin, product, &session).await;
        let refused = match result {
            // What an HTTP status alone refused may have been done: it is asked about, and the question logs in anew.
            Err(error) if error.class() == Some(ErrorClass::TokenExpired) && !error.is_unproven() => error,
            result => return result,
        };
        let renewed = self.log_in_again(gstin, product, &session, refused).await?;
        let result = self.transport.call(&renewed, operation).await;
        self.keep_provider_token(gstin, product, &renewed).await;
        if let Err(error) = &result
            && error.class() == Some(ErrorClass::TokenExpired)
        {
            let slot = self.slot(gstin, product);
            let mut slot = slot.lock().await;
            // Another task may hold a better token by now; that one goes on.
            if slot.session.as_ref().is_none_or(|session| session.token() == renewed.token()) {
                self.stop_token(&mut slot, gstin, error);
            }
        }
        result
    }

    async fn session(&self, gstin: Gstin, product: Product) -> Result<Session, TransportError> {
        let slot = self.slot(gstin, product);
        let mut slot = slot.lock().await;
        let now = self.clock.now();
        let scope = self.user_scope(gstin, product);
        let live = |slot: &Slot| slot.session.clone().map(|session| (session.saved().phase(now), session));
        let old = match live(&slot) {
            Some((TokenPhase::Fresh, session)) => return Ok(session),
            Some((_, session)) if slot.is_confirmed(now) => return Ok(session),
            Some((TokenPhase::Renewable, session)) => Some(session),
            _ => None,
        };
        let held_back = slot.check_stop(now);
        match (old, held_back) {
            (None, Err(error)) => return Err(error),
            // The old token is still good.
            (Some(session), Err(_)) => return Ok(session),
            (Some(session), Ok(())) if slot.renewal_is_paused(now) => return Ok(session),
            _ => {}
        }
        // Another worker, or an earlier run, may have logged in already.
        if let Err(error) = self.read_store(&mut slot, &scope, now).await {
            // The token at hand is good without the store.
            return live(&slot).filter(|(phase, _)| *phase != TokenPhase::Expired).map(|found| found.1).ok_or(error);
        }
        match live(&slot) {
            Some((TokenPhase::Fresh, session)) => Ok(session),
            Some((TokenPhase::Renewable, session)) => {
                // A renewal that is refused or fails must not stop the work either.
                let renewed = self.log_in(&mut slot, &scope, true).await;
                if renewed.is_err() {
                    slot.renewal_paused_until = later(now, RENEWAL_PAUSE);
                }
                Ok(renewed.unwrap_or(session))
            }
            _ => self.log_in(&mut slot, &scope, false).await,
        }
    }

    /// Takes over the session in the store, if it outlives the one at hand.
    async fn read_store(&self, slot: &mut Slot, scope: &UserScope, now: Timestamp) -> Result<(), TransportError> {
        let Some(saved) = self.credentials.session(scope).await? else { return Ok(()) };
        let known = slot.previous.as_ref().map(|previous| previous.expires_at);
        if known.is_some_and(|known| saved.expires_at <= known) {
            return Ok(());
        }
        if saved.phase(now) == TokenPhase::Expired {
            slot.previous = Some(saved);
        } else {
            let access = self.access(scope).await?;
            slot.use_session(Session::new(access, saved));
        }
        Ok(())
    }

    /// A session with another token than the one that was refused, by one login at most.
    async fn log_in_again(
        &self,
        gstin: Gstin,
        product: Product,
        refused: &Session,
        error: TransportError,
    ) -> Result<Session, TransportError> {
        let is_new = |session: &Session| session.token() != refused.token();
        let slot = self.slot(gstin, product);
        let mut slot = slot.lock().await;
        // Whoever held the lock before may have logged in already.
        if let Some(session) = slot.session.clone().filter(is_new) {
            return Ok(session);
        }
        let (now, scope) = (self.clock.now(), self.user_scope(gstin, product));
        // Another worker may have renewed the token, which ended the old one.
        self.read_store(&mut slot, &scope, now).await?;
        if let Some(session) = slot.session.clone().filter(is_new) {
            return Ok(session);
        }
        slot.session = None;
        slot.check_stop(now)?;
        let was_alive = refused.saved().phase(now) == TokenPhase::Fresh;
        if was_alive && slot.ends_early_again(now) {
            let within = format!("{} minutes", LOGIN_WINDOW.as_mins());
            let reason = shared_user(gstin, product, &self.route, &within, &format!(" ({error})"));
            self.stop_slot(&mut slot, gstin, &reason, &error);
            slot.early_ends.clear();
            return Err(slot.check_stop(now).err().unwrap_or(error));
        }
        let session = self.log_in(&mut slot, &scope, false).await?;
        if is_new(&session) {
            return Ok(session);
        }
        // Under the same lock, so that nobody else logs in for the same answer.
        self.stop_token(&mut slot, gstin, &error);
        Err(error)
    }

    async fn log_in(&self, slot: &mut Slot, scope: &UserScope, force_refresh: bool) -> Result<Session, TransportError> {
        let access = self.access(scope).await?;
        let client_door = self.client_door(self.holder(scope.gstin, scope.product)?);
        // In this order everywhere, so that nobody waits for somebody who waits for him.
        let _turns = (self.route_door.turn().await, client_door.turn().await);
        self.check_doors(scope.gstin, scope.product)?;
        let now = self.clock.now();
        self.check_refusals(scope, now).await?;
        if self.transport.capability().login_reach(scope.product) != LoginReach::Nobody {
            slot.spend_login(now, &self.route)?;
        }
        let previous = slot.previous.clone();
        let product = self.credentials.login_product(scope).await?;
        let request = LoginRequest { access: &access, product, force_refresh, previous: previous.as_ref() };
        let result = self.transport.login(request).await;
        if !result.as_ref().is_err_and(|error| self.close_doors(scope.gstin, scope.product, error)) {
            self.route_door.tried();
            client_door.tried();
        }
        match result {
            Ok(session) => {
                events::logged_in(scope.gstin, scope.product, &self.route, force_refresh);
                if let Err(error) = self.credentials.save_session(scope, session.saved()).await {
                    events::session_not_saved(scope.gstin, &error.to_string());
                }
                self.note_login(scope, LoginNote::Accepted(now), Reach::Client).await;
                slot.use_session(session.clone());
                if session.saved().phase(now) != TokenPhase::Fresh {
                    slot.confirmed_until = later(now, RENEWAL_PAUSE);
                }
                Ok(session)
            }
            Err(error) => {
                // A token that is over says nothing of what was entered, and an HTTP status nothing for certain.
                if let TransportError::Refused { errors, .. } = &error
                    && !error.is_unreachable()
                    && error.class() != Some(ErrorClass::TokenExpired)
                    && !errors.iter().any(|error| error.by_status)
                {
                    let code = errors.first().map(|error| error.code.as_str());
                    self.note_login(scope, LoginNote::Refused(LoginFailure::new(now, code)), error.reach()).await;
                }
                // What was held back says itself until when; the portal has not refused anything.
                let was_refused = !error.is_unreachable() && !matches!(error, TransportError::HeldBack { .. });
                if was_refused && error.reach() <= Reach::Gstin {
                    let reason = format!("the last login for this GSTIN on route {} failed: {error}", self.route);
                    self.stop_slot(slot, scope.gstin, &reason, &error);
                }
                Err(error)
            }
        }
    }

    /// Holds back what was refused before, by whichever process, until somebody has put, rotated or proven it. The store
    /// tells, so that a run that is started again and again does not send it again and again.
    async fn check_refusals(&self, scope: &UserScope, now: Timestamp) -> Result<(), TransportError> {
        if self.sends_refused {
            return Ok(());
        }
        let holder = self.holder(scope.gstin, scope.product)?;
        let client = CredentialScope::Client(ClientScope { environment: self.environment, holder });
        let user = CredentialScope::User(scope.clone());
        let is_here = !self.transport.capability().users_at_provider.contains(&scope.product);
        for of in [client].into_iter().chain(is_here.then_some(user)) {
            // Where there is no such entry, or no fact can be had, the login itself tells.
            let Ok(facts) = self.credentials.facts(&of).await else { continue };
            if let Some(failure) = facts.holds_back(&of, now).cloned() {
                return Err(CredentialError::StillRefused { scope: Box::new(of), failure }.into());
            }
        }
        Ok(())
    }

    /// Has the store keep what became of a login. A refusal is noted with what was refused; one that concerns the whole
    /// route says nothing of an entry. That it cannot be kept must not stop the work.
    async fn note_login(&self, scope: &UserScope, note: LoginNote, reach: Reach) {
        let accepted = matches!(note, LoginNote::Accepted(_));
        let capability = self.transport.capability();
        let mut scopes = Vec::new();
        // Of a user who is entered at the provider there is no entry here.
        if (accepted || reach == Reach::Gstin) && !capability.users_at_provider.contains(&scope.product) {
            scopes.push(CredentialScope::User(scope.clone()));
        }
        if reach == Reach::Client
            && let Ok(holder) = self.holder(scope.gstin, scope.product)
        {
            scopes.push(CredentialScope::Client(ClientScope { environment: self.environment, holder }));
        }
        let login_reach = capability.login_reach(scope.product);
        scopes.retain(|of| !accepted || proof::is_by_login(login_reach, of));
        for of in scopes {
            if let Err(error) = self.credentials.note(&of, &note).await {
                events::use_not_noted(scope.gstin, &error.to_string());
            }
        }
    }

    /// Stops after the portal refused a token that it had only just confirmed by a login.
    fn stop_token(&self, slot: &mut Slot, gstin: Gstin, error: &TransportError) {
        slot.session = None;
        let reason = format!(
            "the portal does not accept the token that it gives out for this GSTIN on route {}: {error}",
            self.route
        );
        self.stop_slot(slot, gstin, &reason, error);
    }

    fn stop_slot(&self, slot: &mut Slot, gstin: Gstin, reason: &str, error: &TransportError) {
        events::supplier_stopped(gstin, &self.route, error);
        if let Some(until) = later(self.clock.now(), REFUSAL_PAUSE) {
            slot.stopped = Some(Stop { until, reason: format!("{reason}; it is left alone until {until}") });
        }
    }

    /// Closes what a refusal concerns beyond this GSTIN; `false` when there is no such thing.
    fn close_doors(&self, gstin: Gstin, product: Product, error: &TransportError) -> bool {
        let stop = |whose: &str| {
            let until = later(self.clock.now(), REFUSAL_PAUSE)?;
            let reason = format!("{whose} was {error}; it is left alone until {until}");
            Some(Stop { until, reason })
        };
        let closed = match (error.reach(), self.holder(gstin, product)) {
            (Reach::Route, _) => {
                stop(&format!("route {} as a whole", self.route)).map(|stop| self.route_door.close(stop))
            }
            (Reach::Client, Ok(holder)) => {
                let whose =
                    CredentialScope::Client(ClientScope { environment: self.environment, holder: holder.clone() });
                stop(&format!("the {whose}, on route {},", self.route)).map(|stop| self.client_door(holder).close(stop))
            }
            _ => None,
        };
        if closed.is_some() {
            events::supplier_stopped(gstin, &self.route, error);
        }
        closed.is_some()
    }

    fn check_doors(&self, gstin: Gstin, product: Product) -> Result<(), TransportError> {
        let now = self.clock.now();
        self.route_door.check(now)?;
        self.holder(gstin, product).map_or(Ok(()), |holder| self.client_door(holder).check(now))
    }

    fn client_door(&self, holder: ClientHolder) -> Arc<Door> {
        let mut doors = self.client_doors.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(doors.entry(holder).or_default())
    }

    /// Whose client pair serves a GSTIN in one of the systems.
    fn holder(&self, gstin: Gstin, product: Product) -> Result<ClientHolder, TransportError> {
        let of_product = self.transport.capability().client_pair_per_product.then_some(product);
        match &self.client_account {
            Some(account) => Ok(ClientHolder::Provider { account: account.clone(), product: of_product }),
            None => gstin.pan().map(ClientHolder::Pan).ok_or_else(|| TransportError::HeldBack {
                reason: format!("{gstin} holds no PAN, so it has no client pair of its own"),
            }),
        }
    }

    async fn access(&self, scope: &UserScope) -> Result<Access, TransportError> {
        let holder = self.holder(scope.gstin, scope.product)?;
        let client = self.credentials.client(&ClientScope { environment: self.environment, holder }).await?;
        let user = if self.transport.capability().users_at_provider.contains(&scope.product) {
            ApiUser::at_provider()
        } else {
            self.credentials.api_user(scope).await?
        };
        Ok(Access::new(scope.gstin, client, user))
    }

    fn user_scope(&self, gstin: Gstin, product: Product) -> UserScope {
        UserScope { gstin, product, environment: self.environment, route: self.route.clone() }
    }

    fn slot(&self, gstin: Gstin, product: Product) -> Arc<AsyncMutex<Slot>> {
        // A poisoned lock only means that another task panicked between two map operations.
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(slots.entry((gstin, product)).or_default())
    }
}

/// Why nobody logs in any more where each token is ended soon after it was given out.
pub(crate) fn shared_user(gstin: Gstin, product: Product, route: &RouteName, within: &str, said: &str) -> String {
    format!(
        "{EARLY_ENDS_MAX} tokens of {gstin} for the {product} system on route {route} were refused within {within}, \
         each long before its end{said}: most likely another system logs in with the same API user, and each login \
         ends the token of the other. Make an API user for each system on the portal's pages, or let all of them share \
         one credential store"
    )
}
