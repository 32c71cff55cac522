use std::sync::{Arc, Mutex};

use super::*;
use crate::exchange::ExchangeError;
use crate::public_key::RsaPublicKey;
use crate::testing::TestKey;
use base64::Engine as _;
use einvoice_core::credential::{ApiUser, ClientPair};
use einvoice_core::date::DocumentDate;
use einvoice_core::entropy::SeededEntropy;
use einvoice_core::environment::Environment;
use einvoice_core::identifier::{DocumentNumber, Gstin};
use einvoice_core::irn::Irn;
use einvoice_core::key::DocumentType;
use einvoice_core::session::SavedSession;
use einvoice_core::transport::{Retry, TransportMode};

#[path = "client_ewb_tests.rs"]
mod ewb;
#[path = "client_irp_tests.rs"]
mod irp;

const IRN: &str = "706daeccda0ef6f818da78f3a2a05a1288731057373002289b46c3229289a2e7";
const SEK: [u8; 32] = [7; 32];

/// Answers every request with what a closure says, and remembers the requests.
struct Scripted<F> {
    answer: F,
    requests: Arc<Mutex<Vec<HttpRequest>>>,
}

impl<F> std::fmt::Debug for Scripted<F> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Scripted")
    }
}

#[async_trait]
impl<F> Exchange for Scripted<F>
where
    F: Fn(&HttpRequest) -> Result<HttpResponse, ExchangeError> + Send + Sync,
{
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, ExchangeError> {
        self.requests.lock().unwrap().push(request.clone());
        (self.answer)(&request)
    }

    fn endpoint(&self) -> String {
        "https://portal.test".to_owned()
    }
}

type Requests = Arc<Mutex<Vec<HttpRequest>>>;

fn transport<F>(answer: F) -> (IrpTransport<Scripted<F>>, Requests)
where
    F: Fn(&HttpRequest) -> Result<HttpResponse, ExchangeError> + Send + Sync,
{
    transport_with(answer, HeaderSpelling::Underscore)
}

fn transport_with<F>(answer: F, spelling: HeaderSpelling) -> (IrpTransport<Scripted<F>>, Requests)
where
    F: Fn(&HttpRequest) -> Result<HttpResponse, ExchangeError> + Send + Sync,
{
    let requests = Requests::default();
    let key = AuthPublicKey::new(&RsaPublicKey::from_der(&TestKey::shared().spki).unwrap()).unwrap();
    let mut settings = IrpSettings::new(TransportMode::Direct, Environment::Sandbox, "NIC1");
    settings.header_spelling = spelling;
    let exchange = Scripted { answer, requests: requests.clone() };
    (IrpTransport::new(exchange, settings, key, Arc::new(SeededEntropy::new(1))), requests)
}

#[expect(clippy::unnecessary_wraps, reason = "it is the answer of a script, which may also fail")]
fn ok(body: impl Into<Bytes>) -> Result<HttpResponse, ExchangeError> {
    Ok(HttpResponse { status: 200, body: body.into() })
}

fn access() -> Access {
    Access::new(
        Gstin::parse("29AAAAA0000A1Z5").unwrap(),
        ClientPair { client_id: Secret::from("the-client-id"), client_secret: Secret::from("the-client-secret") },
        ApiUser { user_name: Secret::from("the-user"), password: Secret::from("the-password") },
    )
}

fn session() -> Session {
    let saved = SavedSession {
        token: Secret::from("the-token"),
        sek: Secret::new(SEK.to_vec()),
        app_key: Secret::new(vec![1; 32]),
        expires_at: "2026-11-05T12:30:00Z".parse().unwrap(),
        provider: None,
    };
    Session::new(access(), saved)
}

fn generate() -> Operation {
    Operation::GenerateIrn { payload: Bytes::from_static(br#"{"Version":"1.1"}"#) }
}

fn get_irn() -> Operation {
    Operation::GetIrn { irn: Irn::parse(IRN).unwrap(), site: None }
}

fn accepted(plain: &str) -> String {
    let data = Sek::from_bytes(&SEK).unwrap().seal(plain.as_bytes());
    format!(r#"{{"Status":1,"Data":"{data}","ErrorDetails":null,"InfoDtls":null}}"#)
}

fn registration_json() -> String {
    format!(r#"{{"AckNo":112410193157267,"AckDt":"2026-11-05 12:00:00","Irn":"{IRN}","Status":"ACT"}}"#)
}

#[tokio::test]
async fn a_document_goes_out_sealed_with_every_header_exactly_once() {
    let (transport, requests) = transport(|_| ok(accepted(&registration_json())));
    let Reply::Registration(reply) = transport.call(&session(), &generate()).await.unwrap() else { panic!("kind") };
    assert_eq!(reply.ack_no, "112410193157267");
    let requests = requests.lock().unwrap();
    let request = &requests[0];
    assert_eq!((request.method, request.path_and_query.as_str()), (Method::Post, "/eicore/v1.03/Invoice"));
    let headers: Vec<_> = request.headers.iter().map(|header| (header.name.as_ref(), header.value.expose())).collect();
    assert_eq!(
        headers,
        [
            ("client_id", "the-client-id"),
            ("client_secret", "the-client-secret"),
            ("Gstin", "29AAAAA0000A1Z5"),
            ("user_name", "the-user"),
            ("AuthToken", "the-token"),
            ("Content-Type", "application/json"),
        ]
    );
    let body: serde_json::Value = serde_json::from_slice(&request.body).unwrap();
    let opened = Sek::from_bytes(&SEK).unwrap().open(body["Data"].as_str().unwrap()).unwrap();
    assert_eq!(opened, br#"{"Version":"1.1"}"#);
}

#[tokio::test]
async fn reads_are_addressed_as_the_portal_documents_them() {
    let (transport, requests) = transport(|_| ok(accepted(&registration_json())));
    let by_document = Operation::GetIrnByDocument {
        doc_type: DocumentType::Invoice,
        number: DocumentNumber::parse("AB/12-3").unwrap(),
        date: DocumentDate::parse("05/11/2026").unwrap(),
        site: Some("NIC2".into()),
    };
    for operation in [get_irn(), by_document] {
        transport.call(&session(), &operation).await.unwrap();
    }
    let requests = requests.lock().unwrap();
    assert_eq!(requests[0].path_and_query, format!("/eicore/v1.03/Invoice/irn/{IRN}"));
    assert_eq!((requests[0].method, requests[0].header("irp")), (Method::Get, None));
    assert_eq!(requests[0].header("Content-Type"), None);
    assert_eq!(
        requests[1].path_and_query,
        "/eicore/v1.03/Invoice/irnbydocdetails?doctype=INV&docnum=AB%2F12-3&docdate=05%2F11%2F2026"
    );
    assert_eq!(requests[1].header("irp"), Some("NIC2"));
}

#[tokio::test]
async fn a_taxpayer_is_looked_up() {
    let (transport, requests) =
        transport(|_| ok(accepted(r#"{"Gstin":"27AAAAA0000A1Z9","LegalName":"Acme","Status":"ACT"}"#)));
    let operation = Operation::GstinDetails { gstin: Gstin::parse("27AAAAA0000A1Z9").unwrap() };
    let Reply::Taxpayer(found) = transport.call(&session(), &operation).await.unwrap() else { panic!("kind") };
    assert_eq!(found.legal_name.as_deref(), Some("Acme"));
    assert_eq!(requests.lock().unwrap()[0].path_and_query, "/eivital/v1.04/Master/gstin/27AAAAA0000A1Z9");
}

#[tokio::test]
async fn a_login_brings_a_session_and_shows_the_portal_no_token() {
    let (transport, requests) = transport_with(
        |request| {
            let body: serde_json::Value = serde_json::from_slice(&request.body).unwrap();
            let sealed = crate::encoding::BASE64.decode(body["Data"].as_str().unwrap()).unwrap();
            let inner = TestKey::shared().decrypt(&sealed);
            let login: serde_json::Value =
                serde_json::from_slice(&crate::encoding::BASE64.decode(inner).unwrap()).unwrap();
            assert_eq!((&login["UserName"], &login["Password"]), (&"the-user".into(), &"the-password".into()));
            let app_key = crate::encoding::BASE64.decode(login["AppKey"].as_str().unwrap()).unwrap();
            let sek = Sek::from_bytes(&app_key).unwrap().seal(&SEK);
            ok(format!(
                r#"{{"Status":"1","Data":{{"AuthToken":"T1","Sek":"{sek}","TokenExpiry":"2026-11-05 18:00:00"}},"ErrorDetails":null}}"#
            ))
        },
        HeaderSpelling::Hyphen,
    );
    let access = access();
    let login = LoginRequest { access: &access, product: Product::EInvoice, force_refresh: false, previous: None };
    let session = transport.login(login).await.unwrap();
    assert_eq!((session.token().expose().as_str(), session.sek().expose().as_slice()), ("T1", SEK.as_slice()));
    let requests = requests.lock().unwrap();
    let names: Vec<_> = requests[0].headers.iter().map(|header| header.name.as_ref()).collect();
    assert_eq!(names, ["client-id", "client-secret", "Gstin", "Content-Type"]);
}

#[tokio::test]
async fn a_login_to_the_other_system_is_refused_before_anything_is_sent() {
    let (transport, requests) = transport(|_| ok(""));
    let access = access();
    let login = LoginRequest { access: &access, product: Product::EWayBill, force_refresh: false, previous: None };
    assert!(matches!(transport.login(login).await.unwrap_err(), TransportError::NotSent { .. }));
    assert!(requests.lock().unwrap().is_empty());
}

#[tokio::test]
async fn credentials_too_long_for_the_portal_are_named_before_anything_is_sent() {
    let (transport, requests) = transport(|_| ok(""));
    let user = ApiUser { user_name: Secret::from("u"), password: Secret::new("p".repeat(80)) };
    let access = Access::new(access().gstin(), access().client().clone(), user);
    let login = LoginRequest { access: &access, product: Product::EInvoice, force_refresh: false, previous: None };
    let error = transport.login(login).await.unwrap_err();
    assert_eq!(error.retry(), Retry::Never);
    assert!(error.to_string().contains("81 bytes") && error.to_string().contains("66"), "{error}");
    assert!(requests.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_document_beyond_the_limit_is_not_sent() {
    let (transport, requests) = transport(|_| ok(""));
    let operation = Operation::GenerateIrn { payload: Bytes::from(vec![b' '; 3 * 1024 * 1024]) };
    assert!(matches!(transport.call(&session(), &operation).await.unwrap_err(), TransportError::NotSent { .. }));
    assert!(requests.lock().unwrap().is_empty());
}

/// Bodies after which it cannot be said whether the document is registered.
fn unclear_bodies() -> Vec<(u16, String)> {
    let other_key = Sek::from_bytes(&[8; 32]).unwrap().seal(registration_json().as_bytes());
    let sealed = accepted(&registration_json());
    vec![
        (200, String::new()),
        (200, "<html><title>Maintenance</title></html>".into()),
        (200, "OK".into()),
        (200, "[]".into()),
        (200, sealed[..sealed.len() / 2].to_owned()),
        (200, r#"{"Status":1,"Data":null}"#.into()),
        (200, format!(r#"{{"Status":1,"Data":"{other_key}"}}"#)),
        (200, r#"{"Status":1,"Data":"not base64!"}"#.into()),
        (200, accepted("{}")),
        (200, accepted("7")),
        (200, accepted(&registration_json().replace(IRN, "short"))),
        (200, r#"{"Status":0,"ErrorDetails":null}"#.into()),
        (200, sealed.replace(r#""ErrorDetails":null"#, r#""ErrorDetails":[{"ErrorCode":"2172","ErrorMessage":"x"}]"#)),
        (200, r#"{"Status":7,"ErrorDetails":[{"ErrorCode":"2172","ErrorMessage":"x"}]}"#.into()),
        (302, String::new()),
        (500, r#"{"Status":0,"ErrorDetails":[{"ErrorCode":"2172","ErrorMessage":"x"}]}"#.into()),
        (502, sealed.clone()),
        (504, "gateway timeout".into()),
    ]
}

#[tokio::test]
async fn an_unclear_answer_to_a_write_is_neither_success_nor_plain_failure() {
    for (status, body) in unclear_bodies() {
        let (transport, _) = transport(|_| Ok(HttpResponse { status, body: body.clone().into() }));
        let error = transport.call(&session(), &generate()).await.unwrap_err();
        assert!(matches!(error, TransportError::BadAnswer { .. }), "{status} {body}: {error}");
        assert_eq!(error.retry(), Retry::AskFirst, "{status} {body}");
        let error = transport.call(&session(), &get_irn()).await.unwrap_err();
        assert_eq!(error.retry(), Retry::Safe, "{status} {body}");
    }
}

#[tokio::test]
async fn a_refusal_keeps_code_text_and_details() {
    let body = format!(
        r#"{{"Status":0,"Data":null,"ErrorDetails":[{{"ErrorCode":"2150","ErrorMessage":"Duplicate IRN"}}],
        "InfoDtls":[{{"InfCd":"DUPIRN","Desc":{{"AckNo":112410193157267,"AckDt":"2026-11-05 12:00:00","Irn":"{IRN}"}}}}]}}"#
    );
    let (transport, _) = transport(|_| ok(body.clone()));
    let error = transport.call(&session(), &generate()).await.unwrap_err();
    let TransportError::Refused { operation, errors, info } = error else { panic!("{error}") };
    assert_eq!(operation, Some(OperationKind::GenerateIrn));
    assert_eq!((errors[0].code.as_str(), errors[0].message.as_str()), ("2150", "Duplicate IRN"));
    assert_eq!(info[0].duplicate.as_ref().unwrap().ack_no.as_deref(), Some("112410193157267"));
}

#[tokio::test]
async fn what_an_exchange_knows_is_passed_on() {
    let (not_sent, _) = transport(|_| Err(ExchangeError::NotSent { reason: "refused".into(), source: None }));
    assert_eq!(not_sent.call(&session(), &generate()).await.unwrap_err().retry(), Retry::Safe);
    let (no_answer, _) = transport(|_| Err(ExchangeError::NoAnswer { reason: "late".into(), source: None }));
    assert_eq!(no_answer.call(&session(), &generate()).await.unwrap_err().retry(), Retry::AskFirst);
    let (too_large, _) = transport(|_| Err(ExchangeError::TooLarge { http_status: 200, limit: 9 }));
    assert_eq!(too_large.call(&session(), &generate()).await.unwrap_err().retry(), Retry::AskFirst);
}

#[tokio::test]
async fn any_answer_with_status_200_is_a_heartbeat_and_no_other_is() {
    let (up, requests) = transport(|_| ok("e-Invoice Vital:-22-08-2026 14:58:30"));
    let probe = up.probe().await.unwrap();
    assert_eq!(probe.text, "e-Invoice Vital:-22-08-2026 14:58:30");
    assert!(requests.lock().unwrap()[0].headers.is_empty());
    let (down, _) = transport(|_| Ok(HttpResponse { status: 503, body: Bytes::new() }));
    assert!(matches!(down.probe().await.unwrap_err(), TransportError::NoAnswer { .. }));
}

#[tokio::test]
async fn a_session_that_cannot_seal_is_noticed_before_anything_is_sent() {
    let (transport, requests) = transport(|_| ok(""));
    let saved = SavedSession { sek: Secret::new(Vec::new()), ..session().saved().clone() };
    let error = transport.call(&Session::new(access(), saved), &generate()).await.unwrap_err();
    assert!(matches!(error, TransportError::NotSent { .. }), "{error}");
    assert!(requests.lock().unwrap().is_empty());
}
