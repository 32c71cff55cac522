//! Connections: the drivers behind one interface that speaks text.

use std::fmt;
use std::time::Duration;

use sqlx::mysql::{MySql, MySqlPool, MySqlPoolOptions};
use sqlx::postgres::{PgPool, PgPoolOptions, Postgres};
use sqlx::sqlite::{Sqlite, SqlitePool, SqlitePoolOptions};
use sqlx::{AssertSqlSafe, Column as _, Executor as _, Row as _, Statement as _, Transaction, TypeInfo as _};

use crate::dialect::Dialect;
use crate::fault::{Fault, Kind};
use crate::login::{Login, Options};
#[cfg(feature = "odbc")]
use crate::odbc;
use crate::statement::Statement;
use crate::table::Column;

/// Connections at once: one that reads, one that claims or writes, one that renews claims, one that listens.
const CONNECTIONS: u32 = 4;

/// A row as text; a cell is nothing where it is NULL.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) cells: Vec<Option<String>>,
    /// The first column whose value is no text in UTF-8.
    pub(crate) broken: Option<usize>,
}

impl Row {
    pub(crate) fn cell(&self, index: usize) -> Option<&str> {
        self.cells.get(index)?.as_deref()
    }
}

/// A database: its connections are made when they are needed.
#[derive(Clone)]
pub(crate) struct Database {
    drivers: Drivers,
    pub(crate) dialect: Dialect,
    pub(crate) shown: String,
    answer: Duration,
}

#[derive(Clone)]
enum Drivers {
    Postgres(PgPool),
    /// For changing and for reading: the isolation of a transaction is the session's here.
    MySql {
        changing: MySqlPool,
        reading: MySqlPool,
    },
    Sqlite(SqlitePool),
    #[cfg(feature = "odbc")]
    Odbc(odbc::Pool),
}

impl fmt::Debug for Database {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The pools show their options, and with them the password.
        formatter.debug_struct("Database").field("shown", &self.shown).finish_non_exhaustive()
    }
}

/// A transaction: dropped without [`Transact::commit`] it is rolled back.
pub(crate) enum Transact {
    Postgres(Transaction<'static, Postgres>),
    MySql(Transaction<'static, MySql>),
    Sqlite(Transaction<'static, Sqlite>),
    #[cfg(feature = "odbc")]
    Odbc(odbc::Work),
}

/// One function for each driver, as their types have no common form that a function could name.
macro_rules! on_driver {
    ($transaction:expr, $inner:ident => $body:expr, $odbc:expr) => {
        match $transaction {
            Transact::Postgres($inner) => $body,
            Transact::MySql($inner) => $body,
            Transact::Sqlite($inner) => $body,
            #[cfg(feature = "odbc")]
            Transact::Odbc($inner) => $odbc,
        }
    };
}

macro_rules! bound {
    ($statement:expr) => {{
        let mut query = sqlx::query(AssertSqlSafe($statement.sql.clone()));
        for value in &$statement.values {
            query = query.bind(value.clone());
        }
        query
    }};
}

impl Transact {
    /// Runs a statement whose columns are texts.
    pub(crate) async fn rows(&mut self, statement: &Statement) -> Result<Vec<Row>, Fault> {
        on_driver!(self, inner => {
            let rows = bound!(statement).fetch_all(&mut **inner).await?;
            let read = rows.iter().map(|row| {
                let mut read = Row { cells: Vec::with_capacity(row.len()), broken: None };
                for index in 0..row.len() {
                    let cell = row.try_get::<Option<String>, usize>(index);
                    if cell.is_err() {
                        read.broken.get_or_insert(index);
                    }
                    read.cells.push(cell.unwrap_or_default());
                }
                read
            });
            Ok(read.collect())
        }, inner.rows(statement).await)
    }

    /// Runs a statement for its effect; gives the number of rows.
    pub(crate) async fn execute(&mut self, statement: &Statement) -> Result<u64, Fault> {
        on_driver!(self, inner => {
            let done = bound!(statement).execute(&mut **inner).await?;
            Ok(done.rows_affected())
        }, inner.execute(statement).await)
    }

    /// What columns a query gives, without running it.
    pub(crate) async fn describe(&mut self, sql: &str) -> Result<Vec<Column>, Fault> {
        on_driver!(self, inner => {
            let prepared = inner.prepare(sqlx::SqlSafeStr::into_sql_str(AssertSqlSafe(sql.to_owned()))).await?;
            let column = |name: &str, kind: &str| Column { name: name.to_owned(), kind: kind.to_ascii_lowercase() };
            Ok(prepared.columns().iter().map(|found| column(found.name(), found.type_info().name())).collect())
        }, inner.describe(sql).await)
    }

    pub(crate) async fn rollback(self) -> Result<(), Fault> {
        on_driver!(self, inner => Ok(inner.rollback().await?), inner.rollback().await)
    }

    pub(crate) async fn commit(self) -> Result<(), Fault> {
        on_driver!(self, inner => Ok(inner.commit().await?), inner.commit().await)
    }

    /// Whether it goes over ODBC, where a transaction begins with its first statement.
    #[cfg(feature = "odbc")]
    pub(crate) const fn is_odbc(&self) -> bool {
        matches!(self, Self::Odbc(_))
    }

    /// Whether it goes over ODBC: never in this build.
    #[cfg(not(feature = "odbc"))]
    #[expect(clippy::unused_self, reason = "the same with ODBC and without")]
    pub(crate) const fn is_odbc(&self) -> bool {
        false
    }
}

impl Database {
    pub(crate) fn new(login: &Login) -> Self {
        let dialect = login.dialect();
        let drivers = match &login.options {
            Options::Postgres(options) => Drivers::Postgres(
                PgPoolOptions::new()
                    .max_connections(CONNECTIONS)
                    .acquire_timeout(login.connect)
                    .after_connect(|connection, _| {
                        Box::pin(async move {
                            // Dates as INV-01 can be read from, moments in the portal's time zone.
                            connection.execute("SET DateStyle = 'ISO, DMY'").await?;
                            connection.execute("SET TIME ZONE INTERVAL '+05:30' HOUR TO MINUTE").await?;
                            Ok(())
                        })
                    })
                    .connect_lazy_with((**options).clone()),
            ),
            Options::MySql(options) => {
                let pool = |isolation: &'static str| {
                    MySqlPoolOptions::new()
                        .max_connections(CONNECTIONS)
                        .acquire_timeout(login.connect)
                        .after_connect(move |connection, _| {
                            Box::pin(async move {
                                connection.execute(isolation).await?;
                                Ok(())
                            })
                        })
                        .connect_lazy_with((**options).clone())
                };
                Drivers::MySql {
                    // Claiming must not lock the gaps into which the books insert their next rows.
                    changing: pool("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED"),
                    reading: pool("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ"),
                }
            }
            Options::Sqlite(options) => Drivers::Sqlite(
                SqlitePoolOptions::new()
                    .max_connections(CONNECTIONS)
                    .acquire_timeout(login.connect)
                    .connect_lazy_with((**options).clone()),
            ),
            #[cfg(feature = "odbc")]
            Options::Odbc(options) => Drivers::Odbc(odbc::Pool::new(options, CONNECTIONS, login.connect)),
        };
        Self { drivers, dialect, shown: login.shown.clone(), answer: login.answer }
    }

    /// A transaction that changes something.
    pub(crate) async fn changing(&self) -> Result<Transact, Fault> {
        Ok(match &self.drivers {
            Drivers::Postgres(pool) => {
                Transact::Postgres(pool.begin_with("BEGIN ISOLATION LEVEL READ COMMITTED, READ WRITE").await?)
            }
            Drivers::MySql { changing, .. } => Transact::MySql(changing.begin().await?),
            // A transaction that reads first and writes later could not wait for another writer.
            Drivers::Sqlite(pool) => Transact::Sqlite(pool.begin_with("BEGIN IMMEDIATE").await?),
            #[cfg(feature = "odbc")]
            Drivers::Odbc(pool) => Transact::Odbc(pool.begin().await?),
        })
    }

    /// A transaction that sees one state of the database throughout, or over ODBC what the database does by itself.
    pub(crate) async fn reading(&self) -> Result<Transact, Fault> {
        Ok(match &self.drivers {
            Drivers::Postgres(pool) => {
                Transact::Postgres(pool.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY").await?)
            }
            Drivers::MySql { reading, .. } => Transact::MySql(reading.begin().await?),
            Drivers::Sqlite(pool) => Transact::Sqlite(pool.begin().await?),
            #[cfg(feature = "odbc")]
            Drivers::Odbc(pool) => Transact::Odbc(pool.begin().await?),
        })
    }

    /// Ends work that takes longer than the database may take for an answer.
    pub(crate) async fn within<T>(&self, work: impl Future<Output = Result<T, Fault>> + Send) -> Result<T, Fault> {
        let late = || {
            let seconds = self.answer.as_secs();
            Fault::new(
                Kind::Unreachable,
                format!("no answer within {seconds} s (`answer_seconds`); the next run tries again"),
            )
        };
        tokio::time::timeout(self.answer, work).await.unwrap_or_else(|_| Err(late()))
    }

    /// The pool of `PostgreSQL`, which alone can tell of changes.
    pub(crate) fn listener_pool(&self) -> Option<&PgPool> {
        match &self.drivers {
            Drivers::Postgres(pool) => Some(pool),
            _ => None,
        }
    }
}
