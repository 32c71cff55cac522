//! What a voucher in Tally shows, against what it should show.

use std::collections::BTreeMap;

use einvoice_core::receipt::Receipt;

use super::alteration::{Alteration, BILL_LIST, BillList, UserField, list_of};
use crate::lexical;
use crate::xml::Element;

/// The longer order in which Tally's own exports have these fields; unchanged ones go along.
const EXPORT_ORDER: [&str; 13] = [
    "REFERENCEDATE",
    "IRNACKDATE",
    "PARTYPINCODE",
    "IRN",
    "CMPGSTIN",
    "CMPGSTREGISTRATIONTYPE",
    "CMPGSTSTATE",
    "IRNQRCODE",
    "CONSIGNEECOUNTRYNAME",
    "IRNACKNO",
    "IRNIRPSOURCE",
    "IRNCANCELLED",
    "RESETIRNQRCODE",
];
/// Opens and closes what the fallback writes behind a narration.
const MARK: (&str, &str) = ("[IRN ", "]");
/// Names of what can be read back, with the fields they stand in.
const READ_BACK: [(&str, &str); 7] = [
    ("irn", "IRN"),
    ("ack_no", "IRNACKNO"),
    ("ack_date", "IRNACKDATE"),
    ("signed_qr", "IRNQRCODE"),
    ("cancelled", "IRNCANCELLED"),
    ("cancelled_on", "IRNCANCELDATE"),
    ("cancel_reason", "IRNCANCELREASON"),
];
/// The same for the e-way bill's list.
const READ_BACK_BILL: [(&str, &str); 4] = [
    ("ewb_no", "BILLNUMBER"),
    ("ewb_date", "BILLDATE"),
    ("ewb_valid_till", "VALIDUPTO"),
    ("ewb_cancelled", "ISCANCELLED"),
];

/// A field that does not show what it should.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Missing {
    /// Its tag.
    pub(crate) field: String,
    /// What it should show.
    pub(crate) wanted: String,
    /// What it shows.
    pub(crate) found: String,
}

impl Missing {
    fn new(field: &str, wanted: &str, found: &str) -> Self {
        Self { field: field.to_owned(), wanted: wanted.to_owned(), found: found.to_owned() }
    }
}

/// A voucher as it is stored.
#[derive(Debug)]
pub(crate) struct Shown<'v> {
    voucher: Element<'v>,
}

impl<'v> Shown<'v> {
    /// Reads a voucher.
    pub(crate) fn read(text: &'v str) -> Result<Self, String> {
        Element::parse(text).map(|voucher| Self { voucher })
    }

    /// The text of a field; empty where it has none.
    pub(crate) fn get(&self, name: &str) -> &str {
        self.voucher.get(name).unwrap_or_default()
    }

    /// The text of a user field; empty where it has none.
    pub(crate) fn user_field(&self, field: &UserField) -> &str {
        self.voucher.lines(&field.list()).first().copied().unwrap_or_default()
    }

    /// The lists of its e-way bills.
    fn bills(&self) -> Vec<&Element<'v>> {
        self.voucher.all(BILL_LIST).collect()
    }

    /// The alteration for a receipt on top of what is stored. A cancellation is final: an older
    /// receipt that comes late does not take it back.
    pub(crate) fn alteration(&self, receipt: &Receipt) -> Option<Alteration> {
        let state = self.voucher.first(&["CMPGSTSTATE"]).map(|(value, _)| value);
        let mut alteration = Alteration::with(receipt, state, &self.bills())?;
        if self.voucher.is_yes("IRNCANCELLED") {
            alteration.fields.retain(|(name, value)| *name != "IRNCANCELLED" || value == "Yes");
        }
        if state.is_none() {
            // Nothing known to stand between them: the acknowledgement number does.
            let at = |name: &str, fields: &[(&str, String)]| fields.iter().position(|(found, _)| *found == name);
            if let (Some(qr), Some(ack)) = (at("IRNQRCODE", &alteration.fields), at("IRNACKNO", &alteration.fields)) {
                alteration.fields.swap(qr, ack);
            }
        }
        Some(alteration)
    }

    /// The same alteration in the longer order of Tally's exports, unchanged neighbours included.
    pub(crate) fn in_export_order(&self, alteration: &Alteration) -> Alteration {
        let mut fields = Vec::new();
        for name in EXPORT_ORDER {
            let own = alteration.fields.iter().find(|(found, _)| *found == name).map(|(_, value)| value.clone());
            if let Some(value) = own.or_else(|| self.voucher.get(name).map(str::to_owned)) {
                fields.push((name, value));
            }
        }
        let more = alteration.fields.iter().filter(|(name, _)| !EXPORT_ORDER.contains(name));
        fields.extend(more.cloned());
        alteration.having(fields, alteration.bill.clone())
    }

    /// The fields that do not show what they should.
    pub(crate) fn missing(&self, alteration: &Alteration) -> Vec<Missing> {
        let own = alteration.telling().map(|(name, wanted)| (*name, wanted, self.get(name)));
        let own = own.filter(|(name, wanted, found)| !same(name, wanted, found));
        let mut missing: Vec<Missing> = own.map(|(field, wanted, found)| Missing::new(field, wanted, found)).collect();
        for (field, wanted) in &alteration.user {
            let found = self.user_field(field);
            if found != wanted {
                missing.push(Missing::new(field.list().trim_end_matches(".LIST"), wanted, found));
            }
        }
        if let Some(bill) = &alteration.bill {
            missing.extend(self.missing_of_bill(bill));
        }
        missing
    }

    fn missing_of_bill(&self, bill: &BillList) -> Vec<Missing> {
        let number = bill.fields.iter().find(|(name, _)| *name == "BILLNUMBER").map(|(_, value)| value.as_str());
        let list = list_of(number.unwrap_or_default(), &self.bills());
        let shown = |name: &str| list.and_then(|list| list.get(name)).unwrap_or_default();
        let wrong = bill.fields.iter().filter(|(name, wanted)| !same(name, wanted, shown(name)));
        wrong.map(|(field, wanted)| Missing::new(field, wanted, shown(field))).collect()
    }

    /// The narration with a registration behind it, in the place of an earlier one.
    pub(crate) fn narration_with(&self, alteration: &Alteration) -> String {
        let narration = self.get("NARRATION");
        let kept = match narration.rsplit_once(MARK.0) {
            Some((before, _)) => before.trim_end(),
            None => narration,
        };
        let mark = in_words(alteration);
        if kept.is_empty() { mark } else { format!("{kept} {mark}") }
    }

    /// Whether the narration shows a registration already.
    pub(crate) fn narrates(&self, alteration: &Alteration) -> bool {
        self.get("NARRATION").ends_with(&in_words(alteration))
    }

    /// The IRN that the narration names.
    pub(crate) fn narrated_irn(&self) -> Option<&str> {
        let (_, mark) = self.get("NARRATION").rsplit_once(MARK.0)?;
        mark.split([';', ']']).next().filter(|irn| !irn.is_empty())
    }

    /// What can be read back, by name.
    pub(crate) fn by_name(&self) -> BTreeMap<String, String> {
        let own = READ_BACK.iter().map(|(name, field)| (*name, self.get(field)));
        let bill = self.bills().pop();
        let bill = READ_BACK_BILL
            .iter()
            .map(|(name, field)| (*name, bill.and_then(|list| list.get(field)).unwrap_or_default()));
        let all = own.chain(bill).chain([("voucher_number", self.get("VOUCHERNUMBER"))]);
        all.filter(|(_, value)| !value.is_empty()).map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }
}

/// The name under which the value of a field is read back.
pub(crate) fn read_back_name(tag: &str) -> Option<&'static str> {
    READ_BACK.iter().chain(&READ_BACK_BILL).find(|(_, field)| *field == tag).map(|(name, _)| *name)
}

/// A registration in words for people, and for [`Shown::narrates`].
fn in_words(alteration: &Alteration) -> String {
    let value = |name: &str| alteration.value(name);
    let mut text = format!("{}{}", MARK.0, value("IRN").unwrap_or_default());
    for (word, name) in [("Ack No", "IRNACKNO"), ("Ack Date", "IRNACKDATE")] {
        if let Some(found) = value(name) {
            text.extend(["; ", word, " ", found]);
        }
    }
    if value("IRNCANCELLED") == Some("Yes") {
        text.push_str("; cancelled");
    }
    text + MARK.1
}

/// Whether a field shows what was sent: a day in any of Tally's forms, a logical absent for `No`, any
/// other text as it is.
fn same(field: &str, wanted: &str, found: &str) -> bool {
    if wanted == found || field == "IRNCANCELLED" && wanted == "No" && found.is_empty() {
        return true;
    }
    let is_day = field.ends_with("DATE") || field == "VALIDUPTO";
    is_day && lexical::date(wanted).is_some() && lexical::date(wanted) == lexical::date(found)
}
