//! Databases as source and target. Those that need a server run where `EINVOICE_TEST_POSTGRES` and
//! `EINVOICE_TEST_MYSQL` hold its address, and say so where they do not; `EINVOICE_TEST_SERVERS_REQUIRED` makes that a
//! failure.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a test fails by panicking, and says what it skipped"
)]

mod access;
mod books;
mod conformance;
mod end_to_end;
mod place;
mod reading;
mod settings;
mod writing;
