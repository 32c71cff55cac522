//! From wishes to jobs and their outcomes.

use einvoice_core::job::{Job, JobId, JobQuery, JobState};
use einvoice_core::pipeline::{JobsReport, Note};
use jiff::Timestamp;
use serde::Serialize;

use super::outcome::{self, code_of_report};
use super::refusal::Refusal;
use super::wish::{self, Wish};
use super::{Desk, confirm};
use crate::arguments::Going;
use crate::error::CliError;
use crate::exit_code;
use crate::output::{Output, counted};

/// The last line of `--json`.
#[derive(Serialize)]
struct Summary<'a> {
    summary: Figures<'a>,
}

#[derive(Serialize)]
struct Figures<'a> {
    planned: usize,
    refused: usize,
    configuration: &'a [Note],
    unreachable: &'a [Note],
    failures: &'a [Note],
    exit_code: u8,
}

/// What became of wishes.
#[derive(Debug, Default)]
pub(in super::super) struct Done {
    /// Wishes that became jobs.
    planned: usize,
    /// Wishes that were refused.
    refused: usize,
    report: JobsReport,
    code: u8,
}

impl Done {
    /// What came of jobs that were planned before.
    pub(in super::super) const fn of(report: JobsReport, code: u8) -> Self {
        Self { planned: 0, refused: 0, report, code }
    }

    /// Wishes of which nothing was done.
    fn nothing(wishes: &[Wish], code: u8) -> Self {
        Self { refused: refused(wishes), code: exit_code::most_urgent([refused_code(wishes), code]), ..Self::default() }
    }

    /// Both together.
    pub(in super::super) fn and(mut self, other: Self) -> Self {
        self.report.configuration.extend(other.report.configuration);
        self.report.unreachable.extend(other.report.unreachable);
        self.report.failures.extend(other.report.failures);
        Self {
            planned: self.planned + other.planned,
            refused: self.refused + other.refused,
            code: exit_code::most_urgent([self.code, other.code]),
            report: self.report,
        }
    }

    /// The last line of `--json`, which is there whatever came before it; the exit code.
    pub(in super::super) fn end(&self, output: &mut Output) -> Result<u8, CliError> {
        if output.is_json() {
            let figures = Figures {
                planned: self.planned,
                refused: self.refused,
                configuration: &self.report.configuration,
                unreachable: &self.report.unreachable,
                failures: &self.report.failures,
                exit_code: self.code,
            };
            output.object(&Summary { summary: figures })?;
        }
        Ok(self.code)
    }
}

/// Shows wishes, asks where `question` says what, plans them, carries them out and shows what came of it.
pub(in super::super) async fn go(
    desk: &Desk,
    wishes: Vec<Wish>,
    going: Going,
    question: Option<&str>,
    output: &mut Output,
) -> Result<u8, CliError> {
    act(desk, wishes, going, question, output).await?.end(output)
}

/// The same, for a command that does something else besides: [`Done::end`] is left to it.
pub(in super::super) async fn act(
    desk: &Desk,
    mut wishes: Vec<Wish>,
    going: Going,
    question: Option<&str>,
    output: &mut Output,
) -> Result<Done, CliError> {
    wish::show(&wishes, desk.now(), output)?;
    output.flush()?;
    let possible = wishes.len() - refused(&wishes);
    if going.plan_only || possible == 0 {
        if wishes.is_empty() {
            output.say("nothing in the ledger fits this: there is nothing to do")?;
        } else if going.plan_only {
            output.say("this is a plan: nothing was done")?;
        }
        return Ok(Done::nothing(&wishes, exit_code::ALL_WELL));
    }
    if let Some(question) = question.filter(|_| !going.yes) {
        let of_them = counted(u64::try_from(possible).unwrap_or(u64::MAX), "job");
        if !confirm::confirmed(&format!("{question} ({of_them})"))? {
            output.say("nothing was done")?;
            return Ok(Done::nothing(&wishes, exit_code::NEEDS_PERSON));
        }
    }
    let jobs = plan(desk, &mut wishes, output).await?;
    let Some(report) = carried_out(desk, &jobs, output).await? else {
        return Ok(Done { planned: jobs.len(), ..Done::nothing(&wishes, exit_code::UNKNOWN_OUTCOMES) });
    };
    told(desk, &wishes, jobs.len(), report, output).await
}

/// Has the ledger remember each wish as a job; one that it does not take becomes a refusal.
async fn plan(desk: &Desk, wishes: &mut [Wish], output: &mut Output) -> Result<Vec<JobId>, CliError> {
    let mut jobs = Vec::new();
    for wish in wishes {
        let Ok(job) = &wish.planned else { continue };
        match desk.ledger.plan(job.clone()).await {
            Ok(id) => jobs.push(id),
            Err(error) => {
                wish.planned = Err(Refusal::ledger(error)?);
                wish::show_refusal(wish, output)?;
            }
        }
    }
    Ok(jobs)
}

/// Carries out the jobs whose time has come, and answers with all of them as they stand afterwards.
async fn carried_out(desk: &Desk, ids: &[JobId], output: &Output) -> Result<Option<JobsReport>, CliError> {
    if ids.is_empty() {
        return Ok(Some(JobsReport::default()));
    }
    let now = desk.now();
    let jobs = of(desk, ids).await?;
    let due: Vec<JobId> =
        jobs.iter().filter(|job| job.not_before.is_none_or(|at| at <= now)).map(|job| job.id).collect();
    let report = if due.is_empty() {
        Some(JobsReport::default())
    } else {
        desk.watched(output, async |pipeline, observer, stop| pipeline.carry_out(&due, observer, stop).await).await?
    };
    let Some(mut report) = report else { return Ok(None) };
    // What is planned for later is shown beside what was done.
    report.jobs = of(desk, ids).await?;
    Ok(Some(report))
}

async fn of(desk: &Desk, ids: &[JobId]) -> Result<Vec<Job>, CliError> {
    Ok(super::find::jobs(desk.ledger.as_ref(), JobQuery { ids: ids.to_vec(), ..JobQuery::default() }).await?)
}

async fn told(
    desk: &Desk,
    wishes: &[Wish],
    planned: usize,
    report: JobsReport,
    output: &mut Output,
) -> Result<Done, CliError> {
    let now = desk.now();
    let names = outcome::names(&report.jobs, desk.ledger.as_ref()).await?;
    outcome::show(&report.jobs, &names, now, output)?;
    let code = exit_code::most_urgent([refused_code(wishes), code_of_report(&report, now)]);
    if !output.is_json() {
        outcome::notes(&report, output)?;
        waiting(&report.jobs, now, output)?;
    }
    Ok(Done { planned, refused: refused(wishes), report, code })
}

/// Tells of jobs whose time has not come, and of those that could not be sent.
fn waiting(jobs: &[Job], now: Timestamp, output: &mut Output) -> Result<(), CliError> {
    let is_later = |job: &&Job| job.not_before.is_some_and(|at| at > now);
    let (later, kept): (Vec<&Job>, Vec<&Job>) =
        jobs.iter().filter(|job| job.state == JobState::Planned).partition(is_later);
    let count = |jobs: &[&Job]| counted(u64::try_from(jobs.len()).unwrap_or(u64::MAX), "job");
    if !later.is_empty() {
        output.line(format!("{} planned for later; a run, or `einvoice retry`, carries it out then", count(&later)))?;
    }
    if !kept.is_empty() {
        output.line(format!("{} kept, not sent yet; a run, or `einvoice retry`, tries again", count(&kept)))?;
    }
    Ok(())
}

fn refused(wishes: &[Wish]) -> usize {
    wishes.iter().filter(|wish| wish.planned.is_err()).count()
}

fn refused_code(wishes: &[Wish]) -> u8 {
    if refused(wishes) > 0 { exit_code::NEEDS_PERSON } else { exit_code::ALL_WELL }
}
