//! Access to the portal: how a gateway treats tokens, logins and the account behind them.
//!
//! Where the portal's own behaviour matters, the other end is the emulator; where only the order of
//! events matters, it is a small scripted transport that yields at every step, so that tasks meet in
//! every way they can.
//!
//! Long, as both kinds of other end are set up here once and each test is a few lines over one of them; doors, the
//! account at a provider and the store have files of their own.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail as tests do")]

#[path = "access/doors.rs"]
mod doors;
#[path = "access/provider.rs"]
mod provider;
#[path = "access/raw.rs"]
mod raw;
#[path = "access/refusals.rs"]
mod refusals;
#[path = "access/store.rs"]
mod store;
mod support;

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use einvoice_core::access::{EARLY_ENDS_MAX, Gateway, LOGINS_MAX};
use einvoice_core::clock::{Clock, ManualClock};
use einvoice_core::credential::{CredentialError, CredentialStore, UserScope};
use einvoice_core::environment::{Environment, Product, RouteName};
use einvoice_core::identifier::Gstin;
use einvoice_core::operation::{Operation, OperationKind, Reply, Taxpayer};
use einvoice_core::portal_code::{ErrorClass, PortalError};
use einvoice_core::secret::Secret;
use einvoice_core::session::{SavedSession, Session};
use einvoice_core::transport::{
    LoginReach, LoginRequest, Owner, Probe, Retry, Transport, TransportCapability, TransportError, TransportMode,
};
use einvoice_sandbox::{Fault, PortalOperation, PortalSettings, Sandbox, ScriptedFault, SekWrapping};
use einvoice_testkit::documents::gstin;
use jiff::{SignedDuration, Timestamp};
use store::Store;
use support::{entropy, noon};
use tokio::sync::Notify;

const EINVOICE: Product = Product::EInvoice;

fn taxpayer() -> Gstin {
    gstin(29, 1)
}

fn question() -> Operation {
    Operation::GstinDetails { gstin: gstin(27, 77) }
}

/// An emulator, a clock and a store; gateways are made on top, as many as there are workers.
struct Portal {
    clock: ManualClock,
    sandbox: Sandbox,
    store: Arc<Store>,
}

impl Portal {
    fn new() -> Self {
        Self::with(PortalSettings::default())
    }

    fn with(settings: PortalSettings) -> Self {
        let clock = ManualClock::new(noon());
        let sandbox = Sandbox::in_memory(settings, Arc::new(clock.clone()), entropy()).unwrap();
        let store = Arc::new(Store::of(&sandbox));
        Self { clock, sandbox, store }
    }

    /// A gateway that knows nothing but what the store tells, as a new process does.
    fn gateway(&self) -> Gateway {
        let transport = Arc::new(self.sandbox.transport(entropy()).unwrap());
        gateway(transport, self.store.clone(), &self.clock)
    }

    fn logins(&self) -> u64 {
        self.sandbox.calls().get(&PortalOperation::Auth).copied().unwrap_or_default()
    }

    fn fault(&self, operation: PortalOperation, fault: Fault, times: u32) {
        self.sandbox.push_fault(ScriptedFault { times, ..ScriptedFault::once(operation, fault) });
    }

    fn advance_minutes(&self, minutes: u64) {
        self.clock.advance(Duration::from_mins(minutes));
    }
}

fn gateway(transport: Arc<dyn Transport>, store: Arc<dyn CredentialStore>, clock: &ManualClock) -> Gateway {
    let route = RouteName::new("emulator");
    Gateway::new(route, Environment::Sandbox, None, transport, store, Arc::new(clock.clone()))
}

async fn ask(gateway: &Gateway) -> Result<Reply, TransportError> {
    gateway.call(taxpayer(), &question()).await
}

fn refusal(code: &str) -> Fault {
    Fault::Error { code: code.into(), message: String::new() }
}

#[tokio::test]
async fn one_token_serves_all_calls_and_the_next_process_takes_it_from_the_store() {
    let portal = Portal::new();
    let first = portal.gateway();
    for _ in 0..20 {
        ask(&first).await.unwrap();
    }
    let second = portal.gateway();
    ask(&second).await.unwrap();
    assert_eq!(portal.logins(), 1);
}

#[tokio::test]
async fn nobody_logs_in_while_the_token_is_fresh_and_it_is_renewed_in_its_last_ten_minutes() {
    let portal = Portal::new();
    let gateway = portal.gateway();
    ask(&gateway).await.unwrap();
    portal.advance_minutes(50);
    ask(&gateway).await.unwrap();
    assert_eq!(portal.logins(), 1);
    portal.advance_minutes(1);
    ask(&gateway).await.unwrap();
    ask(&gateway).await.unwrap();
    assert_eq!(portal.logins(), 2);
    // A whole new life: nothing happens at the end of the old one.
    portal.advance_minutes(48);
    ask(&gateway).await.unwrap();
    assert_eq!(portal.logins(), 2);
}

#[tokio::test]
async fn a_renewal_that_fails_leaves_the_old_token_in_use_and_keeps_logins_for_later() {
    for fault in [Fault::Html { status: 503 }, refusal("1019")] {
        let portal = Portal::new();
        let gateway = portal.gateway();
        ask(&gateway).await.unwrap();
        portal.advance_minutes(51);
        portal.fault(PortalOperation::Auth, fault.clone(), 100);
        for _ in 0..20 {
            ask(&gateway).await.unwrap();
        }
        assert_eq!(portal.logins(), 2, "{fault:?}");
        portal.advance_minutes(8);
        for _ in 0..20 {
            ask(&gateway).await.unwrap();
        }
        assert!(portal.logins() <= 3, "{fault:?}");
        portal.sandbox.clear_faults();
        portal.advance_minutes(16);
        ask(&gateway).await.unwrap();
        assert!(portal.logins() <= 4, "{fault:?}");
    }
}

#[tokio::test]
async fn an_expired_token_costs_one_login_and_no_refused_call() {
    let portal = Portal::new();
    let gateway = portal.gateway();
    ask(&gateway).await.unwrap();
    portal.advance_minutes(61);
    ask(&gateway).await.unwrap();
    ask(&gateway).await.unwrap();
    assert_eq!(portal.logins(), 2);
    assert_eq!(portal.sandbox.calls()[&PortalOperation::GstinDetails], 3);
}

#[tokio::test]
async fn a_token_that_the_portal_gives_out_and_refuses_again_stops_the_taxpayer() {
    let portal = Portal::new();
    let gateway = portal.gateway();
    ask(&gateway).await.unwrap();
    portal.fault(PortalOperation::GstinDetails, refusal("1005"), 1);
    let error = ask(&gateway).await.unwrap_err();
    assert_eq!(error.class(), Some(ErrorClass::TokenExpired));
    let error = ask(&gateway).await.unwrap_err();
    let TransportError::HeldBack { reason } = &error else { panic!("{error}") };
    assert!(reason.contains("does not accept the token") && reason.contains("1005"), "{reason}");
    assert_eq!(portal.logins(), 2, "one login, and no loop");
    portal.advance_minutes(16);
    ask(&gateway).await.unwrap();
}

#[tokio::test]
async fn a_session_opens_after_a_restart_however_the_portal_wraps_its_key() {
    for sek_wrapping in [SekWrapping::Latest, SekWrapping::First] {
        let portal = Portal::with(PortalSettings { sek_wrapping, ..PortalSettings::default() });
        ask(&portal.gateway()).await.unwrap();
        // The computer's clock runs ahead: here the token is over, at the portal it lives on.
        portal.sandbox.advance(SignedDuration::from_mins(-5));
        portal.advance_minutes(61);
        let restarted = portal.gateway();
        for _ in 0..20 {
            ask(&restarted).await.unwrap();
        }
        assert_eq!(portal.logins(), 2, "{sek_wrapping:?}: the confirmed token is used, not asked for on every call");
        // And once more with what that login stored.
        portal.advance_minutes(5);
        ask(&portal.gateway()).await.unwrap();
    }
}

#[tokio::test]
async fn a_clock_that_runs_ahead_does_not_spend_the_logins_on_early_renewals() {
    let portal = Portal::new();
    let gateway = portal.gateway();
    ask(&gateway).await.unwrap();
    portal.sandbox.advance(SignedDuration::from_mins(-3));
    portal.advance_minutes(51);
    for _ in 0..20 {
        ask(&gateway).await.unwrap();
    }
    assert_eq!(portal.logins(), 2, "the portal renews only in the last ten minutes of its own clock");
    portal.advance_minutes(5);
    ask(&gateway).await.unwrap();
    portal.advance_minutes(30);
    ask(&gateway).await.unwrap();
    assert_eq!(portal.logins(), 3);
}

#[tokio::test]
async fn a_refused_login_is_told_with_its_code_and_not_repeated_for_a_quarter_of_an_hour() {
    for (code, password, client_secret) in [("1019", Some("wrong"), None), ("1010", None, Some("wrong"))] {
        let mut portal = Portal::new();
        portal.store = Arc::new(Store { password, client_secret, ..Store::of(&portal.sandbox) });
        let gateway = portal.gateway();
        let error = ask(&gateway).await.unwrap_err();
        assert_eq!(error.portal_errors()[0].code, code);
        assert_eq!(error.class(), Some(ErrorClass::Auth));
        assert_eq!((error.retry(), error.owner()), (Retry::Never, Owner::Taxpayer));
        portal.advance_minutes(14);
        for _ in 0..10 {
            let error = ask(&gateway).await.unwrap_err();
            let TransportError::HeldBack { reason } = &error else { panic!("{error}") };
            assert!(reason.contains(code) && reason.contains("emulator"), "{reason}");
            assert_eq!(error.retry(), Retry::Safe);
        }
        assert_eq!(portal.logins(), 1);
        portal.advance_minutes(1);
        ask(&gateway).await.unwrap_err();
        assert_eq!(portal.logins(), 2);
    }
}

#[tokio::test]
async fn a_store_that_fails_while_the_token_is_good_keeps_nobody_from_working() {
    let portal = Portal::new();
    let gateway = portal.gateway();
    ask(&gateway).await.unwrap();
    portal.advance_minutes(51);
    portal.store.fail_sessions(true);
    ask(&gateway).await.unwrap();
}

#[tokio::test]
async fn after_five_logins_in_a_quarter_of_an_hour_the_next_one_waits() {
    let portal = Portal::new();
    portal.fault(PortalOperation::Auth, Fault::Html { status: 502 }, 100);
    let gateway = portal.gateway();
    for _ in 0..LOGINS_MAX {
        let error = ask(&gateway).await.unwrap_err();
        assert!(error.is_unreachable(), "{error}");
        portal.advance_minutes(1);
    }
    let error = ask(&gateway).await.unwrap_err();
    assert!(matches!(&error, TransportError::HeldBack { reason } if reason.contains("protect")), "{error}");
    assert_eq!(portal.logins(), 5);
    portal.sandbox.clear_faults();
    portal.advance_minutes(10);
    ask(&gateway).await.unwrap();
    assert_eq!(portal.logins(), 6);
}

#[tokio::test]
async fn a_login_that_goes_to_nobody_is_not_counted() {
    let portal = Portal::new();
    let mut transport = Scripted::new(&portal.clock);
    transport.capability.login_reach.insert(EINVOICE, LoginReach::Nobody);
    let lost = |_| TransportError::NoAnswer {
        endpoint: "scripted".into(),
        reason: "timed out".into(),
        changes_books: false,
        source: None,
    };
    transport.with(|state| state.login_errors.extend((0..=LOGINS_MAX).map(lost)));
    let transport = Arc::new(transport);
    let gateway = over(&portal, &transport);
    for _ in 0..=LOGINS_MAX {
        assert!(ask(&gateway).await.unwrap_err().is_unreachable());
    }
    ask(&gateway).await.unwrap();
    assert_eq!(transport.logins(), LOGINS_MAX + 2);
}

#[tokio::test]
async fn a_clock_set_back_by_a_day_holds_nobody_back_for_a_day() {
    let portal = Portal::new();
    portal.fault(PortalOperation::Auth, Fault::Html { status: 502 }, 5);
    let gateway = portal.gateway();
    for _ in 0..LOGINS_MAX {
        ask(&gateway).await.unwrap_err();
    }
    portal.clock.set(noon().checked_sub(SignedDuration::from_hours(24)).unwrap());
    ask(&gateway).await.unwrap_err();
    portal.advance_minutes(15);
    ask(&gateway).await.unwrap();

    // A stop ends as well.
    let mut portal = Portal::new();
    portal.store = Arc::new(Store { password: Some("wrong"), ..Store::of(&portal.sandbox) });
    let gateway = portal.gateway();
    ask(&gateway).await.unwrap_err();
    portal.clock.set(noon().checked_sub(SignedDuration::from_hours(24)).unwrap());
    ask(&gateway).await.unwrap_err();
    assert_eq!(portal.logins(), 2);
}

#[tokio::test]
async fn missing_credentials_are_told_every_time_and_cost_no_login() {
    let portal = Portal::new();
    let transport = Arc::new(portal.sandbox.transport(entropy()).unwrap());
    let store = portal.store.clone();
    let clock = Arc::new(portal.clock.clone());
    let production = Gateway::new(RouteName::new("nic"), Environment::Production, None, transport, store, clock);
    for _ in 0..=LOGINS_MAX {
        let error = ask(&production).await.unwrap_err();
        assert!(matches!(error, TransportError::Credential(CredentialError::Missing { .. })), "{error}");
        assert_eq!((error.retry(), error.owner()), (Retry::Never, Owner::Us));
    }
    assert_eq!(portal.logins(), 0);
}

#[tokio::test]
async fn nothing_secret_is_in_any_error_or_debug_text() {
    let portal = Portal::new();
    let gateway = portal.gateway();
    ask(&gateway).await.unwrap();
    let scope = UserScope {
        gstin: taxpayer(),
        product: EINVOICE,
        environment: Environment::Sandbox,
        route: RouteName::new("emulator"),
    };
    let saved = portal.store.session(&scope).await.unwrap().unwrap();
    let (client, user) = portal.sandbox.provision(taxpayer().as_str()).await.unwrap();
    let mut texts = vec![format!("{gateway:?} {saved:?}")];
    for fault in [refusal("1005"), Fault::Html { status: 500 }, Fault::TruncatedBody, Fault::DropReplyAfterCommit] {
        portal.fault(PortalOperation::GstinDetails, fault, 1);
        let error = ask(&gateway).await.unwrap_err();
        texts.push(format!("{error} {error:?}"));
        texts.push(format!("{gateway:?}"));
        portal.advance_minutes(16);
        portal.sandbox.clear_faults();
        ask(&gateway).await.unwrap();
    }
    for text in texts {
        for secret in [saved.token.expose(), &client.client_secret, &user.password, &user.username] {
            assert!(!text.contains(secret.as_str()), "{text}");
        }
    }
}

/// A portal reduced to its tokens. It yields before it answers, so that callers overlap.
#[derive(Debug)]
struct Scripted {
    capability: TransportCapability,
    clock: ManualClock,
    state: Mutex<ScriptedState>,
    /// Logins of this taxpayer wait here.
    held: Option<(Gstin, Arc<Notify>)>,
}

#[derive(Debug, Default)]
struct ScriptedState {
    tokens: HashMap<Gstin, (String, Timestamp)>,
    made: u32,
    logins: Vec<(Gstin, Product)>,
    calls: u32,
    /// The token is refused although a login gives it out.
    stubborn: bool,
    login_errors: VecDeque<TransportError>,
}

impl Scripted {
    fn new(clock: &ManualClock) -> Self {
        let capability = TransportCapability::new(
            TransportMode::InProcess,
            Environment::Sandbox,
            "NIC1",
            [OperationKind::GstinDetails],
        );
        Self { capability, clock: clock.clone(), state: Mutex::default(), held: None }
    }

    fn with<T>(&self, act: impl FnOnce(&mut ScriptedState) -> T) -> T {
        act(&mut self.state.lock().unwrap())
    }

    /// The token of a taxpayer is no longer accepted; the next login makes another.
    fn revoke(&self, gstin: Gstin) {
        self.with(|state| state.tokens.remove(&gstin));
    }

    fn logins(&self) -> usize {
        self.with(|state| state.logins.len())
    }
}

async fn yield_often() {
    for _ in 0..5 {
        tokio::task::yield_now().await;
    }
}

#[async_trait]
impl Transport for Scripted {
    fn capability(&self) -> &TransportCapability {
        &self.capability
    }

    async fn login(&self, request: LoginRequest<'_>) -> Result<Session, TransportError> {
        let gstin = request.access.gstin();
        self.with(|state| state.logins.push((gstin, request.product)));
        yield_often().await;
        if let Some((held, notify)) = &self.held
            && *held == gstin
        {
            notify.notified().await;
        }
        if let Some(error) = self.with(|state| state.login_errors.pop_front()) {
            return Err(error);
        }
        let expires_at = self.clock.now().checked_add(SignedDuration::from_hours(6)).unwrap();
        let (token, expires_at) = self.with(|state| {
            state.made += 1;
            let made = format!("token-{}", state.made);
            state.tokens.entry(gstin).or_insert((made, expires_at)).clone()
        });
        let saved = SavedSession {
            token: Secret::new(token),
            sek: Secret::new(vec![1; 32]),
            app_key: Secret::new(vec![2; 32]),
            expires_at,
            provider: None,
        };
        Ok(Session::new(request.access.clone(), saved))
    }

    async fn call(&self, session: &Session, operation: &Operation) -> Result<Reply, TransportError> {
        yield_often().await;
        let accepted = self.with(|state| {
            state.calls += 1;
            let live = state.tokens.get(&session.access().gstin());
            !state.stubborn && live.is_some_and(|(token, _)| token == session.token().expose())
        });
        if !accepted {
            return Err(TransportError::Refused {
                operation: Some(operation.kind()),
                errors: vec![PortalError::new("1005", "Invalid Token")],
                info: Vec::new(),
            });
        }
        Ok(Reply::Taxpayer(Box::new(Taxpayer {
            gstin: "27".into(),
            legal_name: None,
            trade_name: None,
            address: Vec::new(),
            state_code: None,
            pin: None,
            taxpayer_type: None,
            status: None,
            block_status: None,
            registered_on: None,
            deregistered_on: None,
        })))
    }

    async fn probe(&self) -> Result<Probe, TransportError> {
        Ok(Probe { endpoint: "scripted".into(), text: String::new() })
    }
}

fn scripted() -> (Portal, Arc<Scripted>, Arc<Gateway>) {
    let portal = Portal::new();
    let transport = Arc::new(Scripted::new(&portal.clock));
    let gateway = over(&portal, &transport);
    (portal, transport, gateway)
}

fn over(portal: &Portal, transport: &Arc<Scripted>) -> Arc<Gateway> {
    Arc::new(gateway(transport.clone(), portal.store.clone(), &portal.clock))
}

/// Fifty calls at once; how many of them succeeded.
async fn fifty(gateway: &Arc<Gateway>) -> usize {
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..50 {
        let gateway = Arc::clone(gateway);
        tasks.spawn(async move { ask(&gateway).await.is_ok() });
    }
    tasks.join_all().await.into_iter().filter(|ok| *ok).count()
}

#[tokio::test]
async fn fifty_first_calls_at_once_make_one_login() {
    let (_portal, transport, gateway) = scripted();
    assert_eq!(fifty(&gateway).await, 50);
    assert_eq!(transport.logins(), 1);
}

#[tokio::test]
async fn fifty_calls_whose_token_was_refused_at_once_make_one_login() {
    let (_portal, transport, gateway) = scripted();
    ask(&gateway).await.unwrap();
    transport.revoke(taxpayer());
    assert_eq!(fifty(&gateway).await, 50);
    assert_eq!(transport.logins(), 2);
}

#[tokio::test]
async fn fifty_calls_make_one_login_when_it_hands_back_the_refused_token() {
    let (_portal, transport, gateway) = scripted();
    ask(&gateway).await.unwrap();
    transport.with(|state| state.stubborn = true);
    assert_eq!(fifty(&gateway).await, 0);
    assert_eq!(transport.logins(), 2, "whoever comes after the one login is held back by it");
    assert_eq!(transport.with(|state| state.calls), 51, "no call is repeated with the same token");
}

#[tokio::test]
async fn a_new_token_that_is_refused_too_stops_after_one_repeat() {
    let (_portal, transport, gateway) = scripted();
    ask(&gateway).await.unwrap();
    transport.revoke(taxpayer());
    transport.with(|state| state.stubborn = true);
    let error = ask(&gateway).await.unwrap_err();
    assert_eq!(error.class(), Some(ErrorClass::TokenExpired));
    assert_eq!((transport.logins(), transport.with(|state| state.calls)), (2, 3));
    assert!(matches!(ask(&gateway).await, Err(TransportError::HeldBack { .. })));
    assert_eq!(transport.logins(), 2);
}

#[tokio::test]
async fn a_token_renewed_by_another_worker_is_taken_from_the_store_without_a_login() {
    let (portal, transport, gateway) = scripted();
    ask(&gateway).await.unwrap();
    let other = over(&portal, &transport);
    ask(&other).await.unwrap();
    assert_eq!(transport.logins(), 1);
    transport.revoke(taxpayer());
    portal.advance_minutes(1);
    ask(&other).await.unwrap();
    assert_eq!(transport.logins(), 2);
    ask(&gateway).await.unwrap();
    assert_eq!(transport.logins(), 2, "the other worker's token serves");
}

#[tokio::test]
async fn two_systems_that_end_each_others_tokens_are_named_before_the_logins_are_used_up() {
    let (portal, transport, gateway) = scripted();
    ask(&gateway).await.unwrap();
    for _ in 1..EARLY_ENDS_MAX {
        transport.revoke(taxpayer());
        portal.advance_minutes(1);
        ask(&gateway).await.unwrap();
    }
    transport.revoke(taxpayer());
    let before = transport.logins();
    for _ in 0..5 {
        let error = ask(&gateway).await.unwrap_err();
        let TransportError::HeldBack { reason } = &error else { panic!("{error}") };
        assert!(reason.contains("another system logs in with the same API user"), "{reason}");
        assert!(reason.contains(taxpayer().as_str()) && reason.contains("1005"), "{reason}");
        assert_eq!(error.retry(), Retry::Safe, "nothing was done");
    }
    assert_eq!(transport.logins(), before);
    assert!(before < LOGINS_MAX, "some logins are left for the account");
    // Whoever has put it right goes on after the pause, with a clean record.
    portal.advance_minutes(16);
    ask(&gateway).await.unwrap();
    transport.revoke(taxpayer());
    ask(&gateway).await.unwrap();
}

#[tokio::test]
async fn tokens_that_end_early_now_and_then_stop_nobody() {
    let (portal, transport, gateway) = scripted();
    ask(&gateway).await.unwrap();
    for _ in 0..8 {
        portal.advance_minutes(8);
        transport.revoke(taxpayer());
        ask(&gateway).await.unwrap();
    }
    assert_eq!(transport.logins(), 9);
}

#[tokio::test]
async fn one_taxpayers_login_does_not_keep_another_waiting() {
    let portal = Portal::new();
    let release = Arc::new(Notify::new());
    let slow = taxpayer();
    let transport = Arc::new(Scripted { held: Some((slow, Arc::clone(&release))), ..Scripted::new(&portal.clock) });
    let gateway = over(&portal, &transport);
    // The first login of all goes alone; nobody waits for any other.
    gateway.ready(gstin(27, 9), EINVOICE).await.unwrap();
    let waiting = tokio::spawn({
        let gateway = Arc::clone(&gateway);
        async move { ask(&gateway).await }
    });
    yield_often().await;
    gateway.call(gstin(33, 5), &question()).await.unwrap();
    assert!(!waiting.is_finished());
    release.notify_one();
    waiting.await.unwrap().unwrap();
}

#[tokio::test]
async fn each_product_has_a_login_of_its_own() {
    let (_portal, transport, gateway) = scripted();
    ask(&gateway).await.unwrap();
    gateway.ready(taxpayer(), Product::EWayBill).await.unwrap();
    gateway.ready(taxpayer(), Product::EWayBill).await.unwrap();
    let logins = transport.with(|state| state.logins.clone());
    assert_eq!(logins, [(taxpayer(), EINVOICE), (taxpayer(), Product::EWayBill)]);
}

#[tokio::test]
async fn a_call_dropped_in_the_middle_of_a_login_leaves_the_gateway_usable() {
    let portal = Portal::new();
    let release = Arc::new(Notify::new());
    let transport =
        Arc::new(Scripted { held: Some((taxpayer(), Arc::clone(&release))), ..Scripted::new(&portal.clock) });
    let gateway = over(&portal, &transport);
    let cut_off = tokio::spawn({
        let gateway = Arc::clone(&gateway);
        async move { ask(&gateway).await }
    });
    yield_often().await;
    cut_off.abort();
    assert!(cut_off.await.unwrap_err().is_cancelled());
    release.notify_one();
    ask(&gateway).await.unwrap();
}

#[tokio::test]
async fn what_the_route_does_not_carry_is_refused_before_anybody_logs_in() {
    let (_portal, transport, gateway) = scripted();
    let irn = "0".repeat(64).parse().unwrap();
    let error = gateway.call(taxpayer(), &Operation::GetIrn { irn, site: None }).await.unwrap_err();
    assert!(matches!(error, TransportError::Unsupported { operation: OperationKind::GetIrn }), "{error}");
    assert_eq!(transport.logins(), 0);
}
