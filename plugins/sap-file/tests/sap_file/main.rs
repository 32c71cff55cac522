//! Files as SAP writes them, and what the adapter makes of them.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "helpers of tests fail as tests do"
)]

mod folder;
mod forms;
mod mapping;
mod samples;
mod tables;
mod workers;
mod write_back;
