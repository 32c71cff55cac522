//! The end of the interview: a login for each API user, and what comes of it.

use std::sync::Arc;

use einvoice_core::access::Gateway;
use einvoice_core::config::RouteTable;
use einvoice_core::credential::{CredentialScope, CredentialStore, LoginFailure, LoginNote, UserScope};
use einvoice_core::date::PortalTime;
use einvoice_core::environment::Product;
use einvoice_core::transport::{Reach, TransportError};
use jiff::Timestamp;

use super::interview::Interview;
use crate::assemble::Assembly;
use crate::commands::desk::refusal::{Refusal, code_of};
use crate::commands::explain::system_in_short;
use crate::commands::proof::prove;
use crate::error::CliError;
use crate::output::Style;
use crate::{exit_code, settings};

impl Interview<'_> {
    /// Logs in for each API user that has not logged in yet, within the budget; the exit code of it.
    pub(super) fn log_in_everywhere(&mut self) -> Result<u8, CliError> {
        let users: Vec<UserScope> =
            self.answers.products().into_iter().flat_map(|product| self.answers.users(product)).collect();
        let open: Vec<UserScope> = users.into_iter().filter(|user| !self.answers.has_logged_in(user)).collect();
        if open.is_empty() {
            return Ok(exit_code::ALL_WELL);
        }
        self.asker.heading("Logging in")?;
        let assembly = Assembly::new(settings::load(&self.common)?)?;
        let name = self.answers.route_name();
        let table = assembly.settings().routes.iter().find(|route| route.route_name() == name);
        let table = table.ok_or_else(|| {
            CliError::Usage(format!(
                "{} has no route `{name}` any more; `einvoice onboard --restart` begins anew",
                self.place.config.display()
            ))
        })?;
        let store = self.store(&assembly)?;
        let gateway = self.wait(gateway(&assembly, table, Arc::clone(&store)))?;
        let mut codes = Vec::new();
        for user in open {
            codes.push(self.log_in(&gateway, &store, &assembly, &user)?);
        }
        Ok(exit_code::most_urgent(codes))
    }

    fn log_in(
        &mut self,
        gateway: &Gateway,
        store: &Arc<dyn CredentialStore>,
        assembly: &Assembly,
        user: &UserScope,
    ) -> Result<u8, CliError> {
        let now = assembly.clock().now();
        let outcome = self.wait(prove(gateway, user, now));
        self.note(gateway, store, user, outcome.as_ref().err(), now);
        let whom = format!("{}, {}:", user.gstin, system_in_short(user.product));
        match outcome {
            Ok(()) => {
                let until = self.wait(until(store, user));
                self.answers.logged_in(user, until.unwrap_or_else(|| assembly.clock().now()));
                self.keep()?;
                let lasts = until.map(|until| format!("; the session lasts until {} IST", PortalTime::at(until)));
                let text = format!("logged in{}", lasts.unwrap_or_default());
                self.said(Style::Good, &whom, &text)?;
                Ok(exit_code::ALL_WELL)
            }
            Err(error) => {
                self.said(Style::Bad, &whom, "the login failed")?;
                let refusal = Refusal::asked(&error, user.product);
                if self.asker.output.is_json() {
                    self.asker.output.remark(&refusal.message);
                } else {
                    refusal.show(2, self.asker.output)?;
                }
                let is_at_provider = gateway.transport().capability().users_at_provider.contains(&user.product);
                self.again(&error, user, is_at_provider)?;
                Ok(code_of(&error))
            }
        }
    }

    fn said(&mut self, style: Style, head: &str, text: &str) -> Result<(), CliError> {
        if self.asker.output.is_json() {
            self.asker.output.remark(format!("{head} {text}"));
            return Ok(());
        }
        self.asker.output.headed(style, head, text)
    }

    /// Keeps what became of the proof with the entries it was about, so that what was refused is not sent once more. Logins
    /// are noted where they are made; this is what a read said.
    fn note(
        &self,
        gateway: &Gateway,
        store: &Arc<dyn CredentialStore>,
        user: &UserScope,
        error: Option<&TransportError>,
        now: Timestamp,
    ) {
        let capability = gateway.transport().capability();
        let is_at_provider = capability.users_at_provider.contains(&user.product);
        let of_user = (!is_at_provider).then(|| CredentialScope::User(user.clone()));
        let of_product = capability.client_pair_per_product.then_some(user.product);
        let of_client = self.client_scope(of_product).map(CredentialScope::Client);
        let (note, scopes) = match error {
            None => (LoginNote::Accepted(now), vec![of_user, of_client]),
            Some(error @ TransportError::Refused { errors, .. }) if !error.is_unreachable() => {
                let code = errors.first().map(|error| error.code.as_str());
                let scopes = match error.reach() {
                    Reach::Gstin => vec![of_user],
                    Reach::Client => vec![of_client],
                    Reach::Call | Reach::Route => return,
                };
                (LoginNote::Refused(LoginFailure::new(now, code)), scopes)
            }
            Some(_) => return,
        };
        for scope in scopes.into_iter().flatten() {
            // A fact that is not kept changes nothing about the login.
            let _kept = self.wait(store.note(&scope, &note));
        }
    }

    /// What was refused is asked for again the next time.
    fn again(&mut self, error: &TransportError, user: &UserScope, is_at_provider: bool) -> Result<(), CliError> {
        if !matches!(error, TransportError::Refused { .. }) {
            return Ok(());
        }
        match error.reach() {
            Reach::Gstin if is_at_provider => {
                return self.asker.tell(
                    "The API user is entered at the provider: correct it in the provider's console, and call `einvoice onboard` \
                     again after that. Repeating what was refused endangers the account.",
                );
            }
            Reach::Gstin => self.answers.done.users.remove(user),
            // Where one pair serves both systems it is kept under the first.
            Reach::Client => {
                let own = self.answers.done.clients.remove(&user.product);
                own || self.answers.done.clients.remove(&Product::EInvoice)
            }
            _ => return Ok(()),
        };
        self.keep()?;
        self.asker.tell(
            "Call `einvoice onboard` again to enter it anew; `einvoice quota` shows how many logins are left. Repeating what \
             was refused endangers the account.",
        )
    }
}

/// A route with its credentials, as every call goes: with the budget and the sessions that are kept.
async fn gateway(
    assembly: &Assembly,
    table: &RouteTable,
    store: Arc<dyn CredentialStore>,
) -> Result<Gateway, CliError> {
    let part = assembly.route(table).await?;
    let gateway =
        Gateway::new(part.name, part.environment, part.client_account, part.transport, store, assembly.clock());
    // What was refused before is asked about when the credentials are: here it was put anew, or a person keeps it.
    Ok(gateway.for_a_person())
}

/// When the session of a user ends, where the store keeps it.
async fn until(store: &Arc<dyn CredentialStore>, user: &UserScope) -> Option<Timestamp> {
    Some(store.session(user).await.ok()??.expires_at)
}
