//! A killed emulator keeps all it has answered for.
//!
//! The test starts this very test program once more as the server, registers documents from several
//! clients at once, kills it in the middle, and compares what was answered with what a new process finds.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::sync::Arc;

use einvoice_core::clock::ManualClock;
use einvoice_core::entropy::SeededEntropy;
use einvoice_sandbox::{CONNECTION_FILE, Connection, PortalSettings, Sandbox, ServeOptions, serve};
use tokio::sync::mpsc;

use crate::http::Wire;
use crate::raw::{RawClient, SELLER, invoice, noon};

const DIRECTORY: &str = "EINVOICE_SANDBOX_CRASH_TEST";
const READY: &str = "emulator is ready";

/// The server half of the test below, which starts it in a process of its own; alone it has nothing to do.
#[tokio::test]
async fn serves_until_it_is_killed() {
    let Some(directory) = std::env::var_os(DIRECTORY) else { return };
    let options = ServeOptions::new("127.0.0.1:0".parse().unwrap(), directory);
    let clock = Arc::new(ManualClock::new(noon()));
    let server = serve(options, clock, Arc::new(SeededEntropy::new(7))).await.unwrap();
    println!("{READY}");
    server.wait().await;
}

#[tokio::test]
async fn a_killed_emulator_has_everything_it_answered_for() {
    let directory = tempfile::tempdir().unwrap();
    let mut server = Command::new(std::env::current_exe().unwrap())
        .args(["crash::serves_until_it_is_killed", "--exact", "--nocapture"])
        .env(DIRECTORY, directory.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(server.stdout.take().unwrap()).lines();
    assert!(lines.map_while(Result::ok).any(|line| line.contains(READY)));
    let text = std::fs::read(directory.path().join(CONNECTION_FILE)).unwrap();
    let connection: Connection = serde_json::from_slice(&text).unwrap();
    let wire = Wire::new(connection.base_url.clone());
    let mut client = RawClient::of(&connection, SELLER);
    client.take_login(&wire.send(&client.login(false)).await);

    let (answered, mut answers) = mpsc::unbounded_channel();
    for worker in 0..4 {
        let (wire, client, answered) = (wire.clone(), client.clone(), answered.clone());
        tokio::spawn(async move {
            for number in 0.. {
                let Ok((200, body)) = wire.try_send(&client.generate(&invoice(&format!("W{worker}/{number}")))).await
                else {
                    return;
                };
                let irn = client.opened(&serde_json::from_slice(&body).unwrap())["Irn"].clone();
                answered.send(irn.as_str().map(str::to_owned)).unwrap();
            }
        });
    }
    drop(answered);
    let mut irns = Vec::new();
    while let Some(irn) = answers.recv().await {
        irns.push(irn);
        if irns.len() == 30 {
            server.kill().unwrap();
        }
    }
    server.wait().unwrap();

    let clock = Arc::new(ManualClock::new(noon()));
    let entropy = Arc::new(SeededEntropy::new(8));
    let found = Sandbox::open(directory.path(), PortalSettings::default(), clock, entropy).unwrap().invoices();
    assert!(irns.len() >= 30);
    for irn in irns {
        assert!(found.iter().any(|line| line.irn == irn), "{irn:?} was answered for and is not in the books");
    }
    assert!(found.iter().all(|line| line.registrations == 1));
}
