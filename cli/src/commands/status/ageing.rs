//! What grows old: the day to cancel, the 30 days to report, the validity of an e-way bill, open jobs.

use std::collections::BTreeMap;

use einvoice_core::date::{DocumentDate, PortalTime, ist_date};
use einvoice_core::ewb::window::Window;
use einvoice_core::job::{Job, JobQuery, JobState};
use einvoice_core::ledger::{DocumentId, DocumentStatus, Ledger, LedgerError};
use einvoice_core::plan::is_open;
use einvoice_core::rulebook::RuleSettings;
use einvoice_core::state::{DocumentState, EwbState};
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::super::desk::find;
use super::super::desk::wish::{shown, task_name};

/// What is left of the times of a document, as `--json` shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(in super::super) struct Ageing {
    /// Until when the registration can be cancelled (IST); null where there is none.
    cancel_until: Option<String>,
    /// Last day on which the document is sure to be in time; null once it is registered, and where the
    /// supplier's turnover sets no limit or is not known.
    report_until: Option<Date>,
    /// The present e-way bill.
    ewb: Option<EwbLine>,
    /// Jobs under way or planned.
    jobs: Vec<JobLine>,
    /// What people read.
    #[serde(skip)]
    left: String,
}

/// An e-way bill in one line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct EwbLine {
    number: String,
    state: EwbState,
    valid_till: Option<String>,
}

/// A job in one line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct JobLine {
    job: i64,
    task: &'static str,
    state: JobState,
    not_before: Option<String>,
    deadline: Option<String>,
}

/// What is needed to tell the age of documents.
#[derive(Debug)]
pub(in super::super) struct Clockwork<'a> {
    rules: &'a RuleSettings,
    now: Timestamp,
    jobs: BTreeMap<i64, Vec<Job>>,
}

impl<'a> Clockwork<'a> {
    /// Reads the open jobs once.
    pub(in super::super) async fn new(
        rules: &'a RuleSettings,
        now: Timestamp,
        ledger: &dyn Ledger,
    ) -> Result<Self, LedgerError> {
        let states = vec![JobState::Planned, JobState::Sent, JobState::Unknown];
        let open = find::jobs(ledger, JobQuery { states, ..JobQuery::default() }).await?;
        Ok(Self::with(rules, now, open))
    }

    fn with(rules: &'a RuleSettings, now: Timestamp, open: Vec<Job>) -> Self {
        let mut jobs: BTreeMap<i64, Vec<Job>> = BTreeMap::new();
        for job in open {
            if let Some(DocumentId(document)) = job.document {
                jobs.entry(document).or_default().push(job);
            }
        }
        Self { rules, now, jobs }
    }

    /// What is left of the times of a document.
    pub(in super::super) fn of(&self, status: &DocumentStatus) -> Ageing {
        let cancel = cancel_until(status);
        let report = self.report_until(status);
        let ewb = ewb(status);
        let jobs = self.jobs.get(&status.id.0).map(Vec::as_slice).unwrap_or_default();
        let mut said = Vec::new();
        // A registration can be cancelled for a day; once that is over it is no news any more.
        if let Some(until) = cancel.filter(|until| *until > self.now) {
            said.push(format!("cancel {}", left(until.duration_since(self.now))));
        }
        if let Some(last) = report {
            said.push(format!("report {}", self.days_left(last)));
        }
        if let Some(till) = status.ewb.as_ref().filter(|bill| is_open(bill.state)).and_then(|bill| bill.valid_till)
            && let Some(till) = till.to_timestamp()
        {
            said.push(format!("bill {}", left(till.duration_since(self.now))));
        }
        said.extend(jobs.iter().map(|job| format!("job {} {}", job.id.0, job.state)));
        Ageing {
            cancel_until: cancel.map(shown),
            report_until: report,
            ewb,
            jobs: jobs.iter().map(job_line).collect(),
            left: said.join(", "),
        }
    }

    fn report_until(&self, status: &DocumentStatus) -> Option<Date> {
        let waits = matches!(
            status.state,
            DocumentState::Received
                | DocumentState::Invalid
                | DocumentState::Ready
                | DocumentState::Sent
                | DocumentState::Unknown
                | DocumentState::Refused
        );
        let key = status.key.as_ref().filter(|_| waits)?;
        self.rules.report_until(key.supplier, dated(status)?, ist_date(self.now))
    }

    fn days_left(&self, last: Date) -> String {
        let days = ist_date(self.now).until(last).map(|span| span.get_days()).unwrap_or_default();
        match days {
            ..0 => "over".to_owned(),
            0 => "today".to_owned(),
            1 => "1 day".to_owned(),
            days => format!("{days} days"),
        }
    }
}

impl Ageing {
    /// What is left, for people: `cancel 22 h, bill 31 h`.
    pub(in super::super) fn left(&self) -> &str {
        &self.left
    }

    /// Number and end of the e-way bill, for people.
    pub(in super::super) fn bill(&self) -> String {
        self.ewb.as_ref().map(|ewb| ewb.number.clone()).unwrap_or_default()
    }

    /// End of the validity of the e-way bill.
    pub(in super::super) fn valid_till(&self) -> Option<&str> {
        self.ewb.as_ref()?.valid_till.as_deref()
    }

    /// Until when the registration can be cancelled.
    pub(in super::super) fn cancel_until(&self) -> Option<&str> {
        self.cancel_until.as_deref()
    }

    /// Last day to report.
    pub(in super::super) fn report_until(&self) -> Option<Date> {
        self.report_until
    }
}

/// What is left of a time, coarsely: days, hours or minutes.
pub(in super::super) fn left(duration: SignedDuration) -> String {
    let (hours, minutes) = (duration.as_hours(), duration.as_mins());
    match (hours, minutes) {
        _ if duration.is_negative() || duration.is_zero() => "over".to_owned(),
        (0, 0) => "less than a minute".to_owned(),
        (0, minutes) => format!("{minutes} min"),
        (..72, _) => format!("{hours} h"),
        _ => format!("{} days", hours / 24),
    }
}

/// The date of a document, which its label ends with (`INV A/1 of 05/11/2026`).
fn dated(status: &DocumentStatus) -> Option<DocumentDate> {
    DocumentDate::parse(status.label.rsplit_once(" of ")?.1.trim()).ok()
}

fn cancel_until(status: &DocumentStatus) -> Option<Timestamp> {
    let stands = matches!(status.state, DocumentState::Registered | DocumentState::Cancelling);
    let registration = status.registration.as_ref().filter(|_| stands)?;
    Window::irn_cancel(registration.ack_date).closes
}

/// The bill as the ledger keeps it, else the one that came with the registration.
fn ewb(status: &DocumentStatus) -> Option<EwbLine> {
    if let Some(bill) = &status.ewb {
        let valid_till = bill.valid_till.as_ref().map(PortalTime::to_string);
        return Some(EwbLine { number: bill.number.to_string(), state: bill.state, valid_till });
    }
    let bill = status.registration.as_ref()?.ewb.as_ref()?;
    let valid_till = bill.valid_till.as_ref().map(PortalTime::to_string);
    Some(EwbLine { number: bill.number.clone(), state: status.ewb_state, valid_till })
}

fn job_line(job: &Job) -> JobLine {
    JobLine {
        job: job.id.0,
        task: task_name(&job.task),
        state: job.state,
        not_before: job.not_before.map(shown),
        deadline: job.deadline.map(shown),
    }
}

#[cfg(test)]
mod tests {
    use einvoice_core::ewb::{Birth, EwbNumber, Standing};
    use einvoice_core::identifier::Gstin;
    use einvoice_core::irn::Irn;
    use einvoice_core::operation::{Registration, RegistrationStatus};
    use serde_json::json;

    use super::super::super::desk::find::tests::{SUPPLIER, status};
    use super::super::super::desk::outcome::tests::job;
    use super::*;

    fn at(text: &str) -> Timestamp {
        PortalTime::parse(text).unwrap().to_timestamp().unwrap()
    }

    fn aged(status: &DocumentStatus, crore: Option<u32>, now: &str, jobs: Vec<Job>) -> Ageing {
        let mut rules = RuleSettings::default();
        rules.turnover_crore = crore;
        Clockwork::with(&rules, at(now), jobs).of(status)
    }

    fn registered() -> DocumentStatus {
        let mut document = status("A/1", DocumentState::Registered);
        let time = |text| PortalTime::parse(text).unwrap();
        document.registration = Some(Registration {
            ack_no: "112600000000001".into(),
            ack_date: time("2026-11-05 14:26:00"),
            irn: Irn::from_bytes([7; 32]),
            status: RegistrationStatus::Active,
            signed_invoice: None,
            signed_qr: None,
            ewb: None,
            remarks: None,
            info: Vec::new(),
            site: None,
        });
        let number = EwbNumber::parse("391009149369").unwrap();
        let mut bill = Standing::new(number, Birth::Irn, Gstin::parse(SUPPLIER).unwrap(), EwbState::Active);
        bill.valid_till = Some(time("2026-11-06 23:59:00"));
        document.ewb = Some(bill);
        document
    }

    #[test]
    fn a_registered_document_tells_how_long_it_can_be_cancelled_and_its_bill_is_good() {
        let ageing = aged(&registered(), Some(12), "2026-11-05 16:30:00", vec![job(JobState::Planned)]);
        assert_eq!(ageing.left(), "cancel 21 h, bill 31 h, job 12 planned");
        let value = serde_json::to_value(&ageing).unwrap();
        assert_eq!(value["cancel_until"], "2026-11-06 14:26:00");
        assert_eq!(value["report_until"], json!(null));
        let bill = json!({"number": "391009149369", "state": "active", "valid_till": "2026-11-06 23:59:00"});
        assert_eq!(value["ewb"], bill);
        assert_eq!((value["jobs"][0]["job"].as_i64(), value["jobs"][0]["state"].as_str()), (Some(12), Some("planned")));
    }

    #[test]
    fn a_day_later_nothing_is_said_of_cancelling_and_the_bill_is_over() {
        let ageing = aged(&registered(), None, "2026-11-07 00:30:00", Vec::new());
        assert_eq!(ageing.left(), "bill over");
    }

    #[test]
    fn a_document_that_is_not_registered_has_29_days_where_the_turnover_sets_a_limit() {
        let invalid = status("A/1", DocumentState::Invalid);
        let left = |crore, now| aged(&invalid, crore, now, Vec::new()).left().to_owned();
        assert_eq!(left(Some(10), "2026-11-06 12:00:00"), "report 28 days");
        assert_eq!(left(Some(10), "2026-12-03 12:00:00"), "report 1 day");
        assert_eq!(left(Some(10), "2026-12-04 23:00:00"), "report today");
        assert_eq!(left(Some(10), "2026-12-05 00:00:00"), "report over");
        assert_eq!(left(Some(9), "2026-11-06 12:00:00"), "");
        assert_eq!(left(None, "2026-11-06 12:00:00"), "");
        let value = serde_json::to_value(aged(&invalid, Some(10), "2026-11-06 12:00:00", Vec::new())).unwrap();
        assert_eq!(value["report_until"], "2026-12-04");
    }

    #[test]
    fn time_is_told_coarsely() {
        let told = |minutes| left(SignedDuration::from_mins(minutes));
        assert_eq!([told(-1), told(0), told(1), told(59), told(60)], ["over", "over", "1 min", "59 min", "1 h"]);
        assert_eq!([told(60 * 71), told(60 * 72)], ["71 h", "3 days"]);
        assert_eq!(left(SignedDuration::from_secs(5)), "less than a minute");
    }
}
