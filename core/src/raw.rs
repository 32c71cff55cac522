//! Calls as they are: nothing of them is checked, completed or repeated.
//!
//! A rehearsal has to see how a portal refuses, and so needs requests that no right program would send: a header left
//! out, a body that is no JSON, a document that breaks a rule. [`Transport::call_raw`](crate::transport::Transport)
//! sends such a [`RawCall`] to the page of an operation, or to the login. What the caller does not change is as it
//! always is, credentials included, which the caller never sees.
//!
//! Meant for a sandbox: [`Gateway::call_raw`](crate::access::Gateway::call_raw) refuses in production.

use bytes::Bytes;

use crate::environment::Product;
use crate::operation::{InfoDetail, OperationKind};
use crate::secret::Secret;

/// A request, by what differs from a right one.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct RawCall {
    /// Which page it goes to.
    pub target: RawTarget,
    /// Headers that are not as they should be; of two changes of one header the later counts.
    pub headers: Vec<HeaderChange>,
    /// The body.
    pub body: RawBody,
}

impl RawCall {
    /// A call with right headers.
    #[must_use]
    pub const fn new(target: RawTarget, body: RawBody) -> Self {
        Self { target, headers: Vec::new(), body }
    }
}

/// The page of a call.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum RawTarget {
    /// The login of the e-invoice system.
    Login,
    /// The page of an operation.
    Operation {
        /// Which one.
        kind: OperationKind,
        /// What comes behind its path, percent-encoded: `/` and an object, `?` and a query, or nothing.
        rest: String,
    },
}

impl RawTarget {
    /// Whose page it is.
    #[must_use]
    pub const fn product(&self) -> Product {
        match self {
            Self::Login => Product::EInvoice,
            Self::Operation { kind, .. } => kind.product(),
        }
    }
}

/// A header that is not as it should be.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct HeaderChange {
    /// Which header.
    pub header: RawHeader,
    /// Its value; nothing leaves the header out.
    pub value: Option<String>,
}

impl HeaderChange {
    /// Leaves a header out.
    #[must_use]
    pub const fn without(header: RawHeader) -> Self {
        Self { header, value: None }
    }

    /// Gives a header another value. The value is no secret: it is made up for the call.
    #[must_use]
    pub fn with(header: RawHeader, value: impl Into<String>) -> Self {
        Self { header, value: Some(value.into()) }
    }
}

/// The headers of the protocol, by what they hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum RawHeader {
    /// Client id.
    ClientId,
    /// Client secret.
    ClientSecret,
    /// GSTIN of the login.
    Gstin,
    /// Name of the API user.
    UserName,
    /// Token of the login.
    Token,
    /// The site that is meant (`irp`); a right call has none.
    Site,
}

impl RawHeader {
    /// The header's name as NIC's pages write it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ClientId => "client_id",
            Self::ClientSecret => "client_secret",
            Self::Gstin => "Gstin",
            Self::UserName => "user_name",
            Self::Token => "AuthToken",
            Self::Site => "irp",
        }
    }
}

/// The body of a call.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum RawBody {
    /// None: the call is a GET.
    None,
    /// Sealed with the session's key, as a right body is, whatever it says.
    Sealed(Bytes),
    /// A text in the place of what would be sealed.
    Data(String),
    /// The whole body, without any envelope.
    Whole(Bytes),
    /// A login of the right API user, with changes.
    Login {
        /// Members of the credentials that are not as they should be, by name: JSON in the place of the value, or
        /// nothing for a member that is left out.
        members: Vec<(&'static str, Option<String>)>,
        /// How they are sealed.
        sealing: LoginSealing,
    },
}

/// How the credentials of a login are sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum LoginSealing {
    /// As they should be.
    Right,
    /// Without the base64 inside the encryption.
    WithoutInnerBase64,
    /// Not encrypted, only base64.
    NotEncrypted,
}

/// The portal's yes to a call. Its no is [`TransportError::Refused`](crate::transport::TransportError::Refused).
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct RawAnswer {
    /// What it says, opened: JSON. That of a login holds the token, so it is a secret.
    pub data: Secret<String>,
    /// What it said beside it.
    pub info: Vec<InfoDetail>,
}

impl RawAnswer {
    /// An answer.
    #[must_use]
    pub const fn new(data: Secret<String>, info: Vec<InfoDetail>) -> Self {
        Self { data, info }
    }
}
