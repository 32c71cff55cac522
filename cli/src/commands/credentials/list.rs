//! `credentials list`: what the store holds, by which way in, how old it is and how it fares.

use einvoice_core::config::RouteTable;
use einvoice_core::credential::{CredentialScope, CredentialSummary, EntryFacts};
use einvoice_core::date::PortalTime;
use einvoice_core::transport::TransportMode;
use jiff::Timestamp;
use serde::Serialize;

use crate::assemble::Assembly;
use crate::error::CliError;
use crate::output::{Column, Output};

/// One line of the list, as programs read it.
#[derive(Serialize)]
struct Line {
    #[serde(flatten)]
    summary: CredentialSummary,
    /// How an API user reaches the portal; absent for a client pair.
    #[serde(skip_serializing_if = "Option::is_none")]
    mode: Option<Mode>,
    #[serde(flatten)]
    facts: EntryFacts,
}

/// The way in that an API user is bound to.
#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum Mode {
    Direct,
    Gsp,
    Provider,
    Emulator,
    /// The configuration has no route of this name, or it cannot be made.
    Unknown,
}

pub(super) async fn run(assembly: &Assembly, output: &mut Output) -> Result<(), CliError> {
    let store = assembly.credentials().await?;
    let mut lines = Vec::new();
    for summary in store.list().await? {
        let facts = store.facts(&summary.scope).await?;
        let mode = mode(&summary.scope, assembly).await;
        lines.push(Line { summary, mode, facts });
    }
    if output.is_json() {
        return lines.iter().try_for_each(|line| output.object(line));
    }
    if lines.is_empty() {
        return output.line("the store holds nothing; `einvoice credentials add` fills it");
    }
    output.table(
        &[Column::wrap("entry"), Column::keep("name"), Column::wrap("known of it (times of India)")],
        lines.iter().map(|line| vec![line.summary.scope.to_string(), line.summary.name_hint.clone(), known(line)]),
    )
}

async fn mode(scope: &CredentialScope, assembly: &Assembly) -> Option<Mode> {
    let CredentialScope::User(user) = scope else { return None };
    let tables = &assembly.settings().routes;
    let table = tables.iter().find(|table| table.route_name() == user.route && table.environment == user.environment);
    Some(match table {
        Some(table) => mode_of(table, assembly).await,
        None => Mode::Unknown,
    })
}

async fn mode_of(table: &RouteTable, assembly: &Assembly) -> Mode {
    // A route whose key file is missing is a matter of `config check`; the list is not stopped by it.
    let Ok(part) = assembly.route(table).await else { return Mode::Unknown };
    match part.transport.capability().mode {
        TransportMode::Direct => Mode::Direct,
        TransportMode::Gsp => Mode::Gsp,
        TransportMode::ProviderApi => Mode::Provider,
        TransportMode::InProcess => Mode::Emulator,
        _ => Mode::Unknown,
    }
}

/// What is known of an entry, a line for each.
fn known(line: &Line) -> String {
    let at = |moment: Timestamp| {
        let full = PortalTime::at(moment).to_string();
        // Seconds say nothing about an age.
        full.get(..16).unwrap_or(&full).to_owned()
    };
    let facts = &line.facts;
    let mut told = Vec::new();
    if let (CredentialScope::User(user), Some(mode)) = (&line.summary.scope, &line.mode) {
        told.push(match mode {
            Mode::Direct => "direct to the portal".to_owned(),
            Mode::Gsp => format!("through the GSP of route {}", user.route),
            Mode::Provider => format!("by the provider of route {}", user.route),
            Mode::Emulator => "the emulator".to_owned(),
            Mode::Unknown => "its route cannot be made from this configuration".to_owned(),
        });
    }
    told.extend(facts.created_at.map(|moment| format!("added {}", at(moment))));
    told.extend(facts.rotated_at.map(|moment| format!("secret of {}", at(moment))));
    told.extend(
        facts.pending_since.map(|moment| {
            format!("a new secret waits since {}: `credentials rotate --resume` or `--forget`", at(moment))
        }),
    );
    told.extend(facts.last_success.map(|moment| format!("last login {}", at(moment))));
    told.extend(facts.last_failure.as_ref().map(|failure| {
        let code = failure.code.as_ref().map_or_else(|| " without a code".to_owned(), |code| format!(" with {code}"));
        format!("refused {}{code}", at(failure.at))
    }));
    told.extend(line.summary.session_expires_at.map(|moment| format!("session until {}", at(moment))));
    if !facts.listed_addresses.is_empty() {
        told.push(format!("listed: {}", facts.listed_addresses));
    }
    told.join("\n")
}
