//! What an account was used for lately: logins and refusals, kept where every process of an installation sees them.
//!
//! The portals watch logins and faulty calls and block accounts; neither limit is published in full. A process can
//! count its own, and several processes, or one that is started again and again, are one user to the portal. So a
//! [`UsageBook`] outlives them, and [`Metered`] wraps every transport: a login is written down before it is sent, and
//! held back when the others have used the budget up; a refusal is written down with its codes.
//!
//! The book holds no secret and no document: who, when, which operation, which codes.

use std::collections::HashSet;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::BoxError;
use crate::access::{LOGIN_WINDOW, LOGINS_MAX};
use crate::clock::{SharedClock, later};
use crate::credential::{Access, UserScope};
use crate::date::PortalTime;
use crate::environment::{Environment, Product, RouteName};
use crate::events;
use crate::operation::{Operation, OperationKind, Reply};
use crate::portal_code::{ErrorClass, PortalError, deciding_class};
use crate::raw::{RawAnswer, RawCall, RawTarget};
use crate::session::{ProviderToken, Session};
use crate::transport::{LoginReach, LoginRequest, Probe, Transport, TransportCapability, TransportError};

/// Something that happened to an API user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::exhaustive_structs, reason = "an entry is written by naming what it holds")]
pub struct UsageEntry {
    /// When, by this machine's clock.
    pub at: Timestamp,
    /// Whose API user, by which way in.
    pub user: UserScope,
    /// What.
    pub what: Usage,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "these are what the portals count")]
pub enum Usage {
    /// A login was sent.
    Login,
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
    /// Writes a login down, unless the book holds `most` of this user within `window` before it already; answers
    /// until when there is none left in that case. Looking and writing are one step for all processes.
    ///
    /// # Errors
    /// [`UsageError`] when the book cannot be read or written; nothing is counted then.
    async fn spend_login(
        &self,
        user: &UserScope,
        now: Timestamp,
        window: Duration,
        most: Option<usize>,
    ) -> Result<Spent, UsageError>;

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

/// Which of these entries are logins of a user that still count at `now`, oldest first. One that lies ahead was
/// written before the clock was set back, and is as good as new.
#[must_use]
pub fn logins_that_count(entries: &[UsageEntry], user: &UserScope, now: Timestamp, window: Duration) -> Vec<Timestamp> {
    let counts = |at: &Timestamp| later(*at, window).is_some_and(|end| end > now);
    let ours = entries.iter().filter(|entry| entry.what == Usage::Login && entry.user == *user);
    let mut logins: Vec<Timestamp> = ours.map(|entry| entry.at.min(now)).filter(counts).collect();
    logins.sort_unstable();
    logins
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

    async fn spend_login(&self, user: &UserScope, most: Option<usize>) -> Result<(), TransportError> {
        let window = Duration::try_from(LOGIN_WINDOW).unwrap_or_default();
        match self.book.spend_login(user, self.clock.now(), window, most).await {
            Ok(Spent::Counted) => Ok(()),
            Ok(Spent::UsedUp { until }) => Err(TransportError::HeldBack {
                reason: format!(
                    "{LOGINS_MAX} logins for {} on route {} within {} minutes, other processes included; the next one \
                     waits until {} IST to protect the account (`einvoice quota` shows them)",
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
        let codes = errors.iter().map(|error| error.code.clone()).collect();
        let what = Usage::Refused { operation, codes, class: deciding_class(errors) };
        if let Err(error) = self.book.note(UsageEntry { at: self.clock.now(), user, what }).await {
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
            self.spend_login(&user, self.protects.then_some(LOGINS_MAX)).await?;
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
            self.spend_login(&user, None).await?;
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
        UsageEntry { at: at(minute), user: user(route), what: Usage::Login }
    }

    fn refused(minute: i64, code: &str) -> UsageEntry {
        let codes = vec![code.to_owned()];
        let what = Usage::Refused { operation: None, class: ErrorClass::of(code), codes };
        UsageEntry { at: at(minute), user: user("nic"), what }
    }

    #[test]
    fn logins_of_one_user_count_for_the_length_of_the_window() {
        let entries = [login("nic", 0), login("gsp", 3), login("nic", 10), login("nic", 40), refused(12, "1005")];
        let count = |minute| logins_that_count(&entries, &user("nic"), at(minute), Duration::from_mins(15));
        assert_eq!(count(14), [at(0), at(10), at(14)], "one that lies ahead is as good as new");
        assert_eq!(count(15), [at(10), at(15)]);
        assert_eq!(count(25), [at(25)]);
        assert_eq!(count(55), []);
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
