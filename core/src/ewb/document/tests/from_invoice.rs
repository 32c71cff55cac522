//! Documents become the requests for their bills.

use jiff::civil::date;
use serde_json::{Value, json};

use super::super::*;
use crate::document::Invoice;

/// A sale to a recipient without GSTIN, within one state.
fn retail() -> Value {
    json!({"Version":"1.1",
        "TranDtls":{"TaxSch":"GST","SupTyp":"B2B"},
        "DocDtls":{"Typ":"INV","No":"R/7","Dt":"05/11/2026"},
        "SellerDtls":{"Gstin":"29AAACE1234F1Z2","LglNm":"Aruna Electricals Ltd","TrdNm":"Aruna","Addr1":"7 Temple Road",
            "Loc":"Bengaluru","Pin":560_001,"Stcd":"29"},
        "BuyerDtls":{"Gstin":"URP","LglNm":"Meena R","Pos":"29","Addr1":"2 Canal Street","Loc":"Mysuru","Pin":570_001,
            "Stcd":"29"},
        "ItemList":[
            {"SlNo":"1","PrdDesc":"Copper wire","IsServc":"N","HsnCd":"740811","Qty":3,"Unit":"KGS","UnitPrice":1000,
                "TotAmt":3000,"AssAmt":3000,"GstRt":18,"CgstAmt":270,"SgstAmt":270,"CesRt":1,"CesAmt":30,
                "StateCesAmt":5,"TotItemVal":3575},
            {"SlNo":"2","PrdDesc":"Fitting","IsServc":"Y","HsnCd":"998719","UnitPrice":100,"TotAmt":100,"AssAmt":100,
                "GstRt":18,"CgstAmt":9,"SgstAmt":9,"TotItemVal":118}],
        "ValDtls":{"AssVal":3100,"CgstVal":279,"SgstVal":279,"CesVal":30,"RndOffAmt":-0.4,"TotInvVal":3692.6},
        "EwbDtls":{"TransMode":"1","Distance":145,"VehNo":"KA01AB1234"}})
}

fn made(document: &Value, transport: Transport<'_>) -> EwbRequest {
    let invoice = Invoice::from_json(&document.to_string()).unwrap().invoice;
    EwbRequest::from_invoice(&invoice, transport).unwrap()
}

fn findings(request: &EwbRequest) -> Vec<Finding> {
    request.check(Gstin::parse("29AAACE1234F1Z2").unwrap(), date(2026, 11, 22))
}

fn json_of(request: &EwbRequest) -> Value {
    serde_json::from_str(&request.to_json()).unwrap()
}

#[test]
fn a_retail_invoice_becomes_a_right_request_with_rates_and_exact_totals() {
    let request = made(&retail(), Transport::default());
    assert_eq!(findings(&request), []);
    let json = json_of(&request);
    let wanted = json!({"supplyType": "O", "subSupplyType": "1", "docType": "INV", "docNo": "R/7",
        "docDate": "05/11/2026", "fromGstin": "29AAACE1234F1Z2", "fromTrdName": "Aruna", "fromAddr1": "7 Temple Road",
        "fromPlace": "Bengaluru", "fromPincode": 560_001, "actFromStateCode": 29, "fromStateCode": 29, "toGstin": "URP",
        "toTrdName": "Meena R", "toAddr1": "2 Canal Street", "toPlace": "Mysuru", "toPincode": 570_001,
        "actToStateCode": 29, "toStateCode": 29, "transactionType": 1,
        "itemList": [
            {"productName": "Copper wire", "productDesc": "Copper wire", "hsnCode": 740_811, "quantity": 3,
                "qtyUnit": "KGS", "taxableAmount": 3000, "cgstRate": 9, "sgstRate": 9, "igstRate": 0, "cessRate": 1},
            {"productName": "Fitting", "productDesc": "Fitting", "hsnCode": 998_719, "taxableAmount": 100,
                "cgstRate": 9, "sgstRate": 9, "igstRate": 0}],
        "totalValue": 3100, "cgstValue": 279, "sgstValue": 279, "igstValue": 0, "cessValue": 30,
        "cessNonAdvolValue": 0, "otherValue": 4.6, "totInvValue": 3692.6, "transDistance": 145, "transMode": 1,
        "vehicleNo": "KA01AB1234", "vehicleType": "R"});
    assert_eq!(json, wanted);
}

#[test]
fn an_invoice_without_tax_goes_with_a_bill_of_supply() {
    let mut document = retail();
    document["ItemList"] = json!([{"SlNo":"1","PrdDesc":"Rice","IsServc":"N","HsnCd":"100610","Qty":3,"Unit":"KGS",
        "UnitPrice":100,"TotAmt":300,"AssAmt":300,"GstRt":0,"TotItemVal":300}]);
    document["ValDtls"] = json!({"AssVal":300,"TotInvVal":300});
    let request = made(&document, Transport::default());
    assert_eq!(request.doc_type(), Some("BIL"));
    assert_eq!(findings(&request), []);
}

#[test]
fn an_export_is_of_state_99_and_goes_to_the_port_where_one_is_named() {
    let mut document = retail();
    document["TranDtls"]["SupTyp"] = json!("EXPWP");
    document["BuyerDtls"] = json!({"Gstin":"URP","LglNm":"Lanka Cables","Pos":"96","Addr1":"1 Fort Street",
        "Loc":"Colombo","Stcd":"96"});
    document["ItemList"] = json!([{"SlNo":"1","PrdDesc":"Copper wire","IsServc":"N","HsnCd":"740811","Qty":3,
        "Unit":"KGS","UnitPrice":1000,"TotAmt":3000,"AssAmt":3000,"GstRt":18,"IgstAmt":540,"TotItemVal":3540}]);
    document["ValDtls"] = json!({"AssVal":3000,"IgstVal":540,"TotInvVal":3540});
    let request = made(&document, Transport::default());
    assert_eq!(findings(&request), []);
    let json = json_of(&request);
    assert_eq!((&json["toStateCode"], &json["actToStateCode"]), (&json!(99), &json!(99)));
    assert_eq!((&json["toPincode"], &json["subSupplyType"]), (&json!(999_999), &json!("3")));
    assert_eq!(json["itemList"][0]["igstRate"], json!(18));

    document["ShipDtls"] = json!({"Gstin":"URP","LglNm":"Harbour of Chennai","Addr1":"Rajaji Salai","Loc":"Chennai",
        "Pin":600_001,"Stcd":"33"});
    let request = made(&document, Transport::default());
    assert_eq!(findings(&request), []);
    let json = json_of(&request);
    assert_eq!((&json["toStateCode"], &json["actToStateCode"]), (&json!(99), &json!(33)));
    assert_eq!((&json["toPincode"], &json["transactionType"]), (&json!(600_001), &json!(2)));
    assert_eq!((&json["toTrdName"], &json["shipToTradeName"]), (&json!("Lanka Cables"), &json!("Harbour of Chennai")));
}

#[test]
fn a_place_of_dispatch_makes_type_3_and_takes_its_gstin_from_beside_the_document() {
    let mut document = retail();
    document["DispDtls"] = json!({"Nm":"Depot","Addr1":"9 Ring Road","Loc":"Hosur","Pin":635_109,"Stcd":"33"});
    let without = made(&document, Transport::default());
    let rules: Vec<_> = findings(&without).iter().map(|finding| finding.rule.clone().into_owned()).collect();
    assert_eq!(rules, ["ewb.request.dispatch_missing"]);
    let dispatch_gstin = Some(PartyGstin::Unregistered);
    let request = made(&document, Transport { dispatch_gstin, ..Transport::default() });
    assert_eq!(findings(&request), []);
    let json = json_of(&request);
    assert_eq!(
        (&json["transactionType"], &json["fromStateCode"], &json["actFromStateCode"]),
        (&json!(3), &json!(29), &json!(33))
    );
    assert_eq!((&json["fromPlace"], &json["dispatchFromTradeName"]), (&json!("Hosur"), &json!("Depot")));
}

#[test]
fn the_transport_can_come_from_beside_the_document() {
    let mut document = retail();
    document.as_object_mut().unwrap().remove("EwbDtls");
    let invoice = Invoice::from_json(&json!({"EwbDtls":{"Distance":0,"TransId":"29AABCM5678K1ZU"}}).to_string());
    let carriage = invoice.unwrap().invoice.ewb_dtls;
    let request = made(&document, Transport { carriage: carriage.as_ref(), ..Transport::default() });
    assert_eq!(findings(&request), []);
    assert_eq!(request.transporter_id.get().unwrap().to_string(), "29AABCM5678K1ZU");
    let none = made(&document, Transport::default());
    let paths: Vec<_> = findings(&none).iter().map(|finding| finding.path.clone()).collect();
    assert_eq!(paths, ["transDistance", "transporterId"], "the check says what is missing");
}

#[test]
fn notes_services_and_documents_without_state_make_no_bill() {
    let refused = |change: fn(&mut Value)| {
        let mut document = retail();
        change(&mut document);
        let invoice = Invoice::from_json(&document.to_string()).unwrap().invoice;
        let findings = EwbRequest::from_invoice(&invoice, Transport::default()).unwrap_err();
        assert!(findings.iter().all(Finding::is_error), "{findings:?}");
        findings.into_iter().map(|finding| finding.path).collect::<Vec<_>>()
    };
    assert_eq!(refused(|document| document["DocDtls"]["Typ"] = json!("CRN")), ["DocDtls.Typ"]);
    assert_eq!(refused(|document| document["ItemList"][0]["IsServc"] = json!("Y")), ["ItemList"]);
    assert_eq!(refused(|document| document["BuyerDtls"]["Stcd"] = json!(null)), ["BuyerDtls.Stcd"]);
    assert_eq!(refused(|document| document["ValDtls"]["TotInvVal"] = json!(null)), ["ValDtls.TotInvVal"]);
}
