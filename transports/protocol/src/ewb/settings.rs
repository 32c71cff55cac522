//! What distinguishes one way into the e-way bill system from another.

use einvoice_core::environment::Product;
use einvoice_core::operation::OperationKind;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::seal::JsonLayering;
use crate::settings::HeaderSpelling;

/// Paths below the base address. NIC mails addresses to integrators, and gateways differ in prefix and in the
/// case of `Master`; so each path is a setting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct EwbEndpoints {
    /// Login. Default `/v1.03/auth` (since April 2021).
    pub auth: String,
    /// Actions, and reads below it. Default `/v1.03/ewayapi`.
    pub ewayapi: String,
    /// Reads of the masters, below it. Default `/v1.03/Master`.
    pub master: String,
}

impl Default for EwbEndpoints {
    fn default() -> Self {
        Self {
            auth: "/v1.03/auth".to_owned(),
            ewayapi: "/v1.03/ewayapi".to_owned(),
            master: "/v1.03/Master".to_owned(),
        }
    }
}

impl EwbEndpoints {
    /// Every path with its name.
    #[must_use]
    pub const fn paths(&self) -> [(&'static str, &String); 3] {
        [("auth", &self.auth), ("ewayapi", &self.ewayapi), ("master", &self.master)]
    }
}

/// How the closure of a bill is spelt. Only its content is published (GSTN advisory of 17 June 2026: number,
/// date, remarks); these names are a guess, and so are settings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ClosureNames {
    /// Action. Default `CLSEWB` (samples of a provider; another one writes `CLOSURE`).
    pub action: String,
    /// Member with the bill's number. Default `ewbNo`.
    pub number: String,
    /// Member with the day, `dd/MM/yyyy`. Default `closureDate`.
    pub date: String,
    /// Member with the remark. Default `closureRemarks`.
    pub remarks: String,
}

impl Default for ClosureNames {
    fn default() -> Self {
        Self {
            action: "CLSEWB".to_owned(),
            number: "ewbNo".to_owned(),
            date: "closureDate".to_owned(),
            remarks: "closureRemarks".to_owned(),
        }
    }
}

/// What distinguishes one way into the e-way bill system from another.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct EwbSettings {
    /// Where the operations live.
    pub endpoints: EwbEndpoints,
    /// How two-word headers are spelt; NIC's pages on this system write hyphens.
    pub header_spelling: HeaderSpelling,
    /// Header that names the API user, where one is wanted (`user_name` or `username`); NIC's pages list none.
    pub user_name_header: Option<String>,
    /// What is put under the seal of a request.
    pub json_layering: JsonLayering,
    /// How the closure of a bill is spelt.
    pub closure_names: ClosureNames,
}

impl Default for EwbSettings {
    fn default() -> Self {
        Self {
            endpoints: EwbEndpoints::default(),
            header_spelling: HeaderSpelling::Hyphen,
            user_name_header: None,
            json_layering: JsonLayering::default(),
            closure_names: ClosureNames::default(),
        }
    }
}

impl EwbSettings {
    /// The operations of this system.
    pub fn operations() -> impl Iterator<Item = OperationKind> {
        OperationKind::ALL.iter().copied().filter(|kind| kind.product() == Product::EWayBill)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_operations_of_this_system_alone_are_listed() {
        let listed: Vec<_> = EwbSettings::operations().collect();
        assert_eq!(listed.len(), 20);
        assert!(listed.iter().all(|kind| kind.product() == Product::EWayBill));
    }

    #[test]
    fn a_partly_written_table_keeps_the_other_defaults() {
        let endpoints: EwbEndpoints = serde_json::from_str(r#"{"master":"/v1.03/master"}"#).unwrap();
        assert_eq!((endpoints.auth.as_str(), endpoints.master.as_str()), ("/v1.03/auth", "/v1.03/master"));
        assert!(serde_json::from_str::<ClosureNames>(r#"{"acton":"x"}"#).is_err());
    }
}
