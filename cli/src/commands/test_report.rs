//! `onboard test-report`: the evidence that the application for production asks for.

use crate::arguments::{Common, TestReport};
use crate::error::CliError;
use crate::output::Output;

pub(super) fn run(_arguments: &TestReport, _common: &Common, _output: &mut Output) -> Result<u8, CliError> {
    Err(CliError::Usage("this program does not have the cases of the test report yet".to_owned()))
}
