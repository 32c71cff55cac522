//! The contract of a way to the portal.
//!
//! A [`Transport`] logs in and carries [`Operation`]s. It neither retries nor keeps tokens: that is
//! the work of [`crate::access`], which wraps every transport alike. It neither judges documents nor
//! believes replies: that is [`crate::rulebook`]'s and [`crate::verify`]'s work.

mod capability;

use std::fmt;

use async_trait::async_trait;

pub use self::capability::{LoginReach, TransportCapability, TransportMode};
use crate::BoxError;
use crate::credential::{Access, CredentialError};
use crate::environment::Product;
use crate::operation::{InfoDetail, Operation, OperationKind, Reply};
use crate::portal_code::{ErrorClass, PortalError, deciding_class};
use crate::raw::{RawAnswer, RawCall};
use crate::session::{ProviderToken, SavedSession, Session};

/// A way to the portal: direct, through a GSP, through a provider's API, or the emulator.
#[async_trait]
pub trait Transport: fmt::Debug + Send + Sync {
    /// What this transport can do. Constant over its life and answered without a network call.
    fn capability(&self) -> &TransportCapability;

    /// Logs in and returns a session.
    ///
    /// A repeated login inside the life of a token returns that token; `request.previous` is the
    /// session last known for the same user, needed where the portal wraps the SEK with the AppKey
    /// of the first login.
    ///
    /// # Errors
    /// Any [`TransportError`]; a login never changes the portal's books, so none of them leaves an
    /// outcome open.
    ///
    /// # Cancellation
    /// Dropping the future may leave a valid token at the portal; the next login returns it.
    async fn login(&self, request: LoginRequest<'_>) -> Result<Session, TransportError>;

    /// Carries one operation.
    ///
    /// # Errors
    /// [`TransportError::Unsupported`] without a network call for what [`Self::capability`] denies.
    /// A refusal by the portal is [`TransportError::Refused`], never a reply.
    ///
    /// # Cancellation
    /// Dropping the future after the request has left means that its outcome is not known; a caller
    /// that may drop it must have stored an intent first.
    async fn call(&self, session: &Session, operation: &Operation) -> Result<Reply, TransportError>;

    /// Carries a call as it is, for a rehearsal of what the portal refuses. A transport that speaks the portal's own
    /// protocol can do so; the others need not, and do not unless they say so.
    ///
    /// # Errors
    /// [`TransportError::HeldBack`] without a network call in production and where the capability denies it
    /// ([`TransportCapability::admit_raw`]); else as [`Self::call`].
    ///
    /// # Cancellation
    /// As [`Self::call`].
    async fn call_raw(&self, _session: &Session, _call: &RawCall) -> Result<RawAnswer, TransportError> {
        Err(raw_calls_denied())
    }

    /// The token of the account at a GSP or provider that the next call would carry, where the provider wants a login of
    /// its own; none where there is no such login, or the next call has to make one. A call may renew it in the middle
    /// of a session: [`crate::access`] then keeps it for other workers.
    async fn provider_token(&self, _access: &Access) -> Option<ProviderToken> {
        None
    }

    /// Asks whether the portal answers at all (heartbeat). Needs no session.
    ///
    /// # Errors
    /// [`TransportError::NotSent`] or [`TransportError::NoAnswer`] when it does not.
    async fn probe(&self) -> Result<Probe, TransportError>;
}

/// What a login needs.
#[derive(Debug, Clone, Copy)]
pub struct LoginRequest<'a> {
    /// Client pair and API user.
    pub access: &'a Access,
    /// Which of the two government systems to log in to.
    pub product: Product,
    /// Ask for a new token. The portal honours it only in the last ten minutes of the old one.
    pub force_refresh: bool,
    /// The session last known for this user, expired or not.
    pub previous: Option<&'a SavedSession>,
}

/// An answer to [`Transport::probe`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probe {
    /// Where the answer came from.
    pub endpoint: String,
    /// What the portal said, cut to 200 characters.
    pub text: String,
}

/// The refusal of a call as it is, where the transport has no way to send one.
#[must_use]
pub fn raw_calls_denied() -> TransportError {
    let reason = "this route sends only what a right program sends, so no refusal can be rehearsed on it; use one that \
                  speaks the portal's own protocol, `direct` or `sandbox`, or one through a provider that passes the \
                  portal's content on";
    TransportError::HeldBack { reason: reason.to_owned() }
}

/// The refusal of a call as it is where production is at the end of the route.
pub(crate) fn raw_calls_in_production(route: &str) -> TransportError {
    let reason = format!("{route} leads to production, where no call is made to see it refused");
    TransportError::HeldBack { reason }
}

/// May the call be sent again?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "these three answers are the whole question")]
pub enum Retry {
    /// Nothing reached the portal, or nothing there can have changed: sending again is safe.
    Safe,
    /// It may have been done: ask the portal by document before sending again.
    AskFirst,
    /// Sending the same again is useless or harmful: somebody must change something first.
    Never,
}

/// Whose move is it?
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "nobody else takes part")]
pub enum Owner {
    /// Whoever runs this program: configuration, network, or a fault of ours.
    Us,
    /// The taxpayer: the document, or the registration at the portal.
    Taxpayer,
    /// The GSP or provider in between.
    Provider,
    /// The portal itself.
    Portal,
}

/// Whom else a refusal concerns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(clippy::exhaustive_enums, reason = "there is nothing between these four")]
pub enum Reach {
    /// Nobody: the answer is about this document, this question, or this moment.
    Call,
    /// Every call of this GSTIN: its API user, its registration, its rate.
    Gstin,
    /// Every GSTIN that shares the client pair.
    Client,
    /// Everybody on the route: its keys, its way of sealing, its site.
    Route,
}

/// Why a call brought no result.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TransportError {
    /// The transport does not carry this operation. No network call was made.
    #[error("{operation} is not supported by this route")]
    Unsupported {
        /// What was asked.
        operation: OperationKind,
    },
    /// Nothing was sent: the connection could not be made, or the request could not be built.
    #[error("nothing was sent to {endpoint}: {reason}")]
    NotSent {
        /// Where the call was to go.
        endpoint: String,
        /// What went wrong, for a person.
        reason: String,
        /// The underlying error.
        #[source]
        source: Option<BoxError>,
    },
    /// The request left, or may have left, and no answer came back.
    #[error("no answer from {endpoint}: {reason}")]
    NoAnswer {
        /// Where the call went.
        endpoint: String,
        /// What went wrong, for a person.
        reason: String,
        /// Whether the call may have changed the portal's books.
        changes_books: bool,
        /// The underlying error.
        #[source]
        source: Option<BoxError>,
    },
    /// An answer came back that is none of the portal's: an HTML page, a cut body, a body that does
    /// not open with our session key.
    #[error("the answer of {endpoint} cannot be read: {reason}")]
    BadAnswer {
        /// Where the call went.
        endpoint: String,
        /// HTTP status, when there was one.
        http_status: Option<u16>,
        /// What is wrong with it, for a person, with a short masked excerpt at most.
        reason: String,
        /// Whether the call may have changed the portal's books.
        changes_books: bool,
    },
    /// The portal said no.
    #[error("refused: {}", list(.errors))]
    Refused {
        /// What was asked; `None` for a login.
        operation: Option<OperationKind>,
        /// The portal's errors, verbatim.
        errors: Vec<PortalError>,
        /// What it said beside them.
        info: Vec<InfoDetail>,
    },
    /// A local limit protects the account, so nothing was sent.
    #[error("held back: {reason}")]
    HeldBack {
        /// Which limit, and until when.
        reason: String,
    },
    /// The credentials are missing or cannot be read. Nothing was sent.
    #[error(transparent)]
    Credential(#[from] CredentialError),
}

/// Codes by which a portal says of a login that it cannot open what was sealed. Their published class is
/// that of wrong credentials; yet they come of another key for logins than the portal's own, which
/// concerns the route and not the taxpayer.
const LOGIN_DOES_NOT_OPEN: [&str; 3] = ["1013", "1016", "1020"];

fn list(errors: &[PortalError]) -> String {
    if errors.is_empty() {
        return "without an error code".to_owned();
    }
    errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

impl TransportError {
    /// The class of a refusal; `None` for everything that is not one.
    #[must_use]
    pub fn class(&self) -> Option<ErrorClass> {
        match self {
            Self::Refused { operation: None, errors, .. }
                if errors
                    .iter()
                    .any(|error| error.of_provider.is_none() && LOGIN_DOES_NOT_OPEN.contains(&error.code.as_str())) =>
            {
                Some(ErrorClass::PayloadOrCrypto)
            }
            Self::Refused { errors, .. } => Some(deciding_class(errors)),
            _ => None,
        }
    }

    /// The portal's errors, when it said no.
    #[must_use]
    pub fn portal_errors(&self) -> &[PortalError] {
        match self {
            Self::Refused { errors, .. } => errors,
            _ => &[],
        }
    }

    /// Whether a call that writes was refused by nothing but an HTTP status ([`PortalError::by_status`]): it may have been
    /// done all the same, whatever the class of the refusal.
    #[must_use]
    pub fn is_unproven(&self) -> bool {
        match self {
            Self::Refused { operation, errors, .. } => {
                operation.is_some_and(OperationKind::changes_books) && errors.iter().any(|error| error.by_status)
            }
            _ => false,
        }
    }

    /// Whom else it concerns: who is to be left alone until somebody has mended something.
    #[must_use]
    pub fn reach(&self) -> Reach {
        match (self, self.class()) {
            (Self::Credential(CredentialError::Unreachable { .. }), _) => Reach::Call,
            (Self::Unsupported { .. } | Self::Credential(_), _) => Reach::Gstin,
            (
                Self::Refused { errors, .. },
                Some(
                    ErrorClass::TokenExpired
                    | ErrorClass::Auth
                    | ErrorClass::ClientConfig
                    | ErrorClass::PayloadOrCrypto
                    | ErrorClass::RateLimit,
                ),
            ) => errors.iter().map(reach_of).max().unwrap_or(Reach::Call),
            _ => Reach::Call,
        }
    }

    /// May the same call be sent again?
    #[must_use]
    pub fn retry(&self) -> Retry {
        match self {
            Self::NotSent { .. } | Self::HeldBack { .. } | Self::Credential(CredentialError::Unreachable { .. }) => {
                Retry::Safe
            }
            Self::Unsupported { .. } | Self::Credential(_) => Retry::Never,
            Self::NoAnswer { changes_books, .. } | Self::BadAnswer { changes_books, .. } => {
                if *changes_books {
                    Retry::AskFirst
                } else {
                    Retry::Safe
                }
            }
            Self::Refused { .. } if self.is_unproven() => Retry::AskFirst,
            Self::Refused { operation, .. } => {
                let writes = operation.is_some_and(OperationKind::changes_books);
                match self.class().unwrap_or(ErrorClass::Unknown) {
                    ErrorClass::Transient | ErrorClass::UpstreamTransient if !writes => Retry::Safe,
                    ErrorClass::Transient
                    | ErrorClass::UpstreamTransient
                    | ErrorClass::Duplicate
                    | ErrorClass::Ewb
                    | ErrorClass::Unknown
                        if writes =>
                    {
                        Retry::AskFirst
                    }
                    ErrorClass::RateLimit | ErrorClass::TokenExpired => Retry::Safe,
                    _ => Retry::Never,
                }
            }
        }
    }

    /// Whose move is it?
    #[must_use]
    pub fn owner(&self) -> Owner {
        match self {
            Self::Unsupported { .. } | Self::NotSent { .. } | Self::HeldBack { .. } | Self::Credential(_) => Owner::Us,
            Self::NoAnswer { .. } | Self::BadAnswer { .. } => Owner::Portal,
            Self::Refused { errors, .. } if spoken_by_provider(errors) => Owner::Provider,
            Self::Refused { .. } => match self.class().unwrap_or(ErrorClass::Unknown) {
                ErrorClass::Transient
                | ErrorClass::UpstreamTransient
                | ErrorClass::OfficerOnly
                | ErrorClass::RateLimit => Owner::Portal,
                ErrorClass::ClientConfig
                | ErrorClass::PayloadOrCrypto
                | ErrorClass::TokenExpired
                | ErrorClass::Duplicate
                | ErrorClass::NotFound
                | ErrorClass::WrongSystem => Owner::Us,
                _ => Owner::Taxpayer,
            },
        }
    }

    /// Whether the portal or the way to it is out of order, as opposed to saying no. A credential store that does not
    /// answer is on that way.
    #[must_use]
    pub fn is_unreachable(&self) -> bool {
        match self {
            Self::NotSent { .. }
            | Self::NoAnswer { .. }
            | Self::BadAnswer { .. }
            | Self::Credential(CredentialError::Unreachable { .. }) => true,
            Self::Refused { errors, .. } => matches!(
                deciding_class(errors),
                ErrorClass::Transient | ErrorClass::UpstreamTransient | ErrorClass::RateLimit
            ),
            _ => false,
        }
    }
}

/// Whether what decides was said by a GSP or provider of itself, and is its move: it or what is behind it is down, or
/// the account there wants something. What it says of the taxpayer's credentials or document is the taxpayer's.
fn spoken_by_provider(errors: &[PortalError]) -> bool {
    errors.iter().max_by_key(|error| error.class().caution()).is_some_and(|error| {
        matches!(
            error.of_provider,
            Some(
                ErrorClass::Transient
                    | ErrorClass::UpstreamTransient
                    | ErrorClass::RateLimit
                    | ErrorClass::ClientConfig
                    | ErrorClass::Permission
                    | ErrorClass::Unknown
            )
        )
    })
}

/// The portal's login counts all of these as wrong credentials; their texts (NIC, list of error codes)
/// say whose they are.
fn reach_of(error: &PortalError) -> Reach {
    match error.code.as_str() {
        _ if error.of_provider.is_some() => reach_of_class(error.class()),
        // Client id and secret, wrong or missing.
        "1010" | "1011" | "1012" => Reach::Client,
        // What was encrypted with the portal's key could not be decrypted; the site header is wrong.
        "1013" | "1016" | "1020" | "3098" => Reach::Route,
        // This GSTIN is not registered to this GSP.
        "111" => Reach::Gstin,
        _ => reach_of_class(error.class()),
    }
}

const fn reach_of_class(class: ErrorClass) -> Reach {
    match class {
        ErrorClass::PayloadOrCrypto => Reach::Route,
        ErrorClass::ClientConfig => Reach::Client,
        ErrorClass::TokenExpired | ErrorClass::Auth | ErrorClass::RateLimit => Reach::Gstin,
        _ => Reach::Call,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(operation: Option<OperationKind>, code: &str) -> TransportError {
        TransportError::Refused { operation, errors: vec![PortalError::new(code, "text")], info: Vec::new() }
    }

    #[test]
    fn a_lost_reply_to_a_write_is_asked_about_and_to_a_read_is_repeated() {
        let lost = |changes_books| TransportError::NoAnswer {
            endpoint: "portal".into(),
            reason: "timed out".into(),
            changes_books,
            source: None,
        };
        assert_eq!(lost(true).retry(), Retry::AskFirst);
        assert_eq!(lost(false).retry(), Retry::Safe);
    }

    #[test]
    fn a_validation_refusal_is_the_taxpayers_move_and_never_sent_again() {
        let error = refused(Some(OperationKind::GenerateIrn), "2172");
        assert_eq!((error.retry(), error.owner()), (Retry::Never, Owner::Taxpayer));
    }

    #[test]
    fn a_login_that_the_portal_cannot_open_is_our_move() {
        for code in ["1013", "1016", "1020"] {
            let error = refused(None, code);
            assert_eq!(error.class(), Some(ErrorClass::PayloadOrCrypto), "{code}");
            assert_eq!((error.retry(), error.owner()), (Retry::Never, Owner::Us), "{code}");
        }
        let password = refused(None, "1019");
        assert_eq!((password.class(), password.owner()), (Some(ErrorClass::Auth), Owner::Taxpayer));
    }

    #[test]
    fn a_code_nobody_knows_after_a_write_is_asked_about() {
        assert_eq!(refused(Some(OperationKind::GenerateIrn), "7777").retry(), Retry::AskFirst);
        assert_eq!(refused(Some(OperationKind::GetIrn), "7777").retry(), Retry::Never);
    }

    #[test]
    fn an_unclear_end_of_a_write_is_asked_about_whatever_names_it() {
        for code in ["5001", "240", "2150", "4002"] {
            let class = deciding_class(&[PortalError::new(code, "")]);
            assert_eq!(refused(Some(OperationKind::GenerateIrn), code).retry(), Retry::AskFirst, "{code} {class:?}");
        }
    }

    #[test]
    fn a_refusal_reaches_as_far_as_what_was_refused_is_shared() {
        for (code, reach) in [
            ("2172", Reach::Call),
            ("2150", Reach::Call),
            ("5001", Reach::Call),
            ("1005", Reach::Gstin),
            ("1019", Reach::Gstin),
            ("118", Reach::Gstin),
            ("111", Reach::Gstin),
            ("1010", Reach::Client),
            ("110", Reach::Client),
            ("1013", Reach::Route),
            ("1020", Reach::Route),
            ("5003", Reach::Route),
            ("3098", Reach::Route),
        ] {
            assert_eq!(refused(None, code).reach(), reach, "{code}");
        }
        assert!(Reach::Gstin < Reach::Client && Reach::Client < Reach::Route);
    }

    #[test]
    fn what_a_provider_says_of_its_own_account_is_its_move_and_what_it_says_of_a_document_is_not() {
        let of = |class| TransportError::Refused {
            operation: Some(OperationKind::GenerateIrn),
            errors: vec![PortalError::of_provider("1010", "text", class)],
            info: Vec::new(),
        };
        let quota = of(ErrorClass::ClientConfig);
        assert_eq!((quota.owner(), quota.reach()), (Owner::Provider, Reach::Client));
        let down = of(ErrorClass::UpstreamTransient);
        assert_eq!((down.owner(), down.retry(), down.is_unreachable()), (Owner::Provider, Retry::AskFirst, true));
        let document = of(ErrorClass::Validation);
        assert_eq!(
            (document.owner(), document.reach(), document.retry()),
            (Owner::Taxpayer, Reach::Call, Retry::Never)
        );
        assert_eq!(of(ErrorClass::Auth).owner(), Owner::Taxpayer);
        let unsupported = of(ErrorClass::Permission);
        assert_eq!((unsupported.owner(), unsupported.reach()), (Owner::Provider, Reach::Call));
    }

    #[test]
    fn a_write_refused_by_the_http_status_alone_is_asked_about_and_a_read_is_not() {
        let refused = |operation, class| TransportError::Refused {
            operation,
            errors: vec![PortalError::by_status(401, "", class)],
            info: Vec::new(),
        };
        for class in ErrorClass::ALL {
            let write = refused(Some(OperationKind::GenerateIrn), class);
            assert_eq!((write.is_unproven(), write.retry()), (true, Retry::AskFirst), "{class}");
            for reading in [Some(OperationKind::GetIrn), None] {
                let read = refused(reading, class);
                assert_eq!((read.is_unproven(), read.retry() == Retry::AskFirst), (false, false), "{class}");
            }
        }
    }

    #[test]
    fn nothing_sent_is_safe_to_send_again() {
        let error = TransportError::NotSent { endpoint: "p".into(), reason: "refused".into(), source: None };
        assert_eq!((error.retry(), error.owner()), (Retry::Safe, Owner::Us));
        assert!(error.is_unreachable());
    }
}
