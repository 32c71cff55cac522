//! The `direct` transport: the shared protocol over this crate's HTTP client, and its registration.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use einvoice_core::clock::{SharedClock, SystemClock};
use einvoice_core::entropy::SharedEntropy;
use einvoice_core::environment::Environment;
use einvoice_core::registry::{BuildContext, BuildError};
use einvoice_core::transport::{Transport, TransportMode};
use einvoice_http::{HttpError, HttpExchange, HttpSettings};
use einvoice_protocol::client::{IrpSettings, IrpTransport};
use einvoice_protocol::login::AuthPublicKey;
use einvoice_protocol::public_key::KEY_FILE_BYTES_MAX;

use crate::config::DirectConfig;

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
    /// The HTTP client cannot be made.
    #[error(transparent)]
    Http(#[from] HttpError),
}

impl DirectError {
    pub(crate) fn setting(key: &'static str, reason: &str) -> Self {
        Self::Setting { key, reason: reason.to_owned() }
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
    connect_with(config, environment, directory, entropy, SystemClock::shared()).await
}

/// Makes the transport of a route like [`connect`], with a clock for the ends of e-way bill tokens.
///
/// # Errors
/// When a setting or a file cannot be used.
pub async fn connect_with(
    config: DirectConfig,
    environment: Environment,
    directory: &Path,
    entropy: SharedEntropy,
    clock: SharedClock,
) -> Result<DirectTransport, DirectError> {
    config.check_ranges()?;
    let http = http(&config, directory).await?;
    let key = login_key(&config, directory).await?;
    let exchange = HttpExchange::new(&http, &config.base(environment)?)?;
    let ewb = match &config.ewb {
        Some(ewb) => {
            let key =
                auth_key(EWB_KEYS, ewb.auth_public_key_file.as_deref(), ewb.auth_public_key.as_deref(), directory);
            let exchange = HttpExchange::new(&http, &ewb.base(environment)?)?;
            Some((exchange, ewb.settings()?, key.await?))
        }
        None => None,
    };
    let mut settings = IrpSettings::new(TransportMode::Direct, environment, config.site.trim());
    settings.endpoints = config.endpoints;
    settings.header_spelling = config.header_spelling;
    settings.json_layering = config.json_layering;
    settings.payload_bytes_max = config.request_bytes_max;
    settings.concurrency_per_gstin = config.concurrency_per_gstin;
    settings.call_time_max = Duration::from_millis(config.total_timeout_ms);
    let transport = IrpTransport::new(exchange, settings, key, entropy);
    Ok(match ewb {
        Some((exchange, settings, key)) => transport.with_ewb(exchange, settings, key, clock),
        None => transport,
    })
}

/// The HTTP client of a route by itself, for transports that say more than `direct` does: a provider's headers,
/// other paths. Reads the certificates that the settings name; makes no connection.
///
/// # Errors
/// When a setting or a file cannot be used.
pub async fn exchange(
    config: &DirectConfig,
    environment: Environment,
    directory: &Path,
) -> Result<HttpExchange, DirectError> {
    config.check_ranges()?;
    Ok(HttpExchange::new(&http(config, directory).await?, &config.base(environment)?)?)
}

/// The public key for logins that the settings name or hold.
///
/// # Errors
/// When there is none, there are two, or the file cannot be read.
pub async fn login_key(config: &DirectConfig, directory: &Path) -> Result<AuthPublicKey, DirectError> {
    auth_key(IRP_KEYS, config.auth_public_key_file.as_deref(), config.auth_public_key.as_deref(), directory).await
}

/// Limits and ways of the HTTP client, the certificates read from their file.
async fn http(config: &DirectConfig, directory: &Path) -> Result<HttpSettings, DirectError> {
    let mut http = config.http()?;
    if let Some(file) = &config.root_certificate_file {
        http.root_certificates = HttpSettings::read_root_certificates(&directory.join(file)).await?;
    }
    Ok(http)
}

/// The keys of the configuration that name a public key: as a file, and as text.
const IRP_KEYS: (&str, &str) = ("auth_public_key_file", "auth_public_key");
/// The same in the table of the e-way bill system.
const EWB_KEYS: (&str, &str) = ("ewb.auth_public_key_file", "ewb.auth_public_key");

async fn auth_key(
    (file_key, text_key): (&'static str, &'static str),
    file: Option<&Path>,
    text: Option<&str>,
    directory: &Path,
) -> Result<AuthPublicKey, DirectError> {
    let (key, text) = match (file, text) {
        (Some(file), None) => {
            let bytes = read(file_key, &directory.join(file)).await?;
            (file_key, String::from_utf8_lossy(&bytes).into_owned())
        }
        (None, Some(text)) => (text_key, text.to_owned()),
        (Some(_), Some(_)) => {
            return Err(DirectError::setting(file_key, &format!("`{text_key}` is given too; keep one of the two")));
        }
        (None, None) => {
            let reason = "missing: name the file with the portal's public key for logins, \
                          as downloaded from its page for API users";
            return Err(DirectError::setting(file_key, reason));
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
    let (entropy, clock) = (context.entropy.clone(), context.clock.clone());
    match connect_with(config, environment, &context.directory, entropy, clock).await {
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
    use crate::ewb_config::EwbConfig;
    use einvoice_core::entropy::SystemEntropy;
    use einvoice_core::operation::OperationKind;

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

    /// A public RSA key; no test here logs in.
    const KEY: &str = "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAx8XQFS1COOk5MDmX8bf2JYzz0/lBqYQcVjylEmwBMvRyTFAw1cLRjk+Re5Ym8K98B3UkhcM378/Odtz29KNcFcjG38W/8pxpr+yCg6pC7tfMigT7Lf/5DC1Jibn03pU8SqLmsDIEVdWh2yvjAmWkfUvJUaOl+BdTwjrNnEEn+ABA2Tq3aTca2K7+NlVkjE+P/dduPAcYwWh5bB9kO8N5wh/cj61J2DDwPneOoRDGGQWPEcijeExNp2bLQlDS1jxilb8IO5M31EuWm9vOrqYabSr4UdyleaxrDPAjoNkFovCEdqrLVNvvXD/e7/0raEGpoE+r5kOoIiMUMIPHe+qJewIDAQAB";

    #[tokio::test]
    async fn the_e_way_bill_system_needs_a_key_of_its_own_and_then_its_operations_are_listed() {
        let config = |ewb: Option<EwbConfig>| DirectConfig { ewb, ..DirectConfig::new("https://portal.example", KEY) };
        let ewb = EwbConfig::new("https://ewb.example", KEY);
        let without = EwbConfig { auth_public_key: None, ..ewb.clone() };
        assert!(error(config(Some(without))).await.contains("ewb.auth_public_key_file"));
        let operations = async |config| {
            let made = connect(config, Environment::Sandbox, Path::new("."), SystemEntropy::shared()).await.unwrap();
            made.capability().operations.clone()
        };
        assert!(!operations(config(None)).await.contains(&OperationKind::GenerateEwb));
        assert_eq!(operations(config(Some(ewb))).await.len(), OperationKind::ALL.len());
    }
}
