//! What somebody in front of the portal can do with it: a GSP that logs in for its taxpayers and asks for them.

use std::fmt;

use einvoice_core::environment::Product;
use jiff::Timestamp;

use crate::cipher_box;
use crate::connection::GspConnection;
use crate::ewb_route::PREFIX;
use crate::login::Login;
use crate::node::{Node, quoted};
use crate::portal::Portal;
use crate::registration::Holder;
use crate::registry::{ClientAccount, UserAccount, pan_of};
use crate::wire::{CodeText, Delivery, PortalReply, PortalRequest};

/// Somebody in front of the portal, who answers requests in a way of his own.
pub trait Front: fmt::Debug + Send + Sync {
    /// Answers one request; its path begins below the place where the front stands.
    fn answer(&self, behind: &mut Behind<'_>, request: &PortalRequest) -> PortalReply;

    /// Its name in the portal's list of providers: users that were made for it come in through it and nowhere else. One
    /// without a name (the default) is no provider of the list, and takes only users that are bound to none.
    #[expect(clippy::unnecessary_literal_bound, reason = "who has a name keeps it in itself")]
    fn name(&self) -> &str {
        ""
    }

    /// What a client needs to know to call it at `base_url`, for `connection.json`; nothing where it wants to stay
    /// unknown.
    fn connection(&self, _base_url: &str) -> Option<GspConnection> {
        None
    }

    /// Does a test's wish: its path begins below `/sandbox` and the place where the front stands. Nothing where there
    /// is no such wish.
    fn control(&self, _request: &PortalRequest) -> Option<PortalReply> {
        None
    }
}

/// The portal, for somebody in front of it.
#[derive(Debug)]
pub struct Behind<'p> {
    portal: &'p mut Portal,
    /// Name of who stands in front.
    gsp: &'p str,
    now: Timestamp,
}

/// A taxpayer's login at the portal, held by somebody in front of it.
#[derive(Debug, Clone)]
pub struct Ticket {
    product: Product,
    login: Login,
}

impl Ticket {
    /// The portal's token.
    #[must_use]
    pub fn token(&self) -> &str {
        &self.login.token
    }

    /// The session key.
    #[must_use]
    pub const fn sek(&self) -> &[u8; 32] {
        &self.login.sek
    }

    /// The taxpayer.
    #[must_use]
    pub fn gstin(&self) -> &str {
        &self.login.gstin
    }

    /// When the token ends.
    #[must_use]
    pub const fn expires_at(&self) -> Timestamp {
        self.login.expires_at
    }
}

/// A question to the portal before it is sealed.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::exhaustive_structs, reason = "a question is written by naming what it holds")]
pub struct Asked<'a> {
    /// Path and query below the system's own root.
    pub target: &'a str,
    /// Action and JSON of a write; the registration portal has no actions.
    pub write: Option<(Option<&'a str>, &'a str)>,
    /// The site that is meant.
    pub site: Option<&'a str>,
}

/// What the portal said, opened.
#[derive(Debug)]
#[expect(clippy::exhaustive_enums, reason = "yes, no, or something that is neither")]
pub enum Said {
    /// Yes.
    Yes {
        /// The content, as JSON.
        content: String,
        /// `InfoDtls` as JSON, where it has any.
        info: Option<String>,
    },
    /// No.
    No {
        /// Codes and texts; the e-way bill system sends no texts.
        errors: Vec<(String, String)>,
        /// `InfoDtls` as JSON, where it has any.
        info: Option<String>,
    },
    /// No answer of the portal's: a scripted fault, to be passed on as it is.
    Other(PortalReply),
}

impl<'p> Behind<'p> {
    pub(crate) fn new(portal: &'p mut Portal, gsp: &'p str, now: Timestamp) -> Self {
        portal.meet_gsp(gsp);
        Self { portal, gsp, now }
    }

    /// The portal's time.
    #[must_use]
    pub const fn now(&self) -> Timestamp {
        self.now
    }

    /// Random hexadecimal digits, for a token.
    #[must_use]
    pub fn random_digits(&self, digits: usize) -> String {
        let mut random = vec![0; digits.div_ceil(2)];
        // Without randomness a token is predictable, which an emulator may be.
        let _filled = self.portal.entropy.fill(&mut random);
        crate::hex::lower(&random).chars().take(digits).collect()
    }

    /// The API user of a GSTIN in one of the systems: the one that was made for who stands in front, else the one that
    /// the emulator gave it.
    #[must_use]
    pub fn user(&self, product: Product, gstin: &str) -> Option<UserAccount> {
        self.portal.user_known_to(self.gsp, product, gstin)
    }

    /// The client pair that calls for a GSTIN carry: that of the provider in front; where it has no name, that of the PAN.
    #[must_use]
    pub fn client(&self, gstin: &str) -> Option<ClientAccount> {
        let own = self.portal.registration.gsp_clients.get(self.gsp);
        own.or_else(|| self.portal.accounts.clients.get(pan_of(gstin)?)).cloned()
    }

    /// Passes a request on to the portal as it stands.
    pub fn pass(&mut self, request: &PortalRequest) -> PortalReply {
        self.portal.handle(request, self.now)
    }

    /// Logs a taxpayer in.
    ///
    /// # Errors
    /// The portal's codes and texts.
    pub fn log_in(
        &mut self,
        product: Product,
        gstin: &str,
        user_name: &str,
        password: &str,
    ) -> Result<Ticket, Vec<(String, String)>> {
        let holder = Holder::Gsp(self.gsp.to_owned());
        let login = match product {
            Product::EInvoice => self
                .portal
                .log_in_for(&holder, gstin, user_name, password, self.now)
                .map_err(|refusal| pairs(&refusal.errors))?,
            _ => self
                .portal
                .log_in_to_ewb_for(&holder, gstin, user_name, password, self.now)
                .map_err(|codes| codes.0.into_iter().map(|code| (code, String::new())).collect::<Vec<_>>())?,
        };
        Ok(Ticket { product, login })
    }

    /// Asks the portal as the taxpayer who is logged in.
    pub fn ask(&mut self, ticket: &Ticket, asked: Asked<'_>) -> Said {
        let login = &ticket.login;
        let Some(client) = self.client(&login.gstin) else { return Said::Other(PortalReply::html(404)) };
        let user = match &login.user {
            Some(name) => name.clone(),
            None => self.user(ticket.product, &login.gstin).map(|user| user.username).unwrap_or_default(),
        };
        let is_irp = ticket.product == Product::EInvoice;
        let body = asked.write.map(|(action, json)| {
            let sealed = quoted(&cipher_box::seal(&login.sek, json.as_bytes()));
            match action {
                Some(action) => format!(r#"{{"action":{},"data":{sealed}}}"#, quoted(action)),
                None => format!(r#"{{"Data":{sealed}}}"#),
            }
        });
        let mut headers = vec![
            ("client_id".to_owned(), client.client_id),
            ("client_secret".to_owned(), client.client_secret),
            ("Gstin".to_owned(), login.gstin.clone()),
            ("user_name".to_owned(), user),
            ("AuthToken".to_owned(), login.token.clone()),
        ];
        if let (Some(site), true) = (asked.site, is_irp) {
            headers.push(("irp".to_owned(), site.to_owned()));
        }
        let request = PortalRequest {
            method: if body.is_some() { "POST" } else { "GET" }.to_owned(),
            target: if is_irp { asked.target.to_owned() } else { format!("{PREFIX}{}", asked.target) },
            headers,
            body: body.unwrap_or_default().into_bytes(),
        };
        let reply = self.portal.handle(&request, self.now);
        opened(&reply, login).unwrap_or(Said::Other(reply))
    }
}

/// The portal's own envelope, opened; nothing where it is none, or does not arrive whole.
fn opened(reply: &PortalReply, login: &Login) -> Option<Said> {
    if reply.status != 200 || !matches!(reply.delivery, Delivery::Normal | Delivery::Delayed(_)) {
        return None;
    }
    let envelope = Node::parse(&reply.body).ok()?;
    let Node::Object(members) = &envelope else { return None };
    let member = |name: &str| {
        let found = members.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value);
        found.filter(|value| **value != Node::Null)
    };
    let info = member("InfoDtls").map(ToString::to_string);
    let is_yes = match member("Status")? {
        Node::Text(status) | Node::Number(status) => status == "1",
        _ => return None,
    };
    if !is_yes {
        return Some(Said::No { errors: errors(member("ErrorDetails").or_else(|| member("error"))?), info });
    }
    let Node::Text(data) = member("Data")? else { return None };
    let key = match member("rek") {
        Some(Node::Text(rek)) => cipher_box::open(&login.sek, rek)?.try_into().ok()?,
        _ => login.sek,
    };
    let content = String::from_utf8(cipher_box::open(&key, data)?).ok()?;
    Some(Said::Yes { content, info })
}

/// Codes and texts of either system, in any of the forms the settings choose among.
fn errors(node: &Node) -> Vec<(String, String)> {
    use base64::Engine as _;
    match node {
        Node::Text(text) => {
            let inner = base64::engine::general_purpose::STANDARD.decode(text).ok();
            inner.and_then(|bytes| Node::parse(&bytes).ok()).map(|node| errors(&node)).unwrap_or_default()
        }
        Node::List(list) => list.iter().flat_map(errors).collect(),
        Node::Object(_) => {
            if let Some(codes) = node.text(&["errorCodes"]) {
                let codes = codes.split(',').map(str::trim).filter(|code| !code.is_empty());
                return codes.map(|code| (code.to_owned(), String::new())).collect();
            }
            let text = |name: &str| node.text(&[name]).unwrap_or_default().to_owned();
            vec![(text("ErrorCode"), text("ErrorMessage"))]
        }
        _ => Vec::new(),
    }
}

fn pairs(errors: &[CodeText]) -> Vec<(String, String)> {
    errors.iter().map(|error| (error.code.clone(), error.message.clone())).collect()
}
