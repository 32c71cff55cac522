//! The promises of a transport, kept by @name@.

use std::sync::Arc;

use einvoice_core::environment::Environment;
use einvoice_core::transport::Transport;
use einvoice_testkit::transport_suite::{Dialling, Place};
use @crate@::{@type@Config, @type@Transport};

/// A transport to the portal of the suite, which does as it is told.
async fn build(place: Place) -> Arc<dyn Transport> {
    let config = @type@Config { base_url: place.base_url };
    Arc::new(@type@Transport::new("a test".to_owned(), config, Environment::Sandbox))
}

// Nothing is kept yet. Once the first calls are filled in, name what is still open: `fill_in: [a_redirect_is_not_followed]`.
einvoice_testkit::transport_conformance!(Dialling::with(build).await, fill_in: all);

#[test]
fn what_it_carries_is_known_without_a_call() {
    let config = @type@Config { base_url: "https://api.example.invalid".to_owned() };
    let transport = @type@Transport::new("a test".to_owned(), config, Environment::Sandbox);
    assert!(!transport.capability().operations.is_empty());
}
