//! What the core tells a log; every event is defined here and nowhere else.
//!
//! Logs hold no credential, no payload and no token, and are safe to archive; a GSTIN appears masked
//! by its `Debug` form. Levels: error, somebody must act; warn, handled but odd; info, one line for
//! each document outcome; debug, how.

use crate::environment::{Product, RouteName};
use crate::identifier::Gstin;
use crate::job::JobState;
use crate::operation::OperationKind;
use crate::state::DocumentState;
use crate::transport::TransportError;

/// A document reached a state that ends this run's work on it.
pub fn document_outcome(label: &str, state: DocumentState, route: Option<&RouteName>) {
    tracing::info!(document = label, %state, route = route.map(RouteName::as_str), "document settled");
}

/// A step of a job came to an end, or left its outcome open.
pub fn job_step(job: i64, step: Option<OperationKind>, state: JobState) {
    let step = step.map(OperationKind::words);
    tracing::info!(job, step, %state, "job step settled");
}

/// A document was turned away while reading: its key is taken by other content.
pub fn key_clash(label: &str, reason: &str) {
    tracing::warn!(document = label, reason, "document not taken in");
}

/// A login succeeded.
pub fn logged_in(gstin: Gstin, product: Product, route: &RouteName, forced: bool) {
    tracing::debug!(?gstin, %product, %route, forced, "logged in");
}

/// A login or call was refused for reasons that concern the whole GSTIN; nothing more is sent for it
/// for a while.
pub fn supplier_stopped(gstin: Gstin, route: &RouteName, error: &TransportError) {
    tracing::error!(?gstin, %route, %error, "stopped sending for this GSTIN");
}

/// A call did not get through.
pub fn call_failed(route: &RouteName, error: &TransportError) {
    tracing::warn!(%route, %error, "call did not get through");
}

/// A route is left alone for a while after several failures in a row.
pub fn breaker_opened(route: &RouteName, failures: u32) {
    tracing::error!(%route, failures, "route does not answer and is left alone for a while");
}

/// A session could not be kept for other workers; the run goes on with it.
pub fn session_not_saved(gstin: Gstin, reason: &str) {
    tracing::warn!(?gstin, reason, "session could not be saved");
}

/// What an account was used for could not be written down, or read; this process counts its own use all the same.
pub fn usage_not_kept(reason: &str) {
    tracing::warn!(reason, "the use of the account could not be kept for other processes");
}

/// What became of a login could not be kept beside its entry.
pub fn use_not_noted(gstin: Gstin, reason: &str) {
    tracing::debug!(?gstin, reason, "the use of an entry was not noted");
}

/// A reply contradicted itself or carried a forged signature.
pub fn reply_not_believed(label: &str, reason: &str) {
    tracing::error!(document = label, reason, "the portal's reply is not believed");
}

/// A reply stated another acknowledgement than the genuine signed invoice in it; the signed one is
/// kept.
pub fn acknowledgement_misstated(label: &str, stated: &str, signed: &str) {
    tracing::warn!(document = label, stated, signed, "the reply misstates its acknowledgement; the signed one counts");
}

/// A taxpayer was fetched anew from the GST common portal, since the portal did not know it or took it for
/// inactive.
pub fn taxpayer_fetched(gstin: Gstin, route: &RouteName, status: &str) {
    tracing::info!(?gstin, %route, status, "taxpayer fetched anew");
}

/// Results could not be delivered to a target; they are kept and tried again.
pub fn write_back_failed(target: &str, reason: &str) {
    tracing::error!(target_name = target, reason, "results could not be written back");
}

/// A source could not be read, or could not be told what became of its records.
pub fn source_failed(source: &str, reason: &str) {
    tracing::error!(source_name = source, reason, "source failed");
}
