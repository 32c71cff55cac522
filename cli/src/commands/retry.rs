//! `retry`: failed e-way bills of registered documents alone, and jobs whose time has come.

use einvoice_core::environment::Product;
use einvoice_core::ewb::request::EwbByIrn;
use einvoice_core::job::{Job, JobId, JobQuery, JobState, Task};
use einvoice_core::ledger::{DocumentStatus, Query};
use einvoice_core::pipeline::{JobsReport, Pipeline};
use einvoice_core::plan;
use einvoice_core::state::{DocumentState, EwbState};
use jiff::Timestamp;

use super::block_on;
use super::desk::refusal::Refusal;
use super::desk::wish::{Wish, shown};
use super::desk::{Desk, Done, act, find, outcome};
use super::status::document;
use crate::arguments::{Common, Retry};
use crate::error::CliError;
use crate::output::{Output, counted};
use crate::{exit_code, settings};

const TASK: &str = "generate_ewb_by_irn";

pub(super) fn run(arguments: &Retry, common: &Common, output: &mut Output) -> Result<u8, CliError> {
    let loaded = settings::load(common)?;
    block_on(async {
        let desk = Desk::open(loaded).await?;
        let (wishes, due) =
            if arguments.keys.is_empty() { everything(&desk).await? } else { named(&desk, arguments).await? };
        if wishes.is_empty() && due.is_empty() {
            output.say(format!("no e-way bill has failed and no job is due{}", next(&desk).await?))?;
        }
        let mut done = Done::default();
        if !wishes.is_empty() {
            done = done.and(act(&desk, wishes, arguments.going, None, output).await?);
        }
        if !due.is_empty() {
            done = done.and(carry_out(&desk, &due, arguments.going.plan_only, output).await?);
        }
        done.end(output)
    })
}

async fn everything(desk: &Desk) -> Result<(Vec<Wish>, Vec<Job>), CliError> {
    let query = Query { states: vec![DocumentState::Registered], ..Query::default() };
    let mut wishes = Vec::new();
    for status in find::all(desk.ledger.as_ref(), query).await? {
        if status.ewb_state == EwbState::Failed {
            wishes.push(wish(desk, &status).await?);
        }
    }
    Ok((wishes, due(open_jobs(desk, None).await?, desk.now())))
}

async fn named(desk: &Desk, arguments: &Retry) -> Result<(Vec<Wish>, Vec<Job>), CliError> {
    let (mut wishes, mut jobs) = (Vec::new(), Vec::new());
    for key in &arguments.keys {
        let status = match find::one(desk.ledger.as_ref(), key).await? {
            Ok(status) => status,
            Err(refusal) => {
                wishes.push(Wish::refused(key.as_str(), TASK, refusal));
                continue;
            }
        };
        let of_it = due(open_jobs(desk, Some(&status)).await?, desk.now());
        if status.ewb_state == EwbState::Failed {
            wishes.push(wish(desk, &status).await?);
        } else if of_it.is_empty() {
            let message = format!(
                "{} has no failed e-way bill (it is {}) and no job that is due",
                status.label, status.ewb_state
            );
            let fix = "`einvoice ewb generate` makes a first bill; `einvoice jobs` shows what waits for its time.";
            wishes.push(Wish::refused(document(&status), TASK, Refusal::new(message, fix)));
        }
        jobs.extend(of_it);
    }
    Ok((wishes, jobs))
}

async fn open_jobs(desk: &Desk, of: Option<&DocumentStatus>) -> Result<Vec<Job>, CliError> {
    let states = vec![JobState::Planned, JobState::Sent, JobState::Unknown];
    let query = JobQuery { states, document: of.map(|status| status.id), ..JobQuery::default() };
    Ok(find::jobs(desk.ledger.as_ref(), query).await?)
}

/// What waits for its time, and for which.
async fn next(desk: &Desk) -> Result<String, CliError> {
    let open = open_jobs(desk, None).await?;
    let when = |job: &Job| job.not_before.map_or(job.due_at, |at| at.max(job.due_at));
    let Some(first) = open.iter().map(when).min() else { return Ok(String::new()) };
    let count = counted(u64::try_from(open.len()).unwrap_or(u64::MAX), "job");
    Ok(format!("; {count} open, the next for {} IST (`einvoice jobs` shows which)", shown(first)))
}

fn due(mut jobs: Vec<Job>, now: Timestamp) -> Vec<Job> {
    jobs.retain(|job| job.due_at <= now && job.not_before.is_none_or(|at| at <= now));
    jobs
}

async fn wish(desk: &Desk, status: &DocumentStatus) -> Result<Wish, CliError> {
    let request = match request_of(desk, status).await? {
        Ok(request) => request,
        Err(refusal) => return Ok(Wish::on_document(document(status), None, TASK, Err(refusal))),
    };
    // What failed for a fault of its own is not sent again unchanged: each refusal counts against the account.
    let sent = find::sent(desk.ledger.as_ref(), status.id).await?;
    if let Some(mut refusal) = Refusal::findings(&request.check(sent.as_ref(), &desk.check_today())) {
        refusal.fix = format!("{} {}", refusal.fix, anew(status));
        return Ok(Wish::on_document(document(status), None, TASK, Err(refusal)));
    }
    let bill = find::bill_of(desk.ledger.as_ref(), status.id).await?;
    let dated = sent.and_then(|sent| sent.doc_dtls.dt.get());
    let planned = plan::ewb_by_irn(status, dated, bill.as_ref(), request, desk.now());
    let planned = planned.map_err(|refused| Refusal::planned(&refused, Product::EInvoice));
    Ok(Wish::on_document(document(status), None, TASK, planned))
}

/// What the bill was asked for with: the request of the last job that was to make it, else the e-way bill part of
/// the document itself.
async fn request_of(desk: &Desk, status: &DocumentStatus) -> Result<Result<EwbByIrn, Refusal>, CliError> {
    let query = JobQuery { document: Some(status.id), ..JobQuery::default() };
    let jobs = find::jobs(desk.ledger.as_ref(), query).await?;
    let asked = jobs.into_iter().rev().find_map(|job| match job.task {
        Task::GenerateEwbByIrn { request } => Some(*request),
        _ => None,
    });
    if let Some(request) = asked {
        return Ok(Ok(request));
    }
    let sent = find::sent(desk.ledger.as_ref(), status.id).await?;
    let irn = status.registration.as_ref().map(|registration| registration.irn);
    let (Some(irn), Some(ewb)) = (irn, sent.and_then(|sent| sent.ewb_dtls)) else {
        return Ok(Err(Refusal::new(
            format!("what the e-way bill of {} was asked for with is not on record", status.label),
            anew(status),
        )));
    };
    let made = EwbByIrn::from_document(irn, &ewb, &desk.check_today());
    Ok(made.map_err(|findings| {
        let refusal = Refusal::findings(&findings);
        let mut refusal = refusal.unwrap_or_else(|| Refusal::new("its e-way bill part cannot be sent", anew(status)));
        refusal.fix = format!("{} {}", refusal.fix, anew(status));
        refusal
    }))
}

fn anew(status: &DocumentStatus) -> String {
    format!(
        "Ask for it anew: einvoice ewb generate {} --vehicle NUMBER --distance KM (or --transporter ID).",
        document(status)
    )
}

async fn carry_out(desk: &Desk, due: &[Job], plan_only: bool, output: &mut Output) -> Result<Done, CliError> {
    if plan_only {
        let names = outcome::names(due, desk.ledger.as_ref()).await?;
        outcome::show(due, &names, desk.now(), output)?;
        output.say("this is a plan: nothing was done")?;
        return Ok(Done::default());
    }
    let ids: Vec<JobId> = due.iter().map(|job| job.id).collect();
    let work = async |pipeline: &Pipeline, observer, stop| pipeline.carry_out(&ids, observer, stop).await;
    let Some(report) = desk.watched(output, work).await? else {
        return Ok(Done::of(JobsReport::default(), exit_code::UNKNOWN_OUTCOMES));
    };
    let names = outcome::names(&report.jobs, desk.ledger.as_ref()).await?;
    outcome::show(&report.jobs, &names, desk.now(), output)?;
    if !output.is_json() {
        outcome::notes(&report, output)?;
    }
    let code = outcome::code_of_report(&report, desk.now());
    Ok(Done::of(report, code))
}

#[cfg(test)]
mod tests {
    use super::super::desk::outcome::tests::job;
    use super::*;

    #[test]
    fn a_job_is_due_when_both_its_times_have_come() {
        let now: Timestamp = "2026-11-05T08:30:00Z".parse().unwrap();
        let later: Timestamp = "2026-11-05T09:30:00Z".parse().unwrap();
        let (ready, mut asked_later, mut window) =
            (job(JobState::Planned), job(JobState::Unknown), job(JobState::Planned));
        asked_later.due_at = later;
        window.not_before = Some(later);
        assert_eq!(due(vec![ready.clone(), asked_later, window], now), [ready]);
    }
}
