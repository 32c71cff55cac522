//! The table of rules.

use jiff::civil::{Date, date};

use super::{Ground, Rule};
use crate::finding::Severity::{self, Error, Repaired, Warning};

/// What a row says beyond its name, code, severity, ground and sentence.
#[derive(Clone, Copy)]
pub(crate) struct Extra {
    from: Option<Date>,
    until: Option<Date>,
    unsettled: Option<&'static str>,
}

pub(crate) const ALWAYS: Extra = Extra { from: None, until: None, unsettled: None };

pub(crate) const fn from(year: i16, month: i8, day: i8) -> Extra {
    Extra { from: Some(date(year, month, day)), until: None, unsettled: None }
}

pub(crate) const fn unsettled(reason: &'static str) -> Extra {
    Extra { from: None, until: None, unsettled: Some(reason) }
}

impl Extra {
    pub(crate) const fn unsettled(mut self, reason: &'static str) -> Self {
        self.unsettled = Some(reason);
        self
    }
}

pub(crate) const fn rule(
    id: &'static str,
    code: Option<&'static str>,
    severity: Severity,
    ground: Ground,
    summary: &'static str,
    extra: Extra,
) -> Rule {
    let Extra { from, until, unsettled } = extra;
    Rule { id, code, severity, ground, from, until, unsettled, summary }
}

/// Declares a table of rules: one static for each, and all of them in a row as `RULES`.
macro_rules! rules {
    (@extra) => { ALWAYS };
    (@extra $extra:expr) => { $extra };
    ($($name:ident = $id:literal, $code:expr, $severity:ident, $ground:ident, $summary:literal $(, $extra:expr)?;)+) => {
        $(pub(crate) static $name: Rule =
            rule($id, $code, $severity, Ground::$ground, $summary, $crate::rulebook::table::rule_table!(@extra $($extra)?));)+

        static RULES: &[Rule] =
            &[$(rule($id, $code, $severity, Ground::$ground, $summary, $crate::rulebook::table::rule_table!(@extra $($extra)?))),+];
    };
}

pub(crate) use rules as rule_table;

/// All rules of a document that is registered, in the order in which they are checked; those of an e-way bill without
/// registration are [`ewb::document::rules`](crate::ewb::document::rules).
#[must_use]
pub fn rules() -> &'static [Rule] {
    RULES
}

/// The rule of this name, of either table.
#[must_use]
pub fn rule_by_id(id: &str) -> Option<&'static Rule> {
    RULES.iter().chain(crate::ewb::document::rules()).find(|rule| rule.id == id)
}

rules! {
    JSON_SYNTAX = "json.syntax", Some("2140"), Error, Schema, "The document is JSON.";
    JSON_OBJECT = "json.object", Some("2140"), Error, Schema, "The document is one JSON object.";
    JSON_DEPTH = "json.depth", Some("2140"), Error, Own, "The document is nested at most 64 levels deep.";
    REPAIRED = "schema.repaired", None, Repaired, Own, "A value has the type and spelling of the schema, not just their meaning.";
    ENTRIES = "schema.entries", Some("5002"), Error, Own, "A list has at most 2000 entries.";
    MORE = "findings.more", None, Warning, Own, "All findings are listed.";
    REPAIR_TEXT_CUT = "repair.text_cut", Some("5002"), Repaired, Own, "Plain words are no longer than the schema takes; longer ones are cut where that was asked for.";
    REPAIR_CHARACTERS = "repair.characters", Some("5002"), Repaired, Own, "A text has no forbidden characters and no blanks around it; they are replaced where that was asked for.";
    REPAIR_LETTER_CASE = "repair.letter_case", Some("5002"), Repaired, Own, "A code is written in capitals; small letters become capitals where that was asked for.";
    REPAIR_HSN_DOTS = "repair.hsn_dots", Some("5002"), Repaired, Own, "An HSN or SAC is written in digits alone; what stands between them is left out where that was asked for.";
    REPAIR_STATE_ZEROS = "repair.state_zeros", Some("5002"), Repaired, Own, "A state code has two digits; more zeros before it are left out where that was asked for.";
    REQUIRED = "schema.required", Some("5002"), Error, Schema, "A mandatory member is given.";
    SELLER_PIN_MISSING = "seller.pin_missing", Some("2276"), Error, Validations, "The supplier's PIN code is given.", unsettled("the number was seen live in September 2026, its text was not");
    TYPE = "schema.type", Some("5002"), Error, Schema, "A member is a string, a number, an object or a list, as the schema has it.";
    LENGTH = "schema.length", Some("5002"), Error, Schema, "A text has as many characters as the schema allows.";
    PATTERN = "schema.pattern", Some("5002"), Error, Schema, "A text has the form the schema asks for.";
    ENUM = "schema.enum", Some("5002"), Error, Schema, "A text is one of the words the schema lists.";
    RANGE = "schema.range", Some("5002"), Error, Schema, "A number lies within the bounds of the schema.";
    DECIMALS = "schema.decimals", Some("5002"), Error, Notification, "A number has no more decimals than the form gives it.";
    SIZE = "schema.size", Some("5002"), Error, Validations, "The document has at most 2 MB.";
    ITEMS_MIN = "items.none", Some("2228"), Error, Validations, "The document has at least one item.";
    ITEMS_MAX = "items.too_many", Some("2173"), Error, Validations, "The document has at most 1000 items, or as many as the portal granted.";
    DUPLICATE = "schema.duplicate", Some("5002"), Error, Own, "A member stands once in its object, whatever the case of its name.";
    UNKNOWN = "schema.unknown", None, Warning, Own, "A member is one INV-01 has.", unsettled("no source says what the portal does with members it does not know");
    IRN_GIVEN = "schema.irn_given", None, Warning, Validations, "The document brings no Irn.";
    LATE_YEAR = "schema.late_year", None, Warning, Schema, "A batch's expiry or warranty, or the end of a period, lies in the years 2010 to 2029.", unsettled("the published pattern ends at 2029, a published validation at 2059");
    BLANKS = "schema.blanks", None, Warning, Own, "A text neither begins nor ends with a blank.", unsettled("whether the portal trims texts before it measures and hashes them is not known");

    FUTURE = "document.future", Some("2163"), Error, Validations, "The document date is not later than the day of reporting.";
    FLOOR = "document.floor", Some("2284"), Error, Validations, "The document date is not before the earliest the portal takes.";
    AGE = "document.age", Some("2305"), Error, Advisory, "A supplier with the turnover of the advisory reports a document within 30 days.", from(2023, 11, 1);
    AGE_LIMIT = "document.age_limit", Some("2305"), Warning, Advisory, "A document of a large supplier is not exactly 30 days old.", from(2023, 11, 1).unsettled("the advisory's example allows a difference of 29 days, the portal's message speaks of 30");
    AGE_TURNOVER = "document.age_turnover", Some("2305"), Warning, Advisory, "The supplier's turnover is known where the document is older than 29 days.", from(2023, 11, 1);
    PERIOD = "ref.period", Some("2219"), Error, Validations, "The period of the document begins no later than it ends.";
    PRECEDING = "ref.preceding_number", None, Warning, Schema, "The number of a preceding document has at least two characters.", unsettled("the schema's length says one character, its pattern two");

    ECM_GIVEN = "tran.ecm_given", Some("2224"), Error, Validations, "EcmGstin is left out where the supplier reports.";
    ECM_MISSING = "tran.ecm_missing", Some("2197"), Error, Validations, "EcmGstin is given where an e-commerce operator reports.";
    ECM_SENDER = "tran.ecm_sender", Some("2169"), Error, Validations, "The supplier or the operator named in EcmGstin reports.";
    ECM_TCS = "tran.ecm_tcs", Some("2195"), Error, Validations, "EcmGstin is a registration for tax collection at source.";
    REVERSE_CHARGE = "tran.reverse_charge", Some("2162"), Error, Validations, "Reverse charge goes with B2B and SEZ supplies only.";
    IGST_ON_INTRA = "tran.igst_on_intra", Some("2262"), Error, Validations, "IgstOnIntra is Y only where supplier state and place of supply agree.";
    IGST_ON_INTRA_REVERSE = "tran.igst_on_intra_reverse", Some("2294"), Warning, Advisory, "IgstOnIntra goes with reverse charge.", from(2021, 6, 10).unsettled("one republished list asks for it, and a large accounting program long did otherwise");

    CHECK_DIGIT = "gstin.check_digit", Some("3030"), Error, Own, "The last character of a GSTIN is the check character of the others.";
    GSTIN_FORM = "gstin.form", Some("3030"), Warning, Own, "A GSTIN has the form of one of the kinds of registration.", unsettled("the forms come from the developer portal of the GST network; the schema asks for less");
    SELLER_URP = "seller.urp", Some("2213"), Error, Validations, "The supplier has a GSTIN.";
    SELLER_STATE_KNOWN = "seller.state_known", Some("2259"), Error, Validations, "The supplier's state is one of the state master.";
    SELLER_STATE = "seller.state", Some("2258"), Error, Validations, "The supplier's state is that of its GSTIN.";
    BUYER_STATE_KNOWN = "buyer.state_known", Some("2260"), Error, Validations, "The recipient's state is one of the state master.";
    BUYER_STATE = "buyer.state", Some("2265"), Error, Validations, "The recipient's state is that of its GSTIN.";
    EXPORT_STATE = "buyer.export_state", Some("2261"), Error, Validations, "The recipient of an export has state code 96.";
    SAME_PARTY = "buyer.same_gstin", Some("2211"), Error, Validations, "Supplier and recipient have different GSTINs.";
    BUYER_URP = "buyer.urp", Some("2212"), Error, Validations, "The recipient has a GSTIN unless the supply is an export.";
    DEEMED_URP = "buyer.deemed_export_urp", Some("2171"), Error, Validations, "The recipient of a deemed export has a GSTIN.";
    EXPORT_URP = "buyer.export_urp", Some("2248"), Error, Validations, "The recipient of an export is URP.";
    BUYER_PIN = "buyer.pin", Some("2274"), Error, Validations, "The recipient has a PIN code unless the supply is an export.";
    EXPORT_POS = "buyer.export_pos", Some("2229"), Error, Validations, "The place of supply of an export is 96.";
    POS = "buyer.pos", Some("2242"), Error, Validations, "The place of supply is 96 for exports only.";
    POS_KNOWN = "buyer.pos_known", Some("2243"), Error, Validations, "The place of supply is a state that may be one.";
    OTHER_STATE = "place.state_known", Some("2200"), Error, Validations, "The states of dispatch and ship-to are ones of the state master.";
    PIN_STATE = "place.pin_state", Some("3039"), Error, Validations, "A PIN code lies in the state beside it.";
    PIN_UNKNOWN = "place.pin_unknown", Some("3038"), Warning, Validations, "A PIN code is one of the PIN master, or begins as those of its state do.", unsettled("the PIN master at hand is not the portal's own");
    PIN_EXPORT = "buyer.export_pin", Some("3039"), Warning, Validations, "The recipient of an export has PIN code 999999 or none.", unsettled("what the portal does with another PIN of a recipient abroad is not known");
    DISPATCH_PIN = "dispatch.pin", Some("2273"), Error, Validations, "Goods are dispatched from a place in India, not from PIN code 999999.", unsettled("seen once, in 2022, on the note to an export");
    EXPORT_SHIP = "ship.export_place", Some("2236"), Error, Validations, "The ship-to address of an export is the port or place in India from which the goods leave.";

    SELLER_KIND = "seller.kind", Some("2300"), Error, Validations, "The supplier is a regular taxpayer, a casual one or an SEZ developer.", from(2021, 6, 10);
    SELLER_SEZ = "seller.sez_unit", Some("2231"), Error, Validations, "The supplier is not an SEZ unit.";
    BUYER_SEZ = "buyer.sez", Some("2246"), Error, Validations, "A recipient in an SEZ is supplied as SEZWP or SEZWOP.", from(2021, 6, 10);
    BUYER_NOT_SEZ = "buyer.not_sez", Some("2247"), Error, Validations, "The recipient of SEZWP and SEZWOP is an SEZ unit or developer.", from(2021, 6, 10);
    DEEMED_KIND = "buyer.deemed_export_kind", None, Warning, Validations, "The recipient of a deemed export is a regular or casual taxpayer.", unsettled("the number and text with which the portal refuses another were not found");
    DISTRIBUTOR_REVERSE = "buyer.distributor_reverse_charge", None, Error, Validations, "Reverse charge does not go with a recipient that is an input service distributor.";
    GSTIN_UNKNOWN = "gstin.unknown", Some("3028"), Error, Validations, "A GSTIN is known to the portal.";
    GSTIN_INACTIVE = "gstin.inactive", Some("3029"), Error, Validations, "A GSTIN is active; a recipient may be suspended.", from(2021, 6, 10);
    GSTIN_CANCELLED = "gstin.cancelled", Some("3074"), Error, Validations, "The document is not later than the cancellation of a party's GSTIN.", from(2021, 6, 10);
    GSTIN_CANCELLED_UNDATED = "gstin.cancelled_undated", Some("3075"), Error, Validations, "The day of cancellation of a cancelled GSTIN is known.", from(2021, 6, 10);
    GSTIN_BEFORE = "gstin.before_registration", Some("3079"), Error, Validations, "The document is not earlier than the registration of an active GSTIN.", from(2021, 6, 10);
    GSTIN_CANCELLED_BEFORE = "gstin.cancelled_before", Some("3077"), Error, Validations, "The document is not earlier than the registration of a cancelled GSTIN.", from(2021, 6, 10);
    GSTIN_CANCELLED_UNREGISTERED = "gstin.cancelled_unregistered", Some("3078"), Error, Validations, "The day of registration of a cancelled GSTIN is known.", from(2021, 6, 10);

    SL_NO = "items.sl_no", Some("2233"), Error, Validations, "No two items have the same serial number.";
    QUANTITY = "items.qty", Some("2238"), Error, Validations, "Goods have a quantity.";
    UNIT = "items.unit", Some("2239"), Error, Validations, "Goods have a unit.";
    UNIT_KNOWN = "items.unit_known", Some("2177"), Error, Validations, "A unit is one of the unit quantity codes.";
    SERVICE = "items.service", None, Error, Validations, "Codes of services begin with 99, and those of goods do not.";
    HSN = "items.hsn", Some("2176"), Error, Validations, "An HSN or SAC is one of the master.";
    HSN_DOUBTFUL = "items.hsn_doubtful", Some("2176"), Warning, Validations, "An HSN is in both lists the master was made of, and has not been refused before.", unsettled("the two published lists differ, and the portal's own list was not at hand");
    HSN_LENGTH = "items.hsn_length", None, Error, Advisory, "A supplier with a turnover above 5 crore gives HSN codes of 6 digits or more.", from(2021, 4, 1);
    ORIGIN = "items.country", Some("2202"), Error, Validations, "The country of origin is one of the country master.";
    RATE = "items.rate", Some("2240"), Error, Validations, "The rate of an invoice is one of the rates of the law.";
    RATE_ENDED = "items.rate_ended", Some("2240"), Warning, Advisory, "12 and 28 per cent ended as general rates on 22 September 2025, when 40 began.", unsettled("whether the portal refuses the old rates was not found");
    TOT_AMT = "items.tot_amt", Some("2192"), Warning, Advisory, "TotAmt is Qty x UnitPrice.", unsettled("the portal suspended this check in September 2020, for the time being");
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
    IGST_WITHOUT_PAYMENT = "tax.igst_without_payment", None, Warning, Validations, "A supply without payment of tax (EXPWOP, SEZWOP) has no IGST.", unsettled("the sources say that it may be nought at any rate, and not what the portal does where it is not");

    ASS_VAL = "totals.ass_val", Some("2182"), Error, Validations, "AssVal is the sum of AssAmt.";
    SGST_VAL = "totals.sgst_val", Some("2183"), Error, Validations, "SgstVal is the sum of SgstAmt.";
    CGST_VAL = "totals.cgst_val", Some("2184"), Error, Validations, "CgstVal is the sum of CgstAmt.";
    IGST_VAL = "totals.igst_val", Some("2185"), Error, Validations, "IgstVal is the sum of IgstAmt.";
    CES_VAL = "totals.ces_val", Some("2186"), Error, Validations, "CesVal is the sum of CesAmt and CesNonAdvlAmt.";
    ST_CES_VAL = "totals.st_ces_val", Some("2187"), Error, Validations, "StCesVal is the sum of StateCesAmt and StateCesNonAdvlAmt.";
    DISCOUNT = "totals.discount", Some("2220"), Error, Validations, "The discount on the document is below its value.";
    TOT_INV_VAL = "totals.tot_inv_val", Some("2189"), Error, Validations, "TotInvVal is the sum of TotItemVal - Discount + OthChrg + RndOffAmt.";

    EXPORT_COUNTRY = "export.country_missing", None, Warning, Notification, "An export names its country.";
    COUNTRY = "export.country", Some("2202"), Error, Validations, "The country of an export is one of the country master.";
    CURRENCY = "export.currency", Some("2203"), Error, Validations, "The additional currency is one of the currency master.";
    PORT = "export.port", Some("2201"), Error, Validations, "The port is one of the port master.";

    EWB_DOCUMENT = "ewb.document", Some("4010"), Warning, Validations, "An e-way bill is asked for with an invoice, not with a note.";
    EWB_GOODS = "ewb.goods", Some("4009"), Warning, Validations, "An e-way bill needs at least one item of goods.";
    EWB_MODE = "ewb.mode", Some("4019"), Warning, Validations, "An e-way bill names the mode of transport or the transporter.";
    EWB_MODE_MISSING = "ewb.mode_missing", Some("4028"), Warning, Validations, "A vehicle or transport document comes with the mode of transport.";
    EWB_VEHICLE = "ewb.vehicle", Some("4011"), Warning, Validations, "Transport by road names the vehicle.";
    EWB_VEHICLE_TYPE = "ewb.vehicle_type", Some("4022"), Warning, Validations, "Transport by road names the type of the vehicle.";
    EWB_VEHICLE_FORM = "ewb.vehicle_form", Some("4014"), Warning, Notification, "A vehicle number has the form of a registration.", unsettled("the list of forms that the e-way bill system knows was not found whole");
    EWB_DOC_NO = "ewb.document_number", Some("4012"), Warning, Validations, "Transport by rail and air names the transport document.";
    EWB_DOC_DATE = "ewb.document_date", Some("4023"), Warning, Validations, "Transport by rail and air names the date of the transport document.";
    EWB_SHIP_MODE = "ewb.ship", Some("4040"), Warning, Validations, "Transport by ship names a vehicle or a transport document.";
    EWB_SHIP_TYPE = "ewb.ship_vehicle_type", Some("4039"), Warning, Validations, "A vehicle in transport by ship is an over-dimensional one.";
    EWB_ODC = "ewb.odc", Some("4024"), Warning, Validations, "Transport by rail and air has no over-dimensional vehicle.";
    EWB_DOC_FUTURE = "ewb.document_future", Some("4016"), Warning, Validations, "The transport document is not of a later day than the day of reporting.";
    EWB_DOC_EARLY = "ewb.document_early", Some("4021"), Warning, Validations, "The transport document is not earlier than the invoice.";
    EWB_SAME_PIN = "ewb.same_pin", Some("4029"), Warning, Validations, "Between two places with one PIN code the distance is given, 1 to 100 km.";
    EWB_FOREIGN_PIN = "ewb.foreign_pin", Some("4034"), Warning, Validations, "The portal computes no distance to PIN code 999999.";
    EWB_EXPORT_SHIP = "ewb.export_ship", Some("4031"), Warning, Validations, "The e-way bill of an export names the port or place in India as ship-to.";
    EWB_EXPORT_SHIP_STATE = "ewb.export_ship_state", Some("4032"), Warning, Validations, "The ship-to state of an export's e-way bill is not 96.";
    EWB_EXPORT_SHIP_PIN = "ewb.export_ship_pin", Some("4033"), Warning, Validations, "The ship-to PIN code of an export's e-way bill is not 999999.";
    EWB_DISPATCH_STATE = "ewb.dispatch_state", Some("4035"), Warning, Validations, "The dispatch state of an e-way bill is not 96.";
    EWB_DISPATCH_PIN = "ewb.dispatch_pin", Some("4036"), Warning, Validations, "The dispatch PIN code of an e-way bill is not 999999.";

    SHIP_GSTIN = "ship.gstin", Some("5002"), Error, Advisory, "ShipDtls has a GSTIN or URP where an e-way bill is asked for.", unsettled(ON_HOLD);
    SHIP_GSTIN_LATER = "ship.gstin_later", Some("5001"), Error, Advisory, "The ship-to of an e-way bill made from an IRN has a GSTIN or URP.", unsettled(ON_HOLD);
    SHIP_SAME = "ship.same_gstin", Some("2323"), Error, Advisory, "The ship-to GSTIN is not that of the recipient.", unsettled(ON_HOLD);
    SHIP_STATE = "ship.state", Some("2325"), Error, Advisory, "The ship-to state is that of its GSTIN.", unsettled(ON_HOLD);
    SHIP_STATE_LATER = "ship.state_later", Some("4074"), Error, Advisory, "The ship-to state of an e-way bill made from an IRN is that of its GSTIN.", unsettled(ON_HOLD);
}

/// Why the ship-to rule is not settled.
pub(crate) const ON_HOLD: &str = "on hold since the advisory of 29 July 2026 (portal id 668)";
