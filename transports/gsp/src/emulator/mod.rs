//! A provider by its profile, in front of the emulated portal: its login, its headers, its wrappings, its own faults.
//!
//! What a profile says of questions is read backwards here, and what it says of answers is written. So a profile can be
//! tried without an account, and whoever changes one sees what it does; that the provider does the same, only the
//! provider can show.

mod asked;
mod places;
mod said;
mod served;
mod taken;
mod words;
mod written;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use einvoice_core::environment::Product;
use einvoice_sandbox::{Behind, Delivery, Front, GspConnection, PortalReply, PortalRequest, Ticket};
use jiff::{SignedDuration, Timestamp};

use crate::profile::{Hosts, Meaning, Profile};

pub use served::{ACCOUNTS_FILE, Served, ServedError};
pub use words::Place;

/// Where the parts of a provider lie below its address.
const COMMON: &str = "/common";
const IRP: &str = "/irp";
const EWB: &str = "/ewb";

/// Client pair of the account at the emulated provider.
#[derive(Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a pair has two parts")]
pub struct ProviderAccount {
    /// Client id.
    pub client_id: String,
    /// Client secret. Worthless outside the emulator; masked in `Debug` all the same.
    pub client_secret: String,
}

impl std::fmt::Debug for ProviderAccount {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("ProviderAccount").field("client_id", &self.client_id).finish_non_exhaustive()
    }
}

/// A fault of the provider's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ProviderFault {
    /// It says so in its own words, as far as its profile knows any: quota gone, address not listed, token ended.
    Says(Meaning),
    /// A page instead of an answer.
    Html,
    /// HTTP status 502 around a refusal of the portal's.
    BadGateway,
    /// The answer is lost after the portal has done what was asked.
    LostAnswer,
    /// The portal does what was asked, and the web server in front answers with a page of this HTTP status.
    PageAfter(u16),
    /// No connection comes about.
    Down,
    /// A refusal of the portal's comes as a text inside an error of the provider's own, with HTTP status 200.
    Nested,
}

/// A provider in front of the emulated portal.
#[derive(Debug)]
pub struct Provider {
    profile: Profile,
    account: ProviderAccount,
    /// The pair for the e-way bill system, where the provider has one for each system.
    ewb_account: Option<ProviderAccount>,
    /// How a route names the profile, and files that it needs: see [`Served`].
    served: Option<Served>,
    /// What the profile's settings must be; one that is not here may be anything.
    settings: BTreeMap<String, String>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    provider_tokens: BTreeMap<String, Timestamp>,
    /// Logins of taxpayers by the token that the provider gave out, or by GSTIN where it gives none.
    logins: BTreeMap<(Product, String), Ticket>,
    request_ids: BTreeSet<String>,
    faults: Vec<ProviderFault>,
    /// The next refusal of the portal's comes inside an error of the provider's own.
    nests: bool,
    calls: u64,
}

impl Provider {
    /// Plays a provider with one account.
    #[must_use]
    pub fn new(profile: Profile, account: ProviderAccount, settings: BTreeMap<String, String>) -> Self {
        Self { profile, account, ewb_account: None, served: None, settings, state: Mutex::default() }
    }

    /// Has another client pair for the e-way bill system.
    #[must_use]
    pub fn with_ewb_account(mut self, account: ProviderAccount) -> Self {
        self.ewb_account = Some(account);
        self
    }

    /// The pair that a system is called with.
    fn account(&self, product: Product) -> &ProviderAccount {
        let of_bills = self.ewb_account.as_ref().filter(|_| product == Product::EWayBill);
        of_bills.unwrap_or(&self.account)
    }

    /// Addresses of the emulated provider, whose front stands at this address.
    #[must_use]
    pub fn hosts(address: &str) -> Hosts {
        let address = address.trim_end_matches('/');
        Hosts {
            common: format!("{address}{COMMON}"),
            irp: Some(format!("{address}{IRP}")),
            ewb: Some(format!("{address}{EWB}")),
            alternates: Vec::new(),
        }
    }

    /// The next call meets this fault; of several the first comes first.
    pub fn push_fault(&self, fault: ProviderFault) {
        self.state().faults.push(fault);
    }

    /// Ends every token of the provider, as another login elsewhere does.
    pub fn end_tokens(&self) {
        self.state().provider_tokens.clear();
    }

    /// Ends every login of a taxpayer that the provider holds.
    pub fn end_logins(&self) {
        self.state().logins.clear();
    }

    /// How many requests came, logins included.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.state().calls
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Every change of the state is one step.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lifetime(login: &crate::profile::Login) -> SignedDuration {
        let seconds = login.sandbox_lifetime_seconds.unwrap_or(login.lifetime_seconds);
        SignedDuration::from_secs(i64::from(seconds))
    }
}

impl Front for Provider {
    /// Under which name the portal's pages offer it to a taxpayer who makes an API user.
    fn name(&self) -> &str {
        self.profile.id.as_str()
    }

    fn answer(&self, behind: &mut Behind<'_>, request: &PortalRequest) -> PortalReply {
        let fault = {
            let mut state = self.state();
            state.calls += 1;
            let fault = if state.faults.is_empty() { None } else { Some(state.faults.remove(0)) };
            state.nests = fault == Some(ProviderFault::Nested);
            fault
        };
        let part = [(COMMON, None), (IRP, Some(Product::EInvoice)), (EWB, Some(Product::EWayBill))]
            .into_iter()
            .find_map(|(prefix, product)| Some((product, request.target.strip_prefix(prefix)?)));
        let Some((product, target)) = part else { return page(404) };
        match fault {
            Some(ProviderFault::Html) => return page(503),
            Some(ProviderFault::Down) => return PortalReply { delivery: Delivery::Refused, ..page(503) },
            Some(ProviderFault::Says(meaning)) => return self.says(product, meaning, "as asked for by a test"),
            _ => {}
        }
        let reply = match product {
            None => self.provider_login(behind, request, target),
            Some(product) => self.call(behind, product, request, target),
        };
        match fault {
            Some(ProviderFault::LostAnswer) => PortalReply { delivery: Delivery::Dropped, ..reply },
            Some(ProviderFault::BadGateway) => PortalReply { status: 502, ..reply },
            Some(ProviderFault::PageAfter(status)) => page(status),
            _ => reply,
        }
    }

    fn connection(&self, base_url: &str) -> Option<GspConnection> {
        self.described(base_url)
    }

    fn control(&self, request: &PortalRequest) -> Option<PortalReply> {
        Some(self.controlled(request))
    }
}

/// A page of the web server in front of the provider.
pub(crate) fn page(status: u16) -> PortalReply {
    let body = "<!DOCTYPE html><html><head><title>Service unavailable</title></head><body></body></html>";
    PortalReply {
        status,
        content_type: "text/html; charset=utf-8",
        body: body.as_bytes().to_vec(),
        delivery: Delivery::Normal,
    }
}

pub(crate) fn json(status: u16, body: String) -> PortalReply {
    PortalReply {
        status,
        content_type: "application/json; charset=utf-8",
        body: body.into_bytes(),
        delivery: Delivery::Normal,
    }
}
