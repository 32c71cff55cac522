//! `gsp balance`, and what its neighbours need of a route through a provider.

use einvoice_core::config::RouteTable;
use einvoice_core::credential::{ClientHolder, ClientScope};
use einvoice_core::entropy::SystemEntropy;
use einvoice_core::environment::Product;
use serde_json::json;

use crate::arguments::{Common, GspBalance};
use crate::assemble::Assembly;
use crate::commands::{block_on, credentials};
use crate::error::{CliError, with_causes};
use crate::output::{Output, printable};
use crate::plugins::providers::{GspConfig, connect};
use crate::{exit_code, settings};

/// Asks what is left of the account.
pub(super) fn balance(arguments: &GspBalance, common: &Common, output: &mut Output) -> Result<u8, CliError> {
    let assembly = Assembly::new(settings::load(common)?)?;
    let table = route(&arguments.route, &assembly)?;
    block_on(async {
        let config: GspConfig = serde_json::from_value(table.part.settings.clone())
            .map_err(|error| CliError::Usage(format!("route {}: {error}", table.part.name)))?;
        let (entropy, clock) = (SystemEntropy::shared(), assembly.clock());
        let transport = connect(config, table.environment, assembly.directory(), entropy, clock)
            .await
            .map_err(|error| CliError::Usage(with_causes(format!("route {}: {error}", table.part.name), &error)))?;
        let per_product = transport.profile().provider.client_pair_per_product;
        let holder =
            ClientHolder::Provider { account: account(table)?, product: per_product.then_some(Product::EInvoice) };
        let scope = ClientScope { environment: table.environment, holder };
        let pair = assembly.credentials().await?.client(&scope).await?;
        let Some((left, unit)) = transport.balance(&pair).await? else {
            return Err(CliError::Usage(format!(
                "profile {} does not say how its provider is asked for the balance (`limits.balance`); look it up on the \
                 provider's pages",
                transport.profile().id
            )));
        };
        if output.is_json() {
            return output.object(&json!({ "route": table.part.name, "left": left, "unit": unit }));
        }
        output.line(format!("{} {} left on route {}", printable(&left), printable(&unit), table.part.name))
    })?;
    Ok(exit_code::ALL_WELL)
}

/// A route of this name, which goes through a provider.
pub(super) fn route<'a>(name: &str, assembly: &'a Assembly) -> Result<&'a RouteTable, CliError> {
    let table = credentials::route(Some(name), assembly)?;
    if table.part.plugin == "gsp" {
        Ok(table)
    } else {
        Err(CliError::Usage(format!(
            "route {name} goes by plugin {}, and this is about routes through a provider (plugin gsp)",
            table.part.plugin
        )))
    }
}

fn account(table: &RouteTable) -> Result<String, CliError> {
    table.client_account.clone().ok_or_else(|| {
        CliError::Usage(format!(
            "route {} names no `client_account`, whose client id and secret the provider knows",
            table.part.name
        ))
    })
}
