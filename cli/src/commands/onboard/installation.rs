//! What an installation is made of, and its configuration: written anew, or changed where the answers say so.

use super::ask::{Answer, Question};
use super::interview::{Interview, Step, given};
use super::{emulator, write};
use crate::commands::init;
use crate::error::CliError;

impl Interview<'_> {
    /// What the installation itself is made of, where nothing says it yet.
    pub(super) fn installation(&mut self) -> Result<Step, CliError> {
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
        }
        if self.asks("store") {
            let known = self.answers.text("store");
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
            let question = question.or("credentials-file").known(known.as_deref());
            let store = given!(self.asker.ask(question, store));
            self.settle("store", |answers| answers.store = Some(store))?;
        }
        if is_new && self.asks("source") {
            let known = self.answers.text("source");
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
            let source = given!(self.asker.ask(question.or("json-file").known(known.as_deref()), source));
            self.settle("source", |answers| answers.source = Some(source))?;
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
    pub(super) fn configuration(&mut self) -> Result<Step, CliError> {
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
                let ours = self.answers.done.written_route == self.answers.route;
                let about = if ours {
                    format!("The route `{name}` in {shown} is to say what you answered; what you added to it stays.")
                } else {
                    format!("{shown} has a route `{name}` that says something else.")
                };
                let question = Question::new("replace_route", "Replace that route", &about);
                if !given!(self.asker.yes(question.or(if ours { "yes" } else { "no" }))) {
                    self.answers.route = None;
                    self.keep()?;
                    if self.asker.is_person() {
                        self.asker.tell("Then this way gets a name of its own.")?;
                        return Ok(Step::Again);
                    }
                    return Err(CliError::Usage(format!(
                        "{shown} has another route `{name}`; give the new one a name of its own, or let it be replaced \
                         (`replace_route = true` in the file of answers)"
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
        if let Some(before) = self.answers.done.written_route.clone().filter(|before| *before != name.as_str()) {
            self.asker
                .tell(&format!("The route `{before}` stays in {shown}; take it out there if it is not wanted."))?;
        }
        self.answers.done.configured = true;
        self.answers.done.written_route = Some(name.as_str().to_owned());
        self.answers.done.written_keys = self.answers.signing_keys.clone().unwrap_or_default();
        self.keep()?;
        Ok(Step::Done)
    }
}
