//! The e-way bill asked for with an IRN.
//!
//! Faults here do not refuse the IRN: the portal registers the document and answers that the e-way bill could not be
//! made (`InfoDtls` EWBERR). They are warnings therefore, so that the lorry does not wait for what could be seen
//! before.

use std::fmt;

use crate::date::DocumentDate;
use crate::document::{EwbDtls, Field, Invoice, SupplyType, Text, YesNo};
use crate::finding::{Finding, Severity};
use crate::identifier::StateCode;
use crate::key::DocumentType;
use crate::number::Whole;

use super::places::{self, ABROAD};
use super::{CheckOptions, Rule, Sheet, rule_by_id, table};

pub(super) fn check(sheet: &mut Sheet<'_>) {
    let Some(ewb) = &sheet.invoice.ewb_dtls else { return };
    document(sheet);
    transport(sheet, ewb);
    transport_document(sheet, ewb);
    distance(sheet, ewb);
    addresses(sheet);
}

/// Judges `EwbDtls` as the later request for the bill of a registered document, which stands in `invoice` with the
/// addresses of that request. The same rules, though nothing is registered if one is broken: what is certain among them
/// is an error.
pub(crate) fn check_later(invoice: &Invoice, is_known: bool, options: &CheckOptions) -> Vec<Finding> {
    let mut sheet = Sheet { invoice, options, findings: Vec::new() };
    let Some(ewb) = &invoice.ewb_dtls else { return sheet.findings };
    if is_known {
        document(&mut sheet);
    }
    transport(&mut sheet, ewb);
    transport_document(&mut sheet, ewb);
    distance(&mut sheet, ewb);
    addresses(&mut sheet);
    if let Some(dispatch) = invoice.disp_dtls.as_ref().filter(|dispatch| !no_pin(&dispatch.pin)) {
        places::place(&mut sheet, "DispDtls", dispatch.stcd.get(), &dispatch.pin, &table::OTHER_STATE);
    }
    let mut findings = sheet.findings;
    for finding in &mut findings {
        let settled = rule_by_id(&finding.rule).is_some_and(|rule| rule.unsettled.is_none());
        if settled {
            finding.severity = Severity::Error;
        }
        options.settings.regrade(finding);
    }
    findings
}

fn warn(sheet: &mut Sheet<'_>, rule: &Rule, path: &str, message: impl Into<String>, expected: &str, fix: &str) {
    sheet.push(rule.finding(path, message).with_expected(expected).with_fix(fix));
}

/// The same about a value that is there.
fn warn_of(
    sheet: &mut Sheet<'_>,
    rule: &Rule,
    path: &str,
    found: impl fmt::Display,
    message: impl Into<String>,
    expected: &str,
    fix: &str,
) {
    sheet.push(rule.finding(path, message).with_found(found).with_expected(expected).with_fix(fix));
}

fn document(sheet: &mut Sheet<'_>) {
    let invoice = sheet.invoice;
    if let Some(typ) = invoice.doc_dtls.typ.get().filter(|typ| *typ != DocumentType::Invoice) {
        warn(
            sheet,
            &table::EWB_DOCUMENT,
            "EwbDtls",
            format!("an e-way bill is asked for with document type {typ}"),
            "EwbDtls with invoices only",
            "Leave EwbDtls out; make the e-way bill of a return in the e-way bill system.",
        );
    }
    let goods = |item: &crate::document::Item| item.is_servc.get() != Some(YesNo::Yes);
    if !invoice.item_list.is_empty() && !invoice.item_list.iter().any(goods) {
        warn(
            sheet,
            &table::EWB_GOODS,
            "EwbDtls",
            "an e-way bill is asked for, and all items are services",
            "at least one item of goods",
            "Leave EwbDtls out: services need no e-way bill.",
        );
    }
}

/// Which mode of transport the document states.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Road,
    RailOrAir,
    Ship,
}

fn mode(ewb: &EwbDtls) -> Option<Mode> {
    match &**ewb.trans_mode.as_ref()? {
        "1" => Some(Mode::Road),
        "2" | "3" => Some(Mode::RailOrAir),
        "4" => Some(Mode::Ship),
        _ => None,
    }
}

fn transport(sheet: &mut Sheet<'_>, ewb: &EwbDtls) {
    let over_dimensional = text(&ewb.veh_type) == Some("O");
    let no_document = ewb.trans_doc_no.is_absent();
    match mode(ewb) {
        None if !ewb.trans_mode.is_absent() => {}
        None if !ewb.veh_no.is_absent() || !no_document => warn(
            sheet,
            &table::EWB_MODE_MISSING,
            "EwbDtls.TransMode",
            "a vehicle or transport document is given without the mode of transport",
            "1 road, 2 rail, 3 air or 4 ship",
            "Give TransMode, or leave vehicle and document out for a Part A slip.",
        ),
        None if ewb.trans_id.is_absent() => warn(
            sheet,
            &table::EWB_MODE,
            "EwbDtls.TransMode",
            "neither the mode of transport nor the transporter is given",
            "TransMode with its details, or TransId for a Part A slip",
            "Give the vehicle, or the transporter who will name it.",
        ),
        Some(Mode::Road) => road(sheet, ewb),
        Some(Mode::RailOrAir) if over_dimensional => warn_of(
            sheet,
            &table::EWB_ODC,
            "EwbDtls.VehType",
            "O",
            "an over-dimensional vehicle goes by rail or air",
            "R, or nothing",
            "Leave VehType out.",
        ),
        None | Some(Mode::RailOrAir) => {}
        Some(Mode::Ship) => {
            if ewb.veh_no.is_absent() && no_document {
                warn(
                    sheet,
                    &table::EWB_SHIP_MODE,
                    "EwbDtls.VehNo",
                    "transport by ship names neither vehicle nor document",
                    "VehNo, or TransDocNo and TransDocDt",
                    "Give the bill of lading, or the vehicle to the port.",
                );
            }
            // Also where a document stands for the vehicle: the type alone is refused.
            if let Some(kind) = text(&ewb.veh_type).filter(|_| !over_dimensional) {
                warn_of(
                    sheet,
                    &table::EWB_SHIP_TYPE,
                    "EwbDtls.VehType",
                    kind,
                    "a regular vehicle is given for transport by ship",
                    "O, or nothing",
                    "Leave VehType out, or use mode 1 for the way to the port.",
                );
            }
        }
    }
    if let Some(number) = text(&ewb.veh_no).filter(|number| !is_vehicle_number(number)) {
        sheet.push(
            table::EWB_VEHICLE_FORM
                .finding("EwbDtls.VehNo", format!("vehicle number {number} has the form of no registration"))
                .with_found(number)
                .with_expected("for instance KA12KA1234, KA12K1234, KA123456, KAR1234, or TR, DF, BP, NP numbers")
                .with_fix("Write the registration without blanks and hyphens, as on the number plate."),
        );
    }
}

fn road(sheet: &mut Sheet<'_>, ewb: &EwbDtls) {
    if ewb.veh_no.is_absent() {
        warn(
            sheet,
            &table::EWB_VEHICLE,
            "EwbDtls.VehNo",
            "transport by road names no vehicle",
            "a vehicle number",
            "Give VehNo, or leave TransMode out and give TransId for a Part A slip.",
        );
    } else if ewb.veh_type.is_absent() {
        warn(
            sheet,
            &table::EWB_VEHICLE_TYPE,
            "EwbDtls.VehType",
            "the type of the vehicle is missing",
            "R regular, or O over-dimensional",
            "Give VehType; R is the usual one.",
        );
    }
}

fn transport_document(sheet: &mut Sheet<'_>, ewb: &EwbDtls) {
    if mode(ewb) == Some(Mode::RailOrAir) {
        let fix = "Give number and date of the railway receipt or airway bill.";
        if ewb.trans_doc_no.is_absent() {
            let message = "transport by rail or air names no transport document";
            warn(sheet, &table::EWB_DOC_NO, "EwbDtls.TransDocNo", message, "a document number", fix);
        }
        if ewb.trans_doc_dt.is_absent() {
            let message = "transport by rail or air gives no date of the transport document";
            warn(sheet, &table::EWB_DOC_DATE, "EwbDtls.TransDocDt", message, "a date, DD/MM/YYYY", fix);
        }
    }
    let Some(date) = ewb.trans_doc_dt.get() else { return };
    let reported = sheet.options.as_of;
    if date.date() > reported {
        let today = DocumentDate::from(reported);
        let message = format!("the transport document's date {date} lies after the day of reporting {today}");
        let fix = "Correct the date.";
        let expected = format!("{today} or earlier");
        warn_of(sheet, &table::EWB_DOC_FUTURE, "EwbDtls.TransDocDt", date, message, &expected, fix);
    }
    if let Some(document) = sheet.invoice.doc_dtls.dt.get().filter(|document| date.date() < document.date()) {
        let message = format!("the transport document is of {date}, before the invoice of {document}");
        let fix = "Correct the date, or make a new transport document.";
        let expected = format!("{document} or later");
        warn_of(sheet, &table::EWB_DOC_EARLY, "EwbDtls.TransDocDt", date, message, &expected, fix);
    }
}

/// The two PIN codes of the journey: dispatch or supplier, ship-to or recipient.
fn journey(sheet: &Sheet<'_>) -> Option<(i64, i64)> {
    let invoice = sheet.invoice;
    let from = invoice.disp_dtls.as_ref().map_or(&invoice.seller_dtls.pin, |dispatch| &dispatch.pin);
    let to = invoice.ship_dtls.as_ref().map_or(&invoice.buyer_dtls.pin, |ship| &ship.pin);
    Some((from.get()?.units(), to.get()?.units()))
}

/// Furthest that two places with one PIN code can lie apart, in km.
const SAME_PIN_KM: i64 = 100;

fn distance(sheet: &mut Sheet<'_>, ewb: &EwbDtls) {
    const PATH: &str = "EwbDtls.Distance";
    let (Some(distance), Some((from, to))) = (ewb.distance.get(), journey(sheet)) else { return };
    let km = distance.units();
    if km == 0 && (from == ABROAD || to == ABROAD) {
        let message = "the portal computes no distance where a PIN code is 999999";
        let fix = "Give the distance in km to the port or place from which the goods leave.";
        warn_of(sheet, &table::EWB_FOREIGN_PIN, PATH, km, message, "the distance in km", fix);
    } else if from == to && !(1..=SAME_PIN_KM).contains(&km) {
        let message = format!("both places have PIN code {from}, and the distance is {km} km");
        let fix = "Give the distance between the two places.";
        warn_of(sheet, &table::EWB_SAME_PIN, PATH, km, message, "1 to 100 km", fix);
    }
}

fn addresses(sheet: &mut Sheet<'_>) {
    let invoice = sheet.invoice;
    let abroad = |state: &Field<StateCode>| state.get() == Some(StateCode::OTHER_COUNTRY);
    let fix = "Give the port or place in India from which the goods leave.";
    if invoice.tran_dtls.sup_typ.get().is_some_and(SupplyType::is_export) {
        match &invoice.ship_dtls {
            None => {
                let message = "the e-way bill of an export needs the port or place of exit as ship-to";
                warn(sheet, &table::EWB_EXPORT_SHIP, "ShipDtls", message, "ShipDtls with a place in India", fix);
            }
            Some(ship) => {
                if abroad(&ship.stcd) {
                    let message = "the ship-to state of an export's e-way bill is 96";
                    let expected = "the state of the port";
                    warn_of(
                        sheet,
                        &table::EWB_EXPORT_SHIP_STATE,
                        "ShipDtls.Stcd",
                        StateCode::OTHER_COUNTRY,
                        message,
                        expected,
                        fix,
                    );
                }
                if no_pin(&ship.pin) {
                    let message = "the ship-to PIN code of an export's e-way bill is 999999";
                    let expected = "the PIN code of the port";
                    warn_of(sheet, &table::EWB_EXPORT_SHIP_PIN, "ShipDtls.Pin", ABROAD, message, expected, fix);
                }
            }
        }
    }
    if let Some(dispatch) = &invoice.disp_dtls {
        let fix = "Give the place in India from which the goods are sent.";
        if abroad(&dispatch.stcd) {
            let message = "the goods are dispatched from state 96, which is abroad";
            warn_of(
                sheet,
                &table::EWB_DISPATCH_STATE,
                "DispDtls.Stcd",
                StateCode::OTHER_COUNTRY,
                message,
                "a state of India",
                fix,
            );
        }
        if no_pin(&dispatch.pin) {
            let message = "the goods are dispatched from PIN code 999999";
            warn_of(sheet, &table::EWB_DISPATCH_PIN, "DispDtls.Pin", ABROAD, message, "a PIN code of India", fix);
        }
    }
}

/// PIN code 999999.
fn no_pin(pin: &Field<Whole>) -> bool {
    pin.get().is_some_and(|pin| pin.units() == ABROAD)
}

fn text(field: &Field<Text>) -> Option<&str> {
    field.as_ref().map(|text| &**text)
}

/// State letters, then up to two digits (three before letters), up to three letters and one to four digits; or one of
/// the special series (temporary, which the two systems abbreviate differently, defence, Bhutan, Nepal) with anything
/// after the two letters.
pub(crate) fn is_vehicle_number(number: &str) -> bool {
    let bytes = number.as_bytes();
    let run = |from: usize, most: usize, wanted: fn(&u8) -> bool| {
        bytes.get(from..).unwrap_or_default().iter().take(most).take_while(|byte| wanted(byte)).count()
    };
    let [first, second, ..] = bytes else { return false };
    if ["TR", "TM", "DF", "BP", "NP"].iter().any(|series| series.as_bytes().eq_ignore_ascii_case(&[*first, *second])) {
        return true;
    }
    if !first.is_ascii_alphabetic() || !second.is_ascii_alphabetic() {
        return false;
    }
    let long = run(2, 3, u8::is_ascii_digit) == 3 && bytes.get(5).is_some_and(u8::is_ascii_alphabetic);
    let district = if long { 5 } else { 2 + run(2, 2, u8::is_ascii_digit) };
    let series = district + run(district, 3, u8::is_ascii_alphabetic);
    let number_digits = run(series, 4, u8::is_ascii_digit);
    (1..=4).contains(&number_digits) && series + number_digits == bytes.len()
}

#[cfg(test)]
mod tests {
    use super::is_vehicle_number;

    #[test]
    fn vehicle_numbers_have_the_forms_the_form_names() {
        for number in [
            "KA12KA1234",
            "KA12K1234",
            "KA123456",
            "KAR1234",
            "ka12ka1234",
            "TRAB1234",
            "DF21A123456",
            "DL1CAB1234",
            "KA123A1234",
            "TM12AB1234",
        ] {
            assert!(is_vehicle_number(number), "{number}");
        }
        for number in ["1234", "K12A1234", "KA12KA12345", "KA12KA", "KA"] {
            assert!(!is_vehicle_number(number), "{number}");
        }
    }
}
