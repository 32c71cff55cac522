//! Many rows as the arguments of one statement.
//!
//! Every statement crosses to the thread in which `sqlx` runs SQLite and back, so the ledger writes
//! with few statements for many rows: their short columns are one JSON list, which the statement reads
//! with `json_each`, and their long ones lie in one run of bytes, out of which `substr` takes them
//! without JSON in between.

use serde::Serialize;
use sqlx::SqliteConnection;

use crate::codec;
use crate::fault::Fault;

/// Bytes beside the rows of one statement, from which on it is time to run it: a batch of large
/// documents is then not held twice. SQLite itself takes a billion.
const BYTES_MAX: usize = 4 << 20;

/// Rows to be written by one statement: `$1` is the list, `$2` are the bytes.
///
/// Parameters are written `$1` and not `?1`: SQLite counts the numbers that a statement leaves out as
/// parameters too, and `sqlx` would bind them by their order.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    list: String,
    bytes: Vec<u8>,
}

impl Rows {
    /// Adds a row.
    pub(crate) fn push(&mut self, row: &impl Serialize) -> Result<(), Fault> {
        self.push_json(&codec::to_json(row)?);
        Ok(())
    }

    /// Adds a row that is JSON already.
    pub(crate) fn push_json(&mut self, row: &str) {
        self.list.push(if self.list.is_empty() { '[' } else { ',' });
        self.list.push_str(row);
    }

    /// Adds bytes and says where they start, counted from 1 as `substr` counts.
    pub(crate) fn put(&mut self, bytes: &[u8]) -> usize {
        let start = self.bytes.len() + 1;
        self.bytes.extend_from_slice(bytes);
        start
    }

    /// Whether the statement should run before more is added.
    pub(crate) fn is_large(&self) -> bool {
        self.bytes.len() + self.list.len() >= BYTES_MAX
    }

    /// Runs the statement over the rows and forgets them; no rows, no statement.
    pub(crate) async fn execute(&mut self, connection: &mut SqliteConnection, sql: &'static str) -> Result<(), Fault> {
        if self.list.is_empty() {
            return Ok(());
        }
        let mut list = std::mem::take(&mut self.list);
        list.push(']');
        sqlx::query(sql).bind(list).bind(std::mem::take(&mut self.bytes)).execute(connection).await?;
        Ok(())
    }
}
