//! The e-way bills of the books: both systems write and read these and no others.
//!
//! Validity and windows are computed here, apart from the product.

use std::collections::BTreeMap;

use jiff::civil::{Date, DateTime};
use jiff::{SignedDuration, Span, Timestamp};
use serde::{Deserialize, Serialize};

use crate::ist;

/// Kilometres of one day of validity: ordinary cargo, and over-dimensional cargo.
const KM_PER_DAY: (u32, u32) = (200, 20);
/// Days after generation beyond which no extension reaches (since January 2025).
const EXTENSION_DAYS_MAX: i64 = 360;

/// One e-way bill, with all that has happened to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Bill {
    pub(crate) number: u64,
    /// The registration it belongs to; none for a bill made in the e-way bill system.
    pub(crate) irn: Option<String>,
    /// The site it was made at; only there can it be changed.
    #[serde(default = "first_site")]
    pub(crate) site: String,
    /// Who made it.
    pub(crate) generator: String,
    pub(crate) supply_type: String,
    pub(crate) doc_type: String,
    pub(crate) doc_no: String,
    pub(crate) doc_date: String,
    pub(crate) from_gstin: String,
    pub(crate) to_gstin: String,
    pub(crate) to_pin: String,
    pub(crate) to_state: String,
    pub(crate) to_place: String,
    pub(crate) made_at: Timestamp,
    pub(crate) distance: u32,
    pub(crate) oversize: bool,
    /// Absent while Part B is missing.
    pub(crate) valid_till: Option<DateTime>,
    pub(crate) transporter: Option<String>,
    pub(crate) transporter_since: Timestamp,
    /// Oldest first.
    pub(crate) part_b: Vec<PartB>,
    pub(crate) groups: Vec<Group>,
    pub(crate) extended: u32,
    pub(crate) cancelled_at: Option<Timestamp>,
    pub(crate) rejected_at: Option<Timestamp>,
    pub(crate) closed_at: Option<Timestamp>,
    /// When an officer looked at it on the road.
    pub(crate) verified_at: Option<Timestamp>,
    /// The request it was made from, in the e-way bill system's names, as JSON.
    pub(crate) document: String,
}

/// The site of a bill from a journal that did not name it.
fn first_site() -> String {
    "NIC1".to_owned()
}

/// One entry of transport details.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PartB {
    pub(crate) mode: String,
    pub(crate) vehicle: String,
    pub(crate) doc_no: String,
    pub(crate) doc_date: String,
    pub(crate) from_place: String,
    pub(crate) from_state: String,
    /// Who entered it.
    pub(crate) by: String,
    pub(crate) at: Timestamp,
    pub(crate) trip_sheet: Option<u64>,
    pub(crate) group: Option<usize>,
}

/// A multi-vehicle movement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Group {
    pub(crate) quantity: u64,
    pub(crate) unit: String,
    pub(crate) from_place: String,
    pub(crate) from_state: String,
    pub(crate) mode: String,
    pub(crate) vehicles: Vec<GroupVehicle>,
}

/// A vehicle of a multi-vehicle movement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct GroupVehicle {
    pub(crate) vehicle: String,
    pub(crate) doc_no: String,
    pub(crate) quantity: u64,
}

/// A consolidated e-way bill.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TripSheet {
    pub(crate) number: u64,
    pub(crate) by: String,
    pub(crate) at: Timestamp,
    pub(crate) vehicle: String,
    pub(crate) from_place: String,
    pub(crate) from_state: String,
    pub(crate) bills: Vec<u64>,
    /// The trip sheet that replaced it.
    pub(crate) replaced_by: Option<u64>,
}

impl PartB {
    fn shown(&self) -> String {
        if self.vehicle.is_empty() { self.doc_no.clone() } else { self.vehicle.clone() }
    }
}

impl Bill {
    /// Whether its validity has ended; never before Part B exists.
    pub(crate) fn lapsed(&self, now: Timestamp) -> bool {
        self.valid_till.is_some_and(|till| ist::civil(now) > till)
    }

    /// Neither cancelled nor rejected.
    pub(crate) const fn active(&self) -> bool {
        self.cancelled_at.is_none() && self.rejected_at.is_none()
    }

    /// The party that did not make it.
    pub(crate) fn other_party(&self) -> &str {
        if self.generator == self.to_gstin { &self.from_gstin } else { &self.to_gstin }
    }

    /// Whether a taxpayer may read it.
    pub(crate) fn concerns(&self, gstin: &str) -> bool {
        [&self.generator, &self.from_gstin, &self.to_gstin].iter().any(|party| *party == gstin)
            || self.transporter.as_deref() == Some(gstin)
    }

    /// Whether the current transporter, other than the generator, has entered Part B.
    pub(crate) fn transporter_has_acted(&self) -> bool {
        let other = self.transporter.as_deref().filter(|transporter| *transporter != self.generator);
        other.is_some_and(|transporter| self.part_b.iter().any(|entry| entry.by == transporter))
    }

    /// Adds transport details; the first ones start the validity.
    pub(crate) fn enter(&mut self, entry: PartB) {
        let start = self.part_b.first().map_or(entry.at, |first| first.at);
        self.part_b.push(entry);
        if self.extended == 0 {
            self.valid_till = valid_till(ist::civil(start).date(), self.distance, self.oversize);
        }
    }

    /// The last moment an extension can reach.
    pub(crate) fn extension_cap(&self) -> Option<DateTime> {
        end_of(ist::civil(self.made_at).date(), EXTENSION_DAYS_MAX)
    }

    /// Whether `now` lies in the hours around the end of validity in which it can be extended.
    pub(crate) fn can_be_extended(&self, now: Timestamp, hours: u32) -> bool {
        let Some(till) = self.valid_till else { return false };
        let away = ist::civil(now).duration_since(till).abs();
        away <= SignedDuration::from_hours(i64::from(hours))
    }

    pub(crate) const fn status(&self) -> &'static str {
        if self.cancelled_at.is_some() { "CNL" } else { "ACT" }
    }
}

/// End of validity: so many days after the day Part B was entered, at 23:59.
pub(crate) fn valid_till(day: Date, distance: u32, oversize: bool) -> Option<DateTime> {
    let km = if oversize { KM_PER_DAY.1 } else { KM_PER_DAY.0 };
    end_of(day, i64::from(distance.div_ceil(km).max(1)))
}

fn end_of(day: Date, days: i64) -> Option<DateTime> {
    Some(day.checked_add(Span::new().days(days)).ok()?.at(23, 59, 0, 0))
}

/// All bills and trip sheets.
#[derive(Debug, Default)]
pub(crate) struct Bills {
    bills: BTreeMap<u64, Bill>,
    sheets: BTreeMap<u64, TripSheet>,
}

impl Bills {
    pub(crate) fn enter(&mut self, bill: Bill) {
        self.bills.insert(bill.number, bill);
    }

    pub(crate) fn enter_sheet(&mut self, sheet: TripSheet) {
        self.sheets.insert(sheet.number, sheet);
    }

    pub(crate) fn get(&self, number: u64) -> Option<&Bill> {
        self.bills.get(&number)
    }

    pub(crate) fn sheet(&self, number: u64) -> Option<&TripSheet> {
        self.sheets.get(&number)
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &Bill> {
        self.bills.values()
    }

    /// The latest bill of a registration.
    pub(crate) fn of_irn(&self, irn: &str) -> Option<&Bill> {
        self.bills.values().rev().find(|bill| bill.irn.as_deref() == Some(irn))
    }

    /// The latest bill of a document that has not been cancelled, numbers compared in any case.
    pub(crate) fn of_document(&self, generator: &str, doc_type: &str, doc_no: &str, doc_date: &str) -> Option<&Bill> {
        let year = |text: &str| ist::document_date(text).map(ist::financial_year);
        let same = |bill: &&Bill| {
            bill.cancelled_at.is_none()
                && bill.generator == generator
                && bill.doc_type == doc_type
                && bill.doc_no.eq_ignore_ascii_case(doc_no)
                && year(&bill.doc_date) == year(doc_date)
        };
        self.bills.values().rev().find(same)
    }

    /// Twelve digits.
    pub(crate) fn next_number(&self) -> u64 {
        let sequence = u64::try_from(self.bills.len()).unwrap_or_default().saturating_add(1);
        391_000_000_000 + sequence % 1_000_000_000
    }

    /// Ten digits.
    pub(crate) fn next_sheet_number(&self) -> u64 {
        let sequence = u64::try_from(self.sheets.len()).unwrap_or_default().saturating_add(1);
        1_810_000_000 + sequence % 10_000_000
    }

    /// One line a bill, in the order of numbers.
    pub(crate) fn lines(&self, now: Timestamp) -> Vec<BillLine> {
        self.bills.values().map(|bill| BillLine::of(bill, now)).collect()
    }
}

/// What the emulator knows of one e-way bill.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct BillLine {
    /// Its number.
    pub ewb_no: String,
    /// The registration it belongs to.
    pub irn: Option<String>,
    /// Who made it.
    pub generator: String,
    /// Type and number of its document.
    pub document: String,
    /// `ACT` or `CNL`, as the portal tells it.
    pub status: String,
    /// `part_a`, `active`, `expired`, `cancelled`, `rejected` or `closed`.
    pub state: String,
    /// End of validity, `yyyy-MM-dd HH:mm:ss` (IST); absent while Part B is missing.
    pub valid_till: Option<String>,
    /// When it was cancelled (IST).
    pub cancelled: Option<String>,
    /// Its transporter.
    pub transporter: Option<String>,
    /// How often it was extended.
    pub extended: u32,
    /// The site it was made at.
    pub site: String,
    /// Whether an officer has verified it on the road.
    pub verified: bool,
    /// Vehicle, or else transport document, of every Part B, oldest first.
    pub vehicles: Vec<String>,
    /// How many multi-vehicle movements it has.
    pub groups: usize,
    /// The trip sheets it is or was on, oldest first.
    pub trip_sheets: Vec<String>,
}

impl BillLine {
    fn of(bill: &Bill, now: Timestamp) -> Self {
        let state = match bill {
            Bill { cancelled_at: Some(_), .. } => "cancelled",
            Bill { closed_at: Some(_), .. } => "closed",
            Bill { rejected_at: Some(_), .. } => "rejected",
            Bill { valid_till: None, .. } => "part_a",
            bill if bill.lapsed(now) => "expired",
            _ => "active",
        };
        Self {
            ewb_no: bill.number.to_string(),
            irn: bill.irn.clone(),
            generator: bill.generator.clone(),
            document: format!("{} {}", bill.doc_type, bill.doc_no),
            status: bill.status().to_owned(),
            state: state.to_owned(),
            valid_till: bill.valid_till.map(stamp),
            cancelled: bill.cancelled_at.map(ist::stamp),
            transporter: bill.transporter.clone(),
            extended: bill.extended,
            site: bill.site.clone(),
            verified: bill.verified_at.is_some(),
            vehicles: bill.part_b.iter().map(PartB::shown).collect(),
            groups: bill.groups.len(),
            trip_sheets: bill
                .part_b
                .iter()
                .filter_map(|entry| entry.trip_sheet)
                .map(|number| number.to_string())
                .collect(),
        }
    }
}

/// `yyyy-MM-dd HH:mm:ss`, as the registration side writes the end of validity.
pub(crate) fn stamp(moment: DateTime) -> String {
    moment.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn validity_is_a_day_for_each_200_km_and_ends_at_23_59() {
        let ends = |day, km, oversize| stamp(valid_till(day, km, oversize).unwrap());
        // Captured: 2467 km made on 16 September 2022 was valid till 29 September.
        assert_eq!(ends(date(2022, 9, 16), 2467, false), "2022-09-29 23:59:00");
        assert_eq!(ends(date(2022, 10, 5), 10, false), "2022-10-06 23:59:00");
        assert_eq!(ends(date(2024, 5, 1), 1000, false), "2024-05-06 23:59:00");
        assert_eq!(ends(date(2024, 5, 1), 41, true), "2024-05-04 23:59:00");
    }

    #[test]
    fn no_extension_reaches_beyond_360_days() {
        assert_eq!(end_of(date(2023, 12, 28), EXTENSION_DAYS_MAX).map(stamp).as_deref(), Some("2024-12-22 23:59:00"));
    }
}
