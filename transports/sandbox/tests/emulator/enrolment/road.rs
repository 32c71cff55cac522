//! The road by the JSON face, from nothing to a registered document, and what goes wrong on it.

use einvoice_sandbox::{RegistrationSettings, Sandbox, Scrutiny};
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::{ADDRESS, Answer, GSTIN, OTHER_GSTIN, Office, PAN, PASSWORD, office};
use crate::http::Wire;
use crate::raw::invoice;

/// An invoice of the taxpayer.
fn own_invoice() -> Value {
    let mut document = invoice("A/1");
    document["SellerDtls"]["Gstin"] = json!(GSTIN);
    document["SellerDtls"]["Stcd"] = json!("24");
    document["SellerDtls"]["Pin"] = json!(380_001);
    document
}

#[tokio::test]
async fn from_nothing_to_a_registered_document() {
    let office = office(RegistrationSettings::default()).await;
    let connection = office.server.sandbox().connection(&office.server.base_url());
    assert!(connection.users.is_empty() && connection.client_id.is_empty());
    assert_eq!(connection.portal_url, office.url("/portal/"));
    let session = office.sign_up(GSTIN, "office").await;
    let listing = office.apply(&session, &[ADDRESS, "49.32.0.1"]).await.ok();
    assert_eq!((&listing["state"], &listing["pan"]), (&json!("under_scrutiny"), &json!(PAN)));
    assert_eq!(office.get(&session, "account").await["client_id"], Value::Null);
    office.accept("L1").await.ok();
    office.user(&session, "books", &json!({})).await.ok();
    let mut client = office.client("client", "books").await;
    let wire = Wire::new(office.server.base_url());
    client.take_login(&wire.send(&client.login(false)).await);
    let made = client.opened(&wire.send(&client.generate(&own_invoice())).await);
    assert_eq!(made["Status"], "ACT");
    let account = office.get(&session, "account").await;
    assert_eq!(account["client_id"], json!(client.client_id));
    assert_eq!(account["addresses"], json!([ADDRESS, "49.32.0.1"]));
    assert!(!account.to_string().contains(&client.client_secret), "the account shows no secret");
}

#[tokio::test]
async fn the_sandbox_pair_comes_at_sign_up_and_needs_no_listing() {
    let office = office(RegistrationSettings::default()).await;
    let session = office.sign_up(PAN, "office").await;
    office.user(&session, "trial", &json!({"environment": "sandbox"})).await.ok();
    let mut client = office.client("sandbox_client", "trial").await;
    let wire = Wire::new(office.server.base_url());
    client.take_login(&wire.send(&client.login(false)).await);
    // For production there is no pair yet, and so no direct user.
    assert_eq!(office.user(&session, "books", &json!({})).await.codes(), ["3059"]);
}

#[tokio::test]
async fn one_time_passwords_are_good_once_for_ten_minutes_and_three_tries() {
    let office = office(RegistrationSettings::default()).await;
    let identity = json!({ "identity": PAN });
    let ask = || office.call(None, "POST", "/portal/api/sign-up", &identity);
    let verify = |request: Value, otp: Value| {
        let body = json!({"request": request, "otp": otp, "username": "office", "password": PASSWORD});
        let office = &office;
        async move { office.call(None, "POST", "/portal/api/sign-up/verify", &body).await }
    };
    let asked = ask().await.ok();
    for expected in ["2 more tries", "one more try", "now void", "used up"] {
        let refused = verify(asked["request"].clone(), json!("12345")).await;
        assert!(refused.messages()[0].1.contains(expected), "{:?}", refused.messages());
    }
    let asked = ask().await.ok();
    let otp = office.latest("otp").await["otp"].clone();
    office.server.sandbox().advance(SignedDuration::from_mins(10));
    assert!(verify(asked["request"].clone(), otp).await.messages()[0].1.contains("10 minutes are over"));
    // A slip in the name does not use the one-time password up.
    let asked = ask().await.ok();
    let otp = office.latest("otp").await["otp"].clone();
    let slip = json!({"request": asked["request"], "otp": otp, "username": "1", "password": "short"});
    let refused = office.call(None, "POST", "/portal/api/sign-up/verify", &slip).await;
    assert_eq!(refused.codes(), ["-", "3003"]);
    verify(asked["request"].clone(), otp.clone()).await.ok();
    assert_eq!(verify(asked["request"].clone(), otp).await.codes(), ["3004"]);
    assert_eq!(ask().await.codes(), ["3027"]);
}

#[tokio::test]
async fn a_log_in_takes_a_password_and_a_one_time_password_and_ends_after_an_hour() {
    let office = office(RegistrationSettings::default()).await;
    let first = office.sign_up(PAN, "office").await;
    office.post(&first, "log-out", &Value::Null).await.ok();
    assert_eq!(office.call(Some(&first), "GET", "/portal/api/account", &Value::Null).await.status, 401);
    let log_in = |password: &'static str| {
        let office = &office;
        async move {
            let body = json!({"username": "office", "password": password});
            office.call(None, "POST", "/portal/api/log-in", &body).await
        }
    };
    assert_eq!(log_in("Wrong#4242").await.codes(), ["3002"]);
    let asked = log_in(PASSWORD).await.ok();
    let otp = office.latest("otp").await["otp"].clone();
    // The password of a sign-up is none of a log-in, and the reverse.
    let as_sign_up = json!({"request": asked["request"], "otp": otp, "username": "office2", "password": PASSWORD});
    assert_eq!(office.call(None, "POST", "/portal/api/sign-up/verify", &as_sign_up).await.status, 409);
    let answer = json!({"request": asked["request"], "otp": otp});
    let opened = office.call(None, "POST", "/portal/api/log-in/verify", &answer).await.ok();
    let session = opened["session"].as_str().unwrap();
    assert_eq!(office.get(session, "account").await["pan"], PAN);
    office.server.sandbox().advance(SignedDuration::from_mins(60));
    assert_eq!(office.call(Some(session), "GET", "/portal/api/account", &Value::Null).await.status, 401);
}

#[tokio::test]
async fn identities_that_are_none_are_refused() {
    let office = office(RegistrationSettings::default()).await;
    for (identity, expected) in [
        ("", "neither PAN nor GSTIN"),
        ("AAACB5678", "neither PAN nor GSTIN"),
        ("24AAACB5678K1ZH", "should be G"),
        ("XXAAACB5678K1ZG", "no GSTIN"),
    ] {
        let refused = office.call(None, "POST", "/portal/api/sign-up", &json!({ "identity": identity })).await;
        assert_eq!(refused.codes(), ["3030"], "{identity}");
        assert!(refused.messages()[0].1.contains(expected), "{identity}: {:?}", refused.messages());
    }
}

async fn listing_of(office: &Office, session: &str) -> Value {
    office.get(session, "account").await["listing"].clone()
}

#[tokio::test]
async fn a_fifth_address_is_refused_and_a_returned_request_can_be_made_again() {
    let office = office(RegistrationSettings::default()).await;
    let session = office.sign_up(PAN, "office").await;
    let five = ["117.200.1.10", "117.200.1.11", "117.200.1.12", "117.200.1.13", "117.200.1.14"];
    let refused = office.apply(&session, &five).await;
    assert_eq!(refused.messages(), [("addresses".to_owned(), refused.messages()[0].1.clone())]);
    assert!(refused.messages()[0].1.starts_with("5 addresses are given"), "{:?}", refused.messages());
    let no_report = office.post(&session, "ip-listing", &json!({"addresses": ["10.0.0.1"]})).await;
    let fields: Vec<_> = no_report.messages().into_iter().map(|(field, _)| field).collect();
    assert_eq!(fields, ["addresses", "report"], "everything wrong is told at once");
    assert_eq!(listing_of(&office, &session).await, Value::Null);

    office.apply(&session, &five[..4]).await.ok();
    assert_eq!(office.apply(&session, &five[..1]).await.codes(), ["3060"]);
    assert_eq!(office.post(&session, "client/resend", &Value::Null).await.codes(), ["3060"]);
    let no_reason = json!({"return": {"id": "L1", "reason": " "}});
    assert_eq!(office.call(None, "POST", "/sandbox/listings", &no_reason).await.status, 400);
    let returned = json!({"return": {"id": "L1", "reason": "Cancel IRN has 12 failing cases only."}});
    office.call(None, "POST", "/sandbox/listings", &returned).await.ok();
    assert_eq!(office.call(None, "POST", "/sandbox/listings", &returned).await.status, 409);
    assert_eq!(listing_of(&office, &session).await["reason"], "Cancel IRN has 12 failing cases only.");
    assert!(office.latest("listing_returned").await["text"].as_str().unwrap().contains("12 failing"));
    assert_eq!(office.post(&session, "client/resend", &Value::Null).await.codes(), ["3061"]);
    assert_eq!(office.get(&session, "account").await["client_id"], Value::Null);

    assert_eq!(office.apply(&session, &five[..1]).await.ok()["id"], "L2");
    office.accept("L2").await.ok();
    assert!(office.get(&session, "account").await["client_id"].is_string());
    assert_eq!(office.accept("L9").await.status, 404);
}

#[tokio::test]
async fn automatic_scrutiny_believes_what_a_report_says_of_itself() {
    let settings = RegistrationSettings { scrutiny: Scrutiny::Automatic, ..RegistrationSettings::default() };
    let office = office(settings).await;
    let session = office.sign_up(PAN, "office").await;
    let apply = |says: &str| {
        let page =
            format!("<!doctype html><html><head><meta name=\"einvoice-coverage\" content=\"{says}\"></head></html>");
        let content = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, page);
        let body = json!({"addresses": [ADDRESS], "report": {"name": "r.html", "content": content}});
        let (office, session) = (&office, &session);
        async move { office.post(session, "ip-listing", &body).await.ok() }
    };
    let returned = apply("AUTH=50/50,CANCEL=50/12").await;
    assert_eq!(returned["state"], "returned");
    let reason = returned["reason"].as_str().unwrap();
    assert!(reason.contains("CANCEL has 50 succeeding and 12 failing"), "{reason}");
    assert!(reason.contains("no case of GSTIN, SYNC, IRN"), "{reason}");
    let all = ["AUTH", "GSTIN", "SYNC", "IRN", "READ", "DOC", "EWB", "EWBREAD", "CANCEL", "REJECTED"];
    assert_eq!(apply(&all.map(|api| format!("{api}=50/50")).join(",")).await["state"], "accepted");
}

#[tokio::test]
async fn the_pair_is_sent_again_and_by_a_setting_with_a_new_secret() {
    let office = office(RegistrationSettings::default()).await;
    let session = office.enrolled(ADDRESS).await;
    let first = office.latest("client").await;
    assert_eq!(first["to"], office.get(&session, "account").await["mobile"]);
    assert_eq!(office.post(&session, "client/resend", &Value::Null).await.ok()["new_secret"], false);
    let again = office.latest("client_again").await;
    assert_eq!((&again["client_id"], &again["client_secret"]), (&first["client_id"], &first["client_secret"]));
    let mut settings = office.server.sandbox().settings();
    settings.registration.resend_makes_new_secret = true;
    office.server.sandbox().set_settings(settings).unwrap();
    assert_eq!(office.post(&session, "client/resend", &Value::Null).await.ok()["new_secret"], true);
    let renewed = office.latest("client_again").await;
    assert_eq!(renewed["client_id"], first["client_id"]);
    assert_ne!(renewed["client_secret"], first["client_secret"]);
    assert_eq!(office.server.sandbox().clients().len(), 1, "one pair for the PAN");
}

#[tokio::test]
async fn api_users_are_refused_each_for_its_reason() {
    let office = office(RegistrationSettings { users_per_gstin_max: 2, ..RegistrationSettings::default() }).await;
    let session = office.enrolled(ADDRESS).await;
    let refused = async |more: Value| -> Answer { office.user(&session, "books", &more).await };
    for (more, code, part) in [
        (json!({"gstin": "29AABCE1234F1Z1"}), "3014", "another PAN"),
        (json!({"gstin": "24AAACB5678K1ZH"}), "3030", "should be G"),
        (json!({"product": "e-invoice"}), "-", "e_invoice or e_way_bill"),
        (json!({"environment": "test"}), "-", "production or sandbox"),
        (json!({"mode": "gsp"}), "-", "choose the provider"),
        (json!({"mode": "gsp", "gsp": "nobody"}), "-", "choose the provider"),
        (json!({"mode": "through"}), "-", "direct or gsp"),
        (json!({"username": "a b"}), "-", "user name needs"),
        (json!({"password": "secret"}), "3003", "a capital letter"),
        (
            json!({"username": "a23456789012345678901234567890", "password": "Aa1\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\""}),
            "-",
            "66",
        ),
    ] {
        let answer = refused(more.clone()).await;
        assert_eq!(answer.codes(), [code], "{more}");
        assert!(answer.messages()[0].1.contains(part), "{more}: {:?}", answer.messages());
        assert!(!answer.body.to_string().contains("secret"), "a password is never repeated");
    }
    refused(json!({})).await.ok();
    assert_eq!(refused(json!({})).await.codes(), ["3004"]);
    office.user(&session, "books2", &json!({"mode": "gsp", "gsp": "vayana"})).await.ok();
    assert_eq!(office.user(&session, "books3", &json!({})).await.codes(), ["3007"]);
    office.user(&session, "books3", &json!({"gstin": OTHER_GSTIN})).await.ok();
    assert_eq!(office.post(&session, "users/nobody/freeze", &Value::Null).await.status, 404);
    office.post(&session, "users/books/freeze", &Value::Null).await.ok();
    assert_eq!(office.post(&session, "users/books/freeze", &Value::Null).await.codes(), ["3025"]);
    let same = json!({"password": PASSWORD});
    assert_eq!(office.post(&session, "users/books/password", &same).await.codes(), ["3023"]);
    assert_eq!(office.get(&session, "users").await.as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn another_account_sees_and_moves_nothing_of_this_one() {
    let office = office(RegistrationSettings::default()).await;
    let session = office.enrolled(ADDRESS).await;
    office.user(&session, "books", &json!({})).await.ok();
    let stranger = office.sign_up("AABCE1234F", "stranger").await;
    assert_eq!(office.get(&stranger, "users").await, json!([]));
    assert_eq!(office.get(&stranger, "ip-listing").await, json!([]));
    for path in ["users/books/freeze", "users/books/unfreeze"] {
        assert_eq!(office.post(&stranger, path, &Value::Null).await.status, 404, "{path}");
    }
    let new = json!({"password": "Another#43"});
    assert_eq!(office.post(&stranger, "users/books/password", &new).await.status, 404);
    for (method, path) in [("GET", "account"), ("GET", "users"), ("POST", "users"), ("POST", "ip-listing")] {
        let answer = office.call(None, method, &format!("/portal/api/{path}"), &Value::Null).await;
        assert_eq!(answer.status, 401, "{method} {path}");
    }
}

#[tokio::test]
async fn what_was_registered_survives_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let copy = tempfile::tempdir().unwrap();
    let office = office(RegistrationSettings::default()).await;
    let session = office.enrolled(ADDRESS).await;
    office.user(&session, "books", &json!({})).await.ok();
    office.post(&session, "users/books/freeze", &Value::Null).await.ok();
    drop(directory);
    let (account, outbox) = (office.get(&session, "account").await, office.latest("client").await);
    // What a kill would leave is what the directory holds at this moment.
    for entry in std::fs::read_dir(office.server.sandbox().directory().unwrap()).unwrap() {
        let path = entry.unwrap().path();
        if path.file_name().unwrap() != "lock" {
            std::fs::copy(&path, copy.path().join(path.file_name().unwrap())).unwrap();
        }
    }
    let mut options = einvoice_sandbox::ServeOptions::new("127.0.0.1:0".parse().unwrap(), copy.path());
    options.empty = true;
    let clock = std::sync::Arc::new(einvoice_core::clock::ManualClock::new(crate::raw::noon()));
    let entropy = std::sync::Arc::new(einvoice_core::entropy::SeededEntropy::new(8));
    let server = einvoice_sandbox::serve(options, clock, entropy).await.unwrap();
    let again = Office { server, http: office.http.clone(), _directory: copy };
    assert_eq!(again.get(&session, "account").await, account);
    assert_eq!(again.latest("client").await, outbox);
    let listing = again.call(None, "GET", "/sandbox/listings", &Value::Null).await.ok();
    assert_eq!(listing[0]["state"], "accepted");
    let report = again.http.get(again.url("/portal/desk/L1/report")).send().await.unwrap();
    assert_eq!(report.headers()["content-disposition"], "attachment; filename=\"report.html\"");
    assert_eq!(report.bytes().await.unwrap(), super::REPORT);
}

#[tokio::test]
async fn a_directory_with_accounts_keeps_them_when_it_is_opened_empty() {
    let directory = tempfile::tempdir().unwrap();
    let open = |empty: bool| {
        let clock = std::sync::Arc::new(einvoice_core::clock::ManualClock::new(crate::raw::noon()));
        let entropy = std::sync::Arc::new(einvoice_core::entropy::SeededEntropy::new(1));
        let open = if empty { Sandbox::open_empty } else { Sandbox::open };
        open(directory.path(), einvoice_sandbox::PortalSettings::default(), clock, entropy).unwrap()
    };
    assert!(open(true).users().is_empty());
    assert_eq!(open(false).users().len(), 4);
    assert_eq!(open(true).users().len(), 4);
}
