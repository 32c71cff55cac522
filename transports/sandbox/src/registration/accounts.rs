//! Accounts on the pages: sign-up and log-in, each with a one-time password to the registered mobile.

use einvoice_core::identifier::{Gstin, Pan};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::addresses::shortened;
use super::names;
use super::outbox::{Draft, masked};
use super::problem::{Acted, Problem, Problems};
use super::records::{Account, Change, Channel, Hidden, MessageKind, Otp, PageSession, Purpose};
use crate::portal::Portal;
use crate::registry::ClientAccount;

/// Life of a one-time password.
const OTP_LIFE: SignedDuration = SignedDuration::from_mins(10);
/// Wrong tries after which a one-time password is void.
const OTP_TRIES: u8 = 3;
/// Life of a session on the pages.
const SESSION_LIFE: SignedDuration = SignedDuration::from_mins(60);

/// A one-time password is on its way.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Asked {
    /// Names the request, for the answer.
    pub(crate) request: String,
    /// Where the password went, masked.
    pub(crate) sent_to: Vec<String>,
    pub(crate) expires_at: Timestamp,
}

/// Somebody is logged in to the pages.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Opened {
    pub(crate) session: String,
    pub(crate) pan: String,
}

impl Portal {
    /// Notes a change of the registration side.
    pub(crate) fn change_registration(&mut self, change: Change) {
        self.record(crate::journal::Event::Registration(Box::new(change)));
    }

    /// Begins the sign-up of a PAN, given itself or inside a GSTIN.
    pub(crate) fn sign_up(&mut self, identity: &str, now: Timestamp) -> Acted<Asked> {
        let pan = self.pan_in(identity)?;
        if self.registration.accounts.contains_key(&pan) {
            let message = "this PAN is registered already: log in with the user name that was chosen then";
            return Err(Problems::state(Problem::at("identity", message).code("3027").found(pan)));
        }
        self.send_otp(&pan, Purpose::SignUp, now)
    }

    fn pan_in(&self, identity: &str) -> Acted<String> {
        let text = identity.trim().to_ascii_uppercase();
        let wrong =
            |message: String| Problems::input(Problem::at("identity", message).code("3030").found(shortened(&text)));
        if text.len() != 15 {
            return match Pan::parse(&text) {
                Ok(pan) => Ok(pan.to_string()),
                Err(error) => {
                    Err(wrong(format!("neither PAN nor GSTIN: a PAN has {}, a GSTIN 15 characters", error.expected())))
                }
            };
        }
        let gstin = self.known_gstin("identity", &text)?;
        gstin.pan().map(|pan| pan.to_string()).ok_or_else(|| wrong("there is no PAN inside this GSTIN".to_owned()))
    }

    /// Reads a GSTIN that is in the registry and active.
    pub(crate) fn known_gstin(&self, field: &'static str, text: &str) -> Acted<Gstin> {
        let text = text.trim().to_ascii_uppercase();
        let wrong = |code, message: String| {
            Err(Problems::input(Problem::at(field, message).code(code).found(shortened(&text))))
        };
        let Ok(gstin) = Gstin::parse(&text) else {
            return wrong(
                "3030",
                "no GSTIN: expected 15 characters, two digits and then 13 digits or capitals".to_owned(),
            );
        };
        if !gstin.check_digit_ok() {
            let expected = gstin.expected_check_character().map(String::from).unwrap_or_default();
            return wrong(
                "3030",
                format!("the last character of this GSTIN should be {expected}: look for a slip in it"),
            );
        }
        match self.taxpayer(&text).map(|entry| entry.status) {
            Some(status) if status == "ACT" => Ok(gstin),
            Some(status) => wrong("3016", format!("this GSTIN is not active in the registry (its status is {status})")),
            None => wrong("3030", "the registry does not know this GSTIN".to_owned()),
        }
    }

    /// Ends the sign-up: the account is made, and a client pair for trying things out is sent.
    pub(crate) fn finish_sign_up(
        &mut self,
        request: &str,
        otp: &str,
        username: &str,
        password: &str,
        now: Timestamp,
    ) -> Acted<Opened> {
        // Name and password first: a slip there must not use up the one-time password.
        let mut problems = Problems::default();
        let username = names::name(username).and_then(|name| self.free_page_name(&name).map(|()| name));
        let username = problems.collect(username).unwrap_or_default();
        let password = problems.collect(names::password(password)).unwrap_or_default();
        let (username, password) = problems.or((username, password))?;
        let pan = self.take_otp(request, otp, Purpose::SignUp, now)?;
        let client = self.new_client(&pan, "TRY")?;
        let account = Account { pan: pan.clone(), username, password: Hidden(password), created_at: now };
        self.change_registration(Change::Account(account));
        self.change_registration(Change::SandboxClient(client.clone()));
        let text = format!(
            "Your client pair for trying the API out: client id {}, client secret {}. It needs no IP listing and serves \
             API users of environment sandbox only.",
            client.client_id, client.client_secret
        );
        self.send(&pan, Channel::Sms, Draft::new(MessageKind::SandboxClient, text).with_client(&client), now);
        self.open_session(&pan, now)
    }

    /// Begins a log-in to the pages.
    pub(crate) fn log_in_to_pages(&mut self, username: &str, password: &str, now: Timestamp) -> Acted<Asked> {
        let mut accounts = self.registration.accounts.values();
        let found = accounts.find(|account| account.username == username.trim());
        let pan = found.filter(|account| account.password.0 == password).map(|account| account.pan.clone());
        let Some(pan) = pan else {
            let message =
                "user name or password is wrong; these are the ones chosen at sign-up, not those of an API user";
            return Err(Problems::input(Problem::at("username", message).code("3002")));
        };
        self.send_otp(&pan, Purpose::LogIn, now)
    }

    /// Ends a log-in to the pages.
    pub(crate) fn finish_log_in(&mut self, request: &str, otp: &str, now: Timestamp) -> Acted<Opened> {
        let pan = self.take_otp(request, otp, Purpose::LogIn, now)?;
        self.open_session(&pan, now)
    }

    /// The PAN whose session this is.
    pub(crate) fn page_session(&self, token: &str, now: Timestamp) -> Acted<String> {
        let session = self.registration.sessions.iter().find(|session| session.token.0 == token && session.until > now);
        session.map(|session| session.pan.clone()).ok_or_else(Problems::no_session)
    }

    pub(crate) fn log_out(&mut self, token: &str) {
        self.change_registration(Change::PageSessionEnded { token: Hidden(token.to_owned()) });
    }

    fn send_otp(&mut self, pan: &str, purpose: Purpose, now: Timestamp) -> Acted<Asked> {
        let mut random = [0; 4];
        self.entropy.fill(&mut random).map_err(|_| no_randomness())?;
        let otp = format!("{:06}", u32::from_le_bytes(random) % 1_000_000);
        let request = self.random_text(16).map_err(|_| no_randomness())?;
        let until = now.checked_add(OTP_LIFE).unwrap_or(now);
        let record = Otp {
            request: request.clone(),
            pan: pan.to_owned(),
            purpose,
            digits: Hidden(otp.clone()),
            until,
            tries_left: OTP_TRIES,
        };
        self.change_registration(Change::Otp(record));
        let what = match purpose {
            Purpose::SignUp => "sign up",
            Purpose::LogIn => "log in",
        };
        let text = format!("{otp} is your one-time password to {what} for PAN {pan}. It is good for 10 minutes.");
        for channel in [Channel::Sms, Channel::Mail] {
            self.send(pan, channel, Draft::new(MessageKind::Otp, text.clone()).with_otp(&otp), now);
        }
        Ok(Asked { request, sent_to: masked(pan), expires_at: until })
    }

    /// Where the one-time password of a request went, while it is good.
    pub(crate) fn asked(&self, request: &str, purpose: Purpose, now: Timestamp) -> Option<Asked> {
        let mut otps = self.registration.otps.iter();
        let otp = otps.find(|otp| otp.request == request && otp.purpose == purpose && otp.until > now)?;
        Some(Asked { request: otp.request.clone(), sent_to: masked(&otp.pan), expires_at: otp.until })
    }

    /// Takes a one-time password, which is good once; a wrong try is counted.
    fn take_otp(&mut self, request: &str, otp: &str, purpose: Purpose, now: Timestamp) -> Acted<String> {
        let mut known = self.registration.otps.iter();
        let known = known.find(|known| known.request == request && known.purpose == purpose && known.until > now);
        let Some(known) = known.cloned() else {
            let message = "this one-time password is used up, or its 10 minutes are over: begin again for a new one";
            return Err(Problems::state(Problem::at("otp", message)));
        };
        if known.digits.0 == otp.trim() {
            self.change_registration(Change::OtpUsed { request: known.request });
            return Ok(known.pan);
        }
        let tries_left = known.tries_left.saturating_sub(1);
        if tries_left == 0 {
            self.change_registration(Change::OtpUsed { request: known.request });
            let message = "this one-time password is wrong and now void, after three tries: begin again for a new one";
            return Err(Problems::state(Problem::at("otp", message)));
        }
        self.change_registration(Change::Otp(Otp { tries_left, ..known }));
        let more = if tries_left == 1 { "one more try".to_owned() } else { format!("{tries_left} more tries") };
        Err(Problems::input(Problem::at("otp", format!("this is not the one-time password that was sent: {more}"))))
    }

    fn open_session(&mut self, pan: &str, now: Timestamp) -> Acted<Opened> {
        let token = self.random_text(32).map_err(|_| no_randomness())?;
        let until = now.checked_add(SESSION_LIFE).unwrap_or(now);
        let session = PageSession { token: Hidden(token.clone()), pan: pan.to_owned(), until };
        self.change_registration(Change::PageSession { session, at: now });
        Ok(Opened { session: token, pan: pan.to_owned() })
    }

    /// A new client pair, whose id begins with what it is for.
    pub(crate) fn new_client(&self, pan: &str, prefix: &str) -> Acted<ClientAccount> {
        let random = |bytes| self.random_text(bytes).map_err(|_| no_randomness());
        let client_id = format!("{prefix}{pan}{}", random(8)?);
        Ok(ClientAccount { pan: pan.to_owned(), client_id, client_secret: random(20)? })
    }
}

pub(crate) fn no_randomness() -> Problems {
    Problems::state(Problem::general("no random bytes are to be had from the system: try again").code("3020"))
}
