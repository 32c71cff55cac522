//! What a run did, for people and programs.

use einvoice_core::ledger::{DocumentId, DocumentStatus, Ledger, Query};
use einvoice_core::pipeline::{Note, RunReport};
use einvoice_core::state::DocumentState;
use serde::Serialize;

use super::super::status::{COLUMNS, document, line, row};
use super::super::validate::findings_text;
use crate::error::CliError;
use crate::exit_code;
use crate::output::{Output, Style, counted, printable};

/// Most documents shown in a table; of a larger run only those that need somebody are.
const TABLE_MAX: usize = 60;

/// The last line of `run --json`.
#[derive(Serialize)]
struct Summary<'a> {
    summary: Figures<'a>,
}

/// The report without its lists of documents, which have lines of their own.
#[derive(Serialize)]
struct Figures<'a> {
    read: u64,
    new: u64,
    unchanged: u64,
    revised: u64,
    duplicates: u64,
    registered: u64,
    refused: u64,
    invalid: u64,
    became_unknown: u64,
    delivered: &'a std::collections::BTreeMap<String, u64>,
    skipped: &'a std::collections::BTreeMap<String, u64>,
    open: &'a std::collections::BTreeMap<String, u64>,
    clashes: &'a [einvoice_core::pipeline::Clash],
    configuration: &'a [Note],
    unreachable: &'a [Note],
    failures: &'a [Note],
    stopped: bool,
    exit_code: u8,
}

/// The exit code that a run's report asks for.
pub(super) fn exit_code_of(report: &RunReport) -> u8 {
    let when = |holds: bool, code: u8| if holds { code } else { exit_code::ALL_WELL };
    // A route that failed while another did the work is told, and is no failure of the run.
    let work_is_kept = ["ready", "sent", "unknown"].iter().any(|state| report.open.contains_key(*state));
    exit_code::most_urgent([
        when(!report.configuration.is_empty() || source_failed(report), exit_code::USAGE),
        when(report.unknown_remains(), exit_code::UNKNOWN_OUTCOMES),
        when(!report.unreachable.is_empty() && work_is_kept, exit_code::UNREACHABLE),
        when(report.needs_person(), exit_code::NEEDS_PERSON),
    ])
}

/// A folder that is missing or may not be read is a matter of configuration; a target that cannot take
/// results for now is not, as they are kept and tried again.
fn source_failed(report: &RunReport) -> bool {
    report.failures.iter().any(|note| note.about.starts_with("source "))
}

/// Shows a report; the state of each document is what the ledger says.
pub(super) async fn show(report: &RunReport, ledger: &dyn Ledger, output: &mut Output) -> Result<(), CliError> {
    let mut documents = Vec::with_capacity(report.documents.len());
    for id in report.documents.iter().filter_map(|listed| listed.id) {
        documents.extend(status(ledger, id).await?);
    }
    if output.is_json() {
        documents.iter().try_for_each(|document| output.object(&line(document)))?;
        return output.object(&Summary { summary: figures(report) });
    }
    let needing: Vec<&DocumentStatus> = documents.iter().filter(|document| needs_somebody(document)).collect();
    let shown: Vec<&DocumentStatus> = if documents.len() <= TABLE_MAX {
        documents.iter().collect()
    } else {
        needing.iter().copied().take(TABLE_MAX).collect()
    };
    if !shown.is_empty() {
        output.table(&COLUMNS, shown.iter().map(|document| row(document)))?;
        output.line("")?;
    }
    for document in needing.iter().take(TABLE_MAX) {
        problems(document, output)?;
    }
    for skip in report.skips.iter().take(TABLE_MAX) {
        let message = skip.message.as_deref().unwrap_or(&skip.how);
        output.paragraph(0, &format!("skipped {}: {message}", skip.label))?;
    }
    for clash in &report.clashes {
        output.headed(Style::Bad, "turned away", &format!("{} ({}): {}", clash.label, clash.place, clash.message))?;
    }
    for (heading, style, note) in notes(report) {
        output.headed(style, heading, &format!("{}: {}", note.about, note.message))?;
    }
    totals(report, output)
}

async fn status(ledger: &dyn Ledger, id: DocumentId) -> Result<Option<DocumentStatus>, CliError> {
    let query = Query { after: Some(DocumentId(id.0 - 1)), limit: 1, ..Query::default() };
    Ok(ledger.query(query).await?.into_iter().find(|status| status.id == id))
}

fn needs_somebody(document: &DocumentStatus) -> bool {
    super::super::status::code_of(document.state) != exit_code::ALL_WELL
}

fn problems(status: &DocumentStatus, output: &mut Output) -> Result<(), CliError> {
    let head = format!("{} is {}", document(status), status.state);
    output.line(output.styled(Style::Strong, &printable(&head)))?;
    output.paragraph(4, &format!("in {}", status.reference))?;
    findings_text(&status.findings, &status.reference.to_string(), output)?;
    output.line("")
}

/// The notes of a report with their headings, each trouble once: what is held back because of wrong
/// credentials has no line of its own, and neither has a message that only repeats another.
fn notes(report: &RunReport) -> Vec<(&'static str, Style, &Note)> {
    let mut shown: Vec<(&'static str, Style, &Note)> = Vec::new();
    let lists = [
        ("configuration", Style::Bad, &report.configuration),
        ("not reached", Style::Attention, &report.unreachable),
        ("failed", Style::Bad, &report.failures),
    ];
    for (heading, style, list) in lists {
        for note in list {
            let follows =
                heading == "not reached" && report.configuration.iter().any(|cause| cause.about == note.about);
            let told = |(_, _, other): &(_, _, &Note)| {
                other.about == note.about && note.message.contains(other.message.as_str())
            };
            if !follows && !shown.iter().any(told) {
                shown.push((heading, style, note));
            }
        }
    }
    shown
}

/// The last lines: what happened in this run, what is left, where results went.
fn totals(report: &RunReport, output: &mut Output) -> Result<(), CliError> {
    if report.read == 0 && report.documents.is_empty() && report.failures.is_empty() && !report.stopped {
        output.line("the sources hold nothing new or changed since the last run; nothing was sent")?;
    }
    let skipped: u64 = report.skipped.values().sum();
    let rows = [
        ("read", report.read),
        ("unchanged", report.unchanged),
        ("duplicates", report.duplicates),
        ("skipped", skipped),
        ("invalid", report.invalid),
        ("registered", report.registered),
        ("refused", report.refused),
        ("unknown", report.became_unknown),
    ];
    let said: Vec<String> = rows
        .into_iter()
        .filter(|(name, count)| *count > 0 || *name == "read" || *name == "registered")
        .map(|(name, count)| format!("{name} {count}"))
        .collect();
    output.line(said.join(", "))?;
    for (target, count) in &report.delivered {
        output.line(format!("wrote {} to `{}`", counted(*count, "result"), printable(target)))?;
    }
    if !report.open.is_empty() {
        output.line("open in the ledger (`einvoice status` shows them):")?;
        for (state, count) in &report.open {
            let next = DocumentState::from_name(state).map_or("", next_step);
            output.line(format!("  {state} {count}{}{next}", if next.is_empty() { "" } else { ": " }))?;
        }
    }
    if report.stopped {
        output.line("stopped before it was through; the next run goes on from here")?;
    }
    Ok(())
}

/// What becomes of a document in this state, and by whom.
fn next_step(state: DocumentState) -> &'static str {
    match state {
        DocumentState::Ready => "kept; the next run sends it",
        DocumentState::Sent | DocumentState::Unknown => "the next run asks the portal before anything is sent again",
        DocumentState::Cancelling => "the next run asks the portal whether it is cancelled",
        DocumentState::Invalid | DocumentState::Refused => "correct it where it comes from; the next run takes it up",
        DocumentState::Burnt => "its number is used up; issue it under another one",
        DocumentState::Conflict => "the portal holds another document under its key; a person decides",
        DocumentState::RejectedByRegistry => "the GST system turned the registered document down; a person decides",
        _ => "",
    }
}

fn figures(report: &RunReport) -> Figures<'_> {
    Figures {
        read: report.read,
        new: report.new,
        unchanged: report.unchanged,
        revised: report.revised,
        duplicates: report.duplicates,
        registered: report.registered,
        refused: report.refused,
        invalid: report.invalid,
        became_unknown: report.became_unknown,
        delivered: &report.delivered,
        skipped: &report.skipped,
        open: &report.open,
        clashes: &report.clashes,
        configuration: &report.configuration,
        unreachable: &report.unreachable,
        failures: &report.failures,
        stopped: report.stopped,
        exit_code: exit_code_of(report),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(change: impl FnOnce(&mut RunReport)) -> u8 {
        let mut report = RunReport::default();
        change(&mut report);
        exit_code_of(&report)
    }

    fn note() -> Note {
        Note { about: "nic".to_owned(), message: "no answer".to_owned() }
    }

    #[test]
    fn the_code_says_what_is_most_urgent() {
        assert_eq!(report(|_| {}), exit_code::ALL_WELL);
        assert_eq!(report(|run| _ = run.open.insert("invalid".into(), 1)), exit_code::NEEDS_PERSON);
        let kept = |run: &mut RunReport| {
            run.unreachable.push(note());
            run.open.insert("ready".into(), 3);
            run.open.insert("invalid".into(), 1);
        };
        assert_eq!(report(kept), exit_code::UNREACHABLE);
        let unknown = |run: &mut RunReport| {
            kept(run);
            run.open.insert("unknown".into(), 1);
        };
        assert_eq!(report(unknown), exit_code::UNKNOWN_OUTCOMES);
        let configuration = |run: &mut RunReport| {
            unknown(run);
            run.configuration.push(note());
        };
        assert_eq!(report(configuration), exit_code::USAGE);
    }

    #[test]
    fn a_source_that_cannot_be_read_is_configuration_and_a_target_that_fails_is_not() {
        let failed = |about: &str| {
            report(|run| run.failures.push(Note { about: about.to_owned(), message: "no such folder".to_owned() }))
        };
        assert_eq!(failed("source billing"), exit_code::USAGE);
        assert_eq!(failed("write-back source "), exit_code::NEEDS_PERSON);
    }

    #[test]
    fn a_trouble_is_told_once() {
        let note = |about: &str, message: &str| Note { about: about.to_owned(), message: message.to_owned() };
        let mut report = RunReport::default();
        report.configuration.push(note("G on route nic", "refused: 3001 wrong password"));
        report.configuration.push(note("G on route nic", "held back: refused: 3001 wrong password; until ten"));
        report.unreachable.push(note("G on route nic", "held back for an hour"));
        report.unreachable.push(note("H on route nic", "no answer"));
        report.unreachable.push(note("nic", "no answer"));
        report.unreachable.push(note("nic", "connection refused"));
        let told: Vec<_> =
            notes(&report).into_iter().map(|(heading, _, note)| (heading, note.message.as_str())).collect();
        let expected = [
            ("configuration", "refused: 3001 wrong password"),
            ("not reached", "no answer"),
            ("not reached", "no answer"),
            ("not reached", "connection refused"),
        ];
        assert_eq!(told, expected);
    }

    #[test]
    fn a_route_that_failed_while_another_did_the_work_is_no_failure() {
        assert_eq!(report(|run| run.unreachable.push(note())), exit_code::ALL_WELL);
    }
}
