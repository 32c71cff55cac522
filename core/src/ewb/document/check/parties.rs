//! Who moves what to whom: the caller, the direction, the kind of movement and the kind of document.
//!
//! The system has an official list of 28 combinations. Its outward rows and the inward ones of supply, import, sales
//! return and job work returns were read; the other inward rows were not, and only warn.

use super::super::{Direction, EwbDocumentType, SubSupply, rules};
use super::Sheet;
use crate::document::{Field, PartyGstin};
use crate::identifier::Gstin;
use crate::rulebook::{Rule, TaxpayerKind};

pub(super) fn check(sheet: &mut Sheet<'_>) {
    caller(sheet);
    check_characters(sheet);
    matrix(sheet);
    let request = sheet.request;
    if request.sub_supply_type.get() == Some(SubSupply::Others) && request.sub_supply_desc.is_absent() {
        let fix = "Describe the movement in at most 20 characters, or choose the kind it is of.";
        let message = "the movement is of the kind others, and not described";
        sheet.lacks(&rules::DESCRIPTION, "subSupplyDesc", message, "a description", fix);
    }
}

fn caller(sheet: &mut Sheet<'_>) {
    let (request, user) = (sheet.request, sheet.user);
    let own = Some(PartyGstin::Registered(user));
    let (rule, path, stated, who) = match request.supply_type.get() {
        Some(Direction::Outward) => (&rules::USER_FROM, "fromGstin", request.from_gstin.get(), "supplier"),
        Some(Direction::Inward) => (&rules::USER_TO, "toGstin", request.to_gstin.get(), "recipient"),
        None => (&rules::USER_FROM, "fromGstin", None, ""),
    };
    if let Some(stated) = stated.filter(|stated| Some(*stated) != own) {
        let message = format!("the {who} is {stated}, and the caller is {user}");
        let fix = "Call with the login of that party, or correct the direction or the GSTIN.";
        sheet.wrong(rule, path, stated, message, user, fix);
    }
    if let Some(stated) = request.user_gstin.get().filter(|stated| *stated != user) {
        let message = format!("userGstin is {stated}, and the caller is {user}");
        sheet.wrong(&rules::USER_GSTIN, "userGstin", stated, message, user, "Leave userGstin out.");
    }
    let unregistered = Some(PartyGstin::Unregistered);
    if request.from_gstin.get() == unregistered && request.to_gstin.get() == unregistered {
        let fix = "Give the caller's own GSTIN on its side.";
        sheet.wrong(&rules::BOTH_URP, "fromGstin", "URP", "both parties are unregistered", "at least one GSTIN", fix);
    }
}

fn check_characters(sheet: &mut Sheet<'_>) {
    let Some(severity) = sheet.options.gstin_check_digit else { return };
    let request = sheet.request;
    let parties: [(&str, &Field<PartyGstin>); 4] = [
        ("fromGstin", &request.from_gstin),
        ("toGstin", &request.to_gstin),
        ("dispatchFromGSTIN", &request.dispatch_from_gstin),
        ("shipToGSTIN", &request.ship_to_gstin),
    ];
    for (path, party) in parties {
        let Some(gstin) = party.get().and_then(PartyGstin::gstin).filter(|gstin| !gstin.check_digit_ok()) else {
            continue;
        };
        let expected = gstin.expected_check_character().map(String::from).unwrap_or_default();
        let message = format!("the last character of {gstin} is not its check character");
        let mut finding = rules::CHECK_DIGIT
            .finding(path, message)
            .with_found(gstin)
            .with_expected(format!("{expected} as the last character"))
            .with_fix("Compare the GSTIN with the certificate of registration; a character is mistyped.");
        finding.severity = severity;
        finding.code = Some(match path {
            "fromGstin" => "208".into(),
            "toGstin" => "212".into(),
            "shipToGSTIN" => "609".into(),
            _ => "610".into(),
        });
        sheet.push(&rules::CHECK_DIGIT, finding);
    }
}

/// Who the party beside the caller is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Beside {
    Another,
    Caller,
    Anyone,
}

/// What goes with a direction and a kind of movement.
struct Row {
    documents: &'static [EwbDocumentType],
    beside: Beside,
    is_sure: bool,
}

/// The combinations of the system; nothing for a kind of movement that the direction does not have.
fn row(direction: Direction, sub: SubSupply) -> Option<Row> {
    use Beside::{Another, Anyone, Caller};
    use EwbDocumentType::{BillOfEntry, BillOfSupply, Challan, Invoice, Others};
    let sure = |documents, beside| Some(Row { documents, beside, is_sure: true });
    let unsure = |documents| Some(Row { documents, beside: Anyone, is_sure: false });
    match (direction, sub) {
        (Direction::Outward, SubSupply::Supply | SubSupply::Export) | (Direction::Inward, SubSupply::Supply) => {
            sure(&[Invoice, BillOfSupply], Another)
        }
        (Direction::Outward, SubSupply::JobWork)
        | (Direction::Inward, SubSupply::SalesReturn | SubSupply::JobWorkReturns) => sure(&[Challan], Another),
        (Direction::Outward, SubSupply::KnockedDown) => sure(&[Invoice, BillOfSupply, Challan], Another),
        (Direction::Outward, SubSupply::RecipientNotKnown) => sure(&[Challan, Others], Caller),
        (Direction::Outward, SubSupply::OwnUse | SubSupply::Exhibition | SubSupply::LineSales) => {
            sure(&[Challan], Caller)
        }
        (Direction::Outward, SubSupply::Others) => sure(&[Challan, Others], Anyone),
        (Direction::Inward, SubSupply::Import) => sure(&[BillOfEntry], Another),
        (Direction::Inward, SubSupply::KnockedDown) => unsure(&[Challan, Others, BillOfEntry, Invoice, BillOfSupply]),
        (Direction::Inward, SubSupply::OwnUse | SubSupply::Exhibition | SubSupply::Others) => {
            unsure(&[Challan, Others])
        }
        (Direction::Outward, SubSupply::Import | SubSupply::JobWorkReturns | SubSupply::SalesReturn)
        | (
            Direction::Inward,
            SubSupply::Export | SubSupply::JobWork | SubSupply::LineSales | SubSupply::RecipientNotKnown,
        ) => None,
    }
}

fn matrix(sheet: &mut Sheet<'_>) {
    let request = sheet.request;
    let (Some(direction), Some(sub)) = (request.supply_type.get(), request.sub_supply_type.get()) else { return };
    let Some(allowed) = row(direction, sub) else {
        let message = format!("a movement of the kind {} ({sub}) is never {direction}", sub.code());
        let fix = "Correct the direction or the kind of movement.";
        let kinds = SubSupply::ALL.iter().filter(|sub| row(direction, **sub).is_some());
        let expected = kinds.map(|sub| sub.code()).collect::<Vec<_>>().join(", ");
        sheet.wrong(&rules::SUB_SUPPLY, "subSupplyType", sub.code(), message, expected, fix);
        return;
    };
    if let Some(typ) = request.doc_type.get().filter(|typ| !allowed.documents.contains(typ)) {
        let rule: &Rule = if allowed.is_sure { &rules::DOC_TYPE } else { &rules::DOC_TYPE_UNSURE };
        let message = format!("document type {} does not go with {direction} movements of the kind {sub}", typ.code());
        let expected = allowed.documents.iter().map(|typ| typ.code()).collect::<Vec<_>>().join(", ");
        let fix = "Give the kind of document that goes with the goods, or correct the kind of movement.";
        sheet.wrong(rule, "docType", typ.code(), message, expected, fix);
    }
    let (path, beside) = match direction {
        Direction::Outward => ("toGstin", request.to_gstin.get()),
        Direction::Inward => ("fromGstin", request.from_gstin.get()),
    };
    let Some(beside) = beside else { return };
    let own = beside == PartyGstin::Registered(sheet.user);
    let fix = "Correct the party, or the kind of movement.";
    match allowed.beside {
        Beside::Another if own => {
            let message = format!("both parties of a movement of the kind {sub} are the caller");
            sheet.wrong(&rules::PARTIES, path, beside, message, "another GSTIN, or URP", fix);
        }
        Beside::Caller if !own => {
            let message = format!("a movement of the kind {sub} is between places of the caller");
            sheet.wrong(&rules::PARTIES, path, beside, message, sheet.user, fix);
        }
        _ => {}
    }
}

/// Whether a party is known to be in a special economic zone; a GSTIN does not show it.
pub(super) fn is_sez(sheet: &Sheet<'_>, gstin: Gstin) -> Option<bool> {
    let kind = sheet.options.settings.taxpayer(gstin)?.kind?;
    Some(matches!(kind, TaxpayerKind::SezUnit | TaxpayerKind::SezDeveloper))
}
