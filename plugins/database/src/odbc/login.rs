//! A connection string, and the password it must not show.

use std::collections::BTreeMap;

use einvoice_core::secret::Secret;

use crate::dialect::Dialect;
use crate::fault::Fault;

/// How a database is reached over ODBC. It holds the password, so it is never shown.
#[derive(Clone)]
pub(crate) struct Options {
    connection_string: Secret<String>,
    password: Option<Secret<String>>,
    pub(crate) dialect: Dialect,
}

impl Options {
    /// A connection string and the password that is added to it.
    pub(crate) fn new(connection_string: &str, password: Option<&Secret<String>>, dialect: Dialect) -> Self {
        let mut whole = connection_string.trim().trim_end_matches(';').to_owned();
        if let Some(password) = password {
            let text = password.expose();
            let plain = text.chars().all(|character| character.is_ascii_alphanumeric());
            // In braces, where only a closing one has a meaning.
            let value = if plain { text.clone() } else { format!("{{{}}}", text.replace('}', "}}")) };
            whole.push_str(";PWD=");
            whole.push_str(&value);
        }
        // Some drivers read on until there is a zero.
        whole.push('\0');
        Self { connection_string: Secret::new(whole), password: password.cloned(), dialect }
    }

    /// The connection string, with a zero at its end.
    pub(super) fn connection_string(&self) -> &str {
        self.connection_string.expose()
    }

    /// Drivers are not ours, so what they say is looked through for the password.
    pub(super) fn without_password(&self, mut fault: Fault) -> Fault {
        if let Some(password) = &self.password {
            fault.reason = fault.reason.replace(password.expose(), "***");
        }
        fault
    }
}

/// What people know the database by: its name and server, or the data source that stands for both.
pub(crate) fn shown(connection_string: &str) -> Result<String, String> {
    let attributes = attributes(connection_string);
    let value = |names: &[&str]| names.iter().find_map(|name| attributes.get(*name)).cloned();
    let server = value(&["server", "servername", "host", "dbq"]);
    let database = value(&["database", "db", "schema"]);
    let source = value(&["dsn", "filedsn", "driver"]);
    match (database, server, source) {
        (Some(database), Some(server), _) => Ok(format!("{database} on {server} (ODBC)")),
        (Some(one), None, _) | (None, Some(one), _) | (None, None, Some(one)) => Ok(format!("{one} (ODBC)")),
        (None, None, None) => Err("names neither a data source nor a driver: write odbc:DSN=name;UID=user, or \
                                   odbc:Driver={name};Server=host;Database=db;UID=user"
            .to_owned()),
    }
}

/// The pairs of a connection string: names in small letters, values without their braces.
fn attributes(connection_string: &str) -> BTreeMap<String, String> {
    let mut attributes = BTreeMap::new();
    let mut rest = connection_string;
    while let Some((name, after)) = rest.split_once('=') {
        let (value, next) = match after.strip_prefix('{') {
            Some(braced) => match braced.split_once('}') {
                Some((value, next)) => (value, next.trim_start_matches(['}', ';'])),
                None => (braced, ""),
            },
            None => after.split_once(';').unwrap_or((after, "")),
        };
        attributes.entry(name.trim().to_ascii_lowercase()).or_insert_with(|| value.trim().to_owned());
        rest = next;
    }
    attributes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::Kind;

    #[test]
    fn a_connection_string_is_shown_by_what_people_know_it_by() {
        for (text, known_by) in [
            ("DSN=erp;UID=einvoice", "erp (ODBC)"),
            (
                "Driver={ODBC Driver 18 for SQL Server};Server=db.example.in,1433;Database=erp",
                "erp on db.example.in,1433 (ODBC)",
            ),
            (
                "Driver={Oracle 21 ODBC driver};DBQ=//db.example.in:1521/ERP;UID=einvoice",
                "//db.example.in:1521/ERP (ODBC)",
            ),
            ("Driver=SQLite3;Database=/data/books.db;Timeout=10000", "/data/books.db (ODBC)"),
        ] {
            assert_eq!(shown(text).unwrap(), known_by);
        }
        assert!(shown("erp").unwrap_err().contains("odbc:DSN=name"));
    }

    #[test]
    fn a_password_is_added_so_that_none_of_its_letters_ends_it() {
        let whole = |password: &str| {
            let password = Secret::new(password.to_owned());
            Options::new("DSN=erp;", Some(&password), Dialect::Standard).connection_string().to_owned()
        };
        assert_eq!(whole("hunter2"), "DSN=erp;PWD=hunter2\0");
        assert_eq!(whole("a;b}c d"), "DSN=erp;PWD={a;b}}c d}\0");
    }

    #[test]
    fn a_driver_that_repeats_the_password_is_not_believed_with_it() {
        let password = Secret::new("hunter2".to_owned());
        let options = Options::new("DSN=erp", Some(&password), Dialect::Standard);
        let fault = Fault::new(Kind::Setup, "cannot log in with PWD=hunter2");
        assert_eq!(options.without_password(fault).reason, "cannot log in with PWD=***");
    }
}
