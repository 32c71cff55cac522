//! One fault at a time, put into a valid document, each with the rule and the portal's code it must yield.
//!
//! Rules and codes are written here from the published lists, not asked from the rulebook's table.

mod amounts;
mod carriage;
mod form;
mod header;
mod parties;

use einvoice_core::date::DocumentDate;
use einvoice_core::document::{Field, Invoice, Item, PartyGstin, SupplyType, YesNo};
use einvoice_core::identifier::{Gstin, HsnCode, StateCode};
use einvoice_core::key::DocumentType;
use einvoice_core::number::{Amount, Whole};
use einvoice_core::rulebook::RuleSettings;
use jiff::civil::Date;

use crate::invoices::Draw;

/// A document, and what its check is told beside it.
#[derive(Debug, Clone)]
#[expect(clippy::exhaustive_structs, reason = "tests make them")]
pub struct Case {
    /// The document.
    pub invoice: Invoice,
    /// The settings.
    pub settings: RuleSettings,
}

impl Case {
    /// A document under default settings.
    #[must_use]
    pub fn new(invoice: Invoice) -> Self {
        Self { invoice, settings: RuleSettings::default() }
    }

    fn supply(&self) -> Option<SupplyType> {
        self.invoice.tran_dtls.sup_typ.get()
    }

    fn is_export(&self) -> bool {
        self.supply().is_some_and(SupplyType::is_export)
    }

    fn is_sez(&self) -> bool {
        self.supply().is_some_and(SupplyType::is_sez)
    }

    fn is_without_payment(&self) -> bool {
        self.supply().is_some_and(SupplyType::is_without_payment)
    }

    fn is_note(&self) -> bool {
        self.invoice.doc_dtls.typ.get() != Some(DocumentType::Invoice)
    }

    fn recipient(&self) -> Option<Gstin> {
        self.invoice.buyer_dtls.gstin.get().and_then(PartyGstin::gstin)
    }

    /// Whether the tax is CGST and SGST.
    fn is_intra(&self) -> bool {
        let invoice = &self.invoice;
        !self.is_export()
            && !self.is_sez()
            && invoice.tran_dtls.igst_on_intra.get() != Some(YesNo::Yes)
            && invoice.seller_dtls.stcd.get() == invoice.buyer_dtls.pos.get()
    }

    /// An item, drawn.
    fn item(&mut self, draw: &mut Draw<'_>) -> Option<&mut Item> {
        let index = draw.below(self.invoice.item_list.len());
        self.invoice.item_list.get_mut(index)
    }

    /// The first item that fits.
    fn first(&mut self, fits: impl Fn(&Item) -> bool) -> Option<&mut Item> {
        self.invoice.item_list.iter_mut().find(|item| fits(item))
    }
}

/// Puts a fault into a document; nothing where the document has no room for it.
pub type Put = fn(&mut Case, &mut Draw<'_>) -> Option<()>;

/// A fault.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::exhaustive_structs, reason = "tests read them")]
pub struct Mutation {
    /// What is done.
    pub name: &'static str,
    /// The rule that must speak.
    pub rule: &'static str,
    /// The portal's code; nothing where it is not known.
    pub code: Option<&'static str>,
    /// Other rules that may speak as well, as the fault breaks them too.
    pub also: &'static [&'static str],
    /// Does it.
    pub put: Put,
}

const fn fault(
    name: &'static str,
    rule: &'static str,
    code: &'static str,
    also: &'static [&'static str],
    put: Put,
) -> Mutation {
    Mutation { name, rule, code: if code.is_empty() { None } else { Some(code) }, also, put }
}

/// Every fault.
#[must_use]
pub fn all() -> Vec<Mutation> {
    [
        form::FAULTS,
        header::FAULTS,
        parties::FAULTS,
        parties::TAXPAYERS,
        amounts::ITEMS,
        amounts::TAX,
        amounts::TOTALS,
        carriage::FAULTS,
    ]
    .concat()
}

/// Only where a condition holds.
fn when(condition: bool) -> Option<()> {
    condition.then_some(())
}

fn raw<T>(json: &str) -> Field<T> {
    Field::Malformed(json.into())
}

fn date(text: &str) -> Field<DocumentDate> {
    Field::from_text(text)
}

fn day(date: Date) -> Field<DocumentDate> {
    DocumentDate::from(date).into()
}

fn state(code: u8) -> Field<StateCode> {
    Field::from_option(StateCode::from_number(code))
}

fn whole(units: i64) -> Field<Whole> {
    Whole::from_units(units).into()
}

fn hsn(code: &str) -> Field<HsnCode> {
    Field::from_text(code)
}

/// Four rupees more: beyond the tolerance wherever within it the value stood.
fn more(field: &mut Field<Amount>) {
    *field = Amount::from_paise(field.get().map_or(0, Amount::paise) + 400).into();
}

/// A registration of nobody in a document.
fn stranger(state: Option<StateCode>, seed: u32) -> Option<Gstin> {
    Some(crate::documents::gstin(state?.number(), seed))
}
