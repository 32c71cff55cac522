//! Calls of the e-way bill system as they are: a right request with changes that the caller asked for.

use bytes::Bytes;
use einvoice_core::raw::{HeaderChange, RawAnswer, RawBody, RawCall, RawHeader, RawTarget};
use einvoice_core::secret::Secret;
use einvoice_core::session::Session;
use einvoice_core::transport::{TransportError, raw_calls_denied};

use super::EwbSide;
use crate::ewb::requests::raw_action;
use crate::ewb::seal;
use crate::exchange::{ChangedHeader, Exchange, Header, HttpRequest, Method};
use crate::line::secrets;
use crate::object::Object;
use crate::seal::Sek;

impl<E: Exchange> EwbSide<E> {
    pub(crate) async fn call_raw(&self, session: &Session, call: &RawCall) -> Result<RawAnswer, TransportError> {
        let RawTarget::Operation { kind, rest } = &call.target else { return Err(raw_calls_denied()) };
        let sek = Sek::from_bytes(session.sek().expose())
            .map_err(|error| self.line.not_sent(format!("the stored session cannot seal: {error}; log in again")))?;
        let base = &self.settings.endpoints.ewayapi;
        let action = raw_action(*kind).ok_or(TransportError::Unsupported { operation: *kind })?;
        let (method, path, body) = if kind.changes_books() {
            (Method::Post, base.clone(), self.raw_body(action, &sek, &call.body)?)
        } else {
            (Method::Get, format!("{base}/{action}"), Bytes::new())
        };
        let mut headers = self.client_headers(session.access());
        headers.push(Header::secret("authtoken", session.token()));
        if method == Method::Post {
            headers.push(Header::plain("Content-Type", "application/json"));
        }
        let as_sent = |change: &HeaderChange| {
            let name = match change.header {
                RawHeader::ClientId => self.settings.header_spelling.client_id(),
                RawHeader::ClientSecret => self.settings.header_spelling.client_secret(),
                RawHeader::Gstin => "gstin",
                RawHeader::Token => "authtoken",
                other => other.name(),
            };
            ChangedHeader { name: name.into(), value: change.value.clone() }
        };
        let changes: Vec<ChangedHeader> = call.headers.iter().map(as_sent).collect();
        let request = HttpRequest { method, path_and_query: format!("{path}{rest}"), headers, body };
        let response = self.line.send_changed(request, &changes, Some(*kind)).await?;
        let mut known = secrets(session.access()).to_vec();
        known.push(session.token());
        let answer = self.accepted(&response, Some(*kind), &known)?;
        let bad = |reason: String| self.line.bad_answer(response.status, kind.changes_books(), reason);
        let json = seal::open(&answer, &sek).map_err(|error| bad(error.to_string()))?;
        Ok(RawAnswer::new(Secret::new(json), answer.info()))
    }

    fn raw_body(&self, action: &str, sek: &Sek, body: &RawBody) -> Result<Bytes, TransportError> {
        let data = match body {
            RawBody::Sealed(plain) => sek.seal_json(plain, self.settings.json_layering),
            RawBody::Data(data) => data.clone(),
            RawBody::Whole(bytes) => return Ok(bytes.clone()),
            _ => return Err(raw_calls_denied()),
        };
        Ok(Bytes::from(Object::new().text("action", action).text("data", &data).finish()))
    }
}
