//! Login, version 1.04: the sealed credentials out, token and SEK in.

use std::sync::Arc;

use aws_lc_rs::rsa::{Pkcs1PublicEncryptingKey, PublicEncryptingKey};
use base64::Engine as _;
use einvoice_core::credential::{ApiUser, login_bytes_max};
use einvoice_core::environment::Product;
use einvoice_core::secret::Secret;
use einvoice_core::session::SavedSession;
use zeroize::Zeroizing;

use crate::encoding::BASE64;
use crate::envelope::Data;
use crate::members::{Members, MembersError};
use crate::public_key::{KeyError, RsaPublicKey};
use crate::seal::{AppKey, SealError, Sek, json_of};

/// Bytes that user name and password may have together with an RSA-2048 key, after JSON escaping.
pub const USER_AND_PASSWORD_BYTES_MAX: usize = login_bytes_max(Product::EInvoice);

/// Bytes that PKCS#1 v1.5 padding takes (RFC 8017, section 7.2.1).
const PADDING_BYTES: usize = 11;

/// The public key under which credentials travel. The portal has another pair for signatures. Clones share the key.
#[derive(Clone)]
pub struct AuthPublicKey {
    key: Arc<Pkcs1PublicEncryptingKey>,
}

impl std::fmt::Debug for AuthPublicKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("AuthPublicKey").field("bits", &self.key.key_size_bits()).finish()
    }
}

impl AuthPublicKey {
    /// Takes a key.
    ///
    /// # Errors
    /// When its numbers make no RSA key.
    pub fn new(key: &RsaPublicKey) -> Result<Self, KeyError> {
        let refused = |_| KeyError::NotAKey { reason: "modulus and exponent make no RSA key" };
        let key: PublicEncryptingKey = key.components().try_into().map_err(refused)?;
        Ok(Self { key: Arc::new(Pkcs1PublicEncryptingKey::new(key).map_err(refused)?) })
    }

    /// Reads a key from PEM, bare base64, or a certificate.
    ///
    /// # Errors
    /// When there is no RSA public key in it.
    pub fn from_pem(text: &str) -> Result<Self, KeyError> {
        Self::new(&RsaPublicKey::from_pem(text)?)
    }

    /// Bytes of JSON that fit into one login request.
    #[must_use]
    pub fn json_bytes_max(&self) -> usize {
        // Base64 turns three bytes into four.
        self.key.key_size_bytes().saturating_sub(PADDING_BYTES) / 4 * 3
    }

    pub(crate) fn encrypt(&self, plain: &[u8]) -> Result<Vec<u8>, LoginError> {
        let mut sealed = vec![0; self.key.ciphertext_size()];
        let length = self.key.encrypt(plain, &mut sealed).map_err(|_| LoginError::Encryption)?.len();
        sealed.truncate(length);
        Ok(sealed)
    }
}

/// Why no login request could be built, or no session be read from the answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LoginError {
    /// The credentials do not fit under the key.
    #[error(
        "user name and password have {found} bytes together and at most {max} fit into a login; \
         set a shorter password for this API user at the portal"
    )]
    CredentialsTooLong {
        /// Bytes they have, JSON-escaped.
        found: usize,
        /// Bytes that fit.
        max: usize,
    },
    /// User name or password is empty.
    #[error("{what} is empty")]
    CredentialsEmpty {
        /// Which of the two.
        what: &'static str,
    },
    /// The cryptographic library refused.
    #[error("the login could not be encrypted with the portal's key")]
    Encryption,
    /// The answer is no object of the known form.
    #[error("the login answer is damaged: {0}")]
    Damaged(#[from] MembersError),
    /// A text answer does not open with any AppKey.
    #[error("the login answer does not open: {0}")]
    DoesNotOpen(SealError),
    /// A member is missing.
    #[error("the login answer lacks {member}")]
    Missing {
        /// Name of the member.
        member: &'static str,
    },
    /// The SEK opens with no AppKey we have, and none is stored for this token.
    #[error(
        "the portal answered with a token whose SEK was wrapped in an earlier login that is not known here; \
         the token is renewed in its last ten minutes, at {expires}"
    )]
    SekOfAnotherLogin {
        /// `TokenExpiry` as sent.
        expires: String,
    },
}

/// Builds the body of a login request.
///
/// # Errors
/// When the credentials are empty or do not fit under the portal's key.
pub fn request(
    user: &ApiUser,
    app_key: &AppKey,
    force_refresh: bool,
    key: &AuthPublicKey,
) -> Result<Vec<u8>, LoginError> {
    sealed_credentials(user, &credentials_json(user, app_key, force_refresh), key)
}

/// Seals the JSON of a login, the same way for both systems.
pub(crate) fn sealed_credentials(user: &ApiUser, json: &str, key: &AuthPublicKey) -> Result<Vec<u8>, LoginError> {
    for (what, value) in [("the user name", &user.user_name), ("the password", &user.password)] {
        if value.expose().is_empty() {
            return Err(LoginError::CredentialsEmpty { what });
        }
    }
    let max = key.json_bytes_max();
    if json.len() > max {
        let found = escaped(&user.user_name).len() + escaped(&user.password).len() - 4;
        let fixed = json.len().saturating_sub(found);
        return Err(LoginError::CredentialsTooLong { found, max: max.saturating_sub(fixed) });
    }
    // The portal expects base64 inside the encryption (without it: 5001) and around it.
    let inner = Zeroizing::new(BASE64.encode(json.as_bytes()));
    let sealed = BASE64.encode(key.encrypt(inner.as_bytes())?);
    Ok(data_body(&sealed))
}

/// The body `{"Data":"..."}` of a request; base64 needs no escaping.
#[must_use]
pub fn data_body(data: &str) -> Vec<u8> {
    let mut body = Vec::with_capacity(data.len() + 11);
    body.extend_from_slice(br#"{"Data":""#);
    body.extend_from_slice(data.as_bytes());
    body.extend_from_slice(br#""}"#);
    body
}

/// Compact, with the members in the portal's order.
fn credentials_json(user: &ApiUser, app_key: &AppKey, force_refresh: bool) -> Zeroizing<String> {
    Zeroizing::new(format!(
        r#"{{"UserName":{},"Password":{},"AppKey":"{}","ForceRefreshAccessToken":{force_refresh}}}"#,
        *escaped(&user.user_name),
        *escaped(&user.password),
        app_key.to_base64().expose(),
    ))
}

/// The same with other values, each as JSON, in the place of some, and without members that have none.
pub(crate) fn changed_credentials(
    user: &ApiUser,
    app_key: &AppKey,
    changes: &[(&'static str, Option<String>)],
) -> Zeroizing<String> {
    let right = [
        ("UserName", escaped(&user.user_name)),
        ("Password", escaped(&user.password)),
        ("AppKey", Zeroizing::new(format!("\"{}\"", app_key.to_base64().expose()))),
        ("ForceRefreshAccessToken", Zeroizing::new("false".to_owned())),
    ];
    let mut json = Zeroizing::new("{".to_owned());
    for (name, value) in right {
        let change = changes.iter().rev().find(|(changed, _)| *changed == name).map(|(_, value)| value.as_deref());
        let Some(value) = change.unwrap_or(Some(value.as_str())) else { continue };
        let comma = if json.len() > 1 { "," } else { "" };
        json.push_str(&Zeroizing::new(format!("{comma}\"{name}\":{value}")));
    }
    json.push('}');
    json
}

/// A value as a JSON string, quotes included.
pub(crate) fn escaped(value: &Secret<String>) -> Zeroizing<String> {
    Zeroizing::new(serde_json::Value::from(value.expose().as_str()).to_string())
}

/// Reads the `Data` of a login answer.
///
/// A repeated login returns the token that is alive; whether its SEK is then wrapped with the new
/// AppKey or with that of the first login is not documented. So the new one is tried, then the
/// stored one, and a SEK counts only if it has 32 bytes. While the token is the stored one, the
/// stored SEK stays good.
///
/// # Errors
/// When the answer is damaged, or its SEK cannot be had.
pub fn read(data: &Data<'_>, app_key: &AppKey, previous: Option<&SavedSession>) -> Result<SavedSession, LoginError> {
    let stored = previous.and_then(|previous| AppKey::from_bytes(previous.app_key.expose()).ok());
    let app_keys: Vec<&AppKey> = std::iter::once(app_key).chain(stored.as_ref()).collect();
    let (json, sealed) = match data {
        Data::Json(json) => (Zeroizing::new((*json).to_owned()), false),
        Data::Text(text) => (open_with_any(text, &app_keys)?, true),
    };
    let members = Members::read(&json, &["AuthToken", "Sek", "TokenExpiry"])?;
    let token = members.text("AuthToken").map(Secret::new).ok_or(LoginError::Missing { member: "AuthToken" })?;
    let wrapped = members.text("Sek").map(Zeroizing::new).ok_or(LoginError::Missing { member: "Sek" })?;
    let expiry = LoginError::Missing { member: "a TokenExpiry of the form 2026-11-05 14:26:00" };
    let expires = members.moment("TokenExpiry").ok_or(expiry.clone())?;
    let expires_at = expires.to_timestamp().ok_or(expiry)?;
    let (sek, app_key) = match find_sek(&wrapped, sealed, &app_keys) {
        Some((sek, app_key)) => (sek.to_secret(), app_key.to_secret()),
        None => match previous
            .filter(|previous| previous.token == token && Sek::from_bytes(previous.sek.expose()).is_ok())
        {
            Some(previous) => (previous.sek.clone(), previous.app_key.clone()),
            None => return Err(LoginError::SekOfAnotherLogin { expires: expires.to_string() }),
        },
    };
    Ok(SavedSession { token, sek, app_key, expires_at, provider: None })
}

fn open_with_any(text: &str, app_keys: &[&AppKey]) -> Result<Zeroizing<String>, LoginError> {
    let mut failure = SealError::DoesNotOpen;
    for app_key in app_keys {
        match app_key.open(text).and_then(json_of) {
            Ok(json) => return Ok(Zeroizing::new(json)),
            Err(error) => failure = error,
        }
    }
    Err(LoginError::DoesNotOpen(failure))
}

/// Inside an answer that was sealed as a whole the SEK may stand as it is.
pub(crate) fn find_sek<'a>(wrapped: &str, sealed: bool, app_keys: &[&'a AppKey]) -> Option<(Sek, &'a AppKey)> {
    if sealed
        && let Ok(bytes) = BASE64.decode(wrapped).map(Zeroizing::new)
        && let Ok(sek) = Sek::from_bytes(&bytes)
    {
        return Some((sek, app_keys.first()?));
    }
    app_keys.iter().find_map(|app_key| Some((app_key.open_sek(wrapped).ok()?, *app_key)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{TestKey, sample};

    fn user(name: &str, password: &str) -> ApiUser {
        ApiUser { user_name: Secret::from(name), password: Secret::from(password) }
    }

    fn auth_key() -> AuthPublicKey {
        AuthPublicKey::new(&RsaPublicKey::from_der(&TestKey::shared().spki).unwrap()).unwrap()
    }

    fn app_key(byte: u8) -> AppKey {
        AppKey::from_bytes(&[byte; 32]).unwrap()
    }

    fn answer(token: &str, sek: &str) -> String {
        format!(
            r#"{{"ClientId":"c","UserName":"u","AuthToken":"{token}","Sek":"{sek}","TokenExpiry":"2026-11-05 18:00:00"}}"#
        )
    }

    /// The SEK of all nines, wrapped with an AppKey. Both key types use the same cipher.
    fn wrapped(app_key: &AppKey) -> String {
        Sek::from_bytes(app_key.to_secret().expose()).unwrap().seal(&[9; 32])
    }

    fn previous(token: &str, app_key: u8, sek: u8) -> SavedSession {
        SavedSession {
            token: Secret::from(token),
            sek: Secret::new(vec![sek; 32]),
            app_key: Secret::new(vec![app_key; 32]),
            expires_at: "2026-11-05T12:30:00Z".parse().unwrap(),
            provider: None,
        }
    }

    #[test]
    fn the_published_credentials_vector_is_met() {
        let Some(text) = sample("crypto-vectors.json") else { return };
        let vectors: serde_json::Value = serde_json::from_str(&text).unwrap();
        let app_key = BASE64.decode(vectors["app_key_b64"].as_str().unwrap()).unwrap();
        let app_key = AppKey::from_bytes(&app_key).unwrap();
        let json = credentials_json(&user("testuser", "Test@1234"), &app_key, false);
        assert_eq!(json.as_str(), vectors["auth_v104"]["credentials_json"].as_str().unwrap());
        let body = request(&user("testuser", "Test@1234"), &app_key, false, &auth_key()).unwrap();
        let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
        let opened = TestKey::shared().decrypt(&BASE64.decode(body["Data"].as_str().unwrap()).unwrap());
        assert_eq!(String::from_utf8(opened).unwrap(), vectors["auth_v104"]["rsa_input_ascii"].as_str().unwrap());
    }

    #[test]
    fn the_published_key_for_logins_is_read() {
        let Some(text) = sample("nic-sandbox-auth-encryption-key.pem") else { return };
        assert_eq!(AuthPublicKey::from_pem(&text).unwrap().json_bytes_max(), 183);
    }

    #[test]
    fn sixty_six_bytes_of_credentials_fit_and_sixty_seven_do_not() {
        let key = auth_key();
        assert!(request(&user(&"u".repeat(30), &"p".repeat(36)), &app_key(1), false, &key).is_ok());
        assert_eq!(
            request(&user(&"u".repeat(30), &"p".repeat(37)), &app_key(1), false, &key).unwrap_err(),
            LoginError::CredentialsTooLong { found: 67, max: USER_AND_PASSWORD_BYTES_MAX }
        );
    }

    #[test]
    fn a_quote_in_a_password_counts_twice() {
        let error = request(&user("u", &"\"".repeat(33)), &app_key(1), false, &auth_key()).unwrap_err();
        assert_eq!(error, LoginError::CredentialsTooLong { found: 67, max: 66 });
    }

    #[test]
    fn an_empty_password_is_noticed_before_the_portal_counts_it() {
        let error = request(&user("u", ""), &app_key(1), false, &auth_key()).unwrap_err();
        assert_eq!(error, LoginError::CredentialsEmpty { what: "the password" });
    }

    #[test]
    fn a_clear_answer_gives_the_unwrapped_sek_and_the_end_in_indian_time() {
        let json = answer("T1", &wrapped(&app_key(1)));
        let session = read(&Data::Json(&json), &app_key(1), None).unwrap();
        assert_eq!(session.sek.expose(), &vec![9; 32]);
        assert_eq!(session.app_key.expose(), &vec![1; 32]);
        assert_eq!(session.expires_at.to_string(), "2026-11-05T12:30:00Z");
    }

    #[test]
    fn an_answer_sealed_as_a_whole_may_hold_the_sek_plain_or_wrapped() {
        let seal = |plain: &str| Sek::from_bytes(&[1; 32]).unwrap().seal(plain.as_bytes());
        for sek in [BASE64.encode([9; 32]), wrapped(&app_key(1))] {
            let data = Data::Text(seal(&answer("T1", &sek)));
            assert_eq!(read(&data, &app_key(1), None).unwrap().sek.expose(), &vec![9; 32]);
        }
    }

    #[test]
    fn a_sek_wrapped_in_the_first_login_opens_with_the_stored_app_key() {
        let json = answer("T1", &wrapped(&app_key(1)));
        let session = read(&Data::Json(&json), &app_key(2), Some(&previous("T0", 1, 5))).unwrap();
        assert_eq!((session.sek.expose(), session.app_key.expose()), (&vec![9; 32], &vec![1; 32]));
    }

    #[test]
    fn the_stored_sek_stays_while_the_token_is_the_same_and_only_then() {
        let json = answer("T1", &wrapped(&app_key(3)));
        let kept = read(&Data::Json(&json), &app_key(2), Some(&previous("T1", 1, 5))).unwrap();
        assert_eq!(kept.sek.expose(), &vec![5; 32]);
        let error = read(&Data::Json(&json), &app_key(2), Some(&previous("T0", 1, 5))).unwrap_err();
        assert!(matches!(error, LoginError::SekOfAnotherLogin { .. }));
    }

    #[test]
    fn an_answer_without_a_member_says_which() {
        for (json, member) in [
            ("{}", "AuthToken"),
            (r#"{"AuthToken":"t"}"#, "Sek"),
            (r#"{"AuthToken":"t","Sek":"s","TokenExpiry":"soon"}"#, "a TokenExpiry of the form 2026-11-05 14:26:00"),
        ] {
            assert_eq!(read(&Data::Json(json), &app_key(1), None).unwrap_err(), LoginError::Missing { member });
        }
    }

    #[test]
    fn no_error_shows_a_credential() {
        let key = auth_key();
        let error = request(&user("theuser", &"hunter2".repeat(10)), &app_key(1), false, &key).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("hunter2"));
    }
}
