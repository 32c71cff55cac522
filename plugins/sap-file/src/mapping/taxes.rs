//! Which tax a tax row is. INVOIC itself does not say: its rows have a rate and an amount.
//!
//! In this order: by tax code or a word in the row's text, as configured; by condition types, where the customer sends
//! them; by rates, where these leave one reading only. What stays unclear is refused, as a wrong head of tax cannot be
//! corrected once it is registered.

use std::collections::BTreeMap;

use einvoice_core::finding::Finding;
use rust_decimal::Decimal;

use crate::config::{ConditionsConfig, Tax};
use crate::idoc::Segment;

use super::facts::{Facts, ItemFacts};
use super::plan::Form;

/// Condition types of Indian taxes that SAP delivers.
const CONDITIONS: [(&str, Tax); 7] = [
    ("JOCG", Tax::Cgst),
    ("JOSG", Tax::Sgst),
    ("JOUG", Tax::Sgst),
    ("JOIG", Tax::Igst),
    ("JCOS", Tax::Cess),
    ("JTC1", Tax::Other),
    ("JTC2", Tax::Other),
];
/// Words of the texts of tax rows.
const TEXTS: [(&str, Tax); 4] = [("CGST", Tax::Cgst), ("SGST", Tax::Sgst), ("UTGST", Tax::Sgst), ("IGST", Tax::Igst)];

/// What taxes are called.
#[derive(Debug)]
pub(crate) struct TaxNames {
    conditions: BTreeMap<String, Tax>,
    texts: Vec<(String, Tax)>,
    codes: BTreeMap<String, Tax>,
}

impl TaxNames {
    pub(crate) fn new(config: &ConditionsConfig) -> Self {
        let mut conditions: BTreeMap<String, Tax> =
            CONDITIONS.iter().map(|(name, tax)| ((*name).to_owned(), *tax)).collect();
        conditions.extend(config.taxes.clone());
        let own = config.tax_texts.iter().map(|(text, tax)| (text.to_uppercase(), *tax));
        let texts = own.chain(TEXTS.iter().map(|(text, tax)| ((*text).to_owned(), *tax))).collect();
        Self { conditions, texts, codes: config.tax_codes.clone() }
    }

    /// The tax of a row by its code or text.
    fn of_row(&self, facts: &Facts<'_>, row: Segment<'_>) -> Option<Tax> {
        let code = facts.idoc.value(row, "MWSKZ").and_then(|code| self.codes.get(code)).copied();
        code.or_else(|| {
            let texts = ["KTEXT", "TXJCD"].into_iter().filter_map(|field| facts.idoc.value(row, field));
            let upper: Vec<String> = texts.map(str::to_uppercase).collect();
            let is_meant = |word: &&(String, Tax)| upper.iter().any(|text| text.contains(&word.0));
            self.texts.iter().find(is_meant).map(|(_, tax)| *tax)
        })
    }
}

/// The taxes of an item.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Taxes {
    pub(crate) amounts: BTreeMap<Tax, Decimal>,
    /// The rate of all heads together, in per cent.
    pub(crate) rate: Option<Decimal>,
    pub(crate) cess_rate: Option<Decimal>,
    pub(crate) origin: String,
}

/// A row: its tax as far as it is known, rate and amount.
#[derive(Debug, Clone, Copy)]
struct Row<'a> {
    segment: Segment<'a>,
    tax: Option<Tax>,
    rate: Option<Decimal>,
    amount: Decimal,
}

/// The taxes of an item; nothing where it has no row that says any. `inside` says whether supplier and place of supply
/// are in one state, as far as that is known.
pub(crate) fn of_item(
    facts: &Facts<'_>,
    item: &ItemFacts<'_>,
    names: &TaxNames,
    inside: Option<bool>,
) -> Result<Option<Taxes>, Box<Finding>> {
    let of = |segment: &'static str| item.segments.iter().filter(move |found| found.name == segment).copied();
    let mut rows = Vec::new();
    for segment in of("E1EDP04") {
        rows.push(row(facts, segment, names.of_row(facts, segment), "MWSBT", &["MSATZ"])?);
    }
    if !rows.is_empty() && rows.iter().all(|row| row.tax.is_some()) {
        return Ok(Some(added(facts, &rows, item)));
    }
    let mut conditions = Vec::new();
    for segment in of("E1EDP05") {
        let kind = facts.idoc.value(segment, "KSCHL").and_then(|kind| names.conditions.get(kind));
        if let Some(tax) = kind {
            conditions.push(row(facts, segment, Some(*tax), "BETRG", &["KPERC", "KRATE"])?);
        }
    }
    if !conditions.is_empty() {
        return Ok(Some(added(facts, &conditions, item)));
    }
    by_rates(&mut rows, inside).map_err(|reason| Box::new(ambiguous(facts, &rows, reason)))?;
    Ok((!rows.is_empty()).then(|| added(facts, &rows, item)))
}

fn row<'a>(
    facts: &Facts<'a>,
    segment: Segment<'a>,
    tax: Option<Tax>,
    amount: &str,
    rates: &[&str],
) -> Result<Row<'a>, Box<Finding>> {
    let unreadable = |field: &str, found: &str| {
        let message = format!("{}.{field} is no number, so the tax of this item cannot be told", segment.name);
        Box::new(
            Finding::error("sap.tax", "", message)
                .with_found(found)
                .with_fix("Correct it in SAP; of a flat file, give the layout of the segment by `definitions`.")
                .with_place(facts.place(segment)),
        )
    };
    let text = facts.idoc.value(segment, amount).unwrap_or("0");
    let amount = facts.amount(text, Form::Amount).ok_or_else(|| unreadable(amount, text))?;
    let mut rate = None;
    for field in rates {
        if let (None, Some(text)) = (rate, facts.idoc.value(segment, field)) {
            rate = Some(facts.number(text).ok_or_else(|| unreadable(field, text))?.abs());
        }
    }
    Ok(Row { segment, tax, rate, amount })
}

/// Gives unnamed rows the only tax that their rates leave.
fn by_rates(rows: &mut [Row<'_>], inside: Option<bool>) -> Result<(), &'static str> {
    let is_nil = |row: &Row<'_>| row.amount.is_zero() && row.rate.is_none_or(|rate| rate.is_zero());
    if rows.iter().all(is_nil) {
        for row in rows.iter_mut() {
            row.tax = Some(Tax::Igst);
        }
        return Ok(());
    }
    match (rows, inside) {
        ([one], Some(false)) => one.tax = Some(Tax::Igst),
        ([_], Some(true)) => {
            return Err("one rate inside the state may be central tax alone, or both taxes together");
        }
        ([_], None) => return Err("one rate, and supplier or place of supply is not known"),
        ([first, second], None | Some(true)) if first.rate == second.rate && first.amount == second.amount => {
            first.tax = Some(Tax::Cgst);
            second.tax = Some(Tax::Sgst);
        }
        ([first, second], Some(false)) if first.rate == second.rate => {
            return Err("two equal rates look like central and state tax, but the supply is between states");
        }
        _ => return Err("these rates can be read in several ways"),
    }
    Ok(())
}

fn ambiguous(facts: &Facts<'_>, rows: &[Row<'_>], reason: &str) -> Finding {
    let shown: Vec<String> = rows
        .iter()
        .map(|row| {
            let code = facts.idoc.value(row.segment, "MWSKZ").unwrap_or("no code");
            let rate = row.rate.map_or_else(|| "no rate".to_owned(), |rate| format!("{} %", rate.normalize()));
            format!("{code}: {rate}, {}", row.amount.normalize())
        })
        .collect();
    let finding = Finding::error("sap.tax", "", format!("which taxes these are is not clear: {reason}"))
        .with_found(shown.join("; "))
        .with_fix(
            "Send condition types JOCG, JOSG and JOIG in E1EDP05, or name the tax codes in `conditions.tax_codes`.",
        );
    match rows.first() {
        Some(row) => finding.with_place(facts.place(row.segment)),
        None => finding,
    }
}

/// Adds rows up by their taxes.
fn added(facts: &Facts<'_>, rows: &[Row<'_>], item: &ItemFacts<'_>) -> Taxes {
    let net = facts.net(item).and_then(|net| facts.amount(net, Form::Amount));
    let mut taxes = Taxes::default();
    for row in rows {
        let Some(tax) = row.tax else { continue };
        if !taxes.origin.is_empty() {
            taxes.origin.push_str(" and ");
        }
        taxes.origin.push_str(&facts.place(row.segment));
        let rate = row.rate.map(|rate| per_cent(rate, row.amount, net));
        let mut add = |tax: Tax, amount: Decimal| *taxes.amounts.entry(tax).or_default() += amount;
        match tax {
            Tax::Halves => {
                let half = crate::value::paise(row.amount / Decimal::TWO);
                add(Tax::Cgst, half);
                add(Tax::Sgst, row.amount - half);
            }
            other => add(other, row.amount),
        }
        let total = match tax {
            Tax::Cgst | Tax::Sgst | Tax::Igst | Tax::Halves => &mut taxes.rate,
            Tax::Cess => &mut taxes.cess_rate,
            Tax::Other => continue,
        };
        if let Some(rate) = rate {
            *total = Some(total.unwrap_or_default() + rate);
        }
    }
    taxes
}

/// A rate in per cent. SAP keeps condition rates per mille, and hands them on like that from some systems: the amount
/// tells.
fn per_cent(rate: Decimal, amount: Decimal, net: Option<Decimal>) -> Decimal {
    let Some(net) = net else { return rate };
    let gives = |rate: Decimal| {
        let tax = net.checked_mul(rate).map(|tax| tax / Decimal::ONE_HUNDRED);
        tax.is_some_and(|tax| (tax - amount).abs() <= Decimal::new(5, 2) + amount.abs() * Decimal::new(1, 3))
    };
    let tenth = rate / Decimal::TEN;
    if !gives(rate) && gives(tenth) { tenth } else { rate }
}
