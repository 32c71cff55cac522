//! The `gsp` transport: one provider, by its profile.

use std::sync::Arc;

use async_trait::async_trait;
use einvoice_core::credential::{Access, ApiUser, ClientPair};
use einvoice_core::environment::Product;
use einvoice_core::identifier::Gstin;
use einvoice_core::operation::{Operation, Reply};
use einvoice_core::raw::{RawAnswer, RawCall};
use einvoice_core::session::{ProviderToken, SavedSession, Session};
use einvoice_core::transport::{
    LoginReach, LoginRequest, Probe, Transport, TransportCapability, TransportError, TransportMode,
};
use einvoice_protocol::exchange::{Exchange, HttpRequest, Method};

use crate::parts::{GspParts, PartsError, Side, operations, side};
use crate::profile::{Crypto, Kind, Profile, TaxpayerMode};
use crate::provider::{Provider, RETRY_WITHIN, not_sent};
use crate::raw;

/// Characters of a heartbeat's answer that are kept.
const PROBE_TEXT_CHARS: usize = 200;

/// A [`Transport`] through one provider.
#[derive(Debug)]
pub struct GspTransport<E> {
    pub(crate) provider: Arc<Provider<E>>,
    pub(crate) capability: TransportCapability,
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
            Some(login) => call_time_max.saturating_add(login.time_max()).saturating_add(RETRY_WITHIN),
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
        capability.raw_calls = raw::parts(&profile, &capability.operations);
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

    pub(crate) const fn side(&self, product: Product) -> &Side<E> {
        match product {
            Product::EInvoice => &self.irp,
            _ => &self.ewb,
        }
    }
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

    async fn call_raw(&self, session: &Session, call: &RawCall) -> Result<RawAnswer, TransportError> {
        self.capability.admit_raw(call)?;
        self.provider.adopt(session.access().client(), session.saved().provider.as_ref());
        self.carry_raw(session, call).await
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
