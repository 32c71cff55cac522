//! The form of a request: how goods travel, and texts.

use super::{PlanRefused, TRANSPORT_DOCUMENT_MAX};
use crate::ewb::request::Carriage;
use crate::ewb::{TransMode, VehicleType};

/// What a mode of transport needs (NIC, e-way bill API 1.03; codes 394, 385, 621, 622, 634, 638, 726, 727).
pub(super) fn carriage(how: &Carriage, mode_needed: bool) -> Result<(), PlanRefused> {
    let Some(mode) = how.mode else {
        if !mode_needed && how.vehicle.is_none() && how.document.is_none() {
            return Ok(());
        }
        return Err(PlanRefused::new(
            "there is a vehicle or a transport document and no mode of transport",
            "638",
            "Name the mode: road, rail, air or ship.",
        ));
    };
    let missing = |message: &str, code: &str, fix: &str| Err(PlanRefused::new(message, code, fix));
    match mode {
        TransMode::Road if how.vehicle.is_none() => {
            return missing("by road a vehicle number is needed", "638", "Give the vehicle number.");
        }
        TransMode::Rail | TransMode::Air if how.document.is_none() => {
            return missing(
                "by rail and air the number of the transport document is needed",
                "394",
                "Give its number.",
            );
        }
        TransMode::Rail | TransMode::Air if how.document_date.is_none() => {
            return missing("by rail and air the date of the transport document is needed", "385", "Give its date.");
        }
        TransMode::Ship if how.vehicle.is_none() && how.document.is_none() => {
            return missing("by ship a vehicle or a transport document is needed", "727", "Give one of the two.");
        }
        _ => {}
    }
    if how.vehicle_type == Some(VehicleType::OverDimensional) && !matches!(mode, TransMode::Road | TransMode::Ship) {
        return missing("over-dimensional cargo goes by road or ship only", "634", "Correct the kind of vehicle.");
    }
    if let Some(vehicle) = &how.vehicle
        && (!(7..=15).contains(&vehicle.len()) || !vehicle.bytes().all(|byte| byte.is_ascii_alphanumeric()))
    {
        return Err(PlanRefused::new(
            format!("`{vehicle}` is no vehicle number: 7 to 15 letters and digits without blanks and hyphens"),
            "",
            "Write it like KA01AB1234.",
        ));
    }
    how.document.as_deref().map_or(Ok(()), |number| text("the transport document", number, 1, TRANSPORT_DOCUMENT_MAX))
}

pub(super) fn text(what: &str, value: &str, least: usize, most: usize) -> Result<(), PlanRefused> {
    let found = value.trim().chars().count();
    if (least..=most).contains(&found)
        && !value.chars().any(|letter| matches!(letter, '"' | '\\') || letter.is_control())
    {
        return Ok(());
    }
    Err(PlanRefused::new(
        format!("{what} has {found} characters; {least} to {most} without quotes and backslashes are taken"),
        "",
        "Write it shorter, or fill it in.",
    ))
}
