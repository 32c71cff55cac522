//! The e-way bill system: login, every action and read, and their refusals.

use einvoice_sandbox::{EwbDateForm, Fault, PortalOperation, PortalSettings, Sandbox, ScriptedFault};
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::bills::{CARRIER, bill, cancel, extension, made, part_a, vehicle};
use crate::raw::{BUYER, EwbClient, SELLER, SISTER, call, ewb_codes, portal};

async fn ready(settings: PortalSettings) -> (Sandbox, EwbClient) {
    let sandbox = portal(settings);
    let client = EwbClient::logged_in(&sandbox, SELLER).await;
    (sandbox, client)
}

fn code(answer: Result<Value, Vec<String>>) -> String {
    answer.unwrap_err().join(" ")
}

#[tokio::test]
async fn a_login_gives_the_same_token_until_a_switch_lets_it_displace_the_one_before() {
    let (sandbox, client) = ready(PortalSettings::default()).await;
    let again = EwbClient::logged_in(&sandbox, SELLER).await;
    assert_eq!(again.inner.token, client.inner.token);
    let mut wrong = client.clone();
    wrong.inner.password = "x".into();
    assert_eq!(ewb_codes(&call(&sandbox, &wrong.login()).await), ["108"]);
    sandbox
        .set_settings(PortalSettings {
            ewb_login_displaces: true,
            ewb_error_as_object: true,
            ..PortalSettings::default()
        })
        .unwrap();
    EwbClient::logged_in(&sandbox, SELLER).await;
    assert_eq!(code(client.act(&sandbox, "CANEWB", &cancel(1)).await), "238");
    let client = EwbClient::logged_in(&sandbox, SELLER).await;
    sandbox.advance(SignedDuration::from_mins(361));
    assert_eq!(code(client.act(&sandbox, "CANEWB", &cancel(1)).await), "106");
}

#[tokio::test]
async fn a_bill_is_made_once_and_read_by_number_and_document() {
    let (sandbox, client) = ready(PortalSettings::default()).await;
    let answer = client.act(&sandbox, "GENEWAYBILL", &bill("E/1")).await.unwrap();
    assert_eq!(answer["ewayBillDate"], "05/11/2026 12:00:00 PM");
    assert_eq!(answer["validUpto"], "07/11/2026 11:59:00 PM");
    assert_eq!(code(client.act(&sandbox, "GENEWAYBILL", &bill("e/1")).await), "604");
    let number = answer["ewayBillNo"].as_u64().unwrap();
    let read = client.read(&sandbox, &format!("ewayapi/GetEwayBill?ewbNo={number}")).await.unwrap();
    assert_eq!((&read["status"], &read["actualDist"]), (&json!("ACT"), &json!(250)));
    assert_eq!(read["VehiclListDetails"][0]["vehicleNo"], "KA01AB1234");
    let page = "ewayapi/GetEwayBillGeneratedByConsigner?docType=INV&docNo=E/1";
    assert_eq!(client.read(&sandbox, page).await.unwrap()["ewayBillNo"], number);
    let stranger = EwbClient::logged_in(&sandbox, SISTER).await;
    assert_eq!(code(stranger.read(&sandbox, &format!("ewayapi/GetEwayBill?ewbNo={number}")).await), "357");
    let list = client.read(&sandbox, "ewayapi/GetEwayBillsByDate?date=05/11/2026").await.unwrap();
    assert_eq!((&list[0]["ewbNo"], &list[0]["rejectStatus"]), (&json!(number), &json!("N")));
    assert_eq!(code(client.read(&sandbox, "ewayapi/GetEwayBillsByDate?date=04/11/2026").await), "418");
}

#[tokio::test]
async fn a_wrong_request_is_refused_with_all_its_codes() {
    let settings = PortalSettings { einvoice_enabled: vec![SISTER.into()], ..PortalSettings::default() };
    let (sandbox, client) = ready(settings).await;
    let cases: [(&str, Value, &str); 12] = [
        ("fromGstin", json!(BUYER), "359"),
        ("docDate", json!("05/11/2025"), "820"),
        ("docDate", json!("06/11/2026"), "207"),
        ("docType", json!("CHL"), "205"),
        ("totInvValue", json!(1000), "620"),
        ("cgstValue", json!(90), "620 624"),
        ("actToStateCode", json!(24), "436 644"),
        ("shipToGSTIN", json!(SISTER), "616"),
        ("transDistance", json!(4001), "221"),
        ("vehicleNo", json!("KA 1"), "225"),
        ("transMode", json!(2), "385 394"),
        ("transMode", json!(""), "619 621"),
    ];
    for (member, value, expected) in cases {
        let mut plain = bill("E/1");
        plain[member] = value;
        assert_eq!(code(client.act(&sandbox, "GENEWAYBILL", &plain).await), expected, "{member}");
    }
    let sister = EwbClient::logged_in(&sandbox, SISTER).await;
    let mut plain = bill("E/1");
    plain["fromGstin"] = json!(SISTER);
    assert_eq!(code(sister.act(&sandbox, "GENEWAYBILL", &plain).await), "720");
    assert_eq!(code(client.act(&sandbox, "NONSENSE", &json!({})).await), "239");
    assert_eq!(code(client.act(&sandbox, "CLSEWB", &json!({})).await), "239");
}

#[tokio::test]
async fn a_cancellation_is_the_generators_within_a_day_and_once() {
    let (sandbox, client) = ready(PortalSettings::default()).await;
    let (first, second) = (made(&sandbox, &client, &bill("E/1")).await, made(&sandbox, &client, &bill("E/2")).await);
    let buyer = EwbClient::logged_in(&sandbox, BUYER).await;
    assert_eq!(code(buyer.act(&sandbox, "CANEWB", &cancel(first)).await), "312");
    let answer = client.act(&sandbox, "CANEWB", &cancel(first)).await.unwrap();
    assert_eq!(answer["ewayBillNo"], first.to_string());
    assert_eq!(code(client.act(&sandbox, "CANEWB", &cancel(first)).await), "312");
    assert_eq!(code(client.act(&sandbox, "VEHEWB", &vehicle(first)).await), "280");
    made(&sandbox, &client, &bill("E/1")).await;
    sandbox.advance(SignedDuration::from_hours(24) + SignedDuration::from_secs(1));
    let client = EwbClient::logged_in(&sandbox, SELLER).await;
    assert_eq!(code(client.act(&sandbox, "CANEWB", &cancel(second)).await), "315");
}

#[tokio::test]
async fn the_other_party_rejects_within_three_days_once_part_b_is_there() {
    let (sandbox, client) = ready(PortalSettings::default()).await;
    let mut long = bill("E/1");
    long["transDistance"] = json!(2000);
    let number = made(&sandbox, &client, &long).await;
    long["docNo"] = json!("E/2");
    let late = made(&sandbox, &client, &long).await;
    let without = made(&sandbox, &client, &part_a("E/3")).await;
    let buyer = EwbClient::logged_in(&sandbox, BUYER).await;
    assert_eq!(code(client.act(&sandbox, "REJEWB", &json!({"ewbNo": number})).await), "341");
    assert_eq!(code(buyer.act(&sandbox, "REJEWB", &json!({"ewbNo": without})).await), "348");
    buyer.act(&sandbox, "REJEWB", &json!({"ewbNo": number})).await.unwrap();
    let rejected = client.read(&sandbox, "ewayapi/GetEwayBillsRejectedByOthers?date=05/11/2026").await.unwrap();
    assert_eq!(rejected[0]["ewbNo"], number);
    sandbox.advance(SignedDuration::from_hours(72) + SignedDuration::from_secs(1));
    let buyer = EwbClient::logged_in(&sandbox, BUYER).await;
    assert_eq!(code(buyer.act(&sandbox, "REJEWB", &json!({"ewbNo": late})).await), "346");
    let stranger = EwbClient::logged_in(&sandbox, SISTER).await;
    assert_eq!(code(stranger.act(&sandbox, "REJEWB", &json!({"ewbNo": late})).await), "342");
}

#[tokio::test]
async fn the_transporter_takes_over_once_it_has_entered_part_b() {
    let (sandbox, client) = ready(PortalSettings::default()).await;
    let number = made(&sandbox, &client, &part_a("E/1")).await;
    let carrier = EwbClient::logged_in(&sandbox, CARRIER).await;
    let stranger = EwbClient::logged_in(&sandbox, SISTER).await;
    assert_eq!(code(stranger.act(&sandbox, "VEHEWB", &vehicle(number)).await), "636");
    let hand_over = json!({"ewbNo": number, "transporterId": SISTER});
    assert_eq!(code(stranger.act(&sandbox, "UPDATETRANSPORTER", &hand_over).await), "339");
    let assigned = carrier.read(&sandbox, "ewayapi/GetEwayBillsForTransporter?date=05/11/2026").await.unwrap();
    assert_eq!((&assigned[0]["ewbNo"], &assigned[0]["validUpto"]), (&json!(number), &Value::Null));
    let answer = carrier.act(&sandbox, "VEHEWB", &vehicle(number)).await.unwrap();
    assert_eq!(answer["validUpto"], "07/11/2026 11:59:00 PM");
    assert_eq!(code(client.act(&sandbox, "VEHEWB", &vehicle(number)).await), "635");
    assert_eq!(code(client.act(&sandbox, "UPDATETRANSPORTER", &hand_over).await), "338");
    sandbox.advance(SignedDuration::from_hours(60));
    let client = EwbClient::logged_in(&sandbox, SELLER).await;
    assert_eq!(code(client.act(&sandbox, "EXTENDVALIDITY", &extension(number)).await), "637");
    let carrier = EwbClient::logged_in(&sandbox, CARRIER).await;
    assert_eq!(code(carrier.act(&sandbox, "VEHEWB", &vehicle(number)).await), "311");
}

#[tokio::test]
async fn an_extension_is_possible_eight_hours_before_and_after_the_end() {
    let (sandbox, client) = ready(PortalSettings::default()).await;
    let number = made(&sandbox, &client, &bill("E/1")).await;
    assert_eq!(code(client.act(&sandbox, "EXTENDVALIDITY", &extension(number)).await), "382");
    sandbox.set_time("2026-11-07T15:59:00Z".parse().unwrap());
    let client = EwbClient::logged_in(&sandbox, SELLER).await;
    let mut far = extension(number);
    far["remainingDistance"] = json!(251);
    assert_eq!(code(client.act(&sandbox, "EXTENDVALIDITY", &far).await), "390");
    let answer = client.act(&sandbox, "EXTENDVALIDITY", &extension(number)).await.unwrap();
    assert_eq!(answer["validUpto"], "08/11/2026 11:59:00 PM");
    assert_eq!(sandbox.e_way_bills()[0].extended, 1);
    sandbox.set_time("2026-11-09T02:29:01Z".parse().unwrap());
    let client = EwbClient::logged_in(&sandbox, SELLER).await;
    assert_eq!(code(client.act(&sandbox, "EXTENDVALIDITY", &extension(number)).await), "382");
}

#[tokio::test]
async fn bills_travel_together_and_one_bill_in_many_vehicles() {
    let (sandbox, client) = ready(PortalSettings::default()).await;
    let (first, second) = (made(&sandbox, &client, &bill("E/1")).await, made(&sandbox, &client, &bill("E/2")).await);
    let together = json!({"fromPlace": "Hubli", "fromState": 29, "vehicleNo": "KA01AB1234", "transMode": "1",
        "tripSheetEwbBills": [{"ewbNo": first}, {"ewbNo": second}]});
    let sheet = client.act(&sandbox, "GENCEWB", &together).await.unwrap()["cEwbNo"].as_u64().unwrap();
    assert_eq!(sheet.to_string().len(), 10);
    let read = client.read(&sandbox, &format!("ewayapi/GetTripSheet?tripSheetNo={sheet}")).await.unwrap();
    assert_eq!(read["tripSheetEwbBills"].as_array().unwrap().len(), 2);
    let again = json!({"tripSheetNo": sheet, "vehicleNo": "KA01AB4321", "fromPlace": "Hubli", "fromState": 29, "transMode": "1",
        "reasonCode": 1, "reasonRem": "flood"});
    let regenerated = client.act(&sandbox, "REGENTRIPSHEET", &again).await.unwrap();
    assert_eq!(regenerated["tripSheetEwayBills"].as_array().unwrap().len(), 2);
    assert_eq!(code(client.act(&sandbox, "REGENTRIPSHEET", &again).await), "392");

    let start = json!({"ewbNo": first, "reasonCode": "1", "reasonRem": "port", "fromPlace": "Hubli", "fromState": 29,
        "toPlace": "Pune", "toState": 27, "transMode": "1", "totalQuantity": 10, "unitCode": "KGS"});
    assert_eq!(client.act(&sandbox, "MULTIVEHMOVINT", &start).await.unwrap()["groupNo"], "1");
    let add = |quantity: u64| json!({"ewbNo": first, "groupNo": "1", "vehicleNo": "KA01AB1111", "transDocNo": "7", "quantity": quantity});
    client.act(&sandbox, "MULTIVEHADD", &add(6)).await.unwrap();
    assert_eq!(code(client.act(&sandbox, "MULTIVEHADD", &add(5)).await), "400");
    let change = json!({"ewbNo": first, "groupNo": "1", "oldvehicleNo": "KA01AB1111", "newVehicleNo": "KA01AB2222", "oldTranNo": "7",
        "newTranNo": "8", "fromPlace": "Hubli", "fromState": 29, "reasonCode": "1", "reasonRem": "broke down"});
    client.act(&sandbox, "MULTIVEHUPD", &change).await.unwrap();
    assert_eq!(code(client.act(&sandbox, "MULTIVEHUPD", &change).await), "405");
    assert_eq!(code(client.act(&sandbox, "VEHEWB", &vehicle(first)).await), "412");
    assert_eq!(code(client.act(&sandbox, "GENCEWB", &together).await), "648");
}

#[tokio::test]
async fn a_closed_bill_takes_nothing_more() {
    let (sandbox, client) =
        ready(PortalSettings { ship_to_gstin_from: Some("2026-08-01".into()), ..PortalSettings::default() }).await;
    let number = made(&sandbox, &client, &bill("E/1")).await;
    let close = json!({"ewbNo": number, "closureDate": "05/11/2026", "closureRemarks": "delivered"});
    client.act(&sandbox, "CLSEWB", &close).await.unwrap();
    assert_eq!(code(client.act(&sandbox, "CLSEWB", &close).await), "829");
    assert_eq!(code(client.act(&sandbox, "CANEWB", &cancel(number)).await), "843");
    assert_eq!(code(client.act(&sandbox, "VEHEWB", &vehicle(number)).await), "851");
}

#[tokio::test]
async fn masters_and_malformed_dates_are_served() {
    let (sandbox, client) =
        ready(PortalSettings { ewb_date_form: EwbDateForm::TwentyFourHours, ..PortalSettings::default() }).await;
    let answer = client.act(&sandbox, "GENEWAYBILL", &bill("E/1")).await.unwrap();
    assert_eq!(answer["validUpto"], "07/11/2026 23:59:00 PM");
    let details = client.read(&sandbox, &format!("Master/GetGSTINDetails?GSTIN={BUYER}")).await.unwrap();
    assert_eq!((&details["gstin"], &details["status"]), (&json!(BUYER), &json!("ACT")));
    let transporter = client.read(&sandbox, &format!("Master/GetTransporterDetails?trn_no={CARRIER}")).await.unwrap();
    assert_eq!(transporter["transin"], CARRIER);
    assert_eq!(client.read(&sandbox, "Master/GetHsnDetailsByHsnCode?hsncode=1001").await.unwrap()["hsnCode"], "1001");
    assert!(!client.read(&sandbox, "Master/GetErrorList").await.unwrap().as_array().unwrap().is_empty());
}

#[tokio::test]
async fn a_lost_answer_leaves_the_bill_and_scripted_codes_have_this_systems_envelope() {
    let (sandbox, client) = ready(PortalSettings::default()).await;
    sandbox.push_fault(ScriptedFault::once(PortalOperation::GenerateEwb, Fault::DropReplyAfterCommit));
    sandbox.exchange(&client.act_request("GENEWAYBILL", &bill("E/1"))).await.unwrap();
    assert_eq!(code(client.act(&sandbox, "GENEWAYBILL", &bill("E/1")).await), "604");
    let fault = Fault::Error { code: "118".into(), message: String::new() };
    sandbox.push_fault(ScriptedFault::once(PortalOperation::CancelEwb, fault));
    assert_eq!(code(client.act(&sandbox, "CANEWB", &cancel(1)).await), "118");
    assert_eq!(code(client.act(&sandbox, "CANEWB", &cancel(1)).await), "301");
}
