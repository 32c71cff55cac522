//! Whether the customer of a voucher is a business to register for, a consumer, or nobody known.

use einvoice_core::finding::Finding;
use einvoice_core::source::Skip;
use einvoice_core::spelling;

use super::Context;

/// Who the customer is, as far as registration goes.
pub(crate) enum Customer {
    /// A business with its GSTIN, or a customer abroad.
    Identified,
    /// A consumer, or a business without registration.
    Consumer,
    /// Neither the voucher nor a master says anything.
    Unknown,
    /// Registered by its own books, and without a GSTIN: a person has to enter it.
    WithoutGstin(Box<Finding>),
}

/// Words that say nothing of a registration.
const SAY_NOTHING: [&str; 2] = ["unknown", "notknown"];

/// Judges the customer.
pub(crate) fn of(context: &Context<'_>) -> Customer {
    if context.export || context.buyer_gstin.is_some() {
        return Customer::Identified;
    }
    let voucher = context.voucher;
    let says = |kind: &&str| !SAY_NOTHING.contains(&&*spelling::fold(kind));
    let own = voucher.element.get("GSTREGISTRATIONTYPE").filter(says).map(|kind| (kind, "V/GSTREGISTRATIONTYPE"));
    let by_master = || {
        let kind = context.party.registration.and_then(|found| found.kind.as_deref()).filter(says)?;
        Some((kind, "M:LEDGER/GSTREGISTRATIONTYPE"))
    };
    // Units in an SEZ and deemed exporters are registered, whatever their ledger says; others are sold to as consumers.
    let by_nature = || {
        let telling = ["sez", "deemedexport", "consumer"];
        let nature = voucher.natures().find(|nature| telling.iter().any(|word| nature.contains(word)))?;
        Some((nature, "GSTOVRDNNATURE"))
    };
    let found = own.filter(|(kind, _)| !is_consumer(kind)).or_else(by_nature).or(own).or_else(by_master);
    match found {
        Some((kind, _)) if is_consumer(kind) => Customer::Consumer,
        Some((kind, origin)) => Customer::WithoutGstin(Box::new(without_gstin(context, kind, origin))),
        None if context.party.contact.is_some() => Customer::Consumer,
        None => Customer::Unknown,
    }
}

fn is_consumer(kind: &str) -> bool {
    let kind = spelling::fold(kind);
    kind.starts_with("unregistered") || kind.contains("consumer")
}

fn name<'v>(context: &Context<'v>) -> &'v str {
    context.voucher.party_name.unwrap_or("the customer")
}

fn without_gstin(context: &Context<'_>, kind: &str, origin: &str) -> Finding {
    let name = name(context);
    let message = format!("\"{name}\" is registered ({origin}), and neither the voucher nor its ledger has the GSTIN");
    Finding::error("tally.buyer_gstin_missing", "BuyerDtls.Gstin", message)
        .with_found(format!("{kind}, no GSTIN"))
        .with_expected("PARTYGSTIN on the voucher, or a GSTIN in the registration details of the ledger")
        .with_fix(format!(
            "In Tally{}, enter the GSTIN in ledger \"{name}\" and on the voucher, or choose Unregistered/Consumer if that is what the customer is; then export it again, with dependent masters.",
            context.in_books()
        ))
}

/// Passed over with a word to it, as nothing says that the sale goes to a consumer.
pub(crate) fn unknown(context: &Context<'_>) -> Skip {
    let name = name(context);
    Skip {
        label: context.voucher.label.clone(),
        reason: "customer_unknown".to_owned(),
        message: format!(
            "the voucher has no GSTIN and no registration type of the customer, and ledger \"{name}\" is in no export: it is taken \
             for a sale to a consumer; if \"{name}\" is a business, export with dependent masters"
        ),
    }
}
