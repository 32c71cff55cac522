//! What is recorded of a session holds nothing secret, and is understood again.
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use einvoice_core::clock::SystemClock;
use einvoice_core::credential::{Access, ApiUser, ClientPair};
use einvoice_core::entropy::{SharedEntropy, SystemEntropy};
use einvoice_core::environment::{Environment, Product};
use einvoice_core::operation::Operation;
use einvoice_core::secret::Secret;
use einvoice_core::transport::{LoginRequest, Transport};
use einvoice_gsp::check::{Became, replay, understood};
use einvoice_gsp::emulator::{Provider, ProviderFault, Served};
use einvoice_gsp::profile::{Hosts, TaxpayerMode, read_profile, shipped};
use einvoice_gsp::tape::{TapeError, read_recording, write_recording};
use einvoice_gsp::{GspConfig, connect};
use einvoice_sandbox::{ServeOptions, serve};
use einvoice_testkit::documents::Recipe;

/// Everything that must not stand in a recording.
struct Session {
    recording: PathBuf,
    secrets: Vec<String>,
    _folder: tempfile::TempDir,
}

/// A session over HTTP with the provider of a profile played before the emulator, and its recording.
async fn session(name: &str) -> Session {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("portal");
    let profile = read_profile(name, Path::new("")).unwrap();
    let entropy: SharedEntropy = SystemEntropy::shared();
    let place = Served { profile: name.to_owned(), data: data.clone() };
    let provider = Arc::new(Provider::served(profile.clone(), place, &entropy).unwrap());
    let mut options = ServeOptions::new("127.0.0.1:0".parse().unwrap(), &data);
    let supplier = Recipe::numbered(1).supplier;
    options.gstins = vec![supplier.to_string()];
    options.fronts = vec![(provider.prefix(), provider.clone())];
    let server = serve(options, SystemClock::shared(), entropy.clone()).await.unwrap();
    let connection = server.sandbox();
    let shown: serde_json::Value =
        serde_json::from_slice(&std::fs::read(data.join("connection.json")).unwrap()).unwrap();
    let told = &shown["gsp"][0];
    let text = |name: &str| told[name].as_str().unwrap().to_owned();
    let mut config = GspConfig::new(name);
    config.hosts = Some(Hosts {
        common: told["hosts"]["common"].as_str().unwrap().to_owned(),
        irp: told["hosts"]["irp"].as_str().map(str::to_owned),
        ewb: told["hosts"]["ewb"].as_str().map(str::to_owned),
        alternates: Vec::new(),
    });
    config.settings = serde_json::from_value(told["settings"].clone()).unwrap();
    config.auth_public_key_file = told["auth_public_key_file"].as_str().map(PathBuf::from);
    config.ewb_auth_public_key_file = told["ewb_auth_public_key_file"].as_str().map(PathBuf::from);
    let recording = folder.path().join("session.jsonl");
    config.record = Some(recording.clone());
    let transport = connect(config, Environment::Sandbox, folder.path(), entropy, SystemClock::shared()).await.unwrap();
    let at_provider = profile.irp.as_ref().is_some_and(|part| part.taxpayer == TaxpayerMode::AtProvider);
    let account = connection.users().into_iter().find(|user| user.gstin == supplier.as_str()).unwrap();
    let user = ApiUser { user_name: Secret::from(&*account.username), password: Secret::from(&*account.password) };
    let client =
        ClientPair { client_id: Secret::new(text("client_id")), client_secret: Secret::new(text("client_secret")) };
    let access = Access::new(supplier, client, if at_provider { ApiUser::at_provider() } else { user });
    transport.probe().await.unwrap();
    let request = LoginRequest { access: &access, product: Product::EInvoice, force_refresh: false, previous: None };
    let session = transport.login(request).await.unwrap_or_else(|error| panic!("{name}: {error}"));
    let document = Operation::GenerateIrn { payload: Recipe::numbered(1).invoice().to_json().into_bytes().into() };
    // The emulator's clock is the machine's, on which the document may be of another day: either answer will do.
    let _answer = transport.call(&session, &document).await;
    provider.push_fault(ProviderFault::Html);
    let _page = transport.call(&session, &document).await;
    let mut secrets = vec![
        text("client_id"),
        text("client_secret"),
        account.username,
        account.password,
        session.token().expose().clone(),
        supplier.to_string(),
        supplier.as_str()[2..12].to_owned(),
    ];
    // A provider that holds the API user is never told it, and a login without a token makes one up.
    secrets.retain(|secret| !secret.is_empty());
    Session { recording, secrets, _folder: folder }
}

#[tokio::test]
async fn a_recording_of_every_profile_holds_no_secret_and_no_taxpayer_and_is_understood_again() {
    for shipped in shipped() {
        let profile = read_profile(shipped.id, Path::new("")).unwrap();
        if profile.irp.is_none() {
            continue;
        }
        let made = session(shipped.id).await;
        let text = std::fs::read_to_string(&made.recording).unwrap();
        for secret in &made.secrets {
            assert!(!text.contains(secret.as_str()), "{}: {secret} stands in\n{text}", shipped.id);
        }
        // Who buys, what, and the signed copy are nobody's business.
        for private in ["LglNm\":\"Acme", "eyJ", "Bengaluru"] {
            assert!(!text.contains(private), "{}: {private}", shipped.id);
        }
        let (head, mut lines) = read_recording(&made.recording).unwrap();
        assert_eq!(head.profile, shipped.id);
        assert!(lines.len() >= 3, "{}: {lines:?}", shipped.id);
        for line in &mut lines {
            line.understood = Some(understood(&profile, line));
        }
        let told = replay(&profile, &lines);
        assert!(told.iter().all(|told| told.became == Became::Kept), "{}: {told:?}", shipped.id);
    }
}

#[tokio::test]
async fn a_profile_that_reads_elsewhere_is_found_out_by_a_recording() {
    let made = session("adaequare").await;
    let (head, mut lines) = read_recording(&made.recording).unwrap();
    let profile = read_profile("adaequare", Path::new("")).unwrap();
    for line in &mut lines {
        line.understood = Some(understood(&profile, line));
    }
    write_recording(&made.recording, &head, &lines).unwrap();
    let text = r#"
        extends = "adaequare"
        id = "elsewhere"
        [irp]
        reply = [{ accepted = { at = "/ok", is = ["true"] }, payload = "/result", errors = [{ at = "/words" }] }]
    "#;
    let elsewhere = einvoice_gsp::profile::read_profile_text("elsewhere.toml", text, Path::new("")).unwrap();
    let (_, lines) = read_recording(&made.recording).unwrap();
    let told = replay(&elsewhere, &lines);
    let broken: Vec<_> = told.iter().filter(|told| matches!(told.became, Became::Broken(_))).collect();
    assert!(!broken.is_empty(), "{told:?}");
    assert!(broken.iter().all(|told| told.look_at.iter().any(|key| key == "irp.reply")), "{broken:?}");
}

#[test]
fn a_file_that_is_no_recording_is_refused_by_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.jsonl");
    let head = r#"{"recording":1,"profile":"x","environment":"sandbox","at":"2026-11-05T06:30:00Z","masked":""}"#;
    for (text, wrong) in [(String::new(), 1), ("{}".to_owned(), 1), (format!("{head}\n{{}}\n"), 2)] {
        std::fs::write(&path, &text).unwrap();
        let error = read_recording(&path).unwrap_err();
        assert!(matches!(&error, TapeError::Form { line, .. } if *line == wrong), "{text}: {error}");
    }
    std::fs::write(&path, head.replace("\"recording\":1", "\"recording\":2")).unwrap();
    assert!(read_recording(&path).unwrap_err().to_string().contains("version 2"));
}
