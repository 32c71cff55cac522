//! Export details, and the codes in them.

use crate::document::SupplyType;
use crate::identifier::StateCode;
use crate::masters::Kind;

use super::codes::unlisted;
use super::{Sheet, table};

pub(super) fn check(sheet: &mut Sheet<'_>) {
    let invoice = sheet.invoice;
    let masters = sheet.options.masters();
    let is_export = invoice.tran_dtls.sup_typ.get().is_some_and(SupplyType::is_export);
    let details = invoice.exp_dtls.as_ref();
    let country = details.and_then(|details| details.cnt_code.as_ref());
    if is_export && details.is_none_or(|details| details.cnt_code.is_absent()) {
        sheet.push(
            table::EXPORT_COUNTRY
                .finding("ExpDtls.CntCode", "the document is an export and names no country")
                .with_expected("two letters, for instance AE")
                .with_fix("Give the country of the recipient. Port and shipping bill can follow after clearance."),
        );
    }
    if let Some(code) = country {
        let lookup = masters.country(code);
        let what = format_args!("country code {}", &**code);
        if let Some(finding) = unlisted(&table::COUNTRY, "ExpDtls.CntCode", Kind::Country, &what, &lookup) {
            sheet.push(finding.with_found(code));
        }
    }
    if let Some(code) = details.and_then(|details| details.for_cur.as_ref()) {
        let lookup = masters.currency(code);
        let what = format_args!("currency {}", &**code);
        if let Some(finding) = unlisted(&table::CURRENCY, "ExpDtls.ForCur", Kind::Currency, &what, &lookup) {
            sheet.push(finding.with_found(code));
        }
    }
    if let Some(code) = details.and_then(|details| details.port.as_ref()) {
        let lookup = masters.port(code);
        let what = format_args!("port code {}", &**code);
        if let Some(finding) = unlisted(&table::PORT, "ExpDtls.Port", Kind::Port, &what, &lookup) {
            sheet.push(finding.with_found(code));
        }
    }
    let ship = invoice.ship_dtls.as_ref().and_then(|ship| ship.stcd.get());
    if is_export && ship == Some(StateCode::OTHER_COUNTRY) {
        sheet.push(
            table::EXPORT_SHIP
                .finding("ShipDtls.Stcd", "the ship-to address of the export is abroad")
                .with_found(StateCode::OTHER_COUNTRY)
                .with_expected("the state of the port or place in India from which the goods leave")
                .with_fix("Give the port, airport or land station as ship-to; the customer's address is BuyerDtls."),
        );
    }
}
