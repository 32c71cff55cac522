//! The life of an e-way bill: made with and without an IRN, moved, extended, put together, cancelled, rejected,
//! closed and read, with the real ledger, the real protocol and the emulator as both government systems.
//!
//! One file on purpose: one test an operation, all over the same office and the same bill.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::time::Duration;

use einvoice_core::ewb::request::{
    AddVehicle, ChangeVehicle, Closure, Consolidation, EwbList, Extension, MultiVehicle, PartB, Regeneration,
};
use einvoice_core::ewb::{
    CancelReason, ConsignmentStatus, EwbNumber, ExtensionReason, PartBReason, Standing, TransMode, TripSheetNumber,
};
use einvoice_core::identifier::Gstin;
use einvoice_core::job::{Effect, Job, JobState, NewJob, Task};
use einvoice_core::number::Quantity;
use einvoice_core::operation::{EwbDetails, Operation, Reply};
use einvoice_core::plan::{self, PlanRefused, PlanSwitches};
use einvoice_core::state::{DocumentState, EwbState};
use einvoice_sandbox::{EwbDateForm, Fault, PortalOperation, PortalSettings};
use einvoice_testkit::documents::gstin;
use serde_json::{Value, json};
use support::World;
use support::life::*;

const OTHER_VEHICLE: &str = "KA05CD5678";

async fn plan_by(world: &World, number: EwbNumber, task: Task, who: Gstin) -> Result<NewJob, PlanRefused> {
    plan::on_bill(&bill(world, number).await, task, who, now(world), PlanSwitches::default())
}

async fn plan_on(world: &World, number: EwbNumber, task: Task) -> NewJob {
    plan_by(world, number, task, maker()).await.unwrap()
}

async fn details(world: &World, number: EwbNumber) -> Box<EwbDetails> {
    match ask(world, maker(), Operation::GetEwb { number }).await.unwrap() {
        Reply::EwbDetails(details) => details,
        other => unreachable!("{}", other.words()),
    }
}

fn mishap(world: &World, operation: PortalOperation, fault: Option<&Fault>) {
    if let Some(fault) = fault {
        world.fault(operation, fault.clone());
    }
}

fn challan_json(number: &str) -> Value {
    json!({
        "supplyType": "O", "subSupplyType": "4", "docType": "CHL", "docNo": number, "docDate": "20/11/2026",
        "fromGstin": maker().to_string(), "fromTrdName": "Malgudi Textiles", "fromAddr1": "14 Market Road",
        "fromPlace": "Bengaluru", "fromPincode": 560_001, "fromStateCode": 29, "actFromStateCode": 29,
        "toGstin": recipient().to_string(), "toTrdName": "Kabuliwala Traders", "toAddr1": "7 Station Street",
        "toPlace": "Mumbai", "toPincode": 400_001, "toStateCode": 27, "actToStateCode": 27, "transactionType": 1,
        "totalValue": 1000, "igstValue": 180, "cgstValue": 0, "sgstValue": 0, "totInvValue": 1180,
        "transDistance": "250", "transMode": "1", "vehicleNo": VEHICLE, "vehicleType": "R",
        "itemList": [{"productName": "Yarn", "hsnCode": 5205, "quantity": 10, "qtyUnit": "KGS", "taxableAmount": 1000,
            "igstRate": 18, "cgstRate": 0, "sgstRate": 0}]
    })
}

fn plan_challan(content: &Value) -> NewJob {
    let number = content["docNo"].as_str().unwrap().to_owned();
    plan::generate_ewb(content.to_string(), "CHL".into(), number, maker())
}

/// A bill without an IRN of 250 km, in a ledger without documents.
async fn challan() -> (World, EwbNumber) {
    let world = World::new([]).await;
    let number = number_of(&done(&world, plan_challan(&challan_json("JW/1"))).await);
    (world, number)
}

#[tokio::test]
async fn a_bill_is_made_from_an_irn_once_whatever_becomes_of_the_answer() {
    for fault in mishaps() {
        let world = registered().await;
        mishap(&world, PortalOperation::GenerateEwbByIrn, fault.as_ref());
        let job = done(&world, plan_bill(&world, by_irn(&world).await).await.unwrap()).await;
        let status = status(&world).await;
        assert_eq!((status.state, status.ewb_state), (DocumentState::Registered, EwbState::Active), "{fault:?}");
        let line = the_bill(&world);
        let standing = bill(&world, number_of(&job)).await.standing;
        assert_eq!((line.ewb_no, line.irn), (standing.number.to_string(), the_invoice(&world).irn));
        assert_eq!(line.state, "active");
        assert_eq!(standing.valid_till.unwrap().to_string(), line.valid_till.unwrap(), "{fault:?}");
        assert_eq!(standing.movement.unwrap().vehicle.as_deref(), Some(VEHICLE));
    }
}

#[tokio::test]
async fn a_bill_without_part_b_has_no_validity_until_its_first_vehicle() {
    for fault in mishaps() {
        let world = registered().await;
        let mut request = by_irn(&world).await;
        request.carriage = einvoice_core::ewb::request::Carriage::default();
        request.transporter = Some(transporter().to_string());
        mishap(&world, PortalOperation::GenerateEwbByIrn, fault.as_ref());
        let number = number_of(&done(&world, plan_bill(&world, request).await.unwrap()).await);
        assert_eq!(bill(&world, number).await.standing.state, EwbState::PartA);
        assert_eq!(the_bill(&world).state, "part_a");
        mishap(&world, PortalOperation::UpdatePartB, fault.as_ref());
        let first = plan_on(&world, number, part_b(number, VEHICLE, PartBReason::FirstTime)).await;
        done(&world, first).await;
        let standing = bill(&world, number).await.standing;
        assert_eq!(standing.state, EwbState::Active, "{fault:?}");
        assert_eq!(standing.valid_till.map(|till| till.to_string()), the_bill(&world).valid_till, "{fault:?}");
        assert_eq!(the_bill(&world).vehicles, [VEHICLE], "{fault:?}");
    }
}

#[tokio::test]
async fn a_bill_that_stands_already_is_adopted_after_4002() {
    let world = registered().await;
    world.fault(PortalOperation::GenerateEwbByIrn, Fault::DropReplyAfterCommit);
    // The question is answered before the bill is to be seen.
    world.fault(PortalOperation::GetEwb, Fault::Error { code: "4005".into(), message: String::new() });
    let job = done(&world, plan_bill(&world, by_irn(&world).await).await.unwrap()).await;
    assert_eq!(world.calls(PortalOperation::GenerateEwbByIrn), 2, "the second one was answered with 4002");
    assert_eq!(the_bill(&world).ewb_no, number_of(&job).to_string());
    let again = plan_bill(&world, by_irn(&world).await).await.unwrap_err();
    assert_eq!(again.code.as_deref(), Some("4002"));
}

#[tokio::test]
async fn the_bill_of_an_irn_is_read_by_its_irn() {
    let (world, number) = with_bill().await;
    let irn = status(&world).await.irn.unwrap();
    let question = || Operation::GetEwbByIrn { irn, site: None };
    let Reply::EwayBill(found) = ask(&world, maker(), question()).await.unwrap() else { unreachable!("a bill") };
    assert_eq!((found.number, found.status.as_deref()), (number, Some("ACT")));
    assert_eq!(refusal(&world, gstin(33, 5), question()).await, "4003");
    let bare = registered().await;
    let irn = status(&bare).await.irn.unwrap();
    assert_eq!(refusal(&bare, maker(), Operation::GetEwbByIrn { irn, site: None }).await, "4005");
}

#[tokio::test]
async fn a_bill_without_an_irn_is_made_once_whatever_becomes_of_the_answer() {
    for fault in mishaps() {
        let world = World::new([]).await;
        mishap(&world, PortalOperation::GenerateEwb, fault.as_ref());
        let job = done(&world, plan_challan(&challan_json("JW/1"))).await;
        let standing = bill(&world, number_of(&job)).await.standing;
        assert_eq!(standing.state, EwbState::Active);
        let line = the_bill(&world);
        assert_eq!((line.ewb_no, line.document.as_str()), (standing.number.to_string(), "CHL JW/1"), "{fault:?}");
        assert_eq!(standing.valid_till.unwrap().to_string(), line.valid_till.unwrap(), "{fault:?}");
    }
}

#[tokio::test]
async fn a_bill_for_the_same_number_is_adopted_after_604_only_when_it_is_the_same() {
    let (world, number) = challan().await;
    let office = world.beside([]).await;
    let mut other = challan_json("JW/1");
    other["totInvValue"] = json!(1280);
    assert_eq!(codes(&office, plan_challan(&other)).await, ["604"]);
    assert_eq!(bill(&office, number).await.standing.state, EwbState::Active, "what is there is known");
    let same = done(&office, plan_challan(&challan_json("JW/1"))).await;
    assert_eq!((number_of(&same), the_bill(&world).ewb_no), (number, number.to_string()));
}

#[tokio::test]
async fn what_is_known_of_a_bill_is_not_forgotten_when_it_is_asked_for_again() {
    let (world, number) = challan().await;
    let planned = plan_on(&world, number, part_b(number, OTHER_VEHICLE, PartBReason::Breakdown)).await;
    done(&world, planned).await;
    let known = bill(&world, number).await.standing;
    assert!(known.movement.is_some() && known.document.is_some(), "{known:?}");
    let mut other = challan_json("JW/1");
    other["totInvValue"] = json!(1280);
    assert_eq!(codes(&world, plan_challan(&other)).await, ["604"]);
    let standing = bill(&world, number).await.standing;
    // The read adds the document's date to what the request said.
    let named =
        |of: &Standing| of.document.as_ref().map(|document| (document.doc_type.clone(), document.number.clone()));
    assert_eq!((named(&standing), standing.state), (named(&known), EwbState::Active));
    done(&world, plan_challan(&challan_json("JW/1"))).await;
    let standing = bill(&world, number).await.standing;
    let vehicle = |of: &Standing| of.movement.as_ref().and_then(|movement| movement.vehicle.clone());
    assert_eq!(vehicle(&standing).as_deref(), Some(OTHER_VEHICLE));
    assert_eq!(standing.document, known.document);
    assert_eq!(the_bill(&world).vehicles, [VEHICLE, OTHER_VEHICLE]);
}

fn part_b(number: EwbNumber, vehicle: &str, reason: PartBReason) -> Task {
    Task::UpdatePartB {
        request: Box::new(PartB {
            number,
            carriage: by_road(vehicle),
            from_place: "Hubballi".into(),
            from_state: 29,
            reason,
            remark: "axle".into(),
        }),
    }
}

#[tokio::test]
async fn a_new_vehicle_is_entered_once_whatever_becomes_of_the_answer() {
    for fault in mishaps() {
        let (world, number) = with_bill().await;
        mishap(&world, PortalOperation::UpdatePartB, fault.as_ref());
        let planned = plan_on(&world, number, part_b(number, OTHER_VEHICLE, PartBReason::Breakdown)).await;
        done(&world, planned).await;
        let movement = bill(&world, number).await.standing.movement.unwrap();
        assert_eq!(movement.vehicle.as_deref(), Some(OTHER_VEHICLE), "{fault:?}");
        assert_eq!(the_bill(&world).vehicles, [VEHICLE, OTHER_VEHICLE], "{fault:?}");
    }
}

#[tokio::test]
async fn after_its_validity_a_bill_takes_no_vehicle_here_and_there() {
    let (world, number) = with_bill().await;
    let task = part_b(number, OTHER_VEHICLE, PartBReason::Breakdown);
    let in_time = plan_on(&world, number, task.clone()).await;
    let mut without_deadline = in_time.clone();
    without_deadline.deadline = None;
    world.advance(Duration::from_hours(36));
    let refused = plan_by(&world, number, task, maker()).await.unwrap_err();
    assert_eq!(refused.code.as_deref(), Some("311"));
    assert_eq!(codes(&world, in_time).await, ["311"]);
    assert_eq!(world.calls(PortalOperation::UpdatePartB), 0);
    assert_eq!(codes(&world, without_deadline).await, ["311"], "the portal says the same");
    assert_eq!((the_bill(&world).state.as_str(), the_bill(&world).vehicles.len()), ("expired", 1));
}

#[tokio::test]
async fn a_bill_is_given_to_another_transporter_who_alone_extends_it_then() {
    for fault in mishaps() {
        let (world, number) = with_bill().await;
        let task = Task::UpdateTransporter { number, transporter: transporter().to_string() };
        mishap(&world, PortalOperation::UpdateTransporter, fault.as_ref());
        let planned = plan_on(&world, number, task).await;
        done(&world, planned).await;
        let standing = bill(&world, number).await.standing;
        assert_eq!(standing.transporter.as_deref(), Some(transporter().as_str()), "{fault:?}");
        assert_eq!(the_bill(&world).transporter, standing.transporter);
        world.advance(Duration::from_hours(28));
        let refused = plan_by(&world, number, extension(number), maker()).await.unwrap_err();
        assert_eq!(refused.code.as_deref(), Some("384"));
        let by_the_transporter = plan_by(&world, number, extension(number), transporter()).await.unwrap();
        done(&world, by_the_transporter).await;
        assert_eq!(the_bill(&world).extended, 1);
    }
}

fn extension(number: EwbNumber) -> Task {
    Task::ExtendValidity {
        request: Box::new(Extension {
            number,
            carriage: by_road(VEHICLE),
            from_place: "Hubballi".into(),
            from_state: 29,
            from_pin: 580_020,
            remaining_km: 60,
            reason: ExtensionReason::NaturalCalamity,
            remark: "floods".into(),
            status: ConsignmentStatus::InMovement,
            transit: None,
            address: Vec::new(),
        }),
    }
}

#[tokio::test]
async fn the_validity_is_extended_once_whatever_becomes_of_the_answer() {
    for fault in mishaps() {
        let (world, number) = with_bill().await;
        let planned = plan_on(&world, number, extension(number)).await;
        let id = world.ledger.plan(planned).await.unwrap();
        assert_eq!(carry_out(&world, id).await.state, JobState::Planned, "its time has not come");
        assert_eq!(world.calls(PortalOperation::ExtendValidity), 0);
        world.advance(Duration::from_hours(28));
        mishap(&world, PortalOperation::ExtendValidity, fault.as_ref());
        let job = carry_out(&world, id).await;
        assert_eq!(job.state, JobState::Done, "{fault:?}: {}", job.message);
        let (standing, line) = (bill(&world, number).await.standing, the_bill(&world));
        assert_eq!((standing.extended, line.extended), (1, 1), "{fault:?}");
        assert_eq!(standing.valid_till.map(|till| till.to_string()), line.valid_till, "{fault:?}");
        assert_eq!(standing.valid_till.unwrap().to_string(), "2026-11-22 23:59:00");
    }
}

#[tokio::test]
async fn too_early_and_too_late_the_validity_stays_as_it_was() {
    let (world, number) = with_bill().await;
    let planned = plan_on(&world, number, extension(number)).await;
    let mut at_any_time = planned.clone();
    (at_any_time.not_before, at_any_time.deadline) = (None, None);
    assert_eq!(codes(&world, at_any_time.clone()).await, ["382"], "too early for the portal");
    // 21/11/2026 23:59 and eight hours, from noon of the 20th.
    world.advance(Duration::from_hours(44));
    let refused = plan_by(&world, number, extension(number), maker()).await.unwrap_err();
    assert_eq!(refused.code.as_deref(), Some("382"));
    assert_eq!(codes(&world, planned).await, ["382"]);
    assert_eq!(world.calls(PortalOperation::ExtendValidity), 1, "what is too late is not sent");
    assert_eq!(codes(&world, at_any_time).await, ["382"], "too late for the portal");
    assert_eq!(the_bill(&world).extended, 0);
}

fn consolidation(bills: Vec<EwbNumber>, vehicle: &str) -> Consolidation {
    Consolidation { bills, carriage: by_road(vehicle), from_place: "Bengaluru".into(), from_state: 29 }
}

async fn plan_together(world: &World, numbers: &[EwbNumber], vehicle: &str) -> NewJob {
    let mut together = Vec::new();
    for number in numbers {
        together.push(bill(world, *number).await);
    }
    plan::consolidate(&together, consolidation(numbers.to_vec(), vehicle), maker(), now(world)).unwrap()
}

fn sheet_of(job: &Job) -> TripSheetNumber {
    let sheet = job.effects.iter().find_map(|effect| match effect {
        Effect::TripSheet { number, .. } => Some(*number),
        _ => None,
    });
    sheet.unwrap()
}

async fn two_bills() -> (World, Vec<EwbNumber>) {
    let (world, first) = challan().await;
    let second = number_of(&done(&world, plan_challan(&challan_json("JW/2"))).await);
    (world, vec![first, second])
}

async fn on_the_sheet(world: &World, number: TripSheetNumber) -> Vec<EwbNumber> {
    match ask(world, maker(), Operation::GetTripSheet { number }).await.unwrap() {
        Reply::TripSheet(sheet) => sheet.bills,
        other => unreachable!("{}", other.words()),
    }
}

#[tokio::test]
async fn bills_are_put_on_one_trip_sheet_which_is_made_anew_for_another_vehicle() {
    for fault in mishaps() {
        let (world, numbers) = two_bills().await;
        mishap(&world, PortalOperation::ConsolidateEwb, fault.as_ref());
        let planned = plan_together(&world, &numbers, VEHICLE).await;
        let sheet = sheet_of(&done(&world, planned).await);
        for number in &numbers {
            let standing = bill(&world, *number).await.standing;
            assert_eq!(standing.trip_sheet, Some(sheet.to_string()), "{fault:?}");
        }
        assert_eq!(on_the_sheet(&world, sheet).await, numbers);
        mishap(&world, PortalOperation::RegenerateTripSheet, fault.as_ref());
        let anew = Regeneration {
            trip_sheet: sheet,
            carriage: by_road(OTHER_VEHICLE),
            from_place: "Hubballi".into(),
            from_state: 29,
            reason: PartBReason::Breakdown,
            remark: "axle".into(),
        };
        let route = bill(&world, numbers[0]).await.route;
        let second = sheet_of(&done(&world, plan::regenerate(anew, maker(), route).unwrap()).await);
        assert_ne!(second, sheet, "{fault:?}");
        for number in &numbers {
            let standing = bill(&world, *number).await.standing;
            assert_eq!(standing.trip_sheet, Some(second.to_string()), "{fault:?}");
        }
        for line in world.sandbox.e_way_bills() {
            assert_eq!(line.trip_sheets, [sheet.to_string(), second.to_string()], "{fault:?}");
        }
        assert_eq!(on_the_sheet(&world, second).await, numbers);
    }
    let (world, _) = two_bills().await;
    let number = TripSheetNumber::parse("1810009999").unwrap();
    assert_eq!(refusal(&world, maker(), Operation::GetTripSheet { number }).await, "387");
}

#[tokio::test]
async fn a_trip_sheet_with_other_bills_is_not_taken_for_the_one_that_was_lost() {
    let (world, numbers) = two_bills().await;
    let planned = plan_together(&world, &numbers[..1], VEHICLE).await;
    let first = sheet_of(&done(&world, planned).await);
    world.fault(PortalOperation::ConsolidateEwb, Fault::DropBeforeProcessing);
    let planned = plan_together(&world, &numbers, VEHICLE).await;
    let both = sheet_of(&done(&world, planned).await);
    assert_ne!(both, first);
    assert_eq!(on_the_sheet(&world, both).await, numbers);
}

fn movement(number: EwbNumber) -> Task {
    Task::StartMultiVehicle {
        request: Box::new(MultiVehicle {
            number,
            reason: PartBReason::Transshipment,
            remark: "two vans".into(),
            from_place: "Hubballi".into(),
            from_state: 29,
            to_place: "Mumbai".into(),
            to_state: 27,
            mode: TransMode::Road,
            quantity: Quantity::from_thousandths(10_000),
            unit: "KGS".into(),
        }),
    }
}

#[tokio::test]
async fn the_goods_of_a_bill_travel_in_several_vehicles_each_entered_once() {
    for fault in mishaps() {
        let (world, number) = challan().await;
        let planned = plan_on(&world, number, movement(number)).await;
        done(&world, planned).await;
        let group = bill(&world, number).await.standing.group.unwrap();
        assert_eq!((group.as_str(), the_bill(&world).groups), ("1", 1));
        for vehicle in ["KA02EF0001", "KA02EF0002"] {
            mishap(&world, PortalOperation::MultiVehicleAdd, fault.as_ref());
            let planned = plan_on(&world, number, addition(number, vehicle)).await;
            done(&world, planned).await;
        }
        let third = plan_on(&world, number, addition(number, "KA02EF0003")).await;
        assert_eq!(codes(&world, third).await, ["400"], "more than the whole is not loaded");
        mishap(&world, PortalOperation::MultiVehicleUpdate, fault.as_ref());
        let change = Task::ChangeVehicle {
            request: Box::new(ChangeVehicle {
                number,
                group: group.clone(),
                old: by_road("KA02EF0002"),
                new: by_road(OTHER_VEHICLE),
                from_place: "Hubballi".into(),
                from_state: 29,
                reason: PartBReason::Breakdown,
                remark: "axle".into(),
            }),
        };
        let planned = plan_on(&world, number, change).await;
        done(&world, planned).await;
        assert_eq!(the_bill(&world).vehicles, [VEHICLE, "KA02EF0001", "KA02EF0002", OTHER_VEHICLE], "{fault:?}");
        let task = part_b(number, OTHER_VEHICLE, PartBReason::Breakdown);
        assert_eq!(plan_by(&world, number, task, maker()).await.unwrap_err().code.as_deref(), Some("412"));
        let known = [bill(&world, number).await];
        let refused =
            plan::consolidate(&known, consolidation(vec![number], VEHICLE), maker(), now(&world)).unwrap_err();
        assert_eq!(refused.code.as_deref(), Some("648"));
    }
}

fn addition(number: EwbNumber, vehicle: &str) -> Task {
    Task::AddVehicle {
        request: Box::new(AddVehicle {
            number,
            group: "1".into(),
            carriage: by_road(vehicle),
            quantity: Quantity::from_thousandths(5_000),
        }),
    }
}

#[tokio::test]
async fn a_movement_whose_start_was_lost_is_never_started_beside_itself() {
    for fault in mishaps().into_iter().flatten() {
        let (world, number) = challan().await;
        world.fault(PortalOperation::MultiVehicleInitiate, fault.clone());
        let planned = plan_on(&world, number, movement(number)).await;
        let job = outcome(&world, planned).await;
        assert_eq!(job.state, JobState::Refused, "{fault:?}: {}", job.message);
        assert!(job.message.contains("not started a second time"), "{}", job.message);
        let was_started = fault != Fault::DropBeforeProcessing;
        assert_eq!(the_bill(&world).groups, usize::from(was_started), "{fault:?}");
        // The first vehicle tells, as the message says.
        let first = plan_on(&world, number, addition(number, "KA02EF0001")).await;
        if was_started {
            done(&world, first).await;
        } else {
            assert_eq!(codes(&world, first).await, ["411"]);
            let again = plan_on(&world, number, movement(number)).await;
            done(&world, again).await;
        }
        assert_eq!(the_bill(&world).groups, 1, "{fault:?}");
        assert_eq!(bill(&world, number).await.standing.group.as_deref(), Some("1"), "{fault:?}");
    }
}

fn cancellation(number: EwbNumber) -> Task {
    Task::CancelEwb { number, reason: CancelReason::OrderCancelled, remark: "order withdrawn".into() }
}

#[tokio::test]
async fn a_bill_is_cancelled_once_by_its_maker_within_a_day() {
    for fault in mishaps() {
        let (world, number) = with_bill().await;
        mishap(&world, PortalOperation::CancelEwb, fault.as_ref());
        let planned = plan_on(&world, number, cancellation(number)).await;
        done(&world, planned).await;
        let status = status(&world).await;
        assert_eq!((status.state, status.ewb_state), (DocumentState::Registered, EwbState::Cancelled), "{fault:?}");
        assert_eq!(the_bill(&world).state, "cancelled");
        let refused = plan_by(&world, number, cancellation(number), maker()).await.unwrap_err();
        assert_eq!(refused.code.as_deref(), Some("312"));
        // Then another one can be made, and that one is found after a lost answer.
        mishap(&world, PortalOperation::GenerateEwbByIrn, fault.as_ref());
        let second = bill_of_the_irn(&world).await;
        assert_ne!(second, number);
        let lines: Vec<_> = world.sandbox.e_way_bills().into_iter().map(|line| line.state).collect();
        assert_eq!(lines, ["cancelled", "active"], "{fault:?}");
    }
    let (world, number) = with_bill().await;
    let in_time = plan_on(&world, number, cancellation(number)).await;
    let mut foreign = in_time.clone();
    foreign.gstin = recipient();
    assert_eq!(codes(&world, foreign).await, ["312"]);
    let mut without_deadline = in_time.clone();
    without_deadline.deadline = None;
    world.advance(Duration::from_hours(24) + Duration::from_secs(61));
    let refused = plan_by(&world, number, cancellation(number), maker()).await.unwrap_err();
    assert_eq!(refused.code.as_deref(), Some("315"));
    assert_eq!(codes(&world, in_time).await, ["315"]);
    assert_eq!(codes(&world, without_deadline).await, ["315"], "the portal says the same");
    assert_eq!(the_bill(&world).state, "active");
}

#[tokio::test]
async fn the_other_party_rejects_a_bill_once_and_its_maker_sees_it() {
    for fault in mishaps() {
        let (world, number) = with_bill().await;
        let task = Task::RejectEwb { number };
        assert_eq!(plan_by(&world, number, task.clone(), maker()).await.unwrap_err().code.as_deref(), Some("341"));
        mishap(&world, PortalOperation::RejectEwb, fault.as_ref());
        let planned = plan_by(&world, number, task, recipient()).await.unwrap();
        done(&world, planned).await;
        assert_eq!(bill(&world, number).await.standing.state, EwbState::RejectedByParty, "{fault:?}");
        assert_eq!(the_bill(&world).state, "rejected");
        assert!(details(&world, number).await.is_rejected);
        assert_eq!(listed(&world, maker(), EwbList::RejectedByOthers).await, [number]);
    }
}

#[tokio::test]
async fn a_bill_is_not_rejected_by_a_stranger_nor_after_its_validity() {
    let (world, number) = with_bill().await;
    let stranger = plan_by(&world, number, Task::RejectEwb { number }, gstin(33, 5)).await.unwrap();
    assert_eq!(codes(&world, stranger).await, ["342"]);
    let mut late = plan_by(&world, number, Task::RejectEwb { number }, recipient()).await.unwrap();
    world.advance(Duration::from_hours(37));
    assert_eq!(codes(&world, late.clone()).await, ["345"]);
    late.deadline = None;
    assert_eq!(codes(&world, late).await, ["345"], "the portal says why");
    assert_eq!(the_bill(&world).state, "expired");
}

#[tokio::test]
async fn a_bill_is_closed_only_behind_the_switch_and_once() {
    let settings = PortalSettings { ship_to_gstin_from: Some("2026-08-01".into()), ..PortalSettings::default() };
    for fault in mishaps() {
        let (world, number) = with_bill_and(settings.clone()).await;
        let task = || Task::CloseEwb {
            request: Box::new(Closure { number, date: day("20/11/2026"), remark: "delivered".into() }),
        };
        let refused = plan_by(&world, number, task(), maker()).await.unwrap_err();
        assert!(refused.message.contains("on hold"), "{refused}");
        let on = PlanSwitches::default().with_closure(true);
        let known = bill(&world, number).await;
        let planned = plan::on_bill(&known, task(), maker(), now(&world), on).unwrap();
        mishap(&world, PortalOperation::CloseEwb, fault.as_ref());
        done(&world, planned).await;
        assert_eq!(bill(&world, number).await.standing.state, EwbState::Closed, "{fault:?}");
        assert_eq!(the_bill(&world).state, "closed");
        let known = bill(&world, number).await;
        let again = plan::on_bill(&known, task(), maker(), now(&world), on).unwrap_err();
        assert_eq!(again.code.as_deref(), Some("829"));
    }
}

async fn listed(world: &World, who: Gstin, list: EwbList) -> Vec<EwbNumber> {
    match ask(world, who, Operation::ListEwbs { list, date: day("20/11/2026") }).await.unwrap() {
        Reply::EwbList(rows) => rows.into_iter().map(|row| row.number).collect(),
        other => unreachable!("{}", other.words()),
    }
}

#[tokio::test]
async fn bills_are_read_by_number_by_document_and_in_every_list() {
    let (world, number) = challan().await;
    let task = Task::UpdateTransporter { number, transporter: transporter().to_string() };
    let planned = plan_on(&world, number, task).await;
    done(&world, planned).await;
    let read = details(&world, number).await;
    assert_eq!((read.number, read.status.as_str(), read.generated_by), (number, "ACT", Some(maker())));
    let question = |text: &str| Operation::GetEwbByDocument { doc_type: "CHL".into(), number: text.into() };
    let Reply::EwayBill(found) = ask(&world, maker(), question("JW/1")).await.unwrap() else { unreachable!("a bill") };
    assert_eq!(found.number, number);
    assert_eq!(refusal(&world, maker(), question("JW/2")).await, "418");
    assert_eq!(refusal(&world, gstin(33, 5), Operation::GetEwb { number }).await, "357");
    let of_it = |state: u8| {
        [EwbList::ForTransporter, EwbList::ForTransporterOf { generator: maker() }]
            .into_iter()
            .chain([EwbList::ForTransporterInState { state }, EwbList::AssignedInState { state }])
    };
    for list in of_it(29) {
        assert_eq!(listed(&world, transporter(), list.clone()).await, [number], "{list:?}");
    }
    assert_eq!(listed(&world, maker(), EwbList::Own).await, [number]);
    assert_eq!(listed(&world, recipient(), EwbList::OfOtherParty).await, [number]);
    assert_eq!(listed(&world, maker(), EwbList::RejectedByOthers).await, []);
}

#[tokio::test]
async fn the_e_way_bill_system_answers_about_taxpayers_transporters_goods_and_codes() {
    let world = World::new([]).await;
    let Reply::Taxpayer(taxpayer) =
        ask(&world, maker(), Operation::EwbGstinDetails { gstin: recipient() }).await.unwrap()
    else {
        unreachable!("a taxpayer")
    };
    assert_eq!((taxpayer.gstin.as_str(), taxpayer.status.as_deref()), (recipient().as_str(), Some("ACT")));
    let id = transporter().to_string();
    let Reply::Transporter(found) =
        ask(&world, maker(), Operation::TransporterDetails { id: id.clone() }).await.unwrap()
    else {
        unreachable!("a transporter")
    };
    assert_eq!(found.id, id);
    let Reply::Hsn { code, .. } = ask(&world, maker(), Operation::HsnDetails { code: "5205".into() }).await.unwrap()
    else {
        unreachable!("an HSN code")
    };
    assert_eq!(code, "5205");
    assert_eq!(refusal(&world, maker(), Operation::HsnDetails { code: "52051".into() }).await, "337");
    let Reply::ErrorList(list) = ask(&world, maker(), Operation::EwbErrorList).await.unwrap() else {
        unreachable!("a list of codes")
    };
    assert!(list.iter().any(|error| error.code == "604"), "{list:?}");
}

#[tokio::test]
async fn every_form_of_a_date_that_was_seen_is_understood() {
    for ewb_date_form in [
        EwbDateForm::Plain,
        EwbDateForm::TrailingBlank,
        EwbDateForm::MissingBlank,
        EwbDateForm::Dotted,
        EwbDateForm::TwentyFourHours,
    ] {
        let world = World::with_settings([], PortalSettings { ewb_date_form, ..PortalSettings::default() }).await;
        world.fault(PortalOperation::GenerateEwb, Fault::DropReplyAfterCommit);
        let number = number_of(&done(&world, plan_challan(&challan_json("JW/1"))).await);
        let standing = bill(&world, number).await.standing;
        assert_eq!(standing.valid_till.map(|till| till.to_string()), the_bill(&world).valid_till, "{ewb_date_form:?}");
        let planned = plan_on(&world, number, part_b(number, OTHER_VEHICLE, PartBReason::Breakdown)).await;
        done(&world, planned).await;
        let planned = plan_on(&world, number, cancellation(number)).await;
        done(&world, planned).await;
        let standing = bill(&world, number).await.standing;
        let cancelled = the_bill(&world).cancelled.unwrap();
        assert_eq!(standing.cancelled_at.unwrap().to_string(), cancelled, "{ewb_date_form:?}");
        let read = details(&world, number).await;
        assert_eq!(read.valid_till, standing.valid_till, "{ewb_date_form:?}");
    }
}

#[tokio::test]
async fn codes_are_read_with_and_without_a_trailing_comma_and_in_either_form() {
    for (ewb_error_trailing_comma, ewb_error_as_object) in [(true, false), (false, false), (true, true), (false, true)]
    {
        let settings = PortalSettings { ewb_error_trailing_comma, ewb_error_as_object, ..PortalSettings::default() };
        let world = World::with_settings([], settings).await;
        let mut wrong = challan_json("JW/1");
        (wrong["docType"], wrong["transMode"]) = (json!("INV"), json!("9"));
        let mut found = codes(&world, plan_challan(&wrong)).await;
        found.sort();
        assert_eq!(found, ["205", "220"], "{ewb_error_trailing_comma} {ewb_error_as_object}");
        assert!(world.sandbox.e_way_bills().is_empty());
    }
}
