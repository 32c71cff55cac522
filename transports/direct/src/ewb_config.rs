//! The settings of the e-way bill system on a `direct` route.

use std::path::PathBuf;

use einvoice_core::environment::Environment;
use einvoice_http::usable_address;
use einvoice_protocol::client::HeaderSpelling;
use einvoice_protocol::ewb::settings::{ClosureNames, EwbEndpoints, EwbSettings};
use einvoice_protocol::seal::JsonLayering;
use reqwest::Url;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::usable_paths;
use crate::transport::DirectError;

/// The e-way bill system of a route (`[route.ewb]`). Timeouts, limits, proxy and certificates are the route's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EwbConfig {
    /// Address of the e-way bill system: scheme, host, and a port or path prefix where there is one. NIC mails it.
    pub base_url: String,
    /// File with that system's public key for logins: PEM, bare base64, or a certificate. Another one than the
    /// IRP's. A relative path begins at the configuration file's folder.
    #[serde(default)]
    pub auth_public_key_file: Option<PathBuf>,
    /// The same key as text, instead of a file.
    #[serde(default)]
    pub auth_public_key: Option<String>,
    /// Paths below `base_url`: `auth`, `ewayapi`, `master`. Default: those of version 1.03.
    #[serde(default)]
    pub endpoints: EwbEndpoints,
    /// `hyphen` (`client-id`) or `underscore` (`client_id`). Default `hyphen`.
    #[serde(default = "hyphen")]
    pub header_spelling: HeaderSpelling,
    /// Name of a header with the API user, such as `user_name`; some ways in want one. Default: none.
    #[serde(default)]
    pub user_name_header: Option<String>,
    /// What goes under the seal of a request: `raw` (the JSON) or `base64` (its base64). Default `raw`.
    #[serde(default)]
    pub json_layering: JsonLayering,
    /// How a closure is spelt: `action`, `number`, `date`, `remarks`. No public source prints these names.
    #[serde(default)]
    pub closure_names: ClosureNames,
}

const fn hyphen() -> HeaderSpelling {
    HeaderSpelling::Hyphen
}

impl EwbConfig {
    /// Settings with the system's address and login key, and defaults for the rest.
    pub fn new(base_url: impl Into<String>, auth_public_key: impl Into<String>) -> Self {
        Self {
            base_url: base_url.into(),
            auth_public_key_file: None,
            auth_public_key: Some(auth_public_key.into()),
            endpoints: EwbEndpoints::default(),
            header_spelling: hyphen(),
            user_name_header: None,
            json_layering: JsonLayering::default(),
            closure_names: ClosureNames::default(),
        }
    }

    pub(crate) fn base(&self, environment: Environment) -> Result<Url, DirectError> {
        Ok(usable_address("ewb.base_url", &self.base_url, environment)?)
    }

    pub(crate) fn settings(&self) -> Result<EwbSettings, DirectError> {
        let names = &self.closure_names;
        if [&names.action, &names.number, &names.date, &names.remarks].iter().any(|name| name.trim().is_empty()) {
            return Err(DirectError::setting("ewb.closure_names", "one of the names is empty"));
        }
        let user_name_header = self.user_name_header.as_deref().map(str::trim);
        let is_name = |name: &str| {
            !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
        };
        if user_name_header.is_some_and(|name| !is_name(name)) {
            return Err(DirectError::setting(
                "ewb.user_name_header",
                "it is no name of a header; write it like user_name",
            ));
        }
        usable_paths("ewb.endpoints", &self.endpoints.paths())?;
        let mut settings = EwbSettings::default();
        settings.endpoints = self.endpoints.clone();
        settings.header_spelling = self.header_spelling;
        settings.user_name_header = user_name_header.map(str::to_owned);
        settings.json_layering = self.json_layering;
        settings.closure_names = names.clone();
        Ok(settings)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_table_has_the_systems_own_paths_and_spelling() {
        let config: EwbConfig = toml::from_str("base_url = \"https://ewb.example.test\"").unwrap();
        let settings = config.settings().unwrap();
        assert_eq!(settings, EwbSettings::default());
        assert_eq!(settings.endpoints.ewayapi, "/v1.03/ewayapi");
    }

    #[test]
    fn a_misspelt_key_is_refused_by_name() {
        let error = toml::from_str::<EwbConfig>("base_url = \"https://x\"\nclosur = true").unwrap_err();
        assert!(error.to_string().contains("closur"));
        assert!(toml::from_str::<EwbConfig>("base_url = \"x\"\n[endpoints]\nauht = \"/a\"").is_err());
    }

    #[test]
    fn an_unusable_value_names_its_key() {
        let config = |change: fn(&mut EwbConfig)| {
            let mut config = EwbConfig::new("https://ewb.example.test", "");
            change(&mut config);
            config.settings().unwrap_err().to_string()
        };
        assert!(config(|c| c.user_name_header = Some("a b".into())).contains("ewb.user_name_header"));
        assert!(config(|c| c.closure_names.date = " ".into()).contains("ewb.closure_names"));
        assert!(config(|c| c.endpoints.auth = "v1.03/auth".into()).contains("ewb.endpoints"));
        let clear = EwbConfig::new("http://ewb.example.test", "").base(Environment::Production).unwrap_err();
        assert!(clear.to_string().contains("ewb.base_url"));
    }
}
