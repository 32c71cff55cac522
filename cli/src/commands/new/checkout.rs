//! Where the crates of einvoice are that a new crate is built against.

use std::path::{Component, Path, PathBuf};

use crate::arguments::NewCrate;
use crate::error::CliError;

/// A place that has the crates of einvoice.
#[derive(Debug)]
pub(super) enum Einvoice {
    /// The new crate becomes a part of this checkout.
    Inside(PathBuf),
    /// It stands outside of this checkout.
    Beside(PathBuf),
    /// It stands anywhere, and Cargo fetches einvoice from here.
    Git(String),
}

impl Einvoice {
    /// The place that the arguments name, else the checkout around this folder.
    pub(super) fn find(arguments: &NewCrate) -> Result<Self, CliError> {
        let named = match arguments.einvoice.as_deref() {
            Some(place) if place.contains("://") || place.starts_with("git@") => {
                return Ok(Self::Git(place.to_owned()));
            }
            Some(place) => Some(PathBuf::from(place)),
            None => None,
        };
        let here = std::env::current_dir()
            .map_err(|error| CliError::System { action: "tell the folder that this is run in".to_owned(), error })?;
        let around = here.ancestors().find(|folder| is_checkout(folder)).map(Path::to_path_buf);
        let root = match (named, around) {
            (Some(root), _) if is_checkout(&root) => root,
            (Some(root), _) => {
                return Err(CliError::Usage(format!(
                    "{} is no checkout of einvoice: it has no core/Cargo.toml and cli/src/plugins.rs",
                    root.display()
                )));
            }
            (None, Some(root)) => root,
            (None, None) => {
                return Err(CliError::Usage(
                    "say where einvoice is: --einvoice FOLDER of a checkout, or --einvoice ADDRESS for Git".to_owned(),
                ));
            }
        };
        let root = plain(&root);
        let folder = arguments.path.as_deref().map_or_else(|| plain(&here), plain);
        Ok(if folder.starts_with(&root) { Self::Inside(root) } else { Self::Beside(root) })
    }

    /// The checkout that the new crate becomes a part of.
    pub(super) fn inside(&self) -> Option<&Path> {
        match self {
            Self::Inside(root) => Some(root),
            Self::Beside(_) | Self::Git(_) => None,
        }
    }

    /// What einvoice itself is built with.
    pub(super) fn lock_file(&self) -> Option<String> {
        match self {
            Self::Inside(root) | Self::Beside(root) => std::fs::read_to_string(root.join("Cargo.lock")).ok(),
            Self::Git(_) => None,
        }
    }
}

/// A path from the root of the file system, without `.` and `..`; the folder need not exist.
pub(super) fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf()).components() {
        match part {
            Component::ParentDir => {
                plain.pop();
            }
            Component::CurDir => {}
            part => plain.push(part),
        }
    }
    plain
}

fn is_checkout(folder: &Path) -> bool {
    folder.join("core/Cargo.toml").is_file() && folder.join("cli/src/plugins.rs").is_file()
}
