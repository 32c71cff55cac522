//! Parties, places and the document itself: what GSTINs, states, PIN codes and dates must have to do with each other.

use crate::document::{PartyGstin, SupplyType, YesNo};
use crate::finding::Severity;
use crate::identifier::{Gstin, StateCode};

use super::{Sheet, table};

pub(super) fn check(sheet: &mut Sheet<'_>) {
    check_digits(sheet);
    seller(sheet);
    if let Some(supply) = sheet.invoice.tran_dtls.sup_typ.get() {
        buyer(sheet, supply);
        places(sheet, supply);
        reverse_charge(sheet, supply);
    }
    document_date(sheet);
    preceding_numbers(sheet);
}

fn check_digits(sheet: &mut Sheet<'_>) {
    let Some(severity) = sheet.options.gstin_check_digit else {
        return;
    };
    let invoice = sheet.invoice;
    let party = |party: Option<PartyGstin>| party.and_then(PartyGstin::gstin);
    let ship = invoice.ship_dtls.as_ref().and_then(|ship| party(ship.gstin.get()));
    let transporter = invoice.ewb_dtls.as_ref().and_then(|ewb| ewb.trans_id.get());
    let gstins = [
        ("TranDtls.EcmGstin", invoice.tran_dtls.ecm_gstin.get(), severity),
        ("SellerDtls.Gstin", invoice.seller_dtls.gstin.get(), severity),
        ("BuyerDtls.Gstin", party(invoice.buyer_dtls.gstin.get()), severity),
        ("ShipDtls.Gstin", ship, severity),
        // Faults of the e-way bill part do not refuse the IRN, and a TRANSIN need not follow the check character.
        ("EwbDtls.TransId", transporter, severity.min(Severity::Warning)),
    ];
    for (path, gstin, severity) in gstins {
        if let Some(gstin) = gstin.filter(|gstin| !gstin.check_digit_ok()) {
            let expected = gstin.expected_check_character().unwrap_or('?');
            let mut finding = table::CHECK_DIGIT
                .finding(path, format!("the check character of the GSTIN does not fit: {gstin} should end in {expected}"))
                .with_found(gstin)
                .with_expected(format!("{expected} as last character"))
                .with_fix("Compare the GSTIN with the party's registration certificate; a character is wrong or two are swapped.");
            finding.severity = severity;
            sheet.push(finding);
        }
    }
}

fn seller(sheet: &mut Sheet<'_>) {
    let seller = &sheet.invoice.seller_dtls;
    if let (Some(gstin), Some(state)) = (seller.gstin.get(), seller.stcd.get()) {
        state_of(sheet, &table::SELLER_STATE, "SellerDtls.Stcd", gstin, state);
    }
}

fn state_of(sheet: &mut Sheet<'_>, rule: &'static super::Rule, path: &str, gstin: Gstin, state: StateCode) {
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

fn buyer(sheet: &mut Sheet<'_>, supply: SupplyType) {
    let buyer = &sheet.invoice.buyer_dtls;
    let (party, state) = (buyer.gstin.get(), buyer.stcd.get());
    match party {
        Some(PartyGstin::Unregistered) if !supply.is_export() => {
            let rule = if supply == SupplyType::DeemedExport { &table::DEEMED_URP } else { &table::BUYER_URP };
            sheet.push(
                rule.finding("BuyerDtls.Gstin", format!("the recipient is URP, and the supply type is {supply}"))
                    .with_found("URP")
                    .with_expected("the GSTIN of the recipient")
                    .with_fix(
                        "Give the recipient's GSTIN. A supply to an unregistered person in India is not reported.",
                    ),
            );
        }
        Some(PartyGstin::Registered(gstin)) if supply.is_export() => sheet.push(
            table::EXPORT_URP
                .finding("BuyerDtls.Gstin", format!("the supply type is {supply}, and the recipient has a GSTIN"))
                .with_found(gstin)
                .with_expected("URP")
                .with_fix("Write URP for a recipient abroad, or correct the supply type."),
        ),
        Some(PartyGstin::Registered(gstin)) => {
            if Some(gstin) == sheet.invoice.seller_dtls.gstin.get() {
                sheet.push(
                    table::SAME_PARTY
                        .finding("BuyerDtls.Gstin", "supplier and recipient have the same GSTIN")
                        .with_found(gstin)
                        .with_expected("another GSTIN than that of the supplier")
                        .with_fix("Correct the recipient; a transfer within one registration has no e-invoice."),
                );
            }
            if let Some(state) = state {
                state_of(sheet, &table::BUYER_STATE, "BuyerDtls.Stcd", gstin, state);
            }
        }
        _ => {}
    }
    if let Some(state) = state.filter(|state| supply.is_export() && *state != StateCode::OTHER_COUNTRY) {
        sheet.push(
            table::EXPORT_STATE
                .finding("BuyerDtls.Stcd", format!("the recipient of an export has state {state}"))
                .with_found(state)
                .with_expected("96")
                .with_fix("Write 96 (other country)."),
        );
    }
    if sheet.invoice.buyer_dtls.pin.is_absent() && !supply.is_export() {
        sheet.push(
            table::BUYER_PIN
                .finding("BuyerDtls.Pin", "the PIN code of the recipient is missing")
                .with_expected("a PIN code of six digits")
                .with_fix("Give the PIN code of the recipient's address."),
        );
    }
}

fn places(sheet: &mut Sheet<'_>, supply: SupplyType) {
    let Some(pos) = sheet.invoice.buyer_dtls.pos.get() else {
        return;
    };
    if supply.is_export() && pos != StateCode::OTHER_COUNTRY {
        sheet.push(
            table::EXPORT_POS
                .finding("BuyerDtls.Pos", format!("the place of supply of an export is {pos}"))
                .with_found(pos)
                .with_expected("96")
                .with_fix("Write 96 (other country)."),
        );
    } else if !supply.is_export() && pos == StateCode::OTHER_COUNTRY {
        sheet.push(
            table::POS
                .finding(
                    "BuyerDtls.Pos",
                    format!("the place of supply is 96 (other country), and the supply type is {supply}"),
                )
                .with_found(pos)
                .with_expected("a state code")
                .with_fix("Give the state of supply, or correct the supply type."),
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

fn reverse_charge(sheet: &mut Sheet<'_>, supply: SupplyType) {
    let allowed = supply == SupplyType::B2b || supply.is_sez();
    if sheet.invoice.tran_dtls.reg_rev.get() == Some(YesNo::Yes) && !allowed {
        sheet.push(
            table::REVERSE_CHARGE
                .finding("TranDtls.RegRev", format!("reverse charge is Y, and the supply type is {supply}"))
                .with_found("Y")
                .with_expected("N, or nothing")
                .with_fix("Leave RegRev out, or correct the supply type."),
        );
    }
}

fn document_date(sheet: &mut Sheet<'_>) {
    let today = sheet.options.as_of;
    if let Some(date) = sheet.invoice.doc_dtls.dt.get().filter(|date| date.date() > today) {
        let today = crate::date::DocumentDate::from(today);
        sheet.push(
            table::FUTURE
                .finding("DocDtls.Dt", format!("the document date {date} lies after the day of reporting {today}"))
                .with_found(date)
                .with_expected(format!("{today} or earlier"))
                .with_fix("Correct the date, or report the document on its day. The day is that of India."),
        );
    }
}

/// The schema's pattern needs two characters where its length says one; the portal's mind is not known.
fn preceding_numbers(sheet: &mut Sheet<'_>) {
    let references = sheet.invoice.ref_dtls.iter().flat_map(|references| &references.prec_doc_dtls);
    for (index, reference) in references.enumerate() {
        if let Some(number) = reference.inv_no.as_ref().filter(|number| number.len() == 1) {
            sheet.push(
                table::PRECEDING
                    .finding(
                        format!("RefDtls.PrecDocDtls[{index}].InvNo"),
                        format!("the preceding document's number {number} has one character"),
                    )
                    .with_found(number)
                    .with_expected("2 to 16 characters")
                    .with_fix("Check the number; the portal may refuse one of a single character."),
            );
        }
    }
}
