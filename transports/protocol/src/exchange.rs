//! One HTTP exchange, seen from the protocol: what goes out, what comes back, and what is known when
//! nothing comes back.
//!
//! The protocol itself does no input or output. [`crate::client::IrpTransport`] builds an
//! [`HttpRequest`] and hands it to an [`Exchange`]: an HTTP client for a real portal, a function call
//! for the emulator inside the same process.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use einvoice_core::BoxError;
use einvoice_core::portal_code::PortalError;
use einvoice_core::secret::Secret;

/// Carries one request to the portal and brings its response.
#[async_trait]
pub trait Exchange: fmt::Debug + Send + Sync {
    /// Sends a request once. It never repeats it: whether that is safe is not known here.
    ///
    /// # Errors
    /// [`ExchangeError::NotSent`] only when it is certain that no byte of the request has reached
    /// the portal; in every doubt [`ExchangeError::NoAnswer`].
    ///
    /// # Cancellation
    /// Dropping the future closes the exchange; the request may have been received all the same.
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, ExchangeError>;

    /// Sends a right request with some headers other than right, for a rehearsal of what is refused. An exchange that
    /// reads headers, or writes some of its own, goes by the right ones and makes the changes last.
    ///
    /// # Errors
    /// As [`Self::send`].
    ///
    /// # Cancellation
    /// As [`Self::send`].
    async fn send_changed(
        &self,
        mut request: HttpRequest,
        changes: &[ChangedHeader],
    ) -> Result<HttpResponse, ExchangeError> {
        request.change(changes);
        self.send(request).await
    }

    /// Where requests go, for messages to people: scheme, host and port, without credentials.
    fn endpoint(&self) -> String;
}

#[async_trait]
impl<E: Exchange + ?Sized> Exchange for Arc<E> {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, ExchangeError> {
        self.as_ref().send(request).await
    }

    async fn send_changed(
        &self,
        request: HttpRequest,
        changes: &[ChangedHeader],
    ) -> Result<HttpResponse, ExchangeError> {
        self.as_ref().send_changed(request, changes).await
    }

    fn endpoint(&self) -> String {
        self.as_ref().endpoint()
    }
}

#[async_trait]
impl<E: Exchange + ?Sized> Exchange for Box<E> {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, ExchangeError> {
        self.as_ref().send(request).await
    }

    async fn send_changed(
        &self,
        request: HttpRequest,
        changes: &[ChangedHeader],
    ) -> Result<HttpResponse, ExchangeError> {
        self.as_ref().send_changed(request, changes).await
    }

    fn endpoint(&self) -> String {
        self.as_ref().endpoint()
    }
}

/// HTTP method. The portal knows the first two; some providers want the third.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "neither the portals nor a provider that is known use another")]
pub enum Method {
    /// Reads, and the heartbeat.
    Get,
    /// Login and writes.
    Post,
    /// Writes, at some providers.
    Put,
}

impl Method {
    /// The method as it stands on the request line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
        }
    }
}

/// A request to the portal.
#[derive(Clone)]
pub struct HttpRequest {
    /// Method.
    pub method: Method,
    /// Path and query, already percent-encoded, beginning with `/`; to be appended to the base.
    pub path_and_query: String,
    /// Headers, each name once.
    pub headers: Vec<Header>,
    /// Body; empty for [`Method::Get`].
    pub body: Bytes,
}

impl HttpRequest {
    /// The value of a header, its name compared without regard to case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name)).map(|header| header.value.expose())
    }

    /// Gives headers other values, or leaves them out; of two changes of one header the later counts.
    pub fn change(&mut self, changes: &[ChangedHeader]) {
        for ChangedHeader { name, value } in changes {
            self.headers.retain(|header| !header.name.eq_ignore_ascii_case(name));
            self.headers.extend(value.as_ref().map(|value| Header::plain(name.clone(), value)));
        }
    }
}

impl fmt::Debug for HttpRequest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The query holds document numbers and the path may hold a GSTIN: the route is enough here.
        let route = self.path_and_query.split('?').next().unwrap_or_default();
        formatter
            .debug_struct("HttpRequest")
            .field("method", &self.method.as_str())
            .field("path", &route)
            .field("headers", &self.headers)
            .field("body_bytes", &self.body.len())
            .finish()
    }
}

/// A header of a request.
#[derive(Debug, Clone)]
pub struct Header {
    /// Name, spelt as it is to be sent.
    pub name: Cow<'static, str>,
    /// Value.
    pub value: HeaderValue,
}

impl Header {
    /// A header whose value may be seen.
    pub fn plain(name: impl Into<Cow<'static, str>>, value: impl Into<String>) -> Self {
        Self { name: name.into(), value: HeaderValue::Plain(value.into()) }
    }

    /// A header whose value must not be seen.
    pub fn secret(name: impl Into<Cow<'static, str>>, value: &Secret<String>) -> Self {
        Self { name: name.into(), value: HeaderValue::Secret(value.clone()) }
    }
}

/// A header that is not as it should be.
#[derive(Debug, Clone)]
#[expect(clippy::exhaustive_structs, reason = "a header has a name, and a value or none")]
pub struct ChangedHeader {
    /// Name, spelt as it is to be sent.
    pub name: Cow<'static, str>,
    /// Its value, which is made up and no secret; nothing leaves the header out.
    pub value: Option<String>,
}

/// The value of a header.
#[derive(Clone)]
#[expect(clippy::exhaustive_enums, reason = "a value may be seen or it may not")]
pub enum HeaderValue {
    /// May stand in a log.
    Plain(String),
    /// A credential or a token: send it marked as sensitive and never print it.
    Secret(Secret<String>),
}

impl HeaderValue {
    /// The value itself, for the wire only.
    #[must_use]
    pub fn expose(&self) -> &str {
        match self {
            Self::Plain(value) => value,
            Self::Secret(value) => value.expose(),
        }
    }
}

impl fmt::Debug for HeaderValue {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plain(value) => fmt::Debug::fmt(value, formatter),
            Self::Secret(value) => fmt::Debug::fmt(value, formatter),
        }
    }
}

/// A response, whole.
#[derive(Clone)]
pub struct HttpResponse {
    /// HTTP status. The portal answers 200 to refusals as well.
    pub status: u16,
    /// Body, within the limit of the exchange.
    pub body: Bytes,
}

impl fmt::Debug for HttpResponse {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A login response carries the token in the clear, so a body is never printed.
        formatter
            .debug_struct("HttpResponse")
            .field("status", &self.status)
            .field("body_bytes", &self.body.len())
            .finish()
    }
}

/// Why an exchange brought no response.
///
/// The difference between the first and the other variants decides whether a write may be repeated.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExchangeError {
    /// No byte of the request left: no address, no connection, no TLS, or a request that could not
    /// be built.
    #[error("nothing was sent: {reason}")]
    NotSent {
        /// What went wrong and what to do, for a person.
        reason: String,
        /// The underlying error.
        #[source]
        source: Option<BoxError>,
    },
    /// The request left, or may have left, and no whole response came back.
    #[error("no answer: {reason}")]
    NoAnswer {
        /// What went wrong, for a person.
        reason: String,
        /// The underlying error.
        #[source]
        source: Option<BoxError>,
    },
    /// Somebody in between, a GSP, refused for itself; the portal did not see the request or its answer is not passed on.
    #[error("refused on the way: {}", .errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Refused {
        /// What it said, with the class its profile gives each code.
        errors: Vec<PortalError>,
    },
    /// A response began and is larger than allowed.
    #[error("the answer is larger than {limit} bytes")]
    TooLarge {
        /// HTTP status of the response.
        http_status: u16,
        /// The limit in bytes.
        limit: usize,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_printed_request_shows_no_credential_no_query_and_no_body() {
        let request = HttpRequest {
            method: Method::Post,
            path_and_query: "/x?docnum=SECRETNUMBER".into(),
            headers: vec![
                Header::plain("Gstin", "29AAAAA0000A1Z5"),
                Header::secret("client_secret", &Secret::from("hunter2")),
            ],
            body: Bytes::from_static(b"sealed body"),
        };
        let shown = format!("{request:?}");
        assert!(shown.contains("client_secret") && shown.contains("[secret]"), "{shown}");
        for hidden in ["hunter2", "SECRETNUMBER", "sealed body"] {
            assert!(!shown.contains(hidden), "{hidden} in {shown}");
        }
    }

    #[test]
    fn a_header_is_found_in_any_case() {
        let request = HttpRequest {
            method: Method::Get,
            path_and_query: "/".into(),
            headers: vec![Header::plain("Gstin", "29")],
            body: Bytes::new(),
        };
        assert_eq!(request.header("gstin"), Some("29"));
        assert_eq!(request.header("irp"), None);
    }
}
