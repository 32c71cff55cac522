//! `onboard`: the road from nothing to the first registration.

use super::test_report;
use crate::arguments::{Common, Onboard, OnboardCommand};
use crate::error::CliError;
use crate::output::Output;

pub(super) fn run(arguments: &Onboard, common: &Common, output: &mut Output) -> Result<u8, CliError> {
    match &arguments.command {
        Some(OnboardCommand::TestReport(report)) => test_report::run(report, common, output),
        None => Err(CliError::Usage("name a part of the road: `einvoice onboard test-report`".to_owned())),
    }
}
