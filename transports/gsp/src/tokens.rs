//! The tokens of the provider: fetched once for all who wait, kept by client pair, and renewed before they end.

use std::collections::VecDeque;
use std::sync::{MutexGuard, PoisonError};

use einvoice_core::access::REFUSAL_PAUSE;
use einvoice_core::clock::later;
use einvoice_core::credential::{Access, ClientPair};
use einvoice_core::environment::Product;
use einvoice_core::identifier::Gstin;
use einvoice_core::secret::Secret;
use einvoice_core::session::ProviderToken;
use einvoice_core::transport::TransportError;
use einvoice_protocol::exchange::Exchange;
use jiff::{SignedDuration, Timestamp};
use tokio::time::{Instant, timeout};

use crate::answer::Refusal;
use crate::profile::{Login, Meaning};
use crate::provider::{Provider, Whose, not_sent};
use crate::values::{Tokens, Values};

/// Most tokens that are remembered as refused.
const REFUSED_MAX: usize = 16;

/// What is known of tokens of the provider.
#[derive(Debug, Default)]
pub(crate) struct KnownTokens {
    held: Vec<Held>,
    /// Refused ones, so that none comes back out of a session that was kept before.
    refused: VecDeque<Secret<String>>,
    /// Client pairs whose next login takes the place of a refused token.
    replacing: Vec<ClientPair>,
}

/// A token of the provider, and whose it is.
#[derive(Debug)]
struct Held {
    client: ClientPair,
    token: Secret<String>,
    expires_at: Timestamp,
    /// How long before its end another one is fetched.
    margin: SignedDuration,
    /// When it took the place of a refused one, until a call with it was answered.
    on_trial_since: Option<Timestamp>,
    /// For whom it was refused while it was on trial.
    refused_for: Option<Gstin>,
}

/// What is to blame where the provider does not accept its token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Blame {
    /// The token, as far as is known: another one may help.
    Token,
    /// Not the token, as it is new; whether the taxpayer or the account, the next taxpayer shows.
    Taxpayer,
    /// The account: another taxpayer met the same.
    Account,
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
        let time_max = login.time_max();
        let too_late = || {
            let reason = format!(
                "the login to the provider brought nothing within {} seconds (`provider.login.timeout_seconds` of the \
                 profile); a provider that is always so slow needs more",
                time_max.as_secs()
            );
            not_sent(&self.common, reason)
        };
        let mut last_failure = timeout(time_max, self.turn.lock()).await.map_err(|_| too_late())?;
        if let Some(token) = self.fresh_token(client) {
            return Ok(Some(token));
        }
        if let Some(failed) = last_failure.as_ref().filter(|failed| failed.client == *client && failed.at >= begun) {
            return Err(self.once_more(&failed.error));
        }
        let left = time_max.saturating_sub(begun.elapsed());
        let made = timeout(left, self.log_in(access, login)).await.unwrap_or_else(|_| Err(too_late()));
        match made {
            Ok((token, expires_at)) => {
                *last_failure = None;
                self.hold(client, token.clone(), expires_at, true);
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
    fn hold(&self, client: &ClientPair, token: Secret<String>, expires_at: Timestamp, is_of_login: bool) {
        let now = self.clock.now();
        // One that lives shorter than the margin would be fetched anew for every call.
        let half = expires_at.duration_since(now) / 2;
        let margin = SignedDuration::from_secs(i64::from(self.profile.limits.renew_before_seconds)).min(half);
        let mut known = self.tokens();
        known.held.retain(|held| held.client != *client);
        let replaces = known.replacing.iter().position(|pair| pair == client);
        let replaces = replaces.map(|place| known.replacing.swap_remove(place)).is_some();
        let on_trial_since = (replaces && is_of_login).then_some(now);
        known.held.push(Held { client: client.clone(), token, expires_at, margin, on_trial_since, refused_for: None });
    }

    /// A call with this token was answered: it is good.
    pub(crate) fn accepted(&self, token: Option<&Secret<String>>) {
        let Some(token) = token else { return };
        for held in self.tokens().held.iter_mut().filter(|held| held.token == *token) {
            (held.on_trial_since, held.refused_for) = (None, None);
        }
    }

    /// What is to blame where this token is not accepted. A token that took the place of a refused one, and that no call was
    /// answered with since, is not replaced again for a while: for an account that is suspended, each taxpayer would cost a
    /// login to the provider, and each call.
    pub(crate) fn blame(&self, token: &Secret<String>, gstin: Gstin) -> Blame {
        let now = self.clock.now();
        let mut known = self.tokens();
        let Some(held) = known.held.iter_mut().find(|held| held.token == *token) else { return Blame::Token };
        let is_new = |since: Timestamp| later(since, REFUSAL_PAUSE).is_some_and(|end| since <= now && now < end);
        if !held.on_trial_since.is_some_and(is_new) {
            return Blame::Token;
        }
        match held.refused_for {
            Some(other) if other != gstin => Blame::Account,
            _ => {
                held.refused_for = Some(gstin);
                Blame::Taxpayer
            }
        }
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

    /// What a refusal of a call with another token is: where that is not accepted either, perhaps one of the account.
    pub(crate) fn judged(&self, refusal: Refusal, token: &Secret<String>, gstin: Gstin) -> Refusal {
        if refusal.is_past_the_token() {
            self.accepted(Some(token));
        }
        match refusal.means(Meaning::ReauthProvider).then(|| self.blame(token, gstin)) {
            Some(Blame::Account) => refusal.of_account(),
            _ => refusal,
        }
    }

    /// Forgets a token that the provider did not accept, unless another one has taken its place.
    pub(crate) fn forget(&self, refused: &Secret<String>) {
        let mut known = self.tokens();
        let known = &mut *known;
        if let Some(place) = known.held.iter().position(|held| held.token == *refused) {
            let client = known.held.swap_remove(place).client;
            if !known.replacing.contains(&client) {
                known.replacing.push(client);
            }
        }
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
            self.hold(client, brought.token.clone(), brought.expires_at, false);
        }
    }
}
