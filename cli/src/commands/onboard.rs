//! `onboard`: the road from nothing to the first registration.
//!
//! An interview asks what only people know, says what to do on the portal and what arrives where, keeps each answer as
//! soon as it is given, writes the configuration, puts the credentials into the store and logs in. It can be left at any
//! moment and goes on at the first open question. The checklist is made of the answers alone.

mod answer_file;
mod answers;
mod apart;
mod ask;
mod by_key;
pub(super) mod check;
mod checklist;
mod emulator;
mod installation;
mod interview;
mod login;
mod provider;
mod secrets;
mod through_provider;
mod ways;
mod write;

use std::path::{Path, PathBuf};

use answer_file::AnswerFile;
use answers::Answers;
use ask::Asker;
use interview::Interview;

use super::test_report;
use crate::arguments::{Common, Onboard, OnboardCommand};
use crate::error::CliError;
use crate::exit_code;
use crate::output::Output;
use crate::settings::DEFAULT_FILE;

/// Where the interview works.
#[derive(Debug, Clone)]
struct Place {
    /// The configuration.
    config: PathBuf,
    /// Its folder, where relative paths start.
    directory: PathBuf,
    /// The answers.
    state: PathBuf,
}

impl Place {
    fn of(common: &Common) -> Self {
        let config = common.config.clone().unwrap_or_else(|| PathBuf::from(DEFAULT_FILE));
        let parent = config.parent().filter(|parent| !parent.as_os_str().is_empty());
        let directory = parent.map_or_else(|| PathBuf::from("."), Path::to_path_buf);
        Self { state: config.with_extension("onboarding.json"), directory, config }
    }
}

pub(super) fn run(arguments: &Onboard, common: &Common, output: &mut Output) -> Result<u8, CliError> {
    if let Some(OnboardCommand::TestReport(report)) = &arguments.command {
        return test_report::run(report, common, output);
    }
    let place = Place::of(common);
    let wanted = &arguments.interview;
    if wanted.status {
        let answers = Answers::read(&place.state)?;
        return shown(&answers, &place, output);
    }
    if wanted.restart {
        forget(&place.state)?;
    }
    let answers = Answers::read(&place.state)?;
    let file = wanted.answers.as_deref().map(AnswerFile::read).transpose()?;
    let asker = Asker::new(file, output)?;
    let mut interview = Interview::new(asker, answers, place, common.clone())?;
    if let Some(key) = &wanted.change {
        interview.reopen(key)?;
    }
    let (answers, place, code) = interview.lead()?;
    let rest = shown(&answers, &place, output)?;
    Ok(exit_code::most_urgent([code, rest]))
}

/// Shows the checklist; a step that waits for somebody is for a person.
fn shown(answers: &Answers, place: &Place, output: &mut Output) -> Result<u8, CliError> {
    let list = checklist::of(answers, &place.directory);
    checklist::show(&list, answers, output)?;
    Ok(if checklist::is_done(&list) { exit_code::ALL_WELL } else { exit_code::NEEDS_PERSON })
}

/// The addresses that were told to be listed, for who compares them with the one a call comes from.
pub(super) fn listed_addresses(
    config: &Path,
) -> Option<(einvoice_core::environment::RouteName, einvoice_core::credential::ListedAddresses)> {
    let answers = Answers::read(&config.with_extension("onboarding.json")).ok()?;
    Some((answers.route_name(), answers.addresses.clone()?))
}

fn forget(state: &Path) -> Result<(), CliError> {
    match std::fs::remove_file(state) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(CliError::File { path: state.to_path_buf(), action: "remove", error })
        }
        _ => Ok(()),
    }
}
