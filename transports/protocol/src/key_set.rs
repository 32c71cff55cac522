//! The portal keys that are trusted to sign, by key id.
//!
//! Production sites, sandboxes and private portals each have keys of their own and change them, so
//! the set is configuration. Nothing a token says about keys ever adds one.

use aws_lc_rs::signature::{ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256};
use einvoice_core::verify::{TokenVerdict, TokenVerifier};

use crate::jwt;
use crate::public_key::{KeyError, RsaPublicKey};

/// Fewest hex digits that name a key when they are the beginning of its id: 2^32 possibilities, so
/// that two keys of one portal do not share them by chance.
const PREFIX_DIGITS_MIN: usize = 8;
/// Hex digits of a whole key id (SHA-1).
const KID_DIGITS: usize = 40;

/// Keys trusted to sign registrations.
#[derive(Debug, Clone, Default)]
pub struct KeySet {
    keys: Vec<TrustedKey>,
}

/// One key of a [`KeySet`].
#[derive(Clone)]
pub struct TrustedKey {
    id: String,
    key: RsaPublicKey,
    parsed: ParsedPublicKey,
}

impl std::fmt::Debug for TrustedKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("TrustedKey")
            .field("id", &self.id)
            .field("bits", &self.key.bits())
            .finish_non_exhaustive()
    }
}

impl TrustedKey {
    /// The key id, upper case, or the beginning of it.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Whether a token's key id means this key.
    fn is_named(&self, kid: &str) -> bool {
        let beginning = kid.get(..self.id.len()).unwrap_or(kid);
        let whole = self.id.len() >= KID_DIGITS || !is_hex(&self.id);
        if whole { kid.eq_ignore_ascii_case(&self.id) } else { beginning.eq_ignore_ascii_case(&self.id) }
    }

    /// Whether the signature over these bytes is this key's.
    pub(crate) fn verifies(&self, signed: &[u8], signature: &[u8]) -> bool {
        self.parsed.verify_sig(signed, signature).is_ok()
    }

    /// Whether the signature is this key's over other bytes.
    pub(crate) fn made_for_other_bytes(&self, signature: &[u8]) -> bool {
        crate::padding::was_made_with(self.key.components(), signature)
    }
}

impl KeySet {
    /// A set without keys: every well-formed token is unverifiable.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds all keys of a PEM text (public keys or certificates).
    ///
    /// The id is the given one; else what the words before the block say (`kid: ...`); else the
    /// certificate's thumbprint; else, for a bare key, the thumbprint of the key itself, which is
    /// what the emulator uses. A bare key of the portal without an id still verifies its tokens.
    ///
    /// # Errors
    /// When there is no usable key; the set is then unchanged.
    pub fn add_pem(&mut self, text: &str, kid: Option<&str>) -> Result<(), KeyError> {
        self.add_all(text, kid)
    }

    /// Adds all keys of a file. Like [`Self::add_pem`] without an id, and where neither the words in
    /// the file nor a certificate give one, at least eight hex digits in the file's name count as
    /// the beginning of the id: `nic-signing-key-1513B821.pem`.
    ///
    /// # Errors
    /// When there is no usable key; the set is then unchanged.
    pub fn add_file(&mut self, file_name: &str, text: &str) -> Result<(), KeyError> {
        let keys = RsaPublicKey::all_from_pem(text)?;
        let only_key_is_bare = matches!(keys.as_slice(), [found] if !found.key.has_certificate());
        let hint = hex_run(file_name).filter(|_| only_key_is_bare && noted_kid(text).is_none());
        self.add_all(text, hint.as_deref())
    }

    fn add_all(&mut self, text: &str, kid: Option<&str>) -> Result<(), KeyError> {
        let mut added = Vec::new();
        for found in RsaPublicKey::all_from_pem(text)? {
            let id = kid.map(str::to_owned).or_else(|| noted_kid(&found.notes)).unwrap_or_else(|| found.key.kid());
            let parsed = found
                .key
                .components()
                .to_parsed_public_key(&RSA_PKCS1_2048_8192_SHA256)
                .map_err(|_| KeyError::NotAKey { reason: "modulus and exponent make no RSA key" })?;
            added.push(TrustedKey { id: id.trim().to_ascii_uppercase(), key: found.key, parsed });
        }
        self.keys.append(&mut added);
        Ok(())
    }

    /// The keys, in the order they were added.
    #[must_use]
    pub fn keys(&self) -> &[TrustedKey] {
        &self.keys
    }

    /// The keys that an id means.
    pub(crate) fn named<'a>(&'a self, kid: &'a str) -> impl Iterator<Item = &'a TrustedKey> {
        self.keys.iter().filter(move |key| !kid.is_empty() && key.is_named(kid))
    }
}

impl TokenVerifier for KeySet {
    fn verify(&self, token: &str) -> TokenVerdict {
        jwt::verify(self, token)
    }
}

fn is_hex(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// A key id written as `kid: AB12...` or `kid=AB12...`.
fn noted_kid(notes: &str) -> Option<String> {
    notes.lines().find_map(|line| {
        let line = line.trim().trim_start_matches('#').trim_start();
        let rest = line.get(..3).filter(|word| word.eq_ignore_ascii_case("kid")).and(line.get(3..))?;
        let value = rest.trim_start().strip_prefix([':', '='])?.trim();
        (!value.is_empty()).then(|| value.to_owned())
    })
}

/// The longest run of hex digits in a file's name that is long enough to name a key.
fn hex_run(file_name: &str) -> Option<String> {
    file_name
        .split(|character: char| !character.is_ascii_alphanumeric())
        .filter(|part| (PREFIX_DIGITS_MIN..=KID_DIGITS).contains(&part.len()) && is_hex(part))
        .max_by_key(|part| part.len())
        .map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{TestKey, pem};

    fn ids(set: &KeySet) -> Vec<&str> {
        set.keys().iter().map(TrustedKey::id).collect()
    }

    #[test]
    fn the_id_is_given_noted_from_the_certificate_from_the_file_name_or_of_the_key_in_this_order() {
        let key = TestKey::shared();
        let bare = pem("PUBLIC KEY", &key.spki);
        let certificate = pem("CERTIFICATE", &key.certificate());
        let own = RsaPublicKey::from_der(&key.spki).unwrap().kid();
        let thumbprint = RsaPublicKey::from_der(&key.certificate()).unwrap().kid();
        let mut set = KeySet::new();
        set.add_pem(&bare, Some("ab12")).unwrap();
        set.add_pem(&format!("# kid: ff00\n{bare}"), None).unwrap();
        set.add_pem(&certificate, None).unwrap();
        set.add_file("key-1513b821.recovered.pem", &bare).unwrap();
        set.add_file("key-1513b821.recovered.pem", &certificate).unwrap();
        set.add_file("signing.pem", &bare).unwrap();
        assert_eq!(ids(&set), ["AB12", "FF00", thumbprint.as_str(), "1513B821", thumbprint.as_str(), own.as_str()]);
    }

    #[test]
    fn the_beginning_of_an_id_names_a_key_and_a_whole_id_only_itself() {
        let bare = pem("PUBLIC KEY", &TestKey::shared().spki);
        let mut set = KeySet::new();
        set.add_file("1513B821.pem", &bare).unwrap();
        assert_eq!(set.named("1513b821EE46C749A63B86E318BF711099287D1F").count(), 1);
        assert_eq!(set.named("1513B822EE46C749A63B86E318BF711099287D1F").count(), 0);
        assert_eq!(set.named("1513").count(), 0);
        assert_eq!(set.named("").count(), 0);
    }

    #[test]
    fn a_file_without_a_key_leaves_the_set_as_it_was() {
        let mut set = KeySet::new();
        assert!(set.add_file("x.pem", "nothing").is_err());
        assert!(set.keys().is_empty());
    }
}
