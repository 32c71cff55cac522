//! The ledger keeps every promise of the contract.
#![expect(clippy::unwrap_used, reason = "the harness of a test fails as the test does")]

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use einvoice_core::clock::SharedClock;
use einvoice_core::ledger::Ledger;
use einvoice_ledger_sqlite::{LedgerConfig, SqliteLedger};
use einvoice_testkit::ledger_suite::LedgerHarness;

struct Folder {
    folder: tempfile::TempDir,
    config: LedgerConfig,
}

impl Folder {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = LedgerConfig { path: folder.path().join("ledger.db"), ..LedgerConfig::default() };
        Self { folder, config }
    }
}

#[async_trait]
impl LedgerHarness for Folder {
    async fn open(&self, clock: SharedClock) -> Arc<dyn Ledger> {
        assert!(self.folder.path().exists());
        Arc::new(SqliteLedger::open(&self.config, clock).await.unwrap())
    }

    fn settle_wait(&self) -> Duration {
        Duration::from_secs(self.config.settle_wait_seconds.into())
    }
}

einvoice_testkit::ledger_conformance!(Folder::new());
