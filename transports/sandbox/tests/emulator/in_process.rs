//! The product's own protocol against the emulator: the two meet on the wire alone.

use std::sync::Arc;

use einvoice_core::clock::ManualClock;
use einvoice_core::credential::{
    Access, ClientHolder, ClientScope, CredentialEntry, CredentialError, CredentialStore, UserScope,
};
use einvoice_core::entropy::SeededEntropy;
use einvoice_core::environment::{Environment, Product, RouteName};
use einvoice_core::identifier::Gstin;
use einvoice_core::operation::{Operation, Reply};
use einvoice_core::registry::{BuildContext, Registry};
use einvoice_core::transport::{LoginRequest, Retry, Transport, TransportError};
use einvoice_sandbox::{Fault, PortalOperation, PortalSettings, Sandbox, SandboxCredentials, ScriptedFault};
use serde_json::json;

use crate::raw::{SELLER, invoice, noon, portal};

fn user_scope(gstin: &str, environment: Environment) -> UserScope {
    let route = RouteName::new("sandbox");
    UserScope { gstin: gstin.parse().unwrap(), product: Product::EInvoice, environment, route }
}

async fn access(store: &dyn CredentialStore, gstin: &str) -> Access {
    let gstin: Gstin = gstin.parse().unwrap();
    let holder = ClientHolder::Pan(gstin.pan().unwrap());
    let client = store.client(&ClientScope { environment: Environment::Sandbox, holder }).await.unwrap();
    let user = store.api_user(&user_scope(&gstin.to_string(), Environment::Sandbox)).await.unwrap();
    Access::new(gstin, client, user)
}

async fn generate(sandbox: &Sandbox, transport: &dyn Transport, number: &str) -> Result<Reply, TransportError> {
    let access = access(&SandboxCredentials::new(sandbox.clone(), Vec::new()), SELLER).await;
    let request = LoginRequest { access: &access, product: Product::EInvoice, force_refresh: false, previous: None };
    let session = transport.login(request).await.unwrap();
    let payload = invoice(number).to_string().into();
    transport.call(&session, &Operation::GenerateIrn { payload }).await
}

#[tokio::test]
async fn the_products_protocol_registers_at_the_emulator() {
    let sandbox = portal(PortalSettings::default());
    let transport = sandbox.transport(Arc::new(SeededEntropy::new(3))).unwrap();
    let Reply::Registration(registration) = generate(&sandbox, &transport, "A/1").await.unwrap() else { panic!() };
    assert_eq!(Some(registration.irn.to_string()), sandbox.invoices()[0].irn);
    assert!(registration.signed_invoice.is_some() && registration.signed_qr.is_some());
    assert!(transport.probe().await.unwrap().text.starts_with("e-Invoice Vital"));
}

#[tokio::test]
async fn scripted_faults_reach_the_product_as_unclear_outcomes() {
    let sandbox = portal(PortalSettings::default());
    let transport = sandbox.transport(Arc::new(SeededEntropy::new(3))).unwrap();
    let faults = [Fault::DropReplyAfterCommit, Fault::TruncatedBody, Fault::Html { status: 502 }];
    for (number, fault) in faults.into_iter().enumerate() {
        sandbox.push_fault(ScriptedFault::once(PortalOperation::GenerateIrn, fault));
        let error = generate(&sandbox, &transport, &format!("A/{}", number + 1)).await.unwrap_err();
        assert_eq!(error.retry(), Retry::AskFirst, "{error}");
    }
}

#[tokio::test]
async fn the_plugins_meet_in_one_portal_and_need_no_secret() {
    let context = BuildContext::new(
        "sandbox",
        std::env::temp_dir(),
        Arc::new(ManualClock::new(noon())),
        Arc::new(SeededEntropy::new(3)),
    );
    let registry = Registry::linked(Vec::new()).unwrap();
    let store = registry.credential_store("sandbox", context.clone(), json!({})).await.unwrap();
    let transport = registry.transport("sandbox", context.clone(), json!({})).await.unwrap();
    let access = access(store.as_ref(), "24AAACB5678K1ZG").await;
    let request = LoginRequest { access: &access, product: Product::EInvoice, force_refresh: false, previous: None };
    let session = transport.login(request).await.unwrap();
    store.save_session(&user_scope("24AAACB5678K1ZG", Environment::Sandbox), session.saved()).await.unwrap();
    let listed = store.list().await.unwrap();
    assert!(listed.iter().any(|summary| summary.session_expires_at.is_some()));
    let production = context.in_environment(Environment::Production);
    assert!(registry.transport("sandbox", production, json!({})).await.is_err());
    let wrong = registry.transport("sandbox", context, json!({"dta": "x"})).await.unwrap_err();
    assert!(wrong.to_string().contains("dta"), "{wrong}");
}

#[tokio::test]
async fn the_store_hands_out_nothing_for_production_and_takes_nothing() {
    let store = SandboxCredentials::new(portal(PortalSettings::default()), vec![SELLER.to_owned()]);
    let missing = store.api_user(&user_scope(SELLER, Environment::Production)).await.unwrap_err();
    assert!(matches!(missing, CredentialError::Missing { .. }), "{missing}");
    let unlisted = store.api_user(&user_scope("24AAACB5678K1ZG", Environment::Sandbox)).await.unwrap_err();
    assert!(matches!(unlisted, CredentialError::Missing { .. }), "{unlisted}");
    let scope = user_scope(SELLER, Environment::Sandbox);
    let user = store.api_user(&scope).await.unwrap();
    let refused = store.put(CredentialEntry::User(scope, user)).await.unwrap_err();
    assert!(matches!(refused, CredentialError::ReadOnly { .. }), "{refused}");
}

/// The examples that `einvoice plugins sandbox` prints.
#[test]
fn the_printed_examples_fit_the_settings() {
    let registry = Registry::linked(Vec::new()).unwrap();
    let line = |role: &str| {
        registry
            .overview()
            .into_iter()
            .find(|line| line.name == "sandbox" && line.role.to_string() == role)
            .unwrap()
            .example
    };
    assert!(line("transport").contains("plugin = \"sandbox\""));
    assert!(line("credential store").contains("[credentials]"));
}

#[tokio::test]
async fn an_address_that_cannot_be_listened_on_is_named_with_the_cause() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let directory = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::new(noon()));
    let options = einvoice_sandbox::ServeOptions::new(address, directory.path());
    let error = einvoice_sandbox::serve(options, clock, Arc::new(SeededEntropy::new(7))).await.err().unwrap();
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert_eq!(error.to_string(), format!("sandbox cannot listen on {address}: {cause}"));
}
