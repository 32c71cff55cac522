//! IP listing: the request with its test report, its scrutiny, and the client pair that follows.

use jiff::Timestamp;

use super::addresses;
use super::outbox::{Draft, masked};
use super::problem::{Acted, Problem, Problems};
use super::records::{Change, Channel, Decision, Listing, ListingState, MessageKind};
use super::report::{Upload, look_at, shortfall};
use super::settings::Scrutiny;
use crate::journal::Event;
use crate::portal::Portal;
use crate::registry::ClientAccount;

/// Requests that one PAN can make: far more than a rehearsal needs.
const REQUESTS_MAX: usize = 100;
/// Longest reason of an official, in characters.
const REASON_MAX: usize = 500;

impl Portal {
    /// Asks for addresses to be listed for the client pair of a PAN. After an earlier request was accepted, this asks for
    /// other addresses in their place; the pair stays.
    pub(crate) fn apply_for_listing(
        &mut self,
        pan: &str,
        addresses: &[&str],
        report: Option<&Upload>,
        now: Timestamp,
    ) -> Acted<Listing> {
        if let Some(open) = self.registration.under_scrutiny(pan) {
            let message = format!("request {} is under scrutiny: wait for the officer's approval", open.id);
            return Err(Problems::state(Problem::general(message).code("3060")));
        }
        if self.registration.listings.iter().filter(|listing| listing.pan == pan).count() >= REQUESTS_MAX {
            let message = format!("this PAN has made {REQUESTS_MAX} requests: this emulator takes no more of it");
            return Err(Problems::state(Problem::general(message)));
        }
        let mut problems = Problems::default();
        let addresses = problems.collect(addresses::read(addresses, &self.settings.registration)).unwrap_or_default();
        let report = problems.collect(look_at(report));
        let Some(report) = problems.or(report)? else { return Err(Problems::default()) };
        let listing = Listing {
            id: format!("L{}", self.registration.listings.len().saturating_add(1)),
            pan: pan.to_owned(),
            state: ListingState::UnderScrutiny,
            reason: None,
            addresses,
            report_name: report.name,
            report: report.content,
            report_bytes: report.bytes,
            report_says: report.says,
            applied_at: now,
            decided_at: None,
        };
        let id = listing.id.clone();
        let text = format!("Your request {id} for IP listing has been received and is under scrutiny.");
        self.change_registration(Change::Listing(Box::new(listing.clone())));
        self.send(pan, Channel::Mail, Draft::new(MessageKind::ListingReceived, text), now);
        if self.settings.registration.scrutiny == Scrutiny::Automatic {
            return match shortfall(listing.report_says.as_deref()) {
                None => self.accept_listing(&id, now),
                Some(reason) => self.return_listing(&id, &reason, now),
            };
        }
        Ok(listing)
    }

    fn undecided(&self, id: &str) -> Acted<Listing> {
        let found = self.registration.listings.iter().find(|listing| listing.id == id);
        let Some(listing) = found else {
            let id = addresses::shortened(id);
            return Err(Problems::not_found(format!("there is no request {id} for IP listing")));
        };
        if listing.state != ListingState::UnderScrutiny {
            return Err(Problems::state(Problem::general(format!("request {id} has been decided already"))));
        }
        Ok(listing.clone())
    }

    /// Accepts a request: its addresses are listed, and a PAN that has no client pair yet gets one by SMS.
    pub(crate) fn accept_listing(&mut self, id: &str, now: Timestamp) -> Acted<Listing> {
        let listing = self.undecided(id)?;
        let pan = listing.pan.clone();
        let is_first = !self.registration.issued.contains_key(&pan);
        let client = if is_first { Some(self.new_client(&pan, "IRP")?) } else { None };
        let listing = self.decide(listing, ListingState::Accepted, None, now);
        self.change_registration(Change::Listed { pan: pan.clone(), addresses: listing.addresses.clone() });
        let count = listing.addresses.len();
        let which = if count == 1 { "one address is".to_owned() } else { format!("{count} addresses are") };
        let text = format!(
            "Your request {id} for IP listing has been accepted; {which} listed. {}The public key that logins are \
             encrypted with is on the page of your API users.",
            if is_first { "Client id and secret come by SMS to the registered mobile. " } else { "" }
        );
        self.send(&pan, Channel::Mail, Draft::new(MessageKind::ListingAccepted, text), now);
        if let Some(client) = client {
            self.record(Event::Client(client.clone()));
            self.change_registration(Change::Issued { pan: pan.clone(), at: now });
            self.send_client(&client, MessageKind::Client, now);
        }
        Ok(listing)
    }

    /// The request as it is once it was decided. Its report is on record since it was made.
    fn decide(&mut self, listing: Listing, state: ListingState, reason: Option<String>, now: Timestamp) -> Listing {
        let decision = Decision { id: listing.id.clone(), state, reason, at: now };
        self.change_registration(Change::Decided(decision.clone()));
        Listing { state, reason: decision.reason, decided_at: Some(now), ..listing }
    }

    /// Returns a request with a reason; it can be made again.
    pub(crate) fn return_listing(&mut self, id: &str, reason: &str, now: Timestamp) -> Acted<Listing> {
        let listing = self.undecided(id)?;
        let reason = reason.trim();
        if reason.is_empty() || reason.chars().count() > REASON_MAX {
            let message =
                format!("a reason of 1 to {REASON_MAX} characters is needed: the taxpayer has nothing else to go by");
            return Err(Problems::input(Problem::at("reason", message)));
        }
        let pan = listing.pan.clone();
        let listing = self.decide(listing, ListingState::Returned, Some(reason.to_owned()), now);
        let text = format!("Your request {id} for IP listing has been returned: {reason} Correct it and apply again.");
        self.send(&pan, Channel::Mail, Draft::new(MessageKind::ListingReturned, text), now);
        Ok(listing)
    }

    fn send_client(&mut self, client: &ClientAccount, kind: MessageKind, now: Timestamp) {
        let text = format!(
            "Your client id is {} and your client secret {}. They serve every GSTIN of PAN {}, from the listed addresses \
             only. Do not share them.",
            client.client_id, client.client_secret, client.pan
        );
        self.send(&client.pan, Channel::Sms, Draft::new(kind, text).with_client(client), now);
    }

    /// The client pair that was issued to a PAN.
    pub(crate) fn issued_client(&self, pan: &str) -> Acted<ClientAccount> {
        let client = self.accounts.clients.get(pan).filter(|_| self.registration.issued.contains_key(pan));
        client.cloned().ok_or_else(|| self.not_issued(pan))
    }

    /// Why a PAN has no client pair.
    pub(crate) fn not_issued(&self, pan: &str) -> Problems {
        let (code, message) = match self.registration.latest_listing(pan).map(|listing| listing.state) {
            Some(ListingState::UnderScrutiny) => {
                ("3060", "the request for IP listing is under scrutiny: wait for the officer's approval")
            }
            Some(ListingState::Returned) => {
                ("3061", "the request for IP listing was returned: correct what it says and apply again")
            }
            _ => ("3059", "no client id was issued for this PAN: apply for IP listing with your test report first"),
        };
        Problems::state(Problem::general(message).code(code))
    }

    /// Sends the client pair again; by a setting with a new secret, which ends the old one. Says where it went, and
    /// whether the secret is new.
    pub(crate) fn resend_client(&mut self, pan: &str, now: Timestamp) -> Acted<(Vec<String>, bool)> {
        let mut client = self.issued_client(pan)?;
        let is_new = self.settings.registration.resend_makes_new_secret;
        if is_new {
            client.client_secret = self.new_client(pan, "")?.client_secret;
            self.record(Event::Client(client.clone()));
        }
        self.send_client(&client, MessageKind::ClientAgain, now);
        Ok((masked(pan).into_iter().take(1).collect(), is_new))
    }
}
