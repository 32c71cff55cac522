//! Items: HSN codes and units.

use super::super::{EwbItem, rules};
use super::{Sheet, item};
use crate::masters::Kind;
use crate::rulebook::codes::unlisted;

/// Turnover in crore rupees from which six digits are asked for (code 283).
const SIX_DIGITS_FROM_CRORE: u32 = 5;

pub(super) fn check(sheet: &mut Sheet<'_>) {
    let items = &sheet.request.item_list;
    let is_service = |item: &EwbItem| item.hsn_code.get().is_some_and(|code| code.code().is_service());
    if !items.is_empty() && items.iter().all(is_service) {
        let fix = "Make no bill for services, or correct the HSN codes.";
        let message = "all items are services, whose codes begin with 99";
        sheet.lacks(&rules::GOODS, "itemList", message, "at least one item of goods", fix);
    }
    let six = sheet.options.settings.turnover_of(sheet.user).is_some_and(|crore| crore >= SIX_DIGITS_FROM_CRORE);
    for (index, line) in items.iter().enumerate() {
        hsn(sheet, index, line, six);
        unit(sheet, index, line);
    }
}

fn hsn(sheet: &mut Sheet<'_>, index: usize, line: &EwbItem, six: bool) {
    let Some(code) = line.hsn_code.get().map(super::super::EwbHsn::code) else { return };
    let options = sheet.options;
    let path = item(index, "hsnCode");
    let lookup = options.masters().hsn(code);
    if let Some(finding) = unlisted(&rules::HSN, path.clone(), Kind::Hsn, &format_args!("HSN code {code}"), &lookup) {
        sheet.push(&rules::HSN, finding.with_found(code));
    }
    if six && code.digits() < 6 {
        let message = format!("HSN code {code} has {} digits, and the turnover is 5 crore or more", code.digits());
        let fix = "Give at least six digits; `einvoice masters show hsn` lists the codes below a heading.";
        sheet.wrong(&rules::HSN_SIX, path, code, message, "6 or 8 digits", fix);
    }
}

fn unit(sheet: &mut Sheet<'_>, index: usize, line: &EwbItem) {
    let Some(unit) = line.qty_unit.as_ref().filter(|unit| unit.chars().count() == 3) else { return };
    let options = sheet.options;
    let lookup = options.masters().unit(unit);
    let path = item(index, "qtyUnit");
    if let Some(finding) = unlisted(&rules::UNIT, path, Kind::Uqc, &format_args!("unit {}", &**unit), &lookup) {
        sheet.push(&rules::UNIT, finding.with_found(&**unit));
    }
}
