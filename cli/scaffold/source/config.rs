//! Settings of the source.

use einvoice_core::mapping::MappingConfig;
use schemars::JsonSchema;
use serde::Deserialize;

/// Settings of the source `@name@`. Relative paths start at the folder of the configuration file.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SourceConfig {
    /// The file that is read. Required.
    pub path: String,
    /// Rules of the user, which go before those built in. Default: none.
    #[serde(default)]
    pub mapping: MappingConfig,
}
