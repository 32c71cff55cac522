//! What the writer works with: the connection, the time, the next numbers.

use std::time::Duration;

use einvoice_core::clock::SharedClock;
use jiff::Timestamp;
use sqlx::SqliteConnection;

use crate::fault::Fault;
use crate::lock::ProcessLock;

/// What a call works with inside the transaction.
#[derive(Debug)]
pub(crate) struct Desk {
    pub(crate) connection: SqliteConnection,
    pub(crate) clock: SharedClock,
    pub(crate) settle_wait: Duration,
    /// Name of the ledger in messages.
    pub(crate) ledger: String,
    /// Released once the connection is closed.
    pub(crate) lock: ProcessLock,
    numbers: Option<Numbers>,
}

/// The numbers given last. The one writer of the file gives them itself, so that rows which refer to
/// each other are written without asking in between.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Numbers {
    pub(crate) document: i64,
    pub(crate) reference: i64,
    pub(crate) attempt: i64,
    pub(crate) reply: i64,
}

const LAST_NUMBERS: &str = "SELECT (SELECT coalesce(max(id), 0) FROM document), \
     (SELECT coalesce(max(id), 0) FROM reference), (SELECT coalesce(max(id), 0) FROM attempt), \
     (SELECT coalesce(max(id), 0) FROM reply)";

impl Desk {
    pub(crate) fn new(
        connection: SqliteConnection,
        clock: SharedClock,
        settle_wait: Duration,
        ledger: String,
        lock: ProcessLock,
    ) -> Self {
        Self { connection, clock, settle_wait, ledger, lock, numbers: None }
    }

    /// The present moment, as exact as the file keeps it.
    pub(crate) fn now(&self) -> Timestamp {
        let now = self.clock.now();
        Timestamp::from_microsecond(now.as_microsecond()).unwrap_or(now)
    }

    /// The numbers given last, to be counted on from.
    pub(crate) async fn numbers(&mut self) -> Result<&mut Numbers, Fault> {
        if self.numbers.is_none() {
            let (document, reference, attempt, reply) =
                sqlx::query_as(LAST_NUMBERS).fetch_one(&mut self.connection).await?;
            self.numbers = Some(Numbers { document, reference, attempt, reply });
        }
        self.numbers.as_mut().ok_or_else(|| Fault::Misuse("the next numbers are not known".to_owned()))
    }

    pub(crate) async fn begin(&mut self) -> Result<(), Fault> {
        sqlx::query("BEGIN IMMEDIATE").execute(&mut self.connection).await?;
        Ok(())
    }

    pub(crate) async fn commit(&mut self) -> Result<(), Fault> {
        sqlx::query("COMMIT").execute(&mut self.connection).await?;
        Ok(())
    }

    /// Begins a part of the transaction that can be undone by itself.
    pub(crate) async fn mark(&mut self) -> Result<(), Fault> {
        sqlx::query("SAVEPOINT part").execute(&mut self.connection).await?;
        Ok(())
    }

    /// Ends the part: a refused call leaves nothing. What SQLite itself refused undoes the whole group.
    pub(crate) async fn keep_or_undo<T>(&mut self, answer: Result<T, Fault>) -> Result<Result<T, Fault>, Fault> {
        let end = match &answer {
            Err(Fault::Sql(_)) => return answer.map(Ok),
            Err(_) => "ROLLBACK TO part; RELEASE part",
            Ok(_) => "RELEASE part",
        };
        sqlx::raw_sql(end).execute(&mut self.connection).await?;
        Ok(answer)
    }

    /// Undoes what was not committed, the numbers given included.
    pub(crate) async fn undo(&mut self) {
        self.numbers = None;
        // A full disk may have ended the transaction already, and then there is none to undo.
        let _undone = sqlx::query("ROLLBACK").execute(&mut self.connection).await;
    }
}

/// The number after `last`.
pub(crate) fn next(last: &mut i64) -> i64 {
    *last += 1;
    *last
}
