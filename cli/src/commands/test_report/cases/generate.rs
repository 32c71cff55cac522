//! Generate IRN: documents of every kind that are to be registered. Later cases read, move and cancel them.

use einvoice_core::document::SupplyType;
use einvoice_core::key::DocumentType;
use serde_json::{Value, json};

use super::{Listed, Subjects};
use crate::arguments::Api;
use crate::commands::test_report::case::{Ask, Case, Edit, Need};
use crate::commands::test_report::draft::{Draft, GOODS, Line, Place, SERVICE, changed};

pub(super) fn cases() -> (Vec<Case>, Subjects) {
    let mut listed = Listed::of(Api::Generate);
    let mut subjects = Subjects::default();
    let register = |draft: Draft| Ask::Register(Box::new(draft));
    for (title, draft) in variants() {
        let id = listed.succeeds(format!("an invoice to another state, {title}"), register(draft));
        subjects.for_bills.push(id);
    }
    for (title, draft) in variants().into_iter().take(11) {
        let draft = Draft { place: Place::Within, ..draft };
        let id = listed.succeeds(format!("an invoice within the state, {title}"), register(draft));
        subjects.for_bills.push(id);
    }
    for (title, draft) in shapes() {
        let (sez, export) = (draft.supply.is_sez(), draft.supply.is_export());
        let id = listed.succeeds(format!("an invoice: {title}"), register(draft));
        if sez {
            listed.last(|case| case.needs = Some(Need::SezBuyer));
        } else if export {
            subjects.exports.push(id.clone());
            subjects.for_bills.push(id);
        }
    }
    subjects.without_bill = listed.succeeds("an invoice that gets no e-way bill", register(Draft::default()));
    bills_at_once(&mut listed, &mut subjects);
    for (title, draft) in variants() {
        let draft = Draft { kind: DocumentType::CreditNote, ..draft };
        subjects.for_cancelling.push(listed.succeeds(format!("a credit note, {title}"), register(draft)));
    }
    for (title, draft) in shapes() {
        let (sez, draft) = (draft.supply.is_sez(), Draft { kind: DocumentType::DebitNote, ..draft });
        let id = listed.succeeds(format!("a debit note: {title}"), register(draft));
        if sez {
            listed.last(|case| case.needs = Some(Need::SezBuyer));
        } else {
            subjects.for_cancelling.push(id);
        }
    }
    for (title, lines) in services() {
        let draft = Draft { lines, ..Draft::default() };
        subjects.for_cancelling.push(listed.succeeds(format!("an invoice for services, {title}"), register(draft)));
    }
    subjects.services = listed
        .succeeds("an invoice for a service that stays", register(Draft { lines: vec![SERVICE], ..Draft::default() }));
    subjects.note = listed
        .succeeds("a credit note that stays", register(Draft { kind: DocumentType::CreditNote, ..Draft::default() }));
    subjects.active.clone_from(&subjects.note);
    (listed.cases, subjects)
}

/// Every kind of supply, every place it can go, and reverse charge.
fn shapes() -> Vec<(String, Draft)> {
    let mut shapes = Vec::new();
    for supply in SupplyType::ALL {
        let zone = supply.is_export() || supply.is_sez();
        let places: &[Place] = if zone { &[Place::Between] } else { &[Place::Between, Place::Within] };
        for place in places {
            let where_to = match (zone, place) {
                (true, _) => "",
                (false, Place::Within) => " within the state",
                (false, _) => " to another state",
            };
            let draft = Draft { supply, place: *place, ..Draft::default() };
            shapes.push((format!("supply type {}{where_to}", supply.code()), draft.clone()));
            if supply == SupplyType::B2b {
                let charged = Draft { reverse_charge: true, ..draft };
                shapes.push((format!("supply type B2B{where_to} under reverse charge"), charged));
            }
        }
    }
    let igst = Draft { place: Place::WithinWithIgst, reverse_charge: true, ..Draft::default() };
    shapes.push(("supply type B2B within the state with IGST, under reverse charge".to_owned(), igst));
    shapes
}

fn of_line(line: Line) -> Draft {
    Draft { lines: vec![line], ..Draft::default() }
}

fn lines(count: usize) -> Draft {
    Draft { lines: vec![GOODS; count], ..Draft::default() }
}

/// An invoice or a note, each with one thing that is not in the others.
fn variants() -> Vec<(&'static str, Draft)> {
    let mut variants = vec![
        ("plain", Draft::default()),
        ("at nil rate", of_line(Line { rate: 0, ..GOODS })),
        ("at 0.25 per cent", of_line(Line { rate: 25, hsn: "710210", ..GOODS })),
        ("at 3 per cent", of_line(Line { rate: 300, hsn: "711319", ..GOODS })),
        ("at 5 per cent", of_line(Line { rate: 500, ..GOODS })),
        ("at 40 per cent", of_line(Line { rate: 4_000, hsn: "220210", ..GOODS })),
        ("of 2 lines", lines(2)),
        ("of 20 lines", lines(20)),
        ("of 100 lines", lines(100)),
        ("of goods and a service", Draft { lines: vec![GOODS, SERVICE], ..Draft::default() }),
        ("of three rates", three_rates()),
        ("of 1000 lines", lines(1000)),
        ("with a discount on the line", of_line(Line { discount: 12_345, ..GOODS })),
        ("with other charges on the line", of_line(Line { other: 5_000, ..GOODS })),
        ("with a cess by rate", of_line(Line { cess_rate: 1_200, ..GOODS })),
        ("with a cess by quantity", of_line(Line { cess: 10_000, ..GOODS })),
        ("with a state cess by rate", of_line(Line { state_cess_rate: 100, ..GOODS })),
        ("with a state cess by quantity", of_line(Line { state_cess: 2_500, ..GOODS })),
        (
            "with every cess",
            of_line(Line { cess_rate: 100, cess: 100, state_cess_rate: 100, state_cess: 100, ..GOODS }),
        ),
        ("with a discount on the whole", Draft { discount: 50_000, ..Draft::default() }),
        ("with other charges on the whole", Draft { other: 25_000, ..Draft::default() }),
        ("rounded up", Draft { round_off: 45, lines: vec![Line { price: 100_055, ..GOODS }], ..Draft::default() }),
        ("rounded down", Draft { round_off: -30, lines: vec![Line { price: 100_030, ..GOODS }], ..Draft::default() }),
        ("of one paisa", of_line(Line { quantity: 1, price: 1, rate: 0, ..GOODS })),
        ("of ten crore rupees", of_line(Line { quantity: 1_000, price: 10_000_000, ..GOODS })),
        ("in kilograms", of_line(Line { unit: "KGS", ..GOODS })),
        ("in litres", of_line(Line { unit: "LTR", ..GOODS })),
        ("in metres", of_line(Line { unit: "MTR", ..GOODS })),
    ];
    variants.extend(sections().into_iter().map(|(title, edits)| (title, changed(edits))));
    variants
}

fn three_rates() -> Draft {
    let rates = [500, 1_800, 0].map(|rate| Line { rate, ..GOODS });
    Draft { lines: rates.to_vec(), ..Draft::default() }
}

/// Sections that may be given or not.
fn sections() -> Vec<(&'static str, Vec<Edit>)> {
    vec![
        ("dispatched from another place", vec![("/DispDtls", depot())]),
        ("shipped to another place", vec![("/ShipDtls", consignee())]),
        ("dispatched from one place and shipped to another", vec![("/DispDtls", depot()), ("/ShipDtls", consignee())]),
        (
            "with trade names",
            vec![("/SellerDtls/TrdNm", json!("Example Works")), ("/BuyerDtls/TrdNm", json!("Sample Shop"))],
        ),
        (
            "with second lines of addresses",
            vec![("/SellerDtls/Addr2", json!("First floor")), ("/BuyerDtls/Addr2", json!("Gate 4"))],
        ),
        (
            "with telephone and mail",
            vec![("/BuyerDtls/Ph", json!("9000000000")), ("/BuyerDtls/Em", json!("a@example.com"))],
        ),
        ("with batch and expiry", vec![("/ItemList/0/BchDtls", json!({"Nm": "B-12", "ExpDt": "31/12/2028"}))]),
        ("with attributes of the goods", vec![("/ItemList/0/AttribDtls", json!([{"Nm": "Colour", "Val": "Grey"}]))]),
        ("with a barcode", vec![("/ItemList/0/Barcde", json!("8901234567890"))]),
        ("with a line of the order", vec![("/ItemList/0/OrdLineRef", json!("10"))]),
        ("with a country of origin", vec![("/ItemList/0/OrgCntry", json!("DE"))]),
        ("with a free quantity", vec![("/ItemList/0/FreeQty", json!(1))]),
        (
            "with remarks and a period",
            vec![(
                "/RefDtls",
                json!({"InvRm": "Monthly supply", "DocPerdDtls": {"InvStDt": "{day-20}", "InvEndDt": "{today}"}}),
            )],
        ),
        (
            "with a preceding document",
            vec![("/RefDtls/PrecDocDtls", json!([{"InvNo": "OLD/71", "InvDt": "{day-30}"}]))],
        ),
        ("with the buyer's order", vec![("/RefDtls/ContrDtls", json!([{"PORefr": "PO-77", "PORefDt": "{day-10}"}]))]),
        (
            "with terms of payment",
            vec![("/PayDtls", json!({"Nm": "Example Supplier", "Mode": "Credit", "PayTerm": "30 days", "CrDay": 30}))],
        ),
        (
            "with a supporting document",
            vec![(
                "/AddlDocDtls",
                json!([{"Url": "https://example.com/a.pdf", "Docs": "list", "Info": "packing list"}]),
            )],
        ),
    ]
}

/// A place in the supplier's state from which goods are sent.
pub(super) fn depot() -> Value {
    json!({"Nm": "Example Depot", "Addr1": "5 Store Road", "Loc": "Example Town", "Pin": "{own_pin}", "Stcd": "{own_state}"})
}

/// A place in the buyer's state to which goods are sent.
pub(super) fn consignee() -> Value {
    json!({"LglNm": "Example Consignee", "Addr1": "9 Yard Road", "Loc": "Sample Town", "Pin": "{buyer_pin}",
           "Stcd": "{buyer_state}"})
}

fn services() -> Vec<(&'static str, Vec<Line>)> {
    vec![
        ("one", vec![SERVICE]),
        ("two", vec![SERVICE; 2]),
        ("at 5 per cent", vec![Line { rate: 500, ..SERVICE }]),
        ("at nil rate", vec![Line { rate: 0, ..SERVICE }]),
        ("with a discount", vec![Line { discount: 10_000, ..SERVICE }]),
        ("with other charges", vec![Line { other: 10_000, ..SERVICE }]),
    ]
}

/// Invoices with an e-way bill in the same call.
fn bills_at_once(listed: &mut Listed, subjects: &mut Subjects) {
    let day = "{today}";
    let bills = [
        ("by road", json!({"TransMode": "1", "Distance": 0, "VehNo": "KA01AB1234", "VehType": "R"})),
        (
            "by road with an over-dimensional vehicle",
            json!({"TransMode": "1", "Distance": 0, "VehNo": "KA01AB1234", "VehType": "O"}),
        ),
        (
            "by road with a transporter",
            json!({"TransMode": "1", "Distance": 0, "VehNo": "KA01AB1234", "VehType": "R", "TransId": "{buyer}", "TransName": "Example Carriers"}),
        ),
        ("by rail", json!({"TransMode": "2", "Distance": 0, "TransDocNo": "RR123456", "TransDocDt": day})),
        ("by air", json!({"TransMode": "3", "Distance": 0, "TransDocNo": "AWB123456", "TransDocDt": day})),
        ("by ship", json!({"TransMode": "4", "Distance": 0, "TransDocNo": "BL123456", "TransDocDt": day})),
        ("of Part A alone", json!({"Distance": 0, "TransId": "{buyer}"})),
        (
            "by road with a transport document",
            json!({"TransMode": "1", "Distance": 0, "VehNo": "KA01AB1234", "VehType": "R", "TransDocNo": "LR99", "TransDocDt": day}),
        ),
    ];
    for (title, bill) in bills {
        let draft = changed([("/EwbDtls", bill)]);
        let id = listed.succeeds(format!("an invoice with its e-way bill, {title}"), Ask::Register(Box::new(draft)));
        subjects.with_bills.push(id);
    }
}
