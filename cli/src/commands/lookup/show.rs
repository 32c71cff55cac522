//! Registrations, bills and rejections as a portal has them, for people and programs, beside what the ledger has.

use einvoice_core::date::PortalTime;
use einvoice_core::document::Difference;
use einvoice_core::ewb::Standing;
use einvoice_core::irn::Irn;
use einvoice_core::ledger::{DocumentId, DocumentStatus};
use einvoice_core::operation::{EwbDetails, Registration};
use einvoice_core::pipeline::Asked;
use einvoice_core::verify::TokenVerifier;
use serde::Serialize;
use serde_json::json;

use super::super::status::{differences as show_differences, document};
use super::super::verify::{Found, Line as Signature, judge};
use super::compare;
use super::learn::Learnt;
use crate::error::CliError;
use crate::exit_code;
use crate::output::{Column, Output, Style, counted, in_words, printable};

/// What the ledger has of it, and where the portal's word differs.
#[derive(Serialize)]
struct Compared<'a> {
    document: Option<String>,
    state: &'a str,
    agrees: bool,
    differences: Vec<Difference>,
}

/// A registration: its signatures, and the ledger's document beside it.
pub(super) fn registration(
    word: &str,
    asked: &Asked,
    found: &Registration,
    ours: Option<&DocumentStatus>,
    learnt: Option<&Learnt>,
    verifier: &dyn TokenVerifier,
    output: &mut Output,
) -> Result<u8, CliError> {
    let signatures = signatures(found, verifier);
    let compared = ours.map(|ours| {
        let differences = compare::registration(ours, found, verifier);
        Compared {
            document: Some(document(ours)),
            state: ours.state.as_str(),
            agrees: differences.is_empty(),
            differences,
        }
    });
    let in_order = !signatures.is_empty() && signatures.iter().all(Signature::is_in_order);
    let agrees = compared.as_ref().is_none_or(|compared| compared.agrees);
    let code = if in_order && agrees { exit_code::ALL_WELL } else { exit_code::NEEDS_PERSON };
    if output.is_json() {
        output.object(&json!({
            "lookup": word, "route": asked.route, "site": asked.site, "registration": found,
            "signatures": signatures, "ledger": compared, "learnt": learnt,
        }))?;
        return Ok(code);
    }
    heading(&format!("IRN {}", found.irn), output)?;
    let bill = found.ewb.as_ref().map(|bill| {
        let till = bill.valid_till.as_ref().map(|till| format!(", valid till {till}")).unwrap_or_default();
        format!("{}{till}", bill.number)
    });
    facts(
        &[
            ("status", Some(compare::portal_word(&found.status))),
            ("ack", Some(format!("{} of {}", found.ack_no, found.ack_date))),
            ("e-way bill", bill),
            ("remarks", found.remarks.clone()),
            ("asked", Some(place(asked))),
        ],
        output,
    )?;
    for (signature, name) in signatures.iter().zip(names(found)) {
        let style = if signature.is_in_order() { Style::Good } else { Style::Bad };
        output.headed(style, &format!("  {name}:"), &signature.told())?;
    }
    if signatures.is_empty() {
        output.paragraph(2, "the portal handed out no signed copy, so nothing of this is proven")?;
    }
    told(compared.as_ref(), learnt, output)?;
    Ok(code)
}

/// A bill of the e-way bill system, which stands so, beside what the ledger had of it.
pub(super) fn bill(
    asked: &Asked,
    found: &EwbDetails,
    standing: &Standing,
    ours: Option<&Standing>,
    learnt: Option<&Learnt>,
    output: &mut Output,
) -> Result<u8, CliError> {
    let state = standing.state;
    let compared = ours.map(|ours| {
        let differences = compare::bill(ours, standing);
        let agrees = differences.is_empty();
        Compared { document: None, state: ours.state.as_str(), agrees, differences }
    });
    let agrees = compared.as_ref().is_none_or(|compared| compared.agrees);
    let code = if agrees { exit_code::ALL_WELL } else { exit_code::NEEDS_PERSON };
    if output.is_json() {
        output.object(&json!({
            "lookup": "ewb", "route": asked.route, "site": asked.site, "state": state, "bill": found,
            "ledger": compared, "learnt": learnt,
        }))?;
        return Ok(code);
    }
    heading(&format!("e-way bill {}", found.number), output)?;
    let time = |time: Option<PortalTime>| time.map(|time| time.to_string());
    facts(
        &[
            ("state", Some(format!("{} ({})", in_words(state), found.status))),
            ("made at", time(found.made_at)),
            ("made by", found.generated_by.map(|gstin| gstin.to_string())),
            ("valid till", time(found.valid_till)),
            ("distance", found.distance_km.map(|km| format!("{km} km"))),
            ("transporter", found.transporter.clone()),
            ("extended", Some(counted(u64::from(found.extended), "time"))),
            ("asked", Some(place(asked))),
        ],
        output,
    )?;
    told(compared.as_ref(), learnt, output)?;
    vehicles(found, output)?;
    Ok(code)
}

fn vehicles(found: &EwbDetails, output: &mut Output) -> Result<(), CliError> {
    if found.vehicles.is_empty() {
        return Ok(());
    }
    output.line("\nvehicles, the latest first")?;
    output.table(
        &[
            Column::keep("vehicle"),
            Column::keep("document"),
            Column::leave_out("from", 3),
            Column::leave_out("entered (ist)", 4),
            Column::leave_out("group", 2),
            Column::leave_out("trip sheet", 1),
        ],
        found.vehicles.iter().map(|vehicle| {
            let text = |text: &Option<String>| text.clone().unwrap_or_default();
            vec![
                text(&vehicle.vehicle),
                text(&vehicle.document),
                text(&vehicle.from_place),
                vehicle.entered_at.map(|at| at.to_string()).unwrap_or_default(),
                text(&vehicle.group),
                text(&vehicle.trip_sheet),
            ]
        }),
    )
}

/// The rejected IRNs of a day, which of them are ours, and of which the ledger has just learnt it.
pub(super) fn rejected(
    asked: &Asked,
    irns: &[(Irn, Option<DocumentStatus>)],
    learnt: &[DocumentId],
    output: &mut Output,
) -> Result<u8, CliError> {
    let ours = |status: &Option<DocumentStatus>| status.as_ref().map(document);
    let is_news = |status: &Option<DocumentStatus>| status.as_ref().is_some_and(|status| learnt.contains(&status.id));
    // What the ledger did not know is for a person: the registration does not stand.
    let code = if learnt.is_empty() { exit_code::ALL_WELL } else { exit_code::NEEDS_PERSON };
    if output.is_json() {
        let row = |(irn, status): &(Irn, Option<DocumentStatus>)| {
            let state = status.as_ref().map(|status| status.state);
            json!({"irn": irn, "document": ours(status), "state": state, "learnt": is_news(status)})
        };
        let rows: Vec<_> = irns.iter().map(row).collect();
        output.object(&json!({"lookup": "rejected", "route": asked.route, "site": asked.site, "irns": rows}))?;
        return Ok(code);
    }
    if irns.is_empty() {
        output.line(format!("none was rejected on that day ({})", place(asked)))?;
        return Ok(code);
    }
    // Side by side IRN and key fit no terminal.
    for (irn, status) in irns {
        output.line(irn.to_string())?;
        let place = status.as_ref().map(|status| format!("{}, {}", document(status), in_words(status.state)));
        output.paragraph(2, &format!("ledger: {}", place.unwrap_or_else(|| "does not have it".to_owned())))?;
    }
    if code != exit_code::ALL_WELL {
        let names: Vec<String> = irns.iter().filter(|row| is_news(&row.1)).filter_map(|row| ours(&row.1)).collect();
        output.line("")?;
        output.paragraph(
            0,
            &format!("learnt: the ledger has {} as rejected by the registry from now on", names.join(", ")),
        )?;
        output.paragraph(
            0,
            "to do: another portal had registered these documents before, and its registration stands; if that one is \
             not yours, issue the document under another number",
        )?;
        output.paragraph(0, "whose move: the taxpayer's")?;
    }
    Ok(code)
}

fn signatures<'a>(found: &'a Registration, verifier: &dyn TokenVerifier) -> Vec<Signature<'a>> {
    let tokens = [&found.signed_invoice, &found.signed_qr].into_iter().flatten();
    let beside = Some(found.irn.to_string());
    tokens.map(|token| judge("portal", &Found { token: token.clone(), irn: beside.clone() }, verifier)).collect()
}

fn names(found: &Registration) -> Vec<&'static str> {
    let parts = [("signed invoice", &found.signed_invoice), ("signed QR", &found.signed_qr)];
    parts.into_iter().filter_map(|(name, part)| part.as_ref().map(|_| name)).collect()
}

fn told(compared: Option<&Compared<'_>>, learnt: Option<&Learnt>, output: &mut Output) -> Result<(), CliError> {
    if let Some(compared) = compared {
        let about = compared.document.as_deref().map(|document| format!("{document}, ")).unwrap_or_default();
        let agrees = if compared.agrees { "agrees" } else { "differs" };
        output.line(format!("  ledger      {}{}: {agrees}", printable(&about), in_words(compared.state)))?;
    } else {
        output.line("  ledger      does not have it")?;
    }
    let differences = compared.map(|compared| compared.differences.as_slice()).unwrap_or_default();
    if !differences.is_empty() {
        output.line("")?;
        show_differences(differences, output)?;
    }
    match learnt {
        Some(learnt) => {
            output.paragraph(if differences.is_empty() { 2 } else { 0 }, &format!("learnt: {}", learnt.message))
        }
        None if differences.is_empty() => Ok(()),
        None => output.paragraph(
            0,
            "to do: `einvoice status KEY` tells what happened here; `einvoice resolve KEY` asks about what is unknown; \
             `einvoice lookup ewb NUMBER` has the ledger learn of an e-way bill",
        ),
    }
}

pub(in super::super) fn facts(facts: &[(&str, Option<String>)], output: &mut Output) -> Result<(), CliError> {
    for (name, value) in facts {
        if let Some(value) = value {
            output.line(format!("  {name:<11} {}", printable(value)))?;
        }
    }
    Ok(())
}

pub(super) fn heading(text: &str, output: &mut Output) -> Result<(), CliError> {
    let text = printable(text);
    output.line(output.styled(Style::Strong, &text))
}

pub(in super::super) fn place(asked: &Asked) -> String {
    format!("{} by route {}", asked.site, asked.route)
}
