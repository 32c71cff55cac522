//! Settles one unknown outcome: by asking the portal, and by nothing else.

use std::time::Duration;

use jiff::SignedDuration;

use super::dispatch::Ended;
use super::outcome::{NOT_HERE_CODE, WINDOW_OVER_CODE, is_burnt, proves_unregistered, says};
use super::question::{Question, duplicate, foreign_duplicate, is_nic_site, is_registered_elsewhere, named_beside};
use super::report::Tally;
use super::send::judged;
use super::{PipelineError, Shared, by_hand};
use crate::clock::later;
use crate::document::Difference;
use crate::events;
use crate::ledger::{AuditEntry, Claimed, HandOver, Intent, LedgerError, Settlement, WorkerId};
use crate::operation::{DuplicateInfo, Registration, RegistrationStatus};
use crate::portal_code::{ErrorClass, deciding_class};
use crate::state::DocumentState;
use crate::transport::{TransportError, TransportMode};
use crate::verify::{Judgement, Proof};

/// Longest pause between two questions about the same document.
const ASK_PAUSE_MAX: Duration = Duration::from_hours(1);

/// The same once asking proves nothing any more: each question is one more error in the portal's
/// books, and only a find can still help.
const LATE_ASK_PAUSE: Duration = Duration::from_hours(24);

/// Sendings after which a document that the portal stumbles over every time, and does not have, is
/// left to a person: code 5001 can be a lasting fault of the payload.
const SENDINGS_MAX: u32 = 5;

/// Why a "not there" before the settling wait is over leaves the outcome open.
const TOO_SOON: &str = "the portal does not find it, but so soon after sending that this proves nothing";

/// Asks about one `Unknown` document and records what came of it.
pub(super) async fn settle(
    shared: &Shared,
    tally: &Tally,
    worker: &WorkerId,
    claimed: Claimed,
) -> Result<Ended, PipelineError> {
    // Where not one question could be asked, the time to ask again stays as it was.
    let Some(settlement) = ask(shared, tally, &claimed).await? else { return Ok(Ended::Later) };
    let state = match &settlement {
        Settlement::Registered { .. } => DocumentState::Registered,
        Settlement::Cancelled { .. } => DocumentState::Cancelled,
        Settlement::Refused { burnt: true, .. } => DocumentState::Burnt,
        Settlement::Refused { .. } => DocumentState::Refused,
        Settlement::Conflict { .. } => DocumentState::Conflict,
        Settlement::NotThere { .. } => DocumentState::Ready,
        Settlement::StillUnknown { .. } => DocumentState::Unknown,
    };
    match shared.ledger.settle(worker, claimed.id, settlement).await {
        Ok(()) => {}
        // The lease ran out while this task waited for its turn, and somebody else settles it.
        Err(LedgerError::NotClaimed { .. } | LedgerError::IllegalMove { .. }) => return Ok(Ended::Done),
        Err(error) => return Err(error.into()),
    }
    let label = claimed.key.to_string();
    events::document_outcome(&label, state, claimed.last_attempt.as_ref().map(|attempt| &attempt.route));
    tally.listed(claimed.id, &label, "resumed");
    if !matches!(state, DocumentState::Ready | DocumentState::Unknown) {
        tally.settled(&label, state);
    }
    Ok(Ended::Done)
}

async fn ask(shared: &Shared, tally: &Tally, claimed: &Claimed) -> Result<Option<Settlement>, PipelineError> {
    let Some(attempt) = &claimed.last_attempt else {
        return Ok(Some(still_unknown(shared, claimed, "no attempt is on record, so nobody can be asked")));
    };
    let Some(route) = shared.routes.by_name(&attempt.route) else {
        tally.configuration(
            attempt.route.as_str(),
            format!(
                "{} was sent by this route, which is no longer configured; bring it back to settle it",
                claimed.key
            ),
        );
        return Ok(None);
    };
    let route = route.as_ref();
    if route.is_closed() || route.is_closed_for(attempt.gstin) {
        return Ok(None);
    }
    let Some(_permit) = route.permit(attempt.gstin).await else { return Ok(None) };
    if route.is_closed() || route.is_closed_for(attempt.gstin) {
        return Ok(None);
    }
    let answer = Question { tally, routes: &shared.routes, route, claimed, attempt }.ask().await;
    Ok(Some(match answer.result {
        Ok(mut registration) => {
            registration.site = Some(answer.site);
            settle_found(shared, claimed, registration)
        }
        Err(error) => Case { shared, claimed, attempt, site: answer.site, mode: answer.mode, error }.settle().await?,
    }))
}

fn settle_found(shared: &Shared, claimed: &Claimed, mut registration: Box<Registration>) -> Settlement {
    let Some(judgement) = judged(shared, claimed, &mut registration) else {
        return still_unknown(shared, claimed, "the stored payload cannot be read back");
    };
    match judgement {
        Judgement::Ours(_) if registration.status == RegistrationStatus::Cancelled => {
            Settlement::Cancelled { registration }
        }
        Judgement::Ours(_) if registration.status != RegistrationStatus::Active => {
            let reason = format!("the portal has it and calls it {:?}, a word that is not known", registration.status);
            still_unknown(shared, claimed, &reason)
        }
        Judgement::Ours(proof) => Settlement::Registered { registration, proof },
        Judgement::Different { mut differences, .. } => {
            if registration.status == RegistrationStatus::Cancelled {
                // Whoever decides must see that there is nothing to adopt, and that the number is lost.
                let (ours, theirs) = (Some("to be registered".to_owned()), Some("cancelled".to_owned()));
                differences.insert(0, Difference { path: "Status".to_owned(), ours, theirs });
            }
            Settlement::Conflict { registration, differences }
        }
        Judgement::Misstated(_) => still_unknown(shared, claimed, "the reply contradicts the signed invoice in it"),
        Judgement::NotBelieved { reason } => {
            events::reply_not_believed(&claimed.key.to_string(), &reason);
            still_unknown(shared, claimed, &format!("the reply is not believed: {reason}"))
        }
    }
}

/// A question that brought no registration.
struct Case<'a> {
    shared: &'a Shared,
    claimed: &'a Claimed,
    attempt: &'a Intent,
    /// The site whose answer counts.
    site: String,
    /// How the route that brought it reaches the portal.
    mode: TransportMode,
    error: TransportError,
}

impl Case<'_> {
    async fn settle(&self) -> Result<Settlement, PipelineError> {
        let stated = duplicate(self.claimed).or_else(|| named_beside(self.claimed, &self.error));
        let is_elsewhere = is_registered_elsewhere(self.claimed);
        let window_is_over = self.has_code(WINDOW_OVER_CODE);
        if window_is_over || (is_elsewhere && (self.is_not_there() || self.has_code(NOT_HERE_CODE))) {
            // It is registered, and the signed copy is out of reach here.
            return Ok(match stated {
                Some(stated) => self.stated_by_the_portal(stated, is_elsewhere && !window_is_over),
                None if window_is_over => {
                    self.for_a_person("it is registered, and so long ago that the portal tells nothing more of it")
                }
                None => self.for_a_person("it is registered through another portal, which was not named"),
            });
        }
        if self.is_not_there() {
            return self.settle_not_there().await;
        }
        if matches!(self.error, TransportError::Unsupported { .. }) {
            let reason = format!(
                "route {} can ask neither by document nor by IRN, and no other route to site {} is open",
                self.attempt.route, self.attempt.site
            );
            let remedy = by_hand::look_it_up(self.claimed, self.attempt);
            return Ok(left_open(self.shared, self.claimed, &reason, Some(HandOver::Whether { remedy })));
        }
        Ok(still_unknown(self.shared, self.claimed, &self.error.to_string()))
    }

    /// "Not there" is a proof only inside the retrieval window and where nothing else was said.
    async fn settle_not_there(&self) -> Result<Settlement, PipelineError> {
        if self.claimed.hand_over.as_ref().is_some_and(HandOver::is_registered) {
            return Ok(self.for_a_person("the portal does not find it, and said before that it is registered"));
        }
        let unknown = |reason: &str| Ok(still_unknown(self.shared, self.claimed, reason));
        if duplicate(self.claimed).is_some() {
            return unknown("the portal calls it a duplicate and yet does not find it");
        }
        if let Some(foreign) = foreign_duplicate(self.claimed) {
            let reason = format!(
                "the reply is not believed: it calls this a duplicate of IRN {}, which is not what {} gives, and the \
                 portal does not find it by its number",
                foreign.irn, self.claimed.key
            );
            events::reply_not_believed(&self.claimed.key.to_string(), &reason);
            // Sent again it would be refused alike: only a person can find out whose IRN that is.
            let remedy = by_hand::look_it_up(self.claimed, self.attempt);
            return Ok(left_open(self.shared, self.claimed, &reason, Some(HandOver::Whether { remedy })));
        }
        if is_past_the_window(self.shared, self.attempt) {
            return unknown("the portal does not find it, but so long after sending that this proves nothing");
        }
        let errors = self.claimed.open_errors.as_slice();
        // An HTTP status alone ended nothing: what a gateway passed on may still be under way.
        let is_by_status = errors.iter().any(|error| error.by_status);
        if is_by_status && is_before_the_wait(self.shared, self.attempt) {
            return unknown(TOO_SOON);
        }
        let class = (!errors.is_empty()).then(|| deciding_class(errors));
        let is_lasting = self.attempt.number >= SENDINGS_MAX && self.sendings().await? >= SENDINGS_MAX;
        let refused = match class {
            _ if is_burnt(errors) => true,
            Some(ErrorClass::Duplicate) if is_lasting => {
                return unknown("the portal calls it a duplicate every time it is sent and yet does not find it");
            }
            Some(ErrorClass::Transient | ErrorClass::UpstreamTransient) => is_lasting,
            None | Some(ErrorClass::Duplicate | ErrorClass::Ewb) => false,
            // Any other code was an answer, and as nothing is registered the answer was no.
            Some(_) => true,
        };
        if refused {
            return Ok(Settlement::Refused { errors: errors.to_vec(), burnt: is_burnt(errors) });
        }
        if is_before_the_wait(self.shared, self.attempt) {
            return unknown(TOO_SOON);
        }
        Ok(Settlement::NotThere { errors: self.error.portal_errors().to_vec() })
    }

    /// How often the portal got it and left the outcome open; attempts of which nothing left this machine,
    /// or that were turned away at the door, have a number too and do not count.
    async fn sendings(&self) -> Result<u32, PipelineError> {
        let trail = self.shared.ledger.audit(self.claimed.id).await?;
        let left_open =
            |entry: &&AuditEntry| entry.from == Some(DocumentState::Sent) && entry.to == DocumentState::Unknown;
        Ok(u32::try_from(trail.iter().filter(left_open).count()).unwrap_or(u32::MAX))
    }

    /// The registration is a fact that the portal stated with its duplicate refusal; only the signed copy
    /// is out of reach.
    fn stated_by_the_portal(&self, stated: &DuplicateInfo, is_elsewhere: bool) -> Settlement {
        let other = stated.registered_by.as_deref();
        let (Some(ack_no), Some(ack_date)) = (&stated.ack_no, stated.ack_date) else {
            let whose = other.filter(|_| is_elsewhere).unwrap_or("the portal");
            let acknowledgement = match &stated.ack_no {
                Some(ack_no) => format!("under acknowledgement {ack_no}, whose date is"),
                None => "whose acknowledgement is".to_owned(),
            };
            return self.for_a_person(&format!(
                "it is registered by {whose} as IRN {}, {acknowledgement} not told here",
                stated.irn
            ));
        };
        let supplier = self.claimed.key.supplier;
        let (site, reason) = if is_elsewhere {
            let portal = other.unwrap_or("another portal");
            // Only a name that the portal's header takes is of use later.
            let site = other.filter(|other| is_nic_site(other)).map(str::to_owned);
            (site, by_hand::copy_is_elsewhere(supplier, stated.irn, ack_date.date(), portal))
        } else {
            (Some(self.site.clone()), by_hand::copy_is_out_of_reach(supplier, stated.irn, ack_date.date()))
        };
        let registration = Box::new(Registration {
            ack_no: ack_no.clone(),
            ack_date,
            irn: stated.irn,
            status: RegistrationStatus::Active,
            signed_invoice: None,
            signed_qr: None,
            ewb: None,
            remarks: None,
            info: self.claimed.open_info.clone(),
            site,
        });
        Settlement::Registered { registration, proof: Proof::SignedPartsMissing { reason } }
    }

    /// Registered for certain, and too little is known of it to store: a person takes the rest from the GST
    /// portal. Asking goes on, seldom.
    fn for_a_person(&self, reason: &str) -> Settlement {
        let now = self.shared.now();
        let stated = duplicate(self.claimed);
        let irn = stated.map_or(self.claimed.irn, |stated| stated.irn);
        let remedy = by_hand::enter_what_is_registered(self.claimed, self.attempt, stated);
        Settlement::StillUnknown {
            reason: reason.to_owned(),
            ask_at: later(now, LATE_ASK_PAUSE).unwrap_or(now),
            hand_over: Some(HandOver::Acknowledgement { irn, remedy }),
        }
    }

    fn has_code(&self, code: &str) -> bool {
        says(self.error.portal_errors(), code)
    }

    fn is_not_there(&self) -> bool {
        proves_unregistered(&self.error, self.mode)
    }
}

/// The call may still be under way at the portal, whoever wants to know already.
fn is_before_the_wait(shared: &Shared, attempt: &Intent) -> bool {
    let wait = Duration::from_secs(shared.settings.settle_wait_seconds);
    later(attempt.at, wait).is_some_and(|settled| shared.now() < settled)
}

fn is_past_the_window(shared: &Shared, attempt: &Intent) -> bool {
    let hours = i64::try_from(shared.settings.retrieval_window_hours).unwrap_or(i64::MAX / 3600);
    shared.now().duration_since(attempt.at) >= SignedDuration::from_hours(hours)
}

fn still_unknown(shared: &Shared, claimed: &Claimed, reason: &str) -> Settlement {
    left_open(shared, claimed, reason, None)
}

/// Past the window there is always something for a person to do.
fn left_open(shared: &Shared, claimed: &Claimed, reason: &str, hand_over: Option<HandOver>) -> Settlement {
    let wait = Duration::from_secs(shared.settings.settle_wait_seconds.max(1));
    let late = claimed.last_attempt.as_ref().filter(|attempt| is_past_the_window(shared, attempt));
    let pause = match late {
        Some(_) => LATE_ASK_PAUSE,
        None => wait.saturating_mul(2_u32.saturating_pow(claimed.asked.min(16))).min(ASK_PAUSE_MAX),
    };
    let now = shared.now();
    let open = |remedy| HandOver::Whether { remedy };
    Settlement::StillUnknown {
        reason: reason.to_owned(),
        ask_at: later(now, pause).unwrap_or(now),
        hand_over: hand_over.or_else(|| late.map(|attempt| open(by_hand::look_it_up(claimed, attempt)))),
    }
}
