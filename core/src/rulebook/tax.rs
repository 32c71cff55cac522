//! Which tax a supply bears, and how much of it: IGST between states, CGST and SGST within one.

use crate::document::{Item, SupplyType, YesNo};
use crate::identifier::HsnCode;
use crate::number::Amount;

use super::arithmetic::{accepts, or_zero};
use super::items::{differs, is_note, path};
use super::{Rule, Sheet, table};

/// What decides the tax of every item.
struct Supply {
    kind: SupplyType,
    /// IGST is charged.
    inter_state: bool,
    /// Why, for a person.
    because: String,
}

pub(super) fn check(sheet: &mut Sheet<'_>) {
    let invoice = sheet.invoice;
    let Some(supply) = supply(sheet) else { return };
    for (index, item) in invoice.item_list.iter().enumerate() {
        if supply.inter_state {
            inter_state(sheet, index, item, &supply);
        } else {
            intra_state(sheet, index, item, &supply);
        }
    }
}

/// Exports and supplies to an SEZ are always inter-state; otherwise supplier state and place of supply decide, and
/// `IgstOnIntra` overrules.
fn supply(sheet: &Sheet<'_>) -> Option<Supply> {
    let invoice = sheet.invoice;
    let kind = invoice.tran_dtls.sup_typ.get()?;
    if kind.is_export() || kind.is_sez() {
        return Some(Supply { kind, inter_state: true, because: format!("the supply type is {kind}") });
    }
    let home = invoice.seller_dtls.stcd.get()?;
    let place = invoice.buyer_dtls.pos.get()?;
    if home == place && invoice.tran_dtls.igst_on_intra.get() == Some(YesNo::Yes) {
        return Some(Supply { kind, inter_state: true, because: "IgstOnIntra is Y".into() });
    }
    Some(Supply {
        kind,
        inter_state: home != place,
        because: format!("the supplier's state is {home} and the place of supply {place}"),
    })
}

fn inter_state(sheet: &mut Sheet<'_>, index: usize, item: &Item, supply: &Supply) {
    let rule = match supply.kind {
        kind if kind.is_export() => &table::CGST_IN_EXPORT,
        kind if kind.is_sez() => &table::CGST_IN_SEZ,
        _ => &table::CGST_IN_INTER,
    };
    for (name, amount) in [("CgstAmt", item.cgst_amt.get()), ("SgstAmt", item.sgst_amt.get())] {
        wrong_kind(sheet, rule, index, (name, amount), "IgstAmt", supply);
    }
    let passed = or_zero(&item.igst_amt);
    // Without payment of tax: no IGST is accepted at any rate (GSTN advisory).
    if skips_amounts(sheet, item) || (supply.kind.is_without_payment() && passed == Some(Amount::ZERO)) {
        return;
    }
    let calculated = item.gst_rt.get().zip(item.ass_amt.get()).and_then(|(rate, taxable)| rate.of(taxable));
    compare(sheet, &table::IGST_AMOUNT, index, "IgstAmt", ("AssAmt x GstRt / 100", calculated), passed);
}

fn intra_state(sheet: &mut Sheet<'_>, index: usize, item: &Item, supply: &Supply) {
    wrong_kind(sheet, &table::IGST_IN_INTRA, index, ("IgstAmt", item.igst_amt.get()), "CgstAmt and SgstAmt", supply);
    let calculated = item.gst_rt.get().zip(item.ass_amt.get()).and_then(|(rate, taxable)| rate.half_of(taxable));
    let taxed = calculated.is_some_and(|tax| !tax.is_zero());
    if taxed && item.cgst_amt.is_absent() && item.sgst_amt.is_absent() {
        sheet.push(
            table::CGST_MISSING
                .finding(path(index, "CgstAmt"), format!("CGST and SGST are missing, and {}", supply.because))
                .with_expected(format!("{} each", calculated.unwrap_or_default()))
                .with_fix("Give CgstAmt and SgstAmt, or correct the place of supply if the supply is inter-state."),
        );
        return;
    }
    let (cgst, sgst) = (or_zero(&item.cgst_amt), or_zero(&item.sgst_amt));
    if let (Some(cgst), Some(sgst)) = (cgst, sgst)
        && !accepts(cgst, sgst)
    {
        sheet.push(
            table::CGST_UNEQUAL
                .finding(path(index, "SgstAmt"), format!("SgstAmt is {sgst}, and CgstAmt is {cgst}"))
                .with_found(sgst)
                .with_expected(cgst)
                .with_fix("Make the two equal: each is half of the tax."),
        );
    }
    if skips_amounts(sheet, item) {
        return;
    }
    for (name, passed) in [("CgstAmt", cgst), ("SgstAmt", sgst)] {
        compare(sheet, &table::CGST_AMOUNT, index, name, ("AssAmt x GstRt / 200", calculated), passed);
    }
}

/// True where amounts are not held against the rate: notes, and goods taxed on their retail sale price.
fn skips_amounts(sheet: &Sheet<'_>, item: &Item) -> bool {
    is_note(sheet.invoice) || item.hsn_cd.get().is_some_and(|code| is_taxed_on_retail_price(sheet, code))
}

/// Pan masala and tobacco from 1 February 2026 (GSTN advisory); bidis are not told apart by these headings.
fn is_taxed_on_retail_price(sheet: &Sheet<'_>, code: HsnCode) -> bool {
    let date = sheet.invoice.doc_dtls.dt.get().map(crate::date::DocumentDate::date);
    date.is_some_and(|date| date >= jiff::civil::date(2026, 2, 1))
        && (matches!(code.heading(), 2401..=2403) || matches!(code.number(), 21_069_020 | 24_041_100 | 24_041_900))
}

fn wrong_kind(
    sheet: &mut Sheet<'_>,
    rule: &Rule,
    index: usize,
    (name, amount): (&str, Option<Amount>),
    instead: &str,
    supply: &Supply,
) {
    if let Some(amount) = amount.filter(|amount| !amount.is_zero()) {
        sheet.push(
            rule.finding(path(index, name), format!("{name} is {amount}, and {}", supply.because))
                .with_found(amount)
                .with_expected("0, or nothing")
                .with_fix(format!("Charge {instead} instead, or correct what decides the kind of tax.")),
        );
    }
}

fn compare(
    sheet: &mut Sheet<'_>,
    rule: &Rule,
    index: usize,
    name: &str,
    (formula, calculated): (&str, Option<Amount>),
    passed: Option<Amount>,
) {
    if let (Some(calculated), Some(passed)) = (calculated, passed)
        && !accepts(calculated, passed)
    {
        sheet.push(differs(rule, path(index, name), formula, calculated, passed));
    }
}
