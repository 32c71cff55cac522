//! The account at a portal: credentials of each taxpayer, a login, one read.

use std::sync::Arc;

use einvoice_core::access::Gateway;
use einvoice_core::config::RouteTable;
use einvoice_core::credential::{CredentialScope, CredentialStore, UserScope};
use einvoice_core::date::PortalTime;
use einvoice_core::environment::Product;
use einvoice_core::identifier::Gstin;
use einvoice_core::operation::{Operation, Reply};
use einvoice_core::pipeline::RoutePart;
use einvoice_core::transport::{LoginReach, Owner, TransportError};
use jiff::Timestamp;

use super::report::{Line, Report};
use crate::assemble::Assembly;
use crate::commands::explain::system_in_short;
use crate::commands::proof;
use crate::error::CliError;
use crate::exit_code;

/// Checks the account of each taxpayer on a route.
pub(super) async fn checks(
    assembly: &Assembly,
    table: &RouteTable,
    part: RoutePart,
    store: Option<&Arc<dyn CredentialStore>>,
    users: &[(Gstin, Product)],
    report: &mut Report<'_>,
) -> Result<(), CliError> {
    let Some(store) = store else {
        return report.add(Line::skipped("login", "the credential store does not open").on(table));
    };
    if users.is_empty() {
        let fix = format!(
            "`einvoice onboard` asks for API users, `einvoice credentials add user --route {} --gstin GSTIN` puts one; \
             --gstin looks at a taxpayer whose user is entered at the provider.",
            table.part.name
        );
        return report.add(Line::warn("login", "the store has no API user for this route", fix).on(table));
    }
    let clock = assembly.clock();
    let environment = part.environment;
    let gateway = Gateway::new(part.name, environment, part.client_account, part.transport, Arc::clone(store), clock);
    for (gstin, product) in users.iter().copied() {
        let scope = UserScope { gstin, product, environment, route: table.route_name() };
        account(&gateway, &scope, store, table, assembly.clock().now(), report).await?;
    }
    Ok(())
}

/// The taxpayers with an API user on a route, and for which system.
pub(super) async fn users(
    table: &RouteTable,
    part: &RoutePart,
    store: Option<&Arc<dyn CredentialStore>>,
    wanted: &[Gstin],
) -> Vec<(Gstin, Product)> {
    let route = table.route_name();
    let is_ours = |scope: &UserScope| {
        scope.environment == table.environment && (scope.route == route || scope.route.as_str() == "*")
    };
    let listed = match store {
        Some(store) => store.list().await.unwrap_or_default(),
        None => Vec::new(),
    };
    let mut users: Vec<(Gstin, Product)> = listed
        .iter()
        .filter_map(|entry| match &entry.scope {
            CredentialScope::User(scope) if is_ours(scope) => Some((scope.gstin, scope.product)),
            _ => None,
        })
        .filter(|(gstin, _)| wanted.is_empty() || wanted.contains(gstin))
        .collect();
    // A user who is asked for is looked at even if the store does not list it: it may be entered at the provider.
    for gstin in wanted {
        if !users.iter().any(|(known, _)| known == gstin) {
            users.push((*gstin, Product::EInvoice));
        }
    }
    let carries =
        |product: Product| part.transport.capability().operations.iter().any(|kind| kind.product() == product);
    users.retain(|(_, product)| carries(*product));
    users.sort_unstable();
    users.dedup();
    users
}

async fn account(
    gateway: &Gateway,
    user: &UserScope,
    store: &Arc<dyn CredentialStore>,
    table: &RouteTable,
    now: Timestamp,
    report: &mut Report<'_>,
) -> Result<(), CliError> {
    let system = system_in_short(user.product);
    let check = format!("login, {system}");
    let kept = store.session(user).await.ok().flatten();
    if let Err(error) = gateway.ready(user.gstin, user.product).await {
        report.add(Line::refused(check, &error, user.product).on(table).of(user.gstin))?;
        return report.add(Line::skipped(format!("read, {system}"), "there is no login").on(table).of(user.gstin));
    }
    let session = store.session(user).await.ok().flatten();
    let until = session.as_ref().map(|session| PortalTime::at(session.expires_at));
    let found = match until {
        _ if gateway.transport().capability().login_reach(user.product) == LoginReach::Nobody => {
            "none is needed here: the read tells whether the credentials are accepted".to_owned()
        }
        // A login would only bring the same session, and the portals count logins.
        Some(until) if kept == session => format!("a session is kept until {until} IST; no login was tried"),
        Some(until) => format!("in order; the session lasts until {until} IST"),
        None => "in order".to_owned(),
    };
    report.add(Line::ok(check, found).on(table).of(user.gstin))?;
    read(gateway, user, table, now, report).await
}

/// One read that changes nothing: the taxpayer's own details.
async fn read(
    gateway: &Gateway,
    user: &UserScope,
    table: &RouteTable,
    now: Timestamp,
    report: &mut Report<'_>,
) -> Result<(), CliError> {
    let check = format!("read, {}", system_in_short(user.product));
    let operation = match user.product {
        Product::EInvoice => Operation::GstinDetails { gstin: user.gstin },
        _ => Operation::EwbGstinDetails { gstin: user.gstin },
    };
    let line = match gateway.call(user.gstin, &operation).await {
        Ok(Reply::Taxpayer(taxpayer)) => {
            let status = taxpayer.status.as_deref().unwrap_or("not told");
            if status == "ACT" {
                Line::ok(check, format!("{} is active", taxpayer.legal_name.as_deref().unwrap_or("the taxpayer")))
            } else {
                let fix = "Let the taxpayer look at the registration at the GST common portal; `einvoice lookup gstin GSTIN \
                           --sync` fetches it anew.";
                Line::warn(check, format!("the taxpayer's status is {status}"), fix).owner(Owner::Taxpayer)
            }
        }
        Ok(other) => Line::fail(check, format!("answered with {}", other.words()), "Please report this.")
            .code(exit_code::OWN_FAULT),
        Err(TransportError::Unsupported { operation }) => match proof::read(gateway, user, now).await {
            Ok(()) => Line::ok(check, "what cannot exist was asked for, and the answer is that it does not"),
            Err(TransportError::Unsupported { .. }) => {
                Line::skipped(check, format!("{operation} is not carried by this route"))
            }
            Err(error) => Line::refused(check, &error, user.product),
        },
        Err(error) => Line::refused(check, &error, user.product),
    };
    report.add(line.on(table).of(user.gstin))
}
