//! Where the database is and how to log in: the address, and the password from where secrets are kept.

use std::str::FromStr;
use std::time::Duration;

use einvoice_core::registry::{BuildContext, BuildError};
use einvoice_core::secret::Secret;
use sqlx::ConnectOptions as _;
use sqlx::mysql::{MySqlConnectOptions, MySqlPool, MySqlPoolOptions};
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool, SqlitePoolOptions};

use crate::config::DatabaseConfig;

/// Addresses as people write them.
const ADDRESSES: &str = "postgres://user@host/db, mysql://user@host/db or sqlite:path";
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
        let (url, key) = match (&config.url, &config.url_env) {
            (Some(url), None) => (Secret::from(url.as_str()), "url"),
            (None, Some(name)) => (given(name).map_err(|reason| wrong("url_env", &reason))?, "url_env"),
            (Some(_), Some(_)) => return Err(wrong("url_env", "one of `url` and `url_env` is enough; remove one")),
            (None, None) => return Err(wrong("url", &format!("is missing: write {ADDRESSES}"))),
        };
        if key == "url" && has_password(url.expose()) {
            return Err(wrong(
                key,
                "has a password, which does not belong into a configuration file: remove it, and name the environment \
                 variable that holds it in `password_env`",
            ));
        }
        let password = match (&config.password_env, &config.password_file) {
            (Some(name), None) => Some(given(name).map_err(|reason| wrong("password_env", &reason))?),
            (None, Some(file)) => {
                let line = einvoice_secret_file::first_line(&context.path(file), "file with the password");
                Some(Secret::from(line.map_err(|reason| wrong("password_file", &reason))?.as_str()))
            }
            (Some(_), Some(_)) => {
                return Err(wrong("password_file", "one of `password_env` and `password_file` is enough; remove one"));
            }
            (None, None) => None,
        };
        connect(context, config, url.expose(), password.as_ref()).map_err(|reason| wrong(key, &reason))
    }
}

fn given(name: &str) -> Result<Secret<String>, String> {
    einvoice_secret_file::variable(name)?.ok_or_else(|| format!("the variable {name} is not set; set it"))
}

/// `user:password@host`, or `password=` among the options.
fn has_password(url: &str) -> bool {
    let (head, options) = url.split_once('?').unwrap_or((url, ""));
    let authority = head.split_once("://").map_or("", |(_, rest)| rest.split('/').next().unwrap_or_default());
    let user = authority.rsplit_once('@').map_or("", |(user, _)| user);
    user.contains(':') || options.split('&').any(|option| option.starts_with("password="))
}

fn connect(
    context: &BuildContext,
    config: &DatabaseConfig,
    url: &str,
    password: Option<&Secret<String>>,
) -> Result<Login, String> {
    // The driver's own message may repeat the address, and with it the password.
    let unreadable = || format!("is no address of a database: write {ADDRESSES}");
    let wait = Duration::from_secs(config.answer_seconds);
    match url.split(':').next().unwrap_or_default() {
        "postgres" | "postgresql" => {
            let mut options = PgConnectOptions::from_str(url).map_err(|_| unreadable())?.disable_statement_logging();
            if let Some(password) = password {
                options = options.password(password.expose());
            }
            let shown = format!("{} on {}", options.get_database().unwrap_or("postgres"), options.get_host());
            let pool =
                PgPoolOptions::new().max_connections(CONNECTIONS).acquire_timeout(wait).connect_lazy_with(options);
            Ok(Login { pool: Pool::Postgres(pool), shown })
        }
        "mysql" | "mariadb" => {
            let mut options = MySqlConnectOptions::from_str(url).map_err(|_| unreadable())?.disable_statement_logging();
            if let Some(password) = password {
                options = options.password(password.expose());
            }
            let Some(database) = options.get_database() else {
                return Err("names no database: write mysql://user@host/db".to_owned());
            };
            let shown = format!("{database} on {}", options.get_host());
            let pool =
                MySqlPoolOptions::new().max_connections(CONNECTIONS).acquire_timeout(wait).connect_lazy_with(options);
            Ok(Login { pool: Pool::MySql(pool), shown })
        }
        "sqlite" => {
            let path = url.trim_start_matches("sqlite:").trim_start_matches("//");
            if path.is_empty() || path.starts_with(":memory:") || path.contains('?') {
                return Err("names no file, or has options: write sqlite:path".to_owned());
            }
            let path = context.path(path);
            let options = SqliteConnectOptions::new()
                .filename(&path)
                .create_if_missing(config.create_tables)
                .busy_timeout(wait)
                .disable_statement_logging();
            let pool =
                SqlitePoolOptions::new().max_connections(CONNECTIONS).acquire_timeout(wait).connect_lazy_with(options);
            Ok(Login { pool: Pool::Sqlite(pool), shown: path.display().to_string() })
        }
        _ => Err(unreadable()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_in_an_address_is_seen_wherever_it_stands() {
        for url in ["postgres://u:hunter2@h/d", "mysql://u:p@h/d", "postgres://h/d?user=u&password=p"] {
            assert!(has_password(url), "{url}");
        }
        for url in ["postgres://u@h:5432/d", "mysql://u@h/d", "sqlite:books/a:b.db", "postgres://h/d?user=u"] {
            assert!(!has_password(url), "{url}");
        }
    }
}
