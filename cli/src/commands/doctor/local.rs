//! What is on this machine: configuration, plugins, keys, credentials, ledger, budgets.

use std::sync::Arc;

use einvoice_core::config::RouteTable;
use einvoice_core::credential::CredentialStore;
use einvoice_core::environment::Environment;
use einvoice_core::ledger::LedgerError;
use einvoice_core::pipeline::RoutePart;

use super::keys;
use super::report::{Line, Report};
use crate::assemble::Assembly;
use crate::commands::quota;
use crate::error::CliError;
use crate::folders;
use crate::output::counted;

/// What the checks of the way and the account work with.
pub(super) struct Inside {
    /// The routes, where they could be made, in the order in which they were asked for.
    pub(super) parts: Vec<Option<RoutePart>>,
    pub(super) store: Option<Arc<dyn CredentialStore>>,
}

/// Checks what needs no network.
pub(super) async fn checks(
    assembly: &Assembly,
    routes: &[&RouteTable],
    report: &mut Report<'_>,
) -> Result<Inside, CliError> {
    let settings = assembly.settings();
    let number = |count: usize, word: &str| counted(u64::try_from(count).unwrap_or(u64::MAX), word);
    report.add(Line::ok(
        "configuration",
        format!(
            "{}: {}, {}, {}",
            assembly.loaded().shown_file(),
            number(settings.routes.len(), "route"),
            number(settings.sources.len(), "source"),
            number(settings.write_backs.len(), "write-back"),
        ),
    ))?;
    if settings.routes.is_empty() {
        let fix = "`einvoice onboard` leads to one; `einvoice plugins` lists what a route can use.";
        report.add(Line::fail("routes", "there is no [[route]], so no way to a portal", fix))?;
    }
    let environment = environment(assembly, report)?;
    sources(assembly, report).await?;
    let now = assembly.clock().now();
    ledger(assembly, environment, report).await?;
    let store = credentials(assembly, report).await?;
    // After the credentials: an emulator in this process makes accounts and keys when it is first opened.
    for line in keys::signing(assembly, now) {
        report.add(line)?;
    }
    budgets(assembly, report).await?;
    let mut parts = Vec::with_capacity(routes.len());
    for table in routes {
        parts.push(route(assembly, table, report).await?);
        for line in keys::login(assembly, table, now) {
            report.add(line)?;
        }
    }
    Ok(Inside { parts, store })
}

/// The environment that runs work in, where that is clear.
fn environment(assembly: &Assembly, report: &mut Report<'_>) -> Result<Option<Environment>, CliError> {
    match assembly.settings().routes_of_run() {
        Ok(routes) => Ok(routes.first().map(|route| route.environment)),
        Err(error) => {
            let fix = "`einvoice onboard` proposes a configuration and a ledger for production alone.";
            report.add(Line::fail("environment", error.to_string(), fix))?;
            Ok(None)
        }
    }
}

/// Sources, and write-back targets with how results reach the books.
async fn sources(assembly: &Assembly, report: &mut Report<'_>) -> Result<(), CliError> {
    let settings = assembly.settings();
    let mut failed = false;
    for table in &settings.sources {
        if let Err(error) = assembly.source_to_look_at(table).await {
            failed = true;
            report.add(wrong("source", &error, &table.part.plugin))?;
        }
    }
    for missing in folders::missing(&settings.sources, assembly.directory()) {
        failed = true;
        let found = format!("`{}` reads the folder {}, which is not there", missing.source, missing.folder.display());
        report.add(Line::warn("source", found, "Create it, or correct the key `path`."))?;
    }
    if !failed && !settings.sources.is_empty() {
        report.add(Line::ok("sources", "each of them can be made"))?;
    }
    for table in &settings.write_backs {
        report.add(match assembly.write_back(table).await {
            Ok(part) => Line::write_back(table, part.target.capability()),
            Err(error) => wrong("write-back", &error, &table.part.plugin),
        })?;
    }
    Ok(())
}

fn wrong(check: &str, error: &CliError, plugin: &str) -> Line {
    let fix = format!("Correct the setting; `einvoice plugins {plugin}` explains each of them.");
    Line::fail(check, error.message(), fix).code(error.exit_code())
}

async fn ledger(
    assembly: &Assembly,
    environment: Option<Environment>,
    report: &mut Report<'_>,
) -> Result<(), CliError> {
    const CHECK: &str = "ledger";
    let plugin = &assembly.settings().ledger.plugin;
    let found = match assembly.ledger_to_look_at().await {
        Ok(ledger) => ledger.environment().await.map_err(CliError::from),
        Err(error) => Err(error),
    };
    report.add(match found {
        Ok(Some(holds)) if environment.is_some_and(|environment| environment != holds) => {
            let ledger = plugin.clone();
            let fix = "Name another ledger under [ledger], best in a configuration of its own; never delete one that was \
                       used.";
            Line::fail(CHECK, LedgerError::OtherEnvironment { ledger, holds }.to_string(), fix)
        }
        Ok(Some(holds)) => Line::ok(CHECK, format!("{plugin} opens, and belongs to environment {holds}")),
        Ok(None) => Line::ok(CHECK, format!("{plugin} opens")),
        Err(error @ CliError::Ledger(LedgerError::Absent { .. })) => {
            let fix = "The first run makes it. If there should be one, correct its place under [ledger] before that.";
            Line::warn(CHECK, error.to_string(), fix)
        }
        // A run that is going on is no fault.
        Err(error @ CliError::LedgerInUse { .. }) => Line::skipped(CHECK, error.to_string()),
        Err(error) => {
            let fix = "See that its folder is there and can be written; a damaged ledger is restored from its backup, never \
                       deleted.";
            Line::fail(CHECK, error.message(), fix).code(error.exit_code())
        }
    })
}

async fn credentials(
    assembly: &Assembly,
    report: &mut Report<'_>,
) -> Result<Option<Arc<dyn CredentialStore>>, CliError> {
    const CHECK: &str = "credential store";
    let plugin = &assembly.settings().credentials.plugin;
    let store = match assembly.credentials().await {
        Ok(store) => store,
        Err(error) => {
            report.add(wrong(CHECK, &error, plugin))?;
            return Ok(None);
        }
    };
    match store.list().await {
        Ok(entries) if entries.is_empty() => {
            let fix = "`einvoice onboard` asks for them, `einvoice credentials add` puts single ones.";
            report.add(Line::warn(CHECK, format!("{plugin} opens and holds nothing"), fix))?;
        }
        Ok(entries) => {
            let count = u64::try_from(entries.len()).unwrap_or(u64::MAX);
            let count = if count == 1 { "1 entry".to_owned() } else { format!("{count} entries") };
            report.add(Line::ok(CHECK, format!("{plugin} opens: {count}")))?;
        }
        Err(error) => {
            report.add(Line::no_credentials(CHECK, &error))?;
            return Ok(None);
        }
    }
    Ok(Some(store))
}

async fn budgets(assembly: &Assembly, report: &mut Report<'_>) -> Result<(), CliError> {
    const CHECK: &str = "budgets";
    let budgets = match quota::budgets(assembly).await {
        Ok(budgets) => budgets,
        Err(error) => {
            let fix = "See that the file of [quota] can be written: without it each process counts for itself.";
            return report.add(Line::warn(CHECK, error.message(), fix));
        }
    };
    let mut warned = false;
    for budget in &budgets {
        if let Some(warning) = budget.warning() {
            warned = true;
            let found = format!("by {}: {warning}", budget.user().route);
            report.add(Line::warn(CHECK, found, "`einvoice quota` shows all of them.").of(budget.user().gstin))?;
        }
    }
    if warned { Ok(()) } else { report.add(Line::ok(CHECK, "no budget of logins or refusals is near its end")) }
}

async fn route(
    assembly: &Assembly,
    table: &RouteTable,
    report: &mut Report<'_>,
) -> Result<Option<RoutePart>, CliError> {
    match assembly.route(table).await {
        Ok(part) => {
            let found = format!("{}, {}", table.part.plugin, table.environment);
            report.add(Line::ok("route", found).on(table))?;
            Ok(Some(part))
        }
        Err(error) => {
            report.add(wrong("route", &error, &table.part.plugin).on(table))?;
            Ok(None)
        }
    }
}
