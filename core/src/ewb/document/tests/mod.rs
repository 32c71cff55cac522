//! Requests read, written, compared and judged.

mod cases;
mod from_invoice;

use serde_json::{Value, json};

use super::*;
use crate::finding::Severity;

/// A challan for job work between two invented parties of one state, right in every respect.
pub(super) fn job_work() -> Value {
    json!({
        "supplyType": "O", "subSupplyType": "4", "docType": "CHL", "docNo": "JW/26-27/7", "docDate": "05/11/2026",
        "fromGstin": "29AAACE1234F1Z2", "fromTrdName": "Aruna Electricals", "fromAddr1": "7 Temple Road",
        "fromPlace": "Bengaluru", "fromPincode": 560_001, "actFromStateCode": 29, "fromStateCode": 29,
        "toGstin": "URP", "toTrdName": "Meena Winding Works", "toAddr1": "2 Canal Street", "toPlace": "Mysuru",
        "toPincode": 570_001, "actToStateCode": 29, "toStateCode": 29, "transactionType": 1,
        "itemList": [{"productName": "Copper wire", "hsnCode": 740_811, "quantity": 3, "qtyUnit": "KGS",
            "taxableAmount": 3000, "cgstRate": 9, "sgstRate": 9, "igstRate": 0}],
        "totalValue": 3000, "cgstValue": 270, "sgstValue": 270, "igstValue": 0, "totInvValue": 3540,
        "transDistance": 145, "transMode": 1, "vehicleNo": "KA01AB1234", "vehicleType": "R"
    })
}

fn read(document: &Value) -> ReadEwbRequest {
    EwbRequest::from_json(&document.to_string()).unwrap()
}

#[test]
fn a_request_is_written_as_the_form_has_it_whatever_the_text_looked_like() {
    let text = r#"{"TRANSMODE":"1","docno":"A/1","subsupplytype":1,"itemList":[{"HSNCODE":"01012100","taxableAmount":1e3},
        {"hsnCode":1012100},{"hsnCode":740811,"cessNonadvol":5}],"transDistance":"0","toPincode":"411001","fromStateCode":"05",
        "vehicleNo":"","shipToGSTIN":"urp"}"#;
    let read = EwbRequest::from_json(text).unwrap();
    assert_eq!(
        read.request.to_json(),
        r#"{"subSupplyType":"1","docNo":"A/1","toPincode":411001,"fromStateCode":5,"shipToGSTIN":"URP","itemList":[{"hsnCode":"01012100","taxableAmount":1000},{"hsnCode":"01012100"},{"hsnCode":740811,"cessNonAdvol":5}],"transDistance":0,"transMode":1}"#
            .replace(r#""toPincode":411001,"fromStateCode":5"#, r#""fromStateCode":5,"toPincode":411001"#)
    );
    let repaired: Vec<_> = read.findings.iter().map(|finding| (&*finding.rule, finding.path.as_str())).collect();
    assert_eq!(
        repaired,
        [
            ("ewb.request.repaired", "toPincode"),
            ("ewb.request.repaired", "vehicleNo"),
            ("ewb.request.repaired", "shipToGSTIN")
        ]
    );
    assert!(read.findings.iter().all(|finding| finding.severity == Severity::Repaired && finding.code.is_none()));
}

#[test]
fn what_is_written_is_read_again_without_a_word() {
    let first = read(&job_work());
    assert_eq!(first.findings, []);
    let again = EwbRequest::from_json(&first.request.to_json()).unwrap();
    assert_eq!((again.request, again.findings), (first.request, Vec::new()));
}

#[test]
fn unknown_members_are_kept_and_reported_and_not_sent() {
    let mut document = job_work();
    document["gatePass"] = json!({"no": 7});
    document["Irn"] = json!("x");
    let read = read(&document);
    let rules: Vec<_> = read.findings.iter().map(|finding| (&*finding.rule, finding.path.as_str())).collect();
    assert_eq!(rules, [("ewb.request.unknown", "Irn"), ("ewb.request.unknown", "gatePass")]);
    assert_eq!(read.findings[1].message, "an e-way bill request has no member gatePass here; it is not sent");
    assert_eq!(&*read.request.unknown[1].json, r#"{"no":7}"#);
    assert!(!read.request.to_json().contains("gatePass"));
}

#[test]
fn amounts_are_exact() {
    let mut document = job_work();
    document["totInvValue"] = json!(12_345_678_901_234.56);
    let text = document.to_string().replace("12345678901234.56", "99999999999999.01");
    let read = EwbRequest::from_json(&text).unwrap();
    assert_eq!(read.request.tot_inv_value.get().unwrap().to_string(), "99999999999999.01");
    assert!(read.request.to_json().contains(r#""totInvValue":99999999999999.01"#));
}

#[test]
fn the_document_of_a_request_is_told() {
    let request = read(&job_work()).request;
    assert_eq!((request.doc_type(), request.doc_no()), (Some("CHL"), Some("JW/26-27/7")));
    assert_eq!(request.doc_date().unwrap().to_string(), "05/11/2026");
    assert_eq!(request.label(), "CHL JW/26-27/7 of 05/11/2026");
    assert_eq!(EwbRequest::default().label(), "document without number");
}

/// The bill as the system hands it back: rendered anew, with members of its own and without others.
fn returned(document: &Value) -> Value {
    let mut bill = document.clone();
    let members = bill.as_object_mut().unwrap();
    for gone in ["transMode", "vehicleNo", "vehicleType", "transDistance", "shipToGSTIN", "shipToTradeName"] {
        members.remove(gone);
    }
    bill["ewbNo"] = json!(141_009_149_369_u64);
    bill["status"] = json!("ACT");
    bill["userGstin"] = document["fromGstin"].clone();
    bill["subSupplyType"] = json!("4  ");
    bill["docNo"] = json!("jw/26-27/7 ");
    bill["totInvValue"] = json!(3540.0);
    bill["otherValue"] = json!(0);
    bill["transporterName"] = json!("");
    bill["toAddr2"] = json!("");
    bill["itemList"][0]["itemNo"] = json!(1);
    bill["itemList"][0]["hsnCode"] = json!(740_811);
    bill["itemList"][0]["cessRate"] = json!(0.0);
    bill["VehiclListDetails"] = json!([{"vehicleNo": "KA01AB1234"}]);
    bill
}

#[test]
fn a_bill_that_is_only_rendered_anew_is_the_one_asked_for() {
    let mut document = job_work();
    document["transactionType"] = json!(2);
    document["shipToGSTIN"] = json!("29AABCM5678K1ZU");
    document["shipToTradeName"] = json!("Madhav Motors");
    document["itemList"][0]["hsnCode"] = json!("740811");
    let ours = read(&document).request;
    assert_eq!(ours.differences(&read(&returned(&document)).request), []);
}

/// What differs once the bill came back with a change.
fn changed(change: impl FnOnce(&mut Value, &mut Value)) -> Vec<String> {
    let mut ours = job_work();
    let mut bill = returned(&ours);
    change(&mut ours, &mut bill);
    let differences = read(&ours).request.differences(&read(&bill).request);
    differences.into_iter().map(|difference| difference.path).collect()
}

#[test]
fn our_own_bill_stays_ours_whatever_became_of_its_transport() {
    let none: [&str; 0] = [];
    // By rail no vehicle is named, and the reply says `R` all the same.
    let by_rail = changed(|ours, bill| {
        for gone in ["vehicleNo", "vehicleType"] {
            ours.as_object_mut().unwrap().remove(gone);
        }
        ours["transMode"] = json!(2);
        ours["transDocNo"] = json!("123456789");
        ours["transDocDate"] = json!("06/11/2026");
        bill["vehicleType"] = json!("R");
    });
    assert_eq!(by_rail, none);
    let assigned = changed(|_, bill| {
        bill["transporterId"] = json!("29AABCM5678K1ZU");
        bill["transporterName"] = json!("FLEET OF THE MASTER");
    });
    assert_eq!(assigned, none, "a transporter was assigned since");
    let renamed = changed(|ours, bill| {
        ours["transporterId"] = json!("29AABCM5678K1ZU");
        ours["transporterName"] = json!("Fleet");
        bill["transporterId"] = json!("27AABCM5678K1ZY");
        bill["transporterName"] = json!("Master's own name of it");
    });
    assert_eq!(renamed, none, "another transporter, named as the master has it");
    let moved = changed(|_, bill| {
        bill["vehicleType"] = json!("O");
        bill["vehicleNo"] = json!("KA01AB9999");
        bill["transDistance"] = json!(150);
    });
    assert_eq!(moved, none, "another vehicle, and the distance as the system computes it");
}

#[test]
fn blanks_cuts_and_the_order_of_items_make_no_other_bill() {
    let none: [&str; 0] = [];
    let padded = changed(|_, bill| {
        bill["docDate"] = json!("05/11/2026 ");
        bill["fromGstin"] = json!("29AAACE1234F1Z2 ");
        bill["toTrdName"] = json!("Meena  Winding Works");
        bill["transporterId"] = json!(" ");
        bill["shipToGSTIN"] = json!(" ");
    });
    assert_eq!(padded, none);
    let long = "7 Temple Road, behind the old water tower, near the second gate of the market, ".repeat(2);
    let cut = changed(|ours, bill| {
        ours["fromAddr1"] = json!(long.trim());
        bill["fromAddr1"] = json!(&long[..100]);
    });
    assert_eq!(cut, none);
    let other = changed(|_, bill| bill["toTrdName"] = json!("Meena"));
    assert_eq!(other, ["toTrdName"], "a short beginning is another name");
    let two = |first: u32, second: u32| {
        changed(move |ours, bill| {
            let item = |amount: u32| json!({"productName": "Wire", "hsnCode": 740_811, "taxableAmount": amount});
            ours["itemList"] = json!([item(1000), item(2000)]);
            bill["itemList"] = json!([item(first), item(second)]);
        })
    };
    assert_eq!(two(2000, 1000), none);
    assert_eq!(two(2000, 2000), ["itemList[0].taxableAmount"]);
}

#[test]
fn each_real_difference_is_named_with_both_values() {
    let ours = read(&job_work()).request;
    let mut bill = returned(&job_work());
    bill["toPincode"] = json!(570_002);
    bill["itemList"][0]["quantity"] = json!(4);
    bill["totInvValue"] = json!(3540.01);
    let differences = ours.differences(&read(&bill).request);
    let told: Vec<_> = differences
        .iter()
        .map(|difference| (difference.path.as_str(), difference.ours.as_deref(), difference.theirs.as_deref()))
        .collect();
    assert_eq!(
        told,
        [
            ("toPincode", Some("570001"), Some("570002")),
            ("itemList[0].quantity", Some("3"), Some("4")),
            ("totInvValue", Some("3540"), Some("3540.01")),
        ]
    );
    let mut fewer = returned(&job_work());
    fewer["itemList"].as_array_mut().unwrap().clear();
    assert_eq!(ours.differences(&read(&fewer).request)[0].path, "itemList");
}

#[test]
fn states_differ_between_the_forms_for_abroad_alone() {
    let abroad: EwbStateCode = crate::identifier::StateCode::OTHER_COUNTRY.into();
    assert_eq!((abroad.number(), abroad.code().number(), abroad.is_abroad()), (99, 96, true));
    let karnataka = EwbStateCode::from_number(29).unwrap();
    assert_eq!((karnataka.code().number(), karnataka.is_abroad()), (29, false));
}
