//! Logins to a provider and through it, with a provider that says what a test wants.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use einvoice_core::clock::{Clock, ManualClock};
use einvoice_core::credential::{Access, ApiUser, ClientPair};
use einvoice_core::entropy::SeededEntropy;
use einvoice_core::environment::{Environment, Product};
use einvoice_core::identifier::Gstin;
use einvoice_core::irn::Irn;
use einvoice_core::operation::Operation;
use einvoice_core::portal_code::ErrorClass;
use einvoice_core::secret::Secret;
use einvoice_core::session::{SavedSession, Session};
use einvoice_core::transport::{LoginReach, LoginRequest, Reach, Retry, Transport, TransportError};
use einvoice_gsp::profile::{read_profile, read_profile_text, shipped};
use einvoice_gsp::{GspParts, GspTransport};
use einvoice_protocol::exchange::{Exchange, ExchangeError, HttpRequest, HttpResponse};
use einvoice_protocol::login::AuthPublicKey;
use einvoice_testkit::documents::{Recipe, gstin};
use einvoice_testkit::transport_suite::AUTH_PUBLIC_KEY;

/// How often others get their turn while a request is under way.
const TURNS: usize = 20;
const CLIENT_SECRET: &str = "secret-of-the-account-5";

/// A provider: its answer to a path.
type Says = fn(path: &str) -> (u16, &'static str);

#[derive(Debug)]
struct Scripted {
    says: Says,
    sent: AtomicUsize,
    /// Logins to the provider of Iris among them.
    logins: AtomicUsize,
}

#[async_trait]
impl Exchange for Scripted {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, ExchangeError> {
        self.sent.fetch_add(1, Ordering::SeqCst);
        self.logins.fetch_add(usize::from(request.path_and_query.ends_with("/mgmt/login")), Ordering::SeqCst);
        for _ in 0..TURNS {
            tokio::task::yield_now().await;
        }
        let (status, body) = (self.says)(&request.path_and_query);
        Ok(HttpResponse { status, body: body.into() })
    }

    fn endpoint(&self) -> String {
        "https://provider.example".to_owned()
    }
}

struct World {
    provider: Arc<Scripted>,
    transport: Arc<GspTransport<Arc<Scripted>>>,
    clock: ManualClock,
}

impl World {
    fn new(profile: &str, says: Says) -> Self {
        let provider = Arc::new(Scripted { says, sent: AtomicUsize::new(0), logins: AtomicUsize::new(0) });
        let clock = ManualClock::new("2026-11-05T06:30:00Z".parse().unwrap());
        let profile = read_profile(profile, Path::new("")).unwrap();
        let to = || Some((Arc::clone(&provider), Arc::clone(&provider)));
        let key = || Some(AuthPublicKey::from_pem(AUTH_PUBLIC_KEY).unwrap());
        let settings: BTreeMap<String, String> =
            profile.settings.keys().map(|name| (name.clone(), format!("own-{name}"))).collect();
        let parts = GspParts {
            profile,
            environment: Environment::Sandbox,
            settings,
            site: "NIC1".to_owned(),
            common: Arc::clone(&provider),
            irp: to(),
            ewb: to(),
            irp_key: key(),
            ewb_key: key(),
            call_time_max: Duration::from_mins(1),
            entropy: Arc::new(SeededEntropy::new(1)),
            clock: Arc::new(clock.clone()),
        };
        Self { transport: Arc::new(GspTransport::new(parts).unwrap()), provider, clock }
    }

    async fn login(&self) -> Result<Session, TransportError> {
        let access = access();
        let request =
            LoginRequest { access: &access, product: Product::EInvoice, force_refresh: false, previous: None };
        self.transport.login(request).await
    }

    /// A session that no login was needed for.
    fn session(&self) -> Session {
        let secret = || Secret::new(vec![7; 32]);
        let expires_at = self.clock.now().checked_add(jiff::SignedDuration::from_hours(5)).unwrap();
        let token = Secret::from("token-of-the-taxpayer");
        Session::new(access(), SavedSession { token, sek: secret(), app_key: secret(), expires_at, provider: None })
    }

    fn sent(&self) -> usize {
        self.provider.sent.load(Ordering::SeqCst)
    }
}

fn access() -> Access {
    access_of(Recipe::numbered(1).supplier)
}

fn access_of(gstin: Gstin) -> Access {
    let pair =
        ClientPair { client_id: Secret::from("client-of-the-account"), client_secret: Secret::from(CLIENT_SECRET) };
    let user = ApiUser { user_name: Secret::from("API_user"), password: Secret::from("password-of-the-user") };
    Access::new(gstin, pair, user)
}

#[tokio::test]
async fn one_refused_login_to_the_provider_answers_all_who_waited_for_it() {
    let world = World::new("adaequare", |_| (401, r#"{"error":"unauthorized"}"#));
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..5 {
        let transport = Arc::clone(&world.transport);
        tasks.spawn(async move {
            let access = access();
            let request =
                LoginRequest { access: &access, product: Product::EInvoice, force_refresh: false, previous: None };
            transport.login(request).await.map(drop)
        });
    }
    for result in tasks.join_all().await {
        let error = result.unwrap_err();
        assert_eq!((error.class(), error.reach()), (Some(ErrorClass::ClientConfig), Reach::Client), "{error}");
        assert!(error.to_string().contains("compare client id"), "{error}");
    }
    assert_eq!(world.sent(), 1);
    // Whoever comes later tries for himself.
    world.login().await.unwrap_err();
    assert_eq!(world.sent(), 2);
}

#[tokio::test]
async fn a_token_that_lives_shorter_than_the_margin_serves_for_half_of_its_life() {
    let world = World::new("adaequare", |_| (200, r#"{"access_token":"token-of-the-account","expires_in":300}"#));
    for _ in 0..3 {
        world.login().await.unwrap();
    }
    assert_eq!(world.sent(), 1);
    world.clock.advance(Duration::from_secs(149));
    world.login().await.unwrap();
    assert_eq!(world.sent(), 1);
    world.clock.advance(Duration::from_secs(1));
    world.login().await.unwrap();
    assert_eq!(world.sent(), 2);
}

#[tokio::test]
async fn a_session_without_a_login_of_the_taxpayer_lasts_as_long_as_the_token_of_the_account() {
    let world = World::new("adaequare", |_| (200, r#"{"access_token":"token-of-the-account","expires_in":7200}"#));
    let session = world.login().await.unwrap();
    assert_eq!(session.expires_at(), world.clock.now().checked_add(jiff::SignedDuration::from_hours(2)).unwrap());
    assert!(session.saved().provider.as_ref().unwrap().is_of(access().client()));
}

#[tokio::test]
async fn a_taxpayers_login_that_is_refused_with_a_new_token_is_not_sent_again_and_is_the_taxpayers() {
    let world = World::new("sandbox-co-in", |path| {
        if path.starts_with("/authenticate") {
            (200, r#"{"access_token":"token-of-the-account"}"#)
        } else {
            (401, r#"{"code":401,"message":"not authorised"}"#)
        }
    });
    let error = world.login().await.unwrap_err();
    assert_eq!((error.class(), error.reach()), (Some(ErrorClass::Auth), Reach::Gstin), "{error}");
    assert_eq!(world.sent(), 2);
    // The token was at hand before now, so that it may be to blame, once.
    let error = world.login().await.unwrap_err();
    assert_eq!(error.class(), Some(ErrorClass::Auth), "{error}");
    assert_eq!(world.sent(), 5);
    // The one that took its place is new.
    let error = world.login().await.unwrap_err();
    assert_eq!(error.class(), Some(ErrorClass::Auth), "{error}");
    assert_eq!(world.sent(), 6);
}

/// A provider that never answers.
#[derive(Debug)]
struct Mute;

#[async_trait]
impl Exchange for Mute {
    async fn send(&self, _request: HttpRequest) -> Result<HttpResponse, ExchangeError> {
        std::future::pending().await
    }

    fn endpoint(&self) -> String {
        "https://provider.example".to_owned()
    }
}

#[tokio::test]
async fn the_login_to_the_provider_has_the_time_that_its_profile_gives_it() {
    let made = |text: &str| {
        let profile = read_profile_text("own.toml", text, Path::new("")).unwrap();
        let parts = GspParts {
            settings: profile.settings.keys().map(|name| (name.clone(), "own".to_owned())).collect(),
            profile,
            environment: Environment::Sandbox,
            site: "NIC1".to_owned(),
            common: Mute,
            irp: Some((Mute, Mute)),
            ewb: Some((Mute, Mute)),
            irp_key: None,
            ewb_key: None,
            call_time_max: Duration::from_mins(1),
            entropy: Arc::new(SeededEntropy::new(1)),
            clock: Arc::new(ManualClock::new("2026-11-05T06:30:00Z".parse().unwrap())),
        };
        GspTransport::new(parts).unwrap()
    };
    let given =
        |seconds: u16| format!("extends = \"iris\"\nid = \"own\"\n[provider.login]\ntimeout_seconds = {seconds}");
    // What a call takes at most, with the login that it may wait for: the lease of a document is measured by it.
    let time = |text: &str| made(text).capability().call_time_max.as_secs();
    let unsaid = time("extends = \"iris\"\nid = \"own\"");
    assert_eq!((time(&given(7)), time(&given(40))), (unsaid, unsaid + 33));
    let short = made(&given(1));
    let access = access();
    let request = LoginRequest { access: &access, product: Product::EInvoice, force_refresh: false, previous: None };
    let error = short.login(request).await.unwrap_err();
    assert!(error.to_string().contains("within 1 seconds (`provider.login.timeout_seconds`"), "{error}");
}

#[tokio::test]
async fn a_suspended_account_costs_two_logins_and_not_one_for_each_taxpayer() {
    let world = World::new("iris", |path| iris(path, (401, "<html>")));
    let read = || Operation::GetIrn { irn: Irn::from_bytes([7; 32]), site: None };
    let kept = world.login().await.unwrap();
    let session = |number: u32| {
        let access = access_of(gstin(29, number));
        Session::new(access, kept.saved().clone())
    };
    let mut classes = Vec::new();
    for number in 1..=50 {
        let gstin = session(number).access().gstin();
        let error = world.transport.call(&session(number), &read()).await.unwrap_err();
        classes.push((gstin, error.class()));
    }
    assert_eq!(world.provider.logins.load(Ordering::SeqCst), 2, "the first one, and one in the place of its token");
    let (first, class) = classes[0];
    assert_eq!(class, Some(ErrorClass::TokenExpired));
    let other = classes.iter().find(|(gstin, _)| *gstin != first).unwrap();
    assert_eq!(other.1, Some(ErrorClass::ClientConfig), "the second taxpayer shows that it is the account");
    // Once it is open again, another token is fetched.
    world.clock.advance(Duration::from_mins(15));
    world.transport.call(&session(1), &read()).await.unwrap_err();
    assert_eq!(world.provider.logins.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn a_provider_that_repeats_what_it_was_sent_shows_no_secret_when_the_protocol_passes_through() {
    let world = World::new("taxpro-pass-through", |_| {
        let body = r#"{"status_cd":"0","error":{"error_cd":"GSP016","message":"secret-of-the-account-5 of client-of-the-account is wrong"}}"#;
        (200, body)
    });
    let error = world.login().await.unwrap_err();
    let shown = format!("{error} {error:?}");
    assert!(shown.contains("GSP016"), "{shown}");
    assert!(!shown.contains(CLIENT_SECRET) && !shown.contains("client-of-the-account"), "{shown}");
}

#[tokio::test]
async fn a_code_that_the_provider_does_not_publish_leaves_a_write_open() {
    let world = World::new("taxpro", |path| {
        if path.contains("/auth") {
            (200, r#"{"Status":1,"Data":"{\"AuthToken\":\"t\",\"TokenExpiry\":\"2026-11-05 18:00:00\"}"}"#)
        } else {
            (200, r#"{"status_cd":"0","error":{"error_cd":"GSP777","message":"something"}}"#)
        }
    });
    let session = world.login().await.unwrap();
    let write = Operation::GenerateIrn { payload: Recipe::numbered(1).invoice().to_json().into_bytes().into() };
    let error = world.transport.call(&session, &write).await.unwrap_err();
    assert_eq!((error.class(), error.retry()), (Some(ErrorClass::Unknown), Retry::AskFirst), "{error}");
}

#[tokio::test]
async fn a_write_that_only_the_http_status_refuses_is_asked_about_and_never_sent_again_here() {
    let write = || Operation::GenerateIrn { payload: Recipe::numbered(1).invoice().to_json().into_bytes().into() };
    let read = || Operation::GetIrn { irn: Irn::from_bytes([7; 32]), site: None };
    let answers: [(&str, Says); 4] = [
        ("iris", |path| iris(path, (401, "<html>"))),
        ("iris", |path| iris(path, (401, r#"{"status":"FAILURE","message":"who are you?"}"#))),
        ("alankit", |_| (403, "<html>")),
        ("alankit", |_| (429, r#"{"message":"slower"}"#)),
    ];
    for (profile, says) in answers {
        let world = World::new(profile, says);
        let session = if profile == "iris" { world.login().await.unwrap() } else { world.session() };
        let before = world.sent();
        let error = world.transport.call(&session, &write()).await.unwrap_err();
        assert_eq!((error.is_unproven(), error.retry()), (true, Retry::AskFirst), "{profile}: {error}");
        assert_eq!(world.sent() - before, 1, "{profile}: {error}");
        let error = world.transport.call(&session, &read()).await.unwrap_err();
        assert_ne!(error.retry(), Retry::AskFirst, "{profile}: {error}");
    }
    // The provider's own word for it says that nobody looked at the request.
    let world = World::new("vayana", |path| {
        if path.contains("authtokens") {
            (200, r#"{"data":{"token":"token-of-the-account"}}"#)
        } else {
            (401, r#"{"error":{"message":"err-expired-token","args":{"details":[]}}}"#)
        }
    });
    let session = world.login().await.unwrap();
    let before = world.sent();
    let error = world.transport.call(&session, &write()).await.unwrap_err();
    assert!(!error.is_unproven() && world.sent() - before > 1, "{error}");
}

/// Iris gives a token, and answers every other call as told.
fn iris(path: &str, other: (u16, &'static str)) -> (u16, &'static str) {
    let is_login = path.ends_with("/mgmt/login");
    if is_login { (200, r#"{"response":{"token":"token-of-the-account"}}"#) } else { other }
}

#[test]
fn a_transport_says_how_far_its_login_goes() {
    let reach_of = |profile| {
        let world = World::new(profile, |_| (500, ""));
        world.transport.capability().login_reach(Product::EInvoice)
    };
    for nobody in ["gstzen", "cleartax", "cleartax-government"] {
        assert_eq!(reach_of(nobody), LoginReach::Nobody, "{nobody}");
    }
    for provider in ["adaequare", "vayana", "iris", "masters-india"] {
        assert_eq!(reach_of(provider), LoginReach::Provider, "{provider}");
    }
    let seals = |profile| World::new(profile, |_| (500, "")).transport.capability().sealed_logins.len();
    assert_eq!((seals("taxpro"), seals("taxpro-pass-through"), seals("fynd")), (0, 2, 1));
    let others = shipped().iter().filter(|shipped| reach_of(shipped.id) == LoginReach::Taxpayer).count();
    assert_eq!(others, shipped().len() - 7);
}
