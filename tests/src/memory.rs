//! A source and a write-back target that live in memory, to drive the pipeline in tests.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use einvoice_core::document::Invoice;
use einvoice_core::environment::Environment;
use einvoice_core::irn::Irn;
use einvoice_core::job::{
    Bill, BillQuery, Cancellation, Job, JobBook, JobClaim, JobDecision, JobId, JobQuery, NewJob, StepIntent,
    StepOutcome,
};
use einvoice_core::ledger::{
    AttemptId, AttemptOutcome, AuditEntry, ClaimRequest, Claimed, Decision, DocumentId, DocumentStatus, Intent, Ledger,
    LedgerCapability, LedgerError, NewIntent, Query, ReceiveBatch, Reception, Settlement, WorkerId,
};
use einvoice_core::receipt::Receipt;
use einvoice_core::source::{
    Acknowledgement, Cursor, InvoiceSource, Mapped, MappedDocument, Provenance, RecordStream, SourceCapability,
    SourceError, SourceItem, SourceRecord, SourceRef,
};
use einvoice_core::write_back::{Delivery, Finished, WriteBack, WriteBackCapability, WriteBackError};

/// Hands out JSON documents from a list; acknowledgements are remembered.
#[derive(Debug, Clone, Default)]
pub struct ListSource {
    records: Arc<Mutex<Vec<(String, String)>>>,
    acknowledged: Arc<Mutex<Vec<Acknowledgement>>>,
    checkpoints: bool,
}

impl ListSource {
    /// A source of these JSON texts; each is a record named by its position.
    #[must_use]
    pub fn of(documents: impl IntoIterator<Item = String>) -> Self {
        let source = Self::default();
        for (index, document) in documents.into_iter().enumerate() {
            source.put(&format!("record-{index}"), document);
        }
        source
    }

    /// The same source with a checkpoint after its last record.
    #[must_use]
    pub fn with_checkpoint(self) -> Self {
        Self { checkpoints: true, ..self }
    }

    /// Adds a record, or changes the one of the same id.
    pub fn put(&self, record_id: &str, json: String) {
        let mut records = self.records.lock().unwrap_or_else(PoisonError::into_inner);
        match records.iter_mut().find(|(id, _)| id == record_id) {
            Some((_, content)) => *content = json,
            None => records.push((record_id.to_owned(), json)),
        }
    }

    /// Everything acknowledged so far.
    #[must_use]
    pub fn acknowledged(&self) -> Vec<Acknowledgement> {
        self.acknowledged.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[async_trait]
impl InvoiceSource for ListSource {
    fn capability(&self) -> SourceCapability {
        SourceCapability::new(self.checkpoints, true)
    }

    async fn fetch(&self, _cursor: Option<&Cursor>) -> Result<RecordStream, SourceError> {
        let records = self.records.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let items = records.into_iter().enumerate().map(|(index, (record_id, content))| {
            let reference = SourceRef { location: "list".into(), position: format!("record {index}"), record_id };
            Ok(SourceItem::Record(SourceRecord { reference, content, context: None }))
        });
        let checkpoint = self.checkpoints.then(|| Ok(SourceItem::Checkpoint(Cursor::new("end"))));
        Ok(Box::pin(futures_util::stream::iter(items.chain(checkpoint))))
    }

    fn map(&self, record: &SourceRecord) -> Mapped {
        match Invoice::from_json(&record.content) {
            Ok(read) => Mapped::Document(Box::new(MappedDocument {
                invoice: read.invoice,
                findings: read.findings,
                provenance: Provenance::new(),
                attributes: BTreeMap::new(),
            })),
            Err(error) => {
                Mapped::Unmappable { label: record.reference.record_id.clone(), findings: vec![error.to_finding()] }
            }
        }
    }

    async fn acknowledge(&self, settled: &[Acknowledgement]) -> Result<(), SourceError> {
        self.acknowledged.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(settled);
        Ok(())
    }
}

/// Keeps every receipt that is delivered; can be told to fail.
#[derive(Debug, Clone)]
pub struct ListTarget {
    capability: WriteBackCapability,
    receipts: Arc<Mutex<Vec<Receipt>>>,
    failing: Arc<Mutex<bool>>,
    refused: Arc<Mutex<BTreeSet<String>>>,
    /// What it was handed and does not show yet; nothing where it shows all at once.
    kept: Arc<Mutex<Option<Vec<Receipt>>>>,
}

impl Default for ListTarget {
    fn default() -> Self {
        Self {
            capability: WriteBackCapability::new(true, false, 100, vec!["irn"], "kept in memory"),
            receipts: Arc::default(),
            failing: Arc::default(),
            refused: Arc::default(),
            kept: Arc::default(),
        }
    }
}

impl ListTarget {
    /// Everything delivered so far, in order.
    #[must_use]
    pub fn receipts(&self) -> Vec<Receipt> {
        self.receipts.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The same target, which takes so many receipts in one call.
    #[must_use]
    pub fn in_batches_of(mut self, batch_max: usize) -> Self {
        self.capability.batch_max = batch_max;
        self
    }

    /// Refuses the receipts of these records, and takes all others.
    pub fn refuse(&self, record_ids: impl IntoIterator<Item = String>) {
        *self.refused.lock().unwrap_or_else(PoisonError::into_inner) = record_ids.into_iter().collect();
    }

    /// The same target, which shows nothing until it has all.
    #[must_use]
    pub fn keeping(self) -> Self {
        *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = Some(Vec::new());
        self
    }

    /// Makes deliveries fail, or work again.
    pub fn fail(&self, failing: bool) {
        *self.failing.lock().unwrap_or_else(PoisonError::into_inner) = failing;
    }
}

#[async_trait]
impl WriteBack for ListTarget {
    fn capability(&self) -> &WriteBackCapability {
        &self.capability
    }

    async fn deliver(&self, receipts: &[Receipt]) -> Result<Vec<Delivery>, WriteBackError> {
        if let Some(kept) = &mut *self.kept.lock().unwrap_or_else(PoisonError::into_inner) {
            kept.extend_from_slice(receipts);
            return Ok(vec![Delivery::Kept; receipts.len()]);
        }
        if *self.failing.lock().unwrap_or_else(PoisonError::into_inner) {
            return Err(WriteBackError::new("list", "told to fail"));
        }
        let refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        let mut taken = self.receipts.lock().unwrap_or_else(PoisonError::into_inner);
        let mut deliver = |receipt: &Receipt| {
            if refused.contains(&receipt.reference.record_id) {
                return Delivery::Failed { reason: "told to refuse this one".to_owned() };
            }
            taken.push(receipt.clone());
            Delivery::Done
        };
        Ok(receipts.iter().map(&mut deliver).collect())
    }

    async fn finish(&self) -> Result<Vec<Finished>, WriteBackError> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = kept.as_mut().map(std::mem::take).unwrap_or_default();
        let fails = *self.failing.lock().unwrap_or_else(PoisonError::into_inner);
        let delivery = if fails { Delivery::Failed { reason: "the disk is full".to_owned() } } else { Delivery::Done };
        let of = |receipt: &Receipt| Finished {
            reference_id: receipt.reference_id,
            revision: receipt.revision,
            delivery: delivery.clone(),
        };
        let finished = kept.iter().map(of).collect();
        if !fails {
            self.receipts.lock().unwrap_or_else(PoisonError::into_inner).extend(kept);
        }
        Ok(finished)
    }

    async fn read_back(
        &self,
        _references: &[SourceRef],
    ) -> Result<Vec<Option<BTreeMap<String, String>>>, WriteBackError> {
        Err(WriteBackError::new("list", "reading back is not possible"))
    }
}

/// A ledger that refuses everything: stands where a real one was let go.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoLedger;

impl NoLedger {
    fn refuse<T>() -> Result<T, LedgerError> {
        Err(LedgerError::Storage { ledger: "no ledger".into(), reason: "it was let go".into(), source: None })
    }
}

#[async_trait]
impl Ledger for NoLedger {
    fn capability(&self) -> LedgerCapability {
        LedgerCapability::new(false)
    }

    async fn bind(&self, _environment: Environment) -> Result<(), LedgerError> {
        Self::refuse()
    }

    async fn environment(&self) -> Result<Option<Environment>, LedgerError> {
        Self::refuse()
    }

    async fn receive(&self, _batch: ReceiveBatch) -> Result<Vec<Reception>, LedgerError> {
        Self::refuse()
    }

    async fn cursor(&self, _source: &str) -> Result<Option<Cursor>, LedgerError> {
        Self::refuse()
    }

    async fn claim(&self, _request: ClaimRequest) -> Result<Vec<Claimed>, LedgerError> {
        Self::refuse()
    }

    async fn release(&self, _worker: &WorkerId, _documents: &[DocumentId]) -> Result<(), LedgerError> {
        Self::refuse()
    }

    async fn intend(&self, _intent: NewIntent) -> Result<Intent, LedgerError> {
        Self::refuse()
    }

    async fn record(&self, _attempt: AttemptId, _outcome: AttemptOutcome) -> Result<(), LedgerError> {
        Self::refuse()
    }

    async fn settle(
        &self,
        _worker: &WorkerId,
        _document: DocumentId,
        _settlement: Settlement,
    ) -> Result<(), LedgerError> {
        Self::refuse()
    }

    async fn decide(&self, _document: DocumentId, _decision: Decision) -> Result<(), LedgerError> {
        Self::refuse()
    }

    async fn reject_by_registry(&self, _irns: &[Irn]) -> Result<Vec<DocumentId>, LedgerError> {
        Self::refuse()
    }

    async fn pending_write_back(
        &self,
        _target: &str,
        _sources: &[String],
        _limit: usize,
    ) -> Result<Vec<Receipt>, LedgerError> {
        Self::refuse()
    }

    async fn delivered(&self, _target: &str, _receipts: &[(i64, u32)]) -> Result<(), LedgerError> {
        Self::refuse()
    }

    async fn query(&self, _query: Query) -> Result<Vec<DocumentStatus>, LedgerError> {
        Self::refuse()
    }

    async fn payload(&self, _document: DocumentId) -> Result<Option<Bytes>, LedgerError> {
        Self::refuse()
    }

    async fn audit(&self, _document: DocumentId) -> Result<Vec<AuditEntry>, LedgerError> {
        Self::refuse()
    }
}

#[async_trait]
impl JobBook for NoLedger {
    async fn plan(&self, _job: NewJob) -> Result<JobId, LedgerError> {
        Self::refuse()
    }

    async fn claim_jobs(&self, _claim: JobClaim) -> Result<Vec<Job>, LedgerError> {
        Self::refuse()
    }

    async fn release_jobs(&self, _worker: &WorkerId, _jobs: &[JobId]) -> Result<(), LedgerError> {
        Self::refuse()
    }

    async fn begin_step(&self, _worker: &WorkerId, _job: JobId, _intent: StepIntent) -> Result<(), LedgerError> {
        Self::refuse()
    }

    async fn end_step(&self, _worker: &WorkerId, _job: JobId, _outcome: StepOutcome) -> Result<(), LedgerError> {
        Self::refuse()
    }

    async fn decide_job(&self, _job: JobId, _decision: JobDecision) -> Result<(), LedgerError> {
        Self::refuse()
    }

    async fn withdraw(&self, _job: JobId, _reason: &str) -> Result<(), LedgerError> {
        Self::refuse()
    }

    async fn jobs(&self, _query: JobQuery) -> Result<Vec<Job>, LedgerError> {
        Self::refuse()
    }

    async fn bills(&self, _query: BillQuery) -> Result<Vec<Bill>, LedgerError> {
        Self::refuse()
    }

    async fn learn_bill(&self, _bill: Bill) -> Result<(), LedgerError> {
        Self::refuse()
    }

    async fn learn_cancellation(&self, _document: DocumentId, _told: Cancellation) -> Result<(), LedgerError> {
        Self::refuse()
    }
}
