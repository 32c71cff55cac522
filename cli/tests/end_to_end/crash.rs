//! The process is killed at any moment of a run, again and again, and started again: in the end every
//! document is registered once in the emulator's books and once in ours.
//!
//! Aim: DESIGN, promise 1, "never lose, never double", with the real program, the real ledger file
//! and the real wire. Method: the emulator runs as a process of its own, so that it goes on while the
//! run is killed. Moments are drawn from a seed, printed first; `EINVOICE_CRASH_SEED` repeats one.
//! Bounded: a fixed number of kills and documents, loopback only.

use std::time::Duration;

use einvoice_core::identifier::Gstin;
use einvoice_testkit::documents::Recipe;

use crate::assert_registered_once;
use crate::process::{Emulator, Installation, Moments};

/// Documents for each supplier.
const DOCUMENTS: u32 = 40;
/// Runs that are killed.
const KILLS: u32 = 12;

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
    let mut answer = installation.run();
    if answer.code == 4 {
        answer = installation.run();
    }
    assert_eq!(answer.code, 0, "{}", answer.text);
    assert_registered_once(&emulator, &installation, documents.len());

    // One more run changes nothing.
    assert_eq!(installation.run().code, 0);
    assert_registered_once(&emulator, &installation, documents.len());
}
