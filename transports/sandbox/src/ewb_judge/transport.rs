//! Part B of a request, or the lack of it.

use crate::ewb_wire::{field, is_vehicle, text};
use crate::ist;
use crate::node::Node;

/// Longest number of a transport document.
pub(crate) const DOCUMENT_NUMBER_MAX: usize = 15;

pub(super) fn judge(asked: &Node, rail_checked: bool, codes: &mut Vec<&'static str>) {
    let (vehicle, doc_no) = (text(asked, "vehicleNo"), text(asked, "transDocNo"));
    let (doc_date, vehicle_type) = (text(asked, "transDocDate"), text(asked, "vehicleType"));
    codes.extend((!vehicle.is_empty() && !is_vehicle(&vehicle)).then_some("225"));
    codes.extend((!matches!(vehicle_type.as_str(), "" | "R" | "O")).then_some("361"));
    codes.extend((doc_no.len() > DOCUMENT_NUMBER_MAX).then_some("223"));
    codes.extend((!doc_date.is_empty() && ist::document_date(&doc_date).is_none()).then_some("224"));
    match text(asked, "transMode").as_str() {
        "" => {
            codes.extend((!vehicle.is_empty()).then_some("621"));
            codes.extend((!doc_no.is_empty()).then_some("622"));
            codes.extend(field(asked, "transporterId").is_none().then_some("619"));
        }
        "1" => codes.extend(vehicle.is_empty().then_some("303")),
        mode @ ("2" | "3") => {
            codes.extend(doc_no.is_empty().then_some("394"));
            codes.extend(doc_date.is_empty().then_some("385"));
            codes.extend((vehicle_type == "O").then_some("634"));
            let judged = rail_checked && mode == "2" && !doc_no.is_empty();
            codes.extend((judged && !is_rail_document(&doc_no)).then_some("823"));
        }
        "4" => {
            codes.extend((vehicle_type == "R").then_some("726"));
            codes.extend((vehicle.is_empty() && doc_no.is_empty()).then_some("727"));
            codes.extend((!doc_no.is_empty() && doc_date.is_empty()).then_some("729"));
        }
        _ => codes.push("220"),
    }
}

/// Whether a number may be one of the railways: ten digits for a parcel, nine for freight (since 2025).
pub(crate) fn is_rail_document(number: &str) -> bool {
    matches!(number.len(), 9 | 10) && number.bytes().all(|byte| byte.is_ascii_digit())
}
