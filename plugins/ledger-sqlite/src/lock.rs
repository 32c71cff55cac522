//! One process per ledger file: a lock that the operating system releases when its holder dies.

use std::ffi::OsString;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};

use einvoice_core::ledger::LedgerError;

/// The lock on a ledger file, held until it is dropped.
///
/// The lock lies on a file of its own beside the database, since SQLite locks the database itself
/// for moments only. The file stays behind, empty of meaning without the lock on it.
#[derive(Debug)]
pub(crate) struct ProcessLock {
    _file: Option<File>,
}

/// Ending of the lock file's name.
const LOCK: &str = ".lock";

impl ProcessLock {
    /// Takes the lock, or says who has it.
    pub(crate) fn take(database: &Path) -> Result<Self, LedgerError> {
        let path = beside(database, LOCK);
        let failed = |what: &str, error: std::io::Error| LedgerError::Storage {
            ledger: database.display().to_string(),
            reason: format!("{what} {}: {error}; check that its folder exists and is writable", path.display()),
            source: Some(Box::new(error)),
        };
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(|error| failed("cannot open the lock file", error))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(LedgerError::InUse { ledger: database.display().to_string(), holder: holder(&mut file) });
            }
            Err(TryLockError::Error(error)) => return Err(failed("cannot lock", error)),
        }
        file.set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| writeln!(file, "{}", std::process::id()))
            .map_err(|error| failed("cannot write", error))?;
        Ok(Self { _file: Some(file) })
    }

    /// Sees that nobody has the lock, and that nobody takes it meanwhile; leaves everything as it is. A ledger without a
    /// lock file was never opened where it lies.
    pub(crate) fn see(database: &Path) -> Result<Self, LedgerError> {
        let path = beside(database, LOCK);
        let failed = |what: &str, error: std::io::Error| LedgerError::Storage {
            ledger: database.display().to_string(),
            reason: format!("{what} {}: {error}", path.display()),
            source: Some(Box::new(error)),
        };
        let mut file = match File::open(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Self { _file: None }),
            opened => opened.map_err(|error| failed("cannot open the lock file", error))?,
        };
        match file.try_lock_shared() {
            Ok(()) => Ok(Self { _file: Some(file) }),
            Err(TryLockError::WouldBlock) => {
                Err(LedgerError::InUse { ledger: database.display().to_string(), holder: holder(&mut file) })
            }
            Err(TryLockError::Error(error)) => Err(failed("cannot lock", error)),
        }
    }
}

/// A file beside the database, by the ending of its name.
pub(crate) fn beside(database: &Path, ending: &str) -> PathBuf {
    let mut name = OsString::from(database.as_os_str());
    name.push(ending);
    PathBuf::from(name)
}

/// Windows does not let others read a locked file: the holder stays unnamed there.
fn holder(file: &mut File) -> String {
    let mut text = String::new();
    match file.take(32).read_to_string(&mut text) {
        Ok(_) => text.trim().parse::<u32>().map_or_else(|_| String::new(), |pid| format!(" (process {pid})")),
        Err(_) => String::new(),
    }
}
