//! What each ledger line of a voucher does: by configuration, else by its master, else by what the
//! line and its name say.

use super::Settings;
use super::voucher::LedgerLine;
use crate::config::LedgerRole;
use crate::masters::{Head, Ledger, Masters, Rates, duty_head, rates};
use einvoice_core::spelling;

/// What a ledger line does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Tax of a head.
    Tax(Head),
    /// Rounding.
    RoundOff,
    /// Sales or income: an item of its own.
    Sales,
    /// Part of the taxable value: a charge, or a discount where negative.
    Taxable,
    /// Outside GST: a charge, or a discount on the whole bill where negative.
    OutsideGst,
}

impl Kind {
    /// The kind for people.
    pub(crate) const fn in_words(self) -> &'static str {
        match self {
            Self::Tax(Head::Igst) => "IGST",
            Self::Tax(Head::Cgst) => "CGST",
            Self::Tax(Head::Sgst) => "SGST",
            Self::Tax(Head::Cess) => "cess",
            Self::Tax(Head::StateCess) => "state cess",
            Self::RoundOff => "rounding",
            Self::Sales => "sales",
            Self::Taxable => "part of the taxable value",
            Self::OutsideGst => "outside GST",
        }
    }
}

/// A judgement about a line.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Judged {
    pub(crate) kind: Kind,
    /// Nothing but the name spoke: the tax on the voucher may overrule it.
    pub(crate) guessed: bool,
    /// Neither the line nor a master or setting says it: a person is told.
    pub(crate) by_name: bool,
    /// How it was judged, for people.
    pub(crate) how: &'static str,
}

const INCOME: [&str; 5] =
    ["Sales Accounts", "Direct Incomes", "Indirect Incomes", "Income (Direct)", "Income (Indirect)"];
const CHARGE_WORDS: [&str; 12] = [
    "freight",
    "packing",
    "forward",
    "transport",
    "insurance",
    "loading",
    "handling",
    "courier",
    "shipping",
    "cartage",
    "delivery",
    "discount",
];
const OTHER_WORDS: [&str; 4] = ["othercharge", "othercharges", "adjustment", "donation"];

/// Judges a line. `has_items` says whether the voucher has stock items.
pub(crate) fn judge(line: &LedgerLine<'_>, has_items: bool, masters: &Masters, settings: &Settings) -> Judged {
    if let Some(role) = settings.ledger_role(line.name) {
        return Judged { kind: of_role(role), guessed: false, by_name: false, how: "configuration `ledgers`" };
    }
    if line.element.get("ROUNDTYPE").is_some() {
        return Judged { kind: Kind::RoundOff, guessed: false, by_name: false, how: "L/ROUNDTYPE" };
    }
    if line.element.get("APPROPRIATEFOR").is_some_and(|value| value.eq_ignore_ascii_case("GST")) {
        return Judged { kind: Kind::Taxable, guessed: false, by_name: false, how: "L/APPROPRIATEFOR" };
    }
    match masters.ledger(line.name) {
        Some(ledger) => by_master(line, ledger, has_items, masters),
        None => by_line(line, has_items),
    }
}

fn of_role(role: LedgerRole) -> Kind {
    match role {
        LedgerRole::Sales => Kind::Sales,
        LedgerRole::Cgst => Kind::Tax(Head::Cgst),
        LedgerRole::Sgst => Kind::Tax(Head::Sgst),
        LedgerRole::Igst => Kind::Tax(Head::Igst),
        LedgerRole::Cess => Kind::Tax(Head::Cess),
        LedgerRole::StateCess => Kind::Tax(Head::StateCess),
        LedgerRole::RoundOff => Kind::RoundOff,
        LedgerRole::TaxableCharge | LedgerRole::DiscountBeforeTax => Kind::Taxable,
        // A configured party that is not the voucher's own takes part in no taxable value.
        LedgerRole::Party | LedgerRole::OtherCharge | LedgerRole::DiscountAfterTax => Kind::OutsideGst,
    }
}

fn by_master(line: &LedgerLine<'_>, ledger: &Ledger, has_items: bool, masters: &Masters) -> Judged {
    let sure = |kind, how| Judged { kind, guessed: false, by_name: false, how };
    let tax_type = ledger.tax_type.as_deref().unwrap_or_default();
    if tax_type.eq_ignore_ascii_case("GST") {
        let head = ledger.duty_head.as_deref().and_then(duty_head).or_else(|| head_in(line.name));
        if let Some(head) = head {
            return sure(Kind::Tax(head), "M:LEDGER/GSTDUTYHEAD");
        }
    }
    if tax_type.eq_ignore_ascii_case("TCS") || tax_type.eq_ignore_ascii_case("TDS") {
        return sure(Kind::OutsideGst, "M:LEDGER/TAXTYPE");
    }
    if ledger.rounds {
        return sure(Kind::RoundOff, "M:LEDGER/ROUNDINGMETHOD");
    }
    if ledger.appropriate_for_gst {
        return sure(Kind::Taxable, "M:LEDGER/APPROPRIATEFOR");
    }
    let income = masters.ledger_below(ledger, &INCOME);
    match (ledger.gst_applicable, has_items) {
        (Some(false), _) => sure(Kind::OutsideGst, "M:LEDGER/GSTAPPLICABLE"),
        (Some(true), true) => sure(Kind::Taxable, "M:LEDGER/GSTAPPLICABLE"),
        (Some(true), false) => sure(in_service_bill(line), "M:LEDGER/GSTAPPLICABLE"),
        (None, false) if income == Some(true) => sure(in_service_bill(line), "M:LEDGER/PARENT"),
        (None, _) => by_line(line, has_items),
    }
}

/// On a bill without stock items the income ledgers are the items; what reduces the bill is a
/// discount.
fn in_service_bill(line: &LedgerLine<'_>) -> Kind {
    if line.amount.is_negative() && spelling::fold(line.name).contains("discount") {
        Kind::Taxable
    } else {
        Kind::Sales
    }
}

fn by_line(line: &LedgerLine<'_>, has_items: bool) -> Judged {
    let by_name = |kind, guessed| Judged { kind, guessed, by_name: true, how: "the ledger's name" };
    let folded = spelling::fold(line.name);
    if let Some(head) = head_in(line.name) {
        return by_name(Kind::Tax(head), false);
    }
    if folded.contains("roundoff") || folded.contains("rounding") || folded.contains("roundedoff") {
        return by_name(Kind::RoundOff, false);
    }
    let words: Vec<String> = line.name.split(|found: char| !found.is_alphanumeric()).map(str::to_lowercase).collect();
    if words.iter().any(|word| word == "tcs" || word == "tds") {
        return by_name(Kind::OutsideGst, false);
    }
    let own = rates(line.element) != Rates::default()
        || line.element.first(&["GSTHSNNAME", "GSTOVRDNNATURE", "GSTOVRDNTAXABILITY"]).is_some();
    if own {
        let kind = if has_items { Kind::Taxable } else { in_service_bill(line) };
        return Judged { kind, guessed: false, by_name: false, how: "the line's own GST details" };
    }
    if CHARGE_WORDS.iter().any(|word| folded.contains(word)) {
        return by_name(Kind::Taxable, true);
    }
    if has_items || line.amount.is_negative() || OTHER_WORDS.contains(&folded.as_str()) {
        return by_name(Kind::OutsideGst, true);
    }
    Judged { kind: Kind::Sales, guessed: false, by_name: true, how: "a bill without stock items" }
}

/// The head that a ledger's name shows: `Output CGST 9%`.
fn head_in(name: &str) -> Option<Head> {
    let folded = spelling::fold(name);
    let has = |word: &str| folded.contains(word);
    if has("cgst") || has("centraltax") {
        Some(Head::Cgst)
    } else if has("sgst") || has("utgst") || has("statetax") {
        Some(Head::Sgst)
    } else if has("igst") || has("integratedtax") {
        Some(Head::Igst)
    } else if has("statecess") || has("floodcess") {
        Some(Head::StateCess)
    } else if folded == "cess" || has("gstcess") || has("compensationcess") || has("outputcess") || has("cessoutput") {
        Some(Head::Cess)
    } else {
        None
    }
}
