//! Extending the validity of an e-way bill.

use jiff::Timestamp;

use super::act::Act;
use super::bill::job_on;
use super::form::{BY_BILL, carriage, forms, place, text};
use super::{DISTANCE_MAX, EWB_REMARK_MAX, PlanRefused};
use crate::ewb::request::Extension;
use crate::ewb::validity;
use crate::ewb::window::Window;
use crate::ewb::{ConsignmentStatus, Standing, TransMode, VehicleType};
use crate::identifier::Gstin;
use crate::job::{Bill, NewJob, Task};

/// Lines of the address at which goods lie in transit, each with the portal's code for its absence.
const ADDRESS_LINES: [&str; 3] = ["706", "707", "708"];

/// Plans an extension; one asked for too early for the moment its window opens.
pub(super) fn extension(bill: &Bill, request: &Extension, gstin: Gstin, now: Timestamp) -> Result<NewJob, PlanRefused> {
    let standing = &bill.standing;
    Act::Extend.check(standing)?;
    may_act(standing, gstin)?;
    distance(standing, request.remaining_km)?;
    place(&request.from_place, request.from_state, "305", "306")?;
    if !(100_000..=999_999).contains(&request.from_pin) {
        return Err(PlanRefused::new(
            format!("{} is no PIN code of six digits", request.from_pin),
            "421",
            "Give the PIN code of where the goods are.",
        ));
    }
    text("the remark", &request.remark, 1..=EWB_REMARK_MAX, "386")?;
    whereabouts(request)?;
    let Some(till) = standing.valid_till else {
        return Err(PlanRefused::new(
            format!("e-way bill {} has no Part B, so there is no validity to extend", standing.number),
            "381",
            "Enter Part B first.",
        ));
    };
    // Cut to the cap, the end must still lie later than it does.
    let kind = request.carriage.vehicle_type.or_else(|| known_kind(standing)).unwrap_or(VehicleType::Regular);
    let extended = standing.made_at.and_then(|made| validity::extended_till(made, till, request.remaining_km, kind));
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
    let task = || Task::ExtendValidity { request: Box::new(request.clone()) };
    match window.check(now, &what, Act::Extend.late_code()) {
        Ok(()) => Ok(job_on(bill, task(), gstin, None, window.closes)),
        // Planned ahead: it is sent when its time comes.
        Err(shut) if shut.too_early => Ok(job_on(bill, task(), gstin, window.opens, window.closes)),
        Err(shut) => Err(PlanRefused::shut(&shut, "Make a new bill for the rest of the way.")),
    }
}

fn known_kind(standing: &Standing) -> Option<VehicleType> {
    standing.movement.as_ref().and_then(|movement| movement.vehicle_type)
}

/// The transporter extends, and the maker while there is none.
fn may_act(standing: &Standing, gstin: Gstin) -> Result<(), PlanRefused> {
    let acting = standing.transporter.as_deref().unwrap_or(standing.generated_by.as_str());
    if acting == gstin.as_str() {
        return Ok(());
    }
    Err(PlanRefused::new(
        format!("e-way bill {} can be extended by {acting} only", standing.number),
        if standing.generated_by == gstin { "384" } else { "700" },
        "Ask the transporter to extend it; the maker can while no transporter is set.",
    ))
}

fn distance(standing: &Standing, remaining_km: u16) -> Result<(), PlanRefused> {
    if remaining_km == 0 || remaining_km > DISTANCE_MAX {
        return Err(PlanRefused::new(
            format!("{remaining_km} km remain; write 1 to {DISTANCE_MAX}"),
            "389",
            "Give the kilometres from where the goods are.",
        ));
    }
    if let Some(whole) = standing.distance_km.filter(|whole| remaining_km > *whole) {
        return Err(PlanRefused::new(
            format!("{remaining_km} km remain, and the whole way of e-way bill {} is {whole} km", standing.number),
            "390",
            "Give the kilometres from where the goods are, not more than the whole way.",
        ));
    }
    Ok(())
}

/// Where the goods are, on the way or lying: mode, kind of place and address must say the same.
fn whereabouts(request: &Extension) -> Result<(), PlanRefused> {
    let refused = |message: &str, code: &str, fix: &str| Err(PlanRefused::new(message, code, fix));
    let lies = request.status == ConsignmentStatus::InTransit;
    if lies != (request.carriage.mode == Some(TransMode::InTransit)) {
        return refused(
            "mode 5, in transit, goes with goods that lie in transit, and with no others",
            "711",
            "Name the mode by which the goods travel, or say that they lie in transit.",
        );
    }
    if !lies {
        if request.transit.is_some() {
            return refused("goods on the way lie in no place of transit", "712", "Leave the place of transit out.");
        }
        if !request.address.is_empty() {
            return refused("goods on the way have no address of transit", "713", "Leave the address out.");
        }
        return carriage(&request.carriage, true, &BY_BILL);
    }
    if request.transit.is_none() {
        return refused(
            "the goods lie in transit, and it is not said where",
            "705",
            "Name the place: road, warehouse or others.",
        );
    }
    for (at, code) in ADDRESS_LINES.into_iter().enumerate() {
        if request.address.get(at).is_none_or(|line| line.trim().is_empty()) {
            return Err(PlanRefused::new(
                format!("line {} of the address at which the goods lie is missing", at + 1),
                code,
                "Give three lines: building, street, and place with state and PIN code.",
            ));
        }
    }
    if request.address.len() > ADDRESS_LINES.len() {
        return refused("the address has more than three lines", "", "Put it into three lines.");
    }
    forms(&request.carriage, "304", "223")
}
