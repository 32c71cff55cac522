//! Where a database is and how to log in: the address, and the password from where secrets are kept.

use std::fmt;
use std::path::Path;
use std::time::Duration;

use einvoice_core::registry::{BuildContext, BuildError};
use einvoice_core::secret::Secret;
use einvoice_database_login::{Address, Place, Secrets};
use sqlx::ConnectOptions as _;
use sqlx::mysql::MySqlConnectOptions;
use sqlx::postgres::PgConnectOptions;
use sqlx::sqlite::SqliteConnectOptions;

use crate::dialect::Dialect;
#[cfg(feature = "odbc")]
use crate::odbc;

/// How long `SQLite` waits while another program writes.
const BUSY: Duration = Duration::from_secs(10);

/// What both roles say about their database.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Keys<'c> {
    pub(crate) address: einvoice_database_login::Keys<'c>,
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
        let address = Address::read(context, keys.address, Secrets { variable, first_line })?;
        let is_odbc = address.url().expose().starts_with("odbc:");
        if let Some(dialect) = keys.dialect
            && !is_odbc
        {
            let reason = format!("`{dialect}` is for addresses that begin with odbc:; the others say what they speak");
            return Err(wrong("dialect", reason));
        }
        let (options, shown) = if is_odbc {
            let dialect = odbc_dialect(keys.dialect.as_deref()).map_err(|reason| wrong("dialect", reason))?;
            over_odbc(address.url().expose(), address.password(), dialect)
        } else {
            options(context, &address)
        }
        .map_err(|reason| wrong(address.key(), reason))?;
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

fn options(context: &BuildContext, address: &Address) -> Result<(Options, String), String> {
    match address.place()? {
        Place::Postgres(options, shown) => {
            let options = match options.get_application_name() {
                None => options.application_name("einvoice"),
                Some(_) => *options,
            };
            Ok((Options::Postgres(Box::new(options)), shown))
        }
        Place::MySql(options, shown) => {
            // The portal's time zone, so that moments are read and written as the books of an Indian business have them.
            Ok((Options::MySql(Box::new(options.timezone(Some("+05:30".to_owned())))), shown))
        }
        Place::Sqlite(path) => {
            let (path, read_only) = match path.split_once('?') {
                None => (path.as_str(), false),
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
        let address = einvoice_database_login::Keys {
            url: &url,
            url_env: &None,
            password_env: &None,
            password_file: &password_file,
        };
        let keys = Keys { address, connect_seconds: 1, answer_seconds: 1, dialect: &None };
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
