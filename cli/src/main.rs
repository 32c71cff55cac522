//! The program `einvoice`; everything it does is in the library `einvoice_cli`.

use std::process::ExitCode;

/// Documents are read on one thread and judged on others; this allocator frees what another thread
/// took without meeting it in a lock, which the systems' own do not.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    ExitCode::from(einvoice_cli::program(std::env::args_os()))
}
