//! The format of the file: made, brought up to date, or refused when a newer program made it.

use einvoice_core::ledger::LedgerError;
use sqlx::SqliteConnection;

use crate::config::IntegrityCheck;
use crate::fault::sql_error;

/// The migrations, oldest first. A file's format is the number of those it has had
/// (`PRAGMA user_version`); one that was released is never edited.
const MIGRATIONS: &[&str] = &[
    include_str!("../migrations/0001_ledger.sql"),
    include_str!("../migrations/0002_jobs.sql"),
    include_str!("../migrations/0003_by_hand.sql"),
    include_str!("../migrations/0004_arrivals.sql"),
    include_str!("../migrations/0005_environment.sql"),
    include_str!("../migrations/0006_identity.sql"),
];

/// "eInv": marks the file as ours (`PRAGMA application_id`).
const APPLICATION_ID: i64 = 0x6549_6e76;

/// The format of the file, which is ours and of no newer program.
pub(crate) async fn format(connection: &mut SqliteConnection, ledger: &str) -> Result<usize, LedgerError> {
    let failed = |error| sql_error(ledger, "reading its format", error);
    let owner: i64 = sqlx::query_scalar("PRAGMA application_id").fetch_one(&mut *connection).await.map_err(failed)?;
    let format: i64 = sqlx::query_scalar("PRAGMA user_version").fetch_one(&mut *connection).await.map_err(failed)?;
    let tables: i64 =
        sqlx::query_scalar("SELECT count(*) FROM sqlite_schema").fetch_one(&mut *connection).await.map_err(failed)?;
    let foreign = if owner == 0 { tables > 0 || format != 0 } else { owner != APPLICATION_ID };
    if foreign {
        return Err(refused(ledger, "is a database of another program: choose another `path`".to_owned()));
    }
    let had = usize::try_from(format).unwrap_or(usize::MAX);
    if had > MIGRATIONS.len() {
        return Err(refused(
            ledger,
            format!(
                "has format {format}, and this program knows formats up to {}: use the newer program that wrote it",
                MIGRATIONS.len()
            ),
        ));
    }
    Ok(had)
}

/// Brings the file to the format of this program.
pub(crate) async fn bring_up_to_date(connection: &mut SqliteConnection, ledger: &str) -> Result<(), LedgerError> {
    let had = format(connection, ledger).await?;
    for (index, migration) in MIGRATIONS.iter().copied().enumerate().skip(had) {
        let version = index + 1;
        let sql = format!(
            "BEGIN IMMEDIATE; {migration} PRAGMA application_id = {APPLICATION_ID}; \
             PRAGMA user_version = {version}; COMMIT;"
        );
        // Nothing in it comes from outside the program.
        let result = sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&mut *connection).await;
        if let Err(error) = result {
            let _undone = sqlx::raw_sql("ROLLBACK").execute(&mut *connection).await;
            return Err(sql_error(ledger, "bringing its format up to date", error));
        }
    }
    Ok(())
}

/// Checks the file as far as it was asked for.
pub(crate) async fn check_integrity(
    connection: &mut SqliteConnection,
    ledger: &str,
    check: IntegrityCheck,
) -> Result<(), LedgerError> {
    let failed = |error| sql_error(ledger, "checking it", error);
    let sql = match check {
        IntegrityCheck::Off => return Ok(()),
        IntegrityCheck::Quick => "PRAGMA quick_check(10)",
        IntegrityCheck::Full => "PRAGMA integrity_check(10)",
    };
    let lines: Vec<String> = sqlx::query_scalar(sql).fetch_all(&mut *connection).await.map_err(failed)?;
    if lines.iter().map(String::as_str).ne(["ok"]) {
        return Err(damaged(ledger, &lines.join("; ")));
    }
    if check == IntegrityCheck::Full {
        let broken = sqlx::query("PRAGMA foreign_key_check").fetch_all(&mut *connection).await.map_err(failed)?;
        if !broken.is_empty() {
            return Err(damaged(ledger, &format!("{} rows refer to rows that are not there", broken.len())));
        }
    }
    Ok(())
}

fn damaged(ledger: &str, what: &str) -> LedgerError {
    LedgerError::Damaged { ledger: ledger.to_owned(), reason: format!("{what}; restore the file from a backup") }
}

fn refused(ledger: &str, reason: String) -> LedgerError {
    LedgerError::Storage { ledger: ledger.to_owned(), reason, source: None }
}
