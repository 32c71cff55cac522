//! The e-way bill system as a second product of the transport.

use super::*;
use crate::encoding::BASE64;
use crate::ewb::settings::EwbSettings;
use crate::testing::sample;
use aws_lc_rs::hmac;
use einvoice_core::clock::ManualClock;
use einvoice_core::ewb::request::{
    AddVehicle, Carriage, ChangeVehicle, Closure, Consolidation, EwbList, Extension, MultiVehicle, PartB, Regeneration,
};
use einvoice_core::ewb::{
    CancelReason, ConsignmentStatus, EwbNumber, ExtensionReason, PartBReason, TransMode, TransitType, TripSheetNumber,
    VehicleType,
};

fn with_ewb<F>(answer: F, settings: EwbSettings) -> (IrpTransport<Scripted<F>>, Requests)
where
    F: Fn(&HttpRequest) -> Result<HttpResponse, ExchangeError> + Send + Sync + Clone,
{
    let (irp, requests) = transport(answer.clone());
    let key = AuthPublicKey::new(&RsaPublicKey::from_der(&TestKey::shared().spki).unwrap()).unwrap();
    let exchange = Scripted { answer, requests: requests.clone() };
    let clock = Arc::new(ManualClock::new("2026-11-05T06:00:00Z".parse().unwrap()));
    (irp.with_ewb(exchange, settings, key, clock), requests)
}

/// An answer as the system seals it: to a GET with a key of its own and a keyed digest.
fn sealed(request: &HttpRequest, json: &str) -> String {
    let sek = Sek::from_bytes(&SEK).unwrap();
    if request.method == Method::Post {
        return format!(r#"{{"status":"1","data":"{}","alert":"beside"}}"#, sek.seal(json.as_bytes()));
    }
    let rek = [3; 32];
    let digest = BASE64.encode(hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &rek), BASE64.encode(json).as_bytes()));
    let data = Sek::from_bytes(&rek).unwrap().seal(json.as_bytes());
    format!(r#"{{"status":1,"data":"{data}","rek":"{}","hmac":"{digest}"}}"#, sek.seal(&rek))
}

async fn asked(operation: &Operation, answer: &str) -> (Result<Reply, TransportError>, HttpRequest) {
    let (transport, requests) = with_ewb(|request: &HttpRequest| ok(sealed(request, answer)), EwbSettings::default());
    let reply = transport.call(&session(), operation).await;
    let request = requests.lock().unwrap()[0].clone();
    (reply, request)
}

fn bill(number: &str) -> EwbNumber {
    EwbNumber::parse(number).unwrap()
}

fn date(text: &str) -> DocumentDate {
    DocumentDate::parse(text).unwrap()
}

fn carriage(vehicle: &str, document: &str, on: &str, mode: TransMode) -> Carriage {
    Carriage {
        mode: Some(mode),
        vehicle: Some(vehicle.into()),
        vehicle_type: None,
        document: Some(document.into()),
        document_date: Some(date(on)),
    }
}

/// Each action, and the file with NIC's request and reply for it.
fn actions() -> Vec<(&'static str, &'static str, Operation)> {
    let road = |on: &str| carriage("PQR1234", "1234", on, TransMode::Road);
    let group = || "1".to_owned();
    let reason = PartBReason::Breakdown;
    let part_b = PartB {
        number: bill("111000609282"),
        carriage: Carriage { vehicle_type: Some(VehicleType::Regular), ..road("12/10/2017") },
        from_place: "BANGALORE".into(),
        from_state: 29,
        reason,
        remark: "vehicle broke down".into(),
    };
    let extension = Extension {
        number: bill("161000843009"),
        carriage: carriage("PQR1234", "1234", "12/10/2017", TransMode::InTransit),
        from_place: "Bengaluru".into(),
        from_state: 29,
        from_pin: 560_090,
        remaining_km: 50,
        reason: ExtensionReason::NaturalCalamity,
        remark: "Flood".into(),
        status: ConsignmentStatus::InTransit,
        transit: Some(TransitType::Road),
        address: vec!["Bengaluru".into(); 3],
    };
    let consolidation = Consolidation {
        bills: vec![bill("111000609282"), bill("181000609270")],
        carriage: carriage("KA12AB1234", "1234", "12/10/2017", TransMode::Road),
        from_place: "BANGALORE SOUTH".into(),
        from_state: 29,
    };
    let regeneration = Regeneration {
        trip_sheet: TripSheetNumber::parse("1710001952").unwrap(),
        carriage: road("26/04/2018"),
        from_place: "Bengaluru".into(),
        from_state: 29,
        reason,
        remark: "Flood".into(),
    };
    let movement = MultiVehicle {
        number: bill("131001111287"),
        reason,
        remark: "vehicle broke down".into(),
        from_place: "BANGALORE".into(),
        from_state: 29,
        to_place: "Chennai".into(),
        to_state: 33,
        mode: TransMode::Road,
        quantity: "33".parse().unwrap(),
        unit: "NOS".into(),
    };
    let add = AddVehicle {
        number: bill("131001111287"),
        group: group(),
        carriage: road("12/10/2018"),
        quantity: "15".parse().unwrap(),
    };
    let change = ChangeVehicle {
        number: bill("131001111287"),
        group: group(),
        old: road("12/10/2018"),
        new: carriage("PQR4321", "4321", "12/10/2018", TransMode::Road),
        from_place: "BANGALORE".into(),
        from_state: 29,
        reason,
        remark: "vehicle broke down".into(),
    };
    let cancel = Operation::CancelEwb {
        number: bill("111000609282"),
        reason: CancelReason::OrderCancelled,
        remark: "Cancelled the order".into(),
    };
    vec![
        ("VEHEWB", "nic-vehewb", Operation::UpdatePartB { request: Box::new(part_b) }),
        ("EXTENDVALIDITY", "nic-extendvalidity-in-transit", Operation::ExtendValidity { request: Box::new(extension) }),
        ("GENCEWB", "nic-gencewb", Operation::ConsolidateEwb { request: Box::new(consolidation) }),
        ("REGENTRIPSHEET", "nic-regentripsheet", Operation::RegenerateTripSheet { request: Box::new(regeneration) }),
        ("CANEWB", "nic-canewb", cancel),
        ("REJEWB", "nic-rejewb", Operation::RejectEwb { number: bill("181000609270") }),
        ("MULTIVEHMOVINT", "nic-multivehmovint", Operation::StartMultiVehicle { request: Box::new(movement) }),
        ("MULTIVEHADD", "nic-multivehadd", Operation::AddVehicle { request: Box::new(add) }),
        ("MULTIVEHUPD", "nic-multivehupd", Operation::ChangeVehicle { request: Box::new(change) }),
    ]
}

fn action_of(request: &HttpRequest) -> (String, serde_json::Value) {
    let body: serde_json::Value = serde_json::from_slice(&request.body).unwrap();
    let json = Sek::from_bytes(&SEK).unwrap().open(body["data"].as_str().unwrap()).unwrap();
    (body["action"].as_str().unwrap().to_owned(), serde_json::from_slice(&json).unwrap())
}

#[tokio::test]
async fn every_action_goes_out_as_nic_prints_it_and_its_reply_is_read() {
    for (action, file, operation) in actions() {
        let Some(text) = sample(&format!("ewb/{file}.json")) else { return };
        let file: serde_json::Value = serde_json::from_str(&text).unwrap();
        let (reply, request) = asked(&operation, &file["response"].to_string()).await;
        let Ok(Reply::EwbChanged(changed)) = reply else { panic!("{action}: {reply:?}") };
        assert_eq!(changed.alert.as_deref(), Some("beside"), "{action}");
        assert_eq!(request.path_and_query, "/v1.03/ewayapi");
        let (sent_action, sent) = action_of(&request);
        assert_eq!((sent_action.as_str(), &sent), (action, &file["request"]));
    }
}

#[tokio::test]
async fn a_transporter_and_a_closure_go_out_in_their_members() {
    let update = Operation::UpdateTransporter { number: bill("301002999920"), transporter: "05AAACG2140A1ZL".into() };
    let answer =
        r#"{"ewayBillNo":"301002999920","transporterId":"05AAACG2140A1ZL","transUpdateDate":"05/10/2022 12:45:00 PM"}"#;
    let (reply, request) = asked(&update, answer).await;
    assert!(matches!(reply, Ok(Reply::EwbChanged(changed)) if changed.transporter.is_some()));
    let expected = serde_json::json!({"ewbNo": 301_002_999_920_u64, "transporterId": "05AAACG2140A1ZL"});
    assert_eq!(action_of(&request), ("UPDATETRANSPORTER".to_owned(), expected));

    let closure = Closure { number: bill("301002999920"), date: date("05/11/2026"), remark: "delivered".into() };
    let close = Operation::CloseEwb { request: Box::new(closure) };
    let (_, request) = asked(&close, r#"{"ewbNo":301002999920}"#).await;
    let expected = serde_json::json!({
        "ewbNo": 301_002_999_920_u64, "closureDate": "05/11/2026", "closureRemarks": "delivered"
    });
    assert_eq!(action_of(&request), ("CLSEWB".to_owned(), expected));
}

#[tokio::test]
async fn a_bill_is_made_with_the_systems_headers_each_exactly_once() {
    let operation = Operation::GenerateEwb { payload: Bytes::from_static(br#"{"supplyType":"O"}"#) };
    let settings = EwbSettings { user_name_header: Some("user_name".into()), ..EwbSettings::default() };
    let answer = r#"{"ewayBillNo":301002999920,"ewayBillDate":"05/10/2022 12:39:00 PM","validUpto":null,"alert":""}"#;
    let (transport, requests) = with_ewb(|request: &HttpRequest| ok(sealed(request, answer)), settings);
    let Reply::EwayBill(made) = transport.call(&session(), &operation).await.unwrap() else { panic!("kind") };
    assert_eq!((made.valid_till, made.alert.as_deref()), (None, Some("beside")));
    let request = requests.lock().unwrap()[0].clone();
    let names: Vec<_> = request.headers.iter().map(|header| header.name.as_ref()).collect();
    assert_eq!(names, ["client-id", "client-secret", "gstin", "user_name", "authtoken", "Content-Type"]);
    assert_eq!(action_of(&request), ("GENEWAYBILL".to_owned(), serde_json::json!({"supplyType": "O"})));
    let shown = format!("{transport:?} {request:?}");
    for secret in ["the-client-secret", "the-token", "the-password"] {
        assert!(!shown.contains(secret), "{shown}");
    }
}

#[tokio::test]
async fn every_question_is_addressed_with_its_parameters_in_order() {
    let generator = Gstin::parse("29AAAAA0000A1Z5").unwrap();
    let list = |list| Operation::ListEwbs { list, date: date("22/03/2019") };
    let by_document = Operation::GetEwbByDocument { doc_type: "INV".into(), number: "A/7&8".into() };
    let sheet = TripSheetNumber::parse("1810000387").unwrap();
    for (operation, address) in [
        (Operation::GetEwb { number: bill("301002999920") }, "ewayapi/GetEwayBill?ewbNo=301002999920"),
        (by_document, "ewayapi/GetEwayBillGeneratedByConsigner?docType=INV&docNo=A%2F7%268"),
        (list(EwbList::Own), "ewayapi/GetEwayBillsByDate?date=22%2F03%2F2019"),
        (list(EwbList::ForTransporter), "ewayapi/GetEwayBillsForTransporter?date=22%2F03%2F2019"),
        (
            list(EwbList::ForTransporterOf { generator }),
            "ewayapi/GetEwayBillsForTransporterByGstin?Gen_gstin=29AAAAA0000A1Z5&date=22%2F03%2F2019",
        ),
        (
            list(EwbList::ForTransporterInState { state: 29 }),
            "ewayapi/GetEwayBillsForTransporterByState?date=22%2F03%2F2019&stateCode=29",
        ),
        (
            list(EwbList::AssignedInState { state: 29 }),
            "ewayapi/GetEwayBillReportByTransporterassignedDate?date=22%2F03%2F2019&stateCode=29",
        ),
        (list(EwbList::OfOtherParty), "ewayapi/GetEwayBillsofOtherParty?date=22%2F03%2F2019"),
        (list(EwbList::RejectedByOthers), "ewayapi/GetEwayBillsRejectedByOthers?date=22%2F03%2F2019"),
        (Operation::GetTripSheet { number: sheet }, "ewayapi/GetTripSheet?tripSheetNo=1810000387"),
        (Operation::EwbGstinDetails { gstin: generator }, "Master/GetGSTINDetails?GSTIN=29AAAAA0000A1Z5"),
        (Operation::TransporterDetails { id: "T 1".into() }, "Master/GetTransporterDetails?trn_no=T%201"),
        (Operation::HsnDetails { code: "1001".into() }, "Master/GetHsnDetailsByHsnCode?hsncode=1001"),
        (Operation::EwbErrorList, "Master/GetErrorList"),
    ] {
        let answer = r#"{"ewbNo":301002999920,"status":"ACT","tripSheetNo":1810000387,"gstin":"29AAAAA0000A1Z5","transin":"T 1","hsnCode":"1001","tripSheetEwbBills":[]}"#;
        let (reply, request) = asked(&operation, answer).await;
        assert!(reply.is_ok(), "{address}: {reply:?}");
        assert_eq!(request.header("Content-Type"), None);
        assert_eq!((request.method, request.path_and_query), (Method::Get, format!("/v1.03/{address}")));
    }
}

#[tokio::test]
async fn a_refusal_keeps_its_codes_and_an_empty_list_is_none() {
    let body = |code: &str| {
        format!(r#"{{"status":"0","error":"{}","info":""}}"#, BASE64.encode(format!(r#"{{"errorCodes":"{code},"}}"#)))
    };
    let refused = async |operation: Operation, code: &str| {
        let body = body(code);
        let (transport, _) = with_ewb(move |_: &HttpRequest| ok(body.clone()), EwbSettings::default());
        transport.call(&session(), &operation).await
    };
    let list = Operation::ListEwbs { list: EwbList::Own, date: date("22/03/2019") };
    assert_eq!(refused(list.clone(), "418").await.unwrap(), Reply::EwbList(Vec::new()));
    assert!(matches!(refused(list, "366").await, Err(TransportError::Refused { .. })));
    let reject = Operation::RejectEwb { number: bill("181000609270") };
    let Err(TransportError::Refused { errors, operation, .. }) = refused(reject, "312, 345").await else { panic!() };
    assert_eq!(operation, Some(OperationKind::RejectEwb));
    assert_eq!(errors.iter().map(|error| error.code.as_str()).collect::<Vec<_>>(), ["312", "345"]);
    assert!(errors.iter().all(|error| !error.message.is_empty()));
}

#[tokio::test]
async fn an_unclear_answer_to_a_write_is_asked_about() {
    let operation = Operation::RejectEwb { number: bill("181000609270") };
    let foreign = Sek::from_bytes(&[8; 32]).unwrap().seal(b"{}");
    for (status, body) in [
        (200, String::new()),
        (200, "<html>the-token</html>".to_owned()),
        (200, r#"{"status":"1"}"#.to_owned()),
        (200, format!(r#"{{"status":"1","data":"{foreign}"}}"#)),
        (200, r#"{"status":"1","data":{"ewayBillNo":111000609282}}"#.to_owned()),
        (500, r#"{"status":"0","error":{"errorCodes":"312"}}"#.to_owned()),
        (502, r#"{"status":"1","data":{"ewayBillNo":181000609270}}"#.to_owned()),
    ] {
        let answer = body.clone();
        let script = move |_: &HttpRequest| Ok(HttpResponse { status, body: Bytes::from(answer.clone()) });
        let (transport, _) = with_ewb(script, EwbSettings::default());
        let error = transport.call(&session(), &operation).await.unwrap_err();
        assert_eq!(error.retry(), Retry::AskFirst, "{status} {body}: {error}");
        assert!(!format!("{error} {error:?}").contains("the-token"));
    }
}

#[tokio::test]
async fn a_login_to_the_e_way_bill_system_brings_a_session_of_six_hours() {
    let script = |request: &HttpRequest| {
        let body: serde_json::Value = serde_json::from_slice(&request.body).unwrap();
        let inner = TestKey::shared().decrypt(&BASE64.decode(body["Data"].as_str().unwrap()).unwrap());
        let login: serde_json::Value = serde_json::from_slice(&BASE64.decode(inner).unwrap()).unwrap();
        assert_eq!((&login["action"], &login["username"]), (&"ACCESSTOKEN".into(), &"the-user".into()));
        let app_key = BASE64.decode(login["app_key"].as_str().unwrap()).unwrap();
        let sek = Sek::from_bytes(&app_key).unwrap().seal(&SEK);
        ok(format!(r#"{{"status":"1","authtoken":"T1","sek":"{sek}"}}"#))
    };
    let (transport, requests) = with_ewb(script, EwbSettings::default());
    let access = access();
    let login = LoginRequest { access: &access, product: Product::EWayBill, force_refresh: false, previous: None };
    let session = transport.login(login).await.unwrap();
    assert_eq!((session.token().expose().as_str(), session.sek().expose().as_slice()), ("T1", SEK.as_slice()));
    assert_eq!(session.expires_at().to_string(), "2026-11-05T12:00:00Z");
    assert_eq!(requests.lock().unwrap()[0].path_and_query, "/v1.03/auth");
}
