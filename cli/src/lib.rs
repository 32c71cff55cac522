//! The program `einvoice` as a library: link list, configuration, commands.
//!
//! An integrator's own binary links its plugin crates and calls [`program`]; everything that is
//! linked is in the registry. The parts:
//!
//! - [`plugins`]: the link list, the only file that names plugin crates;
//! - [`arguments`]: the command line, a stable contract;
//! - [`settings`]: configuration from defaults, file, environment and flags;
//! - [`assemble`]: makes every part a configuration names;
//! - [`commands`]: one module a command;
//! - [`error`] and [`exit_code`]: what a failure says and which code it gives.
//!
//! ```no_run
//! // The whole of an integrator's `main.rs`, beside one `use their_plugin as _;` a plugin:
//! std::process::exit(einvoice_cli::program(std::env::args_os()).into());
//! ```

#![cfg_attr(not(test), warn(unused_crate_dependencies))]

// The allocator of the program `einvoice`; a binary of your own chooses its own.
use mimalloc as _;

pub mod arguments;
pub mod assemble;
pub mod commands;
pub mod error;
pub mod exit_code;
mod folders;
mod html;
pub mod logging;
mod masters_file;
pub mod output;
pub mod plugins;
mod progress;
pub mod schema;
pub mod settings;
mod stop;
mod terminal;
mod usage_file;

use std::ffi::OsString;
use std::io::Write;
use std::panic::{self, AssertUnwindSafe, PanicHookInfo};

use clap::Parser;

use arguments::Arguments;
use error::CliError;
use output::Output;

/// Runs the program with these arguments (the first is the program's name) and gives its exit code.
///
/// A panic is a fault of ours: it ends with [`exit_code::OWN_FAULT`] and a message. What was durable
/// before it is kept, and the next run goes on from there.
pub fn program(arguments: impl IntoIterator<Item = OsString>) -> u8 {
    panic::set_hook(Box::new(tell_fault));
    guarded(|| parse_and_run(arguments))
}

fn guarded(work: impl FnOnce() -> u8) -> u8 {
    // Nothing of the work is used after a panic, so no broken state can be seen.
    panic::catch_unwind(AssertUnwindSafe(work)).unwrap_or(exit_code::OWN_FAULT)
}

fn tell_fault(info: &PanicHookInfo<'_>) {
    let place = info.location().map(|location| format!(" at {}:{}", location.file(), location.line()));
    let what = info.payload_as_str().unwrap_or("no message");
    // Writing may fail while everything else does, too; the exit code still tells.
    let _written = writeln!(
        std::io::stderr(),
        "error: einvoice stopped by a fault of its own{}: {what}\n  \
         What was stored before is safe and the next run goes on from there. Please report this line.",
        place.unwrap_or_default(),
    );
}

fn parse_and_run(arguments: impl IntoIterator<Item = OsString>) -> u8 {
    let given: Vec<OsString> = arguments.into_iter().collect();
    let arguments = match Arguments::try_parse_from(&given) {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and version go to standard output and are no error; clap knows which is which.
            let _printed = error.print();
            if !error.use_stderr() {
                return exit_code::ALL_WELL;
            }
            if asks_for_json(&given) {
                let mut output = Output::standard(true);
                let wrong = CliError::Usage(sentence(&error));
                // Standard output may be what failed; the text above has been said.
                let _written = output.object(&wrong.report()).and_then(|()| output.flush());
            }
            return exit_code::USAGE;
        }
    };
    let mut output = Output::standard(arguments.common.json);
    logging::start(arguments.common.verbose, output.shows_progress());
    let result = commands::run(arguments, &mut output).and_then(|code| output.flush().map(|()| code));
    match result {
        Ok(code) => code,
        Err(error) => {
            output.remark(format!("error: {}", error.message()));
            if output.is_json() {
                // Standard output may be what failed; the text above has been said.
                let _written = output.object(&error.report()).and_then(|()| output.flush());
            }
            error.exit_code()
        }
    }
}

/// Whether a program reads what comes, of a command line that could not be understood.
fn asks_for_json(arguments: &[OsString]) -> bool {
    arguments.iter().take_while(|argument| *argument != "--").any(|argument| argument == "--json")
}

/// What is wrong with a command line, in one line: without the heading, the usage and where help is.
fn sentence(error: &clap::Error) -> String {
    let text = error.to_string();
    let lines = text
        .lines()
        .map(str::trim)
        .take_while(|line| !line.starts_with("Usage:"))
        .filter(|line| !line.is_empty() && !line.starts_with("For more information"));
    let joined = lines.collect::<Vec<_>>().join(" ");
    joined.strip_prefix("error: ").unwrap_or(&joined).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_a_fault_of_ours() {
        assert_eq!(guarded(|| panic!("on purpose")), exit_code::OWN_FAULT);
    }
}
