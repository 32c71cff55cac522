//! Kind of tax, rates and totals.

use super::super::{EwbItem, SubSupply, rules};
use super::{Sheet, item, parties};
use crate::document::{Field, PartyGstin};
use crate::number::{Amount, Rate};
use crate::rulebook::Rule;

pub(super) fn check(sheet: &mut Sheet<'_>) {
    equal_rates(sheet);
    if let Some(kind) = kind(sheet) {
        rates(sheet, kind);
        values(sheet, kind);
    }
    negatives(sheet);
    totals(sheet);
}

/// Which tax the movement bears.
#[derive(Clone, Copy, PartialEq, Eq)]
enum TaxKind {
    Intra,
    Inter,
    /// Between states because a party is in a special economic zone, though both are in one state.
    Zone,
}

fn kind(sheet: &Sheet<'_>) -> Option<TaxKind> {
    let request = sheet.request;
    let abroad = matches!(request.sub_supply_type.get(), Some(SubSupply::Export | SubSupply::Import));
    let (from, to) = (request.from_state_code.get()?, request.to_state_code.get()?);
    if abroad || from != to {
        return Some(TaxKind::Inter);
    }
    let zone = |party: &Field<PartyGstin>| {
        party.get().and_then(PartyGstin::gstin).and_then(|gstin| parties::is_sez(sheet, gstin)) == Some(true)
    };
    let is_zone = zone(&request.from_gstin) || zone(&request.to_gstin);
    Some(if is_zone { TaxKind::Zone } else { TaxKind::Intra })
}

fn charged(rate: &Field<Rate>) -> Option<Rate> {
    rate.get().filter(|rate| !rate.is_zero())
}

fn equal_rates(sheet: &mut Sheet<'_>) {
    for (index, line) in sheet.request.item_list.iter().enumerate() {
        let rate = |field: &Field<Rate>| field.get().unwrap_or(Rate::ZERO);
        let (cgst, sgst) = (rate(&line.cgst_rate), rate(&line.sgst_rate));
        if cgst != sgst {
            let message = format!("the CGST rate is {cgst} and the SGST rate {sgst}");
            let fix = "Give half of the whole rate as each of the two.";
            sheet.wrong(&rules::RATES_EQUAL, item(index, "sgstRate"), sgst, message, cgst, fix);
        }
    }
}

fn rates(sheet: &mut Sheet<'_>, kind: TaxKind) {
    for (index, line) in sheet.request.item_list.iter().enumerate() {
        let EwbItem { igst_rate, cgst_rate, sgst_rate, .. } = line;
        match kind {
            TaxKind::Intra => {
                let Some(rate) = charged(igst_rate) else { continue };
                let message = "an item of a movement within one state has an IGST rate";
                let fix = "Give CGST and SGST rates, half of it each; or correct the states.";
                sheet.wrong(&rules::RATES_INTRA, item(index, "igstRate"), rate, message, "0", fix);
            }
            TaxKind::Inter | TaxKind::Zone => {
                let (member, rate) = match (charged(cgst_rate), charged(sgst_rate)) {
                    (Some(rate), _) => ("cgstRate", rate),
                    (None, Some(rate)) => ("sgstRate", rate),
                    (None, None) => continue,
                };
                let (rule, message) = if kind == TaxKind::Zone {
                    (&rules::RATES_SEZ, "a party is in a special economic zone, and an item has CGST and SGST rates")
                } else {
                    (&rules::RATES_INTER, "an item of a movement between states has CGST and SGST rates")
                };
                let fix = "Give the whole rate as IGST rate; or correct the states.";
                sheet.wrong(rule, item(index, member), rate, message, "0", fix);
            }
        }
    }
}

fn values(sheet: &mut Sheet<'_>, kind: TaxKind) {
    let request = sheet.request;
    let charged = |amount: &Field<Amount>| amount.get().filter(|amount| amount.paise() > 0);
    if kind == TaxKind::Intra {
        if let Some(igst) = charged(&request.igst_value) {
            let message = "a movement within one state has IGST";
            let fix = "Give CGST and SGST, or correct the states.";
            sheet.wrong(&rules::IGST_INTRA, "igstValue", igst, message, "0", fix);
        }
        return;
    }
    for (path, amount) in [("cgstValue", &request.cgst_value), ("sgstValue", &request.sgst_value)] {
        if let Some(amount) = charged(amount) {
            let message = "a movement between states has CGST or SGST";
            sheet.wrong(&rules::CGST_INTER, path, amount, message, "0", "Give IGST, or correct the states.");
        }
    }
}

fn negatives(sheet: &mut Sheet<'_>) {
    let request = sheet.request;
    let values: [(&str, &Field<Amount>, &Rule); 7] = [
        ("totalValue", &request.total_value, &rules::TAXABLE_NEGATIVE),
        ("totInvValue", &request.tot_inv_value, &rules::TOTAL_NEGATIVE),
        ("igstValue", &request.igst_value, &rules::IGST_NEGATIVE),
        ("cgstValue", &request.cgst_value, &rules::CGST_NEGATIVE),
        ("sgstValue", &request.sgst_value, &rules::SGST_NEGATIVE),
        ("cessValue", &request.cess_value, &rules::CESS_NEGATIVE),
        ("cessNonAdvolValue", &request.cess_non_advol_value, &rules::CESS_QUANTITY_NEGATIVE),
    ];
    let items = request.item_list.iter().enumerate();
    let items = items.map(|(index, line)| (item(index, "taxableAmount"), &line.taxable_amount));
    let values = values.into_iter().map(|(path, amount, rule)| (path.to_owned(), amount, rule));
    for (path, amount, rule) in values.chain(items.map(|(path, amount)| (path, amount, &rules::TAXABLE_NEGATIVE))) {
        if let Some(amount) = amount.get().filter(|amount| amount.is_negative()) {
            let fix = "Give the value without sign: the kind of movement says that it is a return.";
            sheet.wrong(rule, path, amount, "the value is below nought", "0 or more", fix);
        }
    }
}

fn totals(sheet: &mut Sheet<'_>) {
    let request = sheet.request;
    let taxable: Option<Vec<Amount>> = request.item_list.iter().map(|line| line.taxable_amount.get()).collect();
    let sum = taxable.and_then(Amount::checked_sum);
    if let (Some(total), Some(sum)) = (request.total_value.get(), sum)
        && total != sum
    {
        let message = format!("totalValue is {total}, and the taxable values of the items add up to {sum}");
        sheet.wrong(&rules::SUM, "totalValue", total, message, sum, "Correct the total or the items.");
    }
    let (Some(total), Some(taxable)) = (request.tot_inv_value.get(), request.total_value.get().or(sum)) else { return };
    let or_nought = |amount: &Field<Amount>| amount.get().unwrap_or(Amount::ZERO);
    // A discount after tax or a rounding below nought stands in otherValue and lowers the total rightly.
    let discount = or_nought(&request.other_value).min(Amount::ZERO);
    let parts = [
        taxable,
        or_nought(&request.cgst_value),
        or_nought(&request.sgst_value),
        or_nought(&request.igst_value),
        or_nought(&request.cess_value),
        or_nought(&request.cess_non_advol_value),
        discount,
    ];
    if let Some(least) = Amount::checked_sum(parts).filter(|least| total < *least) {
        let message = format!("totInvValue is {total}, and taxable value and taxes add up to {least}");
        let fix = "Give the total with all taxes; put what lowers it into otherValue, below nought.";
        sheet.wrong(&rules::TOTAL_LOW, "totInvValue", total, message, format!("{least} or more"), fix);
    }
}
