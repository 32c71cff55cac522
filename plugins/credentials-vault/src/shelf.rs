//! Secrets of the KV engine, version 2, as a shelf: a secret for each part of an entry, changed by check-and-set.

use std::sync::Arc;

use async_trait::async_trait;
use einvoice_core::credential::shelf::{Part, Shelf, ShelfStore, Shelved};
use einvoice_core::credential::{CredentialError, CredentialStore};
use einvoice_core::registry::{BuildContext, BuildError};
use serde_json::Value;
use vaultrs::api;
use vaultrs::api::kv2::requests::{ReadSecretRequest, SetSecretRequestOptions};
use vaultrs::client::VaultClient;
use vaultrs::error::ClientError;
use vaultrs::kv2;
use zeroize::{Zeroize, Zeroizing};

use crate::config::VaultConfig;
use crate::door::Door;
use crate::fault::Fault;

/// Room reserved before a secret is written out, so that growing leaves no copies behind.
const ROOM: usize = 4 * 1024;

/// Secrets in Vault.
#[derive(Debug)]
pub struct VaultShelf {
    door: Door,
    address: String,
    mount: String,
    path: String,
}

/// How often a call is made: once more with a new token.
const TRIES: usize = 2;

/// Makes a call with a token, and once more with a new one if Vault takes the first no longer.
macro_rules! calling {
    ($shelf:expr, $tried:literal, $client:ident => $call:expr) => {{
        let mut tries = 0;
        loop {
            tries += 1;
            let $client = $shelf.door.client().await?;
            let result: Result<_, ClientError> = $call.await;
            match result.map_err(|error| Fault::of(error, $tried)) {
                Err(fault) if fault.is_forbidden() && tries < TRIES => $shelf.door.forget(&$client).await,
                result => break result,
            }
        }
    }};
}

impl VaultShelf {
    /// A shelf as configured; nothing is connected.
    ///
    /// # Errors
    /// Which key is wrong and what to write.
    pub fn new(context: &BuildContext, config: &VaultConfig) -> Result<Self, BuildError> {
        let door = Door::new(context, config)?;
        for (key, value) in [("mount", &config.mount), ("path", &config.path)] {
            let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_./".contains(letter);
            if value.trim_matches('/').is_empty() || !value.chars().all(plain) {
                return Err(BuildError::new(
                    format!("{}, key `{key}`", context.name),
                    format!("found `{value}`: write letters, digits, `-`, `_`, `.` and `/`"),
                ));
            }
        }
        let trimmed = |text: &str| text.trim_matches('/').to_owned();
        Ok(Self {
            door,
            address: config.address.trim_end_matches('/').to_owned(),
            mount: trimmed(&config.mount),
            path: trimmed(&config.path),
        })
    }

    fn folder(&self, part: Part) -> String {
        let part = match part {
            Part::Entry => "entry",
            Part::State => "state",
        };
        format!("{}/{part}", self.path)
    }

    fn secret(&self, part: Part, name: &str) -> String {
        format!("{}/{name}", self.folder(part))
    }

    fn told(&self, fault: Fault) -> CredentialError {
        fault.told(self.shown(), &self.mount, &self.path)
    }

    async fn look(&self, secret: &str) -> Result<Option<Shelved>, Fault> {
        let request = || ReadSecretRequest::builder().mount(self.mount.as_str()).path(secret).build();
        let found = calling!(self, "reading a secret", client => read(&client, request()));
        let (mut data, version) = match found {
            Ok(found) => found,
            Err(Fault::Absent) => return Ok(None),
            Err(fault) => return Err(fault),
        };
        let mut bytes = Zeroizing::new(Vec::with_capacity(ROOM));
        let written = serde_json::to_writer(&mut *bytes, &data);
        wipe(&mut data);
        match written {
            Ok(()) => Ok(Some(Shelved { bytes, version })),
            Err(_) => Err(Fault::Settings("what it holds cannot be written out".to_owned())),
        }
    }

    async fn set(&self, secret: &str, data: &Value, seen: u64) -> Result<bool, Fault> {
        let Ok(cas) = u32::try_from(seen) else { return Ok(false) };
        let options = || SetSecretRequestOptions { cas };
        let set = calling!(self, "writing a secret", client =>
            kv2::set_with_options(client.as_ref(), &self.mount, secret, data, options()));
        match set {
            Ok(_) => Ok(true),
            Err(fault) if fault.is_conflict() => Ok(false),
            Err(fault) => Err(fault),
        }
    }

    /// The number of a secret that somebody deleted by hand: the engine keeps counting where it was.
    async fn deleted_version(&self, secret: &str) -> Result<Option<u64>, Fault> {
        let metadata = calling!(self, "reading what is known of a secret", client =>
            kv2::read_metadata(client.as_ref(), &self.mount, secret));
        match metadata {
            Ok(found) => {
                let latest = found.versions.get(&found.current_version.to_string());
                let is_gone = latest.is_some_and(|latest| latest.destroyed || !latest.deletion_time.is_empty());
                Ok(is_gone.then_some(found.current_version))
            }
            Err(Fault::Absent) => Ok(None),
            Err(fault) => Err(fault),
        }
    }

    async fn change(&self, secret: &str, bytes: &[u8], seen: Option<u64>) -> Result<bool, Fault> {
        let unreadable = |_| Fault::Settings("what is to be kept is no JSON".to_owned());
        let mut data: Value = serde_json::from_slice(bytes).map_err(unreadable)?;
        let mut result = self.set(secret, &data, seen.unwrap_or_default()).await;
        if seen.is_none() && matches!(result, Ok(false)) {
            result = match self.deleted_version(secret).await {
                Ok(Some(version)) => self.set(secret, &data, version).await,
                Ok(None) => Ok(false),
                Err(fault) => Err(fault),
            };
        }
        wipe(&mut data);
        result
    }

    async fn erase(&self, secret: &str) -> Result<bool, Fault> {
        if self.look(secret).await?.is_none() {
            return Ok(false);
        }
        // All versions: a removed password must not be a step away.
        calling!(self, "removing a secret", client => kv2::delete_metadata(client.as_ref(), &self.mount, secret))?;
        Ok(true)
    }

    async fn keys(&self, folder: &str) -> Result<Vec<String>, Fault> {
        let listed = calling!(self, "listing secrets", client => kv2::list(client.as_ref(), &self.mount, folder));
        match listed {
            // A folder below is none of ours.
            Ok(keys) => Ok(keys.into_iter().filter(|key| !key.ends_with('/')).collect()),
            Err(Fault::Absent) => Ok(Vec::new()),
            Err(fault) => Err(fault),
        }
    }
}

async fn read<E: std::fmt::Display>(
    client: &Arc<VaultClient>,
    request: Result<ReadSecretRequest, E>,
) -> Result<(Value, u64), ClientError> {
    // All members of the request are given, so that it is always made.
    let request = request.map_err(|_| ClientError::InvalidUpdateParameter)?;
    let found = api::exec_with_result(client.as_ref(), request).await?;
    Ok((found.data, found.metadata.version))
}

/// Wipes all texts and numbers of a value.
fn wipe(value: &mut Value) {
    match value {
        Value::String(text) => text.zeroize(),
        Value::Array(list) => list.iter_mut().for_each(wipe),
        Value::Object(map) => map.values_mut().for_each(wipe),
        Value::Number(_) => *value = Value::Null,
        Value::Null | Value::Bool(_) => {}
    }
}

#[async_trait]
impl Shelf for VaultShelf {
    fn shown(&self) -> String {
        format!("Vault at {}", self.address)
    }

    fn encrypted_at_rest(&self) -> bool {
        true
    }

    async fn read(&self, part: Part, name: &str) -> Result<Option<Shelved>, CredentialError> {
        self.look(&self.secret(part, name)).await.map_err(|fault| self.told(fault))
    }

    async fn write(&self, part: Part, name: &str, bytes: &[u8], seen: Option<u64>) -> Result<bool, CredentialError> {
        self.change(&self.secret(part, name), bytes, seen).await.map_err(|fault| self.told(fault))
    }

    async fn delete(&self, part: Part, name: &str) -> Result<bool, CredentialError> {
        self.erase(&self.secret(part, name)).await.map_err(|fault| self.told(fault))
    }

    async fn names(&self, part: Part) -> Result<Vec<String>, CredentialError> {
        self.keys(&self.folder(part)).await.map_err(|fault| self.told(fault))
    }
}

/// Makes the store of a configuration.
#[expect(clippy::unused_async, reason = "the registry awaits every build")]
pub(crate) async fn build(context: BuildContext, config: VaultConfig) -> Result<Arc<dyn CredentialStore>, BuildError> {
    let shelf = VaultShelf::new(&context, &config)?;
    Ok(Arc::new(ShelfStore::new(shelf, context.clock)))
}
