//! A provider over HTTP: its account over restarts, what a client is told of it, and what a test can do to it.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use einvoice_core::entropy::SharedEntropy;
use einvoice_core::environment::Product;
use einvoice_sandbox::{GspClient, GspConnection, PortalReply, PortalRequest, write_whole};
use serde::{Deserialize, Serialize};

use super::{Provider, ProviderAccount, ProviderFault, json};
use crate::profile::{Crypto, Hosts, Profile, TaxpayerMode};

/// File in the emulator's folder that keeps the client pairs of its providers from one start to the next.
pub const ACCOUNTS_FILE: &str = "gsp.json";
/// Hexadecimal digits of a client secret.
const SECRET_DIGITS: usize = 40;
/// Faults that wait at most, so that a script in a circle cannot fill the memory.
const FAULTS_MAX: u32 = 10_000;

/// How routes come to a provider that is served.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "whoever serves a provider fills in every field")]
pub struct Served {
    /// The profile as a route names it: a shipped name, or the whole path of a file.
    pub profile: String,
    /// The emulator's folder, where its public keys are.
    pub data: PathBuf,
}

/// Why a provider cannot be served.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServedError {
    /// The file of accounts cannot be read.
    #[error("{} cannot be read: {reason}; delete it, and every provider gets a new client pair", .path.display())]
    Accounts {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// It cannot be written.
    #[error(transparent)]
    Written(#[from] einvoice_sandbox::SandboxError),
    /// There is no randomness for a secret.
    #[error("no client pair can be made: {reason}")]
    Random {
        /// What is wrong.
        reason: String,
    },
}

/// The client pairs of one provider, as they are kept.
#[derive(Clone, Serialize, Deserialize)]
struct Kept {
    client_id: String,
    client_secret: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ewb: Option<GspClient>,
}

impl fmt::Debug for Kept {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Kept").finish_non_exhaustive()
    }
}

/// A wish about faults.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FaultWish {
    fault: ProviderFault,
    #[serde(default = "once")]
    times: u32,
}

const fn once() -> u32 {
    1
}

/// What ends before its time.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct EndWish {
    #[serde(default)]
    tokens: bool,
    #[serde(default)]
    logins: bool,
}

/// What a provider tells of itself.
#[derive(Debug, Serialize)]
struct Told<'p> {
    id: &'p str,
    calls: u64,
    faults: &'p [ProviderFault],
}

impl Provider {
    /// A provider with the client pair that it had at the last start, kept in the emulator's folder. Each of its
    /// settings has the value `own-NAME`, or the default that the profile gives it.
    ///
    /// # Errors
    /// When the file of accounts is damaged or cannot be written.
    pub fn served(profile: Profile, served: Served, entropy: &SharedEntropy) -> Result<Self, ServedError> {
        std::fs::create_dir_all(&served.data)
            .map_err(|error| ServedError::Accounts { path: served.data.clone(), reason: error.to_string() })?;
        let path = served.data.join(ACCOUNTS_FILE);
        let mut all = kept(&path)?;
        let pair = || -> Result<GspClient, ServedError> {
            let mut random = [0_u8; SECRET_DIGITS / 2];
            entropy.fill(&mut random).map_err(|error| ServedError::Random { reason: error.to_string() })?;
            let mut digits = String::with_capacity(SECRET_DIGITS);
            for byte in random {
                let [high, low] = [byte >> 4, byte & 15].map(|digit| char::from_digit(digit.into(), 16));
                digits.extend([high, low].into_iter().flatten());
            }
            let (id, secret) = digits.split_at(12);
            Ok(GspClient { client_id: format!("{}-{id}", profile.id), client_secret: format!("worthless-{secret}") })
        };
        let needs_second = profile.provider.client_pair_per_product;
        if !all.contains_key(&profile.id) || all.get(&profile.id).is_some_and(|kept| needs_second != kept.ewb.is_some())
        {
            let GspClient { client_id, client_secret } = pair()?;
            let ewb = if needs_second { Some(pair()?) } else { None };
            all.insert(profile.id.clone(), Kept { client_id, client_secret, ewb });
            let text = serde_json::to_string_pretty(&all)
                .map_err(|error| ServedError::Accounts { path: path.clone(), reason: error.to_string() })?;
            write_whole(&path, format!("{text}\n").as_bytes())?;
        }
        let Some(own) = all.remove(&profile.id) else {
            return Err(ServedError::Accounts { path, reason: format!("{} is not in it", profile.id) });
        };
        let settings = profile
            .settings
            .iter()
            .map(|(name, setting)| {
                (name.clone(), setting.default.clone().unwrap_or_else(|| format!("own-{}", name.replace('_', "-"))))
            })
            .collect();
        let account = ProviderAccount { client_id: own.client_id, client_secret: own.client_secret };
        let mut provider = Self::new(profile, account, settings);
        if let Some(ewb) = own.ewb {
            provider = provider
                .with_ewb_account(ProviderAccount { client_id: ewb.client_id, client_secret: ewb.client_secret });
        }
        provider.served = Some(served);
        Ok(provider)
    }

    /// The path below which it is served.
    #[must_use]
    pub fn prefix(&self) -> String {
        format!("/gsp/{}", self.profile.id)
    }

    /// What a client needs to know; nothing where it is not served.
    pub(super) fn described(&self, base_url: &str) -> Option<GspConnection> {
        let served = self.served.as_ref()?;
        let parts = [("irp", Product::EInvoice), ("ewb", Product::EWayBill)];
        let carried = || parts.iter().filter_map(|(name, product)| Some((*name, self.profile.product(*product)?)));
        let taxpayer: BTreeMap<String, String> =
            carried().map(|(name, part)| (name.to_owned(), mode(part.taxpayer).to_owned())).collect();
        let Hosts { common, irp, ewb, .. } = Self::hosts(base_url);
        let hosts: BTreeMap<String, String> = [("common", Some(common)), ("irp", irp), ("ewb", ewb)]
            .into_iter()
            .filter(|(name, _)| *name == "common" || taxpayer.contains_key(*name))
            .filter_map(|(name, address)| Some((name.to_owned(), address?)))
            .collect();
        let key = |name: &str, file: &str| {
            let needs = carried().any(|(part, how)| part == name && how.crypto != Crypto::Plain);
            needs.then(|| absolute(&served.data).join(file))
        };
        let mut connection = GspConnection {
            profile: served.profile.clone(),
            id: self.profile.id.clone(),
            name: self.profile.name.clone(),
            base_url: base_url.to_owned(),
            needs_user: carried().any(|(_, part)| part.taxpayer != TaxpayerMode::AtProvider),
            hosts,
            settings: self.settings.clone(),
            client_id: self.account.client_id.clone(),
            client_secret: self.account.client_secret.clone(),
            ewb: self.ewb_account.as_ref().map(|account| GspClient {
                client_id: account.client_id.clone(),
                client_secret: account.client_secret.clone(),
            }),
            taxpayer,
            auth_public_key_file: key("irp", "auth-public.pem"),
            ewb_auth_public_key_file: key("ewb", "ewb-auth-public.pem"),
            users: Vec::new(),
            ewb_users: Vec::new(),
            route: String::new(),
        };
        connection.route = route(&connection);
        Some(connection)
    }

    /// Does a test's wish.
    pub(super) fn controlled(&self, request: &PortalRequest) -> PortalReply {
        let wrong = |error: serde_json::Error| json(400, format!("{{\"error\":{}}}", quoted(&error.to_string())));
        match (request.method.as_str(), request.target.as_str()) {
            ("GET", "/" | "/faults") => {}
            ("DELETE", "/faults") => self.state().faults.clear(),
            ("POST", "/faults") => match serde_json::from_slice::<FaultWish>(&request.body) {
                Ok(wish) => {
                    let times = wish.times.min(FAULTS_MAX);
                    (0..times).for_each(|_| self.push_fault(wish.fault));
                }
                Err(error) => return wrong(error),
            },
            ("POST", "/end") => match serde_json::from_slice::<EndWish>(&request.body) {
                Ok(wish) => {
                    if wish.tokens {
                        self.end_tokens();
                    }
                    if wish.logins {
                        self.end_logins();
                    }
                }
                Err(error) => return wrong(error),
            },
            _ => return json(404, r#"{"error":"there is no such control"}"#.to_owned()),
        }
        let state = self.state();
        let told = Told { id: &self.profile.id, calls: state.calls, faults: &state.faults };
        // Names, a number and words: nothing of it can fail to be JSON.
        json(200, serde_json::to_string(&told).unwrap_or_default())
    }
}

fn quoted(text: &str) -> String {
    einvoice_protocol::object::quoted(text)
}

const fn mode(mode: TaxpayerMode) -> &'static str {
    match mode {
        TaxpayerMode::AtProvider => "at_provider",
        TaxpayerMode::EveryCall => "every_call",
        TaxpayerMode::Login => "login",
        TaxpayerMode::WarmUp => "warm_up",
        TaxpayerMode::Nic => "nic",
    }
}

fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

fn kept(path: &Path) -> Result<BTreeMap<String, Kept>, ServedError> {
    let wrong = |reason: String| ServedError::Accounts { path: path.to_owned(), reason };
    match std::fs::read(path) {
        Ok(bytes) => serde_json::from_slice(&bytes).map_err(|error| wrong(error.to_string())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(BTreeMap::new()),
        Err(error) => Err(wrong(error.to_string())),
    }
}

/// A route for a configuration file.
fn route(connection: &GspConnection) -> String {
    let text = |value: &str| toml::Value::from(value).to_string();
    let table = |values: &BTreeMap<String, String>| {
        let pairs: Vec<String> = values.iter().map(|(name, value)| format!("{name} = {}", text(value))).collect();
        format!("{{ {} }}", pairs.join(", "))
    };
    let mut lines = vec![
        "[[route]]".to_owned(),
        format!("name = {}", text(&connection.id)),
        "plugin = \"gsp\"".to_owned(),
        "environment = \"sandbox\"".to_owned(),
        format!("client_account = {}", text(&format!("gsp-{}", connection.id))),
        format!("profile = {}", text(&connection.profile)),
        format!("hosts = {}", table(&connection.hosts)),
    ];
    if !connection.settings.is_empty() {
        lines.push(format!("settings = {}", table(&connection.settings)));
    }
    for (key, file) in [
        ("auth_public_key_file", &connection.auth_public_key_file),
        ("ewb_auth_public_key_file", &connection.ewb_auth_public_key_file),
    ] {
        if let Some(file) = file {
            lines.push(format!("{key} = {}", text(&file.display().to_string())));
        }
    }
    lines.push(String::new());
    lines.join("\n")
}
