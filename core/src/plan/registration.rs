//! Steps on a registration: cancelling it, and making its e-way bill.

use jiff::Timestamp;

use super::bill::{ewb_cancel_window, is_open};
use super::form::{BY_IRN, carriage, text};
use super::{DISTANCE_MAX, IRN_REMARK_MAX, PlanRefused, earlier};
use crate::date::DocumentDate;
use crate::ewb::request::EwbByIrn;
use crate::ewb::window::Window;
use crate::ewb::{CancelReason, TransMode, VehicleType};
use crate::job::{Bill, NewJob, Task};
use crate::ledger::DocumentStatus;
use crate::state::DocumentState;

/// Cancels a registration, and its active e-way bill before it.
///
/// # Errors
/// Outside the 24 hours (2270), for a document that is not registered, for a remark that is empty or too long,
/// and where the bill's own 24 hours are over, as the IRN then cannot be cancelled either (2230).
pub fn cancel_irn(
    document: &DocumentStatus,
    bill: Option<&Bill>,
    reason: CancelReason,
    remark: &str,
    now: Timestamp,
) -> Result<NewJob, PlanRefused> {
    let (Some(key), Some(registration)) = (&document.key, &document.registration) else {
        return Err(not_registered(document, "cancelled"));
    };
    match document.state {
        DocumentState::Registered => {}
        DocumentState::Cancelled => {
            return Err(PlanRefused::new(
                format!("{} is cancelled already", document.label),
                "9999",
                "Leave it; its number cannot be used again in this financial year.",
            ));
        }
        _ => return Err(not_registered(document, "cancelled")),
    }
    text("the remark", remark, 1..=IRN_REMARK_MAX, "")?;
    let window = Window::irn_cancel(registration.ack_date);
    let what = format!("the IRN of {} can be cancelled", document.label);
    window.check(now, &what, "2270").map_err(|shut| {
        PlanRefused::shut(&shut, "Issue a credit note for the whole value instead; an IRN cannot be cancelled later.")
    })?;
    let standing = bill.map(|bill| &bill.standing).or(document.ewb.as_ref());
    let active = standing.filter(|standing| is_open(standing.state));
    let mut deadline = window.closes;
    if let Some(standing) = active {
        let (bills, _) = ewb_cancel_window(standing);
        let what = format!("its e-way bill {} can be cancelled", standing.number);
        bills.check(now, &what, "2230").map_err(|shut| {
            PlanRefused::shut(
                &shut,
                "An IRN with an active e-way bill cannot be cancelled. If the goods did not move, the recipient can \
                 reject the bill within 72 hours; else issue a credit note.",
            )
        })?;
        deadline = earlier(deadline, bills.closes);
    }
    let task = Task::CancelIrn { irn: registration.irn, reason, remark: remark.trim().to_owned() };
    Ok(NewJob {
        steps: task.steps(active.is_some()),
        task,
        document: Some(document.id),
        gstin: key.supplier,
        route: document.route.clone(),
        site: registration.site.clone().or_else(|| document.site.clone()),
        not_before: None,
        deadline,
    })
}

/// Makes the e-way bill of a registered document; `dated` is the document's date, where it is at hand.
///
/// # Errors
/// For a document that is not registered, that has a bill already (4002), or a request whose form is wrong.
pub fn ewb_by_irn(
    document: &DocumentStatus,
    dated: Option<DocumentDate>,
    bill: Option<&Bill>,
    mut request: EwbByIrn,
    now: Timestamp,
) -> Result<NewJob, PlanRefused> {
    let (Some(key), Some(registration), DocumentState::Registered) =
        (&document.key, &document.registration, document.state)
    else {
        return Err(not_registered(document, "given an e-way bill"));
    };
    let standing = bill.map(|bill| &bill.standing).or(document.ewb.as_ref());
    if let Some(standing) = standing.filter(|standing| is_open(standing.state)) {
        return Err(PlanRefused::new(
            format!("{} has the e-way bill {} already", document.label, standing.number),
            "4002",
            "Leave it as it is, or cancel that bill first if it is wrong.",
        ));
    }
    if request.irn != registration.irn {
        return Err(PlanRefused::new(
            format!("the request is for IRN {}, the document has {}", request.irn, registration.irn),
            "",
            "Leave the IRN out, or name the document it belongs to.",
        ));
    }
    if request.distance_km > DISTANCE_MAX {
        return Err(PlanRefused::new(
            format!("the distance is {} km; at most {DISTANCE_MAX} are taken", request.distance_km),
            "",
            "Give the kilometres by road between the two PIN codes, or 0 to have the portal compute them.",
        ));
    }
    if request.carriage.mode.is_none() && request.transporter.is_none() {
        return Err(PlanRefused::new(
            "without a mode of transport the bill has Part A only, and that needs a transporter",
            "4019",
            "Name the transporter's GSTIN or TRANSIN, or the mode of transport with the vehicle or document.",
        ));
    }
    carriage(&request.carriage, false, &BY_IRN)?;
    if request.carriage.mode == Some(TransMode::Road) {
        // The portal asks for it by road (4022), and ordinary cargo is what nobody mentions.
        request.carriage.vehicle_type.get_or_insert(VehicleType::Regular);
    }
    if let Some(date) = dated {
        let what = format!("an e-way bill for {} can be made", document.label);
        Window::ewb_generate(date).check(now, &what, "820").map_err(|shut| {
            PlanRefused::shut(&shut, "The document is too old for an e-way bill; issue a new one for the movement.")
        })?;
    }
    let task = Task::GenerateEwbByIrn { request: Box::new(request) };
    Ok(NewJob {
        steps: task.steps(false),
        task,
        document: Some(document.id),
        gstin: key.supplier,
        route: document.route.clone(),
        site: registration.site.clone().or_else(|| document.site.clone()),
        not_before: None,
        deadline: None,
    })
}

fn not_registered(document: &DocumentStatus, what: &str) -> PlanRefused {
    let fix = match document.state {
        DocumentState::Unknown | DocumentState::Sent => "Settle it first: einvoice resolve asks the portal.",
        DocumentState::Cancelling => "A cancellation is under way; einvoice resolve settles it.",
        DocumentState::Conflict => "Decide the conflict first with einvoice resolve.",
        DocumentState::RejectedByRegistry => "Another portal registered it before, and that registration stands.",
        _ => "Only a registered document has an IRN to work on.",
    };
    // A state is named as it is stored; people read it without its underscores.
    let state = document.state.to_string().replace('_', " ");
    PlanRefused::new(format!("{} is {state} and cannot be {what}", document.label), "", fix)
}
