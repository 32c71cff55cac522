//! The Tally adapter as its users meet it: files in, documents and results out.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test fails by panicking and says what it skips"
)]

mod bad_input;
mod common;
mod exports;
mod json_files;
mod live;
mod live_changes;
mod live_samples;
mod live_source;
mod live_write_back;
mod overlay;
mod quickstart;
mod samples;
mod supplier;
mod undecided;
mod vouchers;
mod write_back;
