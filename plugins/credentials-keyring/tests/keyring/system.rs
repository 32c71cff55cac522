//! The Secret Service of this machine, where `EINVOICE_TEST_KEYRING` is set; anywhere else each test says that it was
//! skipped. Entries are kept under services of the tests' own and removed at the end.
//!
//! A keyring that is locked, restarted or absent is met by a child of this program in a session of its own.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use async_trait::async_trait;
use einvoice_core::credential::{CredentialEntry, CredentialError, CredentialStore};
use einvoice_core::secret::Secret;
use einvoice_testkit::credential_suite::CredentialHarness;
use serde_json::json;

use crate::{built, entry, ours, session};

static NUMBER: AtomicU32 = AtomicU32::new(1);

/// A service of its own in the real keyring, empty again at the end.
struct Real {
    service: String,
    folder: tempfile::TempDir,
}

impl Real {
    fn new() -> Option<Self> {
        let is_wanted = std::env::var_os("EINVOICE_TEST_KEYRING").is_some();
        is_wanted.then(|| Self {
            service: format!("einvoice-test-{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed)),
            folder: tempfile::tempdir().unwrap(),
        })
    }

    async fn store(&self) -> Arc<dyn CredentialStore> {
        built(self.folder.path(), json!({"service": self.service, "lock_file": "writers"})).await.unwrap()
    }
}

impl Drop for Real {
    fn drop(&mut self) {
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                runtime.block_on(async {
                    let store = self.store().await;
                    for line in store.list().await.unwrap_or_default() {
                        store.remove(&line.scope).await.unwrap();
                    }
                });
            });
        });
    }
}

#[async_trait]
impl CredentialHarness for Real {
    async fn open(&self) -> Arc<dyn CredentialStore> {
        self.store().await
    }

    async fn provide(&self, entry: CredentialEntry) {
        self.store().await.put(entry).await.unwrap();
    }
}

const NO_KEYRING: &str = "EINVOICE_TEST_KEYRING is not set, and nobody's keyring is used unasked";

einvoice_testkit::credential_conformance!(match Real::new() {
    Some(real) => real,
    None => return Err(einvoice_testkit::promise::NotApplicable::because(NO_KEYRING)),
});

#[tokio::test]
async fn a_long_session_lies_over_several_entries_of_the_real_keyring() {
    let Some(real) = Real::new() else { return skipped() };
    let store = real.store().await;
    store.put(entry(ours(), "p")).await.unwrap();
    for (mark, characters) in [('l', 9_000), ('s', 10), ('m', 20_000)] {
        store.save_session(&ours(), &session(mark, characters)).await.unwrap();
        assert!(real.store().await.session(&ours()).await.unwrap() == Some(session(mark, characters)), "{mark}");
    }
}

#[test]
fn without_a_session_bus_the_error_says_so_and_what_to_take_instead() {
    let child = child_for("absent");
    assert_child(child_of(child).env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere/that/is/a/bus"));
}

#[test]
fn a_session_without_a_keyring_is_told_as_one() {
    if Real::new().is_none() {
        return skipped();
    }
    let folder = tempfile::tempdir().unwrap();
    let bus = folder.path().join("bus.conf");
    let policy = "<policy context=\"default\"><allow send_destination=\"*\"/><allow receive_sender=\"*\"/><allow own=\"*\"/>\
                  <allow user=\"*\"/></policy>";
    let listen = "<type>session</type><listen>unix:tmpdir=/tmp</listen><auth>EXTERNAL</auth>";
    std::fs::write(&bus, format!("<busconfig>{listen}{policy}</busconfig>")).unwrap();
    let mut session = Command::new("dbus-run-session");
    session.arg("--config-file").arg(&bus).arg("--").arg(std::env::current_exe().unwrap()).args(child_for("absent"));
    assert_child(in_home(&mut session, folder.path()));
}

#[test]
fn a_locked_keyring_that_nobody_unlocks_is_told_as_locked() {
    const LOCK: &str = "dbus-send --session --print-reply --dest=org.freedesktop.secrets /org/freedesktop/secrets \
                        org.freedesktop.Secret.Service.Lock array:objpath:/org/freedesktop/secrets/collection/login";
    in_a_session("locked", &format!("{UNLOCK} && {LOCK}"));
}

#[test]
fn a_keyring_that_was_started_anew_is_opened_anew() {
    in_a_session("restarted", UNLOCK);
}

/// Starts a keyring that is open, or takes the place of one that runs.
const UNLOCK: &str = "printf test | gnome-keyring-daemon --replace --unlock --components=secrets";

/// Runs a child in a session with a keyring of its own.
fn in_a_session(child: &str, prepare: &str) {
    if Real::new().is_none() {
        return skipped();
    }
    let home = tempfile::tempdir().unwrap();
    let mut session = Command::new("dbus-run-session");
    session.args(["--", "sh", "-c", &format!("{prepare} && exec \"$0\" \"$@\"")]);
    session.arg(std::env::current_exe().unwrap()).args(child_for(child));
    assert_child(in_home(&mut session, home.path()));
}

fn child_for(name: &str) -> [String; 4] {
    let name = format!("system::child_with_a_keyring_that_is_{name}");
    ["--exact".to_owned(), name, "--ignored".to_owned(), "--nocapture".to_owned()]
}

fn child_of(arguments: [String; 4]) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(arguments);
    command
}

fn in_home<'c>(command: &'c mut Command, home: &Path) -> &'c mut Command {
    for variable in
        ["XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_RUNTIME_DIR", "DISPLAY", "WAYLAND_DISPLAY"]
    {
        command.env_remove(variable);
    }
    command.env("HOME", home)
}

fn assert_child(child: &mut Command) {
    let output = child.env("EINVOICE_TEST_KEYRING_CHILD", "1").output().unwrap();
    let told = format!("{}\n{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && told.contains("1 passed"), "{told}");
}

fn skipped() {
    println!("skipped: {NO_KEYRING}");
}

/// Whether this process was started by a test of this file.
fn is_child() -> bool {
    std::env::var_os("EINVOICE_TEST_KEYRING_CHILD").is_some()
}

async fn child_store(folder: &Path) -> Arc<dyn CredentialStore> {
    built(folder, json!({"lock_file": "writers", "answer_seconds": 20})).await.unwrap()
}

#[tokio::test]
#[ignore = "run by another test"]
async fn child_with_a_keyring_that_is_absent() {
    if !is_child() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let store = child_store(folder.path()).await;
    for error in [store.api_user(&ours()).await.unwrap_err(), store.put(entry(ours(), "hunter2")).await.unwrap_err()] {
        assert!(matches!(error, CredentialError::Locked { .. }), "{error:?}");
        let told = error.to_string();
        assert!(told.contains("there is none for this user here") && told.contains("credentials-file"), "{told}");
        assert!(!told.contains("hunter2"), "{told}");
        println!("{told}");
    }
}

#[tokio::test]
#[ignore = "run by another test"]
async fn child_with_a_keyring_that_is_locked() {
    if !is_child() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let error = child_store(folder.path()).await.put(entry(ours(), "hunter2")).await.unwrap_err();
    let told = error.to_string();
    assert!(matches!(error, CredentialError::Locked { .. }), "{error:?}");
    assert!(told.contains("it is locked and was not unlocked") && told.contains("credentials-file"), "{told}");
    println!("{told}");
}

#[tokio::test]
#[ignore = "run by another test"]
async fn child_with_a_keyring_that_is_restarted() {
    if !is_child() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let store = child_store(folder.path()).await;
    store.put(entry(ours(), "first")).await.unwrap();
    assert!(Command::new("sh").args(["-c", UNLOCK]).status().unwrap().success());
    assert_eq!(store.api_user(&ours()).await.unwrap().password, Secret::from("first"));
    store.put(entry(ours(), "second")).await.unwrap();
    assert_eq!(store.api_user(&ours()).await.unwrap().password, Secret::from("second"));
}
