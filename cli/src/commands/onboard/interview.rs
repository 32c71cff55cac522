//! The interview: who, by which way, in which environment, and then all that follows from it.

use std::future::Future;
use std::sync::Arc;

use einvoice_core::credential::CredentialStore;
use einvoice_core::environment::Environment;
use einvoice_core::registry::Registry;
use tokio::runtime::Runtime;

use super::answers::{Answers, Way};
use super::ask::{Asker, Question};
use super::{Place, check, emulator, write};
use crate::arguments::Common;
use crate::assemble::Assembly;
use crate::commands::init;
use crate::error::CliError;
use crate::{exit_code, plugins};

/// Whether the interview can go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// The questions of a part are answered.
    Done,
    /// One is open: the person, the portal or the provider has to do something first.
    Open,
}

/// Goes on only where a part is done.
macro_rules! done {
    ($part:expr) => {
        if $part? == Step::Open {
            return Ok(Step::Open);
        }
    };
}
/// The answer, or an end of the interview where it is left open.
macro_rules! given {
    ($answer:expr) => {
        match $answer? {
            Some(answer) => answer,
            None => return Ok(Step::Open),
        }
    };
}
pub(super) use {done, given};

/// An interview under way.
#[derive(Debug)]
pub(super) struct Interview<'o> {
    pub(super) asker: Asker<'o>,
    pub(super) answers: Answers,
    pub(super) place: Place,
    pub(super) common: Common,
    pub(super) registry: Registry,
    /// What stores and transports work on; one for the whole interview, as a store may keep connections.
    runtime: Runtime,
    /// The credential store, once it was opened: opening it may ask for a passphrase.
    store: Option<Arc<dyn CredentialStore>>,
}

impl<'o> Interview<'o> {
    /// Goes on with what was answered before.
    ///
    /// # Errors
    /// [`CliError::Registry`].
    pub(super) fn new(asker: Asker<'o>, answers: Answers, place: Place, common: Common) -> Result<Self, CliError> {
        let runtime = Runtime::new()
            .map_err(|error| CliError::System { action: "start the program's threads".to_owned(), error })?;
        Ok(Self { asker, answers, place, common, registry: plugins::registry()?, runtime, store: None })
    }

    /// Asks what is open, and does what can be done with the answers. Gives them back with
    /// their place and the exit code of the logins.
    ///
    /// # Errors
    /// [`CliError`] for what stops the interview; what was answered is kept.
    pub(super) fn lead(mut self) -> Result<(Answers, Place, u8), CliError> {
        self.greet()?;
        let mut code = exit_code::ALL_WELL;
        if self.questions()? == Step::Done {
            code = self.log_in_everywhere()?;
        }
        Ok((self.answers, self.place, code))
    }

    fn greet(&mut self) -> Result<(), CliError> {
        let file = self.place.state.display().to_string();
        if self.answers.pan.is_none() {
            return self.asker.tell(&format!(
                "This leads from nothing to the first registration. Each answer is kept in {file} as soon as it is given, \
                 passwords and secrets excepted; those go to the credential store. Leave with Ctrl-C whenever something \
                 has to be done elsewhere first, and call `einvoice onboard` again."
            ));
        }
        self.asker.tell(&format!("Going on with the answers in {file}; `einvoice onboard --restart` begins anew."))
    }

    fn questions(&mut self) -> Result<Step, CliError> {
        done!(self.who());
        done!(self.way());
        match self.answers.way {
            Some(Way::Direct) => done!(self.direct()),
            _ => done!(self.through_provider()),
        }
        done!(self.signing_keys());
        done!(self.installation());
        done!(self.configuration());
        self.credentials()
    }

    /// Waits for work of a store or a transport.
    pub(super) fn wait<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }

    /// The credential store that the configuration names, opened once.
    pub(super) fn store(&mut self, assembly: &Assembly) -> Result<Arc<dyn CredentialStore>, CliError> {
        if let Some(store) = &self.store {
            return Ok(Arc::clone(store));
        }
        let store = self.wait(assembly.credentials())?;
        self.store = Some(Arc::clone(&store));
        Ok(store)
    }

    /// Keeps the answers as they are now.
    pub(super) fn keep(&self) -> Result<(), CliError> {
        self.answers.keep(&self.place.state)
    }

    fn who(&mut self) -> Result<Step, CliError> {
        if self.answers.pan.is_some() && !self.answers.gstins.is_empty() {
            return Ok(Step::Done);
        }
        self.asker.heading("Who registers")?;
        if self.answers.pan.is_none() {
            let question = Question::new(
                "pan",
                "PAN",
                "The portal issues client credentials to a PAN; all its GSTINs share them. Whoever answers needs the \
                 login of the taxpayer to the e-invoice portal, and the mobile phone and mailbox that are registered at \
                 the GST common portal: one-time passwords and secrets arrive there.",
            );
            self.answers.pan = Some(given!(self.asker.ask(question, check::pan)));
            self.keep()?;
        }
        let Some(pan) = self.answers.pan else { return Ok(Step::Open) };
        while self.answers.gstins.is_empty() {
            let question = Question::new(
                "gstins",
                "GSTINs",
                "The registrations that invoices are made for, in one line with blanks between them.",
            );
            let (gstins, wrong) = given!(self.asker.ask(question, |text| check::gstins(text, pan)));
            if !wrong.is_empty() && !self.keep_wrong_digits(&check::check_digits(&wrong))? {
                continue;
            }
            self.answers.gstins = gstins;
            self.keep()?;
        }
        Ok(Step::Done)
    }

    /// Whether GSTINs whose check digit is wrong are meant.
    fn keep_wrong_digits(&mut self, wrong: &str) -> Result<bool, CliError> {
        let question = Question::new("gstins", "Are they right all the same", "");
        if self.asker.is_person() {
            self.asker.tell(&format!(
                "The check digit is wrong: {wrong}. Only the portal's test numbers are so, which its sandbox alone knows."
            ))?;
            return Ok(self.asker.yes(question.or("no"))?.unwrap_or(false));
        }
        let environment = self.asker.ask(Question::new("environment", "", ""), |text| Ok(text.to_owned()))?;
        if environment.as_deref() == Some("sandbox") {
            return Ok(true);
        }
        Err(CliError::Usage(format!("gstins: the check digit is wrong: {wrong}; copy them from the registration")))
    }

    fn way(&mut self) -> Result<Step, CliError> {
        if self.answers.way.is_none() {
            self.asker.heading("By which way")?;
            let question = Question::new(
                "way",
                "Way",
                "Straight to the portal takes a client pair of your own and up to four fixed public IPv4 addresses in \
                 India; NIC's page names a turnover above 500 crore for it, other sources less: the portal decides. Through \
                 a GSP, or a provider, their contract takes the place of both.",
            );
            let choices = [
                ("direct", "straight to the portal (NIC 1, NIC 2, a private IRP)", Way::Direct),
                ("gsp", "through a GST Suvidha Provider", Way::Gsp),
                ("provider", "through a software provider's own interface", Way::Provider),
            ];
            self.answers.way = Some(given!(self.asker.choose(question, &choices)));
            self.keep()?;
        }
        if self.answers.environment.is_none() {
            let about = match self.answers.way {
                Some(Way::Direct) => {
                    "Begin with the sandbox: nothing done there counts, and for production NIC wants to see that every API was \
                     tried, with at least 50 cases that succeed and 50 that fail."
                }
                _ => "Begin with the provider's sandbox: nothing done there counts.",
            };
            let question = Question::new("environment", "Environment", about);
            let choices = [
                ("sandbox", "the test system, or an emulator of it", Environment::Sandbox),
                ("production", "the real thing", Environment::Production),
            ];
            let environment = given!(self.asker.choose(question, &choices));
            let wrong: Vec<_> = self.answers.gstins.iter().copied().filter(|gstin| !gstin.check_digit_ok()).collect();
            if environment == Environment::Production && !wrong.is_empty() {
                let reason = format!("production knows no such GSTIN: {}", check::check_digits(&wrong));
                self.answers.gstins.clear();
                self.keep()?;
                return Err(CliError::Usage(format!("{reason}; call `einvoice onboard` again and correct them")));
            }
            done!(self.keep_apart(environment));
            self.answers.environment = Some(environment);
            self.keep()?;
        }
        match self.answers.environment {
            Some(environment) => self.keep_apart(environment),
            None => Ok(Step::Open),
        }
    }

    /// What the installation itself is made of, where nothing says it yet.
    fn installation(&mut self) -> Result<Step, CliError> {
        let is_new = !self.place.config.exists();
        if !is_new && !self.has_emulator()? {
            return Ok(Step::Done);
        }
        if self.answers.store.is_none() {
            self.asker.heading("This installation")?;
            if !is_new {
                self.asker.tell(&format!(
                    "{} is set up for the emulator inside this program, whose accounts no portal knows.",
                    self.place.config.display()
                ))?;
            }
            let question = Question::new(
                "store",
                "Credential store",
                "Where client pair and API users are kept. The file is encrypted; its passphrase is asked for at every \
                 start, or stands in the variable EINVOICE_PASSPHRASE.",
            );
            let registry = &self.registry;
            let store = |text: &str| {
                registry
                    .credential_stores
                    .find(text, registry.left_out())
                    .map(|found| found.name.to_owned())
                    .map_err(|error| error.to_string())
            };
            self.answers.store = Some(given!(self.asker.ask(question.or("credentials-file"), store)));
            self.keep()?;
        }
        if is_new && self.answers.source.is_none() {
            let names: Vec<&str> = self.registry.sources.iter().map(|source| source.name).collect();
            let about = format!("Where invoices come from. There are: {}.", names.join(", "));
            let question = Question::new("source", "Source", &about);
            let registry = &self.registry;
            let source = |text: &str| {
                registry
                    .sources
                    .find(text, registry.left_out())
                    .map(|found| found.name.to_owned())
                    .map_err(|error| error.to_string())
            };
            self.answers.source = Some(given!(self.asker.ask(question.or("json-file"), source)));
            self.keep()?;
        }
        Ok(Step::Done)
    }

    /// Whether the configuration that is there was made for the emulator.
    fn has_emulator(&self) -> Result<bool, CliError> {
        let file = &self.place.config;
        let failed = |error| CliError::File { path: file.clone(), action: "read", error };
        Ok(emulator::is_of_emulator(&std::fs::read_to_string(file).map_err(failed)?))
    }

    /// Writes the configuration, or adds to the one that is there.
    fn configuration(&mut self) -> Result<Step, CliError> {
        let file = self.place.config.clone();
        let present = match std::fs::read_to_string(&file) {
            Ok(text) => Some(text),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(error) => return Err(CliError::File { path: file, action: "read", error }),
        };
        let is_new = present.is_none();
        // A configuration that has the route already is the person's own: what was changed there since counts.
        let has_emulator = present.as_deref().is_some_and(emulator::is_of_emulator);
        if self.answers.done.configured && !is_new && !has_emulator {
            return Ok(Step::Done);
        }
        let shown = file.display().to_string();
        let name = self.answers.route_name();
        let text = match write::change(&self.answers, present.as_deref(), &file, &self.registry)? {
            write::Change::None => None,
            write::Change::Write(text) => {
                let question = Question::new("add_route", "Add it", "").or("yes");
                if !is_new && self.asker.is_person() {
                    let rest = if has_emulator {
                        "the emulator's route, accounts and key make room for it; nothing else in it is changed"
                    } else {
                        "nothing else in it is changed"
                    };
                    let text = format!("{shown} is there already. The route `{name}` is added to it, {rest}.");
                    self.asker.tell(&text)?;
                    if !given!(self.asker.yes(question)) {
                        return Ok(Step::Open);
                    }
                }
                Some(text)
            }
            write::Change::Replace(text) => {
                let about = format!("{shown} has a route `{name}` that says something else.");
                let question = Question::new("replace_route", "Replace that route", &about).or("no");
                if !given!(self.asker.yes(question)) {
                    self.answers.route = None;
                    self.keep()?;
                    return Err(CliError::Usage(format!(
                        "{shown} has another route `{name}`; call `einvoice onboard` again and give the new one a name of \
                         its own, or let it be replaced (`replace_route = true` in a file of answers)"
                    )));
                }
                Some(text)
            }
        };
        if let Some(text) = text {
            write::write(&file, &text)?;
            let made = if is_new { init::make_folders(&text, &self.place.directory)? } else { Vec::new() };
            self.asker.tell(&format!("Wrote {shown}."))?;
            for folder in made {
                let folder = folder.strip_prefix("./").unwrap_or(&folder);
                self.asker.tell(&format!("Made the folder {folder}, which is read for invoices."))?;
            }
        }
        self.answers.done.configured = true;
        self.keep()?;
        Ok(Step::Done)
    }
}
