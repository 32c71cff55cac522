//! Distance, transporter and Part B.

use super::super::super::{TransMode, VehicleType};
use super::super::{DISTANCE_MAX_KM, EwbStateCode, rules};
use super::Sheet;
use crate::date::DocumentDate;
use crate::document::Field;
use crate::rulebook::ewb::is_vehicle_number;

/// PIN code of a place abroad.
const ABROAD: i64 = 999_999;

pub(super) fn check(sheet: &mut Sheet<'_>) {
    distance(sheet);
    let request = sheet.request;
    match request.trans_mode.get() {
        None if request.trans_mode.is_absent() => without_mode(sheet),
        None => {}
        Some(TransMode::Road) => road(sheet),
        Some(TransMode::Rail) => {
            carrier_document(sheet);
            railway_receipt(sheet);
        }
        Some(TransMode::Air) => carrier_document(sheet),
        Some(TransMode::Ship) => ship(sheet),
        Some(TransMode::InTransit) => {
            let message = "mode 5, in transit, is for extensions alone";
            let fix = "Give the mode by which the goods leave.";
            sheet.wrong(&rules::MODE, "transMode", "5", message, "1 road, 2 rail, 3 air or 4 ship", fix);
        }
    }
    vehicle_form(sheet);
    document_date(sheet);
}

fn distance(sheet: &mut Sheet<'_>) {
    const PATH: &str = "transDistance";
    let request = sheet.request;
    let Some(distance) = request.trans_distance.get() else { return };
    if distance.0 > DISTANCE_MAX_KM {
        let message = format!("the distance is {distance} km");
        sheet.wrong(&rules::DISTANCE, PATH, distance, message, "0 to 4000 km", "Correct the distance.");
    }
    let abroad = [&request.from_pincode, &request.to_pincode]
        .into_iter()
        .any(|pin| pin.get().is_some_and(|pin| pin.units() == ABROAD));
    let states = [&request.act_from_state_code, &request.act_to_state_code];
    let abroad = abroad || states.into_iter().any(|state| state.get().is_some_and(EwbStateCode::is_abroad));
    if distance.0 == 0 && abroad {
        let message = "the system is asked to compute the distance to a place abroad";
        let fix = "Give the distance in km to the port or place from which the goods leave.";
        sheet.wrong(&rules::DISTANCE_ABROAD, PATH, distance, message, "the distance in km", fix);
    }
}

fn without_mode(sheet: &mut Sheet<'_>) {
    let request = sheet.request;
    let expected = "1 road, 2 rail, 3 air or 4 ship";
    let fix = "Give transMode, or leave vehicle and document out and name the transporter.";
    match (!request.vehicle_no.is_absent(), !request.trans_doc_no.is_absent()) {
        (true, true) => {
            let message = "vehicle and transport document are given without the mode of transport";
            sheet.lacks(&rules::PART_B_MODE, "transMode", message, expected, fix);
        }
        (true, false) => {
            let message = "a vehicle is given without the mode of transport";
            sheet.lacks(&rules::VEHICLE_MODE, "transMode", message, expected, fix);
        }
        (false, true) => {
            let message = "a transport document is given without the mode of transport";
            sheet.lacks(&rules::DOCUMENT_MODE, "transMode", message, expected, fix);
        }
        (false, false) if request.transporter_id.is_absent() => {
            let message = "neither the mode of transport nor the transporter is given";
            let fix = "Give the vehicle, or the transporter who will name it.";
            sheet.lacks(&rules::PART_A, "transporterId", message, "a GSTIN or TRANSIN", fix);
        }
        (false, false) => {}
    }
}

fn road(sheet: &mut Sheet<'_>) {
    if sheet.request.vehicle_no.is_absent() {
        let fix = "Give vehicleNo, or leave transMode out and name the transporter.";
        let message = "transport by road names no vehicle";
        sheet.lacks(&rules::VEHICLE, "vehicleNo", message, "a vehicle number", fix);
    }
}

/// Rail and air go by their document, not by a vehicle.
fn carrier_document(sheet: &mut Sheet<'_>) {
    let request = sheet.request;
    let fix = "Give number and date of the railway receipt or airway bill.";
    if request.trans_doc_no.is_absent() {
        let message = "transport by rail or air names no transport document";
        sheet.lacks(&rules::DOC_NO, "transDocNo", message, "a document number", fix);
    }
    if request.trans_doc_date.is_absent() {
        let message = "transport by rail or air gives no date of the transport document";
        sheet.lacks(&rules::DOC_DATE, "transDocDate", message, "a date, DD/MM/YYYY", fix);
    }
    if request.vehicle_type.get() == Some(VehicleType::OverDimensional) {
        let message = "an over-dimensional vehicle goes by rail or air";
        sheet.wrong(&rules::ODC, "vehicleType", "O", message, "R, or nothing", "Leave vehicleType out.");
    }
}

fn railway_receipt(sheet: &mut Sheet<'_>) {
    let Some(number) = sheet.request.trans_doc_no.as_ref().map(|text| &**text) else { return };
    let is_receipt = matches!(number.len(), 9 | 10) && number.bytes().all(|byte| byte.is_ascii_digit());
    if !is_receipt {
        let message = "the number is that of no railway receipt";
        let expected = "10 digits of a parcel way bill, or 9 of a freight receipt";
        let fix = "Copy the number from the railway's document.";
        sheet.wrong(&rules::RAIL_DOCUMENT, "transDocNo", number, message, expected, fix);
    }
}

fn ship(sheet: &mut Sheet<'_>) {
    let request = sheet.request;
    if request.vehicle_no.is_absent() && request.trans_doc_no.is_absent() {
        let message = "transport by ship names neither vehicle nor document";
        let fix = "Give the bill of lading, or the vehicle to the port.";
        sheet.lacks(&rules::SHIP_CARRIAGE, "transDocNo", message, "vehicleNo, or transDocNo and transDocDate", fix);
    }
    if !request.trans_doc_no.is_absent() && request.trans_doc_date.is_absent() {
        let message = "the document of transport by ship has no date";
        let fix = "Give the date of the bill of lading.";
        sheet.lacks(&rules::SHIP_DATE, "transDocDate", message, "a date, DD/MM/YYYY", fix);
    }
    if request.vehicle_type.get() == Some(VehicleType::Regular) {
        let message = "a regular vehicle is given for transport by ship";
        let fix = "Write O, or use mode 1 for the way to the port.";
        sheet.wrong(&rules::SHIP_VEHICLE_TYPE, "vehicleType", "R", message, "O", fix);
    }
}

fn vehicle_form(sheet: &mut Sheet<'_>) {
    let number = sheet.request.vehicle_no.as_ref().map(|text| &**text);
    if let Some(number) = number.filter(|number| !is_vehicle_number(number)) {
        let message = format!("vehicle number {number} has the form of no registration");
        let expected = "for instance KA12KA1234, KA12K1234, KA123456, KAR1234, or TM, DF, BP, NP numbers";
        let fix = "Write the registration without blanks and hyphens, as on the number plate.";
        sheet.wrong(&rules::VEHICLE_FORM, "vehicleNo", number, message, expected, fix);
    }
}

fn document_date(sheet: &mut Sheet<'_>) {
    const PATH: &str = "transDocDate";
    let Some(date): Option<DocumentDate> = Field::get(&sheet.request.trans_doc_date) else { return };
    let today = DocumentDate::from(sheet.options.as_of);
    if date.date() > today.date() {
        let message = format!("the transport document's date {date} is later than today, {today}");
        sheet.wrong(&rules::DOC_FUTURE, PATH, date, message, format!("{today} or earlier"), "Correct the date.");
    }
    if let Some(document) = sheet.request.doc_date().filter(|document| date.date() < document.date()) {
        let message = format!("the transport document is of {date}, before the document of {document}");
        let fix = "Correct the date, or make a new transport document.";
        sheet.wrong(&rules::DOC_EARLY, PATH, date, message, format!("{document} or later"), fix);
    }
}
