#![doc = include_str!("../README.md")]

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use einvoice_core::registry::{BuildContext, BuildError};
use einvoice_core::secret::Secret;
use sqlx::ConnectOptions as _;
use sqlx::mysql::MySqlConnectOptions;
use sqlx::postgres::PgConnectOptions;

/// Addresses as people write them.
pub const ADDRESSES: &str = "postgres://user@host/db, mysql://user@host/db or sqlite:path";

/// What a configuration says about the way into a database.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::exhaustive_structs, reason = "the four keys that every such configuration has")]
pub struct Keys<'c> {
    /// The address, without a password.
    pub url: &'c Option<String>,
    /// Name of a variable that holds the whole address.
    pub url_env: &'c Option<String>,
    /// Name of a variable that holds the password.
    pub password_env: &'c Option<String>,
    /// A file whose first line is the password.
    pub password_file: &'c Option<String>,
}

/// How a plugin reads secrets. An error is told as it is, behind the name of the key.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::exhaustive_structs, reason = "the two places that the keys name")]
pub struct Secrets {
    /// The value of an environment variable, by its name.
    pub variable: fn(&str) -> Result<Secret<String>, String>,
    /// The first line of a file.
    pub first_line: fn(&Path) -> Result<Secret<String>, String>,
}

/// An address, with the password that goes with it.
pub struct Address {
    url: Secret<String>,
    key: &'static str,
    password: Option<Secret<String>>,
}

impl fmt::Debug for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Address").field("key", &self.key).finish_non_exhaustive()
    }
}

/// What an address leads to.
#[derive(Clone)]
#[expect(clippy::exhaustive_enums, reason = "the databases that sqlx speaks to")]
pub enum Place {
    /// `PostgreSQL`.
    Postgres(Box<PgConnectOptions>, Shown),
    /// MySQL or MariaDB.
    MySql(Box<MySqlConnectOptions>, Shown),
    /// A file of `SQLite`: its path as it is written, with `?` and options where there are some.
    Sqlite(String),
}

/// What people know a database by: `erp on db.example.in`.
pub type Shown = String;

impl fmt::Debug for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The options hold the password.
        let (Self::Postgres(_, shown) | Self::MySql(_, shown) | Self::Sqlite(shown)) = self;
        formatter.debug_tuple("Place").field(shown).finish()
    }
}

impl Address {
    /// Reads the keys; nothing is connected.
    ///
    /// # Errors
    /// Which key is missing or wrong, and what to write.
    pub fn read(context: &BuildContext, keys: Keys<'_>, secrets: Secrets) -> Result<Self, BuildError> {
        let wrong = |key: &str, reason: String| BuildError::new(format!("{}, key `{key}`", context.name), reason);
        let (url, key) = match (keys.url, keys.url_env) {
            (Some(url), None) => (Secret::from(url.as_str()), "url"),
            (None, Some(name)) => ((secrets.variable)(name).map_err(|reason| wrong("url_env", reason))?, "url_env"),
            (Some(_), Some(_)) => {
                return Err(wrong("url_env", "one of `url` and `url_env` is enough; remove one".to_owned()));
            }
            (None, None) => return Err(wrong("url", format!("is missing: write {ADDRESSES}"))),
        };
        if key == "url" && has_password(url.expose()) {
            let reason = "has a password, which does not belong into a configuration file: remove it, and name the \
                          environment variable that holds it in `password_env`";
            return Err(wrong(key, reason.to_owned()));
        }
        let password = match (keys.password_env, keys.password_file) {
            (Some(name), None) => Some((secrets.variable)(name).map_err(|reason| wrong("password_env", reason))?),
            (None, Some(file)) => {
                let line = (secrets.first_line)(&context.path(file));
                Some(line.map_err(|reason| wrong("password_file", reason))?)
            }
            (Some(_), Some(_)) => {
                let reason = "one of `password_env` and `password_file` is enough; remove one";
                return Err(wrong("password_file", reason.to_owned()));
            }
            (None, None) => None,
        };
        Ok(Self { url, key, password })
    }

    /// The key that the address came from, to be named where it is wrong.
    #[must_use]
    pub const fn key(&self) -> &'static str {
        self.key
    }

    /// The address itself. It may hold a password where it came from a variable.
    #[must_use]
    pub const fn url(&self) -> &Secret<String> {
        &self.url
    }

    /// The password beside the address.
    #[must_use]
    pub const fn password(&self) -> Option<&Secret<String>> {
        self.password.as_ref()
    }

    /// What it leads to, with the password and without the driver's own logging of statements.
    ///
    /// # Errors
    /// What is wrong with the address, to be told behind its key. The address is not repeated.
    pub fn place(&self) -> Result<Place, String> {
        // The driver's own message may repeat the address, and with it the password.
        let unreadable = || format!("is no address of a database: write {ADDRESSES}");
        let url = self.url.expose();
        match url.split(':').next().unwrap_or_default() {
            "postgres" | "postgresql" => {
                let mut options =
                    PgConnectOptions::from_str(url).map_err(|_| unreadable())?.disable_statement_logging();
                if let Some(password) = &self.password {
                    options = options.password(password.expose());
                }
                let shown = format!("{} on {}", options.get_database().unwrap_or("postgres"), options.get_host());
                Ok(Place::Postgres(Box::new(options), shown))
            }
            "mysql" | "mariadb" => {
                let mut options =
                    MySqlConnectOptions::from_str(url).map_err(|_| unreadable())?.disable_statement_logging();
                if let Some(password) = &self.password {
                    options = options.password(password.expose());
                }
                let Some(database) = options.get_database() else {
                    return Err("names no database: write mysql://user@host/db".to_owned());
                };
                let shown = format!("{database} on {}", options.get_host());
                Ok(Place::MySql(Box::new(options), shown))
            }
            "sqlite" => Ok(Place::Sqlite(url.trim_start_matches("sqlite:").trim_start_matches("//").to_owned())),
            _ => Err(unreadable()),
        }
    }
}

/// `user:password@host`, `password=` among the options, or a key for it in a connection string of ODBC.
fn has_password(url: &str) -> bool {
    if let Some(connection_string) = url.strip_prefix("odbc:") {
        // A value in braces may hold what looks like a key; refusing it too is the safe side.
        let mut keys = connection_string.split(';').filter_map(|pair| pair.split_once('='));
        return keys.any(|(key, _)| ["pwd", "password"].contains(&key.trim().to_ascii_lowercase().as_str()));
    }
    let (head, options) = url.split_once('?').unwrap_or((url, ""));
    let authority = head.split_once("://").map_or("", |(_, rest)| rest.split('/').next().unwrap_or_default());
    let user = authority.rsplit_once('@').map_or("", |(user, _)| user);
    user.contains(':') || options.split('&').any(|option| option.starts_with("password="))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_in_an_address_is_seen_wherever_it_stands() {
        for url in [
            "postgres://u:hunter2@h/d",
            "mysql://u:p@h/d",
            "postgres://h/d?user=u&password=p",
            "odbc:Driver={ODBC Driver 18 for SQL Server};Server=h;UID=u;Pwd=p",
        ] {
            assert!(has_password(url), "{url}");
        }
        for url in
            ["postgres://u@h:5432/d", "mysql://u@h/d", "sqlite:books/a:b.db", "postgres://h/d?user=u", "odbc:DSN=d"]
        {
            assert!(!has_password(url), "{url}");
        }
    }

    #[test]
    fn an_address_shows_neither_itself_nor_its_password() {
        let address =
            |url: &str| Address { url: Secret::from(url), key: "url_env", password: Some(Secret::from("hunter2")) };
        let postgres = address("postgres://u:hunter2@h/d");
        let place = postgres.place().unwrap();
        assert_eq!(format!("{place:?}"), r#"Place("d on h")"#);
        assert!(!format!("{postgres:?}").contains("hunter2"));
        let error = address("oracle://u:hunter2@h/d").place().unwrap_err();
        assert!(error.contains("no address of a database") && !error.contains("hunter2"), "{error}");
    }
}
