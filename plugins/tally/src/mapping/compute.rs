//! From lines to taxable values and taxes: spreading charges and discounts, finding rates, computing
//! tax per line and reconciling it with what the ledgers say.
//!
//! Tax stands on ledgers of the whole voucher in Tally, and on each item in INV-01. The ledgers are
//! what the customer was charged, so line taxes are made to add up to them to the paisa; a difference
//! beyond rounding is an error of the books and is reported, never hidden.

use einvoice_core::number::{Amount, Rate};

use super::ledgers::Kind;
use crate::masters::{Head, Rates};

/// One line that becomes an item, before tax.
#[derive(Debug, Clone)]
pub(crate) struct Base {
    /// Value without spread charges and discounts, in paise.
    pub(crate) value: i64,
    /// Discount given on the line itself, in paise: information, `value` is net of it.
    pub(crate) rates: Option<Rates>,
    /// No tax is due on it.
    pub(crate) exempt: bool,
    /// Quantity in thousandths, for cess by quantity.
    pub(crate) quantity: i64,
    /// Ready shares of discount ledgers, by folded ledger name, in paise.
    pub(crate) allocated: Vec<(String, i64)>,
    /// Overridden assessable value, in paise.
    pub(crate) assessable: Option<i64>,
}

/// A ledger line that changes the taxable value or not.
#[derive(Debug, Clone)]
pub(crate) struct Adjustment {
    pub(crate) name: String,
    pub(crate) amount: i64,
    pub(crate) kind: Kind,
    pub(crate) guessed: bool,
}

/// Tax that the ledgers show, in paise.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct LedgerTax {
    pub(crate) igst: i64,
    pub(crate) cgst: i64,
    pub(crate) sgst: i64,
    pub(crate) cess: i64,
    pub(crate) state_cess: i64,
}

impl LedgerTax {
    pub(crate) fn add(&mut self, head: Head, paise: i64) {
        let sum = match head {
            Head::Igst => &mut self.igst,
            Head::Cgst => &mut self.cgst,
            Head::Sgst => &mut self.sgst,
            Head::Cess => &mut self.cess,
            Head::StateCess => &mut self.state_cess,
        };
        *sum = sum.saturating_add(paise);
    }

    pub(crate) const fn gst(&self) -> i64 {
        self.igst + self.cgst + self.sgst
    }
}

/// Which heads carry the tax of the lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Heads {
    /// IGST.
    Integrated,
    /// CGST and SGST.
    Halves,
    /// None: zero-rated without payment, or nothing taxable.
    None,
}

/// What is asked.
#[derive(Debug)]
pub(crate) struct Problem<'p> {
    pub(crate) bases: &'p [Base],
    pub(crate) adjustments: &'p [Adjustment],
    pub(crate) tax: LedgerTax,
    pub(crate) heads: Heads,
    /// The ledgers need not show tax: reverse charge.
    pub(crate) tax_elsewhere: bool,
}

/// One item with its taxes, in paise.
#[derive(Debug, Clone, Default)]
pub(crate) struct Taxed {
    pub(crate) charges: i64,
    pub(crate) discount: i64,
    pub(crate) taxable: i64,
    pub(crate) rate: Option<Rate>,
    pub(crate) rate_by_ratio: bool,
    /// Nothing states its rate, and no tax is left for it: exempt or not, nobody can tell.
    pub(crate) untaxed: bool,
    pub(crate) igst: i64,
    pub(crate) cgst: i64,
    pub(crate) sgst: i64,
    pub(crate) cess_rate: Option<Rate>,
    pub(crate) cess: i64,
    pub(crate) cess_specific: i64,
    pub(crate) state_cess_rate: Option<Rate>,
    pub(crate) state_cess: i64,
}

/// A head whose lines and ledger differ by more than rounding.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Mismatch {
    pub(crate) head: &'static str,
    pub(crate) ledger: i64,
    pub(crate) lines: i64,
}

/// Two halves of the tax that are not alike, and what each item has of both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Uneven {
    pub(crate) cgst: i64,
    pub(crate) sgst: i64,
    pub(crate) lines: i64,
}

/// The answer.
#[derive(Debug, Clone, Default)]
pub(crate) struct Solution {
    pub(crate) items: Vec<Taxed>,
    pub(crate) mismatches: Vec<Mismatch>,
    /// CGST and SGST ledgers that are not alike, within what rounding makes.
    pub(crate) uneven: Option<Uneven>,
    pub(crate) outside_gst: Vec<(String, i64)>,
    pub(crate) spread: Vec<String>,
    pub(crate) cess_by_value: bool,
    /// The tax decided about these ledgers, against their names.
    pub(crate) overruled: Vec<String>,
}

/// Largest specific cess of a line, in paise: the portal's limit for an item amount.
const SPECIFIC_MAX: i64 = 99_999_999_999_999;
/// Most guessed lines whose every combination is tried.
const GUESSED_MAX: usize = 4;

/// Solves the voucher. Guessed ledgers are first taken as guessed; where the tax then does not
/// reconcile and another reading does, that one is taken.
pub(crate) fn solve(problem: &Problem<'_>) -> Solution {
    let guessed: Vec<usize> = problem
        .adjustments
        .iter()
        .enumerate()
        .filter(|(_, line)| line.guessed)
        .map(|(index, _)| index)
        .take(GUESSED_MAX)
        .collect();
    let first = attempt(problem, problem.adjustments);
    if first.mismatches.is_empty() || guessed.is_empty() {
        return first;
    }
    for combination in 1..(1_usize << guessed.len()) {
        let mut lines = problem.adjustments.to_vec();
        let mut overruled = Vec::new();
        for (bit, index) in guessed.iter().enumerate() {
            if combination & (1 << bit) != 0
                && let Some(line) = lines.get_mut(*index)
            {
                line.kind = if line.kind == Kind::Taxable { Kind::OutsideGst } else { Kind::Taxable };
                overruled.push(line.name.clone());
            }
        }
        let mut next = attempt(problem, &lines);
        if next.mismatches.is_empty() {
            next.overruled = overruled;
            return next;
        }
    }
    first
}

fn attempt(problem: &Problem<'_>, adjustments: &[Adjustment]) -> Solution {
    let items: Vec<Taxed> =
        problem.bases.iter().map(|base| Taxed { taxable: base.value, ..Taxed::default() }).collect();
    let mut solution = Solution { items, ..Solution::default() };
    for line in adjustments {
        if line.kind == Kind::Taxable && !problem.bases.is_empty() {
            solution.spread.push(line.name.clone());
            spread(problem.bases, &mut solution.items, line);
        } else {
            solution.outside_gst.push((line.name.clone(), line.amount));
        }
    }
    for (base, item) in problem.bases.iter().zip(&mut solution.items) {
        item.taxable = base.assessable.unwrap_or(base.value + item.charges - item.discount);
        item.rate = if base.exempt { Some(Rate::ZERO) } else { base.rates.and_then(|rates| rates.gst()) };
    }
    rates_by_ratio(problem, &mut solution.items);
    gst(problem, &mut solution);
    cess(problem, &mut solution);
    solution
}

/// Gives each item its share of a charge or discount: the shares the voucher states, else by value.
fn spread(bases: &[Base], items: &mut [Taxed], line: &Adjustment) {
    let name = einvoice_core::spelling::fold(&line.name);
    let stated: Vec<i64> = bases
        .iter()
        .map(|base| base.allocated.iter().filter(|(ledger, _)| *ledger == name).map(|(_, paise)| paise.abs()).sum())
        .collect();
    let magnitude = line.amount.abs();
    let shares = if stated.iter().sum::<i64>() == magnitude { stated } else { by_value(bases, magnitude) };
    for (item, share) in items.iter_mut().zip(shares) {
        if line.amount < 0 {
            item.discount += share;
        } else {
            item.charges += share;
        }
    }
}

/// Splits an amount by value; the paise that do not divide go to the largest line.
fn by_value(bases: &[Base], amount: i64) -> Vec<i64> {
    let weight = |base: &Base| i128::from(if base.exempt { 0 } else { base.value.max(0) });
    let all_exempt = bases.iter().all(|base| weight(base) == 0);
    let weight = |base: &Base| if all_exempt { i128::from(base.value.max(0)) } else { weight(base) };
    let total: i128 = bases.iter().map(weight).sum();
    if total == 0 {
        let mut shares = vec![0; bases.len()];
        if let Some(first) = shares.first_mut() {
            *first = amount;
        }
        return shares;
    }
    let mut shares: Vec<i64> =
        bases.iter().map(|base| i64::try_from(i128::from(amount) * weight(base) / total).unwrap_or(0)).collect();
    let left = amount - shares.iter().sum::<i64>();
    let largest = (0..bases.len()).max_by_key(|index| (bases.get(*index).map_or(0, weight), std::cmp::Reverse(*index)));
    if let Some(share) = largest.and_then(|index| shares.get_mut(index)) {
        *share += left;
    }
    shares
}

/// Rates the portal accepts (INV-01 rate master), in thousandths of a per cent.
const RATES: [i64; 14] = [0, 100, 250, 500, 1_000, 1_500, 3_000, 5_000, 6_000, 7_500, 12_000, 18_000, 28_000, 40_000];

/// Lines whose rate nothing states get the rate that the remaining tax bears to their value, where
/// that is one there is. That there is no tax proves no rate: the goods may be exempt, the tax forgotten, or the supply
/// free of it whatever its rate.
fn rates_by_ratio(problem: &Problem<'_>, items: &mut [Taxed]) {
    let unknown: i64 = items.iter().filter(|item| item.rate.is_none()).map(|item| item.taxable).sum();
    if unknown <= 0 {
        return;
    }
    let known: i64 = items
        .iter()
        .filter_map(|item| item.rate.and_then(|rate| rate.of(Amount::from_paise(item.taxable))))
        .map(Amount::paise)
        .sum();
    let left = problem.tax.gst() - known;
    let slack = i64::try_from(items.len()).unwrap_or(i64::MAX).max(100);
    let fits = |rate: &&i64| {
        let tax = Rate::from_thousandths(**rate).of(Amount::from_paise(unknown)).map_or(i64::MAX, Amount::paise);
        (tax - left).abs() <= slack
    };
    let ratio = i128::from(left) * 100_000 / i128::from(unknown);
    let near = |rate: &&i64| (i128::from(**rate) - ratio).abs();
    if let Some(rate) = RATES.iter().filter(fits).min_by_key(near) {
        for item in items.iter_mut().filter(|item| item.rate.is_none()) {
            if *rate == 0 {
                item.untaxed = true;
            } else {
                item.rate = Some(Rate::from_thousandths(*rate));
                item.rate_by_ratio = true;
            }
        }
    }
}

fn gst(problem: &Problem<'_>, solution: &mut Solution) {
    for item in &mut solution.items {
        let (taxable, rate) = (Amount::from_paise(item.taxable), item.rate.unwrap_or_default());
        match problem.heads {
            Heads::Integrated => item.igst = rate.of(taxable).unwrap_or_default().paise(),
            Heads::Halves => {
                item.cgst = rate.half_of(taxable).unwrap_or_default().paise();
                item.sgst = item.cgst;
            }
            Heads::None => {}
        }
    }
    if problem.tax_elsewhere && problem.tax.gst() == 0 {
        return;
    }
    let tax = problem.tax;
    settle(solution, "IGST", tax.igst, |item| &mut item.igst);
    solution.uneven = uneven(solution, tax);
    if solution.uneven.is_none() {
        settle(solution, "CGST", tax.cgst, |item| &mut item.cgst);
        settle(solution, "SGST", tax.sgst, |item| &mut item.sgst);
    }
    // Nothing charged though lines have a rate, and no reason for it.
    let due: i64 = solution
        .items
        .iter()
        .filter_map(|item| item.rate.and_then(|rate| rate.of(Amount::from_paise(item.taxable))))
        .map(Amount::paise)
        .sum();
    let rated_by_voucher = solution.items.iter().any(|item| !item.rate_by_ratio);
    if problem.heads == Heads::Halves && tax.gst() == 0 && due > 0 && rated_by_voucher && solution.mismatches.is_empty()
    {
        solution.mismatches.push(Mismatch { head: "GST", ledger: 0, lines: due });
    }
}

/// Halves that differ by rounding alone. Each item must have two that are alike, so no items add up to both.
fn uneven(solution: &Solution, tax: LedgerTax) -> Option<Uneven> {
    let lines = solution.items.iter().map(|item| item.cgst).sum::<i64>();
    let is_near = |ledger: i64| (ledger - lines).abs() <= tolerance(solution);
    (tax.cgst != tax.sgst && lines != 0 && is_near(tax.cgst) && is_near(tax.sgst)).then_some(Uneven {
        cgst: tax.cgst,
        sgst: tax.sgst,
        lines,
    })
}

/// What rounding may make of a head: a rupee, or a paisa a line.
fn tolerance(solution: &Solution) -> i64 {
    i64::try_from(solution.items.len()).unwrap_or(i64::MAX).max(100)
}

/// Makes the lines of one head add up to its ledger: rounding goes to the largest line.
fn settle(solution: &mut Solution, head: &'static str, ledger: i64, part: impl Fn(&mut Taxed) -> &mut i64) {
    let lines: i64 = solution.items.iter_mut().map(|item| *part(item)).sum();
    let difference = ledger - lines;
    if difference == 0 {
        return;
    }
    let tolerance = tolerance(solution);
    let largest = solution.items.iter_mut().filter(|item| item.taxable > 0).max_by_key(|item| item.taxable);
    if let Some(item) = largest.filter(|_| difference.abs() <= tolerance && lines != 0) {
        let value = part(item);
        if *value + difference >= 0 {
            *value += difference;
            return;
        }
    }
    solution.mismatches.push(Mismatch { head, ledger, lines });
}

fn cess(problem: &Problem<'_>, solution: &mut Solution) {
    let tax = problem.tax;
    for (base, item) in problem.bases.iter().zip(&mut solution.items) {
        let Some(rates) = base.rates.filter(|_| !base.exempt) else { continue };
        let taxable = Amount::from_paise(item.taxable);
        if tax.cess != 0 {
            item.cess_rate = rates.cess;
            item.cess = rates.cess.and_then(|rate| rate.of(taxable)).unwrap_or_default().paise();
            // Rupees a unit in thousandths, times thousandths of units, is paise times 10,000.
            let per_unit = rates.cess_per_unit.map_or(0, Rate::thousandths);
            let specific = i128::from(per_unit) * i128::from(base.quantity);
            item.cess_specific = i64::try_from((specific + 5_000) / 10_000).unwrap_or(0).min(SPECIFIC_MAX);
        }
        if tax.state_cess != 0 {
            item.state_cess_rate = rates.state_cess;
            item.state_cess = rates.state_cess.and_then(|rate| rate.of(taxable)).unwrap_or_default().paise();
        }
    }
    let specific: i64 = solution.items.iter().map(|item| item.cess_specific).sum();
    let by_rate: i64 = solution.items.iter().map(|item| item.cess).sum();
    if tax.cess > 0 && specific == 0 && by_rate == 0 {
        // No rate anywhere: the ledger is right, so its amount is shared out as specific cess, which
        // the portal does not recompute.
        for (item, share) in solution.items.iter_mut().zip(by_value(problem.bases, tax.cess)) {
            item.cess_specific = share;
        }
        solution.cess_by_value = true;
    } else if by_rate == 0 {
        settle(solution, "cess", tax.cess, |item| &mut item.cess_specific);
    } else {
        settle(solution, "cess", tax.cess - specific, |item| &mut item.cess);
    }
    settle(solution, "state cess", tax.state_cess, |item| &mut item.state_cess);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn base(rupees: i64, igst: Option<i64>) -> Base {
        let rates = igst.map(|rate| Rates { igst: Some(Rate::from_thousandths(rate)), ..Rates::default() });
        Base { value: rupees * 100, rates, exempt: false, quantity: 1000, allocated: Vec::new(), assessable: None }
    }

    fn problem<'p>(bases: &'p [Base], adjustments: &'p [Adjustment], igst: i64) -> Problem<'p> {
        let tax = LedgerTax { igst, ..LedgerTax::default() };
        Problem { bases, adjustments, tax, heads: Heads::Integrated, tax_elsewhere: false }
    }

    fn line(name: &str, rupees: i64, kind: Kind, guessed: bool) -> Adjustment {
        Adjustment { name: name.to_owned(), amount: rupees * 100, kind, guessed }
    }

    #[test]
    fn paise_of_rounding_go_to_the_largest_line() {
        let bases = [base(100, Some(18_000)), base(33, Some(18_000))];
        let solution = solve(&problem(&bases, &[], 2_395));
        assert!(solution.mismatches.is_empty());
        assert_eq!(solution.items.iter().map(|item| item.igst).collect::<Vec<_>>(), [1_801, 594]);
    }

    #[test]
    fn a_difference_beyond_rounding_is_reported_with_both_numbers() {
        let bases = [base(1000, Some(18_000))];
        let solution = solve(&problem(&bases, &[], 12_000));
        let mismatch = solution.mismatches.first().unwrap();
        assert_eq!((mismatch.ledger, mismatch.lines), (12_000, 18_000));
    }

    #[test]
    fn the_tax_decides_whether_a_guessed_charge_is_taxable() {
        let bases = [base(1000, Some(18_000))];
        let freight = [line("Freight", 100, Kind::Taxable, true)];
        let taxed = solve(&problem(&bases, &freight, 19_800));
        assert!(taxed.mismatches.is_empty() && taxed.overruled.is_empty());
        let outside = solve(&problem(&bases, &freight, 18_000));
        assert!(outside.mismatches.is_empty());
        assert_eq!(outside.overruled, ["Freight"]);
        assert_eq!(outside.outside_gst, [("Freight".to_owned(), 10_000)]);
    }

    #[test]
    fn an_unknown_rate_is_found_from_the_tax() {
        let bases = [base(1000, None), base(500, Some(5_000))];
        let solution = solve(&problem(&bases, &[], 18_000 + 2_500));
        assert!(solution.mismatches.is_empty());
        assert_eq!(solution.items.first().unwrap().rate, Some(Rate::from_thousandths(18_000)));
    }

    #[test]
    fn cess_by_value_and_by_quantity_add_up_to_the_ledger() {
        let mut coal = base(1000, Some(5_000));
        coal.quantity = 2_500;
        coal.rates.as_mut().unwrap().cess_per_unit = Some(Rate::from_thousandths(400_000));
        let mut car = base(1000, Some(28_000));
        car.rates.as_mut().unwrap().cess = Some(Rate::from_thousandths(15_000));
        let bases = [coal, car];
        let mut asked = problem(&bases, &[], 33_000);
        asked.tax.cess = 100_000 + 15_000;
        let solution = solve(&asked);
        assert!(solution.mismatches.is_empty(), "{:?}", solution.mismatches);
        assert_eq!(
            solution.items.iter().map(|item| (item.cess, item.cess_specific)).collect::<Vec<_>>(),
            [(0, 100_000), (15_000, 0)]
        );
    }

    proptest! {
        #[test]
        fn what_is_spread_adds_up_to_what_was_to_be_spread(values in proptest::collection::vec(0_i64..10_000_000, 1..20), amount in 0_i64..100_000_000) {
            let bases: Vec<Base> = values.iter().map(|value| Base { value: *value, ..base(0, None) }).collect();
            prop_assert_eq!(by_value(&bases, amount).iter().sum::<i64>(), amount);
        }

        #[test]
        fn reconciled_lines_add_up_to_the_ledger_exactly(values in proptest::collection::vec(1_i64..10_000_000, 1..20), off in -100_i64..=100) {
            let bases: Vec<Base> = values.iter().map(|value| Base { value: *value, ..base(0, Some(18_000)) }).collect();
            let exact: i64 = values.iter().map(|value| Rate::from_thousandths(18_000).of(Amount::from_paise(*value)).unwrap().paise()).sum();
            let solution = solve(&problem(&bases, &[], exact + off));
            if solution.mismatches.is_empty() {
                prop_assert_eq!(solution.items.iter().map(|item| item.igst).sum::<i64>(), exact + off);
            }
        }
    }
}
