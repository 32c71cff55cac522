//! The promises of a transport, kept by `direct`.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;
use std::sync::Arc;

use einvoice_core::entropy::SystemEntropy;
use einvoice_core::environment::Environment;
use einvoice_core::transport::Transport;
use einvoice_direct::{DirectConfig, connect};
use einvoice_testkit::transport_suite::{Dialling, Place};

async fn build(place: Place) -> Arc<dyn Transport> {
    let mut config = DirectConfig::new(place.base_url, place.auth_public_key);
    config.connect_timeout_ms = place.total_timeout_ms;
    config.total_timeout_ms = place.total_timeout_ms;
    config.body_bytes_max = place.body_bytes_max;
    Arc::new(connect(config, Environment::Sandbox, Path::new("."), SystemEntropy::shared()).await.unwrap())
}

einvoice_testkit::transport_conformance!(Dialling::with(build).await);
