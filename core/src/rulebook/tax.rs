//! Which tax a supply bears, and how much of it: IGST between states, CGST and SGST within one.

use std::fmt;

use crate::document::{Item, SupplyType, YesNo};
use crate::identifier::StateCode;
use crate::number::Amount;

use super::arithmetic::{accepts, or_zero, rupees};
use super::items::{compare, is_note, is_taxed_on_retail_price, of_rate, path};
use super::settings::TaxpayerKind;
use super::{Rule, Sheet, table};

/// What decides the tax of every item.
struct Supply {
    kind: SupplyType,
    /// IGST is charged.
    inter_state: bool,
    /// Why, for a person.
    because: Because,
}

/// Why a supply is inter- or intra-state. Put into words only where something is wrong.
#[derive(Clone, Copy)]
enum Because {
    Kind(SupplyType),
    IgstOnIntra,
    Developer,
    States(StateCode, StateCode),
}

impl fmt::Display for Because {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kind(kind) => write!(f, "the supply type is {kind}"),
            Self::IgstOnIntra => f.write_str("IgstOnIntra is Y"),
            Self::Developer => f.write_str("the supplier is an SEZ developer, who charges IGST only"),
            Self::States(home, place) => write!(f, "the supplier's state is {home} and the place of supply {place}"),
        }
    }
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
    let inter_state = |because| Some(Supply { kind, inter_state: true, because });
    if kind.is_export() || kind.is_sez() {
        return inter_state(Because::Kind(kind));
    }
    let settings = &sheet.options.settings;
    let supplier = invoice.seller_dtls.gstin.get().and_then(|gstin| settings.taxpayer(gstin));
    if supplier.is_some_and(|supplier| supplier.kind == Some(TaxpayerKind::SezDeveloper)) {
        return inter_state(Because::Developer);
    }
    let home = invoice.seller_dtls.stcd.get()?;
    let place = invoice.buyer_dtls.pos.get()?;
    if home == place && invoice.tran_dtls.igst_on_intra.get() == Some(YesNo::Yes) {
        return inter_state(Because::IgstOnIntra);
    }
    Some(Supply { kind, inter_state: home != place, because: Because::States(home, place) })
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
    if supply.kind.is_without_payment() {
        wrong_kind(sheet, &table::IGST_WITHOUT_PAYMENT, index, ("IgstAmt", passed), "no tax", supply);
    }
    // Without payment of tax: no IGST is accepted at any rate (GSTN advisory).
    if skips_amounts(sheet, item) || (supply.kind.is_without_payment() && passed == Some(Amount::ZERO)) {
        return;
    }
    let Some((rate, taxable)) = item.gst_rt.get().zip(item.ass_amt.get()) else { return };
    let calculated = rate.of(taxable);
    compare(sheet, &table::IGST_AMOUNT, (index, "IgstAmt"), calculated, passed, || of_rate(taxable, rate));
}

fn intra_state(sheet: &mut Sheet<'_>, index: usize, item: &Item, supply: &Supply) {
    wrong_kind(sheet, &table::IGST_IN_INTRA, index, ("IgstAmt", item.igst_amt.get()), "CgstAmt and SgstAmt", supply);
    let basis = item.gst_rt.get().zip(item.ass_amt.get());
    let calculated = basis.and_then(|(rate, taxable)| rate.half_of(taxable));
    let taxed = calculated.is_some_and(|tax| !tax.is_zero());
    if taxed && item.cgst_amt.is_absent() && item.sgst_amt.is_absent() {
        sheet.push(
            table::CGST_MISSING
                .finding(path(index, "CgstAmt"), format!("CGST and SGST are missing, and {}", supply.because))
                .with_expected(format!("{} each", rupees(calculated.unwrap_or_default())))
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
                .finding(path(index, "SgstAmt"), format!("SGST {} and CGST {} differ", rupees(sgst), rupees(cgst)))
                .with_found(sgst)
                .with_expected(cgst)
                .with_fix("Make the two equal: each is half of the tax."),
        );
    }
    if skips_amounts(sheet, item) {
        return;
    }
    for (name, passed) in [("CgstAmt", cgst), ("SgstAmt", sgst)] {
        compare(sheet, &table::CGST_AMOUNT, (index, name), calculated, passed, || {
            let (rate, taxable) = basis.unwrap_or_default();
            format!("half of {} at {rate}% gives", rupees(taxable))
        });
    }
}

/// True where amounts are not held against the rate: notes, and goods taxed on their retail sale price.
fn skips_amounts(sheet: &Sheet<'_>, item: &Item) -> bool {
    let invoice = sheet.invoice;
    is_note(invoice) || item.hsn_cd.get().is_some_and(|code| is_taxed_on_retail_price(invoice, code))
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
            rule.finding(path(index, name), format!("{name} is {}, and {}", rupees(amount), supply.because))
                .with_found(amount)
                .with_expected("0, or nothing")
                .with_fix(format!("Charge {instead} instead, or correct what decides the kind of tax.")),
        );
    }
}
