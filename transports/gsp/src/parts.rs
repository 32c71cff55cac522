//! What a transport through a provider is made of, and how each of the two systems is spoken to.

use std::sync::Arc;

use einvoice_core::environment::Product;
use einvoice_core::operation::OperationKind;
use einvoice_core::transport::TransportMode;
use einvoice_protocol::client::{IrpSettings, IrpTransport};
use einvoice_protocol::endpoints::Endpoints;
use einvoice_protocol::ewb::settings::EwbSettings;
use einvoice_protocol::exchange::Exchange;
use einvoice_protocol::login::AuthPublicKey;

use crate::pass_through::PassThrough;
use crate::profile::{Crypto, ProductProfile, Profile};
use crate::provider::Provider;

/// What a transport is made of.
#[derive(Debug)]
#[expect(clippy::exhaustive_structs, reason = "whoever makes a transport fills in every field")]
pub struct GspParts<E> {
    /// The provider.
    pub profile: Profile,
    /// Which environment of the provider.
    pub environment: einvoice_core::environment::Environment,
    /// Values for what the profile declares under `settings`.
    pub settings: std::collections::BTreeMap<String, String>,
    /// Portal site that is asked where an operation names none.
    pub site: String,
    /// To the provider's address for logins.
    pub common: E,
    /// To its address for the e-invoice system, where the profile carries it; twice, as the portal's login may need
    /// its own.
    pub irp: Option<(E, E)>,
    /// The same for the e-way bill system.
    pub ewb: Option<(E, E)>,
    /// Key of the e-invoice system for logins, where its protocol passes through.
    pub irp_key: Option<AuthPublicKey>,
    /// The same of the e-way bill system.
    pub ewb_key: Option<AuthPublicKey>,
    /// Longest time a call takes.
    pub call_time_max: std::time::Duration,
    /// The source of randomness.
    pub entropy: einvoice_core::entropy::SharedEntropy,
    /// The clock.
    pub clock: einvoice_core::clock::SharedClock,
}

/// Why a profile and its parts make no transport.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PartsError {
    /// A setting that the profile declares has no value.
    #[error("`settings.{name}` is missing: {about}")]
    SettingMissing {
        /// Its name.
        name: String,
        /// What it is.
        about: String,
    },
    /// A setting that the profile does not declare.
    #[error("profile {profile} has no setting `{name}`{}; there are: {known}", .near.as_ref().map(|near| format!("; did you mean `{near}`?")).unwrap_or_default())]
    SettingUnknown {
        /// The profile.
        profile: String,
        /// The name.
        name: String,
        /// A name that is nearly the same.
        near: Option<String>,
        /// What there is.
        known: String,
    },
    /// The portal's protocol passes through, and its key for logins is missing.
    #[error(
        "`{key}` is missing: profile {profile} passes the portal's own login through, which is sealed with the portal's public key"
    )]
    KeyMissing {
        /// The key of the configuration.
        key: &'static str,
        /// The profile.
        profile: String,
    },
}

/// The portal's protocol through the provider.
pub(crate) type Portal<E> = IrpTransport<Arc<PassThrough<E>>>;

/// How one of the two systems is spoken to.
#[derive(Debug)]
pub(crate) enum Side<E> {
    /// Not at all.
    Absent,
    /// The content in the clear; the portal's login where the session key is needed.
    Plain { exchange: E, login: Option<Box<Portal<E>>> },
    /// The portal's protocol.
    Nic(Box<Portal<E>>),
}

/// The operations of a product that a profile carries.
pub(crate) fn operations(product: Product, part: &ProductProfile) -> Vec<OperationKind> {
    if part.crypto != Crypto::Nic {
        return part.operations.keys().copied().collect();
    }
    let all: Vec<OperationKind> = match product {
        Product::EInvoice => Endpoints::OPERATIONS.to_vec(),
        _ => EwbSettings::operations().collect(),
    };
    all.into_iter().filter(|kind| !part.unsupported.contains(kind)).collect()
}

/// How a product is spoken to, by its part of the profile.
pub(crate) fn side<E: Exchange>(
    provider: &Arc<Provider<E>>,
    product: Product,
    exchanges: Option<(E, E)>,
    key: Option<AuthPublicKey>,
    call_time_max: std::time::Duration,
) -> Result<Side<E>, PartsError> {
    let (Some(part), Some((exchange, for_login))) = (provider.profile.product(product), exchanges) else {
        return Ok(Side::Absent);
    };
    let by_portals_protocol = |exchange: E| {
        let name = if product == Product::EInvoice { "auth_public_key_file" } else { "ewb_auth_public_key_file" };
        let key = key.ok_or_else(|| PartsError::KeyMissing { key: name, profile: provider.profile.id.clone() })?;
        Ok(portals_protocol(provider, product, part, exchange, key, call_time_max))
    };
    Ok(match part.crypto {
        Crypto::Plain => Side::Plain { exchange, login: None },
        Crypto::PlainWithSek => Side::Plain { exchange, login: Some(Box::new(by_portals_protocol(for_login)?)) },
        Crypto::Nic => Side::Nic(Box::new(by_portals_protocol(exchange)?)),
    })
}

fn portals_protocol<E: Exchange>(
    provider: &Arc<Provider<E>>,
    product: Product,
    part: &ProductProfile,
    exchange: E,
    key: AuthPublicKey,
    call_time_max: std::time::Duration,
) -> Portal<E> {
    let through = Arc::new(PassThrough::new(Arc::clone(provider), product, exchange));
    let mut settings = IrpSettings::new(TransportMode::Gsp, provider.environment, provider.site.clone());
    settings.payload_bytes_max = usize::try_from(provider.profile.limits.request_bytes_max).unwrap_or(usize::MAX);
    settings.call_time_max = call_time_max;
    settings.json_layering = part.json_layering;
    settings.endpoints = part.endpoints.clone().unwrap_or_default();
    if let Some(spelling) = part.header_spelling {
        settings.header_spelling = spelling;
    }
    let irp = IrpTransport::new(Arc::clone(&through), settings, key.clone(), Arc::clone(&provider.entropy));
    if product == Product::EInvoice {
        return irp;
    }
    let mut ewb = EwbSettings::default();
    ewb.endpoints = part.ewb_endpoints.clone().unwrap_or_default();
    ewb.json_layering = part.json_layering;
    ewb.closure_names = part.closure_names.clone();
    if let Some(spelling) = part.header_spelling {
        ewb.header_spelling = spelling;
    }
    irp.with_ewb(through, ewb, key, Arc::clone(&provider.clock))
}
