//! What only the portal knows of a party, where the caller knows it too: kind and standing of registrations.
//!
//! Without facts these rules are silent: guessing them would keep right documents back.

use crate::date::DocumentDate;
use crate::document::{PartyGstin, SupplyType, YesNo};
use crate::finding::Finding;
use crate::identifier::Gstin;

use super::settings::{Taxpayer, TaxpayerKind, TaxpayerStatus};
use super::{Rule, Sheet, table};

pub(super) fn check(sheet: &mut Sheet<'_>) {
    let options = sheet.options;
    if options.settings.taxpayer.is_empty() {
        return;
    }
    let invoice = sheet.invoice;
    let supplier = invoice.seller_dtls.gstin.get().and_then(|gstin| options.settings.taxpayer(gstin));
    let recipient = invoice.buyer_dtls.gstin.get().and_then(PartyGstin::gstin);
    let recipient = recipient.and_then(|gstin| options.settings.taxpayer(gstin));
    if let Some(supplier) = supplier {
        supplier_kind(sheet, supplier);
        standing(sheet, "SellerDtls.Gstin", supplier, false);
    }
    if let Some(recipient) = recipient {
        recipient_kind(sheet, recipient);
        standing(sheet, "BuyerDtls.Gstin", recipient, true);
    }
}

fn finding(rule: &'static Rule, path: &str, gstin: Gstin, message: String, expected: &str, fix: &str) -> Finding {
    rule.finding(path, message).with_found(gstin).with_expected(expected).with_fix(fix)
}

fn supplier_kind(sheet: &mut Sheet<'_>, supplier: &Taxpayer) {
    const PATH: &str = "SellerDtls.Gstin";
    let gstin = supplier.gstin.gstin();
    match supplier.kind {
        Some(TaxpayerKind::SezUnit) => sheet.push(finding(
            &table::SELLER_SEZ,
            PATH,
            gstin,
            format!("the supplier {gstin} is a unit in an SEZ, and those report no e-invoices"),
            "a supplier outside an SEZ, or an SEZ developer",
            "Nothing to report: give the customer a plain invoice. Correct rules.taxpayer if the kind is wrong.",
        )),
        Some(TaxpayerKind::Composition | TaxpayerKind::InputServiceDistributor | TaxpayerKind::Other) => {
            sheet.push(finding(
                &table::SELLER_KIND,
                PATH,
                gstin,
                format!("the supplier {gstin} is neither a regular or casual taxpayer nor an SEZ developer"),
                "a supplier of one of these kinds",
                "Report under the supplier's regular registration. Correct rules.taxpayer if the kind is wrong.",
            ));
        }
        // A developer of an SEZ charges IGST only; the rules of tax kind see to it by the supply type.
        Some(TaxpayerKind::Regular | TaxpayerKind::Casual | TaxpayerKind::SezDeveloper) | None => {}
    }
}

fn recipient_kind(sheet: &mut Sheet<'_>, recipient: &Taxpayer) {
    const PATH: &str = "BuyerDtls.Gstin";
    let (Some(kind), Some(supply)) = (recipient.kind, sheet.invoice.tran_dtls.sup_typ.get()) else { return };
    if supply.is_export() {
        return;
    }
    let gstin = recipient.gstin.gstin();
    let reverse = sheet.invoice.tran_dtls.reg_rev.get() == Some(YesNo::Yes);
    if kind == TaxpayerKind::InputServiceDistributor && reverse {
        sheet.push(finding(
            &table::DISTRIBUTOR_REVERSE,
            PATH,
            gstin,
            format!("the recipient {gstin} is an input service distributor, and reverse charge is Y"),
            "a recipient that pays tax itself, or reverse charge N",
            "Give the recipient's regular registration, or leave RegRev out.",
        ));
    }
    let in_zone = matches!(kind, TaxpayerKind::SezUnit | TaxpayerKind::SezDeveloper);
    if in_zone && !supply.is_sez() {
        sheet.push(finding(
            &table::BUYER_SEZ,
            PATH,
            gstin,
            format!("the recipient {gstin} is in an SEZ, and the supply type is {supply}"),
            "SEZWP or SEZWOP",
            "Set SupTyp to SEZWP (with payment of tax) or SEZWOP (under a letter of undertaking).",
        ));
    } else if !in_zone && supply.is_sez() {
        sheet.push(finding(
            &table::BUYER_NOT_SEZ,
            PATH,
            gstin,
            format!("the recipient {gstin} is not in an SEZ, and the supply type is {supply}"),
            "B2B, or a recipient in an SEZ",
            "Set SupTyp to B2B, or give the GSTIN of the recipient's unit in the SEZ.",
        ));
    } else if supply == SupplyType::DeemedExport && !matches!(kind, TaxpayerKind::Regular | TaxpayerKind::Casual) {
        sheet.push(finding(
            &table::DEEMED_KIND,
            PATH,
            gstin,
            format!("the supply type is DEXP, and the recipient {gstin} is neither a regular nor a casual taxpayer"),
            "a regular or casual taxpayer as recipient, or B2B",
            "Set SupTyp to B2B, or give the recipient's regular registration.",
        ));
    }
}

fn standing(sheet: &mut Sheet<'_>, path: &'static str, party: &Taxpayer, suspended_allowed: bool) {
    let gstin = party.gstin.gstin();
    let date = sheet.invoice.doc_dtls.dt.get();
    let day = |day: jiff::civil::Date| DocumentDate::from(day);
    match party.status {
        Some(TaxpayerStatus::Unknown) => sheet.push(finding(
            &table::GSTIN_UNKNOWN,
            path,
            gstin,
            format!("the portal does not know {gstin}"),
            "a GSTIN the portal knows",
            "Correct the GSTIN. If it is new, ask the portal to synchronise it with the GST system, and try again.",
        )),
        Some(TaxpayerStatus::Inactive) => sheet.push(inactive(path, gstin, "inactive")),
        Some(TaxpayerStatus::Suspended) if !suspended_allowed => sheet.push(inactive(path, gstin, "suspended")),
        Some(TaxpayerStatus::Active) => {
            if let (Some(date), Some(registered)) = (date, party.registered)
                && date.date() < registered
            {
                let registered = day(registered);
                sheet.push(finding(
                    &table::GSTIN_BEFORE,
                    path,
                    gstin,
                    format!("{gstin} is registered since {registered}, and the document is of {date}"),
                    "a document not earlier than the registration",
                    "Correct the document date or the GSTIN.",
                ));
            }
        }
        Some(TaxpayerStatus::Cancelled) => {
            if let Some(date) = date {
                cancelled(sheet, path, party, date);
            }
        }
        Some(TaxpayerStatus::Suspended) | None => {}
    }
}

fn inactive(path: &'static str, gstin: Gstin, standing: &str) -> Finding {
    finding(
        &table::GSTIN_INACTIVE,
        path,
        gstin,
        format!("the registration {gstin} is {standing}"),
        "an active registration",
        "Ask the party; when it is active again, have the portal synchronise the GSTIN with the GST system.",
    )
}

/// A cancelled registration is accepted for documents between its first and its last day.
fn cancelled(sheet: &mut Sheet<'_>, path: &'static str, party: &Taxpayer, date: DocumentDate) {
    let gstin = party.gstin.gstin();
    let (rule, message) = match (party.registered, party.cancelled) {
        (_, None) => (&table::GSTIN_CANCELLED_UNDATED, format!("{gstin} is cancelled, and since when is not known")),
        (None, _) => (
            &table::GSTIN_CANCELLED_UNREGISTERED,
            format!("{gstin} is cancelled, and since when it was registered is not known"),
        ),
        (_, Some(end)) if end < date.date() => (
            &table::GSTIN_CANCELLED,
            format!("{gstin} is cancelled since {}, and the document is of {date}", DocumentDate::from(end)),
        ),
        (Some(start), _) if date.date() < start => (
            &table::GSTIN_CANCELLED_BEFORE,
            format!("{gstin} was registered on {}, and the document is of {date}", DocumentDate::from(start)),
        ),
        _ => return,
    };
    sheet.push(finding(
        rule,
        path,
        gstin,
        message,
        "a document between registration and cancellation",
        "Correct the document date or the GSTIN; a synchronisation with the GST system may bring the missing days.",
    ));
}
