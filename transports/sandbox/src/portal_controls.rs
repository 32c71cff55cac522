//! What a test does to the books from outside: other sites, other portals, officers and registries.

use jiff::Timestamp;

use crate::bills::Bill;
use crate::books::{Elsewhere, Identity};
use crate::error::SandboxError;
use crate::ist;
use crate::journal::Event;
use crate::portal::Portal;

impl Portal {
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
        known_site(site)?;
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

    fn known_bill(&self, ewb_no: &str) -> Result<Bill, SandboxError> {
        let found = ewb_no.parse().ok().and_then(|number| self.books.bills.get(number)).cloned();
        found.ok_or_else(|| SandboxError::Setting {
            setting: "ewb_no",
            found: ewb_no.to_owned(),
            expected: "the number of an e-way bill in the books",
        })
    }

    pub(crate) fn move_bill_to_site(&mut self, ewb_no: &str, site: &str) -> Result<(), SandboxError> {
        let bill = self.known_bill(ewb_no)?;
        known_site(site)?;
        self.record(Event::Bill(Box::new(Bill { site: site.to_owned(), ..bill })));
        Ok(())
    }

    pub(crate) fn verify_bill(&mut self, ewb_no: &str, now: Timestamp) -> Result<(), SandboxError> {
        let bill = self.known_bill(ewb_no)?;
        self.record(Event::Bill(Box::new(Bill { verified_at: Some(now), ..bill })));
        Ok(())
    }
}

fn known_site(site: &str) -> Result<(), SandboxError> {
    if matches!(site, "NIC1" | "NIC2") {
        return Ok(());
    }
    Err(SandboxError::Setting { setting: "site", found: site.to_owned(), expected: "NIC1 or NIC2" })
}
