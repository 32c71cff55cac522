//! What a keyring's errors mean, and whose move each is.

use std::error::Error as _;
use std::path::PathBuf;
use std::time::Duration;

use einvoice_core::credential::CredentialError;

/// Where to turn on a machine that has no keyring.
const ON_A_SERVER: &str = "on a server, or wherever nobody logs in, use credentials-file";

/// What went wrong between us and the keyring.
#[derive(Debug)]
pub(crate) enum Fault {
    /// There is no keyring to be had.
    NoKeyring(String),
    /// It is there and locked.
    Locked(String),
    /// What it holds is not what was put there.
    Damaged(String),
    /// It failed, or its service went away.
    Failed(String),
    /// The lock's file cannot be used.
    NoLock { file: PathBuf, error: std::io::Error },
    /// It did not answer in time.
    Late(Duration),
    /// What is wanted cannot be done, in words.
    Told(String),
}

impl Fault {
    /// What became of opening the keyring.
    pub(crate) fn of_opening(error: &keyring_core::Error) -> Self {
        Self::NoKeyring(in_words(error))
    }

    /// What became of a call.
    pub(crate) fn of(error: keyring_core::Error, entry: &str) -> Self {
        use keyring_core::Error;
        match error {
            Error::NoStorageAccess(_) => Self::Locked(in_words(&error)),
            Error::Ambiguous(found) => Self::Damaged(format!(
                "it has {} entries called {entry}, in several collections: remove all but one in the program that shows \
                 the keyring",
                found.len()
            )),
            // The messages of these two hold bytes of the entry, or may.
            Error::BadEncoding(_) | Error::BadDataFormat(..) => {
                Self::Damaged(format!("what it holds as {entry} is not what was put there"))
            }
            other => Self::Failed(format!("{entry}: {}", in_words(&other))),
        }
    }

    /// Whether a new connection may help.
    pub(crate) const fn may_be_connection(&self) -> bool {
        matches!(self, Self::Failed(_))
    }

    /// What a person is told.
    pub(crate) fn told(self, store: String) -> CredentialError {
        match self {
            Self::NoKeyring(reason) => CredentialError::Locked {
                store,
                reason: format!(
                    "there is none for this user here ({reason}): log in to a desktop that has a keyring, and start the \
                     program in that session; {ON_A_SERVER}"
                ),
            },
            Self::Locked(reason) => CredentialError::Locked {
                store,
                reason: format!(
                    "it is locked and was not unlocked ({reason}): unlock it by logging in, or in the program that shows \
                     the keyring; {ON_A_SERVER}"
                ),
            },
            Self::Damaged(reason) => CredentialError::Damaged { store, reason },
            Self::Failed(reason) | Self::Told(reason) => CredentialError::Io { store, reason, source: None },
            Self::NoLock { file, error } => CredentialError::Io {
                store,
                reason: format!(
                    "the lock that keeps writers apart, {}.lock, cannot be used: {error}; name a file that you may write \
                     in `lock_file`",
                    file.display()
                ),
                source: Some(error.into()),
            },
            Self::Late(waited) => CredentialError::Unreachable {
                store,
                reason: format!(
                    "no answer within {} s: it may be waiting for somebody to unlock it, or for another program that \
                     writes; {ON_A_SERVER}",
                    waited.as_secs()
                ),
            },
        }
    }
}

/// An error with its innermost cause, where that says more.
fn in_words(error: &keyring_core::Error) -> String {
    let mut innermost: Option<&(dyn std::error::Error + 'static)> = error.source();
    while let Some(deeper) = innermost.and_then(std::error::Error::source) {
        innermost = Some(deeper);
    }
    innermost.map_or_else(|| error.to_string(), ToString::to_string)
}
