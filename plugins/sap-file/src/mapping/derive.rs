//! What is derived from several fields of an `IDoc`.

use std::borrow::Cow;
use std::collections::BTreeMap;

use einvoice_core::document::Pattern;
use einvoice_core::identifier::Gstin;
use rust_decimal::Decimal;

use crate::config::{ConditionsConfig, PlantConfig};
use crate::idoc::Segment;
use crate::value;

use super::currency::RUPEE;
use super::facts::{Facts, ItemFacts};
use super::field::{Derived, Role};
use super::plan::Form;
use super::record::Value;

/// Characters of a GSTIN.
const GSTIN: usize = 15;
/// Digits of a PIN code.
const PIN: usize = 6;

/// What the configuration adds to an `IDoc`.
#[derive(Debug, Default)]
pub(crate) struct Settings {
    pub(crate) plants: BTreeMap<String, PlantConfig>,
    pub(crate) company_gstins: BTreeMap<String, String>,
    pub(crate) conditions: ConditionsConfig,
}

impl Settings {
    /// The plants that the items of a document leave from, as far as they are configured.
    pub(crate) fn plants<'s>(&'s self, facts: &Facts<'_>) -> Vec<(&'s str, &'s PlantConfig)> {
        let mut found: Vec<(&str, &PlantConfig)> = Vec::new();
        for item in facts.items.iter().filter(|_| !self.plants.is_empty()) {
            let key = facts.idoc.value(item.segment, "WERKS").unwrap_or_default();
            if let Some((key, plant)) = self.plants.get_key_value(key)
                && !found.iter().any(|(known, _)| known == key)
            {
                found.push((key, plant));
            }
        }
        found
    }
}

fn at<'a>(facts: &Facts<'a>, text: impl Into<Cow<'a, str>>, segment: Segment<'a>) -> Value<'a> {
    Value { text: text.into(), at: Some((segment.name, facts.line(segment))) }
}

fn made<'a>(text: impl Into<Cow<'a, str>>) -> Value<'a> {
    Value { text: text.into(), at: None }
}

/// A derived value of the head.
pub(crate) fn of_head<'a>(derived: Derived, facts: &Facts<'a>, settings: &Settings) -> Option<Value<'a>> {
    match derived {
        Derived::Gstin(role) => gstin(facts, settings, role).map(made),
        Derived::State(role) => state(facts, settings, role).map(made),
        Derived::Pin(role) => {
            let partner = facts.partner(role).filter(|partner| !facts.is_abroad(Some(*partner)))?;
            let pin: String =
                facts.idoc.value(partner, "PSTLZ")?.chars().filter(|found| !found.is_whitespace()).collect();
            Some(at(facts, pin, partner))
        }
        Derived::Street(role) => street(facts, facts.partner(role)?),
        Derived::Plant(detail) => plant(facts, settings, detail).map(made),
        Derived::Supply => Some(made(supply(facts))),
        Derived::Rounding => conditions(facts, &settings.conditions.rounding).map(|sum| made(value::plain(sum))),
        Derived::Charges => conditions(facts, &settings.conditions.charges).map(|sum| made(value::plain(sum))),
        Derived::ForeignTotal => {
            facts.rate?;
            let written = facts.number(facts.total("011")?)?;
            Some(made(value::plain(written.abs())))
        }
        Derived::Currency => {
            facts.is_abroad(facts.partner(Role::Buyer)).then_some(())?;
            facts.of_head("E1EDK01", "CURCY").filter(|currency| *currency != RUPEE).map(made)
        }
        Derived::Country => {
            let buyer = facts.partner(Role::Buyer).filter(|buyer| facts.is_abroad(Some(*buyer)))?;
            Some(at(facts, facts.idoc.value(buyer, "LAND1")?, buyer))
        }
        Derived::PrecedingNumber => preceding(facts).map(|(number, _, segment)| at(facts, number, segment)),
        Derived::PrecedingDate => preceding(facts).map(|(_, date, segment)| at(facts, date, segment)),
        Derived::Position | Derived::Hsn | Derived::Material | Derived::UnitPrice => None,
    }
}

/// A derived value of an item.
pub(crate) fn of_item<'a>(derived: Derived, facts: &Facts<'a>, item: &ItemFacts<'a>) -> Option<Value<'a>> {
    match derived {
        Derived::Position => {
            let position = value::unpadded(facts.idoc.value(item.segment, "POSEX")?);
            // Longer ones are numbered by their place.
            (!position.is_empty() && position.len() <= 6).then(|| at(facts, position, item.segment))
        }
        Derived::Hsn => {
            let tariff = item.segments.iter().find(|segment| segment.name == "E1EDP28")?;
            let digits: String = facts.idoc.value(*tariff, "STAWN")?.chars().filter(char::is_ascii_digit).collect();
            matches!(digits.len(), 4 | 6 | 8).then(|| at(facts, digits, *tariff))
        }
        Derived::Material => {
            let own = facts.of_item(item, "E1EDP19", ("QUALF", "002"), "IDTNR");
            let (key, segment) = own.or_else(|| Some((facts.idoc.value(item.segment, "MATNR")?, item.segment)))?;
            Some(at(facts, value::unpadded(key), segment))
        }
        Derived::UnitPrice => unit_price(facts, item).map(|(price, segment)| at(facts, value::plain(price), segment)),
        _ => None,
    }
}

/// A text that has the length of a GSTIN, best one with a valid check digit; and whether it has one.
fn registered<'t>(mut candidates: impl Iterator<Item = &'t str> + Clone) -> Option<(&'t str, bool)> {
    let valid = |text: &&str| Gstin::parse(text).is_ok_and(|gstin| gstin.check_digit_ok());
    let found = candidates.clone().find(valid).map(|text| (text, true));
    found.or_else(|| candidates.find(|text| text.len() == GSTIN).map(|text| (text, false)))
}

fn gstin(facts: &Facts<'_>, settings: &Settings, role: Role) -> Option<String> {
    match role {
        Role::Seller => {
            let own = registered(facts.of_head("E1EDK01", "EIGENUINR").into_iter());
            let (valid, own) = (own.filter(|(_, is_valid)| *is_valid).map(|(own, _)| own), own.map(|(own, _)| own));
            let plant = || settings.plants(facts).into_iter().find_map(|(_, plant)| plant.gstin.as_deref());
            let company = || {
                let keys = [
                    facts.qualified("E1EDK14", ("QUALF", "003"), "ORGID"),
                    facts.qualified("E1EDKA1", ("PARVW", "BK"), "LIFNR"),
                ];
                keys.into_iter().flatten().find_map(|key| settings.company_gstins.get(key).map(String::as_str))
            };
            valid.or_else(plant).or_else(company).or(own).map(str::to_owned)
        }
        Role::Buyer if facts.is_abroad(facts.partner(Role::Buyer)) => None,
        Role::Buyer => {
            let candidates =
                [facts.of_head("E1EDK01", "KUNDEUINR"), facts.qualified("E1EDK02", ("QUALF", "107"), "BELNR")];
            registered(candidates.into_iter().flatten()).map(|(text, _)| text.to_owned())
        }
        Role::Ship => None,
    }
}

fn state(facts: &Facts<'_>, settings: &Settings, role: Role) -> Option<String> {
    if role == Role::Buyer && facts.is_abroad(facts.partner(Role::Buyer)) {
        return Some("96".to_owned());
    }
    let gstin = gstin(facts, settings, role)?;
    Gstin::parse(&gstin).ok()?.state().map(|state| state.to_string())
}

fn street<'a>(facts: &Facts<'a>, partner: Segment<'a>) -> Option<Value<'a>> {
    let street = facts.idoc.value(partner, "STRAS").or_else(|| facts.idoc.value(partner, "PFACH"))?;
    let house = facts.idoc.value(partner, "HAUSN").filter(|house| !value::is_initial(house));
    match house.filter(|house| !street.contains(house)) {
        Some(house) => Some(at(facts, format!("{street} {house}"), partner)),
        None => Some(at(facts, street, partner)),
    }
}

fn plant(facts: &Facts<'_>, settings: &Settings, detail: usize) -> Option<String> {
    let plants = settings.plants(facts);
    let [(_, plant)] = plants.as_slice() else { return None };
    // An address is given whole or not at all.
    plant.name.as_ref()?;
    match detail {
        0 => plant.name.clone(),
        1 => plant.address1.clone(),
        2 => plant.address2.clone(),
        3 => plant.location.clone(),
        4 => plant.pin.map(|pin| format!("{pin:0PIN$}")),
        _ => plant.state.clone(),
    }
}

fn supply(facts: &Facts<'_>) -> &'static str {
    if !facts.is_abroad(facts.partner(Role::Buyer)) {
        return "B2B";
    }
    let rows = facts.items.iter().flat_map(|item| &item.segments).filter(|segment| segment.name == "E1EDP04");
    let taxes = rows.filter_map(|row| facts.number(facts.idoc.value(*row, "MWSBT")?));
    let total = facts.total("005").and_then(|total| facts.number(total));
    if taxes.chain(total).any(|tax| !tax.is_zero()) { "EXPWP" } else { "EXPWOP" }
}

/// The sum of conditions of the head, with the sign they have in the document.
fn conditions(facts: &Facts<'_>, types: &[String]) -> Option<Decimal> {
    let is_meant = |row: &&Segment<'_>| {
        row.name == "E1EDK05" && {
            let kind = facts.idoc.value(**row, "KSCHL");
            types.iter().any(|meant| Some(meant.as_str()) == kind)
        }
    };
    let mut rows = facts.head.iter().filter(is_meant).peekable();
    rows.peek()?;
    rows.map(|row| {
        let amount = facts.amount(facts.idoc.value(*row, "BETRG")?, Form::Amount)?;
        // The indicator says what a positive amount does.
        let deducts = facts.idoc.value(*row, "ALCKZ") == Some("-") && amount.is_sign_positive();
        Some(if deducts { -amount } else { amount })
    })
    .try_fold(Decimal::ZERO, |sum, amount| sum.checked_add(amount?))
}

/// The document a credit or debit note refers to, where number and date are there and can be sent.
fn preceding<'a>(facts: &Facts<'a>) -> Option<(&'a str, &'a str, Segment<'a>)> {
    let billing = facts.qualified("E1EDK14", ("QUALF", "015"), "ORGID");
    let is_note = matches!(billing, Some("G2" | "L2" | "RE"))
        || billing.is_none() && facts.of_head("E1EDK01", "BSART") == Some("CRME");
    if !is_note {
        return None;
    }
    let with = |qualifier: &str| {
        facts.head.iter().find_map(|segment| {
            let value = |field: &str| facts.idoc.value(*segment, field);
            (segment.name == "E1EDK02" && value("QUALF") == Some(qualifier)).then_some(())?;
            let number =
                value("BELNR").filter(|number| number.len() <= 16 && Pattern::DocumentNumber.admits(number))?;
            let date = value("DATUM").filter(|date| !value::is_initial(date))?;
            Some((number, date, *segment))
        })
    };
    with("011").or_else(|| with("016")).or_else(|| with("028"))
}

/// A price by which the quantity has the gross value. SAP may price by another unit than it counts in, and then no price
/// in the `IDoc` is that of the quantity's unit.
fn unit_price<'a>(facts: &Facts<'a>, item: &ItemFacts<'a>) -> Option<(Decimal, Segment<'a>)> {
    let quantity = facts.number(facts.idoc.value(item.segment, "MENGE")?)?.abs();
    let gross =
        facts.of_item(item, "E1EDP26", ("QUALF", "002"), "BETRG").map(|(text, _)| text).or_else(|| facts.net(item));
    let gross = gross.and_then(|text| facts.amount(text, Form::Amount));
    let price_of = |text: &str| facts.amount(text, Form::Price);
    let per = |segment: Segment<'a>, field: &str| {
        facts.idoc.value(segment, field).and_then(|per| facts.number(per)).filter(|per| !per.is_zero())
    };
    let rows = item.segments.iter().filter(|segment| segment.name == "E1EDP05");
    let units = rows.clone().find_map(|row| per(*row, "UPRBS"));
    let units = units.or_else(|| per(item.segment, "PEINH")).unwrap_or(Decimal::ONE);
    let named = ["001", "006"].into_iter().filter_map(|qualifier| {
        let (text, segment) = facts.of_item(item, "E1EDP26", ("QUALF", qualifier), "BETRG")?;
        Some((price_of(text)?.checked_div(units)?, segment))
    });
    let own = facts.idoc.value(item.segment, "VPREI").and_then(|text| {
        let price = price_of(text)?.checked_div(per(item.segment, "PEINH").unwrap_or(Decimal::ONE))?;
        Some((price, item.segment))
    });
    let fits = |price: &Decimal| {
        let (Some(gross), Some(value)) = (gross, price.checked_mul(quantity)) else { return gross.is_none() };
        // A price has three decimals on the way to the portal.
        let tolerance = Decimal::new(1, 2) + quantity * Decimal::new(5, 4);
        (value - gross).abs() <= tolerance
    };
    named.chain(own).find(|(price, _)| fits(price)).map(|(price, segment)| (price.round_dp(3), segment))
}
