//! What each operation asks of the e-way bill system: address, action, and the JSON that is sealed.
//!
//! Members, their order and their types are those of NIC's pages (e-way bill API 1.03), which are not of one mind:
//! `transMode` is a text where a vehicle changes, `cancelRsnCode` is a number.

use std::borrow::Cow;

use einvoice_core::date::DocumentDate;
use einvoice_core::ewb::request::{
    AddVehicle, Carriage, ChangeVehicle, Closure, Consolidation, EwbList, Extension, MultiVehicle, PartB, Regeneration,
};
use einvoice_core::ewb::{EwbNumber, TransMode, TransitType, VehicleType};
use einvoice_core::operation::{Operation, OperationKind};

use super::settings::{ClosureNames, EwbEndpoints, EwbSettings};
use crate::endpoints::{below, percent_encode};
use crate::object::Object;

/// A question to the e-way bill system before sealing.
#[derive(Debug)]
pub(crate) struct Outgoing<'a> {
    pub(crate) path_and_query: String,
    /// Action and JSON of a POST; nothing for a GET.
    pub(crate) action: Option<(&'a str, Cow<'a, [u8]>)>,
}

/// The question of an operation; nothing for those of the IRP.
pub(crate) fn outgoing<'a>(settings: &'a EwbSettings, operation: &'a Operation) -> Option<Outgoing<'a>> {
    if let Some(action) = write(&settings.closure_names, operation) {
        return Some(Outgoing { path_and_query: settings.endpoints.ewayapi.clone(), action: Some(action) });
    }
    question(&settings.endpoints, operation).map(|path_and_query| Outgoing { path_and_query, action: None })
}

/// Action and JSON of a write, not yet sealed; nothing for a read, and for the IRP.
pub(crate) fn write<'a>(names: &'a ClosureNames, operation: &'a Operation) -> Option<(&'a str, Cow<'a, [u8]>)> {
    if let Operation::GenerateEwb { payload } = operation {
        return Some(("GENEWAYBILL", Cow::Borrowed(payload.as_ref())));
    }
    action(names, operation).map(|(action, object)| (action, Cow::Owned(object.finish().into_bytes())))
}

fn action<'a>(names: &'a ClosureNames, operation: &Operation) -> Option<(&'a str, Object)> {
    Some(match operation {
        Operation::UpdatePartB { request } => ("VEHEWB", part_b(request)),
        Operation::UpdateTransporter { number, transporter } => {
            ("UPDATETRANSPORTER", bill(*number).text("transporterId", transporter))
        }
        Operation::ExtendValidity { request } => ("EXTENDVALIDITY", extension(request)),
        Operation::ConsolidateEwb { request } => ("GENCEWB", consolidation(request)),
        Operation::RegenerateTripSheet { request } => ("REGENTRIPSHEET", regeneration(request)),
        Operation::CancelEwb { number, reason, remark } => {
            ("CANEWB", bill(*number).number("cancelRsnCode", reason.ewb_code()).text("cancelRmrk", remark))
        }
        Operation::RejectEwb { number } => ("REJEWB", bill(*number)),
        Operation::StartMultiVehicle { request } => ("MULTIVEHMOVINT", multi_vehicle(request)),
        Operation::AddVehicle { request } => ("MULTIVEHADD", add_vehicle(request)),
        Operation::ChangeVehicle { request } => ("MULTIVEHUPD", change_vehicle(request)),
        Operation::CloseEwb { request } => (names.action.as_str(), closure(names, request)),
        _ => return None,
    })
}

/// The system's name for what a call as it is can be of: the acts on a bill, and the reading of one.
pub(crate) const fn raw_action(kind: OperationKind) -> Option<&'static str> {
    Some(match kind {
        OperationKind::GenerateEwb => "GENEWAYBILL",
        OperationKind::UpdatePartB => "VEHEWB",
        OperationKind::CancelEwb => "CANEWB",
        OperationKind::GetEwb => "GetEwayBill",
        _ => return None,
    })
}

fn question(endpoints: &EwbEndpoints, operation: &Operation) -> Option<String> {
    let (from, name, parameters) = read(operation)?;
    let base = match from {
        From::Bills => &endpoints.ewayapi,
        From::Masters => &endpoints.master,
    };
    let mut address = below(base, name);
    for (at, (name, value)) in parameters.iter().enumerate() {
        address.push(if at == 0 { '?' } else { '&' });
        address.push_str(name);
        address.push('=');
        address.push_str(&percent_encode(value));
    }
    Some(address)
}

/// What a read is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum From {
    Bills,
    Masters,
}

/// Parameters of a read, by the system's names and in its order.
pub(crate) type Parameters = Vec<(&'static str, String)>;

/// Name and parameters of a read; nothing for a write, and for the IRP.
pub(crate) fn read(operation: &Operation) -> Option<(From, &'static str, Parameters)> {
    Some(match operation {
        Operation::GetEwb { number } => (From::Bills, "GetEwayBill", vec![("ewbNo", number.to_string())]),
        Operation::GetEwbByDocument { doc_type, number } => (
            From::Bills,
            "GetEwayBillGeneratedByConsigner",
            vec![("docType", doc_type.clone()), ("docNo", number.clone())],
        ),
        Operation::ListEwbs { list, date } => {
            let (name, parameters) = list_of(list, *date)?;
            (From::Bills, name, parameters)
        }
        Operation::GetTripSheet { number } => (From::Bills, "GetTripSheet", vec![("tripSheetNo", number.to_string())]),
        Operation::EwbGstinDetails { gstin } => (From::Masters, "GetGSTINDetails", vec![("GSTIN", gstin.to_string())]),
        Operation::TransporterDetails { id } => (From::Masters, "GetTransporterDetails", vec![("trn_no", id.clone())]),
        Operation::HsnDetails { code } => (From::Masters, "GetHsnDetailsByHsnCode", vec![("hsncode", code.clone())]),
        Operation::EwbErrorList => (From::Masters, "GetErrorList", Vec::new()),
        _ => return None,
    })
}

/// Name and parameters of a list. The system wants them in the order of its pages; for the list by the day of
/// assignment these print both orders.
fn list_of(list: &EwbList, date: DocumentDate) -> Option<(&'static str, Vec<(&'static str, String)>)> {
    let date = ("date", date.to_string());
    Some(match list {
        EwbList::Own => ("GetEwayBillsByDate", vec![date]),
        EwbList::ForTransporter => ("GetEwayBillsForTransporter", vec![date]),
        EwbList::ForTransporterOf { generator } => {
            ("GetEwayBillsForTransporterByGstin", vec![("Gen_gstin", generator.to_string()), date])
        }
        EwbList::ForTransporterInState { state } => {
            ("GetEwayBillsForTransporterByState", vec![date, ("stateCode", state.to_string())])
        }
        EwbList::AssignedInState { state } => {
            ("GetEwayBillReportByTransporterassignedDate", vec![date, ("stateCode", state.to_string())])
        }
        EwbList::OfOtherParty => ("GetEwayBillsofOtherParty", vec![date]),
        EwbList::RejectedByOthers => ("GetEwayBillsRejectedByOthers", vec![date]),
        _ => return None,
    })
}

fn bill(number: EwbNumber) -> Object {
    Object::new().number("ewbNo", number.get())
}

/// Number and date of the transport document, and the mode, as VEHEWB, GENCEWB and their like spell them.
fn document(object: Object, carriage: &Carriage) -> Object {
    let date = carriage.document_date.map(|date| date.to_string());
    object
        .some_text("transDocNo", carriage.document.as_deref())
        .some_text("transDocDate", date.as_deref())
        .some_text("transMode", carriage.mode.map(TransMode::code))
}

fn part_b(request: &PartB) -> Object {
    let object = bill(request.number)
        .some_text("vehicleNo", request.carriage.vehicle.as_deref())
        .text("fromPlace", &request.from_place)
        .number("fromState", request.from_state)
        .text("reasonCode", request.reason.code())
        .text("reasonRem", &request.remark);
    document(object, &request.carriage).some_text("vehicleType", request.carriage.vehicle_type.map(VehicleType::code))
}

fn extension(request: &Extension) -> Object {
    let object = bill(request.number)
        .some_text("vehicleNo", request.carriage.vehicle.as_deref())
        .text("fromPlace", &request.from_place)
        // A text here, of two digits as state codes are written; a number in every other action.
        .text("fromState", &format!("{:02}", request.from_state))
        .number("remainingDistance", request.remaining_km);
    let object = document(object, &request.carriage)
        .json("extnRsnCode", request.reason.code())
        .text("extnRemarks", &request.remark)
        .number("fromPincode", request.from_pin)
        .text("consignmentStatus", request.status.code())
        // Empty for goods that move: a client that works sends it so.
        .text("transitType", request.transit.map_or("", TransitType::code));
    ["addressLine1", "addressLine2", "addressLine3"]
        .into_iter()
        .zip(&request.address)
        .fold(object, |object, (name, line)| object.text(name, line))
}

fn consolidation(request: &Consolidation) -> Object {
    let object = Object::new()
        .text("fromPlace", &request.from_place)
        .number("fromState", request.from_state)
        .some_text("vehicleNo", request.carriage.vehicle.as_deref());
    let bills: Vec<String> = request.bills.iter().map(|number| bill(*number).finish()).collect();
    document(object, &request.carriage).json("tripSheetEwbBills", &format!("[{}]", bills.join(",")))
}

fn regeneration(request: &Regeneration) -> Object {
    let object = Object::new()
        .number("tripSheetNo", request.trip_sheet.get())
        .some_text("vehicleNo", request.carriage.vehicle.as_deref())
        .text("fromPlace", &request.from_place)
        .number("fromState", request.from_state);
    document(object, &request.carriage).json("reasonCode", request.reason.code()).text("reasonRem", &request.remark)
}

fn multi_vehicle(request: &MultiVehicle) -> Object {
    bill(request.number)
        .text("reasonCode", request.reason.code())
        .text("reasonRem", &request.remark)
        .text("fromPlace", &request.from_place)
        .number("fromState", request.from_state)
        .text("toPlace", &request.to_place)
        .number("toState", request.to_state)
        .text("transMode", request.mode.code())
        .json("totalQuantity", &request.quantity.to_string())
        .text("unitCode", &request.unit)
}

fn add_vehicle(request: &AddVehicle) -> Object {
    let date = request.carriage.document_date.map(|date| date.to_string());
    bill(request.number)
        .text("groupNo", &request.group)
        .some_text("vehicleNo", request.carriage.vehicle.as_deref())
        .some_text("transDocNo", request.carriage.document.as_deref())
        .some_text("transDocDate", date.as_deref())
        .json("quantity", &request.quantity.to_string())
}

/// The names of the vehicles differ in case, as NIC's page prints them.
fn change_vehicle(request: &ChangeVehicle) -> Object {
    bill(request.number)
        .text("groupNo", &request.group)
        .some_text("oldvehicleNo", request.old.vehicle.as_deref())
        .some_text("newVehicleNo", request.new.vehicle.as_deref())
        .some_text("oldTranNo", request.old.document.as_deref())
        .some_text("newTranNo", request.new.document.as_deref())
        .text("fromPlace", &request.from_place)
        .number("fromState", request.from_state)
        .text("reasonCode", request.reason.code())
        .text("reasonRem", &request.remark)
}

fn closure(names: &ClosureNames, request: &Closure) -> Object {
    Object::new()
        .number(&names.number, request.number.get())
        .text(&names.date, &request.date.to_string())
        .text(&names.remarks, &request.remark)
}
