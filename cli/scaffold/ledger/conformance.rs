//! The promises of a ledger, kept by @name@.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use einvoice_core::clock::SharedClock;
use einvoice_core::ledger::Ledger;
use einvoice_testkit::ledger_suite::LedgerHarness;
use @crate@::{@type@Config, @type@Ledger};

/// A place that no other test has.
struct Harness;

#[async_trait]
impl LedgerHarness for Harness {
    async fn open(&self, _: SharedClock) -> Arc<dyn Ledger> {
        Arc::new(@type@Ledger::new(@type@Config { place: "a test".to_owned() }))
    }

    fn settle_wait(&self) -> Duration {
        Duration::from_secs(30)
    }
}

// Nothing is kept yet. Once the first methods are filled in, name what is still open: `fill_in: [an_intent_survives_reopening]`.
einvoice_testkit::ledger_conformance!(Harness, fill_in: all);

#[test]
fn what_is_to_be_filled_in_is_said_and_never_passes_for_done() {
    let shown = format!("{:?}", @type@Ledger::new(@type@Config { place: "a test".to_owned() }));
    assert!(shown.contains("a test"), "{shown}");
}
