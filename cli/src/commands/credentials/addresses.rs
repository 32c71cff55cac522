//! `credentials addresses`: what the portal lists for a client pair, as far as somebody told us.

use einvoice_core::credential::{ClientHolder, ClientScope, CredentialScope, ListedAddresses};
use einvoice_core::identifier::Pan;
use serde_json::json;

use crate::arguments::CredentialAddresses;
use crate::assemble::Assembly;
use crate::error::CliError;
use crate::output::Output;

pub(super) async fn run(
    arguments: &CredentialAddresses,
    assembly: &Assembly,
    output: &mut Output,
) -> Result<(), CliError> {
    let scope = scope(arguments, assembly).await?;
    let store = assembly.credentials().await?;
    let shown = CredentialScope::Client(scope.clone());
    let listed = if arguments.addresses.is_empty() && !arguments.none {
        store.facts(&shown).await?.listed_addresses
    } else {
        let listed = ListedAddresses::parse(arguments.addresses.iter().map(String::as_str)).map_err(|errors| {
            let told: Vec<String> = errors.iter().map(ToString::to_string).collect();
            CliError::Usage(told.join("; "))
        })?;
        store.set_addresses(&scope, &listed).await?;
        listed
    };
    if output.is_json() {
        return output.object(&json!({ "client": scope, "listed_addresses": listed }));
    }
    if listed.is_empty() {
        return output.line(format!("the {shown}: no listed address is known here"));
    }
    output.line(format!(
        "the {shown}: calls come from {listed}; that each is Indian and listed at the portal cannot be known here"
    ))
}

async fn scope(arguments: &CredentialAddresses, assembly: &Assembly) -> Result<ClientScope, CliError> {
    let table = super::route(Some(&arguments.route), assembly)?;
    let account = arguments.account.as_ref().or(table.client_account.as_ref());
    let holder = match (&arguments.pan, &arguments.gstin, account) {
        (Some(pan), _, _) => {
            ClientHolder::Pan(Pan::parse(pan).map_err(|error| CliError::Usage(format!("--pan {pan}: {error}")))?)
        }
        (None, Some(gstin), _) => ClientHolder::Pan(super::pan_of(&super::gstin(gstin)?)?),
        (None, None, Some(account)) => {
            super::account_holder(account, arguments.product.map(super::product), table, assembly).await?
        }
        (None, None, None) => {
            return Err(CliError::Usage(
                "a client pair belongs to a PAN or a provider account: pass --pan, --gstin or --account".to_owned(),
            ));
        }
    };
    Ok(ClientScope { environment: table.environment, holder })
}
