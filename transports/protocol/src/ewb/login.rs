//! `ACCESSTOKEN`: the login of the e-way bill system (NIC, e-way bill API 1.03, `/auth` since April 2021).
//!
//! Sealed like that of the IRP, with another key, other names, and no moment at which the token ends.

use einvoice_core::credential::ApiUser;
use einvoice_core::secret::Secret;
use einvoice_core::session::SavedSession;
use jiff::{SignedDuration, Timestamp};
use zeroize::Zeroizing;

use super::envelope::Accepted;
use crate::login::{AuthPublicKey, LoginError, escaped, find_sek, sealed_credentials};
use crate::members::Members;
use crate::object::quoted;
use crate::seal::{AppKey, Sek};

/// Minutes a token lives (a provider quoting NIC). Some gateways say it in `expiry`; a longer life is not believed.
const TOKEN_MINUTES: i64 = 360;

/// Builds the body of a login request.
///
/// # Errors
/// When the credentials are empty or do not fit under the system's key.
pub fn request(user: &ApiUser, app_key: &AppKey, key: &AuthPublicKey) -> Result<Vec<u8>, LoginError> {
    sealed_credentials(user, &credentials_json(user, app_key), key)
}

/// Compact, with the members in the order of NIC's page. The key is base64 of 32 bytes: the page's "32
/// characters" would make a key of 24 bytes.
fn credentials_json(user: &ApiUser, app_key: &AppKey) -> Zeroizing<String> {
    Zeroizing::new(format!(
        r#"{{"action":"ACCESSTOKEN","username":{},"password":{},"app_key":{}}}"#,
        *escaped(&user.user_name),
        *escaped(&user.password),
        *Zeroizing::new(quoted(app_key.to_base64().expose())),
    ))
}

/// Reads the answer to a login that was sent at `sent_at`.
///
/// A login inside the life of a token brings the same token back, whose end stays where it was. Whether its SEK
/// is then wrapped anew is not documented; so each `AppKey` is tried as for the IRP, and while the token is the
/// stored one the stored SEK stays good.
///
/// # Errors
/// When the answer is damaged, or its SEK cannot be had.
pub fn read(
    answer: &Accepted<'_>,
    app_key: &AppKey,
    previous: Option<&SavedSession>,
    sent_at: Timestamp,
) -> Result<SavedSession, LoginError> {
    // Gateways that speak for both systems put the members into `data`.
    let inner = answer.members().get("data").and_then(|data| Members::read(data.get(), &["authtoken", "sek"]).ok());
    let members = if answer.members().get("authtoken").is_some() { None } else { inner.as_ref() };
    let members = members.unwrap_or_else(|| answer.members());
    let token = members.text("authtoken").map(Secret::new).ok_or(LoginError::Missing { member: "authtoken" })?;
    let wrapped = members.text("sek").map(Zeroizing::new).ok_or(LoginError::Missing { member: "sek" })?;
    let same = previous.filter(|previous| previous.token == token);
    let expires_at = expires_at(members.text("expiry").as_deref(), same, sent_at);
    let stored = previous.and_then(|previous| AppKey::from_bytes(previous.app_key.expose()).ok());
    let app_keys: Vec<&AppKey> = std::iter::once(app_key).chain(stored.as_ref()).collect();
    if let Some((sek, app_key)) = find_sek(&wrapped, false, &app_keys) {
        return Ok(SavedSession {
            token,
            sek: sek.to_secret(),
            app_key: app_key.to_secret(),
            expires_at,
            provider: None,
        });
    }
    match same.filter(|previous| Sek::from_bytes(previous.sek.expose()).is_ok()) {
        Some(previous) => Ok(SavedSession {
            token,
            sek: previous.sek.clone(),
            app_key: previous.app_key.clone(),
            expires_at,
            provider: None,
        }),
        None => Err(LoginError::SekOfAnotherLogin { expires: format!("{expires_at} or earlier") }),
    }
}

/// The earlier of what this answer says and what is known of the same token.
fn expires_at(minutes: Option<&str>, same: Option<&SavedSession>, sent_at: Timestamp) -> Timestamp {
    let minutes = minutes
        .and_then(|minutes| minutes.trim().parse::<i64>().ok())
        .filter(|minutes| (1..=TOKEN_MINUTES).contains(minutes))
        .unwrap_or(TOKEN_MINUTES);
    let end = sent_at.checked_add(SignedDuration::from_mins(minutes)).unwrap_or(sent_at);
    match same {
        Some(previous) if previous.expires_at > sent_at => end.min(previous.expires_at),
        _ => end,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encoding::BASE64;
    use crate::ewb::envelope::{self, Answer};
    use crate::public_key::RsaPublicKey;
    use crate::testing::TestKey;
    use base64::Engine as _;

    const SENT_AT: &str = "2026-11-05T06:00:00Z";

    fn app_key(byte: u8) -> AppKey {
        AppKey::from_bytes(&[byte; 32]).unwrap()
    }

    fn sek_under(app_key: u8) -> String {
        Sek::from_bytes(&[app_key; 32]).unwrap().seal(&[9; 32])
    }

    fn read_body(body: &str, previous: Option<&SavedSession>) -> Result<SavedSession, LoginError> {
        let Ok(Answer::Accepted(answer)) = envelope::read(body.as_bytes()) else { panic!("no yes: {body}") };
        read(&answer, &app_key(2), previous, SENT_AT.parse().unwrap())
    }

    fn previous(token: &str, expires_at: &str) -> SavedSession {
        SavedSession {
            token: Secret::from(token),
            sek: Secret::new(vec![5; 32]),
            app_key: Secret::new(vec![1; 32]),
            expires_at: expires_at.parse().unwrap(),
            provider: None,
        }
    }

    #[test]
    fn the_request_has_the_action_and_lower_case_names_under_both_layers() {
        let key = AuthPublicKey::new(&RsaPublicKey::from_der(&TestKey::shared().spki).unwrap()).unwrap();
        let user = ApiUser { user_name: Secret::from("u"), password: Secret::from("p\"w") };
        let body: serde_json::Value = serde_json::from_slice(&request(&user, &app_key(1), &key).unwrap()).unwrap();
        let inner = TestKey::shared().decrypt(&BASE64.decode(body["Data"].as_str().unwrap()).unwrap());
        let json = String::from_utf8(BASE64.decode(inner).unwrap()).unwrap();
        let encoded = BASE64.encode([1; 32]);
        assert_eq!(
            json,
            format!(r#"{{"action":"ACCESSTOKEN","username":"u","password":"p\"w","app_key":"{encoded}"}}"#)
        );
        let long = ApiUser { user_name: Secret::from("u"), password: Secret::new("hunter2".repeat(20)) };
        let error = request(&long, &app_key(1), &key).unwrap_err();
        assert!(matches!(error, LoginError::CredentialsTooLong { .. }));
        assert!(!format!("{error} {error:?}").contains("hunter2"));
    }

    #[test]
    fn a_token_lives_six_hours_unless_the_answer_says_less() {
        for (expiry, end) in [
            ("", "2026-11-05T12:00:00Z"),
            (r#","expiry":"360""#, "2026-11-05T12:00:00Z"),
            (r#","expiry":60"#, "2026-11-05T07:00:00Z"),
            (r#","Expiry":" 60 ""#, "2026-11-05T07:00:00Z"),
            (r#","expiry":21600"#, "2026-11-05T12:00:00Z"),
            (r#","expiry":0"#, "2026-11-05T12:00:00Z"),
            (r#","expiry":"soon""#, "2026-11-05T12:00:00Z"),
        ] {
            let body = format!(r#"{{"status":"1","authtoken":"T1","sek":"{}"{expiry}}}"#, sek_under(2));
            let saved = read_body(&body, None).unwrap();
            assert_eq!(saved.expires_at.to_string(), end, "{expiry}");
            assert_eq!((saved.sek.expose(), saved.app_key.expose()), (&vec![9; 32], &vec![2; 32]));
        }
    }

    #[test]
    fn the_same_token_keeps_its_end_and_its_sek() {
        let body = format!(r#"{{"status":1,"authtoken":"T1","sek":"{}"}}"#, sek_under(8));
        let saved = read_body(&body, Some(&previous("T1", "2026-11-05T08:00:00Z"))).unwrap();
        assert_eq!((saved.expires_at.to_string().as_str(), saved.sek.expose()), ("2026-11-05T08:00:00Z", &vec![5; 32]));
        let error = read_body(&body, Some(&previous("T0", "2026-11-05T08:00:00Z"))).unwrap_err();
        assert!(matches!(error, LoginError::SekOfAnotherLogin { .. }));
        let wrapped = format!(r#"{{"status":1,"authtoken":"T1","sek":"{}"}}"#, sek_under(1));
        let saved = read_body(&wrapped, Some(&previous("T0", "2026-11-05T08:00:00Z"))).unwrap();
        assert_eq!((saved.sek.expose(), saved.app_key.expose()), (&vec![9; 32], &vec![1; 32]));
    }

    #[test]
    fn the_members_may_stand_inside_data() {
        let body = format!(r#"{{"status":1,"data":{{"AuthToken":"T1","Sek":"{}"}}}}"#, sek_under(2));
        assert_eq!(read_body(&body, None).unwrap().token, Secret::from("T1"));
    }

    #[test]
    fn an_answer_without_a_member_says_which() {
        for (body, member) in [
            (r#"{"status":1}"#, "authtoken"),
            (r#"{"status":1,"data":"x"}"#, "authtoken"),
            (r#"{"status":1,"authtoken":"t"}"#, "sek"),
        ] {
            assert_eq!(read_body(body, None).unwrap_err(), LoginError::Missing { member });
        }
    }
}
