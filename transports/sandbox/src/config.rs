//! Settings of the two plugin roles.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::settings::PortalSettings;

/// Settings of a `[[route]]` with `plugin = "sandbox"`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SandboxTransportConfig {
    /// Directory in which the emulator keeps its keys and books, relative to the configuration file
    /// (default unset: everything is forgotten when the program ends). Must be the same as under
    /// `[credentials]`.
    pub data: Option<PathBuf>,
    /// How the emulated portal behaves (default: as NIC's sandbox, as far as it was observed).
    pub portal: PortalSettings,
}

/// Settings of `[credentials]` with `plugin = "sandbox"`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SandboxCredentialsConfig {
    /// Directory of the emulator, relative to the configuration file (default unset: in memory). Must
    /// be the same as on the route.
    pub data: Option<PathBuf>,
    /// GSTINs that have an API user (default empty: every GSTIN gets one when it is first asked for).
    pub gstins: Vec<String>,
}
