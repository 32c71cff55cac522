//! Extensions.

use super::*;

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
    assert_eq!(plan(EwbState::PartA, "2026-11-05 12:00:00").unwrap_err().code.as_deref(), Some("381"));
    assert_eq!(plan(EwbState::Cancelled, "2026-11-05 12:00:00").unwrap_err().code.as_deref(), Some("379"));
    assert_eq!(plan(EwbState::RejectedByParty, "2026-11-06 20:00:00").unwrap_err().code.as_deref(), Some("380"));
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
    assert_eq!(plan("33AAACI9999E1ZG").unwrap_err().code.as_deref(), Some("700"));
}

/// The extension after a change, for a bill of 400 km, while its window is open.
fn refused(change: impl FnOnce(&mut Extension)) -> Option<String> {
    let Task::ExtendValidity { mut request } = extension() else { unreachable!("an extension") };
    change(&mut request);
    let mut known = bill(EwbState::Active);
    known.standing.distance_km = Some(400);
    let now = at("2026-11-06 20:00:00");
    let planned = on_bill(&known, Task::ExtendValidity { request }, gstin(MAKER), now, PlanSwitches::default());
    planned.err().map(|refused| refused.code.unwrap_or(refused.message))
}

fn lying(request: &mut Extension) {
    request.status = ConsignmentStatus::InTransit;
    request.transit = Some(TransitType::Warehouse);
    request.carriage = Carriage { mode: Some(TransMode::InTransit), ..Carriage::default() };
    request.address = vec!["Godown 7".into(), "Ring Road".into(), "Hosur 635109".into()];
}

#[test]
fn goods_in_transit_lie_at_an_address_of_three_lines_and_goods_on_the_way_at_none() {
    let code = |change: fn(&mut Extension)| refused(change).unwrap_or_default();
    let but = |change: fn(&mut Extension)| {
        refused(|request| {
            lying(request);
            change(request);
        })
        .unwrap_or_default()
    };
    assert_eq!((code(|_| {}), code(lying)), (String::new(), String::new()));
    assert_eq!(but(|request| request.transit = None), "705");
    assert_eq!(but(|request| request.address[0] = " ".into()), "706");
    assert_eq!(but(|request| request.address[1].clear()), "707");
    assert_eq!(but(|request| request.address.truncate(2)), "708");
    assert!(but(|request| request.address.push("4".into())).contains("three lines"));
    assert_eq!(but(|request| request.carriage.mode = Some(TransMode::Road)), "711");
    assert_eq!(code(|request| request.carriage.mode = Some(TransMode::InTransit)), "711");
    assert_eq!(code(|request| request.transit = Some(TransitType::Road)), "712");
    assert_eq!(code(|request| request.address = vec!["Godown 7".into()]), "713");
}

#[test]
fn an_extension_has_the_form_that_the_system_asks_for() {
    let code = |change: fn(&mut Extension)| refused(change).unwrap_or_default();
    assert_eq!(code(|request| request.remaining_km = 400), "");
    assert_eq!(code(|request| request.remaining_km = 401), "390");
    assert_eq!(code(|request| request.remaining_km = 0), "389");
    assert_eq!(code(|request| request.from_place = " ".into()), "305");
    assert_eq!(code(|request| request.from_state = 39), "306");
    assert_eq!(code(|request| request.from_pin = 63_510), "421");
    assert_eq!(code(|request| request.remark.clear()), "386");
    let rail = |request: &mut Extension| {
        request.carriage =
            Carriage { mode: Some(TransMode::Rail), document: Some("123456789".into()), ..Carriage::default() };
    };
    assert_eq!(code(rail), "385");
    assert_eq!(
        code(|request| {
            request.carriage =
                Carriage { mode: Some(TransMode::Ship), document: Some("BL7".into()), ..Carriage::default() };
        }),
        "729"
    );
}
