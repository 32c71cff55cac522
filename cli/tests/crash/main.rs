//! The process is killed at any moment of a run, again and again, and started again: in the end every
//! document is registered once in the emulator's books and once in ours.
//!
//! Aim: DESIGN, promise 1, "never lose, never double", with the real program, the real ledger file
//! and the real wire. Method: the emulator runs as a process of its own, so that it goes on while the
//! run is killed. Moments are drawn from a seed, printed first; `EINVOICE_CRASH_SEED` repeats one.
//! Bounded: a fixed number of kills and documents, loopback only.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test fails by panicking, and prints its seed"
)]

mod process;

use std::collections::BTreeMap;
use std::time::Duration;

use einvoice_core::identifier::Gstin;
use einvoice_testkit::documents::Recipe;
use process::{Emulator, Installation, Moments};

/// Documents for each supplier.
const DOCUMENTS: u32 = 40;
/// Runs that are killed.
const KILLS: u32 = 12;

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

#[test]
fn killed_at_any_moment_every_document_ends_registered_once_in_both_books() {
    let mut moments = Moments::from_environment();
    let emulator = Emulator::start();
    let installation = Installation::direct(&emulator);
    let documents: Vec<String> = emulator
        .suppliers()
        .iter()
        .flat_map(|supplier| {
            let supplier = Gstin::parse(supplier).unwrap();
            (1..=DOCUMENTS).map(move |number| Recipe::numbered(number).by(supplier).json())
        })
        .collect();
    installation.write("in/invoices.jsonl", &documents.join("\n"));

    let mut killed = 0;
    for _ in 0..KILLS {
        killed += u32::from(installation.run_and_kill(moments.next_within(Duration::from_millis(900))));
    }
    println!("{killed} of {KILLS} runs were killed before they ended");
    assert!(killed > 0, "no run was killed: the moments are drawn too late");

    // Whatever the kills left is settled by asking and the rest is sent.
    let mut code = installation.run();
    if code == 4 {
        code = installation.run();
    }
    assert_eq!(code, 0, "{}", installation.last_output());
    assert_registered_once(&emulator, &installation, documents.len());

    // One more run changes nothing.
    assert_eq!(installation.run(), 0);
    assert_registered_once(&emulator, &installation, documents.len());
}

#[test]
fn an_interrupted_run_finishes_what_is_in_flight_and_the_next_one_goes_on() {
    let emulator = Emulator::start();
    let installation = Installation::direct(&emulator);
    let supplier = Gstin::parse(&emulator.suppliers()[0]).unwrap();
    let documents: Vec<String> = (1..=DOCUMENTS).map(|number| Recipe::numbered(number).by(supplier).json()).collect();
    installation.write("in/invoices.jsonl", &documents.join("\n"));
    #[cfg(unix)]
    installation.run_and_interrupt(Duration::from_millis(250));
    // Nothing that was in flight was left open, so the next run need not ask about anything.
    let unknown =
        installation.status().iter().filter(|line| line["state"] == "unknown" || line["state"] == "sent").count();
    assert_eq!(unknown, 0);
    assert_eq!(installation.run(), 0, "{}", installation.last_output());
    assert_registered_once(&emulator, &installation, documents.len());
}
