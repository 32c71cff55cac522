//! Production and the sandbox apart: each has a configuration, a ledger and answers of its own.

use std::path::{Path, PathBuf};

use einvoice_core::config::Settings;
use einvoice_core::environment::Environment;

use super::Place;
use super::answers::Answers;
use super::ask::{Answer, Question};
use super::interview::{Interview, Step, given};
use crate::error::CliError;
use crate::settings::DEFAULT_FILE;

impl Interview<'_> {
    /// Goes on in a configuration of its own where the present one belongs to the other environment.
    pub(super) fn keep_apart(&mut self, environment: Environment) -> Result<Step, CliError> {
        if self.answers.done.configured || !belongs_to(&self.place.config, environment.other())? {
            return Ok(Step::Done);
        }
        let present = self.place.config.display().to_string();
        let proposed = beside(&self.place.config, environment).display().to_string();
        let why = format!(
            "{present} leads to {}, and nothing may pass from one to the other: {environment} gets a configuration and a \
             ledger of its own. Give its sources folders or tables of their own, too: whichever run reads an invoice first \
             takes it.",
            environment.other()
        );
        if !self.asker.is_person() {
            return Err(CliError::Usage(format!("{why} Pass --config {proposed}")));
        }
        let fits = |text: &str| {
            let file = PathBuf::from(text);
            match belongs_to(&file, environment.other()) {
                Ok(false) => Ok(file),
                Ok(true) => Err(format!("{text} leads to {}, too", environment.other())),
                Err(error) => Err(error.to_string()),
            }
        };
        let prompt = format!("Configuration for {environment}");
        let question = Question::new("config", &prompt, &why).or(&proposed);
        let file = given!(self.asker.ask(question, fits));
        self.move_to(file, environment)
    }

    fn move_to(&mut self, file: PathBuf, environment: Environment) -> Result<Step, CliError> {
        // The next call without --config asks for the environment again.
        self.answers.environment = None;
        self.keep()?;
        self.common.config = Some(file);
        self.place = Place::of(&self.common);
        let mut answers = Answers::read(&self.place.state)?;
        // What was asked already is not asked again; what that file lacks comes from here.
        if answers.gstins.is_empty() {
            answers.pan = self.answers.pan;
            answers.gstins.clone_from(&self.answers.gstins);
        }
        answers.way = answers.way.or(self.answers.way);
        answers.environment = Some(environment);
        self.answers = answers;
        self.keep()?;
        self.asker.tell(&format!(
            "The answers stand in {} from here on; go on later with `einvoice onboard --config {}`.",
            self.place.state.display(),
            self.place.config.display()
        ))?;
        Ok(Step::Done)
    }
}

/// Whether runs of a configuration, where there is one, work in an environment. What cannot be read is told later, with
/// its line.
fn belongs_to(file: &Path, environment: Environment) -> Result<bool, CliError> {
    let text = match std::fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(CliError::File { path: file.to_path_buf(), action: "read", error }),
    };
    let settings = toml::from_str(&text).ok().and_then(|value| Settings::from_value(value).ok());
    // A configuration that names its environment may have routes of both.
    let routes = settings.filter(|settings| settings.run.environment.is_none()).map(|settings| settings.routes);
    Ok(routes.is_some_and(|routes| routes.iter().any(|route| route.environment == environment)))
}

/// `einvoice-production.toml` beside `einvoice.toml`.
fn beside(config: &Path, environment: Environment) -> PathBuf {
    let name = config.file_stem().map_or_else(|| "einvoice".to_owned(), |stem| stem.to_string_lossy().into_owned());
    config.with_file_name(format!("{name}-{environment}.toml"))
}

/// The ledger of a new configuration, by the name of its file; the default file has the default ledger.
pub(super) fn ledger_of(config: &Path) -> Option<String> {
    let stem = config.file_stem()?.to_string_lossy().into_owned();
    let is_default = Path::new(DEFAULT_FILE).file_stem().is_some_and(|default| default.to_string_lossy() == stem);
    (!is_default).then(|| format!("{stem}.db"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_configuration_belongs_to_where_its_routes_lead_unless_it_names_an_environment() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("einvoice.toml");
        assert!(!belongs_to(&file, Environment::Sandbox).unwrap(), "there is none yet");
        let route = "[[route]]\nplugin = \"direct\"\nenvironment = \"sandbox\"\n";
        std::fs::write(&file, route).unwrap();
        assert!(belongs_to(&file, Environment::Sandbox).unwrap());
        assert!(!belongs_to(&file, Environment::Production).unwrap());
        std::fs::write(&file, format!("{route}[run]\nenvironment = \"sandbox\"\n")).unwrap();
        assert!(!belongs_to(&file, Environment::Sandbox).unwrap());
    }

    #[test]
    fn each_environment_has_a_file_and_a_ledger_named_after_it() {
        let file = beside(Path::new("shop/einvoice.toml"), Environment::Production);
        assert_eq!(file, Path::new("shop/einvoice-production.toml"));
        assert_eq!(ledger_of(&file).as_deref(), Some("einvoice-production.db"));
        assert_eq!(ledger_of(Path::new("einvoice.toml")), None);
    }
}
