//! The state of the registration side, and its changes.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use einvoice_core::environment::Environment;
use jiff::Timestamp;

use super::records::{Account, Change, Listing, ListingState, MadeUser, Message, Otp, PageSession};
use crate::registry::ClientAccount;

/// Messages that are kept; the oldest go first.
const MESSAGES_MAX: usize = 10_000;
/// Page sessions that are kept; the oldest go first.
const SESSIONS_MAX: usize = 10_000;

/// What the registration side knows.
#[derive(Debug, Default)]
pub(crate) struct Registration {
    /// Accounts on the pages, by PAN.
    pub(crate) accounts: BTreeMap<String, Account>,
    pub(crate) otps: Vec<Otp>,
    pub(crate) sessions: Vec<PageSession>,
    pub(crate) messages: Vec<Message>,
    /// How many messages there ever were.
    pub(crate) messages_sent: u64,
    /// Requests for listing, oldest first.
    pub(crate) listings: Vec<Listing>,
    /// Listed addresses, by PAN.
    pub(crate) listed: BTreeMap<String, Vec<Ipv4Addr>>,
    /// When the client pair of a PAN was issued.
    pub(crate) issued: BTreeMap<String, Timestamp>,
    /// Client pairs for trying things out, by PAN.
    pub(crate) sandbox_clients: BTreeMap<String, ClientAccount>,
    /// Client pairs of providers, by name.
    pub(crate) gsp_clients: BTreeMap<String, ClientAccount>,
    /// Names of the providers in front of the portal; not kept over a restart, as they come anew.
    pub(crate) fronts: Vec<String>,
    /// API users made on the pages, by name.
    pub(crate) users: BTreeMap<String, MadeUser>,
}

impl Registration {
    pub(crate) fn apply(&mut self, change: Change) {
        match change {
            Change::Account(account) => {
                self.accounts.insert(account.pan.clone(), account);
            }
            Change::Otp(otp) => {
                self.otps.retain(|other| (&other.pan, other.purpose) != (&otp.pan, otp.purpose));
                self.otps.push(otp);
            }
            Change::OtpUsed { request } => self.otps.retain(|otp| otp.request != request),
            Change::PageSession { session, at } => {
                self.sessions.retain(|other| other.until > at);
                if self.sessions.len() >= SESSIONS_MAX {
                    self.sessions.remove(0);
                }
                self.sessions.push(session);
            }
            Change::PageSessionEnded { token } => self.sessions.retain(|session| session.token != token),
            Change::Message(message) => {
                if self.messages.len() >= MESSAGES_MAX {
                    self.messages.remove(0);
                }
                self.messages_sent = message.id;
                self.messages.push(*message);
            }
            Change::Listing(listing) => match self.listings.iter_mut().find(|known| known.id == listing.id) {
                Some(known) => *known = *listing,
                None => self.listings.push(*listing),
            },
            Change::Listed { pan, addresses } => {
                self.listed.insert(pan, addresses);
            }
            Change::Issued { pan, at } => {
                self.issued.insert(pan, at);
            }
            Change::SandboxClient(client) => {
                self.sandbox_clients.insert(client.pan.clone(), client);
            }
            Change::GspClient(client) => {
                self.gsp_clients.insert(client.pan.clone(), client);
            }
            Change::User(user) => {
                self.users.insert(user.username.clone(), *user);
            }
            // The portal's own matter.
            Change::LoginsEnded { .. } => {}
        }
    }

    /// The request for listing of a PAN that is under scrutiny.
    pub(crate) fn under_scrutiny(&self, pan: &str) -> Option<&Listing> {
        self.listings.iter().find(|listing| listing.pan == pan && listing.state == ListingState::UnderScrutiny)
    }

    /// The latest request for listing of a PAN.
    pub(crate) fn latest_listing(&self, pan: &str) -> Option<&Listing> {
        self.listings.iter().rev().find(|listing| listing.pan == pan)
    }

    /// The users of a PAN, in the order of their names.
    pub(crate) fn users_of<'a>(&'a self, pan: &'a str) -> impl Iterator<Item = &'a MadeUser> {
        self.users.values().filter(move |user| crate::registry::pan_of(&user.gstin) == Some(pan))
    }

    /// How many users a GSTIN has in the system and environment of another one.
    pub(crate) fn count_like(&self, like: &MadeUser) -> usize {
        let same = |user: &&MadeUser| {
            (&user.gstin, user.product, user.environment) == (&like.gstin, like.product, like.environment)
        };
        self.users.values().filter(same).count()
    }

    /// Whose pair this is, when it is one of the registration side's own.
    pub(crate) fn holder_of(&self, client_id: &str, client_secret: &str) -> Option<Holder> {
        let is_it = |client: &&ClientAccount| client.client_id == client_id && client.client_secret == client_secret;
        let sandbox = self.sandbox_clients.values().find(is_it).map(|client| Holder::Sandbox(client.pan.clone()));
        sandbox.or_else(|| self.gsp_clients.values().find(is_it).map(|client| Holder::Gsp(client.pan.clone())))
    }
}

/// Whose client pair a call carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Holder {
    /// A taxpayer's, by PAN.
    Pan(String),
    /// A taxpayer's for trying things out, by PAN.
    Sandbox(String),
    /// A provider's, by its name; empty for one without a name.
    Gsp(String),
}

impl Holder {
    /// Whether calls for a GSTIN may carry it.
    pub(crate) fn serves(&self, gstin: &str) -> bool {
        match self {
            Self::Pan(pan) | Self::Sandbox(pan) => crate::registry::pan_of(gstin) == Some(pan),
            Self::Gsp(_) => true,
        }
    }

    /// The environment that users of it must be of; a provider's serves both.
    pub(crate) const fn environment(&self) -> Option<Environment> {
        match self {
            Self::Pan(_) => Some(Environment::Production),
            Self::Sandbox(_) => Some(Environment::Sandbox),
            Self::Gsp(_) => None,
        }
    }
}
