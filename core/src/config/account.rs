//! `[doctor]` and `[quota]`: looking after the account and the way to it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ConfigError;

/// `[doctor]`: what `einvoice doctor` may ask beside the portal.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct DoctorSettings {
    /// An address that answers with nothing but the public address a call comes from, as text: a page of your own
    /// company, or of a service you trust. It is asked without any credentials, by `einvoice doctor` alone, and through
    /// the proxy of the route. Default: none, and then nobody outside is asked.
    pub address_probe: Option<String>,
}

impl DoctorSettings {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let is_address = |address: &str| address.starts_with("https://") || address.starts_with("http://");
        match &self.address_probe {
            Some(address) if !is_address(address.trim()) => Err(ConfigError::new(
                "doctor.address_probe",
                format!("`{address}` is no address; write it like \"https://address.example/ip\""),
            )),
            _ => Ok(()),
        }
    }
}

/// `[quota]`: the budgets of an account, over all processes that work with this configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct QuotaSettings {
    /// File with the logins and refusals of the last days: who, when, which codes; nothing secret. All processes that
    /// work with this configuration share it. Default `einvoice-usage.jsonl`, beside the configuration.
    pub file: String,
    /// Where the login budget of other processes and earlier runs is honoured: `auto`, everywhere but at an emulator
    /// (a sandbox on this very machine), or `always`. Default `auto`.
    pub protect: Protection,
    /// Refused calls of a GSTIN within an hour from which on `einvoice quota` and `einvoice doctor` warn. The portals
    /// publish no figure; they write to those who send many faulty calls, and may block them. Default 100.
    pub refusals_per_hour: u32,
    /// The same within 24 hours. Default 500.
    pub refusals_per_day: u32,
}

/// Where the login budget is honoured over processes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Protection {
    /// Everywhere but at an emulator on this machine.
    #[default]
    Auto,
    /// Everywhere.
    Always,
}

impl Default for QuotaSettings {
    fn default() -> Self {
        Self {
            file: "einvoice-usage.jsonl".to_owned(),
            protect: Protection::Auto,
            refusals_per_hour: 100,
            refusals_per_day: 500,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::config::{Protection, Settings};

    #[test]
    fn both_tables_have_defaults_and_refuse_what_they_do_not_know() {
        let settings = Settings::from_value(json!({"quota": {"protect": "always"}})).unwrap();
        assert_eq!(settings.quota.protect, Protection::Always);
        assert_eq!(settings.quota.file, "einvoice-usage.jsonl");
        assert_eq!(settings.doctor.address_probe, None);
        let error = |value| Settings::from_value(value).unwrap_err().to_string();
        assert!(error(json!({"quota": {"protct": "always"}})).starts_with("quota"));
        assert!(error(json!({"doctor": {"address_probe": "my-ip"}})).starts_with("doctor.address_probe: `my-ip`"));
    }
}
