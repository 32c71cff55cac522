//! Answers of the systems' registries: taxpayers, transporters, goods. The ledger keeps nothing of them.

use einvoice_core::operation::{Taxpayer, Transporter};
use einvoice_core::pipeline::Asked;
use serde_json::json;

use super::show::{facts, heading, place};
use crate::error::CliError;
use crate::exit_code;
use crate::output::Output;

/// A taxpayer of the e-invoice portal's master.
pub(super) fn taxpayer(asked: &Asked, found: &Taxpayer, output: &mut Output) -> Result<u8, CliError> {
    let usable = found.status.as_deref() == Some("ACT") && found.block_status.as_deref() != Some("B");
    let code = if usable { exit_code::ALL_WELL } else { exit_code::NEEDS_PERSON };
    if output.is_json() {
        output.object(&json!({"lookup": "gstin", "route": asked.route, "site": asked.site, "taxpayer": found}))?;
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
            ("asked", Some(place(asked))),
        ],
        output,
    )?;
    if !usable {
        output
            .paragraph(2, "to do: ask the party whether it is active; --sync has the portal fetch the details anew")?;
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
