//! The settings of the `direct` transport.

use std::net::IpAddr;
use std::path::PathBuf;

use einvoice_core::environment::Environment;
use einvoice_http::{BODY_BYTES_MAX, CONNECT_TIMEOUT_MS, HttpSettings, ProxyChoice, TOTAL_TIMEOUT_MS, usable_address};
use einvoice_protocol::client::HeaderSpelling;
use einvoice_protocol::endpoints::{Endpoints, path_problem};
use einvoice_protocol::seal::JsonLayering;
use reqwest::Url;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ewb_config::EwbConfig;
use crate::transport::DirectError;

/// Settings of a route straight to an IRP.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DirectConfig {
    /// Address of the portal: scheme, host, and a port or path prefix where there is one.
    pub base_url: String,
    /// File with the portal's public key for logins: PEM, bare base64, or a certificate. A relative
    /// path begins at the configuration file's folder.
    #[serde(default)]
    pub auth_public_key_file: Option<PathBuf>,
    /// The same key as text, instead of a file.
    #[serde(default)]
    pub auth_public_key: Option<String>,
    /// Name of the site, as the `irp` header spells it. Default `NIC1`.
    #[serde(default = "default_site")]
    pub site: String,
    /// `underscore` (`client_id`) or `hyphen` (`client-id`). Default `underscore`.
    #[serde(default)]
    pub header_spelling: HeaderSpelling,
    /// What goes under the seal of a request: `raw` (the JSON) or `base64` (its base64). Default `raw`, as
    /// clients that work do; answers are read in both forms.
    #[serde(default)]
    pub json_layering: JsonLayering,
    /// Longest wait for a connection, in milliseconds. Default 5,000; 10 to 120,000. Running out of
    /// it is safe: nothing was sent.
    #[serde(default = "default_connect_timeout_ms")]
    #[schemars(range(min = 10, max = 120_000))]
    pub connect_timeout_ms: u64,
    /// Longest wait for a whole answer, connecting included, in milliseconds. Default 60,000; 10 to
    /// 600,000, and no less than `connect_timeout_ms`. The portal may still finish the call after it.
    #[serde(default = "default_total_timeout_ms")]
    #[schemars(range(min = 10, max = 600_000))]
    pub total_timeout_ms: u64,
    /// Largest answer read, in bytes. Default 8,388,608: a document of the portal's largest size
    /// comes back signed, encoded and sealed, which doubles it. 1,024 to 67,108,864.
    #[serde(default = "default_body_bytes_max")]
    #[schemars(range(min = 1024, max = 67_108_864))]
    pub body_bytes_max: usize,
    /// Largest document sent, in bytes. Default 2,097,152, the portal's limit, up to 67,108,864. Less is
    /// not possible: the check passes what the portal takes, and it could never be sent.
    #[serde(default = "default_request_bytes_max")]
    #[schemars(range(min = 2_097_152, max = 67_108_864))]
    pub request_bytes_max: usize,
    /// Calls that may run at the same time for one GSTIN. Default 3; 1 to 64. The portal publishes
    /// no figure.
    #[serde(default = "default_concurrency_per_gstin")]
    #[schemars(range(min = 1, max = 64))]
    pub concurrency_per_gstin: usize,
    /// `off`, `system` (the usual environment variables), or `http://host:port`. Default `off`,
    /// since the portal knows the addresses it is called from.
    #[serde(default = "default_proxy")]
    pub proxy: String,
    /// Local address to send from, for machines with several. Default: the operating system's choice.
    #[serde(default)]
    pub local_address: Option<IpAddr>,
    /// File with one more certificate authority (PEM) to trust, as for a private portal or a company
    /// proxy. Default: none besides the operating system's.
    #[serde(default)]
    pub root_certificate_file: Option<PathBuf>,
    /// Paths below `base_url`. Default: those of the NIC sites.
    #[serde(default)]
    pub endpoints: Endpoints,
    /// The e-way bill system, a second system with a host, a key and API users of its own. Default: none, and
    /// then this route makes e-way bills only through the IRP.
    #[serde(default)]
    pub ewb: Option<EwbConfig>,
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

const fn default_request_bytes_max() -> usize {
    2 * 1024 * 1024
}

const fn default_concurrency_per_gstin() -> usize {
    3
}

fn default_proxy() -> String {
    "off".to_owned()
}

impl DirectConfig {
    /// Settings with a portal's address and login key, and defaults for the rest.
    pub fn new(base_url: impl Into<String>, auth_public_key: impl Into<String>) -> Self {
        Self {
            base_url: base_url.into(),
            auth_public_key_file: None,
            auth_public_key: Some(auth_public_key.into()),
            site: default_site(),
            header_spelling: HeaderSpelling::default(),
            json_layering: JsonLayering::default(),
            connect_timeout_ms: default_connect_timeout_ms(),
            total_timeout_ms: default_total_timeout_ms(),
            body_bytes_max: default_body_bytes_max(),
            request_bytes_max: default_request_bytes_max(),
            concurrency_per_gstin: default_concurrency_per_gstin(),
            proxy: default_proxy(),
            local_address: None,
            root_certificate_file: None,
            endpoints: Endpoints::default(),
            ewb: None,
        }
    }

    /// The address of the portal without a slash at its end, once it is known to be usable.
    ///
    /// # Errors
    /// When it is no address, carries credentials or a query, or would send credentials in the clear.
    pub(crate) fn base(&self, environment: Environment) -> Result<Url, DirectError> {
        Ok(usable_address("base_url", &self.base_url, environment)?)
    }

    /// Limits and ways of the HTTP client, without the certificates, which are in a file.
    pub(crate) fn http(&self) -> Result<HttpSettings, DirectError> {
        Ok(HttpSettings {
            connect_timeout_ms: self.connect_timeout_ms,
            total_timeout_ms: self.total_timeout_ms,
            body_bytes_max: self.body_bytes_max,
            proxy: ProxyChoice::parse(&self.proxy)?,
            local_address: self.local_address,
            root_certificates: Vec::new(),
        })
    }

    pub(crate) fn check_ranges(&self) -> Result<(), DirectError> {
        self.http()?.check()?;
        let ranges = [
            ("request_bytes_max", wide(self.request_bytes_max), wide(default_request_bytes_max()), 67_108_864),
            ("concurrency_per_gstin", wide(self.concurrency_per_gstin), 1, 64),
        ];
        for (key, value, min, max) in ranges {
            if !(min..=max).contains(&value) {
                return Err(DirectError::setting(key, &format!("it is {value}; {min} to {max} is possible")));
            }
        }
        if self.site.trim().is_empty() {
            return Err(DirectError::setting("site", "it is empty; write the site's name, such as NIC1"));
        }
        usable_paths("endpoints", &self.endpoints.paths())
    }
}

/// Refuses paths that cannot be appended to an address.
pub(crate) fn usable_paths(table: &'static str, paths: &[(&str, &String)]) -> Result<(), DirectError> {
    for (name, path) in paths {
        if let Some(problem) = path_problem(path) {
            return Err(DirectError::setting(table, &format!("`{name}` is `{path}`: {problem}")));
        }
    }
    Ok(())
}

fn wide(value: usize) -> u64 {
    u64::try_from(value).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_is_a_configuration_that_is_understood() {
        let text = include_str!("../examples/route.toml");
        assert!(include_str!("../README.md").contains(text.trim()));
        let mut table: toml::Table = text.parse().unwrap();
        let mut route = table.remove("route").unwrap().as_array().unwrap()[0].as_table().unwrap().clone();
        for key in ["name", "plugin", "environment"] {
            route.remove(key).unwrap();
        }
        let config: DirectConfig = route.try_into().unwrap();
        assert_eq!((config.site.as_str(), config.total_timeout_ms), ("NIC1", 60_000));
        assert_eq!(config.endpoints, Endpoints::default());
        let ewb = config.ewb.unwrap();
        assert_eq!(ewb.header_spelling, HeaderSpelling::Hyphen);
    }

    #[test]
    fn a_misspelt_key_is_refused_by_name() {
        let error = toml::from_str::<DirectConfig>("base_url = \"https://x\"\nbase_ulr = 1").unwrap_err();
        assert!(error.to_string().contains("base_ulr"));
    }

    #[test]
    fn a_value_out_of_range_names_its_key() {
        let config = DirectConfig { total_timeout_ms: 0, ..DirectConfig::new("", "") };
        assert!(config.check_ranges().unwrap_err().to_string().contains("total_timeout_ms"));
        let config = DirectConfig { total_timeout_ms: 100, ..DirectConfig::new("", "") };
        assert!(config.check_ranges().unwrap_err().to_string().contains("connect_timeout_ms"));
    }

    #[test]
    fn a_route_to_production_that_is_said_to_be_a_sandbox_is_refused() {
        let config = DirectConfig::new("https://api.einvoice1.gst.gov.in", "");
        let refused = config.base(Environment::Sandbox).unwrap_err().to_string();
        assert!(refused.contains("base_url") && refused.contains("leads to production"), "{refused}");
        config.base(Environment::Production).unwrap();
    }

    #[test]
    fn a_path_without_its_slash_is_refused_by_name_before_it_becomes_a_host() {
        let endpoints = Endpoints { login: "eivital/v1.04/auth".into(), ..Endpoints::default() };
        let config = DirectConfig { endpoints, ..DirectConfig::new("https://portal.example", "") };
        let error = config.check_ranges().unwrap_err().to_string();
        assert!(error.contains("`endpoints`: `login` is `eivital/v1.04/auth`"), "{error}");
    }

    #[test]
    fn what_the_check_passes_can_always_be_sent() {
        let most = default_request_bytes_max();
        let config = DirectConfig { request_bytes_max: most - 1, ..DirectConfig::new("", "") };
        assert!(config.check_ranges().unwrap_err().to_string().contains("request_bytes_max"));
        let config = DirectConfig { request_bytes_max: most, ..DirectConfig::new("", "") };
        config.check_ranges().unwrap();
    }
}
