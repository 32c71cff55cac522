//! The file as it lies on disk: a key locked by passphrase or identity, and data locked by that key.
//!
//! Opening by passphrase is slow on purpose (scrypt). So the passphrase locks only an X25519 key of
//! the file's own, once; the data is locked by that key, and a run that saves a session pays
//! microseconds. Both parts are age files (age-encryption.org/v1) in base64. The key's public half
//! is not in the file, so nobody can forge data without opening it first.

use std::iter;

use age::{DecryptError, Decryptor, Encryptor, scrypt, x25519};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::{Deserialize, Serialize};
use std::io::{Read, Write};
use zeroize::Zeroizing;

use crate::unlock::Key;

/// The version of this layout.
const VERSION: u32 = 1;
/// What the file says it is.
const FORMAT: &str = "einvoice-credentials";
/// Most work that is done to try a passphrase (2^20: 1 GiB of memory), so that a foreign file cannot
/// bring the machine down.
pub(crate) const WORK_FACTOR_MAX: u8 = 20;

/// The two locked parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Envelope {
    /// The file's own key, locked.
    pub(crate) key: Vec<u8>,
    /// Entries and sessions, locked.
    pub(crate) data: Vec<u8>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct OnDisk {
    format: String,
    version: u32,
    key: String,
    data: String,
}

#[derive(Deserialize)]
struct Head {
    format: String,
    version: u32,
}

/// Why a part cannot be opened.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum OpenError {
    /// The passphrase or identity is not the right one.
    Locked(String),
    /// The file is not what it should be.
    Damaged(String),
}

impl Envelope {
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, String> {
        let head: Head = serde_json::from_slice(bytes)
            .map_err(|_| "it is not a credentials file; check `path`, or restore a backup".to_owned())?;
        if head.format != FORMAT {
            return Err("it is not a credentials file; check `path`".to_owned());
        }
        if head.version != VERSION {
            return Err(format!(
                "it has version {} and this program knows version {VERSION}; use the program that wrote it",
                head.version
            ));
        }
        let disk: OnDisk = serde_json::from_slice(bytes)
            .map_err(|error| format!("it breaks off or was edited, at line {}; restore a backup", error.line()))?;
        let part = |text: &str, name: &str| {
            BASE64_STANDARD.decode(text).map_err(|_| format!("its part `{name}` is not base64; restore a backup"))
        };
        Ok(Self { key: part(&disk.key, "key")?, data: part(&disk.data, "data")? })
    }

    pub(crate) fn write(&self) -> Result<Vec<u8>, String> {
        let disk = OnDisk {
            format: FORMAT.to_owned(),
            version: VERSION,
            key: BASE64_STANDARD.encode(&self.key),
            data: BASE64_STANDARD.encode(&self.data),
        };
        let mut bytes = serde_json::to_vec_pretty(&disk).map_err(|error| error.to_string())?;
        bytes.push(b'\n');
        Ok(bytes)
    }
}

/// Opens the file's own key.
pub(crate) fn open_key(locked: &[u8], key: &Key) -> Result<x25519::Identity, OpenError> {
    let decryptor = Decryptor::new_buffered(locked).map_err(|error| damaged(&error))?;
    let opened = match (key, decryptor.is_scrypt()) {
        (Key::Passphrase(passphrase), true) => {
            let mut identity = scrypt::Identity::new(passphrase.clone());
            identity.set_max_work_factor(WORK_FACTOR_MAX);
            read_out(decryptor, &mut iter::once(as_identity(&identity)))
        }
        (Key::Identities(identities), false) => read_out(decryptor, &mut identities.iter().map(as_identity)),
        (Key::Passphrase(_), false) => {
            return Err(OpenError::Locked("it is locked to an identity; configure `identity_file`".to_owned()));
        }
        (Key::Identities(_), true) => {
            return Err(OpenError::Locked("it is locked by a passphrase; remove `identity_file`".to_owned()));
        }
    };
    let text = opened.map_err(|error| match (&error, key) {
        (DecryptError::ExcessiveWork { required, .. }, _) => OpenError::Locked(format!(
            "it was made with work factor {required} and at most {WORK_FACTOR_MAX} is tried; this file is not ours"
        )),
        (DecryptError::InvalidHeader | DecryptError::InvalidMac | DecryptError::Io(_), _) => damaged(&error),
        (_, Key::Passphrase(_)) => {
            OpenError::Locked("the passphrase is wrong; give the one the file was made with".to_owned())
        }
        (_, Key::Identities(_)) => {
            OpenError::Locked("it is locked to another identity; configure the right `identity_file`".to_owned())
        }
    })?;
    let text = std::str::from_utf8(&text).ok().and_then(|text| text.parse().ok());
    text.ok_or_else(|| OpenError::Damaged("its key is not an age identity; restore a backup".to_owned()))
}

/// Makes a new key for a new file and locks it. An identity file locks it to its first identity.
pub(crate) fn new_key(key: &Key, work_factor: u8) -> Result<(x25519::Identity, Vec<u8>), String> {
    use age::secrecy::ExposeSecret;
    let identity = x25519::Identity::generate();
    let secret = identity.to_string();
    let text = secret.expose_secret().as_bytes();
    let locked = match key {
        Key::Passphrase(passphrase) => {
            let mut recipient = scrypt::Recipient::new(passphrase.clone());
            recipient.set_work_factor(work_factor.clamp(1, WORK_FACTOR_MAX));
            lock_to(&recipient, text)
        }
        Key::Identities(identities) => {
            let first = identities.first().ok_or("the identity file is empty")?;
            lock_to(&first.to_public(), text)
        }
    };
    locked.map(|locked| (identity, locked))
}

/// Opens the data with the file's own key.
pub(crate) fn open_data(locked: &[u8], identity: &x25519::Identity) -> Result<Zeroizing<Vec<u8>>, OpenError> {
    let decryptor = Decryptor::new_buffered(locked).map_err(|error| damaged(&error))?;
    if decryptor.is_scrypt() {
        return Err(OpenError::Damaged("its data is not locked by its key; restore a backup".to_owned()));
    }
    read_out(decryptor, &mut iter::once(as_identity(identity))).map_err(|error| damaged(&error))
}

/// Locks the data with the file's own key.
pub(crate) fn lock_data(content: &[u8], identity: &x25519::Identity) -> Result<Vec<u8>, String> {
    lock_to(&identity.to_public(), content)
}

fn as_identity<I: age::Identity>(identity: &I) -> &dyn age::Identity {
    identity
}

fn read_out(
    decryptor: Decryptor<&[u8]>,
    identities: &mut dyn Iterator<Item = &dyn age::Identity>,
) -> Result<Zeroizing<Vec<u8>>, DecryptError> {
    let mut plain = Zeroizing::new(Vec::new());
    decryptor.decrypt(identities)?.read_to_end(&mut plain)?;
    Ok(plain)
}

fn lock_to(recipient: &dyn age::Recipient, content: &[u8]) -> Result<Vec<u8>, String> {
    let encrypt = || -> Result<Vec<u8>, Box<dyn std::error::Error>> {
        let mut locked = Vec::with_capacity(content.len() + 512);
        let mut writer = Encryptor::with_recipients(iter::once(recipient))?.wrap_output(&mut locked)?;
        writer.write_all(content)?;
        writer.finish()?;
        Ok(locked)
    };
    encrypt().map_err(|error| format!("it could not be encrypted: {error}"))
}

fn damaged(error: &DecryptError) -> OpenError {
    OpenError::Damaged(format!("it was changed or breaks off ({error}); restore a backup"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passphrase(text: &str) -> Key {
        Key::Passphrase(text.into())
    }

    #[test]
    fn the_key_opens_with_its_passphrase_and_with_no_other() {
        let (identity, locked) = new_key(&passphrase("correct horse"), 2).unwrap();
        let opened = open_key(&locked, &passphrase("correct horse")).unwrap();
        assert_eq!(opened.to_public(), identity.to_public());
        let wrong = open_key(&locked, &passphrase("correct house")).err().unwrap();
        assert!(matches!(wrong, OpenError::Locked(reason) if reason.contains("passphrase is wrong")));
    }

    #[test]
    fn the_key_opens_with_its_identity_and_says_when_a_passphrase_is_tried() {
        let mine = x25519::Identity::generate();
        let (_, locked) = new_key(&Key::Identities(vec![mine.clone()]), 2).unwrap();
        let others = vec![x25519::Identity::generate(), mine];
        assert!(open_key(&locked, &Key::Identities(others)).is_ok());
        let stranger = open_key(&locked, &Key::Identities(vec![x25519::Identity::generate()])).err().unwrap();
        assert!(matches!(stranger, OpenError::Locked(reason) if reason.contains("another identity")));
        let wrong = open_key(&locked, &passphrase("correct horse")).err().unwrap();
        assert!(matches!(wrong, OpenError::Locked(reason) if reason.contains("identity_file")));
    }

    #[test]
    fn every_changed_byte_of_the_data_is_noticed() {
        let identity = x25519::Identity::generate();
        let locked = lock_data(b"{}", &identity).unwrap();
        assert_eq!(open_data(&locked, &identity).unwrap().as_slice(), b"{}");
        for at in 0..locked.len() {
            let mut changed = locked.clone();
            changed[at] ^= 1;
            assert!(matches!(open_data(&changed, &identity), Err(OpenError::Damaged(_))), "byte {at}");
        }
        assert!(open_data(&locked[..locked.len() - 1], &identity).is_err());
    }

    #[test]
    fn what_is_no_credentials_file_is_refused_with_a_reason() {
        for (text, wanted) in [
            ("", "not a credentials file"),
            ("{}", "not a credentials file"),
            (r#"{"format":"other","version":1}"#, "not a credentials file"),
            (r#"{"format":"einvoice-credentials","version":2,"new":true}"#, "version 2"),
            (r#"{"format":"einvoice-credentials","version":1,"key":"!","data":""}"#, "`key` is not base64"),
        ] {
            let error = Envelope::read(text.as_bytes()).unwrap_err();
            assert!(error.contains(wanted), "{text}: {error}");
        }
    }
}
