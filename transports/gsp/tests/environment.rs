//! Where a route leads and what it says of it: a word in the configuration is no proof that a rehearsal is one.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;
use std::sync::Arc;

use einvoice_core::clock::ManualClock;
use einvoice_core::entropy::SeededEntropy;
use einvoice_core::environment::Environment::{self, Production, Sandbox};
use einvoice_core::raw::{RawBody, RawCall, RawTarget};
use einvoice_core::transport::{Transport, TransportCapability, TransportError};
use einvoice_gsp::{GspConfig, GspError, connect};

/// The transport of a route with this configuration: what it can do, or why there is none.
async fn route(text: &str, environment: Environment) -> Result<TransportCapability, GspError> {
    let config: GspConfig = toml::from_str(text).unwrap();
    let clock = ManualClock::new("2026-11-05T06:30:00Z".parse().unwrap());
    let made = connect(config, environment, Path::new(""), Arc::new(SeededEntropy::new(1)), Arc::new(clock)).await?;
    Ok(made.capability().clone())
}

const MASTERGST: &str = r#"
    profile = "mastergst"
    settings = { email = "accounts@company.example", caller_ip = "49.206.1.7" }
"#;

#[tokio::test]
async fn where_one_address_serves_both_the_route_says_which_the_client_pair_is_of() {
    for environment in [Sandbox, Production] {
        let error = route(MASTERGST, environment).await.unwrap_err();
        assert!(matches!(error, GspError::OneAddress { .. }), "{error}");
        let told = error.to_string();
        assert!(told.contains(&format!("client_pair_is_of = \"{environment}\"")) && told.contains("api.mastergst.com"));
        let other = format!("{MASTERGST}\nclient_pair_is_of = \"{}\"", environment.other());
        let error = route(&other, environment).await.unwrap_err();
        assert!(matches!(error, GspError::OtherPair { .. }), "{error}");
        let said = format!("{MASTERGST}\nclient_pair_is_of = \"{environment}\"");
        assert!(route(&said, environment).await.unwrap().environment_by_client_pair);
    }
    // By its own profile, and by other addresses of a route.
    let gstzen = route("profile = \"gstzen\"", Production).await.unwrap_err();
    assert!(matches!(gstzen, GspError::OneAddress { .. }), "{gstzen}");
    let hosts = "profile = \"whitebooks\"\nhosts = { common = \"https://api.mastergst.com/\" }\n\
                 settings = { email = \"accounts@company.example\", caller_ip = \"49.206.1.7\" }";
    let elsewhere = route(hosts, Sandbox).await.unwrap_err();
    assert!(matches!(elsewhere, GspError::OneAddress { .. }), "{elsewhere}");
}

#[tokio::test]
async fn nothing_is_tried_out_where_only_the_client_pair_tells_the_sandbox() {
    let said = format!("{MASTERGST}\nclient_pair_is_of = \"sandbox\"");
    let capability = route(&said, Sandbox).await.unwrap();
    assert!(!capability.raw_calls.is_empty(), "else there is nothing to refuse");
    let call = RawCall::new(RawTarget::Login, RawBody::None);
    let refused = capability.admit_raw(&call).unwrap_err();
    assert!(matches!(refused, TransportError::HeldBack { .. }), "{refused}");
    assert!(refused.to_string().contains("nothing but the client pair"), "{refused}");
    // An emulator's address is nobody's.
    let emulated = format!("{MASTERGST}\nhosts = {{ common = \"http://127.0.0.1:8080/gsp/mastergst\" }}");
    route(&emulated, Sandbox).await.unwrap().admit_rehearsal("this route").unwrap();
}

#[tokio::test]
async fn an_address_that_is_known_for_the_other_environment_is_refused() {
    for (profile, address, leads_to) in [
        ("whitebooks", "https://api.whitebooks.in", Production),
        ("whitebooks", "https://apisandbox.whitebooks.in", Sandbox),
        ("whitebooks", "https://api.einvoice2.gst.gov.in", Production),
        ("whitebooks", "https://einv2api.gstsandbox.nic.in", Sandbox),
        // Another provider's, and one of the addresses for people.
        ("whitebooks", "https://router.mastersindia.co", Production),
        ("whitebooks", "https://esp.api.irisgst.com", Production),
        // The same host: the path tells.
        ("adaequare", "https://gsp.adaequare.com/enriched/ei/api", Production),
    ] {
        let settings = "settings = { email = \"accounts@company.example\", caller_ip = \"49.206.1.7\" }";
        let settings = if profile == "whitebooks" { settings } else { "" };
        let text = format!("profile = \"{profile}\"\nhosts = {{ common = \"{address}\" }}\n{settings}");
        let error = route(&text, leads_to.other()).await.unwrap_err().to_string();
        assert!(error.contains(&format!("leads to {leads_to}")) && error.starts_with("`hosts."), "{address}: {error}");
        route(&text, leads_to).await.unwrap();
    }
}
