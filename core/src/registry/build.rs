//! Making a part from its settings.

use std::future::Future;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;

use serde::de::DeserializeOwned;

use super::RegistryError;
use crate::BoxError;
use crate::clock::SharedClock;
use crate::entropy::SharedEntropy;
use crate::environment::Environment;

/// The future of a build.
pub type BuildFuture<R> = Pin<Box<dyn Future<Output = Result<Arc<R>, BuildError>> + Send>>;

/// What every part gets beside its settings.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct BuildContext {
    /// Name of this instance, for messages and as an identity in the ledger.
    pub name: String,
    /// The folder of the configuration file: relative paths in settings start here.
    pub directory: PathBuf,
    /// Environment of a route; `None` for parts that have none.
    pub environment: Option<Environment>,
    /// The clock.
    pub clock: SharedClock,
    /// The source of randomness.
    pub entropy: SharedEntropy,
    /// Only records that somebody wrote down will be mapped: a source has nothing to look at, and its system need not be
    /// there.
    pub only_maps: bool,
    /// The part is only looked at, and nothing may change by it. A source claims nothing, moves nothing and needs no more
    /// than the right to read. A ledger is not made, not brought up to date and not taken over, and one that is not there is
    /// [`LedgerError::Absent`](crate::ledger::LedgerError::Absent).
    pub only_looks: bool,
}

impl BuildContext {
    /// A context for one instance.
    pub fn new(
        name: impl Into<String>,
        directory: impl Into<PathBuf>,
        clock: SharedClock,
        entropy: SharedEntropy,
    ) -> Self {
        let (name, directory) = (name.into(), directory.into());
        Self { name, directory, environment: None, clock, entropy, only_maps: false, only_looks: false }
    }

    /// The same context under another name.
    #[must_use]
    pub fn named(&self, name: impl Into<String>) -> Self {
        Self { name: name.into(), ..self.clone() }
    }

    /// The same context with the environment of a route.
    #[must_use]
    pub fn in_environment(&self, environment: Environment) -> Self {
        Self { environment: Some(environment), ..self.clone() }
    }

    /// The same context for a source that will only map.
    #[must_use]
    pub fn only_mapping(&self) -> Self {
        Self { only_maps: true, ..self.clone() }
    }

    /// The same context for a part that will only be looked at.
    #[must_use]
    pub fn only_looking(&self) -> Self {
        Self { only_looks: true, ..self.clone() }
    }

    /// A path from settings, made absolute from the configuration file's folder.
    #[must_use]
    pub fn path(&self, path: impl AsRef<Path>) -> PathBuf {
        self.directory.join(path)
    }
}

/// Why a part could not be made. Always a matter of configuration.
#[derive(Debug, thiserror::Error)]
#[error("{part}: {reason}")]
pub struct BuildError {
    /// Which part: plugin and instance name, and the key where there is one.
    pub part: String,
    /// What is wrong and what to do.
    pub reason: String,
    /// The underlying error.
    #[source]
    pub source: Option<BoxError>,
}

impl BuildError {
    /// Makes an error about a part.
    pub fn new(part: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { part: part.into(), reason: reason.into(), source: None }
    }

    /// Adds the underlying error.
    #[must_use]
    pub fn because(mut self, source: impl Into<BoxError>) -> Self {
        self.source = Some(source.into());
        self
    }
}

impl From<RegistryError> for BuildError {
    fn from(error: RegistryError) -> Self {
        Self::new("configuration", error.to_string())
    }
}

/// Reads the settings of a part; an error names the key.
///
/// # Errors
/// [`BuildError`] for an unknown key, a missing one or a wrong type.
pub fn read_settings<C: DeserializeOwned>(
    context: &BuildContext,
    settings: serde_json::Value,
) -> Result<C, BuildError> {
    serde_path_to_error::deserialize(settings).map_err(|error| {
        let path = error.path().to_string();
        let part = if path == "." { context.name.clone() } else { format!("{}, key `{path}`", context.name) };
        BuildError::new(part, error.into_inner().to_string())
    })
}
