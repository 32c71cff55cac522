//! From what SQLite says to what a person can act on.

use einvoice_core::ledger::LedgerError;

/// Why a call failed, before the name of the ledger is put on it.
#[derive(Debug)]
pub(crate) enum Fault {
    /// The answer itself is an error of the contract.
    Refused(LedgerError),
    /// SQLite failed.
    Sql(sqlx::Error),
    /// Something stored cannot be read back.
    Unreadable(String),
    /// The caller asked for something that cannot be stored.
    Misuse(String),
}

impl From<sqlx::Error> for Fault {
    fn from(error: sqlx::Error) -> Self {
        Self::Sql(error)
    }
}

impl From<LedgerError> for Fault {
    fn from(error: LedgerError) -> Self {
        Self::Refused(error)
    }
}

impl Fault {
    /// The error for the caller.
    pub(crate) fn into_error(self, ledger: &str) -> LedgerError {
        match self {
            Self::Refused(error) => error,
            Self::Sql(error) => sql_error(ledger, "the call", error),
            Self::Unreadable(reason) => LedgerError::Damaged { ledger: ledger.to_owned(), reason },
            Self::Misuse(reason) => LedgerError::Storage { ledger: ledger.to_owned(), reason, source: None },
        }
    }
}

/// The error for a failed statement.
pub(crate) fn sql_error(ledger: &str, doing: &str, error: sqlx::Error) -> LedgerError {
    let advice = advice(&error);
    if advice.damaged {
        return LedgerError::Damaged { ledger: ledger.to_owned(), reason: format!("{error}; {}", advice.text) };
    }
    LedgerError::Storage {
        ledger: ledger.to_owned(),
        reason: format!("{doing} did not go through ({error}); {}", advice.text),
        source: Some(Box::new(error)),
    }
}

/// The same error for each call of a group that could not be committed.
pub(crate) fn group_error(ledger: &str, error: &sqlx::Error) -> LedgerError {
    let advice = advice(error);
    let reason = format!("nothing was stored, the commit did not go through ({error}); {}", advice.text);
    if advice.damaged {
        LedgerError::Damaged { ledger: ledger.to_owned(), reason }
    } else {
        LedgerError::Storage { ledger: ledger.to_owned(), reason, source: None }
    }
}

/// SQLite's primary result code, when the error is one of SQLite's.
pub(crate) fn primary_code(error: &sqlx::Error) -> Option<u32> {
    let code = error.as_database_error()?.code()?;
    code.parse::<u32>().ok().map(|code| code & 0xff)
}

struct Advice {
    text: &'static str,
    damaged: bool,
}

/// What to do about a SQLite result code (<https://www.sqlite.org/rescode.html>; the low byte is the
/// primary code).
fn advice(error: &sqlx::Error) -> Advice {
    let (text, damaged) = match primary_code(error) {
        Some(3 | 8) => ("the file or its folder is read-only: give the program write permission to both", false),
        Some(5 | 6) => ("another program holds the file: close it, or raise `busy_timeout_ms`", false),
        Some(10) => ("the disk reported an error: check it before going on", false),
        Some(11) => ("restore the file from a backup", true),
        Some(13) => ("the disk is full: make room and run again, nothing is lost", false),
        Some(14) => ("the file cannot be opened: check that its folder exists and that it may be read", false),
        Some(19) => ("the file's own rules forbid it: please report this", true),
        Some(26) => ("this is no SQLite file: check `path`", true),
        _ => ("run again; if it stays, check the disk and the file's permissions", false),
    };
    Advice { text, damaged }
}
