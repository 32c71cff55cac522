//! Calls as they are: a right request with changes that the caller asked for.

use bytes::Bytes;
use einvoice_core::operation::OperationKind;
use einvoice_core::raw::{HeaderChange, LoginSealing, RawAnswer, RawBody, RawCall, RawHeader, RawTarget};
use einvoice_core::secret::Secret;
use einvoice_core::session::Session;
use einvoice_core::transport::{TransportError, raw_calls_denied};
use zeroize::Zeroizing;

use super::IrpTransport;
use crate::encoding::BASE64;
use crate::envelope::Data;
use crate::exchange::{ChangedHeader, Exchange, Header, HttpRequest, Method};
use crate::line::secrets;
use crate::login::{self, LoginError};
use crate::seal::{AppKey, Sek};

use base64::Engine as _;

impl<E: Exchange> IrpTransport<E> {
    pub(super) async fn irp_call_raw(&self, session: &Session, call: &RawCall) -> Result<RawAnswer, TransportError> {
        let (kind, path_and_query) = self.page(&call.target)?;
        let sek = Sek::from_bytes(session.sek().expose())
            .map_err(|error| self.line.not_sent(format!("the stored session cannot seal: {error}; log in again")))?;
        let body = self.raw_body(session, &sek, &call.body)?;
        let method = if body.is_some() { Method::Post } else { Method::Get };
        let headers = if kind.is_some() {
            self.call_headers(session, method, None)
        } else {
            let mut headers = self.client_headers(session.access());
            headers.push(Header::plain("Content-Type", "application/json"));
            headers
        };
        let changes: Vec<ChangedHeader> = call.headers.iter().map(|change| self.changed(change)).collect();
        let request = HttpRequest { method, path_and_query, headers, body: body.unwrap_or_default() };
        let response = self.line.send_changed(request, &changes, kind).await?;
        let mut known = secrets(session.access()).to_vec();
        known.push(session.token());
        let (data, info) = self.open(&response, kind, &known)?;
        let changes_books = kind.is_some_and(OperationKind::changes_books);
        let json = match data {
            Data::Text(sealed) => sek.open_json(&sealed).map_err(|error| {
                let reason = format!("its Data cannot be opened: {error}");
                self.line.bad_answer(response.status, changes_books, reason)
            })?,
            Data::Json(json) => json.to_owned(),
        };
        Ok(RawAnswer::new(Secret::new(json), info))
    }

    fn page(&self, target: &RawTarget) -> Result<(Option<OperationKind>, String), TransportError> {
        match target {
            RawTarget::Login => Ok((None, self.endpoints.login.clone())),
            RawTarget::Operation { kind, rest } => {
                let path = self.endpoints.of(*kind).ok_or(TransportError::Unsupported { operation: *kind })?;
                Ok((Some(*kind), format!("{path}{rest}")))
            }
            _ => Err(raw_calls_denied()),
        }
    }

    fn changed(&self, change: &HeaderChange) -> ChangedHeader {
        let name = match change.header {
            RawHeader::ClientId => self.header_spelling.client_id(),
            RawHeader::ClientSecret => self.header_spelling.client_secret(),
            other => other.name(),
        };
        ChangedHeader { name: name.into(), value: change.value.clone() }
    }

    fn raw_body(&self, session: &Session, sek: &Sek, body: &RawBody) -> Result<Option<Bytes>, TransportError> {
        let whole = match body {
            RawBody::None => return Ok(None),
            RawBody::Sealed(plain) => login::data_body(&sek.seal_json(plain, self.json_layering)),
            RawBody::Data(data) => format!("{{\"Data\":{}}}", serde_json::Value::from(data.as_str())).into_bytes(),
            RawBody::Whole(bytes) => return Ok(Some(bytes.clone())),
            RawBody::Login { members, sealing } => self.raw_login(session, members, *sealing)?,
            _ => return Err(raw_calls_denied()),
        };
        Ok(Some(whole.into()))
    }

    fn raw_login(
        &self,
        session: &Session,
        members: &[(&'static str, Option<String>)],
        sealing: LoginSealing,
    ) -> Result<Vec<u8>, TransportError> {
        let not_built = |error: &LoginError| self.line.login_not_built(session.access(), error);
        let app_key = AppKey::generate(self.entropy.as_ref()).map_err(|error| self.line.not_sent(error.to_string()))?;
        let user = session.access().user();
        let json = login::changed_credentials(user, &app_key, members);
        match sealing {
            LoginSealing::Right => {
                login::sealed_credentials(user, &json, &self.auth_key).map_err(|error| not_built(&error))
            }
            LoginSealing::NotEncrypted => Ok(login::data_body(&Zeroizing::new(BASE64.encode(json.as_bytes())))),
            LoginSealing::WithoutInnerBase64 => {
                let sealed = self.auth_key.encrypt(json.as_bytes()).map_err(|error| not_built(&error))?;
                Ok(login::data_body(&BASE64.encode(sealed)))
            }
            _ => Err(raw_calls_denied()),
        }
    }
}
