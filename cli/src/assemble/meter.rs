//! Every way to the portal, with its logins and refusals written into the book that all processes share.

use std::net::IpAddr;
use std::sync::Arc;

use einvoice_core::config::{Protection, RouteTable};
use einvoice_core::environment::Environment;
use einvoice_core::transport::{Transport, TransportMode};
use einvoice_core::usage::{Metered, UsageBook};
use serde_json::Value;

use super::Assembly;
use crate::usage_file::UsageFile;

impl Assembly {
    /// What the accounts of this installation were used for.
    pub(crate) fn usage(&self) -> Arc<dyn UsageBook> {
        Arc::new(UsageFile::new(self.directory().join(&self.settings().quota.file)))
    }

    /// Whether the login budget of other processes is honoured on a route.
    pub(crate) fn protects(&self, route: &RouteTable) -> bool {
        self.settings().quota.protect == Protection::Always || !is_emulator(route)
    }
}

pub(super) fn metered(transport: Arc<dyn Transport>, route: &RouteTable, assembly: &Assembly) -> Arc<dyn Transport> {
    // The emulator inside this process ends with it: it has no account that anybody could block.
    if transport.capability().mode == TransportMode::InProcess {
        return transport;
    }
    Arc::new(Metered::new(
        transport,
        assembly.usage(),
        assembly.clock(),
        route.route_name(),
        route.environment,
        assembly.protects(route),
    ))
}

/// Whether a route leads to a sandbox on this very machine, where nobody's account is at stake.
pub(crate) fn is_emulator(route: &RouteTable) -> bool {
    let addresses = addresses(&route.part.settings);
    route.environment == Environment::Sandbox
        && !addresses.is_empty()
        && addresses.iter().all(|address| is_on_this_machine(address))
}

/// Every web address among the settings of a route.
pub(crate) fn addresses(settings: &Value) -> Vec<String> {
    let mut found = Vec::new();
    collect(settings, &mut found);
    found
}

fn collect(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::String(text) if text.starts_with("http://") || text.starts_with("https://") => found.push(text.clone()),
        Value::Array(values) => values.iter().for_each(|value| collect(value, found)),
        Value::Object(members) => members.values().for_each(|value| collect(value, found)),
        _ => {}
    }
}

/// Whether an address is a loopback address, or `localhost`.
fn is_on_this_machine(address: &str) -> bool {
    let after_scheme = address.split_once("://").map_or(address, |(_, rest)| rest);
    let authority = after_scheme.split(['/', '?', '#']).next().unwrap_or_default();
    let host = match authority.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    };
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use einvoice_core::config::Settings;
    use serde_json::json;

    use super::*;

    #[test]
    fn only_a_sandbox_with_all_its_addresses_on_this_machine_is_an_emulator() {
        let is = |environment: &str, settings: Value| {
            let mut route = json!({"plugin": "direct", "environment": environment});
            route.as_object_mut().unwrap().extend(settings.as_object().unwrap().clone());
            is_emulator(Settings::from_value(json!({"route": [route]})).unwrap().routes.first().unwrap())
        };
        assert!(is("sandbox", json!({"base_url": "http://127.0.0.1:8088"})));
        assert!(is("sandbox", json!({"hosts": {"common": "http://[::1]:1/a", "irp": "http://localhost/b"}})));
        assert!(!is("production", json!({"base_url": "http://127.0.0.1:8088"})));
        assert!(!is("sandbox", json!({"base_url": "https://127.0.0.1.example"})));
        let one_elsewhere = json!({"base_url": "http://127.0.0.1", "ewb": {"base_url": "https://ewb.example"}});
        assert!(!is("sandbox", one_elsewhere));
    }

    #[test]
    fn a_route_without_an_address_goes_where_its_profile_says_and_that_is_elsewhere() {
        let route = json!({"plugin": "gsp", "environment": "sandbox", "profile": "adaequare"});
        let settings = Settings::from_value(json!({ "route": [route] })).unwrap();
        assert!(!is_emulator(settings.routes.first().unwrap()));
    }
}
