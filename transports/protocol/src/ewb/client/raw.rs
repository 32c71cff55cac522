//! Calls of the e-way bill system as they are: a right request with changes that the caller asked for.

use bytes::Bytes;
use einvoice_core::operation::OperationKind;
use einvoice_core::raw::{RawAnswer, RawBody, RawCall, RawHeader, RawTarget};
use einvoice_core::secret::Secret;
use einvoice_core::session::Session;
use einvoice_core::transport::{TransportError, raw_calls_denied};

use super::EwbSide;
use crate::ewb::seal;
use crate::exchange::{Exchange, Header, HttpRequest, Method};
use crate::line::secrets;
use crate::object::Object;
use crate::seal::Sek;

/// What a raw call can be of: the acts on a bill, each with its action, and the reading of one.
const fn action_of(kind: OperationKind) -> Option<&'static str> {
    Some(match kind {
        OperationKind::GenerateEwb => "GENEWAYBILL",
        OperationKind::UpdatePartB => "VEHEWB",
        OperationKind::CancelEwb => "CANEWB",
        _ => return None,
    })
}

impl<E: Exchange> EwbSide<E> {
    pub(crate) async fn call_raw(&self, session: &Session, call: &RawCall) -> Result<RawAnswer, TransportError> {
        let RawTarget::Operation { kind, rest } = &call.target else { return Err(raw_calls_denied()) };
        let sek = Sek::from_bytes(session.sek().expose())
            .map_err(|error| self.line.not_sent(format!("the stored session cannot seal: {error}; log in again")))?;
        let base = &self.settings.endpoints.ewayapi;
        let (method, path, body) = match (action_of(*kind), *kind) {
            (Some(action), _) => (Method::Post, base.clone(), self.raw_body(action, &sek, &call.body)?),
            (None, OperationKind::GetEwb) => (Method::Get, format!("{base}/GetEwayBill"), Bytes::new()),
            _ => return Err(TransportError::Unsupported { operation: *kind }),
        };
        let mut headers = self.client_headers(session.access());
        headers.push(Header::secret("authtoken", session.token()));
        if method == Method::Post {
            headers.push(Header::plain("Content-Type", "application/json"));
        }
        for change in &call.headers {
            let name = match change.header {
                RawHeader::ClientId => self.settings.header_spelling.client_id(),
                RawHeader::ClientSecret => self.settings.header_spelling.client_secret(),
                RawHeader::Gstin => "gstin",
                RawHeader::Token => "authtoken",
                other => other.name(),
            };
            headers.retain(|header| header.name != name);
            headers.extend(change.value.as_ref().map(|value| Header::plain(name, value)));
        }
        let request = HttpRequest { method, path_and_query: format!("{path}{rest}"), headers, body };
        let response = self.line.send(request, Some(*kind)).await?;
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
