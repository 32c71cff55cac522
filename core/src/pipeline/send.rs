//! Sends one document: route, session, intent, call, judgement, outcome.

use std::sync::Arc;
use std::time::Duration;

use super::outcome::{AUTH_PAUSE, Consequence, conclude, consequence_of, unknown};
use super::report::Tally;
use super::routes::Route;
use super::{PipelineError, Shared};
use crate::document::Invoice;
use crate::environment::Product;
use crate::events;
use crate::identifier::Gstin;
use crate::ledger::{AttemptOutcome, Claimed, Intent, NewIntent};
use crate::operation::{Operation, Registration, Reply};
use crate::state::DocumentState;
use crate::transport::TransportError;
use crate::verify::{Judgement, judge};

/// What sending came to, for the dispatcher.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sent {
    /// The document left `Ready`.
    Moved,
    /// No route can carry anything for this supplier at present.
    NoRoute,
}

/// Sends one `Ready` document by the first route that works.
pub(super) async fn send(shared: &Shared, tally: &Tally, claimed: Claimed) -> Result<Sent, PipelineError> {
    let supplier = claimed.key.supplier;
    for route in candidates(shared, &claimed) {
        if route.is_closed() || route.is_closed_for(supplier) {
            continue;
        }
        let Some(_permit) = route.permit(supplier).await else { continue };
        // The gate may have closed while this task waited for its turn.
        if route.is_closed() || route.is_closed_for(supplier) {
            continue;
        }
        match route.gateway.ready(supplier, Product::EInvoice).await {
            Ok(()) => {
                let state = send_by(shared, tally, &route, &claimed).await?;
                if state != DocumentState::Ready {
                    return Ok(Sent::Moved);
                }
                // Nothing was sent: the next route may try, with an intent of its own.
                if shared.routes.in_order().len() == 1 || claimed.pinned {
                    return Ok(Sent::NoRoute);
                }
                return Ok(Sent::Moved);
            }
            Err(error) => {
                route.learn(Some(&error));
                heed(tally, &route, supplier, &error, consequence_of(&error));
            }
        }
    }
    shared.ledger.release(&shared.worker, &[claimed.id]).await?;
    Ok(Sent::NoRoute)
}

/// The routes that may carry this document: after an attempt that may have reached the portal only
/// the one it took, as that site's own duplicate check protects the resend.
fn candidates(shared: &Shared, claimed: &Claimed) -> Vec<Arc<Route>> {
    match (&claimed.last_attempt, claimed.pinned) {
        (Some(attempt), true) => shared.routes.by_name(&attempt.route).into_iter().cloned().collect(),
        _ => shared.routes.in_order().to_vec(),
    }
}

async fn send_by(
    shared: &Shared,
    tally: &Tally,
    route: &Route,
    claimed: &Claimed,
) -> Result<DocumentState, PipelineError> {
    let supplier = claimed.key.supplier;
    let intent = shared
        .ledger
        .intend(NewIntent {
            document: claimed.id,
            worker: shared.worker.clone(),
            route: route.name().clone(),
            site: route.gateway.transport().capability().site.clone(),
            gstin: supplier,
            payload_hash: claimed.payload_hash,
        })
        .await?;
    let operation = Operation::GenerateIrn { payload: claimed.payload.clone() };
    let reply = route.gateway.call(supplier, Product::EInvoice, &operation).await;
    route.learn(reply.as_ref().err());
    let outcome = outcome_of(shared, tally, route, claimed, reply);
    finish(shared, tally, claimed, &intent, outcome).await
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
        Ok(Reply::Registration(registration)) => believe(shared, claimed, registration),
        Ok(_) => unknown("the route answered a registration with something else", shared.now(), wait, &[]),
        Err(error) => {
            let (outcome, consequence) = conclude(&error, shared.now(), wait);
            heed(tally, route, claimed.key.supplier, &error, consequence);
            outcome
        }
    }
}

/// Turns a registration into an outcome: only what is judged to be ours counts.
fn believe(shared: &Shared, claimed: &Claimed, registration: Box<Registration>) -> AttemptOutcome {
    let wait = Duration::from_secs(shared.settings.settle_wait_seconds);
    let judgement =
        sent_document(claimed).map(|sent| judge(&claimed.key, &sent, &registration, shared.verifier.as_ref()));
    match judgement {
        Some(Judgement::Ours(proof)) => AttemptOutcome::Registered { registration, proof },
        Some(Judgement::Different { .. }) => {
            // A different document under our key is a conflict only once the portal, asked, says so.
            unknown("the reply holds other content than was sent", shared.now(), Duration::ZERO, &[])
        }
        Some(Judgement::NotBelieved { reason }) => {
            events::reply_not_believed(&claimed.key.to_string(), &reason);
            unknown(&format!("the reply is not believed: {reason}"), shared.now(), wait, &[])
        }
        None => unknown("the stored payload cannot be read back", shared.now(), wait, &[]),
    }
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
) -> Result<DocumentState, PipelineError> {
    let state = match &outcome {
        AttemptOutcome::NotSent { .. } => DocumentState::Ready,
        AttemptOutcome::Registered { .. } => DocumentState::Registered,
        AttemptOutcome::Refused { burnt: true, .. } => DocumentState::Burnt,
        AttemptOutcome::Refused { .. } => DocumentState::Refused,
        AttemptOutcome::Unknown { .. } => DocumentState::Unknown,
    };
    // Durable before anybody is told.
    shared.ledger.record(intent.attempt, outcome).await?;
    let label = claimed.key.to_string();
    events::document_outcome(&label, state, Some(&intent.route));
    if state != DocumentState::Ready {
        tally.settled(&label, state);
        tally.listed(claimed.id, &label, "resumed");
    }
    Ok(state)
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
            events::supplier_stopped(supplier, route.name(), error);
            route.close_for(supplier, AUTH_PAUSE);
            tally.configuration(format!("{supplier} on route {}", route.name()), error.to_string());
        }
    }
}
