//! The configured ways to the portal, in order of preference, each with its breaker.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::access::Gateway;
use crate::clock::{SharedClock, later};
use crate::config::RunSettings;
use crate::credential::CredentialStore;
use crate::environment::{Environment, RouteName};
use crate::events;
use crate::identifier::Gstin;
use crate::operation::OperationKind;
use crate::portal_code::ErrorClass;
use crate::transport::{Transport, TransportError, TransportMode};

/// A configured route.
#[derive(Debug, Clone)]
pub struct RoutePart {
    /// Its name.
    pub name: RouteName,
    /// Which environment is behind it.
    pub environment: Environment,
    /// Account whose client pair serves all GSTINs, for a GSP or provider.
    pub client_account: Option<String>,
    /// The transport.
    pub transport: Arc<dyn Transport>,
}

/// All routes of a run.
#[derive(Debug)]
pub(super) struct Routes {
    routes: Vec<Arc<Route>>,
}

/// One route: its gateway, its breaker, its gates.
#[derive(Debug)]
pub(super) struct Route {
    pub(super) gateway: Gateway,
    breaker: Mutex<Breaker>,
    gates: Mutex<HashMap<Gstin, Gate>>,
    concurrency_per_gstin: usize,
    failures_max: u32,
    pause: Duration,
    clock: SharedClock,
}

#[derive(Debug, Default)]
struct Breaker {
    failures: u32,
    open_until: Option<Timestamp>,
}

/// How many calls may run for a GSTIN, and until when it is left alone.
#[derive(Debug, Clone)]
struct Gate {
    permits: Arc<Semaphore>,
    closed_until: Option<Timestamp>,
}

impl Routes {
    pub(super) fn new(
        parts: Vec<RoutePart>,
        credentials: &Arc<dyn CredentialStore>,
        settings: &RunSettings,
        clock: &SharedClock,
    ) -> Self {
        let routes = parts
            .into_iter()
            .map(|part| {
                let capability = part.transport.capability();
                let concurrency = settings.concurrency_per_gstin.unwrap_or(capability.concurrency_per_gstin);
                Arc::new(Route {
                    concurrency_per_gstin: concurrency.max(1),
                    gateway: Gateway::new(
                        part.name,
                        part.environment,
                        part.client_account,
                        part.transport,
                        Arc::clone(credentials),
                        Arc::clone(clock),
                    ),
                    breaker: Mutex::default(),
                    gates: Mutex::default(),
                    failures_max: settings.breaker_failures.max(1),
                    pause: Duration::from_secs(settings.breaker_pause_seconds),
                    clock: Arc::clone(clock),
                })
            })
            .collect();
        Self { routes }
    }

    pub(super) fn in_order(&self) -> &[Arc<Route>] {
        &self.routes
    }

    pub(super) fn by_name(&self, name: &RouteName) -> Option<&Arc<Route>> {
        self.routes.iter().find(|route| route.gateway.route() == name)
    }

    /// When the first route opens again, if all are being left alone.
    pub(super) fn open_again_at(&self) -> Option<Timestamp> {
        self.routes.iter().map(|route| route.closed_until()).collect::<Option<Vec<_>>>()?.into_iter().min()
    }

    /// Whether no route is worth a try at present.
    pub(super) fn all_closed(&self) -> bool {
        self.routes.iter().all(|route| route.is_closed())
    }
}

impl Route {
    pub(super) fn name(&self) -> &RouteName {
        self.gateway.route()
    }

    /// The portal site it leads to.
    pub(super) fn site(&self) -> &str {
        &self.gateway.transport().capability().site
    }

    /// Which environment is behind it.
    pub(super) const fn environment(&self) -> Environment {
        self.gateway.environment()
    }

    /// What kind of way it is.
    pub(super) fn mode(&self) -> TransportMode {
        self.gateway.transport().capability().mode
    }

    /// Whether it carries an operation.
    pub(super) fn can(&self, operation: OperationKind) -> bool {
        self.gateway.transport().capability().operations.contains(&operation)
    }

    /// Longest time one of its calls takes.
    pub(super) fn call_time_max(&self) -> Duration {
        self.gateway.transport().capability().call_time_max
    }

    /// Whether the route is being left alone.
    pub(super) fn is_closed(&self) -> bool {
        self.closed_until().is_some()
    }

    fn closed_until(&self) -> Option<Timestamp> {
        let breaker = self.breaker.lock().unwrap_or_else(PoisonError::into_inner);
        let opening = breaker.open_until.filter(|until| self.clock.now() < *until);
        opening.max(self.gateway.closed_until())
    }

    /// Whether a GSTIN is being left alone on this route.
    pub(super) fn is_closed_for(&self, gstin: Gstin) -> bool {
        let gates = self.gates.lock().unwrap_or_else(PoisonError::into_inner);
        gates.get(&gstin).and_then(|gate| gate.closed_until).is_some_and(|until| self.clock.now() < until)
            || self.gateway.is_closed_for(gstin)
    }

    /// Leaves a GSTIN alone on this route. A longer pause that is under way goes on.
    pub(super) fn close_for(&self, gstin: Gstin, pause: Duration) {
        let until = later(self.clock.now(), pause);
        self.with_gate(gstin, |gate| gate.closed_until = gate.closed_until.max(until));
    }

    /// Waits for one of the calls that may run at the same time for a GSTIN.
    pub(super) async fn permit(&self, gstin: Gstin) -> Option<OwnedSemaphorePermit> {
        let permits = self.with_gate(gstin, |gate| Arc::clone(&gate.permits));
        // The semaphore is never closed.
        permits.acquire_owned().await.ok()
    }

    /// Learns from a call: failures in a row open the breaker, any answer closes it. What never left
    /// this machine says nothing, and a limit on one GSTIN is an answer.
    pub(super) fn learn(&self, error: Option<&TransportError>) {
        let is_ours = |error: &TransportError| {
            matches!(
                error,
                TransportError::HeldBack { .. } | TransportError::Credential(_) | TransportError::Unsupported { .. }
            )
        };
        // A store that does not answer stops the route as a portal would that does not.
        if error.is_some_and(|error| is_ours(error) && !error.is_unreachable()) {
            return;
        }
        let error = error.filter(|error| error.class() != Some(ErrorClass::RateLimit));
        let mut breaker = self.breaker.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(error) = error.filter(|error| error.is_unreachable()) else {
            *breaker = Breaker::default();
            return;
        };
        events::call_failed(self.name(), error);
        breaker.failures = breaker.failures.saturating_add(1);
        if breaker.failures >= self.failures_max {
            events::breaker_opened(self.name(), breaker.failures);
            breaker.open_until = later(self.clock.now(), self.pause);
        }
    }

    fn with_gate<T>(&self, gstin: Gstin, act: impl FnOnce(&mut Gate) -> T) -> T {
        let mut gates = self.gates.lock().unwrap_or_else(PoisonError::into_inner);
        let gate = gates.entry(gstin).or_insert_with(|| Gate {
            permits: Arc::new(Semaphore::new(self.concurrency_per_gstin)),
            closed_until: None,
        });
        act(gate)
    }
}
