//! The portal as a state machine: a request and a moment in, a reply out. No I/O, no clock.

use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;
use std::sync::Arc;

use einvoice_core::entropy::SharedEntropy;
use jiff::Timestamp;

use crate::books::{BookLine, Books};
use crate::cipher_box;
use crate::error::SandboxError;
use crate::faults::{Fault, Faults, PortalOperation, ScriptedFault, System};
use crate::ist;
use crate::journal::Event;
use crate::keys::PortalKeys;
use crate::login::{Login, Logins, payload_of};
use crate::node::quoted;
use crate::registration::Registration;
use crate::registry::Accounts;
use crate::route::{Route, route};
use crate::settings::{PortalSettings, TaxpayerEntry};
use crate::wire::{PortalReply, PortalRequest, Refusal, success};

/// The emulated portal.
#[derive(Debug)]
pub struct Portal {
    pub(crate) settings: PortalSettings,
    pub(crate) keys: Arc<PortalKeys>,
    pub(crate) entropy: SharedEntropy,
    pub(crate) accounts: Accounts,
    /// What happens before the first call.
    pub(crate) registration: Registration,
    /// The address of whoever asks, while a request is answered; nothing for a caller in this process.
    pub(crate) caller: Option<IpAddr>,
    pub(crate) logins: Logins,
    /// Live logins to the e-way bill system.
    pub(crate) ewb_logins: Logins,
    /// Logins to the e-way bill system by GSTIN: the first of the period, and how many. Not kept over a restart.
    pub(crate) ewb_login_counts: HashMap<String, (Timestamp, u32)>,
    /// Taxpayers that were fetched anew.
    pub(crate) synced: BTreeSet<String>,
    /// A fault that changes what is signed, while its call is answered.
    pub(crate) twist: Option<Fault>,
    pub(crate) books: Books,
    pub(crate) faults: Faults,
    /// Changes since the last [`Portal::take_events`].
    pub(crate) events: Vec<Event>,
}

/// A successful answer before it is sealed.
#[derive(Debug)]
pub(crate) struct Answer {
    /// JSON.
    pub(crate) data: String,
    /// Entries of `InfoDtls`.
    pub(crate) info: Vec<String>,
}

/// Who asks, and which site is meant.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asker<'a> {
    pub(crate) gstin: &'a str,
    pub(crate) site: &'a str,
}

impl Answer {
    pub(crate) const fn plain(data: String) -> Self {
        Self { data, info: Vec::new() }
    }
}

impl Portal {
    pub(crate) fn new(settings: PortalSettings, keys: PortalKeys, entropy: SharedEntropy) -> Self {
        Self {
            settings,
            keys: Arc::new(keys),
            entropy,
            accounts: Accounts::default(),
            registration: Registration::default(),
            caller: None,
            logins: Logins::default(),
            ewb_logins: Logins::default(),
            ewb_login_counts: HashMap::new(),
            synced: BTreeSet::new(),
            twist: None,
            books: Books::default(),
            faults: Faults::default(),
            events: Vec::new(),
        }
    }

    /// A portal with new keys and no accounts, for tests of the state machine alone.
    ///
    /// # Errors
    /// When a setting is out of range or no keys can be made.
    pub fn with_new_keys(settings: PortalSettings, entropy: SharedEntropy) -> Result<Self, SandboxError> {
        settings.validate()?;
        Ok(Self::new(settings, PortalKeys::generate()?, entropy))
    }

    /// Answers one request as of `now`. Never panics, whatever the bytes.
    pub fn handle(&mut self, request: &PortalRequest, now: Timestamp) -> PortalReply {
        if self.is_turned_away(request) {
            return PortalReply::html(403);
        }
        let below = request.path().strip_prefix(crate::ewb_route::PREFIX).filter(|rest| rest.starts_with('/'));
        if let Some(path) = below {
            return self.handle_ewb(path, request, now);
        }
        let Some(route) = route(request) else {
            return self
                .faults
                .take(PortalOperation::Other)
                .and_then(|fault| fault.instead(System::Irp))
                .unwrap_or_else(|| PortalReply::html(404));
        };
        let fault = self.faults.take(route.operation);
        if let Some(reply) = fault.as_ref().and_then(|fault| fault.instead(System::Irp)) {
            return reply;
        }
        self.twist = fault.clone().filter(|fault| matches!(fault, Fault::AnotherDocument | Fault::OtherAmount));
        let reply = self.dispatch(&route, request, now);
        self.twist = None;
        match fault {
            Some(fault) => fault.after(reply, System::Irp),
            None => reply,
        }
    }

    fn dispatch(&mut self, route: &Route<'_>, request: &PortalRequest, now: Timestamp) -> PortalReply {
        match route.operation {
            PortalOperation::Heartbeat => {
                let time = ist::civil(now).strftime("%d-%m-%Y %H:%M:%S");
                return PortalReply::text(200, "text/plain; charset=utf-8", format!("e-Invoice Vital:-{time}"));
            }
            PortalOperation::Auth => return self.authenticate(request, now),
            PortalOperation::CancelEwbAtIrp => return self.cancel_bill_at_irp(request, now),
            _ => {}
        }
        let answer = self.session(request, now).and_then(|login| {
            let answer = self.answer(route, request, &login, now)?;
            Ok((login, answer))
        });
        match answer {
            Ok((login, answer)) => {
                success(&quoted(&cipher_box::seal(&login.sek, answer.data.as_bytes())), &answer.info)
            }
            Err(refusal) => refusal.reply(self.settings.error_details),
        }
    }

    fn answer(
        &mut self,
        route: &Route<'_>,
        request: &PortalRequest,
        login: &Login,
        now: Timestamp,
    ) -> Result<Answer, Refusal> {
        // Without the header a site looks at what was made there, and at nothing else.
        let site = match request.header("irp") {
            None => self.settings.site.clone(),
            Some(site) if matches!(site.as_str(), "NIC1" | "NIC2") => site,
            Some(_) => return Err(Refusal::of("3098")),
        };
        let caller = Asker { gstin: &login.gstin, site: &site };
        match route.operation {
            PortalOperation::GenerateIrn => self.generate(login, request, now),
            PortalOperation::CancelIrn => self.cancel(login, caller, request, now),
            PortalOperation::GetIrn => self.get_by_irn(caller, route.object, now),
            PortalOperation::GetIrnByDocument => self.get_by_document(caller, request, now),
            PortalOperation::GetEwb => self.ewb_of(caller, route.object),
            PortalOperation::GenerateEwbByIrn => self.ewb_by_irn(login, caller, request, now),
            PortalOperation::GstinDetails => self.taxpayer_details(route.object),
            PortalOperation::SyncGstin => {
                self.sync(route.object);
                self.taxpayer_details(route.object)
            }
            PortalOperation::RejectedIrns => self.rejected_irns(caller, request),
            _ => Err(Refusal::with("5001", "This operation is not offered by the sandbox")),
        }
    }

    /// Opens the `Data` of a request with the session key. What the portal answers when it cannot
    /// is not known; 5001 is what it says of payloads it cannot use.
    #[expect(clippy::unused_self, reason = "belongs to the portal beside the other steps of a call")]
    pub(crate) fn open_payload(&self, login: &Login, request: &PortalRequest) -> Result<Vec<u8>, Refusal> {
        let data = payload_of(&request.body)?;
        cipher_box::open(&login.sek, &data).ok_or_else(|| Refusal::of("5001"))
    }

    pub(crate) fn ack_date(&self, at: Timestamp) -> String {
        if self.settings.ack_date_seconds { ist::stamp(at) } else { ist::minute_stamp(at) }
    }

    /// Fifteen digits: the first hints at the site, the third and fourth are the year.
    pub(crate) fn next_ack_no(&self, now: Timestamp) -> u64 {
        let site: u64 = if self.settings.site == "NIC2" { 2 } else { 1 };
        let year = u64::try_from(ist::civil(now).year().rem_euclid(100)).unwrap_or_default();
        let sequence = u64::try_from(self.books.len()).unwrap_or_default().saturating_add(1);
        ((site * 10 + 1) * 100 + year) * 100_000_000_000 + sequence % 100_000_000_000
    }

    /// A taxpayer as the portal's copy has it.
    pub(crate) fn taxpayer(&self, gstin: &str) -> Option<TaxpayerEntry> {
        let mut entry = crate::registry::taxpayer(&self.settings, gstin)?;
        if !entry.stale_status.is_empty() && !self.synced.contains(gstin) {
            entry.status.clone_from(&entry.stale_status);
        }
        (entry.status != "UNKNOWN").then_some(entry)
    }

    /// Brings the portal's copy of a taxpayer up to date.
    fn sync(&mut self, gstin: &str) {
        let stale =
            crate::registry::taxpayer(&self.settings, gstin).is_some_and(|entry| !entry.stale_status.is_empty());
        if stale && !self.synced.contains(gstin) {
            self.record(Event::Synced { gstin: gstin.to_owned() });
        }
    }

    /// What is in the books, one line a document.
    #[must_use]
    pub fn book_lines(&self) -> Vec<BookLine> {
        self.books.lines()
    }

    /// Adds a fault to the queue.
    pub fn push_fault(&mut self, fault: ScriptedFault) {
        self.faults.push(fault);
    }
}
