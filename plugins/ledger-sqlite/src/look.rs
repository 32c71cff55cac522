//! Opening the file to look at it: nothing is made, brought up to date or taken over.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use einvoice_core::clock::SharedClock;
use einvoice_core::ledger::LedgerError;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, SqliteConnection};

use crate::config::LedgerConfig;
use crate::fault::sql_error;
use crate::ledger::{SqliteLedger, real_path};
use crate::lock::{ProcessLock, beside};
use crate::schema;

impl SqliteLedger {
    /// Opens the file as it is, for reading; every call that would change it fails. A file of an older format is in
    /// order, and stays of it: then only its environment can be read.
    ///
    /// # Errors
    /// [`LedgerError::Absent`] when there is no such file; else as [`SqliteLedger::open`].
    pub async fn look(config: &LedgerConfig, clock: SharedClock) -> Result<Self, LedgerError> {
        let name = config.path.display().to_string();
        let refused = |reason: String| LedgerError::Storage { ledger: name.clone(), reason, source: None };
        if let Some(reason) = config.fault() {
            return Err(refused(reason));
        }
        let path = real_path(&config.path);
        if path.is_dir() {
            return Err(refused("it is a folder: name the file in it".to_owned()));
        }
        if !path.exists() {
            let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
            if folder.is_dir() {
                return Err(LedgerError::Absent { ledger: name });
            }
            return Err(refused(format!("its folder {} is not there: create it, or correct `path`", folder.display())));
        }
        let lock = ProcessLock::see(&path)?;
        let options = looking(&path, config);
        let mut connection =
            SqliteConnection::connect_with(&options).await.map_err(|error| sql_error(&name, "opening", error))?;
        schema::format(&mut connection, &name).await?;
        schema::check_integrity(&mut connection, &name, config.integrity_check).await?;
        Self::start(connection, options, BTreeSet::new(), config, clock, lock)
    }
}

/// A log that a crash left is read, too; where there is none the file is taken as it lies, as SQLite would make one.
fn looking(path: &Path, config: &LedgerConfig) -> SqliteConnectOptions {
    let has_log = std::fs::metadata(beside(path, "-wal")).is_ok_and(|log| log.len() > 0);
    SqliteConnectOptions::new()
        .filename(path)
        .read_only(true)
        .immutable(!has_log)
        .busy_timeout(Duration::from_millis(config.busy_timeout_ms.into()))
        .pragma("query_only", "ON")
        .pragma("trusted_schema", "OFF")
        .disable_statement_logging()
}
