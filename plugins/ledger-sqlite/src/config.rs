//! Settings of the ledger.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Settings of `[ledger] plugin = "ledger-sqlite"`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LedgerConfig {
    /// The database file; relative paths start at the configuration file's folder. It is made when
    /// it does not exist, its folder is not. Keep it on a local disk: SQLite's log does not work on
    /// network drives. Default `einvoice.db`.
    pub path: PathBuf,

    /// Seconds from the intent until the portal is asked about a document whose outcome was lost
    /// with a crash or an expired lease; the portal may still be working on it before. Default 30,
    /// 0 to 86400.
    #[schemars(range(min = 0, max = 86400))]
    pub settle_wait_seconds: u32,

    /// Milliseconds to wait for a lock on the file that another program holds (a backup, a viewer).
    /// Default 5000, 1 to 600000.
    #[schemars(range(min = 1, max = 600_000))]
    pub busy_timeout_ms: u32,

    /// Most calls that share one transaction and one flush to disk. Default 512, 1 to 10000.
    #[schemars(range(min = 1, max = 10000))]
    pub group_limit: u32,

    /// Connections for reading, apart from the one that writes. Default 4, 1 to 64.
    #[schemars(range(min = 1, max = 64))]
    pub readers: u32,

    /// What to check of the file at start: `off`, `quick` (structure; some seconds a gigabyte) or
    /// `full` (indexes against tables too). Default `off`.
    pub integrity_check: IntegrityCheck,
}

/// How thoroughly the file is checked at start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum IntegrityCheck {
    /// Not at all.
    #[default]
    Off,
    /// Structure only.
    Quick,
    /// Structure, indexes and references between tables.
    Full,
}

impl Default for LedgerConfig {
    fn default() -> Self {
        Self {
            path: PathBuf::from("einvoice.db"),
            settle_wait_seconds: 30,
            busy_timeout_ms: 5000,
            group_limit: 512,
            readers: 4,
            integrity_check: IntegrityCheck::Off,
        }
    }
}

impl LedgerConfig {
    /// The first setting outside its range, in a sentence.
    pub(crate) fn fault(&self) -> Option<String> {
        let ranges = [
            ("settle_wait_seconds", self.settle_wait_seconds, 0, 86_400),
            ("busy_timeout_ms", self.busy_timeout_ms, 1, 600_000),
            ("group_limit", self.group_limit, 1, 10_000),
            ("readers", self.readers, 1, 64),
        ];
        if self.path.as_os_str().is_empty() {
            return Some("`path` is empty: name the database file".to_owned());
        }
        ranges
            .into_iter()
            .find(|(_, value, least, most)| value < least || value > most)
            .map(|(name, value, least, most)| format!("`{name}` is {value}: write a number from {least} to {most}"))
    }
}
