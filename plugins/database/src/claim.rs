//! Claiming: which rows are due, and who works on them.
//!
//! A row is claimed by writing a worker's name and the moment into it. A worker that is alive renews its claims; one
//! that is not loses them after the lease, and one that is started again under its old name goes on with them at once.
//! The moments are the server's, the only clock that all workers share.

use crate::config::{SourceConfig, StatusWords};
use crate::dialect::{Dialect, Statement};
use crate::fault::Fault;
use crate::pool::{Database, Row, Transact};
use crate::table::{Column, Relation};

/// The columns and the words by which rows are claimed.
#[derive(Debug)]
pub(crate) struct Claims {
    dialect: Dialect,
    pub(crate) table: Relation,
    key: Column,
    status: Column,
    claimed_by: Column,
    claimed_at: Column,
    attempts: Option<Column>,
    next_try_at: Option<Column>,
    pub(crate) words: StatusWords,
    worker: String,
    lease_seconds: u64,
    page: usize,
    skips_locked: bool,
}

/// Why rows are due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Due {
    /// They are new.
    New,
    /// Somebody wants them to be tried again.
    Retry,
    /// Their worker shows no sign of life.
    Abandoned,
}

impl Claims {
    pub(crate) async fn new(
        transaction: &mut Transact,
        dialect: Dialect,
        config: &SourceConfig,
        name: &str,
    ) -> Result<Self, Fault> {
        let table = Relation::table(transaction, dialect, name).await?;
        let names = &config.columns;
        let required = |named: &Option<String>, default: &str| {
            table.required(named.as_deref().unwrap_or(default)).cloned().map_err(|mut fault| {
                fault.reason = format!(
                    "{}; rows can be claimed only where it is there: {}",
                    fault.reason,
                    add_column(dialect, &table, named.as_deref().unwrap_or(default), default)
                );
                fault
            })
        };
        Ok(Self {
            dialect,
            key: table.required(&config.key)?.clone(),
            status: required(&names.status, "status")?,
            claimed_by: required(&names.claimed_by, "claimed_by")?,
            claimed_at: required(&names.claimed_at, "claimed_at")?,
            attempts: table.optional(names.attempts.as_deref(), "attempts")?.cloned(),
            next_try_at: table.optional(names.next_try_at.as_deref(), "next_try_at")?.cloned(),
            words: config.status.clone(),
            worker: config.worker.clone().unwrap_or_default(),
            lease_seconds: config.lease_seconds,
            page: usize::try_from(config.page_rows).unwrap_or(1).max(1),
            skips_locked: skips_locked(transaction, dialect).await?,
            table,
        })
    }

    fn name(&self, column: &Column) -> String {
        self.dialect.quote(&column.name)
    }

    fn text(&self, column: &Column) -> String {
        self.dialect.text(&self.name(column), &column.kind)
    }

    /// Begins a condition: a column has a value.
    fn is(&self, statement: Statement, column: &Column, value: &str) -> Statement {
        statement.sql(&format!("{} = ", self.name(column))).value(Some(value), &column.kind)
    }

    /// Adds that a row is claimed by this worker.
    fn own(&self, statement: Statement) -> Statement {
        let statement = self.is(statement, &self.status, &self.words.claimed).sql(" AND ");
        self.is(statement, &self.claimed_by, &self.worker)
    }

    /// The rows that this worker has claimed before, by key.
    pub(crate) fn own_keys(&self, after: Option<&str>) -> Statement {
        let sql = format!("SELECT {} FROM {} WHERE ", self.text(&self.key), self.table.from);
        let mut statement = self.own(Statement::new(self.dialect, sql));
        if let Some(after) = after {
            statement = statement.sql(&format!(" AND {} > ", self.name(&self.key))).value(Some(after), &self.key.kind);
        }
        statement.sql(&format!(" ORDER BY {} LIMIT {}", self.name(&self.key), self.page))
    }

    /// Shows a sign of life in every row that this worker has claimed.
    pub(crate) fn renew(&self) -> Statement {
        let sql =
            format!("UPDATE {} SET {} = {} WHERE ", self.table.from, self.name(&self.claimed_at), self.dialect.now());
        self.own(Statement::new(self.dialect, sql))
    }

    /// Which rows are due. Those that were claimed since `start` are not: one reading claims a row once, even where
    /// somebody queues it again meanwhile.
    fn due(&self, statement: Statement, due: Due, start: &str) -> Statement {
        let at = self.name(&self.claimed_at);
        let mut statement = match due {
            Due::New => self.is(statement, &self.status, &self.words.new),
            Due::Retry => self.is(statement, &self.status, &self.words.retry),
            Due::Abandoned => {
                let statement = self.is(statement, &self.status, &self.words.claimed);
                let late = self.dialect.ago(self.lease_seconds);
                let by = self.name(&self.claimed_by);
                let statement =
                    statement.sql(&format!(" AND ({at} IS NULL OR {at} < {late}) AND ({by} IS NULL OR {by} <> "));
                return statement.value(Some(&self.worker), &self.claimed_by.kind).sql(")");
            }
        };
        if let Some(next) = &self.next_try_at {
            let next = self.name(next);
            statement = statement.sql(&format!(" AND ({next} IS NULL OR {next} <= {})", self.dialect.now()));
        }
        statement.sql(&format!(" AND ({at} IS NULL OR {at} < ")).value(Some(start), &self.claimed_at.kind).sql(")")
    }

    fn claimed(&self, statement: Statement) -> Statement {
        let statement = statement.sql(&format!("{} = ", self.name(&self.status)));
        let statement = statement.value(Some(&self.words.claimed), &self.status.kind);
        let statement = statement.sql(&format!(", {} = ", self.name(&self.claimed_by)));
        let statement = statement.value(Some(&self.worker), &self.claimed_by.kind);
        let statement = statement.sql(&format!(", {} = {}", self.name(&self.claimed_at), self.dialect.now()));
        match &self.attempts {
            Some(attempts) => {
                let name = self.name(attempts);
                // Inside the update of PostgreSQL the plain name could be that of the picked rows.
                let old = format!("{}.{name}", self.table.from);
                statement.sql(&format!(", {name} = COALESCE({old}, 0) + 1"))
            }
            None => statement,
        }
    }

    /// Claims the next rows after a key and gives their keys, in the order of the database. Beginning after the last key
    /// spares the server from stepping over all that were claimed before.
    pub(crate) async fn claim(
        &self,
        database: &Database,
        due: Due,
        start: &str,
        after: Option<&str>,
    ) -> Result<Vec<String>, Fault> {
        let mut transaction = database.changing().await?;
        let keys = match self.dialect {
            Dialect::Postgres => keys(transaction.rows(&self.claiming(due, start, after)).await?),
            Dialect::MySql | Dialect::Sqlite => {
                let found = keys(transaction.rows(&self.locking(due, start, after)).await?);
                if !found.is_empty() {
                    let statement =
                        self.claimed(Statement::new(self.dialect, format!("UPDATE {} SET ", self.table.from)));
                    let statement = statement.sql(&format!(" WHERE {} IN ", self.name(&self.key)));
                    transaction.execute(&statement.list(&found, self.page, &self.key.kind)).await?;
                }
                found
            }
        };
        transaction.commit().await?;
        Ok(keys)
    }

    /// Which rows are due after a key, the first of them.
    fn next(&self, statement: Statement, due: Due, start: &str, after: Option<&str>) -> Statement {
        let key = self.name(&self.key);
        let mut statement = self.due(statement, due, start);
        if let Some(after) = after {
            statement = statement.sql(&format!(" AND {key} > ")).value(Some(after), &self.key.kind);
        }
        statement.sql(&format!(" ORDER BY {key} LIMIT {}", self.page))
    }

    /// Claims in one statement.
    fn claiming(&self, due: Due, start: &str, after: Option<&str>) -> Statement {
        let (key, from) = (self.name(&self.key), &self.table.from);
        let sql = format!("WITH picked AS MATERIALIZED (SELECT {key} FROM {from} WHERE ");
        let statement = self.next(Statement::new(self.dialect, sql), due, start, after);
        let statement = statement.sql(&format!(" FOR UPDATE SKIP LOCKED), claimed AS (UPDATE {from} SET "));
        self.claimed(statement).sql(&format!(
            " FROM picked WHERE {from}.{key} = picked.{key} RETURNING {from}.{key}) SELECT {} FROM claimed ORDER BY claimed.{key}",
            self.dialect.text(&format!("claimed.{key}"), &self.key.kind)
        ))
    }

    /// Locks what will be claimed in the same transaction. `SQLite` has one writer at a time.
    fn locking(&self, due: Due, start: &str, after: Option<&str>) -> Statement {
        let sql = format!("SELECT {} FROM {} WHERE ", self.text(&self.key), self.table.from);
        let statement = self.next(Statement::new(self.dialect, sql), due, start, after);
        match (self.dialect, self.skips_locked) {
            (Dialect::MySql, true) => statement.sql(" FOR UPDATE SKIP LOCKED"),
            (Dialect::MySql, false) => statement.sql(" FOR UPDATE"),
            _ => statement,
        }
    }

    /// Gives claimed rows back with a word; rows that somebody changed meanwhile stay as they are.
    pub(crate) fn settle(&self, keys: &[String], word: &str) -> Statement {
        let statement =
            Statement::new(self.dialect, format!("UPDATE {} SET {} = ", self.table.from, self.name(&self.status)));
        let statement = statement.value(Some(word), &self.status.kind).sql(&format!(
            ", {} = NULL, {} = NULL WHERE {} IN ",
            self.name(&self.claimed_by),
            self.name(&self.claimed_at),
            self.name(&self.key)
        ));
        let statement = statement.list(keys, keys.len(), &self.key.kind).sql(" AND ");
        self.own(statement)
    }

    /// Which of these rows this worker still has.
    pub(crate) fn still_own(&self, keys: &[String]) -> Statement {
        let sql =
            format!("SELECT {} FROM {} WHERE {} IN ", self.text(&self.key), self.table.from, self.name(&self.key));
        let statement = Statement::new(self.dialect, sql).list(keys, keys.len(), &self.key.kind).sql(" AND ");
        self.own(statement)
    }
}

fn keys(rows: Vec<Row>) -> Vec<String> {
    rows.into_iter().filter_map(|row| row.cells.into_iter().next()?).collect()
}

/// The statement that adds a column the claims need.
fn add_column(dialect: Dialect, table: &Relation, name: &str, default: &str) -> String {
    let kind = match (default, dialect) {
        ("status", _) => "varchar(16) DEFAULT 'NEW'",
        ("claimed_by", _) => "varchar(100)",
        (_, Dialect::MySql) => "datetime",
        (_, Dialect::Postgres | Dialect::Sqlite) => "timestamp",
    };
    format!("ALTER TABLE {} ADD {} {kind};", table.from, dialect.quote(name))
}

/// Whether the server can pass over rows that another worker is claiming: MySQL from 8.0.1, MariaDB from 10.6. Without
/// it workers wait for each other, and still no row is claimed twice.
async fn skips_locked(transaction: &mut Transact, dialect: Dialect) -> Result<bool, Fault> {
    if dialect != Dialect::MySql {
        return Ok(true);
    }
    let rows = transaction.rows(&Statement::new(dialect, "SELECT CAST(VERSION() AS CHAR)")).await?;
    Ok(rows.first().and_then(|row| row.cell(0)).is_some_and(knows_skip_locked))
}

fn knows_skip_locked(version: &str) -> bool {
    let mut numbers = version.split(['.', '-']).map_while(|part| part.parse::<u32>().ok());
    let number =
        (numbers.next().unwrap_or_default(), numbers.next().unwrap_or_default(), numbers.next().unwrap_or_default());
    if version.contains("MariaDB") { number >= (10, 6, 0) } else { number >= (8, 0, 1) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_that_cannot_pass_over_locked_rows_are_known_by_their_version() {
        for (version, knows) in [
            ("10.11.19-MariaDB-0+deb12u1", true),
            ("10.5.23-MariaDB", false),
            ("5.7.44-log", false),
            ("8.0.36", true),
            ("8.4.0-commercial", true),
        ] {
            assert_eq!(knows_skip_locked(version), knows, "{version}");
        }
    }
}
