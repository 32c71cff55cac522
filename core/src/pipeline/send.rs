//! Sends one document: route, session, intent, call, judgement, outcome.

use std::sync::Arc;
use std::time::Duration;

use super::dispatch::{Ended, Job};
use super::outcome::{AUTH_PAUSE, Consequence, conclude, consequence_of, unknown};
use super::report::Tally;
use super::routes::Route;
use super::sync::Synced;
use super::{CALLS_AFTER_INTENT, PipelineError, Shared};
use crate::advice;
use crate::clock::later;
use crate::document::Invoice;
use crate::environment::Product;
use crate::events;
use crate::identifier::Gstin;
use crate::ledger::{AttemptOutcome, Claimed, Intent, LedgerError, NewIntent};
use crate::operation::{Operation, Registration, RegistrationStatus, Reply};
use crate::state::DocumentState;
use crate::transport::{Reach, TransportError};
use crate::verify::{Judgement, Proof, judge};

/// What the sendings of one run share.
pub(super) struct Run<'a> {
    pub(super) shared: &'a Shared,
    pub(super) tally: &'a Tally,
    pub(super) synced: &'a Synced,
}

/// Sends one `Ready` document by the first route that works.
pub(super) async fn send(run: &Run<'_>, job: &Job, claimed: Claimed) -> Result<Ended, PipelineError> {
    let (shared, tally) = (run.shared, run.tally);
    let supplier = claimed.key.supplier;
    let mut may_pass = false;
    for route in candidates(shared, tally, &claimed) {
        if route.is_closed() || route.is_closed_for(supplier) {
            continue;
        }
        let Some(_permit) = route.permit(supplier).await else { continue };
        // The gate may have closed while this task waited for its turn.
        if route.is_closed() || route.is_closed_for(supplier) {
            continue;
        }
        match route.gateway.ready(supplier, Product::EInvoice).await {
            Ok(()) => return send_by(run, job, &route, &claimed).await,
            Err(error) => {
                route.learn(Some(&error));
                let consequence = consequence_of(&error);
                heed(tally, &route, supplier, &error, consequence);
                may_pass |= consequence == Consequence::Unreachable;
            }
        }
    }
    Ok(match (may_pass, claimed.pinned) {
        (true, _) => Ended::TryAgain,
        (false, true) => Ended::Later,
        (false, false) => Ended::NoRoute,
    })
}

/// The routes that may carry this document: after an attempt that may have reached the portal only
/// the one it took, to the same site, as that site's own duplicate check protects the resend.
fn candidates(shared: &Shared, tally: &Tally, claimed: &Claimed) -> Vec<Arc<Route>> {
    let (Some(attempt), true) = (&claimed.last_attempt, claimed.pinned) else {
        return shared.routes.in_order().to_vec();
    };
    match shared.routes.by_name(&attempt.route) {
        Some(route) if route.site() == attempt.site => vec![Arc::clone(route)],
        found => {
            let why = found.map_or_else(
                || "is no longer configured".to_owned(),
                |route| format!("leads to site {} today", route.site()),
            );
            tally.configuration(
                attempt.route.as_str(),
                format!(
                    "{} may have reached site {} by this route, which {why}; bring the route back, or it cannot be \
                     sent again without the risk of registering it twice",
                    claimed.key, attempt.site
                ),
            );
            Vec::new()
        }
    }
}

async fn send_by(run: &Run<'_>, job: &Job, route: &Route, claimed: &Claimed) -> Result<Ended, PipelineError> {
    let (shared, tally) = (run.shared, run.tally);
    let supplier = claimed.key.supplier;
    // What waited long for its turn may not be through when its lease ends.
    if !outlasts_a_sending(shared, job, route) {
        return Ok(Ended::Stale);
    }
    let intent = NewIntent {
        document: claimed.id,
        worker: job.worker.clone(),
        route: route.name().clone(),
        site: route.site().to_owned(),
        gstin: supplier,
        payload_hash: claimed.payload_hash,
    };
    let intent = match shared.ledger.intend(intent).await {
        Ok(intent) => intent,
        // A corrected revision came in meanwhile, or the lease ran out while this task waited for
        // its turn: whoever claims the document now has its present content.
        Err(LedgerError::NotClaimed { .. } | LedgerError::IllegalMove { .. }) => return Ok(Ended::Done),
        Err(error) => return Err(error.into()),
    };
    let operation = Operation::GenerateIrn { payload: claimed.payload.clone() };
    let reply = route.gateway.call(supplier, &operation).await;
    route.learn(reply.as_ref().err());
    let outcome = match again(run, job, route, claimed, &operation, reply).await {
        Ok(reply) => outcome_of(shared, tally, route, claimed, reply),
        Err(not_sent) => not_sent,
    };
    finish(shared, tally, claimed, &intent, outcome).await
}

/// Whether the lease covers one more sending, however long it takes.
fn outlasts_a_sending(shared: &Shared, job: &Job, route: &Route) -> bool {
    let through = later(shared.now(), route.call_time_max().saturating_mul(CALLS_AFTER_INTENT));
    through.is_some_and(|through| through <= job.lease_until)
}

/// Sends the document once more where it was refused for a taxpayer who turned out to be active; else the reply as
/// it is. An error is the outcome that lets the document go out anew under its next claim.
///
/// One intent covers both calls: the first was provably refused and changed nothing at the portal, the second
/// carries the same bytes by the same route to the same site with the same login, and at any moment in between
/// the intent says what may have happened, no less and no more.
async fn again(
    run: &Run<'_>,
    job: &Job,
    route: &Route,
    claimed: &Claimed,
    operation: &Operation,
    reply: Result<Reply, TransportError>,
) -> Result<Result<Reply, TransportError>, AttemptOutcome> {
    let Err(refusal) = &reply else { return Ok(reply) };
    let Some(party) = run.synced.cured(run.tally, route, claimed, refusal).await else { return Ok(reply) };
    if !outlasts_a_sending(run.shared, job, route) {
        let reason = format!("{refusal}; the taxpayer was fetched anew, and the document goes out again");
        return Err(AttemptOutcome::NotSent { reason });
    }
    let second = route.gateway.call(claimed.key.supplier, operation).await;
    route.learn(second.as_ref().err());
    party.learn(second.as_ref().err());
    Ok(second)
}

fn outcome_of(
    shared: &Shared,
    tally: &Tally,
    route: &Route,
    claimed: &Claimed,
    reply: Result<Reply, TransportError>,
) -> AttemptOutcome {
    let wait = Duration::from_secs(shared.settings.settle_wait_seconds);
    match reply {
        Ok(Reply::Registration(mut registration)) => {
            registration.site = Some(route.site().to_owned());
            believe(shared, claimed, registration)
        }
        Ok(_) => unknown("the route answered a registration with something else", shared.now(), wait, &[]),
        Err(error) => {
            let (outcome, consequence) = conclude(&error, shared.now(), wait);
            heed(tally, route, claimed.key.supplier, &error, consequence);
            outcome
        }
    }
}

/// Turns a registration into an outcome: only what is judged to be ours counts.
fn believe(shared: &Shared, claimed: &Claimed, mut registration: Box<Registration>) -> AttemptOutcome {
    let wait = Duration::from_secs(shared.settings.settle_wait_seconds);
    if registration.status != RegistrationStatus::Active {
        // Whatever it means, it is no new registration: the portal is asked what there is.
        return unknown("the reply does not call the registration active", shared.now(), Duration::ZERO, &[]);
    }
    match judged(shared, claimed, &mut registration) {
        // Only a read that says so proves that the signed copy is out of reach.
        Some(Judgement::Ours(Proof::SignedPartsMissing { .. })) => {
            unknown("the reply lacks the signed copy", shared.now(), wait, &[])
        }
        Some(Judgement::Ours(proof)) => AttemptOutcome::Registered { registration, proof },
        Some(Judgement::Different { .. }) => {
            // A different document under our key is a conflict only once the portal, asked, says so.
            unknown("the reply holds other content than was sent", shared.now(), Duration::ZERO, &[])
        }
        Some(Judgement::Misstated(_)) => {
            unknown("the reply contradicts the signed invoice in it", shared.now(), wait, &[])
        }
        Some(Judgement::NotBelieved { reason }) => {
            events::reply_not_believed(&claimed.key.to_string(), &reason);
            unknown(&format!("the reply is not believed: {reason}"), shared.now(), wait, &[])
        }
        None => unknown("the stored payload cannot be read back", shared.now(), wait, &[]),
    }
}

/// Judges a registration by what was sent; `None` when that cannot be read back. Outside the signed
/// parts nothing is proven, so an acknowledgement that the genuine signed invoice states otherwise
/// gives way to the signed one: asking again would bring the same contradiction for ever.
pub(super) fn judged(shared: &Shared, claimed: &Claimed, registration: &mut Registration) -> Option<Judgement> {
    let sent = sent_document(claimed)?;
    let judge = |registration: &Registration| judge(&claimed.key, &sent, registration, shared.verifier.as_ref());
    let signed = match judge(registration) {
        Judgement::Misstated(signed) => signed,
        judgement => return Some(judgement),
    };
    events::acknowledgement_misstated(&claimed.key.to_string(), &registration.ack_no, &signed.number);
    registration.ack_no = signed.number;
    registration.ack_date = signed.date;
    Some(judge(registration))
}

/// The document as it was sent, read back from the ledger's copy.
pub(super) fn sent_document(claimed: &Claimed) -> Option<Invoice> {
    let text = std::str::from_utf8(&claimed.payload).ok()?;
    Some(Invoice::from_json(text).ok()?.invoice)
}

async fn finish(
    shared: &Shared,
    tally: &Tally,
    claimed: &Claimed,
    intent: &Intent,
    outcome: AttemptOutcome,
) -> Result<Ended, PipelineError> {
    let state = match &outcome {
        AttemptOutcome::NotSent { .. } => DocumentState::Ready,
        AttemptOutcome::Registered { .. } => DocumentState::Registered,
        AttemptOutcome::Refused { burnt: true, .. } => DocumentState::Burnt,
        AttemptOutcome::Refused { .. } => DocumentState::Refused,
        AttemptOutcome::Unknown { .. } => DocumentState::Unknown,
    };
    // Durable before anybody is told.
    let label = claimed.key.to_string();
    match shared.ledger.record(intent.attempt, outcome).await {
        Ok(()) => {}
        // The call outlived its lease, and asking the portal settled the document meanwhile. What it
        // found stands; that this answer says something else is for a person to know.
        Err(error @ LedgerError::IllegalMove { .. }) => {
            tally.failure(label, format!("an answer came after its document had been settled otherwise: {error}"));
            return Ok(Ended::Done);
        }
        Err(error) => return Err(error.into()),
    }
    events::document_outcome(&label, state, Some(&intent.route));
    if state == DocumentState::Ready {
        return Ok(Ended::TryAgain);
    }
    tally.settled(&label, state);
    tally.listed(claimed.id, &label, "resumed");
    Ok(Ended::Done)
}

/// Acts on what a failed login or call means for others.
pub(super) fn heed(tally: &Tally, route: &Route, supplier: Gstin, error: &TransportError, consequence: Consequence) {
    match consequence {
        Consequence::None => {}
        Consequence::Unreachable => tally.unreachable(route.name().as_str(), error.to_string()),
        Consequence::PauseSupplier(pause) => {
            route.close_for(supplier, pause);
            tally.unreachable(format!("{supplier} on route {}", route.name()), error.to_string());
        }
        Consequence::Configuration => {
            // What reaches further than the GSTIN, the gateway has closed and told already.
            if error.reach() <= Reach::Gstin {
                events::supplier_stopped(supplier, route.name(), error);
                route.close_for(supplier, AUTH_PAUSE);
            }
            tally.configuration(format!("{supplier} on route {}", route.name()), stopped(error));
        }
    }
}

/// What was refused, what is left alone for it, and what to look at.
fn stopped(error: &TransportError) -> String {
    let advice = match error.reach() {
        Reach::Call | Reach::Gstin => return advice::with_advice(error),
        Reach::Client => "every GSTIN of this client pair is left alone: check client id and secret",
        Reach::Route => {
            "the whole route is left alone: check the portal's public key for logins and the route's settings"
        }
    };
    format!("{}; {advice}", advice::with_advice(error))
}
