//! Steps on one e-way bill.

use jiff::Timestamp;

use super::act::Act;
use super::extension::extension;
use super::form::{BY_BILL, carriage, place, text};
use super::{EWB_REMARK_MAX, PlanRefused, PlanSwitches, group};
use crate::ewb::request::{Carriage, Closure};
use crate::ewb::window::{Window, today};
use crate::ewb::{Standing, TransMode, VehicleType};
use crate::identifier::Gstin;
use crate::job::{Bill, NewJob, Task};
use crate::operation::OperationKind;
use crate::state::EwbState;

/// Makes an e-way bill without an IRN; the request has been checked by its own rules.
#[must_use]
pub fn generate_ewb(payload: String, doc_type: String, doc_no: String, gstin: Gstin) -> NewJob {
    let task = Task::GenerateEwb { payload, doc_type, doc_no };
    NewJob {
        steps: vec![OperationKind::GenerateEwb],
        task,
        document: None,
        gstin,
        route: None,
        site: None,
        not_before: None,
        deadline: None,
    }
}

/// Changes one bill: cancels, rejects, gives it a new Part B or transporter, extends, moves it by several
/// vehicles, closes. `gstin` is who acts.
///
/// An extension asked for too early is planned for the moment its window opens.
///
/// # Errors
/// Outside the step's window, for a bill in a state that forbids it, for one who may not act, and for a request
/// whose form is wrong.
pub fn on_bill(
    bill: &Bill,
    mut task: Task,
    gstin: Gstin,
    now: Timestamp,
    switches: PlanSwitches,
) -> Result<NewJob, PlanRefused> {
    let standing = &bill.standing;
    if let Task::UpdatePartB { request } = &mut task {
        with_kind(&mut request.carriage, standing);
    }
    let (window, code, what, late) = match &task {
        Task::CancelEwb { remark, .. } => {
            maker_only(standing, gstin, "cancel", "312")?;
            Act::Cancel.check(standing)?;
            text("the remark", remark, 0..=EWB_REMARK_MAX, "308")?;
            let late = "The other party can reject it within 72 hours; else it stays.";
            let (window, code) = ewb_cancel_window(standing);
            (window, code, Act::Cancel.words(), late)
        }
        Task::RejectEwb { .. } => reject(standing, gstin, now)?,
        Task::UpdatePartB { request } => {
            Act::PartB.check(standing)?;
            not_grouped(standing, "412")?;
            carriage(&request.carriage, true, &BY_BILL)?;
            place(&request.from_place, request.from_state, "305", "306")?;
            text("the remark", &request.remark, 0..=EWB_REMARK_MAX, "308")?;
            while_valid(standing, Act::PartB, "Extend the validity within eight hours after its end first.")
        }
        Task::UpdateTransporter { transporter, .. } => {
            Act::Transporter.check(standing)?;
            if Gstin::parse(transporter).is_err() {
                return Err(PlanRefused::new(
                    format!("`{transporter}` is no GSTIN or TRANSIN of 15 characters"),
                    "222",
                    "Ask the transporter for the GSTIN or TRANSIN.",
                ));
            }
            while_valid(standing, Act::Transporter, "Make a new bill.")
        }
        Task::ExtendValidity { request } => return extension(bill, request, gstin, now),
        Task::StartMultiVehicle { request } => {
            Act::StartGroup.check(standing)?;
            group::start(request)?;
            while_valid(standing, Act::StartGroup, "Extend the validity first.")
        }
        Task::AddVehicle { request } => {
            Act::AddVehicle.check(standing)?;
            group::add(request)?;
            while_valid(standing, Act::AddVehicle, "Extend the validity first.")
        }
        Task::ChangeVehicle { request } => {
            Act::ChangeVehicle.check(standing)?;
            group::change(request)?;
            while_valid(standing, Act::ChangeVehicle, "Extend the validity first.")
        }
        Task::CloseEwb { request } => close(standing, request, switches, now)?,
        _ => return Err(PlanRefused::new("this is no step on a bill", "", "Name another step.")),
    };
    let what = format!("e-way bill {} can be {what}", standing.number);
    window.check(now, &what, code).map_err(|shut| PlanRefused::shut(&shut, late))?;
    Ok(job_on(bill, task, gstin, None, window.closes))
}

/// By road the system asks for the kind of vehicle. Where nobody names it the cargo is what it was, and ordinary where
/// that is not known: over-dimensional cargo does not become ordinary by changing the vehicle.
fn with_kind(how: &mut Carriage, standing: &Standing) {
    if how.mode == Some(TransMode::Road) && how.vehicle_type.is_none() {
        let known = standing.movement.as_ref().and_then(|movement| movement.vehicle_type);
        how.vehicle_type = Some(known.unwrap_or(VehicleType::Regular));
    }
}

fn while_valid(standing: &Standing, act: Act, late: &'static str) -> Step {
    (Window::ewb_valid(standing.valid_till), act.late_code(), act.words(), late)
}

/// A window, the portal's code for missing it, what is done in it (as in `can be rejected`), and what to do when it is over.
type Step = (Window, &'static str, &'static str, &'static str);

fn reject(standing: &Standing, gstin: Gstin, now: Timestamp) -> Result<Step, PlanRefused> {
    if standing.generated_by == gstin {
        return Err(PlanRefused::new(
            format!("{gstin} made e-way bill {} and cannot reject it", standing.number),
            "341",
            "Cancel it within 24 hours instead.",
        ));
    }
    Act::Reject.check(standing)?;
    if standing.valid_till.is_none() {
        return Err(PlanRefused::new(
            format!("e-way bill {} has no Part B yet", standing.number),
            "348",
            "Wait until the goods are on their way, or ask the maker to cancel it.",
        ));
    }
    let window = standing
        .made_at
        .map_or(Window { opens: None, closes: None }, |made| Window::ewb_reject(made, standing.valid_till));
    let code = Window::ewb_reject_code(standing.made_at, now);
    Ok((window, code, Act::Reject.words(), "It counts as accepted; settle it with the maker."))
}

fn close(standing: &Standing, request: &Closure, switches: PlanSwitches, now: Timestamp) -> Result<Step, PlanRefused> {
    if !switches.closure {
        return Err(PlanRefused::new(
            "voluntary closure of e-way bills is on hold since 29 July 2026",
            "",
            "Nothing has to be done: a bill ends by itself. Once the portal takes closures, set the day from which it \
             does in `[rules]`: `ship_to_gstin = { from = \"yyyy-mm-dd\" }`; one advisory put both on hold.",
        ));
    }
    let not_any_more = match standing.state {
        EwbState::Closed => Some(("closed already", "829")),
        EwbState::Cancelled => Some(("cancelled, so it cannot be closed", "852")),
        EwbState::RejectedByParty => Some(("rejected, so it cannot be closed", "853")),
        _ => None,
    };
    if let Some((what, code)) = not_any_more {
        let message = format!("e-way bill {} is {what}", standing.number);
        return Err(PlanRefused::new(message, code, "Leave it as it is."));
    }
    let Some(till) = standing.valid_till else {
        return Err(PlanRefused::new(
            format!("e-way bill {} has no Part B, so it cannot be closed", standing.number),
            "830",
            "Enter Part B first, or let the maker cancel it.",
        ));
    };
    text("the remark", &request.remark, 1..=EWB_REMARK_MAX, "862")?;
    let (day, today) = (request.date, today(now));
    if day > today {
        return Err(PlanRefused::new(
            format!("the closure is of {day}, which is later than today, {today}"),
            "842",
            "Give the day on which the goods arrived, or today.",
        ));
    }
    if let Some(made) = standing.made_at.filter(|made| day.date() < made.date()) {
        return Err(PlanRefused::new(
            format!("the closure is of {day}, and e-way bill {} was made at {made}", standing.number),
            "828",
            "Give the day on which the goods arrived.",
        ));
    }
    Ok((Window::ewb_close(till), "", "closed", "The time to close it is over; nothing is lost by that."))
}

pub(super) fn job_on(
    bill: &Bill,
    task: Task,
    gstin: Gstin,
    not_before: Option<Timestamp>,
    deadline: Option<Timestamp>,
) -> NewJob {
    NewJob {
        steps: task.steps(false),
        task,
        document: bill.document,
        gstin,
        route: bill.route.clone(),
        site: bill.site.clone(),
        not_before,
        deadline,
    }
}

/// Whether a bill can still change.
#[must_use]
pub const fn is_open(state: EwbState) -> bool {
    matches!(state, EwbState::PartA | EwbState::Active | EwbState::Unknown)
}

fn maker_only(standing: &Standing, gstin: Gstin, what: &str, code: &str) -> Result<(), PlanRefused> {
    if standing.generated_by == gstin {
        return Ok(());
    }
    let maker = standing.generated_by;
    let message = format!("e-way bill {} was made by {maker}, and only {maker} can {what} it", standing.number);
    Err(PlanRefused::new(message, code, "As the other party, reject it within 72 hours."))
}

pub(super) fn not_grouped(standing: &Standing, code: &str) -> Result<(), PlanRefused> {
    let Some(group) = &standing.group else { return Ok(()) };
    Err(PlanRefused::new(
        format!("e-way bill {} is moved by several vehicles (group {group})", standing.number),
        code,
        "Add or change a vehicle of the group instead.",
    ))
}

/// The time to cancel a bill, and the portal's code for missing it.
///
/// It counts from the making (315) or, by the newer text, from the first Part B (728). Of those only the latest is known
/// here, so that what neither reading allows is refused, and between the two the portal decides; as it does where the
/// moment of the making is not known.
pub(super) fn ewb_cancel_window(standing: &Standing) -> (Window, &'static str) {
    let part_b = standing.movement.as_ref().and_then(|movement| movement.entered_at);
    match (standing.made_at, part_b) {
        (Some(made), Some(part_b)) if part_b > made => (Window::ewb_cancel(part_b), "728"),
        (Some(made), _) => (Window::ewb_cancel(made), Act::Cancel.late_code()),
        (None, _) => (Window { opens: None, closes: None }, Act::Cancel.late_code()),
    }
}
