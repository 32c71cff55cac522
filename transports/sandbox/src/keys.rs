//! The emulator's key pairs: one for each system's logins, one that signs registrations.
//!
//! They are made on first start, differ from each other as they do at the portal today, and are
//! worthless: everything they protect is invented. Their files say so.

use std::fmt;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeySize, Pkcs1PrivateDecryptingKey, PrivateDecryptingKey};
use aws_lc_rs::signature::{KeyPair, RSA_PKCS1_SHA256, RsaKeyPair};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

use crate::error::SandboxError;
use crate::journal::JOURNAL_FILE;

/// Text before the key in a private file; readers of PEM skip it (RFC 7468, section 2).
const WORTHLESS: &str = "This key belongs to the einvoice sandbox, an emulator on this machine.\n\
                         It protects nothing, opens nothing elsewhere, and may be deleted.\n\n";
/// Files of the data directory.
const AUTH_PRIVATE: &str = "auth-private-worthless.pem";
const SIGNING_PRIVATE: &str = "signing-private-worthless.pem";
const EWB_AUTH_PRIVATE: &str = "ewb-auth-private-worthless.pem";
const EWB_AUTH_PUBLIC: &str = "ewb-auth-public.pem";
const AUTH_PUBLIC: &str = "auth-public.pem";
const SIGNING_PUBLIC: &str = "signing-public.pem";
const PRIVATE: [&str; 3] = [AUTH_PRIVATE, SIGNING_PRIVATE, EWB_AUTH_PRIVATE];
const PUBLIC: [&str; 3] = [AUTH_PUBLIC, SIGNING_PUBLIC, EWB_AUTH_PUBLIC];

/// The key pairs, ready for use.
pub(crate) struct PortalKeys {
    auth: Pkcs1PrivateDecryptingKey,
    auth_private: Vec<u8>,
    auth_public: Vec<u8>,
    signing: RsaKeyPair,
    signing_private: Vec<u8>,
    signing_public: Vec<u8>,
    kid: String,
    x5t: String,
    ewb: EwbKey,
}

/// The pair that opens logins to the e-way bill system.
struct EwbKey {
    opens: Pkcs1PrivateDecryptingKey,
    private: Vec<u8>,
    public: Vec<u8>,
}

impl EwbKey {
    fn from_pkcs8(private: &[u8]) -> Option<Self> {
        let key = PrivateDecryptingKey::from_pkcs8(private).ok()?;
        let public: PublicKeyX509Der<'_> = key.public_key().as_der().ok()?;
        let public = public.as_ref().to_vec();
        Some(Self { opens: Pkcs1PrivateDecryptingKey::new(key).ok()?, private: private.to_vec(), public })
    }
}

impl fmt::Debug for PortalKeys {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("PortalKeys").field("kid", &self.kid).finish_non_exhaustive()
    }
}

impl PortalKeys {
    /// Makes new pairs.
    pub(crate) fn generate() -> Result<Self, SandboxError> {
        let failed = |_| SandboxError::Key { action: "make a key pair" };
        let auth = PrivateDecryptingKey::generate(KeySize::Rsa2048).map_err(failed)?;
        let signing = PrivateDecryptingKey::generate(KeySize::Rsa2048).map_err(failed)?;
        let auth: Pkcs8V1Der<'_> = auth.as_der().map_err(failed)?;
        let signing: Pkcs8V1Der<'_> = signing.as_der().map_err(failed)?;
        let ewb = PrivateDecryptingKey::generate(KeySize::Rsa2048).map_err(failed)?;
        let ewb: Pkcs8V1Der<'_> = ewb.as_der().map_err(failed)?;
        Self::from_pkcs8(auth.as_ref(), signing.as_ref(), ewb.as_ref())
            .ok_or(SandboxError::Key { action: "read its own new keys" })
    }

    /// Pairs for a portal in memory. All of one process share them, since making them takes longer
    /// than most tests.
    pub(crate) fn of_this_process() -> Result<Self, SandboxError> {
        static KEYS: Mutex<Option<[Vec<u8>; 3]>> = Mutex::new(None);
        let mut keys = KEYS.lock().unwrap_or_else(PoisonError::into_inner);
        let known = keys.as_ref().and_then(|[auth, signing, ewb]| Self::from_pkcs8(auth, signing, ewb));
        if let Some(known) = known {
            return Ok(known);
        }
        let made = Self::generate()?;
        *keys = Some([made.auth_private.clone(), made.signing_private.clone(), made.ewb.private.clone()]);
        Ok(made)
    }

    fn from_pkcs8(auth_private: &[u8], signing_private: &[u8], ewb_private: &[u8]) -> Option<Self> {
        let auth = PrivateDecryptingKey::from_pkcs8(auth_private).ok()?;
        let auth_public: PublicKeyX509Der<'_> = auth.public_key().as_der().ok()?;
        let signing = RsaKeyPair::from_pkcs8(signing_private).ok()?;
        let signing_public: PublicKeyX509Der<'_> = signing.public_key().as_der().ok()?;
        // The portal takes the thumbprint of a certificate; there is none here, so that of the
        // public key stands in: as stable, and of the same form.
        let thumbprint = digest(&SHA1_FOR_LEGACY_USE_ONLY, signing_public.as_ref());
        let kid = crate::hex::upper(thumbprint.as_ref());
        Some(Self {
            auth_private: auth_private.to_vec(),
            auth_public: auth_public.as_ref().to_vec(),
            auth: Pkcs1PrivateDecryptingKey::new(auth).ok()?,
            signing_private: signing_private.to_vec(),
            signing_public: signing_public.as_ref().to_vec(),
            signing,
            kid,
            x5t: URL_SAFE_NO_PAD.encode(thumbprint.as_ref()),
            ewb: EwbKey::from_pkcs8(ewb_private)?,
        })
    }

    /// Reads the pairs of a data directory, or makes and writes them. A start that was cut short has
    /// left fewer files than six and no journal; nobody knows those keys, so it begins anew.
    pub(crate) fn load_or_create(directory: &Path) -> Result<Self, SandboxError> {
        let there = |files: [&str; 3]| files.map(|file| directory.join(file).exists());
        let (private, public) = (there(PRIVATE), there(PUBLIC));
        let never_used = !directory.join(JOURNAL_FILE).exists();
        if private == [false; 3] || (never_used && (private != [true; 3] || public != [true; 3])) {
            let keys = Self::generate()?;
            keys.write(directory)?;
            return Ok(keys);
        }
        let [auth, signing, ewb] = PRIVATE.map(|file| directory.join(file));
        let read = |path: &Path| {
            let text = std::fs::read_to_string(path).map_err(SandboxError::file("read", path))?;
            from_pem(&text).ok_or_else(|| SandboxError::Damaged {
                path: path.into(),
                reason: "it holds no PEM private key".into(),
            })
        };
        Self::from_pkcs8(&read(&auth)?, &read(&signing)?, &read(&ewb)?).ok_or_else(|| SandboxError::Damaged {
            path: directory.into(),
            reason: "a private key in it is no RSA key".into(),
        })
    }

    fn write(&self, directory: &Path) -> Result<(), SandboxError> {
        let files = [
            (AUTH_PRIVATE, format!("{WORTHLESS}{}", to_pem("PRIVATE KEY", &self.auth_private))),
            (SIGNING_PRIVATE, format!("{WORTHLESS}{}", to_pem("PRIVATE KEY", &self.signing_private))),
            (EWB_AUTH_PRIVATE, format!("{WORTHLESS}{}", to_pem("PRIVATE KEY", &self.ewb.private))),
            (EWB_AUTH_PUBLIC, self.ewb_auth_public_pem()),
            (AUTH_PUBLIC, self.auth_public_pem()),
            (SIGNING_PUBLIC, self.signing_public_pem()),
        ];
        for (name, text) in files {
            let path = directory.join(name);
            crate::journal::write_whole(&path, text.as_bytes())?;
        }
        Ok(())
    }

    /// The key that clients encrypt their login with.
    pub(crate) fn auth_public_pem(&self) -> String {
        to_pem("PUBLIC KEY", &self.auth_public)
    }

    /// The key that clients encrypt their login to the e-way bill system with.
    pub(crate) fn ewb_auth_public_pem(&self) -> String {
        to_pem("PUBLIC KEY", &self.ewb.public)
    }

    /// Opens a login to the e-way bill system.
    pub(crate) fn open_ewb_login(&self, data: &str) -> Option<Vec<u8>> {
        let sealed = STANDARD.decode(data.trim()).ok()?;
        let mut plain = vec![0; self.ewb.opens.min_output_size()];
        self.ewb.opens.decrypt(&sealed, &mut plain).ok().map(|opened| opened.to_vec())
    }

    /// The key that clients verify registrations with.
    pub(crate) fn signing_public_pem(&self) -> String {
        to_pem("PUBLIC KEY", &self.signing_public)
    }

    /// `kid` of the tokens: upper-case hex SHA-1.
    pub(crate) fn kid(&self) -> &str {
        &self.kid
    }

    /// Opens a login: base64 of an RSA PKCS#1 v1.5 ciphertext.
    pub(crate) fn open_login(&self, data: &str) -> Option<Vec<u8>> {
        let sealed = STANDARD.decode(data.trim()).ok()?;
        let mut plain = vec![0; self.auth.min_output_size()];
        self.auth.decrypt(&sealed, &mut plain).ok().map(|opened| opened.to_vec())
    }

    /// A compact JWT in the portal's layout around a `data` text.
    pub(crate) fn sign(&self, data: &str, issuer: &str) -> Option<String> {
        let header = format!(r#"{{"alg":"RS256","kid":"{}","typ":"JWT","x5t":"{}"}}"#, self.kid, self.x5t);
        let payload = format!(r#"{{"data":{},"iss":{}}}"#, crate::node::quoted(data), crate::node::quoted(issuer));
        let input = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload));
        let mut signature = vec![0; self.signing.public_modulus_len()];
        self.signing.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), input.as_bytes(), &mut signature).ok()?;
        Some(format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}

fn to_pem(label: &str, der: &[u8]) -> String {
    let body = STANDARD.encode(der);
    let lines = body.as_bytes().chunks(64).map(|line| String::from_utf8_lossy(line).into_owned());
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.collect::<Vec<_>>().join("\n"))
}

fn from_pem(text: &str) -> Option<Vec<u8>> {
    let (_, rest) = text.split_once("-----BEGIN PRIVATE KEY-----")?;
    let (body, _) = rest.split_once("-----END PRIVATE KEY-----")?;
    STANDARD.decode(body.split_whitespace().collect::<String>()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_survive_a_restart_and_their_private_files_say_that_they_are_worthless() {
        let directory = tempfile::tempdir().unwrap();
        let first = PortalKeys::load_or_create(directory.path()).unwrap();
        let second = PortalKeys::load_or_create(directory.path()).unwrap();
        assert_eq!(first.kid(), second.kid());
        assert_eq!(first.auth_public_pem(), second.auth_public_pem());
        assert_ne!(first.auth_public_pem(), first.signing_public_pem());
        for name in [AUTH_PRIVATE, SIGNING_PRIVATE] {
            assert!(std::fs::read_to_string(directory.path().join(name)).unwrap().contains("protects nothing"));
        }
    }

    #[test]
    fn a_first_start_that_was_cut_short_begins_anew_and_a_used_directory_never_does() {
        for missing in [AUTH_PRIVATE, SIGNING_PRIVATE, AUTH_PUBLIC, SIGNING_PUBLIC] {
            let directory = tempfile::tempdir().unwrap();
            PortalKeys::load_or_create(directory.path()).unwrap();
            std::fs::remove_file(directory.path().join(missing)).unwrap();
            let made = PortalKeys::load_or_create(directory.path()).unwrap();
            let public = std::fs::read_to_string(directory.path().join(AUTH_PUBLIC)).unwrap();
            assert_eq!(public, made.auth_public_pem(), "{missing}");
            std::fs::write(directory.path().join(JOURNAL_FILE), "").unwrap();
            std::fs::remove_file(directory.path().join(SIGNING_PRIVATE)).unwrap();
            PortalKeys::load_or_create(directory.path()).unwrap_err();
        }
    }

    #[test]
    fn debug_shows_no_private_key() {
        let keys = PortalKeys::generate().unwrap();
        assert_eq!(format!("{keys:?}"), format!("PortalKeys {{ kid: \"{}\", .. }}", keys.kid()));
    }
}
