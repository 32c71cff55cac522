//! Where the goods leave and arrive, by whose papers, and how far that is.

use einvoice_core::identifier::StateCode;
use einvoice_core::masters::Masters;
use jiff::Timestamp;
use jiff::civil::Date;

use crate::ewb::distance_between;
use crate::ewb_judge::{ABROAD_PIN, ABROAD_STATE, URP, supply};
use crate::ewb_wire::{field, is_state, text};
use crate::ist;
use crate::node::Node;
use crate::portal::Portal;

/// Greatest distance in kilometres.
const DISTANCE_MAX: u32 = 4000;

impl Portal {
    pub(super) fn judge_places(&self, asked: &Node, now: Timestamp, codes: &mut Vec<&'static str>) {
        let today = ist::civil(now).date();
        // The rule that is on hold has numbers of its own for the place of a ship-to party.
        let ship_to = self.settings.hold_is_over(today) && matches!(text(asked, "transactionType").as_str(), "2" | "4");
        judge_addresses(asked, ship_to, today, codes);
        judge_abroad(asked, codes);
        self.judge_distance(asked, codes);
        judge_transaction(asked, codes);
        if ship_to {
            codes.extend(field(asked, "shipToGSTIN").is_none().then_some("608"));
            codes.extend(field(asked, "shipToTradeName").is_none().then_some("863"));
            let to = text(asked, "toGstin");
            let state = format!("{:0>2}", text(asked, "toStateCode"));
            codes.extend((to != URP && state != ABROAD_STATE && to.get(..2) != Some(state.as_str())).then_some("865"));
        }
    }

    fn judge_distance(&self, asked: &Node, codes: &mut Vec<&'static str>) {
        let pins = (text(asked, "fromPincode"), text(asked, "toPincode"));
        let pins = (pins.0.as_str(), pins.1.as_str());
        match text(asked, "transDistance").parse::<u32>() {
            Ok(0) => {
                let known = pins.0 != pins.1 && pins.0 != ABROAD_PIN && pins.1 != ABROAD_PIN;
                codes.extend((!known || self.settings.lacks_distance(pins)).then_some("721"));
            }
            Ok(given @ 1..=DISTANCE_MAX) => codes.extend(self.settings.is_too_far(given, pins).then_some("702")),
            _ => codes.push("221"),
        }
    }
}

impl crate::settings::PortalSettings {
    /// Whether no distance is known between two PIN codes.
    pub(crate) fn lacks_distance(&self, (from, to): (&str, &str)) -> bool {
        self.pins_without_distance.iter().any(|pin| [from, to].contains(&pin.to_string().as_str()))
    }

    /// Whether a distance exceeds the known one by more than is admitted.
    pub(crate) fn is_too_far(&self, given: u32, pins: (&str, &str)) -> bool {
        let Some(percent) = self.ewb_distance_tolerance_percent else { return false };
        if pins.0 == pins.1 || [pins.0, pins.1].contains(&ABROAD_PIN) || self.lacks_distance(pins) {
            return false;
        }
        let admitted = u64::from(distance_between(pins)) * u64::from(percent.saturating_add(100)) / 100;
        u64::from(given) > admitted
    }
}

fn judge_addresses(asked: &Node, ship_to: bool, today: Date, codes: &mut Vec<&'static str>) {
    let arrival = if ship_to { ["214", "215", "857", "858"] } else { ["214", "215", "372", "436"] };
    for (pin, state, actual, bad) in [
        ("fromPincode", "fromStateCode", "actFromStateCode", ["210", "211", "371", "437"]),
        ("toPincode", "toStateCode", "actToStateCode", arrival),
    ] {
        let [bad_pin, bad_state, bad_actual, elsewhere] = bad;
        let (pin, billed, actual) = (text(asked, pin), text(asked, state), text(asked, actual));
        let right_pin = is_pin(&pin);
        codes.extend((!right_pin).then_some(bad_pin));
        codes.extend((!is_state(&billed)).then_some(bad_state));
        codes.extend((!is_state(&actual)).then_some(bad_actual));
        let abroad = pin == ABROAD_PIN && billed == ABROAD_STATE;
        codes
            .extend((right_pin && is_state(&actual) && !abroad && !lies_in(&pin, &actual, today)).then_some(elsewhere));
    }
}

/// Whether a text has the form of a PIN code.
pub(crate) fn is_pin(text: &str) -> bool {
    text.parse::<u32>().is_ok_and(|pin| (100_000..=999_999).contains(&pin))
}

/// Whether a PIN code may lie in a state. A PIN that the directory does not know is taken for any, as the
/// portal's own list is not public and some valid PINs are not in the directory; so is any for Other
/// Territory (97), of which the directory has none.
pub(crate) fn lies_in(pin: &str, state: &str, today: Date) -> bool {
    match (pin, state) {
        (_, "97") | (ABROAD_PIN, ABROAD_STATE) => return true,
        (ABROAD_PIN, _) | (_, ABROAD_STATE) => return false,
        _ => {}
    }
    let (Ok(pin), Ok(state)) = (pin.parse(), StateCode::parse(state)) else { return false };
    let masters = Masters::builtin();
    let states = masters.on(today).pin(pin).states();
    states.contains(state) || states.iter().next().is_none()
}

fn judge_abroad(asked: &Node, codes: &mut Vec<&'static str>) {
    let (kind, sub_type) = supply(asked);
    match (kind.as_str(), sub_type.as_str()) {
        ("O", "3") => {
            codes.extend((text(asked, "toStateCode") != ABROAD_STATE).then_some("373"));
            codes.extend((text(asked, "toPincode") != ABROAD_PIN).then_some("374"));
        }
        ("I", "2") => {
            codes.extend((text(asked, "fromStateCode") != ABROAD_STATE).then_some("375"));
            codes.extend((text(asked, "fromPincode") != ABROAD_PIN).then_some("376"));
        }
        _ => {}
    }
}

fn judge_transaction(asked: &Node, codes: &mut Vec<&'static str>) {
    let kind = text(asked, "transactionType");
    let (dispatch, ship) = (field(asked, "dispatchFromGSTIN"), field(asked, "shipToGSTIN"));
    match kind.as_str() {
        "" => codes.push("614"),
        "1" => {
            codes.extend(dispatch.is_some().then_some("615"));
            codes.extend(ship.is_some().then_some("616"));
            codes.extend((text(asked, "fromStateCode") != text(asked, "actFromStateCode")).then_some("643"));
            codes.extend((text(asked, "toStateCode") != text(asked, "actToStateCode")).then_some("644"));
        }
        "2" | "3" | "4" => {
            let same = |gstin: &Option<String>, other: &str| {
                gstin.as_deref().is_some_and(|gstin| gstin != URP && gstin == other)
            };
            codes.extend(same(&dispatch, &text(asked, "fromGstin")).then_some("617"));
            codes.extend(same(&ship, &text(asked, "toGstin")).then_some("618"));
            codes.extend((kind == "3" && ship.is_some()).then_some("864"));
        }
        _ => codes.push("612"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pin_lies_in_its_state_and_999999_abroad() {
        let lies = |pin, state| lies_in(pin, state, jiff::civil::date(2026, 11, 5));
        assert!(lies("560001", "29") && lies("110001", "7") && lies("110001", "07"));
        assert!(!lies("560001", "27") && !lies("999999", "27") && !lies("560001", "99"));
        assert!(lies("999999", "99") && lies("999999", "97") && lies("560001", "97"));
        // No post office: nothing is known against it.
        assert!(lies("100000", "27"));
    }
}
