//! Steps on one bill.

use super::*;
use crate::ewb::request::{AddVehicle, ChangeVehicle, MultiVehicle};
use crate::number::Quantity;

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

fn cancellation() -> Task {
    let number = EwbNumber::parse("391009149369").unwrap();
    Task::CancelEwb { number, reason: CancelReason::Duplicate, remark: String::new() }
}

fn codes(bill: &Bill, task: Task, who: &str, now: &str) -> String {
    let planned = on_bill(bill, task, gstin(who), at(now), PlanSwitches::default().with_closure(true));
    planned.err().map(|refused| refused.code.unwrap_or(refused.message)).unwrap_or_default()
}

#[test]
fn a_bill_that_the_other_party_rejected_is_cancelled_by_its_maker() {
    assert_eq!(codes(&bill(EwbState::RejectedByParty), cancellation(), MAKER, "2026-11-05 12:00:00"), "");
}

#[test]
fn a_day_to_cancel_counts_from_the_later_one_of_the_making_and_part_b() {
    let mut known = bill(EwbState::Active);
    known.standing.movement = Some(Movement {
        mode: Some(TransMode::Road),
        vehicle: Some("KA01AB1234".into()),
        entered_at: Some(time("2026-11-05 18:00:00")),
        ..Movement::default()
    });
    assert_eq!(codes(&known, cancellation(), MAKER, "2026-11-06 17:59:59"), "");
    assert_eq!(codes(&known, cancellation(), MAKER, "2026-11-06 18:00:00"), "728");
    known.standing.movement = None;
    assert_eq!(codes(&known, cancellation(), MAKER, "2026-11-06 10:00:00"), "315");
}

#[test]
fn a_rejection_tells_whether_the_validity_or_the_three_days_are_over() {
    let reject = || Task::RejectEwb { number: EwbNumber::parse("391009149369").unwrap() };
    assert_eq!(codes(&bill(EwbState::Active), reject(), OTHER, "2026-11-07 00:00:00"), "345");
    let mut long = bill(EwbState::Active);
    long.standing.valid_till = Some(time("2026-11-30 23:59:00"));
    assert_eq!(codes(&long, reject(), OTHER, "2026-11-08 10:00:00"), "346");
}

#[test]
fn over_dimensional_cargo_stays_so_when_its_vehicle_changes() {
    let kind = |known: Option<VehicleType>, asked: Option<VehicleType>| {
        let mut bill = bill(EwbState::Active);
        bill.standing.movement = known.map(|kind| Movement {
            mode: Some(TransMode::Road),
            vehicle: Some("KA01AB1234".into()),
            vehicle_type: Some(kind),
            ..Movement::default()
        });
        let Task::UpdatePartB { mut request } = part_b("KA01AB9999") else { unreachable!("a Part B") };
        request.carriage.vehicle_type = asked;
        let task = Task::UpdatePartB { request };
        let job = on_bill(&bill, task, gstin(MAKER), at("2026-11-05 11:00:00"), PlanSwitches::default()).unwrap();
        let Task::UpdatePartB { request } = job.task else { unreachable!("a Part B") };
        request.carriage.vehicle_type.unwrap()
    };
    let (regular, over) = (VehicleType::Regular, VehicleType::OverDimensional);
    assert_eq!((kind(None, None), kind(Some(over), None), kind(Some(over), Some(regular))), (regular, over, regular));
}

#[test]
fn a_part_b_is_of_a_mode_by_which_goods_move_and_has_what_that_mode_needs() {
    let code = |carriage: Carriage| {
        let Task::UpdatePartB { mut request } = part_b("KA01AB1234") else { unreachable!("a Part B") };
        request.carriage = carriage;
        codes(&bill(EwbState::Active), Task::UpdatePartB { request }, MAKER, "2026-11-05 11:00:00")
    };
    let by = |mode| Carriage { mode: Some(mode), ..Carriage::default() };
    let vessel = || Carriage { document: Some("BL7".into()), ..by(TransMode::Ship) };
    assert_eq!(code(by(TransMode::InTransit)), "302");
    assert_eq!(code(by(TransMode::Road)), "303");
    assert_eq!(code(by(TransMode::Air)), "394");
    assert_eq!(code(by(TransMode::Ship)), "727");
    assert_eq!(code(vessel()), "729");
    let dated = || Carriage { document_date: DocumentDate::from_ymd(2026, 11, 5), ..vessel() };
    assert_eq!(code(dated()), "");
    assert_eq!(code(Carriage { vehicle_type: Some(VehicleType::Regular), ..dated() }), "726");
}

fn start() -> MultiVehicle {
    MultiVehicle {
        number: EwbNumber::parse("391009149369").unwrap(),
        reason: PartBReason::Transshipment,
        remark: "two vans".into(),
        from_place: "Hosur".into(),
        from_state: 33,
        to_place: "Mumbai".into(),
        to_state: 27,
        mode: TransMode::Road,
        quantity: Quantity::from_thousandths(10_000),
        unit: "KGS".into(),
    }
}

fn by_vehicle(vehicle: &str) -> Carriage {
    Carriage { vehicle: Some(vehicle.into()), ..Carriage::default() }
}

#[test]
fn a_movement_by_several_vehicles_has_its_form() {
    let code = |task| codes(&bill(EwbState::Active), task, MAKER, "2026-11-05 11:00:00");
    let starting = |change: fn(&mut MultiVehicle)| {
        let mut request = start();
        change(&mut request);
        code(Task::StartMultiVehicle { request: Box::new(request) })
    };
    assert_eq!(starting(|_| {}), "");
    assert_eq!(starting(|request| request.quantity = Quantity::ZERO), "402");
    assert_eq!(starting(|request| request.mode = TransMode::InTransit), "302");
    assert_eq!(starting(|request| request.to_place.clear()), "321");
    assert_eq!(starting(|request| request.to_state = 0), "320");
    let adding = |group: &str, carriage| {
        let quantity = Quantity::from_thousandths(1_000);
        code(Task::AddVehicle {
            request: Box::new(AddVehicle { number: start().number, group: group.into(), carriage, quantity }),
        })
    };
    assert_eq!(adding("1", by_vehicle("KA01AB1234")), "");
    assert_eq!(adding("0", by_vehicle("KA01AB1234")), "406");
    assert_eq!(adding("1", by_vehicle("KA-01")), "304");
    assert_eq!(adding("1", Carriage::default()), "226");
    let changing = |old, new| {
        code(Task::ChangeVehicle {
            request: Box::new(ChangeVehicle {
                number: start().number,
                group: "1".into(),
                old,
                new,
                from_place: "Hosur".into(),
                from_state: 33,
                reason: PartBReason::Breakdown,
                remark: "axle".into(),
            }),
        })
    };
    assert_eq!(changing(by_vehicle("KA01AB1234"), by_vehicle("KA01AB9999")), "");
    assert_eq!(changing(Carriage::default(), by_vehicle("KA01AB9999")), "405");
    assert_eq!(changing(by_vehicle("KA 1"), by_vehicle("KA01AB9999")), "407");
    assert_eq!(changing(by_vehicle("KA01AB1234"), by_vehicle("KA 1")), "408");
}

#[test]
fn a_closed_bill_refuses_each_step_with_a_code_of_its_own() {
    let number = start().number;
    let closed = bill(EwbState::Closed);
    let steps = [
        (cancellation(), MAKER, "843"),
        (Task::StartMultiVehicle { request: Box::new(start()) }, MAKER, "847"),
        (Task::RejectEwb { number }, OTHER, "849"),
        (Task::UpdateTransporter { number, transporter: OTHER.into() }, MAKER, "850"),
        (part_b("KA01AB1234"), MAKER, "851"),
    ];
    for (task, who, code) in steps {
        assert_eq!(codes(&closed, task, who, "2026-11-05 12:00:00"), code);
    }
    let rejected = Task::UpdateTransporter { number, transporter: OTHER.into() };
    assert_eq!(codes(&bill(EwbState::RejectedByParty), rejected, MAKER, "2026-11-05 12:00:00"), "280");
}

fn closure(day: &str, remark: &str) -> Task {
    Task::CloseEwb {
        request: Box::new(crate::ewb::request::Closure {
            number: start().number,
            date: DocumentDate::parse(day).unwrap(),
            remark: remark.into(),
        }),
    }
}

#[test]
fn a_closure_is_of_a_day_between_the_making_and_today_and_says_why() {
    let code = |state, day: &str, remark: &str| codes(&bill(state), closure(day, remark), MAKER, "2026-11-06 12:00:00");
    assert_eq!(code(EwbState::Active, "05/11/2026", "delivered"), "");
    assert_eq!(code(EwbState::Expired, "06/11/2026", "delivered"), "");
    assert_eq!(code(EwbState::Active, "07/11/2026", "delivered"), "842");
    assert_eq!(code(EwbState::Active, "04/11/2026", "delivered"), "828");
    assert_eq!(code(EwbState::Active, "06/11/2026", " "), "862");
    assert_eq!(code(EwbState::Cancelled, "06/11/2026", "delivered"), "852");
    assert_eq!(code(EwbState::RejectedByParty, "06/11/2026", "delivered"), "853");
    assert_eq!(code(EwbState::Closed, "06/11/2026", "delivered"), "829");
}

#[test]
fn closing_is_off_until_it_is_switched_on() {
    let task = || closure("05/11/2026", "delivered");
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
