//! The way to the portal through @name@.
//!
//! A transport logs in and carries operations. It neither retries nor keeps tokens, and believes no reply: the core does
//! that around every transport alike. What is not filled in yet says that nothing was sent, so that nothing is lost.

use std::future::{Ready, ready};
use std::sync::Arc;

use async_trait::async_trait;
use einvoice_core::environment::Environment;
use einvoice_core::operation::{Operation, OperationKind, Reply};
use einvoice_core::registry::{BuildContext, BuildError};
use einvoice_core::session::Session;
use einvoice_core::transport::{LoginRequest, Probe, Transport, TransportCapability, TransportError, TransportMode};
use schemars::JsonSchema;
use serde::Deserialize;

/// Settings of the route `@name@`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct @type@Config {
    /// Where it answers. Required.
    pub base_url: String,
}

/// The way to the portal through @name@.
#[derive(Debug)]
pub struct @type@Transport {
    name: String,
    base_url: String,
    capability: TransportCapability,
}

pub(crate) fn build(context: BuildContext, config: @type@Config) -> Ready<Result<Arc<dyn Transport>, BuildError>> {
    let environment = context.environment.unwrap_or(Environment::Sandbox);
    ready(Ok(Arc::new(@type@Transport::new(context.name, config, environment))))
}

impl @type@Transport {
    /// A way to one environment; the name is that of the route.
    #[must_use]
    pub fn new(name: String, config: @type@Config, environment: Environment) -> Self {
        // Name here what it carries; everything else is refused without a call.
        let operations = [OperationKind::GenerateIrn, OperationKind::GetIrn];
        let capability = TransportCapability::new(TransportMode::ProviderApi, environment, "@name@", operations);
        Self { name, base_url: config.base_url, capability }
    }

    fn to_fill_in<T>(&self, what: &str) -> Result<T, TransportError> {
        Err(TransportError::NotSent {
            endpoint: format!("{} at {}", self.name, self.base_url),
            reason: format!("{what} is still to be filled in"),
            source: None,
        })
    }
}

#[async_trait]
impl Transport for @type@Transport {
    fn capability(&self) -> &TransportCapability {
        &self.capability
    }

    async fn login(&self, _: LoginRequest<'_>) -> Result<Session, TransportError> {
        self.to_fill_in("the login")
    }

    async fn call(&self, _: &Session, operation: &Operation) -> Result<Reply, TransportError> {
        let kind = operation.kind();
        if !self.capability.operations.contains(&kind) {
            return Err(TransportError::Unsupported { operation: kind });
        }
        self.to_fill_in(&format!("{kind}"))
    }

    async fn probe(&self) -> Result<Probe, TransportError> {
        self.to_fill_in("the heartbeat")
    }
}
