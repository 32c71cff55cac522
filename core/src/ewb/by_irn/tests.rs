//! Requests made again from documents, and checked.

use std::sync::Arc;

use jiff::civil::{Date, date};
use serde_json::json;

use super::*;
use crate::date::DocumentDate;
use crate::finding::Severity;
use crate::rulebook::{RuleSettings, ShipToGstin};

const DAY: Date = date(2026, 11, 22);

fn document() -> Invoice {
    let json = json!({"DocDtls":{"Typ":"INV","No":"A/7","Dt":"05/11/2026"},"TranDtls":{"SupTyp":"B2B"},
        "SellerDtls":{"Pin":560_001,"Stcd":"29"},"BuyerDtls":{"Gstin":"27AABCM5678K1ZY","Pin":411_001,"Stcd":"27"},
        "ItemList":[{"IsServc":"N"}],
        "EwbDtls":{"TransId":"29AABCM5678K1ZU","TransName":"Fleet","TransMode":"1","Distance":840,
            "VehNo":"KA01AB1234","VehType":"R"}});
    Invoice::from_json(&json.to_string()).unwrap().invoice
}

fn request() -> EwbByIrn {
    let ewb = document().ewb_dtls.unwrap();
    EwbByIrn::from_document(Irn::parse(&"a1".repeat(32)).unwrap(), &ewb, &CheckOptions::on(DAY)).unwrap()
}

/// Code, path and severity of what is found after a change.
fn found(change: impl FnOnce(&mut EwbByIrn, &mut Invoice)) -> Vec<(String, String, Severity)> {
    let (mut request, mut document) = (request(), document());
    change(&mut request, &mut document);
    let findings = request.check(Some(&document), &CheckOptions::on(DAY));
    let told = |finding: Finding| (finding.code.unwrap_or_default().into_owned(), finding.path, finding.severity);
    findings.into_iter().map(told).collect()
}

fn error(code: &str, path: &str) -> Vec<(String, String, Severity)> {
    vec![(code.to_owned(), path.to_owned(), Severity::Error)]
}

fn warning(code: &str, path: &str) -> Vec<(String, String, Severity)> {
    vec![(code.to_owned(), path.to_owned(), Severity::Warning)]
}

fn port() -> Place {
    Place {
        name: None,
        gstin: Some("URP".into()),
        address1: "Rajaji Salai".into(),
        address2: None,
        location: "Chennai".into(),
        pin: 600_001,
        state: "33".into(),
    }
}

#[test]
fn what_the_document_asked_for_is_asked_for_again_whole() {
    let made = request();
    assert_eq!((made.distance_km, made.transporter.as_deref()), (840, Some("29AABCM5678K1ZU")));
    assert_eq!(made.carriage.mode, Some(TransMode::Road));
    assert_eq!(made.carriage.vehicle.as_deref(), Some("KA01AB1234"));
    assert_eq!(made.members(), document().ewb_dtls.unwrap());
    assert_eq!(made.check(Some(&document()), &CheckOptions::on(DAY)), []);
    assert_eq!(made.check(None, &CheckOptions::on(DAY)), []);
}

#[test]
fn what_is_not_of_its_form_makes_no_request() {
    let read = Invoice::from_json(r#"{"EwbDtls":{"TransMode":"9","VehNo":"KA 1"}}"#).unwrap();
    let ewb = read.invoice.ewb_dtls.unwrap();
    let irn = Irn::parse(&"a1".repeat(32)).unwrap();
    let findings = EwbByIrn::from_document(irn, &ewb, &CheckOptions::on(DAY)).unwrap_err();
    let paths: Vec<_> = findings.iter().map(|finding| finding.path.as_str()).collect();
    assert_eq!(paths, ["TransMode", "Distance", "VehNo"]);
    assert!(findings.iter().all(|finding| finding.code.as_deref() == Some("5001")));
}

#[test]
fn the_rules_of_transport_are_those_of_the_document_and_refuse_here() {
    assert_eq!(found(|request, _| request.carriage.vehicle = None), error("4011", "VehNo"));
    assert_eq!(found(|request, _| request.carriage.vehicle_type = None), error("4022", "VehType"));
    assert_eq!(found(|request, _| request.carriage.mode = None), error("4028", "TransMode"));
    let part_a = |request: &mut EwbByIrn| request.carriage = Carriage::default();
    assert_eq!(found(|request, _| part_a(request)), []);
    let without = found(|request, _| {
        part_a(request);
        request.transporter = None;
    });
    assert_eq!(without, error("4019", "TransMode"));
    let rail = |request: &mut EwbByIrn| {
        request.carriage = Carriage {
            mode: Some(TransMode::Rail),
            document: Some("123456789".into()),
            document_date: DocumentDate::from_ymd(2026, 11, 6),
            ..Carriage::default()
        };
    };
    assert_eq!(found(|request, _| rail(request)), []);
    let changed = |change: fn(&mut Carriage)| {
        found(|request, _| {
            rail(request);
            change(&mut request.carriage);
        })
    };
    assert_eq!(changed(|carriage| carriage.document = None), error("4012", "TransDocNo"));
    assert_eq!(changed(|carriage| carriage.document_date = None), error("4023", "TransDocDt"));
    let odc = changed(|carriage| carriage.vehicle_type = Some(VehicleType::OverDimensional));
    assert_eq!(odc, error("4024", "VehType"));
    let late = changed(|carriage| carriage.document_date = DocumentDate::from_ymd(2026, 11, 23));
    assert_eq!(late, error("4016", "TransDocDt"));
    let early = changed(|carriage| carriage.document_date = DocumentDate::from_ymd(2026, 11, 4));
    assert_eq!(early, error("4021", "TransDocDt"));
    let ship = |carriage: &mut Carriage| carriage.mode = Some(TransMode::Ship);
    assert_eq!(changed(ship), []);
    let empty = changed(|carriage| *carriage = Carriage { mode: Some(TransMode::Ship), ..Carriage::default() });
    assert_eq!(empty, error("4040", "VehNo"));
    let regular = changed(|carriage| {
        carriage.mode = Some(TransMode::Ship);
        carriage.vehicle_type = Some(VehicleType::Regular);
    });
    assert_eq!(regular, error("4039", "VehType"));
    assert_eq!(found(|request, _| request.carriage.vehicle = Some("12345678".into())), warning("4014", "VehNo"));
}

#[test]
fn the_distance_is_0_to_4000_and_given_between_equal_pin_codes() {
    assert_eq!(found(|request, _| request.distance_km = 4_000), []);
    assert_eq!(found(|request, _| request.distance_km = 4_001), error("5001", "Distance"));
    let same = |km: u16| {
        found(|request, document| {
            document.buyer_dtls.pin = document.seller_dtls.pin.clone();
            request.distance_km = km;
        })
    };
    assert_eq!(same(0), error("4029", "Distance"));
    assert_eq!(same(101), error("4029", "Distance"));
    assert_eq!(same(100), []);
}

#[test]
fn notes_and_services_have_no_bill() {
    let note = found(|_, document| document.doc_dtls.typ = crate::key::DocumentType::CreditNote.into());
    assert_eq!(note, error("4010", ""));
    let service = found(|_, document| document.item_list[0].is_servc = crate::document::YesNo::Yes.into());
    assert_eq!(service, error("4009", ""));
}

#[test]
fn the_bill_of_an_export_goes_to_a_place_in_india_that_the_request_can_name() {
    let export = |document: &mut Invoice| {
        document.tran_dtls.sup_typ = crate::document::SupplyType::ExportWithPayment.into();
    };
    assert_eq!(found(|_, document| export(document)), error("4031", "ExpShipDtls"));
    let with = |change: fn(&mut Place)| {
        found(|request, document| {
            export(document);
            let mut port = port();
            change(&mut port);
            request.ship_to = Some(port);
        })
    };
    assert_eq!(with(|_| {}), []);
    assert_eq!(with(|port| port.pin = 570_001), error("3039", "ExpShipDtls.Pin"));
    assert_eq!(with(|port| port.location = "C".into()), error("5001", "ExpShipDtls.Loc"));
    let abroad = with(|port| {
        port.pin = 999_999;
        port.state = "96".into();
    });
    let codes: Vec<_> = abroad.iter().map(|(code, ..)| code.as_str()).collect();
    assert_eq!(codes, ["4032", "4033"]);
}

#[test]
fn a_place_of_dispatch_is_named_and_lies_in_india() {
    let with = |change: fn(&mut Place)| {
        found(|request, _| {
            let mut depot = Place { name: Some("Depot".into()), gstin: None, ..port() };
            change(&mut depot);
            request.dispatch_from = Some(depot);
        })
    };
    assert_eq!(with(|_| {}), []);
    assert_eq!(with(|depot| depot.name = None), error("5001", "DispDtls.Nm"));
    assert_eq!(with(|depot| depot.pin = 560_001), error("3039", "DispDtls.Pin"));
    assert_eq!(with(|depot| depot.pin = 999_999), error("4036", "DispDtls.Pin"));
}

#[test]
fn the_ship_to_gstin_is_a_warning_while_the_rule_is_on_hold() {
    let mut request = request();
    request.ship_to = Some(Place { gstin: None, ..port() });
    let findings = request.check(Some(&document()), &CheckOptions::on(DAY));
    assert_eq!((findings.len(), findings[0].severity), (1, Severity::Warning));
    let in_force = ShipToGstin::InForce { from: date(2026, 11, 1) };
    let settings = RuleSettings { ship_to_gstin: in_force, ..RuleSettings::default() };
    let options = CheckOptions::on(DAY).with_settings(Arc::new(settings));
    let findings = request.check(Some(&document()), &options);
    assert_eq!((findings[0].severity, findings[0].code.as_deref()), (Severity::Error, Some("5001")));
}
