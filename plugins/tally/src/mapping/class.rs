//! Which vouchers are documents to register, and of which type.

use einvoice_core::finding::Finding;
use einvoice_core::key::DocumentType;
use einvoice_core::source::Skip;

use super::{Beside, Settings, voucher::Voucher};
use crate::config::VoucherClass;
use crate::lexical;
use crate::masters::Masters;
use einvoice_core::spelling;
use jiff::civil::Date;

/// What a voucher is.
pub(crate) enum Class {
    /// To be registered.
    Document(DocumentType),
    /// Not to be registered.
    Skip(Skip),
    /// A person has to say, or to do something.
    Unclear(Box<Finding>),
}

/// States of a voucher that keep it out, the reason, and a sentence.
const OUT: [(&str, &str, &str); 7] = [
    ("ISCANCELLED", "cancelled", "the voucher is cancelled in Tally"),
    ("ISDELETED", "deleted", "the voucher is deleted in Tally"),
    ("ISOPTIONAL", "optional", "the voucher is optional: it is not in the books"),
    ("ISVOID", "void", "the voucher is void"),
    ("ISPOSTDATED", "post_dated", "the voucher is post-dated: it is not in the books yet"),
    ("ISONHOLD", "on_hold", "the voucher is on hold"),
    ("ISDRAFT", "draft", "the voucher is a draft"),
];

/// Built-in types that are no sale and no note.
const OTHER_TYPES: [&str; 22] = [
    "Purchase",
    "Payment",
    "Receipt",
    "Contra",
    "Journal",
    "Sales Order",
    "Purchase Order",
    "Delivery Note",
    "Receipt Note",
    "Rejections In",
    "Rejections Out",
    "Stock Journal",
    "Physical Stock",
    "Memorandum",
    "Reversing Journal",
    "Payroll",
    "Attendance",
    "Material In",
    "Material Out",
    "Job Work In Order",
    "Job Work Out Order",
    "Manufacturing Journal",
];

/// Judges a voucher by its state and type.
pub(crate) fn classify(voucher: &Voucher<'_>, beside: &Beside, settings: &Settings) -> Class {
    let element = voucher.element;
    let skip = |reason: &str, message: &str| Skip {
        label: voucher.label.clone(),
        reason: reason.to_owned(),
        message: message.to_owned(),
    };
    let registered = element.get("IRN").is_some();
    for (flag, reason, message) in OUT {
        if element.is_yes(flag) {
            if flag == "ISCANCELLED" && registered && !element.is_yes("IRNCANCELLED") {
                return cancelled_after_registration(voucher, beside.read_on, &skip);
            }
            return Class::Skip(skip(reason, message));
        }
    }
    let class = match class_of(voucher, &beside.masters, settings) {
        Ok(class) => class,
        Err(class) => return class(&skip),
    };
    if registered && !settings.config.include_registered {
        return Class::Skip(skip(
            "already_registered",
            "the voucher carries an IRN already: it is never registered again",
        ));
    }
    Class::Document(class)
}

/// A voucher that was cancelled in Tally while its IRN stands: somebody has to cancel that, too, as long as the portal takes it.
fn cancelled_after_registration(
    voucher: &Voucher<'_>,
    read_on: Option<Date>,
    skip: &dyn Fn(&str, &str) -> Skip,
) -> Class {
    let registered_on = voucher.element.get("IRNACKDATE").and_then(lexical::date);
    // Tally keeps the day alone: the 24 hours end in the course of the next one.
    let last = registered_on.and_then(|day| day.date().tomorrow().ok());
    if last.zip(read_on).is_some_and(|(last, read_on)| read_on > last) {
        return Class::Skip(skip(
            "cancelled_after_registration",
            "the voucher is cancelled in Tally but its IRN is not, and the 24 hours in which the portal cancels it are over: issue a credit note",
        ));
    }
    let until = last.map(|last| format!(", which end on {last} at the latest")).unwrap_or_default();
    let message = format!(
        "the voucher is cancelled in Tally and its IRN stands; the portal cancels it within 24 hours of registration{until}"
    );
    let number = voucher.element.get("VOUCHERNUMBER").unwrap_or("KEY");
    let fix = format!(
        "Cancel the IRN as well: `einvoice cancel {number} --reason order-cancelled --remark TEXT`, or on the portal where it was \
         registered there. If the voucher is not to be cancelled, undo that in Tally."
    );
    let finding = Finding::error("tally.cancelled_after_registration", "", message)
        .with_found(voucher.element.get("IRN").unwrap_or_default())
        .with_fix(fix);
    Class::Unclear(Box::new(finding))
}

type Otherwise = Box<dyn FnOnce(&dyn Fn(&str, &str) -> Skip) -> Class>;

fn class_of(voucher: &Voucher<'_>, masters: &Masters, settings: &Settings) -> Result<DocumentType, Otherwise> {
    let type_name = voucher.type_name;
    match settings.voucher_class(type_name) {
        Some(VoucherClass::Sales) => return Ok(DocumentType::Invoice),
        Some(VoucherClass::CreditNote) => return Ok(DocumentType::CreditNote),
        Some(VoucherClass::DebitNote | VoucherClass::SupplementaryInvoice) => return Ok(DocumentType::DebitNote),
        Some(VoucherClass::Ignore) => {
            return Err(Box::new(|skip| {
                Class::Skip(skip("other_class", "the configuration says to ignore this voucher type"))
            }));
        }
        None => {}
    }
    let reserved = masters.reserved_voucher_type(type_name).unwrap_or_else(|| type_name.to_owned());
    if spelling::same(&reserved, "Sales") {
        return Ok(DocumentType::Invoice);
    }
    if spelling::same(&reserved, "Credit Note") {
        return if party_is(voucher, masters, "Sundry Creditors") == Some(true) {
            Err(Box::new(|skip| {
                Class::Skip(skip(
                    "credit_note_to_supplier",
                    "the credit note is to a supplier: it is no outward supply",
                ))
            }))
        } else {
            Ok(DocumentType::CreditNote)
        };
    }
    if spelling::same(&reserved, "Debit Note") {
        return debit_note(voucher, masters);
    }
    if spelling::same(&reserved, "Purchase") {
        return Err(Box::new(|skip| Class::Skip(skip("purchase", "a purchase is registered by the supplier"))));
    }
    if OTHER_TYPES.iter().any(|other| spelling::same(&reserved, other)) || !voucher.looks_like_invoice() {
        return Err(Box::new(move |skip| {
            Class::Skip(skip("other_class", &format!("vouchers of class {reserved} are not registered")))
        }));
    }
    Err(unclear(type_name))
}

fn unclear(type_name: &str) -> Otherwise {
    let finding = Finding::error(
        "tally.voucher_type_unknown",
        "DocDtls.Typ",
        format!("nothing says whether voucher type \"{type_name}\" is a sale or a note"),
    )
    .with_found(type_name)
    .with_expected("a voucher type whose master is in the export, or a built-in one")
    .with_fix("Export with dependent masters, or name the type under `voucher_types` in the configuration.");
    Box::new(move |_| Class::Unclear(Box::new(finding)))
}

/// In Tally a debit note usually returns a purchase; one to a customer has a debtor as its party and
/// output tax.
fn debit_note(voucher: &Voucher<'_>, masters: &Masters) -> Result<DocumentType, Otherwise> {
    let input = voucher.ledger_names().any(|name| spelling::fold(name).contains("input"));
    let purchase = voucher.natures().any(|nature| nature.contains("purchase") || nature.contains("import"));
    if !input && !purchase && party_is(voucher, masters, "Sundry Debtors") == Some(true) {
        return Ok(DocumentType::DebitNote);
    }
    Err(Box::new(|skip| {
        Class::Skip(skip(
            "debit_note_not_to_customer",
            "the debit note returns a purchase, or nothing shows that its party is a customer; if it is one, name the voucher type as debit_note under `voucher_types`",
        ))
    }))
}

fn party_is(voucher: &Voucher<'_>, masters: &Masters, group: &str) -> Option<bool> {
    masters.ledger(voucher.party_name?).and_then(|ledger| masters.ledger_below(ledger, &[group]))
}
