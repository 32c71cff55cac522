//! The portals' signing keys: which PEM files, and the key set made of them.

use std::path::{Path, PathBuf};

use einvoice_protocol::key_set::KeySet;

use crate::error::CliError;

/// Largest key file that is read; a certificate chain has a few thousand bytes.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// A PEM file with keys or certificates.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyFile {
    /// Where it is.
    pub path: PathBuf,
    /// The key id it was given; else the file's content or name tells.
    pub kid: Option<String>,
}

impl KeyFile {
    /// The files that patterns name, sorted, each once. Relative patterns start at `directory`.
    ///
    /// # Errors
    /// [`CliError::Usage`] for a pattern that is none or that nothing matches: a missing key would
    /// otherwise show only as signatures that cannot be verified.
    pub fn matching(patterns: &[String], directory: &Path) -> Result<Vec<Self>, CliError> {
        let mut files = Vec::new();
        for pattern in patterns {
            let wrong = |reason: &str| CliError::Usage(format!("[verify] keys: `{pattern}` {reason}"));
            let full = if Path::new(pattern).is_absolute() {
                pattern.clone()
            } else {
                let folder = directory.to_str().ok_or_else(|| wrong("lies in a folder whose name is not UTF-8"))?;
                format!("{}/{pattern}", glob::Pattern::escape(folder))
            };
            let found = glob::glob(&full).map_err(|error| wrong(&format!("is no file pattern: {error}")))?;
            let before = files.len();
            for path in found {
                let path = path.map_err(|error| CliError::File {
                    path: error.path().to_path_buf(),
                    action: "read",
                    error: error.into(),
                })?;
                files.push(Self { path, kid: None });
            }
            if files.len() == before {
                return Err(wrong("matches no file"));
            }
        }
        files.sort_by(|left, right| left.path.cmp(&right.path));
        files.dedup();
        Ok(files)
    }

    /// Reads `PEM` or `KID=PEM` as written on the command line. What stands before the first `=` is
    /// a key id when it is made of hex digits; any other `=` belongs to the file's name.
    #[must_use]
    pub fn from_argument(text: &str) -> Self {
        match text.split_once('=') {
            Some((kid, path)) if !kid.is_empty() && kid.bytes().all(|byte| byte.is_ascii_hexdigit()) => {
                Self { path: PathBuf::from(path), kid: Some(kid.to_owned()) }
            }
            _ => Self { path: PathBuf::from(text), kid: None },
        }
    }
}

/// Reads key files into a set.
///
/// # Errors
/// [`CliError::File`] for a file that cannot be read, [`CliError::Usage`] for one without a key.
pub fn key_set(files: &[KeyFile]) -> Result<KeySet, CliError> {
    let mut set = KeySet::new();
    for file in files {
        let failed = |error| CliError::File { path: file.path.clone(), action: "read the key file", error };
        let size = std::fs::metadata(&file.path).map_err(failed)?.len();
        if size > FILE_BYTES_MAX {
            return Err(CliError::Usage(format!("{} is far too large to be a key file", file.path.display())));
        }
        let bytes = std::fs::read(&file.path).map_err(failed)?;
        // A key file is ASCII; anything else in it is a remark or not a key file.
        let text = String::from_utf8_lossy(&bytes);
        let name = file.path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let added = match &file.kid {
            Some(kid) => set.add_pem(&text, Some(kid)),
            None => set.add_file(&name, &text),
        };
        added.map_err(|error| CliError::Usage(format!("{}: {error}", file.path.display())))?;
    }
    Ok(set)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_id_stands_before_the_equals_sign_and_a_path_may_hold_one() {
        let argument = |text| KeyFile::from_argument(text);
        let file = |kid: Option<&str>, path: &str| KeyFile { path: path.into(), kid: kid.map(str::to_owned) };
        assert_eq!(argument("1513B821=nic.pem"), file(Some("1513B821"), "nic.pem"));
        assert_eq!(argument("keys/a=b.pem"), file(None, "keys/a=b.pem"));
        assert_eq!(argument("nic.pem"), file(None, "nic.pem"));
    }

    #[test]
    fn a_pattern_that_matches_nothing_is_told() {
        let directory = tempfile::tempdir().unwrap();
        let error = KeyFile::matching(&["*.pem".to_owned()], directory.path()).unwrap_err();
        assert_eq!(error.to_string(), "[verify] keys: `*.pem` matches no file");
        std::fs::write(directory.path().join("b.pem"), "").unwrap();
        std::fs::write(directory.path().join("a.pem"), "").unwrap();
        let found = KeyFile::matching(&["*.pem".to_owned(), "a.pem".to_owned()], directory.path()).unwrap();
        assert_eq!(found.len(), 2);
        assert!(found.first().unwrap().path.ends_with("a.pem"));
    }

    #[test]
    fn a_file_without_a_key_is_named() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.pem");
        std::fs::write(&path, "no key").unwrap();
        let error = key_set(&[KeyFile { path: path.clone(), kid: None }]).unwrap_err().to_string();
        assert!(error.starts_with(&path.display().to_string()), "{error}");
    }
}
