//! Settings of the store.

use schemars::JsonSchema;
use serde::Deserialize;

/// Settings of `credentials-env`. They hold no secret, only how the variables are called.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct EnvConfig {
    /// First part of every variable name: capital letters, digits and `_`. Default: `EINVOICE`.
    pub prefix: String,
}

impl Default for EnvConfig {
    fn default() -> Self {
        Self { prefix: "EINVOICE".to_owned() }
    }
}
