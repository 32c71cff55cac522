//! Changing files on disk: replacing them whole, and one writer at a time.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Replaces a file: a temporary file in the same folder is written, forced to disk and renamed, so a
/// crash leaves the old content or the new, never a mixture. Its owner alone may read it. A link is
/// followed.
///
/// # Errors
/// As the system gives them; then the old content is still there.
pub fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let path = &followed(path);
    let folder = folder(path);
    fs::create_dir_all(&folder)?;
    // Temporary files are made with mode 0600 on Unix, and the rename keeps it.
    let mut file = tempfile::Builder::new().prefix(".einvoice-").suffix(".tmp").tempfile_in(&folder)?;
    file.write_all(content)?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    sync_folder(&folder)
}

/// Forces a rename to disk.
#[cfg(unix)]
fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Windows has no handle on a folder that could be forced to disk; NTFS journals the rename.
#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

/// Keeps other writers out until it is dropped; the system frees it when a process dies.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

/// Waits for the other writers of `path`, which hold the lock for milliseconds. The lock is a file
/// of its own, `<path>.lock`, since the file itself is replaced.
///
/// # Errors
/// As the system gives them, when the lock's file cannot be made or opened.
pub fn lock(path: &Path) -> io::Result<Lock> {
    let path = followed(path);
    fs::create_dir_all(folder(&path))?;
    let mut name = path.into_os_string();
    name.push(".lock");
    let mut options = OpenOptions::new();
    options.create(true).truncate(false).write(true);
    // Whoever may open the lock may hold it for ever.
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(PathBuf::from(name))?;
    file.lock()?;
    Ok(Lock { _file: file })
}

/// Where a file really lies. A rename would replace a link instead of the file behind it, and a lock
/// beside the link would keep out nobody who comes by the file's own name.
fn followed(path: &Path) -> PathBuf {
    match fs::symlink_metadata(path) {
        Ok(found) if found.file_type().is_symlink() => fs::canonicalize(path).unwrap_or_else(|_| path.to_owned()),
        _ => path.to_owned(),
    }
}

fn folder(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    }
}
