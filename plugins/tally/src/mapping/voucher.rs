//! The lines of a voucher, whatever view and release wrote them, with signs made meaningful.

use einvoice_core::finding::Finding;
use einvoice_core::key::DocumentType;
use einvoice_core::number::Amount;

use super::report::{Report, rupees};
use crate::lexical;
use crate::xml::Element;
use einvoice_core::spelling;

/// A voucher with what identifies it.
#[derive(Debug)]
pub(crate) struct Voucher<'v> {
    pub(crate) element: &'v Element<'v>,
    pub(crate) type_name: &'v str,
    pub(crate) party_name: Option<&'v str>,
    pub(crate) label: String,
    ledgers: Vec<&'v Element<'v>>,
    items: Vec<&'v Element<'v>>,
    natures: Vec<String>,
}

/// One ledger line. Its amount is positive where it increases the bill.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LedgerLine<'v> {
    pub(crate) element: &'v Element<'v>,
    pub(crate) name: &'v str,
    pub(crate) amount: Amount,
}

/// One item line. Its amount is positive where it increases the bill.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ItemLine<'v> {
    pub(crate) element: &'v Element<'v>,
    pub(crate) name: &'v str,
    pub(crate) amount: Amount,
}

/// The lines of a voucher. Ledger lines that only repeat the items' sales ledger are left out.
#[derive(Debug)]
pub(crate) struct Lines<'v> {
    pub(crate) party: Amount,
    pub(crate) ledgers: Vec<LedgerLine<'v>>,
    pub(crate) items: Vec<ItemLine<'v>>,
    /// The foreign currency of the party line, with the amount in it.
    pub(crate) foreign: Option<(&'v str, Amount)>,
}

const LEDGER_LISTS: [&str; 2] = ["ALLLEDGERENTRIES.LIST", "LEDGERENTRIES.LIST"];
const ITEM_LISTS: [&str; 2] = ["ALLINVENTORYENTRIES.LIST", "INVENTORYENTRIES.LIST"];
const ALLOCATIONS: &str = "ACCOUNTINGALLOCATIONS.LIST";

impl<'v> Voucher<'v> {
    /// Looks at a voucher element.
    pub(crate) fn new(element: &'v Element<'v>) -> Self {
        let type_name = element.get("VOUCHERTYPENAME").or_else(|| element.attribute("VCHTYPE")).unwrap_or("voucher");
        let party_name = element.get("PARTYLEDGERNAME").or_else(|| element.get("PARTYNAME"));
        let label = match element.get("VOUCHERNUMBER") {
            Some(number) => format!("{type_name} {number}"),
            None => format!("{type_name} without number"),
        };
        let ledgers = entries(element, LEDGER_LISTS, "LEDGERNAME");
        let items = entries(element, ITEM_LISTS, "STOCKITEMNAME");
        let natures = natures(&ledgers, &items);
        Self { element, type_name, party_name, label, ledgers, items, natures }
    }

    /// Names of all ledger lines.
    pub(crate) fn ledger_names(&self) -> impl Iterator<Item = &'v str> {
        self.ledgers.iter().filter_map(|entry| entry.get("LEDGERNAME"))
    }

    /// The natures of transaction that lines and their allocations state, folded, each once.
    pub(crate) fn natures(&self) -> impl Iterator<Item = &str> {
        self.natures.iter().map(String::as_str)
    }

    /// Whether a voucher of unknown type bills a customer.
    pub(crate) fn looks_like_invoice(&self) -> bool {
        self.element.is_yes("ISINVOICE")
    }

    /// Whether this is the answer of a custom report: other dates, nested amounts.
    pub(crate) fn is_foreign_shape(&self) -> bool {
        let nested = |entry: &Element<'_>| entry.child("AMOUNT").is_some_and(|amount| !amount.children().is_empty());
        let iso = self.element.get("DATE").is_some_and(|date| {
            date.len() == 10 && date.as_bytes().get(4) == Some(&b'-') && date.as_bytes().get(7) == Some(&b'-')
        });
        iso || self.ledgers.iter().copied().any(nested)
    }

    /// Reads all lines.
    pub(crate) fn lines(&self, class: DocumentType, report: &mut Report) -> Lines<'v> {
        let ledgers = &self.ledgers;
        let mut items = self.items.clone();
        // In accounting view the items stand inside the sales ledger's line.
        let inside = |entry: &&'v Element<'v>| {
            entry
                .children()
                .iter()
                .any(|child| child.name() == "INVENTORYALLOCATIONS.LIST" && child.get("STOCKITEMNAME").is_some())
        };
        let mut control: Vec<&str> = Vec::new();
        if items.is_empty() {
            for entry in ledgers.iter().filter(|entry| inside(entry)) {
                control.extend(entry.get("LEDGERNAME"));
                items.extend(entry.children().iter().filter(|child| {
                    child.name() == "INVENTORYALLOCATIONS.LIST" && child.get("STOCKITEMNAME").is_some()
                }));
            }
        }
        let raw_ledgers: Vec<(&str, Amount, &Element<'_>)> = ledgers
            .iter()
            .map(|entry| (entry.get("LEDGERNAME").unwrap_or_default(), read_amount(entry, "ledger", report), *entry))
            .collect();
        let raw_items: Vec<(&str, Amount, &Element<'_>)> = items
            .iter()
            .map(|entry| (entry.get("STOCKITEMNAME").unwrap_or_default(), read_amount(entry, "item", report), *entry))
            .collect();
        let ledger_sum = sum(raw_ledgers.iter().map(|(_, amount, _)| *amount));
        let item_sum = sum(raw_items.iter().map(|(_, amount, _)| *amount));
        // A collection lists the sales ledger beside the items: then the ledgers alone balance.
        if control.is_empty() && ledger_sum.is_zero() && !item_sum.is_zero() {
            control =
                items.iter().flat_map(|item| item.all(ALLOCATIONS)).filter_map(|line| line.get("LEDGERNAME")).collect();
        }
        let is_control = |name: &str| control.iter().any(|known| spelling::same(known, name));
        let kept: Vec<_> = raw_ledgers.into_iter().filter(|(name, ..)| !is_control(name)).collect();
        Self::balance(sum(kept.iter().map(|(_, amount, _)| *amount)), item_sum, report);
        self.signed(class, kept, raw_items, report)
    }

    fn balance(ledgers: Amount, items: Amount, report: &mut Report) {
        let left = ledgers.checked_add(items).unwrap_or_default();
        if !left.is_zero() {
            let left = rupees(left);
            report.add(
                Finding::error(
                    "tally.voucher_unbalanced",
                    "ValDtls.TotInvVal",
                    format!("the lines of the voucher do not add up: {left} is left over"),
                )
                .with_found(&left)
                .with_expected("0.00: Tally keeps every voucher balanced")
                .with_fix(
                    "Export the voucher again; if the file was edited or made by another program, correct it there.",
                ),
            );
        }
    }

    fn signed(
        &self,
        class: DocumentType,
        ledgers: Vec<(&'v str, Amount, &'v Element<'v>)>,
        items: Vec<(&'v str, Amount, &'v Element<'v>)>,
        report: &mut Report,
    ) -> Lines<'v> {
        let is_party = |name: &str, element: &Element<'_>| {
            element.is_yes("ISPARTYLEDGER") || self.party_name.is_some_and(|party| spelling::same(party, name))
        };
        let party =
            sum(ledgers.iter().filter(|(name, _, element)| is_party(name, element)).map(|(_, amount, _)| *amount));
        let debits = class != DocumentType::CreditNote;
        let flipped = if party.is_zero() { !debits } else { !party.is_negative() };
        Self::check_side(debits, party, &ledgers, is_party, report);
        let sign = |amount: Amount| if flipped { amount.checked_neg().unwrap_or_default() } else { amount };
        let foreign = ledgers
            .iter()
            .filter(|(name, _, element)| is_party(name, element))
            .find_map(|(_, _, element)| element.get("AMOUNT").and_then(lexical::foreign_amount));
        Lines {
            party: party.checked_abs().unwrap_or_default(),
            foreign,
            ledgers: ledgers
                .into_iter()
                .filter(|(name, _, element)| !is_party(name, element))
                .map(|(name, amount, element)| LedgerLine { element, name, amount: sign(amount) })
                .collect(),
            items: items
                .into_iter()
                .map(|(name, amount, element)| ItemLine { element, name, amount: sign(amount) })
                .collect(),
        }
    }

    /// A sale debits its customer, a credit note credits him; `ISDEEMEDPOSITIVE` says which side a
    /// line is on.
    fn check_side(
        debits: bool,
        party: Amount,
        ledgers: &[(&str, Amount, &Element<'_>)],
        is_party: impl Fn(&str, &Element<'_>) -> bool,
        report: &mut Report,
    ) {
        let Some((_, _, line)) = ledgers.iter().find(|(name, _, element)| is_party(name, element)) else {
            report.add(
                Finding::error(
                    "tally.no_party_line",
                    "ValDtls.TotInvVal",
                    "no ledger line of the voucher is the party's",
                )
                .with_expected("a line with ISPARTYLEDGER = Yes, or of the voucher's PARTYLEDGERNAME")
                .with_fix("Export the voucher with all its ledger entries."),
            );
            return;
        };
        let debited = if line.child("ISDEEMEDPOSITIVE").is_some() {
            line.is_yes("ISDEEMEDPOSITIVE")
        } else {
            party.is_negative()
        };
        if debited != debits && !party.is_zero() {
            report.add(
                Finding::error(
                    "tally.wrong_side",
                    "DocDtls.Typ",
                    format!(
                        "the voucher's type and its amounts disagree: a {} the customer",
                        if debits {
                            "sale or debit note debits its customer, but this one credits"
                        } else {
                            "credit note credits its customer, but this one debits"
                        }
                    ),
                )
                .with_fix("Enter the voucher under the right type: a sale in favour of the customer is a credit note."),
            );
        }
    }
}

/// The lines of the first of several lists that has any.
fn entries<'v>(element: &'v Element<'v>, lists: [&str; 2], key: &str) -> Vec<&'v Element<'v>> {
    let of = |list: &str| -> Vec<&'v Element<'v>> {
        element.children().iter().filter(|child| child.name() == list && child.get(key).is_some()).collect()
    };
    lists.into_iter().map(of).find(|entries| !entries.is_empty()).unwrap_or_default()
}

fn natures(ledgers: &[&Element<'_>], items: &[&Element<'_>]) -> Vec<String> {
    let mut stated: Vec<&str> = Vec::new();
    for line in ledgers.iter().chain(items) {
        let inner = line.children().iter().filter(|child| child.name().ends_with("ALLOCATIONS.LIST"));
        for nature in std::iter::once(*line).chain(inner).filter_map(|found| found.get("GSTOVRDNNATURE")) {
            if !stated.contains(&nature) {
                stated.push(nature);
            }
        }
    }
    stated.into_iter().map(spelling::fold).collect()
}

fn read_amount(entry: &Element<'_>, what: &str, report: &mut Report) -> Amount {
    let Some(text) = entry.get("AMOUNT") else {
        return sum(entry.all(ALLOCATIONS).filter_map(|line| line.get("AMOUNT").and_then(lexical::amount)));
    };
    lexical::amount(text).unwrap_or_else(|| {
        report.add(
            Finding::error(
                "tally.unreadable_amount",
                "ValDtls.TotInvVal",
                format!("the amount of one {what} line is no amount in rupees and paise"),
            )
            .with_found(text)
            .with_expected("a decimal with at most two places"),
        );
        Amount::ZERO
    })
}

pub(crate) fn sum(amounts: impl IntoIterator<Item = Amount>) -> Amount {
    Amount::checked_sum(amounts).unwrap_or_default()
}
