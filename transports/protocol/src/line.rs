//! The line to one government system: sends a request once, and says what is known when no answer comes.

use einvoice_core::credential::{Access, CredentialError};
use einvoice_core::operation::{InfoDetail, OperationKind};
use einvoice_core::portal_code::PortalError;
use einvoice_core::secret::Secret;
use einvoice_core::transport::TransportError;

use crate::exchange::{ChangedHeader, Exchange, ExchangeError, HttpRequest, HttpResponse};
use crate::login::LoginError;
use crate::mask;

/// An exchange, and how its failures are told.
#[derive(Debug)]
pub(crate) struct Line<E>(E);

impl<E: Exchange> Line<E> {
    pub(crate) const fn new(exchange: E) -> Self {
        Self(exchange)
    }

    pub(crate) const fn exchange(&self) -> &E {
        &self.0
    }

    pub(crate) fn not_sent(&self, reason: impl Into<String>) -> TransportError {
        TransportError::NotSent { endpoint: self.0.endpoint(), reason: reason.into(), source: None }
    }

    pub(crate) fn bad_answer(&self, status: u16, changes_books: bool, reason: impl Into<String>) -> TransportError {
        TransportError::BadAnswer {
            endpoint: self.0.endpoint(),
            http_status: Some(status),
            reason: reason.into(),
            changes_books,
        }
    }

    /// Nothing was sent, as no login could be built.
    pub(crate) fn login_not_built(&self, access: &Access, error: &LoginError) -> TransportError {
        match error {
            LoginError::CredentialsTooLong { .. } | LoginError::CredentialsEmpty { .. } => {
                TransportError::Credential(CredentialError::Damaged {
                    store: format!("the API user of {}", access.gstin()),
                    reason: error.to_string(),
                })
            }
            _ => self.not_sent(error.to_string()),
        }
    }

    /// Sends a request once; `operation` is `None` for a login and a heartbeat.
    pub(crate) async fn send(
        &self,
        request: HttpRequest,
        operation: Option<OperationKind>,
    ) -> Result<HttpResponse, TransportError> {
        self.told(self.0.send(request).await, operation)
    }

    /// The same with headers that are not as they should be.
    pub(crate) async fn send_changed(
        &self,
        request: HttpRequest,
        changes: &[ChangedHeader],
        operation: Option<OperationKind>,
    ) -> Result<HttpResponse, TransportError> {
        self.told(self.0.send_changed(request, changes).await, operation)
    }

    /// What an exchange brought, as core's error where that is none.
    fn told(
        &self,
        brought: Result<HttpResponse, ExchangeError>,
        operation: Option<OperationKind>,
    ) -> Result<HttpResponse, TransportError> {
        let changes_books = operation.is_some_and(OperationKind::changes_books);
        let endpoint = || self.0.endpoint();
        let response = brought.map_err(|error| match error {
            ExchangeError::NotSent { reason, source } => {
                TransportError::NotSent { endpoint: endpoint(), reason, source }
            }
            ExchangeError::NoAnswer { reason, source } => {
                TransportError::NoAnswer { endpoint: endpoint(), reason, changes_books, source }
            }
            ExchangeError::Refused { errors } => TransportError::Refused { operation, errors, info: Vec::new() },
            ExchangeError::TooLarge { http_status, limit } => TransportError::BadAnswer {
                endpoint: endpoint(),
                http_status: Some(http_status),
                reason: format!("it is larger than the limit of {limit} bytes"),
                changes_books,
            },
        })?;
        tracing::debug!(
            operation = operation.map_or("login", OperationKind::words),
            status = response.status,
            bytes = response.body.len(),
            "portal answered"
        );
        Ok(response)
    }

    /// A refusal in an answer with this HTTP status. The portal answers 200 to business refusals too. A server
    /// error is the word of something that stumbled, even where it looks like a refusal.
    pub(crate) fn refused(
        &self,
        status: u16,
        operation: Option<OperationKind>,
        mut errors: Vec<PortalError>,
        mut info: Vec<InfoDetail>,
        secrets: &[&Secret<String>],
    ) -> TransportError {
        // Somebody in between may repeat in its words what it was sent.
        let of_info = info.iter_mut().flat_map(|info| info.errors.iter_mut());
        for error in errors.iter_mut().chain(of_info) {
            error.message = mask::hide(&error.message, secrets);
        }
        for detail in &mut info {
            detail.description = mask::hide(&detail.description, secrets);
        }
        if status >= 500 {
            let errors = errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
            let changes_books = operation.is_some_and(OperationKind::changes_books);
            return self.bad_answer(status, changes_books, described(status, &format!("it says {errors}")));
        }
        TransportError::Refused { operation, errors, info }
    }
}

/// What must show nowhere: client pair and API user.
pub(crate) fn secrets(access: &Access) -> [&Secret<String>; 4] {
    let (client, user) = (access.client(), access.user());
    [&client.client_secret, &client.client_id, &user.password, &user.user_name]
}

/// A reason with the HTTP status, where that one says something.
pub(crate) fn described(status: u16, reason: &str) -> String {
    if status == 200 { reason.to_owned() } else { format!("HTTP status {status}; {reason}") }
}
