//! The real program against a real emulator: two processes, the real ledger file, the real wire.
//!
//! Bounded: fixed numbers of documents and runs, loopback only.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test fails by panicking, and prints its seed"
)]

#[path = "../../../plugins/database/tests/database/books.rs"]
#[expect(dead_code, reason = "the tests of that plugin use all of it")]
mod books;
#[cfg(unix)]
mod browser;
mod crash;
mod database;
#[cfg(unix)]
mod desk;
#[cfg(unix)]
mod environments;
mod formats;
mod gsp;
#[cfg(unix)]
mod interrupt;
#[cfg(unix)]
mod interview;
#[cfg(unix)]
mod onboard;
#[cfg(unix)]
mod one_login;
#[path = "../../../plugins/database/tests/database/place.rs"]
#[expect(dead_code, reason = "the tests of that plugin use all of it")]
mod place;
mod process;
mod proof;
mod report;
mod rotation;
mod sap;
mod secrets;
mod spreadsheet;
mod tally;
mod tally_files;
#[cfg(unix)]
mod terminal;
mod trouble;
mod vanished;

use std::collections::BTreeMap;

use process::{Emulator, Installation};

/// No test of these goes over ODBC.
fn is_installed(_: &str) -> bool {
    false
}

/// What the emulator's books and ours hold, by key.
fn assert_registered_once(emulator: &Emulator, installation: &Installation, count: usize) {
    let books = emulator.books();
    let ours: BTreeMap<String, (String, String)> = installation
        .status()
        .into_iter()
        .map(|line| {
            let text = |name: &str| line[name].as_str().unwrap_or_default().to_owned();
            (text("document"), (text("state"), text("irn")))
        })
        .collect();
    assert_eq!(books.len(), count, "the emulator's books");
    assert_eq!(ours.len(), count, "our books");
    for line in books {
        let key = line["key"].as_str().unwrap();
        assert_eq!(line["registrations"], 1, "{key}");
        let (state, irn) = &ours[key];
        assert_eq!(state, "registered", "{key}");
        assert_eq!(line["irn"].as_str().unwrap(), irn, "{key}");
    }
}
