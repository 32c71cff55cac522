//! The promises of a credential store, kept by @name@.
@lints@
use std::sync::Arc;

use async_trait::async_trait;
use einvoice_core::credential::{CredentialEntry, CredentialStore};
use einvoice_testkit::credential_suite::CredentialHarness;
use @crate@::{@type@Config, @type@Store};

/// One store, opened again and again.
struct Harness(Arc<dyn CredentialStore>);

impl Harness {
    fn new() -> Self {
        Self(Arc::new(@type@Store::new(@type@Config { place: "a test".to_owned() })))
    }
}

#[async_trait]
impl CredentialHarness for Harness {
    async fn open(&self) -> Arc<dyn CredentialStore> {
        Arc::clone(&self.0)
    }

    async fn provide(&self, entry: CredentialEntry) {
        self.0.put(entry).await.expect("an entry that is kept");
    }
}

// A promise that is not kept yet is left out by its name: `fill_in: [writers_at_the_same_time_lose_nothing]`.
einvoice_testkit::credential_conformance!(Harness::new(), fill_in: []);

#[test]
#[ignore = "to be filled in: entries in @name@ itself"]
fn an_entry_is_there_after_a_restart() {
    panic!("put an entry, make the store anew as a restarted program does, and find the entry");
}
