//! From what a person saw at a portal to what a step changed there.

use super::super::Pipeline;
use super::{bills, conclude, step};
use crate::date::PortalTime;
use crate::ewb::{EwbNumber, TripSheetNumber};
use crate::job::{Effect, Job, Task};
use crate::ledger::LedgerError;
use crate::operation::{EwbChanged, MadeEwb, OperationKind};

/// What a person saw at a portal of a step that was done; what they could not see stays empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a sighting is written by naming what was seen")]
pub struct Seen {
    /// When it was done (IST).
    pub at: Option<PortalTime>,
    /// Number of the bill it made.
    pub number: Option<EwbNumber>,
    /// End of the bill's validity after it.
    pub valid_till: Option<PortalTime>,
    /// Number of the trip sheet it made.
    pub trip_sheet: Option<TripSheetNumber>,
    /// The group of vehicles it made.
    pub group: Option<String>,
}

/// Why what a person saw does not tell what a step changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SeenError {
    /// Something that only the portal can tell is missing.
    #[error("{what} has to be told with a step that was done ({step})")]
    TooLittle {
        /// Which step.
        step: OperationKind,
        /// What is missing.
        what: &'static str,
    },
    /// The job has no step that could have been done.
    #[error("job {job} has no step left")]
    NoStep {
        /// Which job.
        job: i64,
    },
    /// The ledger failed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

impl Pipeline {
    /// What the present step of a job changed, going by what a person saw of it: the same effects as a reply of the
    /// portal with these facts would have.
    ///
    /// # Errors
    /// [`SeenError::TooLittle`] when something is missing that the step cannot be kept without.
    pub async fn effects_of(&self, job: &Job, seen: &Seen) -> Result<Vec<Effect>, SeenError> {
        let step = job.step().ok_or(SeenError::NoStep { job: job.id.0 })?;
        let needed = |what| SeenError::TooLittle { step, what };
        let now = PortalTime::at(self.shared.now());
        match (&job.task, step) {
            (Task::CancelIrn { reason, remark, .. }, OperationKind::CancelIrn) => {
                Ok(vec![conclude::cancelled(seen.at, *reason, remark)])
            }
            (task @ (Task::GenerateEwbByIrn { .. } | Task::GenerateEwb { .. }), _) => {
                let made = MadeEwb {
                    number: seen.number.ok_or_else(|| needed("the number of the e-way bill"))?,
                    // When it can be cancelled, and by whom it is extended, hangs on it.
                    made_at: Some(seen.at.ok_or_else(|| needed("when the e-way bill was made"))?),
                    valid_till: seen.valid_till,
                    status: None,
                    generated_by: None,
                    alert: None,
                    info: Vec::new(),
                };
                Ok(vec![Effect::Ewb { standing: Box::new(bills::made(task, job.gstin, &made, now)) }])
            }
            (Task::Consolidate { request }, _) => {
                let number = seen.trip_sheet.ok_or_else(|| needed("the number of the trip sheet"))?;
                let mut effects = vec![Effect::TripSheet { number, bills: request.bills.clone() }];
                bills::moved(&self.shared, &job.task, &mut effects).await?;
                Ok(effects)
            }
            (Task::RegenerateTripSheet { request }, _) => {
                let number = seen.trip_sheet.ok_or_else(|| needed("the number of the trip sheet"))?;
                let on_it = step::bills_on(&self.shared, request.trip_sheet).await?;
                let mut effects = vec![Effect::TripSheet { number, bills: on_it }];
                bills::moved(&self.shared, &job.task, &mut effects).await?;
                Ok(effects)
            }
            (task, kind) => {
                if matches!(kind, OperationKind::UpdatePartB | OperationKind::ExtendValidity)
                    && seen.valid_till.is_none()
                {
                    return Err(needed("the end of the validity"));
                }
                let Some(before) = job.last.as_ref().and_then(|last| last.before.as_deref()) else {
                    // A bill that the ledger does not know: there is nothing to keep.
                    return Ok(Vec::new());
                };
                let reply = EwbChanged {
                    number: Some(before.number),
                    at: seen.at,
                    valid_till: seen.valid_till,
                    group: seen.group.clone(),
                    ..EwbChanged::default()
                };
                Ok(vec![Effect::Ewb { standing: Box::new(bills::changed(task, kind, before, &reply)) }])
            }
        }
    }
}
