//! Jobs as people and programs see them, and which exit code they ask for.

use std::collections::BTreeMap;

use einvoice_core::environment::{Product, RouteName};
use einvoice_core::ewb::EwbNumber;
use einvoice_core::identifier::Gstin;
use einvoice_core::job::{Effect, Job, JobState, Task};
use einvoice_core::ledger::{DocumentId, Ledger};
use einvoice_core::operation::OperationKind;
use einvoice_core::pipeline::{JobsReport, Note};
use einvoice_core::portal_code::PortalError;
use jiff::Timestamp;
use serde::Serialize;

use super::super::status::ageing::left;
use super::super::status::document;
use super::find;
use super::refusal::Refusal;
use super::wish::{shown, steps, task_name};
use crate::error::CliError;
use crate::exit_code;
use crate::output::{Column, Output, Style, in_words, printable};

/// Keys of the documents that jobs are about.
pub(in super::super) type Names = BTreeMap<i64, String>;

/// A job as `--json` shows it.
#[derive(Serialize)]
struct Line<'a> {
    job: i64,
    task: &'static str,
    state: JobState,
    document: Option<&'a str>,
    ewb: Option<EwbNumber>,
    steps: &'a [OperationKind],
    done: u32,
    gstin: Gstin,
    route: Option<&'a str>,
    site: Option<&'a str>,
    not_before: Option<String>,
    deadline: Option<String>,
    due_at: Option<String>,
    message: &'a str,
    errors: &'a [PortalError],
    effects: &'a [Effect],
    planned_at: String,
    changed_at: String,
}

/// The keys of the documents that these jobs are about.
pub(in super::super) async fn names(jobs: &[Job], ledger: &dyn Ledger) -> Result<Names, CliError> {
    let mut names = Names::new();
    for id in jobs.iter().filter_map(|job| job.document) {
        if !names.contains_key(&id.0)
            && let Some(status) = find::by_id(ledger, id).await?
        {
            names.insert(id.0, document(&status));
        }
    }
    Ok(names)
}

/// Writes jobs: lines of JSON, or a table and what is wrong with single ones.
pub(in super::super) fn show(jobs: &[Job], names: &Names, now: Timestamp, output: &mut Output) -> Result<(), CliError> {
    let is_troubled = |job: &&Job| matches!(job.state, JobState::Refused | JobState::Unknown | JobState::Sent);
    show_with(jobs, names, now, is_troubled, output)
}

/// The same for what is on record: a refused job is over and was told when it was refused.
pub(in super::super) fn show_record(
    jobs: &[Job],
    names: &Names,
    now: Timestamp,
    output: &mut Output,
) -> Result<(), CliError> {
    show_with(jobs, names, now, |job| matches!(job.state, JobState::Unknown | JobState::Sent), output)
}

fn show_with(
    jobs: &[Job],
    names: &Names,
    now: Timestamp,
    is_told: impl Fn(&&Job) -> bool,
    output: &mut Output,
) -> Result<(), CliError> {
    if output.is_json() {
        return jobs.iter().try_for_each(|job| output.object(&line(job, names)));
    }
    if jobs.is_empty() {
        return Ok(());
    }
    output.lean_table(&COLUMNS, jobs.iter().map(|job| row(job, names, now)).collect())?;
    for job in jobs.iter().filter(is_told) {
        output.line("")?;
        troubled(job, names, output)?;
    }
    Ok(())
}

/// Notes of a report, for people.
pub(in super::super) fn notes(report: &JobsReport, output: &mut Output) -> Result<(), CliError> {
    let lists = [
        ("configuration", Style::Bad, &report.configuration),
        ("not reached", Style::Attention, &report.unreachable),
        ("failed", Style::Bad, &report.failures),
    ];
    for (heading, style, list) in lists {
        for Note { about, message } in list {
            output.headed(style, heading, &format!("{about}: {message}"))?;
        }
    }
    Ok(())
}

/// The exit code that jobs ask for. Planned ones ask for nothing while their time has not come.
pub(in super::super) fn code_of(jobs: &[Job], now: Timestamp) -> u8 {
    exit_code::most_urgent(jobs.iter().map(|job| match job.state {
        JobState::Refused => exit_code::NEEDS_PERSON,
        JobState::Unknown | JobState::Sent => exit_code::UNKNOWN_OUTCOMES,
        JobState::Planned if is_due(job, now) => exit_code::UNREACHABLE,
        JobState::Planned | JobState::Done | JobState::Withdrawn => exit_code::ALL_WELL,
    }))
}

/// The exit code of a report: that of its jobs, and of what stood in their way.
pub(in super::super) fn code_of_report(report: &JobsReport, now: Timestamp) -> u8 {
    let when = |holds: bool, code: u8| if holds { code } else { exit_code::ALL_WELL };
    exit_code::most_urgent([
        code_of(&report.jobs, now),
        when(!report.configuration.is_empty(), exit_code::USAGE),
        // Results that a target did not take are kept in the ledger.
        when(!report.failures.is_empty(), exit_code::NEEDS_PERSON),
    ])
}

fn is_due(job: &Job, now: Timestamp) -> bool {
    job.not_before.is_none_or(|at| at <= now)
}

const COLUMNS: [Column; 8] = [
    Column::keep("job"),
    Column::keep("about"),
    Column::keep("state"),
    Column::leave_out("calls", 5),
    Column::leave_out("done", 1),
    Column::leave_out("not before (ist)", 2),
    Column::leave_out("left", 3),
    Column::wrap("what happened"),
];

fn row(job: &Job, names: &Names, now: Timestamp) -> Vec<String> {
    let open = !job.state.is_over();
    let until = job.deadline.filter(|_| open);
    vec![
        job.id.0.to_string(),
        about(job, names),
        job.state.to_string(),
        steps(&job.steps),
        format!("{} of {}", job.position, job.steps.len()),
        job.not_before.filter(|_| open).map(shown).unwrap_or_default(),
        until.map(|until| left(until.duration_since(now))).unwrap_or_default(),
        happened(job, now),
    ]
}

/// What happened last; of what lies ahead, when.
fn happened(job: &Job, now: Timestamp) -> String {
    match job.not_before.filter(|at| *at > now && job.state == JobState::Planned) {
        Some(at) => format!("waits for {} IST", shown(at)),
        None => job.message.clone(),
    }
}

/// What a job is about: the bill or trip sheet that it changes, else its document, else the bill that it made.
pub(in super::super) fn about(job: &Job, names: &Names) -> String {
    match &job.task {
        Task::RegenerateTripSheet { request } => return format!("trip sheet {}", request.trip_sheet),
        Task::Consolidate { request } => {
            let numbers: Vec<String> = request.bills.iter().map(ToString::to_string).collect();
            return format!("e-way bills {}", numbers.join(", "));
        }
        _ => {}
    }
    let document = job.document.and_then(|DocumentId(id)| names.get(&id));
    match (job.task.bill(), document, bill_of(job)) {
        (Some(number), _, _) | (None, None, Some(number)) => format!("e-way bill {number}"),
        (None, Some(document), _) => document.clone(),
        (None, None, None) => in_words(task_name(&job.task)),
    }
}

fn bill_of(job: &Job) -> Option<EwbNumber> {
    let made = job.effects.iter().rev().find_map(|effect| match effect {
        Effect::Ewb { standing } => Some(standing.number),
        _ => None,
    });
    job.task.bill().or(made)
}

fn troubled(job: &Job, names: &Names, output: &mut Output) -> Result<(), CliError> {
    let head = format!("job {} ({}) is {}", job.id.0, about(job, names), job.state);
    output.line(
        output.styled(if job.state == JobState::Refused { Style::Bad } else { Style::Attention }, &printable(&head)),
    )?;
    // The sentence names the errors too, unless something else happened since.
    for error in job.errors.iter().map(ToString::to_string).filter(|error| !job.message.contains(error)) {
        output.paragraph(2, &error)?;
    }
    if job.state == JobState::Refused {
        return refusal(job).show(2, output);
    }
    output.paragraph(2, &job.message)?;
    output.paragraph(2, &next_step(job))
}

/// What settles a job whose outcome is unknown.
fn next_step(job: &Job) -> String {
    if job.hand_over.is_some() {
        return format!(
            "to do: no portal tells what became of it any more; `einvoice resolve --job {}` says what to look up and \
             takes your answer",
            job.id.0
        );
    }
    "to do: nothing is sent again before the portal was asked; `einvoice resolve` asks now, a run later".to_owned()
}

/// Why a job was refused.
pub(in super::super) fn refusal(job: &Job) -> Refusal {
    let product = job.step().map_or(Product::EWayBill, OperationKind::product);
    Refusal::errors(&job.message, &job.errors, product)
}

fn line<'a>(job: &'a Job, names: &'a Names) -> Line<'a> {
    Line {
        job: job.id.0,
        task: task_name(&job.task),
        state: job.state,
        document: job.document.and_then(|DocumentId(id)| names.get(&id)).map(String::as_str),
        ewb: bill_of(job),
        steps: &job.steps,
        done: job.position,
        gstin: job.gstin,
        route: job.route.as_ref().map(RouteName::as_str),
        site: job.site.as_deref(),
        not_before: job.not_before.map(shown),
        deadline: job.deadline.map(shown),
        due_at: (!job.state.is_over()).then(|| shown(job.due_at)),
        message: &job.message,
        errors: &job.errors,
        effects: &job.effects,
        planned_at: shown(job.planned_at),
        changed_at: shown(job.changed_at),
    }
}

#[cfg(test)]
pub(in super::super) mod tests {
    use einvoice_core::ewb::CancelReason;
    use einvoice_core::irn::Irn;
    use einvoice_core::job::JobId;

    use super::super::find::tests::SUPPLIER;
    use super::*;

    pub(in super::super::super) fn job(state: JobState) -> Job {
        let at: Timestamp = "2026-11-05T06:30:00Z".parse().unwrap();
        Job {
            id: JobId(12),
            task: Task::CancelIrn {
                irn: Irn::from_bytes([7; 32]),
                reason: CancelReason::Duplicate,
                remark: "twice".into(),
            },
            steps: vec![OperationKind::CancelEwb, OperationKind::CancelIrn],
            position: 1,
            state,
            document: Some(DocumentId(1)),
            gstin: Gstin::parse(SUPPLIER).unwrap(),
            route: None,
            site: None,
            not_before: None,
            deadline: Some("2026-11-06T06:30:00Z".parse().unwrap()),
            last: None,
            sendings: 1,
            asked: 0,
            due_at: at,
            message: "the e-way bill is cancelled".into(),
            errors: Vec::new(),
            effects: Vec::new(),
            hand_over: None,
            planned_at: at,
            changed_at: at,
        }
    }

    #[test]
    fn a_job_asks_for_the_code_of_its_state() {
        let now: Timestamp = "2026-11-05T08:30:00Z".parse().unwrap();
        let code = |state| code_of(&[job(JobState::Done), job(state)], now);
        assert_eq!(code(JobState::Done), exit_code::ALL_WELL);
        assert_eq!(code(JobState::Refused), exit_code::NEEDS_PERSON);
        assert_eq!(code(JobState::Unknown), exit_code::UNKNOWN_OUTCOMES);
        assert_eq!(code(JobState::Planned), exit_code::UNREACHABLE, "its time has come and it was not sent");
        let mut later = job(JobState::Planned);
        later.not_before = Some("2026-11-06T00:00:00Z".parse().unwrap());
        assert_eq!(code_of(&[later], now), exit_code::ALL_WELL, "its time has not come");
    }

    #[test]
    fn a_job_that_waits_for_a_person_says_so() {
        let asked = job(JobState::Unknown);
        assert!(next_step(&asked).contains("`einvoice resolve` asks now"));
        let handed = Job { hand_over: Some("look it up".into()), ..asked };
        assert!(next_step(&handed).contains("`einvoice resolve --job 12` says what to look up"));
    }

    #[test]
    fn a_job_is_named_after_its_document_and_tells_how_far_it_is() {
        let now: Timestamp = "2026-11-05T08:30:00Z".parse().unwrap();
        let names = Names::from([(1, "K".to_owned())]);
        let shown = row(&job(JobState::Planned), &names, now);
        assert_eq!(&shown[..5], ["12", "K", "planned", "cancel e-way bill, then cancel IRN", "1 of 2"]);
        assert_eq!(shown[6], "22 h");
        assert_eq!(row(&job(JobState::Done), &names, now)[6], "", "nothing is left to do in time");
        let value = serde_json::to_value(line(&job(JobState::Planned), &names)).unwrap();
        assert_eq!((value["job"].as_i64(), value["task"].as_str()), (Some(12), Some("cancel_irn")));
        assert_eq!(value["deadline"], "2026-11-06 12:00:00");
    }
}
