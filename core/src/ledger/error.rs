//! Why a ledger could not do something.

use crate::BoxError;
use crate::environment::Environment;
use crate::job::{JobId, JobState};
use crate::ledger::{AttemptId, DocumentId, WorkerId};
use crate::state::DocumentState;

/// Why the ledger could not do something.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LedgerError {
    /// The move is not in the table of legal moves. A fault of ours.
    #[error("document {document:?} cannot become {to} from {from}")]
    IllegalMove {
        /// Which document.
        document: DocumentId,
        /// Its state.
        from: DocumentState,
        /// The state asked for.
        to: DocumentState,
    },
    /// An outcome for an attempt that was never stored. A fault of ours.
    #[error("attempt {attempt:?} has no stored intent")]
    NoIntent {
        /// Which attempt.
        attempt: AttemptId,
    },
    /// Another worker holds the document, or the lease is over.
    #[error("document {document:?} is not with worker {}", worker.0)]
    NotClaimed {
        /// Which document.
        document: DocumentId,
        /// Who asked.
        worker: WorkerId,
    },
    /// The intent is for other bytes than those of the current revision. A fault of ours.
    #[error("document {document:?} is not what is about to be sent: the payload has another hash")]
    OtherPayload {
        /// Which document.
        document: DocumentId,
    },
    /// There is an open job for the same document or bill.
    #[error("job {} is under way for the same document or bill: {what}", .job.0)]
    JobUnderWay {
        /// Which job.
        job: JobId,
        /// What it does and where it stands.
        what: String,
    },
    /// Another worker holds the job, or the lease is over.
    #[error("job {} is not with worker {}", .job.0, .worker.0)]
    JobNotClaimed {
        /// Which job.
        job: JobId,
        /// Who asked.
        worker: WorkerId,
    },
    /// A job cannot make this move. A fault of ours.
    #[error("job {} cannot become {to} from {from}", .job.0)]
    IllegalJobMove {
        /// Which job.
        job: JobId,
        /// Its state.
        from: JobState,
        /// The state asked for.
        to: JobState,
    },
    /// There is no such job.
    #[error("there is no job {}", .job.0)]
    NoJob {
        /// Which job.
        job: JobId,
    },
    /// There is no such document.
    #[error("there is no document {document:?}")]
    NoDocument {
        /// Which document.
        document: DocumentId,
    },
    /// Another process uses this ledger.
    #[error("{ledger} is in use by another process{holder}: end it first, or use a ledger that can be shared")]
    InUse {
        /// Which ledger.
        ledger: String,
        /// Who holds it, as far as known (" (process 123)"), or empty.
        holder: String,
    },
    /// The ledger belongs to the other environment. Nothing was changed.
    #[error(
        "{ledger} belongs to environment {holds}, and the routes lead to {}: what is registered in one of them is not registered in \
         the other; give {} a ledger of its own ([ledger] path), best in a configuration of its own (--config FILE)",
        .holds.other(),
        .holds.other()
    )]
    OtherEnvironment {
        /// Which ledger.
        ledger: String,
        /// The environment it belongs to.
        holds: Environment,
    },
    /// There is no such ledger yet, and nobody asked for it to be made.
    #[error("{ledger} does not exist yet")]
    Absent {
        /// Which ledger.
        ledger: String,
    },
    /// The ledger cannot be opened, read or written.
    #[error("{ledger} failed: {reason}")]
    Storage {
        /// Which ledger.
        ledger: String,
        /// What was tried and what to do.
        reason: String,
        /// The underlying error.
        #[source]
        source: Option<BoxError>,
    },
    /// The ledger holds something that it should not. Nothing was changed.
    #[error("{ledger} is damaged: {reason}")]
    Damaged {
        /// Which ledger.
        ledger: String,
        /// What is wrong.
        reason: String,
    },
}
