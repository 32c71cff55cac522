//! What a transport can do.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::{TransportError, raw_calls_denied, raw_calls_in_production};
use crate::environment::{Environment, Product};
use crate::operation::OperationKind;
use crate::raw::{RawCall, RawPart};

/// How a transport reaches the portal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum TransportMode {
    /// Straight to an IRP.
    Direct,
    /// Through a GST Suvidha Provider that passes the portal's protocol on.
    Gsp,
    /// Through a provider's own API.
    ProviderApi,
    /// The emulator, inside this process.
    InProcess,
}

/// What a transport can do; the caller asks before it tries.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct TransportCapability {
    /// How the portal is reached.
    pub mode: TransportMode,
    /// Which environment is behind it.
    pub environment: Environment,
    /// Operations it carries.
    pub operations: BTreeSet<OperationKind>,
    /// The portal site asked by default, stored with every intent.
    pub site: String,
    /// Whether request and reply bodies are sealed with the SEK by us (or by the provider).
    pub seals: bool,
    /// Largest request body in bytes.
    pub payload_bytes_max: usize,
    /// Calls that may run at the same time for one GSTIN.
    pub concurrency_per_gstin: usize,
    /// Longest time a login or a call takes, however it ends.
    pub call_time_max: Duration,
    /// Whether the client pair differs between the two government systems, as some providers issue one for each.
    pub client_pair_per_product: bool,
    /// The systems whose API users are entered at the provider, so that nothing of them is needed here.
    pub users_at_provider: BTreeSet<Product>,
    /// What it can send as it is ([`Transport::call_raw`](super::Transport::call_raw)); nothing where it sends only what a right program sends.
    pub raw_calls: BTreeSet<RawPart>,
    /// Whether nothing but the client pair decides which environment is behind it, as where a provider has one address for
    /// both. The route's word is no proof then that what is tried out is not real, so that nothing is tried out.
    pub environment_by_client_pair: bool,
    /// How far a login to each system goes, where that is not to whoever knows the API user: see
    /// [`TransportCapability::login_reach`].
    pub login_reach: BTreeMap<Product, LoginReach>,
    /// The systems whose login is sealed here with the portal's key, so that user name and password have to fit in.
    pub sealed_logins: BTreeSet<Product>,
}

/// How far a login goes, and so what it proves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(clippy::exhaustive_enums, reason = "there is nobody else between here and the portal")]
pub enum LoginReach {
    /// To nobody: every call carries what is needed, or the provider has it.
    Nobody,
    /// To the provider, with the client pair alone.
    Provider,
    /// To whoever knows the API user, with client pair and API user.
    Taxpayer,
}

impl TransportCapability {
    /// Describes a transport with the portal's own limits: 2 MB a request, three calls at once for a
    /// GSTIN (the portal publishes no figure; this is a careful default), a minute for a call.
    pub fn new(
        mode: TransportMode,
        environment: Environment,
        site: impl Into<String>,
        operations: impl IntoIterator<Item = OperationKind>,
    ) -> Self {
        Self {
            mode,
            environment,
            operations: operations.into_iter().collect(),
            site: site.into(),
            seals: true,
            payload_bytes_max: 2 * 1024 * 1024,
            concurrency_per_gstin: 3,
            call_time_max: Duration::from_mins(1),
            client_pair_per_product: false,
            users_at_provider: BTreeSet::new(),
            raw_calls: BTreeSet::new(),
            environment_by_client_pair: false,
            login_reach: BTreeMap::new(),
            sealed_logins: BTreeSet::from([Product::EInvoice, Product::EWayBill]),
        }
    }

    /// Lets a call as it is pass where it may: never to production, and only what this transport can send.
    ///
    /// # Errors
    /// [`TransportError::HeldBack`], with the reason.
    pub fn admit_raw(&self, call: &RawCall) -> Result<(), TransportError> {
        self.admit_rehearsal("this route")?;
        if self.raw_calls.is_empty() {
            return Err(raw_calls_denied());
        }
        match call.parts().into_iter().find(|part| !self.raw_calls.contains(part)) {
            Some(lacking) => Err(TransportError::HeldBack { reason: lacking.why_lacking() }),
            None => Ok(()),
        }
    }

    /// Lets something be tried out where it may: never in production, nor where only the client pair tells that it is the
    /// sandbox.
    ///
    /// # Errors
    /// [`TransportError::HeldBack`], with the reason, in which the route is called by these words.
    pub fn admit_rehearsal(&self, route: &str) -> Result<(), TransportError> {
        if self.environment == Environment::Production {
            return Err(raw_calls_in_production(route));
        }
        if self.environment_by_client_pair {
            let reason = format!(
                "{route} has one address for the sandbox and production, and nothing but the client pair tells that it is \
                 the sandbox: a pair put in the wrong place would register for good what is only tried out. Use a route \
                 whose address is the sandbox's alone"
            );
            return Err(TransportError::HeldBack { reason });
        }
        Ok(())
    }

    /// How far a login to a system goes.
    #[must_use]
    pub fn login_reach(&self, product: Product) -> LoginReach {
        self.login_reach.get(&product).copied().unwrap_or(LoginReach::Taxpayer)
    }
}
