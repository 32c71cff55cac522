//! Makes every part that a configuration names, and joins them into a pipeline.

mod keys;
pub(crate) mod meter;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use einvoice_core::clock::{SharedClock, SystemClock};
use einvoice_core::config::{CheckDigit, ConfigError, PluginTable, RouteTable, Settings, SourceTable, WriteBackTable};
use einvoice_core::credential::{CredentialStore, EWayBillLogin, SharedUsers};
use einvoice_core::date::ist_date;
use einvoice_core::entropy::SystemEntropy;
use einvoice_core::environment::Environment;
use einvoice_core::finding::Severity;
use einvoice_core::ledger::{Ledger, LedgerError};
use einvoice_core::pipeline::{Parts, RoutePart, SourcePart, WriteBackPart};
use einvoice_core::registry::{BuildContext, BuildError, Registry};
use einvoice_core::rulebook::CheckOptions;
use einvoice_core::source::InvoiceSource;
use einvoice_core::usage::RefusalsOfBook;
use jiff::civil::Date;

pub use keys::{KeyFile, key_set};

use crate::error::{CliError, ledger_error};
use crate::settings::{Loaded, with_suggestion};
use crate::{masters_file, plugins, terminal};

/// Name of the emulator's transport, and of the store with the accounts that it makes up.
pub(crate) const EMULATOR: &str = "sandbox";

/// Makes parts from a loaded configuration.
#[derive(Debug)]
pub struct Assembly {
    registry: Registry,
    loaded: Loaded,
    base: BuildContext,
}

impl Assembly {
    /// Gets ready to make parts, with the system's clock and randomness.
    ///
    /// # Errors
    /// [`CliError::Registry`] when two linked plugins have one name.
    pub fn new(loaded: Loaded) -> Result<Self, CliError> {
        let registry = plugins::registry()?;
        let base = BuildContext::new("einvoice", &loaded.directory, SystemClock::shared(), SystemEntropy::shared());
        Ok(Self { registry, loaded, base })
    }

    /// The same, with a clock that a test moves.
    #[cfg(test)]
    pub(crate) fn with_clock(mut self, clock: SharedClock) -> Self {
        self.base.clock = clock;
        self
    }

    /// The configuration with the file it came from.
    #[must_use]
    pub fn loaded(&self) -> &Loaded {
        &self.loaded
    }

    /// Everything that is linked.
    pub(crate) fn registry(&self) -> &Registry {
        &self.registry
    }

    /// The configuration.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.loaded.settings
    }

    /// The folder where relative paths start.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.loaded.directory
    }

    /// The clock that all parts share.
    #[must_use]
    pub fn clock(&self) -> SharedClock {
        Arc::clone(&self.base.clock)
    }

    /// Opens the ledger.
    ///
    /// # Errors
    /// [`CliError::LedgerInUse`] while another process has it, [`CliError::Build`] when it cannot be
    /// opened.
    pub async fn ledger(&self) -> Result<Arc<dyn Ledger>, CliError> {
        self.opened(self.base.clone()).await
    }

    /// Opens the ledger only to look whether it is in order: nothing is made, brought up to date or taken over.
    ///
    /// # Errors
    /// As [`Assembly::ledger`]; [`CliError::Ledger`] where it is not there yet.
    pub(crate) async fn ledger_to_look_at(&self) -> Result<Arc<dyn Ledger>, CliError> {
        self.opened(self.base.only_looking()).await
    }

    async fn opened(&self, base: BuildContext) -> Result<Arc<dyn Ledger>, CliError> {
        let part = &self.settings().ledger;
        let made = self.registry.ledger(&part.plugin, base.named(&part.name), part.settings.clone()).await;
        made.map_err(|error| match ledger_error(&error) {
            Some(LedgerError::InUse { ledger, holder }) => {
                CliError::LedgerInUse { ledger: ledger.clone(), holder: holder.clone() }
            }
            Some(LedgerError::Absent { ledger }) => CliError::Ledger(LedgerError::Absent { ledger: ledger.clone() }),
            _ => self.failed("ledger", part, error),
        })
    }

    /// Opens the credential store.
    ///
    /// # Errors
    /// [`CliError::Build`] when it cannot be opened.
    pub async fn credentials(&self) -> Result<Arc<dyn CredentialStore>, CliError> {
        let failed = |error| CliError::System { action: "listen for interrupts".to_owned(), error };
        // Opening a store may ask for a passphrase.
        terminal::give_back_when_stopped().map_err(failed)?;
        let part = &self.settings().credentials;
        let context = self.base.named(&part.name);
        let made = self.registry.credential_store(&part.plugin, context, part.settings.clone()).await;
        let store = made.map_err(|error| self.failed("credentials", part, error))?;
        let routes = self.settings().routes.iter();
        let store: Arc<dyn CredentialStore> = if store.capability().keeps_facts || part.plugin == EMULATOR {
            store
        } else {
            let accounts = routes.clone().map(|route| (route.route_name(), route.client_account.clone())).collect();
            Arc::new(RefusalsOfBook::new(store, self.usage(), self.clock(), accounts))
        };
        let shared: BTreeMap<_, _> = routes
            .filter(|route| route.e_way_bill_login != EWayBillLogin::Own)
            .map(|route| (route.route_name(), route.e_way_bill_login))
            .collect();
        if shared.is_empty() {
            return Ok(store);
        }
        Ok(Arc::new(SharedUsers::new(store, shared)))
    }

    /// Makes a way to the portal.
    ///
    /// # Errors
    /// [`CliError::Build`] when its settings are wrong.
    pub async fn route(&self, route: &RouteTable) -> Result<RoutePart, CliError> {
        let part = &route.part;
        if self.settings().credentials.plugin == EMULATOR && part.plugin != EMULATOR {
            return Err(CliError::Usage(format!(
                "{} [credentials]: the store `{EMULATOR}` makes up accounts for the emulator inside this program, which no \
                 portal knows; route `{}` needs a store with real ones, such as credentials-file (`einvoice onboard` puts \
                 one in its place)",
                self.loaded.shown_file(),
                part.name,
            )));
        }
        let context = self.base.named(&part.name).in_environment(route.environment);
        let made = self.registry.transport(&part.plugin, context, part.settings.clone()).await;
        let transport = meter::metered(made.map_err(|error| self.failed("route", part, error))?, route, self);
        Ok(RoutePart {
            name: route.route_name(),
            environment: route.environment,
            client_account: route.client_account.clone(),
            transport,
        })
    }

    /// Makes a source.
    ///
    /// # Errors
    /// [`CliError::Build`] when its settings are wrong.
    pub async fn source(&self, source: &SourceTable) -> Result<SourcePart, CliError> {
        self.source_in(&self.base, source).await
    }

    async fn source_in(&self, context: &BuildContext, source: &SourceTable) -> Result<SourcePart, CliError> {
        let part = &source.part;
        let made = self.registry.source(&part.plugin, context.named(&part.name), part.settings.clone()).await;
        let source = made.map_err(|error| self.failed("source", part, error))?;
        Ok(SourcePart { name: part.name.clone(), source })
    }

    /// Makes a source that will only map records which somebody wrote down; its system need not be there.
    pub(crate) async fn mapper(&self, source: &SourceTable) -> Result<Arc<dyn InvoiceSource>, CliError> {
        let part = &source.part;
        let context = self.base.named(&part.name).only_mapping();
        let made = self.registry.source(&part.plugin, context, part.settings.clone()).await;
        made.map_err(|error| self.failed("source", part, error))
    }

    /// Makes a source that leaves its files as and where they lie, and its rows unclaimed: to look at them.
    ///
    /// # Errors
    /// [`CliError::Build`] when its settings are wrong.
    pub async fn source_to_look_at(&self, source: &SourceTable) -> Result<SourcePart, CliError> {
        const MOVES: &str = "move_files";
        let mut source = source.clone();
        let found = self.registry.sources.find(&source.part.plugin, self.registry.left_out());
        let moves =
            found.is_ok_and(|found| (found.schema)().to_value().pointer(&format!("/properties/{MOVES}")).is_some());
        if moves && let Some(settings) = source.part.settings.as_object_mut() {
            settings.insert(MOVES.to_owned(), false.into());
        }
        self.source_in(&self.base.only_looking(), &source).await
    }

    /// Makes a write-back target.
    ///
    /// # Errors
    /// [`CliError::Build`] when its settings are wrong.
    pub async fn write_back(&self, table: &WriteBackTable) -> Result<WriteBackPart, CliError> {
        let part = &table.part;
        let context = self.base.named(&part.name);
        let made = self.registry.write_back(&part.plugin, context, part.settings.clone()).await;
        let target = made.map_err(|error| self.failed("write_back", part, error))?;
        Ok(WriteBackPart { name: part.name.clone(), sources: table.sources.clone(), target })
    }

    /// Makes everything a run needs. Cheap parts come first, so that a wrong setting is told before
    /// the ledger is opened.
    ///
    /// # Errors
    /// [`CliError::Build`] for the first part that cannot be made; [`CliError::Usage`] when there is
    /// no route or no source.
    pub async fn parts(&self) -> Result<Parts, CliError> {
        if self.settings().sources.is_empty() {
            return Err(self.missing("source", "there is nothing to read"));
        }
        self.desk_parts().await
    }

    /// As [`Assembly::parts`], for work on what is registered already: nothing has to be read for that.
    ///
    /// # Errors
    /// [`CliError::Build`] for the first part that cannot be made; [`CliError::Usage`] when there is
    /// no route.
    pub async fn desk_parts(&self) -> Result<Parts, CliError> {
        let settings = self.settings();
        if settings.routes.is_empty() {
            return Err(self.missing("route", "there is no way to the portal"));
        }
        let chosen = settings.routes_of_run().map_err(|error| self.wrong(&error))?;
        let mut sources = Vec::with_capacity(settings.sources.len());
        for source in &settings.sources {
            sources.push(self.source(source).await?);
        }
        let mut write_backs = Vec::with_capacity(settings.write_backs.len());
        for target in &settings.write_backs {
            write_backs.push(self.write_back(target).await?);
        }
        let mut routes = Vec::with_capacity(chosen.len());
        for route in chosen {
            routes.push(self.route(route).await?);
        }
        // After the routes: the emulator's transport writes its public key when it is made.
        let verifier = key_set(&KeyFile::matching(&settings.verify.keys, &self.loaded.directory)?)?;
        Ok(Parts {
            credentials: self.credentials().await?,
            ledger: self.ledger().await?,
            routes,
            sources,
            write_backs,
            verifier: Arc::new(verifier),
            check: check_options(&self.loaded, ist_date(self.clock().now()))?,
            settings: settings.run.clone(),
            clock: self.clock(),
        })
    }

    fn wrong(&self, error: &ConfigError) -> CliError {
        CliError::Usage(format!("{}: {error}", self.loaded.shown_file()))
    }

    fn missing(&self, table: &str, what: &str) -> CliError {
        CliError::Usage(format!(
            "{}: there is no [[{table}]], so {what}; `einvoice plugins` shows what can be used",
            self.loaded.shown_file()
        ))
    }

    fn failed(&self, table: &str, part: &PluginTable, mut error: BuildError) -> CliError {
        error.reason = with_suggestion(&error.reason);
        // An error without a plugin's name is about the wish for one; the table says where that is.
        let plugin = if error.part.contains(&part.plugin) { String::new() } else { format!(" {}", part.plugin) };
        if error.part == "configuration" {
            return CliError::Usage(format!("{} [{table}]: {}", self.loaded.shown_file(), error.reason));
        }
        CliError::Build { file: format!("{} [{table}]{plugin}", self.loaded.shown_file()), error }
    }
}

/// How documents are judged under a configuration on a day.
///
/// # Errors
/// [`CliError`] when the file of changes to the masters cannot be read or is wrong.
pub fn check_options(loaded: &Loaded, day: Date) -> Result<CheckOptions, CliError> {
    let settings = &loaded.settings;
    settings.rules.announce();
    Ok(CheckOptions::on(day)
        .with_gstin_check_digit(check_digit(settings))
        .with_settings(Arc::new(settings.rules.clone()))
        .with_repairs(settings.check.repair.iter().copied().collect())
        .with_masters(masters_file::configured(&settings.check, &loaded.directory)?))
}

/// What a wrong GSTIN check digit is under these settings.
#[must_use]
pub fn check_digit(settings: &Settings) -> Option<Severity> {
    let routes = settings.routes_of_run().unwrap_or_else(|_| settings.routes.iter().collect());
    let all_sandbox = !routes.is_empty() && routes.iter().all(|route| route.environment == Environment::Sandbox);
    match settings.check.gstin_check_digit {
        // The test GSTINs of the portal's sandbox fail the check digit by design.
        CheckDigit::Auto if all_sandbox => Some(Severity::Warning),
        CheckDigit::Warning => Some(Severity::Warning),
        CheckDigit::Off => None,
        _ => Some(Severity::Error),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_wrong_check_digit_is_a_warning_only_where_every_route_is_a_sandbox() {
        let severity = |environments: &[&str], setting: &str| {
            let routes: Vec<_> = environments
                .iter()
                .enumerate()
                .map(|(index, environment)| {
                    json!({"name": index.to_string(), "plugin": "direct", "environment": environment})
                })
                .collect();
            let value = json!({"route": routes, "check": {"gstin_check_digit": setting}});
            check_digit(&Settings::from_value(value).unwrap())
        };
        assert_eq!(severity(&["sandbox", "sandbox"], "auto"), Some(Severity::Warning));
        assert_eq!(severity(&["sandbox", "production"], "auto"), Some(Severity::Error));
        assert_eq!(severity(&[], "auto"), Some(Severity::Error));
        assert_eq!(severity(&["production"], "warning"), Some(Severity::Warning));
        assert_eq!(severity(&["sandbox"], "off"), None);
    }
}
