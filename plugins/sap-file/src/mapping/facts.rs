//! What an `IDoc` says as a whole, found out before any rule is applied: its items and partners, how its numbers are
//! written, their sign and their currency.

use einvoice_core::finding::Finding;
use rust_decimal::Decimal;

use crate::config::{ConditionsConfig, Numbers};
use crate::idoc::{Idoc, Segment};
use crate::value::{self, Mark, Unclear};

use super::currency::{self, RUPEE};
use super::field::Role;
use super::plan::{self, Form};

/// The segment of an item.
const ITEM: &str = "E1EDP01";
/// India, as SAP writes it.
const INDIA: &str = "IN";

/// One item.
#[derive(Debug)]
pub(crate) struct ItemFacts<'a> {
    pub(crate) segment: Segment<'a>,
    /// Its segments in their order, its own first.
    pub(crate) segments: Vec<Segment<'a>>,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Facts<'a> {
    pub(crate) idoc: &'a Idoc<'a>,
    pub(crate) items: Vec<ItemFacts<'a>>,
    /// Segments that belong to no item.
    pub(crate) head: Vec<Segment<'a>>,
    seller: Option<Segment<'a>>,
    buyer: Option<Segment<'a>>,
    ship: Option<Segment<'a>>,
    /// The line of the control record.
    first_line: u64,
    mark: Mark,
    /// Amounts are written with the other sign.
    negative: bool,
    /// Rupees for one unit of the document's currency, where that is another.
    pub(crate) rate: Option<Decimal>,
    pub(crate) findings: Vec<Finding>,
}

impl<'a> Facts<'a> {
    pub(crate) fn new(idoc: &'a Idoc<'a>, first_line: u64, numbers: Numbers, conditions: &ConditionsConfig) -> Self {
        let mut facts = Self {
            idoc,
            items: Vec::new(),
            head: Vec::new(),
            seller: None,
            buyer: None,
            ship: None,
            first_line,
            mark: Mark::Point,
            negative: false,
            rate: None,
            findings: Vec::new(),
        };
        facts.share_out();
        facts.read_numbers(numbers);
        if conditions.drop_free_components {
            facts.drop_free_components();
        }
        facts.read_signs();
        facts.read_currency(conditions);
        facts.find_partners();
        facts
    }

    /// Gives each segment to its item, or to the head.
    fn share_out(&mut self) {
        let segments = self.idoc.segments();
        let mut item_of: Vec<Option<usize>> = Vec::with_capacity(segments.len());
        for segment in segments {
            let above = segment.parent.checked_sub(1).and_then(|parent| item_of.get(parent).copied().flatten());
            let item = if segment.name == ITEM && above.is_none() {
                self.items.push(ItemFacts { segment: *segment, segments: Vec::with_capacity(24) });
                Some(self.items.len() - 1)
            } else {
                above
            };
            item_of.push(item);
            match item.and_then(|item| self.items.get_mut(item)) {
                Some(item) => item.segments.push(*segment),
                None => self.head.push(*segment),
            }
        }
    }

    fn read_numbers(&mut self, numbers: Numbers) {
        let found = match numbers {
            Numbers::Point => Ok(Mark::Point),
            Numbers::Comma => Ok(Mark::Comma),
            // Nearly all have no comma, and nothing to find out.
            Numbers::Auto if numbers_with(self.idoc, has_comma).next().is_none() => Ok(Mark::Point),
            Numbers::Auto => value::mark(numbers_with(self.idoc, |value| has_comma(value) || has_point(value))),
        };
        // A number of another form would be read later on with a point, and the others with a comma.
        let is_odd = |number: &&str| value::number(number, Mark::Comma).is_none();
        let found = match found {
            Ok(Mark::Comma) => match numbers_with(self.idoc, has_point).find(is_odd) {
                Some(number) => Err(Unclear(number.to_owned())),
                None => Ok(Mark::Comma),
            },
            found => found,
        };
        self.mark = found.unwrap_or_else(|Unclear(number)| {
            self.findings.push(
                Finding::error("sap.numbers", "", "the numbers of this IDoc are not all written in one clear way")
                    .with_found(number)
                    .with_expected("1234.50 or 1.234,50 throughout")
                    .with_fix("Let SAP write numbers with a point and without thousands, or set `numbers`."),
            );
            Mark::Point
        });
    }

    fn drop_free_components(&mut self) {
        let (idoc, mark) = (self.idoc, self.mark);
        let mut dropped = Vec::new();
        let mut items = std::mem::take(&mut self.items);
        items.retain(|item| {
            let above = idoc.value(item.segment, "UEPOS").map(value::unpadded).unwrap_or_default();
            let net = net_value(idoc, item).and_then(|text| value::number(text, mark));
            let is_free = !above.is_empty() && net.is_some_and(|net| net.is_zero());
            if is_free {
                dropped.push(idoc.value(item.segment, "POSEX").unwrap_or_default().to_owned());
            }
            !is_free
        });
        self.items = items;
        if !dropped.is_empty() {
            let message = "items without value that belong to other items were left out";
            self.findings.push(
                Finding::warning("sap.free_components", "ItemList", message)
                    .with_found(dropped.join(", "))
                    .with_fix("Set `conditions.drop_free_components = false` to send them."),
            );
        }
    }

    /// Credit memos come with positive amounts from most systems and with negative ones from some.
    fn read_signs(&mut self) {
        let total = self.total("011").into_iter();
        let nets = self.items.iter().filter_map(|item| net_value(self.idoc, item));
        let amounts =
            nets.chain(total).filter_map(|text| value::number(text, self.mark)).filter(|amount| !amount.is_zero());
        let (mut below, mut above) = (false, false);
        for amount in amounts {
            below |= amount.is_sign_negative();
            above |= amount.is_sign_positive();
        }
        self.negative = below && !above;
        if below && above {
            self.findings.push(
                Finding::error("sap.signs", "ItemList", "some amounts of this document are negative and some are not")
                    .with_expected("one sign for all net values and the total")
                    .with_fix("Give a deduction as a discount of its item, not as an item of its own."),
            );
        }
    }

    fn read_currency(&mut self, conditions: &ConditionsConfig) {
        let header = |field: &str| self.of_head("E1EDK01", field).unwrap_or_default();
        let (own, local) = (header("CURCY"), header("HWAER"));
        if own.is_empty() || own == RUPEE {
            return;
        }
        let rate = value::number(header("WKURS"), self.mark).filter(|rate| rate.is_sign_positive() && !rate.is_zero());
        match rate {
            Some(rate) if local == RUPEE => match currency::for_one(own, rate, &conditions.currency_units) {
                Ok(rate) => self.rate = Some(rate),
                Err(finding) => self.findings.push(*finding),
            },
            _ => self.findings.push(
                Finding::error(
                    "sap.currency",
                    "ValDtls",
                    "amounts are in a foreign currency, and there is no rate to rupees",
                )
                .with_found(format!("CURCY {own}, HWAER {local}, WKURS {}", header("WKURS")))
                .with_expected("HWAER INR with a rate above nought in E1EDK01")
                .with_fix("Bill in INR, or let SAP send local currency and rate of the company code."),
            ),
        }
    }

    fn find_partners(&mut self) {
        let partner = |name: &str| {
            let is_role =
                |segment: &&Segment<'a>| segment.name == "E1EDKA1" && self.idoc.value(**segment, "PARVW") == Some(name);
            self.head.iter().find(is_role).copied()
        };
        self.seller = partner("RS").or_else(|| partner("BK"));
        self.buyer = partner("RE").or_else(|| partner("AG"));
        let ship = partner("WE").or_else(|| self.common_ship());
        let is_other = |ship: &Segment<'a>| {
            let differs = |field: &str| {
                self.buyer.is_none_or(|buyer| self.idoc.value(buyer, field) != self.idoc.value(*ship, field))
            };
            // A partner without a key is told by name and street.
            match self.idoc.value(*ship, "PARTN") {
                Some(_) => differs("PARTN"),
                None => differs("NAME1") || differs("STRAS"),
            }
        };
        self.ship = ship.filter(is_other).filter(|ship| !self.is_abroad(Some(*ship)));
    }

    /// The ship-to of the items, which must be the same for all of them.
    fn common_ship(&mut self) -> Option<Segment<'a>> {
        let idoc = self.idoc;
        let of = |item: &ItemFacts<'a>| {
            let is_ship =
                |segment: &&Segment<'a>| segment.name == "E1EDPA1" && idoc.value(**segment, "PARVW") == Some("WE");
            item.segments.iter().find(is_ship).copied()
        };
        let key = |segment: Segment<'a>| ["PARTN", "NAME1", "STRAS"].map(|field| idoc.value(segment, field));
        let mut ships = self.items.iter().filter_map(of);
        let first = ships.next()?;
        if let Some(other) = ships.find(|other| key(*other) != key(first)) {
            let name = |segment| idoc.value(segment, "NAME1").unwrap_or_default();
            let finding =
                Finding::error("sap.ship_to", "ShipDtls", "the items go to different places, and INV-01 has one")
                    .with_found(format!("{} and {}", name(first), name(other)))
                    .with_fix("Split the billing document in SAP by ship-to party.")
                    .with_place(self.place(other));
            self.findings.push(finding);
        }
        Some(first)
    }

    /// The segment of a partner.
    pub(crate) const fn partner(&self, role: Role) -> Option<Segment<'a>> {
        match role {
            Role::Seller => self.seller,
            Role::Buyer => self.buyer,
            Role::Ship => self.ship,
        }
    }

    /// Whether a partner sits outside India.
    pub(crate) fn is_abroad(&self, partner: Option<Segment<'a>>) -> bool {
        let country = partner.and_then(|partner| self.idoc.value(partner, "LAND1"));
        country.is_some_and(|country| country != INDIA)
    }

    /// A field of the first such segment of the head.
    pub(crate) fn of_head(&self, name: &str, field: &str) -> Option<&'a str> {
        self.head.iter().filter(|segment| segment.name == name).find_map(|segment| self.idoc.value(*segment, field))
    }

    /// A field of a segment of the head with a qualifier.
    pub(crate) fn qualified(&self, name: &str, by: (&str, &str), field: &str) -> Option<&'a str> {
        let meant = self.head.iter().filter(|segment| segment.name == name);
        meant
            .filter(|segment| self.idoc.value(**segment, by.0) == Some(by.1))
            .find_map(|segment| self.idoc.value(*segment, field))
    }

    /// A total of the document as it is written.
    pub(crate) fn total(&self, sum: &str) -> Option<&'a str> {
        self.qualified("E1EDS01", ("SUMID", sum), "SUMME")
    }

    /// A number as it is written.
    pub(crate) fn number(&self, text: &str) -> Option<Decimal> {
        value::number(text, self.mark)
    }

    /// Money in rupees, with the sign a registration has.
    pub(crate) fn amount(&self, text: &str, form: Form) -> Option<Decimal> {
        let written = self.number(text)?;
        let signed = if self.negative { -written } else { written };
        match (self.rate, form) {
            (None, _) => Some(signed),
            (Some(rate), Form::Price) => signed.checked_mul(rate),
            (Some(rate), _) => signed.checked_mul(rate).map(value::paise),
        }
    }

    /// Whether numbers can be handed on as they are written.
    pub(crate) fn is_plain(&self) -> bool {
        self.mark == Mark::Point && !self.negative && self.rate.is_none()
    }

    /// Whether all amounts are negative, and quantities too.
    pub(crate) const fn is_negative(&self) -> bool {
        self.negative
    }

    /// Where a segment stands.
    pub(crate) fn place(&self, segment: Segment<'_>) -> String {
        // Said of each tax of each item: without the machinery of formats.
        ["segment ", segment.name, ", line ", &self.line(segment).to_string()].concat()
    }

    /// The line of a segment in its file.
    pub(crate) const fn line(&self, segment: Segment<'_>) -> u64 {
        self.first_line + segment.line
    }

    /// A field of a segment of an item with a qualifier.
    pub(crate) fn of_item(
        &self,
        item: &ItemFacts<'a>,
        name: &str,
        by: (&str, &str),
        field: &str,
    ) -> Option<(&'a str, Segment<'a>)> {
        of_item(self.idoc, item, name, by, field)
    }

    /// The net value of an item as it is written.
    pub(crate) fn net(&self, item: &ItemFacts<'a>) -> Option<&'a str> {
        net_value(self.idoc, item)
    }
}

fn has_comma(value: &str) -> bool {
    memchr::memchr(b',', value.as_bytes()).is_some()
}

fn has_point(value: &str) -> bool {
    memchr::memchr(b'.', value.as_bytes()).is_some()
}

/// The numbers of SAP's own segments that are written with a mark.
fn numbers_with<'a>(idoc: &'a Idoc<'a>, is_marked: fn(&str) -> bool) -> impl Iterator<Item = &'a str> {
    idoc.segments().iter().flat_map(move |segment| {
        let is_number = |name: &str| plan::form(segment.name, name) != Form::Text;
        let fields = idoc.fields(*segment).iter();
        fields.filter(move |(name, value)| is_marked(value) && is_number(name)).map(|(_, value)| &**value)
    })
}

fn net_value<'a>(idoc: &'a Idoc<'a>, item: &ItemFacts<'a>) -> Option<&'a str> {
    of_item(idoc, item, "E1EDP26", ("QUALF", "003"), "BETRG")
        .map(|(value, _)| value)
        .or_else(|| idoc.value(item.segment, "NETWR"))
}

fn of_item<'a>(
    idoc: &'a Idoc<'a>,
    item: &ItemFacts<'a>,
    name: &str,
    by: (&str, &str),
    field: &str,
) -> Option<(&'a str, Segment<'a>)> {
    let meant = item.segments.iter().filter(|segment| segment.name == name);
    meant
        .filter(|segment| idoc.value(**segment, by.0) == Some(by.1))
        .find_map(|segment| idoc.value(*segment, field).map(|value| (value, *segment)))
}
