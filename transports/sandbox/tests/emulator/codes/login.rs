//! Logins, and what every later call proves, in both systems.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use einvoice_sandbox::{FrozenUser, PortalRequest, PortalSettings, RegistrationSettings, Sandbox};
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::{Tally, irp_client};
use crate::bills::bill;
use crate::enrolment;
use crate::raw::{EwbClient, RawClient, SELLER, SISTER, call, portal, rsa, seal};

/// Another PAN's taxpayer.
const STRANGER: &str = "24AAACB5678K1ZG";

/// What is wrong with a client.
type Change<'a> = &'a dyn Fn(&mut RawClient);

pub(super) async fn provoke(tally: &mut Tally) {
    registration_login(tally).await;
    registration_calls(tally).await;
    ewb_login(tally).await;
    ewb_calls(tally).await;
    registered_on_the_pages(tally).await;
}

/// Accounts that were made on the portal's pages: a frozen user, and an address that is not listed.
async fn registered_on_the_pages(tally: &mut Tally) {
    let office = enrolment::office(RegistrationSettings::default()).await;
    let session = office.enrolled(enrolment::ADDRESS).await;
    office.user(&session, "books", &json!({})).await.ok();
    office.user(&session, "bills", &json!({"product": "e_way_bill"})).await.ok();
    for user in ["books", "bills"] {
        office.post(&session, &format!("users/{user}/freeze"), &Value::Null).await.ok();
    }
    let (client, bills) = (office.client("client", "books").await, office.ewb_client("client", "bills").await);
    let sandbox = office.server.sandbox();
    tally.irp("registration: login", sandbox, &client.login(false), "1014").await;
    tally.ewb("POST /v1.03/auth", sandbox, &bills.login(), "113").await;
    let mut settings = sandbox.settings();
    settings.registration.frozen_user = FrozenUser::Freezed;
    settings.registration.loopback_stands_for = "117.200.1.11".into();
    sandbox.set_settings(settings.clone()).unwrap();
    tally.irp("registration: login", sandbox, &client.login(false), "3059").await;
    tally.irp("registration: later calls", sandbox, &client.by_irn("x"), "3059").await;
    settings.registration.loopback_stands_for = enrolment::ADDRESS.into();
    sandbox.set_settings(settings).unwrap();
    tally.irp("registration: login", sandbox, &client.login(false), "3025").await;
}

async fn registration_login(tally: &mut Tally) {
    const ROW: &str = "registration: login";
    let sandbox = portal(PortalSettings::default());
    let (other, _) = sandbox.provision(STRANGER).await.unwrap();
    let foreign: Change<'_> = &|client| {
        client.client_id.clone_from(&other.client_id);
        client.client_secret.clone_from(&other.client_secret);
    };
    let cases: [(Change<'_>, &str); 9] = [
        (&|client| client.gstin.clear(), "1004"),
        (&|client| client.user_name.clear(), "1006"),
        (&|client| client.password.clear(), "1007"),
        (&|client| client.client_secret = "x".into(), "1010"),
        (&|client| client.client_id.clear(), "1011"),
        (&|client| client.client_secret.clear(), "1012"),
        (&|client| client.gstin = SISTER.into(), "1015"),
        (&|client| client.user_name = "nobody".into(), "1017"),
        (&|client| client.password = "x".into(), "1019"),
    ];
    for (change, code) in cases.into_iter().chain([(foreign, "1018")]) {
        let mut client = RawClient::new(&sandbox, SELLER);
        change(&mut client);
        tally.irp(ROW, &sandbox, &client.login(false), code).await;
    }
    let client = RawClient::new(&sandbox, SELLER);
    let login = |data: &str| client.post("/eivital/v1.04/auth", &json!({ "Data": data }));
    let short_key = json!({"UserName": client.user_name, "Password": client.password, "AppKey": "AAAA"}).to_string();
    let sealed = |text: &str| rsa(&client.auth_pem, text.as_bytes());
    tally.irp(ROW, &sandbox, &login(&sealed(&STANDARD.encode(short_key))), "1016").await;
    tally.irp(ROW, &sandbox, &login(&STANDARD.encode(client.credentials(false))), "1020").await;
    tally.irp(ROW, &sandbox, &login(&sealed(&client.credentials(false))), "5001").await;
    tally.irp(ROW, &sandbox, &login(""), "5003").await;
}

async fn registration_calls(tally: &mut Tally) {
    const ROW: &str = "registration: later calls";
    let sandbox = portal(PortalSettings::default());
    let client = irp_client(&sandbox, SELLER).await;
    let page = format!("/eivital/v1.04/Master/gstin/{SELLER}");
    let cases: [(&str, &str, &str); 7] = [
        ("Gstin", "", "1004"),
        ("AuthToken", "x", "1005"),
        ("user_name", "", "1006"),
        ("client_secret", "x", "1010"),
        ("client_id", "", "1011"),
        ("client_secret", "", "1012"),
        ("irp", "NIC3", "3098"),
    ];
    for (header, value, code) in cases {
        let mut request = client.get(&page);
        request.headers.retain(|(name, _)| name != header);
        request.headers.push((header.to_owned(), value.to_owned()));
        tally.irp(ROW, &sandbox, &request, code).await;
    }
    let post = |data: &str| client.post("/eicore/v1.03/Invoice", &json!({ "Data": data }));
    tally.irp(ROW, &sandbox, &post(&seal(&[1; 32], b"{}")), "5001").await;
    tally.irp(ROW, &sandbox, &post(""), "5003").await;
    sandbox.advance(SignedDuration::from_mins(61));
    tally.irp(ROW, &sandbox, &client.get(&page), "1005").await;
}

fn ewb_request(client: &EwbClient, target: &str, body: &Value) -> PortalRequest {
    PortalRequest { target: target.into(), body: body.to_string().into_bytes(), ..client.login() }
}

async fn ewb_login(tally: &mut Tally) {
    const ROW: &str = "POST /v1.03/auth";
    let sandbox = portal(PortalSettings::default());
    let (other, _) = sandbox.provision(STRANGER).await.unwrap();
    let client = EwbClient::new(&sandbox, SELLER);
    let changed = |change: &dyn Fn(&mut RawClient)| {
        let mut client = client.clone();
        change(&mut client.inner);
        client.login()
    };
    let foreign = changed(&|client| {
        client.client_id.clone_from(&other.client_id);
        client.client_secret.clone_from(&other.client_secret);
    });
    let sealed = |text: &str| rsa(&client.inner.auth_pem, text.as_bytes());
    let login = |data: &str| ewb_request(&client, "/ewb/v1.03/auth", &json!({ "Data": data }));
    let mut twice = client.login();
    twice.headers.push(("Gstin".into(), SELLER.into()));
    for (request, code) in [
        (login(&sealed(&STANDARD.encode("{"))), "100"),
        (changed(&|client| client.password = "x".into()), "108"),
        (login(&sealed("{}")), "109"),
        (changed(&|client| client.client_secret = "x".into()), "110"),
        (foreign, "111"),
        (login(""), "115"),
        (changed(&|client| client.gstin.clear()), "227"),
        (login(&sealed(&STANDARD.encode(r#"{"action":"TOKEN"}"#))), "239"),
        (twice, "393"),
    ] {
        tally.ewb(ROW, &sandbox, &request, code).await;
    }
    limited(tally, ROW).await;
}

/// Five logins in a quarter of an hour, of one GSTIN.
async fn limited(tally: &mut Tally, row: &str) {
    let sandbox = portal(PortalSettings { ewb_logins_per_15_minutes: Some(5), ..PortalSettings::default() });
    let client = EwbClient::new(&sandbox, SELLER);
    for _ in 0..5 {
        assert_eq!(call(&sandbox, &client.login()).await["status"], "1");
        sandbox.advance(SignedDuration::from_mins(2));
    }
    tally.ewb(row, &sandbox, &client.login(), "118").await;
    assert_eq!(call(&sandbox, &EwbClient::new(&sandbox, SISTER).login()).await["status"], "1");
    sandbox.advance(SignedDuration::from_mins(5));
    assert_eq!(call(&sandbox, &client.login()).await["status"], "1");
}

async fn ewb_calls(tally: &mut Tally) {
    const ROW: &str = "later calls";
    let sandbox = portal(PortalSettings::default());
    let client = EwbClient::logged_in(&sandbox, SELLER).await;
    let act = |client: &EwbClient| client.act_request("GENEWAYBILL", &bill("E/1"));
    let changed = |change: &dyn Fn(&mut RawClient)| {
        let mut client = client.clone();
        change(&mut client.inner);
        act(&client)
    };
    let post = |data: &str| ewb_request(&client, "/ewb/v1.03/ewayapi", &json!({"action": "GENEWAYBILL", "data": data}));
    let mut twice = act(&client);
    twice.headers.push(("Gstin".into(), SELLER.into()));
    for (request, code) in [
        (post(&seal(&client.inner.sek, b"{")), "100"),
        (post(&seal(&[1; 32], b"{}")), "109"),
        (changed(&|client| client.client_secret = "x".into()), "110"),
        (post(""), "115"),
        (changed(&|client| client.gstin.clear()), "227"),
        (changed(&|client| client.token = "x".into()), "238"),
        (client.act_request("NONSENSE", &json!({})), "239"),
        (twice, "393"),
    ] {
        tally.ewb(ROW, &sandbox, &request, code).await;
    }
    expired(tally, ROW, &sandbox, &client).await;
}

async fn expired(tally: &mut Tally, row: &str, sandbox: &Sandbox, client: &EwbClient) {
    sandbox.advance(SignedDuration::from_mins(361));
    tally.ewb(row, sandbox, &client.act_request("GENEWAYBILL", &bill("E/1")), "106").await;
}
