//! A whole installation in a temporary folder: emulator, ledger, source, target, pipeline.

#![allow(dead_code, unreachable_pub, clippy::allow_attributes, reason = "each test file uses its own part of this")]
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

pub mod life;
pub mod meddled;
pub mod scripted;
pub mod tampered;
pub mod watched;
pub mod written;

use std::sync::Arc;
use std::time::Duration;

use einvoice_core::clock::{Clock, ManualClock};
use einvoice_core::config::RunSettings;
use einvoice_core::credential::CredentialStore;
use einvoice_core::entropy::{SeededEntropy, SharedEntropy};
use einvoice_core::environment::{Environment, RouteName};
use einvoice_core::ledger::{DocumentStatus, Ledger, LedgerError, Query};
use einvoice_core::pipeline::{
    Parts, Pipeline, PipelineError, RoutePart, RunReport, Silent, SourcePart, StopSignal, WriteBackPart,
};
use einvoice_core::rulebook::CheckOptions;
use einvoice_core::state::DocumentState;
use einvoice_core::transport::Transport;
use einvoice_core::verify::TokenVerifier;
use einvoice_ledger_sqlite::{LedgerConfig, SqliteLedger};
use einvoice_protocol::key_set::KeySet;
use einvoice_sandbox::{BookLine, Fault, PortalOperation, PortalSettings, Sandbox, SandboxCredentials, ScriptedFault};
use einvoice_testkit::memory::{ListSource, ListTarget};
use tempfile::TempDir;

/// Name of the only source, target and route.
pub const SOURCE: &str = "books";

pub struct World {
    pub folder: TempDir,
    pub clock: ManualClock,
    pub sandbox: Sandbox,
    pub source: ListSource,
    /// Sources beside `source`.
    pub further_sources: Vec<SourcePart>,
    pub target: ListTarget,
    pub ledger: Arc<dyn Ledger>,
    pub settings: RunSettings,
    pub verifier: Arc<dyn TokenVerifier>,
    pub routes: Vec<RoutePart>,
    pub credentials: Arc<dyn CredentialStore>,
}

pub fn noon() -> jiff::Timestamp {
    "2026-11-20T06:30:00Z".parse().unwrap()
}

pub fn entropy() -> SharedEntropy {
    Arc::new(SeededEntropy::new(7))
}

impl World {
    pub async fn new(documents: impl IntoIterator<Item = String>) -> Self {
        Self::with_settings(documents, PortalSettings::default()).await
    }

    pub async fn with_settings(documents: impl IntoIterator<Item = String>, settings: PortalSettings) -> Self {
        let clock = ManualClock::jumping(noon());
        let shared: Arc<dyn Clock> = Arc::new(clock.clone());
        let sandbox = Sandbox::in_memory(settings, Arc::clone(&shared), entropy()).unwrap();
        let transport: Arc<dyn Transport> = Arc::new(sandbox.transport(entropy()).unwrap());
        let folder = TempDir::new().unwrap();
        let mut keys = KeySet::new();
        keys.add_pem(&sandbox.signing_public_key_pem(), Some(&sandbox.signing_kid())).unwrap();
        let ledger = open_ledger(&folder, &clock).await;
        let credentials = Arc::new(SandboxCredentials::new(sandbox.clone(), Vec::new()));
        Self {
            routes: vec![route("emulator", transport)],
            source: ListSource::of(documents),
            further_sources: Vec::new(),
            target: ListTarget::default(),
            settings: RunSettings::default(),
            verifier: Arc::new(keys),
            credentials,
            folder,
            clock,
            sandbox,
            ledger,
        }
    }

    /// Another office that works with the same portals, with a ledger and books of its own.
    pub async fn beside(&self, documents: impl IntoIterator<Item = String>) -> Self {
        let folder = TempDir::new().unwrap();
        let ledger = open_ledger(&folder, &self.clock).await;
        Self {
            routes: self.routes.clone(),
            source: ListSource::of(documents),
            further_sources: Vec::new(),
            target: ListTarget::default(),
            settings: self.settings.clone(),
            verifier: Arc::clone(&self.verifier),
            credentials: Arc::clone(&self.credentials),
            folder,
            clock: self.clock.clone(),
            sandbox: self.sandbox.clone(),
            ledger,
        }
    }

    pub async fn pipeline(&self) -> Pipeline {
        self.joined().await.unwrap()
    }

    /// The pipeline, or why its parts do not go together.
    pub async fn joined(&self) -> Result<Pipeline, PipelineError> {
        let mut sources = vec![SourcePart { name: SOURCE.into(), source: Arc::new(self.source.clone()) }];
        sources.extend(self.further_sources.iter().cloned());
        Pipeline::new(Parts {
            ledger: Arc::clone(&self.ledger),
            credentials: Arc::clone(&self.credentials),
            routes: self.routes.clone(),
            sources,
            write_backs: vec![WriteBackPart {
                name: "target".into(),
                sources: Vec::new(),
                target: Arc::new(self.target.clone()),
            }],
            verifier: Arc::clone(&self.verifier),
            check: CheckOptions::on(jiff::civil::date(2026, 11, 22)),
            settings: self.settings.clone(),
            clock: Arc::new(self.clock.clone()),
        })
        .await
    }

    /// One run with a pipeline of its own, as a process would make it.
    pub async fn run(&self) -> RunReport {
        self.pipeline().await.run_once(Arc::new(Silent), StopSignal::new()).await.unwrap()
    }

    /// Closes the ledger and opens it again, as a restart does.
    pub async fn restart(&mut self) {
        self.ledger = closed();
        // The writer of the old ledger ends on its own time; the lock tells when.
        self.ledger = open_ledger(&self.folder, &self.clock).await;
    }

    pub fn fault(&self, operation: PortalOperation, fault: Fault) {
        self.sandbox.push_fault(ScriptedFault::once(operation, fault));
    }

    pub fn faults(&self, operation: PortalOperation, fault: Fault, times: u32) {
        let mut scripted = ScriptedFault::once(operation, fault);
        scripted.times = times;
        self.sandbox.push_fault(scripted);
    }

    pub async fn statuses(&self) -> Vec<DocumentStatus> {
        self.ledger.query(Query::default()).await.unwrap()
    }

    pub async fn states(&self) -> Vec<DocumentState> {
        self.statuses().await.into_iter().map(|status| status.state).collect()
    }

    /// The emulator's books: what really happened.
    pub fn books(&self) -> Vec<BookLine> {
        self.sandbox.invoices()
    }

    pub fn calls(&self, operation: PortalOperation) -> u64 {
        self.sandbox.calls().get(&operation).copied().unwrap_or_default()
    }

    pub fn advance(&self, step: Duration) {
        self.clock.advance(step);
    }
}

pub fn route(name: &str, transport: Arc<dyn Transport>) -> RoutePart {
    RoutePart { name: RouteName::new(name), environment: Environment::Sandbox, client_account: None, transport }
}

/// Tries again for a while: tasks of a run that was cut off let go of the old ledger on their own time.
async fn open_ledger(folder: &TempDir, clock: &ManualClock) -> Arc<dyn Ledger> {
    let config = LedgerConfig { path: folder.path().join("einvoice.db"), ..LedgerConfig::default() };
    for _ in 0..500 {
        match SqliteLedger::open(&config, Arc::new(clock.clone())).await {
            Ok(ledger) => return Arc::new(ledger),
            Err(LedgerError::InUse { .. }) => tokio::time::sleep(Duration::from_millis(10)).await,
            Err(error) => panic!("{error}"),
        }
    }
    panic!("the old ledger was never let go");
}

/// A ledger nobody may use, to let go of the real one.
fn closed() -> Arc<dyn Ledger> {
    Arc::new(einvoice_testkit::memory::NoLedger)
}
