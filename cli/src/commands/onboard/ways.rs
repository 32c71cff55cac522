//! The questions of each way: addresses and keys of the portal, or the provider with its profile.

use std::collections::BTreeMap;
use std::path::Path;

use einvoice_core::environment::{Environment, Product};
use einvoice_protocol::public_key::RsaPublicKey;

use super::answers::{Application, Portal, Provider, Way};
use super::ask::Question;
use super::check;
use super::interview::{Interview, Step, done, given};
use super::provider::{self, Facts};
use crate::assemble::{KeyFile, key_set};
use crate::commands::explain::system_in_words;
use crate::error::CliError;

impl Interview<'_> {
    pub(super) fn direct(&mut self) -> Result<Step, CliError> {
        let Some(environment) = self.answers.environment else { return Ok(Step::Open) };
        if self.answers.portal.is_none() {
            self.asker.heading("The portal")?;
            let about = match environment {
                Environment::Sandbox => {
                    "Sign up on the developer portal with PAN or GSTIN and the one-time password that comes by SMS; client \
                     id and secret come by SMS, too. After the login its pages show the address of the API and hand out \
                     the public key for logins."
                }
                Environment::Production => {
                    "The address of the IRP that registers for you, as its pages give it; NIC's two are \
                     https://api.einvoice1.gst.gov.in and https://api.einvoice2.gst.gov.in."
                }
            };
            let question = Question::new("base_url", "Address of the portal", about);
            let base_url = given!(self.asker.ask(question, |text| check::address("base_url", text, environment)));
            let login_key_file = given!(self.login_key(
                "login_key_file",
                "The file with the portal's public key for logins: in production it comes by mail and stands on the page of \
                 the API users; in the sandbox among the samples. It is another one than the certificate it signs with.",
            ));
            self.answers.portal = Some(Portal { base_url, login_key_file });
            self.keep()?;
        }
        done!(self.ewb_directly(environment));
        done!(self.route("nic"));
        if environment == Environment::Production {
            done!(self.addresses(
                "The portal takes calls from listed addresses only: one to four fixed public IPv4 addresses in India, of one \
                 client, for all its GSTINs. Give those that calls leave from, with blanks between them.",
            ));
            return self.application();
        }
        Ok(Step::Done)
    }

    fn ewb_directly(&mut self, environment: Environment) -> Result<Step, CliError> {
        done!(self.with_ewb(
            "Bills that come with an IRN need nothing more. The e-way bill system by itself (other bills, part B, \
             extensions) is a second system with an address, a key and API users of its own; NIC mails the address.",
        ));
        if self.answers.with_ewb == Some(true) && self.answers.ewb.is_none() {
            let question = Question::new("ewb.base_url", "Address of the e-way bill system", "");
            let base_url = given!(self.asker.ask(question, |text| check::address("ewb.base_url", text, environment)));
            let login_key_file =
                given!(self.login_key("ewb.login_key_file", "The file with its public key for logins."));
            self.answers.ewb = Some(Portal { base_url, login_key_file });
            self.keep()?;
        }
        Ok(Step::Done)
    }

    fn with_ewb(&mut self, about: &str) -> Result<Step, CliError> {
        if self.answers.with_ewb.is_none() {
            let question = Question::new("with_ewb", "Use the e-way bill system by itself", about);
            self.answers.with_ewb = Some(given!(self.asker.yes(question.or("no"))));
            self.keep()?;
        }
        Ok(Step::Done)
    }

    /// Asks for a file with a key for logins and says what it is.
    fn login_key(&mut self, key: &str, about: &str) -> Result<Option<std::path::PathBuf>, CliError> {
        loop {
            let directory = self.place.directory.clone();
            let question = Question::new(key, "Key file for logins", about);
            let Some(found) = self.asker.ask(question, |text| check::login_key(Path::new(text.trim()), &directory))?
            else {
                return Ok(None);
            };
            self.asker.tell(&format!("{}: {}.", found.path.display(), found.shown()))?;
            if !found.key.has_certificate() || !self.asker.is_person() {
                return Ok(Some(found.path));
            }
            let question = Question::new(
                key,
                "Take it all the same",
                "Keys for logins are usually handed out bare, and those for signatures as certificates.",
            );
            match self.asker.yes(question.or("no"))? {
                Some(true) => return Ok(Some(found.path)),
                Some(false) => {}
                None => return Ok(None),
            }
        }
    }

    /// The name of the route in the configuration.
    fn route(&mut self, proposed: &str) -> Result<Step, CliError> {
        if self.answers.route.is_none() {
            let question = Question::new(
                "route",
                "Name of this route",
                "The configuration and the credentials call this way by a name.",
            );
            let name = |text: &str| {
                let fits = text.chars().all(|letter| letter.is_ascii_alphanumeric() || "-_".contains(letter));
                if fits { Ok(text.to_owned()) } else { Err("use letters, digits, - and _ only".to_owned()) }
            };
            self.answers.route = Some(given!(self.asker.ask(question.or(proposed), name)));
            self.keep()?;
        }
        Ok(Step::Done)
    }

    fn addresses(&mut self, about: &str) -> Result<Step, CliError> {
        if self.answers.addresses.is_none() {
            self.asker.heading("Addresses")?;
            let question = Question::new("addresses", "Public addresses", about);
            let addresses = given!(self.asker.ask(question, check::addresses));
            self.answers.addresses = Some(addresses);
            self.keep()?;
        }
        Ok(Step::Done)
    }

    /// How the application for production stands; what it wants, where it is not through.
    fn application(&mut self) -> Result<Step, CliError> {
        if self.answers.application == Some(Application::Accepted) {
            return Ok(Step::Done);
        }
        self.asker.heading("The application for production")?;
        if let Some(Application::Returned { reason }) = &self.answers.application {
            let reason = reason.clone();
            self.asker.tell(&format!("It was returned: {reason}"))?;
        }
        let addresses = self.answers.addresses.clone().unwrap_or_default();
        let question = Question::new(
            "application",
            "It is",
            "On the portal, as the taxpayer: API Registration. Fill in the form for the IP listing, upload the summary of the \
             tests (`einvoice onboard test-report` makes the evidence), send it. Four to five days are usual.",
        );
        let choices = [
            ("open", "not made yet", Application::Open),
            ("applied", "made, and under scrutiny", Application::Applied),
            ("returned", "sent back with a reason", Application::Returned { reason: String::new() }),
            ("accepted", "accepted", Application::Accepted),
        ];
        let references: Vec<(&str, &str, &Application)> =
            choices.iter().map(|(word, about, state)| (*word, *about, state)).collect();
        let mut state = given!(self.asker.choose(question.or("open"), &references)).clone();
        if let Application::Returned { reason } = &mut state {
            let question = Question::new("returned_because", "The reason", "What does the portal say?");
            *reason = given!(self.asker.ask(question, |text| Ok(text.to_owned())));
        }
        self.answers.application = Some(state.clone());
        self.keep()?;
        match state {
            Application::Accepted => Ok(Step::Done),
            Application::Open => {
                self.asker.tell(&format!(
                    "Make it with these addresses: {addresses}. Call `einvoice onboard` again when it is sent."
                ))?;
                Ok(Step::Open)
            }
            Application::Applied => {
                self.asker.tell(
                    "Nothing can be done here until it is decided. The client id and secret then come by SMS to the \
                     registered mobile.",
                )?;
                Ok(Step::Open)
            }
            Application::Returned { .. } => {
                self.asker.tell(
                    "Mend what it names: run `einvoice onboard test-report` again where cases are missing, or correct the \
                     form, and send it once more.",
                )?;
                Ok(Step::Open)
            }
        }
    }

    pub(super) fn through_provider(&mut self) -> Result<Step, CliError> {
        let Some(environment) = self.answers.environment else { return Ok(Step::Open) };
        let way = self.answers.way.unwrap_or(Way::Gsp);
        if self.answers.provider.is_none() {
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
            let profile =
                given!(self.asker.ask(question, |text| { provider::facts(text, &directory).map(|_| text.to_owned()) }));
            self.answers.provider = Some(Provider { profile, ..Provider::default() });
            self.keep()?;
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
        let Some(mut known) = self.answers.provider.clone() else { return Ok(Step::Open) };
        if known.account.is_none() {
            let proposed = format!("our-{}", short(&known.profile));
            let about = format!("A name for your account at {}, under which its client pair is kept.", facts.name);
            let question = Question::new("account", "Account", &about);
            known.account = Some(given!(self.asker.ask(question.or(&proposed), |text| Ok(text.to_owned()))));
        }
        for (name, (about, default)) in &facts.settings {
            if known.settings.contains_key(name) {
                continue;
            }
            let key = format!("settings.{name}");
            let mut question = Question::new(&key, name, about);
            question.default = default.as_deref();
            known.settings.insert(name.clone(), given!(self.asker.ask(question, |text| Ok(text.to_owned()))));
            self.answers.provider = Some(known.clone());
            self.keep()?;
        }
        if known.hosts.is_none() {
            let is_known = facts.knows.contains(&environment);
            let question = Question::new(
                "other_hosts",
                "Use other addresses than those",
                "The profile knows the provider's addresses; others are for an emulator, or what the provider told you.",
            );
            let others = !is_known || given!(self.asker.yes(question.or("no")));
            let mut hosts = BTreeMap::new();
            if others {
                let about = if is_known { "" } else { "The provider tells its addresses to customers only." };
                let question = Question::new("hosts.common", "Address of the provider", about);
                let common = given!(self.asker.ask(question, |text| check::address("hosts.common", text, environment)));
                for (key, prompt) in [("irp", "Its address for e-invoices"), ("ewb", "Its address for e-way bills")] {
                    let key_of = format!("hosts.{key}");
                    let question = Question::new(&key_of, prompt, "").or(&common);
                    let address = given!(self.asker.ask(question, |text| check::address(&key_of, text, environment)));
                    hosts.insert(key.to_owned(), address);
                }
                hosts.insert("common".to_owned(), common);
            }
            known.hosts = Some(hosts);
        }
        self.answers.provider = Some(known);
        self.keep()?;
        Ok(Step::Done)
    }

    /// Keys for logins, where the portal's own login passes through the provider.
    fn provider_keys(&mut self, facts: &Facts) -> Result<Step, CliError> {
        // The transport wants the key of every system that the profile carries so.
        for system in facts.systems.iter().filter(|system| system.needs_key) {
            let known =
                self.answers.provider.as_ref().is_some_and(|it| it.login_key_files.contains_key(&system.product));
            if known {
                continue;
            }
            let key = if system.product == Product::EInvoice { "login_key_file" } else { "ewb_login_key_file" };
            let about = format!(
                "The portal's own login passes through this provider, so the public key of the {} for logins is needed.",
                system_in_words(system.product)
            );
            let file = given!(self.login_key(key, &about));
            if let Some(provider) = &mut self.answers.provider {
                provider.login_key_files.insert(system.product, file);
            }
            self.keep()?;
        }
        Ok(Step::Done)
    }

    /// The certificates by which the portal's signatures are proven.
    pub(super) fn signing_keys(&mut self) -> Result<Step, CliError> {
        if self.answers.signing_keys.is_some() {
            return Ok(Step::Done);
        }
        let login_keys = self.login_keys();
        let directory = self.place.directory.clone();
        let question = Question::new(
            "signing_keys",
            "Files of signing keys",
            "The certificates with which the portal signs, to be downloaded from its pages; patterns such as keys/*.cer will \
             do. Without them signatures stay unproven; `none` leaves it for later.",
        );
        let read = |text: &str| {
            if text.eq_ignore_ascii_case("none") {
                return Ok(Vec::new());
            }
            let patterns: Vec<String> = check::words(text).map(str::to_owned).collect();
            let files = KeyFile::matching(&patterns, &directory).map_err(|error| error.to_string())?;
            key_set(&files).map_err(|error| error.to_string())?;
            for file in &files {
                let text = check::key_text(&file.path)?;
                let is_login = |key: &RsaPublicKey| login_keys.iter().any(|login| login.is_same_key(key));
                if RsaPublicKey::from_pem(&text).is_ok_and(|key| is_login(&key)) {
                    return Err(format!(
                        "{} is the key for logins; the portal signs with another one",
                        file.path.display()
                    ));
                }
            }
            Ok(patterns)
        };
        self.answers.signing_keys = Some(given!(self.asker.ask(question.or("none"), read)));
        self.keep()?;
        Ok(Step::Done)
    }

    fn login_keys(&self) -> Vec<RsaPublicKey> {
        let direct = self.answers.portal.iter().chain(&self.answers.ewb).map(|portal| &portal.login_key_file);
        let behind = self.answers.provider.iter().flat_map(|provider| provider.login_key_files.values());
        direct
            .chain(behind)
            .filter_map(|file| check::login_key(file, &self.place.directory).ok())
            .map(|found| found.key)
            .collect()
    }
}

/// The name of a profile without folder and ending.
fn short(profile: &str) -> String {
    let path = Path::new(profile);
    path.file_stem().map_or_else(|| profile.to_owned(), |stem| stem.to_string_lossy().into_owned())
}
