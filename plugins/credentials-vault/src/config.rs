//! Settings of the store. They say where secrets are found and never hold one.

use schemars::JsonSchema;
use serde::Deserialize;

/// Settings of `credentials-vault`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct VaultConfig {
    /// Where Vault is: `https://vault.example.in:8200`. Plain `http://` is taken for this machine only. Required.
    pub address: String,
    /// Where the KV engine (version 2) is mounted. Default: `secret`.
    #[serde(default = "mount")]
    pub mount: String,
    /// The folder in it. Under it, `entry/` holds what people enter and `state/` what logins leave behind, so that
    /// workers can be given the right to write the second only. Default: `einvoice`.
    #[serde(default = "path")]
    pub path: String,
    /// The namespace, where Vault has namespaces. Default: none.
    #[serde(default)]
    pub namespace: Option<String>,
    /// Name of the environment variable that holds a token. Default: `VAULT_TOKEN`.
    #[serde(default = "token_env")]
    pub token_env: String,
    /// A file whose first line is a token, such as Vault's agent writes one. It is read again when Vault refuses the
    /// token. Default: none.
    #[serde(default)]
    pub token_file: Option<String>,
    /// The role id to log in with by `AppRole` instead of a token; it is no secret. Default: none.
    #[serde(default)]
    pub role_id: Option<String>,
    /// Name of the environment variable that holds the secret id of that role. Default: `EINVOICE_VAULT_SECRET_ID`.
    #[serde(default = "secret_id_env")]
    pub secret_id_env: String,
    /// A file whose first line is the secret id of that role. Default: none.
    #[serde(default)]
    pub secret_id_file: Option<String>,
    /// Where `AppRole` is mounted. Default: `approle`.
    #[serde(default = "auth_mount")]
    pub auth_mount: String,
    /// A file with certificates (PEM) to trust beside those of the system, for a Vault with a certificate of one's own.
    /// Default: none.
    #[serde(default)]
    pub ca_file: Option<String>,
    /// How long to wait for an answer, in seconds. Range 1 to 120. Default: 10.
    #[serde(default = "answer_seconds")]
    pub answer_seconds: u64,
}

fn mount() -> String {
    "secret".to_owned()
}

fn path() -> String {
    "einvoice".to_owned()
}

fn token_env() -> String {
    "VAULT_TOKEN".to_owned()
}

fn secret_id_env() -> String {
    "EINVOICE_VAULT_SECRET_ID".to_owned()
}

fn auth_mount() -> String {
    "approle".to_owned()
}

const fn answer_seconds() -> u64 {
    10
}
