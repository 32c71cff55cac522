//! States, PIN codes, and the places of dispatch and delivery.

use super::super::{Direction, EwbStateCode, SubSupply, TransactionType, rules};
use super::{Sheet, parties};
use crate::date::DocumentDate;
use crate::document::{Field, PartyGstin};
use crate::finding::Severity;
use crate::identifier::{Gstin, StateCode};
use crate::masters::Kind;
use crate::number::Whole;
use crate::rulebook::codes::unlisted;
use crate::rulebook::{Rule, ShipToGstin, table};

/// PIN code of a place abroad, and of Other Territory.
const ABROAD: i64 = 999_999;

pub(super) fn check(sheet: &mut Sheet<'_>) {
    let request = sheet.request;
    for (path, state, rule) in [
        ("fromStateCode", &request.from_state_code, &rules::FROM_STATE),
        ("actFromStateCode", &request.act_from_state_code, &rules::FROM_STATE),
        ("toStateCode", &request.to_state_code, &rules::TO_STATE),
        ("actToStateCode", &request.act_to_state_code, &rules::TO_STATE),
    ] {
        listed(sheet, path, state, rule);
    }
    of_gstin(sheet, "fromStateCode", &request.from_gstin, &request.from_state_code, &rules::FROM_GSTIN_STATE);
    of_gstin(sheet, "toStateCode", &request.to_gstin, &request.to_state_code, &rules::TO_GSTIN_STATE);
    pin(sheet, "fromPincode", &request.from_pincode, &request.act_from_state_code, &rules::FROM_PIN);
    pin(sheet, "toPincode", &request.to_pincode, &request.act_to_state_code, &rules::TO_PIN);
    match (request.supply_type.get(), request.sub_supply_type.get()) {
        (Some(Direction::Outward), Some(SubSupply::Export)) => export(sheet),
        (Some(Direction::Inward), Some(SubSupply::Import)) => import(sheet),
        _ => {}
    }
    if let Some(transaction) = request.transaction_type.get() {
        bill_states(sheet, transaction);
        dispatch(sheet, transaction);
        ship_to(sheet, transaction);
    }
}

fn listed(sheet: &mut Sheet<'_>, path: &str, state: &Field<EwbStateCode>, rule: &'static Rule) {
    let Some(state) = state.get() else { return };
    // 96 stands for abroad in INV-01 alone.
    if state.number() == StateCode::OTHER_COUNTRY.number() {
        let message = "state code 96 is that of INV-01 for abroad";
        sheet.wrong(rule, path, state, message, "99", "Write 99 for another country.");
        return;
    }
    let options = sheet.options;
    let lookup = options.masters().state(state.code());
    if let Some(finding) = unlisted(rule, path, Kind::State, &format_args!("state code {state}"), &lookup) {
        sheet.push(rule, finding.with_found(state));
    }
}

fn of_gstin(
    sheet: &mut Sheet<'_>,
    path: &str,
    party: &Field<PartyGstin>,
    state: &Field<EwbStateCode>,
    rule: &'static Rule,
) {
    let (Some(gstin), Some(state)) = (party.get().and_then(PartyGstin::gstin), state.get()) else { return };
    // A unit in a special economic zone may stand for a place abroad.
    if gstin.state() == Some(state.code()) || state.is_abroad() {
        return;
    }
    let expected = prefix(gstin);
    let message = format!("the state code is {state}, and the GSTIN {gstin} begins with {expected}");
    let fix = "Correct the state code, or the GSTIN if that is the wrong one.";
    sheet.wrong(rule, path, state, message, expected, fix);
}

fn prefix(gstin: Gstin) -> String {
    gstin.as_str().get(..2).unwrap_or_default().to_owned()
}

/// A PIN code against the state the goods are in there.
fn pin(sheet: &mut Sheet<'_>, path: &str, pin: &Field<Whole>, state: &Field<EwbStateCode>, rule: &'static Rule) {
    let (Some(pin), Some(state)) = (pin.get(), state.get()) else { return };
    if !(100_000..=ABROAD).contains(&pin.units()) {
        return;
    }
    let anywhere = state.is_abroad() || state.code() == StateCode::OTHER_TERRITORY;
    if pin.units() == ABROAD && anywhere {
        return;
    }
    let options = sheet.options;
    let fix = "Correct the PIN code or the state code, whichever is wrong.";
    let Some(verdict) = u32::try_from(pin.units()).ok().map(|pin| options.masters().pin(pin)) else { return };
    let states: Vec<_> = verdict.states().iter().map(|state| state.to_string()).collect();
    if states.is_empty() && pin.units() != ABROAD {
        let message = format!("PIN code {pin} is not in the PIN master, nor do others begin like it");
        let fix = "Check the PIN code. If it is right, add it to the masters override file.";
        sheet.wrong(&rules::PIN_UNKNOWN, path, pin, message, "a PIN code of the postal directory", fix);
    } else if !verdict.states().contains(state.code()) {
        let message = if states.is_empty() {
            format!("PIN code {pin} stands for no place in India, and the state is {state}")
        } else {
            format!("PIN code {pin} lies in state {}, and the state is {state}", states.join(" or "))
        };
        sheet.wrong(rule, path, pin, message, format!("a PIN code of state {state}"), fix);
    }
}

fn export(sheet: &mut Sheet<'_>) {
    let request = sheet.request;
    if let Some(state) = request.to_state_code.get().filter(|state| !state.is_abroad()) {
        let message = format!("the recipient of an export has state {state}");
        sheet.wrong(&rules::EXPORT_STATE, "toStateCode", state, message, "99", "Write 99 (other country).");
    }
    // Billed to a buyer abroad and shipped to a port, the goods go to the port's PIN code.
    let to_port = request.transaction_type.get().is_some_and(TransactionType::has_ship_to);
    if let Some(pin) = request.to_pincode.get().filter(|pin| pin.units() != ABROAD && !to_port) {
        let message = format!("the goods of an export go to PIN code {pin}");
        let fix = "Write 999999; or give the port as ship-to, with transaction type 2 or 4.";
        sheet.wrong(&rules::EXPORT_PIN, "toPincode", pin, message, ABROAD, fix);
    }
    abroad_party(sheet, "toGstin", request.to_gstin.get(), &rules::EXPORT_PARTY, "recipient of an export");
}

fn import(sheet: &mut Sheet<'_>) {
    let request = sheet.request;
    if let Some(state) = request.from_state_code.get().filter(|state| !state.is_abroad()) {
        let message = format!("the supplier of an import has state {state}");
        sheet.wrong(&rules::IMPORT_STATE, "fromStateCode", state, message, "99", "Write 99 (other country).");
    }
    let from_port = request.transaction_type.get().is_some_and(TransactionType::has_dispatch);
    if let Some(pin) = request.from_pincode.get().filter(|pin| pin.units() != ABROAD && !from_port) {
        let message = format!("the goods of an import come from PIN code {pin}");
        let fix = "Write 999999; or give the port as place of dispatch, with transaction type 3 or 4.";
        sheet.wrong(&rules::IMPORT_PIN, "fromPincode", pin, message, ABROAD, fix);
    }
    abroad_party(sheet, "fromGstin", request.from_gstin.get(), &rules::IMPORT_PARTY, "supplier of an import");
}

fn abroad_party(sheet: &mut Sheet<'_>, path: &str, party: Option<PartyGstin>, rule: &'static Rule, who: &str) {
    let Some(gstin) = party.and_then(PartyGstin::gstin) else { return };
    if parties::is_sez(sheet, gstin) == Some(true) {
        return;
    }
    let message = format!("the {who} is {gstin}, which is right only for a special economic zone");
    let fix = "Write URP, unless the party is a unit or developer of a special economic zone.";
    sheet.wrong(rule, path, gstin, message, "URP, or the GSTIN of a special economic zone", fix);
}

/// Without a place of its own the goods leave from, or go to, the party's own state.
fn bill_states(sheet: &mut Sheet<'_>, transaction: TransactionType) {
    let request = sheet.request;
    let pairs = [
        (
            !transaction.has_dispatch(),
            "actFromStateCode",
            &request.from_state_code,
            &request.act_from_state_code,
            &rules::SAME_FROM_STATE,
            "Make both equal, or use type 3 or 4 with the place of dispatch.",
        ),
        (
            !transaction.has_ship_to(),
            "actToStateCode",
            &request.to_state_code,
            &request.act_to_state_code,
            &rules::SAME_TO_STATE,
            "Make both equal, or use type 2 or 4 with the place of delivery.",
        ),
    ];
    for (holds, path, bill, actual, rule, fix) in pairs {
        if let (true, Some(bill), Some(actual)) = (holds, bill.get(), actual.get())
            && bill != actual
        {
            let kind = transaction.code();
            let message = format!("the bill's state is {bill} and that of the goods {actual}, with type {kind}");
            sheet.wrong(rule, path, actual, message, bill, fix);
        }
    }
}

fn dispatch(sheet: &mut Sheet<'_>, transaction: TransactionType) {
    const PATH: &str = "dispatchFromGSTIN";
    let request = sheet.request;
    let kind = transaction.code();
    match request.dispatch_from_gstin.get() {
        None if transaction.has_dispatch() && request.dispatch_from_gstin.is_absent() => {
            let message = format!("transaction type {kind} names no GSTIN of the place of dispatch");
            let fix = "Give the GSTIN of that party, URP for one without; or use a type without dispatch.";
            sheet.lacks(&rules::DISPATCH_MISSING, PATH, message, "a GSTIN, or URP", fix);
        }
        Some(party) if !transaction.has_dispatch() => {
            let message = format!("transaction type {kind} names a place of dispatch");
            let fix = "Leave it out, or use type 3 or 4.";
            sheet.wrong(&rules::DISPATCH_REGULAR, PATH, party, message, "nothing", fix);
        }
        Some(PartyGstin::Registered(gstin)) if request.from_gstin.get().and_then(PartyGstin::gstin) == Some(gstin) => {
            let fix = "Two places of one GSTIN are one party: use a type without dispatch.";
            let message = "supplier and place of dispatch have the same GSTIN";
            sheet.wrong(&rules::DISPATCH_SAME, PATH, gstin, message, "another GSTIN, or URP", fix);
        }
        _ => {}
    }
}

fn ship_to(sheet: &mut Sheet<'_>, transaction: TransactionType) {
    const PATH: &str = "shipToGSTIN";
    let request = sheet.request;
    let kind = transaction.code();
    let Some(party) = request.ship_to_gstin.get() else {
        if transaction.has_ship_to() && request.ship_to_gstin.is_absent() {
            let message = format!("transaction type {kind} names no ship-to GSTIN ({})", standing(sheet));
            let fix = "Give the GSTIN of the consignee; URP for one without, or for a port or depot.";
            on_hold(sheet, &rules::SHIP_MISSING, PATH, None, message, "a GSTIN, or URP", fix);
        }
        return;
    };
    if !transaction.has_ship_to() {
        let regular = transaction == TransactionType::Regular;
        let rule = if regular { &rules::SHIP_REGULAR } else { &rules::SHIP_DISPATCH };
        let message = format!("transaction type {kind} names a ship-to party");
        let fix = "Leave it out, or use type 2 or 4.";
        if regular {
            sheet.wrong(rule, PATH, party, message, "nothing", fix);
        } else {
            on_hold(sheet, rule, PATH, Some(party.to_string()), message, "nothing", fix);
        }
        return;
    }
    if request.ship_to_trade_name.is_absent() {
        let message = format!("the ship-to party has no name ({})", standing(sheet));
        let fix = "Give the name of the consignee.";
        on_hold(sheet, &rules::SHIP_NAME, "shipToTradeName", None, message, "a name", fix);
    }
    let Some(gstin) = party.gstin() else { return };
    if request.to_gstin.get().and_then(PartyGstin::gstin) == Some(gstin) {
        let fix = "Two places of one GSTIN are one party: use a type without ship-to.";
        let message = "recipient and ship-to party have the same GSTIN";
        sheet.wrong(&rules::SHIP_SAME, PATH, gstin, message, "another GSTIN, or URP", fix);
    }
    if let Some(state) = request.act_to_state_code.get().filter(|state| gstin.state() != Some(state.code())) {
        let expected = prefix(gstin);
        let message = format!("the goods go to state {state}, and the ship-to GSTIN {gstin} begins with {expected}");
        let fix = "Correct the state code, or the GSTIN if that is the wrong one.";
        on_hold(sheet, &rules::SHIP_STATE, "actToStateCode", Some(state.to_string()), message, &expected, fix);
    }
}

/// A finding of the ship-to package: a warning until it is in force.
fn on_hold(
    sheet: &mut Sheet<'_>,
    rule: &'static Rule,
    path: &str,
    found: Option<String>,
    message: String,
    expected: &str,
    fix: &str,
) {
    let mut finding = rule.finding(path, message).with_expected(expected).with_fix(fix);
    finding.severity = severity(sheet);
    if let Some(found) = found {
        finding = finding.with_found(found);
    }
    sheet.push(rule, finding);
}

fn severity(sheet: &Sheet<'_>) -> Severity {
    sheet.options.settings.ship_to_gstin.severity(sheet.options.as_of)
}

/// Where the package stands, for the message.
fn standing(sheet: &Sheet<'_>) -> String {
    match sheet.options.settings.ship_to_gstin {
        ShipToGstin::InForce { from } if severity(sheet) == Severity::Error => {
            format!("an obligation since {}", DocumentDate::from(from))
        }
        ShipToGstin::InForce { from } => format!("an obligation from {}", DocumentDate::from(from)),
        ShipToGstin::OnHold => format!("announced as an obligation, {}", table::ON_HOLD),
    }
}
