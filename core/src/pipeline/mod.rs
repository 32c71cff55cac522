//! The main job: from the books to the portal and back.
//!
//! `source → map → check → ledger(intent) → transport → verify → ledger(outcome) → write back`
//!
//! Reading (`intake`) and sending (`dispatch`) run side by side and meet only in the ledger, so
//! that memory does not grow with the input and a crash at any point loses nothing: the next run
//! finds in the ledger what was intended, asks the portal what became of it, and goes on. Results are
//! delivered (`deliver`) from the ledger as well. What is to be done with documents that are registered already
//! (`jobs`) is carried out after that, step by step; `desk_api` is for people who want one thing at once.

mod by_hand;
mod deliver;
mod desk_api;
mod dispatch;
mod intake;
mod jobs;
mod outcome;
mod question;
mod report;
mod routes;
mod send;
mod settle;
mod stop;
mod sync;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use jiff::Timestamp;

pub use desk_api::Asked;
pub use intake::key_held_by;
pub use jobs::{JobsReport, Seen, SeenError};
pub use report::{Clash, Listed, Note, Observer, RunReport, Silent};
pub use routes::RoutePart;
pub use stop::StopSignal;

use crate::clock::SharedClock;
use crate::config::{ConfigError, RunSettings, one_environment};
use crate::credential::CredentialStore;
use crate::date::ist_date;
use crate::ledger::{Ledger, LedgerError, WorkerId};
use crate::rulebook::CheckOptions;
use crate::source::InvoiceSource;
use crate::verify::TokenVerifier;
use crate::write_back::WriteBack;
use report::Tally;
use routes::Routes;

/// Calls that sending one document may take: a login, the call, a login anew when the token is no
/// longer accepted, and the call once more.
const CALLS_PER_CLAIM: u32 = 4;

/// Those of them that may follow the intent.
const CALLS_AFTER_INTENT: u32 = 3;

/// Everything a pipeline is made of.
#[derive(Debug)]
pub struct Parts {
    /// The ledger.
    pub ledger: Arc<dyn Ledger>,
    /// Where credentials are kept.
    pub credentials: Arc<dyn CredentialStore>,
    /// Ways to the portal, in order of preference.
    pub routes: Vec<RoutePart>,
    /// Where invoices come from.
    pub sources: Vec<SourcePart>,
    /// Where results go.
    pub write_backs: Vec<WriteBackPart>,
    /// Checks signatures.
    pub verifier: Arc<dyn TokenVerifier>,
    /// How documents are judged; the day is that of the run, whatever it is here.
    pub check: CheckOptions,
    /// Limits.
    pub settings: RunSettings,
    /// The clock.
    pub clock: SharedClock,
}

/// A configured source.
#[derive(Debug, Clone)]
pub struct SourcePart {
    /// Its name.
    pub name: String,
    /// The source.
    pub source: Arc<dyn InvoiceSource>,
}

/// A configured write-back target.
#[derive(Debug, Clone)]
pub struct WriteBackPart {
    /// Its name; the ledger remembers deliveries under it.
    pub name: String,
    /// Names of the sources it serves; empty means all.
    pub sources: Vec<String>,
    /// The target.
    pub target: Arc<dyn WriteBack>,
}

/// The main job, ready to run.
#[derive(Debug)]
pub struct Pipeline {
    shared: Arc<Shared>,
}

/// What all tasks of a run share.
#[derive(Debug)]
struct Shared {
    ledger: Arc<dyn Ledger>,
    routes: Routes,
    sources: Vec<SourcePart>,
    write_backs: Vec<WriteBackPart>,
    verifier: Arc<dyn TokenVerifier>,
    check: CheckOptions,
    settings: RunSettings,
    clock: SharedClock,
    /// First part of the name of every worker of this pipeline.
    worker: String,
    claims: AtomicU64,
}

impl Shared {
    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The name under which the next claim is made; none is used twice.
    fn next_worker(&self) -> WorkerId {
        WorkerId(format!("{}-{}", self.worker, self.claims.fetch_add(1, Ordering::Relaxed)))
    }

    /// How often a document is tried in one run when nothing of it gets out, before its supplier waits
    /// for the next run: so often that its failures alone open the breaker of every route, and the
    /// last route has its turn.
    fn tries_max(&self) -> u32 {
        let routes = u32::try_from(self.routes.in_order().len()).unwrap_or(u32::MAX);
        self.settings.breaker_failures.max(1).saturating_mul(routes.max(1))
    }

    /// A claim must outlast the work under it: what is sent under a lease that ends before the answer
    /// comes is taken for lost, asked about, and perhaps sent again while the first request still runs.
    fn check_lease(&self) -> Result<(), PipelineError> {
        let lease = self.settings.lease_seconds;
        for route in self.routes.in_order() {
            let needed = route.call_time_max().saturating_mul(CALLS_PER_CLAIM);
            if Duration::from_secs(lease) < needed {
                let (call, needed) = (route.call_time_max().as_secs_f32(), needed.as_millis().div_ceil(1_000));
                return Err(PipelineError::Settings(ConfigError::new(
                    "run.lease_seconds",
                    format!(
                        "{lease} is too short for route `{}`, on which {CALLS_PER_CLAIM} calls of {call} seconds each \
                         may be needed for one document; write {needed} or more, or lower the time limit of the route",
                        route.name()
                    ),
                )));
            }
        }
        Ok(())
    }

    /// The rules of today.
    fn check_options(&self) -> CheckOptions {
        self.check.clone().at(ist_date(self.now()))
    }
}

impl Pipeline {
    /// Joins the parts, and binds the ledger to the environment of the routes.
    ///
    /// # Errors
    /// [`PipelineError::Settings`] when the routes lead to two environments, [`PipelineError::Ledger`] when the ledger
    /// belongs to the other one. Nothing was done then.
    pub async fn new(parts: Parts) -> Result<Self, PipelineError> {
        let Parts { ledger, credentials, routes, sources, write_backs, .. } = parts;
        let environments = routes.iter().map(|route| (route.name.as_str(), route.environment));
        if let Some(environment) = one_environment(environments)? {
            ledger.bind(environment).await?;
        }
        // Processes on several machines may share a number (containers start at 1), hardly a microsecond too.
        let worker = format!("process-{}-{}", std::process::id(), parts.clock.now().as_microsecond());
        let routes = Routes::new(routes, &credentials, &parts.settings, &parts.clock);
        Ok(Self {
            shared: Arc::new(Shared {
                ledger,
                routes,
                sources,
                write_backs,
                verifier: parts.verifier,
                check: parts.check,
                settings: parts.settings,
                clock: parts.clock,
                worker,
                claims: AtomicU64::new(0),
            }),
        })
    }

    /// Reads every source once, sends what is right, settles what is unclear, writes results back,
    /// and tells the sources. Resumes whatever an earlier run left.
    ///
    /// Ends early, with all work kept, when `stop` asks for it: calls under way are finished first.
    ///
    /// # Errors
    /// [`PipelineError::Ledger`] when the ledger fails; then nothing that happened is told to anyone.
    /// [`PipelineError::Settings`] before anything is done, when limits contradict each other. Every
    /// other trouble is in the report.
    pub async fn run_once(&self, observer: Arc<dyn Observer>, stop: StopSignal) -> Result<RunReport, PipelineError> {
        let names: Vec<String> = self.shared.sources.iter().map(|part| part.name.clone()).collect();
        self.run_sources(&names, observer, stop).await
    }

    /// Returns the name of a source that has heard of something to read, whatever its schedule says; never where no
    /// source hears of anything.
    pub async fn changed(&self) -> String {
        let waiting: Vec<_> = self
            .shared
            .sources
            .iter()
            .map(|part| {
                Box::pin(async move {
                    part.source.changed().await;
                    part.name.clone()
                })
            })
            .collect();
        if waiting.is_empty() {
            return std::future::pending().await;
        }
        futures_util::future::select_all(waiting).await.0
    }

    /// As [`Pipeline::run_once`], reading only the sources of these names.
    ///
    /// # Errors
    /// As [`Pipeline::run_once`].
    pub async fn run_sources(
        &self,
        names: &[String],
        observer: Arc<dyn Observer>,
        stop: StopSignal,
    ) -> Result<RunReport, PipelineError> {
        let shared = Arc::clone(&self.shared);
        shared.check_lease()?;
        let tally = Arc::new(Tally::new(observer));
        let reading = intake::Reading::default();
        let (read, dispatched) = tokio::join!(
            intake::read_sources(&shared, names, &tally, &reading, &stop),
            dispatch::dispatch(Arc::clone(&shared), Arc::clone(&tally), dispatch::Scope::All, &reading, &stop),
        );
        dispatched?;
        let read = read?;
        jobs::carry_out(&shared, &tally, &[], &stop).await?;
        deliver::write_back(&shared, &tally).await?;
        deliver::acknowledge(&shared, &tally, read).await?;
        Ok(tally.finish(&shared).await?)
    }
}

/// Why a run could not go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PipelineError {
    /// The ledger failed. Nothing is sent without it.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// Limits that contradict each other. Nothing was done.
    #[error(transparent)]
    Settings(#[from] ConfigError),
    /// A task of the pipeline ended by a fault of its own.
    #[error("a part of the run ended by a fault of its own; please report this: {0}")]
    Fault(String),
}
