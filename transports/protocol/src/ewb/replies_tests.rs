use super::*;
use crate::testing::sample;
use einvoice_core::ewb::request::{Carriage, Regeneration};
use einvoice_core::ewb::{CancelReason, PartBReason};
use proptest::prelude::*;

fn number() -> EwbNumber {
    EwbNumber::parse("111000609282").unwrap()
}

/// The reply in a recorded file: some stand bare, some inside a gateway's `result`.
fn recorded(name: &str) -> Option<String> {
    let file: serde_json::Value = serde_json::from_str(&sample(&format!("ewb/{name}.json"))?).unwrap();
    let response = &file["response"];
    Some(response.get("result").unwrap_or(response).to_string())
}

fn cancel(number: &str) -> Operation {
    let number = EwbNumber::parse(number).unwrap();
    Operation::CancelEwb { number, reason: CancelReason::Others, remark: "x".into() }
}

fn change(operation: &Operation, json: &str) -> EwbChanged {
    match typed(operation, json, Beside::default()) {
        Ok(Reply::EwbChanged(changed)) => *changed,
        other => panic!("{json}: {other:?}"),
    }
}

fn time(time: Option<PortalTime>) -> String {
    time.map(|time| time.to_string()).unwrap_or_default()
}

#[test]
fn recorded_replies_to_actions_are_read() {
    for (name, at, valid_till) in [
        ("nic-canewb", "2017-12-15 11:35:00", ""),
        ("canewb", "2022-10-04 16:14:00", ""),
        ("nic-rejewb", "2017-12-15 10:24:00", ""),
        ("nic-vehewb", "2017-12-15 10:56:00", "2017-12-17 23:59:00"),
        ("updatetransporter", "2022-10-05 12:45:00", ""),
        ("nic-extendvalidity-in-transit", "2018-04-26 17:07:00", "2018-05-21 23:59:00"),
        ("nic-gencewb", "2017-12-15 10:27:00", ""),
        ("nic-multivehmovint", "2018-06-05 14:04:00", ""),
        ("nic-multivehadd", "2018-06-05 14:08:00", ""),
        ("nic-multivehupd", "2018-06-05 14:20:00", ""),
    ] {
        let Some(json) = recorded(name) else { return };
        let members = Members::read(&json, &[]).unwrap();
        let number = number_of(&members).map_or_else(|| number().to_string(), |number| number.to_string());
        let found = change(&cancel(&number), &json);
        assert_eq!((time(found.at).as_str(), time(found.valid_till).as_str()), (at, valid_till), "{name}");
    }
    let Some(json) = recorded("nic-regentripsheet") else { return };
    assert_eq!(change(&cancel("111000609282"), &json).trip_sheet.unwrap().to_string(), "1410001953");
    assert_eq!(
        change(&cancel("131001111287"), &recorded("nic-multivehadd").unwrap()).group.as_deref(),
        Some("1"),
        "a group is kept as text"
    );
}

#[test]
fn a_recorded_bill_is_read_with_its_vehicles() {
    let Some(json) = recorded("getewaybill") else { return };
    let found = details(&json, EwbNumber::parse("301002999920").unwrap()).unwrap();
    assert_eq!((found.status.as_str(), found.distance_km, found.extended), ("CNL", Some(10), 0));
    assert_eq!(time(found.made_at), "2022-10-05 12:39:00");
    let vehicles: Vec<_> = found.vehicles.iter().map(|entry| entry.vehicle.as_deref().unwrap()).collect();
    assert_eq!(vehicles, ["GJ07DL9001", "GJ07DL9009"]);
    assert_eq!((&found.vehicles[0].group, &found.vehicles[0].trip_sheet, found.is_rejected), (&None, &None, false));
    assert!(matches!(details(&json, number()), Err(ReplyError::Another { .. })));
}

#[test]
fn recorded_lists_and_masters_are_read_with_their_odd_dates() {
    let Some(json) = recorded("nic-list-for-transporter") else { return };
    let list = rows(&json).unwrap();
    assert_eq!(
        (time(list[0].made_at), time(list[0].valid_till)),
        ("2017-12-10 10:45:00".into(), "2017-12-17 12:00:00".into())
    );
    assert_eq!((list[0].is_rejected, &list[0].doc_no), (true, &None));
    assert_eq!(rows(&recorded("nic-list-by-date").unwrap()).unwrap()[0].status.as_deref(), Some("ACT"));
    let found = made(&recorded("nic-get-by-consigner").unwrap(), Beside::default()).unwrap();
    assert_eq!((time(found.valid_till).as_str(), found.alert), ("2018-12-13 23:59:59", None));
    let found = made(&recorded("genewaybill-regular-intrastate").unwrap(), Beside::default()).unwrap();
    assert_eq!(found.number.to_string(), "301002999920");
    let found = transporter(&recorded("nic-master-transporter").unwrap()).unwrap();
    assert_eq!((found.id.as_str(), found.address.len(), found.pin.as_deref()), ("29AKLPM8755F1Z2", 2, Some("560079")));
    let Ok(Reply::Hsn { code, .. }) = hsn(&recorded("nic-master-hsn").unwrap()) else { panic!("kind") };
    assert_eq!(code, "1001");
}

#[test]
fn the_cancellation_recorded_through_a_provider_is_read() {
    let Some(text) = sample("gsp-cancel-ewb.json") else { return };
    let file: serde_json::Value = serde_json::from_str(&text).unwrap();
    let found = change(&cancel("391009149369"), &file["response_data"]["result"].to_string());
    assert_eq!(time(found.at), "2022-09-20 12:10:00");
}

#[test]
fn a_reply_about_another_bill_or_about_nothing_is_not_believed() {
    let problem = |json: &str| typed(&cancel("111000609282"), json, Beside::default()).unwrap_err();
    assert!(matches!(problem(r#"{"ewayBillNo":"111000609283"}"#), ReplyError::Another { .. }));
    assert!(matches!(problem("{}"), ReplyError::Member { .. }));
    assert!(matches!(problem("[]"), ReplyError::Damaged(_)));
    assert!(made(r#"{"ewayBillNo":0}"#, Beside::default()).is_err());
    assert!(rows(r#"[{"ewbNo":111000609282},{"ewbNo":null}]"#).is_err());
}

#[test]
fn a_reply_about_another_party_than_was_asked_about_is_not_believed() {
    let problem = |operation: &Operation, json: &str| typed(operation, json, Beside::default()).err();
    let another =
        |operation: &Operation, json: &str| matches!(problem(operation, json), Some(ReplyError::Another { .. }));
    let gstin = Gstin::parse("29AAAAA0000A1Z5").unwrap();
    let given = Operation::UpdateTransporter { number: number(), transporter: gstin.to_string() };
    let reply = |id: &str| format!(r#"{{"ewayBillNo":"111000609282","transporterId":"{id}"}}"#);
    assert_eq!(problem(&given, &reply("29aaaaa0000a1z5 ")), None);
    assert!(another(&given, &reply("27AAPFU0939F1ZV")));
    assert!(another(&Operation::EwbGstinDetails { gstin }, r#"{"gstin":"27AAPFU0939F1ZV"}"#));
    assert!(another(&Operation::TransporterDetails { id: gstin.to_string() }, r#"{"transin":"27AAPFU0939F1ZV"}"#));
}

#[test]
fn a_vehicle_keeps_the_date_of_its_transport_document() {
    let of = |date: &str| {
        let entry = format!(r#"{{"transDocNo":"123456789","transDocDate":{date}}}"#);
        let raw: Box<RawValue> = serde_json::from_str(&entry).unwrap();
        vehicle(&raw).unwrap().document_date.map(|date| date.to_string())
    };
    let read = Some("12/10/2017".to_owned());
    assert_eq!((of(r#""12/10/2017 ""#), of(r#""12/10/2017 12.00:00 AM""#), of("null")), (read.clone(), read, None));
}

#[test]
fn a_trip_sheet_made_anew_names_its_bills_and_a_mark_before_the_text_is_passed_over() {
    let request = Regeneration {
        trip_sheet: TripSheetNumber::parse("1710001952").unwrap(),
        carriage: Carriage::default(),
        from_place: "Bengaluru".into(),
        from_state: 29,
        reason: PartBReason::Others,
        remark: "Flood".into(),
    };
    let operation = Operation::RegenerateTripSheet { request: Box::new(request) };
    let json = r#"{"tripSheetNo":1410001953,"tripSheetEwayBills":[{"ewbNo":111000609282},{"ewbNo":"171000842926"}]}"#;
    let found = change(&operation, &format!("\u{feff}{json}"));
    assert_eq!((found.trip_sheet.unwrap().to_string().as_str(), found.bills.len()), ("1410001953", 2));
    assert_eq!(found.bills[0], number());
}

#[test]
fn a_date_with_a_name_nobody_prints_is_found() {
    let found = change(&cancel("111000609282"), r#"{"ewbNo":111000609282,"someNewDate":"05/06/201802:20:00 PM"}"#);
    assert_eq!(time(found.at), "2018-06-05 14:20:00");
}

#[test]
fn what_is_said_beside_a_result_is_kept_once() {
    let beside = Beside { alert: Some("distance differs".into()), info: Vec::new() };
    let found = made(r#"{"ewayBillNo":"111000609282","validUpto":"","alert":"distance differs"}"#, beside).unwrap();
    assert_eq!((found.alert.as_deref(), found.valid_till), (Some("distance differs"), None));
}

#[test]
fn a_trip_sheet_an_error_list_and_a_taxpayer_are_read() {
    let asked = TripSheetNumber::parse("1810000387").unwrap();
    let json = r#"{"tripSheetNo":1810000387,"vehicleNo":"KA12","tripSheetEwayBills":[{"ewbNo":111000609282}]}"#;
    let found = trip_sheet(json, asked).unwrap();
    assert_eq!((found.bills, found.vehicle.as_deref()), (vec![number()], Some("KA12")));
    let found = error_list(r#"{"errorList":[{"errorCode":"100","errorDesc":"Invalid"},{"code":101}]}"#).unwrap();
    assert_eq!(found, [PortalError::new("100", "Invalid"), PortalError::new("101", "")]);
    let found = taxpayer(r#"{"gstin":"29AAAAA0000A1Z5","pinCode":0,"address1":"A","address2":" ","blkStatus":"U"}"#);
    assert_eq!(found.map(|found| (found.pin, found.address.len())), Ok((None, 1)));
}

#[test]
fn a_trip_sheet_with_a_bill_that_cannot_be_read_is_no_trip_sheet_with_a_bill_less() {
    let asked = TripSheetNumber::parse("1810000387").unwrap();
    let sheet = |list: &str| trip_sheet(&format!(r#"{{"tripSheetNo":"1810000387",{list}}}"#), asked);
    let bills = |list: &str| sheet(list).map(|sheet| sheet.bills.len());
    assert_eq!(bills(r#""tripSheetEwbBills":[{"ewbNo":111000609282},{"ewbNo":"111000609283"}]"#), Ok(2));
    assert_eq!(bills(r#""tripSheetEwbBills":[111000609282],"VehiclListDetails":[{"vehicleNo":"KA12"}]"#), Ok(1));
    assert_eq!(bills(r#""tripSheetEwbBills":[]"#), Ok(0));
    for wrong in [
        r#""tripSheetEwbBills":[{"ewbNo":111000609282},{"ewbNo":1}]"#,
        r#""tripSheetEwbBills":[{"ewbNo":111000609282},{"number":111000609283}]"#,
        r#""entries":[{"ewbNo":111000609282},{}]"#,
        r#""vehicleNo":"KA12""#,
    ] {
        assert!(matches!(sheet(wrong), Err(ReplyError::Member { .. })), "{wrong}");
    }
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused_without_a_panic(text in "\\PC{0,60}", value in "[ -~]{0,30}") {
        for json in [text.clone(), format!(r#"{{"ewbNo":{value},"status":{value:?},"VehiclListDetails":{value}}}"#)] {
            let _either = made(&json, Beside::default());
            let _either = details(&json, number());
            let _either = rows(&json);
            let _either = trip_sheet(&json, TripSheetNumber::parse("1810000387").unwrap());
            let _either = taxpayer(&json);
            let _either = transporter(&json);
            let _either = hsn(&json);
            let _either = error_list(&json);
            let _either = typed(&cancel("111000609282"), &json, Beside::default());
        }
    }
}
