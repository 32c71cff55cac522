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
mod again;
mod bad;
mod books;
mod conformance;
mod end_to_end;
mod place;
mod reading;
mod settings;
#[cfg(unix)]
mod tls;
mod writing;

/// Whether there is an ODBC driver of this name, or a word about what is not tested.
#[cfg(feature = "odbc")]
fn is_installed(driver: &str) -> bool {
    let drivers = odbc_api::environment().unwrap().drivers().unwrap();
    let installed = drivers.iter().any(|found| found.description == driver);
    if !installed {
        place::skipped("EINVOICE_TEST_ODBC_REQUIRED", &format!("the ODBC driver {driver}, which is not installed"));
    }
    installed
}

#[cfg(not(feature = "odbc"))]
fn is_installed(_: &str) -> bool {
    false
}
