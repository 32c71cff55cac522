//! Settings of the store. They say where secrets are found and never hold one.

use schemars::JsonSchema;
use serde::Deserialize;

/// Settings of `credentials-file`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct FileConfig {
    /// The credentials file, from the folder of the configuration file. It is made, readable by its
    /// owner alone, when the first entry is put. Default: `einvoice-credentials.json`.
    pub path: String,
    /// An age identity file (`AGE-SECRET-KEY-1...`) that opens the credentials file instead of a
    /// passphrase: right for machines, since opening then takes no time. Default: none.
    pub identity_file: Option<String>,
    /// A file whose first line is the passphrase. Default: none.
    pub passphrase_file: Option<String>,
    /// Environment variable with the passphrase, used when it is set and no file is configured.
    /// Default: `EINVOICE_PASSPHRASE`.
    pub passphrase_env: String,
    /// Ask for the passphrase when nothing else gives it and a person sits at the terminal.
    /// Default: true.
    pub prompt: bool,
    /// Cost of trying one passphrase, as the power of two that scrypt takes: each step up doubles
    /// time and memory (17: 128 MiB). Used when the file is made. Range 14 to 20. Default: 17, the
    /// least that OWASP advises (Password Storage Cheat Sheet, 2025).
    pub work_factor: u8,
}

impl Default for FileConfig {
    fn default() -> Self {
        Self {
            path: "einvoice-credentials.json".to_owned(),
            identity_file: None,
            passphrase_file: None,
            passphrase_env: "EINVOICE_PASSPHRASE".to_owned(),
            prompt: true,
            work_factor: 17,
        }
    }
}
