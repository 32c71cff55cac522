//! Settings of the transport.

use std::path::PathBuf;

use einvoice_direct::DirectConfig;
use schemars::JsonSchema;
use serde::Deserialize;

/// Settings of a route through @name@. Credentials are in the credential store, never here.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct @type@Config {
    /// Address of @name@: scheme, host, and a port or path prefix where there is one. Required.
    pub base_url: String,
    /// File with the public key for logins, as @name@ hands it out; relative to the configuration file's folder.
    #[serde(default)]
    pub auth_public_key_file: Option<PathBuf>,
    /// The same key as text, instead of a file.
    #[serde(default)]
    pub auth_public_key: Option<String>,
    /// Longest wait for a connection, in milliseconds. Default 5,000.
    #[serde(default = "default_connect_timeout_ms")]
    pub connect_timeout_ms: u64,
    /// Longest wait for a whole answer, in milliseconds. Default 60,000.
    #[serde(default = "default_total_timeout_ms")]
    pub total_timeout_ms: u64,
    /// Largest answer read, in bytes. Default 8,388,608.
    #[serde(default = "default_body_bytes_max")]
    pub body_bytes_max: usize,
}

const fn default_connect_timeout_ms() -> u64 {
    5_000
}

const fn default_total_timeout_ms() -> u64 {
    60_000
}

const fn default_body_bytes_max() -> usize {
    8 * 1024 * 1024
}

impl @type@Config {
    /// The settings of the HTTP client, which checks them.
    pub(crate) fn client(self) -> DirectConfig {
        let mut client = DirectConfig::new(self.base_url, "");
        client.auth_public_key = self.auth_public_key;
        client.auth_public_key_file = self.auth_public_key_file;
        client.connect_timeout_ms = self.connect_timeout_ms;
        client.total_timeout_ms = self.total_timeout_ms;
        client.body_bytes_max = self.body_bytes_max;
        client
    }
}
