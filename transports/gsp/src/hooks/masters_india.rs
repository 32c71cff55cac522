//! Masters India takes the portal's content under names of its own (its documentation, pages "Generate IRN", "Cancel
//! IRN" and "Generate E-Way Bill by IRN"). Values stay as they are: it takes codes as well as words. Answers have the
//! portal's names.

use einvoice_core::operation::{Operation, OperationKind};
use einvoice_protocol::members::{Members, elements};
use einvoice_protocol::object::Object;

use super::{Hook, HookError};

#[derive(Debug)]
struct MastersIndia;

crate::register_hook! {
    name: "masters-india",
    summary: "Masters India's names for the members of an invoice.",
    hook: MastersIndia
}

impl Hook for MastersIndia {
    fn request(&self, operation: &Operation, json: &str) -> Result<String, HookError> {
        match operation {
            Operation::GenerateIrn { .. } => renamed(json, INVOICE, "", Way::There),
            Operation::CancelIrn { .. } => renamed(json, CANCELLATION, "", Way::There),
            Operation::GenerateEwbByIrn { .. } => renamed(json, EWB_BY_IRN, "", Way::There),
            // Members of a profile alone.
            _ => Ok(json.to_owned()),
        }
    }

    fn asked(&self, operation: OperationKind, json: &str) -> Result<String, HookError> {
        let names = match operation {
            OperationKind::GenerateIrn => INVOICE,
            OperationKind::CancelIrn => CANCELLATION,
            OperationKind::GenerateEwbByIrn => EWB_BY_IRN,
            _ => return Ok(json.to_owned()),
        };
        let portals = renamed(json, names, "", Way::Back)?;
        // What the provider assumes of every invoice.
        let fixed = r#"{"Version":"1.1","TranDtls":{"TaxSch":"GST","#;
        Ok(match portals.strip_prefix(r#"{"TranDtls":{"#) {
            Some(rest) if operation == OperationKind::GenerateIrn => format!("{fixed}{rest}"),
            _ => portals,
        })
    }

    fn reply(&self, _: &Operation, json: &str) -> Result<String, HookError> {
        Ok(json.to_owned())
    }
}

/// Which names are turned into which.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// The portal's into the provider's.
    There,
    /// The provider's into the portal's.
    Back,
}

/// A member: the portal's name, the provider's, and the names within it.
type Name = (&'static str, Called);

#[derive(Debug, Clone, Copy)]
enum Called {
    /// The provider knows it by another fact, or always assumes it.
    LeftOut,
    /// A value.
    Value(&'static str),
    /// An object, or a list of objects.
    Section(&'static str, &'static [Name]),
}

use Called::{LeftOut, Section, Value};

const PARTY: &[Name] = &[
    ("Gstin", Value("gstin")),
    ("LglNm", Value("legal_name")),
    ("TrdNm", Value("trade_name")),
    ("Pos", Value("place_of_supply")),
    ("Addr1", Value("address1")),
    ("Addr2", Value("address2")),
    ("Loc", Value("location")),
    ("Pin", Value("pincode")),
    ("Stcd", Value("state_code")),
    ("Ph", Value("phone_number")),
    ("Em", Value("email")),
];

const DISPATCH: &[Name] = &[
    ("Nm", Value("company_name")),
    ("Addr1", Value("address1")),
    ("Addr2", Value("address2")),
    ("Loc", Value("location")),
    ("Pin", Value("pincode")),
    ("Stcd", Value("state_code")),
];

const ITEM: &[Name] = &[
    ("SlNo", Value("item_serial_number")),
    ("PrdDesc", Value("product_description")),
    ("IsServc", Value("is_service")),
    ("HsnCd", Value("hsn_code")),
    ("Barcde", Value("bar_code")),
    ("Qty", Value("quantity")),
    ("FreeQty", Value("free_quantity")),
    ("Unit", Value("unit")),
    ("UnitPrice", Value("unit_price")),
    ("TotAmt", Value("total_amount")),
    ("Discount", Value("discount")),
    ("PreTaxVal", Value("pre_tax_value")),
    ("AssAmt", Value("assessable_value")),
    ("GstRt", Value("gst_rate")),
    ("IgstAmt", Value("igst_amount")),
    ("CgstAmt", Value("cgst_amount")),
    ("SgstAmt", Value("sgst_amount")),
    ("CesRt", Value("cess_rate")),
    ("CesAmt", Value("cess_amount")),
    ("CesNonAdvlAmt", Value("cess_nonadvol_amount")),
    ("StateCesRt", Value("state_cess_rate")),
    ("StateCesAmt", Value("state_cess_amount")),
    ("StateCesNonAdvlAmt", Value("state_cess_nonadvol_amount")),
    ("OthChrg", Value("other_charge")),
    ("TotItemVal", Value("total_item_value")),
    ("OrdLineRef", Value("order_line_reference")),
    ("OrgCntry", Value("country_origin")),
    ("PrdSlNo", Value("product_serial_number")),
    (
        "BchDtls",
        Section(
            "batch_details",
            &[("Nm", Value("name")), ("ExpDt", Value("expiry_date")), ("WrDt", Value("warranty_date"))],
        ),
    ),
    (
        "AttribDtls",
        Section(
            "attribute_details",
            &[("Nm", Value("item_attribute_details")), ("Val", Value("item_attribute_value"))],
        ),
    ),
];

const REFERENCES: &[Name] = &[
    ("InvRm", Value("invoice_remarks")),
    (
        "DocPerdDtls",
        Section(
            "document_period_details",
            &[("InvStDt", Value("invoice_period_start_date")), ("InvEndDt", Value("invoice_period_end_date"))],
        ),
    ),
    (
        "PrecDocDtls",
        Section(
            "preceding_document_details",
            &[
                ("InvNo", Value("reference_of_original_invoice")),
                ("InvDt", Value("preceding_invoice_date")),
                ("OthRefNo", Value("other_reference")),
            ],
        ),
    ),
    (
        "ContrDtls",
        Section(
            "contract_details",
            &[
                ("RecAdvRefr", Value("receipt_advice_number")),
                ("RecAdvDt", Value("receipt_advice_date")),
                ("TendRefr", Value("batch_reference_number")),
                ("ContrRefr", Value("contract_reference_number")),
                ("ExtRefr", Value("other_reference")),
                ("ProjRefr", Value("project_reference_number")),
                ("PORefr", Value("vendor_po_reference_number")),
                ("PORefDt", Value("vendor_po_reference_date")),
            ],
        ),
    ),
];

const INVOICE: &[Name] = &[
    ("Version", LeftOut),
    (
        "TranDtls",
        Section(
            "transaction_details",
            &[
                ("TaxSch", LeftOut),
                ("SupTyp", Value("supply_type")),
                ("RegRev", Value("charge_type")),
                ("IgstOnIntra", Value("igst_on_intra")),
                ("EcmGstin", Value("ecommerce_gstin")),
            ],
        ),
    ),
    (
        "DocDtls",
        Section(
            "document_details",
            &[("Typ", Value("document_type")), ("No", Value("document_number")), ("Dt", Value("document_date"))],
        ),
    ),
    ("SellerDtls", Section("seller_details", PARTY)),
    ("BuyerDtls", Section("buyer_details", PARTY)),
    ("DispDtls", Section("dispatch_details", DISPATCH)),
    ("ShipDtls", Section("ship_details", PARTY)),
    ("ItemList", Section("item_list", ITEM)),
    (
        "ValDtls",
        Section(
            "value_details",
            &[
                ("AssVal", Value("total_assessable_value")),
                ("CgstVal", Value("total_cgst_value")),
                ("SgstVal", Value("total_sgst_value")),
                ("IgstVal", Value("total_igst_value")),
                ("CesVal", Value("total_cess_value")),
                ("StCesVal", Value("total_cess_value_of_state")),
                ("Discount", Value("total_discount")),
                ("OthChrg", Value("total_other_charge")),
                ("RndOffAmt", Value("round_off_amount")),
                ("TotInvVal", Value("total_invoice_value")),
                ("TotInvValFc", Value("total_invoice_value_additional_currency")),
            ],
        ),
    ),
    (
        "PayDtls",
        Section(
            "payment_details",
            &[
                ("Nm", Value("payee_name")),
                ("AccDet", Value("bank_account_number")),
                ("Mode", Value("payment_mode")),
                ("FinInsBr", Value("branch_or_ifsc")),
                ("PayTerm", Value("payment_term")),
                ("PayInstr", Value("payment_instruction")),
                ("CrTrn", Value("credit_transfer")),
                ("DirDr", Value("direct_debit")),
                ("CrDay", Value("credit_days")),
                ("PaidAmt", Value("paid_balance_amount")),
                ("PaymtDue", Value("outstanding_amount")),
            ],
        ),
    ),
    ("RefDtls", Section("reference_details", REFERENCES)),
    (
        "AddlDocDtls",
        Section(
            "additional_document_details",
            &[
                ("Url", Value("supporting_document_url")),
                ("Docs", Value("supporting_document")),
                ("Info", Value("additional_information")),
            ],
        ),
    ),
    (
        "ExpDtls",
        Section(
            "export_details",
            &[
                ("ShipBNo", Value("ship_bill_number")),
                ("ShipBDt", Value("ship_bill_date")),
                ("Port", Value("port_code")),
                ("RefClm", Value("refund_claim")),
                ("ForCur", Value("foreign_currency")),
                ("CntCode", Value("country_code")),
                ("ExpDuty", Value("export_duty")),
            ],
        ),
    ),
    (
        "EwbDtls",
        Section(
            "ewaybill_details",
            &[
                ("TransId", Value("transporter_id")),
                ("TransName", Value("transporter_name")),
                ("TransMode", Value("transportation_mode")),
                ("Distance", Value("transportation_distance")),
                ("TransDocNo", Value("transporter_document_number")),
                ("TransDocDt", Value("transporter_document_date")),
                ("VehNo", Value("vehicle_number")),
                ("VehType", Value("vehicle_type")),
            ],
        ),
    ),
];

const CANCELLATION: &[Name] =
    &[("Irn", Value("irn")), ("CnlRsn", Value("cancel_reason")), ("CnlRem", Value("cancel_remarks"))];

/// Flat here, and the distance has a shorter name than in an invoice.
const EWB_BY_IRN: &[Name] = &[
    ("Irn", Value("irn")),
    ("Distance", Value("distance")),
    ("TransMode", Value("transportation_mode")),
    ("TransId", Value("transporter_id")),
    ("TransName", Value("transporter_name")),
    ("TransDocDt", Value("transporter_document_date")),
    ("TransDocNo", Value("transporter_document_number")),
    ("VehNo", Value("vehicle_number")),
    ("VehType", Value("vehicle_type")),
    ("ExpShipDtls", Section("ship_details", PARTY)),
    ("DispDtls", Section("dispatch_details", DISPATCH)),
];

/// Members beside the invoice that the provider wants: whose call it is, and where it comes from.
const BESIDE: [&str; 2] = ["user_gstin", "data_source"];

/// An object with the other side's names, its values as they stand.
fn renamed(json: &str, names: &[Name], at: &str, way: Way) -> Result<String, HookError> {
    let members = Members::read(json, &[]).map_err(|error| HookError(format!("the JSON is damaged: {error}")))?;
    let mut object = Object::new();
    for (name, value) in members.iter() {
        let value = value.get().trim();
        if value == "null" || (way == Way::Back && at.is_empty() && BESIDE.contains(&name)) {
            continue;
        }
        let known = names.iter().find(|(portals, called)| match (way, called) {
            (Way::There, _) => portals.eq_ignore_ascii_case(name),
            (Way::Back, Value(called) | Section(called, _)) => *called == name,
            (Way::Back, LeftOut) => false,
        });
        let Some((portals, called)) = known else {
            // Nothing of a tax document is left away in silence.
            return Err(HookError(format!("Masters India has no name for {at}{name}")));
        };
        let written = |called: &'static str| if way == Way::There { called } else { *portals };
        match called {
            LeftOut => {}
            Value(called) => object = object.json(written(called), value),
            Section(called, within) => {
                let at = format!("{at}{name}.");
                let inner = if value.starts_with('[') {
                    let list = elements(value).unwrap_or_default();
                    let list: Result<Vec<String>, HookError> =
                        list.into_iter().map(|element| renamed(element.get(), within, &at, way)).collect();
                    format!("[{}]", list?.join(","))
                } else {
                    renamed(value, within, &at, way)?
                };
                object = object.json(written(called), &inner);
            }
        }
    }
    Ok(object.finish())
}

#[cfg(test)]
mod tests {
    use super::*;
    use einvoice_core::document::Invoice;

    fn hooked(json: &str) -> Result<String, HookError> {
        MastersIndia.request(&Operation::GenerateIrn { payload: json.as_bytes().to_vec().into() }, json)
    }

    #[test]
    fn every_member_of_the_form_has_a_name_there() {
        fn covered<'m>(members: impl Iterator<Item = &'m str>, names: &[Name]) {
            for member in members {
                assert!(names.iter().any(|(known, _)| *known == member), "{member}");
            }
        }
        use einvoice_core::document::{EwbDtls, Item, TranDtls, ValDtls};
        covered(Invoice::members().map(|member| member.name), INVOICE);
        covered(Item::members().map(|member| member.name), ITEM);
        let section = |wanted: &str| {
            INVOICE.iter().find_map(|(name, called)| match called {
                Section(_, within) if *name == wanted => Some(*within),
                _ => None,
            })
        };
        covered(TranDtls::members().map(|member| member.name), section("TranDtls").unwrap());
        covered(ValDtls::members().map(|member| member.name), section("ValDtls").unwrap());
        covered(EwbDtls::members().map(|member| member.name), section("EwbDtls").unwrap());
    }

    #[test]
    fn members_are_renamed_at_every_depth_and_numbers_keep_their_digits() {
        let json = r#"{"Version":"1.1","TranDtls":{"TaxSch":"GST","SupTyp":"B2B"},"ItemList":[{"SlNo":"1","TotAmt":1000.00,
            "BchDtls":{"Nm":"LOT","ExpDt":null}},{"SlNo":"2"}]}"#;
        let there = hooked(json).unwrap();
        let back = MastersIndia.asked(OperationKind::GenerateIrn, &there).unwrap();
        assert_eq!(
            back,
            r#"{"Version":"1.1","TranDtls":{"TaxSch":"GST","SupTyp":"B2B"},"ItemList":[{"SlNo":"1","TotAmt":1000.00,"BchDtls":{"Nm":"LOT"}},{"SlNo":"2"}]}"#
        );
        assert_eq!(
            there,
            r#"{"transaction_details":{"supply_type":"B2B"},"item_list":[{"item_serial_number":"1","total_amount":1000.00,"batch_details":{"name":"LOT"}},{"item_serial_number":"2"}]}"#
        );
    }

    #[test]
    fn a_member_without_a_name_there_is_not_left_away_in_silence() {
        let error = hooked(r#"{"ItemList":[{"Novelty":1}]}"#).unwrap_err();
        assert_eq!(error.to_string(), "Masters India has no name for ItemList.Novelty");
    }
}
