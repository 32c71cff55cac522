//! The e-way bill part of a registration: made beside the IRN, never able to refuse it.

use jiff::civil::DateTime;
use jiff::{Span, Timestamp};

use crate::books::Ewb;
use crate::ist;
use crate::node::{Node, quoted};
use crate::wire::{CodeText, errors_json};

/// PIN that stands for "abroad".
const ABROAD: &str = "999999";
/// Kilometres of one day of validity: ordinary cargo, and over-dimensional cargo.
const KM_PER_DAY: (u32, u32) = (200, 20);

/// What came of `EwbDtls`.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) ewb: Option<Ewb>,
    /// `InfoDtls` entry as JSON, when something is to be said.
    pub(crate) info: Option<String>,
    /// Distance the portal computed, in kilometres.
    pub(crate) computed_distance: Option<u32>,
}

/// Tries to make an e-way bill; `number` is the one it gets. `blocked` says that the sender may
/// make none.
pub(crate) fn make(document: &Node, number: u64, blocked: bool, now: Timestamp) -> Outcome {
    let Some(request) = document.get("EwbDtls") else { return Outcome::default() };
    let mut errors = refusals(document, request, now);
    if blocked {
        errors.push("4015");
    }
    if !errors.is_empty() {
        let texts =
            errors.iter().map(|code| CodeText { code: (*code).into(), message: crate::texts::text(code).into() });
        let texts: Vec<_> = texts.collect();
        let info = format!(r#"{{"InfCd":"EWBERR","Desc":{}}}"#, errors_json(&texts));
        return Outcome { info: Some(info), ..Outcome::default() };
    }
    let given = request.number(&["Distance"]).and_then(|distance| distance.parse::<u32>().ok()).unwrap_or_default();
    let computed = (given == 0).then(|| distance_between(pins(document)));
    let distance = computed.unwrap_or(given);
    let valid_till = request.get("TransMode").map(|_| {
        let oversize = request.text(&["VehType"]) == Some("O");
        valid_till(ist::civil(now), distance, if oversize { KM_PER_DAY.1 } else { KM_PER_DAY.0 })
    });
    Outcome { ewb: Some(Ewb { number, made_at: now, valid_till }), info: None, computed_distance: computed }
}

/// The `InfoDtls` entry for a computed distance.
pub(crate) fn distance_info(distance: u32) -> String {
    format!(r#"{{"InfCd":"EWBPPD","Desc":{}}}"#, quoted(&distance_text(distance)))
}

/// The portal's words for a computed distance.
pub(crate) fn distance_text(distance: u32) -> String {
    format!("Pin-Pin calc distance: {distance}KM")
}

fn refusals(document: &Node, request: &Node, now: Timestamp) -> Vec<&'static str> {
    let mut codes = Vec::new();
    if !document.text(&["DocDtls", "Typ"]).is_some_and(|kind| kind.eq_ignore_ascii_case("INV")) {
        return vec!["4010"];
    }
    if document.list(&["ItemList"]).iter().all(|item| item.text(&["IsServc"]) == Some("Y")) {
        return vec!["4009"];
    }
    let supply = document.text(&["TranDtls", "SupTyp"]).unwrap_or_default().to_ascii_uppercase();
    if supply.starts_with("EXP") && document.get("ShipDtls").is_none() {
        codes.push("4031");
    }
    let (from, to) = pins(document);
    if request.number(&["Distance"]).is_some_and(|distance| distance == "0") {
        if from == to {
            codes.push("4029");
        } else if from == ABROAD || to == ABROAD {
            codes.push("4034");
        }
    }
    let given = |name: &str| request.get(name).is_some();
    let vehicle_type = request.text(&["VehType"]).unwrap_or_default();
    match request.text(&["TransMode"]) {
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
    let transport_date = request.text(&["TransDocDt"]).and_then(ist::document_date);
    if let Some(date) = transport_date {
        codes.extend((date > ist::civil(now).date()).then_some("4016"));
        let document_date = document.text(&["DocDtls", "Dt"]).and_then(ist::document_date);
        codes.extend(document_date.is_some_and(|document_date| date < document_date).then_some("4021"));
    }
    codes
}

/// Where the goods leave and where they go.
fn pins(document: &Node) -> (&str, &str) {
    let pin = |sections: [&str; 2]| {
        sections.iter().find_map(|section| document.number(&[section, "Pin"])).unwrap_or_default()
    };
    (pin(["DispDtls", "SellerDtls"]), pin(["ShipDtls", "BuyerDtls"]))
}

/// An invented distance: the portal's table of distances is not public. It depends on the two PINs
/// alone and lies in 1 to 4000.
fn distance_between((from, to): (&str, &str)) -> u32 {
    let number = |pin: &str| pin.parse::<u32>().unwrap_or_default();
    (number(from).abs_diff(number(to)) / 150).clamp(1, 4000)
}

/// End of validity: so many days after the day of making, at 23:59:00.
fn valid_till(made: DateTime, distance: u32, km_per_day: u32) -> String {
    let days = i64::from(distance.div_ceil(km_per_day).max(1));
    let last = made.date().checked_add(Span::new().days(days)).unwrap_or_else(|_| made.date());
    format!("{} 23:59:00", last.strftime("%Y-%m-%d"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(ewb: &str) -> Outcome {
        let document = format!(
            r#"{{"DocDtls":{{"Typ":"INV","Dt":"05/11/2026"}},"TranDtls":{{"SupTyp":"B2B"}},"SellerDtls":{{"Pin":560001}},
                "BuyerDtls":{{"Pin":400001}},"ItemList":[{{"IsServc":"N"}}],"EwbDtls":{ewb}}}"#
        );
        make(
            &Node::parse(document.as_bytes()).unwrap(),
            391_000_000_001,
            false,
            "2026-11-05T06:30:00Z".parse().unwrap(),
        )
    }

    #[test]
    fn validity_is_a_day_for_each_200_km_and_ends_at_23_59() {
        // Captured: 2467 km made on 16 September 2022 was valid till 29 September 23:59:00.
        let made = "2022-09-16T19:29:00".parse().unwrap();
        assert_eq!(valid_till(made, 2467, 200), "2022-09-29 23:59:00");
    }

    #[test]
    fn part_a_alone_has_no_validity() {
        let outcome = made(r#"{"TransId":"29AABCE1234F1Z1","Distance":100}"#);
        assert_eq!(outcome.ewb.unwrap().valid_till, None);
    }

    #[test]
    fn distance_zero_is_computed_and_told() {
        let outcome = made(r#"{"TransMode":"1","VehNo":"KA01AB1234","VehType":"R","Distance":0}"#);
        assert_eq!(outcome.computed_distance, Some(1066));
        assert!(outcome.ewb.unwrap().valid_till.is_some());
    }

    #[test]
    fn a_road_transport_without_vehicle_fails_with_both_codes() {
        let info = made(r#"{"TransMode":"1","Distance":10}"#).info.unwrap();
        assert!(info.contains("EWBERR") && info.contains("4011") && info.contains("4022"), "{info}");
    }
}
