//! What the APIs refuse after registration: addresses, pairs, ways in, frozen users, the other system.

use std::sync::Arc;

use einvoice_core::environment::Product;
use einvoice_sandbox::{
    Asked, Behind, Delivery, EwbSharing, Front, FrozenUser, PortalReply, PortalRequest, RegistrationSettings, Said,
    UnlistedAddress, WrongWay,
};
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::{ADDRESS, GSTIN, Office, PASSWORD, office};
use crate::http::Wire;
use crate::raw::{EwbClient, RawClient, SELLER, codes, ewb_codes};

/// The code that a login is refused with; empty for one that is not.
async fn irp(office: &Office, client: &RawClient) -> String {
    let reply = Wire::new(office.server.base_url()).send(&client.login(false)).await;
    if reply["Status"] == 1 { String::new() } else { codes(&reply).concat() }
}

async fn ewb(office: &Office, client: &EwbClient) -> String {
    let reply = Wire::new(office.server.base_url()).send(&client.login()).await;
    if reply["status"] == "1" { String::new() } else { ewb_codes(&reply).concat() }
}

/// Changes settings of the registration side.
fn set(office: &Office, change: impl FnOnce(&mut RegistrationSettings)) {
    let mut settings = office.server.sandbox().settings();
    change(&mut settings.registration);
    office.server.sandbox().set_settings(settings).unwrap();
}

/// An office with a listed address, and a user of each system.
async fn two_users() -> (Office, String, RawClient, EwbClient) {
    let office = office(RegistrationSettings::default()).await;
    let session = office.enrolled(ADDRESS).await;
    office.user(&session, "books", &json!({})).await.ok();
    office.user(&session, "bills", &json!({"product": "e_way_bill"})).await.ok();
    let (client, bills) = (office.client("client", "books").await, office.ewb_client("client", "bills").await);
    (office, session, client, bills)
}

#[tokio::test]
async fn an_address_that_is_not_listed_is_refused_in_each_way_a_setting_names() {
    let (office, _session, client, bills) = two_users().await;
    assert_eq!((irp(&office, &client).await, ewb(&office, &bills).await), (String::new(), String::new()));
    set(&office, |settings| settings.loopback_stands_for = "117.200.1.11".into());
    assert_eq!((irp(&office, &client).await, ewb(&office, &bills).await), ("3059".into(), "110".into()));
    set(&office, |settings| settings.unlisted_address = UnlistedAddress::Client);
    assert_eq!((irp(&office, &client).await, ewb(&office, &bills).await), ("1010".into(), "110".into()));
    set(&office, |settings| settings.unlisted_address = UnlistedAddress::Page);
    let (status, body) = Wire::new(office.server.base_url()).try_send(&client.login(false)).await.unwrap();
    assert_eq!((status, body.starts_with(b"<!DOCTYPE html>")), (403, true));
    // The caller's own address counts before what the loopback stands for.
    set(&office, |settings| {
        settings.callers.insert("127.0.0.1".into(), ADDRESS.into());
    });
    assert_eq!(irp(&office, &client).await, "");
    let seen = office.http.get(office.url("/portal/my-address")).send().await.unwrap().text().await.unwrap();
    assert_eq!(seen.trim(), ADDRESS);
}

#[tokio::test]
async fn a_live_token_is_of_no_use_from_another_address() {
    let (office, _session, mut client, _bills) = two_users().await;
    let wire = Wire::new(office.server.base_url());
    client.take_login(&wire.send(&client.login(false)).await);
    let page = client.get(&format!("/eivital/v1.04/Master/gstin/{GSTIN}"));
    assert_eq!(client.opened(&wire.send(&page).await)["Gstin"], GSTIN);
    set(&office, |settings| settings.loopback_stands_for = "49.32.0.1".into());
    assert_eq!(codes(&wire.send(&page).await), ["3059"]);
}

#[tokio::test]
async fn pairs_that_the_emulator_makes_itself_are_bound_to_no_address_unless_asked_for() {
    let (office, ..) = two_users().await;
    let sandbox = office.server.sandbox();
    sandbox.provision(SELLER).await.unwrap();
    let given = RawClient::new(sandbox, SELLER);
    assert_eq!(irp(&office, &given).await, "");
    set(&office, |settings| settings.addresses_enforced = true);
    assert_eq!(irp(&office, &given).await, "3059");
}

#[tokio::test]
async fn the_pair_of_another_pan_and_the_user_of_the_other_system_are_refused() {
    let (office, session, client, bills) = two_users().await;
    let sandbox = office.server.sandbox();
    let (other, _) = sandbox.provision(SELLER).await.unwrap();
    let foreign = |client: &RawClient| RawClient {
        client_id: other.client_id.clone(),
        client_secret: other.client_secret.clone(),
        ..client.clone()
    };
    assert_eq!(irp(&office, &foreign(&client)).await, "1018");
    assert_eq!(ewb(&office, &EwbClient { inner: foreign(&bills.inner) }).await, "111");
    let named = |client: &RawClient, name: &str| RawClient { user_name: name.into(), ..client.clone() };
    assert_eq!(irp(&office, &named(&client, "bills")).await, "1017");
    assert_eq!(ewb(&office, &EwbClient { inner: named(&bills.inner, "books") }).await, "108");
    set(&office, |settings| settings.shared_with_ewb = EwbSharing::Users);
    assert_eq!(irp(&office, &named(&client, "bills")).await, "");
    assert_eq!(ewb(&office, &EwbClient { inner: named(&bills.inner, "books") }).await, "");
    // A pair for trying things out knows users of its own environment only, and the reverse.
    let trial = office.client("sandbox_client", "books").await;
    assert_eq!(irp(&office, &trial).await, "1017");
    office.user(&session, "trial", &json!({"environment": "sandbox"})).await.ok();
    assert_eq!(irp(&office, &named(&trial, "trial")).await, "");
    assert_eq!(irp(&office, &named(&client, "trial")).await, "1017");
}

/// The code that a call to each system is refused with.
async fn both(office: &Office, client: &RawClient, bills: &EwbClient) -> (String, String) {
    let wire = Wire::new(office.server.base_url());
    let irp = wire.send(&client.get(&format!("/eivital/v1.04/Master/gstin/{GSTIN}"))).await;
    let ewb = wire.send(&bills.get(&format!("Master/GetGSTINDetails?GSTIN={GSTIN}"))).await;
    let irp = if irp["Status"] == 1 { String::new() } else { codes(&irp).concat() };
    (irp, if ewb["status"] == "1" { String::new() } else { ewb_codes(&ewb).concat() })
}

#[tokio::test]
async fn a_token_of_one_system_is_good_at_the_other_only_where_a_setting_says_so() {
    let (office, session, mut client, mut bills) = two_users().await;
    let wire = Wire::new(office.server.base_url());
    client.take_login(&wire.send(&client.login(false)).await);
    bills.take_login(&wire.send(&bills.login()).await);
    // Each with the token of the other one's user.
    let crossed = RawClient { auth_pem: client.auth_pem.clone(), ..bills.inner.clone() };
    let bills_crossed = EwbClient { inner: RawClient { auth_pem: bills.inner.auth_pem.clone(), ..client.clone() } };
    let refused = ("1005".to_owned(), "238".to_owned());
    assert_eq!(both(&office, &crossed, &bills_crossed).await, refused);
    set(&office, |settings| settings.shared_with_ewb = EwbSharing::Users);
    assert_eq!(both(&office, &crossed, &bills_crossed).await, refused);
    set(&office, |settings| settings.shared_with_ewb = EwbSharing::Tokens);
    assert_eq!(both(&office, &crossed, &bills_crossed).await, (String::new(), String::new()));
    // Tokens are shared, users are not.
    assert_eq!(irp(&office, &crossed).await, "1017");
    assert_eq!(ewb(&office, &bills_crossed).await, "108");
    // The token bears its user: under another name, or frozen, it is none.
    let renamed = RawClient { user_name: "books".into(), ..crossed.clone() };
    assert_eq!(both(&office, &renamed, &bills_crossed).await, ("1005".to_owned(), String::new()));
    office.post(&session, "users/books/freeze", &Value::Null).await.ok();
    assert_eq!(both(&office, &crossed, &bills_crossed).await, (String::new(), "238".to_owned()));
    office.post(&session, "users/books/unfreeze", &Value::Null).await.ok();
    // Where both are shared a user has one token, whichever system it logs in to.
    set(&office, |settings| settings.shared_with_ewb = EwbSharing::UsersAndTokens);
    client.take_login(&wire.send(&client.login(false)).await);
    let mut books = EwbClient { inner: RawClient { auth_pem: bills.inner.auth_pem, ..client.clone() } };
    books.take_login(&wire.send(&books.login()).await);
    assert_eq!((&books.inner.token, &books.inner.sek), (&client.token, &client.sek));
    assert_eq!(both(&office, &client, &books).await, (String::new(), String::new()));
}

#[tokio::test]
async fn accounts_of_the_emulator_share_users_and_tokens_by_the_same_setting() {
    let sharing = RegistrationSettings { shared_with_ewb: EwbSharing::UsersAndTokens, ..Default::default() };
    let office = office(sharing).await;
    let sandbox = office.server.sandbox();
    sandbox.provision(SELLER).await.unwrap();
    let wire = Wire::new(office.server.base_url());
    let mut client = RawClient::new(sandbox, SELLER);
    let mut guest =
        EwbClient { inner: RawClient { auth_pem: EwbClient::new(sandbox, SELLER).inner.auth_pem, ..client.clone() } };
    // First where it is a guest, then at home: the same token.
    guest.take_login(&wire.send(&guest.login()).await);
    client.take_login(&wire.send(&client.login(false)).await);
    assert_eq!((&guest.inner.token, &guest.inner.sek), (&client.token, &client.sek));
    assert_eq!(both(&office, &client, &guest).await, (String::new(), String::new()));
    set(&office, |settings| settings.shared_with_ewb = EwbSharing::Nothing);
    assert_eq!(ewb(&office, &guest).await, "108");
    assert_eq!(both(&office, &client, &guest).await.0, "1005");
}

#[tokio::test]
async fn a_frozen_user_never_logs_in_and_its_token_ends() {
    let (office, session, mut client, mut bills) = two_users().await;
    let wire = Wire::new(office.server.base_url());
    client.take_login(&wire.send(&client.login(false)).await);
    bills.take_login(&wire.send(&bills.login()).await);
    for name in ["books", "bills"] {
        office.post(&session, &format!("users/{name}/freeze"), &Value::Null).await.ok();
    }
    let page = client.get(&format!("/eivital/v1.04/Master/gstin/{GSTIN}"));
    assert_eq!(codes(&wire.send(&page).await), ["1005"]);
    assert_eq!(ewb_codes(&wire.send(&bills.act_request("CANEWB", &json!({}))).await), ["238"]);
    assert_eq!((irp(&office, &client).await, ewb(&office, &bills).await), ("1014".into(), "113".into()));
    // Who does not know the password does not learn that the user is frozen.
    let stranger = RawClient { password: "x".into(), ..client.clone() };
    assert_eq!(irp(&office, &stranger).await, "1019");
    set(&office, |settings| settings.frozen_user = FrozenUser::Freezed);
    assert_eq!(irp(&office, &client).await, "3025");
    office.post(&session, "users/books/unfreeze", &Value::Null).await.ok();
    assert_eq!(irp(&office, &client).await, "");
}

#[tokio::test]
async fn users_of_one_gstin_have_tokens_of_their_own_and_passwords_can_change() {
    let (office, session, mut first, _bills) = two_users().await;
    office.user(&session, "books2", &json!({})).await.ok();
    let mut second = RawClient { user_name: "books2".into(), app_key: [12; 32], ..first.clone() };
    let wire = Wire::new(office.server.base_url());
    first.take_login(&wire.send(&first.login(false)).await);
    second.take_login(&wire.send(&second.login(false)).await);
    assert_ne!(first.token, second.token);
    let page = |client: &RawClient| client.get(&format!("/eivital/v1.04/Master/gstin/{GSTIN}"));
    first.opened(&wire.send(&page(&first)).await);
    second.opened(&wire.send(&page(&second)).await);
    let mixed = RawClient { user_name: "books2".into(), ..first.clone() };
    assert_eq!(codes(&wire.send(&page(&mixed)).await), ["1005"]);
    office.post(&session, "users/books/password", &json!({"password": "Changed#43"})).await.ok();
    assert_eq!(irp(&office, &RawClient { token: String::new(), ..first.clone() }).await, "1019");
    let changed = RawClient { password: "Changed#43".into(), token: String::new(), ..first };
    assert_eq!(irp(&office, &changed).await, "");
}

/// A provider that logs in for whoever asks, and reads the taxpayer's details.
#[derive(Debug)]
struct Provider(&'static str);

impl Front for Provider {
    fn answer(&self, behind: &mut Behind<'_>, request: &PortalRequest) -> PortalReply {
        let header = |name: &str| {
            let found = request.headers.iter().find(|(given, _)| given == name);
            found.map(|(_, value)| value.clone()).unwrap_or_default()
        };
        let product = if request.target == "/ewb" { Product::EWayBill } else { Product::EInvoice };
        let code = match behind.log_in(product, GSTIN, &header("user"), &header("password")) {
            Err(errors) => errors[0].0.clone(),
            Ok(ticket) => {
                let target = match product {
                    Product::EInvoice => format!("/eivital/v1.04/Master/gstin/{GSTIN}"),
                    _ => format!("/v1.03/Master/GetGSTINDetails?GSTIN={GSTIN}"),
                };
                match behind.ask(&ticket, Asked { target: &target, write: None, site: None }) {
                    Said::Yes { .. } => String::new(),
                    Said::No { errors, .. } => format!("later {}", errors[0].0),
                    Said::Other(reply) => panic!("{reply:?}"),
                }
            }
        };
        let known = behind.user(product, GSTIN).map(|user| user.username);
        let body = json!({ "code": code, "known": known }).to_string().into_bytes();
        PortalReply { status: 200, content_type: "application/json", body, delivery: Delivery::Normal }
    }

    fn name(&self) -> &str {
        self.0
    }
}

/// What a provider answers for a user; the provider stands below its name.
async fn through(office: &Office, place: &str, user: &str) -> String {
    answer_through(office, place, user).await["code"].as_str().unwrap().to_owned()
}

async fn answer_through(office: &Office, place: &str, user: &str) -> Value {
    let headers = [("user", user), ("password", PASSWORD)];
    let request = PortalRequest {
        method: "POST".into(),
        target: format!("/gsp/{place}"),
        headers: headers.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
        body: Vec::new(),
    };
    Wire::new(office.server.base_url()).send(&request).await
}

#[tokio::test]
async fn a_user_comes_in_the_way_it_was_made_for_and_no_other() {
    let (office, session, client, bills) = two_users().await;
    let sandbox = office.server.sandbox();
    for name in ["vayana", "acme-gsp"] {
        sandbox.put_in_front(format!("/gsp/{name}"), Arc::new(Provider(name)));
    }
    sandbox.put_in_front("/gsp/nameless", Arc::new(Provider("")));
    let gsps = office.call(None, "GET", "/portal/api/gsps", &Value::Null).await.ok();
    assert!(gsps.as_array().unwrap().contains(&json!("acme-gsp")), "{gsps}");
    assert!(!gsps.as_array().unwrap().contains(&json!("")), "{gsps}");
    office.user(&session, "through", &json!({"mode": "gsp", "gsp": "acme-gsp"})).await.ok();
    office
        .user(&session, "through-ewb", &json!({"mode": "gsp", "gsp": "acme-gsp", "product": "e_way_bill"}))
        .await
        .ok();
    assert_eq!(through(&office, "acme-gsp/irp", "through").await, "");
    assert_eq!(through(&office, "acme-gsp/ewb", "through-ewb").await, "");
    for place in ["vayana", "nameless"] {
        assert_eq!(through(&office, &format!("{place}/irp"), "through").await, "1018", "{place}");
        assert_eq!(through(&office, &format!("{place}/ewb"), "through-ewb").await, "111", "{place}");
    }
    assert_eq!(through(&office, "acme-gsp/irp", "books").await, "1018", "a direct user through a GSP");
    let direct = RawClient { user_name: "through".into(), ..client.clone() };
    assert_eq!(irp(&office, &direct).await, "1018", "a user of a GSP with the pair of the PAN");
    let direct_ewb = EwbClient { inner: RawClient { user_name: "through-ewb".into(), ..bills.inner.clone() } };
    assert_eq!(ewb(&office, &direct_ewb).await, "111");
    set(&office, |settings| settings.wrong_way = WrongWay::UnknownUser);
    assert_eq!(irp(&office, &direct).await, "1017");

    // To another provider, and to direct.
    office.post(&session, "users/through/mode", &json!({"mode": "gsp", "gsp": "vayana"})).await.ok();
    assert_eq!(through(&office, "vayana/irp", "through").await, "");
    assert_eq!(through(&office, "acme-gsp/irp", "through").await, "1017");
    office.post(&session, "users/through/mode", &json!({"mode": "direct"})).await.ok();
    assert_eq!(irp(&office, &direct).await, "");
}

#[tokio::test]
async fn who_goes_through_a_provider_needs_neither_pair_nor_address() {
    let office = office(RegistrationSettings { addresses_enforced: true, ..RegistrationSettings::default() }).await;
    office.server.sandbox().put_in_front("/gsp/vayana", Arc::new(Provider("vayana")));
    let session = office.sign_up(GSTIN, "office").await;
    office.user(&session, "through", &json!({"mode": "gsp", "gsp": "vayana"})).await.ok();
    assert_eq!(through(&office, "vayana/irp", "through").await, "");
    assert_eq!(office.get(&session, "account").await["client_id"], Value::Null);
    assert_eq!(office.post(&session, "users/through/mode", &json!({"mode": "direct"})).await.codes(), ["3059"]);
}

#[tokio::test]
async fn a_provider_knows_the_newest_user_that_is_not_frozen() {
    let office = office(RegistrationSettings { users_per_gstin_max: 3, ..RegistrationSettings::default() }).await;
    let sandbox = office.server.sandbox();
    sandbox.put_in_front("/gsp/vayana", Arc::new(Provider("vayana")));
    let session = office.sign_up(GSTIN, "office").await;
    for name in ["zebra", "apple", "mango"] {
        office.user(&session, name, &json!({"mode": "gsp", "gsp": "vayana"})).await.ok();
        sandbox.advance(SignedDuration::from_secs(1));
    }
    for known in ["mango", "apple", "zebra"] {
        assert_eq!(answer_through(&office, "vayana/irp", known).await, json!({"code": "", "known": known}));
        office.post(&session, &format!("users/{known}/freeze"), &Value::Null).await.ok();
    }
    assert_eq!(answer_through(&office, "vayana/irp", "mango").await["known"], "mango", "there is no other");
}

#[tokio::test]
async fn given_users_work_through_every_provider_as_before() {
    let office = office(RegistrationSettings::default()).await;
    let sandbox = office.server.sandbox();
    let (_, user) = sandbox.provision(GSTIN).await.unwrap();
    sandbox.give_user(einvoice_sandbox::UserAccount { password: PASSWORD.into(), ..user.clone() }).await.unwrap();
    for name in ["vayana", ""] {
        sandbox.put_in_front("/gsp/some", Arc::new(Provider(name)));
        assert_eq!(through(&office, "some/irp", &user.username).await, "", "{name}");
    }
}
