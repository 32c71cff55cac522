//! What an account was used for lately: logins and refusals, kept where every process of an installation sees them.
//!
//! The portals watch logins and faulty calls and block accounts; neither limit is published in full. A process can
//! count its own, and several processes, or one that is started again and again, are one user to the portal. So a
//! [`UsageBook`] outlives them, and [`Metered`] wraps every transport: a login is written down before it is sent, and
//! held back when the others have used the budget up; a refusal is written down with its codes.
//!
//! The book holds no secret and no document: who, when, which operation, which codes.

mod refusals;

use std::collections::HashSet;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use aws_lc_rs::digest;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

pub use self::refusals::RefusalsOfBook;
use crate::BoxError;
use crate::access::{EARLY_ENDS_MAX, LOGIN_WINDOW, LOGINS_MAX, shared_user};
use crate::clock::{SharedClock, later};
use crate::credential::{Access, UserScope};
use crate::date::PortalTime;
use crate::environment::{Environment, Product, RouteName};
use crate::events;
use crate::operation::{Operation, OperationKind, Reply};
use crate::portal_code::{BY_STATUS, ErrorClass, PortalError, deciding_class};
use crate::raw::{RawAnswer, RawCall, RawTarget};
use crate::session::{ProviderToken, Session};
use crate::transport::{
    LoginReach, LoginRequest, Probe, Transport, TransportCapability, TransportError, TransportMode,
};

/// Something that happened to an API user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::exhaustive_structs, reason = "an entry is written by naming what it holds")]
pub struct UsageEntry {
    /// When, by this machine's clock.
    pub at: Timestamp,
    /// Whose API user, by which way in.
    pub user: UserScope,
    /// Stands for the API user itself where several routes lead to the same portal with it: the portal counts its logins
    /// together. A digest, from which the name is not to be had.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// What.
    pub what: Usage,
}

impl UsageEntry {
    /// Something that happened to a user of one route.
    #[must_use]
    pub const fn new(at: Timestamp, user: UserScope, what: Usage) -> Self {
        Self { at, user, account: None, what }
    }

    /// Whether both are of one API user in the eyes of the portal.
    #[must_use]
    pub fn is_of_the_user_of(&self, other: &Self) -> bool {
        self.user == other.user || (self.account.is_some() && self.account == other.account)
    }
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "these are what the portals count")]
pub enum Usage {
    /// A login was sent.
    Login,
    /// A login was accepted after one that had been refused.
    Accepted,
    /// The portal refused something.
    Refused {
        /// What was asked; nothing for a login.
        operation: Option<OperationKind>,
        /// Its codes, as sent.
        codes: Vec<String>,
        /// The class that decides.
        class: ErrorClass,
    },
}

/// Why the book could not be used. The work goes on: what this process has done itself is counted all the same.
#[derive(Debug, thiserror::Error)]
#[error("{book} cannot be used: {reason}")]
#[non_exhaustive]
pub struct UsageError {
    /// Which book.
    pub book: String,
    /// What was tried and what the system says.
    pub reason: String,
    /// The underlying error.
    #[source]
    pub source: Option<BoxError>,
}

impl UsageError {
    /// An error of a book.
    pub fn new(book: impl Into<String>, reason: impl Into<String>, source: Option<BoxError>) -> Self {
        Self { book: book.into(), reason: reason.into(), source }
    }
}

/// Keeps what accounts were used for, for all processes of an installation.
#[async_trait]
pub trait UsageBook: fmt::Debug + Send + Sync {
    /// Writes a login down, unless the book holds `most` of its user within `window` before it already, by whichever route
    /// ([`logins_that_count`]); answers until when there is none left in that case. Looking and writing are one step for all
    /// processes.
    ///
    /// # Errors
    /// [`UsageError`] when the book cannot be read or written; nothing is counted then.
    async fn spend_login(&self, login: &UsageEntry, window: Duration, most: Option<usize>)
    -> Result<Spent, UsageError>;

    /// Writes an entry down.
    ///
    /// # Errors
    /// [`UsageError`] when the book cannot be written.
    async fn note(&self, entry: UsageEntry) -> Result<(), UsageError>;

    /// What has happened since a moment, oldest first.
    ///
    /// # Errors
    /// [`UsageError`] when the book cannot be read.
    async fn since(&self, moment: Timestamp) -> Result<Vec<UsageEntry>, UsageError>;
}

/// What became of a wish to log in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "there is a login left or there is none")]
pub enum Spent {
    /// It is written down and may be sent.
    Counted,
    /// The budget is used up until this moment.
    UsedUp {
        /// When the oldest of the logins no longer counts.
        until: Timestamp,
    },
}

/// Which of these entries are logins that still count when another one of the same user is to be made, oldest first. One
/// that lies ahead was written before the clock was set back, and is as good as new.
#[must_use]
pub fn logins_that_count(entries: &[UsageEntry], login: &UsageEntry, window: Duration) -> Vec<Timestamp> {
    let now = login.at;
    let counts = |at: &Timestamp| later(*at, window).is_some_and(|end| end > now);
    let ours = entries.iter().filter(|entry| entry.what == Usage::Login && entry.is_of_the_user_of(login));
    let mut logins: Vec<Timestamp> = ours.map(|entry| entry.at.min(now)).filter(counts).collect();
    logins.sort_unstable();
    logins
}

/// How many tokens of a user were refused with a login after each, when another login is to be made within `window`: so
/// many were ended by somebody else, as each login of one system ends the token of another one with the same user. Refusals
/// without a login in between are workers of ours that met the end of one token.
#[must_use]
pub fn tokens_ended(entries: &[UsageEntry], login: &UsageEntry, window: Duration) -> usize {
    let counts = |at: Timestamp| later(at.min(login.at), window).is_some_and(|end| end > login.at);
    let mut ours: Vec<&UsageEntry> =
        entries.iter().filter(|entry| entry.is_of_the_user_of(login) && counts(entry.at)).collect();
    ours.sort_by_key(|entry| entry.at);
    let (mut ended, mut is_refused) = (0, false);
    for what in ours.iter().map(|entry| &entry.what).chain([&login.what]) {
        match what {
            Usage::Refused { operation: Some(_), class: ErrorClass::TokenExpired, .. } => is_refused = true,
            Usage::Login => ended += usize::from(std::mem::take(&mut is_refused)),
            Usage::Refused { .. } | Usage::Accepted => {}
        }
    }
    ended
}

/// How long a GSTIN is left alone after code 118 ("try after 5 minutes") or a like one.
pub const RATE_LIMIT_PAUSE: Duration = Duration::from_mins(5);

/// How long a GSTIN is left alone after code 658, by which the e-way bill system blocks who calls too often.
pub const BLOCKED_PAUSE: Duration = Duration::from_mins(15);

/// How long a GSTIN is left alone after a refusal for too many calls; nothing for any other refusal.
#[must_use]
pub fn gate_after<'c>(codes: impl IntoIterator<Item = &'c str>, class: ErrorClass) -> Option<Duration> {
    const BLOCKED: &str = "658";
    match class {
        ErrorClass::RateLimit if codes.into_iter().any(|code| code == BLOCKED) => Some(BLOCKED_PAUSE),
        ErrorClass::RateLimit => Some(RATE_LIMIT_PAUSE),
        _ => None,
    }
}

/// The latest gate that is still closed for a user at `now`: until when, and the codes that closed it.
#[must_use]
pub fn closed_gate<'e>(
    entries: &'e [UsageEntry],
    user: &UserScope,
    now: Timestamp,
) -> Option<(Timestamp, &'e [String])> {
    let gate = |entry: &'e UsageEntry| match &entry.what {
        Usage::Refused { codes, class, .. } if entry.user == *user => {
            let until = later(entry.at.min(now), gate_after(codes.iter().map(String::as_str), *class)?)?;
            (until > now).then_some((until, codes.as_slice()))
        }
        _ => None,
    };
    entries.iter().filter_map(gate).max_by_key(|(until, _)| *until)
}

/// The time over which tokens are counted that somebody else ended. Longer than [`LOGIN_WINDOW`]: a run that is started
/// every quarter of an hour takes part in such a storm, too.
pub const STORM_WINDOW: SignedDuration = SignedDuration::from_hours(1);

/// Stands for an API user in the book, whichever route it comes by.
fn account(user: &UserScope, name: &str) -> String {
    let UserScope { gstin, product, environment, .. } = user;
    let whole = format!("einvoice usage\n{environment}\n{product}\n{gstin}\n{name}");
    let digest = digest::digest(&digest::SHA256, whole.as_bytes());
    digest.as_ref().iter().take(8).fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}

/// A transport whose logins and refusals are written into a book, and whose logins are held back when the book says so.
#[derive(Debug)]
pub struct Metered {
    inner: Arc<dyn Transport>,
    book: Arc<dyn UsageBook>,
    clock: SharedClock,
    route: RouteName,
    environment: Environment,
    /// Whether the book may hold something back. Where nobody's account is at stake it only counts.
    protects: bool,
    /// Users whose gates were looked up: what happens later this process sees itself.
    greeted: Mutex<HashSet<UserScope>>,
}

impl Metered {
    /// Wraps a transport. With `protects` a login beyond [`LOGINS_MAX`] in [`LOGIN_WINDOW`], or a first call behind a
    /// gate that another process saw closed, is held back; without, everything is only counted.
    #[must_use]
    pub fn new(
        inner: Arc<dyn Transport>,
        book: Arc<dyn UsageBook>,
        clock: SharedClock,
        route: RouteName,
        environment: Environment,
        protects: bool,
    ) -> Self {
        Self { inner, book, clock, route, environment, protects, greeted: Mutex::default() }
    }

    fn user(&self, access: &Access, product: Product) -> UserScope {
        UserScope { gstin: access.gstin(), product, environment: self.environment, route: self.route.clone() }
    }

    /// Holds back what would knock at a gate that another process, or an earlier run, has seen closed.
    async fn pass_gate(&self, user: &UserScope) -> Result<(), TransportError> {
        if !self.protects || self.with_greeted(|greeted| greeted.contains(user)) {
            return Ok(());
        }
        let now = self.clock.now();
        let entries = match self.book.since(now.checked_sub(BLOCKED_PAUSE).unwrap_or(now)).await {
            Ok(entries) => entries,
            Err(error) => {
                events::usage_not_kept(&error.to_string());
                return Ok(());
            }
        };
        if let Some((until, codes)) = closed_gate(&entries, user, now) {
            let (gstin, route, codes) = (user.gstin, &self.route, codes.join(", "));
            return Err(TransportError::HeldBack {
                reason: format!(
                    "the portal refused {gstin} on route {route} for too many calls ({codes}); it is left alone until \
                     {} IST",
                    PortalTime::at(until)
                ),
            });
        }
        self.with_greeted(|greeted| greeted.insert(user.clone()));
        Ok(())
    }

    fn with_greeted<T>(&self, act: impl FnOnce(&mut HashSet<UserScope>) -> T) -> T {
        act(&mut self.greeted.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// A login as it is written down. Several routes may lead straight to one portal with one API user.
    fn entry_of_login(&self, access: &Access, user: &UserScope) -> UsageEntry {
        let is_direct = self.capability().mode == TransportMode::Direct;
        let account = is_direct.then(|| account(user, access.user().user_name.expose()));
        UsageEntry { account, ..UsageEntry::new(self.clock.now(), user.clone(), Usage::Login) }
    }

    /// Holds a login back where those before it were each followed by the end of their token.
    async fn pass_storm(&self, login: &UsageEntry) -> Result<(), TransportError> {
        let now = login.at;
        let Ok(entries) = self.book.since(now.checked_sub(STORM_WINDOW).unwrap_or(now)).await else { return Ok(()) };
        let window = Duration::try_from(STORM_WINDOW).unwrap_or_default();
        if tokens_ended(&entries, login, window) < EARLY_ENDS_MAX {
            return Ok(());
        }
        let UserScope { gstin, product, .. } = login.user;
        let within = format!("{} minutes, processes before this one included", STORM_WINDOW.as_mins());
        Err(TransportError::HeldBack { reason: shared_user(gstin, product, &self.route, &within, "") })
    }

    async fn spend_login(&self, login: &UsageEntry, most: Option<usize>) -> Result<(), TransportError> {
        let user = &login.user;
        let window = Duration::try_from(LOGIN_WINDOW).unwrap_or_default();
        match self.book.spend_login(login, window, most).await {
            Ok(Spent::Counted) => Ok(()),
            Ok(Spent::UsedUp { until }) => Err(TransportError::HeldBack {
                reason: format!(
                    "{LOGINS_MAX} logins for {} on route {} within {} minutes, other processes and other routes of the \
                     same API user included; the next one waits until {} IST to protect the account (`einvoice quota` shows them)",
                    user.gstin,
                    self.route,
                    LOGIN_WINDOW.as_mins(),
                    PortalTime::at(until)
                ),
            }),
            Err(error) => {
                events::usage_not_kept(&error.to_string());
                Ok(())
            }
        }
    }

    async fn note_refusal(&self, user: UserScope, operation: Option<OperationKind>, errors: &[PortalError]) {
        // What only the HTTP status says is told apart from a word of the portal or the provider.
        let code = |error: &PortalError| {
            if error.by_status && !error.code.starts_with(BY_STATUS) {
                return format!("{BY_STATUS}{}", error.code);
            }
            error.code.clone()
        };
        let codes = errors.iter().map(code).collect();
        let what = Usage::Refused { operation, codes, class: deciding_class(errors) };
        if let Err(error) = self.book.note(UsageEntry::new(self.clock.now(), user, what)).await {
            events::usage_not_kept(&error.to_string());
        }
    }
}

#[async_trait]
impl Transport for Metered {
    fn capability(&self) -> &TransportCapability {
        self.inner.capability()
    }

    async fn login(&self, request: LoginRequest<'_>) -> Result<Session, TransportError> {
        let user = self.user(request.access, request.product);
        self.pass_gate(&user).await?;
        if self.capability().login_reach(request.product) != LoginReach::Nobody {
            let login = self.entry_of_login(request.access, &user);
            if self.protects && !request.force_refresh {
                self.pass_storm(&login).await?;
            }
            self.spend_login(&login, self.protects.then_some(LOGINS_MAX)).await?;
        }
        let result = self.inner.login(request).await;
        if let Err(TransportError::Refused { errors, .. }) = &result {
            self.note_refusal(user, None, errors).await;
        }
        result
    }

    async fn call(&self, session: &Session, operation: &Operation) -> Result<Reply, TransportError> {
        let kind = operation.kind();
        let user = self.user(session.access(), kind.product());
        self.pass_gate(&user).await?;
        let result = self.inner.call(session, operation).await;
        if let Err(TransportError::Refused { errors, .. }) = &result {
            self.note_refusal(user, Some(kind), errors).await;
        }
        result
    }

    /// A rehearsal is refused on purpose and keeps a pace of its own: its logins are counted and not held back, and of its
    /// refusals only those for too many calls are written down.
    async fn call_raw(&self, session: &Session, call: &RawCall) -> Result<RawAnswer, TransportError> {
        let (product, operation) = match &call.target {
            RawTarget::Operation { kind, .. } => (kind.product(), Some(*kind)),
            RawTarget::Login => (Product::EInvoice, None),
        };
        // What is not sent spends nothing.
        self.inner.capability().admit_raw(call)?;
        let user = self.user(session.access(), product);
        self.pass_gate(&user).await?;
        if operation.is_none() {
            self.spend_login(&self.entry_of_login(session.access(), &user), None).await?;
        }
        let result = self.inner.call_raw(session, call).await;
        if let Err(TransportError::Refused { errors, .. }) = &result
            && deciding_class(errors) == ErrorClass::RateLimit
        {
            self.note_refusal(user, operation, errors).await;
        }
        result
    }

    async fn provider_token(&self, access: &Access) -> Option<ProviderToken> {
        self.inner.provider_token(access).await
    }

    async fn probe(&self) -> Result<Probe, TransportError> {
        self.inner.probe().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + minute * 60).unwrap()
    }

    fn user(route: &str) -> UserScope {
        UserScope {
            gstin: "29AABCE1234F1Z1".parse().unwrap(),
            product: Product::EInvoice,
            environment: Environment::Sandbox,
            route: RouteName::new(route),
        }
    }

    fn login(route: &str, minute: i64) -> UsageEntry {
        UsageEntry::new(at(minute), user(route), Usage::Login)
    }

    fn refused(minute: i64, code: &str) -> UsageEntry {
        let codes = vec![code.to_owned()];
        let what = Usage::Refused { operation: None, class: ErrorClass::of(code), codes };
        UsageEntry::new(at(minute), user("nic"), what)
    }

    #[test]
    fn logins_of_one_user_count_for_the_length_of_the_window() {
        let entries = [login("nic", 0), login("gsp", 3), login("nic", 10), login("nic", 40), refused(12, "1005")];
        let count = |minute| logins_that_count(&entries, &login("nic", minute), Duration::from_mins(15));
        assert_eq!(count(14), [at(0), at(10), at(14)], "one that lies ahead is as good as new");
        assert_eq!(count(15), [at(10), at(15)]);
        assert_eq!(count(25), [at(25)]);
        assert_eq!(count(55), []);
    }

    #[test]
    fn logins_of_one_api_user_count_by_whichever_route_they_went() {
        let by = |route, account: Option<&str>, minute| UsageEntry {
            account: account.map(str::to_owned),
            ..login(route, minute)
        };
        let entries =
            [by("nic1", Some("a"), 0), by("nic2", Some("a"), 1), by("nic2", Some("b"), 2), by("gsp", None, 3)];
        let count = |entry: UsageEntry| logins_that_count(&entries, &entry, Duration::from_mins(15)).len();
        assert_eq!(count(by("nic1", Some("a"), 5)), 2);
        assert_eq!(count(by("nic3", Some("b"), 5)), 1);
        assert_eq!(count(by("gsp", None, 5)), 1);
        assert_ne!(account(&user("nic1"), "API_one"), account(&user("nic1"), "API_two"));
        assert_eq!(account(&user("nic1"), "API_one"), account(&user("nic2"), "API_one"));
        assert!(!account(&user("nic1"), "API_one").contains("one"));
    }

    #[test]
    fn tokens_that_somebody_else_ended_are_told_from_workers_that_met_one_end() {
        let ended = |minute| UsageEntry {
            what: Usage::Refused {
                operation: Some(OperationKind::GetIrn),
                codes: vec!["1005".to_owned()],
                class: ErrorClass::TokenExpired,
            },
            ..login("nic", minute)
        };
        let hour = Duration::from_hours(1);
        // A run every five minutes against another system with the same user.
        let storm = [login("nic", 0), ended(5), login("nic", 5), ended(10), login("nic", 10), ended(15)];
        assert_eq!(tokens_ended(&storm, &login("nic", 15), hour), 3);
        assert_eq!(tokens_ended(&storm[..4], &login("nic", 10), hour), 2);
        assert_eq!(tokens_ended(&storm, &login("nic", 71), hour), 1, "those before are long over");
        // One renewal, met by three other workers.
        let workers = [login("nic", 0), ended(1), ended(1), ended(1)];
        assert_eq!(tokens_ended(&workers, &login("nic", 2), hour), 1);
        assert_eq!(tokens_ended(&storm, &login("gsp", 15), hour), 0);
    }

    #[test]
    fn a_gate_is_closed_as_long_as_its_code_asks_for_and_for_its_own_user() {
        let entries = [refused(0, "118"), refused(2, "658"), refused(3, "2150")];
        assert_eq!(closed_gate(&entries, &user("nic"), at(4)).map(|(until, _)| until), Some(at(17)));
        assert_eq!(closed_gate(&entries, &user("nic"), at(17)), None);
        assert_eq!(closed_gate(&entries, &user("gsp"), at(4)), None);
        assert_eq!(closed_gate(&entries[..1], &user("nic"), at(5)), None);
    }

    #[test]
    fn an_entry_survives_being_written_and_read() {
        for entry in [login("nic", 1), refused(2, "118")] {
            let line = serde_json::to_string(&entry).unwrap();
            assert_eq!(serde_json::from_str::<UsageEntry>(&line).unwrap(), entry, "{line}");
        }
    }
}
