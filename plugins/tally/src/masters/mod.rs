//! The masters of an export: what vouchers refer to by name.
//!
//! Filled in the first pass over a file; only what mapping asks for is kept, so memory grows with
//! the number of masters, never with the number of vouchers.

mod read;

pub(crate) use read::{Head, duty_head, rates};

use std::collections::HashMap;
use std::sync::Arc;

use einvoice_core::date::DocumentDate;
use einvoice_core::number::Rate;

use einvoice_core::spelling;

/// Groups that tell what a ledger is, whatever the user's groups below them are called.
const CHAIN_MAX: usize = 32;

/// The masters of one file, and the ones shared by all files behind them.
#[derive(Debug, Default)]
pub(crate) struct Masters {
    pub(crate) current_company: Option<String>,
    pub(crate) company: Option<Company>,
    ledgers: HashMap<String, Ledger>,
    groups: HashMap<String, Group>,
    items: HashMap<String, StockItem>,
    stock_groups: HashMap<String, StockItem>,
    units: HashMap<String, String>,
    voucher_types: HashMap<String, VoucherType>,
    tax_units: Vec<TaxUnit>,
    currencies: HashMap<String, String>,
    shared: Option<Arc<Masters>>,
}

/// A company: whose books these are.
#[derive(Debug, Default, Clone)]
pub(crate) struct Company {
    pub(crate) name: Option<String>,
    pub(crate) formal_name: Option<String>,
    pub(crate) contact: Contact,
}

/// A GST registration of the company.
#[derive(Debug, Default, Clone)]
pub(crate) struct TaxUnit {
    pub(crate) name: String,
    pub(crate) gstin: Option<String>,
    pub(crate) bill_from_place: Option<String>,
    pub(crate) contact: Contact,
}

/// Address and ways to reach somebody.
#[derive(Debug, Default, Clone)]
pub(crate) struct Contact {
    pub(crate) name: Option<String>,
    pub(crate) address: Vec<String>,
    pub(crate) pin: Option<String>,
    pub(crate) state: Option<String>,
    pub(crate) phone: Option<String>,
    pub(crate) email: Option<String>,
}

/// A ledger.
#[derive(Debug, Default, Clone)]
pub(crate) struct Ledger {
    pub(crate) parent: Option<String>,
    pub(crate) tax_type: Option<String>,
    pub(crate) duty_head: Option<String>,
    pub(crate) rounds: bool,
    pub(crate) appropriate_for_gst: bool,
    pub(crate) gst_applicable: Option<bool>,
    pub(crate) registrations: Vec<(Option<DocumentDate>, Registration)>,
    pub(crate) contact: Contact,
    pub(crate) gst: GstDetails,
}

/// GST registration of a party.
#[derive(Debug, Default, Clone)]
pub(crate) struct Registration {
    pub(crate) gstin: Option<String>,
    pub(crate) kind: Option<String>,
    pub(crate) place_of_supply: Option<String>,
}

/// A group of ledgers.
#[derive(Debug, Default, Clone)]
struct Group {
    parent: Option<String>,
    reserved: Option<String>,
}

/// A stock item or stock group.
#[derive(Debug, Default, Clone)]
pub(crate) struct StockItem {
    pub(crate) parent: Option<String>,
    pub(crate) part_number: Option<String>,
    pub(crate) is_service: bool,
    pub(crate) gst: GstDetails,
}

/// Dated HSN codes, rates and taxability of a master.
#[derive(Debug, Default, Clone)]
pub(crate) struct GstDetails {
    hsn: Vec<(Option<DocumentDate>, String)>,
    rates: Vec<(Option<DocumentDate>, Rates)>,
    taxability: Vec<(Option<DocumentDate>, Taxability)>,
}

/// Whether GST is due on a supply at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Taxability {
    /// At some rate.
    Taxable,
    /// Exempt, nil rated or outside GST.
    Exempt,
}

impl Taxability {
    /// What one of Tally's words says; nothing for `Unknown` and its like.
    pub(crate) fn of_word(word: &str) -> Option<Self> {
        let word = spelling::fold(word);
        let begins = |start: &&str| word.starts_with(*start);
        if ["exempt", "nilrated", "nongst"].iter().any(begins) {
            return Some(Self::Exempt);
        }
        word.starts_with("taxable").then_some(Self::Taxable)
    }

    /// What the nature of a transaction says: `Sales Exempt`, `Interstate Sales - Taxable`.
    pub(crate) fn of_nature(nature: &str) -> Option<Self> {
        let nature = spelling::fold(nature);
        if ["exempt", "nilrated", "nongst"].iter().any(|word| nature.contains(word)) {
            return Some(Self::Exempt);
        }
        (nature.contains("taxable") && !nature.contains("nontaxable")).then_some(Self::Taxable)
    }
}

/// Rates by duty head.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rates {
    pub(crate) igst: Option<Rate>,
    pub(crate) cgst: Option<Rate>,
    pub(crate) sgst: Option<Rate>,
    pub(crate) cess: Option<Rate>,
    pub(crate) cess_per_unit: Option<Rate>,
    pub(crate) state_cess: Option<Rate>,
}

impl Rates {
    /// The whole GST rate: IGST, else CGST and SGST together; `None` when unknown.
    pub(crate) fn gst(&self) -> Option<Rate> {
        let halves = self.cgst.zip(self.sgst).and_then(|(cgst, sgst)| cgst.checked_add(sgst));
        // A nought for IGST beside filled halves is an unfilled head.
        match (self.igst, halves) {
            (Some(igst), Some(halves)) if igst.is_zero() && !halves.is_zero() => Some(halves),
            (Some(igst), _) => Some(igst),
            (None, halves) => halves,
        }
    }
}

/// A voucher type.
#[derive(Debug, Default, Clone)]
struct VoucherType {
    reserved: Option<String>,
    parent: Option<String>,
    renumbers: bool,
}

impl GstDetails {
    /// The HSN in force on a day.
    pub(crate) fn hsn_on(&self, day: Option<DocumentDate>) -> Option<&str> {
        latest(&self.hsn, day).map(String::as_str)
    }

    /// Whether the supply is taxable on a day, where the master says.
    pub(crate) fn taxability_on(&self, day: Option<DocumentDate>) -> Option<Taxability> {
        latest(&self.taxability, day).copied()
    }

    /// The rates in force on a day.
    pub(crate) fn rates_on(&self, day: Option<DocumentDate>) -> Option<Rates> {
        latest(&self.rates, day).copied()
    }
}

/// Of dated entries the last that applies on `day`.
fn latest<T>(entries: &[(Option<DocumentDate>, T)], day: Option<DocumentDate>) -> Option<&T> {
    let applies = |from: &Option<DocumentDate>| match (from, day) {
        (Some(from), Some(day)) => from.date() <= day.date(),
        _ => true,
    };
    entries
        .iter()
        .filter(|(from, _)| applies(from))
        .max_by_key(|(from, _)| from.map(DocumentDate::date))
        .map(|(_, entry)| entry)
}

impl Masters {
    /// Masters that look behind themselves into shared ones.
    pub(crate) fn before(shared: Arc<Self>) -> Self {
        Self { shared: Some(shared), ..Self::default() }
    }

    fn own_then_shared<'m, T>(&'m self, pick: impl Fn(&'m Self) -> Option<T>) -> Option<T> {
        pick(self).or_else(|| self.shared.as_deref().and_then(pick))
    }

    /// The ledger of a name.
    pub(crate) fn ledger(&self, name: &str) -> Option<&Ledger> {
        let key = spelling::fold(name);
        self.own_then_shared(|masters| masters.ledgers.get(&key))
    }

    /// The stock item of a name.
    pub(crate) fn item(&self, name: &str) -> Option<&StockItem> {
        let key = spelling::fold(name);
        self.own_then_shared(|masters| masters.items.get(&key))
    }

    /// The stock groups above a stock item, nearest first.
    pub(crate) fn stock_groups(&self, item: &StockItem) -> Vec<&StockItem> {
        let mut chain = Vec::new();
        let mut parent = item.parent.as_deref();
        while let Some(name) = parent.filter(|_| chain.len() < CHAIN_MAX) {
            let key = spelling::fold(name);
            let Some(group) = self.own_then_shared(|masters| masters.stock_groups.get(&key)) else { break };
            chain.push(group);
            parent = group.parent.as_deref();
        }
        chain
    }

    /// Whether a ledger stands below one of these built-in groups; `None` when that cannot be told.
    pub(crate) fn ledger_below(&self, ledger: &Ledger, reserved: &[&str]) -> Option<bool> {
        let mut parent = ledger.parent.clone()?;
        for _ in 0..CHAIN_MAX {
            if reserved.iter().any(|group| spelling::same(group, &parent)) {
                return Some(true);
            }
            let key = spelling::fold(&parent);
            let group = self.own_then_shared(|masters| masters.groups.get(&key))?;
            if let Some(found) = &group.reserved
                && reserved.iter().any(|wanted| spelling::same(wanted, found))
            {
                return Some(true);
            }
            match &group.parent {
                Some(next) if !spelling::same(next, &parent) => parent.clone_from(next),
                _ => return Some(false),
            }
        }
        Some(false)
    }

    /// The unit quantity code text of a unit: `KGS-KILOGRAMS`.
    pub(crate) fn reporting_unit(&self, unit: &str) -> Option<&str> {
        let key = spelling::fold(unit);
        self.own_then_shared(|masters| masters.units.get(&key)).map(String::as_str)
    }

    /// The built-in type that a voucher type stands for.
    pub(crate) fn reserved_voucher_type(&self, name: &str) -> Option<String> {
        let mut name = name.to_owned();
        for _ in 0..CHAIN_MAX {
            let key = spelling::fold(&name);
            let found = self.own_then_shared(|masters| masters.voucher_types.get(&key))?;
            if let Some(reserved) = &found.reserved {
                return Some(reserved.clone());
            }
            match &found.parent {
                Some(parent) if !spelling::same(parent, &name) => {
                    let known = self.own_then_shared(|masters| masters.voucher_types.get(&spelling::fold(parent)));
                    if known.is_none() {
                        return Some(parent.clone());
                    }
                    name.clone_from(parent);
                }
                _ => return None,
            }
        }
        None
    }

    /// Whether Tally may give vouchers of a type other numbers when one of them changes.
    pub(crate) fn renumbers(&self, voucher_type: &str) -> bool {
        let key = spelling::fold(voucher_type);
        self.own_then_shared(|masters| masters.voucher_types.get(&key)).is_some_and(|found| found.renumbers)
    }

    /// The registration of a GSTIN.
    pub(crate) fn tax_unit(&self, gstin: &str) -> Option<&TaxUnit> {
        self.own_then_shared(|masters| masters.tax_units.iter().find(|unit| unit.gstin.as_deref() == Some(gstin)))
    }

    /// The registration of a name, or the only one there is.
    pub(crate) fn tax_unit_named(&self, name: Option<&str>) -> Option<&TaxUnit> {
        match name {
            Some(name) => {
                self.own_then_shared(|masters| masters.tax_units.iter().find(|unit| spelling::same(&unit.name, name)))
            }
            None => self.own_then_shared(|masters| match masters.tax_units.as_slice() {
                [only] => Some(only),
                _ => None,
            }),
        }
    }

    /// The company, from this file or the shared ones.
    pub(crate) fn the_company(&self) -> Option<&Company> {
        self.own_then_shared(|masters| masters.company.as_ref())
    }

    /// The name Tally knows the company by.
    pub(crate) fn company_name(&self) -> Option<&str> {
        self.own_then_shared(|masters| {
            let named = masters.company.as_ref().and_then(|company| company.name.as_deref());
            masters.current_company.as_deref().or(named)
        })
    }

    /// The ISO code for a currency symbol, where the masters say.
    pub(crate) fn currency(&self, symbol: &str) -> Option<&str> {
        self.own_then_shared(|masters| masters.currencies.get(symbol)).map(String::as_str)
    }
}
