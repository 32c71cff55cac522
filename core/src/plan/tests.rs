//! What is planned, and what is refused with which code and deadline.

use jiff::civil::date;

use super::*;
use crate::date::PortalTime;
use crate::environment::RouteName;
use crate::ewb::request::{Extension, PartB};
use crate::ewb::{Birth, ConsignmentStatus, EwbNumber, ExtensionReason, PartBReason};
use crate::irn::Irn;
use crate::ledger::DocumentId;
use crate::operation::{Registration, RegistrationStatus};
use crate::rulebook::ShipToGstin;
use crate::source::SourceRef;

const MAKER: &str = "29AAACI1234E1Z2";
const OTHER: &str = "27AAACI9999E1Z9";

fn gstin(text: &str) -> Gstin {
    Gstin::parse(text).unwrap()
}

fn time(text: &str) -> PortalTime {
    PortalTime::parse(text).unwrap()
}

fn at(text: &str) -> Timestamp {
    time(text).to_timestamp().unwrap()
}

fn bill(state: EwbState) -> Bill {
    let number = EwbNumber::parse("391009149369").unwrap();
    let mut standing = Standing::new(number, Birth::Irn, gstin(MAKER), state);
    standing.made_at = Some(time("2026-11-05 10:00:00"));
    standing.valid_till = (state != EwbState::PartA).then(|| time("2026-11-06 23:59:00"));
    Bill {
        standing,
        document: Some(DocumentId(1)),
        route: Some(RouteName::new("nic")),
        site: Some("NIC1".into()),
        changed_at: at("2026-11-05 10:00:00"),
    }
}

fn document(state: DocumentState) -> DocumentStatus {
    let irn = Irn::from_bytes([7; 32]);
    DocumentStatus {
        id: DocumentId(1),
        label: "INV A/1".into(),
        key: Some(format!("{MAKER}/2026-27/INV/A/1").parse().unwrap()),
        irn: Some(irn),
        state,
        ewb_state: EwbState::None,
        delivered: false,
        source: "s".into(),
        reference: SourceRef { location: "l".into(), position: "p".into(), record_id: "r".into() },
        route: Some(RouteName::new("nic")),
        site: Some("NIC1".into()),
        registration: Some(Registration {
            ack_no: "112600000000001".into(),
            ack_date: time("2026-11-05 14:26:00"),
            irn,
            status: RegistrationStatus::Active,
            signed_invoice: None,
            signed_qr: None,
            ewb: None,
            remarks: None,
            info: Vec::new(),
            site: Some("NIC1".into()),
        }),
        proof: None,
        ewb: None,
        cancellation: None,
        differences: Vec::new(),
        findings: Vec::new(),
        ask_at: None,
        hand_over: None,
        received_at: at("2026-11-05 14:00:00"),
        changed_at: at("2026-11-05 14:26:00"),
    }
}

fn cancel(state: DocumentState, bill: Option<&Bill>, now: &str) -> Result<NewJob, PlanRefused> {
    cancel_irn(&document(state), bill, CancelReason::Duplicate, "entered twice", at(now))
}

#[test]
fn a_day_and_a_second_after_its_acknowledgement_an_irn_is_not_cancelled_any_more() {
    let job = cancel(DocumentState::Registered, None, "2026-11-06 14:25:59").unwrap();
    assert_eq!((job.steps.len(), job.deadline), (1, Some(at("2026-11-06 14:26:00"))));
    let refused = cancel(DocumentState::Registered, None, "2026-11-06 14:26:01").unwrap_err();
    assert_eq!(refused.code.as_deref(), Some("2270"));
    assert!(refused.message.contains("06/11/2026 14:26 IST"), "{refused}");
    assert!(refused.fix.contains("credit note"), "{}", refused.fix);
}

#[test]
fn an_active_bill_is_cancelled_first_and_sets_the_earlier_deadline() {
    let job = cancel(DocumentState::Registered, Some(&bill(EwbState::Active)), "2026-11-05 15:00:00").unwrap();
    assert_eq!(job.steps, [OperationKind::CancelEwb, OperationKind::CancelIrn]);
    assert_eq!(job.deadline, Some(at("2026-11-06 10:00:00")));
    let late = cancel(DocumentState::Registered, Some(&bill(EwbState::Active)), "2026-11-06 10:00:00").unwrap_err();
    assert_eq!(late.code.as_deref(), Some("2230"));
    let gone = cancel(DocumentState::Registered, Some(&bill(EwbState::Cancelled)), "2026-11-06 10:00:00").unwrap();
    assert_eq!(gone.steps, [OperationKind::CancelIrn]);
}

#[test]
fn what_is_not_registered_is_not_cancelled_and_the_way_on_is_told() {
    let twice = cancel(DocumentState::Cancelled, None, "2026-11-05 15:00:00").unwrap_err();
    assert_eq!(twice.code.as_deref(), Some("9999"));
    let open = cancel(DocumentState::Unknown, None, "2026-11-05 15:00:00").unwrap_err();
    assert!(open.fix.contains("einvoice resolve"), "{}", open.fix);
}

#[test]
fn a_remark_is_needed_and_has_a_length() {
    let with = |remark: &str| {
        let document = document(DocumentState::Registered);
        cancel_irn(&document, None, CancelReason::Others, remark, at("2026-11-05 15:00:00"))
    };
    assert!(with("x").is_ok() && with(&"x".repeat(100)).is_ok());
    for wrong in ["", "   ", "a \"quote\"", "line\nbreak"] {
        assert!(with(wrong).is_err(), "{wrong:?}");
    }
    assert!(with(&"x".repeat(101)).is_err());
}

#[test]
fn what_goes_by_road_goes_in_a_regular_vehicle_unless_told_otherwise() {
    let plan = |mode, vehicle_type| {
        let request = EwbByIrn {
            irn: Irn::from_bytes([7; 32]),
            distance_km: 120,
            transporter: None,
            transporter_name: None,
            carriage: Carriage {
                mode: Some(mode),
                vehicle: Some("KA01AB1234".into()),
                vehicle_type,
                ..Carriage::default()
            },
            ship_to: None,
            dispatch_from: None,
        };
        let document = document(DocumentState::Registered);
        let job = ewb_by_irn(&document, None, None, request, at("2026-11-05 15:00:00")).unwrap();
        let Task::GenerateEwbByIrn { request } = job.task else { unreachable!("a bill by IRN") };
        request.carriage.vehicle_type
    };
    let over = Some(VehicleType::OverDimensional);
    assert_eq!(plan(TransMode::Road, None), Some(VehicleType::Regular));
    assert_eq!(plan(TransMode::Road, over), over);
    assert_eq!(plan(TransMode::Ship, None), None);
}

fn part_b(vehicle: &str) -> Task {
    Task::UpdatePartB {
        request: Box::new(PartB {
            number: EwbNumber::parse("391009149369").unwrap(),
            carriage: Carriage { mode: Some(TransMode::Road), vehicle: Some(vehicle.into()), ..Carriage::default() },
            from_place: "Hosur".into(),
            from_state: 33,
            reason: PartBReason::Breakdown,
            remark: String::new(),
        }),
    }
}

#[test]
fn part_b_is_changed_inside_the_validity_only() {
    let plan =
        |now| on_bill(&bill(EwbState::Active), part_b("KA01AB1234"), gstin(MAKER), at(now), PlanSwitches::default());
    assert!(plan("2026-11-06 23:59:59").is_ok());
    assert_eq!(plan("2026-11-07 00:00:00").unwrap_err().code.as_deref(), Some("311"));
    let mut moved = bill(EwbState::Active);
    moved.standing.group = Some("1".into());
    let refused =
        on_bill(&moved, part_b("KA01AB1234"), gstin(MAKER), at("2026-11-05 11:00:00"), PlanSwitches::default());
    assert_eq!(refused.unwrap_err().code.as_deref(), Some("412"));
    for wrong in ["KA 01 AB 1234", "KA-01", "K1", "KA01AB1234567890"] {
        let now = at("2026-11-05 11:00:00");
        assert!(on_bill(&bill(EwbState::Active), part_b(wrong), gstin(MAKER), now, PlanSwitches::default()).is_err());
    }
}

fn extension() -> Task {
    Task::ExtendValidity {
        request: Box::new(Extension {
            number: EwbNumber::parse("391009149369").unwrap(),
            carriage: Carriage {
                mode: Some(TransMode::Road),
                vehicle: Some("KA01AB1234".into()),
                ..Carriage::default()
            },
            from_place: "Hosur".into(),
            from_state: 33,
            from_pin: 635_109,
            remaining_km: 120,
            reason: ExtensionReason::Accident,
            remark: "tyre".into(),
            status: ConsignmentStatus::InMovement,
            transit: None,
            address: Vec::new(),
        }),
    }
}

#[test]
fn an_extension_asked_for_early_is_planned_for_its_window_and_a_late_one_refused() {
    let plan = |state, now: &str| on_bill(&bill(state), extension(), gstin(MAKER), at(now), PlanSwitches::default());
    let early = plan(EwbState::Active, "2026-11-05 12:00:00").unwrap();
    assert_eq!(early.not_before, Some(at("2026-11-06 15:59:00")));
    assert_eq!(early.deadline, Some(at("2026-11-07 07:59:00")));
    assert_eq!(plan(EwbState::Expired, "2026-11-07 07:58:59").unwrap().not_before, None);
    assert_eq!(plan(EwbState::Expired, "2026-11-07 07:59:00").unwrap_err().code.as_deref(), Some("382"));
    assert_eq!(plan(EwbState::PartA, "2026-11-05 12:00:00").unwrap_err().code.as_deref(), Some("637"));
    assert_eq!(plan(EwbState::Cancelled, "2026-11-05 12:00:00").unwrap_err().code.as_deref(), Some("312"));
}

#[test]
fn a_bill_is_extended_up_to_360_days_after_it_was_made_and_no_further() {
    let plan = |made: &str, till: &str, now: &str| {
        let mut old = bill(EwbState::Active);
        old.standing.made_at = Some(time(made));
        old.standing.valid_till = Some(time(till));
        on_bill(&old, extension(), gstin(MAKER), at(now), PlanSwitches::default())
    };
    // GSTN's example: made 28/12/2023, at most to 22/12/2024.
    assert!(plan("2023-12-28 10:00:00", "2024-12-21 23:59:00", "2024-12-21 20:00:00").is_ok());
    let refused = plan("2023-12-28 10:00:00", "2024-12-22 23:59:00", "2024-12-22 20:00:00").unwrap_err();
    assert_eq!(refused.code.as_deref(), Some("821"));
    assert!(refused.message.contains("360 days"), "{refused}");
}

#[test]
fn only_the_transporter_extends_once_there_is_one() {
    let mut with = bill(EwbState::Active);
    with.standing.transporter = Some(OTHER.into());
    let plan = |who| on_bill(&with, extension(), gstin(who), at("2026-11-06 20:00:00"), PlanSwitches::default());
    assert!(plan(OTHER).is_ok());
    assert_eq!(plan(MAKER).unwrap_err().code.as_deref(), Some("384"));
}

#[test]
fn a_bill_is_cancelled_by_its_maker_and_rejected_by_the_other_party() {
    let number = EwbNumber::parse("391009149369").unwrap();
    let now = at("2026-11-05 12:00:00");
    let active = bill(EwbState::Active);
    let plan = |task: Task, who| on_bill(&active, task, gstin(who), now, PlanSwitches::default());
    let cancel = || Task::CancelEwb { number, reason: CancelReason::Duplicate, remark: String::new() };
    assert!(plan(cancel(), MAKER).is_ok());
    assert_eq!(plan(cancel(), OTHER).unwrap_err().code.as_deref(), Some("312"));
    assert!(plan(Task::RejectEwb { number }, OTHER).is_ok());
    assert_eq!(plan(Task::RejectEwb { number }, MAKER).unwrap_err().code.as_deref(), Some("341"));
    let part_a = bill(EwbState::PartA);
    let rejected = on_bill(&part_a, Task::RejectEwb { number }, gstin(OTHER), now, PlanSwitches::default());
    assert_eq!(rejected.unwrap_err().code.as_deref(), Some("348"));
}

#[test]
fn closing_is_off_until_it_is_switched_on() {
    let number = EwbNumber::parse("391009149369").unwrap();
    let task = || Task::CloseEwb {
        request: Box::new(crate::ewb::request::Closure {
            number,
            date: DocumentDate::parse("05/11/2026").unwrap(),
            remark: "delivered".into(),
        }),
    };
    let plan = |switches| on_bill(&bill(EwbState::Active), task(), gstin(MAKER), at("2026-11-06 12:00:00"), switches);
    assert!(plan(PlanSwitches::default()).unwrap_err().message.contains("on hold"));
    assert!(plan(PlanSwitches::default().with_closure(true)).is_ok());
}

#[test]
fn closing_is_on_from_the_day_on_which_the_ship_to_rule_is() {
    let from = date(2026, 12, 1);
    let rules = RuleSettings { ship_to_gstin: ShipToGstin::InForce { from }, ..RuleSettings::default() };
    let closure = |rules, day| PlanSwitches::of(rules, day).closure;
    assert_eq!((closure(&rules, date(2026, 11, 30)), closure(&rules, from)), (false, true));
    assert!(!closure(&RuleSettings::default(), date(2099, 1, 1)));
}
