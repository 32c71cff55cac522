//! When a step is given to a person, and what that person is asked to look up.
//!
//! The portals answer for a time only: the IRP for about two days, the list of bills for a document as long as the
//! bill is active. What asking proved nothing about by then it never will, and each further question is one more
//! error in the portal's books.

use std::time::Duration;

use jiff::SignedDuration;

use super::super::Shared;
use super::super::outcome::{Consequence, WINDOW_OVER_CODE, consequence_of};
use crate::date::{DocumentDate, ist_date};
use crate::job::{Job, Task};
use crate::operation::OperationKind;
use crate::transport::TransportError;

/// How long a portal that does not answer at all is asked before a person is.
const SILENCE_MAX: Duration = Duration::from_hours(7 * 24);

/// What an answer that cleared nothing was worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Said {
    /// Nobody answered the question: no way there, a login, a limit.
    Nothing,
    /// The portal answered, and it proves nothing.
    Something,
    /// The portal says itself that it tells no more.
    WindowOver,
}

impl Said {
    pub(super) fn by(error: &TransportError) -> Self {
        if error.portal_errors().iter().any(|error| error.code == WINDOW_OVER_CODE) {
            return Self::WindowOver;
        }
        match consequence_of(error) {
            Consequence::None if !error.portal_errors().is_empty() => Self::Something,
            _ => Self::Nothing,
        }
    }
}

/// Whether so much time went by since the step was sent that "not there" proves nothing.
pub(super) fn is_past_the_window(shared: &Shared, job: &Job) -> bool {
    is_older(shared, job, Duration::from_secs(shared.settings.retrieval_window_hours.saturating_mul(3_600)))
}

fn is_older(shared: &Shared, job: &Job, age: Duration) -> bool {
    let age = SignedDuration::try_from(age).unwrap_or(SignedDuration::MAX);
    job.last.as_ref().is_none_or(|last| shared.now().duration_since(last.at) >= age)
}

/// What a person is asked, once asking the portal tells no more. What was handed over stays so.
pub(super) fn asked_of_a_person(shared: &Shared, job: &Job, said: Said) -> Option<String> {
    let is_due = match said {
        Said::WindowOver => true,
        Said::Something => is_past_the_window(shared, job),
        Said::Nothing => is_older(shared, job, SILENCE_MAX),
    };
    (is_due || job.hand_over.is_some()).then(|| look_up(job))
}

/// What to look up, where, and how to say what is there.
fn look_up(job: &Job) -> String {
    let tried = job
        .last
        .as_ref()
        .map_or_else(String::new, |last| format!(" (sent on {}, answer lost)", DocumentDate::from(ist_date(last.at))));
    let where_to = where_to_look(job);
    let id = job.id.0;
    let drop = match job.step() {
        // A document has to stand somewhere, and the portal shows where.
        Some(OperationKind::CancelIrn) => "",
        _ => "; where nobody can tell, `--drop` ends the job",
    };
    format!(
        "{where_to}{tried}. If it was done, say so with `einvoice resolve --job {id} --done{}`; if it was not, with \
         `--not-done`, and it is sent again while it is in time{drop}. `--reason TEXT` says why.",
        options(job)
    )
}

fn where_to_look(job: &Job) -> String {
    let gstin = job.gstin;
    let bill = job.last.as_ref().and_then(|last| last.before.as_ref()).map(|before| before.number);
    let bill =
        job.task.bill().or(bill).map_or_else(|| "the e-way bill".to_owned(), |bill| format!("e-way bill {bill}"));
    let ewb = format!("Sign in to the e-way bill portal as {gstin} and");
    match (&job.task, job.step()) {
        (Task::CancelIrn { irn, .. }, Some(OperationKind::CancelIrn)) => format!(
            "Sign in to the e-invoice portal or to the GST portal's e-invoice download (kept six months) as {gstin}, look \
             up IRN {irn} and see whether it is cancelled, and when"
        ),
        (Task::CancelIrn { .. } | Task::CancelEwb { .. }, _) => {
            format!("{ewb} print {bill}: see whether it is cancelled, and when")
        }
        (Task::GenerateEwbByIrn { request }, _) => format!(
            "{ewb} look in its list of e-way bills made for one of IRN {}: see its number, when it was made, and the end \
             of its validity",
            request.irn
        ),
        (Task::GenerateEwb { doc_type, doc_no, .. }, _) => format!(
            "{ewb} look in its list of e-way bills made for one of {doc_type} {doc_no}: see its number, when it was made, \
             and the end of its validity"
        ),
        (Task::RejectEwb { .. }, _) => format!("{ewb} see whether {bill} is among those it rejected"),
        (Task::UpdatePartB { .. }, _) => {
            format!("{ewb} print {bill}: see whether its newest Part B is ours, and the end of its validity")
        }
        (Task::UpdateTransporter { transporter, .. }, _) => {
            format!("{ewb} print {bill}: see whether its transporter is {transporter}")
        }
        (Task::ExtendValidity { .. }, _) => {
            format!("{ewb} print {bill}: see whether it was extended, and the end of its validity")
        }
        (Task::Consolidate { .. }, _) => {
            format!("{ewb} look among its consolidated e-way bills for the one with ours: see its number")
        }
        (Task::RegenerateTripSheet { request }, _) => format!(
            "{ewb} look among its consolidated e-way bills for the one that took the place of {}: see its number",
            request.trip_sheet
        ),
        (Task::StartMultiVehicle { .. } | Task::AddVehicle { .. } | Task::ChangeVehicle { .. }, _) => {
            format!("{ewb} print {bill}: see whether its movement by several vehicles is as we asked for")
        }
        (Task::CloseEwb { .. }, _) => format!("{ewb} see whether {bill} is closed"),
    }
}

/// What has to be said with a yes.
fn options(job: &Job) -> &'static str {
    match (&job.task, job.step()) {
        (Task::CancelIrn { .. } | Task::CancelEwb { .. }, _) => " --at TIME",
        (Task::GenerateEwbByIrn { .. } | Task::GenerateEwb { .. }, _) => " --at TIME --ewb NUMBER --valid-till TIME",
        (Task::UpdatePartB { .. } | Task::ExtendValidity { .. }, _) => " --valid-till TIME",
        (Task::Consolidate { .. } | Task::RegenerateTripSheet { .. }, _) => " --trip-sheet NUMBER",
        _ => "",
    }
}
