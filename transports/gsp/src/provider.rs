//! What both ways of speaking through a provider share: the profile with its values, and the login to the provider.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use bytes::Bytes;
use einvoice_core::clock::SharedClock;
use einvoice_core::credential::Access;
use einvoice_core::date::PortalTime;
use einvoice_core::entropy::SharedEntropy;
use einvoice_core::environment::{Environment, Product};
use einvoice_core::operation::OperationKind;
use einvoice_core::portal_code::{ErrorClass, PortalError};
use einvoice_core::secret::Secret;
use einvoice_core::transport::TransportError;
use einvoice_protocol::endpoints::percent_encode;
use einvoice_protocol::exchange::{Exchange, ExchangeError, Header, HttpRequest, HttpResponse};
use einvoice_protocol::mask;
use einvoice_protocol::object::Object;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::Mutex as AsyncMutex;

use crate::answer::{Answer, Reading, Refusal};
use crate::profile::{Alphabet, ExpiryUnit, Login, Meaning, Named, Profile, Variable};
use crate::tokens::{FailedLogin, KnownTokens};
use crate::values::{Tokens, Values};

/// How soon a call must be refused for another token to be tried at once. A provider that is slower than that is left to
/// the caller's next try, as the time that a call takes at most is counted against the lease of a document.
pub(crate) const RETRY_WITHIN: Duration = Duration::from_secs(7);

/// A profile at work: one provider in one environment.
#[derive(Debug)]
pub(crate) struct Provider<E> {
    pub(crate) profile: Profile,
    pub(crate) environment: Environment,
    /// Values of the route's configuration, defaults included.
    pub(crate) settings: BTreeMap<String, String>,
    /// The site that is asked by default, as the route names it.
    pub(crate) site: String,
    pub(crate) entropy: SharedEntropy,
    pub(crate) clock: SharedClock,
    /// To the address of the login to the provider.
    pub(crate) common: E,
    pub(crate) tokens: Mutex<KnownTokens>,
    /// The login lock: many calls that need a token make one login. It holds the last login if that failed.
    pub(crate) turn: AsyncMutex<Option<FailedLogin>>,
}

/// What a request is made of beside its values.
pub(crate) struct Parts<'p> {
    pub(crate) http: &'p crate::profile::HttpLine,
    /// Query parameters; of one name the last counts.
    pub(crate) query: Vec<&'p Named>,
    /// Headers; of one name the last counts.
    pub(crate) headers: Vec<&'p Named>,
    /// Parameters of the portal's own names.
    pub(crate) parameters: Vec<(&'static str, String)>,
    pub(crate) body: Option<RequestBody>,
    /// Leaves out what has no value yet, as in a login.
    pub(crate) lenient: bool,
}

/// A body and its kind.
pub(crate) enum RequestBody {
    Json(String),
    Form(String),
}

impl<E: Exchange> Provider<E> {
    pub(crate) fn new(
        profile: Profile,
        environment: Environment,
        settings: BTreeMap<String, String>,
        site: String,
        common: E,
        entropy: SharedEntropy,
        clock: SharedClock,
    ) -> Self {
        Self {
            profile,
            environment,
            settings,
            site,
            entropy,
            clock,
            common,
            tokens: Mutex::default(),
            turn: AsyncMutex::default(),
        }
    }

    /// The portal site of a call, as the provider spells it.
    pub(crate) fn site(&self, asked: Option<&str>) -> String {
        let site = asked.unwrap_or(&self.site);
        let spelt = self.profile.sites.iter().find(|(name, _)| name.eq_ignore_ascii_case(site));
        spelt.map_or_else(|| site.to_owned(), |(_, spelt)| spelt.clone())
    }

    /// A number for one attempt of a request.
    pub(crate) fn request_id(&self) -> Result<String, TransportError> {
        const HEX: &[u8] = b"0123456789abcdef";
        const ALPHANUMERIC: &[u8] = b"0123456789abcdefghijklmnopqrstuvwxyz";
        let form = self.profile.request_id;
        let mut random = [0_u8; 64];
        self.entropy.fill(&mut random).map_err(|error| not_sent(&self.common, error.to_string()))?;
        let of = |alphabet: &[u8], length: usize| -> String {
            // A remainder favours no character by more than one part in seven: this is a number, and no key.
            random
                .iter()
                .take(length)
                .filter_map(|byte| alphabet.get(usize::from(*byte) % alphabet.len()))
                .map(|byte| char::from(*byte))
                .collect()
        };
        let length = usize::from(form.length);
        Ok(match form.alphabet {
            Alphabet::Digits => of(b"0123456789", length),
            Alphabet::Hex => of(HEX, length),
            Alphabet::Alphanumeric => of(ALPHANUMERIC, length),
            Alphabet::Uuid => {
                let digits = of(HEX, 30);
                let part = |from: usize, to: usize| digits.get(from..to).unwrap_or_default();
                format!("{}-{}-4{}-a{}-{}", part(0, 8), part(8, 12), part(12, 15), part(15, 18), part(18, 30))
            }
        })
    }

    /// Sends a request once.
    pub(crate) async fn send(
        &self,
        exchange: &E,
        request: HttpRequest,
        operation: Option<OperationKind>,
    ) -> Result<HttpResponse, TransportError> {
        let changes_books = operation.is_some_and(OperationKind::changes_books);
        let endpoint = exchange.endpoint();
        let response = exchange.send(request).await.map_err(|error| match error {
            ExchangeError::NotSent { reason, source } => TransportError::NotSent { endpoint, reason, source },
            ExchangeError::Refused { errors } => TransportError::Refused { operation, errors, info: Vec::new() },
            ExchangeError::TooLarge { http_status, limit } => TransportError::BadAnswer {
                endpoint,
                http_status: Some(http_status),
                reason: format!("it is larger than the limit of {limit} bytes"),
                changes_books,
            },
            ExchangeError::NoAnswer { reason, source } => {
                TransportError::NoAnswer { endpoint, reason, changes_books, source }
            }
            other => TransportError::NoAnswer {
                endpoint,
                reason: other.to_string(),
                changes_books,
                source: Some(Box::new(other)),
            },
        })?;
        tracing::debug!(
            provider = %self.profile.id,
            operation = operation.map_or("login", OperationKind::words),
            status = response.status,
            bytes = response.body.len(),
            "provider answered"
        );
        Ok(response)
    }

    /// What is left of the account, as the provider writes it; nothing where the profile does not say how to ask.
    pub(crate) async fn balance(
        &self,
        exchange: &E,
        access: &Access,
    ) -> Result<Option<(String, String)>, TransportError> {
        let Some(how) = &self.profile.limits.balance else { return Ok(None) };
        let token = self.token(access).await?;
        let request_id = self.request_id()?;
        let provider = token.as_ref().map(|token| token.expose().as_str());
        let values = Values {
            settings: &self.settings,
            access,
            tokens: Tokens { provider, ..Tokens::default() },
            request_id: &request_id,
            site: &self.site,
            force: false,
            asked: None,
            action: None,
        };
        let common = &self.profile.provider;
        let parts = Parts {
            http: &how.http,
            query: vec![&common.query, &how.query],
            headers: vec![&common.headers, &how.headers],
            parameters: Vec::new(),
            body: None,
            lenient: true,
        };
        let missing = |variable| not_sent(exchange, format!("the question needs {{{variable}}}, which has no value"));
        let request = written_out(parts, &values).map_err(missing)?;
        let response = self.send(exchange, request, None).await?;
        let (codes, http) = (&self.profile.codes, &self.profile.http);
        let reading = Reading { layers: &how.reply, codes, http, product: Product::EInvoice };
        let known = known_secrets(&values);
        let known: Vec<&Secret<String>> = known.iter().collect();
        let bad = |reason: &str| TransportError::BadAnswer {
            endpoint: exchange.endpoint(),
            http_status: Some(response.status),
            reason: mask::hide(reason, &known),
            changes_books: false,
        };
        match reading.read(response.status, &response.body) {
            Answer::Yes { content, .. } => {
                let found = how.at.text(&content).filter(|text| !text.trim().is_empty());
                let found = found.ok_or_else(|| {
                    let content = einvoice_protocol::envelope::excerpt(&content);
                    bad(&format!("nothing stands at {} (`limits.balance.at`) of {content}", how.at))
                })?;
                Ok(Some((mask::hide(found.trim(), &known), how.unit.clone())))
            }
            Answer::Unclear(reason) => Err(bad(&reason)),
            Answer::No(refusal) => Err(refused(None, refusal, &known)),
        }
    }

    /// Makes a login, to the provider or of a taxpayer; a refusal is about whoever logs in.
    #[expect(clippy::too_many_arguments, reason = "a login is told what it is made of, once")]
    pub(crate) async fn login(
        &self,
        exchange: &E,
        login: &Login,
        query: &[&Named],
        headers: &[&Named],
        values: &Values<'_>,
        product: Product,
        whose: Whose,
    ) -> Result<MadeLogin, TransportError> {
        let missing =
            |variable: Variable| not_sent(exchange, format!("the login needs {{{variable}}}, which has no value"));
        let value = |variable: &Variable| values.get(variable);
        let body = if !login.json.is_empty() {
            let mut object = Object::new();
            for (name, template) in &login.json {
                object = object.text(name, &template.fill(value, str::to_owned).map_err(missing)?);
            }
            Some(RequestBody::Json(object.finish()))
        } else if login.form.is_empty() {
            None
        } else {
            let mut form = String::new();
            for (name, template) in &login.form {
                if !form.is_empty() {
                    form.push('&');
                }
                form.push_str(&percent_encode(name));
                form.push('=');
                form.push_str(&template.fill(value, percent_encode).map_err(missing)?);
            }
            Some(RequestBody::Form(form))
        };
        let parts = Parts {
            http: &login.http,
            query: query.iter().copied().chain([&login.query]).collect(),
            headers: headers.iter().copied().chain([&login.headers]).collect(),
            parameters: Vec::new(),
            body,
            lenient: true,
        };
        let request = written_out(parts, values).map_err(missing)?;
        // Taken before the login leaves, so that a token is never thought to live longer than it does.
        let sent_at = self.clock.now();
        let response = self.send(exchange, request, None).await?;
        let reading = Reading { layers: &login.reply, codes: &self.profile.codes, http: &self.profile.http, product };
        let known = known_secrets(values);
        let known: Vec<&Secret<String>> = known.iter().collect();
        let bad = |reason: &str| TransportError::BadAnswer {
            endpoint: exchange.endpoint(),
            http_status: Some(response.status),
            reason: mask::hide(reason, &known),
            changes_books: false,
        };
        let content = match reading.read(response.status, &response.body) {
            Answer::Yes { content, .. } => Secret::new(content),
            Answer::Unclear(reason) => return Err(bad(&reason)),
            Answer::No(mut refusal) => {
                for error in &mut refusal.errors {
                    whose.refused(error);
                }
                let advice = refusal.meanings.iter().find_map(|meaning| meaning.advice());
                let advice = advice.or_else(|| whose.advice(&refusal.errors));
                refusal.errors = refusal.errors.into_iter().map(|error| with_advice(error, advice)).collect();
                return Err(refused(None, refusal, &known));
            }
        };
        let token = match &login.token {
            None => None,
            Some(at) => {
                let found = at.text(content.expose()).filter(|token| !token.trim().is_empty());
                Some(Secret::new(found.ok_or_else(|| bad(&format!("it says yes, and there is no token at {at}")))?))
            }
        };
        let lifetime = match (self.environment, login.sandbox_lifetime_seconds) {
            (Environment::Sandbox, Some(seconds)) => seconds,
            _ => login.lifetime_seconds,
        };
        let told = login.expires.as_ref().and_then(|expires| {
            let text = expires.at.text(content.expose())?;
            expiry(text.trim(), expires.unit, sent_at)
        });
        let by_profile = sent_at.checked_add(SignedDuration::from_secs(i64::from(lifetime))).unwrap_or(sent_at);
        Ok(MadeLogin { token, expires_at: told.unwrap_or(by_profile) })
    }
}

/// Who logs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Whose {
    /// The account, with its client pair: there is no token yet that could be over, and no API user that could be wrong.
    Provider,
    /// A taxpayer.
    Taxpayer,
}

impl Whose {
    /// Makes a refusal without a known word, or with one that makes no sense of this login, one of whoever logs in.
    fn refused(self, error: &mut PortalError) {
        match (self, error.class()) {
            (Self::Provider, ErrorClass::Unknown | ErrorClass::TokenExpired | ErrorClass::Auth) => {
                error.of_provider = Some(ErrorClass::ClientConfig);
            }
            (Self::Taxpayer, ErrorClass::Unknown) => error.of_provider = Some(ErrorClass::Auth),
            _ => {}
        }
    }

    fn advice(self, errors: &[PortalError]) -> Option<&'static str> {
        let is_refused = errors.iter().any(|error| error.of_provider == Some(ErrorClass::ClientConfig));
        if self == Self::Provider && is_refused { Meaning::Config.advice() } else { None }
    }
}

/// Nothing was sent.
pub(crate) fn not_sent<E: Exchange>(exchange: &E, reason: impl Into<String>) -> TransportError {
    TransportError::NotSent { endpoint: exchange.endpoint(), reason: reason.into(), source: None }
}

/// Writes out a request. Nothing where a value is missing that only this wish lacks.
pub(crate) fn written_out(parts: Parts<'_>, values: &Values<'_>) -> Result<HttpRequest, Variable> {
    let value = |variable: &Variable| values.get(variable);
    let mut path_and_query = parts.http.path().fill(value, percent_encode)?;
    let mut query: Vec<(String, String)> = Vec::new();
    for (name, template) in last_of_each(&parts.query) {
        match template.fill(value, percent_encode) {
            Ok(text) => query.push((percent_encode(name), text)),
            Err(_) if parts.lenient => {}
            Err(variable) => return Err(variable),
        }
    }
    query.extend(parts.parameters.iter().map(|(name, value)| (percent_encode(name), percent_encode(value))));
    for (at, (name, value)) in query.iter().enumerate() {
        path_and_query.push(if at == 0 { '?' } else { '&' });
        path_and_query.push_str(name);
        path_and_query.push('=');
        path_and_query.push_str(value);
    }
    let mut headers = Vec::new();
    for (name, template) in last_of_each(&parts.headers) {
        let text = match template.fill(value, str::to_owned) {
            Ok(text) => text,
            Err(_) if parts.lenient => continue,
            Err(variable) => return Err(variable),
        };
        headers.push(if template.is_secret() {
            Header::secret(name.clone(), &Secret::new(text))
        } else {
            Header::plain(name.clone(), text)
        });
    }
    let (kind, body) = match parts.body {
        Some(RequestBody::Json(json)) => (Some("application/json"), json),
        Some(RequestBody::Form(form)) => (Some("application/x-www-form-urlencoded"), form),
        None => (None, String::new()),
    };
    if let Some(kind) = kind
        && !headers.iter().any(|header| header.name.eq_ignore_ascii_case("content-type"))
    {
        headers.push(Header::plain("Content-Type", kind));
    }
    Ok(HttpRequest { method: parts.http.method(), path_and_query, headers, body: Bytes::from(body) })
}

/// What a login brought.
#[derive(Debug)]
pub(crate) struct MadeLogin {
    pub(crate) token: Option<Secret<String>>,
    pub(crate) expires_at: Timestamp,
}

/// When a token ends, by what an answer says; nothing where that is no end that lies ahead.
fn expiry(text: &str, unit: ExpiryUnit, sent_at: Timestamp) -> Option<Timestamp> {
    let number = || text.split('.').next()?.parse::<i64>().ok();
    let after = |duration: SignedDuration| sent_at.checked_add(duration).ok();
    let end = match unit {
        ExpiryUnit::Seconds => after(SignedDuration::from_secs(number()?))?,
        ExpiryUnit::Minutes => after(SignedDuration::from_secs(number()?.checked_mul(60)?))?,
        ExpiryUnit::Time => PortalTime::parse_any(text)?.to_timestamp()?,
        ExpiryUnit::EpochMilliseconds => Timestamp::from_millisecond(number()?).ok()?,
        ExpiryUnit::EpochSeconds => Timestamp::from_second(number()?).ok()?,
    };
    (end > sent_at).then_some(end)
}

/// Of texts with one name in several tables the last.
fn last_of_each<'p>(tables: &[&'p Named]) -> Vec<(&'p String, &'p crate::profile::Template)> {
    let mut all: Vec<(&String, &crate::profile::Template)> = Vec::new();
    for (name, template) in tables.iter().flat_map(|table| table.iter()) {
        all.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        all.push((name, template));
    }
    all
}

/// What must show nowhere.
pub(crate) fn known_secrets(values: &Values<'_>) -> Vec<Secret<String>> {
    let (client, user) = (values.access.client(), values.access.user());
    let tokens = [values.tokens.provider, values.tokens.taxpayer, values.tokens.sek, values.tokens.previous];
    [&client.client_secret, &client.client_id, &user.password, &user.user_name]
        .into_iter()
        .cloned()
        .chain(tokens.into_iter().flatten().map(Secret::from))
        .filter(|secret| !secret.expose().is_empty())
        .collect()
}

/// A refusal as core's error, with no secret in its words.
pub(crate) fn refused(operation: Option<OperationKind>, refusal: Refusal, known: &[&Secret<String>]) -> TransportError {
    let Refusal { errors, info, .. } = hidden_in(refusal, known);
    TransportError::Refused { operation, errors, info }
}

/// A refusal with no secret in its words: who refuses may repeat what was sent.
pub(crate) fn hidden_in(mut refusal: Refusal, known: &[&Secret<String>]) -> Refusal {
    let of_info = refusal.info.iter_mut().flat_map(|info| info.errors.iter_mut());
    for error in refusal.errors.iter_mut().chain(of_info) {
        error.message = mask::hide(&error.message, known);
    }
    for detail in &mut refusal.info {
        detail.description = mask::hide(&detail.description, known);
    }
    refusal
}

/// What to do about a word of the provider's, for the errors of a person.
pub(crate) fn with_advice(mut error: PortalError, advice: Option<&str>) -> PortalError {
    if let Some(advice) = advice {
        error.message =
            if error.message.is_empty() { advice.to_owned() } else { format!("{} ({advice})", error.message) };
    }
    error
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_token_is_read_in_every_unit_and_never_lies_behind() {
        let at: Timestamp = "2026-11-05T06:30:00Z".parse().unwrap();
        let end = |text, unit| expiry(text, unit, at).map(|end| end.to_string());
        let later = Some("2026-11-05T07:30:00Z".to_owned());
        assert_eq!(end("3600", ExpiryUnit::Seconds), later);
        assert_eq!(end("3600.0", ExpiryUnit::Seconds), later);
        assert_eq!(end("60", ExpiryUnit::Minutes), later);
        assert_eq!(end("2026-11-05 13:00:00", ExpiryUnit::Time), later);
        assert_eq!(end("1793863800000", ExpiryUnit::EpochMilliseconds), later);
        assert_eq!(end("1793863800", ExpiryUnit::EpochSeconds), later);
        assert_eq!(end("-1", ExpiryUnit::Seconds), None);
        assert_eq!(end("soon", ExpiryUnit::Seconds), None);
        assert_eq!(end("9223372036854775807", ExpiryUnit::Minutes), None);
    }
}
