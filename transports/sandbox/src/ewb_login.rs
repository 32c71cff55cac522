//! The login of the e-way bill system: its own users, key and token.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use einvoice_core::environment::Product;
use jiff::{SignedDuration, Timestamp};

use crate::cipher_box;
use crate::ewb_wire::{Codes, refuse_if};
use crate::journal::Event;
use crate::login::{Login, payload_of};
use crate::node::{Node, quoted};
use crate::portal::Portal;
use crate::registration::{ApiUser, Holder};
use crate::registry::is_gstin;
use crate::wire::{PortalReply, PortalRequest};

/// The time in which logins are counted, from the first one on (a provider, quoting NIC).
const LOGIN_PERIOD: SignedDuration = SignedDuration::from_mins(15);

impl Portal {
    pub(crate) fn ewb_authenticate(&mut self, request: &PortalRequest, now: Timestamp) -> PortalReply {
        match self.try_ewb_authenticate(request, now) {
            Ok(reply) => reply,
            Err(codes) => codes.reply(&self.settings),
        }
    }

    fn try_ewb_authenticate(&mut self, request: &PortalRequest, now: Timestamp) -> Result<PortalReply, Codes> {
        let holder = self.client_of(request).map_err(|_| Codes::of("110"))?;
        let gstin = gstin_of(request)?;
        self.count_ewb_login(&gstin, now)?;
        let data = payload_of(&request.body).map_err(|_| Codes::of("115"))?;
        let opened = self.keys.open_ewb_login(&data).ok_or_else(|| Codes::of("109"))?;
        let inner = STANDARD.decode(&opened).map_err(|_| Codes::of("109"))?;
        let credentials = Node::parse(&inner).map_err(|_| Codes::of("100"))?;
        let text = |name: &str| credentials.text(&[name]).unwrap_or_default();
        if text("action") != "ACCESSTOKEN" {
            return Err(Codes::of("239"));
        }
        let key = STANDARD.decode(text("app_key")).ok().and_then(|key| <[u8; 32]>::try_from(key).ok());
        let app_key = key.ok_or_else(|| Codes::of("109"))?;
        let login = self.admit_to_ewb(&holder, &gstin, text("username"), text("password"), app_key, now)?;
        let minutes = login.expires_at.duration_since(now).as_mins();
        Ok(PortalReply::json(format!(
            r#"{{"status":"1","authtoken":{},"sek":{},"expiry":{minutes}}}"#,
            quoted(&login.token),
            quoted(&cipher_box::seal(&app_key, &login.sek)),
        )))
    }

    fn admit_to_ewb(
        &mut self,
        holder: &Holder,
        gstin: &str,
        user_name: &str,
        password: &str,
        app_key: [u8; 32],
        now: Timestamp,
    ) -> Result<Login, Codes> {
        refuse_if(!holder.serves(gstin), "111")?;
        let user = self.api_user(Product::EWayBill, user_name).filter(|user| user.gstin() == gstin);
        let user = user.filter(|user| user.is_of_environment(holder)).ok_or_else(|| Codes::of("108"))?;
        refuse_if(!user.is_for_way(holder), "111")?;
        refuse_if(user.password() != password, "108")?;
        refuse_if(user.is_frozen(), "113")?;
        self.ewb_login(&user, app_key, now)
    }

    /// A login that somebody in front of the system makes for a taxpayer.
    pub(crate) fn log_in_to_ewb_for(
        &mut self,
        holder: &Holder,
        gstin: &str,
        user_name: &str,
        password: &str,
        now: Timestamp,
    ) -> Result<Login, Codes> {
        let mut app_key = [0; 32];
        self.entropy.fill(&mut app_key).map_err(|_| Codes::of("107"))?;
        self.count_ewb_login(gstin, now)?;
        self.admit_to_ewb(holder, gstin, user_name, password, app_key, now)
    }

    /// Refuses a login beyond the number that a setting admits in a quarter of an hour.
    fn count_ewb_login(&mut self, gstin: &str, now: Timestamp) -> Result<(), Codes> {
        let Some(most) = self.settings.ewb_logins_per_15_minutes else { return Ok(()) };
        let (first, count) = self.ewb_login_counts.get(gstin).copied().unwrap_or((now, 0));
        let over = now.duration_since(first) >= LOGIN_PERIOD;
        let (first, count) = if over { (now, 0) } else { (first, count) };
        refuse_if(count >= most, "118")?;
        self.ewb_login_counts.insert(gstin.to_owned(), (first, count.saturating_add(1)));
        Ok(())
    }

    /// The login in force, or a new one. A setting lets every login displace the one before.
    fn ewb_login(&mut self, user: &ApiUser, app_key: [u8; 32], now: Timestamp) -> Result<Login, Codes> {
        let (gstin, name) = (user.gstin(), user.login_name());
        let live = self.login_in_force(Product::EWayBill, user, now);
        if let Some(login) = live.filter(|_| !self.settings.ewb_login_displaces) {
            return Ok(login);
        }
        let (mut token, mut sek) = ([0; 21], [0; 32]);
        let filled = self.entropy.fill(&mut token).and_then(|()| self.entropy.fill(&mut sek));
        filled.map_err(|_| Codes::of("107"))?;
        let period = SignedDuration::from_mins(i64::from(self.settings.ewb_token_minutes));
        let login = Login {
            gstin: gstin.to_owned(),
            token: URL_SAFE_NO_PAD.encode(token).replace(['-', '_'], "x"),
            sek,
            app_key,
            expires_at: now.checked_add(period).map_err(|_| Codes::of("107"))?,
            user: name,
        };
        self.record(Event::EwbLogin(login.clone()));
        Ok(login)
    }

    /// The login that the headers of a call prove.
    pub(crate) fn ewb_session(&self, request: &PortalRequest, now: Timestamp) -> Result<Login, Codes> {
        let holder = self.client_of(request).map_err(|_| Codes::of("110"))?;
        let gstin = gstin_of(request)?;
        let token = request.header("authtoken").unwrap_or_default();
        let found = self.login_of_token(Product::EWayBill, &gstin, &token);
        match found.filter(|(_, user)| user.may_come_with(&holder)) {
            Some((login, _)) if login.expires_at > now => Ok(login),
            Some(_) => Err(Codes::of("106")),
            None => Err(Codes::of("238")),
        }
    }
}

/// The taxpayer in the headers; a header that was sent twice arrives merged and is none.
fn gstin_of(request: &PortalRequest) -> Result<String, Codes> {
    let gstin = request.header("gstin").ok_or_else(|| Codes::of("227"))?;
    if is_gstin(&gstin) { Ok(gstin) } else { Err(Codes::of("393")) }
}
