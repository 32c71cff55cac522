//! Claiming: which rows are due, and who works on them.
//!
//! A row is claimed by writing a worker's name and the moment into it. A worker that is alive renews its claims; one
//! that is not loses them after the lease, and one that is started again under its old name goes on with them at once.
//! The moments are the server's, the only clock that all workers share.
//!
//! How rows are picked is the dialect's: in one statement, by locking them first, or, where nothing but standard SQL is
//! known, by an update that changes only what is still due.

use jiff::ToSpan as _;
use jiff::civil::DateTime;

use crate::config::{SourceConfig, StatusWords};
use crate::dialect::Dialect;
use crate::fault::{Fault, Kind};
use crate::pool::{Database, Row, Transact};
use crate::statement::Statement;
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
    pick: Pick,
}

/// How rows are picked so that no two workers have the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pick {
    /// One statement locks, changes and returns them.
    AtOnce,
    /// A select with these words at its end locks them, an update follows.
    Locking(&'static str),
    /// Candidates are read, an update changes those that are still due, and what has this worker's name then was picked.
    StillDue,
}

/// The moment a reading begins, as text, by the clock of the server.
#[derive(Debug, Clone, Default)]
pub(crate) struct Start {
    now: String,
    /// A claim without a sign of life since then is abandoned.
    late: String,
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
            pick: pick(transaction, dialect).await?,
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
        statement.sql(&format!(" ORDER BY {}{}", self.name(&self.key), self.dialect.first(self.page)))
    }

    /// The rows that are due after a key, by key, without claiming them.
    pub(crate) fn due_keys(&self, due: Due, start: &Start, after: Option<&str>) -> Statement {
        self.picking(due, start, after, "", "")
    }

    /// The moment from which on rows are claimed once.
    pub(crate) async fn start(&self, transaction: &mut Transact) -> Result<Start, Fault> {
        let statement = Statement::new(self.dialect, self.dialect.start(&self.table.from));
        let rows = transaction.rows(&statement).await?;
        let now = rows.first().and_then(|row| row.cell(0)).unwrap_or_default();
        Start::of(now, self.lease_seconds).ok_or_else(|| {
            Fault::new(
                Kind::Other,
                format!("the database tells its time as `{now}`, where YYYY-MM-DD hh:mm:ss is expected"),
            )
        })
    }

    /// Shows a sign of life in every row that this worker has claimed.
    pub(crate) fn renew(&self) -> Statement {
        let sql =
            format!("UPDATE {} SET {} = {} WHERE ", self.table.from, self.name(&self.claimed_at), self.dialect.now());
        self.own(Statement::new(self.dialect, sql))
    }

    /// Which rows are due. Those that were claimed since `start` are not: one reading claims a row once, even where
    /// somebody queues it again meanwhile.
    fn due(&self, statement: Statement, due: Due, start: &Start) -> Statement {
        let at = self.name(&self.claimed_at);
        let mut statement = match due {
            Due::New => self.is(statement, &self.status, &self.words.new),
            Due::Retry => self.is(statement, &self.status, &self.words.retry),
            Due::Abandoned => {
                let statement = self.is(statement, &self.status, &self.words.claimed);
                let by = self.name(&self.claimed_by);
                let statement = statement
                    .sql(&format!(" AND ({at} IS NULL OR {at} < "))
                    .value(Some(&start.late), &self.claimed_at.kind)
                    .sql(&format!(") AND ({by} IS NULL OR {by} <> "));
                return statement.value(Some(&self.worker), &self.claimed_by.kind).sql(")");
            }
        };
        if let Some(next) = &self.next_try_at {
            let next = self.name(next);
            statement = statement.sql(&format!(" AND ({next} IS NULL OR {next} <= {})", self.dialect.now()));
        }
        statement.sql(&format!(" AND ({at} IS NULL OR {at} < ")).value(Some(&start.now), &self.claimed_at.kind).sql(")")
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
        start: &Start,
        after: Option<&str>,
    ) -> Result<Vec<String>, Fault> {
        if self.pick == Pick::StillDue {
            return self.claim_still_due(database, due, start, after).await;
        }
        let mut transaction = database.changing().await?;
        let keys = if let Pick::Locking(lock) = self.pick {
            let found = keys(transaction.rows(&self.picking(due, start, after, "", lock)).await?);
            if !found.is_empty() {
                transaction.execute(&self.taking(&found, "")).await?;
            }
            found
        } else {
            keys(transaction.rows(&self.claiming(due, start, after)).await?)
        };
        transaction.commit().await?;
        Ok(keys)
    }

    /// Claims without a word for locking. Another worker may have been faster with every candidate of a page; then the
    /// next page is tried, as nothing at all means that nothing is left.
    async fn claim_still_due(
        &self,
        database: &Database,
        due: Due,
        start: &Start,
        after: Option<&str>,
    ) -> Result<Vec<String>, Fault> {
        // SQL Server would wait for rows that others are writing, instead of passing over them.
        let pass = if self.dialect == Dialect::SqlServer { " WITH (READPAST)" } else { "" };
        let mut after = after.map(str::to_owned);
        loop {
            let mut transaction = database.reading().await?;
            let mut candidates = keys(transaction.rows(&self.picking(due, start, after.as_deref(), pass, "")).await?);
            transaction.commit().await?;
            let Some(last) = candidates.last().cloned() else { return Ok(Vec::new()) };
            let mut transaction = database.changing().await?;
            if self.dialect == Dialect::Oracle {
                candidates = keys(transaction.rows(&self.passing_over(&candidates)).await?);
            }
            let mut taken = Vec::new();
            if !candidates.is_empty() {
                let taking = self.taking(&candidates, pass).sql(" AND ");
                transaction.execute(&self.due(taking, due, start)).await?;
                taken = keys(transaction.rows(&self.still_own(&candidates)).await?);
            }
            transaction.commit().await?;
            if !taken.is_empty() {
                // In the order they were found in, which is that of the keys of the database.
                candidates.retain(|key| taken.contains(key));
                return Ok(candidates);
            }
            after = Some(last);
        }
    }

    /// Which rows are due after a key, the first of them.
    fn next(&self, statement: Statement, due: Due, start: &Start, after: Option<&str>) -> Statement {
        let key = self.name(&self.key);
        let mut statement = self.due(statement, due, start);
        if let Some(after) = after {
            statement = statement.sql(&format!(" AND {key} > ")).value(Some(after), &self.key.kind);
        }
        statement.sql(&format!(" ORDER BY {key}{}", self.dialect.first(self.page)))
    }

    /// Claims in one statement.
    fn claiming(&self, due: Due, start: &Start, after: Option<&str>) -> Statement {
        let (key, from) = (self.name(&self.key), &self.table.from);
        let sql = format!("WITH picked AS MATERIALIZED (SELECT {key} FROM {from} WHERE ");
        let statement = self.next(Statement::new(self.dialect, sql), due, start, after);
        let statement = statement.sql(&format!(" FOR UPDATE SKIP LOCKED), claimed AS (UPDATE {from} SET "));
        self.claimed(statement).sql(&format!(
            " FROM picked WHERE {from}.{key} = picked.{key} RETURNING {from}.{key}) SELECT {} FROM claimed ORDER BY claimed.{key}",
            self.dialect.text(&format!("claimed.{key}"), &self.key.kind)
        ))
    }

    /// The keys of rows that are due, with words behind the table and at the end.
    fn picking(&self, due: Due, start: &Start, after: Option<&str>, hint: &str, lock: &str) -> Statement {
        let sql = format!("SELECT {} FROM {}{hint} WHERE ", self.text(&self.key), self.table.from);
        self.next(Statement::new(self.dialect, sql), due, start, after).sql(lock)
    }

    /// Locks those of these rows that nobody else has locked, as Oracle cannot while it counts them.
    fn passing_over(&self, keys: &[String]) -> Statement {
        let key = self.name(&self.key);
        let sql = format!("SELECT {} FROM {} WHERE {key} IN ", self.text(&self.key), self.table.from);
        let statement = Statement::new(self.dialect, sql).list(keys, keys.len(), &self.key.kind);
        statement.sql(&format!(" ORDER BY {key} FOR UPDATE SKIP LOCKED"))
    }

    /// Writes this worker's name into rows.
    fn taking(&self, keys: &[String], hint: &str) -> Statement {
        let statement = Statement::new(self.dialect, format!("UPDATE {}{hint} SET ", self.table.from));
        let statement = self.claimed(statement).sql(&format!(" WHERE {} IN ", self.name(&self.key)));
        statement.list(keys, self.page, &self.key.kind)
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
        (_, Dialect::SqlServer) => "datetime2(0)",
        (_, _) => "timestamp",
    };
    format!("ALTER TABLE {} ADD {} {kind};", table.from, dialect.quote(name))
}

/// How rows are picked. MySQL from 8.0.1 and MariaDB from 10.6 pass over rows that another worker is claiming; before,
/// workers wait for each other, and still no row is claimed twice. SQLite has one writer at a time.
async fn pick(transaction: &mut Transact, dialect: Dialect) -> Result<Pick, Fault> {
    Ok(match dialect {
        // A transaction over ODBC begins as one that reads.
        Dialect::Sqlite if transaction.is_odbc() => Pick::StillDue,
        Dialect::Sqlite => Pick::Locking(""),
        Dialect::Postgres => Pick::AtOnce,
        Dialect::MySql => {
            let rows = transaction.rows(&Statement::new(dialect, "SELECT CAST(VERSION() AS CHAR)")).await?;
            let skips = rows.first().and_then(|row| row.cell(0)).is_some_and(knows_skip_locked);
            Pick::Locking(if skips { " FOR UPDATE SKIP LOCKED" } else { " FOR UPDATE" })
        }
        Dialect::SqlServer | Dialect::Oracle | Dialect::Standard => Pick::StillDue,
    })
}

fn knows_skip_locked(version: &str) -> bool {
    let mut numbers = version.split(['.', '-']).map_while(|part| part.parse::<u32>().ok());
    let number =
        (numbers.next().unwrap_or_default(), numbers.next().unwrap_or_default(), numbers.next().unwrap_or_default());
    if version.contains("MariaDB") { number >= (10, 6, 0) } else { number >= (8, 0, 1) }
}

impl Start {
    /// Of a moment as the database tells it, where it can be read.
    fn of(now: &str, lease_seconds: u64) -> Option<Self> {
        let now = now.trim();
        // Seconds are the resolution that every column of time has; a zone may follow.
        let (moment, rest) = now.split_at_checked(MOMENT)?;
        let zone = rest.trim_start_matches(|sign: char| sign == '.' || sign.is_ascii_digit());
        let read: DateTime = moment.parse().ok()?;
        let late = read.checked_sub(i64::try_from(lease_seconds).ok()?.seconds()).ok()?;
        Some(Self { now: format!("{moment}{zone}"), late: format!("{}{zone}", late.strftime("%Y-%m-%d %H:%M:%S")) })
    }
}

/// Characters of `2026-11-22 10:15:00`.
const MOMENT: usize = 19;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lease_is_counted_by_the_clock_of_the_server() {
        let start = Start::of("2026-11-22 00:10:00.123456+05:30", 900).unwrap();
        assert_eq!(
            (start.now.as_str(), start.late.as_str()),
            ("2026-11-22 00:10:00+05:30", "2026-11-21 23:55:00+05:30")
        );
        let start = Start::of("2026-11-22 10:15:00", 60).unwrap();
        assert_eq!((start.now.as_str(), start.late.as_str()), ("2026-11-22 10:15:00", "2026-11-22 10:14:00"));
        assert!(Start::of("22-NOV-26 10.15.00 AM", 60).is_none());
    }

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

    fn claims(dialect: Dialect) -> Claims {
        let column = |name: &str, kind: &str| Column { name: name.to_owned(), kind: kind.to_owned() };
        Claims {
            dialect,
            table: Relation { shown: "h".to_owned(), from: dialect.quote("h"), columns: Vec::new() },
            key: column("k", "varchar(64)"),
            status: column("s", "varchar(16)"),
            claimed_by: column("b", "varchar(100)"),
            claimed_at: column("a", "timestamp"),
            attempts: None,
            next_try_at: None,
            words: StatusWords::default(),
            worker: "me".to_owned(),
            lease_seconds: 60,
            page: 2,
            pick: Pick::StillDue,
        }
    }

    /// Nobody has tried these two yet, so what they are told is written down here.
    #[test]
    fn sql_server_and_oracle_are_asked_in_their_own_words() {
        let start = Start::of("2026-11-22 10:15:00", 60).unwrap();
        let server = claims(Dialect::SqlServer);
        let picking = server.picking(Due::New, &start, Some("K1"), " WITH (READPAST)", "");
        assert_eq!(
            picking.sql,
            r#"SELECT "k" FROM "h" WITH (READPAST) WHERE "s" = ? AND ("a" IS NULL OR "a" < ?) AND "k" > ? ORDER BY "k" OFFSET 0 ROWS FETCH NEXT 2 ROWS ONLY"#
        );
        let kinds = ["varchar(16)", "timestamp", "varchar(64)"].map(str::to_owned);
        assert_eq!((picking.kinds.as_slice(), picking.values.len()), (&kinds[..], 3));
        let keys = ["K2".to_owned()];
        assert_eq!(
            server.due(server.taking(&keys, " WITH (READPAST)").sql(" AND "), Due::New, &start).sql,
            r#"UPDATE "h" WITH (READPAST) SET "s" = ?, "b" = ?, "a" = DATEADD(minute, 330, SYSUTCDATETIME()) WHERE "k" IN (?, ?) AND "s" = ? AND ("a" IS NULL OR "a" < ?)"#
        );
        let oracle = claims(Dialect::Oracle);
        assert_eq!(
            oracle.picking(Due::Retry, &start, None, "", "").sql,
            r#"SELECT "k" FROM "h" WHERE "s" = ? AND ("a" IS NULL OR "a" < ?) ORDER BY "k" FETCH FIRST 2 ROWS ONLY"#
        );
        assert_eq!(
            oracle.passing_over(&keys).sql,
            r#"SELECT "k" FROM "h" WHERE "k" IN (?) ORDER BY "k" FOR UPDATE SKIP LOCKED"#
        );
        assert_eq!(
            oracle.renew().sql,
            r#"UPDATE "h" SET "a" = (SYS_EXTRACT_UTC(SYSTIMESTAMP) + INTERVAL '330' MINUTE) WHERE "s" = ? AND "b" = ?"#
        );
    }
}
