//! Writing files wholly or not at all.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

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
}

/// Puts content under a name: readers see the old file or the new one, never half of one. A file
/// that holds the content already is left alone.
pub(crate) fn put(path: &Path, content: &[u8]) -> Result<(), FileError> {
    if fs::read(path).is_ok_and(|present| present == content) {
        return Ok(());
    }
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(|error| FileError::new(folder, "the folder could not be made", error))?;
    // In the same folder, so that the rename stays on one volume.
    let mut file =
        NamedTempFile::new_in(folder).map_err(|error| FileError::new(folder, "no file could be made here", error))?;
    file.write_all(content)
        .and_then(|()| file.as_file().sync_all())
        .map_err(|error| FileError::new(path, "could not be written", error))?;
    share(&file).map_err(|error| FileError::new(path, "could not be made readable", error))?;
    file.persist(path)
        .map_err(|error| FileError::new(path, "could not be replaced; close it in other programs", error.error))?;
    sync_folder(folder);
    Ok(())
}

/// Temporary files are the owner's alone; results are for whoever runs Tally.
#[cfg(unix)]
fn share(file: &NamedTempFile) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    file.as_file().set_permissions(fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "the same shape as on unix")]
fn share(_file: &NamedTempFile) -> io::Result<()> {
    Ok(())
}

/// Makes the rename itself durable. Where a folder cannot be synced the file's own sync must do.
fn sync_folder(folder: &Path) {
    if let Ok(folder) = fs::File::open(folder) {
        _ = folder.sync_all();
    }
}

/// The content of a file; `None` when there is none.
pub(crate) fn get(path: &Path) -> Result<Option<Vec<u8>>, FileError> {
    match fs::read(path) {
        Ok(content) => Ok(Some(content)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(FileError::new(path, "could not be read", error)),
    }
}
