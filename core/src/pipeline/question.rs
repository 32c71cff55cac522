//! Puts the question about one unknown outcome to whoever may hold the answer: the site that was sent to, by
//! document or by IRN, and the other NIC site where the first one does not have it. `settle` decides what the
//! answer means.

use std::sync::Arc;

use super::outcome::{ELSEWHERE_CODE, NOT_HERE_CODE, WINDOW_OVER_CODE, consequence_of, proves_unregistered, says};
use super::report::Tally;
use super::routes::{Route, Routes};
use super::send::{heed, sent_document};
use crate::irn::{Irn, IrnRule};
use crate::ledger::{Claimed, Intent};
use crate::operation::{DuplicateInfo, InfoDetail, Operation, OperationKind, Registration, Reply};
use crate::portal_code::{ErrorClass, deciding_class};
use crate::transport::{TransportError, TransportMode};

/// The two sites of NIC, which answer for each other when the `irp` header names the one that issued (since
/// July 2024). Private portals have no such twin.
const NIC_SITES: [&str; 2] = ["NIC1", "NIC2"];

/// What the portal answered, and which of its sites.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) site: String,
    /// How the route that brought it reaches the portal.
    pub(super) mode: TransportMode,
    pub(super) result: Result<Box<Registration>, TransportError>,
}

impl Answer {
    pub(super) fn has_code(&self, code: &str) -> bool {
        self.result.as_ref().is_err_and(|error| has_code(error, code))
    }

    fn is_not_there(&self) -> bool {
        self.result.as_ref().is_err_and(|error| proves_unregistered(error, self.mode))
    }
}

/// One document's question.
#[derive(Debug)]
pub(super) struct Question<'a> {
    pub(super) tally: &'a Tally,
    pub(super) routes: &'a Routes,
    pub(super) route: &'a Route,
    pub(super) claimed: &'a Claimed,
    pub(super) attempt: &'a Intent,
}

impl Question<'_> {
    /// Asks until a site knows something, each at most once in each way.
    pub(super) async fn ask(&self) -> Answer {
        let answer = self.ask_the_site_of_the_attempt().await;
        let may_be_at_the_other =
            answer.has_code(NOT_HERE_CODE) || (is_registered_elsewhere(self.claimed) && answer.is_not_there());
        let Some(other) = other_nic_site(&self.attempt.site).filter(|_| may_be_at_the_other) else { return answer };
        let there = Answer { site: other.to_owned(), mode: self.route.mode(), result: self.put(Some(other)).await };
        // What is found there is registered there. Its "not there" proves nothing about the site that was
        // sent to, so that the first answer stands.
        if there.result.is_ok() || there.has_code(WINDOW_OVER_CODE) { there } else { answer }
    }

    async fn ask_the_site_of_the_attempt(&self) -> Answer {
        let site = self.attempt.site.as_str();
        // A "not there" counts only from the site that was sent to; a route may lead elsewhere by now.
        let named = self.route.site() != site;
        let result = self.put(named.then_some(site)).await;
        let mut answer = Answer { site: site.to_owned(), mode: self.route.mode(), result };
        if !named && answer.has_code(NOT_HERE_CODE) {
            // Local data only, or a closed window: the site's own name in the header makes it look again.
            answer.result = self.put(Some(site)).await;
        }
        let can_by_irn = self.route.can(OperationKind::GetIrn);
        if answer.is_not_there() && is_called_a_duplicate(self.claimed) && can_by_irn {
            // The number may be registered with another date of the same year, which a question by
            // document does not find, and the IRN holds no date.
            let by_irn = Operation::GetIrn { irn: self.claimed.irn, site: named.then(|| site.to_owned()) };
            let result = self.call(&by_irn).await;
            if result.as_ref().map_or_else(|error| has_code(error, WINDOW_OVER_CODE), |_| true) {
                answer.result = result;
            }
        }
        if answer.result.is_err()
            && !self.route.can(OperationKind::GetIrnByDocument)
            && let Some((mode, told)) = self.ask_by_another_route(site).await
        {
            (answer.mode, answer.result) = (mode, told);
        }
        answer
    }

    /// By document, on the other routes that lead to the same site, in their order, until one answers clearly: what a read
    /// by IRN does not find may still be there, and only a read by document says clearly that it is not. Nothing where
    /// none does.
    async fn ask_by_another_route(
        &self,
        site: &str,
    ) -> Option<(TransportMode, Result<Box<Registration>, TransportError>)> {
        let gstin = self.attempt.gstin;
        let leads_there = |route: &&Arc<Route>| {
            route.name() != self.route.name()
                && (route.site(), route.environment()) == (site, self.route.environment())
                && route.can(OperationKind::GetIrnByDocument)
                && !route.is_closed()
                && !route.is_closed_for(gstin)
        };
        let question = by_document(self.claimed, None).ok()?;
        // A provider with an interface of its own may have sent it to another site than its route is said to lead to.
        let knows_the_site = self.route.mode() != TransportMode::ProviderApi;
        for other in self.routes.in_order().iter().filter(leads_there) {
            let _permit = other.permit(gstin).await?;
            let told = self.call_by(other, &question).await;
            let is_not_there = told.as_ref().is_err_and(|error| proves_unregistered(error, other.mode()));
            let is_clear = told.is_ok() || told.as_ref().is_err_and(|error| has_code(error, WINDOW_OVER_CODE));
            if is_clear || (is_not_there && knows_the_site) {
                return Some((other.mode(), told));
            }
        }
        None
    }

    /// By IRN when the portal named one, or where the route cannot ask by document: the IRN is known before anybody
    /// gives it out. Else by document.
    async fn put(&self, site: Option<&str>) -> Result<Box<Registration>, TransportError> {
        let site = site.map(str::to_owned);
        let by_irn = self.route.can(OperationKind::GetIrn);
        let by_number = self.route.can(OperationKind::GetIrnByDocument);
        let operation = match duplicate(self.claimed) {
            Some(duplicate) if by_irn => Operation::GetIrn { irn: duplicate.irn, site },
            None if by_irn && !by_number => Operation::GetIrn { irn: self.claimed.irn, site },
            _ if by_number => by_document(self.claimed, site)?,
            // Said before anything is sent, so that it counts against nobody.
            _ => return Err(TransportError::Unsupported { operation: OperationKind::GetIrnByDocument }),
        };
        self.call(&operation).await
    }

    async fn call(&self, operation: &Operation) -> Result<Box<Registration>, TransportError> {
        self.call_by(self.route, operation).await
    }

    async fn call_by(&self, route: &Route, operation: &Operation) -> Result<Box<Registration>, TransportError> {
        let result = match route.gateway.call(self.attempt.gstin, operation).await {
            Ok(Reply::Registration(registration)) => Ok(registration),
            Ok(other) => Err(TransportError::BadAnswer {
                endpoint: route.name().to_string(),
                http_status: None,
                reason: format!("a question about a document was answered with {}", other.words()),
                changes_books: false,
            }),
            Err(error) => Err(error),
        };
        route.learn(result.as_ref().err());
        if let Err(error) = &result {
            heed(self.tally, route, self.attempt.gstin, error, consequence_of(error));
        }
        result
    }
}

fn by_document(claimed: &Claimed, site: Option<String>) -> Result<Operation, TransportError> {
    let date =
        sent_document(claimed).and_then(|sent| sent.doc_dtls.dt.get()).ok_or_else(|| TransportError::NotSent {
            endpoint: "portal".to_owned(),
            reason: "the stored payload holds no document date to ask by".to_owned(),
            source: None,
        })?;
    Ok(Operation::GetIrnByDocument { doc_type: claimed.key.doc_type, number: claimed.key.number.clone(), date, site })
}

/// The earlier registration that a duplicate refusal named, if it can be one of this document: its
/// IRN is the hash of our key, by the rule of today or by that of old registrations.
pub(super) fn duplicate(claimed: &Claimed) -> Option<&DuplicateInfo> {
    named(&claimed.open_info).find(|duplicate| is_ours(claimed, duplicate.irn))
}

/// An earlier registration that was named and cannot be one of this document.
pub(super) fn foreign_duplicate(claimed: &Claimed) -> Option<&DuplicateInfo> {
    named(&claimed.open_info).find(|duplicate| !is_ours(claimed, duplicate.irn))
}

/// What the answer to a question itself names as our registration.
pub(super) fn named_beside<'a>(claimed: &Claimed, error: &'a TransportError) -> Option<&'a DuplicateInfo> {
    match error {
        TransportError::Refused { info, .. } => named(info).find(|duplicate| is_ours(claimed, duplicate.irn)),
        _ => None,
    }
}

fn named(info: &[InfoDetail]) -> impl Iterator<Item = &DuplicateInfo> {
    info.iter().filter_map(|info| info.duplicate.as_ref())
}

fn is_ours(claimed: &Claimed, irn: Irn) -> bool {
    irn == claimed.irn || irn == Irn::compute(&claimed.key, IrnRule::AsWritten)
}

/// Whether the portal said that another one registered the document (2295).
pub(super) fn is_registered_elsewhere(claimed: &Claimed) -> bool {
    says(&claimed.open_errors, ELSEWHERE_CODE)
}

/// Whether the refusal that left the outcome open says that the key is taken.
pub(super) fn is_called_a_duplicate(claimed: &Claimed) -> bool {
    deciding_class(&claimed.open_errors) == ErrorClass::Duplicate
}

fn other_nic_site(site: &str) -> Option<&'static str> {
    match NIC_SITES {
        [first, second] if site == first => Some(second),
        [first, second] if site == second => Some(first),
        _ => None,
    }
}

/// Whether a name is one that the `irp` header takes.
pub(super) fn is_nic_site(site: &str) -> bool {
    NIC_SITES.contains(&site)
}

fn has_code(error: &TransportError, code: &str) -> bool {
    says(error.portal_errors(), code)
}
