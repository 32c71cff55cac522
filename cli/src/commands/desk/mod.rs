//! What the commands for registered documents share: the parts, finding a document or a bill, asking a person,
//! carrying jobs out.
//!
//! A command turns its arguments into wishes ([`wish::Wish`]), each planned or refused before anything is sent;
//! [`go`] shows them, asks, has the ledger remember them as jobs and the pipeline carry them out, and shows what
//! came of it.

pub(super) mod confirm;
pub(super) mod find;
mod go;
pub(super) mod outcome;
pub(super) mod refusal;
pub(super) mod wish;

use std::sync::Arc;

use einvoice_core::clock::SharedClock;
use einvoice_core::credential::{CredentialScope, CredentialStore};
use einvoice_core::date::ist_date;
use einvoice_core::environment::RouteName;
use einvoice_core::identifier::Gstin;
use einvoice_core::ledger::Ledger;
use einvoice_core::pipeline::{Observer, Pipeline, PipelineError, StopSignal};
use einvoice_core::plan::PlanSwitches;
use einvoice_core::registry::nearest;
use einvoice_core::rulebook::CheckOptions;
use einvoice_core::verify::TokenVerifier;
use jiff::Timestamp;

use super::run::Followed;
use crate::assemble::Assembly;
use crate::error::CliError;
use crate::output::Output;
use crate::settings::Loaded;
use crate::stop::Interrupts;

pub(super) use go::{Done, act, go};

/// The parts that work on what is registered already.
pub(super) struct Desk {
    pub(super) ledger: Arc<dyn Ledger>,
    pub(super) pipeline: Pipeline,
    pub(super) verifier: Arc<dyn TokenVerifier>,
    /// How documents are judged.
    pub(super) check: CheckOptions,
    /// What the rules switch on today: closing a bill, once its hold is over.
    pub(super) switches: PlanSwitches,
    credentials: Arc<dyn CredentialStore>,
    /// Name and site of each route.
    routes: Vec<(String, String)>,
    clock: SharedClock,
}

impl Desk {
    /// Opens everything that a configuration names.
    pub(super) async fn open(loaded: Loaded) -> Result<Self, CliError> {
        let assembly = Assembly::new(loaded)?;
        let parts = assembly.desk_parts().await?;
        Ok(Self {
            ledger: Arc::clone(&parts.ledger),
            verifier: Arc::clone(&parts.verifier),
            credentials: Arc::clone(&parts.credentials),
            check: parts.check.clone(),
            switches: PlanSwitches::of(&parts.check.settings, ist_date(assembly.clock().now())),
            routes: parts
                .routes
                .iter()
                .map(|route| (route.name.as_str().to_owned(), route.transport.capability().site.clone()))
                .collect(),
            clock: assembly.clock(),
            pipeline: Pipeline::new(parts).await?,
        })
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// How documents are judged today.
    pub(super) fn check_today(&self) -> CheckOptions {
        self.check.clone().at(ist_date(self.now()))
    }

    /// The route of a name that was given.
    pub(super) fn route(&self, name: Option<&str>) -> Result<Option<RouteName>, CliError> {
        let Some(name) = name else { return Ok(None) };
        let names = || self.routes.iter().map(|(name, _)| name.as_str());
        if names().any(|known| known == name) {
            return Ok(Some(RouteName::new(name)));
        }
        let hint = nearest(name, names()).map_or_else(
            || format!("there are: {}", names().collect::<Vec<_>>().join(", ")),
            |near| format!("did you mean `{near}`?"),
        );
        Err(CliError::Usage(format!("there is no route `{name}` in the configuration; {hint}")))
    }

    /// Whose login is used: the one given, else the one that the ledger's document or bill points at, else the
    /// only one there is.
    pub(super) async fn login(&self, given: Option<Gstin>, known: Option<Gstin>) -> Result<Gstin, CliError> {
        if let Some(gstin) = given.or(known) {
            return Ok(gstin);
        }
        let logins = self.logins().await?;
        if let [only] = logins.as_slice() {
            return Ok(*only);
        }
        let which = if logins.is_empty() {
            "the credential store lists no API user".to_owned()
        } else {
            let names: Vec<String> = logins.iter().map(ToString::to_string).collect();
            format!("there are logins for {}", names.join(", "))
        };
        Err(CliError::Usage(format!("whose login is to be used? {which}: pass --gstin")))
    }

    /// Who acts on a bill: the one given, else the first of those who may that there is a login for, else the only
    /// login there is.
    pub(super) async fn actor(&self, given: Option<Gstin>, may: &[Gstin]) -> Result<Gstin, CliError> {
        let logins = if given.is_some() { Vec::new() } else { self.logins().await? };
        let known = may.iter().find(|gstin| logins.contains(gstin)).or_else(|| {
            // A store that lists nothing may hold a login all the same.
            may.first().filter(|_| logins.is_empty())
        });
        self.login(given, known.copied()).await
    }

    /// The site to name in a question: that of the registration, where the route leads to another.
    pub(super) fn site_beyond(&self, route: Option<&RouteName>, site: Option<&str>) -> Option<String> {
        let of_route = match route {
            Some(name) => self.routes.iter().find(|(known, _)| known == name.as_str()),
            None => self.routes.first(),
        };
        site.filter(|site| of_route.is_none_or(|(_, own)| own != site)).map(str::to_owned)
    }

    /// GSTINs that the credential store has an API user for, each once.
    async fn logins(&self) -> Result<Vec<Gstin>, CliError> {
        let mut gstins: Vec<Gstin> = self
            .credentials
            .list()
            .await?
            .into_iter()
            .filter_map(|summary| match summary.scope {
                CredentialScope::User(scope) => Some(scope.gstin),
                CredentialScope::Client(_) => None,
            })
            .collect();
        gstins.sort_unstable();
        gstins.dedup();
        Ok(gstins)
    }

    /// Runs work of the pipeline with a bar, so that Ctrl-C finishes what is under way; nothing when a second one
    /// ended it at once. Dropping the work is safe: every intent was durable before it was sent.
    pub(super) async fn watched<T>(
        &self,
        output: &Output,
        work: impl AsyncFnOnce(&Pipeline, Arc<dyn Observer>, StopSignal) -> Result<T, PipelineError>,
    ) -> Result<Option<T>, CliError> {
        let mut interrupts = Interrupts::listen()?;
        let stop = StopSignal::new();
        let progress = Arc::new(Followed::without_reading(output.shows_progress() && !output.is_json()));
        let observer: Arc<dyn Observer> = Arc::<Followed>::clone(&progress);
        let running = work(&self.pipeline, observer, stop.clone());
        tokio::pin!(running);
        let result = tokio::select! {
            result = &mut running => result,
            () = interrupts.next() => {
                stop.stop();
                super::run::tell("finishing what is under way; interrupt again to stop at once");
                tokio::select! {
                    result = &mut running => result,
                    () = interrupts.next() => {
                        progress.finish();
                        super::run::tell("stopped at once; `einvoice resolve` asks what became of what was sent");
                        return Ok(None);
                    }
                }
            }
        };
        progress.finish();
        Ok(Some(result?))
    }
}
