//! Items, taxes and totals of a voucher, and the checks that they foot.

use einvoice_core::document::{Field, Item, ValDtls, YesNo};
use einvoice_core::finding::{Finding, Severity};
use einvoice_core::number::Amount;

use super::compute::{Adjustment, Base, Heads, LedgerTax, Problem, Solution, Uneven, solve};
use super::items::{self, Source};
use super::ledgers::{Judged, Kind, judge};
use super::report::{Report, rupees};
use super::voucher::{LedgerLine, Lines, sum};
use super::{Context, extras};
use crate::config::ChargesMode;
use crate::masters::{Rates, rates};
use crate::xml::Element;

/// Items and totals of a document.
#[derive(Debug, Default)]
pub(crate) struct Built<'v> {
    pub(crate) items: Vec<Item>,
    /// The line that each item was made of.
    pub(crate) lines: Vec<&'v Element<'v>>,
    pub(crate) val_dtls: ValDtls,
    pub(crate) tax: LedgerTax,
    pub(crate) all_exempt: bool,
}

/// Builds items and totals.
pub(crate) fn build<'v>(context: &Context<'_>, lines: &Lines<'v>, report: &mut Report) -> Built<'v> {
    let has_items = !lines.items.is_empty();
    let mut sources: Vec<Source<'v>> = lines.items.iter().map(|line| items::of_item(line, context)).collect();
    let mut adjustments = Vec::new();
    let mut tax = LedgerTax::default();
    let mut rounding = Amount::ZERO;
    let mut by_name = Vec::new();
    for line in &lines.ledgers {
        let judged = judge(line, has_items, context.masters, context.settings);
        report.from(format!("ledger {}", line.name), judged.how);
        if judged.by_name {
            by_name.push((line.name, judged));
        }
        match judged.kind {
            Kind::Tax(head) => tax.add(head, line.amount.paise()),
            Kind::RoundOff => rounding = sum([rounding, line.amount]),
            Kind::Sales => sources.push(items::of_ledger(line, context)),
            Kind::Taxable if is_own_line(line, has_items, judged, context) => {
                sources.push(items::of_ledger(line, context));
            }
            kind => adjustments.push(Adjustment {
                name: line.name.to_owned(),
                amount: line.amount.paise(),
                kind,
                guessed: judged.guessed,
            }),
        }
    }
    items::net(&mut sources, report);
    let bases: Vec<Base> = sources.iter().map(|source| source.base.clone()).collect();
    let all_exempt = !bases.is_empty() && bases.iter().all(|base| base.exempt) && tax == LedgerTax::default();
    if all_exempt {
        return Built { all_exempt, ..Built::default() };
    }
    let reverse = extras::reverse_charge(context) == YesNo::Yes;
    let heads = heads(context, &tax, reverse);
    let problem = Problem { bases: &bases, adjustments: &adjustments, tax, heads, tax_elsewhere: reverse };
    let solution = solve(&problem);
    explain(&solution, &by_name, report);
    if let Some(uneven) = solution.uneven {
        report.add(halves_differ(uneven, context));
    }
    let items: Vec<Item> = sources
        .iter()
        .zip(&solution.items)
        .enumerate()
        .map(|(position, (source, taxed))| {
            let mut item = items::to_item(position, source, taxed, context, report);
            let taxes = [taxed.igst, taxed.cgst, taxed.sgst, taxed.cess, taxed.cess_specific, taxed.state_cess];
            // Under reverse charge the recipient pays the tax: it is stated, not billed.
            let billed: i64 = if reverse && tax.gst() == 0 { 0 } else { taxes.iter().sum() };
            item.tot_item_val = Amount::from_paise(taxed.taxable + billed).into();
            item
        })
        .collect();
    check_items(&items, &solution, context, report);
    let val_dtls = totals(&items, &solution, rounding, lines.party, report);
    let lines = sources.iter().map(|source| source.element).collect();
    Built { items, lines, val_dtls, tax, all_exempt }
}

/// Whether a taxable charge becomes a line of its own.
fn is_own_line(line: &LedgerLine<'_>, has_items: bool, judged: Judged, context: &Context<'_>) -> bool {
    if line.amount.is_negative() || judged.guessed {
        return false;
    }
    match context.settings.config.charges {
        ChargesMode::Spread => false,
        ChargesMode::OwnLine => true,
        ChargesMode::Auto => {
            let appropriated = line.element.get("APPROPRIATEFOR").is_some();
            let master = context.masters.ledger(line.name);
            let of_line = rates(line.element) != Rates::default() || line.element.get("GSTHSNNAME").is_some();
            let of_master = master.is_some_and(|ledger| {
                !ledger.appropriate_for_gst
                    && ledger.gst.hsn_on(context.day).is_some()
                    && ledger.gst.rates_on(context.day).is_some()
            });
            !appropriated && (of_line || of_master || !has_items)
        }
    }
}

/// The heads in use are those of the tax ledgers, not of the states; without any, the states decide
/// what should have been charged.
fn heads(context: &Context<'_>, tax: &LedgerTax, reverse: bool) -> Heads {
    if tax.igst != 0 {
        return Heads::Integrated;
    }
    if tax.cgst != 0 || tax.sgst != 0 {
        return Heads::Halves;
    }
    if context.export || context.is_said_to_be("sez") {
        return Heads::None;
    }
    let supply = context.voucher.element.get("PLACEOFSUPPLY").and_then(einvoice_core::spelling::states::code);
    let same = supply.is_some() && supply == context.seller_state();
    if same || !reverse && supply.is_none() { Heads::Halves } else { Heads::Integrated }
}

fn explain(solution: &Solution, by_name: &[(&str, Judged)], report: &mut Report) {
    for (name, judged) in by_name.iter().filter(|(name, _)| !solution.overruled.iter().any(|other| other == name)) {
        let what = format!("ledger \"{name}\" is {} ({})", judged.kind.in_words(), judged.how);
        report.inferred(Severity::Warning, what);
    }
    let rupees = |paise: i64| rupees(Amount::from_paise(paise));
    for mismatch in &solution.mismatches {
        report.add(
            Finding::error("tally.tax_mismatch", "ItemList", format!(
                "{} of the items and of the ledgers differ by more than rounding: items {}, ledgers {}",
                mismatch.head, rupees(mismatch.lines), rupees(mismatch.ledger)
            ))
            .with_found(rupees(mismatch.ledger))
            .with_expected(rupees(mismatch.lines))
            .with_fix("Correct the tax amount or the items' rates on the voucher in Tally and export it again; if a ledger was taken for something it is not, name it under `ledgers` in the configuration."),
        );
    }
    for name in &solution.overruled {
        report.from(format!("ledger {name}"), "the tax on the voucher fits only this way");
        report.inferred(
            Severity::Warning,
            format!("what ledger \"{name}\" is (the tax on the voucher fits only this way)"),
        );
    }
    for name in &solution.spread {
        report.from(format!("ledger {name}, spread"), "over the items by value");
    }
    if solution.cess_by_value {
        report.add(
            Finding::warning(
                "tally.cess_rate_missing",
                "ItemList",
                "the voucher has cess but no line has a cess rate; it is stated as specific cess, by value",
            )
            .with_fix("Enter the cess rate in the item's master."),
        );
    }
}

/// The portal wants both halves of each item alike, and takes none that are a paisa apart.
fn halves_differ(found: Uneven, context: &Context<'_>) -> Finding {
    let rupees = |paise: i64| rupees(Amount::from_paise(paise));
    let each = rupees(found.lines);
    let message = "the ledgers of CGST and SGST differ, and the portal takes only halves that are alike";
    Finding::error("tally.halves_differ", "ItemList", message)
        .with_code("2227")
        .with_found(format!("CGST {}, SGST {}", rupees(found.cgst), rupees(found.sgst)))
        .with_expected(format!("{each} each, which is half of the tax of every item"))
        .with_fix(format!(
            "In Tally{}, make both ledgers of the voucher {each}, let the rounding ledger take up the difference, and export it again.",
            context.in_books()
        ))
}

fn check_items(items: &[Item], solution: &Solution, context: &Context<'_>, report: &mut Report) {
    if items.is_empty() {
        report.add(
            Finding::error("tally.no_items", "ItemList", "the voucher has neither stock items nor an income ledger")
                .with_fix("Export the voucher with all its entries; if a ledger of it is sales, name it under `ledgers` in the configuration."),
        );
    }
    let without = items.iter().zip(&solution.items).enumerate().filter(|(_, (item, _))| item.gst_rt.is_absent());
    for (index, (item, taxed)) in without {
        let name = item.prd_desc.as_ref().map_or("the line", |text| &**text);
        let path = format!("ItemList[{index}].GstRt");
        let finding = if taxed.untaxed {
            let message = format!(
                "nothing gives the GST rate of \"{name}\", and no tax is charged on it: it may be exempt, taxable at 0 %, or its tax was forgotten"
            );
            Finding::error("tally.rate_missing", path, message)
                .with_found("no rate, no taxability, no tax")
                .with_expected("RATEDETAILS.LIST or GSTOVRDNTAXABILITY on the line, or TAXABILITY and rates in the master of its item, stock group or sales ledger")
                .with_fix(format!(
                    "In Tally{}, enter taxability and GST rate in the master of \"{name}\" or on the voucher, then export it with dependent masters. A bill of exempt goods alone is then passed over.",
                    context.in_books()
                ))
        } else {
            let message = format!("nothing gives the GST rate of \"{name}\", and the tax fits no single rate");
            Finding::error("tally.rate_missing", path, message)
                .with_fix("Enter the rate in the item's master in Tally and export with dependent masters.")
        };
        report.add(finding);
    }
}

fn totals(items: &[Item], solution: &Solution, rounding: Amount, party: Amount, report: &mut Report) -> ValDtls {
    let of = |pick: fn(&Item) -> &Field<Amount>| sum(items.iter().filter_map(|item| pick(item).get()));
    let total = |amount: Amount| if amount.is_zero() { Field::Absent } else { Field::Value(amount) };
    let charges =
        sum(solution.outside_gst.iter().filter(|(_, paise)| *paise > 0).map(|(_, paise)| Amount::from_paise(*paise)));
    let discount =
        sum(solution.outside_gst.iter().filter(|(_, paise)| *paise < 0).map(|(_, paise)| Amount::from_paise(-paise)));
    let billed = of(|item| &item.tot_item_val);
    let computed = billed
        .checked_add(charges)
        .and_then(|value| value.checked_sub(discount))
        .and_then(|value| value.checked_add(rounding))
        .unwrap_or_default();
    // What the tax ledgers differ by has been said already.
    let said = solution.mismatches.iter().map(|found| Amount::from_paise(found.ledger - found.lines));
    let uneven = solution.uneven.map(|found| Amount::from_paise(found.cgst + found.sgst - 2 * found.lines));
    let explained = sum(said.chain(uneven).chain([computed]));
    let difference = party.checked_sub(explained).and_then(Amount::checked_abs).unwrap_or_default();
    if difference.paise() > 100 {
        report.add(
            Finding::error("tally.total_mismatch", "ValDtls.TotInvVal", format!(
                "items, taxes, charges and rounding come to {}, but the party is billed {}", rupees(computed), rupees(party)
            ))
            .with_found(rupees(party))
            .with_expected(rupees(computed))
            .with_fix("Correct the voucher in Tally and export it again; if a ledger was taken for something it is not, name it under `ledgers` in the configuration."),
        );
    }
    for (path, origin) in [
        ("ValDtls.AssVal", "sum of the items"),
        ("ValDtls.IgstVal", "the tax ledgers"),
        ("ValDtls.CgstVal", "the tax ledgers"),
        ("ValDtls.SgstVal", "the tax ledgers"),
        ("ValDtls.RndOffAmt", "the rounding ledger"),
        ("ValDtls.TotInvVal", "the party's ledger line"),
    ] {
        report.from(path, origin);
    }
    ValDtls {
        ass_val: of(|item| &item.ass_amt).into(),
        cgst_val: total(of(|item| &item.cgst_amt)),
        sgst_val: total(of(|item| &item.sgst_amt)),
        igst_val: total(of(|item| &item.igst_amt)),
        ces_val: total(sum([of(|item| &item.ces_amt), of(|item| &item.ces_non_advl_amt)])),
        st_ces_val: total(of(|item| &item.state_ces_amt)),
        discount: total(discount),
        oth_chrg: total(charges),
        rnd_off_amt: total(rounding),
        tot_inv_val: party.into(),
        ..ValDtls::default()
    }
}
