//! Moving one bill's goods by several vehicles: the form of the three requests.

use super::form::{forms, place, text};
use super::{EWB_REMARK_MAX, PlanRefused};
use crate::ewb::TransMode;
use crate::ewb::request::{AddVehicle, Carriage, ChangeVehicle, MultiVehicle};
use crate::number::Quantity;

/// The form of a request to start.
pub(super) fn start(request: &MultiVehicle) -> Result<(), PlanRefused> {
    place(&request.from_place, request.from_state, "305", "306")?;
    place(&request.to_place, request.to_state, "321", "320")?;
    text("the remark", &request.remark, 1..=EWB_REMARK_MAX, "386")?;
    if request.mode == TransMode::InTransit {
        return Err(PlanRefused::new(
            "goods lie in transit for an extension only",
            "302",
            "Name the mode by which they travel: road, rail, air or ship.",
        ));
    }
    quantity(request.quantity)
}

/// The form of a request to add a vehicle.
pub(super) fn add(request: &AddVehicle) -> Result<(), PlanRefused> {
    group(&request.group)?;
    named(&request.carriage, "the vehicle to add", "226")?;
    forms(&request.carriage, "304", "223")?;
    quantity(request.quantity)
}

/// The form of a request to change a vehicle.
pub(super) fn change(request: &ChangeVehicle) -> Result<(), PlanRefused> {
    group(&request.group)?;
    named(&request.old, "the vehicle until then", "405")?;
    forms(&request.old, "407", "409")?;
    named(&request.new, "the vehicle from then on", "226")?;
    forms(&request.new, "408", "410")?;
    place(&request.from_place, request.from_state, "305", "306")?;
    text("the remark", &request.remark, 1..=EWB_REMARK_MAX, "386")
}

fn group(number: &str) -> Result<(), PlanRefused> {
    if number.trim().parse::<u32>().is_ok_and(|number| number > 0) {
        return Ok(());
    }
    Err(PlanRefused::new(
        format!("`{number}` is no number of a group"),
        "406",
        "Give the number that the start of the movement brought, such as 1.",
    ))
}

fn named(how: &Carriage, what: &str, code: &str) -> Result<(), PlanRefused> {
    if how.vehicle.is_some() || how.document.is_some() {
        return Ok(());
    }
    Err(PlanRefused::new(
        format!("{what} has neither a number nor a transport document"),
        code,
        "Give the vehicle number, or the transport document where there is no vehicle.",
    ))
}

fn quantity(quantity: Quantity) -> Result<(), PlanRefused> {
    if quantity > Quantity::ZERO {
        return Ok(());
    }
    Err(PlanRefused::new(
        format!("the quantity is {quantity}, and nothing is moved by that"),
        "402",
        "Give what is moved, more than nought.",
    ))
}
