//! Client pair and API users: asked for without being shown, and put into the store at once.

use std::sync::Arc;

use einvoice_core::credential::{
    ApiUser, ClientHolder, ClientPair, ClientScope, CredentialEntry, CredentialError, CredentialScope, CredentialStore,
    LoginFailure, UserScope, login_fits,
};
use einvoice_core::date::PortalTime;
use einvoice_core::environment::{Environment, Product};
use einvoice_core::secret::Secret;

use super::answers::Way;
use super::ask::{Answer, Question};
use super::by_key::user_key;
use super::interview::{Interview, Step, done, given};
use super::provider::Facts;
use crate::assemble::Assembly;
use crate::commands::explain::{system_in_short, system_in_words};
use crate::error::CliError;
use crate::settings;

impl Interview<'_> {
    /// Asks for every entry that is not in the store yet.
    pub(super) fn credentials(&mut self) -> Result<Step, CliError> {
        let assembly = Assembly::new(settings::load(&self.common)?)?;
        let store = self.store(&assembly)?;
        let facts = if self.answers.way == Some(Way::Direct) { None } else { Some(self.facts()?) };
        done!(self.client_pairs(&store, facts.as_ref()));
        self.api_users(&store, facts.as_ref())
    }

    fn client_pairs(&mut self, store: &Arc<dyn CredentialStore>, facts: Option<&Facts>) -> Result<Step, CliError> {
        let per_product = facts.is_some_and(|facts| facts.pair_per_product);
        let products = if per_product { self.answers.products() } else { vec![Product::EInvoice] };
        let mut is_noted = self.answers.done.noted_addresses == self.answers.addresses;
        for product in products {
            let Some(scope) = self.client_scope(per_product.then_some(product)) else { return Ok(Step::Open) };
            let key = client_key(product);
            if self.asks(key) {
                let found = self.wait(store.client(&scope)).map(|pair| CredentialEntry::Client(scope.clone(), pair));
                let old = found.as_ref().ok().cloned();
                if !given!(self.is_there(found, "the client pair of this way", (key, "secret"), store)) {
                    if !store.capability().writable {
                        return Ok(Step::Open);
                    }
                    let entry = given!(self.client_pair(scope.clone(), product, facts));
                    self.refuse_unchanged(old.as_ref(), &entry, &format!("{key}.secret"), store)?;
                    self.wait(store.put(entry))?;
                    self.answers.done.logins.clear();
                    is_noted = false;
                }
                self.settle(key, |answers| {
                    answers.done.clients.insert(product);
                })?;
            }
            if !is_noted {
                self.note_addresses(store, &scope)?;
            }
        }
        self.answers.done.noted_addresses.clone_from(&self.answers.addresses);
        self.keep()?;
        Ok(Step::Done)
    }

    /// Keeps the listed addresses beside the pair that they were listed for, where the store can.
    fn note_addresses(&self, store: &Arc<dyn CredentialStore>, scope: &ClientScope) -> Result<(), CliError> {
        let Some(addresses) = self.answers.addresses.as_ref().filter(|addresses| !addresses.is_empty()) else {
            return Ok(());
        };
        match self.wait(store.set_addresses(scope, addresses)) {
            // The answers have them, too.
            Ok(()) | Err(CredentialError::ReadOnly { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    pub(super) fn client_scope(&self, product: Option<Product>) -> Option<ClientScope> {
        let environment = self.answers.environment?;
        let holder = match &self.answers.provider {
            Some(provider) if self.answers.way != Some(Way::Direct) => {
                ClientHolder::Provider { account: provider.account.clone()?, product }
            }
            _ => ClientHolder::Pan(self.answers.pan?),
        };
        Some(ClientScope { environment, holder })
    }

    fn client_pair(
        &mut self,
        scope: ClientScope,
        product: Product,
        facts: Option<&Facts>,
    ) -> Result<Answer<CredentialEntry>, CliError> {
        self.asker.heading("Client id and secret")?;
        let key = client_key(product);
        let (id_key, secret_key) = (format!("{key}.id"), format!("{key}.secret"));
        let about = self.about_client(product, facts);
        self.asker.tell(&about)?;
        let issues_id = facts.is_none_or(|facts| facts.client_id.is_some());
        loop {
            let id = if issues_id {
                let question = Question::new(&id_key, "Client id (Ctrl-D: not here yet)", "");
                given!(self.asker.ask(question, |text| Ok(Secret::from(text))), as Answer)
            } else {
                // The provider issues a secret alone; the store wants a name beside it.
                let account = self.answers.provider.as_ref().and_then(|provider| provider.account.as_deref());
                Secret::from(account.unwrap_or("none"))
            };
            let question = Question::new(&secret_key, "Client secret (not shown; empty: not here yet)", "");
            match self.asker.secret(question)? {
                Answer::Given(client_secret) => {
                    return Ok(Answer::Given(CredentialEntry::Client(
                        scope,
                        ClientPair { client_id: id, client_secret },
                    )));
                }
                Answer::Back if issues_id => {}
                Answer::Back => return Ok(Answer::Back),
                Answer::Open => return Ok(Answer::Open),
            }
        }
    }

    fn about_client(&self, product: Product, facts: Option<&Facts>) -> String {
        let Some(facts) = facts else {
            return match self.answers.environment {
                Some(Environment::Sandbox) => "Both come by SMS after the sign-up on the developer portal, to the mobile that \
                                               is registered at the GST common portal."
                    .to_owned(),
                _ => "Both come by SMS to the registered mobile once the application is accepted; they hold for every GSTIN \
                      of the PAN. When nothing comes: check that mobile and mail at the GST common portal are yours and \
                      current, let the portal send them again from the page of the client credentials, and then ask its \
                      help desk with the number of the application."
                    .to_owned(),
            };
        };
        let of = if facts.pair_per_product { format!(" for the {}", system_in_words(product)) } else { String::new() };
        let id = facts.client_id.as_deref().map(|text| format!(" Client id: {text}.")).unwrap_or_default();
        let secret = facts.client_secret.as_deref().map(|text| format!(" Client secret: {text}.")).unwrap_or_default();
        format!("{} issues them{of}, in its console or by mail.{id}{secret}", facts.name)
    }

    fn api_users(&mut self, store: &Arc<dyn CredentialStore>, facts: Option<&Facts>) -> Result<Step, CliError> {
        let mut told = false;
        for product in self.answers.products() {
            let at_provider = facts.and_then(|facts| facts.system(product)).is_some_and(|it| it.user_at_provider);
            if at_provider {
                continue;
            }
            for scope in self.answers.users(product) {
                let key = user_key(&scope);
                if !self.asks(&key) {
                    continue;
                }
                let found = self.wait(store.api_user(&scope)).map(|user| CredentialEntry::User(scope.clone(), user));
                let old = found.as_ref().ok().cloned();
                let what = format!("the API user of {}", scope.gstin);
                if !given!(self.is_there(found, &what, (&key, "password"), store)) {
                    if !store.capability().writable {
                        return Ok(Step::Open);
                    }
                    if !told {
                        self.asker.heading("API users")?;
                        let about = about_users(facts);
                        self.asker.tell(&about)?;
                        told = true;
                    }
                    let entry = CredentialEntry::User(scope.clone(), given!(self.api_user(&scope)));
                    self.refuse_unchanged(old.as_ref(), &entry, &format!("{key}.password"), store)?;
                    self.wait(store.put(entry))?;
                    self.answers.done.logins.retain(|(known, _)| *known != scope);
                }
                self.settle(&key, |answers| {
                    answers.done.users.insert(scope);
                })?;
            }
        }
        Ok(Step::Done)
    }

    fn api_user(&mut self, scope: &UserScope) -> Result<Answer<ApiUser>, CliError> {
        let key = user_key(scope);
        let (name_key, password_key) = (format!("{key}.name"), format!("{key}.password"));
        loop {
            let prompt =
                format!("{}, {}: user name (Ctrl-D: not there yet)", scope.gstin, system_in_short(scope.product));
            let question = Question::new(&name_key, &prompt, "");
            let user_name = given!(self.asker.ask(question, |text| Ok(Secret::from(text))), as Answer);
            let question = Question::new(&password_key, "  password (not shown)", "");
            let password = match self.asker.secret(question)? {
                Answer::Given(password) => password,
                Answer::Back => continue,
                Answer::Open => return Ok(Answer::Open),
            };
            match login_fits(scope.product, user_name.expose(), password.expose()) {
                Ok(()) => return Ok(Answer::Given(ApiUser { user_name, password })),
                Err(error) if self.asker.is_person() => self.asker.tell(&error.to_string())?,
                Err(error) => return Err(CliError::Usage(format!("{password_key}: {error}"))),
            }
        }
    }

    /// Stops a file of answers that gives what was refused before.
    fn refuse_unchanged(
        &self,
        old: Option<&CredentialEntry>,
        given: &CredentialEntry,
        key: &str,
        store: &Arc<dyn CredentialStore>,
    ) -> Result<(), CliError> {
        let is_same = match (old, given) {
            (Some(CredentialEntry::Client(_, old)), CredentialEntry::Client(_, given)) => old == given,
            (Some(CredentialEntry::User(_, old)), CredentialEntry::User(_, given)) => old == given,
            _ => false,
        };
        if !is_same || self.asker.is_person() {
            return Ok(());
        }
        match self.wait(refusal(store, &given.scope())) {
            Some(failure) => Err(still_refused(&format!("the {}", given.scope()), key, &failure)),
            None => Ok(()),
        }
    }

    /// Whether the store has an entry already that is to stay. What a store that others fill lacks is told. One that was
    /// refused stays only if a person says so: sent again it is refused again.
    fn is_there(
        &mut self,
        found: Result<CredentialEntry, CredentialError>,
        what: &str,
        (key, secret): (&str, &str),
        store: &Arc<dyn CredentialStore>,
    ) -> Result<Answer<bool>, CliError> {
        let writable = store.capability().writable;
        match found {
            Ok(_) if !writable => Ok(Answer::Given(true)),
            Ok(entry) => {
                let refused = self.wait(refusal(store, &entry.scope()));
                if self.asker.is_person() {
                    let also = refused.as_ref().map(|failure| format!(" It was refused {}.", told(failure)));
                    let also = also.unwrap_or_default();
                    let about = format!("The credential store has this already: {what}.{also}");
                    // Whoever comes back to it means to enter it anew.
                    let default = if refused.is_some() || self.is_reopened(key) { "no" } else { "yes" };
                    return self.asker.yes(Question::new(key, "Keep it", &about).or(default));
                }
                let secret = format!("{key}.{secret}");
                match refused {
                    _ if self.asker.gives_secret(&secret) => Ok(Answer::Given(false)),
                    Some(failure) => Err(still_refused(what, &secret, &failure)),
                    None => Ok(Answer::Given(true)),
                }
            }
            Err(CredentialError::Missing { .. }) if writable => Ok(Answer::Given(false)),
            Err(error @ CredentialError::Missing { .. }) => {
                self.asker
                    .output
                    .remark(format!("the store cannot be written from here, and lacks something: {error}"));
                Ok(Answer::Given(false))
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// The key of the question for a client pair.
fn client_key(product: Product) -> &'static str {
    if product == Product::EWayBill { "ewb_client" } else { "client" }
}

/// The refusal of an entry that nothing has changed since: neither name nor secret, nor a login that worked.
async fn refusal(store: &Arc<dyn CredentialStore>, scope: &CredentialScope) -> Option<LoginFailure> {
    store.facts(scope).await.ok()?.standing_refusal().cloned()
}

fn told(failure: &LoginFailure) -> String {
    format!("on {} IST{}, and nothing has changed since", PortalTime::at(failure.at), failure.with_code())
}

fn still_refused(what: &str, key: &str, failure: &LoginFailure) -> CliError {
    CliError::Usage(format!(
        "{key}: {what} was refused {}; sent again it would be refused again, which endangers the account. Give another one, \
         or, where it was put right at the portal or the provider, prove it with `einvoice credentials test` first",
        told(failure)
    ))
}

/// How API users are made on the portal, and for which way in.
fn about_users(facts: Option<&Facts>) -> String {
    let how =
        facts.map_or_else(|| "\"direct\"".to_owned(), |facts| format!("\"through GSP/ERP\", naming {}", facts.name));
    format!(
        "On the portal, once for each GSTIN, logged in as that taxpayer: Create API User, {how}; there a name and a \
         password are chosen. Nothing is sent: what was typed there is typed here. An API user works only by the way it \
         was made for, and the two systems have API users of their own."
    )
}
