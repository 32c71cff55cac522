//! The form of a request: how goods travel, where, and texts.

use std::ops::RangeInclusive;

use super::{PLACE_MAX, PlanRefused, TRANSPORT_DOCUMENT_MAX};
use crate::ewb::request::Carriage;
use crate::ewb::{TransMode, VehicleType};

/// The numbers that a system has for what is wrong with the transport.
#[derive(Debug)]
pub(super) struct CarriageCodes {
    mode: &'static str,
    in_transit: &'static str,
    vehicle: &'static str,
    vehicle_form: &'static str,
    document: &'static str,
    document_date: &'static str,
    document_form: &'static str,
    by_ship: &'static str,
    /// The IRP asks for no date beside the document of a ship.
    date_by_ship: Option<&'static str>,
    regular_by_ship: &'static str,
    over_dimensional: &'static str,
}

/// Those of the IRP, for a bill by IRN.
pub(super) const BY_IRN: CarriageCodes = CarriageCodes {
    mode: "4028",
    in_transit: "5001",
    vehicle: "4011",
    vehicle_form: "4014",
    document: "4012",
    document_date: "4023",
    document_form: "5001",
    by_ship: "4040",
    date_by_ship: None,
    regular_by_ship: "4039",
    over_dimensional: "4024",
};

/// Those of the e-way bill system.
pub(super) const BY_BILL: CarriageCodes = CarriageCodes {
    mode: "638",
    in_transit: "302",
    vehicle: "303",
    vehicle_form: "304",
    document: "394",
    document_date: "385",
    document_form: "223",
    by_ship: "727",
    date_by_ship: Some("729"),
    regular_by_ship: "726",
    over_dimensional: "634",
};

/// What a mode of transport needs (NIC, e-way bill API 1.03, and "Generate e-way bill by IRN" 1.03).
pub(super) fn carriage(how: &Carriage, mode_needed: bool, codes: &CarriageCodes) -> Result<(), PlanRefused> {
    let Some(mode) = how.mode else {
        if !mode_needed && how.vehicle.is_none() && how.document.is_none() {
            return Ok(());
        }
        return Err(PlanRefused::new(
            if how.vehicle.is_none() && how.document.is_none() {
                "there is no mode of transport"
            } else {
                "there is a vehicle or a transport document and no mode of transport"
            },
            codes.mode,
            "Name the mode: road, rail, air or ship.",
        ));
    };
    let refused = |message: &str, code: &str, fix: &str| Err(PlanRefused::new(message, code, fix));
    match mode {
        TransMode::InTransit => {
            return refused(
                "goods lie in transit for an extension only",
                codes.in_transit,
                "Name the mode by which they travel: road, rail, air or ship.",
            );
        }
        TransMode::Road if how.vehicle.is_none() => {
            return refused("by road a vehicle number is needed", codes.vehicle, "Give the vehicle number.");
        }
        TransMode::Rail | TransMode::Air if how.document.is_none() => {
            return refused(
                "by rail and air the number of the transport document is needed",
                codes.document,
                "Give its number.",
            );
        }
        TransMode::Rail | TransMode::Air if how.document_date.is_none() => {
            return refused(
                "by rail and air the date of the transport document is needed",
                codes.document_date,
                "Give its date.",
            );
        }
        TransMode::Ship if how.vehicle.is_none() && how.document.is_none() => {
            return refused(
                "by ship a vehicle or a transport document is needed",
                codes.by_ship,
                "Give one of the two.",
            );
        }
        TransMode::Ship if how.vehicle_type == Some(VehicleType::Regular) => {
            return refused(
                "a regular vehicle does not go by ship",
                codes.regular_by_ship,
                "Name it over-dimensional, or leave the kind of vehicle out.",
            );
        }
        _ => {}
    }
    if mode == TransMode::Ship
        && how.document.is_some()
        && how.document_date.is_none()
        && let Some(code) = codes.date_by_ship
    {
        return refused("by ship the transport document needs its date", code, "Give its date.");
    }
    if how.vehicle_type == Some(VehicleType::OverDimensional) && !matches!(mode, TransMode::Road | TransMode::Ship) {
        return refused(
            "over-dimensional cargo goes by road or ship only",
            codes.over_dimensional,
            "Correct the kind of vehicle.",
        );
    }
    forms(how, codes.vehicle_form, codes.document_form)
}

/// The form of the numbers of vehicle and transport document, as far as they are given.
pub(super) fn forms(how: &Carriage, vehicle_code: &str, document_code: &str) -> Result<(), PlanRefused> {
    if let Some(vehicle) = &how.vehicle
        && (!(7..=15).contains(&vehicle.len()) || !vehicle.bytes().all(|byte| byte.is_ascii_alphanumeric()))
    {
        return Err(PlanRefused::new(
            format!("`{vehicle}` is no vehicle number: 7 to 15 letters and digits without blanks and hyphens"),
            vehicle_code,
            "Write it like KA01AB1234.",
        ));
    }
    let document = how.document.as_deref();
    document.map_or(Ok(()), |number| text("the transport document", number, 1..=TRANSPORT_DOCUMENT_MAX, document_code))
}

/// The place and the state in which goods are; `place_code` and `state_code` are the portal's.
pub(super) fn place(place: &str, state: u8, place_code: &str, state_code: &str) -> Result<(), PlanRefused> {
    text("the place", place, 1..=PLACE_MAX, place_code)?;
    if matches!(state, 1..=38 | 97 | 99) {
        return Ok(());
    }
    Err(PlanRefused::new(
        format!("{state} is no state code: 1 to 38, 97 for other territory, 99 for abroad"),
        state_code,
        "`einvoice masters search` finds the code of a state.",
    ))
}

/// A text of so many characters, which a request can hold.
pub(super) fn text(what: &str, value: &str, lengths: RangeInclusive<usize>, code: &str) -> Result<(), PlanRefused> {
    let found = value.trim().chars().count();
    if lengths.contains(&found) && !value.chars().any(|letter| matches!(letter, '"' | '\\') || letter.is_control()) {
        return Ok(());
    }
    let (least, most) = lengths.into_inner();
    Err(PlanRefused::new(
        format!("{what} has {found} characters; {least} to {most} without quotes and backslashes are taken"),
        code,
        "Write it shorter, or fill it in.",
    ))
}
