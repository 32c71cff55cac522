//! `status`: where documents stand, and what grows old.

pub(super) mod ageing;
mod one;

use einvoice_core::document::Difference;
use einvoice_core::job::Cancellation;
use einvoice_core::key::DocumentKey;
use einvoice_core::ledger::{DocumentStatus, Ledger, Query};
use einvoice_core::registry::nearest;
use einvoice_core::state::{DocumentState, EwbState};
use serde::Serialize;

use ageing::{Ageing, Clockwork};
use one::{Happening, one};

use super::block_on;
use crate::arguments::{Common, Status, words};
use crate::assemble::Assembly;
use crate::error::CliError;
use crate::output::{Column, Output, counted, in_words};
use crate::{exit_code, settings};

/// Documents read from the ledger at a time, so that memory stays flat.
const PAGE: usize = 1_000;

/// A document as `--json` shows it: the stable contract.
#[derive(Serialize)]
pub(super) struct Line<'a> {
    document: String,
    irn: Option<String>,
    state: DocumentState,
    ewb_state: EwbState,
    delivered: bool,
    source: &'a str,
    route: Option<&'a str>,
    ack_no: Option<&'a str>,
    ack_date: Option<String>,
    findings: &'a [einvoice_core::finding::Finding],
    /// What is left of its times; `status` tells it.
    #[serde(flatten)]
    ageing: Option<Ageing>,
    /// Of one document asked for by its key: when and why it was cancelled.
    #[serde(skip_serializing_if = "Option::is_none")]
    cancellation: Option<&'a Cancellation>,
    /// Of one document asked for by its key: what the portal's document has otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    differences: Option<&'a [Difference]>,
    /// Of one document asked for by its key: everything that ever happened to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    audit: Option<Vec<Happening<'a>>>,
}

pub(super) fn run(arguments: &Status, common: &Common, output: &mut Output) -> Result<u8, CliError> {
    let query = query(arguments)?;
    let assembly = Assembly::new(settings::load(common)?)?;
    block_on(async {
        let ledger = assembly.ledger().await?;
        let clockwork = Clockwork::new(&assembly.settings().rules, assembly.clock().now(), ledger.as_ref()).await?;
        show(arguments, query, ledger.as_ref(), &clockwork, output).await
    })
}

fn query(arguments: &Status) -> Result<Query, CliError> {
    let mut query = Query { source: arguments.source.clone(), limit: PAGE, ..Query::default() };
    if let Some(text) = &arguments.key {
        match text.parse::<DocumentKey>() {
            Ok(key) => query.key = Some(key),
            Err(_) => query.text = Some(text.clone()),
        }
    }
    for name in &arguments.states {
        let known = || DocumentState::ALL.iter().map(|state| state.as_str());
        let state = words::state_of_document(name).ok_or_else(|| {
            let near = nearest(name, known()).map(|near| format!("did you mean `{near}`? ")).unwrap_or_default();
            let all = known().collect::<Vec<_>>().join(", ");
            CliError::Usage(format!("there is no state `{name}`; {near}The states are: {all}"))
        })?;
        query.states.push(state);
    }
    Ok(query)
}

async fn show(
    arguments: &Status,
    mut query: Query,
    ledger: &dyn Ledger,
    clockwork: &Clockwork<'_>,
    output: &mut Output,
) -> Result<u8, CliError> {
    let mut code = exit_code::ALL_WELL;
    let mut shown = 0_u64;
    loop {
        let page = ledger.query(query.clone()).await?;
        for status in &page {
            code = exit_code::most_urgent([code, code_of(status.state)]);
        }
        let last = page.last().map(|status| status.id);
        let full = page.len() == PAGE;
        if let ([only], 0, true) = (page.as_slice(), shown, arguments.key.is_some()) {
            one(only, ledger, clockwork.of(only), output).await?;
        } else if output.is_json() {
            let aged = |status| Line { ageing: Some(clockwork.of(status)), ..line(status) };
            page.iter().try_for_each(|status| output.object(&aged(status)))?;
        } else if !page.is_empty() {
            output.table(&AGED_COLUMNS, page.iter().map(|status| aged_row(status, &clockwork.of(status))))?;
        }
        shown += u64::try_from(page.len()).unwrap_or(u64::MAX);
        match last {
            Some(last) if full && !output.is_closed() => query.after = Some(last),
            _ => break,
        }
    }
    if shown == 0 {
        if let Some(key) = &arguments.key {
            return Err(CliError::Usage(format!(
                "there is no document `{key}` in the ledger; `einvoice status` lists them"
            )));
        }
        let is_all = arguments.states.is_empty() && arguments.source.is_none();
        output.say(if is_all {
            "the ledger holds no documents yet; `einvoice run` takes them from the sources"
        } else {
            "the ledger holds no such documents; `einvoice status` lists all"
        })?;
    } else if !output.is_json() && arguments.key.is_none() {
        output.line("")?;
        output.line(counted(shown, "document"))?;
    }
    Ok(code)
}

/// The exit code that a document's state asks for.
pub(super) fn code_of(state: DocumentState) -> u8 {
    match state {
        DocumentState::Unknown | DocumentState::Sent | DocumentState::Cancelling => exit_code::UNKNOWN_OUTCOMES,
        state if state.needs_person() => exit_code::NEEDS_PERSON,
        _ => exit_code::ALL_WELL,
    }
}

pub(super) const COLUMNS: [Column; 7] = [
    Column::keep("document"),
    Column::keep("state"),
    Column::leave_out("e-way bill", 3),
    Column::leave_out("delivered", 2),
    Column::leave_out("source", 1),
    Column::leave_out("ack no", 5),
    Column::leave_out("ack date", 4),
];

/// The same with what grows old.
const AGED_COLUMNS: [Column; 9] = [
    Column::keep("document"),
    Column::keep("state"),
    Column::leave_out("left", 6),
    Column::leave_out("e-way bill", 3),
    Column::leave_out("e-way bill no", 4),
    Column::leave_out("delivered", 2),
    Column::leave_out("source", 1),
    Column::leave_out("ack no", 5),
    Column::leave_out("ack date", 4),
];

fn aged_row(status: &DocumentStatus, ageing: &Ageing) -> Vec<String> {
    let mut cells = row(status);
    let at = cells.len().min(2);
    cells.insert(at, ageing.left().to_owned());
    let at = cells.len().min(4);
    cells.insert(at, ageing.bill());
    cells
}

pub(super) fn row(status: &DocumentStatus) -> Vec<String> {
    let registration = status.registration.as_ref();
    vec![
        document(status),
        in_words(status.state),
        ewb(status.ewb_state),
        if status.delivered { "yes" } else { "no" }.to_owned(),
        status.source.clone(),
        registration.map(|registration| registration.ack_no.clone()).unwrap_or_default(),
        registration.map(|registration| registration.ack_date.to_string()).unwrap_or_default(),
    ]
}

/// The e-way bill's state for people: nothing where there is none.
fn ewb(state: EwbState) -> String {
    if state == EwbState::None { String::new() } else { in_words(state) }
}

pub(super) fn document(status: &DocumentStatus) -> String {
    status.key.as_ref().map_or_else(|| status.label.clone(), ToString::to_string)
}

pub(super) fn line(status: &DocumentStatus) -> Line<'_> {
    let registration = status.registration.as_ref();
    Line {
        document: document(status),
        irn: status.irn.as_ref().map(ToString::to_string),
        state: status.state,
        ewb_state: status.ewb_state,
        delivered: status.delivered,
        source: &status.source,
        route: status.route.as_ref().map(einvoice_core::environment::RouteName::as_str),
        ack_no: registration.map(|registration| registration.ack_no.as_str()),
        ack_date: registration.map(|registration| registration.ack_date.to_string()),
        findings: &status.findings,
        ageing: None,
        cancellation: None,
        differences: None,
        audit: None,
    }
}

/// Two copies of a document, field by field.
pub(super) fn differences(differences: &[Difference], output: &mut Output) -> Result<(), CliError> {
    output.table(
        &[Column::keep("path"), Column::wrap("ours"), Column::wrap("the portal's")],
        differences.iter().map(|difference| {
            let text = |side: &Option<String>| side.clone().unwrap_or_else(|| "(absent)".to_owned());
            vec![difference.path.clone(), text(&difference.ours), text(&difference.theirs)]
        }),
    )
}
