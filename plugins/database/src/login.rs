//! Where a database is and how to log in: the address, and the password from where secrets are kept.

use std::fmt;
use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use einvoice_core::registry::{BuildContext, BuildError};
use einvoice_core::secret::Secret;
use sqlx::ConnectOptions as _;
use sqlx::mysql::MySqlConnectOptions;
use sqlx::postgres::PgConnectOptions;
use sqlx::sqlite::SqliteConnectOptions;

use crate::dialect::Dialect;
#[cfg(feature = "odbc")]
use crate::odbc;

/// Addresses as people write them.
const ADDRESSES: &str = "postgres://user@host/db, mysql://user@host/db or sqlite:path";

/// How long `SQLite` waits while another program writes.
const BUSY: Duration = Duration::from_secs(10);

/// What both roles say about their database.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Keys<'c> {
    pub(crate) url: &'c Option<String>,
    pub(crate) url_env: &'c Option<String>,
    pub(crate) password_env: &'c Option<String>,
    pub(crate) password_file: &'c Option<String>,
    pub(crate) connect_seconds: u64,
    pub(crate) answer_seconds: u64,
    pub(crate) dialect: &'c Option<String>,
}

/// Options of a driver. They hold the password, so they are never shown.
#[derive(Clone)]
pub(crate) enum Options {
    Postgres(Box<PgConnectOptions>),
    MySql(Box<MySqlConnectOptions>),
    Sqlite(Box<SqliteConnectOptions>),
    #[cfg(feature = "odbc")]
    Odbc(Box<odbc::Options>),
}

/// A database and the way into it.
#[derive(Clone)]
pub(crate) struct Login {
    pub(crate) options: Options,
    /// What people know it by: `erp on db.example.in`.
    pub(crate) shown: String,
    pub(crate) connect: Duration,
    pub(crate) answer: Duration,
}

impl fmt::Debug for Login {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Login").field("database", &self.shown).finish_non_exhaustive()
    }
}

impl Login {
    /// Reads the settings; nothing is connected.
    pub(crate) fn new(context: &BuildContext, keys: Keys<'_>) -> Result<Self, BuildError> {
        let wrong = |key: &str, reason: String| BuildError::new(format!("{}, key `{key}`", context.name), reason);
        range("connect_seconds", keys.connect_seconds, 1, 300).map_err(|reason| wrong("connect_seconds", reason))?;
        range("answer_seconds", keys.answer_seconds, 1, 3_600).map_err(|reason| wrong("answer_seconds", reason))?;
        let (url, from) = match (keys.url, keys.url_env) {
            (Some(url), None) => (Secret::new(url.clone()), "url"),
            (None, Some(name)) => (variable(name).map_err(|reason| wrong("url_env", reason))?, "url_env"),
            (Some(_), Some(_)) => {
                return Err(wrong("url_env", "one of `url` and `url_env` is enough; remove one".into()));
            }
            (None, None) => {
                let reason = format!("is missing: write {ADDRESSES}");
                return Err(wrong("url", reason));
            }
        };
        if from == "url" && has_password(url.expose()) {
            let reason = "has a password, which does not belong into a configuration file: remove it, and name the \
                          environment variable that holds it in `password_env`";
            return Err(wrong("url", reason.to_owned()));
        }
        let password = match (keys.password_env, keys.password_file) {
            (Some(name), None) => Some(variable(name).map_err(|reason| wrong("password_env", reason))?),
            (None, Some(path)) => {
                Some(first_line(&context.path(path)).map_err(|reason| wrong("password_file", reason))?)
            }
            (Some(_), Some(_)) => {
                let reason = "one of `password_env` and `password_file` is enough; remove one";
                return Err(wrong("password_file", reason.to_owned()));
            }
            (None, None) => None,
        };
        let is_odbc = url.expose().starts_with("odbc:");
        if let Some(dialect) = keys.dialect
            && !is_odbc
        {
            let reason = format!("`{dialect}` is for addresses that begin with odbc:; the others say what they speak");
            return Err(wrong("dialect", reason));
        }
        let (options, shown) = if is_odbc {
            let dialect = odbc_dialect(keys.dialect.as_deref()).map_err(|reason| wrong("dialect", reason))?;
            over_odbc(url.expose(), password.as_ref(), dialect)
        } else {
            options(context, url.expose(), password.as_ref())
        }
        .map_err(|reason| wrong(from, reason))?;
        Ok(Self {
            options,
            shown,
            connect: Duration::from_secs(keys.connect_seconds),
            answer: Duration::from_secs(keys.answer_seconds),
        })
    }

    pub(crate) fn dialect(&self) -> Dialect {
        match &self.options {
            Options::Postgres(_) => Dialect::Postgres,
            Options::MySql(_) => Dialect::MySql,
            Options::Sqlite(_) => Dialect::Sqlite,
            #[cfg(feature = "odbc")]
            Options::Odbc(options) => options.dialect,
        }
    }
}

/// The dialects that are spoken over ODBC: those of the other servers have a driver here that needs none.
fn odbc_dialect(name: Option<&str>) -> Result<Dialect, String> {
    let names = "write sqlserver, oracle, sqlite, or standard for any other database";
    let Some(name) = name else { return Err(format!("is missing for an address over ODBC: {names}")) };
    match Dialect::from_name(name) {
        Some(dialect @ (Dialect::SqlServer | Dialect::Oracle | Dialect::Sqlite | Dialect::Standard)) => Ok(dialect),
        Some(Dialect::Postgres | Dialect::MySql) => {
            Err(format!("`{name}` is spoken without ODBC: write its own address, or `standard`"))
        }
        None => Err(format!("there is no dialect `{name}`: {names}")),
    }
}

#[cfg(feature = "odbc")]
fn over_odbc(url: &str, password: Option<&Secret<String>>, dialect: Dialect) -> Result<(Options, String), String> {
    let connection_string = url.trim_start_matches("odbc:");
    let shown = odbc::shown(connection_string)?;
    Ok((Options::Odbc(Box::new(odbc::Options::new(connection_string, password, dialect))), shown))
}

#[cfg(not(feature = "odbc"))]
fn over_odbc(_: &str, _: Option<&Secret<String>>, _: Dialect) -> Result<(Options, String), String> {
    Err("begins with odbc:, and this program was built without ODBC: build it with --features odbc".to_owned())
}

pub(crate) fn range(key: &str, found: u64, least: u64, most: u64) -> Result<(), String> {
    let _ = key;
    if (least..=most).contains(&found) { Ok(()) } else { Err(format!("found {found}: write {least} to {most}")) }
}

fn has_password(url: &str) -> bool {
    if let Some(connection_string) = url.strip_prefix("odbc:") {
        // A value in braces may hold what looks like a key; refusing it too is the safe side.
        let mut keys = connection_string.split(';').filter_map(|pair| pair.split_once('='));
        return keys.any(|(key, _)| ["pwd", "password"].contains(&key.trim().to_ascii_lowercase().as_str()));
    }
    let Some((_, rest)) = url.split_once("://") else { return false };
    let authority = rest.split(['/', '?']).next().unwrap_or(rest);
    let in_authority = authority.rsplit_once('@').is_some_and(|(user, _)| user.contains(':'));
    in_authority
        || rest.split_once('?').is_some_and(|(_, query)| query.split('&').any(|pair| pair.starts_with("password=")))
}

fn variable(name: &str) -> Result<Secret<String>, String> {
    match std::env::var(name) {
        Ok(value) if !value.is_empty() => Ok(Secret::new(value)),
        _ => Err(format!("the environment variable {name} is not set")),
    }
}

fn first_line(path: &Path) -> Result<Secret<String>, String> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("{} cannot be read: {error}", path.display()))?;
    let text = Secret::new(text);
    let line = text.expose().lines().next().unwrap_or_default();
    if line.is_empty() { Err(format!("{} is empty", path.display())) } else { Ok(Secret::new(line.to_owned())) }
}

fn options(context: &BuildContext, url: &str, password: Option<&Secret<String>>) -> Result<(Options, String), String> {
    // The driver's own message may repeat the address, and with it the password.
    let unreadable = format!("is no address of a database: write {ADDRESSES}");
    let scheme = url.split(':').next().unwrap_or_default();
    match scheme {
        "postgres" | "postgresql" => {
            let options = PgConnectOptions::from_str(url).map_err(|_| unreadable.clone())?;
            let options = match options.get_application_name() {
                None => options.application_name("einvoice"),
                Some(_) => options,
            };
            let options = options.disable_statement_logging();
            let options = match password {
                Some(password) => options.password(password.expose()),
                None => options,
            };
            let shown = format!("{} on {}", options.get_database().unwrap_or("postgres"), options.get_host());
            Ok((Options::Postgres(Box::new(options)), shown))
        }
        "mysql" | "mariadb" => {
            let options = MySqlConnectOptions::from_str(url).map_err(|_| unreadable.clone())?;
            // The portal's time zone, so that moments are read and written as the books of an Indian business have them.
            let options = options.timezone(Some("+05:30".to_owned())).disable_statement_logging();
            let options = match password {
                Some(password) => options.password(password.expose()),
                None => options,
            };
            let Some(database) = options.get_database() else {
                return Err("names no database: write mysql://user@host/db".to_owned());
            };
            let shown = format!("{database} on {}", options.get_host());
            Ok((Options::MySql(Box::new(options)), shown))
        }
        "sqlite" => {
            let path = url.trim_start_matches("sqlite:").trim_start_matches("//");
            let (path, read_only) = match path.split_once('?') {
                None => (path, false),
                Some((path, "mode=ro")) => (path, true),
                Some((path, "mode=rw")) => (path, false),
                Some((_, other)) => return Err(format!("ends with ?{other}: mode=ro and mode=rw are known")),
            };
            if path.is_empty() || path.starts_with(":memory:") {
                return Err("names no file: write sqlite:path".to_owned());
            }
            let path = context.path(path);
            let options = SqliteConnectOptions::new().filename(&path).busy_timeout(BUSY).disable_statement_logging();
            let options = options.read_only(read_only);
            Ok((Options::Sqlite(Box::new(options)), path.display().to_string()))
        }
        _ => Err(unreadable),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use einvoice_core::clock::SystemClock;
    use einvoice_core::entropy::SystemEntropy;

    use super::*;

    fn login(url: &str, password_file: Option<&str>) -> Result<Login, String> {
        let context = BuildContext::new("erp", "/data", Arc::new(SystemClock), SystemEntropy::shared());
        let (url, password_file) = (Some(url.to_owned()), password_file.map(str::to_owned));
        let keys = Keys {
            url: &url,
            url_env: &None,
            password_env: &None,
            password_file: &password_file,
            connect_seconds: 1,
            answer_seconds: 1,
            dialect: &None,
        };
        Login::new(&context, keys).map_err(|error| error.to_string())
    }

    #[test]
    fn an_address_says_which_database_and_is_shown_without_its_user() {
        let shown = |url: &str| login(url, None).map(|login| (login.dialect(), login.shown)).unwrap();
        assert_eq!(
            shown("postgres://books@db.example.in:5433/erp"),
            (Dialect::Postgres, "erp on db.example.in".into())
        );
        assert_eq!(shown("mysql://books@db.example.in/erp"), (Dialect::MySql, "erp on db.example.in".into()));
        let (dialect, file) = shown("sqlite:books/erp.db");
        assert_eq!((dialect, file.replace('\\', "/")), (Dialect::Sqlite, "/data/books/erp.db".to_owned()));
    }

    #[test]
    fn a_password_in_the_configuration_is_refused_and_never_repeated() {
        for url in [
            "postgres://books:hunter2@db.example.in/erp",
            "postgres://db.example.in/erp?user=books&password=hunter2",
            "mysql://books:hunter2@db.example.in/erp",
            "oracle://books:hunter2@db.example.in/erp",
            "odbc:Driver={ODBC Driver 18 for SQL Server};Server=db.example.in;UID=books;Pwd=hunter2",
        ] {
            let error = login(url, None).unwrap_err();
            assert!(error.contains("password_env"), "{error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
        assert!(login("mysql://books@host", None).unwrap_err().contains("names no database"));
        assert!(login("erp", None).unwrap_err().contains("no address of a database"));
    }

    #[test]
    fn a_password_from_a_file_is_not_shown() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        std::fs::write(&path, "hunter2\n").unwrap();
        let login = login("postgres://books@db.example.in/erp", path.to_str()).unwrap();
        assert!(!format!("{login:?}").contains("hunter2"));
        let Options::Postgres(options) = &login.options else { panic!("another driver") };
        assert!(format!("{options:?}").contains("hunter2"), "the driver has the password");
    }
}
