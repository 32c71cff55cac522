//! The `gsp` transport: one provider, by its profile.

use std::sync::Arc;
use std::time::Instant;

use async_trait::async_trait;
use base64::Engine as _;
use einvoice_core::credential::{Access, ApiUser, ClientPair};
use einvoice_core::environment::Product;
use einvoice_core::identifier::Gstin;
use einvoice_core::operation::{Operation, Reply};
use einvoice_core::portal_code::ErrorClass;
use einvoice_core::secret::Secret;
use einvoice_core::session::{ProviderToken, SavedSession, Session};
use einvoice_core::transport::{
    LoginReach, LoginRequest, Probe, Transport, TransportCapability, TransportError, TransportMode,
};
use einvoice_protocol::encoding::BASE64;
use einvoice_protocol::exchange::{Exchange, HttpRequest, Method};
use einvoice_protocol::mask;
use einvoice_protocol::members::Members;
use einvoice_protocol::object::quoted;
use einvoice_protocol::question::{Beside, Question, answer, is_empty_list, question};
use jiff::{SignedDuration, Timestamp};

use crate::answer::{Answer, Reading, Refusal};
use crate::hooks::{self, Hook};
use crate::parts::{GspParts, PartsError, Side, operations, side};
use crate::profile::{
    Body, Crypto, Kind, Login, Meaning, Named, OperationProfile, ProductProfile, Profile, TaxpayerMode, Variable, Wrap,
};
use crate::provider::{
    LOGIN_TIME_MAX, Parts, Provider, RETRY_WITHIN, RequestBody, Whose, known_secrets, not_sent, refused, with_advice,
    written_out,
};
use crate::values::{Tokens, Values, site_of};

/// Characters of a heartbeat's answer that are kept.
const PROBE_TEXT_CHARS: usize = 200;
/// How long a session lasts that needs no token of the taxpayer's. It only bounds how long nobody looks.
const WITHOUT_TOKEN: SignedDuration = SignedDuration::from_hours(24);

/// A [`Transport`] through one provider.
#[derive(Debug)]
pub struct GspTransport<E> {
    provider: Arc<Provider<E>>,
    capability: TransportCapability,
    irp: Side<E>,
    ewb: Side<E>,
    /// To where the account is asked about, where that is elsewhere.
    account: Option<E>,
}

impl<E: Exchange> GspTransport<E> {
    /// Makes a transport of its parts.
    ///
    /// # Errors
    /// When a setting or a key is missing, or a setting is not the profile's.
    pub fn new(parts: GspParts<E>) -> Result<Self, PartsError> {
        let GspParts {
            profile,
            environment,
            mut settings,
            site,
            common,
            irp,
            ewb,
            irp_key,
            ewb_key,
            call_time_max,
            entropy,
            clock,
        } = parts;
        if let Some(name) = settings.keys().find(|name| !profile.settings.contains_key(*name)) {
            let known = profile.settings.keys().map(String::as_str);
            return Err(PartsError::SettingUnknown {
                profile: profile.id.clone(),
                name: name.clone(),
                near: einvoice_core::registry::nearest(name, known.clone()).map(str::to_owned),
                known: if profile.settings.is_empty() { "none".into() } else { known.collect::<Vec<_>>().join(", ") },
            });
        }
        for (name, setting) in &profile.settings {
            if settings.get(name).is_none_or(|value| value.trim().is_empty()) {
                let default = setting
                    .default
                    .clone()
                    .ok_or_else(|| PartsError::SettingMissing { name: name.clone(), about: setting.about.clone() })?;
                settings.insert(name.clone(), default);
            }
        }
        let mode = match profile.kind {
            Kind::Gsp => TransportMode::Gsp,
            Kind::ProviderApi => TransportMode::ProviderApi,
        };
        let mut capability = TransportCapability::new(mode, environment, site.clone(), []);
        capability.payload_bytes_max = usize::try_from(profile.limits.request_bytes_max).unwrap_or(usize::MAX);
        capability.concurrency_per_gstin = usize::from(profile.limits.calls_at_once);
        // A token of the provider may have to be fetched before; a call that is refused soon is repeated with another one.
        capability.call_time_max = match &profile.provider.login {
            Some(_) => call_time_max.saturating_add(LOGIN_TIME_MAX).saturating_add(RETRY_WITHIN),
            None => call_time_max,
        };
        capability.client_pair_per_product = profile.provider.client_pair_per_product;
        capability.seals = [&profile.irp, &profile.ewb].into_iter().flatten().any(|part| part.crypto == Crypto::Nic);
        for (product, part) in [(Product::EInvoice, &profile.irp), (Product::EWayBill, &profile.ewb)] {
            let Some(part) = part else { continue };
            capability.operations.extend(operations(product, part));
            if part.taxpayer == TaxpayerMode::AtProvider {
                capability.users_at_provider.insert(product);
            }
            let reach = match part.taxpayer {
                TaxpayerMode::Login | TaxpayerMode::WarmUp | TaxpayerMode::Nic => LoginReach::Taxpayer,
                _ if profile.provider.login.is_some() => LoginReach::Provider,
                _ => LoginReach::Nobody,
            };
            capability.login_reach.insert(product, reach);
        }
        let is_sealed = |product| profile.product(product).is_some_and(|part| part.taxpayer == TaxpayerMode::Nic);
        capability.sealed_logins.retain(|product| is_sealed(*product));
        let provider = Arc::new(Provider::new(profile, environment, settings, site, common, entropy, clock));
        let irp = side(&provider, Product::EInvoice, irp, irp_key, call_time_max)?;
        let ewb = side(&provider, Product::EWayBill, ewb, ewb_key, call_time_max)?;
        Ok(Self { provider, capability, irp, ewb, account: None })
    }

    /// Asks about the account at another address than that of logins.
    #[must_use]
    pub fn asking_about_the_account_at(mut self, exchange: E) -> Self {
        self.account = Some(exchange);
        self
    }

    /// What is left of the account at the provider, as the provider writes it, with the unit that the profile names;
    /// nothing where the profile does not say how to ask (`limits.balance`).
    ///
    /// # Errors
    /// Any [`TransportError`] of a login to the provider or of the question.
    pub async fn balance(&self, client: &ClientPair) -> Result<Option<(String, String)>, TransportError> {
        let exchange = self.account.as_ref().unwrap_or(&self.provider.common);
        // The question is the account's: no template of it knows a taxpayer, which the check of profiles sees to.
        let nobody = Gstin::parse("29AAAAA0000A1Z5").map_err(|error| not_sent(exchange, error.to_string()))?;
        let access = Access::new(nobody, client.clone(), ApiUser::at_provider());
        self.provider.balance(exchange, &access).await
    }

    /// The profile it works by.
    #[must_use]
    pub fn profile(&self) -> &Profile {
        &self.provider.profile
    }

    const fn side(&self, product: Product) -> &Side<E> {
        match product {
            Product::EInvoice => &self.irp,
            _ => &self.ewb,
        }
    }

    async fn plain_login(
        &self,
        exchange: &E,
        part: &ProductProfile,
        request: &LoginRequest<'_>,
    ) -> Result<Session, TransportError> {
        let Some(login) = &part.login else {
            // Nothing is to be had from anybody. The token tells one such session from another.
            self.provider.token(request.access).await?;
            let now = self.provider.clock.now();
            let until = now.checked_add(WITHOUT_TOKEN).unwrap_or(now);
            // It lasts no longer than the account's token, so that the next one is kept for others, too.
            let held = self.provider.held(request.access.client());
            let until = held.map_or(until, |held| held.expires_at.min(until));
            return Ok(without_key(request.access, Secret::new(self.provider.request_id()?), until));
        };
        let started = Instant::now();
        let was_held = self.provider.held(request.access.client()).map(|held| held.token);
        let token = self.provider.token(request.access).await?;
        let first = self.taxpayer_login(exchange, part, login, request, token.as_ref()).await;
        match (first, token) {
            (Err(error), Some(token)) if error.class() == Some(ErrorClass::TokenExpired) => {
                // One word of many providers stands for the account's token and for the taxpayer's login. The token can be
                // over if it was at hand before; one that was given out a moment ago is not to blame.
                if was_held.as_ref() != Some(&token) {
                    return Err(of_taxpayer(error));
                }
                if started.elapsed() > RETRY_WITHIN {
                    return Err(error);
                }
                self.provider.forget(&token);
                let token = self.provider.token(request.access).await?;
                self.taxpayer_login(exchange, part, login, request, token.as_ref()).await.map_err(of_taxpayer)
            }
            (Err(error), None) => Err(of_taxpayer(error)),
            (first, _) => first,
        }
    }

    async fn taxpayer_login(
        &self,
        exchange: &E,
        part: &ProductProfile,
        login: &Login,
        request: &LoginRequest<'_>,
        token: Option<&Secret<String>>,
    ) -> Result<Session, TransportError> {
        let request_id = self.provider.request_id()?;
        let site = self.provider.site(None);
        let common = &self.provider.profile.provider;
        let values = Values {
            settings: &self.provider.settings,
            access: request.access,
            tokens: Tokens {
                provider: token.map(|token| token.expose().as_str()),
                previous: request.previous.map(|previous| previous.token.expose().as_str()),
                ..Tokens::default()
            },
            request_id: &request_id,
            site: &site,
            force: request.force_refresh,
            operation: None,
            action: None,
        };
        let (query, headers) = ([&common.query, &part.query], [&common.headers, &part.headers]);
        let made =
            self.provider.login(exchange, login, &query, &headers, &values, request.product, Whose::Taxpayer).await?;
        let token = made.token.unwrap_or_else(|| Secret::new(request_id.clone()));
        Ok(without_key(request.access, token, made.expires_at))
    }

    async fn plain_call(
        &self,
        exchange: &E,
        part: &ProductProfile,
        session: &Session,
        operation: &Operation,
    ) -> Result<Reply, TransportError> {
        let unsupported = || TransportError::Unsupported { operation: operation.kind() };
        let how = part.operations.get(&operation.kind()).ok_or_else(unsupported)?;
        let started = Instant::now();
        let token = self.provider.token(session.access()).await?;
        let first = self.attempt(exchange, part, how, session, operation, token.as_ref()).await?;
        let refusal = match (first, &token) {
            (Ok(reply), _) => return Ok(reply),
            // The provider did not look at the request: with another token it goes out once more.
            (Err(refusal), Some(refused))
                if refusal.means(Meaning::ReauthProvider) && started.elapsed() <= RETRY_WITHIN =>
            {
                self.provider.forget(refused);
                let token = self.provider.token(session.access()).await?;
                match self.attempt(exchange, part, how, session, operation, token.as_ref()).await? {
                    Ok(reply) => return Ok(reply),
                    Err(refusal) => refusal,
                }
            }
            (Err(refusal), _) => refusal,
        };
        if is_empty_list(operation, &refusal.errors) {
            return Ok(Reply::EwbList(Vec::new()));
        }
        let request_id = String::new();
        let values = self.values(session, operation, token.as_ref(), None, &request_id, "", None);
        let known = known_secrets(&values);
        let known: Vec<&Secret<String>> = known.iter().collect();
        let advice = refusal.meanings.iter().find_map(|meaning| meaning.advice());
        let is_everywhere_known = part.taxpayer != TaxpayerMode::Login && part.taxpayer != TaxpayerMode::WarmUp;
        let mut refusal = refusal;
        refusal.errors = refusal.errors.into_iter().map(|error| with_advice(error, advice)).collect();
        if is_everywhere_known && refusal.means(Meaning::ReauthTaxpayer) {
            // There is no login that could bring another token: the API user itself is not accepted.
            for error in &mut refusal.errors {
                error.of_provider = error.of_provider.map(|_| ErrorClass::Auth);
            }
        }
        Err(refused(Some(operation), refusal, &known))
    }

    #[expect(clippy::too_many_arguments, reason = "a request is told what it is made of, once")]
    fn values<'v>(
        &'v self,
        session: &'v Session,
        operation: &'v Operation,
        provider_token: Option<&'v Secret<String>>,
        sek: Option<&'v str>,
        request_id: &'v str,
        site: &'v str,
        action: Option<&'v str>,
    ) -> Values<'v> {
        Values {
            settings: &self.provider.settings,
            access: session.access(),
            tokens: Tokens {
                provider: provider_token.map(|token| token.expose().as_str()),
                taxpayer: Some(session.token().expose()),
                sek,
                previous: None,
            },
            request_id,
            site,
            force: false,
            operation: Some(operation),
            action,
        }
    }

    /// One attempt: the reply, or what was refused.
    async fn attempt(
        &self,
        exchange: &E,
        part: &ProductProfile,
        how: &OperationProfile,
        session: &Session,
        operation: &Operation,
        token: Option<&Secret<String>>,
    ) -> Result<Result<Reply, Refusal>, TransportError> {
        let kind = operation.kind();
        let asked = question(operation, &part.closure_names);
        let request_id = self.provider.request_id()?;
        let site = self.provider.site(site_of(operation));
        let sek = (part.crypto == Crypto::PlainWithSek).then(|| Secret::new(BASE64.encode(session.sek().expose())));
        let sek = sek.as_ref().map(|sek| sek.expose().as_str());
        let action = asked.action.as_deref();
        let values = self.values(session, operation, token, sek, &request_id, &site, action);
        let missing = |variable: Variable| match variable {
            // The operation comes in forms, and this one lacks it: the profile cannot carry this form.
            Variable::Known(_) => TransportError::Unsupported { operation: kind },
            Variable::Setting(_) => not_sent(exchange, format!("the profile needs {{{variable}}}, which has no value")),
        };
        let hook = hook_of(exchange, how)?;
        let body = self.body(exchange, part, how, hook, operation, &asked, &values)?.map_err(missing)?;
        let common = &self.provider.profile.provider;
        let parts = Parts {
            http: &how.http,
            query: vec![&common.query, &part.query, &how.query],
            headers: vec![&common.headers, &part.headers, &how.headers],
            parameters: if how.portal_parameters { asked.parameters } else { Vec::new() },
            body: body.map(RequestBody::Json),
            lenient: false,
        };
        let request = written_out(parts, &values).map_err(missing)?;
        let response = self.provider.send(exchange, request, Some(kind)).await?;
        let known = known_secrets(&values);
        let known: Vec<&Secret<String>> = known.iter().collect();
        let bad = |reason: &str| TransportError::BadAnswer {
            endpoint: exchange.endpoint(),
            http_status: Some(response.status),
            reason: mask::hide(reason, &known),
            changes_books: kind.changes_books(),
        };
        let profile = &self.provider.profile;
        let reading = Reading {
            layers: how.reply.as_deref().unwrap_or(&part.reply),
            codes: &profile.codes,
            http: &profile.http,
            product: kind.product(),
        };
        let (content, info, alert) = match reading.read(response.status, &response.body) {
            Answer::Yes { content, info, alert } => (content, info, alert),
            Answer::No(refusal) => return Ok(Err(refusal)),
            Answer::Unclear(reason) => return Err(bad(&reason)),
        };
        let content = match &how.payload {
            Some(at) => {
                let found = at.structure(&content);
                found.ok_or_else(|| bad(&format!("it says yes, and there is no object or list at {at}")))?.into_owned()
            }
            None => content,
        };
        let content = match hook {
            Some(hook) => hook.reply(operation, &content).map_err(|error| bad(&error.to_string()))?,
            None => content,
        };
        answer(operation, &content, Beside { alert, info }).map(Ok).map_err(|error| bad(&error.to_string()))
    }

    /// The body of a request; the inner error is a variable without a value.
    #[expect(clippy::too_many_arguments, reason = "a body is told what it is made of, once")]
    fn body(
        &self,
        exchange: &E,
        part: &ProductProfile,
        how: &OperationProfile,
        hook: Option<&dyn Hook>,
        operation: &Operation,
        asked: &Question<'_>,
        values: &Values<'_>,
    ) -> Result<Result<Option<String>, Variable>, TransportError> {
        let refuse = |reason: String| not_sent(exchange, reason);
        let changes_books = operation.kind().changes_books();
        let json = match how.body.unwrap_or(if changes_books { Body::Nic } else { Body::None }) {
            Body::None => return Ok(Ok(None)),
            Body::Members => "{}".to_owned(),
            Body::Nic => {
                let json = asked.json.as_deref().unwrap_or_default();
                let max = self.capability.payload_bytes_max;
                if json.len() > max {
                    let reason = format!("the document has {} bytes and the provider takes {max}", json.len());
                    return Err(refuse(reason));
                }
                String::from_utf8_lossy(json).into_owned()
            }
        };
        let json = match hook {
            Some(hook) => hook.request(operation, &json).map_err(|error| refuse(error.to_string()))?,
            None => json,
        };
        let with_members = match with_members(json, [&how.members, &part.add, &how.add], values) {
            Ok(json) => json,
            Err(variable) => return Ok(Err(variable)),
        };
        let wrapped = how.wrap.iter().fold(with_members, |json, wrap| match wrap {
            Wrap::Array => format!("[{json}]"),
            Wrap::Member(name) => format!("{{{}:{json}}}", quoted(name)),
        });
        Ok(Ok(Some(wrapped)))
    }
}

/// The refusal of a taxpayer's login where no token of the account can be to blame: the API user is.
fn of_taxpayer(mut error: TransportError) -> TransportError {
    if let TransportError::Refused { errors, .. } = &mut error {
        for error in errors.iter_mut().filter(|error| error.of_provider == Some(ErrorClass::TokenExpired)) {
            error.of_provider = Some(ErrorClass::Auth);
        }
    }
    error
}

/// The hook that an operation names.
fn hook_of<E: Exchange>(exchange: &E, how: &OperationProfile) -> Result<Option<&'static dyn Hook>, TransportError> {
    let Some(name) = &how.hook else { return Ok(None) };
    match hooks::find(name) {
        Some(hook) => Ok(Some(hook)),
        None => Err(not_sent(exchange, format!("this program has no hook `{name}`"))),
    }
}

/// A session in which the provider seals, so that there is no key.
fn without_key(access: &Access, token: Secret<String>, expires_at: Timestamp) -> Session {
    let (sek, app_key) = (Secret::new(Vec::new()), Secret::new(Vec::new()));
    Session::new(access.clone(), SavedSession { token, sek, app_key, expires_at, provider: None })
}

/// An object with members of a profile behind its own. A member that it has already stays as it is.
fn with_members<'n>(
    json: String,
    members: impl IntoIterator<Item = &'n Named>,
    values: &Values<'_>,
) -> Result<String, Variable> {
    let mut added = String::new();
    for (name, template) in members.into_iter().flatten() {
        if Members::read(&json, &[]).is_ok_and(|own| own.get(name).is_some()) {
            continue;
        }
        let text = template.fill(|variable| values.get(variable), str::to_owned)?;
        added.push(',');
        added.push_str(&quoted(name));
        added.push(':');
        added.push_str(&quoted(&text));
    }
    let Some(open) = json.trim_end().strip_suffix('}').filter(|_| !added.is_empty()) else { return Ok(json) };
    let is_empty = open.trim_end().ends_with('{');
    Ok(format!("{open}{}}}", if is_empty { added.trim_start_matches(',') } else { added.as_str() }))
}

#[async_trait]
impl<E: Exchange> Transport for GspTransport<E> {
    fn capability(&self) -> &TransportCapability {
        &self.capability
    }

    async fn login(&self, request: LoginRequest<'_>) -> Result<Session, TransportError> {
        let part = self.provider.profile.product(request.product);
        let client = request.access.client();
        self.provider.adopt(client, request.previous.and_then(|previous| previous.provider.as_ref()));
        let session = match (self.side(request.product), part) {
            (Side::Nic(portal) | Side::Plain { login: Some(portal), .. }, _) => portal.login(request).await?,
            (Side::Plain { exchange, login: None }, Some(part)) => self.plain_login(exchange, part, &request).await?,
            _ => {
                let reason = format!("profile {} does not carry this system", self.provider.profile.id);
                return Err(not_sent(&self.provider.common, reason));
            }
        };
        // The account's token goes with the session, so that whoever shares that need not log in there.
        let provider = self.provider.held(client);
        Ok(Session::new(session.access().clone(), SavedSession { provider, ..session.saved().clone() }))
    }

    async fn call(&self, session: &Session, operation: &Operation) -> Result<Reply, TransportError> {
        let kind = operation.kind();
        if !self.capability.operations.contains(&kind) {
            return Err(TransportError::Unsupported { operation: kind });
        }
        self.provider.adopt(session.access().client(), session.saved().provider.as_ref());
        match (self.side(kind.product()), self.provider.profile.product(kind.product())) {
            (Side::Nic(portal), _) => portal.call(session, operation).await,
            (Side::Plain { exchange, .. }, Some(part)) => self.plain_call(exchange, part, session, operation).await,
            _ => Err(TransportError::Unsupported { operation: kind }),
        }
    }

    async fn provider_token(&self, access: &Access) -> Option<ProviderToken> {
        self.provider.at_hand(access.client())
    }

    async fn probe(&self) -> Result<Probe, TransportError> {
        let line = &self.provider.profile.provider.heartbeat;
        let path_and_query = line.as_ref().map_or_else(|| "/".to_owned(), |line| line.path().to_string());
        let request =
            HttpRequest { method: Method::Get, path_and_query, headers: Vec::new(), body: bytes::Bytes::new() };
        let endpoint = self.provider.common.endpoint();
        let response = self.provider.send(&self.provider.common, request, None).await?;
        if response.status >= 500 {
            let reason = format!("it answers with HTTP status {}", response.status);
            return Err(TransportError::NoAnswer { endpoint, reason, changes_books: false, source: None });
        }
        let text = String::from_utf8_lossy(&response.body);
        let text: String = text.trim().chars().filter(|letter| !letter.is_control()).take(PROBE_TEXT_CHARS).collect();
        Ok(Probe { endpoint, text: if text.is_empty() { format!("HTTP status {}", response.status) } else { text } })
    }
}
