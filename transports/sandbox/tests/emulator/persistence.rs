//! What survives the end of the process, and what two processes must not do to each other.

use std::path::Path;
use std::sync::Arc;

use einvoice_core::clock::ManualClock;
use einvoice_core::entropy::SeededEntropy;
use einvoice_sandbox::{PortalSettings, Sandbox, SandboxError};

use crate::raw::{RawClient, SELLER, call, codes, invoice, noon};

fn open(directory: &Path, seed: u64) -> Result<Sandbox, SandboxError> {
    let clock = Arc::new(ManualClock::new(noon()));
    Sandbox::open(directory, PortalSettings::default(), clock, Arc::new(SeededEntropy::new(seed)))
}

#[tokio::test]
async fn keys_accounts_logins_and_registrations_survive_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let sandbox = open(directory.path(), 1).unwrap();
    let client = RawClient::logged_in(&sandbox, SELLER).await;
    let made = client.opened(&call(&sandbox, &client.generate(&invoice("A/1"))).await);
    let other = client.opened(&call(&sandbox, &client.generate(&invoice("A/2"))).await);
    client.opened(&call(&sandbox, &client.cancel(other["Irn"].as_str().unwrap(), "1")).await);
    drop(sandbox);

    let sandbox = open(directory.path(), 2).unwrap();
    let read = client.opened(&call(&sandbox, &client.by_irn(made["Irn"].as_str().unwrap())).await);
    assert_eq!(read, made);
    assert_eq!(codes(&call(&sandbox, &client.generate(&invoice("A/1"))).await), ["2150"]);
    assert_eq!(codes(&call(&sandbox, &client.generate(&invoice("A/2"))).await), ["2278"]);
    let next = client.opened(&call(&sandbox, &client.generate(&invoice("A/3"))).await);
    assert_eq!(next["AckNo"].as_u64().unwrap(), other["AckNo"].as_u64().unwrap() + 1);
}

#[tokio::test]
async fn an_answer_is_on_disk_before_it_is_given() {
    let directory = tempfile::tempdir().unwrap();
    let sandbox = open(directory.path(), 1).unwrap();
    let client = RawClient::logged_in(&sandbox, SELLER).await;
    let made = client.opened(&call(&sandbox, &client.generate(&invoice("A/1"))).await);
    // The sandbox is still running: what a kill would leave is what the file holds at this moment.
    let copy = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(directory.path()).unwrap() {
        let path = entry.unwrap().path();
        if path.file_name().unwrap() != "lock" {
            std::fs::copy(&path, copy.path().join(path.file_name().unwrap())).unwrap();
        }
    }
    let survivor = open(copy.path(), 2).unwrap();
    assert_eq!(survivor.invoices()[0].irn.as_deref(), made["Irn"].as_str());
}

#[test]
fn a_directory_in_use_is_refused_and_free_again_afterwards() {
    let directory = tempfile::tempdir().unwrap();
    let first = open(directory.path(), 1).unwrap();
    let second = open(directory.path(), 2).unwrap_err();
    assert!(matches!(second, SandboxError::InUse { .. }), "{second}");
    drop(first);
    open(directory.path(), 3).unwrap();
}

#[test]
fn one_process_shares_one_portal_for_a_directory() {
    let directory = tempfile::tempdir().unwrap();
    let shared = || {
        let clock = Arc::new(ManualClock::new(noon()));
        Sandbox::shared(Some(directory.path()), None, clock, Arc::new(SeededEntropy::new(1))).unwrap()
    };
    let (first, second) = (shared(), shared());
    assert_eq!(first.signing_kid(), second.signing_kid());
    first.clear_faults();
    drop((first, second));
    shared();
}
