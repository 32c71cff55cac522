//! A way to the portal on which a test looks at every call before it leaves.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use einvoice_core::identifier::Gstin;
use einvoice_core::ledger::{Ledger, Query};
use einvoice_core::operation::{Operation, OperationKind, Reply};
use einvoice_core::pipeline::StopSignal;
use einvoice_core::session::Session;
use einvoice_core::state::DocumentState;
use einvoice_core::transport::{LoginRequest, Probe, Transport, TransportCapability, TransportError};
use tokio::sync::Barrier;

use super::World;

/// What was seen of one call.
#[derive(Debug, Clone)]
pub struct Seen {
    /// The call.
    pub operation: Operation,
    /// With whose login it was made.
    pub gstin: Gstin,
    /// Where the documents of the ledger stood.
    pub states: Vec<DocumentState>,
}

/// A transport on which a test looks at every call before it leaves.
#[derive(Debug)]
pub struct Watched {
    pub inner: Arc<dyn Transport>,
    pub capability: TransportCapability,
    pub ledger: Arc<dyn Ledger>,
    pub seen: Arc<Mutex<Vec<Seen>>>,
    /// Sent in place of the document, once.
    pub instead: Mutex<Option<Vec<u8>>>,
    /// Given when a registration is on its way.
    pub stop: Option<StopSignal>,
    /// Registrations wait here for each other.
    pub together: Option<Barrier>,
}

impl Watched {
    /// Around the first route of a world.
    pub fn around(world: &World) -> Self {
        let inner = Arc::clone(&world.routes.first().unwrap().transport);
        Self {
            capability: inner.capability().clone(),
            inner,
            ledger: Arc::clone(&world.ledger),
            seen: Arc::default(),
            instead: Mutex::default(),
            stop: None,
            together: None,
        }
    }

    /// The same, leading to another site.
    pub fn at_site(mut self, site: &str) -> Self {
        site.clone_into(&mut self.capability.site);
        self
    }

    /// Stands in for the first route of a world; what it sees comes back.
    pub fn takes_over(self, world: &mut World) -> Arc<Mutex<Vec<Seen>>> {
        let seen = Arc::clone(&self.seen);
        world.routes.first_mut().unwrap().transport = Arc::new(self);
        seen
    }
}

#[async_trait]
impl Transport for Watched {
    fn capability(&self) -> &TransportCapability {
        &self.capability
    }

    async fn login(&self, request: LoginRequest<'_>) -> Result<Session, TransportError> {
        self.inner.login(request).await
    }

    async fn call(&self, session: &Session, operation: &Operation) -> Result<Reply, TransportError> {
        let all = self.ledger.query(Query::default()).await.unwrap();
        let states = all.into_iter().map(|status| status.state).collect();
        let seen = Seen { operation: operation.clone(), gstin: session.access().gstin(), states };
        self.seen.lock().unwrap().push(seen);
        if operation.kind() != OperationKind::GenerateIrn {
            return self.inner.call(session, operation).await;
        }
        if let Some(stop) = &self.stop {
            stop.stop();
            // Whoever heeds it has the chance to.
            tokio::task::yield_now().await;
        }
        if let Some(together) = &self.together {
            together.wait().await;
        }
        let instead = self.instead.lock().unwrap().take();
        let operation =
            instead.map_or_else(|| operation.clone(), |payload| Operation::GenerateIrn { payload: payload.into() });
        self.inner.call(session, &operation).await
    }

    async fn probe(&self) -> Result<Probe, TransportError> {
        self.inner.probe().await
    }
}
