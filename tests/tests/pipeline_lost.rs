//! Registrations whose reply was lost, refused as duplicates, or found where nobody sent them: each ends adopted,
//! in conflict, or before a person who is told exactly what to do. Nothing is sent twice to find out.

mod support;

use std::sync::Arc;
use std::time::Duration;

use einvoice_core::irn::Irn;
use einvoice_core::ledger::DocumentStatus;
use einvoice_core::operation::{Operation, OperationKind, RegistrationStatus, Reply};
use einvoice_core::pipeline::{Silent, StopSignal};
use einvoice_core::portal_code::PortalError;
use einvoice_core::state::DocumentState::{Burnt, Cancelled, Conflict, Ready, Refused, Registered, Unknown};
use einvoice_core::transport::TransportError;
use einvoice_core::verify::Proof;
use einvoice_protocol::key_set::KeySet;
use einvoice_sandbox::{Fault, PortalOperation, PortalSettings};
use einvoice_testkit::documents::Recipe;
use support::World;
use support::scripted::{Scripted, duplicate_of, lost, refused, refused_naming};
use support::tampered::{Tampered, Tampering};
use support::watched::Watched;

async fn one() -> World {
    World::new([Recipe::numbered(1).json()]).await
}

fn refusal(code: &str) -> Fault {
    Fault::Error { code: code.into(), message: String::new() }
}

/// A second ledger before the portal of another world, with one document.
async fn beside(first: &World, document: String) -> World {
    let mut second = World::new([document]).await;
    second.sandbox = first.sandbox.clone();
    second.routes.clone_from(&first.routes);
    second.verifier = Arc::clone(&first.verifier);
    second.credentials = Arc::clone(&first.credentials);
    second
}

async fn status(world: &World) -> DocumentStatus {
    world.statuses().await.remove(0)
}

/// Reason and remedy of what is told about a document that stays open.
async fn told(world: &World) -> (String, String) {
    let finding = status(world).await.findings.remove(0);
    (finding.message, finding.fix.unwrap_or_default())
}

fn sites(operations: &[Operation]) -> Vec<Option<String>> {
    let site = |operation: &Operation| match operation {
        Operation::GetIrn { site, .. } | Operation::GetIrnByDocument { site, .. } => Some(site.clone()),
        _ => None,
    };
    operations.iter().filter_map(site).collect()
}

#[tokio::test]
async fn a_registration_knows_the_site_that_issued_it_sent_or_asked_for() {
    for fault in [None, Some(Fault::DropReplyAfterCommit)] {
        let world = World::with_settings(
            [Recipe::numbered(1).json()],
            PortalSettings { site: "NIC2".into(), ..PortalSettings::default() },
        )
        .await;
        if let Some(fault) = fault {
            world.fault(PortalOperation::GenerateIrn, fault);
        }
        world.run().await;
        let status = status(&world).await;
        assert_eq!(status.registration.unwrap().site.as_deref(), Some("NIC2"));
        assert_eq!(status.site.as_deref(), Some("NIC2"));
    }
}

#[tokio::test]
async fn a_document_that_the_other_nic_site_holds_is_adopted_and_belongs_to_that_site() {
    let nic2 = PortalSettings { site: "NIC2".into(), ..PortalSettings::default() };
    let other = World::with_settings([Recipe::numbered(1).json()], nic2).await;
    other.run().await;
    let held = status(&other).await.registration.unwrap();
    let mut world = one().await;
    let mut keys = KeySet::new();
    keys.add_pem(&other.sandbox.signing_public_key_pem(), Some(&other.sandbox.signing_kid())).unwrap();
    world.verifier = Arc::new(keys);
    let seen = Scripted::around(&world, move |operation| match operation {
        Operation::GenerateIrn { .. } => Some(lost()),
        Operation::GetIrnByDocument { site: Some(site), .. } if site == "NIC2" => {
            Some(Ok(Reply::Registration(Box::new(held.clone()))))
        }
        Operation::GetIrnByDocument { .. } => Some(refused(operation, "2148", "Requested IRN data is not available")),
        _ => None,
    })
    .takes_over(&mut world);
    world.run().await;
    let status = status(&world).await;
    assert_eq!((status.state, status.site.as_deref()), (Registered, Some("NIC2")));
    assert_eq!(status.registration.unwrap().site.as_deref(), Some("NIC2"));
    let asked = sites(&seen.lock().unwrap());
    assert_eq!(asked, [None, Some("NIC1".to_owned()), Some("NIC2".to_owned())]);
}

#[tokio::test]
async fn a_not_there_of_the_other_site_is_no_proof() {
    let mut world = one().await;
    let seen = Scripted::around(&world, |operation| match operation {
        Operation::GenerateIrn { .. } => Some(lost()),
        Operation::GetIrnByDocument { site: Some(site), .. } if site == "NIC2" => {
            Some(refused(operation, "2154", "IRN details are not found"))
        }
        Operation::GetIrnByDocument { .. } => Some(refused(operation, "2148", "Requested IRN data is not available")),
        _ => None,
    })
    .takes_over(&mut world);
    world.run().await;
    assert_eq!(world.states().await, [Unknown]);
    let sent = seen.lock().unwrap().iter().filter(|seen| seen.kind() == OperationKind::GenerateIrn).count();
    assert_eq!(sent, 1);
}

#[tokio::test]
async fn only_a_site_of_nic_has_another_one_to_ask() {
    let mut world = one().await;
    let scripted = Scripted::around(&world, |operation| match operation {
        Operation::GenerateIrn { .. } => Some(lost()),
        Operation::GetIrnByDocument { .. } => Some(refused(operation, "2148", "Requested IRN data is not available")),
        _ => None,
    });
    let seen = scripted.leading_to("IRP6").takes_over(&mut world);
    world.run().await;
    assert!(sites(&seen.lock().unwrap()).iter().flatten().all(|site| site == "IRP6"), "{seen:?}");
}

#[tokio::test]
async fn a_burnt_number_says_so_and_what_the_next_document_names() {
    let world = one().await;
    world.fault(PortalOperation::GenerateIrn, refusal("2278"));
    world.run().await;
    let status = status(&world).await;
    let finding = status.findings.iter().find(|finding| finding.code.as_deref() == Some("2278")).unwrap();
    assert_eq!(status.state, Burnt);
    assert!(finding.message.contains("is cancelled for this Document number"), "{finding:?}");
    let fix = finding.fix.as_deref().unwrap();
    assert!(fix.contains("new number") && fix.contains("RefDtls.PrecDocDtls") && fix.contains("year"), "{fix}");
}

#[tokio::test]
async fn what_was_cancelled_meanwhile_is_cancelled_here_too() {
    for code in [None, Some("9999")] {
        let mut world = one().await;
        let fault = code.map_or(Fault::DropReplyAfterCommit, |code| Fault::ErrorAfterCommit {
            code: code.into(),
            message: String::new(),
        });
        world.fault(PortalOperation::GenerateIrn, fault);
        let cancel = Tampering::Change(|registration| registration.status = RegistrationStatus::Cancelled);
        Tampered::takes_over(&mut world, OperationKind::GetIrnByDocument, cancel);
        world.run().await;
        assert_eq!(world.states().await, [Cancelled], "{code:?}");
        assert_eq!(world.calls(PortalOperation::GenerateIrn), 1);
    }
}

#[tokio::test]
async fn an_answer_that_speaks_of_a_cancelled_irn_is_a_refusal_when_there_is_none() {
    let world = one().await;
    world.fault(PortalOperation::GenerateIrn, refusal("9999"));
    world.run().await;
    assert_eq!(world.states().await, [Refused]);
    assert_eq!(world.calls(PortalOperation::GenerateIrn), 1);
}

#[tokio::test]
async fn a_cancelled_registration_of_other_content_says_that_it_is_cancelled() {
    let first = one().await;
    first.run().await;
    let mut second = beside(&first, Recipe { items: 5, ..Recipe::numbered(1) }.json()).await;
    let cancel = Tampering::Change(|registration| registration.status = RegistrationStatus::Cancelled);
    Tampered::takes_over(&mut second, OperationKind::GetIrn, cancel);
    second.run().await;
    let status = status(&second).await;
    assert_eq!(status.state, Conflict);
    let first = &status.differences[0];
    assert_eq!((first.path.as_str(), first.theirs.as_deref()), ("Status", Some("cancelled")));
}

#[tokio::test]
async fn an_unnamed_duplicate_of_another_date_is_found_by_its_irn() {
    let first = one().await;
    first.run().await;
    let date = einvoice_core::date::DocumentDate::from_ymd(2026, 11, 6).unwrap();
    let second = beside(&first, Recipe { date, ..Recipe::numbered(1) }.json()).await;
    second.fault(PortalOperation::GenerateIrn, refusal("2150"));
    second.run().await;
    let status = status(&second).await;
    assert_eq!(status.state, Conflict);
    assert!(status.differences.iter().any(|difference| difference.path == "DocDtls.Dt"), "{status:?}");
    assert_eq!(first.calls(PortalOperation::GenerateIrn), 2, "one by each ledger");
}

#[tokio::test]
async fn a_duplicate_in_flight_is_waited_for_before_it_is_asked_about() {
    let mut world = one().await;
    world.settings.settle_patience_seconds = 0;
    world.fault(PortalOperation::GenerateIrn, Fault::ErrorAfterCommit { code: "2150".into(), message: String::new() });
    world.run().await;
    assert_eq!(world.states().await, [Unknown]);
    assert_eq!(world.calls(PortalOperation::GetIrnByDocument), 0);
    world.advance(Duration::from_secs(world.settings.settle_wait_seconds));
    world.run().await;
    assert_eq!(world.states().await, [Registered]);
}

#[tokio::test]
async fn a_duplicate_that_is_never_found_is_not_sent_for_ever() {
    let world = one().await;
    world.faults(PortalOperation::GenerateIrn, refusal("2150"), 1_000);
    for _ in 0..20 {
        world.run().await;
        world.advance(Duration::from_hours(1));
    }
    assert_eq!(world.states().await, [Unknown]);
    assert_eq!(world.calls(PortalOperation::GenerateIrn), 5);
}

#[tokio::test]
async fn a_duplicate_that_names_a_foreign_irn_is_not_believed_and_not_sent_again() {
    let foreign = Irn::from_bytes([9; 32]);
    let mut world = one().await;
    let seen = Scripted::around(&world, move |operation| match operation {
        Operation::GenerateIrn { .. } => {
            let info = duplicate_of(foreign, Some("2026-11-20 11:00:00"), None);
            Some(refused_naming(operation, "2150", "Duplicate IRN", info))
        }
        _ => None,
    })
    .takes_over(&mut world);
    for _ in 0..3 {
        world.run().await;
        world.advance(Duration::from_hours(1));
    }
    assert_eq!(world.states().await, [Unknown]);
    assert!(told(&world).await.0.contains(&foreign.to_string()), "{:?}", told(&world).await);
    let sent = seen.lock().unwrap().iter().filter(|seen| seen.kind() == OperationKind::GenerateIrn).count();
    assert_eq!(sent, 1);
}

#[tokio::test]
async fn a_foreign_irn_gives_way_to_what_the_portal_holds_under_the_number() {
    let first = one().await;
    first.run().await;
    for (items, state) in [(6, Registered), (5, Conflict)] {
        let mut second = beside(&first, Recipe { items, ..Recipe::numbered(1) }.json()).await;
        Scripted::around(&second, move |operation| match operation {
            Operation::GenerateIrn { .. } => {
                let info = duplicate_of(Irn::from_bytes([9; 32]), None, None);
                Some(refused_naming(operation, "2150", "Duplicate IRN", info))
            }
            _ => None,
        })
        .takes_over(&mut second);
        second.run().await;
        assert_eq!(second.states().await, [state]);
    }
}

#[tokio::test]
async fn an_answer_of_the_portal_itself_that_stumbles_is_asked_about_and_adopted() {
    for code in ["2150", "5001", "SYS_5001", "2146", "2147", "77777"] {
        let world = one().await;
        let fault = Fault::ErrorAfterCommit { code: code.into(), message: String::new() };
        world.fault(PortalOperation::GenerateIrn, fault);
        world.run().await;
        let status = status(&world).await;
        assert_eq!(status.state, Registered, "{code}");
        assert!(matches!(status.proof, Some(Proof::Verified { .. })), "{code}");
        assert_eq!(world.calls(PortalOperation::GenerateIrn), 1, "{code}");
    }
}

#[tokio::test]
async fn a_reply_with_our_irn_and_another_amount_is_a_conflict_that_names_the_amount() {
    let mut world = one().await;
    let mut invoice = Recipe::numbered(1).invoice();
    invoice.val_dtls.rnd_off_amt = einvoice_core::number::Amount::from_paise(5).into();
    let instead = Some(invoice.to_json().into_bytes()).into();
    Watched { instead, ..Watched::around(&world) }.takes_over(&mut world);
    world.run().await;
    let status = status(&world).await;
    assert_eq!(status.state, Conflict, "{status:?}");
    assert_eq!(status.differences[0].path, "ValDtls.RndOffAmt");
}

#[tokio::test]
async fn a_genuine_answer_about_another_document_settles_nothing_and_nothing_is_sent_for_it() {
    let mut world = World::new([Recipe::numbered(2).json()]).await;
    world.run().await;
    let other = status(&world).await.registration.unwrap();
    world.source.put("record-1", Recipe::numbered(1).json());
    let seen = Scripted::around(&world, move |operation| match operation {
        Operation::GenerateIrn { .. } => Some(lost()),
        Operation::GetIrnByDocument { .. } => Some(Ok(Reply::Registration(Box::new(other.clone())))),
        _ => None,
    })
    .takes_over(&mut world);
    world.run().await;
    assert_eq!(world.states().await, [Registered, Unknown]);
    let status = world.statuses().await.remove(1);
    assert!(status.findings[0].message.contains("not believed"), "{status:?}");
    assert!(status.registration.is_none());
    let sent = seen.lock().unwrap().iter().filter(|seen| seen.kind() == OperationKind::GenerateIrn).count();
    assert_eq!(sent, 1);
}

#[tokio::test]
async fn a_burnt_number_among_codes_that_prove_nothing_is_burnt_once_nothing_is_there() {
    let mut world = one().await;
    let seen = Scripted::around(&world, |operation| match operation {
        Operation::GenerateIrn { .. } => Some(Err(TransportError::Refused {
            operation: Some(OperationKind::GenerateIrn),
            errors: ["5001", "2278"].map(|code| PortalError::new(code, "text")).into(),
            info: Vec::new(),
        })),
        _ => None,
    })
    .takes_over(&mut world);
    world.run().await;
    assert_eq!(world.states().await, [Burnt]);
    let sent = seen.lock().unwrap().iter().filter(|seen| seen.kind() == OperationKind::GenerateIrn).count();
    assert_eq!(sent, 1);
}

#[tokio::test]
async fn asked_sooner_than_the_settling_wait_not_there_proves_nothing() {
    let mut world = one().await;
    world.settings.settle_patience_seconds = 0;
    world.fault(PortalOperation::GenerateIrn, Fault::DropBeforeProcessing);
    world.run().await;
    assert_eq!(world.states().await, [Unknown]);
    world.advance(Duration::from_secs(5));
    let pipeline = world.pipeline().await;
    let settle = || pipeline.settle_now(&[], Arc::new(Silent), StopSignal::new());
    settle().await.unwrap();
    assert_eq!(world.states().await, [Unknown], "the call may still be under way");
    world.advance(Duration::from_secs(30));
    settle().await.unwrap();
    assert_eq!(world.states().await, [Ready]);
    assert_eq!(world.calls(PortalOperation::GenerateIrn), 1, "nothing is sent when settling");
}
