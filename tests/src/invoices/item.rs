//! Drawn items: every member right, amounts exact or anywhere within the portal's tolerance.
//!
//! The arithmetic is this module's own, in paise and thousandths, so that it does not agree with the rulebook's by
//! construction.

use einvoice_core::document::{AttribDtls, BchDtls, Field, Item, YesNo};
use einvoice_core::number::{Amount, Quantity, Rate, UnitPrice};

use super::draw::Draw;
use super::lists::LISTS;
use super::{day_between, text};

/// What of the document decides about its items.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::struct_excessive_bools, reason = "independent facts, each a yes or no")]
pub(super) struct Context {
    /// IGST is charged, or else CGST and SGST.
    pub(super) igst: bool,
    /// No tax is charged, whatever the rate.
    pub(super) untaxed: bool,
    /// A credit or debit note, whose rates and taxes are not held against each other.
    pub(super) note: bool,
    /// The item's value may leave the taxes out.
    pub(super) tax_optional: bool,
    /// An e-way bill is asked for, so that the first item is goods.
    pub(super) goods_first: bool,
}

/// Rates of an invoice of November 2026, in thousandths of a per cent.
const RATES: [i64; 10] = [18_000, 5_000, 0, 100, 250, 1_000, 1_500, 3_000, 7_500, 40_000];

pub(super) fn item(draw: &mut Draw<'_>, serial: usize, context: Context) -> Item {
    let mut item = Item { sl_no: serial.to_string().into(), ..Item::default() };
    let service = !(context.goods_first && serial == 1) && draw.once_in(3);
    item.is_servc = YesNo::from(service).into();
    let (mut rate, mut retail) = (draw.pick(&RATES), false);
    item.hsn_cd = Field::Value(match draw.below(16) {
        _ if service => draw.pick(&LISTS.services),
        14 => {
            rate = 12_000;
            draw.pick(&LISTS.bricks)
        }
        15 => {
            retail = true;
            draw.pick(&LISTS.retail)
        }
        _ => draw.pick(&LISTS.goods),
    });
    if context.note && draw.flag() {
        rate = draw.number(0, 300_000);
    }
    item.gst_rt = Rate::from_thousandths(rate).into();
    let gross = measure(draw, &mut item, service, context.note);
    let discount = if draw.once_in(3) { draw.number(0, gross) } else { 0 };
    item.discount = optional(draw, discount);
    let taxable = near(draw, gross - discount);
    item.ass_amt = paise(taxable);
    let taxes = tax(draw, &mut item, rate, taxable, retail, context) + cesses(draw, &mut item, taxable, context.note);
    let charges = if draw.once_in(5) { draw.number(0, 1_000_000) } else { 0 };
    item.oth_chrg = optional(draw, charges);
    let value = if context.tax_optional && draw.flag() { taxable + charges } else { taxable + charges + taxes };
    item.tot_item_val = paise(near(draw, value));
    extras(draw, &mut item);
    item
}

/// Quantity, unit, price and gross amount.
fn measure(draw: &mut Draw<'_>, item: &mut Item, service: bool, note: bool) -> i64 {
    let measured = !service || draw.flag();
    let (quantity, price) = match draw.below(8) {
        // An amount near the largest the form has room for, cesses included.
        7 => (1_000, draw.number(1, 50_000_000_000_000)),
        6 => (draw.number(0, 999_999), draw.number(0, 999_999)),
        _ => (draw.number(1, 20) * 1_000, draw.number(1, 5_000_000)),
    };
    item.unit_price = UnitPrice::from_thousandths(price).into();
    if !measured {
        let gross = draw.number(0, 100_000_000);
        item.tot_amt = paise(gross);
        return gross;
    }
    // A note may state an amount for no quantity.
    let unmeasured = note && draw.once_in(4);
    item.qty = Quantity::from_thousandths(if unmeasured { 0 } else { quantity }).into();
    let unit = draw.pick(&LISTS.units);
    item.unit = if draw.once_in(8) { unit.to_ascii_lowercase().into() } else { unit.into() };
    let gross = if unmeasured || quantity == 0 {
        draw.number(0, 100_000_000)
    } else {
        let exact = share(quantity, price, 10_000);
        near(draw, exact)
    };
    item.tot_amt = paise(gross);
    gross
}

fn tax(draw: &mut Draw<'_>, item: &mut Item, rate: i64, taxable: i64, retail: bool, context: Context) -> i64 {
    if context.untaxed {
        item.igst_amt = optional(draw, 0);
        return 0;
    }
    // Notes state what tax they correct; some goods are taxed on another price than that of the sale.
    let free = (context.note || retail) && draw.flag();
    let amount = |draw: &mut Draw<'_>, exact: i64| match (exact, free) {
        (_, true) => draw.number(0, 10_000_000),
        (0, false) => 0,
        _ => near(draw, exact),
    };
    if context.igst {
        let igst = amount(draw, share(taxable, rate, 100_000));
        item.igst_amt = if igst == 0 { optional(draw, 0) } else { paise(igst) };
        return igst;
    }
    let half = amount(draw, share(taxable, rate, 200_000));
    item.cgst_amt = paise(half);
    item.sgst_amt = paise(half);
    item.igst_amt = optional(draw, 0);
    half * 2
}

/// Compensation cess and state cess, by rate and by the unit.
fn cesses(draw: &mut Draw<'_>, item: &mut Item, taxable: i64, note: bool) -> i64 {
    let mut all = 0;
    for state in [false, true] {
        let (mut rate, mut amount, mut specific) = (Field::Absent, 0, 0);
        if draw.once_in(6) {
            let per_cent = draw.number(0, 200_000);
            rate = Rate::from_thousandths(per_cent).into();
            amount = if note { draw.number(0, 1_000_000) } else { near(draw, share(taxable, per_cent, 100_000)) };
        }
        if draw.once_in(6) {
            specific = draw.number(0, 1_000_000);
        }
        let (amount_field, specific_field) = (optional(draw, amount), optional(draw, specific));
        if state {
            (item.state_ces_rt, item.state_ces_amt, item.state_ces_non_advl_amt) = (rate, amount_field, specific_field);
        } else {
            (item.ces_rt, item.ces_amt, item.ces_non_advl_amt) = (rate, amount_field, specific_field);
        }
        all += amount + specific;
    }
    all
}

fn extras(draw: &mut Draw<'_>, item: &mut Item) {
    if draw.flag() {
        item.prd_desc = text(draw, 3, 300);
    }
    if !draw.once_in(4) {
        return;
    }
    item.barcde = text(draw, 3, 30);
    item.free_qty = Quantity::from_thousandths(draw.number(0, 9_999_999_999_999)).into();
    item.pre_tax_val = paise(draw.number(0, 99_999_999_999_999));
    item.ord_line_ref = text(draw, 1, 50);
    item.org_cntry = draw.pick(&LISTS.countries).into();
    item.prd_sl_no = text(draw, 1, 20);
    item.bch_dtls = Some(BchDtls {
        nm: text(draw, 3, 20),
        exp_dt: day_between(draw, (2010, 1, 1), (2029, 12, 31)),
        wr_dt: day_between(draw, (2010, 1, 1), (2029, 12, 31)),
        ..BchDtls::default()
    });
    for _ in 0..draw.below(3) {
        item.attrib_dtls.push(AttribDtls { nm: text(draw, 1, 100), val: text(draw, 1, 100), unknown: Vec::new() });
    }
}

/// `left x right / divisor`, half up.
fn share(left: i64, right: i64, divisor: i64) -> i64 {
    let (product, divisor) = (i128::from(left) * i128::from(right), i128::from(divisor));
    i64::try_from((product + divisor / 2) / divisor).unwrap_or(i64::MAX)
}

/// The calculated value, or one that the portal accepts for it: from the rupee below less one to the rupee above plus
/// one (advisory of September 2020), and never below nought.
pub(super) fn near(draw: &mut Draw<'_>, calculated: i64) -> i64 {
    let (least, most) = (calculated / 100 * 100 - 100, (calculated + 99) / 100 * 100 + 100);
    match draw.below(8) {
        5 => least.max(0),
        6 => most,
        7 => draw.number(least.max(0), most),
        _ => calculated,
    }
}

pub(super) fn paise(paise: i64) -> Field<Amount> {
    Amount::from_paise(paise).into()
}

/// An amount that may stand as nought or be left out where it is nought.
pub(super) fn optional(draw: &mut Draw<'_>, amount: i64) -> Field<Amount> {
    if amount == 0 && !draw.once_in(4) { Field::Absent } else { paise(amount) }
}
