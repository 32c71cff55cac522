//! Supplier and recipient: what GSTINs, supply type and reverse charge must have to do with each other.

use crate::document::{PartyGstin, SupplyType, YesNo};
use crate::finding::Severity;
use crate::identifier::Gstin;

use super::{Sheet, table};

pub(super) fn check(sheet: &mut Sheet<'_>) {
    gstins(sheet);
    seller(sheet);
    if let Some(supply) = sheet.invoice.tran_dtls.sup_typ.get() {
        buyer(sheet, supply);
        reverse_charge(sheet, supply);
    }
}

/// Check characters and forms of all GSTINs.
fn gstins(sheet: &mut Sheet<'_>) {
    let invoice = sheet.invoice;
    let party = |party: Option<PartyGstin>| party.and_then(PartyGstin::gstin);
    let ship = invoice.ship_dtls.as_ref().and_then(|ship| party(ship.gstin.get()));
    let gstins = [
        ("TranDtls.EcmGstin", invoice.tran_dtls.ecm_gstin.get()),
        ("SellerDtls.Gstin", invoice.seller_dtls.gstin.get()),
        ("BuyerDtls.Gstin", party(invoice.buyer_dtls.gstin.get())),
        ("ShipDtls.Gstin", ship),
    ];
    for (path, gstin) in gstins {
        let Some(gstin) = gstin else { continue };
        if !gstin.check_digit_ok() {
            check_digit(sheet, path, gstin, Severity::Error);
        } else if !has_known_form(gstin) {
            sheet.push(
                table::GSTIN_FORM
                    .finding(path, format!("{gstin} has the form of no kind of registration"))
                    .with_found(gstin)
                    .with_expected("the state, a PAN, a digit or letter, a letter such as Z, and the check character")
                    .with_fix("Compare the GSTIN with the party's registration certificate."),
            );
        }
    }
    // Faults of the e-way bill part do not refuse the IRN, and a TRANSIN need not follow the check character.
    let transporter = invoice.ewb_dtls.as_ref().and_then(|ewb| ewb.trans_id.get());
    if let Some(gstin) = transporter.filter(|gstin| !gstin.check_digit_ok()) {
        check_digit(sheet, "EwbDtls.TransId", gstin, Severity::Warning);
    }
}

fn check_digit(sheet: &mut Sheet<'_>, path: &str, gstin: Gstin, most: Severity) {
    let Some(severity) = sheet.options.gstin_check_digit else {
        return;
    };
    let expected = gstin.expected_check_character().unwrap_or('?');
    let mut finding = table::CHECK_DIGIT
        .finding(path, format!("the check character of the GSTIN does not fit: {gstin} should end in {expected}"))
        .with_found(gstin)
        .with_expected(format!("{expected} as last character"))
        .with_fix(
            "Compare the GSTIN with the party's registration certificate; a character is wrong or two are swapped.",
        );
    finding.severity = severity.min(most);
    sheet.push(finding);
}

/// True for the forms of the GST developer portal: regular and its kin, government, operator, deductor, UIN,
/// non-resident, OIDAR.
fn has_known_form(gstin: Gstin) -> bool {
    let class = |byte: &u8| match byte {
        b'0'..=b'9' => b'9',
        _ => b'A',
    };
    let mut shape = [0_u8; 15];
    for (slot, byte) in shape.iter_mut().zip(gstin.as_str().as_bytes()) {
        *slot = class(byte);
    }
    let [.., entity, kind, _] = gstin.as_str().as_bytes() else { return false };
    match &shape[..12] {
        // PAN of five letters; a deductor's PAN may have a digit for the fifth.
        b"99AAAAA9999A" => {
            *entity != b'0' && matches!(kind, b'1'..=b'9' | b'A' | b'B' | b'C' | b'D' | b'E'..=b'J' | b'Z')
        }
        b"99AAAA99999A" => matches!(kind, b'Z' | b'D'),
        // UN bodies, embassies, non-residents, OIDAR: four digits, three letters, five digits.
        b"9999AAA99999" => matches!((entity, kind), (b'U' | b'O', b'N') | (b'N', b'R') | (b'O', b'S')),
        _ => false,
    }
}

fn seller(sheet: &mut Sheet<'_>) {
    let seller = &sheet.invoice.seller_dtls;
    let given = seller.gstin.malformed().map(|raw| raw.trim_matches('"'));
    if given.is_some_and(|raw| raw.eq_ignore_ascii_case("URP")) {
        sheet.push(
            table::SELLER_URP
                .finding("SellerDtls.Gstin", "the supplier is URP, and only a registered person reports invoices")
                .with_found("URP")
                .with_expected("the GSTIN of the supplier")
                .with_fix("Give the supplier's GSTIN."),
        );
    }
}

fn buyer(sheet: &mut Sheet<'_>, supply: SupplyType) {
    match sheet.invoice.buyer_dtls.gstin.get() {
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
        Some(PartyGstin::Registered(gstin)) if Some(gstin) == sheet.invoice.seller_dtls.gstin.get() => sheet.push(
            table::SAME_PARTY
                .finding("BuyerDtls.Gstin", "supplier and recipient have the same GSTIN")
                .with_found(gstin)
                .with_expected("another GSTIN than that of the supplier")
                .with_fix("Correct the recipient; a transfer within one registration has no e-invoice."),
        ),
        _ => {}
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
