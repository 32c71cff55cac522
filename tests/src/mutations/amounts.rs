//! Faults of items, of the kind and amount of tax, and of totals.

use einvoice_core::document::{Field, Item, SupplyType, YesNo};
use einvoice_core::number::{Amount, Rate};

use super::{Case, Mutation, fault, hsn, more, when};
use crate::invoices::lists::LISTS;

/// Goods that no special rule holds for.
fn is_plain(item: &Item) -> bool {
    let special = |code| LISTS.retail.contains(&code) || LISTS.bricks.contains(&code);
    item.is_servc.get() == Some(YesNo::No) && !item.hsn_cd.get().is_some_and(special)
}

/// An item of 100 rupees or more at 18 per cent, taxed on the price it is sold at.
fn is_at_18(item: &Item) -> bool {
    let at_18 = item.gst_rt.get() == Some(Rate::from_thousandths(18_000));
    at_18 && is_large(item) && !item.hsn_cd.get().is_some_and(|code| LISTS.retail.contains(&code))
}

fn is_large(item: &Item) -> bool {
    item.ass_amt.get().is_some_and(|taxable| taxable.paise() >= 10_000)
}

/// Ten per cent more.
fn dearer(rate: &mut Field<Rate>) {
    *rate = Rate::from_thousandths(rate.get().map_or(0, Rate::thousandths) + 10_000).into();
}

fn rate(item: &mut Item, thousandths: i64) {
    item.gst_rt = Rate::from_thousandths(thousandths).into();
}

const RATED: &[&str] = &["tax.igst_amount", "tax.cgst_amount", "tax.cgst_missing"];

pub(super) const ITEMS: &[Mutation] = &[
    fault("two items have one serial number", "items.sl_no", "2233", &[], |case, _| {
        let serial = case.invoice.item_list.first()?.sl_no.clone();
        case.invoice.item_list.get_mut(1)?.sl_no = serial;
        Some(())
    }),
    fault("goods have no quantity", "items.qty", "2238", &[], |case, _| {
        case.first(|item| item.is_servc.get() == Some(YesNo::No))?.qty = Field::Absent;
        Some(())
    }),
    fault("goods have no unit", "items.unit", "2239", &[], |case, _| {
        case.first(|item| item.is_servc.get() == Some(YesNo::No))?.unit = Field::Absent;
        Some(())
    }),
    fault("a unit is not in the master", "items.unit_known", "2177", &[], |case, draw| {
        case.item(draw)?.unit = "PIECES".into();
        Some(())
    }),
    fault("goods are called a service", "items.service", "", &["ewb.goods"], |case, _| {
        case.first(|item| item.is_servc.get() == Some(YesNo::No))?.is_servc = YesNo::Yes.into();
        Some(())
    }),
    fault("a service is called goods", "items.service", "", &["items.qty", "items.unit"], |case, _| {
        case.first(|item| item.is_servc.get() == Some(YesNo::Yes))?.is_servc = YesNo::No.into();
        Some(())
    }),
    fault("an HSN is not in the master", "items.hsn", "2176", &[], |case, _| {
        case.first(is_plain)?.hsn_cd = hsn("853099");
        Some(())
    }),
    fault("an HSN is in one list only", "items.hsn_doubtful", "2176", &[], |case, draw| {
        case.first(is_plain)?.hsn_cd = draw.pick(&LISTS.doubtful).into();
        Some(())
    }),
    fault("a supplier above 5 crore gives four digits", "items.hsn_length", "", &[], |case, _| {
        case.settings.turnover_crore = Some(6);
        case.first(is_plain)?.hsn_cd = hsn("8504");
        Some(())
    }),
    fault("the country of origin is not in the master", "items.country", "2202", &[], |case, draw| {
        case.item(draw)?.org_cntry = "XX".into();
        Some(())
    }),
    fault("an invoice has a rate of 17 per cent", "items.rate", "2240", RATED, |case, draw| {
        when(!case.is_note())?;
        rate(case.item(draw)?, 17_000);
        Some(())
    }),
    fault("an invoice has the withdrawn rate of a half", "items.rate", "2240", RATED, |case, draw| {
        when(!case.is_note())?;
        rate(case.item(draw)?, 500);
        Some(())
    }),
    fault("an invoice of today has 28 per cent", "items.rate_ended", "2240", RATED, |case, _| {
        when(!case.is_note())?;
        rate(case.first(is_plain)?, 28_000);
        Some(())
    }),
    fault("the gross amount is not the product", "items.tot_amt", "2192", &[], |case, _| {
        let item = case.first(|item| item.qty.get().is_some_and(|quantity| !quantity.is_zero()))?;
        more(&mut item.tot_amt);
        // The discount goes with it, so that the taxable value stays right.
        more(&mut item.discount);
        Some(())
    }),
    fault("the taxable value is not the difference", "items.ass_amt", "2193", &[], |case, draw| {
        more(&mut case.item(draw)?.discount);
        Some(())
    }),
    fault("the cess is not of the rate", "items.ces_amt", "2266", &[], |case, _| {
        when(!case.is_note() && !case.is_without_payment())?;
        dearer(&mut case.first(is_large)?.ces_rt);
        Some(())
    }),
    fault("the state cess is not of the rate", "items.state_ces_amt", "2267", &[], |case, _| {
        when(!case.is_note() && !case.is_without_payment())?;
        dearer(&mut case.first(is_large)?.state_ces_rt);
        Some(())
    }),
    fault("the item's value is not the sum", "items.tot_item_val", "2194", &[], |case, _| {
        when(!tax_optional(case))?;
        more(&mut case.first(is_plain)?.oth_chrg);
        Some(())
    }),
    fault("the item's value has a rupee or four too many", "items.tot_item_val", "2194", TOTAL, |case, _| {
        when(!tax_optional(case))?;
        more(&mut case.first(is_plain)?.tot_item_val);
        Some(())
    }),
];

const TOTAL: &[&str] = &["totals.tot_inv_val", "totals.discount"];

/// Whether an item's value may leave out the taxes.
fn tax_optional(case: &Case) -> bool {
    case.invoice.tran_dtls.reg_rev.get() == Some(YesNo::Yes) || case.supply() == Some(SupplyType::ExportWithPayment)
}

fn with_cgst(case: &mut Case) -> Option<()> {
    let item = case.invoice.item_list.first_mut()?;
    more(&mut item.cgst_amt);
    Some(())
}

const CGST: &[&str] = &["items.tot_item_val", "totals.cgst_val", "totals.sgst_val", "tax.cgst_amount"];

pub(super) const TAX: &[Mutation] = &[
    fault(
        "an intra-state supply has IGST",
        "tax.igst_in_intra",
        "2172",
        &["items.tot_item_val", "totals.igst_val"],
        |case, draw| {
            when(case.is_intra())?;
            more(&mut case.item(draw)?.igst_amt);
            Some(())
        },
    ),
    fault("an inter-state supply has CGST", "tax.cgst_in_inter", "2174", CGST, |case, _| {
        when(!case.is_intra() && !case.is_export() && !case.is_sez())?;
        with_cgst(case)
    }),
    fault("an export has CGST", "tax.cgst_in_export", "2180", CGST, |case, _| {
        when(case.is_export())?;
        with_cgst(case)
    }),
    fault("a supply to an SEZ has CGST", "tax.cgst_in_sez", "2237", CGST, |case, _| {
        when(case.is_sez())?;
        with_cgst(case)
    }),
    fault("a taxed intra-state supply has no tax", "tax.cgst_missing", "2241", CGST, |case, _| {
        when(case.is_intra())?;
        let item = case.first(is_at_18)?;
        (item.cgst_amt, item.sgst_amt) = (Field::Absent, Field::Absent);
        Some(())
    }),
    fault("CGST and SGST differ", "tax.cgst_unequal", "2227", CGST, |case, draw| {
        when(case.is_intra())?;
        more(&mut case.item(draw)?.sgst_amt);
        Some(())
    }),
    fault("CGST and SGST are of another rate", "tax.cgst_amount", "2234", &[], |case, _| {
        when(case.is_intra() && !case.is_note())?;
        rate(case.first(is_at_18)?, 5_000);
        Some(())
    }),
    fault("IGST is of another rate", "tax.igst_amount", "2235", &[], |case, _| {
        when(!case.is_intra() && !case.is_note())?;
        when(!case.is_without_payment())?;
        rate(case.first(is_at_18)?, 5_000);
        Some(())
    }),
    fault(
        "a little IGST is charged where none is due",
        "tax.igst_amount",
        "2235",
        &["tax.igst_without_payment", "items.tot_item_val", "totals.igst_val"],
        |case, _| {
            when(!case.is_note() && case.is_without_payment())?;
            more(&mut case.first(is_at_18)?.igst_amt);
            Some(())
        },
    ),
    fault(
        "IGST is charged where none is due",
        "tax.igst_without_payment",
        "",
        &["tax.igst_amount", "items.tot_item_val", "totals.igst_val"],
        |case, draw| {
            when(case.is_without_payment())?;
            more(&mut case.item(draw)?.igst_amt);
            Some(())
        },
    ),
];

pub(super) const TOTALS: &[Mutation] = &[
    fault("the taxable total is not the sum", "totals.ass_val", "2182", &[], |case, _| {
        more(&mut case.invoice.val_dtls.ass_val);
        Some(())
    }),
    fault("the SGST total is not the sum", "totals.sgst_val", "2183", &[], |case, _| {
        more(&mut case.invoice.val_dtls.sgst_val);
        Some(())
    }),
    fault("the CGST total is not the sum", "totals.cgst_val", "2184", &[], |case, _| {
        more(&mut case.invoice.val_dtls.cgst_val);
        Some(())
    }),
    fault("the IGST total is not the sum", "totals.igst_val", "2185", &[], |case, _| {
        more(&mut case.invoice.val_dtls.igst_val);
        Some(())
    }),
    fault("the cess total is not the sum", "totals.ces_val", "2186", &[], |case, _| {
        more(&mut case.invoice.val_dtls.ces_val);
        Some(())
    }),
    fault("the state cess total is not the sum", "totals.st_ces_val", "2187", &[], |case, _| {
        more(&mut case.invoice.val_dtls.st_ces_val);
        Some(())
    }),
    fault("the discount is the whole value", "totals.discount", "2220", &["totals.tot_inv_val"], |case, _| {
        let values = case.invoice.item_list.iter().filter_map(|item| item.tot_item_val.get());
        let all = Amount::checked_sum(values).filter(|all| !all.is_zero())?;
        case.invoice.val_dtls.discount = all.into();
        Some(())
    }),
    fault("the document value is not the sum", "totals.tot_inv_val", "2189", &[], |case, _| {
        more(&mut case.invoice.val_dtls.tot_inv_val);
        Some(())
    }),
];
