//! What a command asks for on a bill, as a task: what was left out is taken from where the bill stands.

use einvoice_core::ewb::request::{AddVehicle, Carriage, ChangeVehicle, Closure, Extension, MultiVehicle, PartB};
use einvoice_core::ewb::window::today;
use einvoice_core::ewb::{ConsignmentStatus, EwbNumber, Standing, TransMode};
use einvoice_core::job::Task;
use jiff::Timestamp;

use super::super::desk::refusal::Refusal;
use crate::arguments::{Ewb, EwbExtend, EwbMultiVehicle};

pub(super) fn task(command: &Ewb, standing: &Standing, now: Timestamp) -> Result<Task, Refusal> {
    let number = standing.number;
    Ok(match command {
        Ewb::PartB(part_b) => Task::UpdatePartB {
            request: Box::new(PartB {
                number,
                carriage: part_b.carriage.carriage(),
                from_place: part_b.from.from_place.clone(),
                from_state: part_b.from.from_state,
                reason: part_b.reason,
                remark: remark(part_b.remark.as_ref(), part_b.reason.word()),
            }),
        },
        Ewb::Transporter(given) => Task::UpdateTransporter { number, transporter: given.transporter.clone() },
        Ewb::Extend(extend) => Task::ExtendValidity { request: Box::new(extension(extend, standing)?) },
        Ewb::MultiVehicle(several) => multi_vehicle(several, standing)?,
        Ewb::Reject(_) => Task::RejectEwb { number },
        Ewb::Cancel(cancel) => {
            Task::CancelEwb { number, reason: cancel.reason, remark: cancel.remark.trim().to_owned() }
        }
        Ewb::Close(close) => Task::CloseEwb {
            request: Box::new(Closure {
                number,
                date: close.date.unwrap_or_else(|| today(now)),
                remark: close.remark.clone(),
            }),
        },
        _ => return Err(Refusal::new("this is no step on a bill", "Name another command.")),
    })
}

/// How the goods travel on: as before, where nothing else is said; goods in transit need no vehicle.
fn extension(arguments: &EwbExtend, standing: &Standing) -> Result<Extension, Refusal> {
    let mut carriage = arguments.carriage.carriage();
    let in_transit = arguments.transit.is_some();
    if in_transit {
        carriage.mode = Some(TransMode::InTransit);
    } else if carriage == Carriage::default() {
        // A bill made with its invoice is known by number and end only.
        let Some(movement) = &standing.movement else { return Err(no_vehicle(standing.number)) };
        carriage.mode = movement.mode;
        carriage.vehicle.clone_from(&movement.vehicle);
        carriage.document.clone_from(&movement.document);
        carriage.document_date = movement.document_date;
    }
    Ok(Extension {
        number: standing.number,
        carriage,
        from_place: arguments.from.from_place.clone(),
        from_state: arguments.from.from_state,
        from_pin: arguments.from_pin,
        remaining_km: arguments.distance,
        reason: arguments.reason,
        remark: remark(arguments.remark.as_ref(), arguments.reason.word()),
        status: if in_transit { ConsignmentStatus::InTransit } else { ConsignmentStatus::InMovement },
        transit: arguments.transit,
        address: arguments.address.clone(),
    })
}

fn no_vehicle(number: EwbNumber) -> Refusal {
    Refusal::new(
        format!("the ledger does not know which vehicle the goods of e-way bill {number} are on"),
        format!("Name it with --vehicle, or run `einvoice lookup ewb {number}` first, which the ledger learns from."),
    )
}

/// The system asks for a remark beside every reason; the reason says what there is to say where nobody wrote one.
pub(super) fn remark(given: Option<&String>, reason: &str) -> String {
    let given = given.map(|given| given.trim()).filter(|given| !given.is_empty());
    given.map_or_else(|| reason.replace('_', " "), str::to_owned)
}

fn multi_vehicle(command: &EwbMultiVehicle, standing: &Standing) -> Result<Task, Refusal> {
    let number = standing.number;
    Ok(match command {
        EwbMultiVehicle::Start(start) => Task::StartMultiVehicle {
            request: Box::new(MultiVehicle {
                number,
                reason: start.reason,
                remark: remark(start.remark.as_ref(), start.reason.word()),
                from_place: start.from.from_place.clone(),
                from_state: start.from.from_state,
                to_place: start.to_place.clone(),
                to_state: start.to_state,
                mode: start.mode,
                quantity: start.quantity,
                unit: start.unit.to_uppercase(),
            }),
        },
        EwbMultiVehicle::Add(add) => Task::AddVehicle {
            request: Box::new(AddVehicle {
                number,
                group: group(add.group.as_ref(), standing)?,
                carriage: add.carriage.carriage(),
                quantity: add.quantity,
            }),
        },
        EwbMultiVehicle::Change(change) => Task::ChangeVehicle {
            request: Box::new(ChangeVehicle {
                number,
                group: group(change.group.as_ref(), standing)?,
                old: Carriage {
                    vehicle: change.old_vehicle.clone(),
                    document: change.old_transport_document.clone(),
                    ..Carriage::default()
                },
                new: change.carriage.carriage(),
                from_place: change.from.from_place.clone(),
                from_state: change.from.from_state,
                reason: change.reason,
                remark: remark(change.remark.as_ref(), change.reason.word()),
            }),
        },
    })
}

fn group(given: Option<&String>, standing: &Standing) -> Result<String, Refusal> {
    given.or(standing.group.as_ref()).cloned().ok_or_else(|| {
        Refusal::new(
            format!("e-way bill {} is not moved by several vehicles, as far as is known here", standing.number),
            "Begin with `einvoice ewb multi-vehicle start`, or name the group with --group.",
        )
    })
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use einvoice_core::ewb::{Birth, Movement};
    use einvoice_core::identifier::Gstin;
    use einvoice_core::state::EwbState;

    use super::super::super::desk::find::tests::SUPPLIER;
    use super::*;
    use crate::arguments::{Arguments, Command};

    const NUMBER: &str = "391009149369";

    fn parsed(arguments: &[&str]) -> Option<Ewb> {
        let all = ["einvoice", "ewb"].iter().chain(arguments);
        match Arguments::try_parse_from(all).ok()?.command {
            Command::Ewb(ewb) => Some(ewb),
            _ => None,
        }
    }

    fn standing_now() -> Standing {
        let number = EwbNumber::parse(NUMBER).unwrap();
        let mut standing = Standing::new(number, Birth::Irn, Gstin::parse(SUPPLIER).unwrap(), EwbState::Active);
        standing.movement = Some(Movement {
            mode: Some(TransMode::Road),
            vehicle: Some("KA01AB1234".into()),
            vehicle_type: None,
            document: None,
            document_date: None,
            entered_at: None,
        });
        standing
    }

    fn task_of(arguments: &[&str]) -> Result<Task, Refusal> {
        let now = "2026-11-05T08:30:00Z".parse().unwrap();
        task(&parsed(arguments).unwrap(), &standing_now(), now)
    }

    #[test]
    fn a_vehicle_alone_goes_by_road_and_its_number_is_written_as_the_portal_takes_it() {
        let where_to = ["--from-place", "Hosur", "--from-state", "33", "--reason", "breakdown"];
        let task = task_of(&[&["part-b", NUMBER, "--vehicle", "ka 01-ab 9999"][..], &where_to].concat()).unwrap();
        let Task::UpdatePartB { request } = task else { panic!("{task:?}") };
        assert_eq!(
            (request.carriage.mode, request.carriage.vehicle.as_deref()),
            (Some(TransMode::Road), Some("KA01AB9999"))
        );
        assert_eq!((request.from_state, request.remark.as_str()), (33, "breakdown"));
    }

    const EXTEND: [&str; 12] = [
        "extend",
        NUMBER,
        "--from-place",
        "Hosur",
        "--from-state",
        "33",
        "--from-pin",
        "635109",
        "--distance",
        "120",
        "--reason",
        "accident",
    ];

    #[test]
    fn an_extension_goes_on_with_the_vehicle_it_has_unless_the_goods_lie_in_transit() {
        let request = |more: &[&str]| match task_of(&[&EXTEND[..], more].concat()).unwrap() {
            Task::ExtendValidity { request } => *request,
            other => panic!("{other:?}"),
        };
        let on = request(&[]);
        assert_eq!((on.carriage.vehicle.as_deref(), on.status), (Some("KA01AB1234"), ConsignmentStatus::InMovement));
        let address = ["--address", "Godown 7", "--address", "Hosur Road", "--address", "Hosur"];
        let lying = request(&[&["--transit", "warehouse"][..], &address].concat());
        assert_eq!((lying.carriage.mode, lying.carriage.vehicle), (Some(TransMode::InTransit), None));
        assert_eq!((lying.status, lying.address.len()), (ConsignmentStatus::InTransit, 3));
    }

    #[test]
    fn a_group_is_taken_from_the_ledger_or_asked_for() {
        let add = ["multi-vehicle", "add", NUMBER, "--vehicle", "KA01AB1234", "--quantity", "3.5"];
        assert!(task_of(&add).unwrap_err().fix.contains("multi-vehicle start"));
        let task = task_of(&[&add[..], &["--group", "1"]].concat()).unwrap();
        assert!(
            matches!(task, Task::AddVehicle { request } if request.group == "1" && request.quantity.to_string() == "3.5")
        );
    }
}
