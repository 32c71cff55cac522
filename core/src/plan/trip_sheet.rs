//! Several bills on one vehicle: consolidated e-way bills, called trip sheets.

use super::bill::{changeable, job_on, not_grouped};
use super::form::{carriage, text};
use super::{EWB_REMARK_MAX, PLACE_MAX, PlanRefused};
use crate::environment::RouteName;
use crate::ewb::request::{Consolidation, Regeneration};
use crate::identifier::Gstin;
use crate::job::{Bill, NewJob, Task};

/// Puts several bills on one vehicle.
///
/// # Errors
/// For none, for one that is not active or is moved by several vehicles (412, 648), for one of another site, and
/// for a request whose form is wrong.
pub fn consolidate(bills: &[Bill], request: Consolidation, gstin: Gstin) -> Result<NewJob, PlanRefused> {
    let Some(first) = bills.first() else {
        return Err(PlanRefused::new("no e-way bill is named", "", "Name the bills that travel together."));
    };
    for bill in bills {
        changeable(&bill.standing, "consolidated", "")?;
        not_grouped(&bill.standing, "648")?;
        if bill.site != first.site {
            return Err(PlanRefused::new(
                format!(
                    "e-way bills {} and {} were made at different sites",
                    first.standing.number, bill.standing.number
                ),
                "448",
                "Consolidate the bills of each site by themselves.",
            ));
        }
    }
    carriage(&request.carriage, true)?;
    text("the place", &request.from_place, 1, PLACE_MAX)?;
    let task = Task::Consolidate { request: Box::new(request) };
    let mut job = job_on(first, task, gstin, None, None);
    job.document = None;
    Ok(job)
}

/// Makes a trip sheet anew.
///
/// # Errors
/// For a request whose form is wrong.
pub fn regenerate(request: Regeneration, gstin: Gstin, route: Option<RouteName>) -> Result<NewJob, PlanRefused> {
    carriage(&request.carriage, true)?;
    text("the place", &request.from_place, 1, PLACE_MAX)?;
    text("the remark", &request.remark, 0, EWB_REMARK_MAX)?;
    let task = Task::RegenerateTripSheet { request: Box::new(request) };
    let steps = task.steps(false);
    Ok(NewJob { task, steps, document: None, gstin, route, site: None, not_before: None, deadline: None })
}
