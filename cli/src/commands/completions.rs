//! `completions`: a completion script for a shell.

use clap::CommandFactory;

use crate::arguments::{Arguments, Completions};
use crate::error::CliError;
use crate::exit_code;
use crate::output::Output;

pub(super) fn run(arguments: &Completions, output: &mut Output) -> Result<u8, CliError> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut Arguments::command(), "einvoice", &mut script);
    if output.is_json() {
        let script = String::from_utf8_lossy(&script).into_owned();
        output.object(&serde_json::json!({ "shell": arguments.shell.to_string(), "script": script }))?;
    } else {
        output.bytes(&script)?;
    }
    Ok(exit_code::ALL_WELL)
}
