//! Calls as they are through a provider: what each profile lets through, and that nothing goes to production.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use einvoice_core::clock::SystemClock;
use einvoice_core::credential::{Access, ApiUser, ClientPair};
use einvoice_core::entropy::SeededEntropy;
use einvoice_core::environment::{Environment, Product};
use einvoice_core::identifier::Gstin;
use einvoice_core::operation::OperationKind;
use einvoice_core::raw::{RawBody, RawCall, RawHeader, RawPart, RawTarget};
use einvoice_core::secret::Secret;
use einvoice_core::session::{SavedSession, Session};
use einvoice_core::transport::{Transport, TransportError};
use einvoice_gsp::profile::{Crypto, Kind, read_profile, shipped};
use einvoice_gsp::{GspParts, GspTransport};
use einvoice_protocol::exchange::{Exchange, ExchangeError, HttpRequest, HttpResponse};
use einvoice_protocol::login::AuthPublicKey;
use einvoice_sandbox::{PortalSettings, Sandbox};

/// An exchange over which nothing may go.
#[derive(Debug)]
struct Never;

#[async_trait]
impl Exchange for Never {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, ExchangeError> {
        panic!("a call was sent: {request:?}")
    }

    fn endpoint(&self) -> String {
        "https://provider.test".to_owned()
    }
}

/// A transport by a shipped profile, over which nothing may go.
fn transport(id: &str, environment: Environment) -> GspTransport<Never> {
    let profile = read_profile(id, Path::new("")).unwrap();
    let entropy = Arc::new(SeededEntropy::new(1));
    let sandbox = Sandbox::in_memory(PortalSettings::default(), SystemClock::shared(), entropy.clone()).unwrap();
    let key = |pem: String| AuthPublicKey::from_pem(&pem).unwrap();
    let settings: BTreeMap<String, String> =
        profile.settings.keys().map(|name| (name.clone(), format!("own-{name}"))).collect();
    GspTransport::new(GspParts {
        settings,
        environment,
        site: "NIC1".to_owned(),
        common: Never,
        irp: profile.irp.as_ref().map(|_| (Never, Never)),
        ewb: profile.ewb.as_ref().map(|_| (Never, Never)),
        irp_key: Some(key(sandbox.auth_public_key_pem())),
        ewb_key: Some(key(sandbox.ewb_auth_public_key_pem())),
        call_time_max: Duration::from_mins(1),
        entropy,
        clock: SystemClock::shared(),
        profile,
    })
    .unwrap()
}

fn session() -> Session {
    let client = ClientPair { client_id: Secret::from("id"), client_secret: Secret::from("secret") };
    let user = ApiUser { user_name: Secret::from("user"), password: Secret::from("password") };
    let saved = SavedSession {
        token: Secret::from("token"),
        sek: Secret::new(vec![7; 32]),
        app_key: Secret::new(vec![1; 32]),
        expires_at: "2099-01-01T00:00:00Z".parse().unwrap(),
        provider: None,
    };
    Session::new(Access::new(Gstin::parse("29AAAAA0000A1Z5").unwrap(), client, user), saved)
}

/// A document, a question, and calls that no provider that seals can pass on.
fn calls() -> Vec<RawCall> {
    let at = |kind, rest: &str| RawTarget::Operation { kind, rest: rest.to_owned() };
    vec![
        RawCall::new(at(OperationKind::GenerateIrn, ""), RawBody::Sealed(Bytes::from_static(b"{}"))),
        RawCall::new(at(OperationKind::GetIrn, "/x"), RawBody::None),
        RawCall::new(at(OperationKind::GenerateEwb, ""), RawBody::Sealed(Bytes::from_static(b"{}"))),
        RawCall::new(at(OperationKind::GenerateIrn, ""), RawBody::Data("AAAA".to_owned())),
        RawCall::new(at(OperationKind::GetIrn, ""), RawBody::None),
        RawCall::new(RawTarget::Login, RawBody::Whole(Bytes::new())),
    ]
}

#[tokio::test]
async fn no_profile_sends_a_call_as_it_is_to_production() {
    for profile in shipped() {
        let transport = transport(profile.id, Environment::Production);
        for call in calls() {
            let error = transport.call_raw(&session(), &call).await.unwrap_err();
            let is_guarded = matches!(&error, TransportError::HeldBack { reason } if reason.contains("production"));
            assert!(is_guarded, "{}: {call:?}: {error}", profile.id);
        }
    }
}

#[tokio::test]
async fn what_a_provider_seals_or_shapes_itself_is_held_back_in_its_sandbox() {
    for (id, admitted) in [("adaequare", 3), ("iris", 0), ("masters-india", 0)] {
        let transport = transport(id, Environment::Sandbox);
        for call in calls().iter().skip(admitted) {
            let error = transport.call_raw(&session(), call).await.unwrap_err();
            assert!(matches!(error, TransportError::HeldBack { .. }), "{id}: {call:?}: {error}");
        }
    }
}

#[test]
fn each_profile_says_what_it_can_pass_on_as_it_is() {
    for told in shipped() {
        let profile = read_profile(told.id, Path::new("")).unwrap();
        let transport = transport(told.id, Environment::Sandbox);
        let can = &transport.capability().raw_calls;
        if profile.kind == Kind::ProviderApi {
            assert!(can.is_empty(), "{}", told.id);
            continue;
        }
        for (product, part) in [(Product::EInvoice, &profile.irp), (Product::EWayBill, &profile.ewb)] {
            let Some(part) = part else { continue };
            let envelope = can.contains(&RawPart::Envelope(product));
            assert_eq!(envelope, part.crypto == Crypto::Nic, "{} {product:?}", told.id);
            let of_account = [RawHeader::ClientId, RawHeader::ClientSecret, RawHeader::Gstin];
            assert!(of_account.iter().all(|header| !can.contains(&RawPart::Header(product, *header))), "{}", told.id);
        }
    }
    let can = |id: &str| transport(id, Environment::Sandbox).capability().raw_calls.clone();
    let token = RawPart::Header(Product::EInvoice, RawHeader::Token);
    assert!(can("alankit").contains(&token) && can("alankit").contains(&RawPart::Login));
    // This one writes the site itself.
    let site = RawPart::Header(Product::EInvoice, RawHeader::Site);
    assert!(!can("taxpro-pass-through").contains(&site) && can("alankit").contains(&site));
    let content = |kind| RawPart::Content(kind);
    let sealed = can("adaequare");
    assert!(sealed.contains(&content(OperationKind::CancelIrn)) && sealed.contains(&content(OperationKind::GetEwb)));
    assert!(!sealed.contains(&RawPart::Login) && !sealed.contains(&RawPart::Gap(OperationKind::GetIrn)));
    // A question that goes out as a body of the provider's own members is none of the portal's.
    assert!(!can("gstzen").contains(&content(OperationKind::GetIrn)));
    // The IRN stands in the path, where a document that lacks it has none.
    assert!(!can("sandbox-co-in").contains(&content(OperationKind::CancelIrn)));
}
