//! Answers of the systems' registries: taxpayers, transporters, goods. The ledger keeps nothing of them.

use einvoice_core::environment::Product;
use einvoice_core::operation::{Taxpayer, Transporter};
use einvoice_core::pipeline::Asked;
use einvoice_core::portal_code::{PortalError, explain};
use serde_json::json;

use super::super::explain::{system_in_words, system_name};
use super::show::{facts, heading, place};
use crate::arguments::LookupWhat;
use crate::error::CliError;
use crate::exit_code;
use crate::output::{Column, Output, counted};

/// A taxpayer of the e-invoice portal's master, or of the e-way bill system's.
pub(super) fn taxpayer(asked: &Asked, found: &Taxpayer, product: Product, output: &mut Output) -> Result<u8, CliError> {
    let usable = found.status.as_deref() == Some("ACT") && found.block_status.as_deref() != Some("B");
    let code = if usable { exit_code::ALL_WELL } else { exit_code::NEEDS_PERSON };
    if output.is_json() {
        output.object(&json!({
            "lookup": "gstin", "system": system_name(product), "route": asked.route, "site": asked.site,
            "taxpayer": found,
        }))?;
        return Ok(code);
    }
    heading(&format!("GSTIN {}", found.gstin), output)?;
    facts(
        &[
            ("legal name", found.legal_name.clone()),
            ("trade name", found.trade_name.clone()),
            ("address", Some(found.address.join(", ")).filter(|address| !address.is_empty())),
            ("state", found.state_code.clone()),
            ("PIN", found.pin.clone()),
            ("kind", found.taxpayer_type.clone()),
            ("status", found.status.clone()),
            ("blocked", found.block_status.as_deref().map(|word| if word == "B" { "yes" } else { "no" }.to_owned())),
            ("registered", found.registered_on.clone()),
            ("ended", found.deregistered_on.clone()),
            ("of", Some(system_in_words(product).to_owned())),
            ("asked", Some(place(asked))),
        ],
        output,
    )?;
    if !usable {
        let fetch = match product {
            Product::EWayBill => "without --from-ewb the e-invoice portal is asked, which can fetch the details anew",
            _ => "--sync has the portal fetch the details anew",
        };
        output.paragraph(2, &format!("to do: ask the party whether it is active; {fetch}"))?;
    }
    Ok(code)
}

/// A transporter of the e-way bill system.
pub(super) fn transporter(asked: &Asked, found: &Transporter, output: &mut Output) -> Result<u8, CliError> {
    if output.is_json() {
        output.object(
            &json!({"lookup": "transporter", "route": asked.route, "site": asked.site, "transporter": found}),
        )?;
        return Ok(exit_code::ALL_WELL);
    }
    heading(&format!("transporter {}", found.id), output)?;
    facts(
        &[
            ("legal name", found.legal_name.clone()),
            ("trade name", found.trade_name.clone()),
            ("address", Some(found.address.join(", ")).filter(|address| !address.is_empty())),
            ("state", found.state_code.clone()),
            ("PIN", found.pin.clone()),
            ("asked", Some(place(asked))),
        ],
        output,
    )?;
    Ok(exit_code::ALL_WELL)
}

/// What an HSN code stands for.
pub(super) fn hsn(asked: &Asked, code: &str, description: &str, output: &mut Output) -> Result<u8, CliError> {
    if output.is_json() {
        let found = json!({"code": code, "description": description});
        output.object(&json!({"lookup": "hsn", "route": asked.route, "site": asked.site, "hsn": found}))?;
    } else {
        heading(&format!("HSN {code}"), output)?;
        facts(&[("stands for", Some(description.to_owned())), ("asked", Some(place(asked)))], output)?;
    }
    Ok(exit_code::ALL_WELL)
}

/// The e-way bill system's list of codes, each with whether `einvoice explain` knows it.
pub(super) fn errors(
    asked: &Asked,
    list: &[PortalError],
    what: &LookupWhat,
    output: &mut Output,
) -> Result<u8, CliError> {
    let (wanted, only_unknown) = match what {
        LookupWhat::EwbErrors { codes, unknown } => (codes.as_slice(), *unknown),
        _ => (&[][..], false),
    };
    let shown = chosen(list, wanted, only_unknown);
    if output.is_json() {
        for error in &shown {
            output.object(&json!({
                "lookup": "ewb_errors", "route": asked.route, "site": asked.site,
                "code": error.code, "message": error.message, "explained": is_known(error),
            }))?;
        }
    } else if !shown.is_empty() {
        let explained = |error: &PortalError| if is_known(error) { "yes" } else { "no" }.to_owned();
        output.table(
            &[Column::keep("code"), Column::keep("explained"), Column::wrap("the system's text")],
            shown.iter().map(|error| vec![error.code.clone(), explained(error), error.message.clone()]),
        )?;
        output.line("")?;
    }
    let missing: Vec<&str> = wanted
        .iter()
        .map(|code| code.trim())
        .filter(|code| !code.is_empty() && !list.iter().any(|error| error.code == *code))
        .collect();
    if !missing.is_empty() {
        output.say(format!("the system's list does not have {}", missing.join(", ")))?;
    }
    let unknown = list.iter().filter(|error| !is_known(error)).count();
    let count = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
    output.say(format!(
        "{} in the list, {unknown} of them unknown to `einvoice explain` ({})",
        counted(count(list.len()), "code"),
        place(asked)
    ))?;
    Ok(if missing.is_empty() { exit_code::ALL_WELL } else { exit_code::NEEDS_PERSON })
}

fn is_known(error: &PortalError) -> bool {
    explain(Product::EWayBill, &error.code).is_some()
}

/// Those of a list that were asked for.
fn chosen<'a>(list: &'a [PortalError], wanted: &[String], only_unknown: bool) -> Vec<&'a PortalError> {
    let is_wanted = |error: &&PortalError| wanted.is_empty() || wanted.iter().any(|code| code.trim() == error.code);
    list.iter().filter(is_wanted).filter(|error| !(only_unknown && is_known(error))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_chosen_by_name_and_by_what_explain_does_not_know() {
        let list = [PortalError::new("604", "a"), PortalError::new("nine", "b")];
        let codes = |wanted: &[&str], only_unknown| {
            let wanted: Vec<String> = wanted.iter().map(|code| (*code).to_owned()).collect();
            let chosen = chosen(&list, &wanted, only_unknown);
            chosen.iter().map(|error| error.code.clone()).collect::<Vec<_>>()
        };
        assert_eq!(codes(&[], false), ["604", "nine"]);
        assert_eq!(codes(&[" 604"], false), ["604"]);
        assert_eq!(codes(&[], true), ["nine"]);
    }
}
