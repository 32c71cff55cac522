//! The portal's side of the sealing: AES-256-ECB with PKCS#7, and the two layerings of a payload.
//!
//! Written apart from `einvoice-protocol`, which seals for the client: two implementations that must
//! meet on the wire find each other's faults.

use aes::Aes256;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use cipher::block_padding::Pkcs7;
use cipher::{BlockModeDecrypt, BlockModeEncrypt, KeyInit};

use crate::node::Node;

/// Encrypts under a 32-byte key and encodes with base64.
pub(crate) fn seal(key: &[u8; 32], plain: &[u8]) -> String {
    STANDARD.encode(ecb::Encryptor::<Aes256>::new(&(*key).into()).encrypt_padded_vec::<Pkcs7>(plain))
}

/// Decodes base64 and decrypts; nothing if either fails.
pub(crate) fn open(key: &[u8; 32], sealed: &str) -> Option<Vec<u8>> {
    let sealed = STANDARD.decode(sealed.trim()).ok()?;
    ecb::Decryptor::<Aes256>::new(&(*key).into()).decrypt_padded_vec::<Pkcs7>(&sealed).ok()
}

/// Reads an opened payload: JSON as it stands, else base64 of JSON (some clients encode twice).
pub(crate) fn read_json(opened: &[u8]) -> Result<Node, String> {
    match Node::parse(opened) {
        Ok(node) => Ok(node),
        Err(error) => {
            let inner = std::str::from_utf8(opened).ok().and_then(|text| STANDARD.decode(text.trim()).ok());
            inner.and_then(|bytes| Node::parse(&bytes).ok()).ok_or_else(|| error.to_string())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_key_is_wrapped_as_48_bytes() {
        let app_key = [7; 32];
        let wrapped = seal(&app_key, &[9; 32]);
        assert_eq!(STANDARD.decode(&wrapped).unwrap().len(), 48);
        assert_eq!(open(&app_key, &wrapped).unwrap(), vec![9; 32]);
    }

    /// Vectors computed by others, read in place where they are at hand.
    #[test]
    fn published_vectors_open() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/spec/samples/crypto-vectors.json");
        let Ok(text) = std::fs::read_to_string(path) else {
            eprintln!("skipped: no vectors at {path}");
            return;
        };
        let vectors: serde_json::Value = serde_json::from_str(&text).unwrap();
        let bytes = |name: &str| STANDARD.decode(vectors[name].as_str().unwrap()).unwrap();
        let app_key: [u8; 32] = bytes("app_key_b64").try_into().unwrap();
        let sek = open(&app_key, vectors["sek_encrypted_with_app_key_b64"].as_str().unwrap()).unwrap();
        assert_eq!(sek, bytes("sek_plain_b64"));
        let cancel = &vectors["cancel"];
        let sek: [u8; 32] = sek.try_into().unwrap();
        for (body, plain) in [("request_body", "request_plain"), ("response_body", "response_plain")] {
            let (sealed, plain) = (cancel[body]["Data"].as_str().unwrap(), cancel[plain].as_str().unwrap());
            assert_eq!(open(&sek, sealed).unwrap(), plain.as_bytes());
            assert_eq!(seal(&sek, plain.as_bytes()), sealed);
        }
    }

    #[test]
    fn both_layerings_of_a_payload_are_read() {
        let plain = br#"{"Irn":"x"}"#;
        assert!(read_json(plain).is_ok());
        assert!(read_json(STANDARD.encode(plain).as_bytes()).is_ok());
        assert!(read_json(b"neither").is_err());
    }
}
