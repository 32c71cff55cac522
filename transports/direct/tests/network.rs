//! What the network between can do: proxies, TLS that fails, a chosen local address.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;

use einvoice_core::entropy::SystemEntropy;
use einvoice_core::environment::Environment;
use einvoice_core::transport::{Transport, TransportError};
use einvoice_direct::{DirectConfig, DirectError, DirectTransport, connect};
use einvoice_testkit::transport_suite::portal::{Answer, ScriptedPortal, closed_port};

/// A public RSA key; no test here logs in, so nobody needs the private half.
const KEY: &str = "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAx8XQFS1COOk5MDmX8bf2JYzz0/lBqYQcVjylEmwBMvRyTFAw1cLRjk+Re5Ym8K98B3UkhcM378/Odtz29KNcFcjG38W/8pxpr+yCg6pC7tfMigT7Lf/5DC1Jibn03pU8SqLmsDIEVdWh2yvjAmWkfUvJUaOl+BdTwjrNnEEn+ABA2Tq3aTca2K7+NlVkjE+P/dduPAcYwWh5bB9kO8N5wh/cj61J2DDwPneOoRDGGQWPEcijeExNp2bLQlDS1jxilb8IO5M31EuWm9vOrqYabSr4UdyleaxrDPAjoNkFovCEdqrLVNvvXD/e7/0raEGpoE+r5kOoIiMUMIPHe+qJewIDAQAB";

async fn made(config: DirectConfig) -> Result<DirectTransport, DirectError> {
    connect(config, Environment::Sandbox, Path::new("."), SystemEntropy::shared()).await
}

async fn probe(config: DirectConfig) -> Result<(), TransportError> {
    made(config).await.unwrap().probe().await.map(|_| ())
}

fn up() -> Answer {
    Answer::Reply { status: 200, body: "up".to_owned() }
}

#[tokio::test]
async fn a_named_proxy_is_used_and_the_portal_is_not_dialled() {
    let proxy = ScriptedPortal::start(up()).await;
    let config = DirectConfig { proxy: proxy.base_url(), ..DirectConfig::new("http://portal.invalid", KEY) };
    probe(config).await.unwrap();
    assert!(proxy.requests()[0].starts_with("GET http://portal.invalid/eivital/v1.04/heartbeat/ping "));
}

#[tokio::test]
async fn a_proxy_that_is_down_or_refuses_the_tunnel_sent_nothing() {
    let down = closed_port().await;
    let refusing = ScriptedPortal::start(Answer::Reply { status: 403, body: String::new() }).await;
    for proxy in [down, refusing.base_url()] {
        let config = DirectConfig { proxy, ..DirectConfig::new("https://portal.invalid", KEY) };
        let error = probe(config).await.unwrap_err();
        assert!(matches!(error, TransportError::NotSent { .. }), "{error}");
    }
}

#[tokio::test]
async fn a_tls_handshake_that_fails_sent_nothing() {
    let no_tls = ScriptedPortal::start(Answer::Close).await;
    let base_url = no_tls.base_url().replace("http://", "https://");
    // The scripted portal waits for the end of an HTTP head, which a handshake never brings.
    let mut config = DirectConfig::new(base_url, KEY);
    config.connect_timeout_ms = 300;
    let error = probe(config).await.unwrap_err();
    assert!(matches!(error, TransportError::NotSent { .. }), "{error}");
    assert_eq!(no_tls.counts().requests, 0);
}

#[tokio::test]
async fn requests_leave_from_the_chosen_local_address_or_not_at_all() {
    let portal = ScriptedPortal::start(up()).await;
    let from = |address: &str| DirectConfig {
        local_address: Some(address.parse().unwrap()),
        ..DirectConfig::new(portal.base_url(), KEY)
    };
    probe(from("127.0.0.1")).await.unwrap();
    // A documentation address (RFC 5737) that no machine has.
    let error = probe(from("192.0.2.1")).await.unwrap_err();
    assert!(matches!(error, TransportError::NotSent { .. }), "{error}");
}

#[tokio::test]
async fn a_path_prefix_of_the_portal_is_kept() {
    let portal = ScriptedPortal::start(up()).await;
    probe(DirectConfig::new(format!("{}/irp/", portal.base_url()), KEY)).await.unwrap();
    assert!(portal.requests()[0].starts_with("GET /irp/eivital/v1.04/heartbeat/ping "));
}

#[tokio::test]
async fn a_root_certificate_file_without_a_certificate_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("root.pem");
    std::fs::write(&file, "no certificate").unwrap();
    let config = DirectConfig { root_certificate_file: Some(file), ..DirectConfig::new("https://portal.invalid", KEY) };
    let error = made(config).await.unwrap_err();
    assert!(error.to_string().contains("root_certificate_file"), "{error}");
}
