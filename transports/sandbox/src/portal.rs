//! The portal as a state machine: a request and a moment in, a reply out. No I/O, no clock.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use einvoice_core::entropy::SharedEntropy;
use jiff::Timestamp;

use crate::books::{BookLine, Books, Elsewhere, Identity};
use crate::cipher_box;
use crate::error::SandboxError;
use crate::faults::{Fault, Faults, PortalOperation, ScriptedFault, System};
use crate::ist;
use crate::journal::Event;
use crate::keys::PortalKeys;
use crate::login::{Login, payload_of};
use crate::node::quoted;
use crate::registry::{Accounts, ClientAccount, UserAccount, is_gstin, pan_of};
use crate::settings::{PortalSettings, TaxpayerEntry};
use crate::wire::{PortalReply, PortalRequest, Refusal, success};

/// The emulated portal.
#[derive(Debug)]
pub struct Portal {
    pub(crate) settings: PortalSettings,
    pub(crate) keys: Arc<PortalKeys>,
    pub(crate) entropy: SharedEntropy,
    pub(crate) accounts: Accounts,
    /// Live logins by GSTIN.
    pub(crate) logins: HashMap<String, Login>,
    /// Live logins to the e-way bill system by GSTIN.
    pub(crate) ewb_logins: HashMap<String, Login>,
    /// Logins to the e-way bill system by GSTIN: the first of the period, and how many. Not kept over a restart.
    pub(crate) ewb_login_counts: HashMap<String, (Timestamp, u32)>,
    /// Taxpayers that were fetched anew.
    synced: BTreeSet<String>,
    /// A fault that changes what is signed, while its call is answered.
    pub(crate) twist: Option<Fault>,
    pub(crate) books: Books,
    pub(crate) faults: Faults,
    /// Changes since the last [`Portal::take_events`].
    events: Vec<Event>,
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

/// Which operation a request asks for, and the part of the path that names its object.
#[derive(Debug, PartialEq, Eq)]
struct Route<'a> {
    operation: PortalOperation,
    object: &'a str,
}

impl Portal {
    pub(crate) fn new(settings: PortalSettings, keys: PortalKeys, entropy: SharedEntropy) -> Self {
        Self {
            settings,
            keys: Arc::new(keys),
            entropy,
            accounts: Accounts::default(),
            logins: HashMap::new(),
            ewb_logins: HashMap::new(),
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

    fn known_irn(&self, irn: &str) -> Result<String, SandboxError> {
        let found = self.books.by_irn(irn).map(|registered| registered.irn.clone());
        found.ok_or_else(|| SandboxError::Setting {
            setting: "irn",
            found: irn.to_owned(),
            expected: "the IRN of a registration in the books",
        })
    }

    pub(crate) fn move_to_site(&mut self, irn: &str, site: &str) -> Result<(), SandboxError> {
        let irn = self.known_irn(irn)?;
        if !matches!(site, "NIC1" | "NIC2") {
            let (setting, expected) = ("site", "NIC1 or NIC2");
            return Err(SandboxError::Setting { setting, found: site.to_owned(), expected });
        }
        self.record(Event::Site { irn, site: site.to_owned() });
        Ok(())
    }

    pub(crate) fn reject_irn(&mut self, irn: &str, now: Timestamp) -> Result<(), SandboxError> {
        let irn = self.known_irn(irn)?;
        self.record(Event::Rejected { irn, at: now });
        Ok(())
    }

    pub(crate) fn register_elsewhere(
        &mut self,
        gstin: &str,
        doc_type: &str,
        number: &str,
        date: &str,
        irp: &str,
        now: Timestamp,
    ) -> Result<(), SandboxError> {
        let day = ist::document_date(date).ok_or_else(|| SandboxError::Setting {
            setting: "date",
            found: date.to_owned(),
            expected: "a day as dd/MM/yyyy",
        })?;
        let identity = Identity::new(gstin, day, doc_type, number, ist::civil(now).date());
        self.record(Event::Elsewhere(Elsewhere { key: identity.key, irn: identity.irn, irp: irp.to_owned() }));
        Ok(())
    }

    /// Changes the state and notes the change for the journal.
    pub(crate) fn record(&mut self, event: Event) {
        self.apply(event.clone());
        self.events.push(event);
    }

    /// Changes the state.
    pub(crate) fn apply(&mut self, event: Event) {
        match event {
            Event::Journal { .. } => {}
            Event::Client(client) => {
                self.accounts.clients.insert(client.pan.clone(), client);
            }
            Event::User(user) => {
                self.accounts.users.insert(user.gstin.clone(), user);
            }
            Event::Login(login) => {
                self.logins.insert(login.gstin.clone(), login);
            }
            Event::Registered(registered) => self.books.enter(*registered),
            Event::Cancelled { irn, at } => self.books.cancel(&irn, at),
            Event::EwbUser(user) => {
                self.accounts.ewb_users.insert(user.gstin.clone(), user);
            }
            Event::EwbLogin(login) => {
                self.ewb_logins.insert(login.gstin.clone(), login);
            }
            Event::Bill(bill) => self.books.bills.enter(*bill),
            Event::TripSheet(sheet) => self.books.bills.enter_sheet(sheet),
            Event::Site { irn, site } => self.books.move_to(&irn, site),
            Event::Rejected { irn, at } => self.books.reject(&irn, at),
            Event::Elsewhere(elsewhere) => self.books.enter_elsewhere(elsewhere),
            Event::Synced { gstin } => {
                self.synced.insert(gstin);
            }
        }
    }

    /// The changes since the last call.
    pub(crate) fn take_events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.events)
    }

    /// The accounts of a GSTIN, made when it has none.
    pub(crate) fn provision(&mut self, gstin: &str) -> Result<(ClientAccount, UserAccount), SandboxError> {
        let pan = pan_of(gstin).filter(|_| is_gstin(gstin)).ok_or_else(|| SandboxError::Setting {
            setting: "gstins",
            found: gstin.to_owned(),
            expected: "a GSTIN of 15 characters",
        })?;
        if !self.accounts.clients.contains_key(pan) {
            let (client_id, client_secret) = (format!("SBX{pan}{}", self.random_text(8)?), self.random_text(20)?);
            self.record(Event::Client(ClientAccount { pan: pan.to_owned(), client_id, client_secret }));
        }
        if !self.accounts.users.contains_key(gstin) {
            // User name and password must fit the 66 bytes that a login has room for.
            let (username, password) = (format!("API_{gstin}"), format!("Sbx@{}", self.random_text(12)?));
            self.record(Event::User(UserAccount { gstin: gstin.to_owned(), username, password }));
            // A user given by hand is one of the registration portal alone, as two systems have two users.
            let (username, password) = (format!("EWB_{gstin}"), format!("Ewb@{}", self.random_text(12)?));
            self.record(Event::EwbUser(UserAccount { gstin: gstin.to_owned(), username, password }));
        }
        let missing = || SandboxError::Internal { reason: "an account just made is not there".into() };
        let client = self.accounts.clients.get(pan).cloned().ok_or_else(missing)?;
        let user = self.accounts.users.get(gstin).cloned().ok_or_else(missing)?;
        Ok((client, user))
    }

    /// Gives a GSTIN an API user of the caller's making, in place of the one it had. A live login stays.
    pub(crate) fn give_user(&mut self, user: UserAccount) -> Result<(), SandboxError> {
        let wrong =
            |setting, found: &str, expected| SandboxError::Setting { setting, found: found.to_owned(), expected };
        if !is_gstin(&user.gstin) {
            return Err(wrong("gstin", &user.gstin, "a GSTIN of 15 characters"));
        }
        if user.username.is_empty() || user.password.is_empty() {
            return Err(wrong("username and password", "empty", "both filled in"));
        }
        let others = self.accounts.users.values().filter(|other| other.gstin != user.gstin);
        if others.into_iter().any(|other| other.username == user.username) {
            return Err(wrong("username", "taken", "a name that no other GSTIN's user has"));
        }
        self.record(Event::User(user));
        Ok(())
    }

    /// Gives a PAN a client pair of the caller's making, in place of the one it had.
    pub(crate) fn give_client(&mut self, client: ClientAccount) -> Result<(), SandboxError> {
        if client.client_id.is_empty() || client.client_secret.is_empty() {
            let (setting, expected) = ("client_id and client_secret", "both filled in");
            return Err(SandboxError::Setting { setting, found: "empty".to_owned(), expected });
        }
        self.record(Event::Client(client));
        Ok(())
    }

    fn random_text(&self, bytes: usize) -> Result<String, SandboxError> {
        let mut random = vec![0; bytes];
        self.entropy.fill(&mut random).map_err(|_| SandboxError::Key { action: "draw random bytes" })?;
        Ok(crate::hex::lower(&random).chars().take(bytes).collect())
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

/// Reads method and path. The portal's own pages are matched as documented, capitals included.
fn route(request: &PortalRequest) -> Option<Route<'_>> {
    const CORE: &str = "/eicore/v1.03/Invoice";
    let path = request.path();
    let found = |operation, object| Some(Route { operation, object });
    match (request.method.as_str(), path) {
        ("POST", "/eivital/v1.04/auth") => return found(PortalOperation::Auth, ""),
        ("GET", "/eivital/v1.04/heartbeat/ping") => return found(PortalOperation::Heartbeat, ""),
        ("POST", "/eiewb/v1.03/ewaybill") => return found(PortalOperation::GenerateEwbByIrn, ""),
        ("POST", "/ewaybillapi/v1.03/ewayapi") => return found(PortalOperation::CancelEwbAtIrp, ""),
        ("POST", _) => {
            return match path.strip_prefix(CORE)? {
                "" => found(PortalOperation::GenerateIrn, ""),
                "/Cancel" => found(PortalOperation::CancelIrn, ""),
                _ => None,
            };
        }
        _ => {}
    }
    if request.method != "GET" {
        return None;
    }
    if let Some(rest) = path.strip_prefix(CORE) {
        return match rest {
            "/irnbydocdetails" => found(PortalOperation::GetIrnByDocument, ""),
            "/rejectedirns" => found(PortalOperation::RejectedIrns, ""),
            _ => found(PortalOperation::GetIrn, rest.strip_prefix("/irn/")?),
        };
    }
    let prefixed = [
        ("/eiewb/v1.03/ewaybill/irn/", PortalOperation::GetEwb),
        ("/eivital/v1.04/Master/gstin/", PortalOperation::GstinDetails),
        ("/eivital/v1.04/Master/syncgstin/", PortalOperation::SyncGstin),
    ];
    prefixed.into_iter().find_map(|(prefix, operation)| found(operation, path.strip_prefix(prefix)?))
}
