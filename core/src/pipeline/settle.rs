//! Settles one unknown outcome: by asking the portal, and by nothing else.

use std::time::Duration;

use jiff::SignedDuration;

use super::dispatch::Ended;
use super::outcome::{ELSEWHERE_CODE, NOT_HERE_CODE, NOT_THERE_CODE, WINDOW_OVER_CODE, consequence_of};
use super::report::Tally;
use super::routes::Route;
use super::send::{heed, judged, sent_document};
use super::{PipelineError, Shared};
use crate::clock::later;
use crate::environment::Product;
use crate::events;
use crate::irn::{Irn, IrnRule};
use crate::ledger::{AuditEntry, Claimed, Intent, LedgerError, Settlement, WorkerId};
use crate::operation::{DuplicateInfo, Operation, Registration, RegistrationStatus, Reply};
use crate::portal_code::{ErrorClass, deciding_class};
use crate::state::DocumentState;
use crate::transport::TransportError;
use crate::verify::{Judgement, Proof};

/// Longest pause between two questions about the same document.
const ASK_PAUSE_MAX: Duration = Duration::from_hours(1);

/// The same once asking proves nothing any more: each question is one more error in the portal's
/// books, and only a find can still help.
const LATE_ASK_PAUSE: Duration = Duration::from_hours(24);

/// Where a person finds the signed copy once the portal's API no longer hands it out.
const DOWNLOAD_HINT: &str = "the portal's API no longer hands out the signed copy; \
                             download it from the e-invoice section of the GST portal (kept six months)";

/// Sendings after which a document that the portal stumbles over every time, and does not have, is
/// left to a person: code 5001 can be a lasting fault of the payload.
const SENDINGS_MAX: u32 = 5;

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
    // A "not there" counts only from the site that was sent to; a route may lead elsewhere by now.
    let site = (route.site() != attempt.site).then(|| attempt.site.clone());
    let named = site.is_some();
    let answer = put_question(route, claimed, attempt, site).await;
    let answer = match answer {
        // "Not here" may mean another site: name the one that was sent to.
        Err(error) if !named && has_code(&error, NOT_HERE_CODE) => {
            put_question(route, claimed, attempt, Some(attempt.site.clone())).await
        }
        other => other,
    };
    route.learn(answer.as_ref().err());
    Ok(Some(match answer {
        Ok(registration) => settle_found(shared, claimed, registration),
        Err(error) => {
            heed(tally, route, attempt.gstin, &error, consequence_of(&error));
            settle_refused(shared, claimed, attempt, &error).await?
        }
    }))
}

/// By IRN when the portal named one, else by document.
async fn put_question(
    route: &Route,
    claimed: &Claimed,
    attempt: &Intent,
    site: Option<String>,
) -> Result<Box<Registration>, TransportError> {
    let operation = match duplicate(claimed) {
        Some(duplicate) => Operation::GetIrn { irn: duplicate.irn, site },
        None => by_document(claimed, site)?,
    };
    match route.gateway.call(attempt.gstin, Product::EInvoice, &operation).await? {
        Reply::Registration(registration) => Ok(registration),
        Reply::Taxpayer(_) => Err(TransportError::BadAnswer {
            endpoint: attempt.route.to_string(),
            http_status: None,
            reason: "a question about a document was answered with a taxpayer".to_owned(),
            changes_books: false,
        }),
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
fn duplicate(claimed: &Claimed) -> Option<&DuplicateInfo> {
    let is_ours = |irn: Irn| irn == claimed.irn || irn == Irn::compute(&claimed.key, IrnRule::AsWritten);
    claimed.open_info.iter().filter_map(|info| info.duplicate.as_ref()).find(|duplicate| is_ours(duplicate.irn))
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
        Judgement::Different { differences, .. } => Settlement::Conflict { registration, differences },
        Judgement::Misstated(_) => still_unknown(shared, claimed, "the reply contradicts the signed invoice in it"),
        Judgement::NotBelieved { reason } => {
            events::reply_not_believed(&claimed.key.to_string(), &reason);
            still_unknown(shared, claimed, &format!("the reply is not believed: {reason}"))
        }
    }
}

async fn settle_refused(
    shared: &Shared,
    claimed: &Claimed,
    attempt: &Intent,
    error: &TransportError,
) -> Result<Settlement, PipelineError> {
    let elsewhere = claimed.open_errors.iter().any(|error| error.code == ELSEWHERE_CODE);
    let unreadable_here = has_code(error, WINDOW_OVER_CODE)
        || (elsewhere && (has_code(error, NOT_THERE_CODE) || has_code(error, NOT_HERE_CODE)));
    if unreadable_here && let Some(duplicate) = duplicate(claimed) {
        return Ok(stated_by_the_portal(shared, claimed, duplicate, elsewhere));
    }
    if has_code(error, NOT_THERE_CODE) {
        return settle_not_there(shared, claimed, attempt, error).await;
    }
    Ok(still_unknown(shared, claimed, &error.to_string()))
}

/// "Not there" is a proof only inside the retrieval window and where nothing else was said.
async fn settle_not_there(
    shared: &Shared,
    claimed: &Claimed,
    attempt: &Intent,
    error: &TransportError,
) -> Result<Settlement, PipelineError> {
    if duplicate(claimed).is_some() {
        return Ok(still_unknown(shared, claimed, "the portal calls it a duplicate and yet does not find it"));
    }
    if is_past_the_window(shared, attempt) {
        return Ok(still_unknown(
            shared,
            claimed,
            "the portal does not find it, but so long after sending that this proves nothing; \
             look it up on the e-invoice portal and decide",
        ));
    }
    let stumbled = |class| matches!(class, ErrorClass::Transient | ErrorClass::UpstreamTransient);
    let refused = match claimed.open_errors.as_slice() {
        [] => false,
        errors => match deciding_class(errors) {
            // A code of no list was an answer, and as nothing is registered the answer was no.
            ErrorClass::Unknown => true,
            class if stumbled(class) && attempt.number >= SENDINGS_MAX => {
                sendings(shared, claimed).await? >= SENDINGS_MAX
            }
            _ => false,
        },
    };
    if refused {
        return Ok(Settlement::Refused { errors: claimed.open_errors.clone(), burnt: false });
    }
    Ok(Settlement::NotThere { errors: error.portal_errors().to_vec() })
}

/// How often the portal got it and left the outcome open; attempts of which nothing left this machine,
/// or that were turned away at the door, have a number too and do not count.
async fn sendings(shared: &Shared, claimed: &Claimed) -> Result<u32, PipelineError> {
    let trail = shared.ledger.audit(claimed.id).await?;
    let left_open = |entry: &&AuditEntry| entry.from == Some(DocumentState::Sent) && entry.to == DocumentState::Unknown;
    Ok(u32::try_from(trail.iter().filter(left_open).count()).unwrap_or(u32::MAX))
}

fn is_past_the_window(shared: &Shared, attempt: &Intent) -> bool {
    let hours = i64::try_from(shared.settings.retrieval_window_hours).unwrap_or(i64::MAX / 3600);
    shared.now().duration_since(attempt.at) >= SignedDuration::from_hours(hours)
}

/// The registration is a fact that the portal stated with its duplicate refusal; only the signed copy
/// is out of reach.
fn stated_by_the_portal(shared: &Shared, claimed: &Claimed, duplicate: &DuplicateInfo, elsewhere: bool) -> Settlement {
    let other = duplicate.registered_by.as_deref().unwrap_or("another portal");
    let (Some(ack_no), Some(ack_date)) = (&duplicate.ack_no, duplicate.ack_date) else {
        let reason = format!(
            "it is registered at {}, whose acknowledgement number and date are not told here; \
             look it up there or on the GST portal",
            if elsewhere { other } else { "the portal" }
        );
        return still_unknown(shared, claimed, &reason);
    };
    let registration = Box::new(Registration {
        ack_no: ack_no.clone(),
        ack_date,
        irn: duplicate.irn,
        status: RegistrationStatus::Active,
        signed_invoice: None,
        signed_qr: None,
        ewb: None,
        remarks: None,
        info: claimed.open_info.clone(),
    });
    let reason = if elsewhere {
        format!("registered by {other}; fetch the signed copy there or from the e-invoice section of the GST portal")
    } else {
        DOWNLOAD_HINT.to_owned()
    };
    Settlement::Registered { registration, proof: Proof::SignedPartsMissing { reason } }
}

fn still_unknown(shared: &Shared, claimed: &Claimed, reason: &str) -> Settlement {
    let wait = Duration::from_secs(shared.settings.settle_wait_seconds.max(1));
    let pause = match &claimed.last_attempt {
        Some(attempt) if is_past_the_window(shared, attempt) => LATE_ASK_PAUSE,
        _ => wait.saturating_mul(2_u32.saturating_pow(claimed.asked.min(16))).min(ASK_PAUSE_MAX),
    };
    let now = shared.now();
    Settlement::StillUnknown { reason: reason.to_owned(), ask_at: later(now, pause).unwrap_or(now) }
}

fn has_code(error: &TransportError, code: &str) -> bool {
    error.portal_errors().iter().any(|error| error.code == code)
}
