//! What several members say together: derived ones, for the rules of a format to read. Their names begin with `#`.
//!
//! | member | of | is |
//! | --- | --- | --- |
//! | `#home` | document | there unless it is an export: only then are PIN, state and tax number of the recipient Indian ones |
//! | `#abroad` | document | country of the recipient of an export |
//! | `#supply` | document | `EXPWP` or `EXPWOP`, of an export |
//! | `#discount`, `#charges` | document | what is taken off and put on after tax |
//! | `#taxable` | document, line | the value that is taxed |
//! | `#allowances` | line | what was taken off before tax |
//!
//! A discount or charge of the whole document that changes the tax has no place in INV-01, which knows those of an item
//! (before tax) and of the document (after tax). So it is shared out over the lines of its rate, in proportion to their
//! values; what rounding leaves goes to the largest (database-and-files.md, section 8).

use einvoice_core::finding::Finding;
use einvoice_core::mapping::Tree;
use einvoice_core::number::{Amount, Rate};

use super::{NotMapped, fault};

/// The currency of INV-01.
const RUPEE: &str = "INR";

/// A discount or charge of the whole document.
#[derive(Debug)]
pub(super) struct Adjustment {
    pub(super) charge: bool,
    /// Nothing where it is no amount.
    pub(super) amount: Option<Amount>,
    /// The rate of tax that it changes; nothing where it changes none.
    pub(super) rate: Option<Rate>,
}

/// What is derived from a line by itself.
#[derive(Debug)]
pub(super) struct Line {
    /// Its value, less its own allowances and with its own charges; nothing where it is no amount.
    pub(super) value: Option<Amount>,
    /// Its own allowances.
    pub(super) allowances: Option<Amount>,
    /// Its rate of tax.
    pub(super) rate: Option<Rate>,
}

/// What a document is, besides its numbers.
#[derive(Debug)]
pub(super) struct Supply<'t> {
    /// Country of the recipient, where it is known.
    pub(super) country: Option<&'t str>,
    /// The recipient has a GSTIN: wherever it sits, this is no export.
    pub(super) registered: bool,
    /// The document says that it is an export.
    pub(super) export: bool,
    /// Some line is taxed.
    pub(super) taxed: bool,
}

impl Supply<'_> {
    /// The members it gives the document.
    pub(super) fn members(&self) -> Vec<(&'static str, String)> {
        let abroad = self.country.map(str::trim).filter(|code| !code.is_empty() && !code.eq_ignore_ascii_case("IN"));
        if !self.export && (abroad.is_none() || self.registered) {
            return vec![("#home", "IN".to_owned())];
        }
        let kind = if self.taxed { "EXPWP" } else { "EXPWOP" };
        let country = abroad.map(|code| ("#abroad", code.to_ascii_uppercase()));
        country.into_iter().chain([("#supply", kind.to_owned())]).collect()
    }
}

/// Refuses amounts that are not in rupees: INV-01 has no other, and they would be registered as rupees.
pub(super) fn rupees<'t>(currencies: impl IntoIterator<Item = (&'t str, Option<&'t str>)>) -> Result<(), NotMapped> {
    let foreign = |code: &&str| !code.trim().is_empty() && !code.trim().eq_ignore_ascii_case(RUPEE);
    for (path, currency) in currencies {
        if let Some(code) = currency.filter(foreign) {
            let message = format!("{path} says that amounts are in {}, and INV-01 takes rupees", code.trim());
            let fix = "Issue the document with its amounts in INR; a foreign currency goes to `ExpDtls.ForCur`.";
            let finding = fault("json.currency", message, fix).with_found(code.trim()).with_expected(RUPEE);
            return Err(NotMapped::Wrong(Box::new(finding)));
        }
    }
    Ok(())
}

/// An amount; nothing where the text is none, or has parts of a paisa.
pub(super) fn amount(text: Option<&str>) -> Option<Amount> {
    Amount::parse(text?.trim()).ok()
}

/// The sum of amounts; nothing where one cannot be read.
pub(super) fn sum<'t>(texts: impl IntoIterator<Item = Option<&'t str>>) -> Option<Amount> {
    texts.into_iter().try_fold(Amount::ZERO, |sum, text| sum.checked_add(amount(text)?))
}

/// A rate, with its sign or without.
pub(super) fn percent(text: &str) -> Option<Rate> {
    Rate::parse(text.trim().trim_end_matches('%').trim_end()).ok()
}

/// The rate of taxes by name: IGST, or CGST with SGST or UTGST, else the first of another name.
pub(super) fn rate<'t>(taxes: impl IntoIterator<Item = (Option<&'t str>, Option<&'t str>)>) -> Option<Rate> {
    let (mut integrated, mut halves, mut other) = (None, None, None);
    for (name, percent) in taxes {
        let Some(rate) = percent.and_then(self::percent) else { continue };
        match name.map(str::trim).unwrap_or_default() {
            "IGST" => integrated = integrated.or(Some(rate)),
            "CGST" | "SGST" | "UTGST" => halves = Some(halves.unwrap_or(Rate::ZERO).checked_add(rate)?),
            "CESS" => {}
            _ => other = other.or(Some(rate)),
        }
    }
    integrated.or(halves).or(other)
}

/// Gives the document and its lines what follows from their amounts. `stated` is the sum of the lines as the document
/// says it.
pub(super) fn amounts(
    root: &mut Tree<'_>,
    list: &str,
    stated: Option<Amount>,
    lines: &[Line],
    adjustments: &[Adjustment],
) -> Result<(), NotMapped> {
    let mut taken = vec![Amount::ZERO; lines.len()];
    let mut added = vec![Amount::ZERO; lines.len()];
    let (mut discount, mut charges) = (Amount::ZERO, Amount::ZERO);
    let (mut taken_off, mut put_on) = (Amount::ZERO, Amount::ZERO);
    for adjustment in adjustments {
        let value = adjustment.amount.ok_or_else(|| unplaced(adjustment, "it is no amount with two decimals"))?;
        let Some(rate) = adjustment.rate.filter(|rate| !rate.is_zero()) else {
            let total = if adjustment.charge { &mut charges } else { &mut discount };
            *total = total.checked_add(value).ok_or_else(|| unplaced(adjustment, "it is too large"))?;
            continue;
        };
        let of_rate: Vec<(usize, Amount)> = lines
            .iter()
            .enumerate()
            .filter(|(_, line)| line.rate == Some(rate))
            .map(|(at, line)| Some((at, line.value?)))
            .collect::<Option<_>>()
            .ok_or_else(|| unplaced(adjustment, "the value of a line is no amount with two decimals"))?;
        let shares = shares(value, &of_rate)
            .ok_or_else(|| unplaced(adjustment, "there is no line of its rate of tax that it could be a part of"))?;
        let (each, whole) = if adjustment.charge { (&mut added, &mut put_on) } else { (&mut taken, &mut taken_off) };
        for (at, share) in shares {
            if let Some(sum) = each.get_mut(at) {
                *sum = sum.checked_add(share).ok_or_else(|| unplaced(adjustment, "it is too large"))?;
            }
        }
        *whole = whole.checked_add(value).ok_or_else(|| unplaced(adjustment, "it is too large"))?;
    }
    let found = root.at(list).map_or(0, |lines| lines.entries().len());
    for (at, line) in lines.iter().enumerate().take(found) {
        let (taken, added) = (taken.get(at).copied().unwrap_or_default(), added.get(at).copied().unwrap_or_default());
        let taxable = line.value.and_then(|value| value.checked_sub(taken)?.checked_add(added));
        let allowances = line.allowances.and_then(|own| own.checked_add(taken)).filter(|sum| !sum.is_zero());
        let members = [("#taxable", taxable), ("#allowances", allowances)];
        if let Some(entry) = entry(root, list, at) {
            insert(entry, members.map(|(name, amount)| (name, amount.map(|amount| amount.to_string()))));
        }
    }
    let taxable = stated.and_then(|stated| stated.checked_sub(taken_off)?.checked_add(put_on));
    let after_tax = |sum: Amount| (!sum.is_zero()).then_some(sum);
    let members = [("#taxable", taxable), ("#discount", after_tax(discount)), ("#charges", after_tax(charges))];
    insert(root, members.map(|(name, amount)| (name, amount.map(|amount| amount.to_string()))));
    Ok(())
}

/// Adds members to an element or object; what has none of its own is left as it is.
pub(super) fn insert(tree: &mut Tree<'_>, members: impl IntoIterator<Item = (&'static str, Option<String>)>) {
    if let Tree::Map(map) = tree {
        for (name, text) in members {
            if let Some(text) = text {
                map.insert(name, Tree::Text(text.into()));
            }
        }
    }
}

/// An entry of a list that is a member of the root; a single value is a list of one.
pub(super) fn entry<'t, 'd>(root: &'t mut Tree<'d>, list: &str, at: usize) -> Option<&'t mut Tree<'d>> {
    let Tree::Map(members) = root else { return None };
    match members.get_mut(list)? {
        Tree::List(entries) => entries.get_mut(at),
        single => (at == 0).then_some(single),
    }
}

/// Parts of an amount in proportion to values, which sum up to it; nothing where there is nothing to share it over.
fn shares(amount: Amount, values: &[(usize, Amount)]) -> Option<Vec<(usize, Amount)>> {
    let total: i128 = values.iter().map(|(_, value)| i128::from(value.paise())).sum();
    let largest = values.iter().max_by_key(|(_, value)| *value).filter(|_| total > 0)?.0;
    let mut left = amount;
    let mut shares = Vec::with_capacity(values.len());
    for (at, value) in values {
        let share = i128::from(amount.paise()) * i128::from(value.paise()) / total;
        let share = Amount::from_paise(i64::try_from(share).ok()?);
        left = left.checked_sub(share)?;
        shares.push((*at, share));
    }
    let rest = shares.iter_mut().find(|(at, _)| *at == largest)?;
    rest.1 = rest.1.checked_add(left)?;
    Some(shares)
}

fn unplaced(adjustment: &Adjustment, reason: &str) -> NotMapped {
    let what = if adjustment.charge { "charge" } else { "discount" };
    let message = format!("a {what} on the whole document cannot be placed: {reason}");
    let finding: Finding = fault("json.document_adjustment", message, "State it on the lines that it belongs to.");
    let found = adjustment.amount.map(|amount| amount.to_string()).unwrap_or_default();
    NotMapped::Wrong(Box::new(finding.with_found(found)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn paise(paise: i64) -> Amount {
        Amount::from_paise(paise)
    }

    #[test]
    fn what_rounding_leaves_goes_to_the_largest_line() {
        let shared = shares(paise(100), &[(0, paise(1_000)), (2, paise(2_000)), (5, paise(4_000))]).unwrap();
        assert_eq!(shared, [(0, paise(14)), (2, paise(28)), (5, paise(58))]);
        assert_eq!(shares(paise(100), &[]), None);
        assert_eq!(shares(paise(100), &[(0, Amount::ZERO)]), None);
    }

    #[test]
    fn rates_are_those_of_the_taxes_by_name() {
        let of = |taxes: &[(&'static str, &'static str)]| {
            rate(taxes.iter().map(|(name, percent)| (Some(*name), Some(*percent)))).map(Rate::thousandths)
        };
        assert_eq!(of(&[("IGST", "18.0%")]), Some(18_000));
        assert_eq!(of(&[("CGST", "9"), ("UTGST", "9.00"), ("CESS", "1")]), Some(18_000));
        assert_eq!(of(&[("VAT", "5")]), Some(5_000));
        assert_eq!(of(&[("IGST", "eighteen")]), None);
    }

    proptest! {
        #[test]
        fn shares_sum_up_to_what_is_shared(amount in 0_i64..1_000_000_000, values in prop::collection::vec(0_i64..1_000_000_000, 1..20)) {
            let values: Vec<_> = values.into_iter().map(paise).enumerate().collect();
            if let Some(shared) = shares(paise(amount), &values) {
                let sum: i64 = shared.iter().map(|(_, share)| share.paise()).sum();
                prop_assert_eq!(sum, amount);
                prop_assert!(shared.iter().all(|(_, share)| share.paise() >= 0));
            }
        }
    }
}
