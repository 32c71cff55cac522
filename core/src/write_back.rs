//! The contract of a place where results go.

use std::collections::BTreeMap;
use std::fmt;

use async_trait::async_trait;

use crate::BoxError;
use crate::receipt::Receipt;
use crate::source::SourceRef;

/// Writes results into the books, or beside them.
#[async_trait]
pub trait WriteBack: fmt::Debug + Send + Sync {
    /// What this target can do.
    fn capability(&self) -> &WriteBackCapability;

    /// Delivers receipts and says for each, in order, whether the books now show it.
    ///
    /// Delivering the same receipt again changes nothing. A newer revision replaces an older one of
    /// the same document; an older one after a newer is reported as delivered and ignored.
    /// Revisions are compared within one ledger: what another ledger brings replaces what is there
    /// ([`Edition::covers`](crate::receipt::Edition::covers)).
    ///
    /// # Errors
    /// [`WriteBackError`] when nothing at all could be delivered.
    ///
    /// # Cancellation
    /// Dropping the future leaves each receipt delivered wholly or not at all.
    async fn deliver(&self, receipts: &[Receipt]) -> Result<Vec<Delivery>, WriteBackError>;

    /// Shows what was kept ([`Delivery::Kept`]) since the last call, and says for each receipt whether the books now show
    /// it. A target that keeps nothing has nothing to do.
    ///
    /// The receipts of one run come in batches, and a file that holds all of them is best written once. The ledger owes
    /// what is kept until this says that it is shown, so a target need not remember it over a crash: it is handed over
    /// again.
    ///
    /// # Errors
    /// [`WriteBackError`] when nothing of it could be shown.
    ///
    /// # Cancellation
    /// As [`deliver`](Self::deliver).
    async fn finish(&self) -> Result<Vec<Finished>, WriteBackError> {
        Ok(Vec::new())
    }

    /// Reads what the books show for these records: field name to value, `None` for a record the
    /// books do not know. Only where the capability says so.
    ///
    /// # Errors
    /// [`WriteBackError`] where reading back is not possible.
    async fn read_back(
        &self,
        references: &[SourceRef],
    ) -> Result<Vec<Option<BTreeMap<String, String>>>, WriteBackError>;
}

/// What a write-back target can do.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct WriteBackCapability {
    /// A batch is delivered wholly or not at all.
    pub atomic_batches: bool,
    /// `read_back` works.
    pub reads_back: bool,
    /// Most receipts in one call that make sense here.
    pub batch_max: usize,
    /// What the target stores, for people: `irn`, `ack_no`, `signed_qr`, `ewb_no`, `findings` ...
    pub fields: Vec<&'static str>,
    /// How results reach the books, in a sentence: in place, or by a file somebody imports.
    pub note: &'static str,
}

impl WriteBackCapability {
    /// Describes a target.
    #[must_use]
    pub const fn new(
        atomic_batches: bool,
        reads_back: bool,
        batch_max: usize,
        fields: Vec<&'static str>,
        note: &'static str,
    ) -> Self {
        Self { atomic_batches, reads_back, batch_max, fields, note }
    }
}

/// A way in which a target brings results into the books, for whoever chooses settings: a plugin registers all that it has
/// ([`register_write_back!`](crate::register_write_back)).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a choice and what comes of it")]
pub struct WriteBackWay {
    /// The settings that choose it, as `url, fallback = "narration"`. Empty where there is no other.
    pub settings: &'static str,
    /// What a target with these settings says of itself: [`WriteBackCapability::note`].
    pub note: &'static str,
}

/// What became of one receipt.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "the books show it, or will, or do not")]
pub enum Delivery {
    /// The books show it.
    Done,
    /// They show it once [`WriteBack::finish`] says so; until then it is owed.
    Kept,
    /// They do not; it will be tried again.
    Failed {
        /// What went wrong and what to do.
        reason: String,
    },
}

/// What became of a receipt that was kept.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a receipt, and what became of it")]
pub struct Finished {
    /// [`Receipt::reference_id`] of the receipt.
    pub reference_id: i64,
    /// [`Receipt::revision`] of it.
    pub revision: u32,
    /// Whether the books show it.
    pub delivery: Delivery,
}

/// Why nothing could be delivered or read.
#[derive(Debug, thiserror::Error)]
#[error("{target}: {reason}")]
pub struct WriteBackError {
    /// File, folder, table or company.
    pub target: String,
    /// What is wrong and what to do.
    pub reason: String,
    /// The underlying error.
    #[source]
    pub source: Option<BoxError>,
}

impl WriteBackError {
    /// Makes an error about a target.
    pub fn new(target: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { target: target.into(), reason: reason.into(), source: None }
    }

    /// Adds the underlying error.
    #[must_use]
    pub fn because(mut self, source: impl Into<BoxError>) -> Self {
        self.source = Some(source.into());
        self
    }
}
