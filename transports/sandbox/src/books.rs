//! What the portal has registered: the books a test uses as its oracle.

use std::collections::{BTreeMap, HashMap};

use aws_lc_rs::digest::{SHA256, digest};
use jiff::Timestamp;
use jiff::civil::{Date, date};
use serde::{Deserialize, Serialize};

use crate::bills::{Bill, Bills};

/// Day from which document numbers are compared and hashed in capitals (GSTN advisory of 4 April 2025).
const CAPITALS_FROM: Date = date(2025, 6, 1);

/// One registration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Registered {
    pub(crate) irn: String,
    /// Supplier, financial year, type and number as compared on the day of registration.
    pub(crate) key: String,
    /// Supplier.
    pub(crate) gstin: String,
    /// Who registered it: the supplier or the e-commerce operator.
    pub(crate) sender: String,
    pub(crate) doc_type: String,
    pub(crate) doc_date: String,
    pub(crate) ack_no: u64,
    /// When it was registered.
    pub(crate) at: Timestamp,
    /// The `data` text of the signed invoice; signing it again gives the same token.
    pub(crate) invoice_data: String,
    /// The `data` text of the signed QR code.
    pub(crate) qr_data: String,
    /// The bill made with it; [`Books::enter`] moves it among the bills.
    pub(crate) ewb: Option<Box<Bill>>,
    /// The site it was made at.
    pub(crate) site: String,
    /// When the invoice registry rejected it.
    pub(crate) rejected_at: Option<Timestamp>,
    pub(crate) remarks: Option<String>,
    pub(crate) cancelled_at: Option<Timestamp>,
}

/// A registration at another portal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Elsewhere {
    pub(crate) key: String,
    pub(crate) irn: String,
    /// Name of the other portal.
    pub(crate) irp: String,
}

/// All registrations, found by IRN and by document.
#[derive(Debug, Default)]
pub(crate) struct Books {
    in_order: Vec<Registered>,
    by_irn: HashMap<String, usize>,
    by_key: HashMap<String, usize>,
    /// E-way bills, whichever system made them.
    pub(crate) bills: Bills,
    /// Registrations at other portals, by key.
    elsewhere: HashMap<String, Elsewhere>,
    /// How often a registration of this document was asked for and reached the check for duplicates.
    attempts: BTreeMap<String, u64>,
}

/// The identity of a document: its keys under the rule of a day, and its IRN.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Identity {
    /// Under which it is entered.
    pub(crate) key: String,
    /// The number as written, when capitals count: an entry of before June 2025 may stand under it.
    older_key: Option<String>,
    pub(crate) irn: String,
}

impl Identity {
    /// The identity of a document registered on `today`.
    pub(crate) fn new(gstin: &str, document_date: Date, doc_type: &str, number: &str, today: Date) -> Self {
        let year = crate::ist::financial_year(document_date);
        let kind = doc_type.to_ascii_uppercase();
        let capitals = number.to_ascii_uppercase();
        let in_capitals = today >= CAPITALS_FROM;
        let number_as_hashed = if in_capitals { capitals.as_str() } else { number };
        let hash = digest(&SHA256, format!("{gstin}{year}{kind}{number_as_hashed}").as_bytes());
        Self {
            key: format!("{gstin}/{year}/{kind}/{number_as_hashed}"),
            older_key: (in_capitals && capitals != number).then(|| format!("{gstin}/{year}/{kind}/{number}")),
            irn: crate::hex::lower(hash.as_ref()),
        }
    }
}

impl Books {
    pub(crate) fn enter(&mut self, mut registered: Registered) {
        let position = self.in_order.len();
        self.by_irn.insert(registered.irn.clone(), position);
        self.by_key.insert(registered.key.clone(), position);
        if let Some(bill) = registered.ewb.take() {
            self.bills.enter(*bill);
        }
        self.in_order.push(registered);
    }

    pub(crate) fn cancel(&mut self, irn: &str, at: Timestamp) {
        if let Some(registered) = self.entry(irn) {
            registered.cancelled_at = Some(at);
        }
    }

    fn entry(&mut self, irn: &str) -> Option<&mut Registered> {
        self.by_irn.get(irn).and_then(|position| self.in_order.get_mut(*position))
    }

    pub(crate) fn move_to(&mut self, irn: &str, site: String) {
        if let Some(registered) = self.entry(irn) {
            registered.site = site;
        }
    }

    pub(crate) fn reject(&mut self, irn: &str, at: Timestamp) {
        if let Some(registered) = self.entry(irn) {
            registered.rejected_at = Some(at);
        }
    }

    pub(crate) fn enter_elsewhere(&mut self, elsewhere: Elsewhere) {
        self.elsewhere.insert(elsewhere.key.clone(), elsewhere);
    }

    /// The registration of a document at another portal.
    pub(crate) fn elsewhere(&self, identity: &Identity) -> Option<&Elsewhere> {
        self.elsewhere.get(&identity.key)
    }

    /// All registrations, oldest first.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Registered> {
        self.in_order.iter()
    }

    pub(crate) fn by_irn(&self, irn: &str) -> Option<&Registered> {
        self.by_irn.get(irn).and_then(|position| self.in_order.get(*position))
    }

    pub(crate) fn by_identity(&self, identity: &Identity) -> Option<&Registered> {
        let position = self.by_key.get(&identity.key).or_else(|| self.by_key.get(identity.older_key.as_ref()?))?;
        self.in_order.get(*position)
    }

    pub(crate) fn count_attempt(&mut self, key: &str) {
        let count = self.attempts.entry(key.to_owned()).or_default();
        *count = count.saturating_add(1);
    }

    pub(crate) fn len(&self) -> usize {
        self.in_order.len()
    }

    /// One line a document, registered or only attempted, in the order of keys.
    pub(crate) fn lines(&self) -> Vec<BookLine> {
        let mut lines: BTreeMap<&str, BookLine> = BTreeMap::new();
        for (key, attempts) in &self.attempts {
            lines.entry(key).or_insert_with(|| BookLine::empty(key)).attempts = *attempts;
        }
        for registered in &self.in_order {
            let line = lines.entry(&registered.key).or_insert_with(|| BookLine::empty(&registered.key));
            line.registrations = line.registrations.saturating_add(1);
            line.irn = Some(registered.irn.clone());
            line.ack_no = Some(registered.ack_no.to_string());
            line.ack_date = Some(crate::ist::stamp(registered.at));
            line.status = Some(if registered.cancelled_at.is_some() { "CNL" } else { "ACT" }.to_owned());
            line.cancelled = registered.cancelled_at.map(crate::ist::stamp);
            line.site = Some(registered.site.clone());
            let bill = self.bills.of_irn(&registered.irn);
            line.ewb_no = bill.map(|bill| bill.number.to_string());
            line.ewb_status = bill.map(|bill| bill.status().to_owned());
            line.ewb_valid_till = bill.and_then(|bill| bill.valid_till).map(crate::bills::stamp);
        }
        lines.into_values().collect()
    }
}

/// What the emulator knows of one document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct BookLine {
    /// `GSTIN/2026-27/INV/NUMBER`, the number as compared.
    pub key: String,
    /// How often it was entered into the books: 0 or 1, or the emulator is broken.
    pub registrations: u64,
    /// How often a well-formed request to register it arrived since the emulator started, duplicates
    /// and refusals included.
    pub attempts: u64,
    /// Its IRN.
    pub irn: Option<String>,
    /// Its acknowledgement number.
    pub ack_no: Option<String>,
    /// Its acknowledgement time (IST).
    pub ack_date: Option<String>,
    /// `ACT` or `CNL`.
    pub status: Option<String>,
    /// When it was cancelled (IST).
    pub cancelled: Option<String>,
    /// The site it was made at.
    pub site: Option<String>,
    /// Its latest e-way bill.
    pub ewb_no: Option<String>,
    /// `ACT` or `CNL`: that of the e-way bill.
    pub ewb_status: Option<String>,
    /// End of its validity (IST); absent while Part B is missing.
    pub ewb_valid_till: Option<String>,
}

impl BookLine {
    fn empty(key: &str) -> Self {
        Self {
            key: key.to_owned(),
            registrations: 0,
            attempts: 0,
            irn: None,
            ack_no: None,
            ack_date: None,
            status: None,
            cancelled: None,
            site: None,
            ewb_no: None,
            ewb_status: None,
            ewb_valid_till: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_irn_of_the_governments_own_example_comes_out() {
        // NIC's presentation: 01AAAAB1234C1Z0 + 2019-20 + INV + AB1234.
        let identity = Identity::new("01AAAAB1234C1Z0", date(2019, 5, 1), "inv", "AB1234", date(2026, 11, 5));
        assert_eq!(identity.irn, "35054cc24d97033afc24f49ec4444dbab81f542c555f9d30359dc75794e06bbe");
    }

    #[test]
    fn numbers_differ_by_case_until_june_2025_and_not_after() {
        let on = |number: &str, today| Identity::new("29AABCE1234F1Z1", date(2025, 5, 1), "INV", number, today);
        let (before, after) = (date(2025, 5, 31), date(2025, 6, 1));
        assert_ne!(on("ab1", before).irn, on("AB1", before).irn);
        assert_eq!(on("ab1", after).irn, on("AB1", after).irn);
        assert_eq!(on("ab1", after).older_key.as_deref(), Some("29AABCE1234F1Z1/2025-26/INV/ab1"));
    }
}
