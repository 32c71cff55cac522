//! The encryption: every row has a data key of its own, which a master key locks.
//!
//! Both locks are AES-256-GCM with a random nonce of 96 bits, which stands before the ciphertext. A data key locks one row
//! once: every change takes a new one, so that no nonce is ever used twice under it. What is authenticated beside the
//! content is the table, the row's name and its version, so that a row copied over another, or a ciphertext that is put back
//! without its version, does not open. An older row that is put back whole does: nothing outside of it says how old it is.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use einvoice_core::credential::shelf::Part;
use einvoice_core::entropy::SharedEntropy;
use zeroize::Zeroizing;

/// Bytes of a key.
const KEY_BYTES: usize = 32;
/// Bytes that the tag adds to what is sealed.
const TAG_BYTES: usize = 16;
/// Bytes of a key's digest that name it.
const ID_BYTES: usize = 8;

/// A row as it lies in the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sealed {
    /// Which master key locks the data key.
    pub(crate) key_id: String,
    /// The locked data key, in base64.
    pub(crate) data_key: String,
    /// The locked content, in base64.
    pub(crate) content: String,
}

/// Where a row stands: what its encryption is bound to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'p> {
    pub(crate) part: Part,
    pub(crate) name: &'p str,
    pub(crate) version: u64,
}

impl Place<'_> {
    fn bound(&self, what: &str) -> Vec<u8> {
        let part = match self.part {
            Part::Entry => "entry",
            Part::State => "state",
        };
        // A name has no line break, so that no two places read alike.
        format!("einvoice credentials 1\n{what}\n{part}\n{}\n{}", self.name, self.version).into_bytes()
    }
}

/// A key with its name.
struct MasterKey {
    id: String,
    key: LessSafeKey,
}

/// The master keys: the first locks, all open.
pub(crate) struct MasterKeys {
    keys: Vec<MasterKey>,
    entropy: SharedEntropy,
}

impl fmt::Debug for MasterKeys {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ids: Vec<&str> = self.keys.iter().map(|key| key.id.as_str()).collect();
        formatter.debug_struct("MasterKeys").field("ids", &ids).finish_non_exhaustive()
    }
}

/// Why a row does not open.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum OpenError {
    /// None of the master keys is the one that locks it.
    OtherKey(String),
    /// It is not what was written there.
    Damaged,
}

impl MasterKeys {
    /// Reads keys in base64 with blanks or line breaks between them. The error shows nothing of them.
    pub(crate) fn read(text: &str, entropy: SharedEntropy) -> Result<Self, String> {
        let keys = text.split_whitespace().enumerate().map(|(at, word)| key(word).map_err(|reason| (at, reason)));
        let keys = keys.collect::<Result<Vec<_>, _>>().map_err(|(at, reason)| {
            format!("master key {} {reason}; make one with: openssl rand -base64 32", at + 1)
        })?;
        if keys.is_empty() {
            return Err("there is no master key; make one with: openssl rand -base64 32".to_owned());
        }
        Ok(Self { keys, entropy })
    }

    /// Locks the content of a row.
    pub(crate) fn lock(&self, place: Place<'_>, plain: &[u8]) -> Result<Sealed, String> {
        let first = self.keys.first().ok_or_else(|| "there is no master key".to_owned())?;
        let mut data_key = Zeroizing::new([0; KEY_BYTES]);
        self.entropy.fill(data_key.as_mut_slice()).map_err(|error| error.to_string())?;
        let unusable = || "the cryptographic library refused to lock it".to_owned();
        let key = UnboundKey::new(&AES_256_GCM, data_key.as_slice()).map(LessSafeKey::new).map_err(|_| unusable())?;
        let content = self.seal(&key, &place.bound("content"), plain).ok_or_else(unusable)?;
        let wrapped = self.seal(&first.key, &place.bound("data key"), data_key.as_slice()).ok_or_else(unusable)?;
        Ok(Sealed { key_id: first.id.clone(), data_key: BASE64.encode(wrapped), content: BASE64.encode(content) })
    }

    /// Opens the content of a row.
    pub(crate) fn open(&self, place: Place<'_>, sealed: &Sealed) -> Result<Zeroizing<Vec<u8>>, OpenError> {
        let master = self.keys.iter().find(|key| key.id == sealed.key_id);
        let master = master.ok_or_else(|| OpenError::OtherKey(sealed.key_id.clone()))?;
        let data_key = unseal(&master.key, &place.bound("data key"), &sealed.data_key).ok_or(OpenError::Damaged)?;
        let key = UnboundKey::new(&AES_256_GCM, &data_key).map(LessSafeKey::new).map_err(|_| OpenError::Damaged)?;
        unseal(&key, &place.bound("content"), &sealed.content).ok_or(OpenError::Damaged)
    }

    /// Nonce and ciphertext.
    fn seal(&self, key: &LessSafeKey, bound: &[u8], plain: &[u8]) -> Option<Vec<u8>> {
        let mut nonce = [0; NONCE_LEN];
        self.entropy.fill(&mut nonce).ok()?;
        // With room for the tag, so that growing leaves no copy of the plain text behind.
        let mut bytes = Zeroizing::new(Vec::with_capacity(plain.len() + TAG_BYTES));
        bytes.extend_from_slice(plain);
        key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(bound), &mut *bytes).ok()?;
        Some([nonce.as_slice(), &bytes].concat())
    }
}

fn unseal(key: &LessSafeKey, bound: &[u8], text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let bytes = BASE64.decode(text).ok()?;
    let (nonce, sealed) = bytes.split_first_chunk::<NONCE_LEN>()?;
    let mut opened = Zeroizing::new(sealed.to_vec());
    let nonce = Nonce::assume_unique_for_key(*nonce);
    let length = key.open_in_place(nonce, Aad::from(bound), &mut opened).ok()?.len();
    opened.truncate(length);
    Some(opened)
}

fn key(word: &str) -> Result<MasterKey, &'static str> {
    let bytes = BASE64.decode(word).map(Zeroizing::new).map_err(|_| "is no base64")?;
    if bytes.len() != KEY_BYTES {
        return Err("does not have 32 bytes");
    }
    if bytes.iter().all(|byte| Some(byte) == bytes.first()) {
        return Err("is one byte repeated, which anybody can guess");
    }
    let key = UnboundKey::new(&AES_256_GCM, &bytes)
        .map(LessSafeKey::new)
        .map_err(|_| "is refused by the cryptographic library")?;
    // A digest of the key says which it is and nothing about it.
    let digest = digest::digest(&digest::SHA256, &bytes);
    let halves = digest.as_ref().iter().take(ID_BYTES).flat_map(|byte| [byte >> 4, byte & 0xf]);
    let id = halves.filter_map(|half| char::from_digit(half.into(), 16)).collect();
    Ok(MasterKey { id, key })
}

#[cfg(test)]
mod tests {
    use einvoice_core::entropy::SystemEntropy;

    use super::*;

    fn encoded(first: u8) -> String {
        let bytes: Vec<u8> = (first..first + 32).collect();
        BASE64.encode(bytes)
    }

    fn keys(text: &str) -> MasterKeys {
        MasterKeys::read(text, SystemEntropy::shared()).unwrap()
    }

    const PLACE: Place<'_> = Place { part: Part::Entry, name: "user.sandbox", version: 3 };

    #[test]
    fn a_row_opens_where_it_was_locked_and_nowhere_else() {
        let keys = keys(&encoded(1));
        let sealed = keys.lock(PLACE, b"hunter2").unwrap();
        assert_eq!(keys.open(PLACE, &sealed).unwrap().as_slice(), b"hunter2");
        for other in [
            Place { part: Part::State, ..PLACE },
            Place { name: "user.production", ..PLACE },
            Place { version: 2, ..PLACE },
        ] {
            assert_eq!(keys.open(other, &sealed).unwrap_err(), OpenError::Damaged, "{other:?}");
        }
    }

    #[test]
    fn a_changed_byte_anywhere_is_seen() {
        let keys = keys(&encoded(1));
        let sealed = keys.lock(PLACE, b"hunter2").unwrap();
        let changed = |text: &str, at: usize| {
            let mut bytes = BASE64.decode(text).unwrap();
            bytes[at] ^= 1;
            BASE64.encode(bytes)
        };
        for at in 0..BASE64.decode(&sealed.content).unwrap().len() {
            let bad = Sealed { content: changed(&sealed.content, at), ..sealed.clone() };
            assert_eq!(keys.open(PLACE, &bad).unwrap_err(), OpenError::Damaged, "{at}");
        }
        for at in 0..BASE64.decode(&sealed.data_key).unwrap().len() {
            let bad = Sealed { data_key: changed(&sealed.data_key, at), ..sealed.clone() };
            assert_eq!(keys.open(PLACE, &bad).unwrap_err(), OpenError::Damaged, "{at}");
        }
        let cut = Sealed { content: String::new(), ..sealed };
        assert_eq!(keys.open(PLACE, &cut).unwrap_err(), OpenError::Damaged);
    }

    #[test]
    fn no_two_rows_have_one_data_key() {
        let keys = keys(&encoded(1));
        let (first, second) = (keys.lock(PLACE, b"same").unwrap(), keys.lock(PLACE, b"same").unwrap());
        assert_ne!(first.data_key, second.data_key);
        assert_ne!(first.content, second.content);
    }

    #[test]
    fn a_new_master_key_locks_and_the_old_one_still_opens() {
        let old = keys(&encoded(1)).lock(PLACE, b"x").unwrap();
        let both = keys(&format!("{}\n{}\n", encoded(2), encoded(1)));
        assert!(both.open(PLACE, &old).is_ok());
        let new = both.lock(PLACE, b"x").unwrap();
        assert_ne!(new.key_id, old.key_id);
        let only_old = keys(&encoded(1)).open(PLACE, &new).unwrap_err();
        assert_eq!(only_old, OpenError::OtherKey(new.key_id));
    }

    #[test]
    fn what_is_no_key_is_told_by_its_place_and_never_shown() {
        let told = |text: &str| MasterKeys::read(text, SystemEntropy::shared()).unwrap_err();
        assert!(told("").contains("no master key"));
        let error = told(&format!("{} hunter2-hunter2", encoded(1)));
        assert!(error.contains("master key 2 is no base64") && !error.contains("hunter2"), "{error}");
        assert!(told(&BASE64.encode([1; 16])).contains("32 bytes"));
        assert!(told(&BASE64.encode([0; 32])).contains("guess"));
        assert!(!format!("{:?}", keys(&encoded(1))).contains(&encoded(1)));
    }
}
