//! Errors of the databases in one form, with what to do about each.

use einvoice_core::source::SourceError;
use einvoice_core::write_back::WriteBackError;
use sqlx::error::DatabaseError;
use sqlx::mysql::MySqlDatabaseError;

/// What kind of trouble it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Nobody answers; it may be otherwise the next time.
    Unreachable,
    /// The connection broke; a new one may be had at once.
    Broken,
    /// The login is refused, something is missing or not allowed: a person changes something.
    Setup,
    /// There is no room for what is to be written.
    Full,
    /// Nothing may be written there.
    ReadOnly,
    /// One value does not fit.
    Data,
    /// Somebody else holds what is needed; the next try may have it.
    Busy,
    /// Anything else.
    Other,
}

/// An error with its kind and what to do.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) kind: Kind,
    pub(crate) reason: String,
    source: Option<sqlx::Error>,
}

impl Fault {
    /// What to do where there is no room.
    pub(crate) const MAKE_ROOM: &str = "; make room on its disk or raise its limit: nothing was changed, and the next run \
                                        goes on";

    /// What to do where nothing may be written.
    pub(crate) const MAY_NOT_WRITE: &str = "; let this user write there (file permissions, `mode=ro`, a standby server), or \
                                            read with `query`, which claims nothing";

    pub(crate) fn new(kind: Kind, reason: impl Into<String>) -> Self {
        Self { kind, reason: reason.into(), source: None }
    }

    /// Whether the same may work later, with nothing changed by a person.
    pub(crate) fn may_pass(&self) -> bool {
        matches!(self.kind, Kind::Unreachable | Kind::Broken | Kind::Busy)
    }

    /// Whether it would be the same with every other row.
    pub(crate) fn stops_all(&self) -> bool {
        matches!(self.kind, Kind::Unreachable | Kind::Setup | Kind::Full | Kind::ReadOnly)
    }

    /// Whether the same may work at once.
    pub(crate) fn try_at_once(&self) -> bool {
        matches!(self.kind, Kind::Broken | Kind::Busy)
    }

    pub(crate) fn into_source(self, place: &str) -> SourceError {
        let error = SourceError::new(place, self.reason);
        match self.source {
            Some(source) => error.because(source),
            None => error,
        }
    }

    pub(crate) fn into_write_back(self, place: &str) -> WriteBackError {
        let error = WriteBackError::new(place, self.reason);
        match self.source {
            Some(source) => error.because(source),
            None => error,
        }
    }
}

impl From<sqlx::Error> for Fault {
    fn from(error: sqlx::Error) -> Self {
        let (kind, reason) = match &error {
            sqlx::Error::Database(database) => of_database(database.as_ref()),
            sqlx::Error::PoolTimedOut => {
                (Kind::Unreachable, "no connection in time; the next run tries again".to_owned())
            }
            // What the TLS library says of a certificate comes as the failure of a read.
            sqlx::Error::Io(cause) if cause.to_string().contains("certificate") => {
                (Kind::Setup, format!("no encrypted connection: {cause}; {CHECK_TLS}"))
            }
            sqlx::Error::Io(cause) => {
                (Kind::Broken, format!("the connection failed: {cause}; the next run tries again"))
            }
            sqlx::Error::Tls(cause) => {
                (Kind::Setup, format!("no encrypted connection: {}; {CHECK_TLS}", deepest(cause.as_ref())))
            }
            sqlx::Error::Protocol(_) | sqlx::Error::WorkerCrashed | sqlx::Error::PoolClosed => {
                (Kind::Broken, format!("the connection broke: {error}; the next run tries again"))
            }
            sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => {
                (Kind::Data, format!("a value is no text: {error}"))
            }
            _ => (Kind::Other, error.to_string()),
        };
        Self { kind, reason, source: Some(error) }
    }
}

/// What to do where a server is not believed.
const CHECK_TLS: &str = "check the server's certificate and the TLS settings of the address";

fn deepest(error: &(dyn std::error::Error + 'static)) -> String {
    let mut deepest = error;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    deepest.to_string()
}

/// Error numbers of MySQL and MariaDB that their SQLSTATE does not tell apart.
/// <https://mariadb.com/kb/en/mariadb-error-code-reference/>
fn by_number(number: u16) -> Option<Kind> {
    Some(match number {
        // Access denied for a user, a database, a table, a column; no such database, column, table.
        1044 | 1045 | 1142 | 1143 | 1227 | 1698 | 1049 | 1054 | 1146 => Kind::Setup,
        // Too many connections, shutdown, gone away.
        1040 | 1053 | 1927 | 2006 | 2013 => Kind::Broken,
        // Lock wait timeout, deadlock.
        1205 | 1213 | 3572 => Kind::Busy,
        // Out of range, too long, wrong value.
        1264 | 1265 | 1366 | 1292 | 1406 | 1411 => Kind::Data,
        // Disk full, table full; an option or a transaction that forbids writing.
        1021 | 1114 => Kind::Full,
        1290 | 1792 | 1836 => Kind::ReadOnly,
        _ => return None,
    })
}

fn of_database(error: &dyn DatabaseError) -> (Kind, String) {
    let message = error.message();
    let code = error.code().unwrap_or_default();
    let number = error.try_downcast_ref::<MySqlDatabaseError>().map(MySqlDatabaseError::number);
    let kind = number.and_then(by_number).unwrap_or_else(|| by_code(&code, message));
    let fix = match kind {
        Kind::Unreachable | Kind::Broken => "; the next run tries again",
        Kind::Busy => "; another program holds what is needed, and the next run tries again",
        Kind::Setup if is_login(&code, number) => "; check user, password and database",
        Kind::Setup => "; check the name and the privileges, which the plugin's README lists",
        Kind::Full => Fault::MAKE_ROOM,
        Kind::ReadOnly => Fault::MAY_NOT_WRITE,
        Kind::Data | Kind::Other => "",
    };
    let code = if code.is_empty() { String::new() } else { format!(" [{code}]") };
    (kind, format!("{message}{code}{fix}"))
}

fn is_login(code: &str, number: Option<u16>) -> bool {
    matches!(number, Some(1044 | 1045 | 1049 | 1698)) || code.starts_with("28") || code == "3D000"
}

/// By SQLSTATE, as `PostgreSQL` has it in its appendix A, and by the result codes of SQLite
/// (<https://www.sqlite.org/rescode.html>).
pub(crate) fn by_code(code: &str, message: &str) -> Kind {
    if message.starts_with("no such ") {
        return Kind::Setup;
    }
    if let Some(plain) = code.parse::<u32>().ok().filter(|_| code.len() < 5) {
        // Extended result codes keep the plain one in the lowest byte.
        return match plain & 0xFF {
            5 | 6 => Kind::Busy,
            8 => Kind::ReadOnly,
            13 => Kind::Full,
            3 | 14 | 23 | 26 => Kind::Setup,
            18..=20 => Kind::Data,
            _ => Kind::Other,
        };
    }
    match code {
        "40001" | "40P01" | "55P03" => Kind::Busy,
        "42501" | "42P01" | "42703" | "3D000" | "3F000" => Kind::Setup,
        "57P01" | "57P02" | "57P03" | "53300" => Kind::Broken,
        "53100" => Kind::Full,
        "25006" => Kind::ReadOnly,
        _ => match code.get(..2) {
            Some("28") => Kind::Setup,
            Some("08") => Kind::Broken,
            Some("22" | "23") if code.len() == 5 => Kind::Data,
            _ => Kind::Other,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_say_whose_move_it_is() {
        for (code, message, kind) in [
            ("28P01", "password authentication failed", Kind::Setup),
            ("42P01", "relation does not exist", Kind::Setup),
            ("1", "no such table: einv_header", Kind::Setup),
            ("5", "database is locked", Kind::Busy),
            ("57P01", "terminating connection", Kind::Broken),
            ("22001", "value too long", Kind::Data),
            ("40P01", "deadlock detected", Kind::Busy),
            ("13", "database or disk is full", Kind::Full),
            ("1032", "attempt to write a readonly database", Kind::ReadOnly),
            ("25006", "cannot execute UPDATE in a read-only transaction", Kind::ReadOnly),
            ("2067", "UNIQUE constraint failed", Kind::Data),
            ("XX000", "anything", Kind::Other),
        ] {
            assert_eq!(by_code(code, message), kind, "{code}");
        }
        assert_eq!((by_number(1146), by_number(1213), by_number(1)), (Some(Kind::Setup), Some(Kind::Busy), None));
    }

    #[test]
    fn a_broken_connection_is_tried_again() {
        let fault = Fault::from(sqlx::Error::Io(std::io::Error::other("reset")));
        assert_eq!(fault.kind, Kind::Broken);
        assert!(fault.into_source("erp").to_string().starts_with("erp: the connection failed: reset"));
    }
}
