//! Where a call goes: environment, product, site and route.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Which set of government systems a route talks to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "the portal has these two environments and no third")]
pub enum Environment {
    /// The real thing: registrations have legal effect.
    Production,
    /// The portal's test system, or the emulator: nothing done there counts.
    Sandbox,
}

/// Domains of the government's own systems and of the IRPs, and what stands below each.
const DOMAINS: [(&str, Environment); 6] = [
    ("gst.gov.in", Environment::Production),
    ("ewaybillgst.gov.in", Environment::Production),
    ("gstsandbox.nic.in", Environment::Sandbox),
    ("einv-apisandbox.nic.in", Environment::Sandbox),
    ("irp-sandbox.clear.in", Environment::Sandbox),
    ("sandbox.core.irisirp.com", Environment::Sandbox),
];

/// Part of a name by which the IRPs tell their sandbox from the portal whose domain it shares.
const SANDBOX_LABEL: &str = "sandbox";

impl Environment {
    /// Which environment is at a host of the government's systems or of an IRP; nothing where the host is not known.
    #[must_use]
    pub fn of_host(host: &str) -> Option<Self> {
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        let is_below =
            |domain: &str| host.strip_suffix(domain).is_some_and(|before| before.is_empty() || before.ends_with('.'));
        let (_, found) = DOMAINS.iter().find(|(domain, _)| is_below(domain))?;
        let is_sandbox = host.split('.').any(|label| label == SANDBOX_LABEL);
        Some(if is_sandbox { Self::Sandbox } else { *found })
    }

    /// The one that it is not.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Production => Self::Sandbox,
            Self::Sandbox => Self::Production,
        }
    }
}

/// Which government system an API user or a session belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Product {
    /// The e-invoice system (IRP).
    EInvoice,
    /// The e-way bill system.
    EWayBill,
}

impl fmt::Display for Environment {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Production => "production",
            Self::Sandbox => "sandbox",
        })
    }
}

impl fmt::Display for Product {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::EInvoice => "e_invoice",
            Self::EWayBill => "e_way_bill",
        })
    }
}

/// Name of a configured way to the portal, as written in `[[route]] name = "..."`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct RouteName(String);

impl RouteName {
    /// Takes a name as configured.
    pub fn new(name: impl Into<String>) -> Self {
        Self(name.into())
    }

    /// The name as configured.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RouteName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// The portal site that registered, or was asked to register, a document.
///
/// An IRN lives at the site that made it; the `irp` request header names that site (`NIC1`, `NIC2`)
/// when another one is asked. Kept as text because private IRPs have names of their own.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Site(String);

impl Site {
    /// Takes a site name such as `NIC1`.
    pub fn new(name: impl Into<String>) -> Self {
        Self(name.into())
    }

    /// The name as the portal writes it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Site {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}
