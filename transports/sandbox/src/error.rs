//! What can go wrong around the emulator itself, as opposed to what the portal answers.

use std::path::PathBuf;

/// Why the emulator cannot start or go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SandboxError {
    /// A file or directory cannot be read or written.
    #[error("sandbox cannot {action} {path}: {source}")]
    File {
        /// What was tried, a verb.
        action: &'static str,
        /// Which file.
        path: PathBuf,
        /// The underlying error.
        #[source]
        source: std::io::Error,
    },
    /// Another process holds the data directory.
    #[error("sandbox data directory {path} is in use by another process: stop that one or name another directory")]
    InUse {
        /// The directory.
        path: PathBuf,
    },
    /// A file of the data directory is damaged.
    #[error("sandbox file {path} is damaged: {reason}; restore it, or start with an empty directory")]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A setting is out of its range.
    #[error("sandbox setting {setting} is {found}, expected {expected}")]
    Setting {
        /// Name of the setting.
        setting: &'static str,
        /// Its value.
        found: String,
        /// What is admitted.
        expected: &'static str,
    },
    /// A key could not be made or used, or no random bytes were to be had.
    #[error("sandbox cannot {action}")]
    Key {
        /// What was tried, a verb.
        action: &'static str,
    },
    /// The address cannot be listened on.
    #[error("sandbox cannot listen on {address}: {source}")]
    Listen {
        /// The address asked for.
        address: String,
        /// The underlying error.
        #[source]
        source: std::io::Error,
    },
    /// A programming fault inside the emulator.
    #[error("sandbox is out of order: {reason}")]
    Internal {
        /// What happened.
        reason: String,
    },
}

impl SandboxError {
    pub(crate) fn file(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { action, path, source }
    }
}
