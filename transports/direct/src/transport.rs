//! The `direct` transport: the shared protocol over this crate's HTTP client, and its registration.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use einvoice_core::BoxError;
use einvoice_core::entropy::SharedEntropy;
use einvoice_core::environment::Environment;
use einvoice_core::registry::{BuildContext, BuildError};
use einvoice_core::transport::{Transport, TransportMode};
use einvoice_protocol::client::{IrpSettings, IrpTransport};
use einvoice_protocol::login::AuthPublicKey;
use einvoice_protocol::public_key::KEY_FILE_BYTES_MAX;

use crate::config::DirectConfig;
use crate::exchange::HttpExchange;

/// A [`Transport`] straight to an IRP.
pub type DirectTransport = IrpTransport<HttpExchange>;

/// Why a route cannot be made from its settings.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DirectError {
    /// A setting cannot be used.
    #[error("`{key}`: {reason}")]
    Setting {
        /// The key.
        key: &'static str,
        /// What is wrong and what to do.
        reason: String,
    },
    /// A file cannot be read.
    #[error("`{key}`: {} cannot be read", .path.display())]
    File {
        /// The key.
        key: &'static str,
        /// The file.
        path: PathBuf,
        /// The underlying error.
        #[source]
        source: std::io::Error,
    },
    /// The HTTP client refused the settings.
    #[error("the HTTP client does not accept {what}")]
    Client {
        /// What it refused.
        what: &'static str,
        /// The underlying error.
        #[source]
        source: BoxError,
    },
}

impl DirectError {
    pub(crate) fn setting(key: &'static str, reason: &str) -> Self {
        Self::Setting { key, reason: reason.to_owned() }
    }

    pub(crate) fn client(what: &'static str, error: reqwest::Error) -> Self {
        Self::Client { what, source: error.into() }
    }
}

/// Makes the transport of a route. Reads the files it names; makes no connection.
///
/// # Errors
/// When a setting or a file cannot be used.
pub async fn connect(
    config: DirectConfig,
    environment: Environment,
    directory: &Path,
    entropy: SharedEntropy,
) -> Result<DirectTransport, DirectError> {
    let roots = match &config.root_certificate_file {
        Some(file) => read("root_certificate_file", &directory.join(file)).await?,
        None => Vec::new(),
    };
    let auth_key = auth_key(&config, directory).await?;
    let exchange = HttpExchange::new(&config, environment, &roots)?;
    let mut settings = IrpSettings::new(TransportMode::Direct, environment, config.site.trim());
    settings.endpoints = config.endpoints;
    settings.header_spelling = config.header_spelling;
    settings.payload_bytes_max = config.request_bytes_max;
    settings.concurrency_per_gstin = config.concurrency_per_gstin;
    settings.call_time_max = Duration::from_millis(config.total_timeout_ms);
    Ok(IrpTransport::new(exchange, settings, auth_key, entropy))
}

async fn auth_key(config: &DirectConfig, directory: &Path) -> Result<AuthPublicKey, DirectError> {
    let (key, text) = match (&config.auth_public_key_file, &config.auth_public_key) {
        (Some(file), None) => {
            let bytes = read("auth_public_key_file", &directory.join(file)).await?;
            ("auth_public_key_file", String::from_utf8_lossy(&bytes).into_owned())
        }
        (None, Some(text)) => ("auth_public_key", text.clone()),
        (Some(_), Some(_)) => {
            let reason = "`auth_public_key` is given too; keep one of the two";
            return Err(DirectError::setting("auth_public_key_file", reason));
        }
        (None, None) => {
            let reason = "missing: name the file with the portal's public key for logins, \
                          as downloaded from its page for API users";
            return Err(DirectError::setting("auth_public_key_file", reason));
        }
    };
    AuthPublicKey::from_pem(&text).map_err(|error| DirectError::setting(key, &error.to_string()))
}

async fn read(key: &'static str, path: &Path) -> Result<Vec<u8>, DirectError> {
    let failed = |source| DirectError::File { key, path: path.to_owned(), source };
    let length = tokio::fs::metadata(path).await.map_err(failed)?.len();
    if usize::try_from(length).map_or(true, |length| length > KEY_FILE_BYTES_MAX) {
        let reason = format!("{} has {length} bytes; a key file has at most {KEY_FILE_BYTES_MAX}", path.display());
        return Err(DirectError::setting(key, &reason));
    }
    tokio::fs::read(path).await.map_err(failed)
}

async fn build(context: BuildContext, config: DirectConfig) -> Result<Arc<dyn Transport>, BuildError> {
    let Some(environment) = context.environment else {
        return Err(BuildError::new(context.name, "the route has no environment; write `environment = \"sandbox\"`"));
    };
    match connect(config, environment, &context.directory, context.entropy.clone()).await {
        Ok(transport) => Ok(Arc::new(transport)),
        Err(error) => Err(BuildError::new(context.name, error.to_string()).because(error)),
    }
}

einvoice_core::register_transport! {
    name: "direct",
    summary: "Straight to an IRP over HTTPS (NIC 1, NIC 2, private IRPs)",
    config: DirectConfig,
    example: include_str!("../examples/route.toml"),
    build: build,
}

#[cfg(test)]
mod tests {
    use super::*;
    use einvoice_core::entropy::SystemEntropy;

    async fn error(config: DirectConfig) -> String {
        let folder = tempfile::tempdir().unwrap();
        connect(config, Environment::Sandbox, folder.path(), SystemEntropy::shared()).await.unwrap_err().to_string()
    }

    #[tokio::test]
    async fn a_missing_key_a_missing_file_and_two_keys_each_say_what_to_do() {
        let none = DirectConfig { auth_public_key: None, ..DirectConfig::new("https://portal.example", "") };
        assert!(error(none.clone()).await.contains("public key for logins"));
        let absent = DirectConfig { auth_public_key_file: Some("absent.pem".into()), ..none };
        assert!(error(absent.clone()).await.contains("absent.pem cannot be read"));
        let both = DirectConfig { auth_public_key: Some("x".into()), ..absent };
        assert!(error(both).await.contains("keep one of the two"));
        assert!(
            error(DirectConfig::new("https://portal.example", "hello world")).await.contains("no public key found")
        );
    }
}
