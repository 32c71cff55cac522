//! Settings of the store. They say where secrets are found and never hold one.

use schemars::JsonSchema;
use serde::Deserialize;

/// Settings of `credentials-database`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct DatabaseConfig {
    /// Where the database is, without a password: `postgres://user@host/db`, `mysql://user@host/db` (MariaDB too), or
    /// `sqlite:path`, which starts at the folder of the configuration file. One of `url` and `url_env` is required.
    #[serde(default)]
    pub url: Option<String>,
    /// Name of an environment variable that holds the whole address, which may then have a password. Default: none.
    #[serde(default)]
    pub url_env: Option<String>,
    /// Name of an environment variable that holds the password. Default: none.
    #[serde(default)]
    pub password_env: Option<String>,
    /// A file whose first line is the password. Default: none.
    #[serde(default)]
    pub password_file: Option<String>,
    /// A file with the master key: 32 random bytes in base64, as `openssl rand -base64 32` writes them. Further lines are
    /// keys that were in use before, which still open what they locked. Default: none.
    #[serde(default)]
    pub master_key_file: Option<String>,
    /// Name of the environment variable with the master key, used where no file is configured; keys that were in use
    /// before follow it, with blanks between. Default: `EINVOICE_MASTER_KEY`.
    #[serde(default = "master_key_env")]
    pub master_key_env: String,
    /// Make the tables, and a database file of `SQLite`, where they are missing. Without it whoever runs the database
    /// makes them, from the statements in the README. Default: true.
    #[serde(default = "yes")]
    pub create_tables: bool,
    /// How long to wait for a connection and for an answer, in seconds. Range 1 to 120. Default: 10.
    #[serde(default = "answer_seconds")]
    pub answer_seconds: u64,
}

fn master_key_env() -> String {
    "EINVOICE_MASTER_KEY".to_owned()
}

const fn yes() -> bool {
    true
}

const fn answer_seconds() -> u64 {
    10
}
