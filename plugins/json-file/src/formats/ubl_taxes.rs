//! Taxes of UBL documents by their schemes, and those that only the document states, spread over its lines.
//!
//! They stand under `#tax` of lines and of the document (`#tax.CGST.amount`, `#tax.IGST.percent`), whether UBL has them in
//! one `TaxTotal` or in one each. INV-01 wants the taxes of each line. Where UBL states them per document, each line is
//! charged by its rate, and what rounding leaves goes to the largest (database-and-files.md, sections 6 and 8).

use einvoice_core::mapping::{Members, Tree};
use einvoice_core::number::{Amount, Rate};

use super::derived;
use super::{NotMapped, wrong};

/// Categories of tax (UNCL 5305) of which nothing is charged.
const UNTAXED: [&str; 4] = ["Z", "E", "G", "O"];

/// A tax as a line or document states it.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Tax<'t> {
    pub(super) scheme: Option<&'t str>,
    pub(super) percent: Option<&'t str>,
    pub(super) amount: Option<&'t str>,
    /// The value it is charged on.
    pub(super) taxable: Option<&'t str>,
    pub(super) category: Option<&'t str>,
}

/// Which tax it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scheme {
    Integrated,
    Central,
    /// That of a union territory is the state's.
    State,
    Cess,
    Other,
}

impl Scheme {
    const ALL: [Self; 5] = [Self::Integrated, Self::Central, Self::State, Self::Cess, Self::Other];

    fn of(name: Option<&str>) -> Self {
        match name.map(str::trim).unwrap_or_default() {
            "IGST" => Self::Integrated,
            "CGST" => Self::Central,
            "SGST" | "UTGST" => Self::State,
            "CESS" => Self::Cess,
            _ => Self::Other,
        }
    }

    /// Under which name it stands.
    const fn name(self) -> &'static str {
        match self {
            Self::Integrated => "IGST",
            Self::Central => "CGST",
            Self::State => "SGST",
            Self::Cess => "CESS",
            Self::Other => "other",
        }
    }
}

/// All taxes of one scheme and rate.
#[derive(Debug, Clone)]
struct Levy {
    scheme: Scheme,
    percent: Option<Rate>,
    /// The rate as it is written.
    written: Option<String>,
    amount: Option<Amount>,
    /// What is stated is no amount.
    is_unread: bool,
    taxable: Option<Amount>,
}

/// The taxes of a line or of a document.
#[derive(Debug)]
pub(super) struct Taxes {
    levies: Vec<Levy>,
    /// The rate of goods and services tax; nothing where none is stated.
    rate: Option<Rate>,
}

impl Taxes {
    /// Brings together what is stated. Amounts of one scheme and rate add up.
    pub(super) fn of(stated: &[Tax<'_>]) -> Self {
        let mut levies: Vec<Levy> = Vec::new();
        for tax in stated {
            let amount = derived::amount(tax.amount);
            let levy = Levy {
                scheme: Scheme::of(tax.scheme),
                percent: tax.percent.and_then(derived::percent),
                written: tax.percent.map(str::to_owned),
                amount,
                is_unread: tax.amount.is_some() && amount.is_none(),
                taxable: derived::amount(tax.taxable),
            };
            let alike = levies.iter_mut().find(|known| known.scheme == levy.scheme && known.percent == levy.percent);
            match alike {
                None => levies.push(levy),
                Some(known) => {
                    known.amount = sum([known.amount, levy.amount]);
                    known.is_unread |= levy.is_unread;
                    known.taxable = sum([known.taxable, levy.taxable]);
                }
            }
        }
        let rate = derived::rate(stated.iter().map(|tax| (tax.scheme, tax.percent)));
        let is_untaxed = |tax: &Tax<'_>| tax.category.is_some_and(|category| UNTAXED.contains(&category.trim()));
        let rate = rate.or_else(|| stated.iter().any(is_untaxed).then_some(Rate::ZERO));
        Self { levies, rate }
    }

    /// Whether any tax is charged.
    pub(super) fn is_charged(&self) -> bool {
        self.levies.iter().any(|levy| levy.amount.is_some_and(|amount| !amount.is_zero()))
    }

    /// Puts them into a line or a document, for the rules.
    pub(super) fn put(&self, tree: &mut Tree<'_>) {
        let of = |scheme: Scheme| {
            let those = || self.levies.iter().filter(move |levy| levy.scheme == scheme);
            let percent = &those().next()?.written;
            let amount = sum(those().map(|levy| levy.amount)).filter(|_| !those().any(|levy| levy.is_unread));
            let text = |text: String| Tree::Text(text.into());
            let percent = percent.clone().map(|percent| ("percent", text(percent)));
            let amount = amount.map(|amount| ("amount", text(amount.to_string())));
            Some((scheme.name(), Tree::Map(percent.into_iter().chain(amount).collect::<Members<'_>>())))
        };
        if let Tree::Map(members) = tree {
            members.insert("#tax", Tree::Map(Scheme::ALL.into_iter().filter_map(of).collect()));
        }
    }

    /// The rate of a scheme on this line, as far as the line says it.
    fn percent_of(&self, scheme: Scheme) -> Option<Rate> {
        let own = self.levies.iter().find(|levy| levy.scheme == scheme).and_then(|levy| levy.percent);
        own.or_else(|| match scheme {
            Scheme::Integrated => self.rate,
            Scheme::Central | Scheme::State => self.rate.map(|rate| Rate::from_thousandths(rate.thousandths() / 2)),
            Scheme::Cess | Scheme::Other => None,
        })
    }

    /// Whether it says itself how much of a scheme is charged; goods and services tax is one under its three names.
    fn states_amount_of(&self, scheme: Scheme) -> bool {
        let is_gst = |scheme: Scheme| matches!(scheme, Scheme::Integrated | Scheme::Central | Scheme::State);
        let is_meant = |levy: &Levy| levy.scheme == scheme || is_gst(levy.scheme) && is_gst(scheme);
        self.levies.iter().any(|levy| is_meant(levy) && (levy.amount.is_some() || levy.is_unread))
    }

    fn charge(&mut self, levy: &Levy, amount: Option<Amount>) {
        let known = self.levies.iter_mut().find(|known| known.scheme == levy.scheme);
        match known {
            Some(known) => {
                known.amount = amount;
                known.written = known.written.take().or_else(|| levy.written.clone());
            }
            None => self.levies.push(Levy { amount, ..levy.clone() }),
        }
    }
}

/// The sum of what is stated; nothing where nothing is.
fn sum(amounts: impl IntoIterator<Item = Option<Amount>>) -> Option<Amount> {
    let mut stated = amounts.into_iter().flatten().peekable();
    stated.peek()?;
    Amount::checked_sum(stated)
}

/// Gives the lines what the document alone states. `values` are what they are taxed on; nothing where that is no amount.
pub(super) fn spread(document: &Taxes, lines: &mut [Taxes], values: &[Option<Amount>]) -> Result<(), NotMapped> {
    let stated_by_lines: Vec<Scheme> =
        Scheme::ALL.into_iter().filter(|scheme| lines.iter().any(|line| line.states_amount_of(*scheme))).collect();
    if lines.is_empty() {
        return Ok(());
    }
    let only_of_document = |levy: &&Levy| levy.scheme != Scheme::Other && !stated_by_lines.contains(&levy.scheme);
    for levy in document.levies.iter().filter(only_of_document) {
        let amount = levy.amount.filter(|amount| !amount.is_zero() && !levy.is_unread);
        let Some(amount) = amount else { continue };
        let chosen = charged(levy, document, lines, values).ok_or_else(|| unplaced(levy, amount))?;
        let shares = shares(levy, amount, &chosen, lines, values);
        for (at, share) in chosen.into_iter().zip(shares) {
            if let Some(line) = lines.get_mut(at) {
                line.charge(levy, share);
            }
        }
    }
    Ok(())
}

/// The lines that a tax of the document is charged on: those of its rate, or all where none states a rate and the document
/// has one only. Nothing where nobody can tell.
fn charged(levy: &Levy, document: &Taxes, lines: &[Taxes], values: &[Option<Amount>]) -> Option<Vec<usize>> {
    let rates: Vec<Option<Rate>> = lines.iter().map(|line| line.percent_of(levy.scheme)).collect();
    let of_rate = |rate: &Option<Rate>| match levy.percent {
        Some(percent) => *rate == Some(percent),
        None => rate.is_some_and(|rate| !rate.is_zero()),
    };
    let pick = |meant: &dyn Fn(&Option<Rate>) -> bool| -> Vec<usize> {
        rates.iter().enumerate().filter(|(_, rate)| meant(rate)).map(|(at, _)| at).collect()
    };
    let those = pick(&of_rate);
    if !those.is_empty() {
        return Some(those);
    }
    let silent = pick(&Option::is_none);
    let states_a_rate = rates.iter().flatten().any(|rate| !rate.is_zero());
    let is_only_rate = document.levies.iter().filter(|other| other.scheme == levy.scheme).count() == 1;
    let value = silent.iter().map(|at| values.get(*at).copied().flatten()).collect::<Option<Vec<_>>>();
    let value = value.and_then(Amount::checked_sum);
    let fits = match levy.scheme {
        // Few goods have a cess, and the others of the document may have none.
        Scheme::Cess => value.is_some() && levy.taxable == value,
        _ => levy.taxable.is_none() || value.is_none() || levy.taxable == value,
    };
    let is_clear = silent.len() == 1 || levy.percent.is_some() && fits;
    (!silent.is_empty() && !states_a_rate && is_only_rate && is_clear).then_some(silent)
}

/// What each of the lines is charged; nothing for those whose value is no amount, which are computed later.
fn shares(
    levy: &Levy,
    amount: Amount,
    chosen: &[usize],
    lines: &[Taxes],
    values: &[Option<Amount>],
) -> Vec<Option<Amount>> {
    if chosen.len() == 1 {
        return vec![Some(amount)];
    }
    let value = |at: usize| values.get(at).copied().flatten();
    let share = |at: &usize| {
        let rate = levy.percent.or_else(|| lines.get(*at)?.percent_of(levy.scheme))?;
        rate.of(value(*at)?)
    };
    let mut shares: Vec<Option<Amount>> = chosen.iter().map(share).collect();
    let whole = shares.iter().copied().collect::<Option<Vec<_>>>().and_then(Amount::checked_sum);
    let left = whole.and_then(|whole| amount.checked_sub(whole));
    let largest = chosen.iter().enumerate().max_by_key(|(_, at)| value(**at)).map(|(index, _)| index);
    // Rounding leaves less than a paisa a line; what differs more is an error, and stays for the rules to find.
    let rounding = i64::try_from(chosen.len()).unwrap_or(i64::MAX);
    if let (Some(left), Some(largest)) = (left.filter(|left| left.paise().abs() <= rounding), largest)
        && let Some(Some(share)) = shares.get_mut(largest)
    {
        *share = share.checked_add(left).unwrap_or(*share);
    }
    shares
}

fn unplaced(levy: &Levy, amount: Amount) -> NotMapped {
    let rate = levy.written.as_deref().map(|rate| format!(" of {}%", rate.trim().trim_end_matches('%')));
    let message = format!(
        "{}{} is stated for the whole document, {amount}, and nothing says which lines it is charged on",
        levy.scheme.name(),
        rate.unwrap_or_default()
    );
    let fix =
        "State the rate of each line in the ClassifiedTaxCategory of its Item, or its taxes in a TaxTotal of its own.";
    wrong("ubl.document_tax", message, fix)
}
