//! Keys and tokens made on the spot, for the tests of this crate. None of them is a portal's.

use std::sync::OnceLock;

use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeySize, Pkcs1PrivateDecryptingKey, PrivateDecryptingKey};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair};
use base64::Engine as _;

use crate::encoding::{BASE64, BASE64_URL};

/// An RSA key pair of a test.
pub(crate) struct TestKey {
    pub(crate) spki: Vec<u8>,
    pub(crate) pkcs1: Vec<u8>,
    decrypting: Pkcs1PrivateDecryptingKey,
    signing: RsaKeyPair,
}

impl TestKey {
    /// One pair for all tests of a process, since making one takes a while.
    pub(crate) fn shared() -> &'static Self {
        static KEY: OnceLock<TestKey> = OnceLock::new();
        KEY.get_or_init(Self::generate)
    }

    /// Another pair than [`Self::shared`].
    pub(crate) fn other() -> &'static Self {
        static KEY: OnceLock<TestKey> = OnceLock::new();
        KEY.get_or_init(Self::generate)
    }

    fn generate() -> Self {
        let private = PrivateDecryptingKey::generate(KeySize::Rsa2048).unwrap();
        let pkcs8 = private.as_der().unwrap();
        let spki: PublicKeyX509Der<'_> = private.public_key().as_der().unwrap();
        let signing = RsaKeyPair::from_pkcs8(pkcs8.as_ref()).unwrap();
        Self {
            spki: spki.as_ref().to_vec(),
            pkcs1: signing.public_key().as_ref().to_vec(),
            decrypting: Pkcs1PrivateDecryptingKey::new(private).unwrap(),
            signing,
        }
    }

    /// Opens what was encrypted with the public key.
    pub(crate) fn decrypt(&self, sealed: &[u8]) -> Vec<u8> {
        let mut out = vec![0; self.decrypting.min_output_size()];
        self.decrypting.decrypt(sealed, &mut out).unwrap().to_vec()
    }

    /// A compact token with this header and payload.
    pub(crate) fn token(&self, header: &str, payload: &str) -> String {
        let signed = format!("{}.{}", BASE64_URL.encode(header), BASE64_URL.encode(payload));
        let mut signature = vec![0; self.signing.public_modulus_len()];
        self.signing.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature).unwrap();
        format!("{signed}.{}", BASE64_URL.encode(signature))
    }

    /// A certificate around the key, with empty names and a signature of zeros: nobody here checks
    /// certificate chains.
    pub(crate) fn certificate(&self) -> Vec<u8> {
        let empty = element(0x30, &[]);
        let tbs = [
            element(0xA0, &element(0x02, &[2])),
            element(0x02, &[1]),
            empty.clone(),
            empty.clone(),
            empty.clone(),
            empty.clone(),
            self.spki.clone(),
        ]
        .concat();
        element(0x30, &[element(0x30, &tbs), empty, element(0x03, &[0, 0])].concat())
    }
}

/// A DER element.
fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut out = vec![tag];
    match u16::try_from(content.len()).unwrap() {
        length @ 0..0x80 => out.push(u8::try_from(length).unwrap()),
        length => {
            out.push(0x82);
            out.extend(length.to_be_bytes());
        }
    }
    out.extend(content);
    out
}

/// PEM of a block.
pub(crate) fn pem(label: &str, der: &[u8]) -> String {
    let text = BASE64.encode(der);
    let lines: Vec<_> = text.as_bytes().chunks(64).map(|line| String::from_utf8_lossy(line).into_owned()).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

/// A file of the shared samples, or nothing (with a notice) where the folder is absent.
pub(crate) fn sample(name: &str) -> Option<String> {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/spec/samples").join(name);
    let text = std::fs::read_to_string(&path).ok();
    if text.is_none() {
        eprintln!("skipped: the sample {name} is not here");
    }
    text
}
