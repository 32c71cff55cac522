//! Items: serial numbers, quantities, codes, rates, and the amounts that do not depend on the kind of tax.

use std::collections::HashSet;

use jiff::civil::{Date, date};

use crate::document::{Field, Invoice, Item, SupplyType, YesNo};
use crate::finding::Finding;
use crate::identifier::HsnCode;
use crate::key::DocumentType;
use crate::masters::{HsnLists, Kind};
use crate::number::{Amount, Rate};

use super::arithmetic::{accepts, bounds, or_zero, rupees, sum};
use super::codes::unlisted;
use super::{Rule, Sheet, table};

/// Turnover in crore rupees above which codes need six digits (notification 78/2020).
const SIX_DIGIT_TURNOVER: u32 = 5;

pub(super) fn check(sheet: &mut Sheet<'_>) {
    let invoice = sheet.invoice;
    let facts = Facts::of(sheet);
    let mut serials = Serials::default();
    for (index, item) in invoice.item_list.iter().enumerate() {
        if let Some(serial) = item.sl_no.as_ref().filter(|serial| !serials.insert(serial, index, invoice)) {
            sheet.push(
                table::SL_NO
                    .finding(path(index, "SlNo"), format!("serial number {serial} stands on more than one item"))
                    .with_found(serial)
                    .with_expected("a number no other item has")
                    .with_fix("Number the items 1, 2, 3 and so on."),
            );
        }
        goods_or_service(sheet, index, item);
        codes(sheet, index, item, &facts);
        rate(sheet, index, item, &facts);
        amounts(sheet, index, item, &facts);
    }
}

/// What is the same for all items of a document.
struct Facts {
    /// Credit or debit note: neither rate nor tax is held against the rate (GSTN advisory).
    note: bool,
    date: Option<Date>,
    /// Codes of four digits are too short.
    six_digits: bool,
    /// `TotItemVal` may include the taxes or leave them out.
    tax_optional: bool,
    supply: Option<SupplyType>,
}

impl Facts {
    fn of(sheet: &Sheet<'_>) -> Self {
        let invoice = sheet.invoice;
        let supply = invoice.tran_dtls.sup_typ.get();
        let supplier = invoice.seller_dtls.gstin.get();
        let turnover = supplier.and_then(|supplier| sheet.options.settings.turnover_of(supplier));
        Self {
            note: is_note(invoice),
            date: invoice.doc_dtls.dt.get().map(crate::date::DocumentDate::date),
            six_digits: turnover.is_some_and(|crore| crore > SIX_DIGIT_TURNOVER),
            tax_optional: invoice.tran_dtls.reg_rev.get() == Some(YesNo::Yes)
                || supply == Some(SupplyType::ExportWithPayment),
            supply,
        }
    }
}

/// The serial numbers met so far. Nearly all documents number their items upwards, and what only rises has no number
/// twice; the first that does not rise has all before it hashed.
#[derive(Default)]
struct Serials<'a> {
    highest: &'a str,
    known: Option<HashSet<&'a str>>,
}

impl<'a> Serials<'a> {
    /// False when the number was there before.
    fn insert(&mut self, serial: &'a str, index: usize, invoice: &'a Invoice) -> bool {
        if let Some(known) = &mut self.known {
            return known.insert(serial);
        }
        if (self.highest.len(), self.highest) < (serial.len(), serial) {
            self.highest = serial;
            return true;
        }
        let before = invoice.item_list.iter().take(index).filter_map(|item| item.sl_no.as_ref());
        let mut known: HashSet<&str> = before.map(|serial| &**serial).collect();
        let new = known.insert(serial);
        self.known = Some(known);
        new
    }
}

/// `ItemList[0].Name`.
pub(super) fn path(index: usize, name: &str) -> String {
    format!("ItemList[{index}].{name}")
}

/// A finding that a calculated value and the passed one differ by more than the tolerance.
///
/// `because` says how the calculated value comes about, in numbers where they help: `40,755.00 at 18% gives`.
pub(super) fn differs(rule: &Rule, path: String, because: &str, calculated: Amount, passed: Amount) -> Finding {
    let name = path.rsplit('.').next().unwrap_or_default().to_owned();
    let (low, high) = bounds(calculated);
    let message = format!(
        "{name} {} where {because} {}; the portal accepts {} to {}",
        rupees(passed),
        rupees(calculated),
        rupees(low),
        rupees(high)
    );
    rule.finding(path, message)
        .with_found(passed)
        .with_expected(calculated)
        .with_fix(format!("Make {name} {}, or correct the values it is computed from.", rupees(calculated)))
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

/// HSN or SAC, unit and country against the masters.
fn codes(sheet: &mut Sheet<'_>, index: usize, item: &Item, facts: &Facts) {
    let masters = sheet.options.masters();
    if let Some(code) = item.hsn_cd.get() {
        hsn(sheet, index, code, facts);
    }
    if let Some(unit) = item.unit.as_ref() {
        let lookup = masters.unit(unit);
        if !lookup.is_listed() {
            let what = format_args!("unit {}", &**unit);
            if let Some(finding) = unlisted(&table::UNIT_KNOWN, path(index, "Unit"), Kind::Uqc, &what, &lookup) {
                sheet.push(finding.with_found(unit));
            }
        }
    }
    if let Some(country) = item.org_cntry.as_ref() {
        let lookup = masters.country(country);
        if !lookup.is_listed() {
            let what = format_args!("country code {}", &**country);
            if let Some(finding) = unlisted(&table::ORIGIN, path(index, "OrgCntry"), Kind::Country, &what, &lookup) {
                sheet.push(finding.with_found(country));
            }
        }
    }
}

fn hsn(sheet: &mut Sheet<'_>, index: usize, code: HsnCode, facts: &Facts) {
    let lookup = sheet.options.masters().hsn(code);
    match lookup.listed().map(|listed| listed.lists) {
        Some(HsnLists::Both) => {}
        Some(lists) => {
            let why = if lists == HsnLists::GstOnly {
                "is in the GST portal's list and not in the e-invoice portal's as republished"
            } else {
                "is in the GST portal's list, and the e-invoice portal has refused it"
            };
            sheet.push(
                table::HSN_DOUBTFUL
                    .finding(path(index, "HsnCd"), format!("code {code} {why}"))
                    .with_found(code)
                    .with_expected("a code of both lists")
                    .with_fix("Give a code with more digits, if the goods have one."),
            );
        }
        None => {
            let what = format_args!("HSN or SAC {code}");
            if let Some(finding) = unlisted(&table::HSN, path(index, "HsnCd"), Kind::Hsn, &what, &lookup) {
                sheet.push(finding.with_found(code));
            }
        }
    }
    if facts.six_digits && code.digits() < 6 {
        sheet.push(
            table::HSN_LENGTH
                .finding(
                    path(index, "HsnCd"),
                    format!("code {code} has {} digits, and the supplier's turnover is above 5 crore", code.digits()),
                )
                .with_found(code)
                .with_expected("6 or 8 digits")
                .with_fix("Give at least six digits; `einvoice masters show hsn` lists the codes below a heading."),
        );
    }
}

fn rate(sheet: &mut Sheet<'_>, index: usize, item: &Item, facts: &Facts) {
    if facts.note {
        return;
    }
    let Some(rate) = item.gst_rt.get() else {
        return;
    };
    let Some(span) = sheet.options.masters().rate(rate).listed() else {
        let allowed: Vec<_> = sheet.options.masters().rates().map(|span| span.rate.to_string()).collect();
        sheet.push(
            table::RATE
                .finding(path(index, "GstRt"), format!("{rate} per cent is no GST rate"))
                .with_found(rate)
                .with_expected(format!("one of {}", allowed.join(", ")))
                .with_fix("Give the IGST rate, or the sum of the CGST and SGST rates."),
        );
        return;
    };
    let Some(day) = facts.date else { return };
    if is_general(rate, day) || keeps_rate(rate, item.hsn_cd.get(), day) {
        return;
    }
    let date = crate::date::DocumentDate::from(day);
    let (what, when) = if day < REFORM { ("began", "before") } else { ("ended", "on or after") };
    sheet.push(
        table::RATE_ENDED
            .finding(
                path(index, "GstRt"),
                format!("{rate} per cent {what} as a general rate on 22/09/2025, and the document is of {date}"),
            )
            .with_found(rate)
            .with_expected(format!("a rate of that day ({})", span.remark))
            .with_fix(format!("Check the rate; some goods have special rates {when} that day.")),
    );
}

/// First day of the rates of the 56th Council.
const REFORM: Date = date(2025, 9, 22);
/// First day on which tobacco and pan masala bear 40 per cent, on their retail sale price.
const TOBACCO: Date = date(2026, 2, 1);

/// 12 and 28 per cent ended as general rates when 40 began; all others hold on any day.
fn is_general(rate: Rate, day: Date) -> bool {
    match rate.thousandths() {
        12_000 | 28_000 => day < REFORM,
        40_000 => day >= REFORM,
        _ => true,
    }
}

/// Goods that kept their rate beyond the day on which it ended in general: tobacco and pan masala until the end of
/// January 2026, bricks with input credit (headings 6815, 6901, 6904, 6905).
fn keeps_rate(rate: Rate, code: Option<HsnCode>, day: Date) -> bool {
    let Some(code) = code else { return false };
    match rate.thousandths() {
        28_000 => day < TOBACCO && (is_tobacco(code) || BIDIS.contains(&code.number())),
        12_000 => matches!(code.heading(), 6815 | 6901 | 6904 | 6905),
        _ => false,
    }
}

/// Bidis, which are tobacco and yet not taxed on their retail sale price.
const BIDIS: [u32; 2] = [24_031_921, 24_031_929];

/// Goods taxed on their retail sale price from 1 February 2026 (GSTN advisory): pan masala, and tobacco but for bidis.
fn is_tobacco(code: HsnCode) -> bool {
    (matches!(code.heading(), 2401..=2403) && !BIDIS.contains(&code.number()))
        // A subheading of six digits that has no other goods than these is the same.
        || matches!(code.number(), 21_069_020 | 24_041_100 | 24_041_900 | 240_411 | 240_419)
}

/// True where the tax is not held against the taxable value, as it is that of the retail sale price. The item's value
/// is the net sale value and that tax, and so foots as any other.
pub(super) fn is_taxed_on_retail_price(invoice: &Invoice, code: HsnCode) -> bool {
    is_tobacco(code) && invoice.doc_dtls.dt.get().is_some_and(|date| date.date() >= TOBACCO)
}

pub(super) fn is_note(invoice: &Invoice) -> bool {
    matches!(invoice.doc_dtls.typ.get(), Some(DocumentType::CreditNote | DocumentType::DebitNote))
}

fn amounts(sheet: &mut Sheet<'_>, index: usize, item: &Item, facts: &Facts) {
    let (gross, taxable) = (item.tot_amt.get(), item.ass_amt.get());
    // Debit notes with quantity nought and an amount are sent by a large accounting program.
    let quantity = item.qty.get().filter(|quantity| !quantity.is_zero());
    let product = quantity.zip(item.unit_price.get()).and_then(|(quantity, price)| quantity.times(price));
    compare(sheet, &table::TOT_AMT, (index, "TotAmt"), product, gross, || {
        let quantity = quantity.unwrap_or_default();
        format!("{quantity} at a price of {} gives", item.unit_price.get().unwrap_or_default())
    });
    let discount = or_zero(&item.discount);
    let net = gross.zip(discount).and_then(|(gross, discount)| gross.checked_sub(discount));
    compare(sheet, &table::ASS_AMT, (index, "AssAmt"), net, taxable, || {
        let (gross, discount) = (gross.unwrap_or_default(), discount.unwrap_or_default());
        format!("{} less a discount of {} gives", rupees(gross), rupees(discount))
    });
    if !facts.note {
        // Without payment of tax a cess may have a rate and no amount, as IGST may.
        let untaxed = facts.supply.is_some_and(SupplyType::is_without_payment);
        for (rule, name, rate, passed) in [
            (&table::CESS, "CesAmt", &item.ces_rt, &item.ces_amt),
            (&table::STATE_CESS, "StateCesAmt", &item.state_ces_rt, &item.state_ces_amt),
        ] {
            if !untaxed || or_zero(passed) != Some(Amount::ZERO) {
                cess(sheet, rule, (index, name), taxable, rate, passed);
            }
        }
    }
    item_value(sheet, index, item, facts);
}

fn cess(
    sheet: &mut Sheet<'_>,
    rule: &Rule,
    place: (usize, &str),
    taxable: Option<Amount>,
    rate: &Field<Rate>,
    passed: &Field<Amount>,
) {
    let Some((rate, taxable)) = rate.get().zip(taxable) else { return };
    compare(sheet, rule, place, rate.of(taxable), or_zero(passed), || of_rate(taxable, rate));
}

/// `40,755.00 at 18% gives`.
pub(super) fn of_rate(taxable: Amount, rate: Rate) -> String {
    format!("{} at {rate}% gives", rupees(taxable))
}

fn item_value(sheet: &mut Sheet<'_>, index: usize, item: &Item, facts: &Facts) {
    let Some(taxable) = item.ass_amt.get() else { return };
    let taxes = sum([
        &item.igst_amt,
        &item.cgst_amt,
        &item.sgst_amt,
        &item.ces_amt,
        &item.ces_non_advl_amt,
        &item.state_ces_amt,
        &item.state_ces_non_advl_amt,
    ]);
    let charges = or_zero(&item.oth_chrg);
    let untaxed = charges.and_then(|charges| charges.checked_add(taxable));
    let passed = item.tot_item_val.get();
    // Reverse charge and exports with payment: the total may include or leave out the taxes (list of validations).
    if facts.tax_optional && untaxed.zip(passed).is_some_and(|(untaxed, passed)| accepts(untaxed, passed)) {
        return;
    }
    let whole = untaxed.zip(taxes).and_then(|(untaxed, taxes)| untaxed.checked_add(taxes));
    compare(sheet, &table::TOT_ITEM_VAL, (index, "TotItemVal"), whole, passed, || {
        let (taxes, charges) = (taxes.unwrap_or_default(), charges.unwrap_or_default());
        format!("{} with taxes of {} and charges of {} gives", rupees(taxable), rupees(taxes), rupees(charges))
    });
}

/// Reports a passed value outside the tolerance of the calculated one. `because` is asked only then.
pub(super) fn compare(
    sheet: &mut Sheet<'_>,
    rule: &Rule,
    (index, name): (usize, &str),
    calculated: Option<Amount>,
    passed: Option<Amount>,
    because: impl FnOnce() -> String,
) {
    if let (Some(calculated), Some(passed)) = (calculated, passed)
        && !accepts(calculated, passed)
    {
        sheet.push(differs(rule, path(index, name), &because(), calculated, passed));
    }
}
