//! The tables: made where they are missing and that is wanted, and refused when a newer program made them.

use sqlx::{AssertSqlSafe, Executor as _};

use crate::login::Pool;

/// The format of the tables that this program writes.
const FORMAT: i32 = 1;

/// The statements that make the tables, oldest format first; they may run again.
const POSTGRES: &str = include_str!("../ddl/postgres.sql");
const MYSQL: &str = include_str!("../ddl/mysql.sql");
const SQLITE: &str = include_str!("../ddl/sqlite.sql");

/// What is to be done about the tables.
pub(crate) enum Trouble {
    /// The database says no, or does not answer.
    Sql(sqlx::Error),
    /// In words.
    Told(String),
}

impl From<sqlx::Error> for Trouble {
    fn from(error: sqlx::Error) -> Self {
        Self::Sql(error)
    }
}

/// Makes sure that the tables are there in the format of this program. Looking comes first, since a worker may have no
/// right to make any.
pub(crate) async fn ready(pool: &Pool, create: bool) -> Result<(), Trouble> {
    match format(pool).await {
        Ok(Some(FORMAT)) => return Ok(()),
        Ok(Some(newer)) => {
            return Err(Trouble::Told(format!(
                "its tables have format {newer} and this program knows format {FORMAT}; use the program that made them"
            )));
        }
        Ok(None) => {}
        // There is no such table.
        Err(error @ sqlx::Error::Database(_)) if !create => {
            return Err(Trouble::Told(format!(
                "its tables cannot be read ({error}): have them made with the statements in the README of this store, or \
                 set `create_tables = true`"
            )));
        }
        Err(sqlx::Error::Database(_)) => {}
        Err(error) => return Err(error.into()),
    }
    if !create {
        return Err(Trouble::Told(
            "the table einv_credential_format is empty: insert the number 1, as the statements in the README do"
                .to_owned(),
        ));
    }
    make(pool).await?;
    Ok(())
}

async fn format(pool: &Pool) -> Result<Option<i32>, sqlx::Error> {
    const LOOK: &str = "SELECT MAX(format) FROM einv_credential_format";
    match pool {
        Pool::Postgres(pool) => sqlx::query_scalar(LOOK).fetch_one(pool).await,
        Pool::MySql(pool) => sqlx::query_scalar(LOOK).fetch_one(pool).await,
        Pool::Sqlite(pool) => sqlx::query_scalar(LOOK).fetch_one(pool).await,
    }
}

/// Two workers may do so at the same time: each statement does nothing where its table is there.
async fn make(pool: &Pool) -> Result<(), sqlx::Error> {
    let note = |sql: &'static str| AssertSqlSafe(format!("{sql} VALUES ({FORMAT})"));
    match pool {
        Pool::Postgres(pool) => {
            // Two that make one table at the same moment would hinder each other in its catalogue.
            let mut work = pool.begin().await?;
            work.execute("SELECT pg_advisory_xact_lock(7310579636284)").await?;
            work.execute(sqlx::raw_sql(POSTGRES)).await?;
            work.execute(sqlx::query("DELETE FROM einv_credential_format")).await?;
            work.execute(sqlx::query(note("INSERT INTO einv_credential_format"))).await?;
            work.commit().await
        }
        Pool::MySql(pool) => {
            pool.execute(sqlx::raw_sql(MYSQL)).await?;
            pool.execute(sqlx::query(note("INSERT IGNORE INTO einv_credential_format"))).await.map(drop)
        }
        Pool::Sqlite(pool) => {
            pool.execute(sqlx::raw_sql(SQLITE)).await?;
            pool.execute(sqlx::query(note("INSERT OR IGNORE INTO einv_credential_format"))).await.map(drop)
        }
    }
}
