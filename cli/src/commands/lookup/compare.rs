//! A portal's word against the ledger's.

use einvoice_core::date::PortalTime;
use einvoice_core::document::{Difference, Invoice};
use einvoice_core::ewb::Standing;
use einvoice_core::ledger::DocumentStatus;
use einvoice_core::operation::{Registration, RegistrationStatus};
use einvoice_core::state::DocumentState;
use einvoice_core::verify::{TokenVerdict, TokenVerifier};
use jiff::SignedDuration;

/// How far two statements of one acknowledgement may lie apart: the outer one is rounded to the minute.
const ACK_SLACK: SignedDuration = SignedDuration::from_mins(5);

/// Where a registration differs from what the ledger has of it; the documents themselves are compared where both
/// signed copies are at hand.
pub(super) fn registration(
    ours: &DocumentStatus,
    theirs: &Registration,
    verifier: &dyn TokenVerifier,
) -> Vec<Difference> {
    let mut differences = Vec::new();
    let mut tell = |path: &str, ours: Option<String>, theirs: Option<String>| {
        if ours != theirs {
            differences.push(Difference::new(path, ours, theirs));
        }
    };
    tell("Status", Some(status_word(ours.state)), Some(portal_word(&theirs.status)));
    tell("Irn", ours.irn.map(|irn| irn.to_string()), Some(theirs.irn.to_string()));
    let Some(known) = &ours.registration else { return differences };
    tell("AckNo", Some(known.ack_no.clone()), Some(theirs.ack_no.clone()));
    if !is_one_moment(known.ack_date, theirs.ack_date) {
        tell("AckDt", Some(known.ack_date.to_string()), Some(theirs.ack_date.to_string()));
    }
    let bill = ours.ewb.as_ref().map(|bill| bill.number.to_string());
    let bill = bill.or_else(|| known.ewb.as_ref().map(|bill| bill.number.clone()));
    // The portal leaves the bill out of some replies, which says nothing.
    if let Some(theirs) = &theirs.ewb {
        tell("EwbNo", bill, Some(theirs.number.clone()));
    }
    if let (Some(ours), Some(theirs)) = (signed(known, verifier), signed(theirs, verifier)) {
        differences.extend(ours.differences(&theirs));
    }
    differences
}

/// Where a bill differs from what the ledger has of it; both as they stand at one moment. What the ledger does not
/// know of it contradicts nothing.
pub(super) fn bill(ours: &Standing, theirs: &Standing) -> Vec<Difference> {
    let time = |time: Option<PortalTime>| time.map(|time| time.to_string());
    let number = |number: Option<u16>| number.filter(|km| *km > 0).map(|km| km.to_string());
    let capitals = |text: Option<&str>| text.map(str::trim).filter(|text| !text.is_empty()).map(str::to_uppercase);
    let vehicle = |bill: &Standing| capitals(bill.movement.as_ref().and_then(|moved| moved.vehicle.as_deref()));
    let pairs = [
        ("state", Some(ours.state.to_string()), Some(theirs.state.to_string())),
        ("validUpto", time(ours.valid_till), time(theirs.valid_till)),
        ("actualDist", number(ours.distance_km), number(theirs.distance_km)),
        ("transporterId", capitals(ours.transporter.as_deref()), capitals(theirs.transporter.as_deref())),
        ("vehicleNo", vehicle(ours), vehicle(theirs)),
        ("extendedTimes", Some(ours.extended.to_string()), Some(theirs.extended.to_string())),
    ];
    pairs
        .into_iter()
        .filter(|(_, ours, theirs)| ours.is_some() && ours != theirs)
        .map(|(path, ours, theirs)| Difference::new(path, ours, theirs))
        .collect()
}

/// The document in a signed copy that is not forged.
fn signed(registration: &Registration, verifier: &dyn TokenVerifier) -> Option<Invoice> {
    match verifier.verify(registration.signed_invoice.as_deref()?) {
        TokenVerdict::Genuine(content) | TokenVerdict::Unverifiable(content) => {
            Some(Invoice::from_json(&content.data).ok()?.invoice)
        }
        TokenVerdict::Forged { .. } => None,
    }
}

fn is_one_moment(one: PortalTime, other: PortalTime) -> bool {
    let pair = one.to_timestamp().zip(other.to_timestamp());
    pair.is_some_and(|(one, other)| one.duration_since(other).abs() <= ACK_SLACK)
}

/// The portal's word for a state of ours; our own word where the portal has none.
fn status_word(state: DocumentState) -> String {
    match state {
        // A cancellation under way, or a rejection by the registry, leaves the word as it is.
        DocumentState::Registered | DocumentState::Cancelling | DocumentState::RejectedByRegistry => "ACT".to_owned(),
        DocumentState::Cancelled | DocumentState::Burnt => "CNL".to_owned(),
        other => other.to_string(),
    }
}

pub(super) fn portal_word(status: &RegistrationStatus) -> String {
    match status {
        RegistrationStatus::Active => "ACT".to_owned(),
        RegistrationStatus::Cancelled => "CNL".to_owned(),
        RegistrationStatus::Other(word) => word.clone(),
        other => format!("{other:?}"),
    }
}

#[cfg(test)]
mod tests {
    use einvoice_core::ewb::{Birth, EwbNumber};
    use einvoice_core::identifier::Gstin;
    use einvoice_core::irn::Irn;
    use einvoice_core::state::EwbState;
    use einvoice_protocol::key_set::KeySet;

    use super::super::super::desk::find::tests::{SUPPLIER, status};
    use super::*;

    fn time(text: &str) -> PortalTime {
        PortalTime::parse(text).unwrap()
    }

    fn registered(ack_date: &str, word: RegistrationStatus) -> Registration {
        Registration {
            ack_no: "112600000000001".into(),
            ack_date: time(ack_date),
            irn: Irn::from_bytes([7; 32]),
            status: word,
            signed_invoice: None,
            signed_qr: None,
            ewb: None,
            remarks: None,
            info: Vec::new(),
            site: None,
        }
    }

    #[test]
    fn a_registration_agrees_up_to_the_rounded_minute_and_a_cancelled_one_does_not() {
        let mut ours = status("A/1", DocumentState::Registered);
        ours.irn = Some(Irn::from_bytes([7; 32]));
        ours.registration = Some(registered("2026-11-05 14:26:00", RegistrationStatus::Active));
        let against = |theirs: &Registration| registration(&ours, theirs, &KeySet::new());
        assert_eq!(against(&registered("2026-11-05 14:26:31", RegistrationStatus::Active)), []);
        let cancelled = against(&registered("2026-11-05 14:26:00", RegistrationStatus::Cancelled));
        assert_eq!(cancelled.len(), 1);
        assert_eq!((cancelled[0].path.as_str(), cancelled[0].theirs.as_deref()), ("Status", Some("CNL")));
    }

    #[test]
    fn a_bill_that_somebody_else_changed_is_told_field_by_field() {
        let number = EwbNumber::parse("391009149369").unwrap();
        let mut ours = Standing::new(number, Birth::Irn, Gstin::parse(SUPPLIER).unwrap(), EwbState::Active);
        ours.valid_till = Some(time("2026-11-06 23:59:00"));
        let theirs = Standing { valid_till: Some(time("2026-11-07 23:59:00")), ..ours.clone() };
        let found = bill(&ours, &theirs);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].path, "validUpto");
        assert_eq!(bill(&ours, &Standing { distance_km: Some(120), ..ours.clone() }), [], "only not known so far");
    }
}
