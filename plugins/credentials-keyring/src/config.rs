//! Settings of the store.

use schemars::JsonSchema;
use serde::Deserialize;

/// Settings of `credentials-keyring`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct KeyringConfig {
    /// The name under which the entries stand in the keyring. Two configurations with one name share their entries.
    /// Default: `einvoice`.
    pub service: String,
    /// The file whose lock keeps the programs of one user from writing at the same time; `.lock` is added to its name. All
    /// programs with one `service` must name the same file. Default: `.einvoice/keyring-<service>` in the home folder.
    pub lock_file: Option<String>,
    /// How long to wait for the keyring, in seconds: it may ask a person to unlock it. Range 1 to 600. Default: 60.
    pub answer_seconds: u64,
}

impl Default for KeyringConfig {
    fn default() -> Self {
        Self { service: "einvoice".to_owned(), lock_file: None, answer_seconds: 60 }
    }
}
