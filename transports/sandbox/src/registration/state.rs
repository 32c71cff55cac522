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

/// Files of test reports that are kept, each of up to 7 MB; the oldest go first.
const REPORTS_MAX: usize = 50;

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
                None => self.add_listing(*listing),
            },
            Change::Decided(decision) => {
                if let Some(known) = self.listings.iter_mut().find(|known| known.id == decision.id) {
                    known.state = decision.state;
                    known.reason = decision.reason;
                    known.decided_at = Some(decision.at);
                }
            }
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

    /// Takes a request in. Its file takes the place of an earlier one of its PAN, and of the oldest where there are many.
    fn add_listing(&mut self, listing: Listing) {
        let has_file = |known: &&mut Listing| !known.report.is_empty();
        self.listings.iter_mut().filter(|known| known.pan == listing.pan).for_each(|known| known.report.clear());
        let files = self.listings.iter_mut().filter(has_file).count();
        let over = files.saturating_sub(REPORTS_MAX - 1);
        self.listings.iter_mut().filter(has_file).take(over).for_each(|known| known.report.clear());
        self.listings.push(listing);
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

#[cfg(test)]
mod tests {
    use super::super::records::Decision;
    use super::*;

    fn request(number: usize, pan: &str) -> Change {
        Change::Listing(Box::new(Listing {
            id: format!("L{number}"),
            pan: pan.to_owned(),
            state: ListingState::UnderScrutiny,
            reason: None,
            addresses: Vec::new(),
            report_name: "report.html".to_owned(),
            report: "PGh0bWw+".to_owned(),
            report_bytes: 6,
            report_says: None,
            applied_at: Timestamp::UNIX_EPOCH,
            decided_at: None,
        }))
    }

    fn kept(registration: &Registration) -> Vec<&str> {
        let with_file = registration.listings.iter().filter(|listing| !listing.report.is_empty());
        with_file.map(|listing| listing.id.as_str()).collect()
    }

    #[test]
    fn a_decision_leaves_the_file_of_its_request_and_a_newer_request_takes_its_place() {
        let mut registration = Registration::default();
        registration.apply(request(1, "AAACB5678K"));
        let reason = Some("12 failing cases".to_owned());
        let (id, at) = ("L1".to_owned(), Timestamp::UNIX_EPOCH);
        registration.apply(Change::Decided(Decision { id, state: ListingState::Returned, reason, at }));
        let decided = &registration.listings[0];
        assert_eq!((decided.state, decided.reason.as_deref()), (ListingState::Returned, Some("12 failing cases")));
        assert_eq!(kept(&registration), ["L1"]);
        registration.apply(request(2, "AAACB5678K"));
        assert_eq!(kept(&registration), ["L2"]);
    }

    #[test]
    fn the_files_of_the_newest_requests_are_kept() {
        let mut registration = Registration::default();
        for number in 0..REPORTS_MAX + 2 {
            registration.apply(request(number, &format!("AAACB{number:04}K")));
        }
        assert_eq!((kept(&registration).len(), kept(&registration)[0]), (REPORTS_MAX, "L2"));
        assert_eq!(registration.listings.len(), REPORTS_MAX + 2, "the requests themselves stay");
    }
}
