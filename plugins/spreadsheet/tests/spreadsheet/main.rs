//! How workbooks and text files are read, and how results are written into copies of them.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a test fails by panicking, and says what it skipped"
)]

mod bad_input;
mod common;
mod documents;
mod hostile;
mod kept;
mod results;
mod rows;
mod template;
