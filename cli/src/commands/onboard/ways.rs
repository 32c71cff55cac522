//! The questions of the direct way, and of any: addresses and keys of the portal, the application.

use std::path::{Path, PathBuf};

use einvoice_core::environment::Environment;
use einvoice_protocol::public_key::RsaPublicKey;

use super::answers::{Answers, Application, Portal};
use super::ask::{Answer, Question};
use super::check;
use super::interview::{Interview, Step, done, given};
use crate::assemble::{KeyFile, key_set};
use crate::error::CliError;

impl Interview<'_> {
    pub(super) fn direct(&mut self) -> Result<Step, CliError> {
        let Some(environment) = self.answers.environment else { return Ok(Step::Open) };
        if self.asks("base_url") {
            self.asker.heading("The portal")?;
            let known = self.answers.text("base_url");
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
            let question = Question::new("base_url", "Address of the portal", about).known(known.as_deref());
            let address = given!(self.asker.ask(question, |text| check::address("base_url", text, environment)));
            self.settle("base_url", |answers| Portal::at(&mut answers.portal, address))?;
        }
        done!(self.login_key_of(
            "login_key_file",
            "The file with the portal's public key for logins: in production it comes by mail and stands on the page of \
             the API users; in the sandbox among the samples. It is another one than the certificate it signs with.",
            |answers, file| Portal::with_key(&mut answers.portal, file),
        ));
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
        if self.answers.with_ewb != Some(true) {
            return Ok(Step::Done);
        }
        if self.asks("ewb.base_url") {
            let known = self.answers.text("ewb.base_url");
            let question = Question::new("ewb.base_url", "Address of the e-way bill system", "");
            let address =
                given!(self.asker.ask(question.known(known.as_deref()), |text| {
                    check::address("ewb.base_url", text, environment)
                }));
            self.settle("ewb.base_url", |answers| Portal::at(&mut answers.ewb, address))?;
        }
        self.login_key_of("ewb.login_key_file", "The file with its public key for logins.", |answers, file| {
            Portal::with_key(&mut answers.ewb, file);
        })
    }

    pub(super) fn with_ewb(&mut self, about: &str) -> Result<Step, CliError> {
        if self.asks("with_ewb") {
            let known = self.answers.text("with_ewb");
            let question = Question::new("with_ewb", "Use the e-way bill system by itself", about).or("no");
            let wanted = given!(self.asker.yes(question.known(known.as_deref())));
            self.settle("with_ewb", |answers| answers.with_ewb = Some(wanted))?;
        }
        Ok(Step::Done)
    }

    /// Asks for a file with a key for logins, where that is open.
    pub(super) fn login_key_of(
        &mut self,
        key: &str,
        about: &str,
        keep: impl FnOnce(&mut Answers, PathBuf),
    ) -> Result<Step, CliError> {
        if self.asks(key) {
            let file = given!(self.login_key(key, about));
            self.settle(key, |answers| keep(answers, file))?;
        }
        Ok(Step::Done)
    }

    /// Asks for a file with a key for logins and says what it is.
    fn login_key(&mut self, key: &str, about: &str) -> Result<Answer<PathBuf>, CliError> {
        let (known, directory) = (self.answers.text(key), self.place.directory.clone());
        loop {
            let question = Question::new(key, "Key file for logins", about).known(known.as_deref());
            let read = |text: &str| check::login_key(Path::new(text.trim()), &directory);
            let found = given!(self.asker.ask(question, read), as Answer);
            self.asker.tell(&format!("{}: {}.", found.path.display(), found.shown()))?;
            if !found.key.has_certificate() || !self.asker.is_person() {
                return Ok(Answer::Given(found.path));
            }
            let question = Question::new(
                key,
                "Take it all the same",
                "Keys for logins are usually handed out bare, and those for signatures as certificates.",
            );
            match self.asker.yes(question.or("no"))? {
                Answer::Given(true) => return Ok(Answer::Given(found.path)),
                Answer::Given(false) | Answer::Back => {}
                Answer::Open => return Ok(Answer::Open),
            }
        }
    }

    /// The name of the route in the configuration.
    pub(super) fn route(&mut self, proposed: &str) -> Result<Step, CliError> {
        if self.asks("route") {
            let known = self.answers.text("route");
            let question = Question::new(
                "route",
                "Name of this route",
                "The configuration and the credentials call this way by a name.",
            );
            let name = |text: &str| {
                let fits = text.chars().all(|letter| letter.is_ascii_alphanumeric() || "-_".contains(letter));
                if fits { Ok(text.to_owned()) } else { Err("use letters, digits, - and _ only".to_owned()) }
            };
            let route = given!(self.asker.ask(question.or(proposed).known(known.as_deref()), name));
            self.settle("route", |answers| answers.route = Some(route))?;
        }
        Ok(Step::Done)
    }

    pub(super) fn addresses(&mut self, about: &str) -> Result<Step, CliError> {
        if self.asks("addresses") {
            self.asker.heading("Addresses")?;
            let known = self.answers.text("addresses");
            let question = Question::new("addresses", "Public addresses", about).known(known.as_deref());
            let addresses = given!(self.asker.ask(question, check::addresses));
            self.settle("addresses", |answers| answers.addresses = Some(addresses))?;
        }
        Ok(Step::Done)
    }

    /// How the application for production stands; what it wants, where it is not through.
    fn application(&mut self) -> Result<Step, CliError> {
        if !self.asks("application") {
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
        let known = self.answers.text("application");
        let question = question.or("open").known(known.as_deref());
        let state = loop {
            let state = given!(self.asker.choose(question, &references));
            if !matches!(state, Application::Returned { .. }) {
                break state.clone();
            }
            let why = Question::new("returned_because", "The reason", "What does the portal say?");
            match self.asker.ask(why, |text| Ok(text.to_owned()))? {
                Answer::Given(reason) => break Application::Returned { reason },
                Answer::Open => return Ok(Step::Open),
                Answer::Back => {}
            }
        };
        self.settle("application", |answers| answers.application = Some(state.clone()))?;
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

    /// The certificates by which the portal's signatures are proven.
    pub(super) fn signing_keys(&mut self) -> Result<Step, CliError> {
        if !self.asks("signing_keys") {
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
        let known = self.answers.text("signing_keys");
        let patterns = given!(self.asker.ask(question.or("none").known(known.as_deref()), read));
        self.settle("signing_keys", |answers| answers.signing_keys = Some(patterns))?;
        Ok(Step::Done)
    }

    fn login_keys(&self) -> Vec<RsaPublicKey> {
        let direct =
            self.answers.portal.iter().chain(&self.answers.ewb).filter_map(|portal| portal.login_key_file.as_ref());
        let behind = self.answers.provider.iter().flat_map(|provider| provider.login_key_files.values());
        direct
            .chain(behind)
            .filter_map(|file| check::login_key(file, &self.place.directory).ok())
            .map(|found| found.key)
            .collect()
    }
}
