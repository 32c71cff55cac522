//! Items: serial numbers, quantities, codes, rates, and the amounts that do not depend on the kind of tax.

use std::collections::HashSet;

use crate::document::{Field, Invoice, Item, SupplyType, YesNo};
use crate::finding::Finding;
use crate::key::DocumentType;
use crate::number::{Amount, Rate};

use super::arithmetic::{accepts, bounds, or_zero, sum};
use super::{Rule, Sheet, table};

/// Rates an invoice can have, in thousandths of a per cent (list of validations; 40 from the 56th Council).
const RATES: [i64; 13] = [0, 100, 250, 1_000, 1_500, 3_000, 5_000, 6_000, 7_500, 12_000, 18_000, 28_000, 40_000];

pub(super) fn check(sheet: &mut Sheet<'_>) {
    let invoice = sheet.invoice;
    let mut serials = HashSet::with_capacity(invoice.item_list.len());
    for (index, item) in invoice.item_list.iter().enumerate() {
        if let Some(serial) = item.sl_no.as_ref().filter(|serial| !serials.insert(&***serial)) {
            sheet.push(
                table::SL_NO
                    .finding(path(index, "SlNo"), format!("serial number {serial} stands on more than one item"))
                    .with_found(serial)
                    .with_expected("a number no other item has")
                    .with_fix("Number the items 1, 2, 3 and so on."),
            );
        }
        goods_or_service(sheet, index, item);
        rate(sheet, index, item);
        amounts(sheet, index, item);
    }
}

/// `ItemList[0].Name`.
pub(super) fn path(index: usize, name: &str) -> String {
    format!("ItemList[{index}].{name}")
}

/// A finding that a calculated value and the passed one differ by more than the tolerance.
pub(super) fn differs(rule: &Rule, path: String, formula: &str, calculated: Amount, passed: Amount) -> Finding {
    let name = path.rsplit('.').next().unwrap_or_default().to_owned();
    let (low, high) = bounds(calculated);
    rule.finding(path, format!("{name} is {passed}, and {formula} is {calculated}; accepted is {low} to {high}"))
        .with_found(passed)
        .with_expected(calculated)
        .with_fix(format!("Make {name} {calculated}, or correct the values it is computed from ({formula})."))
}

fn goods_or_service(sheet: &mut Sheet<'_>, index: usize, item: &Item) {
    let Some(kind) = item.is_servc.get() else {
        return;
    };
    let service = kind == YesNo::Yes;
    if let Some(code) = item.hsn_cd.get().filter(|code| code.is_service() != service) {
        let (is, should) = if service { ("a service", "begins with 99") } else { ("goods", "does not begin with 99") };
        sheet.push(
            table::SERVICE
                .finding(path(index, "HsnCd"), format!("the item is {is}, and its code is {code}"))
                .with_found(code)
                .with_expected(format!("a code that {should}"))
                .with_fix("Correct the code, or IsServc."),
        );
    }
    for (absent, rule, name) in
        [(item.qty.is_absent(), &table::QUANTITY, "Qty"), (item.unit.is_absent(), &table::UNIT, "Unit")]
    {
        if absent && !service {
            sheet.push(
                rule.finding(path(index, name), format!("{name} is missing, and the item is goods"))
                    .with_expected(if name == "Qty" { "a quantity" } else { "a unit quantity code, for instance NOS" })
                    .with_fix(format!("Give {name}, or set IsServc to Y if the item is a service.")),
            );
        }
    }
}

fn rate(sheet: &mut Sheet<'_>, index: usize, item: &Item) {
    // For credit and debit notes any rate is accepted (GSTN advisory).
    if is_note(sheet.invoice) {
        return;
    }
    let Some(rate) = item.gst_rt.get() else {
        return;
    };
    if !RATES.contains(&rate.thousandths()) {
        let allowed: Vec<_> = RATES.iter().map(|rate| Rate::from_thousandths(*rate).to_string()).collect();
        sheet.push(
            table::RATE
                .finding(path(index, "GstRt"), format!("{rate} per cent is no GST rate"))
                .with_found(rate)
                .with_expected(format!("one of {}", allowed.join(", ")))
                .with_fix("Give the IGST rate, or the sum of the CGST and SGST rates."),
        );
        return;
    }
    let Some(date) = sheet.invoice.doc_dtls.dt.get() else {
        return;
    };
    let reformed = date.date() >= jiff::civil::date(2025, 9, 22);
    let odd = if reformed { [12_000, 28_000].contains(&rate.thousandths()) } else { rate.thousandths() == 40_000 };
    if odd {
        let (what, fix) = if reformed { ("ended", "on or after") } else { ("began", "before") };
        sheet.push(
            table::RATE_ENDED
                .finding(
                    path(index, "GstRt"),
                    format!("{rate} per cent {what} as a general rate on 22/09/2025, and the document is of {date}"),
                )
                .with_found(rate)
                .with_fix(format!("Check the rate; some goods keep special rates {fix} that day.")),
        );
    }
}

pub(super) fn is_note(invoice: &Invoice) -> bool {
    matches!(invoice.doc_dtls.typ.get(), Some(DocumentType::CreditNote | DocumentType::DebitNote))
}

fn amounts(sheet: &mut Sheet<'_>, index: usize, item: &Item) {
    let invoice = sheet.invoice;
    let mut compare = |rule: &Rule, name: &str, formula: &str, calculated: Option<Amount>, passed: Option<Amount>| {
        if let (Some(calculated), Some(passed)) = (calculated, passed)
            && !accepts(calculated, passed)
        {
            sheet.push(differs(rule, path(index, name), formula, calculated, passed));
        }
    };
    let (gross, taxable) = (item.tot_amt.get(), item.ass_amt.get());
    // Debit notes with quantity nought and an amount are sent by a large accounting program.
    let quantity = item.qty.get().filter(|quantity| !quantity.is_zero());
    let product = quantity.zip(item.unit_price.get()).and_then(|(quantity, price)| quantity.times(price));
    compare(&table::TOT_AMT, "TotAmt", "Qty x UnitPrice", product, gross);
    let net = gross.zip(or_zero(&item.discount)).and_then(|(gross, discount)| gross.checked_sub(discount));
    compare(&table::ASS_AMT, "AssAmt", "TotAmt - Discount", net, taxable);
    if !is_note(invoice) {
        let cess = |rate: &Field<Rate>| rate.get().zip(taxable).and_then(|(rate, taxable)| rate.of(taxable));
        compare(&table::CESS, "CesAmt", "AssAmt x CesRt / 100", cess(&item.ces_rt), or_zero(&item.ces_amt));
        let state_cess = (cess(&item.state_ces_rt), or_zero(&item.state_ces_amt));
        compare(&table::STATE_CESS, "StateCesAmt", "AssAmt x StateCesRt / 100", state_cess.0, state_cess.1);
    }
    let whole = sum([
        &item.ass_amt,
        &item.igst_amt,
        &item.cgst_amt,
        &item.sgst_amt,
        &item.ces_amt,
        &item.ces_non_advl_amt,
        &item.state_ces_amt,
        &item.state_ces_non_advl_amt,
        &item.oth_chrg,
    ]);
    let untaxed = sum([&item.ass_amt, &item.oth_chrg]);
    let passed = item.tot_item_val.get();
    // Reverse charge and exports with payment: the total may include or leave out the taxes (list of validations).
    let either = invoice.tran_dtls.reg_rev.get() == Some(YesNo::Yes)
        || invoice.tran_dtls.sup_typ.get() == Some(SupplyType::ExportWithPayment);
    if either && untaxed.zip(passed).is_some_and(|(untaxed, passed)| accepts(untaxed, passed)) {
        return;
    }
    let taxable_given = taxable.is_some();
    compare(
        &table::TOT_ITEM_VAL,
        "TotItemVal",
        "the sum of AssAmt, taxes, cesses and OthChrg",
        whole.filter(|_| taxable_given),
        passed,
    );
}
