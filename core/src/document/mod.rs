//! The INV-01 document, schema version 1.1: what an invoice, credit note or debit note is to the portal.
//!
//! A mapper fills an [`Invoice`] by hand, or [`Invoice::from_json`] reads one; the [`rulebook`](crate::rulebook)
//! then turns it into a `Checked` document, and only that is ever sent.
//!
//! # Members
//! Each section is a plain struct with one [`Field`] per member; its documentation is the meaning the form gives the
//! member. Names, obligations, lengths, ranges and patterns stand in one table per section, at hand as
//! `SellerDtls::members()` and the like. Mandatory sections are always there and may be empty; optional ones are
//! `Option`s, lists are `Vec`s, and an empty list is an absent one.
//!
//! # Reading
//! Member names are taken in any case, as the portal takes them. `null` is absent, an empty string is a value.
//! What INV-01 does not have is kept in `unknown`, reported, and not sent. A value that is not of its type stays
//! in its place as [`Field::Malformed`]. No number passes through a binary float.
//!
//! ```
//! use einvoice_core::document::{DocDtls, Field, Invoice};
//! use einvoice_core::date::DocumentDate;
//!
//! let read = Invoice::from_json(r#"{"version":"1.1","DOCDTLS":{"Typ":"inv","No":"A/1","Dt":"05-11-2026"}}"#)?;
//! assert_eq!(read.invoice.label(), "INV A/1 of 05/11/2026");
//! assert_eq!(read.findings.len(), 1, "the date was written with hyphens");
//! assert_eq!(read.invoice.doc_dtls.dt, Field::Value(DocumentDate::from_ymd(2026, 11, 5).unwrap()));
//! assert_eq!(
//!     read.invoice.to_json(),
//!     r#"{"Version":"1.1","DocDtls":{"Typ":"INV","No":"A/1","Dt":"05/11/2026"}}"#
//! );
//! # Ok::<(), einvoice_core::document::JsonError>(())
//! ```

pub(crate) mod difference;
mod extras;
pub(crate) mod field;
mod filled;
mod header;
mod item;
pub(crate) mod member;
pub(crate) mod node;
pub(crate) mod path;
pub(crate) mod reader;
pub(crate) mod scanner;
pub(crate) mod table;
pub(crate) mod target;
#[cfg(test)]
mod tests;
mod totals;
pub(crate) mod writer;

pub use difference::Difference;
pub use extras::{AddlDocDtls, ContrDtls, DocPerdDtls, EwbDtls, ExpDtls, PrecDocDtls, RefDtls};
pub use field::{Facet, Field, Leaf, PartyGstin, SupplyType, Text, YesNo};
pub use filled::FilledMember;
pub use header::{BuyerDtls, DispDtls, DocDtls, SellerDtls, ShipDtls, TranDtls};
pub use item::{AttribDtls, BchDtls, Item};
pub use member::{Form, Kind, Member, Pattern, Wording};
pub use node::UnknownMember;
pub use reader::{ReadInvoice, ReadOptions};
pub use scanner::{JsonError, JsonFault, MAX_BYTES, MAX_DEPTH};
pub use target::{MemberPath, MemberPathError};
pub use totals::{PayDtls, ValDtls};

use serde_json::value::RawValue;

use crate::key::DocumentKey;
use member::{list, section, shaped};
use node::Section;
use table::sections;

/// The schema version every document states.
pub const VERSION: &str = "1.1";

sections! {
    /// A whole INV-01 document.
    struct Invoice in InvoiceSlot {
        /// Version of the schema, `1.1`.
        Version => version: Field<Text> = shaped(1, 6, Pattern::OneOf(&[VERSION])).required();
        /// Transaction.
        TranDtls => tran_dtls: TranDtls = section().required();
        /// Document.
        DocDtls => doc_dtls: DocDtls = section().required();
        /// Supplier.
        SellerDtls => seller_dtls: SellerDtls = section().required();
        /// Recipient.
        BuyerDtls => buyer_dtls: BuyerDtls = section().required();
        /// Place of dispatch.
        DispDtls => disp_dtls: Option<DispDtls> = section();
        /// Consignee.
        ShipDtls => ship_dtls: Option<ShipDtls> = section();
        /// Items, 1 to 1000.
        ItemList => item_list: Vec<Item> = list(1, 1000).required();
        /// Totals.
        ValDtls => val_dtls: ValDtls = section().required();
        /// Payment.
        PayDtls => pay_dtls: Option<PayDtls> = section().dropped();
        /// References.
        RefDtls => ref_dtls: Option<RefDtls> = section();
        /// Supporting documents.
        AddlDocDtls => addl_doc_dtls: Vec<AddlDocDtls> = list(0, usize::MAX);
        /// Export.
        ExpDtls => exp_dtls: Option<ExpDtls> = section();
        /// E-way bill request.
        EwbDtls => ewb_dtls: Option<EwbDtls> = section().dropped();
    }
}

impl Invoice {
    /// An empty document of the present schema version, for mappers to fill.
    #[must_use]
    pub fn new() -> Self {
        Self { version: VERSION.into(), ..Self::default() }
    }

    /// Reads one document, leniently; see [`ReadOptions`].
    ///
    /// # Errors
    /// When the text is not one JSON object of bearable size and depth. Everything else is a finding.
    pub fn from_json(text: &str) -> Result<ReadInvoice, JsonError> {
        Self::from_json_with(text, ReadOptions::default())
    }

    /// Reads one document.
    ///
    /// # Errors
    /// As [`from_json`](Self::from_json).
    pub fn from_json_with(text: &str, options: ReadOptions) -> Result<ReadInvoice, JsonError> {
        reader::read(text, options)
    }

    /// Reads one document out of a larger JSON text.
    ///
    /// # Errors
    /// As [`from_json`](Self::from_json).
    pub fn from_raw(raw: &RawValue) -> Result<ReadInvoice, JsonError> {
        Self::from_json(raw.get())
    }

    /// The canonical JSON: canonical names in the order of the form, no blanks, nothing absent or unknown.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut out = Vec::with_capacity(1024 + 512 * self.item_list.len());
        self.write_json(&mut out);
        // Every writer appends whole UTF-8 text.
        String::from_utf8(out).unwrap_or_default()
    }

    /// Appends the canonical JSON.
    pub fn write_json(&self, out: &mut Vec<u8>) {
        out.push(b'{');
        self.write_members(out);
        out.push(b'}');
    }

    /// Supplier, year, type and number, when all of them could be read.
    #[must_use]
    pub fn document_key(&self) -> Option<DocumentKey> {
        Some(DocumentKey {
            supplier: self.seller_dtls.gstin.get()?,
            year: self.doc_dtls.dt.get()?.financial_year(),
            doc_type: self.doc_dtls.typ.get()?,
            number: self.doc_dtls.no.as_ref()?.clone(),
        })
    }

    /// What a person calls the document: `INV A/1 of 05/11/2026`.
    #[must_use]
    pub fn label(&self) -> String {
        let typ = self.doc_dtls.typ.shown().unwrap_or_else(|| "document".into());
        let no = self.doc_dtls.no.shown().unwrap_or_else(|| "without number".into());
        match self.doc_dtls.dt.shown() {
            Some(dt) => format!("{typ} {no} of {dt}"),
            None => format!("{typ} {no}"),
        }
    }

    /// Where the signed copy disagrees with this document, beyond what signed copies leave out and write anew.
    #[must_use]
    pub fn differences(&self, signed: &Self) -> Vec<Difference> {
        let mut comparison = difference::Comparison::default();
        match difference::in_our_order(&self.item_list, &signed.item_list) {
            Some(item_list) => {
                let signed = Self { item_list, ..signed.clone() };
                self.compare_members(&signed, &mut comparison);
            }
            None => self.compare_members(signed, &mut comparison),
        }
        let mut differences = comparison.differences;
        // The first signed copies wrote the version this way for requests that said 1.1.
        let rendered =
            |difference: &Difference| difference.path == "Version" && difference.theirs.as_deref() == Some("1.01");
        differences.retain(|difference| !rendered(difference));
        differences
    }

    /// Walks every member in table order.
    pub(crate) fn walk(&self, visitor: &mut impl node::Visitor) {
        self.visit_members(visitor);
    }

    /// Walks every member in table order, to change what is there.
    pub(crate) fn walk_mut(&mut self, editor: &mut impl node::Editor) {
        self.edit_members(editor);
    }
}
