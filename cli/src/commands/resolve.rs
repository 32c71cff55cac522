//! `resolve`: asks the portal about what is unknown, and takes a person's decision on what it cannot tell.

mod decision;
mod job;

use einvoice_core::job::{Job, JobId, JobQuery, JobState};
use einvoice_core::ledger::{Decision, DocumentId, DocumentStatus, Query};
use einvoice_core::pipeline::{Note, RunReport};
use einvoice_core::state::DocumentState;
use serde_json::json;

use super::block_on;
use super::desk::refusal::Refusal;
use super::desk::{Desk, confirm, find, outcome};
use super::status::{COLUMNS, code_of, differences, document, line, row};
use crate::arguments::{Common, Resolve};
use crate::error::CliError;
use crate::output::{Output, Style, printable};
use crate::{exit_code, settings};
use decision::{decision, question, room};

/// States in which the portal, or a person, has something to say.
const OPEN: [DocumentState; 4] =
    [DocumentState::Unknown, DocumentState::Sent, DocumentState::Cancelling, DocumentState::Conflict];

pub(super) fn run(arguments: &Resolve, common: &Common, output: &mut Output) -> Result<u8, CliError> {
    let loaded = settings::load(common)?;
    let decision = decision(arguments)?;
    block_on(async {
        let desk = Desk::open(loaded).await?;
        if let Some(id) = arguments.job {
            return job::one(&desk, JobId(id), arguments, output).await;
        }
        let documents = chosen(&desk, &arguments.keys).await?;
        match decision {
            Some(decision) => decide(&desk, &documents, &decision, arguments.yes, output).await,
            None => settle(&desk, &documents, arguments.keys.is_empty(), output).await,
        }
    })
}

/// The documents named, or all that are open.
async fn chosen(desk: &Desk, keys: &[String]) -> Result<Vec<DocumentStatus>, CliError> {
    if keys.is_empty() {
        return Ok(find::all(desk.ledger.as_ref(), Query { states: OPEN.to_vec(), ..Query::default() }).await?);
    }
    let mut documents = Vec::with_capacity(keys.len());
    for key in keys {
        let found = find::one(desk.ledger.as_ref(), key).await?;
        documents.push(found.map_err(|refusal| CliError::Usage(format!("{}; {}", refusal.message, refusal.fix)))?);
    }
    Ok(documents)
}

async fn settle(
    desk: &Desk,
    documents: &[DocumentStatus],
    everything: bool,
    output: &mut Output,
) -> Result<u8, CliError> {
    let unknown: Vec<DocumentId> = documents
        .iter()
        .filter(|status| matches!(status.state, DocumentState::Unknown | DocumentState::Sent))
        .map(|status| status.id)
        .collect();
    let jobs = unknown_jobs(desk, documents, everything).await?;
    let mut codes = vec![exit_code::ALL_WELL];
    if !unknown.is_empty() {
        let asked = async |pipeline: &einvoice_core::pipeline::Pipeline, observer, stop| {
            pipeline.settle_now(&unknown, observer, stop).await
        };
        let Some(report) = desk.watched(output, asked).await? else { return Ok(exit_code::UNKNOWN_OUTCOMES) };
        codes.push(notes(&report, output)?);
    }
    if !jobs.is_empty() {
        codes.push(settle_jobs(desk, &jobs, output).await?);
    }
    let mut documents_now = Vec::with_capacity(documents.len());
    for status in documents {
        documents_now.extend(find::by_id(desk.ledger.as_ref(), status.id).await?);
    }
    show(&documents_now, output)?;
    hand_overs(&documents_now, output)?;
    for status in documents_now.iter_mut().filter(|status| status.state == DocumentState::Conflict) {
        conflict(desk, status, output).await?;
    }
    let is_settled = |status: &DocumentStatus| !OPEN.contains(&status.state);
    if jobs.is_empty() && documents.iter().all(is_settled) {
        output.say("nothing is unknown and nothing waits for a decision")?;
    }
    codes.extend(documents_now.iter().map(|status| code_of(status.state)));
    Ok(exit_code::most_urgent(codes))
}

/// Jobs whose outcome is not known, of these documents or of all.
async fn unknown_jobs(desk: &Desk, documents: &[DocumentStatus], everything: bool) -> Result<Vec<Job>, CliError> {
    let states = vec![JobState::Sent, JobState::Unknown];
    let mut jobs = find::jobs(desk.ledger.as_ref(), JobQuery { states, ..JobQuery::default() }).await?;
    jobs.retain(|job| everything || documents.iter().any(|status| job.document == Some(status.id)));
    Ok(jobs)
}

async fn settle_jobs(desk: &Desk, jobs: &[Job], output: &mut Output) -> Result<u8, CliError> {
    let ids: Vec<_> = jobs.iter().map(|job| job.id).collect();
    let asked = async |pipeline: &einvoice_core::pipeline::Pipeline, observer, stop| {
        pipeline.carry_out(&ids, observer, stop).await
    };
    let Some(report) = desk.watched(output, asked).await? else { return Ok(exit_code::UNKNOWN_OUTCOMES) };
    let names = outcome::names(&report.jobs, desk.ledger.as_ref()).await?;
    outcome::show(&report.jobs, &names, desk.now(), output)?;
    job::hand_overs(&report.jobs, output)?;
    if !output.is_json() {
        outcome::notes(&report, output)?;
    }
    Ok(outcome::code_of_report(&report, desk.now()))
}

fn show(documents: &[DocumentStatus], output: &mut Output) -> Result<(), CliError> {
    if output.is_json() {
        return documents.iter().try_for_each(|status| output.object(&line(status)));
    }
    if documents.is_empty() { Ok(()) } else { output.table(&COLUMNS, documents.iter().map(row)) }
}

/// What a person is to look up of these documents.
fn hand_overs(documents: &[DocumentStatus], output: &mut Output) -> Result<(), CliError> {
    for status in documents {
        let Some(open) = &status.hand_over else { continue };
        if output.is_json() {
            let (registered, remedy) = (open.is_registered(), open.remedy());
            output.object(&json!({
                "hand_over": {"document": document(status), "registered": registered, "remedy": remedy}
            }))?;
        } else {
            output.line("")?;
            output.paragraph(0, &format!("for you, {}: {}", document(status), open.remedy()))?;
        }
    }
    Ok(())
}

/// What stood in the way of asking, for people; the exit code of it.
fn notes(report: &RunReport, output: &mut Output) -> Result<u8, CliError> {
    let lists = [
        ("configuration", Style::Bad, &report.configuration),
        ("not reached", Style::Attention, &report.unreachable),
        ("failed", Style::Bad, &report.failures),
    ];
    for (heading, style, list) in lists {
        for Note { about, message } in list {
            if output.is_json() {
                output.remark(format!("{heading} {about}: {message}"));
            } else {
                output.headed(style, heading, &format!("{about}: {message}"))?;
            }
        }
    }
    Ok(if report.configuration.is_empty() { exit_code::ALL_WELL } else { exit_code::USAGE })
}

/// Shows a conflict field by field, and asks for the decision where somebody can be asked.
async fn conflict(desk: &Desk, status: &mut DocumentStatus, output: &mut Output) -> Result<(), CliError> {
    if output.is_json() {
        let conflict = json!({"conflict": document(status), "differences": status.differences});
        output.object(&conflict)?;
    } else {
        output.line("")?;
        let head = format!("{}: the portal holds another document under this key", document(status));
        output.line(output.styled(Style::Bad, &printable(&head)))?;
        differences(&status.differences, output)?;
    }
    output.flush()?;
    if output.is_json() || !confirm::can_ask() {
        return output.say(format!(
            "to do: if the portal's document is this one, `einvoice resolve {key} --adopt --reason TEXT`; after a change \
             at the portal, `einvoice resolve {key} --ask-again`; else issue this document under another number",
            key = document(status)
        ));
    }
    let answer =
        confirm::answer("adopt the portal's registration (a), ask the portal again (g), or leave it (l)? [l] ")?;
    let decision = match answer.to_ascii_lowercase().as_str() {
        "a" | "adopt" => {
            let reason = confirm::answer("why is it the same document? ")?;
            if reason.is_empty() {
                return output.line("left as it is: a reason is needed");
            }
            Decision::Adopt { reason }
        }
        "g" | "ask" => Decision::AskAgain { reason: "asked for on the command line".to_owned() },
        _ => return output.line("left as it is"),
    };
    decided(desk, status, &decision, output).await?;
    follow_up(desk, &[status.id], output).await?;
    if let Some(now) = find::by_id(desk.ledger.as_ref(), status.id).await? {
        *status = now;
    }
    Ok(())
}

async fn decide(
    desk: &Desk,
    documents: &[DocumentStatus],
    decision: &Decision,
    yes: bool,
    output: &mut Output,
) -> Result<u8, CliError> {
    let question = question(decision);
    if !output.is_json() {
        for status in documents.iter().filter(|status| !status.differences.is_empty()) {
            output.line(output.styled(Style::Strong, &printable(&document(status))))?;
            differences(&status.differences, output)?;
        }
    }
    output.flush()?;
    if let Some(question) = question.filter(|_| !yes)
        && !confirm::confirmed(&question)?
    {
        output.say("nothing was done")?;
        return Ok(exit_code::NEEDS_PERSON);
    }
    let (mut codes, mut taken) = (Vec::new(), Vec::new());
    for status in documents {
        let code = decided(desk, status, decision, output).await?;
        codes.push(code);
        if code == exit_code::ALL_WELL {
            taken.push(status.id);
        }
    }
    if !taken.is_empty() {
        codes.push(follow_up(desk, &taken, output).await?);
    }
    let mut now = Vec::with_capacity(documents.len());
    for status in documents {
        now.extend(find::by_id(desk.ledger.as_ref(), status.id).await?);
    }
    show(&now, output)?;
    if matches!(decision, Decision::NotThere { .. }) && !taken.is_empty() {
        output.say("the next run sends them")?;
    }
    codes.extend(now.iter().map(|status| code_of(status.state)));
    Ok(exit_code::most_urgent(codes))
}

/// Stores a decision. One that the state leaves no room for is told.
async fn decided(
    desk: &Desk,
    status: &DocumentStatus,
    decision: &Decision,
    output: &mut Output,
) -> Result<u8, CliError> {
    let Err(error) = desk.ledger.decide(status.id, decision.clone()).await else { return Ok(exit_code::ALL_WELL) };
    let mut refusal = Refusal::ledger(error)?;
    refusal.message = format!("{} is {}: {}", document(status), status.state, room(decision));
    "`einvoice status KEY` tells its story; without a decision `einvoice resolve KEY` asks the portal."
        .clone_into(&mut refusal.fix);
    if output.is_json() {
        output.object(&json!({"document": document(status), "refused": refusal}))?;
    } else {
        refusal.show(0, output)?;
    }
    Ok(exit_code::NEEDS_PERSON)
}

/// Asks about what is to be asked again, and delivers what a decision made of the others.
async fn follow_up(desk: &Desk, documents: &[DocumentId], output: &mut Output) -> Result<u8, CliError> {
    let asked = async |pipeline: &einvoice_core::pipeline::Pipeline, observer, stop| {
        pipeline.settle_now(documents, observer, stop).await
    };
    match desk.watched(output, asked).await? {
        Some(report) => notes(&report, output),
        None => Ok(exit_code::UNKNOWN_OUTCOMES),
    }
}
