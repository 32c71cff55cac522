//! What distinguishes one portal from another.

use std::time::Duration;

use einvoice_core::environment::Environment;
use einvoice_core::transport::{TransportCapability, TransportMode};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::endpoints::Endpoints;
use crate::seal::JsonLayering;

/// How header names with two words are spelt.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "the two spellings that the portal takes")]
pub enum HeaderSpelling {
    /// `client_id`, `client_secret`, as the portal's pages write them.
    #[default]
    Underscore,
    /// `client-id`, `client-secret`, as NIC's own sample code and the pages of the e-way bill system do; for
    /// proxies that drop headers with an underscore.
    Hyphen,
}

impl HeaderSpelling {
    pub(crate) const fn client_id(self) -> &'static str {
        match self {
            Self::Underscore => "client_id",
            Self::Hyphen => "client-id",
        }
    }

    pub(crate) const fn client_secret(self) -> &'static str {
        match self {
            Self::Underscore => "client_secret",
            Self::Hyphen => "client-secret",
        }
    }
}

/// What distinguishes one IRP from another.
#[derive(Debug, Clone)]
pub struct IrpSettings {
    /// How the portal is reached.
    pub mode: TransportMode,
    /// Production or sandbox.
    pub environment: Environment,
    /// Name of the site (`NIC1`, `NIC2`, ...), stored with every intent.
    pub site: String,
    /// Where the operations live.
    pub endpoints: Endpoints,
    /// How two-word headers are spelt.
    pub header_spelling: HeaderSpelling,
    /// What is put under the seal of a request.
    pub json_layering: JsonLayering,
    /// Largest request in bytes.
    pub payload_bytes_max: usize,
    /// Calls that may run at the same time for one GSTIN.
    pub concurrency_per_gstin: usize,
    /// Longest time a login or a call takes.
    pub call_time_max: Duration,
}

impl IrpSettings {
    /// Settings of a NIC site: its paths, header names and limits.
    #[must_use]
    pub fn new(mode: TransportMode, environment: Environment, site: impl Into<String>) -> Self {
        let site = site.into();
        let defaults = TransportCapability::new(mode, environment, site.as_str(), []);
        Self {
            mode,
            environment,
            site,
            endpoints: Endpoints::default(),
            header_spelling: HeaderSpelling::default(),
            json_layering: JsonLayering::default(),
            payload_bytes_max: defaults.payload_bytes_max,
            concurrency_per_gstin: defaults.concurrency_per_gstin,
            call_time_max: defaults.call_time_max,
        }
    }
}
