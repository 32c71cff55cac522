//! The way into Vault: the client, and the token it carries.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use einvoice_core::registry::{BuildContext, BuildError};
use einvoice_core::secret::Secret;
use reqwest::Url;
use tokio::sync::Mutex;
use vaultrs::auth::approle;
use vaultrs::client::{Client as _, VaultClient, VaultClientSettingsBuilder};
use vaultrs::error::ClientError;

use crate::config::VaultConfig;
use crate::fault::Fault;

/// How we prove who we are.
enum Key {
    Token { file: Option<PathBuf>, variable: String },
    AppRole { mount: String, role_id: String, file: Option<PathBuf>, variable: String },
}

/// Opens Vault when it is first needed, and again when it no longer takes the token.
pub(crate) struct Door {
    settings: VaultClientSettingsBuilder,
    key: Key,
    open: Mutex<Option<Arc<VaultClient>>>,
}

impl fmt::Debug for Door {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The client's settings hold the token.
        formatter.debug_struct("Door").finish_non_exhaustive()
    }
}

impl Door {
    /// Reads the settings; nothing is connected and no secret is read.
    pub(crate) fn new(context: &BuildContext, config: &VaultConfig) -> Result<Self, BuildError> {
        let wrong = |key: &str, reason: &str| BuildError::new(format!("{}, key `{key}`", context.name), reason);
        let address = address(&config.address).map_err(|reason| wrong("address", &reason))?;
        if !(1..=120).contains(&config.answer_seconds) {
            return Err(wrong("answer_seconds", &format!("found {}: write 1 to 120", config.answer_seconds)));
        }
        let path = |path: &Option<String>| path.as_ref().map(|path| context.path(path));
        let ca_file = path(&config.ca_file);
        if let Some(file) = ca_file.as_ref().filter(|file| !file.is_file()) {
            return Err(wrong("ca_file", &format!("there is no file {}", file.display())));
        }
        if config.role_id.is_some() && config.token_file.is_some() {
            return Err(wrong("role_id", "one of `role_id` and `token_file` is enough; remove one"));
        }
        if config.namespace.as_deref().is_some_and(|namespace| !fits_a_header(namespace)) {
            return Err(wrong("namespace", "write visible ASCII characters: it is sent as an HTTP header"));
        }
        let key = match &config.role_id {
            Some(role_id) => Key::AppRole {
                mount: config.auth_mount.clone(),
                role_id: role_id.clone(),
                file: path(&config.secret_id_file),
                variable: config.secret_id_env.clone(),
            },
            None => Key::Token { file: path(&config.token_file), variable: config.token_env.clone() },
        };
        let mut settings = VaultClientSettingsBuilder::default();
        // Each is set, as the library takes what is not from VAULT_... variables.
        settings
            .address(address)
            .token(String::new())
            .verify(true)
            .identity(None)
            .timeout(Some(Duration::from_secs(config.answer_seconds)))
            .namespace(config.namespace.clone())
            .ca_certs(ca_file.iter().map(|file| file.display().to_string()).collect());
        Ok(Self { settings, key, open: Mutex::new(None) })
    }

    /// The client, with a token.
    pub(crate) async fn client(&self) -> Result<Arc<VaultClient>, Fault> {
        let mut open = self.open.lock().await;
        if let Some(client) = open.as_ref() {
            return Ok(Arc::clone(client));
        }
        let client = Arc::new(self.log_in().await?);
        *open = Some(Arc::clone(&client));
        Ok(client)
    }

    /// Forgets a client whose token Vault refused, unless somebody has opened another meanwhile.
    pub(crate) async fn forget(&self, refused: &Arc<VaultClient>) {
        let mut open = self.open.lock().await;
        if open.as_ref().is_some_and(|client| Arc::ptr_eq(client, refused)) {
            *open = None;
        }
    }

    async fn log_in(&self) -> Result<VaultClient, Fault> {
        let settings = self.settings.build().map_err(|error| Fault::Settings(error.to_string()))?;
        let mut client = VaultClient::new(settings).map_err(|error| Fault::Settings(in_words(&error)))?;
        let token = match &self.key {
            Key::Token { file, variable } => secret(file.as_ref(), variable, "token of Vault")?,
            Key::AppRole { mount, role_id, file, variable } => {
                let secret_id = secret(file.as_ref(), variable, "secret id for Vault")?;
                let granted = approle::login(&client, mount, role_id, secret_id.expose()).await;
                Secret::new(granted.map_err(|error| Fault::of(error, "logging in by AppRole"))?.client_token)
            }
        };
        client.set_token(token.expose());
        Ok(client)
    }
}

fn secret(file: Option<&PathBuf>, variable: &str, what: &str) -> Result<Secret<String>, Fault> {
    let found = einvoice_secret_file::from_file_or_variable(file.map(PathBuf::as_path), variable, what);
    let found = found.map_err(Fault::NoKey)?;
    // A variable that was filled from a file ends with its line break.
    let secret = Secret::from(found.expose().trim());
    if !fits_a_header(secret.expose()) {
        return Err(Fault::NoKey(format!(
            "the {what} holds a line break, or a character that is no visible ASCII: it was not copied whole"
        )));
    }
    Ok(secret)
}

/// Whether a text can be sent as a header. The library takes for granted that it can.
fn fits_a_header(text: &str) -> bool {
    text.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic())
}

/// An error of the library about its own settings, with the cause, which names a file.
fn in_words(error: &ClientError) -> String {
    let cause = std::error::Error::source(error).map(|cause| format!(": {cause}")).unwrap_or_default();
    format!("{error}{cause}")
}

/// Reads an address; plain HTTP would show every secret to the network.
fn address(text: &str) -> Result<String, String> {
    let url = Url::parse(text).map_err(|error| format!("`{text}` is no address ({error}): write https://host:8200"))?;
    let is_here = match url.host_str() {
        Some("localhost") => true,
        Some(host) => host.trim_matches(['[', ']']).parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback()),
        None => false,
    };
    match url.scheme() {
        "https" => {}
        "http" if is_here => {}
        "http" => return Err(format!("`{text}` would show every secret to the network: write https://")),
        other => return Err(format!("`{other}:` is not spoken by Vault: write https://host:8200")),
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("has a name or password in it, which Vault does not take: remove it".to_owned());
    }
    Ok(text.trim_end_matches('/').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_is_for_this_machine_only() {
        for good in
            ["https://vault.example.in:8200/", "http://127.0.0.1:8200", "http://[::1]:8200", "http://localhost:1"]
        {
            assert!(address(good).is_ok(), "{good}");
        }
        assert!(address("http://vault.example.in:8200").unwrap_err().contains("write https://"));
        assert!(address("vault.example.in").unwrap_err().contains("no address"));
        assert!(address("ftp://vault.example.in").unwrap_err().contains("not spoken"));
        let error = address("https://me:hunter2@vault.example.in").unwrap_err();
        assert!(error.contains("remove it") && !error.contains("hunter2"), "{error}");
    }
}
