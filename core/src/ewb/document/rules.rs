//! The table of rules of a request, with the codes of the e-way bill system.
//!
//! Sources: NIC, e-way bill API 1.03, its validations and its list of codes; announcements of GSTN for the dates.

use crate::finding::Severity::{Error, Repaired, Warning};
use crate::rulebook::table::{ALWAYS, Extra, ON_HOLD, rule, rule_table, unsettled};
use crate::rulebook::{Ground, Rule};

const SOFT: Extra = unsettled("the length was read in an older table or in client code only");
const MATRIX: Extra = unsettled("the official list of inward combinations was not found whole");

/// All rules of a request for an e-way bill without an IRN, in the order in which they are checked.
#[must_use]
pub fn rules() -> &'static [Rule] {
    RULES
}

rule_table! {
    REPAIRED = "ewb.request.repaired", None, Repaired, Own, "A value has the type and spelling of the form, not just their meaning.";
    UNKNOWN = "ewb.request.unknown", None, Warning, Own, "A member is one the form has.";
    DUPLICATE = "ewb.request.duplicate", None, Error, Own, "A member stands once in its object, whatever the case of its letters.";
    SHAPE = "ewb.request.shape", None, Error, Schema, "The request is an object, its items a list of objects.";
    REQUIRED = "ewb.request.required", None, Error, Schema, "A mandatory member is given.";
    FORM = "ewb.request.form", None, Error, Schema, "A member is a string, number, date or code of its form.";
    LENGTH = "ewb.request.length", None, Warning, Schema, "A text has as many characters as the form allows.", SOFT;
    ITEMS = "ewb.request.items", Some("233"), Error, Schema, "A bill has at least one item.";
    ITEMS_MAX = "ewb.request.items_max", None, Warning, Own, "A bill has at most 250 items.", unsettled("the number is that of public client code");

    USER_FROM = "ewb.request.user_from", Some("359"), Error, Validations, "The caller of an outward movement is the supplier.";
    USER_TO = "ewb.request.user_to", Some("360"), Error, Validations, "The caller of an inward movement is the recipient.";
    USER_GSTIN = "ewb.request.user_gstin", Some("358"), Error, Validations, "userGstin is the caller's.";
    BOTH_URP = "ewb.request.both_urp", Some("822"), Error, Validations, "Supplier and recipient are not both unregistered.";
    CHECK_DIGIT = "ewb.request.check_digit", None, Error, Own, "The last character of a party's GSTIN is the check character of the others.";
    SUB_SUPPLY = "ewb.request.sub_supply", Some("203"), Error, Validations, "The kind of movement goes with the direction.";
    DOC_TYPE = "ewb.request.doc_type", Some("205"), Error, Validations, "The kind of document goes with direction and kind of movement.";
    DOC_TYPE_UNSURE = "ewb.request.doc_type_unsure", Some("611"), Warning, Validations, "The kind of document goes with an inward movement of a rarer kind.", MATRIX;
    PARTIES = "ewb.request.parties", None, Warning, Validations, "The other party is the caller itself, another or abroad, as the kind of movement asks.", unsettled("the code with which other parties are refused was not found");
    DESCRIPTION = "ewb.request.description", Some("377"), Error, Validations, "A movement of the kind others is described.";

    DATE_GST = "ewb.request.date_gst", Some("819"), Error, Validations, "The document is not older than GST, 1 July 2017.";
    DATE_FUTURE = "ewb.request.date_future", Some("207"), Error, Validations, "The document is not of a later day than today.";
    DATE_OLD = "ewb.request.date_old", Some("820"), Error, Advisory, "The document is not older than 180 days.", crate::rulebook::table::from(2025, 1, 1);

    FROM_STATE = "ewb.request.from_state", Some("211"), Error, Validations, "The supplier's states are ones of the list; 99 stands for abroad.";
    TO_STATE = "ewb.request.to_state", Some("215"), Error, Validations, "The recipient's states are ones of the list; 99 stands for abroad.";
    FROM_GSTIN_STATE = "ewb.request.from_gstin_state", Some("211"), Warning, Validations, "The supplier's state is that of its GSTIN.", unsettled("the system's text names the code as wrong, not the disagreement");
    TO_GSTIN_STATE = "ewb.request.to_gstin_state", Some("865"), Warning, Validations, "The recipient's state is that of its GSTIN.", unsettled("the number was read in one newer list only");
    FROM_PIN = "ewb.request.from_pin", Some("437"), Error, Validations, "The PIN code of dispatch lies in the state the goods leave from.";
    TO_PIN = "ewb.request.to_pin", Some("436"), Error, Validations, "The PIN code of delivery lies in the state the goods go to.";
    PIN_UNKNOWN = "ewb.request.pin_unknown", Some("710"), Warning, Validations, "A PIN code is one of the PIN master.", unsettled("the PIN master at hand is not the portal's own");
    SAME_FROM_STATE = "ewb.request.same_from_state", Some("643"), Error, Validations, "Without a place of dispatch of its own the goods leave from the supplier's state.";
    SAME_TO_STATE = "ewb.request.same_to_state", Some("644"), Error, Validations, "Without a ship-to place of its own the goods go to the recipient's state.";
    EXPORT_STATE = "ewb.request.export_state", Some("373"), Error, Validations, "The recipient of an export has state 99.";
    EXPORT_PIN = "ewb.request.export_pin", Some("374"), Error, Validations, "The PIN code of an export's destination is 999999.";
    EXPORT_PARTY = "ewb.request.export_party", Some("450"), Warning, Validations, "The recipient of an export is unregistered or in a special economic zone.", unsettled("a GSTIN does not show that it is of a special economic zone");
    IMPORT_STATE = "ewb.request.import_state", Some("375"), Error, Validations, "The supplier of an import has state 99.";
    IMPORT_PIN = "ewb.request.import_pin", Some("376"), Error, Validations, "The PIN code of an import's origin is 999999.";
    IMPORT_PARTY = "ewb.request.import_party", Some("451"), Warning, Validations, "The supplier of an import is unregistered or in a special economic zone.", unsettled("a GSTIN does not show that it is of a special economic zone");

    DISPATCH_MISSING = "ewb.request.dispatch_missing", Some("607"), Error, Validations, "Transaction types 3 and 4 name the GSTIN of dispatch, or URP.";
    DISPATCH_REGULAR = "ewb.request.dispatch_regular", Some("615"), Error, Validations, "A transaction without a place of dispatch of its own names none.";
    DISPATCH_SAME = "ewb.request.dispatch_same", Some("617"), Error, Validations, "Supplier and place of dispatch have different GSTINs.";
    SHIP_MISSING = "ewb.request.ship_missing", Some("608"), Error, Advisory, "Transaction types 2 and 4 name the ship-to GSTIN, or URP.", unsettled(ON_HOLD);
    SHIP_NAME = "ewb.request.ship_name", Some("863"), Error, Advisory, "Transaction types 2 and 4 name the ship-to party.", unsettled(ON_HOLD);
    SHIP_STATE = "ewb.request.ship_state", Some("857"), Error, Advisory, "The state of delivery is that of the ship-to GSTIN.", unsettled(ON_HOLD);
    SHIP_REGULAR = "ewb.request.ship_regular", Some("616"), Error, Validations, "A regular transaction names no ship-to party.";
    SHIP_DISPATCH = "ewb.request.ship_dispatch", Some("864"), Error, Advisory, "Transaction type 3 names no ship-to party.", unsettled(ON_HOLD);
    SHIP_SAME = "ewb.request.ship_same", Some("618"), Error, Validations, "Recipient and ship-to party have different GSTINs.";

    GOODS = "ewb.request.goods", Some("724"), Error, Validations, "A bill has at least one item of goods.";
    HSN = "ewb.request.hsn", Some("216"), Error, Validations, "An HSN code is one of the list.";
    HSN_SHORT = "ewb.request.hsn_short", Some("282"), Error, Validations, "An HSN code has at least four digits.";
    HSN_SIX = "ewb.request.hsn_six", Some("283"), Error, Validations, "A supplier with a turnover of 5 crore or more gives six digits.";
    UNIT = "ewb.request.unit", Some("217"), Error, Validations, "A unit is one of the unit quantity codes.";
    RATES_EQUAL = "ewb.request.rates_equal", Some("251"), Error, Validations, "CGST and SGST rates of an item are equal.";
    RATES_INTRA = "ewb.request.rates_intra", Some("218"), Error, Validations, "A movement within one state has no IGST rate.";
    RATES_INTER = "ewb.request.rates_inter", Some("219"), Error, Validations, "A movement between states has no CGST and SGST rates.";
    RATES_SEZ = "ewb.request.rates_sez", Some("378"), Error, Validations, "A party in a special economic zone makes it a movement between states.";
    IGST_INTRA = "ewb.request.igst_intra", Some("623"), Error, Validations, "A movement within one state has no IGST.";
    CGST_INTER = "ewb.request.cgst_inter", Some("624"), Error, Validations, "A movement between states has no CGST and SGST.";

    TAXABLE_NEGATIVE = "ewb.request.taxable_negative", Some("627"), Error, Validations, "The taxable value is not below nought.";
    TOTAL_NEGATIVE = "ewb.request.total_negative", Some("628"), Error, Validations, "The value of the document is not below nought.";
    IGST_NEGATIVE = "ewb.request.igst_negative", Some("629"), Error, Validations, "IGST is not below nought.";
    CGST_NEGATIVE = "ewb.request.cgst_negative", Some("630"), Error, Validations, "CGST is not below nought.";
    SGST_NEGATIVE = "ewb.request.sgst_negative", Some("631"), Error, Validations, "SGST is not below nought.";
    CESS_NEGATIVE = "ewb.request.cess_negative", Some("632"), Error, Validations, "Cess is not below nought.";
    CESS_QUANTITY_NEGATIVE = "ewb.request.cess_quantity_negative", Some("633"), Error, Validations, "Cess by quantity is not below nought.";
    TOTAL_MISSING = "ewb.request.total_missing", Some("640"), Error, Validations, "The value of the document is given.";
    TOTAL_LOW = "ewb.request.total_low", Some("620"), Error, Validations, "The value of the document is not below taxable value and taxes.";
    SUM = "ewb.request.sum", None, Warning, Own, "totalValue is the sum of the taxable values.", unsettled("no code for another sum was found");

    DISTANCE = "ewb.request.distance", Some("221"), Error, Validations, "The distance is 0 to 4000 km.";
    DISTANCE_ABROAD = "ewb.request.distance_abroad", Some("721"), Warning, Validations, "The distance to a place abroad is given, as the system computes none.", unsettled("how the system computes a distance to 999999 was not found");
    PART_A = "ewb.request.part_a", Some("619"), Error, Validations, "A bill without Part B names the transporter.";
    VEHICLE_MODE = "ewb.request.vehicle_mode", Some("621"), Error, Validations, "A vehicle comes with the mode of transport.";
    DOCUMENT_MODE = "ewb.request.document_mode", Some("622"), Error, Validations, "A transport document comes with the mode of transport.";
    PART_B_MODE = "ewb.request.part_b_mode", Some("638"), Error, Validations, "Vehicle and transport document together come with the mode of transport.";
    MODE = "ewb.request.mode", Some("220"), Error, Validations, "The mode of transport is road, rail, air or ship.";
    VEHICLE = "ewb.request.vehicle", Some("303"), Error, Validations, "Transport by road names the vehicle.";
    VEHICLE_FORM = "ewb.request.vehicle_form", Some("225"), Warning, Validations, "A vehicle number has the form of a registration.", unsettled("the list of forms that the system knows was not found whole");
    DOC_NO = "ewb.request.document_number", Some("394"), Error, Validations, "Transport by rail and air names the transport document.";
    DOC_DATE = "ewb.request.document_date", Some("385"), Error, Validations, "Transport by rail and air names the date of the transport document.";
    DOC_EARLY = "ewb.request.document_early", Some("362"), Error, Validations, "The transport document is not earlier than the document.";
    DOC_FUTURE = "ewb.request.document_future", Some("224"), Warning, Validations, "The transport document is not of a later day than today.", unsettled("the system's text names the date as invalid, without saying why");
    ODC = "ewb.request.odc", Some("634"), Error, Validations, "Transport by rail and air has no over-dimensional vehicle.";
    SHIP_VEHICLE_TYPE = "ewb.request.ship_vehicle_type", Some("726"), Error, Validations, "A vehicle in transport by ship is an over-dimensional one.";
    SHIP_CARRIAGE = "ewb.request.ship_carriage", Some("727"), Error, Validations, "Transport by ship names a vehicle or a transport document.";
    SHIP_DATE = "ewb.request.ship_date", Some("729"), Error, Validations, "The document of transport by ship has a date.";
    RAIL_DOCUMENT = "ewb.request.rail_document", Some("823"), Warning, Advisory, "A railway receipt has 10 digits for parcels, 9 for freight.", crate::rulebook::table::from(2025, 1, 1).unsettled("alerts came first; the day from which another form is refused was not found");
}
