//! Wishes before they are jobs: what will happen, until when, and what is refused already.

use einvoice_core::date::PortalTime;
use einvoice_core::environment::{Product, RouteName};
use einvoice_core::ewb::EwbNumber;
use einvoice_core::identifier::Gstin;
use einvoice_core::job::{NewJob, Task};
use einvoice_core::operation::OperationKind;
use einvoice_core::plan::PlanRefused;
use jiff::Timestamp;
use serde::Serialize;

use super::super::status::ageing::left;
use super::refusal::Refusal;
use crate::error::CliError;
use crate::output::{Column, Output, Style, printable};

/// One thing that was asked for.
#[derive(Debug)]
pub(in super::super) struct Wish {
    /// What it is about, for people: a key, a bill, a line of a file.
    pub(in super::super) about: String,
    /// Key of the document, where it is about one.
    pub(in super::super) document: Option<String>,
    /// The bill, where it is about one.
    pub(in super::super) ewb: Option<EwbNumber>,
    /// What was asked for, as `--json` names it.
    pub(in super::super) task: &'static str,
    /// The job it would be, or why it is none.
    pub(in super::super) planned: Result<NewJob, Refusal>,
}

/// A wish as `--json` shows it.
#[derive(Serialize)]
struct Line<'a> {
    plan: &'static str,
    about: &'a str,
    document: Option<&'a str>,
    ewb: Option<EwbNumber>,
    steps: &'a [OperationKind],
    gstin: Option<Gstin>,
    route: Option<&'a str>,
    site: Option<&'a str>,
    not_before: Option<String>,
    deadline: Option<String>,
    refused: Option<&'a Refusal>,
}

impl Wish {
    /// A wish about a document.
    pub(in super::super) fn on_document(
        document: String,
        ewb: Option<EwbNumber>,
        task: &'static str,
        planned: Result<NewJob, Refusal>,
    ) -> Self {
        Self { about: document.clone(), document: Some(document), ewb, task, planned }
    }

    /// A wish about a bill.
    pub(in super::super) fn on_bill(
        number: EwbNumber,
        task: &'static str,
        planned: Result<NewJob, PlanRefused>,
    ) -> Self {
        let planned = planned.map_err(|refused| Refusal::planned(&refused, Product::EWayBill));
        Self { about: format!("e-way bill {number}"), document: None, ewb: Some(number), task, planned }
    }

    /// With the document that the bill was made for.
    pub(in super::super) fn of(mut self, document: Option<String>) -> Self {
        self.document = document;
        self
    }

    /// A wish that could not even be planned.
    pub(in super::super) fn refused(about: impl Into<String>, task: &'static str, refusal: Refusal) -> Self {
        Self { about: about.into(), document: None, ewb: None, task, planned: Err(refusal) }
    }

    /// Where the job may go, when the bill or the registration says nothing about it.
    pub(in super::super) fn by_route(mut self, route: Option<&RouteName>) -> Self {
        if let Ok(job) = &mut self.planned
            && job.route.is_none()
        {
            job.route = route.cloned();
        }
        self
    }

    fn line(&self) -> Line<'_> {
        let job = self.planned.as_ref().ok();
        Line {
            plan: self.task,
            about: &self.about,
            document: self.document.as_deref(),
            ewb: self.ewb,
            steps: job.map(|job| job.steps.as_slice()).unwrap_or_default(),
            gstin: job.map(|job| job.gstin),
            route: job.and_then(|job| job.route.as_ref()).map(RouteName::as_str),
            site: job.and_then(|job| job.site.as_deref()),
            not_before: job.and_then(|job| job.not_before).map(shown),
            deadline: job.and_then(|job| job.deadline).map(shown),
            refused: self.planned.as_ref().err(),
        }
    }

    fn row(&self, now: Timestamp) -> Vec<String> {
        let Ok(job) = &self.planned else {
            return vec![
                self.about.clone(),
                "nothing: refused".to_owned(),
                String::new(),
                String::new(),
                String::new(),
            ];
        };
        let until = job.deadline;
        vec![
            self.about.clone(),
            steps(&job.steps),
            job.not_before.map(shown).unwrap_or_default(),
            until.map(shown).unwrap_or_default(),
            until.map(|until| left(until.duration_since(now))).unwrap_or_default(),
        ]
    }
}

const COLUMNS: [Column; 5] = [
    Column::keep("about"),
    Column::keep("what happens"),
    Column::leave_out("not before (ist)", 3),
    Column::leave_out("until (ist)", 2),
    Column::leave_out("left", 1),
];

/// Where the deadline stands among them.
const UNTIL: usize = 3;

/// Shows what will happen, and after it each refusal with its reason.
pub(in super::super) fn show(wishes: &[Wish], now: Timestamp, output: &mut Output) -> Result<(), CliError> {
    if output.is_json() {
        return wishes.iter().try_for_each(|wish| output.object(&wish.line()));
    }
    if wishes.is_empty() {
        return Ok(());
    }
    let rows: Vec<Vec<String>> = wishes.iter().map(|wish| wish.row(now)).collect();
    let is_untold = output.leaves_out(&COLUMNS, &rows, UNTIL);
    output.lean_table(&COLUMNS, rows)?;
    let times = wishes.iter().filter_map(|wish| wish.planned.as_ref().ok()?.deadline);
    // Nobody agrees to something without its deadline, however narrow the terminal.
    if let Some(first) = times.min().filter(|_| is_untold) {
        let which = if wishes.len() > 1 { "the first time to end: " } else { "" };
        output.line("")?;
        output.paragraph(0, &format!("{which}until {} IST, {} left", shown(first), left(first.duration_since(now))))?;
    }
    for wish in wishes.iter().filter(|wish| wish.planned.is_err()) {
        output.line("")?;
        told(wish, output)?;
    }
    output.line("")
}

/// Shows a wish that became refused after all had been shown.
pub(in super::super) fn show_refusal(wish: &Wish, output: &mut Output) -> Result<(), CliError> {
    if output.is_json() {
        return output.object(&wish.line());
    }
    told(wish, output)?;
    output.line("")
}

/// Why a wish is refused.
fn told(wish: &Wish, output: &mut Output) -> Result<(), CliError> {
    let Err(refusal) = &wish.planned else { return Ok(()) };
    output.line(output.styled(Style::Bad, &printable(&format!("{}: refused", wish.about))))?;
    refusal.show(2, output)
}

/// The calls in words, in their order.
pub(in super::super) fn steps(steps: &[OperationKind]) -> String {
    steps.iter().map(|step| step.words()).collect::<Vec<_>>().join(", then ")
}

/// What was asked for, as `--json` names it.
pub(in super::super) const fn task_name(task: &Task) -> &'static str {
    match task {
        Task::CancelIrn { .. } => "cancel_irn",
        Task::GenerateEwbByIrn { .. } => "generate_ewb_by_irn",
        Task::GenerateEwb { .. } => "generate_ewb",
        Task::CancelEwb { .. } => "cancel_ewb",
        Task::RejectEwb { .. } => "reject_ewb",
        Task::UpdatePartB { .. } => "update_part_b",
        Task::UpdateTransporter { .. } => "update_transporter",
        Task::ExtendValidity { .. } => "extend_validity",
        Task::Consolidate { .. } => "consolidate",
        Task::RegenerateTripSheet { .. } => "regenerate_trip_sheet",
        Task::StartMultiVehicle { .. } => "start_multi_vehicle",
        Task::AddVehicle { .. } => "add_vehicle",
        Task::ChangeVehicle { .. } => "change_vehicle",
        Task::CloseEwb { .. } => "close_ewb",
        _ => "other",
    }
}

/// A moment as the portal writes it.
pub(in super::super) fn shown(at: Timestamp) -> String {
    PortalTime::at(at).to_string()
}

#[cfg(test)]
mod tests {
    use einvoice_core::ewb::CancelReason;
    use einvoice_core::irn::Irn;
    use einvoice_core::plan::cancel_irn;
    use einvoice_core::state::DocumentState;

    use super::super::find::tests::status;
    use super::*;

    #[test]
    fn a_wish_that_is_refused_names_the_reason_the_remedy_and_whose_move_it_is() {
        let now = "2026-11-05T08:30:00Z".parse().unwrap();
        let document = status("A/1", DocumentState::Invalid);
        let planned = cancel_irn(&document, None, CancelReason::Duplicate, "twice", now);
        let planned = planned.map_err(|refused| Refusal::planned(&refused, Product::EInvoice));
        let wish = Wish::on_document("K".into(), None, "cancel_irn", planned);
        let line = serde_json::to_value(wish.line()).unwrap();
        assert_eq!((line["plan"].as_str(), line["document"].as_str()), (Some("cancel_irn"), Some("K")));
        assert!(line["refused"]["message"].as_str().unwrap().contains("is invalid and cannot be cancelled"));
        assert_eq!(line["refused"]["owner"], "taxpayer");
        assert_eq!(wish.row(now)[1], "nothing: refused");
    }

    #[test]
    fn a_task_has_the_name_that_it_is_stored_under() {
        let task =
            Task::CancelIrn { irn: Irn::from_bytes([7; 32]), reason: CancelReason::Duplicate, remark: "x".into() };
        assert_eq!(serde_json::to_value(&task).unwrap()["task"], task_name(&task));
        let task = Task::RejectEwb { number: EwbNumber::parse("391009149369").unwrap() };
        assert_eq!(serde_json::to_value(&task).unwrap()["task"], task_name(&task));
    }
}
