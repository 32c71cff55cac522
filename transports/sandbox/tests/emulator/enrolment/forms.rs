//! Bad forms and bodies are normal input: each is answered, none does anything.

use std::time::Duration;

use einvoice_sandbox::RegistrationSettings;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};

use super::office;

/// Every path that takes something.
const PATHS: [&str; 22] = [
    "/portal/sign-up",
    "/portal/sign-up/verify",
    "/portal/log-in",
    "/portal/log-in/verify",
    "/portal/ip-listing",
    "/portal/client/resend",
    "/portal/users",
    "/portal/users/%00/freeze",
    "/portal/users/a%2Fb/mode",
    "/portal/users/..%2f/password",
    "/portal/desk/L1/accept",
    "/portal/desk/%FF/return",
    "/portal/api/sign-up",
    "/portal/api/sign-up/verify",
    "/portal/api/log-in",
    "/portal/api/log-in/verify",
    "/portal/api/ip-listing",
    "/portal/api/client/resend",
    "/portal/api/users",
    "/portal/api/users/x/mode",
    "/portal/api/users/x/password",
    "/sandbox/listings",
];

fn body() -> impl Strategy<Value = Vec<u8>> {
    let names = [
        "identity",
        "request",
        "otp",
        "username",
        "password",
        "addresses",
        "report",
        "gstin",
        "mode",
        "reason",
        "accept",
    ];
    let name = prop::sample::select(names.to_vec());
    let pairs = prop::collection::vec((name.clone(), ".{0,40}"), 0..6);
    let members = prop::collection::vec((name, json_value()), 0..6);
    prop_oneof![
        prop::collection::vec(any::<u8>(), 0..200),
        pairs.prop_map(|pairs| form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish().into_bytes()),
        members.prop_map(|members| {
            let object: serde_json::Map<String, Value> =
                members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
            Value::Object(object).to_string().into_bytes()
        }),
        "--parts\r\nContent-Disposition: form-data; name=\"(report|addresses)\"(; filename=\".{0,9}\")?\r\n\r\n.{0,60}(\r\n--parts--)?"
            .prop_map(String::into_bytes),
    ]
}

fn json_value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<i64>().prop_map(|number| json!(number)),
        ".{0,40}".prop_map(|text| json!(text)),
        Just(json!(["10.0.0.1", "x", 5])),
        Just(json!({"name": "a.html", "content": "!!"})),
        Just(json!({"id": "L1"})),
    ]
}

#[test]
fn no_form_and_no_body_breaks_the_portal_or_does_anything() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let office = runtime.block_on(office(RegistrationSettings::default()));
    let kinds = [
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=parts",
        "multipart/form-data",
        "application/json",
        "",
    ];
    let input = (prop::sample::select(PATHS.to_vec()), prop::sample::select(kinds.to_vec()), body());
    let mut runner = TestRunner::new(Config { cases: 400, ..Config::default() });
    let outcome = runner.run(&input, |(path, kind, body)| {
        let request = office.http.post(office.url(path)).header("content-type", kind).timeout(Duration::from_secs(20));
        let response = runtime.block_on(async { request.body(body).send().await.unwrap() });
        let status = response.status().as_u16();
        prop_assert!((400..500).contains(&status), "{path}: {status}");
        Ok(())
    });
    outcome.unwrap();
    let sandbox = office.server.sandbox();
    assert!(sandbox.clients().is_empty() && sandbox.users().is_empty());
    let outbox = runtime.block_on(office.call(None, "GET", "/portal/api/outbox", &Value::Null));
    assert_eq!(outbox.ok(), json!([]));
}

#[tokio::test]
async fn an_upload_beyond_the_limit_is_refused_in_words_or_by_its_size() {
    let office = office(RegistrationSettings::default()).await;
    let session = office.sign_up(super::PAN, "office").await;
    let six = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, vec![b'<'; 6 * 1024 * 1024]);
    let body = json!({"addresses": [super::ADDRESS], "report": {"name": "r.html", "content": six}});
    let refused = office.post(&session, "ip-listing", &body).await;
    assert!(refused.messages()[0].1.contains("5 MB"), "{:?}", refused.messages());
    let request = office.http.post(office.url("/portal/api/ip-listing")).bearer_auth(&session);
    // The server may close before all is sent; either way nothing is carried out.
    if let Ok(response) = request.body(vec![b' '; 12 * 1024 * 1024]).send().await {
        assert_eq!(response.status(), 413);
    }
    assert_eq!(office.get(&session, "ip-listing").await, json!([]));
}

#[tokio::test]
async fn a_refused_body_does_not_repeat_what_was_in_it() {
    let office = office(RegistrationSettings::default()).await;
    for body in [r#"{"username":"a","password":12345678}"#, r#"{"username":"a","password":"S3cret#12""#] {
        let response = office.http.post(office.url("/portal/api/log-in")).body(body).send().await.unwrap();
        assert_eq!(response.status(), 400);
        let text = response.text().await.unwrap();
        assert!(!text.contains("12345678") && !text.contains("S3cret"), "{text}");
    }
}
