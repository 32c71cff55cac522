//! What is planned, and what is refused with which code and deadline.

mod bills;
mod extension;
mod trip_sheets;

use jiff::Timestamp;
use jiff::civil::date;

use super::*;
use crate::date::{DocumentDate, PortalTime};
use crate::environment::RouteName;
use crate::ewb::request::{Carriage, EwbByIrn, Extension, PartB};
use crate::ewb::{
    Birth, CancelReason, ConsignmentStatus, EwbNumber, ExtensionReason, Movement, PartBReason, Standing, TransMode,
    TransitType, VehicleType,
};
use crate::identifier::Gstin;
use crate::irn::Irn;
use crate::job::{Bill, NewJob, Task};
use crate::ledger::{DocumentId, DocumentStatus};
use crate::operation::{OperationKind, Registration, RegistrationStatus};
use crate::rulebook::ShipToGstin;
use crate::source::SourceRef;
use crate::state::{DocumentState, EwbState};

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

#[test]
fn a_bill_by_irn_lacks_nothing_of_its_transport_in_the_words_of_the_irp() {
    let code = |carriage: Carriage| {
        let request = EwbByIrn {
            irn: Irn::from_bytes([7; 32]),
            distance_km: 120,
            transporter: Some(OTHER.into()),
            transporter_name: None,
            carriage,
            ship_to: None,
            dispatch_from: None,
        };
        let document = document(DocumentState::Registered);
        let planned = ewb_by_irn(&document, None, None, request, at("2026-11-05 15:00:00"));
        planned.err().and_then(|refused| refused.code).unwrap_or_default()
    };
    let by = |mode| Carriage { mode: Some(mode), ..Carriage::default() };
    assert_eq!(code(Carriage::default()), "", "Part A alone");
    assert_eq!(code(Carriage { vehicle: Some("KA01AB1234".into()), ..Carriage::default() }), "4028");
    assert_eq!(code(by(TransMode::Road)), "4011");
    assert_eq!(code(by(TransMode::Rail)), "4012");
    assert_eq!(code(Carriage { document: Some("1".into()), ..by(TransMode::Rail) }), "4023");
    assert_eq!(code(by(TransMode::Ship)), "4040");
    assert_eq!(code(by(TransMode::InTransit)), "5001");
    assert_eq!(code(Carriage { vehicle: Some("KA 1".into()), ..by(TransMode::Road) }), "4014");
}
