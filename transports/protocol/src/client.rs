//! The portal's protocol over any [`Exchange`]: what core calls a [`Transport`].
//!
//! One call is: look into the capability, build the address and headers, seal the payload, exchange,
//! read the envelope, open and type the reply. No step repeats anything; repeating is decided by
//! whoever knows what an unclear answer means for the document.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use einvoice_core::credential::{Access, CredentialError};
use einvoice_core::entropy::SharedEntropy;
use einvoice_core::environment::{Environment, Product};
use einvoice_core::operation::{InfoDetail, Operation, OperationKind, Reply};
use einvoice_core::secret::Secret;
use einvoice_core::session::Session;
use einvoice_core::transport::{LoginRequest, Probe, Transport, TransportCapability, TransportError, TransportMode};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::endpoints::{Endpoints, percent_encode};
use crate::envelope::{self, Data, Envelope};
use crate::exchange::{Exchange, ExchangeError, Header, HttpRequest, HttpResponse, Method};
use crate::login::{self, AuthPublicKey, LoginError};
use crate::mask;
use crate::reply;
use crate::seal::{AppKey, Sek};

/// Characters of a heartbeat's answer that are kept.
const PROBE_TEXT_CHARS: usize = 200;

/// How header names with two words are spelt.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "the two spellings that the portal takes")]
pub enum HeaderSpelling {
    /// `client_id`, `client_secret`, as the portal's pages write them.
    #[default]
    Underscore,
    /// `client-id`, `client-secret`, as NIC's own sample code does; for proxies that drop headers
    /// with an underscore.
    Hyphen,
}

impl HeaderSpelling {
    const fn client_id(self) -> &'static str {
        match self {
            Self::Underscore => "client_id",
            Self::Hyphen => "client-id",
        }
    }

    const fn client_secret(self) -> &'static str {
        match self {
            Self::Underscore => "client_secret",
            Self::Hyphen => "client-secret",
        }
    }
}

/// What distinguishes one IRP from another.
#[derive(Debug, Clone)]
pub struct IrpSettings {
    /// How the portal is reached.
    pub mode: TransportMode,
    /// Production or sandbox.
    pub environment: Environment,
    /// Name of the site (`NIC1`, `NIC2`, ...), stored with every intent.
    pub site: String,
    /// Where the operations live.
    pub endpoints: Endpoints,
    /// How two-word headers are spelt.
    pub header_spelling: HeaderSpelling,
    /// Largest request in bytes.
    pub payload_bytes_max: usize,
    /// Calls that may run at the same time for one GSTIN.
    pub concurrency_per_gstin: usize,
    /// Longest time a login or a call takes.
    pub call_time_max: Duration,
}

impl IrpSettings {
    /// Settings of a NIC site: its paths, header names and limits.
    #[must_use]
    pub fn new(mode: TransportMode, environment: Environment, site: impl Into<String>) -> Self {
        let site = site.into();
        let defaults = TransportCapability::new(mode, environment, site.as_str(), []);
        Self {
            mode,
            environment,
            site,
            endpoints: Endpoints::default(),
            header_spelling: HeaderSpelling::default(),
            payload_bytes_max: defaults.payload_bytes_max,
            concurrency_per_gstin: defaults.concurrency_per_gstin,
            call_time_max: defaults.call_time_max,
        }
    }
}

/// A [`Transport`] that speaks the IRP protocol over an [`Exchange`].
#[derive(Debug)]
pub struct IrpTransport<E> {
    exchange: E,
    endpoints: Endpoints,
    header_spelling: HeaderSpelling,
    auth_key: AuthPublicKey,
    entropy: SharedEntropy,
    capability: TransportCapability,
}

impl<E: Exchange> IrpTransport<E> {
    /// Joins an exchange, an IRP's settings and its key for logins.
    #[must_use]
    pub fn new(exchange: E, settings: IrpSettings, auth_key: AuthPublicKey, entropy: SharedEntropy) -> Self {
        let mut capability =
            TransportCapability::new(settings.mode, settings.environment, settings.site, Endpoints::OPERATIONS);
        capability.payload_bytes_max = settings.payload_bytes_max;
        capability.concurrency_per_gstin = settings.concurrency_per_gstin;
        capability.call_time_max = settings.call_time_max;
        Self {
            exchange,
            endpoints: settings.endpoints,
            header_spelling: settings.header_spelling,
            auth_key,
            entropy,
            capability,
        }
    }

    /// The exchange underneath.
    pub const fn exchange(&self) -> &E {
        &self.exchange
    }

    fn not_sent(&self, reason: impl Into<String>) -> TransportError {
        TransportError::NotSent { endpoint: self.exchange.endpoint(), reason: reason.into(), source: None }
    }

    fn bad_answer(&self, status: u16, changes_books: bool, reason: impl Into<String>) -> TransportError {
        TransportError::BadAnswer {
            endpoint: self.exchange.endpoint(),
            http_status: Some(status),
            reason: reason.into(),
            changes_books,
        }
    }

    /// Takes credentials out of a text that came from outside: a gateway's page may repeat them.
    fn bad_answer_to(
        &self,
        status: u16,
        changes_books: bool,
        reason: &str,
        secrets: &[&Secret<String>],
    ) -> TransportError {
        self.bad_answer(status, changes_books, mask::hide(reason, secrets))
    }

    fn client_headers(&self, access: &Access) -> Vec<Header> {
        vec![
            Header::secret(self.header_spelling.client_id(), &access.client().client_id),
            Header::secret(self.header_spelling.client_secret(), &access.client().client_secret),
            // Exactly once: a client that also sent `gstin` got both values joined by the server.
            Header::plain("Gstin", access.gstin().to_string()),
        ]
    }

    fn call_headers(&self, session: &Session, method: Method, site: Option<&str>) -> Vec<Header> {
        let mut headers = self.client_headers(session.access());
        headers.push(Header::secret("user_name", &session.access().user().user_name));
        headers.push(Header::secret("AuthToken", session.token()));
        if method == Method::Post {
            headers.push(Header::plain("Content-Type", "application/json"));
        }
        if let Some(site) = site {
            headers.push(Header::plain("irp", site));
        }
        headers
    }

    fn request(&self, session: &Session, sek: &Sek, operation: &Operation) -> Result<HttpRequest, TransportError> {
        let endpoints = &self.endpoints;
        let (path_and_query, body, site) = match operation {
            Operation::GenerateIrn { payload } => {
                let max = self.capability.payload_bytes_max;
                if payload.len() > max {
                    let reason = format!("the document has {} bytes and the portal takes {max}", payload.len());
                    return Err(self.not_sent(reason));
                }
                let body = login::data_body(&sek.seal(payload));
                (endpoints.generate_irn.clone(), Some(body), None)
            }
            Operation::GetIrn { irn, site } => (format!("{}/{irn}", endpoints.get_irn), None, site.as_deref()),
            Operation::GetIrnByDocument { doc_type, number, date, site } => {
                let query = format!(
                    "{}?doctype={doc_type}&docnum={}&docdate={}",
                    endpoints.get_irn_by_document,
                    percent_encode(number.as_str()),
                    percent_encode(&date.to_string()),
                );
                (query, None, site.as_deref())
            }
            Operation::GstinDetails { gstin } => (format!("{}/{gstin}", endpoints.gstin_details), None, None),
            other => return Err(TransportError::Unsupported { operation: other.kind() }),
        };
        let method = if body.is_some() { Method::Post } else { Method::Get };
        Ok(HttpRequest {
            method,
            path_and_query,
            headers: self.call_headers(session, method, site),
            body: body.map(Bytes::from).unwrap_or_default(),
        })
    }

    async fn exchange_once(
        &self,
        request: HttpRequest,
        operation: Option<OperationKind>,
    ) -> Result<HttpResponse, TransportError> {
        let changes_books = operation.is_some_and(OperationKind::changes_books);
        let endpoint = || self.exchange.endpoint();
        let response = self.exchange.send(request).await.map_err(|error| match error {
            ExchangeError::NotSent { reason, source } => {
                TransportError::NotSent { endpoint: endpoint(), reason, source }
            }
            ExchangeError::NoAnswer { reason, source } => {
                TransportError::NoAnswer { endpoint: endpoint(), reason, changes_books, source }
            }
            ExchangeError::TooLarge { http_status, limit } => TransportError::BadAnswer {
                endpoint: endpoint(),
                http_status: Some(http_status),
                reason: format!("it is larger than the limit of {limit} bytes"),
                changes_books,
            },
        })?;
        tracing::debug!(
            operation = operation.map_or("login", kind_name),
            status = response.status,
            bytes = response.body.len(),
            "portal answered"
        );
        Ok(response)
    }

    /// Reads a response down to its data, or to the portal's refusal.
    fn open<'a>(
        &self,
        response: &'a HttpResponse,
        operation: Option<OperationKind>,
        secrets: &[&Secret<String>],
    ) -> Result<(Data<'a>, Vec<InfoDetail>), TransportError> {
        let changes_books = operation.is_some_and(OperationKind::changes_books);
        let bad = |reason: String| self.bad_answer_to(response.status, changes_books, &reason, secrets);
        let status = response.status;
        let envelope = envelope::read(&response.body).map_err(|error| bad(described(status, &error.to_string())))?;
        match envelope {
            // The portal answers 200 to business refusals too. A server error is the word of
            // something that stumbled, even where it looks like a refusal.
            Envelope::Refused { errors, .. } if status >= 500 => {
                let errors = errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
                Err(bad(described(status, &format!("it says {errors}"))))
            }
            // Somebody in between may repeat in its words what it was sent.
            Envelope::Refused { mut errors, mut info } => {
                let of_info = info.iter_mut().flat_map(|info| info.errors.iter_mut());
                for error in errors.iter_mut().chain(of_info) {
                    error.message = mask::hide(&error.message, secrets);
                }
                for detail in &mut info {
                    detail.description = mask::hide(&detail.description, secrets);
                }
                Err(TransportError::Refused { operation, errors, info })
            }
            Envelope::Accepted { .. } if status != 200 => Err(bad(described(status, "yet it says Status 1"))),
            Envelope::Accepted { data, info } => Ok((data, info)),
        }
    }

    fn login_refused(&self, access: &Access, error: &LoginError) -> TransportError {
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
}

#[async_trait]
impl<E: Exchange> Transport for IrpTransport<E> {
    fn capability(&self) -> &TransportCapability {
        &self.capability
    }

    async fn login(&self, request: LoginRequest<'_>) -> Result<Session, TransportError> {
        if request.product != Product::EInvoice {
            return Err(
                self.not_sent(format!("this route logs in to the e-invoice system, not to {}", request.product))
            );
        }
        let app_key = AppKey::generate(self.entropy.as_ref()).map_err(|error| self.not_sent(error.to_string()))?;
        let body = login::request(request.access.user(), &app_key, request.force_refresh, &self.auth_key)
            .map_err(|error| self.login_refused(request.access, &error))?;
        let mut headers = self.client_headers(request.access);
        headers.push(Header::plain("Content-Type", "application/json"));
        let http = HttpRequest {
            method: Method::Post,
            path_and_query: self.endpoints.login.clone(),
            headers,
            body: Bytes::from(body),
        };
        let response = self.exchange_once(http, None).await?;
        let mut known = secrets(request.access).to_vec();
        known.extend(request.previous.map(|previous| &previous.token));
        let (data, _info) = self.open(&response, None, &known)?;
        let saved = login::read(&data, &app_key, request.previous)
            .map_err(|error| self.bad_answer(response.status, false, error.to_string()))?;
        Ok(Session::new(request.access.clone(), saved))
    }

    async fn call(&self, session: &Session, operation: &Operation) -> Result<Reply, TransportError> {
        let kind = operation.kind();
        if !self.capability.operations.contains(&kind) {
            return Err(TransportError::Unsupported { operation: kind });
        }
        let sek = Sek::from_bytes(session.sek().expose())
            .map_err(|error| self.not_sent(format!("the stored session cannot seal: {error}; log in again")))?;
        let request = self.request(session, &sek, operation)?;
        let response = self.exchange_once(request, Some(kind)).await?;
        let mut known = secrets(session.access()).to_vec();
        known.push(session.token());
        let (data, info) = self.open(&response, Some(kind), &known)?;
        let bad = |reason: String| self.bad_answer(response.status, kind.changes_books(), reason);
        let json = match data {
            Data::Text(sealed) => {
                sek.open_json(&sealed).map_err(|error| bad(format!("its Data cannot be opened: {error}")))?
            }
            // Not the portal's own form; some gateways open replies on the way.
            Data::Json(json) => json.to_owned(),
        };
        typed(kind, &json, info).map_err(|error| bad(error.to_string()))
    }

    async fn probe(&self) -> Result<Probe, TransportError> {
        let request = HttpRequest {
            method: Method::Get,
            path_and_query: self.endpoints.heartbeat.clone(),
            headers: Vec::new(),
            body: Bytes::new(),
        };
        let endpoint = self.exchange.endpoint();
        match self.exchange_once(request, None).await {
            Ok(response) if response.status == 200 => {
                let text = String::from_utf8_lossy(&response.body);
                let text = text.trim().chars().filter(|c| !c.is_control()).take(PROBE_TEXT_CHARS).collect();
                Ok(Probe { endpoint, text })
            }
            Ok(response) => {
                Err(no_heartbeat(endpoint, format!("the heartbeat brought HTTP status {}", response.status)))
            }
            // That something answered is not enough to call the portal up.
            Err(TransportError::BadAnswer { reason, .. }) => Err(no_heartbeat(endpoint, reason)),
            Err(error) => Err(error),
        }
    }
}

fn secrets(access: &Access) -> [&Secret<String>; 4] {
    let (client, user) = (access.client(), access.user());
    [&client.client_secret, &client.client_id, &user.password, &user.user_name]
}

fn no_heartbeat(endpoint: String, reason: String) -> TransportError {
    TransportError::NoAnswer { endpoint, reason, changes_books: false, source: None }
}

fn typed(kind: OperationKind, json: &str, info: Vec<InfoDetail>) -> Result<Reply, reply::ReplyError> {
    match kind {
        OperationKind::GstinDetails => Ok(Reply::Taxpayer(Box::new(reply::taxpayer(json)?))),
        _ => Ok(Reply::Registration(Box::new(reply::registration(json, info)?))),
    }
}

fn described(status: u16, reason: &str) -> String {
    if status == 200 { reason.to_owned() } else { format!("HTTP status {status}; {reason}") }
}

const fn kind_name(kind: OperationKind) -> &'static str {
    match kind {
        OperationKind::GenerateIrn => "generate_irn",
        OperationKind::GetIrn => "get_irn",
        OperationKind::GetIrnByDocument => "get_irn_by_document",
        OperationKind::GstinDetails => "gstin_details",
        _ => "other",
    }
}

#[cfg(test)]
#[path = "client_tests.rs"]
mod tests;
