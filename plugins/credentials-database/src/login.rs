//! How to log in, and the connections that are made so.

use std::path::Path;
use std::time::Duration;

use einvoice_core::registry::{BuildContext, BuildError};
use einvoice_core::secret::Secret;
use einvoice_database_login::{Address, Keys, Place, Secrets};
use sqlx::ConnectOptions as _;
use sqlx::mysql::{MySqlPool, MySqlPoolOptions};
use sqlx::postgres::{PgPool, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool, SqlitePoolOptions};

use crate::config::DatabaseConfig;

/// Connections at once; a login is rare, and reading takes a moment.
const CONNECTIONS: u32 = 4;

/// The connections of a database, made when they are needed.
#[derive(Clone)]
pub(crate) enum Pool {
    Postgres(PgPool),
    MySql(MySqlPool),
    Sqlite(SqlitePool),
}

/// A database and what people know it by.
pub(crate) struct Login {
    pub(crate) pool: Pool,
    /// `einvoice on db.example.in`.
    pub(crate) shown: String,
}

impl Login {
    /// Reads the settings; nothing is connected.
    pub(crate) fn new(context: &BuildContext, config: &DatabaseConfig) -> Result<Self, BuildError> {
        let wrong = |key: &str, reason: &str| BuildError::new(format!("{}, key `{key}`", context.name), reason);
        if !(1..=120).contains(&config.answer_seconds) {
            return Err(wrong("answer_seconds", &format!("found {}: write 1 to 120", config.answer_seconds)));
        }
        let keys = Keys {
            url: &config.url,
            url_env: &config.url_env,
            password_env: &config.password_env,
            password_file: &config.password_file,
        };
        let address = Address::read(context, keys, Secrets { variable: given, first_line })?;
        connect(context, config, &address).map_err(|reason| wrong(address.key(), &reason))
    }
}

fn given(name: &str) -> Result<Secret<String>, String> {
    einvoice_secret_file::variable(name)?.ok_or_else(|| format!("the variable {name} is not set; set it"))
}

fn first_line(path: &Path) -> Result<Secret<String>, String> {
    let line = einvoice_secret_file::first_line(path, "file with the password")?;
    Ok(Secret::from(line.as_str()))
}

fn connect(context: &BuildContext, config: &DatabaseConfig, address: &Address) -> Result<Login, String> {
    let wait = Duration::from_secs(config.answer_seconds);
    match address.place()? {
        Place::Postgres(options, shown) => {
            let pool =
                PgPoolOptions::new().max_connections(CONNECTIONS).acquire_timeout(wait).connect_lazy_with(*options);
            Ok(Login { pool: Pool::Postgres(pool), shown })
        }
        Place::MySql(options, shown) => {
            let pool =
                MySqlPoolOptions::new().max_connections(CONNECTIONS).acquire_timeout(wait).connect_lazy_with(*options);
            Ok(Login { pool: Pool::MySql(pool), shown })
        }
        Place::Sqlite(path) => {
            if path.is_empty() || path.starts_with(":memory:") || path.contains('?') {
                return Err("names no file, or has options: write sqlite:path".to_owned());
            }
            let path = context.path(&path);
            let options = SqliteConnectOptions::new()
                .filename(&path)
                .create_if_missing(config.create_tables)
                .busy_timeout(wait)
                .disable_statement_logging();
            let pool =
                SqlitePoolOptions::new().max_connections(CONNECTIONS).acquire_timeout(wait).connect_lazy_with(options);
            Ok(Login { pool: Pool::Sqlite(pool), shown: path.display().to_string() })
        }
    }
}
