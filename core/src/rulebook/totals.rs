//! Totals of the document against the sums of its items.

use crate::document::{Field, Item};
use crate::number::Amount;

use super::arithmetic::{accepts, or_zero, rupees, sum};
use super::items::differs;
use super::{Rule, Sheet, table};

type Column = fn(&Item) -> &Field<Amount>;

/// One total: its rule, its name, what it is the sum of.
struct Total<'a> {
    rule: &'static Rule,
    name: &'static str,
    of: &'static str,
    passed: &'a Field<Amount>,
    columns: &'static [Column],
}

pub(super) fn check(sheet: &mut Sheet<'_>) {
    let (items, values) = (&sheet.invoice.item_list, &sheet.invoice.val_dtls);
    if items.is_empty() {
        return;
    }
    for total in totals(values) {
        let calculated =
            total.columns.iter().try_fold(Amount::ZERO, |all, column| all.checked_add(sum(items.iter().map(column))?));
        // AssVal must be given, and where it is not the schema rules have said so; other totals may be absent.
        let passed = if total.name == "AssVal" { total.passed.get() } else { or_zero(total.passed) };
        compare(sheet, total.rule, total.name, calculated, passed, || {
            format!("{} over {} gives", total.of, counted(items.len()))
        });
    }
    document_value(sheet);
}

fn totals(values: &crate::document::ValDtls) -> [Total<'_>; 6] {
    let total = |rule, name, of, passed, columns| Total { rule, name, of, passed, columns };
    [
        total(&table::ASS_VAL, "AssVal", "AssAmt", &values.ass_val, &[|item| &item.ass_amt]),
        total(&table::SGST_VAL, "SgstVal", "SgstAmt", &values.sgst_val, &[|item| &item.sgst_amt]),
        total(&table::CGST_VAL, "CgstVal", "CgstAmt", &values.cgst_val, &[|item| &item.cgst_amt]),
        total(&table::IGST_VAL, "IgstVal", "IgstAmt", &values.igst_val, &[|item| &item.igst_amt]),
        total(
            &table::CES_VAL,
            "CesVal",
            "CesAmt and CesNonAdvlAmt",
            &values.ces_val,
            &[|item| &item.ces_amt, |item| &item.ces_non_advl_amt],
        ),
        total(
            &table::ST_CES_VAL,
            "StCesVal",
            "StateCesAmt and StateCesNonAdvlAmt",
            &values.st_ces_val,
            &[|item| &item.state_ces_amt, |item| &item.state_ces_non_advl_amt],
        ),
    ]
}

fn document_value(sheet: &mut Sheet<'_>) {
    let values = &sheet.invoice.val_dtls;
    let Some(items) = sum(sheet.invoice.item_list.iter().map(|item| &item.tot_item_val)) else {
        return;
    };
    let Some(discount) = or_zero(&values.discount) else {
        return;
    };
    if discount >= items && !discount.is_zero() {
        sheet.push(
            table::DISCOUNT
                .finding(
                    "ValDtls.Discount",
                    format!("the discount {} is not below the value of the items, {}", rupees(discount), rupees(items)),
                )
                .with_found(discount)
                .with_expected(format!("less than {}", rupees(items)))
                .with_fix("Correct the discount; it is the one on the document, after tax."),
        );
    }
    let calculated = or_zero(&values.oth_chrg)
        .zip(or_zero(&values.rnd_off_amt))
        .and_then(|(charges, rounding)| items.checked_sub(discount)?.checked_add(charges)?.checked_add(rounding));
    compare(sheet, &table::TOT_INV_VAL, "TotInvVal", calculated, values.tot_inv_val.get(), || {
        let mut terms = format!("items of {}", rupees(items));
        let others =
            [("a discount", &values.discount), ("charges", &values.oth_chrg), ("rounding", &values.rnd_off_amt)];
        // What is nought explains nothing.
        for (name, field) in others {
            if let Some(amount) = or_zero(field).filter(|amount| !amount.is_zero()) {
                let sign = if name == "a discount" { "less" } else { "with" };
                terms = format!("{terms} {sign} {name} of {}", rupees(amount));
            }
        }
        format!("{terms} give")
    });
}

/// `1 item`, `6 items`.
fn counted(items: usize) -> String {
    if items == 1 { "1 item".to_owned() } else { format!("{items} items") }
}

fn compare(
    sheet: &mut Sheet<'_>,
    rule: &Rule,
    name: &str,
    calculated: Option<Amount>,
    passed: Option<Amount>,
    because: impl FnOnce() -> String,
) {
    if let (Some(calculated), Some(passed)) = (calculated, passed)
        && !accepts(calculated, passed)
    {
        sheet.push(differs(rule, format!("ValDtls.{name}"), &because(), calculated, passed));
    }
}
