//! The contract of the ledger: the durable memory of what was received, intended and answered.
//!
//! A ledger is the only judge of what may be sent. It makes intent durable before a byte leaves,
//! keeps every outcome, refuses illegal moves and hands work to one worker at a time.

mod decision;
mod error;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::document::Difference;
use crate::entropy::{Entropy, EntropyError};
use crate::environment::{Environment, RouteName};
use crate::ewb::Standing;
use crate::finding::Finding;
use crate::identifier::Gstin;
use crate::irn::Irn;
use crate::job::{Cancellation, JobBook};
use crate::key::DocumentKey;
use crate::operation::{InfoDetail, Registration};
use crate::portal_code::PortalError;
use crate::receipt::Receipt;
use crate::source::{Arrival, Cursor, SourceRef};
use crate::state::{DocumentState, EwbState};
use crate::verify::Proof;

pub use decision::{Decision, HandOver, NotAnAcknowledgement, ReadByHand};
pub use error::LedgerError;

/// The durable memory of the pipeline.
///
/// When a method returns `Ok`, what it says is durable: it survives the death of the process and of
/// the machine. When a future is dropped, its write happens wholly or not at all, and asking again
/// tells which.
#[async_trait]
pub trait Ledger: JobBook {
    /// What this ledger can do.
    fn capability(&self) -> LedgerCapability;

    /// Binds the ledger to an environment, as what one of them registered counts for nothing in the other. The first
    /// call decides for good; a further one for the same environment changes nothing.
    ///
    /// # Errors
    /// [`LedgerError::OtherEnvironment`] when it is bound to the other one.
    async fn bind(&self, environment: Environment) -> Result<(), LedgerError>;

    /// The environment that the ledger is bound to, if any.
    ///
    /// # Errors
    /// [`LedgerError`] when the ledger cannot be read.
    async fn environment(&self) -> Result<Option<Environment>, LedgerError>;

    /// Takes in documents of one source, and the cursor reached with them, in one transaction.
    /// Answers in the order of the documents.
    ///
    /// Each arrival of a record is answered: every result is owed to each of them, the present one to a new arrival
    /// too, and nothing is sent again for it. Once a revision has come by another arrival, the earlier ones of the
    /// same source have their last answer: what they are owed by then.
    ///
    /// For each document, in this order:
    /// 1. a record of this source with the same `record_id` and the same content: `Unchanged`, except
    ///    that an `Invalid` document is judged anew, as rules, masters and the day change: a new
    ///    revision as in 2 when it passes, or when its first record brings other findings (their
    ///    places do not count); the stored position and attributes of this arrival (of the last one, where
    ///    none is told) are brought up to date;
    /// 2. such a record with other content: a new revision where the state allows one (`Invalid`,
    ///    `Refused`, `Ready`) and no other document holds its key, else `Clash`;
    /// 3. another record holds the same key: with the same content `Duplicate` (the record becomes a
    ///    second reference to that document), with other content `Clash`, and nothing is stored;
    /// 4. otherwise `New`.
    ///
    /// # Errors
    /// [`LedgerError`]; nothing of the batch is stored then.
    async fn receive(&self, batch: ReceiveBatch) -> Result<Vec<Reception>, LedgerError>;

    /// The cursor stored with the last batch of a source.
    ///
    /// # Errors
    /// [`LedgerError`] when the ledger cannot be read.
    async fn cursor(&self, source: &str) -> Result<Option<Cursor>, LedgerError>;

    /// Hands documents to a worker, oldest first, for as long as the lease lasts. A document is with
    /// one worker at a time; an expired lease frees it. `Sent` documents without an outcome whose
    /// lease is over become `Unknown` here and are handed out to be settled.
    ///
    /// # Errors
    /// [`LedgerError`] when the ledger cannot be written.
    async fn claim(&self, request: ClaimRequest) -> Result<Vec<Claimed>, LedgerError>;

    /// Gives claimed documents back untouched.
    ///
    /// # Errors
    /// [`LedgerError`] when the ledger cannot be written; the lease then ends by itself.
    async fn release(&self, worker: &WorkerId, documents: &[DocumentId]) -> Result<(), LedgerError>;

    /// Stores the intent to send a claimed document: `Ready` becomes `Sent`. The attempt that is
    /// returned must be recorded.
    ///
    /// # Errors
    /// [`LedgerError::IllegalMove`] unless the document is `Ready`; [`LedgerError::NotClaimed`] when
    /// another worker holds it; [`LedgerError::OtherPayload`] when what is to be sent is not the
    /// payload of its current revision.
    async fn intend(&self, intent: NewIntent) -> Result<Intent, LedgerError>;

    /// Records what became of an attempt: `Sent` becomes `Registered`, `Refused` (and `Burnt`),
    /// `Unknown`, or `Ready` when nothing was sent. Releases the document. Recording the same
    /// outcome again changes nothing.
    ///
    /// # Errors
    /// [`LedgerError::NoIntent`] for an attempt that was never stored; [`LedgerError::IllegalMove`].
    async fn record(&self, attempt: AttemptId, outcome: AttemptOutcome) -> Result<(), LedgerError>;

    /// Records what asking the portal brought for an `Unknown` document, and releases it.
    ///
    /// # Errors
    /// [`LedgerError::IllegalMove`] unless the document is `Unknown`; [`LedgerError::NotClaimed`].
    async fn settle(&self, worker: &WorkerId, document: DocumentId, settlement: Settlement) -> Result<(), LedgerError>;

    /// Stores a person's decision on a `Conflict`, or on an `Unknown` document that was handed over. What was
    /// handed over stays so, and what is registered for certain stays that, until the outcome is settled.
    ///
    /// # Errors
    /// [`LedgerError::IllegalMove`] when the document's state leaves nothing to decide, nothing of the portal's
    /// that could be adopted is on record, the portal can still be asked, or a document that is registered for
    /// certain would be sent again.
    async fn decide(&self, document: DocumentId, decision: Decision) -> Result<(), LedgerError>;

    /// Marks registered documents whose IRN stands on the portal's list of rejected ones, and answers which
    /// they are. Others are passed over.
    ///
    /// # Errors
    /// [`LedgerError`] when the ledger cannot be written.
    async fn reject_by_registry(&self, irns: &[Irn]) -> Result<Vec<DocumentId>, LedgerError>;

    /// Receipts that `target` has not got yet, oldest first, of these sources (all when empty).
    ///
    /// # Errors
    /// [`LedgerError`] when the ledger cannot be read.
    async fn pending_write_back(
        &self,
        target: &str,
        sources: &[String],
        limit: usize,
    ) -> Result<Vec<Receipt>, LedgerError>;

    /// The same without the first `skip` of them, which stay owed: a target has refused them, or keeps them until it has
    /// all. A ledger that can leave them out without reading them does so.
    ///
    /// # Errors
    /// [`LedgerError`] when the ledger cannot be read.
    async fn pending_write_back_after(
        &self,
        target: &str,
        sources: &[String],
        skip: usize,
        limit: usize,
    ) -> Result<Vec<Receipt>, LedgerError> {
        let mut receipts = self.pending_write_back(target, sources, limit.saturating_add(skip)).await?;
        Ok(receipts.split_off(skip.min(receipts.len())))
    }

    /// Remembers that `target` has these revisions (reference id, revision).
    ///
    /// # Errors
    /// [`LedgerError`] when the ledger cannot be written.
    async fn delivered(&self, target: &str, receipts: &[(i64, u32)]) -> Result<(), LedgerError>;

    /// Documents, in the order of their ids, from `query.after` on.
    ///
    /// # Errors
    /// [`LedgerError`] when the ledger cannot be read.
    async fn query(&self, query: Query) -> Result<Vec<DocumentStatus>, LedgerError>;

    /// The document as it is sent, or was sent: the canonical JSON of its present revision. Nothing where the
    /// revision could not be sent.
    ///
    /// # Errors
    /// [`LedgerError::NoDocument`]; [`LedgerError`] when the ledger cannot be read.
    async fn payload(&self, document: DocumentId) -> Result<Option<Bytes>, LedgerError>;

    /// Everything that ever happened to a document, oldest first.
    ///
    /// # Errors
    /// [`LedgerError`] when the ledger cannot be read.
    async fn audit(&self, document: DocumentId) -> Result<Vec<AuditEntry>, LedgerError>;
}

/// What a ledger can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct LedgerCapability {
    /// Several processes may use it at once.
    pub shared_between_processes: bool,
}

impl LedgerCapability {
    /// Describes a ledger.
    #[must_use]
    pub const fn new(shared_between_processes: bool) -> Self {
        Self { shared_between_processes }
    }
}

/// Number of a document in a ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DocumentId(pub i64);

/// Number of an attempt in a ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AttemptId(pub i64);

/// Identity of a ledger: given when it is made, kept as long as it lives, another for each.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LedgerId(pub String);

impl LedgerId {
    /// One for a ledger that is being made: sixteen hexadecimal digits.
    ///
    /// # Errors
    /// [`EntropyError`] when there are no random bytes.
    pub fn random(entropy: &dyn Entropy) -> Result<Self, EntropyError> {
        let mut bytes = [0; 8];
        entropy.fill(&mut bytes)?;
        Ok(Self(format!("{:016x}", u64::from_be_bytes(bytes))))
    }
}

/// Name of a worker, unique among those sharing a ledger.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct WorkerId(pub String);

/// Documents of one source to take in together.
#[derive(Debug, Clone)]
pub struct ReceiveBatch {
    /// Name of the configured source.
    pub source: String,
    /// The cursor that these documents complete, if any.
    pub cursor: Option<Cursor>,
    /// The documents, in the order they were read.
    pub documents: Vec<NewDocument>,
}

/// A document as it was received and judged.
#[derive(Debug, Clone)]
pub struct NewDocument {
    /// The record it came from.
    pub reference: SourceRef,
    /// By which arrival it came, where the source wants each one answered.
    pub arrival: Option<Arrival>,
    /// What write-back wants handed back.
    pub attributes: BTreeMap<String, String>,
    /// What a person may call it.
    pub label: String,
    /// Its key, when it could be read.
    pub key: Option<DocumentKey>,
    /// SHA-256 of what decides whether it changed: the canonical document as far as it could be read.
    pub content_hash: [u8; 32],
    /// The judgement.
    pub verdict: Verdict,
    /// All findings, warnings included.
    pub findings: Vec<Finding>,
}

/// Whether a document may be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "it may be sent or it may not")]
pub enum Verdict {
    /// It passed every rule.
    Ready {
        /// The canonical JSON to send.
        payload: Bytes,
        /// The IRN it will have.
        irn: Irn,
    },
    /// It breaks a rule. The document as far as it could be read is kept for people.
    Invalid {
        /// Canonical JSON of what there is.
        payload: Option<Bytes>,
    },
}

/// What the ledger made of a received document.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "complete by the contract of `receive`")]
pub enum Reception {
    /// Never seen before.
    New {
        /// Its number.
        id: DocumentId,
        /// Its state.
        state: DocumentState,
    },
    /// Seen before with the same content.
    Unchanged {
        /// Its number.
        id: DocumentId,
        /// Its state.
        state: DocumentState,
    },
    /// A corrected revision was taken in.
    Revised {
        /// Its number.
        id: DocumentId,
        /// Its state.
        state: DocumentState,
    },
    /// Another record brought the same document before; both now refer to it.
    Duplicate {
        /// Its number.
        id: DocumentId,
        /// Its state.
        state: DocumentState,
        /// The record that came first.
        first: SourceRef,
    },
    /// The key is taken by a document with other content, or the record was changed after its
    /// document had been sent. Nothing was stored.
    Clash {
        /// The document that holds the key.
        id: DocumentId,
        /// Its state.
        state: DocumentState,
        /// The record that it came from.
        first: SourceRef,
        /// Its key.
        key: Option<DocumentKey>,
    },
}

/// A wish for work.
#[derive(Debug, Clone)]
pub struct ClaimRequest {
    /// Who asks.
    pub worker: WorkerId,
    /// What kind of work.
    pub work: Work,
    /// Most documents to hand out.
    pub limit: usize,
    /// For how long.
    pub lease: Duration,
    /// Suppliers that are stopped at present.
    pub skip_suppliers: BTreeSet<Gstin>,
}

/// Kinds of work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Work {
    /// `Ready` documents, to be sent.
    Send,
    /// `Unknown` documents whose time to ask has come.
    Settle,
}

/// A document in the hands of a worker.
#[derive(Debug, Clone)]
pub struct Claimed {
    /// Its number.
    pub id: DocumentId,
    /// Its key.
    pub key: DocumentKey,
    /// Its state.
    pub state: DocumentState,
    /// What to send, or what was sent.
    pub payload: Bytes,
    /// SHA-256 of the payload.
    pub payload_hash: [u8; 32],
    /// The IRN as computed here.
    pub irn: Irn,
    /// The last attempt, if any.
    pub last_attempt: Option<Intent>,
    /// Whether any attempt since the last clear "nothing was sent" may have reached the portal. A
    /// resend then goes to the same route and site, whose own duplicate check protects.
    pub pinned: bool,
    /// How often the portal was asked about it since it became unknown.
    pub asked: u32,
    /// Portal errors of the reply that left the outcome open, if there was one.
    pub open_errors: Vec<PortalError>,
    /// What the portal said beside them (for 2150: the earlier registration).
    pub open_info: Vec<InfoDetail>,
    /// What a person was asked, where asking the portal told no more.
    pub hand_over: Option<HandOver>,
}

/// The intent to send a document.
#[derive(Debug, Clone)]
pub struct NewIntent {
    /// Which document.
    pub document: DocumentId,
    /// Who sends it.
    pub worker: WorkerId,
    /// By which route.
    pub route: RouteName,
    /// To which site of the portal.
    pub site: String,
    /// With whose login.
    pub gstin: Gstin,
    /// SHA-256 of exactly what is sent.
    pub payload_hash: [u8; 32],
}

/// A durable, numbered intent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intent {
    /// Its number in the ledger.
    pub attempt: AttemptId,
    /// The document.
    pub document: DocumentId,
    /// First, second, ... attempt for this document.
    pub number: u32,
    /// By which route.
    pub route: RouteName,
    /// To which site of the portal.
    pub site: String,
    /// With whose login.
    pub gstin: Gstin,
    /// SHA-256 of exactly what is sent.
    pub payload_hash: [u8; 32],
    /// When it was stored.
    pub at: Timestamp,
}

/// What became of an attempt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "outcome")]
#[expect(clippy::exhaustive_enums, reason = "an outcome is one of these and nothing else")]
pub enum AttemptOutcome {
    /// The document was certainly not looked at: nothing left this machine, or the call was turned
    /// away at the door (token, client pair, rate limit).
    NotSent {
        /// Why.
        reason: String,
    },
    /// Registered and judged to be ours.
    Registered {
        /// The registration, whole.
        registration: Box<Registration>,
        /// How far it is proven.
        proof: Proof,
    },
    /// Refused, proven so.
    Refused {
        /// The portal's errors.
        errors: Vec<PortalError>,
        /// What it said beside them.
        info: Vec<InfoDetail>,
        /// The number can never be used again (2278).
        burnt: bool,
    },
    /// Not known.
    Unknown {
        /// What happened.
        reason: String,
        /// When to ask the portal, at the earliest.
        ask_at: Timestamp,
        /// The portal's errors, when it answered without clearing the outcome.
        errors: Vec<PortalError>,
        /// What it said beside them.
        info: Vec<InfoDetail>,
    },
}

/// What asking the portal brought.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "settlement")]
#[expect(clippy::exhaustive_enums, reason = "a settlement is one of these and nothing else")]
pub enum Settlement {
    /// It is registered, and ours.
    Registered {
        /// The registration, whole.
        registration: Box<Registration>,
        /// How far it is proven.
        proof: Proof,
    },
    /// It was registered and has been cancelled.
    Cancelled {
        /// The registration, whole.
        registration: Box<Registration>,
    },
    /// It was refused.
    Refused {
        /// The portal's errors.
        errors: Vec<PortalError>,
        /// The number can never be used again (2278).
        burnt: bool,
    },
    /// The portal holds another document under the key.
    Conflict {
        /// The registration, whole.
        registration: Box<Registration>,
        /// Field by field.
        differences: Vec<Difference>,
    },
    /// A clear "not there" from the site and GSTIN the attempt went to: it may be sent again, to the
    /// same site.
    NotThere {
        /// The portal's errors.
        errors: Vec<PortalError>,
    },
    /// Still not known.
    StillUnknown {
        /// Why.
        reason: String,
        /// When to ask again, at the earliest.
        ask_at: Timestamp,
        /// What a person is asked, where asking the portal alone will not clear it any more.
        #[serde(default)]
        hand_over: Option<HandOver>,
    },
}

/// A wish to see documents.
#[derive(Debug, Clone, Default)]
pub struct Query {
    /// Only the document of this key.
    pub key: Option<DocumentKey>,
    /// Only those whose key, label or IRN contains this text (letter case does not matter).
    pub text: Option<String>,
    /// Only documents in these states; all when empty.
    pub states: Vec<DocumentState>,
    /// Only documents of this source.
    pub source: Option<String>,
    /// Only those after this number.
    pub after: Option<DocumentId>,
    /// At most so many; 0 means 1,000.
    pub limit: usize,
}

/// A document as a person sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DocumentStatus {
    /// Its number.
    pub id: DocumentId,
    /// What a person may call it.
    pub label: String,
    /// Its key.
    pub key: Option<DocumentKey>,
    /// Its IRN.
    pub irn: Option<Irn>,
    /// Where it stands.
    pub state: DocumentState,
    /// Where its e-way bill stands.
    pub ewb_state: EwbState,
    /// Whether every target that ever delivered for it has its latest revision.
    pub delivered: bool,
    /// Name of the source of its first record.
    pub source: String,
    /// Its first record.
    pub reference: SourceRef,
    /// Route of the last attempt.
    pub route: Option<RouteName>,
    /// Site that issued the registration; before there is one, site of the last attempt.
    pub site: Option<String>,
    /// The registration, once there is one.
    pub registration: Option<Registration>,
    /// How far it is proven.
    pub proof: Option<Proof>,
    /// Its present e-way bill.
    pub ewb: Option<Standing>,
    /// Its cancellation.
    pub cancellation: Option<Cancellation>,
    /// Field-by-field difference of a conflict.
    pub differences: Vec<Difference>,
    /// Findings and portal errors.
    pub findings: Vec<Finding>,
    /// When the portal is asked about it next, while its outcome is unknown.
    pub ask_at: Option<Timestamp>,
    /// What a person is asked about it, where asking the portal told no more.
    pub hand_over: Option<HandOver>,
    /// When it was received.
    pub received_at: Timestamp,
    /// When it last changed.
    pub changed_at: Timestamp,
}

/// One event in the life of a document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEntry {
    /// When.
    pub at: Timestamp,
    /// From which state; absent for the first entry.
    pub from: Option<DocumentState>,
    /// To which state.
    pub to: DocumentState,
    /// What happened, in a sentence.
    pub event: String,
    /// Everything known about it, as JSON.
    pub details: String,
}
