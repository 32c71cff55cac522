//! E-way bills by IRN: made, and read.

use einvoice_core::raw::{HeaderChange, RawHeader};
use serde_json::{Value, json};

use super::reads::{NO_IRNS, misspellings};
use super::{Listed, SUCCESSES, Subjects, common};
use crate::arguments::Api;
use crate::commands::test_report::case::{Ask, Case, Edit, Subject};

pub(super) fn cases(subjects: &Subjects) -> Vec<Case> {
    let (mut cases, made) = generate(subjects);
    cases.extend(read(subjects, made));
    cases
}

/// Takes the vehicle of a right request away.
fn without_vehicle() -> Vec<Edit> {
    vec![("/VehNo", Value::Null), ("/VehType", Value::Null)]
}

fn by(mode: &str, edits: impl IntoIterator<Item = Edit>) -> Vec<Edit> {
    let mut all = without_vehicle();
    all.push(("/TransMode", json!(mode)));
    all.extend(edits);
    all
}

fn document(number: &str) -> [Edit; 2] {
    [("/TransDocNo", json!(number)), ("/TransDocDt", json!("{today}"))]
}

fn port() -> Edit {
    let port = json!({"Addr1": "Berth 4", "Loc": "Example Port", "Pin": "{buyer_pin}", "Stcd": "{buyer_state}"});
    ("/ExpShipDtls", port)
}

fn depot() -> Edit {
    let depot = json!({"Nm": "Example Depot", "Addr1": "5 Store Road", "Loc": "Example Town", "Pin": "{own_pin}", "Stcd": "{own_state}"});
    ("/DispDtls", depot)
}

/// Ways to move goods, each a right request.
fn ways() -> Vec<(&'static str, Vec<Edit>)> {
    let part_a = || by("1", [("/TransMode", Value::Null), ("/TransId", json!("{buyer}"))]);
    vec![
        ("by road", vec![]),
        ("by road with an over-dimensional vehicle", vec![("/VehType", json!("O"))]),
        ("by road with a transporter", vec![("/TransId", json!("{buyer}")), ("/TransName", json!("Example Carriers"))]),
        ("by road with a transport document", document("LR99").to_vec()),
        ("by rail", by("2", document("RR123456"))),
        ("by air", by("3", document("AWB12345"))),
        ("by ship with a document", by("4", document("BL123456"))),
        ("of Part A alone", part_a()),
        ("by road from another place", vec![depot()]),
        ("by road in another vehicle", vec![("/VehNo", json!("MH12DE1433"))]),
    ]
}

/// The cases, and the invoices that get a bill, each with the case that makes it.
fn generate(subjects: &Subjects) -> (Vec<Case>, Vec<(String, String)>) {
    const DONE: &[&str] = &["4002", "4026"];
    const NO_IRN: &[&str] = &["2145", "2148", "4003", "5002"];
    let mut listed = Listed::of(Api::GenerateEwb);
    let mut made = Vec::new();
    let ways = ways();
    for (place, invoice) in (1..).zip(&subjects.for_bills) {
        let Some((title, edits)) = ways.get((place - 1) % ways.len().max(1)) else { continue };
        let mut edits = edits.clone();
        let export = subjects.exports.contains(invoice);
        if export {
            edits.push(port());
        }
        let what = if export { "of an export" } else { "of an invoice" };
        let ask = Ask::Bill(Subject::Of(invoice.clone()), edits);
        let id = listed.succeeds(format!("the e-way bill {what}, {title}, number {place}"), ask);
        made.push((invoice.clone(), id));
    }
    faults(&mut listed, subjects);
    let about = |subject: Subject| Ask::Bill(subject, vec![]);
    for invoice in subjects.with_bills.iter().take(3) {
        listed.fails("of an invoice registered with its e-way bill", DONE, about(Subject::Of(invoice.clone())));
    }
    for (invoice, id) in made.iter().take(3) {
        listed.fails("of an invoice whose e-way bill was made before", DONE, about(Subject::Of(invoice.clone())));
        listed.last(|case| case.after = Some(id.clone()));
    }
    listed.fails("of a credit note", &["4010", "2252"], about(Subject::Of(subjects.note.clone())));
    listed.fails("of services alone", &["4009", "2251"], about(Subject::Of(subjects.services.clone())));
    for (title, twist) in misspellings().into_iter().take(4) {
        listed.fails(title, NO_IRN, about(Subject::Misspelt(subjects.without_bill.clone(), twist)));
    }
    for serial in 1..=3 {
        let title = format!("the IRN of a document that was never registered, number {serial}");
        listed.fails(title, &["2148", "4003", "2154"], about(Subject::Unregistered(serial)));
    }
    common::bodies(&mut listed);
    common::headers(&mut listed, &about(Subject::Of(subjects.without_bill.clone())));
    (listed.cases, made)
}

/// Requests about an invoice that gets no bill, each wrong in one way.
fn faults(listed: &mut Listed, subjects: &Subjects) {
    const SCHEMA: &[&str] = &["5002", "4006"];
    let one = |pointer: &'static str, value: Value| vec![(pointer, value)];
    let document_of = |number: &str, date: &str| vec![("/TransDocNo", json!(number)), ("/TransDocDt", json!(date))];
    let cases: Vec<(&'static str, &'static [&'static str], Vec<Edit>)> = vec![
        ("without an IRN", SCHEMA, one("/Irn", Value::Null)),
        ("without a distance", SCHEMA, one("/Distance", Value::Null)),
        ("with the distance as text", SCHEMA, one("/Distance", json!("far"))),
        ("with a negative distance", SCHEMA, one("/Distance", json!(-1))),
        ("with a distance of 4001 km", &["5002", "4013", "4038"], one("/Distance", json!(4001))),
        ("with a broken distance", SCHEMA, one("/Distance", json!(10.5))),
        ("by road without a vehicle", &["4011"], one("/VehNo", Value::Null)),
        ("by road without a vehicle type", &["4022"], one("/VehType", Value::Null)),
        ("by road with neither", &["4011", "4022"], without_vehicle()),
        ("with a vehicle number of digits", &["4014"], one("/VehNo", json!("12345678"))),
        ("with a vehicle number of two letters", &["4014", "5002"], one("/VehNo", json!("KA"))),
        ("with a vehicle number of words", &["4014", "5002"], one("/VehNo", json!("LORRY ONE"))),
        ("with vehicle type X", &["4020", "5002"], one("/VehType", json!("X"))),
        ("with a transporter that is no GSTIN", &["4018", "5002"], one("/TransId", json!("CARRIER"))),
        ("with a transporter's GSTIN of 14 characters", &["4018", "5002"], one("/TransId", json!("29ABCDE1234F1Z"))),
        ("with neither transporter nor transport", &["4019", "4027"], by("1", [("/TransMode", Value::Null)])),
        ("with a vehicle and no mode", &["4028"], one("/TransMode", Value::Null)),
        (
            "with a transport document and no mode",
            &["4028"],
            by("1", [("/TransMode", Value::Null), ("/TransDocNo", json!("LR1"))]),
        ),
        ("by rail without a document number", &["4012"], by("2", [("/TransDocDt", json!("{today}"))])),
        ("by rail without a document date", &["4023"], by("2", [("/TransDocNo", json!("RR1"))])),
        ("by rail without either", &["4012", "4023"], by("2", [])),
        ("by air without a document number", &["4012"], by("3", [("/TransDocDt", json!("{today}"))])),
        ("by air without a document date", &["4023"], by("3", [("/TransDocNo", json!("AWB1"))])),
        ("by ship without vehicle and document", &["4040"], by("4", [])),
        ("by ship with a regular vehicle", &["4039"], one("/TransMode", json!("4"))),
        (
            "by rail with an over-dimensional vehicle",
            &["4024"],
            by("2", document("RR1").into_iter().chain([("/VehType", json!("O"))])),
        ),
        ("with a transport document of tomorrow", &["4016"], document_of("LR1", "{day1}")),
        ("with a transport document older than the invoice", &["4021"], document_of("LR1", "{eve}")),
        ("with a transport document dated 2026-11-05", &["4017", "5002"], document_of("LR1", "2026-11-05")),
        ("with a transport document dated 31/02/2026", &["4017", "5002"], document_of("LR1", "31/02/2026")),
        (
            "from a place abroad",
            &["4035", "4036", "4034"],
            vec![depot(), ("/DispDtls/Stcd", json!("96")), ("/DispDtls/Pin", json!(999_999))],
        ),
        (
            "from a PIN code abroad",
            &["4036", "4034"],
            vec![depot(), ("/DispDtls/Pin", json!(999_999)), ("/Distance", json!(100))],
        ),
        (
            "to a place abroad",
            &["4032", "4033", "4034"],
            vec![port(), ("/ExpShipDtls/Stcd", json!("96")), ("/ExpShipDtls/Pin", json!(999_999))],
        ),
        (
            "with distance 0 between two places of one PIN code",
            &["4029"],
            vec![depot(), ("/DispDtls/Pin", json!("{buyer_pin}")), ("/DispDtls/Stcd", json!("{buyer_state}"))],
        ),
    ];
    for (title, codes, edits) in cases {
        listed.fails(title, codes, Ask::Bill(Subject::Of(subjects.without_bill.clone()), edits));
    }
}

fn read(subjects: &Subjects, made: Vec<(String, String)>) -> Vec<Case> {
    const NONE: &[&str] = &["4005", "4007"];
    const NOT_THERE: &[&str] = &["4003", "2148", "2145", "4005"];
    let mut listed = Listed::of(Api::GetEwb);
    let at_once = subjects.with_bills.iter().map(|invoice| (invoice.clone(), None));
    let later = made.into_iter().map(|(invoice, id)| (invoice, Some(id)));
    for (place, (invoice, id)) in (1..).zip(at_once.chain(later).take(SUCCESSES)) {
        listed.succeeds(format!("the e-way bill of an invoice, number {place}"), Ask::Object(Subject::Of(invoice)));
        listed.last(|case| case.after = id);
    }
    let known = || Ask::Object(Subject::Of(subjects.without_bill.clone()));
    listed.fails("of an invoice that has none", NONE, known());
    listed.fails("of services alone", NONE, Ask::Object(Subject::Of(subjects.services.clone())));
    listed.fails("of a credit note", NONE, Ask::Object(Subject::Of(subjects.note.clone())));
    listed.fails("of this site, asked of the other site", NOT_THERE, known());
    listed.last(|case| case.headers = vec![HeaderChange::with(RawHeader::Site, "{other_site}")]);
    for (title, twist) in misspellings() {
        listed.fails(title, NOT_THERE, Ask::Object(Subject::Misspelt(subjects.without_bill.clone(), twist)));
    }
    for (title, text) in NO_IRNS {
        listed.fails(title, NOT_THERE, Ask::Object(Subject::Text(text.into())));
    }
    for serial in 1..=6 {
        let title = format!("the IRN of a document that was never registered, number {serial}");
        listed.fails(title, NOT_THERE, Ask::Object(Subject::Unregistered(serial)));
    }
    common::headers(&mut listed, &known());
    listed.cases
}
