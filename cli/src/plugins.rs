//! The link list: the only file that names plugin crates.
//!
//! A crate that is a dependency but is never mentioned in code is not linked, and its registrations
//! are silently absent. One line of `link!` links it; the lint `unused_crate_dependencies` at the root
//! of this library names a crate whose line is missing. A new plugin costs one line here and one among
//! the dependencies of `cli/Cargo.toml`. The emulator has a name here because `sandbox serve` needs it, and
//! the crate of providers because `gsp` and `onboard` work on their profiles.

/// Links crates. A line is `einvoice_name,` for a crate that is always in the program, and
/// `einvoice_name if "name",` for one that can be left out, which is an optional dependency behind the feature.
/// Registered name, Cargo feature and folder are the same word.
macro_rules! link {
    (@feature) => { None };
    (@feature $feature:literal) => { Some($feature) };
    ($($krate:ident $(if $feature:literal)?,)+) => {
        $($(#[cfg(feature = $feature)])? use $krate as _;)+

        /// Every plugin this program can be built with, by its crate, and whether this build has it.
        const PLUGINS: &[Plugin] = &[$(Plugin {
            krate: stringify!($krate),
            feature: link!(@feature $($feature)?),
            built_in: true $(&& cfg!(feature = $feature))?,
        }),+];
    };
}

link! {
    einvoice_credentials_database if "credentials-database",
    einvoice_credentials_env if "credentials-env",
    einvoice_credentials_file if "credentials-file",
    einvoice_credentials_keyring if "credentials-keyring",
    einvoice_credentials_vault if "credentials-vault",
    einvoice_database if "database",
    einvoice_direct if "direct",
    einvoice_gsp if "gsp",
    einvoice_json_file if "json-file",
    einvoice_ledger_sqlite if "ledger-sqlite",
    einvoice_sandbox if "sandbox",
    einvoice_sap_file if "sap-file",
    einvoice_spreadsheet if "spreadsheet",
    einvoice_tally if "tally",
}

#[cfg(feature = "gsp")]
pub(crate) use einvoice_gsp as providers;
#[cfg(feature = "sandbox")]
pub(crate) use einvoice_sandbox as emulator;

use einvoice_core::registry::{LeftOut, Registry, RegistryError};

/// A line of the link list.
#[derive(Debug)]
struct Plugin {
    #[cfg_attr(not(test), expect(dead_code, reason = "the tests compare it with the folders"))]
    krate: &'static str,
    /// None for a plugin that cannot be left out.
    feature: Option<&'static str>,
    built_in: bool,
}

/// The plugins that exist and were left out of this build, so that an error can say how to get them.
#[must_use]
pub fn left_out() -> Vec<LeftOut> {
    let absent = PLUGINS.iter().filter(|plugin| !plugin.built_in);
    absent.filter_map(|plugin| plugin.feature).map(|name| LeftOut { name, feature: name }).collect()
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

    /// Folders that hold no plugin but a library: `protocol` and `http` are shared by transports, `file-drop` by all that
    /// work on files, `database-login` by all that work on databases, `secret-file` by credential stores.
    const NO_PLUGIN: [&str; 5] = ["database-login", "file-drop", "http", "protocol", "secret-file"];

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

    /// The registered name, which is that of the folder.
    fn name(plugin: &Plugin) -> String {
        plugin.krate.trim_start_matches("einvoice_").replace('_', "-")
    }

    #[test]
    fn every_plugin_folder_has_its_line_in_the_list() {
        let listed: BTreeSet<String> = PLUGINS.iter().map(name).collect();
        let missing: Vec<String> = folders().difference(&listed).cloned().collect();
        assert!(missing.is_empty(), "add to `link!`, and to the dependencies in cli/Cargo.toml: {missing:?}");
        assert_eq!(listed, folders());
    }

    #[test]
    fn a_feature_is_called_as_its_plugin() {
        for plugin in PLUGINS {
            assert!(plugin.feature.is_none_or(|feature| feature == name(plugin)), "{plugin:?}");
        }
    }

    #[test]
    fn every_plugin_of_this_build_is_in_the_registry_under_its_folder_name() {
        let registry = registry().unwrap();
        let registered: BTreeSet<String> = registry.overview().iter().map(|plugin| plugin.name.to_owned()).collect();
        let built_in: BTreeSet<String> = PLUGINS.iter().filter(|plugin| plugin.built_in).map(name).collect();
        assert_eq!(registered, built_in);
    }

    #[test]
    fn what_is_left_out_is_exactly_what_is_not_built_in() {
        let left_out: Vec<String> = left_out().iter().map(|plugin| plugin.name.to_owned()).collect();
        let expected: Vec<String> = PLUGINS.iter().filter(|plugin| !plugin.built_in).map(name).collect();
        assert_eq!(left_out, expected);
    }
}
