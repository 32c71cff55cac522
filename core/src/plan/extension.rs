//! Extending the validity of an e-way bill.

use jiff::Timestamp;

use super::bill::{changeable, job_on};
use super::form::carriage;
use super::{DISTANCE_MAX, PlanRefused};
use crate::ewb::request::Carriage;
use crate::ewb::validity;
use crate::ewb::window::Window;
use crate::ewb::{TransMode, VehicleType};
use crate::identifier::Gstin;
use crate::job::{Bill, NewJob, Task};
use crate::state::EwbState;

pub(super) fn extension(
    bill: &Bill,
    task: Task,
    remaining_km: u16,
    how: &Carriage,
    gstin: Gstin,
    now: Timestamp,
) -> Result<NewJob, PlanRefused> {
    let standing = &bill.standing;
    // An expired bill can be extended for eight hours more.
    if standing.state != EwbState::Expired {
        changeable(standing, "extended", "637")?;
    }
    let acting = standing.transporter.as_deref();
    if acting.map_or(standing.generated_by != gstin, |transporter| transporter != gstin.as_str()) {
        let who = acting.unwrap_or(standing.generated_by.as_str());
        return Err(PlanRefused::new(
            format!("e-way bill {} can be extended by {who} only", standing.number),
            "384",
            "Ask the transporter to extend it; the maker can while no transporter is set.",
        ));
    }
    if remaining_km == 0 || remaining_km > DISTANCE_MAX {
        return Err(PlanRefused::new(
            format!("{remaining_km} km remain; write 1 to {DISTANCE_MAX}"),
            "",
            "Give the kilometres from where the goods are.",
        ));
    }
    if how.mode != Some(TransMode::InTransit) {
        carriage(how, true)?;
    }
    let Some(till) = standing.valid_till else {
        return Err(PlanRefused::new(
            format!("e-way bill {} has no Part B, so there is no validity to extend", standing.number),
            "637",
            "Enter Part B first.",
        ));
    };
    // Cut to the cap, the end must still lie later than it does.
    let kind = how.vehicle_type.unwrap_or(VehicleType::Regular);
    let extended = standing.made_at.and_then(|made| validity::extended_till(made, till, remaining_km, kind));
    if extended.is_some_and(|extended| extended <= till) {
        return Err(PlanRefused::new(
            format!(
                "e-way bill {} is good until {till}, and no bill can be extended beyond {} days after it was made",
                standing.number,
                validity::EXTENSION_DAYS_MAX
            ),
            "821",
            "Make a new bill for the rest of the way.",
        ));
    }
    let window = Window::ewb_extend(till);
    let what = format!("the validity of e-way bill {} can be extended", standing.number);
    match window.check(now, &what, "382") {
        Ok(()) => Ok(job_on(bill, task, gstin, None, window.closes)),
        // Planned ahead: it is sent when its time comes.
        Err(shut) if shut.too_early => Ok(job_on(bill, task, gstin, window.opens, window.closes)),
        Err(shut) => Err(PlanRefused::shut(&shut, "Make a new bill for the rest of the way.")),
    }
}
