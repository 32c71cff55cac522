//! The e-way bill system's own APIs: a bill made, its Part B changed, read and cancelled.
//!
//! The bills go with delivery challans for job work, since a supplier that issues e-invoices cannot make the bill of an
//! invoice there.

use std::borrow::Cow;

use einvoice_core::raw::{HeaderChange, RawHeader};
use serde_json::{Value, json};

use super::{Listed, SUCCESSES};
use crate::arguments::Api;
use crate::commands::test_report::case::{Ask, Broken, Case, Edit, Subject};

type Fault = (&'static str, &'static [&'static str], Vec<Edit>);

pub(super) fn cases() -> Vec<Case> {
    let (mut cases, bills) = make();
    let changed = part_b(&bills);
    cases.extend(changed);
    cases.extend(read(&bills));
    cases.extend(cancel(&bills));
    cases
}

/// One member changed.
fn one(title: &'static str, codes: &'static [&'static str], pointer: &'static str, value: Value) -> Fault {
    (title, codes, vec![(pointer, value)])
}

/// Headers that are missing or wrong.
fn headers(listed: &mut Listed, ask: &Ask) {
    use RawHeader::{ClientId, ClientSecret, Gstin, Token};
    const CLIENT: &[&str] = &["110", "103", "104", "237"];
    const TOKEN: &[&str] = &["238", "105", "106"];
    const GSTIN: &[&str] = &["393", "227", "238", "105"];
    let (with, without) = (HeaderChange::with, HeaderChange::without);
    let cases = [
        ("without a client id", CLIENT, vec![without(ClientId)]),
        ("with an empty client id", CLIENT, vec![with(ClientId, "")]),
        ("with a client id that does not exist", CLIENT, vec![with(ClientId, "NOSUCHCLIENT0000")]),
        ("without a client secret", CLIENT, vec![without(ClientSecret)]),
        ("with an empty client secret", CLIENT, vec![with(ClientSecret, "")]),
        ("with a wrong client secret", CLIENT, vec![with(ClientSecret, "NoSuchSecret0000")]),
        ("without client id and secret", CLIENT, vec![without(ClientId), without(ClientSecret)]),
        ("without the header gstin", &["227", "393"], vec![without(Gstin)]),
        ("with an empty gstin", &["227", "393"], vec![with(Gstin, "")]),
        ("with a gstin of 14 characters", GSTIN, vec![with(Gstin, "29ABCDE1234F1Z")]),
        ("with a gstin in small letters", GSTIN, vec![with(Gstin, "29abcde1234f1z5")]),
        ("with two gstins in one header", GSTIN, vec![with(Gstin, "{own}, {own}")]),
        ("with the gstin of another taxpayer", TOKEN, vec![with(Gstin, "{buyer}")]),
        ("without a token", TOKEN, vec![without(Token)]),
        ("with an empty token", TOKEN, vec![with(Token, "")]),
        ("with an invented token", TOKEN, vec![with(Token, "0123456789abcdefghijklmnopqr")]),
        ("with a token of one letter", TOKEN, vec![with(Token, "x")]),
    ];
    for (title, codes, headers) in cases {
        listed.fails(title, codes, ask.clone());
        listed.last(|case| case.headers = headers);
    }
}

/// Bodies that are no right envelope.
fn bodies(listed: &mut Listed, action: &'static str) {
    const EMPTY: &[&str] = &["115", "100", "239"];
    // Whether the action is looked at before the data is opened is not known.
    const ACTION: &[&str] = &["239", "109", "115", "100"];
    const UNREADABLE: &[&str] = &["109", "100"];
    const NO_JSON: &[&str] = &["100", "109"];
    let no_data = match action {
        "GENEWAYBILL" => Broken::Whole(r#"{"action":"GENEWAYBILL"}"#),
        "VEHEWB" => Broken::Whole(r#"{"action":"VEHEWB"}"#),
        _ => Broken::Whole(r#"{"action":"CANEWB"}"#),
    };
    let cases = [
        ("with an empty body", EMPTY, Broken::Whole("")),
        ("with an empty object for a body", EMPTY, Broken::Whole("{}")),
        ("with a body that is no JSON", EMPTY, Broken::Whole("action=X")),
        ("with an action that there is not", ACTION, Broken::Whole(r#"{"action":"NOSUCHACTION","data":"AAAA"}"#)),
        ("with an empty action", ACTION, Broken::Whole(r#"{"action":"","data":"AAAA"}"#)),
        ("without data", EMPTY, no_data),
        ("with empty data", EMPTY, Broken::Data("")),
        ("with data that is no base64", UNREADABLE, Broken::Data("this is not base64!")),
        ("with data of no whole cipher block", UNREADABLE, Broken::Data("AAAA")),
        ("with data sealed with another key", UNREADABLE, Broken::Data("q0Yd2nJ1mC8r5wq3b1K3zq0Yd2nJ1mC8r5wq3b1K3zo=")),
        ("with data in clear JSON", UNREADABLE, Broken::Data("{\"ewbNo\":1}")),
        ("with sealed text that is no JSON", NO_JSON, Broken::Sealed("not JSON")),
        ("with sealed JSON that is cut off", NO_JSON, Broken::Sealed("{\"ewbNo\":1")),
    ];
    for (title, codes, broken) in cases {
        listed.fails(title, codes, Ask::Broken(broken));
    }
}

/// Part B by rail: the vehicle taken away, and these changes.
fn rail(edits: Vec<Edit>) -> Vec<Edit> {
    let mut all = vec![("/transMode", json!("2")), ("/vehicleNo", Value::Null), ("/vehicleType", Value::Null)];
    all.extend(edits);
    all
}

/// The cases, and the ids of those that make a bill with a vehicle.
fn make() -> (Vec<Case>, Vec<String>) {
    let mut listed = Listed::of(Api::EwbGenerate);
    let mut bills = Vec::new();
    let ways: [(&'static str, Vec<Edit>); 10] = [
        ("by road", vec![]),
        ("by road with an over-dimensional vehicle", vec![("/vehicleType", json!("O"))]),
        ("by road with a transporter", vec![("/transporterId", json!("{buyer}"))]),
        ("with a transport document", vec![("/transDocNo", json!("LR99")), ("/transDocDate", json!("{today}"))]),
        ("with second lines of addresses", vec![("/fromAddr2", json!("First floor")), ("/toAddr2", json!("Gate 4"))]),
        ("in numbers of pieces", vec![("/itemList/0/qtyUnit", json!("NOS"))]),
        ("with a description of the goods", vec![("/itemList/0/productDesc", json!("Example goods, grey"))]),
        ("with an HSN code of six digits", vec![("/itemList/0/hsnCode", json!(850_440))]),
        ("with other charges", vec![("/otherValue", json!(20)), ("/totInvValue", json!(1_200))]),
        ("with a discount", vec![("/otherValue", json!(-80)), ("/totInvValue", json!(1_100))]),
    ];
    for place in 0..SUCCESSES {
        let Some((title, edits)) = ways.get(place % ways.len()) else { continue };
        let title = format!("the bill of a challan {title}, number {}", place + 1);
        bills.push(listed.succeeds(title, Ask::MakeBill(edits.clone())));
    }
    for (title, codes, edits) in faults().into_iter().chain(faults_of_goods()) {
        listed.fails(title, codes, Ask::MakeBill(edits));
    }
    headers(&mut listed, &Ask::MakeBill(vec![]));
    bodies(&mut listed, "GENEWAYBILL");
    (listed.cases, bills)
}

fn faults() -> Vec<Fault> {
    vec![
        one("of supply type X", &["201"], "/supplyType", json!("X")),
        one("of sub-supply type 13", &["202"], "/subSupplyType", json!("13")),
        one("of a sub-supply type for inward supply", &["203"], "/subSupplyType", json!("2")),
        one("of document type CNT", &["204"], "/docType", json!("CNT")),
        one("of an invoice for job work", &["205"], "/docType", json!("INV")),
        one("with a document number of 17 characters", &["206"], "/docNo", json!("A1234567890123456")),
        one("without a document number", &["206"], "/docNo", Value::Null),
        one("dated tomorrow", &["207"], "/docDate", json!("{day1}")),
        one("dated 2026-11-05", &["207"], "/docDate", json!("2026-11-05")),
        one("dated before GST began", &["819", "820"], "/docDate", json!("30/06/2017")),
        one("dated 181 days ago", &["820"], "/docDate", json!("{day-181}")),
        one("from a GSTIN of two characters", &["208", "359"], "/fromGstin", json!("29")),
        one("from another supplier", &["359"], "/fromGstin", json!("{buyer}")),
        one("from URP to a GSTIN, as outward supply", &["359"], "/fromGstin", json!("URP")),
        one("from PIN code 1", &["210"], "/fromPincode", json!(1)),
        one("from a state that there is not", &["211"], "/fromStateCode", json!(45)),
        one("to a GSTIN of two characters", &["212"], "/toGstin", json!("27")),
        one("to PIN code 1", &["214"], "/toPincode", json!(1)),
        one("to a state that there is not", &["215"], "/toStateCode", json!(45)),
        one("by transport mode 5", &["220"], "/transMode", json!("5")),
        one("over 4001 km", &["221"], "/transDistance", json!("4001")),
        one("over a distance in words", &["221"], "/transDistance", json!("far")),
        one("by a transporter of two characters", &["222"], "/transporterId", json!("29")),
        one("with a transport document of 16 characters", &["223"], "/transDocNo", json!("1234567890123456")),
        one("with a transport document dated 2026-11-05", &["224"], "/transDocDate", json!("2026-11-05")),
        one("with a vehicle number of two words", &["225"], "/vehicleNo", json!("KA 1")),
        one("without the name of the sender", &["229"], "/fromTrdName", Value::Null),
        one("without the place of the sender", &["230"], "/fromPlace", Value::Null),
        one("without the name of the recipient", &["231"], "/toTrdName", Value::Null),
        one("without the place of the recipient", &["232"], "/toPlace", Value::Null),
        one("by road without a vehicle", &["303"], "/vehicleNo", Value::Null),
        one("of another user", &["358"], "/userGstin", json!("{buyer}")),
        one("by vehicle type X", &["361"], "/vehicleType", json!("X")),
        one("with a transport document older than the challan", &["362"], "/transDocDate", json!("{day-1}")),
        one("from an actual state that there is not", &["371"], "/actFromStateCode", json!(45)),
        one("to an actual state that there is not", &["372"], "/actToStateCode", json!(45)),
        one("of another purpose that is not said", &["377"], "/subSupplyType", json!("8")),
        ("by rail without a document date", &["385"], rail(vec![("/transDocNo", json!("RR1"))])),
        ("by rail without a document number", &["394"], rail(vec![("/transDocDate", json!("{today}"))])),
        one("to a PIN code of another state", &["436"], "/toPincode", json!("{own_pin}")),
        one("from a PIN code of another state", &["437"], "/fromPincode", json!("{buyer_pin}")),
        one("with transaction type 5", &["612"], "/transactionType", json!(5)),
        one("without a transaction type", &["614"], "/transactionType", Value::Null),
        one("regular, with a GSTIN of dispatch", &["615"], "/dispatchFromGSTIN", json!("{buyer}")),
        one("regular, with a GSTIN to ship to", &["616"], "/shipToGSTIN", json!("{buyer}")),
        ("without transport and transporter", &["619", "621"], rail(vec![("/transMode", Value::Null)])),
        one("with a vehicle and no mode", &["621"], "/transMode", Value::Null),
        one("with a total below its parts", &["620"], "/totInvValue", json!(1_179)),
        one("with CGST between two states", &["624"], "/cgstValue", json!(1)),
        one("with a negative taxable total", &["627"], "/totalValue", json!(-1)),
        one("with a negative total", &["628"], "/totInvValue", json!(-1)),
        one("with negative IGST", &["629"], "/igstValue", json!(-1)),
        one("with negative CGST", &["630"], "/cgstValue", json!(-1)),
        one("with negative SGST", &["631"], "/sgstValue", json!(-1)),
        one("with a negative cess", &["632"], "/cessValue", json!(-1)),
        one("without a total", &["640"], "/totInvValue", Value::Null),
        one("regular, from two states", &["643"], "/actFromStateCode", json!("{buyer_state_number}")),
        one("by ship with a regular vehicle", &["726"], "/transMode", json!("4")),
    ]
}

fn faults_of_goods() -> Vec<Fault> {
    vec![
        one("without goods", &["233"], "/itemList", json!([])),
        one("with an HSN code of letters", &["216"], "/itemList/0/hsnCode", json!("10A6")),
        one("with an HSN code of two digits", &["282"], "/itemList/0/hsnCode", json!(10)),
        one("with services alone", &["724"], "/itemList/0/hsnCode", json!("998431")),
        one("with a unit that there is not", &["217"], "/itemList/0/qtyUnit", json!("XXX")),
        one("without a taxable amount", &["234"], "/itemList/0/taxableAmount", Value::Null),
        one("with CGST unlike SGST", &["251", "219"], "/itemList/0/cgstRate", json!(9)),
        one("with a negative IGST rate", &["254"], "/itemList/0/igstRate", json!(-1)),
        one("with a negative cess rate", &["255"], "/itemList/0/cessRate", json!(-1)),
    ]
}

fn part_b(bills: &[String]) -> Vec<Case> {
    let mut listed = Listed::of(Api::EwbPartB);
    let vehicles = ["MH12DE1433", "KA05MN7788", "TN09BX4321", "DL01AB1234", "GJ05CD5678"];
    let reasons = [(1, "break down"), (2, "transhipment"), (3, "others"), (4, "first time")];
    for (place, bill) in (0..SUCCESSES).zip(bills) {
        let (Some(vehicle), Some((code, reason))) =
            (vehicles.get(place % vehicles.len()), reasons.get(place % reasons.len()))
        else {
            continue;
        };
        let edits = vec![("/vehicleNo", json!(vehicle)), ("/reasonCode", json!(code.to_string()))];
        let title = format!("another vehicle, reason {code} ({reason}), number {}", place + 1);
        listed.succeeds(title, Ask::PartB(Subject::Of(bill.clone()), edits));
    }
    let Some(bill) = bills.last() else { return listed.cases };
    let about = |edits| Ask::PartB(Subject::Of(bill.clone()), edits);
    let faults = vec![
        one("with a transport document of 16 characters", &["223"], "/transDocNo", json!("1234567890123456")),
        one("with a transport document dated 2026-11-05", &["224"], "/transDocDate", json!("2026-11-05")),
        one("by transport mode 5", &["302", "220"], "/transMode", json!("5")),
        one("by road without a vehicle", &["303"], "/vehicleNo", Value::Null),
        one("with a vehicle number of two words", &["304", "225"], "/vehicleNo", json!("KA 1")),
        one("without a place", &["305"], "/fromPlace", Value::Null),
        one("from a state that there is not", &["306"], "/fromState", json!(45)),
        one("by vehicle type X", &["361"], "/vehicleType", json!("X")),
        one("with a transport document older than the challan", &["362"], "/transDocDate", json!("{eve}")),
        ("by rail without a document date", &["385"], rail(vec![("/transDocNo", json!("RR1"))])),
        ("by rail without a document number", &["394"], rail(vec![("/transDocDate", json!("{today}"))])),
        one("by ship with a regular vehicle", &["726"], "/transMode", json!("4")),
        one("without a reason", &["307"], "/reasonCode", Value::Null),
        one("with reason 0", &["307"], "/reasonCode", json!("0")),
        one("with reason 9", &["307"], "/reasonCode", json!("9")),
        one("without a remark", &["308"], "/reasonRem", Value::Null),
        one("with a remark of 51 characters", &["308"], "/reasonRem", json!("x".repeat(51))),
        one("without a number of a bill", &["301"], "/ewbNo", Value::Null),
        one("of bill 1", &["301"], "/ewbNo", json!(1)),
        one("of a bill with letters in its number", &["301"], "/ewbNo", json!("39100000000A")),
        one("of a bill that was never made", &["301"], "/ewbNo", json!(399_999_999_999_u64)),
    ];
    for (title, codes, edits) in faults {
        listed.fails(title, codes, about(edits));
    }
    headers(&mut listed, &about(vec![]));
    bodies(&mut listed, "VEHEWB");
    listed.cases
}

fn read(bills: &[String]) -> Vec<Case> {
    const NOT_THERE: &[&str] = &["301", "357", "325", "395"];
    const NO_NUMBER: &[&str] = &["395", "301", "325"];
    let mut listed = Listed::of(Api::EwbRead);
    for (place, bill) in (1..=SUCCESSES).zip(bills) {
        listed.succeeds(format!("a bill made before, number {place}"), Ask::ReadBill(Some(Subject::Of(bill.clone()))));
    }
    let text = |text: &'static str| Ask::ReadBill(Some(Subject::Text(Cow::Borrowed(text))));
    listed.fails("without a number", NO_NUMBER, Ask::ReadBill(None));
    let cases = [
        ("an empty number", ""),
        ("a word", "bill"),
        ("a number with a letter", "39100000000A"),
        ("a number with a hyphen", "3910-0000-0001"),
        ("a number with blanks", "3910 0000 0001"),
        ("a number with a comma", "391,000,000,001"),
        ("a number with a full stop", "391000000001.0"),
        ("a negative number", "-391000000001"),
        ("a number in hexadecimal digits", "0x5B09"),
        ("two numbers", "391000000001,391000000002"),
        ("the GSTIN", "{own}"),
        ("the word null", "null"),
        ("an IRN", "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"),
        ("a number of 30 digits", "391000000001391000000001391000"),
        ("a star", "*"),
        ("a number in quotes", "\"391000000001\""),
        ("a number and a semicolon", "391000000001;"),
    ];
    for (title, number) in cases {
        listed.fails(format!("{title} in place of a number"), NO_NUMBER, text(number));
    }
    let absent = [
        ("bill 0", "0"),
        ("bill 1", "1"),
        ("bill 12", "12"),
        ("bill 123", "123"),
        ("bill 12345", "12345"),
        ("a number of 11 digits", "39100000000"),
        ("a number of 13 digits", "3910000000011"),
        ("a number of nines", "999999999999"),
        ("a number of ones", "111111111111"),
        ("a number of twos", "222222222222"),
        ("a number of threes", "333333333333"),
        ("a number of fours", "444444444444"),
        ("a number of fives", "555555555555"),
        ("a number of sixes", "666666666666"),
        ("a number of sevens", "777777777777"),
        ("a number of eights", "888888888888"),
    ];
    for (title, number) in absent {
        listed.fails(format!("{title}, which was never made"), NOT_THERE, text(number));
    }
    if let Some(bill) = bills.first() {
        headers(&mut listed, &Ask::ReadBill(Some(Subject::Of(bill.clone()))));
    }
    listed.cases
}

fn cancel(bills: &[String]) -> Vec<Case> {
    const REASON: &[&str] = &["307"];
    let mut listed = Listed::of(Api::EwbCancel);
    let Some(last) = bills.last() else { return listed.cases };
    let about = |edits| Ask::CancelBill(Subject::Of(last.clone()), edits);
    let long = json!("x".repeat(51));
    let faults = vec![
        one("without a reason", REASON, "/cancelRsnCode", Value::Null),
        one("with reason 0", REASON, "/cancelRsnCode", json!(0)),
        one("with reason 5", REASON, "/cancelRsnCode", json!(5)),
        one("with reason 99", REASON, "/cancelRsnCode", json!(99)),
        one("with reason -1", REASON, "/cancelRsnCode", json!(-1)),
        one("with a word for a reason", REASON, "/cancelRsnCode", json!("duplicate")),
        one("with a broken number for a reason", REASON, "/cancelRsnCode", json!(1.5)),
        one("with a remark of 51 characters", &["308"], "/cancelRmrk", long),
        one("with a remark of 500 characters", &["308"], "/cancelRmrk", json!("long ".repeat(100))),
        one("without a number of a bill", &["301"], "/ewbNo", Value::Null),
        one("of bill 0", &["301"], "/ewbNo", json!(0)),
        one("of bill 1", &["301"], "/ewbNo", json!(1)),
        one("of bill 12345", &["301"], "/ewbNo", json!(12_345)),
        one("of a bill with letters in its number", &["301"], "/ewbNo", json!("39100000000A")),
        one("of an empty number", &["301"], "/ewbNo", json!("")),
        one("of a bill that was never made", &["301"], "/ewbNo", json!(399_999_999_999_u64)),
    ];
    for (title, codes, edits) in faults {
        listed.fails(title, codes, about(edits));
    }
    headers(&mut listed, &about(vec![]));
    bodies(&mut listed, "CANEWB");
    let reasons = ["1", "2", "3", "4"];
    let mut cancelled = Vec::new();
    for (place, bill) in (1..).zip(bills) {
        let Some(code) = reasons.get((place - 1) % reasons.len()) else { continue };
        let edits = vec![("/cancelRsnCode", json!(code.parse::<u8>().unwrap_or(4)))];
        let ask = Ask::CancelBill(Subject::Of(bill.clone()), edits);
        let id = listed.succeeds(format!("a bill, for reason {code}, number {place}"), ask);
        cancelled.push((bill.clone(), id));
    }
    for (bill, id) in cancelled.iter().take(6) {
        listed.fails("a bill that is cancelled already", &["312"], Ask::CancelBill(Subject::Of(bill.clone()), vec![]));
        listed.last(|case| case.after = Some(id.clone()));
    }
    listed.cases
}
