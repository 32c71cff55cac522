//! The ledger: what was received, intended and answered.
//!
//! A ledger is the only judge of what may be sent. Fill in one method after the other, and take the promises that it
//! keeps off the list in `tests/conformance.rs`; the contract of each method stands with the trait.

use std::future::{Ready, ready};
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
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

/// Settings of the ledger `@name@`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct @type@Config {
    /// Where the ledger is kept. Required.
    pub place: String,
}

/// The ledger in @name@.
#[derive(Debug)]
pub struct @type@Ledger {
    place: String,
}

pub(crate) fn build(_: BuildContext, config: @type@Config) -> Ready<Result<Arc<dyn Ledger>, BuildError>> {
    ready(Ok(Arc::new(@type@Ledger::new(config))))
}

impl @type@Ledger {
    /// A ledger at a place.
    #[must_use]
    pub fn new(config: @type@Config) -> Self {
        Self { place: config.place }
    }

    /// What a method says that is still to be filled in. A ledger that cannot do its work never pretends to.
    pub(crate) fn to_fill_in<T>(&self, method: &str) -> Result<T, LedgerError> {
        Err(LedgerError::Storage {
            ledger: format!("@name@ at {}", self.place),
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

    async fn receive(&self, _: ReceiveBatch) -> Result<Vec<Reception>, LedgerError> {
        self.to_fill_in("receive")
    }

    async fn cursor(&self, _: &str) -> Result<Option<Cursor>, LedgerError> {
        self.to_fill_in("cursor")
    }

    async fn claim(&self, _: ClaimRequest) -> Result<Vec<Claimed>, LedgerError> {
        self.to_fill_in("claim")
    }

    async fn release(&self, _: &WorkerId, _: &[DocumentId]) -> Result<(), LedgerError> {
        self.to_fill_in("release")
    }

    async fn intend(&self, _: NewIntent) -> Result<Intent, LedgerError> {
        self.to_fill_in("intend")
    }

    async fn record(&self, _: AttemptId, _: AttemptOutcome) -> Result<(), LedgerError> {
        self.to_fill_in("record")
    }

    async fn settle(&self, _: &WorkerId, _: DocumentId, _: Settlement) -> Result<(), LedgerError> {
        self.to_fill_in("settle")
    }

    async fn decide(&self, _: DocumentId, _: Decision) -> Result<(), LedgerError> {
        self.to_fill_in("decide")
    }

    async fn reject_by_registry(&self, _: &[Irn]) -> Result<Vec<DocumentId>, LedgerError> {
        self.to_fill_in("reject_by_registry")
    }

    async fn pending_write_back(&self, _: &str, _: &[String], _: usize) -> Result<Vec<Receipt>, LedgerError> {
        self.to_fill_in("pending_write_back")
    }

    async fn delivered(&self, _: &str, _: &[(i64, u32)]) -> Result<(), LedgerError> {
        self.to_fill_in("delivered")
    }

    async fn query(&self, _: Query) -> Result<Vec<DocumentStatus>, LedgerError> {
        self.to_fill_in("query")
    }

    async fn payload(&self, _: DocumentId) -> Result<Option<Bytes>, LedgerError> {
        self.to_fill_in("payload")
    }

    async fn audit(&self, _: DocumentId) -> Result<Vec<AuditEntry>, LedgerError> {
        self.to_fill_in("audit")
    }
}
