//! Opened answers of the e-way bill system as core's types. Numbers come as numbers and as text, dates in all
//! forms of [`PortalTime::parse_any`](einvoice_core::date::PortalTime::parse_any), names in any case.

use einvoice_core::date::{DocumentDate, PortalTime};
use einvoice_core::ewb::{EwbNumber, TripSheetNumber};
use einvoice_core::identifier::Gstin;
use einvoice_core::operation::{
    EwbChanged, EwbDetails, EwbRow, EwbVehicle, InfoDetail, MadeEwb, Operation, Reply, Taxpayer, Transporter, TripSheet,
};
use einvoice_core::portal_code::PortalError;
use serde_json::value::RawValue;

use crate::members::{Members, elements, text_of};
use crate::reply::{ReplyError, joined, plain, same};

/// The names a bill's number has in replies.
const NUMBER: [&str; 2] = ["ewayBillNo", "ewbNo"];
/// The names the moment of an action has; the one of a changed vehicle of a group is printed nowhere.
const ACTION_DATES: [&str; 9] = [
    "vehUpdDate",
    "cEWBDate",
    "cancelDate",
    "ewbRejectedDate",
    "transUpdateDate",
    "updatedDate",
    "createdDate",
    "vehAddedDate",
    "closureDate",
];

/// What an answer says beside its content.
#[derive(Debug, Default)]
pub struct Beside {
    /// The sibling `alert`.
    pub alert: Option<String>,
    /// The sibling `info`.
    pub info: Vec<InfoDetail>,
}

/// Reads the opened answer to an operation of the e-way bill system.
///
/// # Errors
/// When it lacks what the operation should bring, or is about another bill than was asked.
pub fn typed(operation: &Operation, json: &str, beside: Beside) -> Result<Reply, ReplyError> {
    let json = plain(json);
    match operation {
        Operation::GenerateEwb { .. } | Operation::GetEwbByDocument { .. } => {
            Ok(Reply::EwayBill(Box::new(made(json, beside)?)))
        }
        Operation::GetEwb { number } => Ok(Reply::EwbDetails(Box::new(details(json, *number)?))),
        Operation::ListEwbs { .. } => Ok(Reply::EwbList(rows(json)?)),
        Operation::GetTripSheet { number } => Ok(Reply::TripSheet(Box::new(trip_sheet(json, *number)?))),
        Operation::EwbGstinDetails { gstin } => {
            let found = taxpayer(json)?;
            same("gstin", gstin.as_str(), &found.gstin)?;
            Ok(Reply::Taxpayer(Box::new(found)))
        }
        Operation::TransporterDetails { id } => {
            let found = transporter(json)?;
            same("transin", id, &found.id)?;
            Ok(Reply::Transporter(Box::new(found)))
        }
        Operation::HsnDetails { .. } => hsn(json),
        Operation::EwbErrorList => Ok(Reply::ErrorList(error_list(json)?)),
        _ => Ok(Reply::EwbChanged(Box::new(changed(operation, json, beside)?))),
    }
}

const fn missing(member: &'static str, expected: &'static str) -> ReplyError {
    ReplyError::Member { member, expected }
}

fn number_of(members: &Members<'_>) -> Option<EwbNumber> {
    members.any_text(&NUMBER).and_then(|number| EwbNumber::parse(&number).ok())
}

fn needed_number(members: &Members<'_>) -> Result<EwbNumber, ReplyError> {
    number_of(members).ok_or(missing("ewbNo", "a number of 12 digits"))
}

/// A member as text, but for the zero that some members have for nothing.
fn nonzero(members: &Members<'_>, name: &str) -> Option<String> {
    members.text(name).map(|text| text.trim().to_owned()).filter(|text| text.bytes().any(|byte| byte != b'0'))
}

fn flag(members: &Members<'_>, name: &str) -> bool {
    members.text(name).is_some_and(|text| text.trim().eq_ignore_ascii_case("Y"))
}

/// The answer to `GENEWAYBILL` and to the question by document.
fn made(json: &str, beside: Beside) -> Result<MadeEwb, ReplyError> {
    let members = Members::read(json, &["ewayBillNo", "validUpto"])?;
    Ok(MadeEwb {
        number: needed_number(&members)?,
        made_at: members.any_moment(&["ewayBillDate", "ewbDate"]),
        valid_till: members.moment("validUpto"),
        status: members.text("status"),
        generated_by: members.any_text(&["genGstin", "userGstin"]).and_then(|gstin| Gstin::parse(gstin.trim()).ok()),
        alert: joined([members.text("alert"), beside.alert]),
        info: beside.info,
    })
}

/// The answer to `GetEwayBill`.
fn details(json: &str, asked: EwbNumber) -> Result<EwbDetails, ReplyError> {
    let members = Members::read(json, &["ewbNo", "status", "validUpto", "rejectStatus"])?;
    let number = needed_number(&members)?;
    if number != asked {
        return Err(ReplyError::Another { member: "ewbNo" });
    }
    let vehicles = members.any(&["VehiclListDetails", "VehicleListDetails"]).and_then(|list| elements(list.get()));
    Ok(EwbDetails {
        number,
        made_at: members.any_moment(&["ewayBillDate", "ewbDate"]),
        valid_till: members.moment("validUpto"),
        status: members.text("status").ok_or(missing("status", "a word such as ACT"))?.trim().to_owned(),
        generated_by: members.any_text(&["userGstin", "genGstin"]).and_then(|gstin| Gstin::parse(gstin.trim()).ok()),
        is_rejected: flag(&members, "rejectStatus"),
        extended: whole(&members, "extendedTimes").unwrap_or_default(),
        distance_km: whole(&members, "actualDist"),
        transporter: members.text("transporterId"),
        vehicles: vehicles.unwrap_or_default().into_iter().map(vehicle).collect::<Result<_, _>>()?,
        content: json.to_owned(),
    })
}

/// A whole number, given as number, as text or with a zero fraction.
fn whole<N: std::str::FromStr>(members: &Members<'_>, name: &str) -> Option<N> {
    let text = members.text(name)?;
    let text = text.trim();
    let plain = text.split_once('.').filter(|(_, rest)| rest.bytes().all(|byte| byte == b'0')).map_or(text, |(n, _)| n);
    plain.parse().ok()
}

/// A date, with a time behind it or without.
fn day(text: &str) -> Option<DocumentDate> {
    let text = text.trim();
    DocumentDate::parse(text).ok().or_else(|| PortalTime::parse_any(text).map(|moment| moment.date().into()))
}

fn vehicle(entry: &RawValue) -> Result<EwbVehicle, ReplyError> {
    let members = Members::read(entry.get(), &[])?;
    Ok(EwbVehicle {
        vehicle: members.text("vehicleNo"),
        mode: members.text("transMode"),
        document: members.text("transDocNo"),
        document_date: members.text("transDocDate").and_then(|date| day(&date)),
        from_place: members.text("fromPlace"),
        entered_at: members.moment("enteredDate"),
        group: nonzero(&members, "groupNo"),
        trip_sheet: nonzero(&members, "tripshtNo"),
    })
}

/// The answer to an action on a bill.
fn changed(operation: &Operation, json: &str, beside: Beside) -> Result<EwbChanged, ReplyError> {
    let members = Members::read(json, &["ewayBillNo", "ewbNo", "validUpto"])?;
    let number = number_of(&members);
    if asked_number(operation).zip(number).is_some_and(|(asked, number)| asked != number) {
        return Err(ReplyError::Another { member: "ewbNo" });
    }
    let info = beside.info.into_iter().map(|info| Some(info.description));
    let changed = EwbChanged {
        number,
        at: members.any_moment(&ACTION_DATES).or_else(|| any_date(&members)),
        valid_till: members.moment("validUpto"),
        transporter: members.text("transporterId"),
        group: nonzero(&members, "groupNo"),
        trip_sheet: sheet_number(&members),
        // That the sheet was made is certain; which bills are on it the ledger knows as well.
        bills: bills_on(&members).ok().flatten().unwrap_or_default(),
        alert: joined([members.text("alert"), beside.alert].into_iter().chain(info)),
    };
    if let (Operation::UpdateTransporter { transporter, .. }, Some(found)) = (operation, &changed.transporter) {
        same("transporterId", transporter, found)?;
    }
    match operation {
        Operation::ConsolidateEwb { .. } | Operation::RegenerateTripSheet { .. } if changed.trip_sheet.is_none() => {
            Err(missing("cEwbNo", "a number of 10 digits"))
        }
        Operation::StartMultiVehicle { .. } if changed.group.is_none() => Err(missing("groupNo", "a number")),
        _ if changed.number.is_none() && changed.at.is_none() && changed.trip_sheet.is_none() => {
            Err(missing("ewayBillNo", "a number of 12 digits, and neither is there a date"))
        }
        _ => Ok(changed),
    }
}

fn asked_number(operation: &Operation) -> Option<EwbNumber> {
    Some(match operation {
        Operation::UpdatePartB { request } => request.number,
        Operation::ExtendValidity { request } => request.number,
        Operation::StartMultiVehicle { request } => request.number,
        Operation::AddVehicle { request } => request.number,
        Operation::ChangeVehicle { request } => request.number,
        Operation::CloseEwb { request } => request.number,
        Operation::UpdateTransporter { number, .. }
        | Operation::CancelEwb { number, .. }
        | Operation::RejectEwb { number } => *number,
        _ => return None,
    })
}

/// The moment in a member whose name nobody prints, but which is called some date.
fn any_date(members: &Members<'_>) -> Option<PortalTime> {
    let is_date = |name: &str| name.to_ascii_lowercase().contains("date");
    members.iter().filter(|(name, _)| is_date(name)).find_map(|(name, _)| members.moment(name))
}

fn sheet_number(members: &Members<'_>) -> Option<TripSheetNumber> {
    members.any_text(&["cEwbNo", "tripSheetNo"]).and_then(|number| TripSheetNumber::parse(&number).ok())
}

/// The answer to a question for a list. A row that cannot be read makes the whole answer unreadable: a bill that
/// silently is not there would be taken for one that does not exist.
fn rows(json: &str) -> Result<Vec<EwbRow>, ReplyError> {
    let row = |entry: &RawValue| {
        let members = Members::read(entry.get(), &["ewbNo"])?;
        Ok(EwbRow {
            number: needed_number(&members)?,
            made_at: members.any_moment(&["ewbDate", "ewayBillDate"]),
            status: members.text("status"),
            generated_by: members.any_text(&["genGstin", "userGstin"]),
            doc_no: members.text("docNo"),
            doc_date: members.text("docDate"),
            place: members.text("delPlace"),
            valid_till: members.moment("validUpto"),
            is_rejected: flag(&members, "rejectStatus"),
        })
    };
    listed(json).ok_or(missing("(the list)", "an array of e-way bills"))?.into_iter().map(row).collect()
}

/// The elements of an array, or of the one array inside an object.
fn listed(json: &str) -> Option<Vec<&RawValue>> {
    if let Some(list) = elements(json) {
        return Some(list);
    }
    let members = Members::read(json, &[]).ok()?;
    members.iter().find_map(|(_, value)| elements(value.get()))
}

/// The answer to `GetTripSheet`.
fn trip_sheet(json: &str, asked: TripSheetNumber) -> Result<TripSheet, ReplyError> {
    let members = Members::read(json, &["tripSheetNo", "cEwbNo"])?;
    let number = sheet_number(&members).ok_or(missing("tripSheetNo", "a number of 10 digits"))?;
    if number != asked {
        return Err(ReplyError::Another { member: "tripSheetNo" });
    }
    let bills = bills_on(&members)?.ok_or(missing("tripSheetEwbBills", "a list of e-way bills"))?;
    Ok(TripSheet { number, vehicle: members.text("vehicleNo"), bills, content: json.to_owned() })
}

/// The bills that a trip sheet lists, under the names that its pages print and any other that speaks of bills;
/// nothing where there is no such list. One bill that cannot be read makes the whole answer unreadable, as in
/// [`rows`]: a sheet with a bill less would be taken for another one.
fn bills_on(members: &Members<'_>) -> Result<Option<Vec<EwbNumber>>, ReplyError> {
    let is_list = |name: &str, entries: &[&RawValue]| {
        let name = name.to_ascii_lowercase();
        let names_one =
            |entry: &&RawValue| Members::read(entry.get(), &[]).is_ok_and(|members| members.any(&NUMBER).is_some());
        name.contains("bill") || name.contains("ewb") || entries.iter().any(names_one)
    };
    let lists = members.iter().filter_map(|(name, value)| Some((name, elements(value.get())?)));
    let mut found: Option<Vec<EwbNumber>> = None;
    for (_, entries) in lists.filter(|(name, entries)| is_list(name, entries)) {
        let numbers = found.get_or_insert_default();
        for entry in entries {
            let number = Members::read(entry.get(), &NUMBER).map_or_else(
                // A bare number stands for its bill.
                |_| text_of(entry).and_then(|number| EwbNumber::parse(&number).ok()),
                |members| number_of(&members),
            );
            numbers.push(number.ok_or(missing("ewbNo", "a number of 12 digits in each entry"))?);
        }
    }
    Ok(found)
}

/// The parts of an address, empty ones left out.
fn address(members: &Members<'_>) -> Vec<String> {
    ["address1", "address2"].iter().filter_map(|name| members.text(name)).collect()
}

/// The answer to `GetGSTINDetails`.
fn taxpayer(json: &str) -> Result<Taxpayer, ReplyError> {
    let members = Members::read(json, &["gstin", "status", "blkStatus"])?;
    Ok(Taxpayer {
        gstin: members.text("gstin").ok_or(missing("gstin", "a GSTIN"))?.trim().to_owned(),
        legal_name: members.text("legalName"),
        trade_name: members.text("tradeName"),
        address: address(&members),
        state_code: members.text("stateCode"),
        pin: nonzero(&members, "pinCode"),
        taxpayer_type: members.text("txpType"),
        status: members.text("status"),
        block_status: members.text("blkStatus"),
        registered_on: None,
        deregistered_on: None,
    })
}

/// The answer to `GetTransporterDetails`.
fn transporter(json: &str) -> Result<Transporter, ReplyError> {
    let members = Members::read(json, &["transin"])?;
    let id = members.any_text(&["transin", "gstin"]).ok_or(missing("transin", "a GSTIN or TRANSIN"))?;
    Ok(Transporter {
        id: id.trim().to_owned(),
        legal_name: members.text("legalName"),
        trade_name: members.text("tradeName"),
        address: address(&members),
        state_code: members.text("stateCode"),
        pin: nonzero(&members, "pinCode"),
    })
}

/// The answer to `GetHsnDetailsByHsnCode`.
fn hsn(json: &str) -> Result<Reply, ReplyError> {
    let members = Members::read(json, &["hsnCode"])?;
    let code = members.text("hsnCode").ok_or(missing("hsnCode", "an HSN code"))?.trim().to_owned();
    Ok(Reply::Hsn { code, description: members.text("hsnDesc").unwrap_or_default() })
}

/// The answer to `GetErrorList`. Its names are printed nowhere, so those of similar lists are all taken.
fn error_list(json: &str) -> Result<Vec<PortalError>, ReplyError> {
    let wrong = missing("(the list)", "an array of codes and texts");
    let error = |entry: &RawValue| {
        let members = Members::read(entry.get(), &[])?;
        let code = members.any(&["errorCode", "errorCodes", "code"]).and_then(text_of).ok_or(wrong.clone())?;
        let text = members.any_text(&["errorDesc", "errorMessage", "errorDescription", "description", "message"]);
        Ok(PortalError::new(code, text.unwrap_or_default()))
    };
    listed(json).ok_or(wrong.clone())?.into_iter().map(error).collect()
}

#[cfg(test)]
#[path = "replies_tests.rs"]
mod tests;
