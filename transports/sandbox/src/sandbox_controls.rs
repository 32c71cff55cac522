//! What a test or a person does to a running portal beside calling it, and what can be seen of it.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::PoisonError;

use jiff::{SignedDuration, Timestamp};

use crate::bills::BillLine;
use crate::books::BookLine;
use crate::connection::Connection;
use crate::error::SandboxError;
use crate::faults::{PortalOperation, ScriptedFault};
use crate::registry::{ClientAccount, UserAccount};
use crate::sandbox::Sandbox;
use crate::settings::PortalSettings;

impl Sandbox {
    /// The accounts of a GSTIN, made when it has none.
    ///
    /// # Errors
    /// When the text is no GSTIN, or the accounts cannot be kept.
    pub async fn provision(&self, gstin: &str) -> Result<(ClientAccount, UserAccount), SandboxError> {
        self.change(|portal| portal.provision(gstin)).await?
    }

    /// Gives a GSTIN an API user with this name and password, in place of the one it had: what a taxpayer
    /// does on the portal's pages. A login under way stays.
    ///
    /// # Errors
    /// When the text is no GSTIN, name or password is empty, another GSTIN's user has the name, or the
    /// account cannot be kept.
    pub async fn give_user(&self, user: UserAccount) -> Result<(), SandboxError> {
        self.change(|portal| portal.give_user(user)).await?
    }

    /// Gives a PAN this client pair, in place of the one it had.
    ///
    /// # Errors
    /// When one of the two is empty, or the account cannot be kept.
    pub async fn give_client(&self, client: ClientAccount) -> Result<(), SandboxError> {
        self.change(|portal| portal.give_client(client)).await?
    }

    /// The portal's time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        let base = self.inner.clock.now();
        let offset = *self.inner.offset.lock().unwrap_or_else(PoisonError::into_inner);
        base.checked_add(offset).unwrap_or(base)
    }

    /// Moves the portal's time forward (or back, by a negative step), apart from anybody else's clock.
    pub fn advance(&self, step: SignedDuration) {
        let mut offset = self.inner.offset.lock().unwrap_or_else(PoisonError::into_inner);
        *offset = offset.checked_add(step).unwrap_or(*offset);
    }

    /// Sets the portal's time; it runs on from there.
    pub fn set_time(&self, moment: Timestamp) {
        let base = self.inner.clock.now();
        *self.inner.offset.lock().unwrap_or_else(PoisonError::into_inner) = moment.duration_since(base);
    }

    /// Adds a fault to the queue.
    pub fn push_fault(&self, fault: ScriptedFault) {
        self.portal().push_fault(fault);
    }

    /// Removes all faults that have not struck.
    pub fn clear_faults(&self) {
        self.portal().faults.clear();
    }

    /// The faults that have not struck.
    #[must_use]
    pub fn pending_faults(&self) -> Vec<ScriptedFault> {
        self.portal().faults.pending()
    }

    /// How often each operation was called since the start, lost calls included.
    #[must_use]
    pub fn calls(&self) -> BTreeMap<PortalOperation, u64> {
        self.portal().faults.calls()
    }

    /// What is in the books: the oracle of a test.
    #[must_use]
    pub fn invoices(&self) -> Vec<BookLine> {
        self.portal().book_lines()
    }

    /// The e-way bills in the books, whichever system made them.
    #[must_use]
    pub fn e_way_bills(&self) -> Vec<BillLine> {
        let now = self.now();
        self.portal().books.bills.lines(now)
    }

    /// Makes a registration one of this site (`NIC1` or `NIC2`): calls to the other one then find it only
    /// with the header `irp`.
    ///
    /// # Errors
    /// When the IRN or the site is not known, or the change cannot be kept.
    pub async fn move_to_site(&self, irn: &str, site: &str) -> Result<(), SandboxError> {
        self.change(|portal| portal.move_to_site(irn, site)).await?
    }

    /// Makes an e-way bill one of this site (`NIC1` or `NIC2`): the other one reads it and does not change it.
    ///
    /// # Errors
    /// When the bill or the site is not known, or the change cannot be kept.
    pub async fn move_bill_to_site(&self, ewb_no: &str, site: &str) -> Result<(), SandboxError> {
        self.change(|portal| portal.move_bill_to_site(ewb_no, site)).await?
    }

    /// Marks an e-way bill as verified by an officer on the road, at the portal's present time: it can no
    /// longer be cancelled (316).
    ///
    /// # Errors
    /// When the bill is not known, or the change cannot be kept.
    pub async fn verify_bill(&self, ewb_no: &str) -> Result<(), SandboxError> {
        let now = self.now();
        self.change(|portal| portal.verify_bill(ewb_no, now)).await?
    }

    /// Marks a registration as rejected by the invoice registry, at the portal's present time.
    ///
    /// # Errors
    /// When the IRN is not known, or the change cannot be kept.
    pub async fn reject_irn(&self, irn: &str) -> Result<(), SandboxError> {
        let now = self.now();
        self.change(|portal| portal.reject_irn(irn, now)).await?
    }

    /// Notes that another portal has registered a document: registering it here then answers 2295 with
    /// the name of that portal. The date is `dd/MM/yyyy`.
    ///
    /// # Errors
    /// When the date is none, or the note cannot be kept.
    pub async fn register_elsewhere(
        &self,
        gstin: &str,
        doc_type: &str,
        number: &str,
        date: &str,
        irp: &str,
    ) -> Result<(), SandboxError> {
        let now = self.now();
        self.change(|portal| portal.register_elsewhere(gstin, doc_type, number, date, irp, now)).await?
    }

    /// The settings in force.
    #[must_use]
    pub fn settings(&self) -> PortalSettings {
        self.portal().settings.clone()
    }

    /// Replaces the settings.
    ///
    /// # Errors
    /// When one is out of its range; the old ones stay in force then.
    pub fn set_settings(&self, settings: PortalSettings) -> Result<(), SandboxError> {
        settings.validate()?;
        self.portal().settings = settings;
        Ok(())
    }

    /// The key that clients encrypt logins with, as PEM.
    #[must_use]
    pub fn auth_public_key_pem(&self) -> String {
        self.portal().keys.auth_public_pem()
    }

    /// The key that clients encrypt logins to the e-way bill system with, as PEM.
    #[must_use]
    pub fn ewb_auth_public_key_pem(&self) -> String {
        self.portal().keys.ewb_auth_public_pem()
    }

    /// The key that registrations are verified with, as PEM.
    #[must_use]
    pub fn signing_public_key_pem(&self) -> String {
        self.portal().keys.signing_public_pem()
    }

    /// `kid` of that key.
    #[must_use]
    pub fn signing_kid(&self) -> String {
        self.portal().keys.kid().to_owned()
    }

    /// All API users, in the order of their GSTINs.
    #[must_use]
    pub fn users(&self) -> Vec<UserAccount> {
        self.portal().accounts.users.values().cloned().collect()
    }

    /// All API users of the e-way bill system, in the order of their GSTINs.
    #[must_use]
    pub fn ewb_users(&self) -> Vec<UserAccount> {
        self.portal().accounts.ewb_users.values().cloned().collect()
    }

    /// All client pairs, in the order of their PANs.
    #[must_use]
    pub fn clients(&self) -> Vec<ClientAccount> {
        self.portal().accounts.clients.values().cloned().collect()
    }

    /// What a client needs to know to use this portal at an address.
    #[must_use]
    pub fn connection(&self, base_url: &str) -> Connection {
        Connection::of(self, base_url)
    }

    /// The data directory, when there is one.
    #[must_use]
    pub fn directory(&self) -> Option<&Path> {
        self.inner.directory.as_deref()
    }
}
