//! `bind` and `environment`: which environment the file belongs to.

use einvoice_core::environment::Environment;
use einvoice_core::ledger::LedgerError;
use sqlx::{Executor, Sqlite, SqlitePool};

use crate::desk::Desk;
use crate::fault::Fault;

pub(crate) async fn bind(desk: &mut Desk, environment: Environment) -> Result<(), Fault> {
    match held(&mut desk.connection).await? {
        Some(held) if held == environment => Ok(()),
        Some(holds) => Err(LedgerError::OtherEnvironment { ledger: desk.ledger.clone(), holds }.into()),
        None => {
            let bind = "INSERT INTO environment (only, name) VALUES (1, ?1)";
            sqlx::query(bind).bind(environment.to_string()).execute(&mut desk.connection).await?;
            Ok(())
        }
    }
}

/// A file of an older format that is only looked at has no such table.
pub(crate) async fn held_by_any_format(readers: &SqlitePool) -> Result<Option<Environment>, Fault> {
    let table = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'environment'";
    if sqlx::query(table).fetch_optional(readers).await?.is_none() {
        return Ok(None);
    }
    held(readers).await
}

async fn held<'c>(file: impl Executor<'c, Database = Sqlite>) -> Result<Option<Environment>, Fault> {
    let name: Option<String> = sqlx::query_scalar("SELECT name FROM environment").fetch_optional(file).await?;
    match name.as_deref() {
        None => Ok(None),
        Some("production") => Ok(Some(Environment::Production)),
        Some("sandbox") => Ok(Some(Environment::Sandbox)),
        Some(other) => Err(Fault::Unreadable(format!("`{other}` is no environment"))),
    }
}
