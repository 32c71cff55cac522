//! Steps on one e-way bill.

use jiff::Timestamp;

use super::extension::extension;
use super::form::{carriage, text};
use super::{EWB_REMARK_MAX, PLACE_MAX, PlanRefused, PlanSwitches};
use crate::ewb::Standing;
use crate::ewb::window::Window;
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
    task: Task,
    gstin: Gstin,
    now: Timestamp,
    switches: PlanSwitches,
) -> Result<NewJob, PlanRefused> {
    let standing = &bill.standing;
    let (window, code, what, late) = match &task {
        Task::CancelEwb { remark, .. } => {
            maker_only(standing, gstin, "cancel", "312")?;
            changeable(standing, "cancelled", "312")?;
            text("the remark", remark, 0, EWB_REMARK_MAX)?;
            let late = "The other party can reject it within 72 hours; else it stays.";
            (ewb_cancel_window(standing), "315", "can be cancelled", late)
        }
        Task::RejectEwb { .. } => reject(standing, gstin)?,
        Task::UpdatePartB { request } => {
            changeable(standing, "given a new Part B", "311")?;
            not_grouped(standing, "412")?;
            carriage(&request.carriage, true)?;
            text("the place", &request.from_place, 1, PLACE_MAX)?;
            text("the remark", &request.remark, 0, EWB_REMARK_MAX)?;
            let late = "Extend the validity within eight hours after its end first.";
            (Window::ewb_valid(standing.valid_till), "311", "can be given a new Part B", late)
        }
        Task::UpdateTransporter { transporter, .. } => {
            changeable(standing, "given to another transporter", "338")?;
            if Gstin::parse(transporter).is_err() {
                return Err(PlanRefused::new(
                    format!("`{transporter}` is no GSTIN or TRANSIN of 15 characters"),
                    "",
                    "Ask the transporter for the GSTIN or TRANSIN.",
                ));
            }
            let late = "Make a new bill.";
            (Window::ewb_valid(standing.valid_till), "281", "can be given to another transporter", late)
        }
        Task::ExtendValidity { request } => {
            return extension(bill, task.clone(), request.remaining_km, &request.carriage, gstin, now);
        }
        Task::StartMultiVehicle { .. } | Task::AddVehicle { .. } | Task::ChangeVehicle { .. } => {
            changeable(standing, "moved by several vehicles", "311")?;
            let late = "Extend the validity first.";
            (Window::ewb_valid(standing.valid_till), "311", "can be moved by several vehicles", late)
        }
        Task::CloseEwb { .. } => close(standing, switches)?,
        _ => return Err(PlanRefused::new("this is no step on a bill", "", "Name another step.")),
    };
    let what = format!("e-way bill {} {what}", standing.number);
    window.check(now, &what, code).map_err(|shut| PlanRefused::shut(&shut, late))?;
    Ok(job_on(bill, task, gstin, None, window.closes))
}

/// A window, the portal's code for missing it, what can be done in it, and what to do when it is over.
type Step = (Window, &'static str, &'static str, &'static str);

fn reject(standing: &Standing, gstin: Gstin) -> Result<Step, PlanRefused> {
    if standing.generated_by == gstin {
        return Err(PlanRefused::new(
            format!("{gstin} made e-way bill {} and cannot reject it", standing.number),
            "341",
            "Cancel it within 24 hours instead.",
        ));
    }
    changeable(standing, "rejected", "345")?;
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
    Ok((window, "346", "can be rejected", "It counts as accepted; settle it with the maker."))
}

fn close(standing: &Standing, switches: PlanSwitches) -> Result<Step, PlanRefused> {
    if !switches.closure {
        return Err(PlanRefused::new(
            "voluntary closure of e-way bills is on hold since 29 July 2026",
            "",
            "Nothing has to be done: a bill ends by itself. Once the portal takes closures, set the day from which it \
             does in `[rules]`: `ship_to_gstin = { from = \"yyyy-mm-dd\" }`; one advisory put both on hold.",
        ));
    }
    if standing.state == EwbState::Closed {
        return Err(PlanRefused::new(
            format!("e-way bill {} is closed already", standing.number),
            "829",
            "Leave it as it is.",
        ));
    }
    let Some(till) = standing.valid_till else {
        return Err(PlanRefused::new(
            format!("e-way bill {} has no Part B, so it cannot be closed", standing.number),
            "830",
            "Enter Part B first, or let the maker cancel it.",
        ));
    };
    Ok((Window::ewb_close(till), "", "can be closed", "The time to close it is over; nothing is lost by that."))
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

pub(super) fn changeable(standing: &Standing, what: &str, code: &str) -> Result<(), PlanRefused> {
    let code = match standing.state {
        EwbState::Cancelled => "312",
        EwbState::Closed => "843",
        _ if is_open(standing.state) => return Ok(()),
        _ => code,
    };
    Err(PlanRefused::new(
        format!(
            "e-way bill {} is {} and cannot be {what}",
            standing.number,
            standing.state.to_string().replace('_', " ")
        ),
        code,
        "Make a new bill if the goods still have to move.",
    ))
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

/// Cancelling counts from the making; where that is not known, the portal decides.
pub(super) fn ewb_cancel_window(standing: &Standing) -> Window {
    standing.made_at.map_or(Window { opens: None, closes: None }, Window::ewb_cancel)
}
