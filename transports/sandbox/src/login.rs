//! Authentication, version 1.04: who may log in, and the life of a token.

use std::collections::HashMap;
use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use einvoice_core::environment::Product;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::cipher_box;
use crate::journal::Event;
use crate::node::{Node, quoted};
use crate::portal::Portal;
use crate::registration::{ApiUser, Holder};
use crate::settings::SekWrapping;
use crate::wire::{PortalReply, PortalRequest, Refusal, success};

/// The only time in which a token is renewed before its end (NIC, authentication 1.04).
const RENEWAL: SignedDuration = SignedDuration::from_mins(10);

/// A live login.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Login {
    pub(crate) gstin: String,
    pub(crate) token: String,
    pub(crate) sek: [u8; 32],
    /// The AppKey of the login that made the token.
    pub(crate) app_key: [u8; 32],
    pub(crate) expires_at: Timestamp,
    /// Whose it is; nothing for the one user that was given to the GSTIN without the portal's pages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) user: Option<String>,
}

/// The live logins of a system: one for each user.
#[derive(Debug, Default)]
pub(crate) struct Logins(HashMap<String, Vec<Login>>);

impl Logins {
    /// Takes a login in place of the user's last one.
    pub(crate) fn enter(&mut self, login: Login) {
        let logins = self.0.entry(login.gstin.clone()).or_default();
        logins.retain(|other| other.user != login.user);
        logins.push(login);
    }

    /// The login of a user.
    pub(crate) fn of(&self, gstin: &str, user: Option<&str>) -> Option<&Login> {
        self.all_of(gstin).find(|login| login.user.as_deref() == user)
    }

    /// The logins of a taxpayer's users.
    pub(crate) fn all_of(&self, gstin: &str) -> impl Iterator<Item = &Login> {
        self.0.get(gstin).into_iter().flatten()
    }

    /// The login that a token belongs to.
    pub(crate) fn by_token(&self, gstin: &str, token: &str) -> Option<&Login> {
        self.all_of(gstin).find(|login| login.token == token)
    }

    /// Ends the login of a user.
    pub(crate) fn end(&mut self, gstin: &str, user: &str) {
        if let Some(logins) = self.0.get_mut(gstin) {
            logins.retain(|login| login.user.as_deref() != Some(user));
        }
    }
}

impl fmt::Debug for Login {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Login").field("gstin", &self.gstin).finish_non_exhaustive()
    }
}

/// What the opened login payload says.
struct Credentials {
    user_name: String,
    password: String,
    app_key: [u8; 32],
    force: bool,
}

impl Portal {
    pub(crate) fn authenticate(&mut self, request: &PortalRequest, now: Timestamp) -> PortalReply {
        match self.try_authenticate(request, now) {
            Ok(reply) => reply,
            // On this page `ErrorDetails` is an array in every source.
            Err(refusal) => refusal.reply(crate::settings::ErrorDetailsForm::Array),
        }
    }

    fn try_authenticate(&mut self, request: &PortalRequest, now: Timestamp) -> Result<PortalReply, Refusal> {
        let holder = self.client_of(request)?;
        let gstin = request.header("gstin").ok_or_else(|| Refusal::of("1004"))?;
        let credentials = self.open_credentials(request)?;
        let login = self.admit(&gstin, &holder, &credentials, now)?;
        let wrapping_key = match self.settings.sek_wrapping {
            SekWrapping::Latest => credentials.app_key,
            SekWrapping::First => login.app_key,
        };
        let data = format!(
            r#"{{"ClientId":{},"UserName":{},"AuthToken":{},"Sek":{},"TokenExpiry":{}}}"#,
            quoted(&request.header("client_id").unwrap_or_default()),
            quoted(&credentials.user_name),
            quoted(&login.token),
            quoted(&cipher_box::seal(&wrapping_key, &login.sek)),
            quoted(&crate::ist::stamp(login.expires_at)),
        );
        Ok(success(&data, &[]))
    }

    /// The login of an API user, once user, GSTIN and client pair belong together.
    fn admit(
        &mut self,
        gstin: &str,
        holder: &Holder,
        credentials: &Credentials,
        now: Timestamp,
    ) -> Result<Login, Refusal> {
        let user = self.api_user(Product::EInvoice, &credentials.user_name).ok_or_else(|| Refusal::of("1017"))?;
        if user.gstin() != gstin {
            return Err(Refusal::of("1015"));
        }
        if !holder.serves(gstin) {
            return Err(Refusal::of("1018"));
        }
        // A user of the other environment is not known in this one.
        if !user.is_of_environment(holder) {
            return Err(Refusal::of("1017"));
        }
        if !user.is_for_way(holder) {
            return Err(self.wrong_way());
        }
        if user.password() != credentials.password {
            return Err(Refusal::of("1019"));
        }
        if user.is_frozen() {
            return Err(self.frozen());
        }
        self.login(&user, credentials, now)
    }

    /// A login that somebody in front of the portal makes for a taxpayer, with a client pair of this holder's.
    pub(crate) fn log_in_for(
        &mut self,
        holder: &Holder,
        gstin: &str,
        user_name: &str,
        password: &str,
        now: Timestamp,
    ) -> Result<Login, Refusal> {
        let mut app_key = [0; 32];
        self.entropy.fill(&mut app_key).map_err(|_| Refusal::of("5001"))?;
        let (user_name, password) = (user_name.to_owned(), password.to_owned());
        self.admit(gstin, holder, &Credentials { user_name, password, app_key, force: false }, now)
    }

    fn open_credentials(&self, request: &PortalRequest) -> Result<Credentials, Refusal> {
        let data = payload_of(&request.body)?;
        // Skipping the RSA step is 1020, skipping the base64 inside it is 5001.
        let opened = self.keys.open_login(&data).ok_or_else(|| Refusal::of("1020"))?;
        let inner = STANDARD.decode(&opened).map_err(|_| Refusal::of("5001"))?;
        let credentials = Node::parse(&inner).map_err(|_| Refusal::of("1007"))?;
        let text = |name: &str| credentials.text(&[name]).filter(|text| !text.is_empty()).map(str::to_owned);
        let app_key = text("AppKey").and_then(|key| STANDARD.decode(key).ok());
        let force = match credentials.get("ForceRefreshAccessToken") {
            Some(Node::Bool(force)) => *force,
            Some(Node::Text(force)) => force.eq_ignore_ascii_case("true"),
            _ => false,
        };
        Ok(Credentials {
            user_name: text("UserName").ok_or_else(|| Refusal::of("1006"))?,
            password: text("Password").ok_or_else(|| Refusal::of("1007"))?,
            app_key: app_key.and_then(|key| key.try_into().ok()).ok_or_else(|| Refusal::of("1016"))?,
            force,
        })
    }

    /// The login in force: the one there is, or a new one when that has ended or is near its end
    /// and the client insists.
    fn login(&mut self, user: &ApiUser, credentials: &Credentials, now: Timestamp) -> Result<Login, Refusal> {
        let (gstin, name) = (user.gstin(), user.login_name());
        if let Some(login) = self.login_in_force(Product::EInvoice, user, now) {
            let renew = credentials.force && login.expires_at.duration_since(now) <= RENEWAL;
            if !renew {
                return Ok(login);
            }
        }
        let life = SignedDuration::from_mins(i64::from(self.settings.token_minutes));
        let (mut token, mut sek) = ([0; 21], [0; 32]);
        let filled = self.entropy.fill(&mut token).and_then(|()| self.entropy.fill(&mut sek));
        filled.map_err(|_| Refusal::of("5001"))?;
        let login = Login {
            gstin: gstin.to_owned(),
            token: URL_SAFE_NO_PAD.encode(token).replace(['-', '_'], "x"),
            sek,
            app_key: credentials.app_key,
            expires_at: now.checked_add(life).map_err(|_| Refusal::of("5001"))?,
            user: name,
        };
        self.record(Event::Login(login.clone()));
        Ok(login)
    }

    /// The login that the headers of a call prove. Any mismatch is 1005, as at the portal.
    pub(crate) fn session(&self, request: &PortalRequest, now: Timestamp) -> Result<Login, Refusal> {
        let holder = self.client_of(request)?;
        let gstin = request.header("gstin").ok_or_else(|| Refusal::of("1004"))?;
        let user_name = request.header("user_name").ok_or_else(|| Refusal::of("1006"))?;
        let token = request.header("authtoken").ok_or_else(|| Refusal::of("1005"))?;
        let found = self.login_of_token(Product::EInvoice, &gstin, &token).filter(|(login, _)| login.expires_at > now);
        let (login, user) = found.ok_or_else(|| Refusal::of("1005"))?;
        let fits = user.username() == user_name && user.may_come_with(&holder);
        if fits { Ok(login) } else { Err(Refusal::of("1005")) }
    }
}

/// The `Data` text of a request body.
pub(crate) fn payload_of(body: &[u8]) -> Result<String, Refusal> {
    let body = Node::parse(body).map_err(|_| Refusal::of("5003"))?;
    let Node::Object(members) = body else { return Err(Refusal::of("5003")) };
    let data = members.into_iter().find(|(name, _)| name.eq_ignore_ascii_case("data"));
    match data {
        Some((_, Node::Text(data))) if !data.is_empty() => Ok(data),
        _ => Err(Refusal::of("5003")),
    }
}
