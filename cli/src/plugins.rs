//! The link list: the only file that names plugin crates.
//!
//! A crate that is a dependency but is never mentioned in code is not linked, and its registrations
//! are silently absent. One `use ... as _;` line per plugin, behind its feature, is what links it;
//! the lint `unused_crate_dependencies` at the root of this library names a crate whose line is
//! missing. The emulator has a name here because `sandbox serve` needs it. A new plugin costs one
//! line here, one name in `PLUGINS`, and its feature.

#[cfg(feature = "credentials-env")]
use einvoice_credentials_env as _;
#[cfg(feature = "credentials-file")]
use einvoice_credentials_file as _;
#[cfg(feature = "database")]
use einvoice_database as _;
#[cfg(feature = "direct")]
use einvoice_direct as _;
#[cfg(feature = "json-file")]
use einvoice_json_file as _;
#[cfg(feature = "ledger-sqlite")]
use einvoice_ledger_sqlite as _;
#[cfg(feature = "sandbox")]
pub(crate) use einvoice_sandbox as emulator;
#[cfg(feature = "sap-file")]
use einvoice_sap_file as _;
#[cfg(feature = "spreadsheet")]
use einvoice_spreadsheet as _;
#[cfg(feature = "tally")]
use einvoice_tally as _;

use einvoice_core::registry::{LeftOut, Registry, RegistryError};

/// Every plugin this program can be built with, and whether this build has it. Registered name and
/// Cargo feature are the same word: the folder name.
const PLUGINS: [(&str, bool); 10] = [
    ("credentials-env", cfg!(feature = "credentials-env")),
    ("credentials-file", cfg!(feature = "credentials-file")),
    ("database", cfg!(feature = "database")),
    ("direct", cfg!(feature = "direct")),
    ("json-file", cfg!(feature = "json-file")),
    ("ledger-sqlite", cfg!(feature = "ledger-sqlite")),
    ("sandbox", cfg!(feature = "sandbox")),
    ("sap-file", cfg!(feature = "sap-file")),
    ("spreadsheet", cfg!(feature = "spreadsheet")),
    ("tally", cfg!(feature = "tally")),
];

/// The plugins that exist and were left out of this build, so that an error can say how to get them.
#[must_use]
pub fn left_out() -> Vec<LeftOut> {
    PLUGINS.iter().filter(|(_, built_in)| !built_in).map(|(name, _)| LeftOut { name, feature: name }).collect()
}

/// The registry of everything linked into this program.
///
/// # Errors
/// [`RegistryError::Duplicate`] when two crates registered one name for one role.
pub fn registry() -> Result<Registry, RegistryError> {
    Registry::linked(left_out())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;

    /// Folders that hold no plugin but a library: `protocol` is shared by transports, `file-drop` by all that work on files.
    const NO_PLUGIN: [&str; 2] = ["file-drop", "protocol"];

    fn folders() -> BTreeSet<String> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        ["transports", "plugins"]
            .iter()
            .flat_map(|group| std::fs::read_dir(root.join(group)).unwrap())
            .map(|entry| entry.unwrap())
            .filter(|entry| entry.path().join("Cargo.toml").is_file())
            .map(|entry| entry.file_name().into_string().unwrap())
            .filter(|name| !NO_PLUGIN.contains(&name.as_str()))
            .collect()
    }

    #[test]
    fn every_plugin_folder_is_named_in_the_list() {
        let listed: BTreeSet<String> = PLUGINS.iter().map(|(name, _)| (*name).to_owned()).collect();
        assert_eq!(listed, folders());
    }

    #[test]
    fn every_plugin_of_this_build_is_in_the_registry_under_its_folder_name() {
        let registered: BTreeSet<&str> = registry().unwrap().overview().iter().map(|plugin| plugin.name).collect();
        let built_in: BTreeSet<&str> =
            PLUGINS.iter().filter(|(_, built_in)| *built_in).map(|(name, _)| *name).collect();
        assert_eq!(registered, built_in);
    }

    #[test]
    fn what_is_left_out_is_exactly_what_is_not_built_in() {
        let left_out: Vec<&str> = left_out().iter().map(|plugin| plugin.name).collect();
        let expected: Vec<&str> = PLUGINS.iter().filter(|(_, built_in)| !built_in).map(|(name, _)| *name).collect();
        assert_eq!(left_out, expected);
    }
}
