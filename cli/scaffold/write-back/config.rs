//! Settings of the write-back target.

use schemars::JsonSchema;
use serde::Deserialize;

/// Settings of the target `@name@`. Relative paths start at the folder of the configuration file.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WriteBackConfig {
    /// The folder that results are written to; made when it is missing. Required.
    pub folder: String,
}
