//! `gsp`: profiles of providers, tried and put right.

use crate::arguments::{Common, Gsp};
use crate::error::CliError;
use crate::output::Output;

#[cfg(all(feature = "gsp", feature = "sandbox"))]
mod account;
#[cfg(all(feature = "gsp", feature = "sandbox"))]
mod check;
#[cfg(all(feature = "gsp", feature = "sandbox"))]
mod record;
#[cfg(all(feature = "gsp", feature = "sandbox"))]
mod show;

#[cfg(all(feature = "gsp", feature = "sandbox"))]
pub(super) fn run(arguments: &Gsp, common: &Common, output: &mut Output) -> Result<u8, CliError> {
    match arguments {
        Gsp::List => show::list(output),
        Gsp::Schema => show::schema(output),
        Gsp::Check(arguments) => check::run(arguments, output),
        Gsp::Record(arguments) => record::record(arguments, common, output),
        Gsp::Replay(arguments) => record::replay(arguments, output),
        Gsp::Balance(arguments) => account::balance(arguments, common, output),
    }
}

#[cfg(not(all(feature = "gsp", feature = "sandbox")))]
pub(super) fn run(_arguments: &Gsp, _common: &Common, _output: &mut Output) -> Result<u8, CliError> {
    Err(CliError::Usage(
        "this program was built without providers or without the emulator that tries them: build with features `gsp` \
         and `sandbox`"
            .to_owned(),
    ))
}

/// How many, for words.
#[cfg(all(feature = "gsp", feature = "sandbox"))]
fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}
