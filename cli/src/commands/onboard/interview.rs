//! The interview: who, by which way, in which environment, and then all that follows from it.

use std::future::Future;
use std::sync::Arc;

use einvoice_core::credential::CredentialStore;
use einvoice_core::environment::Environment;
use einvoice_core::registry::Registry;
use tokio::runtime::Runtime;

use super::answers::{Answers, Way};
use super::ask::{Answer, Asker, Question};
use super::{Place, check};
use crate::arguments::Common;
use crate::assemble::Assembly;
use crate::error::CliError;
use crate::{exit_code, plugins};

/// Whether the interview can go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// The questions of a part are answered.
    Done,
    /// One is open: the person, the portal or the provider has to do something first.
    Open,
    /// The person goes back to the question before.
    Back,
    /// An answer does not go with the others: it was forgotten, and what is open is asked from the beginning.
    Again,
}

/// Goes on only where a part is done.
macro_rules! done {
    ($part:expr) => {
        match $part? {
            Step::Done => {}
            other => return Ok(other),
        }
    };
}
/// The answer, or an end of the walk where it is left open or the person goes back. `as Answer` where the caller gives an
/// answer itself.
macro_rules! given {
    ($answer:expr) => {
        match $answer? {
            Answer::Given(answer) => answer,
            Answer::Open => return Ok(Step::Open),
            Answer::Back => return Ok(Step::Back),
        }
    };
    ($answer:expr, as Answer) => {
        match $answer? {
            Answer::Given(answer) => answer,
            Answer::Open => return Ok(Answer::Open),
            Answer::Back => return Ok(Answer::Back),
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
    /// Keys of the answered questions that the walk has passed, in order: the way back.
    passed: Vec<String>,
    /// The answered question that is asked again.
    reopened: Option<String>,
}

impl<'o> Interview<'o> {
    /// Goes on with what was answered before.
    ///
    /// # Errors
    /// [`CliError::Registry`].
    pub(super) fn new(asker: Asker<'o>, answers: Answers, place: Place, common: Common) -> Result<Self, CliError> {
        let runtime = Runtime::new()
            .map_err(|error| CliError::System { action: "start the program's threads".to_owned(), error })?;
        Ok(Self {
            asker,
            answers,
            place,
            common,
            registry: plugins::registry()?,
            runtime,
            store: None,
            passed: Vec::new(),
            reopened: None,
        })
    }

    /// Asks an answered question again, the first time that it is come to.
    ///
    /// # Errors
    /// [`CliError::Usage`] when it is none, or its answer is kept elsewhere.
    pub(super) fn reopen(&mut self, key: &str) -> Result<(), CliError> {
        let known = self.answers.keys();
        let Some(found) = known.iter().find(|known| known.eq_ignore_ascii_case(key)) else {
            return Err(CliError::Usage(if known.is_empty() {
                "nothing is answered yet that could be changed; `einvoice onboard` begins".to_owned()
            } else {
                format!("`{key}` is none of the questions that are answered: {}", known.join(", "))
            }));
        };
        if ["store", "source"].contains(&found.as_str()) && self.place.config.exists() {
            let file = self.place.config.display();
            return Err(CliError::Usage(format!("the {found} stands in {file}, and is changed there")));
        }
        self.reopened = Some(found.clone());
        Ok(())
    }

    /// Asks what is open, and does what can be done with the answers. Gives them back with
    /// their place and the exit code of the logins.
    ///
    /// # Errors
    /// [`CliError`] for what stops the interview; what was answered is kept.
    pub(super) fn lead(mut self) -> Result<(Answers, Place, u8), CliError> {
        self.greet()?;
        loop {
            self.passed.clear();
            match self.questions()? {
                Step::Done => break,
                Step::Open => return Ok((self.answers, self.place, exit_code::ALL_WELL)),
                Step::Back => self.go_back()?,
                Step::Again => {}
            }
        }
        if let Some(key) = &self.reopened {
            return Err(CliError::Usage(format!("`{key}` is not asked by this way and in this environment")));
        }
        let code = self.log_in_everywhere()?;
        Ok((self.answers, self.place, code))
    }

    fn greet(&mut self) -> Result<(), CliError> {
        let file = self.place.state.display().to_string();
        let first = if self.answers.pan.is_none() {
            format!(
                "This leads from nothing to the first registration. Each answer is kept in {file} as soon as it is given, \
                 passwords and secrets excepted; those go to the credential store."
            )
        } else {
            format!(
                "Going on with the answers in {file}. `einvoice onboard --change KEY` corrects one of them, \
                 `--restart` begins anew."
            )
        };
        self.asker.tell(&first)?;
        self.asker.tell(
            "Type `back` in place of an answer to go to the question before; an empty line keeps what stands in brackets. \
             Leave with Ctrl-C whenever something has to be done elsewhere first, and call `einvoice onboard` again.",
        )
    }

    /// Asks the last answered question again.
    fn go_back(&mut self) -> Result<(), CliError> {
        if let Some(key) = self.passed.pop() {
            self.reopened = Some(key);
            return Ok(());
        }
        self.asker.tell("This is the first question; there is none before it to go back to.")
    }

    /// Whether a question is to be asked: it is open, or somebody has come back to it.
    pub(super) fn asks(&mut self, key: &str) -> bool {
        let asks = self.is_reopened(key) || self.answers.text(key).is_none();
        if !asks {
            self.passed.push(key.to_owned());
        }
        asks
    }

    /// Whether somebody has come back to a question.
    pub(super) fn is_reopened(&self, key: &str) -> bool {
        self.reopened.as_deref() == Some(key)
    }

    /// Keeps the answer to a question. Where it has become another, what hangs on it is open.
    pub(super) fn settle(&mut self, key: &str, answer: impl FnOnce(&mut Answers)) -> Result<(), CliError> {
        let before = self.answers.text(key);
        answer(&mut self.answers);
        if before.is_some() && before != self.answers.text(key) {
            self.answers.forget_what_hangs_on(key);
        }
        if self.is_reopened(key) {
            self.reopened = None;
        }
        self.passed.push(key.to_owned());
        self.keep()
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
        if self.answers.pan.is_none() || self.answers.gstins.is_empty() {
            self.asker.heading("Who registers")?;
        }
        if self.asks("pan") {
            let known = self.answers.text("pan");
            let question = Question::new(
                "pan",
                "PAN",
                "The portal issues client credentials to a PAN; all its GSTINs share them. Whoever answers needs the \
                 login of the taxpayer to the e-invoice portal, and the mobile phone and mailbox that are registered at \
                 the GST common portal: one-time passwords and secrets arrive there.",
            );
            let pan = given!(self.asker.ask(question.known(known.as_deref()), check::pan));
            self.settle("pan", |answers| answers.pan = Some(pan))?;
        }
        let Some(pan) = self.answers.pan else { return Ok(Step::Open) };
        while self.asks("gstins") {
            let known = self.answers.text("gstins");
            let question = Question::new(
                "gstins",
                "GSTINs",
                "The registrations that invoices are made for, in one line with blanks between them.",
            );
            let (gstins, wrong) =
                given!(self.asker.ask(question.known(known.as_deref()), |text| check::gstins(text, pan)));
            if !wrong.is_empty() && !self.keep_wrong_digits(&check::check_digits(&wrong))? {
                continue;
            }
            self.settle("gstins", |answers| answers.gstins = gstins)?;
            break;
        }
        Ok(Step::Done)
    }

    /// Whether GSTINs whose check digit is wrong are meant.
    fn keep_wrong_digits(&mut self, wrong: &str) -> Result<bool, CliError> {
        let question = Question::new("gstins", "Are they right all the same", "");
        if self.asker.is_person() && self.answers.environment == Some(Environment::Production) {
            self.asker.tell(&format!("Production knows no such GSTIN: {wrong}; copy it from the registration."))?;
            return Ok(false);
        }
        if self.asker.is_person() {
            self.asker.tell(&format!(
                "The check digit is wrong: {wrong}. Only the portal's test numbers are so, which its sandbox alone knows."
            ))?;
            return Ok(self.asker.yes(question.or("no"))? == Answer::Given(true));
        }
        let environment = self.asker.ask(Question::new("environment", "", ""), |text| Ok(text.to_owned()))?;
        if environment == Answer::Given("sandbox".to_owned()) {
            return Ok(true);
        }
        Err(CliError::Usage(format!("gstins: the check digit is wrong: {wrong}; copy them from the registration")))
    }

    fn way(&mut self) -> Result<Step, CliError> {
        if self.asks("way") {
            let known = self.answers.text("way");
            self.asker.heading("By which way")?;
            let question = Question::new(
                "way",
                "Way",
                "Straight to the portal takes a client pair of your own and up to four fixed public IPv4 addresses in \
                 India; NIC's page names a turnover above 500 crore for it, other sources less: the portal decides. Through \
                 a GSP, or a provider, their contract takes the place of both.",
            );
            let choices = [
                (Way::Direct.word(), "straight to the portal (NIC 1, NIC 2, a private IRP)", Way::Direct),
                (Way::Gsp.word(), "through a GST Suvidha Provider", Way::Gsp),
                (Way::Provider.word(), "through a software provider's own interface", Way::Provider),
            ];
            let way = given!(self.asker.choose(question.known(known.as_deref()), &choices));
            self.settle("way", |answers| answers.way = Some(way))?;
        }
        if self.asks("environment") {
            let known = self.answers.text("environment");
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
            let environment = given!(self.asker.choose(question.known(known.as_deref()), &choices));
            let wrong: Vec<_> = self.answers.gstins.iter().copied().filter(|gstin| !gstin.check_digit_ok()).collect();
            if environment == Environment::Production && !wrong.is_empty() {
                let reason = format!("production knows no such GSTIN: {}", check::check_digits(&wrong));
                self.answers.gstins.clear();
                self.keep()?;
                if self.asker.is_person() {
                    self.asker.tell(&format!("Correct them: {reason}."))?;
                    return Ok(Step::Again);
                }
                return Err(CliError::Usage(format!("{reason}; correct them in the file of answers")));
            }
            done!(self.keep_apart(environment));
            self.settle("environment", |answers| answers.environment = Some(environment))?;
        }
        match self.answers.environment {
            Some(environment) => self.keep_apart(environment),
            None => Ok(Step::Open),
        }
    }
}
