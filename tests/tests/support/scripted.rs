//! A way to the portal on which a test answers single calls itself.

use std::fmt;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use einvoice_core::date::PortalTime;
use einvoice_core::irn::Irn;
use einvoice_core::operation::{DuplicateInfo, InfoDetail, Operation, OperationKind, Reply, Taxpayer};
use einvoice_core::portal_code::PortalError;
use einvoice_core::session::Session;
use einvoice_core::transport::{LoginRequest, Probe, Transport, TransportCapability, TransportError};

use super::World;

/// Answers a call, or nothing to let it through.
pub type Script = dyn Fn(&Operation) -> Option<Result<Reply, TransportError>> + Send + Sync;

/// A transport on which a test answers single calls itself.
pub struct Scripted {
    inner: Arc<dyn Transport>,
    capability: TransportCapability,
    script: Box<Script>,
    seen: Arc<Mutex<Vec<Operation>>>,
}

impl fmt::Debug for Scripted {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Scripted").finish_non_exhaustive()
    }
}

impl Scripted {
    /// Around the first route of a world.
    pub fn around(
        world: &World,
        script: impl Fn(&Operation) -> Option<Result<Reply, TransportError>> + Send + Sync + 'static,
    ) -> Self {
        let inner = Arc::clone(&world.routes.first().unwrap().transport);
        Self { capability: inner.capability().clone(), inner, script: Box::new(script), seen: Arc::default() }
    }

    /// The same, able to do this too.
    pub fn with(mut self, operation: OperationKind) -> Self {
        self.capability.operations.insert(operation);
        self
    }

    /// The same, leading to another site.
    pub fn leading_to(mut self, site: &str) -> Self {
        site.clone_into(&mut self.capability.site);
        self
    }

    /// The same, unable to do this.
    pub fn without(mut self, operation: OperationKind) -> Self {
        self.capability.operations.remove(&operation);
        self
    }

    /// Stands in for the first route of a world; the calls it sees come back.
    pub fn takes_over(self, world: &mut World) -> Arc<Mutex<Vec<Operation>>> {
        let seen = Arc::clone(&self.seen);
        world.routes.first_mut().unwrap().transport = Arc::new(self);
        seen
    }
}

#[async_trait]
impl Transport for Scripted {
    fn capability(&self) -> &TransportCapability {
        &self.capability
    }

    async fn login(&self, request: LoginRequest<'_>) -> Result<Session, TransportError> {
        self.inner.login(request).await
    }

    async fn call(&self, session: &Session, operation: &Operation) -> Result<Reply, TransportError> {
        self.seen.lock().unwrap().push(operation.clone());
        // Others have their turn, as on a network.
        tokio::task::yield_now().await;
        match (self.script)(operation) {
            Some(answer) => answer,
            None => self.inner.call(session, operation).await,
        }
    }

    async fn probe(&self) -> Result<Probe, TransportError> {
        self.inner.probe().await
    }
}

/// A refusal of a call.
pub fn refused(operation: &Operation, code: &str, message: &str) -> Result<Reply, TransportError> {
    refused_naming(operation, code, message, Vec::new())
}

/// A refusal of a call with something said beside it.
pub fn refused_naming(
    operation: &Operation,
    code: &str,
    message: &str,
    info: Vec<InfoDetail>,
) -> Result<Reply, TransportError> {
    Err(TransportError::Refused {
        operation: Some(operation.kind()),
        errors: vec![PortalError::new(code, message)],
        info,
    })
}

/// No answer to a call that may have changed the books.
pub fn lost() -> Result<Reply, TransportError> {
    Err(TransportError::NoAnswer {
        endpoint: "scripted".into(),
        reason: "timed out".into(),
        changes_books: true,
        source: None,
    })
}

/// What `DUPIRN` and `DUPIRNGLP` say.
pub fn duplicate_of(irn: Irn, ack_date: Option<&str>, registered_by: Option<&str>) -> Vec<InfoDetail> {
    let code = if registered_by.is_some() { "DUPIRNGLP" } else { "DUPIRN" };
    let duplicate = DuplicateInfo {
        irn,
        ack_no: Some("112610000000001".into()),
        ack_date: ack_date.map(|date| PortalTime::parse(date).unwrap()),
        registered_by: registered_by.map(str::to_owned),
    };
    vec![InfoDetail { code: code.into(), description: String::new(), duplicate: Some(duplicate), errors: Vec::new() }]
}

/// A taxpayer of this status.
pub fn taxpayer(gstin: &str, status: &str) -> Reply {
    Reply::Taxpayer(Box::new(Taxpayer {
        gstin: gstin.to_owned(),
        legal_name: None,
        trade_name: None,
        address: Vec::new(),
        state_code: None,
        pin: None,
        taxpayer_type: Some("REG".into()),
        status: Some(status.to_owned()),
        block_status: Some("U".into()),
        registered_on: None,
        deregistered_on: None,
    }))
}
