//! Several bills on one vehicle: consolidated e-way bills, called trip sheets.

use jiff::Timestamp;

use super::act::Act;
use super::bill::{job_on, not_grouped};
use super::form::{BY_BILL, carriage, place, text};
use super::{EWB_REMARK_MAX, PlanRefused, earlier};
use crate::environment::RouteName;
use crate::ewb::request::{Consolidation, Regeneration};
use crate::ewb::window::Window;
use crate::identifier::Gstin;
use crate::job::{Bill, NewJob, Task};

/// Puts several bills on one vehicle.
///
/// # Errors
/// For none, for one that is named twice, is not active, whose validity is over (818) or that is moved by several
/// vehicles (648), for bills of two sites (453), and for a request whose form is wrong or that names other bills.
pub fn consolidate(
    bills: &[Bill],
    request: Consolidation,
    gstin: Gstin,
    now: Timestamp,
) -> Result<NewJob, PlanRefused> {
    let Some(first) = bills.first() else {
        return Err(PlanRefused::new("no e-way bill is named", "", "Name the bills that travel together."));
    };
    let mut closes = None;
    for (at, bill) in bills.iter().enumerate() {
        let standing = &bill.standing;
        if bills.iter().skip(at + 1).any(|other| other.standing.number == standing.number) {
            return Err(PlanRefused::new(
                format!("e-way bill {} is named twice", standing.number),
                "",
                "Name each bill once.",
            ));
        }
        Act::Consolidate.check(standing)?;
        not_grouped(standing, "648")?;
        let window = Window::ewb_valid(standing.valid_till);
        let what = format!("e-way bill {} can be consolidated", standing.number);
        window
            .check(now, &what, Act::Consolidate.late_code())
            .map_err(|shut| PlanRefused::shut(&shut, "Extend the validity first, or leave this bill out."))?;
        closes = earlier(closes, window.closes);
        if bill.site != first.site {
            return Err(PlanRefused::new(
                format!("e-way bills {} and {} were made at different sites", first.standing.number, standing.number),
                "453",
                "Consolidate the bills of each site by themselves.",
            ));
        }
    }
    let named = |bill: &Bill| request.bills.contains(&bill.standing.number);
    if request.bills.len() != bills.len() || !bills.iter().all(named) {
        return Err(PlanRefused::new(
            "the request names other e-way bills than those that were looked up",
            "",
            "Name the same bills in both.",
        ));
    }
    carriage(&request.carriage, true, &BY_BILL)?;
    place(&request.from_place, request.from_state, "305", "306")?;
    let task = Task::Consolidate { request: Box::new(request) };
    let mut job = job_on(first, task, gstin, None, closes);
    job.document = None;
    Ok(job)
}

/// Makes a trip sheet anew.
///
/// # Errors
/// For a request whose form is wrong.
pub fn regenerate(request: Regeneration, gstin: Gstin, route: Option<RouteName>) -> Result<NewJob, PlanRefused> {
    carriage(&request.carriage, true, &BY_BILL)?;
    place(&request.from_place, request.from_state, "305", "306")?;
    text("the remark", &request.remark, 1..=EWB_REMARK_MAX, "386")?;
    let task = Task::RegenerateTripSheet { request: Box::new(request) };
    let steps = task.steps(false);
    Ok(NewJob { task, steps, document: None, gstin, route, site: None, not_before: None, deadline: None })
}
