//! Measures jobs: the same one for each document that was registered, planned and carried out.

use std::sync::Arc;
use std::time::Instant;

use einvoice_core::date::DocumentDate;
use einvoice_core::ewb::request::{Carriage, EwbByIrn};
use einvoice_core::ewb::{CancelReason, TransMode};
use einvoice_core::job::{JobState, NewJob};
use einvoice_core::ledger::{DocumentStatus, Ledger, Query};
use einvoice_core::pipeline::{Pipeline, Silent, StopSignal};
use einvoice_core::plan;

use super::Result;
use einvoice_testkit::usage::{Cost, Usage};

/// What is done with each document after it was registered.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Deed {
    /// Its registration is cancelled.
    Cancel,
    /// It is given an e-way bill.
    Ewb,
}

impl Deed {
    pub(crate) fn parse(word: &str) -> Option<Self> {
        match word {
            "cancel" => Some(Self::Cancel),
            "ewb" => Some(Self::Ewb),
            _ => None,
        }
    }

    fn job(self, status: &DocumentStatus) -> Result<NewJob> {
        let now = einvoice_core::clock::SystemClock::shared().now();
        let job = match self {
            Self::Cancel => plan::cancel_irn(status, None, CancelReason::OrderCancelled, "order withdrawn", now),
            Self::Ewb => {
                let request = EwbByIrn {
                    irn: status.irn.ok_or_else(|| format!("{} has no IRN", status.label))?,
                    distance_km: 120,
                    transporter: None,
                    transporter_name: None,
                    carriage: Carriage {
                        mode: Some(TransMode::Road),
                        vehicle: Some("KA01AB1234".into()),
                        ..Carriage::default()
                    },
                    ship_to: None,
                    dispatch_from: None,
                };
                plan::ewb_by_irn(status, DocumentDate::from_ymd(2026, 11, 5), None, request, now)
            }
        };
        job.map_err(|refused| format!("{} was not planned: {refused}", status.label).into())
    }
}

/// Plans a job for each document and carries all of them out.
pub(crate) async fn measure(deed: Deed, pipeline: &Pipeline, ledger: &dyn Ledger) -> Result<()> {
    let (before, start) = (Usage::now(), Instant::now());
    let (mut planned, mut after) = (0_u32, None);
    loop {
        let page = ledger.query(Query { after, ..Query::default() }).await?;
        let Some(last) = page.last() else { break };
        after = Some(last.id);
        for status in &page {
            ledger.plan(deed.job(status)?).await?;
            planned += 1;
        }
    }
    let elapsed = start.elapsed();
    println!("planned {planned} jobs in {elapsed:.1?}, one after the other: {:.0}/s", rate(planned, elapsed));
    report("planning", planned, before.as_ref());

    let (before, start) = (Usage::now(), Instant::now());
    let report_of_all = pipeline.carry_out(&[], Arc::new(Silent), StopSignal::new()).await?;
    let elapsed = start.elapsed();
    let done = report_of_all.jobs.iter().filter(|job| job.state == JobState::Done).count();
    println!("carried out {done} of {planned} jobs in {elapsed:.1?}: {:.0} documents/s", rate(planned, elapsed));
    report("carrying out", planned, before.as_ref());
    if u32::try_from(done) != Ok(planned) {
        let open = report_of_all.jobs.iter().find(|job| job.state != JobState::Done);
        return Err(format!("not all were done: {open:?}, {:?}", report_of_all.configuration.first()).into());
    }
    Ok(())
}

fn rate(count: u32, elapsed: std::time::Duration) -> f64 {
    f64::from(count) / elapsed.as_secs_f64()
}

fn report(what: &str, count: u32, before: Option<&Usage>) {
    if let Some(cost) = Cost::since(before, count) {
        println!("own CPU of {what}, per job: {cost}");
    }
}
