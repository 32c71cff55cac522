//! `credentials`: client pairs and API users. Secrets never stand on the command line, where other
//! programs and the shell's history would see them.

mod ask;

use einvoice_core::config::RouteTable;
use einvoice_core::credential::{
    Access, ApiUser, ClientHolder, ClientPair, ClientScope, CredentialEntry, CredentialError, CredentialScope,
    UserScope,
};
use einvoice_core::date::PortalTime;
use einvoice_core::environment::Product;
use einvoice_core::identifier::{Gstin, Pan};
use einvoice_core::registry::nearest;
use einvoice_core::secret::Secret;
use einvoice_core::transport::LoginRequest;
use serde_json::json;

use super::block_on;
use super::explain::system_in_words;
use crate::arguments::{
    Common, CredentialKind, CredentialRemove, CredentialScopeArguments, CredentialTest, Credentials, ProductName,
};
use crate::assemble::Assembly;
use crate::error::CliError;
use crate::output::{Column, Output};
use crate::{exit_code, settings};

pub(super) fn run(arguments: &Credentials, common: &Common, output: &mut Output) -> Result<u8, CliError> {
    let assembly = Assembly::new(settings::load(common)?)?;
    block_on(async {
        match arguments {
            Credentials::Add(scope) => add(scope, &assembly, output).await,
            Credentials::List => list(&assembly, output).await,
            Credentials::Test(test) => log_in(test, &assembly, output).await,
            Credentials::Remove(remove) => remove_entry(remove, &assembly, output).await,
        }
    })?;
    Ok(exit_code::ALL_WELL)
}

async fn add(arguments: &CredentialScopeArguments, assembly: &Assembly, output: &mut Output) -> Result<(), CliError> {
    let scope = scope(arguments, assembly)?;
    let store = assembly.credentials().await?;
    if !store.capability().writable {
        return Err(CliError::Credential(CredentialError::ReadOnly {
            store: format!("the credential store `{}`", assembly.settings().credentials.plugin),
            hint: "configure one that can be written, such as credentials-file".to_owned(),
        }));
    }
    let (name_word, secret_word) = match scope {
        CredentialScope::Client(_) => ("client id", "client secret"),
        CredentialScope::User(_) => ("user name", "password"),
    };
    let name = match &arguments.name {
        Some(name) => Secret::new(name.clone()),
        None => ask::name(name_word)?,
    };
    let secret = ask::secret(secret_word)?;
    let shown = scope.to_string();
    let entry = match scope {
        CredentialScope::Client(scope) => {
            CredentialEntry::Client(scope, ClientPair { client_id: name, client_secret: secret })
        }
        CredentialScope::User(scope) => CredentialEntry::User(scope, ApiUser { user_name: name, password: secret }),
    };
    store.put(entry).await?;
    told(output, "added", &shown)
}

async fn remove_entry(arguments: &CredentialRemove, assembly: &Assembly, output: &mut Output) -> Result<(), CliError> {
    let scope = scope(&arguments.scope, assembly)?;
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

async fn list(assembly: &Assembly, output: &mut Output) -> Result<(), CliError> {
    let summaries = assembly.credentials().await?.list().await?;
    if output.is_json() {
        return summaries.iter().try_for_each(|summary| output.object(summary));
    }
    if summaries.is_empty() {
        return output.line("the store holds nothing; `einvoice credentials add` fills it");
    }
    output.table(
        &[Column::wrap("entry"), Column::keep("name"), Column::keep("session until")],
        summaries.iter().map(|summary| {
            let until = summary.session_expires_at.map(|end| PortalTime::at(end).to_string()).unwrap_or_default();
            vec![summary.scope.to_string(), summary.name_hint.clone(), until]
        }),
    )
}

/// Logs in once, and keeps the session so that the next run need not.
async fn log_in(arguments: &CredentialTest, assembly: &Assembly, output: &mut Output) -> Result<(), CliError> {
    let gstin = gstin(&arguments.gstin)?;
    let table = route(arguments.route.as_deref(), assembly)?;
    let store = assembly.credentials().await?;
    let part = assembly.route(table).await?;
    let product = product(arguments.product);
    let scope = UserScope { gstin, product, environment: table.environment, route: table.route_name() };
    let holder = match &table.client_account {
        None => ClientHolder::Pan(pan_of(&gstin)?),
        // The pair that a run uses: one for all products of the account.
        Some(account) => ClientHolder::Provider { account: account.clone(), product: None },
    };
    let client = store.client(&ClientScope { environment: table.environment, holder }).await?;
    let user = store.api_user(&scope).await?;
    let previous = store.session(&scope).await?;
    let access = Access::new(gstin, client, user);
    let request = LoginRequest { access: &access, product, force_refresh: false, previous: previous.as_ref() };
    let session = part.transport.login(request).await?;
    // The login has worked; that it could not be kept costs one login more.
    if let Err(error) = store.save_session(&scope, session.saved()).await {
        output.remark(format!("warning: the session was not kept: {error}"));
    }
    let until = PortalTime::at(session.expires_at()).to_string();
    if output.is_json() {
        return output.object(&json!({
            "gstin": gstin.to_string(),
            "route": table.part.name,
            "environment": table.environment,
            "product": product,
            "logged_in": true,
            "session_until": until,
        }));
    }
    output.line(format!(
        "logged in for {gstin} to the {} by route {}; the session lasts until {until} IST",
        system_in_words(product),
        table.part.name
    ))
}

const fn product(name: ProductName) -> Product {
    match name {
        ProductName::EInvoice => Product::EInvoice,
        ProductName::EWayBill => Product::EWayBill,
    }
}

fn scope(arguments: &CredentialScopeArguments, assembly: &Assembly) -> Result<CredentialScope, CliError> {
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
                (None, Some(account), _) => ClientHolder::Provider { account: account.clone(), product },
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
