//! E-way bills and what is done to them, as requests.

use einvoice_sandbox::Sandbox;
use serde_json::{Value, json};

use crate::raw::{BUYER, EwbClient, SELLER};

/// A transporter.
pub(crate) const CARRIER: &str = "29AABCC9876L1ZV";

/// An inter-state bill by road of 250 km.
pub(crate) fn bill(number: &str) -> Value {
    json!({
        "supplyType": "O", "subSupplyType": "1", "docType": "INV", "docNo": number, "docDate": "05/11/2026",
        "fromGstin": SELLER, "fromTrdName": "Example Exports", "fromAddr1": "1 Example Street", "fromPlace": "Bengaluru",
        "fromPincode": 560_001, "fromStateCode": 29, "actFromStateCode": 29,
        "toGstin": BUYER, "toTrdName": "Example Buyers", "toAddr1": "2 Example Road", "toPlace": "Mumbai",
        "toPincode": 400_001, "toStateCode": 27, "actToStateCode": 27, "transactionType": 1,
        "totalValue": 1000, "igstValue": 180, "cgstValue": 0, "sgstValue": 0, "totInvValue": 1180, "transDistance": "250",
        "transMode": "1", "vehicleNo": "KA01AB1234", "vehicleType": "R",
        "itemList": [{"productName": "Rice", "hsnCode": 1006, "quantity": 10, "qtyUnit": "KGS", "taxableAmount": 1000,
            "igstRate": 18, "cgstRate": 0, "sgstRate": 0}]
    })
}

/// The same without transport, in the hands of the transporter.
pub(crate) fn part_a(number: &str) -> Value {
    let mut bill = bill(number);
    for member in ["transMode", "vehicleNo", "vehicleType"] {
        bill.as_object_mut().unwrap().remove(member);
    }
    bill["transporterId"] = json!(CARRIER);
    bill
}

pub(crate) async fn made(sandbox: &Sandbox, client: &EwbClient, plain: &Value) -> u64 {
    client.act(sandbox, "GENEWAYBILL", plain).await.unwrap()["ewayBillNo"].as_u64().unwrap()
}

pub(crate) fn vehicle(number: u64) -> Value {
    json!({"ewbNo": number, "vehicleNo": "KA01AB9999", "fromPlace": "Hubli", "fromState": "29", "reasonCode": 2,
        "reasonRem": "broke down", "transMode": 1, "vehicleType": "R"})
}

pub(crate) fn cancel(number: u64) -> Value {
    json!({"ewbNo": number, "cancelRsnCode": 2, "cancelRmrk": "order cancelled"})
}

pub(crate) fn extension(number: u64) -> Value {
    json!({"ewbNo": number.to_string(), "vehicleNo": "KA01AB1234", "fromPlace": "Pune", "fromState": 27, "fromPincode": 411_001,
        "remainingDistance": 100, "transMode": "1", "extnRsnCode": 1, "extnRemarks": "flood", "consignmentStatus": "M"})
}
