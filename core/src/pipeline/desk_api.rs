//! What people ask for beside the main job: a question, a settlement, a job, at once.

use std::sync::Arc;

use super::jobs::{self, JobsReport};
use super::report::Tally;
use super::{Observer, Pipeline, PipelineError, RunReport, StopSignal, deliver, dispatch, intake};
use crate::environment::RouteName;
use crate::identifier::Gstin;
use crate::job::JobId;
use crate::ledger::{Decision, DocumentId, LedgerError, Query};
use crate::operation::{Operation, Reply};
use crate::state::DocumentState;
use crate::transport::TransportError;
use dispatch::Scope;

/// Documents read from the ledger at once.
const PAGE: usize = 1_000;

/// An answer, and who gave it.
#[derive(Debug)]
#[non_exhaustive]
pub struct Asked {
    /// The answer; nothing in it is believed before it has been verified.
    pub reply: Reply,
    /// The route it came by.
    pub route: RouteName,
    /// The site that was asked.
    pub site: String,
}

impl Pipeline {
    /// Carries these jobs out now and settles them, all that are due when the list is empty, then delivers results.
    ///
    /// A job whose time lies ahead stays planned. What cannot be settled within the patience of a run stays
    /// `Unknown` and is asked about in the next one.
    ///
    /// # Errors
    /// As [`Pipeline::run_once`].
    ///
    /// # Cancellation
    /// Dropping the future loses nothing: every intent was durable before it was sent.
    pub async fn carry_out(
        &self,
        only: &[JobId],
        observer: Arc<dyn Observer>,
        stop: StopSignal,
    ) -> Result<JobsReport, PipelineError> {
        self.shared.check_lease()?;
        let tally = Arc::new(Tally::new(observer));
        let met = jobs::carry_out(&self.shared, &tally, only, &stop).await?;
        deliver::write_back(&self.shared, &tally).await?;
        let jobs = jobs::jobs_of(&self.shared, &met, Vec::new()).await?;
        Ok(tally.note(|report| JobsReport {
            jobs,
            unreachable: std::mem::take(&mut report.unreachable),
            configuration: std::mem::take(&mut report.configuration),
            failures: std::mem::take(&mut report.failures),
        }))
    }

    /// Asks a portal something that changes nothing, by the named route or the first that carries the operation.
    ///
    /// # Errors
    /// [`TransportError::Unsupported`] when no configured route carries it, or for a call that would change a
    /// portal's books; else any error of the login or the call.
    pub async fn ask(
        &self,
        gstin: Gstin,
        operation: &Operation,
        route: Option<&RouteName>,
    ) -> Result<Asked, TransportError> {
        let kind = operation.kind();
        let unsupported = || TransportError::Unsupported { operation: kind };
        if kind.changes_books() {
            return Err(unsupported());
        }
        let routes = self.shared.routes.in_order();
        let found = routes.iter().find(|one| {
            route.is_none_or(|name| name == one.name())
                && one.gateway.transport().capability().operations.contains(&kind)
        });
        let route = found.ok_or_else(unsupported)?;
        let Some(_permit) = route.permit(gstin).await else { return Err(unsupported()) };
        let reply = route.gateway.call(gstin, operation).await;
        route.learn(reply.as_ref().err());
        Ok(Asked { reply: reply?, route: route.name().clone(), site: route.site().to_owned() })
    }

    /// Settles these unknown documents now, all of them when the list is empty, and delivers results. Others
    /// whose time to ask has come are settled too; nothing is sent.
    ///
    /// # Errors
    /// As [`Pipeline::run_once`]; a document that is not `Unknown` is passed over.
    pub async fn settle_now(
        &self,
        documents: &[DocumentId],
        observer: Arc<dyn Observer>,
        stop: StopSignal,
    ) -> Result<RunReport, PipelineError> {
        let shared = Arc::clone(&self.shared);
        shared.check_lease()?;
        let tally = Arc::new(Tally::new(observer));
        let wanted = if documents.is_empty() { self.unknown_documents().await? } else { documents.to_vec() };
        for document in wanted {
            let decision = Decision::AskAgain { reason: "a person asked for it".to_owned() };
            match shared.ledger.decide(document, decision).await {
                Ok(()) | Err(LedgerError::IllegalMove { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        let reading = intake::Reading::finished();
        dispatch::dispatch(Arc::clone(&shared), Arc::clone(&tally), Scope::Settle, &reading, &stop).await?;
        deliver::write_back(&shared, &tally).await?;
        Ok(tally.finish(&shared).await?)
    }

    async fn unknown_documents(&self) -> Result<Vec<DocumentId>, PipelineError> {
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let query = Query { states: vec![DocumentState::Unknown], after, limit: PAGE, ..Query::default() };
            let page = self.shared.ledger.query(query).await?;
            found.extend(page.iter().map(|status| status.id));
            match page.last() {
                Some(last) if page.len() == PAGE => after = Some(last.id),
                _ => return Ok(found),
            }
        }
    }
}
