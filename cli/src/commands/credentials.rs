//! `credentials`: client pairs and API users. Secrets never stand on the command line, where other
//! programs and the shell's history would see them.

mod addresses;
mod ask;
mod list;
mod login;
mod rotate;

use einvoice_core::config::RouteTable;
use einvoice_core::credential::{
    ApiUser, ClientHolder, ClientPair, ClientScope, CredentialEntry, CredentialError, CredentialScope, UserScope,
    login_fits,
};
use einvoice_core::environment::Product;
use einvoice_core::identifier::{Gstin, Pan};
use einvoice_core::registry::nearest;
use einvoice_core::secret::Secret;
use einvoice_core::transport::TransportCapability;
use serde_json::json;

use super::block_on;
use crate::arguments::{Common, CredentialKind, CredentialRemove, CredentialScopeArguments, Credentials, ProductName};
use crate::assemble::Assembly;
use crate::error::CliError;
use crate::output::Output;
use crate::{exit_code, settings};

pub(super) fn run(arguments: &Credentials, common: &Common, output: &mut Output) -> Result<u8, CliError> {
    let assembly = Assembly::new(settings::load(common)?)?;
    block_on(async {
        match arguments {
            Credentials::Add(scope) => add(scope, &assembly, output).await,
            Credentials::List => list::run(&assembly, output).await,
            Credentials::Test(test) => login::run(test, &assembly, output).await,
            Credentials::Rotate(rotate) => rotate::run(rotate, &assembly, output).await,
            Credentials::Addresses(addresses) => addresses::run(addresses, &assembly, output).await,
            Credentials::Remove(remove) => remove_entry(remove, &assembly, output).await,
        }
    })?;
    Ok(exit_code::ALL_WELL)
}

async fn add(arguments: &CredentialScopeArguments, assembly: &Assembly, output: &mut Output) -> Result<(), CliError> {
    let scope = scope(arguments, assembly).await?;
    let store = assembly.credentials().await?;
    if !store.capability().writable {
        return Err(CliError::Credential(CredentialError::ReadOnly {
            store: format!("the credential store `{}`", assembly.settings().credentials.plugin),
            hint: "configure one that can be written, such as credentials-file".to_owned(),
        }));
    }
    let entry = asked_for(scope, arguments.name.as_deref(), None)?;
    check_size(&entry, assembly).await?;
    let shown = entry.scope().to_string();
    store.put(entry).await?;
    told(output, "added", &shown)
}

/// Asks for the two halves of an entry. Where there is an `old` one, its name is kept unless another is given.
fn asked_for(
    scope: CredentialScope,
    name: Option<&str>,
    old: Option<&CredentialEntry>,
) -> Result<CredentialEntry, CliError> {
    let (name_word, secret_word) = match scope {
        CredentialScope::Client(_) => ("client id", "client secret"),
        CredentialScope::User(_) => ("user name", "password"),
    };
    let name = match (name, old) {
        (Some(name), _) => Secret::from(name),
        (None, Some(CredentialEntry::Client(_, pair))) => pair.client_id.clone(),
        (None, Some(CredentialEntry::User(_, user))) => user.user_name.clone(),
        (None, None) => ask::name(name_word)?,
    };
    let secret = ask::secret(secret_word)?;
    Ok(match scope {
        CredentialScope::Client(scope) => {
            CredentialEntry::Client(scope, ClientPair { client_id: name, client_secret: secret })
        }
        CredentialScope::User(scope) => CredentialEntry::User(scope, ApiUser { user_name: name, password: secret }),
    })
}

/// Refuses a user name and password that do not fit into the portal's login, where we are the ones who seal it.
async fn check_size(entry: &CredentialEntry, assembly: &Assembly) -> Result<(), CliError> {
    let CredentialEntry::User(scope, user) = entry else { return Ok(()) };
    let routes = &assembly.settings().routes;
    let Some(table) = routes.iter().find(|table| table.route_name() == scope.route) else { return Ok(()) };
    let seals = match capability(table, assembly).await {
        Some(capability) => capability.sealed_logins.contains(&scope.product),
        None => table.part.plugin == "direct",
    };
    if !seals {
        return Ok(());
    }
    login_fits(scope.product, user.user_name.expose(), user.password.expose())
        .map_err(|error| CliError::Usage(format!("the {}: {error}", entry.scope())))
}

/// What the way of a route can do; nothing while it cannot be made, as when its key is not there yet.
async fn capability(table: &RouteTable, assembly: &Assembly) -> Option<TransportCapability> {
    Some(assembly.route(table).await.ok()?.transport.capability().clone())
}

/// Whose client pair it is that an account at a provider has, so that a login finds it: the provider's, or the provider's
/// for one of the systems.
async fn account_holder(
    account: &str,
    product: Option<Product>,
    table: &RouteTable,
    assembly: &Assembly,
) -> Result<ClientHolder, CliError> {
    let product = match capability(table, assembly).await.map(|capability| capability.client_pair_per_product) {
        Some(true) if product.is_none() => {
            return Err(CliError::Usage(format!(
                "the provider of route {} issues a client pair for each of the two systems: pass --product",
                table.part.name
            )));
        }
        Some(false) => None,
        _ => product,
    };
    Ok(ClientHolder::Provider { account: account.to_owned(), product })
}

async fn remove_entry(arguments: &CredentialRemove, assembly: &Assembly, output: &mut Output) -> Result<(), CliError> {
    let scope = scope(&arguments.scope, assembly).await?;
    if !arguments.yes {
        return Err(CliError::Usage(format!("this removes the {scope}: pass --yes if that is meant")));
    }
    assembly.credentials().await?.remove(&scope).await?;
    told(output, "removed", &scope.to_string())
}

fn told(output: &mut Output, what: &str, scope: &str) -> Result<(), CliError> {
    if output.is_json() {
        return output.object(&json!({ what: scope }));
    }
    output.line(format!("{what} the {scope}"))
}

const fn product(name: ProductName) -> Product {
    match name {
        ProductName::EInvoice => Product::EInvoice,
        ProductName::EWayBill => Product::EWayBill,
    }
}

async fn scope(arguments: &CredentialScopeArguments, assembly: &Assembly) -> Result<CredentialScope, CliError> {
    let table = route(Some(&arguments.route), assembly)?;
    let environment = table.environment;
    let product = arguments.product.map(product);
    let asked_gstin = arguments.gstin.as_deref().map(gstin).transpose()?;
    match arguments.kind {
        CredentialKind::User => {
            let gstin = asked_gstin
                .ok_or_else(|| CliError::Usage("an API user belongs to a GSTIN: pass --gstin".to_owned()))?;
            let product = product.unwrap_or(Product::EInvoice);
            Ok(CredentialScope::User(UserScope { gstin, product, environment, route: table.route_name() }))
        }
        CredentialKind::Client => {
            let account = arguments.account.as_ref().or(table.client_account.as_ref());
            let holder = match (&arguments.pan, account, &asked_gstin) {
                (Some(pan), _, _) => ClientHolder::Pan(
                    Pan::parse(pan).map_err(|error| CliError::Usage(format!("--pan {pan}: {error}")))?,
                ),
                (None, Some(account), _) => account_holder(account, product, table, assembly).await?,
                (None, None, Some(gstin)) => ClientHolder::Pan(pan_of(gstin)?),
                (None, None, None) => {
                    return Err(CliError::Usage(
                        "a client pair belongs to a PAN or a provider account: pass --pan, --gstin or --account"
                            .to_owned(),
                    ));
                }
            };
            Ok(CredentialScope::Client(ClientScope { environment, holder }))
        }
    }
}

/// The route of a name, or the first.
pub(super) fn route<'a>(name: Option<&str>, assembly: &'a Assembly) -> Result<&'a RouteTable, CliError> {
    let routes = &assembly.settings().routes;
    let found = match name {
        Some(name) => routes.iter().find(|route| route.part.name == name),
        None => routes.first(),
    };
    found.ok_or_else(|| {
        let names = || routes.iter().map(|route| route.part.name.as_str());
        let name = name.unwrap_or_default();
        let hint = nearest(name, names()).map_or_else(
            || format!("there are: {}", names().collect::<Vec<_>>().join(", ")),
            |near| format!("did you mean `{near}`?"),
        );
        CliError::Usage(format!("there is no route `{name}` in the configuration; {hint}"))
    })
}

fn gstin(text: &str) -> Result<Gstin, CliError> {
    let gstin =
        Gstin::parse(&text.to_uppercase()).map_err(|error| CliError::Usage(format!("--gstin {text}: {error}")))?;
    Ok(gstin)
}

fn pan_of(gstin: &Gstin) -> Result<Pan, CliError> {
    gstin.pan().ok_or_else(|| CliError::Usage(format!("{gstin} holds no PAN: pass --account of the provider instead")))
}
