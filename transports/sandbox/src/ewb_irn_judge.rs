//! What stands in the way of an e-way bill for an IRN, with the registration portal's own codes.

use jiff::Timestamp;

use crate::ewb::{Maker, pins};
use crate::ewb_wire::{field, is_vehicle, text};
use crate::ist;
use crate::node::Node;
use crate::registry::is_gstin;
use crate::settings::PortalSettings;

/// PIN that stands for "abroad".
const ABROAD: &str = "999999";
/// State that stands for "abroad" on this portal; the e-way bill system has 99.
const ABROAD_STATE: &str = "96";

/// The codes, in the order in which they are found.
pub(crate) fn judge(document: &Node, request: &Node, maker: &Maker<'_>) -> Vec<&'static str> {
    if !document.text(&["DocDtls", "Typ"]).is_some_and(|kind| kind.eq_ignore_ascii_case("INV")) {
        return vec!["4010"];
    }
    if document.list(&["ItemList"]).iter().all(|item| item.text(&["IsServc"]) == Some("Y")) {
        return vec!["4009"];
    }
    let mut codes = Vec::new();
    judge_route(document, request, maker.settings, &mut codes);
    judge_transport(request, &mut codes);
    judge_dates(document, request, maker.now, &mut codes);
    codes
}

fn judge_route(document: &Node, request: &Node, settings: &PortalSettings, codes: &mut Vec<&'static str>) {
    let supply = document.text(&["TranDtls", "SupTyp"]).unwrap_or_default().to_ascii_uppercase();
    if supply.starts_with("EXP") && document.get("ShipDtls").is_none() {
        codes.push("4031");
    }
    for (section, state, pin) in [("ShipDtls", "4032", "4033"), ("DispDtls", "4035", "4036")] {
        let Some(place) = document.get(section) else { continue };
        codes.extend((text(place, "Stcd") == ABROAD_STATE).then_some(state));
        codes.extend((text(place, "Pin") == ABROAD).then_some(pin));
    }
    let (from, to) = pins(document);
    match request.number(&["Distance"]).and_then(|distance| distance.parse::<u32>().ok()) {
        Some(0) if from == to => codes.push("4029"),
        Some(0) if from == ABROAD || to == ABROAD => codes.push("4034"),
        Some(0) => codes.extend(settings.lacks_distance((from, to)).then_some("4030")),
        Some(given) => codes.extend(settings.is_too_far(given, (from, to)).then_some("4038")),
        None => {}
    }
}

fn judge_transport(request: &Node, codes: &mut Vec<&'static str>) {
    let given = |name: &str| field(request, name).is_some();
    let vehicle_type = text(request, "VehType");
    codes.extend(field(request, "VehNo").is_some_and(|vehicle| !is_vehicle(&vehicle)).then_some("4014"));
    codes.extend(field(request, "TransId").is_some_and(|id| !is_gstin(&id)).then_some("4018"));
    codes.extend((!matches!(vehicle_type.as_str(), "" | "R" | "O")).then_some("4020"));
    match field(request, "TransMode").as_deref() {
        None if given("VehNo") || given("TransDocNo") => codes.push("4028"),
        None if !given("TransId") => codes.push("4019"),
        None => {}
        Some("1") => {
            codes.extend((!given("VehNo")).then_some("4011"));
            codes.extend((!given("VehType")).then_some("4022"));
        }
        Some("4") => {
            codes.extend((!given("VehNo") && !given("TransDocNo")).then_some("4040"));
            codes.extend((vehicle_type == "R").then_some("4039"));
        }
        Some(_) => {
            codes.extend((!given("TransDocNo")).then_some("4012"));
            codes.extend((!given("TransDocDt")).then_some("4023"));
            codes.extend((vehicle_type == "O").then_some("4024"));
        }
    }
}

fn judge_dates(document: &Node, request: &Node, now: Timestamp, codes: &mut Vec<&'static str>) {
    let Some(date) = field(request, "TransDocDt") else { return };
    let Some(date) = ist::document_date(&date) else {
        codes.push("4017");
        return;
    };
    codes.extend((date > ist::civil(now).date()).then_some("4016"));
    let document_date = document.text(&["DocDtls", "Dt"]).and_then(ist::document_date);
    codes.extend(document_date.is_some_and(|document_date| date < document_date).then_some("4021"));
}
