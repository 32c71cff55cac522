//! The table of rules.

use super::{Ground, Rule};
use crate::finding::Severity::{self, Error, Repaired, Warning};

const fn rule(
    id: &'static str,
    code: Option<&'static str>,
    severity: Severity,
    ground: Ground,
    summary: &'static str,
) -> Rule {
    Rule { id, code, severity, ground, from: None, until: None, summary }
}

macro_rules! rules {
    ($($name:ident = $id:literal, $code:expr, $severity:ident, $ground:ident, $summary:literal;)+) => {
        $(pub(crate) static $name: Rule = rule($id, $code, $severity, Ground::$ground, $summary);)+

        static RULES: &[Rule] = &[$(rule($id, $code, $severity, Ground::$ground, $summary)),+];
    };
}

/// All rules, in the order in which they are checked.
#[must_use]
pub fn rules() -> &'static [Rule] {
    RULES
}

rules! {
    JSON_SYNTAX = "json.syntax", Some("2140"), Error, Schema, "The document is JSON.";
    JSON_OBJECT = "json.object", Some("2140"), Error, Schema, "The document is one JSON object.";
    JSON_DEPTH = "json.depth", Some("2140"), Error, Own, "The document is nested at most 64 levels deep.";
    REPAIRED = "schema.repaired", None, Repaired, Own, "A value has the type and spelling of the schema, not just their meaning.";
    ENTRIES = "schema.entries", Some("5002"), Error, Own, "A list has at most 2000 entries.";
    MORE = "findings.more", None, Warning, Own, "All findings are listed.";
    REQUIRED = "schema.required", Some("5002"), Error, Schema, "A mandatory member is given.";
    TYPE = "schema.type", Some("5002"), Error, Schema, "A member is a string, a number, an object or a list, as the schema has it.";
    LENGTH = "schema.length", Some("5002"), Error, Schema, "A text has as many characters as the schema allows.";
    PATTERN = "schema.pattern", Some("5002"), Error, Schema, "A text has the form the schema asks for.";
    ENUM = "schema.enum", Some("5002"), Error, Schema, "A text is one of the words the schema lists.";
    RANGE = "schema.range", Some("5002"), Error, Schema, "A number lies within the bounds of the schema.";
    DECIMALS = "schema.decimals", Some("5002"), Error, Notification, "A number has no more decimals than the form gives it.";
    SIZE = "schema.size", Some("5002"), Error, Validations, "The document has at most 2 MB.";
    ITEMS_MIN = "items.none", Some("2228"), Error, Validations, "The document has at least one item.";
    ITEMS_MAX = "items.too_many", Some("2173"), Error, Validations, "The document has at most 1000 items.";
    DUPLICATE = "schema.duplicate", Some("5002"), Error, Own, "A member stands once in its object, whatever the case of its name.";
    UNKNOWN = "schema.unknown", None, Warning, Own, "A member is one INV-01 has.";
    IRN_GIVEN = "schema.irn_given", None, Warning, Validations, "The document brings no Irn.";

    CHECK_DIGIT = "gstin.check_digit", Some("3030"), Error, Own, "The last character of a GSTIN is the check character of the others.";
    SELLER_STATE = "seller.state", Some("2258"), Error, Validations, "The supplier's state is that of its GSTIN.";
    BUYER_STATE = "buyer.state", Some("2265"), Error, Validations, "The recipient's state is that of its GSTIN.";
    EXPORT_STATE = "buyer.export_state", Some("2261"), Error, Validations, "The recipient of an export has state code 96.";
    SAME_PARTY = "buyer.same_gstin", Some("2211"), Error, Validations, "Supplier and recipient have different GSTINs.";
    BUYER_URP = "buyer.urp", Some("2212"), Error, Validations, "The recipient has a GSTIN unless the supply is an export.";
    DEEMED_URP = "buyer.deemed_export_urp", Some("2171"), Error, Validations, "The recipient of a deemed export has a GSTIN.";
    EXPORT_URP = "buyer.export_urp", Some("2248"), Error, Validations, "The recipient of an export is URP.";
    BUYER_PIN = "buyer.pin", Some("2274"), Error, Validations, "The recipient has a PIN code unless the supply is an export.";
    EXPORT_POS = "buyer.export_pos", Some("2229"), Error, Validations, "The place of supply of an export is 96.";
    POS = "buyer.pos", Some("2242"), Error, Validations, "The place of supply is 96 for exports only.";
    REVERSE_CHARGE = "tran.reverse_charge", Some("2162"), Error, Validations, "Reverse charge goes with B2B and SEZ supplies only.";
    IGST_ON_INTRA = "tran.igst_on_intra", Some("2262"), Error, Validations, "IgstOnIntra is Y only where supplier state and place of supply agree.";
    FUTURE = "document.future", Some("2163"), Error, Validations, "The document date is not later than the day of reporting.";

    PRECEDING = "ref.preceding_number", None, Warning, Schema, "The number of a preceding document has at least two characters.";
    SL_NO = "items.sl_no", Some("2233"), Error, Validations, "No two items have the same serial number.";
    QUANTITY = "items.qty", Some("2238"), Error, Validations, "Goods have a quantity.";
    UNIT = "items.unit", Some("2239"), Error, Validations, "Goods have a unit.";
    SERVICE = "items.service", None, Error, Validations, "Codes of services begin with 99, and those of goods do not.";
    RATE = "items.rate", Some("2240"), Error, Validations, "The rate of an invoice is one of the rates of the law.";
    RATE_ENDED = "items.rate_ended", Some("2240"), Warning, Advisory, "12 and 28 per cent ended as general rates on 22 September 2025, when 40 began.";
    TOT_AMT = "items.tot_amt", Some("2192"), Warning, Advisory, "TotAmt is Qty x UnitPrice.";
    ASS_AMT = "items.ass_amt", Some("2193"), Error, Validations, "AssAmt is TotAmt - Discount.";
    CESS = "items.ces_amt", Some("2266"), Error, Validations, "CesAmt is AssAmt x CesRt / 100.";
    STATE_CESS = "items.state_ces_amt", Some("2267"), Error, Validations, "StateCesAmt is AssAmt x StateCesRt / 100.";
    TOT_ITEM_VAL = "items.tot_item_val", Some("2194"), Error, Validations, "TotItemVal is the sum of AssAmt, taxes, cesses and OthChrg.";

    IGST_IN_INTRA = "tax.igst_in_intra", Some("2172"), Error, Validations, "An intra-state supply has no IGST.";
    CGST_IN_INTER = "tax.cgst_in_inter", Some("2174"), Error, Validations, "An inter-state supply has no CGST and SGST.";
    CGST_IN_EXPORT = "tax.cgst_in_export", Some("2180"), Error, Validations, "An export has no CGST and SGST.";
    CGST_IN_SEZ = "tax.cgst_in_sez", Some("2237"), Error, Validations, "A supply to an SEZ has no CGST and SGST.";
    CGST_MISSING = "tax.cgst_missing", Some("2241"), Error, Validations, "A taxed intra-state supply has CGST and SGST.";
    CGST_UNEQUAL = "tax.cgst_unequal", Some("2227"), Error, Validations, "CGST and SGST are equal.";
    CGST_AMOUNT = "tax.cgst_amount", Some("2234"), Error, Validations, "CGST and SGST are AssAmt x GstRt / 200 each.";
    IGST_AMOUNT = "tax.igst_amount", Some("2235"), Error, Validations, "IGST is AssAmt x GstRt / 100.";

    ASS_VAL = "totals.ass_val", Some("2182"), Error, Validations, "AssVal is the sum of AssAmt.";
    SGST_VAL = "totals.sgst_val", Some("2183"), Error, Validations, "SgstVal is the sum of SgstAmt.";
    CGST_VAL = "totals.cgst_val", Some("2184"), Error, Validations, "CgstVal is the sum of CgstAmt.";
    IGST_VAL = "totals.igst_val", Some("2185"), Error, Validations, "IgstVal is the sum of IgstAmt.";
    CES_VAL = "totals.ces_val", Some("2186"), Error, Validations, "CesVal is the sum of CesAmt and CesNonAdvlAmt.";
    ST_CES_VAL = "totals.st_ces_val", Some("2187"), Error, Validations, "StCesVal is the sum of StateCesAmt and StateCesNonAdvlAmt.";
    DISCOUNT = "totals.discount", Some("2220"), Error, Validations, "The discount on the document is below its value.";
    TOT_INV_VAL = "totals.tot_inv_val", Some("2189"), Error, Validations, "TotInvVal is the sum of TotItemVal - Discount + OthChrg + RndOffAmt.";
}
