//! The registry: which plugins this program has, by role and name.
//!
//! A plugin crate registers a role with one macro ([`register_source!`](crate::register_source),
//! [`register_write_back!`](crate::register_write_back),
//! [`register_credential_store!`](crate::register_credential_store),
//! [`register_ledger!`](crate::register_ledger), [`register_transport!`](crate::register_transport)).
//! The macros wrap `inventory::submit!`; a registration holds names, text and function pointers, and
//! nothing runs before `main`.
//!
//! The linker decides the order of registrations and it differs between builds, so everything here
//! is collected into maps sorted by name once, and duplicates are refused by name.

mod build;
mod macros;
mod template;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

pub use build::{BuildContext, BuildError, BuildFuture, read_settings};
pub use template::{Template, Templates};
#[doc(hidden)]
pub use {inventory, schemars};

use crate::credential::CredentialStore;
use crate::ledger::Ledger;
use crate::source::InvoiceSource;
use crate::transport::Transport;
use crate::write_back::{WriteBack, WriteBackWay};

/// Makes a part from its settings.
pub type BuildFn<R> = fn(BuildContext, serde_json::Value) -> BuildFuture<R>;

/// One registration: a role of a plugin crate.
pub struct Plugin<R: ?Sized + 'static> {
    /// The name by which configuration asks for it: the crate's folder name.
    pub name: &'static str,
    /// What it does, in a sentence.
    pub summary: &'static str,
    /// The package that registered it.
    pub krate: &'static str,
    /// JSON Schema of its settings.
    pub schema: fn() -> schemars::Schema,
    /// A configuration excerpt (TOML) that works as it stands.
    pub example: &'static str,
    /// How results reach the books, way by way; empty for what is no write-back target, or says nothing of it.
    pub ways: &'static [WriteBackWay],
    /// Makes the part.
    pub build: BuildFn<R>,
}

impl<R: ?Sized> fmt::Debug for Plugin<R> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Plugin").field("name", &self.name).field("krate", &self.krate).finish_non_exhaustive()
    }
}

inventory::collect!(Plugin<dyn InvoiceSource>);
inventory::collect!(Plugin<dyn WriteBack>);
inventory::collect!(Plugin<dyn CredentialStore>);
inventory::collect!(Plugin<dyn Ledger>);
inventory::collect!(Plugin<dyn Transport>);

/// The roles a plugin can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(clippy::exhaustive_enums, reason = "the design knows these five contracts")]
pub enum Role {
    /// [`InvoiceSource`]
    Source,
    /// [`WriteBack`]
    WriteBack,
    /// [`CredentialStore`]
    CredentialStore,
    /// [`Ledger`]
    Ledger,
    /// [`Transport`]
    Transport,
}

impl Role {
    /// The configuration table of the role.
    #[must_use]
    pub const fn table(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::WriteBack => "write_back",
            Self::CredentialStore => "credentials",
            Self::Ledger => "ledger",
            Self::Transport => "route",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Source => "invoice source",
            Self::WriteBack => "write-back target",
            Self::CredentialStore => "credential store",
            Self::Ledger => "ledger",
            Self::Transport => "transport",
        })
    }
}

/// All plugins of one role, by name.
pub struct Plugins<R: ?Sized + 'static> {
    role: Role,
    by_name: BTreeMap<&'static str, &'static Plugin<R>>,
}

impl<R: ?Sized> fmt::Debug for Plugins<R> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_map().entries(self.by_name.iter().map(|(name, plugin)| (name, plugin.krate))).finish()
    }
}

impl<R: ?Sized + 'static> Plugins<R> {
    /// Collects plugins by name.
    ///
    /// # Errors
    /// [`RegistryError::Duplicate`] when two have one name.
    pub fn collect(role: Role, plugins: impl IntoIterator<Item = &'static Plugin<R>>) -> Result<Self, RegistryError> {
        let mut by_name: BTreeMap<&'static str, &'static Plugin<R>> = BTreeMap::new();
        for plugin in plugins {
            if let Some(other) = by_name.insert(plugin.name, plugin) {
                // The linker decides which comes first, so sort: the message must not change with it.
                let (first, second) = (other.krate.min(plugin.krate), other.krate.max(plugin.krate));
                return Err(RegistryError::Duplicate { role, name: plugin.name, first, second });
            }
        }
        Ok(Self { role, by_name })
    }

    /// The plugin of a name.
    ///
    /// # Errors
    /// [`RegistryError::NoSuchPlugin`] with the names there are, the nearest one, and the feature to
    /// enable where the plugin exists but was left out of this build.
    pub fn find(&self, name: &str, left_out: &[LeftOut]) -> Result<&'static Plugin<R>, RegistryError> {
        if let Some(plugin) = self.by_name.get(name) {
            return Ok(plugin);
        }
        let known: Vec<&'static str> = self.by_name.keys().copied().collect();
        let hint = if let Some(missing) = left_out.iter().find(|plugin| plugin.name == name) {
            format!("this program was built without it: build with feature `{}`", missing.feature)
        } else if let Some(near) = nearest(name, known.iter().copied()) {
            format!("did you mean `{near}`? There are: {}", known.join(", "))
        } else if known.is_empty() {
            "this program was built without any".to_owned()
        } else {
            format!("there are: {}", known.join(", "))
        };
        Err(RegistryError::NoSuchPlugin { role: self.role, name: name.to_owned(), hint })
    }

    /// All plugins, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = &'static Plugin<R>> + '_ {
        self.by_name.values().copied()
    }
}

/// A plugin that exists but was left out of a build, with the feature that brings it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeftOut {
    /// Registered name.
    pub name: &'static str,
    /// Cargo feature of the program.
    pub feature: &'static str,
}

/// All plugins of a program, by role and name.
#[derive(Debug)]
pub struct Registry {
    /// Where invoices come from.
    pub sources: Plugins<dyn InvoiceSource>,
    /// Where results go.
    pub write_backs: Plugins<dyn WriteBack>,
    /// Where credentials are kept.
    pub credential_stores: Plugins<dyn CredentialStore>,
    /// Where documents, intents and outcomes are kept.
    pub ledgers: Plugins<dyn Ledger>,
    /// Ways to the portal.
    pub transports: Plugins<dyn Transport>,
    /// Empty files for people to fill.
    pub templates: Templates,
    left_out: Vec<LeftOut>,
}

impl Registry {
    /// Collects what is linked into this program. `left_out` names the plugins that exist but were
    /// not built in, so that an error can say how to get them.
    ///
    /// # Errors
    /// [`RegistryError::Duplicate`] when two crates registered one name for one role.
    pub fn linked(left_out: Vec<LeftOut>) -> Result<Self, RegistryError> {
        Ok(Self {
            sources: Plugins::collect(Role::Source, inventory::iter::<Plugin<dyn InvoiceSource>>)?,
            write_backs: Plugins::collect(Role::WriteBack, inventory::iter::<Plugin<dyn WriteBack>>)?,
            credential_stores: Plugins::collect(Role::CredentialStore, inventory::iter::<Plugin<dyn CredentialStore>>)?,
            ledgers: Plugins::collect(Role::Ledger, inventory::iter::<Plugin<dyn Ledger>>)?,
            transports: Plugins::collect(Role::Transport, inventory::iter::<Plugin<dyn Transport>>)?,
            templates: Templates::collect(inventory::iter::<Template>)?,
            left_out,
        })
    }

    /// The plugins that exist but are not in this build.
    #[must_use]
    pub fn left_out(&self) -> &[LeftOut] {
        &self.left_out
    }

    /// One line for each role of each plugin, sorted by role and name.
    #[must_use]
    pub fn overview(&self) -> Vec<PluginLine> {
        fn lines<R: ?Sized + 'static>(plugins: &Plugins<R>) -> impl Iterator<Item = PluginLine> + '_ {
            plugins.iter().map(|plugin| PluginLine {
                role: plugins.role,
                name: plugin.name,
                summary: plugin.summary,
                krate: plugin.krate,
                example: plugin.example,
                ways: plugin.ways,
                schema: plugin.schema,
            })
        }
        lines(&self.sources)
            .chain(lines(&self.write_backs))
            .chain(lines(&self.credential_stores))
            .chain(lines(&self.ledgers))
            .chain(lines(&self.transports))
            .collect()
    }

    /// Builds the source that a configuration asks for.
    ///
    /// # Errors
    /// When there is no such plugin or its settings are wrong.
    pub async fn source(
        &self,
        plugin: &str,
        context: BuildContext,
        settings: serde_json::Value,
    ) -> Result<Arc<dyn InvoiceSource>, BuildError> {
        (self.sources.find(plugin, &self.left_out)?.build)(context, settings).await
    }

    /// Builds the write-back target that a configuration asks for.
    ///
    /// # Errors
    /// When there is no such plugin or its settings are wrong.
    pub async fn write_back(
        &self,
        plugin: &str,
        context: BuildContext,
        settings: serde_json::Value,
    ) -> Result<Arc<dyn WriteBack>, BuildError> {
        (self.write_backs.find(plugin, &self.left_out)?.build)(context, settings).await
    }

    /// Builds the credential store that a configuration asks for.
    ///
    /// # Errors
    /// When there is no such plugin or its settings are wrong.
    pub async fn credential_store(
        &self,
        plugin: &str,
        context: BuildContext,
        settings: serde_json::Value,
    ) -> Result<Arc<dyn CredentialStore>, BuildError> {
        (self.credential_stores.find(plugin, &self.left_out)?.build)(context, settings).await
    }

    /// Builds the ledger that a configuration asks for.
    ///
    /// # Errors
    /// When there is no such plugin, its settings are wrong, or the ledger cannot be opened.
    pub async fn ledger(
        &self,
        plugin: &str,
        context: BuildContext,
        settings: serde_json::Value,
    ) -> Result<Arc<dyn Ledger>, BuildError> {
        (self.ledgers.find(plugin, &self.left_out)?.build)(context, settings).await
    }

    /// Builds the transport that a configuration asks for.
    ///
    /// # Errors
    /// When there is no such plugin or its settings are wrong.
    pub async fn transport(
        &self,
        plugin: &str,
        context: BuildContext,
        settings: serde_json::Value,
    ) -> Result<Arc<dyn Transport>, BuildError> {
        (self.transports.find(plugin, &self.left_out)?.build)(context, settings).await
    }
}

/// One line of [`Registry::overview`].
#[derive(Debug, Clone, Copy)]
pub struct PluginLine {
    /// The role.
    pub role: Role,
    /// Registered name.
    pub name: &'static str,
    /// What it does.
    pub summary: &'static str,
    /// The package that registered it.
    pub krate: &'static str,
    /// A configuration excerpt (TOML).
    pub example: &'static str,
    /// How results reach the books, way by way.
    pub ways: &'static [WriteBackWay],
    /// JSON Schema of its settings.
    pub schema: fn() -> schemars::Schema,
}

/// What is wrong with the set of plugins, or with a wish for one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RegistryError {
    /// Two crates registered one name for one role.
    #[error("two plugins register the {role} `{name}`: {first} and {second}")]
    Duplicate {
        /// The role.
        role: Role,
        /// The name.
        name: &'static str,
        /// The crate that comes first in the alphabet.
        first: &'static str,
        /// The other one.
        second: &'static str,
    },
    /// Two crates registered one template of a plugin.
    #[error("two crates register the template `{variant}` of `{plugin}`: {first} and {second}")]
    DuplicateTemplate {
        /// The plugin that reads it.
        plugin: &'static str,
        /// Which of its templates.
        variant: &'static str,
        /// The crate that comes first in the alphabet.
        first: &'static str,
        /// The other one.
        second: &'static str,
    },
    /// No template of that plugin or name.
    #[error("there is no template `{name}`; {hint}")]
    NoTemplate {
        /// The plugin or the variant asked for.
        name: String,
        /// What to do.
        hint: String,
    },
    /// No plugin of that name.
    #[error("there is no {role} `{name}`; {hint}")]
    NoSuchPlugin {
        /// The role.
        role: Role,
        /// The name asked for.
        name: String,
        /// What to do.
        hint: String,
    },
}

/// The name most like `wanted`, if any is like it: at most two edits, and fewer than half its length.
#[must_use]
pub fn nearest<'a>(wanted: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    known
        .map(|name| (edits(wanted, name), name))
        .filter(|(distance, name)| *distance <= 2 && distance * 2 < name.len().max(3))
        .min()
        .map(|(_, name)| name)
}

/// Levenshtein distance, by one row.
fn edits(left: &str, right: &str) -> usize {
    let mut row: Vec<usize> = (0..=right.chars().count()).collect();
    for (index, from) in left.chars().enumerate() {
        let mut diagonal = index;
        let mut previous = index + 1;
        if let Some(first) = row.first_mut() {
            *first = previous;
        }
        for (cell, to) in row.iter_mut().skip(1).zip(right.chars()) {
            let substitution = diagonal + usize::from(from != to);
            diagonal = *cell;
            *cell = substitution.min(diagonal + 1).min(previous + 1);
            previous = *cell;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn build(_: BuildContext, _: serde_json::Value) -> BuildFuture<dyn WriteBack> {
        Box::pin(async { Err(BuildError::new("nothing", "for tests only")) })
    }

    fn schema() -> schemars::Schema {
        schemars::schema_for!(String)
    }

    static FIRST: Plugin<dyn WriteBack> =
        Plugin { name: "tally", summary: "s", krate: "b-crate", schema, example: "", ways: &[], build };
    static SECOND: Plugin<dyn WriteBack> =
        Plugin { name: "tally", summary: "s", krate: "a-crate", schema, example: "", ways: &[], build };

    #[test]
    fn two_plugins_of_one_name_are_refused_by_names_in_alphabetical_order() {
        let error = |plugins: [&'static Plugin<dyn WriteBack>; 2]| {
            Plugins::collect(Role::WriteBack, plugins).unwrap_err().to_string()
        };
        assert_eq!(error([&FIRST, &SECOND]), error([&SECOND, &FIRST]));
        assert_eq!(error([&FIRST, &SECOND]), "two plugins register the write-back target `tally`: a-crate and b-crate");
    }

    #[test]
    fn a_near_name_is_suggested_and_a_left_out_plugin_names_its_feature() {
        let plugins = Plugins::collect(Role::WriteBack, [&FIRST]).unwrap();
        let near = plugins.find("taly", &[]).unwrap_err().to_string();
        assert!(near.contains("did you mean `tally`"), "{near}");
        let left_out = [LeftOut { name: "json-file", feature: "json-file" }];
        let missing = plugins.find("json-file", &left_out).unwrap_err().to_string();
        assert!(missing.contains("feature `json-file`"), "{missing}");
    }

    #[test]
    fn edit_distance_counts_single_changes() {
        assert_eq!(edits("kitten", "sitting"), 3);
        assert_eq!(edits("", "abc"), 3);
        assert_eq!(nearest("zzz", ["tally"].into_iter()), None);
    }
}
