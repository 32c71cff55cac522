//! Files that a reader sees whole or not at all, with errors that say what comes of them.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// A file that could not be written or read.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {what}: {source}; nothing was delivered, it will be tried again")]
pub(crate) struct FileError {
    path: PathBuf,
    what: &'static str,
    source: io::Error,
}

impl FileError {
    /// An error about a path.
    pub(crate) fn new(path: &Path, what: &'static str, source: impl Into<io::Error>) -> Self {
        Self { path: path.to_owned(), what, source: source.into() }
    }

    /// A file that could not be written.
    pub(crate) fn unwritten(path: &Path, source: io::Error) -> Self {
        let what = match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "could not be written; make room on its disk",
            _ => "could not be written; make its folder writable, and close the file in other programs",
        };
        Self::new(path, what, source)
    }
}

/// Puts content under a name. A file that holds the content already is left alone.
pub(crate) fn put(path: &Path, content: &[u8]) -> Result<(), FileError> {
    if fs::read(path).is_ok_and(|present| present == content) {
        return Ok(());
    }
    einvoice_file_drop::put(path, content).map_err(|error| FileError::unwritten(path, error))
}

/// The content of a file; `None` when there is none.
pub(crate) fn get(path: &Path) -> Result<Option<Vec<u8>>, FileError> {
    match fs::read(path) {
        Ok(content) => Ok(Some(content)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(FileError::new(path, "could not be read", error)),
    }
}
