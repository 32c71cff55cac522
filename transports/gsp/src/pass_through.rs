//! The portal's own protocol through a GSP: addresses and headers are the provider's, everything else is the portal's.

use std::sync::Arc;
use std::time::Instant;

use async_trait::async_trait;
use einvoice_core::credential::{Access, ApiUser, ClientPair};
use einvoice_core::environment::Product;
use einvoice_core::identifier::Gstin;
use einvoice_core::secret::Secret;
use einvoice_core::transport::TransportError;
use einvoice_protocol::exchange::{ChangedHeader, Exchange, ExchangeError, Header, HttpRequest, HttpResponse, Method};

use crate::answer::{Answer, Reading};
use crate::profile::{Meaning, ProductProfile};
use crate::provider::{Parts, Provider, RETRY_WITHIN, hidden_in, known_secrets, with_advice, written_out};
use crate::tokens::Blame;
use crate::values::{Tokens, Values};

/// Headers of the portal's protocol by which a call is known, whichever way they are spelt.
const CLIENT_ID: [&str; 2] = ["client_id", "client-id"];
const CLIENT_SECRET: [&str; 2] = ["client_secret", "client-secret"];
const USER_NAME: [&str; 3] = ["user_name", "username", "user-name"];

/// An [`Exchange`] that a portal's protocol is spoken over, through a provider.
#[derive(Debug)]
pub(crate) struct PassThrough<E> {
    provider: Arc<Provider<E>>,
    product: Product,
    /// To the provider's address for this product.
    exchange: E,
}

impl<E: Exchange> PassThrough<E> {
    pub(crate) const fn new(provider: Arc<Provider<E>>, product: Product, exchange: E) -> Self {
        Self { provider, product, exchange }
    }

    fn profile(&self) -> Option<&ProductProfile> {
        self.provider.profile.product(self.product)
    }

    /// One attempt: the answer, or what the provider says for itself.
    async fn attempt(
        &self,
        request: &HttpRequest,
        changes: &[ChangedHeader],
        access: &Access,
        token: Option<&Secret<String>>,
    ) -> Result<Result<HttpResponse, crate::answer::Refusal>, ExchangeError> {
        let Some(product) = self.profile() else { return Err(not_sent("the profile does not carry this system")) };
        let request_id = self.provider.request_id().map_err(|error| not_sent(&error.to_string()))?;
        let site = self.provider.site(request.header("irp"));
        let values = Values {
            settings: &self.provider.settings,
            access,
            tokens: Tokens {
                provider: token.map(|token| token.expose().as_str()),
                taxpayer: request.header("AuthToken"),
                ..Tokens::default()
            },
            request_id: &request_id,
            site: &site,
            force: false,
            asked: None,
            action: None,
        };
        let common = &self.provider.profile.provider;
        let fixed = crate::profile::HttpLine::root(request.method);
        let parts = Parts {
            http: &fixed,
            query: vec![&common.query, &product.query],
            headers: vec![&common.headers, &product.headers],
            parameters: Vec::new(),
            body: None,
            lenient: true,
        };
        let own = written_out(parts, &values).map_err(|variable| {
            not_sent(&format!("a header of the profile needs {{{variable}}}, which has no value"))
        })?;
        let mut headers: Vec<Header> = request.headers.clone();
        headers.retain(|header| {
            let is_named = |name: &str| header.name.eq_ignore_ascii_case(name);
            !product.drop_headers.iter().any(|name| is_named(name))
                && !own.headers.iter().any(|own| is_named(&own.name))
        });
        headers.extend(own.headers);
        let mut path_and_query = request.path_and_query.clone();
        if let Some((_, query)) = own.path_and_query.split_once('?') {
            path_and_query.push(if path_and_query.contains('?') { '&' } else { '?' });
            path_and_query.push_str(query);
        }
        let mut sent = HttpRequest { method: request.method, path_and_query, headers, body: request.body.clone() };
        sent.change(changes);
        let response = self.exchange.send(sent).await?;
        let profile = &self.provider.profile;
        let reading =
            Reading { layers: &product.reply, codes: &profile.codes, http: &profile.http, product: self.product };
        Ok(match reading.read(response.status, &response.body) {
            Answer::No(refusal) => {
                let known = known_secrets(&values);
                Err(hidden_in(refusal, &known.iter().collect::<Vec<_>>()))
            }
            Answer::Yes { content, .. } => Ok(HttpResponse { status: response.status, body: content.into() }),
            // Whoever reads the portal's envelope says what is wrong with it.
            Answer::Unclear(_) => Ok(response),
        })
    }

    /// Carries a request, by the right headers, with changes made to them last.
    async fn carry(&self, request: HttpRequest, changes: &[ChangedHeader]) -> Result<HttpResponse, ExchangeError> {
        let access = access_of(&request)?;
        let started = Instant::now();
        let token = self.provider.token(&access).await.map_err(of_provider_login)?;
        let first = self.attempt(&request, changes, &access, token.as_ref()).await?;
        let gstin = access.gstin();
        let refusal = match (first, &token) {
            (Ok(response), token) => {
                self.provider.accepted(token.as_ref());
                return Ok(response);
            }
            (Err(refusal), Some(refused)) if refusal.means(Meaning::ReauthProvider) => {
                match self.provider.blame(refused, gstin) {
                    Blame::Account => refusal.of_account(),
                    Blame::Taxpayer => refusal,
                    Blame::Token => {
                        self.provider.forget(refused);
                        // Whether a gateway passed it on all the same is not known, or there is no time: the caller's next
                        // call carries another token.
                        let is_open = refusal.is_by_status() && may_write(&request);
                        if is_open || started.elapsed() > RETRY_WITHIN {
                            refusal
                        } else {
                            // The provider did not look at the request: with another token it goes out once more.
                            let token = self.provider.token(&access).await.map_err(of_provider_login)?;
                            match (self.attempt(&request, changes, &access, token.as_ref()).await?, token) {
                                (Ok(response), token) => {
                                    self.provider.accepted(token.as_ref());
                                    return Ok(response);
                                }
                                (Err(refusal), Some(token)) => self.provider.judged(refusal, &token, gstin),
                                (Err(refusal), None) => refusal,
                            }
                        }
                    }
                }
            }
            (Err(refusal), token) => {
                if refusal.is_past_the_token() {
                    self.provider.accepted(token.as_ref());
                }
                refusal
            }
        };
        let advice = refusal.meanings.iter().find_map(|meaning| meaning.advice());
        let errors = refusal.errors.into_iter().map(|error| with_advice(error, advice)).collect();
        Err(ExchangeError::Refused { errors })
    }
}

#[async_trait]
impl<E: Exchange> Exchange for PassThrough<E> {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, ExchangeError> {
        self.carry(request, &[]).await
    }

    async fn send_changed(
        &self,
        request: HttpRequest,
        changes: &[ChangedHeader],
    ) -> Result<HttpResponse, ExchangeError> {
        self.carry(request, changes).await
    }

    fn endpoint(&self) -> String {
        self.exchange.endpoint()
    }
}

/// Whether a request may change the portal's books: every one with a body does or may, but for a login, which is what
/// carries no token yet.
fn may_write(request: &HttpRequest) -> bool {
    request.method != Method::Get && request.header("AuthToken").is_some()
}

/// Whose call it is, by the headers that the portal's protocol gives it.
fn access_of(request: &HttpRequest) -> Result<Access, ExchangeError> {
    let named = |names: &[&str]| names.iter().find_map(|name| request.header(name)).unwrap_or_default();
    if request.method == Method::Get && request.headers.is_empty() {
        return Err(not_sent("a question about the portal's health has no place behind a provider"));
    }
    let gstin = request.header("gstin").and_then(|gstin| Gstin::parse(gstin).ok());
    let gstin = gstin.ok_or_else(|| not_sent("the call names no GSTIN"))?;
    let client =
        ClientPair { client_id: Secret::from(named(&CLIENT_ID)), client_secret: Secret::from(named(&CLIENT_SECRET)) };
    let user = ApiUser { user_name: Secret::from(named(&USER_NAME)), password: Secret::from("") };
    Ok(Access::new(gstin, client, user))
}

/// A login to the provider that failed: the portal saw nothing of the call.
fn of_provider_login(error: TransportError) -> ExchangeError {
    match error {
        TransportError::Refused { errors, .. } => ExchangeError::Refused { errors },
        other => ExchangeError::NotSent { reason: other.to_string(), source: Some(Box::new(other)) },
    }
}

fn not_sent(reason: &str) -> ExchangeError {
    ExchangeError::NotSent { reason: reason.to_owned(), source: None }
}
