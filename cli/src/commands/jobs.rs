//! `jobs`: what is planned, until when, and what happened.

use einvoice_core::date::PortalTime;
use einvoice_core::job::{Effect, Job, JobId, JobQuery, JobState};
use einvoice_core::ledger::{Ledger, LedgerError};
use serde_json::json;

use super::block_on;
use super::desk::refusal::Refusal;
use super::desk::wish::{shown, steps};
use super::desk::{confirm, find, outcome};
use crate::arguments::{Common, Jobs, JobsCommand};
use crate::assemble::Assembly;
use crate::error::CliError;
use crate::output::{Output, Style, counted, printable};
use crate::{exit_code, settings};

pub(super) fn run(arguments: &Jobs, common: &Common, output: &mut Output) -> Result<u8, CliError> {
    let assembly = Assembly::new(settings::load(common)?)?;
    block_on(async {
        let ledger = assembly.ledger().await?;
        let ledger = ledger.as_ref();
        match (&arguments.command, arguments.id) {
            (Some(JobsCommand::Withdraw { id, reason, yes }), _) => {
                withdraw(JobId(*id), reason, *yes, ledger, output).await
            }
            (None, Some(id)) => one(JobId(id), ledger, &assembly, output).await,
            (None, None) => list(arguments, ledger, &assembly, output).await,
        }
    })
}

async fn list(arguments: &Jobs, ledger: &dyn Ledger, assembly: &Assembly, output: &mut Output) -> Result<u8, CliError> {
    let jobs = find::jobs(ledger, JobQuery { states: arguments.states.clone(), ..JobQuery::default() }).await?;
    let names = outcome::names(&jobs, ledger).await?;
    outcome::show_record(&jobs, &names, assembly.clock().now(), output)?;
    if jobs.is_empty() {
        output.say(if arguments.states.is_empty() {
            "the ledger holds no jobs yet; `einvoice cancel` and `einvoice ewb` make them"
        } else {
            "the ledger holds no such jobs; `einvoice jobs` lists all"
        })?;
    } else if !output.is_json() {
        output.line("")?;
        let count = counted(u64::try_from(jobs.len()).unwrap_or(u64::MAX), "job");
        let is_refused = |job: &Job| job.state == JobState::Refused;
        let hint =
            if jobs.iter().any(is_refused) { "; `einvoice jobs ID` says what to do about a refused one" } else { "" };
        output.line(format!("{count}{hint}"))?;
    }
    Ok(code_of_list(&jobs))
}

/// A refused job is over and stays on record for good, so a list that holds one asks for nothing.
fn code_of_list(jobs: &[Job]) -> u8 {
    let is_open = |job: &Job| !job.state.is_over() && job.state != JobState::Planned;
    if jobs.iter().any(is_open) { exit_code::UNKNOWN_OUTCOMES } else { exit_code::ALL_WELL }
}

async fn one(id: JobId, ledger: &dyn Ledger, assembly: &Assembly, output: &mut Output) -> Result<u8, CliError> {
    let found = find::jobs(ledger, JobQuery { ids: vec![id], ..JobQuery::default() }).await?;
    let Some(job) = found.first() else { return Err(missing(id)) };
    let names = outcome::names(&found, ledger).await?;
    let now = assembly.clock().now();
    let code = match job.state {
        // Planned is where it should be until its time has come.
        JobState::Planned => exit_code::ALL_WELL,
        _ => outcome::code_of(&found, now),
    };
    if output.is_json() {
        outcome::show(&found, &names, now, output)?;
        return Ok(code);
    }
    let heading = format!("job {}: {}", id.0, steps(&job.steps));
    output.line(output.styled(Style::Strong, &printable(&heading)))?;
    let facts = [
        ("about", Some(outcome::about(job, &names))),
        ("state", Some(job.state.to_string())),
        ("as", Some(job.gstin.to_string())),
        ("route", job.route.as_ref().map(ToString::to_string)),
        ("not before", job.not_before.map(shown)),
        ("until", job.deadline.map(shown)),
        ("due", Some(shown(job.due_at)).filter(|_| !job.state.is_over())),
        // Of the call under way: the ledger counts each call anew.
        ("sent", Some(counted(u64::from(job.sendings), "time")).filter(|_| job.sendings > 0)),
        ("planned", Some(shown(job.planned_at))),
        ("changed", Some(shown(job.changed_at))),
        ("message", Some(job.message.clone())),
    ];
    for (name, value) in facts {
        if let Some(value) = value {
            output.line(format!("  {name:<11} {}", printable(&value)))?;
        }
    }
    for (number, step) in job.steps.iter().enumerate() {
        let done = u32::try_from(number).is_ok_and(|number| number < job.position);
        output.line(format!("  step {:<6} {step} ({})", number + 1, if done { "done" } else { "not done" }))?;
    }
    for effect in &job.effects {
        output.paragraph(2, &told(effect))?;
    }
    if job.state == JobState::Refused {
        outcome::refusal(job).show(2, output)?;
    }
    Ok(code)
}

/// What a step changed, in words.
fn told(effect: &Effect) -> String {
    match effect {
        Effect::IrnCancelled { cancellation } => {
            let at = cancellation.at.as_ref().map(|at| format!(" at {at}")).unwrap_or_default();
            format!("the registration was cancelled{at}")
        }
        Effect::Ewb { standing } => {
            let till = standing.valid_till.as_ref().map(PortalTime::to_string);
            let till = till.map(|till| format!(", valid till {till}")).unwrap_or_default();
            format!("e-way bill {} is {}{till}", standing.number, standing.state)
        }
        Effect::TripSheet { number, bills } => {
            let bills: Vec<String> = bills.iter().map(ToString::to_string).collect();
            format!("trip sheet {number} was made for {}", bills.join(", "))
        }
    }
}

async fn withdraw(
    id: JobId,
    reason: &str,
    yes: bool,
    ledger: &dyn Ledger,
    output: &mut Output,
) -> Result<u8, CliError> {
    let found = find::jobs(ledger, JobQuery { ids: vec![id], ..JobQuery::default() }).await?;
    let Some(job) = found.first() else { return Err(missing(id)) };
    if job.state.is_over() {
        return refused(id, &over(job), output);
    }
    if !yes && !confirm::confirmed(&format!("Withdraw job {}?", id.0))? {
        output.say("nothing was done")?;
        return Ok(exit_code::NEEDS_PERSON);
    }
    match ledger.withdraw(id, reason).await {
        Ok(()) if output.is_json() => output.object(&json!({"withdrawn": id.0}))?,
        Ok(()) => output.line(format!("job {} is withdrawn; what it did before stands", id.0))?,
        Err(LedgerError::NoJob { .. }) => return Err(missing(id)),
        Err(error) => {
            let mut refusal = Refusal::ledger(error)?;
            // The job under way is the one that was to be taken back.
            "Its step may have been sent: `einvoice resolve` asks the portal what became of it."
                .clone_into(&mut refusal.fix);
            return refused(id, &refusal, output);
        }
    }
    Ok(exit_code::ALL_WELL)
}

fn refused(id: JobId, refusal: &Refusal, output: &mut Output) -> Result<u8, CliError> {
    if output.is_json() {
        output.object(&json!({"withdrawn": null, "job": id.0, "refused": refusal}))?;
    } else {
        refusal.show(0, output)?;
    }
    Ok(exit_code::NEEDS_PERSON)
}

/// Why a job that is over cannot be taken back.
fn over(job: &Job) -> Refusal {
    let fix = match job.state {
        JobState::Done => {
            "What the portal did stands; `einvoice cancel` and `einvoice ewb` have the commands that change it again."
        }
        _ => "Nothing has to be done: it will not be carried out.",
    };
    Refusal::new(format!("job {} is {} and cannot be withdrawn", job.id.0, job.state), fix)
}

fn missing(id: JobId) -> CliError {
    CliError::Usage(format!("there is no job {} in the ledger; `einvoice jobs` lists those there are", id.0))
}

#[cfg(test)]
mod tests {
    use super::super::desk::outcome::tests::job;
    use super::*;

    #[test]
    fn a_list_asks_for_something_only_where_an_outcome_is_open() {
        let code = |state| code_of_list(&[job(state)]);
        assert_eq!(code(JobState::Unknown), exit_code::UNKNOWN_OUTCOMES);
        for state in [JobState::Planned, JobState::Done, JobState::Refused, JobState::Withdrawn] {
            assert_eq!(code(state), exit_code::ALL_WELL, "{state}");
        }
    }
}
