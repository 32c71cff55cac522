//! Obligation, type, length and range of every member, with the system's own number for each member.

use std::borrow::Cow;

use super::super::{ITEMS_MAX, rules};
use super::Sheet;
use crate::document::member::Form;
use crate::document::node::{Section as _, Seen, Visitor};
use crate::document::path::Path;
use crate::document::{Facet, Kind, Member, Pattern};
use crate::rulebook::Rule;
use crate::rulebook::schema::{content, describe, meaning};

pub(super) fn check(sheet: &mut Sheet<'_>) {
    let request = sheet.request;
    request.visit_members(&mut FormCheck { sheet, path: Path::default() });
}

struct FormCheck<'a, 'b> {
    sheet: &'a mut Sheet<'b>,
    path: Path,
}

/// The system's number for a member that is missing or has no value of its kind.
fn code(member: &str) -> Option<&'static str> {
    Some(match member {
        "supplyType" => "201",
        "subSupplyType" => "202",
        "docType" => "204",
        "docNo" => "206",
        "docDate" => "207",
        "fromGstin" => "208",
        "fromPincode" => "210",
        "fromStateCode" | "actFromStateCode" => "211",
        "toGstin" => "212",
        "toPincode" => "214",
        "toStateCode" | "actToStateCode" => "215",
        "hsnCode" => "216",
        "qtyUnit" => "217",
        "transMode" => "220",
        "transDistance" => "221",
        "transporterId" => "222",
        "transDocNo" => "223",
        "transDocDate" => "224",
        "vehicleNo" => "225",
        "fromTrdName" => "229",
        "fromPlace" => "230",
        "toTrdName" => "231",
        "toPlace" => "232",
        "itemList" => "233",
        "totalValue" | "taxableAmount" => "234",
        "cgstRate" => "252",
        "sgstRate" => "253",
        "igstRate" => "254",
        "cessRate" => "255",
        "cessNonAdvol" => "256",
        "vehicleType" => "361",
        "shipToGSTIN" => "609",
        "dispatchFromGSTIN" => "610",
        "totInvValue" => "640",
        _ => return None,
    })
}

impl FormCheck<'_, '_> {
    fn add(&mut self, rule: &Rule, member: &Member, message: String, found: Option<&str>, expected: &str, fix: String) {
        let mut finding = rule.finding(self.path.of(member.name), message).with_expected(expected).with_fix(fix);
        if rule.code.is_none() {
            finding.code = code(member.name).map(Cow::Borrowed);
        }
        if member.name == "transactionType" {
            // The one member with a number for absence and another for a wrong value.
            finding.code = Some(Cow::Borrowed(if found.is_none() { "614" } else { "612" }));
        }
        if let Some(found) = found {
            finding = finding.with_found(found);
        }
        self.sheet.push(rule, finding);
    }

    fn missing(&mut self, member: &'static Member) {
        let what = meaning(member);
        let rule = if member.name == "totInvValue" { &rules::TOTAL_MISSING } else { &rules::REQUIRED };
        let message = format!("{} is missing ({what})", member.name);
        self.add(rule, member, message, None, &expected(member), format!("Give {}: {what}.", member.name));
    }

    fn fault(&mut self, rule: &Rule, member: &'static Member, found: &str, message: String) {
        let fix = format!("Correct {} ({}) in the source.", member.name, meaning(member));
        self.add(rule, member, message, Some(found), &expected(member), fix);
    }

    fn text(&mut self, member: &'static Member, text: &str) {
        let Form::Text { min, max, pattern } = member.form else { return };
        let name = member.name;
        let count = text.chars().count();
        if !(min..=max).contains(&count) {
            // Only the lengths of the document number and of the transport's members are read in the table itself.
            let firm = matches!(name, "docNo" | "transDocNo" | "vehicleNo");
            let rule = if firm { &rules::FORM } else { &rules::LENGTH };
            self.fault(rule, member, text, format!("{name} has {count} characters"));
        } else if pattern != Pattern::Free && !pattern.admits(text) {
            self.fault(&rules::FORM, member, text, format!("{name} has not the form the system asks for"));
        }
    }

    fn malformed(&mut self, member: &'static Member, raw: &str) {
        let text = content(raw);
        let digits = text.as_deref().filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
        if member.name == "hsnCode" && digits.is_some_and(|digits| digits.len() < 4) {
            self.fault(&rules::HSN_SHORT, member, raw, "hsnCode has fewer than four digits".into());
            return;
        }
        let message = match member.form.kind() {
            Kind::Number => format!("{} is not the number it should be", member.name),
            _ => format!("{} has not the form the system asks for", member.name),
        };
        self.fault(&rules::FORM, member, raw, message);
    }
}

/// The form of a member in words; states and codes are plainer than their table rows.
fn expected(member: &Member) -> String {
    match member.name {
        "transactionType" => "1, 2, 3 or 4".to_owned(),
        "transMode" => "1 road, 2 rail, 3 air or 4 ship".to_owned(),
        name if name.ends_with("StateCode") => "the number of a state, or 99 for abroad".to_owned(),
        _ => describe(member.form),
    }
}

impl Visitor for FormCheck<'_, '_> {
    fn leaf(&mut self, member: &'static Member, seen: Seen<'_>) {
        match seen {
            Seen::Absent if member.required => self.missing(member),
            Seen::Absent | Seen::Value(Facet::Done | Facet::No | Facet::Date(_)) => {}
            Seen::Value(Facet::Text(text)) => self.text(member, text),
            Seen::Value(Facet::Number(units)) => {
                if let Form::Number { decimals, min, max } = member.form
                    && !(min..=max).contains(&units)
                {
                    let found = crate::number::units_to_string(units, decimals);
                    self.fault(&rules::FORM, member, &found, format!("{} is out of range", member.name));
                }
            }
            Seen::Malformed(raw) => self.malformed(member, raw),
        }
    }

    fn enter(&mut self, member: &'static Member, index: Option<usize>, _blank: bool) -> bool {
        self.path.push(member, index);
        true
    }

    fn leave(&mut self) {
        self.path.pop();
    }

    fn list(&mut self, member: &'static Member, count: usize) {
        if count == 0 {
            let fix = "Give the goods that are moved.";
            self.sheet.lacks(&rules::ITEMS, member.name, "the bill has no items", "at least one item of goods", fix);
        } else if count > ITEMS_MAX {
            let expected = format!("at most {ITEMS_MAX} items");
            let fix = "Make several documents and bills, or put goods of one HSN code into one item.";
            self.sheet.wrong(
                &rules::ITEMS_MAX,
                member.name,
                count,
                format!("the bill has {count} items"),
                expected,
                fix,
            );
        }
    }
}
