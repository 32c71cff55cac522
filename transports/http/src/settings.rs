//! Limits and ways of the client, and which addresses it may be given.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use einvoice_core::BoxError;
use einvoice_core::environment::Environment;
use reqwest::Url;

/// Longest wait for a connection where nothing else is said, in milliseconds.
pub const CONNECT_TIMEOUT_MS: u64 = 5_000;
/// Longest wait for a whole answer where nothing else is said, in milliseconds.
pub const TOTAL_TIMEOUT_MS: u64 = 60_000;
/// Largest answer read where nothing else is said, in bytes: a document of the portal's largest size comes back
/// signed, encoded and sealed, which doubles it.
pub const BODY_BYTES_MAX: usize = 8 * 1024 * 1024;

/// A file of certificates is never larger.
const CERTIFICATE_BYTES_MAX: u64 = 1024 * 1024;

/// Why a client cannot be made from its settings.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HttpError {
    /// A setting cannot be used.
    #[error("`{key}`: {reason}")]
    Setting {
        /// The key of the route's configuration.
        key: String,
        /// What is wrong and what to do.
        reason: String,
    },
    /// A file cannot be read.
    #[error("`{key}`: {} cannot be read", .path.display())]
    File {
        /// The key of the route's configuration.
        key: String,
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
        what: String,
        /// The underlying error.
        #[source]
        source: BoxError,
    },
}

impl HttpError {
    /// A setting that cannot be used.
    pub fn setting(key: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Setting { key: key.into(), reason: reason.into() }
    }

    pub(crate) fn client(what: &str, error: reqwest::Error) -> Self {
        Self::Client { what: what.to_owned(), source: error.into() }
    }
}

/// Which proxy requests go through.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "there is none, the system's, or one")]
pub enum ProxyChoice {
    /// None.
    Off,
    /// What the usual environment variables say.
    System,
    /// This one.
    Named(Url),
}

impl ProxyChoice {
    /// Reads the `proxy` key: `off`, `system`, or an address.
    ///
    /// # Errors
    /// When it is none of these, or holds a user name or password.
    pub fn parse(text: &str) -> Result<Self, HttpError> {
        let wrong = |reason: &str| HttpError::setting("proxy", reason);
        match text.trim() {
            "off" | "" => Ok(Self::Off),
            "system" => Ok(Self::System),
            address => {
                let url = Url::parse(address)
                    .ok()
                    .filter(|url| matches!(url.scheme(), "http" | "https") && url.host_str().is_some())
                    .ok_or_else(|| wrong("write `off`, `system`, or an address like http://proxy.example:3128"))?;
                if !url.username().is_empty() || url.password().is_some() {
                    return Err(wrong("it holds a user name or password; use a proxy that knows this machine"));
                }
                Ok(Self::Named(url))
            }
        }
    }
}

/// Limits and ways of a client. The keys of a route's configuration have the same names.
#[derive(Debug, Clone)]
#[expect(clippy::exhaustive_structs, reason = "a route's configuration fills in every field")]
pub struct HttpSettings {
    /// Longest wait for a connection, in milliseconds; 10 to 120,000.
    pub connect_timeout_ms: u64,
    /// Longest wait for a whole answer, connecting included, in milliseconds; 10 to 600,000.
    pub total_timeout_ms: u64,
    /// Largest answer read, in bytes; 1,024 to 67,108,864.
    pub body_bytes_max: usize,
    /// Which proxy requests go through.
    pub proxy: ProxyChoice,
    /// Local address to send from.
    pub local_address: Option<IpAddr>,
    /// Certificate authorities to trust besides the operating system's, in PEM form; empty for none.
    pub root_certificates: Vec<u8>,
}

impl Default for HttpSettings {
    fn default() -> Self {
        Self {
            connect_timeout_ms: CONNECT_TIMEOUT_MS,
            total_timeout_ms: TOTAL_TIMEOUT_MS,
            body_bytes_max: BODY_BYTES_MAX,
            proxy: ProxyChoice::Off,
            local_address: None,
            root_certificates: Vec::new(),
        }
    }
}

impl HttpSettings {
    /// Longest wait for a connection.
    #[must_use]
    pub const fn connect_timeout(&self) -> Duration {
        Duration::from_millis(self.connect_timeout_ms)
    }

    /// Longest wait for a whole answer.
    #[must_use]
    pub const fn total_timeout(&self) -> Duration {
        Duration::from_millis(self.total_timeout_ms)
    }

    /// Refuses values out of range, by the name of their key.
    ///
    /// # Errors
    /// The first value that is out of range.
    pub fn check(&self) -> Result<(), HttpError> {
        let body_bytes_max = u64::try_from(self.body_bytes_max).unwrap_or(u64::MAX);
        in_range("connect_timeout_ms", self.connect_timeout_ms, 10, 120_000)?;
        in_range("total_timeout_ms", self.total_timeout_ms, 10, 600_000)?;
        in_range("body_bytes_max", body_bytes_max, 1024, 67_108_864)?;
        if self.connect_timeout_ms > self.total_timeout_ms {
            return Err(HttpError::setting("connect_timeout_ms", "it is longer than total_timeout_ms"));
        }
        Ok(())
    }

    /// Reads a file of further certificate authorities.
    ///
    /// # Errors
    /// When it cannot be read or is no such file by its size.
    pub async fn read_root_certificates(file: &Path) -> Result<Vec<u8>, HttpError> {
        let key = "root_certificate_file";
        let failed = |source| HttpError::File { key: key.to_owned(), path: file.to_owned(), source };
        let length = tokio::fs::metadata(file).await.map_err(failed)?.len();
        if length > CERTIFICATE_BYTES_MAX {
            let reason =
                format!("{} has {length} bytes; such a file has at most {CERTIFICATE_BYTES_MAX}", file.display());
            return Err(HttpError::setting(key, reason));
        }
        tokio::fs::read(file).await.map_err(failed)
    }
}

fn in_range(key: &str, value: u64, min: u64, max: u64) -> Result<(), HttpError> {
    if (min..=max).contains(&value) {
        return Ok(());
    }
    Err(HttpError::setting(key, format!("it is {value}; {min} to {max} is possible")))
}

/// An address, once it is known to be usable: no credentials or query in it, none sent in the clear, and no host of the
/// portals' that is known to belong to the other environment.
///
/// # Errors
/// When it is no address, carries credentials or a query, would send credentials in the clear, or leads elsewhere than the
/// environment says.
pub fn usable_address(key: &str, address: &str, environment: Environment) -> Result<Url, HttpError> {
    let wrong = |reason: &str| HttpError::setting(key, reason);
    let url =
        Url::parse(address.trim()).map_err(|_| wrong("it is no address; write it like https://portal.example"))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(wrong("it holds a user name or password; credentials belong into the credential store"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(wrong("it ends in a query or fragment; write scheme, host, port and prefix only"));
    }
    if let Some(found) = url.host_str().and_then(Environment::of_host).filter(|found| *found != environment) {
        return Err(other_environment(key, &url, found, environment));
    }
    let loopback = match url.host_str() {
        None | Some("") => return Err(wrong("it names no host")),
        Some("localhost") => true,
        Some(host) => host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok_and(|address| address.is_loopback()),
    };
    match url.scheme() {
        "https" => Ok(url),
        "http" if loopback || environment == Environment::Sandbox => Ok(url),
        "http" => Err(wrong("http would send credentials in the clear; a production portal speaks https")),
        _ => Err(wrong("its scheme is neither https nor http")),
    }
}

/// The refusal of an address that leads to another environment than the route says.
#[must_use]
pub fn other_environment(key: &str, address: &Url, found: Environment, said: Environment) -> HttpError {
    let host = address.host_str().unwrap_or_default();
    let danger = match found {
        Environment::Production => "what is only tried out would be registered for good",
        Environment::Sandbox => "nothing that is registered there counts",
    };
    HttpError::setting(
        key,
        format!(
            "{address} leads to {found} ({host} is known for that), and the route says `environment = \"{said}\"`: {danger}. \
             Give the address of {said}, or another route with `environment = \"{found}\"` and credentials of its own"
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usable(address: &str, environment: Environment) -> Result<Url, String> {
        usable_address("base_url", address, environment).map_err(|error| error.to_string())
    }

    #[test]
    fn clear_http_is_for_the_emulator_only() {
        assert!(usable("https://portal.example/prefix", Environment::Production).is_ok());
        assert!(usable("http://127.0.0.1:8080", Environment::Production).is_ok());
        assert!(usable("http://[::1]:8080", Environment::Production).is_ok());
        assert!(usable("http://emulator:8080", Environment::Sandbox).is_ok());
        assert!(usable("http://portal.example", Environment::Production).unwrap_err().contains("in the clear"));
    }

    #[test]
    fn an_address_of_one_environment_is_none_of_the_other() {
        let (production, sandbox) = (Environment::Production, Environment::Sandbox);
        for (address, at) in [
            ("https://api.einvoice1.gst.gov.in", production),
            ("https://API.EINVOICE2.GST.GOV.IN./eivital", production),
            ("https://einvoice6.gst.gov.in", production),
            ("https://api.ewaybillgst.gov.in/v1.03", production),
            ("https://einv1api.gstsandbox.nic.in", sandbox),
            ("https://ewb1api.gstsandbox.nic.in:443/x", sandbox),
            ("https://einv-apisandbox.nic.in", sandbox),
            ("https://sandbox.einvoice5.gst.gov.in", sandbox),
            ("https://irp-sandbox.clear.in", sandbox),
            ("https://api.sandbox.core.irisirp.com", sandbox),
        ] {
            assert!(usable(address, at).is_ok(), "{address}");
            let refused = usable(address, at.other()).unwrap_err();
            assert!(refused.starts_with("`base_url`") && refused.contains(&format!("leads to {at}")), "{refused}");
        }
        // Nobody knows these: the route's word counts.
        for address in ["https://portal.example", "https://notgst.gov.in.example", "https://xgst.gov.in"] {
            assert!(usable(address, production).is_ok() && usable(address, sandbox).is_ok(), "{address}");
        }
    }

    #[test]
    fn an_address_with_credentials_or_a_query_is_refused_without_repeating_them() {
        let error = usable("https://user:hunter2@portal.example", Environment::Sandbox).unwrap_err();
        assert!(error.contains("base_url") && !error.contains("hunter2"), "{error}");
        assert!(usable("https://portal.example/?key=1", Environment::Sandbox).is_err());
        assert!(usable("portal.example", Environment::Sandbox).is_err());
        assert!(usable("ftp://portal.example", Environment::Sandbox).is_err());
    }

    #[test]
    fn a_proxy_is_off_the_systems_or_named() {
        let choice = |proxy: &str| ProxyChoice::parse(proxy).map_err(|error| error.to_string());
        assert_eq!(choice("off"), Ok(ProxyChoice::Off));
        assert_eq!(choice("system"), Ok(ProxyChoice::System));
        assert!(matches!(choice("http://proxy.example:3128"), Ok(ProxyChoice::Named(_))));
        assert!(choice("http://u:hunter2@proxy.example").is_err_and(|error| !error.contains("hunter2")));
        assert!(choice("proxy").is_err());
    }

    #[test]
    fn a_value_out_of_range_names_its_key() {
        let error = |settings: HttpSettings| settings.check().unwrap_err().to_string();
        assert!(error(HttpSettings { total_timeout_ms: 0, ..HttpSettings::default() }).contains("total_timeout_ms"));
        assert!(
            error(HttpSettings { total_timeout_ms: 100, ..HttpSettings::default() }).contains("connect_timeout_ms")
        );
        HttpSettings::default().check().unwrap();
    }
}
