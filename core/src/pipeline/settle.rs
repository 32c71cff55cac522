//! Settles one unknown outcome: by asking the portal, and by nothing else.

use std::time::Duration;

use jiff::SignedDuration;

use super::outcome::{NOT_HERE_CODE, NOT_THERE_CODE, WINDOW_OVER_CODE, consequence_of};
use super::report::Tally;
use super::routes::Route;
use super::send::{heed, sent_document};
use super::{PipelineError, Shared};
use crate::clock::later;
use crate::environment::Product;
use crate::events;
use crate::ledger::{Claimed, Intent, Settlement};
use crate::operation::{DuplicateInfo, Operation, Registration, RegistrationStatus, Reply};
use crate::state::DocumentState;
use crate::transport::TransportError;
use crate::verify::{Judgement, Proof, judge};

/// Longest pause between two questions about the same document.
const ASK_PAUSE_MAX: Duration = Duration::from_hours(1);

/// Where a person finds the signed copy once the portal's API no longer hands it out.
const DOWNLOAD_HINT: &str = "the portal's API no longer hands out the signed copy; \
                             download it from the e-invoice section of the GST portal (kept six months)";

/// Asks about one `Unknown` document and records what came of it.
pub(super) async fn settle(shared: &Shared, tally: &Tally, claimed: Claimed) -> Result<(), PipelineError> {
    let Some(settlement) = ask(shared, tally, &claimed).await else {
        // Not one question could be asked: the time to ask again stays as it was.
        shared.ledger.release(&shared.worker, &[claimed.id]).await?;
        return Ok(());
    };
    let state = match &settlement {
        Settlement::Registered { .. } => DocumentState::Registered,
        Settlement::Cancelled { .. } => DocumentState::Cancelled,
        Settlement::Refused { burnt: true, .. } => DocumentState::Burnt,
        Settlement::Refused { .. } => DocumentState::Refused,
        Settlement::Conflict { .. } => DocumentState::Conflict,
        Settlement::NotThere { .. } => DocumentState::Ready,
        Settlement::StillUnknown { .. } => DocumentState::Unknown,
    };
    shared.ledger.settle(&shared.worker, claimed.id, settlement).await?;
    let label = claimed.key.to_string();
    events::document_outcome(&label, state, claimed.last_attempt.as_ref().map(|attempt| &attempt.route));
    tally.listed(claimed.id, &label, "resumed");
    if !matches!(state, DocumentState::Ready | DocumentState::Unknown) {
        tally.settled(&label, state);
    }
    Ok(())
}

async fn ask(shared: &Shared, tally: &Tally, claimed: &Claimed) -> Option<Settlement> {
    let Some(attempt) = &claimed.last_attempt else {
        return Some(still_unknown(shared, claimed, "no attempt is on record, so nobody can be asked"));
    };
    let Some(route) = shared.routes.by_name(&attempt.route) else {
        tally.configuration(
            attempt.route.as_str(),
            format!(
                "{} was sent by this route, which is no longer configured; bring it back to settle it",
                claimed.key
            ),
        );
        return None;
    };
    let route = route.as_ref();
    if route.is_closed() || route.is_closed_for(attempt.gstin) {
        return None;
    }
    let _permit = route.permit(attempt.gstin).await?;
    let answer = put_question(route, claimed, attempt, None).await;
    let answer = match answer {
        // "Not here" may mean another site: name the one that was sent to.
        Err(error) if has_code(&error, NOT_HERE_CODE) => {
            put_question(route, claimed, attempt, Some(attempt.site.clone())).await
        }
        other => other,
    };
    route.learn(answer.as_ref().err());
    Some(match answer {
        Ok(registration) => settle_found(shared, claimed, registration),
        Err(error) => {
            heed(tally, route, attempt.gstin, &error, consequence_of(&error));
            settle_refused(shared, claimed, attempt, &error)
        }
    })
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

fn duplicate(claimed: &Claimed) -> Option<&DuplicateInfo> {
    claimed.open_info.iter().find_map(|info| info.duplicate.as_ref())
}

fn settle_found(shared: &Shared, claimed: &Claimed, registration: Box<Registration>) -> Settlement {
    let Some(sent) = sent_document(claimed) else {
        return still_unknown(shared, claimed, "the stored payload cannot be read back");
    };
    match judge(&claimed.key, &sent, &registration, shared.verifier.as_ref()) {
        Judgement::Ours(_) if registration.status == RegistrationStatus::Cancelled => {
            Settlement::Cancelled { registration }
        }
        Judgement::Ours(proof) => Settlement::Registered { registration, proof },
        Judgement::Different { differences, .. } => Settlement::Conflict { registration, differences },
        Judgement::NotBelieved { reason } => {
            events::reply_not_believed(&claimed.key.to_string(), &reason);
            still_unknown(shared, claimed, &format!("the reply is not believed: {reason}"))
        }
    }
}

fn settle_refused(shared: &Shared, claimed: &Claimed, attempt: &Intent, error: &TransportError) -> Settlement {
    let age = shared.now().duration_since(attempt.at);
    let window =
        SignedDuration::from_hours(i64::try_from(shared.settings.retrieval_window_hours).unwrap_or(i64::MAX / 3600));
    if has_code(error, NOT_THERE_CODE) {
        if duplicate(claimed).is_some() {
            return still_unknown(shared, claimed, "the portal calls it a duplicate and yet does not find it");
        }
        if age < window {
            return Settlement::NotThere { errors: error.portal_errors().to_vec() };
        }
        return still_unknown(
            shared,
            claimed,
            "the portal does not find it, but so long after sending that this proves nothing; \
             look it up on the e-invoice portal and decide",
        );
    }
    if has_code(error, WINDOW_OVER_CODE)
        && let Some(duplicate) = duplicate(claimed)
        && let Some(ack_no) = &duplicate.ack_no
        && let Some(ack_date) = duplicate.ack_date
        && duplicate.irn == claimed.irn
    {
        // The registration is a fact that the portal stated; only its signed copy is out of reach.
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
        let proof = Proof::SignedPartsMissing { reason: DOWNLOAD_HINT.to_owned() };
        return Settlement::Registered { registration, proof };
    }
    still_unknown(shared, claimed, &error.to_string())
}

fn still_unknown(shared: &Shared, claimed: &Claimed, reason: &str) -> Settlement {
    let wait = Duration::from_secs(shared.settings.settle_wait_seconds.max(1));
    let pause = wait.saturating_mul(2_u32.saturating_pow(claimed.asked.min(16))).min(ASK_PAUSE_MAX);
    let now = shared.now();
    Settlement::StillUnknown { reason: reason.to_owned(), ask_at: later(now, pause).unwrap_or(now) }
}

fn has_code(error: &TransportError, code: &str) -> bool {
    error.portal_errors().iter().any(|error| error.code == code)
}
