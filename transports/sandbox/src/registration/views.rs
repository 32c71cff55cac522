//! What is shown of the registration side: never a secret.

use std::net::Ipv4Addr;

use jiff::Timestamp;
use serde::Serialize;

use super::outbox::{mail_of, mobile_of};
use super::problem::{Acted, Problems};
use super::records::{Listing, ListingState};
use super::users::UserLine;
use crate::portal::Portal;

/// A request for IP listing as it is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct ListingLine {
    pub(crate) id: String,
    pub(crate) pan: String,
    pub(crate) state: ListingState,
    pub(crate) reason: Option<String>,
    pub(crate) addresses: Vec<Ipv4Addr>,
    pub(crate) report_name: String,
    pub(crate) report_bytes: u64,
    pub(crate) report_says: Option<String>,
    pub(crate) applied_at: Timestamp,
    pub(crate) decided_at: Option<Timestamp>,
}

impl ListingLine {
    pub(crate) fn of(listing: &Listing) -> Self {
        Self {
            id: listing.id.clone(),
            pan: listing.pan.clone(),
            state: listing.state,
            reason: listing.reason.clone(),
            addresses: listing.addresses.clone(),
            report_name: listing.report_name.clone(),
            report_bytes: listing.report_bytes,
            report_says: listing.report_says.clone(),
            applied_at: listing.applied_at,
            decided_at: listing.decided_at,
        }
    }
}

/// Everything about an account, as it is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct AccountView {
    pub(crate) pan: String,
    pub(crate) username: String,
    pub(crate) mobile: String,
    pub(crate) mail: String,
    pub(crate) sandbox_client_id: Option<String>,
    pub(crate) client_id: Option<String>,
    pub(crate) client_issued_at: Option<Timestamp>,
    pub(crate) addresses: Vec<Ipv4Addr>,
    /// The latest request.
    pub(crate) listing: Option<ListingLine>,
    pub(crate) users: Vec<UserLine>,
}

impl Portal {
    /// The account of a PAN.
    pub(crate) fn account_view(&self, pan: &str) -> Acted<AccountView> {
        let registration = &self.registration;
        let account = registration.accounts.get(pan).ok_or_else(Problems::no_session)?;
        Ok(AccountView {
            pan: pan.to_owned(),
            username: account.username.clone(),
            mobile: mobile_of(pan),
            mail: mail_of(pan),
            sandbox_client_id: registration.sandbox_clients.get(pan).map(|client| client.client_id.clone()),
            client_id: self.issued_client(pan).ok().map(|client| client.client_id),
            client_issued_at: registration.issued.get(pan).copied(),
            addresses: registration.listed.get(pan).cloned().unwrap_or_default(),
            listing: registration.latest_listing(pan).map(ListingLine::of),
            users: registration.users_of(pan).map(UserLine::of).collect(),
        })
    }

    /// Requests for listing, oldest first: those of a PAN, or all.
    pub(crate) fn listing_lines(&self, pan: Option<&str>) -> Vec<ListingLine> {
        let listings = self.registration.listings.iter();
        listings.filter(|listing| pan.is_none_or(|pan| listing.pan == pan)).map(ListingLine::of).collect()
    }
}
