//! `connection.json`: what a client needs to know to use the emulator over HTTP.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::error::SandboxError;
use crate::registry::UserAccount;
use crate::sandbox::Sandbox;

/// Name of the file in the data directory.
pub const CONNECTION_FILE: &str = "connection.json";

/// Address, credentials and public keys of a running emulator.
#[derive(Clone, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Connection {
    /// Where it listens, without a path.
    pub base_url: String,
    /// Client id of the first user's PAN.
    pub client_id: String,
    /// Client secret of the first user's PAN.
    pub client_secret: String,
    /// API users.
    pub users: Vec<ConnectionUser>,
    /// The key that logins are encrypted with, PEM text.
    pub auth_public_key: String,
    /// The key that registrations are verified with, PEM text.
    pub signing_public_key: String,
    /// `kid` of the signing key.
    pub signing_kid: String,
    /// The e-way bill system.
    pub ewb: EwbConnection,
    /// The pages of the portal: sign-up, IP listing, API users. The same below `api/` in JSON.
    #[serde(default)]
    pub portal_url: String,
    /// Providers that stand before the portal; none where none was asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gsp: Vec<GspConnection>,
}

/// Address and account of a provider in front of the emulator.
#[derive(Clone, Serialize, Deserialize)]
#[expect(clippy::exhaustive_structs, reason = "whoever plays a provider fills in every field")]
pub struct GspConnection {
    /// The profile, as a route's key `profile` takes it.
    pub profile: String,
    /// Name of the profile, as it stands in the address.
    pub id: String,
    /// The provider, for people.
    pub name: String,
    /// Where it stands.
    pub base_url: String,
    /// Its addresses, as a route's key `hosts` takes them.
    pub hosts: BTreeMap<String, String>,
    /// Its settings, as a route's key `settings` takes them.
    pub settings: BTreeMap<String, String>,
    /// Client id of the account at the provider.
    pub client_id: String,
    /// Client secret of the account at the provider.
    pub client_secret: String,
    /// The pair for the e-way bill system, where the provider has one for each system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ewb: Option<GspClient>,
    /// How the taxpayer's API user is made known, by system (`irp`, `ewb`): `at_provider`, `every_call`, `login`,
    /// `warm_up` or `nic`. A system that is not here is not carried.
    pub taxpayer: BTreeMap<String, String>,
    /// Whether a route needs an API user at all: not where the provider holds it.
    pub needs_user: bool,
    /// File with the key for logins to the e-invoice system, where its protocol passes through.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth_public_key_file: Option<PathBuf>,
    /// The same of the e-way bill system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ewb_auth_public_key_file: Option<PathBuf>,
    /// API users of the e-invoice system, each with the client pair of the account.
    #[serde(default)]
    pub users: Vec<ConnectionUser>,
    /// API users of the e-way bill system, each with the client pair that serves it.
    #[serde(default)]
    pub ewb_users: Vec<ConnectionUser>,
    /// A route to it for a configuration file, ready to be copied.
    #[serde(default)]
    pub route: String,
}

impl GspConnection {
    /// The pair that serves the e-way bill system.
    fn ewb_pair(&self) -> (String, String) {
        let own = self.ewb.as_ref().map(|own| (own.client_id.clone(), own.client_secret.clone()));
        own.unwrap_or_else(|| (self.client_id.clone(), self.client_secret.clone()))
    }
}

impl fmt::Debug for GspConnection {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = formatter.debug_struct("GspConnection");
        shown.field("id", &self.id).field("base_url", &self.base_url).finish_non_exhaustive()
    }
}

/// A client pair of a provider's.
#[derive(Clone, Serialize, Deserialize)]
#[expect(clippy::exhaustive_structs, reason = "a pair has two parts")]
pub struct GspClient {
    /// Client id.
    pub client_id: String,
    /// Client secret.
    pub client_secret: String,
}

impl fmt::Debug for GspClient {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("GspClient").finish_non_exhaustive()
    }
}

/// Address, credentials and key of the e-way bill system.
#[derive(Clone, Serialize, Deserialize)]
#[non_exhaustive]
pub struct EwbConnection {
    /// Where it is, the path before `/v1.03` included.
    pub base_url: String,
    /// Client id of the first user's PAN.
    pub client_id: String,
    /// Client secret of the first user's PAN.
    pub client_secret: String,
    /// API users of the e-way bill system.
    pub users: Vec<ConnectionUser>,
    /// The key that its logins are encrypted with, PEM text.
    pub auth_public_key: String,
}

impl fmt::Debug for EwbConnection {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = formatter.debug_struct("EwbConnection");
        shown.field("base_url", &self.base_url).field("users", &self.users).finish_non_exhaustive()
    }
}

/// An API user in `connection.json`.
#[derive(Clone, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ConnectionUser {
    /// The taxpayer.
    pub gstin: String,
    /// User name.
    pub username: String,
    /// Password.
    pub password: String,
    /// Client id of this user's PAN.
    pub client_id: String,
    /// Client secret of this user's PAN.
    pub client_secret: String,
}

impl fmt::Debug for Connection {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Connection")
            .field("base_url", &self.base_url)
            .field("users", &self.users)
            .field("signing_kid", &self.signing_kid)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for ConnectionUser {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("ConnectionUser").field("gstin", &self.gstin).finish_non_exhaustive()
    }
}

impl Connection {
    pub(crate) fn of(sandbox: &Sandbox, base_url: &str) -> Self {
        let clients = sandbox.clients();
        let describe = |user: UserAccount| {
            let client = clients.iter().find(|client| user.gstin.get(2..12) == Some(client.pan.as_str()));
            ConnectionUser {
                gstin: user.gstin,
                username: user.username,
                password: user.password,
                client_id: client.map(|client| client.client_id.clone()).unwrap_or_default(),
                client_secret: client.map(|client| client.client_secret.clone()).unwrap_or_default(),
            }
        };
        let mut users: Vec<_> = sandbox.users().into_iter().map(describe).collect();
        let mut ewb_users: Vec<_> = sandbox.ewb_users().into_iter().map(describe).collect();
        // The well-known taxpayers come first, so that the pair at the top is theirs on every start.
        let place = |gstin: &str| crate::sandbox::DEFAULT_GSTINS.iter().position(|known| *known == gstin);
        for users in [&mut users, &mut ewb_users] {
            users.sort_by_key(|user| (place(&user.gstin).unwrap_or(usize::MAX), user.gstin.clone()));
        }
        let first = users.first();
        let ewb = EwbConnection {
            base_url: format!("{}{}", base_url.trim_end_matches('/'), crate::ewb_route::PREFIX),
            client_id: first.map(|user| user.client_id.clone()).unwrap_or_default(),
            client_secret: first.map(|user| user.client_secret.clone()).unwrap_or_default(),
            users: ewb_users,
            auth_public_key: sandbox.ewb_auth_public_key_pem(),
        };
        let gsp = fronts(sandbox, base_url, &users, &ewb.users);
        Self {
            gsp,
            base_url: base_url.trim_end_matches('/').to_owned(),
            client_id: first.map(|user| user.client_id.clone()).unwrap_or_default(),
            client_secret: first.map(|user| user.client_secret.clone()).unwrap_or_default(),
            auth_public_key: sandbox.auth_public_key_pem(),
            signing_public_key: sandbox.signing_public_key_pem(),
            signing_kid: sandbox.signing_kid(),
            users,
            ewb,
            portal_url: format!("{}{}/", base_url.trim_end_matches('/'), crate::registration::web::PREFIX),
        }
    }

    /// Writes `connection.json`, whole or not at all.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(&self, directory: &Path) -> Result<(), SandboxError> {
        let text = serde_json::to_string_pretty(self);
        let text = text.map_err(|error| SandboxError::Internal { reason: error.to_string() })?;
        crate::journal::write_whole(&directory.join(CONNECTION_FILE), format!("{text}\n").as_bytes())
    }
}

/// The providers in front, each with the API users that its account serves.
fn fronts(
    sandbox: &Sandbox,
    base_url: &str,
    users: &[ConnectionUser],
    ewb_users: &[ConnectionUser],
) -> Vec<GspConnection> {
    let with_pair = |users: &[ConnectionUser], (client_id, client_secret): (String, String)| {
        let of_account = |user: &ConnectionUser| ConnectionUser {
            client_id: client_id.clone(),
            client_secret: client_secret.clone(),
            ..user.clone()
        };
        users.iter().map(of_account).collect()
    };
    let known = sandbox.fronts();
    let described = known.iter().filter_map(|(prefix, front)| {
        let base_url = format!("{}{prefix}", base_url.trim_end_matches('/'));
        let mut shown = front.connection(&base_url)?;
        if shown.taxpayer.contains_key("irp") {
            shown.users = with_pair(users, (shown.client_id.clone(), shown.client_secret.clone()));
        }
        if shown.taxpayer.contains_key("ewb") {
            shown.ewb_users = with_pair(ewb_users, shown.ewb_pair());
        }
        Some(shown)
    });
    described.collect()
}
