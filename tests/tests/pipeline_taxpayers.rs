//! Documents refused for a taxpayer whom the portal does not know or takes for inactive: its copy of the register
//! lags, so the taxpayer is fetched anew, once, and the document goes out once more only where that helps.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use einvoice_core::operation::{Operation, OperationKind, Reply};
use einvoice_core::pipeline::{Silent, StopSignal};
use einvoice_core::state::DocumentState::{Refused, Registered};
use einvoice_core::transport::TransportError;
use einvoice_testkit::documents::{Recipe, gstin};
use support::World;
use support::scripted::{Scripted, lost, refused, taxpayer};

type Answer = fn(&Operation) -> Result<Reply, TransportError>;

/// The recipient of every document of the testkit.
fn recipient() -> String {
    gstin(27, 77).to_string()
}

async fn world(documents: u32) -> World {
    World::new((1..=documents).map(|number| Recipe::numbered(number).json())).await
}

/// Refuses registrations with this code while `times` lasts, and answers every sync alike.
fn portal(
    world: &World,
    code: &'static str,
    times: u32,
    sync: impl Fn(&Operation) -> Result<Reply, TransportError> + Send + Sync + 'static,
) -> Scripted {
    let left = AtomicU32::new(times);
    Scripted::around(world, move |operation| match operation {
        Operation::GenerateIrn { .. } => left
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1))
            .is_ok()
            .then(|| refused(operation, code, "GSTIN is invalid")),
        Operation::SyncGstin { .. } => Some(sync(operation)),
        _ => None,
    })
    .with(OperationKind::SyncGstin)
}

fn count(seen: &[Operation], kind: OperationKind) -> usize {
    seen.iter().filter(|operation| operation.kind() == kind).count()
}

fn sent_and_synced(seen: &std::sync::Mutex<Vec<Operation>>) -> (usize, usize) {
    let seen = seen.lock().unwrap();
    (count(&seen, OperationKind::GenerateIrn), count(&seen, OperationKind::SyncGstin))
}

#[tokio::test]
async fn a_recipient_who_is_active_once_fetched_anew_lets_the_document_through_under_one_intent() {
    for code in ["3028", "3029"] {
        let mut world = world(1).await;
        let seen = portal(&world, code, 1, |_| Ok(taxpayer(&recipient(), "ACT"))).takes_over(&mut world);
        world.run().await;
        assert_eq!(world.states().await, [Registered], "{code}");
        assert_eq!(sent_and_synced(&seen), (2, 1), "{code}");
        let asked = seen
            .lock()
            .unwrap()
            .iter()
            .any(|operation| matches!(operation, Operation::SyncGstin { gstin } if gstin.as_str() == recipient()));
        assert!(asked, "{seen:?}");
        let status = world.statuses().await.remove(0);
        let trail = world.ledger.audit(status.id).await.unwrap();
        let intents = trail.iter().filter(|entry| entry.event.contains("intent")).count();
        assert_eq!(intents, 1, "{trail:?}");
        assert_eq!(world.books()[0].registrations, 1);
    }
}

#[tokio::test]
async fn a_thousand_documents_of_one_inactive_recipient_cost_one_call() {
    let mut world = world(1_000).await;
    let seen = portal(&world, "3029", u32::MAX, |_| Ok(taxpayer(&recipient(), "CNL"))).takes_over(&mut world);
    let report = world.run().await;
    assert_eq!(report.refused, 1_000, "{report:?}");
    assert_eq!(sent_and_synced(&seen), (1_000, 1));
    // With what to do about it.
    let finding = world.statuses().await.remove(0).findings.remove(0);
    assert!(finding.fix.unwrap().contains("ask the customer"));
}

#[tokio::test]
async fn a_refusal_that_stands_though_the_recipient_is_active_is_not_tried_again() {
    let mut world = world(50).await;
    world.settings.concurrency = 1;
    let seen = portal(&world, "3028", u32::MAX, |_| Ok(taxpayer(&recipient(), "ACT"))).takes_over(&mut world);
    let report = world.run().await;
    assert_eq!(report.refused, 50, "{report:?}");
    assert_eq!(sent_and_synced(&seen), (51, 1), "the first document showed that it does not help");
}

#[tokio::test]
async fn the_next_run_asks_anew() {
    let mut world = world(1).await;
    let seen = portal(&world, "3029", u32::MAX, |_| Ok(taxpayer(&recipient(), "INA"))).takes_over(&mut world);
    let pipeline = world.pipeline().await;
    pipeline.run_once(Arc::new(Silent), StopSignal::new()).await.unwrap();
    world.source.put("record-9", Recipe::numbered(9).json());
    pipeline.run_once(Arc::new(Silent), StopSignal::new()).await.unwrap();
    assert_eq!(sent_and_synced(&seen), (2, 2));
}

#[tokio::test]
async fn a_way_that_cannot_fetch_taxpayers_lets_the_refusal_stand() {
    let mut world = world(2).await;
    let scripted = portal(&world, "3028", u32::MAX, |_| Ok(taxpayer(&recipient(), "ACT")));
    let seen = scripted.without(OperationKind::SyncGstin).takes_over(&mut world);
    let report = world.run().await;
    assert_eq!((report.refused, report.configuration.len()), (2, 0), "{report:?}");
    assert_eq!(sent_and_synced(&seen), (2, 0));
}

#[tokio::test]
async fn a_taxpayer_who_could_not_be_fetched_lets_the_refusal_stand() {
    let answers: [Answer; 3] = [
        |operation| refused(operation, "3001", "Requested data is not available"),
        |_| Ok(taxpayer("29AAACI1234E1Z2", "ACT")),
        |_| Err(TransportError::NotSent { endpoint: "scripted".into(), reason: "no".into(), source: None }),
    ];
    for answer in answers {
        let mut world = world(3).await;
        let seen = portal(&world, "3028", u32::MAX, answer).takes_over(&mut world);
        world.run().await;
        assert_eq!(world.states().await, [Refused, Refused, Refused]);
        assert_eq!(sent_and_synced(&seen), (3, 1));
    }
}

#[tokio::test]
async fn the_taxpayer_that_the_portal_names_is_fetched_when_it_is_in_the_document() {
    let supplier = gstin(29, 1).to_string();
    for (message, fetched) in [
        (format!("GSTIN is inactive or cancelled - {supplier}"), supplier.clone()),
        ("GSTIN 33AAACI9999E1Z9 is inactive".to_owned(), recipient()),
    ] {
        let mut world = world(1).await;
        let seen = Scripted::around(&world, move |operation| match operation {
            Operation::GenerateIrn { .. } => Some(refused(operation, "3029", &message)),
            Operation::SyncGstin { gstin } => Some(Ok(taxpayer(gstin.as_str(), "INA"))),
            _ => None,
        })
        .with(OperationKind::SyncGstin)
        .takes_over(&mut world);
        world.run().await;
        let seen = seen.lock().unwrap();
        let asked: Vec<_> = seen
            .iter()
            .filter_map(|operation| match operation {
                Operation::SyncGstin { gstin } => Some(gstin.to_string()),
                _ => None,
            })
            .collect();
        assert_eq!(asked, [fetched]);
    }
}

#[tokio::test]
async fn nothing_is_fetched_where_another_fault_would_refuse_the_document_all_the_same() {
    let mut world = world(1).await;
    let seen = Scripted::around(&world, |operation| match operation {
        Operation::GenerateIrn { .. } => {
            Some(refused(operation, "3028", "GSTIN is invalid").map_err(|error| match error {
                TransportError::Refused { operation, mut errors, info } => {
                    errors.push(einvoice_core::portal_code::PortalError::new("2172", "IGST"));
                    TransportError::Refused { operation, errors, info }
                }
                other => other,
            }))
        }
        _ => None,
    })
    .with(OperationKind::SyncGstin)
    .takes_over(&mut world);
    world.run().await;
    assert_eq!(world.states().await, [Refused]);
    assert_eq!(sent_and_synced(&seen), (1, 0));
}

#[tokio::test]
async fn a_second_sending_whose_reply_is_lost_is_asked_about_like_any_other() {
    let mut world = world(1).await;
    let sent = AtomicU32::new(0);
    let seen = Scripted::around(&world, move |operation| match operation {
        Operation::GenerateIrn { .. } => match sent.fetch_add(1, Ordering::SeqCst) {
            0 => Some(refused(operation, "3028", "GSTIN is invalid")),
            1 => Some(lost()),
            _ => None,
        },
        Operation::SyncGstin { .. } => Some(Ok(taxpayer(&recipient(), "ACT"))),
        _ => None,
    })
    .with(OperationKind::SyncGstin)
    .takes_over(&mut world);
    world.run().await;
    assert_eq!(world.states().await, [Registered]);
    let kinds: Vec<_> = seen.lock().unwrap().iter().map(Operation::kind).collect();
    let (register, sync, ask) = (OperationKind::GenerateIrn, OperationKind::SyncGstin, OperationKind::GetIrnByDocument);
    assert_eq!(kinds, [register, sync, register, ask, register]);
}

#[tokio::test]
async fn where_the_lease_has_no_room_for_a_second_sending_the_document_goes_out_under_its_next_claim() {
    let mut world = world(1).await;
    let clock = world.clock.clone();
    let seen = portal(&world, "3028", 1, move |_| {
        clock.advance(std::time::Duration::from_secs(200));
        Ok(taxpayer(&recipient(), "ACT"))
    })
    .takes_over(&mut world);
    world.run().await;
    assert_eq!(world.states().await, [Registered]);
    assert_eq!(sent_and_synced(&seen), (2, 1));
    let status = world.statuses().await.remove(0);
    let trail = world.ledger.audit(status.id).await.unwrap();
    assert_eq!(trail.iter().filter(|entry| entry.event.contains("intent")).count(), 2, "{trail:?}");
}
