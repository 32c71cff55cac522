//! Places: states, PIN codes and the place of supply, against each other and against the masters.

use crate::document::{Field, PartyGstin, SupplyType, YesNo};
use crate::identifier::{Gstin, StateCode};
use crate::masters::{Kind, PinVerdict, PlaceOfSupply};
use crate::number::Whole;

use super::codes::unlisted;
use super::{Rule, Sheet, table};

/// PIN code of a place abroad, and of one in no state.
pub(super) const ABROAD: i64 = 999_999;

pub(super) fn check(sheet: &mut Sheet<'_>) {
    let invoice = sheet.invoice;
    let supply = invoice.tran_dtls.sup_typ.get();
    let (seller, buyer) = (&invoice.seller_dtls, &invoice.buyer_dtls);
    place(sheet, "SellerDtls", seller.stcd.get(), &seller.pin, &table::SELLER_STATE_KNOWN);
    if let (Some(gstin), Some(state)) = (seller.gstin.get(), seller.stcd.get()) {
        state_of(sheet, &table::SELLER_STATE, "SellerDtls.Stcd", gstin, state);
    }
    if supply.is_some_and(SupplyType::is_export) {
        abroad(sheet);
    } else {
        place(sheet, "BuyerDtls", buyer.stcd.get(), &buyer.pin, &table::BUYER_STATE_KNOWN);
        if supply.is_some() {
            in_india(sheet);
        }
    }
    if let Some(supply) = supply {
        place_of_supply(sheet, supply);
    }
    if let Some(dispatch) = &invoice.disp_dtls {
        let nowhere = dispatch.stcd.get() != Some(StateCode::OTHER_TERRITORY);
        if nowhere && dispatch.pin.get().is_some_and(|pin| pin.units() == ABROAD) {
            dispatch_pin(sheet);
        } else {
            place(sheet, "DispDtls", dispatch.stcd.get(), &dispatch.pin, &table::OTHER_STATE);
        }
    }
    if let Some(ship) = &invoice.ship_dtls {
        place(sheet, "ShipDtls", ship.stcd.get(), &ship.pin, &table::OTHER_STATE);
    }
}

/// A state that exists, and a PIN code that lies in it.
pub(super) fn place(sheet: &mut Sheet<'_>, section: &str, state: Option<StateCode>, pin: &Field<Whole>, rule: &Rule) {
    let masters = sheet.options.masters();
    let Some(state) = state else { return };
    let found = unlisted(rule, String::new(), Kind::State, &format_args!("state code {state}"), &masters.state(state));
    if let Some(mut finding) = found {
        finding.path = format!("{section}.Stcd");
        sheet.push(finding.with_found(state));
        return;
    }
    // A number of fewer or more digits is no PIN code, as the schema rules have said.
    let Some(pin) = pin.get().filter(|pin| (100_000..=ABROAD).contains(&pin.units())) else { return };
    // Other Territory has no PIN codes of its own, and places abroad have none.
    if pin.units() == ABROAD && (state == StateCode::OTHER_TERRITORY || state == StateCode::OTHER_COUNTRY) {
        return;
    }
    let verdict = u32::try_from(pin.units()).map_or(PinVerdict::Unknown, |pin| masters.pin(pin));
    if verdict.states().contains(state) {
        return;
    }
    let path = format!("{section}.Pin");
    let names: Vec<_> = verdict
        .states()
        .iter()
        .map(|state| match masters.state(state).listed() {
            Some(listed) => format!("{state} ({})", listed.name),
            None => state.to_string(),
        })
        .collect();
    if names.is_empty() && pin.units() == ABROAD {
        sheet.push(
            table::PIN_STATE
                .finding(path, format!("PIN code {pin} stands for no place in India, and the state code is {state}"))
                .with_found(pin)
                .with_expected(format!("a PIN code of state {state}"))
                .with_fix("Give the PIN code of the address; 999999 goes with state codes 96 and 97 only."),
        );
        return;
    }
    if names.is_empty() {
        sheet.push(
            table::PIN_UNKNOWN
                .finding(path, format!("PIN code {pin} is not in the PIN master, nor do others begin like it"))
                .with_found(pin)
                .with_expected("a PIN code of the postal directory")
                .with_fix("Check the PIN code. If it is right, add it to the masters override file."),
        );
        return;
    }
    let lies = names.join(" or ");
    sheet.push(
        table::PIN_STATE
            .finding(path, format!("PIN code {pin} lies in {lies}, and the state code beside it is {state}"))
            .with_found(pin)
            .with_expected(format!("a PIN code of state {state}"))
            .with_fix("Correct the PIN code or the state code, whichever is wrong."),
    );
}

fn state_of(sheet: &mut Sheet<'_>, rule: &'static Rule, path: &str, gstin: Gstin, state: StateCode) {
    if gstin.state() == Some(state) {
        return;
    }
    let expected = gstin.as_str().get(..2).unwrap_or_default();
    sheet.push(
        rule.finding(path, format!("the state code is {state}, and the GSTIN {gstin} begins with {expected}"))
            .with_found(state)
            .with_expected(expected)
            .with_fix("Correct the state code, or the GSTIN if that is the wrong one."),
    );
}

fn in_india(sheet: &mut Sheet<'_>) {
    let buyer = &sheet.invoice.buyer_dtls;
    if let (Some(PartyGstin::Registered(gstin)), Some(state)) = (buyer.gstin.get(), buyer.stcd.get()) {
        state_of(sheet, &table::BUYER_STATE, "BuyerDtls.Stcd", gstin, state);
    }
    if buyer.pin.is_absent() {
        sheet.push(
            table::BUYER_PIN
                .finding("BuyerDtls.Pin", "the PIN code of the recipient is missing")
                .with_expected("a PIN code of six digits")
                .with_fix("Give the PIN code of the recipient's address."),
        );
    }
}

/// The recipient of an export.
fn abroad(sheet: &mut Sheet<'_>) {
    let buyer = &sheet.invoice.buyer_dtls;
    if let Some(state) = buyer.stcd.get().filter(|state| *state != StateCode::OTHER_COUNTRY) {
        sheet.push(
            table::EXPORT_STATE
                .finding("BuyerDtls.Stcd", format!("the recipient of an export has state {state}"))
                .with_found(state)
                .with_expected("96")
                .with_fix("Write 96 (other country)."),
        );
    } else if let Some(pin) = buyer.pin.get().filter(|pin| pin.units() != ABROAD) {
        sheet.push(
            table::PIN_EXPORT
                .finding("BuyerDtls.Pin", format!("the recipient is abroad, and PIN code {pin} is one of India"))
                .with_found(pin)
                .with_expected("999999, or nothing")
                .with_fix("Write 999999, or leave the PIN code out."),
        );
    }
}

fn place_of_supply(sheet: &mut Sheet<'_>, supply: SupplyType) {
    const PATH: &str = "BuyerDtls.Pos";
    let Some(pos) = sheet.invoice.buyer_dtls.pos.get() else {
        return;
    };
    let listed = sheet.options.masters().state(pos).listed();
    if supply.is_export() {
        if pos != StateCode::OTHER_COUNTRY {
            sheet.push(
                table::EXPORT_POS
                    .finding(PATH, format!("the place of supply of an export is {pos}"))
                    .with_found(pos)
                    .with_expected("96")
                    .with_fix("Write 96 (other country)."),
            );
        }
    } else if pos == StateCode::OTHER_COUNTRY {
        sheet.push(
            table::POS
                .finding(PATH, format!("the place of supply is 96 (other country), and the supply type is {supply}"))
                .with_found(pos)
                .with_expected("a state code")
                .with_fix("Give the state of supply, or correct the supply type."),
        );
    } else if listed.is_none_or(|state| state.place_of_supply != PlaceOfSupply::Yes) {
        let why = listed.map_or("no state has it", |state| state.remark);
        sheet.push(
            table::POS_KNOWN
                .finding(PATH, format!("state code {pos} cannot be a place of supply: {why}"))
                .with_found(pos)
                .with_expected("a state code that may be a place of supply")
                .with_fix("Give the state of supply; `einvoice masters search` lists the codes."),
        );
    }
    let igst_on_intra = sheet.invoice.tran_dtls.igst_on_intra.get() == Some(YesNo::Yes);
    if let Some(state) = sheet.invoice.seller_dtls.stcd.get().filter(|state| igst_on_intra && *state != pos) {
        sheet.push(
            table::IGST_ON_INTRA
                .finding(
                    "TranDtls.IgstOnIntra",
                    format!("IgstOnIntra is Y, and the supplier's state {state} is not the place of supply {pos}"),
                )
                .with_found("Y")
                .with_expected("N, or nothing")
                .with_fix("Leave IgstOnIntra out: an inter-state supply has IGST anyway."),
        );
    }
}

fn dispatch_pin(sheet: &mut Sheet<'_>) {
    sheet.push(
        table::DISPATCH_PIN
            .finding("DispDtls.Pin", "the goods are dispatched from PIN code 999999, which is no place in India")
            .with_found(ABROAD)
            .with_expected("the PIN code of the place of dispatch")
            .with_fix("Give the PIN code of the place in India from which the goods leave."),
    );
}
