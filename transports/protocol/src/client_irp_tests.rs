//! The operations of the IRP besides registering and reading a document.

use super::*;
use einvoice_core::ewb::request::{Carriage, EwbByIrn, Place};
use einvoice_core::ewb::{CancelReason, TransMode, VehicleType};

fn irn() -> Irn {
    Irn::parse(IRN).unwrap()
}

fn cancel() -> Operation {
    Operation::CancelIrn {
        irn: irn(),
        reason: CancelReason::OrderCancelled,
        remark: "ordered \"twice\"".into(),
        site: Some("NIC2".into()),
    }
}

/// The JSON that a request carries under its seal.
fn plain(request: &HttpRequest) -> serde_json::Value {
    let body: serde_json::Value = serde_json::from_slice(&request.body).unwrap();
    let json = Sek::from_bytes(&SEK).unwrap().open_json(body["Data"].as_str().unwrap()).unwrap();
    serde_json::from_str(&json).unwrap()
}

async fn asked(operation: &Operation, answer: &str) -> (Result<Reply, TransportError>, HttpRequest) {
    let (transport, requests) = transport(|_| ok(accepted(answer)));
    let reply = transport.call(&session(), operation).await;
    let request = requests.lock().unwrap()[0].clone();
    (reply, request)
}

#[tokio::test]
async fn a_cancellation_carries_the_irps_number_of_the_reason_and_names_the_site() {
    let answer = format!(r#"{{"Irn":"{IRN}","CancelDate":"2022-09-17 18:09:00"}}"#);
    let (reply, request) = asked(&cancel(), &answer).await;
    let Reply::IrnCancelled(done) = reply.unwrap() else { panic!("kind") };
    assert_eq!(done.cancelled_at.unwrap().to_string(), "2022-09-17 18:09:00");
    assert_eq!(
        (request.method, request.path_and_query.as_str(), request.header("irp")),
        (Method::Post, "/eicore/v1.03/Invoice/Cancel", Some("NIC2"))
    );
    assert_eq!(plain(&request), serde_json::json!({"Irn": IRN, "CnlRsn": "3", "CnlRem": "ordered \"twice\""}));
}

#[tokio::test]
async fn a_cancellation_stands_without_a_readable_time_but_not_for_another_irn() {
    let at = |date: &str| format!(r#"{{"irn":"{}","cancelDate":{date}}}"#, IRN.to_uppercase());
    for (date, expected) in [
        (r#""17/09/2022 06:09:00 PM ""#, Some("2022-09-17 18:09:00")),
        (r#""2022-09-17T18:09:00""#, Some("2022-09-17 18:09:00")),
        (r#""yesterday""#, None),
        ("null", None),
    ] {
        let answer = at(date).replace(&IRN.to_uppercase(), IRN);
        let Reply::IrnCancelled(done) = asked(&cancel(), &answer).await.0.unwrap() else { panic!("kind") };
        assert_eq!(done.cancelled_at.map(|time| time.to_string()).as_deref(), expected, "{date}");
    }
    let (without_irn, _) = asked(&cancel(), r#"{"CancelDate":"2022-09-17 18:09:00"}"#).await;
    assert!(matches!(without_irn, Ok(Reply::IrnCancelled(_))));
    for answer in [format!(r#"{{"Irn":"{}"}}"#, "0".repeat(64)), "{}".into(), r#"{"Irn":"x"}"#.into()] {
        let error = asked(&cancel(), &answer).await.0.unwrap_err();
        assert_eq!(error.retry(), Retry::AskFirst, "{answer}");
    }
}

#[tokio::test]
async fn rejected_irns_are_listed_for_a_day() {
    let date = DocumentDate::parse("05/11/2026").unwrap();
    let operation = Operation::RejectedIrns { date, site: None };
    for (answer, count) in
        [(format!(r#"["{IRN}"]"#), 1), (format!(r#"[{{"Irn":"{IRN}"}},"{IRN}"]"#), 2), ("[]".to_owned(), 0)]
    {
        let (reply, request) = asked(&operation, &answer).await;
        let Reply::RejectedIrns(found) = reply.unwrap() else { panic!("kind") };
        assert_eq!(found.len(), count, "{answer}");
        assert_eq!(request.path_and_query, "/eicore/v1.03/Invoice/rejectedirns?date=05%2F11%2F2026");
    }
    assert!(asked(&operation, r#"["short"]"#).await.0.is_err());
    assert!(asked(&operation, "{}").await.0.is_err());
}

fn place(name: Option<&str>, gstin: Option<&str>) -> Place {
    Place {
        name: name.map(Into::into),
        gstin: gstin.map(Into::into),
        address1: "1 Street".into(),
        address2: None,
        location: "Bengaluru".into(),
        pin: 560_090,
        state: "29".into(),
    }
}

fn by_irn() -> EwbByIrn {
    EwbByIrn {
        irn: irn(),
        distance_km: 0,
        transporter: Some("29AKLPM8755F1Z2".into()),
        transporter_name: Some("XYZ".into()),
        carriage: Carriage {
            mode: Some(TransMode::Road),
            vehicle: Some("KA12ER1234".into()),
            vehicle_type: Some(VehicleType::Regular),
            document: Some("D1".into()),
            document_date: Some(DocumentDate::parse("05/11/2026").unwrap()),
        },
        ship_to: Some(place(Some("Shop"), None)),
        dispatch_from: Some(place(Some("Depot"), Some("29AKLPM8755F1Z2"))),
    }
}

#[tokio::test]
async fn an_e_way_bill_of_an_irn_is_asked_for_in_the_irps_names() {
    let operation = Operation::GenerateEwbByIrn { request: Box::new(by_irn()), site: Some("NIC2".into()) };
    let body = format!(
        r#"{{"Status":1,"Data":"{}","InfoDtls":[{{"InfCd":"EWBPPD","Desc":"Pin-Pin calc distance: 2467KM"}}]}}"#,
        Sek::from_bytes(&SEK)
            .unwrap()
            .seal(br#"{"EwbNo":"391009149369","EwbDt":"2022-09-16 19:29:00","EwbValidTill":null,"Remarks":"note"}"#)
    );
    let (transport, requests) = transport(|_| ok(body.clone()));
    let Reply::EwayBill(made) = transport.call(&session(), &operation).await.unwrap() else { panic!("kind") };
    assert_eq!((made.number.to_string().as_str(), made.computed_km()), ("391009149369", Some(2467)));
    assert_eq!((made.valid_till, made.alert.as_deref()), (None, Some("note")));
    let request = requests.lock().unwrap()[0].clone();
    assert_eq!((request.path_and_query.as_str(), request.header("irp")), ("/eiewb/v1.03/ewaybill", Some("NIC2")));
    let address = serde_json::json!({"Addr1": "1 Street", "Loc": "Bengaluru", "Pin": 560_090, "Stcd": "29"});
    let mut dispatch = address.clone();
    dispatch["Nm"] = "Depot".into();
    assert_eq!(
        plain(&request),
        serde_json::json!({
            "Irn": IRN, "Distance": 0, "TransMode": "1", "TransId": "29AKLPM8755F1Z2", "TransName": "XYZ",
            "TransDocDt": "05/11/2026", "TransDocNo": "D1", "VehNo": "KA12ER1234", "VehType": "R",
            "ExpShipDtls": address, "DispDtls": dispatch,
        })
    );
}

#[tokio::test]
async fn a_ship_to_party_is_named_only_beside_its_gstin_and_part_a_alone_is_short() {
    let request = EwbByIrn {
        carriage: Carriage::default(),
        ship_to: Some(place(Some("Shop"), Some("URP"))),
        dispatch_from: None,
        ..by_irn()
    };
    let operation = Operation::GenerateEwbByIrn { request: Box::new(request), site: None };
    let sent = plain(&asked(&operation, r#"{"EwbNo":391009149369}"#).await.1);
    assert_eq!((&sent["ExpShipDtls"]["Gstin"], &sent["ExpShipDtls"]["TrdNm"]), (&"URP".into(), &"Shop".into()));
    let names: Vec<_> = sent.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(names, ["Distance", "ExpShipDtls", "Irn", "TransId", "TransName"]);
}

#[tokio::test]
async fn the_e_way_bill_of_an_irn_is_read_and_none_is_a_refusal() {
    let operation = Operation::GetEwbByIrn { irn: irn(), site: None };
    let answer = r#"{"EwbNo":391009149369,"Status":"CNL","GenGstin":"29AAAAA0000A1Z5","EwbDt":"2022-09-16 19:29:00","EwbValidTill":"18/09/202211:59:00 PM"}"#;
    let (reply, request) = asked(&operation, answer).await;
    let Reply::EwayBill(found) = reply.unwrap() else { panic!("kind") };
    assert_eq!((found.status.as_deref(), found.generated_by.is_some()), (Some("CNL"), true));
    assert_eq!(found.valid_till.unwrap().to_string(), "2022-09-18 23:59:00");
    assert_eq!(request.path_and_query, format!("/eiewb/v1.03/ewaybill/irn/{IRN}"));
    assert!(matches!(asked(&operation, r#"{"EwbNo":0}"#).await.0, Err(TransportError::BadAnswer { .. })));
}

#[tokio::test]
async fn a_taxpayer_is_fetched_anew() {
    let operation = Operation::SyncGstin { gstin: Gstin::parse("27AAAAA0000A1Z9").unwrap() };
    let (reply, request) = asked(&operation, r#"{"Gstin":"27AAAAA0000A1Z9","Status":"ACT"}"#).await;
    assert!(matches!(reply, Ok(Reply::Taxpayer(_))));
    assert_eq!(request.path_and_query, "/eivital/v1.04/Master/syncgstin/27AAAAA0000A1Z9");
}

#[tokio::test]
async fn base64_goes_under_the_seal_where_the_settings_say_so() {
    let (mut transport, requests) = transport(|_| ok(accepted(&registration_json())));
    transport.json_layering = JsonLayering::Base64;
    transport.call(&session(), &generate()).await.unwrap();
    let body: serde_json::Value = serde_json::from_slice(&requests.lock().unwrap()[0].body).unwrap();
    let opened = Sek::from_bytes(&SEK).unwrap().open(body["Data"].as_str().unwrap()).unwrap();
    assert_eq!(crate::encoding::BASE64.decode(opened).unwrap(), br#"{"Version":"1.1"}"#);
}

#[tokio::test]
async fn a_call_as_it_is_never_goes_to_production_whoever_asks_for_it() {
    use einvoice_core::raw::{RawBody, RawCall, RawTarget};
    let requests = Requests::default();
    let key = AuthPublicKey::new(&RsaPublicKey::from_der(&TestKey::shared().spki).unwrap()).unwrap();
    let answer = |_: &HttpRequest| -> Result<HttpResponse, ExchangeError> { panic!("a call was sent to production") };
    let exchange = || Scripted { answer, requests: requests.clone() };
    let settings = IrpSettings::new(TransportMode::Direct, Environment::Production, "NIC1");
    let clock = einvoice_core::clock::SystemClock::shared();
    let entropy = Arc::new(SeededEntropy::new(1));
    let transport = IrpTransport::new(exchange(), settings, key.clone(), entropy).with_ewb(
        exchange(),
        EwbSettings::default(),
        key,
        clock,
    );
    let asked = |kind, rest: &str| RawTarget::Operation { kind, rest: rest.to_owned() };
    for call in [
        RawCall::new(RawTarget::Login, RawBody::Whole(Bytes::new())),
        RawCall::new(asked(OperationKind::GetIrn, "/x"), RawBody::None),
        RawCall::new(asked(OperationKind::GenerateIrn, ""), RawBody::Sealed(Bytes::from_static(b"{}"))),
        RawCall::new(asked(OperationKind::GetEwb, "?ewbNo=1"), RawBody::None),
    ] {
        let error = transport.call_raw(&session(), &call).await.unwrap_err();
        assert!(matches!(&error, TransportError::HeldBack { reason } if reason.contains("production")), "{error}");
    }
    assert!(requests.lock().unwrap().is_empty());
}
