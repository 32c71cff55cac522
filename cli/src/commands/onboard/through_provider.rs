//! The questions of the way through a provider: its profile, the account there, its addresses and keys.

use einvoice_core::environment::{Environment, Product};

use super::answers::{Provider, Way};
use super::ask::{Answer, Question};
use super::check;
use super::interview::{Interview, Step, done, given};
use super::provider::{self, Facts};
use crate::commands::explain::system_in_words;
use crate::error::CliError;

impl Interview<'_> {
    pub(super) fn through_provider(&mut self) -> Result<Step, CliError> {
        let Some(environment) = self.answers.environment else { return Ok(Step::Open) };
        let way = self.answers.way.unwrap_or(Way::Gsp);
        if self.asks("profile") {
            let known = self.answers.text("profile");
            self.asker.heading("The provider")?;
            for (id, name) in provider::shipped(way) {
                self.asker.item(&id, 20, &name)?;
            }
            let question = Question::new(
                "profile",
                "Provider",
                "One of these, or the path of a profile of your own (a .toml file; `einvoice new gsp-profile` makes one).",
            );
            let directory = self.place.directory.clone();
            let profile = given!(self.asker.ask(question.known(known.as_deref()), |text| {
                provider::facts(text, &directory).map(|_| text.to_owned())
            }));
            self.settle("profile", |answers| answers.provider.get_or_insert_default().profile = profile)?;
        }
        let facts = self.facts()?;
        done!(self.provider_settings(&facts, environment));
        if facts.system(Product::EWayBill).is_some() {
            done!(self.with_ewb(
                "Bills that come with an IRN need nothing more. The e-way bill system by itself (other bills, part B, \
                 extensions) needs an API user of its own.",
            ));
        }
        done!(self.provider_keys(&facts));
        let proposed = self.answers.provider.as_ref().map(|provider| short(&provider.profile)).unwrap_or_default();
        done!(self.route(&proposed));
        if facts.lists_addresses && environment == Environment::Production {
            done!(self.addresses(
                "This provider wants to know the addresses that it is called from, as a rule fixed public IPv4 addresses. \
                 Give them, and enter them at the provider; `none` leaves it open.",
            ));
        }
        Ok(Step::Done)
    }

    /// What the profile of the provider says.
    pub(super) fn facts(&self) -> Result<Facts, CliError> {
        let profile = self.answers.provider.as_ref().map(|provider| provider.profile.as_str()).unwrap_or_default();
        provider::facts(profile, &self.place.directory).map_err(CliError::Usage)
    }

    fn provider_settings(&mut self, facts: &Facts, environment: Environment) -> Result<Step, CliError> {
        let profile = self.answers.text("profile").unwrap_or_default();
        let text = |text: &str| Ok(text.to_owned());
        if self.asks("account") {
            let known = self.answers.text("account");
            let proposed = format!("our-{}", short(&profile));
            let about = format!("A name for your account at {}, under which its client pair is kept.", facts.name);
            let question = Question::new("account", "Account", &about).or(&proposed).known(known.as_deref());
            let account = given!(self.asker.ask(question, text));
            self.settle_provider("account", |provider| provider.account = Some(account))?;
        }
        for (name, (about, default)) in &facts.settings {
            let key = format!("settings.{name}");
            if !self.asks(&key) {
                continue;
            }
            let known = self.answers.text(&key);
            let question = Question::new(&key, name, about).known(known.as_deref().or(default.as_deref()));
            let value = given!(self.asker.ask(question, text));
            self.settle_provider(&key, |provider| {
                provider.settings.insert(name.clone(), value);
            })?;
        }
        self.provider_addresses(facts, environment)
    }

    fn provider_addresses(&mut self, facts: &Facts, environment: Environment) -> Result<Step, CliError> {
        let is_known = facts.knows.contains(&environment);
        if !is_known {
            // There is no choice, and so no question to come back to.
            if let Some(provider) = &mut self.answers.provider {
                provider.other_hosts = Some(true);
            }
        } else if self.asks("other_hosts") {
            let known = self.answers.text("other_hosts");
            let question = Question::new(
                "other_hosts",
                "Use other addresses than those",
                "The profile knows the provider's addresses; others are for an emulator, or what the provider told you.",
            );
            let others = given!(self.asker.yes(question.or("no").known(known.as_deref())));
            self.settle_provider("other_hosts", |provider| provider.other_hosts = Some(others))?;
        }
        if self.answers.provider.as_ref().and_then(|provider| provider.other_hosts) != Some(true) {
            return if facts.one_address.contains(&environment) { self.pair(environment) } else { Ok(Step::Done) };
        }
        let about = if is_known { "" } else { "The provider tells its addresses to customers only." };
        for (name, prompt, about) in [
            ("common", "Address of the provider", about),
            ("irp", "Its address for e-invoices", ""),
            ("ewb", "Its address for e-way bills", ""),
        ] {
            let key = format!("hosts.{name}");
            if !self.asks(&key) {
                continue;
            }
            let known = self.answers.text(&key).or_else(|| self.answers.text("hosts.common"));
            let question = Question::new(&key, prompt, about).known(known.as_deref());
            let address = given!(self.asker.ask(question, |text| check::address(&key, text, environment)));
            self.settle_provider(&key, |provider| {
                provider.hosts.insert(name.to_owned(), address);
            })?;
        }
        Ok(Step::Done)
    }

    /// Asks which environment the client pair is of, where nothing else tells.
    fn pair(&mut self, environment: Environment) -> Result<Step, CliError> {
        if self.asks("client_pair_is_of") {
            let known = self.answers.text("client_pair_is_of");
            let question = Question::new(
                "client_pair_is_of",
                "Which environment is the client pair of",
                "This provider has one address for the sandbox and production: nothing but the client pair decides whether \
                 what is registered is real. Its console says which of the two a pair is of.",
            );
            let named = |text: &str| {
                let fits = text.eq_ignore_ascii_case(&environment.to_string());
                if fits {
                    Ok(environment)
                } else {
                    Err(format!("this is the way to {environment}, and needs a pair of it"))
                }
            };
            let of = given!(self.asker.ask(question.known(known.as_deref()), named));
            self.settle_provider("client_pair_is_of", |provider| provider.client_pair_is_of = Some(of))?;
        }
        Ok(Step::Done)
    }

    /// Keeps an answer about the provider.
    fn settle_provider(&mut self, key: &str, answer: impl FnOnce(&mut Provider)) -> Result<(), CliError> {
        self.settle(key, |answers| answer(answers.provider.get_or_insert_default()))
    }

    /// Keys for logins, where the portal's own login passes through the provider.
    fn provider_keys(&mut self, facts: &Facts) -> Result<Step, CliError> {
        // The transport wants the key of every system that the profile carries so.
        for system in facts.systems.iter().filter(|system| system.needs_key) {
            let key = if system.product == Product::EInvoice { "login_key_file" } else { "ewb_login_key_file" };
            let about = format!(
                "The portal's own login passes through this provider, so the public key of the {} for logins is needed.",
                system_in_words(system.product)
            );
            let product = system.product;
            done!(self.login_key_of(key, &about, |answers, file| {
                answers.provider.get_or_insert_default().login_key_files.insert(product, file);
            }));
        }
        Ok(Step::Done)
    }
}

/// The name of a profile without folder and ending.
fn short(profile: &str) -> String {
    let path = std::path::Path::new(profile);
    path.file_stem().map_or_else(|| profile.to_owned(), |stem| stem.to_string_lossy().into_owned())
}
