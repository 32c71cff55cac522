//! The tokens of the provider: fetched once for all who wait, kept by client pair, and renewed before they end.

use std::collections::VecDeque;
use std::sync::{MutexGuard, PoisonError};

use einvoice_core::credential::{Access, ClientPair};
use einvoice_core::environment::Product;
use einvoice_core::secret::Secret;
use einvoice_core::session::ProviderToken;
use einvoice_core::transport::TransportError;
use einvoice_protocol::exchange::Exchange;
use jiff::{SignedDuration, Timestamp};
use tokio::time::{Instant, timeout};

use crate::profile::Login;
use crate::provider::{LOGIN_TIME_MAX, Provider, Whose, not_sent};
use crate::values::{Tokens, Values};

/// Most tokens that are remembered as refused.
const REFUSED_MAX: usize = 16;

/// What is known of tokens of the provider.
#[derive(Debug, Default)]
pub(crate) struct KnownTokens {
    held: Vec<Held>,
    /// Refused ones, so that none comes back out of a session that was kept before.
    refused: VecDeque<Secret<String>>,
}

/// A token of the provider, and whose it is.
#[derive(Debug)]
struct Held {
    client: ClientPair,
    token: Secret<String>,
    expires_at: Timestamp,
    /// How long before its end another one is fetched.
    margin: SignedDuration,
}

impl Held {
    /// Whether a call with a client pair carries it as it is.
    fn serves(&self, client: &ClientPair, now: Timestamp) -> bool {
        self.client == *client && self.expires_at.duration_since(now) > self.margin
    }

    /// As a session keeps it.
    fn kept(&self) -> ProviderToken {
        ProviderToken::new(self.token.clone(), self.expires_at, &self.client)
    }
}

/// A login to the provider that failed: those who waited for it get what it got.
#[derive(Debug)]
pub(crate) struct FailedLogin {
    client: ClientPair,
    at: Instant,
    error: TransportError,
}

impl<E: Exchange> Provider<E> {
    fn tokens(&self) -> MutexGuard<'_, KnownTokens> {
        // Every change of what is known is one step.
        self.tokens.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The token of the provider for a client pair, by a login where none is at hand; nothing where there is no login.
    pub(crate) async fn token(&self, access: &Access) -> Result<Option<Secret<String>>, TransportError> {
        let Some(login) = &self.profile.provider.login else { return Ok(None) };
        let client = access.client();
        if let Some(token) = self.fresh_token(client) {
            return Ok(Some(token));
        }
        let begun = Instant::now();
        let too_late = || {
            let seconds = LOGIN_TIME_MAX.as_secs();
            not_sent(&self.common, format!("the login to the provider brought nothing within {seconds} seconds"))
        };
        let mut last_failure = timeout(LOGIN_TIME_MAX, self.turn.lock()).await.map_err(|_| too_late())?;
        if let Some(token) = self.fresh_token(client) {
            return Ok(Some(token));
        }
        if let Some(failed) = last_failure.as_ref().filter(|failed| failed.client == *client && failed.at >= begun) {
            return Err(self.once_more(&failed.error));
        }
        let left = LOGIN_TIME_MAX.saturating_sub(begun.elapsed());
        let made = timeout(left, self.log_in(access, login)).await.unwrap_or_else(|_| Err(too_late()));
        match made {
            Ok((token, expires_at)) => {
                *last_failure = None;
                self.hold(client, token.clone(), expires_at);
                Ok(Some(token))
            }
            Err(error) => {
                let (client, at) = (client.clone(), Instant::now());
                *last_failure = Some(FailedLogin { client, at, error: self.once_more(&error) });
                Err(error)
            }
        }
    }

    fn fresh_token(&self, client: &ClientPair) -> Option<Secret<String>> {
        let now = self.clock.now();
        self.tokens().held.iter().find(|held| held.serves(client, now)).map(|held| held.token.clone())
    }

    /// Keeps a token in the place of the one that the client pair had.
    fn hold(&self, client: &ClientPair, token: Secret<String>, expires_at: Timestamp) {
        // One that lives shorter than the margin would be fetched anew for every call.
        let half = expires_at.duration_since(self.clock.now()) / 2;
        let margin = SignedDuration::from_secs(i64::from(self.profile.limits.renew_before_seconds)).min(half);
        let mut known = self.tokens();
        known.held.retain(|held| held.client != *client);
        known.held.push(Held { client: client.clone(), token, expires_at, margin });
    }

    /// One login to the provider: a token and its end.
    async fn log_in(&self, access: &Access, login: &Login) -> Result<(Secret<String>, Timestamp), TransportError> {
        let request_id = self.request_id()?;
        // What is said of the token that this login replaces may repeat it.
        let refused = self.tokens().refused.front().cloned();
        let previous = refused.as_ref().map(|token| token.expose().as_str());
        let values = Values {
            settings: &self.settings,
            access,
            tokens: Tokens { previous, ..Tokens::default() },
            request_id: &request_id,
            site: &self.site,
            force: false,
            asked: None,
            action: None,
        };
        let made = self.login(&self.common, login, &[], &[], &values, Product::EInvoice, Whose::Provider).await?;
        let token =
            made.token.ok_or_else(|| not_sent(&self.common, "the profile's login to the provider brings no token"));
        Ok((token?, made.expires_at))
    }

    /// The failure of a login for somebody who waited for it.
    fn once_more(&self, error: &TransportError) -> TransportError {
        match error {
            TransportError::Refused { operation, errors, info } => {
                TransportError::Refused { operation: *operation, errors: errors.clone(), info: info.clone() }
            }
            TransportError::NotSent { endpoint, reason, .. } => {
                TransportError::NotSent { endpoint: endpoint.clone(), reason: reason.clone(), source: None }
            }
            other => not_sent(&self.common, other.to_string()),
        }
    }

    /// The token that the next call with a client pair carries; nothing where that call has to log in for it.
    pub(crate) fn at_hand(&self, client: &ClientPair) -> Option<ProviderToken> {
        let now = self.clock.now();
        self.tokens().held.iter().find(|held| held.serves(client, now)).map(Held::kept)
    }

    /// Forgets a token that the provider did not accept, unless another one has taken its place.
    pub(crate) fn forget(&self, refused: &Secret<String>) {
        let mut known = self.tokens();
        let known = &mut *known;
        known.held.retain(|held| held.token != *refused);
        if !known.refused.contains(refused) {
            known.refused.truncate(REFUSED_MAX - 1);
            known.refused.push_front(refused.clone());
        }
    }

    /// The token of a client pair with its end, for a session that is kept; nothing where there is none.
    pub(crate) fn held(&self, client: &ClientPair) -> Option<ProviderToken> {
        let known = self.tokens();
        known.held.iter().find(|held| held.client == *client).map(Held::kept)
    }

    /// Takes over a token that a kept session brings, unless one at hand lives longer, it was refused before, or another
    /// client pair got it: what another worker or an earlier run has logged in for need not be logged in for again.
    pub(crate) fn adopt(&self, client: &ClientPair, brought: Option<&ProviderToken>) {
        let Some(brought) = brought else { return };
        let is_known = {
            let known = self.tokens();
            let is_better = |held: &Held| held.client == *client && held.expires_at >= brought.expires_at;
            known.held.iter().any(is_better) || known.refused.contains(&brought.token)
        };
        if !is_known && brought.is_of(client) {
            self.hold(client, brought.token.clone(), brought.expires_at);
        }
    }
}
