//! What one refusal closes for others: everybody who shares the client pair, or the whole route.

use std::sync::Arc;

use einvoice_core::access::Gateway;
use einvoice_core::identifier::Gstin;
use einvoice_core::portal_code::PortalError;
use einvoice_core::transport::TransportError;
use einvoice_sandbox::PortalOperation;
use einvoice_testkit::documents::gstin;

use super::store::Store;
use super::{EINVOICE, Portal, ask, question, refusal, scripted, taxpayer};

/// Logins of these taxpayers, all at once; how many succeeded.
async fn all_at_once(gateway: &Arc<Gateway>, taxpayers: impl IntoIterator<Item = Gstin>) -> usize {
    let mut tasks = tokio::task::JoinSet::new();
    for taxpayer in taxpayers {
        let gateway = Arc::clone(gateway);
        tasks.spawn(async move { gateway.ready(taxpayer, EINVOICE).await.is_ok() });
    }
    tasks.join_all().await.into_iter().filter(|ok| *ok).count()
}

#[tokio::test]
async fn a_wrong_client_pair_costs_one_login_for_all_gstins_of_its_pan_and_spares_other_pans() {
    let mut portal = Portal::new();
    let store = Store { client_secret: Some("wrong"), only_pan: taxpayer().pan(), ..Store::of(&portal.sandbox) };
    portal.store = Arc::new(store);
    let gateway = Arc::new(portal.gateway());
    assert_eq!(all_at_once(&gateway, (1..=20).map(|state| gstin(state, 1))).await, 0);
    assert_eq!(portal.logins(), 1);
    let error = gateway.ready(gstin(21, 1), EINVOICE).await.unwrap_err();
    let TransportError::HeldBack { reason } = &error else { panic!("{error}") };
    assert!(reason.contains("1010") && reason.contains("client pair") && reason.contains("emulator"), "{reason}");
    assert_eq!(all_at_once(&gateway, (1..=20).map(|seed| gstin(29, 100 + seed))).await, 20);
    assert_eq!(portal.logins(), 21);
    // After the pause one goes first again.
    portal.advance_minutes(15);
    assert_eq!(all_at_once(&gateway, (1..=20).map(|state| gstin(state, 1))).await, 0);
    assert_eq!(portal.logins(), 22);
}

#[tokio::test]
async fn a_login_that_the_portal_cannot_decrypt_stops_the_whole_route_after_one() {
    let portal = Portal::new();
    portal.fault(PortalOperation::Auth, refusal("1020"), 100);
    let gateway = Arc::new(portal.gateway());
    assert_eq!(all_at_once(&gateway, (1..=20).map(|seed| gstin(29, seed))).await, 0);
    assert_eq!(portal.logins(), 1);
    portal.sandbox.clear_faults();
    portal.advance_minutes(15);
    assert_eq!(all_at_once(&gateway, (1..=20).map(|seed| gstin(29, seed))).await, 20);
}

#[tokio::test]
async fn a_call_whose_sealing_is_refused_stops_the_route_also_for_those_who_are_logged_in() {
    let portal = Portal::new();
    let gateway = portal.gateway();
    let other = gstin(33, 5);
    gateway.call(other, &question()).await.unwrap();
    portal.fault(PortalOperation::GstinDetails, refusal("5003"), 1);
    ask(&gateway).await.unwrap_err();
    let error = gateway.call(other, &question()).await.unwrap_err();
    assert!(matches!(&error, TransportError::HeldBack { reason } if reason.contains("5003")), "{error}");
    portal.advance_minutes(15);
    gateway.call(other, &question()).await.unwrap();
}

/// Aim: what is wrong for all costs one error, even when all come at the same moment.
/// Method: a portal that lets callers overlap, and refuses everybody's client pair.
#[tokio::test]
async fn the_first_login_of_a_client_pair_goes_alone_and_its_refusal_spares_the_others() {
    let (_portal, transport, gateway) = scripted();
    let refused = |_| TransportError::Refused {
        operation: None,
        errors: vec![PortalError::new("1010", "Invalid Client-ID/Client-Secret")],
        info: Vec::new(),
    };
    transport.with(|state| state.login_errors.extend((0..20).map(refused)));
    assert_eq!(all_at_once(&gateway, (1..=20).map(|state| gstin(state, 1))).await, 0);
    assert_eq!(transport.logins(), 1);
}
