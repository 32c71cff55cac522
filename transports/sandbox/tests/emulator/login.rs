//! Section 2 of the portal's interface: who may log in, and the life of a token.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use einvoice_sandbox::{PortalSettings, Sandbox, SekWrapping};
use jiff::SignedDuration;
use serde_json::json;

use crate::raw::{RawClient, SELLER, SISTER, call, codes, open, portal, rsa};

async fn refused(sandbox: &Sandbox, change: impl FnOnce(&mut RawClient)) -> Vec<String> {
    let mut client = RawClient::new(sandbox, SELLER);
    change(&mut client);
    codes(&call(sandbox, &client.login(false)).await)
}

#[tokio::test]
async fn wrong_credentials_are_refused_each_with_its_code() {
    let sandbox = portal(PortalSettings::default());
    assert_eq!(refused(&sandbox, |client| client.client_secret = "x".into()).await, ["1010"]);
    assert_eq!(refused(&sandbox, |client| client.client_id.clear()).await, ["1011"]);
    assert_eq!(refused(&sandbox, |client| client.client_secret.clear()).await, ["1012"]);
    assert_eq!(refused(&sandbox, |client| client.gstin.clear()).await, ["1004"]);
    assert_eq!(refused(&sandbox, |client| client.gstin = SISTER.into()).await, ["1015"]);
    assert_eq!(refused(&sandbox, |client| client.password = "x".into()).await, ["1019"]);
    assert_eq!(refused(&sandbox, |client| client.user_name = "nobody".into()).await, ["1017"]);
    assert_eq!(refused(&sandbox, |client| client.user_name.clear()).await, ["1006"]);
}

#[tokio::test]
async fn the_client_pair_of_another_pan_is_not_mapped_to_the_user() {
    let sandbox = portal(PortalSettings::default());
    let (other, _) = sandbox.provision("24AAACB5678K1ZG").await.unwrap();
    let refusal = refused(&sandbox, |client| {
        client.client_id = other.client_id;
        client.client_secret = other.client_secret;
    });
    assert_eq!(refusal.await, ["1018"]);
}

#[tokio::test]
async fn a_payload_that_skips_a_step_is_refused_as_the_portal_does() {
    let sandbox = portal(PortalSettings::default());
    let client = RawClient::new(&sandbox, SELLER);
    let login = |body| call(&sandbox, Box::leak(Box::new(client.post("/eivital/v1.04/auth", &body))));
    assert_eq!(codes(&login(json!({})).await), ["5003"]);
    assert_eq!(codes(&login(json!({"Data": ""})).await), ["5003"]);
    assert_eq!(codes(&login(json!({"Data": STANDARD.encode(client.credentials(false))})).await), ["1020"]);
    let no_inner_base64 = rsa(&client.auth_pem, client.credentials(false).as_bytes());
    assert_eq!(codes(&login(json!({"Data": no_inner_base64})).await), ["5001"]);
    let short_key = json!({"UserName": client.user_name, "Password": client.password, "AppKey": "AAAA"}).to_string();
    let short_key = rsa(&client.auth_pem, STANDARD.encode(short_key).as_bytes());
    assert_eq!(codes(&login(json!({"Data": short_key})).await), ["1016"]);
}

#[tokio::test]
async fn a_repeated_login_returns_the_same_token_and_its_first_expiry() {
    let sandbox = portal(PortalSettings::default());
    let client = RawClient::new(&sandbox, SELLER);
    let first = call(&sandbox, &client.login(false)).await;
    assert_eq!(first["Data"]["TokenExpiry"], "2026-11-05 13:00:00");
    sandbox.advance(SignedDuration::from_mins(30));
    let again = call(&sandbox, &client.login(true)).await;
    assert_eq!(again["Data"]["AuthToken"], first["Data"]["AuthToken"]);
    assert_eq!(again["Data"]["TokenExpiry"], first["Data"]["TokenExpiry"]);
}

#[tokio::test]
async fn a_token_is_renewed_by_force_in_its_last_ten_minutes_and_the_old_one_ends() {
    let sandbox = portal(PortalSettings::default());
    let mut client = RawClient::logged_in(&sandbox, SELLER).await;
    let old = client.clone();
    sandbox.advance(SignedDuration::from_mins(51));
    let kept = call(&sandbox, &client.login(false)).await;
    assert_eq!(kept["Data"]["AuthToken"], old.token.as_str());
    client.take_login(&call(&sandbox, &client.login(true)).await);
    assert_ne!(client.token, old.token);
    let details = |client: &RawClient| client.get(&format!("/eivital/v1.04/Master/gstin/{SISTER}"));
    assert_eq!(codes(&call(&sandbox, &details(&old)).await), ["1005"]);
    assert_eq!(client.opened(&call(&sandbox, &details(&client)).await)["Gstin"], SISTER);
}

#[tokio::test]
async fn a_token_ends_after_an_hour() {
    let sandbox = portal(PortalSettings::default());
    let client = RawClient::logged_in(&sandbox, SELLER).await;
    sandbox.advance(SignedDuration::from_mins(60));
    assert_eq!(codes(&call(&sandbox, &client.by_irn("x")).await), ["1005"]);
}

#[tokio::test]
async fn headers_that_do_not_belong_together_are_an_invalid_token() {
    let sandbox = portal(PortalSettings::default());
    let client = RawClient::logged_in(&sandbox, SELLER).await;
    let other = RawClient { gstin: SISTER.into(), ..client.clone() };
    assert_eq!(codes(&call(&sandbox, &other.by_irn("x")).await), ["1005"]);
    let other = RawClient { token: "abc".into(), ..client.clone() };
    assert_eq!(codes(&call(&sandbox, &other.by_irn("x")).await), ["1005"]);
    let mut doubled = client.by_irn("x");
    doubled.headers.push(("gstin".into(), SELLER.into()));
    assert_eq!(codes(&call(&sandbox, &doubled).await), ["1005"]);
}

#[tokio::test]
async fn both_spellings_of_the_client_headers_are_read() {
    let sandbox = portal(PortalSettings::default());
    let client = RawClient::new(&sandbox, SELLER);
    let mut request = client.login(false);
    for (name, _) in &mut request.headers {
        *name = name.replace('_', "-").to_uppercase();
    }
    assert_eq!(call(&sandbox, &request).await["Status"], 1);
}

#[tokio::test]
async fn the_sek_of_a_repeated_login_is_wrapped_as_the_switch_says() {
    for (wrapping, with_latest) in [(SekWrapping::Latest, true), (SekWrapping::First, false)] {
        let settings = PortalSettings { sek_wrapping: wrapping, ..PortalSettings::default() };
        let sandbox = portal(settings);
        let first = RawClient::logged_in(&sandbox, SELLER).await;
        let again = RawClient { app_key: [12; 32], ..first.clone() };
        let reply = call(&sandbox, &again.login(false)).await;
        let key = if with_latest { again.app_key } else { first.app_key };
        assert_eq!(open(&key, reply["Data"]["Sek"].as_str().unwrap()), first.sek);
    }
}
