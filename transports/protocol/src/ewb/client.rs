//! One login to the e-way bill system, and one call.

mod raw;

use bytes::Bytes;
use einvoice_core::clock::SharedClock;
use einvoice_core::credential::Access;
use einvoice_core::entropy::Entropy;
use einvoice_core::operation::{Operation, OperationKind, Reply};
use einvoice_core::secret::Secret;
use einvoice_core::session::Session;
use einvoice_core::transport::{LoginRequest, TransportError};

use super::envelope::{self, Accepted, Answer};
use super::replies::{self, Beside};
use super::settings::EwbSettings;
use super::{login, requests, seal};
use crate::exchange::{Exchange, Header, HttpRequest, HttpResponse, Method};
use crate::line::{Line, described, secrets};
use crate::login::AuthPublicKey;
use crate::mask;
use crate::object::Object;
use crate::question::is_empty_list;
use crate::seal::{AppKey, Sek};

/// The e-way bill system, as one transport reaches it.
#[derive(Debug)]
pub(crate) struct EwbSide<E> {
    line: Line<E>,
    settings: EwbSettings,
    auth_key: AuthPublicKey,
    clock: SharedClock,
}

impl<E: Exchange> EwbSide<E> {
    pub(crate) const fn new(exchange: E, settings: EwbSettings, auth_key: AuthPublicKey, clock: SharedClock) -> Self {
        Self { line: Line::new(exchange), settings, auth_key, clock }
    }

    /// Logs in. The system knows no renewal by force: inside the life of a token it returns that token.
    pub(crate) async fn login(
        &self,
        request: LoginRequest<'_>,
        entropy: &dyn Entropy,
    ) -> Result<Session, TransportError> {
        let app_key = AppKey::generate(entropy).map_err(|error| self.line.not_sent(error.to_string()))?;
        let body = login::request(request.access.user(), &app_key, &self.auth_key)
            .map_err(|error| self.line.login_not_built(request.access, &error))?;
        let mut headers = self.client_headers(request.access);
        headers.push(Header::plain("Content-Type", "application/json"));
        let http = HttpRequest {
            method: Method::Post,
            path_and_query: self.settings.endpoints.auth.clone(),
            headers,
            body: Bytes::from(body),
        };
        // Taken before the login leaves, so that a token is never thought to live longer than it does.
        let sent_at = self.clock.now();
        let response = self.line.send(http, None).await?;
        let mut known = secrets(request.access).to_vec();
        known.extend(request.previous.map(|previous| &previous.token));
        let answer = self.accepted(&response, None, &known)?;
        let saved = login::read(&answer, &app_key, request.previous, sent_at)
            .map_err(|error| self.line.bad_answer(response.status, false, error.to_string()))?;
        Ok(Session::new(request.access.clone(), saved))
    }

    /// Carries one operation, its request at most so many bytes.
    pub(crate) async fn call(
        &self,
        session: &Session,
        operation: &Operation,
        payload_bytes_max: usize,
    ) -> Result<Reply, TransportError> {
        let kind = operation.kind();
        let sek = Sek::from_bytes(session.sek().expose())
            .map_err(|error| self.line.not_sent(format!("the stored session cannot seal: {error}; log in again")))?;
        let request = self.request(session, &sek, operation, payload_bytes_max)?;
        let response = self.line.send(request, Some(kind)).await?;
        let mut known = secrets(session.access()).to_vec();
        known.push(session.token());
        let answer = match self.accepted(&response, Some(kind), &known) {
            Err(TransportError::Refused { errors, .. }) if is_empty_list(operation, &errors) => {
                return Ok(Reply::EwbList(Vec::new()));
            }
            other => other?,
        };
        let bad = |reason: String| self.line.bad_answer(response.status, kind.changes_books(), reason);
        let json = seal::open(&answer, &sek).map_err(|error| bad(error.to_string()))?;
        let beside = Beside { alert: answer.alert(), info: answer.info() };
        replies::typed(operation, &json, beside).map_err(|error| bad(error.to_string()))
    }

    fn client_headers(&self, access: &Access) -> Vec<Header> {
        let spelling = self.settings.header_spelling;
        vec![
            Header::secret(spelling.client_id(), &access.client().client_id),
            Header::secret(spelling.client_secret(), &access.client().client_secret),
            Header::plain("gstin", access.gstin().to_string()),
        ]
    }

    fn request(
        &self,
        session: &Session,
        sek: &Sek,
        operation: &Operation,
        payload_bytes_max: usize,
    ) -> Result<HttpRequest, TransportError> {
        let outgoing = requests::outgoing(&self.settings, operation)
            .ok_or(TransportError::Unsupported { operation: operation.kind() })?;
        let mut headers = self.client_headers(session.access());
        if let Some(name) = &self.settings.user_name_header {
            headers.push(Header::secret(name.clone(), &session.access().user().user_name));
        }
        headers.push(Header::secret("authtoken", session.token()));
        let path_and_query = outgoing.path_and_query;
        let Some((action, json)) = outgoing.action else {
            return Ok(HttpRequest { method: Method::Get, path_and_query, headers, body: Bytes::new() });
        };
        if json.len() > payload_bytes_max {
            let reason = format!("the request has {} bytes and {payload_bytes_max} are taken", json.len());
            return Err(self.line.not_sent(reason));
        }
        headers.push(Header::plain("Content-Type", "application/json"));
        let data = sek.seal_json(&json, self.settings.json_layering);
        let body = Object::new().text("action", action).text("data", &data).finish();
        Ok(HttpRequest { method: Method::Post, path_and_query, headers, body: Bytes::from(body) })
    }

    /// Reads a response down to a yes, or to the system's refusal.
    fn accepted<'a>(
        &self,
        response: &'a HttpResponse,
        operation: Option<OperationKind>,
        secrets: &[&Secret<String>],
    ) -> Result<Accepted<'a>, TransportError> {
        let changes_books = operation.is_some_and(OperationKind::changes_books);
        let status = response.status;
        // A gateway's page may repeat credentials.
        let bad =
            |reason: &str| self.line.bad_answer(status, changes_books, mask::hide(&described(status, reason), secrets));
        match envelope::read(&response.body).map_err(|error| bad(&error.to_string()))? {
            Answer::Refused { errors, info } => Err(self.line.refused(status, operation, errors, info, secrets)),
            Answer::Accepted(_) if status != 200 => Err(bad("yet it says status 1")),
            Answer::Accepted(answer) => Ok(answer),
        }
    }
}
