#![doc = include_str!("../README.md")]

pub mod guard;

use std::env;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use einvoice_core::secret::Secret;
use zeroize::Zeroizing;

/// Largest file that is read: thousands of credentials fit many times over.
const BYTES_MAX: u64 = 16 * 1024 * 1024;

/// Reads a whole file; nothing when there is none.
///
/// # Errors
/// As the system gives them, and one for a file that is larger than 16 MiB.
pub fn read(path: &Path) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut bytes = Zeroizing::new(Vec::new());
    file.take(BYTES_MAX + 1).read_to_end(&mut bytes)?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length <= BYTES_MAX) {
        Ok(Some(bytes))
    } else {
        Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("larger than {BYTES_MAX} bytes")))
    }
}

/// Why a secret file must not be used as it lies there: others may read it.
///
/// # Errors
/// When the file's mode cannot be read.
#[cfg(unix)]
pub fn exposed(path: &Path) -> io::Result<Option<String>> {
    use std::os::unix::fs::PermissionsExt;
    let mode = fs::metadata(path)?.permissions().mode() & 0o777;
    Ok((mode & 0o077 != 0).then(|| {
        let path = path.display();
        format!("{path} may be read by others (mode {mode:03o}); run: chmod 600 '{path}'")
    }))
}

/// Windows keeps access lists instead of modes: a file inherits those of its folder, and the README of
/// `credentials-file` says how to close a folder. There is no mode to check.
///
/// # Errors
/// When the file is not there.
#[cfg(not(unix))]
pub fn exposed(path: &Path) -> io::Result<Option<String>> {
    fs::metadata(path).map(|_| None)
}

/// Reads a text that nobody else may read. `what` is what people call the file.
///
/// # Errors
/// Which file, what is wrong with it and what to do; nothing of its content.
pub fn text(path: &Path, what: &str) -> Result<Zeroizing<String>, String> {
    let shown = path.display();
    if let Some(reason) = exposed(path).map_err(|error| format!("the {what} {shown} cannot be read: {error}"))? {
        return Err(format!("the {what} {reason}"));
    }
    let bytes = read(path)
        .map_err(|error| format!("the {what} {shown} cannot be read: {error}"))?
        .ok_or_else(|| format!("the {what} {shown} does not exist"))?;
    let text = std::str::from_utf8(&bytes).map_err(|_| format!("the {what} {shown} is not text in UTF-8"))?;
    Ok(Zeroizing::new(text.trim_start_matches('\u{feff}').to_owned()))
}

/// The first line of a text that nobody else may read.
///
/// # Errors
/// As [`text`]; an empty line is given as it is.
pub fn first_line(path: &Path, what: &str) -> Result<Zeroizing<String>, String> {
    let text = text(path, what)?;
    Ok(Zeroizing::new(text.lines().next().unwrap_or_default().to_owned()))
}

/// The value of an environment variable; nothing when it is not set or empty.
///
/// # Errors
/// When it is not text.
pub fn variable(name: &str) -> Result<Option<Secret<String>>, String> {
    let Some(value) = env::var_os(name).filter(|value| !value.is_empty()) else { return Ok(None) };
    value
        .into_string()
        .map(|value| Some(Secret::new(value)))
        .map_err(|_| format!("the variable {name} is not text in UTF-8"))
}

/// A secret from a file, or else from a variable. The file comes first, as it was named on purpose.
///
/// # Errors
/// What is wrong with the file or the variable, or that neither has anything, with both names. `what` is what people
/// call the secret.
pub fn from_file_or_variable(file: Option<&Path>, name: &str, what: &str) -> Result<Secret<String>, String> {
    if let Some(path) = file {
        let line = first_line(path, &format!("file with the {what}"))?;
        if line.trim().is_empty() {
            return Err(format!("the file with the {what} {} is empty", path.display()));
        }
        return Ok(Secret::from(line.trim()));
    }
    variable(name)?.ok_or_else(|| format!("no {what}: set the variable {name}, or configure a file that holds it"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(content: &str) -> (tempfile::TempDir, std::path::PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        fs::write(&path, content).unwrap();
        #[cfg(unix)]
        fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        (folder, path)
    }

    #[test]
    fn the_first_line_is_the_secret_and_an_empty_file_is_told() {
        let (_folder, path) = file("\u{feff}hunter2 \r\nsecond\n");
        assert_eq!(from_file_or_variable(Some(&path), "X", "token").unwrap().expose(), "hunter2");
        let (_folder, path) = file("\nhunter2");
        let error = from_file_or_variable(Some(&path), "X", "token").unwrap_err();
        assert!(error.contains("is empty") && !error.contains("hunter2"), "{error}");
    }

    #[test]
    fn a_missing_file_is_told_with_its_name_and_a_missing_variable_with_its_own() {
        let (folder, _) = file("");
        let error = from_file_or_variable(Some(&folder.path().join("nowhere")), "X", "token").unwrap_err();
        assert!(error.contains("nowhere"), "{error}");
        let error = from_file_or_variable(None, "EINVOICE_TEST_NEVER_SET", "token").unwrap_err();
        assert!(error.contains("set the variable EINVOICE_TEST_NEVER_SET"), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_others_may_read_is_refused_with_what_closes_it() {
        let (_folder, path) = file("hunter2");
        fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o640)).unwrap();
        let error = text(&path, "token file").unwrap_err();
        assert!(error.contains("mode 640") && error.contains("chmod 600") && !error.contains("hunter2"), "{error}");
    }
}
