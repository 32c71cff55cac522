//! Files that a reader sees whole or not at all.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use einvoice_core::clock::SystemClock;
use tempfile::NamedTempFile;

/// How names of temporary files begin and end.
const TEMPORARY: (&str, &str) = (".einvoice-", ".tmp");
/// Age from which a temporary file is one that a killed program left: no writing takes so long.
const LEFT_OVER: Duration = Duration::from_hours(24);
/// Folders that this process has looked through for what a killed one left.
static TIDIED: Mutex<Option<HashSet<PathBuf>>> = Mutex::new(None);

/// Writes a file wholly or not at all, and forces it to disk.
///
/// # Errors
/// When the folder cannot be made or written, or the disk is full; what was there stays.
pub fn put(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = beside(path)?;
    file.write_all(content)?;
    finish(file, path)
}

/// A temporary file in the folder of a path, which is made when missing; [`finish`] gives it its name.
///
/// # Errors
/// When the folder cannot be made or written.
pub fn beside(path: &Path) -> io::Result<NamedTempFile> {
    let folder = folder(path);
    fs::create_dir_all(folder)?;
    if TIDIED.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_default().insert(folder.to_owned()) {
        tidy(folder, SystemClock::shared().now().into());
    }
    let mut builder = tempfile::Builder::new();
    builder.prefix(TEMPORARY.0).suffix(TEMPORARY.1);
    #[cfg(unix)]
    {
        // The accounting program is often another user; the process's umask decides, as for any file.
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    builder.tempfile_in(folder)
}

/// Gives a temporary file its name, durably, in place of what had it.
///
/// # Errors
/// When the disk is full or the name cannot be taken; what was there stays.
pub fn finish(file: NamedTempFile, path: &Path) -> io::Result<()> {
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    // On Windows a folder has no handle to force to disk; NTFS journals the rename.
    if cfg!(unix) { File::open(folder(path))?.sync_all() } else { Ok(()) }
}

/// Removes what a program that was killed while it wrote has left in a folder. What cannot be looked at or removed stays:
/// it is in nobody's way.
fn tidy(folder: &Path, now: SystemTime) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let is_ours = name.to_str().is_some_and(|name| name.starts_with(TEMPORARY.0) && name.ends_with(TEMPORARY.1));
        let written = || entry.metadata().and_then(|found| found.modified()).ok();
        if is_ours
            && written().is_some_and(|at| now.duration_since(at).is_ok_and(|age| age > LEFT_OVER))
            && let Err(error) = fs::remove_file(entry.path())
        {
            tracing::debug!(%error, file = %entry.path().display(), "an old temporary file stays");
        }
    }
}

/// The folder of a path.
fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_whole_and_nothing_else_stays_behind() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/er/x.json");
        for content in ["a much longer content", "short"] {
            put(&path, content.as_bytes()).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), content);
        }
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }

    #[test]
    fn what_a_killed_program_left_is_removed_a_day_later_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let left = folder.path().join(".einvoice-a1b2c3.tmp");
        for name in [left.clone(), folder.path().join("invoices.tmp"), folder.path().join(".einvoice-notes.txt")] {
            fs::write(name, "half a res").unwrap();
        }
        let count = || fs::read_dir(folder.path()).unwrap().count();
        let now = SystemTime::from(SystemClock::shared().now());
        tidy(folder.path(), now);
        assert_eq!(count(), 3, "it may still be written");
        tidy(folder.path(), now + LEFT_OVER + Duration::from_mins(1));
        assert_eq!(count(), 2);
        assert!(!left.exists());
    }
}
