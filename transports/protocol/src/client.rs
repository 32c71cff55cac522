//! The portal's protocol over any [`Exchange`]: what core calls a [`Transport`].
//!
//! One call is: look into the capability, build the address and headers, seal the payload, exchange,
//! read the envelope, open and type the reply. No step repeats anything; repeating is decided by
//! whoever knows what an unclear answer means for the document. The e-way bill system is a second product of
//! the same transport, with a host, a key and an envelope of its own: [`crate::ewb`].

mod raw;

use async_trait::async_trait;
use bytes::Bytes;
use einvoice_core::clock::SharedClock;
use einvoice_core::credential::Access;
use einvoice_core::entropy::SharedEntropy;
use einvoice_core::environment::Product;
use einvoice_core::operation::{InfoDetail, Operation, OperationKind, Reply};
use einvoice_core::raw::{RawAnswer, RawCall, RawPart};
use einvoice_core::secret::Secret;
use einvoice_core::session::Session;
use einvoice_core::transport::{LoginRequest, Probe, Transport, TransportCapability, TransportError, raw_calls_denied};

use crate::endpoints::Endpoints;
use crate::envelope::{self, Data, Envelope};
use crate::ewb::client::EwbSide;
use crate::ewb::settings::EwbSettings;
use crate::exchange::{Exchange, Header, HttpRequest, HttpResponse, Method};
use crate::line::{Line, described, secrets};
use crate::login::{self, AuthPublicKey};
use crate::mask;
use crate::reply;
use crate::requests;
use crate::seal::{AppKey, JsonLayering, Sek};

pub use crate::settings::{HeaderSpelling, IrpSettings};

/// Characters of a heartbeat's answer that are kept.
const PROBE_TEXT_CHARS: usize = 200;

/// A [`Transport`] that speaks the IRP protocol over an [`Exchange`], and that of the e-way bill system where
/// that one is joined to it.
#[derive(Debug)]
pub struct IrpTransport<E> {
    line: Line<E>,
    endpoints: Endpoints,
    header_spelling: HeaderSpelling,
    json_layering: JsonLayering,
    auth_key: AuthPublicKey,
    entropy: SharedEntropy,
    capability: TransportCapability,
    ewb: Option<EwbSide<E>>,
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
        capability.raw_calls = RawPart::all(&capability.operations);
        Self {
            line: Line::new(exchange),
            endpoints: settings.endpoints,
            header_spelling: settings.header_spelling,
            json_layering: settings.json_layering,
            auth_key,
            entropy,
            capability,
            ewb: None,
        }
    }

    /// Joins the e-way bill system: an exchange to its host, its settings and its key for logins. The clock tells
    /// when a token ends, since that system's logins name no moment.
    #[must_use]
    pub fn with_ewb(mut self, exchange: E, settings: EwbSettings, auth_key: AuthPublicKey, clock: SharedClock) -> Self {
        self.capability.operations.extend(EwbSettings::operations());
        self.capability.raw_calls = RawPart::all(&self.capability.operations);
        self.ewb = Some(EwbSide::new(exchange, settings, auth_key, clock));
        self
    }

    /// The exchange to the IRP underneath.
    pub const fn exchange(&self) -> &E {
        self.line.exchange()
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
        let outgoing = requests::outgoing(&self.endpoints, operation)
            .ok_or(TransportError::Unsupported { operation: operation.kind() })?;
        let max = self.capability.payload_bytes_max;
        let body = match outgoing.plain {
            Some(plain) if plain.len() > max => {
                let reason = format!("the document has {} bytes and the portal takes {max}", plain.len());
                return Err(self.line.not_sent(reason));
            }
            Some(plain) => Some(login::data_body(&sek.seal_json(&plain, self.json_layering))),
            None => None,
        };
        let method = if body.is_some() { Method::Post } else { Method::Get };
        Ok(HttpRequest {
            method,
            path_and_query: outgoing.path_and_query,
            headers: self.call_headers(session, method, outgoing.site),
            body: body.map(Bytes::from).unwrap_or_default(),
        })
    }

    /// Reads a response down to its data, or to the portal's refusal.
    fn open<'a>(
        &self,
        response: &'a HttpResponse,
        operation: Option<OperationKind>,
        secrets: &[&Secret<String>],
    ) -> Result<(Data<'a>, Vec<InfoDetail>), TransportError> {
        let changes_books = operation.is_some_and(OperationKind::changes_books);
        let status = response.status;
        // A gateway's page may repeat credentials.
        let bad =
            |reason: &str| self.line.bad_answer(status, changes_books, mask::hide(&described(status, reason), secrets));
        match envelope::read(&response.body).map_err(|error| bad(&error.to_string()))? {
            Envelope::Refused { errors, info } => Err(self.line.refused(status, operation, errors, info, secrets)),
            Envelope::Accepted { .. } if status != 200 => Err(bad("yet it says Status 1")),
            Envelope::Accepted { data, info } => Ok((data, info)),
        }
    }

    async fn irp_login(&self, request: LoginRequest<'_>) -> Result<Session, TransportError> {
        let app_key = AppKey::generate(self.entropy.as_ref()).map_err(|error| self.line.not_sent(error.to_string()))?;
        let body = login::request(request.access.user(), &app_key, request.force_refresh, &self.auth_key)
            .map_err(|error| self.line.login_not_built(request.access, &error))?;
        let mut headers = self.client_headers(request.access);
        headers.push(Header::plain("Content-Type", "application/json"));
        let http = HttpRequest {
            method: Method::Post,
            path_and_query: self.endpoints.login.clone(),
            headers,
            body: Bytes::from(body),
        };
        let response = self.line.send(http, None).await?;
        let mut known = secrets(request.access).to_vec();
        known.extend(request.previous.map(|previous| &previous.token));
        let (data, _info) = self.open(&response, None, &known)?;
        let saved = login::read(&data, &app_key, request.previous)
            .map_err(|error| self.line.bad_answer(response.status, false, error.to_string()))?;
        Ok(Session::new(request.access.clone(), saved))
    }

    async fn irp_call(&self, session: &Session, operation: &Operation) -> Result<Reply, TransportError> {
        let kind = operation.kind();
        let sek = Sek::from_bytes(session.sek().expose())
            .map_err(|error| self.line.not_sent(format!("the stored session cannot seal: {error}; log in again")))?;
        let request = self.request(session, &sek, operation)?;
        let response = self.line.send(request, Some(kind)).await?;
        let mut known = secrets(session.access()).to_vec();
        known.push(session.token());
        let (data, info) = self.open(&response, Some(kind), &known)?;
        let bad = |reason: String| self.line.bad_answer(response.status, kind.changes_books(), reason);
        let json = match data {
            Data::Text(sealed) => {
                sek.open_json(&sealed).map_err(|error| bad(format!("its Data cannot be opened: {error}")))?
            }
            // Not the portal's own form; some gateways open replies on the way.
            Data::Json(json) => json.to_owned(),
        };
        reply::typed(operation, &json, info).map_err(|error| bad(error.to_string()))
    }
}

#[async_trait]
impl<E: Exchange> Transport for IrpTransport<E> {
    fn capability(&self) -> &TransportCapability {
        &self.capability
    }

    async fn login(&self, request: LoginRequest<'_>) -> Result<Session, TransportError> {
        match (request.product, &self.ewb) {
            (Product::EInvoice, _) => self.irp_login(request).await,
            (Product::EWayBill, Some(ewb)) => ewb.login(request, self.entropy.as_ref()).await,
            _ => Err(self.line.not_sent(
                "this route knows only the e-invoice system; the e-way bill system has an address and a key of its \
                 own, which its settings must name",
            )),
        }
    }

    async fn call(&self, session: &Session, operation: &Operation) -> Result<Reply, TransportError> {
        let kind = operation.kind();
        if !self.capability.operations.contains(&kind) {
            return Err(TransportError::Unsupported { operation: kind });
        }
        match (kind.product(), &self.ewb) {
            (Product::EInvoice, _) => self.irp_call(session, operation).await,
            (Product::EWayBill, Some(ewb)) => ewb.call(session, operation, self.capability.payload_bytes_max).await,
            _ => Err(TransportError::Unsupported { operation: kind }),
        }
    }

    async fn call_raw(&self, session: &Session, call: &RawCall) -> Result<RawAnswer, TransportError> {
        self.capability.admit_raw(call)?;
        match (call.target.product(), &self.ewb) {
            (Product::EInvoice, _) => self.irp_call_raw(session, call).await,
            (Product::EWayBill, Some(ewb)) => ewb.call_raw(session, call).await,
            _ => Err(raw_calls_denied()),
        }
    }

    async fn probe(&self) -> Result<Probe, TransportError> {
        let request = HttpRequest {
            method: Method::Get,
            path_and_query: self.endpoints.heartbeat.clone(),
            headers: Vec::new(),
            body: Bytes::new(),
        };
        let endpoint = self.exchange().endpoint();
        match self.line.send(request, None).await {
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

fn no_heartbeat(endpoint: String, reason: String) -> TransportError {
    TransportError::NoAnswer { endpoint, reason, changes_books: false, source: None }
}

#[cfg(test)]
#[path = "client_tests.rs"]
mod tests;
