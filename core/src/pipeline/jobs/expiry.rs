//! Notices that the validity of a bill is over: no portal tells, and nobody need be asked.

use super::super::{PipelineError, Shared};
use super::bills::is_over;
use crate::ewb::Standing;
use crate::job::{Bill, BillQuery, JobQuery, JobState};
use crate::state::EwbState;

/// Bills read from the ledger at once.
const BILLS_PAGE: usize = 1_000;

/// Keeps as expired what can no longer be extended either. Only bills that are open are looked at, and each that
/// expires leaves them.
pub(super) async fn notice(shared: &Shared) -> Result<(), PipelineError> {
    let mut after = None;
    loop {
        let query = BillQuery { open_only: true, after, limit: BILLS_PAGE, ..BillQuery::default() };
        let page = shared.ledger.bills(query).await?;
        let last = page.last().filter(|_| page.len() == BILLS_PAGE).map(|bill| bill.standing.number);
        let now = shared.now();
        for bill in page.into_iter().filter(|bill| is_over(&bill.standing, now)) {
            if !is_being_changed(shared, &bill).await? {
                let standing = Standing { state: EwbState::Expired, ..bill.standing };
                shared.ledger.learn_bill(Bill { standing, ..bill }).await?;
            }
        }
        if last.is_none() {
            return Ok(());
        }
        after = last;
    }
}

/// An extension under way may have given it another end.
async fn is_being_changed(shared: &Shared, bill: &Bill) -> Result<bool, PipelineError> {
    let states = vec![JobState::Sent, JobState::Unknown];
    let query = JobQuery { bill: Some(bill.standing.number), states, limit: 1, ..JobQuery::default() };
    Ok(!shared.ledger.jobs(query).await?.is_empty())
}
