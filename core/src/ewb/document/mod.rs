//! The request for an e-way bill without an IRN (`GENEWAYBILL`): the form, typed.
//!
//! Goods move without an IRN when the recipient has no GSTIN, when they are exempt, and when nothing is sold: to a job
//! worker, to an exhibition, to one's own depot. Their bill is made in the e-way bill system itself. [`EwbRequest`] is
//! its form; [`EwbRequest::from_invoice`] fills it from a document, [`EwbRequest::check`] judges it by the
//! [`rules`] of the system, and [`EwbRequest::to_json`] writes what is sent.
//!
//! Names, types and obligations: NIC, e-way bill API 1.03. Lengths of names and addresses and the members of items were
//! read in the 1.02 table and in public client code only, so that their rules are warnings.
//!
//! # Reading
//! Names are taken in any case. Codes and numbers are taken as strings and as numbers, an empty string as absent.
//! What the form does not have is kept in `unknown`, reported, and not sent.
//!
//! ```
//! use einvoice_core::ewb::document::{EwbRequest, SubSupply};
//! use einvoice_core::document::Field;
//!
//! let read = EwbRequest::from_json(r#"{"SUPPLYTYPE":"O","subSupplyType":4,"docType":"CHL","docNo":"JW/7"}"#)?;
//! assert_eq!(read.request.sub_supply_type, Field::Value(SubSupply::JobWork));
//! assert_eq!(
//!     read.request.to_json(),
//!     r#"{"supplyType":"O","subSupplyType":"4","docType":"CHL","docNo":"JW/7"}"#
//! );
//! # Ok::<(), einvoice_core::document::JsonError>(())
//! ```

mod check;
mod compare;
mod from_invoice;
mod leaf;
mod rules;
#[cfg(test)]
mod tests;

pub use from_invoice::Transport;
pub use leaf::{Direction, EwbDocumentType, EwbHsn, EwbStateCode, Kilometres, SubSupply, TransactionType};
pub use rules::rules;

use super::{TransMode, VehicleType};
use crate::date::DocumentDate;
use crate::document::member::{
    Pattern, date, gstin, list, party, pin, quantity, rate, shaped, signed_amount, text, whole,
};
use crate::document::node::Section;
use crate::document::table::sections;
use crate::document::{Field, JsonError, PartyGstin, ReadOptions, Text, reader};
use crate::finding::Finding;
use crate::identifier::Gstin;
use crate::number::{Amount, Quantity, Rate, Whole};

/// Most kilometres the system is known to take; from client code, not from a page of NIC's.
pub const DISTANCE_MAX_KM: u32 = 4_000;

/// Most items of one bill in public client code.
pub const ITEMS_MAX: usize = 250;

sections! {
    /// A request for an e-way bill, `GENEWAYBILL`.
    struct EwbRequest in EwbRequestSlot {
        /// Direction: outward or inward.
        SupplyType as "supplyType" => supply_type: Field<Direction> = shaped(1, 1, Pattern::OneOf(&["O", "I"])).required();
        /// Kind of movement.
        SubSupplyType as "subSupplyType" => sub_supply_type: Field<SubSupply> = shaped(1, 2, Pattern::OneOf(&["1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12"])).required();
        /// Description of a movement of the kind others.
        SubSupplyDesc as "subSupplyDesc" => sub_supply_desc: Field<Text> = text(1, 20).empty_is_absent().dropped();
        /// Kind of document.
        DocType as "docType" => doc_type: Field<EwbDocumentType> = shaped(3, 3, Pattern::OneOf(&["INV", "BIL", "BOE", "CHL", "OTH"])).required();
        /// Number of the document.
        DocNo as "docNo" => doc_no: Field<Text> = shaped(1, 16, Pattern::Reference).required().empty_is_absent();
        /// Date of the document, DD/MM/YYYY.
        DocDate as "docDate" => doc_date: Field<DocumentDate> = date().required().empty_is_absent();
        /// GSTIN of the supplier, or URP.
        FromGstin as "fromGstin" => from_gstin: Field<PartyGstin> = party().required().empty_is_absent();
        /// Name of the supplier.
        FromTrdName as "fromTrdName" => from_trd_name: Field<Text> = text(1, 100).required().empty_is_absent().name();
        /// Supplier: first line of the address.
        FromAddr1 as "fromAddr1" => from_addr1: Field<Text> = text(1, 120).empty_is_absent().may_be_cut();
        /// Supplier: second line of the address.
        FromAddr2 as "fromAddr2" => from_addr2: Field<Text> = text(1, 120).empty_is_absent().may_be_cut();
        /// Supplier: town.
        FromPlace as "fromPlace" => from_place: Field<Text> = text(1, 50).required().empty_is_absent().may_be_cut();
        /// PIN code of the place of dispatch; 999999 for one abroad.
        FromPincode as "fromPincode" => from_pincode: Field<Whole> = pin().required().empty_is_absent();
        /// State the goods leave from.
        ActFromStateCode as "actFromStateCode" => act_from_state_code: Field<EwbStateCode> = whole(99).required().empty_is_absent();
        /// State of the supplier.
        FromStateCode as "fromStateCode" => from_state_code: Field<EwbStateCode> = whole(99).required().empty_is_absent();
        /// GSTIN of the recipient, or URP.
        ToGstin as "toGstin" => to_gstin: Field<PartyGstin> = party().required().empty_is_absent();
        /// Name of the recipient.
        ToTrdName as "toTrdName" => to_trd_name: Field<Text> = text(1, 100).required().empty_is_absent().name();
        /// Recipient: first line of the address.
        ToAddr1 as "toAddr1" => to_addr1: Field<Text> = text(1, 120).empty_is_absent().may_be_cut();
        /// Recipient: second line of the address.
        ToAddr2 as "toAddr2" => to_addr2: Field<Text> = text(1, 120).empty_is_absent().may_be_cut();
        /// Recipient: town.
        ToPlace as "toPlace" => to_place: Field<Text> = text(1, 50).required().empty_is_absent().may_be_cut();
        /// PIN code of the place of delivery; 999999 for one abroad.
        ToPincode as "toPincode" => to_pincode: Field<Whole> = pin().required().empty_is_absent();
        /// State the goods go to.
        ActToStateCode as "actToStateCode" => act_to_state_code: Field<EwbStateCode> = whole(99).required().empty_is_absent();
        /// State of the recipient.
        ToStateCode as "toStateCode" => to_state_code: Field<EwbStateCode> = whole(99).required().empty_is_absent();
        /// Kind of transaction.
        TransactionType as "transactionType" => transaction_type: Field<TransactionType> = whole(4).required().empty_is_absent();
        /// GSTIN of the place of dispatch, or URP.
        DispatchFromGstin as "dispatchFromGSTIN" => dispatch_from_gstin: Field<PartyGstin> = party().empty_is_absent().dropped();
        /// Name of the place of dispatch.
        DispatchFromTradeName as "dispatchFromTradeName" => dispatch_from_trade_name: Field<Text> = text(1, 100).empty_is_absent().dropped().name();
        /// GSTIN of the place of delivery, or URP.
        ShipToGstin as "shipToGSTIN" => ship_to_gstin: Field<PartyGstin> = party().empty_is_absent().dropped();
        /// Name of the place of delivery.
        ShipToTradeName as "shipToTradeName" => ship_to_trade_name: Field<Text> = text(1, 100).empty_is_absent().dropped().name();
        /// Items.
        ItemList as "itemList" => item_list: Vec<EwbItem> = list(1, ITEMS_MAX).required();
        /// Sum of the taxable values.
        TotalValue as "totalValue" => total_value: Field<Amount> = signed_amount().empty_is_absent();
        /// CGST.
        CgstValue as "cgstValue" => cgst_value: Field<Amount> = signed_amount().empty_is_absent();
        /// SGST or UTGST.
        SgstValue as "sgstValue" => sgst_value: Field<Amount> = signed_amount().empty_is_absent();
        /// IGST.
        IgstValue as "igstValue" => igst_value: Field<Amount> = signed_amount().empty_is_absent();
        /// Cess by rate.
        CessValue as "cessValue" => cess_value: Field<Amount> = signed_amount().empty_is_absent();
        /// Cess by quantity.
        CessNonAdvolValue as "cessNonAdvolValue" => cess_non_advol_value: Field<Amount> = signed_amount().empty_is_absent();
        /// Other charges, below nought for a discount.
        OtherValue as "otherValue" => other_value: Field<Amount> = signed_amount().empty_is_absent();
        /// Value of the document.
        TotInvValue as "totInvValue" => tot_inv_value: Field<Amount> = signed_amount().required().empty_is_absent();
        /// Distance in km; 0 lets the system compute it.
        TransDistance as "transDistance" => trans_distance: Field<Kilometres> = whole(4000).required().empty_is_absent().dropped();
        /// Mode of transport: 1 road, 2 rail, 3 air, 4 ship.
        TransMode as "transMode" => trans_mode: Field<TransMode> = whole(4).empty_is_absent().dropped();
        /// GSTIN or TRANSIN of the transporter.
        TransporterId as "transporterId" => transporter_id: Field<Gstin> = gstin().empty_is_absent();
        /// Name of the transporter.
        TransporterName as "transporterName" => transporter_name: Field<Text> = text(1, 100).empty_is_absent().dropped().may_be_cut();
        /// Number of the transport document.
        TransDocNo as "transDocNo" => trans_doc_no: Field<Text> = shaped(1, 15, Pattern::Reference).empty_is_absent().dropped();
        /// Date of the transport document.
        TransDocDate as "transDocDate" => trans_doc_date: Field<DocumentDate> = date().empty_is_absent().dropped();
        /// Number of the vehicle.
        VehicleNo as "vehicleNo" => vehicle_no: Field<Text> = shaped(7, 15, Pattern::LettersAndDigits).empty_is_absent().dropped();
        /// Kind of vehicle: R regular, O over-dimensional.
        VehicleType as "vehicleType" => vehicle_type: Field<VehicleType> = shaped(1, 1, Pattern::OneOf(&["R", "O"])).empty_is_absent().dropped();
        /// HSN code of most of the goods; of the bulk tool.
        MainHsnCode as "mainHsnCode" => main_hsn_code: Field<EwbHsn> = shaped(4, 8, Pattern::Hsn).empty_is_absent().dropped();
        /// GSTIN of the caller; of the bulk tool.
        UserGstin as "userGstin" => user_gstin: Field<Gstin> = gstin().empty_is_absent().dropped();
    }

    /// One line of goods.
    struct EwbItem in EwbItemSlot {
        /// Name of the product.
        ProductName as "productName" => product_name: Field<Text> = text(1, 100).empty_is_absent().may_be_cut();
        /// Description of the product.
        ProductDesc as "productDesc" => product_desc: Field<Text> = text(1, 100).empty_is_absent().may_be_cut();
        /// HSN code.
        HsnCode as "hsnCode" => hsn_code: Field<EwbHsn> = shaped(4, 8, Pattern::Hsn).required().empty_is_absent();
        /// Quantity.
        Quantity as "quantity" => quantity: Field<Quantity> = quantity().empty_is_absent();
        /// Unit quantity code.
        QtyUnit as "qtyUnit" => qty_unit: Field<Text> = shaped(3, 3, Pattern::Letters).empty_is_absent().in_capitals();
        /// Taxable value.
        TaxableAmount as "taxableAmount" => taxable_amount: Field<Amount> = signed_amount().required().empty_is_absent();
        /// CGST rate in per cent.
        CgstRate as "cgstRate" => cgst_rate: Field<Rate> = rate().empty_is_absent();
        /// SGST or UTGST rate in per cent.
        SgstRate as "sgstRate" => sgst_rate: Field<Rate> = rate().empty_is_absent();
        /// IGST rate in per cent.
        IgstRate as "igstRate" => igst_rate: Field<Rate> = rate().empty_is_absent();
        /// Cess rate in per cent.
        CessRate as "cessRate" => cess_rate: Field<Rate> = rate().empty_is_absent();
        /// Cess by quantity.
        CessNonAdvol as "cessNonAdvol" => cess_non_advol: Field<Amount> = signed_amount().empty_is_absent();
    }
}

/// A request as far as it could be read, and what there is to say about the text.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReadEwbRequest {
    /// The request.
    pub request: EwbRequest,
    /// Repairs, unknown members, repeated members, values that are no objects; in the order of the text.
    pub findings: Vec<Finding>,
}

impl EwbRequest {
    /// Reads a request: names in any case, codes as strings or numbers, numbers exactly.
    ///
    /// # Errors
    /// When the text is not one JSON object of bearable size and depth. Everything else is a finding.
    pub fn from_json(text: &str) -> Result<ReadEwbRequest, JsonError> {
        let (request, mut findings) = reader::read_form(text, ReadOptions::default(), "an e-way bill request")?;
        findings.iter_mut().for_each(check::rename);
        Ok(ReadEwbRequest { request, findings })
    }

    /// The canonical JSON: the system's names in the order of the form, no blanks, nothing absent or unknown.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut out = Vec::with_capacity(1024 + 256 * self.item_list.len());
        out.push(b'{');
        self.write_members(&mut out);
        out.push(b'}');
        // Every writer appends whole UTF-8 text.
        String::from_utf8(out).unwrap_or_default()
    }

    /// `INV`, `BIL`, `BOE`, `CHL` or `OTH`.
    #[must_use]
    pub fn doc_type(&self) -> Option<&'static str> {
        self.doc_type.get().map(EwbDocumentType::code)
    }

    /// Number of the document, as written.
    #[must_use]
    pub fn doc_no(&self) -> Option<&str> {
        self.doc_no.as_ref().map(|text| &**text)
    }

    /// Date of the document.
    #[must_use]
    pub fn doc_date(&self) -> Option<DocumentDate> {
        self.doc_date.get()
    }

    /// What a person calls the document: `CHL JW/7 of 05/11/2026`.
    #[must_use]
    pub fn label(&self) -> String {
        let kind = self.doc_type().unwrap_or("document");
        let number = self.doc_no().unwrap_or("without number");
        self.doc_date().map_or_else(|| format!("{kind} {number}"), |date| format!("{kind} {number} of {date}"))
    }

    /// True when the request has a vehicle, a transport document or a mode: Part B.
    #[must_use]
    pub const fn has_part_b(&self) -> bool {
        !self.vehicle_no.is_absent() || !self.trans_doc_no.is_absent() || !self.trans_mode.is_absent()
    }
}
