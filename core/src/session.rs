//! A login that is alive, and the form in which it is kept between runs and shared by workers.

use std::fmt::Write as _;

use aws_lc_rs::digest::{Context, SHA256};
use jiff::{SignedDuration, Timestamp};

use crate::credential::{Access, ClientPair};
use crate::secret::Secret;

/// How long before its end a token is renewed, and the only time the portal renews one (NIC,
/// authentication 1.04): ten minutes.
pub const REFRESH_WINDOW: SignedDuration = SignedDuration::from_mins(10);

/// A login that can carry calls.
#[derive(Debug, Clone)]
pub struct Session {
    access: Access,
    saved: SavedSession,
}

/// The part of a session that outlives the process. Stores keep it encrypted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedSession {
    /// The token for the `AuthToken` header.
    pub token: Secret<String>,
    /// Session encryption key: 32 bytes, AES-256. Empty where a provider seals for us.
    pub sek: Secret<Vec<u8>>,
    /// The AppKey of the login that brought the SEK: needed when a repeated login returns the SEK
    /// wrapped with the first AppKey.
    pub app_key: Secret<Vec<u8>>,
    /// When the token ends.
    pub expires_at: Timestamp,
    /// The token of the account at a GSP or provider, where it wants a login of its own before the portal's: kept with
    /// the session, as such logins are a budget too. None where there is no such login.
    pub provider: Option<ProviderToken>,
}

/// The token of an account at a GSP or provider, which all its GSTINs share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderToken {
    /// The token, for the header that the provider names.
    pub token: Secret<String>,
    /// When it ends.
    pub expires_at: Timestamp,
    /// Tells which client pair got it; see [`ProviderToken::is_of`].
    pub client_mark: String,
}

impl ProviderToken {
    /// The token that a client pair was given.
    #[must_use]
    pub fn new(token: Secret<String>, expires_at: Timestamp, client: &ClientPair) -> Self {
        let client_mark = client_mark(&token, client);
        Self { token, expires_at, client_mark }
    }

    /// Whether this client pair got it. With another pair it would serve all the same, and whoever tries that pair would
    /// learn nothing of it.
    #[must_use]
    pub fn is_of(&self, client: &ClientPair) -> bool {
        self.client_mark == client_mark(&self.token, client)
    }
}

/// A hash that begins with the token, so that nobody can try secrets against it who has not the token.
fn client_mark(token: &Secret<String>, client: &ClientPair) -> String {
    let mut context = Context::new(&SHA256);
    for part in [token, &client.client_id, &client.client_secret] {
        context.update(part.expose().as_bytes());
        context.update(&[0]);
    }
    let mut mark = String::with_capacity(64);
    for byte in context.finish().as_ref() {
        // Writing to a text cannot fail.
        let _written = write!(mark, "{byte:02x}");
    }
    mark
}

/// What the age of a token asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a token is in one of three phases")]
pub enum TokenPhase {
    /// Use it; a new login would return the very same token.
    Fresh,
    /// In its last ten minutes: renew it by force.
    Renewable,
    /// Over.
    Expired,
}

impl SavedSession {
    /// Which phase of its life the token is in.
    #[must_use]
    pub fn phase(&self, now: Timestamp) -> TokenPhase {
        let left = self.expires_at.duration_since(now);
        if left <= SignedDuration::ZERO {
            TokenPhase::Expired
        } else if left < REFRESH_WINDOW {
            TokenPhase::Renewable
        } else {
            TokenPhase::Fresh
        }
    }
}

impl Session {
    /// Joins a saved session with the credentials it belongs to.
    #[must_use]
    pub const fn new(access: Access, saved: SavedSession) -> Self {
        Self { access, saved }
    }

    /// Client pair and API user, for the headers of a call.
    #[must_use]
    pub const fn access(&self) -> &Access {
        &self.access
    }

    /// The part to keep.
    #[must_use]
    pub const fn saved(&self) -> &SavedSession {
        &self.saved
    }

    /// The same login with another token of the account at the provider.
    #[must_use]
    pub fn with_provider(&self, token: ProviderToken) -> Self {
        Self { access: self.access.clone(), saved: SavedSession { provider: Some(token), ..self.saved.clone() } }
    }

    /// The token for the `AuthToken` header.
    #[must_use]
    pub const fn token(&self) -> &Secret<String> {
        &self.saved.token
    }

    /// The session encryption key.
    #[must_use]
    pub const fn sek(&self) -> &Secret<Vec<u8>> {
        &self.saved.sek
    }

    /// When the token ends.
    #[must_use]
    pub const fn expires_at(&self) -> Timestamp {
        self.saved.expires_at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_of_the_account_knows_the_client_pair_that_got_it() {
        let pair =
            |id: &str, secret: &str| ClientPair { client_id: Secret::from(id), client_secret: Secret::from(secret) };
        let token = ProviderToken::new(Secret::from("t"), Timestamp::UNIX_EPOCH, &pair("id", "secret"));
        assert!(token.is_of(&pair("id", "secret")));
        for other in [pair("id", "another"), pair("another", "secret"), pair("ids", "ecret")] {
            assert!(!token.is_of(&other));
        }
        assert!(!token.client_mark.contains("secret"));
    }

    #[test]
    fn a_token_is_renewed_only_in_its_last_ten_minutes() {
        let session = SavedSession {
            token: Secret::from("t"),
            sek: Secret::new(vec![0; 32]),
            app_key: Secret::new(vec![0; 32]),
            expires_at: "2026-11-05T12:00:00Z".parse().unwrap(),
            provider: None,
        };
        let phase = |at: &str| session.phase(at.parse().unwrap());
        assert_eq!(phase("2026-11-05T11:50:00Z"), TokenPhase::Fresh);
        assert_eq!(phase("2026-11-05T11:50:01Z"), TokenPhase::Renewable);
        assert_eq!(phase("2026-11-05T12:00:00Z"), TokenPhase::Expired);
    }
}
