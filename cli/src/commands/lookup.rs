//! `lookup`: what a portal holds, proven as far as it is signed, beside what the ledger holds, which learns from it.

mod compare;
pub(super) mod learn;
mod registry;
pub(super) mod show;

use einvoice_core::environment::{Product, RouteName};
use einvoice_core::ewb::EwbNumber;
use einvoice_core::identifier::Gstin;
use einvoice_core::irn::Irn;
use einvoice_core::job::Bill;
use einvoice_core::ledger::{DocumentStatus, Query};
use einvoice_core::operation::{Operation, Reply};
use einvoice_core::pipeline::Asked;
use einvoice_core::transport::TransportError;
use serde_json::json;

use super::block_on;
use super::desk::refusal::{Refusal, code_of};
use super::desk::{Desk, find};
use crate::arguments::{At, Common, Lookup, LookupWhat};
use crate::error::CliError;
use crate::output::{Output, Style};
use crate::settings;

/// What the ledger holds of what is looked up.
#[derive(Debug, Default)]
struct Ours {
    document: Option<DocumentStatus>,
    bill: Option<Bill>,
}

pub(super) fn run(arguments: &Lookup, common: &Common, output: &mut Output) -> Result<u8, CliError> {
    let loaded = settings::load(common)?;
    block_on(async {
        let desk = Desk::open(loaded).await?;
        let ours = ours(&desk, &arguments.what, arguments.at.login).await?;
        let gstin = match &arguments.what {
            LookupWhat::Gstin { taxpayer, .. } => desk.actor(arguments.at.login, &[*taxpayer]).await?,
            _ => desk.login(arguments.at.login, known_login(&ours)).await?,
        };
        let route = route(&desk, &arguments.at, &ours)?;
        let operation = operation(&desk, &arguments.what, &ours, route.as_ref());
        match desk.pipeline.ask(gstin, &operation, route.as_ref()).await {
            Ok(asked) => answered(&desk, &arguments.what, &asked, &ours, gstin, output).await,
            Err(error) => in_vain(word(&arguments.what), &operation, &error, output),
        }
    })
}

/// Tells that a question brought no answer, or a no; the exit code of it.
pub(super) fn in_vain(
    word: &str,
    operation: &Operation,
    error: &TransportError,
    output: &mut Output,
) -> Result<u8, CliError> {
    let kind = operation.kind();
    let refusal = Refusal::asked(error, kind.product());
    let code = code_of(error);
    if output.is_json() {
        let errors = error.portal_errors();
        output.object(&json!({"lookup": word, "refused": refusal, "errors": errors, "exit_code": code}))?;
        return Ok(code);
    }
    output.headed(Style::Bad, &format!("{kind}:"), "no result")?;
    refusal.show(2, output)?;
    Ok(code)
}

/// What is looked up, as `--json` names it.
const fn word(what: &LookupWhat) -> &'static str {
    match what {
        LookupWhat::Irn { .. } => "irn",
        LookupWhat::Document { .. } => "document",
        LookupWhat::Gstin { .. } => "gstin",
        LookupWhat::Ewb { .. } => "ewb",
        LookupWhat::Rejected { .. } => "rejected",
        LookupWhat::Transporter { .. } => "transporter",
        LookupWhat::Hsn { .. } => "hsn",
        LookupWhat::EwbErrors { .. } => "ewb_errors",
    }
}

async fn ours(desk: &Desk, what: &LookupWhat, login: Option<Gstin>) -> Result<Ours, CliError> {
    let ledger = desk.ledger.as_ref();
    match what {
        LookupWhat::Irn { irn } => Ok(Ours { document: of_irn(desk, *irn).await?, bill: None }),
        LookupWhat::Document { doc_type, number, date } => {
            let query = Query { text: Some(number.as_str().to_owned()), ..Query::default() };
            let is_it = |status: &DocumentStatus| {
                status.key.as_ref().is_some_and(|key| {
                    key.number == *number
                        && key.doc_type == *doc_type
                        && key.year == date.financial_year()
                        && login.is_none_or(|login| login == key.supplier)
                })
            };
            let mut found = find::all(ledger, query).await?;
            found.retain(is_it);
            // Two suppliers may use one number: then only the login tells which is meant.
            let document = if found.len() == 1 { found.pop() } else { None };
            Ok(Ours { document, bill: None })
        }
        LookupWhat::Ewb { number } => of_bill(desk, *number).await,
        _ => Ok(Ours::default()),
    }
}

async fn of_irn(desk: &Desk, irn: Irn) -> Result<Option<DocumentStatus>, CliError> {
    let query = Query { text: Some(irn.to_string()), limit: 1, ..Query::default() };
    Ok(desk.ledger.query(query).await?.into_iter().next())
}

async fn of_bill(desk: &Desk, number: EwbNumber) -> Result<Ours, CliError> {
    let bill = find::bill(desk.ledger.as_ref(), number).await?;
    let document = match bill.as_ref().and_then(|bill| bill.document) {
        Some(id) => find::by_id(desk.ledger.as_ref(), id).await?,
        None => None,
    };
    Ok(Ours { document, bill })
}

fn known_login(ours: &Ours) -> Option<Gstin> {
    let supplier = ours.document.as_ref().and_then(|status| status.key.as_ref()).map(|key| key.supplier);
    supplier.or_else(|| ours.bill.as_ref().map(|bill| bill.standing.generated_by))
}

fn route(desk: &Desk, at: &At, ours: &Ours) -> Result<Option<RouteName>, CliError> {
    let known = match &ours.bill {
        Some(bill) => bill.route.clone(),
        None => ours.document.as_ref().and_then(|status| status.route.clone()),
    };
    // A route that is no longer configured cannot be asked; the first that can is.
    let known = known.filter(|name| desk.route(Some(name.as_str())).is_ok());
    Ok(desk.route(at.route.as_deref())?.or(known))
}

fn operation(desk: &Desk, what: &LookupWhat, ours: &Ours, route: Option<&RouteName>) -> Operation {
    let site = || desk.site_beyond(route, ours.document.as_ref().and_then(|status| status.site.as_deref()));
    match what {
        LookupWhat::Irn { irn } => Operation::GetIrn { irn: *irn, site: site() },
        LookupWhat::Document { doc_type, number, date } => {
            Operation::GetIrnByDocument { doc_type: *doc_type, number: number.clone(), date: *date, site: site() }
        }
        LookupWhat::Gstin { taxpayer, from_ewb: true, .. } => Operation::EwbGstinDetails { gstin: *taxpayer },
        LookupWhat::Gstin { taxpayer, sync: true, .. } => Operation::SyncGstin { gstin: *taxpayer },
        LookupWhat::Gstin { taxpayer, .. } => Operation::GstinDetails { gstin: *taxpayer },
        LookupWhat::Ewb { number } => Operation::GetEwb { number: *number },
        LookupWhat::Rejected { date } => Operation::RejectedIrns { date: *date, site: None },
        LookupWhat::Transporter { id } => Operation::TransporterDetails { id: id.clone() },
        LookupWhat::Hsn { code } => Operation::HsnDetails { code: code.clone() },
        LookupWhat::EwbErrors { .. } => Operation::EwbErrorList,
    }
}

async fn answered(
    desk: &Desk,
    what: &LookupWhat,
    asked: &Asked,
    ours: &Ours,
    gstin: Gstin,
    output: &mut Output,
) -> Result<u8, CliError> {
    match &asked.reply {
        Reply::Registration(found) => {
            let learnt = match &ours.document {
                Some(ours) => learn::cancellation(desk, ours, found).await?,
                None => None,
            };
            let known = ours.document.as_ref();
            show::registration(word(what), asked, found, known, learnt.as_ref(), desk.verifier.as_ref(), output)
        }
        Reply::EwbDetails(details) => learn::bill(desk, asked, details, ours.bill.as_ref(), gstin, output).await,
        Reply::RejectedIrns(irns) => {
            let (learnt, known) = learn::rejections(desk, irns).await?;
            show::rejected(asked, &known, &learnt, output)
        }
        Reply::Taxpayer(taxpayer) => {
            let of_ewb = matches!(what, LookupWhat::Gstin { from_ewb: true, .. });
            registry::taxpayer(asked, taxpayer, if of_ewb { Product::EWayBill } else { Product::EInvoice }, output)
        }
        Reply::ErrorList(list) => registry::errors(asked, list, what, output),
        Reply::Transporter(transporter) => registry::transporter(asked, transporter, output),
        Reply::Hsn { code, description } => registry::hsn(asked, code, description, output),
        other => Err(CliError::Fault(format!("a question was answered with {}", other.words()))),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::arguments::{Arguments, Command};

    fn parsed(arguments: &[&str]) -> Option<Lookup> {
        let all = ["einvoice", "lookup"].iter().chain(arguments);
        match Arguments::try_parse_from(all).ok()?.command {
            Command::Lookup(lookup) => Some(lookup),
            _ => None,
        }
    }

    #[test]
    fn a_document_is_named_by_type_number_and_date_and_the_login_stands_anywhere() {
        let lookup = parsed(&["--gstin", "29AABCE1234F1Z1", "document", "inv", "A/1", "2026-11-05"]).unwrap();
        assert_eq!(lookup.at.login.unwrap().as_str(), "29AABCE1234F1Z1");
        let LookupWhat::Document { doc_type, number, date } = lookup.what else { panic!("{lookup:?}") };
        assert_eq!((doc_type.code(), number.as_str(), date.to_string().as_str()), ("INV", "A/1", "05/11/2026"));
        let lookup = parsed(&["gstin", "27AAPFU0939F1ZV", "--sync", "--gstin", "29AABCE1234F1Z1", "--route", "nic"]);
        let lookup = lookup.unwrap();
        assert!(
            matches!(lookup.what, LookupWhat::Gstin { sync: true, taxpayer, .. } if taxpayer.as_str() == "27AAPFU0939F1ZV")
        );
        assert_eq!(lookup.at.route.as_deref(), Some("nic"));
    }

    #[test]
    fn what_has_not_the_form_is_refused_before_anything_is_opened() {
        for wrong in [
            &["irn", "abc"][..],
            &["ewb", "123"],
            &["gstin", "29"],
            &["rejected", "yesterday"],
            &["document", "BIL", "1", "2026-11-05"],
        ] {
            assert!(parsed(wrong).is_none(), "{wrong:?}");
        }
    }
}
