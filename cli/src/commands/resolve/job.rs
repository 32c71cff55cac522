//! Jobs that nobody but a person can tell of: what to look up, and taking the answer.

use einvoice_core::job::{Job, JobDecision, JobId, JobQuery, JobState};
use einvoice_core::ledger::LedgerError;
use einvoice_core::pipeline::{Seen, SeenError};
use serde_json::json;

use super::super::desk::refusal::Refusal;
use super::super::desk::{Desk, confirm, find, outcome};
use super::settle_jobs;
use crate::arguments::Resolve;
use crate::error::CliError;
use crate::exit_code;
use crate::output::Output;

/// What a person says of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Word {
    Done,
    NotDone,
    Drop,
}

impl Word {
    fn of(arguments: &Resolve) -> Option<Self> {
        match (arguments.done, arguments.not_done, arguments.drop) {
            (true, ..) => Some(Self::Done),
            (_, true, _) => Some(Self::NotDone),
            (.., true) => Some(Self::Drop),
            _ => None,
        }
    }

    const fn question(self) -> &'static str {
        match self {
            Self::Done => "Keep this step as done? Nothing proves it but your word.",
            Self::NotDone => "Have this step sent again? If the portal did it, it may be done twice.",
            Self::Drop => "End this job? What became of its step stays unknown.",
        }
    }
}

/// Asks about one job, or takes what a person says of it.
pub(super) async fn one(desk: &Desk, id: JobId, arguments: &Resolve, output: &mut Output) -> Result<u8, CliError> {
    let job = the_job(desk, id).await?;
    let Some(word) = Word::of(arguments) else {
        return match job.state {
            JobState::Unknown | JobState::Sent => settle_jobs(desk, &[job], output).await,
            _ => {
                output.say(format!("job {} is {}: nothing about it is unknown", id.0, job.state))?;
                show(desk, &[job], output).await
            }
        };
    };
    // The ledger judges; what it would refuse is not asked for first.
    if job.state != JobState::Unknown || job.hand_over.is_none() {
        return refused(&job, job.state, output);
    }
    let decision = decision(desk, &job, word, arguments).await?;
    if !output.is_json() {
        hand_overs(std::slice::from_ref(&job), output)?;
    }
    output.flush()?;
    if !arguments.yes && !confirm::confirmed(word.question())? {
        output.say("nothing was done")?;
        return Ok(exit_code::NEEDS_PERSON);
    }
    match desk.ledger.decide_job(id, decision).await {
        Ok(()) => {}
        Err(LedgerError::IllegalJobMove { from, .. }) => return refused(&job, from, output),
        Err(error) => return Err(error.into()),
    }
    let now = the_job(desk, id).await?;
    if now.state == JobState::Planned {
        output.say(format!("the next run sends its next call; `einvoice jobs withdraw {}` takes it back", id.0))?;
    } else {
        // Results are delivered; of a job that is over nothing is sent.
        let deliver = async |pipeline: &einvoice_core::pipeline::Pipeline, observer, stop| {
            pipeline.carry_out(&[id], observer, stop).await
        };
        if let Some(report) = desk.watched(output, deliver).await?
            && !output.is_json()
        {
            outcome::notes(&report, output)?;
        }
    }
    show(desk, &[now], output).await
}

async fn the_job(desk: &Desk, id: JobId) -> Result<Job, CliError> {
    let found = find::jobs(desk.ledger.as_ref(), JobQuery { ids: vec![id], ..JobQuery::default() }).await?;
    found.into_iter().next().ok_or_else(|| {
        CliError::Usage(format!("there is no job {} in the ledger; `einvoice jobs` lists those there are", id.0))
    })
}

async fn decision(desk: &Desk, job: &Job, word: Word, arguments: &Resolve) -> Result<JobDecision, CliError> {
    let reason = arguments.reason.clone().unwrap_or_default();
    Ok(match word {
        Word::NotDone => JobDecision::NotDone { reason },
        Word::Drop => JobDecision::Dropped { reason },
        Word::Done => {
            let seen = &arguments.seen;
            let seen = Seen {
                at: seen.at,
                number: seen.ewb,
                valid_till: seen.valid_till,
                trip_sheet: seen.trip_sheet,
                group: seen.group.clone(),
            };
            let effects = desk.pipeline.effects_of(job, &seen).await.map_err(|error| match error {
                SeenError::Ledger(error) => error.into(),
                other => CliError::Usage(format!("{other}; `einvoice resolve --help` lists how it is told")),
            })?;
            JobDecision::Done { effects, reason }
        }
    })
}

/// Tells why a job leaves a person nothing to say.
fn refused(job: &Job, from: JobState, output: &mut Output) -> Result<u8, CliError> {
    let why = match (from, &job.hand_over) {
        (JobState::Unknown, Some(_)) => {
            "the cancellation of an IRN is not dropped, as its document has to stand somewhere: say whether it is \
             cancelled"
        }
        (JobState::Unknown, None) => "the portal can still be asked, and its word counts",
        _ => "nothing about it is unknown",
    };
    let fix =
        format!("`einvoice resolve --job {}` asks now, and says what to look up once asking tells no more.", job.id.0);
    let refusal = Refusal::new(format!("job {} is {from}: {why}", job.id.0), fix);
    if output.is_json() {
        output.object(&json!({"job": job.id.0, "refused": refusal}))?;
    } else {
        refusal.show(0, output)?;
    }
    Ok(exit_code::NEEDS_PERSON)
}

async fn show(desk: &Desk, jobs: &[Job], output: &mut Output) -> Result<u8, CliError> {
    let names = outcome::names(jobs, desk.ledger.as_ref()).await?;
    outcome::show(jobs, &names, desk.now(), output)?;
    hand_overs(jobs, output)?;
    let is_over_or_waits = |job: &&Job| job.state != JobState::Planned;
    let jobs: Vec<Job> = jobs.iter().filter(is_over_or_waits).cloned().collect();
    Ok(outcome::code_of(&jobs, desk.now()))
}

/// What a person is to look up of these jobs.
pub(super) fn hand_overs(jobs: &[Job], output: &mut Output) -> Result<(), CliError> {
    for job in jobs.iter().filter(|job| job.state == JobState::Unknown) {
        let Some(remedy) = &job.hand_over else { continue };
        if output.is_json() {
            output.object(&json!({"hand_over": {"job": job.id.0, "remedy": remedy}}))?;
        } else {
            output.line("")?;
            output.paragraph(0, &format!("for you, job {}: {remedy}", job.id.0))?;
        }
    }
    Ok(())
}
