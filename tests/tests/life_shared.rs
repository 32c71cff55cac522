//! What others do to a bill or a registration meanwhile, tokens that end, and what only a portal can know.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::sync::Arc;
use std::time::Duration;

use einvoice_core::ewb::request::{Carriage, Closure, Extension, PartB};
use einvoice_core::ewb::{
    CancelReason, ConsignmentStatus, EwbNumber, ExtensionReason, PartBReason, TransMode, TransitType,
};
use einvoice_core::identifier::Gstin;
use einvoice_core::job::{JobState, NewJob, Task};
use einvoice_core::operation::Operation;
use einvoice_core::plan::{self, PlanRefused, PlanSwitches};
use einvoice_core::state::{DocumentState, EwbState};
use einvoice_sandbox::{Fault, PortalOperation, PortalSettings, SandboxCredentials, TaxpayerEntry};
use einvoice_testkit::documents::Recipe;
use support::World;
use support::life::*;

fn plan_by(world: &World, known: &einvoice_core::job::Bill, task: Task, who: Gstin) -> Result<NewJob, PlanRefused> {
    plan::on_bill(known, task, who, now(world), PlanSwitches::default().with_closure(true))
}

async fn plan_on(world: &World, number: EwbNumber, task: Task) -> NewJob {
    plan_by(world, &bill(world, number).await, task, maker()).unwrap()
}

/// Another office that knows the document and its bill.
async fn office_with(world: &World, number: EwbNumber) -> World {
    let office = world.beside([Recipe::numbered(1).json()]).await;
    office.run().await;
    let mut known = bill(world, number).await;
    known.document = Some(status(&office).await.id);
    office.ledger.learn_bill(known).await.unwrap();
    office
}

fn cancellation(number: EwbNumber) -> Task {
    Task::CancelEwb { number, reason: CancelReason::Duplicate, remark: String::new() }
}

fn part_b(number: EwbNumber, carriage: Carriage) -> Task {
    Task::UpdatePartB {
        request: Box::new(PartB {
            number,
            carriage,
            from_place: "Hubballi".into(),
            from_state: 29,
            reason: PartBReason::Transshipment,
            remark: "moved over".into(),
        }),
    }
}

#[tokio::test]
async fn a_bill_that_another_office_cancelled_is_cancelled_here_as_well() {
    let (world, number) = with_bill().await;
    let office = office_with(&world, number).await;
    let planned = plan_on(&office, number, cancellation(number)).await;
    done(&office, planned).await;
    let planned = plan_on(&world, number, cancellation(number)).await;
    done(&world, planned).await;
    assert_eq!(bill(&world, number).await.standing.state, EwbState::Cancelled);
    assert_eq!(world.calls(PortalOperation::CancelEwb), 2, "the second one was answered with 312");
    assert_eq!(the_bill(&world).state, "cancelled");
}

#[tokio::test]
async fn an_irn_whose_bill_another_office_cancelled_is_cancelled() {
    let (world, number) = with_bill().await;
    let office = office_with(&world, number).await;
    let planned = plan_on(&office, number, cancellation(number)).await;
    done(&office, planned).await;
    done(&world, plan_cancel(&world).await.unwrap()).await;
    assert_eq!(world.states().await, [DocumentState::Cancelled]);
    assert_eq!(the_invoice(&world).status.as_deref(), Some("CNL"));
}

#[tokio::test]
async fn a_closure_by_another_office_is_learnt_from_the_refusal() {
    let closing = PortalSettings { ship_to_gstin_from: Some("2026-08-01".into()), ..PortalSettings::default() };
    for code in ["851", "843", "850"] {
        let (world, number) = with_bill_and(closing.clone()).await;
        let office = office_with(&world, number).await;
        let closure = Closure { number, date: day("20/11/2026"), remark: "delivered".into() };
        let closure = Task::CloseEwb { request: Box::new(closure) };
        let planned = plan_on(&office, number, closure).await;
        done(&office, planned).await;
        let task = match code {
            "851" => part_b(number, by_road("KA05CD5678")),
            "843" => cancellation(number),
            _ => Task::UpdateTransporter { number, transporter: transporter().to_string() },
        };
        let planned = plan_on(&world, number, task).await;
        assert_eq!(codes(&world, planned).await, [code]);
        assert_eq!(bill(&world, number).await.standing.state, EwbState::Closed, "{code}");
        assert_eq!(the_bill(&world).vehicles, [VEHICLE]);
    }
}

#[tokio::test]
async fn an_irn_whose_bill_was_rejected_is_cancelled_after_the_bill() {
    let (world, number) = with_bill().await;
    let known = bill(&world, number).await;
    done(&world, plan_by(&world, &known, Task::RejectEwb { number }, recipient()).unwrap()).await;
    let refused = outcome(&world, plan_cancel(&world).await.unwrap()).await;
    assert_eq!((refused.state, refused.errors[0].code.as_str()), (JobState::Refused, "2230"));
    assert!(!refused.message.contains("elsewhere"), "it is known here: {}", refused.message);
    let standing = bill(&world, number).await.standing;
    assert_eq!(
        standing.movement.and_then(|movement| movement.vehicle).as_deref(),
        Some(VEHICLE),
        "nothing is forgotten"
    );
    done(&world, plan_cancel(&world).await.unwrap()).await;
    assert_eq!(world.states().await, [DocumentState::Cancelled]);
    assert_eq!((the_invoice(&world).status.as_deref(), the_bill(&world).state.as_str()), (Some("CNL"), "cancelled"));
}

#[tokio::test]
async fn a_token_that_ended_between_two_steps_is_replaced() {
    let (world, number) = with_bill().await;
    let planned = plan_on(&world, number, part_b(number, by_road("KA05CD5678"))).await;
    done(&world, planned).await;
    assert_eq!(world.calls(PortalOperation::EwbAuth), 1);
    world.advance(Duration::from_hours(7));
    let planned = plan_on(&world, number, part_b(number, by_road("KA05CD9999"))).await;
    done(&world, planned).await;
    assert_eq!(world.calls(PortalOperation::EwbAuth), 2);
    assert_eq!(the_bill(&world).vehicles, [VEHICLE, "KA05CD5678", "KA05CD9999"]);
}

#[tokio::test]
async fn a_token_that_a_login_elsewhere_displaced_costs_a_login_and_nothing_else() {
    let (world, number) =
        with_bill_and(PortalSettings { ewb_login_displaces: true, ..PortalSettings::default() }).await;
    let planned = plan_on(&world, number, part_b(number, by_road("KA05CD5678"))).await;
    done(&world, planned).await;
    let mut office = world.beside([]).await;
    office.credentials = Arc::new(SandboxCredentials::new(world.sandbox.clone(), Vec::new()));
    ask(&office, maker(), Operation::GetEwb { number }).await.unwrap();
    let planned = plan_on(&world, number, cancellation(number)).await;
    done(&world, planned).await;
    assert_eq!(the_bill(&world).state, "cancelled");
    assert_eq!(world.calls(PortalOperation::CancelEwb), 2, "the first one was answered with 238");
    assert_eq!(world.calls(PortalOperation::EwbAuth), 3);
}

#[tokio::test]
async fn a_transport_document_by_rail_is_entered_once_whatever_becomes_of_the_answer() {
    for fault in mishaps() {
        let (world, number) = with_bill().await;
        let by_rail = Carriage {
            mode: Some(TransMode::Rail),
            document: Some("RR/4711".into()),
            document_date: Some(day("20/11/2026")),
            ..Carriage::default()
        };
        if let Some(fault) = fault.clone() {
            world.fault(PortalOperation::UpdatePartB, fault);
        }
        let planned = plan_on(&world, number, part_b(number, by_rail)).await;
        done(&world, planned).await;
        let movement = bill(&world, number).await.standing.movement.unwrap();
        assert_eq!(
            (movement.mode, movement.document.as_deref()),
            (Some(TransMode::Rail), Some("RR/4711")),
            "{fault:?}"
        );
        assert_eq!(the_bill(&world).vehicles, [VEHICLE, "RR/4711"], "{fault:?}");
    }
}

#[tokio::test]
async fn goods_that_lie_in_transit_are_extended_twice_though_every_answer_is_lost() {
    let (world, number) = with_bill().await;
    let extension = || Task::ExtendValidity {
        request: Box::new(Extension {
            number,
            carriage: Carriage { mode: Some(TransMode::InTransit), ..Carriage::default() },
            from_place: "Hubballi".into(),
            from_state: 29,
            from_pin: 580_020,
            remaining_km: 60,
            reason: ExtensionReason::LawAndOrder,
            remark: "road closed".into(),
            status: ConsignmentStatus::InTransit,
            transit: Some(TransitType::Warehouse),
            address: vec!["Shed 4".into(), "Goods Yard".into(), "Hubballi".into()],
        }),
    };
    for times in 1..=2_u32 {
        world.advance(Duration::from_hours(if times == 1 { 28 } else { 24 }));
        world.fault(PortalOperation::ExtendValidity, Fault::DropReplyAfterCommit);
        let planned = plan_on(&world, number, extension()).await;
        done(&world, planned).await;
        let (standing, line) = (bill(&world, number).await.standing, the_bill(&world));
        assert_eq!((standing.extended, line.extended), (times, times));
        assert_eq!(standing.valid_till.map(|till| till.to_string()), line.valid_till);
    }
}

#[tokio::test]
async fn what_only_the_portal_can_know_is_refused_with_its_code() {
    let blocked = TaxpayerEntry { gstin: maker().to_string(), block_status: "B".into(), ..TaxpayerEntry::default() };
    let world = registered_with(PortalSettings { taxpayers: vec![blocked], ..PortalSettings::default() }).await;
    let planned = plan_bill(&world, by_irn(&world).await).await.unwrap();
    assert_eq!(codes(&world, planned).await, ["4015"]);
    assert_eq!(status(&world).await.state, DocumentState::Registered, "the IRN stands");
    assert!(world.sandbox.e_way_bills().is_empty());
}

#[tokio::test]
async fn a_distance_that_the_portal_computed_is_kept() {
    let world = registered().await;
    let mut request = by_irn(&world).await;
    request.distance_km = 0;
    let job = done(&world, plan_bill(&world, request).await.unwrap()).await;
    assert_eq!(bill(&world, number_of(&job)).await.standing.distance_km, Some(1066));
}

#[tokio::test]
async fn after_its_validity_a_bill_is_changed_by_nobody() {
    let (world, number) = with_bill().await;
    world.advance(Duration::from_hours(45));
    let known = bill(&world, number).await;
    for (task, code, who) in [
        (part_b(number, by_road("KA05CD5678")), "311", maker()),
        (Task::UpdateTransporter { number, transporter: transporter().to_string() }, "281", maker()),
        (cancellation(number), "315", maker()),
        (Task::RejectEwb { number }, "345", recipient()),
    ] {
        assert_eq!(plan_by(&world, &known, task, who).unwrap_err().code.as_deref(), Some(code));
    }
    assert_eq!(plan_cancel(&world).await.unwrap_err().code.as_deref(), Some("2270"));
    assert_eq!(the_bill(&world).state, "expired");
}
