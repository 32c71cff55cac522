//! One document and its whole story.

use einvoice_core::date::PortalTime;
use einvoice_core::job::Cancellation;
use einvoice_core::ledger::{AuditEntry, DocumentStatus, Ledger};
use einvoice_core::state::DocumentState;
use einvoice_core::verify::Proof;
use serde::Serialize;

use super::super::validate::findings_text;
use super::ageing::Ageing;
use super::{Line, differences, document, ewb, line};
use crate::error::CliError;
use crate::output::{Column, Output, Style, in_words, printable};

/// One event in the life of a document.
#[derive(Serialize)]
pub(super) struct Happening<'a> {
    at: String,
    from: Option<DocumentState>,
    to: DocumentState,
    event: &'a str,
    details: serde_json::Value,
}

impl<'a> Happening<'a> {
    fn of(entry: &'a AuditEntry) -> Self {
        let details = serde_json::from_str(&entry.details);
        Self {
            at: entry.at.to_string(),
            from: entry.from,
            to: entry.to,
            event: &entry.event,
            // The ledger keeps JSON; should it ever hold other text, that is shown as it is.
            details: details.unwrap_or_else(|_| serde_json::Value::String(entry.details.clone())),
        }
    }
}

pub(super) async fn one(
    status: &DocumentStatus,
    ledger: &dyn Ledger,
    ageing: Ageing,
    output: &mut Output,
) -> Result<(), CliError> {
    let audit = ledger.audit(status.id).await?;
    if output.is_json() {
        return output.object(&Line {
            cancellation: status.cancellation.as_ref(),
            differences: Some(&status.differences),
            audit: Some(audit.iter().map(Happening::of).collect()),
            ageing: Some(ageing),
            ..line(status)
        });
    }
    let heading = document(status);
    output.line(output.styled(Style::Strong, &printable(&heading)))?;
    facts(status, &ageing, output)?;
    if !status.findings.is_empty() {
        output.line("\nfindings")?;
        findings_text(&status.findings, &status.reference.to_string(), output)?;
    }
    if !status.differences.is_empty() {
        output.line("\nthe portal holds another document under this key")?;
        differences(&status.differences, output)?;
    }
    output.line("\nhistory")?;
    output.table(
        &[Column::keep("when (IST)"), Column::keep("state"), Column::wrap("what happened")],
        audit.iter().map(|entry| vec![PortalTime::at(entry.at).to_string(), in_words(entry.to), entry.event.clone()]),
    )
}

/// What is known of a document, a line each.
fn facts(status: &DocumentStatus, ageing: &Ageing, output: &mut Output) -> Result<(), CliError> {
    let registration = status.registration.as_ref();
    let bill = [Some(ageing.bill()), Some(ewb(status.ewb_state))]
        .into_iter()
        .flatten()
        .filter(|part| !part.is_empty())
        .reduce(|number, state| format!("{number} ({state})"));
    let facts = [
        ("label", Some(status.label.clone())),
        ("state", Some(in_words(status.state))),
        ("IRN", status.irn.as_ref().map(ToString::to_string)),
        ("ack", registration.map(|found| format!("{} of {}", found.ack_no, found.ack_date))),
        ("proof", status.proof.as_ref().map(proof)),
        ("cancelled", status.cancellation.as_ref().map(cancelled)),
        ("e-way bill", bill),
        ("valid till", ageing.valid_till().map(str::to_owned)),
        ("cancel till", ageing.cancel_until().map(str::to_owned)),
        ("report till", ageing.report_until().map(|day| day.to_string())),
        ("left", Some(ageing.left().to_owned()).filter(|left| !left.is_empty())),
        ("from", Some(format!("{}: {}", status.source, status.reference))),
        ("route", status.route.as_ref().map(ToString::to_string)),
        ("delivered", Some(if status.delivered { "yes" } else { "no" }.to_owned())),
    ];
    for (name, value) in facts {
        if let Some(value) = value {
            output.line(format!("  {name:<11} {}", printable(&value)))?;
        }
    }
    Ok(())
}

/// When and why, as far as it is known: of a cancellation by somebody else neither is.
fn cancelled(cancellation: &Cancellation) -> String {
    let at = cancellation.at.map(|at| at.to_string());
    let reason = cancellation.reason.map_or("not by us", |reason| reason.word());
    let remark = cancellation.remark.as_ref().map(|remark| format!(": {remark}")).unwrap_or_default();
    let said = format!("{}{remark}", reason.replace('_', " "));
    at.map_or_else(|| said.clone(), |at| format!("{at}, {said}"))
}

fn proof(proof: &Proof) -> String {
    match proof {
        Proof::Verified { kid } => format!("signed by key {kid}, verified"),
        Proof::KeyUnknown { kid } => {
            format!("signed by key {kid}, which is not in [verify] keys: add it to have this proven")
        }
        Proof::SignedPartsMissing { reason } => reason.clone(),
    }
}
