//! RSA public keys as portals publish them: PEM or DER, bare or inside a certificate.

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::rsa::PublicKeyComponents;
use base64::Engine as _;
use jiff::Timestamp;

use crate::der::{Der, Tag};
use crate::encoding::BASE64;
use crate::validity;

/// Smallest key taken, in bits: NIC uses 2048 for login and for signatures alike.
pub const KEY_BITS_MIN: usize = 2048;
/// Largest key taken, in bits; what the cryptographic library verifies.
pub const KEY_BITS_MAX: usize = 8192;
/// Largest key file read, in bytes. A certificate chain has some ten thousand.
pub const KEY_FILE_BYTES_MAX: usize = 1024 * 1024;

const BEGIN: &str = "-----BEGIN ";
const DASHES: &str = "-----";

/// Why a text or file is no public key we can use.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// Larger than a key can be.
    #[error("{bytes} bytes are too many for a public key (at most {KEY_FILE_BYTES_MAX})")]
    TooLarge {
        /// Size found.
        bytes: usize,
    },
    /// No PEM block and no base64 either.
    #[error(
        "no public key found: expected a block that begins with '-----BEGIN PUBLIC KEY-----' or '-----BEGIN CERTIFICATE-----'"
    )]
    NothingFound,
    /// A block without its end, or with characters that are no base64.
    #[error("the block '{label}' is damaged: {reason}; copy the whole file again")]
    DamagedBlock {
        /// Label of the block.
        label: String,
        /// What is wrong.
        reason: &'static str,
    },
    /// A private key, which has no business here.
    #[error("the block '{label}' is a private key; the portal's public key or certificate is needed")]
    PrivateKey {
        /// Label of the block.
        label: String,
    },
    /// The DER inside is not what the label says.
    #[error("the key cannot be read: {reason}")]
    NotAKey {
        /// What was found instead.
        reason: &'static str,
    },
    /// A key of another size than we take.
    #[error("the RSA key has {bits} bits; {KEY_BITS_MIN} to {KEY_BITS_MAX} are expected")]
    Size {
        /// Bits found.
        bits: usize,
    },
}

/// An RSA public key.
#[derive(Clone, PartialEq, Eq)]
pub struct RsaPublicKey {
    modulus: Vec<u8>,
    exponent: Vec<u8>,
    spki_sha1: [u8; 20],
    certificate_sha1: Option<[u8; 20]>,
    not_after: Option<Timestamp>,
}

impl std::fmt::Debug for RsaPublicKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("RsaPublicKey").field("bits", &self.bits()).field("kid", &self.kid()).finish()
    }
}

/// A key of a PEM file, with the words that stand before its block.
#[derive(Debug, Clone)]
pub struct PemKey {
    /// The key.
    pub key: RsaPublicKey,
    /// Explanatory text before the block (RFC 7468, section 2), where a key id may be written.
    pub notes: String,
}

impl RsaPublicKey {
    /// Reads the first key of a PEM text, or the bare base64 of a DER key, which is how some portal
    /// pages show it.
    ///
    /// # Errors
    /// When there is none, or it is damaged, too small, or private.
    pub fn from_pem(text: &str) -> Result<Self, KeyError> {
        Self::all_from_pem(text)?.into_iter().next().map(|found| found.key).ok_or(KeyError::NothingFound)
    }

    /// Reads all keys of a PEM text in their order.
    ///
    /// # Errors
    /// When there is none, or one of them cannot be used.
    pub fn all_from_pem(text: &str) -> Result<Vec<PemKey>, KeyError> {
        if text.len() > KEY_FILE_BYTES_MAX {
            return Err(KeyError::TooLarge { bytes: text.len() });
        }
        if !text.contains(BEGIN) {
            let der = base64_lines(text).filter(|der| !der.is_empty()).ok_or(KeyError::NothingFound)?;
            return Ok(vec![PemKey { key: Self::from_der(&der)?, notes: String::new() }]);
        }
        let mut keys = Vec::new();
        let mut rest = text;
        while let Some((notes, block)) = rest.split_once(BEGIN) {
            let (label, body) = block.split_once(DASHES).ok_or(KeyError::NothingFound)?;
            let damaged = |reason| KeyError::DamagedBlock { label: shown(label), reason };
            let end = format!("-----END {label}-----");
            let (body, after) = body.split_once(&end).ok_or_else(|| damaged("its end is missing"))?;
            if label.contains("PRIVATE") {
                return Err(KeyError::PrivateKey { label: shown(label) });
            }
            let der = base64_lines(body).ok_or_else(|| damaged("it holds characters that are no base64"))?;
            keys.push(PemKey { key: Self::from_der(&der)?, notes: notes.trim().to_owned() });
            rest = after;
        }
        Ok(keys)
    }

    /// Reads a DER `SubjectPublicKeyInfo`, `RSAPublicKey` or X.509 certificate; which one it is shows
    /// in its structure.
    ///
    /// # Errors
    /// When it is none of them, or no RSA key of a size we take.
    pub fn from_der(der: &[u8]) -> Result<Self, KeyError> {
        let not_a_key = |reason| KeyError::NotAKey { reason };
        let outer = Der::new(der).only(Tag::SEQUENCE).ok_or(not_a_key("it is no DER sequence"))?;
        let (numbers, certificate_sha1) = if Der::new(outer).next_is(Tag::INTEGER) {
            (outer, None)
        } else if let Some(key) = spki_key(outer) {
            (key, None)
        } else if let Some(key) = certificate_spki(outer).and_then(spki_key) {
            (key, Some(sha1(der)))
        } else {
            return Err(not_a_key("it is neither an RSA public key nor a certificate of one"));
        };
        let mut numbers = Der::new(numbers);
        let modulus = numbers.take(Tag::INTEGER).ok_or(not_a_key("the RSA modulus is missing"))?;
        let exponent = numbers.take(Tag::INTEGER).ok_or(not_a_key("the RSA exponent is missing"))?;
        let mut key =
            Self::from_components(without_leading_zeros(modulus), without_leading_zeros(exponent), certificate_sha1)?;
        key.not_after = certificate_sha1.and_then(|_| validity::not_after(outer));
        Ok(key)
    }

    fn from_components(modulus: &[u8], exponent: &[u8], certificate_sha1: Option<[u8; 20]>) -> Result<Self, KeyError> {
        let bits = modulus.len() * 8;
        if !(KEY_BITS_MIN..=KEY_BITS_MAX).contains(&bits) {
            return Err(KeyError::Size { bits });
        }
        let components = PublicKeyComponents { n: modulus, e: exponent };
        let spki: PublicKeyX509Der<'_> =
            components.as_der().map_err(|_| KeyError::NotAKey { reason: "modulus and exponent make no RSA key" })?;
        Ok(Self {
            modulus: modulus.to_vec(),
            exponent: exponent.to_vec(),
            spki_sha1: sha1(spki.as_ref()),
            certificate_sha1,
            not_after: None,
        })
    }

    /// Size in bits.
    #[must_use]
    pub const fn bits(&self) -> usize {
        self.modulus.len() * 8
    }

    /// The key id: upper-case hex SHA-1 of the certificate, or, for a bare key, of its
    /// `SubjectPublicKeyInfo`.
    #[must_use]
    pub fn kid(&self) -> String {
        upper_hex(self.certificate_sha1.as_ref().unwrap_or(&self.spki_sha1))
    }

    /// Whether the key came in a certificate, so that [`Self::kid`] is the portal's own.
    #[must_use]
    pub const fn has_certificate(&self) -> bool {
        self.certificate_sha1.is_some()
    }

    /// Until when the certificate that the key came in is valid; nothing for a bare key, which says nothing of it.
    #[must_use]
    pub const fn not_after(&self) -> Option<Timestamp> {
        self.not_after
    }

    /// Whether both hold the same key, however each of them came: bare or in a certificate.
    #[must_use]
    pub fn is_same_key(&self, other: &Self) -> bool {
        self.spki_sha1 == other.spki_sha1
    }

    /// Modulus and exponent, big-endian without leading zeros.
    #[must_use]
    pub fn components(&self) -> PublicKeyComponents<&[u8]> {
        PublicKeyComponents { n: &self.modulus, e: &self.exponent }
    }
}

/// `AlgorithmIdentifier` and the key inside a `SubjectPublicKeyInfo`'s content.
fn spki_key(spki: &[u8]) -> Option<&[u8]> {
    // rsaEncryption, 1.2.840.113549.1.1.1 (RFC 8017, appendix A.1).
    const RSA_ENCRYPTION: [u8; 9] = [0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x01];
    let mut spki = Der::new(spki);
    let mut algorithm = Der::new(spki.take(Tag::SEQUENCE)?);
    if algorithm.take(Tag::OBJECT_IDENTIFIER)? != RSA_ENCRYPTION {
        return None;
    }
    // The first octet of a bit string counts unused bits; a key has none.
    let key = spki.take(Tag::BIT_STRING)?.strip_prefix(&[0])?;
    Der::new(key).only(Tag::SEQUENCE)
}

/// The content of `SubjectPublicKeyInfo` inside a certificate's content (RFC 5280, section 4.1).
fn certificate_spki(certificate: &[u8]) -> Option<&[u8]> {
    let mut tbs = Der::new(Der::new(certificate).take(Tag::SEQUENCE)?);
    if tbs.next_is(Tag::VERSION) {
        tbs.take(Tag::VERSION)?;
    }
    tbs.take(Tag::INTEGER)?;
    // Signature algorithm, issuer, validity, subject; then the key.
    for _ in 0..4 {
        tbs.take(Tag::SEQUENCE)?;
    }
    tbs.take(Tag::SEQUENCE)
}

fn base64_lines(text: &str) -> Option<Vec<u8>> {
    let compact: String = text.chars().filter(|character| !character.is_whitespace()).collect();
    BASE64.decode(compact).ok()
}

fn without_leading_zeros(bytes: &[u8]) -> &[u8] {
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    bytes.get(zeros..).unwrap_or_default()
}

fn sha1(bytes: &[u8]) -> [u8; 20] {
    // SHA-1 only names a key here, as certificate thumbprints do; nothing is trusted because of it.
    let mut out = [0; 20];
    for (to, from) in out.iter_mut().zip(digest(&SHA1_FOR_LEGACY_USE_ONLY, bytes).as_ref()) {
        *to = *from;
    }
    out
}

/// Upper-case hex, the form of a `kid`.
#[must_use]
pub fn upper_hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _infallible = write!(text, "{byte:02X}");
        text
    })
}

/// A label as it may be shown: short, and letters only.
fn shown(label: &str) -> String {
    label.chars().filter(|character| character.is_ascii_alphanumeric() || *character == ' ').take(40).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{TestKey, pem};
    use proptest::prelude::*;

    #[test]
    fn pem_bare_base64_and_both_der_forms_give_the_same_key() {
        let key = TestKey::shared();
        let from_pem = RsaPublicKey::from_pem(&pem("PUBLIC KEY", &key.spki)).unwrap();
        assert_eq!(RsaPublicKey::from_der(&key.spki).unwrap(), from_pem);
        assert_eq!(RsaPublicKey::from_der(&key.pkcs1).unwrap(), from_pem);
        assert_eq!(RsaPublicKey::from_pem(&BASE64.encode(&key.spki)).unwrap(), from_pem);
        assert_eq!(from_pem.bits(), 2048);
        assert!(!from_pem.has_certificate());
    }

    #[test]
    fn a_certificate_gives_its_key_and_its_thumbprint() {
        let key = TestKey::shared();
        let certificate = key.certificate();
        let found = RsaPublicKey::from_pem(&pem("CERTIFICATE", &certificate)).unwrap();
        assert!(found.has_certificate());
        assert_eq!(found.kid(), upper_hex(&sha1(&certificate)));
        assert_eq!(found.modulus, RsaPublicKey::from_der(&key.spki).unwrap().modulus);
    }

    #[test]
    fn several_keys_of_one_file_are_found_with_the_words_before_them() {
        let key = TestKey::shared();
        let text = format!("kid: AB12\n{}\nold one\n{}", pem("PUBLIC KEY", &key.spki), pem("PUBLIC KEY", &key.spki));
        let found = RsaPublicKey::all_from_pem(&text).unwrap();
        let notes: Vec<_> = found.iter().map(|found| found.notes.as_str()).collect();
        assert_eq!(notes, ["kid: AB12", "old one"]);
    }

    #[test]
    fn each_mistake_has_its_own_message() {
        let key = TestKey::shared();
        assert_eq!(RsaPublicKey::from_pem("hello world").unwrap_err(), KeyError::NothingFound);
        assert_eq!(RsaPublicKey::from_pem("").unwrap_err(), KeyError::NothingFound);
        let private = RsaPublicKey::from_pem(&pem("PRIVATE KEY", b"x")).unwrap_err();
        assert!(matches!(private, KeyError::PrivateKey { .. }));
        let cut = pem("PUBLIC KEY", &key.spki).replace("-----END", "");
        assert!(matches!(RsaPublicKey::from_pem(&cut).unwrap_err(), KeyError::DamagedBlock { .. }));
        let not_a_key = RsaPublicKey::from_pem(&pem("PUBLIC KEY", &[0x30, 0x03, 0x04, 0x01, 0x00])).unwrap_err();
        assert!(matches!(not_a_key, KeyError::NotAKey { .. }));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _either = RsaPublicKey::from_der(&bytes);
            let _either = RsaPublicKey::from_pem(&String::from_utf8_lossy(&bytes));
        }

        #[test]
        fn a_damaged_key_is_read_or_refused_without_a_panic(at in 0_usize..294, value in any::<u8>()) {
            let mut der = TestKey::shared().spki.clone();
            if let Some(byte) = der.get_mut(at) {
                *byte = value;
            }
            let _either = RsaPublicKey::from_der(&der);
        }
    }
}
