//! `gsp record` and `gsp replay`: what a provider really answers, kept without anything secret.

use std::path::Path;
use std::sync::Arc;

use einvoice_core::access::Gateway;
use einvoice_core::environment::{Environment, Product};
use einvoice_core::ewb::EwbNumber;
use einvoice_core::identifier::Gstin;
use einvoice_core::irn::Irn;
use einvoice_core::operation::Operation;
use serde_json::json;

use super::account::route;
use super::count;
use super::show::read;
use crate::arguments::{Common, GspRecord, GspReplay};
use crate::assemble::Assembly;
use crate::commands::block_on;
use crate::commands::desk::refusal::code_of;
use crate::error::{CliError, with_causes};
use crate::output::{Output, counted, printable};
use crate::plugins::providers::check::{Became, replay as compare, understood};
use crate::plugins::providers::profile::Profile;
use crate::plugins::providers::tape::{Head, Line, TapeError, read_recording, write_recording};
use crate::{exit_code, settings};

/// Largest document that is registered for a recording: the portal's own limit.
const DOCUMENT_BYTES_MAX: u64 = 2 * 1024 * 1024;

/// What is asked for a recording.
struct Wish {
    gstin: Gstin,
    irn: Option<Irn>,
    ewb: Option<EwbNumber>,
    document: Option<Vec<u8>>,
}

/// Records a session: the heartbeat, the logins, some reads, and what is wished beside.
pub(super) fn record(arguments: &GspRecord, common: &Common, output: &mut Output) -> Result<u8, CliError> {
    let assembly = Assembly::new(settings::load(common)?)?;
    let mut table = route(&arguments.route, &assembly)?.clone();
    let wish = wish(arguments, table.environment)?;
    let profile = table.part.settings.get("profile").and_then(|name| name.as_str()).unwrap_or_default().to_owned();
    // From the present folder, as every path of the command line.
    let file = std::path::absolute(&arguments.output).map_err(|error| CliError::File {
        path: arguments.output.clone(),
        action: "write",
        error,
    })?;
    if let Some(settings) = table.part.settings.as_object_mut() {
        settings.insert("record".to_owned(), json!(file.display().to_string()));
    }
    let (told, code) = block_on(async {
        let part = assembly.route(&table).await?;
        if wish.document.is_some() {
            part.transport.capability().admit_rehearsal(&format!("route {}", part.name))?;
        }
        let credentials = assembly.credentials().await?;
        let transport = Arc::clone(&part.transport);
        let gateway =
            Gateway::new(part.name, part.environment, part.client_account, transport, credentials, assembly.clock());
        Ok(session(&gateway, &wish).await)
    })?;
    // The profile as the route names it begins at the configuration's folder.
    let profile = if Path::new(&profile).extension().is_some() {
        assembly.directory().join(&profile).display().to_string()
    } else {
        profile
    };
    let profile = read(&profile)?;
    let (head, mut lines) = read_recording(&file).map_err(failed)?;
    accept(&profile, &mut lines);
    write_recording(&file, &head, &lines).map_err(failed)?;
    if output.is_json() {
        for (what, became) in &told {
            output.object(&json!({ "asked": what, "answer": became }))?;
        }
        output.object(&json!({ "recording": file.display().to_string(), "exchanges": lines.len() }))?;
    } else {
        for (what, became) in &told {
            output.spans(
                0,
                2,
                &[
                    crate::output::Span::plain(what),
                    crate::output::Span::plain(": "),
                    crate::output::Span::plain(became),
                ],
            )?;
        }
        output.line("")?;
        output.line(format!("{} in {}", counted(count(lines.len()), "exchange"), arguments.output.display()))?;
        output.long_text(
            0,
            "Credentials, tokens and keys are taken out, GSTINs and PANs stand for others, and names, addresses, signed \
             copies and the contents of requests are left out. IRNs, acknowledgement and document numbers are there. Read \
             the file before you pass it on.",
        )?;
    }
    Ok(code)
}

fn wish(arguments: &GspRecord, environment: Environment) -> Result<Wish, CliError> {
    let usage = |key: &str, error: &dyn std::fmt::Display| CliError::Usage(format!("--{key}: {error}"));
    let gstin = Gstin::parse(&arguments.gstin.to_uppercase()).map_err(|error| usage("gstin", &error))?;
    let irn = arguments.irn.as_deref().map(Irn::parse).transpose().map_err(|error| usage("irn", &error))?;
    let ewb = arguments.ewb.as_deref().map(EwbNumber::parse).transpose().map_err(|error| usage("ewb", &error))?;
    let document = match &arguments.register {
        None => None,
        Some(_) if environment == Environment::Production => {
            return Err(CliError::Usage(
                "--register: this route leads to production, where a registration counts; record one in the sandbox"
                    .to_owned(),
            ));
        }
        Some(path) => Some(document(path)?),
    };
    Ok(Wish { gstin, irn, ewb, document })
}

fn document(path: &Path) -> Result<Vec<u8>, CliError> {
    let failed = |error| CliError::File { path: path.to_owned(), action: "read", error };
    let length = std::fs::metadata(path).map_err(failed)?.len();
    if length > DOCUMENT_BYTES_MAX {
        return Err(CliError::Usage(format!("{} has {length} bytes; a document has at most 2 MB", path.display())));
    }
    std::fs::read(path).map_err(failed)
}

/// Asks one after the other; what fails is part of the recording. The exit code is that of the logins where none worked:
/// little is recorded then.
async fn session(gateway: &Gateway, wish: &Wish) -> (Vec<(String, String)>, u8) {
    let mut logins = Vec::new();
    let mut told = Vec::new();
    let mut tell = |what: &str, became: Result<String, String>| {
        told.push((what.to_owned(), became.unwrap_or_else(|error| printable(&error).into_owned())));
    };
    let probe = gateway.transport().probe().await;
    tell("heartbeat", probe.map(|probe| probe.text).map_err(|error| error.to_string()));
    let operations = gateway.transport().capability().operations.clone();
    for product in [Product::EInvoice, Product::EWayBill] {
        if operations.iter().any(|kind| kind.product() == product) {
            let ready = gateway.ready(wish.gstin, product).await;
            logins.push(ready.as_ref().map_or_else(code_of, |()| exit_code::ALL_WELL));
            let what = format!("login to the {product} system");
            tell(&what, ready.map(|()| "done".to_owned()).map_err(|error| error.to_string()));
        }
    }
    for operation in questions(wish) {
        if operations.contains(&operation.kind()) {
            let reply = gateway.call(wish.gstin, &operation).await;
            let what = operation.kind().words();
            tell(what, reply.map(|reply| reply.words().to_owned()).map_err(|error| error.to_string()));
        }
    }
    let none_worked = logins.iter().all(|code| *code != exit_code::ALL_WELL);
    (told, if none_worked { exit_code::most_urgent(logins) } else { exit_code::ALL_WELL })
}

fn questions(wish: &Wish) -> Vec<Operation> {
    let mut all = vec![Operation::GstinDetails { gstin: wish.gstin }];
    if let Some(document) = &wish.document {
        let payload = document.clone();
        // The second one brings the answer to a duplicate.
        all.push(Operation::GenerateIrn { payload: payload.clone().into() });
        all.push(Operation::GenerateIrn { payload: payload.into() });
    }
    // A registration that is not there: how the provider says so matters most of all.
    let absent = Irn::from_bytes([0xA5; 32]);
    all.extend(wish.irn.into_iter().chain([absent]).map(|irn| Operation::GetIrn { irn, site: None }));
    all.extend(wish.ewb.map(|number| Operation::GetEwb { number }));
    all
}

/// Puts a recording to a profile.
pub(super) fn replay(arguments: &GspReplay, output: &mut Output) -> Result<u8, CliError> {
    let (head, mut lines): (Head, Vec<Line>) = read_recording(&arguments.recording).map_err(failed)?;
    let name = arguments.profile.as_deref().unwrap_or(&head.profile);
    let profile = read(name)?;
    if arguments.accept {
        accept(&profile, &mut lines);
        write_recording(&arguments.recording, &head, &lines).map_err(failed)?;
    }
    let told = compare(&profile, &lines);
    let broken = super::check::tell(&profile.id, &told, output)?;
    let open = lines.iter().filter(|line| line.understood.is_none()).count();
    let alike = told.iter().filter(|told| told.became == Became::Kept).count();
    if output.is_json() {
        output.object(&json!({
            "profile": profile.id, "exchanges": lines.len(), "alike": alike, "different": broken,
            "nothing_to_compare": open,
        }))?;
    } else {
        output.line("")?;
        output.line(format!(
            "{}, {} understood otherwise by profile {}",
            counted(count(lines.len()), "exchange"),
            broken,
            profile.id
        ))?;
        if open > 0 {
            output.long_text(0, "What says nothing of how it should be understood gets that with --accept.")?;
        }
    }
    Ok(if broken == 0 { exit_code::ALL_WELL } else { exit_code::NEEDS_PERSON })
}

fn accept(profile: &Profile, lines: &mut [Line]) {
    for line in lines {
        line.understood = Some(understood(profile, line));
    }
}

#[expect(clippy::needless_pass_by_value, reason = "for `map_err`")]
fn failed(error: TapeError) -> CliError {
    CliError::Usage(with_causes(error.to_string(), &error))
}
