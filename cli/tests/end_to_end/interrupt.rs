//! Ctrl-C: the first finishes what is in flight and keeps the rest, the second ends at once.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command};

use einvoice_core::identifier::Gstin;
use einvoice_testkit::documents::Recipe;
use serde_json::json;

use crate::assert_registered_once;
use crate::process::{Emulator, Installation};

/// Documents of the one supplier: far more than may be in flight at once.
const DOCUMENTS: u32 = 150;

fn installed(emulator: &Emulator) -> Installation {
    let installation = Installation::direct(emulator);
    let supplier = Gstin::parse(&emulator.suppliers()[0]).unwrap();
    let documents: Vec<String> = (1..=DOCUMENTS).map(|number| Recipe::numbered(number).by(supplier).json()).collect();
    installation.write("in/invoices.jsonl", &documents.join("\n"));
    installation
}

fn interrupt(run: &Child) {
    assert!(Command::new("kill").args(["-INT", &run.id().to_string()]).status().unwrap().success());
}

#[test]
fn an_interrupted_run_finishes_what_is_in_flight_and_the_next_one_goes_on() {
    let emulator = Emulator::start();
    let installation = installed(&emulator);
    // Long enough for the interrupt to arrive while the first calls wait for their answers.
    emulator.fault("generate_irn", &json!({"kind": "delay", "ms": 1_500}), 3);
    let mut run = installation.start_with(&[]);
    emulator.wait_for_calls("generate_irn", 1);
    interrupt(&run);
    let mut said = String::new();
    run.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    let code = run.wait().unwrap().code();
    assert!(said.contains("finishing what is under way; interrupt again to stop at once"), "{said}");
    assert_eq!(code, Some(0), "{said}");
    // What was in flight has its answer, and nothing else was begun.
    let states = installation.states();
    assert!(states["registered"] >= 1 && states["ready"] >= 1, "{states:?}");
    assert_eq!(states["registered"] + states["ready"], installation.status().len(), "{states:?}");
    let answer = installation.run();
    assert_eq!(answer.code, 0, "{}", answer.text);
    assert_registered_once(&emulator, &installation, installation.status().len());
    assert_eq!(emulator.calls("get_irn_by_document"), 0, "there was nothing to ask about");
}

#[test]
fn a_status_during_a_run_names_the_run_and_says_when_to_try_again() {
    let emulator = Emulator::start();
    let installation = installed(&emulator);
    emulator.fault("generate_irn", &json!({"kind": "delay", "ms": 3_600_000}), 1);
    let mut run = installation.start_with(&[]);
    emulator.wait_for_calls("generate_irn", 1);
    let answer = installation.call(&["status"]);
    assert_eq!(answer.code, 2, "{}", answer.text);
    assert!(answer.text.contains(&format!("in use by another process (process {})", run.id())), "{}", answer.text);
    assert!(answer.text.contains("try again when it has ended"), "{}", answer.text);
    run.kill().unwrap();
    run.wait().unwrap();
    assert_eq!(installation.call(&["status"]).code, 4, "the outcome of one call is not known");
}

#[test]
fn a_second_interrupt_ends_at_once_and_the_next_run_asks_about_what_was_sent() {
    let emulator = Emulator::start();
    let installation = installed(&emulator);
    // No answer for an hour: only the second interrupt can end this run.
    emulator.fault("generate_irn", &json!({"kind": "delay", "ms": 3_600_000}), 1);
    let mut run = installation.start_with(&[]);
    emulator.wait_for_calls("generate_irn", 1);
    interrupt(&run);
    let mut said = BufReader::new(run.stderr.take().unwrap());
    let mut line = String::new();
    said.read_line(&mut line).unwrap();
    assert!(line.contains("interrupt again to stop at once"), "{line}");
    interrupt(&run);
    let mut rest = String::new();
    said.read_to_string(&mut rest).unwrap();
    assert_eq!(run.wait().unwrap().code(), Some(4), "{rest}");
    assert!(rest.contains("what was sent and not answered is asked about in the next run"), "{rest}");
    let states = installation.states();
    assert!(states["unknown"] >= 1 && states["ready"] >= 1, "{states:?}");

    let answer = installation.run();
    assert_eq!(answer.code, 0, "{}", answer.text);
    assert_registered_once(&emulator, &installation, installation.status().len());
    assert_eq!(emulator.calls("generate_irn"), u64::from(DOCUMENTS), "what the portal had was not sent again");
}
