//! `connection.json`: what a client needs to know to use the emulator over HTTP.

use std::fmt;
use std::path::Path;

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
        Self {
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
