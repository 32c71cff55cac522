//! Generate IRN: documents that the portal should refuse, each wrong in one way.

use einvoice_core::document::SupplyType;
use serde_json::{Value, json};

use super::generate::{consignee, depot};
use super::{Listed, Subjects, common};
use crate::arguments::Api;
use crate::commands::test_report::case::{Ask, Case, Edit, Need};
use crate::commands::test_report::draft::{Draft, GOODS, Line, Place};

/// One thing wrong: in words, the portal's codes for it, and the change.
type Fault = (&'static str, &'static [&'static str], Vec<Edit>);

/// What the schema refuses.
const SCHEMA: &[&str] = &["5002"];

fn one(title: &'static str, codes: &'static [&'static str], pointer: &'static str, value: Value) -> Fault {
    (title, codes, vec![(pointer, value)])
}

pub(super) fn cases(subjects: &Subjects) -> Vec<Case> {
    let mut listed = Listed::of(Api::Generate);
    let inter = Draft::default();
    let intra = Draft { place: Place::Within, ..Draft::default() };
    let export = Draft { supply: SupplyType::ExportWithPayment, ..Draft::default() };
    let deemed = Draft { supply: SupplyType::DeemedExport, ..Draft::default() };
    for (base, faults) in [
        (&inter, schema()),
        (&inter, header()),
        (&inter, parties()),
        (&inter, items()),
        (&inter, inter_state()),
        (&intra, intra_state()),
        (&export, exports()),
        (&deemed, vec![one("a deemed export to URP", &["2171"], "/BuyerDtls/Gstin", json!("URP"))]),
    ] {
        for (title, codes, edits) in faults {
            let mut draft = base.clone();
            draft.edits.extend(edits);
            listed.fails(title, codes, Ask::Register(Box::new(draft)));
        }
    }
    let many = Draft { lines: vec![GOODS; 1001], ..Draft::default() };
    listed.fails("a document of 1001 lines", &["2173", "5002"], Ask::Register(Box::new(many)));
    let cess = Draft { lines: vec![Line { cess_rate: 1_200, state_cess_rate: 100, ..GOODS }], ..Draft::default() };
    for (title, codes, edits) in cesses() {
        let draft = Draft { edits, ..cess.clone() };
        listed.fails(title, codes, Ask::Register(Box::new(draft)));
    }
    again(&mut listed, subjects);
    common::bodies(&mut listed);
    common::headers(&mut listed, &Ask::Register(Box::default()));
    // At the end, so that every other case keeps its number.
    let inactive = vec![
        ("/BuyerDtls/Gstin", json!("{inactive}")),
        ("/BuyerDtls/Stcd", json!("{inactive_state}")),
        ("/BuyerDtls/Pin", json!("{inactive_pin}")),
    ];
    listed.fails(
        "to a taxpayer whose registration has ended (--inactive-buyer)",
        &["3029"],
        Ask::Register(Box::new(Draft { edits: inactive, ..inter.clone() })),
    );
    listed.last(|case| case.needs = Some(Need::InactiveBuyer));
    // An operator's GSTIN is given by the operator that sends; the account is a supplier's.
    let operator = Draft { edits: vec![("/TranDtls/EcmGstin", json!("{buyer}"))], ..inter };
    listed.fails(
        "with an e-commerce operator, in a document that the supplier sends",
        &["2224"],
        Ask::Register(Box::new(operator)),
    );
    listed.cases
}

fn schema() -> Vec<Fault> {
    let without = |title, pointer| one(title, SCHEMA, pointer, Value::Null);
    vec![
        without("without Version", "/Version"),
        one("with a Version that there is not", SCHEMA, "/Version", json!("2.0")),
        without("without TranDtls", "/TranDtls"),
        without("without DocDtls", "/DocDtls"),
        one("without SellerDtls", &["5002", "2155"], "/SellerDtls", Value::Null),
        without("without BuyerDtls", "/BuyerDtls"),
        one("without ItemList", &["5002", "2228"], "/ItemList", Value::Null),
        one("with no line", &["5002", "2228"], "/ItemList", json!([])),
        without("without ValDtls", "/ValDtls"),
        one("with a tax scheme other than GST", SCHEMA, "/TranDtls/TaxSch", json!("VAT")),
        without("without a supply type", "/TranDtls/SupTyp"),
        one("with supply type B2C", SCHEMA, "/TranDtls/SupTyp", json!("B2C")),
        one("with RegRev other than Y and N", &["5002", "2159"], "/TranDtls/RegRev", json!("X")),
        one("with IgstOnIntra other than Y and N", &["5002", "2263"], "/TranDtls/IgstOnIntra", json!("X")),
        one("with a document type that there is not", &["5002", "2161"], "/DocDtls/Typ", json!("BIL")),
        without("without a document number", "/DocDtls/No"),
        one("with a document number of 17 characters", SCHEMA, "/DocDtls/No", json!("A1234567890123456")),
        one("with a document number that begins with 0", SCHEMA, "/DocDtls/No", json!("0007")),
        one("with a document number that begins with a slash", SCHEMA, "/DocDtls/No", json!("/7")),
        one("with a blank in the document number", SCHEMA, "/DocDtls/No", json!("A 7")),
        one("with a date as 2026-11-05", &["5002", "2144", "2225"], "/DocDtls/Dt", json!("2026-11-05")),
        one("with the date 31/02/2026", &["2144", "5002", "2225"], "/DocDtls/Dt", json!("31/02/2026")),
        without("without the supplier's GSTIN", "/SellerDtls/Gstin"),
        one("with a supplier's GSTIN of 14 characters", SCHEMA, "/SellerDtls/Gstin", json!("29ABCDE1234F1Z")),
        one("with URP for the supplier", &["5002", "2213"], "/SellerDtls/Gstin", json!("URP")),
        without("without the supplier's name", "/SellerDtls/LglNm"),
        one("with a supplier's name of two letters", SCHEMA, "/SellerDtls/LglNm", json!("AB")),
        without("without the supplier's address", "/SellerDtls/Addr1"),
        without("without the supplier's place", "/SellerDtls/Loc"),
        one("without the supplier's PIN code", &["5002", "2276"], "/SellerDtls/Pin", Value::Null),
        one("with the supplier's PIN code as text", SCHEMA, "/SellerDtls/Pin", json!("560001")),
        one("with a supplier's PIN code of 5 digits", SCHEMA, "/SellerDtls/Pin", json!(56_000)),
        without("without the recipient's GSTIN", "/BuyerDtls/Gstin"),
        without("without the recipient's name", "/BuyerDtls/LglNm"),
        without("without a place of supply", "/BuyerDtls/Pos"),
        one("with an e-mail address of three letters", SCHEMA, "/BuyerDtls/Em", json!("abc")),
        one("with a telephone number of letters", SCHEMA, "/BuyerDtls/Ph", json!("telephone")),
        without("without a serial number of the line", "/ItemList/0/SlNo"),
        without("without IsServc", "/ItemList/0/IsServc"),
        without("without an HSN code", "/ItemList/0/HsnCd"),
        one("with an HSN code of three digits", SCHEMA, "/ItemList/0/HsnCd", json!("850")),
        without("without a unit price", "/ItemList/0/UnitPrice"),
        without("without the gross amount", "/ItemList/0/TotAmt"),
        without("without a rate", "/ItemList/0/GstRt"),
        one("with the quantity as text", SCHEMA, "/ItemList/0/Qty", json!("10")),
        one("with a negative quantity", SCHEMA, "/ItemList/0/Qty", json!(-10)),
        one("with a rate of 1000 per cent", SCHEMA, "/ItemList/0/GstRt", json!(1000)),
        one("with three decimals in an amount", SCHEMA, "/ItemList/0/TotAmt", json!(10_000.001)),
        one("with a negative total", SCHEMA, "/ValDtls/TotInvVal", json!(-11_800)),
        one("with rounding by 100 rupees", SCHEMA, "/ValDtls/RndOffAmt", json!(100)),
    ]
}

fn header() -> Vec<Fault> {
    vec![
        one("dated tomorrow", &["2163", "2218"], "/DocDtls/Dt", json!("{day1}")),
        one("dated in a year", &["2163", "2218"], "/DocDtls/Dt", json!("{day365}")),
        one(
            "with a period that ends before it begins",
            &["2219"],
            "/RefDtls/DocPerdDtls",
            json!({"InvStDt": "{day-1}", "InvEndDt": "{day-2}"}),
        ),
        one("with IgstOnIntra between two states", &["2262"], "/TranDtls/IgstOnIntra", json!("Y")),
    ]
}

fn parties() -> Vec<Fault> {
    vec![
        one("of another supplier", &["2143", "2258"], "/SellerDtls/Gstin", json!("{buyer}")),
        one("with a supplier's state that is not its GSTIN's", &["2258"], "/SellerDtls/Stcd", json!("{other_state}")),
        one("with a supplier's state that there is not", &["2259"], "/SellerDtls/Stcd", json!("45")),
        one("with a recipient's state that is not its GSTIN's", &["2265"], "/BuyerDtls/Stcd", json!("{own_state}")),
        one("with a recipient's state that there is not", &["2260"], "/BuyerDtls/Stcd", json!("45")),
        one("to oneself", &["2211"], "/BuyerDtls/Gstin", json!("{own}")),
        one("to URP", &["2212"], "/BuyerDtls/Gstin", json!("URP")),
        one(
            "to a GSTIN of a state that there is not",
            &["3028", "3030", "2265"],
            "/BuyerDtls/Gstin",
            json!("45ABCDE1234F1Z5"),
        ),
        one("without the recipient's PIN code", &["2274", "2244"], "/BuyerDtls/Pin", Value::Null),
        one("with place of supply 96 in a supply within India", &["2242"], "/BuyerDtls/Pos", json!("96")),
        one("with a place of supply that there is not", &["2243"], "/BuyerDtls/Pos", json!("45")),
        one(
            "with the recipient's PIN code in the supplier's state",
            &["3039", "2178"],
            "/BuyerDtls/Pin",
            json!("{own_pin}"),
        ),
        one(
            "with the supplier's PIN code in the recipient's state",
            &["3039", "2178"],
            "/SellerDtls/Pin",
            json!("{buyer_pin}"),
        ),
        (
            "dispatched from a state that there is not",
            &["2200"],
            vec![("/DispDtls", depot()), ("/DispDtls/Stcd", json!("45"))],
        ),
        (
            "shipped to a state that there is not",
            &["2200"],
            vec![("/ShipDtls", consignee()), ("/ShipDtls/Stcd", json!("45"))],
        ),
        (
            "dispatched from PIN code 999999",
            &["2273"],
            vec![("/DispDtls", depot()), ("/DispDtls/Pin", json!(999_999)), ("/DispDtls/Stcd", json!("96"))],
        ),
        (
            "dispatched from a PIN code of another state",
            &["3039", "2178"],
            vec![("/DispDtls", depot()), ("/DispDtls/Pin", json!("{buyer_pin}"))],
        ),
        (
            "shipped to a PIN code of another state",
            &["3039", "2178"],
            vec![("/ShipDtls", consignee()), ("/ShipDtls/Pin", json!("{own_pin}"))],
        ),
        one("as SEZ supply with CGST", &["2237", "2247"], "/TranDtls/SupTyp", json!("SEZWP")),
    ]
    .into_iter()
    .map(|fault| match fault {
        (title @ "as SEZ supply with CGST", codes, mut edits) => {
            edits.extend([("/ItemList/0/CgstAmt", json!(900)), ("/ItemList/0/SgstAmt", json!(900))]);
            (title, codes, edits)
        }
        fault => fault,
    })
    .collect()
}

fn items() -> Vec<Fault> {
    vec![
        ("with one serial number twice", &["2233"], vec![("/ItemList/1", second_line("1"))]),
        one("without a quantity of goods", &["2238"], "/ItemList/0/Qty", Value::Null),
        one("without a unit of goods", &["2239"], "/ItemList/0/Unit", Value::Null),
        one("with a unit that there is not", &["2177"], "/ItemList/0/Unit", json!("ZZZ")),
        one("with a word for a unit", &["2177"], "/ItemList/0/Unit", json!("PIECES")),
        one("with an HSN code that there is not", &["2176"], "/ItemList/0/HsnCd", json!("853099")),
        one("with an HSN code of a chapter that there is not", &["2176"], "/ItemList/0/HsnCd", json!("770110")),
        one("with the code of a service for goods", &["2140", "2176"], "/ItemList/0/HsnCd", json!("998314")),
        one("with goods marked as a service", &["2140", "2176"], "/ItemList/0/IsServc", json!("Y")),
        one("with a country of origin that there is not", &["2202"], "/ItemList/0/OrgCntry", json!("XX")),
        one("with a rate of 17 per cent", &["2240"], "/ItemList/0/GstRt", json!(17)),
        one("with a rate of 4 per cent", &["2240"], "/ItemList/0/GstRt", json!(4)),
        one("with a taxable value that is not gross less discount", &["2193"], "/ItemList/0/AssAmt", json!(9_990)),
        one("with a total of the line two rupees too high", &["2194"], "/ItemList/0/TotItemVal", json!(11_802)),
        one("with a total of the line two rupees too low", &["2194"], "/ItemList/0/TotItemVal", json!(11_798)),
    ]
}

/// A second line like the first, under a serial number; the totals do not count it, which breaks them too.
fn second_line(serial: &str) -> Value {
    json!({"SlNo": serial, "IsServc": "N", "HsnCd": "850440", "Qty": 1, "Unit": "NOS", "UnitPrice": 0, "TotAmt": 0,
           "AssAmt": 0, "GstRt": 18, "IgstAmt": 0, "TotItemVal": 0})
}

fn inter_state() -> Vec<Fault> {
    vec![
        one("with IGST two rupees too high", &["2235"], "/ItemList/0/IgstAmt", json!(1_802)),
        one("with IGST two rupees too low", &["2235"], "/ItemList/0/IgstAmt", json!(1_798)),
        one("without IGST", &["2235"], "/ItemList/0/IgstAmt", Value::Null),
        one("with CGST between two states", &["2174"], "/ItemList/0/CgstAmt", json!(900)),
        one("with SGST between two states", &["2174"], "/ItemList/0/SgstAmt", json!(900)),
        one(
            "with IGST of a supply whose place is the supplier's state",
            &["2172", "2241"],
            "/BuyerDtls/Pos",
            json!("{own_state}"),
        ),
        one("with a wrong taxable total", &["2182"], "/ValDtls/AssVal", json!(10_002)),
        one("with a wrong IGST total", &["2185"], "/ValDtls/IgstVal", json!(1_802)),
        one("without the IGST total", &["2185"], "/ValDtls/IgstVal", Value::Null),
        one("with a CGST total that no line has", &["2184"], "/ValDtls/CgstVal", json!(2)),
        one("with an SGST total that no line has", &["2183"], "/ValDtls/SgstVal", json!(2)),
        one("with a cess total that no line has", &["2186"], "/ValDtls/CesVal", json!(2)),
        one("with a state cess total that no line has", &["2187"], "/ValDtls/StCesVal", json!(2)),
        one("with a document total two rupees too high", &["2189"], "/ValDtls/TotInvVal", json!(11_802)),
        one("with a document total two rupees too low", &["2189"], "/ValDtls/TotInvVal", json!(11_798)),
        one("with a discount as high as the total", &["2220", "2189"], "/ValDtls/Discount", json!(11_800)),
        one("with other charges that the total leaves out", &["2189", "2264"], "/ValDtls/OthChrg", json!(100)),
    ]
}

fn intra_state() -> Vec<Fault> {
    vec![
        one("with IGST within the state", &["2172"], "/ItemList/0/IgstAmt", json!(1_800)),
        (
            "without CGST and SGST within the state",
            &["2241", "2234"],
            vec![("/ItemList/0/CgstAmt", Value::Null), ("/ItemList/0/SgstAmt", Value::Null)],
        ),
        one("without SGST within the state", &["2227", "2234"], "/ItemList/0/SgstAmt", Value::Null),
        one("with SGST unlike CGST", &["2227", "2234"], "/ItemList/0/SgstAmt", json!(903)),
        (
            "with CGST and SGST both too high",
            &["2234"],
            vec![("/ItemList/0/CgstAmt", json!(903)), ("/ItemList/0/SgstAmt", json!(903))],
        ),
        one("with a wrong CGST total", &["2184"], "/ValDtls/CgstVal", json!(902)),
        one("with a wrong SGST total", &["2183"], "/ValDtls/SgstVal", json!(902)),
        one("with an IGST total that no line has", &["2185"], "/ValDtls/IgstVal", json!(2)),
        one("with CGST and SGST of a supply to another state", &["2174"], "/BuyerDtls/Pos", json!("{other_state}")),
        one("under IgstOnIntra with CGST and SGST", &["2174", "2294", "2235"], "/TranDtls/IgstOnIntra", json!("Y")),
    ]
}

fn exports() -> Vec<Fault> {
    vec![
        one("an export under reverse charge", &["2162"], "/TranDtls/RegRev", json!("Y")),
        one("an export to a GSTIN", &["2248"], "/BuyerDtls/Gstin", json!("{buyer}")),
        one("an export to a state of India", &["2261"], "/BuyerDtls/Stcd", json!("{buyer_state}")),
        one(
            "an export whose place of supply is a state",
            &["2229", "2232", "2181"],
            "/BuyerDtls/Pos",
            json!("{buyer_state}"),
        ),
        one("an export with CGST", &["2180"], "/ItemList/0/CgstAmt", json!(1)),
        one("an export to a country that there is not", &["2202"], "/ExpDtls/CntCode", json!("ZZ")),
        one("an export in a currency that there is not", &["2203"], "/ExpDtls/ForCur", json!("ZZZ")),
        one("an export from a port that there is not", &["2201"], "/ExpDtls/Port", json!("INXXX9")),
        one(
            "an export shipped to a place abroad",
            &["2236"],
            "/ShipDtls",
            json!({"LglNm": "Gulf Example Trading", "Addr1": "1 Creek Road", "Loc": "Dubai", "Pin": 999_999, "Stcd": "96"}),
        ),
    ]
}

fn cesses() -> Vec<Fault> {
    vec![
        one("with a cess that is not its rate", &["2266"], "/ItemList/0/CesAmt", json!(1_210)),
        one("with a state cess that is not its rate", &["2267"], "/ItemList/0/StateCesAmt", json!(110)),
        one("with a wrong cess total", &["2186"], "/ValDtls/CesVal", json!(1_210)),
        one("with a wrong state cess total", &["2187"], "/ValDtls/StCesVal", json!(110)),
    ]
}

/// Numbers that are taken.
fn again(listed: &mut Listed, subjects: &Subjects) {
    const TAKEN: &[&str] = &["2150"];
    let Some(first) = subjects.for_bills.first() else { return };
    let again = |edits: Vec<Edit>| Ask::RegisterAgain(first.clone(), edits);
    listed.fails("a document that is registered, unchanged", TAKEN, again(vec![]));
    let other = vec![("/BuyerDtls/LglNm", json!("Another Buyer"))];
    listed.fails("another document under a number that is taken", TAKEN, again(other));
    let small = vec![("/DocDtls/Dt", json!("{eve}"))];
    listed.fails("a number that is taken, dated a day earlier", TAKEN, again(small));
    let note = Ask::RegisterAgain(subjects.note.clone(), vec![]);
    listed.fails("a credit note that is registered, unchanged", TAKEN, note);
}
