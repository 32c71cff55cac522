//! What each operation asks of an IRP: address, and the JSON that is sealed.

use std::borrow::Cow;

use einvoice_core::ewb::request::{EwbByIrn, Place};
use einvoice_core::ewb::{TransMode, VehicleType};
use einvoice_core::operation::Operation;

use crate::endpoints::{Endpoints, below, percent_encode};
use crate::object::Object;

/// A question to an IRP before sealing.
#[derive(Debug)]
pub(crate) struct Outgoing<'a> {
    pub(crate) path_and_query: String,
    /// The JSON of a POST; nothing for a GET.
    pub(crate) plain: Option<Cow<'a, [u8]>>,
    /// Value of the `irp` header.
    pub(crate) site: Option<&'a str>,
}

/// The question of an operation; nothing for those of the e-way bill system.
pub(crate) fn outgoing<'a>(endpoints: &Endpoints, operation: &'a Operation) -> Option<Outgoing<'a>> {
    let get =
        |path_and_query, site: &'a Option<String>| Outgoing { path_and_query, plain: None, site: site.as_deref() };
    let post =
        |path: &String, site: Option<&'a str>| Outgoing { path_and_query: path.clone(), plain: json(operation), site };
    Some(match operation {
        Operation::GenerateIrn { .. } => post(&endpoints.generate_irn, None),
        Operation::CancelIrn { site, .. } => post(&endpoints.cancel_irn, site.as_deref()),
        Operation::GetIrn { irn, site } => get(below(&endpoints.get_irn, &irn.to_string()), site),
        Operation::GetIrnByDocument { doc_type, number, date, site } => {
            let query = format!(
                "{}?doctype={doc_type}&docnum={}&docdate={}",
                endpoints.get_irn_by_document,
                percent_encode(number.as_str()),
                percent_encode(&date.to_string()),
            );
            get(query, site)
        }
        Operation::RejectedIrns { date, site } => {
            get(format!("{}?date={}", endpoints.rejected_irns, percent_encode(&date.to_string())), site)
        }
        Operation::GenerateEwbByIrn { site, .. } => post(&endpoints.generate_ewb_by_irn, site.as_deref()),
        Operation::GetEwbByIrn { irn, site } => get(below(&endpoints.get_ewb_by_irn, &irn.to_string()), site),
        Operation::GstinDetails { gstin } => get(below(&endpoints.gstin_details, &gstin.to_string()), &None),
        Operation::SyncGstin { gstin } => get(below(&endpoints.sync_gstin, &gstin.to_string()), &None),
        _ => return None,
    })
}

/// The JSON of a write to an IRP, not yet sealed; nothing for a read, and for the e-way bill system.
pub(crate) fn json(operation: &Operation) -> Option<Cow<'_, [u8]>> {
    let owned = |json: String| Cow::Owned(json.into_bytes());
    Some(match operation {
        Operation::GenerateIrn { payload } => Cow::Borrowed(payload.as_ref()),
        Operation::CancelIrn { irn, reason, remark, .. } => owned(
            Object::new()
                .text("Irn", &irn.to_string())
                .text("CnlRsn", reason.irn_code())
                .text("CnlRem", remark)
                .finish(),
        ),
        Operation::GenerateEwbByIrn { request, .. } => owned(ewb_by_irn(request)),
        _ => return None,
    })
}

/// The members of NIC's page "Generate e-way bill by IRN", version 1.03, in its order.
fn ewb_by_irn(request: &EwbByIrn) -> String {
    let carriage = &request.carriage;
    let document_date = carriage.document_date.map(|date| date.to_string());
    let mut object = Object::new()
        .text("Irn", &request.irn.to_string())
        .number("Distance", request.distance_km)
        .some_text("TransMode", carriage.mode.map(TransMode::code))
        .some_text("TransId", request.transporter.as_deref())
        .some_text("TransName", request.transporter_name.as_deref())
        .some_text("TransDocDt", document_date.as_deref())
        .some_text("TransDocNo", carriage.document.as_deref())
        .some_text("VehNo", carriage.vehicle.as_deref())
        .some_text("VehType", carriage.vehicle_type.map(VehicleType::code));
    if let Some(place) = &request.ship_to {
        object = object.json("ExpShipDtls", &ship_to(place));
    }
    if let Some(place) = &request.dispatch_from {
        let named = Object::new().some_text("Nm", place.name.as_deref());
        object = object.json("DispDtls", &address(named, place).finish());
    }
    object.finish()
}

/// `ExpShipDtls` knows `Gstin` and `TrdNm` only by the ship-to rule (GSTN advisory of 17 June 2026, on hold since
/// 29 July 2026); so a name goes out only beside a GSTIN, which nobody gives while the rule rests.
fn ship_to(place: &Place) -> String {
    let mut object = Object::new().some_text("Gstin", place.gstin.as_deref());
    if place.gstin.is_some() {
        object = object.some_text("TrdNm", place.name.as_deref());
    }
    address(object, place).finish()
}

fn address(object: Object, place: &Place) -> Object {
    object
        .text("Addr1", &place.address1)
        .some_text("Addr2", place.address2.as_deref())
        .text("Loc", &place.location)
        .number("Pin", place.pin)
        .text("Stcd", &place.state)
}
