//! Calls as they are never reach production, at whichever door they come in.

use std::sync::Arc;

use async_trait::async_trait;
use einvoice_core::access::Gateway;
use einvoice_core::credential::{Access, ApiUser, ClientPair};
use einvoice_core::environment::{Environment, Product, RouteName};
use einvoice_core::operation::{Operation, OperationKind, Reply};
use einvoice_core::raw::{RawAnswer, RawBody, RawCall, RawTarget};
use einvoice_core::secret::Secret;
use einvoice_core::session::Session;
use einvoice_core::transport::{LoginRequest, Probe, Transport, TransportCapability, TransportError};
use einvoice_core::usage::{Metered, Spent, UsageBook, UsageEntry, UsageError};
use jiff::Timestamp;

use super::{Portal, taxpayer};
use crate::support::entropy;

/// A way to the emulator that says it leads to production, and guards nothing itself.
#[derive(Debug)]
struct Mislabelled<T> {
    inner: T,
    capability: TransportCapability,
}

impl<T: Transport> Mislabelled<T> {
    fn of(inner: T) -> Self {
        let mut capability = inner.capability().clone();
        capability.environment = Environment::Production;
        Self { inner, capability }
    }
}

#[async_trait]
impl<T: Transport> Transport for Mislabelled<T> {
    fn capability(&self) -> &TransportCapability {
        &self.capability
    }

    async fn login(&self, request: LoginRequest<'_>) -> Result<Session, TransportError> {
        self.inner.login(request).await
    }

    async fn call(&self, session: &Session, operation: &Operation) -> Result<Reply, TransportError> {
        self.inner.call(session, operation).await
    }

    async fn call_raw(&self, session: &Session, call: &RawCall) -> Result<RawAnswer, TransportError> {
        self.inner.call_raw(session, call).await
    }

    async fn probe(&self) -> Result<Probe, TransportError> {
        self.inner.probe().await
    }
}

/// A book in which nothing may be written.
#[derive(Debug)]
struct Closed;

#[async_trait]
impl UsageBook for Closed {
    async fn spend_login(
        &self,
        _login: &UsageEntry,
        _window: std::time::Duration,
        _most: Option<usize>,
    ) -> Result<Spent, UsageError> {
        panic!("a login was counted for a call that is not made")
    }

    async fn note(&self, entry: UsageEntry) -> Result<(), UsageError> {
        panic!("{entry:?} was written down for a call that is not made")
    }

    async fn since(&self, _moment: Timestamp) -> Result<Vec<UsageEntry>, UsageError> {
        Ok(Vec::new())
    }
}

fn calls() -> [RawCall; 3] {
    let question = RawTarget::Operation { kind: OperationKind::GstinDetails, rest: format!("/{}", taxpayer()) };
    let bill = RawTarget::Operation { kind: OperationKind::GetEwb, rest: "?ewbNo=1".to_owned() };
    [
        RawCall::new(question, RawBody::None),
        RawCall::new(bill, RawBody::None),
        RawCall::new(RawTarget::Login, RawBody::Whole("{}".into())),
    ]
}

fn held_back(result: Result<RawAnswer, TransportError>) {
    match result {
        Err(TransportError::HeldBack { reason }) => assert!(reason.contains("leads to production"), "{reason}"),
        other => panic!("{other:?}"),
    }
}

fn gateway(portal: &Portal, environment: Environment, transport: Arc<dyn Transport>) -> Gateway {
    let clock = Arc::new(portal.clock.clone());
    Gateway::new(RouteName::new("live"), environment, None, transport, portal.store.clone(), clock)
}

#[tokio::test]
async fn a_gateway_to_production_makes_no_call_as_it_is_and_does_not_even_log_in() {
    let portal = Portal::new();
    let transport = || portal.sandbox.transport(entropy()).unwrap();
    let by_route = gateway(&portal, Environment::Production, Arc::new(transport()));
    let by_transport = gateway(&portal, Environment::Sandbox, Arc::new(Mislabelled::of(transport())));
    for call in calls() {
        held_back(by_route.call_raw(taxpayer(), &call).await);
        held_back(by_transport.call_raw(taxpayer(), &call).await);
    }
    assert!(portal.sandbox.calls().is_empty(), "{:?}", portal.sandbox.calls());
    // The same door to a sandbox is open.
    let [question, ..] = calls();
    gateway(&portal, Environment::Sandbox, Arc::new(transport())).call_raw(taxpayer(), &question).await.unwrap();
    assert_eq!(portal.logins(), 1);
}

#[tokio::test]
async fn the_meter_in_front_of_a_transport_to_production_passes_no_call_as_it_is() {
    let portal = Portal::new();
    let transport = portal.sandbox.transport(entropy()).unwrap();
    let (client, user) = portal.sandbox.provision(taxpayer().as_str()).await.unwrap();
    let pair =
        ClientPair { client_id: Secret::new(client.client_id), client_secret: Secret::new(client.client_secret) };
    let user = ApiUser { user_name: Secret::new(user.username), password: Secret::new(user.password) };
    let access = Access::new(taxpayer(), pair, user);
    let request = LoginRequest { access: &access, product: Product::EInvoice, force_refresh: false, previous: None };
    let session = transport.login(request).await.unwrap();
    let before = portal.sandbox.calls();
    let metered = Metered::new(
        Arc::new(Mislabelled::of(transport)),
        Arc::new(Closed),
        Arc::new(portal.clock.clone()),
        RouteName::new("live"),
        Environment::Sandbox,
        true,
    );
    for call in calls() {
        held_back(metered.call_raw(&session, &call).await);
    }
    assert_eq!(portal.sandbox.calls(), before);
}
