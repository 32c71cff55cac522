//! Where `--output` puts the result: a file that appears whole or not at all.

use std::fs::{self, Permissions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::error::CliError;
use crate::output::Output;

/// A file that is being written under another name, beside its own.
#[derive(Debug)]
pub(super) struct Destination {
    path: PathBuf,
    temporary: NamedTempFile,
}

impl Destination {
    /// Begins a file. It must be none of the files that are read: those are somebody's invoices.
    pub(super) fn begin(path: &Path, inputs: &[PathBuf]) -> Result<Self, CliError> {
        let failed = |error| CliError::File { path: path.to_path_buf(), action: "write", error };
        // Behind a link the file itself is replaced, and the link stays.
        let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
        if fs::metadata(&target).is_ok_and(|present| !present.is_file()) {
            let shown = path.display();
            return Err(CliError::Usage(format!("--output {shown} is no file: name one, or leave --output out")));
        }
        if inputs.iter().any(|file| fs::canonicalize(file).is_ok_and(|file| file == target)) {
            let shown = path.display();
            return Err(CliError::Usage(format!("--output {shown} is also a file to check: name another")));
        }
        // In the same folder, so that the rename stays on one volume.
        let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        if !folder.is_dir() {
            let (shown, folder) = (path.display(), folder.display());
            return Err(CliError::Usage(format!(
                "--output {shown}: there is no folder {folder}: make it, or name another"
            )));
        }
        let temporary = NamedTempFile::new_in(folder).map_err(|error| failed(plain(&error)))?;
        Ok(Self { path: target, temporary })
    }

    /// What writes into the file.
    pub(super) fn output(&self, json: bool) -> Result<Output, CliError> {
        let file = self.temporary.as_file().try_clone().map_err(|error| self.failed(error))?;
        let writer: Box<dyn Write + Send> = Box::new(BufWriter::with_capacity(64 * 1024, file));
        Ok(Output::into_writer(writer, json))
    }

    /// Gives the file its name, once everything is written.
    pub(super) fn put(self) -> Result<(), CliError> {
        let present = fs::metadata(&self.path).ok().map(|present| present.permissions());
        let shared = self.temporary.as_file().sync_all().and_then(|()| share(&self.temporary, present));
        shared.map_err(|error| self.failed(error))?;
        let Self { path, temporary } = self;
        temporary.persist(&path).map(drop).map_err(|error| CliError::File { path, action: "write", error: error.error })
    }

    fn failed(&self, error: io::Error) -> CliError {
        CliError::File { path: self.path.clone(), action: "write", error }
    }
}

/// What the system says, without the name of the temporary file, which nobody asked for.
fn plain(error: &io::Error) -> io::Error {
    error.kind().into()
}

/// Temporary files are the owner's alone. A report is for others too, unless the file that it takes
/// the place of was kept from them.
fn share(file: &NamedTempFile, present: Option<Permissions>) -> io::Result<()> {
    match present.or_else(for_everybody) {
        Some(permissions) => file.as_file().set_permissions(permissions),
        None => Ok(()),
    }
}

#[cfg(unix)]
#[expect(clippy::unnecessary_wraps, reason = "elsewhere there is nothing to set")]
fn for_everybody() -> Option<Permissions> {
    use std::os::unix::fs::PermissionsExt as _;
    Some(Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn for_everybody() -> Option<Permissions> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_appears_only_when_it_is_whole_and_an_older_one_stays_until_then() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("report.csv");
        fs::write(&path, "old").unwrap();
        let begun = Destination::begin(&path, &[]).unwrap();
        begun.output(false).unwrap().line("new").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "old");
        begun.put().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "new\n");
        let broken_off = Destination::begin(&path, &[]).unwrap();
        broken_off.output(false).unwrap().line("half").unwrap();
        drop(broken_off);
        assert_eq!(fs::read_to_string(&path).unwrap(), "new\n");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
    }

    #[test]
    fn neither_a_folder_nor_a_file_to_check_is_written_over() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("invoices.json");
        fs::write(&path, "[]").unwrap();
        let same = folder.path().join("./invoices.json");
        assert!(Destination::begin(&same, std::slice::from_ref(&path)).unwrap_err().message().contains("to check"));
        assert!(Destination::begin(folder.path(), &[]).unwrap_err().message().contains("is no file"));
        let nowhere = folder.path().join("reports/today.csv");
        assert!(Destination::begin(&nowhere, &[]).unwrap_err().message().contains("reports: make it"));
    }
}
