//! The process is killed at any moment of a run, again and again, and started again: in the end every
//! document is registered once in the emulator's books and once in ours.
//!
//! The same for what comes after a registration: jobs of several steps.
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

    installation.kill_runs(&emulator, &mut moments, KILLS);

    // Whatever the kills left is settled by asking and the rest is sent.
    installation.finish(0);
    assert_registered_once(&emulator, &installation, documents.len());

    // One more run changes nothing.
    assert_eq!(installation.run().code, 0);
    assert_registered_once(&emulator, &installation, documents.len());
}

/// Documents with an e-way bill for each supplier.
const CANCELLED: u32 = 12;

/// Cancelling takes two calls in two systems: the bill's, then the IRN's. Killed at any moment and asked for again,
/// each is done once.
#[test]
fn killed_while_cancelling_every_bill_and_every_irn_ends_cancelled_once() {
    let mut moments = Moments::from_environment();
    let emulator = Emulator::start();
    let installation = Installation::direct(&emulator).with_bills(&emulator);
    let ewb = r#""EwbDtls":{"TransMode":"1","Distance":120,"VehNo":"KA01AB1234","VehType":"R"}"#;
    let documents: Vec<String> = emulator
        .suppliers()
        .iter()
        .flat_map(|supplier| {
            let supplier = Gstin::parse(supplier).unwrap();
            (1..=CANCELLED).map(move |number| Recipe::numbered(number).by(supplier).json())
        })
        .map(|document| document.replacen('{', &format!("{{{ewb},"), 1))
        .collect();
    installation.write("in/invoices.jsonl", &documents.join("\n"));
    assert_eq!(installation.run().code, 0);

    let cancel = [
        "cancel",
        "--query",
        "state=registered",
        "--reason",
        "order-cancelled",
        "--remark",
        "order withdrawn",
        "--yes",
    ];
    let mut killed = 0;
    for _ in 0..KILLS {
        killed += u32::from(installation.call_and_kill(&cancel, moments.next_within(Duration::from_millis(900))));
        // Some of what was planned goes on in the middle of a kill as well.
        killed += u32::from(installation.run_and_kill(moments.next_within(Duration::from_millis(400))));
    }
    println!("{killed} of {} commands were killed before they ended", 2 * KILLS);
    assert!(killed > 0, "nothing was killed: the moments are drawn too late");

    for _ in 0..3 {
        installation.call(&cancel);
        if installation.run().code == 0 && installation.states().len() == 1 {
            break;
        }
    }
    let states = installation.states();
    assert_eq!(states.get("cancelled"), Some(&documents.len()), "{states:?}");
    for line in emulator.books() {
        assert_eq!((line["status"].as_str(), line["ewb_status"].as_str()), (Some("CNL"), Some("CNL")), "{line}");
        assert_eq!(line["registrations"], 1, "{line}");
    }
    let jobs = installation.objects(&["jobs", "--json"]);
    assert!(jobs.iter().all(|job| ["done", "refused"].contains(&job["state"].as_str().unwrap())), "{jobs:?}");
}
