//! Several bills on one vehicle.

use super::*;
use crate::ewb::request::Consolidation;

fn numbered(number: &str, state: EwbState) -> Bill {
    let mut bill = bill(state);
    bill.standing.number = EwbNumber::parse(number).unwrap();
    bill
}

fn request(bills: &[Bill]) -> Consolidation {
    Consolidation {
        bills: bills.iter().map(|bill| bill.standing.number).collect(),
        carriage: Carriage { mode: Some(TransMode::Road), vehicle: Some("KA01AB1234".into()), ..Carriage::default() },
        from_place: "Hosur".into(),
        from_state: 33,
    }
}

fn code(bills: &[Bill], now: &str) -> String {
    let planned = consolidate(bills, request(bills), gstin(MAKER), at(now));
    planned.err().map(|refused| refused.code.unwrap_or(refused.message)).unwrap_or_default()
}

#[test]
fn bills_travel_together_while_each_of_them_is_valid() {
    let mut long = numbered("391009149370", EwbState::Active);
    long.standing.valid_till = Some(time("2026-11-30 23:59:00"));
    let both = [long, numbered("391009149369", EwbState::Active)];
    let job = consolidate(&both, request(&both), gstin(MAKER), at("2026-11-06 23:59:59")).unwrap();
    assert_eq!((job.deadline, job.document), (Some(at("2026-11-07 00:00:00")), None));
    assert_eq!(code(&both, "2026-11-07 00:00:00"), "818");
    let refused = consolidate(&both, request(&both), gstin(MAKER), at("2026-11-07 00:00:00")).unwrap_err();
    assert!(refused.message.contains("391009149369 can be consolidated only before 07/11/2026 00:00"), "{refused}");
}

#[test]
fn bills_that_are_gone_moved_otherwise_or_of_two_sites_do_not_travel_together() {
    let with = |other: Bill| code(&[numbered("391009149370", EwbState::Active), other], "2026-11-05 12:00:00");
    let active = || numbered("391009149369", EwbState::Active);
    assert_eq!(with(active()), "");
    assert_eq!(with(Bill { site: Some("NIC2".into()), ..active() }), "453");
    let mut grouped = active();
    grouped.standing.group = Some("1".into());
    assert_eq!(with(grouped), "648");
    for (state, expected) in [(EwbState::Closed, "845"), (EwbState::Cancelled, "280"), (EwbState::Expired, "818")] {
        assert_eq!(with(numbered("391009149369", state)), expected);
    }
    assert!(with(numbered("391009149370", EwbState::Active)).contains("named twice"));
}

#[test]
fn the_request_names_the_bills_that_were_looked_up() {
    let both = [numbered("391009149370", EwbState::Active), numbered("391009149369", EwbState::Active)];
    let refused = consolidate(&both, request(&both[..1]), gstin(MAKER), at("2026-11-05 12:00:00")).unwrap_err();
    assert!(refused.message.contains("other e-way bills"), "{refused}");
}
