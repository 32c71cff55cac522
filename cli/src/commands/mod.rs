//! The commands: each reads its arguments, asks the core, and says what came of it.

pub mod cancel;
pub mod completions;
pub mod config;
pub mod credentials;
mod desk;
pub mod doctor;
pub mod ewb;
pub mod explain;
pub mod gsp;
pub mod init;
pub mod jobs;
pub mod lookup;
pub mod masters;
pub mod new;
pub mod onboard;
pub mod plugins;
mod proof;
pub mod quota;
pub mod resolve;
pub mod retry;
pub mod run;
pub mod sandbox;
pub mod status;
pub mod test;
pub mod test_report;
mod trial;
pub mod validate;
pub mod verify;

use std::future::Future;

use crate::arguments::{Arguments, Command};
use crate::error::CliError;
use crate::output::Output;

/// Runs a command and gives the exit code of its result.
///
/// # Errors
/// [`CliError`] when the command could not do its work.
pub fn run(arguments: Arguments, output: &mut Output) -> Result<u8, CliError> {
    let common = arguments.common;
    match arguments.command {
        Command::Init(init) => init::run(&init, &common, output),
        Command::Onboard(onboard) => onboard::run(&onboard, &common, output),
        Command::Run(run) => run::run(&run, &common, output),
        Command::Validate(validate) => validate::run(&validate, &common, output),
        Command::Test(test) => test::run(&test, &common, output),
        Command::Verify(verify) => verify::run(&verify, &common, output),
        Command::Status(status) => status::run(&status, &common, output),
        Command::Cancel(cancel) => cancel::run(&cancel, &common, output),
        Command::Lookup(lookup) => lookup::run(&lookup, &common, output),
        Command::Ewb(ewb) => ewb::run(&ewb, &common, output),
        Command::Resolve(resolve) => resolve::run(&resolve, &common, output),
        Command::Retry(retry) => retry::run(&retry, &common, output),
        Command::Jobs(jobs) => jobs::run(&jobs, &common, output),
        Command::Credentials(credentials) => credentials::run(&credentials, &common, output),
        Command::Doctor(doctor) => doctor::run(&doctor, &common, output),
        Command::Quota(quota) => quota::run(&quota, &common, output),
        Command::Explain(explain) => explain::run(&explain, output),
        Command::Plugins(plugins) => plugins::run(&plugins, output),
        Command::New(new) => new::run(&new, output),
        Command::Masters(masters) => masters::run(&masters, &common, output),
        Command::Config(config) => config::run(&config, &common, output),
        Command::Sandbox(sandbox) => sandbox::run(&sandbox, output),
        Command::Gsp(gsp) => gsp::run(&gsp, &common, output),
        Command::Completions(completions) => completions::run(&completions, output),
    }
}

/// Runs a future on a runtime of its own. Readers that still wait for input when it is done are left
/// behind and do not hold up the end.
fn block_on<T>(work: impl Future<Output = Result<T, CliError>>) -> Result<T, CliError> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| CliError::System { action: "start the program's threads".to_owned(), error })?;
    let result = runtime.block_on(work);
    runtime.shutdown_background();
    result
}
