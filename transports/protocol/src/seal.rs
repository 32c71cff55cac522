//! AES-256-ECB as the portal uses it: the AppKey opens the SEK, the SEK seals everything else.
//!
//! The mode hides neither repetitions nor changes; it is the portal's choice and stands inside TLS.
//! What comes back is believed for its signature ([`crate::jwt`]), never because it opened.

use aes::Aes256;
use base64::Engine as _;
use cipher::block_padding::Pkcs7;
use cipher::{BlockModeDecrypt, BlockModeEncrypt, KeyInit};
use einvoice_core::entropy::{Entropy, EntropyError};
use einvoice_core::secret::Secret;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::encoding::BASE64;

/// Length of both keys in bytes (AES-256).
pub const KEY_BYTES: usize = 32;

/// Why something does not open. Says nothing about the content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SealError {
    /// Not base64.
    #[error("the sealed text is no base64")]
    NotBase64,
    /// No multiple of the block, or wrong padding: another key, or damaged.
    #[error("it does not open with this key")]
    DoesNotOpen,
    /// A key of another length.
    #[error("a key has {found} bytes instead of {KEY_BYTES}")]
    KeyLength {
        /// Bytes found.
        found: usize,
    },
    /// It opened, and there is no JSON inside.
    #[error("it opens, and holds no JSON")]
    NotJson,
}

/// What is put under the seal of a request: the JSON, or its base64.
///
/// The pages of the e-way bill system (NIC, API 1.03) write the second, and clients that work send the first to
/// both systems; so it is a setting of each. Replies are read in both forms, whatever it says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "the two readings of the portal's pages")]
pub enum JsonLayering {
    /// The bytes of the JSON.
    #[default]
    Raw,
    /// Base64 of them.
    Base64,
}

/// A symmetric key of the protocol.
#[derive(Clone, PartialEq, Eq)]
struct Key(Secret<[u8; KEY_BYTES]>);

impl Key {
    fn from_bytes(bytes: &[u8]) -> Result<Self, SealError> {
        let mut key = Zeroizing::new([0; KEY_BYTES]);
        let found = <&[u8; KEY_BYTES]>::try_from(bytes).map_err(|_| SealError::KeyLength { found: bytes.len() })?;
        key.copy_from_slice(found);
        Ok(Self(Secret::new(*key)))
    }

    fn seal(&self, plain: &[u8]) -> Vec<u8> {
        ecb::Encryptor::<Aes256>::new(self.0.expose().into()).encrypt_padded_vec::<Pkcs7>(plain)
    }

    fn open(&self, sealed: &[u8]) -> Result<Vec<u8>, SealError> {
        ecb::Decryptor::<Aes256>::new(self.0.expose().into())
            .decrypt_padded_vec::<Pkcs7>(sealed)
            .map_err(|_| SealError::DoesNotOpen)
    }
}

/// The key we choose at login, so that the portal can send the SEK back under it.
#[derive(Clone, PartialEq, Eq)]
pub struct AppKey(Key);

/// The session encryption key: seals requests and opens replies while the token lives.
#[derive(Clone, PartialEq, Eq)]
pub struct Sek(Key);

impl AppKey {
    /// A new random key; one for each login.
    ///
    /// # Errors
    /// When there is no randomness to be had.
    pub fn generate(entropy: &dyn Entropy) -> Result<Self, EntropyError> {
        let mut bytes = Zeroizing::new([0; KEY_BYTES]);
        entropy.fill(bytes.as_mut_slice())?;
        Ok(Self(Key(Secret::new(*bytes))))
    }

    /// A stored key.
    ///
    /// # Errors
    /// When it has not 32 bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, SealError> {
        Key::from_bytes(bytes).map(Self)
    }

    /// The key for keeping.
    #[must_use]
    pub fn to_secret(&self) -> Secret<Vec<u8>> {
        Secret::new(self.0.0.expose().to_vec())
    }

    /// The key as the login request carries it: base64, 44 characters.
    #[must_use]
    pub fn to_base64(&self) -> Secret<String> {
        Secret::new(BASE64.encode(self.0.0.expose()))
    }

    /// Opens a SEK that the portal wrapped with this key.
    ///
    /// # Errors
    /// When it was wrapped with another key, or what is inside is no key.
    pub fn open_sek(&self, wrapped: &str) -> Result<Sek, SealError> {
        Sek::from_bytes(&Zeroizing::new(self.open(wrapped)?))
    }

    /// Opens base64 of something sealed with this key.
    ///
    /// # Errors
    /// When it is no base64 or was sealed with another key.
    pub fn open(&self, sealed: &str) -> Result<Vec<u8>, SealError> {
        self.0.open(&decode(sealed)?)
    }
}

impl Sek {
    /// A stored or plainly received key.
    ///
    /// # Errors
    /// When it has not 32 bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, SealError> {
        Key::from_bytes(bytes).map(Self)
    }

    /// The key for keeping.
    #[must_use]
    pub fn to_secret(&self) -> Secret<Vec<u8>> {
        Secret::new(self.0.0.expose().to_vec())
    }

    /// Seals bytes: AES, then base64.
    #[must_use]
    pub fn seal(&self, plain: &[u8]) -> String {
        BASE64.encode(self.0.seal(plain))
    }

    /// Seals JSON in the layering of a system.
    #[must_use]
    pub fn seal_json(&self, json: &[u8], layering: JsonLayering) -> String {
        match layering {
            JsonLayering::Raw => self.seal(json),
            JsonLayering::Base64 => self.seal(BASE64.encode(json).as_bytes()),
        }
    }

    /// Opens base64 of something sealed with this key.
    ///
    /// # Errors
    /// When it is no base64 or was sealed with another key.
    pub fn open(&self, sealed: &str) -> Result<Vec<u8>, SealError> {
        self.0.open(&decode(sealed)?)
    }

    /// Opens a sealed JSON text. JSON is tried first, then base64 of JSON: sources disagree about
    /// the e-way bill system, and a reader can take both.
    ///
    /// # Errors
    /// When it does not open, or holds neither.
    pub fn open_json(&self, sealed: &str) -> Result<String, SealError> {
        json_of(self.open(sealed)?)
    }
}

/// JSON in opened bytes, directly or as base64.
///
/// # Errors
/// [`SealError::NotJson`] when it is neither.
pub fn json_of(opened: Vec<u8>) -> Result<String, SealError> {
    let text = String::from_utf8(opened).map_err(|_| SealError::NotJson)?;
    if looks_like_json(&text) {
        return Ok(text);
    }
    let inner = BASE64.decode(text.trim()).ok().and_then(|inner| String::from_utf8(inner).ok());
    inner.filter(|inner| looks_like_json(inner)).ok_or(SealError::NotJson)
}

/// The first character tells: no base64 of a JSON object or array begins with a bracket.
fn looks_like_json(text: &str) -> bool {
    text.trim_start_matches('\u{feff}').trim_start().starts_with(['{', '['])
}

fn decode(text: &str) -> Result<Vec<u8>, SealError> {
    BASE64.decode(text.trim()).map_err(|_| SealError::NotBase64)
}

impl std::fmt::Debug for AppKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("AppKey([secret])")
    }
}

impl std::fmt::Debug for Sek {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Sek([secret])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::sample;
    use proptest::prelude::*;

    fn sek() -> Sek {
        Sek::from_bytes(&[7; 32]).unwrap()
    }

    #[test]
    fn the_published_vectors_are_met() {
        let Some(text) = sample("crypto-vectors.json") else { return };
        let vectors: serde_json::Value = serde_json::from_str(&text).unwrap();
        let field = |name: &str| vectors[name].as_str().unwrap();
        let app_key = AppKey::from_bytes(&BASE64.decode(field("app_key_b64")).unwrap()).unwrap();
        let sek = app_key.open_sek(field("sek_encrypted_with_app_key_b64")).unwrap();
        assert_eq!(BASE64.encode(sek.to_secret().expose()), field("sek_plain_b64"));
        let cancel = &vectors["cancel"];
        for (plain, body) in [("request_plain", "request_body"), ("response_plain", "response_body")] {
            let (plain, sealed) = (cancel[plain].as_str().unwrap(), cancel[body]["Data"].as_str().unwrap());
            assert_eq!(sek.seal(plain.as_bytes()), sealed);
            assert_eq!(sek.open_json(sealed).unwrap(), plain);
        }
    }

    #[test]
    fn json_is_found_directly_and_inside_base64() {
        let plain = r#"{"a":1}"#;
        assert_eq!(sek().open_json(&sek().seal(plain.as_bytes())).unwrap(), plain);
        assert_eq!(sek().open_json(&sek().seal(BASE64.encode(plain).as_bytes())).unwrap(), plain);
        assert_eq!(sek().open_json(&sek().seal(b"neither")), Err(SealError::NotJson));
    }

    #[test]
    fn another_key_a_cut_text_and_no_base64_are_told_apart_from_content() {
        let sealed = sek().seal(b"{}");
        let other = Sek::from_bytes(&[8; 32]).unwrap();
        assert!(other.open_json(&sealed).is_err());
        assert_eq!(sek().open(&sealed[..20]), Err(SealError::DoesNotOpen));
        assert_eq!(sek().open("*"), Err(SealError::NotBase64));
        assert_eq!(sek().open(""), Err(SealError::DoesNotOpen));
    }

    #[test]
    fn a_key_of_another_length_is_refused() {
        assert_eq!(Sek::from_bytes(&[1; 31]).unwrap_err(), SealError::KeyLength { found: 31 });
        assert_eq!(AppKey::from_bytes(&[1; 33]).unwrap_err(), SealError::KeyLength { found: 33 });
    }

    #[test]
    fn printing_a_key_shows_nothing_of_it() {
        assert_eq!(format!("{:?}", sek()), "Sek([secret])");
        assert_eq!(format!("{:?}", AppKey::from_bytes(&[9; 32]).unwrap()), "AppKey([secret])");
    }

    proptest! {
        #[test]
        fn what_is_sealed_opens_again(plain in proptest::collection::vec(any::<u8>(), 0..500)) {
            prop_assert_eq!(sek().open(&sek().seal(&plain)).unwrap(), plain);
        }

        #[test]
        fn any_text_opens_or_fails_without_a_panic(text in ".*", bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _either = sek().open_json(&text);
            let _either = sek().open_json(&BASE64.encode(bytes));
        }
    }
}
