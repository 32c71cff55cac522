//! Calls as they are: nothing of them is checked, completed or repeated.
//!
//! A rehearsal has to see how a portal refuses, and so needs requests that no right program would send: a header left
//! out, a body that is no JSON, a document that breaks a rule. [`Transport::call_raw`](crate::transport::Transport)
//! sends such a [`RawCall`] to the page of an operation, or to the login. What the caller does not change is as it
//! always is, credentials included, which the caller never sees.
//!
//! Meant for a sandbox: [`Gateway::call_raw`](crate::access::Gateway::call_raw) refuses in production, and so does every
//! transport. What a transport can send as it is stands in its capability, as a set of [`RawPart`].

use std::collections::BTreeSet;

use bytes::Bytes;
use serde::de::IgnoredAny;

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

    /// What a transport must be able to do to send it.
    #[must_use]
    pub fn parts(&self) -> Vec<RawPart> {
        let product = self.target.product();
        let mut parts = match &self.target {
            RawTarget::Login => vec![RawPart::Login],
            RawTarget::Operation { kind, .. } => {
                let mut parts = vec![RawPart::Content(*kind)];
                if matches!(self.body, RawBody::None) && !self.target.asks_whole() {
                    parts.push(RawPart::Gap(*kind));
                }
                if !self.body.is_sealed_object() {
                    parts.push(RawPart::Envelope(product));
                }
                parts
            }
        };
        parts.extend(self.headers.iter().map(|change| RawPart::Header(product, change.header)));
        parts
    }
}

/// Something that a call may ask of a transport. One that speaks the portal's own protocol can do all of it; one through
/// a provider only what the provider passes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum RawPart {
    /// A login of the e-invoice system, whatever is wrong inside it.
    Login,
    /// A document or a question for the page of an operation, whatever it says.
    Content(OperationKind),
    /// A question there that lacks its object or one of its parameters.
    Gap(OperationKind),
    /// A body without the right envelope, or one that holds no JSON object.
    Envelope(Product),
    /// A header that is not as it should be.
    Header(Product, RawHeader),
}

impl RawPart {
    /// Everything that calls of these operations and of their system may ask.
    #[must_use]
    pub fn all(operations: &BTreeSet<OperationKind>) -> BTreeSet<Self> {
        let mut parts: BTreeSet<Self> =
            operations.iter().flat_map(|kind| [Self::Content(*kind), Self::Gap(*kind)]).collect();
        for product in operations.iter().map(|kind| kind.product()) {
            parts.insert(Self::Envelope(product));
            parts.extend(RawHeader::ALL.map(|header| Self::Header(product, header)));
            if product == Product::EInvoice {
                parts.insert(Self::Login);
            }
        }
        parts
    }

    /// Why a route through a provider lacks it, for a person.
    #[must_use]
    pub fn why_lacking(self) -> String {
        match self {
            Self::Login => "the provider makes the portal's login itself".to_owned(),
            Self::Content(kind) => format!("the provider does not take the portal's own form for {kind}"),
            Self::Gap(_) => "the provider asks for every parameter before the portal is asked".to_owned(),
            Self::Envelope(_) => "the provider makes the portal's envelope itself".to_owned(),
            Self::Header(_, header) => {
                format!("the provider reads or writes the header {} itself", header.name())
            }
        }
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

    /// The object in the path, percent-encoded; nothing where there is none, or an empty one.
    #[must_use]
    pub fn object(&self) -> Option<&str> {
        let Self::Operation { rest, .. } = self else { return None };
        rest.split('?').next()?.strip_prefix('/').filter(|object| !object.is_empty())
    }

    /// The parameters of the query, each with its value, percent-encoded.
    pub fn parameters(&self) -> impl Iterator<Item = (&str, &str)> {
        let rest = match self {
            Self::Operation { rest, .. } => rest.as_str(),
            Self::Login => "",
        };
        rest.split_once('?').into_iter().flat_map(|(_, query)| query.split('&')).filter_map(|pair| pair.split_once('='))
    }

    /// Whether a question names all that the portal wants to know of what is asked for.
    fn asks_whole(&self) -> bool {
        let Self::Operation { kind, .. } = self else { return true };
        let has = |name: &str| self.parameters().any(|(known, value)| known == name && !value.is_empty());
        match kind {
            OperationKind::GetIrn
            | OperationKind::GetEwbByIrn
            | OperationKind::GstinDetails
            | OperationKind::SyncGstin => self.object().is_some(),
            OperationKind::GetIrnByDocument => ["doctype", "docnum", "docdate"].into_iter().all(has),
            OperationKind::RejectedIrns => has("date"),
            OperationKind::GetEwb => has("ewbNo"),
            _ => true,
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
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
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::ClientId, Self::ClientSecret, Self::Gstin, Self::UserName, Self::Token, Self::Site];

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

impl RawBody {
    /// Whether it is none, or a JSON object rightly sealed: what can also go out without a seal.
    fn is_sealed_object(&self) -> bool {
        match self {
            Self::None => true,
            Self::Sealed(plain) => {
                plain.trim_ascii_start().starts_with(b"{") && serde_json::from_slice::<IgnoredAny>(plain).is_ok()
            }
            Self::Data(_) | Self::Whole(_) | Self::Login { .. } => false,
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(kind: OperationKind, rest: &str) -> Vec<RawPart> {
        RawCall::new(RawTarget::Operation { kind, rest: rest.to_owned() }, RawBody::None).parts()
    }

    fn sent(body: RawBody) -> Vec<RawPart> {
        let target = RawTarget::Operation { kind: OperationKind::GenerateIrn, rest: String::new() };
        RawCall::new(target, body).parts()
    }

    #[test]
    fn a_question_that_names_too_little_asks_for_more_than_one_that_is_whole() {
        use OperationKind::{GetEwb, GetIrn, GetIrnByDocument, RejectedIrns};
        for (kind, whole, gaps) in [
            (GetIrn, "/ab", &["", "/"][..]),
            (
                GetIrnByDocument,
                "?doctype=INV&docnum=A%2F1&docdate=05%2F11%2F2026",
                &["?doctype=INV&docnum=&docdate=x", ""],
            ),
            (RejectedIrns, "?date=05%2F11%2F2026", &["", "?date="]),
            (GetEwb, "?ewbNo=1", &["", "?ewb=1"]),
        ] {
            assert_eq!(asked(kind, whole), [RawPart::Content(kind)], "{kind}");
            for gap in gaps {
                assert_eq!(asked(kind, gap), [RawPart::Content(kind), RawPart::Gap(kind)], "{kind} {gap}");
            }
        }
    }

    #[test]
    fn only_a_sealed_json_object_needs_no_envelope_of_the_caller() {
        let content = RawPart::Content(OperationKind::GenerateIrn);
        assert_eq!(sent(RawBody::Sealed(Bytes::from_static(b" {\"Version\":1}"))), [content]);
        let envelope = RawPart::Envelope(Product::EInvoice);
        for body in [
            RawBody::Sealed(Bytes::from_static(b"{\"Version\":")),
            RawBody::Sealed(Bytes::from_static(b"[]")),
            RawBody::Data("AAAA".to_owned()),
            RawBody::Whole(Bytes::from_static(b"{}")),
        ] {
            assert_eq!(sent(body.clone()), [content, envelope], "{body:?}");
        }
        let mut login = RawCall::new(RawTarget::Login, RawBody::Whole(Bytes::new()));
        login.headers.push(HeaderChange::without(RawHeader::Gstin));
        let parts = [RawPart::Login, RawPart::Header(Product::EInvoice, RawHeader::Gstin)];
        assert_eq!(login.parts(), parts);
        let all = RawPart::all(&OperationKind::ALL.iter().copied().collect());
        assert!(parts.iter().chain(&[content, envelope]).all(|part| all.contains(part)));
        assert!(!RawPart::all(&[OperationKind::GetEwb].into()).contains(&RawPart::Login));
    }
}
