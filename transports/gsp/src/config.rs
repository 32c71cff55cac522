//! The settings of a route through a provider, and its registration.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use einvoice_core::clock::SharedClock;
use einvoice_core::entropy::SharedEntropy;
use einvoice_core::environment::{Environment, Product};
use einvoice_core::registry::{BuildContext, BuildError};
use einvoice_core::transport::Transport;
use einvoice_http::{
    BODY_BYTES_MAX, CONNECT_TIMEOUT_MS, HttpError, HttpExchange, HttpSettings, ProxyChoice, TOTAL_TIMEOUT_MS,
    other_environment, usable_address,
};
use einvoice_protocol::login::AuthPublicKey;
use einvoice_protocol::public_key::KEY_FILE_BYTES_MAX;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::environment::known_at;
use crate::parts::{GspParts, PartsError};
use crate::profile::{Hosts, Profile, ProfileError, read_profile};
use crate::tape::{Recorded, Tape, TapeError};
use crate::transport::GspTransport;

/// Settings of a route through a GSP or a provider's own interface.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct GspConfig {
    /// The provider: the name of a profile that comes with the program, or the path of a profile of your own, which
    /// ends in `.toml`. A relative path begins at the configuration file's folder.
    pub profile: String,
    /// Values for what the profile declares under `settings`. Nothing secret.
    #[serde(default)]
    pub settings: BTreeMap<String, String>,
    /// Portal site that is asked where nothing else is known. Default `NIC1`.
    #[serde(default = "default_site")]
    pub site: String,
    /// Addresses instead of those of the profile: another one that the provider publishes, or an emulator's.
    #[serde(default)]
    pub hosts: Option<Hosts>,
    /// Which environment the client pair that is stored for this route is of, `sandbox` or `production`. To be said, and to
    /// be the route's `environment`, where the provider has one address for both: only the pair decides then whether what is
    /// registered is real. No rehearsal goes that way.
    #[serde(default)]
    pub client_pair_is_of: Option<Environment>,
    /// File with the e-invoice system's public key for logins, where the profile passes its protocol through.
    #[serde(default)]
    pub auth_public_key_file: Option<PathBuf>,
    /// The same of the e-way bill system.
    #[serde(default)]
    pub ewb_auth_public_key_file: Option<PathBuf>,
    /// Longest wait for a connection, in milliseconds. Default 5,000; 10 to 120,000. Running out of it is safe:
    /// nothing was sent.
    #[serde(default = "default_connect_timeout_ms")]
    #[schemars(range(min = 10, max = 120_000))]
    pub connect_timeout_ms: u64,
    /// Longest wait for a whole answer, connecting included, in milliseconds. Default 60,000; 10 to 600,000, and no
    /// less than `connect_timeout_ms`. The portal may still finish the call after it.
    #[serde(default = "default_total_timeout_ms")]
    #[schemars(range(min = 10, max = 600_000))]
    pub total_timeout_ms: u64,
    /// Largest answer read, in bytes. Default 8,388,608; 1,024 to 67,108,864.
    #[serde(default = "default_body_bytes_max")]
    #[schemars(range(min = 1024, max = 67_108_864))]
    pub body_bytes_max: usize,
    /// `off`, `system` (the usual environment variables), or `http://host:port`. Default `off`, since providers know
    /// the addresses they are called from.
    #[serde(default = "default_proxy")]
    pub proxy: String,
    /// Local address to send from, for machines with several. Default: the operating system's choice.
    #[serde(default)]
    pub local_address: Option<IpAddr>,
    /// File with one more certificate authority (PEM) to trust. Default: none besides the operating system's.
    #[serde(default)]
    pub root_certificate_file: Option<PathBuf>,
    /// New file that every exchange of this route is written to, with everything secret taken out: to see how a provider
    /// really answers. For a while only: it grows without an end.
    #[serde(default)]
    pub record: Option<PathBuf>,
}

fn default_site() -> String {
    "NIC1".to_owned()
}

const fn default_connect_timeout_ms() -> u64 {
    CONNECT_TIMEOUT_MS
}

const fn default_total_timeout_ms() -> u64 {
    TOTAL_TIMEOUT_MS
}

const fn default_body_bytes_max() -> usize {
    BODY_BYTES_MAX
}

fn default_proxy() -> String {
    "off".to_owned()
}

/// Why a route cannot be made from its settings.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GspError {
    /// The profile is missing, or cannot work.
    #[error(transparent)]
    Profile(#[from] ProfileError),
    /// Settings or keys do not fit the profile.
    #[error(transparent)]
    Parts(#[from] PartsError),
    /// The HTTP client cannot be made.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// A key for logins cannot be read.
    #[error("`{key}`: {reason}")]
    Key {
        /// The key of the configuration.
        key: &'static str,
        /// What is wrong and what to do.
        reason: String,
    },
    /// What is recorded cannot be written.
    #[error("`record`: {0}")]
    Tape(#[from] TapeError),
    /// The provider has one address for both environments, and nobody said which one the client pair is of.
    #[error(
        "`client_pair_is_of`: {address} serves the sandbox and production alike, so that nothing but the client pair decides \
         whether what is registered is real. Look in the provider's console which of the two the pair for this route is of; \
         if it is of {environment}, write `client_pair_is_of = \"{environment}\"`"
    )]
    OneAddress {
        /// The address.
        address: String,
        /// What the route says.
        environment: Environment,
    },
    /// The client pair is of another environment than the route says.
    #[error(
        "`client_pair_is_of` says {of}, and the route says `environment = \"{environment}\"`: they must be the same, as \
         documents, credentials and ledger go by the route's"
    )]
    OtherPair {
        /// What the pair is of.
        of: Environment,
        /// What the route says.
        environment: Environment,
    },
    /// The profile has no addresses for this environment.
    #[error(
        "profile {profile} has no {environment} of its own; give its addresses under `hosts`, as the provider told you"
    )]
    NoEnvironment {
        /// The profile.
        profile: String,
        /// The environment.
        environment: Environment,
    },
}

impl GspConfig {
    /// Settings with a profile, and defaults for the rest.
    pub fn new(profile: impl Into<String>) -> Self {
        Self {
            profile: profile.into(),
            settings: BTreeMap::new(),
            site: default_site(),
            hosts: None,
            client_pair_is_of: None,
            auth_public_key_file: None,
            ewb_auth_public_key_file: None,
            connect_timeout_ms: CONNECT_TIMEOUT_MS,
            total_timeout_ms: TOTAL_TIMEOUT_MS,
            body_bytes_max: BODY_BYTES_MAX,
            proxy: default_proxy(),
            local_address: None,
            root_certificate_file: None,
            record: None,
        }
    }

    /// Compares where a route leads with what it says; `true` where only the client pair tells the environment.
    fn only_the_pair_tells(
        &self,
        profile: &Profile,
        hosts: &Hosts,
        environment: Environment,
    ) -> Result<bool, GspError> {
        if let Some(of) = self.client_pair_is_of.filter(|of| *of != environment) {
            return Err(GspError::OtherPair { of, environment });
        }
        let carried = [(Product::EInvoice, "hosts.irp"), (Product::EWayBill, "hosts.ewb")];
        let carried = carried.into_iter().filter(|(product, _)| profile.product(*product).is_some());
        let products = carried.map(|(product, key)| (key, hosts.of(product), true));
        let login = Some(("hosts.common", hosts.common.as_str(), false)).filter(|(_, address, _)| !address.is_empty());
        let mut is_open = false;
        for (key, address, registers) in products.chain(login) {
            let url = usable_address(key, address, environment)?;
            let known = known_at(&url, profile);
            if !known.is_empty() && !known.contains(&environment) {
                return Err(other_environment(key, &url, environment.other(), environment).into());
            }
            if known.len() > 1 && registers {
                if self.client_pair_is_of.is_none() {
                    return Err(GspError::OneAddress { address: address.to_owned(), environment });
                }
                is_open = true;
            }
        }
        Ok(is_open)
    }

    async fn http(&self, directory: &Path) -> Result<HttpSettings, GspError> {
        let root_certificates = match &self.root_certificate_file {
            Some(file) => HttpSettings::read_root_certificates(&directory.join(file)).await?,
            None => Vec::new(),
        };
        let settings = HttpSettings {
            connect_timeout_ms: self.connect_timeout_ms,
            total_timeout_ms: self.total_timeout_ms,
            body_bytes_max: self.body_bytes_max,
            proxy: ProxyChoice::parse(&self.proxy)?,
            local_address: self.local_address,
            root_certificates,
        };
        settings.check()?;
        Ok(settings)
    }
}

/// Makes the transport of a route. Reads the files it names; makes no connection.
///
/// # Errors
/// When the profile, a setting or a file cannot be used.
pub async fn connect(
    config: GspConfig,
    environment: Environment,
    directory: &Path,
    entropy: SharedEntropy,
    clock: SharedClock,
) -> Result<GspTransport<Recorded<HttpExchange>>, GspError> {
    let profile = read_profile(&config.profile, directory)?;
    let hosts = match config.hosts.as_ref().or_else(|| profile.environments.get(environment)) {
        Some(hosts) => hosts.clone(),
        None => return Err(GspError::NoEnvironment { profile: profile.id, environment }),
    };
    let only_the_pair_tells = config.only_the_pair_tells(&profile, &hosts, environment)?;
    let http = config.http(directory).await?;
    let tape = match &config.record {
        Some(file) => {
            let file = directory.join(file);
            Some(Arc::new(Tape::begin(&file, &profile, environment, Arc::clone(&clock))?))
        }
        None => None,
    };
    let to = |part: &'static str, address: &str| -> Result<Recorded<HttpExchange>, GspError> {
        let address = usable_address(&format!("hosts.{part}"), address, environment)?;
        Ok(Recorded::new(HttpExchange::new(&http, &address)?, part, tape.clone()))
    };
    let of = |product: Product, part: &'static str| -> Result<Option<_>, GspError> {
        if profile.product(product).is_none() {
            return Ok(None);
        }
        let address = hosts.of(product);
        Ok(Some((to(part, address)?, to(part, address)?)))
    };
    let (irp, ewb) = (of(Product::EInvoice, "irp")?, of(Product::EWayBill, "ewb")?);
    let common = match [hosts.common.as_str(), hosts.of(Product::EInvoice), hosts.of(Product::EWayBill)]
        .into_iter()
        .find(|address| !address.is_empty())
    {
        Some(address) => to("common", address)?,
        None => return Err(HttpError::setting("hosts", "no address is given").into()),
    };
    let own_address = profile.limits.balance.as_ref().and_then(|balance| balance.address.as_deref());
    // Whoever names other addresses means all of them.
    let account = match own_address.filter(|_| config.hosts.is_none()) {
        Some(address) => Some(to("common", address)?),
        None => None,
    };
    let parts = GspParts {
        environment,
        settings: config.settings,
        site: config.site.trim().to_owned(),
        common,
        irp,
        ewb,
        irp_key: key("auth_public_key_file", config.auth_public_key_file.as_deref(), directory).await?,
        ewb_key: key("ewb_auth_public_key_file", config.ewb_auth_public_key_file.as_deref(), directory).await?,
        call_time_max: http.total_timeout(),
        entropy,
        clock,
        profile,
    };
    let mut transport = GspTransport::new(parts)?;
    transport.capability.environment_by_client_pair = only_the_pair_tells;
    Ok(match account {
        Some(account) => transport.asking_about_the_account_at(account),
        None => transport,
    })
}

async fn key(name: &'static str, file: Option<&Path>, directory: &Path) -> Result<Option<AuthPublicKey>, GspError> {
    let Some(file) = file else { return Ok(None) };
    let path = directory.join(file);
    let wrong = |reason: String| GspError::Key { key: name, reason };
    let unreadable = |error: std::io::Error| wrong(format!("{} cannot be read: {error}", path.display()));
    let length = tokio::fs::metadata(&path).await.map_err(unreadable)?.len();
    if usize::try_from(length).map_or(true, |length| length > KEY_FILE_BYTES_MAX) {
        let reason = format!("{} has {length} bytes; a key file has at most {KEY_FILE_BYTES_MAX}", path.display());
        return Err(wrong(reason));
    }
    let bytes = tokio::fs::read(&path).await.map_err(unreadable)?;
    let key = AuthPublicKey::from_pem(&String::from_utf8_lossy(&bytes)).map_err(|error| wrong(error.to_string()))?;
    Ok(Some(key))
}

async fn build(context: BuildContext, config: GspConfig) -> Result<Arc<dyn Transport>, BuildError> {
    let Some(environment) = context.environment else {
        return Err(BuildError::new(context.name, "the route has no environment; write `environment = \"sandbox\"`"));
    };
    let (entropy, clock) = (context.entropy.clone(), context.clock.clone());
    match connect(config, environment, &context.directory, entropy, clock).await {
        Ok(transport) => Ok(Arc::new(transport)),
        Err(error) => Err(BuildError::new(context.name, error.to_string()).because(error)),
    }
}

einvoice_core::register_transport! {
    name: "gsp",
    summary: "Through a GST Suvidha Provider or a provider's own interface, by a profile",
    config: GspConfig,
    example: include_str!("../examples/route.toml"),
    build: build,
}
