//! The program `einvoice`; everything it does is in the library `einvoice_cli`.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(einvoice_cli::program(std::env::args_os()))
}
