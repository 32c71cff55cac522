//! A way to the portal that changes what comes back, or does not send at all.

use std::sync::Arc;

use async_trait::async_trait;
use einvoice_core::operation::{Operation, OperationKind, Registration, Reply};
use einvoice_core::session::Session;
use einvoice_core::transport::{LoginRequest, Probe, Transport, TransportCapability, TransportError};

use super::World;

/// What is done to the answers of one operation.
#[derive(Debug, Clone, Copy)]
pub enum Tampering {
    /// The registration in it is changed.
    Change(fn(&mut Registration)),
    /// There is none, as nothing was sent.
    NotSent,
}

/// A transport whose answers to one operation are tampered with.
#[derive(Debug)]
pub struct Tampered {
    inner: Arc<dyn Transport>,
    operation: OperationKind,
    tampering: Tampering,
}

impl Tampered {
    /// Around the first route of a world, in its place; the honest one comes back.
    pub fn takes_over(world: &mut World, operation: OperationKind, tampering: Tampering) -> Arc<dyn Transport> {
        let part = world.routes.first_mut().unwrap();
        let inner = Arc::clone(&part.transport);
        part.transport = Arc::new(Self { inner: Arc::clone(&inner), operation, tampering });
        inner
    }
}

#[async_trait]
impl Transport for Tampered {
    fn capability(&self) -> &TransportCapability {
        self.inner.capability()
    }

    async fn login(&self, request: LoginRequest<'_>) -> Result<Session, TransportError> {
        self.inner.login(request).await
    }

    async fn call(&self, session: &Session, operation: &Operation) -> Result<Reply, TransportError> {
        let tampering = (operation.kind() == self.operation).then_some(self.tampering);
        if let Some(Tampering::NotSent) = tampering {
            return Err(TransportError::NotSent {
                endpoint: "tampered".into(),
                reason: "no connection".into(),
                source: None,
            });
        }
        let mut reply = self.inner.call(session, operation).await?;
        if let (Some(Tampering::Change(change)), Reply::Registration(registration)) = (tampering, &mut reply) {
            change(registration);
        }
        Ok(reply)
    }

    async fn probe(&self) -> Result<Probe, TransportError> {
        self.inner.probe().await
    }
}
