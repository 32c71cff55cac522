//! The ledger: what was received, intended and answered.
//!
//! A ledger is the only judge of what may be sent. As it stands this one keeps the half that is about documents, in
//! memory, so that what each method must do can be read and tried; replace [`Books`] by @name@, one method after the other,
//! and the promises stay kept. Jobs and e-way bills (`jobs.rs`) are still to be filled in, and so is a place that lasts: until
//! then no program gets this ledger, as one that forgets its intents would have documents sent twice.

use std::future::{Ready, ready};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use einvoice_core::clock::SharedClock;
use einvoice_core::environment::Environment;
use einvoice_core::irn::Irn;
use einvoice_core::ledger::{
    AttemptId, AttemptOutcome, AuditEntry, ClaimRequest, Claimed, Decision, DocumentId, DocumentStatus, Intent, Ledger,
    LedgerCapability, LedgerError, NewIntent, Query, ReceiveBatch, Reception, Settlement, WorkerId,
};
use einvoice_core::receipt::Receipt;
use einvoice_core::registry::{BuildContext, BuildError};
use einvoice_core::source::Cursor;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::books::Books;

/// Settings of the ledger `@name@`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct @type@Config {
    /// Where the ledger is kept. Required.
    pub place: String,
    /// Seconds from the intent until the portal is asked about a document whose outcome was lost. Default: 30.
    #[serde(default = "default_settle_wait_seconds")]
    pub settle_wait_seconds: u32,
}

const fn default_settle_wait_seconds() -> u32 {
    30
}

/// The ledger in @name@.
#[derive(Debug)]
pub struct @type@Ledger {
    config: @type@Config,
    clock: SharedClock,
    books: Arc<Mutex<Books>>,
}

pub(crate) fn build(context: BuildContext, _: @type@Config) -> Ready<Result<Arc<dyn Ledger>, BuildError>> {
    let reason = "it keeps everything in memory and would forget what it sent: a place that lasts is to be filled in";
    ready(Err(BuildError::new(context.name, reason)))
}

impl @type@Ledger {
    /// Opens a ledger over books, which here are its place.
    #[must_use]
    pub fn open(config: @type@Config, books: Arc<Mutex<Books>>, clock: SharedClock) -> Self {
        Self { config, clock, books }
    }

    /// What happens with the books happens wholly or not at all, and one after the other.
    fn books<R>(&self, with: impl FnOnce(&mut Books) -> R) -> R {
        with(&mut self.books.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// What a method says that is still to be filled in. A ledger that cannot do its work never pretends to.
    pub(crate) fn to_fill_in<T>(&self, method: &str) -> Result<T, LedgerError> {
        Err(LedgerError::Storage {
            ledger: format!("@name@ at {}", self.config.place),
            reason: format!("`{method}` is still to be filled in"),
            source: None,
        })
    }
}

#[async_trait]
impl Ledger for @type@Ledger {
    fn capability(&self) -> LedgerCapability {
        LedgerCapability::new(false)
    }

    async fn bind(&self, environment: Environment) -> Result<(), LedgerError> {
        match self.books(|books| *books.environment.get_or_insert(environment)) {
            holds if holds == environment => Ok(()),
            holds => Err(LedgerError::OtherEnvironment { ledger: format!("@name@ at {}", self.config.place), holds }),
        }
    }

    async fn environment(&self) -> Result<Option<Environment>, LedgerError> {
        Ok(self.books(|books| books.environment))
    }

    async fn receive(&self, batch: ReceiveBatch) -> Result<Vec<Reception>, LedgerError> {
        self.books(|books| books.receive(batch, self.clock.now()))
    }

    async fn cursor(&self, source: &str) -> Result<Option<Cursor>, LedgerError> {
        Ok(self.books(|books| books.cursors.get(source).cloned()))
    }

    async fn claim(&self, request: ClaimRequest) -> Result<Vec<Claimed>, LedgerError> {
        let settle_wait = Duration::from_secs(self.config.settle_wait_seconds.into());
        Ok(self.books(|books| books.claim(&request, self.clock.now(), settle_wait)))
    }

    async fn release(&self, worker: &WorkerId, documents: &[DocumentId]) -> Result<(), LedgerError> {
        self.books(|books| books.release(worker, documents));
        Ok(())
    }

    async fn intend(&self, intent: NewIntent) -> Result<Intent, LedgerError> {
        self.books(|books| books.intend(intent, self.clock.now()))
    }

    async fn record(&self, attempt: AttemptId, outcome: AttemptOutcome) -> Result<(), LedgerError> {
        self.books(|books| books.record(attempt, outcome, self.clock.now()))
    }

    async fn settle(&self, worker: &WorkerId, document: DocumentId, settlement: Settlement) -> Result<(), LedgerError> {
        self.books(|books| books.settle(worker, document, settlement, self.clock.now()))
    }

    async fn decide(&self, _: DocumentId, _: Decision) -> Result<(), LedgerError> {
        self.to_fill_in("decide")
    }

    async fn reject_by_registry(&self, _: &[Irn]) -> Result<Vec<DocumentId>, LedgerError> {
        self.to_fill_in("reject_by_registry")
    }

    async fn pending_write_back(
        &self,
        target: &str,
        sources: &[String],
        limit: usize,
    ) -> Result<Vec<Receipt>, LedgerError> {
        Ok(self.books(|books| books.pending(target, sources, limit)))
    }

    async fn delivered(&self, target: &str, receipts: &[(i64, u32)]) -> Result<(), LedgerError> {
        self.books(|books| books.delivered(target, receipts));
        Ok(())
    }

    async fn query(&self, query: Query) -> Result<Vec<DocumentStatus>, LedgerError> {
        Ok(self.books(|books| books.query(&query)))
    }

    async fn payload(&self, document: DocumentId) -> Result<Option<Bytes>, LedgerError> {
        self.books(|books| books.payload(document))
    }

    async fn audit(&self, document: DocumentId) -> Result<Vec<AuditEntry>, LedgerError> {
        self.books(|books| books.document(document).map(|document| document.audit.clone()))
    }
}
