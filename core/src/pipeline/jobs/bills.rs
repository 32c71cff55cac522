//! From what a portal says of a bill to where the bill stands.

use jiff::Timestamp;

use super::super::Shared;
use crate::date::PortalTime;
use crate::ewb::request::Carriage;
use crate::ewb::window::Window;
use crate::ewb::{Birth, EwbDocument, Movement, Standing, VehicleType};
use crate::job::{Bill, BillQuery, Effect, Task};
use crate::ledger::LedgerError;
use crate::operation::{EwbChanged, EwbVehicle, MadeEwb, OperationKind};
use crate::plan::is_open;
use crate::state::EwbState;

/// The same once its validity is over for good, which no portal tells: the time to extend it is over as well.
pub(super) fn expired(mut standing: Standing, now: Timestamp) -> Standing {
    if is_over(&standing, now) {
        standing.state = EwbState::Expired;
    }
    standing
}

/// Whether the validity of an active bill is over and can no longer be extended.
pub(super) fn is_over(standing: &Standing, now: Timestamp) -> bool {
    let closes = standing.valid_till.and_then(|till| Window::ewb_extend(till).closes);
    standing.state == EwbState::Active && closes.is_some_and(|closes| closes <= now)
}

/// Of several bills of one document the open one, else the one that was made last.
pub(super) fn latest(bills: Vec<Bill>) -> Option<Standing> {
    let mut standings: Vec<Standing> = bills.into_iter().map(|bill| bill.standing).collect();
    standings.sort_by_key(|standing| (is_open(standing.state), standing.made_at, standing.number));
    standings.pop()
}

/// The state that a bill with these marks is in.
fn state_of(status: Option<&str>, valid_till: Option<PortalTime>) -> EwbState {
    match status.map(|status| status.trim().to_ascii_uppercase()).as_deref() {
        Some("CNL") => EwbState::Cancelled,
        _ if valid_till.is_none() => EwbState::PartA,
        _ => EwbState::Active,
    }
}

/// A bill just made for a task, or found for it.
pub(super) fn made(task: &Task, maker: crate::identifier::Gstin, made: &MadeEwb, now: PortalTime) -> Standing {
    let birth = if matches!(task, Task::GenerateEwb { .. }) { Birth::Direct } else { Birth::Irn };
    let state = state_of(made.status.as_deref(), made.valid_till);
    let mut standing = Standing::new(made.number, birth, made.generated_by.unwrap_or(maker), state);
    standing.made_at = made.made_at.or(Some(now));
    standing.valid_till = made.valid_till;
    standing.alert.clone_from(&made.alert);
    standing.distance_km = made.computed_km();
    match task {
        Task::GenerateEwbByIrn { request } => {
            standing.distance_km = standing.distance_km.or(Some(request.distance_km).filter(|km| *km > 0));
            standing.transporter.clone_from(&request.transporter);
            standing.movement = movement(&request.carriage, made.made_at);
        }
        Task::GenerateEwb { doc_type, doc_no, .. } => {
            standing.document = Some(EwbDocument { doc_type: doc_type.clone(), number: doc_no.clone(), date: None });
        }
        _ => {}
    }
    standing
}

/// What a bill looks like after an action that succeeded.
pub(super) fn changed(task: &Task, kind: OperationKind, before: &Standing, reply: &EwbChanged) -> Standing {
    let mut standing = before.clone();
    standing.alert = reply.alert.clone().or(standing.alert);
    if kind == OperationKind::CancelEwb {
        standing.state = EwbState::Cancelled;
        standing.cancelled_at = reply.at;
        return standing;
    }
    match task {
        Task::RejectEwb { .. } => standing.state = EwbState::RejectedByParty,
        Task::UpdatePartB { request } => {
            standing.state = EwbState::Active;
            standing.valid_till = reply.valid_till.or(standing.valid_till);
            standing.movement = movement(&request.carriage, reply.at);
        }
        Task::UpdateTransporter { transporter, .. } => standing.transporter = Some(transporter.clone()),
        Task::ExtendValidity { request } => {
            standing.state = EwbState::Active;
            standing.valid_till = reply.valid_till.or(standing.valid_till);
            standing.extended = standing.extended.saturating_add(1);
            standing.movement = movement(&request.carriage, reply.at).or(standing.movement);
        }
        Task::StartMultiVehicle { .. } | Task::AddVehicle { .. } | Task::ChangeVehicle { .. } => {
            standing.group = reply.group.clone().or(standing.group);
        }
        Task::CloseEwb { request } => {
            standing.state = EwbState::Closed;
            standing.closed_on = Some(request.date);
        }
        _ => {}
    }
    standing
}

/// What a portal says of a bill, with what only we know of it kept. A short answer leaves most of it out, and no
/// answer takes a closure or a rejection back.
pub(super) fn joined(said: Standing, known: Option<Standing>) -> Standing {
    let Some(known) = known else { return said };
    let is_final = matches!(known.state, EwbState::Closed | EwbState::RejectedByParty);
    let valid_till = said.valid_till.or(known.valid_till);
    let state = match said.state {
        open if is_final && is_open(open) => known.state,
        // What has an end of its validity has its Part B, whatever a short answer leaves out.
        EwbState::PartA if valid_till.is_some() => EwbState::Active,
        other => other,
    };
    Standing {
        state,
        valid_till,
        birth: known.birth,
        document: said.document.or(known.document),
        made_at: said.made_at.or(known.made_at),
        distance_km: said.distance_km.or(known.distance_km),
        transporter: said.transporter.or(known.transporter),
        movement: said.movement.or(known.movement),
        group: said.group.or(known.group),
        trip_sheet: said.trip_sheet.or(known.trip_sheet),
        extended: said.extended.max(known.extended),
        cancelled_at: said.cancelled_at.or(known.cancelled_at),
        closed_on: said.closed_on.or(known.closed_on),
        alert: said.alert.or(known.alert),
        ..said
    }
}

/// Adds what a trip sheet changes of the bills on it: each of them that is open travels as the sheet says.
pub(super) async fn moved(shared: &Shared, task: &Task, effects: &mut Vec<Effect>) -> Result<(), LedgerError> {
    let carriage = match task {
        Task::Consolidate { request } => &request.carriage,
        Task::RegenerateTripSheet { request } => &request.carriage,
        _ => return Ok(()),
    };
    let sheets = effects.iter().filter_map(|effect| match effect {
        Effect::TripSheet { number, bills } => Some((*number, bills.clone())),
        _ => None,
    });
    for (sheet, on_it) in sheets.collect::<Vec<_>>() {
        for number in on_it {
            let query = BillQuery { number: Some(number), ..BillQuery::default() };
            let Some(mut standing) = latest(shared.ledger.bills(query).await?) else { continue };
            if !is_open(standing.state) {
                continue;
            }
            standing.trip_sheet = Some(sheet.to_string());
            standing.movement = movement(carriage, Some(PortalTime::at(shared.now()))).or(standing.movement);
            effects.push(Effect::Ewb { standing: Box::new(standing) });
        }
    }
    Ok(())
}

fn movement(carriage: &Carriage, entered_at: Option<PortalTime>) -> Option<Movement> {
    carriage.mode.is_some().then(|| Movement {
        mode: carriage.mode,
        vehicle: carriage.vehicle.clone(),
        vehicle_type: Some(carriage.vehicle_type.unwrap_or(VehicleType::Regular)),
        document: carriage.document.clone(),
        document_date: carriage.document_date,
        entered_at,
    })
}

/// Whether an entry of the list of vehicles is this carriage.
pub(super) fn is_carriage(entry: &EwbVehicle, carriage: &Carriage) -> bool {
    let same = |one: Option<&str>, other: Option<&str>| match (one, other) {
        (Some(one), Some(other)) => one.trim().eq_ignore_ascii_case(other.trim()),
        (None | Some(""), None) => true,
        _ => false,
    };
    same(entry.vehicle.as_deref(), carriage.vehicle.as_deref())
        && (carriage.document.is_none() || same(entry.document.as_deref(), carriage.document.as_deref()))
}
