//! Registering for real over HTTP, against the emulator: it shares no sealing code with the product,
//! so that both agreeing means something.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::path::Path;
use std::sync::Arc;

use einvoice_core::clock::ManualClock;
use einvoice_core::credential::{Access, ApiUser, ClientPair};
use einvoice_core::date::DocumentDate;
use einvoice_core::entropy::{SeededEntropy, SystemEntropy};
use einvoice_core::environment::{Environment, Product};
use einvoice_core::identifier::{DocumentNumber, Gstin};
use einvoice_core::irn::{Irn, IrnRule};
use einvoice_core::key::DocumentType;
use einvoice_core::operation::{Operation, Registration, Reply};
use einvoice_core::portal_code::ErrorClass;
use einvoice_core::secret::Secret;
use einvoice_core::session::{SavedSession, Session};
use einvoice_core::transport::{LoginRequest, Owner, Retry, Transport, TransportError};
use einvoice_core::verify::{TokenVerdict, TokenVerifier};
use einvoice_direct::{DirectConfig, DirectTransport, connect};
use einvoice_protocol::claims::Claims;
use einvoice_protocol::key_set::KeySet;
use einvoice_sandbox::{Fault, PortalOperation, PortalSettings, RunningServer, Sandbox, ScriptedFault, SekWrapping};
use einvoice_testkit::documents::Recipe;
use jiff::SignedDuration;

struct World {
    server: RunningServer,
    transport: DirectTransport,
    access: Access,
}

impl World {
    async fn new(settings: PortalSettings) -> Self {
        let clock = Arc::new(ManualClock::new("2026-11-05T06:30:00Z".parse().unwrap()));
        let sandbox = Sandbox::in_memory(settings, clock, Arc::new(SeededEntropy::new(1))).unwrap();
        let supplier = Recipe::numbered(1).supplier;
        let (client, user) = sandbox.provision(supplier.as_str()).await.unwrap();
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let server = einvoice_sandbox::serve_on(listener, sandbox).unwrap();
        let config = DirectConfig::new(server.base_url(), server.sandbox().auth_public_key_pem());
        let transport = connect(config, Environment::Sandbox, Path::new("."), SystemEntropy::shared()).await.unwrap();
        let access = Access::new(
            supplier,
            ClientPair { client_id: secret(&client.client_id), client_secret: secret(&client.client_secret) },
            ApiUser { user_name: secret(&user.username), password: secret(&user.password) },
        );
        Self { server, transport, access }
    }

    /// The same world by way of a transport with other settings.
    async fn with(mut self, change: impl FnOnce(&mut DirectConfig)) -> Self {
        let mut config = DirectConfig::new(self.server.base_url(), self.sandbox().auth_public_key_pem());
        change(&mut config);
        let folder = Path::new(".");
        self.transport = connect(config, Environment::Sandbox, folder, SystemEntropy::shared()).await.unwrap();
        self
    }

    fn sandbox(&self) -> &Sandbox {
        self.server.sandbox()
    }

    async fn login(&self, previous: Option<&SavedSession>) -> Session {
        self.try_login(&self.access, previous).await.unwrap()
    }

    async fn try_login(&self, access: &Access, previous: Option<&SavedSession>) -> Result<Session, TransportError> {
        let request = LoginRequest { access, product: Product::EInvoice, force_refresh: false, previous };
        self.transport.login(request).await
    }

    async fn refused_login(&self) -> TransportError {
        self.try_login(&self.access, None).await.unwrap_err()
    }

    async fn registration(&self, session: &Session, operation: &Operation) -> Result<Registration, TransportError> {
        match self.transport.call(session, operation).await? {
            Reply::Registration(registration) => Ok(*registration),
            other => panic!("not a registration: {other:?}"),
        }
    }

    fn registered(&self) -> usize {
        self.sandbox().invoices().len()
    }
}

fn secret(value: &str) -> Secret<String> {
    Secret::from(value)
}

fn generate(number: u32) -> Operation {
    Operation::GenerateIrn { payload: Recipe::numbered(number).invoice().to_json().into_bytes().into() }
}

fn by_document(number: u32) -> Operation {
    Operation::GetIrnByDocument {
        doc_type: DocumentType::Invoice,
        number: DocumentNumber::parse(&format!("T/{number}")).unwrap(),
        date: DocumentDate::parse("05/11/2026").unwrap(),
        site: None,
    }
}

fn irn(number: u32) -> Irn {
    let key = Recipe::numbered(number).invoice().document_key().unwrap();
    Irn::compute(&key, IrnRule::UpperCase)
}

#[tokio::test]
async fn a_document_is_registered_read_back_and_its_signatures_are_genuine() {
    let world = World::new(PortalSettings::default()).await;
    let session = world.login(None).await;
    let made = world.registration(&session, &generate(1)).await.unwrap();
    assert_eq!((made.irn, made.ack_no.len()), (irn(1), 15));
    let mut keys = KeySet::new();
    keys.add_pem(&world.sandbox().signing_public_key_pem(), None).unwrap();
    for token in [made.signed_invoice.as_ref().unwrap(), made.signed_qr.as_ref().unwrap()] {
        let TokenVerdict::Genuine(content) = keys.verify(token) else { panic!("not genuine") };
        assert_eq!(Claims::read(&content.data).unwrap().irn(), made.irn);
        // In the header, in the payload, in the signature.
        for at in [20, token.len() / 2, token.len() - 20] {
            let other = if token.as_bytes()[at] == b'A' { "B" } else { "A" };
            let changed = format!("{}{other}{}", &token[..at], &token[at + 1..]);
            assert!(matches!(keys.verify(&changed), TokenVerdict::Forged { .. }), "byte {at}");
        }
        assert!(matches!(KeySet::new().verify(token), TokenVerdict::Unverifiable(_)));
    }
    let by_irn = Operation::GetIrn { irn: made.irn, site: Some("NIC1".into()) };
    for read in [by_irn, by_document(1)] {
        let found = world.registration(&session, &read).await.unwrap();
        assert_eq!((found.irn, &found.ack_no, &found.signed_qr), (made.irn, &made.ack_no, &made.signed_qr));
    }
    assert_eq!(world.registered(), 1);
}

#[tokio::test]
async fn a_second_registration_is_refused_and_names_the_first() {
    let world = World::new(PortalSettings::default()).await;
    let session = world.login(None).await;
    let made = world.registration(&session, &generate(2)).await.unwrap();
    let error = world.registration(&session, &generate(2)).await.unwrap_err();
    assert_eq!(error.retry(), Retry::AskFirst);
    let TransportError::Refused { errors, info, .. } = error else { panic!("{error}") };
    assert_eq!(errors[0].code, "2150");
    let duplicate = info[0].duplicate.as_ref().unwrap();
    assert_eq!((duplicate.irn, duplicate.ack_no.as_deref()), (made.irn, Some(made.ack_no.as_str())));
}

#[tokio::test]
async fn a_lost_reply_asks_first_and_the_document_is_then_found() {
    let world = World::new(PortalSettings::default()).await;
    let session = world.login(None).await;
    let lost = [Fault::DropReplyAfterCommit, Fault::TruncatedBody];
    for (number, fault) in (3..).zip(lost) {
        world.sandbox().push_fault(ScriptedFault::once(PortalOperation::GenerateIrn, fault.clone()));
        let error = world.registration(&session, &generate(number)).await.unwrap_err();
        assert_eq!(error.retry(), Retry::AskFirst, "{fault:?}: {error}");
        assert_eq!(world.registration(&session, &by_document(number)).await.unwrap().irn, irn(number));
    }
    assert_eq!(world.registered(), 2);
}

#[tokio::test]
async fn a_document_that_is_not_there_is_reported_by_the_portals_code() {
    let world = World::new(PortalSettings::default()).await;
    let session = world.login(None).await;
    let error = world.registration(&session, &by_document(9)).await.unwrap_err();
    assert!(["2148", "2154"].contains(&error.portal_errors()[0].code.as_str()), "{error}");
}

#[tokio::test]
async fn a_repeated_login_keeps_a_sek_that_works_however_the_portal_wraps_it() {
    for wrapping in [SekWrapping::Latest, SekWrapping::First] {
        let settings = PortalSettings { sek_wrapping: wrapping, ..PortalSettings::default() };
        let world = World::new(settings).await;
        let first = world.login(None).await;
        let second = world.login(Some(first.saved())).await;
        assert_eq!(first.token(), second.token(), "{wrapping:?}");
        let third = world.login(Some(second.saved())).await;
        assert!(world.registration(&third, &generate(5)).await.is_ok(), "{wrapping:?}");
    }
}

/// What the next step depends on: class of a refusal, whether to send again, whose move it is.
fn judged(error: &TransportError) -> (Option<ErrorClass>, Retry, Owner) {
    (error.class(), error.retry(), error.owner())
}

#[tokio::test]
async fn a_login_under_another_key_is_our_fault_and_never_repeated() {
    let world = World::new(PortalSettings::default()).await;
    // The key that the portal signs with, taken for the one that it opens logins with.
    let signing_key = world.sandbox().signing_public_key_pem();
    let world = world.with(|config| config.auth_public_key = Some(signing_key)).await;
    let error = world.refused_login().await;
    assert_eq!(error.portal_errors()[0].code, "1020", "{error}");
    assert_eq!(judged(&error), (Some(ErrorClass::PayloadOrCrypto), Retry::Never, Owner::Us), "{error}");
}

#[tokio::test]
async fn a_wrong_password_is_the_taxpayers_move_and_never_repeated() {
    let world = World::new(PortalSettings::default()).await;
    let user = ApiUser { user_name: world.access.user().user_name.clone(), password: secret("wrong") };
    let access = Access::new(world.access.gstin(), world.access.client().clone(), user);
    let error = world.try_login(&access, None).await.unwrap_err();
    assert!(matches!(error, TransportError::Refused { operation: None, .. }), "{error}");
    assert_eq!(error.portal_errors()[0].code, "1019", "{error}");
    assert_eq!(judged(&error), (Some(ErrorClass::Auth), Retry::Never, Owner::Taxpayer), "{error}");
}

#[tokio::test]
async fn a_wrong_client_secret_is_never_repeated() {
    let world = World::new(PortalSettings::default()).await;
    let pair = ClientPair { client_id: world.access.client().client_id.clone(), client_secret: secret("wrong") };
    let access = Access::new(world.access.gstin(), pair, world.access.user().clone());
    let error = world.try_login(&access, None).await.unwrap_err();
    assert_eq!(error.portal_errors()[0].code, "1010", "{error}");
    assert_eq!((error.class(), error.retry()), (Some(ErrorClass::Auth), Retry::Never), "{error}");
}

#[tokio::test]
async fn an_expired_and_an_invented_token_ask_for_one_more_login() {
    let world = World::new(PortalSettings::default()).await;
    let good = world.login(None).await;
    let invented = SavedSession { token: secret("no-such-token"), ..good.saved().clone() };
    let invented = world.registration(&Session::new(world.access.clone(), invented), &generate(6)).await.unwrap_err();
    world.sandbox().advance(SignedDuration::from_mins(60));
    let expired = world.registration(&good, &generate(6)).await.unwrap_err();
    for error in [invented, expired] {
        assert_eq!(error.portal_errors()[0].code, "1005", "{error}");
        assert_eq!(judged(&error), (Some(ErrorClass::TokenExpired), Retry::Safe, Owner::Us), "{error}");
    }
    assert_eq!(world.registered(), 0);
    let renewed = world.login(Some(good.saved())).await;
    assert_ne!(renewed.token(), good.token());
    world.registration(&renewed, &generate(6)).await.unwrap();
}

#[tokio::test]
async fn a_portal_that_is_down_was_sent_nothing() {
    let World { server, transport, access } = World::new(PortalSettings::default()).await;
    let request = LoginRequest { access: &access, product: Product::EInvoice, force_refresh: false, previous: None };
    let session = transport.login(request).await.unwrap();
    server.stop().await;
    let login = transport.login(request).await.unwrap_err();
    // The connection of the login may still stand in the pool and break at the first use: a write then
    // counts as perhaps sent. From the second on, none is to be had.
    let _perhaps = transport.call(&session, &generate(7)).await.unwrap_err();
    let write = transport.call(&session, &generate(7)).await.unwrap_err();
    assert!(login.is_unreachable() && login.retry() == Retry::Safe, "{login}");
    assert!(matches!(write, TransportError::NotSent { .. }) && write.is_unreachable(), "{write}");
    assert_eq!(judged(&write), (None, Retry::Safe, Owner::Us), "{write}");
}

#[tokio::test]
async fn a_page_is_the_portals_trouble_and_asks_first_where_something_may_have_been_registered() {
    let world = World::new(PortalSettings::default()).await;
    let session = world.login(None).await;
    let page = |operation| {
        let fault = Fault::HtmlAfterCommit { status: 502 };
        world.sandbox().push_fault(ScriptedFault::once(operation, fault));
    };
    page(PortalOperation::Auth);
    let login = world.refused_login().await;
    page(PortalOperation::GetIrnByDocument);
    let read = world.registration(&session, &by_document(8)).await.unwrap_err();
    page(PortalOperation::GenerateIrn);
    let write = world.registration(&session, &generate(8)).await.unwrap_err();
    for (error, retry) in [(login, Retry::Safe), (read, Retry::Safe), (write, Retry::AskFirst)] {
        assert!(matches!(error, TransportError::BadAnswer { http_status: Some(502), .. }), "{error}");
        assert_eq!(judged(&error), (None, retry, Owner::Portal), "{error}");
    }
    assert_eq!(world.registration(&session, &by_document(8)).await.unwrap().irn, irn(8));
}

#[tokio::test]
async fn a_taxpayer_is_looked_up_and_the_heartbeat_answers() {
    let world = World::new(PortalSettings::default()).await;
    let session = world.login(None).await;
    let gstin = Gstin::parse("27AABCE1234F1Z5").unwrap();
    let reply = world.transport.call(&session, &Operation::GstinDetails { gstin }).await.unwrap();
    let Reply::Taxpayer(found) = reply else { panic!("{reply:?}") };
    assert_eq!((found.gstin.as_str(), found.status.as_deref()), (gstin.as_str(), Some("ACT")));
    // A document made out to this address must not be refused for its PIN code.
    assert_eq!((found.state_code.as_deref(), found.pin.as_deref()), (Some("27"), Some("400001")));
    assert!(!world.transport.probe().await.unwrap().text.is_empty());
}
